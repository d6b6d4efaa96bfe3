//! The values of the wizard, how they depend on each other, and what is wrong with them. No drawing.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::urls::UrlLines;
use crate::domain::app::BadUrl;
use crate::domain::basis::Basis;
use crate::domain::catalog::{AuthMethod, Level};
use crate::domain::name::first_few;
use crate::domain::{
    App, AppId, Command, Context, Event, Name, NewApp, Note, Profile, Refusal, ScopeId, Scopes, SourceApp,
    Url, UserType, decide,
};
use crate::tui::app::look::Look;
use crate::tui::overlays::meanwhile::{Choice, Moved, ThreeScopes};
use crate::tui::overlays::scope_tree::{self, Reach};
use crate::tui::sight::deeds;
use crate::tui::sight::seen::seen;
use crate::tui::widgets::choice::Radio;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::tree::TreeState;

/// Which value of a field holds: one that was changed here, unless it was there too and theirs was chosen.
fn holds<T: Clone + PartialEq>(was: &T, now: &T, mine: T, choice: Choice) -> T {
    if mine == *was || (choice == Choice::Theirs && now != was) { now.clone() } else { mine }
}

/// Where the keyboard can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The name.
    Name,
    /// Where the app lives.
    Uri,
    /// What it is for.
    Description,
    /// Whether guests sign in through it.
    Guest,
    /// Whether employees do.
    Employee,
    /// What kind of app it is.
    Source,
    /// One of the addresses after signing in.
    Login(usize),
    /// One of the addresses after signing out.
    Logout(usize),
    /// How it authenticates.
    Method,
    /// A ready choice of scopes.
    Preset,
    /// The tree.
    Scopes,
    /// The button that leaves or steps back.
    Back,
    /// The button that goes on or finishes.
    On,
}

/// One page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// What the app is.
    Details,
    /// What it may do.
    Scopes,
}

impl Stop {
    /// The page it is on; buttons are on both.
    pub const fn page(self) -> Option<Page> {
        match self {
            Self::Method | Self::Preset | Self::Scopes => Some(Page::Scopes),
            Self::Back | Self::On => None,
            _ => Some(Page::Details),
        }
    }
}

/// What is wrong, where no field says it itself.
#[derive(Debug, Default)]
pub struct Problems {
    /// With the users.
    pub users: Option<String>,
    /// With the scopes.
    pub scopes: Option<String>,
    /// With the wish as a whole: role, nothing changed.
    pub whole: Option<String>,
}

/// The values.
pub struct Form {
    /// The app that is edited; `None` for a new one.
    pub edits: Option<AppId>,
    /// The name.
    pub name: TextField,
    /// The address.
    pub uri: TextField,
    /// The description.
    pub description: TextField,
    /// Whether guests sign in through it.
    pub guest: bool,
    /// Whether employees do.
    pub employee: bool,
    /// What kind of app it is.
    pub source: Radio<SourceApp>,
    /// Where people are sent after signing in.
    pub login: UrlLines,
    /// Where people are sent after signing out.
    pub logout: UrlLines,
    /// How it authenticates.
    pub method: Radio<AuthMethod>,
    /// The preset chosen last, and its scopes.
    preset: Option<(String, Vec<ScopeId>)>,
    /// The app as it was when the form was filled, on edit.
    base: Option<App>,
    /// The scopes.
    pub tree: TreeState<ScopeId>,
    /// Ticked before the method changed, and not possible with this one.
    lost: BTreeSet<ScopeId>,
    /// What is wrong.
    pub problems: Problems,
    /// What the engine said, when no field is to blame.
    pub refused: Option<String>,
    /// Whether somebody tried to go on: only then are empty fields told.
    pub tried: bool,
    /// Keys that change with the app: what an edit takes from them.
    pub touched: Vec<String>,
    began_as: String,
}

impl Form {
    /// An empty form.
    pub fn create(look: &Look) -> Self {
        Self::filled(None, None, look)
    }

    /// All of an app the operator sees.
    pub fn edit(look: &Look, app: AppId) -> Option<Self> {
        let app = look.view(|view| view.app(app).cloned())?;
        Some(Self::filled(Some(&app), Some(&app), look))
    }

