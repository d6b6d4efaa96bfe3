//! The model the runtime runs: the door, or the desk behind it, and the way between the two. Locking drops the
//! desk, the engine and with them every key in memory; opening again is signing in. Only forms that hold no secret
//! wait, for the one who was filling them in.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use super::custody::Custody;
use super::desk::{Closed, Desk, Parting};
use super::door::{Cause, Door, Locked, Passage, Way};
use super::effect::{Effect, Outcome};
use super::habits::{Habits, Left, Shelf};
use super::look::Look;
use super::times::Zone;
use crate::domain::OperatorId;
use crate::engine::LookOnly;
use crate::serve::door::Hosting;
use crate::tui::Located;
use crate::tui::canvas::{Canvas, HitMap};
use crate::tui::clock::{Moment, Now};
use crate::tui::input::TextFocus;
use crate::tui::keymap::Keymap;
use crate::tui::looks::Themes;
use crate::tui::overlay::Overlay;
use crate::tui::program::{Capture, Frame, Msg, Orders, Program};
use crate::tui::screens;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::layout;

/// How long after a key press it is written down how the console is had: once for all keys until then.
const REMEMBERED_AFTER: Duration = Duration::from_secs(2);

/// How this console looks and listens, fixed for its life.
pub struct Setting {
    pub themes: Themes,
    /// The theme somebody chose since.
    pub worn: Option<&'static str>,
    pub keymap: Arc<Keymap>,
    /// What is wrong in configuration, keymap and theme.
    pub mistakes: Arc<[Located]>,
    /// Whose calendar local times are in.
    pub zone: Zone,
    /// Whether nothing is changed.
    pub read_only: bool,
    /// Who has the mouse at first.
    pub capture: Capture,
    /// What becomes of secrets that nobody got.
    pub custody: Custody,
    /// Whether F12 breaks the console, for the test of what is left on the terminal then.
    pub breakable: bool,
}

enum Stage {
    Door(Box<Door>),
    Desk(Box<Desk>),
    /// Only while one becomes the other.
    Between,
}

pub struct Keydeck {
    setting: Setting,
    theme: Theme,
    way: Way,
    /// What others attach to while the desk is open. Dropped before the engine that the desk holds.
    hosting: Option<Hosting>,
    stage: Stage,
    /// What the start has to complain about, until there is a desk to say it.
    complaints: Vec<String>,
    hits: HitMap,
    capture: Capture,
    /// Forms that wait for the operator who locked it. Whoever else signs in neither sees nor inherits them.
    kept: Option<(OperatorId, Vec<Box<dyn Overlay>>)>,
    /// The store is gone with the process that had it, and why.
    gone: Option<Arc<str>>,
    /// When a person last did something.
    touched: Option<Now>,
    /// When it was last told anything, for countdowns.
    heard: Moment,
    memory: Memory,
}

/// How the operator has the console, as far as it was written down.
#[derive(Default)]
struct Memory {
    /// Where it goes, if it is remembered at all.
    shelf: Option<Shelf>,
    written: Habits,
    /// How often it was.
    number: u64,
    /// When it is looked at again.
    due: Option<Moment>,
}

impl Memory {
    /// What is to be written, when that is another than before.
    fn write(&mut self, desk: &mut Desk) -> Option<Effect> {
        self.due = None;
        let shelf = self.shelf.as_ref()?;
        let habits = desk.habits();
        if habits == self.written {
            return None;
        }
        self.written.clone_from(&habits);
        self.number += 1;
        Some(Effect::Remember(shelf.clone(), self.number, habits))
    }
}

impl Keydeck {
    /// At the door. `operator` is a guess at who it is; `complaints` are said once the desk is open.
    pub fn start(setting: Setting, way: Way, operator: Option<&str>, complaints: Vec<String>) -> Self {
        let known = way.known();
        let stage = Stage::Door(Box::new(Door::new(way, operator)));
        Self { complaints, ..Self::at(setting, known, stage) }
    }

    /// With the desk open.
    pub fn open(setting: Setting, way: Way, desk: Desk) -> Self {
        Self::at(setting, way, Stage::Desk(Box::new(desk)))
    }

    fn at(setting: Setting, way: Way, stage: Stage) -> Self {
        let capture = setting.capture;
        Self {
            theme: setting.themes.wear(setting.worn),
            setting,
            way,
            hosting: None,
            stage,
            complaints: Vec::new(),
            hits: HitMap::default(),
            capture,
            kept: None,
            gone: None,
            touched: None,
            heard: Moment::default(),
            memory: Memory::default(),
        }
    }

    /// The desk, if it is open.
    pub const fn desk(&self) -> Option<&Desk> {
        match &self.stage {
            Stage::Desk(desk) => Some(desk),
            Stage::Door(_) | Stage::Between => None,
        }
    }

