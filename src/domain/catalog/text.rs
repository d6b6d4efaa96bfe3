//! Text people will read, and names people mistype: hidden characters and the nearest valid name.
//!
//! Pure functions on strings; they know nothing of catalogs.

/// The first character that a terminal would obey or hide instead of showing it: Unicode categories Cc
/// (controls), Cf (format: bidirectional overrides, zero-width joiners, tags), Zl and Zp (line and paragraph
/// separators). A title with one of these can look like another title.
pub(crate) fn hidden_character(text: &str) -> Option<char> {
    text.chars().find(|c| {
        c.is_control()
            || matches!(
                *c,
                '\u{ad}'
                    | '\u{600}'..='\u{605}'
                    | '\u{61c}'
                    | '\u{6dd}'
                    | '\u{70f}'
                    | '\u{890}'..='\u{891}'
                    | '\u{8e2}'
                    | '\u{180e}'
                    | '\u{200b}'..='\u{200f}'
                    | '\u{2028}'..='\u{202e}'
                    | '\u{2060}'..='\u{2064}'
                    | '\u{2066}'..='\u{206f}'
                    | '\u{feff}'
                    | '\u{fff9}'..='\u{fffb}'
                    | '\u{110bd}'
                    | '\u{110cd}'
                    | '\u{13430}'..='\u{1343f}'
                    | '\u{1bca0}'..='\u{1bca3}'
                    | '\u{1d173}'..='\u{1d17a}'
                    | '\u{e0001}'
                    | '\u{e0020}'..='\u{e007f}'
            )
    })
}

/// Names longer than this are not typing mistakes of ours; comparing them would only cost time.
const LONGEST_COMPARED: usize = 64;

/// The candidate nearest to a mistyped name, if one is near enough to be what was meant: at most one mistake
/// in each three letters, and four in all. A mistake is a letter added, left out, changed, or swapped with its
/// neighbour. Case does not count. Of equally near ones, the first.
pub(crate) fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if typed.len() > LONGEST_COMPARED {
        return None;
    }
    let typed: Vec<char> = typed.trim().chars().map(|c| c.to_ascii_lowercase()).collect();
    let allowed = (typed.len() / 3).clamp(1, 4);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let limit = best.map_or(allowed + 1, |(distance, _)| distance);
        if candidate.len() > LONGEST_COMPARED || typed.len().abs_diff(candidate.chars().count()) >= limit {
            continue;
        }
        let distance = mistakes(&typed, candidate);
        if distance < limit {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Optimal string alignment distance (Damerau 1964, restricted): three rows instead of the whole table.
fn mistakes(typed: &[char], candidate: &str) -> usize {
    let candidate: Vec<char> = candidate.chars().map(|c| c.to_ascii_lowercase()).collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=candidate.len()).collect();
    let mut left_typed: Option<char> = None;
    for (row, &t) in typed.iter().enumerate() {
        let mut current = Vec::with_capacity(last.len());
        let mut left = row + 1;
        current.push(left);
        let mut left_candidate: Option<char> = None;
        for (column, &c) in candidate.iter().enumerate() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut cost =
                (cell(&last, column) + usize::from(t != c)).min(cell(&last, column + 1) + 1).min(left + 1);
            if left_typed == Some(c) && left_candidate == Some(t) && column > 0 {
                cost = cost.min(cell(&before_last, column - 1) + 1);
            }
            current.push(cost);
            left = cost;
            left_candidate = Some(c);
        }
        before_last = std::mem::replace(&mut last, current);
        left_typed = Some(t);
    }
    last.last().copied().unwrap_or(0)
}

/// The end of a message that knows a better name: ` Did you mean contacts.read?`, or nothing.
pub(crate) fn did_you_mean(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(" Did you mean {name}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_counted_as_a_typist_would() {
        for (typed, meant, count) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("read", "read", 0),
            ("raed", "read", 1),
            ("red", "read", 1),
            ("reead", "read", 1),
            ("rexd", "read", 1),
            ("daer", "read", 3),
            ("kitten", "sitting", 3),
            ("ca", "abc", 3),
        ] {
            assert_eq!(mistakes(&typed.chars().collect::<Vec<_>>(), meant), count, "{typed} {meant}");
        }
    }

    #[test]
    fn the_nearest_name_is_offered_only_when_it_is_near() {
        let names = ["contacts.read", "contacts.write", "calendars.read"];
        assert_eq!(nearest("contact.read", names), Some("contacts.read"));
        assert_eq!(nearest("CONTACTS.WRITE", names), Some("contacts.write"));
        assert_eq!(nearest("calendar.raed", names), Some("calendars.read"));
        assert_eq!(nearest("payments.refund", names), None);
        assert_eq!(nearest("x", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(
            nearest("employees.schedule-export", ["employees.schedule-write"]),
            None,
            "a long name excuses no more than four mistakes"
        );
        assert_eq!(nearest(&"contacts.read".repeat(100), names), None);
    }

    #[test]
    fn characters_that_deceive_are_found_and_letters_of_any_script_are_not() {
        for c in [
            '\0',
            '\u{1b}',
            '\n',
            '\u{85}',
            '\u{ad}',
            '\u{200d}',
            '\u{202e}',
            '\u{2066}',
            '\u{e0041}',
            '\u{2028}',
        ] {
            assert_eq!(hidden_character(&format!("Read{c} contacts")), Some(c));
        }
        for text in
            ["Read contacts", "Kontakte lesen – Ä", "連絡先を読む", "قراءة", "हिन्दी", "€ 5 “quoted” ★"]
        {
            assert_eq!(hidden_character(text), None, "{text}");
        }
    }
}
