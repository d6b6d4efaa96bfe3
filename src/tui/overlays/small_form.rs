//! Small forms: a sentence, a few fields or a choice, two buttons. The overlays that ask for an operator or a rule
//! are made of it and add only what the answers mean.
//!
//! Enter goes on to the next field and from the last one to the buttons' own: the doing button of a harmless form,
//! Cancel of one that takes access away. While the work is done elsewhere the form shows a spinner and stays.

pub use crate::tui::widgets::text::sentence;
use std::time::Duration;

use ratatui::layout::Rect;

use super::super::{
    action::{Action, Danger, Reason},
    canvas::{Canvas, Target},
    clock::{Moment, Now},
    input::TextFocus,
    overlay::Cue,
    theme::Role,
    widgets::{
        Focus, Handled,
        buttons::{Button, ButtonRow},
        choice::Radio,
        field::TextField,
        layout, popup, text,
    },
};

/// Columns of the labels.
const LABEL: u16 = 14;
/// Time between two signs of the spinner.
const SPIN: Duration = Duration::from_millis(100);

/// One line or block of a form.
pub enum Part {
    /// A line of text.
    Text(TextField),
    /// One of a few options, by number.
    Choice(Radio<usize>),
}

impl Part {
    /// Rows it takes when a form is `cells` wide: what is wrong is said whole.
    fn height(&self, cells: u16) -> u16 {
        match self {
            Self::Text(field) => 1 + field.rows_below(cells.saturating_sub(LABEL)).max(1),
            Self::Choice(radio) => radio.height().saturating_add(1),
        }
    }
}

/// What a cue made of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Understood; a text or choice may be another now.
    Stay,
    /// Not meant for the form.
    Ignored,
    /// The doing button was pressed.
    Submit,
    /// Cancel was pressed.
    Cancel,
}

/// The state of a form.
pub struct SmallForm {
    title: String,
    intro: String,
    parts: Vec<Part>,
    buttons: ButtonRow,
    danger: Danger,
    /// Which part has the focus; one past the last are the buttons.
    focus: usize,
    /// Whether somebody typed or chose something.
    touched: bool,
    /// Why it was not done.
    problem: Option<String>,
    /// What is being done, and the sign of the spinner.
    busy: Option<(&'static str, usize)>,
    spin_at: Moment,
}

impl SmallForm {
    /// A form with `intro` above its parts; `doing` is the button that does it.
    pub fn new(
        title: impl Into<String>,
        intro: impl Into<String>,
        parts: Vec<Part>,
        doing: &str,
        danger: Danger,
    ) -> Self {
        let doing = match danger {
            Danger::Safe => Button::safe(doing),
            Danger::Dangerous => Button::dangerous(doing),
        };
        let mut form = Self {
            title: title.into(),
            intro: intro.into(),
            parts,
            buttons: ButtonRow::new([Button::safe("Cancel"), doing]),
            danger,
            focus: 0,
            touched: false,
            problem: None,
            busy: None,
            spin_at: Moment::default(),
        };
        form.enter_buttons();
        form
    }

    /// The text field with this number.
    pub fn field(&mut self, part: usize) -> Option<&mut TextField> {
        match self.parts.get_mut(part) {
            Some(Part::Text(field)) => Some(field),
            _ => None,
        }
    }

    /// What is written in the field with this number.
    pub fn text(&self, part: usize) -> &str {
        match self.parts.get(part) {
            Some(Part::Text(field)) => field.text(),
            _ => "",
        }
    }

    /// Writes into the field with this number.
    pub fn fill(&mut self, part: usize, text: &str) {
        if let Some(field) = self.field(part) {
            field.set(text);
        }
    }

    /// Chooses an option of the choice with this number.
    pub fn choose(&mut self, part: usize, option: usize) {
        if let Some(Part::Choice(radio)) = self.parts.get_mut(part) {
            radio.choose(&option);
        }
    }

    /// The chosen option of the choice with this number.
    pub fn chosen(&self, part: usize) -> Option<usize> {
        match self.parts.get(part) {
            Some(Part::Choice(radio)) => radio.value(),
            _ => None,
        }
    }

    /// Whether closing it would lose what somebody typed or chose.
    pub const fn touched(&self) -> bool {
        self.touched
    }

