//! Adding locations: one name per line, typed or pasted, or a pasted table, any number at once. Each name is judged when it
//! is added to the list; nothing is lost when one is refused, and what of a table was taken for what is said above it.

use std::hash::{Hash as _, Hasher};

use ratatui::layout::Rect;

use crate::domain::command::MAX_LOCATIONS_AT_ONCE;
use crate::domain::sheet::{self, Ways};
use crate::domain::{Command, Name, Refusal, name::first_few};
use crate::tui::action::Action;
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::canvas::Canvas;
use crate::tui::form::field::{Build, Field, Slot, Took, rows};
use crate::tui::form::{Asking, Face, Form, Manner, Pages, Spot, Told};
use crate::tui::overlay::Cue;
use crate::tui::router::Edit;
use crate::tui::sight::deeds;
use crate::tui::sight::seen::seen;
use crate::tui::theme::Role;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{layout, text};

/// What to do about a table that leaves something open.
const WAYS: Ways = Ways {
    column: "write `name` above the column with the names, or put a name that holds a separator in double quotes",
    first: "write `name` above the names",
    lines: "",
};

/// What is filled in: a line, and the list it goes to.
pub struct AddLocations {
    line: TextField,
    /// What goes to the list next, if nothing is wrong with it, or what is.
    next: Vec<Result<String, String>>,
    /// What was taken for what in the table pasted last.
    taken: String,
    names: Vec<Name>,
}

/// Why a name is not put on the list.
enum Not {
    /// It is there already, in words.
    Again(String, Name),
    Possible(String),
}

impl AddLocations {
    pub fn new() -> Form<Self> {
        let line = TextField::new("Name")
            .placeholder("Berlin Mitte; paste a list to add many")
            .note("enter puts it on the list, ctrl-s adds the list");
        Form::blank(Self { line, next: Vec::new(), taken: String::new(), names: Vec::new() })
    }

    /// Puts one name on the list, or says why not.
    fn add(&mut self, text: &str, look: &Look) -> Result<(), Not> {
        let name = Name::new(text).map_err(|why| Not::Possible(format!("{}: {why}", text.trim())))?;
        if self.names.iter().any(|known| known.folded() == name.folded()) {
            return Err(Not::Again(format!("{name} is on the list already"), name));
        }
        if self.names.len() >= MAX_LOCATIONS_AT_ONCE {
            let why = format!("{name}: at most {MAX_LOCATIONS_AT_ONCE} locations can be added at once");
            return Err(Not::Possible(why));
        }
        let command = Command::AddLocations(vec![name.clone()]);
        match seen(look, |seen| deeds::objection(&command, seen)) {
            None => self.names.push(name),
            Some(why @ Refusal::NameTaken { .. }) => return Err(Not::Again(why.to_string(), name)),
            Some(why) => return Err(Not::Possible(why.to_string())),
        }
        Ok(())
    }

    /// Puts on the list what is to go there. Those that cannot be are told, the others are on it.
    fn settle(&mut self, look: &Look) {
        let next = std::mem::take(&mut self.next);
        // One alone stays in the line to be mended.
        match next.as_slice() {
            [Ok(text)] => {
                match self.add(text, look) {
                    Ok(()) => self.line.clear(),
                    Err(Not::Again(why, _) | Not::Possible(why)) => self.line.error = Some(why),
                }
                return;
            }
            [Err(why)] => return self.line.error = Some(why.clone()),
            _ => {}
        }
        let (mut again, mut wrong) = (Vec::new(), Vec::new());
        for text in &next {
            let added = text.as_ref().map_err(|why| Not::Possible(why.clone()));
            match added.and_then(|text| self.add(text, look)) {
                Ok(()) => {}
                Err(Not::Again(_, name)) => again.push(name),
                Err(Not::Possible(why)) => wrong.push(why),
            }
        }
        let mut told = Vec::new();
        if !again.is_empty() {
            let are = if again.len() == 1 { "is" } else { "are" };
            let names = first_few(again.iter().map(Name::as_str));
            told.push(format!("{} {are} there already: {names}", again.len()));
        }
        if !wrong.is_empty() {
            let names = first_few(wrong.iter().map(String::as_str));
            told.push(format!("{} cannot be added: {names}", wrong.len()));
        }
        if !next.is_empty() {
            self.line.clear();
            self.line.error = (!told.is_empty()).then(|| told.join("; "));
        }
    }

    fn is_blank(&self) -> bool {
        self.line.text().trim().is_empty()
    }

    /// The line goes to the list, and with it `more`.
    fn take(&mut self, more: Vec<Result<String, String>>) -> Took {
        if !self.is_blank() {
            self.next.push(Ok(self.line.text().to_owned()));
        }
        self.next.extend(more);
        Took::Changed
    }

