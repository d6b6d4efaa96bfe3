//! Issuing a key: name, kind and location, life, note, scopes. Judged as it is typed by the rules that judge the
//! command; nothing typed is lost when a rule, or the engine, says no.
//!
//! - `life`: when it stops working. `for_app`: what is special about a key of an app. `pick`: lists to choose from.
//!   `template`: filled in as another key is.

mod for_app;
mod life;
pub mod pick;
pub mod template;

use self::for_app::{ForApp, for_app};
use self::pick::Preset;
use super::scope_tree::{self, Reach};
use super::secret::Secret;
use crate::domain::catalog::{AuthMethod, Level};
use crate::domain::name::NAME_MAX;
use crate::domain::{
    AppId, Command, Contacts, Expiry, LocationId, Name, NewKey, Note, Place, Refusal, ScopeId,
};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::kept::out_of_sight;
use crate::tui::app::look::Look;
use crate::tui::form::choice::{Radio, TypedChoice};
use crate::tui::form::drop_down::DropDown;
use crate::tui::form::field::Field;
use crate::tui::form::ticks::{Fact, Ticks};
use crate::tui::form::tree::TreeState;
use crate::tui::form::{Asking, Face, Form, Manner, Pages, Spot, Told};
use crate::tui::overlay::{Heard, Return};
use crate::tui::sight::deeds;
use crate::tui::sight::seen::seen;
use crate::tui::sight::subset::Subset;
use crate::tui::theme::Role;
use crate::tui::widgets::field::TextField;

pub struct CreateKey {
    name: TextField,
    kind: Radio<Level>,
    /// The kind that the other fields are for.
    level: Level,
    location: DropDown<LocationId>,
    app: Option<ForApp>,
    app_name: Fact,
    expires: TypedChoice<Option<Expiry>>,
    note: TextField,
    /// Taken over from another key; of any other new one they are named later.
    contacts: Option<TextField>,
    others: Ticks,
    preset: Preset,
    tree: TreeState<ScopeId>,
    /// What no field is to blame for: role, quota.
    whole: Option<String>,
    /// It is the last step of creating an app.
    last_step: bool,
    /// It opens nothing and rings.
    decoy: bool,
}

impl CreateKey {
    /// An empty form for a key of `subset`.
    pub fn new(look: &Look, subset: Subset) -> Form<Self> {
        Form::new(Self::of(look, subset), look)
    }

    /// An empty form for a decoy among the keys of `subset`.
    pub fn decoy(look: &Look, subset: Subset) -> Form<Self> {
        let mut form = Self { decoy: true, ..Self::of(look, subset) };
        form.renew_life(look);
        Form::new(form, look)
    }

    /// The form for the first key of an app just created, ready to be issued as it stands.
    pub fn last_step(look: &Look, app: AppId) -> Form<Self> {
        Form::new(Self { last_step: true, ..Self::of(look, Subset::Of(app)) }, look).at_end()
    }

    fn of(look: &Look, subset: Subset) -> Self {
        let (level, place) = match subset {
            Subset::Agency => (Level::Agency, None),
            Subset::Locations => (Level::Location, None),
            Subset::At(id) => (Level::Location, Some(id)),
            Subset::Apps | Subset::Of(_) => (Level::App, None),
        };
        let app = match subset {
            Subset::Of(id) => for_app(look, id),
            _ => None,
        };
        let kinds = [(Level::Agency, "Agency key", ""), (Level::Location, "Location key", "")];
        let mut location = DropDown::new("Location", "type to find one", "type part of its name");
        let at = place.and_then(|id| look.view(|view| view.location(id).map(|l| (id, l.name.to_string()))));
        if let Some((id, name)) = at {
            location.set(id, name);
        }
        let offered = app.as_ref().map_or("", |app| app.offered.as_str());
        let ticked = app.as_ref().map(|app| app.scopes.clone()).unwrap_or_default();
        let mut form = Self {
            name: TextField::new("Name").placeholder("what uses it, such as Nightly export").filled(offered),
            kind: Radio::new("Kind", kinds).across().choosing(&level),
            level,
            location,
            app_name: Fact::new("App", app.as_ref().map_or_else(String::new, |app| app.name.clone())),
            expires: life::field(look, Some(level)),
            note: TextField::new("Note").placeholder("who runs it, where it is kept"),
            contacts: None,
            others: app.as_ref().map_or_else(Ticks::default, ForApp::ticks),
            preset: Preset::default(),
            tree: TreeState::new(Vec::new(), []),
            app,
            whole: None,
            last_step: false,
            decoy: false,
        };
        // What the app may do its key may do, unless somebody says less.
        form.plant(look, ticked.iter().cloned());
        form
    }

