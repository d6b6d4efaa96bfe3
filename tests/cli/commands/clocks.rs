//! Dates and clocks: what a date means where somebody sits, and what becomes of a store on a machine whose clock was
//! wrong. That a clock was wrong is pretended by a file the program reads instead; only a debug build knows it.

use keydeck::domain::Timestamp;
use keydeck::domain::time::DAY_MS;
use keydeck::engine::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::support::desk::{Desk, Said};

/// A machine whose clock is so many milliseconds ahead, in a boot of that name.
struct Machine {
    desk: Desk,
}

impl Machine {
    fn new() -> Self {
        let desk = Desk::founded();
        desk.hire("ann", "admin");
        desk.hire("bob", "manager");
        Self { desk }
    }

    fn boots(&self, name: &str, ahead_ms: i64) {
        self.desk.file("clock", format!("{ahead_ms} {name}"));
    }

    fn says(&self, who: &str, words: &[&str], input: &str) -> Said {
        let key = format!("{who}.key");
        self.desk.run(&[words, &["--key-file", &key]].concat(), input)
    }

    fn does(&self, who: &str, words: &[&str]) -> Said {
        self.says(who, words, "").expect(0)
    }

    fn asks(&self, words: &[&str]) -> Value {
        self.does("ann", &[words, &["--json"]].concat()).json()
    }

    fn verifies(&self, token: &str) -> String {
        self.says("ann", &["verify"], token).out.trim_end().to_owned()
    }

    fn creates(&self, name: &str, expires: &str) -> Said {
        let words =
            ["key", "create", "--name", name, "--agency", "--scope", "contacts.read", "--expires", expires];
        self.says("ann", &words, "")
    }
}

/// The year a clock shows that is so far ahead.
fn year(ahead_ms: i64) -> String {
    Timestamp(SystemClock.read().wall.0 + ahead_ms).rfc3339()[..4].to_owned()
}

fn names(keys: &Value) -> Vec<&str> {
    keys.as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap()).collect()
}

#[test]
fn one_boot_with_a_clock_ahead_is_not_for_ever() {
    if !cfg!(debug_assertions) {
        println!("skipped: needs a debug build, which alone can be told another time");
        return;
    }
    let machine = Machine::new();
    machine.boots("first", 0);
    let thirty = machine.creates("Thirty", "30d").expect(0).out;
    let gone = machine.creates("Gone", "30d").expect(0).out;
    machine.does("ann", &["key", "revoke", "Gone", "--yes"]);
    machine.boots("second", 400 * DAY_MS);
    let seen = machine.asks(&["clock", "show"]);
    assert!(
        seen["wall"].as_str().unwrap().starts_with(&year(400 * DAY_MS)),
        "the program sees that time: {seen}"
    );
    machine.creates("Ahead", "90d").expect(0);
    assert_eq!(machine.verifies(&thirty), "deny expired");

    machine.boots("third", 0);
    let told = machine.does("ann", &["clock", "show"]).out;
    for line in [
        "Believed        no: it is 400 d",
        "behind the latest time this store has seen",
        "Over only by it Thirty",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let seen = machine.asks(&["clock", "show"]);
    assert!(seen["wall"].as_str().unwrap().starts_with(&year(0)), "{seen}");
    assert_eq!(names(&seen["expired_only_by_it"]), ["Thirty"]);
    assert_eq!(names(&seen["made_in_the_future"]), ["Ahead"]);
    assert!(machine.does("ann", &["info"]).out.contains("keydeck clock show"));
    machine.creates("Late", "30d").fails(1, "keydeck clock confirm");

    for dry in [&["clock", "confirm", "--yes"][..], &["clock", "confirm", "--dry-run"]] {
        machine.says("bob", dry, "").fails(1, "needs the role admin");
    }
    machine.does("ann", &["clock", "confirm", "--dry-run"]);
    assert_eq!(machine.verifies(&thirty), "deny expired", "nothing was changed");
    let said = machine.does("ann", &["clock", "confirm", "--yes"]);
    assert!(said.out.contains("Thirty") && said.err.contains("is believed from now on"), "{said:?}");
    assert_eq!(machine.verifies(&thirty), "allow");
    assert_eq!(machine.verifies(&gone), "deny revoked");
    let seen = machine.asks(&["clock", "show"]);
    assert_eq!((&seen["suspect"], &seen["expired_only_by_it"]), (&json!(false), &json!([])));
    assert_eq!(names(&seen["made_in_the_future"]), ["Ahead"]);
    assert!(
        machine.does("ann", &["key", "show", "Ahead"]).out.contains("in the future: the clock was wrong")
    );
    machine.creates("Late", "30d").expect(0);
    machine.says("ann", &["clock", "confirm", "--yes"], "").fails(1, "the clock is believed already");

    let trail = machine.asks(&["audit", "list", "--limit", "500"]);
    let outcomes: Vec<&str> = trail
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["event"] == "clock.confirm")
        .map(|entry| entry["outcome"].as_str().unwrap())
        .collect();
    assert!(outcomes.contains(&"done") && outcomes.contains(&"refused"), "{outcomes:?}");
    machine.boots("fourth", 60_000);
    assert_eq!(machine.asks(&["clock", "show"])["suspect"], false, "what was said is remembered");
}

