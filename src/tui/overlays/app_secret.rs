//! The one showing of an app's secret, with its application id: the third step of creating an app, and what a new
//! secret leads to. Dots until it is revealed; leaving before "I stored it" asks, because the secret is gone then.

use ratatui::layout::Rect;

use super::create_key::CreateKey;
use super::how_to::{base_url, token_request};
use crate::domain::catalog::AuthMethod;
use crate::domain::{App, AppId};
use crate::tui::action::{Action, Layer, Reason};
use crate::tui::app::ask::{Answer, Ask, Errand, Tab};
use crate::tui::app::custody::Fresh;
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clipboard::Keep;
use crate::tui::clock::Now;
use crate::tui::overlay::{Cue, Heard, Overlay, Secrecy};
use crate::tui::secret::SecretText;
use crate::tui::theme::Role;
use crate::tui::widgets::{layout, text};

/// Bytes of a secret that are public: prefix and id with their underscores.
const PUBLIC: usize = 18;
/// Cells of the labels.
const LABELS: u16 = 16;

/// How the secret is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Showing {
    Dots,
    Plain,
    /// Nothing but the secret on the screen, for selecting it with the mouse.
    Bare,
}

/// What led here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occasion {
    /// The app was created: this is the third step.
    Created,
    /// It got a new secret.
    Renewed,
}

/// The showing.
pub struct AppSecret {
    secret: Fresh,
    app: AppId,
    name: String,
    method: AuthMethod,
    occasion: Occasion,
    request: Vec<String>,
    /// Whether the request names the platform's own address and no placeholder.
    knows_address: bool,
    showing: Showing,
    stored: bool,
    /// Somebody wants to leave without having stored it, and was asked.
    leaving: bool,
}

impl AppSecret {
    /// Of an app just created.
    pub fn created(secret: Fresh, app: &App, look: &Look) -> Self {
        Self::new(secret, app, Occasion::Created, look)
    }

    /// A new one of an app that had another.
    pub fn renewed(secret: Fresh, app: &App, look: &Look) -> Self {
        Self::new(secret, app, Occasion::Renewed, look)
    }

    fn new(secret: Fresh, app: &App, occasion: Occasion, look: &Look) -> Self {
        let base = look.view(base_url);
        let request = match app.method {
            AuthMethod::Jwt => token_request(app.id, base.as_deref()),
            AuthMethod::ApiKey => Vec::new(),
        };
        Self {
            secret,
            app: app.id,
            name: app.name.to_string(),
            method: app.method,
            occasion,
            request,
            knows_address: base.is_some(),
            showing: Showing::Dots,
            stored: false,
            leaving: false,
        }
    }

    /// Whether the next thing is the app's first key.
    fn key_is_next(&self) -> bool {
        self.occasion == Occasion::Created && self.method == AuthMethod::ApiKey
    }

    fn finish(&mut self, look: &Look, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        self.secret.hand_over();
        out.push(Ask::Go(Tab::Apps, Errand::App(self.app)));
        if self.key_is_next() {
            return Heard::Replace(Box::new(CreateKey::last_step(look, self.app)));
        }
        out.push(Ask::Celebrate(match self.occasion {
            Occasion::Created => format!("{} is created and works", self.name),
            Occasion::Renewed => format!("{} has a new secret; the old one is worthless", self.name),
        }));
        Heard::Close
    }

    /// Esc: out of the bare view, then out of here; asks when that would lose the secret.
    fn leave(&mut self, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        if self.showing == Showing::Bare {
            self.showing = Showing::Plain;
            return Heard::Consumed;
        }
        if !self.stored && !self.leaving {
            self.leaving = true;
            return Heard::Consumed;
        }
        // Given up knowingly, if it was not stored.
        self.secret.hand_over();
        out.push(Ask::Go(Tab::Apps, Errand::App(self.app)));
        out.push(match (self.stored, self.key_is_next()) {
            (false, _) => Ask::Complain(format!(
                "The secret of {} is gone: nobody stored it. N makes a new one.",
                self.name
            )),
            (true, true) => Ask::Say(format!("{} has no key yet; i issues one", self.name)),
            (true, false) => Ask::Celebrate(format!("{} works with its secret", self.name)),
        });
        Heard::Close
    }

    fn draw_secret(&self, canvas: &mut Canvas<'_>, row: Rect) {
        let style = canvas.style(Role::Secret);
        let secret = self.secret.expose();
        if self.showing == Showing::Dots {
            let public = secret.get(..PUBLIC).unwrap_or_default();
            let x = canvas.print(row.x, row.y, row.width, public, style);
            let dots = canvas.glyphs().mask.repeat(secret.len().saturating_sub(PUBLIC));
            canvas.print(x, row.y, row.right().saturating_sub(x), &dots, style);
        } else {
            canvas.print(row.x, row.y, row.width, secret, style);
        }
        canvas.cursor(row.x, row.y);
    }