    /// The tree anew, with what is ticked of what may be.
    fn plant(&mut self, look: &Look, ticked: impl IntoIterator<Item = ScopeId>) {
        let reach = match &self.app {
            Some(app) => Reach::within_app(&app.scopes),
            None => Reach::key(self.level),
        };
        self.tree = scope_tree::tree(look.engine.catalog(), reach, ticked, None);
    }

    fn retires(&self) -> bool {
        self.others.is_on(0)
    }

    /// After the kind was chosen anew: scopes that it may hold stay. Says how many could not, or why there can be no such
    /// key.
    fn follow_kind(&mut self, look: &Look) -> Option<String> {
        let wanted = self.kind.value().filter(|kind| self.level != Level::App && *kind != self.level)?;
        let place = match wanted {
            Level::Location => look.view(|view| view.locations().first().map(|l| Place::Location(l.id))),
            Level::Agency | Level::App => Some(Place::Agency),
        };
        let why = match place {
            Some(place) => {
                let may = seen(look, |seen| deeds::may_issue(place, seen));
                may.err().map(|refusal| refusal.to_string())
            }
            None => Some("there is no location yet; add one first".to_owned()),
        };
        if why.is_some() {
            self.kind.choose(&self.level);
            return why;
        }
        self.level = wanted;
        self.renew_life(look);
        let before = self.tree.ticked().clone();
        self.plant(look, before.iter().cloned());
        self.preset = Preset::default();
        let which = if wanted == Level::Agency { "agency" } else { "location" };
        match before.len() - self.tree.ticked().len() {
            0 => None,
            1 => Some(format!("1 scope is not for {which} keys and was left out")),
            n => Some(format!("{n} scopes are not for {which} keys and were left out")),
        }
    }

    /// The field for the life anew, with the text that is in it.
    fn renew_life(&mut self, look: &Look) {
        let life = self.expires.text().to_owned();
        self.expires = life::field(look, (!self.decoy).then_some(self.level));
        self.expires.set(&life);
    }

    /// Who is told of the key besides its owner.
    fn told_of(&self) -> Result<Contacts, String> {
        let named = self.contacts.as_ref().map_or("", TextField::text);
        Contacts::read(named).map_err(|why| why.to_string())
    }

    fn place(&self) -> Option<Place> {
        match self.level {
            Level::Agency => Some(Place::Agency),
            Level::Location => self.location.value().copied().map(Place::Location),
            Level::App => self.app.as_ref().map(|app| Place::App(app.id)),
        }
    }

    /// The key as far as it is filled in: the rules look at a whole one, so what is missing is stood in for.
    fn key(&self) -> Option<NewKey> {
        Some(NewKey {
            name: Name::new(self.name.text()).or_else(|_| Name::new("-")).ok()?,
            place: self.place()?,
            scopes: self.tree.ticked().iter().map(ToString::to_string).collect(),
            expiry: self.expires.value().flatten(),
            note: Note::new(self.note.text()).unwrap_or_default(),
            decoy: self.decoy,
        })
    }

    /// Asks the rules, and notes what they say at the field it concerns.
    fn judge(&mut self, look: &Look, told: Told) {
        let Some(new) = self.key() else { return };
        let judged = seen(look, |seen| deeds::objection(&Command::IssueKey(new), seen));
        let Some(refusal) = judged else { return };
        let said = refusal.to_string();
        match refusal {
            Refusal::NameTaken { .. } => {
                self.name.error = Some("another key of yours has this name".to_owned());
            }
            Refusal::NoSuchLocation => {
                self.location.error = Some("this location was removed; choose another".to_owned());
            }
            Refusal::NoScopes if told == Told::AsTyped => {}
            Refusal::NoScopes => self.tree.error = Some("a key needs at least one scope".to_owned()),
            Refusal::Scopes(_) | Refusal::BeyondApp { .. } => self.tree.error = Some(said),
            Refusal::BadExpiry(_) | Refusal::LifeTooLong { .. } => self.expires.field.error = Some(said),
            _ => self.whole = Some(said),
        }
    }

    /// What will be issued.
    fn summary(&self, look: &Look) -> String {
        let what = match (self.level, self.location.value(), &self.app) {
            (Level::Agency, ..) => "an agency key".to_owned(),
            (Level::Location, Some(_), _) => format!("a key of {}", self.location.words),
            (Level::Location, None, _) => "a location key".to_owned(),
            (Level::App, _, app) => {
                format!("a key of {}", app.as_ref().map_or("an app", |app| app.name.as_str()))
            }
        };
        let count = scope_tree::count(look.engine.catalog(), self.tree.ticked());
        let locked = look.view(|view| self.place().is_some_and(|place| view.is_locked_down(place)));
        let locked = if locked { ", refused while locked down" } else { "" };
        if self.decoy {
            return format!(
                "Issues a decoy that looks like {what}: it opens nothing, and you are told who presents it"
            );
        }
        format!("Issues {what}: {count}, {}{locked}", life::said(&self.expires, look, self.level))
    }
}

