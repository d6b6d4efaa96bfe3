//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03 §2) with the nonce chosen at random.
//!
//! 192-bit nonces need no counter: 2^80 messages under one key before a repeat becomes likely to one in 2^32.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};

/// Bytes of a nonce.
pub(super) const NONCE: usize = 24;
/// Bytes of an authentication tag.
pub(super) const TAG: usize = 16;

/// A key ready for use; wiped when dropped.
pub(super) struct Cipher(XChaCha20Poly1305);

impl Cipher {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// Encrypts `text` in place and returns its tag. `None` only beyond 256 GiB.
    pub(super) fn encrypt(&self, nonce: &[u8; NONCE], bound: &[u8], text: &mut [u8]) -> Option<[u8; TAG]> {
        self.0.encrypt_inout_detached(nonce.into(), bound, text.into()).ok().map(Into::into)
    }

    /// Checks the tag, then decrypts `text` in place. `None` leaves nothing readable behind.
    pub(super) fn decrypt(
        &self,
        nonce: &[u8; NONCE],
        bound: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG],
    ) -> Option<()> {
        self.0.decrypt_inout_detached(nonce.into(), bound, text.into(), tag.into()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::vectors::{bytes, groups, is_valid, tell, tests};

    /// draft-irtf-cfrg-xchacha-03 §A.3.1.
    #[test]
    fn the_cipher_gives_the_published_vector() {
        let plain: &[u8] =
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the \
            future, sunscreen would be it.";
        let key: [u8; 32] = std::array::from_fn(|i| 0x80 + u8::try_from(i).unwrap());
        let nonce: [u8; 24] = std::array::from_fn(|i| 0x40 + u8::try_from(i).unwrap());
        let bound = [0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7];
        let cipher = Cipher::new(&key);

        let mut text = plain.to_vec();
        let tag = cipher.encrypt(&nonce, &bound, &mut text).unwrap();
        let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        assert_eq!(
            hex(&text),
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39\
             ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9\
             21f9664c97637da9768812f615c68b13b52e"
        );
        assert_eq!(hex(&tag), "c0875924c1c7987947deafd8780acf49");

        assert!(cipher.decrypt(&nonce, &bound, &mut text, &tag).is_some());
        assert_eq!(text, plain);
    }

    /// A nonce of another length has no type here, so those vectors are refused by the compiler.
    #[test]
    fn the_cipher_opens_and_seals_as_the_vectors_say() {
        let file = "xchacha20_poly1305_test.json";
        let Some(groups) = groups(file) else { return };
        let (mut run, mut odd) = (0, Vec::new());
        for test in groups.iter().flat_map(tests) {
            run += 1;
            let sizes = (bytes(&test["key"]).try_into(), bytes(&test["iv"]).try_into());
            let (Ok(key), Ok(nonce)) = sizes else {
                assert!(!is_valid(test), "{test}");
                odd.push(test["tcId"].to_string());
                continue;
            };
            let cipher = Cipher::new(&key);
            let (bound, plain) = (bytes(&test["aad"]), bytes(&test["msg"]));
            let mut text = bytes(&test["ct"]);
            let tag = bytes(&test["tag"]).try_into().unwrap();
            let opened = cipher.decrypt(&nonce, &bound, &mut text, &tag).is_some();
            assert_eq!(opened, is_valid(test), "{test}");
            if opened {
                assert_eq!(text, plain, "{test}");
                assert_eq!(cipher.encrypt(&nonce, &bound, &mut text), Some(tag), "{test}");
                assert_eq!(text, bytes(&test["ct"]), "{test}");
            }
        }
        tell(file, run, run - odd.len(), &odd);
    }
}
