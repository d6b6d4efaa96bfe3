//! A page of the guide as one of the manual, in section 7: what `man keydeck-guide-serving` shows.

use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use pulldown_cmark::{Event as Part, Tag, TagEnd};

use super::{Chapter, heading, headings};

/// The page, with the day it bears.
pub fn page(chapter: &Chapter, date: &str) -> String {
    let parts = chapter.parts();
    let name = format!("keydeck-guide-{}", chapter.name);
    let mut page = Roff::new();
    page.control("TH", [name.to_uppercase().as_str(), "7", date, SOURCE, "keydeck"]);
    page.control("SH", ["NAME"]).text([roman(format!("{name} - {}", chapter.title()))]);
    page.control("SH", ["DESCRIPTION"]);
    let heads = headings(&parts);
    let mut writer =
        Writer { page, line: Vec::new(), words: Vec::new(), row: Vec::new(), head: Vec::new(), stands: true };
    let mut in_heading = false;
    for (at, part) in parts.iter().enumerate() {
        match part {
            Part::Start(Tag::Heading { .. }) => {
                in_heading = true;
                if heads.first() != Some(&at) {
                    writer.section(&heading(&parts, at));
                }
            }
            Part::End(TagEnd::Heading(_)) => in_heading = false,
            _ if in_heading => {}
            part => writer.take(part),
        }
    }
    writer.page.control("SH", ["SEE ALSO"]).text([
        bold("keydeck"),
        roman("(1), "),
        bold("keydeck-guide"),
        roman("(1)"),
    ]);
    writer.page.render()
}

const SOURCE: &str = concat!("keydeck ", env!("CARGO_PKG_VERSION"));

struct Writer {
    page: Roff,
    /// What is said so far of a paragraph, an item or a cell.
    line: Vec<Inline>,
    /// The cells of a row, and what stands above them.
    row: Vec<String>,
    head: Vec<String>,
    /// The words of a cell or an example, without their marks.
    words: Vec<String>,
    /// Whether a paragraph may begin without a mark.
    stands: bool,
}

impl Writer {
    fn section(&mut self, heading: &str) {
        self.page.control("SH", [heading.to_uppercase().as_str()]);
        self.stands = true;
    }

    fn take(&mut self, part: &Part<'_>) {
        match part {
            Part::Text(text) => self.say(text, roman),
            Part::Code(text) => self.say(text, bold),
            Part::SoftBreak | Part::HardBreak => self.say(" ", roman),
            Part::Start(Tag::CodeBlock(_)) => {
                self.end();
                self.words.clear();
                // A section begins with room of its own.
                if !self.stands {
                    self.page.control("sp", []);
                }
                self.page.control("RS", ["4"]).control("nf", []);
            }
            Part::End(TagEnd::CodeBlock) => {
                self.verbatim();
                self.page.control("fi", []).control("RE", []);
            }
            Part::Start(Tag::Paragraph) if !self.stands => {
                self.page.control("PP", []);
            }
            Part::Start(Tag::Item) => {
                self.end();
                self.page.control("IP", ["-", "2"]);
                self.stands = true;
            }
            Part::End(TagEnd::Paragraph | TagEnd::Item) => self.end(),
            Part::Start(Tag::TableCell) => self.words.clear(),
            Part::End(TagEnd::TableCell) => {
                self.line.clear();
                self.row.push(self.words.concat());
            }
            Part::End(TagEnd::TableHead) => self.head = std::mem::take(&mut self.row),
            Part::End(TagEnd::TableRow) => self.tell_row(),
            _ => {}
        }
    }

    fn say(&mut self, text: &str, how: impl Fn(String) -> Inline) {
        self.words.push(text.to_owned());
        self.line.push(how(text.to_owned()));
    }

    fn end(&mut self) {
        if !self.line.is_empty() {
            self.page.text(std::mem::take(&mut self.line));
            self.stands = false;
        }
    }

    /// The lines of an example, as they are.
    fn verbatim(&mut self) {
        self.line.clear();
        for line in self.words.concat().lines() {
            self.page.text([roman(line)]);
        }
        self.stands = false;
    }

    /// The first cell, and below it the others by what stands above them.
    fn tell_row(&mut self) {
        let row = std::mem::take(&mut self.row);
        let Some((first, rest)) = row.split_first() else { return };
        let heads = self.head.iter().skip(1);
        let told: Vec<String> = rest
            .iter()
            .zip(heads)
            .map(|(cell, head)| if head.is_empty() { cell.clone() } else { format!("{head}: {cell}") })
            .collect();
        self.page.control("TP", []).text([bold(first)]).text([italic(told.join("; "))]);
        self.stands = false;
    }
}
