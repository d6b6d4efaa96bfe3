//! Why somebody revoked a key: the trail keeps it, and so does the record, for whoever reviews what leaks and what is left
//! over. Nobody is held up by it: who says nothing has said enough.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};

use super::Note;

/// What kind of reason it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Why {
    /// None of the others, or none that was said.
    #[default]
    #[n(0)]
    Other,
    /// Somebody has its secret who should not.
    #[n(1)]
    Leaked,
    /// Nobody uses it.
    #[n(2)]
    Unused,
    /// Another took its place.
    #[n(3)]
    Replaced,
    /// Whoever had it is gone.
    #[n(4)]
    OwnerLeft,
    /// It was deleted, and only its record is back. Nobody says that: restoring does.
    #[n(5)]
    Restored,
}

/// A text is no kind of reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reason is leaked, unused, replaced, owner-left or other")]
pub struct BadWhy;

impl Why {
    /// All that somebody can say, the one that needs no thought first.
    pub const ALL: [Self; 5] = [Self::Other, Self::Leaked, Self::Unused, Self::Replaced, Self::OwnerLeft];

    /// Its word in the trail, in JSON and on the command line.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Leaked => "leaked",
            Self::Unused => "unused",
            Self::Replaced => "replaced",
            Self::OwnerLeft => "owner-left",
            Self::Restored => "restored",
        }
    }

    /// The same for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::OwnerLeft => "owner left",
            Self::Other | Self::Leaked | Self::Unused | Self::Replaced | Self::Restored => self.code(),
        }
    }
}

impl FromStr for Why {
    type Err = BadWhy;

    fn from_str(text: &str) -> Result<Self, BadWhy> {
        Self::ALL.into_iter().find(|why| why.code() == text).ok_or(BadWhy)
    }
}

/// Why a key was revoked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Motive {
    /// In one word.
    #[n(0)]
    pub why: Why,
    /// In somebody's own words.
    #[n(1)]
    pub because: Note,
}

impl Motive {
    /// What the trail calls the word.
    pub const REASON: &'static str = "reason";
    /// What it calls the words.
    pub const BECAUSE: &'static str = "because";

    /// What rotation says of the halves it ends.
    pub fn replaced() -> Self {
        Self { why: Why::Replaced, because: Note::default() }
    }

    /// What restoring says of a key of which nothing was said before.
    pub fn restored() -> Self {
        Self { why: Why::Restored, because: Note::default() }
    }

    /// What a key keeps of it: most are revoked without a word, and take no room for it.
    pub fn kept(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

impl fmt::Display for Motive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.why, self.because.as_str()) {
            (why, "") => f.write_str(why.words()),
            (Why::Other, because) => f.write_str(because),
            (why, because) => write!(f, "{}: {because}", why.words()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_as_it_is_written_and_nothing_said_takes_no_room() {
        for why in Why::ALL {
            assert_eq!(why.code().parse(), Ok(why));
        }
        assert!(!Why::ALL.contains(&Why::Restored), "nobody revokes a key for that");
        assert!("Leaked".parse::<Why>().is_err() && "".parse::<Why>().is_err());
        assert_eq!(Motive::default().kept(), None);
        let because = Note::new("it was in a screenshot").unwrap();
        let said = |why| Motive { why, because: because.clone() }.to_string();
        assert_eq!(said(Why::Leaked), "leaked: it was in a screenshot");
        assert_eq!(said(Why::Other), "it was in a screenshot");
        assert_eq!(Motive::replaced().kept().unwrap().to_string(), "replaced");
    }
}
