//! A text that is longer than memory should hold, seen through a window: whoever reads fills it, what was found is told with
//! its place, and what has passed is overwritten. The window is wiped when dropped. A secret that is cut by a reading is
//! found like any other, once.

use memchr::{memchr_iter, memrchr};
use zeroize::Zeroizing;

use super::wide::{WIDE_REACH, candidates};
use super::{Hit, find};

/// Bytes in view.
const SIZE: usize = 256 * 1024;

/// Where in a text something stands, as editors count: from 1, a column for each Unicode code point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl Place {
    const START: Self = Self { line: 1, column: 1 };
}

/// A place, and how many bytes before it in its line are zero: of wide characters they are no columns.
#[derive(Clone, Copy)]
struct Spot {
    place: Place,
    zeros: usize,
}

impl Spot {
    const START: Self = Self { place: Place::START, zeros: 0 };

    /// The spot behind some more text.
    fn after(self, passed: &[u8]) -> Self {
        let columns = |text: &[u8]| text.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        let zeros = |text: &[u8]| memchr_iter(0, text).count();
        let Self { place: Place { line, column }, .. } = self;
        match memrchr(b'\n', passed).and_then(|last| passed.split_at_checked(last + 1)) {
            None => {
                let place = Place { line, column: column + columns(passed) };
                Self { place, zeros: self.zeros + zeros(passed) }
            }
            Some((lines, rest)) => {
                let place =
                    Place { line: line + memchr_iter(b'\n', lines).count(), column: 1 + columns(rest) };
                Self { place, zeros: zeros(rest) }
            }
        }
    }

    /// The place as one of wide characters.
    const fn of_wide(self) -> Place {
        Place { line: self.place.line, column: self.place.column - self.zeros }
    }
}

/// How wide the characters of a text are.
#[derive(Clone, Copy)]
enum Width {
    /// The text has not begun.
    NotKnown,
    One,
    /// UTF-16, as its first two bytes say, and how its units are read.
    Two(fn([u8; 2]) -> u16),
}

/// See the module.
pub struct Window {
    bytes: Zeroizing<Vec<u8>>,
    /// How much of it can be searched; behind that may stand the first half of a UTF-16 unit.
    text: usize,
    filled: usize,
    /// Where the first of them stands in the text.
    spot: Spot,
    width: Width,
}

impl Default for Window {
    fn default() -> Self {
        Self::new(SIZE)
    }
}

impl Window {
    /// A window that shows so many bytes: at least twice [`WIDE_REACH`].
    pub fn new(size: usize) -> Self {
        let bytes = Zeroizing::new(vec![0; size.max(2 * WIDE_REACH)]);
        Self { bytes, text: 0, filled: 0, spot: Spot::START, width: Width::NotKnown }
    }

    /// Turns to another text, of which nothing was read yet.
    pub fn begin(&mut self) {
        (self.text, self.filled, self.spot, self.width) = (0, 0, Spot::START, Width::NotKnown);
    }