impl Asking for CreateKey {
    fn manner(&self) -> Manner {
        Manner {
            does: "Issue key",
            doing: "issuing the key",
            leaving: "nothing is issued yet; esc again throws the form away",
            width: 118,
            labels: 10,
            tall: Some(32),
            ..Manner::small("create-key")
        }
    }

    fn fields(&mut self) -> Pages<'_> {
        let mut about: Vec<&mut dyn Field> = vec![&mut self.name];
        let mut scopes: Vec<&mut dyn Field> = Vec::new();
        match self.level {
            Level::App => about.push(&mut self.app_name),
            Level::Agency | Level::Location => about.push(&mut self.kind),
        }
        if self.level == Level::Location {
            about.push(&mut self.location);
        }
        about.extend([&mut self.expires as &mut dyn Field, &mut self.note]);
        about.extend(self.contacts.as_mut().map(|field| field as &mut dyn Field));
        // A decoy takes nobody's place.
        if !self.decoy && self.app.as_ref().is_some_and(|app| !app.others.is_empty()) {
            about.push(&mut self.others);
        }
        if self.level != Level::App {
            scopes.push(self.preset.field());
        }
        scopes.push(&mut self.tree);
        vec![about, scopes]
    }

    fn face(&self, look: &Look, spot: Spot) -> Face {
        let title = match (self.last_step, spot.page) {
            (false, None) if self.decoy => "New decoy",
            (false, Some(0)) if self.decoy => "New decoy, 1 of 2: what it seems to be",
            (false, Some(_)) if self.decoy => "New decoy, 2 of 2: what it seems to do",
            (false, None) => "New key",
            (false, Some(0)) => "New key, 1 of 2: what it is",
            (false, Some(_)) => "New key, 2 of 2: what it may do",
            (true, None) => "Step 3 of 3: its API key",
            (true, Some(0)) => "Step 3 of 3: its API key, what it is",
            (true, Some(_)) => "Step 3 of 3: its API key, what it may do",
        };
        // How many of the keys one may have there are.
        let aside = seen(look, |seen| {
            let live = seen.state().live_keys_of(seen.view.actor().operator, seen.now());
            format!("{live} of {} keys", seen.view.policy().keys_per_operator)
        });
        let lines = vec![(Role::Text, self.summary(look))];
        Face { title: title.to_owned(), wrong: self.whole.clone(), lines, aside, ..Face::default() }
    }

    fn check(&mut self, look: &Look, told: Told) -> Option<String> {
        self.location.offer(|| pick::locations(look));
        self.preset.offer(look, self.level, AuthMethod::ApiKey);
        let mut said = self.follow_kind(look);
        if let Some((scopes, replaced)) = self.preset.take_fresh(look, self.tree.ticked()) {
            self.plant(look, scopes);
            said = said.or(replaced);
        }
        self.preset.compare(self.tree.ticked());
        self.others.note = self.app.as_ref().map_or_else(String::new, |app| app.said(self.retires()));
        let used = self.name.text().chars().count();
        let tight = used > NAME_MAX * 3 / 4 && used <= NAME_MAX;
        self.name.note = if tight { format!("{used} of {NAME_MAX} characters") } else { String::new() };
        let shown = told == Told::Whole || !self.name.text().trim().is_empty();
        let name = Name::new(self.name.text()).err();
        self.name.error = name.filter(|_| shown).map(|why| why.to_string());
        self.note.error = Note::new(self.note.text()).err().map(|why| why.to_string());
        let told_of = self.told_of().err();
        if let Some(field) = &mut self.contacts {
            field.error = told_of;
        }
        let nowhere = self.place().is_none() && told == Told::Whole;
        self.location.error = nowhere.then(|| "choose which location".to_owned());
        (self.tree.error, self.whole) = (None, None);
        self.judge(look, told);
        said
    }

    fn submit(&mut self, _: &Look) -> Result<Job, String> {
        if let Some(why) = &self.whole {
            return Err(why.clone());
        }
        let new = self.key().ok_or("the app of this key is not there any more")?;
        Ok(Job::Run { command: Command::IssueKey(new), said: String::new() })
    }

    fn done(&mut self, answer: Answer, look: &Look, out: &mut Vec<Ask>) -> Heard {
        out.extend(self.told_of().ok().and_then(|contacts| template::tell(&answer, contacts)));
        let old = self.app.as_ref().filter(|_| self.retires()).map(|app| app.others.clone());
        Secret::of(answer, old.unwrap_or_default(), look)
    }

    fn resume(&mut self, look: &Look) -> Return {
        if let Some(app) = &self.app {
            let Some(fresh) = for_app(look, app.id) else {
                return out_of_sight(look, "the form for a new key");
            };
            self.app = Some(ForApp { offered: app.offered.clone(), ..fresh });
        }
        self.renew_life(look);
        Return::Now
    }
}
