//! The question before something is done to an app: what stops with it and what goes on. Cancel has the focus;
//! deleting wants the app's name typed. A new secret is shown where the question was.

use ratatui::layout::Rect;

use super::app_secret::AppSecret;
use crate::domain::catalog::AuthMethod;
use crate::domain::{App, AppId, Event};
use crate::tui::action::{Action, Danger, Layer, Reason};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::screens::apps::deeds::AppDeed;
use crate::tui::screens::apps::standing::last_used;
use crate::tui::screens::keys::seen::{Seen, seen};
use crate::tui::theme::Role;
use crate::tui::widgets::buttons::{Button, ButtonRow};
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{Focus, layout, popup, text};

const WIDTH: u16 = 72;

/// The question.
pub struct AppConfirm {
    deed: AppDeed,
    app: AppId,
    name: String,
    facts: String,
    used: String,
    after: Vec<String>,
    typed: Option<TextField>,
    buttons: ButtonRow,
    busy: bool,
    problem: Option<String>,
}

impl AppConfirm {
    /// The question whether to do `deed` to an app the operator sees.
    pub fn new(look: &Look, deed: AppDeed, app: AppId) -> Option<Self> {
        seen(look, |seen| {
            let app = seen.view.app(app)?;
            let doing = match deed.danger() {
                Danger::Dangerous => Button::dangerous(deed.verb()),
                Danger::Safe => Button::safe(deed.verb()),
            };
            let owner = seen.view.app_owner_name(app);
            let used = last_used(app, seen);
            Some(Self {
                deed,
                app: app.id,
                name: app.name.to_string(),
                facts: format!("{}  {}, owned by {owner}", app.id, app.profile.source.title()),
                used: used.map_or_else(
                    || "Never used.".to_owned(),
                    |at| format!("Used {}.", seen.times.relative(at)),
                ),
                after: consequences(deed, app, seen),
                typed: (deed == AppDeed::Delete).then(|| TextField::new("")),
                buttons: ButtonRow::new([Button::safe("Cancel"), doing]),
                busy: false,
                problem: None,
            })
        })
    }

    fn is_typed(&self) -> bool {
        self.typed.as_ref().is_none_or(|typed| typed.text().trim() == self.name)
    }

    /// The button one came for is the one Enter presses, as soon as it may be.
    fn aim(&mut self) {
        self.buttons.focus(usize::from(self.is_typed()));
    }

    fn press(&mut self, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        let cancelled = self.buttons.focused() == 0;
        let begun = self.typed.as_ref().is_some_and(|typed| !typed.is_empty());
        if cancelled && (!begun || self.is_typed()) {
            return Heard::Close;
        }
        if !self.is_typed() {
            out.push(Ask::Say("type the app's name exactly as it stands there; esc cancels".to_owned()));
            return Heard::Consumed;
        }
        let said = match self.deed {
            AppDeed::Pause => format!("{} is paused; u resumes it", self.name),
            AppDeed::Resume => format!("{} is active again", self.name),
            AppDeed::Delete => format!("{} is deleted", self.name),
            AppDeed::NewSecret => String::new(),
        };
        out.push(Ask::Do(Job::Run { command: self.deed.command(self.app), said }));
        if self.deed != AppDeed::NewSecret {
            // The screen hears what came of it.
            return Heard::Close;
        }
        self.busy = true;
        Heard::Consumed
    }

    fn lines(&self, cells: u16) -> Vec<(Role, String)> {
        let mut lines = vec![(Role::Title, self.name.clone())];
        let mut add = |role, said: &str| {
            lines.extend(text::wrap(said, cells).into_iter().map(|line| (role, line)));
        };
        add(Role::Dim, &self.facts);
        add(Role::Dim, &self.used);
        add(Role::Text, "");
        for (at, said) in self.after.iter().enumerate() {
            let stops = at == 0 && self.deed.danger() == Danger::Dangerous;
            add(if stops { Role::Warn } else { Role::Text }, said);
        }
        if let Some(problem) = &self.problem {
            add(Role::Bad, problem);
        }
        lines
    }
}

