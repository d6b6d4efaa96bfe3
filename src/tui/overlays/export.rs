//! Writing to a file what other programs go on with: the marked keys, or the report of what was done to many.

use std::sync::Arc;

use crate::domain::KeyId;
use crate::engine::many::Report;
use crate::tui::app::ask::{Exported, Job};
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::form::{Asking, Face, Form, Manner, Pages, Spot, Told};
use crate::tui::overlays::secret::place;
use crate::tui::widgets::field::TextField;

pub struct Export {
    what: Exported,
    file: TextField,
}

/// The form for these keys.
pub fn new(keys: &[KeyId]) -> Form<Export> {
    asking(Exported::Keys(keys.to_vec()), "keys.csv".to_owned())
}

/// The form for a report; the file it proposes is called by the minute.
pub fn account(report: &Arc<Report>, look: &Look) -> Form<Export> {
    let times = Times::of(look);
    let minute = times.minute(times.now()).replace(' ', "-").replace(':', "");
    asking(Exported::Account(Arc::clone(report)), format!("report-{minute}.json"))
}

fn asking(what: Exported, file: String) -> Form<Export> {
    let file = std::path::absolute(&file).map_or(file, |path| path.display().to_string());
    Form::blank(Export { what, file: TextField::new("File").filled(&file) })
}

/// `1 key`, `12 keys`.
fn keys(count: usize) -> String {
    if count == 1 { "1 key".to_owned() } else { format!("{count} keys") }
}

impl Asking for Export {
    fn manner(&self) -> Manner {
        Manner { does: "Write", doing: "writing the file", labels: 6, ..Manner::small("export") }
    }

    fn fields(&mut self) -> Pages<'_> {
        vec![vec![&mut self.file]]
    }

    fn face(&self, _: &Look, _: Spot) -> Face {
        let (title, what) = match &self.what {
            Exported::Keys(all) => (
                format!("Write {} to a file", keys(all.len())),
                "A table with a line each: id, name, owner, state, scopes, times. No secret is in it, and no spreadsheet \
                 runs any of it.",
            ),
            Exported::Account(report) => (
                format!("Save the report of {}", keys(report.found())),
                "One JSON object, the same as --json prints: what was done to which, what was not and why. `keydeck key \
                 undo` takes back by it what can be. No secret is in it.",
            ),
        };
        let intro = format!("{what} You alone can read it; a file that is there is not touched.");
        Face { title, intro, ..Face::default() }
    }

    fn check(&mut self, _: &Look, told: Told) -> Option<String> {
        let missing = told == Told::Whole && place(self.file.text()).is_none();
        self.file.error = missing.then(|| "a file is needed".to_owned());
        None
    }

    fn submit(&mut self, _: &Look) -> Result<Job, String> {
        let to = place(self.file.text()).ok_or_else(|| "a file is needed".to_owned())?;
        Ok(Job::Export { what: self.what.clone(), to })
    }
}
