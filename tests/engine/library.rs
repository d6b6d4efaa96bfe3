//! keydeck inside another program: it opens the store, decides, says who came, and others attach to it meanwhile.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use std::path::Path;
use std::process::Command as Process;
use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::domain::catalog::{AuthMethod, Level};
use keydeck::domain::{
    Catalog, Command, Event, Name, NewApp, NewKey, Note, Place, Profile, Reason, ScopeId, SourceApp, Url,
    UserType,
};
use keydeck::engine::clock::SystemClock;
use keydeck::engine::open::{Key, Options, found};
use keydeck::engine::{Engine as _, Session, Via};
use keydeck::{Refused, Verifier};

const PHRASE: &str = "correct horse battery staple";

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn options(dir: &Path) -> Options {
    let clock = Arc::new(SystemClock);
    Options { clock, cost: Cost::IMPORTED, ..Options::new(dir, "our service", Via::CommandLine) }
}

fn issue(verifier: &Verifier, session: &Session, place: Place, scope: &str) -> String {
    let new = NewKey {
        name: name(&format!("Key of {}", place.kind())),
        place,
        scopes: vec![scope.to_owned()],
        expiry: None,
        note: Note::default(),
        decoy: false,
    };
    let done = verifier.engine().execute(session, Command::IssueKey(new)).unwrap();
    done.token.unwrap().reveal().to_owned()
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (line, value) in lines {
        map.append(HeaderName::from_static(line), HeaderValue::from_str(value).unwrap());
    }
    map
}

#[test]
fn a_program_that_embeds_it_knows_who_came_and_others_attach_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let founded =
        found(&options(dir.path()), name("Acme"), name("maria"), &Passphrase::choose(PHRASE).unwrap())
            .unwrap();
    let session = founded.open.session.clone();
    drop(founded);
    let passphrase = Passphrase::present(PHRASE).unwrap();
    let key = Key::Operator { name: "maria", passphrase: &passphrase };
    let verifier = Verifier::open(&options(dir.path()), &key).unwrap();
    let scope = Catalog::builtin().allowed_for(Level::App, AuthMethod::ApiKey).next().unwrap().id.clone();
    let app = NewApp {
        name: name("Web store"),
        profile: Profile {
            uri: Url::new("https://store.example").unwrap(),
            description: Note::default(),
            user_type: UserType::Both,
            source: SourceApp::ExternalWebstore,
            post_login: Vec::new(),
            post_logout: Vec::new(),
        },
        method: AuthMethod::ApiKey,
        scopes: vec![scope.to_string()],
        terms: keydeck::domain::Terms::default(),
    };
    let done = verifier.engine().execute(&session, Command::CreateApp(app)).unwrap();
    let Some(Event::AppCreated(app)) = done.events.first() else { unreachable!("{:?}", done.events) };
    let token = issue(&verifier, &session, Place::App(app.id), scope.as_str());

    let who = verifier.verify(token.as_bytes(), std::slice::from_ref(&scope)).unwrap();
    assert_eq!((who.kind, who.name.as_str(), who.app), ("app", "Key of app", Some(app.id)));
    assert_eq!((who.source, who.user_type), (Some(SourceApp::ExternalWebstore), Some(UserType::Both)));
    assert_eq!(who.owner.as_ref().map(Name::as_str), Some("maria"));
    assert_eq!(who.scopes, [scope]);

    // The command line works on the same store, through this process.
    let file = dir.path().join("pass");
    std::fs::write(&file, PHRASE).unwrap();
    let ran = Process::new(env!("CARGO_BIN_EXE_keydeck"))
        .args(["app", "pause", "Web store", "--operator", "maria", "--passphrase-file"])
        .arg(&file)
        .arg("--data")
        .arg(dir.path())
        .env_clear()
        .env("HOME", dir.path())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let refused = verifier.verify(token.as_bytes(), &[]);
    assert_eq!(refused.unwrap_err(), Refused::Denied(Reason::AppDisabled), "in force for the very next call");
}

#[test]
fn a_request_is_decided_by_its_headers_as_the_server_does() {
    let dir = tempfile::tempdir().unwrap();
    let phrase = Passphrase::choose(PHRASE).unwrap();
    let open = found(&options(dir.path()), name("Acme"), name("maria"), &phrase).unwrap().open;
    let verifier = Verifier::on(open.engine);
    let token = issue(&verifier, &open.session, Place::Agency, "contacts.read");
    let bearer = format!("Bearer {token}");
    let read: ScopeId = "contacts.read".parse().unwrap();
    let write: ScopeId = "contacts.write".parse().unwrap();
    let ask = |lines: &[(&'static str, &str)], wanted: &ScopeId| {
        let wanted = std::slice::from_ref(wanted);
        let decided = verifier.authorize(&headers(lines), wanted, Some("192.0.2.1".parse().unwrap()));
        decided.map(|who| who.key().unwrap()).map_err(|refused| {
            let reply = refused.reply(wanted);
            assert_eq!(reply.headers()["cache-control"], "no-store");
            (reply.status().as_u16(), reply.headers()["www-authenticate"].to_str().unwrap().to_owned())
        })
    };
    let id = ask(&[("authorization", &bearer)], &read).unwrap();
    assert_eq!(ask(&[("x-api-key", &token)], &read), Ok(id));
    let challenge = |status, rest: &str| Err((status, format!("Bearer realm=\"keydeck\"{rest}")));
    assert_eq!(ask(&[], &read), challenge(401, ""));
    assert_eq!(ask(&[("authorization", "Basic dTpw")], &read), challenge(401, ""));
    let both = [("authorization", bearer.as_str()), ("x-api-key", token.as_str())];
    assert_eq!(ask(&both, &read), challenge(400, ", error=\"invalid_request\""));
    assert_eq!(ask(&[("x-api-key", "nonsense")], &read), challenge(401, ", error=\"invalid_token\""));
    let scope = ", error=\"insufficient_scope\", scope=\"contacts.write\"";
    assert_eq!(ask(&[("x-api-key", &token)], &write), challenge(403, scope));
    verifier.engine().settle().unwrap();
    let state = verifier.engine().state();
    let seen = state.trace(id).and_then(|trace| trace.sighting.as_ref()).unwrap();
    assert_eq!(seen.address.map(|a| a.to_string()).as_deref(), Some("192.0.2.1"));
}
