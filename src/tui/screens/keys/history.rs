//! What happened to the selected key, from the audit trail. Read when the selection has rested for a moment, one
//! key at a time, because reading walks back through the trail.

use crate::{
    domain::{
        CommandKind, KeyId, Timestamp,
        audit::{Entry, Outcome},
    },
    engine::{
        AuditPage,
        audit_log::{Older, Told},
    },
    tui::{
        app::ask::{Ask, Job},
        clock::{Moment, Now},
        sight::{wanted::Wanted, words},
    },
};

const ENTRIES: usize = 30;

/// One line of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    pub at: Timestamp,
    /// What, in words: "paused by maria", "maria tried resuming it".
    pub what: String,
    /// What of it changed, in words; empty when the rest says all.
    pub detail: String,
    pub refused: bool,
    /// What the trail says of it; nothing of entries that are no longer in the store, which end the history.
    pub entry: Option<Entry>,
}

/// The history of one key, as far as it is known.
#[derive(Debug, Default)]
pub struct History(Wanted<KeyId, Vec<Happening>>);

impl History {
    /// The selection is on `key`.
    pub fn want(&mut self, key: Option<KeyId>, now: Now) {
        self.0.want(key, now);
    }

    /// Something happened somewhere: what is known may have grown.
    pub const fn outdate(&mut self) {
        self.0.outdate();
    }

    /// The history of `key`, when it is known.
    pub fn of(&self, key: KeyId) -> Option<&[Happening]> {
        self.0.of(&key).map(Vec::as_slice)
    }

    /// Asks for the history when it is time to.
    pub fn tick(&mut self, now: Now, out: &mut Vec<Ask>) {
        let asked = self.0.tick(now);
        out.extend(asked.map(|_| Ask::Do(Job::Audit { before: None, limit: ENTRIES, about: asked })));
    }

    /// When it wants a tick.
    pub fn wake_at(&self) -> Option<Moment> {
        self.0.wake_at()
    }

    /// A page of the trail came.
    pub fn take(&mut self, page: &AuditPage) {
        let older = page.older.as_deref().map(elsewhere);
        self.0.take(|key| {
            page.lines.iter().map(|line| happening(&line.entry.narrowed(key))).chain(older).collect()
        });
    }

    /// It could not be read; not asked for again until something changes.
    pub fn give_up(&mut self) {
        self.0.take(|_| Vec::new());
    }
}

/// Whether all that happened since then is among them.
pub fn reaches(history: &[Happening], since: Timestamp) -> bool {
    let ends = history.len() < ENTRIES && !is_cut(history);
    ends || history.last().is_some_and(|oldest| oldest.at < since)
}

/// Whether older entries are no longer in the store.
pub fn is_cut(history: &[Happening]) -> bool {
    history.last().is_some_and(|oldest| oldest.entry.is_none())
}

/// Where the entries are that are no longer in the store. Those that are begin at that time.
fn elsewhere(older: &Older) -> Happening {
    let what = match &older.told {
        Some(Told { file, by, first: Some(first), .. }) if *first > 1 => {
            format!("older entries, from {first} on, are in {file}, trimmed by {by}")
        }
        Some(Told { file, by, .. }) => format!("older entries are in {file}, trimmed by {by}"),
        None => "older entries were trimmed".to_owned(),
    };
    let at = older.before.or_else(|| older.told.as_ref().map(|told| told.at)).unwrap_or(Timestamp(0));
    Happening { at, what, detail: String::new(), refused: false, entry: None }
}

fn happening(entry: &Entry) -> Happening {
    let refused = entry.outcome == Outcome::Refused;
    let detail = if refused {
        entry.reason.as_deref().map_or_else(String::new, |code| words::reason(Some(code)))
    } else {
        let changes =
            entry.changes.iter().filter(|change| change.field == "scopes" && !change.from.is_empty());
        let changes = changes.map(|change| difference(&change.from, &change.to));
        let why = words::motive(entry);
        entry
            .unasked()
            .map(str::to_owned)
            .into_iter()
            .chain(why)
            .chain(changes)
            .collect::<Vec<_>>()
            .join(", ")
    };
    Happening { at: Timestamp(entry.at), what: became(entry), detail, refused, entry: Some(entry.clone()) }
}