#[test]
fn absurd_clocks_are_told_in_words_and_nothing_panics() {
    if !cfg!(debug_assertions) {
        println!("skipped: needs a debug build, which alone can be told another time");
        return;
    }
    let machine = Machine::new();
    let now = SystemClock.read().wall.0;
    for (boot, ahead) in [
        ("days", 55 * DAY_MS),
        ("back", -3_650 * DAY_MS),
        ("y1969", -now - DAY_MS),
        ("y1970", -now + 1_000),
        ("y2038", 2_147_483_648_000 - now),
        ("year", 400 * DAY_MS),
        ("y9999", 253_402_300_799_000 - now),
        ("y10000", 253_402_300_801_000 - now),
        ("end", i64::MAX),
        ("start", i64::MIN),
    ] {
        machine.boots(boot, ahead);
        for words in [
            &["clock", "show"][..],
            &["key", "list"],
            &["key", "create", "--name", boot, "--agency", "--scope", "contacts.read", "--expires", "90d"],
            &["clock", "confirm", "--dry-run"],
            &["audit", "verify"],
        ] {
            let said = machine.says("ann", words, "");
            assert!((0..=4).contains(&said.code) && !said.err.contains("panic"), "{boot} {said:?}");
            if boot == "y1969" || boot == "start" {
                assert!(said.code != 0 && said.err.contains("before 1970"), "{boot} {said:?}");
            }
        }
    }
    machine.boots("right", 0);
    machine.does("ann", &["clock", "confirm", "--yes"]);
    machine.creates("Right", "90d").expect(0);
    let fresh = Desk::new();
    fresh.file("clock", format!("{} early", -now - DAY_MS));
    fresh.file("maria.pass", crate::support::desk::PASSPHRASE);
    let words = ["init", "--agency", "Acme", "--operator", "maria", "--passphrase-file", "maria.pass"];
    fresh.run(&words, "").fails(3, "before 1970");
}

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

