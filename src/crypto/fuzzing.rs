//! What must hold for any bytes at all: entry points for fuzzers and property tests, no part of the API.
//!
//! Each takes what an attacker controls and panics when a promise is broken; refusing is always fine.

use base64ct::{Base64UrlUnpadded, Encoding as _};

use super::header::Header;
use super::jwt::{self, Claims, TokenConfig, TokenKey};
use super::keyring::{Keyring, RootKey};
use super::phc::Phc;
use super::random::Entropy;
#[cfg(feature = "console")]
use super::scan::{self, Place, Window};
use super::store_id::StoreId;
use super::{CryptoError, record, token};
use crate::domain::signing::{LEEWAY, TOKEN_LIFE_MAX};
use crate::domain::{Timestamp, TokenAlg};

/// The same bytes every time, so that a finding can be replayed.
pub struct Fixed;

impl Entropy for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
        out.fill(7);
        Ok(())
    }
}

/// The keys every sealed fuzz input is made with.
pub fn keyring() -> Result<Keyring, CryptoError> {
    Ok(Keyring::new(RootKey::generate(&mut Fixed)?, StoreId([9; 16])))
}

/// Signs what an attacker who had the key would sign; header and payload are JSON, or are meant to be.
pub fn forge(key: &TokenKey, header: &[u8], payload: &[u8]) -> String {
    let header = Base64UrlUnpadded::encode_string(header);
    key.sign_text(&header, payload).reveal().to_owned()
}

/// Bytes are no access token, and what a key of ours signed is read in bounds or not at all. Tried as a token, and
/// as the payload of a signed one, with either algorithm.
pub fn access_token(bytes: &[u8]) {
    let Ok(keys) = token_keys() else { return };
    assert!(jwt::open(bytes, &keys).is_err(), "a signature was guessed");
    for key in &keys {
        let Some(claims) = claims_of(key, bytes) else { continue };
        let life = claims.expires.since(claims.issued);
        assert!(life > 0 && life <= i64::from(TOKEN_LIFE_MAX) * 1_000);
        assert!(claims.issued.since(NOW) <= i64::from(LEEWAY) * 1_000);
        assert!(!claims.scopes.is_empty());
    }
}

/// Whether the payload is one that [`access_token`] reads once it is signed.
pub fn reads_claims(payload: &[u8]) -> bool {
    token_keys().is_ok_and(|keys| keys.iter().any(|key| claims_of(key, payload).is_some()))
}

fn token_keys() -> Result<[TokenKey; 2], CryptoError> {
    keyring().map(|keyring| TokenAlg::ALL.map(|alg| keyring.token_key(1, alg)))
}

fn claims_of(key: &TokenKey, payload: &[u8]) -> Option<Claims> {
    let signed = forge(key, key.header_json().as_bytes(), payload);
    let (payload, _) = jwt::open(signed.as_bytes(), [key]).ok()?;
    let party = TokenConfig::of_store(StoreId([9; 16]));
    Claims::read(&payload, NOW, |issuer, audience| party.is(issuer, audience).then_some(()))
        .map(|(claims, ())| claims)
        .ok()
}

/// When signed fuzz inputs are read.
const NOW: Timestamp = Timestamp(1_790_000_000_000);

/// A token is accepted in one spelling only, and then every part of it is where it should be. Tried as it is and
/// with its checksum put right, which no fuzzer finds by itself.
pub fn token(bytes: &[u8]) {
    token_as_is(bytes);
    if let Some(text) = bytes.get(..token::LEN - token::CHECKSUM) {
        token_as_is(&[text, &token::checksum(text)].concat());
    }
}

fn token_as_is(bytes: &[u8]) {
    let Ok(presented) = token::parse(bytes) else { return };
    let start = format!("{}{}_", presented.kind().prefix(), presented.id());
    assert_eq!(bytes.len(), token::LEN);
    assert_eq!(presented.bytes(), bytes);
    assert!(bytes.starts_with(start.as_bytes()), "a token has two readings");
    assert!(
        bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'),
        "a token would need quoting in a shell or header"
    );
}

