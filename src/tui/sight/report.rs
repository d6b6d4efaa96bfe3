//! How things are doing, as it is shown: numbers counted a few keys at a time, and bars that are read without colour. On the
//! command line as in the console.

use super::seen::Glance;
use crate::domain::Timestamp;
use crate::domain::report::{Counting, Report};
use crate::domain::time::DAY_MS;
use crate::tui::list::search::AT_A_TIME;

/// Counts all keys and apps that are seen, and what became of keys in so many days. The state is let go now and then.
pub fn count(glance: Glance<'_>, days: u32) -> Option<Report> {
    let (mut counting, mut report, mut from) = (None, None, 0);
    while report.is_none() {
        let mut looked = 0;
        glance(&mut |seen| {
            let by = seen.reviewer();
            let since = Timestamp(by.now.0.saturating_sub(i64::from(days) * DAY_MS));
            let made = counting.get_or_insert_with(|| Counting::new(since));
            for key in by.view.keys().skip(from).take(AT_A_TIME) {
                looked += 1;
                made.add(by, key);
            }
            if looked < AT_A_TIME {
                by.view.apps().into_iter().for_each(|app| made.add_app(by, app));
                report = counting.take().map(|made| made.finish(by));
            }
        });
        if looked < AT_A_TIME {
            break;
        }
        from += looked;
    }
    report
}

/// A bar for `count` where the longest of them stands for `most` and takes so many cells. Whatever is there is seen: half a cell
/// at least.
pub fn bar(count: usize, most: usize, cells: usize) -> String {
    if count == 0 || most == 0 {
        return String::new();
    }
    let halves = (count.saturating_mul(2 * cells) / most).clamp(1, 2 * cells.max(1));
    format!("{}{}", "█".repeat(halves / 2), if halves % 2 == 1 { "▌" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_part_and_one_of_many_is_still_seen() {
        let told = [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4), (1, 1_000_000), (0, 0)];
        let told = told.map(|(count, most)| bar(count, most, 4));
        assert_eq!(told, ["", "█", "██", "███", "████", "▌", ""]);
    }
}