    /// Minutes nobody touched it, when that is enough to lock. The calendar counts too: while the machine sleeps,
    /// the steady clock may stand still.
    fn idle(&self, now: Now) -> Option<u32> {
        let minutes = self.desk()?.lock_minutes()?;
        let touched = self.touched?;
        let limit = Duration::from_secs(u64::from(minutes) * 60);
        let by_calendar = u64::try_from(now.utc_ms.saturating_sub(touched.utc_ms)).unwrap_or(0);
        let idle = now.at.since(touched.at).max(Duration::from_millis(by_calendar));
        (idle >= limit).then_some(minutes)
    }

    fn lock(&mut self, cause: Cause, now: Now, orders: &mut Orders<Effect>) {
        let Way::Store(options) = &self.way else { return };
        let stage = std::mem::replace(&mut self.stage, Stage::Between);
        let Stage::Desk(mut desk) = stage else {
            self.stage = stage;
            return;
        };
        let remembered = self.memory.write(&mut desk);
        let tab = desk.tab();
        let Closed { look, under_way, forms, kept } = desk.close(now);
        self.kept = Some((look.session.actor().operator, kept));
        let operator = look.view(|view| view.operator().map(|operator| operator.name.to_string()));
        let mut closing: HashSet<_> = under_way.into_iter().collect();
        closing.insert(orders.perform(Effect::Settle));
        closing.extend(remembered.map(|effect| orders.perform(effect)));
        self.gone = None;
        let Look { engine, session, .. } = look;
        closing.insert(orders.perform(Effect::Leave(self.hosting.take(), engine, session)));
        orders.wipe();
        let locked = Locked { cause, forms, operator: operator.unwrap_or_default() };
        let door = Door::locked(options.clone(), locked, closing, tab);
        self.stage = Stage::Door(Box::new(door));
        self.say_lost();
    }

    fn enter(&mut self, passage: Passage, now: Now) {
        let Passage { open, left, tab } = passage;
        let engine = match self.way {
            Way::Demo(_) if self.setting.read_only => LookOnly::over(open.engine, &open.session),
            Way::Demo(_) | Way::Store(_) => open.engine,
        };
        let look = Look {
            engine,
            session: open.session,
            keymap: Arc::clone(&self.setting.keymap),
            mistakes: Arc::clone(&self.setting.mistakes),
            zone: self.setting.zone,
            worn: self.setting.worn,
            owner: open.owner,
            read_only: self.setting.read_only,
        };
        let demo = matches!(self.way, Way::Demo(_));
        let (habits, shelf, said) =
            left.map_or_else(Default::default, |Left { habits, shelf, said }| (habits, shelf, said));
        let mut desk = Desk::left(look, screens::all(), demo, self.setting.capture, &habits, now);
        desk.start_at(tab.or(habits.tab()));
        if let Some(said) = said {
            desk.tell(said, now);
        }
        self.memory = Memory { shelf, written: habits, ..Memory::default() };
        let whose = desk.look().session.actor().operator;
        if let Some((_, forms)) = self.kept.take().filter(|(operator, _)| *operator == whose) {
            desk.bring_back(forms, now);
        }
        for said in open.notices.into_iter().chain(self.complaints.drain(..)) {
            desk.complain(said);
        }
        self.touched = Some(now);
        self.hosting = open.hosting;
        self.stage = Stage::Desk(Box::new(desk));
    }

    /// What became of secrets that nobody got.
    pub const fn custody(&self) -> &Custody {
        &self.setting.custody
    }

    /// Says it where somebody reads it: on the desk, or at the door.
    fn say_lost(&mut self) {
        for said in self.setting.custody.take_said() {
            match &mut self.stage {
                Stage::Desk(desk) => desk.complain(said),
                Stage::Door(door) => door.say(&said),
                Stage::Between => {}
            }
        }
    }

    /// Writes down how the console is had when it is time, and says whether there was anything else in that message.
    fn remember(&mut self, msg: &Msg<Outcome>, now: Now, orders: &mut Orders<Effect>) -> Frame {
        let Stage::Desk(desk) = &mut self.stage else { return Frame::Changed };
        match msg {
            Msg::Done { outcome: Outcome::Remembered, .. } => Frame::Same,
            Msg::Tick if self.memory.due.is_some_and(|due| due <= now.at) => {
                self.memory.write(desk).into_iter().for_each(|effect| _ = orders.perform(effect));
                let alone = desk.wake_at(now.at).is_none_or(|wake| wake > now.at);
                if alone { Frame::Same } else { Frame::Changed }
            }
            _ => Frame::Changed,
        }
    }

    /// The mouse is the terminal's while a secret is shown, so that it can be selected there.
    fn hand_over_mouse(&mut self, orders: &mut Orders<Effect>) {
        let wanted = self.desk().map_or(self.setting.capture, Desk::capture);
        if wanted != self.capture {
            self.capture = wanted;
            orders.mouse(wanted);
        }
    }
}

impl Program for Keydeck {
    type Effect = Effect;
    type Outcome = Outcome;

