//! Where randomness comes from: the operating system's generator and nothing else.
//!
//! It may fail, and then the command fails with nothing stored; there is no fallback. Behind a trait so that
//! tests can take it away.

use rand::TryRng;
#[expect(clippy::disallowed_types, reason = "this is the one place that draws from it")]
use rand::rngs::SysRng;
use zeroize::Zeroizing;

use super::CryptoError;

pub use crate::domain::id::BASE58;

/// Bytes at or above the largest multiple of 58 are thrown away, so that every character is equally likely.
const BASE58_LIMIT: u8 = 58 * 4;

/// A generator that rejects this often in a row is broken: the chance for a sound one is below 2^-200.
const MAX_DRAWS: usize = 64;

/// A source of unpredictable bytes.
pub trait Entropy {
    /// Fills `out` entirely or fails.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError>;
}

/// The operating system's generator.
#[derive(Debug, Default, Clone, Copy)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
        SysRng.try_fill_bytes(out).map_err(|error| CryptoError::Randomness(error.to_string()))
    }
}

/// `N` fresh random bytes.
pub fn bytes<const N: usize>(entropy: &mut (impl Entropy + ?Sized)) -> Result<[u8; N], CryptoError> {
    let mut out = [0; N];
    entropy.fill(&mut out)?;
    Ok(out)
}

/// Fills `out` with uniformly distributed Base58 characters (rejection sampling, 5.858 bits each).
pub fn base58(entropy: &mut (impl Entropy + ?Sized), out: &mut [u8]) -> Result<(), CryptoError> {
    let mut pool = Zeroizing::new([0u8; 64]);
    let mut slots = out.iter_mut();
    let Some(mut slot) = slots.next() else { return Ok(()) };
    for _ in 0..MAX_DRAWS {
        entropy.fill(&mut pool[..])?;
        for byte in pool.iter().filter(|byte| **byte < BASE58_LIMIT) {
            *slot = BASE58[usize::from(byte % 58)];
            match slots.next() {
                Some(next) => slot = next,
                None => return Ok(()),
            }
        }
    }
    Err(CryptoError::Randomness("it repeats itself".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Constant(u8);
    impl Entropy for Constant {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
            out.fill(self.0);
            Ok(())
        }
    }

    #[test]
    fn a_generator_stuck_on_rejected_bytes_is_an_error_and_not_a_hang() {
        let mut out = [0; 32];
        assert!(matches!(base58(&mut Constant(255), &mut out), Err(CryptoError::Randomness(_))));
        assert!(base58(&mut Constant(231), &mut out).is_ok());
        assert_eq!(out, [b'z'; 32]);
    }

    #[test]
    fn every_character_is_equally_likely() {
        let mut counts = [0u32; 256];
        let mut out = vec![0; 580];
        for _ in 0..200 {
            base58(&mut OsEntropy, &mut out).unwrap();
            for byte in &out {
                counts[usize::from(*byte)] += 1;
            }
        }
        // 2000 expected each, standard deviation 44: 300 is almost seven of them. The modulo bias this would
        // catch is 500.
        for byte in 0..=255u8 {
            let expected = if BASE58.contains(&byte) { 2000 } else { 0 };
            assert!(
                counts[usize::from(byte)].abs_diff(expected) < 300,
                "{byte}: {}",
                counts[usize::from(byte)]
            );
        }
    }
}
