//! Reading a filter line: its parts, and what stands together. `NOT` binds most, then what stands side by side, `OR` least; brackets
//! hold together what is inside. What is wrong is told with where it stands, counted in characters from 1.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::{ESCAPED, Node, Term, Test, What, unquoted};
use crate::domain::name::plain;

const SMALL_NOT: &str =
    "not is looked for as a word; write NOT to turn round what follows, \"not\" for the word";
const SMALL_OR: &str =
    "or is looked for as a word; write OR between two of which one is enough, \"or\" for the word";
const NOT_ENDS: &str = "NOT needs something behind it; write \"NOT\" to look for the word";
const EITHER: &str = "OR stands between two; write \"OR\" to look for the word";
const OPEN: &str = "this ( is not closed; write \"(\" to look for it";
const CLOSED: &str = "this ) closes nothing; write \")\" to look for it";
const NOTHING: &str = "nothing stands in these brackets; write \"()\" to look for them";
const DEEP: &str = "brackets go no deeper than 16; what is inside of this one is left out";
const QUOTE: &str = "the last \" is not closed, so all behind it is one phrase";

/// Brackets within brackets: nobody writes so many, and what is sent by others must not lead down as deep as they like.
const DEEPEST: usize = 16;

/// What a line is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Lexeme {
    Open,
    Close,
    /// A word or a term, the quotes still in it.
    Part(String),
}

#[derive(Clone, Debug)]
struct Token {
    /// Where it begins, in bytes.
    start: usize,
    /// The same in characters, counted from 1.
    at: usize,
    what: Lexeme,
}

/// The line in its parts, and where a quote stands that is not closed.
fn tokens(text: &str) -> (Vec<Token>, Option<usize>) {
    let (mut all, mut part): (Vec<Token>, Option<Token>) = (Vec::new(), None);
    // Brackets within a word are text, as in `till(2)`.
    let (mut quote, mut within) = (None, 0_usize);
    for (number, (start, c)) in text.char_indices().enumerate() {
        let at = number + 1;
        let begun = match part.as_ref().map(|token| &token.what) {
            Some(Lexeme::Part(begun)) => begun.as_str(),
            _ => "",
        };
        if c == '"' && !begun.ends_with('\\') {
            quote = if quote.is_some() { None } else { Some(at) };
        }
        let sign = match c {
            _ if quote.is_some() => None,
            '(' if matches!(begun, "" | "NOT" | "OR") => Some(Lexeme::Open),
            ')' if within == 0 => Some(Lexeme::Close),
            _ => None,
        };
        if sign.is_some() || (c.is_whitespace() && quote.is_none()) {
            all.extend(part.take());
            all.extend(sign.map(|what| Token { start, at, what }));
            within = 0;
            continue;
        }
        if quote.is_none() {
            within = match c {
                '(' => within + 1,
                ')' => within.saturating_sub(1),
                _ => within,
            };
        }
        let token = part.get_or_insert_with(|| Token { start, at, what: Lexeme::Part(String::new()) });
        if let Lexeme::Part(text) = &mut token.what {
            text.push(c);
        }
    }
    all.extend(part);
    (all, quote)
}

/// The part that is being written, at the end of a line; empty behind a blank or a bracket.
pub fn last_part(text: &str) -> &str {
    match tokens(text).0.pop() {
        Some(Token { start, what: Lexeme::Part(part), .. }) if start + part.len() == text.len() => {
            text.get(start..).unwrap_or_default()
        }
        _ => "",
    }
}

/// What a line asks for, and what is wrong with it.
pub(super) fn line<'n, T: Term>(
    text: &str,
    named: &dyn Fn(&str) -> Option<&'n str>,
) -> (Option<Node<T>>, Vec<String>) {
    let (tokens, quote) = tokens(text);
    let mut reader = Reader { tokens: tokens.into_iter().peekable(), named, mistakes: Vec::new() };
    if let Some(at) = quote {
        reader.tell(at, QUOTE);
    }
    let root = reader.either(0);
    (root, reader.mistakes)
}

struct Reader<'r, 'n> {
    tokens: Peekable<IntoIter<Token>>,
    named: &'r dyn Fn(&str) -> Option<&'n str>,
    mistakes: Vec<String>,
}

impl Reader<'_, '_> {
    /// Who reads a line of one thing needs no number.
    fn tell(&mut self, at: usize, mistake: &str) {
        self.mistakes.push(if at > 1 { format!("{mistake} (at {at})") } else { mistake.to_owned() });
    }

