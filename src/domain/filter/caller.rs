//! Where a caller is, as somebody asks for it: one address, the beginning of one, or a network such as `203.0.113.0/24`.

use std::fmt;
// Of core, where addresses are mere numbers: std::net is forbidden here for its sockets.
use core::net::IpAddr;

use crate::domain::trace::Address;

/// The addresses that are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whence {
    /// This one.
    Here(Address),
    /// All that are written so at their beginning.
    Begins(String),
    /// All whose first bits are those of this one.
    Within(Address, u8),
}

impl Whence {
    /// What has to be written, for who wrote something else.
    pub const FORM: &'static str =
        "an address, its beginning or a network, such as 10.2.0.7, 10.2. or 203.0.113.0/24";

    /// Reads what was written, in lower case.
    pub fn read(text: &str) -> Option<Self> {
        if let Some((address, bits)) = text.split_once('/') {
            let address = Address::from(address.parse::<IpAddr>().ok()?);
            let bits = bits.parse().ok().filter(|bits| *bits <= width(address))?;
            return Some(Self::Within(address, bits));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Self::Here(address.into()));
        }
        let written = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'.' || byte == b':');
        (written && !text.is_empty()).then(|| Self::Begins(text.to_owned()))
    }

    /// Whether an address is among them.
    pub fn holds(&self, address: Address) -> bool {
        match self {
            Self::Here(wanted) => *wanted == address,
            Self::Begins(wanted) => address.to_string().starts_with(wanted.as_str()),
            Self::Within(net, bits) => {
                let (wide, least) = (width(*net), width(*net).saturating_sub(*bits));
                let head = |address: Address| number(address).checked_shr(least.into()).unwrap_or(0);
                wide == width(address) && head(*net) == head(address)
            }
        }
    }
}

impl fmt::Display for Whence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(address) => address.fmt(f),
            Self::Begins(text) => f.write_str(text),
            Self::Within(address, bits) => write!(f, "{address}/{bits}"),
        }
    }
}

const fn width(address: Address) -> u8 {
    match address.ip() {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn number(address: Address) -> u128 {
    match address.ip() {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_begins_so_or_lies_in_a_network() {
        let address = |text: &str| Address::from(text.parse::<IpAddr>().unwrap());
        for (asked, inside, outside) in [
            ("10.2.0.7", "10.2.0.7", "10.2.0.70"),
            ("10.2.", "10.2.0.7", "10.20.0.7"),
            ("203.0.113.0/24", "203.0.113.255", "203.0.112.255"),
            ("203.0.113.77/24", "203.0.113.1", "203.0.114.1"),
            ("10.0.0.0/9", "10.127.1.1", "10.128.1.1"),
            ("10.2.0.7/32", "10.2.0.7", "10.2.0.6"),
            ("0.0.0.0/0", "255.1.2.3", "::1"),
            ("2001:db8::/32", "2001:db8:9::1", "2001:db9::1"),
            ("::/0", "2001:db8::1", "10.2.0.7"),
            ("::ffff:10.2.0.7", "10.2.0.7", "10.2.0.8"),
        ] {
            let whence = Whence::read(asked).unwrap();
            assert!(whence.holds(address(inside)), "{asked} {inside}");
            assert!(!whence.holds(address(outside)), "{asked} {outside}");
            assert_eq!(Whence::read(&whence.to_string()), Some(whence), "{asked}");
        }
        for asked in ["", "home", "10.2.0.0/33", "10.2./16", "10.2.0.0/", "::/129", "/8"] {
            assert_eq!(Whence::read(asked), None, "{asked}");
        }
    }
}
