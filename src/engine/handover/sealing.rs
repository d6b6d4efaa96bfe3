//! Public keys that a secret is sealed to: those of age, and of SSH. What comes of it is text that `age --decrypt` reads with the
//! key that belongs to it.

use std::io;
#[cfg(feature = "age")]
use std::io::Write as _;
#[cfg(feature = "age")]
use std::path::Path;

use super::Unfit;
#[cfg(feature = "age")]
use super::note;
use crate::domain::Note;
#[cfg(feature = "age")]
use crate::files;

/// No file of public keys is near as long.
#[cfg(feature = "age")]
const FILE_MAX: usize = 64 * 1024;

/// Whom a secret is sealed to: one at least.
#[cfg(feature = "age")]
pub struct Recipients {
    keys: Vec<Box<dyn age::Recipient + Send>>,
    /// The first of them, as people know it.
    first: String,
    /// How many there are besides.
    others: usize,
}

/// Whom a secret is sealed to: nobody, in a build without age.
#[cfg(not(feature = "age"))]
pub enum Recipients {}

#[cfg(not(feature = "age"))]
impl Recipients {
    /// None are known here.
    pub fn read(texts: &[String]) -> Result<Option<Self>, Unfit> {
        if texts.is_empty() {
            return Ok(None);
        }
        Err(Unfit::NotBuilt)
    }

    pub fn seal(&self, _: &str) -> io::Result<String> {
        match *self {}
    }

    pub fn called(&self) -> Note {
        match *self {}
    }
}

#[cfg(feature = "age")]
impl Recipients {
    /// Reads public keys, or files of them with one a line; `None` where none is named.
    pub fn read(texts: &[String]) -> Result<Option<Self>, Unfit> {
        let mut lines: Vec<String> = Vec::new();
        for text in texts {
            if looks_like_a_key(text) {
                lines.push(text.clone());
                continue;
            }
            let path = Path::new(text);
            let unread = |e: io::Error| {
                Unfit::Words(format!(
                    "{text} is no public key that starts with age1, ssh-ed25519 or ssh-rsa, and as a file it cannot be read: \
                     {e}."
                ))
            };
            let file = files::open_given(path).map_err(unread)?;
            let all = files::text_of(file, FILE_MAX).map_err(unread)?;
            let kept = all.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            let before = lines.len();
            lines.extend(kept.map(str::to_owned));
            if lines.len() == before {
                return Err(Unfit::Words(format!("The file {text} has no public key in it.")));
            }
        }
        let keys = lines.iter().map(|line| key(line)).collect::<Result<Vec<_>, _>>()?;
        Ok(lines.first().map(|first| Self { keys, first: called(first), others: lines.len() - 1 }))
    }

    /// Seals a secret: armoured text.
    pub fn seal(&self, secret: &str) -> io::Result<String> {
        let each = self.keys.iter().map(|key| &**key as &dyn age::Recipient);
        let sealer = age::Encryptor::with_recipients(each).map_err(io::Error::other)?;
        let mut text = Vec::new();
        let armour = age::armor::ArmoredWriter::wrap_output(&mut text, age::armor::Format::AsciiArmor)?;
        let mut inside = sealer.wrap_output(armour)?;
        inside.write_all(secret.as_bytes())?;
        inside.write_all(b"\n")?;
        inside.finish()?.finish()?;
        String::from_utf8(text).map_err(io::Error::other)
    }

    /// Who they are, for the record.
    pub fn called(&self) -> Note {
        match self.others {
            0 => note(&self.first),
            n => note(&format!("{} and {n} more", self.first)),
        }
    }
}

#[cfg(feature = "age")]
fn looks_like_a_key(text: &str) -> bool {
    text.starts_with("age1") || text.starts_with("ssh-")
}

#[cfg(feature = "age")]
fn key(line: &str) -> Result<Box<dyn age::Recipient + Send>, Unfit> {
    let unfit = |why: &str| Unfit::Words(format!("{} is no public key to seal to: {why}.", called(line)));
    if line.starts_with("ssh-") {
        let read = line.parse::<age::ssh::Recipient>();
        return read.map(|key| Box::new(key) as _).map_err(|why| {
            unfit(match why {
                age::ssh::ParseRecipientKeyError::RsaModulusTooSmall => {
                    "it is an RSA key of less than 2048 bits"
                }
                age::ssh::ParseRecipientKeyError::Unsupported(_) => {
                    "only ssh-ed25519 and ssh-rsa can be sealed to"
                }
                _ => "it is not whole, or of another kind",
            })
        });
    }
    if let Ok(key) = line.parse::<age::tagpq::Recipient>() {
        return Ok(Box::new(key));
    }
    if let Ok(key) = line.parse::<age::tag::Recipient>() {
        return Ok(Box::new(key));
    }
    line.parse::<age::x25519::Recipient>().map(|key| Box::new(key) as _).map_err(unfit)
}

/// The comment of an SSH key, or the beginning of what it is.
#[cfg(feature = "age")]
fn called(line: &str) -> String {
    let comment = line.strip_prefix("ssh-").and_then(|rest| rest.splitn(3, ' ').nth(2)).map(str::trim);
    match comment.filter(|comment| !comment.is_empty()) {
        Some(comment) => comment.chars().take(60).collect(),
        None => format!("{}…", line.chars().take(16).collect::<String>()),
    }
}

#[cfg(all(test, feature = "age"))]
#[expect(clippy::unwrap_used, reason = "a test stops where a promise breaks")]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// Reads what was sealed with the key that belongs to it.
    fn opened(sealed: &str, with: &dyn age::Identity) -> String {
        let inside = age::armor::ArmoredReader::new(sealed.as_bytes());
        let mut text = String::new();
        let opener = age::Decryptor::new(inside).unwrap();
        opener.decrypt(std::iter::once(with)).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn each_of_those_a_secret_is_sealed_to_can_open_it() {
        let (one, other) = (age::x25519::Identity::generate(), age::x25519::Identity::generate());
        let keys = [one.to_public().to_string(), other.to_public().to_string()];
        let sealed = Recipients::read(&keys).unwrap().unwrap();
        let text = sealed.seal("kdag_secret").unwrap();
        assert!(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----") && !text.contains("kdag_"));
        for whose in [&one, &other] {
            assert_eq!(opened(&text, whose), "kdag_secret\n");
        }
        assert_eq!(sealed.called().as_str(), format!("{}… and 1 more", &keys[0][..16]));
    }

    #[test]
    fn a_file_of_public_keys_is_read_and_what_is_none_refused() {
        const SSH: &str =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN alice@laptop";
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        std::fs::write(&path, format!("# those who may\n\n{SSH}\n")).unwrap();
        let read = Recipients::read(&[path.display().to_string()]).unwrap().unwrap();
        assert_eq!(read.called().as_str(), "alice@laptop");
        for bad in ["age1notakey", "ssh-dss AAAA", "ssh-ed25519 AAAA", "/nowhere/at/all"] {
            assert!(Recipients::read(&[bad.to_owned()]).is_err(), "{bad}");
        }
        assert!(Recipients::read(&[]).unwrap().is_none());
    }
}
