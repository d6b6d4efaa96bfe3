//! Who hears what a person did: the desk for its own verbs, the topmost overlay, else the open screen. A key that
//! means something but cannot be used says why.

use super::super::ask::{Ask, Errand, Job};
use super::super::effect::Effect;
use super::{Asker, DOUBLE, Desk, Parting};
use crate::tui::action::Action;
use crate::tui::canvas::{HitMap, Target};
use crate::tui::clock::{Moment, Now};
use crate::tui::input::{Gesture, Held, Input, Mouse, TextFocus};
use crate::tui::overlay::{Cue, Passed, PastedRef, Secrecy};
use crate::tui::overlays::{
    calendar, confirm, export, help, jump, leak_desk, lockdown, overview, problems, test_token, theme,
};
use crate::tui::program::{Capture, Frame, Orders};
use crate::tui::router::route;
use crate::tui::screens::settings::about;
use crate::tui::toast::Cause;

/// Rows one turn of the wheel moves.
const WHEEL: isize = 3;

impl Desk {
    pub(super) fn input(&mut self, input: Input, now: Now, hits: &HitMap, orders: &mut Orders<Effect>) {
        match input {
            Input::Key { chord, held } => {
                let keymap = std::sync::Arc::clone(&self.look.keymap);
                let meaning = route(&keymap, self.layer(), self.text_focus(), chord, held);
                if meaning.is_some() {
                    self.toasts.over(&Cause::Press);
                }
                match meaning {
                    Some(Cue::Do(action)) => self.act(action, now, orders),
                    Some(cue) => self.cue(cue, now, orders),
                    None if held == Held::First => {}
                    None => orders.still(),
                }
            }
            Input::Paste(pasted) => {
                self.toasts.over(&Cause::Press);
                if self.text_focus() == TextFocus::Here {
                    self.cue(Cue::Paste(PastedRef(pasted.text())), now, orders);
                } else {
                    self.toasts.answer("nothing here takes pasted text; open a field first", now.at);
                }
            }
            Input::Mouse(mouse) => self.mouse(mouse, now, hits, orders),
            Input::Resize { .. } => {}
        }
    }

    fn mouse(&mut self, mouse: Mouse, now: Now, hits: &HitMap, orders: &mut Orders<Effect>) {
        let rows = match mouse.gesture {
            Gesture::WheelUp => -WHEEL,
            Gesture::WheelDown => WHEEL,
            Gesture::Click => {
                let Some(target) = hits.at(mouse.x, mouse.y).filter(|target| *target != Target::Outside)
                else {
                    return orders.still();
                };
                self.toasts.over(&Cause::Press);
                return match target {
                    Target::Do(action) => self.act(action, now, orders),
                    Target::Tab(at) => self.open_tab(at, now, orders),
                    target => self.click(target, now, orders),
                };
            }
        };
        match hits.pane_at(mouse.x, mouse.y) {
            Some(pane) => self.cue(Cue::Wheel { pane, rows }, now, orders),
            None => orders.still(),
        }
    }

    /// A click is about what lies there; the second of a double one on a row of a screen opens it.
    fn click(&mut self, target: Target, now: Now, orders: &mut Orders<Effect>) {
        let opens = self.overlays.is_empty()
            && matches!(target, Target::Row { .. })
            && self.clicked.take().is_some_and(|(at, before)| before == target && now.at.since(at) < DOUBLE);
        self.cue(Cue::Click(target), now, orders);
        if opens {
            self.act(Action::Open, now, orders);
        } else {
            self.clicked = Some((now.at, target));
        }
    }

    /// Does what a verb says, or says why not.
    pub(super) fn act(&mut self, action: Action, now: Now, orders: &mut Orders<Effect>) {
        let back = matches!(action, Action::Back | Action::Cancel);
        if back && self.stop_waiting(now, orders) {
            return;
        }
        if matches!(action, Action::Suspend | Action::Lock) {
            // Both close the store, and the secret would be gone for good.
            if self.overlays.lose().is_some() {
                self.toasts.answer("say first that you stored the secret: it is never shown again", now.at);
                return;
            }
            if self.awaits_secret() {
                return self.toasts.answer(super::ABOUT_TO_BE_SHOWN, now.at);
            }
        }
        if let Err(reason) = self.enabled(action) {
            self.toasts.answer(reason.to_string(), now.at);
            return;
        }
        // From then on a step back is one of theirs: what they look for or mark here goes first.
        if matches!(action, Action::Filter | Action::Mark | Action::MarkRange | Action::MarkAll) {
            self.way_back = None;
        }
        // In a filter line the key of the next tab takes what is offered, if anything is.
        if action == Action::NextTab && self.completes(now, orders) {
            return;
        }
        if !self.act_oneself(action, now, orders) {
            self.cue(Cue::Do(action), now, orders);
        }
    }

