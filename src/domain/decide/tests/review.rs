//! Signing a review off: by whoever manages the keys, with a reason for each that is kept.

use super::*;
use crate::domain::review::{Breadth, Keep, Looked, Reviewer, Signed, looked, review};

fn sign(kept: Vec<Keep>) -> Command {
    signing(Vec::new(), kept)
}

fn signing(looked: Vec<Looked>, kept: Vec<Keep>) -> Command {
    Command::SignReview { looked, kept, note: Note::new("as every quarter").unwrap() }
}

fn says(world: &World, actor: Actor) -> Vec<Looked> {
    let by = Reviewer { view: View::new(&world.state, actor), catalog: Catalog::builtin(), now: world.now };
    let said: Vec<_> = review(by, Breadth::Telling).iter().map(|row| by.of(row)).collect();
    looked(said.iter().map(Vec::as_slice))
}

fn keep(key: KeyId, why: &str) -> Keep {
    Keep { key, why: Note::new(why).unwrap() }
}

#[test]
fn a_sign_off_says_what_was_looked_at_and_what_was_kept_and_why() {
    let (mut world, maria) = World::founded();
    let key = world.issue(maria, agency_key("Yearly report")).unwrap();
    world.now = Timestamp(NOW.0 + 400 * DAY_MS);
    let said = says(&world, maria);
    // What was signed is what the review said: no more, no less, nothing else.
    let mut more = said.clone();
    more[0].count += 1;
    for wrong in [Vec::new(), said[1..].to_vec(), more] {
        let refused = world.run(maria, &signing(wrong, vec![keep(key, "for the auditors")]));
        assert!(matches!(refused, Err(Refusal::ChangedMeanwhile { .. })), "{refused:?}");
    }
    let events = world.run(maria, &signing(said, vec![keep(key, "for the auditors")])).unwrap();
    let told: Vec<_> =
        events.iter().flat_map(Event::changes).map(|change| (change.field, change.to)).collect();
    let text = |field: &str, to: &str| (field.to_owned(), to.to_owned());
    assert_eq!(
        told,
        [
            text("not_rotated", "1"),
            text("no_expiry", "1"),
            text(Signed::NOTE, "as every quarter"),
            text(Signed::KEPT, "for the auditors")
        ]
    );
    let kept = world.key(key).kept.as_deref().unwrap();
    assert_eq!((kept.word.by, kept.word.at), (maria.operator, world.now));
    assert_eq!(
        Command::SignReview { looked: vec![], kept: vec![], note: Note::default() }.name(),
        Signed::EVENT
    );
}

#[test]
fn nobody_keeps_what_is_not_theirs_or_has_ended_or_without_a_reason() {
    let (mut world, maria) = World::founded();
    let key = world.issue(maria, agency_key("Yearly report")).unwrap();
    let (jonas, vera) =
        (world.operator(maria, "jonas", Role::Manager), world.operator(maria, "vera", Role::Viewer));
    assert_eq!(world.run(jonas, &sign(vec![keep(key, "mine")])), Err(Refusal::NoSuchKey));
    assert!(matches!(world.run(vera, &sign(Vec::new())), Err(Refusal::RoleTooLow { .. })));
    assert!(world.run(jonas, &sign(Vec::new())).is_ok());
    assert!(matches!(world.run(maria, &sign(vec![keep(key, "")])), Err(Refusal::BadText { .. })));
    let bad = Err(Refusal::BadSignOff { limit: Signed::MOST });
    assert_eq!(world.run(maria, &sign(vec![keep(key, "a"), keep(key, "b")])), bad);
    let unknown = vec![Looked { code: "<b>".into(), count: 1 }];
    let unknown = Command::SignReview { looked: unknown, kept: Vec::new(), note: Note::default() };
    assert_eq!(world.run(maria, &unknown), bad);
    world.run(maria, &Command::revoke(key)).unwrap();
    assert!(matches!(world.run(maria, &sign(vec![keep(key, "late")])), Err(Refusal::WrongState { .. })));
}
