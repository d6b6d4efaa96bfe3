//! The catalog as its users meet it: the built-in one, one with mistakes, and arbitrary text.

use proptest::prelude::*;

use super::problem::CatalogFault as Fault;
use super::*;

/// The example with one text in place of another; the text must be there.
fn example_with(old: &str, new: &str) -> String {
    assert!(Catalog::EXAMPLE.contains(old), "{old}");
    Catalog::EXAMPLE.replacen(old, new, 1)
}

fn problems(text: &str) -> Vec<CatalogProblem> {
    Catalog::parse(text).expect_err("has a problem")
}

/// The only problem, after checking that it is reported on the line that holds `marker`.
fn only_problem(text: &str, marker: &str) -> Fault {
    let found = problems(text);
    let [problem] = found.as_slice() else { panic!("one problem, not these:\n{}", ProblemList(&found)) };
    let line = text.lines().nth(problem.line - 1).unwrap();
    assert!(line.contains(marker), "{problem}\nreported on: {line}");
    problem.fault.clone()
}

fn check(names: &[&str], level: Level, method: AuthMethod) -> Result<String, Vec<String>> {
    Catalog::builtin()
        .check(names.iter().copied(), level, method)
        .map(|scopes| scopes.to_string())
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn the_built_in_catalog_and_the_example_are_valid() {
    for text in [Catalog::BUILTIN, Catalog::EXAMPLE] {
        if let Err(problems) = Catalog::parse(text) {
            panic!("{}", ProblemList(&problems));
        }
    }
    let catalog = Catalog::builtin();
    assert_eq!((catalog.id(), catalog.title()), ("crm-booking", "CRM and booking platform"));
    assert_eq!(catalog.len(), catalog.permissions().count());
    assert!(catalog.groups().len() >= 20 && catalog.len() >= 110 && catalog.presets().len() >= 8);
    for level in Level::ALL {
        assert!(catalog.presets_for(level, AuthMethod::ApiKey).count() >= 4, "{level}");
    }
}

#[test]
fn titles_in_the_built_in_catalog_can_be_told_apart() {
    let mut titles: Vec<&str> = Catalog::builtin().permissions().map(|p| p.title.as_str()).collect();
    titles.sort_unstable();
    for pair in titles.windows(2) {
        assert_ne!(pair[0], pair[1]);
    }
}

#[test]
fn permissions_are_found_by_their_exact_name() {
    let catalog = Catalog::builtin();
    let read = catalog.permission("contacts.read").unwrap();
    assert_eq!((read.title.as_str(), read.risk), ("Read contacts", Risk::Read));
    for name in ["contacts.rea", "contacts.readx", "contacts", "Contacts.read", "", "*"] {
        assert!(catalog.permission(name).is_none(), "{name:?}");
    }
    for permission in catalog.permissions() {
        assert_eq!(catalog.permission(permission.id.as_str()), Some(permission));
        assert!(catalog.group(permission.id.group()).unwrap().permissions.contains(permission));
    }
}

#[test]
fn a_choice_of_scopes_is_checked_for_level_and_authentication() {
    use AuthMethod::{ApiKey, Jwt};
    assert_eq!(
        check(&["contacts.write", "contacts.read"], Level::Location, ApiKey).unwrap(),
        "contacts.read contacts.write"
    );
    assert_eq!(check(&["guests.sign-in"], Level::App, Jwt).unwrap(), "guests.sign-in");
    assert_eq!(
        check(&["guests.sign-in"], Level::Agency, ApiKey).unwrap_err(),
        [
            "guests.sign-in is not for agency keys; it is for the level app.",
            "guests.sign-in cannot be used with API keys; its authentication is jwt."
        ]
    );
    assert_eq!(
        check(&["contact.raed", "users.roles", "Forms.read", "forms.read", "forms.read"], Level::App, ApiKey)
            .unwrap_err(),
        [
            "No permission is called contact.raed. Did you mean contacts.read?",
            "users.roles is not for app keys; it is for the level agency.",
            "\"Forms.read\" is not a scope name. One reads group.action: a group and an action with one dot \
             between them, each a lowercase letter followed by lowercase letters, digits, _ or -. Did you mean \
             forms.read?",
            "The scope forms.read is listed twice. Remove one of them.",
        ]
    );
}

#[test]
fn a_choice_that_would_be_too_wide_or_nothing_is_refused() {
    let refused = |names: &[&str]| check(names, Level::Agency, AuthMethod::ApiKey).unwrap_err().join("\n");
    assert!(refused(&[]).contains("No scope is chosen"));
    assert!(refused(&["*"]).contains("wildcard"));
    assert!(refused(&["contacts.*"]).contains("wildcard"));
    assert!(refused(&[""]).contains("empty"));
    assert!(refused(&["contacts.read-all"]).contains("No permission is called contacts.read-all"));
    assert!(refused(&vec!["contacts.read"; 10_000]).contains("More than 256 scopes"));
    let endless = std::iter::repeat("contacts.read");
    assert!(Catalog::builtin().check(endless, Level::Agency, AuthMethod::ApiKey).is_err());
}

#[test]
fn whatever_is_allowed_for_a_key_passes_the_check_and_nothing_else_does() {
    let catalog = Catalog::builtin();
    for level in Level::ALL {
        for method in [AuthMethod::ApiKey, AuthMethod::Jwt] {
            for permission in catalog.permissions() {
                let passes = catalog.check([permission.id.as_str()], level, method).is_ok();
                let listed = catalog.allowed_for(level, method).any(|allowed| allowed == permission);
                assert_eq!((passes, listed), (permission.allows(level, method), passes), "{}", permission.id);
            }
            for preset in catalog.presets_for(level, method) {
                let names = preset.scopes.iter().map(ScopeId::as_str);
                assert_eq!(catalog.check(names, level, method).as_ref(), Ok(&preset.scopes), "{}", preset.id);
            }
        }
    }
    assert!(catalog.presets_for(Level::App, AuthMethod::ApiKey).all(|preset| preset.id != "guest-app"));
    assert!(catalog.presets_for(Level::App, AuthMethod::Jwt).any(|preset| preset.id == "guest-app"));
}

#[test]
fn shared_scopes_are_equal_to_their_originals() {
    let catalog = Catalog::builtin();
    let scopes: Scopes = "contacts.read long-gone.read".parse().unwrap();
    assert_eq!(catalog.share(&scopes), scopes);
    assert_eq!(catalog.highest_risk(&scopes), Some(Risk::Read));
    assert_eq!(catalog.highest_risk(&"contacts.read payments.refund".parse().unwrap()), Some(Risk::Admin));
    assert_eq!(catalog.highest_risk(&"long-gone.read".parse().unwrap()), None);
}

#[test]
fn a_misspelt_field_is_named_with_the_right_one() {
    let text = example_with("description = \"Look up", "descripton = \"Look up");
    let found = problems(&text);
    assert_eq!(found.len(), 2, "{}", ProblemList(&found));
    let at = text.lines().position(|line| line.contains("descripton")).unwrap() + 1;
    assert!(found.iter().any(|problem| problem.to_string()
        == format!(
            "line {at}, column 3: A permission has no field \"descripton\". Did you mean description? It knows \
             id, title, description, levels, auth and risk."
        )));
    assert!(
        found
            .iter()
            .any(|problem| problem.fault
                == Fault::MissingField { place: "A permission", field: "description" })
    );
}

#[test]
fn a_wrong_word_is_named_with_the_right_ones() {
    let cases = [
        ("risk = \"read\"", "risk = \"raed\"", "risk", Some("read")),
        ("auth = \"both\"", "auth = \"api_key\"", "auth", Some("api-key")),
        ("[\"agency\", \"location\", \"app\"]", "[\"agency\", \"locations\"]", "levels", Some("location")),
        ("risk = \"read\"", "risk = \"dangerous\"", "risk", None),
    ];
    for (old, new, which, near) in cases {
        match only_problem(&example_with(old, new), new) {
            Fault::UnknownWord { field, nearest, .. } => assert_eq!((field, nearest), (which, near)),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_name_used_twice_is_refused_with_the_line_of_the_first() {
    let first = |text: &str, marker: &str| text.lines().position(|line| line.contains(marker)).unwrap() + 1;
    let without_write = example_with(", \"contacts.write\"]", "]");
    for (whole, old, new, marker) in [
        (
            without_write.as_str(),
            "id = \"contacts.write\"",
            "id = \"contacts.read\" # again",
            "id = \"contacts.read\"",
        ),
        (Catalog::EXAMPLE, "[\"agency\"]", "[\"agency\", \"agency\"]", "\"agency\", \"agency\""),
        (Catalog::EXAMPLE, "[\"contacts.read\",", "[\"contacts.write\",", "scopes = "),
    ] {
        let text = whole.replacen(old, new, 1);
        match only_problem(&text, new) {
            Fault::Duplicate { first_line, .. } => assert_eq!(first_line, first(&text, marker)),
            other => panic!("{other}"),
        }
    }
    let preset = Catalog::EXAMPLE.find("[[preset]]").map(|at| &Catalog::EXAMPLE[at..]).unwrap();
    let twice = format!("{}\n{preset}", Catalog::EXAMPLE);
    assert!(matches!(only_problem(&twice, "contact-sync"), Fault::Duplicate { what: "The preset", .. }));
}

#[test]
fn a_permission_belongs_to_the_group_it_stands_in() {
    let text = example_with("id = \"contacts.write\"", "id = \"contact.write\"");
    let found = problems(&text);
    assert!(matches!(&found[0].fault, Fault::WrongGroup { group, .. } if group == "contacts"));
    assert!(
        matches!(&found[1].fault, Fault::UnknownScope { nearest: Some(near), .. } if near.as_str() == "contact.write"),
        "the preset that names it is told too: {}",
        ProblemList(&found)
    );
}

#[test]
fn a_preset_holds_only_what_exists_and_is_allowed_at_its_levels() {
    let unknown = example_with("scopes = [\"contacts.read\"", "scopes = [\"contacts.reed\"");
    match only_problem(&unknown, "contacts.reed") {
        Fault::UnknownScope { nearest, .. } => assert_eq!(nearest.unwrap().as_str(), "contacts.read"),
        other => panic!("{other}"),
    }
    let too_wide = example_with("scopes = [\"contacts.read\"", "scopes = [\"billing.refund\"");
    match only_problem(&too_wide, "billing.refund") {
        Fault::NotAtLevel { levels, .. } => assert_eq!(levels.to_string(), "location and app"),
        other => panic!("{other}"),
    }
    let mixed = example_with("auth = \"both\"  ", "auth = \"api-key\"  ")
        .replacen(
            "levels = [\"agency\", \"location\", \"app\"]\n  auth = \"both\"",
            "levels = [\"app\"]\n  auth = \"jwt\"",
            1,
        )
        .replacen("levels = [\"location\", \"app\"]", "levels = [\"app\"]", 1);
    assert!(matches!(only_problem(&mixed, "scopes ="), Fault::MixedAuth { .. }));
}

#[test]
fn access_tokens_are_for_apps() {
    let text = example_with("auth = \"api-key\"", "auth = \"jwt\"");
    match only_problem(&text, "levels = [\"agency\"]") {
        Fault::JwtOutsideApps { levels } => assert_eq!(levels.to_string(), "agency"),
        other => panic!("{other}"),
    }
}

#[test]
fn a_preset_is_not_blamed_for_a_mistake_in_its_permission() {
    let rules = "levels = [\"agency\", \"location\", \"app\"]\n  auth = \"both\"\n  risk = \"write\"";
    let text = example_with(rules, "levels = [\"agency\"]\n  auth = \"jwt\"\n  risk = \"write\"");
    assert!(matches!(only_problem(&text, "levels = [\"agency\"]"), Fault::JwtOutsideApps { .. }));
}

#[test]
fn text_that_could_deceive_is_refused() {
    for (escape, code) in
        [("\\u202E", 0x202e), ("\\u001b[2J", 0x1b), ("\\n", 0xa), ("\u{200b}", 0x200b), ("\u{feff}", 0xfeff)]
    {
        let text = example_with("title = \"Billing\"", &format!("title = \"Bill{escape}ing\""));
        assert_eq!(
            only_problem(&text, "title = \"Bill"),
            Fault::HiddenCharacter { field: "title", code },
            "{escape:?}"
        );
    }
    let text = example_with("id = \"billing\"", "id = \"bil\\u202eling\"");
    let shown = ProblemList(&problems(&text)).to_string();
    assert!(shown.contains("bil\\u{202e}ling") && !shown.contains('\u{202e}'), "{shown}");
}

#[test]
fn limits_are_kept() {
    let text = example_with("title = \"Billing\"", &format!("title = \"{}\"", "ä".repeat(60)));
    assert!(Catalog::parse(&text).is_ok());
    let text = example_with("title = \"Billing\"", &format!("title = \"{}\"", "ä".repeat(61)));
    assert_eq!(only_problem(&text, "ää"), Fault::TextTooLong { field: "title", length: 61, most: 60 });
    let text = example_with("title = \"Billing\"", "title = \"  \"");
    assert!(matches!(only_problem(&text, "title"), Fault::Empty { .. }));
    let id = "a".repeat(41);
    let text = example_with("id = \"my-platform\"", &format!("id = \"{id}\""));
    assert_eq!(only_problem(&text, "id"), Fault::BadId { id, most: 40 });

    let permission = |group: usize, nth: usize| {
        format!(
            "[[group.permission]]\nid='g{group}.p{nth}'\ntitle='t'\ndescription='d'\nlevels=['app']\nauth='both'\n\
             risk='read'\n"
        )
    };
    let of_size = |groups: usize, permissions: usize| {
        let mut text = "id='c'\ntitle='t'\nversion='1'\n".to_owned();
        for group in 0..groups {
            text.extend([format!("[[group]]\nid='g{group}'\ntitle='t'\ndescription='d'\n")]);
            text.extend((0..permissions).map(|nth| permission(group, nth)));
        }
        text
    };
    assert_eq!(Catalog::parse(&of_size(64, 32)).unwrap().len(), 2048);
    for (groups, permissions, marker, most) in [(65, 1, "[[group]]", 64), (1, 65, "[[group.", 64)] {
        let fault = only_problem(&of_size(groups, permissions), marker);
        assert!(matches!(fault, Fault::TooMany { most: limit, .. } if limit == most), "{fault}");
    }
    assert!(matches!(only_problem(&of_size(33, 63), "[[group."), Fault::TooMany { most: 2048, .. }));

    let large = format!("{}{}", Catalog::EXAMPLE, "#".repeat(Catalog::MAX_BYTES));
    assert_eq!(problems(&large)[0].fault, Fault::TooLarge { bytes: large.len() });
}

#[test]
fn an_empty_catalog_or_group_is_refused() {
    assert_eq!(problems("").len(), 4, "id, title, version and the groups are missing");
    let no_group = "id='c'\ntitle='t'\nversion='1'\n";
    assert!(matches!(only_problem(no_group, "id"), Fault::Empty { what: "The catalog", .. }));
    let no_permission = format!("{no_group}[[group]]\nid='g'\ntitle='t'\ndescription='d'\n");
    assert!(matches!(only_problem(&no_permission, "[[group]]"), Fault::Empty { what: "The group", .. }));
    let no_level = example_with("levels = [\"agency\"]", "levels = []");
    assert!(matches!(only_problem(&no_level, "levels = []"), Fault::Empty { .. }));
    let no_scope = example_with("scopes = [\"contacts.read\", \"contacts.write\"]", "scopes = []");
    assert!(matches!(only_problem(&no_scope, "scopes = []"), Fault::Empty { .. }));
}

#[test]
fn values_of_another_kind_are_named() {
    for (old, new, found) in [
        ("title = \"Billing\"", "title = 5", "a whole number"),
        ("title = \"Billing\"", "title = 5.5", "a number"),
        ("title = \"Billing\"", "title = true", "true or false"),
        ("title = \"Billing\"", "title = 2027-01-31", "a date or time"),
        ("title = \"Billing\"", "title = [\"Billing\"]", "a list"),
        ("title = \"Billing\"", "title = { en = \"Billing\" }", "a table"),
        ("levels = [\"agency\"]", "levels = \"agency\"", "a text"),
        ("levels = [\"agency\"]", "levels = [1]", "a whole number"),
    ] {
        match only_problem(&example_with(old, new), new) {
            Fault::WrongType { found: kind, .. } => assert_eq!(kind, found),
            other => panic!("{other}"),
        }
    }
    for (text, name) in [("group = 5\n", "group"), ("group = [5]\n", "group"), ("preset = 'x'\n", "preset")] {
        let wrong = |p: &&CatalogProblem| matches!(p.fault, Fault::WrongType { field, .. } if field == name);
        assert_eq!(problems(text).iter().filter(wrong).count(), 1, "{text}");
    }
}

#[test]
fn every_problem_is_reported_in_the_order_of_the_file() {
    let text = example_with("risk = \"read\"", "risk = \"rread\"")
        .replacen("auth = \"api-key\"", "auth = \"apikey\"", 1)
        .replacen("title = \"Billing\"", "titel = \"Billing\"", 1)
        .replacen("scopes = [\"contacts.read\"", "scopes = [\"contacts.reads\", \"*\"", 1);
    let found = problems(&text);
    assert_eq!(found.len(), 6, "{}", ProblemList(&found));
    assert!(found.is_sorted_by_key(|problem| (problem.line, problem.column)));
}

#[test]
fn what_is_not_toml_is_reported_at_its_place_and_alone() {
    let text =
        example_with("title = \"Billing\"", "title = \"Billing").replacen("risk = \"read\"", "risk = ", 1);
    let found = problems(&text);
    assert!(found.len() >= 2, "{}", ProblemList(&found));
    for problem in &found {
        assert!(matches!(problem.fault, Fault::Syntax { .. }), "{problem}");
        let line = text.lines().nth(problem.line - 1).unwrap();
        assert!(line.contains("Billing") || line.contains("risk ="), "{problem}\nreported on: {line}");
    }
}

#[test]
fn a_hopeless_file_is_refused_quickly_and_briefly() {
    for text in
        ["]\n".repeat(400_000), "a.b=1\n".repeat(150_000), "[".repeat(1_000_000), "x=[".repeat(300_000)]
    {
        let found = problems(&text);
        assert!(found.len() <= Catalog::MAX_PROBLEMS, "{}", found.len());
    }
    let scopes = "'no.such',".repeat(90_000);
    let found = problems(&format!("{}scopes=[{scopes}]\n", Catalog::EXAMPLE.replace("scopes =", "#")));
    assert!(found.len() <= Catalog::MAX_PROBLEMS);
    assert!(found.iter().any(|problem| problem.fault == Fault::More));
}

/// Whatever the text, there is a catalog or there are problems, each on a line and column the file has.
fn judge(text: &str) {
    let Err(problems) = Catalog::parse(text) else { return };
    assert!(!problems.is_empty());
    let lines: Vec<&str> = text.split('\n').collect();
    let last = text.lines().count().max(1);
    for problem in &problems {
        assert!((1..=last).contains(&problem.line), "{problem} of {last} lines");
        let columns = lines[problem.line - 1].chars().count() + 1;
        assert!((1..=columns).contains(&problem.column), "{problem} of {columns} columns");
        let shown = problem.to_string();
        assert_eq!(text::hidden_character(&shown), None, "{shown:?}");
        assert!(shown.len() < 2000, "{shown}");
    }
}

proptest! {
    #[test]
    fn arbitrary_text_is_a_catalog_or_has_located_problems(
        text in "(\\PC|[\\n\\r\\t\"'=.#\\[\\]{}\\\\]){0,200}|[a-z=\\[\\]\"'\\n.{}, 0-9]{0,200}",
    ) {
        judge(&text);
    }

    #[test]
    fn a_catalog_with_lines_changed_is_a_catalog_or_has_located_problems(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..6_u8, any::<prop::sample::Index>()), 1..6),
    ) {
        let mut lines: Vec<String> = Catalog::EXAMPLE.lines().map(str::to_owned).collect();
        for (at, what, other) in changes {
            let (at, other) = (at.index(lines.len()), other.index(lines.len()));
            match what {
                0 => lines.swap(at, other),
                1 => lines[at].clear(),
                2 => lines[at] = lines[other].clone(),
                3 => lines[at] = lines[at].replace('"', ""),
                4 => lines[at] = lines[at].replace("contacts", "billing"),
                _ => lines[at].push_str("\u{202e}ä"),
            }
        }
        judge(&lines.join("\n"));
    }

    #[test]
    fn a_catalog_with_bytes_changed_is_a_catalog_or_has_located_problems(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        keep in any::<prop::sample::Index>(),
    ) {
        let mut bytes = Catalog::EXAMPLE.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        judge(&String::from_utf8_lossy(&bytes));
        bytes.truncate(keep.index(bytes.len()));
        judge(&String::from_utf8_lossy(&bytes));
    }
}
