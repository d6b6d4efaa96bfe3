//! Changing what a key may do: the same tree as at creation, and below it what comes and what goes. Whoever sees the
//! change sees it before it happens. Or, on report-only, what would go is counted first and nothing is refused yet.

use crate::domain::basis::Basis;
use crate::domain::blast::Blast;
use crate::domain::review::About;
use crate::domain::{Bearer, Command, KeyId, ReportOnly, ScopeId, Scopes};
use crate::tui::app::ask::{Answer, Job};
use crate::tui::app::kept::out_of_sight;
use crate::tui::app::look::Look;
use crate::tui::form::field::Field;
use crate::tui::form::meanwhile::{Choice, Moved, ThreeScopes};
use crate::tui::form::tree::TreeState;
use crate::tui::form::{Asking, Face, Form, Manner, Own, Pages, Spot, Told};
use crate::tui::overlay::Return;
use crate::tui::overlays::guard::Guard;
use crate::tui::overlays::scope_tree::{self, Reach};
use crate::tui::sight::deeds;
use crate::tui::sight::seen::{Seen, seen};
use crate::tui::theme::Role;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::text;

/// Columns of the box.
const WIDTH: u16 = 92;
/// Lines of changes that are shown.
const LINES: usize = 4;

pub struct Rescope {
    key: KeyId,
    name: String,
    basis: Basis,
    before: Scopes,
    tree: TreeState<ScopeId>,
    /// For how many days what would be refused is only counted, where that is wanted.
    days: Option<TextField>,
    guard: Guard,
}

impl Rescope {
    /// For a key the operator sees.
    pub fn new(look: &Look, key: KeyId) -> Option<Form<Self>> {
        Self::with(look, key, None).map(|form| Form::new(form, look))
    }

    /// The same without the scopes that no request has needed, where some would be left.
    pub fn narrower(look: &Look, key: KeyId) -> Option<Form<Self>> {
        let kept = seen(look, |seen| {
            let key = seen.view.key(key)?;
            let surplus = About::key(seen.view, key).surplus();
            let kept: Vec<ScopeId> =
                key.scopes.iter().filter(|scope| !surplus.contains(scope)).cloned().collect();
            (!surplus.is_empty()).then_some(kept)
        })?;
        Self::with(look, key, Some(kept)).map(|form| Form::new(form, look))
    }

    /// For counting what fewer scopes would refuse: without those that no request has needed, where there are such.
    pub fn report_only(look: &Look, key: KeyId) -> Option<Form<Self>> {
        let kept = look.view(|view| {
            let key = view.key(key)?;
            let surplus = About::key(*view, key).surplus();
            let kept = key.scopes.iter().filter(|scope| !surplus.contains(scope));
            Some(kept.cloned().collect())
        })?;
        let note = "requests that need what is taken out are let through and counted";
        let days = TextField::new("Days").filled(&ReportOnly::DAYS.to_string()).note(note);
        Self::with(look, key, Some(kept)).map(|form| Form::blank(Self { days: Some(days), ..form }).at(1))
    }

    /// The days that were typed.
    fn days(field: &TextField) -> Result<u32, String> {
        let text = field.text().trim();
        let days = text.strip_suffix('d').unwrap_or(text).parse().ok();
        days.filter(|days| (1..=ReportOnly::MAX_DAYS).contains(days))
            .ok_or_else(|| format!("a number of days from 1 to {}", ReportOnly::MAX_DAYS))
    }

    /// With these scopes ticked instead of those the key has.
    fn with(look: &Look, key: KeyId, ticked: Option<Vec<ScopeId>>) -> Option<Self> {
        let catalog = look.engine.catalog();
        seen(look, |seen| {
            let key = seen.view.key(key)?;
            let app = key.place.app().and_then(|id| seen.view.app(id)).map(|app| app.scopes.clone());
            let reach = match &app {
                Some(scopes) => Reach::within_app(scopes),
                None => Reach::key(scope_tree::level_of(key.place)),
            };
            let before = key.scopes.clone();
            let ticked = ticked.unwrap_or_else(|| before.iter().cloned().collect());
            Some(Self {
                key: key.id,
                name: key.name.to_string(),
                basis: Basis::of_key(key),
                tree: scope_tree::tree(catalog, reach, ticked, Some(&before)),
                before,
                days: None,
                guard: Guard::new(vec![Bearer::Key(key.id)], key.name.as_str()),
            })
        })
    }

    /// What stops with the scopes that go; nothing where none goes.
    fn blast(&self, seen: &Seen<'_>) -> Option<Blast> {
        let key = seen.view.key(self.key)?;
        let ticked = self.tree.ticked();
        let gone: Vec<&ScopeId> = self.before.iter().filter(|scope| !ticked.contains(*scope)).collect();
        let blast = Blast::of_key(seen.view, key, gone.iter().copied(), None, seen.now());
        // The key goes on, and its scopes are told one by one.
        (!gone.is_empty()).then_some(Blast { notices: 0, siblings: 0, ..blast })
    }

    fn now(&self, look: &Look) -> Scopes {
        let now = look.view(|view| view.key(self.key).map(|key| key.scopes.clone()));
        now.unwrap_or_else(|| self.before.clone())
    }

