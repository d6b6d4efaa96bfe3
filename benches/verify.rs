//! How long a verification takes in process, beside the one HMAC it cannot do without.
//!
//! `cargo bench --bench verify [-- FILTER]`. Tokens are presented in the order they were minted; their ids are
//! random, so each look-up goes to another place in memory, while the token itself is at hand like that of a
//! request just read. Each call waits for the answer of the one before, as a request does: nothing overlaps that
//! would not overlap in earnest.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where its scene cannot be set")]
#![expect(clippy::print_stdout, reason = "a benchmark's table is its result")]
#![expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "figures")]

mod support;

use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use keydeck::crypto::StoreId;
use keydeck::crypto::digest::Pepper;
use keydeck::crypto::keyring::{Keyring, RootKey};
use keydeck::crypto::random::{Entropy, OsEntropy};
use keydeck::crypto::token::{self, Token, TokenKind};
use keydeck::crypto::{CryptoError, public_id};
use keydeck::domain::{
    Command, Expiry, Key, KeyId, Name, NewKey, Note, Operator, OperatorId, Place, Record, Role, ScopeId,
    Scopes, Standing, State, Status, Timestamp,
};
use keydeck::engine::clock::SystemClock;
use keydeck::engine::open::in_memory;
use keydeck::engine::{Engine, Origin, Verifier, Via};
use sha2::Sha256;
use support::{Case, Effort, compare, quick, resident, wanted};

const NOW: Timestamp = Timestamp(1_790_000_000_000);
const SETS: [&str; 4] = [
    "contacts.read",
    "contacts.read contacts.write",
    "calendars.read contacts.read opportunities.read",
    "calendars.read calendars.write contacts.read contacts.write locations.read opportunities.read",
];

type Text = [u8; token::LEN];

/// Draws from the operating system by the mebibyte: minting a million tokens one by one would take longer than
/// measuring them.
struct Pooled(Vec<u8>);

impl Entropy for Pooled {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
        if self.0.len() < out.len() {
            self.0.resize(1 << 20, 0);
            OsEntropy.fill(&mut self.0)?;
        }
        let rest = self.0.len() - out.len();
        out.copy_from_slice(&self.0[rest..]);
        self.0.truncate(rest);
        Ok(())
    }
}

struct Scene {
    verifier: Verifier,
    valid: Vec<Text>,
    unknown: Vec<Text>,
    wrong_secret: Vec<Text>,
    garbage: Vec<Text>,
}

/// CRC-32 in six Base58 digits at the end, as somebody who knows the format would write it.
fn resign(text: &mut Text) {
    let (body, digits) = text.split_at_mut(token::LEN - 6);
    let mut rest = crc32fast::hash(body);
    for digit in digits.iter_mut().rev() {
        *digit = keydeck::domain::id::BASE58[(rest % 58) as usize];
        rest /= 58;
    }
}

fn scene(keys: usize) -> Scene {
    let mut entropy = Pooled(Vec::new());
    let keyring =
        Keyring::new(RootKey::generate(&mut OsEntropy).unwrap(), StoreId::generate(&mut OsEntropy).unwrap());
    let pepper = keyring.pepper();
    let owner = OperatorId(public_id::generate(&mut OsEntropy).unwrap());
    let before = resident();
    let mut state = State::default();
    state.put(Record::Operator(Operator {
        id: owner,
        name: Name::new("maria").unwrap(),
        role: Role::Admin,
        standing: Standing::Active,
        lockdown: None,
        created_at: NOW,
    }));
    let sets: Vec<Scopes> = SETS.iter().map(|set| set.parse().unwrap()).collect();
    let mut valid = Vec::with_capacity(keys);
    for n in 0..keys {
        let token = Token::mint(TokenKind::Agency, &mut entropy).unwrap();
        state.put(Record::Key(Key {
            id: KeyId(token.id()),
            name: Name::new(&format!("Nightly export {n}")).unwrap(),
            place: Place::Agency,
            owner,
            scopes: sets[n % sets.len()].clone(),
            note: Note::default(),
            created_at: NOW,
            expiry: if n % 2 == 0 { Expiry::Never } else { Expiry::At(Timestamp(NOW.0 + 1_000_000)) },
            status: Status::Active,
            verifier: keydeck::domain::Verifier { digest: pepper.digest(token.bytes()), pepper: Pepper::NOW },
            imported: None,
            counted_from: None,
            protection: None,
            notice_days: None,
            contacts: None,
            succeeds: None,
            superseded: None,
            motive: None,
            pause_ends: None,
            handed: None,
            decoy: None,
            report_only: None,
            kept: None,
        }));
        valid.push(*token.bytes());
    }
    let with_state = resident().saturating_sub(before) - (valid.len() * token::LEN) as u64;
    let verifier = Verifier::new(keyring.pepper(), &state, Arc::default());
    let with_table = resident().saturating_sub(before) - (valid.len() * token::LEN) as u64;
    if keys >= 10_000 {
        println!(
            "\nmemory, {keys} keys: {:.0} bytes a key for the state, {:.0} with the verification table (names of {} bytes, no notes)",
            with_state as f64 / keys as f64,
            with_table as f64 / keys as f64,
            format!("Nightly export {keys}").len(),
        );
    }
    // More than are asked for in one run, so that none comes twice and finds its lines at hand.
    let strangers = keys.clamp(1_000, 700_000);
    let mint = |entropy: &mut Pooled| *Token::mint(TokenKind::Agency, entropy).unwrap().bytes();
    let unknown: Vec<Text> = (0..strangers).map(|_| mint(&mut entropy)).collect();
    let wrong_secret = (0..strangers)
        .map(|n| {
            let mut text = valid[n % valid.len()];
            text[18..].copy_from_slice(&mint(&mut entropy)[18..]);
            resign(&mut text);
            text
        })
        .collect();
    let garbage = unknown
        .iter()
        .map(|text| {
            let mut text = *text;
            let last = &mut text[token::LEN - 1];
            *last = if *last == b'z' { b'y' } else { b'z' };
            text
        })
        .collect();
    Scene { verifier, valid, unknown, wrong_secret, garbage }
}