#[test]
fn a_key_nobody_uses_is_told_of_and_deleted_by_sweeps_from_cron() {
    if !cfg!(debug_assertions) {
        println!("skipped: needs a debug build, which alone can be told another time");
        return;
    }
    let machine = Machine::new();
    machine.boots("first", 0);
    let [relay, yearly, used] = ["Webhook relay", "Yearly report", "Booking widget"]
        .map(|name| machine.creates(name, "never").expect(0).out);
    machine.does("ann", &["key", "protect", "Yearly report", "--why", "runs once a year"]);
    assert!(machine.does("ann", &["sweep"]).err.contains("Nothing was due"));
    let actions = |day: i64, words: &[&str]| {
        machine.boots(&format!("day{day}"), day * DAY_MS);
        let said = machine.asks(words);
        let list = said["actions"].as_array().unwrap().clone();
        let mut list: Vec<_> = list
            .iter()
            .map(|act| format!("{} {} {}", act["action"], act["name"], act["days"]).replace('"', ""))
            .collect();
        list.sort();
        list
    };
    let sweep: &[&str] = &["sweep"];
    assert_eq!(actions(74, &["sweep", "--dry-run"]), Vec::<String>::new());
    assert_eq!(machine.says("ann", &["due"], "").expect(0).out, "");
    machine.says("ann", &["due", "--within", "30d"], "").expect(1);
    let both = ["deletion_notice Booking widget 15", "deletion_notice Webhook relay 15"];
    assert_eq!(actions(76, &["sweep", "--dry-run"]), both);
    assert_eq!(actions(76, sweep), both);
    assert_eq!(actions(76, sweep), Vec::<String>::new());
    // What is told is on the board, in the list and for monitoring; of others' keys nobody hears.
    let board = machine.asks(&["notices", "list"]);
    assert_eq!(board.as_array().unwrap().len(), 2);
    assert_eq!((&board[0]["what"], &board[0]["told"]), (&json!("deletion"), &json!(1)));
    machine.says("ann", &["due", "--within", "20d"], "").expect(1);
    machine.says("bob", &["due", "--within", "20d"], "").expect(0);
    assert!(machine.does("ann", &["key", "list"]).out.contains("◐ deleted in 15 d"));
    let keys = machine.asks(&["key", "list"]);
    let goes: Vec<bool> = keys.as_array().unwrap().iter().map(|key| key["deletes_at"].is_string()).collect();
    assert_eq!(
        (names(&keys), goes),
        (vec!["Booking widget", "Webhook relay", "Yearly report"], vec![true, true, false])
    );
    // A use ends it for one of them.
    assert_eq!(machine.verifies(&used), "allow");
    assert_eq!(
        actions(84, sweep),
        ["deletion_notice Webhook relay 7", "notices_withdrawn Booking widget null"]
    );
    assert_eq!(actions(91, sweep), ["deletion_notice Webhook relay 1"]);
    assert_eq!(actions(92, sweep), ["deleted Webhook relay null"]);
    assert_eq!(machine.verifies(&relay), "deny tombstoned");
    assert_eq!((machine.verifies(&used), machine.verifies(&yearly)), ("allow".into(), "allow".into()));
    let board = machine.asks(&["notices", "list"]);
    assert_eq!([&board[0]["what"], &board[1]["what"]], ["presented", "deleted"]);
    assert_eq!(board[0]["why"], "last from an unknown address");
    machine.creates("By hand", "never").expect(0);
    machine.does("ann", &["key", "delete", "By hand", "--yes"]);
    assert_eq!(machine.asks(&["notices", "list"]), board, "what a person deletes is no notice");
    assert_eq!(actions(123, sweep), ["purged By hand null", "purged Webhook relay null"]);
    machine.says("ann", &["key", "show", "Webhook relay"], "").expect(1);
    let trail = machine.does("ann", &["audit", "list"]).out;
    for said in ["notice.give", "key.delete-unused", "key.purge", "notice.renew", "key.protect"] {
        assert!(trail.contains(said), "{said} is not in\n{trail}");
    }
    machine.says("ann", &["audit", "verify"], "").expect(0);
    // Whose clock cannot be believed is told so, and nothing happens.
    machine.boots("day123", 400 * DAY_MS);
    for words in [sweep, &["due"]] {
        assert!(machine.says("ann", words, "").expect(1).err.contains("clock is in doubt"), "{words:?}");
    }
    // A sweep with nothing to do is enough for that.
    assert_eq!(actions(124, sweep), Vec::<String>::new());
    machine.boots("day124", 400 * DAY_MS);
    assert!(machine.says("ann", sweep, "").expect(1).err.contains("clock is in doubt"));
}

#[test]
fn a_key_that_ended_is_cleared_away_by_sweeps_from_cron_where_the_policy_has_days_for_that() {
    if !cfg!(debug_assertions) {
        println!("skipped: needs a debug build, which alone can be told another time");
        return;
    }
    let machine = Machine::new();
    machine.boots("first", 0);
    let token = machine.creates("Short", "10d").expect(0).out;
    machine.does("ann", &["policy", "set", "ended-days", "30"]);
    let action = |day: i64, words: &[&str]| {
        machine.boots(&format!("day{day}"), day * DAY_MS);
        let said = machine.asks(words);
        said["actions"].as_array().unwrap().iter().map(|act| act["action"].clone()).collect::<Vec<_>>()
    };
    let sweep: &[&str] = &["sweep"];
    assert_eq!(action(11, sweep), ["end_notice"]);
    assert_eq!(action(35, sweep), Vec::<Value>::new());
    let due = machine.says("ann", &["due", "--json"], "").expect(1).json();
    assert_eq!((&due[0]["what"], &due[0]["name"]), (&json!("clears"), &json!("Short")));
    assert!(machine.says("ann", &["due"], "").expect(1).out.contains("cleared away after its end"));
    assert!(machine.asks(&["key", "show", "Short"])["clears_at"].is_string());
    assert!(machine.does("ann", &["key", "show", "Short"]).out.contains("Cleared"));
    let dry: &[&str] = &["sweep", "--dry-run"];
    assert_eq!(action(42, dry), ["cleared"]);
    assert!(machine.does("ann", dry).out.contains("cleared away after its end"));
    assert_eq!(action(42, sweep), [json!("cleared")]);
    assert_eq!(machine.asks(&["notices", "list"]), json!([]), "its end was told");
    assert_eq!(machine.verifies(&token), "deny tombstoned");
    assert!(machine.does("ann", &["audit", "list"]).out.contains("key.clear"));
    machine.does("ann", &["key", "restore", "Short"]);
    assert_eq!(machine.verifies(&token), "deny revoked");
    assert_eq!(action(80, sweep), Vec::<Value>::new(), "what somebody restored stays");
}

