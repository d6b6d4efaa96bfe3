//! The file of a backup.
//!
//! ```text
//! keydeck backup 1\n                                  2 where it is under a passphrase of its own
//! kind (1) | length (4) | CRC-32 (4) | content     as often as there are parts, numbers big-endian, content in CBOR
//! ```
//!
//! `O` the opening, `R` rows by ascending key, `C` changes of rows in their order, `Z` the closing, `S` the SHA-256 of all
//! before it; in this order, `R` and `C` mixed. Of a row that stands in it several times the last one in a `C` counts. A
//! reader goes through it first to see that it is whole and which rows were changed, then to hand out those that were not, then
//! those that were, as they are in the end: changes stand between rows that come before them in the store. So neither side holds more than a part, and what changed while it was made.

use std::collections::HashMap;
use std::io::{self, Read, Seek, Write};

use minicbor::{Decode, Decoder, Encode};

use super::error::BackupError;
use super::{Closing, Opening, Row};
use crate::crypto::sum::Sum;
use crate::store::limits;

/// What every version begins with, before its number.
const MAGIC: &[u8] = b"keydeck backup ";
/// The version that is written.
const VERSION: &[u8] = b"1\n";
/// That of a file under a passphrase of its own: a keydeck that does not know of those shall say so.
const LOCKED: &[u8] = b"2\n";
/// Bytes of a part at most; more is refused unread. A catalog of an agency's own is the largest honest one.
const PART_MAX: u32 = 4 * 1024 * 1024;
/// Bytes of rows after which a part is closed.
const PART: usize = 256 * 1024;
/// `kind | length | CRC-32`.
const HEAD: usize = 1 + 4 + 4;

const OPENING: u8 = b'O';
const ROWS: u8 = b'R';
const CHANGES: u8 = b'C';
const CLOSING: u8 = b'Z';
const SUM: u8 = b'S';

/// Writes one.
pub struct Writer<W> {
    to: W,
    sum: Sum,
}

impl<W: Write> Writer<W> {
    /// Begins a file; `is_locked` where it will be under a passphrase of its own.
    pub fn begin(to: W, opening: &Opening, is_locked: bool) -> Result<Self, BackupError> {
        let mut writer = Self { to, sum: Sum::default() };
        writer.bytes(&[MAGIC, if is_locked { LOCKED } else { VERSION }].concat())?;
        writer.part(OPENING, opening)?;
        Ok(writer)
    }

    /// Rows by ascending key, behind those before.
    pub fn rows(&mut self, rows: Vec<Row>) -> Result<(), BackupError> {
        self.in_parts(ROWS, rows)
    }

    /// Changes, after those before.
    pub fn changes(&mut self, rows: Vec<Row>) -> Result<(), BackupError> {
        self.in_parts(CHANGES, rows)
    }