/// What became of the key and through whom, or who wanted what of it in vain. A name that this keydeck does not know is
/// shown as it is.
fn became(entry: &Entry) -> String {
    let who = &entry.actor.name;
    if entry.event == Entry::DENIED {
        return format!("denied {}× by {who}", entry.tries.as_ref().map_or(1, |tries| tries.n));
    }
    let spec = CommandKind::of_code(&entry.event).map(CommandKind::spec);
    match entry.outcome {
        Outcome::Done => format!("{} by {who}", spec.map_or(entry.event.as_str(), |spec| spec.became)),
        Outcome::Refused => {
            let subject = entry.subjects.first().filter(|subject| subject.kind != "key");
            let name = subject.map_or("it", |subject| subject.name.as_str());
            let wanted = spec.map_or_else(|| entry.event.clone(), |spec| spec.wanted.replace("{}", name));
            format!("{who} tried {wanted}: refused")
        }
    }
}

/// What was added and removed between two lists as the trail writes them.
fn difference(from: &str, to: &str) -> String {
    let split = |text: &str| -> Vec<String> {
        text.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let (from, to) = (split(from), split(to));
    let added = to.iter().filter(|scope| !from.contains(scope)).map(|scope| format!("+{scope}"));
    let removed = from.iter().filter(|scope| !to.contains(scope)).map(|scope| format!("-{scope}"));
    added.chain(removed).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::audit::ActorLine;

    fn at(ms: u64) -> Now {
        Now { at: Moment::after_start(Duration::from_millis(ms)), utc_ms: 0 }
    }

    fn asked(history: &mut History, now: Now) -> usize {
        let mut out = Vec::new();
        history.tick(now, &mut out);
        out.len()
    }

    #[test]
    fn a_selection_in_motion_reads_nothing_and_a_resting_one_reads_once() {
        let (first, second): (KeyId, KeyId) =
            ("7HqP2mVx9KtR".parse().unwrap(), "7HqP2mVx9KtS".parse().unwrap());
        let mut history = History::default();
        history.want(Some(first), at(0));
        assert_eq!(asked(&mut history, at(50)), 0);
        history.want(Some(second), at(100));
        assert_eq!(asked(&mut history, at(150)), 0);
        assert_eq!(asked(&mut history, at(220)), 1);
        assert_eq!((asked(&mut history, at(900)), history.wake_at()), (0, None));
        history.take(&AuditPage::default());
        assert_eq!((history.of(second).map(<[_]>::len), history.of(first)), (Some(0), None));
        assert_eq!(asked(&mut history, at(2_000)), 0);
        history.outdate();
        assert_eq!(asked(&mut history, at(3_000)), 1);
    }

    fn entry(event: &str, outcome: Outcome, reason: Option<&str>) -> Happening {
        let entry = Entry::of(ActorLine::of("maria", "admin"), Timestamp(7), event);
        happening(&Entry { outcome, reason: reason.map(str::to_owned), ..entry })
    }

    #[test]
    fn a_key_that_was_taken_over_or_knocked_in_vain_has_a_history_in_words() {
        let line = |event: &str, outcome| entry(event, outcome, None).what;
        assert_eq!(line("key.import", Outcome::Done), "taken over by maria");
        assert_eq!(line("app.new-secret", Outcome::Done), "app given a new secret by maria");
        assert_eq!(line("app.delete", Outcome::Done), "revoked with its app by maria");
        assert_eq!(line(Entry::DENIED, Outcome::Refused), "denied 1× by maria");
        for kind in CommandKind::ALL {
            let code = kind.spec().code;
            assert!(!line(code, Outcome::Refused).contains(code), "{code}");
        }
    }

    #[test]
    fn nobody_is_said_to_have_knocked_where_the_history_ends_before_the_pause_began() {
        let denied = entry(Entry::DENIED, Outcome::Refused, Some("disabled"));
        let all = vec![denied; ENTRIES];
        assert!(!reaches(&all, Timestamp(7)) && reaches(&all[1..], Timestamp(7)));
        assert!(reaches(&all, Timestamp(8)), "it goes back to before the pause");
    }

    #[test]
    fn a_history_never_says_that_something_refused_was_done() {
        let told = entry("key.resume", Outcome::Refused, Some("wrong_state"));
        assert_eq!(told.what, "maria tried resuming it: refused");
        assert_eq!((told.detail.as_str(), told.refused), ("not in its state", true));
    }

    #[test]
    fn scopes_are_told_as_what_came_and_went() {
        assert_eq!(difference("a.read b.read", "a.read c.write"), "+c.write -b.read");
    }

    #[test]
    fn a_history_that_begins_in_a_file_does_not_pass_for_a_whole_one() {
        let cut = [elsewhere(&Older { upto: 9, before: Some(Timestamp(50)), told: None })];
        assert!(!reaches(&cut, Timestamp(40)) && reaches(&cut, Timestamp(60)));
        assert!(is_cut(&cut) && reaches(&[], Timestamp(40)));
    }
}
