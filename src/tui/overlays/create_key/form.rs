//! The values of the form, how they depend on each other, and what is wrong with them. No drawing.

use super::for_app::{ForApp, for_app};
use crate::domain::catalog::Level;
use crate::domain::name::NAME_MAX;
use crate::domain::time::{BadExpiry, DAY_MS};
use crate::domain::{Command, Expiry, LocationId, Name, NewKey, Note, Place, Policy, Refusal, ScopeId};
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::overlays::scope_tree::{self, Reach};
use crate::tui::router::Edit;
use crate::tui::sight::deeds;
use crate::tui::sight::seen::{Seen, seen};
use crate::tui::sight::subset::Subset;
use crate::tui::widgets::choice::{Reading, TypedChoice};
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::tree::TreeState;

/// Where the keyboard can be, in the order of Tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The name.
    Name,
    /// Agency or location.
    Kind,
    /// Which location.
    Location,
    /// When it stops working.
    Expires,
    /// What it is for.
    Note,
    /// A ready choice of scopes.
    Preset,
    /// The tree.
    Scopes,
    /// What becomes of the other keys of an app.
    Others,
    /// The button.
    Issue,
    /// The other button.
    Cancel,
}

impl Stop {
    /// All, in the order of Tab; a field's number for the mouse is its place here.
    pub const ALL: [Self; 10] = [
        Self::Name,
        Self::Kind,
        Self::Location,
        Self::Expires,
        Self::Note,
        Self::Others,
        Self::Preset,
        Self::Scopes,
        Self::Issue,
        Self::Cancel,
    ];

    /// Its number for the mouse.
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|stop| *stop == self).unwrap_or(0)
    }

    /// Whether it is about what the key may do, rather than what it is.
    pub const fn is_about_scopes(self) -> bool {
        matches!(self, Self::Preset | Self::Scopes | Self::Issue | Self::Cancel)
    }
}

/// The kind of the key, before a location is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of the agency.
    Agency,
    /// Of a location.
    Location,
    /// Of an app.
    App,
}

/// What is wrong, by field.
#[derive(Debug, Default)]
pub struct Problems {
    /// With the location.
    pub location: Option<String>,
    /// With the scopes.
    pub scopes: Option<String>,
    /// With the wish as a whole: role, quota.
    pub whole: Option<String>,
}

/// The values.
pub struct Form {
    /// The name.
    pub name: TextField,
    /// The kind.
    pub kind: Kind,
    /// The location and its name.
    pub location: Option<(LocationId, String)>,
    /// The app, for a key of one.
    pub app: Option<ForApp>,
    /// The life; `None` takes the policy's default.
    pub expires: TypedChoice<Option<Expiry>>,
    /// The note.
    pub note: TextField,
    /// The preset chosen last, and its scopes.
    pub preset: Option<(String, Vec<ScopeId>)>,
    /// The scopes.
    pub tree: TreeState<ScopeId>,
    /// What is wrong.
    pub problems: Problems,
    /// What the engine said, when no field is to blame.
    pub refused: Option<String>,
    /// Whether somebody tried to finish: only then are empty fields told.
    pub tried: bool,
}

impl Form {
    /// An empty form for keys of `subset`.
    pub fn new(look: &Look, subset: Subset) -> Self {
        let (kind, place) = match subset {
            Subset::Agency => (Kind::Agency, None),
            Subset::Locations => (Kind::Location, None),
            Subset::At(id) => (Kind::Location, Some(id)),
            Subset::Apps | Subset::Of(_) => (Kind::App, None),
        };
        let app = match subset {
            Subset::Of(id) => for_app(look, id),
            _ => None,
        };
        let location =
            place.and_then(|id| look.view(|view| view.location(id).map(|l| (id, l.name.to_string()))));
        let mut name = TextField::new("Name").placeholder("what uses it, such as Nightly export");
        if let Some(app) = &app {
            name.set(&app.offered);
        }
        let note = TextField::new("Note").placeholder("who runs it, where it is kept");
        let mut form = Self {
            name,
            kind,
            location,
            expires: expires(look, kind),
            note,
            preset: None,
            tree: match &app {
                // What the app may do its key may do, unless somebody says less.
                Some(app) => scope_tree::tree(
                    look.engine.catalog(),
                    Reach::within_app(&app.scopes),
                    app.scopes.iter().cloned(),
                    None,
                ),
                None => scope_tree::tree(look.engine.catalog(), Reach::key(level_of(kind)), [], None),
            },
            app,
            problems: Problems::default(),
            refused: None,
            tried: false,
        };
        form.check(look);
        form
    }

