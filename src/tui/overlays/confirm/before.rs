//! Who uses what is about to be stopped: at once what is known without a look at the disk, and the rest when that is read.

use super::Confirm;
use crate::domain::Bearer;
use crate::domain::blast::many::{Busy, Struck};
use crate::domain::history::Picture;
use crate::tui::app::ask::{Ask, Job};
use crate::tui::app::look::Look;
use crate::tui::list::page::Line;
use crate::tui::sight::radius::{self, Whom};
use crate::tui::sight::seen::{Seen, seen};
use crate::tui::theme::Role;

/// Whose use is told.
pub(super) enum About {
    One(Bearer),
    Many(Vec<Bearer>),
}

/// What came of asking how it was used.
#[derive(Clone, Copy)]
pub(super) enum Use<'u> {
    NotYet,
    One(Bearer, &'u Picture),
    Many(&'u Busy),
}

impl<'u> Use<'u> {
    pub const fn picture(self) -> Option<&'u Picture> {
        if let Self::One(_, picture) = self { Some(picture) } else { None }
    }

    const fn busy(self) -> Option<&'u Busy> {
        if let Self::Many(busy) = self { Some(busy) } else { None }
    }
}

/// Puts into lines what is known of a use.
type Telling = Box<dyn Fn(Use<'_>, &Seen<'_>) -> Vec<Line>>;

/// Told in lines of its own.
pub(super) struct Before {
    about: About,
    /// It was asked for.
    asked: bool,
    /// The line before which it is told.
    at: usize,
    tell: Telling,
    /// Lines of it that stand there now.
    told: usize,
}

impl Before {
    /// Whether it is to be asked for.
    pub const fn is_due(&self) -> bool {
        !self.asked
    }

    /// Asks for it, once.
    pub fn ask(&mut self) -> Option<Ask> {
        let due = self.is_due();
        self.asked = true;
        due.then(|| {
            Ask::Do(match &self.about {
                About::One(bearer) => Job::Use(*bearer),
                About::Many(all) => Job::Busy(all.clone()),
            })
        })
    }

    /// Whether that is the answer, and not that of a question that was here before.
    fn is_answered_by(&self, used: Use<'_>) -> bool {
        match (&self.about, used) {
            (About::One(asked), Use::One(about, _)) => *asked == about,
            (About::Many(_), Use::Many(_)) => self.asked,
            _ => false,
        }
    }
}

/// Lines of what stops.
pub(super) fn stops(told: Vec<(&'static str, String)>) -> Vec<Line> {
    let line = |(label, said): (&'static str, String)| Line {
        spans: vec![(Role::Dim, format!("{label:<12}")), (Role::Text, said)],
        ..Line::default()
    };
    told.into_iter().map(line).collect()
}

impl Confirm {
    /// Has it told, before the line `at` of what it says by now, what stops.
    pub(super) fn telling(
        mut self,
        about: About,
        at: usize,
        tell: impl Fn(Use<'_>, &Seen<'_>) -> Vec<Line> + 'static,
        seen: &Seen<'_>,
    ) -> Self {
        let lines = tell(Use::NotYet, seen);
        let (at, told) = (at.min(self.lines.len()), lines.len());
        self.lines.splice(at..at, lines);
        self.before = Some(Before { about, asked: false, at, tell: Box::new(tell), told });
        self
    }

    /// The same of many at once.
    pub(super) fn telling_of_many(self, struck: Struck, whom: Whom, at: usize, seen: &Seen<'_>) -> Self {
        if struck.all.is_empty() {
            return self;
        }
        let about = About::Many(struck.all.clone());
        let tell = move |used: Use<'_>, seen: &Seen<'_>| {
            let here = (seen.view, seen.now());
            stops(radius::of_many(&struck, (used.busy(), whom), here, |at| seen.times.relative(at)))
        };
        self.telling(about, at, tell, seen)
    }

    /// How it was used has come.
    pub(super) fn learn(&mut self, used: Use<'_>, look: &Look) {
        let Some(before) = self.before.as_mut().filter(|before| before.is_answered_by(used)) else { return };
        let lines = seen(look, |seen| (before.tell)(used, seen));
        let end = (before.at + before.told).min(self.lines.len());
        before.told = lines.len();
        self.lines.splice(before.at.min(end)..end, lines);
    }
}
