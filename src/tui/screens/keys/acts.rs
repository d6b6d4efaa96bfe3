//! What can be done to keys from a list, whichever list it is: the table of a tab, or the notices. Done to those that are
//! marked or selected, and the last deed taken back.

use std::collections::HashSet;

use super::history::History;
use crate::domain::tail::Watched;
use crate::domain::undo::Undo;
use crate::domain::{Command, Event, Key, KeyId, OperatorId};
use crate::tui::action::{Action, Layer, Reason};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::look::Look;
use crate::tui::clipboard::Keep;
use crate::tui::overlays::{
    chooser, chooser::Chooser, confirm, create_key::template, export, how_to::HowTo, key_edit, key_many,
    matrix, operator, protect, report_only, rescope::Rescope, rotate::Rotate, tail::Tail,
};
use crate::tui::screens::NO_UNDO;
use crate::tui::secret::SecretText;
use crate::tui::sight::deeds::{self, Deed};
use crate::tui::sight::seen::{Seen, seen};
use crate::tui::widgets::picker::Picker;
use crate::tui::widgets::text;

/// Of so many keys it is worked out in less than a frame what would become of them.
const AT_ONCE: usize = 2_000;

/// What there is to do with a key, in the order of how often it is done.
const LISTED: [(Action, &str); 25] = [
    (Action::Open, "See everything about it"),
    (Action::CopyId, "Copy its id"),
    (Action::HowTo, "How to call with it"),
    (Action::TestToken, "Test a token step by step"),
    (Action::Duplicate, "Make another like it"),
    (Action::Edit, "Change its name, note, end, notices and contacts"),
    (Action::Scopes, "Change its scopes"),
    (Action::Narrow, "Take away scopes that no request needed"),
    (Action::Keep, "Keep it: its days without use count anew"),
    (Action::Protect, "Protect it while nobody uses it, or no longer"),
    (Action::Pause, "Pause or resume it"),
    (Action::Rotate, "Rotate it: a new one takes over"),
    (Action::Lost, "Replace it as lost"),
    (Action::FinishGrace, "End its old half now"),
    (Action::LongerGrace, "Let its old half work a day longer"),
    (Action::CancelRotation, "Take its rotation back"),
    (Action::RotateAgain, "Replace its new half, which nobody used"),
    (Action::Transfer, "Give it to another operator"),
    (Action::Revoke, "Revoke it for good"),
    (Action::Delete, "Delete it; its record can be restored for 30 days"),
    (Action::Restore, "Restore its record; its secret stays dead"),
    (Action::Watch, "Watch who knocks with it"),
    (Action::ReportOnly, "Try fewer scopes first, or decide on that"),
    (Action::Export, "Write it to a file, or all that are marked"),
    (Action::Matrix, "See its scopes, or those of several keys side by side"),
];

/// The same of several marked keys, where it is called otherwise.
const OF_MANY: [(Action, &str); 13] = [
    (Action::CopyId, "Copy their ids"),
    (Action::Edit, "Change their end"),
    (Action::Scopes, "Change their scopes: add, take away"),
    (Action::Keep, "Keep them: their days without use count anew"),
    (Action::Protect, "Protect them while nobody uses them, or no longer"),
    (Action::Pause, "Pause or resume them"),
    (Action::Rotate, "Rotate them: new ones take over"),
    (Action::Transfer, "Give them to another operator"),
    (Action::Revoke, "Revoke them for good"),
    (Action::Delete, "Delete them; their records can be restored for 30 days"),
    (Action::Restore, "Restore their records; their secrets stay dead"),
    (Action::Export, "Write them to a file"),
    (Action::Matrix, "See their scopes side by side"),
];

/// What is only ever about the row under the cursor, whatever is marked.
const OF_THE_ROW: [Action; 3] = [Action::Open, Action::HowTo, Action::Watch];
/// Columns that the name of that row takes in a line of the menu.
const NAMED: u16 = 20;

/// What there is to do with the halves of a rotation and with no other key.
const OF_HALVES: [Action; 4] =
    [Action::FinishGrace, Action::LongerGrace, Action::CancelRotation, Action::RotateAgain];

