//! Something done to keys: what they are, who uses them, what will stop; and which of those marked it cannot be done to.

use super::before::{About, Use, stops};
use super::crowd::{left_out, named};
use super::reasons::Reasons;
use super::{Accept, Confirm, Spell, Told, Wanted};
use crate::domain::blast::Blast;
use crate::domain::history::Picture;
use crate::domain::{Bearer, Key, KeyId, KeyState};
use crate::tui::action::Danger;
use crate::tui::app::look::Look;
use crate::tui::list::page::Line;
use crate::tui::sight::deeds::{self, Deed};
use crate::tui::sight::plan::Plan;
use crate::tui::sight::radius::{self, Whom};
use crate::tui::sight::seen::{Seen, seen};
use crate::tui::theme::Role;
use crate::tui::widgets::buttons::{Button, ButtonRow};

/// The question whether to do `deed` to those of `keys` it is possible for; `None` when there is none.
pub fn ask(look: &Look, deed: Deed, keys: &[KeyId]) -> Option<Confirm> {
    let plan = seen(look, |seen| Plan::of(keys.iter().map(|key| deed.command(*key)), seen));
    planned(look, deed, keys, plan)
}

/// When those that nobody uses are deleted, whoever has them.
fn going(found: &[&Key], seen: &Seen<'_>) -> Option<Line> {
    let goes: Vec<_> = found.iter().filter_map(|key| seen.goes(key)).collect();
    let when = seen.times.relative(*goes.iter().min()?);
    let said = match goes.len() {
        1 if found.len() == 1 => format!("It is deleted for want of use {when} unless it is used."),
        count => format!("Deleted for want of use unless they are used: {count}, the first {when}."),
    };
    Some(Line::of(Role::Warn, said))
}

/// The same, where it was worked out before what would become of them.
pub fn planned(look: &Look, deed: Deed, keys: &[KeyId], plan: Plan) -> Option<Confirm> {
    let Plan { possible, left, struck } = plan;
    seen(look, |seen| {
        let found: Vec<&Key> = possible.iter().filter_map(|command| seen.view.key(command.key()?)).collect();
        let first = *found.first()?;
        let one = found.len() == 1;
        let left_out = left.iter().map(|(keys, why)| left_out(keys, "marked", why, seen));
        let live = found.iter().any(|key| !key.state(seen.now()).is_over());
        let harms = deed.danger() == Danger::Dangerous && live;
        let mut lines = Vec::new();
        let radius;
        if one {
            lines.push(Line::of(Role::Title, first.name.as_str()));
            lines.push(Line::of(Role::Dim, facts(first, seen)));
            lines.push(Line::blank());
            lines.push(Line::of(Role::Warn, used(first, seen, deed)));
            radius = lines.len();
            lines.extend(left_out);
            lines.push(Line::of(Role::Text, consequence(deed, one)));
            if deed.danger() == Danger::Dangerous && seen.view.old_half(first, seen.now()).is_some() {
                lines.push(Line::of(Role::Warn, "So is its old half, which still works."));
            }
        } else {
            // Who uses them comes first, and names last: in a small window those are what gives way.
            radius = 0;
            lines.extend(harms.then(Line::blank));
            lines.push(Line::of(Role::Text, consequence(deed, one)));
            let ending = found.iter().filter(|key| key.expiry.instant().is_some()).count();
            if deed == Deed::Keep && ending > 0 {
                lines.push(Line::of(Role::Warn, format!("{ending} of them have an end, which stands.")));
            }
            lines.extend(left_out);
            if !harms {
                lines.push(Line::blank());
                lines.extend(named(&found, |key| used(key, seen, deed)));
            }
        }
        if let Deed::Give(_) = deed {
            lines.extend(going(&found, seen));
        }
        let undo = match deed {
            Deed::Pause => Some(("; u resumes it", "; u resumes them")),
            Deed::Resume | Deed::Unprotect => Some(("; u takes it back", "; u takes it back")),
            // A key that is not seen any more is not taken back.
            Deed::Give(_) if seen.view.is_whole() => Some(("; u takes it back", "; u takes it back")),
            Deed::Give(_) | Deed::Revoke | Deed::Delete | Deed::Restore | Deed::Keep => None,
        };
        let accept = if one {
            let undo = undo.map_or("", |(one, _)| one);
            Accept::One(deed.command(first.id), format!("{} is {}{undo}", first.name, deed.done()))
        } else {
            let each = found.iter().map(|key| deed.command(key.id)).collect();
            Accept::Many(each, Told { done: deed.done(), undo, back: deed.back(), unmarks: deed.is_final() })
        };
        let verb = deed.verb();
        let title = if one { format!("{verb} key") } else { format!("{verb} {} keys", found.len()) };
        let mut question = Confirm::new(title, lines, (verb, deed.danger()), accept);
        if deed == Deed::Revoke {
            question.reasons = Some(Reasons::new());
            // Room for all of them in one line.
            question.width = 80;
        }
        let in_use = harms && struck.in_use();
        question.typed = ((deed.is_final() && live) || in_use).then(|| match found.as_slice() {
            [key] => Wanted::name("the key's name", key.name.to_string()),
            many => Wanted::number_of_keys(&many.len()),
        });
        question.spell = (deed == Deed::Pause).then(Spell::default);
        // Of a mixed selection those that work can be paused, or those that are paused resumed.
        let is_paused = |key: &KeyId| {
            let key = seen.view.key(*key);
            key.is_some_and(|key| key.state(seen.now()) == KeyState::Paused)
        };
        let paused = if deed == Deed::Pause {
            let paused: Vec<KeyId> = keys.iter().copied().filter(is_paused).collect();
            deeds::possible(Deed::Resume, &paused, seen).len()
        } else {
            0
        };
        if paused > 0 {
            let keys = keys.to_vec();
            question.buttons = ButtonRow::new([
                Button::safe("Cancel"),
                Button::dangerous(format!("Pause {}", found.len())),
                Button::safe(format!("Resume {paused} instead")),
            ]);
            question.instead = Some(Box::new(move |look| ask(look, Deed::Resume, &keys)));
        }
        if harms && one {
            let key = first.id;
            let tell = move |used: Use<'_>, seen: &Seen<'_>| tell(key, used.picture(), seen);
            question = question.telling(About::One(Bearer::Key(key)), radius, tell, seen);
        } else if harms {
            question = question.telling_of_many(struck, Whom::Any, radius, seen);
        }
        Some(question)
    })
}

