//! What needs attention, for the status line, the tabs and the notices: read off the records when the state changes, not when
//! it is drawn.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::look::Look;
use super::times::remaining;
use crate::domain::coming::Coming;
use crate::domain::name::first_few;
use crate::domain::notice::{Board, Notice, Trouble, What};
use crate::domain::review::Review;
use crate::domain::time::DAY_MS;
use crate::domain::{Extent, Grounds, Key};
use crate::engine::{Troubles, troubles};
use crate::tui::action::{Counts, Tab};
use crate::tui::list::search::AT_A_TIME;
use crate::tui::screens::review::rows::Rows;
use crate::tui::sight::calendar::{self, Calendar};
use crate::tui::sight::seen::{Glance, Seen};
use crate::tui::theme::{Glyphs, Role};
use crate::tui::widgets::status::Said;
use crate::tui::widgets::text;

/// What is due among the keys the operator sees.
#[derive(Clone, Debug, Default)]
pub struct Due {
    /// All notices of keys and of what waits for a word, what happens next first.
    keys: Vec<Notice>,
    /// The same with what is wrong before them.
    board: Arc<[Notice]>,
    /// What is wrong with the store or the clock, worst first.
    troubles: Troubles,
    /// The key that ends first: its name, and how long until then.
    first: Option<(String, i64)>,
    /// The key that is deleted first for want of use: the same.
    goes: Option<(String, i64)>,
    /// What there is to say against keys and apps.
    review: Arc<Rows>,
    /// How much comes on each of the next days; not known where nothing is to judge by.
    calendar: Option<Calendar>,
    /// Keys and apps that are not deleted.
    counts: HashMap<Tab, usize>,
    /// What is locked down, the widest first.
    locked: Vec<String>,
    /// Within how many days all end that are told of.
    within: i64,
    /// How long until a notice changes by itself: until then the numbers hold.
    holds: Option<Duration>,
}

impl Due {
    /// Reads all keys, a few at a time, and the apps.
    pub fn count(glance: Glance<'_>, grounds: Grounds) -> Self {
        let (mut due, mut from) = (Self::default(), 0);
        let mut making = Some((Board::new(grounds), Review::default()));
        loop {
            let mut looked = 0;
            glance(&mut |seen| {
                let coming = Coming::new(seen.view, grounds, calendar::until(grounds.now));
                for key in seen.view.keys().skip(from).take(AT_A_TIME) {
                    looked += 1;
                    due.add(key, seen);
                    due.look_ahead(coming.of_key(key), seen);
                    if let Some((board, review)) = &mut making {
                        board.add(seen.state(), key);
                        review.add(seen.reviewer(), key);
                    }
                }
                if looked < AT_A_TIME
                    && let Some(made) = making.take()
                {
                    due.look_ahead(coming.of_others().into_iter(), seen);
                    // That nothing is deleted would be the wrong answer.
                    due.calendar = due.calendar.take().filter(|_| grounds.complete_since.is_some());
                    due.close(made, seen);
                }
            });
            from += looked;
            if looked < AT_A_TIME {
                return due;
            }
        }
    }

    fn add(&mut self, key: &Key, seen: &Seen<'_>) {
        let now = seen.now();
        if !seen.is_aside(key) {
            *self.counts.entry(Tab::of(key.place)).or_default() += 1;
        }
        if let Some(left) = key.expiry.instant().map(|at| at.since(now)) {
            // One instant after the notice begins, and the very instant it expires.
            let notice = i64::from(key.notice(seen.view.policy())) * DAY_MS;
            // … and when the old half of a rotation is told to be used still.
            let soon = [left - notice, left - DAY_MS, left - DAY_MS / 24, left];
            self.change_in(soon.into_iter().find(|left| *left > 0));
        }
    }

    fn look_ahead(&mut self, coming: impl Iterator<Item = Notice>, seen: &Seen<'_>) {
        let calendar = self.calendar.get_or_insert_with(|| Calendar::new(seen.times));
        coming.for_each(|notice| calendar.add(&notice, seen.times));
    }

    fn change_in(&mut self, ms: Option<i64>) {
        let next = ms.filter(|ms| *ms > 0).and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
        self.holds = self.holds.into_iter().chain(next).min();
    }

