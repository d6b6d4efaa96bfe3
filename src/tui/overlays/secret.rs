//! The one showing of a new secret: a key's token, an app's secret, the recovery code. Dots until it is revealed; on one
//! line of its own, unbroken and with nothing beside it; gone from screen and memory when it is closed, which needs a
//! tick, "I stored it", of somebody who saw or copied it. It may be left without that, after a question that says what
//! becomes of what it opens. Instead of being copied it can be written to a file: `filing`.

mod draw;
mod filing;

use ratatui::layout::Rect;

pub(in crate::tui) use self::filing::place;
use self::filing::{Filing, Step};
use super::how_to::{base_url, token_request};
use crate::domain::catalog::AuthMethod;
use crate::domain::lineage::taking_back;
use crate::domain::{App, AppId, Command, Event, Key, KeyId, Motive};
use crate::tui::action::{Action, Layer, Reason};
use crate::tui::app::ask::{Answer, Ask, Errand, Job, Tab};
use crate::tui::app::custody::Fresh;
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clipboard::Keep;
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay, Secrecy};
use crate::tui::secret::SecretText;
use crate::tui::sight::seen::seen;

/// The steps of the form for a new app; its secret is the last, or its first key after that.
pub const STEPS: [&str; 3] = ["1 Details", "2 Scopes", "3 Secret"];

/// What a secret of an app makes way for.
type Next = fn(&Look, AppId) -> Box<dyn Overlay>;

/// How the secret is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Showing {
    Dots,
    Plain,
    /// Nothing but the secret on the screen, for selecting it with the mouse.
    Bare,
}

/// What led to an app's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occasion {
    /// The app was created: this is the third step.
    Created,
    /// It got a new secret.
    Renewed,
    /// It got one, and the one before works on.
    Rotated,
}

/// How a key came to be.
enum Made {
    /// It was issued; these keys are to be revoked once it is stored.
    Issued(Vec<(KeyId, String)>),
    /// It was issued, and opens nothing.
    Laid,
    /// It took over from one that works on.
    Rotated,
    /// It took over from one that has ended.
    Replaced,
}

impl Made {
    /// Of one that took over.
    fn of(events: &[Event], look: &Look) -> Self {
        match taking_back(events, look.engine.now().time) {
            Some(Command::CancelRotation(_)) => Self::Rotated,
            _ => Self::Replaced,
        }
    }
}

/// What the secret opens.
enum Of {
    Key { id: KeyId, tab: Tab, made: Made },
    App { id: AppId, method: AuthMethod, occasion: Occasion },
    Store,
}

