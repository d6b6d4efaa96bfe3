//! Creating an app in three steps, and editing one in the first two. Step 1: what the app is. Step 2: how it
//! authenticates and what it may do. Step 3, its id and secret, is [`super::secret`]. Judged as it is typed by the
//! rules that judge the command; stepping back keeps everything.

mod goes;

use std::collections::BTreeSet;

use self::goes::{goes, tokens_that_end};
use super::create_key::CreateKey;
use super::create_key::pick::Preset;
use super::guard::Guard;
use super::scope_tree::{self, Reach};
use super::secret::{STEPS, Secret};
use crate::domain::app::{BadUrl, URLS_MAX};
use crate::domain::basis::Basis;
use crate::domain::blast::Blast;
use crate::domain::catalog::{AuthMethod, Level};
use crate::domain::name::first_few;
use crate::domain::signing::PartyName;
use crate::domain::{
    App, AppId, Bearer, Command, Event, Name, NewApp, Note, Profile, Refusal, ScopeId, Scopes, SourceApp,
    Terms, TokenAlg, Url, UserType,
};
use crate::tui::app::ask::{Answer, Ask, Errand, Job, Tab};
use crate::tui::app::kept::out_of_sight;
use crate::tui::app::look::Look;
use crate::tui::form::choice::Radio;
use crate::tui::form::lines::Lines;
use crate::tui::form::manner::Paging;
use crate::tui::form::meanwhile::{Choice, Moved, ThreeScopes};
use crate::tui::form::ticks::{Fact, Ticks};
use crate::tui::form::tree::TreeState;
use crate::tui::form::{Asking, Face, Form, Manner, Own, Pages, Spot, Told};
use crate::tui::overlay::{Heard, Return};
use crate::tui::sight::deeds;
use crate::tui::sight::seen::{Seen, seen};
use crate::tui::theme::Role;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::text;
const EXAMPLE: &str = "https://example.com/callback";

/// Which value of a field holds: one that was changed here, unless it was there too and theirs was chosen.
fn holds<T: Clone + PartialEq>(was: &T, now: &T, mine: T, choice: Choice) -> T {
    if mine == *was || (choice == Choice::Theirs && now != was) { now.clone() } else { mine }
}

/// Fields on the first page of an edit; two more stand before the tree.
const DETAILS: usize = 7;

pub struct AppForm {
    name: TextField,
    uri: TextField,
    description: TextField,
    users: Ticks,
    source: Radio<SourceApp>,
    login: Lines,
    logout: Lines,
    method: Radio<AuthMethod>,
    /// In the place of the method, of an app that has one.
    sends: Fact,
    preset: Preset,
    tree: TreeState<ScopeId>,
    /// How its access tokens are signed.
    alg: Radio<TokenAlg>,
    /// Whom its access tokens are for, or for whom it checks those of others.
    audiences: Lines,
    /// The method the tree is for.
    planted: AuthMethod,
    /// Ticked before the method changed, and not possible with this one.
    lost: BTreeSet<ScopeId>,
    /// The app as it was when the form was filled, on edit.
    base: Option<App>,
    /// What no field is to blame for: role, nothing changed.
    whole: Option<String>,
    /// Whether the app is exactly so already.
    same: bool,
    /// Keys that change with the app: what an edit takes from them.
    touched: Vec<String>,
    /// What goes with an edit, in sentences.
    goes: Vec<String>,
    /// Of an app that is edited.
    guard: Guard,
}

impl AppForm {
    pub fn create(look: &Look) -> Form<Self> {
        Form::new(Self::filled(None, None, look), look)
    }

    /// Filled with an app the operator sees.
    pub fn edit(look: &Look, app: AppId) -> Option<Form<Self>> {
        let app = look.view(|view| view.app(app).cloned())?;
        Some(Form::new(Self::filled(Some(&app), Some(&app), look), look))
    }

    /// Filled with `app`, which is an edit of `base`.
    /// The same, at what the app may do.
    pub fn scopes(look: &Look, app: AppId) -> Option<Form<Self>> {
        let has = look.view(|view| view.app(app).is_some_and(|app| app.method != AuthMethod::ResourceServer));
        let field = if has { DETAILS + 2 } else { DETAILS + 1 };
        Self::edit(look, app).map(|form| form.at(field))
    }