    /// What stands up to the end, or to the bracket that closes; nothing where that held nothing but mistakes: it must not let
    /// everything through.
    fn either<T: Term>(&mut self, depth: usize) -> Option<Node<T>> {
        let (mut any, mut all) = (Vec::new(), Vec::new());
        let (mut not, mut or): (Option<usize>, Option<usize>) = (None, None);
        // Nothing stands there yet, since the beginning or the last OR.
        let mut bare = true;
        while let Some(Token { at, what, .. }) =
            self.tokens.next_if(|token| depth == 0 || token.what != Lexeme::Close)
        {
            match what {
                Lexeme::Close => {
                    self.tell(at, CLOSED);
                    continue;
                }
                Lexeme::Part(part) if part == "NOT" => {
                    not = if not.is_some() { None } else { Some(at) };
                    continue;
                }
                Lexeme::Part(part) if part == "OR" => {
                    if bare {
                        self.tell(at, EITHER);
                    } else {
                        any.push(std::mem::take(&mut all));
                    }
                    (bare, or) = (true, (!bare).then_some(at));
                    continue;
                }
                Lexeme::Part(part) => {
                    // Who has not gone on behind them may still be typing a longer word.
                    let goes_on = self.tokens.peek().is_some();
                    match part.as_str() {
                        "not" if goes_on => self.tell(at, SMALL_NOT),
                        "or" if goes_on && at > 1 => self.tell(at, SMALL_OR),
                        _ => {}
                    }
                    all.extend(turned(self.part(at, &part), not));
                }
                Lexeme::Open => all.extend(turned(self.inside(at, depth), not)),
            }
            (not, bare) = (None, false);
        }
        if let Some(at) = not {
            self.tell(at, NOT_ENDS);
        }
        if let Some(at) = or.filter(|_| bare) {
            self.tell(at, EITHER);
        }
        any.push(all);
        Node::any(any.into_iter().filter(|all| !all.is_empty()).map(Node::all))
    }

    /// What stands in brackets, of which the first was read.
    fn inside<T: Term>(&mut self, at: usize, depth: usize) -> Option<Node<T>> {
        if depth == DEEPEST {
            self.tell(at, DEEP);
            let mut open = 1_usize;
            while open > 0 {
                open = match self.tokens.next().map(|token| token.what) {
                    Some(Lexeme::Open) => open + 1,
                    Some(Lexeme::Close) => open - 1,
                    Some(Lexeme::Part(_)) => open,
                    None => break,
                };
            }
            return None;
        }
        let empty = self.tokens.peek().is_some_and(|token| token.what == Lexeme::Close);
        let node = self.either(depth + 1);
        if self.tokens.next_if(|token| token.what == Lexeme::Close).is_none() {
            self.tell(at, OPEN);
        } else if empty {
            self.tell(at, NOTHING);
        }
        node
    }

    /// What one part means.
    fn part<T: Term>(&mut self, at: usize, part: &str) -> Option<Node<T>> {
        let called = part.strip_prefix('@').filter(|name| !name.is_empty());
        if let Some(name) = called {
            let Some(text) = (self.named)(name) else {
                self.tell(at, &format!("no line is named @{name}"));
                return None;
            };
            // Within it no name stands for anything.
            let (node, mistakes) = line(text, &|_| None);
            self.mistakes.extend(mistakes.into_iter().map(|mistake| format!("in @{name}: {mistake}")));
            return node;
        }
        match meaning(part) {
            Ok(what) => what.map(|what| Node::Test(Test { wanted: true, what })),
            Err(mistake) => {
                self.tell(at, &mistake);
                None
            }
        }
    }
}

/// The other way round, where a NOT stood before it.
fn turned<T: Term>(node: Option<Node<T>>, not: Option<usize>) -> Option<Node<T>> {
    if not.is_some() { node.map(Node::turned) } else { node }
}

/// What one part means; `None` when nothing is left of it, or what is wrong with it.
fn meaning<T: Term>(part: &str) -> Result<Option<What<T>>, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> Vec<String> {
        let part = |token: Token| match token.what {
            Lexeme::Open => "(".to_owned(),
            Lexeme::Close => ")".to_owned(),
            Lexeme::Part(part) => part,
        };
        tokens(line).0.into_iter().map(part).collect()
    }

    #[test]
    fn brackets_stand_for_themselves_but_within_words_and_quotes() {
        assert_eq!(parts("(a OR b) c"), ["(", "a", "OR", "b", ")", "c"]);
        assert_eq!(parts("NOT(a OR(b))"), ["NOT", "(", "a", "OR", "(", "b", ")", ")"]);
        assert_eq!(parts("((owner:\"a b\")x"), ["(", "(", "owner:\"a b\"", ")", "x"]);
        assert_eq!(parts("(till(2))"), ["(", "till(2)", ")"]);
        assert_eq!(parts("\"(a\" b"), ["\"(a\"", "b"]);
    }

    #[test]
    fn what_is_being_written_begins_behind_a_blank_or_a_bracket() {
        for (line, last) in [
            ("a b", "b"),
            ("a ", ""),
            ("(ow", "ow"),
            ("x (", ""),
            ("(a)", ""),
            ("(owner:\"a b", "owner:\"a b"),
            ("", ""),
        ] {
            assert_eq!(last_part(line), last, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_quoted_is_read_as_it_was(value in "[a-z \"\\\\é()]{0,12}") {
            let value = plain(&value);
            let line = format!("before ({} after", quoted(&value));
            proptest::prop_assert_eq!(last_part(line.trim_end_matches(" after")), quoted(&value));
            proptest::prop_assert_eq!(parts(&line).get(2).map(|part| unquoted(part)), Some(value));
        }
    }
}
