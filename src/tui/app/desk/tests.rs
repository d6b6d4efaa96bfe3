//! Flows over the open console with two screens made for it.

mod waiting;

use std::time::Duration;

use ratatui::layout::Rect;

use super::*;
use crate::domain::{Command, KeyId, KeyState};
use crate::tui::action::{Action, Reason};
use crate::tui::app::ask::Job;
use crate::tui::app::testing::{self, Console};
use crate::tui::canvas::{Canvas, Target};
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::secret::SecretText;
use crate::tui::testing::FakeClipboard;
use crate::tui::theme::{GlyphSet, Role};

/// A screen that writes down what it hears.
struct Diary {
    keys: Vec<KeyId>,
    heard: Vec<String>,
}

impl Diary {
    fn behind(tab: Tab) -> Tabbed {
        (tab, Box::new(Self { keys: Vec::new(), heard: Vec::new() }))
    }
}

impl Screen for Diary {
    fn refresh(&mut self, look: &Look, _: &mut Vec<Ask>) {
        let now = look.now();
        self.keys = look.view(|view| {
            view.keys().filter(|key| key.state(now) == KeyState::Active).map(|key| key.id).collect()
        });
        self.keys.sort();
        self.heard.push(format!("refreshed {}", look.is_whole()));
    }

    fn arrive(&mut self, errand: Errand, _: &Look, _: &mut Vec<Ask>) {
        self.heard.push(format!("arrived {errand:?}"));
    }

    fn hear(&mut self, cue: Cue<'_>, _: &Look, _: Now, out: &mut Vec<Ask>) -> bool {
        match cue {
            Cue::Do(Action::Revoke) => out.push(Ask::Do(Job::Run {
                command: Command::revoke(self.keys[0]),
                said: "The first key is revoked".into(),
            })),
            Cue::Do(Action::Edit) => {
                out.push(Ask::Do(Job::Run {
                    command: Command::ResumeKey(self.keys[0]),
                    said: String::new(),
                }));
            }
            Cue::Do(Action::New) => out.push(Ask::open(Showing)),
            Cue::Do(Action::CopyId) => {
                out.push(Ask::Copy(SecretText::new("kdag_public_…".into()), Keep::Stays));
            }
            _ => self.heard.push(format!("{cue:?}")),
        }
        true
    }

    fn told(&mut self, answer: Answer, _: &Look, _: Now, _: &mut Vec<Ask>) {
        self.heard.push(match answer {
            Answer::Refused(_) => "told Refused".to_owned(),
            _ => "told Done".to_owned(),
        });
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, _: &Look, _: Now) {
        canvas.hit(Rect { height: 1, ..area }, Target::Header { pane: 0, column: 0 });
        for (y, line) in (area.y..area.bottom()).zip(self.heard.iter().rev()) {
            canvas.fit(area.x, y, area.width, line, Role::Text);
        }
    }

    fn hints(&self) -> &[Action] {
        &[Action::New, Action::Revoke]
    }

    fn enabled(&self, action: Action, _: &Look) -> Result<(), Reason> {
        if action == Action::Filter { Err("there is nothing to filter".into()) } else { Ok(()) }
    }
}

/// An overlay that shows a secret and holds on until it is copied.
struct Showing;

impl Overlay for Showing {
    fn name(&self) -> &'static str {
        "showing"
    }

    fn hear(&mut self, cue: Cue<'_>, _: &Look, _: Now, out: &mut Vec<Ask>) -> Heard {
        match cue {
            Cue::Do(Action::Toggle) => {
                out.push(Ask::Copy(SecretText::new("kdag_secret".into()), Keep::Leased));
                Heard::Close
            }
            Cue::Do(Action::Submit) => {
                out.push(Ask::Quit);
                Heard::Consumed
            }
            _ => Heard::Ignored,
        }
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, _: &Look, _: Now) {
        canvas.fit(area.x, area.y, area.width, "the secret is here", Role::Secret);
    }

    fn hints(&self) -> &[Action] {
        &[Action::Toggle, Action::Cancel]
    }

    fn held(&self) -> Option<Reason> {
        Some("copy it first".into())
    }

    fn loses(&self) -> Option<Reason> {
        Some("It is never shown again.".into())
    }

    fn secrecy(&self) -> Secrecy {
        Secrecy::Secret
    }
}

