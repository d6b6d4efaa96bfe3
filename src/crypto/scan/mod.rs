//! Finds secrets of ours in any bytes: the four kinds of tokens, imported keys, recovery codes. The shape first, then the
//! checksum; an imported key has none, so its shape is all there is to go by.
//!
//! No boundary is asked for: what stands before a secret may be a letter (`\nkdag_…` in a JSON text), and what follows it
//! is told apart by the checksum. [`Window`] does the same for what does not fit into memory, and for texts whose characters
//! take several bytes.

mod wide;
mod window;

use memchr::memmem;

pub use self::wide::WIDE_REACH;
pub use self::window::{Place, Window};
use super::phc::MAX_SECRET;
use super::public_id;
use super::recovery::{self, RecoveryCode};
use super::token::{self, TokenKind, is_base58};
use crate::domain::PublicId;
use crate::domain::key::IMPORTED_PREFIX;

/// Whether a secret begins at a place is told by as many bytes from there on.
pub const REACH: usize = SHOWN + MAX_SECRET;

/// What all of them begin with.
const MARK: &[u8] = b"kd";
/// Characters that tell the kind.
const PREFIX: usize = 5;
/// Characters up to the secret: the prefix, the public id and its separator.
const SHOWN: usize = PREFIX + public_id::LEN + 1;
/// Characters of a secret and its checksum.
const SECRET: usize = token::LEN - SHOWN;

/// What a secret opens, told by its first five characters. Only a hint: the record decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A key's own token, or the secret of an app.
    Token(TokenKind),
    /// `kdim_`: the key of an agency, location or app whose secret was made elsewhere.
    Imported,
    /// `kdrc_`: the code that opens a store.
    Recovery,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Token(TokenKind::Agency),
        Self::Token(TokenKind::Location),
        Self::Token(TokenKind::App),
        Self::Token(TokenKind::AppSecret),
        Self::Imported,
        Self::Recovery,
    ];

    /// The five characters it begins with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Token(kind) => kind.prefix(),
            Self::Imported => IMPORTED_PREFIX,
            Self::Recovery => recovery::PREFIX,
        }
    }

    /// The word for scripts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Token(TokenKind::Agency) => "agency_key",
            Self::Token(TokenKind::Location) => "location_key",
            Self::Token(TokenKind::App) => "app_key",
            Self::Token(TokenKind::AppSecret) => "app_secret",
            Self::Imported => "imported_key",
            Self::Recovery => "recovery_code",
        }
    }

    /// The word for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Token(TokenKind::Agency) => "agency key",
            Self::Token(TokenKind::Location) => "location key",
            Self::Token(TokenKind::App) => "app key",
            Self::Token(TokenKind::AppSecret) => "app secret",
            Self::Imported => "imported key",
            Self::Recovery => "recovery code",
        }
    }

    /// As much of a secret of this kind as may be shown: `kdag_7HqP2mVx9KtR_…`.
    pub fn hint(self, secret: &[u8]) -> String {
        match id_of(secret) {
            Some(id) if self != Self::Recovery => format!("{}{id}_…", self.prefix()),
            _ => format!("{}…", self.prefix()),
        }
    }

    fn of(prefix: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.prefix().as_bytes() == prefix)
    }
}

/// What looks like a secret, whether or not its checksum is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// By its prefix.
    pub kind: Kind,
    /// Bytes, the prefix among them. An imported key ends where visible ASCII does, for want of a better sign.
    pub len: usize,
    /// Bytes of it that may be shown: the prefix, and the public id where there is one.
    pub shown: usize,
}

/// The shape that `text` begins with.
pub fn shape_at(text: &[u8]) -> Option<Shape> {
    let (prefix, rest) = text.split_at_checked(PREFIX)?;
    let kind = Kind::of(prefix)?;
    let (shown, secret) = match kind {
        Kind::Token(_) => {
            let secret = behind_id(rest)?.get(..SECRET)?;
            (SHOWN, is_base58(secret).then_some(SECRET)?)
        }
        Kind::Imported => {
            let visible = behind_id(rest)?.iter().take_while(|byte| byte.is_ascii_graphic()).count();
            (SHOWN, Some(visible).filter(|visible| *visible > 0)?)
        }
        Kind::Recovery => (PREFIX, grouped(rest)?),
    };
    Some(Shape { kind, len: shown + secret, shown })
}

fn behind_id(text: &[u8]) -> Option<&[u8]> {
    let (id, rest) = text.split_at_checked(public_id::LEN)?;
    is_base58(id).then(|| rest.strip_prefix(b"_"))?
}

/// How far the characters of a recovery code reach, which is written in groups with dashes or white space between them.
fn grouped(text: &[u8]) -> Option<usize> {
    let mut left = SECRET;
    for (at, byte) in text.iter().enumerate() {
        if is_base58(&[*byte]) {
            left -= 1;
        } else if *byte != b'-' && !byte.is_ascii_whitespace() {
            return None;
        }
        if left == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// A secret that was found, still where it stands.
#[derive(Clone, Copy)]
pub struct Hit<'t> {
    /// Where it begins.
    pub start: usize,
    /// By its prefix.
    pub kind: Kind,
    /// All of it.
    pub bytes: &'t [u8],
}

impl Hit<'_> {
    /// The public id, where the kind has one.
    pub fn id(&self) -> Option<PublicId> {
        id_of(self.bytes).filter(|_| self.kind != Kind::Recovery)
    }
}

