//! Writing the marked keys to a file, for whoever goes on with them elsewhere.

use crate::domain::KeyId;
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::form::{Asking, Face, Form, Manner, Pages, Spot, Told};
use crate::tui::overlays::secret::place;
use crate::tui::widgets::field::TextField;

pub struct Export {
    keys: Vec<KeyId>,
    file: TextField,
}

/// The form for these keys.
pub fn new(keys: &[KeyId]) -> Form<Export> {
    let file = "keys.csv".to_owned();
    let file = std::path::absolute(&file).map_or(file, |path| path.display().to_string());
    Form::blank(Export { keys: keys.to_vec(), file: TextField::new("File").filled(&file) })
}

impl Asking for Export {
    fn manner(&self) -> Manner {
        Manner { does: "Write", doing: "writing the file", labels: 6, ..Manner::small("export") }
    }

    fn fields(&mut self) -> Pages<'_> {
        vec![vec![&mut self.file]]
    }

    fn face(&self, _: &Look, _: Spot) -> Face {
        let what = match self.keys.len() {
            1 => "1 key".to_owned(),
            many => format!("{many} keys"),
        };
        Face {
            title: format!("Write {what} to a file"),
            intro: "A table with a line each: id, name, owner, state, scopes, times. No secret is in it, and no spreadsheet \
                    runs any of it. You alone can read it; a file that is there is not touched."
                .to_owned(),
            ..Face::default()
        }
    }

    fn check(&mut self, _: &Look, told: Told) -> Option<String> {
        let missing = told == Told::Whole && place(self.file.text()).is_none();
        self.file.error = missing.then(|| "a file is needed".to_owned());
        None
    }

    fn submit(&mut self, _: &Look) -> Result<Job, String> {
        let to = place(self.file.text()).ok_or_else(|| "a file is needed".to_owned())?;
        Ok(Job::Export { keys: self.keys.clone(), to })
    }
}
