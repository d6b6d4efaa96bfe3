//! Why a notice stands on the board: since when a key is unused and who used it last, when its owner was told, when it goes
//! and what stops that; then everything about the key.

use super::rows::{Row, Sight};
use crate::domain::history::Picture;
use crate::domain::name::first_few;
use crate::domain::notice::{Trouble, What};
use crate::domain::{Key, LastUse, Trace};
use crate::tui::action::{Action, Layer};
use crate::tui::keymap::Keymap;
use crate::tui::list::page::Line;
use crate::tui::screens::keys::history::Happening;
use crate::tui::screens::keys::{detail, used};
use crate::tui::sight::seen::{Standing, locked_down};
use crate::tui::theme::{Glyphs, Role};

/// The lines. `history` and `used` are those of its key, `None` while they are not known; its use is drawn for so many cells.
pub fn lines(
    glyphs: &Glyphs,
    row: &Row,
    sight: &Sight<'_>,
    (history, used): (Option<&[Happening]>, Option<(&Picture, u16)>),
    keymap: &Keymap,
) -> Vec<Line> {
    let notice = &row.notice;
    let (badge, what) = sight.what(notice);
    let key = sight.key(notice);
    let name = key.map(|key| &key.name).or_else(|| sight.app(notice).map(|app| &app.name));
    let title = name.map_or_else(|| what.clone(), ToString::to_string);
    let mut all = vec![Line::of(Role::Title, title)];
    if name.is_some() {
        all.push(Line::of(badge.role(), format!("{} {what}", glyphs.badge(badge))));
    }
    why(&mut all, row, sight, &keymap.label(Layer::Screen, Action::Keep).unwrap_or_default());
    let times = sight.seen.times;
    if let Some(seen) = notice.seen {
        let until = seen.until.map_or_else(|| "its next step".to_owned(), |at| times.both(at));
        let who = sight.seen.view.name_of(seen.word.by);
        all.push(Line::of(
            Role::Dim,
            format!("Seen by {who} {}; not shown until {until}.", times.relative(seen.word.at)),
        ));
    }
    // Whether anybody would miss it.
    if let Some((picture, cells)) = used {
        used::lines(&mut all, picture, cells, sight.seen);
    }
    if let Some(key) = key {
        all.push(Line::blank());
        // Its name stands above, and mostly how it stands as well: then the four lines it begins with say nothing new.
        let told = match sight.seen.standing(key) {
            Standing::ExpiresSoon
            | Standing::Going(_)
            | Standing::Superseded
            | Standing::Expired
            | Standing::Deleted => 4,
            Standing::Idle(_)
            | Standing::Active
            | Standing::Paused
            | Standing::InDoubt
            | Standing::LockedDown
            | Standing::OwnerStopped
            | Standing::LocationGone
            | Standing::AppStopped
            | Standing::InGrace(_)
            | Standing::Decoy
            | Standing::Revoked => 1,
        };
        all.extend(detail::lines(glyphs, key, sight.seen, (history, None), keymap).into_iter().skip(told));
    }
    all
}

