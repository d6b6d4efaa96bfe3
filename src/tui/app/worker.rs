//! Does what the console orders: jobs on the engine, copies, opening and closing the store. Blocks threads of its
//! own, never the one that draws. What it needs comes with the order; it keeps only the clipboard and the way for
//! news. An error becomes words for the operator here.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::{broadcast, mpsc};

use super::ask::{Answer, Exported, HandOver, Job};
use super::console::Keydeck;
use super::custody::{Custody, Fresh, UnderWay};
use super::effect::{Effect, Outcome};
use super::entry;
use super::times::{Times, Zone};
use crate::crypto::passphrase::Passphrase;
use crate::deliver::Channels;
use crate::domain::blast::many::Busy;
use crate::domain::handover::Way;
use crate::domain::lineage::taking_back;
use crate::domain::report::Report;
use crate::domain::{Command, Grounds, Refusal, View};
use crate::engine::handover::{Handover, Purse, SecretFile};
use crate::engine::{Brought, Done, Engine, EngineError, News, Session, whose_found};
use crate::tui::clipboard::Clipboard;
use crate::tui::program::{Task, Worker};
use crate::tui::secret::SecretText;
use crate::tui::sight::plan::Plan;
use crate::tui::sight::seen::Seen;
use crate::tui::sight::{self, calendar, report};
use crate::tui::widgets::text::sentence;

/// Where news go in; known only once the loop exists.
pub type NewsLine = Arc<OnceLock<mpsc::Sender<Outcome>>>;

/// The one who does it.
pub struct Hand {
    clipboard: Arc<Mutex<Clipboard>>,
    news: NewsLine,
    custody: Custody,
    channels: Arc<Channels>,
    /// Where it is remembered how the console was left.
    habits: Option<PathBuf>,
}

impl Hand {
    /// Works with this clipboard, tells news through `news`, and what became of secrets that nobody got to `custody`.
    pub fn new(clipboard: Clipboard, news: NewsLine, custody: Custody) -> Self {
        let channels = Arc::new(Ok(Vec::new()));
        Self { clipboard: Arc::new(Mutex::new(clipboard)), news, custody, channels, habits: None }
    }

    /// The same; the store it opens has its notices delivered through these channels.
    #[must_use]
    pub fn delivering(self, channels: Channels) -> Self {
        Self { channels: Arc::new(channels), ..self }
    }

    /// The same; in this directory it is remembered how operators left the console.
    #[must_use]
    pub fn remembering(self, dir: Option<PathBuf>) -> Self {
        Self { habits: dir, ..self }
    }

