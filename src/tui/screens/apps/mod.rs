//! The apps: a table of them, below it the keys of the selected one, and beside both everything about what is
//! selected. Where there is no room for all that, one thing at a time.
//!
//! ```text
//!   Name ▲          Method   Source app   Users   Keys  State     │ Booking bot
//! ▸ Booking bot     API key  bot          guests     2  ● active  │ ● active
//!   Guest app       tokens   mobile app   guests     -  ● active  │ App id     app_7HqP2mVx9KtR
//! ── Keys of Booking bot ──────────────────────────────────────── │ Secret     kdas_7HqP2mVx9KtR_…
//!   Name ▲          Key                   Last used     State     │ URI        https://bot.example
//! ```
//!
//! - `list`, `query`: the apps. `detail`: one of them. `possible`: what can be done now. `draw`: all of it on the screen.

mod detail;
mod draw;
mod list;
mod possible;
mod query;

use ratatui::layout::Rect;

use self::list::AppRows;
use super::Screen;
use super::keys::detail as key_detail;
use super::keys::pane::{HINTS, KeyPane};
use super::keys::used::Used;
use crate::domain::authorize::Action as Act;
use crate::domain::tail::Watched;
use crate::domain::{AppId, Bearer, Command, Event};
use crate::tui::action::{Action, Reason};
use crate::tui::app::ask::{Answer, Ask, Errand, Job, Thing};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clipboard::Keep;
use crate::tui::clock::{Moment, Now};
use crate::tui::input::TextFocus;
use crate::tui::list::beside::Beside;
use crate::tui::list::habit::Habitual;
use crate::tui::overlay::Cue;
use crate::tui::overlays::app_form::AppForm;
use crate::tui::overlays::chooser;
use crate::tui::overlays::confirm;
use crate::tui::overlays::create_key::CreateKey;
use crate::tui::overlays::how_to::HowTo;
use crate::tui::overlays::rotate::Rotate;
use crate::tui::overlays::tail::Tail;
use crate::tui::secret::SecretText;
use crate::tui::sight::app_deeds::{self, AppDeed};
use crate::tui::sight::seen::seen;
use crate::tui::sight::subset::Subset;

/// The list's number for the mouse.
const PANE: u8 = 3;
const APP_HINTS: [Action; 8] = [
    Action::New,
    Action::Filter,
    Action::Open,
    Action::Edit,
    Action::NewKey,
    Action::HowTo,
    Action::Pause,
    Action::RowMenu,
];
const DETAIL_HINTS: [Action; 5] =
    [Action::PageDown, Action::Open, Action::Back, Action::HowTo, Action::RowMenu];
/// What there is to do with an app.
const LISTED: [(Action, &str); 16] = [
    (Action::Open, "See everything about it"),
    (Action::CopyId, "Copy its application id"),
    (Action::HowTo, "How to call with it"),
    (Action::Watch, "Watch who knocks with it"),
    (Action::TestToken, "Test a token step by step"),
    (Action::NewKey, "Issue a key for it"),
    (Action::Edit, "Edit what it is and what it may do"),
    (Action::Scopes, "Change what it may do"),
    (Action::Rotate, "Rotate its secret: a new one takes over"),
    (Action::Lost, "Replace its secret as lost"),
    (Action::FinishGrace, "End its old secret now"),
    (Action::LongerGrace, "Let its old secret work a day longer"),
    (Action::CancelRotation, "Take its new secret back"),
    (Action::RotateAgain, "Replace its new secret, which nobody used"),
    (Action::Pause, "Pause or resume it"),
    (Action::Delete, "Delete it, and its keys with it"),
];

/// What there is to do with an app whose old secret works, and with no other.
const OF_TWO_SECRETS: [Action; 4] =
    [Action::FinishGrace, Action::LongerGrace, Action::CancelRotation, Action::RotateAgain];

/// Which half has the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Apps,
    Keys,
}

pub struct Apps {
    beside: Beside<AppRows>,
    pane: KeyPane,
    part: Part,
    /// How the selected app was used.
    used: Used,
    /// The keys of all apps are shown, not only the selected one's: what is due among them.
    all: bool,
    /// Why no app can be created, judged when the state changed.
    create: Result<(), Reason>,
    /// A pause that can be taken back.
    paused: Option<(AppId, String)>,
}

impl Apps {
    /// Empty until it has looked.
    pub(super) fn new() -> Self {
        Self {
            beside: Beside::new((PANE, key_detail::PANE), Vec::new()),
            pane: KeyPane::new(Subset::Apps),
            part: Part::Apps,
            used: Used::default(),
            all: false,
            create: Ok(()),
            paused: None,
        }
    }

