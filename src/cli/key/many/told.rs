//! What is told of many keys: before anything is done to them, and what was done and what not.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use super::{Crowd, Deed};
use crate::cli::Outcome;
use crate::cli::door::Deck;
use crate::cli::fault::Exit;
use crate::cli::key::lines;
use crate::cli::output::shown;
use crate::domain::name::first_few;
use crate::domain::{Key, KeyId, Timestamp};
use crate::engine::{Class, EngineError, Left, Many};

/// Keys that are named one by one before it is done.
const NAMED: usize = 10;

/// A key, for scripts, before anything is done to it.
#[derive(Serialize)]
struct KeyBrief<'a> {
    id: String,
    name: &'a str,
    hint: String,
    owner: &'a str,
    last_used_at: Option<String>,
}

/// A key to which it was not done, or would not be.
#[derive(Serialize)]
struct Refused<'a> {
    key: String,
    name: &'a str,
    code: &'a str,
    message: &'a str,
}

/// What would become of many.
#[derive(Serialize)]
struct Preview<'a> {
    found: usize,
    possible: usize,
    first: Vec<KeyBrief<'a>>,
    refused: Vec<Refused<'a>>,
}

/// What became of many.
#[derive(Serialize)]
struct Report<'a> {
    found: usize,
    done: Vec<String>,
    refused: Vec<Refused<'a>>,
    /// Left alone, because it was broken off.
    not_tried: usize,
    /// The verb that takes it back.
    undo: Option<&'static str>,
}

impl Crowd<'_> {
    /// What would become of them, and nothing is done.
    pub(super) fn foretell(&self, deck: &Deck, deed: Deed, would: &[Left]) -> Outcome {
        if deck.output.is_json() {
            let known: Vec<(String, Option<Timestamp>)> = self.signed.see(|view| {
                let known = |key: &Key| (view.owner_name(key).to_owned(), view.usage(key).last_used_at);
                self.keys.iter().take(NAMED).map(known).collect()
            });
            let first = self.keys.iter().zip(&known);
            let first = first.map(|(key, (owner, used))| KeyBrief::of(key, owner, *used)).collect();
            let (found, refused) = (self.keys.len(), self.refused(would));
            deck.output.value(&Preview { found, possible: found - would.len(), first, refused })?;
        } else {
            deck.output.text(&self.preview(deed, would))?;
            deck.output.say("Nothing was changed.");
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The count, the first of them, and which would stay as they are.
    pub(super) fn preview(&self, deed: Deed, would: &[Left]) -> String {
        let (now, found) = (self.signed.now(), self.keys.len());
        let mut text = match would.len() {
            0 => format!("{} would be {}\n", keys(found), deed.done),
            stay => format!("{}, {} of which would be {}\n", keys(found), found - stay, deed.done),
        };
        self.signed.see(|view| {
            for key in self.keys.iter().take(NAMED) {
                let (name, hint, owner) = (key.name.as_str(), key.hint(), view.owner_name(key));
                let used = lines::last_used(key, view, now);
                let _ = writeln!(text, "  {}", shown(&format!("{name}  {hint}  {owner}, last used {used}")));
            }
        });
        if found > NAMED {
            let _ = writeln!(text, "  and {} more", found - NAMED);
        }
        for line in self.reasons(would, ("would stay as it is", "would stay as they are")) {
            let _ = writeln!(text, "{line}");
        }
        text
    }

    /// Says what was done and what not, and why.
    pub(super) fn report(&self, deck: &Deck, deed: Deed, many: &Many) -> Outcome {
        let not_tried = many.untried();
        let undo = deed.undo.filter(|_| !many.done.is_empty());
        if deck.output.is_json() {
            let done = many.done.iter().map(ToString::to_string).collect();
            let (found, refused) = (self.keys.len(), self.refused(&many.left));
            let undo = undo.map(|(verb, _)| verb);
            deck.output.value(&Report { found, done, refused, not_tried, undo })?;
        } else {
            let ids: String = many.done.iter().map(|id| id.to_string() + "\n").collect();
            deck.output.text(&ids)?;
            deck.output.say(&self.said(deed, many, undo));
        }
        // That the store could not do it is no refusal by a rule.
        if let Some(Left { class, code, text, .. }) =
            many.left.iter().find(|left| left.class != Class::Refused)
        {
            return Err(EngineError::Remote { class: *class, code: code.clone(), text: text.clone() }.into());
        }
        let all = many.left.is_empty() && not_tried == 0;
        Ok(if all { ExitCode::SUCCESS } else { ExitCode::from(Exit::Refused as u8) })
    }

    fn said(&self, deed: Deed, many: &Many, undo: Option<(&str, &str)>) -> String {
        let are = if many.done.len() == 1 { "is" } else { "are" };
        let mut text = format!("{} {are} {}.", keys(many.done.len()), deed.done);
        for line in self.reasons(&many.left, ("is as it was", "are as they were")) {
            let _ = write!(text, "\n{line}");
        }
        if many.untried() > 0 {
            let _ = write!(text, "\nIt was broken off: {} not tried.", keys(many.untried()));
        }
        if let Some((verb, does)) = undo {
            let _ = write!(text, "\n`keydeck key {verb} --ids` with the ids above {does}.");
        }
        text
    }

    fn names(&self) -> HashMap<KeyId, &str> {
        self.keys.iter().map(|key| (key.id, key.name.as_str())).collect()
    }

    fn refused<'r>(&'r self, left: &'r [Left]) -> Vec<Refused<'r>> {
        let names = self.names();
        let one = |left: &'r Left| Refused {
            key: left.key.to_string(),
            name: names.get(&left.key).copied().unwrap_or_default(),
            code: &left.code,
            message: &left.text,
        };
        left.iter().map(one).collect()
    }

    /// Each reason once, with how many it holds for and the names of a few.
    fn reasons(&self, left: &[Left], (stays, stay): (&str, &str)) -> Vec<String> {
        let names = self.names();
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for left in left {
            let name = names.get(&left.key).copied().unwrap_or_default();
            match reasons.iter_mut().find(|(known, _)| *known == left.text) {
                Some((_, whose)) => whose.push(name),
                None => reasons.push((&left.text, vec![name])),
            }
        }
        let line = |(why, whose): (&str, Vec<&str>)| {
            let stay = if whose.len() == 1 { stays } else { stay };
            format!("{} {stay} ({}): {why}", whose.len(), first_few(whose.iter().copied()))
        };
        reasons.into_iter().map(line).collect()
    }
}

impl<'a> KeyBrief<'a> {
    fn of(key: &'a Key, owner: &'a str, used: Option<Timestamp>) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.as_str(),
            hint: key.hint(),
            owner,
            last_used_at: used.map(Timestamp::rfc3339),
        }
    }
}

/// `1 key`, `27 keys`.
pub(super) fn keys(count: usize) -> String {
    if count == 1 { "1 key".to_owned() } else { format!("{count} keys") }
}
