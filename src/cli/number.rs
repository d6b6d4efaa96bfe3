//! Whole numbers among the words of a command: who writes something else is told which there may be.

use std::ops::RangeInclusive;

/// Reads one that lies in `range`.
pub fn whole<T: TryFrom<u32>>(
    range: RangeInclusive<u32>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| format!("write a whole number from {} to {}", range.start(), range.end()))
    }
}
