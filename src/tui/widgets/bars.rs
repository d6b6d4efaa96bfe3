//! The lines above a screen: title line and tabs.
//!
//! ```text
//!  keydeck · Acme Agency                                     maria · admin · sealed ✓
//!  1 Agency keys 12   2 Location keys 148   3 Apps 9   4 Notices ●3
//! ─────────────────────────────────────────────────────────────────────────────────
//! ```

use ratatui::{layout::Rect, text::Span};

use super::text;
use crate::tui::{
    canvas::{Canvas, Target},
    theme::Role,
};

/// How long a fact stays in the title line when room is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stays {
    /// Good to know: goes first.
    Briefly,
    AWhile,
    /// Goes only for what must be seen.
    Long,
    /// Must be seen: the place gives way to it too.
    ToTheEnd,
}

/// A fact at the right of the title line.
#[derive(Clone, Debug)]
pub struct Fact {
    pub role: Role,
    pub text: String,
    /// The same in fewer columns, before anything is left out.
    pub short: Option<String>,
    /// When it gives way.
    pub stays: Stays,
}

impl Fact {
    /// A fact that has no shorter form.
    pub fn new(role: Role, text: impl Into<String>, stays: Stays) -> Self {
        Self { role, text: text.into(), short: None, stays }
    }

    fn shortest(&self) -> &str {
        self.short.as_deref().unwrap_or(&self.text)
    }
}

/// Columns a place keeps whatever must be seen beside it.
const PLACE: u16 = 12;

/// Draws the title line: the program and `place` at the left, `facts` at the right, separated by dots. When room is
/// short they are said shorter first; then those go that stay the briefest, of several the one at the left.
pub fn title(canvas: &mut Canvas<'_>, row: Rect, place: &str, facts: &[Fact]) {
    if row.is_empty() {
        return;
    }
    let dot = format!(" {} ", canvas.glyphs().dot);
    let brand = canvas.style(Role::Brand);
    let x = canvas.print(row.x.saturating_add(1), row.y, row.width.saturating_sub(1), "keydeck", brand);
    let dim = canvas.style(Role::Dim);
    let x = canvas.print(x, row.y, row.right().saturating_sub(x), &dot, dim);
    let left = row.right().saturating_sub(x).saturating_sub(1);
    let must = facts.iter().filter(|fact| fact.stays == Stays::ToTheEnd);
    let must = must.map(|fact| text::width(&text::clean(fact.shortest())) + 3).max().unwrap_or(0);
    let beside = left.saturating_sub(u16::try_from(must).unwrap_or(u16::MAX)).max(left.min(PLACE));
    let end = canvas.fit(x, row.y, beside, place, Role::Title);
    let room = usize::from(row.right().saturating_sub(end).saturating_sub(3));
    let mut spans: Vec<Span<'_>> = Vec::new();
    for (role, fact) in fitting(facts, room) {
        if !spans.is_empty() {
            spans.push(Span::styled(dot.clone(), dim));
        }
        spans.push(canvas.span(role, fact));
    }
    canvas.spans_right(row.right().saturating_sub(1), row.y, row.width, &spans);
}

/// The facts there is room for.
fn fitting(facts: &[Fact], room: usize) -> Vec<(Role, &str)> {
    let cells = |shown: &[(&Fact, &str)]| -> usize {
        let wide = shown.iter().map(|(_, said)| text::width(&text::clean(said)) + 3);
        wide.sum::<usize>().saturating_sub(3)
    };
    let mut shown: Vec<(&Fact, &str)> = facts.iter().map(|fact| (fact, fact.text.as_str())).collect();
    if cells(&shown) > room {
        for (fact, said) in &mut shown {
            *said = fact.shortest();
        }
    }
    while cells(&shown) > room {
        let Some(briefest) = shown.iter().map(|(fact, _)| fact.stays).min() else { break };
        let Some(goes) = shown.iter().position(|(fact, _)| fact.stays == briefest) else { break };
        shown.remove(goes);
    }
    shown.into_iter().map(|(fact, said)| (fact.role, said)).collect()
}

/// What is said of a tab.
#[derive(Clone, Debug)]
pub struct TabLabel<'a> {
    pub title: &'a str,
    /// The same in fewer columns.
    pub short: &'a str,
    /// … and in the fewest.
    pub brief: &'a str,
    /// What is counted there, if anything is.
    pub count: String,
    /// The count is there to be seen, and is the last to give way.
    pub calls: bool,
}

/// Which names of tabs there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    Long,
    Short,
    Brief,
    OfTheOpen,
}

