//! A `#` in a request line. RFC 9112 §3.2 has none there, the parser takes it and drops what follows: of
//! `/verify?scope=a#scope=b` half the question would be left, of a path all that a server behind may see. Looked for in
//! the bytes as they come, since afterwards nobody can tell.

/// Bytes at the end of every request line.
const VERSIONS: [&[u8]; 2] = [b" HTTP/1.1", b" HTTP/1.0"];
const VERSION: usize = 9;

/// Where the reading of a connection stands: mostly nowhere, for the sign is rare.
#[derive(Default)]
pub struct Target {
    /// The end of what followed a `#` on its line so far.
    after: Option<Vec<u8>>,
}

impl Target {
    /// Whether a request line with the sign ends in `bytes`, which follow those of before. What only looks like one, in a
    /// header or a body, counts as well: nobody writes such a line by mistake.
    pub fn has_fragment(&mut self, mut bytes: &[u8]) -> bool {
        loop {
            let mut tail = match self.after.take() {
                Some(tail) => tail,
                None => {
                    let Some(at) = bytes.iter().position(|byte| *byte == b'#') else { return false };
                    bytes = bytes.get(at + 1..).unwrap_or_default();
                    Vec::new()
                }
            };
            let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
            tail.extend_from_slice(line.get(line.len().saturating_sub(VERSION + 1)..).unwrap_or_default());
            tail.drain(..tail.len().saturating_sub(VERSION + 1));
            let Some(rest) = bytes.get(line.len() + 1..) else {
                self.after = Some(tail);
                return false;
            };
            let end = tail.strip_suffix(b"\r").unwrap_or(&tail);
            if VERSIONS.iter().any(|version| end.ends_with(version)) {
                return true;
            }
            bytes = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_is_found_in_request_lines_however_they_are_cut_and_nowhere_else() {
        let with = [
            "GET /verify?scope=a.b#scope=c.d HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /envoy/x#/../y HTTP/1.0\n\n",
            "GET /# HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nCookie: a#b\r\n\r\nGET /## HTTP/1.1\r\n\r\n",
        ];
        let without = [
            "GET /verify HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET / HTTP/1.1\r\nCookie: a#b\r\nReferer: #\r\n\r\nGET / HTTP/1.1\r\nX-API-Key: a#1\r\n\r\n",
            "POST / HTTP/1.1\r\n\r\n#\n#HTTP/1.1\n",
        ];
        for (texts, wanted) in [(&with[..], true), (&without[..], false)] {
            for text in texts {
                for piece in 1..=text.len() {
                    let mut target = Target::default();
                    let found = text.as_bytes().chunks(piece).any(|bytes| target.has_fragment(bytes));
                    assert_eq!(found, wanted, "{text:?} in pieces of {piece}");
                }
            }
        }
    }
}
