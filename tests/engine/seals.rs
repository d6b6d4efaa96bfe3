//! A seal that cannot be written: told for as long as it lasts, and written as soon as it can be.

use std::fs;

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::domain::{Command, Name};
use keydeck::engine::open::{Options, found};
use keydeck::engine::{Engine as _, Via};

use crate::support::wait::until;

#[test]
fn a_seal_that_cannot_be_written_is_told_of_until_it_is_written_and_nobody_needs_to_change_anything_for_that()
{
    let dir = tempfile::tempdir().unwrap();
    let options = Options { cost: Cost::IMPORTED, ..Options::new(dir.path(), "test", Via::CommandLine) };
    let phrase = Passphrase::choose("correct horse battery staple").unwrap();
    let name = |text| Name::new(text).unwrap();
    let open = found(&options, name("Acme"), name("maria"), &phrase).unwrap().open;
    let seal = dir.path().join("seal");
    let behind = || open.engine.condition().health.seal_behind;
    assert_eq!(behind(), None);
    let before = fs::read(&seal).unwrap();
    // Nothing can be put in the place of a directory.
    fs::remove_file(&seal).unwrap();
    fs::create_dir(&seal).unwrap();
    open.engine.execute(&open.session, Command::ReadAudit).unwrap();
    until("it is told", || behind().is_some());
    assert!(behind().unwrap().starts_with("The seal cannot be kept"), "{:?}", behind());
    fs::remove_dir(&seal).unwrap();
    until("it is written again", || behind().is_none());
    assert_ne!(fs::read(&seal).unwrap(), before, "and says how far the store has come");
}