    /// The scopes as they were, as they are and as they are ticked.
    const fn three<'a>(&'a self, now: &'a Scopes) -> ThreeScopes<'a> {
        ThreeScopes { was: &self.before, now, ticked: self.tree.ticked() }
    }
}

impl Asking for Rescope {
    fn manner(&self) -> Manner {
        if self.days.is_some() {
            return Manner {
                does: "Report only",
                doing: "beginning to count",
                width: WIDTH,
                labels: 5,
                tall: Some(u16::MAX),
                ..Manner::small("rescope")
            };
        }
        Manner {
            does: "Change scopes",
            doing: "changing the scopes",
            width: WIDTH,
            labels: 0,
            tall: Some(u16::MAX),
            ..Manner::small("rescope")
        }
    }

    fn fields(&mut self) -> Pages<'_> {
        match &mut self.days {
            Some(days) => vec![vec![days, &mut self.tree]],
            None => {
                let guard = self.guard.field().map(|field| field as &mut dyn Field);
                vec![[&mut self.tree as &mut dyn Field].into_iter().chain(guard).collect()]
            }
        }
    }

    fn face(&self, look: &Look, spot: Spot) -> Face {
        let ticked = self.tree.ticked();
        let added = ticked.iter().filter(|scope| !self.before.contains(scope));
        let removed = self.before.iter().filter(|scope| !ticked.contains(*scope));
        let added: Vec<_> = added.map(|scope| format!("+ {scope}")).collect();
        // Whoever needs one that goes is refused from then on.
        let used = |scope: &ScopeId| {
            seen(look, |seen| {
                let at = seen.view.key(self.key).and_then(|key| seen.trace(key)?.scope_used_at(scope))?;
                Some(format!(" (used {})", seen.times.relative(at)))
            })
        };
        let removed = removed.map(|scope| format!("- {scope}{}", used(scope).unwrap_or_default()));
        let removed: Vec<_> = removed.collect();
        let used = seen(look, |seen| {
            let blast = self.blast(seen)?;
            Some(self.guard.of_one(Blast { lost: Vec::new(), ..blast }, seen))
        });
        let mut lines = Vec::new();
        for (role, changes) in [(Role::Good, added), (Role::Bad, removed)] {
            if !changes.is_empty() {
                let said = text::wrap(&changes.join("  "), spot.cells);
                lines.extend(said.into_iter().map(|line| (role, line)));
            }
        }
        if lines.is_empty() {
            lines.push((Role::Dim, "nothing changed yet".to_owned()));
        }
        if let Some(more) = lines.len().checked_sub(LINES).filter(|more| *more > 0) {
            lines.truncate(LINES);
            if let Some((_, last)) = lines.last_mut() {
                *last = format!("{last} … and {more} lines more");
            }
        }
        lines.splice(0..0, used.into_iter().flatten());
        Face {
            title: match self.days {
                Some(_) => format!("Report only: {} with fewer scopes", self.name),
                None => format!("Scopes of {}", self.name),
            },
            lines,
            aside: scope_tree::count(look.engine.catalog(), ticked),
            ..Face::default()
        }
    }

    fn check(&mut self, look: &Look, told: Told) -> Option<String> {
        if let Some(field) = &mut self.days {
            // Nothing is refused by that yet.
            field.error = Self::days(field).err();
            return None;
        }
        let in_use = seen(look, |seen| {
            self.blast(seen).is_some_and(|blast| !blast.lost.is_empty() && blast.in_use(seen.now()).is_some())
        });
        self.guard.heed(in_use, told);
        None
    }

    fn wonders(&self) -> Option<Job> {
        self.guard.wonders()
    }

    fn learns(&mut self, answer: Answer, _: &Look) {
        self.guard.learns(answer);
    }

    fn submit(&mut self, look: &Look) -> Result<Job, String> {
        let (key, name) = (self.key, &self.name);
        let scopes = self.tree.ticked().iter().map(ToString::to_string).collect();
        let (command, said) = match &self.days {
            Some(field) => {
                let days = Self::days(field)?;
                let said = format!("{name} is on report-only for {days} d: all it could do it still can");
                (Command::BeginReportOnly { key, scopes, days }, said)
            }
            None => {
                let basis = Some(self.basis);
                (Command::RescopeKey { key, scopes, basis }, format!("the scopes of {name} are changed"))
            }
        };
        match seen(look, |seen| deeds::objection(&command, seen)) {
            Some(refusal) => Err(refusal.to_string()),
            None => Ok(Job::Run { command, said }),
        }
    }

    fn what(&self) -> String {
        format!("the key {}", self.name)
    }

    fn moved(&mut self, look: &Look) -> Vec<Moved> {
        self.three(&self.now(look)).moved().into_iter().collect()
    }

    fn rebase(&mut self, choice: Choice, look: &Look) -> Own {
        let merged = self.three(&self.now(look)).merged().into_iter().collect();
        let ticked = (choice != Choice::Theirs).then_some(merged);
        if let Some(fresh) = Self::with(look, self.key, ticked) {
            *self = Self { days: self.days.take(), ..fresh };
        }
        if choice == Choice::Theirs { Own::Gone } else { Own::Left }
    }

    fn resume(&mut self, look: &Look) -> Return {
        if look.view(|view| view.key(self.key).is_some()) {
            return Return::Now;
        }
        out_of_sight(look, &format!("the form with the scopes of {}", self.name))
    }
}
