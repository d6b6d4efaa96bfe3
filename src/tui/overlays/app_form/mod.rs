//! Creating an app in three steps, and editing one in the first two. Step 1: what the app is. Step 2: how it
//! authenticates and what it may do. Step 3, its id and secret, is [`super::app_secret`]. Judged as it is typed by the
//! rules that judge the command; stepping back keeps everything.
//!
//! - [`form`]: the values and what is wrong with them. `urls`: lists of addresses. `input`: typing and
//!   clicking. `draw`: the pages.

mod draw;
pub mod form;
mod input;
mod urls;

pub use self::draw::draw_progress;
use self::form::{Form, Page, Stop};
use super::app_secret::AppSecret;
use super::create_key::pick::{Pick, Picked};
use super::meanwhile::{Choice, Meanwhile};
use super::scope_tree;
use crate::domain::{AppId, Event};
use crate::tui::action::{Action, Layer, Reason};
use crate::tui::app::ask::{Answer, Ask, Errand, Job, Tab};
use crate::tui::app::kept::out_of_sight;
use crate::tui::app::look::Look;
use crate::tui::canvas::Canvas;
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay, Return};
use crate::tui::widgets::Handled;
use crate::tui::widgets::buttons::{Button, ButtonRow};

type Next = Heard<Look, Ask, Answer>;

/// The wizard above a screen.
pub struct AppForm {
    form: Form,
    page: Page,
    stop: Stop,
    pick: Option<Pick>,
    meanwhile: Option<Meanwhile>,
    buttons: ButtonRow,
    busy: bool,
    leaving: bool,
}

impl AppForm {
    /// An empty one.
    pub fn create(look: &Look) -> Self {
        Self::of(Form::create(look))
    }

    /// Filled with an app the operator sees.
    pub fn edit(look: &Look, app: AppId) -> Option<Self> {
        Form::edit(look, app).map(Self::of)
    }

    fn of(form: Form) -> Self {
        let mut wizard = Self {
            form,
            page: Page::Details,
            stop: Stop::Name,
            pick: None,
            meanwhile: None,
            buttons: ButtonRow::new([]),
            busy: false,
            leaving: false,
        };
        wizard.turn(Page::Details, Stop::Name);
        wizard
    }

    /// Opens a page at a stop.
    fn turn(&mut self, page: Page, stop: Stop) {
        self.page = page;
        let (back, on) = match (page, self.form.edits) {
            (Page::Details, _) => ("Cancel", "Next"),
            (Page::Scopes, None) => ("Back", "Create app"),
            (Page::Scopes, Some(_)) => ("Back", "Save"),
        };
        self.buttons = ButtonRow::new([Button::safe(back), Button::safe(on)]);
        self.go(stop);
    }

    fn go(&mut self, stop: Stop) {
        if let Some(page) = stop.page().filter(|page| *page != self.page) {
            return self.turn(page, stop);
        }
        // An emptied address goes when it is left; the lines after it move up.
        let at = |of: fn(usize) -> Stop| match (stop, of(0)) {
            (Stop::Login(at), Stop::Login(_)) | (Stop::Logout(at), Stop::Logout(_)) => Some(at),
            _ => None,
        };
        let (login, logout) = (at(Stop::Login), at(Stop::Logout));
        let (in_login, in_logout) = (self.form.login.tidy(login), self.form.logout.tidy(logout));
        self.stop = match stop {
            Stop::Login(_) => Stop::Login(in_login),
            Stop::Logout(_) => Stop::Logout(in_logout),
            stop => stop,
        };
        match self.stop {
            Stop::Back => self.buttons.focus(0),
            Stop::On => self.buttons.focus(1),
            _ => {}
        }
    }

    fn step(&mut self, by: isize) {
        let stops = self.form.stops(self.page);
        let at = stops.iter().position(|stop| *stop == self.stop).unwrap_or(0);
        let next = if by > 0 { at + 1 } else { at + stops.len().saturating_sub(1) };
        if let Some(stop) = stops.get(next % stops.len().max(1)) {
            self.go(*stop);
        }
    }

