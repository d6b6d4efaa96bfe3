//! The pictures of the README and the guide, drawn from the program as it is: of the same store at the same hour, key by key.
//! They are text, so that one sees what a change does to them. `KEYDECK_UPDATE=1 cargo test --test console pictures` draws
//! them anew; without it a picture that no longer shows the program fails.

#![expect(clippy::unwrap_used, reason = "a test may stop")]
#![expect(clippy::cast_precision_loss, reason = "parts of some seconds")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use keydeck::domain::{Command, Expiry, NewKey, Note, Place, Timestamp};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::Open;
use keydeck::engine::{Engine as _, Origin, demo};
use keydeck::tui::app::testing::{Console, desk_painted};
use keydeck::tui::testing::FakeClipboard;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::looks::Counting;
use super::tui_keys::name;

const PAPER: &str = "#16191e";
const INK: &str = "#c9d1db";
/// Pixels of a cell.
const WIDE: usize = 9;
const HIGH: usize = 18;
/// Pixels around the screen.
const EDGE: usize = 14;

/// A screen as a person saw it, and for how long.
struct Shot {
    rows: Vec<String>,
    ms: usize,
}

fn colour(colour: Color, otherwise: &str) -> String {
    match colour {
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        _ => otherwise.to_owned(),
    }
}

/// What runs of cells have in common.
#[derive(PartialEq)]
struct Look {
    ink: String,
    paper: String,
    mods: Modifier,
}

impl Look {
    fn of(cell: &Cell) -> Self {
        let (mut ink, mut paper) = (colour(cell.fg, INK), colour(cell.bg, PAPER));
        if cell.modifier.contains(Modifier::REVERSED) {
            std::mem::swap(&mut ink, &mut paper);
        }
        Self { ink, paper, mods: cell.modifier }
    }

