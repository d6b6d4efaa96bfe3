//! What is told of many keys: before anything is done to them, and what was done and what not.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use super::{Crowd, Deed};
use crate::cli::Outcome;
use crate::cli::blast::{Crush, NamedLine, UseLine};
use crate::cli::door::Deck;
use crate::cli::fault::Exit;
use crate::cli::output::shown;
use crate::cli::times;
use crate::domain::KeyId;
use crate::domain::blast::many::Struck;
use crate::domain::name::first_few;
use crate::domain::undo::Undo;
use crate::engine::many::{Refused, Report};
use crate::engine::{EngineError, Left, Many, Stays};
use crate::tui::sight::radius;

/// What would become of many.
#[derive(Serialize)]
struct Preview {
    found: usize,
    possible: usize,
    #[serde(flatten)]
    used: UseLine,
    /// The ten that matter most: the busiest, then those used last.
    first: Vec<NamedLine>,
    refused: Vec<Refused>,
}

impl Crowd<'_> {
    /// What would become of them, and nothing is done.
    pub(super) fn foretell(&self, deck: &Deck, deed: Deed, would: &[Left]) -> Outcome {
        if deck.output.is_json() {
            let crush = self.crush();
            let (used, first) = (crush.use_line(), crush.first_lines(&self.signed));
            let (found, refused) = (self.keys.len(), self.refused(would));
            deck.output.value(&Preview { found, possible: found - would.len(), used, first, refused })?;
        } else {
            deck.output.text(&self.preview(deed, would))?;
            deck.output.say("Nothing was changed.");
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Who uses them.
    fn crush(&self) -> Crush {
        Crush::of(&self.signed, |view, now| Struck::of(view, &self.keys, [], now))
    }

    /// The count, how they are used, those that matter most, and which would stay as they are.
    pub(super) fn preview(&self, deed: Deed, would: &[Left]) -> String {
        let (now, found) = (self.signed.now(), self.keys.len());
        if found == 0 {
            return format!("{}\n", self.none());
        }
        let crush = self.crush();
        let mut text = match would.len() {
            0 => format!("{} would be {}\n", keys(found), deed.done),
            stay => format!("{}, {} of which would be {}\n", keys(found), found - stay, deed.done),
        };
        text.push_str(&crush.summary());
        let first = crush.first(&self.signed, |one| {
            let used = one.last.words(|at| times::relative(at, now));
            let from = one.caller.map_or_else(String::new, |caller| format!(" from {caller}"));
            let day = one.day.map_or_else(String::new, |day| {
                format!(", {} within 24 h", radius::requests(day.tally.allowed))
            });
            format!("{}  {}  {}, last used {used}{from}{day}", one.name, one.hint, one.owner)
        });
        for one in &first {
            let _ = writeln!(text, "  {}", shown(one));
        }
        let more = crush.struck.told().saturating_sub(first.len());
        if more > 0 {
            let _ = writeln!(text, "  and {more} more");
        }
        for line in self.reasons(would, |_| ("would stay as it is", "would stay as they are")) {
            let _ = writeln!(text, "{line}");
        }
        text
    }

    /// Says what was done and what not, and why.
    pub(super) fn report(&self, deck: &Deck, deed: Deed, many: &Many, undos: &[Undo]) -> Outcome {
        let undo = deed.undo.filter(|_| !many.done.is_empty());
        if deck.output.is_json() {
            let names = self.names();
            let report = Report::of(many, undo.map(|(verb, _)| verb), undos, |key| {
                names.get(&key).map(|name| (*name).to_owned())
            });
            deck.output.value(&report)?;
        } else {
            let ids: String = many.done.iter().map(|id| id.to_string() + "\n").collect();
            deck.output.text(&ids)?;
            let said = self.said(deed, many, undo);
            let way =
                "\nThe report with --json, given to `keydeck key undo`, takes back what was done to each.";
            deck.output.say(&format!("{said}{}", if undos.is_empty() { "" } else { way }));
        }
        if many.left.is_empty() && many.untried() == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        // What no rule refused ends it with its own code. What it says of itself is true of those that it is told of above.
        let failed = many.left.iter().find(|left| left.stays() != Stays::AsItWas || left.is_unkept());
        if let Some(Left { class, code, text, .. }) = failed {
            return Err(EngineError::Remote { class: *class, code: code.clone(), text: text.clone() }.into());
        }
        Ok(ExitCode::from(Exit::Refused as u8))
    }

    fn said(&self, deed: Deed, many: &Many, undo: Option<(&str, &str)>) -> String {
        let are = if many.done.len() == 1 { "is" } else { "are" };
        let mut text = format!("{} {are} {}.", keys(many.done.len()), deed.done);
        if let Some(kept) = many.kept() {
            let _ = write!(text, " Their tokens are {kept}; keydeck keeps only digests of them.");
        }
        for line in self.reasons(&many.left, |left| left.stays().words()) {
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

    fn refused(&self, left: &[Left]) -> Vec<Refused> {
        let names = self.names();
        let name = |key: KeyId| names.get(&key).map(|name| (*name).to_owned());
        left.iter().map(|left| Refused::of(left, name(left.key))).collect()
    }

    /// Each reason once, with how many it holds for and the names of a few.
    fn reasons(&self, left: &[Left], stays: impl Fn(&Left) -> (&'static str, &'static str)) -> Vec<String> {
        let names = self.names();
        let mut reasons: Vec<(&Left, Vec<&str>)> = Vec::new();
        for left in left {
            let name = names.get(&left.key).copied().unwrap_or_default();
            match reasons.iter_mut().find(|(known, _)| known.text == left.text) {
                Some((_, whose)) => whose.push(name),
                None => reasons.push((left, vec![name])),
            }
        }
        let line = |(left, whose): (&Left, Vec<&str>)| {
            let (one, several) = stays(left);
            let stay = if whose.len() == 1 { one } else { several };
            format!("{} {stay} ({}): {}", whose.len(), first_few(whose.iter().copied()), left.text)
        };
        reasons.into_iter().map(line).collect()
    }
}

/// `1 key`, `27 keys`.
pub(super) fn keys(count: usize) -> String {
    if count == 1 { "1 key".to_owned() } else { format!("{count} keys") }
}
