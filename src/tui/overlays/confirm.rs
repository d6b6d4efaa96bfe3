//! The question before something is done to keys: what they are, who uses them, what will stop. Cancel has the
//! focus. What is final asks for the key's name, or for the number of keys, typed in full.

use std::collections::VecDeque;

use ratatui::layout::Rect;

use crate::domain::{Event, Key, KeyId, name::first_few};
use crate::tui::action::{Action, Danger, Layer};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::screens::keys::deeds::{self, Deed};
use crate::tui::screens::keys::seen::{Seen, seen};
use crate::tui::theme::Role;
use crate::tui::widgets::buttons::{Button, ButtonRow};
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{Focus, layout, popup, text};

/// Keys named in the question about many.
const NAMED: usize = 10;
const WIDTH: u16 = 72;

/// The question.
pub struct Confirm {
    deed: Deed,
    keys: Vec<KeyId>,
    /// All that were marked, also those it is not possible for.
    asked: Vec<KeyId>,
    /// Names, hints and last use of the first keys, as they were when the question was asked.
    named: Vec<Named>,
    /// The other marked keys, and why the deed is not possible for them, in words.
    left_out: Vec<String>,
    /// Of these as many are paused, and could be resumed instead.
    paused: usize,
    /// What must be typed, if anything.
    word: Option<String>,
    typed: TextField,
    buttons: ButtonRow,
    run: Option<Run>,
}

struct Named {
    name: String,
    facts: String,
    use_: String,
}

/// Many keys, one after the other.
struct Run {
    waiting: VecDeque<KeyId>,
    now: Option<KeyId>,
    done: usize,
    /// What happened so far, for the screen.
    events: Vec<Event>,
    refused: Vec<(KeyId, String)>,
    stopping: bool,
}

impl Confirm {
    /// The question whether to do `deed` to those of `keys` it is possible for; `None` when there is none.
    pub fn new(look: &Look, deed: Deed, keys: &[KeyId]) -> Option<Self> {
        let catalog = look.engine.catalog();
        seen(look, |seen| {
            let possible = deeds::possible(deed, keys, seen, catalog);
            let found: Vec<&Key> = possible.iter().filter_map(|id| seen.view.key(*id)).collect();
            let first = found.first()?;
            let live = found.iter().any(|key| key.state(seen.now()).is_live());
            let word = (deed.is_final() && live)
                .then(|| if found.len() == 1 { first.name.to_string() } else { found.len().to_string() });
            let button = |label: &str| match deed.danger() {
                Danger::Dangerous => Button::dangerous(label),
                Danger::Safe => Button::safe(label),
            };
            // Of a mixed selection those that work can be paused, or those that are paused resumed.
            let paused = match deed {
                Deed::Pause => deeds::possible(Deed::Resume, keys, seen, catalog).len(),
                Deed::Resume | Deed::Revoke | Deed::Delete | Deed::Restore => 0,
            };
            let buttons = match paused {
                0 => vec![Button::safe("Cancel"), button(deed.verb())],
                n => vec![
                    Button::safe("Cancel"),
                    button(&format!("Pause {}", found.len())),
                    Button::safe(format!("Resume {n} instead")),
                ],
            };
            Some(Self {
                deed,
                named: found.iter().take(NAMED).map(|key| named(key, seen, deed)).collect(),
                left_out: deeds::impossible(deed, keys, seen, catalog)
                    .into_iter()
                    .map(|(keys, why)| left_out(&keys, &why, seen))
                    .collect(),
                paused,
                asked: keys.to_vec(),
                keys: possible,
                word,
                typed: TextField::new(""),
                buttons: ButtonRow::new(buttons),
                run: None,
            })
        })
    }

    /// The same, ready to be accepted: for what was asked for in so many words.
    #[must_use]
    pub fn willing(mut self) -> Self {
        self.buttons.focus(1);
        self
    }

    fn is_typed(&self) -> bool {
        self.word.as_ref().is_none_or(|word| self.typed.text().trim() == word)
    }

    /// What was typed changed: the button one came for is the one Enter presses, as soon as it may be.
    fn aim(&mut self) {
        if self.word.is_some() {
            self.buttons.focus(usize::from(self.is_typed()));
        }
    }

    fn press(&mut self, look: &Look, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        if self.buttons.focused() == 2 {
            return match Self::new(look, Deed::Resume, &self.asked) {
                Some(question) => Heard::Replace(Box::new(question.willing())),
                None => Heard::Close,
            };
        }
        if self.buttons.focused() == 0 {
            if !self.typed.is_empty() && !self.is_typed() {
                return self.complain(out);
            }
            return Heard::Close;
        }
        if !self.is_typed() {
            return self.complain(out);
        }
        if let [key] = self.keys.as_slice() {
            out.push(self.job(*key, self.said()));
            return Heard::Close;
        }
        self.run = Some(Run {
            waiting: self.keys.iter().copied().collect(),
            now: None,
            done: 0,
            events: Vec::new(),
            refused: Vec::new(),
            stopping: false,
        });
        self.next(look, out)
    }

