//! Trying a token: paste one, say what the request would need, and see the decision question by question, with
//! the reason and what would make it pass. Counts as no use. The token is shown as dots and zeroed on closing.

use ratatui::layout::Rect;

use crate::domain::catalog::text::{did_you_mean, nearest};
use crate::domain::verdict::steps::{Outcome, Step, steps};
use crate::domain::{Bearer, Catalog, Decision, ScopeId};
use crate::tui::action::{Action, Layer, Reason};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::overlays::small_form::sentence;
use crate::tui::secret::SecretText;
use crate::tui::theme::Role;
use crate::tui::widgets::buttons::{Button, ButtonRow};
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{Focus, layout, popup, text};

const WIDTH: u16 = 84;
const LABELS: u16 = 14;

/// Where the keyboard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Token,
    Scopes,
    Buttons,
}

/// What came of a try.
struct Tried {
    steps: Vec<Step>,
    /// Whom the token speaks for, as far as the operator may know.
    who: String,
    advice: String,
    allowed: bool,
}

/// The overlay.
pub struct TestToken {
    token: TextField,
    scopes: TextField,
    stop: Stop,
    buttons: ButtonRow,
    busy: bool,
    problem: Option<String>,
    tried: Option<Tried>,
}

impl TestToken {
    /// Nothing pasted yet.
    pub fn new() -> Self {
        let mut buttons = ButtonRow::new([Button::safe("Close"), Button::safe("Test")]);
        buttons.focus(1);
        Self {
            token: TextField::secret("Token").placeholder("paste it; it shows as dots"),
            scopes: TextField::new("Needs scopes")
                .placeholder("none, or such as contacts.read contacts.write"),
            stop: Stop::Token,
            buttons,
            busy: false,
            problem: None,
            tried: None,
        }
    }

    fn field(&mut self) -> Option<&mut TextField> {
        match self.stop {
            Stop::Token => Some(&mut self.token),
            Stop::Scopes => Some(&mut self.scopes),
            Stop::Buttons => None,
        }
    }

    fn change(&mut self, look: &Look, how: impl FnOnce(&mut TextField)) {
        // What is being tested must be what its answer stands beside.
        if self.busy {
            return;
        }
        self.tried = None;
        self.problem = None;
        if let Some(field) = self.field() {
            how(field);
        }
        self.scopes.error = wanted(self.scopes.text(), look.engine.catalog()).err();
    }

    fn test(&mut self, look: &Look, out: &mut Vec<Ask>) {
        if self.busy {
            return;
        }
        if self.token.text().trim().is_empty() {
            self.token.error = Some("paste a token first".to_owned());
            self.stop = Stop::Token;
            return;
        }
        match wanted(self.scopes.text(), look.engine.catalog()) {
            Ok(wanted) => {
                self.busy = true;
                let token = SecretText::new(self.token.text().trim().to_owned());
                out.push(Ask::Do(Job::Test { token, wanted }));
            }
            Err(why) => {
                self.scopes.error = Some(why);
                self.stop = Stop::Scopes;
            }
        }
    }

    fn turn(&mut self, by: isize) {
        let next = match (self.stop, by > 0) {
            (Stop::Token, true) | (Stop::Buttons, false) => Stop::Scopes,
            (Stop::Scopes, true) | (Stop::Token, false) => Stop::Buttons,
            (Stop::Buttons, true) | (Stop::Scopes, false) => Stop::Token,
        };
        self.stop = next;
        if next == Stop::Buttons {
            self.buttons.focus(1);
        }
    }

    fn act(&mut self, action: Action, look: &Look, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        match action {
            Action::Press if self.stop == Stop::Buttons && self.buttons.focused() == 0 => {
                return Heard::Close;
            }
            Action::Press | Action::Submit => self.test(look, out),
            Action::NextField | Action::Down => self.turn(1),
            Action::PrevField | Action::Up => self.turn(-1),
            Action::Left | Action::Right if self.stop == Stop::Buttons => {
                self.buttons.act(action);
            }
            _ => return Heard::Ignored,
        }
        Heard::Consumed
    }

    fn lines(&self, canvas: &Canvas<'_>, cells: u16, rows: u16) -> Vec<(Role, String)> {
        let glyphs = canvas.glyphs();
        let mut lines = Vec::new();
        if let Some(problem) = &self.problem {
            lines.extend(text::wrap(problem, cells).into_iter().map(|line| (Role::Bad, line)));
        }
        let Some(tried) = &self.tried else {
            if self.problem.is_none() {
                let said = "Nothing is noted as a use, and the token is forgotten when this closes.";
                lines.extend(text::wrap(said, cells).into_iter().map(|line| (Role::Dim, line)));
            }
            return lines;
        };
        let (role, sign, word) = if tried.allowed {
            (Role::Good, glyphs.good, "Allowed")
        } else {
            (Role::Bad, glyphs.bad, "Refused")
        };
        lines.push((role, format!("{sign} {word}{}", tried.who)));
        let told = text::wrap(&tried.advice, cells.saturating_sub(4).max(8));
        let all = tried.steps.len() + told.len() + 1;
        let whole = all <= usize::from(rows);
        let (mut passed, mut unasked) = (0, 0);
        for step in &tried.steps {
            match step.outcome {
                Outcome::Passed if whole => {
                    lines.push((Role::Text, format!("{} {}", glyphs.good, step.question.title())));
                }
                Outcome::Passed => passed += 1,
                Outcome::NotReached if whole => {
                    lines.push((Role::Dim, format!("{} {}", glyphs.dot, step.question.title())));
                }
                Outcome::NotReached => unasked += 1,
                Outcome::Failed(_) => {
                    if passed > 0 {
                        lines.push((Role::Text, format!("{} {passed} questions before passed", glyphs.good)));
                    }
                    lines.push((Role::Bad, format!("{} {}", glyphs.bad, step.question.title())));
                    lines.extend(told.iter().map(|line| (Role::Warn, format!("    {line}"))));
                }
            }
        }
        if tried.allowed && passed > 0 {
            lines.push((Role::Text, format!("{} all {passed} questions passed", glyphs.good)));
        }
        if unasked > 0 {
            lines.push((Role::Dim, format!("{} {unasked} questions after were not asked", glyphs.dot)));
        }
        lines
    }
}