    /// Whether what it does takes nothing away.
    pub fn is_harmless(&self) -> bool {
        self.danger == Danger::Safe
    }

    /// Which part has the focus; the buttons come after the last.
    pub const fn focused(&self) -> usize {
        self.focus
    }

    /// Changes the sentence above the parts.
    pub fn set_intro(&mut self, intro: String) {
        self.intro = intro;
    }

    /// Says what is wrong with a field and goes there.
    pub fn wrong(&mut self, part: usize, why: impl Into<String>) {
        if let Some(field) = self.field(part) {
            field.error = Some(sentence(&why.into()));
            self.focus = part;
        }
    }

    /// The work has begun.
    pub fn begin(&mut self, label: &'static str, now: Now) {
        self.problem = None;
        self.busy = Some((label, 0));
        self.spin_at = now.at + SPIN;
    }

    /// The work was refused.
    pub fn refused(&mut self, why: &str) {
        self.busy = None;
        self.problem = Some(sentence(why));
    }

    /// Why it must not close: work is under way whose outcome somebody should see.
    pub fn held(&self) -> Option<Reason> {
        self.busy.is_some().then(|| "one moment: it is being written".into())
    }

    /// When the spinner turns.
    pub fn wake_at(&self) -> Option<Moment> {
        self.busy.map(|_| self.spin_at)
    }

    /// Whether letters are text.
    pub fn text_focus(&self) -> TextFocus {
        match self.parts.get(self.focus) {
            Some(Part::Text(_)) if self.busy.is_none() => TextFocus::Here,
            _ => TextFocus::Elsewhere,
        }
    }

    /// Hears a cue.
    pub fn hear(&mut self, cue: Cue<'_>, now: Now) -> Step {
        if let Some((_, step)) = &mut self.busy {
            if cue == Cue::Tick {
                *step += 1;
                self.spin_at = now.at + SPIN;
            }
            return if cue == Cue::Do(Action::Cancel) { Step::Ignored } else { Step::Stay };
        }
        match cue {
            Cue::Do(Action::Submit) | Cue::Click(Target::Button(1)) => return Step::Submit,
            Cue::Do(action) => return self.act(action),
            Cue::Type(c) => self.change(|field| field.type_char(c.0)),
            Cue::Edit(edit) => self.change(|field| field.edit(edit)),
            Cue::Paste(pasted) => self.change(|field| field.paste(pasted.0)),
            Cue::Click(Target::Field(part)) => self.focus = part,
            Cue::Click(Target::Row { pane, row }) => {
                if let Some(Part::Choice(radio)) = self.parts.get_mut(usize::from(pane)) {
                    radio.choose(&row);
                    self.touched = true;
                    self.focus = pane.into();
                }
            }
            Cue::Click(Target::Button(0)) => return Step::Cancel,
            _ => return Step::Ignored,
        }
        Step::Stay
    }

    fn change(&mut self, how: impl FnOnce(&mut TextField)) {
        self.problem = None;
        if let Some(Part::Text(field)) = self.parts.get_mut(self.focus) {
            how(field);
            self.touched = true;
        }
    }

    fn act(&mut self, action: Action) -> Step {
        let at_buttons = self.focus >= self.parts.len();
        match action {
            Action::NextField if at_buttons => {
                if self.buttons.tab(action).is_none() {
                    self.focus = 0;
                    self.buttons.focus(0);
                }
            }
            Action::PrevField if at_buttons && self.buttons.tab(action).is_some() => {}
            Action::PrevField => self.previous(),
            Action::Left | Action::Right if at_buttons => {
                self.buttons.act(action);
            }
            Action::Up if at_buttons => self.previous(),
            Action::Up | Action::Down => {
                let moved = match self.parts.get_mut(self.focus) {
                    Some(Part::Choice(radio)) => radio.act(action),
                    _ => Handled::Unmoved,
                };
                match (moved, action) {
                    (Handled::Changed, _) => self.touched = true,
                    (_, Action::Down) if !at_buttons => self.next(),
                    (_, Action::Up) if self.focus > 0 => self.previous(),
                    _ => {}
                }
            }
            Action::Press if at_buttons => {
                return if self.buttons.focused() == 0 { Step::Cancel } else { Step::Submit };
            }
            Action::Press if self.focus + 1 == self.parts.len() && self.danger == Danger::Safe => {
                return Step::Submit;
            }
            Action::Press | Action::NextField => self.next(),
            _ => return Step::Ignored,
        }
        Step::Stay
    }

