//! Changing what a key may do: the tree of scopes, and what would come and go.

use std::collections::BTreeSet;

use ratatui::layout::Rect;

use super::meanwhile::{Choice, Meanwhile, Moved, ThreeScopes};
use super::scope_tree::{self, Reach};
use crate::domain::basis::Basis;
use crate::domain::{Command, KeyId, ScopeId, Scopes};
use crate::tui::action::{Action, Layer, Reason};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::kept::out_of_sight;
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay, Return};
use crate::tui::sight::deeds;
use crate::tui::sight::seen::seen;
use crate::tui::theme::Role;
use crate::tui::widgets::buttons::{Button, ButtonRow};
use crate::tui::widgets::tree::TreeState;
use crate::tui::widgets::{Focus, Handled, layout, popup, text};

/// The form.
pub struct Rescope {
    key: KeyId,
    name: String,
    before: Scopes,
    tree: TreeState<ScopeId>,
    buttons: ButtonRow,
    on_buttons: bool,
    busy: bool,
    error: Option<String>,
    leaving: bool,
    meanwhile: Option<Meanwhile>,
}

impl Rescope {
    /// For a key the operator sees.
    pub fn new(look: &Look, key: KeyId) -> Option<Self> {
        Self::with(look, key, None)
    }

    /// With these scopes ticked instead of those the key has.
    fn with(look: &Look, key: KeyId, ticked: Option<Vec<ScopeId>>) -> Option<Self> {
        let catalog = look.engine.catalog();
        seen(look, |seen| {
            let key = seen.view.key(key)?;
            let app = key.place.app().and_then(|id| seen.view.app(id)).map(|app| app.scopes.clone());
            let reach = match &app {
                Some(scopes) => Reach::within_app(scopes),
                None => Reach::key(scope_tree::level_of(key.place)),
            };
            let before = key.scopes.clone();
            let ticked = ticked.unwrap_or_else(|| before.iter().cloned().collect());
            Some(Self {
                key: key.id,
                name: key.name.to_string(),
                tree: scope_tree::tree(catalog, reach, ticked, Some(&before)),
                before,
                buttons: ButtonRow::new([Button::safe("Cancel"), Button::safe("Change scopes")]),
                on_buttons: false,
                busy: false,
                error: None,
                leaving: false,
                meanwhile: None,
            })
        })
    }

    fn command(&self) -> Command {
        Command::RescopeKey {
            key: self.key,
            scopes: self.tree.ticked().iter().map(ToString::to_string).collect(),
            basis: Some(Basis::of_key(self.key, &self.before)),
        }
    }

    /// What the scopes are now, and how that differs from what the form is based on.
    fn compare(&self, look: &Look) -> (BTreeSet<ScopeId>, Option<Moved>) {
        let now = look.view(|view| view.key(self.key).map(|key| key.scopes.clone()));
        let now = now.unwrap_or_else(|| self.before.clone());
        let three = ThreeScopes { was: &self.before, now: &now, ticked: self.tree.ticked() };
        (three.merged(), three.moved())
    }

    /// Asks whose word holds, when the scopes are others than those the form is based on.
    fn ask(&mut self, moved: Option<Moved>) -> bool {
        self.meanwhile = Meanwhile::ask(&format!("the key {}", self.name), moved.into_iter().collect());
        self.meanwhile.is_some()
    }

    /// Whose word holds was said.
    fn settle(&mut self, choice: Choice, look: &Look, out: &mut Vec<Ask>) {
        let Some(asked) = self.meanwhile.take().filter(|_| choice != Choice::Back) else { return };
        let (merged, moved) = self.compare(look);
        if asked.moved() != moved.as_slice() {
            // It changed once more while one read.
            self.ask(moved);
            return;
        }
        let ticked = (choice != Choice::Theirs).then(|| merged.into_iter().collect());
        if let Some(fresh) = Self::with(look, self.key, ticked) {
            *self = fresh;
        }
        if choice == Choice::Mine {
            self.submit(look, out);
        }
    }

