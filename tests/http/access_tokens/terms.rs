//! What the tokens of an app are like: how they are signed, and whom they are for. A token that is not as its app's are
//! opens nothing, and nobody but whom it is for is told of it.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use keydeck::domain::catalog::AuthMethod;
use keydeck::domain::signing::PartyName;
use keydeck::domain::{Command, Name, NewApp, NewKey, Note, Place, Reason, Terms, TokenAlg};
use keydeck::engine::oauth::{Known, TokenRefusal};
use keydeck::engine::{Engine as _, EngineError};
use serde_json::Value;

use super::{App, Day, MINUTE, described};

fn terms(alg: TokenAlg, audiences: &[&str]) -> Terms {
    Terms { alg, audiences: audiences.iter().map(|name| PartyName::new(name).unwrap()).collect() }
}

fn new(name: &str, method: AuthMethod, terms: Terms) -> NewApp {
    let scopes: &[&str] =
        if method == AuthMethod::ResourceServer { &[] } else { &["contacts.read", "contacts.write"] };
    NewApp { terms, ..described(name, method, scopes) }
}

fn part(token: &str, n: usize) -> Value {
    let part = Base64UrlUnpadded::decode_vec(token.split('.').nth(n).unwrap()).unwrap();
    serde_json::from_slice(&part).unwrap()
}

impl Day {
    fn made(&self, name: &str, method: AuthMethod, terms: Terms) -> App {
        let command = Command::CreateApp(new(name, method, terms));
        let done = self.open().engine.execute(&self.open().session, command).unwrap();
        let token = done.token.unwrap();
        App { id: keydeck::domain::AppId(token.id()), secret: token.reveal().to_owned() }
    }

    fn edits(&self, app: &App, change: NewApp) {
        self.does(Command::EditApp { app: app.id, change, basis: None });
    }

    fn for_resource(&self, app: &App, resource: &str) -> Result<String, TokenRefusal> {
        let granted = self.engine().grant(&self.client(app), None, Some(resource))?;
        Ok(granted.token.reveal().to_owned())
    }

    fn key(&self, name: &str) -> String {
        let new = NewKey {
            name: Name::new(name).unwrap(),
            place: Place::Agency,
            scopes: vec!["contacts.read".into()],
            expiry: None,
            note: Note::default(),
            decoy: false,
        };
        let done = self.open().engine.execute(&self.open().session, Command::IssueKey(new)).unwrap();
        done.token.unwrap().reveal().to_owned()
    }

    fn told(&self, asks: &App, presented: &str) -> Option<Known> {
        self.engine().introspect(&self.client(asks), presented.as_bytes()).map(|told| told.known)
    }
}

#[test]
fn a_token_signed_in_another_way_than_its_app_s_is_refused() {
    let mut day = Day::new();
    let app = day.made("Web store", AuthMethod::Jwt, terms(TokenAlg::Es256, &[]));
    let token = day.token(&app);
    assert_eq!(part(&token, 0)["alg"], "ES256");
    assert!(day.verify(&token).is_allow() && day.told(&app, &token).is_some());
    let again = day.token(&app);
    assert_ne!(part(&token, 1)["jti"], part(&again, 1)["jti"]);

    day.edits(&app, new("Web store", AuthMethod::Jwt, Terms::default()));
    assert_eq!(day.refused(&token), Some(Reason::Revoked), "its key is still published");
    assert_eq!(day.told(&app, &token), None);
    let usual = day.token(&app);
    assert_eq!(part(&usual, 0)["alg"], "EdDSA");
    assert!(day.verify(&usual).is_allow());
    day.restart();
    assert!(day.verify(&usual).is_allow());
    assert_eq!(day.refused(&token), Some(Reason::Revoked));

    day.edits(&app, new("Web store", AuthMethod::Jwt, terms(TokenAlg::Es256, &[])));
    assert_eq!(day.refused(&usual), Some(Reason::Revoked));
}

#[test]
fn what_an_edit_ended_no_later_edit_brings_back() {
    let mut day = Day::new();
    let app = day.made("Web store", AuthMethod::Jwt, Terms::default());
    let usual = || new("Web store", AuthMethod::Jwt, Terms::default());
    let es256 = new("Web store", AuthMethod::Jwt, terms(TokenAlg::Es256, &[]));
    let narrower = NewApp { scopes: vec!["contacts.read".into()], ..usual() };
    for other in [es256, narrower] {
        let token = day.token(&app);
        assert!(day.verify(&token).is_allow());
        day.edits(&app, other);
        assert_eq!(day.refused(&token), Some(Reason::Revoked));
        day.edits(&app, usual());
        assert_eq!(day.refused(&token), Some(Reason::Revoked));
        day.restart();
        assert_eq!(day.refused(&token), Some(Reason::Revoked));
        assert!(day.verify(&day.token(&app)).is_allow(), "the next one is as good as ever");
    }
}

