//! The report of what was done to many keys, as programs read it: the command line prints it, the console writes it to a file,
//! and `keydeck key undo` takes it.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde::Serialize;

use super::{Left, Many};
use crate::domain::KeyId;
use crate::domain::undo::Undo;

/// A key to which it was not done, or would not be.
#[derive(Clone, Debug, Serialize)]
pub struct Refused {
    /// Its id.
    pub key: String,
    /// What it is called; nothing of one that is not in view.
    pub name: String,
    /// The short word for scripts.
    pub code: String,
    /// Why, for people.
    pub message: String,
}

impl Refused {
    /// Of a key that is called so.
    pub fn of(left: &Left, name: Option<String>) -> Self {
        Self {
            key: left.key.to_string(),
            name: name.unwrap_or_default(),
            code: left.code.clone(),
            message: left.text.clone(),
        }
    }
}

/// See the module.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    found: usize,
    done: Vec<String>,
    refused: Vec<Refused>,
    /// Left alone, because it was broken off: how many, and which.
    not_tried: usize,
    untried: Vec<String>,
    /// The verb that takes it back.
    undo: Option<&'static str>,
    /// For `keydeck key undo`: what takes it back, of each key that it was done to.
    takes_back: Vec<String>,
    /// Where the tokens are that were made; absent where none were to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<String>,
}

impl Report {
    /// Of what came of `many`; `undo` is the verb that takes it back, `undos` do so. `name` knows what keys are called.
    pub fn of(
        many: &Many,
        undo: Option<&'static str>,
        undos: &[Undo],
        name: impl Fn(KeyId) -> Option<String>,
    ) -> Self {
        Self {
            found: many.total(),
            done: many.done.iter().map(ToString::to_string).collect(),
            refused: many.left.iter().map(|left| Refused::of(left, name(left.key))).collect(),
            not_tried: many.untried(),
            untried: many.waiting().map(|key| key.to_string()).collect(),
            undo: undo.filter(|_| !many.done.is_empty()),
            takes_back: undos.iter().filter_map(written).collect(),
            tokens: many.kept(),
        }
    }

    /// How many keys it is about.
    pub const fn found(&self) -> usize {
        self.found
    }

    /// As one line of JSON.
    ///
    /// # Errors
    /// When it cannot be written so, and why.
    pub fn json(&self) -> Result<String, String> {
        serde_json::to_string(self).map(|line| line + "\n").map_err(|error| error.to_string())
    }
}

/// An undo as a report carries it.
fn written(undo: &Undo) -> Option<String> {
    minicbor::to_vec(undo).ok().map(|bytes| Base64UrlUnpadded::encode_string(&bytes))
}

/// What takes back what was done, of a report's `takes_back`; `None` where it was altered.
pub fn taken_back(written: &[&str]) -> Option<Vec<Undo>> {
    let one = |written: &&str| {
        let bytes = Base64UrlUnpadded::decode_vec(written).ok()?;
        minicbor::decode::<Undo>(&bytes).ok()
    };
    written.iter().map(one).collect()
}
