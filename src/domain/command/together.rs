//! Commands that stand together: of one kind, each about another key, each judged as if it came alone. They are written in one
//! commit with one entry of the trail, so that ten thousand keys do not cost ten thousand times the disk.

use std::collections::HashSet;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use super::{Command, CommandKind, Stands};

/// See the module. There is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Together {
    kind: CommandKind,
    all: Vec<Command>,
}

/// The number of [`Command::Each`] where it is written.
const EACH: u32 = 130;

impl Together {
    /// How many there are at most: what they write must fit a commit or two.
    pub const MOST: usize = 64;

    /// `None` where there are none or too many, where two are about one key, or where they do not stand together.
    pub fn of(all: Vec<Command>) -> Option<Self> {
        let kind = all.first()?.kind();
        let mut keys = HashSet::with_capacity(all.len());
        let fits =
            |command: &Command| command.kind() == kind && command.key().is_some_and(|key| keys.insert(key));
        let stand = kind.spec().stands == Stands::Together && all.len() <= Self::MOST;
        (stand && all.iter().all(fits)).then_some(Self { kind, all })
    }

    /// What each of them is.
    pub const fn kind(&self) -> CommandKind {
        self.kind
    }

    /// All of them.
    pub fn commands(&self) -> &[Command] {
        &self.all
    }
}

impl<C> Encode<C> for Together {
    fn encode<W: encode::Write>(
        &self,
        to: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        to.array(self.all.len() as u64)?;
        self.all.iter().try_for_each(|command| command.encode(to, ctx))
    }
}

/// What does not stand together cannot be read. Nor can any of them hold others, before it is looked into: what is sent by
/// somebody else must not lead down as deep as they like.
impl<'b, C> Decode<'b, C> for Together {
    fn decode(from: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        let count = from.array()?.and_then(|count| usize::try_from(count).ok());
        let count = count.filter(|count| *count <= Self::MOST);
        let count = count.ok_or_else(|| decode::Error::message("too many commands at once"))?;
        let mut all = Vec::with_capacity(count);
        for _ in 0..count {
            let mut ahead = from.probe();
            ahead.array()?;
            if ahead.u32()? == EACH {
                return Err(decode::Error::message("many within many"));
            }
            all.push(from.decode_with(ctx)?);
        }
        Self::of(all).ok_or_else(|| decode::Error::message("commands that do not stand together"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{KeyId, Motive, PublicId};

    fn read(bytes: &[u8]) -> Result<Command, decode::Error> {
        Decoder::new(bytes).decode()
    }

    fn key(last: u8) -> KeyId {
        let mut bytes = *b"111111111111";
        bytes[11] = last;
        KeyId(PublicId::from_bytes(bytes).unwrap())
    }

    #[test]
    fn only_what_is_of_one_kind_and_about_different_keys_stands_together() {
        let (a, b) = (key(b'a'), key(b'b'));
        assert!(Together::of(vec![Command::revoke(a), Command::RevokeKey(b, Motive::replaced())]).is_some());
        for not in [
            vec![],
            vec![Command::revoke(a), Command::revoke(a)],
            vec![Command::revoke(a), Command::DeleteKey(b)],
            vec![Command::RepeatRotation(a), Command::RepeatRotation(b)],
            vec![Command::CancelRotation(a)],
            vec![Command::EndSession],
            vec![Command::Each(Together::of(vec![Command::revoke(a)]).unwrap())],
        ] {
            assert!(Together::of(not.clone()).is_none(), "{not:?}");
        }
        let many = |count: usize| {
            let ids = (0..count).map(|n| {
                let digit = |n: usize| crate::domain::id::BASE58[n % 58];
                let mut bytes = *b"111111111111";
                (bytes[10], bytes[11]) = (digit(n / 58), digit(n));
                Command::revoke(KeyId(PublicId::from_bytes(bytes).unwrap()))
            });
            Together::of(ids.collect())
        };
        assert!(many(Together::MOST).is_some() && many(Together::MOST + 1).is_none());
    }

    #[test]
    fn what_is_read_is_what_was_written_and_nothing_that_does_not_stand_together() {
        let each = Command::Each(Together::of(vec![Command::KeepKey(key(b'a'))]).unwrap());
        let bytes = minicbor::to_vec(&each).unwrap();
        assert_eq!(read(&bytes).unwrap(), each);
        let forged = |within: &[u8]| {
            // [130, [[within]]]
            let mut bytes = vec![0x82, 0x18, 130, 0x81, 0x81];
            bytes.extend_from_slice(within);
            read(&bytes)
        };
        assert_eq!(forged(&minicbor::to_vec(Command::KeepKey(key(b'a'))).unwrap()).unwrap(), each);
        for within in [Command::RepeatRotation(key(b'a')), Command::EndSession, each.clone()] {
            assert!(forged(&minicbor::to_vec(&within).unwrap()).is_err(), "{within:?}");
        }
        // Ten thousand levels deep, and refused at the second.
        let deep = [0x82, 0x18, 130, 0x81, 0x81].repeat(10_000);
        assert!(read(&deep).is_err());
    }
}
