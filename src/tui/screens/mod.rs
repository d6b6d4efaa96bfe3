//! The screens behind the tabs. Each answers for one thing: its state, its keys, its drawing. A screen is told
//! when the state changed, hears what its keys mean, and asks for what it wants.

pub mod apps;
pub mod audit;
pub(crate) mod keys;
pub mod location_keys;
pub mod notices;
pub mod review;
pub mod settings;

use ratatui::layout::Rect;

use self::keys::pane::KeyPane;
use super::action::{Action, Layer, Reason};
use super::app::ask::{Answer, Ask, Errand, Found, Tab};
use super::app::due::Due;
use super::app::look::Look;
use super::canvas::Canvas;
use super::clock::{Moment, Now};
use super::input::TextFocus;
use super::list::habit::Habitual;
use super::list::lines::Lines;
use super::overlay::Cue;
use super::sight::jump::Offer;
use super::sight::subset::Subset;

/// One screen. The order of calls: [`Screen::refresh`] once before anything else, and before it is open again when the
/// state or the session changed; then cues, answers and drawing in any order.
pub trait Screen {
    /// The state or the session changed: look again. Selection, scroll and filter stay, by id.
    fn refresh(&mut self, look: &Look, out: &mut Vec<Ask>);

    /// What is due was read off the records again; before it looks itself.
    fn board(&mut self, _due: &Due, _look: &Look, _out: &mut Vec<Ask>) {}

    /// Its pane of keys, which hears what came of its searches.
    fn pane(&mut self) -> Option<&mut KeyPane> {
        None
    }

    /// Something was found that it had searched for elsewhere.
    fn found(&mut self, found: Found, look: &Look, out: &mut Vec<Ask>) {
        if let Some(pane) = self.pane() {
            pane.found(found, look, out);
        }
    }

    /// Nothing is being searched for any more.
    fn lost_search(&mut self) {
        if let Some(pane) = self.pane() {
            pane.lost_search();
        }
    }

    /// It was opened, perhaps with something to do.
    fn arrive(&mut self, errand: Errand, look: &Look, out: &mut Vec<Ask>);

    /// The filter lines of before in it, to be kept from one start to the next, and put back.
    fn lines(&mut self) -> Option<&mut Lines> {
        self.pane().map(|pane| &mut pane.beside.list.lines)
    }

    /// What can be jumped to in it, beside keys, apps, locations and operators.
    fn offers(&self, _look: &Look) -> Vec<Offer> {
        Vec::new()
    }

    /// Hears a cue while no overlay is open. `true` when it had a use for it.
    fn hear(&mut self, cue: Cue<'_>, look: &Look, now: Now, out: &mut Vec<Ask>) -> bool;

    /// Hears the answer to a job it asked for.
    fn told(&mut self, answer: Answer, look: &Look, now: Now, out: &mut Vec<Ask>);

    /// Draws itself into the room between tab bar and status line.
    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, now: Now);

    /// The actions to hint at, most important first. Only possible ones are shown.
    fn hints(&self) -> &[Action];

    /// Why one of its actions is not possible right now. Actions it does not know are refused with a reason too.
    fn enabled(&self, action: Action, look: &Look) -> Result<(), Reason>;

    /// What would be undone now, in words, if anything: `the pause of Nightly export`.
    fn undoes(&self) -> Option<String> {
        None
    }

    /// Whether its focus takes text (a filter line being typed).
    fn text_focus(&self) -> TextFocus {
        TextFocus::Elsewhere
    }

    /// Its lists of which is remembered how somebody has them, each by a name that lasts.
    fn habitual(&mut self) -> Vec<(&'static str, &mut dyn Habitual)> {
        Vec::new()
    }

    /// When it wants a tick.
    fn wake_at(&self) -> Option<Moment> {
        None
    }
}

