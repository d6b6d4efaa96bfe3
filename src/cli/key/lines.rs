//! A key as JSON, the shape scripts rely on, and as a row and a page of text.

use serde::Serialize;

use crate::cli::handover::HandedOver;
use crate::cli::report_only::ReportOnlyLine;
use crate::cli::table::{Cell, Tone};
use crate::cli::times;
use crate::cli::usage::UseLine;
use crate::domain::basis::Basis;
use crate::domain::knock::Knock;
use crate::domain::trace::{Agent, Sighting};
use crate::domain::{Contact, Grounds, Key, KeyState, Reason, Status, Timestamp, Trace, View};
use crate::engine::Unwritten;

/// A key in JSON.
#[derive(Serialize)]
pub struct KeyLine<'a> {
    id: String,
    kind: &'static str,
    name: &'a str,
    hint: String,
    state: &'static str,
    /// That it is a decoy; absent of any other.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    decoy: bool,
    /// Why a request with it is refused, in the word of `keydeck verify`; null when it works.
    refused: Option<&'static str>,
    owner: &'a str,
    location: Option<&'a str>,
    app: Option<&'a str>,
    scopes: Vec<&'a str>,
    created_at: String,
    last_used_at: Option<String>,
    /// Of a key of which no use is known, since when none was lost; absent where that says no more than that it is null.
    #[serde(skip_serializing_if = "Option::is_none")]
    uses_known_since: Option<String>,
    use_count: u64,
    last_used_from: Option<String>,
    last_used_agent: Option<&'a str>,
    scopes_used: Vec<ScopeUsed<'a>>,
    /// How it was used over time; absent but where one key is shown.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub over_time: Option<UseLine>,
    first_used_at: Option<String>,
    /// How its token was handed over; null where it was shown.
    handed_over: Option<HandedOver>,
    expires_at: Option<String>,
    /// That fewer scopes are tried on it; absent of most keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report_only: Option<ReportOnlyLine<'a>>,
    /// When a sweep resumes it, of a key that is paused for some time.
    resumes_at: Option<String>,
    /// Of a decoy, or of a key that was deleted: who presented it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    presented: Option<Presented<'a>>,
    /// Who presented it while it was paused; absent in lists, and of a key that has not been lately.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knocked: Option<Vec<KnockLine>>,
    /// The key it took over from.
    succeeds: Option<String>,
    /// The key that took over from it.
    superseded_by: Option<String>,
    /// When the old half of its rotation ends, on either half; null also while that waits for the first use of the new one.
    grace_ends_at: Option<String>,
    deletes_at: Option<String>,
    /// When its record is cleared away, of an expired key for which the policy has days; absent of any other.
    #[serde(skip_serializing_if = "Option::is_none")]
    clears_at: Option<String>,
    protected: Option<Protected<'a>>,
    /// Of a key that somebody revoked.
    revoked: Option<Revoked<'a>>,
    /// What the state says is in force and waits for a disk that fails; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    not_written_yet: bool,
    contacts: Vec<&'a str>,
    note: &'a str,
    rev: String,
}

/// That idleness never deletes it.
#[derive(Serialize)]
struct Protected<'a> {
    why: &'a str,
    by: &'a str,
    since: String,
}

/// That it was stopped for good, and why.
#[derive(Serialize)]
struct Revoked<'a> {
    reason: &'static str,
    because: &'a str,
    since: String,
}

impl<'a> Revoked<'a> {
    fn of(key: &'a Key) -> Option<Self> {
        let Status::Revoked(at) = key.status else { return None };
        let (why, because) =
            key.motive.as_ref().map(|told| (told.why, told.because.as_str())).unwrap_or_default();
        Some(Self { reason: why.code(), because, since: at.rfc3339() })
    }
}

/// Refused requests of one caller.
#[derive(Serialize)]
pub struct KnockLine {
    from: Option<String>,
    agent: Option<String>,
    count: u64,
    first_at: String,
    last_at: String,
}

impl From<Knock> for KnockLine {
    fn from(knock: Knock) -> Self {
        let Knock { address, agent, count, first, last } = knock;
        Self { from: address, agent, count, first_at: first.rfc3339(), last_at: last.rfc3339() }
    }
}

/// A request with a key that opens nothing.
#[derive(Serialize)]
struct Presented<'a> {
    at: String,
    from: Option<String>,
    agent: Option<&'a str>,
}

impl<'a> Presented<'a> {
    fn of(seen: &'a Sighting) -> Self {
        let from = seen.address.map(|address| address.to_string());
        Self { at: seen.at.rfc3339(), from, agent: seen.agent.as_ref().map(Agent::as_str) }
    }
}

/// A scope that was needed.
#[derive(Serialize)]
struct ScopeUsed<'a> {
    scope: &'a str,
    last_used_at: String,
}

