//! The day another system is switched off: all its keys come over from a table, by their secrets or by the digests it stored,
//! and go on opening what they opened.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::desk::{Desk, holds};
use crate::support::wait::until;

const PLAIN: &str = "sk_live_4eC39HqLyjWDarjtT1zdp7dc";
const HIDDEN: &str = "sk_live_hT5wQ2mVx9KtR7HqP2mVx9Kt";

fn sha256(secret: &str) -> String {
    Sha256::digest(secret).iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat()
}

/// Ids of what was imported, by name.
fn ids(told: &Value) -> Vec<(String, String)> {
    let text = |key: &Value, field: &str| key[field].as_str().unwrap().to_owned();
    told.as_array().unwrap().iter().map(|key| (text(key, "name"), text(key, "id"))).collect()
}

#[test]
fn keys_of_another_system_come_over_by_secret_and_by_digest_and_go_on_working() {
    let desk = Desk::founded();
    let (ann, _jonas) = (desk.hire("ann", "admin"), desk.hire("jonas", "manager"));
    ann.does(&["location", "add", "Harbour"]);
    let table = format!(
        "Name,Place,Scopes,Expires,Note,Owner,Secret,SHA-256\n\
         Export,agency,contacts.read,90d,nightly,,{PLAIN},\n\
         Kiosk,Harbour,contacts.read contacts.write,never,,jonas,,{}\n",
        sha256(HIDDEN)
    );
    desk.file("keys.csv", &table);
    let dry = ann.asks(&["key", "import", "--from", "keys.csv", "--dry-run"]);
    assert_eq!((dry[0]["by"].as_str(), dry[1]["by"].as_str()), (Some("secret"), Some("sha256")), "{dry}");
    assert_eq!((dry[1]["owner"].as_str(), dry[1]["location"].as_str()), (Some("jonas"), Some("Harbour")));
    assert_eq!(ann.asks(&["key", "list", "--all"]).as_array().unwrap().len(), 0, "nothing was done");

    let said = ann.says(&["key", "import", "--from", "keys.csv", "--json"]).expect(0);
    assert!(
        said.err.contains("only a digest of the secret is known on 1 of the lines")
            && !said.out.contains(PLAIN),
        "{said:?}"
    );
    let told = ids(&said.json());
    let [(export, one), (kiosk, other)] = told.as_slice() else { panic!("{said:?}") };
    assert_eq!((export.as_str(), kiosk.as_str()), ("Export", "Kiosk"));
    assert_eq!(ann.verifies(format!("kdim_{one}_{PLAIN}")), "allow");
    assert_eq!(ann.verifies(format!("kdim_{other}_{HIDDEN}")), "allow");
    // What was in the other system's table opens nothing.
    for stolen in [sha256(HIDDEN), sha256(HIDDEN).to_lowercase()] {
        assert_eq!(ann.verifies(format!("kdim_{other}_{stolen}")), "deny mac_mismatch");
    }
    assert_eq!(ann.asks(&["key", "show", "Kiosk", "--all"])["owner"], "jonas");
    for secret in [PLAIN, HIDDEN, &sha256(HIDDEN), &sha256(HIDDEN).to_lowercase()] {
        assert!(!holds(&desk.data(), secret), "neither secret nor digest is anywhere");
    }
    ann.says(&["key", "import", "--from", "keys.csv"]).fails(1, "line 2: the name Export is taken");
    let again = ann.asks(&["key", "import", "--from", "keys.csv", "--skip-existing"]);
    assert!(again.as_array().unwrap().iter().all(|key| key["imported"] == false), "{again}");
    assert_eq!(ann.asks(&["key", "list", "--all"]).as_array().unwrap().len(), 2);
}