    fn next(&mut self) {
        self.focus += 1;
        if self.focus >= self.parts.len() {
            self.focus = self.parts.len();
            self.enter_buttons();
        }
    }

    /// From the first part round to the buttons.
    fn previous(&mut self) {
        match self.focus.checked_sub(1) {
            Some(before) => self.focus = before,
            None => {
                self.focus = self.parts.len();
                self.enter_buttons();
            }
        }
    }

    /// Enter shall do what is harmless and never by mistake what is not.
    fn enter_buttons(&mut self) {
        self.buttons.focus(usize::from(self.danger == Danger::Safe));
    }

    /// Draws the form in a box of at most `width`.
    pub fn draw(&self, canvas: &mut Canvas<'_>, width: u16) {
        let cells = width.min(canvas.area().width).saturating_sub(6).max(1);
        let intro = if self.intro.is_empty() { Vec::new() } else { text::wrap(&self.intro, cells) };
        let problem = self.problem.as_deref().map(|why| text::wrap(why, cells.saturating_sub(2).max(1)));
        let problem = problem.unwrap_or_default();
        let rows = |lines: &[String]| {
            u16::try_from(lines.len() + usize::from(!lines.is_empty())).unwrap_or(u16::MAX)
        };
        let parts: u16 = self.parts.iter().map(|part| part.height(cells)).sum();
        let wanted = parts.saturating_add(rows(&intro)).saturating_add(rows(&problem)).saturating_add(2);
        let inner = popup::draw(canvas, &self.title, width, wanted.saturating_add(4));
        let (above, last) = layout::bottom(inner, 1);
        let (above, below) = layout::bottom(above, rows(&problem).min(above.height / 2));
        for (line, said) in (0..).zip(&problem) {
            let row = layout::row(below, line);
            if !row.is_empty() {
                let sign = if line == 0 { canvas.glyphs().bad } else { " " };
                canvas.fit(row.x, row.y, row.width, &format!("{sign} {said}"), Role::Bad);
            }
        }
        // The sentence goes first when room is short, then what is above the focus.
        let fits = rows(&intro).saturating_add(parts) <= above.height;
        let (head, body) = layout::top(above, if fits { rows(&intro) } else { 0 });
        for (line, said) in (0..).zip(&intro) {
            let row = layout::row(head, line);
            if !row.is_empty() {
                canvas.fit(row.x, row.y, row.width, said, Role::Text);
            }
        }
        self.draw_parts(canvas, body);
        match self.busy {
            Some((label, step)) => {
                let sign = canvas.glyphs().spin(step);
                canvas.fit(last.x, last.y, last.width, &format!("{sign} {label}…"), Role::Info);
            }
            None => self.buttons.draw(canvas, last, Focus::when(self.focus >= self.parts.len())),
        }
    }