impl Default for TestToken {
    fn default() -> Self {
        Self::new()
    }
}

/// The scopes of a typed list; a misspelt one would be refused for the wrong reason.
fn wanted(text: &str, catalog: &Catalog) -> Result<Vec<ScopeId>, String> {
    let words = text.split([',', ' ']).filter(|word| !word.is_empty());
    let known = |word: &str| {
        catalog.permission(word).map(|known| known.id.clone()).ok_or_else(|| {
            let hint = did_you_mean(nearest(word, catalog.permissions().map(|known| known.id.as_str())));
            format!("no scope is called {word}.{hint}")
        })
    };
    words.map(known).collect()
}

fn judge(decision: &Decision, look: &Look) -> Tried {
    let named = look.view(|view| match decision.bearer()? {
        Bearer::Key(id) => view.key(id).map(|key| format!(": the key {}  {}", key.name, key.hint())),
        Bearer::App(id) => view.app(id).map(|app| format!(": the app {}  {}", app.name, app.id)),
    });
    let who = match (named, decision.bearer()) {
        (Some(named), _) => named,
        (None, Some(_)) => ": a key or app that is not yours to see".to_owned(),
        (None, None) => String::new(),
    };
    let missing = decision.missing().map_or_else(String::new, |scope| format!(" Missing: {scope}."));
    let advice = decision.reason().map(|why| format!("{}{missing}", sentence(why.advice())));
    Tried { steps: steps(decision), who, advice: advice.unwrap_or_default(), allowed: decision.is_allow() }
}

impl Overlay<Look, Ask, Answer> for TestToken {
    fn name(&self) -> &'static str {
        "test-token"
    }

    fn layer(&self) -> Layer {
        Layer::Dialog
    }

    fn text_focus(&self) -> TextFocus {
        if self.stop == Stop::Buttons { TextFocus::Elsewhere } else { TextFocus::Here }
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, _: Now, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        match cue {
            Cue::Do(action) => return self.act(action, look, out),
            Cue::Type(typed) => self.change(look, |field| field.type_char(typed.0)),
            Cue::Edit(edit) => self.change(look, |field| field.edit(edit)),
            Cue::Paste(pasted) => self.change(look, |field| field.paste(pasted.0)),
            Cue::Click(Target::Field(0)) => self.stop = Stop::Token,
            Cue::Click(Target::Field(_)) => self.stop = Stop::Scopes,
            Cue::Click(Target::Button(0)) => return Heard::Close,
            Cue::Click(Target::Button(_)) => self.test(look, out),
            Cue::Click(_) | Cue::Wheel { .. } | Cue::Tick => return Heard::Ignored,
        }
        Heard::Consumed
    }

    fn told(&mut self, answer: Answer, look: &Look, _: Now, _: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        self.busy = false;
        match answer {
            Answer::Tested(decision) => self.tried = Some(judge(&decision, look)),
            Answer::Refused(why) => self.problem = Some(why),
            _ => {}
        }
        Heard::Consumed
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, _: &Look, _: Now) {
        let cells = WIDTH.min(area.width).saturating_sub(6).max(1);
        let roomy = area.height >= 20;
        let air = u16::from(roomy);
        let below = |field: &TextField| match field.error {
            Some(_) => field.rows_below(cells.saturating_sub(LABELS)).max(1),
            None => air,
        };
        let token_rows = 1 + below(&self.token);
        let fields = token_rows + 1 + below(&self.scopes);
        let wanted = if self.tried.is_some() { 26 } else { fields + 9 };
        // In a small window the answer needs all there is.
        let most = if area.height < 16 { canvas.area().height } else { area.height };
        let inner = popup::draw(canvas, "Test a token", WIDTH, wanted.min(most));
        let (upper, last) = layout::bottom(inner, 1);
        let (head, body) = layout::top(upper, fields);
        let (body, _) = layout::bottom(body, air);
        let (token, scopes) = layout::top(head, token_rows);
        self.token.draw(canvas, token, LABELS, Focus::when(self.stop == Stop::Token), 0);
        self.scopes.draw(canvas, scopes, LABELS, Focus::when(self.stop == Stop::Scopes), 1);
        let lines = self.lines(canvas, cells, body.height);
        for (line, (role, said)) in (0..body.height).zip(&lines) {
            let row = layout::row(body, line);
            canvas.fit(row.x, row.y, row.width, said, *role);
        }
        self.buttons.draw(canvas, last, Focus::when(self.stop == Stop::Buttons));
        if self.busy {
            canvas.fit(last.x, last.y, last.width / 2, "testing…", Role::Info);
        }
    }

    fn hints(&self) -> &[Action] {
        &[Action::Submit, Action::NextField, Action::Cancel]
    }

    fn enabled(&self, action: Action, _: &Look) -> Result<(), Reason> {
        match action {
            Action::Submit if self.busy => Err("one moment: it is being tested".into()),
            _ => Ok(()),
        }
    }
}