    /// Ends the file.
    pub fn close(mut self, closing: &Closing) -> Result<W, BackupError> {
        self.part(CLOSING, closing)?;
        let sum = self.sum.so_far();
        self.content(SUM, &sum)?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn in_parts(&mut self, kind: u8, rows: Vec<Row>) -> Result<(), BackupError> {
        let (mut part, mut weight) = (Vec::new(), 0);
        for row in rows {
            weight += row.key.len() + row.value.as_ref().map_or(0, Vec::len);
            part.push(row);
            if weight >= PART {
                self.part(kind, &std::mem::take(&mut part))?;
                weight = 0;
            }
        }
        if part.is_empty() { Ok(()) } else { self.part(kind, &part) }
    }

    fn part(&mut self, kind: u8, content: &impl Encode<()>) -> Result<(), BackupError> {
        let content = minicbor::to_vec(content).map_err(io::Error::other)?;
        self.content(kind, &content)
    }

    fn content(&mut self, kind: u8, content: &[u8]) -> Result<(), BackupError> {
        let too_long = || io::Error::other("a part of the backup is longer than one may be");
        let length = u32::try_from(content.len()).ok().filter(|length| *length <= PART_MAX);
        let length = length.ok_or_else(too_long)?;
        let crc = crc32fast::hash(content);
        self.bytes(&[&[kind][..], &length.to_be_bytes(), &crc.to_be_bytes()].concat())?;
        self.bytes(content)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.sum.add(bytes);
        Ok(self.to.write_all(bytes)?)
    }
}

/// What a whole file holds besides its rows, and which rows were changed while it was made.
pub struct Outline {
    /// Its beginning.
    pub opening: Opening,
    /// Its end.
    pub closing: Closing,
    /// Bytes of the file.
    pub bytes: u64,
    /// Its SHA-256.
    pub sum: [u8; 32],
    /// Rows that were changed: which of the changes was the last of each.
    changed: HashMap<Vec<u8>, u64>,
}

impl Outline {
    /// Reads a file to its end and checks that nothing is damaged, missing or out of order.
    ///
    /// # Errors
    /// When something is, where and why.
    pub fn of(from: impl Read) -> Result<Self, BackupError> {
        let mut reader = Reader::begin(from)?;
        let opening: Opening = match reader.next()? {
            Some(Content { kind: OPENING, at, bytes }) => decode(at, &bytes)?,
            _ => return Err(BackupError::damaged(0, "its beginning is missing")),
        };
        let mut last: Option<Vec<u8>> = None;
        let (mut highest, mut changes, mut changed) = (0, 0, HashMap::new());
        let (at, closing) = loop {
            let part = reader.next()?.ok_or_else(|| reader.cut())?;
            let at = part.at;
            match part.kind {
                ROWS => {
                    for row in rows_of(&part)? {
                        if row.value.is_none() || last.as_ref().is_some_and(|last| *last >= row.key) {
                            return Err(BackupError::damaged(at, "its rows are out of order"));
                        }
                        highest = highest.max(row.changed);
                        last = Some(row.key);
                    }
                }
                CHANGES => {
                    for row in rows_of(&part)? {
                        highest = highest.max(row.changed);
                        changed.insert(row.key, changes);
                        changes += 1;
                    }
                }
                CLOSING => break (at, decode::<Closing>(at, &part.bytes)?),
                _ => return Err(BackupError::damaged(at, "a part is not where it belongs")),
            }
        };
        if closing.lock.is_some() != reader.is_locked {
            return Err(BackupError::damaged(
                at,
                "its first line and its end say different things of its passphrase",
            ));
        }
        if highest > closing.rev || closing.sealed > closing.rev {
            return Err(BackupError::damaged(at, "a row is newer than the whole"));
        }
        reader.end()?;
        Ok(Self { opening, closing, bytes: reader.at, sum: reader.sum.so_far(), changed })
    }

    /// Hands out each row as it is in the end, once, and audit entries in their order: first what was not changed, then what
    /// was. How many there were. The file is read anew, and must not have become another one meanwhile.
    ///
    /// # Errors
    /// Those of `each`, and when the file cannot be read as before.
    pub fn each(
        &self,
        mut from: impl Read + Seek,
        each: &mut dyn FnMut(&Row) -> Result<(), BackupError>,
    ) -> Result<u64, BackupError> {
        let mut rows = 0;
        for kind in [ROWS, CHANGES] {
            from.rewind()?;
            let mut reader = Reader::begin(&mut from)?;
            let mut changes = 0;
            while let Some(part) = reader.next()? {
                if part.kind != kind {
                    continue;
                }
                for row in rows_of(&part)? {
                    let last = self.changed.get(&row.key);
                    let counts = if kind == ROWS { last.is_none() } else { last == Some(&changes) };
                    changes += 1;
                    if counts && row.value.is_some() {
                        each(&row)?;
                        rows += 1;
                    }
                }
            }
            if reader.sum.so_far() != self.sum {
                return Err(BackupError::damaged(0, "it changed while it was read"));
            }
        }
        Ok(rows)
    }
}

/// One part, as it was read.
struct Content {
    kind: u8,
    at: u64,
    bytes: Vec<u8>,
}

/// Reads parts one after another.
struct Reader<R> {
    from: R,
    sum: Sum,
    at: u64,
    /// Whether its first line says that it is under a passphrase of its own.
    is_locked: bool,
}

impl<R: Read> Reader<R> {
    fn begin(from: R) -> Result<Self, BackupError> {
        let mut reader = Self { from, sum: Sum::default(), at: 0, is_locked: false };
        let line = reader.take(MAGIC.len() + VERSION.len())?;
        match line.strip_prefix(MAGIC) {
            Some(VERSION) => Ok(reader),
            Some(LOCKED) => Ok(Self { is_locked: true, ..reader }),
            Some(_) => Err(BackupError::Foreign(
                "This backup is of a later version of keydeck. Put it back with that version, or a newer one.".into(),
            )),
            None => Err(BackupError::Foreign("This is no backup that keydeck made. Name the file that `keydeck backup` wrote.".into())),
        }
    }

