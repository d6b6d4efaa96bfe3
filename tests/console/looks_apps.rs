//! What the apps tab looks like, read as a person reads it: the table, an app, the wizard step by step, nothing yet,
//! and all of it in a small window. `INSTA_UPDATE=always` writes the pictures anew; they are reviewed like code.

use keydeck::engine::open::Open;
use keydeck::tui::app::testing::Console;

use super::looks::{ALL, empty, looks as looks_like, some};

/// On the apps.
#[track_caller]
fn looks(scene: &str, open: Open, sizes: &[(u16, u16)], act: impl FnOnce(&mut Console)) {
    looks_like(&format!("apps_{scene}"), open, sizes, |console| {
        console.press("3");
        act(console);
    });
}

fn details(console: &mut Console) {
    console
        .press("n")
        .type_text("Booking bot")
        .press("tab")
        .type_text("https://bot.acme.example")
        .press("tab");
    console.type_text("answers guests").press("tab space tab tab down down down tab");
    console.type_text("https://bot.acme.example/in");
}

#[test]
fn nothing_yet() {
    looks("nothing_yet", empty(), &ALL, |_| {});
}

#[test]
fn the_table() {
    looks("table", some(), &ALL, |_| {});
}

#[test]
fn one_app() {
    looks("one_app", some(), &ALL, |console| {
        console.press("enter");
    });
}

#[test]
fn a_paused_app() {
    looks("paused_app", some(), &ALL[..2], |console| {
        console.press("G enter");
    });
}

#[test]
fn the_keys_of_an_app() {
    looks("keys_of_an_app", some(), &ALL, |console| {
        console.press("l");
    });
}

#[test]
fn step_1_empty_and_with_what_is_missing_said() {
    looks("step_1_empty", empty(), &ALL, |console| {
        console.press("n");
    });
    looks("step_1_missing", empty(), &ALL[1..2], |console| {
        console.press("n ctrl-s");
    });
}

#[test]
fn step_1_filled_in() {
    looks("step_1", empty(), &ALL, details);
}

#[test]
fn step_2_scopes() {
    looks("step_2", empty(), &ALL, |console| {
        details(console);
        console.press("ctrl-s / ").type_text("contacts").press("enter down space");
    });
}

#[test]
fn step_3_the_secret_and_the_key() {
    looks("step_3_secret", empty(), &ALL, |console| {
        details(console);
        console.press("ctrl-s /").type_text("contacts.read").press("enter space ctrl-s").sees("is created");
    });
    looks("step_3_key", empty(), &ALL, |console| {
        details(console);
        console.press("ctrl-s /").type_text("contacts.read").press("enter space ctrl-s r space enter");
    });
    looks("step_3_tokens", empty(), &ALL[..2], |console| {
        details(console);
        console.press("ctrl-s down /").type_text("contacts.read").press("enter space ctrl-s");
        console.sees("is created");
    });
}

#[test]
fn how_to_call() {
    looks("how_to", some(), &ALL, |console| {
        console.press("H");
    });
}