    /// Where the next bytes go. Never empty.
    pub fn room(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.filled..).unwrap_or_default()
    }

    /// Says that so many bytes were put into the room; none is the end of the text. Tells what was found, in order.
    pub fn take(&mut self, read: usize, mut tell: impl FnMut(Place, &Hit<'_>)) {
        let last = read == 0;
        self.filled = (self.filled + read).min(self.bytes.len());
        self.narrow(last);
        if !last && self.filled < self.bytes.len() {
            return;
        }
        let text = self.bytes.get(..self.text).unwrap_or_default();
        let before = if last { text.len() } else { text.len().saturating_sub(WIDE_REACH) };
        let (mut spot, mut told) = (self.spot, 0);
        let mut pass = |to: usize| {
            spot = spot.after(text.get(told..to).unwrap_or_default());
            told = to;
            spot
        };
        let mut wide = candidates(text, before).into_iter().peekable();
        for hit in find(text, before) {
            while let Some(wide) = wide.next_if(|wide| wide.start < hit.start) {
                wide.tell(text, |wide| tell(pass(wide.start).of_wide(), wide));
            }
            tell(pass(hit.start).place, &hit);
        }
        for wide in wide {
            wide.tell(text, |wide| tell(pass(wide.start).of_wide(), wide));
        }
        if last {
            return self.begin();
        }
        self.spot = pass(before);
        self.bytes.copy_within(before..self.filled, 0);
        self.text -= before;
        self.filled -= before;
    }

    /// Makes of each unit of UTF-16 one byte: all of a secret is ASCII, and of the rest only the number of characters counts.
    fn narrow(&mut self, last: bool) {
        if matches!(self.width, Width::NotKnown) && (self.filled > 1 || last) {
            let mark = self.bytes.get(..self.filled).and_then(<[u8]>::first_chunk::<2>);
            self.width = match mark {
                Some([0xff, 0xfe]) => Width::Two(u16::from_le_bytes),
                Some([0xfe, 0xff]) => Width::Two(u16::from_be_bytes),
                _ => Width::One,
            };
            if matches!(self.width, Width::Two(_)) {
                self.bytes.copy_within(2..self.filled, 0);
                self.filled -= 2;
            }
        }
        match self.width {
            Width::NotKnown => {}
            Width::One => self.text = self.filled,
            Width::Two(unit) => self.halve(unit),
        }
    }

    fn halve(&mut self, unit: fn([u8; 2]) -> u16) {
        let mut from = self.text;
        while let Some(pair) = self.bytes.get(from..self.filled).and_then(<[u8]>::first_chunk::<2>) {
            let byte = match unit(*pair) {
                ascii @ 0..0x80 => ascii.to_le_bytes()[0],
                // The second half of a character is no column of its own.
                0xdc00..0xe000 => 0x80,
                _ => 0xff,
            };
            if let Some(place) = self.bytes.get_mut(self.text) {
                *place = byte;
            }
            (from, self.text) = (from + 2, self.text + 1);
        }
        self.bytes.copy_within(from..self.filled, self.text);
        self.filled -= from - self.text;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::random::OsEntropy;
    use crate::crypto::token::{Token, TokenKind};

    #[test]
    fn wide_characters_are_searched_in_either_order_without_a_mark() {
        let token = Token::mint(TokenKind::Agency, &mut OsEntropy).unwrap();
        let text = format!("k={}\n{}, {}\u{2026}", token.reveal(), "x".repeat(300_000), token.reveal());
        let expected = [(1, 3), (2, 300_003)];
        let low_first = |bytes: &[u8]| bytes.to_vec();
        let high_first = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<u8>>();
        let mut window = Window::default();
        for order in [low_first, high_first] {
            let two: Vec<u8> = text.encode_utf16().flat_map(|unit| order(&unit.to_le_bytes())).collect();
            let four: Vec<u8> = text.chars().flat_map(|c| order(&u32::from(c).to_le_bytes())).collect();
            for bytes in [two, four] {
                for step in [3, 4_096, 10_000_000] {
                    assert_eq!(places(&mut window, &bytes, step), expected, "{step}");
                }
                // In the midst of others, and cut off before its end.
                let amidst = [b"\xff\x01".as_slice(), &bytes, b"\xfe"].concat();
                assert_eq!(places(&mut window, &amidst, 4_096).len(), 2);
                assert!(places(&mut window, &bytes[..bytes.len().min(150)], 7).len() <= 1);
            }
            // A mark says it of four bytes, too.
            let marked: Vec<u8> =
                format!("\u{feff}{text}").chars().flat_map(|c| order(&u32::from(c).to_le_bytes())).collect();
            assert_eq!(places(&mut window, &marked, 4_096).len(), 2);
        }
        let both = [token.reveal().as_bytes(), &[0], token.reveal().as_bytes()].concat();
        assert_eq!(places(&mut window, &both, 7), [(1, 1), (1, 58)], "what is not wide keeps its columns");
    }

    /// Reads `text` in pieces of at most `step` bytes.
    fn places(window: &mut Window, mut text: &[u8], step: usize) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        window.begin();
        loop {
            let room = window.room();
            let read = room.len().min(step).min(text.len());
            room[..read].copy_from_slice(&text[..read]);
            text = &text[read..];
            window.take(read, |place, _| found.push((place.line, place.column)));
            if read == 0 {
                return found;
            }
        }
    }

    #[test]
    fn places_are_counted_in_lines_and_characters_however_long_a_line_is() {
        let token = Token::mint(TokenKind::App, &mut OsEntropy).unwrap();
        let token = token.reveal();
        let long = "é".repeat(SIZE);
        let text = format!("{token}\nß {token}\r\n{long}{token}\n\n {token}{token}");
        let expected = [(1, 1), (2, 3), (3, SIZE + 1), (5, 2), (5, 58)];
        let mut window = Window::default();
        for step in [1, 7, 4_096, 1_000_000] {
            assert_eq!(places(&mut window, text.as_bytes(), step), expected, "{step}");
        }
        assert!(places(&mut window, b"", 1).is_empty() && places(&mut window, b"\xff", 1).is_empty());
    }

    #[test]
    fn utf_16_is_read_as_what_it_says() {
        let token = Token::mint(TokenKind::Location, &mut OsEntropy).unwrap();
        let text = format!("k={}\n😀é{}{}", token.reveal(), "x".repeat(SIZE), token.reveal());
        let expected = [(1, 3), (2, SIZE + 3)];
        let units = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
        };
        let mut window = Window::default();
        for bytes in [units(u16::to_le_bytes), units(u16::to_be_bytes)] {
            for step in [1, 3, 1_000_000] {
                assert_eq!(places(&mut window, &bytes, step), expected);
                assert_eq!(places(&mut window, &[&bytes[..], b"k"].concat(), step), expected);
            }
        }
    }
}
