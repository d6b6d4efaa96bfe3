//! Sample stores: in a directory of their own, and never over what is there.

use crate::support::desk::Desk;

#[test]
fn a_sample_store_in_a_directory_is_one_like_any_other() {
    let desk = Desk::new();
    desk.file("maria.pass", "correct horse battery staple");
    let make =
        ["demo", "--keys", "60", "--operators", "3", "--data", "many", "--passphrase-file", "maria.pass"];
    let made = desk.run(&make, "").expect(0);
    assert!(made.out.starts_with("kdrc_") && made.out.lines().count() == 1, "{made:?}");
    assert!(made.err.contains("60 keys of 3 operators are in many"), "{made:?}");
    let maria = desk.maria();
    // Those that lists leave aside too.
    let all = "state:live OR state:superseded OR state:expired OR state:revoked OR state:deleted";
    let keys = maria.does(&["key", "list", "--all", "--where", all, "--json", "--data", "many"]).json();
    assert_eq!(keys.as_array().map(Vec::len), Some(60));
    maria.does(&["audit", "verify", "--data", "many"]);

    desk.run(&make, "").fails(1, "There is something in many");
    // No code is shown, and no passphrase asked for, where nothing can be written.
    desk.file("in-the-way", "");
    let nowhere = ["demo", "--keys", "60", "--data", "in-the-way/many"];
    let refused = desk.run(&nowhere, "").expect(1);
    assert!(refused.err.contains("in-the-way: it is no directory. Nothing was made."), "{refused:?}");
    assert_eq!(refused.out, "");
    desk.run(&["demo", "--operators", "3"], "").fails(2, "--keys");
    desk.run(&["demo", "--keys", "3"], "").fails(2, "The console needs a terminal");
    desk.run(&["demo", "--keys", "3", "--operators", "1025"], "").fails(2, "from 1 to 1024");
}
