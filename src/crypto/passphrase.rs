//! Passphrases, and what one guess at them costs: Argon2id (RFC 9106).
//!
//! A passphrase is taken in Unicode NFC, so that "é" typed on one keyboard opens what "é" on another closed. No
//! composition rules but that it must not be all repetition, no truncation. The cost is bounded on both sides before a byte is allocated, because it is
//! read from files that somebody may have changed.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::CryptoError;
use super::mac::Subkey;
use super::strength::{WEAK_BITS, most_bits};

/// Characters a new passphrase has at least (NIST SP 800-63B, OWASP ASVS 6.2).
pub const MIN_CHARS: usize = 15;
/// Bytes a passphrase has at most, before and after normalisation.
pub const MAX_BYTES: usize = 1024;
/// Bytes of salt (RFC 9106 §4).
pub const SALT: usize = 16;

/// NFC makes UTF-8 at most three times as long (Unicode Standard Annex #15 §14): room for that from the start, so
/// that growing leaves no copies behind.
const NFC_GROWTH: usize = 3;

/// A passphrase in NFC; wiped when dropped, cannot be copied or printed.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// A passphrase somebody chooses now: at least [`MIN_CHARS`] characters, each of which they can type again. What came
    /// with them from a file unseen would shut out whoever knows the words.
    pub fn choose(text: &str) -> Result<Self, CryptoError> {
        if let Some(what) = untypable(text) {
            return Err(CryptoError::PassphraseUntypable { what });
        }
        let passphrase = Self::present(text)?;
        if passphrase.0.chars().count() < MIN_CHARS {
            return Err(CryptoError::PassphraseTooShort { min: MIN_CHARS });
        }
        // Long enough to be counted, and found in a moment: fifteen times the same letter.
        if most_bits(passphrase.bytes()) < WEAK_BITS {
            return Err(CryptoError::PassphraseSimple);
        }
        Ok(passphrase)
    }

    /// A passphrase somebody claims to know: 1 to [`MAX_BYTES`] bytes, judged by the slot alone.
    pub fn present(text: &str) -> Result<Self, CryptoError> {
        let too_long = |len: usize| len > MAX_BYTES;
        if text.is_empty() {
            return Err(CryptoError::PassphraseEmpty);
        }
        if too_long(text.len()) {
            return Err(CryptoError::PassphraseLength { max: MAX_BYTES });
        }
        let mut normal = Zeroizing::new(String::with_capacity(text.len() * NFC_GROWTH));
        normal.extend(text.nfc());
        if too_long(normal.len()) {
            return Err(CryptoError::PassphraseLength { max: MAX_BYTES });
        }
        Ok(Self(normal))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The text, for the process that owns the store to try. Only for the control socket.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// What is in a text that nobody sees or types, if anything is.
fn untypable(text: &str) -> Option<&'static str> {
    if text.starts_with('\u{feff}') {
        return Some("a byte order mark at its start, as some editors put into files");
    }
    if text.lines().count() > 1 || text.ends_with('\n') {
        return Some("more than one line");
    }
    let found = text.chars().find_map(|c| match c {
        '\r' => Some("a carriage return"),
        '\t' => Some("a tab"),
        c if c.is_control() => Some("a control character"),
        c if c.is_whitespace() && c != ' ' => Some("a blank that looks like the space bar's and is another"),
        // Not the joiners: scripts that need them have them on their keyboards.
        '\u{ad}'
        | '\u{200b}'
        | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => Some("an invisible character"),
        _ => None,
    });
    found.or_else(|| match (text.starts_with(char::is_whitespace), text.ends_with(char::is_whitespace)) {
        (true, _) => Some("a blank at its start"),
        (_, true) => Some("a blank at its end"),
        _ => None,
    })
}

