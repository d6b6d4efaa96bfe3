//! Everything about one key, as lines of text: what it is, what it may do, how it stands, what happened to it.
//! Drawn beside the table, or over it when there is no room beside.

use ratatui::{layout::Rect, text::Span};

use super::{history::Happening, seen::Seen};
use crate::{
    domain::{Catalog, Key, Place, ScopeId, Scopes, Trace, catalog::Risk},
    tui::{
        canvas::{Canvas, Target},
        theme::Role,
        widgets::{Focus, layout, scrollbar, text},
    },
};

/// The pane's number for the mouse.
pub const PANE: u8 = 2;
/// Cells of the labels.
const LABELS: u16 = 11;

/// Where the detail is scrolled to.
#[derive(Debug, Default)]
pub struct Detail {
    offset: usize,
    /// Lines and rows of the last frame.
    lines: usize,
    rows: usize,
}

/// A line of a detail.
pub struct Line {
    /// What it is about.
    pub label: &'static str,
    /// What it says.
    pub spans: Vec<(Role, String)>,
    /// Shown at the right end.
    pub end: Option<(Role, String)>,
}

impl Line {
    /// Plain words.
    pub fn of(role: Role, text: impl Into<String>) -> Self {
        Self { label: "", spans: vec![(role, text.into())], end: None }
    }

    /// Air.
    pub const fn blank() -> Self {
        Self { label: "", spans: Vec::new(), end: None }
    }

    /// A label and what it stands for, in as many lines of `width` cells as that takes.
    pub fn facts(label: &'static str, said: &str, width: u16) -> Vec<Self> {
        let lines = text::wrap(said, width.saturating_sub(LABELS).max(8)).into_iter().enumerate();
        let line = |(at, line)| Self {
            label: if at == 0 { label } else { " " },
            spans: vec![(Role::Text, line)],
            end: None,
        };
        lines.map(line).collect()
    }
}

impl Detail {
    /// Back to the top: another key.
    pub const fn rewind(&mut self) {
        self.offset = 0;
    }

    /// Scrolls by so many lines.
    pub fn scroll(&mut self, by: isize) {
        let last = self.lines.saturating_sub(self.rows);
        self.offset = self.offset.saturating_add_signed(by).min(last);
    }

    /// Lines of a page.
    pub fn page(&self) -> isize {
        isize::try_from(self.rows.max(2) - 1).unwrap_or(1)
    }