    /// Whether the line that is being written on the screen takes what it may go on with.
    fn completes(&mut self, now: Now, orders: &mut Orders<Effect>) -> bool {
        if !self.overlays.is_empty() || self.text_focus() != TextFocus::Here {
            return false;
        }
        let mut out = Vec::new();
        let screen = self.screens.get_mut(self.open);
        let taken =
            screen.is_some_and(|screen| screen.hear(Cue::Do(Action::NextTab), &self.look, now, &mut out));
        self.grant(Asker::Screen(self.open), out, now, orders);
        taken
    }

    /// The desk's own verbs; `false` for those of screens and overlays.
    fn act_oneself(&mut self, action: Action, now: Now, orders: &mut Orders<Effect>) -> bool {
        match action {
            Action::Suspend => self.parting = Some(Parting::Suspend),
            Action::Redraw => orders.wipe(),
            Action::Quit | Action::ForceQuit => self.quit(orders),
            Action::Lock => self.parting = Some(Parting::Lock),
            Action::Back if self.can_come_back() => self.come_back(now, orders),
            Action::Tab(tab) => {
                self.way_back = None;
                if self.tab() != Some(tab) {
                    self.toasts.elsewhere();
                }
                self.go(tab, Errand::None, now, orders);
            }
            Action::Overview => {
                self.overlays.push(Box::new(overview::Overview::new(self.tab())));
                self.start(Asker::Overlay(overview::NAME, self.open), Job::Count, now, orders);
            }
            Action::Calendar => {
                self.overlays.push(Box::new(calendar::Ahead::default()));
                self.start(Asker::Overlay(calendar::NAME, self.open), Job::Ahead, now, orders);
            }
            Action::NextTab => self.open_tab((self.open + 1) % self.screens.len().max(1), now, orders),
            Action::PrevTab => {
                let last = self.screens.len().saturating_sub(1);
                self.open_tab(self.open.checked_sub(1).unwrap_or(last), now, orders);
            }
            Action::Guide => self.overlays.push(Box::new(about::reader(about::GUIDE))),
            Action::LeakDesk => self.overlays.push(Box::new(leak_desk::LeakDesk::new())),
            Action::TestToken => self.overlays.push(Box::new(test_token::TestToken::new())),
            Action::Help => {
                let told = |action| (self.title(action), self.on_screen(action));
                self.overlays.push(Box::new(help::Help::new(told, &self.look)));
            }
            Action::Jump => {
                let told = |action| (self.title(action), self.on_screen(action));
                let beside = self.screens.iter().flat_map(|screen| screen.offers(&self.look));
                self.overlays.push(Box::new(jump::Jump::new(told, beside, self.tab(), &self.look)));
            }
            Action::CopyMessage => {
                if let Some(text) = self.toasts.to_copy().map(str::to_owned) {
                    self.copy_message(text, orders);
                }
            }
            Action::SaveReport => {
                if let Some(account) = &self.account {
                    self.overlays.push(Box::new(export::account(account, &self.look)));
                }
            }
            Action::Theme => self.overlays.push(Box::new(theme::Fitting::new(self.look.worn))),
            Action::Problems => self.overlays.push(Box::new(problems::reader(&self.look.mistakes))),
            Action::Forget => self.forget(now),
            Action::Dismiss => drop(self.toasts.dismiss()),
            Action::MouseToggle => self.toggle_mouse(now),
            Action::Whole => self.toggle_reach(now, orders),
            Action::LockDown => self.overlays.push(Box::new(lockdown::menu(&self.look))),
            _ => return false,
        }
        true
    }