/// Why a screen has no use for an action: what is true of it wherever one is, else where it can be had.
pub fn not_here(action: Action, look: &Look) -> Reason {
    let there = |tab| look.keymap.label(Layer::Screen, Action::Tab(tab)).unwrap_or_default();
    match action {
        Action::ConfirmClock if !look.engine.now().suspect => CLOCK_BELIEVED.into(),
        Action::ConfirmClock | Action::RenewCode => {
            format!("that is done in the settings: {} goes there", there(Tab::Settings)).into()
        }
        Action::Passphrase | Action::EndAccess => {
            format!("that is for operators; {} goes to the settings, where they are", there(Tab::Settings))
                .into()
        }
        Action::Check => format!("that is for the audit trail: {} goes there", there(Tab::Audit)).into(),
        Action::NewKey | Action::NewSecret => {
            format!("that is for apps: {} goes to them", there(Tab::Apps)).into()
        }
        Action::Duplicate
        | Action::NewDecoy
        | Action::Transfer
        | Action::Rotate
        | Action::Lost
        | Action::FinishGrace
        | Action::LongerGrace
        | Action::CancelRotation
        | Action::RotateAgain => format!(
            "that is for a key or an app: {}, {} and {} go to them",
            there(Tab::Agency),
            there(Tab::Locations),
            there(Tab::Apps)
        )
        .into(),
        Action::CopyId
        | Action::Pause
        | Action::Revoke
        | Action::Delete
        | Action::Restore
        | Action::Scopes
        | Action::Narrow
        | Action::ReportOnly
        | Action::Matrix
        | Action::Export
        | Action::Keep
        | Action::Protect
        | Action::HowTo
        | Action::Watch
        | Action::Undo => format!(
            "that is for keys and apps: {}, {} and {} go to them",
            there(Tab::Agency),
            there(Tab::Locations),
            there(Tab::Apps)
        )
        .into(),
        Action::SignOff => format!("that is for the review: {} goes there", there(Tab::Review)).into(),
        Action::Acknowledge | Action::Snooze => {
            format!("that is for notices: {} goes to them", there(Tab::Notices)).into()
        }
        Action::New | Action::Edit => "nothing is created or changed here".into(),
        Action::RowMenu => "there is nothing more to do with a row here than to open it".into(),
        Action::Mark | Action::MarkRange | Action::MarkAll | Action::MarkNone => {
            "nothing is done to several rows at once here".into()
        }
        Action::Sort | Action::Columns => "the rows have one order and one look here".into(),
        Action::Filter => "there is nothing to filter here".into(),
        Action::Left | Action::Right => "there is nothing beside it".into(),
        _ => "this tab has no use for it".into(),
    }
}

/// Why nobody has to say that the clock is right.
const CLOCK_BELIEVED: &str = "the clock is believed already";
/// Why there is no pause to take back.
const NO_PAUSE: &str =
    "only a pause can be undone, where it was made; none was made here just now, or it is over";
/// The same of keys.
const NO_UNDO: &str =
    "nothing done to keys here can be undone: nothing was done just now, or it was final, or changed since";

/// A screen, and the tab it is behind.
pub type Tabbed = (Tab, Box<dyn Screen>);

/// All screens, in the order of their tabs.
pub fn all() -> Vec<Tabbed> {
    Tab::ALL.iter().map(|tab| behind(*tab)).collect()
}

/// The screen behind a tab.
pub fn behind(tab: Tab) -> Tabbed {
    let screen: Box<dyn Screen> = match tab {
        Tab::Agency => Box::new(KeyPane::new(Subset::Agency)),
        Tab::Locations => Box::new(location_keys::LocationKeys::new()),
        Tab::Apps => Box::new(apps::Apps::new()),
        Tab::Notices => Box::new(notices::Notices::new()),
        Tab::Review => Box::new(review::Reviews::new()),
        Tab::Audit => Box::new(audit::Audit::new()),
        Tab::Settings => {
            let facts = settings::Facts::read(|name| std::env::var(name).ok());
            Box::new(settings::Settings::new(facts))
        }
    };
    (tab, screen)
}
