//! What an audit entry says, as a person would say it. The trail keeps names of events and codes of refusals; here
//! they become words. A name this file does not know is shown as it is.

use crate::domain::audit::{Entry, Outcome};
use crate::domain::{CommandKind, Motive, Note, Why};
use crate::tui::widgets::text::sentence;

/// What happened, or was refused: `Revoked Nightly export`, `revoking Nightly export`. What was done comes first: a
/// narrow column cuts the end.
pub fn what(entry: &Entry) -> String {
    if let Some(denial) = entry.denial() {
        return denied(entry, denial);
    }
    match entry.outcome {
        Outcome::Done => match entry.unasked() {
            Some(why) => format!("{}: {why}", done(entry)),
            None => done(entry),
        },
        Outcome::Refused => match entry.refused_again() {
            Some(n) => format!("{} · {n}× more", wanted(entry)),
            None => wanted(entry),
        },
    }
}

/// `Denied 37× · revoked · Nightly export · last from 203.0.113.7`.
fn denied(entry: &Entry, denial: String) -> String {
    let from = entry.tries.as_ref().and_then(|tries| tries.address.as_ref());
    sentence(&match from {
        Some(address) => format!("{denial} · last from {address}"),
        None => denial,
    })
}

fn done(entry: &Entry) -> String {
    if entry.event == Entry::CARRIED {
        let records = entry.records.len();
        return format!("Said again who wrote {records} records last, whose entries leave the trail");
    }
    let Some(kind) = CommandKind::of_code(&entry.event) else { return entry.event.clone() };
    let plain = kind.spec().done.replace("{}", &name(entry));
    let many = entry.subjects.len();
    match (kind, entry.changes.first()) {
        (CommandKind::TrimAudit, Some(cut)) => format!("{plain}: up to {}", cut.to),
        (CommandKind::StartSession, Some(failed)) if failed.to == "1" => {
            format!("{plain}, after 1 failed attempt")
        }
        (CommandKind::StartSession, Some(failed)) => format!("{plain}, after {} failed attempts", failed.to),
        (CommandKind::AddOperator, Some(role)) => format!("{plain} as {}", role.to),
        (CommandKind::SetRole, Some(role)) => format!("{plain}: now {}, was {}", role.to, role.from),
        (CommandKind::SetSecret, _) if is_own(entry) => "Set their own passphrase".into(),
        (CommandKind::DisableOperator, change) => {
            // What becomes of the keys follows the word for the state.
            let keys = change.and_then(|c| c.to.strip_prefix("disabled")).unwrap_or_default();
            format!("{plain}{keys}{}", given(entry))
        }
        (CommandKind::AddLocations, _) if many > 1 => format!("Added {many} locations"),
        (CommandKind::RenameLocation, Some(name)) => format!("Renamed location {} to {}", name.from, name.to),
        (CommandKind::DeleteApp, _) if many == 2 => format!("{plain} and its key"),
        (CommandKind::DeleteApp, _) if many > 2 => format!("{plain} and {} keys", many - 1),
        (CommandKind::ConfirmClock, Some(clock)) => format!("{plain}: {}, was {}", clock.to, clock.from),
        (CommandKind::RevokeKey, Some(_)) => match motive(entry) {
            Some(why) => format!("{plain}: {why}"),
            None => plain,
        },
        (CommandKind::LockDown, Some(why)) => format!("{plain}: {}", why.to),
        (CommandKind::SetPolicy, Some(rule)) => {
            format!("Set policy {} to {}, was {}", rule.field, rule.to, rule.from)
        }
        _ => plain,
    }
}

/// Why a key was revoked: `leaked: it was in a screenshot`.
pub fn motive(entry: &Entry) -> Option<String> {
    let told =
        |field| entry.changes.iter().find(|change| change.field == field).map(|change| change.to.as_str());
    let why: Why = told(Motive::REASON)?.parse().ok()?;
    let because = told(Motive::BECAUSE).and_then(|words| Note::new(words).ok()).unwrap_or_default();
    Some(Motive { why, because }.to_string())
}

fn wanted(entry: &Entry) -> String {
    let Some(kind) = CommandKind::of_code(&entry.event) else { return entry.event.clone() };
    let name = if entry.subjects.is_empty() { "something they may not see".into() } else { name(entry) };
    kind.spec().wanted.replace("{}", &name)
}

/// Whom or what it is about.
fn name(entry: &Entry) -> String {
    if let Some((first, more @ 1..)) = entry.first_key_and_others() {
        return format!("{first} and {more} more");
    }
    entry.subjects.first().map_or_else(|| "?".into(), |subject| subject.name.clone())
}

fn is_own(entry: &Entry) -> bool {
    entry.subjects.first().is_some_and(|subject| subject.id == entry.actor.id)
}

