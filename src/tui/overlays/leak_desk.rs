//! The leak desk: paste anything, and see which secrets of keydeck's are in it, whether they work, and go to whose they are,
//! where they are replaced or ended by one key. Of what is pasted only the secrets are kept, until the store has answered.

use std::hash::{Hash as _, Hasher};

use ratatui::layout::Rect;

use crate::crypto::scan::{Kind, find};
use crate::domain::{AppId, KeyId, KeyState, Reason as Why};
use crate::engine::{Holder, Whose};
use crate::tui::action::{Action, Layer, Reason, Tab};
use crate::tui::app::ask::{Answer, Ask, Errand, Job};
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::canvas::Canvas;
use crate::tui::form::field::{Field, Slot, Took};
use crate::tui::form::manner::Enter;
use crate::tui::form::{Asking, Face, Form, Manner, Pages, Spot, Told};
use crate::tui::overlay::Heard;
use crate::tui::overlays::chooser::Chooser;
use crate::tui::router::Cue;
use crate::tui::secret::SecretText;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::picker::{PickItem, Picker};

/// Secrets that are taken in: more than anybody goes through one by one.
const MOST: usize = 200;
const NONE: &str = "no secret of keydeck's is in that";

/// What was pasted: the secrets in it and nothing else. What is typed, or comes as if it were, stands in a line.
struct Pasted {
    line: TextField,
    found: Vec<(Kind, SecretText)>,
    /// Whether anything was looked through.
    looked: bool,
}

pub struct LeakDesk {
    pasted: Pasted,
}

impl LeakDesk {
    /// Nothing pasted yet.
    pub fn new() -> Form<Self> {
        const NOTE: &str = "A log, a diff, a message, with as many lines as it has. Only the secrets in it are kept, until this \
                            closes.";
        let line = TextField::secret("Text").placeholder("paste it here").note(NOTE);
        Form::blank(Self { pasted: Pasted { line, found: Vec::new(), looked: false } })
    }
}

impl Pasted {
    fn take_in(&mut self, text: &str) {
        for hit in find(text.as_bytes(), text.len()) {
            let Ok(secret) = str::from_utf8(hit.bytes) else { continue };
            let is_new = self.found.iter().all(|(_, other)| other.expose() != secret);
            if is_new && self.found.len() < MOST {
                self.found.push((hit.kind, SecretText::new(secret.to_owned())));
            }
        }
        self.line.note = match self.found.len() {
            0 => NONE.into(),
            1 => "1 secret is in that.".into(),
            all => format!("{all} secrets are in that."),
        };
    }
}

impl Field for Pasted {
    fn hear(&mut self, cue: Cue<'_>) -> Took {
        let Cue::Paste(pasted) = cue else { return self.line.hear(cue) };
        self.take_in(pasted.0);
        self.looked = true;
        Took::Changed
    }

    fn wants_text(&self) -> bool {
        true
    }

    fn rows(&self, cells: u16, air: u16) -> u16 {
        self.line.rows(cells, air)
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, slot: Slot) {
        self.line.draw(canvas, area, slot);
    }

    fn is_wrong(&self) -> bool {
        self.line.is_wrong()
    }

    fn sign(&self, mut into: &mut dyn Hasher) {
        self.found.len().hash(&mut into);
        self.line.sign(into);
    }
}

impl Asking for LeakDesk {
    fn manner(&self) -> Manner {
        Manner {
            leaves: "Close",
            does: "Look up",
            doing: "looking up",
            leaving: "nothing is looked up yet; esc again forgets the text",
            enter: Enter::Does,
            width: 84,
            // Secrets in any hands.
            waits: false,
            ..Manner::small("leak-desk")
        }
    }

    fn fields(&mut self) -> Pages<'_> {
        vec![vec![&mut self.pasted]]
    }

    fn face(&self, _: &Look, _: Spot) -> Face {
        Face { title: "Leak desk".into(), ..Face::default() }
    }

    fn check(&mut self, _: &Look, told: Told) -> Option<String> {
        let Pasted { line, found, looked } = &mut self.pasted;
        let missing = told == Told::Whole && found.is_empty() && line.is_empty();
        line.error = missing.then(|| if *looked { NONE.to_owned() } else { "paste a text first".to_owned() });
        None
    }

    fn submit(&mut self, _: &Look) -> Result<Job, String> {
        let typed = SecretText::new(self.pasted.line.text().to_owned());
        self.pasted.take_in(typed.expose());
        if self.pasted.found.is_empty() {
            return Err(NONE.to_owned());
        }
        let found = self.pasted.found.iter().map(|(kind, secret)| (*kind, secret.duplicate()));
        Ok(Job::Whose(found.collect()))
    }

    fn done(&mut self, answer: Answer, look: &Look, _: &mut Vec<Ask>) -> Heard {
        match answer {
            Answer::Whose(told) => Heard::Replace(Box::new(found(&told, look))),
            _ => Heard::Consumed,
        }
    }
}

/// Where something is done about a secret.
#[derive(Clone)]
enum Place {
    Nowhere,
    At(Tab, Errand),
}

/// What is in the text, those that work first.
fn found(told: &[(Kind, String, Whose)], look: &Look) -> Chooser<Place> {
    let times = Times::new(look.now(), look.zone);
    let mut told: Vec<_> = told.iter().collect();
    told.sort_by_key(|(_, _, whose)| !whose.works());
    let item = |(kind, hint, whose): &(Kind, String, Whose)| {
        let words = whose.words(|at| times.relative(at));
        let (key, disabled) = match place(whose, look) {
            Ok(place) => (place, None),
            Err(why) => (Place::Nowhere, Some(why)),
        };
        PickItem { key, text: format!("{hint}  {words}"), hint: kind.title().into(), disabled }
    };
    let working = told.iter().filter(|(_, _, whose)| whose.works()).count();
    let title = format!("Leak desk: {} found, {working} working today", told.len());
    let items = told.iter().copied().map(item).collect();
    Chooser::new(title, (116, 20), Picker::new(items, "enter goes to it"), |place, _| match place {
        Place::At(tab, errand) => Ask::Go(tab, errand),
        Place::Nowhere => Ask::Say("there is nothing to go to".into()),
    })
}

/// Where it is, or why there is nothing to do there.
fn place(whose: &Whose, look: &Look) -> Result<Place, Reason> {
    match whose {
        Whose::Known(holder) => of_holder(holder, look),
        Whose::ThisStore => Ok(Place::At(Tab::Settings, Errand::None)),
        Whose::Other(_) | Whose::Nobody | Whose::NotTold(_) => Err("it opens nothing here".into()),
    }
}

fn of_holder(holder: &Holder, look: &Look) -> Result<Place, Reason> {
    if holder.refused == Some(Why::Tombstoned) {
        return Err("it was deleted and opens nothing".into());
    }
    let now = look.now();
    let (key, app) = (holder.party.id.parse::<KeyId>().ok(), holder.party.id.parse::<AppId>().ok());
    let seen = look.view(|view| {
        let key = key.and_then(|id| view.key(id)).filter(|key| key.state(now) != KeyState::Deleted);
        let app = app.and_then(|id| view.app(id)).map(|app| Place::At(Tab::Apps, Errand::App(app.id)));
        key.map(|key| Place::At(Tab::of(key.place), Errand::Key(key.id))).or(app)
    });
    seen.ok_or_else(|| {
        let whole = look.keymap.label(Layer::Screen, Action::Whole).unwrap_or_default();
        format!("it is {}'s; an admin who views the whole agency ({whole}) sees it", holder.owner).into()
    })
}
