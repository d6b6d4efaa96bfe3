//! Issuing a key: name, kind and location, life, note, scopes. Judged as it is typed by the rules that judge the
//! command; nothing typed is lost when a rule, or the engine, says no.
//!
//! - [`form`]: the values and what is wrong with them. [`for_app`]: what is special about a key of an app. `draw`: two columns, or two pages where there is no room.

mod draw;
pub mod for_app;
pub mod form;
pub mod pick;

use self::{
    form::{Form, Kind, Stop},
    pick::Pick,
};
use super::{scope_tree, secret::Secret};
use crate::domain::catalog::AuthMethod;
use crate::domain::{AppId, Command, Event};
use crate::tui::action::{Action, Layer, Reason};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::kept::out_of_sight;
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay, Return};
use crate::tui::sight::subset::Subset;
use crate::tui::widgets::{Handled, buttons::ButtonRow};

/// What hearing something leads to.
type Next = Heard<Look, Ask, Answer>;

/// The form above a screen.
pub struct CreateKey {
    form: Form,
    stop: Stop,
    pick: Option<Pick>,
    buttons: ButtonRow,
    busy: bool,
    leaving: bool,
    /// It is the last step of creating an app.
    last_step: bool,
}

impl CreateKey {
    /// An empty form for a key of `subset`.
    pub fn new(look: &Look, subset: Subset) -> Self {
        use crate::tui::widgets::buttons::Button;
        Self {
            form: Form::new(look, subset),
            stop: Stop::Name,
            pick: None,
            buttons: ButtonRow::new([Button::safe("Cancel"), Button::safe("Issue key")]),
            busy: false,
            leaving: false,
            last_step: false,
        }
    }

    /// The form for the first key of an app just created, ready to be issued as it stands.
    pub fn last_step(look: &Look, app: AppId) -> Self {
        let mut form = Self::new(look, Subset::Of(app));
        form.last_step = true;
        form.go(Stop::Issue);
        form
    }

    fn go(&mut self, stop: Stop) {
        self.stop = stop;
        match stop {
            Stop::Issue => self.buttons.focus(1),
            Stop::Cancel => self.buttons.focus(0),
            _ => {}
        }
    }

    fn step(&mut self, by: isize) {
        let stops = self.form.stops();
        let at = stops.iter().position(|stop| *stop == self.stop).unwrap_or(0);
        let count = stops.len();
        let next = if by > 0 { at + 1 } else { at + count.saturating_sub(1) };
        if let Some(stop) = stops.get(next % count.max(1)) {
            self.go(*stop);
        }
    }

    fn open_pick(&mut self, look: &Look, typed: Option<char>) {
        let mut pick = match self.stop {
            Stop::Location => Pick::location(look),
            _ => Pick::preset(look, self.form.level(), AuthMethod::ApiKey),
        };
        if let Some(c) = typed {
            pick.type_char(c);
        }
        self.pick = Some(pick);
    }

    fn submit(&mut self, look: &Look, out: &mut Vec<Ask>) -> Next {
        if self.busy {
            return Heard::Consumed;
        }
        self.form.tried = true;
        match self.form.review(look) {
            Ok(new) => {
                self.busy = true;
                out.push(Ask::Do(Job::Run { command: Command::IssueKey(new), said: String::new() }));
            }
            Err(stop) => {
                if let Some(why) = self.form.problem(stop) {
                    out.push(Ask::Say(why));
                }
                self.go(stop);
            }
        }
        Heard::Consumed
    }

    fn act(&mut self, action: Action, look: &Look, out: &mut Vec<Ask>) -> Next {
        match action {
            Action::Submit => return self.submit(look, out),
            Action::NextField => self.step(1),
            Action::PrevField => self.step(-1),
            Action::Press => return self.press(look, out),
            Action::Cancel => return self.cancel(out),
            Action::Filter if self.stop != Stop::Scopes => {
                self.go(Stop::Scopes);
                self.tree(Action::Filter, out);
            }
            _ => return self.act_at_stop(action, look, out),
        }
        Heard::Consumed
    }

