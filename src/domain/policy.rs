//! The agency's policy: numbers, permissions and names an admin may change, each with its bounds, its word on the
//! command line and a sentence for the settings screen. The table in [`Policy::RULES`] is the only list.

use minicbor::{Decode, Encode};

use super::signing::{Naming, PartyName, TOKEN_LIFE_MAX};
use super::time::MAX_LIFE_DAYS;
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
        }
    }
}

/// One line of the policy as people see it.
pub struct Rule {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it does, one sentence.
    pub about: &'static str,
    /// The values it takes, for errors and forms.
    pub form: &'static str,
    get: fn(&Policy) -> String,
    set: fn(&mut Policy, &str) -> Option<()>,
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

/// The word for the store's own name, and for what holds for all.
const DEFAULT: &str = "default";

fn number(text: &str, low: u32, high: u32) -> Option<u32> {
    let digits = text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty();
    text.parse().ok().filter(|n| digits && (low..=high).contains(n))
}

/// Days, or `none`'s word for no days at all.
fn days(text: &str, low: u32, high: u32, none: &str) -> Result<Option<u32>, ()> {
    if text == none {
        return Ok(None);
    }
    number(text.strip_suffix('d').unwrap_or(text), low, high).map(Some).ok_or(())
}

/// Days before an end, or none of one's own.
fn notice(text: &str) -> Result<Option<u32>, ()> {
    Ok(days(text, 1, 365, DEFAULT)?.and_then(Policy::notice))
}

fn show(value: Option<u32>, unit: &str, none: &str) -> String {
    value.map_or_else(|| none.to_owned(), |n| format!("{n}{unit}"))
}

/// A name, or `default` for the store's own.
fn party(text: &str, read: fn(&str) -> Option<PartyName>) -> Result<Option<PartyName>, ()> {
    if text == DEFAULT { Ok(None) } else { read(text).map(Some).ok_or(()) }
}

fn shown(name: Option<&PartyName>) -> String {
    name.map_or(DEFAULT, PartyName::as_str).to_owned()
}

fn issuer(text: &str) -> Option<Role> {
    text.parse().ok().filter(|r| *r >= Role::Manager)
}

/// An address other addresses begin with. It is pasted into shells and programs as it stands, so it may hold nothing
/// that means something there, which is less than a web address may.
fn base_url(text: &str) -> Option<Url> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".-_~:/%[]".contains(&b);
    let text = text.trim_end_matches('/');
    Url::new(text).ok().filter(|_| text.bytes().all(plain))
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

