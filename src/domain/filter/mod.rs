//! The one grammar of every filter line. Words must all be found; terms such as `state:paused` must all hold; quotes keep a
//! phrase together, and `\"` is a quote itself; `NOT` before one turns it round, `OR` stands between what may be either and binds least. What
//! means nothing, or not what it seems to, is told, never silently taken for something else. Pure text; which terms a list
//! has, and what fits them, the list says. [`keys`] and [`arrivals`]: the terms of keys, and of
//! requests as they arrive. [`caller`]: where somebody calls from.

pub mod arrivals;
pub mod caller;
pub mod keys;

use super::name::plain;

/// The terms one kind of list knows.
pub trait Term: Sized + PartialEq + Clone {
    /// Terms as they may be typed, for an empty line.
    const EXAMPLES: &'static str;
    /// The fields there are, for who names another.
    const FIELDS: &'static str;

    /// Reads a term of a known field: what it means, or in words what it needs. `field` is in lower case, `sign` one of
    /// `:` `<` `>`, `value` as [`plain`] has it. `None` when there is no such field.
    fn read(field: &str, sign: char, value: String) -> Option<Result<Self, String>>;

    /// A word that is a term by itself.
    fn bare(_word: &str) -> Option<Self> {
        None
    }

    /// Whether it asks for rows that are out of sight unless somebody does.
    fn reveals(&self) -> bool {
        false
    }
}

/// Of rows that have names and nothing else to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoTerm {}

impl Term for NoTerm {
    const EXAMPLES: &'static str = "type to find";
    const FIELDS: &'static str = "";

    fn read(_: &str, _: char, _: String) -> Option<Result<Self, String>> {
        None
    }
}

/// A filter line, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter<T> {
    /// One of these must hold, if there are any.
    either: Vec<Vec<Test<T>>>,
    /// What is wrong with parts that were left out or may be meant otherwise, in words.
    pub mistakes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Test<T> {
    wanted: bool,
    what: What<T>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What<T> {
    Word(String),
    Term(T),
}

impl<T> Default for Filter<T> {
    fn default() -> Self {
        Self { either: Vec::new(), mistakes: Vec::new() }
    }
}

impl<T: Term> Filter<T> {
    /// Reads a line. What cannot be read is left out and told as a mistake.
    pub fn parse(text: &str) -> Self {
        Self::parse_with(text, &|_| None)
    }

    /// The same, where `@stale` stands for the line that `named` knows by that name.
    pub fn parse_with<'n>(text: &str, named: &dyn Fn(&str) -> Option<&'n str>) -> Self {
        let mut filter = Self::default();
        // What stands between two OR: several, where a name stands for lines of which one is enough.
        let mut all: Vec<Vec<Test<T>>> = vec![Vec::new()];
        let (mut wanted, mut joined) = (true, true);
        let parts = parts(text);
        if text.replace(ESCAPED, "").matches('"').count() % 2 == 1 {
            filter.tell("the last \" is not closed, so all behind it is one phrase");
        }
        for (at, part) in parts.iter().enumerate() {
            match part.as_str() {
                // Who has not gone on behind them may still be typing a longer word.
                "not" if at + 1 < parts.len() => filter.tell(SMALL_NOT),
                "or" if at > 0 && at + 1 < parts.len() => filter.tell(SMALL_OR),
                part if part.starts_with('(') || (part.ends_with(')') && !part.contains('(')) => {
                    filter.tell(BRACKETS);
                }
                _ => {}
            }
            match part.as_str() {
                "NOT" => wanted = !wanted,
                "OR" if joined => filter.tell(EITHER),
                "OR" => {
                    filter.either.extend(std::mem::replace(&mut all, vec![Vec::new()]));
                    joined = true;
                }
                part => {
                    let called = part.strip_prefix('@').filter(|name| !name.is_empty());
                    match (called, called.and_then(named)) {
                        (_, Some(_)) if !wanted => filter.tell(NOT_NAMED),
                        (_, Some(line)) => all = filter.joined(all, Self::parse(line)),
                        (Some(name), None) => filter.mistakes.push(format!("no line is named @{name}")),
                        (None, None) => match read(part) {
                            Ok(Some(what)) => {
                                let test = Test { wanted, what };
                                for all in &mut all {
                                    all.push(test.clone());
                                }
                            }
                            Ok(None) => {}
                            Err(mistake) => filter.mistakes.push(mistake),
                        },
                    }
                    (wanted, joined) = (true, false);
                }
            }
        }
        if !wanted {
            filter.tell("NOT needs something behind it; write \"NOT\" to look for the word");
        }
        if joined && !filter.either.is_empty() {
            filter.tell(EITHER);
        }
        filter.either.extend(all);
        // What held nothing but a mistake must not let everything through.
        filter.either.retain(|all| !all.is_empty());
        filter
    }

    /// What must hold of `all`, and one of `other` besides.
    fn joined(&mut self, all: Vec<Vec<Test<T>>>, other: Self) -> Vec<Vec<Test<T>>> {
        self.mistakes.extend(other.mistakes);
        if other.either.is_empty() {
            return all;
        }
        if all.len() * other.either.len() > MOST {
            self.tell("too many names at once");
            return all;
        }
        let both = |one: &Vec<Test<T>>| {
            let one = one.clone();
            other.either.iter().map(move |other| one.iter().chain(other).cloned().collect())
        };
        all.iter().flat_map(both).collect()
    }

    fn tell(&mut self, mistake: &str) {
        self.mistakes.push(mistake.to_owned());
    }

    /// Whether it asks for nothing at all.
    pub const fn is_empty(&self) -> bool {
        self.either.is_empty()
    }

    /// Whether texts of the rows are looked at.
    pub fn has_words(&self) -> bool {
        self.either.iter().flatten().any(|test| matches!(test.what, What::Word(_)))
    }

    /// Whether it asks for rows that are out of sight otherwise.
    pub fn reveals(&self) -> bool {
        self.either.iter().any(|all| reveals(all))
    }

    /// Whether a row is among those asked for. `hidden` when it is out of sight unless asked for; `text` is what words are
    /// looked for in, as [`plain`] has it, and needed only when there are any; `fits` judges a term.
    pub fn lets(&self, hidden: bool, text: &str, fits: impl Fn(&T) -> bool) -> bool {
        let holds = |test: &Test<T>| {
            test.wanted
                == match &test.what {
                    What::Word(word) => text.contains(word.as_str()),
                    What::Term(term) => fits(term),
                }
        };
        if self.either.is_empty() {
            return !hidden;
        }
        self.either.iter().any(|all| (!hidden || reveals(all)) && all.iter().all(holds))
    }
}

