//! The one question before something is done that takes access away, ends something or gives it back. It says what it is
//! about, who uses it and what follows; Cancel has the focus; what is final wants a name, or a number, typed in full.
//!
//! - [`keys`]: one key or many, part by part; `run`: how far that is, and what came of it. [`apps`], [`location`], [`lockdown`], [`clock`], [`hold`], [`narrow`], [`recovery`], [`rotation`]: one subject each. [`crowd`]: many keys, planned before. [`leave`]: the
//!   console itself. `reasons`: why a key is revoked. `before`: who uses it. `spell`: how long a pause lasts. [`undo`]: what was done, taken back.

pub mod apps;
mod before;
pub mod clock;
pub mod crowd;
pub mod hold;
pub mod keys;
pub mod location;
pub mod lockdown;
pub mod narrow;
mod reasons;
pub mod recovery;
pub mod rotation;
mod run;
mod spell;
pub mod undo;

use ratatui::layout::Rect;

use self::before::{Before, Use};
use self::reasons::{Reasons, told};
use self::run::{Run, Told};
use self::spell::Spell;
use crate::domain::{Command, LastUse, Motive};
use crate::engine::Many;
use crate::engine::handover::Purse;
use crate::tui::action::{Action, Danger, Reason};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::{Moment, Now};
use crate::tui::input::TextFocus;
use crate::tui::list::page::{Line, Page, wrapped};
use crate::tui::overlay::{Cue, Heard, Overlay, Typed};
use crate::tui::router::Edit;
use crate::tui::sight::seen::Seen;
use crate::tui::theme::Role;
use crate::tui::widgets::buttons::{Button, ButtonRow};
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{Focus, layout, popup};

/// The name of the question before the console ends.
pub const LEAVE: &str = "leave";
const WIDTH: u16 = 72;

enum Accept {
    /// One command; the screen below hears what came of it.
    One(Command, String),
    /// One job; the question stays until its answer has come.
    Awaited(Box<dyn Fn() -> Job>, Awaited),
    /// Commands of which each is about another key, part by part.
    Many(Vec<Command>, Told),
    /// The end of the console.
    Quit,
}

/// How the answer is waited for.
#[derive(Clone, Copy)]
struct Awaited {
    /// What is said meanwhile: `making it`.
    doing: &'static str,
    /// Why it cannot be closed meanwhile.
    held: &'static str,
    then: fn(Answer, &Look) -> Heard,
}

fn run(command: &Command, said: &str) -> Job {
    Job::Run { command: command.clone(), said: said.to_owned() }
}

/// When something was last used, and what follows from that for its callers.
fn used(last: LastUse, stops: &str, seen: &Seen<'_>) -> String {
    match last {
        LastUse::At(at) => format!("Used {}{stops}", seen.times.relative(at)),
        LastUse::Never => "Never used.".to_owned(),
        LastUse::NotKnown(None) => format!("It may have been used{stops}"),
        LastUse::NotKnown(Some(since)) => {
            format!("It may have been used before {}{stops}", seen.times.minute(since))
        }
    }
}

struct Wanted {
    /// Above the line: `Type its name to confirm:`.
    asks: &'static str,
    /// What that is: `the key's name`.
    what: &'static str,
    word: String,
    field: TextField,
}

impl Wanted {
    fn new(asks: &'static str, what: &'static str, word: String) -> Self {
        Self { asks, what, word, field: TextField::new("") }
    }

    /// Its name; `what` says whose that is.
    fn name(what: &'static str, name: String) -> Self {
        Self::new("Type its name to confirm:", what, name)
    }

    /// How many keys there are.
    fn number_of_keys(count: &impl ToString) -> Self {
        Self::new("Type the number of keys to confirm:", "the number of keys", count.to_string())
    }

    /// Whether what is typed there goes on with the word.
    fn goes_on(&self, cue: Cue<'_>) -> bool {
        let Cue::Type(Typed(more)) = cue else { return false };
        let begun = self.field.text();
        self.word.strip_prefix(begun).is_some_and(|rest| rest.starts_with(more))
    }
}

enum Phase {
    Asking,
    Waiting,
    Running(Run),
}

/// Another question in its place.
type Instead = Box<dyn Fn(&Look) -> Option<Confirm>>;

pub struct Confirm {
    name: &'static str,
    width: u16,
    title: String,
    lines: Vec<Line>,
    /// Where they are scrolled to, where the window is too small for them.
    page: Page,
    /// Why it is done, where the trail keeps that.
    reasons: Option<Reasons>,
    /// For how long, where it may end by itself.
    spell: Option<Spell>,
    typed: Option<Wanted>,
    buttons: ButtonRow,
    accept: Accept,
    /// Where the secrets go that it makes.
    purse: Option<Purse>,
    instead: Option<Instead>,
    before: Option<Before>,
    phase: Phase,
}

