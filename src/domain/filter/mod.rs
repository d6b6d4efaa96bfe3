//! The one grammar of every filter line. Words must all be found; terms such as `state:paused` must all hold; quotes keep a
//! phrase together, and `\"` is a quote itself; `NOT` before one turns it round, `OR` stands between what may be either and binds least,
//! brackets hold together what is inside. What
//! means nothing, or not what it seems to, is told, never silently taken for something else. Pure text; which terms a list
//! has, and what fits them, the list says. [`keys`] and [`arrivals`]: the terms of keys, and of
//! requests as they arrive. [`caller`]: where somebody calls from. `read`: how a line is read.

pub mod arrivals;
pub mod caller;
pub mod keys;
mod read;

pub use self::read::{last_part, quoted};
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
    /// What must hold, if anything.
    root: Option<Node<T>>,
    /// What is wrong with parts that were left out or may be meant otherwise, in words.
    pub mistakes: Vec<String>,
}

/// What must hold. Only words and terms are turned round: what stands in brackets behind a `NOT` is by what is inside.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node<T> {
    Test(Test<T>),
    All(Vec<Self>),
    Any(Vec<Self>),
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
        Self { root: None, mistakes: Vec::new() }
    }
}

impl<T: Term> Filter<T> {
    /// Reads a line. What cannot be read is left out and told as a mistake.
    pub fn parse(text: &str) -> Self {
        Self::parse_with(text, &|_| None)
    }

    /// The same, where `@stale` stands for the line that `named` knows by that name, as if that stood in brackets.
    pub fn parse_with<'n>(text: &str, named: &dyn Fn(&str) -> Option<&'n str>) -> Self {
        let (root, mistakes) = read::line(text, named);
        Self { root, mistakes }
    }

    /// Whether it asks for nothing at all.
    pub const fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// Whether texts of the rows are looked at.
    pub fn has_words(&self) -> bool {
        self.root.as_ref().is_some_and(|root| root.any_test(&|test| matches!(test.what, What::Word(_))))
    }

    /// Whether it asks for rows that are out of sight otherwise.
    pub fn reveals(&self) -> bool {
        self.root.as_ref().is_some_and(|root| root.any_test(&Test::reveals))
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
        match &self.root {
            None => !hidden,
            Some(root) => root.judge(hidden, &holds).is_some_and(|reveals| reveals || !hidden),
        }
    }
}

impl<T: Term> Test<T> {
    fn reveals(&self) -> bool {
        self.wanted && matches!(&self.what, What::Term(term) if term.reveals())
    }
}

impl<T: Term> Node<T> {
    /// All of these together.
    fn all(nodes: Vec<Self>) -> Self {
        let flat = |node| if let Self::All(inside) = node { inside } else { vec![node] };
        let mut nodes: Vec<Self> = nodes.into_iter().flat_map(flat).collect();
        if nodes.len() == 1 { nodes.remove(0) } else { Self::All(nodes) }
    }

    /// One of these, where there are any.
    fn any(nodes: impl Iterator<Item = Self>) -> Option<Self> {
        let flat = |node| if let Self::Any(inside) = node { inside } else { vec![node] };
        let mut nodes: Vec<Self> = nodes.flat_map(flat).collect();
        match nodes.len() {
            0 => None,
            1 => nodes.pop(),
            _ => Some(Self::Any(nodes)),
        }
    }

    /// The other way round.
    fn turned(self) -> Self {
        match self {
            Self::Test(test) => Self::Test(Test { wanted: !test.wanted, ..test }),
            Self::All(nodes) => Self::Any(nodes.into_iter().map(Self::turned).collect()),
            Self::Any(nodes) => Self::All(nodes.into_iter().map(Self::turned).collect()),
        }
    }

    fn any_test(&self, is: &impl Fn(&Test<T>) -> bool) -> bool {
        match self {
            Self::Test(test) => is(test),
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().any(|node| node.any_test(is)),
        }
    }

