//! An open console in memory, for tests of screens and overlays: the desk on sample data, a clipboard that can be
//! read, nothing that waits.

use std::sync::Arc;

use super::console::{Keydeck, Setting};
use super::custody::Custody;
use super::desk::Desk;
use super::door::Way;
use super::look::Look;
use super::times::Zone;
use super::worker::{Hand, NewsLine};
use crate::engine::demo;
use crate::engine::open::Open;
use crate::serve::door::Entrance;
use crate::tui::clipboard::{Clipboard, Route};
use crate::tui::clock::{Moment, Now};
use crate::tui::keymap::Keymap;
use crate::tui::program::Capture;
use crate::tui::screens::{self, Screen};
use crate::tui::testing::{self, FakeClipboard};
use crate::tui::theme::{GlyphSet, Theme};

/// The console of a test.
pub type Console = testing::Console<Keydeck, Hand>;

/// The console on the demo's store, seen whole by its admin, with these screens, 120×40.
pub fn desk(screens: Vec<Box<dyn Screen>>) -> Console {
    desk_on(sample(), screens, (120, 40), &FakeClipboard::default())
}

/// With all screens there are.
pub fn whole_desk() -> Console {
    desk(screens::all())
}

/// The demo's store.
///
/// # Panics
/// When even that cannot be made.
#[expect(clippy::expect_used, reason = "a test may stop")]
pub fn sample() -> Open {
    demo::open().expect("the demo's store")
}

/// The console on an open store, its own or another process's.
pub fn desk_on(
    open: impl Into<Entrance>,
    screens: Vec<Box<dyn Screen>>,
    size: (u16, u16),
    clipboard: &FakeClipboard,
) -> Console {
    desk_as(setting(&Arc::new(Keymap::standard())), open.into(), screens, size, clipboard)
}

/// The same on the demo's store, drawn with these signs.
pub fn desk_in(glyphs: GlyphSet, screens: Vec<Box<dyn Screen>>, size: (u16, u16)) -> Console {
    let plain = setting(&Arc::new(Keymap::standard()));
    let setting = Setting { theme: Theme::plain(glyphs), ..plain };
    desk_as(setting, sample().into(), screens, size, &FakeClipboard::default())
}

fn desk_as(
    setting: Setting,
    open: Entrance,
    screens: Vec<Box<dyn Screen>>,
    size: (u16, u16),
    clipboard: &FakeClipboard,
) -> Console {
    let utc_ms = open.engine.now().time.0;
    let now = Now { at: Moment::default(), utc_ms };
    let keymap = Arc::clone(&setting.keymap);
    let hand = hand(clipboard, &setting);
    let Entrance { engine, session, owner, .. } = open;
    let look = Look { engine, session, keymap, zone: Zone::UTC, owner, read_only: false };
    let program = Keydeck::open(setting, Way::Demo, Desk::new(look, screens, true, Capture::Taken, now));
    testing::Console::start(program, hand, size, utc_ms)
}

/// The console at the door of a store, as the program starts it. What it orders first is done.
pub fn door(options: crate::engine::open::Options, size: (u16, u16), clipboard: &FakeClipboard) -> Console {
    let utc_ms = options.clock.read().wall.0;
    let setting = setting(&Arc::new(Keymap::standard()));
    let hand = hand(clipboard, &setting);
    let program = Keydeck::start(setting, Way::Store(Box::new(options)), None, Vec::new());
    testing::Console::start(program, hand, size, utc_ms)
}

pub(super) fn setting(keymap: &Arc<Keymap>) -> Setting {
    Setting {
        theme: Theme::plain(GlyphSet::Unicode),
        keymap: Arc::clone(keymap),
        zone: Zone::UTC,
        read_only: false,
        capture: Capture::Taken,
        custody: Custody::default(),
        breakable: false,
    }
}

fn hand(clipboard: &FakeClipboard, setting: &Setting) -> Hand {
    let clipboard = Clipboard::with(vec![clipboard.provider(Route::Native)]);
    Hand::new(clipboard, NewsLine::default(), setting.custody.clone())
}