impl Confirm {
    fn new(
        title: impl Into<String>,
        lines: Vec<Line>,
        (label, danger): (&str, Danger),
        accept: Accept,
    ) -> Self {
        let does = Button { label: label.to_owned(), danger };
        Self {
            name: "confirm",
            width: WIDTH,
            title: title.into(),
            lines,
            page: Page::default(),
            reasons: None,
            typed: None,
            spell: None,
            buttons: ButtonRow::new([Button::safe("Cancel"), does]),
            accept,
            purse: None,
            instead: None,
            before: None,
            phase: Phase::Asking,
        }
    }

    /// The same, ready to be accepted: for what was asked for in so many words.
    #[must_use]
    pub fn willing(mut self) -> Self {
        self.buttons.focus(1);
        self
    }

    fn is_typed(&self) -> bool {
        self.typed.as_ref().is_none_or(|typed| typed.field.text().trim() == typed.word)
    }

    fn press(&mut self, look: &Look, out: &mut Vec<Ask>) -> Heard {
        let button = self.buttons.focused();
        if let Some(instead) = self.instead.as_ref().filter(|_| button == 2) {
            let question = instead(look).map(|question| Heard::Replace(Box::new(question.willing())));
            return question.unwrap_or(Heard::Close);
        }
        let begun = self.typed.as_ref().is_some_and(|typed| !typed.field.is_empty());
        if button == 0 && (!begun || self.is_typed()) {
            return Heard::Close;
        }
        if let Some(typed) = self.typed.as_ref().filter(|_| !self.is_typed()) {
            out.push(Ask::Say(format!("type {} exactly as it stands there; esc cancels", typed.what)));
            return Heard::Consumed;
        }
        let motive = match self.reasons.as_ref().map_or(Ok(Motive::default()), Reasons::motive) {
            Ok(motive) => motive,
            Err(why) => {
                out.push(Ask::Say(why));
                return Heard::Consumed;
            }
        };
        match &self.accept {
            Accept::One(command, said) => {
                out.push(Ask::Do(run(&self.meant(command, &motive), said)));
                return Heard::Close;
            }
            Accept::Awaited(job, _) => {
                out.push(Ask::Do(job()));
                self.phase = Phase::Waiting;
            }
            Accept::Many(commands, told) => {
                let each = commands.iter().map(|command| self.meant(command, &motive)).collect();
                self.phase = Phase::Running(Run::begin(*told, commands.len()));
                let many = Many::of(each);
                out.push(Ask::Do(Job::Part(match self.purse.take() {
                    Some(purse) => many.keeping(purse),
                    None => many,
                })));
            }
            Accept::Quit => out.push(Ask::Quit),
        }
        Heard::Consumed
    }

    /// The command as it is meant here: for that reason, and for as long.
    fn meant(&self, command: &Command, motive: &Motive) -> Command {
        let command = told(command, motive);
        match &self.spell {
            Some(spell) => spell.over(command),
            None => command,
        }
    }

    /// Changes what is typed. The button one came for is the one Enter presses, as soon as it may be.
    fn type_in(&mut self, cue: Cue<'_>) -> Heard {
        // A digit that goes on with the name is a part of it.
        let goes_on = self.typed.as_ref().is_some_and(|typed| typed.goes_on(cue));
        let names = self.typed.is_some();
        if let Some(spell) = self.spell.as_mut().filter(|_| !goes_on) {
            // What would move a cursor moves between the buttons: digits are all there is to type.
            let walked = match cue {
                Cue::Edit(Edit::Left) if !names => self.buttons.walk(Action::Left),
                Cue::Edit(Edit::Right) if !names => self.buttons.walk(Action::Right),
                _ => false,
            };
            let taken = spell.take_in(cue);
            if taken && !names {
                self.buttons.focus(1);
            }
            if walked || taken || !names {
                return if walked || taken { Heard::Consumed } else { Heard::Ignored };
            }
        }
        let taken = self.typed.as_mut().is_some_and(|typed| typed.field.take_in(cue));
        if !taken {
            return Heard::Ignored;
        }
        self.buttons.focus(usize::from(self.is_typed()));
        Heard::Consumed
    }
}

/// Asks before the console ends with something unfinished; `why` says what would be lost.
pub fn leave(why: &Reason) -> Confirm {
    let lines = vec![Line::of(Role::Text, why.to_string())];
    let question = Confirm::new("Quit keydeck?", lines, ("Quit", Danger::Dangerous), Accept::Quit);
    let buttons = ButtonRow::new([Button::safe("Stay"), Button::dangerous("Quit")]);
    Confirm { name: LEAVE, width: 58, buttons, ..question }
}

