//! What an edit is based on: a fingerprint of the values it is about to replace. An edit that carries one is refused
//! when these values are others by the time it is judged, so that nobody puts back unseen what somebody else took away.
//! Computed from what everybody sees of a record; values that change and change back are the same values.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

use super::{App, Extent, Key, Location, Lockdown, OperatorId, Refusal, Role, Status};

/// Values as somebody saw them. Scripts know it as the revision of a record: 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Basis(#[n(0)] u64);

impl Basis {
    /// What an edit of a key replaces.
    pub fn of_key(key: &Key) -> Self {
        Self::over("key", &key.id.to_string(), key.edited().map(|(_, value)| value))
    }

    /// All of a key that somebody may change by hand and change back: what an edit replaces, whose it is, whether it works
    /// and whether it is protected.
    pub fn of_whole_key(key: &Key) -> Self {
        let protected = key.protection.as_ref().map_or_else(String::new, |protection| {
            format!("{} {} {}", protection.word.by, protection.word.at.0, protection.why.as_str())
        });
        let (status, since) = match key.status {
            Status::Active => ("active", None),
            Status::Paused(at) => ("paused", Some(at)),
            Status::Revoked(at) => ("revoked", Some(at)),
            Status::Deleted(at) => ("deleted", Some(at)),
            Status::Purged(at) => ("purged", Some(at)),
        };
        // To the millisecond: as people read it, two within a second are one.
        let since = since.map_or_else(String::new, |at| at.0.to_string());
        let ends = key.pause_ends.map_or_else(String::new, |at| at.0.to_string());
        let tried = key.report_only.as_ref().map_or_else(String::new, |tried| tried.begun.0.to_string());
        let own = [key.owner.to_string(), status.to_owned(), since, ends, protected, tried];
        Self::over(
            "whole key",
            &key.id.to_string(),
            key.edited().map(|(_, value)| value).into_iter().chain(own),
        )
    }

    /// What an edit of an app replaces.
    pub fn of_app(app: &App) -> Self {
        Self::over("app", &app.id.to_string(), app.edited().map(|(_, value)| value))
    }

    /// What lifting a lockdown ends.
    pub fn of_lockdown(extent: Extent, lockdown: &Lockdown) -> Self {
        let Lockdown { since, by, why, .. } = lockdown;
        Self::over(
            "lockdown",
            &extent.id().unwrap_or_default(),
            [since.0.to_string(), by.to_string(), why.to_string()],
        )
    }

    /// What a new name of a location replaces.
    pub fn of_location(location: &Location) -> Self {
        Self::over("location", &location.id.to_string(), [location.name.to_string()])
    }

    /// What a new role of an operator replaces.
    pub fn of_role(operator: OperatorId, role: Role) -> Self {
        Self::over("operator", &operator.to_string(), [role.to_string()])
    }

    /// What a new value of a rule of the policy replaces.
    pub fn of_rule(rule: &str, value: &str) -> Self {
        Self::over("policy", rule, [value.to_owned()])
    }

    fn over(kind: &str, id: &str, values: impl IntoIterator<Item = String>) -> Self {
        let mut sum = Sha256::new();
        for part in [kind.to_owned(), id.to_owned()].into_iter().chain(values) {
            // With its length, so that no two lists of values read the same.
            sum.update((part.len() as u64).to_be_bytes());
            sum.update(part.as_bytes());
        }
        let sum: [u8; 32] = sum.finalize().into();
        Self(sum.iter().take(8).fold(0, |all, byte| all << 8 | u64::from(*byte)))
    }

    /// Refuses an edit that is based on something else than `now`; `what` it is about, and how that is now.
    pub(super) fn holds(
        based_on: Option<Self>,
        now: Self,
        what: impl FnOnce() -> (String, String),
    ) -> Result<(), Refusal> {
        if based_on.is_none_or(|basis| basis == now) {
            return Ok(());
        }
        let (what, now) = what();
        Err(Refusal::ChangedMeanwhile { what, now })
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Basis {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| digits);
        number.map(Self).ok_or("a revision is 16 hexadecimal digits, the `rev` of --json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_read_as_it_is_written_and_belongs_to_one_value_of_one_record() {
        let basis = Basis::of_rule("max-life", "90d");
        assert_eq!(basis.to_string().parse(), Ok(basis));
        assert_eq!(basis.to_string().len(), 16);
        for other in [Basis::of_rule("max-life", "91d"), Basis::of_rule("idle-days", "90d")] {
            assert_ne!(basis, other);
        }
        let two = |values: [&str; 2]| Basis::over("app", "1", values.map(str::to_owned));
        assert_ne!(two(["ab", "c"]), two(["a", "bc"]));
        for bad in ["", "90d", "0123456789abcdeg", "+123456789abcdef", "0123456789abcdef0"] {
            assert!(bad.parse::<Basis>().is_err(), "{bad}");
        }
    }
}
