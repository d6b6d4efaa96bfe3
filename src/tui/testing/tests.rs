use ratatui::layout::Position;

use super::*;
use crate::tui::{
    action::{Action, Layer},
    form::field::{Field as _, Slot},
    input::TextFocus,
    keymap::Keymap,
    program::Task,
    router::{Cue, route},
    toast::Toasts,
    widgets::{Focus, field::TextField},
};

/// A form of one field that saves its text.
struct Form {
    theme: Theme,
    hits: HitMap,
    keymap: Keymap,
    field: TextField,
    toasts: Toasts,
}

impl Form {
    fn start() -> Console<Self, Saver> {
        let form = Self {
            theme: Theme::plain(GlyphSet::Unicode),
            hits: HitMap::default(),
            keymap: Keymap::standard(),
            field: TextField::new("Name"),
            toasts: Toasts::default(),
        };
        Console::start(form, Saver, (60, 15), 0)
    }
}

impl Program for Form {
    type Effect = String;
    type Outcome = usize;

    fn update(&mut self, msg: Msg<usize>, now: Now, orders: &mut Orders<String>) {
        match msg {
            Msg::Input(Input::Key { chord, held }) => {
                match route(&self.keymap, Layer::Dialog, TextFocus::Here, chord, held) {
                    Some(Cue::Do(Action::Press)) => drop(orders.perform(self.field.text().to_owned())),
                    Some(Cue::Do(Action::Cancel)) => orders.quit(),
                    Some(cue) if self.field.take_in(cue) => {}
                    _ => orders.still(),
                }
            }
            Msg::Input(Input::Paste(pasted)) => self.field.paste(pasted.text()),
            Msg::Input(Input::Mouse(mouse)) => {
                self.toasts.info(format!("{:?}", self.hits.at(mouse.x, mouse.y)), now.at);
            }
            Msg::Done { outcome, .. } => self.toasts.success(format!("saved {outcome} letters"), now.at),
            Msg::Tick => self.toasts.tick(now.at),
            _ => {}
        }
    }

    fn view(&mut self, buffer: &mut Buffer, _: Now) -> Option<Position> {
        let mut canvas = Canvas::new(buffer, &self.theme, &mut self.hits);
        let area = canvas.area();
        let slot = Slot { labels: 6, focus: Focus::Here, number: 0, skip: 0 };
        self.field.draw(&mut canvas, area, slot);
        self.toasts.draw(&mut canvas, area, "backspace", None);
        canvas.cursor_position()
    }

    fn text_focus(&self) -> TextFocus {
        TextFocus::Here
    }

    fn wake_at(&self) -> Option<Moment> {
        self.toasts.wake_at()
    }

    fn farewell(&mut self, _: Now) -> Vec<String> {
        Vec::new()
    }
}

struct Saver;

impl Worker for Saver {
    type Effect = String;
    type Outcome = usize;

    fn task(&self, effect: String) -> Task<usize> {
        Box::new(move || effect.len())
    }
}

#[test]
fn a_person_types_saves_and_leaves() {
    let mut console = Form::start();
    console
        .type_text("Nightly ")
        .paste("export\n")
        .sees("Name  Nightly export")
        .press("enter")
        .sees("saved 14 letters");
    assert_eq!(console.cursor(), Some((20, 0)));
    console.advance(Duration::from_millis(3900)).sees("saved");
    console.advance(Duration::from_millis(200)).sees_no("saved");
    assert_eq!(console.now().utc_ms, 4100);
    assert!(!console.has_quit());
    console.press("esc");
    assert!(console.has_quit());
}

#[test]
fn nothing_is_drawn_for_nothing() {
    let mut console = Form::start();
    let frames = console.frames;
    console.press("f9 f10");
    assert_eq!(console.frames, frames);
    console.hold("a", 3).sees("Name  aaaa");
    assert_eq!(console.frames, frames + 4);
}

#[test]
fn the_window_and_the_mouse_obey() {
    let mut console = Form::start();
    console.type_text("x").click_on("Name").sees("Field(0)");
    console.resize(30, 5).sees("Name  x");
    assert_eq!(console.screen().lines().count(), 5);
    assert!(console.looks().contains("0:6-29 Reset Reset"), "{}", console.looks());
}