impl Overlay for Confirm {
    fn name(&self) -> &'static str {
        self.name
    }

    fn text_focus(&self) -> TextFocus {
        match self.phase {
            Phase::Asking if self.reasons.as_ref().is_some_and(Reasons::is_here) => {
                let text = self.reasons.as_ref().is_some_and(Reasons::takes_text);
                if text { TextFocus::Here } else { TextFocus::Elsewhere }
            }
            Phase::Asking if self.typed.is_some() || self.spell.is_some() => TextFocus::Here,
            _ => TextFocus::Elsewhere,
        }
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, _: Now, out: &mut Vec<Ask>) -> Heard {
        if cue == Cue::Tick {
            out.extend(self.before.as_mut().and_then(Before::ask));
            return Heard::Consumed;
        }
        match (&mut self.phase, cue) {
            (Phase::Asking, _) => {}
            (Phase::Running(run), Cue::Do(Action::Cancel)) => {
                run.stop();
                return Heard::Consumed;
            }
            // Who is held says why.
            (Phase::Waiting, Cue::Do(Action::Cancel)) => return Heard::Ignored,
            _ => return Heard::Consumed,
        }
        if self.reasons.as_mut().is_some_and(|reasons| reasons.hear(cue)) {
            return Heard::Consumed;
        }
        match cue {
            Cue::Do(Action::Press) => return self.press(look, out),
            Cue::Do(Action::Toggle) if self.name == LEAVE => return self.press(look, out),
            Cue::Do(Action::Submit) => {
                self.buttons.focus(1);
                return self.press(look, out);
            }
            Cue::Click(Target::Button(0)) => return Heard::Close,
            Cue::Click(Target::Button(button)) => {
                self.buttons.focus(button);
                return self.press(look, out);
            }
            Cue::Do(action) if self.buttons.walk(action) || self.page.act(action) => {}
            cue => return self.type_in(cue),
        }
        Heard::Consumed
    }

    fn wake_at(&self) -> Option<Moment> {
        self.before.as_ref().filter(|before| before.is_due()).map(|_| Moment::default())
    }

    fn told(&mut self, answer: Answer, look: &Look, _: Now, out: &mut Vec<Ask>) -> Heard {
        let answer = match answer {
            Answer::Use(about, picture) => {
                self.learn(Use::One(about, &picture), look);
                return Heard::Consumed;
            }
            Answer::Busy(busy) => {
                self.learn(Use::Many(&busy), look);
                return Heard::Consumed;
            }
            answer => answer,
        };
        match (&self.accept, &mut self.phase) {
            (Accept::Many(..), Phase::Running(run)) => run.hear(answer, look, out),
            (Accept::Awaited(.., awaited), Phase::Waiting) => match answer {
                Answer::Refused(why) => {
                    self.phase = Phase::Asking;
                    self.lines.retain(|line| line.spans.iter().all(|(role, _)| *role != Role::Bad));
                    self.lines.push(Line::of(Role::Bad, why));
                    Heard::Consumed
                }
                answer => (awaited.then)(answer, look),
            },
            // Of another question, which was closed when it was accepted.
            _ => Heard::Consumed,
        }
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, _: &Look, now: Now) {
        let cells = self.width.min(area.width).saturating_sub(6).max(1);
        let lines = wrapped(self.lines.iter().cloned(), 0, cells);
        let (names, lasts) = (self.typed.is_some(), self.spell.is_some());
        let asked = 3 * u16::from(names) + 2 * u16::from(lasts);
        let why = self.reasons.as_ref().map_or(0, |reasons| reasons.rows(cells));
        let wanted = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(why + asked + 6);
        let inner = popup::draw(canvas, &self.title, self.width, wanted);
        let (upper, buttons) = layout::bottom(inner, 1);
        let (upper, field) = layout::bottom(upper, asked);
        let (upper, reasons) = layout::bottom(upper, why);
        // The scrollbar's two cells lie outside of the words.
        self.page.draw(canvas, Rect { width: upper.width.saturating_add(2), ..upper }, 0, &lines, |_| false);
        let progress = match (&mut self.phase, &self.accept) {
            (Phase::Running(run), Accept::Many(..)) => Some(run.progress(now.at)),
            (Phase::Waiting, Accept::Awaited(.., awaited)) => Some(format!("{}…", awaited.doing)),
            _ => None,
        };
        if let Some(said) = progress {
            canvas.fit(buttons.x, buttons.y, buttons.width, &said, Role::Info);
            return;
        }
        self.buttons.draw(canvas, buttons, Focus::Here);
        let (spell, field) = layout::top(field, 2 * u16::from(lasts));
        if let Some(asked) = &self.spell {
            asked.draw(canvas, layout::row(spell, 0));
        }
        let below = Focus::when(!self.reasons.as_ref().is_some_and(Reasons::is_here));
        if let Some(typed) = &self.typed {
            let label = layout::row(field, 0);
            let x = canvas.fit(label.x, label.y, label.width, typed.asks, Role::Dim).saturating_add(1);
            canvas.fit(x, label.y, label.right().saturating_sub(x), &typed.word, Role::Accent);
            // What is typed goes to the field, so the cursor is there and not on the button.
            typed.field.draw_input(canvas, layout::row(field, 1), below);
        }
        if let Some(asked) = &mut self.reasons {
            asked.draw(canvas, reasons);
        }
    }

    fn hints(&self) -> &[Action] {
        &[Action::Press, Action::NextField, Action::Cancel]
    }

    fn asks(&self) -> bool {
        self.name != LEAVE
    }

    fn held(&self) -> Option<Reason> {
        match (&self.phase, &self.accept) {
            (Phase::Waiting, Accept::Awaited(.., awaited)) => Some(awaited.held.into()),
            _ => None,
        }
    }
}
