//! Another end, other scopes or a protection for many keys at once: here it is said what is to be; what would become of each and
//! who uses them is worked out, and stands in the question that follows.

use std::collections::{BTreeMap, BTreeSet};

use super::confirm::crowd::{self, Deal};
use super::key_edit::lives;
use super::scope_tree::{self, Reach};
use crate::domain::basis::Basis;
use crate::domain::command::KeyEdit;
use crate::domain::name::BadText;
use crate::domain::{Command, Expiry, Key, KeyId, Note, ScopeId};
use crate::tui::action::Danger;
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::kept::out_of_sight;
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::form::choice::TypedChoice;
use crate::tui::form::manner::Paging;
use crate::tui::form::tree::{TreeItem, TreeState};
use crate::tui::form::{Asking, Face, Form, Manner, Pages, Spot, Told};
use crate::tui::overlay::{Heard, Return};
use crate::tui::sight::plan::{Means, Plan};
use crate::tui::sight::seen::{Seen, seen};
use crate::tui::theme::Role;
use crate::tui::widgets::field::TextField;

/// Columns of the box with the scopes.
const WIDTH: u16 = 92;

/// What is changed of each.
#[expect(clippy::large_enum_variant, reason = "there is one of it, while its form is open")]
enum What {
    End(TypedChoice<Expiry>),
    Scopes { add: TreeState<ScopeId>, remove: TreeState<ScopeId> },
    Protection(TextField),
}

pub struct ManyKeys {
    keys: Vec<KeyId>,
    what: What,
}

/// The form for another end.
pub fn end(look: &Look, keys: &[KeyId]) -> Form<ManyKeys> {
    let times = Times::of(look);
    let ends = TypedChoice::new("Ends", lives(look), move |text| {
        let expiry = times.read_expiry(text).map_err(|why| why.to_string())?;
        let says = expiry.instant().map_or_else(
            || "they work until somebody revokes them".to_owned(),
            |at| format!("until {}, {}", times.zoned(at), times.relative(at)),
        );
        Ok((expiry, says))
    });
    Form::new(ManyKeys { keys: keys.to_vec(), what: What::End(ends) }, look)
}

/// The form for other scopes: what is added, and what is taken away of those that some of them have.
pub fn scopes(look: &Look, keys: &[KeyId]) -> Form<ManyKeys> {
    let catalog = look.engine.catalog();
    let (add, held) = look.view(|view| {
        let found: Vec<&Key> = keys.iter().filter_map(|id| view.key(*id)).collect();
        let mut held: BTreeMap<&ScopeId, usize> = BTreeMap::new();
        for scope in found.iter().flat_map(|key| key.scopes.iter()) {
            *held.entry(scope).or_default() += 1;
        }
        let has = |(scope, count): (&ScopeId, usize)| {
            let of = format!("{count} of {}", found.len());
            let title = catalog.permission(scope.as_str()).map_or("", |known| known.title.as_str());
            TreeItem::leaf(scope.clone(), scope.as_str(), format!("{of:<9}  {title}"), 0)
        };
        // Whatever one of another kind may not have, it is refused, and that is told.
        let level = found.first().map(|key| scope_tree::level_of(key.place));
        let add = level.map(|level| scope_tree::tree(catalog, Reach::key(level), [], None));
        (add, held.into_iter().map(has).collect::<Vec<_>>())
    });
    let add = add.unwrap_or_else(|| TreeState::new(Vec::new(), []));
    let what = What::Scopes { add, remove: TreeState::new(held, []) };
    Form::new(ManyKeys { keys: keys.to_vec(), what }, look)
}

/// The form for a protection.
pub fn protection(look: &Look, keys: &[KeyId]) -> Form<ManyKeys> {
    let why = TextField::new("Why").placeholder("such as: run once a year, for the auditors");
    Form::new(ManyKeys { keys: keys.to_vec(), what: What::Protection(why) }, look)
}

fn sorted(scopes: &BTreeSet<ScopeId>, sign: char) -> Vec<String> {
    scopes.iter().map(|scope| format!("{sign} {scope}")).collect()
}

impl ManyKeys {
    /// What it comes to for one key, of what that is when it is looked at.
    fn means(&self) -> Result<Means, String> {
        Ok(match &self.what {
            What::End(end) => {
                let expiry = end.value().ok_or("say when they end")?;
                Box::new(move |key| Command::EditKey {
                    key: key.id,
                    change: KeyEdit { expiry, ..KeyEdit::of(key) },
                    basis: Some(Basis::of_key(key)),
                })
            }
            What::Scopes { add, remove } => {
                let (add, remove) = (add.ticked().clone(), remove.ticked().clone());
                if add.is_empty() && remove.is_empty() {
                    return Err("tick what is added, or on the second page what is taken away".to_owned());
                }
                Box::new(move |key| {
                    let kept = key.scopes.iter().filter(|scope| !remove.contains(*scope));
                    // What one has already it keeps.
                    let more = add.iter().filter(|scope| !key.scopes.contains(scope));
                    let scopes = kept.chain(more).map(ToString::to_string).collect();
                    Command::RescopeKey { key: key.id, scopes, basis: Some(Basis::of_key(key)) }
                })
            }
            What::Protection(why) => {
                let why = Note::new(why.text()).map_err(|why| why.to_string())?;
                Box::new(move |key| Command::ProtectKey { key: key.id, why: why.clone() })
            }
        })
    }

