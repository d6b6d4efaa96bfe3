//! What the console orders of its worker, and what came of it.

use std::sync::Arc;

use super::ask::{Answer, Found, Job, Search};
use super::entry::{Entered, Entry};
use super::habits::{Habits, Shelf};
use crate::domain::Event;
use crate::engine::{Engine, OpenError, Session};
use crate::serve::door::Hosting;
use crate::tui::clipboard::{ClipboardError, Keep, Route, Settled};
use crate::tui::secret::SecretText;
use crate::tui::theme::Background;

/// What the console wants done elsewhere.
pub enum Effect {
    /// A job for the engine.
    Job(Arc<dyn Engine>, Session, Job),
    Search(Search),
    /// A text for the clipboard.
    Copy(SecretText, Keep),
    /// The lease on a copied secret is over.
    Settle,
    /// Open a store, found one, or fill one with sample data.
    Enter(Entry),
    /// Sign out, write down what is only in memory, send away those who are attached, and let go of the store and its
    /// keys.
    Leave(Option<Hosting>, Arc<dyn Engine>, Session),
    /// Write down how the console is had; the number says which is later.
    Remember(Shelf, u64, Habits),
}

/// What came of it.
pub enum Outcome {
    Answered(Answer),
    Found(Found),
    Copied(Result<Route, ClipboardError>),
    /// Of the end of a lease.
    Settled(Settled),
    /// The store is open, or why not.
    Entered(Box<Result<Entered, OpenError>>),
    /// The store is closed.
    Left,
    /// How the console is had was written down, or could not be.
    Remembered,
    /// News: just this happened.
    Happened(Arc<Vec<Event>>),
    /// News: the state changed.
    Changed,
    /// News: the terminal told its background.
    Background(Background),
    /// News: the process that has the store open is gone, or sent this console away; why, in words.
    Gone(Arc<str>),
}
