//! What was found, as SARIF 2.1.0: what code hosts and editors read. No snippet, no secret.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::report::{Told, words};
use crate::crypto::scan::Kind;
use crate::engine::Whose;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// What a path keeps as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// One run with all of them.
pub fn log(told: &[Told<'_>]) -> Value {
    let rule = |kind: Kind| {
        json!({
            "id": rule_id(kind),
            "name": kind.code(),
            "shortDescription": { "text": format!("A keydeck {} in a file", kind.title()) },
            "help": { "text": "End or replace the secret first, then take it out: `keydeck key lost` or `keydeck key revoke`." },
            "defaultConfiguration": { "level": "error" },
        })
    };
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "keydeck",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": Kind::ALL.map(rule),
            } },
            "columnKind": "unicodeCodePoints",
            "results": told.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn rule_id(kind: Kind) -> String {
    format!("keydeck-{}", kind.code().replace('_', "-"))
}

fn result((found, whose): &Told<'_>) -> Value {
    // What opens nothing today is untidy; what nobody could be asked about is taken for the worst.
    let level = if whose.is_none_or(Whose::works) { "error" } else { "warning" };
    let known = whose.map_or_else(String::new, |whose| format!(": {}", words(whose, None)));
    let mut region = json!({ "startLine": found.place.line, "startColumn": found.place.column });
    if found.kind != Kind::Imported && !found.secret.contains(&b'\n') {
        region["endColumn"] = (found.place.column + found.secret.len()).into();
    }
    json!({
        "ruleId": rule_id(found.kind),
        "ruleIndex": Kind::ALL.iter().position(|kind| *kind == found.kind),
        "level": level,
        "message": { "text": format!("{} {}{known}", found.kind.title(), found.hint()) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&found.path) },
            "region": region,
        } }],
    })
}

/// A path as a reference: relative as it was named, or from the root.
fn uri(path: &str) -> String {
    let encoded = utf8_percent_encode(path.strip_prefix("./").unwrap_or(path), PATH).to_string();
    if path.starts_with('/') { format!("file://{encoded}") } else { encoded }
}