    /// What is done, in words.
    fn deal(&self, plan: &Plan, seen: &Seen<'_>) -> Deal {
        let deal = Deal {
            title: "Protect",
            verb: "Protect",
            danger: Danger::Safe,
            then: Vec::new(),
            done: "protected",
            undo: Some(("; u takes it back", "; u takes it back")),
            back: None,
            purse: None,
        };
        match &self.what {
            What::End(end) => {
                let sooner = plan.possible.iter().filter(|command| is_sooner(command, seen)).count();
                let mut then = vec![format!("Their end: {}. Their tokens stay the same.", end.field.note)];
                if sooner > 0 {
                    then.push(format!("For {sooner} of them that is sooner than now."));
                }
                let danger = if sooner > 0 { Danger::Dangerous } else { Danger::Safe };
                Deal {
                    title: "Change the end of",
                    verb: "Change",
                    danger,
                    then,
                    done: "given another end",
                    ..deal
                }
            }
            What::Scopes { add, remove } => {
                let gone = remove.ticked();
                let changes = [sorted(add.ticked(), '+'), sorted(gone, '-')].concat().join("  ");
                let mut then = vec![changes];
                if !gone.is_empty() {
                    let said = "Whoever needs what is taken away is refused from the next request on.";
                    then.push(said.to_owned());
                }
                let danger = if gone.is_empty() { Danger::Safe } else { Danger::Dangerous };
                Deal {
                    title: "Change the scopes of",
                    verb: "Change",
                    danger,
                    then,
                    done: "given other scopes",
                    ..deal
                }
            }
            What::Protection(why) => {
                let said = "They are never deleted for want of use, until somebody ends that. They still end at their end.";
                let then = vec![said.to_owned(), format!("Why: {}", why.text().trim())];
                Deal { then, back: Some("unprotect"), ..deal }
            }
        }
    }

    /// `12 keys`.
    fn count(&self) -> String {
        format!("{} keys", self.keys.len())
    }
}

/// Whether a key ends sooner by that than it does now.
fn is_sooner(command: &Command, seen: &Seen<'_>) -> bool {
    let Command::EditKey { key, change, .. } = command else { return false };
    let now = seen.view.key(*key).and_then(|key| key.expiry.instant());
    change.expiry.instant().is_some_and(|at| now.is_none_or(|now| at < now))
}

impl Asking for ManyKeys {
    fn manner(&self) -> Manner {
        let manner =
            Manner { does: "Go on", doing: "looking who uses them", labels: 6, ..Manner::small("many-keys") };
        match &self.what {
            What::End(_) => Manner { width: 84, ..manner },
            What::Scopes { .. } => Manner {
                width: WIDTH,
                labels: 0,
                tall: Some(u16::MAX),
                paging: Paging::Edits(&["1 Add", "2 Take away"]),
                ..manner
            },
            What::Protection(_) => manner,
        }
    }

    fn fields(&mut self) -> Pages<'_> {
        match &mut self.what {
            What::End(end) => vec![vec![end]],
            What::Scopes { add, remove } => vec![vec![add], vec![remove]],
            What::Protection(why) => vec![vec![why]],
        }
    }

    fn face(&self, look: &Look, _: Spot) -> Face {
        let count = self.count();
        match &self.what {
            What::End(_) => Face {
                title: format!("Change the end of {count}"),
                intro: "Counted from now, for each the same. Their tokens stay as they are.".to_owned(),
                ..Face::default()
            },
            What::Scopes { add, remove } => {
                let changes = [
                    (Role::Good, sorted(add.ticked(), '+').join("  ")),
                    (Role::Bad, sorted(remove.ticked(), '-').join("  ")),
                ];
                let mut lines: Vec<_> = changes.into_iter().filter(|(_, said)| !said.is_empty()).collect();
                if lines.is_empty() {
                    lines.push((Role::Dim, "nothing changed yet".to_owned()));
                }
                Face {
                    title: format!("Change the scopes of {count}"),
                    lines,
                    aside: scope_tree::count(look.engine.catalog(), add.ticked()),
                    ..Face::default()
                }
            }
            What::Protection(_) => Face {
                title: format!("Protect {count}"),
                intro: "They are never deleted for want of use, until somebody ends that. They still end at their end."
                    .to_owned(),
                ..Face::default()
            },
        }
    }

    fn check(&mut self, _: &Look, told: Told) -> Option<String> {
        if let What::Protection(why) = &mut self.what {
            let wrong = Note::new(why.text()).map_err(|why| why.to_string()).and_then(|note| {
                if note.as_str().is_empty() { Err(BadText::NoReason.to_string()) } else { Ok(()) }
            });
            why.error = wrong.err().filter(|_| told == Told::Whole);
        }
        None
    }

    fn submit(&mut self, _: &Look) -> Result<Job, String> {
        Ok(Job::Plan { keys: self.keys.clone(), means: self.means()? })
    }

    fn done(&mut self, answer: Answer, look: &Look, out: &mut Vec<Ask>) -> Heard {
        let Answer::Plan(plan) = answer else { return Heard::Close };
        let why = plan.left.first().map(|(_, why)| why.clone());
        let question = seen(look, |seen| {
            let deal = self.deal(&plan, seen);
            crowd::ask(*plan, deal, seen)
        });
        match question {
            Some(question) => Heard::Replace(Box::new(question)),
            // Whoever chose something else may still do that.
            None => {
                out.push(Ask::Say(why.unwrap_or_else(|| "there is no such key any more".to_owned())));
                Heard::Consumed
            }
        }
    }

    fn resume(&mut self, look: &Look) -> Return {
        if look.view(|view| self.keys.iter().any(|key| view.key(*key).is_some())) {
            return Return::Now;
        }
        out_of_sight(look, &format!("the form about {}", self.count()))
    }
}
