//! The one grammar of every filter line. Words must all be found; terms such as `state:paused` must all hold; quotes keep a
//! phrase together; `NOT` before one turns it round, `OR` stands between what may be either and binds least. What
//! means nothing, or not what it seems to, is told, never silently taken for something else. Pure text; which terms a list
//! has, and what fits them, the list says. [`keys`] and [`arrivals`]: the terms of keys, and of
//! requests as they arrive.

pub mod arrivals;
pub mod keys;

use super::name::plain;

/// The terms one kind of list knows.
pub trait Term: Sized + PartialEq {
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
        let mut filter = Self::default();
        let (mut all, mut wanted, mut joined) = (Vec::new(), true, true);
        let parts = parts(text);
        if text.matches('"').count() % 2 == 1 {
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
                "OR" if all.is_empty() && joined => filter.tell(EITHER),
                "OR" => {
                    filter.either.push(std::mem::take(&mut all));
                    joined = true;
                }
                part => {
                    match read(part) {
                        Ok(Some(what)) => all.push(Test { wanted, what }),
                        Ok(None) => {}
                        Err(mistake) => filter.mistakes.push(mistake),
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
        filter.either.push(all);
        // What held nothing but a mistake must not let everything through.
        filter.either.retain(|all| !all.is_empty());
        filter
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

const SMALL_NOT: &str =
    "not is looked for as a word; write NOT to turn round what follows, \"not\" for the word";
const SMALL_OR: &str =
    "or is looked for as a word; write OR between two of which one is enough, \"or\" for the word";
const BRACKETS: &str = "brackets group nothing here and are looked for as text; put them in quotes";
const EITHER: &str = "OR stands between two; write \"OR\" to look for the word";

fn reveals<T: Term>(all: &[Test<T>]) -> bool {
    all.iter().any(|test| test.wanted && matches!(&test.what, What::Term(term) if term.reveals()))
}

/// The line in its parts, the quotes still in them.
fn parts(text: &str) -> Vec<String> {
    let (mut all, mut part, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        quoted ^= c == '"';
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

/// What one part means; `None` when nothing is left of it, or what is wrong with it.
fn read<T: Term>(part: &str) -> Result<Option<What<T>>, String> {
    let word = || {
        let word = plain(&part.replace('"', ""));
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
    let value = plain(&rest.get(1..).unwrap_or_default().replace('"', ""));
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

    proptest! {
        #[test]
        fn no_line_is_too_odd_to_be_read(text in "[a-zNOTR:<>\" é日0-9]{0,24}") {
            let filter = Filter::<Number>::parse(&text);
            let _ = filter.lets(false, "anything", |_| true);
        }
    }
}
