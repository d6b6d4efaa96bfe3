//! The console: flows on a test backend (`tui_*`), in a real terminal (`pty_*`), and a person's day with it (`day_*`).

mod day_canary;
mod day_clipboard;
mod day_person;
mod day_tmux;
mod looks;
mod looks_apps;
mod looks_rest;
mod pictures;
mod pty_console;
mod pty_soak;
mod pty_terminal;
#[path = "../support/mod.rs"]
mod support;
mod tui_apps;
mod tui_attached;
mod tui_changes;
mod tui_filter;
mod tui_hand;
mod tui_jump;
mod tui_keys;
mod tui_leak_day;
mod tui_leaks;
mod tui_lockdown;
mod tui_locked;
mod tui_many;
mod tui_notices;
mod tui_red;
mod tui_report;
mod tui_rest;
mod tui_review;
mod tui_rules;
mod tui_tail;
mod tui_uses;
