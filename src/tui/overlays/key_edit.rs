//! Changing a key: what it is called, what it is for, when it ends, when one is told of that and who is besides its owner.
//! Putting the end off is all there is to extending a key; its token stays the same.

use crate::domain::basis::Basis;
use crate::domain::command::KeyEdit;
use crate::domain::{Command, Contacts, Expiry, Key, KeyId, Name, Note, Policy, Refusal};
use crate::tui::app::ask::Job;
use crate::tui::app::kept::out_of_sight;
use crate::tui::app::look::Look;
use crate::tui::app::times::{self, Times};
use crate::tui::form::choice::{Reading, TypedChoice};
use crate::tui::form::meanwhile::{Choice, Moved};
use crate::tui::form::{Asking, Face, Form, Manner, Own, Pages, Spot, Told};
use crate::tui::overlay::Return;
use crate::tui::sight::deeds;
use crate::tui::sight::seen::seen;
use crate::tui::widgets::field::TextField;

/// The word for an end that stays where it is.
const AS_IT_IS: &str = "as it is";
/// The word for days that the policy says.
const POLICY: &str = "policy";

pub struct EditKey {
    /// As it was when the form was filled.
    before: Key,
    name: TextField,
    note: TextField,
    ends: TypedChoice<Expiry>,
    notice: TypedChoice<Option<u32>>,
    contacts: TextField,
}

/// The field for contacts, wherever they are named.
pub fn contacts(now: Option<&Contacts>) -> TextField {
    let field = TextField::new("Contacts").placeholder("up to 5 besides its owner: mail, URL, phone");
    field.filled(&now.map_or_else(String::new, ToString::to_string))
}

/// The form for a key the operator sees.
pub fn new(look: &Look, key: KeyId) -> Option<Form<EditKey>> {
    let before = look.view(|view| view.key(key).cloned())?;
    Some(Form::new(EditKey::of(before, look), look))
}

/// The same, ready for another end.
pub fn extend(look: &Look, key: KeyId) -> Option<Form<EditKey>> {
    Some(new(look, key)?.at(2))
}

impl EditKey {
    fn of(before: Key, look: &Look) -> Self {
        Self {
            name: TextField::new("Name").filled(before.name.as_str()),
            note: TextField::new("Note")
                .filled(before.note.as_str())
                .placeholder("who runs it, where it is kept"),
            ends: ends(before.expiry, look),
            notice: notice(&before, look),
            contacts: contacts(before.contacts.as_deref()),
            before,
        }
    }

    /// What the form says, as far as it can be read.
    fn change(&self) -> Option<KeyEdit> {
        Some(KeyEdit {
            name: Name::new(self.name.text()).ok()?,
            note: Note::new(self.note.text()).ok()?,
            expiry: self.ends.value()?,
            notice_days: self.notice.value()?,
            contacts: Contacts::read(self.contacts.text()).ok()?,
        })
    }

    fn command(&self) -> Option<Command> {
        let basis = Some(Basis::of_key(&self.before));
        Some(Command::EditKey { key: self.before.id, change: self.change()?, basis })
    }
}

/// When it ends: as it is, or counted from now.
fn ends(now: Expiry, look: &Look) -> TypedChoice<Expiry> {
    let times = Times::of(look);
    let suggestions = [AS_IT_IS].into_iter().chain(lives(look));
    TypedChoice::new("Ends", suggestions, move |text| read_end(text, now, times))
}

/// How long a key may live from now on, as it is proposed.
pub fn lives(look: &Look) -> Vec<&'static str> {
    let limit = look.view(|view| view.policy().max_life);
    let may = |days| limit.is_none_or(|limit| days <= limit);
    let spans = [(30, "30d"), (90, "90d"), (365, "1y")].into_iter().filter(|(days, _)| may(*days));
    spans.map(|(_, word)| word).chain(limit.is_none().then_some("never")).collect()
}

