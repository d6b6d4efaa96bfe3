//! A person pastes a text in which secrets may be, sees whose they are, and goes to where they are ended.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use keydeck::crypto::random::OsEntropy;
use keydeck::crypto::token::{Token, TokenKind};
use keydeck::domain::{Command, KeyId, KeyState, Motive, Name, NewKey, Note, Place};
use keydeck::engine::open::Open;
use keydeck::tui::app::testing::{desk_on, sample};
use keydeck::tui::screens;
use keydeck::tui::testing::FakeClipboard;

fn issue(open: &Open, name: &str) -> Token {
    let new = NewKey {
        name: Name::new(name).unwrap(),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: None,
        note: Note::default(),
        decoy: false,
    };
    open.engine.execute(&open.session, Command::IssueKey(new)).unwrap().token.unwrap()
}

#[test]
fn a_text_is_pasted_and_the_key_in_it_is_ended_in_place() {
    let open = sample();
    let (leaky, dead) = (issue(&open, "Leaky"), issue(&open, "Long dead"));
    open.engine.execute(&open.session, Command::RevokeKey(KeyId(dead.id()), Motive::default())).unwrap();
    let foreign = Token::mint(TokenKind::Location, &mut OsEntropy).unwrap();
    let text = format!(
        "GET /\r\nX-API-Key: {}\n\n{{\"old\":\"\\n{}\"}} {} {}",
        dead.reveal(),
        leaky.reveal(),
        foreign.reveal(),
        leaky.reveal()
    );
    let engine = open.engine.clone();
    let id = KeyId(leaky.id());
    let mut console = desk_on(open, screens::all(), (120, 40), &FakeClipboard::default());
    console.press("3 b").sees("Leak desk").press("enter").sees("paste a text first");
    console.paste("nothing of interest").sees("no secret of keydeck's is in that");
    console.paste(&text).sees("3 secrets are in that").sees_no(&leaky.reveal()[18..]);
    console.press("enter").sees("Leak desk: 3 found, 1 working today").sees_no(&leaky.reveal()[18..]);
    console.sees(&format!("{}  works today, the key Leaky of", leaky.hint()));
    console.sees("revoked, the key Long dead of").sees("this store never issued it");
    // To the key itself, on whatever tab it is, with all that can be done with it.
    console.press("enter").sees_no("Leak desk").sees("Leaky").press("X").sees("Leaky");
    console.press("esc").sees_no("3 found");
    assert_eq!(engine.state().key(id).unwrap().state(engine.now().time), KeyState::Active);
    // What was typed instead of pasted is looked through as well.
    console.press("b").type_text(foreign.reveal()).sees_no(&foreign.reveal()[18..]).press("enter");
    console.sees("Leak desk: 1 found, 0 working today").press("enter").sees("it opens nothing here");
    let usage = engine.state().usage(id);
    assert_eq!(usage.count, 0, "looking is no use");
}