    /// Draws the key. `history` is `None` while it is not known.
    pub fn draw(
        &mut self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        key: &Key,
        (seen, catalog): (&Seen<'_>, &Catalog),
        history: Option<&[Happening]>,
        focus: Focus,
    ) {
        let lines = lines(canvas, key, seen, catalog, history, area.width.saturating_sub(2));
        self.draw_lines(canvas, area, &lines, focus);
    }

    /// Draws lines made for two cells less than `area` is wide.
    pub fn draw_lines(&mut self, canvas: &mut Canvas<'_>, area: Rect, lines: &[Line], focus: Focus) {
        canvas.hit(area, Target::Pane(PANE));
        let inner = Rect { width: area.width.saturating_sub(2), ..area };
        (self.lines, self.rows) = (lines.len(), area.height.into());
        self.scroll(0);
        for (row, line) in lines.iter().skip(self.offset).take(self.rows).enumerate() {
            let row = layout::row(inner, u16::try_from(row).unwrap_or(u16::MAX));
            draw_line(canvas, row, line);
        }
        if focus.is_here() {
            canvas.cursor(area.x, area.y);
        }
        scrollbar::draw(canvas, area, self.offset, self.rows, self.lines);
    }
}

fn draw_line(canvas: &mut Canvas<'_>, row: Rect, line: &Line) {
    let mut x = row.x;
    if !line.label.is_empty() {
        canvas.fit(row.x, row.y, LABELS, line.label, Role::Dim);
        x = x.saturating_add(LABELS);
    }
    let mut right = row.right();
    if let Some((role, end)) = &line.end {
        let span = canvas.span(*role, end.as_str());
        right = canvas.spans_right(right, row.y, row.width / 2, &[span]).saturating_sub(1);
    }
    for (role, said) in &line.spans {
        x = canvas.fit(x, row.y, right.saturating_sub(x), said, *role);
    }
}

fn lines(
    canvas: &Canvas<'_>,
    key: &Key,
    seen: &Seen<'_>,
    catalog: &Catalog,
    history: Option<&[Happening]>,
    width: u16,
) -> Vec<Line> {
    let mut all: Vec<Line> = Vec::new();
    let wrapped = |all: &mut Vec<Line>, role: Role, said: &str| {
        all.extend(text::wrap(said, width.max(8)).into_iter().map(|line| Line::of(role, line)));
    };
    wrapped(&mut all, Role::Title, key.name.as_str());
    let standing = seen.standing(key);
    let badge = standing.badge();
    all.push(Line::of(badge.role(), format!("{} {}", canvas.glyphs().badge(badge), standing.words())));
    wrapped(&mut all, Role::Dim, &standing.means(key, seen));
    all.push(Line::blank());
    facts(&mut all, key, seen, width);
    all.push(Line::blank());
    scopes(&mut all, &key.scopes, seen.trace(key), seen, catalog);
    all.push(Line::blank());
    all.push(Line::of(Role::Header, "History"));
    match history {
        None => all.push(Line::of(Role::Dim, "…")),
        Some([]) => all.push(Line::of(Role::Dim, "nothing is known")),
        Some(happenings) => {
            for happening in happenings {
                let role = if happening.refused { Role::Bad } else { Role::Text };
                all.push(Line {
                    label: "",
                    spans: vec![
                        (Role::Dim, format!("{}  ", seen.times.minute(happening.at))),
                        (role, happening.what.clone()),
                        (Role::Dim, format!(" by {}", happening.who)),
                    ],
                    end: None,
                });
                if !happening.detail.is_empty() {
                    let rest = text::wrap(&happening.detail, width.saturating_sub(18).max(8));
                    all.extend(
                        rest.into_iter().map(|line| Line::of(Role::Dim, format!("{}{line}", " ".repeat(18)))),
                    );
                }
            }
        }
    }
    all
}

fn facts(all: &mut Vec<Line>, key: &Key, seen: &Seen<'_>, width: u16) {
    let times = seen.times;
    let mut fact = |label: &'static str, said: String| all.extend(Line::facts(label, &said, width));
    fact("Key", key.hint());
    fact("Kind", format!("{} key", key.place.kind()));
    let place = seen.view.place_name(key.place).unwrap_or_default().to_owned();
    match key.place {
        Place::Agency => {}
        Place::Location(_) => fact("Location", place),
        Place::App(_) => fact("App", place),
    }
    fact("Owner", seen.view.owner_name(key).to_owned());
    let future = if key.created_at > times.now() { ": the clock was wrong" } else { "" };
    fact("Created", format!("{}{future}", times.both(key.created_at)));
    fact("Expires", key.expiry.instant().map_or_else(|| "never".to_owned(), |at| times.both(at)));
    let usage = seen.usage(key);
    let sighting = seen.trace(key).and_then(|trace| trace.sighting.as_ref());
    let last = seen.trace(key).and_then(|trace| trace.of_last_use(usage));
    fact(
        "Last used",
        match (usage.last_used_at, last) {
            (Some(at), Some(seen)) => format!("{} from {seen}", times.both(at)),
            (Some(at), None) => times.both(at),
            (None, _) => "never".to_owned(),
        },
    );
    if let (None, Some(seen)) = (last, sighting) {
        fact("Last seen", format!("{} at {seen}", times.relative(seen.at)));
    }
    if usage.count > 0 {
        fact("Requests", format!("{} allowed", usage.count));
    }
    if !key.note.as_str().is_empty() {
        fact("Note", key.note.to_string());
    }
}

/// Scopes by group of the catalog, in its order; what it does not know comes last. Where a request said which scopes it
/// needed, those never needed are named.
pub fn scopes(
    all: &mut Vec<Line>,
    scopes: &Scopes,
    trace: Option<&Trace>,
    seen: &Seen<'_>,
    catalog: &Catalog,
) {
    let count = scopes.len();
    let trace = trace.filter(|trace| !trace.scopes().is_empty());
    let told = match trace {
        Some(trace) => format!("Scopes used {} of {count}", trace.scopes().len()),
        None => format!("{count} {}", if count == 1 { "scope" } else { "scopes" }),
    };
    all.push(Line {
        label: "",
        spans: vec![(Role::Header, told)],
        end: Some((Role::Dim, highest(scopes, catalog))),
    });
    let when = |scope: &ScopeId| match trace.map(|trace| trace.scope_used_at(scope)) {
        Some(Some(at)) => (Role::Dim, format!("  {}", seen.times.relative(at))),
        Some(None) => (Role::Warn, "  never used".to_owned()),
        None => (Role::Dim, String::new()),
    };
    for group in catalog.groups() {
        let held: Vec<_> = group.permissions.iter().filter(|known| scopes.contains(&known.id)).collect();
        if held.is_empty() {
            continue;
        }
        all.push(Line::of(Role::Text, group.title.clone()));
        for permission in held {
            all.push(Line {
                label: "",
                spans: vec![
                    (Role::Accent, format!("  {}", permission.id)),
                    when(&permission.id),
                    (Role::Dim, format!("  {}", permission.title)),
                ],
                end: Some((risk_role(permission.risk), permission.risk.to_string())),
            });
        }
    }
    let unknown: Vec<&ScopeId> =
        scopes.iter().filter(|scope| catalog.permission(scope.as_str()).is_none()).collect();
    if !unknown.is_empty() {
        all.push(Line::of(Role::Text, "No longer in the catalog"));
        all.extend(unknown.into_iter().map(|scope| {
            let mut line = Line::of(Role::Dim, format!("  {scope}"));
            line.spans.push(when(scope));
            line
        }));
    }
}

fn highest(scopes: &Scopes, catalog: &Catalog) -> String {
    catalog
        .highest_risk(scopes)
        .map(|risk| if risk == Risk::Read { "risk: read".to_owned() } else { format!("risk: up to {risk}") })
        .unwrap_or_default()
}

/// The look of a risk's word.
pub const fn risk_role(risk: Risk) -> Role {
    match risk {
        Risk::Read => Role::Dim,
        Risk::Write => Role::Info,
        Risk::Admin => Role::Warn,
    }
}

/// A line between table and detail.
pub fn divide(canvas: &mut Canvas<'_>, area: Rect) {
    canvas.vertical(area.x, area.y, area.height);
}

/// The words at the top of a detail that covers the table.
pub fn covering(canvas: &mut Canvas<'_>, row: Rect, back: &str) {
    let spans: Vec<Span<'_>> =
        vec![canvas.span(Role::Key, back), canvas.span(Role::Dim, " back to the table")];
    canvas.spans(row.x, row.y, row.width, &spans);
}
