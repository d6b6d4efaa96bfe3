//! The agency's policy: numbers, permissions and names an admin may change, each with its bounds, its word on the
//! command line and a sentence for the settings screen. The table in [`Policy::RULES`] is the only list.

mod rules;
#[cfg(test)]
mod tests;

use minicbor::{Decode, Encode};

pub use self::rules::Rule;

use super::signing::Naming;
use super::{Place, Role, Timestamp, Url};

/// The rules in force. Lives are in days; `None` is "never" or "no limit".
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Policy {
    /// Live keys one operator may own.
    #[n(0)]
    pub keys_per_operator: u32,
    /// Life of a new agency key when none is asked for.
    #[n(1)]
    pub default_life_agency: Option<u32>,
    /// Life of a new location key when none is asked for.
    #[n(2)]
    pub default_life_location: Option<u32>,
    /// The longest life that may be asked for; with a limit, never is refused.
    #[n(3)]
    pub max_life: Option<u32>,
    /// Days without use after which a key counts as idle.
    #[n(4)]
    pub idle_days: Option<u32>,
    /// Days before expiry at which keydeck starts to warn.
    #[n(5)]
    pub notice_days: u32,
    /// The least role that may issue agency keys.
    #[n(6)]
    pub issue_agency: Role,
    /// The least role that may issue location keys.
    #[n(7)]
    pub issue_location: Role,
    /// Minutes without a key press after which the console locks itself.
    #[n(8)]
    pub lock_minutes: Option<u32>,
    /// The least role that may create apps and issue their keys.
    #[n(9)]
    pub issue_app: Role,
    /// Life of a new app key when none is asked for.
    #[n(10)]
    pub default_life_app: Option<u32>,
    /// Life of an access token, in seconds.
    #[n(11)]
    pub token_seconds: u32,
    /// Days after which the key that signs access tokens is replaced.
    #[n(12)]
    pub signing_key_days: u32,
    /// Where the platform answers, without a slash at its end: for examples.
    #[n(13)]
    pub base_url: Option<Url>,
    /// The names access tokens are issued under.
    #[cbor(n(14), default)]
    pub token_names: Naming,
    /// Days before the end of an agency key at which keydeck starts to warn, where they are others than `notice_days`.
    #[n(15)]
    pub notice_days_agency: Option<u32>,
    /// The same for location keys.
    #[n(16)]
    pub notice_days_location: Option<u32>,
    /// The same for app keys.
    #[n(17)]
    pub notice_days_app: Option<u32>,
    /// Days after its end at which the record of an expired key is cleared away.
    #[n(18)]
    pub ended_days: Option<u32>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            keys_per_operator: 20,
            default_life_agency: None,
            default_life_location: None,
            max_life: None,
            idle_days: Some(90),
            notice_days: 7,
            issue_agency: Role::Admin,
            issue_location: Role::Manager,
            lock_minutes: Some(15),
            issue_app: Role::Admin,
            default_life_app: Some(365),
            token_seconds: 600,
            signing_key_days: 30,
            base_url: None,
            token_names: Naming::default(),
            notice_days_agency: None,
            notice_days_location: None,
            notice_days_app: None,
            ended_days: None,
        }
    }
}

/// Why a policy value is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPolicy {
    /// No rule of that name.
    #[error("there is no policy called {name}; the names are {}", names())]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// Not a value the rule takes.
    #[error("{name} takes {form}")]
    Value {
        /// The rule.
        name: &'static str,
        /// What it takes.
        form: &'static str,
    },
    /// Names of access tokens were changed too often.
    #[error(
        "the names of access tokens were changed too often: tokens issued under each must stay good. Change them again \
         after {}",
        .after.rfc3339()
    )]
    TooOften {
        /// When there is room for another change.
        after: Timestamp,
    },
}

fn names() -> String {
    Policy::RULES.iter().map(|r| r.name).collect::<Vec<_>>().join(", ")
}

impl Policy {
    /// Days before an end at which it may be told of.
    pub fn notice(days: u32) -> Option<u32> {
        Some(days).filter(|days| (1..=365).contains(days))
    }

    /// Days before its end at which a key of this place is told of, unless it has days of its own.
    pub const fn notice_for(&self, place: Place) -> u32 {
        let own = match place {
            Place::Agency => self.notice_days_agency,
            Place::Location(_) => self.notice_days_location,
            Place::App(_) => self.notice_days_app,
        };
        match own {
            Some(days) => days,
            None => self.notice_days,
        }
    }

    /// The value of a rule as text, in the form [`Policy::with`] reads.
    pub fn get(&self, name: &str) -> Option<String> {
        Self::RULES.iter().find(|r| r.name == name).map(|r| (r.get)(self))
    }

    /// The policy with one rule changed, and what must follow from that at `now`.
    pub fn changed(&self, name: &str, value: &str, now: Timestamp) -> Result<Self, BadPolicy> {
        let mut after = self.with(name, value)?;
        let names = std::mem::take(&mut after.token_names);
        after.token_names =
            names.following(&self.token_names, now).map_err(|after| BadPolicy::TooOften { after })?;
        Ok(after)
    }

    /// The policy with one rule changed, and nothing else: whether a value fits.
    pub fn with(&self, name: &str, value: &str) -> Result<Self, BadPolicy> {
        let rule = Self::RULES
            .iter()
            .find(|r| r.name == name)
            .ok_or_else(|| BadPolicy::Unknown { name: name.chars().take(64).collect() })?;
        let mut changed = self.clone();
        (rule.set)(&mut changed, value.trim())
            .ok_or(BadPolicy::Value { name: rule.name, form: rule.form })?;
        Ok(changed)
    }
}