/// What is said of a key that is kept: of one that has an end, that it stands, and what puts it off.
fn kept(key: KeyId, look: &Look) -> Option<String> {
    let edit = look.keymap.label(Layer::Screen, Action::Edit).unwrap_or_default();
    seen(look, |seen| {
        let key = seen.view.key(key)?;
        Some(match key.expiry.instant() {
            None => format!("{} is {}", key.name, Deed::Keep.done()),
            Some(at) => format!(
                "{} is kept, but still ends {}: {edit} puts that off",
                key.name,
                seen.times.relative(at)
            ),
        })
    })
}

/// Asks to whom keys shall be given.
fn heirs(targets: &[KeyId], look: &Look) -> Ask {
    let owners: Vec<OperatorId> =
        look.view(|view| targets.iter().filter_map(|id| view.key(*id)).map(|key| key.owner).collect());
    // Of those of several owners each may get the others.
    let one = owners.first().copied().filter(|first| owners.iter().all(|owner| owner == first));
    let picker = Picker::new(operator::heirs(look, one), "who gets it?");
    let keys = targets.to_vec();
    Ask::open(Chooser::new("Give to another operator", (52, 14), picker, move |heir, look: &Look| {
        match confirm::keys::ask(look, Deed::Give(heir), &keys) {
            Some(question) => Ask::open(question),
            None => {
                let why = seen(look, |seen| deeds::impossible(Deed::Give(heir), &keys, seen));
                Ask::Say(why.into_iter().next().map_or_else(String::new, |(_, why)| why))
            }
        }
    }))
}

/// Deeds on keys, and what is remembered of them.
#[derive(Default)]
pub struct Acts {
    /// What takes the last deed back, of each key that it was done to, by name.
    last: Vec<(Undo, String)>,
    /// Keys of which one is being taken back: that is no deed to be taken back.
    taking_back: HashSet<KeyId>,
    /// What is to be done to many, while it is worked out what would become of them.
    planned: Option<(Deed, Vec<KeyId>)>,
}

impl Acts {
    /// Forgets what others have changed since, all of it.
    pub fn refresh(&mut self, seen: &Seen<'_>) {
        if self.last.iter().all(|(undo, _)| undo.command(seen.view).is_err()) {
            self.last.clear();
        }
    }