fn why(all: &mut Vec<Line>, row: &Row, sight: &Sight<'_>, keep: &str) {
    let (notice, times) = (&row.notice, sight.seen.times);
    let mut say = |text: String| all.push(Line::of(Role::Text, text));
    match notice.what {
        What::Deletion { .. } => {
            let Some(key) = sight.key(notice) else { return };
            say(unused(key, sight));
            let when = if notice.when <= sight.seen.now() {
                "Deleted by the next sweep.".to_owned()
            } else {
                format!("Deleted on {}, not before.", times.minute(notice.when))
            };
            say(format!("{when} A use stops that, and so does keeping it ({keep})."));
        }
        What::Ends => {
            say(format!(
                "Ends on {}. Putting that off leaves its token as it is.",
                times.minute(notice.when)
            ));
        }
        What::GraceEnds | What::StillUsed if notice.app.is_some() => say(format!(
            "Another secret took its place. It ends on {}, and the access tokens fetched with it. Enter goes to the app.",
            times.minute(notice.when)
        )),
        What::GraceEnds | What::StillUsed => say(format!(
            "Another took over from it. It ends on {}, as was said when it was rotated.",
            times.minute(notice.when)
        )),
        What::Ended | What::Clears => {
            say("It stays refused: issue another, and tell whoever used it.".to_owned());
            let clears = sight.key(notice).and_then(|key| sight.seen.view.clears_at(key, sight.seen.now()));
            if let Some(at) = clears {
                say(format!("Its record is cleared away on {}, not before.", times.minute(at)));
            }
        }
        What::Deleted => {
            let Some(key) = sight.key(notice) else { return };
            say(unused(key, sight));
            say(format!(
                "Until {} its record can be restored, as revoked; its secret stays dead.",
                times.minute(notice.when)
            ));
        }
        What::Presented { decoy } => {
            let seen = sight.key(notice).and_then(|key| sight.seen.trace(key)).and_then(Trace::presented);
            let whence = seen.map_or_else(String::new, |seen| format!(", from {seen}"));
            let last = format!("last on {}{whence}", times.minute(notice.when));
            say(if decoy {
                format!("It is a decoy, and somebody presents it: {last}. They are refused as if nobody had issued it: find out where its token lay.")
            } else {
                format!("It was deleted, and somebody still presents it: {last}. They are refused.")
            });
        }
        What::Restored => say("It was deleted, and its record is back. Its secret stays dead: issue another to whoever needs one.".to_owned()),
        What::Held(_) => {
            let names = first_few(sight.seen.view.held_names());
            say("More deletions for want of use are due at once than are done without a word. Enter says that they may go.".to_owned());
            if !names.is_empty() {
                say(names);
            }
        }
        What::PutBack => say(format!(
            "The store was put back from a backup of {}. What was ended since then lives again here: end it anew. No key is \
             deleted for want of use before somebody says so: Enter does.",
            times.minute(notice.when)
        )),
        What::LockedDown(extent) => {
            let stands = sight.seen.state().lockdown(extent);
            say("Enter asks whether it shall be lifted.".to_owned());
            say(locked_down(&stands.map(|stands| (extent, stands)).into_iter().collect::<Vec<_>>(), sight.seen));
        }
        What::OwnerGone(owner, _) => say(format!(
            "The access of {} was ended {}, and their keys go on working. Enter goes to them.",
            sight.seen.view.name_of(owner),
            times.relative(notice.since)
        )),
        What::Trouble(trouble) => {
            if let Some(why) = sight.troubles.why(trouble) {
                say(why.to_owned());
            }
            say(match trouble {
                Trouble::Clock => {
                    "Set the clock right, or say in Settings, Security that it is: Enter goes there."
                }
                Trouble::Doubt => "Settings, Security tells what does not agree: Enter goes there.",
                Trouble::Delivery => {
                    "What waits is tried again by itself; `keydeck notices test` tries the channels now."
                }
                Trouble::Denials
                | Trouble::Disk
                | Trouble::ReadOnly
                | Trouble::Seal
                | Trouble::Uses
                | Trouble::Sweep => "It is tried again by itself; look at the disk that holds the store.",
            }
            .to_owned());
        }
    }
}

/// Since when nobody has used a key, and who did then.
fn unused(key: &Key, sight: &Sight<'_>) -> String {
    let (seen, times) = (sight.seen, sight.seen.times);
    let usage = seen.usage(key);
    let last = seen.trace(key).and_then(|trace| trace.of_last_use(usage));
    match (seen.view.last_use(key), last) {
        (LastUse::At(at), Some(last)) => format!("Unused since {} from {last}.", times.minute(at)),
        (LastUse::At(at), None) => format!("Unused since {}.", times.minute(at)),
        (LastUse::Never, _) => format!("Never used since it was made on {}.", times.minute(key.created_at)),
        (last @ LastUse::NotKnown(_), _) => {
            format!("Whether it was used is {}.", last.words(|at| times.minute(at)))
        }
    }
}
