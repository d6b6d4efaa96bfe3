//! Notices that arrive: what sweeps told of goes to people by channels that the operator of the machine has set up, each
//! step once a channel. Never through the store or its socket: who may write those could have this process run programs.
//!
//! - `run`: what is sent to whom, again when it was not accepted, and what is written down of it. `alarms`: the same of what is
//!   wrong.
//! - `courier`: the threads that do it while a process stays.
//! - `message`: what is sent. `program`: by running a command. `webhook`: by posting it to a server.
//! - `anchors`: the newest entry of the trail, kept where whoever writes the store cannot.
//! - `quit`: how all of it ends.

mod alarms;
mod anchors;
mod courier;
mod message;
mod program;
mod quit;
mod report;
mod run;
#[cfg(feature = "webhook")]
mod webhook;

pub use self::anchors::{Anchorage, Anchoring};
pub use self::courier::Courier;
pub use self::message::Letter;
pub use self::program::Program;
pub use self::quit::Quit;
pub use self::report::Report;
pub use self::run::{begin, run, test};
#[cfg(feature = "webhook")]
pub use self::webhook::{Webhook, WebhookUrl};
use crate::domain::delivery::ChannelName;

/// A channel as it is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// What it is called.
    pub name: ChannelName,
    /// How it sends.
    pub way: Way,
    /// The kinds of notices it wants, by [`crate::domain::delivery::KINDS`]; none: all of them.
    pub only: Vec<String>,
}

impl Setup {
    /// Whether it wants notices of a kind.
    fn wants(&self, code: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == code)
    }
}

/// Those of a configuration, or what is wrong with how they are set up: that stops whoever would deliver through them.
pub type Channels = Result<Vec<Setup>, String>;

/// How a channel sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// It runs a program that takes the message on its standard input.
    Program(Program),
    /// It posts the message to a server.
    #[cfg(feature = "webhook")]
    Webhook(Webhook),
}

impl Way {
    /// Sends one message and waits until it is accepted, or until it is time to end.
    ///
    /// # Errors
    /// When it is not.
    pub fn send(&self, letter: &Letter, quit: &Quit) -> Result<(), Unsent> {
        match self {
            Self::Program(program) => program.take(letter, quit),
            #[cfg(feature = "webhook")]
            Self::Webhook(webhook) => webhook.take(letter, quit),
        }
    }

    /// How long one message takes at most.
    const fn limit(&self) -> std::time::Duration {
        match self {
            Self::Program(program) => program.limit,
            #[cfg(feature = "webhook")]
            Self::Webhook(webhook) => webhook.limit,
        }
    }
}

/// A message that was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// Not this time, and why.
    #[error("{0}")]
    Failed(String),
    /// It says that it is gone for good, and why.
    #[error("{0}")]
    Gone(String),
    /// This process ends, and nobody knows what would have become of it.
    #[error("it was broken off")]
    BrokenOff,
}