    fn complain(&self, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        let what = if self.keys.len() == 1 { "the key's name" } else { "the number of keys" };
        out.push(Ask::Say(format!("type {what} exactly as it stands there; esc cancels")));
        Heard::Consumed
    }

    fn job(&self, key: KeyId, said: String) -> Ask {
        Ask::Do(Job::Run { command: self.deed.command(key), said })
    }

    fn said(&self) -> String {
        let name = self.named.first().map_or("", |named| named.name.as_str());
        let undo = if self.deed == Deed::Pause { "; u resumes it" } else { "" };
        format!("{name} is {}{undo}", self.deed.done())
    }

    /// Goes on with the next key, or ends with what came of it.
    fn next(&mut self, look: &Look, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        let next = self.run.as_mut().and_then(|run| {
            run.now = if run.stopping { None } else { run.waiting.pop_front() };
            run.now
        });
        if let Some(key) = next {
            out.push(self.job(key, String::new()));
            return Heard::Consumed;
        }
        let Some(run) = self.run.take() else { return Heard::Close };
        let many = |n: usize| if n == 1 { "1 key is".to_owned() } else { format!("{n} keys are") };
        let mut said = format!("{} {}", many(run.done), self.deed.done());
        if self.deed == Deed::Pause && run.done > 0 {
            said.push_str(if run.done == 1 { "; u resumes it" } else { "; u resumes them" });
        }
        if !run.waiting.is_empty() {
            said = format!("Stopped: {said}, {} left as they were", run.waiting.len());
        }
        match run.refused.first() {
            None => out.push(Ask::Celebrate(said)),
            Some((_, why)) => {
                let names = seen(look, |seen| {
                    let keys = run.refused.iter().filter_map(|(key, _)| seen.view.key(*key));
                    first_few(keys.map(|key| key.name.as_str()))
                });
                out.push(Ask::Complain(format!("{said}; {} refused ({names}): {why}", run.refused.len())));
            }
        }
        out.push(Ask::Report(Answer::Done { events: run.events, token: None, said: String::new() }));
        if self.deed.is_final() {
            out.push(Ask::Act(Action::MarkNone));
        }
        Heard::Close
    }

    const fn last_button(&self) -> usize {
        if self.paused > 0 { 2 } else { 1 }
    }

    fn title(&self) -> String {
        let verb = self.deed.verb();
        if self.keys.len() == 1 { format!("{verb} key") } else { format!("{verb} {} keys", self.keys.len()) }
    }

    /// What is asked, line by line.
    fn lines(&self, cells: u16) -> Vec<(Role, String)> {
        let mut lines = Vec::new();
        let mut left_out = Vec::new();
        for words in &self.left_out {
            left_out.extend(text::wrap(words, cells).into_iter().map(|line| (Role::Dim, line)));
        }
        if let ([one], [_]) = (self.named.as_slice(), self.keys.as_slice()) {
            lines.push((Role::Title, one.name.clone()));
            lines.push((Role::Dim, one.facts.clone()));
            lines.push((Role::Text, String::new()));
            lines.extend(text::wrap(&one.use_, cells).into_iter().map(|line| (Role::Warn, line)));
        } else {
            // Before the names: in a small window those are what gives way.
            lines.append(&mut left_out);
            for one in &self.named {
                lines.push((Role::Text, format!("{}   {}", one.name, one.use_)));
            }
            let more = self.keys.len() - self.named.len();
            if more > 0 {
                lines.push((Role::Dim, format!("and {more} more")));
            }
            lines.push((Role::Text, String::new()));
        }
        lines.append(&mut left_out);
        let after = self.consequence();
        lines.extend(text::wrap(after, cells).into_iter().map(|line| (Role::Text, line)));
        lines
    }

    fn consequence(&self) -> &'static str {
        let one = self.keys.len() == 1;
        match (self.deed, one) {
            (Deed::Pause, true) => "It is refused from the next request on, until it is resumed.",
            (Deed::Pause, false) => "They are refused from the next request on, until they are resumed.",
            (Deed::Resume, true) => "It works again from the next request on.",
            (Deed::Resume, false) => "They work again from the next request on.",
            (Deed::Revoke, true) => {
                "Revoking is final: its secret never works again. To stop it for a while, pause it."
            }
            (Deed::Revoke, false) => {
                "Revoking is final: their secrets never work again. To stop them for a while, pause them."
            }
            (Deed::Delete, true) => {
                "Its secret never works again and it goes from the list. Its record can be restored for 30 days."
            }
            (Deed::Delete, false) => {
                "Their secrets never work again and they go from the list. Records can be restored for 30 days."
            }
            (Deed::Restore, true) => "Its record comes back to the list as revoked. Its secret stays dead.",
            (Deed::Restore, false) => {
                "Their records come back to the list as revoked. Their secrets stay dead."
            }
        }
    }
}