    fn act_at_stop(&mut self, action: Action, look: &Look, out: &mut Vec<Ask>) -> Next {
        match (self.stop, action) {
            (Stop::Kind, Action::Left | Action::Right | Action::Toggle) => {
                let other = if self.form.kind == Kind::Agency { Kind::Location } else { Kind::Agency };
                self.choose_kind(other, look, out);
            }
            (Stop::Others, Action::Left | Action::Right | Action::Toggle) => {
                if let Some(app) = &mut self.form.app {
                    app.retire = !app.retire;
                }
            }
            (Stop::Location | Stop::Preset, Action::Toggle) => self.open_pick(look, None),
            (Stop::Expires, Action::Up | Action::Down) => {
                self.form.expires.act(action);
            }
            (Stop::Issue | Stop::Cancel, Action::Left) => self.go(Stop::Cancel),
            (Stop::Issue | Stop::Cancel, Action::Right) => self.go(Stop::Issue),
            (Stop::Scopes, _) => {
                let at_top = action == Action::Up && self.tree(action, out) == Handled::Unmoved;
                if at_top {
                    self.step(-1);
                } else if action != Action::Up {
                    self.tree(action, out);
                }
            }
            (_, Action::Up) => self.step(-1),
            (_, Action::Down) => self.step(1),
            _ => return Heard::Ignored,
        }
        Heard::Consumed
    }

    fn choose_kind(&mut self, kind: Kind, look: &Look, out: &mut Vec<Ask>) {
        match self.form.choose_kind(kind, look) {
            Ok(None) => {}
            Ok(Some(note)) => out.push(Ask::Say(note)),
            Err(why) => out.push(Ask::Say(why)),
        }
    }

    fn press(&mut self, look: &Look, out: &mut Vec<Ask>) -> Next {
        match self.stop {
            Stop::Cancel => return self.cancel(out),
            Stop::Issue => return self.submit(look, out),
            Stop::Location | Stop::Preset => self.open_pick(look, None),
            Stop::Scopes => {
                if self.tree(Action::Press, out) != Handled::Changed {
                    self.step(1);
                }
            }
            _ => self.step(1),
        }
        Heard::Consumed
    }

    fn cancel(&mut self, out: &mut Vec<Ask>) -> Next {
        if self.stop == Stop::Scopes && self.tree(Action::Cancel, out) == Handled::Changed {
            return Heard::Consumed;
        }
        if self.leaving || !self.form.is_begun() {
            return Heard::Close;
        }
        self.leaving = true;
        out.push(Ask::Say("nothing is issued yet; esc again throws the form away".to_owned()));
        Heard::Consumed
    }

    fn tree(&mut self, action: Action, out: &mut Vec<Ask>) -> Handled {
        match self.form.tree.act(action) {
            Ok(handled) => handled,
            Err(reason) => {
                out.push(Ask::Say(reason.to_string()));
                Handled::Unmoved
            }
        }
    }

    fn type_char(&mut self, c: char, look: &Look) {
        match self.stop {
            Stop::Name => self.form.name.type_char(c),
            Stop::Note => self.form.note.type_char(c),
            Stop::Expires => self.form.expires.type_char(c),
            Stop::Scopes => self.form.tree.type_char(c),
            Stop::Location | Stop::Preset => self.open_pick(look, (c != ' ').then_some(c)),
            Stop::Kind | Stop::Others | Stop::Issue | Stop::Cancel => {}
        }
    }

    fn paste(&mut self, pasted: &str) {
        match self.stop {
            Stop::Name => self.form.name.paste(pasted),
            Stop::Note => self.form.note.paste(pasted),
            Stop::Expires => self.form.expires.paste(pasted),
            Stop::Scopes => self.form.tree.paste(pasted),
            _ => {}
        }
    }

    fn click(&mut self, target: Target, look: &Look, out: &mut Vec<Ask>) -> Next {
        match target {
            Target::Button(0) => {
                self.go(Stop::Cancel);
                return self.cancel(out);
            }
            Target::Button(_) => {
                self.go(Stop::Issue);
                return self.submit(look, out);
            }
            Target::Field(number) => {
                let Some(stop) = Stop::ALL.get(number) else { return Heard::Consumed };
                let again = self.stop == *stop;
                self.go(*stop);
                if matches!(stop, Stop::Location | Stop::Preset)
                    || (again && *stop == Stop::Kind)
                    || *stop == Stop::Others
                {
                    return self.act_at_stop(Action::Toggle, look, out);
                }
            }
            Target::Row { pane: scope_tree::PANE, row } => {
                self.go(Stop::Scopes);
                self.form.tree.select(row);
            }
            Target::Tick { pane: scope_tree::PANE, row } => {
                self.go(Stop::Scopes);
                self.form.tree.select(row);
                self.tree(Action::Toggle, out);
            }
            _ => return Heard::Ignored,
        }
        Heard::Consumed
    }