/// What a sweep at that moment does or would do, for somebody in the zone `tz`.
fn swept(desk: &Desk, tz: &str, how: &[&str]) -> Vec<String> {
    let words = [&["--key-file", "ann.key", "--json", "sweep"], how].concat();
    let mut command = desk.command(&words);
    command.env("TZ", tz);
    let said = Desk::finish(command, &words, b"").expect(0).json();
    let actions = said["actions"].as_array().unwrap().iter();
    let mut done: Vec<_> =
        actions.map(|act| format!("{} {}", act["action"], act["name"]).replace('"', "")).collect();
    done.sort();
    done
}

/// Zones from one end of the day to the other, and two in which clocks are put forward or back on that day of the year.
fn zones(day_of_year: i64) -> [String; 5] {
    let (day, other) = (day_of_year, (day_of_year + 180) % 365 + 1);
    [
        "<-12>12".into(),
        "<+14>-14".into(),
        "<+0545>-5:45".into(),
        format!("<-04>4<-03>,J{day}/0,J{other}/0"),
        format!("<+1030>-10:30<+11>-11,J{other}/0,J{day}/0"),
    ]
}

#[test]
fn nothing_is_told_or_deleted_a_day_early_in_whatever_zone_the_sweep_is_run() {
    if !cfg!(debug_assertions) {
        println!("skipped: needs a debug build, which alone can be told another time");
        return;
    }
    let machine = Machine::new();
    machine.boots("first", 0);
    machine.creates("Unused", "never").expect(0);
    machine.creates("Ends", "96d").expect(0);
    machine.does("ann", &["key", "protect", "Ends", "--why", "runs once a year"]);
    let half_an_hour = DAY_MS / 48;
    for (day, expected) in [
        (75, &["deletion_notice Unused"][..]),
        (83, &["deletion_notice Unused"]),
        (89, &["deletion_notice Unused", "end_notice Ends"]),
        (90, &["deleted Unused"]),
    ] {
        let then = SystemClock.read().wall.plus_days(day).unwrap().to_utc().unwrap();
        let zones = zones(i64::from(chrono::Datelike::ordinal(&then)));
        let ms = i64::from(day) * DAY_MS;
        let (before, after) = (ms - half_an_hour, ms + half_an_hour);
        for (when, ms, zones, expected) in
            [("before", before, &zones[..], &[][..]), ("after", after, &zones[..2], expected)]
        {
            for zone in zones {
                machine.boots(&format!("{when}{day}{zone}"), ms);
                let seen = swept(&machine.desk, zone, &["--dry-run"]);
                assert_eq!(seen, expected, "half an hour {when} day {day} in {zone}");
            }
        }
        // Who sweeps is at one end of the day and then at the other.
        let zone = &zones[usize::from(day % 2 == 0)];
        assert_eq!(swept(&machine.desk, zone, &[]), expected, "day {day} in {zone}");
    }
}

