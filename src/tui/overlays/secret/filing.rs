//! Handing a new secret over to a file, on the screen that shows it: where to, and whom it is sealed to.

use std::path::PathBuf;

use ratatui::layout::Rect;

use super::Of;
use crate::domain::Command;
use crate::domain::handover::Way;
use crate::engine::handover::{SEALS, words_of};
use crate::tui::action::Action;
use crate::tui::app::ask::{HandOver, Job};
use crate::tui::canvas::Canvas;
use crate::tui::overlay::Cue;
use crate::tui::secret::SecretText;
use crate::tui::theme::Role;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{Focus, layout, text};

/// Cells of the labels.
const LABELS: u16 = 16;

/// What comes of a cue.
pub(super) enum Step {
    Stays,
    /// Back to the secret, which is as it was.
    Back,
    /// It is to be written.
    Write,
}

/// See the module.
pub(super) struct Filing {
    file: TextField,
    /// Where this build seals.
    seal_to: Option<TextField>,
    /// Whether the keyboard is in the latter.
    sealing: bool,
    /// It is being written.
    pub waits: bool,
}

impl Filing {
    /// For the secret of what is called so.
    pub fn new(name: &str, end: &str) -> Self {
        let file = format!("{}.{end}", words_of(name, '-'));
        let file = std::path::absolute(&file).map_or(file, |path| path.display().to_string());
        let seal_to = SEALS.then(|| {
            TextField::new("Sealed to").placeholder("nobody; or age1…, ssh-ed25519 …, a file of them")
        });
        Self { file: TextField::new("File").filled(&file), seal_to, sealing: false, waits: false }
    }

    pub fn hear(&mut self, cue: Cue<'_>) -> Step {
        if self.waits {
            return Step::Stays;
        }
        match cue {
            Cue::Do(Action::Cancel) => return Step::Back,
            Cue::Do(Action::Press | Action::Submit) => return Step::Write,
            Cue::Do(Action::NextField | Action::PrevField | Action::Up | Action::Down) => {
                self.sealing = self.seal_to.is_some() && !self.sealing;
            }
            cue => {
                let field = self.seal_to.as_mut().filter(|_| self.sealing).unwrap_or(&mut self.file);
                if field.take_in(cue) {
                    self.file.error = None;
                }
            }
        }
        Step::Stays
    }

    /// Has the secret written there; `None` where no file is named, or what it opens has no record.
    pub fn write(&mut self, secret: SecretText, of: &Of) -> Option<Job> {
        let to = place(self.file.text());
        let note: Box<dyn FnOnce(Way) -> Command + Send> = match *of {
            Of::Key { id: key, .. } => Box::new(move |way| Command::HandOver { key, way }),
            Of::App { id: app, .. } => Box::new(move |way| Command::HandOverSecret { app, way }),
            Of::Store => return None,
        };
        let Some(to) = to else {
            self.file.error = Some("a file is needed".to_owned());
            return None;
        };
        let seal_to = self.seal_to.iter().map(|field| field.text().trim().to_owned());
        let seal_to = seal_to.filter(|text| !text.is_empty()).collect();
        self.waits = true;
        Some(Job::HandOver(HandOver { secret, to, seal_to, note }))
    }

    /// It was not written, and why.
    pub fn failed(&mut self, why: String) {
        self.waits = false;
        self.file.error = Some(why);
    }

    /// Draws it into these rows: a field or two, and what to know or what is wrong.
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let mut rest = area;
        for (field, here) in [(Some(&self.file), !self.sealing), (self.seal_to.as_ref(), self.sealing)] {
            let Some(field) = field else { continue };
            let (row, below) = layout::top(rest, 1);
            canvas.fit(row.x, row.y, LABELS, &field.label, if here { Role::Accent } else { Role::Dim });
            let input = layout::right(row, row.width.saturating_sub(LABELS)).1;
            field.draw_input(canvas, input, Focus::when(here && !self.waits));
            rest = below;
        }
        let (said, role) = match &self.file.error {
            Some(why) => (why.as_str(), Role::Bad),
            None if self.waits => ("writing it…", Role::Info),
            None => (
                "enter writes it there for you alone to read; a file that is there is not touched; esc back",
                Role::Dim,
            ),
        };
        for line in text::wrap(said, rest.width.max(1)) {
            let (row, below) = layout::top(rest, 1);
            canvas.fit(row.x, row.y, row.width, &line, role);
            rest = below;
        }
    }

    /// Rows of it.
    pub const ROWS: u16 = if SEALS { 4 } else { 3 };
}

/// The path that somebody typed; `~` is their home.
pub(in crate::tui) fn place(typed: &str) -> Option<PathBuf> {
    let typed = typed.trim();
    let home = |rest: &str| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(rest));
    let at_home = typed.strip_prefix("~/").and_then(home);
    (!typed.is_empty()).then(|| at_home.unwrap_or_else(|| PathBuf::from(typed)))
}
