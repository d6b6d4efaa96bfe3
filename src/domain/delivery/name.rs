//! What a channel is called, in the configuration and in the store.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// The name of a channel: 1 to 16 small letters, digits and hyphens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelName([u8; Self::MAX]);

/// The text is no name of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a channel's name is 1 to 16 small letters, digits and hyphens")]
pub struct BadChannelName;

impl ChannelName {
    const MAX: usize = 16;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        // ASCII and zeros, checked when the value was made.
        std::str::from_utf8(&self.0).unwrap_or_default().trim_end_matches('\0')
    }
}

impl FromStr for ChannelName {
    type Err = BadChannelName;

    fn from_str(text: &str) -> Result<Self, BadChannelName> {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let mut name = [0; Self::MAX];
        match name.get_mut(..text.len()) {
            Some(room) if !text.is_empty() && text.bytes().all(fits) => room.copy_from_slice(text.as_bytes()),
            _ => return Err(BadChannelName),
        }
        Ok(Self(name))
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<C> Encode<C> for ChannelName {
    fn encode<W: encode::Write>(
        &self,
        to: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        to.str(self.as_str())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for ChannelName {
    fn decode(from: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        from.str()?.parse().map_err(|_| decode::Error::message("not the name of a channel"))
    }
}
