//! `keydeck app`: integrations of the platform. The words are here; [`make`] creates and edits, [`show`] shows, [`rotate`]
//! replaces secrets, [`change`] does the rest.

mod change;
mod make;
mod rotate;
mod show;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::Outcome;
use super::base::Base;
use super::blast::DryRun;
use super::consent::Consent;
use super::door::{Deck, Signed};
use super::fault::Fault;
use super::find;
use super::handover::Aim;
use super::key::Overlap;
use crate::domain::catalog::AuthMethod;
use crate::domain::{App, Grace, SourceApp, TokenAlg, UserType};

/// What can be done with apps.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Create an app; its secret is printed once and kept nowhere
    Create(Create),
    /// Your apps; deleted ones only with --deleted
    List(List),
    /// All that is known of one app; never its secret
    Show(One),
    /// Change what an app tells about itself, or what it may do
    Edit(Edit),
    /// Give an app a new secret; the old one and its access tokens work on for a grace
    Rotate(Rotate),
    /// Replace a secret that was lost: a new one, and the old one and its access tokens end at once
    NewSecret(NewSecret),
    /// Issue a key for an app; its token is printed once and kept nowhere
    NewKey(NewKey),
    /// Stop an app, its keys and its access tokens for a while
    Pause(Pause),
    /// Let a paused app work again
    Resume(One),
    /// End an app for good; its keys are revoked
    Delete(Delete),
}

/// What an app tells about itself; on edit, what is left out stays.
#[derive(Debug, Args)]
pub struct Profile {
    /// Where the app lives: an address that begins with https
    #[arg(long, value_name = "URL")]
    uri: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Who signs in through it
    #[arg(long, value_name = "TYPE")]
    user_type: Option<UserWord>,
    /// What kind of app it is
    #[arg(long, value_name = "SOURCE")]
    source: Option<SourceWord>,
    /// Where a person may be sent after signing in; several are fine
    #[arg(long, value_name = "URL", num_args = 1..)]
    post_login: Option<Vec<String>>,
    /// Where a person may be sent after signing out; several are fine
    #[arg(long, value_name = "URL", num_args = 1..)]
    post_logout: Option<Vec<String>>,
}

/// What the access tokens of an app are like; on edit, what is left out stays.
#[derive(Debug, Args)]
pub struct Tokens {
    /// How its access tokens are signed: ES256 for services that know no Ed25519 [default: EdDSA]
    #[arg(long, value_name = "ALG", ignore_case = true)]
    alg: Option<AlgWord>,
    /// Whom its access tokens may be for, the first unless `resource` asks for another; of a resource server, whose it asks
    /// about [default: the platform, as the policy token-audience names it]
    #[arg(long, value_name = "NAME", num_args = 1..)]
    audience: Option<Vec<String>>,
}

/// Words of `app create`.
#[derive(Debug, Args)]
#[command(
    mut_arg("uri", |arg| arg.required(true)),
    mut_arg("user_type", |arg| arg.required(true)),
    mut_arg("source", |arg| arg.required(true)),
)]
pub struct Create {
    /// What the app is called; yours have different names
    #[arg(long, value_name = "NAME")]
    name: String,
    #[command(flatten)]
    profile: Profile,
    /// How it proves who it is; this stays
    #[arg(long, value_name = "METHOD")]
    auth: AuthWord,
    /// What it may do, unless --preset says it; `keydeck scope list` shows them. A resource server has none
    #[arg(long, value_name = "SCOPE", num_args = 1..)]
    scope: Vec<String>,
    /// A ready choice of scopes; others can be added with --scope
    #[arg(long, value_name = "PRESET")]
    preset: Option<String>,
    #[command(flatten)]
    tokens: Tokens,
    #[command(flatten)]
    aim: Aim,
}

/// Words of `app list`.
#[derive(Debug, Args)]
pub struct List {
    /// Everybody's apps (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
    /// Deleted apps too
    #[arg(long)]
    deleted: bool,
}

/// One app.
#[derive(Debug, Args)]
pub struct One {
    /// Its application id, the hint of its secret, or its name if only one has it
    #[arg(value_name = "APP")]
    app: String,
    /// Look among everybody's apps (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
}

/// One app, and something that cannot be undone.
#[derive(Debug, Args)]
pub struct Final {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    consent: Consent,
}

/// Words of `app pause`.
#[derive(Debug, Args)]
pub struct Pause {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    dry: DryRun,
}

/// Words of `app delete`.
#[derive(Debug, Args)]
pub struct Delete {
    #[command(flatten)]
    which: Final,
    #[command(flatten)]
    dry: DryRun,
}

/// Words of `app edit`.
#[derive(Debug, Args)]
pub struct Edit {
    #[command(flatten)]
    one: One,
    /// Its new name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    profile: Profile,
    /// No address after signing in any more
    #[arg(long, conflicts_with = "post_login")]
    no_post_login: bool,
    /// No address after signing out any more
    #[arg(long, conflicts_with = "post_logout")]
    no_post_logout: bool,
    /// All it may do from now on; its keys lose what the app loses
    #[arg(long, value_name = "SCOPE", num_args = 1..)]
    scope: Vec<String>,
    #[command(flatten)]
    tokens: Tokens,
    /// For the platform again, and nobody else
    #[arg(long, conflicts_with = "audience")]
    no_audience: bool,
    #[command(flatten)]
    dry: DryRun,
    #[command(flatten)]
    base: Base,
}