    /// The next part; none at the end of the file.
    fn next(&mut self) -> Result<Option<Content>, BackupError> {
        let (at, before) = (self.at, self.sum.so_far());
        let head = self.take(HEAD)?;
        if head.is_empty() {
            return Ok(None);
        }
        let split = head
            .split_first()
            .and_then(|(kind, rest)| Some((*kind, rest.first_chunk::<4>()?, rest.last_chunk::<4>()?)));
        let Some((kind, length, crc)) = split.filter(|_| head.len() == HEAD) else { return Err(self.cut()) };
        let length = u32::from_be_bytes(*length);
        if length > PART_MAX {
            return Err(BackupError::damaged(at, "a part says that it is longer than one can be"));
        }
        let bytes = self.take(length as usize)?;
        if bytes.len() != length as usize {
            return Err(self.cut());
        }
        if crc32fast::hash(&bytes) != u32::from_be_bytes(*crc) {
            return Err(BackupError::damaged(at, "its checksum does not match"));
        }
        if kind == SUM && bytes != before {
            return Err(BackupError::damaged(at, "the checksum of the whole does not match"));
        }
        Ok(Some(Content { kind, at, bytes }))
    }

    /// The sum of all before it, and nothing after that.
    fn end(&mut self) -> Result<(), BackupError> {
        match self.next()? {
            Some(Content { kind: SUM, .. }) => {}
            Some(Content { at, .. }) => {
                return Err(BackupError::damaged(at, "a part is not where it belongs"));
            }
            None => return Err(self.cut()),
        }
        match self.next()? {
            None => Ok(()),
            Some(Content { at, .. }) => Err(BackupError::damaged(at, "something follows its end")),
        }
    }

    /// So many bytes, or those that are left. What is claimed is not believed: memory grows with what comes.
    fn take(&mut self, count: usize) -> Result<Vec<u8>, BackupError> {
        let mut bytes = Vec::new();
        self.from.by_ref().take(count as u64).read_to_end(&mut bytes)?;
        self.sum.add(&bytes);
        self.at += bytes.len() as u64;
        Ok(bytes)
    }

    fn cut(&self) -> BackupError {
        BackupError::damaged(self.at, "it is cut off here")
    }
}

fn decode<'b, T: Decode<'b, ()>>(at: u64, bytes: &'b [u8]) -> Result<T, BackupError> {
    let mut decoder = Decoder::new(bytes);
    let decoded = decoder.decode();
    match decoded {
        Ok(decoded) if decoder.position() == bytes.len() => Ok(decoded),
        Ok(_) => Err(BackupError::damaged(at, "something follows the content of a part")),
        Err(_) => Err(BackupError::damaged(at, "a part cannot be read by this keydeck")),
    }
}

fn rows_of(part: &Content) -> Result<Vec<Row>, BackupError> {
    let rows: Vec<Row> = decode(part.at, &part.bytes)?;
    let fits = |row: &Row| {
        (1..=limits::KEY_BYTES).contains(&row.key.len())
            && row.value.as_ref().is_none_or(|value| value.len() <= limits::VALUE_BYTES)
            && row.created <= row.changed
    };
    if rows.iter().all(fits) { Ok(rows) } else { Err(BackupError::damaged(part.at, "a row is none")) }
}

#[cfg(test)]
mod tests;