    /// Whether it holds, and then whether something of it that holds asks for rows that are out of sight.
    fn judge(&self, hidden: bool, holds: &impl Fn(&Test<T>) -> bool) -> Option<bool> {
        match self {
            Self::Test(test) => holds(test).then(|| hidden && test.reveals()),
            Self::All(nodes) => {
                let mut reveals = false;
                for node in nodes {
                    reveals |= node.judge(hidden, holds)?;
                }
                Some(reveals)
            }
            Self::Any(nodes) => {
                let mut found = None;
                for node in nodes {
                    if let Some(reveals) = node.judge(hidden, holds) {
                        if reveals || !hidden {
                            return Some(reveals);
                        }
                        found = Some(false);
                    }
                }
                found
            }
        }
    }
}

/// A quote that is meant.
const ESCAPED: &str = "\\\"";

/// What stands in a part without its quotes.
fn unquoted(part: &str) -> String {
    let meant = part.split(ESCAPED).map(|between| between.replace('"', ""));
    meant.collect::<Vec<_>>().join("\"")
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
        assert_eq!(among("(1 OR 2) over:3"), [10, 11, 12]);
        assert_eq!(among("1 OR 2 over:3"), [1, 10, 11, 12], "OR binds least");
        assert_eq!(among("NOT (over:3 OR is:even)"), [1, 3]);
        assert_eq!(among("NOT (over:3 (is:even OR 11)) over:8"), [9]);
        assert_eq!(among("((over:11) OR ((3)))"), [3, 12]);
        assert!(among("\"not\" over:3").is_empty(), "a small word is a word");
        assert!(among("\"NOT\" over:3").is_empty(), "and so is what stands in quotes");
    }

    #[test]
    fn what_is_out_of_sight_comes_only_where_it_is_asked_for() {
        assert_eq!(among("NOT over:0"), [0]);
        assert_eq!(among("negative"), [-2, -1]);
        assert_eq!(among("over:11 OR negative is:even"), [-2, 12]);
        assert_eq!(among("NOT negative is:even over:9"), [10, 12]);
        assert_eq!(among("(negative OR over:11) is:even"), [-2, 12]);
        assert_eq!(among("NOT (NOT negative)"), [-2, -1]);
        assert_eq!(among("NOT (negative OR over:1)"), [0, 1]);
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
            ("over:3 (is:even", "this ( is not closed; write \"(\" to look for it (at 8)"),
            ("over:3) is:even", "this ) closes nothing"),
            ("over:3 ()", "nothing stands in these brackets"),
            ("over:3 (is:odd OR 4)", "is: needs even (at 9)"),
            ("(over:3 OR)", "OR stands between two; write \"OR\" to look for the word (at 9)"),
            ("(over:3 NOT)", "NOT needs something behind it"),
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
        assert_eq!(among("NOT @edge over:8"), [9], "1 stands in 10 and 11");
        assert_eq!(filter("@wrong").mistakes, ["in @wrong: is: needs even"]);
        assert_eq!(filter("@nobody").mistakes, ["no line is named @nobody"]);
    }

    #[test]
    fn a_quote_that_is_meant_is_written_with_a_backslash() {
        let filter = Filter::<Number>::parse(r#""bob \"the\" key" c:\keys"#);
        assert_eq!(filter.mistakes, ["there is no filter c: here, only over: is: (at 19)"]);
        assert!(filter.lets(false, "bob \"the\" key", |_| false));
        assert!(!filter.lets(false, "bob the key", |_| false));
        assert!(Filter::<Number>::parse(r#"bob \"the"#).mistakes.is_empty());
    }

    proptest! {
        #[test]
        fn no_line_is_too_odd_to_be_read(text in "[a-zNOTR:<>()\" é日0-9]{0,24}") {
            let filter = Filter::<Number>::parse(&text);
            let _ = filter.lets(false, "anything", |_| true);
        }
    }
}
