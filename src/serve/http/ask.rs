//! What a proxy asks for: which scopes the request needs and which answers it understands. What cannot be read is a
//! refusal, never less of a requirement.

use hyper::header::HeaderValue;

use super::limits::WANTED_SCOPES;
use crate::domain::ScopeId;

/// Which answers are understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// 200, 401 and 403 only, for nginx, to which all else is an error.
    Strict,
    /// 400, 429 and 503 too.
    #[default]
    Full,
}

/// What is asked.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// Which answers are understood.
    pub profile: Profile,
    /// All of these must be held.
    pub wanted: Vec<ScopeId>,
    /// Something in the question cannot be read: the answer is no.
    pub unreadable: bool,
}

impl Ask {
    /// Reads `scope` and `profile` of the query, and adds the scopes of the header `Keydeck-Require-Scope`.
    pub fn read(query: Option<&str>, require: &[&HeaderValue]) -> Self {
        let mut ask = Self::default();
        if query.is_none() && require.is_empty() {
            return ask;
        }
        let mut profiles = 0;
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*name {
                "scope" => ask.want(&value),
                "profile" => {
                    profiles += 1;
                    match &*value {
                        "strict" => ask.profile = Profile::Strict,
                        "full" => {}
                        _ => ask.unreadable = true,
                    }
                }
                // Envoy sends the query of the caller along.
                _ => {}
            }
        }
        ask.unreadable |= profiles > 1;
        for line in require {
            match line.to_str() {
                Ok(names) => names.split(' ').for_each(|name| ask.want(name)),
                Err(_) => ask.unreadable = true,
            }
        }
        ask
    }

    fn want(&mut self, name: &str) {
        match name.parse() {
            Ok(scope) if self.wanted.len() < WANTED_SCOPES => self.wanted.push(scope),
            _ => self.unreadable = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(query: &str, header: &[&'static str]) -> Ask {
        let lines: Vec<_> = header.iter().map(|line| HeaderValue::from_static(line)).collect();
        Ask::read(Some(query), &lines.iter().collect::<Vec<_>>())
    }

    fn names(ask: &Ask) -> Vec<&str> {
        assert!(!ask.unreadable);
        ask.wanted.iter().map(ScopeId::as_str).collect()
    }

    #[test]
    fn scopes_come_from_the_query_and_the_header_together() {
        assert_eq!(ask("", &[]), Ask::default());
        assert_eq!(
            names(&ask("scope=a.b&x=y&scope=c.d", &["e.f g.h", "i.j"])),
            ["a.b", "c.d", "e.f", "g.h", "i.j"]
        );
        assert_eq!(names(&ask("scope=contacts%2Eread", &[])), ["contacts.read"]);
        assert_eq!(ask("profile=strict", &[]).profile, Profile::Strict);
        assert_eq!(ask("profile=full", &[]).profile, Profile::Full);
    }

    #[test]
    fn what_cannot_be_read_is_no_lesser_question() {
        for query in [
            "scope",
            "scope=",
            "scope=*",
            "scope=contacts.*",
            "scope=a.b+c.d",
            "scope=A.B",
            "scope=a.b%00",
            "scope=%FF",
            "scope=a.b,c.d",
            "profile",
            "profile=",
            "profile=Strict",
            "profile=none",
            "profile=strict&profile=full",
            "scope=a.b&scope=",
        ] {
            assert!(ask(query, &[]).unreadable, "{query}");
        }
        for header in ["", " a.b", "a.b  c.d", "a.b,c.d", "*"] {
            assert!(ask("", &[header]).unreadable, "{header:?}");
        }
        assert!(!ask(&"scope=a.b&".repeat(WANTED_SCOPES), &[]).unreadable);
        assert!(ask(&"scope=a.b&".repeat(WANTED_SCOPES + 1), &[]).unreadable);
    }
}