/// A quote that is meant.
const ESCAPED: &str = "\\\"";

const SMALL_NOT: &str =
    "not is looked for as a word; write NOT to turn round what follows, \"not\" for the word";
const SMALL_OR: &str =
    "or is looked for as a word; write OR between two of which one is enough, \"or\" for the word";
const BRACKETS: &str = "brackets group nothing here and are looked for as text; put them in quotes";
const NOT_NAMED: &str = "NOT turns one word or term round, and a name may stand for several; write them out";
/// Of so many lines one may be enough.
const MOST: usize = 256;
const EITHER: &str = "OR stands between two; write \"OR\" to look for the word";

fn reveals<T: Term>(all: &[Test<T>]) -> bool {
    all.iter().any(|test| test.wanted && matches!(&test.what, What::Term(term) if term.reveals()))
}

/// The line in its parts, the quotes still in them.
fn parts(text: &str) -> Vec<String> {
    let (mut all, mut part, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        quoted ^= c == '"' && !part.ends_with('\\');
        if c.is_whitespace() && !quoted {
            all.push(std::mem::take(&mut part));
        } else {
            part.push(c);
        }
    }
    all.push(part);
    all.retain(|part| !part.is_empty());
    all
}

/// The part that is being written, at the end of a line; empty behind a blank.
pub fn last_part(text: &str) -> &str {
    let (mut start, mut quoted, mut before) = (0, false, ' ');
    for (at, c) in text.char_indices() {
        quoted ^= c == '"' && before != '\\';
        if c.is_whitespace() && !quoted {
            start = at + c.len_utf8();
        }
        before = c;
    }
    text.get(start..).unwrap_or_default()
}

/// What stands in a part without its quotes.
fn unquoted(part: &str) -> String {
    let meant = part.split(ESCAPED).map(|between| between.replace('"', ""));
    meant.collect::<Vec<_>>().join("\"")
}

/// A value as it has to be written to be read as it is.
pub fn quoted(value: &str) -> String {
    let odd = |c: char| c.is_whitespace() || matches!(c, '"' | '(' | ')');
    if !value.is_empty() && !value.contains(odd) {
        return value.to_owned();
    }
    // A backslash at the end would make a quote of the one that closes.
    let inside = value.trim_end_matches('\\');
    let after = value.get(inside.len()..).unwrap_or_default();
    format!("\"{}\"{after}", inside.replace('"', ESCAPED))
}

