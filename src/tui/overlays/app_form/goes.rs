//! What an edit takes from an app, as it is said before it is done.

use crate::domain::catalog::AuthMethod;
use crate::domain::name::first_few;
use crate::domain::signing::PartyName;
use crate::domain::{App, Profile, ScopeId, Scopes, Terms, Url};

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

/// Which access tokens end with an edit: those that are not as the app's are from then on.
pub fn tokens_that_end(app: &App, terms: &Terms) -> Vec<String> {
    let alg = (app.method == AuthMethod::Jwt && app.alg() != terms.alg)
        .then(|| format!("Its access tokens signed with {} end at once.", app.alg().code()));
    let had: Vec<&str> = app.audiences().iter().map(PartyName::as_str).collect();
    let lost: Vec<&str> =
        had.iter().filter(|had| !terms.audiences.iter().any(|has| has.as_str() == **had)).copied().collect();
    let ends = match app.method {
        AuthMethod::ApiKey => "",
        AuthMethod::Jwt => "No access tokens for",
        AuthMethod::ResourceServer => "Told nothing more of what is for",
    };
    let platform = had.is_empty() && !terms.audiences.is_empty();
    let lost = if platform { vec!["the platform, unless named"] } else { lost };
    let audiences = (!lost.is_empty()).then(|| format!("{ends}: {}.", first_few(lost)));
    alg.into_iter().chain(audiences).collect()
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