#[test]
fn a_name_the_platform_gave_up_lets_in_only_what_was_issued_under_it() {
    let day = Day::new();
    let files = "https://files.example.com";
    let app = day.made("Files", AuthMethod::Jwt, terms(TokenAlg::EdDsa, &[files]));
    day.names("https://keys.example.com", files);
    let before = day.token(&app);
    assert!(day.verify(&before).is_allow());
    day.clock.pass(2_000);
    day.does(Command::SetPolicy {
        name: "token-audience".into(),
        value: "https://api.example.com".into(),
        basis: None,
    });
    day.clock.pass(2_000);
    assert!(day.verify(&before).is_allow(), "it was meant for the platform, and is good until it is over");
    let after = day.token(&app);
    assert_eq!(part(&after, 1)["aud"], files);
    assert_eq!(day.refused(&after), Some(Reason::Unknown), "this one never was");
    day.clock.pass(90 * MINUTE);
    assert_eq!(day.refused(&day.token(&app)), Some(Reason::Unknown));
}

/// One byte anywhere, and the other spelling of the signature, which ECDSA would take.
#[test]
fn no_other_text_is_that_token() {
    let day = Day::new();
    let app = day.made("Web store", AuthMethod::Jwt, terms(TokenAlg::Es256, &[]));
    let token = day.token(&app);
    for place in 0..token.len() {
        let mut other = token.clone().into_bytes();
        other[place] = if other[place] == b'A' { b'B' } else { b'A' };
        assert!(!day.engine().verify(&other, &[]).is_allow(), "{place}");
    }
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
    let twin = p256::ecdsa::Signature::from_slice(&signature).unwrap();
    let twin = p256::ecdsa::Signature::from_scalars(twin.r(), -twin.s()).unwrap();
    let twin = format!("{signed}.{}", Base64UrlUnpadded::encode_string(&twin.to_bytes()));
    assert_eq!(day.refused(&twin), Some(Reason::MacMismatch));
}

#[test]
fn a_token_is_for_whom_the_app_may_name_and_nobody_else() {
    let day = Day::new();
    day.names("https://keys.example.com", "https://api.example.com");
    let plain = day.app("Plain");
    let (files, mail) = ("https://files.example.com", "https://mail.example.com/v1");
    let app = day.made("Bot", AuthMethod::Jwt, terms(TokenAlg::EdDsa, &[files, mail]));

    let own = day.for_resource(&plain, "https://api.example.com").unwrap();
    assert!(day.verify(&own).is_allow());
    for other in [files, "https://api.example.com/", "https://API.example.com", "x"] {
        assert_eq!(day.for_resource(&plain, other), Err(TokenRefusal::InvalidTarget), "{other}");
    }
    assert_eq!(part(&day.token(&app), 1)["aud"], files, "the first, unasked");
    for name in [files, mail] {
        let token = day.for_resource(&app, name).unwrap();
        assert_eq!(part(&token, 1)["aud"], name);
        assert_eq!(day.refused(&token), Some(Reason::Unknown), "it opens nothing of the platform's");
        assert!(day.told(&app, &token).is_some());
    }
    for other in ["https://api.example.com", "https://files.example.com/", "https://mail.example.com"] {
        assert_eq!(day.for_resource(&app, other), Err(TokenRefusal::InvalidTarget), "{other}");
    }

    // What it may not name any more, it has no token for either.
    let (kept, lost) = (day.for_resource(&app, files).unwrap(), day.for_resource(&app, mail).unwrap());
    day.edits(&app, new("Bot", AuthMethod::Jwt, terms(TokenAlg::EdDsa, &[files])));
    assert!(day.told(&app, &kept).is_none() && day.told(&app, &lost).is_none(), "all that was out is over");
    let kept = day.for_resource(&app, files).unwrap();
    day.edits(&app, new("Bot", AuthMethod::Jwt, terms(TokenAlg::EdDsa, &[files, mail])));
    assert!(day.told(&app, &lost).is_none(), "and stays so");
    assert!(day.told(&app, &kept).is_none());
    day.edits(&app, new("Bot", AuthMethod::Jwt, terms(TokenAlg::EdDsa, &[files])));
    let before = day.token(&plain);
    day.edits(&plain, new("Plain", AuthMethod::Jwt, terms(TokenAlg::EdDsa, &[files])));
    assert_eq!(day.refused(&before), Some(Reason::Revoked));
    day.edits(
        &plain,
        new("Plain", AuthMethod::Jwt, terms(TokenAlg::EdDsa, &["https://api.example.com", files])),
    );
    assert_eq!(day.refused(&before), Some(Reason::Revoked));
    assert!(day.verify(&day.token(&plain)).is_allow());
}

