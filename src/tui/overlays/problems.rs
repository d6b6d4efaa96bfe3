//! What is wrong in the files that say how the console looks and listens, each with its place.

use super::reader::Reader;
use crate::tui::Located;
use crate::tui::list::page::Line;
use crate::tui::theme::Role;

/// A reader of these.
pub fn reader(mistakes: &[Located]) -> Reader {
    let intro = "What is right in these files counts; what is wrong is as if it were not there. The console reads them when it \
                 starts.";
    let mut lines = vec![Line::of(Role::Text, intro)];
    let mut file = None;
    for mistake in mistakes {
        if file.replace(&mistake.file) != Some(&mistake.file) {
            lines.extend([Line::blank(), Line::of(Role::Header, mistake.file.clone())]);
        }
        lines.push(Line::told(Role::Warn, format!("line {}", mistake.line), mistake.message.clone()));
    }
    let all: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    Reader::new("problems", "Mistakes in your settings", lines, Some(all.join("\n")))
}
