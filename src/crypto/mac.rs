//! HMAC-SHA-256 (RFC 2104, FIPS 198-1), HKDF-SHA-256 (RFC 5869) and comparison in constant time.
//!
//! Thin wrappers that fix the sizes: keys and outputs are 32 bytes, so no length can be got wrong by a caller.

use std::ops::Deref;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// A key with the first block of both passes already worked in; wiped when dropped.
#[derive(Clone)]
pub(super) struct MacKey(Hmac<Sha256>);

impl MacKey {
    /// From 32 key bytes. HMAC pads a short key with zeros to one block (RFC 2104 §2).
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let mut block = [0; 64];
        block[..32].copy_from_slice(key);
        let mac = Hmac::new((&block).into());
        block.zeroize();
        Self(mac)
    }

    /// The MAC of the parts one after another. Callers see to it that the parts cannot be cut elsewhere.
    pub(super) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Whether `expected` is the MAC of the parts, in constant time.
    pub(super) fn verify(&self, parts: &[&[u8]], expected: &[u8; 32]) -> bool {
        same(&self.mac(parts), expected)
    }
}

/// Equality that takes the same time wherever the first difference is. For lengths that are multiples of 8.
pub(super) fn same<const N: usize>(left: &[u8; N], right: &[u8; N]) -> bool {
    const { assert!(N.is_multiple_of(8)) };
    // By words: `subtle` guards each element of a slice on its own, and 32 guards cost half as much as the digest.
    let pairs = left.as_chunks::<8>().0.iter().zip(right.as_chunks::<8>().0);
    let differing = pairs.fold(0, |seen, (l, r)| seen | (u64::from_ne_bytes(*l) ^ u64::from_ne_bytes(*r)));
    differing.ct_eq(&0).into()
}

/// A derived key of 32 bytes: on the heap, so that moving it leaves no copy, and wiped when dropped.
pub struct Subkey(Box<Zeroizing<[u8; 32]>>);

impl Subkey {
    /// Zeros to be filled in.
    pub(super) fn blank() -> Self {
        Self(Box::new(Zeroizing::new([0; 32])))
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8; 32] {
        &mut self.0
    }
}

impl Deref for Subkey {
    type Target = [u8; 32];

    fn deref(&self) -> &[u8; 32] {
        &self.0
    }
}

/// HKDF-SHA-256: a key for one purpose.
pub(super) fn hkdf(salt: &[u8], secret: &[u8], info: &[&[u8]]) -> Subkey {
    let mut out = Subkey::blank();
    let expanded = Hkdf::<Sha256>::new(Some(salt), secret).expand_multi_info(info, out.bytes_mut());
    debug_assert!(expanded.is_ok(), "32 bytes are below HKDF's limit of 255 blocks");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        assert_eq!(text.len(), N * 2);
        std::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
    }

    fn padded(key: &[u8]) -> [u8; 32] {
        std::array::from_fn(|i| key.get(i).copied().unwrap_or(0))
    }

    /// RFC 4231 §4.2 to §4.5: keys of 32 bytes or fewer.
    #[test]
    fn hmac_gives_the_published_vectors() {
        let key4: Vec<u8> = (1..=25).collect();
        let cases: [(&[u8], &[u8], &str); 4] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (&key4, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        ];
        for (key, message, expected) in cases {
            let key = MacKey::new(&padded(key));
            assert!(key.verify(&[message], &hex(expected)));
            let (head, tail) = message.split_at(3);
            assert_eq!(key.mac(&[head, tail]), hex(expected));
            assert!(!key.verify(&[message, b"x"], &hex(expected)));
        }
    }

    /// RFC 5869 §A.1 and §A.3, first 32 bytes of the output.
    #[test]
    fn hkdf_gives_the_published_vectors() {
        let salt: Vec<u8> = (0..=12).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        assert_eq!(
            *hkdf(&salt, &[0x0b; 22], &[&info[..4], &info[4..]]),
            hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf")
        );
        assert_eq!(
            *hkdf(&[], &[0x0b; 22], &[]),
            hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d")
        );
    }
}
