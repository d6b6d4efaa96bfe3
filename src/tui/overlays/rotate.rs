//! Rotating a key, many keys, or the secret of an app: how long the old half works on, since when that counts, and how long a
//! new key lives. The secret is shown where the form was; those of many are not shown, so it is asked where they go.

use super::confirm;
use super::secret::{Secret, place};
use crate::domain::{AppId, Command, Counted, Expiry, Grace, KeyId, Refusal, Rotation};
use crate::engine::handover::SEALS;
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
use crate::tui::widgets::field::TextField;

const HOUR: &str = "1h";
const WEEK: &str = "7d";

/// What is rotated.
enum Of {
    Key(KeyId),
    /// The commands are judged once more when it is known where the tokens go.
    Many(Vec<KeyId>),
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
    /// Where the tokens of many go.
    to: TextField,
    /// Whom they are sealed to.
    seal_to: TextField,
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

    /// For many keys at once.
    pub fn many(look: &Look, keys: &[KeyId]) -> Option<Form<Self>> {
        let name = format!("{} keys", keys.len());
        let of = Of::Many(keys.to_vec());
        (!keys.is_empty()).then(|| Self::asking(look, of, (name, "Each old half".to_owned(), Expiry::Never)))
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
        // Of many a token may be lost on its way, and then the old one must work.
        let least = usize::from(matches!(of, Of::Many(_)));
        let graces = graces.into_iter().skip(least);
        let to = TextField::new("Tokens go to").placeholder("a new file, or a directory");
        let seal_to =
            TextField::new("Sealed to").placeholder("nobody; or age1…, ssh-ed25519 …, a file of them");
        let since = [(Counted::FromNow, "now", ""), (Counted::FromFirstUse, "first use of the new one", "")];
        let times = Times::of(look);
        let form = Self {
            of,
            name,
            hint,
            grace: Radio::new("Grace", graces).across().choosing(&Grace::DEFAULT),
            counted: Radio::new("From", since).across().choosing(&Counted::FromFirstUse),
            life: TypedChoice::new("New one ends", ["keep", "90d", "1y"], move |text| life(text, own, times)),
            to: to
                .note("NAME=TOKEN a line; in one that ends in .jsonl an object; in a directory a file each"),
            seal_to,
            whole: None,
        };
        Form::new(form, look)
    }

    /// What it comes to: a command for each key.
    fn commands(&self) -> Vec<Command> {
        let rotation = Rotation {
            id: None,
            grace: self.grace.value().unwrap_or(Grace::DEFAULT),
            counted: self.counted.value().unwrap_or(Counted::FromFirstUse),
            expiry: self.life.value().flatten(),
        };
        let rotate = |key: &KeyId| Command::RotateKey { key: *key, rotation: rotation.clone() };
        match &self.of {
            Of::Key(key) => vec![rotate(key)],
            Of::Many(keys) => keys.iter().map(rotate).collect(),
            Of::App(app) => {
                vec![Command::RenewAppSecret(*app, Some(Rotation { expiry: None, ..rotation.clone() }))]
            }
        }
    }

    /// What becomes of what was there before.
    fn old(&self) -> String {
        let hint = match self.of {
            Of::Key(_) | Of::Many(_) => self.hint.as_str(),
            Of::App(_) => "The present secret",
        };
        match (self.grace.value(), self.counted.value()) {
            (Some(Grace::NONE), _) => format!("{hint} is refused at once, for good."),
            (Some(grace), Some(Counted::FromFirstUse)) => {
                format!("{hint} works for {grace} after the new one is first used.")
            }
            (Some(grace), _) => format!("{hint} works for {grace} from now."),
            (None, _) => String::new(),
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
            Of::Many(_) => ("Go on", "making the place for the tokens"),
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
            Of::Many(_) if SEALS => {
                vec![vec![&mut self.grace, &mut self.counted, &mut self.to, &mut self.seal_to]]
            }
            Of::Many(_) => vec![vec![&mut self.grace, &mut self.counted, &mut self.to]],
            Of::App(_) => vec![vec![&mut self.grace, &mut self.counted]],
        }
    }

    fn face(&self, _: &Look, _: Spot) -> Face {
        let tokens = match (&self.of, self.grace.value()) {
            (Of::Key(_) | Of::Many(_), _) => None,
            (Of::App(_), Some(Grace::NONE)) => Some("So are the access tokens fetched with it."),
            (Of::App(_), _) => Some("So do the access tokens fetched with it."),
        };
        let tokens = tokens.map(|said| (Role::Text, said.to_owned()));
        Face {
            title: format!("Rotate {}", self.name),
            wrong: self.whole.clone(),
            lines: [(Role::Text, self.old())].into_iter().chain(tokens).collect(),
            ..Face::default()
        }
    }

    fn check(&mut self, look: &Look, told: Told) -> Option<String> {
        let commands = self.commands();
        // Of many those it cannot be done to are told of in the question.
        let judged = seen(look, |seen| {
            let mut judged = commands.iter().map(|command| deeds::objection(command, seen));
            let first = judged.next().flatten();
            first.filter(|_| judged.all(|judged| judged.is_some()))
        });
        if matches!(self.of, Of::Many(_)) {
            let lacks = told == Told::Whole && self.to.text().trim().is_empty();
            self.to.error = lacks.then(|| "their tokens are never shown: say where they go".to_owned());
        }
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
        if let Some(why) = &self.whole {
            return Err(why.clone());
        }
        if matches!(self.of, Of::Many(_)) {
            let to = place(self.to.text()).ok_or("say where their tokens go")?;
            let seal_to = self.seal_to.text().trim();
            let seal_to = if seal_to.is_empty() { Vec::new() } else { vec![seal_to.to_owned()] };
            return Ok(Job::Purse { to, seal_to });
        }
        let command = self.commands().pop().ok_or("there is nothing to rotate")?;
        Ok(Job::Run { command, said: String::new() })
    }

    fn done(&mut self, answer: Answer, look: &Look, out: &mut Vec<Ask>) -> Heard {
        let Answer::Purse(purse) = answer else { return Secret::of(answer, Vec::new(), look) };
        match confirm::rotation::many(look, self.commands(), &self.old(), purse) {
            Some(question) => Heard::Replace(Box::new(question)),
            None => {
                out.push(Ask::Say("none of them can be rotated now".to_owned()));
                Heard::Close
            }
        }
    }

    fn resume(&mut self, look: &Look) -> Return {
        let is_there = look.view(|view| match &self.of {
            Of::Key(key) => view.key(*key).is_some(),
            Of::Many(keys) => keys.iter().any(|key| view.key(*key).is_some()),
            Of::App(app) => view.app(*app).is_some(),
        });
        if is_there {
            return Return::Now;
        }
        out_of_sight(look, &format!("the form that rotates {}", self.name))
    }
}
