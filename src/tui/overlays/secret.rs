//! The one showing of a new key's token. Dots until it is revealed; on one line of its own, unbroken and with
//! nothing beside it; gone from screen and memory when it is closed, which needs a tick: "I stored it".

use ratatui::layout::Rect;

use crate::domain::{Command, Key, KeyId};
use crate::tui::action::{Action, Layer, Reason};
use crate::tui::app::ask::{Answer, Ask, Errand, Job, Tab};
use crate::tui::app::custody::Fresh;
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clipboard::Keep;
use crate::tui::clock::Now;
use crate::tui::overlay::{Cue, Heard, Overlay, Secrecy};
use crate::tui::sight::seen::seen;
use crate::tui::theme::Role;
use crate::tui::widgets::{layout, text};

/// Bytes of a token that are public: prefix and id with their underscores.
const PUBLIC: usize = 18;

/// How the token is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Showing {
    Dots,
    Plain,
    /// Nothing but the token on the screen, for selecting it with the mouse.
    Bare,
}

/// The showing.
pub struct Secret {
    token: Fresh,
    key: KeyId,
    tab: Tab,
    name: String,
    facts: String,
    showing: Showing,
    stored: bool,
    /// Keys to revoke once this one is stored.
    old: Vec<(KeyId, String)>,
}

impl Secret {
    /// Shows the token of a key just issued.
    pub fn new(token: Fresh, key: &Key, look: &Look) -> Self {
        let times = Times::of(look);
        let place = seen(look, |seen| seen.view.place_name(key.place).map(str::to_owned));
        let kind = key.place.kind();
        let kind = place.map_or_else(|| format!("{kind} key"), |place| format!("{kind} key of {place}"));
        let until = key
            .expiry
            .instant()
            .map_or_else(|| "never expires".to_owned(), |at| format!("works until {}", times.zoned(at)));
        let count = key.scopes.len();
        let scopes = if count == 1 { "1 scope".to_owned() } else { format!("{count} scopes") };
        Self {
            token,
            key: key.id,
            tab: Tab::of(key.place),
            name: key.name.to_string(),
            facts: format!("{kind}, {scopes}, {until}"),
            showing: Showing::Dots,
            stored: false,
            old: Vec::new(),
        }
    }

    /// Revokes these keys when it is closed, which it is only once the new one is stored.
    #[must_use]
    pub fn retiring(mut self, old: Vec<(KeyId, String)>) -> Self {
        self.old = old;
        self
    }

    fn draw_token(&self, canvas: &mut Canvas<'_>, row: Rect) {
        let style = canvas.style(Role::Secret);
        let token = self.token.expose();
        if self.showing == Showing::Dots {
            let public = token.get(..PUBLIC).unwrap_or_default();
            let x = canvas.print(row.x, row.y, row.width, public, style);
            let dots = canvas.glyphs().mask.repeat(token.len().saturating_sub(PUBLIC));
            canvas.print(x, row.y, row.right().saturating_sub(x), &dots, style);
        } else {
            canvas.print(row.x, row.y, row.width, token, style);
        }
        canvas.cursor(row.x, row.y);
    }

    fn draw_bare(&self, canvas: &mut Canvas<'_>) {
        let all = canvas.area();
        canvas.erase(all);
        let row = layout::row(all, all.height / 2);
        self.draw_token(canvas, row);
    }
}

