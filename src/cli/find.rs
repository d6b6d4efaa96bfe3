//! What a typed reference means: an id, a hint, or a name that only one of those in view has. Copied out, so that the state is
//! not held while a command runs.

use super::door::Signed;
use super::fault::Fault;
use crate::domain::view::{Found, Sought};
use crate::domain::{App, Key, LocationId, OperatorId, Refusal};

/// A key.
pub fn key(signed: &Signed, reference: &str, sought: Sought) -> Result<Key, Fault> {
    signed.engine.look_up(&signed.session, reference)?;
    let now = signed.now();
    // By its hint: the id may be what another is called.
    signed.see(|view| one(view.find_key(reference, sought, now), "key", Refusal::NoSuchKey, Key::hint))
}

/// An app.
pub fn app(signed: &Signed, reference: &str) -> Result<App, Fault> {
    signed.engine.look_up(&signed.session, reference)?;
    signed.see(|view| one(view.find_app(reference), "app", Refusal::NoSuchApp, |app| app.id.to_string()))
}

/// An open location.
pub fn location(signed: &Signed, reference: &str) -> Result<LocationId, Fault> {
    signed.see(|view| {
        let found = view.find_location(reference);
        one(found, "location", Refusal::NoSuchLocation, |location| location.id.to_string()).map(|one| one.id)
    })
}

/// An operator.
pub fn operator(signed: &Signed, reference: &str, sought: Sought) -> Result<OperatorId, Fault> {
    signed.see(|view| {
        let found = view.find_operator(reference, sought);
        one(found, "operator", Refusal::NoSuchOperator, |operator| operator.id.to_string()).map(|one| one.id)
    })
}

/// The only one; else that there is none, or what to type for each of several.
fn one<T: Clone>(
    found: Found<'_, T>,
    what: &str,
    none: Refusal,
    reference: impl Fn(&T) -> String,
) -> Result<T, Fault> {
    match found {
        Found::One(one) => Ok(one.clone()),
        Found::None => Err(none.into()),
        Found::Many(all) => Err(ambiguous(what, all.into_iter().map(reference).collect())),
    }
}

/// That a name leads to several; `references` are what to type instead.
pub fn ambiguous(what: &str, mut references: Vec<String>) -> Fault {
    references.sort();
    let which = references.join(", ");
    Fault::refused("ambiguous", format!("More than one {what} has that name. Say which: {which}."))
}
