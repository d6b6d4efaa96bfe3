//! What a proxy asks for: which scopes the request needs and which answers it understands. What cannot be read is a
//! refusal, never less of a requirement.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::Arc;

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

static NOTHING: Ask = Ask { profile: Profile::Full, wanted: Vec::new(), unreadable: false };

/// What a request asks; mostly nothing, else what others asked before it.
#[derive(Debug)]
pub struct Question(Option<Arc<Ask>>);

impl Deref for Question {
    type Target = Ask;

    fn deref(&self) -> &Ask {
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

/// A question and what it means.
struct Asked {
    query: Box<str>,
    require: Option<Box<[u8]>>,
    ask: Arc<Ask>,
}

/// How many questions a thread remembers, and how long they may be.
const REMEMBERED: usize = 8;
const REMEMBERED_BYTES: usize = 512;

thread_local! {
    // The last ones, the oldest of them first. A proxy asks the same few, request after request, and reading one costs
    // more than comparing it.
    static ASKED: RefCell<Vec<Asked>> = const { RefCell::new(Vec::new()) };
}

impl Ask {
    /// What is asked by `scope` and `profile` of the query and the scopes of the header `Keydeck-Require-Scope`.
    pub fn of(query: Option<&str>, require: &[&HeaderValue]) -> Question {
        let query = match (query, require) {
            (None, []) => return Question(None),
            (query, _) => query.unwrap_or_default(),
        };
        Question(Some(match *require {
            [] => Self::remembered(query, None),
            [line] => Self::remembered(query, Some(line)),
            _ => Arc::new(Self::read(query, require).0),
        }))
    }

    fn remembered(query: &str, require: Option<&HeaderValue>) -> Arc<Self> {
        let line = require.map(HeaderValue::as_bytes);
        ASKED.with_borrow_mut(|asked| {
            let same = |asked: &&Asked| *asked.query == *query && asked.require.as_deref() == line;
            if let Some(asked) = asked.iter().find(same) {
                return Arc::clone(&asked.ask);
            }
            let (ask, plain) = Self::read(query, require.as_slice());
            let ask = Arc::new(ask);
            if plain && query.len().max(line.map_or(0, <[u8]>::len)) <= REMEMBERED_BYTES {
                if asked.len() == REMEMBERED {
                    asked.remove(0);
                }
                asked.push(Asked {
                    query: query.into(),
                    require: line.map(Into::into),
                    ask: Arc::clone(&ask),
                });
            }
            ask
        })
    }

    /// Reads the question, and whether it is worth remembering.
    fn read(query: &str, require: &[&HeaderValue]) -> (Self, bool) {
        let (mut ask, mut plain) = (Self::default(), true);
        let mut profiles = 0;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
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
                // A scope misspelt must not be no scope. Nothing a proxy asks again and again is like this.
                _ => (plain, ask.unreadable) = (false, true),
            }
        }
        ask.unreadable |= profiles > 1;
        for line in require {
            match line.to_str() {
                Ok(names) => names.split(' ').for_each(|name| ask.want(name)),
                Err(_) => ask.unreadable = true,
            }
        }
        (ask, plain)
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

    fn ask(query: &str, header: &[&'static str]) -> Question {
        let lines: Vec<_> = header.iter().map(|line| HeaderValue::from_static(line)).collect();
        let lines: Vec<_> = lines.iter().collect();
        let ask = Ask::of(Some(query), &lines);
        assert_eq!(*ask, Ask::read(query, &lines).0, "remembered is as read");
        ask
    }

    fn names(ask: &Ask) -> Vec<&str> {
        assert!(!ask.unreadable);
        ask.wanted.iter().map(ScopeId::as_str).collect()
    }

    #[test]
    fn scopes_come_from_the_query_and_the_header_together() {
        assert_eq!(*ask("", &[]), Ask::default());
        assert_eq!(*Ask::of(None, &[]), Ask::default());
        assert_eq!(
            names(&ask("scope=a.b&scope=c.d", &["e.f g.h", "i.j"])),
            ["a.b", "c.d", "e.f", "g.h", "i.j"]
        );
        assert_eq!(names(&ask("scope=contacts%2Eread", &[])), ["contacts.read"]);
        assert_eq!(ask("profile=strict", &[]).profile, Profile::Strict);
        assert_eq!(ask("profile=full", &[]).profile, Profile::Full);
    }

    #[test]
    fn questions_are_remembered_apart_and_few_of_them() {
        for _ in 0..2 {
            for n in 0..REMEMBERED {
                assert_eq!(names(&ask(&format!("scope=a.s{n}"), &[])), [format!("a.s{n}")]);
                assert_eq!(names(&ask(&format!("scope=a.s{n}"), &["b.c"])), [&format!("a.s{n}"), "b.c"]);
                assert_eq!(names(&ask(&format!("scope=a.s{n}"), &["b.d"])), [&format!("a.s{n}"), "b.d"]);
                assert!(ask(&format!("scope=a.s{n}&x={n}"), &[]).unreadable);
                ask(&format!("scope={}", "x".repeat(REMEMBERED_BYTES)), &[]);
            }
        }
        ASKED.with_borrow(|asked| {
            assert_eq!(asked.len(), REMEMBERED);
            assert!(asked.iter().all(|asked| !asked.query.contains('x')));
        });
        let again = ask("profile=strict", &[]);
        assert!(std::ptr::eq(&raw const *again, &raw const *ask("profile=strict", &[])));
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
            "scopes=a.b",
            "Scope=a.b",
            "SCOPE=a.b",
            "scope%20=a.b",
            "scope[]=a.b",
            "scope[0]=a.b",
            "scope;=a.b",
            "scope=a.b&x=y",
            "amp;scope=a.b",
            "require=a.b",
            "Profile=strict",
            "profile=strict&profile=strict",
            "=a.b",
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
