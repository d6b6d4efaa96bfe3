//! What comes on which day, as it is shown: how much on each of the next days, and a strip of them.
//!
//! ```text
//!   Nov   │      Dec   │      │      │      │   Jan
//!   ▁····▃▁··············█·▁···················▁·▂
//!         ◐              ◐
//! ```

use chrono::{Datelike as _, Days as Later, NaiveDate, Weekday};
use ratatui::layout::Rect;

use super::seen::Glance;
use super::usage;
use crate::domain::coming::{Coming, Fate};
use crate::domain::notice::Notice;
use crate::domain::time::DAY_MS;
use crate::domain::{Grounds, Timestamp};
use crate::tui::app::times::Times;
use crate::tui::canvas::Canvas;
use crate::tui::list::search::AT_A_TIME;
use crate::tui::theme::{Badge, Role};
use crate::tui::widgets::layout;

/// Days that are looked ahead.
pub const AHEAD: u32 = 90;
/// Days that are shown: the one it is, and those.
pub const DAYS: usize = AHEAD as usize + 1;
/// Cells left of a strip.
const ASIDE: u16 = 3;
/// Cells of the name of a month, and a space.
const NAME: usize = 4;
/// So many on one day fill its block: one day with hundreds leaves the others theirs.
const FULL: usize = 8;
/// Days of a sign where there is no cell for each.
const WEEK: usize = 7;

/// Until when is looked ahead.
pub const fn until(now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_add(AHEAD as i64 * DAY_MS))
}

/// All that comes, what comes first before the rest. The state is let go now and then.
pub fn coming(glance: Glance<'_>, grounds: Grounds) -> Vec<Notice> {
    let (mut all, mut from) = (Vec::new(), 0);
    loop {
        let mut looked = 0;
        glance(&mut |seen| {
            let coming = Coming::new(seen.view, grounds, until(grounds.now));
            for key in seen.view.keys().skip(from).take(AT_A_TIME) {
                looked += 1;
                all.extend(coming.of_key(key));
            }
            if looked < AT_A_TIME {
                all.extend(coming.of_others());
            }
        });
        from += looked;
        if looked < AT_A_TIME {
            all.sort_by_key(|notice| (notice.when, notice.key));
            return all;
        }
    }
}

/// How many of each fate.
pub type Fates = [usize; Fate::ALL.len()];

/// The place of a fate among these.
pub const fn place(fate: Fate) -> usize {
    fate as usize
}

/// The sign of a fate: as of a notice of it.
pub const fn badge(fate: Fate) -> Badge {
    match fate {
        Fate::Ends => Badge::Expiring,
        Fate::Deleted => Badge::Idle,
        Fate::Grace => Badge::Superseded,
        Fate::Cleared => Badge::Expired,
    }
}

/// So many of one fate, in words.
pub fn words(fate: Fate, count: usize) -> String {
    let (one, many) = match fate {
        Fate::Ends => ("1 key expires", "keys expire"),
        Fate::Deleted => ("1 key is deleted, unused", "keys are deleted, unused"),
        Fate::Grace => ("1 grace ends", "graces end"),
        Fate::Cleared => ("1 ended key is cleared away", "ended keys are cleared away"),
    };
    if count == 1 { one.to_owned() } else { format!("{count} {many}") }
}

/// How much comes on each day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// The day it is.
    pub first: NaiveDate,
    /// From then on.
    pub days: Vec<Fates>,
}

impl Calendar {
    /// Nothing yet, from the present of `times` on.
    pub fn new(times: Times) -> Self {
        Self { first: times.day(times.now()), days: vec![Fates::default(); DAYS] }
    }

    /// The place of what comes then. What is late comes today; the last hours may be those of one day more.
    pub fn at(&self, when: Timestamp, times: Times) -> usize {
        let days = times.day(when).signed_duration_since(self.first).num_days();
        usize::try_from(days).unwrap_or(0).min(DAYS - 1)
    }

    /// Counts one.
    pub fn add(&mut self, notice: &Notice, times: Times) {
        let (at, fate) = (self.at(notice.when, times), Fate::of(notice.what));
        let count = fate.and_then(|fate| self.days.get_mut(at)?.get_mut(place(fate)));
        if let Some(count) = count {
            *count += 1;
        }
    }

    /// The day with that place.
    pub fn day(&self, at: usize) -> NaiveDate {
        let later = Later::new(u64::try_from(at).unwrap_or_default());
        self.first.checked_add_days(later).unwrap_or(self.first)
    }

    /// All of them together.
    pub fn total(&self) -> usize {
        self.days.iter().flatten().sum()
    }

