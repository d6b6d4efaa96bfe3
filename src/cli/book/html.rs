//! The guide in one HTML file that needs nothing else: no script, no font, no picture from elsewhere.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use pulldown_cmark::{CowStr, Event as Part, HeadingLevel, Tag, TagEnd, html};

use super::{CHAPTERS, Chapter, heading, headings};

/// For reading by day and by night, and on paper.
const STYLE: &str = include_str!("../../../assets/guide/book.css");

/// The whole book.
pub fn whole() -> String {
    let (mut contents, mut body, mut taken) = (String::new(), String::new(), BTreeSet::new());
    for chapter in CHAPTERS {
        // Writing to a String cannot fail.
        let _ = writeln!(contents, "<li><a href=\"#{}\">{}</a></li>", chapter.name, chapter.title());
        taken.insert(chapter.name.to_owned());
    }
    for chapter in CHAPTERS {
        body.push_str("<section>\n");
        html::push_html(&mut body, parts(chapter, &mut taken).into_iter());
        body.push_str("</section>\n");
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>keydeck {version}: the guide</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<nav>\n<h1>keydeck {version}</h1>\n\
         <ol>\n{contents}</ol>\n</nav>\n<main>\n{body}</main>\n</body>\n</html>\n",
        version = env!("CARGO_PKG_VERSION"),
    )
}

/// The parts of a page: its first heading is the chapter's, all others stand below it, and links to pages lead to chapters.
fn parts(chapter: &Chapter, taken: &mut BTreeSet<String>) -> Vec<Part<'static>> {
    let mut parts = chapter.parts();
    for (nth, at) in headings(&parts).into_iter().enumerate() {
        let id = if nth == 0 { chapter.name.to_owned() } else { free(chapter, &heading(&parts, at), taken) };
        let level = if nth == 0 { HeadingLevel::H2 } else { HeadingLevel::H3 };
        let mut rest = parts.iter_mut().skip(at);
        if let Some(part) = rest.next() {
            *part = Part::Start(Tag::Heading {
                level,
                id: Some(id.into()),
                classes: Vec::new(),
                attrs: Vec::new(),
            });
        }
        if let Some(part) = rest.find(|part| matches!(part, Part::End(TagEnd::Heading(_)))) {
            *part = Part::End(TagEnd::Heading(level));
        }
    }
    for part in &mut parts {
        if let Part::Start(Tag::Link { dest_url, .. }) = part
            && let Some(page) = dest_url.strip_suffix(".md")
        {
            *dest_url = CowStr::from(format!("#{page}"));
        }
    }
    parts
}

/// A name for a heading that no other has.
fn free(chapter: &Chapter, heading: &str, taken: &mut BTreeSet<String>) -> String {
    let words = heading.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut id = format!("{}-{}", chapter.name, words.collect::<Vec<_>>().join("-").to_ascii_lowercase());
    while !taken.insert(id.clone()) {
        id.push('x');
    }
    id
}