/// Which of the marked keys stay as they are, and why.
fn left_out(keys: &[KeyId], why: &str, seen: &Seen<'_>) -> String {
    let stay = if keys.len() == 1 { "stays as it is" } else { "stay as they are" };
    let names = first_few(keys.iter().filter_map(|id| seen.view.key(*id)).map(|key| key.name.as_str()));
    format!("{} marked {stay} ({names}): {why}", keys.len())
}

fn named(key: &Key, seen: &Seen<'_>, deed: Deed) -> Named {
    let place = seen
        .view
        .place_name(key.place)
        .map_or_else(|| "agency key".to_owned(), |place| format!("{} key of {place}", key.place.kind()));
    let used = seen.usage(key).last_used_at;
    let stops = if deed.danger() == Danger::Dangerous && key.state(seen.now()).is_live() {
        ": what uses it will stop at once."
    } else {
        "."
    };
    let use_ = match used {
        Some(at) => format!("Used {}{stops}", seen.times.relative(at)),
        None => "Never used.".to_owned(),
    };
    Named {
        name: key.name.to_string(),
        facts: format!("{}  {place}, owned by {}", key.hint(), seen.view.owner_name(key)),
        use_,
    }
}

impl Overlay<Look, Ask, Answer> for Confirm {
    fn name(&self) -> &'static str {
        "confirm"
    }

    fn layer(&self) -> Layer {
        Layer::Dialog
    }

    fn text_focus(&self) -> TextFocus {
        if self.word.is_some() && self.run.is_none() { TextFocus::Here } else { TextFocus::Elsewhere }
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, _: Now, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        if let Some(run) = &mut self.run {
            if cue == Cue::Do(Action::Cancel) {
                run.stopping = true;
            }
            return Heard::Consumed;
        }
        match cue {
            Cue::Do(Action::Press) => return self.press(look, out),
            Cue::Do(Action::Submit) => {
                self.buttons.focus(1);
                return self.press(look, out);
            }
            Cue::Click(Target::Button(button)) => {
                self.buttons.focus(button);
                return self.press(look, out);
            }
            Cue::Do(action @ (Action::NextField | Action::PrevField)) => {
                if self.buttons.tab(action).is_none() {
                    self.buttons.focus(if action == Action::NextField { 0 } else { self.last_button() });
                }
            }
            Cue::Do(action @ (Action::Left | Action::Right)) => {
                self.buttons.act(action);
            }
            Cue::Type(typed) => {
                self.typed.type_char(typed.0);
                self.aim();
            }
            Cue::Edit(edit) => {
                self.typed.edit(edit);
                self.aim();
            }
            Cue::Paste(pasted) => {
                self.typed.paste(pasted.0);
                self.aim();
            }
            _ => return Heard::Ignored,
        }
        Heard::Consumed
    }

    fn told(&mut self, answer: Answer, look: &Look, _: Now, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        if let Some(run) = &mut self.run {
            match answer {
                Answer::Refused(why) => run.refused.extend(run.now.map(|key| (key, why))),
                Answer::Done { events, .. } => {
                    run.done += 1;
                    run.events.extend(events);
                }
                _ => run.done += 1,
            }
        }
        self.next(look, out)
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, _: &Look, _: Now) {
        let cells = WIDTH.min(area.width).saturating_sub(6);
        let lines = self.lines(cells);
        let asked = if self.word.is_some() { 3 } else { 0 };
        let wanted = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(asked + 6);
        let inner = popup::draw(canvas, &self.title(), WIDTH, wanted);
        let (upper, buttons) = layout::bottom(inner, 1);
        let (upper, field) = layout::bottom(upper, asked);
        for (row, (role, line)) in (0..upper.height).zip(&lines) {
            let row = layout::row(upper, row);
            canvas.fit(row.x, row.y, row.width, line, *role);
        }
        if let Some(run) = &self.run {
            let said = format!(
                "{} of {} done{}",
                run.done + run.refused.len(),
                self.keys.len(),
                if run.stopping { ", stopping" } else { "; esc stops after this one" }
            );
            canvas.fit(buttons.x, buttons.y, buttons.width, &said, Role::Info);
            return;
        }
        if let Some(word) = &self.word {
            let label = layout::row(field, 0);
            let what = if self.keys.len() == 1 {
                "Type its name to confirm:"
            } else {
                "Type the number of keys to confirm:"
            };
            let x = canvas.fit(label.x, label.y, label.width, what, Role::Dim);
            canvas.fit(x.saturating_add(1), label.y, label.right().saturating_sub(x + 1), word, Role::Accent);
            self.typed.draw_input(canvas, layout::row(field, 1), Focus::Here);
        }
        self.buttons.draw(canvas, buttons, Focus::Here);
        if self.word.is_some() {
            // The buttons put the cursor on themselves; what is typed goes to the field.
            self.typed.draw_input(canvas, layout::row(field, 1), Focus::Here);
        }
    }

    fn hints(&self) -> &[Action] {
        &[Action::Press, Action::NextField, Action::Cancel]
    }
}