    fn changes(&self) -> (Vec<&ScopeId>, Vec<&ScopeId>) {
        let added = self.tree.ticked().iter().filter(|scope| !self.before.contains(scope)).collect();
        let removed = self.before.iter().filter(|scope| !self.tree.ticked().contains(*scope)).collect();
        (added, removed)
    }

    fn submit(&mut self, look: &Look, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        if self.busy {
            return Heard::Consumed;
        }
        let (_, moved) = self.compare(look);
        if self.ask(moved) {
            return Heard::Consumed;
        }
        let command = self.command();
        let catalog = look.engine.catalog();
        if let Some(refusal) = seen(look, |seen| deeds::objection(&command, seen, catalog)) {
            self.error = Some(refusal.to_string());
            return Heard::Consumed;
        }
        self.busy = true;
        out.push(Ask::Do(Job::Run { command, said: format!("the scopes of {} are changed", self.name) }));
        Heard::Consumed
    }

    fn tree(&mut self, action: Action, out: &mut Vec<Ask>) -> Handled {
        self.error = None;
        match self.tree.act(action) {
            Ok(handled) => handled,
            Err(reason) => {
                out.push(Ask::Say(reason.to_string()));
                Handled::Unmoved
            }
        }
    }

    fn act(&mut self, action: Action, look: &Look, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        if action != Action::Cancel {
            self.leaving = false;
        }
        match action {
            Action::Submit => return self.submit(look, out),
            Action::NextField | Action::PrevField => {
                self.on_buttons = !self.on_buttons;
                self.buttons.focus(1);
            }
            Action::Press if self.on_buttons => {
                return if self.buttons.focused() == 0 { Heard::Close } else { self.submit(look, out) };
            }
            Action::Left | Action::Right if self.on_buttons => {
                self.buttons.act(action);
            }
            Action::Up if self.on_buttons => self.on_buttons = false,
            Action::Cancel | Action::Press => {
                if self.tree(action, out) == Handled::Ignored {
                    return self.leave(action, out);
                }
            }
            _ if self.on_buttons => return Heard::Ignored,
            _ => {
                self.tree(action, out);
            }
        }
        Heard::Consumed
    }

    fn leave(&mut self, action: Action, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        if action == Action::Press {
            self.on_buttons = true;
            self.buttons.focus(1);
            return Heard::Consumed;
        }
        let (added, removed) = self.changes();
        if self.leaving || (added.is_empty() && removed.is_empty()) {
            return Heard::Close;
        }
        self.leaving = true;
        out.push(Ask::Say("nothing is changed yet; esc again gives the changes up".to_owned()));
        Heard::Consumed
    }
}