fn console() -> Console {
    testing::desk(vec![Diary::behind(Tab::Agency), Diary::behind(Tab::Audit)])
}

#[test]
fn the_lines_around_a_screen_tell_who_where_and_what_is_due() {
    let mut console = console();
    console
        .sees("keydeck · Acme Wellness Group")
        .sees("maria · admin · whole agency · demo")
        .sees("1 Agency keys")
        .sees("2 Audit")
        .sees("▲ 3 keys are deleted, the first in ")
        .sees_no("to see)")
        .sees("n new  X revoke  ? help");
}

#[test]
fn a_key_that_cannot_be_used_says_why_for_four_seconds() {
    let mut console = console();
    console.press("/").sees("there is nothing to filter");
    console.advance(Duration::from_secs(5)).sees_no("there is nothing to filter");
    console.press("2").sees("there is no such tab");
    console.press("6").sees("arrived None");
}

#[test]
fn what_is_done_is_said_and_a_screen_looks_again_when_it_is_seen() {
    let mut console = console();
    console.press("X").sees("The first key is revoked").sees("told Done").sees("refreshed true");
    console.press("tab").sees("arrived None");
    assert_eq!(console.screen().matches("refreshed").count(), 1, "{}", console.screen());
}

#[test]
fn a_refusal_becomes_a_sentence_that_stays() {
    let mut console = console();
    console.press("e").sees("told Refused").sees("The key is active:").sees("(backspace dismisses)");
    console.advance(Duration::from_secs(60)).sees("The key is active:");
    console.press("backspace").sees_no("The key is active:");
}

#[test]
fn a_secret_overlay_holds_wipes_and_leases() {
    let clipboard = FakeClipboard::default();
    let screens = vec![Diary::behind(Tab::Agency)];
    let mut console = testing::desk_on(testing::sample(), screens, (80, 24), &clipboard);
    console
        .press("n")
        .sees("the secret is here")
        .press("esc")
        .sees("copy it first")
        .sees("the secret is here");
    console.press("ctrl-s").sees("Quit keydeck?").sees("[ Stay ]").press("enter");
    assert_eq!((console.program().desk().unwrap().overlays(), console.wipes), (vec!["showing"], 0));
    // What it has no use for is nobody's: nothing falls through to the screen.
    console.press("down space").sees_no("the secret is here").sees_no("Do(Down)");
    console.sees("Secret copied").sees("cleared in 45 s");
    assert_eq!((console.wipes, clipboard.text().as_str()), (1, "kdag_secret"));
    console.advance(Duration::from_secs(1)).sees("cleared in 44 s");
    console.advance(Duration::from_secs(44)).sees_no("cleared in").sees("the clipboard was cleared");
    assert_eq!(clipboard.text(), "");
}

#[test]
fn the_jump_finds_an_action_by_its_words_and_says_why_not() {
    let mut console = console();
    console.press("ctrl-p").type_text("revoke the").sees("Revoke the key for good");
    console.press("enter").sees("The first key is revoked");
    console.press(":").type_text("lock the console").sees("the demo has no");
    console.press("enter").sees("the demo has no passphrase to unlock it again").press("esc");
    assert!(console.program().desk().unwrap().overlays().is_empty());
}

