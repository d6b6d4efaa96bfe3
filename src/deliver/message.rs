//! What is sent: one JSON text for each recipient and sweep. It holds names that people typed, escaped as JSON does it, and
//! never a secret. `assets/guide/delivery.md` documents it.

use serde::Serialize;

use crate::domain::delivery::{Alarm, Matter, Pending, Recipient};
use crate::domain::lifecycle::clears_at;
use crate::domain::time::DAY_MS;
use crate::domain::{App, Extent, Key, Name, State, Timestamp, Trace};

/// Notices one message holds at most; how many more there are is said in it.
const LINES: usize = 100;

/// A message ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The same each time it is sent, and no other message's.
    pub id: String,
    /// When it is sent.
    pub at: Timestamp,
    /// Its JSON text.
    pub body: String,
}

#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    at: String,
    agency: &'a str,
    recipient: &'a str,
    recipient_kind: &'static str,
    notices: Vec<Line<'a>>,
    more: usize,
    test: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    what: &'static str,
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    name: Option<&'a str>,
    hint: Option<String>,
    owner: Option<&'a str>,
    /// Of a decoy that was presented.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    decoy: bool,
    when: String,
    days: Option<i64>,
    text: String,
}

impl Letter {
    /// The message that tells somebody of these notices.
    pub(super) fn of(id: String, at: Timestamp, to: &Recipient, state: &State, all: &[Pending]) -> Self {
        let lines = all.iter().take(LINES).map(|pending| line(state, *pending, at)).collect();
        let more = all.len().saturating_sub(LINES);
        Self::with(id, at, state, (to.name(), to.kind()), lines, more, false)
    }

    /// The message that tells an admin of what is wrong, each with why.
    pub(super) fn alarm(
        id: String,
        at: Timestamp,
        to: &Recipient,
        state: &State,
        all: &[(&Alarm, String)],
    ) -> Self {
        let lines = all.iter().map(|(alarm, why)| wrong(alarm, why)).collect();
        Self::with(id, at, state, (to.name(), to.kind()), lines, 0, false)
    }

    /// A message that says that it is a test.
    pub(super) fn trial(id: String, at: Timestamp, to: &str, state: &State) -> Self {
        let text = "This is a test of keydeck's notices. Nothing is due.".into();
        let when = at.rfc3339();
        let line = Line {
            what: "test",
            key: None,
            app: None,
            name: None,
            hint: None,
            owner: None,
            decoy: false,
            when,
            days: None,
            text,
        };
        Self::with(id, at, state, (to, "operator"), vec![line], 0, true)
    }

    fn with(
        id: String,
        at: Timestamp,
        state: &State,
        (recipient, recipient_kind): (&str, &'static str),
        notices: Vec<Line<'_>>,
        more: usize,
        test: bool,
    ) -> Self {
        let agency = state.agency_name();
        let body = Body { id: &id, at: at.rfc3339(), agency, recipient, recipient_kind, notices, more, test };
        let body = serde_json::json!(body).to_string();
        Self { id, at, body }
    }
}

fn wrong<'a>(alarm: &Alarm, why: &str) -> Line<'a> {
    let trouble = alarm.wrong.trouble;
    Line {
        what: trouble.code(),
        key: None,
        app: None,
        name: None,
        hint: None,
        owner: None,
        decoy: false,
        when: alarm.since.rfc3339(),
        days: None,
        text: format!("{}: {why}", trouble.words()),
    }
}

fn line(state: &State, pending: Pending, now: Timestamp) -> Line<'_> {
    let Pending { matter, when } = pending;
    let key = matter.key().and_then(|id| state.key(id));
    let app = matter.app().and_then(|id| state.app(id));
    let owner = key.map(|key| key.owner).or_else(|| app.map(|app| app.owner));
    let name = key.map(|key| &key.name).or_else(|| app.map(|app| &app.name)).map(Name::as_str);
    let hint = key.map(Key::hint).or_else(|| app.map(App::secret_hint));
    let called =
        name.zip(hint.as_deref()).map_or_else(String::new, |(name, hint)| format!("{name} ({hint})"));
    let left = days_left(when, now);
    let days = match matter {
        Matter::Unused(_)
        | Matter::Ends(_)
        | Matter::Deleted(_)
        | Matter::GraceEnds(_)
        | Matter::StillUsed(_)
        | Matter::SecretEnds(_)
        | Matter::SecretUsed(_) => Some(left),
        Matter::Held
        | Matter::LockedDown(_)
        | Matter::Ended(_)
        | Matter::Presented(_)
        | Matter::Restored(_)
        | Matter::Withdrawn(_) => None,
    };
    Line {
        what: matter.code(),
        key: key.map(|key| key.id.to_string()),
        app: app.map(|app| app.id.to_string()),
        name,
        hint,
        owner: owner.and_then(|id| state.operator(id)).map(|owner| owner.name.as_str()),
        decoy: matches!(matter, Matter::Presented(_)) && key.is_some_and(Key::is_laid),
        when: when.rfc3339(),
        days,
        text: in_words(state, pending, &called, now),
    }
}