impl Overlay<Look, Ask, Answer> for Rescope {
    fn name(&self) -> &'static str {
        "rescope"
    }

    fn layer(&self) -> Layer {
        Layer::Dialog
    }

    fn text_focus(&self) -> TextFocus {
        let typing = self.meanwhile.is_none() && self.tree.searching() && !self.on_buttons;
        if typing { TextFocus::Here } else { TextFocus::Elsewhere }
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, _: Now, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        if let Some(asked) = &mut self.meanwhile {
            match asked.hear(cue) {
                Choice::Open => {}
                choice => self.settle(choice, look, out),
            }
            return Heard::Consumed;
        }
        match cue {
            Cue::Do(action) => return self.act(action, look, out),
            Cue::Type(typed) => self.tree.type_char(typed.0),
            Cue::Edit(edit) => self.tree.edit(edit),
            Cue::Paste(pasted) => self.tree.paste(pasted.0),
            Cue::Click(Target::Row { pane: scope_tree::PANE, row }) => {
                self.on_buttons = false;
                self.tree.select(row);
            }
            Cue::Click(Target::Tick { pane: scope_tree::PANE, row }) => {
                self.on_buttons = false;
                self.tree.select(row);
                self.tree(Action::Toggle, out);
            }
            Cue::Click(Target::Button(0)) => return Heard::Close,
            Cue::Click(Target::Button(_)) => return self.submit(look, out),
            Cue::Wheel { rows, .. } => {
                for _ in 0..rows.unsigned_abs() {
                    self.tree(if rows < 0 { Action::Up } else { Action::Down }, out);
                }
            }
            Cue::Click(_) | Cue::Tick => return Heard::Ignored,
        }
        Heard::Consumed
    }

    fn told(&mut self, answer: Answer, look: &Look, _: Now, _: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        self.busy = false;
        match answer {
            Answer::Refused(why) => {
                self.error = Some(why);
                let (_, moved) = self.compare(look);
                self.ask(moved);
                Heard::Consumed
            }
            _ => Heard::Close,
        }
    }

    fn waits(&self) -> bool {
        true
    }

    fn unsaved(&self) -> bool {
        let (added, removed) = self.changes();
        !added.is_empty() || !removed.is_empty()
    }

    fn resume(&mut self, look: &Look) -> Return {
        if look.view(|view| view.key(self.key).is_none()) {
            return out_of_sight(look, &format!("the form with the scopes of {}", self.name));
        }
        self.leaving = false;
        let (_, moved) = self.compare(look);
        self.ask(moved);
        Return::Now
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, _: Now) {
        let catalog = look.engine.catalog();
        let inner = popup::draw(canvas, &format!("Scopes of {}", self.name), 92, area.height.max(14));
        let (upper, buttons) = layout::bottom(inner, 1);
        let (added, removed) = self.changes();
        let words = |scopes: &[&ScopeId], sign: &str| {
            scopes.iter().map(|scope| format!("{sign} {scope}")).collect::<Vec<_>>().join("  ")
        };
        let mut changes: Vec<(Role, String)> = Vec::new();
        let cells = inner.width.max(1);
        for (role, said) in [(Role::Good, words(&added, "+")), (Role::Bad, words(&removed, "-"))] {
            if !said.is_empty() {
                changes.extend(text::wrap(&said, cells).into_iter().map(|line| (role, line)));
            }
        }
        if let Some(error) = &self.error {
            let told = text::wrap(&format!("{} {error}", canvas.glyphs().bad), cells);
            changes.splice(0..0, told.into_iter().map(|line| (Role::Bad, line)));
        } else if changes.is_empty() {
            changes.push((Role::Dim, "nothing changed yet".to_owned()));
        }
        let room = (inner.height / 4).max(1);
        let lines = u16::try_from(changes.len()).unwrap_or(u16::MAX).min(room);
        let air = u16::from(inner.height >= 14) + u16::from(inner.height >= 17);
        let (tree, below) = layout::bottom(upper, lines + air);
        let (_, below) = layout::top(below, air.min(1));
        scope_tree::draw(canvas, tree, &mut self.tree, catalog, Focus::when(!self.on_buttons));
        for (line, (role, said)) in (0..lines).zip(&changes) {
            let row = layout::row(below, line);
            let more = changes.len() - usize::from(lines);
            let said = if line + 1 == lines && more > 0 {
                format!("{said} … and {more} lines more")
            } else {
                said.clone()
            };
            canvas.fit(row.x, row.y, row.width, &said, *role);
        }
        let counted = scope_tree::count(catalog, self.tree.ticked());
        let counted = if self.busy { "changing…".to_owned() } else { counted };
        canvas.fit(buttons.x, buttons.y, buttons.width / 2, &counted, Role::Dim);
        self.buttons.draw(canvas, buttons, Focus::when(self.on_buttons));
        if let Some(asked) = &self.meanwhile {
            asked.draw(canvas);
        }
    }

    fn hints(&self) -> &[Action] {
        if self.meanwhile.is_some() {
            return Meanwhile::hints();
        }
        &[Action::Toggle, Action::Filter, Action::ToggleAll, Action::Submit, Action::Cancel]
    }

    fn enabled(&self, action: Action, _: &Look) -> Result<(), Reason> {
        match action {
            Action::Submit if self.busy => Err("the change is under way".into()),
            _ => Ok(()),
        }
    }
}
