//! Contacts of a key: who is told of it besides its owner. A text each, such as a mail address; what it means is known to
//! whoever delivers.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use super::name::{BadText, clean, fold};

/// One contact: 1 to 100 characters without blanks and commas, none of them invisible, the first one no hyphen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contact(Arc<str>);

/// Those of one key, in the order in which they were named, each once.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Contacts(Vec<Contact>);

/// Why texts are no contacts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadContact {
    /// The text itself.
    #[error("{0}")]
    Text(#[from] BadText),
    /// Two words.
    #[error("a contact is one word: a mail address, a URL, a telephone number, a channel")]
    Blank,
    /// It would be an option of whatever program is handed it.
    #[error("a contact does not begin with a hyphen")]
    Hyphen,
    /// More than there may be.
    #[error("a key has at most {limit} contacts")]
    TooMany {
        /// How many there may be.
        limit: usize,
    },
}

impl Contact {
    /// The longest contact, in characters.
    const MAX: usize = 100;

    /// The contact as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Contact {
    type Err = BadContact;

    fn from_str(text: &str) -> Result<Self, BadContact> {
        let clean = clean(text, Self::MAX)?;
        if clean.is_empty() || clean.contains([' ', ',']) {
            return Err(BadContact::Blank);
        }
        if clean.starts_with('-') {
            return Err(BadContact::Hyphen);
        }
        Ok(Self(clean.into()))
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<C> Encode<C> for Contact {
    fn encode<W: encode::Write>(
        &self,
        to: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        to.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Contact {
    fn decode(from: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        from.str()?.parse().map_err(|_| decode::Error::message("not a contact"))
    }
}

impl<C> Encode<C> for Contacts {
    fn encode<W: encode::Write>(
        &self,
        to: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.0.encode(to, ctx)
    }
}

impl<'b, C> Decode<'b, C> for Contacts {
    fn decode(from: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        let all: Vec<Contact> = from.decode_with(ctx)?;
        Self::of(all.iter().map(Contact::as_str))
            .map_err(|_| decode::Error::message("not the contacts of a key"))
    }
}

impl Contacts {
    /// How many a key has at most.
    pub const MAX: usize = 5;
    /// The word of the trail for them.
    pub const FIELD: &'static str = "contacts";

    /// Of these texts; one that is named twice counts once.
    ///
    /// # Errors
    /// When one of them is no contact, or they are too many.
    pub fn of<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<Self, BadContact> {
        let mut all: Vec<Contact> = Vec::new();
        for text in texts {
            let contact: Contact = text.as_ref().parse()?;
            if !all.iter().any(|known| fold(known.as_str()) == fold(contact.as_str())) {
                all.push(contact);
            }
        }
        if all.len() > Self::MAX {
            return Err(BadContact::TooMany { limit: Self::MAX });
        }
        Ok(Self(all))
    }

    /// Those named in one text, with blanks or commas between them.
    ///
    /// # Errors
    /// As [`Contacts::of`].
    pub fn read(text: &str) -> Result<Self, BadContact> {
        Self::of(text.split([',', ' ']).filter(|word| !word.is_empty()))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Contact> {
        self.0.iter()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a key keeps of them: most have none, and take no room for it.
    pub fn kept(self) -> Option<Box<Self>> {
        (!self.is_empty()).then(|| Box::new(self))
    }
}

impl fmt::Display for Contacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<&str> = self.iter().map(Contact::as_str).collect();
        f.pad(&all.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_one_visible_word_that_no_program_takes_for_an_option() {
        let contacts = Contacts::of(["ops@acme.example", " #oncall ", "Ops@acme.example", "ツ"]).unwrap();
        assert_eq!(contacts.to_string(), "ops@acme.example, #oncall, ツ");
        let long = "x".repeat(101);
        for text in ["", " ", "a b", "a,b", "-rf", " -x", "a\nb", "a\u{200b}b", "a\u{202e}b", long.as_str()] {
            assert!(Contacts::of([text]).is_err(), "{text:?}");
        }
        let many = ["a", "b", "c", "d", "e", "f"];
        assert_eq!(Contacts::of(many), Err(BadContact::TooMany { limit: 5 }));
        assert!(Contacts::of(many.iter().take(5)).unwrap().kept().is_some());
        assert_eq!(Contacts::default().kept(), None);
        // As a person types them into one line, and as that line shows them.
        assert_eq!(
            Contacts::read(" a@x.example,b@x.example  c, "),
            Contacts::of(["a@x.example", "b@x.example", "c"])
        );
        assert_eq!(Contacts::read(&contacts.to_string()), Ok(contacts));
    }
}