fn read_end(text: &str, before: Expiry, times: Times) -> Reading<Expiry> {
    if text.trim() == AS_IT_IS {
        let says = before
            .instant()
            .map_or_else(|| "it never ends".to_owned(), |at| format!("it ends {}", times.both(at)));
        return Ok((before, says));
    }
    let after = times.read_expiry(text).map_err(|why| why.to_string())?;
    let says = match (after, before) {
        (Expiry::Never, _) => "it works until somebody revokes it".to_owned(),
        (Expiry::At(at), Expiry::Never) => {
            format!("until {}, {}; it never ended", times.zoned(at), times.relative(at))
        }
        (Expiry::At(at), Expiry::At(was)) => {
            let by = at.since(was);
            let shift = if by < 0 { "sooner" } else { "later" };
            let by = times::duration(by.saturating_abs());
            format!("until {}, {}; {by} {shift} than now", times.zoned(at), times.relative(at))
        }
    };
    Ok((after, says))
}

/// Days before its end at which one is told of it.
fn notice(now: &Key, look: &Look) -> TypedChoice<Option<u32>> {
    let policy = look.view(|view| view.policy().notice_for(now.place));
    let own = now.notice_days.map(|days| format!("{days}d"));
    let words = ["7d", "14d", "30d"].map(str::to_owned);
    let rest = words.into_iter().filter(|word| Some(word) != own.as_ref());
    let first = own.clone().into_iter().chain([POLICY.to_owned()]);
    TypedChoice::new("Notice", first.chain(rest), move |text| read_notice(text, policy))
}

fn read_notice(text: &str, policy: u32) -> Reading<Option<u32>> {
    let text = text.trim();
    if text == POLICY {
        return Ok((None, format!("{policy} days before its end, as the policy says")));
    }
    let days = text.strip_suffix('d').unwrap_or(text).parse().ok().and_then(Policy::notice);
    let days =
        days.ok_or_else(|| format!("write {POLICY} or a number of days from 1 to 365, such as 30d"))?;
    let says = if days == 1 {
        "1 day before its end".to_owned()
    } else {
        format!("{days} days before its end, and 1 day")
    };
    Ok((Some(days), says))
}

impl Asking for EditKey {
    fn manner(&self) -> Manner {
        Manner { doing: "changing the key", width: 84, labels: 10, ..Manner::small("key-edit") }
    }