/// What one part means; `None` when nothing is left of it, or what is wrong with it.
fn read<T: Term>(part: &str) -> Result<Option<What<T>>, String> {
    let word = || {
        let word = plain(&unquoted(part));
        if word.is_empty() { None } else { Some(T::bare(part).map_or(What::Word(word), What::Term)) }
    };
    let Some(at) = part.find([':', '<', '>']).filter(|at| *at > 0) else { return Ok(word()) };
    let (field, rest) = part.split_at(at);
    // Anything else with a colon is a text somebody looks for, such as a time or an address.
    if !field.bytes().all(|b| b.is_ascii_alphabetic()) || rest.starts_with("://") {
        return Ok(word());
    }
    let field = field.to_ascii_lowercase();
    let sign = rest.chars().next().unwrap_or(':');
    let value = plain(&unquoted(rest.get(1..).unwrap_or_default()));
    match T::read(&field, sign, value) {
        Some(term) => term.map(|term| Some(What::Term(term))),
        None => {
            let known = if T::FIELDS.is_empty() { "words" } else { T::FIELDS };
            Err(format!("there is no filter {field}{sign} here, only {known}"))
        }
    }
}

/// Adds a text to what words are looked for in. Of a hundred thousand names most are plain already, and cost nothing to be
/// made so.
pub fn push_plain(room: &mut String, text: &str) {
    if text.is_ascii() {
        room.extend(text.chars().map(|c| c.to_ascii_lowercase()));
    } else {
        room.push_str(&plain(text));
    }
}