    /// After the last key.
    fn close(&mut self, (mut board, mut review): (Board, Review), seen: &Seen<'_>) {
        let mut apps = seen.view.apps();
        apps.retain(|app| !app.is_deleted());
        self.counts.insert(Tab::Apps, apps.len());
        for app in apps {
            board.add_app(seen.state(), app);
            review.add_app(seen.reviewer(), app);
            let ends = app.old_secret(seen.now()).and_then(|old| old.until.instant());
            if let Some(left) = ends.map(|at| at.since(seen.now())) {
                // One instant after its notice begins, when it is told to be used still, and when it ends.
                let soon = [left - 7 * DAY_MS, left - DAY_MS, left - DAY_MS / 24, left];
                self.change_in(soon.into_iter().find(|left| *left > 0));
            }
        }
        let lockdowns = seen.view.lockdowns();
        let name = |extent: Extent| match extent {
            Extent::Agency => extent.code(),
            Extent::Owner(_) | Extent::Location(_) | Extent::App(_) => seen.view.extent_name(extent),
        };
        self.locked = lockdowns.iter().map(|(extent, _)| name(*extent).to_owned()).collect();
        board.add_lockdowns(lockdowns);
        let rows = review.finish(seen.reviewer());
        self.review = Arc::new(rows.into_iter().map(|row| (row.who, row)).collect());
        self.keys = board.finish(seen.state(), &seen.view.hold(), &[]);
        let now = seen.now();
        for at in 0..self.keys.len() {
            let Some(notice) = self.keys.get(at).copied() else { continue };
            self.change_in(Some(notice.when.since(now)));
            self.change_in(notice.seen.and_then(|seen| seen.until).map(|until| until.since(now)));
        }
        // What somebody has put away is counted by itself: what is told is what the notices list.
        let open = || self.keys.iter().filter(|notice| notice.seen.is_none());
        let ends = || open().filter(|notice| notice.what == What::Ends);
        let last = ends().next_back().map_or(0, |notice| whole_days(notice.when.since(now)));
        self.within = last.max(seen.view.policy().notice_days.into());
        let named = |notice: &Notice| {
            let name = seen.view.key(notice.key?)?.name.to_string();
            Some((name, notice.when.since(now)))
        };
        self.first = ends().next().and_then(named);
        self.goes = open().find(|notice| matches!(notice.what, What::Deletion { told: 1.. })).and_then(named);
        self.board = self.keys.as_slice().into();
    }

    /// Looks again at what is wrong with the store or the clock.
    pub fn look_for_trouble(&mut self, look: &Look) {
        let found = troubles(&*look.engine);
        // So it was asked for, and the title line says so.
        self.troubles = if look.read_only { found.but(Trouble::ReadOnly) } else { found };
        let wrong = self
            .troubles
            .when()
            .into_iter()
            .map(|(trouble, since)| Notice::of(What::Trouble(trouble), since));
        self.board = wrong.chain(self.keys.iter().copied()).collect();
    }

    /// All notices, what is wrong and what happens next first.
    pub fn board(&self) -> Arc<[Notice]> {
        Arc::clone(&self.board)
    }

    /// What there is to say against keys and apps.
    pub fn review(&self) -> Arc<Rows> {
        Arc::clone(&self.review)
    }

    /// How much comes on each of the next days, where that is known.
    pub const fn calendar(&self) -> Option<&Calendar> {
        self.calendar.as_ref()
    }

    /// What is wrong with the store or the clock.
    pub const fn troubles(&self) -> &Troubles {
        &self.troubles
    }

    /// What stands beside a tab's name, if something is counted there.
    pub fn beside(&self, tab: Tab) -> Option<usize> {
        match tab.counts() {
            Counts::Unseen => Some(self.board.iter().filter(|notice| notice.seen.is_none()).count())
                .filter(|open| *open > 0),
            Counts::Kept => Some(self.counts.get(&tab).copied().unwrap_or_default()),
            Counts::Concerns => Some(self.review.len()).filter(|rows| *rows > 0),
            Counts::Nothing => None,
        }
    }

    /// How long the numbers hold, if a key makes them change by itself.
    pub const fn holds(&self) -> Option<Duration> {
        self.holds
    }