    fn filled(app: Option<&App>, base: Option<&App>, look: &Look) -> Self {
        let profile = app.map(|app| &app.profile);
        let text = |label: &str, example: &str, filled: Option<&str>| {
            TextField::new(label).placeholder(example).filled(filled.unwrap_or_default())
        };
        let urls = |label, urls: &[Url]| Lines::new(label, EXAMPLE, URLS_MAX, urls.iter().map(Url::as_str));
        let users = profile.map(|profile| profile.user_type);
        let users = [
            ("guests".to_owned(), users.is_some_and(UserType::guest)),
            ("employees".to_owned(), users.is_some_and(UserType::employee)),
        ];
        let sources = SourceApp::ALL.map(|source| (source, source.title(), source.code()));
        let methods = [
            (AuthMethod::ApiKey, "API key", "a long-lived key (API 1.0)"),
            (AuthMethod::Jwt, "Access tokens (JWT)", "short-lived, fetched (API 2.0)"),
            (AuthMethod::ResourceServer, "Nothing", "a service that checks its callers"),
        ];
        let algs = [
            (TokenAlg::EdDsa, "EdDSA", "Ed25519"),
            (TokenAlg::Es256, "ES256", "P-256, for services that know no Ed25519"),
        ];
        let method = app.map_or(AuthMethod::ApiKey, |app| app.method);
        let of_app =
            |base: &App| look.view(|view| view.keys_of_app(base.id).map(|key| Bearer::Key(key.id)).collect());
        let keys: Vec<Bearer> = base.map_or_else(Vec::new, of_app);
        let held = base.map(|base| &base.scopes);
        let ticked = app.map(|app| &app.scopes).into_iter().flat_map(Scopes::iter).cloned();
        Self {
            name: text("Name", "what it is called, such as Booking bot", app.map(|app| app.name.as_str())),
            uri: text("URI", "https://example.com, where it lives", profile.map(|p| p.uri.as_str())),
            description: text(
                "Description",
                "what it is for, who runs it",
                profile.map(|p| p.description.as_str()),
            ),
            users: Ticks::new("Who signs in", users),
            source: Radio::new("Source app", sources)
                .choosing(&profile.map_or(SourceApp::ExternalCma, |p| p.source)),
            login: urls("After login", profile.map_or(&[], |p| p.post_login.as_slice())),
            logout: urls("After logout", profile.map_or(&[], |p| p.post_logout.as_slice())),
            method: Radio::new("Sends", methods).choosing(&method),
            sends: Fact::new("Sends", format!("{method}, as it was made")),
            preset: Preset::default(),
            tree: scope_tree::tree(look.engine.catalog(), Reach::app(method), ticked, held),
            alg: Radio::new("Signed with", algs).across().choosing(&app.map_or(TokenAlg::EdDsa, App::alg)),
            audiences: Lines::new(
                "For",
                "the platform, or such as https://api.example.com",
                Terms::AUDIENCES,
                app.map_or(&[][..], App::audiences).iter().map(PartyName::as_str),
            ),
            planted: method,
            lost: BTreeSet::new(),
            base: base.cloned(),
            whole: None,
            same: false,
            touched: Vec::new(),
            goes: Vec::new(),
            guard: Guard::new(
                base.map(|base| Bearer::App(base.id)).into_iter().chain(keys).collect(),
                base.map_or("", |base| base.name.as_str()),
            ),
        }
    }

    fn method(&self) -> AuthMethod {
        self.method.value().unwrap_or(self.planted)
    }

    /// The tree anew, with what is ticked of what may be.
    fn plant(&mut self, look: &Look, ticked: impl IntoIterator<Item = ScopeId>) {
        self.planted = self.method();
        let held = self.base.as_ref().map(|base| &base.scopes);
        self.tree = scope_tree::tree(look.engine.catalog(), Reach::app(self.planted), ticked, held);
    }

    /// After the method was chosen anew: scopes it allows stay ticked, and what was lost to the other comes back.
    /// Says what went.
    fn follow_method(&mut self, look: &Look) -> Option<String> {
        let method = self.method();
        if method == self.planted {
            return None;
        }
        let wanted: BTreeSet<ScopeId> = self.tree.ticked().union(&self.lost).cloned().collect();
        self.plant(look, wanted.iter().cloned());
        self.lost = wanted.difference(self.tree.ticked()).cloned().collect();
        let names = first_few(self.lost.iter().map(ScopeId::as_str));
        (!names.is_empty()).then(|| format!("not possible with {method}, left out: {names}"))
    }

