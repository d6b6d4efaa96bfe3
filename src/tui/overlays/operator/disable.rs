//! Ending an operator's access. What becomes of their keys is an explicit choice, with a picker for who gets them;
//! the name must be typed.

use ratatui::layout::Rect;

use super::Person;
use crate::domain::{KeysAfter, OperatorId, Role as OperatorRole};
use crate::tui::action::{Action, Danger, Layer, Reason};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::{Moment, Now};
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::overlays::small_form::{Part, SmallForm, Step};
use crate::tui::widgets::choice::Radio;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::picker::{PickItem, Picker};
use crate::tui::widgets::popup;

/// Its name among the overlays.
pub const NAME: &str = "operator-disable";
/// Columns of the box.
const WIDTH: u16 = 74;
/// Numbers of the parts.
const KEYS: usize = 0;
const TYPED: usize = 1;

/// The choices about the keys, by number.
const WORK: usize = 0;
const STOP: usize = 1;
const GIVE: usize = 2;

/// The overlay.
pub struct Disable {
    person: Person,
    form: SmallForm,
    heir: Option<(OperatorId, String)>,
    /// The list of who may get the keys, while it is open.
    picker: Option<Picker<OperatorId>>,
}

impl Disable {
    /// Asks what becomes of the keys of `person`, who may still sign in or left before.
    pub fn new(person: Person) -> Self {
        let options = [
            (WORK, "go on working", "until revoked or expired"),
            (STOP, "stop", "until enabled again or given away"),
            (GIVE, "go to somebody", "who owns them from then on"),
        ];
        let typed = TextField::new("Type the name").placeholder(person.name.clone());
        let parts = vec![Part::Choice(Radio::new("Their keys", options)), Part::Text(typed)];
        let (title, doing) = if person.active {
            (format!("Disable {}?", person.name), "Disable")
        } else {
            (format!("Keys of {}", person.name), "Decide")
        };
        let form = SmallForm::new(title, "", parts, doing, Danger::Dangerous);
        let mut disable = Self { person, form, heir: None, picker: None };
        disable.explain();
        disable
    }

    fn explain(&mut self) {
        let keys = match self.person.live {
            Some(count) if count > 1 => format!("Their {count} live keys"),
            _ => "Their live keys".to_owned(),
        };
        let keys = match (self.form.chosen(KEYS), &self.heir) {
            _ if self.person.live == Some(0) => "They own no live key.".to_owned(),
            (Some(STOP), _) => {
                format!("{keys} are refused until they are enabled again or the keys given away.")
            }
            (Some(GIVE), Some((_, heir))) => format!("{keys} belong to {heir} from then on, and work."),
            (Some(GIVE), None) => format!("{keys} change owner: press enter on the choice to say to whom."),
            _ => format!("{keys} go on working."),
        };
        let access = if self.person.active { "may not sign in any more." } else { "is disabled." };
        self.form.set_intro(format!("{} {access} {keys}", self.person.name));
    }

    fn open_picker(&mut self, look: &Look) {
        let leaving = self.person.id;
        let items = look.view(|view| {
            let others = view.operators().into_iter().filter(|operator| operator.id != leaving);
            let items = others.map(|operator| PickItem {
                key: operator.id,
                text: operator.name.to_string(),
                hint: operator.role.to_string(),
                disabled: match (operator.standing.is_active(), operator.role >= OperatorRole::Manager) {
                    (false, _) => Some("disabled".into()),
                    (_, false) => Some("a viewer owns no keys".into()),
                    _ => None,
                },
            });
            items.collect()
        });
        self.picker = Some(Picker::new(items, "who gets the keys?"));
    }

