//! Scope names and sets of them: what they refuse, and that what is stored comes back.

use super::*;

fn id(text: &str) -> ScopeId {
    text.parse().unwrap()
}

fn set(text: &str) -> Scopes {
    text.parse().unwrap()
}

#[test]
fn a_scope_is_a_group_and_an_action() {
    let scope = id("email-api.send_bulk2");
    assert_eq!((scope.group(), scope.action()), ("email-api", "send_bulk2"));
    assert_eq!(scope.to_string(), "email-api.send_bulk2");
    assert_eq!(format!("[{scope:<22}]"), "[email-api.send_bulk2  ]");
}

#[test]
fn names_that_could_be_mistaken_for_another_are_refused() {
    for name in [
        "contacts",
        ".read",
        "contacts.",
        ".",
        "contacts..read",
        "contacts.notes.read",
        "Contacts.read",
        "contacts.Read",
        "contacts.read ",
        " contacts.read",
        "contacts.read\n",
        "contacts.read\0",
        "contacts:read",
        "1contacts.read",
        "contacts.-read",
        "contacts._read",
        "cоntacts.read", // Cyrillic о
        "contacts.re\u{200b}ad",
    ] {
        assert!(matches!(name.parse::<ScopeId>(), Err(ScopeError::Shape { .. })), "{name:?}");
    }
    assert_eq!("".parse::<ScopeId>(), Err(ScopeError::EmptyName));
    for name in ["*", "*.*", "contacts.*", "*.read"] {
        assert!(matches!(name.parse::<ScopeId>(), Err(ScopeError::Wildcard { .. })), "{name:?}");
    }
}

#[test]
fn the_longest_name_has_sixty_four_bytes() {
    let longest = format!("a.{}", "b".repeat(62));
    assert_eq!(id(&longest).as_str(), longest);
    assert!(matches!(format!("{longest}b").parse::<ScopeId>(), Err(ScopeError::TooLong { bytes: 65, .. })));
}

#[test]
fn an_error_cannot_carry_a_control_or_bidi_character_to_the_terminal() {
    for name in ["a.\u{1b}[2J", "a.\u{202e}daer", &"\u{7}".repeat(5000)] {
        let text = name.parse::<ScopeId>().unwrap_err().to_string();
        assert!(text.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{text:?}");
        assert!(text.len() < 1000, "{text:?}");
    }
}

#[test]
fn a_set_is_sorted_unique_and_bounded() {
    assert_eq!(set("users.read contacts.read").to_string(), "contacts.read users.read");
    assert_eq!(
        "a.b c.d a.b".parse::<Scopes>(),
        Err(ScopeError::Duplicate { scope: id("a.b") }),
        "not even when the two are apart"
    );
    let many = |n: usize| Scopes::new((0..n).map(|i| id(&format!("a.b{i}"))));
    assert_eq!(many(256).unwrap().len(), 256);
    assert_eq!(many(257), Err(ScopeError::TooMany));
    assert_eq!(many(10_000), Err(ScopeError::TooMany));
    let endless = std::iter::repeat_with(|| id("a.b"));
    assert_eq!(Scopes::new(endless), Err(ScopeError::TooMany));
}

#[test]
fn the_empty_set_is_the_callers_choice() {
    assert!(set("").is_empty());
    assert_eq!(Scopes::default().require_some(), Err(ScopeError::NoneChosen));
    assert_eq!(set("a.b").require_some(), Ok(set("a.b")));
    for text in [" ", " a.b", "a.b ", "a.b  c.d"] {
        assert_eq!(text.parse::<Scopes>(), Err(ScopeError::EmptyName), "{text:?}");
    }
    assert!("a.b\tc.d".parse::<Scopes>().is_err());
}

#[test]
fn holding_a_scope_is_exact() {
    let held = set("contacts.read contacts.write");
    assert!(held.contains(&id("contacts.read")));
    for name in ["contacts.readx", "contacts.rea", "contacts.read-all", "contacts", "*", "", "contacts.READ"]
    {
        assert!(!held.contains_name(name), "{name:?}");
    }
}

#[test]
fn sets_compare_as_sets_do() {
    let (small, large) = (set("a.b c.d"), set("a.b c.d e.f"));
    assert!(small.is_subset(&large) && small.is_subset(&small) && !large.is_subset(&small));
    assert!(Scopes::default().is_subset(&small));
    assert!(!set("a.b x.y").is_subset(&large));
    assert_eq!(large.difference(&small), set("e.f"));
    assert_eq!(small.difference(&large), Scopes::default());
}

#[test]
fn a_stored_set_comes_back_the_same_and_a_strange_one_is_refused() {
    for text in ["", "a.b", "users.read contacts.read a.b"] {
        let bytes = minicbor::to_vec(set(text)).unwrap();
        assert_eq!(minicbor::decode::<Scopes>(&bytes).unwrap(), set(text));
    }
    let refused = |names: &[&str]| minicbor::decode::<Scopes>(&minicbor::to_vec(names).unwrap()).is_err();
    assert!(!refused(&["a.b", "c.d"]));
    assert!(refused(&["c.d", "a.b"]), "out of order");
    assert!(refused(&["a.b", "a.b"]), "twice");
    assert!(refused(&["a.*"]), "not a name");
    let names: Vec<String> = (1000..1257).map(|i| format!("a.b{i}")).collect();
    assert!(refused(&names.iter().map(String::as_str).collect::<Vec<_>>()), "257");
    assert!(minicbor::decode::<Scopes>(&[0x9b, 255, 255, 255, 255, 255, 255, 255, 255]).is_err());
    assert!(minicbor::decode::<Scopes>(&[0x9f, 0xff]).is_err(), "no length");
}

proptest::proptest! {
    #[test]
    fn whatever_parses_shows_as_it_was_written(text in "[a-z]{1,3}[.*A ]{0,2}[a-z0-9_-]{0,4}|\\PC{0,80}") {
        if let Ok(scope) = text.parse::<ScopeId>() {
            assert_eq!(scope.as_str(), text);
            assert_eq!(format!("{}.{}", scope.group(), scope.action()), text);
        }
    }

    #[test]
    fn decoding_strange_bytes_is_an_error_or_a_set(bytes in proptest::collection::vec(0u8..=255, 0..64)) {
        if let Ok(scopes) = minicbor::decode::<Scopes>(&bytes) {
            assert!(scopes.len() <= Scopes::MAX);
        }
    }
}
