//! What a form asks when what it is based on is another now: what was changed meanwhile, what one's own would make of
//! it, and whose word holds. It lies over its form; by looking nothing is written and nothing typed is lost.

use std::collections::BTreeSet;

use crate::domain::{ScopeId, Scopes};
use crate::tui::action::Action;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::overlay::Cue;
use crate::tui::theme::Role;
use crate::tui::widgets::buttons::{Button, ButtonRow};
use crate::tui::widgets::text::sentence;
use crate::tui::widgets::{Focus, layout, popup, text};

/// Columns of the box.
const WIDTH: u16 = 76;

/// A field that is another now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The field, for people.
    pub field: String,
    /// As it was when the form was filled; nothing when `now` tells the difference.
    pub was: Option<String>,
    /// As it is, or what came and went.
    pub now: String,
    /// As it would be by the form; nothing when the form leaves it alone.
    pub mine: Option<String>,
}

impl Moved {
    /// A field with one value; nothing when it is as it was, or already as the form wants it.
    pub fn of(field: &str, was: &str, now: &str, mine: &str) -> Option<Self> {
        let mine = (mine != was).then(|| mine.to_owned());
        (was != now && mine.as_deref() != Some(now)).then(|| Self {
            field: field.to_owned(),
            was: Some(was.to_owned()),
            now: now.to_owned(),
            mine,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Not said yet.
    Open,
    /// Back to the form as it was.
    Back,
    /// The form goes on, one's own changes above what there is now.
    Look,
    /// What there is now.
    Theirs,
    /// One's own changes, at once.
    Mine,
}

pub struct Meanwhile {
    what: String,
    moved: Vec<Moved>,
    buttons: ButtonRow,
}

impl Meanwhile {
    /// About `what`, of which `moved` is another now; nothing to ask when nothing is.
    pub fn ask(what: &str, moved: Vec<Moved>) -> Option<Self> {
        let buttons = ["Look again", "Take theirs", "Keep mine"].map(Button::safe);
        (!moved.is_empty()).then(|| Self { what: what.to_owned(), moved, buttons: ButtonRow::new(buttons) })
    }

    pub fn moved(&self) -> &[Moved] {
        &self.moved
    }

    /// Hears a cue; all are its own.
    pub fn hear(&mut self, cue: Cue<'_>) -> Choice {
        match cue {
            Cue::Do(Action::Cancel) => Choice::Back,
            Cue::Do(Action::Press) => Self::chosen(self.buttons.focused()),
            Cue::Click(Target::Button(button)) => Self::chosen(button),
            Cue::Do(action) => {
                self.buttons.walk(action);
                Choice::Open
            }
            _ => Choice::Open,
        }
    }

    const fn chosen(button: usize) -> Choice {
        match button {
            0 => Choice::Look,
            1 => Choice::Theirs,
            _ => Choice::Mine,
        }
    }

    /// Draws it over its form.
    pub fn draw(&self, canvas: &mut Canvas<'_>) {
        let cells = WIDTH.min(canvas.area().width).saturating_sub(6).max(1);
        let lines = self.lines(cells);
        let wanted = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(6);
        let inner = popup::draw(canvas, "Changed meanwhile", WIDTH, wanted);
        let (upper, buttons) = layout::bottom(inner, 1);
        canvas.lines(upper, &lines);
        self.buttons.draw(canvas, buttons, Focus::Here);
    }

    fn lines(&self, cells: u16) -> Vec<(Role, String)> {
        let mut lines = Vec::new();
        let mut say = |role, said: &str| {
            lines.extend(text::wrap(said, cells).into_iter().map(|line| (role, line)));
        };
        say(Role::Text, &format!("{} is not as it was when you began.", sentence(&self.what)));
        for moved in &self.moved {
            let field = sentence(&moved.field);
            let changed = match &moved.was {
                Some(was) => format!("{field}: was {}, is now {}", told(was), told(&moved.now)),
                None => format!("{field} changed: {}", moved.now),
            };
            say(Role::Warn, &changed);
            match &moved.mine {
                Some(mine) => say(Role::Text, &format!("  yours: {}", told(mine))),
                None => say(Role::Dim, "  you changed nothing of it, and it stays as it is now"),
            }
        }
        lines
    }

    /// The actions to hint at.
    pub const fn hints() -> &'static [Action] {
        &[Action::Press, Action::NextField, Action::Cancel]
    }
}

fn told(value: &str) -> &str {
    if value.is_empty() { "nothing" } else { value }
}

/// The scopes of a form in three: as they were, as they are, as they are ticked.
pub struct ThreeScopes<'a> {
    /// When the form was filled.
    pub was: &'a Scopes,
    /// At present.
    pub now: &'a Scopes,
    /// In the form.
    pub ticked: &'a BTreeSet<ScopeId>,
}

impl ThreeScopes<'_> {
    /// What was changed meanwhile, as what came and went.
    pub fn moved(&self) -> Option<Moved> {
        let (came, went) = (self.now.difference(self.was), self.was.difference(self.now));
        if came.is_empty() && went.is_empty() {
            return None;
        }
        let now = signed(came.iter(), went.iter());
        let mine = signed(
            self.ticked.iter().filter(|scope| !self.was.contains(scope)),
            self.was.iter().filter(|scope| !self.ticked.contains(*scope)),
        );
        let mine = Some(mine).filter(|mine| !mine.is_empty());
        Some(Moved { field: "scopes".into(), was: None, now, mine })
    }