/// What stops, then what does not, in whole sentences.
fn consequences(deed: AppDeed, app: &App, seen: &Seen<'_>) -> Vec<String> {
    // All keys of the app stop, also those the operator does not see: the number is the whole truth.
    let live = seen.state().keys_of_app(app.id).filter(|key| key.state(seen.now()).is_live()).count();
    let keys = match live {
        0 => "It has no live keys".to_owned(),
        1 => "Its 1 key".to_owned(),
        n => format!("Its {n} keys"),
    };
    let jwt = app.method == AuthMethod::Jwt;
    let said: &[&str] = match (deed, jwt, live) {
        (AppDeed::Pause, true, _) => &[
            "Its access tokens are refused from the next request on, and no new one is given out, until it is resumed.",
        ],
        (AppDeed::Pause, false, 0) => &["{keys}: nothing stops now, and none works until it is resumed."],
        (AppDeed::Pause, false, _) => {
            &["{keys} stop: refused from the next request on, until it is resumed."]
        }
        (AppDeed::Resume, true, _) => &["It gets access tokens again, and those that have not ended work."],
        (AppDeed::Resume, false, 0) => &["{keys}; one issued now would work."],
        (AppDeed::Resume, false, _) => &["{keys} work again from the next request on."],
        (AppDeed::Delete, true, _) => &[
            "Its access tokens are refused at once and its secret gets no new one.",
            "Deleting is final. Its history stays readable; an app of the same name is a new one.",
        ],
        (AppDeed::Delete, false, 0) => &[
            "{keys}: nothing stops. Its secret is worthless from then on.",
            "Deleting is final. Its history stays readable; an app of the same name is a new one.",
        ],
        (AppDeed::Delete, false, _) => &[
            "{keys} go with it: revoked at once, and what uses them stops. Its secret is worthless from then on.",
            "Deleting is final. Its history stays readable; an app of the same name is a new one.",
        ],
        (AppDeed::NewSecret, true, _) => &[
            "The secret it has now and all access tokens fetched with it end at once: the app stands still until it has the new one.",
            "Its application id stays. The new secret is shown once, right after this.",
        ],
        (AppDeed::NewSecret, false, 0) => &[
            "The secret it has now ends at once.",
            "Its application id stays. The new secret is shown once, right after this.",
        ],
        (AppDeed::NewSecret, false, _) => &[
            "The secret it has now ends at once.",
            "{keys} and its application id stay as they are. The new secret is shown once, right after this.",
        ],
    };
    said.iter().map(|line| line.replace("{keys}", &keys)).collect()
}

impl Overlay<Look, Ask, Answer> for AppConfirm {
    fn name(&self) -> &'static str {
        "app-confirm"
    }

    fn layer(&self) -> Layer {
        Layer::Dialog
    }

    fn text_focus(&self) -> TextFocus {
        if self.typed.is_some() { TextFocus::Here } else { TextFocus::Elsewhere }
    }

    fn hear(&mut self, cue: Cue<'_>, _: &Look, _: Now, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        if self.busy {
            return if cue == Cue::Do(Action::Cancel) { Heard::Ignored } else { Heard::Consumed };
        }
        match (cue, &mut self.typed) {
            (Cue::Do(Action::Press), _) => return self.press(out),
            (Cue::Do(Action::Submit), _) => {
                self.buttons.focus(1);
                return self.press(out);
            }
            (Cue::Click(Target::Button(0)), _) => return Heard::Close,
            (Cue::Click(Target::Button(button)), _) => {
                self.buttons.focus(button);
                return self.press(out);
            }
            (Cue::Do(Action::NextField | Action::PrevField), _) => {
                self.buttons.focus(1 - self.buttons.focused().min(1));
            }
            (Cue::Do(action @ (Action::Left | Action::Right)), _) => {
                self.buttons.act(action);
            }
            (Cue::Type(c), Some(typed)) => {
                typed.type_char(c.0);
                self.aim();
            }
            (Cue::Edit(edit), Some(typed)) => {
                typed.edit(edit);
                self.aim();
            }
            (Cue::Paste(pasted), Some(typed)) => {
                typed.paste(pasted.0);
                self.aim();
            }
            _ => return Heard::Ignored,
        }
        Heard::Consumed
    }

    fn told(&mut self, answer: Answer, look: &Look, _: Now, _: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        self.busy = false;
        match answer {
            Answer::Done { events, token: Some(secret), .. } => {
                let renewed = events.into_iter().find_map(|event| match event {
                    Event::AppSecretRenewed(app) => Some(app),
                    _ => None,
                });
                match renewed {
                    Some(app) => Heard::Replace(Box::new(AppSecret::renewed(secret, &app, look))),
                    None => Heard::Close,
                }
            }
            Answer::Refused(why) => {
                self.problem = Some(why);
                Heard::Consumed
            }
            _ => Heard::Close,
        }
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, _: &Look, _: Now) {
        let lines = self.lines(WIDTH.min(area.width).saturating_sub(6).max(1));
        let asked = if self.typed.is_some() { 3 } else { 0 };
        let wanted = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(asked + 6);
        let title = match self.deed {
            AppDeed::NewSecret => "New secret for an app".to_owned(),
            deed => format!("{} app", deed.verb()),
        };
        let inner = popup::draw(canvas, &title, WIDTH, wanted);
        let (upper, buttons) = layout::bottom(inner, 1);
        let (upper, field) = layout::bottom(upper, asked);
        for (row, (role, line)) in (0..upper.height).zip(&lines) {
            let row = layout::row(upper, row);
            canvas.fit(row.x, row.y, row.width, line, *role);
        }
        if self.busy {
            canvas.fit(buttons.x, buttons.y, buttons.width, "making it…", Role::Info);
            return;
        }
        self.buttons.draw(canvas, buttons, Focus::Here);
        if let Some(typed) = &self.typed {
            let label = layout::row(field, 0);
            let x = canvas.fit(label.x, label.y, label.width, "Type its name to confirm:", Role::Dim);
            let rest = label.right().saturating_sub(x + 1);
            canvas.fit(x.saturating_add(1), label.y, rest, &self.name, Role::Accent);
            // The buttons put the cursor on themselves; what is typed goes to the field.
            typed.draw_input(canvas, layout::row(field, 1), Focus::Here);
        }
    }

    fn hints(&self) -> &[Action] {
        &[Action::Press, Action::NextField, Action::Cancel]
    }

    fn held(&self) -> Option<Reason> {
        self.busy.then(|| "one moment: the new secret is about to be shown".into())
    }
}