    /// Where the keyboard can be now.
    pub fn stops(&self) -> Vec<Stop> {
        let here = |stop: &Stop| match stop {
            Stop::Kind | Stop::Preset => self.kind != Kind::App,
            Stop::Location => self.kind == Kind::Location,
            Stop::Others => self.app.as_ref().is_some_and(|app| !app.others.is_empty()),
            _ => true,
        };
        Stop::ALL.into_iter().filter(here).collect()
    }

    /// The catalog's level of the key.
    pub const fn level(&self) -> Level {
        level_of(self.kind)
    }

    /// Whether something was put in that would be lost.
    pub fn is_begun(&self) -> bool {
        if let Some(app) = &self.app {
            let as_offered = self.tree.ticked().iter().eq(app.scopes.iter());
            return self.name.text() != app.offered || !self.note.is_empty() || !as_offered || app.retire;
        }
        !self.name.is_empty() || !self.note.is_empty() || !self.tree.ticked().is_empty()
    }

    /// Changes the kind. Scopes that the other kind may hold stay; says how many could not. `Err` says why the
    /// operator may not issue such keys.
    pub fn choose_kind(&mut self, kind: Kind, look: &Look) -> Result<Option<String>, String> {
        let catalog = look.engine.catalog();
        let probe = match kind {
            Kind::Agency => Some(Place::Agency),
            Kind::Location => look.view(|view| view.locations().first().map(|l| Place::Location(l.id))),
            Kind::App => return Ok(None),
        };
        let Some(place) = probe else { return Err("there is no location yet; add one first".to_owned()) };
        seen(look, |seen| deeds::may_issue(place, seen, catalog)).map_err(|refusal| refusal.to_string())?;
        self.kind = kind;
        self.renew_expires(look);
        let before = self.tree.ticked().clone();
        self.tree = scope_tree::tree(catalog, Reach::key(self.level()), before.iter().cloned(), None);
        self.preset = None;
        let lost = before.len() - self.tree.ticked().len();
        let which = if kind == Kind::Agency { "agency" } else { "location" };
        Ok(match lost {
            0 => None,
            1 => Some(format!("1 scope is not for {which} keys and was left out")),
            n => Some(format!("{n} scopes are not for {which} keys and were left out")),
        })
    }

    /// Chooses the location.
    pub fn choose_location(&mut self, location: LocationId, name: String) {
        self.location = Some((location, name));
    }

    /// Ticks what a preset holds and nothing else; says how much was ticked before.
    pub fn choose_preset(&mut self, id: &str, look: &Look) -> Option<String> {
        let catalog = look.engine.catalog();
        let preset = catalog.preset(id)?;
        let before = self.tree.ticked().len();
        let scopes: Vec<ScopeId> = preset.scopes.iter().cloned().collect();
        self.tree = scope_tree::tree(catalog, Reach::key(self.level()), scopes.iter().cloned(), None);
        self.preset = Some((preset.title.clone(), scopes));
        (before > 0).then(|| format!("{} takes the place of what was ticked", preset.title))
    }

    /// The preset's name, and whether the ticks are still its.
    pub fn preset_words(&self) -> Option<String> {
        let (title, scopes) = self.preset.as_ref()?;
        let ticked = self.tree.ticked();
        let same = ticked.len() == scopes.len() && scopes.iter().all(|scope| ticked.contains(scope));
        Some(if same { title.clone() } else { format!("{title}, changed") })
    }

    /// Edits the text at a stop.
    pub fn edit(&mut self, stop: Stop, edit: Edit) {
        match stop {
            Stop::Name => self.name.edit(edit),
            Stop::Note => self.note.edit(edit),
            Stop::Expires => self.expires.edit(edit),
            Stop::Scopes => self.tree.edit(edit),
            _ => {}
        }
    }

    /// Brings what was read when the form was opened up to date: dates, rules, other keys of the app. `false` when
    /// the app it is for is not to be seen.
    pub fn catch_up(&mut self, look: &Look) -> bool {
        if let Some(app) = &mut self.app {
            let Some(fresh) = for_app(look, app.id) else { return false };
            let retire = app.retire && !fresh.others.is_empty();
            *app = ForApp { offered: std::mem::take(&mut app.offered), retire, ..fresh };
        }
        self.renew_expires(look);
        // What was said of the last attempt stays.
        let _ = self.review(look);
        true
    }

    /// The field for the life anew, with the text that is in it.
    fn renew_expires(&mut self, look: &Look) {
        let life = self.expires.text().to_owned();
        self.expires = expires(look, self.kind);
        self.expires.set(&life);
    }