/// Walks through texts for ever. The next place depends on the last answer, so that a call cannot begin before
/// the one in front of it is decided.
struct Walk<'a> {
    texts: &'a [Text],
    at: usize,
}

impl<'a> Walk<'a> {
    fn new(texts: &'a [Text]) -> Self {
        Self { texts, at: 0 }
    }

    /// Starts in the middle, far from the places a walk from the beginning has just visited.
    fn from_the_middle(texts: &'a [Text]) -> Self {
        Self { texts, at: texts.len() / 2 }
    }

    fn run(&mut self, n: usize, mut answer: impl FnMut(&Text) -> usize) {
        for _ in 0..n {
            // `answer` is always 1; only the processor does not know.
            self.at += answer(&self.texts[self.at]);
            if self.at >= self.texts.len() {
                self.at = 0;
            }
        }
    }
}

/// Reads lines of memory in random order, each found in the one before: what a look-up costs that hides nothing.
struct Wander {
    lines: Vec<[u64; 8]>,
    at: usize,
    step: u64,
}

impl Wander {
    /// In as much memory as `keys` slots need that are all taken.
    fn new(keys: usize) -> Self {
        let lines: Vec<[u64; 8]> =
            (0..keys.max(1) as u64).map(|n| [n.wrapping_mul(0x9E37_79B9_7F4A_7C15); 8]).collect();
        Self { lines, at: 0, step: 0 }
    }

    fn run(&mut self, n: usize) {
        for _ in 0..n {
            let line = &self.lines[self.at];
            // The step keeps the walk from falling into a short circle.
            self.step += 1;
            let next = black_box(line[0]).wrapping_add(self.step).wrapping_mul(0xD6E8_FEB8_6659_FD93);
            self.at = ((u128::from(next) * self.lines.len() as u128) >> 64) as usize;
        }
    }
}