    /// Filled with `app`, which is an edit of `base`.
    fn filled(app: Option<&App>, base: Option<&App>, look: &Look) -> Self {
        let profile = app.map(|app| &app.profile);
        let text = |label: &str, example: &str, filled: Option<&str>| {
            TextField::new(label).placeholder(example).filled(filled.unwrap_or_default())
        };
        let mut source =
            Radio::new("Source app", SourceApp::ALL.map(|source| (source, source.title(), source.code())));
        if let Some(profile) = profile {
            source.choose(&profile.source);
        }
        let mut method = Radio::new(
            "Sends",
            [
                (AuthMethod::ApiKey, "API key", "a long-lived key (API 1.0)"),
                (AuthMethod::Jwt, "Access tokens (JWT)", "short-lived, fetched (API 2.0)"),
            ],
        );
        let chosen = app.map_or(AuthMethod::ApiKey, |app| app.method);
        method.choose(&chosen);
        let held = base.map(|base| &base.scopes);
        let ticked = app.map(|app| &app.scopes).into_iter().flat_map(Scopes::iter).cloned();
        let mut form = Self {
            edits: app.map(|app| app.id),
            name: text("Name", "what it is called, such as Booking bot", app.map(|app| app.name.as_str())),
            uri: text("URI", "https://example.com, where it lives", profile.map(|p| p.uri.as_str())),
            description: text(
                "Description",
                "what it is for, who runs it",
                profile.map(|p| p.description.as_str()),
            ),
            guest: profile.is_some_and(|p| p.user_type.guest()),
            employee: profile.is_some_and(|p| p.user_type.employee()),
            source,
            login: UrlLines::new(profile.map_or(&[], |p| p.post_login.as_slice())),
            logout: UrlLines::new(profile.map_or(&[], |p| p.post_logout.as_slice())),
            method,
            preset: None,
            base: base.cloned(),
            tree: scope_tree::tree(look.engine.catalog(), Reach::app(chosen), ticked, held),
            lost: BTreeSet::new(),
            problems: Problems::default(),
            refused: None,
            tried: false,
            touched: Vec::new(),
            began_as: String::new(),
        };
        form.began_as = form.fingerprint();
        form.check(look);
        form
    }

    /// The chosen method.
    pub fn chosen_method(&self) -> AuthMethod {
        self.method.value().unwrap_or(AuthMethod::ApiKey)
    }

    /// Where the keyboard can be on a page, in the order of Tab.
    pub fn stops(&self, page: Page) -> Vec<Stop> {
        let mut stops = Vec::new();
        match page {
            Page::Details => {
                stops.extend([
                    Stop::Name,
                    Stop::Uri,
                    Stop::Description,
                    Stop::Guest,
                    Stop::Employee,
                    Stop::Source,
                ]);
                stops.extend((0..self.login.len()).map(Stop::Login));
                stops.extend((0..self.logout.len()).map(Stop::Logout));
            }
            Page::Scopes => {
                stops.extend(self.edits.is_none().then_some(Stop::Method));
                stops.extend([Stop::Preset, Stop::Scopes]);
            }
        }
        stops.extend([Stop::On, Stop::Back]);
        stops
    }

    /// Whether something was put in that would be lost.
    pub fn is_begun(&self) -> bool {
        self.fingerprint() != self.began_as
    }

    fn fingerprint(&self) -> String {
        let mut all = format!(
            "{}\0{}\0{}\0{}{}{:?}{:?}",
            self.name.text(),
            self.uri.text(),
            self.description.text(),
            self.guest,
            self.employee,
            self.source.value(),
            self.method.value()
        );
        for line in self.login.lines().iter().chain(self.logout.lines()) {
            let _always_fits = write!(all, "\0{}", line.text());
        }
        for scope in self.tree.ticked() {
            let _always_fits = write!(all, "\0{scope}");
        }
        all
    }

    /// The text field at a stop.
    pub fn field(&mut self, stop: Stop) -> Option<&mut TextField> {
        match stop {
            Stop::Name => Some(&mut self.name),
            Stop::Uri => Some(&mut self.uri),
            Stop::Description => Some(&mut self.description),
            _ => None,
        }
    }

    /// The list of addresses a stop is in, and which line.
    pub fn urls(&mut self, stop: Stop) -> Option<(&mut UrlLines, usize)> {
        match stop {
            Stop::Login(at) => Some((&mut self.login, at)),
            Stop::Logout(at) => Some((&mut self.logout, at)),
            _ => None,
        }
    }

    /// After the method was chosen anew: scopes it allows stay ticked, and what was lost to the other comes back.
    /// Says what went.
    pub fn follow_method(&mut self, look: &Look) -> Option<String> {
        let method = self.chosen_method();
        let wanted: BTreeSet<ScopeId> = self.tree.ticked().union(&self.lost).cloned().collect();
        self.tree = scope_tree::tree(look.engine.catalog(), Reach::app(method), wanted.iter().cloned(), None);
        let before = self.tree.ticked();
        self.lost = wanted.into_iter().filter(|scope| !before.contains(scope)).collect();
        let names = first_few(self.lost.iter().map(ScopeId::as_str));
        (!names.is_empty()).then(|| format!("not possible with {method}, left out: {names}"))
    }

