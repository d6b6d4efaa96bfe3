//! The whole way with the real program, and somebody else's library at the other end: `PyJWT` fetches the key set,
//! checks a token and refuses one that was tampered with.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A server that runs until it is dropped.
pub struct Server {
    child: Child,
    pub address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// The program in a home of its own, with maria's passphrase.
fn keydeck(home: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keydeck"));
    command.args(words).args(["--passphrase-file", "pass"]);
    command.current_dir(home).env_clear().env("HOME", home).env("KEYDECK_OPERATOR", "maria");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn run(home: &Path, words: &[&str]) -> String {
    let done = keydeck(home, words).output().unwrap();
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

pub fn serve(home: &Path) -> Server {
    let mut child = keydeck(home, &["serve", "--listen", "127.0.0.1:0"]).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let address = line.split(' ').find(|word| word.starts_with("http://"));
    let address = address.map(str::to_owned);
    // What else it says is read to its end, so that it never waits for a reader.
    std::thread::spawn(move || said.read_to_end(&mut Vec::new()));
    let server = Server { child, address: address.unwrap_or_default() };
    assert!(!server.address.is_empty(), "the server said {line:?}");
    server
}

/// A python3 that has `PyJWT` and cryptography: the first in the path may be one without.
#[expect(clippy::print_stdout, reason = "says why a test does nothing")]
fn python() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<_> = std::env::split_paths(&path).collect();
    places.extend(["/usr/bin".into(), "/usr/local/bin".into()]);
    let can = |python: &PathBuf| {
        let mut command = Command::new(python);
        command.args(["-c", "import jwt, cryptography; jwt.PyJWKClient"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let found = places.into_iter().map(|dir| dir.join("python3")).find(can);
    if found.is_none() {
        println!("skipped: needs PyJWT");
    }
    found
}

#[test]
fn a_resource_server_in_python_checks_our_tokens() {
    let Some(python) = python() else { return };
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    fs::write(home.join("pass"), "correct horse battery staple").unwrap();
    fs::set_permissions(home.join("pass"), fs::Permissions::from_mode(0o600)).unwrap();
    run(home, &["init", "--agency", "Acme", "--operator", "maria"]);
    let app = run(
        home,
        &[
            "app",
            "create",
            "--name",
            "Bot",
            "--uri",
            "https://bot.example",
            "--user-type",
            "both",
            "--source",
            "bot",
            "--auth",
            "jwt",
            "--scope",
            "contacts.read",
            "contacts.write",
            "--json",
        ],
    );
    let app: serde_json::Value = serde_json::from_str(&app).unwrap();
    let (id, secret) = (app["id"].as_str().unwrap(), app["secret"].as_str().unwrap());
    let (issuer, audience) = ("https://keys.example.com", "platform");

    for (rule, name) in [("token-issuer", issuer), ("token-audience", audience)] {
        run(home, &["policy", "set", rule, name]);
    }
    let server = serve(home);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/resource_server.py");
    let mut child = Command::new(python)
        .args(["-I", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let words = [server.address.as_str(), issuer, audience, id, secret].join("\n");
    child.stdin.take().unwrap().write_all(words.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert_eq!(said.trim(), "good", "{}", String::from_utf8_lossy(&done.stderr));
}
