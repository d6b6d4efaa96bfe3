//! A checksum of many bytes that come one part after another. Against damage and mistakes: whoever can write the bytes can
//! write their sum as well, so what must not be forged is sealed besides.

use sha2::{Digest as _, Sha256};

/// SHA-256 of all that was added.
#[derive(Clone, Default)]
pub struct Sum(Sha256);

impl Sum {
    /// Adds what comes next.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The sum so far.
    pub fn so_far(&self) -> [u8; 32] {
        self.0.clone().finalize().into()
    }
}

/// A SHA-256 from its 64 hex digits, in either case; `None` of anything else.
pub fn from_hex(digits: &str) -> Option<[u8; 32]> {
    let mut sum = [0; 32];
    if digits.len() != 2 * sum.len() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, pair) in sum.iter_mut().zip(digits.as_bytes().as_chunks::<2>().0) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_the_whole_however_it_comes() {
        let (mut whole, mut parts) = (Sum::default(), Sum::default());
        whole.add(b"abc");
        parts.add(b"a");
        parts.add(b"bc");
        assert_eq!(whole.so_far(), parts.so_far());
        assert_eq!(whole.so_far()[..4], [0xba, 0x78, 0x16, 0xbf]);
        let hex = whole.so_far().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat();
        assert_eq!(from_hex(&hex), Some(whole.so_far()));
        for none in ["", &hex[1..], &format!("+{}", &hex[1..])] {
            assert_eq!(from_hex(none), None);
        }
    }
}
