//! One permission by name, and a set of them.
//!
//! [`ScopeId`] is the name of one permission, `contacts.read`; [`Scopes`] is what a key holds: sorted, unique,
//! bounded. Both say only that the names are well formed; whether a name means anything is for the catalog to
//! say. There are no wildcards and no prefixes: a scope is held or it is not, letter by letter.

mod sets;

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use minicbor::decode::{Decoder, Error as DecodeError};
use minicbor::encode::{Encoder, Error as EncodeError, Write};
use minicbor::{Decode, Encode};

pub use self::sets::{Familiar, Sets};

/// Why a scope name, or a set of them, was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// A name without a letter in it.
    #[error("A scope name is empty. Write one like contacts.read.")]
    EmptyName,
    /// A name longer than [`ScopeId::MAX_BYTES`].
    #[error(
        "The scope name \"{name}…\" has {bytes} bytes; {} is the most. Write one like contacts.read.",
        ScopeId::MAX_BYTES
    )]
    TooLong {
        /// The beginning of the name, safe to show.
        name: String,
        /// How long the whole name is.
        bytes: usize,
    },
    /// A `*`, which other systems read as "everything".
    #[error("\"{name}\" is a wildcard. keydeck has none: name each scope, or start from a preset.")]
    Wildcard {
        /// The name, safe to show.
        name: String,
    },
    /// A name that is not `group.action`.
    #[error(
        "\"{name}\" is not a scope name. One reads group.action: a group and an action with one dot between \
         them, each a lowercase letter followed by lowercase letters, digits, _ or -."
    )]
    Shape {
        /// The name, safe to show.
        name: String,
    },
    /// The same scope twice. Asking for a thing twice is a mistake in the list, and the list is worth reading.
    #[error("The scope {scope} is listed twice. Remove one of them.")]
    Duplicate {
        /// The scope that appears more than once.
        scope: ScopeId,
    },
    /// More than [`Scopes::MAX`] scopes.
    #[error("More than {} scopes on one key. Make several keys, one for each use.", Scopes::MAX)]
    TooMany,
    /// No scope where at least one is needed.
    #[error("No scope is chosen. A key without a scope can do nothing: choose at least one.")]
    NoneChosen,
}

/// The name of one permission: `group.action`, for example `contacts.read`.
///
/// Exactly one dot; each side is a lowercase ASCII letter followed by lowercase ASCII letters, digits, `_` or
/// `-`; at most [`ScopeId::MAX_BYTES`] bytes. Every such name is a scope-token of RFC 6749 §3.3, and two names
/// that look alike cannot differ by case, accent or an invisible character. Cloning shares the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId(Arc<str>);

impl ScopeId {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// The name of the group: what stands before the dot.
    pub fn group(&self) -> &str {
        self.parts().0
    }

    /// What is done with things of the group: what stands after the dot.
    pub fn action(&self) -> &str {
        self.parts().1
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parts(&self) -> (&str, &str) {
        self.0.split_once('.').unwrap_or((&self.0, ""))
    }
}

/// Is this one side of a scope name: a lowercase letter, then lowercase letters, digits, `_` or `-`?
pub(crate) fn is_scope_part(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

/// The beginning of a text from outside, with control, bidirectional and invisible characters spelt out, so
/// that an error message cannot be made to lie.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(ScopeId::MAX_BYTES).flat_map(char::escape_debug).collect()
}

impl FromStr for ScopeId {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        if text.is_empty() {
            return Err(ScopeError::EmptyName);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(ScopeError::TooLong { name: shown(text), bytes: text.len() });
        }
        match text.split_once('.') {
            Some((group, action)) if is_scope_part(group) && is_scope_part(action) => Ok(Self(text.into())),
            _ if text.contains('*') => Err(ScopeError::Wildcard { name: shown(text) }),
            _ => Err(ScopeError::Shape { name: shown(text) }),
        }
    }
}

impl fmt::Display for ScopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ScopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Maps keyed by `ScopeId` can be asked with a `&str`: equality, order and hash are those of the text.
impl Borrow<str> for ScopeId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for ScopeId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<C> Encode<C> for ScopeId {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for ScopeId {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        let at = d.position();
        d.str()?.parse().map_err(|e: ScopeError| DecodeError::message(e).at(at))
    }
}