#[test]
fn a_notice_that_somebody_has_seen_is_listed_with_who_and_monitoring_goes_on_naming_it() {
    let machine = Machine::new();
    machine.creates("Lead forms", "9d").expect(0);
    machine.creates("Webhook relay", "never").expect(0);
    let none = machine.says("ann", &["notices", "ack", "Lead forms"], "").expect(1);
    assert!(none.err.contains("there is no notice of Lead forms"), "{}", none.err);
    machine.boots("day3", 3 * DAY_MS);
    let board = machine.asks(&["notices", "list"]);
    assert_eq!((&board[0]["what"], &board[0]["acknowledged_by"]), (&json!("ends"), &json!(null)));
    let said = machine.does("ann", &["notices", "snooze", "Lead forms", "--for", "2d"]).err;
    assert!(said.contains("Lead forms: ends. It is not shown until") && said.contains("in 2 d"), "{said}");
    let board = machine.asks(&["notices", "list"]);
    assert_eq!(board[0]["acknowledged_by"], json!("ann"));
    assert!(board[0]["snoozed_until"].is_string());
    assert!(machine.does("ann", &["notices", "list"]).out.contains("ann, until"));
    // Whoever watches over it is not told less.
    machine.says("ann", &["due", "--within", "9d"], "").expect(1);
    machine.boots("day5", 5 * DAY_MS + 60_000);
    assert_eq!(machine.asks(&["notices", "list"])[0]["acknowledged_by"], json!(null));
    let seen = machine.asks(&["notices", "ack", "Lead forms", "--what", "ends"]);
    assert_eq!((&seen[0]["acknowledged_by"], &seen[0]["snoozed_until"]), (&json!("ann"), &json!(null)));
    let again = machine.says("ann", &["notices", "ack", "Lead forms", "--what", "ends"], "").expect(1);
    assert!(again.err.contains("said of this notice already"), "{}", again.err);
    machine.says("bob", &["notices", "ack", "Lead forms"], "").expect(1);
    for life in ["never", "soon", "2020-01-01"] {
        machine.says("ann", &["notices", "snooze", "Lead forms", "--for", life], "").expect(2);
    }
    // The next step is shown, and the trail says who put away what.
    machine.boots("day8", 8 * DAY_MS + 60_000);
    assert_eq!(machine.asks(&["notices", "list"])[0]["acknowledged_by"], json!(null));
    let trail = machine.does("ann", &["audit", "list"]).out;
    assert!(trail.contains("notice.ack") && trail.contains("notice.snooze"), "{trail}");
}

#[test]
fn a_key_is_renamed_put_off_and_told_of_when_its_owner_says() {
    let machine = Machine::new();
    machine.creates("Export", "30d").expect(0);
    let words = [
        "key",
        "edit",
        "Export",
        "--name",
        "Nightly export",
        "--expires",
        "1y",
        "--notice",
        "30d",
        "--note",
        "new host",
    ];
    machine.does("ann", &words);
    let key = machine.asks(&["key", "show", "Nightly export"]);
    assert_eq!((&key["name"], &key["note"]), (&json!("Nightly export"), &json!("new host")));
    let stale = ["key", "edit", "Nightly export", "--note", "x", "--if-rev", "0000000000000000"];
    assert!(machine.says("ann", &stale, "").expect(1).err.contains("was changed meanwhile"));
    machine.creates("Other", "30d").expect(0);
    let taken = machine.says("ann", &["key", "edit", "Other", "--name", "nightly EXPORT"], "").expect(1);
    assert!(taken.err.contains("is taken"), "{}", taken.err);
    for (words, says) in [
        (&["--expires", "2020-01-01"][..], "--expires 2020-01-01: that is not in the future."),
        (&["--notice", "400d"], "from 1 to 365 days"),
        (&["--notice", "soon"], "--notice soon: a number of days such as 30d, or policy."),
        (&[], "needs more than that"),
    ] {
        let said = machine.says("ann", &[&["key", "edit", "Other"], words].concat(), "");
        assert!(said.err.contains(says), "{words:?}: {}", said.err);
    }
    let mut edit = vec!["key", "edit", "Nightly export", "--note", "x"];
    assert!(machine.says("bob", &edit, "").expect(1).err.contains("no such key"));
    edit[4] = "new host";
    assert!(machine.says("ann", &edit, "").expect(1).err.contains("exactly so"));
}

