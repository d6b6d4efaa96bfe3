//! `keydeck guide` prints what these tests run.

use std::process::Command;

use keydeck::serve::guide::{Proxy, Wiring, snippet};

fn guide(words: &[&str]) -> (Option<i32>, String, String) {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_keydeck"));
    let done = command.arg("guide").args(words).env_clear().env("HOME", home.path()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

#[test]
fn the_command_prints_the_configuration_filled_in() {
    let own = Wiring { keydeck: "10.0.0.5:9000", upstream: "app.internal:3000", port: 443 };
    let usual = Wiring { keydeck: "127.0.0.1:8787", upstream: "127.0.0.1:3000", port: 8080 };
    for proxy in Proxy::ALL {
        let name = proxy.as_str();
        let wanted = snippet(proxy, usual).unwrap();
        assert_eq!(guide(&[name]), (Some(0), wanted, String::new()), "{name}");
        let words = [name, "--listen", own.keydeck, "--upstream", own.upstream, "--port", "443"];
        assert_eq!(guide(&words), (Some(0), snippet(proxy, own).unwrap(), String::new()), "{name}");
    }
}

#[test]
fn what_is_no_address_is_a_mistake_in_the_words() {
    let (code, out, error) = guide(&["nginx", "--listen", "127.0.0.1;8787"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(error.contains("--listen") && error.contains("HOST:PORT"), "{error}");
    assert_eq!(guide(&["apache"]).0, Some(2));
}