    fn on_buttons(&self) -> bool {
        matches!(self.stop, Stop::Back | Stop::On)
    }

    /// The button that goes on: to the second page, or to the end.
    fn on(&mut self, look: &Look, out: &mut Vec<Ask>) -> Next {
        if self.page == Page::Scopes {
            return self.finish(look, out);
        }
        self.form.tried = true;
        match self.form.review(look) {
            Err(stop) if stop.page() == Some(Page::Details) => self.complain(stop, out),
            _ => {
                // What nobody has seen yet is not told as missing yet.
                self.form.tried = false;
                let first = if self.form.edits.is_some() { Stop::Scopes } else { Stop::Method };
                self.turn(Page::Scopes, first);
                Heard::Consumed
            }
        }
    }

    fn finish(&mut self, look: &Look, out: &mut Vec<Ask>) -> Next {
        if self.busy {
            return Heard::Consumed;
        }
        self.form.tried = true;
        match self.form.review(look) {
            Ok(new) => {
                let moved = self.form.moved(&new, look);
                self.meanwhile = Meanwhile::ask(&format!("the app {}", new.name), moved);
                if self.meanwhile.is_some() {
                    return Heard::Consumed;
                }
                self.busy = true;
                let said = match self.form.edits {
                    Some(_) => format!("{} is changed", new.name),
                    None => String::new(),
                };
                out.push(Ask::Do(Job::Run { command: self.form.command(new), said }));
                Heard::Consumed
            }
            Err(stop) => self.complain(stop, out),
        }
    }

    /// Whose word holds was said.
    fn settle(&mut self, choice: Choice, look: &Look, out: &mut Vec<Ask>) -> Next {
        let Some(asked) = self.meanwhile.take().filter(|_| choice != Choice::Back) else {
            return Heard::Consumed;
        };
        let Ok(new) = self.form.review(look) else { return Heard::Consumed };
        let moved = self.form.moved(&new, look);
        if asked.moved() != moved {
            // It changed once more while one read.
            self.meanwhile = Meanwhile::ask(&format!("the app {}", new.name), moved);
        } else if let Some(form) = self.form.rebased(&new, choice, look) {
            self.form = form;
            self.go(self.stop);
            if choice == Choice::Mine {
                return self.finish(look, out);
            }
        }
        Heard::Consumed
    }

    fn complain(&mut self, stop: Stop, out: &mut Vec<Ask>) -> Next {
        out.extend(self.form.problem(stop).map(Ask::Say));
        // What no field is to blame for leaves the keyboard where it is.
        if stop != Stop::On {
            self.go(stop);
        }
        Heard::Consumed
    }

