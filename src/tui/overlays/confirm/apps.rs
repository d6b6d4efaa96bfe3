//! Something done to an app: what stops with it and what goes on. A new secret is shown where the question was.

use super::before::{self, About, Use};
use super::{Accept, Awaited, Confirm, Wanted, run, used};
use crate::domain::blast::Blast;
use crate::domain::catalog::AuthMethod;
use crate::domain::history::Picture;
use crate::domain::{App, AppId, Bearer, LastUse, Usage};
use crate::tui::action::Danger;
use crate::tui::app::look::Look;
use crate::tui::list::page::Line;
use crate::tui::overlays::secret::Secret;
use crate::tui::sight::app_deeds::AppDeed;
use crate::tui::sight::radius;
use crate::tui::sight::seen::{Seen, seen};
use crate::tui::theme::Role;

/// How a new secret is waited for.
pub(super) const SECRET: Awaited = Awaited {
    doing: "making it",
    held: "one moment: the new secret is about to be shown",
    then: |answer, look| Secret::of(answer, Vec::new(), look),
};

/// The question whether to do `deed` to an app the operator sees.
pub fn ask(look: &Look, deed: AppDeed, app: AppId) -> Option<Confirm> {
    seen(look, |seen| {
        let app = seen.view.app(app)?;
        let (name, owner) = (app.name.to_string(), seen.view.app_owner_name(app));
        let used = used(seen.view.last_use_of_app(app), ".", seen);
        let mut lines = vec![
            Line::of(Role::Title, name.as_str()),
            Line::of(Role::Dim, format!("{}  {}, owned by {owner}", app.id, app.profile.source.title())),
            Line::of(Role::Dim, used),
        ];
        let radius = lines.len();
        lines.push(Line::blank());
        for (at, said) in consequences(deed, app, seen).into_iter().enumerate() {
            let stops = at == 0 && deed.danger() == Danger::Dangerous;
            lines.push(Line::of(if stops { Role::Warn } else { Role::Text }, said));
        }
        let command = deed.command(app);
        let (title, accept) = match deed {
            AppDeed::Pause => ("Pause app", Accept::One(command, format!("{name} is paused; u resumes it"))),
            AppDeed::Resume => ("Resume app", Accept::One(command, format!("{name} is active again"))),
            AppDeed::Delete => ("Delete app", Accept::One(command, format!("{name} is deleted"))),
            AppDeed::EndOld => {
                ("End the old secret", Accept::One(command, format!("the old secret of {name} has ended")))
            }
            AppDeed::TakeBack => {
                let said = format!("{name} has the secret it had before");
                ("Take the new secret back", Accept::One(command, said))
            }
            AppDeed::NewSecret | AppDeed::Again => {
                let title =
                    if deed == AppDeed::Again { "Another new secret" } else { "New secret for an app" };
                (title, Accept::Awaited(Box::new(move || run(&command, "")), SECRET))
            }
        };
        let stops = matches!(deed, AppDeed::Pause | AppDeed::Delete);
        let in_use = stops && radius_of(app, None, seen).in_use(seen.now()).is_some();
        let typed = (deed == AppDeed::Delete || in_use).then(|| Wanted::name("the app's name", name));
        let question = Confirm::new(title, lines, (deed.verb(), deed.danger()), accept);
        let question = Confirm { typed, ..question };
        if !stops {
            return Some(question);
        }
        let id = app.id;
        let tell = move |used: Use<'_>, seen: &Seen<'_>| tell(id, used.picture(), seen);
        Some(question.telling(About::One(Bearer::App(id)), radius, tell, seen))
    })
}

fn radius_of(app: &App, picture: Option<&Picture>, seen: &Seen<'_>) -> Blast {
    Blast::of_app(seen.view, app, &app.scopes.iter().collect::<Vec<_>>(), picture, seen.now())
}

/// What stops with an app.
fn tell(app: AppId, picture: Option<&Picture>, seen: &Seen<'_>) -> Vec<Line> {
    let told = seen
        .view
        .app(app)
        .map(|app| radius::lines(&radius_of(app, picture, seen), seen.now(), |at| seen.times.relative(at)));
    before::stops(told.unwrap_or_default())
}