/// Who uses a key and what stops with it.
pub(super) fn radius_of(key: &Key, picture: Option<&Picture>, seen: &Seen<'_>) -> Blast {
    Blast::of_key(seen.view, key, key.scopes.iter(), picture, seen.now())
}

/// What stops with a key.
pub(super) fn tell(key: KeyId, picture: Option<&Picture>, seen: &Seen<'_>) -> Vec<Line> {
    let told = seen
        .view
        .key(key)
        .map(|key| radius::lines(&radius_of(key, picture, seen), seen.now(), |at| seen.times.relative(at)));
    stops(told.unwrap_or_default())
}

fn consequence(deed: Deed, one: bool) -> &'static str {
    match (deed, one) {
        (Deed::Pause, true) => "It is refused from the next request on, until it is resumed.",
        (Deed::Pause, false) => "They are refused from the next request on, until they are resumed.",
        (Deed::Resume, true) => "It works again from the next request on.",
        (Deed::Resume, false) => "They work again from the next request on.",
        (Deed::Revoke, true) => {
            "Revoking is final: its secret never works again. To stop it for a while, pause it."
        }
        (Deed::Revoke, false) => {
            "Revoking is final: their secrets never work again. To stop them for a while, pause them."
        }
        (Deed::Delete, true) => {
            "Its secret never works again and it goes from the list. Its record can be restored for 30 days."
        }
        (Deed::Delete, false) => {
            "Their secrets never work again and they go from the list. Records can be restored for 30 days."
        }
        (Deed::Keep, true) => {
            "Its days without use count anew from now, and what was told of its deletion holds no more."
        }
        (Deed::Keep, false) => {
            "Their days without use count anew from now, and what was told of their deletion holds no more."
        }
        (Deed::Unprotect, true) => "It can be deleted for want of use again; its days count from now.",
        (Deed::Unprotect, false) => "They can be deleted for want of use again; their days count from now.",
        (Deed::Give(_), true) => {
            "Its token stays the same and its callers notice nothing. Whose it is now sees it no longer."
        }
        (Deed::Give(_), false) => {
            "Their tokens stay the same and their callers notice nothing. Whose they are now sees them no longer."
        }
        (Deed::Restore, true) => "Its record comes back to the list as revoked. Its secret stays dead.",
        (Deed::Restore, false) => "Their records come back to the list as revoked. Their secrets stay dead.",
    }
}

fn facts(key: &Key, seen: &Seen<'_>) -> String {
    let place = seen.view.place_name(key.place);
    let place =
        place.map_or_else(|| "agency key".to_owned(), |place| format!("{} key of {place}", key.place.kind()));
    format!("{}  {place}, owned by {}", key.hint(), seen.view.owner_name(key))
}

fn used(key: &Key, seen: &Seen<'_>, deed: Deed) -> String {
    let stops = if deed.danger() == Danger::Dangerous && !key.state(seen.now()).is_over() {
        ": what uses it will stop at once."
    } else {
        "."
    };
    super::used(seen.view.last_use_of_whole(key, seen.now()), stops, seen)
}
