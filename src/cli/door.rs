//! Signing in from the command line: which store, who, with what. Everything a command needs to know about its
//! surroundings is in [`Deck`].

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, mpsc};

use super::config::Config;
use super::fault::Fault;
use super::globals::Globals;
use super::output::Output;
use super::places::Places;
use super::secrets;
use crate::crypto::CryptoError;
use crate::crypto::keyfile::KeyFileSecret;
use crate::crypto::passphrase::Passphrase;
use crate::crypto::recovery::RecoveryCode;
use crate::deliver::{Anchoring, Setup};
use crate::domain::{Catalog, Command, Grounds, Name, PublicId, Timestamp, View};
use crate::engine::clock::{Clock as _, SystemClock};
use crate::engine::open::{self, Key, Open, Options, Wants};
use crate::engine::{Engine, EngineError, LocalEngine, OpenError, Session, Via, throttle};
use crate::serve::control::client::{NotAttached, attach};
use crate::serve::control::{Control, Owner, Settings};
use crate::serve::door::{Entrance, open_or_attach};

/// What every command is given.
pub struct Deck {
    /// The options that stand before or after any command.
    pub globals: Globals,
    /// The configuration file.
    pub config: Config,
    /// This machine's directories.
    pub places: Places,
    /// Where results go.
    pub output: Output,
    /// The command's words, for whoever finds the store in use.
    pub words: &'static str,
}

/// An open store, here or in another process, and somebody signed in to it.
pub struct Signed {
    /// Runs commands.
    pub engine: Arc<dyn Engine>,
    /// For whom.
    pub session: Session,
    /// The same engine, when this process has the store open.
    pub local: Option<Arc<LocalEngine>>,
    /// The process that has the store open, when it is another.
    pub owner: Option<Owner>,
    words: &'static str,
}

impl Deck {
    /// The passphrase of whoever founds a store, from their file or asked for twice; only where the recovery code that comes of
    /// it can be written.
    pub fn founders_passphrase(&self, operator: &Name) -> Result<Passphrase, Fault> {
        self.output.must_lead_somewhere()?;
        let text = match &self.globals.passphrase_file {
            Some(path) => secrets::read_file(path, self.output)?,
            None => secrets::twice(operator.as_str(), "--passphrase-file")?,
        };
        Ok(Passphrase::choose(&text)?)
    }

    /// The data directory: option, environment, configuration, default, in this order.
    pub fn data(&self) -> Result<PathBuf, Fault> {
        let chosen = self.globals.data.clone().or_else(|| self.config.data.clone());
        chosen.or_else(|| self.places.data().map(Path::to_owned)).ok_or_else(|| {
            Fault::usage("There is no home directory to keep a store in. Name a directory with --data.")
        })
    }

    /// The channels of the configuration file, for whoever delivers: what is wrong with one stops them all, or nobody would
    /// know of what is not told.
    pub fn channels(&self) -> Result<&[Setup], Fault> {
        self.config.channels.as_deref().map_err(|why| Fault::usage(why.as_str()))
    }

    /// Where anchors of the audit trail are kept, for whoever keeps them.
    pub fn anchoring(&self) -> Result<Option<Anchoring>, Fault> {
        self.config.anchoring.clone().map_err(Fault::usage)
    }

    /// How to open the store.
    pub fn options(&self) -> Result<Options, Fault> {
        let mut options = Options::new(&self.data()?, self.words, Via::CommandLine);
        options.catalog.clone_from(&self.config.catalog);
        options.read_only = self.globals.read_only;
        if options.read_only {
            " --read-only".clone_into(&mut options.command);
            options.command.insert_str(0, self.words);
        }
        Ok(options)
    }

    /// The scopes the store uses, read without unsealing it.
    pub fn catalog(&self) -> Result<Arc<Catalog>, Fault> {
        Ok(open::read_catalog(&self.options()?)?)
    }

    /// The time by the machine's clock, for judging arguments before anything is unsealed.
    pub fn wall() -> Timestamp {
        SystemClock.read().wall
    }

    /// The end of a command that was done, whatever becomes of what is written down last: nobody shall do it again for that.
    pub fn done(&self, settled: Result<(), EngineError>) -> ExitCode {
        if let Err(error) = settled {
            self.output.warn(&format!(
                "It is done and stays done, but what came up besides is not written yet: {error}"
            ));
        }
        ExitCode::SUCCESS
    }

