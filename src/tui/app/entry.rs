//! The ways into a store, as the door orders them and a thread of its own walks them: found, open, or make a
//! throw-away one. What a person typed is checked here and wiped.

use std::path::Path;

use crate::crypto::CryptoError;
use crate::crypto::header_file::HeaderFile;
use crate::crypto::passphrase::Passphrase;
use crate::deliver::{Channels, Setup};
use crate::domain::Name;
use crate::engine::open::{self, Key, Open, Options};
use crate::engine::{EngineError, OpenError, demo};
use crate::serve::door::{Entrance, open_or_attach};
use crate::tui::secret::SecretText;

use super::custody::{Custody, Fresh};
use super::habits::Left;

pub enum Entry {
    Found {
        options: Box<Options>,
        agency: Name,
        operator: Name,
        passphrase: SecretText,
    },
    /// Sign in, here or to the process that has the store open.
    SignIn {
        options: Box<Options>,
        /// As it was typed.
        operator: String,
        /// As it was typed.
        passphrase: SecretText,
    },
    /// Sample data, in memory: this, or what there is to see.
    Demo(Option<Box<Open>>),
}

/// What lies behind the door.
pub struct Entered {
    /// The store and who is signed in.
    pub open: Entrance,
    /// How they left the console; nothing where that is not remembered.
    pub left: Option<Left>,
    /// The recovery code of a store just founded, in groups.
    pub recovery: Option<Fresh>,
}

/// Goes in. Takes as long as a passphrase costs to check. While this process has the store, others attach to it, and
/// notices are delivered through these channels; it does not go in to have it where they are not set up as they must be.
/// In the directory of habits lies how each operator left the console.
pub fn enter(
    entry: Entry,
    custody: &Custody,
    channels: &Channels,
    habits: Option<&Path>,
) -> Result<Entered, OpenError> {
    let left = |dir: &Path, open: &Entrance| {
        let store = HeaderFile::new(dir).load().ok()?.store();
        Some(Left::by(habits?, store, open.session.actor().operator))
    };
    let unusable = |error: CryptoError| OpenError::Engine(EngineError::Crypto(error));
    let channels =
        || -> Result<&[Setup], _> { channels.as_deref().map_err(|why| OpenError::Channels(why.clone())) };
    match entry {
        Entry::Found { options, agency, operator, passphrase } => {
            let channels = channels()?;
            let chosen = Passphrase::choose(passphrase.expose()).map_err(unusable)?;
            drop(passphrase);
            let under_way = custody.begin(format!("The store of {agency}"));
            let founded = open::found(&options, agency, operator, &chosen)?;
            let code = SecretText::new(founded.recovery.reveal().as_str().to_owned());
            let open = Entrance::from(founded.open).hosted(&options.command, channels);
            let code = Fresh::recovery(code, &open.engine, &open.session, under_way);
            Ok(Entered { left: left(&options.dir, &open), open, recovery: Some(code) })
        }
        Entry::SignIn { options, operator, passphrase } => {
            let presented = Passphrase::present(passphrase.expose()).map_err(unusable)?;
            drop(passphrase);
            let key = Key::Operator { name: &operator, passphrase: &presented };
            let open = open_or_attach(&options, &key)?;
            let channels = if open.local.is_some() { channels()? } else { &[] };
            let open = open.hosted(&options.command, channels);
            Ok(Entered { left: left(&options.dir, &open), open, recovery: None })
        }
        Entry::Demo(made) => {
            let open = made.map_or_else(demo::open, |made| Ok(*made))?;
            Ok(Entered { open: open.into(), left: None, recovery: None })
        }
    }
}