    fn update(&mut self, msg: Msg<Outcome>, now: Now, orders: &mut Orders<Effect>) {
        self.heard = now.at;
        if self.setting.breakable {
            break_on_f12(&msg);
        }
        if let Some(minutes) = self.idle(now) {
            self.lock(Cause::Idle(minutes), now, orders);
            // A key pressed before anybody saw that it is locked was not meant for the door.
            if matches!(msg, Msg::Input(_)) {
                return;
            }
        }
        let typed = matches!(msg, Msg::Input(_));
        if typed {
            self.touched = Some(now);
        }
        if self.remember(&msg, now, orders) == Frame::Same {
            return orders.still();
        }
        if let Msg::News(Outcome::Background(background)) = msg {
            self.setting.themes.tell(background);
            self.theme = self.setting.themes.wear(self.setting.worn);
            return;
        }
        // Stopped and continued without a chance to lock before.
        if matches!((&msg, &self.stage, &self.way), (Msg::Resumed, Stage::Desk(_), Way::Store(_))) {
            return self.lock(Cause::Background { going: false }, now, orders);
        }
        match &mut self.stage {
            Stage::Door(door) => {
                if let Some(passage) = door.update(msg, now, (&self.hits, &self.setting.keymap), orders) {
                    self.enter(passage, now);
                }
            }
            Stage::Desk(desk) => {
                if let Msg::News(Outcome::Gone(why)) = &msg {
                    desk.lost_owner();
                    if desk.holds_secret() {
                        desk.complain(format!("{why} Put this away first; then the console locks."));
                    }
                    self.gone = Some(Arc::clone(why));
                }
                desk.update(msg, now, &self.hits, orders);
                let worn = desk.look().worn;
                if worn != self.setting.worn {
                    self.setting.worn = worn;
                    self.theme = self.setting.themes.wear(worn);
                }
                // A token that is shown this once stays until somebody has it.
                if !desk.holds_secret()
                    && let Some(why) = self.gone.take()
                {
                    return self.lock(Cause::Gone(why), now, orders);
                }
                match desk.take_parting() {
                    Some(Parting::Lock) => self.lock(Cause::Asked, now, orders),
                    Some(Parting::Suspend) if desk.can_lock() => {
                        self.lock(Cause::Background { going: true }, now, orders);
                    }
                    Some(Parting::Suspend) => orders.suspend(),
                    None => {}
                }
            }
            Stage::Between => {}
        }
        if typed && self.memory.shelf.is_some() && self.desk().is_some() {
            self.memory.due.get_or_insert(now.at + REMEMBERED_AFTER);
        }
        self.say_lost();
        self.hand_over_mouse(orders);
    }

    fn view(&mut self, buffer: &mut Buffer, now: Now) -> Option<Position> {
        let area = buffer.area;
        let mut canvas = Canvas::new(buffer, &self.theme, &mut self.hits);
        if let Some(said) = layout::too_small(area) {
            canvas.fit(area.x, area.y, area.width, &said, Role::Text);
            return None;
        }
        match &mut self.stage {
            Stage::Door(door) => door.draw(&mut canvas, area, &self.setting.keymap, now),
            Stage::Desk(desk) => desk.draw(&mut canvas, area, now),
            Stage::Between => {}
        }
        canvas.cursor_position()
    }

    fn text_focus(&self) -> TextFocus {
        match &self.stage {
            Stage::Door(door) => door.text_focus(),
            Stage::Desk(desk) => desk.text_focus(),
            Stage::Between => TextFocus::Elsewhere,
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        match &self.stage {
            Stage::Door(door) => door.wake_at(self.heard),
            Stage::Desk(desk) => {
                let minutes = desk.lock_minutes().map(|minutes| Duration::from_secs(u64::from(minutes) * 60));
                let locks = minutes.and_then(|limit| self.touched.map(|touched| touched.at + limit));
                desk.wake_at(self.heard).into_iter().chain(locks).chain(self.memory.due).min()
            }
            Stage::Between => None,
        }
    }

    fn farewell(&mut self, now: Now) -> Vec<Effect> {
        let mut remembered = None;
        let leave = match std::mem::replace(&mut self.stage, Stage::Between) {
            Stage::Desk(mut desk) => {
                remembered = self.memory.write(&mut desk);
                let look = desk.close(now).look;
                Some(Effect::Leave(self.hosting.take(), look.engine, look.session))
            }
            Stage::Door(door) => {
                door.into_open().map(|open| Effect::Leave(open.hosting, open.engine, open.session))
            }
            Stage::Between => None,
        };
        leave.into_iter().chain(remembered).chain([Effect::Settle]).collect()
    }
}

#[expect(clippy::panic, reason = "that is what it is for")]
fn break_on_f12(msg: &Msg<Outcome>) {
    use crossterm::event::KeyCode;
    if let Msg::Input(crate::tui::input::Input::Key { chord, .. }) = msg
        && chord.code() == KeyCode::F(12)
    {
        panic!("broken on purpose");
    }
}
