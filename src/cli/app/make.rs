//! `keydeck app create` and `edit`. An app whose secret reached nobody is deleted before the command ends.

use std::io;

use super::show::{self, AppLine};
use super::{AlgWord, Create, Edit, Profile, Tokens, reach};
use crate::cli::Outcome;
use crate::cli::blast;
use crate::cli::door::{Deck, Signed};
use crate::cli::fault::Fault;
use crate::cli::handover;
use crate::cli::key::scopes;
use crate::domain::basis::Basis;
use crate::domain::catalog::AuthMethod;
use crate::domain::signing::PartyName;
use crate::domain::{App, Command, Event, Name, NewApp, Note, Refusal, Terms, Url, View};

pub(super) fn create(deck: &Deck, args: &Create) -> Outcome {
    let name = Name::new(&args.name).map_err(|why| Fault::bad_text("name", why))?;
    let profile = complete(&args.profile)?;
    let method = args.auth.method();
    let scopes = scopes(&args.scope, args.preset.as_deref(), &*deck.catalog()?)?;
    if scopes.is_empty() && method != AuthMethod::ResourceServer {
        return Err(Fault::usage(
            "A new app needs --scope or --preset. See `keydeck scope list` and `keydeck app create --help`.",
        ));
    }
    let terms = terms(&args.tokens, Terms::default())?;
    let signed = deck.sign_in()?;
    // Made first: if the file cannot be made, no app is.
    let way = args.aim.open(deck.output)?;
    let new = NewApp { name, profile, method, scopes, terms };
    let done = signed.engine.execute(&signed.session, Command::CreateApp(new))?;
    let app = done.events.iter().find_map(Event::app).cloned();
    let (Some(app), Some(secret)) = (app, done.token) else {
        return Err(Fault::unavailable(
            "The app was made without a secret. Give it one with `app new-secret`.",
        ));
    };
    let handed = {
        let state = signed.engine.state();
        let view = View::new(&state, signed.session.actor());
        handover::give(way, deck.output, &secret, AppLine::of(&app, view, signed.now()))
    };
    drop(secret);
    let way = handed.map_err(|error| take_back(&signed, &app, &error))?;
    signed.handed_over(*app.id.public())?;
    handover::note(deck, &signed, way, |way| Command::HandOverSecret { app: app.id, way });
    deck.output.say(&format!(
        "{} is created. Its application id is {}.\nIts secret is {}; keydeck keeps only a digest of it.",
        app.name,
        app.id,
        args.aim.where_it_is()
    ));
    Ok(deck.done(signed.engine.settle()))
}

/// Nobody has the secret: the app must not live.
fn take_back(signed: &Signed, app: &App, error: &io::Error) -> Fault {
    let what = format!("The secret of {} could not be written ({error}), so nobody has it.", app.name);
    match signed.engine.execute(&signed.session, Command::DeleteApp(app.id)) {
        Ok(_) => {
            Fault::refused("secret_lost", format!("{what} The app {} was deleted. Create it again.", app.id))
        }
        Err(failed) => Fault::from(failed).because(&format!(
            "{what} The app could not be deleted either: do it with `keydeck app delete {}`.",
            app.id
        )),
    }
}

pub(super) fn edit(deck: &Deck, args: &Edit) -> Outcome {
    let given = Given::read(&args.profile)?;
    let name = args.name.as_deref().map(Name::new).transpose().map_err(|why| Fault::bad_text("name", why))?;
    let (signed, app) = reach(deck, &args.one)?;
    let mut profile = app.profile.clone();
    given.put_into(&mut profile);
    if args.no_post_login {
        profile.post_login.clear();
    }
    if args.no_post_logout {
        profile.post_logout.clear();
    }
    let scopes = if args.scope.is_empty() {
        app.scopes.iter().map(ToString::to_string).collect()
    } else {
        args.scope.clone()
    };
    let mut terms = terms(&args.tokens, app.terms())?;
    if args.no_audience {
        terms.audiences.clear();
    }
    let name = name.unwrap_or_else(|| app.name.clone());
    let change = NewApp { name, profile, method: app.method, scopes, terms };
    // What is not given stays as it was read just now, so it must still be so.
    let basis = args.base.if_rev.unwrap_or_else(|| Basis::of_app(&app));
    let command = Command::EditApp { app: app.id, change, basis: Some(basis) };
    if args.dry.dry_run {
        return blast::of_app(deck, &signed, &app, &command);
    }
    signed.engine.execute(&signed.session, command)?;
    show::after(deck, &signed, app.id, "is changed. It is in force from now on.")
}

/// What is said of access tokens, and the rest as it was.
fn terms(words: &Tokens, was: Terms) -> Result<Terms, Fault> {
    let name = |text: &String| {
        PartyName::new(text).ok_or_else(|| Fault::usage(format!("--audience: {}.", PartyName::FORM)))
    };
    let audiences = words.audience.as_ref().map(|all| all.iter().map(name).collect::<Result<_, _>>());
    Ok(Terms {
        alg: words.alg.map_or(was.alg, AlgWord::alg),
        audiences: audiences.transpose()?.unwrap_or(was.audiences),
    })
}

/// What stands on the command line, checked.
struct Given {
    uri: Option<Url>,
    description: Option<Note>,
    user_type: Option<crate::domain::UserType>,
    source: Option<crate::domain::SourceApp>,
    post_login: Option<Vec<Url>>,
    post_logout: Option<Vec<Url>>,
}

impl Given {
    fn read(words: &Profile) -> Result<Self, Fault> {
        let url = |field, text: &str| {
            Url::new(text).map_err(|why| Fault::usage(format!("{}", Refusal::BadUrl { field, why })))
        };
        let list = |field, texts: &Option<Vec<String>>| {
            texts
                .as_ref()
                .map(|all| all.iter().map(|text| url(field, text)).collect::<Result<Vec<_>, _>>())
                .transpose()
        };
        let description = words.description.as_deref().map(Note::new).transpose();
        Ok(Self {
            uri: words.uri.as_deref().map(|text| url("--uri", text)).transpose()?,
            description: description.map_err(|why| Fault::bad_text("description", why))?,
            user_type: words.user_type.map(super::UserWord::user_type),
            source: words.source.map(super::SourceWord::source),
            post_login: list("--post-login", &words.post_login)?,
            post_logout: list("--post-logout", &words.post_logout)?,
        })
    }

    fn put_into(self, profile: &mut crate::domain::Profile) {
        let crate::domain::Profile { uri, description, user_type, source, post_login, post_logout } = profile;
        put(uri, self.uri);
        put(description, self.description);
        put(user_type, self.user_type);
        put(source, self.source);
        put(post_login, self.post_login);
        put(post_logout, self.post_logout);
    }
}

fn put<T>(field: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *field = value;
    }
}

/// A whole profile; a new app leaves out the description and the addresses at most.
fn complete(words: &Profile) -> Result<crate::domain::Profile, Fault> {
    let given = Given::read(words)?;
    let missing =
        |what: &str| Fault::usage(format!("A new app needs {what}. See `keydeck app create --help`."));
    Ok(crate::domain::Profile {
        uri: given.uri.ok_or_else(|| missing("--uri"))?,
        description: given.description.unwrap_or_default(),
        user_type: given.user_type.ok_or_else(|| missing("--user-type"))?,
        source: given.source.ok_or_else(|| missing("--source"))?,
        post_login: given.post_login.unwrap_or_default(),
        post_logout: given.post_logout.unwrap_or_default(),
    })
}
