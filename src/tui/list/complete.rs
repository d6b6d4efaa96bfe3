//! What a filter line may go on with: the fields there are, the values of one, filters that have a name. Tab takes the first.

use crate::domain::filter::{last_part, quoted};
use crate::domain::name::plain;

/// As many are offered.
const MOST: usize = 12;

/// What may stand in place of the last part of `line`, the likeliest first. `fields` are those of the list, `names` those of
/// its filters; `values` are asked for when a field is written.
pub fn offers(
    line: &str,
    fields: &str,
    names: impl Iterator<Item = String>,
    values: impl FnOnce(&str, char) -> Vec<String>,
) -> Vec<String> {
    let part = last_part(line);
    let sign = part.find([':', '<', '>']).filter(|at| *at > 0);
    let mut all: Vec<String> = match sign.and_then(|at| part.split_at_checked(at)) {
        _ if part.is_empty() => return Vec::new(),
        Some((field, rest)) => {
            let sign = rest.chars().next().unwrap_or(':');
            let written = plain(&rest.get(1..).unwrap_or_default().replace('"', ""));
            let mut fitting: Vec<(bool, String)> = values(&field.to_ascii_lowercase(), sign)
                .into_iter()
                .map(|value| (plain(&value), value))
                .filter(|(plain, _)| plain.contains(&written))
                .map(|(plain, value)| (!plain.starts_with(&written), value))
                .collect();
            fitting.sort();
            fitting.dedup();
            fitting.into_iter().map(|(_, value)| format!("{field}{sign}{}", quoted(&value))).collect()
        }
        None if part.starts_with('@') => {
            names.map(|name| format!("@{name}")).filter(|name| name.starts_with(part)).collect()
        }
        // Capitals are for NOT and OR.
        None => {
            fields.split_whitespace().filter(|field| field.starts_with(part)).map(str::to_owned).collect()
        }
    };
    all.retain(|offer| offer != part);
    all.truncate(MOST);
    all
}

/// The line with `offer` in place of its last part. A value is whole, and a field waits for one.
pub fn taken(line: &str, offer: &str) -> String {
    let before = line.strip_suffix(last_part(line)).unwrap_or(line);
    let open = offer.ends_with([':', '<', '>']);
    format!("{before}{offer}{}", if open { "" } else { " " })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(line: &str) -> Vec<String> {
        let names = ["stale", "leaving"].map(str::to_owned);
        offers(line, "scope: state: owner: note: used<", names.into_iter(), |field, sign| {
            match (field, sign) {
                ("owner", ':') => ["Maria Lopez", "jonas", "Łukasz"].map(str::to_owned).to_vec(),
                ("used", '<') => vec!["7d".into(), "30d".into()],
                _ => Vec::new(),
            }
        })
    }

    #[test]
    fn fields_then_their_values_then_nothing_more() {
        assert_eq!(offered("s"), ["scope:", "state:"]);
        assert_eq!(offered("berlin NOT ow"), ["owner:"]);
        assert_eq!(offered("owner:"), ["owner:\"Maria Lopez\"", "owner:jonas", "owner:Łukasz"]);
        assert_eq!(offered("OWNER:lu"), ["OWNER:Łukasz"]);
        assert_eq!(offered("owner:\"maria l"), ["owner:\"Maria Lopez\""]);
        assert_eq!(offered("owner:as"), ["owner:jonas", "owner:Łukasz"], "in it, not only at its beginning");
        assert_eq!(offered("used<3"), ["used<30d"]);
        assert_eq!(offered("(ow"), ["owner:"]);
        assert_eq!(offered("NOT (owner:jonas OR owner:as"), ["owner:jonas", "owner:Łukasz"]);
        assert_eq!(offered("@"), ["@stale", "@leaving"]);
        for line in [
            "",
            "(",
            "(sc)",
            "owner:jonas",
            "owner:jonas ",
            "colour:red",
            "used<30d",
            "10:30",
            "@stale",
            "zzz",
            "NOT",
        ] {
            assert!(offered(line).is_empty(), "{line}: {:?}", offered(line));
        }
    }

    #[test]
    fn what_is_taken_stands_in_place_of_the_part_that_was_begun() {
        assert_eq!(taken("berlin sc", "scope:"), "berlin scope:");
        assert_eq!(taken("berlin owner:\"ma", "owner:\"Maria Lopez\""), "berlin owner:\"Maria Lopez\" ");
        assert_eq!(taken("@st", "@stale"), "@stale ");
        assert_eq!(taken("x (sc", "scope:"), "x (scope:");
    }
}
