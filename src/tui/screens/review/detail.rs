//! What weighs against one key or app and what each of it means, then its scopes with the days on which they were needed:
//! what could go stands first.

use super::rows::{Sight, risk_role};
use crate::domain::Bearer;
use crate::domain::history::Picture;
use crate::domain::review::{Concern, Row};
use crate::tui::action::{Action, Layer};
use crate::tui::keymap::Keymap;
use crate::tui::list::page::Line;
use crate::tui::sight::report_only;
use crate::tui::sight::review::{bar, scopes};
use crate::tui::theme::Role;
use crate::tui::widgets::text;

/// Cells of the days of a scope: as many as a small window leaves, each for three.
const CELLS: usize = 30;

/// The lines; the picture is `None` while it is not known.
pub fn lines(row: &Row, sight: &Sight<'_>, picture: Option<&Picture>, keymap: &Keymap) -> Vec<Line> {
    let Some(about) = sight.about(row) else { return Vec::new() };
    let (by, times) = (sight.seen.reviewer(), sight.seen.times);
    let mut all = vec![
        Line::of(Role::Title, about.name),
        Line::of(risk_role(row.risk), format!("{} {}", bar(row.risk), row.risk)),
    ];
    let concerns = by.of(row);
    if let Some(kept) = by.kept(row.who, &concerns) {
        let (who, at) = (by.view.name_of(kept.word.by), times.relative(kept.word.at));
        all.push(Line::of(Role::Text, format!("Kept by {who} {at}, because {}", kept.why)));
    }
    for concern in concerns {
        all.push(Line {
            spans: vec![(Role::Text, concern.words()), (Role::Dim, format!("  {}", concern.means()))],
            ..Line::default()
        });
        if let (Concern::NeverUsed(_), Bearer::Key(id)) = (concern, row.who)
            && let Some(key) = sight.seen.view.key(id)
            && let Some(handed) = key.handed_words(sight.seen.usage(key), None, |at| times.relative(at))
        {
            all.push(Line { indent: 2, ..Line::of(Role::Dim, format!("Handed over {handed}.")) });
        }
    }
    tried(&mut all, row, sight, picture, keymap);
    all.push(Line::blank());
    let count = about.needed_count();
    let told = match count {
        Some(count) => format!("Scopes used {count} of {}", about.scopes.len()),
        None => format!("{} scopes; no request says which of them it needs", about.scopes.len()),
    };
    let sign = picture.filter(|_| count.is_some()).map(|_| (Role::Dim, "a sign is 3 d of 90".to_owned()));
    all.push(Line { end: sign, ..Line::of(Role::Header, told) });
    let scopes = scopes(by, &about, picture, CELLS, |at| times.relative(at));
    let widest = scopes.iter().map(|line| text::width(line.scope.as_str())).max().unwrap_or_default();
    for line in scopes {
        let role = if line.is_unneeded { Role::Warn } else { Role::Dim };
        let mut spans = vec![(Role::Accent, format!("{:<widest$}", line.scope.as_str()))];
        spans.extend(line.days.map(|days| (Role::Text, format!("  {days}"))));
        spans.push((role, format!("  {}", line.last)));
        let end = line.is_admin.then(|| (Role::Warn, "admin".to_owned()));
        all.push(Line { spans, end, ..Line::default() });
    }
    let surplus = about.surplus().len();
    if surplus > 0 && matches!(row.who, Bearer::Key(_)) {
        let key = keymap.label(Layer::Screen, Action::Narrow).unwrap_or_default();
        let first = keymap.label(Layer::Screen, Action::ReportOnly).unwrap_or_default();
        let them = if surplus == 1 { "the scope" } else { "the scopes" };
        all.push(Line::of(
            Role::Dim,
            format!(
                "{key} takes {them} away that no request has needed: none that is known would have been refused. {first} tries \
                 that first, refusing nothing."
            ),
        ));
    }
    all
}

/// What fewer scopes would have refused, of a key on which that is tried.
fn tried(all: &mut Vec<Line>, row: &Row, sight: &Sight<'_>, picture: Option<&Picture>, keymap: &Keymap) {
    let Bearer::Key(id) = row.who else { return };
    let Some(key) = sight.seen.view.key(id) else { return };
    let Some(by) = key.reports_only().map(|tried| sight.seen.view.name_of(tried.by)) else { return };
    let (times, lacked) = (sight.seen.times, picture.and_then(|picture| picture.lacked.as_deref()));
    let said = report_only::lines(key, by, lacked, times.now(), |at| times.relative(at));
    all.push(Line::blank());
    let press = keymap.label(Layer::Screen, Action::ReportOnly).unwrap_or_default();
    let end = Some((Role::Dim, format!("{press} decides")));
    all.push(Line { end, ..Line::of(Role::Header, "Report only") });
    all.extend(said.into_iter().map(|text| Line::of(Role::Text, text)));
}
