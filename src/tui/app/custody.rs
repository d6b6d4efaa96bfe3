//! Secrets between their making and somebody's hands. Each exists once; one that is dropped before anybody said they
//! have it takes back what it opens and says so. That holds whatever the way out is: a form that closed, a console that
//! locked, ended or lost its terminal, an answer that found nobody.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::crypto::token::{Token, TokenKind};
use crate::domain::{AppId, Command, KeyId, Refusal};
use crate::engine::{self, Engine, Session};
use crate::tui::action::Reason;
use crate::tui::secret::SecretText;

/// What becomes of secrets that nobody got, for whoever can still say it: the desk, the door, or the shell's screen.
#[derive(Clone, Default)]
pub struct Custody(Arc<Inner>);

#[derive(Default)]
struct Inner {
    book: Mutex<Book>,
    changed: Condvar,
}

#[derive(Default)]
struct Book {
    under_way: Vec<String>,
    said: Vec<String>,
}

impl Custody {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A secret is about to be made: `what` it opens, as the beginning of a sentence.
    pub fn begin(&self, what: String) -> UnderWay {
        self.book().under_way.push(what.clone());
        UnderWay { custody: self.clone(), what }
    }

    /// What there is to say, once.
    pub fn take_said(&self) -> Vec<String> {
        std::mem::take(&mut self.book().said)
    }

    /// Waits for secrets still under way, but no longer than this: when a console ends, nobody is there to take them, and
    /// what they open is taken back. What there is to say of that and of those that did not come.
    pub fn wait(&self, patience: Duration) -> Vec<String> {
        let (mut book, _) = self
            .0
            .changed
            .wait_timeout_while(self.book(), patience, |book| !book.under_way.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        let late = book.under_way.iter().map(|what| {
            format!("{what} was still being made when keydeck had to end. Look whether it is there: nobody has its secret.")
        });
        let late: Vec<String> = late.collect();
        std::mem::take(&mut book.said).into_iter().chain(late).collect()
    }

    fn say(&self, said: String) {
        tracing::warn!(said, "a secret reached nobody");
        self.book().said.push(said);
    }
}

/// A secret that is not in anybody's hands yet.
pub struct UnderWay {
    custody: Custody,
    what: String,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut book = self.custody.book();
        if let Some(at) = book.under_way.iter().position(|what| *what == self.what) {
            book.under_way.swap_remove(at);
        }
        drop(book);
        self.custody.0.changed.notify_all();
    }
}

/// What a secret opens.
enum Opens {
    /// A key, and what takes it back.
    Key(KeyId, Command),
    /// An app, and what takes a new secret back where the one before still works.
    App(AppId, Option<Command>),
    /// The store, when the passphrase is lost.
    Store,
}

/// Whether somebody may have it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exposed {
    Never,
    /// It was readable on the screen, or copied.
    Perhaps,
}

/// Why nobody has it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gone {
    /// A form, a console or a terminal ended.
    Lost,
    /// Somebody left without it and was asked before.
    GivenUp,
}

/// A secret just made, until somebody has it.
pub struct Fresh {
    text: SecretText,
    /// What is to be done when it is lost; nothing once somebody has it.
    way_back: Option<WayBack>,
}

struct WayBack {
    opens: Opens,
    seen: Exposed,
    engine: Arc<dyn Engine>,
    session: Session,
    // Last: whoever waits for it may end the process.
    under_way: UnderWay,
}

impl Fresh {
    /// The token of a key or the secret of an app that `session` made on `engine`, and what takes it back.
    pub fn token(
        token: &Token,
        back: Option<Command>,
        (engine, session): (&Arc<dyn Engine>, &Session),
        under_way: UnderWay,
    ) -> Self {
        let opens = match token.kind() {
            TokenKind::Agency | TokenKind::Location | TokenKind::App => {
                let key = KeyId(token.id());
                Opens::Key(key, back.unwrap_or(Command::revoke(key)))
            }
            TokenKind::AppSecret => Opens::App(AppId(token.id()), back),
        };
        Self::of(SecretText::new(token.reveal().to_owned()), opens, (engine, session), under_way)
    }

    /// A new recovery code, in groups.
    pub fn recovery(
        text: SecretText,
        engine: &Arc<dyn Engine>,
        session: &Session,
        under_way: UnderWay,
    ) -> Self {
        Self::of(text, Opens::Store, (engine, session), under_way)
    }

    fn of(
        text: SecretText,
        opens: Opens,
        (engine, session): (&Arc<dyn Engine>, &Session),
        under_way: UnderWay,
    ) -> Self {
        let (engine, session) = (Arc::clone(engine), session.clone());
        Self { text, way_back: Some(WayBack { opens, seen: Exposed::Never, engine, session, under_way }) }
    }

    /// The text itself, for the one who draws it as dots or compares it.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// From now on somebody may have read it.
    pub fn show(&mut self) {
        if let Some(way_back) = &mut self.way_back
            && way_back.seen == Exposed::Never
        {
            way_back.seen = Exposed::Perhaps;
            way_back.shown();
        }
    }

    /// A copy to give away.
    pub fn copy(&mut self) -> SecretText {
        self.show();
        self.text.duplicate()
    }

    /// Whether somebody may have read or copied it.
    pub fn is_seen(&self) -> bool {
        self.way_back.as_ref().is_none_or(|way_back| way_back.seen == Exposed::Perhaps)
    }

    /// Somebody has it.
    pub fn hand_over(&mut self) {
        self.show();
        self.way_back = None;
    }

    /// Nobody wants it: a key is revoked, seen or not; for what cannot be taken back is said what to do.
    pub fn give_up(&mut self) {
        self.go(Gone::GivenUp);
    }