#[test]
fn every_key_is_found_in_whichever_part_of_all_it_lies() {
    let mut console = testing::whole_desk();
    let look = console.program().desk().unwrap().look();
    let now = look.now();
    let names: Vec<(String, String)> = look.view(|view| {
        let shown = view.keys().filter(|key| !view.is_folded(key, now));
        shown.map(|key| (key.id.to_string(), key.name.to_string())).step_by(11).collect()
    });
    assert!(names.len() > 10, "several parts");
    console.press("ctrl-k");
    for (id, name) in names {
        console.press("ctrl-u").type_text(&id).sees(&format!("key       {name}"));
    }
}

#[test]
fn what_an_older_query_finds_is_not_shown() {
    let mut console = testing::whole_desk();
    console.press("ctrl-k").stall().type_text("zzqb").sees("looking").press("ctrl-u").type_text("zzqq");
    console.go_on().sees("nothing matches").sees_no("Berlin");
    console.stall().press("ctrl-u").type_text("berlin").press("esc ctrl-k").type_text("zzqq");
    console.go_on().sees("nothing matches").sees_no("Berlin").press("esc");
    console.press("ctrl-k").stall().type_text("q").press("esc").go_on().sees_no("looking");
}

#[test]
fn the_help_lists_what_is_not_possible_with_the_reason() {
    let mut console = console();
    console
        .press("?")
        .sees("Create a key, a location or an app")
        .type_text("filter the")
        .sees("there is nothing to filter");
    console.press("ctrl-u").type_text("ctrl-z").sees("Suspend to the shell").sees_no("Move up");
    console.press("esc").sees_no("Suspend to the shell");
}

#[test]
fn an_admin_narrows_the_view_and_widens_it_again() {
    let mut console = console();
    console.press("W").sees("admin · own keys").sees("you see your own keys only");
    console.press("W").sees("admin · whole agency").sees("the audit trail notes it");
}

#[test]
fn a_paste_outside_a_field_runs_nothing() {
    let mut console = console();
    console.paste("Xq").sees("nothing here takes pasted text").sees_no("revoked");
    assert!(!console.has_quit());
    console.press("q");
    assert!(console.has_quit());
}

#[test]
fn ctrl_c_in_a_half_filled_form_asks_before_it_throws_that_away() {
    for (keys, typed, form) in [
        ("1 n", "Nightly export", "create-key"),
        ("2 n", "Berlin", "location-add"),
        ("3 n", "Kiosk", "app-form"),
    ] {
        let mut console = testing::whole_desk();
        console.press(keys).type_text(typed).press("ctrl-c").sees("What you filled in is not saved");
        assert!(!console.has_quit());
        console.press("enter").sees(typed);
        assert_eq!(console.program().desk().unwrap().overlays(), [form]);
        console.press("ctrl-c ctrl-c");
        assert!(console.has_quit());
    }
    let mut console = testing::whole_desk();
    console.press("1 n ctrl-c");
    assert!(console.has_quit(), "an empty form loses nothing");
}

#[test]
fn ctrl_c_at_an_open_question_asks_once_before_the_console_ends() {
    for (keys, question) in [
        ("1 X", "Revoke key"),
        ("1 P", "Pause key"),
        ("2 j D", "Remove location"),
        ("3 P", "Pause app"),
        ("7 esc g j enter j E", "Disable"),
    ] {
        let mut console = testing::whole_desk();
        console.press(keys).sees(question).press("ctrl-c").sees("A question is still open");
        assert!(!console.has_quit(), "{keys}");
        console.press("esc").sees(question).sees_no("Quit keydeck?").press("ctrl-c ctrl-c");
        assert!(console.has_quit(), "{keys}");
    }
}

#[test]
fn no_size_and_no_overlay_makes_drawing_fail() {
    let mut console = console();
    for keys in ["", "?", "esc ctrl-p", "esc n"] {
        console.press(keys);
        for (width, height) in [(0, 0), (1, 1), (20, 5), (40, 10), (60, 15), (80, 24), (300, 90)] {
            console.resize(width, height);
        }
    }
    console.resize(40, 10).sees("too small, need 60×15 (now 40×10)");
}