pub struct Secret {
    fresh: Fresh,
    of: Of,
    /// What has the secret.
    name: String,
    /// What was done, and what to know of it.
    title: String,
    facts: String,
    /// Below all: that it is shown only now, in many words and in few.
    words: [&'static str; 2],
    /// How an app fetches an access token: what to say of it, and the request.
    request: Option<(&'static str, Vec<String>)>,
    /// What issues the first key of an app that was created with it.
    next: Option<Next>,
    showing: Showing,
    stored: bool,
    /// Somebody wants to leave without having stored it, and was asked.
    leaving: bool,
    /// Where it shall be written to, while that is asked.
    filing: Option<Filing>,
    /// It was written to a file.
    filed: bool,
}

impl Secret {
    fn new(fresh: Fresh, of: Of, name: String, title: String, facts: String) -> Self {
        let words = match of {
            Of::Key { made: Made::Rotated | Made::Replaced, .. } => [
                "This is the only time it can be shown: what is kept here recognises the key but cannot tell it. If it \
                 is lost, replace the new half.",
                "Shown only now. If it is lost, replace the new half.",
            ],
            Of::Key { .. } => [
                "This is the only time it can be shown: what is kept here recognises the key but cannot tell it. If it \
                 is lost, revoke it and issue another.",
                "Shown only now. If it is lost, revoke it, issue another.",
            ],
            Of::App { .. } => [
                "What is kept here recognises the secret but cannot tell it. If it is lost, make a new one.",
                "",
            ],
            Of::Store => ["It is never shown again. If it is lost, renew it.", ""],
        };
        let (showing, request, next) = (Showing::Dots, None, None);
        let (stored, leaving, filing, filed) = (false, false, None, false);
        Self { fresh, of, name, title, facts, words, request, next, showing, stored, leaving, filing, filed }
    }

    /// What was made by what was asked for. `old` is revoked when it is closed, which it is only once this one is stored.
    pub fn of(answer: Answer, old: Vec<(KeyId, String)>, look: &Look) -> Heard {
        Self::made(answer, old, look).map_or(Heard::Close, |shown| Heard::Replace(Box::new(shown)))
    }

    /// The secret of an app that was created; `next` issues its key, if it has keys.
    pub fn step(answer: Answer, look: &Look, next: Next) -> Heard {
        let shown = Self::made(answer, Vec::new(), look).map(|shown| Self { next: Some(next), ..shown });
        shown.map_or(Heard::Close, |shown| Heard::Replace(Box::new(shown)))
    }

    fn made(answer: Answer, old: Vec<(KeyId, String)>, look: &Look) -> Option<Self> {
        let (events, fresh) = match answer {
            Answer::Done { events, token: Some(fresh), .. } => (events, fresh),
            Answer::Recovery(code) => return Some(Self::code(code)),
            _ => return None,
        };
        for event in &events {
            return Some(match event {
                Event::KeyIssued(key) if key.is_decoy() => Self::key(fresh, key, Made::Laid, look),
                Event::KeyIssued(key) => Self::key(fresh, key, Made::Issued(old), look),
                Event::KeySucceeded(key, _) => Self::key(fresh, key, Made::of(&events, look), look),
                Event::AppCreated(app) => Self::app(fresh, app, Occasion::Created, look),
                Event::AppSecretRenewed(app) if app.old_secret(look.now()).is_some() => {
                    Self::app(fresh, app, Occasion::Rotated, look)
                }
                Event::AppSecretRenewed(app) => Self::app(fresh, app, Occasion::Renewed, look),
                _ => continue,
            });
        }
        None
    }

    fn key(token: Fresh, key: &Key, made: Made, look: &Look) -> Self {
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
        let (name, facts) = (key.name.to_string(), format!("{kind}, {scopes}, {until}"));
        let title = match made {
            Made::Issued(_) => format!("{name} is issued"),
            Made::Laid => format!("{name} is issued, a decoy"),
            Made::Rotated => format!("{name} is rotated"),
            Made::Replaced => format!("{name} is replaced"),
        };
        let of = Of::Key { id: key.id, tab: Tab::of(key.place), made };
        Self::new(token, of, name, title, facts)
    }

    fn app(secret: Fresh, app: &App, occasion: Occasion, look: &Look) -> Self {
        let name = app.name.to_string();
        let title = match occasion {
            Occasion::Created => format!("{name} is created"),
            Occasion::Renewed | Occasion::Rotated => format!("{name} has a new secret"),
        };
        let facts = match (occasion, app.method) {
            (Occasion::Created, AuthMethod::ApiKey) => {
                "Store id and secret where the app will find them, then issue its API key."
            }
            (_, AuthMethod::Jwt) => "Store both where the app will find them: they fetch its access tokens.",
            (_, AuthMethod::ResourceServer) => {
                "Store both where the service will find them: with them it asks about what its callers present."
            }
            (Occasion::Renewed | Occasion::Rotated, AuthMethod::ApiKey) => {
                "Store it in place of the old one."
            }
        };
        let of = Of::App { id: app.id, method: app.method, occasion };
        let base = look.view(base_url);
        let said = match base {
            Some(_) => "How it fetches an access token:",
            None => "How it fetches an access token, with your platform's address for the one here:",
        };
        let request = (app.method == AuthMethod::Jwt).then(|| (said, token_request(app.id, base.as_deref())));
        Self { request, ..Self::new(secret, of, name, title, facts.to_owned()) }
    }

    /// The recovery code, in groups.
    pub fn code(code: Fresh) -> Self {
        let facts = "With this code and an operator's name a new passphrase can be set when the old one is forgotten. \
                     Write it down and keep it away from this machine.";
        let mut shown =
            Self::new(code, Of::Store, String::new(), "New recovery code".to_owned(), facts.to_owned());
        shown.fresh.show();
        Self { showing: Showing::Plain, ..shown }
    }

    /// Whether the next thing is the app's first key.
    const fn key_is_next(&self) -> bool {
        matches!(self.of, Of::App { method: AuthMethod::ApiKey, occasion: Occasion::Created, .. })
    }

    /// Why nobody can have stored it yet.
    fn unseen(&self, look: &Look) -> Option<Reason> {
        let label = |action| look.keymap.label(Layer::Secret, action).unwrap_or_default();
        let (copy, reveal) = (label(Action::CopySecret), label(Action::Reveal));
        let said = format!("you have neither seen nor copied it: {copy} copies it, {reveal} shows it");
        (!self.fresh.is_seen()).then(|| said.into())
    }

    fn finish(&mut self, look: &Look, out: &mut Vec<Ask>) -> Heard {
        if let Some(reason) = self.held() {
            out.push(Ask::Say(reason.to_string()));
            return Heard::Consumed;
        }
        self.fresh.hand_over();
        let name = &self.name;
        match &mut self.of {
            Of::Key { id, tab, made } => {
                out.push(Ask::Go(*tab, Errand::Key(*id)));
                let works = if matches!(made, Made::Laid) { "" } else { " and works" };
                out.push(Ask::Celebrate(format!("{}{works}", self.title)));
                let old = if let Made::Issued(old) = made { std::mem::take(old) } else { Vec::new() };
                out.extend(old.into_iter().map(|(key, old)| {
                    let said = format!("{old} is revoked; {name} takes its place");
                    Ask::Do(Job::Run { command: Command::RevokeKey(key, Motive::replaced()), said })
                }));
            }
            Of::App { id, method, occasion } => {
                out.push(Ask::Go(Tab::Apps, Errand::App(*id)));
                if let Some(next) = self.next.filter(|_| *method == AuthMethod::ApiKey) {
                    return Heard::Replace(next(look, *id));
                }
                match (*occasion, *method) {
                    (Occasion::Created, _) => {
                        out.push(Ask::Celebrate(format!("{name} is created and works")));
                    }
                    (Occasion::Rotated, _) => {
                        out.push(Ask::Celebrate(format!("{name} has a new secret; the old one works on")));
                    }
                    (Occasion::Renewed, _) => {
                        out.push(Ask::Celebrate(format!(
                            "{name} has a new secret; the old one is worthless"
                        )));
                    }
                }
            }
            Of::Store => out.push(Ask::Celebrate("The new recovery code is in force".into())),
        }
        Heard::Close
    }

    /// Esc: out of the bare view, then out of here; asks when that would lose it.
    fn leave(&mut self, look: &Look, out: &mut Vec<Ask>) -> Heard {
        if self.showing == Showing::Bare {
            self.showing = Showing::Plain;
            return Heard::Consumed;
        }
        if !self.stored && !self.leaving {
            self.leaving = true;
            return Heard::Consumed;
        }
        if !self.stored {
            self.fresh.give_up();
            out.extend(match self.of {
                Of::Key { id, tab, .. } => Some(Ask::Go(tab, Errand::Key(id))),
                Of::App { id, .. } => Some(Ask::Go(Tab::Apps, Errand::App(id))),
                Of::Store => None,
            });
            return Heard::Close;
        }
        let Of::App { id, .. } = self.of else { return self.finish(look, out) };
        self.fresh.hand_over();
        out.push(Ask::Go(Tab::Apps, Errand::App(id)));
        let name = &self.name;
        out.push(if self.key_is_next() {
            Ask::Say(format!("{name} has no key yet; i issues one"))
        } else {
            Ask::Celebrate(format!("{name} works with its secret"))
        });
        Heard::Close
    }
}

impl Overlay for Secret {
    fn name(&self) -> &'static str {
        match self.of {
            Of::Key { .. } => "secret",
            Of::App { .. } => "app-secret",
            Of::Store => "recovery-code",
        }
    }

    fn layer(&self) -> Layer {
        if self.filing.is_some() { Layer::Dialog } else { Layer::Secret }
    }

    fn text_focus(&self) -> TextFocus {
        if self.filing.is_some() { TextFocus::Here } else { TextFocus::Elsewhere }
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, _: Now, out: &mut Vec<Ask>) -> Heard {
        if let Some(filing) = &mut self.filing {
            match filing.hear(cue) {
                Step::Stays => {}
                Step::Back => self.filing = None,
                // Nobody has it before it is there.
                Step::Write => {
                    let secret = SecretText::new(self.fresh.expose().to_owned());
                    out.extend(filing.write(secret, &self.of).map(Ask::Do));
                }
            }
            return Heard::Consumed;
        }
        let leaves = matches!(cue, Cue::Do(Action::CloseRaw | Action::Cancel) | Cue::Tick);
        self.leaving &= leaves;
        match (cue, &self.of) {
            (Cue::Do(Action::CopySecret), _) => out.push(Ask::Copy(self.fresh.copy(), Keep::Leased)),
            (Cue::Do(Action::CopyId), Of::App { id, .. }) => {
                out.push(Ask::Copy(SecretText::new(id.to_string()), Keep::Stays));
            }
            (Cue::Do(Action::Reveal), _) => {
                self.showing = if self.showing == Showing::Dots { Showing::Plain } else { Showing::Dots };
            }
            (Cue::Do(Action::RawView), _) => {
                self.showing = if self.showing == Showing::Bare { Showing::Plain } else { Showing::Bare };
            }
            (Cue::Do(Action::ToFile), Of::Key { .. } | Of::App { .. }) => {
                let end = if matches!(self.of, Of::Key { .. }) { "token" } else { "secret" };
                self.showing = Showing::Dots;
                self.filing = Some(Filing::new(&self.name, end));
            }
            (Cue::Do(Action::Stored) | Cue::Click(Target::Tick { .. }), _) => match self.unseen(look) {
                Some(why) => out.push(Ask::Say(why.to_string())),
                None => self.stored = !self.stored || self.filed,
            },
            (Cue::Do(Action::Finish), _) => return self.finish(look, out),
            (Cue::Do(Action::CloseRaw | Action::Cancel), _) => return self.leave(look, out),
            _ => {}
        }
        if self.showing != Showing::Dots {
            self.fresh.show();
        }
        Heard::Consumed
    }

    fn told(&mut self, answer: Answer, _: &Look, _: Now, _: &mut Vec<Ask>) -> Heard {
        match (answer, &mut self.filing) {
            (Answer::Done { .. }, filing @ Some(_)) => {
                *filing = None;
                self.fresh.hand_over();
                (self.filed, self.stored) = (true, true);
            }
            (Answer::Refused(why), Some(filing)) => filing.failed(why),
            _ => {}
        }
        Heard::Consumed
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, _: Now) {
        self.paint(canvas, area, look);
    }

    fn hints(&self) -> &[Action] {
        if self.filing.is_some() {
            return &[Action::Press, Action::NextField, Action::Cancel];
        }
        match self.of {
            Of::App { .. } => &[
                Action::CopySecret,
                Action::Reveal,
                Action::CopyId,
                Action::ToFile,
                Action::RawView,
                Action::Stored,
                Action::Finish,
                Action::CloseRaw,
            ],
            Of::Key { .. } => &[
                Action::CopySecret,
                Action::Reveal,
                Action::ToFile,
                Action::RawView,
                Action::Stored,
                Action::Finish,
                Action::CloseRaw,
            ],
            Of::Store => &[
                Action::CopySecret,
                Action::Reveal,
                Action::RawView,
                Action::Stored,
                Action::Finish,
                Action::CloseRaw,
            ],
        }
    }

    fn enabled(&self, action: Action, look: &Look) -> Result<(), Reason> {
        match action {
            Action::Stored => self.unseen(look).map_or(Ok(()), Err),
            Action::ToFile if matches!(self.of, Of::Store) => {
                Err("a recovery code is kept away from this machine".into())
            }
            Action::Finish => self.held().map_or(Ok(()), Err),
            _ => Ok(()),
        }
    }

    fn held(&self) -> Option<Reason> {
        (!self.stored).then(|| "tick \"I stored it\" first (space): it is never shown again".into())
    }

    fn loses(&self) -> Option<Reason> {
        self.fresh.at_the_end().filter(|_| !self.stored)
    }

    fn secrecy(&self) -> Secrecy {
        Secrecy::Secret
    }
}
