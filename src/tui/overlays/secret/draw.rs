//! How a new secret looks: what it is of, the secret on a line of its own, what the keys do, and the tick.

use ratatui::layout::Rect;

use super::filing::Filing;
use super::{Made, Occasion, Of, STEPS, Secret, Showing};
use crate::tui::action::{Action, Layer};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::form::draw::draw_steps;
use crate::tui::form::field::rows;
use crate::tui::theme::Role;
use crate::tui::widgets::{layout, text};

/// Bytes of a token that are public: prefix and id with their underscores.
const PUBLIC: usize = 18;
/// Cells of the labels.
const LABELS: u16 = 16;

impl Secret {
    /// All of it.
    pub(super) fn paint(&self, canvas: &mut Canvas<'_>, area: Rect, look: &Look) {
        if self.showing == Showing::Bare {
            let all = canvas.area();
            canvas.erase(all);
            return self.draw_secret(canvas, layout::row(all, all.height / 2));
        }
        canvas.erase(area);
        let tight = area.height < 15;
        let inner = layout::inset(area, 2, u16::from(area.height >= 20));
        let gap = u16::from(!tight);
        let mut rest = layout::bottom(inner, 2 + gap).0;
        let lowest = inner.bottom().saturating_sub(2);
        let mut take = |rows: u16| {
            let (row, below) = layout::top(rest, rows);
            rest = below;
            row
        };
        if matches!(self.of, Of::App { occasion: Occasion::Created, .. }) {
            draw_steps(canvas, take(1), &STEPS, 2);
            take(gap);
        }
        let row = take(1);
        let x = canvas.fit(row.x, row.y, 1, canvas.glyphs().good, Role::Good) + 1;
        canvas.fit(x, row.y, row.right().saturating_sub(x), &self.title, Role::Title);
        let told = !tight || !matches!(self.of, Of::App { .. });
        let facts = text::wrap(&self.facts, inner.width.max(1));
        for line in facts.iter().take(if tight { 2 } else { 4 }).filter(|_| told) {
            let row = take(1);
            canvas.fit(row.x, row.y, row.width, line, Role::Dim);
        }
        take(gap);
        if let Of::App { id, .. } = &self.of {
            let row = take(1);
            canvas.fit(row.x, row.y, LABELS, "Application id", Role::Dim);
            let row = layout::right(row, row.width.saturating_sub(LABELS)).1;
            canvas.fit(row.x, row.y, row.width, &id.to_string(), Role::Text);
            take(gap);
            let label = take(gap);
            canvas.fit(label.x, label.y, label.width, "App secret, shown only now:", Role::Dim);
        }
        // On a line of its own, unbroken and with nothing beside it.
        let row = take(1);
        self.draw_secret(canvas, row);
        take(gap);
        if let Some(filing) = &self.filing {
            filing.draw(canvas, take(Filing::ROWS));
        }
        for (action, does) in self.keys().filter(|_| self.filing.is_none()) {
            let row = take(1);
            let label = look.keymap.label(Layer::Secret, action).unwrap_or_default();
            let spans = [canvas.span(Role::Key, format!("{label:<7}")), canvas.span(Role::Text, does)];
            canvas.spans(row.x, row.y, row.width, &spans);
        }
        take(gap);
        let [many, few] = self.words;
        let words = if tight && !few.is_empty() { few } else { many };
        if rest.height > 2 || (rest.height > 0 && !few.is_empty()) {
            for line in text::wrap(words, rest.width.clamp(1, 76)) {
                let (row, below) = layout::top(rest, 1);
                canvas.fit(row.x, row.y, row.width, &line, Role::Dim);
                rest = below;
            }
        }
        let mut y = rest.y.saturating_add(gap);
        if let Some((said, request)) = self.request.as_ref().filter(|(_, r)| rest.height >= rows(r.len() + 2))
        {
            let title = layout::row(rest, 1);
            canvas.fit(title.x, title.y, title.width, said, Role::Header);
            for (line, said) in (2..).zip(request) {
                let row = layout::row(rest, line);
                canvas.fit(row.x, row.y, row.width, said, Role::Accent);
            }
            y = y.saturating_add(rows(request.len() + 2));
        }
        // Right below the rest, or at the bottom where there is no room for air.
        self.draw_tick(canvas, Rect { y: y.min(lowest), height: 1, ..inner }, look);
    }

