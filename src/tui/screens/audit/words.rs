//! What an audit entry says, as a person would say it. The trail keeps names of events and codes of refusals; here
//! they become words. A name this file does not know is shown as it is.

use crate::domain::audit::{ChangeLine, Entry, Outcome};
use crate::tui::overlays::small_form::sentence;

/// What happened, or was refused: `Revoked Nightly export`, `revoking Nightly export`. What was done comes first: a
/// narrow column cuts the end.
pub fn what(entry: &Entry) -> String {
    if let Some(denial) = entry.denial() {
        return denied(entry, denial);
    }
    match entry.outcome {
        Outcome::Done => done(entry),
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
    let name = name(entry);
    let change = entry.changes.first();
    match entry.event.as_str() {
        "store.found" => "Founded the store".into(),
        "session.start" => match change {
            Some(failed) => format!("Signed in, after {} failed attempts", failed.to),
            None => "Signed in".into(),
        },
        "session.end" => "Signed out".into(),
        "view.agency" => "Opened the whole-agency view".into(),
        "audit.read" => "Read the audit trail".into(),
        "audit.export" => "Exported the audit trail".into(),
        "operator.add" => {
            format!("Added operator {name}{}", change.map_or(String::new(), |c| format!(" as {}", c.to)))
        }
        "operator.role" => format!("Changed the role of {name}: {}", from_to(change)),
        "operator.passphrase" if is_own(entry) => "Set their own passphrase".into(),
        "operator.passphrase" => format!("Set the passphrase of {name}"),
        "operator.disable" => {
            // What becomes of the keys follows the word for the state.
            let keys = change.and_then(|c| c.to.strip_prefix("disabled")).unwrap_or_default();
            format!("Disabled {name}{keys}{}", given(entry))
        }
        "operator.enable" => format!("Enabled {name} again"),
        "recovery.renew" => "Renewed the recovery code".into(),
        "location.add" => match entry.subjects.len() {
            0 | 1 => format!("Added location {name}"),
            count => format!("Added {count} locations"),
        },
        "location.rename" => match change {
            Some(change) => format!("Renamed location {} to {}", change.from, change.to),
            None => format!("Renamed a location to {name}"),
        },
        "location.remove" => format!("Removed location {name}"),
        "key.issue" => format!("Issued {name}"),
        "key.import" => format!("Took over {name}, whose secret was made elsewhere"),
        "key.pause" => format!("Paused {name}"),
        "key.resume" => format!("Resumed {name}"),
        "key.revoke" => format!("Revoked {name}"),
        "key.delete" => format!("Deleted {name}"),
        "key.restore" => format!("Restored {name}, revoked"),
        "key.rescope" => format!("Changed the scopes of {name}"),
        "app.create" => format!("Created app {name}"),
        "app.edit" => format!("Changed app {name}"),
        "app.new-secret" => format!("Gave app {name} a new secret"),
        "app.pause" => format!("Paused app {name}"),
        "app.resume" => format!("Resumed app {name}"),
        "app.delete" => match entry.subjects.len() {
            0 | 1 => format!("Deleted app {name}"),
            2 => format!("Deleted app {name} and its key"),
            count => format!("Deleted app {name} and {} keys", count - 1),
        },
        "token.revoke" => format!("Revoked an access token of {name}"),
        "signing.rotate" => "Made the next key that signs access tokens".into(),
        "clock.confirm" => match change {
            Some(change) => format!("Said that the clock is right: {}, was {}", change.to, change.from),
            None => "Said that the clock is right".into(),
        },
        "policy.set" => match change {
            Some(change) => format!("Set policy {} to {}, was {}", change.field, change.to, change.from),
            None => "Changed the policy".into(),
        },
        other => other.into(),
    }
}

fn wanted(entry: &Entry) -> String {
    let name = if entry.subjects.is_empty() { "something they may not see".into() } else { name(entry) };
    match entry.event.as_str() {
        "view.agency" => "opening the whole-agency view".into(),
        "audit.read" => "reading the whole audit trail".into(),
        "audit.export" => "exporting the audit trail".into(),
        "operator.add" => "adding an operator".into(),
        "operator.role" => "changing a role".into(),
        "operator.passphrase" => "setting a passphrase".into(),
        "operator.disable" => "disabling an operator".into(),
        "operator.enable" => "enabling an operator".into(),
        "recovery.renew" => "renewing the recovery code".into(),
        "location.add" => "adding locations".into(),
        "location.rename" => "renaming a location".into(),
        "location.remove" => "removing a location".into(),
        "key.issue" => "issuing a key".into(),
        "key.import" => "taking over a key".into(),
        "key.pause" => format!("pausing {name}"),
        "key.resume" => format!("resuming {name}"),
        "key.revoke" => format!("revoking {name}"),
        "key.delete" => format!("deleting {name}"),
        "key.restore" => format!("restoring {name}"),
        "key.rescope" => format!("changing the scopes of {name}"),
        "app.create" => "creating an app".into(),
        "app.edit" => format!("changing app {name}"),
        "app.new-secret" => format!("giving app {name} a new secret"),
        "app.pause" => format!("pausing app {name}"),
        "app.resume" => format!("resuming app {name}"),
        "app.delete" => format!("deleting app {name}"),
        "token.revoke" => format!("revoking an access token of {name}"),
        "signing.rotate" => "making the next key that signs access tokens".into(),
        "clock.confirm" => "saying that the clock is right".into(),
        "policy.set" => "changing the policy".into(),
        "session.start" => "signing in".into(),
        "session.end" => "signing out".into(),
        "store.found" => "founding the store".into(),
        other => other.into(),
    }
}

/// Whom or what it is about.
fn name(entry: &Entry) -> String {
    entry.subjects.first().map_or_else(|| "?".into(), |subject| subject.name.clone())
}

fn is_own(entry: &Entry) -> bool {
    entry.subjects.first().is_some_and(|subject| subject.id == entry.actor.id)
}

fn from_to(change: Option<&ChangeLine>) -> String {
    change.map_or_else(|| "role changed".into(), |c| format!("now {}, was {}", c.to, c.from))
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
        "signed_out" => "signed out",
        "role_too_low" => "role too low",
        "recovery_only" => "signed in to set a passphrase only",
        "already_founded" => "the store was founded before",
        "no_such_key" => "no such key",
        "no_such_app" => "no such app",
        "app_without_keys" => "the app uses access tokens",
        "beyond_app" => "more than the app may do",
        "key_left_empty" => "a key would be left without scopes",
        "app_full" => "too many keys of the app",
        "bad_url" => "not a possible address",
        "url_list" => "too many addresses, or one twice",
        "no_such_location" => "no such location",
        "no_such_operator" => "no such operator",
        "name_taken" => "the name is taken",
        "bad_text" => "not a possible name",
        "quota_reached" => "too many live keys",
        "bad_scopes" => "impossible scopes",
        "no_scopes" => "no scopes chosen",
        "bad_expiry" => "impossible expiry",
        "life_too_long" => "too long a life",
        "wrong_state" => "not in its state",
        "restore_too_late" => "deleted too long ago",
        "changed_meanwhile" => "changed by somebody else meanwhile",
        "no_change" => "nothing would change",
        "last_admin" => "last active admin",
        "bad_heir" => "not one who may own keys",
        "too_many_keys" => "too many keys at once",
        "bad_policy" => "not a possible value",
        "list_size" => "too many at once, or none",
        other => return other.replace('_', " "),
    }
    .into()
}

/// Where from.
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
    use crate::domain::audit::{ActorLine, SubjectLine};

    #[test]
    fn whatever_was_done_or_refused_is_told_in_words_and_not_as_a_code() {
        let actor = ActorLine {
            id: "zzzzzzzzzzzz".into(),
            name: "maria".into(),
            role: "admin".into(),
            auth: "passphrase".into(),
            access: "own".into(),
            via: "console".into(),
            uid: 1,
            pid: 2,
            session: "s".into(),
        };
        let codes = "store.found session.start session.end view.agency audit.read audit.export operator.add \
                     operator.role operator.passphrase recovery.renew operator.disable operator.enable \
                     location.add location.rename location.remove key.issue key.import key.pause key.resume \
                     key.revoke key.delete key.restore key.rescope app.create app.edit app.new-secret app.pause \
                     app.resume app.delete token.revoke signing.rotate policy.set";
        let subject =
            SubjectLine { kind: "key".into(), id: "7HqP2mVx9KtR".into(), name: "Till".into(), owner: None };
        for code in codes.split_whitespace() {
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
}
