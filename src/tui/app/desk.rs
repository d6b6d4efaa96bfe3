//! The open console: one screen of several, overlays above it, notes, and the lines around. It decides who hears a
//! key, carries wishes to the worker and answers back, and looks at the state again when that changed.
//!
//! - `routing`: who hears what. `wishes`: asks, answers, jobs. `possible`: which actions work now. `paint`: drawing.
//! - `custom`: how the operator has it, from one day to the next.

mod custom;
mod paint;
mod possible;
mod routing;
mod wishes;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::ask::{Answer, Ask, Errand, Found, Tab};
use super::due::Due;
use super::effect::{Effect, Outcome};
use super::habits::Habits;
use super::kept::Forms;
use super::look::Look;
use crate::domain::{Event, Grounds, State};
use crate::engine::Session;
use crate::engine::many::Report;
use crate::tui::canvas::{HitMap, Target};
use crate::tui::clipboard::{Keep, lease::Lease};
use crate::tui::clock::{Moment, Now};
use crate::tui::input::TextFocus;
use crate::tui::list::lines::Lines;
use crate::tui::overlay::{Overlay, OverlayStack, Return, Secrecy};
use crate::tui::program::{Capture, JobId, Msg, Orders};
use crate::tui::screens::{Screen, Tabbed};
use crate::tui::sight::seen::{elsewhere, seen};
use crate::tui::toast::{Cause, Toasts};

/// How long work may take before a spinner says so.
const PATIENCE: Duration = Duration::from_millis(150);
/// Between two steps of the spinner.
const SPIN: Duration = Duration::from_millis(100);
/// Two clicks on a row within this are a double one.
const DOUBLE: Duration = Duration::from_millis(500);
/// How often dates on the screen are looked at again while nothing happens.
const MINUTE: Duration = Duration::from_secs(60);

/// As many keys are counted where they are drawn, in less than a frame.
const COUNTED_AT_ONCE: usize = 2_000;

/// Said to whoever would leave while a secret is on its way.
const ABOUT_TO_BE_SHOWN: &str = "wait for it: the new secret is shown once, and that is about to be now";

/// Who asked for a job, and so hears its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asker {
    /// The overlay of that name, while it is open; else the screen below.
    Overlay(&'static str, usize),
    /// The screen with this number.
    Screen(usize),
    Desk,
}

enum Pending {
    /// A job for the engine.
    Job {
        asker: Asker,
        since: Moment,
        waited: Waited,
        /// What is done, as [`Job::label`] has it.
        label: &'static str,
        changes: bool,
        deed: Option<Cause>,
    },
    /// A copy, and what to call it.
    Copy { what: String, keep: Keep },
    /// The end of a lease.
    Settle,
    /// A search for this screen, or for the desk itself.
    Search(Asker),
}

/// Whether somebody waits for a job to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waited {
    /// Somebody does, and may stop.
    For,
    /// Somebody must: what it brings is shown once.
    ForSecret,
    /// Nobody any more. What comes of it is said all the same.
    NoMore,
}

/// Whether something changed since a count began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    Same,
    Changed,
}

/// What the desk wants from the one who holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    Lock,
    Suspend,
}

/// What is left of a desk when it is closed.
pub struct Closed {
    /// The engine and the session, to be let go.
    pub look: Look,
    /// Jobs that still have to come back.
    pub under_way: Vec<JobId>,
    /// What became of the forms, for the locked screen.
    pub forms: Forms,
    /// Those that wait.
    pub kept: Vec<Box<dyn Overlay>>,
}

/// The way back to where somebody was led away from.
#[derive(Clone, Copy)]
struct WayBack {
    tab: Tab,
    /// Whether what they were led to is a filter, which is not theirs.
    filtered: bool,
}

pub struct Desk {
    look: Look,
    demo: bool,
    /// The process that had the store is gone; the console is about to lock.
    owner_gone: bool,
    tabs: Vec<Tab>,
    /// The screens behind them.
    screens: Vec<Box<dyn Screen>>,
    /// Which of them have not looked since something changed; they look when they are opened.
    behind: Vec<bool>,
    open: usize,
    /// Filter lines about keys, as they were where keys were looked at last.
    key_lines: Lines,
    /// Until they go elsewhere, or look for something of their own where they are.
    way_back: Option<WayBack>,
    overlays: OverlayStack,
    /// Forms from before the console was locked that need to see more than is seen now.
    waiting: Vec<Box<dyn Overlay>>,
    toasts: Toasts,
    due: Due,
    /// Whether all keys are being counted, and whether something changed since that began.
    counting: Option<Since>,
    /// What screens and desk wished for when they looked again, to be granted with the next update.
    wishes: Vec<(Asker, Ask)>,
    jobs: HashMap<JobId, Pending>,
    lease: Option<Lease>,
    capture: Capture,
    /// The state changed since the open screen looked.
    stale: bool,
    /// What happened last, when the screen has looked since.
    seen: Vec<Event>,
    looked: Moment,
    parting: Option<Parting>,
    /// What was done to many last, for whoever wants it in a file.
    account: Option<Arc<Report>>,
    /// The click before, when another in its place would make it a double one.
    clicked: Option<(Moment, Target)>,
}