    /// The button that steps back, and Esc: from the second page to the first, from the first out.
    fn back(&mut self, out: &mut Vec<Ask>) -> Next {
        if self.stop == Stop::Scopes && self.tree(Action::Cancel, out) == Handled::Changed {
            return Heard::Consumed;
        }
        if self.page == Page::Scopes {
            self.turn(Page::Details, Stop::Name);
            return Heard::Consumed;
        }
        if self.leaving || !self.form.is_begun() {
            return Heard::Close;
        }
        self.leaving = true;
        let said = match self.form.edits {
            Some(_) => "nothing is changed yet; esc again gives the changes up",
            None => "nothing is created yet; esc again throws the form away",
        };
        out.push(Ask::Say(said.to_owned()));
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

    fn act(&mut self, action: Action, look: &Look, out: &mut Vec<Ask>) -> Next {
        match action {
            Action::Submit if self.form.edits.is_some() => return self.finish(look, out),
            Action::Submit => return self.on(look, out),
            Action::NextField => self.step(1),
            Action::PrevField => self.step(-1),
            Action::Press => return self.press(look, out),
            Action::Cancel => return self.back(out),
            Action::Filter if self.page == Page::Scopes && self.stop != Stop::Scopes => {
                self.go(Stop::Scopes);
                self.tree(Action::Filter, out);
            }
            _ => return self.act_at_stop(action, look, out),
        }
        Heard::Consumed
    }

    fn act_at_stop(&mut self, action: Action, look: &Look, out: &mut Vec<Ask>) -> Next {
        match (self.stop, action) {
            (Stop::Guest, Action::Toggle) => self.form.guest = !self.form.guest,
            (Stop::Employee, Action::Toggle) => self.form.employee = !self.form.employee,
            (Stop::Guest, Action::Right) => self.go(Stop::Employee),
            (Stop::Employee, Action::Left) => self.go(Stop::Guest),
            (Stop::Guest, Action::Down) => self.go(Stop::Source),
            (Stop::Employee, Action::Up) => self.go(Stop::Description),
            (Stop::Source, Action::Up | Action::Down) => {
                if self.form.source.act(action) == Handled::Unmoved {
                    self.step(if action == Action::Up { -1 } else { 1 });
                }
            }
            (Stop::Method, Action::Up | Action::Down) => {
                if self.form.method.act(action) == Handled::Unmoved {
                    self.step(if action == Action::Up { -1 } else { 1 });
                } else {
                    out.extend(self.form.follow_method(look).map(Ask::Say));
                }
            }
            (Stop::Method, Action::Toggle | Action::Left | Action::Right) => {
                if self.form.method.act(Action::Down) != Handled::Changed {
                    self.form.method.act(Action::Up);
                }
                out.extend(self.form.follow_method(look).map(Ask::Say));
            }
            (Stop::Preset, Action::Toggle) => self.open_pick(look, None),
            (Stop::Back | Stop::On, Action::Left) => self.go(Stop::Back),
            (Stop::Back | Stop::On, Action::Right) => self.go(Stop::On),
            (Stop::Scopes, Action::Up) => {
                if self.tree(action, out) == Handled::Unmoved {
                    self.step(-1);
                }
            }
            (Stop::Scopes, _) => {
                self.tree(action, out);
            }
            (_, Action::Up) => self.step(-1),
            (_, Action::Down) => self.step(1),
            _ => return Heard::Ignored,
        }
        Heard::Consumed
    }

    fn press(&mut self, look: &Look, out: &mut Vec<Ask>) -> Next {
        match self.stop {
            Stop::Back => return self.back(out),
            Stop::On => return self.on(look, out),
            Stop::Preset => self.open_pick(look, None),
            Stop::Scopes => {
                if self.tree(Action::Press, out) != Handled::Changed {
                    self.step(1);
                }
            }
            _ => self.step(1),
        }
        Heard::Consumed
    }

    fn open_pick(&mut self, look: &Look, typed: Option<char>) {
        let mut pick = Pick::preset(look, Form::level(), self.form.chosen_method());
        if let Some(c) = typed {
            pick.type_char(c);
        }
        self.pick = Some(pick);
    }

    fn hear_pick(&mut self, cue: Cue<'_>, look: &Look, out: &mut Vec<Ask>) {
        let Some(pick) = &mut self.pick else { return };
        match pick.hear(cue) {
            Picked::Still => {}
            Picked::Gone | Picked::Location(..) => self.pick = None,
            Picked::Preset(preset) => {
                self.pick = None;
                out.extend(self.form.choose_preset(&preset, look).map(Ask::Say));
                self.go(Stop::Scopes);
            }
        }
    }
}

impl Overlay<Look, Ask, Answer> for AppForm {
    fn name(&self) -> &'static str {
        "app-form"
    }

    fn layer(&self) -> Layer {
        if self.pick.is_some() { Layer::Picker } else { Layer::Dialog }
    }

