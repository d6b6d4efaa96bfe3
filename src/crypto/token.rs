//! The text of an API key or app secret: 56 ASCII bytes, shown once.
//!
//! `kdag_` + 12 characters public id + `_` + 32 characters secret (187 bits) + 6 characters CRC-32, all Base58.
//! The checksum is there for typing errors and scanners, never as proof. [`Token`] owns a fresh one and is wiped
//! when dropped; [`parse`] looks at a presented one without copying, trimming or folding anything.

use std::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

use super::CryptoError;
use super::public_id::{self, DIGIT};
use super::random::{self, BASE58, Entropy};
use crate::domain::{PublicId, id};

/// Bytes of a token, the same for every kind, so that its length says nothing.
pub const LEN: usize = 56;

const PREFIX: usize = 5;
/// Bytes of `kd`, with which each token begins.
pub(super) const CONSTANT: usize = 2;
const ID_END: usize = PREFIX + public_id::LEN;
pub(super) const CHECKSUM: usize = 6;
const SIGNED: usize = LEN - CHECKSUM;

/// What a token opens, told by its first five characters. Only a hint: the record decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenKind {
    /// `kdag_`: an agency key.
    Agency,
    /// `kdlo_`: a location key.
    Location,
    /// `kdap_`: the API key of an app.
    App,
    /// `kdas_`: the secret of an app.
    AppSecret,
}

impl TokenKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Agency, Self::Location, Self::App, Self::AppSecret];

    /// The five characters a token of this kind starts with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Agency => "kdag_",
            Self::Location => "kdlo_",
            Self::App => "kdap_",
            Self::AppSecret => "kdas_",
        }
    }

    fn of(prefix: [u8; PREFIX]) -> Option<Self> {
        match &prefix {
            b"kdag_" => Some(Self::Agency),
            b"kdlo_" => Some(Self::Location),
            b"kdap_" => Some(Self::App),
            b"kdas_" => Some(Self::AppSecret),
            _ => None,
        }
    }

    /// What lists show instead of the token: `kdag_7HqP2mVx9KtR_…`.
    pub fn hint(self, id: PublicId) -> String {
        format!("{}{id}_…", self.prefix())
    }
}

/// A freshly minted token. It cannot be copied, printed or stored: [`Token::reveal`] is the one way out, for the
/// screen of its creation, and dropping it wipes it.
pub struct Token {
    bytes: Box<Zeroizing<[u8; LEN]>>,
    kind: TokenKind,
    id: PublicId,
}

impl Token {
    /// A new token with a new public id. Fails only when the generator does; then nothing exists.
    pub fn mint(kind: TokenKind, entropy: &mut (impl Entropy + ?Sized)) -> Result<Self, CryptoError> {
        let mut bytes = Box::new(Zeroizing::new([0; LEN]));
        random::base58(entropy, &mut bytes[PREFIX..ID_END])?;
        Self::finish(kind, bytes, entropy)
    }

    /// A new token with a given public id: the next secret of an app.
    pub fn mint_for(
        kind: TokenKind,
        id: PublicId,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<Self, CryptoError> {
        let mut bytes = Box::new(Zeroizing::new([0; LEN]));
        bytes[PREFIX..ID_END].copy_from_slice(id.as_bytes());
        Self::finish(kind, bytes, entropy)
    }

    fn finish(
        kind: TokenKind,
        mut bytes: Box<Zeroizing<[u8; LEN]>>,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<Self, CryptoError> {
        bytes[..PREFIX].copy_from_slice(kind.prefix().as_bytes());
        bytes[ID_END] = b'_';
        random::base58(entropy, &mut bytes[ID_END + 1..SIGNED])?;
        let checksum = checksum(&bytes[..SIGNED]);
        bytes[SIGNED..].copy_from_slice(&checksum);
        let id = id_of(&bytes).ok_or(CryptoError::PublicId)?;
        Ok(Self { bytes, kind, id })
    }

    /// A token another process minted and handed over, once.
    pub(crate) fn received(text: &[u8]) -> Result<Self, CryptoError> {
        let presented = parse(text)?;
        let (kind, id) = (presented.kind(), presented.id());
        let mut bytes = Box::new(Zeroizing::new([0; LEN]));
        bytes.copy_from_slice(presented.bytes());
        Ok(Self { bytes, kind, id })
    }

    /// The kind it was minted as.
    pub const fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The public id to find its record by.
    pub const fn id(&self) -> PublicId {
        self.id
    }

    /// All 56 bytes, for [`super::digest::Pepper::digest`].
    pub fn bytes(&self) -> &[u8; LEN] {
        &self.bytes
    }

    /// The whole secret as text. Only the screen or output of its creation may call this.
    pub fn reveal(&self) -> &str {
        // Always ASCII: prefix, separator and Base58.
        str::from_utf8(&self.bytes[..]).unwrap_or_default()
    }

    /// The part that may be shown again: `kdag_7HqP2mVx9KtR_…`.
    pub fn hint(&self) -> String {
        self.kind.hint(self.id)
    }
}

/// Why a text is not a token. For the local command line and counters; a stranger learns none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Malformed {
    /// Not the right number of bytes.
    #[error("it has the wrong length")]
    Length,
    /// Bytes above 127.
    #[error("it has characters outside ASCII")]
    NotAscii,
    /// An unknown start.
    #[error("it starts with an unknown prefix")]
    Prefix,
    /// No `_` between id and secret.
    #[error("a separator is missing")]
    Separator,
    /// A character that is not Base58.
    #[error("it has a character that is never used (0, O, I, l or punctuation)")]
    Alphabet,
    /// The checksum does not match: a typing error or an invention.
    #[error("its checksum does not match; a character is mistyped or missing")]
    Checksum,
}

/// A well-formed token somebody presented, still in their buffer.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    bytes: &'a [u8; LEN],
    kind: TokenKind,
    id: PublicId,
}