    /// What was pasted goes there too: the names in a table, or each line; `None` when it is no more than a piece of one.
    fn paste(&mut self, pasted: &str) -> Option<Took> {
        let lines = pasted.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines: Vec<_> =
            lines.map(|line| sheet::whole(line).map_err(|why| format!("{line}: {why}"))).collect();
        if lines.len() < 2 {
            return None;
        }
        self.taken.clear();
        let at = |(line, why): (u64, String)| format!("line {line} of the table: {why}");
        let more = match sheet::pasted(pasted, WAYS) {
            None => lines,
            Some(Err(mistake)) => vec![Err(format!("nothing is taken: {}", at(mistake)))],
            Some(Ok(sheet)) => {
                self.taken = sheet.taken;
                let names = sheet.names.into_iter();
                names.map(|(line, name)| name.map_err(|why| at((line, why)))).collect()
            }
        };
        Some(self.take(more))
    }
}

impl Field for AddLocations {
    fn hear(&mut self, cue: Cue<'_>) -> Took {
        match cue {
            Cue::Do(Action::Press) if !self.is_blank() => self.take(Vec::new()),
            Cue::Paste(pasted) => self.paste(pasted.0).unwrap_or_else(|| self.line.hear(cue)),
            // In an empty line it takes the last name back for mending.
            Cue::Edit(Edit::Backspace) if self.line.is_empty() => {
                if let Some(name) = self.names.pop() {
                    self.line.set(name.as_str());
                }
                Took::Changed
            }
            cue => self.line.hear(cue),
        }
    }

    fn wants_text(&self) -> bool {
        true
    }

    fn hints(&self) -> &'static [Action] {
        &[Action::Submit, Action::Press, Action::NextField, Action::Cancel]
    }

    fn build(&self) -> Build {
        Build::Tall
    }

    fn rows(&self, cells: u16, _: u16) -> u16 {
        self.line.rows(cells, 1)
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, slot: Slot) {
        let said = self.line.rows(area.width.saturating_sub(slot.labels), 1).saturating_add(1);
        let (line, list) = layout::top(area, said.min(area.height));
        self.line.draw(canvas, line, slot);
        let list = layout::left(list, slot.labels).1;
        let taken = if self.taken.is_empty() { Vec::new() } else { text::wrap(&self.taken, list.width) };
        let (above, list) = layout::top(list, rows(taken.len()).min(list.height / 2));
        for (row, said) in (0..above.height).zip(&taken) {
            let row = layout::row(above, row);
            canvas.fit(row.x, row.y, row.width, said, Role::Info);
        }
        let hidden = self.names.len().saturating_sub(list.height.into());
        for (row, name) in (0..list.height).zip(self.names.iter().skip(hidden)) {
            let row = layout::row(list, row);
            canvas.fit(row.x, row.y, row.width, name.as_str(), Role::Text);
        }
    }

    fn is_wrong(&self) -> bool {
        self.line.is_wrong()
    }

    fn sign(&self, mut into: &mut dyn Hasher) {
        self.line.sign(into);
        self.names.hash(&mut into);
    }
}

impl Asking for AddLocations {
    fn manner(&self) -> Manner {
        Manner {
            does: "Add",
            doing: "adding the locations",
            leaving: "nothing is added yet; esc again throws the list away",
            width: 66,
            labels: 6,
            tall: Some(18),
            ..Manner::small("location-add")
        }
    }

    fn fields(&mut self) -> Pages<'_> {
        vec![vec![self]]
    }

    fn face(&self, _: &Look, _: Spot) -> Face {
        let aside = match self.names.len() {
            0 => String::new(),
            1 => "1 location".to_owned(),
            n => format!("{n} locations"),
        };
        Face { title: "Add locations".into(), aside, ..Face::default() }
    }

    fn check(&mut self, look: &Look, told: Told) -> Option<String> {
        if told == Told::Whole && self.next.is_empty() && self.is_blank() {
            // What was left out of a pasted list was told.
            self.line.error = None;
        }
        self.settle(look);
        None
    }

    fn submit(&mut self, look: &Look) -> Result<Job, String> {
        self.take(Vec::new());
        self.settle(look);
        if self.names.is_empty() && self.line.error.is_none() {
            self.line.error = Some("type the name of a location first".to_owned());
        }
        if self.line.error.is_some() {
            return Err(String::new());
        }
        let said = match self.names.as_slice() {
            [one] => format!("{one} is added"),
            many => format!("{} locations are added", many.len()),
        };
        Ok(Job::Run { command: Command::AddLocations(self.names.clone()), said })
    }
}