    /// Rows of the request for a token, where there is room for it.
    fn request_rows(&self, room: Rect) -> u16 {
        let wanted = u16::try_from(self.request.len()).unwrap_or(u16::MAX).saturating_add(2);
        if self.request.is_empty() || room.height < wanted { 0 } else { wanted }
    }

    /// What stands above the secret.
    fn head(&self, tight: bool) -> Vec<(Role, String)> {
        let mut lines = Vec::new();
        let done = if self.occasion == Occasion::Created { "is created" } else { "has a new secret" };
        lines.push((Role::Title, format!("{} {done}", self.name)));
        if !tight {
            lines.push((
                Role::Dim,
                match (self.occasion, self.method) {
                    (Occasion::Created, AuthMethod::ApiKey) => {
                        "Store id and secret where the app will find them, then issue its API key.".to_owned()
                    }
                    (_, AuthMethod::Jwt) => {
                        "Store both where the app will find them: they fetch its access tokens.".to_owned()
                    }
                    (Occasion::Renewed, AuthMethod::ApiKey) => "Store it in place of the old one.".to_owned(),
                },
            ));
        }
        lines
    }

    fn draw_keys(&self, canvas: &mut Canvas<'_>, area: Rect, look: &Look) {
        let label = |action| look.keymap.label(Layer::Secret, action).unwrap_or_default();
        let keys = [
            (Action::CopySecret, "copy the secret; cleared after 45 s"),
            (Action::CopyId, "copy the application id"),
            (Action::Reveal, if self.showing == Showing::Dots { "show it here" } else { "hide it" }),
            (Action::RawView, "show nothing else, to select it with the mouse"),
        ];
        for (line, (action, does)) in (0..area.height).zip(keys) {
            let row = layout::row(area, line);
            let spans =
                [canvas.span(Role::Key, format!("{:<7}", label(action))), canvas.span(Role::Text, does)];
            canvas.spans(row.x, row.y, row.width, &spans);
        }
    }

    fn draw_tick(&self, canvas: &mut Canvas<'_>, row: Rect, look: &Look) {
        let label = |action| look.keymap.label(Layer::Secret, action).unwrap_or_default();
        let glyphs = canvas.glyphs();
        if self.leaving && !self.stored {
            let said = if row.width < 82 {
                "Leave? Not shown again: you would make a new secret."
            } else {
                "Leave without it? It is not shown again; you would have to make a new secret."
            };
            let said = format!("{} {said}", glyphs.warn);
            canvas.fit(row.x, row.y, row.width, &said, Role::Warn);
            return;
        }
        let tick = if self.stored { glyphs.box_on } else { glyphs.box_off };
        let role = if self.stored { Role::Good } else { Role::Accent };
        let ends = match self.key_is_next() {
            true if row.width < 66 => "goes on",
            true => "goes on to its API key",
            false => "closes",
        };
        let next = if self.stored {
            format!("   {} {ends}", label(Action::Finish))
        } else {
            format!("   {} ticks, then {} {ends}", label(Action::Stored), label(Action::Finish))
        };
        let spans = [canvas.span(role, format!("{tick} I stored it")), canvas.span(Role::Dim, next)];
        canvas.spans(row.x, row.y, row.width, &spans);
        canvas.hit(Rect { width: row.width.min(15), ..row }, Target::Tick { pane: 0, row: 0 });
    }

    fn draw_leaving(canvas: &mut Canvas<'_>, row: Rect, look: &Look) {
        let label = |action| look.keymap.label(Layer::Secret, action).unwrap_or_default();
        let spans = [
            canvas.span(Role::Key, label(Action::CloseRaw)),
            canvas.span(Role::Text, " leaves all the same   "),
            canvas.span(Role::Key, label(Action::CopySecret)),
            canvas.span(Role::Text, " copies it   other keys stay"),
        ];
        canvas.spans(row.x, row.y, row.width, &spans);
    }
}