    /// What is asked before it is left without anybody having it, in many words and in few, and what Esc does then.
    const fn question(&self) -> [&'static str; 3] {
        match self.of {
            Of::Key { made: Made::Rotated, .. } => [
                "Take the rotation back and leave? It is not shown again; the old one stays as it was.",
                "Take the rotation back? It is not shown again.",
                "takes it back",
            ],
            Of::Key { .. } => [
                "Revoke it and leave? It is not shown again; you would have to issue another.",
                "Revoke it and leave? It is not shown again.",
                "revokes it",
            ],
            Of::App { occasion: Occasion::Rotated, .. } => [
                "Take the new secret back and leave? It is not shown again; the old one stays as it was.",
                "Take it back? It is not shown again.",
                "takes it back",
            ],
            Of::App { .. } => [
                "Leave without it? It is not shown again; you would have to make a new secret.",
                "Leave? Not shown again: you would make a new secret.",
                "leaves all the same",
            ],
            Of::Store => [
                "Leave without it? The code before it is void already: there would be none.",
                "Leave? The code before it is void: there is none.",
                "leaves all the same",
            ],
        }
    }

    fn draw_secret(&self, canvas: &mut Canvas<'_>, row: Rect) {
        let style = canvas.style(Role::Secret);
        let secret = self.fresh.expose();
        if self.showing == Showing::Dots {
            let public = secret.get(..PUBLIC).unwrap_or_default();
            let x = canvas.print(row.x, row.y, row.width, public, style);
            let dots = canvas.glyphs().mask.repeat(secret.len().saturating_sub(PUBLIC));
            canvas.print(x, row.y, row.right().saturating_sub(x), &dots, style);
        } else {
            canvas.print(row.x, row.y, row.width, secret, style);
        }
        canvas.cursor(row.x, row.y);
    }

    /// What its keys do.
    fn keys(&self) -> impl Iterator<Item = (Action, &'static str)> {
        let app = matches!(self.of, Of::App { .. });
        let copies = if app {
            "copy the secret; cleared after 45 s"
        } else {
            "copy it; cleared from the clipboard after 45 s"
        };
        let reveals = if self.showing == Showing::Dots { "show it here" } else { "hide it" };
        let bare = "show nothing else, to select it with the mouse";
        let id = app.then_some((Action::CopyId, "copy the application id"));
        let first = [(Action::CopySecret, copies)].into_iter().chain(id);
        let file = (!matches!(self.of, Of::Store))
            .then_some((Action::ToFile, "write it to a file that only you can read"));
        first.chain([(Action::Reveal, reveals)]).chain(file).chain([(Action::RawView, bare)])
    }

    fn draw_tick(&self, canvas: &mut Canvas<'_>, row: Rect, look: &Look) {
        let label = |action| look.keymap.label(Layer::Secret, action).unwrap_or_default();
        let glyphs = canvas.glyphs();
        if self.leaving && !self.stored {
            let [many, few, does] = self.question();
            let said = if row.width < 82 { few } else { many };
            canvas.fit(row.x, row.y, row.width, &format!("{} {said}", glyphs.warn), Role::Warn);
            let spans = [
                canvas.span(Role::Key, label(Action::CloseRaw)),
                canvas.span(Role::Text, format!(" {does}   ")),
                canvas.span(Role::Key, label(Action::CopySecret)),
                canvas.span(Role::Text, " copies it   other keys stay"),
            ];
            canvas.spans(row.x, row.y.saturating_add(1), row.width, &spans);
            return;
        }
        let tick = if self.stored { glyphs.box_on } else { glyphs.box_off };
        let role = if self.stored { Role::Good } else { Role::Accent };
        let ends = match self.key_is_next() {
            true if row.width < 66 => "goes on",
            true => "goes on to its API key",
            false => "closes",
        };
        let next = match (self.stored, self.fresh.is_seen()) {
            (true, _) => format!("   {} {ends}", label(Action::Finish)),
            (false, true) => {
                format!("   {} ticks, then {} {ends}", label(Action::Stored), label(Action::Finish))
            }
            (false, false) => "   once it is copied or shown".to_owned(),
        };
        let spans = [canvas.span(role, format!("{tick} I stored it")), canvas.span(Role::Dim, next)];
        canvas.spans(row.x, row.y, row.width, &spans);
        canvas.hit(Rect { width: row.width.min(15), ..row }, Target::Tick { pane: 0, row: 0 });
    }
}