/// Argon2id parameters inside the accepted range; version 0x13, output 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// For slots and exports: 64 MiB, 3 passes, 4 lanes (RFC 9106 §4, second recommended option).
    pub const SLOT: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };
    /// For imported secrets: 19 MiB, 2 passes, 1 lane (OWASP minimum). Also the least that is accepted anywhere.
    pub const IMPORTED: Self = Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 };

    const MEMORY_KIB: std::ops::RangeInclusive<u32> = 19 * 1024..=1024 * 1024;
    const PASSES: std::ops::RangeInclusive<u32> = 2..=16;
    const LANES: std::ops::RangeInclusive<u32> = 1..=16;

    /// Parameters read from somewhere: 19 MiB to 1 GiB, 2 to 16 passes, 1 to 16 lanes. Below, guessing would be
    /// cheap; above, opening would exhaust the machine.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, CryptoError> {
        if !Self::MEMORY_KIB.contains(&memory_kib) {
            return Err(CryptoError::Cost("memory must be 19 MiB to 1 GiB"));
        }
        if !Self::PASSES.contains(&passes) {
            return Err(CryptoError::Cost("passes must be 2 to 16"));
        }
        if !Self::LANES.contains(&lanes) {
            return Err(CryptoError::Cost("lanes must be 1 to 16"));
        }
        Ok(Self { memory_kib, passes, lanes })
    }

    /// Whether it is more than [`Cost::SLOT`] in memory or in time.
    pub const fn is_above_slot(self) -> bool {
        let slot = Self::SLOT;
        self.memory_kib > slot.memory_kib
            || self.memory_kib as u64 * self.passes as u64 > slot.memory_kib as u64 * slot.passes as u64
    }

    /// Memory in KiB.
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    pub const fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes.
    pub const fn lanes(self) -> u32 {
        self.lanes
    }

    /// Argon2id of `secret`: 32 bytes. Costs what the parameters say, about 150 ms for [`Cost::SLOT`].
    pub(super) fn derive(self, secret: &[u8], salt: &[u8; SALT]) -> Result<Subkey, CryptoError> {
        self.argon2id(secret, salt, &mut Workspace::default())
    }

    /// [`Cost::derive`] in memory that is used again and again.
    pub(super) fn derive_in(
        self,
        workspace: &mut Workspace,
        secret: &[u8],
        salt: &[u8; SALT],
    ) -> Result<Subkey, CryptoError> {
        self.argon2id(secret, salt, workspace)
    }

    fn argon2id(self, secret: &[u8], salt: &[u8], workspace: &mut Workspace) -> Result<Subkey, CryptoError> {
        let no_memory = CryptoError::Memory { kib: self.memory_kib };
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_| CryptoError::Cost("they are refused by Argon2"))?;
        let mut out = Subkey::blank();
        let blocks = params.block_count();
        let missing = blocks.saturating_sub(workspace.0.len());
        if workspace.0.try_reserve_exact(missing).is_err() {
            return Err(no_memory);
        }
        workspace.0.resize(blocks, Block::default());
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(secret, salt, out.bytes_mut(), &mut workspace.0)
            .map_err(|_| no_memory)?;
        Ok(out)
    }
}

/// Memory for Argon2. An allocator keeps what it was given back per thread; where many threads hash in turn, they
/// share a few of these instead.
#[derive(Default)]
pub struct Workspace(Vec<Block>);

