//! What may be asked of requests as they arrive: `is:refused`, `scope:contacts.read`, `reason:revoked`, `from:10.2.`, `by:curl`.

use super::caller::Whence;
use super::{needs, push_plain};
use crate::domain::name::plain;
use crate::domain::tail::Arrival;

/// Something asked of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// It was allowed.
    Allowed,
    /// It was refused.
    Refused,
    /// The reason of its refusal has this in its word or its words.
    Reason(String),
    /// It asked for a scope with this in its name.
    Scope(String),
    /// It came from there.
    From(Whence),
    /// What its caller says it is has.
    By(String),
}

impl Term {
    /// Whether it holds for a request.
    pub fn fits(&self, arrival: &Arrival) -> bool {
        let has = |text: &str, wanted: &str| plain(text).contains(wanted);
        match self {
            Self::Allowed => arrival.reason.is_none(),
            Self::Refused => arrival.reason.is_some(),
            Self::Reason(wanted) => {
                arrival.reason.is_some_and(|why| has(why.code(), wanted) || has(why.brief(), wanted))
            }
            Self::Scope(wanted) => arrival.scopes.iter().any(|scope| has(scope.as_str(), wanted)),
            Self::From(wanted) => arrival.from.address.is_some_and(|from| wanted.holds(from)),
            Self::By(wanted) => arrival.from.agent.as_ref().is_some_and(|by| has(by.as_str(), wanted)),
        }
    }
}

/// What words are looked for in.
pub fn text(arrival: &Arrival, room: &mut String) {
    push_plain(room, arrival.name.as_str());
    let state = if arrival.reason.is_none() { "allowed" } else { "refused" };
    let reason = arrival.reason.map_or("", crate::domain::Reason::brief);
    for part in [state, reason, &arrival.wanted(), &arrival.from.to_string()] {
        room.push('\n');
        push_plain(room, part);
    }
}

impl super::Term for Term {
    const EXAMPLES: &'static str = "is:refused  NOT from:10.2.  scope:contacts.read  by:curl";
    const FIELDS: &'static str = "is: reason: scope: from: by:";

    fn read(field: &str, sign: char, value: String) -> Option<Result<Self, String>> {
        let text = |what: fn(String) -> Self, example: &str| {
            if sign != ':' || value.is_empty() { needs(field, ':', example) } else { Ok(what(value.clone())) }
        };
        Some(match field {
            "is" => match value.as_str() {
                "allowed" => Ok(Self::Allowed),
                "refused" | "denied" => Ok(Self::Refused),
                _ => needs(field, ':', "allowed or refused"),
            },
            "reason" => text(Self::Reason, "a reason, such as revoked"),
            "scope" => text(Self::Scope, "a scope, such as contacts.read"),
            "from" => match Whence::read(&value) {
                Some(whence) if sign == ':' => Ok(Self::From(whence)),
                _ => needs(field, ':', Whence::FORM),
            },
            "by" => text(Self::By, "the caller's program, such as curl"),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::filter::Filter;
    use crate::domain::trace::{Agent, Sighting};
    use crate::domain::{Bearer, KeyId, Name, PublicId, Reason, Timestamp};

    #[test]
    fn requests_are_found_by_what_they_say_and_what_became_of_them() {
        let address = Some("10.2.0.7".parse::<core::net::IpAddr>().unwrap().into());
        let arrival = |reason| Arrival {
            bearer: Bearer::Key(KeyId(PublicId::NOBODY)),
            name: Name::new("Böoking widget").unwrap(),
            reason,
            scopes: vec!["appointments.read".parse().unwrap()],
            more: 0,
            from: Sighting { at: Timestamp(0), address, agent: Agent::read(b"kiosk/2.1") },
        };
        let lets = |line: &str, reason| {
            let filter = Filter::<Term>::parse(line);
            assert!(filter.mistakes.is_empty(), "{line}: {:?}", filter.mistakes);
            let (arrival, mut room) = (arrival(reason), String::new());
            text(&arrival, &mut room);
            filter.lets(false, &room, |term| term.fits(&arrival))
        };
        for line in [
            "booking",
            "is:allowed",
            "scope:appoint",
            "from:10.2.",
            "from:10.2.0.0/16",
            "NOT from:10.3.0.0/16",
            "by:kiosk",
            "kiosk/2.1",
            "NOT is:refused",
        ] {
            assert!(lets(line, None), "{line}");
        }
        for line in ["is:refused", "reason:revoked", "revoked", "NOT is:allowed from:10."] {
            assert!(lets(line, Some(Reason::Revoked)) && !lets(line, None), "{line}");
        }
        let told = Filter::<Term>::parse("is:odd owner:jonas from:home").mistakes;
        assert_eq!(told.len(), 3, "{told:?}");
    }
}