/// A header that decodes is written back to the same bytes, and asks for bounded work. Tried as it is and with its
/// checksum put right.
pub fn header(bytes: &[u8]) {
    header_as_is(bytes);
    if let Some((body, _)) = bytes.split_last_chunk::<4>() {
        header_as_is(&[body, &crc32fast::hash(body).to_be_bytes()].concat());
    }
}

fn header_as_is(bytes: &[u8]) {
    let Ok(header) = Header::decode(bytes) else { return };
    assert_eq!(header.encode(), bytes, "a header has two spellings");
    for cost in header.slots().iter().filter_map(super::slots::Slot::cost) {
        assert!(cost.memory_kib() <= 1024 * 1024 && cost.passes() <= 16 && cost.lanes() <= 16);
    }
}

/// A record opens to what was sealed or not at all. The input is read twice: as a record for some key, and as
/// key, place, mask and text of a record to be sealed and then damaged.
pub fn record(bytes: &[u8]) {
    let Ok(sealer) = keyring().map(|keyring| keyring.sealer()) else { return };
    let Some((key, rest)) = bytes.split_first_chunk::<4>() else { return };

    let shaped = rest.len() >= record::OVERHEAD && rest.starts_with(&[1, 0, 0, 0, 1]);
    assert_eq!(record::tag(rest).is_ok(), shaped, "a tag comes from a record only");
    if let Ok(opened) = sealer.open(key, rest) {
        assert_eq!(opened.plain.len() + record::OVERHEAD, rest.len());
    }

    let Some(([high, low, mask], plain)) = rest.split_first_chunk::<3>() else { return };
    let Ok(whole) = sealer.seal_with(&mut Fixed, key, 1, plain) else { return };
    let mut damaged = whole.clone();
    let place = usize::from(u16::from_be_bytes([*high, *low])) % damaged.len();
    damaged[place] ^= mask;
    match sealer.open(key, &damaged) {
        Ok(opened) => assert!(damaged == whole && opened.revision == 1 && *opened.plain == plain),
        Err(_) => assert_ne!(damaged, whole, "a whole record must open"),
    }
}

/// A PHC string that is accepted has one spelling and a bounded cost.
pub fn phc(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(phc) = text.parse::<Phc>() else { return };
    assert_eq!(phc.to_string(), text, "a PHC string has two spellings");
    let cost = phc.cost();
    assert!((19 * 1024..=1024 * 1024).contains(&cost.memory_kib()));
    assert!((2..=16).contains(&cost.passes()) && (1..=16).contains(&cost.lanes()));
}

/// A token that stands anywhere in any bytes is found, once, in whatever pieces they are read; and in pieces the same is
/// found as in one. The first bytes say where it stands and how long the pieces are.
#[cfg(feature = "console")]
pub fn scan(bytes: &[u8]) {
    let Some(([high, low, step], text)) = bytes.split_first_chunk::<3>() else { return };
    let Ok(token) = token::Token::mint(token::TokenKind::Location, &mut Fixed) else { return };
    // As long as some windows, so that all of their edges are met.
    let text = text.repeat(4 * scan::WIDE_REACH / text.len().max(1));
    let at = usize::from(u16::from_be_bytes([*high, *low])) % (text.len() + 1);
    let (before, after) = text.split_at(at);
    let whole = [before, token.bytes(), after].concat();
    if whole.starts_with(&[0xff, 0xfe]) || whole.starts_with(&[0xfe, 0xff]) {
        return;
    }
    let found = in_pieces(&whole, 0, usize::from(*step) + 1);
    let standing = whole.windows(token::LEN).filter(|window| *window == token.bytes()).count();
    let told = found.iter().filter(|(_, secret)| secret == token.bytes()).count();
    assert_eq!(told, standing, "a token is told as often as it stands there");
    assert_eq!(found, in_pieces(&whole, whole.len() + scan::WIDE_REACH, whole.len()));
}

#[cfg(feature = "console")]
fn in_pieces(text: &[u8], size: usize, step: usize) -> Vec<(Place, Vec<u8>)> {
    let mut window = Window::new(size);
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let room = window.room();
        let read = room.len().min(step).min(rest.len());
        let (now, later) = rest.split_at(read);
        room[..read].copy_from_slice(now);
        window.take(read, |place, hit| found.push((place, hit.bytes.to_vec())));
        if read == 0 {
            return found;
        }
        rest = later;
    }
}
