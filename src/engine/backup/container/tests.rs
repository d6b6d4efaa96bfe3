use super::*;
use crate::domain::Timestamp;

fn row(key: &str, value: Option<&str>, changed: u64) -> Row {
    Row { key: key.into(), value: value.map(Into::into), created: 1, changed }
}

fn opening() -> Opening {
    Opening { store: [7; 16], made: Timestamp(1_790_000_000_000), version: "0.1.0".into() }
}

fn closing(rev: u64) -> Closing {
    let (head, mac) = ([1; 32], [2; 32]);
    Closing {
        rev,
        seq: 3,
        head,
        sealed: rev,
        mac,
        header: vec![9; 40],
        denials: None,
        catalog: None,
        lock: None,
        sealed_lock: None,
    }
}

fn whole() -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new(), &opening(), false).unwrap();
    writer.rows(vec![row("a/1", Some("one"), 1), row("k/1", Some("old"), 2)]).unwrap();
    writer.changes(vec![row("k/1", Some("new"), 5), row("k/2", Some("gone"), 5)]).unwrap();
    writer.rows(vec![row("k/2", Some("gone"), 5), row("t/1", Some("use"), 3)]).unwrap();
    writer.changes(vec![row("k/2", None, 6)]).unwrap();
    writer.close(&closing(6)).unwrap()
}

fn read(bytes: &[u8]) -> Result<Vec<(String, String)>, BackupError> {
    let outline = Outline::of(bytes)?;
    let mut rows = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    outline.each(io::Cursor::new(bytes), &mut |row| {
        rows.push((text(&row.key), text(row.value.as_deref().unwrap_or_default())));
        Ok(())
    })?;
    Ok(rows)
}

#[test]
fn entries_come_in_their_order_whichever_page_was_read_when_the_next_was_written() {
    let mut writer = Writer::begin(Vec::new(), &opening(), false).unwrap();
    writer.rows(vec![row("a/1", Some("one"), 1)]).unwrap();
    writer.changes(vec![row("a/3", Some("three"), 3)]).unwrap();
    writer.rows(vec![row("a/2", Some("two"), 2), row("a/3", Some("three"), 3)]).unwrap();
    writer.changes(vec![row("a/4", Some("four"), 4)]).unwrap();
    let rows = read(&writer.close(&closing(4)).unwrap()).unwrap();
    let keys: Vec<&str> = rows.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["a/1", "a/2", "a/3", "a/4"]);
}

#[test]
fn each_row_comes_once_and_as_it_was_in_the_end() {
    let rows = read(&whole()).unwrap();
    let expected = [("a/1", "one"), ("t/1", "use"), ("k/1", "new")];
    assert_eq!(rows, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    let outline = Outline::of(&whole()[..]).unwrap();
    assert_eq!((&outline.opening, &outline.closing), (&opening(), &closing(6)));
    assert_eq!(outline.bytes, whole().len() as u64);
}

#[test]
fn no_byte_can_be_changed_or_missing() {
    let whole = whole();
    for at in 0..whole.len() {
        let mut bent = whole.clone();
        bent[at] ^= 1 << (at % 8);
        assert!(read(&bent).is_err(), "byte {at}");
        assert!(read(&whole[..at]).is_err(), "cut at {at}");
    }
    assert!(read(&[&whole[..], b"S"].concat()).is_err(), "something follows");
    assert!(matches!(read(b"SQLite format 3\0 and more"), Err(BackupError::Foreign(_))));
    let mut later = whole;
    later[MAGIC.len()] = b'3';
    assert!(matches!(read(&later), Err(BackupError::Foreign(why)) if why.contains("later version")));
}

#[test]
fn a_length_that_is_claimed_takes_no_memory_and_one_that_cannot_be_is_refused_unread() {
    let mut bytes = [MAGIC, VERSION, b"O"].concat();
    bytes.extend(u32::MAX.to_be_bytes());
    assert!(matches!(read(&[&bytes[..], &[0; 4]].concat()), Err(BackupError::Damaged { at: 17, .. })));
    // As long as one may be, and nothing of it is there.
    let mut bytes = [MAGIC, VERSION, b"O"].concat();
    bytes.extend(PART_MAX.to_be_bytes());
    assert!(read(&[&bytes[..], &[0; 4], b"x"].concat()).is_err());
}

#[test]
fn rows_out_of_order_and_rows_newer_than_the_whole_are_no_backup() {
    let with = |rows: Vec<Row>, rev| {
        let mut writer = Writer::begin(Vec::new(), &opening(), false).unwrap();
        writer.rows(rows).unwrap();
        read(&writer.close(&closing(rev)).unwrap())
    };
    assert!(with(vec![row("k/2", Some(""), 1), row("k/1", Some(""), 1)], 9).is_err());
    assert!(with(vec![row("k/1", Some(""), 1), row("k/1", Some(""), 1)], 9).is_err());
    assert!(with(vec![row("k/1", None, 1)], 9).is_err());
    assert!(with(vec![row("k/1", Some(""), 10)], 9).is_err());
    assert!(with(vec![Row { created: 3, ..row("k/1", Some(""), 2) }], 9).is_err());
    assert!(with(vec![row("", Some(""), 1)], 9).is_err());
    assert!(with(vec![row("k/1", Some(""), 9)], 9).is_ok());
}

#[test]
fn what_a_passphrase_was_sealed_as_is_handed_out_only_as_text_that_a_terminal_may_show() {
    let sealed = |text: &str| {
        let writer = Writer::begin(Vec::new(), &opening(), true).unwrap();
        let closing = Closing { sealed_lock: Some(text.to_owned()), lock: Some(vec![1]), ..closing(1) };
        let bytes = writer.close(&closing).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("copy");
        std::fs::write(&file, bytes).unwrap();
        crate::engine::backup::sealed_lock(&file)
    };
    let plain = "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl+/=\r\n";
    assert_eq!(sealed(plain).unwrap().as_deref(), Some(plain));
    for text in ["\u{1b}[2J", "a\u{7}", "\u{9b}31m", "a\u{202e}b", "\0", "\u{7f}"] {
        assert!(matches!(sealed(text), Err(BackupError::Unproven(_))), "{text:?}");
    }
}