    /// Ends, and asks first when something would be lost.
    pub(super) fn quit(&mut self, orders: &mut Orders<Effect>) {
        let lost = self.overlays.lose();
        let why = if lost.is_some() {
            lost
        } else if self.awaits_secret() {
            Some(
                "A new secret is on its way. Without anybody to take it, what it opens is taken back.".into(),
            )
        } else if self.is_changing() {
            Some(
                "Work is still under way. It is finished or not done at all, but you would not see which."
                    .into(),
            )
        } else if self.overlays.unsaved() {
            Some("What you filled in is not saved, and nothing of it is done yet.".into())
        } else if self.overlays.ask() {
            Some("A question is still open, and nothing of what it asks about is done.".into())
        } else {
            None
        };
        match why {
            Some(why) if !self.overlays.names().contains(&confirm::LEAVE) => {
                self.overlays.push(Box::new(confirm::leave(&why)));
            }
            _ => orders.quit(),
        }
    }

    fn toggle_mouse(&mut self, now: Now) {
        let (capture, said) = match self.capture {
            Capture::Taken => (Capture::Free, "the mouse is the terminal's: select text with it"),
            Capture::Free => (Capture::Taken, "the mouse is keydeck's: click tabs, rows and hints"),
        };
        self.capture = capture;
        self.toasts.answer(said, now.at);
    }

    fn open_tab(&mut self, at: usize, now: Now, orders: &mut Orders<Effect>) {
        self.way_back = None;
        self.toasts.elsewhere();
        if let Some(tab) = self.tabs.get(at).copied() {
            self.go(tab, Errand::None, now, orders);
        }
    }

    /// Gives a cue to whoever has the keyboard.
    pub(super) fn cue(&mut self, cue: Cue<'_>, now: Now, orders: &mut Orders<Effect>) {
        self.give(cue, now, orders);
    }

    /// The same, and says whether anything is another on the screen for it.
    fn give(&mut self, cue: Cue<'_>, now: Now, orders: &mut Orders<Effect>) -> Frame {
        // Whoever asked for a secret is there when it comes, whatever a form makes of its keys.
        if cue != Cue::Tick && self.overlays.top().is_some_and(|top| self.awaits_secret_for(top.name())) {
            self.toasts.answer(super::ABOUT_TO_BE_SHOWN, now.at);
            return Frame::Changed;
        }
        let mut out: Vec<Ask> = Vec::new();
        let asker = match self.overlays.top() {
            Some(top) => Asker::Overlay(top.name(), self.open),
            None => Asker::Screen(self.open),
        };
        let passed = self.overlays.hear(cue, &self.look, now, &mut out);
        match &passed {
            Passed::Below => {
                if let Some(screen) = self.screens.get_mut(self.open) {
                    screen.hear(cue, &self.look, now, &mut out);
                }
            }
            Passed::Refused(reason) => self.toasts.answer(reason.to_string(), now.at),
            Passed::Closed { secrecy: Secrecy::Secret, .. } => orders.wipe(),
            Passed::Closed { .. } | Passed::Taken | Passed::Still | Passed::Unused => {}
        }
        let frame = if passed == Passed::Still { Frame::Same } else { Frame::Changed };
        self.grant(asker, out, now, orders);
        frame
    }

    /// Whether a tick now is for an overlay and for nothing else on the screen.
    fn overlay_ticks_alone(&self, now: Now) -> bool {
        let others = [
            self.toasts.wake_at(),
            self.screens.get(self.open).and_then(|screen| screen.wake_at()),
            Some(self.stale_at()),
        ];
        let is_due = |wake: Moment| wake <= now.at;
        self.lease.is_none()
            && !self.stale
            && !self.shows_work(now)
            && !others.into_iter().flatten().any(is_due)
    }

    /// Ticks go to everybody who asked for one and whose moment has come.
    pub(super) fn tick(&mut self, now: Now, orders: &mut Orders<Effect>) {
        self.toasts.tick(now.at);
        if self.lease.is_some_and(|lease| lease.is_over(now.at)) {
            self.settle(orders);
        }
        if now.at >= self.stale_at() {
            self.stale = true;
        }
        let alone = self.overlay_ticks_alone(now);
        if self.overlays.wake_at().is_some_and(|wake| wake <= now.at)
            && self.give(Cue::Tick, now, orders) == Frame::Same
            && alone
        {
            orders.still();
        }
        let mut out = Vec::new();
        if let Some(screen) = self.screens.get_mut(self.open)
            && screen.wake_at().is_some_and(|wake| wake <= now.at)
        {
            screen.hear(Cue::Tick, &self.look, now, &mut out);
        }
        self.grant(Asker::Screen(self.open), out, now, orders);
    }
}