    /// The app as far as it is filled in: the rules look at a whole one, so what is missing is stood in for.
    fn app(&mut self) -> Option<NewApp> {
        let read = |text: &str| Url::new(text).map_err(|why| why.to_string());
        let terms = self.terms();
        Some(NewApp {
            name: Name::new(self.name.text()).or_else(|_| Name::new("-")).ok()?,
            profile: Profile {
                uri: Url::new(self.uri.text().trim()).or_else(|_| Url::new("https://localhost/")).ok()?,
                description: Note::new(self.description.text()).unwrap_or_default(),
                user_type: self.user_type().unwrap_or(UserType::Guest),
                source: self.source.value()?,
                post_login: self.login.review(read),
                post_logout: self.logout.review(read),
            },
            method: self.method(),
            scopes: match self.method() {
                AuthMethod::ResourceServer => Vec::new(),
                AuthMethod::ApiKey | AuthMethod::Jwt => {
                    self.tree.ticked().iter().map(ToString::to_string).collect()
                }
            },
            terms,
        })
    }

    /// What its access tokens are like, of an app that has to do with some.
    fn terms(&mut self) -> Terms {
        let alg = match self.method() {
            AuthMethod::ApiKey => return Terms::default(),
            AuthMethod::Jwt => self.alg.value().unwrap_or_default(),
            AuthMethod::ResourceServer => TokenAlg::default(),
        };
        let named = |text: &str| PartyName::new(text).ok_or_else(|| PartyName::FORM.to_owned());
        Terms { alg, audiences: self.audiences.review(named) }
    }

    /// The same when nothing is missing.
    fn whole_app(&mut self) -> Option<NewApp> {
        let app = self.app()?;
        let good = Name::new(self.name.text()).is_ok()
            && Url::new(self.uri.text().trim()).is_ok()
            && Note::new(self.description.text()).is_ok()
            && self.user_type().is_some()
            && self.login.error.is_none()
            && self.logout.error.is_none()
            && (self.method() == AuthMethod::ApiKey || self.audiences.error.is_none());
        good.then_some(app)
    }

    fn user_type(&self) -> Option<UserType> {
        UserType::of(self.users.is_on(0), self.users.is_on(1))
    }

    /// Asks the rules, and notes what they say at the field it concerns.
    fn judge(&mut self, look: &Look, told: Told) {
        let Some(new) = self.app() else { return };
        self.goes = match &self.base {
            Some(base) => goes((&base.profile, &base.scopes), (&new.profile, &new.scopes))
                .into_iter()
                .chain(tokens_that_end(base, &new.terms))
                .collect(),
            None => Vec::new(),
        };
        // As if based on what there is: whether that changed is asked when it is about to be written.
        let command = match &self.base {
            Some(base) => Command::EditApp { app: base.id, change: new, basis: None },
            None => Command::CreateApp(new),
        };
        let refusal = seen(look, |seen| {
            if self.base.is_some() {
                let events = deeds::rehearse(&command, seen).unwrap_or_default();
                self.touched.extend(events.iter().filter_map(|event| match event {
                    Event::KeyRescoped(key, _) => Some(key.name.to_string()),
                    _ => None,
                }));
            }
            deeds::objection(&command, seen)
        });
        let Some(refusal) = refusal else { return };
        let said = refusal.to_string();
        match refusal {
            Refusal::NameTaken { .. } => {
                self.name.error = Some("another app of yours has this name".to_owned());
            }
            Refusal::UrlList { field, .. } if field.contains("logout") => self.logout.error = Some(said),
            Refusal::UrlList { .. } => self.login.error = Some(said),
            Refusal::Audiences { .. } => self.audiences.error = Some(said),
            Refusal::NoScopes if told == Told::AsTyped => {}
            Refusal::NoScopes => self.tree.error = Some("an app needs at least one scope".to_owned()),
            Refusal::Scopes(_) | Refusal::KeyLeftEmpty { .. } => self.tree.error = Some(said),
            Refusal::NoChange(_) => {
                self.same = true;
                self.whole = (told == Told::Whole).then_some(said);
            }
            _ => self.whole = Some(said),
        }
    }

    /// What stops with the scopes that go; nothing where none goes.
    fn blast(&self, seen: &Seen<'_>) -> Option<Blast> {
        let base = self.base.as_ref()?;
        let app = seen.view.app(base.id)?;
        let ticked = self.tree.ticked();
        let gone: Vec<&ScopeId> = base.scopes.iter().filter(|scope| !ticked.contains(*scope)).collect();
        (!gone.is_empty()).then(|| Blast::of_app(seen.view, app, &gone, None, seen.now()))
    }