#[test]
fn one_key_leads_to_what_is_due_wherever_its_keys_are() {
    let mut console = testing::whole_desk();
    console.press("3").sees("(4 to see)").press("!").sees("What happens").sees_no("to see)");
    assert_eq!(console.program().desk().unwrap().tab(), Some(Tab::Notices));
    console.press("3").click_on("keys are deleted").sees("What happens");
}

#[test]
fn quitting_takes_a_copied_secret_back() {
    let clipboard = FakeClipboard::default();
    let screens = vec![Diary::behind(Tab::Agency)];
    let mut console = testing::desk_on(testing::sample(), screens, (80, 24), &clipboard);
    console.press("n space");
    assert_eq!(clipboard.text(), "kdag_secret");
    console.press("ctrl-c");
    assert_eq!((console.has_quit(), clipboard.text().as_str()), (true, ""));
}

/// An overlay that says when it is told something.
struct Form;

impl Overlay for Form {
    fn name(&self) -> &'static str {
        "form"
    }

    fn hear(&mut self, _: Cue<'_>, _: &Look, _: Now, _: &mut Vec<Ask>) -> Heard {
        Heard::Consumed
    }

    fn told(&mut self, _: Answer, _: &Look, _: Now, out: &mut Vec<Ask>) -> Heard {
        out.push(Ask::Complain("the form is free again".into()));
        Heard::Consumed
    }

    fn draw(&mut self, _: &mut Canvas<'_>, _: Rect, _: &Look, _: Now) {}

    fn hints(&self) -> &[Action] {
        &[]
    }
}

#[test]
fn a_list_too_long_for_one_frame_is_sorted_filtered_and_changed_as_a_short_one_is() {
    let mut console = testing::whole_desk();
    console.press("2 l").sees("Name ▲").sees_no("Looking through").press("G s n").sees("Name ▼");
    console.press("g").sees_no("No keys here").press("/").type_text("state:paused").press("enter");
    console.sees("‖ paused").sees_no("● active").press("esc").sees("● active");
    // What is done to one of many is seen at once, and the selection stays where it is.
    console.press("/").type_text("state:active").press("enter P").sees("Pause key").press("tab enter");
    console.sees("; u resumes it").press("esc").sees("‖ paused");
    console.press("u").sees("is active again");
}

#[test]
fn a_read_only_console_offers_nothing_that_changes_anything() {
    let look = testing::look(testing::sample());
    let engine = crate::engine::LookOnly::over(look.engine, &look.session);
    let look = Look { engine, read_only: true, ..look };
    let now = Now { at: Moment::default(), utc_ms: 0 };
    let mut desk = Desk::new(look, crate::tui::screens::all(), true, Capture::Taken, now);
    for tab in
        [Tab::Agency, Tab::Locations, Tab::Apps, Tab::Notices, Tab::Review, Tab::Settings].map(Action::Tab)
    {
        desk.act(tab, now, &mut Orders::new());
        for action in Action::ALL.iter().filter(|action| action.changes()) {
            let why = desk.on_screen(*action).unwrap_err().to_string();
            assert!(why.contains("--read-only"), "{tab:?} {action:?}: {why}");
        }
        assert!(desk.on_screen(Action::Help).is_ok() && desk.on_screen(Action::Quit).is_ok());
    }
}

#[test]
fn with_ascii_every_screen_draws_letters_and_ascii_and_nothing_else() {
    let mut console = testing::desk_in(GlyphSet::Ascii, crate::tui::screens::all(), (80, 24));
    for keys in
        "1, 2, 3, 4, 5, 6, 7, 1 n, esc esc y, 1 x, esc ?, esc :, esc 1 r, esc 3 n, esc esc y".split(", ")
    {
        console.press(keys).advance(Duration::from_millis(200));
        let screen = console.screen();
        let sign = screen.chars().find(|c| !c.is_ascii() && !c.is_alphabetic());
        assert_eq!(sign, None, "after {keys}:\n{screen}");
    }
}
