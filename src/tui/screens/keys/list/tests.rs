//! The list keeps its place and its pace.

use super::*;
use crate::domain::{
    Access, Actor, Expiry, Name, Note, Operator, OperatorId, Place, PublicId, Record, Role as Rank, Scopes,
    Standing, State, Status, Timestamp, Verifier, id::BASE58,
};
use crate::tui::{
    action::Action,
    app::times::{Times, Zone},
    list::{Change, List},
    overlay::{Cue, Typed},
    testing,
    widgets::Focus,
};

const NOW: Timestamp = Timestamp(1_790_000_000_000);

fn id(n: usize) -> PublicId {
    let mut bytes = [b'1'; 12];
    let mut rest = n;
    for byte in &mut bytes {
        *byte = BASE58[rest % 58];
        rest /= 58;
    }
    PublicId::from_bytes(bytes).unwrap()
}

/// So many agency keys of one admin.
fn agency(count: usize) -> (State, Actor) {
    let me = OperatorId(id(0));
    let mut state = State::default();
    let name = Name::new("maria").unwrap();
    let standing = Standing::Active;
    state.put(Record::Operator(Operator { id: me, name, role: Rank::Admin, standing, created_at: NOW }));
    let scopes = Scopes::new(["contacts.read".parse().unwrap()]).unwrap();
    for n in 0..count {
        state.put(Record::Key(Key {
            id: KeyId(id(n + 1)),
            name: Name::new(&format!("Key {n:06}")).unwrap(),
            place: Place::Agency,
            owner: me,
            scopes: scopes.clone(),
            note: Note::default(),
            created_at: NOW,
            expiry: Expiry::Never,
            status: Status::Active,
            verifier: Verifier { digest: [0; 32], pepper: 1 },
            imported: None,
        }));
    }
    (state, Actor { operator: me, access: Access::Own })
}

fn press(list: &mut List<Keys>, action: Action, seen: &Seen<'_>) {
    let change = list.hear(Cue::Do(action));
    list.settle(change, seen);
}

fn type_text(list: &mut List<Keys>, text: &str, seen: &Seen<'_>) {
    press(list, Action::Filter, seen);
    for c in text.chars() {
        let change = list.hear(Cue::Type(Typed(c)));
        assert_eq!(change, Change::Filter);
        list.settle(change, seen);
    }
}

fn filled(seen: &Seen<'_>) -> List<Keys> {
    let mut list = List::new(1, columns(Subset::Agency, seen));
    list.fill(Subset::Agency.keys(seen).map(|key| key.id), seen);
    list
}

#[test]
fn a_hundred_thousand_keys_are_sorted_filtered_and_shown_by_the_window() {
    let (state, actor) = agency(100_000);
    let seen = Seen::new(&state, actor, Times::new(NOW, Zone::UTC));
    let mut list = filled(&seen);
    assert_eq!((list.shown(), list.listed()), (100_000, 100_000));
    press(&mut list, Action::Bottom, &seen);
    let drawn = testing::draw(100, 12, |canvas, area| list.draw(canvas, area, &seen, Focus::Here, ""));
    assert!(drawn[11].contains("Key 099999") && drawn[1].contains("Key 099989"), "{drawn:?}");
    let selected = list.selected();
    type_text(&mut list, "0999", &seen);
    assert_eq!((list.shown(), list.selected()), (120, selected));
    press(&mut list, Action::Back, &seen);
    assert_eq!((list.shown(), list.selected()), (100_000, selected));
}