    /// What was ticked and unticked here, above what there is now. What somebody else took away stays away: nobody
    /// ticked it here.
    pub fn merged(&self) -> BTreeSet<ScopeId> {
        let kept = self.now.iter().filter(|scope| !self.was.contains(scope) || self.ticked.contains(*scope));
        let added = self.ticked.iter().filter(|scope| !self.was.contains(scope));
        kept.chain(added).cloned().collect()
    }
}

fn signed<'a>(came: impl Iterator<Item = &'a ScopeId>, went: impl Iterator<Item = &'a ScopeId>) -> String {
    let came = came.map(|scope| format!("+ {scope}"));
    came.chain(went.map(|scope| format!("- {scope}"))).collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing;

    fn scopes(text: &str) -> Scopes {
        text.parse().unwrap()
    }

    #[test]
    fn what_somebody_else_took_away_is_not_put_back_by_what_one_adds() {
        let (was, now) = (scopes("a.read b.read c.read"), scopes("a.read c.read e.read"));
        let ticked: BTreeSet<ScopeId> = scopes("a.read b.read d.read").iter().cloned().collect();
        let three = ThreeScopes { was: &was, now: &now, ticked: &ticked };
        let merged = Scopes::new(three.merged()).unwrap();
        assert_eq!(merged, scopes("a.read d.read e.read"));
        let moved = three.moved().unwrap();
        assert_eq!(moved.now, "+ e.read  - b.read");
        assert_eq!(moved.mine.as_deref(), Some("+ d.read  - c.read"));
        let asked = Meanwhile::ask("the key", vec![moved]).unwrap();
        let drawn = testing::draw(80, 20, |canvas, _| asked.draw(canvas)).join("\n");
        assert!(drawn.contains("Scopes changed: + e.read  - b.read"), "{drawn}");
    }

    #[test]
    fn nothing_is_asked_when_somebody_else_did_the_same() {
        assert_eq!(Moved::of("role", "admin", "viewer", "viewer"), None);
        assert_eq!(Moved::of("role", "admin", "admin", "viewer"), None);
        assert_eq!(Moved::of("role", "admin", "viewer", "admin").unwrap().mine, None);
    }

    #[test]
    fn the_question_opens_on_the_answer_that_writes_nothing() {
        let moved = Moved::of("max-life", "none", "90d", "365d").unwrap();
        let mut asked = Meanwhile::ask("the rule", vec![moved]).unwrap();
        let drawn = testing::draw(80, 20, |canvas, _| asked.draw(canvas)).join("\n");
        for seen in ["The rule is not as it was", "was none, is now 90d", "yours: 365d", "[ Look again ]"] {
            assert!(drawn.contains(seen), "{drawn}");
        }
        assert_eq!(asked.hear(Cue::Do(Action::Press)), Choice::Look);
        assert_eq!(asked.hear(Cue::Do(Action::Cancel)), Choice::Back);
        assert_eq!(asked.hear(Cue::Do(Action::PrevField)), Choice::Open);
        assert_eq!(asked.hear(Cue::Do(Action::Press)), Choice::Mine);
        for width in 0..30 {
            for height in 0..12 {
                testing::draw(width, height, |canvas, _| asked.draw(canvas));
            }
        }
    }
}