impl<'a> KeyLine<'a> {
    /// The key as the view shows it.
    pub fn of(key: &'a Key, view: View<'a>, unwritten: &Unwritten, grounds: Grounds) -> Self {
        let now = grounds.now;
        let usage = view.usage(key);
        let trace = view.trace(key);
        // Of the last use itself: an older request's address would be a wrong answer.
        let seen = trace.and_then(|trace| trace.of_last_use(usage));
        let used = trace.map(Trace::scopes).unwrap_or_default();
        Self {
            id: key.id.to_string(),
            kind: key.place.kind(),
            name: key.name.as_str(),
            hint: key.hint(),
            state: key.state(now).as_str(),
            decoy: key.is_decoy(),
            refused: view.refused(key, now).map(Reason::code),
            owner: view.owner_name(key),
            location: view.place_name(key.place).filter(|_| key.place.location().is_some()),
            app: view.place_name(key.place).filter(|_| key.place.app().is_some()),
            scopes: key.scopes.iter().map(crate::domain::ScopeId::as_str).collect(),
            created_at: key.created_at.rfc3339(),
            last_used_at: usage.last_used_at.map(Timestamp::rfc3339),
            uses_known_since: view.last_use(key).known_since().map(Timestamp::rfc3339),
            use_count: usage.count,
            last_used_from: seen.and_then(|seen| seen.address).map(|address| address.to_string()),
            last_used_agent: seen.and_then(|seen| seen.agent.as_ref()).map(Agent::as_str),
            scopes_used: used
                .iter()
                .map(|used| ScopeUsed { scope: used.scope.as_str(), last_used_at: used.at.rfc3339() })
                .collect(),
            over_time: None,
            first_used_at: usage.first_used_at.map(Timestamp::rfc3339),
            handed_over: key.handed.as_deref().map(HandedOver::from),
            expires_at: key.expiry.instant().map(Timestamp::rfc3339),
            report_only: ReportOnlyLine::of(key, view, now, None),
            resumes_at: key.resumes_at().map(Timestamp::rfc3339),
            presented: trace.and_then(Trace::presented).map(Presented::of),
            knocked: None,
            succeeds: key.succeeds.map(|id| id.to_string()),
            superseded_by: key.superseded.as_ref().map(|how| how.by.to_string()),
            grace_ends_at: view.old_half(key, now).unwrap_or(key).grace_ends().map(Timestamp::rfc3339),
            deletes_at: view.deletes_at(key, grounds).map(Timestamp::rfc3339),
            clears_at: view.clears_at(key, now).map(Timestamp::rfc3339),
            protected: key.protection.as_ref().map(|p| Protected {
                why: p.why.as_str(),
                by: view.name_of(p.word.by),
                since: p.word.at.rfc3339(),
            }),
            revoked: Revoked::of(key),
            not_written_yet: unwritten.concerns(key.id),
            contacts: key.contacts.iter().flat_map(|contacts| contacts.iter()).map(Contact::as_str).collect(),
            note: key.note.as_str(),
            rev: Basis::of_key(key).to_string(),
        }
    }
}

/// What the old half of a rotation does beside the new one, as long as it works: `old half ends in 3 d`.
pub fn beside(key: &Key, view: View<'_>, now: Timestamp) -> Option<String> {
    let old = view.old_half(key, now)?;
    Some(match old.grace_ends() {
        Some(at) => format!("old half ends {}", times::relative(at, now)),
        None => "old half waits for the first use".into(),
    })
}

/// Why a key is refused that neither people nor time have stopped: by its owner, its location or its app.
pub fn stopped(key: &Key, view: View<'_>, now: Timestamp) -> Option<Reason> {
    let stopped = view.refused(key, now).filter(|_| key.state(now).is_live());
    stopped.filter(|reason| !matches!(reason, Reason::Disabled | Reason::Decoy))
}

/// The state by glyph and word, so that neither colour nor font is needed to read it.
pub fn state(key: &Key, view: View<'_>, unwritten: &Unwritten, grounds: Grounds) -> Cell {
    let now = grounds.now;
    let state = key.state(now);
    let old = beside(key, view, now).map_or_else(String::new, |old| format!(" ↻ {old}"));
    if let Some(reason) = stopped(key, view, now) {
        return Cell::toned(format!("✕ {}{old}", reason.brief()), Tone::Bad);
    }
    if state == KeyState::Active && key.is_decoy() {
        return Cell::toned("◇ decoy", Tone::Faint);
    }
    if state == KeyState::Active && key.expires_soon(view.policy(), now).is_some() {
        return Cell::toned(format!("▲ expires soon{old}"), Tone::Warn);
    }
    if let Some((at, _)) = view.deletion(key, grounds) {
        let when = if at <= now { "at the next sweep".to_owned() } else { times::relative(at, now) };
        return Cell::toned(format!("◐ deleted {when}"), Tone::Warn);
    }
    let (glyph, tone) = match state {
        KeyState::Active => ('●', Tone::Good),
        KeyState::Paused => ('‖', Tone::Warn),
        KeyState::Superseded if key.status != Status::Active => ('‖', Tone::Warn),
        KeyState::Superseded => ('↻', Tone::Faint),
        KeyState::Expired => ('○', Tone::Bad),
        KeyState::Revoked => ('✕', Tone::Bad),
        KeyState::Deleted => ('✕', Tone::Faint),
    };
    let left = if unwritten.concerns(key.id) { ", not written yet" } else { "" };
    let word = match (state, key.status) {
        (KeyState::Superseded, Status::Paused(_)) => "superseded, paused",
        (KeyState::Revoked, _) if key.superseded.is_some() => "rotated away",
        (state, _) => state.as_str(),
    };
    Cell::toned(format!("{glyph} {word}{left}{old}"), tone)
}

/// When it was used last, in a word or two.
pub fn last_used(key: &Key, view: View<'_>, now: Timestamp) -> String {
    view.last_use(key).brief(|at| times::relative(at, now))
}