/// Words of `app rotate`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("deed").args(["finish", "cancel", "again", "longer"])))]
pub struct Rotate {
    #[command(flatten)]
    which: Final,
    #[command(flatten)]
    overlap: Overlap,
    /// A name of your own for this rotation: asked for again, it makes no other secret
    #[arg(long, value_name = "ROTATION", conflicts_with = "deed")]
    id: Option<String>,
    #[command(flatten)]
    aim: Aim,
    /// End the old secret now
    #[arg(long, conflicts_with_all = ["token_file", "seal_to"])]
    finish: bool,
    /// End the new secret; the old one is as it was before
    #[arg(long, conflicts_with_all = ["token_file", "seal_to"])]
    cancel: bool,
    /// Replace the new secret, which nobody has used: for an answer that was lost
    #[arg(long)]
    again: bool,
    /// Let the old secret work for longer, by so much
    #[arg(long, value_name = "LIFE", conflicts_with_all = ["token_file", "seal_to"])]
    longer: Option<Grace>,
}

/// Words of `app new-secret`.
#[derive(Debug, Args)]
pub struct NewSecret {
    #[command(flatten)]
    which: Final,
    #[command(flatten)]
    aim: Aim,
}

/// Words of `app new-key`.
#[derive(Debug, Args)]
pub struct NewKey {
    #[command(flatten)]
    which: Final,
    /// What the key is called [default: the app's name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What it may do [default: all the app may]
    #[arg(long, value_name = "SCOPE", num_args = 1..)]
    scope: Vec<String>,
    /// never, 12h, 90d, 8w, 1y, or a date such as 2027-01-31 [default: the policy's]
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    note: String,
    /// Revoke the app's other keys once the new one is handed over
    #[arg(long)]
    revoke_others: bool,
    #[command(flatten)]
    aim: Aim,
}

/// The words for how an app proves who it is.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum AuthWord {
    /// An API key, sent as it is
    Key,
    /// Access tokens, fetched with application id and secret
    Jwt,
    /// Not at all: a service that is called, and asks about the tokens and keys its callers present
    ResourceServer,
}

impl AuthWord {
    const fn method(self) -> AuthMethod {
        match self {
            Self::Key => AuthMethod::ApiKey,
            Self::Jwt => AuthMethod::Jwt,
            Self::ResourceServer => AuthMethod::ResourceServer,
        }
    }

    const fn of(method: AuthMethod) -> &'static str {
        match method {
            AuthMethod::ApiKey => "key",
            AuthMethod::Jwt => "jwt",
            AuthMethod::ResourceServer => "resource-server",
        }
    }
}

/// The words for how access tokens are signed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum AlgWord {
    /// Ed25519
    #[value(name = "EdDSA")]
    EdDsa,
    /// ECDSA on P-256 with SHA-256
    #[value(name = "ES256")]
    Es256,
}

impl AlgWord {
    const fn alg(self) -> TokenAlg {
        match self {
            Self::EdDsa => TokenAlg::EdDsa,
            Self::Es256 => TokenAlg::Es256,
        }
    }
}

/// The words for who signs in through an app.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum UserWord {
    /// Guests
    Guest,
    /// Employees
    Employee,
    /// Guests and employees
    Both,
}

impl UserWord {
    const fn user_type(self) -> UserType {
        match self {
            Self::Guest => UserType::Guest,
            Self::Employee => UserType::Employee,
            Self::Both => UserType::Both,
        }
    }
}

/// The words for kinds of apps.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SourceWord {
    /// A mobile app for customers that somebody else built
    #[value(name = "external_cma", alias = "external-cma")]
    ExternalCma,
    /// A web store that somebody else built
    #[value(name = "external_webstore", alias = "external-webstore")]
    ExternalWebstore,
    /// A program of the client's own
    #[value(name = "client_app", alias = "client-app")]
    ClientApp,
    /// A bot
    Bot,
}

impl SourceWord {
    const fn source(self) -> SourceApp {
        match self {
            Self::ExternalCma => SourceApp::ExternalCma,
            Self::ExternalWebstore => SourceApp::ExternalWebstore,
            Self::ClientApp => SourceApp::ClientApp,
            Self::Bot => SourceApp::Bot,
        }
    }
}

/// Runs one of them.
pub fn run(deck: &Deck, verb: &Verb) -> Outcome {
    match verb {
        Verb::Create(args) => make::create(deck, args),
        Verb::List(args) => show::list(deck, args),
        Verb::Show(one) => show::show(deck, one),
        Verb::Edit(args) => make::edit(deck, args),
        Verb::Rotate(args) => rotate::run(deck, args),
        Verb::NewSecret(args) => rotate::new_secret(deck, args),
        Verb::NewKey(args) => change::new_key(deck, args),
        Verb::Pause(args) => change::pause(deck, args),
        Verb::Resume(one) => change::resume(deck, one),
        Verb::Delete(args) => change::delete(deck, args),
    }
}

fn reach(deck: &Deck, one: &One) -> Result<(Signed, App), Fault> {
    let signed = deck.sign_in()?.widened(one.all)?;
    let app = find::app(&signed, &one.app)?;
    Ok((signed, app))
}