    fn draw_parts(&self, canvas: &mut Canvas<'_>, body: Rect) {
        let mut bottoms = self.parts.iter().scan(0_u16, |y, part| {
            *y = y.saturating_add(part.height(body.width));
            Some(*y)
        });
        let seen = bottoms.nth(self.focus.min(self.parts.len().saturating_sub(1))).unwrap_or_default();
        let hidden = seen.saturating_sub(body.height);
        let mut top = 0_u16;
        for (number, part) in self.parts.iter().enumerate() {
            let height = part.height(body.width);
            let start = top;
            top = top.saturating_add(height);
            if start < hidden || body.height == 0 {
                continue;
            }
            let area = layout::top(layout::top(body, start - hidden).1, height).0;
            if area.is_empty() {
                break;
            }
            let focus = Focus::when(number == self.focus && self.busy.is_none());
            match part {
                Part::Text(field) => field.draw(canvas, area, LABEL, focus, number),
                Part::Choice(radio) => {
                    let pane = u8::try_from(number).unwrap_or(u8::MAX);
                    let area = layout::top(area, radio.height()).0;
                    radio.draw(canvas, area, LABEL, focus, pane);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing;

    const NOW: Now = Now { at: Moment::after_start(Duration::ZERO), utc_ms: 0 };

    #[test]
    fn a_refusal_reads_as_a_sentence() {
        assert_eq!(sentence("this needs the role admin."), "This needs the role admin.");
        assert_eq!((sentence(""), sentence("é")), (String::new(), "É".into()));
    }

    fn form(danger: Danger) -> SmallForm {
        let name = Part::Text(TextField::new("Name").note("unique among all operators"));
        let role = Part::Choice(Radio::new("Role", [(0, "viewer", "sees"), (1, "admin", "all")]));
        SmallForm::new("Add an operator", "They sign in with a passphrase.", vec![name, role], "Add", danger)
    }

    fn press(form: &mut SmallForm, action: Action) -> Step {
        form.hear(Cue::Do(action), NOW)
    }

    #[test]
    fn enter_walks_through_and_does_what_is_harmless() {
        let mut safe = form(Danger::Safe);
        assert_eq!(press(&mut safe, Action::Press), Step::Stay);
        assert_eq!(press(&mut safe, Action::Down), Step::Stay);
        assert_eq!((safe.chosen(1), press(&mut safe, Action::Press)), (Some(1), Step::Submit));
        let mut dangerous = form(Danger::Dangerous);
        for _ in 0..2 {
            assert_eq!(press(&mut dangerous, Action::Press), Step::Stay);
        }
        assert_eq!(press(&mut dangerous, Action::Press), Step::Cancel);
    }

    #[test]
    fn what_is_wrong_with_a_field_is_read_to_its_end_in_a_narrow_window() {
        let mut form = form(Danger::Safe);
        form.wrong(0, "type Marketing automation of the northern branches exactly, so that it is no slip");
        let drawn = testing::draw(60, 24, |canvas, _| form.draw(canvas, 56)).join("\n");
        assert!(drawn.contains("✗ Type Marketing") && drawn.contains("no slip"), "{drawn}");
        assert!(!form.touched());
        form.hear(Cue::Type(crate::tui::overlay::Typed('x')), NOW);
        assert!(form.touched());
    }

    #[test]
    fn tab_goes_round_and_arrows_leave_a_choice_at_its_ends() {
        let mut form = form(Danger::Safe);
        for _ in 0..3 {
            press(&mut form, Action::NextField);
        }
        assert_eq!(form.text_focus(), TextFocus::Here);
        press(&mut form, Action::Down);
        press(&mut form, Action::Down);
        press(&mut form, Action::Down);
        assert_eq!(press(&mut form, Action::Press), Step::Submit);
        press(&mut form, Action::Up);
        press(&mut form, Action::Up);
        press(&mut form, Action::Up);
        assert_eq!(form.text_focus(), TextFocus::Here);
    }

    #[test]
    fn while_work_is_done_nothing_is_typed_and_it_stays() {
        let mut form = form(Danger::Safe);
        form.begin("Adding", NOW);
        assert_eq!(form.hear(Cue::Type(crate::tui::overlay::Typed('x')), NOW), Step::Stay);
        assert_eq!(press(&mut form, Action::Submit), Step::Stay);
        assert_eq!((form.text(0), form.held().is_some()), ("", true));
        form.refused("the name sam is taken by another operator. Choose another name.");
        let drawn = testing::draw(60, 20, |canvas, _| form.draw(canvas, 56)).join("\n");
        assert!(drawn.contains("✗ The name sam is taken"), "{drawn}");
        assert!(form.held().is_none());
    }

    #[test]
    fn the_focused_part_is_always_in_sight_and_no_window_is_too_small() {
        let mut form = form(Danger::Safe);
        press(&mut form, Action::NextField);
        let drawn = testing::draw(60, 9, |canvas, _| form.draw(canvas, 56)).join("\n");
        assert!(drawn.contains("(*) viewer") && drawn.contains("Add"), "{drawn}");
        for width in 0..30 {
            for height in 0..14 {
                testing::draw(width, height, |canvas, _| form.draw(canvas, 56));
            }
        }
    }
}
