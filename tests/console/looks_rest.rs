//! What every screen and every overlay looks like, but those of apps: by the keys that lead there.

use keydeck::engine::open::Open;

use super::looks::{ALL, empty, looks, noticed, rotated, whole};

/// A scene, the keys that lead to it, what is typed then, and the keys after that.
type Scene = (&'static str, &'static str, &'static str, &'static str);

const SCREENS: [Scene; 22] = [
    ("agency_keys", "1", "", ""),
    ("agency_keys_detail", "1 l", "", ""),
    ("agency_keys_filtered", "1 /", "state:paused OR note:\"02:00\"", "enter"),
    ("agency_keys_mistake", "1 /", "nobody not (state:paused", ""),
    ("agency_keys_nothing_matches", "1 /", "nobody", "enter"),
    ("agency_keys_marked", "1 space space", "", ""),
    ("agency_keys_soon", "1 /", "state:due", "enter"),
    ("agency_keys_whole", "1 W", "", ""),
    ("locations", "2 g", "", ""),
    ("locations_filtered", "2 /", "gracia", "enter"),
    ("location_keys", "2 g j l", "", ""),
    ("location_keys_detail", "2 g j l l", "", ""),
    ("review", "5", "", ""),
    ("review_detail", "5 l", "", ""),
    ("audit", "6", "", ""),
    ("audit_filtered", "6 /", "key.revoke", "enter"),
    ("settings_policy", "7 esc g enter", "", ""),
    ("settings_operators", "7 esc g j enter", "", ""),
    ("settings_security", "7 esc g j j enter", "", ""),
    ("sections", "7 esc g", "", ""),
    ("apps", "3", "", ""),
    ("locked", "ctrl-x", "", ""),
];

const OVERLAYS: [Scene; 40] = [
    ("overview", "0", "", ""),
    ("help", "?", "", ""),
    ("help_searched", "? /", "revoke", "enter"),
    ("jump", ":", "", ""),
    ("jump_typed", ":", "till", ""),
    ("sort", "1 s", "", ""),
    ("columns", "1 S", "", ""),
    ("key_menu", "1 g x", "", ""),
    ("location_menu", "2 g j x", "", ""),
    ("operator_menu", "7 esc g j enter g x", "", ""),
    ("how_to", "1 g H", "", ""),
    ("tail", "1 g w", "", ""),
    ("guide", "f2", "", ""),
    ("leave_open_form", "1 n", "Half", "ctrl-c"),
    ("new_key", "1 n", "", ""),
    ("new_key_missing", "1 n ctrl-s", "", ""),
    ("new_key_life", "1 n", "Weekly", "tab tab tab"),
    ("new_location_key", "2 g j l n", "", ""),
    ("scopes", "1 g o", "", ""),
    ("key_edit", "1 g e", "", ""),
    ("protect", "1 g f", "", ""),
    ("pause", "1 g P", "", ""),
    ("pause_many", "1 g space space P", "", ""),
    ("revoke", "1 g X", "", ""),
    ("revoke_many", "1 g space space X", "", ""),
    ("delete", "1 g D", "", ""),
    ("restore", "1 W G B", "", ""),
    ("add_locations", "2 n", "Oslo", "enter"),
    ("rename_location", "2 g j e", "", ""),
    ("remove_location", "2 g j D", "", ""),
    ("add_operator", "7 esc g j enter n", "", ""),
    ("operator_role", "7 esc g j enter g j e", "", ""),
    ("operator_passphrase", "7 esc g j enter g j p", "", ""),
    ("operator_end", "7 esc g j enter g j E", "", ""),
    ("policy_edit", "7 esc g enter g e", "", ""),
    ("renew_code", "7 esc g j j enter C", "", ""),
    ("test_token", "1 t", "", ""),
    ("lock_down", "1 J", "", ""),
    ("lock_down_agency", "1 J enter", "", ""),
    ("new_key_issued", "1 n", "Weekly", "ctrl-s"),
];

const NOTICES: [Scene; 8] = [
    ("calendar", "4 #", "", ""),
    ("notices", "4", "", ""),
    ("notices_unused", "4 G", "", ""),
    ("notices_detail", "4 G l", "", ""),
    ("notices_seen", "4 /", "is:seen", "enter"),
    ("notices_later", "4 G z", "", ""),
    ("notices_held", "4 g enter", "", ""),
    ("review_unused", "5", "", ""),
];

const ROTATIONS: [Scene; 7] = [
    ("rotation", "1 g l", "", ""),
    ("rotation_waits", "1 g j l", "", ""),
    ("rotation_over", "1 G l", "", ""),
    ("rotation_ends", "4 g l", "", ""),
    ("rotate", "1 G R", "", ""),
    ("rotate_lost", "1 G L", "", ""),
    ("rotation_finish", "1 g F", "", ""),
];

fn look_at(scenes: &[Scene], at: impl Fn() -> Open) {
    for (scene, keys, text, then) in scenes {
        looks(scene, at(), &ALL, |console| {
            console.press(keys);
            if !text.is_empty() {
                console.type_text(text);
            }
            if !then.is_empty() {
                console.press(then);
            }
        });
    }
}

#[test]
fn every_screen_is_as_it_was_looked_at() {
    look_at(&SCREENS, whole);
}

#[test]
fn every_overlay_is_as_it_was_looked_at() {
    look_at(&OVERLAYS, whole);
}

#[test]
fn every_notice_is_as_it_was_looked_at() {
    look_at(&NOTICES, noticed);
}

#[test]
fn every_rotation_is_as_it_was_looked_at() {
    look_at(&ROTATIONS, rotated);
}

#[test]
fn an_agency_with_nothing_in_it_says_where_to_begin() {
    for (scene, keys) in
        [("agency_keys", "1"), ("locations", "2"), ("notices", "4"), ("review", "5"), ("audit", "6")]
    {
        looks(&format!("nothing_{scene}"), empty(), &ALL, |console| {
            console.press(keys);
        });
    }
}