/// What is wrong with a term that needs something else.
pub fn needs<T>(field: &str, sign: char, what: &str) -> Result<T, String> {
    Err(format!("{field}{sign} needs {what}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rows are numbers here: `over:3`, `is:even`; negative ones are out of sight.
    #[derive(Clone, Debug, PartialEq, Eq)]
    enum Number {
        Over(i32),
        Even,
        Negative,
    }

    impl Term for Number {
        const EXAMPLES: &'static str = "over:3";
        const FIELDS: &'static str = "over: is:";

        fn read(field: &str, sign: char, value: String) -> Option<Result<Self, String>> {
            Some(match (field, value.as_str()) {
                ("over", value) => value.parse().map(Self::Over).or_else(|_| needs(field, sign, "a number")),
                ("is", "even") => Ok(Self::Even),
                ("is", _) => needs(field, sign, "even"),
                _ => return None,
            })
        }

        fn bare(word: &str) -> Option<Self> {
            (word == "negative").then_some(Self::Negative)
        }

        fn reveals(&self) -> bool {
            *self == Self::Negative
        }
    }

    fn among(line: &str) -> Vec<i32> {
        let filter = Filter::<Number>::parse(line);
        let fits = |n: i32, term: &Number| match term {
            Number::Over(least) => n > *least,
            Number::Even => n % 2 == 0,
            Number::Negative => n < 0,
        };
        (-2..=12).filter(|n| filter.lets(*n < 0, &n.to_string(), |term| fits(*n, term))).collect()
    }

    #[test]
    fn not_and_or_mean_what_they_say() {
        assert_eq!(among("NOT is:even over:6"), [7, 9, 11]);
        assert_eq!(among("over:11 OR 3"), [3, 12]);
        assert_eq!(among("over:8 NOT is:even OR NOT over:0"), [0, 9, 11]);
        assert_eq!(among("NOT NOT over:11"), [12]);
        assert_eq!(among("1 NOT 0"), [1, 11, 12]);
        assert!(among("\"not\" over:3").is_empty(), "a small word is a word");
        assert!(among("\"NOT\" over:3").is_empty(), "and so is what stands in quotes");
    }

    #[test]
    fn what_is_out_of_sight_comes_only_where_it_is_asked_for() {
        assert_eq!(among("NOT over:0"), [0]);
        assert_eq!(among("negative"), [-2, -1]);
        assert_eq!(among("over:11 OR negative is:even"), [-2, 12]);
        assert_eq!(among("NOT negative is:even over:9"), [10, 12]);
    }

    #[test]
    fn mistakes_are_told_and_let_nothing_else_through() {
        for (line, said) in [
            ("NOT", "NOT needs something behind it"),
            ("over:3 NOT", "NOT needs something behind it"),
            ("OR over:3", "OR stands between two"),
            ("over:3 OR", "OR stands between two"),
            ("over:3 OR OR is:even", "OR stands between two"),
            ("over:x", "over: needs a number"),
            ("NOT is:odd", "is: needs even"),
            ("colour:red", "there is no filter colour: here, only over: is:"),
        ] {
            let filter = Filter::<Number>::parse(line);
            assert!(
                filter.mistakes.iter().any(|told| told.starts_with(said)),
                "{line}: {:?}",
                filter.mistakes
            );
        }
        assert_eq!(among("colour:red OR over:11"), [12]);
        assert_eq!(among("colour:red").len(), 13);
    }

    #[test]
    fn what_looks_like_grammar_and_is_none_is_told_and_not_silently_looked_for() {
        let told = |line: &str| Filter::<Number>::parse(line).mistakes;
        for (line, said) in [
            ("not is:even", "not is looked for as a word; write NOT"),
            ("over:11 or 3", "or is looked for as a word; write OR"),
            ("\"two words", "the last \" is not closed"),
            ("over:3 \"", "the last \" is not closed"),
            ("(over:3 OR is:even)", "brackets group nothing here"),
            ("over:3 ( 4 )", "brackets group nothing here"),
        ] {
            assert!(told(line).iter().any(|told| told.starts_with(said)), "{line}: {:?}", told(line));
        }
        for line in
            ["not", "3 or", "or", "north", "\"not\" 3", "3 \"or\" 4", "\"(old)\"", "till(2)", "\"(a\" \"b)\""]
        {
            assert!(told(line).is_empty(), "{line}: {:?}", told(line));
        }
    }

    #[test]
    fn quotes_keep_together_and_colons_may_be_text() {
        let filter = Filter::<Number>::parse(r#""two words" https://example.com 10:30 ":""#);
        assert!(filter.mistakes.is_empty() && filter.has_words());
        assert!(filter.lets(false, "two words\nhttps://example.com 10:30 :", |_| false));
        assert!(!filter.lets(false, "words two https://example.com 10:30 :", |_| false));
    }

    #[test]
    fn a_name_stands_for_its_line_as_if_that_stood_in_brackets() {
        let named = |name: &str| match name {
            "edge" => Some("1 OR 12"),
            "even" => Some("is:even"),
            "wrong" => Some("is:odd"),
            _ => None,
        };
        let filter = |line: &str| Filter::<Number>::parse_with(line, &named);
        let among = |line: &str| -> Vec<i32> {
            let fits = |n: i32, term: &Number| match term {
                Number::Over(least) => n > *least,
                Number::Even => n % 2 == 0,
                Number::Negative => n < 0,
            };
            (0..=12).filter(|n| filter(line).lets(false, &n.to_string(), |term| fits(*n, term))).collect()
        };
        assert_eq!(among("@edge @even"), [10, 12]);
        assert_eq!(among("@even over:9 OR 3"), [3, 10, 12]);
        assert_eq!(among("@edge NOT 0"), [1, 11, 12]);
        for (line, said) in [("NOT @edge", "NOT turns one"), ("@wrong", "is: needs even")] {
            assert!(filter(line).mistakes.iter().any(|told| told.starts_with(said)), "{line}");
        }
        assert_eq!(filter("@nobody").mistakes, ["no line is named @nobody"]);
        let many = ["@edge"; 12].join(" ");
        assert_eq!(filter(&many).mistakes.last().unwrap(), "too many names at once");
    }

    #[test]
    fn a_quote_that_is_meant_is_written_with_a_backslash() {
        let filter = Filter::<Number>::parse(r#""bob \"the\" key" c:\keys"#);
        assert_eq!(filter.mistakes, ["there is no filter c: here, only over: is:"]);
        assert!(filter.lets(false, "bob \"the\" key", |_| false));
        assert!(!filter.lets(false, "bob the key", |_| false));
        assert!(Filter::<Number>::parse(r#"bob \"the"#).mistakes.is_empty());
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_read_as_it_was(value in "[a-z \"\\\\é()]{0,12}") {
            let value = plain(&value);
            let line = format!("before {} after", quoted(&value));
            prop_assert_eq!(last_part(line.trim_end_matches(" after")), quoted(&value));
            prop_assert_eq!(parts(&line).get(1).map(|part| unquoted(part)), Some(value));
        }

        #[test]
        fn no_line_is_too_odd_to_be_read(text in "[a-zNOTR:<>\" é日0-9]{0,24}") {
            let filter = Filter::<Number>::parse(&text);
            let _ = filter.lets(false, "anything", |_| true);
        }
    }
}