    fn text_focus(&self) -> TextFocus {
        let here = self.pick.is_some()
            || self.meanwhile.is_none()
                && match self.stop {
                    Stop::Name
                    | Stop::Uri
                    | Stop::Description
                    | Stop::Login(_)
                    | Stop::Logout(_)
                    | Stop::Preset => true,
                    Stop::Scopes => self.form.tree.searching(),
                    _ => false,
                };
        if here { TextFocus::Here } else { TextFocus::Elsewhere }
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, _: Now, out: &mut Vec<Ask>) -> Next {
        if cue != Cue::Do(Action::Cancel) && cue != Cue::Tick {
            self.leaving = false;
        }
        if self.busy {
            return if cue == Cue::Do(Action::Cancel) { Heard::Ignored } else { Heard::Consumed };
        }
        if let Some(asked) = &mut self.meanwhile {
            return match asked.hear(cue) {
                Choice::Open => Heard::Consumed,
                choice => self.settle(choice, look, out),
            };
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
                self.edit_text(edit);
                Heard::Consumed
            }
            Cue::Paste(pasted) => {
                self.paste(pasted.0);
                Heard::Consumed
            }
            Cue::Wheel { pane: scope_tree::PANE, rows } => {
                for _ in 0..rows.unsigned_abs() {
                    self.tree(if rows < 0 { Action::Up } else { Action::Down }, out);
                }
                Heard::Consumed
            }
            Cue::Wheel { .. } | Cue::Tick => Heard::Ignored,
        };
        self.form.check(look);
        next
    }

    fn told(&mut self, answer: Answer, look: &Look, _: Now, out: &mut Vec<Ask>) -> Next {
        self.busy = false;
        match answer {
            Answer::Done { events, token: Some(secret), .. } => {
                let created = events.into_iter().find_map(|event| match event {
                    Event::AppCreated(app) => Some(app),
                    _ => None,
                });
                match created {
                    Some(app) => Heard::Replace(Box::new(AppSecret::created(secret, &app, look))),
                    None => Heard::Close,
                }
            }
            Answer::Refused(why) => {
                // The state changed under the form: the rules know which field it concerns.
                match self.form.review(look) {
                    Err(stop) => self.go(stop),
                    Ok(new) => {
                        self.form.refused = Some(why.clone());
                        let moved = self.form.moved(&new, look);
                        self.meanwhile = Meanwhile::ask(&format!("the app {}", new.name), moved);
                    }
                }
                out.push(Ask::Say(why));
                Heard::Consumed
            }
            _ => {
                out.extend(self.form.edits.map(|app| Ask::Go(Tab::Apps, Errand::App(app))));
                Heard::Close
            }
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
        let in_sight = self.form.edits.is_none_or(|app| look.view(|view| view.app(app).is_some()));
        if !in_sight {
            return out_of_sight(look, "the form for the app");
        }
        // What was said of the last attempt stays.
        let _ = self.form.review(look);
        Return::Now
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: ratatui::layout::Rect, look: &Look, _: Now) {
        self.draw_form(canvas, area, look);
        if let Some(pick) = &mut self.pick {
            pick.draw(canvas, area);
        }
        if let Some(asked) = &self.meanwhile {
            asked.draw(canvas);
        }
    }

    fn hints(&self) -> &[Action] {
        match self.stop {
            _ if self.meanwhile.is_some() => Meanwhile::hints(),
            _ if self.pick.is_some() => &[Action::Press, Action::Down, Action::Cancel],
            Stop::Scopes => &[
                Action::Submit,
                Action::Toggle,
                Action::Filter,
                Action::ToggleAll,
                Action::NextField,
                Action::Cancel,
            ],
            Stop::Guest | Stop::Employee => {
                &[Action::Toggle, Action::NextField, Action::Submit, Action::Cancel]
            }
            _ => &[Action::NextField, Action::PrevField, Action::Submit, Action::Cancel],
        }
    }

    fn enabled(&self, action: Action, _: &Look) -> Result<(), Reason> {
        match action {
            Action::Submit if self.busy => Err("one moment: it is being written".into()),
            _ => Ok(()),
        }
    }

    fn held(&self) -> Option<Reason> {
        self.busy.then(|| "one moment: it is being written".into())
    }
}