impl Desk {
    /// Opens the console on `screens`.
    pub fn new(look: Look, screens: Vec<Tabbed>, demo: bool, capture: Capture, now: Now) -> Self {
        Self::left(look, screens, demo, capture, &Habits::default(), now)
    }

    /// The same, as its operator left it.
    pub fn left(
        look: Look,
        screens: Vec<Tabbed>,
        demo: bool,
        capture: Capture,
        habits: &Habits,
        now: Now,
    ) -> Self {
        let (tabs, screens): (Vec<Tab>, Vec<_>) = screens.into_iter().unzip();
        let mut desk = Self {
            look,
            demo,
            owner_gone: false,
            tabs,
            behind: vec![true; screens.len()],
            screens,
            open: 0,
            key_lines: Lines::default(),
            way_back: None,
            overlays: OverlayStack::new(),
            waiting: Vec::new(),
            toasts: Toasts::default(),
            due: Due::default(),
            counting: None,
            wishes: Vec::new(),
            jobs: HashMap::new(),
            lease: None,
            capture,
            stale: true,
            seen: Vec::new(),
            looked: now.at,
            parting: None,
            account: None,
            clicked: None,
        };
        desk.adopt(habits, now);
        desk
    }

    /// Says something that stays until it is dismissed: what was found wrong on the way in.
    pub fn complain(&mut self, text: impl Into<String>) {
        self.toasts.error(text);
    }

    /// Says from now on that the process that had the store is gone.
    pub const fn lost_owner(&mut self) {
        self.owner_gone = true;
    }

    pub fn update(&mut self, msg: Msg<Outcome>, now: Now, hits: &HitMap, orders: &mut Orders<Effect>) {
        match msg {
            Msg::Input(input) => self.input(input, now, hits, orders),
            Msg::Done { job, outcome } => self.finished(job, outcome, now, orders),
            Msg::Lost { job } => self.lost(job, now, orders),
            Msg::News(Outcome::Happened(events)) => self.happened(&events),
            Msg::News(_) => self.stale = true,
            Msg::Tick => self.tick(now, orders),
            Msg::Suspending => self.parting = Some(Parting::Suspend),
            Msg::Resumed => {}
            Msg::CannotSuspend => {
                self.toasts.info("no shell is there to bring the console back from the background", now.at);
            }
        }
        self.look_again(now);
        for (asker, wish) in std::mem::take(&mut self.wishes) {
            self.grant(asker, vec![wish], now, orders);
        }
    }

    /// Something happened, and is told twice when it was one's own command: by its answer, and as news.
    fn happened(&mut self, events: &[Event]) {
        if events.is_empty() || self.seen != events {
            self.seen = events.to_vec();
            self.stale = true;
        }
    }

    /// What it wants from the one who holds it, once.
    pub fn take_parting(&mut self) -> Option<Parting> {
        self.parting.take()
    }

    /// Whether the focus takes text.
    pub fn text_focus(&self) -> TextFocus {
        match self.overlays.top() {
            Some(top) => top.text_focus(),
            None => self.screens.get(self.open).map_or(TextFocus::Elsewhere, |screen| screen.text_focus()),
        }
    }

    /// When it wants a tick.
    pub fn wake_at(&self, now: Moment) -> Option<Moment> {
        let spinner = self
            .waited_since()
            .map(|since| if now < since + PATIENCE { since + PATIENCE } else { now + SPIN });
        let wishes = [
            self.toasts.wake_at(),
            self.overlays.wake_at(),
            self.screens.get(self.open).and_then(|screen| screen.wake_at()),
            self.lease.map(|lease| lease.wake_at(now)),
            Some(self.stale_at()),
            (!self.wishes.is_empty()).then_some(self.looked),
        ];
        wishes.into_iter().flatten().chain(spinner).min()
    }

    /// Says something for a moment: what there is to know on the way in.
    pub fn tell(&mut self, text: impl Into<String>, now: Now) {
        self.toasts.info(text, now.at);
    }

