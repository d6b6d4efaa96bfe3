//! What an edit takes from an app, as it is said before it is done.

use crate::domain::name::first_few;
use crate::domain::{Profile, ScopeId, Scopes, Url};

/// In sentences, of an app that had these scopes and would keep those.
pub fn goes((had, held): (&Profile, &Scopes), (has, kept): (&Profile, &[String])) -> Vec<String> {
    let list =
        |what: &str, gone: Vec<&str>| (!gone.is_empty()).then(|| format!("{what}: {}.", first_few(gone)));
    let scopes = held.iter().map(ScopeId::as_str).filter(|scope| !kept.iter().any(|kept| kept == scope));
    let users = [
        (had.user_type.guest() && !has.user_type.guest()).then_some("guests"),
        (had.user_type.employee() && !has.user_type.employee()).then_some("employees"),
    ];
    [
        list("Loses the scopes", scopes.collect()),
        list("Loses post-login addresses", gone(&had.post_login, &has.post_login)),
        list("Loses post-logout addresses", gone(&had.post_logout, &has.post_logout)),
        list("No longer for", users.into_iter().flatten().collect()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn gone<'u>(had: &'u [Url], has: &[Url]) -> Vec<&'u str> {
    had.iter().filter(|url| !has.contains(url)).map(Url::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Note, SourceApp, UserType};

    #[test]
    fn what_an_edit_takes_away_is_said_and_what_it_gives_is_not() {
        let url = |text: &str| Url::new(text).unwrap();
        let had = Profile {
            uri: url("https://bot.acme.example"),
            description: Note::default(),
            user_type: UserType::Both,
            source: SourceApp::Bot,
            post_login: vec![url("https://a.example/in"), url("https://b.example/in")],
            post_logout: vec![url("https://a.example/out")],
        };
        let held =
            Scopes::new(["contacts.read", "contacts.write"].map(|scope| scope.parse().unwrap())).unwrap();
        let all = ["contacts.read", "contacts.write", "calendars.read"].map(str::to_owned);
        assert_eq!(goes((&had, &held), (&had, &all)), Vec::<String>::new());
        let has = Profile {
            user_type: UserType::Guest,
            post_login: vec![url("https://b.example/in"), url("https://c.example/in")],
            post_logout: Vec::new(),
            ..had.clone()
        };
        assert_eq!(
            goes((&had, &held), (&has, &all[1..])),
            [
                "Loses the scopes: contacts.read.",
                "Loses post-login addresses: https://a.example/in.",
                "Loses post-logout addresses: https://a.example/out.",
                "No longer for: employees.",
            ]
        );
    }
}