fn id_of(secret: &[u8]) -> Option<PublicId> {
    secret.get(PREFIX..PREFIX + public_id::LEN)?.try_into().ok().and_then(PublicId::from_bytes)
}

/// All secrets in `text` that begin before `before`, in order.
pub fn find(text: &[u8], before: usize) -> impl Iterator<Item = Hit<'_>> {
    let starts = text.get(..before.saturating_add(MARK.len() - 1)).unwrap_or(text);
    memmem::find_iter(starts, MARK).filter_map(move |start| hit(text, start))
}

fn hit(text: &[u8], start: usize) -> Option<Hit<'_>> {
    let rest = text.get(start..)?;
    let rest = rest.get(..REACH).unwrap_or(rest);
    let Shape { kind, len, shown } = shape_at(rest)?;
    let bytes = rest.get(..len)?;
    let is_one = match kind {
        Kind::Token(_) => token::parse(bytes).is_ok(),
        // A hint may end in dots or stars where the secret is left out.
        Kind::Imported => stem(bytes.get(shown..)?).iter().any(u8::is_ascii_alphanumeric),
        Kind::Recovery => str::from_utf8(bytes).is_ok_and(|typed| RecoveryCode::parse(typed).is_ok()),
    };
    is_one.then_some(Hit { start, kind, bytes })
}

/// As much of the secret of an imported key as stands before what mostly ends a text and is no part of it.
fn stem(secret: &[u8]) -> &[u8] {
    let ends = |byte: &u8| matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | b',' | b';' | b')');
    secret.split(ends).next().unwrap_or(secret)
}

/// What a hit may have been meant as, the longest first: where an imported key ends is not written anywhere.
pub fn readings(kind: Kind, bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let short = match kind {
        Kind::Imported => bytes.get(SHOWN..).map_or(bytes.len(), |secret| SHOWN + stem(secret).len()),
        Kind::Token(_) | Kind::Recovery => bytes.len(),
    };
    let short = bytes.get(..short).filter(|short| short.len() < bytes.len());
    std::iter::once(bytes).chain(short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::random::OsEntropy;
    use crate::crypto::token::Token;

    fn found(text: &str) -> Vec<(usize, Kind, usize)> {
        find(text.as_bytes(), text.len()).map(|hit| (hit.start, hit.kind, hit.bytes.len())).collect()
    }

    #[test]
    fn every_kind_is_found_wherever_it_stands() {
        for kind in TokenKind::ALL {
            let token = Token::mint(kind, &mut OsEntropy).unwrap();
            let text = format!("mkdir\\n{0}{0}kd{0}_é", token.reveal());
            let kind = Kind::Token(kind);
            assert_eq!(found(&text), [(7, kind, 56), (63, kind, 56), (121, kind, 56)]);
            assert_eq!(find(text.as_bytes(), 8).count(), 1, "none that begins later");
            assert!(find(text.as_bytes(), 7).next().is_none());
            assert_eq!(find(text.as_bytes(), 8).next().unwrap().id(), Some(token.id()));
        }
        let code = RecoveryCode::generate(&mut OsEntropy).unwrap().reveal();
        for written in
            [code.to_string(), code.replace('-', " "), code.replace('-', "\r\n"), code.replace('-', "")]
        {
            assert_eq!(found(&format!("code={written}.")), [(5, Kind::Recovery, written.len())]);
        }
        assert_eq!(found(r#"{"key":"kdim_7HqP2mVx9KtR_old-Secret!"}"#), [(8, Kind::Imported, 31)]);
    }

    #[test]
    fn what_is_nearly_one_is_none() {
        let token = Token::mint(TokenKind::Agency, &mut OsEntropy).unwrap();
        let text = token.reveal();
        let mut near: Vec<String> = (0..text.len())
            .map(|at| {
                let mut other = text.to_owned();
                other.replace_range(at..=at, if &text[at..=at] == "z" { "y" } else { "z" });
                other
            })
            .collect();
        near.extend([text[..55].to_owned(), text.to_uppercase(), token.hint()]);
        let code = RecoveryCode::generate(&mut OsEntropy).unwrap().reveal();
        near.extend([code[..code.len() - 1].to_owned(), code.to_lowercase(), code.replace('-', "/")]);
        for hint in ["…", "", "...", "***", "\",", "<secret>", " secret"] {
            near.push(format!("kdim_7HqP2mVx9KtR_{hint}"));
        }
        for near in near {
            assert!(found(&near).is_empty(), "{near}");
        }
    }

    #[test]
    fn an_imported_key_is_read_to_its_end_and_to_what_may_end_it() {
        let read = |text: &'static str| -> Vec<&str> {
            let all = readings(Kind::Imported, text.as_bytes());
            all.map(|bytes| str::from_utf8(bytes).unwrap()).collect()
        };
        assert_eq!(read("kdim_7HqP2mVx9KtR_s3cret"), ["kdim_7HqP2mVx9KtR_s3cret"]);
        assert_eq!(
            read(r#"kdim_7HqP2mVx9KtR_s3cret","x":1"#),
            [r#"kdim_7HqP2mVx9KtR_s3cret","x":1"#, "kdim_7HqP2mVx9KtR_s3cret"]
        );
    }
}