    /// When what is on the screen is not true any more by itself: dates grow old, and a key expires at its instant.
    fn stale_at(&self) -> Moment {
        self.looked + self.due.holds().map_or(MINUTE, |holds| holds.min(MINUTE))
    }

    /// Since when somebody waits for each job that is waited for, and what it does.
    fn waited_for(&self) -> impl Iterator<Item = (Moment, &'static str)> {
        self.jobs.values().filter_map(|pending| match pending {
            Pending::Job { waited: Waited::NoMore, .. }
            | Pending::Copy { .. }
            | Pending::Settle
            | Pending::Search(_) => None,
            Pending::Job { since, label, .. } => Some((*since, *label)),
        })
    }

    /// The first of it alone.
    fn waited_since(&self) -> impl Iterator<Item = Moment> {
        self.waited_for().map(|(since, _)| since)
    }

    /// Whether the spinner shows.
    fn shows_work(&self, now: Now) -> bool {
        self.waited_since().any(|since| now.at.since(since) >= PATIENCE)
    }

    pub const fn look(&self) -> &Look {
        &self.look
    }

    /// Minutes without a key press after which it locks, if ever.
    pub fn lock_minutes(&self) -> Option<u32> {
        if self.demo { None } else { self.look.state(|state| state.policy().lock_minutes) }
    }

    /// Whether there is something to lock.
    pub const fn can_lock(&self) -> bool {
        !self.demo
    }

    /// Closes everything that is open and gives back what must be let go, the work still under way, and the forms
    /// that may wait for their operator.
    pub fn close(mut self, now: Now) -> Closed {
        const SAID: &str = "The console was locked while this was under way. Look whether it was done before you do it again.";
        let (mut under_way, mut asked) = (Vec::new(), Vec::new());
        for (job, pending) in &self.jobs {
            match pending {
                Pending::Job { asker, .. } => {
                    under_way.push(*job);
                    asked.push(*asker);
                }
                // It looks at the engine, which is not let go before.
                Pending::Search(_) => under_way.push(*job),
                Pending::Copy { .. } | Pending::Settle => {}
            }
        }
        for asker in asked {
            if let Asker::Overlay(name, _) = asker {
                let refused = Answer::Refused(SAID.into());
                self.overlays.tell(name, refused, &self.look, now, &mut Vec::new());
            }
        }
        let mut kept = std::mem::take(&mut self.waiting);
        let secret_gone = self.overlays.lose().is_some();
        kept.extend(self.overlays.take_waiting());
        let forms = match () {
            () if secret_gone => Forms::SecretGone,
            () if !kept.is_empty() => Forms::Wait,
            () if self.overlays.has_secrets() => Forms::Gone,
            () => Forms::None,
        };
        self.overlays.clear();
        Closed { look: self.look, under_way, forms, kept }
    }

    /// Brings back forms that waited for this operator.
    pub fn bring_back(&mut self, forms: Vec<Box<dyn Overlay>>, now: Now) {
        self.waiting = forms;
        self.resume(now);
    }

    /// Opens those of the waiting forms that can go on with what the operator sees now.
    fn resume(&mut self, now: Now) {
        if !self.overlays.is_empty() {
            return;
        }
        for mut form in std::mem::take(&mut self.waiting) {
            match form.resume(&self.look) {
                Return::Now => {
                    self.toasts.info("as you left it; nothing of it is saved yet", now.at);
                    self.overlays.push(form);
                }
                Return::Later(why) => {
                    self.toasts.info(why.to_string(), now.at);
                    self.waiting.push(form);
                }
                Return::Never(why) => self.toasts.info(why.to_string(), now.at),
            }
        }
    }

    /// Who should have the mouse: never the console while a secret is shown, so that it can be selected.
    pub fn capture(&self) -> Capture {
        match self.overlays.top() {
            Some(top) if top.secrecy() == Secrecy::Secret => Capture::Free,
            _ => self.capture,
        }
    }

    /// Whether something is on the screen, or about to be, that is shown once, or being typed and nobody else may see.
    pub fn holds_secret(&self) -> bool {
        self.overlays.has_secrets() || self.awaits_secret()
    }

    /// The screen that is open.
    pub fn tab(&self) -> Option<Tab> {
        self.tabs.get(self.open).copied()
    }