    fn with_clipboard(&self, act: impl FnOnce(&mut Clipboard) -> Outcome + Send + 'static) -> Task<Outcome> {
        let clipboard = Arc::clone(&self.clipboard);
        Box::new(move || act(&mut clipboard.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Worker<Keydeck> for Hand {
    fn task(&self, effect: Effect) -> Task<Outcome> {
        match effect {
            Effect::Job(engine, session, job) => {
                let under_way = job.secret_of().map(|what| self.custody.begin(what));
                Box::new(move || Outcome::Answered(perform(&engine, &session, job, under_way)))
            }
            Effect::Search(search) => Box::new(move || Outcome::Found(search())),
            Effect::Copy(text, keep) => {
                self.with_clipboard(move |clipboard| Outcome::Copied(clipboard.copy(&text, keep)))
            }
            Effect::Settle => self.with_clipboard(|clipboard| Outcome::Settled(clipboard.settle())),
            Effect::Enter(entry) => {
                let news = Arc::clone(&self.news);
                let (custody, channels) = (self.custody.clone(), Arc::clone(&self.channels));
                let habits = self.habits.clone();
                Box::new(move || {
                    let entered = entry::enter(entry, &custody, &channels, habits.as_deref());
                    if let (Ok(entered), Some(news)) = (&entered, news.get()) {
                        pass_on(entered.open.engine.subscribe(), news.clone());
                    }
                    Outcome::Entered(Box::new(entered))
                })
            }
            Effect::Leave(hosting, engine, session) => Box::new(move || {
                // Written first: a console that ends waits less long than those attached may take to hear it.
                leave(&*engine, &session);
                drop(hosting);
                drop(engine);
                Outcome::Left
            }),
            Effect::Remember(shelf, number, habits) => Box::new(move || {
                if let Err(error) = shelf.write(number, &habits) {
                    tracing::debug!(%error, "how the console was left is not remembered");
                }
                Outcome::Remembered
            }),
        }
    }
}

/// Tells the loop whenever something changed, once for all that came together. Ends with the engine.
fn pass_on(mut events: broadcast::Receiver<News>, news: mpsc::Sender<Outcome>) {
    use broadcast::error::RecvError;
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    runtime.spawn(async move {
        loop {
            let mut heard = match events.recv().await {
                Ok(heard) => told(heard),
                Err(RecvError::Lagged(_)) => Outcome::Changed,
                Err(RecvError::Closed) => return,
            };
            while let Ok(more) = events.try_recv() {
                heard = match told(more) {
                    Outcome::Happened(_) => Outcome::Changed,
                    more => more,
                };
            }
            if news.send(heard).await.is_err() {
                return;
            }
        }
    });
}

/// Nothing follows the end, so of several news the last says it all.
fn told(news: News) -> Outcome {
    match news {
        News::Gone(why) => Outcome::Gone(why),
        News::Happened(events) if !events.is_empty() => Outcome::Happened(events),
        News::Happened(_) | News::Used(_) => Outcome::Changed,
    }
}

/// Best effort: what cannot be written now was announced as trouble before, and nothing confirmed is lost.
fn leave(engine: &dyn Engine, session: &Session) {
    if engine.doubts().is_empty()
        && let Err(error) = engine.execute(session, Command::EndSession)
    {
        tracing::warn!(%error, "the end of the session was not recorded");
    }
    if let Err(error) = engine.settle() {
        tracing::warn!(%error, "not everything in memory was written down");
    }
}

/// Writes something to a new file, for whoever asked alone to read; what is to be said then.
fn export(engine: &dyn Engine, session: &Session, what: &Exported, to: &Path) -> Result<String, String> {
    let (text, what) = match what {
        Exported::Keys(keys) => {
            let state = engine.state();
            let view = View::new(&state, session.actor());
            let text =
                sight::export::csv(keys.iter().filter_map(|id| view.key(*id)), view, engine.now().time)?;
            (text, if keys.len() == 1 { "1 key is".to_owned() } else { format!("{} keys are", keys.len()) })
        }
        Exported::Account(report) => (report.json()?, "the report is".to_owned()),
    };
    let mut file = SecretFile::create(to).map_err(|unfit| unfit.to_string())?;
    file.add(&text).map_err(|error| format!("It could not be written: {error}."))?;
    Ok(format!("{what} in {}, for you alone to read", to.display()))
}

/// Looks at the state once, as whoever asked may see it.
fn glance(engine: &Arc<dyn Engine>, session: &Session, read: &mut dyn FnMut(&Seen<'_>)) {
    let times = Times::new(engine.now().time, Zone::UTC);
    read(&Seen::new(&engine.state(), session.actor(), times, engine.catalog()));
}

fn perform(engine: &Arc<dyn Engine>, session: &Session, job: Job, under_way: Option<UnderWay>) -> Answer {
    try_perform(engine, session, job, under_way)
        .unwrap_or_else(|error| Answer::Refused(sentence(&error.to_string())))
}

/// A secret goes where somebody said, and its record says so.
fn hand_over(engine: &Arc<dyn Engine>, session: &Session, handed: HandOver) -> Answer {
    let HandOver { secret, to, seal_to, note } = handed;
    let gone = Handover::open(Some(&to), None, &seal_to).map_err(|unfit| unfit.to_string());
    let gone = gone.and_then(|way| {
        way.take(secret.expose()).map_err(|error| format!("It could not be written: {error}."))
    });
    let way = match gone {
        Ok(gone) => gone.way.unwrap_or(Way::File),
        Err(why) => return Answer::Refused(why),
    };
    let how = if way == Way::File { "for you alone to read".to_owned() } else { way.to_string() };
    let mut said = format!("it is in {}, {how}", to.display());
    // It is where it is, whether that can be written or not.
    let events = engine.execute(session, note(way)).map_or_else(
        |error| {
            said = format!("it is in {}, but its record does not say so: {error}", to.display());
            Vec::new()
        },
        |done| done.events,
    );
    Answer::Done { events, token: None, said }
}

fn try_perform(
    engine: &Arc<dyn Engine>,
    session: &Session,
    job: Job,
    under_way: Option<UnderWay>,
) -> Result<Answer, EngineError> {
    Ok(match job {
        Job::Run { command, said } => {
            let Done { events, token, .. } = engine.execute(session, command)?;
            let token = token.zip(under_way);
            let back = taking_back(&events, engine.now().time);
            let token =
                token.map(|(token, under_way)| Fresh::token(&token, back, (engine, session), under_way));
            Answer::Done { events, token, said }
        }
        Job::Part(mut many) => {
            let events = many.go_on(&**engine, session);
            Answer::Part(many, events)
        }
        Job::HandOver(handed) => hand_over(engine, session, handed),
        Job::Plan { keys, means } => {
            let plan = Plan::of_keys(&|read| glance(engine, session, read), &keys, &*means);
            Answer::Plan(Box::new(plan))
        }
        Job::Export { what, to } => match export(&**engine, session, &what, &to) {
            Ok(said) => Answer::Done { events: Vec::new(), token: None, said },
            Err(why) => Answer::Refused(why),
        },
        Job::Purse { to, seal_to } => match Purse::open(&to, "", &seal_to) {
            Ok(purse) => Answer::Purse(purse),
            Err(unfit) => Answer::Refused(unfit.to_string()),
        },
        Job::Widen => {
            let widened = engine.execute(session, Command::OpenAgencyView)?.session;
            Answer::Widened(widened.ok_or(EngineError::Closed)?)
        }
        Job::LetIn { command, passphrase, said } => {
            let passphrase = Passphrase::choose(passphrase.expose())?;
            let Done { events, .. } = engine.act(session, command, Brought::Passphrase(&passphrase))?;
            Answer::Done { events, token: None, said }
        }
        Job::RenewRecovery => {
            let under_way = under_way.ok_or(EngineError::Closed)?;
            let code = engine.execute(session, Command::ReplaceRecovery)?.code.ok_or(EngineError::Closed)?;
            let code = SecretText::new(code.reveal().as_str().to_owned());
            Answer::Recovery(Fresh::recovery(code, engine, session, under_way))
        }
        Job::Audit { before, limit, about } => Answer::Audit(engine.audit(session, before, limit, about)?),
        Job::CheckAudit => Answer::Checked(engine.check_audit(session)?),
        Job::Use(about) => Answer::Use(about, Box::new(engine.history(session, about)?)),
        Job::Busy(about) => {
            // What cannot be read is not known.
            let busy = engine.busy(session, &about).unwrap_or_else(|_| Busy::unknown(about.len()));
            Answer::Busy(Box::new(busy))
        }
        Job::Doors => Answer::Doors(engine.doors(session)?),
        Job::Test { token, wanted } => {
            Answer::Tested(engine.test(session, token.expose().as_bytes(), &wanted)?)
        }
        Job::Count => {
            let report = report::count(&|read| glance(engine, session, read), Report::DAYS)
                .ok_or(EngineError::Closed)?;
            Answer::Counted(Box::new(report))
        }
        Job::Ahead => {
            let now = engine.now();
            let grounds = Grounds::of(now.time, now.suspect, engine.condition().complete_since);
            if grounds.complete_since.is_none() {
                // That nothing is deleted would be the wrong answer.
                let why = if now.suspect { Refusal::ClockSuspect } else { Refusal::UsesIncomplete };
                return Err(why.into());
            }
            Answer::Coming(calendar::coming(&|read| glance(engine, session, read), grounds))
        }
        Job::Sparks(keys) => Answer::Sparks(engine.sparks(session, keys)?),
        Job::Tail(Some(watched)) => Answer::Tail(Some(Box::new(engine.tail(session, watched)?))),
        Job::Tail(None) => {
            // It ends by itself when nobody asks any more.
            if let Err(error) = engine.stop_watching(session) {
                tracing::debug!(%error, "the end of watching was not heard");
            }
            Answer::Tail(None)
        }
        Job::Whose(found) => {
            let told = found.into_iter().map(|(kind, secret)| {
                let secret = secret.expose().as_bytes();
                Ok((kind, kind.hint(secret), whose_found(&**engine, session, kind, secret)?))
            });
            Answer::Whose(told.collect::<Result<_, EngineError>>()?)
        }
    })
}
