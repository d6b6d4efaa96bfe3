//! What screens and overlays ask for, and what comes back. Asking is the only way anything is changed; the app
//! turns a job into work on another thread and brings the answer to whoever asked.

use std::path::PathBuf;
use std::sync::Arc;

use crate::crypto::scan::Kind;
use crate::domain::blast::many::Busy;
use crate::domain::command::Yields;
use crate::domain::handover::Way;
use crate::domain::history::Picture;
use crate::domain::history::spark::Spark;
use crate::domain::notice::Notice;
use crate::domain::report::Report;
use crate::domain::tail::{Tail, Watched};
use crate::domain::{
    AppId, Bearer, Command, Decision, Event, Key, KeyId, KeyState, LocationId, OperatorId, Place, ScopeId,
    Timestamp,
};
use crate::engine::handover::Purse;
use crate::engine::many::Report as Account;
use crate::engine::{AuditPage, AuditReport, Doors, Many, Session, Whose};
use crate::tui::action::Action;
pub use crate::tui::action::Tab;
use crate::tui::clipboard::Keep;
use crate::tui::list::search::{Ordered, Sift};
use crate::tui::overlay::Overlay;
use crate::tui::screens::keys::list::Keys;
use crate::tui::screens::review::rows::Reviewed;
use crate::tui::secret::SecretText;
use crate::tui::sight::jump::Trawl;
use crate::tui::sight::plan::{Means, Plan};
use crate::tui::sight::subset::Subset;

use super::custody::Fresh;
use super::due::Due;

pub enum Ask {
    /// Do this; the answer comes to whoever asked (the overlay of that name while it is open, else the screen).
    Do(Job),
    /// Look through many rows on another thread.
    Search(Search),
    /// Put an overlay on top of whatever is there.
    Push(Box<dyn Overlay>),
    /// Copy a text. Secrets are leased: 45 s with a countdown in the status bar, then cleared.
    Copy(SecretText, Keep),
    /// Say something for a few seconds.
    Say(String),
    /// Say that something went well.
    Celebrate(String),
    /// Say something that stays until it is dismissed.
    Complain(String),
    /// Go to another tab, with something to do there.
    Go(Tab, Errand),
    /// Bring this to the screen below, as the answer of what was done in several steps.
    Report(Answer),
    /// Keep the report of what was done to many, for whoever wants it in a file.
    Keep(Account),
    /// Do what this verb does on the screen, as if its key had been pressed there.
    Act(Action),
    /// Be drawn in the theme of this name, or in the one it began with.
    Wear(Option<&'static str>),
    /// End, as `q` does.
    Quit,
}

impl Ask {
    /// Asks for an overlay on top of whatever is there.
    pub fn open(overlay: impl Overlay + 'static) -> Self {
        Self::Push(Box::new(overlay))
    }
}

/// Looking through many rows; changes nothing.
pub type Search = Box<dyn FnOnce() -> Found + Send>;

pub enum Found {
    /// Keys of a subset in order.
    Ordered(Subset, Ordered<Keys>),
    /// Keys a filter lets through, as far as it has come.
    Sifted(Sift<Keys>),
    /// What is due, and how many there are.
    Due(Due),
    /// What there is to say against keys and apps, in order.
    Reviewed(Ordered<Reviewed>),
    /// What of it a filter lets through, as far as it has come.
    ReviewSifted(Sift<Reviewed>),
    /// What can be jumped to, as far as it was looked through.
    Jump(Trawl),
}

impl Tab {
    /// Where keys of a place are found.
    pub const fn of(place: Place) -> Self {
        match place {
            Place::Agency => Self::Agency,
            Place::Location(_) => Self::Locations,
            Place::App(_) => Self::Apps,
        }
    }
}

/// What to do on arriving at a tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    None,
    Filter(String),
    Key(KeyId),
    /// The same, with its detail open.
    Open(KeyId),
    App(AppId),
    Location(LocationId),
    /// A part of the settings.
    Setting(Setting),
    /// An entry of the trail, by its number.
    Entry(u64),
    /// To be asked what this verb asks of it.
    With(Action, Thing),
}

