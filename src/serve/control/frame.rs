//! Bytes on the control socket: a greeting of both sides, then frames: a length of four bytes, most significant first,
//! and so many bytes of CBOR. A length beyond the limit ends the connection before anything is allocated for it.

use std::io::{self, Read, Write};

use zeroize::Zeroizing;

use crate::domain::Outside;

/// Begins a greeting.
const MAGIC: &[u8; 6] = b"kdctl\n";
/// Counts changes of the messages within one version of keydeck.
pub const PROTOCOL: u8 = 12;
/// Bytes a request may have. The largest honest one is an app with all its addresses.
pub const REQUEST_MAX: usize = 64 * 1024;
/// Bytes the owner may send in one frame.
pub const ANSWER_MAX: usize = 64 * 1024 * 1024;
/// Room for a frame that may hold a secret: so much is there from the start that growing leaves no copies behind.
const ROOM: usize = 16 * 1024;
/// Beyond this a frame is read piece by piece, so that a length alone allocates nothing.
const AT_ONCE: usize = REQUEST_MAX;
const LENGTH: usize = 4;

/// What the other side said first.
#[derive(Debug, PartialEq, Eq)]
pub enum Greeting {
    /// The same program, the same version.
    Same,
    /// keydeck, in another version.
    Other(String),
    /// Something else.
    Foreign,
}

/// Says which program this is, and which version: commands and records of two versions need not be the same.
pub fn greet(to: &mut impl Write) -> io::Result<()> {
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    let mut bytes = MAGIC.to_vec();
    bytes.push(PROTOCOL);
    bytes.push(u8::try_from(version.len()).unwrap_or(u8::MAX));
    bytes.extend_from_slice(version);
    to.write_all(&bytes)
}

/// Hears it.
pub fn greeting(from: &mut impl Read) -> io::Result<Greeting> {
    let mut start = [0; MAGIC.len() + 2];
    from.read_exact(&mut start)?;
    let Some([protocol, length]) = start.strip_prefix(MAGIC) else { return Ok(Greeting::Foreign) };
    let mut version = vec![0; usize::from(*length)];
    from.read_exact(&mut version)?;
    if *protocol == PROTOCOL && version == env!("CARGO_PKG_VERSION").as_bytes() {
        return Ok(Greeting::Same);
    }
    let shown = String::from_utf8_lossy(&version);
    Ok(Greeting::Other(shown.chars().filter(char::is_ascii_graphic).take(32).collect()))
}

/// One message as a frame, without what recognises a secret. The buffer is wiped when dropped.
pub fn frame(message: &impl minicbor::Encode<Outside>) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
    bytes.extend_from_slice(&[0; LENGTH]);
    // Writing to a Vec has no error; the codecs here raise none of their own.
    let _ = minicbor::encode_with(message, &mut *bytes, &mut Outside);
    let length = u32::try_from(bytes.len() - LENGTH).unwrap_or(u32::MAX);
    if let Some(start) = bytes.first_chunk_mut() {
        *start = length.to_be_bytes();
    }
    bytes
}

/// The content of the next frame; `None` at the end of the connection.
pub fn read(from: &mut impl Read, limit: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut length = [0; LENGTH];
    let mut have = 0;
    while let Some(rest) = length.get_mut(have..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) if have == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => have += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a frame of {length} bytes")));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    if length <= AT_ONCE {
        bytes.resize(length, 0);
        from.read_exact(&mut bytes)?;
    } else if from.take(length as u64).read_to_end(&mut bytes)? < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(bytes))
}

/// The one message a frame holds; bytes after it are a fault.
pub fn message<'b, M: minicbor::Decode<'b, ()>>(bytes: &'b [u8]) -> Option<M> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let message = decoder.decode().ok()?;
    (decoder.position() == bytes.len()).then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else_is() {
        let bytes = frame(&"a message");
        let mut from = &bytes[..];
        let content = read(&mut from, 64).unwrap().unwrap();
        assert_eq!(message::<&str>(&content), Some("a message"));
        assert!(read(&mut from, 64).unwrap().is_none());
        assert!(read(&mut &bytes[..bytes.len() - 1], 64).is_err(), "cut off");
        assert!(read(&mut &bytes[..2], 64).is_err(), "cut off in its length");
        assert!(read(&mut &bytes[..], 9).is_err(), "too long");
        assert_eq!(message::<&str>(b"\x61a\x61b"), None, "two messages in one frame");
        assert!(read(&mut &[0xff; 8][..], ANSWER_MAX).is_err(), "four gigabytes");
        assert!(read(&mut &[3, 0, 0, 0, 1][..], ANSWER_MAX).is_err(), "50 MiB announced, one byte sent");
    }

    #[test]
    fn greetings_of_other_versions_are_told_from_those_of_strangers() {
        let mut bytes = Vec::new();
        greet(&mut bytes).unwrap();
        assert_eq!(greeting(&mut &bytes[..]).unwrap(), Greeting::Same);
        let other = b"kdctl\n\x01\x059.9.9";
        assert_eq!(greeting(&mut &other[..]).unwrap(), Greeting::Other("9.9.9".into()));
        bytes[6] += 1;
        assert!(matches!(greeting(&mut &bytes[..]).unwrap(), Greeting::Other(_)));
        assert_eq!(greeting(&mut &b"GET / HTTP/1.1\r\n"[..]).unwrap(), Greeting::Foreign);
        assert!(greeting(&mut &b"kd"[..]).is_err());
    }
}