    /// The app as it was, as it is, and as the form says; nothing when none is edited.
    fn three(&mut self, look: &Look) -> Option<(App, App, App)> {
        let base = self.base.clone()?;
        let new = self.whole_app()?;
        let now = look.view(|view| view.app(base.id).cloned())?;
        let scopes = Scopes::new(self.tree.ticked().iter().cloned()).ok()?;
        let terms = new.terms.kept();
        let mine = App { name: new.name, profile: new.profile, scopes, terms, ..base.clone() };
        Some((base, now, mine))
    }

    /// What will come of it.
    fn summary(&self, look: &Look) -> String {
        let count = scope_tree::count(look.engine.catalog(), self.tree.ticked());
        match (&self.base, self.touched.as_slice()) {
            (None, _) => {
                let name = self.name.text().trim();
                let name = if name.is_empty() { "the app" } else { name };
                if self.method() == AuthMethod::ResourceServer {
                    return format!("Creates {name}, which asks about what its callers present");
                }
                format!("Creates {name}, which uses {}: {count}", self.method())
            }
            (Some(_), _) if self.same => "nothing changed yet".to_owned(),
            (Some(app), _) if app.method == AuthMethod::ResourceServer => {
                "It asks about what its callers present".to_owned()
            }
            (Some(_), []) => format!("The app: {count}"),
            (Some(_), [one]) => format!("The app: {count}; its key {one} changes with it"),
            (Some(_), many) => format!("The app: {count}; {} of its keys change with it", many.len()),
        }
    }
}

impl Asking for AppForm {
    fn manner(&self) -> Manner {
        let (does, doing, leaving, paging) = match self.base {
            None => (
                "Create app",
                "creating the app",
                "nothing is created yet; esc again throws the form away",
                Paging::Steps(&STEPS),
            ),
            Some(_) => (
                "Save",
                "changing the app",
                "nothing is changed yet; esc again gives the changes up",
                Paging::Edits(&["1 Details", "2 Scopes"]),
            ),
        };
        let small = Manner::small("app-form");
        Manner { does, doing, leaving, paging, width: 100, labels: 15, tall: Some(36), ..small }
    }