fn in_process(keys: usize) {
    let group = format!("verify, {keys} keys");
    if !wanted(&group) {
        return;
    }
    let scene = scene(keys);
    let effort =
        if quick() { Effort { rounds: 3, batch: 2_000 } } else { Effort { rounds: 61, batch: 10_000 } };
    let wanted: [ScopeId; 1] = ["contacts.read".parse().unwrap()];
    let key = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
    let mut bare = Walk::new(&scene.valid);
    let (mut plain, mut scoped) = (Walk::new(&scene.valid), Walk::from_the_middle(&scene.valid));
    let (mut at_home, mut on_the_road) = (Walk::new(&scene.valid), Walk::from_the_middle(&scene.valid));
    let (mut by_turns, mut turn) = (Walk::from_the_middle(&scene.valid), 0_u32);
    let mut mile = 0_u32;
    let mut unknown = Walk::new(&scene.unknown);
    let mut wrong = Walk::new(&scene.wrong_secret);
    let mut garbage = Walk::new(&scene.garbage);
    let mut wander = Wander::new(scene.valid.len());
    let verifier = &scene.verifier;
    let ask = |text: &Text, wanted: &[ScopeId], allowed: bool| {
        let decision = verifier.verify(black_box(text), wanted, NOW);
        black_box(usize::from(decision.is_allow() == allowed))
    };
    let ask_from = |text: &Text, address: u32| {
        let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
        let origin = Origin { address: Some(IpAddr::V4(address.into())), agent: Some(agent.as_bytes()) };
        let decision = verifier.verify_from(black_box(text), &wanted, black_box(origin), NOW);
        black_box(usize::from(decision.is_allow()))
    };
    // Each key once before: the first use after uses were written down goes on a list, the others only count.
    scene.valid.iter().for_each(|text| assert_eq!(ask(text, &[], true), 1));
    compare(
        &group,
        effort,
        &mut [
            Case::new("HMAC-SHA-256 of 54 bytes, key precomputed", |n| {
                bare.run(n, |text| {
                    let mut mac = key.clone();
                    mac.update(black_box(&text[2..]));
                    black_box(usize::from(mac.finalize().into_bytes()[0]) | 1).min(1)
                });
            }),
            Case::new("one line of memory, as far away as a slot", |n| wander.run(n)),
            Case::new("valid", |n| plain.run(n, |text| ask(text, &[], true))),
            Case::new("valid, one scope wanted", |n| scoped.run(n, |text| ask(text, &wanted, true))),
            Case::new("the same, from one place by one program", |n| {
                at_home.run(n, |text| ask_from(text, 0xCB00_7107));
            }),
            // For its history each caller of a key is counted apart.
            Case::new("the same, from four places in turn", |n| {
                by_turns.run(n, |text| {
                    turn = turn.wrapping_add(1);
                    ask_from(text, 0xCB00_7100 | (turn & 3))
                });
            }),
            Case::new("the same, each time from another place", |n| {
                on_the_road.run(n, |text| {
                    mile += 1;
                    ask_from(text, mile)
                });
            }),
            Case::new("unknown id", |n| unknown.run(n, |text| ask(text, &[], false))),
            Case::new("wrong secret", |n| wrong.run(n, |text| ask(text, &[], false))),
            Case::new("garbage, refused by the checksum", |n| garbage.run(n, |text| ask(text, &[], false))),
        ],
    );
    two_readers(&group, effort, &scene);
}

/// The same load from two threads at once: what the table's lock costs when it is shared.
fn two_readers(group: &str, effort: Effort, scene: &Scene) {
    let half = scene.valid.len().div_ceil(2);
    let (left, right) = (&scene.valid[..half], &scene.valid[scene.valid.len() - half..]);
    let answer = |text: &Text| {
        let decision = scene.verifier.verify(black_box(text), &[], NOW);
        black_box(usize::from(decision.is_allow()))
    };
    let (mut one, mut first, mut second) = (Walk::new(left), Walk::new(left), Walk::new(right));
    compare(
        &format!("{group}, threads; processor time per call"),
        effort,
        &mut [
            Case::new("one thread", |n| one.run(n, answer)),
            Case::new("two threads at once", |n| {
                std::thread::scope(|scope| {
                    scope.spawn(|| first.run(n.div_ceil(2), answer));
                    second.run(n / 2, answer);
                });
            }),
        ],
    );
}

/// What callers of an engine pay: the same, and the look at the clocks.
fn through_the_engine() {
    let group = "through the engine, 1 key";
    if !wanted(group) {
        return;
    }
    let name = |text| Name::new(text).unwrap();
    let open =
        in_memory(name("Acme"), name("maria"), Arc::new(SystemClock), Via::CommandLine, Box::new(OsEntropy))
            .unwrap();
    let new = NewKey {
        name: name("Nightly export"),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: None,
        note: Note::default(),
        decoy: false,
    };
    let token = open.engine.execute(&open.session, Command::IssueKey(new)).unwrap().token.unwrap();
    let texts = [*token.bytes()];
    let effort =
        if quick() { Effort { rounds: 3, batch: 2_000 } } else { Effort { rounds: 61, batch: 10_000 } };
    let (mut bare, mut engine) = (Walk::new(&texts), Walk::new(&texts));
    compare(
        group,
        effort,
        &mut [
            Case::new("Verifier::verify", |n| {
                bare.run(n, |text| {
                    usize::from(open.engine.verifier().verify(black_box(text), &[], NOW).is_allow())
                });
            }),
            Case::new("Engine::verify, clocks included", |n| {
                engine.run(n, |text| usize::from(open.engine.verify(black_box(text), &[]).is_allow()));
            }),
        ],
    );
}

fn main() {
    through_the_engine();
    in_process(1);
    in_process(10_000);
    in_process(if quick() { 100_000 } else { 1_000_000 });
}