/// Draws the tabs; when room is short counts give way, then long names, then
/// short ones, then the names of those that are not open.
pub fn tabs(canvas: &mut Canvas<'_>, row: Rect, tabs: &[TabLabel<'_>], open: usize) {
    if row.is_empty() {
        return;
    }
    let cells = |tab: &TabLabel<'_>| text::width(&tab.count) + usize::from(!tab.count.is_empty());
    let calling: usize = tabs.iter().filter(|tab| tab.calls).map(cells).sum();
    let named =
        |name: fn(&TabLabel<'_>) -> usize| tabs.iter().map(|tab| 2 + name(tab)).sum::<usize>() + calling;
    let (long, short) = (named(|tab| text::width(tab.title)), named(|tab| text::width(tab.short)));
    let brief = named(|tab| text::width(tab.brief));
    let counted: usize = tabs.iter().filter(|tab| !tab.calls).map(cells).sum();
    let (room, gaps) = (usize::from(row.width), tabs.len() * 2 + 1);
    let (names, counts, gap) = match () {
        () if long + counted + gaps + tabs.len() <= room => (Names::Long, true, 3),
        () if long + gaps <= room => (Names::Long, false, 2),
        () if short + gaps <= room => (Names::Short, false, 2),
        () if brief + tabs.len() <= room => (Names::Brief, false, 1),
        () => (Names::OfTheOpen, false, 2),
    };
    let mut x = row.x.saturating_add(1);
    for (index, TabLabel { title, short, brief, count, calls }) in tabs.iter().enumerate() {
        let start = x;
        let cells = |x: u16| row.right().saturating_sub(x);
        let is_open = index == open;
        let key = canvas.style(if is_open { Role::TabOpen } else { Role::Dim });
        x = canvas.print(x, row.y, cells(x), &format!("{}", index + 1), key);
        let name = match names {
            Names::Long => Some(title),
            Names::Short => Some(short),
            Names::Brief => Some(brief),
            Names::OfTheOpen => Some(title).filter(|_| is_open),
        };
        if let Some(name) = name {
            let style = canvas.style(if is_open { Role::TabOpen } else { Role::Tab });
            x = canvas.print(x, row.y, cells(x), " ", key);
            x = canvas.print(x, row.y, cells(x), name, style);
        }
        if (counts || *calls) && !count.is_empty() {
            let style = canvas.style(if *calls { Role::Warn } else { Role::Count });
            x = canvas.print(x, row.y, cells(x), &format!(" {count}"), style);
        }
        canvas.hit_to(start, row.y, x, Target::Tab(index));
        x = x.saturating_add(gap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing;

    fn some_tabs() -> [TabLabel<'static>; 4] {
        [("Agency keys", "12"), ("Location keys", "148"), ("Apps", ""), ("Notices", "●3")].map(
            |(title, count)| {
                let short = title.strip_suffix(" keys").unwrap_or(title);
                let brief = short.get(..5).unwrap_or(short);
                TabLabel { title, short, brief, count: count.to_owned(), calls: title == "Notices" }
            },
        )
    }

    #[test]
    fn tabs_keep_their_numbers_when_room_is_short() {
        let line =
            |width| testing::draw(width, 1, |canvas, area| tabs(canvas, area, &some_tabs(), 1)).remove(0);
        assert_eq!(line(70), " 1 Agency keys 12   2 Location keys 148   3 Apps   4 Notices ●3");
        assert_eq!(line(56), " 1 Agency keys  2 Location keys  3 Apps  4 Notices ●3");
        assert_eq!(line(50), " 1 Agency  2 Location  3 Apps  4 Notices ●3");
        assert_eq!(
            line(36),
            " 1 Agenc 2 Locat 3 Apps 4 Notic ●3",
            "no name is left out while a short one fits"
        );
        assert_eq!(
            line(30),
            " 1  2 Location keys  3  4 ●3",
            "what calls for somebody is the last to give way"
        );
    }

    #[test]
    fn tabs_are_clicked_where_they_are_drawn() {
        let (_, hits) = testing::draw_hits(70, 1, |canvas, area| tabs(canvas, area, &some_tabs(), 0));
        assert_eq!((hits.at(22, 0), hits.at(18, 0)), (Some(Target::Tab(1)), None));
    }

    fn title_line(width: u16, place: &str, facts: &[Fact]) -> String {
        testing::draw(width, 1, |canvas, area| title(canvas, area, place, facts)).remove(0)
    }

    #[test]
    fn facts_give_way_before_the_place() {
        let facts = [
            Fact::new(Role::Text, "maria", Stays::Long),
            Fact::new(Role::Dim, "admin", Stays::Briefly),
            Fact::new(Role::Good, "sealed ✓", Stays::Briefly),
        ];
        let line = |width| title_line(width, "Acme", &facts);
        assert_eq!(line(50), " keydeck · Acme          maria · admin · sealed ✓");
        assert_eq!(line(36), " keydeck · Acme    maria · sealed ✓");
        assert_eq!(line(30), " keydeck · Acme         maria");
        assert_eq!(line(20), " keydeck · Acme");
    }

    #[test]
    fn what_must_be_seen_is_said_shorter_and_outlasts_the_place() {
        let facts = [
            Fact::new(Role::Text, "maria", Stays::Long),
            Fact {
                short: Some("attached: serve 4121".into()),
                ..Fact::new(Role::Info, "attached to keydeck serve 4121", Stays::ToTheEnd)
            },
        ];
        let place = "The Harbour Street Wellness and Sports Group";
        let wide = title_line(90, place, &facts);
        assert!(wide.contains(place) && wide.ends_with("maria · attached: serve 4121"), "{wide}");
        assert_eq!(
            title_line(60, place, &facts),
            " keydeck · The Harbour Street Welln…   attached: serve 4121"
        );
        assert_eq!(
            title_line(60, "Acme", &facts),
            " keydeck · Acme      maria · attached to keydeck serve 4121"
        );
    }

    #[test]
    fn no_window_is_too_small() {
        for width in 0..16 {
            for height in 0..2 {
                testing::draw(width, height, |canvas, area| tabs(canvas, area, &some_tabs(), 3));
                testing::draw(width, height, |canvas, area| {
                    title(canvas, area, "Acme", &[Fact::new(Role::Dim, "x", Stays::ToTheEnd)]);
                });
            }
        }
    }
}
