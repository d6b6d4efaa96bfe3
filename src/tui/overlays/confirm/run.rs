//! Something under way for many keys: how far it is, and in the end what was done to how many, and to which not and why.

use std::fmt::Write as _;
use std::time::Duration;

use crate::domain::name::first_few;
use crate::domain::undo::Undo;
use crate::domain::{Event, KeyId};
use crate::engine::many::Report;
use crate::engine::{Left, Many};
use crate::tui::action::{Action, Layer};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::look::Look;
use crate::tui::clock::Moment;
use crate::tui::list::page::Line;
use crate::tui::overlay::Heard;
use crate::tui::overlays::reader::Reader;
use crate::tui::theme::Role;
use crate::tui::widgets::text::sentence;

/// How long it has to go on before it is said how much longer.
const TELLING: Duration = Duration::from_secs(1);

/// How what was done is told.
#[derive(Clone, Copy)]
pub(super) struct Told {
    /// What they are afterwards: `paused`.
    pub done: &'static str,
    /// What takes it back, for one and for many.
    pub undo: Option<(&'static str, &'static str)>,
    /// The verb of the command line that does.
    pub back: Option<&'static str>,
    /// Those it was done to need no marks any more.
    pub unmarks: bool,
}

/// See the module.
pub(super) struct Run {
    told: Told,
    total: usize,
    tried: usize,
    /// When it was looked at first.
    begun: Option<Moment>,
    /// What happened so far, for the screen.
    events: Vec<Event>,
    stopping: bool,
}

impl Run {
    pub fn begin(told: Told, total: usize) -> Self {
        Self { told, total, tried: 0, begun: None, events: Vec::new(), stopping: false }
    }

    /// Ends it after the part that is under way.
    pub const fn stop(&mut self) {
        self.stopping = true;
    }

    /// How far it is, and after a moment how long it goes on if it goes on so.
    pub fn progress(&mut self, now: Moment) -> String {
        let passed = now.since(*self.begun.get_or_insert(now));
        let then = if self.stopping { ", stopping" } else { "; esc stops it" };
        let rest = u32::try_from(self.total.saturating_sub(self.tried)).unwrap_or(u32::MAX);
        let tried = u32::try_from(self.tried).unwrap_or(u32::MAX);
        let left = match passed.checked_div(tried).filter(|_| passed >= TELLING) {
            Some(each) => format!(", about {} s left", each.saturating_mul(rest).as_secs() + 1),
            None => String::new(),
        };
        format!("{} of {} done{left}{then}", self.tried, self.total)
    }

    /// Goes on with the next part, or ends with what came of it.
    pub fn hear(&mut self, answer: Answer, look: &Look, out: &mut Vec<Ask>) -> Heard {
        let many = match answer {
            Answer::Part(many, events) => {
                self.events.extend(events);
                self.tried = many.total() - many.untried();
                if !many.is_over() && !self.stopping {
                    out.push(Ask::Do(Job::Part(many)));
                    return Heard::Consumed;
                }
                many
            }
            Answer::Refused(why) => {
                let tried = self.tried;
                out.push(Ask::Complain(format!("{tried} of {} were done when it ended: {why}", self.total)));
                return Heard::Close;
            }
            _ => return Heard::Close,
        };
        let events = std::mem::take(&mut self.events);
        out.push(Ask::Keep(self.account(&many, &events, look)));
        out.push(Ask::Report(Answer::Done { events, token: None, said: String::new() }));
        out.extend(self.told.unmarks.then_some(Ask::Act(Action::MarkNone)));
        let said = self.said(&many);
        out.push(if many.left.is_empty() {
            let save = look.keymap.label(Layer::Screen, Action::SaveReport);
            let save = save.map_or_else(String::new, |save| format!("; {save} saves the report"));
            Ask::Celebrate(said + &save)
        } else {
            let report = report(&said, &many, look);
            let undoes = self.told.undo.is_some() && !many.done.is_empty();
            Ask::open(if undoes { report.taking_back() } else { report }.of_many())
        });
        Heard::Close
    }

    /// The report of it, for programs.
    fn account(&self, many: &Many, events: &[Event], look: &Look) -> Report {
        look.view(|view| {
            let undos = Undo::of_all(events, *view);
            let name = |key| view.key(key).map(|key| key.name.to_string());
            Report::of(many, self.told.back, &undos, name)
        })
    }

    fn said(&self, many: &Many) -> String {
        let count = many.done.len();
        let keys = if count == 1 { "1 key is".to_owned() } else { format!("{count} keys are") };
        let mut said = format!("{keys} {}", self.told.done);
        if let Some((one, more)) = self.told.undo.filter(|_| count > 0) {
            said.push_str(if count == 1 { one } else { more });
        }
        if let Some(kept) = many.kept() {
            let whose = if count == 1 { "its token is" } else { "their tokens are" };
            let _ = write!(said, "; {whose} {kept}");
        }
        match many.untried() {
            0 => said,
            left => format!("Stopped: {said}, {left} left as they were"),
        }
    }
}

/// What was done, and of the others each reason with the keys it holds for.
fn report(said: &str, many: &Many, look: &Look) -> Reader {
    let mut reasons: Vec<(&Left, Vec<KeyId>)> = Vec::new();
    for left in &many.left {
        match reasons.iter_mut().find(|(known, _)| known.text == left.text) {
            Some((_, keys)) => keys.push(left.key),
            None => reasons.push((left, vec![left.key])),
        }
    }
    let name = |key: &KeyId| {
        let known = look.view(|view| view.key(*key).map(|key| key.name.to_string()));
        known.unwrap_or_else(|| key.to_string())
    };
    let mut lines = vec![Line::of(Role::Text, sentence(said))];
    for (left, keys) in &reasons {
        let names: Vec<String> = keys.iter().map(name).collect();
        let (one, several) = left.stays().words();
        let stay = if keys.len() == 1 { one } else { several };
        let few = first_few(names.iter().map(String::as_str));
        lines.extend([Line::blank(), Line::of(Role::Warn, format!("{} {stay} ({few})", keys.len()))]);
        lines.push(Line::of(Role::Text, sentence(&left.text)));
        if keys.len() > 3 {
            lines.extend(names.into_iter().map(|name| Line::of(Role::Dim, name)));
        }
    }
    let ids: Vec<String> = many.left.iter().map(|left| left.key.to_string()).collect();
    let title = format!("{} of {} not done", many.left.len(), many.total());
    Reader::new("report", title, lines, Some(ids.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_it_goes_on_is_said_after_a_second_by_what_was_done_in_it() {
        let at = |ms| Moment::after_start(Duration::from_millis(ms));
        let told = Told { done: "paused", undo: None, back: None, unmarks: false };
        let mut run = Run::begin(told, 1_000);
        assert_eq!(run.progress(at(500)), "0 of 1000 done; esc stops it");
        run.tried = 64;
        assert_eq!(run.progress(at(900)), "64 of 1000 done; esc stops it");
        run.tried = 250;
        assert_eq!(run.progress(at(4_500)), "250 of 1000 done, about 13 s left; esc stops it");
        run.stop();
        assert_eq!(run.progress(at(4_500)), "250 of 1000 done, about 13 s left, stopping");
    }
}
