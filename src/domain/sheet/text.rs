//! The text of a table, whatever a spreadsheet saved it as.

use super::Mistake;

/// Text from what spreadsheets write: UTF-8, and UTF-16 where a byte order mark says so.
pub(super) fn decode(bytes: &[u8]) -> Result<String, Mistake> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let mut text = String::with_capacity(pairs.len());
        for c in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
            let broken = |_| (line_at(&text, text.len()), "it is not UTF-16 text as it says".to_owned());
            text.push(c.map_err(broken)?);
        }
        if rest.is_empty() {
            Ok(text)
        } else {
            Err((line_at(&text, text.len()), "it ends within a character".into()))
        }
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => return wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return wide(rest, u16::from_be_bytes),
        _ => {}
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let save = "save it as UTF-8 (in a spreadsheet: CSV UTF-8)";
    match str::from_utf8(bytes) {
        Ok(text) => match text.find('\0') {
            Some(at) => Err((line_at(text, at), format!("it holds bytes that no text has; {save}"))),
            None => Ok(text.to_owned()),
        },
        Err(error) => {
            let good = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default());
            Err((line_at(&good, good.len()), format!("it is not UTF-8 text; {save}")))
        }
    }
}

/// The line on which the byte of that offset stands.
fn line_at(text: &str, offset: usize) -> u64 {
    1 + text.get(..offset).unwrap_or_default().matches('\n').count() as u64
}
