//! Which actions work right now, and why not the others: asked before a key acts, by the hint bar, by the help and
//! by the jump, so that all four agree.

use super::Desk;
use crate::domain::Role;
use crate::tui::action::{Action, Layer, Reason};
use crate::tui::input::TextFocus;

impl Desk {
    /// The layer whose keys are searched.
    pub(super) fn layer(&self) -> Layer {
        self.overlays.top().map_or(Layer::Screen, crate::tui::overlay::Overlay::layer)
    }

    /// Whether `action` works on the screen, whatever lies above it: for help and jump.
    pub fn on_screen(&self, action: Action) -> Result<(), Reason> {
        self.look.permits(action)?;
        if let Some(answer) = self.own(action) {
            return answer;
        }
        match self.screens.get(self.open) {
            // A line that takes letters is always done with, also one that finds nothing.
            Some(screen) if action == Action::Open && screen.text_focus() == TextFocus::Here => Ok(()),
            Some(screen) => screen.enabled(action, &self.look),
            None => Err("nothing is open".into()),
        }
    }

    /// What `action` does on the screen, as exactly as can be said before it is done.
    pub(super) fn title(&self, action: Action) -> String {
        let title = action.spec().title;
        let screen = self.screens.get(self.open).filter(|_| action == Action::Undo);
        screen
            .and_then(|screen| screen.undoes())
            .map_or_else(|| title.to_owned(), |what| format!("Undo {what}"))
    }

    /// The desk's own actions.
    fn own(&self, action: Action) -> Option<Result<(), Reason>> {
        let when =
            |possible: bool, why: &'static str| Some(if possible { Ok(()) } else { Err(Reason::from(why)) });
        match action {
            Action::Back if self.can_come_back() => Some(Ok(())),
            Action::Tab(tab) => when(self.tabs.contains(&tab), "there is no such tab"),
            Action::NextTab | Action::PrevTab => when(self.screens.len() > 1, "there is only one tab"),
            Action::CopyMessage | Action::Dismiss => {
                when(self.toasts.current().is_some(), "there is no message on the screen")
            }
            Action::SaveReport => when(self.account.is_some(), "nothing was done to many keys here yet"),
            Action::Problems => {
                when(!self.look.mistakes.is_empty(), "nothing is wrong in configuration, keymap and theme")
            }
            Action::Whole => {
                let admin = self.look.role() == Role::Admin;
                when(admin, "only an admin may see the keys of others; you see your own")
            }
            Action::LockDown => when(
                self.look.role() >= Role::Manager,
                "a viewer locks nothing down; ask a manager or an admin",
            ),
            Action::Lock => {
                when(self.can_lock(), "the demo has no passphrase to unlock it again; quit with q")
            }
            Action::Help
            | Action::Overview
            | Action::Calendar
            | Action::TestToken
            | Action::LeakDesk
            | Action::Guide
            | Action::Jump
            | Action::Forget
            | Action::Theme
            | Action::MouseToggle
            | Action::Quit
            | Action::ForceQuit
            | Action::Suspend
            | Action::Redraw => Some(Ok(())),
            _ => None,
        }
    }

