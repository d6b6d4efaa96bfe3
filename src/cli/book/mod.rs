//! The guide as a book: its pages in their order, and each as it is printed. `html` makes one file of all of them, `manual` a page
//! of the manual of each.

mod html;
mod manual;

use pulldown_cmark::{Event as Part, Options, Parser, Tag, TagEnd};

pub use self::html::whole as html;
pub use self::manual::page as manual;

/// A page of the guide.
pub struct Chapter {
    /// What it is called, as its file is.
    pub name: &'static str,
    text: &'static str,
}

macro_rules! chapters {
    ($($name:literal)*) => {
        &[$(Chapter { name: $name, text: include_str!(concat!("../../../assets/guide/", $name, ".md")) }),*]
    };
}

/// All pages, as one would read them.
pub const CHAPTERS: &[Chapter] = chapters![
    "using-keys" "calling-with-a-key" "calling-with-an-access-token" "asking-as-a-resource-server" "access-tokens" "keys" "settings" "many" "handover" "rotation"
    "time" "review" "reports" "scanning" "decoys" "importing" "delivery" "backups" "serving" "service"
];

/// What the console fills in for the key or app that somebody asks about.
const EXAMPLES: [(&str, &str); 6] = [
    ("{hint}", "kdag_7HqP2mVx9KtR_…"),
    ("{scopes}", "contacts.read"),
    ("{app_id}", "app_7HqP2mVx9KtR"),
    ("{base_url}", "https://api.example.com"),
    ("{basic}", "BASE64_OF_ID_AND_SECRET"),
    ("{access_token}", "ACCESS_TOKEN"),
];

impl Chapter {
    /// The page of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        CHAPTERS.iter().find(|chapter| chapter.name == name)
    }

    /// Its Markdown.
    pub fn text(&self) -> String {
        EXAMPLES.iter().fold(self.text.to_owned(), |text, (mark, example)| text.replace(mark, example))
    }

    /// Its first heading.
    pub fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches("# ")
    }

    /// Its parts. What looks like HTML is none: the guide has words in angle brackets.
    fn parts(&self) -> Vec<Part<'static>> {
        let text = self.text();
        let parts = Parser::new_ext(&text, Options::ENABLE_TABLES).map(|part| match part {
            Part::Html(text) | Part::InlineHtml(text) => Part::Text(text),
            other => other,
        });
        parts.map(Part::into_static).collect()
    }
}

/// The words of the heading that begins at a part, without its marks.
fn heading(parts: &[Part<'_>], at: usize) -> String {
    let inside = parts.iter().skip(at + 1).take_while(|part| !matches!(part, Part::End(TagEnd::Heading(_))));
    inside
        .filter_map(|part| match part {
            Part::Text(text) | Part::Code(text) => Some(text.as_ref()),
            _ => None,
        })
        .collect()
}

/// Where the headings are, from first to last.
fn headings(parts: &[Part<'_>]) -> Vec<usize> {
    let heads = |part: &Part<'_>| matches!(part, Part::Start(Tag::Heading { .. }));
    parts.iter().enumerate().filter_map(|(at, part)| heads(part).then_some(at)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_page_of_the_guide_is_in_the_book() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/guide");
        let names = dir.read_dir().unwrap().map(|entry| entry.unwrap().path());
        let pages = names.filter(|path| path.extension().is_some_and(|end| end == "md"));
        let pages: BTreeSet<_> = pages.map(|path| path.file_stem().unwrap().to_owned()).collect();
        let chapters: BTreeSet<_> = CHAPTERS.iter().map(|chapter| chapter.name.into()).collect();
        assert_eq!(pages, chapters);
        for chapter in CHAPTERS {
            assert!(chapter.text.starts_with("# ") && !chapter.title().is_empty(), "{}", chapter.name);
            assert!(!chapter.text().contains("{hint}"));
        }
    }

    #[test]
    fn every_link_of_the_book_leads_somewhere() {
        let book = html();
        let values = |before: &str| -> Vec<String> {
            book.split(before).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
        };
        let (links, ids) = (values("href=\""), values("id=\""));
        let known: BTreeSet<_> = ids.iter().collect();
        assert_eq!(known.len(), ids.len(), "two places of one name");
        assert!(links.len() > CHAPTERS.len());
        for link in links {
            match link.strip_prefix('#') {
                Some(place) => assert!(known.contains(&place.to_owned()), "{link}"),
                None => assert!(link.starts_with("https://"), "{link}"),
            }
        }
        // Nothing is fetched from elsewhere, nothing is run.
        assert!(!book.contains("<script") && !book.contains("<img") && !book.contains("<link"));
        assert!(book.contains("&lt;") && !book.contains("<FILE>"));
    }

    #[test]
    fn a_page_of_the_manual_has_all_that_the_page_has() {
        let page = manual(Chapter::named("serving").unwrap(), "2026-01-01");
        assert!(
            page.contains(".SH NAME\nkeydeck\\-guide\\-serving \\- Letting a proxy ask keydeck"),
            "{page}"
        );
        assert!(page.contains(".SH \"THE QUESTION\""), "{page}");
        assert!(page.contains("Keydeck\\-Source\\-App") && page.contains("full: 503"), "{page}");
        assert!(page.contains(".nf\n"));
    }
}
