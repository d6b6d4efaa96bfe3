//! `keydeck key`: issue keys, look at them, stop them. The words are here; [`issue`] and [`import`] make, [`list`] shows,
//! [`change`] does everything else, to one key or, as [`many`] has it, to many.

mod change;
mod import;
mod issue;
mod lines;
mod list;
mod many;
mod rotate;

use std::path::PathBuf;
use std::str::FromStr as _;

pub use self::issue::{expiry, issue, scopes};
pub(in crate::cli) use self::list::picture_cells;
use self::many::Which;
use self::many::undo::{self, Words as UndoWords};

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::Outcome;
use super::base::Base;
use super::consent::Consent;
use super::door::{Deck, Signed};
use super::fault::Fault;
use super::handover::Aim;
use crate::domain::{Counted, Grace, Key, KeyId, KeyState, Refusal, Timestamp, View, Why};
use crate::engine::handover::Variable;

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Issue a key; its token is printed once and kept nowhere
    Create(Create),
    /// Take over a key whose secret was made elsewhere, or many; its callers put its id before it
    Import(import::Import),
    /// Your keys; deleted ones only with --state deleted
    List(List),
    /// All that is known of one key; never its secret
    Show(One),
    /// Stop a key until it is resumed, or for some time
    Pause(Pause),
    /// Let a paused key work again
    Resume(Which),
    /// Have a new key take over from one or many; the old one works on for a grace
    Rotate(Rotate),
    /// Replace a key that was lost: a new one, and the old one is dead at once
    Lost(Lost),
    /// Stop a key for good
    Revoke(Revoke),
    /// Revoke a key and remove it from sight; the record can be restored for thirty days, its secret never
    Delete(Final),
    /// Bring a deleted record back, as revoked
    Restore(Which),
    /// Take back what was done to many keys, by its report, of exactly those it was done to
    Undo(UndoWords),
    /// Change what a key may do
    Rescope(Rescope),
    /// Change what a key is called, what it is for and when it ends
    Edit(Edit),
    /// Say that a key is needed: its days without use count anew from now
    Keep(Which),
    /// Never delete a key for want of use
    Protect(Protect),
    /// Protect a key no longer
    Unprotect(Which),
    /// Give a key to another operator; its token stays the same (admins)
    Transfer(Transfer),
}

/// What a new key shall be.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("place").args(["agency", "location", "app"])),
          group(ArgGroup::new("placed").required(true).multiple(true).args(["agency", "location", "app", "like"])))]
pub struct NewWords {
    /// What the key is called; yours have different names [default with --like: that name with a number]
    #[arg(long, value_name = "NAME", required_unless_present = "like")]
    name: Option<String>,
    /// Take over from this key what is not said: place, scopes, life, note and contacts; nothing of its secret
    #[arg(long, value_name = "KEY")]
    like: Option<String>,
    /// A key for the whole agency
    #[arg(long)]
    agency: bool,
    /// A key for one location: its id or name
    #[arg(long, value_name = "LOCATION")]
    location: Option<String>,
    /// A key for one app: its application id or name
    #[arg(long, value_name = "APP")]
    app: Option<String>,
    /// What it may do, unless --preset says it; `keydeck scope list` shows them
    #[arg(long, value_name = "SCOPE", num_args = 1.., required_unless_present_any = ["preset", "like"])]
    scope: Vec<String>,
    /// A ready choice of scopes; others can be added with --scope
    #[arg(long, value_name = "PRESET")]
    preset: Option<String>,
    /// never, 12h, 90d, 8w, 1y, or a date such as 2027-01-31, to the end of that day here [default: the policy's]
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Who is told of it besides you, such as a mail address; up to 5
    #[arg(long, value_name = "CONTACT")]
    contact: Vec<String>,
}

/// Words of `key create`.
#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    new: NewWords,
    /// Make it a decoy: it opens nothing, and you are told who presents it. It looks like any other, and ends only when you say so
    #[arg(long)]
    decoy: bool,
    #[command(flatten)]
    aim: Aim,
}

/// Words of `key list`.
#[derive(Debug, Args)]
pub struct List {
    /// Everybody's keys (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
    /// Only keys in this state
    #[arg(long, value_name = "STATE")]
    state: Option<StateWord>,
    /// Only keys of this location: its id or name
    #[arg(long, value_name = "LOCATION")]
    location: Option<String>,
    /// Only keys of this app: its application id or name
    #[arg(long, value_name = "APP")]
    app: Option<String>,
    /// Only keys that hold this scope
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// Only keys that this finds, in the words of the console's filter line: '(owner:jonas OR owner:maria) idle>30d'
    ///
    /// Words are looked for in name, id, note, owner and place. Beside them: scope:contacts.read, state:paused (or live, expiring,
    /// idle, due, decoy, stopped), owner:jonas, at:"Berlin Mitte", note:warehouse, from:203.0.113.0/24 (its last caller), by:curl
    /// (the same), expires<7d expires>1y expires:never, used<1d used>30d used:never, created<7d created>90d, idle>60d idle<1d.
    /// All must hold; NOT turns the next one round, OR stands between two of which one is enough.
    #[arg(long = "where", value_name = "FILTER")]
    filter: Option<String>,
    /// Their ids and nothing else, one a line
    #[arg(long)]
    ids: bool,
    /// A table for other programs, comma-separated, which no spreadsheet runs
    #[arg(long, conflicts_with = "ids")]
    csv: bool,
}