    /// Who signs in.
    pub fn operator(&self) -> Result<&str, Fault> {
        self.globals.operator.as_deref().or(self.config.operator.as_deref()).ok_or_else(|| {
            Fault::usage(
                "Who is signing in? Name yourself with --operator, KEYDECK_OPERATOR or `operator` in the \
                 configuration file.",
            )
        })
    }

    /// Opens the store with the operator's passphrase or key file, or attaches to the process that has it open.
    pub fn sign_in(&self) -> Result<Signed, Fault> {
        self.sign_in_for(Wants::All)
    }

    /// The same for a command that looks at no keys or apps but those it is told the names of.
    pub fn sign_in_for(&self, wants: Wants) -> Result<Signed, Fault> {
        let (passphrase_file, key_file) = (&self.globals.passphrase_file, &self.globals.key_file);
        let entrance = self.with_key(passphrase_file.as_deref(), key_file.as_deref(), |options, key| {
            open_or_attach(&Options { wants, ..options.clone() }, key)
        })?;
        Ok(self.entered(entrance))
    }

    /// Opens the store in this process, for as long as it lives: attaching would not do. With `read_only` nothing is written.
    pub fn open_here(
        &self,
        passphrase_file: Option<&Path>,
        key_file: Option<&Path>,
        read_only: bool,
    ) -> Result<Open, Fault> {
        let open = self.with_key(passphrase_file, key_file, |options, key| {
            open::open(&Options { read_only, ..options.clone() }, key)
        })?;
        open.notices.iter().for_each(|notice| self.output.warn(notice));
        Ok(open)
    }