    /// The three lines of a strip: months and weeks, how much, and where something is deleted. `each` days to a sign.
    fn strip(&self, each: usize) -> [String; 3] {
        let groups: Vec<&[Fates]> = self.days.chunks(each).collect();
        let sum = |group: &[Fates]| group.iter().flatten().sum::<usize>();
        let most = groups.iter().map(|group| sum(group)).max().unwrap_or(0);
        let (mut months, mut bars, mut marks) = (String::new(), String::new(), String::new());
        let mut month = None;
        for (nth, group) in groups.iter().enumerate() {
            let day = self.day(nth * each);
            let last = self.day((nth + 1) * each - 1);
            let begins = month != Some(last.month());
            // Of a month that is nearly over there is no room for its name.
            let is_long = each > 1 || self.day(nth + NAME - 1).month() == last.month();
            if begins && is_long {
                let name = format!("{:<NAME$}", last.format("%b").to_string());
                if each > 1 {
                    bars.push_str(if nth > 0 { " " } else { "" });
                    bars.push_str(&name);
                    marks.push_str(&" ".repeat(bars.chars().count() - marks.chars().count()));
                } else {
                    months.push_str(&name);
                }
            }
            month = Some(last.month());
            if each == 1 && months.chars().count() <= nth {
                months.push(if day.weekday() == Weekday::Mon { '│' } else { ' ' });
            }
            bars.push(usage::level(sum(group).min(FULL), most.min(FULL)));
            let deleted = group.iter().any(|fates| fates.get(place(Fate::Deleted)).is_some_and(|n| *n > 0));
            marks.push(if deleted { DELETED } else { ' ' });
        }
        [months, bars, marks]
    }

    /// Draws a strip at the top of `area`, and gives back the room below it.
    pub fn draw_strip(&self, canvas: &mut Canvas<'_>, area: Rect) -> Rect {
        let each = if usize::from(area.width) >= DAYS + usize::from(2 * ASIDE) { 1 } else { WEEK };
        let [months, bars, marks] = self.strip(each);
        let marked = marks.trim_end();
        let lines = [(Role::Dim, months.trim_end()), (Role::Accent, &bars), (Badge::Idle.role(), marked)];
        let lines: Vec<_> = lines.into_iter().filter(|(_, line)| !line.is_empty()).collect();
        let rows = u16::try_from(lines.len()).unwrap_or_default();
        let (strip, rest) = layout::top(area, rows + 1);
        for (row, (role, line)) in (0..rows).zip(lines) {
            let row = layout::row(strip, row);
            let (vertical, idle) = (canvas.glyphs().vertical, canvas.glyphs().badge(Badge::Idle));
            let line = line.replace('│', vertical).replace(DELETED, idle);
            canvas.fit(row.x + ASIDE, row.y, row.width.saturating_sub(2 * ASIDE), &line, role);
        }
        rest
    }
}

/// Where something is deleted for want of use.
const DELETED: char = '◐';

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notice::What;
    use crate::tui::app::times::Zone;

    /// A Saturday.
    const NOW: Timestamp = Timestamp(1_795_867_200_000);

    fn calendar(all: &[(What, i64)]) -> Calendar {
        let times = Times::new(NOW, Zone::UTC);
        let mut calendar = Calendar::new(times);
        for (what, days) in all {
            calendar.add(&Notice::of(*what, Timestamp(NOW.0 + days * DAY_MS)), times);
        }
        calendar
    }

    #[test]
    fn each_comes_on_its_day_and_what_is_late_today() {
        let told = calendar(&[
            (What::Ends, 0),
            (What::Deletion { told: 1 }, -3),
            (What::GraceEnds, 3),
            (What::Clears, 90),
            (What::Ended, 1),
        ]);
        assert_eq!((told.days[0], told.days[3], told.days[90]), ([1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]));
        assert_eq!((told.total(), told.days.len()), (4, DAYS));
        assert_eq!(told.day(3).to_string(), "2026-12-01");
    }

    #[test]
    fn a_strip_has_months_weeks_and_where_something_is_deleted() {
        let told = calendar(&[(What::Ends, 2), (What::Ends, 2), (What::Deletion { told: 0 }, 10)]);
        let [months, bars, marks] = told.strip(1);
        assert!(months.starts_with("  │Dec "), "{months}");
        assert!(bars.starts_with("··█·······▄···") && bars.chars().count() == DAYS, "{bars}");
        assert_eq!(marks.trim_end(), "          ◐");
        let [_, bars, marks] = told.strip(WEEK);
        assert_eq!(bars, "Dec █▄·· Jan ····· Feb ····");
        assert_eq!(marks.trim_end(), "     ◐");
    }
}