    fn hear_picker(&mut self, cue: Cue<'_>, out: &mut Vec<Ask>) -> Option<Heard<Look, Ask, Answer>> {
        let picker = self.picker.as_mut()?;
        match cue {
            Cue::Type(c) => picker.type_char(c.0),
            Cue::Edit(edit) => picker.edit(edit),
            Cue::Paste(pasted) => picker.paste(pasted.0),
            Cue::Click(Target::Row { row, .. }) => {
                picker.select(row);
                self.pick(out);
            }
            Cue::Do(Action::Press) => self.pick(out),
            Cue::Do(Action::Cancel) => self.picker = None,
            Cue::Do(action) => {
                picker.act(action);
            }
            _ => {}
        }
        Some(Heard::Consumed)
    }

    fn pick(&mut self, out: &mut Vec<Ask>) {
        let Some(item) = self.picker.as_ref().and_then(Picker::selected) else { return };
        match &item.disabled {
            Some(reason) => out.push(Ask::Say(format!("{}: {reason}", item.text))),
            None => {
                self.heir = Some((item.key, item.text.clone()));
                self.picker = None;
                self.explain();
            }
        }
    }

    fn submit(&mut self, look: &Look, now: Now, out: &mut Vec<Ask>) {
        let keys = match (self.form.chosen(KEYS), &self.heir) {
            (Some(WORK), _) => KeysAfter::Work,
            (Some(STOP), _) => KeysAfter::Stop,
            (Some(GIVE), Some((heir, _))) => KeysAfter::GiveTo(*heir),
            _ => return self.open_picker(look),
        };
        if self.form.text(TYPED) != self.person.name {
            let why = format!("type {} exactly, so that it is no slip", self.person.name);
            return self.form.wrong(TYPED, why);
        }
        self.form.begin("ending the access", now);
        out.push(Ask::Do(Job::Disable { operator: self.person.id, keys }));
    }
}

impl Overlay<Look, Ask, Answer> for Disable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn layer(&self) -> Layer {
        if self.picker.is_some() { Layer::Picker } else { Layer::Dialog }
    }

    fn text_focus(&self) -> TextFocus {
        if self.picker.is_some() { TextFocus::Here } else { self.form.text_focus() }
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, now: Now, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        if let Some(heard) = self.hear_picker(cue, out) {
            return heard;
        }
        let choosing = self.form.focused() == KEYS && self.form.chosen(KEYS) == Some(GIVE);
        if choosing && matches!(cue, Cue::Do(Action::Press | Action::Toggle)) && self.heir.is_none() {
            self.open_picker(look);
            return Heard::Consumed;
        }
        match self.form.hear(cue, now) {
            Step::Stay => {
                self.explain();
                Heard::Consumed
            }
            Step::Ignored if choosing && cue == Cue::Do(Action::Toggle) => {
                self.open_picker(look);
                Heard::Consumed
            }
            Step::Ignored => Heard::Ignored,
            Step::Cancel => Heard::Close,
            Step::Submit => {
                self.submit(look, now, out);
                Heard::Consumed
            }
        }
    }

    fn told(&mut self, answer: Answer, _: &Look, _: Now, _: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        match answer {
            Answer::Refused(why) => {
                self.form.refused(&why);
                Heard::Consumed
            }
            _ => Heard::Close,
        }
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, _: Rect, _: &Look, _: Now) {
        self.form.draw(canvas, WIDTH);
        if let Some(picker) = &mut self.picker {
            let inner = popup::draw(canvas, &format!("Who gets the keys of {}?", self.person.name), 54, 14);
            picker.draw(canvas, inner, 0);
        }
    }

    fn hints(&self) -> &[Action] {
        if self.picker.is_some() {
            &[Action::Press, Action::Cancel]
        } else {
            &[Action::Press, Action::NextField, Action::Submit, Action::Cancel]
        }
    }

    fn enabled(&self, _: Action, _: &Look) -> Result<(), Reason> {
        self.form.held().map_or(Ok(()), Err)
    }

    fn unsaved(&self) -> bool {
        self.form.touched()
    }

    fn held(&self) -> Option<Reason> {
        self.form.held()
    }

    fn wake_at(&self) -> Option<Moment> {
        self.form.wake_at()
    }
}