#[test]
fn a_list_with_a_mistake_imports_nothing_and_names_every_line() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let digest = sha256(HIDDEN);
    let refused = |table: &str, lines: &[&str]| {
        desk.file("keys.csv", table);
        let said = ann.says(&["key", "import", "--from", "keys.csv", "--agency"]);
        assert!(said.code == 1 && said.out.is_empty(), "{said:?}");
        for line in lines {
            assert!(said.err.contains(line), "{line}: {said:?}");
        }
        assert!(!said.err.contains(PLAIN) && !said.err.contains(&digest), "{said:?}");
        assert_eq!(ann.asks(&["key", "list", "--all"]).as_array().unwrap().len(), 0);
    };
    let head = "name,scopes,secret,sha256,expires";
    refused(
        &format!(
            "{head}\nA,contacts.read,{PLAIN},,\n,contacts.read,{HIDDEN},,\nC,contacts.read,4711,,\nD,contacts.read,,,\n\
             E,contacts.read,x,{digest},\nF,contacts.read,,$2b$12$abc,\nG,contacts.read,{PLAIN},,\nH,contacts.read,,{digest},soon\n"
        ),
        &[
            "line 3: name",
            "line 4: the secret has at most",
            "line 5: it has neither",
            "line 6: it has both",
            "line 7: it is a salted or slow hash",
            "line 8: it is the secret of line 2 again",
            "line 9: --expires soon",
        ],
    );
    refused(
        &format!("{head},place,owner\nA,contacts.rea,{PLAIN},,,,\nB,,,{digest},,nowhere,\n"),
        &["line 3: place nowhere"],
    );
    // What is weak does not keep what else is wrong from being told.
    refused(
        &format!("{head},place,owner\nA,contacts.read,4711,,,,\nB,,,{digest},,nowhere,\n"),
        &["line 2: the secret has at most", "line 3: place nowhere"],
    );
    refused(
        &format!("{head}\nA,contacts.rea,{PLAIN},,\na,,,{digest},\n"),
        &["line 2: ", "contacts.rea", "line 3: "],
    );
    refused(
        &format!("{head}\nA,contacts.read,{PLAIN},,\na,contacts.read,,{digest},\n"),
        &["line 3: the name a is taken"],
    );
    refused(
        &format!("name,secret,scoped\nA,{PLAIN},contacts.read\n"),
        &["line 1: no column is called `scoped`"],
    );
    desk.file("keys.csv", "name,secret\n");
    ann.says(&["key", "import", "--from", "keys.csv"]).fails(2, "There is no key in it");
    ann.says(&["key", "import", "--from", "none.csv"]).fails(2, "cannot be read");
    ann.says(&["key", "import", "--from", "keys.csv", "--name", "A"]).fails(2, "cannot be used with");
    ann.says(&["key", "import", "--name", "A", "--agency", "--scope", "contacts.read"])
        .fails(2, "--secret-file");
}

#[test]
fn quotas_hold_for_all_lines_together_and_only_admins_import_for_others() {
    let desk = Desk::founded();
    let (ann, bob) = (desk.hire("ann", "admin"), desk.hire("bob", "manager"));
    ann.does(&["policy", "set", "keys-per-operator", "2"]);
    let line = |n: usize, owner: &str| format!("Key {n},{},{owner}\n", sha256(&format!("secret-of-key-{n}")));
    let table = |owner: &str, n: usize| {
        (0..n).fold("name,sha256,owner\n".to_owned(), |table, n| table + &line(n, owner))
    };
    let words = ["key", "import", "--from", "keys.csv", "--scope", "contacts.read", "--location", "Harbour"];
    ann.does(&["location", "add", "Harbour"]);
    desk.file("keys.csv", table("", 3));
    ann.says(&words).fails(1, "line 4: you own 2 live keys");
    desk.file("keys.csv", table("bob", 3));
    ann.says(&words).fails(1, "line 4: bob owns 2 live keys");
    desk.file("keys.csv", table("ann", 1));
    bob.says(&words).fails(1, "needs the role admin");
    desk.file("keys.csv", table("", 2));
    fs::set_permissions(desk.path("keys.csv"), fs::Permissions::from_mode(0o644)).unwrap();
    let said = bob.says(&words).expect(0);
    assert!(said.err.contains("other users of this machine may read keys.csv"), "{said:?}");
    assert!(said.out.contains("kdim_") && said.err.contains("2 keys are imported"), "{said:?}");
    // The rest of a list that was broken off, while a server has the store.
    let serve = ann.words(&["serve", "--listen", "127.0.0.1:0"]);
    let mut server = desk.command(&serve).stderr(Stdio::null()).spawn().unwrap();
    until("the server to be there", || desk.data().join("control.sock").exists());
    ann.does(&["policy", "set", "keys-per-operator", "20"]);
    desk.file("keys.csv", table("", 4));
    let said = bob.says(&[&words[..], &["--skip-existing"]].concat()).expect(0);
    assert!(
        said.err.contains("2 keys are imported") && said.err.contains("there already: Key 0, Key 1"),
        "{said:?}"
    );
    let last = bob.asks(&["key", "show", "Key 3"])["id"].as_str().unwrap().to_owned();
    assert_eq!(bob.verifies(format!("kdim_{last}_secret-of-key-3")), "allow");
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
}
