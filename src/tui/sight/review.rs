//! What a review says of a key or an app, for people: how much weighs against it as a bar, and its scopes with the days on
//! which they were needed. On the command line as in the console.

use crate::domain::history::Picture;
use crate::domain::review::{About, Kept, Reviewer};
use crate::domain::{LastUse, ScopeId, Timestamp};

use super::usage;

/// The risk that fills the bar.
const FULL: u16 = 100;

/// Half a cell for each ten, five cells at most.
pub fn bar(risk: u16) -> String {
    let halves = usize::from(risk.min(FULL)).div_ceil(10);
    let half = if halves % 2 == 1 { "▌" } else { "" };
    format!("{}{half}", "█".repeat(halves / 2))
}

/// What is said of a kept key: `kept by maria because …: never used in 62 d`.
pub fn kept_words(kept: &Kept, by: Reviewer<'_>, said: &str) -> String {
    format!("kept by {} because {}: {said}", by.view.name_of(kept.word.by), kept.why)
}

/// How many of its scopes were needed: `?` where nobody knows.
pub fn needed(about: &About<'_>) -> String {
    about.needed_count().map_or_else(|| "?".to_owned(), |count| count.to_string())
}

/// One scope of what is reviewed.
pub struct ScopeLine<'a> {
    pub scope: &'a ScopeId,
    /// The days on which it was needed, where its history is read and requests say what they need.
    pub days: Option<String>,
    /// When it was needed last, in words.
    pub last: String,
    /// No request has needed it, for certain.
    pub is_unneeded: bool,
    /// It does great harm in the wrong hands.
    pub is_admin: bool,
}

/// All its scopes, what could go first, the worst of it before the rest; days in so many cells.
pub fn scopes<'a>(
    by: Reviewer<'a>,
    about: &About<'a>,
    picture: Option<&Picture>,
    cells: usize,
    ago: impl Fn(Timestamp) -> String,
) -> Vec<ScopeLine<'a>> {
    let picture = picture.filter(|_| about.needed_count().is_some());
    let line = |scope: &'a ScopeId| {
        let last = about.needed(scope);
        let days = picture.map(|picture| {
            let known = picture.scopes.iter().find(|known| known.scope == *scope);
            usage::needed(known.map_or(&[][..], |known| &known.days), &picture.days, cells)
        });
        ScopeLine {
            scope,
            days,
            last: last.map_or_else(String::new, |last| last.brief(&ago)),
            is_unneeded: last == Some(LastUse::Never),
            is_admin: by.is_admin(scope),
        }
    };
    let mut all: Vec<_> = about.scopes.iter().map(line).collect();
    all.sort_by_key(|line| (!line.is_unneeded, !line.is_admin));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_grows_by_half_a_cell_and_ends() {
        let told = [0, 5, 10, 11, 70, 100, 900].map(bar);
        assert_eq!(told, ["", "▌", "▌", "█", "███▌", "█████", "█████"]);
    }
}
