//! Taking back what was done to keys, exactly to those it was done to: which of them are not what it made of them any more,
//! and what stops by it.

use std::collections::HashSet;

use super::crowd::left_out;
use super::{Accept, Confirm, Told, Wanted};
use crate::domain::blast::many::Struck;
use crate::domain::undo::Undo;
use crate::domain::{Command, KeyId, Refusal};
use crate::tui::action::Danger;
use crate::tui::app::look::Look;
use crate::tui::list::page::Line;
use crate::tui::sight::deeds;
use crate::tui::sight::radius::Whom;
use crate::tui::sight::seen::{Seen, seen};
use crate::tui::theme::Role;

/// Of what was done, all of one kind; `None` where nothing of it can be taken back.
pub fn ask(look: &Look, undos: &[Undo]) -> Option<Confirm> {
    let back = &undos.first()?.back;
    seen(look, |seen| {
        let (mut commands, mut left): (Vec<Command>, Vec<(String, Vec<KeyId>)>) = (Vec::new(), Vec::new());
        for undo in undos {
            match possible(undo, seen) {
                Ok(command) => commands.push(command),
                Err(why) => match left.iter_mut().find(|(known, _)| *known == why) {
                    Some((_, keys)) => keys.push(undo.key),
                    None => left.push((why, vec![undo.key])),
                },
            }
        }
        if commands.is_empty() {
            return None;
        }
        let count = commands.len();
        let keys = if count == 1 { "1 key".to_owned() } else { format!("{count} keys") };
        let are = if count == 1 { "It is then" } else { "They are then" };
        let mut lines = vec![Line::of(Role::Text, format!("{are} {}.", back.done()))];
        lines.extend(left.iter().map(|(why, keys)| left_out(keys, "", why, seen)));
        lines.push(Line::blank());
        let radius = lines.len();
        let ids: HashSet<KeyId> = commands.iter().filter_map(Command::key).collect();
        let struck = Struck::of(seen.view, ids.iter().filter_map(|id| seen.view.key(*id)), [], seen.now());
        let accept =
            Accept::Many(commands, Told { done: back.done(), undo: None, back: None, unmarks: false });
        let danger = if back.denies() { Danger::Dangerous } else { Danger::Safe };
        let title = format!("Take back {} of {keys}", back.what());
        let mut question = Confirm::new(title, lines, ("Take back", danger), accept);
        if !back.denies() {
            return Some(question.willing());
        }
        question.typed = struck.in_use().then(|| Wanted::number_of_keys(&count));
        Some(question.telling_of_many(struck, Whom::Any, radius, seen))
    })
}

/// What takes it back, as far as the rules would let it be done now.
fn possible(undo: &Undo, seen: &Seen<'_>) -> Result<Command, String> {
    let command = undo.command(seen.view).map_err(|refusal| match refusal {
        Refusal::ChangedMeanwhile { .. } => "changed meanwhile".to_owned(),
        other => other.to_string(),
    })?;
    match deeds::objection(&command, seen) {
        Some(refusal) => Err(refusal.to_string()),
        None => Ok(command),
    }
}