    /// Judges all fields again, for what is said beside them.
    pub fn check(&mut self, look: &Look) {
        self.refused = None;
        let _ = self.review(look);
    }

    /// The key that would be issued, or the first field something is wrong with. What is wrong is noted.
    pub fn review(&mut self, look: &Look) -> Result<NewKey, Stop> {
        self.problems = Problems::default();
        self.name.error = None;
        self.note.error = None;
        let name = Name::new(self.name.text()).map_err(|why| {
            if self.tried || !self.name.text().trim().is_empty() {
                self.name.error = Some(why.to_string());
            }
            Stop::Name
        });
        let note = Note::new(self.note.text()).map_err(|why| {
            self.note.error = Some(why.to_string());
            Stop::Note
        });
        let place = match (self.kind, &self.location) {
            (Kind::Agency, _) => Ok(Place::Agency),
            (Kind::Location, Some((id, _))) => Ok(Place::Location(*id)),
            (Kind::Location, None) => {
                if self.tried {
                    self.problems.location = Some("choose which location".to_owned());
                }
                Err(Stop::Location)
            }
            (Kind::App, _) => match &self.app {
                Some(app) => Ok(Place::App(app.id)),
                None => Err(Stop::Issue),
            },
        };
        let expiry = self.expires.value().ok_or(Stop::Expires);
        let scopes: Vec<String> = self.tree.ticked().iter().map(ToString::to_string).collect();
        // The rules look at a whole key: what is missing is filled in, so that what is there can be judged.
        let stand_in = NewKey {
            name: name.clone().or_else(|_| Name::new("-")).map_err(|_| Stop::Name)?,
            place: place.unwrap_or(Place::Agency),
            scopes: scopes.clone(),
            expiry: expiry.ok().flatten(),
            note: note.clone().unwrap_or_default(),
        };
        let judged = if place.is_ok() { self.judge(stand_in, look) } else { None };
        let new = NewKey { name: name?, place: place?, scopes, expiry: expiry?, note: note? };
        judged.map_or(Ok(new), Err)
    }

    /// Asks the rules, notes what they say, and returns the field it concerns.
    fn judge(&mut self, new: NewKey, look: &Look) -> Option<Stop> {
        let catalog = look.engine.catalog();
        let refusal = seen(look, |seen| deeds::objection(&Command::IssueKey(new), seen, catalog))?;
        let said = refusal.to_string();
        Some(match refusal {
            Refusal::NameTaken { .. } => {
                self.name.error = Some("another key of yours has this name".to_owned());
                Stop::Name
            }
            Refusal::NoSuchLocation => {
                self.problems.location = Some("this location was removed; choose another".to_owned());
                Stop::Location
            }
            Refusal::NoScopes => {
                if self.tried {
                    self.problems.scopes = Some("a key needs at least one scope".to_owned());
                }
                Stop::Scopes
            }
            Refusal::Scopes(_) | Refusal::BeyondApp { .. } => {
                self.problems.scopes = Some(said);
                Stop::Scopes
            }
            Refusal::BadExpiry(_) | Refusal::LifeTooLong { .. } => Stop::Expires,
            _ => {
                self.problems.whole = Some(said);
                Stop::Issue
            }
        })
    }

    /// What is wrong at a stop, to be said aloud when it is not beside a field.
    pub fn problem(&self, stop: Stop) -> Option<String> {
        match stop {
            Stop::Name => self.name.error.clone(),
            Stop::Location => self.problems.location.clone(),
            Stop::Scopes => self.problems.scopes.clone(),
            Stop::Expires => Some("write when it expires: 90d, 2027-01-31 or never".to_owned()),
            Stop::Note => self.note.error.clone(),
            _ => self.problems.whole.clone(),
        }
    }

    /// One line that says what will be issued.
    pub fn summary(&self, look: &Look) -> String {
        let what = match (self.kind, &self.location) {
            (Kind::Agency, _) => "an agency key".to_owned(),
            (Kind::Location, Some((_, name))) => format!("a key of {name}"),
            (Kind::Location, None) => "a location key".to_owned(),
            (Kind::App, _) => {
                format!("a key of {}", self.app.as_ref().map_or("an app", |app| app.name.as_str()))
            }
        };
        let count = scope_tree::count(look.engine.catalog(), self.tree.ticked());
        format!("Issues {what}: {count}, {}", self.life(look))
    }

