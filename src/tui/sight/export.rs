//! Keys as a table for other programs: what they are, whose, and how they stand. No secret is known to be in it.

use crate::domain::sheet::row;
use crate::domain::{Key, ScopeId, Timestamp, View};

const COLUMNS: [&str; 11] = [
    "id",
    "name",
    "hint",
    "kind",
    "place",
    "owner",
    "state",
    "scopes",
    "created_at",
    "last_used_at",
    "expires_at",
];

/// Comma-separated with a heading, harmless in a spreadsheet.
///
/// # Errors
/// Why it could not be written, in words.
pub fn csv<'k>(
    keys: impl IntoIterator<Item = &'k Key>,
    view: View<'_>,
    now: Timestamp,
) -> Result<String, String> {
    let line = |fields: [String; COLUMNS.len()]| row(fields).map_err(|error| error.to_string());
    let mut text = line(COLUMNS.map(str::to_owned))?;
    for key in keys {
        let at = |at: Option<Timestamp>| at.map_or_else(String::new, Timestamp::rfc3339);
        text.push_str(&line([
            key.id.to_string(),
            key.name.to_string(),
            key.hint(),
            key.place.kind().to_owned(),
            view.place_name(key.place).unwrap_or_default().to_owned(),
            view.owner_name(key).to_owned(),
            // To a program that reads this it is none that works.
            if key.is_laid() { "decoy".to_owned() } else { key.state(now).to_string() },
            key.scopes.iter().map(ScopeId::as_str).collect::<Vec<_>>().join(" "),
            key.created_at.rfc3339(),
            at(view.usage(key).last_used_at),
            at(key.expiry.instant()),
        ])?);
    }
    Ok(text)
}