impl Overlay<Look, Ask, Answer> for AppSecret {
    fn name(&self) -> &'static str {
        "app-secret"
    }

    fn layer(&self) -> Layer {
        Layer::Secret
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, _: Now, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        let leaves = matches!(cue, Cue::Do(Action::CloseRaw | Action::Cancel));
        if !leaves && cue != Cue::Tick {
            self.leaving = false;
        }
        match cue {
            Cue::Do(Action::CopySecret) => out.push(Ask::Copy(self.secret.copy(), Keep::Leased)),
            Cue::Do(Action::CopyId) => {
                out.push(Ask::Copy(SecretText::new(self.app.to_string()), Keep::Stays));
            }
            Cue::Do(Action::Reveal) => {
                self.showing = if self.showing == Showing::Dots { Showing::Plain } else { Showing::Dots };
            }
            Cue::Do(Action::RawView) => {
                self.showing = if self.showing == Showing::Bare { Showing::Plain } else { Showing::Bare };
            }
            Cue::Do(Action::Stored) | Cue::Click(Target::Tick { .. }) => self.stored = !self.stored,
            Cue::Do(Action::Finish) => match self.held() {
                Some(reason) => out.push(Ask::Say(reason.to_string())),
                None => return self.finish(look, out),
            },
            Cue::Do(Action::CloseRaw | Action::Cancel) => return self.leave(out),
            _ => {}
        }
        if self.showing != Showing::Dots {
            self.secret.show();
        }
        Heard::Consumed
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, _: Now) {
        if self.showing == Showing::Bare {
            let all = canvas.area();
            canvas.erase(all);
            return self.draw_secret(canvas, layout::row(all, all.height / 2));
        }
        canvas.erase(area);
        let tight = area.height < 15;
        let inner = layout::inset(area, 2, u16::from(area.height >= 20));
        let (body, last) = layout::bottom(inner, if tight { 2 } else { 3 });
        let gap = u16::from(!tight);
        let mut rest = body;
        let mut take = |rows: u16| {
            let (row, below) = layout::top(rest, rows);
            rest = below;
            row
        };
        if self.occasion == Occasion::Created {
            let row = take(1);
            super::app_form::draw_progress(canvas, row, 2);
            take(gap);
        }
        let sign = canvas.glyphs().good;
        for (at, (role, said)) in self.head(tight).into_iter().enumerate() {
            let row = take(1);
            let x = if at == 0 { canvas.fit(row.x, row.y, 1, sign, Role::Good) + 1 } else { row.x };
            canvas.fit(x, row.y, row.right().saturating_sub(x), &said, role);
        }
        take(gap);
        let id = take(1);
        canvas.fit(id.x, id.y, LABELS, "Application id", Role::Dim);
        let id = layout::right(id, id.width.saturating_sub(LABELS)).1;
        canvas.fit(id.x, id.y, id.width, &self.app.to_string(), Role::Text);
        take(gap);
        let label = take(gap);
        canvas.fit(label.x, label.y, label.width, "App secret, shown only now:", Role::Dim);
        // On a line of its own, unbroken and with nothing beside it.
        let row = take(1);
        self.draw_secret(canvas, row);
        take(gap);
        let keys = take(4);
        self.draw_keys(canvas, keys, look);
        take(gap);
        let words =
            "What is kept here recognises the secret but cannot tell it. If it is lost, make a new one.";
        if rest.height > 2 {
            for line in text::wrap(words, rest.width.clamp(1, 76)) {
                let (row, below) = layout::top(rest, 1);
                canvas.fit(row.x, row.y, row.width, &line, Role::Dim);
                rest = below;
            }
        }
        if self.request_rows(rest) > 0 {
            let title = layout::row(rest, 1);
            let said = if self.knows_address {
                "How it fetches an access token:"
            } else {
                "How it fetches an access token, with your platform's address for the one here:"
            };
            canvas.fit(title.x, title.y, title.width, said, Role::Header);
            for (line, said) in (2..).zip(&self.request) {
                let row = layout::row(rest, line);
                canvas.fit(row.x, row.y, row.width, said, Role::Accent);
            }
        }
        // Right below the rest, or at the bottom where there is no room for air.
        let lowest = last.bottom().saturating_sub(2);
        let y = rest.y.saturating_add(gap + self.request_rows(rest)).min(lowest);
        self.draw_tick(canvas, Rect { y, height: 1, ..inner }, look);
        if self.leaving && !self.stored {
            Self::draw_leaving(canvas, Rect { y: y + 1, height: 1, ..inner }, look);
        }
    }

    fn hints(&self) -> &[Action] {
        &[Action::CopySecret, Action::Reveal, Action::CopyId, Action::RawView, Action::Stored, Action::Finish]
    }

    fn enabled(&self, action: Action, _: &Look) -> Result<(), Reason> {
        match action {
            Action::Finish => self.held().map_or(Ok(()), Err),
            _ => Ok(()),
        }
    }

    fn held(&self) -> Option<Reason> {
        (!self.stored).then(|| "tick \"I stored it\" first (space): the secret is never shown again".into())
    }

    fn secrecy(&self) -> Secrecy {
        Secrecy::Secret
    }
}