/// One key.
#[derive(Debug, Args)]
pub struct One {
    /// Its id, its hint, or its name if only one has it
    #[arg(value_name = "KEY")]
    pub(in crate::cli) key: String,
    /// Look among everybody's keys (admins; noted in the audit trail)
    #[arg(long)]
    pub(in crate::cli) all: bool,
}

impl One {
    /// What it is called, and whether it may be anybody's.
    fn named(&self) -> (&str, bool) {
        (&self.key, self.all)
    }
}

/// Keys, and something that cannot be undone.
#[derive(Debug, Args)]
pub struct Final {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    consent: Consent,
}

/// Words of `key revoke`.
#[derive(Debug, Args)]
pub struct Revoke {
    #[command(flatten)]
    which: Which,
    /// Why, for the trail and for reviews: leaked, unused, replaced, owner-left or other
    #[arg(long, value_name = "REASON", default_value = "other", hide_default_value = true, value_parser = Why::from_str)]
    reason: Why,
    /// Why, in your own words
    #[arg(long, value_name = "TEXT")]
    because: Option<String>,
    #[command(flatten)]
    consent: Consent,
}

/// Words of `key pause`.
#[derive(Debug, Args)]
pub struct Pause {
    #[command(flatten)]
    which: Which,
    /// Resume it by itself after so long: 5m, 1h, 1d, up to 7d
    #[arg(long = "for", value_name = "LIFE")]
    time: Option<Grace>,
}

/// What the new half of a rotation shall be.
#[derive(Debug, Args)]
pub struct Successor {
    /// When the new one ends, counted from now; never later than the old one unless this says so
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// A name of your own for this rotation: asked for again, it makes no other secret
    #[arg(long, value_name = "ROTATION")]
    id: Option<String>,
    #[command(flatten)]
    aim: Aim,
}

/// How long what was replaced works on.
#[derive(Clone, Debug, Args)]
pub struct Overlap {
    /// How long the old one works on: 0, 1h, 24h, up to 7d
    #[arg(long, value_name = "LIFE", default_value = "24h", conflicts_with = "deed")]
    grace: Grace,
    /// Since when that counts
    #[arg(long, value_name = "SINCE", default_value = "first-use", conflicts_with = "deed")]
    from: Since,
}

impl Overlap {
    /// As the rules have it.
    pub(in crate::cli) const fn read(&self) -> (Grace, Counted) {
        let counted = match self.from {
            Since::Now => Counted::FromNow,
            Since::FirstUse => Counted::FromFirstUse,
        };
        (self.grace, counted)
    }
}

/// Words of `key rotate`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("deed").args(["finish", "cancel", "again", "longer"])))]
pub struct Rotate {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    overlap: Overlap,
    #[command(flatten)]
    successor: Successor,
    /// Where the tokens of many go: a new file with NAME=TOKEN a line (in one that ends in .jsonl, an object a line), or a
    /// directory, with a file for each
    #[arg(long, value_name = "PATH", conflicts_with_all = ["key", "token_file", "env"])]
    to: Option<PathBuf>,
    /// What the names there begin with
    #[arg(long, value_name = "PREFIX", requires = "to")]
    env_prefix: Option<Variable>,
    /// End the old half now
    #[arg(long, conflicts_with_all = ["expires", "id", "token_file", "seal_to", "filter", "ids", "dry_run"])]
    finish: bool,
    /// Revoke the new half; the old one is as it was before
    #[arg(long, conflicts_with_all = ["expires", "id", "token_file", "seal_to", "filter", "ids", "dry_run"])]
    cancel: bool,
    /// Replace the new half, which nobody has used: for an answer that was lost
    #[arg(long, conflicts_with_all = ["expires", "id", "filter", "ids", "dry_run"])]
    again: bool,
    /// Let the old half work for longer, by so much
    #[arg(long, value_name = "LIFE", conflicts_with_all = ["expires", "id", "token_file", "seal_to", "filter", "ids", "dry_run"])]
    longer: Option<Grace>,
    #[command(flatten)]
    consent: Consent,
}

/// Words of `key lost`.
#[derive(Debug, Args)]
pub struct Lost {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    successor: Successor,
    #[command(flatten)]
    consent: Consent,
}

/// Since when a grace counts.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Since {
    /// The rotation
    Now,
    /// The first use of the new one
    FirstUse,
}

