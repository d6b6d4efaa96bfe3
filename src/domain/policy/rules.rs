//! The table of rules: each with its bounds, its word on the command line and a sentence for the settings screen.

use super::Policy;
use crate::domain::signing::{PartyName, TOKEN_LIFE_MAX};
use crate::domain::time::MAX_LIFE_DAYS;
use crate::domain::{Role, Url};

/// One line of the policy as people see it.
pub struct Rule {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is called on a screen, before its value.
    pub title: &'static str,
    /// What it does, one sentence.
    pub about: &'static str,
    /// The values it takes, for errors and forms.
    pub form: &'static str,
    pub(super) get: fn(&Policy) -> String,
    pub(super) set: fn(&mut Policy, &str) -> Option<()>,
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

pub(super) fn shown(name: Option<&PartyName>) -> String {
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
    /// Every rule, in the order people see them.
    pub const RULES: &'static [Rule] = &[
        Rule {
            name: "keys-per-operator",
            title: "Keys per operator",
            about: "Live keys one operator may own; expired and revoked ones do not count.",
            form: "a number from 1 to 1000000",
            get: |p| p.keys_per_operator.to_string(),
            set: |p, v| {
                p.keys_per_operator = number(v, 1, 1_000_000)?;
                Some(())
            },
        },
        Rule {
            name: "default-life-agency",
            title: "Life of agency keys",
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
            title: "Life of location keys",
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
            title: "Life of app keys",
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
            title: "Longest life",
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
            title: "Unused until deleted",
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
            title: "Notice of an end",
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
            title: "Notice, agency keys",
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
            title: "Notice, location keys",
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
            title: "Notice, app keys",
            about: "The same for app keys, unless a key has days of its own; default is as for all.",
            form: "default or a number of days from 1 to 365, such as 30d",
            get: |p| show(p.notice_days_app, "d", DEFAULT),
            set: |p, v| {
                p.notice_days_app = notice(v).ok()?;
                Some(())
            },
        },
        Rule {
            name: "ended-days",
            title: "Expired keys go after",
            about: "Days after its end at which a sweep clears an expired key away, unless it is protected.",
            form: "never or a number of days from 1 to 365, such as 30d",
            get: |p| show(p.ended_days, "d", "never"),
            set: |p, v| {
                p.ended_days = days(v, 1, 365, "never").ok()?;
                Some(())
            },
        },
        Rule {
            name: "issue-agency",
            title: "May issue agency keys",
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
            title: "May issue location keys",
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
            title: "May make apps",
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
            title: "Seconds of a token",
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
            title: "Signing key lasts",
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
            title: "Base URL",
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
            title: "Token issuer",
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
            title: "Token audience",
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
            title: "Minutes until it locks",
            about: "Minutes without a key press after which the console locks and forgets the store's key.",
            form: "off or a number of minutes from 1 to 1440",
            get: |p| show(p.lock_minutes, "", "off"),
            set: |p, v| {
                p.lock_minutes = if v == "off" { None } else { Some(number(v, 1, 1_440)?) };
                Some(())
            },
        },
    ];
}