    /// Ticks what a preset holds and nothing else; says how much was ticked before.
    pub fn choose_preset(&mut self, id: &str, look: &Look) -> Option<String> {
        let catalog = look.engine.catalog();
        let preset = catalog.preset(id)?;
        let before = self.tree.ticked().len();
        let scopes: Vec<ScopeId> = preset.scopes.iter().cloned().collect();
        self.tree = scope_tree::tree(catalog, Reach::app(self.chosen_method()), scopes.iter().cloned(), None);
        self.lost.clear();
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

    /// The catalog's level of apps.
    pub const fn level() -> Level {
        Level::App
    }

    /// Judges all fields again, for what is said beside them.
    pub fn check(&mut self, look: &Look) {
        self.refused = None;
        let _ = self.review(look);
    }

    /// The app that would be made, or the first stop something is wrong at. What is wrong is noted.
    pub fn review(&mut self, look: &Look) -> Result<NewApp, Stop> {
        self.problems = Problems::default();
        self.touched.clear();
        let tried = self.tried;
        let note = |field: &mut TextField, why: String| {
            let told = tried || !field.text().trim().is_empty();
            field.error = told.then_some(why);
        };
        (self.name.error, self.uri.error, self.description.error) = (None, None, None);
        let name = Name::new(self.name.text()).map_err(|why| {
            note(&mut self.name, why.to_string());
            Stop::Name
        });
        let uri = Url::new(self.uri.text().trim()).map_err(|why| {
            // The example stands in the empty field.
            let said = if why == BadUrl::Empty { "an address is needed".to_owned() } else { why.to_string() };
            note(&mut self.uri, said);
            Stop::Uri
        });
        let description = Note::new(self.description.text()).map_err(|why| {
            note(&mut self.description, why.to_string());
            Stop::Description
        });
        let user_type = UserType::of(self.guest, self.employee).ok_or_else(|| {
            self.problems.users = tried.then(|| "tick who signs in through it: one or both".to_owned());
            Stop::Guest
        });
        let login = self.login.review().map_err(Stop::Login);
        let logout = self.logout.review().map_err(Stop::Logout);
        let source = self.source.value().unwrap_or(SourceApp::ClientApp);
        let scopes: Vec<String> = self.tree.ticked().iter().map(ToString::to_string).collect();
        // The rules look at a whole app: what is missing is filled in, so that what is there can be judged.
        let stand_in = NewApp {
            name: name.clone().or_else(|_| Name::new("-")).map_err(|_| Stop::Name)?,
            profile: Profile {
                uri: uri.clone().or_else(|_| Url::new("https://localhost/")).map_err(|_| Stop::Uri)?,
                description: description.clone().unwrap_or_default(),
                user_type: user_type.unwrap_or(UserType::Guest),
                source,
                post_login: login.clone().unwrap_or_default(),
                post_logout: logout.clone().unwrap_or_default(),
            },
            method: self.chosen_method(),
            scopes: scopes.clone(),
        };
        let judged = self.judge(stand_in, look);
        let profile = |uri, description| -> Result<Profile, Stop> {
            let user_type = user_type?;
            Ok(Profile { uri, description, user_type, source, post_login: login?, post_logout: logout? })
        };
        let name = name?;
        if judged == Some(Stop::Name) {
            return Err(Stop::Name);
        }
        let new =
            NewApp { name, profile: profile(uri?, description?)?, method: self.chosen_method(), scopes };
        judged.map_or(Ok(new), Err)
    }

    /// What would be asked of the engine.
    pub fn command(&self, new: NewApp) -> Command {
        match &self.base {
            Some(base) => Command::EditApp { app: base.id, change: new, basis: Some(Basis::of_app(base)) },
            None => Command::CreateApp(new),
        }
    }

    /// What is another now than when the form was filled; `new` is what it says.
    pub fn moved(&self, new: &NewApp, look: &Look) -> Vec<Moved> {
        let Some((base, now, mine)) = self.three(new, look) else { return Vec::new() };
        let scopes = ThreeScopes { was: &base.scopes, now: &now.scopes, ticked: self.tree.ticked() };
        let fields = base.edited().into_iter().zip(now.edited()).zip(mine.edited());
        fields
            .filter_map(|(((field, was), (_, now)), (_, mine))| match field {
                App::SCOPES => scopes.moved(),
                _ => Moved::of(field, &was, &now, &mine),
            })
            .collect()
    }

    /// The form on the app as it is now, with what was changed here; where both changed a field, `choice` says whose
    /// word holds.
    pub fn rebased(&self, new: &NewApp, choice: Choice, look: &Look) -> Option<Self> {
        let (base, now, mine) = self.three(new, look)?;
        let scopes = ThreeScopes { was: &base.scopes, now: &now.scopes, ticked: self.tree.ticked() };
        let scopes = match choice {
            Choice::Theirs if now.scopes != base.scopes => now.scopes.clone(),
            _ => Scopes::new(scopes.merged()).ok()?,
        };
        let (was, is, profile) = (&base.profile, &now.profile, mine.profile);
        let app = App {
            name: holds(&base.name, &now.name, mine.name, choice),
            profile: Profile {
                uri: holds(&was.uri, &is.uri, profile.uri, choice),
                description: holds(&was.description, &is.description, profile.description, choice),
                user_type: holds(&was.user_type, &is.user_type, profile.user_type, choice),
                source: holds(&was.source, &is.source, profile.source, choice),
                post_login: holds(&was.post_login, &is.post_login, profile.post_login, choice),
                post_logout: holds(&was.post_logout, &is.post_logout, profile.post_logout, choice),
            },
            scopes,
            ..now.clone()
        };
        let untouched = Self::filled(Some(&now), Some(&now), look);
        Some(Self { began_as: untouched.began_as, ..Self::filled(Some(&app), Some(&now), look) })
    }

    /// The app as it was, as it is, and as the form says; nothing when none is edited.
    fn three(&self, new: &NewApp, look: &Look) -> Option<(&App, App, App)> {
        let base = self.base.as_ref()?;
        let now = look.view(|view| view.app(base.id).cloned())?;
        let scopes = Scopes::new(self.tree.ticked().iter().cloned()).ok()?;
        let mine = App { name: new.name.clone(), profile: new.profile.clone(), scopes, ..base.clone() };
        Some((base, now, mine))
    }

    /// Asks the rules, notes what they say, and returns the stop it concerns.
    fn judge(&mut self, new: NewApp, look: &Look) -> Option<Stop> {
        let catalog = look.engine.catalog();
        // As if based on what there is: whether that changed is asked when it is about to be written.
        let command = match self.edits {
            Some(app) => Command::EditApp { app, change: new, basis: None },
            None => Command::CreateApp(new),
        };
        let refusal = seen(look, |seen| {
            if self.edits.is_some() {
                let context = Context {
                    actor: seen.view.actor(),
                    now: seen.now(),
                    doubted: None,
                    catalog,
                    ids: &[],
                    minted: None,
                };
                let events = decide(seen.state(), &command, &context).unwrap_or_default();
                self.touched.extend(events.iter().filter_map(|event| match event {
                    Event::KeyRescoped(key, _) => Some(key.name.to_string()),
                    _ => None,
                }));
            }
            deeds::objection(&command, seen, catalog)
        })?;
        let said = refusal.to_string();
        Some(match refusal {
            Refusal::NameTaken { .. } => {
                self.name.error = Some("another app of yours has this name".to_owned());
                Stop::Name
            }
            Refusal::UrlList { field, .. } => {
                self.problems.whole = Some(said);
                if field.contains("logout") { Stop::Logout(0) } else { Stop::Login(0) }
            }
            Refusal::NoScopes => {
                if self.tried {
                    self.problems.scopes = Some("an app needs at least one scope".to_owned());
                }
                Stop::Scopes
            }
            Refusal::Scopes(_) | Refusal::KeyLeftEmpty { .. } => {
                self.problems.scopes = Some(said);
                Stop::Scopes
            }
            Refusal::NoChange(_) if !self.tried => Stop::On,
            _ => {
                self.problems.whole = Some(said);
                Stop::On
            }
        })
    }

    /// What is wrong at a stop, to be said aloud.
    pub fn problem(&mut self, stop: Stop) -> Option<String> {
        match stop {
            Stop::Guest | Stop::Employee => self.problems.users.clone(),
            Stop::Scopes => self.problems.scopes.clone(),
            Stop::Login(_) | Stop::Logout(_) => {
                let at = self.urls(stop).and_then(|(list, at)| list.lines().get(at)?.error.clone());
                at.or_else(|| self.problems.whole.clone())
            }
            Stop::On | Stop::Back => self.problems.whole.clone(),
            _ => self.field(stop).and_then(|field| field.error.clone()),
        }
    }

    /// One line that says what will come of it.
    pub fn summary(&self, look: &Look) -> String {
        let count = scope_tree::count(look.engine.catalog(), self.tree.ticked());
        match (self.edits, self.touched.as_slice()) {
            (None, _) => {
                let name = self.name.text().trim();
                let name = if name.is_empty() { "the app" } else { name };
                format!("Creates {name}, which uses {}: {count}", self.chosen_method())
            }
            (Some(_), []) if self.is_begun() => format!("The app: {count}"),
            (Some(_), []) => "nothing changed yet".to_owned(),
            (Some(_), [one]) => format!("The app: {count}; its key {one} changes with it"),
            (Some(_), many) => format!("The app: {count}; {} of its keys change with it", many.len()),
        }
    }
}