    /// Whether `action` works where the keyboard is; `Err` says why not, in the words that are shown when its key is pressed.
    pub(super) fn enabled(&self, action: Action) -> Result<(), Reason> {
        match self.overlays.top() {
            None => self.on_screen(action),
            Some(_) if action.spec().layers.contains(&Layer::Always) => self.own(action).unwrap_or(Ok(())),
            Some(top) => {
                self.look.permits(action)?;
                top.enabled(action, &self.look)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::tui::action::{Action, Layer};
    use crate::tui::app::testing;
    use crate::tui::testing::FakeClipboard;

    /// Where the keyboard may be, and the keys that lead there.
    const PLACES: [(&str, &str); 11] = [
        ("agency keys", "1"),
        ("locations", "2"),
        ("keys of a location", "2 l"),
        ("apps", "3"),
        ("keys of an app", "3 l"),
        ("notices", "4"),
        ("review", "5"),
        ("audit", "6"),
        ("sections", "7 esc g"),
        ("policy", "7 esc g enter"),
        ("security", "7 esc g j j enter"),
    ];

    #[test]
    fn an_action_that_is_not_possible_says_its_own_reason_and_no_other_ones() {
        let reason = |place: &str, action: Action| {
            let (_, keys) = PLACES.iter().find(|(name, _)| *name == place).unwrap();
            let mut console = testing::whole_desk();
            console.press(keys);
            console.program().desk().unwrap().on_screen(action).err().map(|why| why.to_string())
        };
        for (place, keys) in PLACES {
            let mut console = testing::whole_desk();
            console.press(keys);
            let desk = console.program().desk().unwrap();
            for action in Action::ALL.iter().filter(|action| action.spec().layers.contains(&Layer::Screen)) {
                let Err(why) = desk.on_screen(*action) else { continue };
                let why = why.to_string();
                assert!(!why.contains("no use for it"), "{place}: {action:?}: {why}");
                assert!(!why.contains("select a key"), "{place}: {action:?}: {why}");
            }
            let told = |action| desk.on_screen(action).unwrap_err().to_string();
            assert_eq!(told(Action::ConfirmClock), "the clock is believed already", "{place}");
            if place != "audit" {
                assert_eq!(told(Action::Check), "that is for the audit trail: 6 goes there", "{place}");
            }
            if !["sections", "policy", "security"].contains(&place) {
                assert_eq!(told(Action::RenewCode), "that is done in the settings: 7 goes there", "{place}");
                assert!(told(Action::EndAccess).starts_with("that is for operators; 7 goes"), "{place}");
            }
        }
        for (place, action, why) in [
            ("locations", Action::Revoke, "that is for a key: l goes to the keys"),
            ("locations", Action::MarkAll, "that is for the table of keys: l goes to it"),
            ("locations", Action::Edit, "select one location first"),
            ("audit", Action::Revoke, "that is for keys and apps: 1, 2 and 3 go to them"),
            ("audit", Action::Sort, "the rows have one order and one look here"),
            ("policy", Action::NewSecret, "that is for apps: 3 goes to them"),
        ] {
            assert_eq!(reason(place, action).as_deref(), Some(why), "{place}: {action:?}");
        }
    }

    #[test]
    fn the_menu_of_a_location_offers_what_can_be_done_with_it_or_says_why_not() {
        let mut console = testing::whole_desk();
        console.press("2 x").sees("With this location").sees("Rename it").sees("select one location first");
        console.press("esc j x").sees("With this location").sees_no("select one location first");
        console.press("down enter").sees("Rename Amsterdam Jordaan");
    }

    #[test]
    fn the_menu_of_a_key_speaks_of_keys_and_its_hints_say_no_word_twice() {
        let mut console = testing::whole_desk();
        console
            .press("1 x")
            .sees("With this key")
            .sees("Change its scopes")
            .sees("Keep it: its days")
            .sees("Revoke it for good");
        console.sees("See everything about it").sees_no("a location").sees_no("selected row");
        console.sees("up/down move").sees_no("down down").press("esc a x").sees("With these ");
    }

    #[test]
    fn what_undo_would_do_is_said_before_it_is_done() {
        let mut console = testing::whole_desk();
        console.press("1 P tab enter").sees("u resumes it").press(":").type_text("undo");
        console.sees("Undo the pause of ").press("enter").sees("is active again");
        console.press(":").type_text("undo").sees("Undo what was done last").sees("can be undone");
    }

    #[test]
    fn undo_takes_a_pause_back_from_the_half_of_the_locations_too() {
        let mut console = testing::whole_desk();
        console.press("2 l /").type_text("state:active").press("enter P tab enter").sees("; u resumes it");
        console.press("esc esc").sees("l").press("u").sees("is active again");
    }

    #[test]
    fn the_help_says_why_not_in_full_in_a_small_window() {
        for size in [(80, 24), (60, 16)] {
            let all = crate::tui::screens::all();
            let mut console = testing::desk_on(testing::sample(), all, size, &FakeClipboard::default());
            console.press("2 ?").type_text("operator");
            let screen = console.screen();
            let said: Vec<&str> = screen.split_whitespace().collect();
            let said = said.join(" ").replace(" █", "").replace(" │", "").replace("│ ", "");
            assert!(
                said.contains("that is for operators; 7 goes to the settings, where they are"),
                "{screen}"
            );
            assert!(!screen.lines().any(|line| line.contains('…')), "{screen}");
        }
    }
}