impl Overlay<Look, Ask, Answer> for Secret {
    fn name(&self) -> &'static str {
        "secret"
    }

    fn layer(&self) -> Layer {
        Layer::Secret
    }

    fn hear(&mut self, cue: Cue<'_>, _: &Look, _: Now, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        match cue {
            Cue::Do(Action::CopySecret) => out.push(Ask::Copy(self.token.copy(), Keep::Leased)),
            Cue::Do(Action::Reveal) => {
                self.showing = if self.showing == Showing::Dots { Showing::Plain } else { Showing::Dots };
            }
            Cue::Do(Action::RawView) => {
                self.showing = if self.showing == Showing::Bare { Showing::Plain } else { Showing::Bare };
            }
            Cue::Do(Action::Stored) | Cue::Click(Target::Tick { .. }) => self.stored = !self.stored,
            Cue::Do(Action::CloseRaw) if self.showing == Showing::Bare => self.showing = Showing::Plain,
            Cue::Do(Action::Finish | Action::CloseRaw | Action::Cancel) => match self.held() {
                Some(reason) => out.push(Ask::Say(reason.to_string())),
                None => {
                    self.token.hand_over();
                    out.push(Ask::Go(self.tab, Errand::Key(self.key)));
                    out.push(Ask::Celebrate(format!("{} is issued and works", self.name)));
                    out.extend(self.old.drain(..).map(|(key, name)| {
                        let said = format!("{name} is revoked; {} takes its place", self.name);
                        Ask::Do(Job::Run { command: Command::RevokeKey(key), said })
                    }));
                    return Heard::Close;
                }
            },
            _ => {}
        }
        if self.showing != Showing::Dots {
            self.token.show();
        }
        Heard::Consumed
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, _: Now) {
        if self.showing == Showing::Bare {
            return self.draw_bare(canvas);
        }
        canvas.erase(area);
        let roomy = area.height >= 18;
        let tight = area.height < 13;
        let inner = layout::inset(area, 2, u16::from(roomy));
        let label = |action| look.keymap.label(Layer::Secret, action).unwrap_or_default();
        let mut y = 0;
        let gap = if roomy { 2 } else { 1 };
        let row = layout::row(inner, y);
        let glyphs = canvas.glyphs();
        let spans = [
            canvas.span(Role::Good, glyphs.good),
            canvas.span(Role::Title, format!(" {} is issued", self.name)),
        ];
        canvas.spans(row.x, row.y, row.width, &spans);
        y += 1;
        let facts = text::wrap(&self.facts, inner.width.max(1));
        let facts = facts.get(..2).unwrap_or(&facts);
        for line in facts {
            let row = layout::row(inner, y);
            canvas.fit(row.x, row.y, row.width, line, Role::Dim);
            y += 1;
        }
        if !tight || facts.len() < 2 {
            y += gap;
        }
        self.draw_token(canvas, layout::row(inner, y));
        y += gap + 1;
        let keys = [
            (Action::CopySecret, "copy it; cleared from the clipboard after 45 s"),
            (Action::Reveal, if self.showing == Showing::Dots { "show it here" } else { "hide it" }),
            (Action::RawView, "show nothing else, to select it with the mouse"),
        ];
        for (action, does) in keys {
            let row = layout::row(inner, y);
            let spans =
                [canvas.span(Role::Key, format!("{:<7}", label(action))), canvas.span(Role::Text, does)];
            canvas.spans(row.x, row.y, row.width, &spans);
            y += 1;
        }
        y += gap - 1;
        let words = if tight {
            "Shown only now. If it is lost, revoke it, issue another."
        } else {
            "This is the only time it can be shown: what is kept here recognises the key but cannot tell it. \
             If it is lost, revoke it and issue another."
        };
        let lines = text::wrap(words, inner.width.min(76));
        for line in lines {
            let row = layout::row(inner, y);
            canvas.fit(row.x, row.y, row.width, &line, Role::Dim);
            y += 1;
        }
        y += gap - 1;
        let row = layout::row(inner, y);
        let tick = if self.stored { glyphs.box_on } else { glyphs.box_off };
        let role = if self.stored { Role::Good } else { Role::Accent };
        let next = if self.stored {
            format!("   {} closes", label(Action::Finish))
        } else {
            format!("   {} ticks, then {} closes", label(Action::Stored), label(Action::Finish))
        };
        let spans = [canvas.span(role, format!("{tick} I stored it")), canvas.span(Role::Dim, next)];
        canvas.spans(row.x, row.y, row.width, &spans);
        canvas.hit(Rect { width: row.width.min(15), ..row }, Target::Tick { pane: 0, row: 0 });
    }

    fn hints(&self) -> &[Action] {
        &[Action::CopySecret, Action::Reveal, Action::RawView, Action::Stored, Action::Finish]
    }

    fn enabled(&self, action: Action, _: &Look) -> Result<(), Reason> {
        match action {
            Action::Finish => self.held().map_or(Ok(()), Err),
            _ => Ok(()),
        }
    }

    fn held(&self) -> Option<Reason> {
        (!self.stored).then(|| "tick \"I stored it\" first (space): the key is never shown again".into())
    }

    fn secrecy(&self) -> Secrecy {
        Secrecy::Secret
    }
}