    /// Shows the keys of the selected app.
    fn follow(&mut self, look: &Look, out: &mut Vec<Ask>) {
        let wanted = match self.beside.list.selected() {
            Some(app) if !self.all => Subset::Of(app),
            _ => Subset::Apps,
        };
        if self.pane.subset() != wanted {
            self.pane.hold(wanted);
            self.pane.beside.list.set_filter("");
            self.pane.refresh(look, out);
            self.pane.beside.list.go(0);
        }
    }

    fn go(&mut self, part: Part, look: &Look, out: &mut Vec<Ask>) {
        self.part = part;
        if part == Part::Keys {
            self.beside.leave();
        }
        if part != Part::Keys && self.all {
            self.all = false;
            self.follow(look, out);
        }
    }

    fn hear_apps(&mut self, cue: Cue<'_>, look: &Look, out: &mut Vec<Ask>) -> bool {
        if self.beside.list.text_focus() == TextFocus::Elsewhere {
            match cue {
                // What an app is fills the pane: who opens it goes in, and on from there to its keys.
                Cue::Do(Action::Open) if !self.beside.is_inside() => {
                    self.beside.enter();
                    return true;
                }
                Cue::Do(Action::Right | Action::Open) => {
                    if self.may_enter_keys(look).is_ok() {
                        self.go(Part::Keys, look, out);
                    }
                    return true;
                }
                // Nothing is done to several apps at once.
                Cue::Do(Action::Mark | Action::MarkAll | Action::MarkRange | Action::MarkNone) => {
                    return false;
                }
                Cue::Do(action) if self.perform(action, look, out) => return true,
                _ => {}
            }
        }
        let change = self.beside.hear(cue);
        let used = seen(look, |seen| self.beside.list.settle(change, seen));
        if used {
            self.follow(look, out);
        }
        used
    }

    /// What is done to the selected app.
    fn perform(&mut self, action: Action, look: &Look, out: &mut Vec<Ask>) -> bool {
        if action == Action::New {
            out.push(Ask::open(AppForm::create(look)));
            return true;
        }
        if action == Action::Undo {
            if let Some((app, name)) = self.paused.take() {
                let said = format!("{name} is active again");
                out.push(Ask::Do(Job::Run { command: Command::ResumeApp(app), said }));
            }
            return true;
        }
        let Some(app) = self.beside.list.selected() else { return false };
        match action {
            Action::Edit => out.extend(AppForm::edit(look, app).map(Ask::open)),
            Action::Scopes => out.extend(AppForm::scopes(look, app).map(Ask::open)),
            Action::NewKey => out.push(Ask::open(CreateKey::new(look, Subset::Of(app)))),
            Action::HowTo => out.extend(HowTo::app(look, app).map(Ask::open)),
            Action::Watch => out.push(Ask::open(Tail::new(Watched::App(app), look))),
            Action::CopyId => out.push(Ask::Copy(SecretText::new(app.to_string()), Keep::Stays)),
            Action::RowMenu => {
                let screen = &*self;
                let now = look.now();
                let rotated =
                    look.view(|view| view.app(app).is_some_and(|app| app.old_secret(now).is_some()));
                let listed: Vec<_> = LISTED
                    .into_iter()
                    .filter(|(action, _)| rotated || !OF_TWO_SECRETS.contains(action))
                    .collect();
                let menu =
                    chooser::row_menu("With this app", &listed, look, |action| screen.enabled(action, look));
                out.push(Ask::open(menu));
            }
            Action::Rotate => out.extend(Rotate::app(look, app).map(Ask::open)),
            Action::LongerGrace => {
                let said = "its old secret works a day longer, as far as may be".to_owned();
                out.push(Ask::Do(Job::Run { command: app_deeds::longer(app), said }));
            }
            Action::Pause
            | Action::Delete
            | Action::NewSecret
            | Action::Lost
            | Action::FinishGrace
            | Action::CancelRotation
            | Action::RotateAgain => {
                let deed = look.view(|view| view.app(app).and_then(|app| AppDeed::of(action, app)));
                let question = deed.and_then(|deed| confirm::apps::ask(look, deed, app));
                out.extend(question.map(Ask::open));
            }
            _ => return false,
        }
        true
    }
}

impl Screen for Apps {
    fn refresh(&mut self, look: &Look, out: &mut Vec<Ask>) {
        seen(look, |seen| {
            self.beside.list.set_columns(list::columns(seen));
            self.beside.list.fill(seen.view.apps().into_iter().map(|app| app.id), seen);
        });
        self.create = look.may(Act::CreateApp);
        self.follow(look, out);
        self.pane.refresh(look, out);
    }

    fn pane(&mut self) -> Option<&mut KeyPane> {
        Some(&mut self.pane)
    }

