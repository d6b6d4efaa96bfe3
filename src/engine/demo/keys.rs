//! The keys of the sample data: those of the agency, of its locations, and of kiosks that nobody has used for a season.

use super::{Fate, Issue, Scene, Story, bad_text};
use crate::domain::catalog::Level;
use crate::domain::{Expiry, LocationId, Name, NewKey, Note, Place, Timestamp, time::DAY_MS};
use crate::engine::OpenError;

pub(super) const LOCATIONS: [&str; 40] = [
    "Amsterdam Jordaan",
    "Antwerp Zuid",
    "Athens Kolonaki",
    "Barcelona Gràcia",
    "Basel Altstadt",
    "Berlin Mitte",
    "Berlin Prenzlauer Berg",
    "Bordeaux Chartrons",
    "Bristol Clifton",
    "Brussels Ixelles",
    "Cologne Ehrenfeld",
    "Copenhagen Nørrebro",
    "Dublin Docklands",
    "Düsseldorf Oberkassel",
    "Edinburgh New Town",
    "Florence Oltrarno",
    "Frankfurt Westend",
    "Geneva Eaux-Vives",
    "Ghent Centrum",
    "Hamburg Eppendorf",
    "Helsinki Kallio",
    "Kraków Kazimierz",
    "Leipzig Südvorstadt",
    "Lisbon Chiado",
    "London Marylebone",
    "London Shoreditch",
    "Lyon Presqu'île",
    "Madrid Salamanca",
    "Milan Brera",
    "Munich Schwabing",
    "Naples Chiaia",
    "Oslo Grünerløkka",
    "Paris Le Marais",
    "Paris Montmartre",
    "Porto Cedofeita",
    "Prague Vinohrady",
    "Rome Trastevere",
    "Stockholm Södermalm",
    "Vienna Neubau",
    "Zürich Seefeld",
];

/// Agency keys: name, preset, days old, life in days (0 never), days since last use (-1 never), fate, note.
const AGENCY_KEYS: [(&str, &str, i64, u32, i64, Fate, &str); 14] = [
    ("Marketing automation", "marketing-automation", 281, 365, 0, Fate::Lives, "campaign engine, EU cluster"),
    ("Nightly export", "accounting-export", 400, 0, 82, Fate::Lives, "warehouse load at 02:00"),
    ("Legacy CRM sync", "agency-roll-out", 359, 365, 3, Fate::Lives, "goes away with the old CRM"),
    ("Partner portal", "read-only", 120, 180, 1, Fate::Rotated { hours: 98, grace: "7d" }, ""),
    ("Data warehouse", "read-only", 203, 0, 0, Fate::Lives, "read replicas only"),
    ("Lead forms", "lead-capture", 88, 90, 0, Fate::Lives, "website forms, renewed each quarter"),
    (
        "Emergency access",
        "agency-roll-out",
        300,
        0,
        -1,
        Fate::Protected("for the day the portal is down"),
        "in a sealed envelope in the safe",
    ),
    (
        "Receipts mailer",
        "mailer",
        31,
        365,
        0,
        Fate::Rotated { hours: 30, grace: "48h" },
        "sends receipts and reminders",
    ),
    ("Migration 2025", "agency-roll-out", 93, 90, 5, Fate::Lives, "one-off import"),
    ("Chatbot pilot", "lead-capture", 150, 365, 40, Fate::Paused, "paused until the contract is signed"),
    (
        "Reporting (old)",
        "read-only",
        390,
        0,
        200,
        Fate::Leaked,
        "leaked in a ticket, replaced by Data warehouse",
    ),
    ("Audit snapshot", "read-only", 12, 30, -1, Fate::Lives, "for the auditors, one month"),
    ("Test key, please ignore", "lead-capture", 33, 0, -1, Fate::Deleted, ""),
    ("Webhook relay", "marketing-automation", 97, 0, 90, Fate::Lives, ""),
];

pub(super) const USES: [(&str, &str); 6] = [
    ("Booking widget", "booking-widget"),
    ("Front desk", "front-desk"),
    ("Stock sync", "stock-sync"),
    ("Web shop", "webstore"),
    ("Door display", "read-only"),
    ("Reminder mails", "mailer"),
];

