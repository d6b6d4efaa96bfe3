//! Dates and clocks: what a date means where somebody sits, and what becomes of a store on a machine whose clock was
//! wrong.

use serde_json::Value;

use super::desk::{Desk, Said};

/// A key that ends on `date`, made by somebody in the zone `tz`.
fn key_until(desk: &Desk, tz: &str, date: &str) -> Said {
    let words = ["--key-file", "ann.key", "--json", "key", "create", "--name", date, "--agency", "--scope"];
    let words = [&words[..], &["contacts.read", "--expires", date]].concat();
    let mut command = desk.command(&words);
    command.env("TZ", tz);
    Desk::finish(command, &words, b"")
}

#[test]
fn a_date_in_los_angeles_does_not_end_on_the_afternoon_before() {
    let desk = Desk::founded();
    desk.hire("ann", "admin");
    // Rules instead of names: the machine may know no zones. The fourth puts its clocks forward at midnight, so that
    // the sixth of September begins at one o'clock there.
    for (tz, date, ends) in [
        ("PST8PDT,M3.2.0,M11.1.0", "2032-12-01", "2032-12-02T07:59:59Z"),
        ("PST8PDT,M3.2.0,M11.1.0", "2032-07-01", "2032-07-02T06:59:59Z"),
        ("<+14>-14", "2032-12-02", "2032-12-02T09:59:59Z"),
        ("<-04>4<-03>,M9.1.6/24,M4.1.6/24", "2032-09-04", "2032-09-05T03:59:59Z"),
        ("UTC0", "2032-12-03", "2032-12-03T23:59:59Z"),
    ] {
        let said = key_until(&desk, tz, date);
        assert_eq!(said.code, 0, "{said:?}");
        let key: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(key["expires_at"], ends, "{tz} {date}");
    }
    let said = desk.by_key_file("ann.key").does(&[
        "key",
        "create",
        "--name",
        "Shown",
        "--agency",
        "--scope",
        "contacts.read",
        "--expires",
        "2032-12-01",
    ]);
    assert!(said.err.contains("It expires 2032-12-01 23:59:59 +00:00 (in "), "{said:?}");
}
