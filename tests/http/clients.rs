//! The real program, and at the other end what others wrote, unmodified: clients that find it, fetch, ask and end, and
//! services that check. The versions are in `.ci/run`; the guide's table says what works with what.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::python::{Server, run, serve};

const PLATFORM: &str = "https://api.example.com";

/// A running keydeck with an app for each algorithm and a resource server, and what a client must know of it.
struct Shop {
    _server: Server,
    home: tempfile::TempDir,
    told: Value,
}

fn app(home: &Path, name: &str, more: &[&str]) -> Value {
    let profile = ["--uri", "https://bot.example", "--user-type", "both", "--source", "bot"];
    let words = [&["app", "create", "--json", "--name", name], &profile[..], more].concat();
    let app: Value = serde_json::from_str(&run(home, &words)).unwrap();
    json!({ "id": app["id"], "secret": app["secret"], "alg": app["alg"] })
}

impl Shop {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path();
        fs::write(home.join("pass"), "correct horse battery staple").unwrap();
        fs::set_permissions(home.join("pass"), fs::Permissions::from_mode(0o600)).unwrap();
        run(home, &["init", "--agency", "Acme", "--operator", "maria"]);
        let tokens = ["--auth", "jwt", "--scope", "contacts.read", "contacts.write", "--audience", PLATFORM];
        let tokens = [&tokens[..], &["https://files.example.com"]].concat();
        let apps: Vec<Value> = ["EdDSA", "ES256"]
            .iter()
            .map(|alg| app(home, alg, &[&tokens[..], &["--alg", *alg]].concat()))
            .collect();
        let server = app(home, "API", &["--auth", "resource-server"]);
        let running = serve(home);
        for (rule, name) in [("token-issuer", running.address.as_str()), ("token-audience", PLATFORM)] {
            run(home, &["policy", "set", rule, name]);
        }
        let told = json!({ "issuer": running.address, "audience": PLATFORM, "apps": apps, "server": server });
        Self { _server: running, home: dir, told }
    }

    fn is_good_for(&self, mut client: Command) {
        let child = client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap();
        child.stdin.take().unwrap().write_all(self.told.to_string().as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert_eq!(said.trim(), "good", "{}", String::from_utf8_lossy(&done.stderr));
    }
}

/// What is in the project's directory.
fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[expect(clippy::print_stdout, reason = "says why a test does nothing")]
fn skipped(needs: &str) {
    println!("skipped: needs {needs}");
}

/// Runs `tests/clients/<script>.mjs`, which uses these packages.
fn node(script: &str, packages: &[&str]) {
    let modules = here("target/clients/node_modules");
    let missing = packages.iter().find(|package| !modules.join(package).is_dir());
    if let Some(missing) = missing {
        return skipped(missing);
    }
    let shop = Shop::new();
    // Modules are looked for beside the script.
    let at = shop.home.path().join("client");
    fs::create_dir(&at).unwrap();
    symlink(&modules, at.join("node_modules")).unwrap();
    for file in ["house", script].map(|name| format!("{name}.mjs")) {
        fs::copy(here("tests/clients").join(&file), at.join(&file)).unwrap();
    }
    let mut node = Command::new("node");
    node.arg(at.join(format!("{script}.mjs")));
    shop.is_good_for(node);
}

/// Runs `tests/clients/<script>.py`, which uses these modules.
fn python(script: &str, modules: &[&str]) {
    let packages = here("target/clients/python");
    let python = || {
        let mut python = Command::new("python3");
        python.arg("-s").env("PYTHONPATH", &packages).stdin(Stdio::null());
        python
    };
    for module in modules {
        let found = python().args(["-c", &format!("import {module}")]).stderr(Stdio::null()).status();
        if !found.is_ok_and(|status| status.success()) {
            return skipped(module);
        }
    }
    let mut client = python();
    client.arg(here("tests/clients").join(format!("{script}.py")));
    Shop::new().is_good_for(client);
}

#[test]
fn openid_client_finds_us_fetches_asks_and_ends() {
    node("openid-client", &["openid-client"]);
}

#[test]
fn oauth4webapi_finds_us_by_the_platform_s_name_and_checks() {
    node("oauth4webapi", &["oauth4webapi"]);
}

#[test]
fn express_checks_tokens_by_the_issuer_alone() {
    node("express", &["express", "express-oauth2-jwt-bearer"]);
}

#[test]
fn jose_checks_each_token_with_its_own_algorithm() {
    node("jose", &["jose"]);
}

#[test]
fn simple_oauth2_fetches_and_ends() {
    node("simple-oauth2", &["simple-oauth2"]);
}

#[test]
fn authlib_fetches_asks_ends_and_checks_what_is_signed_for_it() {
    python("authlib_client", &["authlib", "joserfc", "requests"]);
}

#[test]
fn requests_oauthlib_fetches_and_asks() {
    python("requests_oauthlib_client", &["requests_oauthlib"]);
}

#[test]
fn pyjwt_and_joserfc_check_each_token_with_its_own_algorithm() {
    python("jwt_libraries", &["jwt", "joserfc", "cryptography"]);
}
