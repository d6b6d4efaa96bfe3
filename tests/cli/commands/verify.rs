//! What is not a good token, typed to `keydeck verify`: each is refused, for its own reason.

use crate::support::desk::{Desk, with_checksum};

#[test]
fn every_broken_token_is_refused_for_its_own_reason() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let (token, other) = (ann.issues("A", "contacts.read"), ann.issues("B", "contacts.read"));
    assert_eq!(ann.verifies(&token), "allow");

    let swapped = format!("{}{}{}{}", &token[..30], &token[31..32], &token[30..31], &token[32..]);
    let mut bad: Vec<Vec<u8>> = vec![
        // Nothing, too short, too long, far too long.
        Vec::new(),
        b"\n".to_vec(),
        token.as_bytes()[..55].to_vec(),
        token.as_bytes()[1..].to_vec(),
        format!("{token}x").into(),
        vec![b'k'; 1024 * 1024],
        [token.as_bytes(), &vec![b'\n'; 10 * 1024 * 1024]].concat(),
        // Mistyped.
        token.to_lowercase().into(),
        token.to_uppercase().into(),
        // Dressed up: nothing is trimmed but one newline, nothing decoded, nothing folded.
        format!(" {token}").into(),
        format!("{token} ").into(),
        format!("{token}\t").into(),
        format!("{token}\r\n").into(),
        format!("{token}\n\n").into(),
        format!("{token}\0").into(),
        format!("\u{feff}{token}").into(),
        format!("'{token}'").into(),
        format!("\"{token}\"").into(),
        format!("Bearer {token}").into(),
        format!("{token},{other}").into(),
        format!("{token}\n{other}").into(),
        token.replacen('k', "%6b", 1).into(),
        token.replacen('k', "ｋ", 1).into(),
        token.replacen('a', "а", 1).into(),
        [&token.as_bytes()[..55], b"\xff"].concat(),
        token.replacen("kdag_", "kdrc_", 1).into(),
        desk.read("recovery").into_bytes(),
    ];
    if swapped != token {
        bad.push(swapped.into());
    }
    // A character somewhere in the id, the separator, the secret, the checksum.
    for at in [5, 16, 17, 18, 40, 49, 50, 55] {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'z' { b'y' } else { b'z' };
        bad.push(changed);
    }
    for presented in bad {
        let shown = String::from_utf8_lossy(&presented[..presented.len().min(80)]).into_owned();
        assert_eq!(ann.verifies(presented), "deny malformed", "{shown:?}");
    }

    // Well formed, with a checksum that fits: forged by somebody who knows the format.
    let flip = |c: &str| if c == "z" { "y" } else { "z" };
    let unknown = with_checksum(&format!("{}{}{}", &token[..5], flip(&token[5..6]), &token[6..]));
    assert_eq!(ann.verifies(&unknown), "deny unknown");
    let guessed = with_checksum(&format!("{}{}{}", &token[..18], flip(&token[18..19]), &token[19..]));
    assert_eq!(ann.verifies(&guessed), "deny mac_mismatch");
    let crossed = with_checksum(&format!("{}{}", &token[..18], &other[18..]));
    assert_eq!(ann.verifies(&crossed), "deny mac_mismatch");
    for prefix in ["kdlo_", "kdap_", "kdas_"] {
        let relabelled = with_checksum(&format!("{prefix}{}", &token[5..]));
        assert_eq!(ann.verifies(&relabelled), "deny kind_mismatch", "{prefix}");
    }
    // No refusal of a secret that does not match names the key.
    let said = ann.gives(&["verify", "--json"], &guessed).expect(1).json();
    assert!(said["key"].is_null() && said["scopes"] == serde_json::json!([]), "{said}");
    assert_eq!(ann.asks(&["key", "show", "A"])["use_count"], 1, "only what was allowed counts as use");
}

#[test]
fn scopes_are_held_letter_by_letter() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let token = ann.issues("A", "contacts.read");
    let with = |scope: &str| ann.gives(&["verify", "--scope", scope], &token);
    assert_eq!(with("contacts.read").expect(0).out, "allow\n");
    assert_eq!(with("contacts.write").expect(1).out, "deny scope\n");
    // A word the catalog does not know is a mistake in the question, not an answer about the key.
    with("contacts.raed").fails(2, "Did you mean contacts.read?");
    for word in
        ["contacts", "contacts.*", "*", "", "CONTACTS.READ", "contacts.read ", "contacts.read,contacts.write"]
    {
        with(word).fails(2, "no permission is called");
    }
}

#[test]
fn a_decision_is_explained_step_by_step_and_counts_no_use() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let token = ann.issues("A", "contacts.read");
    let explained = |words: &[&str]| ann.gives(&[&["verify", "--explain"], words].concat(), &token);
    let said = explained(&[]).expect(0).out;
    assert!(said.starts_with("allow\npassed       form:"), "{said}");
    assert_eq!(said.matches("\npassed ").count(), 15, "{said}");
    let said = explained(&["--scope", "contacts.write"]).expect(1).out;
    assert!(
        said.starts_with("deny scope\n")
            && said.ends_with("failed       scopes: all that the request needs\n")
    );
    ann.does(&["key", "pause", "A"]);
    let said = explained(&["--json"]).expect(1).json();
    let outcomes: Vec<_> = said["steps"].as_array().unwrap().iter().map(|step| &step["outcome"]).collect();
    assert_eq!(said["steps"][13], serde_json::json!({"step": "not_paused", "outcome": "failed"}));
    assert!(outcomes[..13].iter().all(|outcome| *outcome == "passed") && outcomes[14] == "not reached");
    assert_eq!(ann.asks(&["key", "show", "A"])["use_count"], 0, "an explanation is no use");
}
