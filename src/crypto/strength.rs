//! How many bits a secret has at most that a person or a program chose. An upper bound from the text alone: what repeats or
//! goes on as it began adds nothing, each other character adds what its alphabet has. No list of words: those of a
//! dictionary have far fewer.

/// Below, a secret is found in days at most by trying.
pub const WEAK_BITS: u32 = 40;

/// A stretch this long that stood there before is a repetition and no chance.
const REPEATED: usize = 4;
/// What lies side by side on keyboards.
const ROWS: [&[u8]; 4] = [b"qwertyuiop", b"qwertzuiop", b"asdfghjkl", b"zxcvbnm"];

/// The bits it has at most.
pub fn most_bits(secret: &[u8]) -> u32 {
    let has = |class: fn(&u8) -> bool| secret.iter().any(class);
    let alphabet = [
        (has(u8::is_ascii_digit), 10.0),
        (has(u8::is_ascii_lowercase), 26.0),
        (has(u8::is_ascii_uppercase), 26.0),
        (has(|byte| !byte.is_ascii_alphanumeric()), 33.0),
    ];
    let alphabet: f64 = alphabet.iter().filter(|(there, _)| *there).map(|(_, size)| size).sum();
    let chosen = u32::try_from(chosen(secret)).unwrap_or(u32::MAX);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below seven times the length"
    )]
    let bits = (f64::from(chosen) * alphabet.max(1.0).log2()) as u32;
    bits
}

/// How many of its characters neither repeat nor continue what stands before them.
fn chosen(secret: &[u8]) -> usize {
    let (mut at, mut chosen) = (0, 0);
    while at < secret.len() {
        let repeated = repeated(secret, at);
        if repeated >= REPEATED {
            at += repeated;
        } else {
            chosen += usize::from(!continues(secret.get(at.saturating_sub(2)..=at).unwrap_or_default()));
            at += 1;
        }
    }
    chosen
}

/// How much of what stands from there on stood there before.
fn repeated(secret: &[u8], at: usize) -> usize {
    let rest = secret.get(at..).unwrap_or_default();
    let same = |start: usize| {
        let before = secret.get(start..).unwrap_or_default();
        before.iter().zip(rest).take_while(|(before, now)| before == now).count()
    };
    (0..at).map(same).max().unwrap_or(0)
}

/// Whether the last of up to three is the one before it again, or goes on as those two did, up or down.
fn continues(last: &[u8]) -> bool {
    let [a, b, c] = last else { return matches!(last, [a, b] if a == b) };
    let even = |place: &dyn Fn(u8) -> Option<usize>| {
        let (Some(a), Some(b), Some(c)) = (place(*a), place(*b), place(*c)) else { return false };
        a.abs_diff(b) <= 1 && a + c == 2 * b
    };
    let on = |row: &[u8]| even(&|byte| row.iter().position(|key| *key == byte.to_ascii_lowercase()));
    b == c || even(&|byte| Some(byte.into())) || ROWS.iter().any(|row| on(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_repeats_or_counts_up_is_weak() {
        for (secret, most) in [
            ("", 0),
            ("4711", 13),
            ("12345678", 7),
            ("987654321987654321", 7),
            ("aaaaaaaaaaaaaaaaaaaa", 5),
            ("abcabcabcabcabcabc", 15),
            ("hunter2", 37),
            ("passwordpassword", 38),
            ("password password password", 55),
            ("qwertyuiopasdfghjkl", 19),
        ] {
            assert!(most_bits(secret.as_bytes()) <= most, "{secret}: {}", most_bits(secret.as_bytes()));
        }
        for secret in [
            "Legacy-Secret_2019!",
            "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
            "c0ffee5d7a1b4e90a3f2d86517cb29ae",
            "the cat and the dog and the bird",
        ] {
            assert!(most_bits(secret.as_bytes()) >= 80, "{secret}: {}", most_bits(secret.as_bytes()));
        }
        assert!(most_bits(b"582047193660274") >= WEAK_BITS, "fifteen digits that a machine drew");
    }
}
