//! What would become of many keys: to which it can be done, which stay as they are and why, and who uses those that it would be
//! done to. Worked out on another thread where they are many, with the state let go now and then.

use super::deeds;
use super::seen::{Glance, Seen};
use crate::domain::blast::many::Struck;
use crate::domain::{Command, Key, KeyId};

/// Keys looked at before the state is let go for whoever wants it.
const AT_A_TIME: usize = 4_096;

/// What is to be done to a key, as a command.
pub type Means = Box<dyn Fn(&Key) -> Command + Send>;

/// See the module.
#[derive(Debug, Default)]
pub struct Plan {
    /// What would be done, each about another key.
    pub possible: Vec<Command>,
    /// Why it is not done to the others: each reason, and to which.
    pub left: Vec<(Vec<KeyId>, String)>,
    /// Who uses those that it would be done to.
    pub struck: Struck,
}

impl Plan {
    /// Of what `means` is for each of these keys.
    pub fn of_keys(glance: Glance<'_>, keys: &[KeyId], means: &dyn Fn(&Key) -> Command) -> Self {
        let mut plan = Self::default();
        for part in keys.chunks(AT_A_TIME) {
            glance(&mut |seen| {
                for key in part.iter().filter_map(|id| seen.view.key(*id)) {
                    plan.judge(means(key), seen);
                }
            });
        }
        glance(&mut |seen| plan.strike(seen));
        plan
    }

    /// Of these commands.
    pub fn of(commands: impl IntoIterator<Item = Command>, seen: &Seen<'_>) -> Self {
        let mut plan = Self::default();
        for command in commands {
            plan.judge(command, seen);
        }
        plan.strike(seen);
        plan
    }

    fn judge(&mut self, command: Command, seen: &Seen<'_>) {
        let Some(key) = command.key() else { return };
        let Some(refusal) = deeds::objection(&command, seen) else { return self.possible.push(command) };
        let why = refusal.to_string();
        match self.left.iter_mut().find(|(_, known)| *known == why) {
            Some((keys, _)) => keys.push(key),
            None => self.left.push((vec![key], why)),
        }
    }

    fn strike(&mut self, seen: &Seen<'_>) {
        let keys = self.possible.iter().filter_map(|command| seen.view.key(command.key()?));
        self.struck = Struck::of(seen.view, keys, [], seen.now());
    }
}
