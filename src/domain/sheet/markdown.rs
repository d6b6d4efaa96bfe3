//! Tables as Markdown writes them (GitHub Flavored Markdown, "Tables"): bars between the cells, a line of dashes under the
//! heading.

use super::Row;

/// The rows of such a table without the line of dashes, each with its line; `None` for any other text.
pub(super) fn rows(text: &str) -> Option<Vec<Row>> {
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let (line, heading) = lines.next().filter(|(_, line)| line.contains('|'))?;
    let heading = cells(heading);
    let (_, dashes) = lines.next()?;
    let dashes = cells(dashes);
    if dashes.len() != heading.len() || !dashes.iter().all(|cell| is_dashes(cell)) {
        return None;
    }
    Some([(line, heading)].into_iter().chain(lines.map(|(line, row)| (line, cells(row)))).collect())
}

fn is_dashes(cell: &str) -> bool {
    let cell = cell.strip_prefix(':').unwrap_or(cell);
    let cell = cell.strip_suffix(':').unwrap_or(cell);
    !cell.is_empty() && cell.bytes().all(|b| b == b'-')
}

/// The cells of a row; bars at its ends are its frame.
fn cells(row: &str) -> Vec<String> {
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    let (mut cells, mut cell, mut escaped) = (Vec::new(), String::new(), false);
    for c in row.chars() {
        match c {
            '|' if escaped => {
                cell.pop();
                cell.push(c);
            }
            '|' => cells.push(std::mem::take(&mut cell)),
            _ => cell.push(c),
        }
        escaped = c == '\\' && !escaped;
    }
    if !cell.trim().is_empty() || !row.ends_with('|') {
        cells.push(cell);
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}