/// What an action can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    Key(KeyId),
    App(AppId),
    Location(LocationId),
    Operator(OperatorId),
}

impl Errand {
    /// To a key's row, or to it among the deleted.
    pub fn of(key: &Key, now: Timestamp) -> Self {
        if key.state(now) == KeyState::Deleted {
            Self::Filter(format!("state:deleted {}", key.id))
        } else {
            Self::Key(key.id)
        }
    }
}

/// What there is in the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// A section, by its title.
    Section(&'static str),
    /// A rule of the policy, by its name.
    Rule(&'static str),
    Operator(OperatorId),
}

/// Work for the engine.
pub enum Job {
    /// Run a command. `said` is the toast when it is done, such as "Nightly export is revoked".
    Run {
        command: Command,
        said: String,
    },
    /// Do the next part of what is done to many keys.
    Part(Many),
    /// Write a secret to a file.
    HandOver(HandOver),
    /// Make a place for the secrets of many keys.
    Purse {
        /// A new file, or a directory.
        to: PathBuf,
        /// Whom they are sealed to.
        seal_to: Vec<String>,
    },
    /// See the whole agency; leaves an audit entry.
    Widen,
    /// Run a command that lets somebody in with this passphrase; `said` as for [`Job::Run`].
    LetIn {
        command: Command,
        passphrase: SecretText,
        said: String,
    },
    RenewRecovery,
    /// Work out what would become of many keys.
    Plan {
        keys: Vec<KeyId>,
        means: Means,
    },
    /// Write something to a new file.
    Export {
        what: Exported,
        /// A file that is not there yet.
        to: PathBuf,
    },
    /// Read a page of the trail.
    Audit {
        /// Entries older than this.
        before: Option<u64>,
        limit: usize,
        /// Only about this key.
        about: Option<KeyId>,
    },
    CheckAudit,
    /// How a key or an app was used.
    Use(Bearer),
    /// How many requests many together had of late.
    Busy(Vec<Bearer>),
    /// Where the store lies and what opens it.
    Doors,
    /// Try a token without using it.
    Test {
        /// As it was pasted.
        token: SecretText,
        /// What the imagined request needs.
        wanted: Vec<ScopeId>,
    },
    /// Whose secrets are that were found in a text.
    Whose(Vec<(Kind, SecretText)>),
    /// How all keys and apps are doing.
    Count,
    /// What comes in the next days.
    Ahead,
    /// How the keys in sight were used in the last days.
    Sparks(Vec<KeyId>),
    /// What arrived since that was asked last; nothing any more.
    Tail(Option<Watched>),
}

/// What is written to a file for other programs. No secret is in it.
#[derive(Clone)]
pub enum Exported {
    /// Keys, as a table.
    Keys(Vec<KeyId>),
    /// The report of what was done to many.
    Account(Arc<Account>),
}

/// A secret on its way to a file.
pub struct HandOver {
    pub secret: SecretText,
    /// A file that is not there yet.
    pub to: PathBuf,
    /// Whom it is sealed to.
    pub seal_to: Vec<String>,
    /// Has the record say how.
    pub note: Box<dyn FnOnce(Way) -> Command + Send>,
}

impl Job {
    /// Whether it changes something, as opposed to looking.
    pub const fn changes(&self) -> bool {
        match self {
            Self::Audit { .. }
            | Self::CheckAudit
            | Self::Use(_)
            | Self::Busy(_)
            | Self::Doors
            | Self::Test { .. }
            | Self::Whose(_)
            | Self::Count
            | Self::Ahead
            | Self::Sparks(_)
            | Self::Plan { .. }
            | Self::Export { .. }
            | Self::Tail(_) => false,
            Self::Run { .. }
            | Self::Part(_)
            | Self::HandOver(_)
            | Self::Purse { .. }
            | Self::Widen
            | Self::LetIn { .. }
            | Self::RenewRecovery => true,
        }
    }

    /// What is being done, for whoever waits for it.
    pub fn label(&self) -> &'static str {
        match self {
            Self::RenewRecovery => "making a recovery code",
            Self::Run { .. } if self.secret_of().is_some() => "making the secret",
            Self::Run { .. } => "saving",
            Self::Part(_) => "going through the keys",
            Self::HandOver(_) | Self::Purse { .. } | Self::Export { .. } => "writing the file",
            Self::Widen => "opening the whole agency",
            Self::LetIn { .. } => "sealing with the passphrase",
            Self::Audit { .. } => "reading the trail",
            Self::CheckAudit => "checking the trail",
            Self::Use(_) | Self::Sparks(_) => "reading its use",
            Self::Plan { .. } => "looking who uses them",
            Self::Busy(_) => "counting requests",
            Self::Doors => "looking what opens the store",
            Self::Test { .. } => "testing the token",
            Self::Whose(_) => "looking up the secrets",
            Self::Count => "counting all keys",
            Self::Ahead => "looking ahead",
            Self::Tail(_) => "watching",
        }
    }

    /// What is said when it is done, if anything is.
    pub fn said(&self) -> Option<&str> {
        match self {
            Self::Run { said, .. } | Self::LetIn { said, .. } if !said.is_empty() => Some(said),
            _ => None,
        }
    }

    /// What the secret opens that it brings, as the beginning of a sentence; `None` when it brings none. Whoever asked for
    /// one is held until it has come.
    pub fn secret_of(&self) -> Option<String> {
        match self {
            Self::Run { command, .. } => match command.yields() {
                Yields::Nothing => None,
                Yields::Secret | Yields::RecoveryCode => Some(match command {
                    Command::IssueKey(new) => format!("The key {}", new.name),
                    Command::RotateKey { .. } | Command::RepeatRotation(_) => {
                        "The key that takes over".to_owned()
                    }
                    Command::CreateApp(new) => format!("The app {}", new.name),
                    _ => "A new secret".to_owned(),
                }),
            },
            Self::RenewRecovery => Some("A new recovery code".to_owned()),
            Self::Part(_)
            | Self::HandOver(_)
            | Self::Purse { .. }
            | Self::Widen
            | Self::Plan { .. }
            | Self::Export { .. }
            | Self::LetIn { .. }
            | Self::Audit { .. }
            | Self::CheckAudit
            | Self::Use(_)
            | Self::Busy(_)
            | Self::Doors
            | Self::Test { .. }
            | Self::Whose(_)
            | Self::Count
            | Self::Ahead
            | Self::Sparks(_)
            | Self::Tail(_) => None,
        }
    }
}