    /// Gives the cue to the open list, and says whether it was for it.
    fn hear_pick(&mut self, cue: Cue<'_>, look: &Look, out: &mut Vec<Ask>) {
        let Some(pick) = &mut self.pick else { return };
        match pick.hear(cue) {
            pick::Picked::Still => {}
            pick::Picked::Gone => self.pick = None,
            pick::Picked::Location(location, name) => {
                self.form.choose_location(location, name);
                self.pick = None;
                self.step(1);
            }
            pick::Picked::Preset(preset) => {
                self.pick = None;
                if let Some(note) = self.form.choose_preset(&preset, look) {
                    out.push(Ask::Say(note));
                }
                self.go(Stop::Scopes);
            }
        }
    }
}

impl Overlay<Look, Ask, Answer> for CreateKey {
    fn name(&self) -> &'static str {
        "create-key"
    }

    fn layer(&self) -> Layer {
        if self.pick.is_some() { Layer::Picker } else { Layer::Dialog }
    }

    fn text_focus(&self) -> TextFocus {
        let here = self.pick.is_some()
            || match self.stop {
                Stop::Name | Stop::Note | Stop::Expires | Stop::Location | Stop::Preset => true,
                Stop::Scopes => self.form.tree.searching(),
                Stop::Kind | Stop::Others | Stop::Issue | Stop::Cancel => false,
            };
        if here { TextFocus::Here } else { TextFocus::Elsewhere }
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, _: Now, out: &mut Vec<Ask>) -> Next {
        if cue != Cue::Do(Action::Cancel) && cue != Cue::Tick {
            self.leaving = false;
        }
        if self.pick.is_some() {
            self.hear_pick(cue, look, out);
            self.form.check(look);
            return Heard::Consumed;
        }
        let next = match cue {
            Cue::Do(action) => self.act(action, look, out),
            Cue::Click(target) => self.click(target, look, out),
            Cue::Type(typed) => {
                self.type_char(typed.0, look);
                Heard::Consumed
            }
            Cue::Edit(edit) => {
                self.form.edit(self.stop, edit);
                Heard::Consumed
            }
            Cue::Paste(pasted) => {
                self.paste(pasted.0);
                Heard::Consumed
            }
            Cue::Wheel { rows, .. } => {
                for _ in 0..rows.unsigned_abs() {
                    self.tree(if rows < 0 { Action::Up } else { Action::Down }, out);
                }
                Heard::Consumed
            }
            Cue::Tick => Heard::Ignored,
        };
        self.form.check(look);
        next
    }

    fn told(&mut self, answer: Answer, look: &Look, _: Now, out: &mut Vec<Ask>) -> Next {
        self.busy = false;
        match answer {
            Answer::Done { events, token: Some(token), .. } => {
                let issued = events.into_iter().find_map(|event| match event {
                    Event::KeyIssued(key) => Some(key),
                    _ => None,
                });
                match issued {
                    Some(key) => {
                        let old = match &self.form.app {
                            Some(app) if app.retire => app.others.clone(),
                            _ => Vec::new(),
                        };
                        Heard::Replace(Box::new(Secret::new(token, &key, look).retiring(old)))
                    }
                    None => Heard::Close,
                }
            }
            Answer::Refused(why) => {
                // The state changed under the form: the rules know which field it concerns.
                match self.form.review(look) {
                    Err(stop) => self.go(stop),
                    Ok(_) => self.form.refused = Some(why.clone()),
                }
                out.push(Ask::Say(why));
                Heard::Consumed
            }
            _ => Heard::Close,
        }
    }

    fn waits(&self) -> bool {
        true
    }

    fn unsaved(&self) -> bool {
        self.form.is_begun()
    }

    fn resume(&mut self, look: &Look) -> Return {
        self.leaving = false;
        self.pick = None;
        if !self.form.catch_up(look) {
            return out_of_sight(look, "the form for a new key");
        }
        Return::Now
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: ratatui::layout::Rect, look: &Look, _: Now) {
        self.draw_form(canvas, area, look);
        if let Some(pick) = &mut self.pick {
            pick.draw(canvas, area);
        }
    }

    fn hints(&self) -> &[Action] {
        match self.stop {
            _ if self.pick.is_some() => &[Action::Press, Action::Down, Action::Cancel],
            Stop::Scopes => &[
                Action::Submit,
                Action::Toggle,
                Action::Filter,
                Action::ToggleAll,
                Action::NextField,
                Action::Cancel,
            ],
            _ => &[Action::Submit, Action::NextField, Action::PrevField, Action::Cancel],
        }
    }

    fn enabled(&self, action: Action, _: &Look) -> Result<(), Reason> {
        match action {
            Action::Submit if self.busy => Err("the key is being issued".into()),
            _ => Ok(()),
        }
    }
}
