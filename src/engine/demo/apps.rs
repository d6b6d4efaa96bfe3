//! The apps of the sample data, in all states and of both methods, with their keys.

use super::{Fate, Issue, Scene, Story, bad_text, refused};
use crate::domain::catalog::{AuthMethod, Level};
use crate::domain::{AppId, Name, NewApp, NewKey, Note, Place, Profile, Refusal, SourceApp, Url, UserType};
use crate::engine::OpenError;

/// Keys of an app: name, days old, life in days, days since last use (-1 never), fate.
type AppKey = (&'static str, i64, u32, i64, Fate);

/// An app of the story.
pub(super) struct AppPlan {
    name: &'static str,
    host: &'static str,
    about: &'static str,
    source: SourceApp,
    users: UserType,
    method: AuthMethod,
    preset: &'static str,
    old: i64,
    fate: Fate,
    keys: &'static [AppKey],
}

pub(super) const APPS: [AppPlan; 9] = [
    AppPlan {
        name: "Booking bot",
        host: "bot.acme-wellness.example",
        about: "answers guests on the web site and books for them",
        source: SourceApp::Bot,
        users: UserType::Guest,
        method: AuthMethod::ApiKey,
        preset: "booking-widget",
        old: 210,
        fate: Fate::Lives,
        keys: &[("Booking bot", 210, 365, 0, Fate::Lives), ("Booking bot staging", 40, 60, 2, Fate::Lives)],
    },
    AppPlan {
        name: "Guest app",
        host: "app.acme-wellness.example",
        about: "the mobile app guests book with, made by Studio Nord",
        source: SourceApp::ExternalCma,
        users: UserType::Guest,
        method: AuthMethod::Jwt,
        preset: "guest-app",
        old: 300,
        fate: Fate::Lives,
        keys: &[],
    },
    AppPlan {
        name: "Gift shop",
        host: "shop.acme-wellness.example",
        about: "sells gift cards and products",
        source: SourceApp::ExternalWebstore,
        users: UserType::Guest,
        method: AuthMethod::ApiKey,
        preset: "webstore",
        old: 361,
        fate: Fate::Lives,
        keys: &[("Gift shop", 361, 365, 0, Fate::Lives), ("Gift shop (old)", 361, 365, 250, Fate::Revoked)],
    },
    AppPlan {
        name: "Partner web shop",
        host: "acme.partnershop.example",
        about: "",
        source: SourceApp::ExternalWebstore,
        users: UserType::Guest,
        method: AuthMethod::Jwt,
        preset: "guest-app",
        old: 75,
        fate: Fate::Lives,
        keys: &[],
    },
    AppPlan {
        name: "Rota planner",
        host: "rota.acme-wellness.example",
        about: "who works when, for branch managers",
        source: SourceApp::ClientApp,
        users: UserType::Employee,
        method: AuthMethod::ApiKey,
        preset: "read-only",
        old: 150,
        fate: Fate::Lives,
        keys: &[("Rota planner", 150, 365, 1, Fate::Lives)],
    },
    AppPlan {
        name: "Insights",
        host: "insights.acme-wellness.example",
        about: "dashboards of the head office",
        source: SourceApp::ClientApp,
        users: UserType::Both,
        method: AuthMethod::ApiKey,
        preset: "read-only",
        old: 128,
        fate: Fate::Lives,
        keys: &[("Insights nightly", 128, 365, 84, Fate::Lives), ("Insights live", 20, 0, 0, Fate::Paused)],
    },
    AppPlan {
        name: "Voice assistant pilot",
        host: "voice.acme-wellness.example",
        about: "paused until the pilot goes on in spring",
        source: SourceApp::Bot,
        users: UserType::Both,
        method: AuthMethod::ApiKey,
        preset: "lead-capture",
        old: 90,
        fate: Fate::Paused,
        keys: &[("Voice assistant", 90, 365, 35, Fate::Lives)],
    },
    AppPlan {
        name: "Franchise portal",
        host: "franchise.acme-wellness.example",
        about: "in the making: no key yet",
        source: SourceApp::ClientApp,
        users: UserType::Employee,
        method: AuthMethod::ApiKey,
        preset: "read-only",
        old: 3,
        fate: Fate::Lives,
        keys: &[],
    },
    AppPlan {
        name: "Summer campaign",
        host: "summer.acme-wellness.example",
        about: "one season only",
        source: SourceApp::ExternalWebstore,
        users: UserType::Guest,
        method: AuthMethod::ApiKey,
        preset: "lead-capture",
        old: 170,
        fate: Fate::Deleted,
        keys: &[("Summer campaign", 170, 120, 60, Fate::Lives)],
    },
];

impl Story {
    pub(super) fn plan_apps(&mut self) -> Result<(), OpenError> {
        for (at, plan) in APPS.iter().enumerate() {
            let url = |path: &str| {
                let text = format!("https://{}{path}", plan.host);
                Url::new(&text).map_err(|why| refused(Refusal::BadUrl { field: "URI", why }))
            };
            let second = if at % 3 == 0 {
                vec![url("/login/done")?, url("/callback")?]
            } else {
                vec![url("/callback")?]
            };
            let profile = Profile {
                uri: url("")?,
                description: Note::new(plan.about).map_err(bad_text)?,
                user_type: plan.users,
                source: plan.source,
                post_login: second,
                post_logout: if at % 2 == 0 { vec![url("/bye")?] } else { Vec::new() },
            };
            let new = NewApp {
                name: Name::new(plan.name).map_err(bad_text)?,
                profile,
                method: plan.method,
                scopes: self.scopes_for(plan.preset, Level::App, plan.method),
                terms: crate::domain::Terms::default(),
            };
            self.at(plan.old, Scene::Create(at % 2, plan, new));
        }
        Ok(())
    }

    /// The app exists from now on: its keys and its end are planned.
    pub(super) fn plan_app(&mut self, by: usize, plan: &AppPlan, id: AppId) -> Result<(), OpenError> {
        for &(name, old, life, idle, fate) in plan.keys {
            let new = NewKey {
                name: Name::new(name).map_err(bad_text)?,
                place: Place::App(id),
                scopes: self.scopes_for(plan.preset, Level::App, plan.method),
                expiry: Some(self.expiry(old, life)),
                note: Note::default(),
                decoy: false,
            };
            let uses = 5 + self.roll(40);
            self.issue(Issue { by, new, last_use: (idle >= 0).then_some(idle), uses, fate }, old);
        }
        if plan.fate != Fate::Lives {
            let end = plan.keys.iter().map(|key| key.3).min().unwrap_or(plan.old).min(plan.old);
            self.at(end, Scene::EndApp(by, id, plan.fate));
        }
        Ok(())
    }
}