/// Rounded up: nobody is told of less time than there is.
fn days_left(when: Timestamp, now: Timestamp) -> i64 {
    (when.since(now).max(0) + DAY_MS - 1) / DAY_MS
}

/// Who said so and why is for whoever signs in.
fn locked_down(state: &State, extent: Extent, since: Timestamp) -> String {
    let whose = match extent {
        Extent::Agency => "Every key and app of the agency is".to_owned(),
        Extent::Owner(id) => {
            format!("Every key and app of {} is", state.operator(id).map_or("?", |who| who.name.as_str()))
        }
        Extent::Location(id) => {
            let name = state.location(id).map_or("?", |location| location.name.as_str());
            format!("Every key of the location {name} is")
        }
        Extent::App(id) => {
            let name = state.app(id).map_or("?", |app| app.name.as_str());
            format!("The app {name}, with its keys and access tokens, is")
        }
    };
    format!("{whose} locked down since {since}: requests are refused until that is lifted.")
}

/// One sentence for whoever only passes it on.
fn in_words(state: &State, pending: Pending, key: &str, now: Timestamp) -> String {
    let when = pending.when;
    let within = |when| match days_left(when, now) {
        1 => "within a day".to_owned(),
        days => format!("in {days} days"),
    };
    match pending.matter {
        Matter::Held => match state.hold().keys.len() {
            1 => "1 deletion waits for the word of an admin.".into(),
            count => format!("{count} deletions wait for the word of an admin."),
        },
        Matter::LockedDown(extent) => locked_down(state, extent, when),
        Matter::Unused(_) => {
            format!(
                "{key} is deleted for want of use {}, on {when}, unless it is used, kept or protected.",
                within(when)
            )
        }
        Matter::Ends(_) => {
            format!("{key} ends {}, on {when}. Requests with it are refused from then on.", within(when))
        }
        Matter::GraceEnds(_) => {
            format!("Another key took over from {key}, which works until {when} and is refused from then on.")
        }
        Matter::StillUsed(_) => format!(
            "{key} is still used, though another key took over from it. It is refused from {when} on."
        ),
        Matter::SecretEnds(_) => format!(
            "Another secret took the place of that of {key}, which works until {when} and is refused from then on, with the \
             access tokens fetched with it."
        ),
        Matter::SecretUsed(_) => format!(
            "The old secret of {key} is still used, though another took its place. It is refused from {when} on, with the \
             access tokens fetched with it."
        ),
        Matter::Withdrawn(_) => {
            format!("What was told of {key} holds no more: it was used, kept, changed or stopped.")
        }
        Matter::Presented(id) => {
            let seen = state.trace(id).and_then(Trace::presented);
            let whence = seen.map_or_else(String::new, |seen| format!(", from {seen}"));
            if state.key(id).is_some_and(Key::is_laid) {
                return format!(
                    "{key} is a decoy, and somebody presents it: last on {when}{whence}. It is refused as if nobody had issued it. \
                     Who has it has been where they should not be."
                );
            }
            format!(
                "{key} was deleted, and somebody still presents it: last on {when}{whence}. It is refused."
            )
        }
        Matter::Restored(_) => {
            format!(
                "The record of {key}, which was deleted, was restored on {when}, as revoked. Its secret stays dead."
            )
        }
        Matter::Ended(id) => {
            let over = state.key(id);
            let clears = over.and_then(|over| clears_at(state.policy(), over, state.cycle(id), now));
            let clears = clears.filter(|at| now < *at).map_or_else(String::new, |at| {
                format!(" Its record is cleared away {}, on {at}.", within(at))
            });
            format!("{key} has ended on {when}. Requests with it are refused.{clears}")
        }
        Matter::Deleted(_) => {
            format!(
                "{key} was deleted for want of use. Its record can be restored, as revoked, until {when}."
            )
        }
    }
}
