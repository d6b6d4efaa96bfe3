//! What an action is about, said behind its words: `revoke nightly`, `rename Berlin`, `lock down jonas`, `filter expires<7d`,
//! `go nightly`. It leads to the action's own question about that one thing, and never does anything by itself.

use super::app_deeds::AppDeed;
use super::deeds::{self, Deed};
use super::jump::{Goal, Kind, Offer};
use super::seen::{Seen, seen};
use crate::domain::authorize::Action as Act;
use crate::domain::{Extent, KeyId};
use crate::tui::action::{Action, Reason};
use crate::tui::app::ask::{Errand, Tab, Thing};
use crate::tui::app::look::Look;

/// What is asked of a key. What is done without a question is not among it.
const OF_KEYS: [Action; 18] = [
    Action::Edit,
    Action::Duplicate,
    Action::Scopes,
    Action::Narrow,
    Action::ReportOnly,
    Action::Protect,
    Action::Pause,
    Action::Rotate,
    Action::Lost,
    Action::FinishGrace,
    Action::CancelRotation,
    Action::RotateAgain,
    Action::Transfer,
    Action::Revoke,
    Action::Delete,
    Action::Restore,
    Action::HowTo,
    Action::Watch,
];

/// What is asked of an app.
const OF_APPS: [Action; 13] = [
    Action::NewKey,
    Action::Edit,
    Action::Scopes,
    Action::Rotate,
    Action::Lost,
    Action::NewSecret,
    Action::FinishGrace,
    Action::CancelRotation,
    Action::RotateAgain,
    Action::Pause,
    Action::Delete,
    Action::HowTo,
    Action::Watch,
];

/// What is asked of a location.
const OF_LOCATIONS: [Action; 3] = [Action::Edit, Action::Delete, Action::Watch];

/// Words for actions beside their own, and which of two opposite things is meant by them.
const ALSO: [(&str, Action, Option<&str>); 11] = [
    ("pause", Action::Pause, Some("Pause")),
    ("resume", Action::Pause, Some("Resume")),
    ("protect", Action::Protect, Some("Protect")),
    ("unprotect", Action::Protect, Some("Unprotect")),
    ("rename", Action::Edit, None),
    ("extend", Action::Edit, None),
    ("remove", Action::Delete, None),
    ("rescope", Action::Scopes, None),
    ("transfer", Action::Transfer, None),
    ("replace", Action::Lost, None),
    ("lockdown", Action::LockDown, None),
];

/// A line that begins with words of something to do, and goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'l> {
    /// Go to what is called so, and nothing else.
    Go(&'l str),
    /// This filter line.
    Filter(&'l str),
    /// This, with what is called so; where two opposite things are meant by one verb, which.
    Do(Action, Option<&'static str>, &'l str),
}

impl<'l> Said<'l> {
    /// What a line says; `None` of one that only looks for something.
    pub fn of(line: &'l str) -> Option<Self> {
        for word in ["go", "go to", "open"].iter().rev() {
            if let Some(rest) = behind(line, word) {
                return Some(Self::Go(rest));
            }
        }
        if let Some(rest) = behind(line, Action::Filter.spec().word) {
            return Some(Self::Filter(rest.trim_end()));
        }
        for (word, action, meant) in ALSO {
            if let Some(rest) = behind(line, word) {
                return Some(Self::Do(action, meant, rest));
            }
        }
        let known = OF_KEYS.iter().chain(&OF_APPS).chain([&Action::LockDown]);
        known.copied().find_map(|action| {
            let (spec, spelt) = (action.spec(), action.spec().id.replace('-', " "));
            let rest = behind(line, spec.word).or_else(|| behind(line, &spelt))?;
            Some(Self::Do(action, None, rest))
        })
    }

    /// What is looked for.
    pub const fn sought(self) -> &'l str {
        match self {
            Self::Go(rest) | Self::Do(.., rest) => rest,
            Self::Filter(_) => "",
        }
    }

    /// What it leads to with something that was found; `None` where nothing of the kind is done with that.
    pub fn offer(self, found: &Offer, look: &Look) -> Option<Offer> {
        match self {
            Self::Go(_) => (found.goal.kind() != Kind::Action).then(|| found.clone()),
            Self::Filter(_) => None,
            Self::Do(Action::LockDown, ..) => lockdown(found, look),
            Self::Do(action, meant, _) => with(action, meant, found, look),
        }
    }

    /// The filter line, for the table of this tab, else for that of the agency keys.
    pub fn filtering(self, tab: Option<Tab>) -> Option<Offer> {
        let Self::Filter(line) = self else { return None };
        let tab = tab.filter(|tab| *tab != Tab::Settings).unwrap_or(Tab::Agency);
        let errand = Errand::Filter(line.to_owned());
        Some(Offer::there(Kind::Filter, tab, errand, line, tab.title()))
    }
}

