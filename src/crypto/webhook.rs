//! Signatures of outgoing messages as Standard Webhooks 1.0.0 has them: HMAC-SHA-256 over `id.timestamp.body` under a secret
//! of 24 to 64 bytes that sender and receiver share, in Base64.

use base64ct::{Base64, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What stands before a secret in text.
const PREFIX: &str = "whsec_";
/// Its bytes.
const LENGTH: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret that signs messages; wiped when dropped.
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

/// The text is no such secret. Nothing of it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it holds no secret of the form whsec_ and the Base64 of 24 to 64 bytes")]
pub struct BadWebhookSecret;

impl WebhookSecret {
    /// Reads `whsec_…`; blanks around it are no part of it.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, BadWebhookSecret> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(BadWebhookSecret)?;
        let bytes = Base64::decode_vec(encoded).map(Zeroizing::new).map_err(|_| BadWebhookSecret)?;
        if LENGTH.contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(BadWebhookSecret) }
    }

    /// What the header `webhook-signature` says of a message. An id has no full stop, so the three cannot be cut elsewhere.
    pub fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let mut block = Zeroizing::new([0; 64]);
        // HMAC pads a shorter key with zeros to one block (RFC 2104 §2).
        for (to, from) in block.iter_mut().zip(&*self.0) {
            *to = *from;
        }
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        format!("v1,{}", Base64::encode_string(&mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the tests of the reference libraries of Standard Webhooks.
    #[test]
    fn a_signature_is_the_one_that_others_make() {
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
        let signature =
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_is_no_secret_is_refused_and_not_repeated() {
        let long = format!("whsec_{}", Base64::encode_string(&[7; 65]));
        for text in
            ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTw==", "whsec_!", &long]
        {
            let told = WebhookSecret::parse(text).err().unwrap().to_string();
            assert!(!told.contains("MfKQ9"), "{told}");
        }
        assert!(WebhookSecret::parse(&format!("whsec_{}", Base64::encode_string(&[7; 64]))).is_ok());
    }
}
