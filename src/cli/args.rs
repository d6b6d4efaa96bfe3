//! The words of the command line: the list of families. Each family's own words are in its file.

use clap::{Parser, Subcommand};

use super::globals::Globals;
use super::{
    app, audit, backup, clock, completions, console, demo, due, guide, init, key, location, lockdown, man,
    notices, operator, policy, report, review, scan, scope, serve, tail, verify,
};

/// Issue, scope, hand over, watch and revoke the API keys of an agency's platform
///
/// Without a command, keydeck opens its console; the first run asks for agency, operator and passphrase.
/// Results go to standard output, everything else to standard error.
#[derive(Debug, Parser)]
#[command(
    name = "keydeck",
    version,
    after_help = "Exit codes: 0 done, 1 refused or not found, 2 usage or not a terminal, 3 store unavailable, \
                  4 cannot unseal.\nSecrets come and go by standard input, standard output or a file, never as \
                  an argument."
)]
pub struct Cli {
    /// Options that stand anywhere.
    #[command(flatten)]
    pub globals: Globals,
    /// How the console looks, when there is no command.
    #[command(flatten)]
    pub console: console::ConsoleArgs,
    /// What to do; nothing opens the console.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What keydeck can be told to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Found a store: its agency and first admin; prints the recovery code once
    Init(init::Init),
    /// People who sign in
    #[command(subcommand)]
    Operator(operator::Verb),
    /// Sub-accounts or branches of the agency
    #[command(subcommand)]
    Location(location::Verb),
    /// API keys
    #[command(subcommand)]
    Key(key::Verb),
    /// Integrations: an application id and secret, with keys or access tokens
    #[command(subcommand)]
    App(app::Verb),
    /// The panic button: refuse everything of an owner, a location, an app or the agency, until that is lifted
    Lockdown(lockdown::Lockdown),
    /// What keys can be allowed to do
    #[command(subcommand)]
    Scope(scope::Verb),
    /// The agency's rules
    #[command(subcommand)]
    Policy(policy::Verb),
    /// This machine's clocks, and whether they are believed
    #[command(subcommand)]
    Clock(clock::Verb),
    /// Do what time brings: notices, deletions for want of use; for cron
    Sweep(due::Sweep),
    /// What ends or is deleted soon; exits 1 when something does, for monitoring
    Due(due::Due),
    /// The notice board
    #[command(subcommand)]
    Notices(notices::Verb),
    /// Which keys may do more than they need, or should not be there, and why
    Review(review::Review),
    /// How keys and apps are doing in numbers: by state, end, use, age and risk, and what became of keys lately
    Report(report::Numbers),
    /// Who knocks now, request by request: which key, allowed or why not, from where
    Tail(tail::Tail),
    /// Decide about a token on standard input; prints `allow` or `deny REASON`
    Verify(verify::Verify),
    /// The trail of everything that was done
    #[command(subcommand)]
    Audit(audit::Verb),
    /// The whole store into one sealed file, while it is in use (admins; noted in the trail)
    Backup(backup::Backup),
    /// A store from such a file, where none is (admins)
    Restore(backup::Restore),
    /// Find secrets of keydeck's in files, offline, and ask the store whose they are
    Scan(scan::Scan),
    /// Answer proxies over HTTP: may this request pass?
    Serve(serve::Serve),
    /// A proxy's configuration for `keydeck serve` or a secret scanner's rules, ready to paste; the guide, page by page or as a book
    Guide(guide::Guide),
    /// Version, paths, store and terminal, for finding out what is wrong
    Info,
    /// The console on a throw-away store full of sample data, no passphrase
    Demo(demo::Demo),
    /// Completions for a shell, to standard output
    Completions(completions::Completions),
    /// The manual: one page after the other to standard output, or one for each command into a directory
    Man(man::Man),
}

impl Command {
    /// The words without arguments, for whoever finds the store in use.
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Init(_) => "keydeck init",
            Self::Operator(_) => "keydeck operator",
            Self::Location(_) => "keydeck location",
            Self::Key(_) => "keydeck key",
            Self::App(_) => "keydeck app",
            Self::Lockdown(_) => "keydeck lockdown",
            Self::Scope(_) => "keydeck scope",
            Self::Policy(_) => "keydeck policy",
            Self::Clock(_) => "keydeck clock",
            Self::Sweep(_) => "keydeck sweep",
            Self::Due(_) => "keydeck due",
            Self::Notices(_) => "keydeck notices",
            Self::Review(_) => "keydeck review",
            Self::Report(_) => "keydeck report",
            Self::Tail(_) => "keydeck tail",
            Self::Verify(_) => "keydeck verify",
            Self::Audit(_) => "keydeck audit",
            Self::Backup(_) => "keydeck backup",
            Self::Restore(_) => "keydeck restore",
            Self::Scan(_) => "keydeck scan",
            Self::Serve(_) => "keydeck serve",
            Self::Guide(_) => "keydeck guide",
            Self::Info => "keydeck info",
            Self::Demo(_) => "keydeck demo",
            Self::Completions(_) => "keydeck completions",
            Self::Man(_) => "keydeck man",
        }
    }
}