/// The scopes a key holds, or a request needs: sorted by name, each once, at most [`Scopes::MAX`].
///
/// The default is the empty set; where a set must not be empty, say so with [`Scopes::require_some`]. Cloning
/// shares the list. Shown and parsed as RFC 6749 §3.3 writes it: names separated by one space.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scopes(Arc<[ScopeId]>);

impl Scopes {
    /// The most scopes one set holds.
    pub const MAX: usize = 256;

    /// The set of these scopes, in any order. Refuses a scope listed twice and more than [`Scopes::MAX`]; reads
    /// no further than one past that limit.
    pub fn new(scopes: impl IntoIterator<Item = ScopeId>) -> Result<Self, ScopeError> {
        let mut list: Vec<ScopeId> = scopes.into_iter().take(Self::MAX + 1).collect();
        if list.len() > Self::MAX {
            return Err(ScopeError::TooMany);
        }
        list.sort_unstable();
        for pair in list.windows(2) {
            if let [one, other] = pair
                && one == other
            {
                return Err(ScopeError::Duplicate { scope: one.clone() });
            }
        }
        Ok(Self(list.into()))
    }

    /// The same set, refused when it is empty.
    pub fn require_some(self) -> Result<Self, ScopeError> {
        if self.is_empty() { Err(ScopeError::NoneChosen) } else { Ok(self) }
    }

    /// Is exactly this scope in the set?
    pub fn contains(&self, scope: &ScopeId) -> bool {
        self.contains_name(scope.as_str())
    }

    /// All of them, sorted.
    pub fn as_slice(&self) -> &[ScopeId] {
        &self.0
    }

    /// Is a scope with exactly this name in the set? For a name from a request: anything malformed is not held.
    pub fn contains_name(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// The scope with exactly this name, as this set holds it.
    pub fn get(&self, name: &str) -> Option<&ScopeId> {
        self.0.get(self.position(name)?)
    }

    /// Which place in the set the scope of this name has.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.0.binary_search_by(|held| held.as_str().cmp(name)).ok()
    }

    /// Is everything in this set also in the other? The empty set is in every set.
    pub fn is_subset(&self, of: &Self) -> bool {
        self.len() <= of.len() && self.iter().all(|scope| of.contains(scope))
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self(self.iter().filter(|scope| !other.contains(scope)).cloned().collect())
    }

    /// What is in this set and in the other as well.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.iter().filter(|scope| other.contains(scope)).cloned().collect())
    }

    /// The scopes in order of their names.
    pub fn iter(&self) -> std::slice::Iter<'_, ScopeId> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Scopes {
    type Item = &'a ScopeId;
    type IntoIter = std::slice::Iter<'a, ScopeId>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, scope) in self.iter().enumerate() {
            if nth > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

/// Names separated by single spaces; an empty text is the empty set.
impl FromStr for Scopes {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        // One past the limit is enough to refuse the list; the rest need not be looked at.
        let names: Result<Vec<ScopeId>, _> = text.split(' ').take(Self::MAX + 1).map(str::parse).collect();
        Self::new(names?)
    }
}

impl<C> Encode<C> for Scopes {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), EncodeError<W::Error>> {
        // The length is at most MAX, so the widening cannot lose anything.
        e.array(self.len() as u64)?;
        for scope in self {
            scope.encode(e, ctx)?;
        }
        Ok(())
    }
}

/// One set has one encoding: a list of known length in strictly rising order. Anything else was not written by
/// us and is refused.
impl<'b, C> Decode<'b, C> for Scopes {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, DecodeError> {
        let at = d.position();
        let stated =
            d.array()?.ok_or_else(|| DecodeError::message("a set of scopes without a length").at(at))?;
        let len = usize::try_from(stated)
            .ok()
            .filter(|len| *len <= Self::MAX)
            .ok_or_else(|| DecodeError::message(ScopeError::TooMany).at(at))?;
        let mut list: Vec<ScopeId> = Vec::with_capacity(len);
        for _ in 0..len {
            let at = d.position();
            let scope = ScopeId::decode(d, ctx)?;
            if list.last().is_some_and(|last| *last >= scope) {
                return Err(DecodeError::message("a set of scopes out of order").at(at));
            }
            list.push(scope);
        }
        Ok(Self(list.into()))
    }
}

#[cfg(test)]
mod tests;