    /// Looks at what a running console or server shows, signed in with a secret that is in a file. Nobody is asked, nothing is
    /// opened here, and the trail has no entry of it.
    pub fn look_through<T>(&self, look: impl FnOnce(View<'_>) -> T) -> Option<T> {
        let (passphrase, key) = (self.globals.passphrase_file.as_deref(), self.globals.key_file.as_deref());
        if passphrase.is_none_or(|path| path.as_os_str() == "-") && key.is_none() {
            return None;
        }
        let attached = self.with_key(passphrase, key, |options, key| {
            let options = Options { read_only: true, ..options.clone() };
            attach(&options, key).map_err(|why| match why {
                NotAttached::Refused(error) => error,
                NotAttached::Nobody => OpenError::Unfounded,
            })
        });
        let (engine, session) = attached.ok()?;
        let engine: Arc<dyn Engine> = Arc::new(engine);
        Some(look(View::new(&engine.state(), session.actor())))
    }

    /// Does something with the key that the operator's secret makes, in whatever file or prompt it is.
    fn with_key<T>(
        &self,
        passphrase_file: Option<&Path>,
        key_file: Option<&Path>,
        enter: impl FnOnce(&Options, &Key<'_>) -> Result<T, OpenError>,
    ) -> Result<T, Fault> {
        let options = self.options()?;
        must_exist(&options)?;
        self.with_secret(passphrase_file, key_file, |key| {
            let entered = enter(&options, key);
            if let (Err(OpenError::Unseal(CryptoError::WrongSecret)), Key::Operator { .. }) = (&entered, key)
            {
                self.answer_late(&options.dir);
            }
            Ok(entered?)
        })
    }

    /// The same for whoever needs the key itself: to open what is no store.
    pub fn with_secret<T>(
        &self,
        passphrase_file: Option<&Path>,
        key_file: Option<&Path>,
        enter: impl FnOnce(&Key<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if let Some(path) = key_file {
            let secret = KeyFileSecret::read(path).map_err(|e| Fault::sealed(e.to_string()))?;
            return enter(&Key::KeyFile(&secret));
        }
        let name = self.operator()?;
        let text = match passphrase_file {
            Some(path) => secrets::read_file(path, self.output)?,
            None => secrets::prompt(&format!("Passphrase of {name}: "), "--passphrase-file or --key-file")?,
        };
        let passphrase = Passphrase::present(&text).map_err(|e| Fault::sealed(e.to_string()))?;
        drop(text);
        enter(&Key::Operator { name, passphrase: &passphrase })
    }

    /// Opens the store, or attaches, with a key that is at hand.
    pub fn sign_in_with(&self, key: &Key<'_>, wants: Wants) -> Result<Signed, Fault> {
        let options = Options { wants, ..self.options()? };
        must_exist(&options)?;
        Ok(self.entered(open_or_attach(&options, key)?))
    }

    /// Somebody who starts this program again and again guesses no faster. The store is let go of, nobody else waits.
    fn answer_late(&self, dir: &Path) {
        let Some(late) = throttle::late(dir) else { return };
        self.output.warn(&format!(
            "too many attempts to sign in failed; the answer comes after {} s.",
            late.as_secs()
        ));
        // Nobody sends on this channel: waiting on it is waiting for the time to pass.
        let (_quiet, never) = mpsc::channel::<()>();
        let _elapsed = never.recv_timeout(late);
    }

    /// Opens the store with the recovery code, to set a new passphrase for `name` and nothing else.
    pub fn recover(&self, name: &str, code: &RecoveryCode) -> Result<Signed, Fault> {
        let options = self.options()?;
        must_exist(&options)?;
        Ok(self.entered(open_or_attach(&options, &Key::Recovery { name, code })?))
    }

    fn entered(&self, entrance: Entrance) -> Signed {
        let Entrance { engine, session, notices, owner, local, .. } = entrance;
        match (&self.config.channels, &local) {
            (Ok(channels), Some(local)) => local.deliver_through(channels.iter().map(|setup| setup.name)),
            (Ok(_), None) => {}
            (Err(why), _) => {
                self.output.warn(&format!("{why} Until that is mended nothing is delivered from here."));
            }
        }
        for notice in &notices {
            self.output.warn(notice);
        }
        if !engine.doubts().is_empty() {
            self.output.warn("the store is in doubt: requests that it does not vouch for are refused.");
        }
        Signed { engine, session, local, owner, words: self.words }
    }
}

/// No passphrase is asked for a store that is not there.
fn must_exist(options: &Options) -> Result<(), Fault> {
    if open::is_store(&options.dir)? {
        Ok(())
    } else {
        let dir = options.dir.clone();
        Err(OpenError::Store(crate::store::OpenError::Absent { dir }).into())
    }
}

impl Signed {
    /// Lets others attach while this process waits for a person or a program, until it is dropped: it may have the store for
    /// long, and what they want may be urgent. Where that cannot be they are told who has it.
    #[must_use = "others attach only as long as somebody has it"]
    pub fn waiting(&self) -> Option<Control> {
        let engine = self.local.clone()?;
        let settings = Settings { socket: None, command: self.words.to_owned() };
        Control::start(engine, &settings)
            .inspect_err(|error| tracing::debug!(%error, "nobody can attach"))
            .ok()
    }

    /// The same, looking at the whole agency: for admins, and noted in the audit trail.
    pub fn widened(self, whole: bool) -> Result<Self, Fault> {
        if !whole {
            return Ok(self);
        }
        let session = self.engine.execute(&self.session, Command::OpenAgencyView)?.session;
        Ok(Self { session: session.ok_or(EngineError::Closed)?, ..self })
    }

    /// Does something with what the session may see.
    pub fn see<T>(&self, look: impl FnOnce(View<'_>) -> T) -> T {
        let state = self.engine.state();
        look(View::new(&state, self.session.actor()))
    }

    /// Says that a token was written where the operator has it, and makes sure that it was heard: another process that made
    /// it takes it back otherwise.
    pub fn handed_over(&self, token: PublicId) -> Result<(), Fault> {
        let heard = self.engine.shown(token).and_then(|()| match &self.owner {
            Some(_) => self.engine.anchor(&self.session).map(drop),
            None => Ok(()),
        });
        heard.map_err(|error| {
            Fault::from(error).because(
                "The secret was written, but the process that made it could not be told and may have taken it back: see \
                 whether it works before you rely on it.",
            )
        })
    }

    /// What the rules of time go by.
    pub fn grounds(&self) -> Grounds {
        let now = self.engine.now();
        Grounds::of(now.time, now.suspect, self.engine.condition().complete_since)
    }

    /// The time for decisions.
    pub fn now(&self) -> Timestamp {
        self.engine.now().time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_was_done_ends_as_done_when_the_last_thing_it_writes_is_refused() {
        let deck = Deck {
            globals: Globals::default(),
            config: Config::default(),
            places: Places::find(),
            output: Output::new(false),
            words: "keydeck key create",
        };
        for settled in [Ok(()), Err(EngineError::LookOnly)] {
            assert_eq!(deck.done(settled), ExitCode::SUCCESS);
        }
    }
}