    /// What becomes of what it opens if the console ends now; nothing once somebody has it.
    pub fn at_the_end(&self) -> Option<Reason> {
        let way_back = self.way_back.as_ref()?;
        let said = match (&way_back.opens, way_back.seen) {
            (Opens::Key(_, Command::CancelRotation(_)), Exposed::Never) => {
                "Nobody has seen or copied this token, and it is never shown again: the rotation is taken back."
            }
            (Opens::Key(..), Exposed::Never) => {
                "Nobody has seen or copied this token, and it is never shown again: the key is revoked."
            }
            (Opens::Key(..), Exposed::Perhaps) => {
                "Nobody said they stored this token. It is never shown again, and the key goes on working."
            }
            (Opens::App(_, Some(_)), Exposed::Never) => {
                "Nobody has seen or copied this secret, and it is never shown again: it is taken back, and the one before \
                 is as it was."
            }
            (Opens::App(_, Some(_)), Exposed::Perhaps) => {
                "Nobody said they stored this secret. It is never shown again; it works, and so does the one before."
            }
            (Opens::App(_, None), _) => {
                "Nobody said they stored this secret. It is never shown again; the app stays as it is and needs \
                 another secret."
            }
            (Opens::Store, _) => {
                "Nobody said they stored this recovery code. It is never shown again, and the code before it is void \
                 already: there is none until you make another in Settings."
            }
        };
        Some(said.into())
    }

    fn go(&mut self, gone: Gone) {
        if let Some(way_back) = self.way_back.take() {
            let said = way_back.go(gone);
            way_back.under_way.custody.say(said);
        }
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        self.go(Gone::Lost);
    }
}

impl WayBack {
    /// Tells the process that made it. One that does not hear this any more is gone, and takes back what it was not told
    /// of: whoever reads the secret must know.
    fn shown(&self) {
        let told = match &self.opens {
            Opens::Key(id, _) => self.engine.shown(*id.public()),
            Opens::App(id, _) => self.engine.shown(*id.public()),
            Opens::Store => Ok(()),
        };
        if let Err(error) = told {
            tracing::warn!(%error, "whoever made a secret was not told that it was shown");
            self.under_way.custody.say(format!(
                "{} may be taken back: the process that made it has gone and could not be told that you have it. See \
                 whether it works before you rely on it.",
                self.under_way.what
            ));
        }
    }

    /// Takes back what can be: a key whose secret nobody can have, or wants. One that somebody may use already goes on
    /// working, and they are told; so are those who lost what cannot be taken back.
    fn go(&self, gone: Gone) -> String {
        match (&self.opens, self.seen, gone) {
            (Opens::Key(key, back), Exposed::Never, _) => self.take_back(*key, back, "nobody saw or copied"),
            (Opens::Key(key, back), Exposed::Perhaps, Gone::GivenUp) => {
                self.take_back(*key, back, "nobody stored")
            }
            (Opens::Key(key, _), Exposed::Perhaps, Gone::Lost) => format!(
                "{} works, but nobody said they stored its token. If nobody did, revoke it and issue another.",
                self.key_name(*key)
            ),
            (Opens::App(app, Some(back)), Exposed::Never, _)
            | (Opens::App(app, Some(back)), _, Gone::GivenUp) => {
                let name = self.app_name(*app);
                match self.engine.execute(&self.session, back.clone()) {
                    Ok(_) => {
                        format!(
                            "The new secret of {name} is taken back, nobody stored it: the old one is as it was."
                        )
                    }
                    Err(error) if error.code() == Refusal::OVER => format!(
                        "Nobody stored the new secret of {name}, and the old one has ended meanwhile: make another \
                         secret (N in Apps)."
                    ),
                    Err(error) => format!(
                        "Nobody stored the new secret of {name}, and it could not be taken back: {error} Take it back \
                         in Apps."
                    ),
                }
            }
            (Opens::App(app, Some(_)), Exposed::Perhaps, Gone::Lost) => format!(
                "The new secret of {} works, but nobody said they stored it. If nobody did, take it back (Z in Apps): the \
                 old one still works.",
                self.app_name(*app)
            ),
            (Opens::App(app, None), seen, _) => {
                // The operator is told of it and may go on with it: nobody else takes it back.
                self.shown();
                let name = self.app_name(*app);
                let whose = if seen == Exposed::Never {
                    "Nobody saw or copied it, so nothing can sign in with it"
                } else {
                    "If nobody has it, nothing can sign in with it"
                };
                format!(
                    "The new secret of {name} was not stored. {whose}. The app is active all the same: make another \
                     secret (N in Apps), or delete the app."
                )
            }
            (Opens::Store, ..) => {
                "The new recovery code was not stored, and there is no other. If nobody has it, make \
                                  another in Settings."
                    .to_owned()
            }
        }
    }

    fn take_back(&self, key: KeyId, back: &Command, why: &str) -> String {
        let name = self.key_name(key);
        match engine::take_back(&*self.engine, &self.session, back.clone()) {
            Ok(Command::CancelRotation(_)) => {
                format!("The rotation of {name} is taken back, {why} its token: the old one is as it was.")
            }
            Ok(_) => format!("{name} was issued and is revoked again: {why} its token."),
            Err(error) => {
                format!("{name} was issued, {why} its token, and it could not be revoked: {error} Revoke it.")
            }
        }
    }

    fn app_name(&self, app: AppId) -> String {
        let state = self.engine.state();
        state.app(app).map_or_else(|| "the app".to_owned(), |app| app.name.to_string())
    }

    fn key_name(&self, key: KeyId) -> String {
        let state = self.engine.state();
        state.key(key).map_or_else(|| key.to_string(), |key| key.name.to_string())
    }
}

#[cfg(test)]
mod tests;
