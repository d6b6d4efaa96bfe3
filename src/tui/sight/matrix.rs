//! Several keys side by side as lines of text: a number for each key, a sign for each scope of it, and counts at the ends. On the
//! command line as in the console.

use crate::domain::review::matrix::count;
use crate::domain::review::{Grant, Matrix};
use crate::tui::widgets::text;

/// Cells of a column: a number of two digits and a space before it.
const COLUMN: usize = 3;

/// The lines; so many keys stand beside each other, the next ones below.
pub fn lines(matrix: &Matrix<'_>, beside: usize) -> Vec<String> {
    let mut all: Vec<String> = matrix
        .keys
        .iter()
        .enumerate()
        .map(|(at, key)| {
            let (granted, needed) = matrix.column(at);
            let unknown = matrix.rows.iter().filter(|(_, grants)| grants.get(at) == Some(&Grant::Unknown));
            let said = match unknown.count() {
                0 => format!("{needed} of {granted} needed"),
                all if all == granted => format!("how many of {granted} were needed is not known"),
                some => format!("{needed} of {granted} needed, {some} not known"),
            };
            format!("{:>2}  {}  {}: {said}", at + 1, key.name, key.hint())
        })
        .collect();
    let widest = matrix.rows.iter().map(|(scope, _)| text::width(scope.as_str())).max().unwrap_or_default();
    let keys: Vec<usize> = (0..matrix.keys.len()).collect();
    for some in keys.chunks(beside.max(1)) {
        all.push(String::new());
        let heads = some.iter().map(|at| format!("{:>COLUMN$}", at + 1)).collect::<Vec<_>>().concat();
        all.push(format!("{:widest$}{heads}", ""));
        for (scope, grants) in &matrix.rows {
            let signs = some.iter().filter_map(|at| grants.get(*at));
            let signs = signs.map(|grant| format!("{:>COLUMN$}", grant.sign())).collect::<Vec<_>>().concat();
            let (granted, needed) = count(grants);
            let known = grants.iter().any(|grant| matches!(grant, Grant::Needed | Grant::Unneeded));
            let needed = if known { needed.to_string() } else { Grant::Unknown.sign().to_string() };
            all.push(format!("{:widest$}{signs}  {needed}/{granted}", scope.as_str()));
        }
    }
    all.push(String::new());
    let signs = Grant::ALL.map(|grant| format!("{} {}", grant.sign(), grant.word()));
    all.push(format!("{}; at the end needed/granted", signs.join("  ")));
    all
}
