//! Rotating a key, or the secret of an app: how long the old half works on, since when that counts, and how long a new key
//! lives. The secret is shown where the form was.

use super::secret::Secret;
use crate::domain::{AppId, Command, Counted, Expiry, Grace, KeyId, Refusal, Rotation};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::kept::out_of_sight;
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::form::choice::{Radio, Reading, TypedChoice};
use crate::tui::form::{Asking, Face, Form, Manner, Pages, Spot, Told};
use crate::tui::overlay::{Heard, Return};
use crate::tui::sight::deeds;
use crate::tui::sight::seen::seen;
use crate::tui::theme::Role;

const HOUR: &str = "1h";
const WEEK: &str = "7d";

/// What is rotated.
#[derive(Clone, Copy)]
enum Of {
    Key(KeyId),
    /// The secret of an app.
    App(AppId),
}

pub struct Rotate {
    of: Of,
    name: String,
    hint: String,
    grace: Radio<Grace>,
    counted: Radio<Counted>,
    life: TypedChoice<Option<Expiry>>,
    /// What no field is to blame for.
    whole: Option<String>,
}

impl Rotate {
    /// For a key the operator sees.
    pub fn new(look: &Look, key: KeyId) -> Option<Form<Self>> {
        let (name, hint, own) = look.view(|view| {
            let key = view.key(key)?;
            Some((key.name.to_string(), key.hint(), key.expiry))
        })?;
        Some(Self::asking(look, Of::Key(key), (name, hint, own)))
    }

    /// For the secret of an app the operator sees.
    pub fn app(look: &Look, app: AppId) -> Option<Form<Self>> {
        let (name, hint) = look.view(|view| {
            let app = view.app(app)?;
            Some((app.name.to_string(), app.secret_hint()))
        })?;
        Some(Self::asking(look, Of::App(app), (name, hint, Expiry::Never)))
    }

    fn asking(look: &Look, of: Of, (name, hint, own): (String, String, Expiry)) -> Form<Self> {
        let read = |text: &str| text.parse().unwrap_or(Grace::DEFAULT);
        let graces = [
            (Grace::NONE, "0", ""),
            (read(HOUR), "1 h", ""),
            (Grace::DEFAULT, "24 h", ""),
            (read(WEEK), "7 d", ""),
        ];
        let since = [(Counted::FromNow, "now", ""), (Counted::FromFirstUse, "first use of the new one", "")];
        let times = Times::of(look);
        let form = Self {
            of,
            name,
            hint,
            grace: Radio::new("Grace", graces).across().choosing(&Grace::DEFAULT),
            counted: Radio::new("From", since).across().choosing(&Counted::FromFirstUse),
            life: TypedChoice::new("New one ends", ["keep", "90d", "1y"], move |text| life(text, own, times)),
            whole: None,
        };
        Form::new(form, look)
    }

    fn command(&self) -> Command {
        let rotation = Rotation {
            id: None,
            grace: self.grace.value().unwrap_or(Grace::DEFAULT),
            counted: self.counted.value().unwrap_or(Counted::FromFirstUse),
            expiry: self.life.value().flatten(),
        };
        match self.of {
            Of::Key(key) => Command::RotateKey { key, rotation },
            Of::App(app) => Command::RenewAppSecret(app, Some(Rotation { expiry: None, ..rotation })),
        }
    }
}

/// What is typed as the end of the new one: `keep` is that of the old one.
fn life(text: &str, own: Expiry, times: Times) -> Reading<Option<Expiry>> {
    if text.trim() == "keep" {
        let says = own.instant().map_or_else(
            || "as the old one: it never ends".to_owned(),
            |at| format!("as the old one: {}", times.zoned(at)),
        );
        return Ok((None, says));
    }
    let expiry = times.read_expiry(text).map_err(|why| why.to_string())?;
    let says = expiry.instant().map_or_else(
        || "it works until somebody revokes it".to_owned(),
        |at| format!("until {}, {}", times.zoned(at), times.relative(at)),
    );
    Ok((Some(expiry), says))
}

impl Asking for Rotate {
    fn manner(&self) -> Manner {
        let (does, doing) = match self.of {
            Of::Key(_) => ("Rotate key", "rotating the key"),
            Of::App(_) => ("Rotate secret", "rotating the secret"),
        };
        Manner {
            does,
            doing,
            leaving: "nothing is rotated yet; esc again throws the form away",
            ..Manner::small("rotate")
        }
    }

    fn fields(&mut self) -> Pages<'_> {
        match self.of {
            Of::Key(_) => vec![vec![&mut self.grace, &mut self.counted, &mut self.life]],
            Of::App(_) => vec![vec![&mut self.grace, &mut self.counted]],
        }
    }

    fn face(&self, _: &Look, _: Spot) -> Face {
        let hint = match self.of {
            Of::Key(_) => self.hint.clone(),
            Of::App(_) => "The present secret".to_owned(),
        };
        let old = match (self.grace.value(), self.counted.value()) {
            (Some(Grace::NONE), _) => format!("{hint} is refused at once, for good."),
            (Some(grace), Some(Counted::FromFirstUse)) => {
                format!("{hint} works for {grace} after the new one is first used.")
            }
            (Some(grace), _) => format!("{hint} works for {grace} from now."),
            (None, _) => String::new(),
        };
        let tokens = match (self.of, self.grace.value()) {
            (Of::Key(_), _) => None,
            (Of::App(_), Some(Grace::NONE)) => Some("So are the access tokens fetched with it."),
            (Of::App(_), _) => Some("So do the access tokens fetched with it."),
        };
        let tokens = tokens.map(|said| (Role::Text, said.to_owned()));
        Face {
            title: format!("Rotate {}", self.name),
            wrong: self.whole.clone(),
            lines: [(Role::Text, old)].into_iter().chain(tokens).collect(),
            ..Face::default()
        }
    }

    fn check(&mut self, look: &Look, _: Told) -> Option<String> {
        let judged = seen(look, |seen| deeds::objection(&self.command(), seen));
        self.whole = None;
        match judged {
            Some(refusal @ (Refusal::BadExpiry(_) | Refusal::LifeTooLong { .. })) => {
                self.life.field.error = Some(refusal.to_string());
            }
            Some(refusal) => self.whole = Some(refusal.to_string()),
            None => {}
        }
        None
    }

    fn submit(&mut self, _: &Look) -> Result<Job, String> {
        match &self.whole {
            Some(why) => Err(why.clone()),
            None => Ok(Job::Run { command: self.command(), said: String::new() }),
        }
    }

    fn done(&mut self, answer: Answer, look: &Look, _: &mut Vec<Ask>) -> Heard {
        Secret::of(answer, Vec::new(), look)
    }

    fn resume(&mut self, look: &Look) -> Return {
        let is_there = look.view(|view| match self.of {
            Of::Key(key) => view.key(key).is_some(),
            Of::App(app) => view.app(app).is_some(),
        });
        if is_there {
            return Return::Now;
        }
        out_of_sight(look, &format!("the form that rotates {}", self.name))
    }
}