    /// The overlays that are open, from the bottom up; for tests.
    pub fn overlays(&self) -> Vec<&'static str> {
        self.overlays.names()
    }

    /// After the session changed its reach.
    fn sign(&mut self, session: Session) {
        self.look.session = session;
        self.stale = true;
    }

    fn look_again(&mut self, now: Now) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        self.looked = now.at;
        self.behind.fill(true);
        self.count();
        self.due.look_for_trouble(&self.look);
        self.catch_up(self.open);
    }

    /// Has a screen look, if it has not since something changed.
    fn catch_up(&mut self, at: usize) {
        let Some(behind) = self.behind.get_mut(at) else { return };
        if std::mem::take(behind)
            && let Some(screen) = self.screens.get_mut(at)
        {
            let mut out = Vec::new();
            screen.board(&self.due, &self.look, &mut out);
            screen.refresh(&self.look, &mut out);
            self.wishes.extend(out.into_iter().map(|wish| (Asker::Screen(at), wish)));
        }
    }

    /// Counts all keys: a few here and now, many elsewhere, once at a time.
    fn count(&mut self) {
        if self.look.state(State::key_count) <= COUNTED_AT_ONCE {
            let grounds = self.grounds();
            self.due = seen(&self.look, |seen| Due::count(&|read| read(seen), grounds));
        } else if let Some(since) = &mut self.counting {
            *since = Since::Changed;
        } else {
            self.counting = Some(Since::Same);
            let grounds = self.grounds();
            let wish = elsewhere(&self.look, move |glance| Found::Due(Due::count(glance, grounds)));
            self.wishes.push((Asker::Desk, wish));
        }
    }

    /// What the rules of time go by.
    fn grounds(&self) -> Grounds {
        let now = self.look.engine.now();
        Grounds::of(now.time, now.suspect, self.look.engine.condition().complete_since)
    }

    /// Brings what was found to whoever searched.
    fn found(&mut self, asker: Asker, found: Found, now: Now, orders: &mut Orders<Effect>) {
        match (asker, found) {
            (Asker::Desk, Found::Due(due)) => {
                self.due = due;
                self.due.look_for_trouble(&self.look);
                let mut out = Vec::new();
                if let Some(screen) = self.screens.get_mut(self.open) {
                    screen.board(&self.due, &self.look, &mut out);
                }
                self.grant(Asker::Screen(self.open), out, now, orders);
                if self.counting.take() == Some(Since::Changed) {
                    self.count();
                }
            }
            (Asker::Screen(at), found) => {
                let mut out = Vec::new();
                if let Some(screen) = self.screens.get_mut(at) {
                    screen.found(found, &self.look, &mut out);
                }
                self.grant(Asker::Screen(at), out, now, orders);
            }
            (Asker::Overlay(name, _), found) => {
                let mut out = Vec::new();
                self.overlays.find(name, Some(found), &self.look, &mut out);
                self.grant(asker, out, now, orders);
            }
            (Asker::Desk, _) => {}
        }
    }

    /// Leads somebody from a screen to another tab, whence they can step back.
    fn lead(&mut self, tab: Tab, errand: Errand, now: Now, orders: &mut Orders<Effect>) {
        let (from, filtered) = (self.tab(), matches!(errand, Errand::Filter(_)));
        self.go(tab, errand, now, orders);
        self.way_back = from.filter(|from| *from != tab).map(|tab| WayBack { tab, filtered });
    }

    /// Whether a step back leads to where somebody came from.
    fn can_come_back(&self) -> bool {
        self.way_back.is_some()
            && self.screens.get(self.open).is_some_and(|screen| screen.text_focus() == TextFocus::Elsewhere)
    }

    fn come_back(&mut self, now: Now, orders: &mut Orders<Effect>) {
        let Some(WayBack { tab, filtered }) = self.way_back.take() else { return };
        if let Some(here) = self.tab().filter(|_| filtered) {
            self.go(here, Errand::Filter(String::new()), now, orders);
        }
        self.go(tab, Errand::None, now, orders);
    }

    /// The filter lines about keys are the same wherever keys are.
    fn bring_lines(&mut self, at: usize) {
        if let Some(pane) = self.screens.get_mut(self.open).and_then(|screen| screen.pane()) {
            self.key_lines.clone_from(&pane.beside.list.lines);
        }
        if let Some(pane) = self.screens.get_mut(at).and_then(|screen| screen.pane()) {
            pane.beside.list.lines.clone_from(&self.key_lines);
        }
    }

    fn go(&mut self, tab: Tab, errand: Errand, now: Now, orders: &mut Orders<Effect>) {
        let Some(at) = self.tabs.iter().position(|known| *known == tab) else { return };
        self.look_again(now);
        self.bring_lines(at);
        self.open = at;
        self.catch_up(at);
        let mut out = Vec::new();
        if let Some(screen) = self.screens.get_mut(at) {
            screen.arrive(errand, &self.look, &mut out);
        }
        self.grant(Asker::Screen(at), out, now, orders);
    }
}

#[cfg(test)]
mod tests;
