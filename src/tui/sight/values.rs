//! What may stand behind a field of a filter line: whose, where, which scopes and states. For whoever writes it; what is asked
//! for besides is found as well.

use super::seen::Seen;
use crate::domain::filter::keys::Wanted;

/// Times one asks for.
const TIMES: [&str; 4] = ["1d", "7d", "30d", "90d"];

/// Of a field of a filter for keys.
pub fn of_keys(field: &str, sign: char, seen: &Seen<'_>) -> Vec<String> {
    let fixed = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match (field, sign) {
        ("owner", ':') => owners(seen),
        ("scope", ':') => scopes(seen),
        ("at" | "location", ':') => {
            let open = seen.state().locations().filter(|at| at.is_open()).map(|at| at.name.to_string());
            let apps = seen.view.apps().into_iter().filter(|app| !app.is_deleted());
            open.chain(apps.map(|app| app.name.to_string())).collect()
        }
        ("state" | "is", ':') => Wanted::words().map(str::to_owned).collect(),
        ("expires" | "used", ':') => fixed(&["never"]),
        ("expires" | "used" | "created" | "idle", '<' | '>') => fixed(&TIMES),
        _ => Vec::new(),
    }
}

/// Whose keys and apps are seen.
pub fn owners(seen: &Seen<'_>) -> Vec<String> {
    seen.view.operators().into_iter().map(|owner| owner.name.to_string()).collect()
}

/// All scopes there are.
pub fn scopes(seen: &Seen<'_>) -> Vec<String> {
    seen.catalog.permissions().map(|scope| scope.id.to_string()).collect()
}