    /// Every rule, in the order people see them.
    pub const RULES: &'static [Rule] = &[
        Rule {
            name: "keys-per-operator",
            about: "Live keys one operator may own; expired and revoked ones do not count.",
            form: "a number from 1 to 10000",
            get: |p| p.keys_per_operator.to_string(),
            set: |p, v| {
                p.keys_per_operator = number(v, 1, 10_000)?;
                Some(())
            },
        },
        Rule {
            name: "default-life-agency",
            about: "Life of a new agency key when the form is left as it is.",
            form: "never or a number of days such as 365d, at most 3660d",
            get: |p| show(p.default_life_agency, "d", "never"),
            set: |p, v| {
                p.default_life_agency = days(v, 1, MAX_LIFE_DAYS, "never").ok()?;
                Some(())
            },
        },
        Rule {
            name: "default-life-location",
            about: "Life of a new location key when the form is left as it is.",
            form: "never or a number of days such as 365d, at most 3660d",
            get: |p| show(p.default_life_location, "d", "never"),
            set: |p, v| {
                p.default_life_location = days(v, 1, MAX_LIFE_DAYS, "never").ok()?;
                Some(())
            },
        },
        Rule {
            name: "default-life-app",
            about: "Life of a new app key when the form is left as it is.",
            form: "never or a number of days such as 365d, at most 3660d",
            get: |p| show(p.default_life_app, "d", "never"),
            set: |p, v| {
                p.default_life_app = days(v, 1, MAX_LIFE_DAYS, "never").ok()?;
                Some(())
            },
        },
        Rule {
            name: "max-life",
            about: "The longest life a new key may have; with a limit, no key may live for ever.",
            form: "none or a number of days such as 365d, at most 3660d",
            get: |p| show(p.max_life, "d", "none"),
            set: |p, v| {
                p.max_life = days(v, 1, MAX_LIFE_DAYS, "none").ok()?;
                Some(())
            },
        },
        Rule {
            name: "idle-days",
            about: "Days without use after which a sweep deletes a key, told of 15, 7 and 1 days before.",
            form: "off or a number of days from 16 to 3660, such as 90d",
            get: |p| show(p.idle_days, "d", "off"),
            set: |p, v| {
                p.idle_days = days(v, 16, MAX_LIFE_DAYS, "off").ok()?;
                Some(())
            },
        },
        Rule {
            name: "notice-days",
            about: "Days before expiry at which keydeck starts to warn.",
            form: "a number of days from 1 to 365, such as 7d",
            get: |p| format!("{}d", p.notice_days),
            set: |p, v| {
                p.notice_days = Policy::notice(number(v.strip_suffix('d').unwrap_or(v), 0, u32::MAX)?)?;
                Some(())
            },
        },
        Rule {
            name: "notice-days-agency",
            about: "The same for agency keys, unless a key has days of its own; default is as for all.",
            form: "default or a number of days from 1 to 365, such as 30d",
            get: |p| show(p.notice_days_agency, "d", DEFAULT),
            set: |p, v| {
                p.notice_days_agency = notice(v).ok()?;
                Some(())
            },
        },
        Rule {
            name: "notice-days-location",
            about: "The same for location keys, unless a key has days of its own; default is as for all.",
            form: "default or a number of days from 1 to 365, such as 30d",
            get: |p| show(p.notice_days_location, "d", DEFAULT),
            set: |p, v| {
                p.notice_days_location = notice(v).ok()?;
                Some(())
            },
        },
        Rule {
            name: "notice-days-app",
            about: "The same for app keys, unless a key has days of its own; default is as for all.",
            form: "default or a number of days from 1 to 365, such as 30d",
            get: |p| show(p.notice_days_app, "d", DEFAULT),
            set: |p, v| {
                p.notice_days_app = notice(v).ok()?;
                Some(())
            },
        },
        Rule {
            name: "issue-agency",
            about: "The least role that may issue agency keys.",
            form: "admin or manager",
            get: |p| p.issue_agency.to_string(),
            set: |p, v| {
                p.issue_agency = issuer(v)?;
                Some(())
            },
        },
        Rule {
            name: "issue-location",
            about: "The least role that may issue location keys.",
            form: "admin or manager",
            get: |p| p.issue_location.to_string(),
            set: |p, v| {
                p.issue_location = issuer(v)?;
                Some(())
            },
        },
        Rule {
            name: "issue-app",
            about: "The least role that may create apps and issue their keys.",
            form: "admin or manager",
            get: |p| p.issue_app.to_string(),
            set: |p, v| {
                p.issue_app = issuer(v)?;
                Some(())
            },
        },
        Rule {
            name: "token-seconds",
            about: "Life of an access token; short, since who checks it offline learns nothing of a revocation.",
            form: "a number of seconds from 60 to 3600",
            get: |p| p.token_seconds.to_string(),
            set: |p, v| {
                p.token_seconds = number(v, 60, TOKEN_LIFE_MAX)?;
                Some(())
            },
        },
        Rule {
            name: "signing-key-days",
            about: "Days after which the key that signs access tokens is replaced by the next.",
            form: "a number of days from 1 to 365, such as 30d",
            get: |p| format!("{}d", p.signing_key_days),
            set: |p, v| {
                p.signing_key_days = number(v.strip_suffix('d').unwrap_or(v), 1, 365)?;
                Some(())
            },
        },
        Rule {
            name: "base-url",
            about: "Where your platform answers: the examples under 'How to call' are written with it.",
            form: "none or an address such as https://api.acme.com",
            get: |p| p.base_url.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string),
            set: |p, v| {
                p.base_url = if v == "none" { None } else { Some(base_url(v)?) };
                Some(())
            },
        },
        Rule {
            name: "token-issuer",
            about: "Who issues access tokens, their claim iss; default is the store's own name, urn:keydeck:…",
            form: "default or an https address such as https://keys.example.com",
            get: |p| shown(p.token_names.now.issuer.as_ref()),
            set: |p, v| {
                p.token_names.now.issuer = party(v, PartyName::address).ok()?;
                Some(())
            },
        },
        Rule {
            name: "token-audience",
            about: "Whom access tokens are for, their claim aud; default is the store's own name.",
            form: "default or a name of visible ASCII characters without quotes, such as platform",
            get: |p| shown(p.token_names.now.audience.as_ref()),
            set: |p, v| {
                p.token_names.now.audience = party(v, PartyName::new).ok()?;
                Some(())
            },
        },
        Rule {
            name: "lock-minutes",
            about: "Minutes without a key press after which the console locks and forgets the store's key.",
            form: "off or a number of minutes from 1 to 1440",
            get: |p| show(p.lock_minutes, "", "off"),
            set: |p, v| {
                p.lock_minutes = if v == "off" { None } else { Some(number(v, 1, 1_440)?) };
                Some(())
            },
        },
    ];

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

#[cfg(test)]
mod tests {
    use super::super::{AppId, PublicId};
    use super::*;

    #[test]
    fn every_rule_reads_back_what_it_shows() {
        let policy = Policy::default();
        for rule in Policy::RULES {
            let shown = policy.get(rule.name).unwrap();
            assert_eq!(policy.with(rule.name, &shown), Ok(policy.clone()), "{} {shown}", rule.name);
        }
    }

    #[test]
    fn keys_of_a_kind_are_told_of_by_days_of_their_own() {
        let policy = Policy::default().with("notice-days-app", "30").unwrap();
        let app = Place::App(AppId(PublicId::NOBODY));
        assert_eq!([policy.notice_for(app), policy.notice_for(Place::Agency)], [30, 7]);
        let later = policy.with("notice-days", "14d").unwrap();
        assert_eq!([later.notice_for(app), later.notice_for(Place::Agency)], [30, 14]);
        let back = later.with("notice-days-app", "default").unwrap();
        assert_eq!([back.notice_for(app), back.notice_for(Place::Agency)], [14, 14]);
    }