/// The keys that went to somebody else, when an operator left.
fn given(entry: &Entry) -> String {
    let mut heirs = entry.changes.iter().filter(|change| change.field == "owner");
    let count = heirs.clone().count();
    match (heirs.next(), count) {
        (None, _) => String::new(),
        (Some(heir), 1) => format!(", 1 key given to {}", heir.to),
        (Some(heir), count) => format!(", {count} keys given to {}", heir.to),
    }
}

/// Why it was refused.
pub fn reason(code: Option<&str>) -> String {
    match code.unwrap_or("no reason given") {
        "recovery_only" => "signed in to set a passphrase only",
        "already_founded" => "the store was founded before",
        "app_without_keys" => "the app uses access tokens",
        "beyond_app" => "more than the app may do",
        "key_left_empty" => "a key would be left without scopes",
        "app_full" => "too many keys of the app",
        "bad_url" => "not a possible address",
        "url_list" => "too many addresses, or one twice",
        "name_taken" => "the name is taken",
        "bad_text" => "not a possible name",
        "quota_reached" => "too many live keys",
        "bad_scopes" => "impossible scopes",
        "no_scopes" => "no scopes chosen",
        "not_narrower" => "not fewer scopes than it has",
        "bad_report_only" => "for no time, or for too long",
        "no_report_only" => "not on report-only",
        "bad_sign_off" => "not what a sign-off can say",
        "bad_expiry" => "impossible expiry",
        "life_too_long" => "too long a life",
        "wrong_state" => "not in its state",
        "restore_too_late" => "deleted too long ago",
        "changed_meanwhile" => "changed by somebody else meanwhile",
        "no_change" => "nothing would change",
        "last_admin" => "last active admin",
        "bad_heir" => "not one who may own keys",
        "too_many_keys" => "too many keys at once",
        "one_by_one" => "more than the end of many keys",
        "bad_policy" => "not a possible value",
        "list_size" => "too many at once, or none",
        other => return other.replace('_', " "),
    }
    .into()
}

pub fn via(code: &str) -> &str {
    match code {
        "cli" => "command line",
        "server" => "the server",
        other => other,
    }
}

/// How they were signed in.
pub fn auth(code: &str) -> &str {
    match code {
        "keyfile" => "a key file",
        "passphrase" => "their passphrase",
        "recovery" => "the recovery code",
        "demo" => "nothing: the demo asks nobody",
        "service" => "nothing: nobody signed in",
        other => other,
    }
}

/// How far the session reached.
pub fn access(code: &str) -> &str {
    match code {
        "own" => "their own keys",
        "agency" => "the whole agency",
        "recovery" => "a new passphrase only",
        "service" => "what the server does on its own",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::domain::audit::{ActorLine, ChangeLine, SubjectLine};

    #[test]
    fn whatever_was_done_or_refused_is_told_in_words_and_not_as_a_code() {
        let actor = ActorLine::of("maria", "admin");
        let subject =
            SubjectLine { kind: "key".into(), id: "7HqP2mVx9KtR".into(), name: "Till".into(), owner: None };
        for code in CommandKind::ALL.iter().map(|kind| kind.spec().code) {
            for (outcome, subjects) in
                [(Outcome::Done, vec![subject.clone()]), (Outcome::Refused, Vec::new())]
            {
                let entry = Entry::of(actor.clone(), Timestamp(7), code);
                let said = what(&Entry { outcome, subjects, ..entry });
                assert!(
                    !said.contains(code) && said.contains(' ') || said.starts_with("Signed"),
                    "{code}: {said}"
                );
                assert!(!said.contains("7HqP2mVx9KtR"), "{said}");
            }
        }
    }

    #[test]
    fn that_the_grace_of_an_app_s_old_secret_is_over_does_not_read_as_if_the_app_had_ended() {
        let app =
            SubjectLine { kind: "app".into(), id: "7HqP2mVx9KtR".into(), name: "Bot".into(), owner: None };
        let keydeck = ActorLine::of("keydeck", "");
        let said = |kind: CommandKind| {
            let entry = Entry::of(keydeck.clone(), Timestamp(7), kind.spec().code);
            what(&Entry { outcome: Outcome::Done, subjects: vec![app.clone()], ..entry })
        };
        assert_eq!(said(CommandKind::EndGraces), "Ended the old secret of Bot, whose grace was over");
        let begun = "Counted the grace of Bot from the first use of its new secret";
        assert_eq!(said(CommandKind::StartGraces), begun);
    }

    #[test]
    fn one_failed_attempt_is_one() {
        let after = |failed: &str| {
            let at = ActorLine::of("maria", "admin");
            let mut entry = Entry::of(at, Timestamp(7), CommandKind::StartSession.spec().code);
            entry.changes = vec![ChangeLine {
                field: "failed attempts before".into(),
                from: "0".into(),
                to: failed.into(),
                of: None,
            }];
            what(&entry)
        };
        assert!(after("1").ends_with("after 1 failed attempt"));
        assert!(after("2").ends_with("after 2 failed attempts"));
    }
}