    /// Does what `action` means for `targets`, and says whether it means anything.
    pub fn perform(&mut self, action: Action, targets: &[KeyId], look: &Look, out: &mut Vec<Ask>) -> bool {
        // Whoever does something else has given up taking back.
        self.taking_back.clear();
        self.planned = None;
        match action {
            Action::Edit if targets.len() > 1 => out.push(Ask::open(key_many::end(look, targets))),
            Action::Scopes if targets.len() > 1 => out.push(Ask::open(key_many::scopes(look, targets))),
            Action::Edit => {
                out.extend(targets.first().and_then(|key| key_edit::new(look, *key)).map(Ask::open));
            }
            Action::Transfer => out.push(heirs(targets, look)),
            Action::Duplicate => {
                out.extend(targets.first().and_then(|key| template::like(look, *key)).map(Ask::open));
            }
            Action::Scopes => {
                out.extend(targets.first().and_then(|key| Rescope::new(look, *key)).map(Ask::open));
            }
            Action::Narrow => {
                out.extend(targets.first().and_then(|key| Rescope::narrower(look, *key)).map(Ask::open));
            }
            Action::ReportOnly => out.extend(targets.first().and_then(|key| report_only::ask(look, *key))),
            Action::Matrix => out.push(Ask::open(matrix::new(look, targets))),
            Action::Rotate => {
                out.extend(match targets {
                    [key] => Rotate::new(look, *key).map(Ask::open),
                    many => Rotate::many(look, many).map(Ask::open),
                });
            }
            Action::Lost | Action::FinishGrace | Action::CancelRotation | Action::RotateAgain => {
                let question = targets.first().and_then(|key| confirm::rotation::ask(look, action, *key));
                out.extend(question.map(Ask::open));
            }
            Action::LongerGrace => {
                let said = "its old half works a day longer, as far as may be".to_owned();
                let job = targets.first().map(|key| Job::Run { command: deeds::longer(*key), said });
                out.extend(job.map(Ask::Do));
            }
            Action::CopyId => {
                let ids: Vec<String> = targets.iter().map(ToString::to_string).collect();
                out.push(Ask::Copy(SecretText::new(ids.join("\n")), Keep::Stays));
            }
            Action::Export => out.push(Ask::open(export::new(targets))),
            Action::HowTo => {
                out.extend(targets.first().and_then(|key| HowTo::key(look, *key)).map(Ask::open));
            }
            Action::Watch => {
                let key = targets.first().map(|key| Tail::new(Watched::Key(*key), look));
                out.extend(key.map(Ask::open));
            }
            Action::Undo => self.undo(look, out),
            Action::Keep
            | Action::Protect
            | Action::Pause
            | Action::Revoke
            | Action::Delete
            | Action::Restore => {
                let deed = seen(look, |seen| {
                    let keys: Vec<&Key> = targets.iter().filter_map(|id| seen.view.key(*id)).collect();
                    Deed::of(action, &keys, seen)
                });
                match (deed, targets) {
                    (None, [key]) if action == Action::Protect => {
                        out.extend(protect::new(look, *key).map(Ask::open));
                    }
                    (None, many @ [_, _, ..]) if action == Action::Protect => {
                        out.push(Ask::open(key_many::protection(look, many)));
                    }
                    // Nobody loses anything by it.
                    (Some(Deed::Keep), [key]) => {
                        let said = kept(*key, look).unwrap_or_default();
                        out.push(Ask::Do(Job::Run { command: Command::KeepKey(*key), said }));
                    }
                    (Some(deed), many) if many.len() > AT_ONCE => {
                        let (keys, means) = (many.to_vec(), Box::new(move |key: &Key| deed.command(key.id)));
                        self.planned = Some((deed, keys.clone()));
                        out.push(Ask::Do(Job::Plan { keys, means }));
                    }
                    (Some(deed), _) => out.extend(confirm::keys::ask(look, deed, targets).map(Ask::open)),
                    (None, _) => {}
                }
            }
            _ => return false,
        }
        true
    }