/// What stands behind these words, where anything does.
fn behind<'l>(line: &'l str, words: &str) -> Option<&'l str> {
    let mut rest = line.trim_start();
    for word in words.split(' ') {
        let (first, more) = rest.split_once(char::is_whitespace)?;
        if !first.eq_ignore_ascii_case(word) {
            return None;
        }
        rest = more.trim_start();
    }
    (!rest.is_empty()).then_some(rest)
}

fn with(action: Action, meant: Option<&str>, found: &Offer, look: &Look) -> Option<Offer> {
    let thing = found.thing?;
    let (tab, does, may) = match thing {
        Thing::Key(key) if OF_KEYS.contains(&action) => {
            let Goal::There(_, tab, _) = found.goal else { return None };
            let (does, may) = seen(look, |seen| of_key(action, key, seen));
            (tab, does, may)
        }
        Thing::App(app) if OF_APPS.contains(&action) => {
            let deed = look.view(|view| view.app(app).and_then(|app| AppDeed::of(action, app)));
            (Tab::Apps, deed.map(AppDeed::verb), Ok(()))
        }
        Thing::Location(_) if OF_LOCATIONS.contains(&action) => (Tab::Locations, None, Ok(())),
        Thing::Key(_) | Thing::App(_) | Thing::Location(_) | Thing::Operator(_) => return None,
    };
    let other = does.filter(|does| meant.is_some_and(|meant| meant != *does));
    let may = look.permits(action).and(may).and(match other {
        Some(_) => Err(Reason::from("it is so already")),
        None => Ok(()),
    });
    let verb = match (does, meant) {
        (_, Some(meant)) => meant.to_owned(),
        (Some(does), None) => does.to_owned(),
        (None, None) => capital(action.spec().word),
    };
    let goal = Goal::With(action, tab, thing);
    Some(Offer { goal, name: format!("{verb}: {}", found.name), disabled: may.err(), ..found.clone() })
}

/// What that would be for a key, and whether it may be.
fn of_key(action: Action, key: KeyId, seen: &Seen<'_>) -> (Option<&'static str>, Result<(), Reason>) {
    let deed = seen.view.key(key).and_then(|key| Deed::of(action, &[key], seen));
    let does = deed.map(Deed::verb).or_else(|| (action == Action::Protect).then_some("Protect"));
    (does, deeds::enabled(action, &[key], seen))
}

fn lockdown(found: &Offer, look: &Look) -> Option<Offer> {
    let extent = match found.thing? {
        Thing::Key(_) => return None,
        Thing::App(app) => Extent::App(app),
        Thing::Location(location) => Extent::Location(location),
        Thing::Operator(operator) => Extent::Owner(operator),
    };
    let by =
        look.view(|view| view.lockdowns().iter().find(|(what, _)| *what == extent).map(|(_, how)| how.by));
    let act = by.map_or(Act::LockDown(extent), |by| Act::LiftLockdown(extent, by));
    let verb = if by.is_some() { "Lift the lockdown" } else { "Lock down" };
    let disabled = look.permits(Action::LockDown).and_then(|()| look.may(act)).err();
    let name = format!("{verb}: {}", found.name);
    Some(Offer { goal: Goal::LockDown(extent), name, disabled, ..found.clone() })
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_done_stands_before_what_it_is_about() {
        for (line, said) in [
            ("revoke nightly", Said::Do(Action::Revoke, None, "nightly")),
            ("REVOKE  Nightly export", Said::Do(Action::Revoke, None, "Nightly export")),
            ("pause nightly", Said::Do(Action::Pause, Some("Pause"), "nightly")),
            ("resume nightly", Said::Do(Action::Pause, Some("Resume"), "nightly")),
            ("report only nightly", Said::Do(Action::ReportOnly, None, "nightly")),
            ("take back nightly", Said::Do(Action::CancelRotation, None, "nightly")),
            ("cancel rotation nightly", Said::Do(Action::CancelRotation, None, "nightly")),
            ("lock down berlin", Said::Do(Action::LockDown, None, "berlin")),
            ("filter expires<7d OR Used:never ", Said::Filter("expires<7d OR Used:never")),
            ("go to berlin", Said::Go("berlin")),
            ("go berlin", Said::Go("berlin")),
        ] {
            assert_eq!(Said::of(line), Some(said), "{line}");
        }
        for line in
            ["revoke", "revoke ", "nightly revoke", "revoked nightly", "theme light", "keep nightly", ""]
        {
            assert_eq!(Said::of(line), None, "{line}");
        }
    }
}
