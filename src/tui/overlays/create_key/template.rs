//! A key like another one: the form for a new key, filled in as that one was, but for its secret, its age and its name, which
//! gets a number. What it was allowed to be may not be allowed any more; then the form says so.

use super::CreateKey;
use crate::domain::command::KeyEdit;
use crate::domain::{Command, Contacts, Event, Key, KeyId, Place};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::look::Look;
use crate::tui::form::Form;
use crate::tui::overlays::key_edit::contacts;
use crate::tui::sight::seen::seen;
use crate::tui::sight::subset::Subset;

/// The form for a key like one the operator sees.
pub fn like(look: &Look, key: KeyId) -> Option<Form<CreateKey>> {
    let (key, name) = seen(look, |seen| {
        let key = seen.view.key(key)?;
        Some((key.clone(), seen.view.another_name(&key.name, seen.now())))
    })?;
    let subset = match key.place {
        Place::Agency => Subset::Agency,
        Place::Location(id) => Subset::At(id),
        Place::App(id) => Subset::Of(id),
    };
    let mut form = CreateKey::of(look, subset);
    form.name.set(name.as_ref().map_or("", |name| name.as_str()));
    form.note.set(key.note.as_str());
    form.expires.set(&key.life_days().map_or_else(|| "never".to_owned(), |days| format!("{days}d")));
    form.contacts = Some(contacts(key.contacts.as_deref()));
    form.plant(look, key.scopes.iter().cloned());
    Some(Form::new(form, look))
}

/// Has the contacts of a key that was made just now written down beside it.
pub(super) fn tell(answer: &Answer, contacts: Contacts) -> Option<Ask> {
    let Answer::Done { events, .. } = answer else { return None };
    let key: &Key = events.iter().find_map(Event::key).filter(|_| !contacts.is_empty())?;
    let change = KeyEdit { contacts, ..KeyEdit::of(key) };
    let command = Command::EditKey { key: key.id, change, basis: None };
    Some(Ask::Do(Job::Run { command, said: String::new() }))
}