#[test]
fn a_token_for_somebody_else_is_ended_like_any() {
    let day = Day::new();
    let app = day.made("Bot", AuthMethod::Jwt, terms(TokenAlg::Es256, &["https://files.example.com"]));
    let (token, kept) = (day.token(&app), day.token(&app));
    day.engine().revoke_token(&day.client(&app), token.as_bytes()).unwrap();
    assert!(day.told(&app, &token).is_none() && day.told(&app, &kept).is_some());
}

#[test]
fn a_resource_server_is_told_what_is_for_it_and_at_once_when_it_ends() {
    let day = Day::new();
    day.names("https://keys.example.com", "https://api.example.com");
    let (files, mail) = ("https://files.example.com", "https://mail.example.com");
    let server = |name: &str, audiences: &[&str]| {
        day.made(name, AuthMethod::ResourceServer, terms(TokenAlg::EdDsa, audiences))
    };
    let (platform, filer) = (server("API", &[]), server("Files", &[files]));
    let named = server("Gateway", &["https://api.example.com", mail]);
    let app = day.app("Web store");
    let bot = day.made("Bot", AuthMethod::Jwt, terms(TokenAlg::Es256, &[files, mail]));
    let (own, other) = (day.token(&app), day.for_resource(&bot, mail).unwrap());
    let third = day.token(&bot);
    let sees = |server: &App| [&own, &third, &other].map(|token| day.told(server, token).is_some());
    assert_eq!(sees(&platform), [true, false, false]);
    assert_eq!(sees(&filer), [false, true, false]);
    assert_eq!(sees(&named), [true, false, true]);
    assert_eq!(sees(&app), [true, false, false], "row 45: an app sees its own");

    // Keys are the platform's.
    let owned = day.key("Nightly");
    for (server, told) in [(&platform, true), (&named, true), (&filer, false), (&app, false)] {
        assert_eq!(day.told(server, &owned).is_some(), told);
        assert!(day.told(server, &server.secret).is_none() && day.told(server, "x").is_none());
    }
    let Some(Known::Key { key, app: None, .. }) = day.told(&platform, &owned) else { panic!("no key") };
    day.engine().settle().unwrap();
    assert_eq!(day.engine().state().usage(key).count, 3, "whoever asks does so for the sake of a request");

    day.does(Command::revoke(key));
    assert_eq!(day.told(&platform, &owned), None);
    day.engine().revoke_token(&day.client(&app), own.as_bytes()).unwrap();
    assert_eq!(day.told(&platform, &own), None);
    day.does(Command::PauseApp(bot.id));
    assert_eq!(sees(&filer), [false; 3]);
    day.does(Command::ResumeApp(bot.id));
    day.clock.pass(10 * MINUTE);
    assert_eq!(sees(&named), [false; 3], "over");

    assert_eq!(day.asks(&platform, None).err(), Some(TokenRefusal::UnauthorizedClient));
    day.does(Command::PauseApp(platform.id));
    let id = platform.id.to_string();
    let paused = day.engine().authenticate(&id, platform.secret.as_bytes()).err();
    assert_eq!(paused, Some(TokenRefusal::InvalidClient));
}

#[test]
fn what_is_not_said_of_an_app_of_that_kind_is_refused() {
    let day = Day::new();
    let some = terms(TokenAlg::EdDsa, &["https://files.example.com"]);
    let es256 = terms(TokenAlg::Es256, &[]);
    let twice = terms(TokenAlg::EdDsa, &["a", "a"]);
    let many: Vec<String> = (0..=Terms::AUDIENCES).map(|n| n.to_string()).collect();
    let many = terms(TokenAlg::EdDsa, &many.iter().map(String::as_str).collect::<Vec<_>>());
    let scopes =
        NewApp { terms: Terms::default(), ..described("A", AuthMethod::ResourceServer, &["contacts.read"]) };
    for (app, code) in [
        (new("A", AuthMethod::ApiKey, some.clone()), "terms_without_tokens"),
        (new("A", AuthMethod::ApiKey, es256.clone()), "terms_without_tokens"),
        (new("A", AuthMethod::ResourceServer, es256), "terms_without_tokens"),
        (scopes, "terms_without_tokens"),
        (new("A", AuthMethod::Jwt, twice), "audiences"),
        (new("A", AuthMethod::ResourceServer, many), "audiences"),
        (NewApp { scopes: Vec::new(), ..new("A", AuthMethod::Jwt, some) }, "no_scopes"),
    ] {
        let no = day.engine().execute(&day.open().session, Command::CreateApp(app.clone())).err();
        let Some(EngineError::Refused(refusal)) = no else { panic!("{app:?}: {no:?}") };
        assert_eq!(refusal.code(), code, "{app:?}");
    }
}