/// Words of `key rescope`.
#[derive(Debug, Args)]
pub struct Rescope {
    #[command(flatten)]
    which: Which,
    /// All it may do from now on, unless --add or --remove says what changes
    #[arg(long, value_name = "SCOPE", num_args = 1..,
          required_unless_present_any = ["add", "remove", "enforce", "drop"],
          conflicts_with_all = ["add", "remove"])]
    scope: Vec<String>,
    /// What it may do besides
    #[arg(long, value_name = "SCOPE", num_args = 1..)]
    add: Vec<String>,
    /// What it may do no longer
    #[arg(long, value_name = "SCOPE", num_args = 1..)]
    remove: Vec<String>,
    /// Refuse nothing yet: for so long, such as 14d, only count the requests that would be refused
    #[arg(long, value_name = "DAYS", conflicts_with_all = ["add", "filter", "ids", "dry_run", "if_rev"])]
    report_only: Option<String>,
    /// Take away now what report-only tried to do without
    #[arg(long, conflicts_with_all = ["scope", "add", "remove", "report_only", "drop", "filter", "ids", "if_rev"])]
    enforce: bool,
    /// End report-only: the key keeps its scopes
    #[arg(long, conflicts_with_all = ["scope", "add", "remove", "report_only", "filter", "ids", "dry_run", "if_rev"])]
    drop: bool,
    #[command(flatten)]
    base: Base,
}

/// Words of `key edit`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("change").required(true).multiple(true)
    .args(["name", "note", "expires", "notice", "contact"])))]
pub struct Edit {
    #[command(flatten)]
    which: Which,
    /// What it is called from now on
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// When it ends, counted from now: never, 90d, 1y, or a date such as 2027-01-31
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// Days before its end at which it is told of, such as 30d, or `policy`
    #[arg(long, value_name = "DAYS")]
    notice: Option<String>,
    /// Who is told of it besides its owner, all of them, such as a mail address; `none` for nobody
    #[arg(long, value_name = "CONTACT")]
    contact: Vec<String>,
    #[command(flatten)]
    base: Base,
}

/// Words of `key protect`.
#[derive(Debug, Args)]
pub struct Protect {
    #[command(flatten)]
    which: Which,
    /// Why, for whoever wonders in a year
    #[arg(long, value_name = "TEXT")]
    why: String,
}

/// Words of `key transfer`.
#[derive(Debug, Args)]
pub struct Transfer {
    #[command(flatten)]
    which: Which,
    /// Who owns it from now on: an active manager or admin
    #[arg(long, value_name = "OPERATOR")]
    to: String,
}

/// The words for states.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum StateWord {
    /// Works
    Active,
    /// Refused although nobody stopped it: its owner, location or app is
    Stopped,
    /// Opens nothing, and rings when it is presented
    Decoy,
    /// Stopped, can be resumed
    Paused,
    /// Another took over from it, and its grace runs
    Superseded,
    /// Its time is over
    Expired,
    /// Stopped for good
    Revoked,
    /// Removed from sight
    Deleted,
}

impl StateWord {
    fn fits(self, key: &Key, view: View<'_>, now: Timestamp) -> bool {
        let state = key.state(now);
        match self {
            Self::Active => view.refused(key, now).is_none(),
            Self::Stopped => lines::stopped(key, view, now).is_some(),
            Self::Decoy => key.is_laid(),
            Self::Paused => state == KeyState::Paused,
            Self::Superseded => state == KeyState::Superseded,
            Self::Expired => state == KeyState::Expired,
            Self::Revoked => state == KeyState::Revoked,
            Self::Deleted => state == KeyState::Deleted,
        }
    }
}

/// Runs one of them.
pub fn run(deck: &Deck, verb: &Verb) -> Outcome {
    match verb {
        Verb::Create(args) => issue::run(deck, args),
        Verb::Import(args) => import::run(deck, args),
        Verb::List(args) => list::list(deck, args),
        Verb::Show(args) => list::show(deck, args),
        Verb::Pause(args) => change::pause(deck, args),
        Verb::Resume(which) => change::resume(deck, which),
        Verb::Rotate(args) => rotate::run(deck, args),
        Verb::Lost(args) => rotate::lost(deck, args),
        Verb::Revoke(words) => change::revoke(deck, words),
        Verb::Delete(words) => change::delete(deck, words),
        Verb::Restore(which) => change::restore(deck, which),
        Verb::Undo(words) => undo::run(deck, words),
        Verb::Rescope(args) => change::rescope(deck, args),
        Verb::Edit(args) => change::edit(deck, args),
        Verb::Keep(which) => change::keep(deck, which),
        Verb::Protect(args) => change::protect(deck, args),
        Verb::Unprotect(which) => change::unprotect(deck, which),
        Verb::Transfer(args) => change::transfer(deck, args),
    }
}

/// The key as it is now, after a command.
fn now(signed: &Signed, id: KeyId) -> Result<Key, Fault> {
    Ok(signed.see(|view| view.key(id).cloned()).ok_or(Refusal::NoSuchKey)?)
}
