//! How the selected key or app was used, as it was read last.

use crate::domain::history::Picture;
use crate::domain::{Bearer, Timestamp};
use crate::tui::app::ask::{Ask, Job};
use crate::tui::clock::{Moment, Now};
use crate::tui::list::page::Line;
use crate::tui::sight::seen::Seen;
use crate::tui::sight::usage;
use crate::tui::sight::wanted::Wanted;

/// What is known is old when one of these is another: its last use, how many there were, and since when fewer scopes are tried on it.
pub type Mark = (Option<Timestamp>, u64, Option<Timestamp>);

/// The use of one key or app, as far as it is known.
#[derive(Debug, Default)]
pub struct Used {
    wanted: Wanted<Bearer, Option<Picture>>,
    mark: Option<Mark>,
}

impl Used {
    /// The selection is on this one.
    pub fn want(&mut self, what: Option<(Bearer, Mark)>, now: Now) {
        let mark = what.map(|(_, mark)| mark);
        if self.mark != mark {
            self.mark = mark;
            self.wanted.outdate();
        }
        self.wanted.want(what.map(|(bearer, _)| bearer), now);
    }

    /// The use of `bearer`, where it is known.
    pub fn of(&self, bearer: Bearer) -> Option<&Picture> {
        self.wanted.of(&bearer).and_then(Option::as_ref)
    }

    /// Asks for it when it is time to.
    pub fn tick(&mut self, now: Now, out: &mut Vec<Ask>) {
        out.extend(self.wanted.tick(now).map(|bearer| Ask::Do(Job::Use(bearer))));
    }

    /// When it wants a tick.
    pub fn wake_at(&self) -> Option<Moment> {
        self.wanted.wake_at()
    }

    /// It came.
    pub fn take(&mut self, about: Bearer, picture: Picture) {
        self.wanted.learn(about, Some(picture));
    }

    /// It could not be read; not asked for again until something changes.
    pub fn give_up(&mut self) {
        self.wanted.take(|_| None);
    }
}

/// The lines that tell of it where so many `cells` are beside a label.
pub fn lines(all: &mut Vec<Line>, picture: &Picture, cells: u16, seen: &Seen<'_>) {
    let told = usage::lines(picture, cells.into(), |at| seen.times.relative(at));
    if told.is_empty() {
        return;
    }
    all.push(Line::blank());
    all.extend(told.into_iter().map(|(label, said)| Line::fact(label, said)));
}