    #[test]
    fn a_base_url_is_plain_enough_to_be_pasted_into_a_shell() {
        let policy = Policy::default();
        let set = |text| policy.with("base-url", text).map(|policy| policy.get("base-url").unwrap());
        assert_eq!(set("https://api.acme.com/crm/"), Ok("https://api.acme.com/crm".into()));
        assert_eq!(set("http://localhost:8080"), Ok("http://localhost:8080".into()));
        for bad in [
            "",
            "/",
            "api.acme.com",
            "http://api.acme.com",
            "https://u:p@api.acme.com",
            "https://api.acme.com/$(id)",
            "https://api.acme.com/'",
            "https://api.acme.com/?a=1",
            "https://api.acme.com/#x",
        ] {
            assert!(set(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_tokens_are_remembered_until_the_last_token_that_bears_them_is_over() {
        let (start, hour) = (Timestamp(1_790_000_000_000), (i64::from(TOKEN_LIFE_MAX) + 60) * 1_000);
        let named = |policy: &Policy, name: &str, at: i64| {
            policy.changed("token-audience", name, Timestamp(start.0 + at))
        };
        let former = |policy: &Policy| -> Vec<String> {
            policy.token_names.former.iter().map(|former| shown(former.names.audience.as_ref())).collect()
        };
        let first = named(&Policy::default(), "platform", 0).unwrap();
        let second = named(&first, "shop", 1_000).unwrap();
        assert_eq!(former(&second), ["default", "platform"]);
        assert_eq!(second.get("token-audience").unwrap(), "shop");
        // Another rule changes nothing about them.
        assert_eq!(second.changed("idle-days", "60d", start).unwrap().token_names, second.token_names);
        let third = named(&second, "platform", hour).unwrap();
        assert_eq!(former(&third), ["platform", "shop"], "the first is over");
        let back = named(&third, "shop", hour + 1).unwrap();
        assert_eq!(former(&back), ["shop", "platform"], "each once, until it is over for good");
        assert_eq!(back.token_names.former[1].until, Timestamp(start.0 + 2 * hour + 1));
        // However often it is changed, none is forgotten that a token may bear.
        let mut policy = Policy::default();
        for n in 0..16 {
            policy = named(&policy, &format!("name-{n}"), n).unwrap();
        }
        let often = BadPolicy::TooOften { after: Timestamp(start.0 + hour) };
        assert_eq!(named(&policy, "name-16", 16), Err(often));
        assert_eq!(former(&named(&policy, "name-16", hour).unwrap()).len(), 16);
        let long = "x".repeat(PartyName::MAX);
        assert!(named(&policy, &format!("{long}x"), hour).is_err() && named(&policy, &long, hour).is_ok());
    }

    #[test]
    fn a_policy_written_before_there_were_addresses_and_names_of_tokens_is_read() {
        let bytes = minicbor::to_vec(Policy::default()).unwrap();
        assert_eq!(bytes[0], 0x80 + 15);
        // Without the last two fields: a nothing, and the names, of which there are none.
        let end = bytes.len() - minicbor::to_vec(Naming::default()).unwrap().len() - 1;
        let mut old = bytes[..end].to_vec();
        old[0] -= 2;
        assert_eq!(minicbor::decode::<Policy>(&old).unwrap(), Policy::default());
        let with = Policy::default().with("base-url", "https://api.acme.com").unwrap();
        assert_eq!(minicbor::decode::<Policy>(&minicbor::to_vec(&with).unwrap()).unwrap(), with);
    }

    #[test]
    fn values_out_of_bounds_are_refused_with_what_fits() {
        let policy = Policy::default();
        for (name, value) in [
            ("keys-per-operator", "0"),
            ("keys-per-operator", "-1"),
            ("keys-per-operator", "+5"),
            ("keys-per-operator", "99999999999"),
            ("max-life", "0d"),
            ("max-life", "never"),
            ("idle-days", "15"),
            ("notice-days", ""),
            ("notice-days-app", "0d"),
            ("notice-days-app", "366d"),
            ("notice-days-app", "off"),
            ("issue-agency", "viewer"),
            ("lock-minutes", "never"),
            ("token-issuer", ""),
            ("token-issuer", "platform"),
            ("token-issuer", "http://keys.example.com"),
            ("token-issuer", "https://keys.example.com/?a=b"),
            ("token-issuer", "https://keys.example.com/#a"),
            ("token-issuer", "https://maria@keys.example.com"),
            ("token-audience", ""),
            ("token-audience", "two words"),
            ("token-audience", "a\"b"),
            ("token-audience", "a\\b"),
            ("token-audience", "é"),
        ] {
            assert!(matches!(policy.with(name, value), Err(BadPolicy::Value { .. })), "{name} {value}");
        }
        assert!(policy.with("quota", "1").unwrap_err().to_string().contains("keys-per-operator"));
    }
}