    /// Everything possible with `targets`; `possible` says what is. What is not about them but about the `selected` row says
    /// so.
    pub fn menu(
        targets: &[KeyId],
        selected: Option<KeyId>,
        look: &Look,
        possible: impl Fn(Action) -> Result<(), Reason>,
    ) -> Ask {
        let name = |key: KeyId| {
            let name = look.view(|view| view.key(key).map(|key| key.name.to_string()));
            text::fit(&name.unwrap_or_default(), NAMED, "…").into_owned()
        };
        let apart = selected.filter(|selected| *targets != [*selected]);
        let title = match targets {
            [_, _, ..] => format!("With these {} keys", targets.len()),
            [marked] if apart.is_some() => format!("With the marked {}", name(*marked)),
            _ => "With this key".to_owned(),
        };
        let words = |action: Action, words: &'static str| match apart {
            Some(row) if OF_THE_ROW.contains(&action) => format!("{words} (only {})", name(row)),
            Some(_) if targets.len() > 1 => {
                let of_many = OF_MANY.iter().find(|(known, _)| *known == action);
                of_many.map_or(words, |(_, words)| *words).to_owned()
            }
            _ => words.to_owned(),
        };
        let halves = |key| look.view(|view| view.key(key).is_some_and(|key| view.halves(key).is_some()));
        let rotated = matches!(targets, [key] if halves(*key));
        // What most keys give no reason for is not listed with why not.
        let is_listed = |action: Action| match action {
            Action::Narrow => possible(action).is_ok(),
            _ => rotated || !OF_HALVES.contains(&action),
        };
        let listed = LISTED.into_iter().filter(|(action, _)| is_listed(*action));
        let listed: Vec<_> = listed.map(|(action, said)| (action, words(action, said))).collect();
        Ask::open(chooser::row_menu(&title, &listed, look, possible))
    }

    fn undo(&mut self, look: &Look, out: &mut Vec<Ask>) {
        self.taking_back = self.last.iter().map(|(undo, _)| undo.key).collect();
        if let [(undo, name)] = self.last.as_slice()
            && !undo.back.denies()
        {
            let said = format!("{name} is {}", undo.back.done());
            out.push(match look.view(|view| undo.command(*view)) {
                Ok(command) => Ask::Do(Job::Run { command, said }),
                Err(refusal) => Ask::Say(refusal.to_string()),
            });
            return;
        }
        let undos: Vec<Undo> = self.last.iter().map(|(undo, _)| undo.clone()).collect();
        out.push(match confirm::undo::ask(look, &undos) {
            Some(question) => Ask::open(question),
            None => Ask::Say("none of the keys is what that made of it any more".to_owned()),
        });
    }

    /// Hears what a deed led to, and the history of the key beside the list its entries.
    pub fn told(&mut self, answer: Answer, history: &mut History, look: &Look, out: &mut Vec<Ask>) {
        match answer {
            Answer::Plan(plan) => {
                let Some((deed, keys)) = self.planned.take() else { return };
                let why = plan.left.first().map(|(_, why)| why.clone());
                out.push(match confirm::keys::planned(look, deed, &keys, *plan) {
                    Some(question) => Ask::open(question),
                    None => Ask::Say(why.unwrap_or_else(|| "there is no such key any more".to_owned())),
                });
            }
            Answer::Audit(page) => history.take(&page),
            Answer::Done { events, .. } => self.remember(&events, look),
            Answer::Refused(_) => history.give_up(),
            Answer::Part(..)
            | Answer::Purse(_)
            | Answer::Widened(_)
            | Answer::Recovery(_)
            | Answer::Checked(_)
            | Answer::Doors(_)
            | Answer::Use(..)
            | Answer::Busy(_)
            | Answer::Tested(_)
            | Answer::Whose(_)
            | Answer::Tail(_)
            | Answer::Counted(_)
            | Answer::Coming(_)
            | Answer::Sparks(_) => {}
        }
    }

    fn remember(&mut self, events: &[Event], look: &Look) {
        let undos = look.view(|view| {
            let name = |undo: &Undo| view.key(undo.key).map(|key| key.name.to_string());
            let all = Undo::of_all(events, *view).into_iter();
            all.filter_map(|undo| name(&undo).map(|name| (undo, name))).collect::<Vec<_>>()
        });
        if events.is_empty() {
            return;
        }
        // Whatever was done before is not the last deed any more, even where this one cannot be taken back.
        self.last.clear();
        let Some(kind) = undos.first().map(|(undo, _)| std::mem::discriminant(&undo.back)) else { return };
        if undos.iter().all(|(undo, _)| self.taking_back.contains(&undo.key)) {
            self.taking_back.clear();
            return;
        }
        // What one deed did is all of one kind.
        if undos.iter().all(|(undo, _)| std::mem::discriminant(&undo.back) == kind) {
            self.last = undos;
        }
    }

    /// Why `action` is not possible with `targets` now; `None` of one that is none of these.
    pub fn enabled(&self, action: Action, targets: &[KeyId], look: &Look) -> Option<Result<(), Reason>> {
        let when = |possible: bool, why: &'static str| if possible { Ok(()) } else { Err(why.into()) };
        Some(match action {
            Action::TestToken => Ok(()),
            Action::CopyId | Action::Export | Action::HowTo | Action::Matrix | Action::Watch => {
                when(!targets.is_empty(), "there is no key here")
            }
            Action::Undo => when(!self.last.is_empty(), NO_UNDO),
            Action::Edit
            | Action::Duplicate
            | Action::Transfer
            | Action::Scopes
            | Action::Narrow
            | Action::ReportOnly
            | Action::Keep
            | Action::Protect
            | Action::Rotate
            | Action::Lost
            | Action::FinishGrace
            | Action::LongerGrace
            | Action::CancelRotation
            | Action::RotateAgain
            | Action::Pause
            | Action::Revoke
            | Action::Delete
            | Action::Restore => seen(look, |seen| deeds::enabled(action, targets, seen)),
            _ => return None,
        })
    }

    /// What would be undone now, in words.
    pub fn undoes(&self) -> Option<String> {
        match self.last.as_slice() {
            [] => None,
            [(undo, name)] => Some(format!("{} of {name}", undo.back.what())),
            [(undo, _), ..] => Some(format!("{} of {} keys", undo.back.what(), self.last.len())),
        }
    }
}