    fn life(&self, look: &Look) -> String {
        let Some(wanted) = self.expires.value() else { return "no valid expiry yet".to_owned() };
        let default = look.view(|view| default_life(view.policy(), self.kind));
        match (wanted, default) {
            (Some(Expiry::Never), _) | (None, None) => "never expires".to_owned(),
            (Some(Expiry::At(at)), _) => format!("expires {}", Times::of(look).relative(at)),
            (None, Some(days)) => format!("expires in {days} d"),
        }
    }

    /// How many of the keys one may have there are: `7 of 20 keys`.
    pub fn quota(look: &Look) -> String {
        seen(look, |seen| {
            let live = seen.state().live_keys_of(seen.view.actor().operator, seen.now());
            format!("{live} of {} keys", seen.view.policy().keys_per_operator)
        })
    }

    /// Characters a name still has room for, once that matters.
    pub fn name_room(&self) -> Option<String> {
        let used = self.name.text().chars().count();
        (used > NAME_MAX * 3 / 4 && used <= NAME_MAX).then(|| format!("{used} of {NAME_MAX} characters"))
    }
}

const fn level_of(kind: Kind) -> Level {
    match kind {
        Kind::Agency => Level::Agency,
        Kind::Location => Level::Location,
        Kind::App => Level::App,
    }
}

/// Days a key of this kind lives when nothing is chosen.
fn default_life(policy: &Policy, kind: Kind) -> Option<u32> {
    let wanted = match kind {
        Kind::Agency => policy.default_life_agency,
        Kind::Location => policy.default_life_location,
        Kind::App => policy.default_life_app,
    };
    match (wanted, policy.max_life) {
        (Some(days), Some(limit)) => Some(days.min(limit)),
        (days, limit) => days.or(limit),
    }
}

/// The field for the life, with suggestions the policy allows.
fn expires(look: &Look, kind: Kind) -> TypedChoice<Option<Expiry>> {
    let times = Times::of(look);
    let (default, limit) = seen(look, |seen: &Seen<'_>| {
        let policy = seen.view.policy();
        (default_life(policy, kind), policy.max_life)
    });
    let fits = |days: u32| limit.is_none_or(|limit| days <= limit);
    let mut suggestions = vec!["default".to_owned()];
    suggestions.extend([30, 90].into_iter().filter(|days| fits(*days)).map(|days| format!("{days}d")));
    if fits(365) {
        suggestions.push("1y".to_owned());
    }
    if limit.is_none() {
        suggestions.push("never".to_owned());
    }
    TypedChoice::new("Expires", suggestions, move |text| read(text, times, default, limit))
}

fn read(text: &str, times: Times, default: Option<u32>, limit: Option<u32>) -> Reading<Option<Expiry>> {
    if text.trim() == "default" {
        let says = match default.and_then(|days| times.now().plus_days(days).map(|at| (days, at))) {
            Some((days, at)) => format!("the agency's rule: {days} days, until {}", times.date(at)),
            None => "the agency's rule: it never expires".to_owned(),
        };
        return Ok((None, says));
    }
    // Said shorter than elsewhere: it stands below a narrow field.
    let expiry = times.read_expiry(text).map_err(|why| match why {
        BadExpiry::Unreadable => "write 90d, 12h, a date (its end) or never".to_owned(),
        other => other.to_string(),
    })?;
    if let Some(limit) = limit {
        let fits = expiry.instant().is_some_and(|at| at.since(times.now()) <= i64::from(limit) * DAY_MS);
        if !fits {
            return Err(format!("the agency allows {limit} days at most"));
        }
    }
    let says = match expiry {
        Expiry::Never => "it works until somebody revokes it".to_owned(),
        Expiry::At(at) => format!("until {}, {}", times.zoned(at), times.relative(at)),
    };
    Ok((Some(expiry), says))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::tui::app::times::Zone;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    #[test]
    fn a_life_is_bounded_by_the_policy() {
        let times = Times::new(NOW, Zone::UTC);
        assert_eq!(read("default", times, Some(365), Some(365)).unwrap().0, None);
        assert!(read("365d", times, None, Some(365)).is_ok());
        for bad in ["366d", "never", "2y"] {
            assert_eq!(
                read(bad, times, None, Some(365)),
                Err("the agency allows 365 days at most".into()),
                "{bad}"
            );
        }
        assert!(read("soon", times, None, None).unwrap_err().contains("90d"));
        assert_eq!(read("90d", times, None, None).unwrap().1, "until 2026-12-20 14:13 +00:00, in 90 d");
        assert_eq!(
            read("2026-12-01", times, None, None).unwrap().1,
            "until 2026-12-01 23:59 +00:00, in 72 d"
        );
    }
}