#[test]
fn whoever_gives_a_key_away_is_told_when_it_goes_and_its_new_owner_is_shown_what_the_old_one_had_seen() {
    let machine = Machine::new();
    machine.creates("Lead forms", "9d").expect(0);
    machine.creates("Webhook relay", "never").expect(0);
    machine.desk.hire("zoe", "admin");
    machine.boots("day3", 3 * DAY_MS);
    machine.does("ann", &["notices", "ack", "Lead forms"]);
    let said = machine.does("ann", &["key", "transfer", "Lead forms", "--to", "zoe"]).err;
    assert!(said.contains("Its token is the same. It ends in 6 d."), "{said}");
    let board = machine.says("zoe", &["notices", "list", "--json"], "").expect(0).json();
    assert_eq!((&board[0]["name"], &board[0]["acknowledged_by"]), (&json!("Lead forms"), &json!(null)));
    machine.boots("day76", 76 * DAY_MS);
    machine.does("ann", &["sweep"]);
    machine.does("ann", &["notices", "ack", "Webhook relay"]);
    let said = machine.does("ann", &["key", "transfer", "Webhook relay", "--to", "zoe"]).err;
    assert!(
        said.contains("It is deleted for want of use in 15 d unless it is used; `keydeck key keep"),
        "{said}"
    );
    let board = machine.says("zoe", &["notices", "list", "--json"], "").expect(0).json();
    assert_eq!((&board[0]["name"], &board[0]["acknowledged_by"]), (&json!("Webhook relay"), &json!(null)));
    machine.does("zoe", &["notices", "ack", "Webhook relay"]);
    let said = machine.does("ann", &["operator", "disable", "zoe", "--keys", "give:ann", "--yes"]).err;
    assert!(said.contains("Of 1 of them there is a notice"), "{said}");
    assert_eq!(machine.asks(&["notices", "list"])[0]["acknowledged_by"], json!(null));
}

#[test]
fn who_puts_off_the_end_of_a_key_that_nobody_uses_is_told_that_it_is_deleted_all_the_same() {
    let machine = Machine::new();
    machine.creates("Export", "85d").expect(0);
    machine.boots("day76", 76 * DAY_MS);
    machine.does("ann", &["sweep"]);
    // It ends before it would be deleted, and nobody is told of a deletion that never comes.
    let key = machine.asks(&["key", "show", "Export"]);
    assert_eq!(key["deletes_at"], json!(null));
    assert_eq!(machine.asks(&["notices", "list"]), json!([]));
    let due = machine.does("ann", &["due", "--within", "8d"]);
    assert!(due.err.contains("Nothing is due for keys of yours."), "{due:?}");
    let said = machine.does("ann", &["key", "edit", "Export", "--expires", "1y"]).err;
    assert!(
        said.contains("is changed. Its token is the same. It is deleted for want of use in 15 d unless"),
        "{said}"
    );
    assert!(machine.does("ann", &["key", "edit", "Export", "--note", "x"]).err.ends_with("the same.\n"));
    let board = machine.asks(&["notices", "list"]);
    assert_eq!((&board[0]["what"], &board[0]["told"]), (&json!("deletion"), &json!(1)));
    for words in [["due", "--within", "9999d"], ["due", "--within", "2099-01-01"]] {
        let far = machine.says("ann", &words, "").expect(2).err;
        assert!(far.contains("more than ten years away.") && !far.contains("never"), "{far}");
    }
}

#[test]
fn deletions_that_wait_for_a_word_are_not_said_to_be_done_by_the_next_sweep() {
    if !cfg!(debug_assertions) {
        println!("skipped: needs a debug build, which alone can be told another time");
        return;
    }
    let machine = Machine::new();
    for n in 0..7 {
        machine.creates(&format!("K{n}"), "never").expect(0);
    }
    machine.desk.hire("zoe", "admin");
    for day in [75, 83, 89] {
        machine.boots(&format!("day{day}"), day * DAY_MS);
        let said = machine.does("zoe", &["sweep"]).err;
        assert!(said.contains("Besides, 7 things were due for keys of others."), "{said}");
    }
    machine.boots("day90", 90 * DAY_MS);
    let dry = machine.does("ann", &["sweep", "--dry-run"]).err;
    assert!(dry.contains("A sweep writes down how many wait") && !dry.contains("--confirm"), "{dry}");
    let swept = machine.asks(&["sweep"]);
    assert_eq!((&swept["waiting"], swept["actions"].as_array().unwrap().len()), (&json!(7), 1));
    assert_eq!(machine.asks(&["sweep"])["waiting"], json!(7), "also when nothing new is due");
    let due = machine.says("ann", &["due"], "").expect(1).out;
    assert!(due.contains("7 deletions wait for a word") && !due.contains("next sweep"), "{due}");
    let shown = machine.does("ann", &["key", "show", "K0"]).out;
    assert!(shown.contains("when an admin says so") && !shown.contains("next sweep"), "{shown}");
    machine.does("zoe", &["operator", "role", "ann", "manager"]);
    machine.does("zoe", &["key", "transfer", "K0", "--to", "zoe", "--all"]);
    let part = machine.does("ann", &["sweep"]).err;
    assert!(part.contains("6 deletions wait for a word") && part.contains("--confirm COUNT"), "{part}");
    machine.does("zoe", &["sweep", "--confirm", "7", "--yes"]);
}
