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
use crate::tui::Located;
use crate::tui::clipboard::{Clipboard, Route};
use crate::tui::clock::{Moment, Now};
use crate::tui::keymap::Keymap;
use crate::tui::looks::{Began, Themes};
use crate::tui::program::Capture;
use crate::tui::screens::{self, Tabbed};
use crate::tui::testing::{self, FakeClipboard};
use crate::tui::theme::{GlyphSet, Palette, Theme};

/// The console of a test.
pub type Console = testing::Console<Keydeck, Hand>;

/// The console on the demo's store, seen whole by its admin, with these screens, 120×40.
pub fn desk(screens: Vec<Tabbed>) -> Console {
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

/// What an open console looks at, with the standard keys.
pub fn look(open: impl Into<Entrance>) -> Look {
    let Entrance { engine, session, owner, .. } = open.into();
    let keymap = Arc::new(Keymap::standard());
    Look {
        engine,
        session,
        keymap,
        mistakes: Arc::default(),
        zone: Zone::UTC,
        worn: None,
        owner,
        read_only: false,
    }
}

/// The console on an open store, its own or another process's.
pub fn desk_on(
    open: impl Into<Entrance>,
    screens: Vec<Tabbed>,
    size: (u16, u16),
    clipboard: &FakeClipboard,
) -> Console {
    desk_as(setting(), open.into(), screens, size, clipboard)
}

/// The same on the demo's store, drawn with these signs.
pub fn desk_in(glyphs: GlyphSet, screens: Vec<Tabbed>, size: (u16, u16)) -> Console {
    let plain = setting();
    let setting = Setting { themes: Themes::new(own(Theme::plain(glyphs)), glyphs, false), ..plain };
    desk_as(setting, sample().into(), screens, size, &FakeClipboard::default())
}

/// The same on an open store, in the colours of a theme that comes with the program.
///
/// # Panics
/// When there is no such theme.
#[expect(clippy::expect_used, reason = "a test may stop")]
pub fn desk_painted(theme: &str, open: Open, size: (u16, u16), clipboard: &FakeClipboard) -> Console {
    let theme = Theme::built_in(theme, Palette::True, GlyphSet::Unicode).expect("a theme");
    let setting = Setting { themes: Themes::new(own(theme), GlyphSet::Unicode, false), ..setting() };
    desk_as(setting, open.into(), screens::all(), size, clipboard)
}

/// The same where this is wrong in the files somebody wrote.
pub fn desk_mistaken(mistakes: &[Located], screens: Vec<Tabbed>) -> Console {
    let setting = Setting { mistakes: mistakes.into(), ..setting() };
    desk_as(setting, sample().into(), screens, (120, 40), &FakeClipboard::default())
}

fn desk_as(
    setting: Setting,
    open: Entrance,
    screens: Vec<Tabbed>,
    size: (u16, u16),
    clipboard: &FakeClipboard,
) -> Console {
    let utc_ms = open.engine.now().time.0;
    let now = Now { at: Moment::default(), utc_ms };
    let hand = hand(clipboard, &setting);
    let look = Look { mistakes: Arc::clone(&setting.mistakes), ..look(open) };
    let program =
        Keydeck::open(setting, Way::Demo(None), Desk::new(look, screens, true, Capture::Taken, now));
    testing::Console::start(program, hand, size, utc_ms)
}

/// The console at the door of a store, as the program starts it. What it orders first is done.
pub fn door(options: crate::engine::open::Options, size: (u16, u16), clipboard: &FakeClipboard) -> Console {
    remembering_door(options, size, clipboard, None)
}

/// The same; in this directory it is remembered how operators leave the console.
pub fn remembering_door(
    options: crate::engine::open::Options,
    size: (u16, u16),
    clipboard: &FakeClipboard,
    habits: Option<std::path::PathBuf>,
) -> Console {
    let utc_ms = options.clock.read().wall.0;
    let setting = setting();
    let hand = hand(clipboard, &setting).remembering(habits);
    let program = Keydeck::start(setting, Way::Store(Box::new(options)), None, Vec::new());
    testing::Console::start(program, hand, size, utc_ms)
}

fn own(theme: Theme) -> Began {
    Began::Own(Box::new(theme))
}

pub(super) fn setting() -> Setting {
    Setting {
        themes: Themes::new(own(Theme::plain(GlyphSet::Unicode)), GlyphSet::Unicode, false),
        worn: None,
        keymap: Arc::new(Keymap::standard()),
        mistakes: Arc::default(),
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

/// Stores on a disk, and who signs in to them.
#[cfg(test)]
pub(super) mod stores {
    use std::path::Path;

    use super::{Console, FakeClipboard, door};
    use crate::crypto::passphrase::{Cost, Passphrase};
    use crate::domain::{Name, Timestamp};
    use crate::engine::Via;
    use crate::engine::clock::TestClock;
    use crate::engine::open::{Open, Options, found};

    pub const PHRASE: &str = "correct horse battery staple";

    pub fn options(dir: &Path) -> Options {
        Options {
            clock: std::sync::Arc::new(TestClock::at(Timestamp(1_790_000_000_000))),
            cost: Cost::IMPORTED,
            ..Options::new(dir, "keydeck", Via::Console)
        }
    }

    pub fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    pub fn passphrase() -> Passphrase {
        Passphrase::choose(PHRASE).unwrap()
    }

    /// Founds a store without a console.
    pub fn founded(dir: &Path) -> Open {
        found(&options(dir), name("Acme"), name("maria"), &passphrase()).unwrap().open
    }

    /// Signs in at the door.
    pub fn signed_in(dir: &Path, size: (u16, u16)) -> Console {
        let mut console = door(options(dir), size, &FakeClipboard::default());
        console
            .type_text("maria")
            .press("enter")
            .type_text(PHRASE)
            .press("enter")
            .sees("maria · admin · own keys");
        console
    }
}