    fn fields(&mut self) -> Pages<'_> {
        vec![vec![&mut self.name, &mut self.note, &mut self.ends, &mut self.notice, &mut self.contacts]]
    }

    fn face(&self, _: &Look, _: Spot) -> Face {
        Face { title: format!("Edit {}", self.before.name), ..Face::default() }
    }

    fn check(&mut self, look: &Look, _: Told) -> Option<String> {
        self.name.error = Name::new(self.name.text()).err().map(|why| why.to_string());
        self.note.error = Note::new(self.note.text()).err().map(|why| why.to_string());
        self.contacts.error = Contacts::read(self.contacts.text()).err().map(|why| why.to_string());
        let command = self.command()?;
        let refusal = seen(look, |seen| deeds::objection(&command, seen))?;
        let said = refusal.to_string();
        match refusal {
            Refusal::NameTaken { .. } => self.name.error = Some(said),
            Refusal::BadExpiry(_) | Refusal::LifeTooLong { .. } | Refusal::ClockSuspect => {
                self.ends.field.error = Some(said);
            }
            _ => {}
        }
        None
    }

    fn submit(&mut self, look: &Look) -> Result<Job, String> {
        let command = self.command().ok_or("something of it cannot be read")?;
        if let Some(refusal) = seen(look, |seen| deeds::objection(&command, seen)) {
            return Err(refusal.to_string());
        }
        let times = Times::of(look);
        let name = self.name.text().trim();
        let ends = self.ends.value().filter(|ends| *ends != self.before.expiry);
        // Who puts an end off may think that it stays.
        let gone =
            ends.and_then(|expiry| seen(look, |seen| seen.goes(&Key { expiry, ..self.before.clone() })));
        let gone =
            gone.map_or_else(String::new, |at| format!("; unused, it is deleted {}", times.relative(at)));
        let said = match ends {
            Some(Expiry::At(at)) => format!("{name} ends {}{gone}", times.both(at)),
            Some(Expiry::Never) => format!("{name} never ends{gone}"),
            None => format!("{name} is changed"),
        };
        Ok(Job::Run { command, said })
    }

    fn what(&self) -> String {
        format!("the key {}", self.before.name)
    }

    fn moved(&mut self, look: &Look) -> Vec<Moved> {
        let Some(now) = look.view(|view| view.key(self.before.id).cloned()) else { return Vec::new() };
        let times = Times::of(look);
        let end = |expiry: Expiry| expiry.instant().map_or_else(|| "never".to_owned(), |at| times.minute(at));
        let days = |days: Option<u32>| days.map_or_else(|| POLICY.to_owned(), |days| format!("{days}d"));
        let said = |key: &Key| contacts(key.contacts.as_deref()).text().to_owned();
        let before = &self.before;
        let mine =
            (self.ends.value().unwrap_or(before.expiry), self.notice.value().unwrap_or(before.notice_days));
        let fields = [
            Moved::of("name", before.name.as_str(), now.name.as_str(), self.name.text().trim()),
            Moved::of("note", before.note.as_str(), now.note.as_str(), self.note.text().trim()),
            Moved::of("end", &end(before.expiry), &end(now.expiry), &end(mine.0)),
            Moved::of("notice", &days(before.notice_days), &days(now.notice_days), &days(mine.1)),
            Moved::of("contacts", &said(before), &said(&now), self.contacts.text().trim()),
        ];
        fields.into_iter().flatten().collect()
    }

    fn rebase(&mut self, choice: Choice, look: &Look) -> Own {
        let Some(now) = look.view(|view| view.key(self.before.id).cloned()) else { return Own::Left };
        let fresh = Self::of(now, look);
        if choice == Choice::Theirs {
            *self = fresh;
            return Own::Gone;
        }
        // One's own changes stay above what there is now.
        let was = Self::of(self.before.clone(), look);
        let own =
            |mine: &str, was: &str, now: &str| if mine == was { now.to_owned() } else { mine.to_owned() };
        self.name.set(&own(self.name.text(), was.name.text(), fresh.name.text()));
        self.note.set(&own(self.note.text(), was.note.text(), fresh.note.text()));
        self.contacts.set(&own(self.contacts.text(), was.contacts.text(), fresh.contacts.text()));
        let (ends, notice) =
            (self.ends.text().to_owned(), own(self.notice.text(), was.notice.text(), fresh.notice.text()));
        (self.ends, self.notice) = (fresh.ends, fresh.notice);
        self.ends.set(&ends);
        self.notice.set(&notice);
        self.before = fresh.before;
        Own::Left
    }

    fn resume(&mut self, look: &Look) -> Return {
        if look.view(|view| view.key(self.before.id).is_some()) {
            return Return::Now;
        }
        out_of_sight(look, &format!("the form for {}", self.before.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::domain::time::DAY_MS;
    use crate::tui::app::times::Zone;

    #[test]
    fn an_end_is_said_with_how_much_later_or_sooner_it_is_than_now() {
        let now = Timestamp(1_790_000_000_000);
        let times = Times::new(now, Zone::UTC);
        let before = Expiry::At(Timestamp(now.0 + 6 * DAY_MS));
        let said = |text: &str, before| read_end(text, before, times).unwrap().1;
        assert_eq!(said("90d", before), "until 2026-12-20 14:13 +00:00, in 90 d; 84 d later than now");
        assert!(said("3d", before).ends_with("3 d sooner than now"));
        assert_eq!(said("as it is", before), "it ends 2026-09-27 14:13, in 6 d");
        assert!(said("90d", Expiry::Never).ends_with("it never ended"));
        assert!(read_end("soon", before, times).is_err());
        assert_eq!(
            read_notice("policy", 7).unwrap(),
            (None, "7 days before its end, as the policy says".into())
        );
        assert_eq!(read_notice("30", 7).unwrap().0, Some(30));
        assert!(read_notice("0d", 7).is_err() && read_notice("366d", 7).is_err());
    }
}
