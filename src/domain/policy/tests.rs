//! Each rule with what it takes and what it refuses, and policies as they were written before.

use super::rules::shown;
use super::*;
use crate::domain::signing::{PartyName, TOKEN_LIFE_MAX};
use crate::domain::{AppId, PublicId};

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
        ("ended-days", "0"),
        ("ended-days", "366d"),
        ("ended-days", "off"),
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