/// Kiosks that stood in branches for a season: their name, in how many, the days since their keys were last used, and what
/// becomes of those. The summer's are more than are deleted without a word.
const KIOSKS: [(&str, usize, i64, Fate); 3] = [
    ("Winter kiosk", 1, 104, Fate::Restored),
    ("Spring kiosk", 1, 96, Fate::Missed),
    ("Summer kiosk", 12, 94, Fate::Lives),
];

impl Story {
    pub(super) fn plan_agency_keys(&mut self) -> Result<(), OpenError> {
        for (index, (name, preset, old, life, idle, fate, note)) in AGENCY_KEYS.into_iter().enumerate() {
            let new = NewKey {
                name: Name::new(name).map_err(bad_text)?,
                place: Place::Agency,
                scopes: self.scopes(preset, Level::Agency),
                expiry: Some(self.expiry(old, life)),
                note: Note::new(note).map_err(bad_text)?,
                decoy: false,
            };
            let uses = 3 + self.roll(40);
            self.issue(Issue { by: index % 2, new, last_use: (idle >= 0).then_some(idle), uses, fate }, old);
        }
        Ok(())
    }

    /// The expiry a key has when it was issued `old` days ago for `life` days.
    pub(super) fn expiry(&self, old: i64, life: u32) -> Expiry {
        match life {
            0 => Expiry::Never,
            days => Expiry::At(Timestamp(self.now.0 + (i64::from(days) - old) * DAY_MS)),
        }
    }

    /// The key is issued so many days ago.
    pub(super) fn issue(&mut self, issue: Issue, old: i64) {
        self.at(old, Scene::Issue(issue));
    }

    /// The locations, by name.
    fn places(&self) -> Vec<(LocationId, Name)> {
        let state = self.engine.state();
        let mut all: Vec<_> = state.locations().map(|l| (l.id, l.name.clone())).collect();
        all.sort_by_cached_key(|(_, name)| name.folded());
        all
    }

    pub(super) fn plan_location_keys(&mut self) -> Result<(), OpenError> {
        for (at, (place, branch)) in self.places().into_iter().enumerate() {
            let many = 2 + self.roll(5);
            let first = self.roll(6);
            for n in 0..many.min(6) {
                let which = usize::try_from((first + n) % 6).unwrap_or(0);
                let Some((title, preset)) = USES.get(which) else { continue };
                let old = 5 + self.days(360);
                let life = [0, 365, 365, 180, 400][usize::try_from(self.roll(5)).unwrap_or(0)];
                // What is idle for long enough to be told of has a name of its own.
                let last_use = match self.roll(12) {
                    0 if old < 60 => None,
                    1 => Some(old.min(40 + self.days(30))),
                    0 | 2 | 3 => Some(old.min(self.days(30))),
                    _ => Some(old.min(self.days(2))),
                };
                let fate = match self.roll(24) {
                    0 => Fate::Paused,
                    1 | 2 => Fate::Revoked,
                    3 => Fate::Deleted,
                    _ => Fate::Lives,
                };
                let new = self.branch_key(title, preset, (place, &branch), self.expiry(old, life))?;
                let uses = 1 + self.roll(25);
                self.issue(Issue { by: 2 + at % 4, new, last_use, uses, fate }, old);
            }
        }
        Ok(())
    }

    pub(super) fn plan_kiosks(&mut self) -> Result<(), OpenError> {
        let places = self.places();
        for (title, many, idle, fate) in KIOSKS {
            for (place, branch) in places.iter().step_by(3).take(many) {
                let new = self.branch_key(title, "booking-widget", (*place, branch), Expiry::Never)?;
                self.issue(Issue { by: 2, new, last_use: Some(idle), uses: 6, fate }, idle + 60);
            }
        }
        Ok(())
    }

    fn branch_key(
        &self,
        title: &str,
        preset: &str,
        (place, branch): (LocationId, &Name),
        expiry: Expiry,
    ) -> Result<NewKey, OpenError> {
        Ok(NewKey {
            // Names are unique per owner, so the branch is part of them, as it is in real life.
            name: Name::new(&format!("{title} {branch}")).map_err(bad_text)?,
            place: Place::Location(place),
            scopes: self.scopes(preset, Level::Location),
            expiry: Some(expiry),
            note: Note::default(),
            decoy: false,
        })
    }
}
