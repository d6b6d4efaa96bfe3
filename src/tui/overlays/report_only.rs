//! Report only: counting what fewer scopes would refuse, and, on a key that is so already, what becomes of that.

use crate::domain::{Command, KeyId};
use crate::tui::app::ask::{Ask, Job};
use crate::tui::app::look::Look;
use crate::tui::overlays::chooser::Chooser;
use crate::tui::overlays::confirm;
use crate::tui::overlays::rescope::Rescope;
use crate::tui::widgets::picker::{PickItem, Picker};

/// What becomes of it.
#[derive(Clone, Copy)]
enum End {
    /// Another set is tried.
    Another,
    Dropped,
    Enforced,
}

/// What is asked about a key: which scopes are tried, or where some are, whether they are enforced.
pub fn ask(look: &Look, key: KeyId) -> Option<Ask> {
    let tried = look.view(|view| {
        let key = view.key(key)?;
        Some((key.name.to_string(), key.would_lose()?.to_string()))
    });
    let Some((name, lost)) = tried else { return Rescope::report_only(look, key).map(Ask::open) };
    let item = |key, text: String| PickItem { key, text, hint: String::new(), disabled: None };
    // What nobody notices comes first, and what takes something away last.
    let items = vec![
        item(End::Another, "Try other scopes, counting from nothing".to_owned()),
        item(End::Dropped, "Drop it: it keeps all its scopes".to_owned()),
        item(End::Enforced, format!("Enforce it: take {lost} away now")),
    ];
    let picker = Picker::new(items, "what becomes of it?");
    let title = format!("Report only: {name}");
    Some(Ask::open(Chooser::new(title, (72, 9), picker, move |end, look: &Look| {
        let gone = || Ask::Say(format!("{name} is gone"));
        match end {
            End::Enforced => confirm::narrow::ask(look, key).map_or_else(gone, Ask::open),
            End::Another => Rescope::report_only(look, key).map_or_else(gone, Ask::open),
            End::Dropped => {
                let said = format!("{name} keeps all its scopes");
                Ask::Do(Job::Run { command: Command::DropReportOnly(key), said })
            }
        }
    })))
}