    fn fields(&mut self) -> Pages<'_> {
        let details: Vec<&mut dyn crate::tui::form::field::Field> = vec![
            &mut self.name,
            &mut self.uri,
            &mut self.description,
            &mut self.users,
            &mut self.source,
            &mut self.login,
            &mut self.logout,
        ];
        let method = self.method.value().unwrap_or(self.planted);
        let (first, guard): (&mut dyn crate::tui::form::field::Field, _) = match self.base {
            None => (&mut self.method, None),
            Some(_) => (&mut self.sends, self.guard.field()),
        };
        let mut may: Vec<&mut dyn crate::tui::form::field::Field> = vec![first];
        match method {
            AuthMethod::ApiKey => may.extend([self.preset.field(), &mut self.tree]),
            AuthMethod::Jwt => {
                may.extend([self.preset.field(), &mut self.tree, &mut self.alg, &mut self.audiences]);
            }
            AuthMethod::ResourceServer => may.push(&mut self.audiences),
        }
        may.extend(guard.map(|field| field as &mut dyn crate::tui::form::field::Field));
        vec![details, may]
    }

    fn face(&self, look: &Look, spot: Spot) -> Face {
        let title = match self.base {
            Some(_) => format!("Edit {}", self.name.text()),
            None => "New app".to_owned(),
        };
        let line = match (spot.page, spot.at) {
            (Some(0), Some(3 | 4)) => (
                Role::Dim,
                "Travels with each verification, so that your systems can mark their records.".to_owned(),
            ),
            (Some(0), Some(5 | 6)) => {
                (Role::Dim, "One address a line; enter goes to the next, an emptied line goes.".to_owned())
            }
            (Some(0), _) => (Role::Dim, String::new()),
            _ => (Role::Text, self.summary(look)),
        };
        let used = seen(look, |seen| Some(self.guard.of_one(self.blast(seen)?, seen)));
        let used = used.filter(|_| spot.page != Some(0)).into_iter().flatten();
        let goes = self.goes.iter().flat_map(|said| text::wrap(said, spot.cells));
        let goes = goes.map(|said| (Role::Warn, said));
        let lines = used.chain([line]).chain(goes).collect();
        Face { title, wrong: self.whole.clone(), lines, ..Face::default() }
    }

    fn check(&mut self, look: &Look, told: Told) -> Option<String> {
        self.preset.offer(look, Level::App, self.method());
        let mut said = self.follow_method(look);
        if let Some((scopes, replaced)) = self.preset.take_fresh(look, self.tree.ticked()) {
            self.plant(look, scopes);
            self.lost.clear();
            said = said.or(replaced);
        }
        self.preset.compare(self.tree.ticked());
        let all = told == Told::Whole;
        let name = Name::new(self.name.text()).err().filter(|_| all || !self.name.text().trim().is_empty());
        self.name.error = name.map(|why| why.to_string());
        let uri = Url::new(self.uri.text().trim()).err();
        self.uri.error = uri.and_then(|why| match why {
            // The example stands in the empty field.
            BadUrl::Empty => all.then(|| "an address is needed".to_owned()),
            why => Some(why.to_string()),
        });
        self.description.error = Note::new(self.description.text()).err().map(|why| why.to_string());
        let nobody = all && self.user_type().is_none();
        self.users.error = nobody.then(|| "tick who signs in through it: one or both".to_owned());
        (self.tree.error, self.whole, self.same) = (None, None, false);
        self.touched.clear();
        self.judge(look, told);
        let in_use = seen(look, |seen| {
            self.blast(seen).is_some_and(|blast| !blast.lost.is_empty() && blast.in_use(seen.now()).is_some())
        });
        self.guard.heed(in_use, told);
        said
    }

    fn wonders(&self) -> Option<Job> {
        self.guard.wonders()
    }

    fn learns(&mut self, answer: Answer, _: &Look) {
        self.guard.learns(answer);
    }

    fn submit(&mut self, _: &Look) -> Result<Job, String> {
        if let Some(why) = &self.whole {
            return Err(why.clone());
        }
        let new = self.whole_app().ok_or("something is missing")?;
        let said = self.base.as_ref().map_or_else(String::new, |_| format!("{} is changed", new.name));
        let command = match &self.base {
            Some(base) => Command::EditApp { app: base.id, change: new, basis: Some(Basis::of_app(base)) },
            None => Command::CreateApp(new),
        };
        Ok(Job::Run { command, said })
    }

    fn done(&mut self, answer: Answer, look: &Look, out: &mut Vec<Ask>) -> Heard {
        out.extend(self.base.as_ref().map(|app| Ask::Go(Tab::Apps, Errand::App(app.id))));
        Secret::step(answer, look, |look, app| Box::new(CreateKey::last_step(look, app)))
    }

    fn what(&self) -> String {
        format!("the app {}", self.name.text().trim())
    }

    fn moved(&mut self, look: &Look) -> Vec<Moved> {
        let Some((base, now, mine)) = self.three(look) else { return Vec::new() };
        let scopes = ThreeScopes { was: &base.scopes, now: &now.scopes, ticked: self.tree.ticked() };
        let fields = base.edited().into_iter().zip(now.edited()).zip(mine.edited());
        fields
            .filter_map(|(((field, was), (_, now)), (_, mine))| match field {
                App::SCOPES => scopes.moved(),
                _ => Moved::of(field, &was, &now, &mine),
            })
            .collect()
    }

    /// Where both changed a field, `choice` says whose word holds.
    fn rebase(&mut self, choice: Choice, look: &Look) -> Own {
        let Some((base, now, mine)) = self.three(look) else { return Own::Left };
        let scopes = ThreeScopes { was: &base.scopes, now: &now.scopes, ticked: self.tree.ticked() };
        let scopes = match choice {
            Choice::Theirs if now.scopes != base.scopes => now.scopes.clone(),
            _ => Scopes::new(scopes.merged()).unwrap_or_else(|_| now.scopes.clone()),
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
            terms: holds(&base.terms, &now.terms, mine.terms, choice),
            ..now.clone()
        };
        let own = if app == now { Own::Gone } else { Own::Left };
        *self = Self::filled(Some(&app), Some(&now), look);
        own
    }

    fn resume(&mut self, look: &Look) -> Return {
        let in_sight = self.base.as_ref().is_none_or(|app| look.view(|view| view.app(app.id).is_some()));
        if in_sight { Return::Now } else { out_of_sight(look, "the form for the app") }
    }
}