    /// What the status line says, with its look. What stands first is never left out, and what stands last goes first when room
    /// is short; how much went is told. In this order: what refuses everything, a stolen secret, what cannot be taken back, who
    /// is cut off though they call, what ends, what waits for a word, and the rest.
    pub fn said(&self, glyphs: &Glyphs) -> Option<(Role, Vec<Said>)> {
        let locked = first_few(self.locked.iter().map(String::as_str));
        let locked = Said::of(self.locked.len(), || format!("LOCKED DOWN: {locked}"));
        if let Some(trouble) = self.troubles.worst() {
            let open = self.keys.iter().filter(|notice| notice.seen.is_none()).count();
            let rest = Said::of(open, String::new);
            let said = signed(glyphs.bad, locked.into_iter().chain([Said::new(trouble, 1)]).chain(rest));
            return Some((Role::Bad, said));
        }
        let is_locked = locked.is_some();
        let Tally { ending, going, held, others, away, missed, presented } = Tally::of(&self.keys);
        let ending = self.first.as_ref().and_then(|(name, left)| match ending {
            0 => None,
            1 => Some(Said::new(format!("{} expires {}", short(name, glyphs), soon(*left)), 1)),
            n => Some(Said::new(format!("{n} keys expire within {}", days(self.within)), n)),
        });
        let going = self.goes.as_ref().and_then(|(name, left)| match going {
            0 => None,
            1 => Some(Said::new(format!("{} is deleted {}", short(name, glyphs), soon(*left)), 1)),
            n => Some(Said::new(format!("{n} keys are deleted, the first {}", soon(*left)), n)),
        });
        let held = Said::of(held, || match held {
            1 => "1 deletion waits for a word".to_owned(),
            n => format!("{n} deletions wait for a word"),
        });
        let [keys, apps] = missed;
        let missed = Said::of(keys + apps, || match missed {
            [1, 0] => "1 old half ends, still used".to_owned(),
            [n, 0] => format!("{n} old halves end, still used"),
            [0, 1] => "1 old secret ends, still used".to_owned(),
            [keys, apps] => format!("{} old secrets end, still used", keys + apps),
        });
        let [decoys, dead] = presented;
        let rings = Said::of(decoys, || match decoys {
            1 => "a decoy rings: somebody presents it".to_owned(),
            n => format!("{n} decoys ring: somebody presents them"),
        });
        let dead = Said::of(dead, || match dead {
            1 => "1 deleted key is presented".to_owned(),
            n => format!("{n} deleted keys are presented"),
        });
        let calls: Vec<Said> =
            [locked, rings, going, missed, ending, held, dead].into_iter().flatten().collect();
        let is_urgent = !calls.is_empty();
        let others = Said::of(others, || match others {
            _ if is_urgent => String::new(),
            1 => "1 notice".to_owned(),
            n => format!("{n} notices"),
        });
        // Neither the end nor the deletion is put away with its notice. It is no news either: it is not counted among the rest.
        let away = (away > 0).then(|| Said::new(format!("{away} put away"), 0));
        let (role, sign) = match (is_locked, is_urgent) {
            (true, _) => (Role::Bad, glyphs.bad),
            (false, true) => (Role::Warn, glyphs.warn),
            (false, false) => (Role::Dim, glyphs.info),
        };
        let said = signed(sign, calls.into_iter().chain(others).chain(away));
        (!said.is_empty()).then_some((role, said))
    }
}

/// How many notices there are of each kind that the status line tells apart.
#[derive(Default)]
struct Tally {
    ending: usize,
    going: usize,
    held: usize,
    others: usize,
    away: usize,
    /// Old halves of keys, then old secrets of apps.
    missed: [usize; 2],
    /// Decoys, then keys that were deleted.
    presented: [usize; 2],
}

impl Tally {
    fn of(notices: &[Notice]) -> Self {
        let mut tally = Self::default();
        for notice in notices {
            *match notice.what {
                _ if notice.seen.is_some() => &mut tally.away,
                What::Ends => &mut tally.ending,
                What::Deletion { told: 1.. } => &mut tally.going,
                What::Held(count) => {
                    tally.held = count;
                    continue;
                }
                // By its name, before all others.
                What::LockedDown(_) => continue,
                What::StillUsed => {
                    let [keys, apps] = &mut tally.missed;
                    if notice.app.is_some() { apps } else { keys }
                }
                What::Presented { decoy } => {
                    let [decoys, dead] = &mut tally.presented;
                    if decoy { decoys } else { dead }
                }
                What::Deletion { .. }
                | What::Trouble(_)
                | What::PutBack
                | What::OwnerGone(..)
                | What::GraceEnds
                | What::Ended
                | What::Clears
                | What::Deleted
                | What::Restored => &mut tally.others,
            } += 1;
        }
        tally
    }
}

/// The sign before the first of them.
fn signed(sign: &str, said: impl Iterator<Item = Said>) -> Vec<Said> {
    let mut said: Vec<Said> = said.collect();
    if let Some(first) = said.first_mut() {
        first.text = format!("{sign} {}", first.text);
    }
    said
}

/// A name beside which there is room for what becomes of it.
fn short(name: &str, glyphs: &Glyphs) -> String {
    text::fit(name, NAMED, glyphs.ellipsis).into_owned()
}

/// Cells of a name in the status line.
const NAMED: u16 = 24;

/// When that is: in the words of all times to come while hours count, in days else.
fn soon(left: i64) -> String {
    match whole_days(left) {
        _ if left < 2 * DAY_MS => format!("in {}", remaining(left)),
        n => format!("in {n} days"),
    }
}

/// Rounded up, as everywhere; less than one is none.
const fn whole_days(ms: i64) -> i64 {
    if ms < DAY_MS { 0 } else { ms.saturating_add(DAY_MS - 1) / DAY_MS }
}

fn days(n: i64) -> String {
    if n == 1 { "1 day".into() } else { format!("{n} days") }
}
