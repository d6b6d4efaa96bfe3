//! Trying a token: paste one, say what the request would need, and see the decision question by question, with
//! the reason and what would make it pass. Counts as no use. The token is shown as dots and zeroed on closing.

use ratatui::layout::Rect;

use crate::domain::catalog::text::{did_you_mean, nearest};
use crate::domain::verdict::steps::{Outcome, Step, steps};
use crate::domain::{Bearer, Catalog, Decision, ScopeId};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::look::Look;
use crate::tui::canvas::Canvas;
use crate::tui::form::field::{Build, Field, Slot, rows};
use crate::tui::form::manner::Enter;
use crate::tui::form::{Asking, Face, Form, Manner, Pages, Spot, Told};
use crate::tui::overlay::Heard;
use crate::tui::secret::SecretText;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::text;
use crate::tui::widgets::text::sentence;

/// What came of a try.
struct Tried {
    steps: Vec<Step>,
    /// Whom the token speaks for, as far as the operator may know.
    who: String,
    advice: String,
    allowed: bool,
}

/// The answer below the fields.
#[derive(Default)]
struct Verdict {
    tried: Option<Tried>,
}

pub struct TestToken {
    token: TextField,
    scopes: TextField,
    verdict: Verdict,
}

impl TestToken {
    /// Nothing pasted yet.
    pub fn new() -> Form<Self> {
        Form::blank(Self {
            token: TextField::secret("Token").placeholder("paste it; it shows as dots"),
            scopes: TextField::new("Needs scopes")
                .placeholder("none, or such as contacts.read contacts.write"),
            verdict: Verdict::default(),
        })
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

impl Tried {
    /// The answer in at most so many rows, if it can be said in fewer.
    fn lines(&self, glyphs: &Glyphs, cells: u16, most: u16) -> Vec<(Role, String)> {
        let (role, sign, word) = if self.allowed {
            (Role::Good, glyphs.good, "Allowed")
        } else {
            (Role::Bad, glyphs.bad, "Refused")
        };
        let mut lines = vec![(role, format!("{sign} {word}{}", self.who))];
        let told = text::wrap(&self.advice, cells.saturating_sub(4).max(8));
        let whole = self.steps.len() + told.len() < most.into();
        let (mut passed, mut unasked) = (0, 0);
        for step in &self.steps {
            let title = step.question.title();
            match step.outcome {
                Outcome::Passed if whole => lines.push((Role::Text, format!("{} {title}", glyphs.good))),
                Outcome::Passed => passed += 1,
                Outcome::NotReached if whole => lines.push((Role::Dim, format!("{} {title}", glyphs.dot))),
                Outcome::NotReached => unasked += 1,
                Outcome::Failed(_) => {
                    if passed > 0 {
                        lines.push((Role::Text, format!("{} {passed} questions before passed", glyphs.good)));
                    }
                    lines.push((Role::Bad, format!("{} {title}", glyphs.bad)));
                    lines.extend(told.iter().map(|line| (Role::Warn, format!("    {line}"))));
                }
            }
        }
        if self.allowed && passed > 0 {
            lines.push((Role::Text, format!("{} all {passed} questions passed", glyphs.good)));
        }
        if unasked > 0 {
            lines.push((Role::Dim, format!("{} {unasked} questions after were not asked", glyphs.dot)));
        }
        lines
    }
}

impl Field for Verdict {
    fn build(&self) -> Build {
        Build::Pane
    }

    fn rows(&self, cells: u16, air: u16) -> u16 {
        let Some(tried) = &self.tried else { return 2 };
        let told = text::wrap(&tried.advice, cells.saturating_sub(4).max(8)).len();
        if air == 0 { 3 + rows(told) } else { rows(tried.steps.len() + told + 1) }
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, _: Slot) {
        const SAID: &str = "Nothing is noted as a use, and the token is forgotten when this closes.";
        let lines = match &self.tried {
            Some(tried) => tried.lines(canvas.glyphs(), area.width, area.height),
            None => text::wrap(SAID, area.width.max(1)).into_iter().map(|line| (Role::Dim, line)).collect(),
        };
        canvas.lines(area, &lines);
    }
}

impl Asking for TestToken {
    fn manner(&self) -> Manner {
        Manner {
            leaves: "Close",
            does: "Test",
            doing: "testing",
            leaving: "nothing is tested yet; esc again forgets the token",
            enter: Enter::Does,
            width: 84,
            // A token is a secret in any hands.
            waits: false,
            ..Manner::small("test-token")
        }
    }

    fn fields(&mut self) -> Pages<'_> {
        vec![vec![&mut self.token, &mut self.scopes, &mut self.verdict]]
    }

    fn face(&self, _: &Look, _: Spot) -> Face {
        Face { title: "Test a token".into(), ..Face::default() }
    }

    fn check(&mut self, look: &Look, told: Told) -> Option<String> {
        // What is being tested is what its answer stands beside.
        self.verdict.tried = None;
        let missing = told == Told::Whole && self.token.text().trim().is_empty();
        self.token.error = missing.then(|| "paste a token first".to_owned());
        self.scopes.error = wanted(self.scopes.text(), look.engine.catalog()).err();
        None
    }

    fn submit(&mut self, look: &Look) -> Result<Job, String> {
        let wanted = wanted(self.scopes.text(), look.engine.catalog())?;
        Ok(Job::Test { token: SecretText::new(self.token.text().trim().to_owned()), wanted })
    }

    fn done(&mut self, answer: Answer, look: &Look, _: &mut Vec<Ask>) -> Heard {
        if let Answer::Tested(decision) = answer {
            self.verdict.tried = Some(judge(&decision, look));
        }
        Heard::Consumed
    }
}