    fn arrive(&mut self, errand: Errand, look: &Look, out: &mut Vec<Ask>) {
        match errand {
            Errand::With(action, Thing::App(app)) => {
                self.arrive(Errand::App(app), look, out);
                // Of one that is gone no other is meant.
                let there = self.beside.list.selected() == Some(app);
                match look.permits(action).and_then(|()| self.enabled_apps(action, look)) {
                    Ok(()) if there => drop(self.perform(action, look, out)),
                    Ok(()) => {}
                    Err(why) => out.push(Ask::Say(why.to_string())),
                }
                return;
            }
            Errand::With(action, Thing::Key(key)) => {
                self.arrive(Errand::Key(key), look, out);
                return self.pane.ask_of(action, key, look, out);
            }
            _ => {}
        }
        match &errand {
            Errand::None | Errand::Location(_) | Errand::Setting(_) | Errand::Entry(_) | Errand::With(..) => {
            }
            Errand::Filter(_) => {
                self.all = true;
                self.part = Part::Keys;
            }
            Errand::App(app) => {
                seen(look, |seen| self.beside.list.select(*app, seen));
                self.go(Part::Apps, look, out);
            }
            Errand::Key(key) | Errand::Open(key) => {
                self.all = false;
                self.part = Part::Keys;
                if let Some(app) = look.view(|view| view.key(*key).and_then(|key| key.place.app())) {
                    seen(look, |seen| self.beside.list.select(app, seen));
                }
            }
        }
        self.follow(look, out);
        self.pane.arrive(errand, look, out);
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, now: Now, out: &mut Vec<Ask>) -> bool {
        match cue {
            Cue::Click(Target::Row { pane, .. } | Target::Pane(pane) | Target::Header { pane, .. }) => {
                if pane == PANE || (pane == key_detail::PANE && self.part == Part::Apps) {
                    self.go(Part::Apps, look, out);
                } else {
                    self.go(Part::Keys, look, out);
                }
            }
            Cue::Wheel { pane, .. }
                if pane == PANE || (pane == key_detail::PANE && self.part == Part::Apps) =>
            {
                return self.hear_apps(cue, look, out);
            }
            Cue::Tick => {
                self.used.tick(now, out);
                return self.pane.hear(cue, look, now, out);
            }
            Cue::Wheel { .. } => return self.pane.hear(cue, look, now, out),
            _ => {}
        }
        if self.part == Part::Apps {
            return self.hear_apps(cue, look, out);
        }
        if self.pane.hear(cue, look, now, out) {
            return true;
        }
        let back = matches!(cue, Cue::Do(Action::Left | Action::Back));
        if back {
            self.go(Part::Apps, look, out);
        }
        back
    }

    fn told(&mut self, answer: Answer, look: &Look, now: Now, out: &mut Vec<Ask>) {
        if let Answer::Done { events, .. } = &answer
            && !events.is_empty()
        {
            // Whatever else was done, the pause before it is not the last deed any more.
            self.paused = events.iter().find_map(|event| match event {
                Event::AppPaused(app) => Some((app.id, app.name.to_string())),
                _ => None,
            });
        }
        match answer {
            Answer::Use(about @ Bearer::App(_), picture) => self.used.take(about, *picture),
            answer => {
                if let Answer::Refused(_) = answer {
                    self.used.give_up();
                }
                self.pane.told(answer, look, now, out);
            }
        }
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, now: Now) {
        self.draw_all(canvas, area, look, now);
    }

    fn hints(&self) -> &[Action] {
        match self.part {
            Part::Apps if self.beside.is_inside() => &DETAIL_HINTS,
            Part::Apps => &APP_HINTS,
            Part::Keys => &HINTS,
        }
    }

    fn enabled(&self, action: Action, look: &Look) -> Result<(), Reason> {
        match (self.part, action) {
            (Part::Keys, Action::Left | Action::Back) => Ok(()),
            (Part::Keys, _) => self.pane.enabled(action, look),
            (_, _) => self.enabled_apps(action, look),
        }
    }

    fn undoes(&self) -> Option<String> {
        match self.part {
            Part::Apps => self.paused.as_ref().map(|(_, name)| format!("the pause of {name}")),
            Part::Keys => self.pane.undoes(),
        }
    }

    fn habitual(&mut self) -> Vec<(&'static str, &mut dyn Habitual)> {
        vec![("apps", &mut self.beside), ("app-keys", &mut self.pane.beside)]
    }

    fn text_focus(&self) -> TextFocus {
        match self.part {
            Part::Apps => self.beside.list.text_focus(),
            Part::Keys => self.pane.text_focus(),
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        [self.pane.wake_at(), self.used.wake_at()].into_iter().flatten().min()
    }
}