/// Who uses the secret it had before.
fn old_use(app: &App, seen: &Seen<'_>) -> String {
    let last = seen.view.last_use_of_old_secret(app, seen.now());
    match app.old_secret(seen.now()).map(|old| seen.view.noted(old.uses)) {
        Some((Usage { last_used_at: Some(at), count, .. }, whence)) => {
            let from = whence.map_or_else(String::new, |whence| format!(" from {whence}"));
            format!(
                "Since it was replaced it was used {count} times, last {}{from}.",
                seen.times.relative(at)
            )
        }
        _ => match last {
            Some(last @ LastUse::NotKnown(_)) => {
                format!(
                    "Whether it was used since it was replaced is {}.",
                    last.words(|at| seen.times.minute(at))
                )
            }
            _ => "Nobody has used it since it was replaced.".to_owned(),
        },
    }
}

/// What stops, then what does not, in whole sentences.
fn consequences(deed: AppDeed, app: &App, seen: &Seen<'_>) -> Vec<String> {
    // All keys of the app stop, also those the operator does not see: the number is the whole truth.
    let live = seen.state().live_keys_of_app(app.id, seen.now());
    let keys = match live {
        0 => "It has no live keys".to_owned(),
        1 => "Its 1 key".to_owned(),
        n => format!("Its {n} keys"),
    };
    let jwt = app.method == AuthMethod::Jwt;
    let first = match (deed, jwt, live) {
        (AppDeed::Pause, false, _) if app.method == AuthMethod::ResourceServer => {
            "It is told nothing from the next question on, so whoever calls it is refused, until it is resumed."
        }
        (AppDeed::Resume, false, _) if app.method == AuthMethod::ResourceServer => {
            "It is told again what its callers present."
        }
        (AppDeed::Delete, false, _) if app.method == AuthMethod::ResourceServer => {
            "It is told nothing from the next question on: whoever calls it is refused. Its secret is worthless from then on."
        }
        (AppDeed::Pause, true, _) => {
            "Its access tokens are refused from the next request on, and no new one is given out, until it is resumed."
        }
        (AppDeed::Pause, false, 0) => "{keys}: nothing stops now, and none works until it is resumed.",
        (AppDeed::Pause, false, _) => "{keys} stop: refused from the next request on, until it is resumed.",
        (AppDeed::Resume, true, _) => "It gets access tokens again, and those that have not ended work.",
        (AppDeed::Resume, false, 0) => "{keys}; one issued now would work.",
        (AppDeed::Resume, false, _) => "{keys} work again from the next request on.",
        (AppDeed::Delete, true, _) => "Its access tokens are refused at once and its secret gets no new one.",
        (AppDeed::Delete, false, 0) => "{keys}: nothing stops. Its secret is worthless from then on.",
        (AppDeed::Delete, false, _) => {
            "{keys} go with it: revoked at once, and what uses them stops. Its secret is worthless from then on."
        }
        (AppDeed::EndOld, ..) => {
            "The secret it had before is refused at once, for good, and so are the access tokens fetched with it. The new one \
             works on."
        }
        (AppDeed::TakeBack, ..) => {
            "The new secret is refused at once, for good, and so are the access tokens fetched with it. The one before is as \
             it was."
        }
        (AppDeed::Again, ..) => {
            "The new secret, which nobody has used, is refused at once. The one before stays as it is."
        }
        (AppDeed::NewSecret, true, _) => {
            "Every secret it has and every access token ends at once: the app stands still until it has the new one."
        }
        (AppDeed::NewSecret, false, _) => "Every secret it has ends at once.",
    };
    let then = match deed {
        AppDeed::Pause | AppDeed::Resume | AppDeed::TakeBack => None,
        AppDeed::Again => Some("Its application id stays. The other one is shown once, right after this."),
        AppDeed::EndOld => {
            return vec![first.to_owned(), old_use(app, seen)];
        }
        AppDeed::Delete => {
            Some("Deleting is final. Its history stays readable; an app of the same name is a new one.")
        }
        AppDeed::NewSecret if jwt || live == 0 => {
            Some("Its application id stays. The new secret is shown once, right after this.")
        }
        AppDeed::NewSecret => Some(
            "{keys} and its application id stay as they are. The new secret is shown once, right after this.",
        ),
    };
    [first].into_iter().chain(then).map(|line| line.replace("{keys}", &keys)).collect()
}