/// What a job led to. Before it is told, the state has been looked at again and `said` is on the screen as a note
/// (an empty `said` is not). A refusal becomes a note too, unless an overlay that is still open asked: that one
/// says it itself.
pub enum Answer {
    /// A command was done. The token of an issued key or the secret of an app is here and nowhere else.
    Done {
        events: Vec<Event>,
        /// The new secret, for an issued key or an app.
        token: Option<Fresh>,
        said: String,
    },
    /// A part of what is done to many keys was done: how far it is, and what happened.
    Part(Many, Vec<Event>),
    /// What would become of many keys.
    Plan(Box<Plan>),
    /// There is a place for the secrets of many keys.
    Purse(Purse),
    /// The session sees the whole agency now.
    Widened(Session),
    /// The new recovery code, to be shown once.
    Recovery(Fresh),
    /// A page of the trail.
    Audit(AuditPage),
    /// How the trail stands.
    Checked(AuditReport),
    /// How a key or an app was used.
    Use(Bearer, Box<Picture>),
    /// How many requests many together had of late.
    Busy(Box<Busy>),
    /// Where the store lies and what opens it.
    Doors(Doors),
    /// What a request with the token would be told.
    Tested(Decision),
    /// What is known of each secret, beside as much of it as may be shown.
    Whose(Vec<(Kind, String, Whose)>),
    /// How all keys and apps are doing.
    Counted(Box<Report>),
    /// What comes in the next days.
    Coming(Vec<Notice>),
    /// How keys were used in the last days.
    Sparks(Vec<Spark>),
    /// What arrived, while somebody watches.
    Tail(Option<Box<Tail>>),
    /// It was not done, and why, in words for the operator.
    Refused(String),
}
