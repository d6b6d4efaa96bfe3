//! Rotating a key: how long the old half works on, since when that counts, and how long the new one lives. Its secret is
//! shown where the form was.

use super::secret::Secret;
use crate::domain::{Command, Counted, Expiry, Grace, KeyId, Refusal, Rotation};
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

pub struct Rotate {
    key: KeyId,
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
            key,
            name,
            hint,
            grace: Radio::new("Grace", graces).across().choosing(&Grace::DEFAULT),
            counted: Radio::new("From", since).across().choosing(&Counted::FromFirstUse),
            life: TypedChoice::new("New one ends", ["keep", "90d", "1y"], move |text| life(text, own, times)),
            whole: None,
        };
        Some(Form::new(form, look))
    }

    fn command(&self) -> Command {
        let rotation = Rotation {
            id: None,
            grace: self.grace.value().unwrap_or(Grace::DEFAULT),
            counted: self.counted.value().unwrap_or(Counted::FromFirstUse),
            expiry: self.life.value().flatten(),
        };
        Command::RotateKey { key: self.key, rotation }
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
        Manner {
            does: "Rotate key",
            doing: "rotating the key",
            leaving: "nothing is rotated yet; esc again throws the form away",
            ..Manner::small("rotate")
        }
    }

    fn fields(&mut self) -> Pages<'_> {
        vec![vec![&mut self.grace, &mut self.counted, &mut self.life]]
    }

    fn face(&self, _: &Look, _: Spot) -> Face {
        let hint = &self.hint;
        let old = match (self.grace.value(), self.counted.value()) {
            (Some(Grace::NONE), _) => format!("{hint} is refused at once, for good."),
            (Some(grace), Some(Counted::FromFirstUse)) => {
                format!("{hint} works for {grace} after the new one is first used.")
            }
            (Some(grace), _) => format!("{hint} works for {grace} from now."),
            (None, _) => String::new(),
        };
        Face {
            title: format!("Rotate {}", self.name),
            wrong: self.whole.clone(),
            lines: vec![(Role::Text, old)],
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
        if look.view(|view| view.key(self.key).is_some()) {
            return Return::Now;
        }
        out_of_sight(look, &format!("the form that rotates {}", self.name))
    }
}