impl<'a> Presented<'a> {
    /// The kind its prefix claims.
    pub const fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The public id to look its record up by.
    pub const fn id(&self) -> PublicId {
        self.id
    }

    /// All 56 bytes: the digest covers whatever can differ in them.
    pub const fn bytes(&self) -> &'a [u8; LEN] {
        self.bytes
    }

    /// The part that may be shown: `kdag_7HqP2mVx9KtR_…`.
    pub fn hint(&self) -> String {
        self.kind.hint(self.id())
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Presented").field(&self.hint()).finish()
    }
}

/// Recognises a token: length, ASCII, prefix, separator, alphabet, checksum, in this order. Allocates nothing and
/// never trims, folds case, normalises or decodes: one token has one spelling.
pub fn parse(presented: &[u8]) -> Result<Presented<'_>, Malformed> {
    let bytes: &[u8; LEN] = presented.try_into().map_err(|_| Malformed::Length)?;
    if !bytes.is_ascii() {
        return Err(Malformed::NotAscii);
    }
    let Some(prefix) = bytes.first_chunk::<PREFIX>() else { return Err(Malformed::Length) };
    let kind = TokenKind::of(*prefix).ok_or(Malformed::Prefix)?;
    if bytes[ID_END] != b'_' {
        return Err(Malformed::Separator);
    }
    if !rest_is_base58(bytes) {
        return Err(Malformed::Alphabet);
    }
    if !checksum_matches(&bytes[..SIGNED], &bytes[SIGNED..]) {
        return Err(Malformed::Checksum);
    }
    let id = id_of(bytes).ok_or(Malformed::Alphabet)?;
    Ok(Presented { bytes, kind, id })
}

/// The public id in a token's bytes, if it is one.
fn id_of(bytes: &[u8; LEN]) -> Option<PublicId> {
    bytes.get(PREFIX..ID_END)?.try_into().ok().and_then(PublicId::from_bytes)
}

/// Whether everything but prefix and separator is of the alphabet. In full vector registers and by comparison, not by
/// table: a quarter of the time, on the path strangers can hammer.
#[inline]
fn rest_is_base58(bytes: &[u8; LEN]) -> bool {
    let mut text = [b'1'; 64];
    text[..LEN].copy_from_slice(bytes);
    text[..PREFIX].fill(b'1');
    text[ID_END] = b'1';
    let wrong = text.iter().fold(0, |wrong, byte| {
        let digit = byte.wrapping_sub(b'1') < 9;
        let upper = byte.wrapping_sub(b'A') < 26 && *byte != b'I' && *byte != b'O';
        let lower = byte.wrapping_sub(b'a') < 26 && *byte != b'l';
        wrong | u8::from(!(digit || upper || lower))
    });
    wrong == 0
}

/// Whether all bytes are of the alphabet.
pub(super) fn is_base58(text: &[u8]) -> bool {
    text.iter().fold(true, |sound, byte| sound & id::is_base58(*byte))
}

/// CRC-32 (IEEE) of `text` as six Base58 digits, most significant first: 58^6 exceeds 2^32, so none is lost.
pub(super) fn checksum(text: &[u8]) -> [u8; CHECKSUM] {
    let mut rest = crc32fast::hash(text);
    let mut out = [0; CHECKSUM];
    for digit in out.iter_mut().rev() {
        *digit = BASE58[(rest % 58) as usize];
        rest /= 58;
    }
    out
}

/// Whether `digits` (already known to be Base58) spell the checksum of `text`.
#[inline]
pub(super) fn checksum_matches(text: &[u8], digits: &[u8]) -> bool {
    let stated = digits.iter().fold(0u64, |sum, byte| sum * 58 + u64::from(DIGIT[usize::from(*byte)]));
    stated == u64::from(crc32fast::hash(text))
}