    fn draw(&self, text: &str, x: usize, cells: usize, into: &mut String) {
        let (left, wide) = (x * WIDE, cells * WIDE);
        if self.paper != PAPER {
            write!(into, r#"<rect x="{left}" width="{wide}" height="{HIGH}" fill="{}"/>"#, self.paper)
                .unwrap();
        }
        let lined = self.mods.contains(Modifier::UNDERLINED);
        let mut style = String::new();
        for (modifier, said) in [
            (Modifier::BOLD, r#" font-weight="bold""#),
            (Modifier::ITALIC, r#" font-style="italic""#),
            (Modifier::UNDERLINED, r#" text-decoration="underline""#),
            (Modifier::DIM, r#" opacity="0.6""#),
        ] {
            style += if self.mods.contains(modifier) { said } else { "" };
        }
        // Each group of words stands where it stands, whatever a viewer makes of several blanks.
        let mut at = 0;
        for part in if lined { vec![text] } else { text.split("  ").collect::<Vec<_>>() } {
            let (words, cells) = (part.trim(), part.chars().count());
            let (words, left) = if lined {
                (part, left)
            } else {
                (words, left + (at + part.chars().take_while(|c| *c == ' ').count()) * WIDE)
            };
            at += cells + 2;
            if words.is_empty() {
                continue;
            }
            let wide = words.chars().count() * WIDE;
            let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let ink = &self.ink;
            write!(into, r#"<text x="{left}" y="14" textLength="{wide}" fill="{ink}"{style}>{words}</text>"#)
                .unwrap();
        }
    }
}

/// The rows of a screen, each drawn from its upper left corner.
fn rows(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    let row = |y| {
        let mut drawn = String::new();
        let (mut run, mut from) = (String::new(), 0);
        let mut look = Look::of(&buffer[(0, y)]);
        for x in 0..area.width {
            let cell = &buffer[(x, y)];
            let here = Look::of(cell);
            if here != look {
                look.draw(&run, from, usize::from(x) - from, &mut drawn);
                (run, from, look) = (String::new(), usize::from(x), here);
            }
            run += cell.symbol();
        }
        look.draw(&run, from, usize::from(area.width) - from, &mut drawn);
        drawn
    };
    (0..area.height).map(row).collect()
}

/// One picture, or several one after the other for ever. `said` is for who cannot see it.
fn picture(said: &str, (cells, lines): (u16, u16), shots: &[Shot]) -> String {
    let (wide, high) = (usize::from(cells) * WIDE, usize::from(lines) * HIGH);
    let (across, down) = (wide + 2 * EDGE, high + 2 * EDGE);
    let mut all = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across} {down}" role="img" xml:space="preserve" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="15">
<title>{said}</title>
<style>"#
    );
    let whole: usize = shots.iter().map(|shot| shot.ms).sum();
    let mut begin = 0;
    for (number, shot) in shots.iter().enumerate().filter(|_| shots.len() > 1) {
        let at = |ms: usize| ms as f64 * 100.0 / whole as f64;
        let (from, to) = (at(begin), at(begin + shot.ms));
        let hidden = if number == 0 { "" } else { "0% { visibility: hidden; } " };
        write!(
            all,
            "\n.s{number} {{ visibility: hidden; animation: s{number} {whole}ms step-end infinite; }}\n@keyframes s{number} {{ \
             {hidden}{from:.2}% {{ visibility: visible; }} {to:.2}% {{ visibility: hidden; }} }}"
        )
        .unwrap();
        begin += shot.ms;
    }
    write!(all, "</style>\n<rect width=\"{across}\" height=\"{down}\" rx=\"8\" fill=\"{PAPER}\"/>\n<defs>\n")
        .unwrap();
    let mut known: Vec<&str> = Vec::new();
    let mut frames = String::new();
    for (number, shot) in shots.iter().enumerate() {
        write!(frames, "<g class=\"s{number}\" transform=\"translate({EDGE} {EDGE})\">").unwrap();
        for (line, row) in shot.rows.iter().enumerate().filter(|(_, row)| !row.is_empty()) {
            let at = known.iter().position(|known| *known == row.as_str()).unwrap_or_else(|| {
                writeln!(all, "<g id=\"r{}\">{row}</g>", known.len()).unwrap();
                known.push(row);
                known.len() - 1
            });
            write!(frames, "<use href=\"#r{at}\" y=\"{}\"/>", line * HIGH).unwrap();
        }
        frames += "</g>\n";
    }
    all + "</defs>\n" + &frames + "</svg>\n"
}

/// A person at the console, whose screens are kept.
struct Sitting {
    console: Console,
    size: (u16, u16),
    shots: Vec<Shot>,
}

/// The demo's store on a day in 2026.
fn sample() -> Open {
    let noon = TestClock::at(Timestamp(1_795_867_200_000));
    demo::open_by(Arc::new(noon), Box::new(Counting(7))).unwrap()
}

impl Sitting {
    fn before(open: Open, size: (u16, u16), clipboard: &FakeClipboard) -> Self {
        Self { console: desk_painted("dark", open, size, clipboard), size, shots: Vec::new() }
    }

    fn at(size: (u16, u16)) -> Self {
        Self::before(sample(), size, &FakeClipboard::default())
    }

    /// What is seen now, looked at for so long.
    fn looks(&mut self, ms: usize) -> &mut Self {
        self.shots.push(Shot { rows: rows(self.console.buffer()), ms });
        self
    }

    fn presses(&mut self, keys: &str, ms: usize) -> &mut Self {
        self.console.press(keys);
        self.looks(ms)
    }

    /// The file as it is kept, or kept anew.
    fn is_kept_as(&self, file: &str, said: &str) {
        let drawn = picture(said, self.size, &self.shots);
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/guide").join(file);
        if std::env::var_os("KEYDECK_UPDATE").is_some() {
            std::fs::write(&kept, &drawn).unwrap();
        }
        let there = std::fs::read_to_string(&kept).unwrap_or_default();
        assert!(
            there == drawn,
            "{file} does not show the program as it is: KEYDECK_UPDATE=1 cargo test --test console pictures draws it anew"
        );
    }
}

#[test]
fn the_readme_shows_the_console_as_it_is() {
    let mut keys = Sitting::at((110, 32));
    keys.presses("j j j j", 1);
    keys.is_kept_as(
        "console.svg",
        "The console: agency keys with their state, a detail beside them, and what expires in the status bar",
    );
    let mut notices = Sitting::at((110, 32));
    notices.presses("4 j j j", 1);
    notices.is_kept_as(
        "notices.svg",
        "The notices: what happens next, to which key, and what follows if nobody does anything",
    );
}

#[test]
fn a_leaked_key_is_found_looked_at_and_replaced_before_ones_eyes() {
    let open = sample();
    let new = NewKey {
        name: name("Booking widget"),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: Some(Expiry::Never),
        note: Note::default(),
        decoy: false,
    };
    let leaked = open.engine.execute(&open.session, Command::IssueKey(new)).unwrap().token.unwrap();
    let leaked = leaked.reveal().to_owned();
    let engine = Arc::clone(&open.engine);
    let comes = |token: &str, program: &str| {
        let origin = Origin { address: Some([10, 2, 0, 7].into()), agent: Some(program.as_bytes()) };
        engine.verify_from(token.as_bytes(), &["contacts.read".parse().unwrap()], origin).is_allow()
    };
    assert!((0..12).all(|_| comes(&leaked, "kiosk/2.1")));
    engine.settle().unwrap();
    let clipboard = FakeClipboard::default();
    let mut day = Sitting::before(open, (100, 28), &clipboard);
    day.looks(1_500).presses("b", 1_000);
    day.console.paste(&format!("BOOKING_KEY={leaked}\n"));
    day.looks(1_500).presses("enter", 2_500).presses("enter", 3_500);
    day.presses("R", 1_500).presses("left left", 2_000).presses("ctrl-s", 2_000).presses("c", 1_200);
    day.console.press("space enter w").advance(Duration::from_millis(300));
    day.looks(800);
    let fresh = clipboard.text();
    for (token, program, allowed) in [(&leaked, "kiosk/2.1", false), (&fresh, "kiosk/2.2", true)] {
        assert_eq!(comes(token, program), allowed);
        day.console.advance(Duration::from_millis(300));
        day.looks(1_000);
    }
    day.looks(4_000);
    day.is_kept_as(
        "leak.svg",
        "A leaked token is pasted, its key and callers are seen, it is replaced, and the old program is refused from then on",
    );
}
