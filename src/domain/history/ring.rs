//! What is counted by the hour or the day, by its number since 1970. Joining two is exact whatever was in which; only
//! [`Ring::bound`] forgets, and what a wrong clock said of times that have not come goes first.

use minicbor::decode::{Decoder, Error as DecodeError};
use minicbor::encode::{Encoder, Error as EncodeError, Write};
use minicbor::{Decode, Encode};

/// What can be joined in any order, and in any groups, with the same result.
pub trait Joins: Copy {
    /// Both together.
    #[must_use]
    fn join(self, other: Self) -> Self;
}

/// Requests of an hour or a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Tally {
    /// That were allowed.
    #[n(0)]
    pub allowed: u64,
    /// That were refused although the secret was right.
    #[n(1)]
    pub denied: u64,
}

impl Tally {
    /// Whether there was none.
    pub const fn is_zero(self) -> bool {
        self.allowed == 0 && self.denied == 0
    }
}

impl Joins for Tally {
    fn join(self, other: Self) -> Self {
        Self {
            allowed: self.allowed.saturating_add(other.allowed),
            denied: self.denied.saturating_add(other.denied),
        }
    }
}

impl Joins for u64 {
    fn join(self, other: Self) -> Self {
        self.saturating_add(other)
    }
}

/// Days of a block of [`Bits::DAYS`], each a bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Bits(#[n(0)] pub u64);

impl Bits {
    /// Days in one block.
    pub const DAYS: i64 = 64;

    /// The block of a day, and its bit in it.
    pub fn of(day: i64) -> (i64, Self) {
        (day.div_euclid(Self::DAYS), Self(1 << day.rem_euclid(Self::DAYS)))
    }
}

impl Joins for Bits {
    fn join(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Slots by number, in order, each once; one that is not there is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring<T>(Vec<(i64, T)>);

impl<T> Default for Ring<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Joins> Ring<T> {
    /// More slots than any ring keeps: one that is read with more is no ring.
    const READ_MAX: usize = 512;

    /// Joins something to what a slot has.
    pub fn add(&mut self, at: i64, what: T) {
        match self.0.binary_search_by_key(&at, |(known, _)| *known) {
            Ok(known) => {
                if let Some((_, slot)) = self.0.get_mut(known) {
                    *slot = slot.join(what);
                }
            }
            Err(place) => self.0.insert(place, (at, what)),
        }
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|(at, what)| self.add(*at, *what));
    }

    /// What a slot has.
    pub fn get(&self, at: i64) -> Option<T> {
        self.0
            .binary_search_by_key(&at, |(known, _)| *known)
            .ok()
            .and_then(|at| self.0.get(at))
            .map(|(_, w)| *w)
    }

    /// All slots that have something, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (i64, T)> + '_ {
        self.0.iter().copied()
    }

    /// Forgets down to so many slots: those ahead of `now` first, the farthest before the others, then the oldest.
    pub fn bound(&mut self, keep: usize, now: i64) {
        while self.0.len() > keep {
            if self.0.last().is_some_and(|(newest, _)| *newest > now) {
                self.0.pop();
            } else {
                self.0.remove(0);
            }
        }
    }

    /// The oldest slot of one that has forgotten down to `keep`, and so may have forgotten what was before.
    pub fn begins(&self, keep: usize) -> Option<i64> {
        self.0.first().filter(|_| self.0.len() >= keep).map(|(at, _)| *at)
    }
}

impl<C, T: Encode<C>> Encode<C> for Ring<T> {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), EncodeError<W::Error>> {
        self.0.encode(e, ctx)
    }
}

impl<'b, C, T: Joins + Decode<'b, C>> Decode<'b, C> for Ring<T> {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, DecodeError> {
        let at = d.position();
        let slots: Vec<(i64, T)> = Decode::decode(d, ctx)?;
        if slots.len() > Self::READ_MAX {
            return Err(DecodeError::message("too many slots").at(at));
        }
        let mut ring = Self::default();
        for (at, what) in slots {
            ring.add(at, what);
        }
        Ok(ring)
    }
}