#[cfg(test)]
mod tests {
    use argon2::{AssociatedData, ParamsBuilder};

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
    }

    /// The reference implementation's test of Argon2id v0x13 with 64 MiB, 2 passes, 1 lane.
    #[test]
    fn our_derivation_gives_the_reference_vector() {
        let cost = Cost::new(64 * 1024, 2, 1).unwrap();
        assert_eq!(
            hex(&cost.argon2id(b"password", b"somesalt", &mut Workspace::default()).unwrap()[..]),
            "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"
        );
    }

    /// RFC 9106 §5.3. Its 32 KiB are below what we accept, so this asks the crate itself.
    #[test]
    fn the_argon2_crate_gives_the_published_vector() {
        let params = ParamsBuilder::new()
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .data(AssociatedData::new(&[4; 12]).unwrap())
            .build()
            .unwrap();
        let argon2 = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
        let mut out = [0; 32];
        argon2.hash_password_into(&[1; 32], &[2; 16], &mut out).unwrap();
        assert_eq!(hex(&out), "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
    }

    #[test]
    fn a_passphrase_is_the_same_composed_and_decomposed() {
        let composed = Passphrase::choose("caf\u{e9} cr\u{e8}me et un croissant").unwrap();
        let decomposed = Passphrase::choose("cafe\u{301} cre\u{300}me et un croissant").unwrap();
        assert_eq!(composed.bytes(), decomposed.bytes());
        // Compatibility forms stay apart: NFC, not NFKC.
        assert_ne!(Passphrase::present("ﬁ").unwrap().bytes(), Passphrase::present("fi").unwrap().bytes());
    }

    #[test]
    fn a_passphrase_nobody_could_type_again_is_refused_with_what_is_in_it() {
        let words = "correct horse battery staple";
        let said = |text: &str| match Passphrase::choose(text) {
            Err(error @ CryptoError::PassphraseUntypable { .. }) => error.to_string(),
            Err(other) => panic!("{text:?}: {other}"),
            Ok(_) => panic!("{text:?} was taken"),
        };
        for (before, after, what) in [
            ("\u{feff}", "", "a byte order mark"),
            ("", "\nof another line", "more than one line"),
            ("", "\n", "more than one line"),
            ("", "\r\n", "more than one line"),
            ("", "\r", "a carriage return"),
            ("staple\r", "", "a carriage return"),
            ("\t", "", "a tab"),
            ("", "\0", "a control character"),
            ("", "\u{85}", "a control character"),
            ("", "\u{1b}[0m", "a control character"),
            ("", "\u{200b}", "an invisible character"),
            ("", "\u{feff}", "an invisible character"),
            (" ", "", "a blank at its start"),
            ("", " ", "a blank at its end"),
            ("", "\u{a0}", "a blank that looks like"),
            ("two\u{a0}words", "", "a blank that looks like"),
        ] {
            let text = format!("{before}{words}{after}");
            let said = said(&text);
            assert!(said.contains(what) && !said.contains("horse"), "{text:?}: {said}");
            assert!(Passphrase::present(&text).is_ok(), "what was chosen before goes on opening");
        }
        assert!(Passphrase::choose("\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645} \u{646}\u{627}\u{646} \u{648} \u{622}\u{628}").is_ok());
    }

    #[test]
    fn length_is_counted_in_characters_below_and_bytes_above() {
        assert!(matches!(
            Passphrase::choose("fourteen chars"),
            Err(CryptoError::PassphraseTooShort { min: 15 })
        ));
        assert!(Passphrase::choose("fifteen  chars!").is_ok());
        // 14 letters with their accents apart are 28 code points, but 14 once composed.
        let accented = |letters: &str| letters.chars().flat_map(|c| [c, '\u{301}']).collect::<String>();
        assert!(matches!(
            Passphrase::choose(&accented("eaouiueaiouaoe")),
            Err(CryptoError::PassphraseTooShort { .. })
        ));
        assert!(Passphrase::choose(&accented("eaouiueaiouaoei")).is_ok());
        assert!(Passphrase::present(&"x".repeat(1024)).is_ok());
        assert!(matches!(Passphrase::present(""), Err(CryptoError::PassphraseEmpty)));
        for wrong in [&"x".repeat(1025), &"x".repeat(1 << 20)] {
            assert!(matches!(Passphrase::present(wrong), Err(CryptoError::PassphraseLength { .. })));
        }
        // U+1D160 takes four bytes and twelve once normalised.
        assert!(Passphrase::present(&"\u{1D160}".repeat(85)).is_ok());
        assert!(Passphrase::present(&"\u{1D160}".repeat(86)).is_err());
    }

    #[test]
    fn a_passphrase_of_one_letter_or_one_word_again_and_again_is_refused() {
        for simple in
            ["aaaaaaaaaaaaaaa", "123456789012345", "abcabcabcabcabc", "passwordpassword", "qwertzuiopasdfghj"]
        {
            assert!(matches!(Passphrase::choose(simple), Err(CryptoError::PassphraseSimple)), "{simple}");
            assert!(Passphrase::present(simple).is_ok(), "what was chosen before goes on opening");
        }
        assert!(Passphrase::choose("correct horse battery staple").is_ok());
    }

    #[test]
    fn costs_outside_the_range_are_refused_before_any_memory_is_taken() {
        let floor = Cost::IMPORTED;
        assert_eq!(Cost::new(19 * 1024, 2, 1).unwrap(), floor);
        assert_eq!(Cost::new(64 * 1024, 3, 4).unwrap(), Cost::SLOT);
        for (memory, passes, lanes) in [
            (u32::MAX, 3, 4),
            (1024 * 1024 + 1, 3, 4),
            (19 * 1024 - 1, 3, 4),
            (8, 3, 4),
            (0, 3, 4),
            (65536, u32::MAX, 4),
            (65536, 17, 4),
            (65536, 1, 4),
            (65536, 0, 4),
            (65536, 3, 0),
            (65536, 3, 17),
            (65536, 3, u32::MAX),
        ] {
            assert!(matches!(Cost::new(memory, passes, lanes), Err(CryptoError::Cost(_))));
        }
    }
}
