//! A channel that posts messages to a server, signed as Standard Webhooks 1.0.0 has it. Over TLS, or to this machine itself; no
//! redirect is followed, and no more is read of an answer than is kept. Accepted is what is answered with 2xx.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fluent_uri::Uri;
use rustls::crypto::ring;
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use zeroize::Zeroizing;

use super::quit::on_its_own;
use super::{Letter, Quit, Unsent};
use crate::crypto::webhook::WebhookSecret;
use crate::files;

/// What is read of an answer.
const ANSWER: u64 = 4 * 1024;
/// Far more than a secret needs.
const SECRET_MAX: usize = 1024;
/// More than a bundle of certificates needs.
const CERTIFICATES_MAX: usize = 4 * 1024 * 1024;

/// A server that takes messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Where it is.
    pub url: WebhookUrl,
    /// The file with the secret, which nobody else may read.
    pub secret: PathBuf,
    /// The file with the certificates that vouch for it; those of the system when there is none.
    pub authorities: Option<PathBuf>,
    /// How long it may take.
    pub limit: Duration,
}

/// An address that messages are posted to: https, or http to a loopback address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookUrl(String);

impl WebhookUrl {
    /// Takes the address, or says what it must be.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const MUST: &str =
            "an address such as https://hooks.example.com/keys; http:// only to 127.0.0.1 or [::1]";
        let url = Uri::parse(text).map_err(|_| MUST)?;
        let authority = url.authority().filter(|authority| !authority.host().is_empty()).ok_or(MUST)?;
        if authority.userinfo().is_some() || url.fragment().is_some() {
            return Err("an address without a name, a password or a fragment");
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let is_here = host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        match url.scheme().as_str() {
            "https" => Ok(Self(text.to_owned())),
            "http" if is_here => Ok(Self(text.to_owned())),
            _ => Err(MUST),
        }
    }
}

impl Webhook {
    /// Posts a message.
    ///
    /// # Errors
    /// When it is not accepted.
    pub(super) fn take(&self, letter: &Letter, quit: &Quit) -> Result<(), Unsent> {
        let (hook, letter) = (self.clone(), letter.clone());
        let answered =
            on_its_own(move || hook.post(&letter)).map_err(|why| Unsent::Failed(why.to_string()))?;
        // The client keeps to the limit itself; what is added is for a resolver that does not.
        let answer = quit.wait(&answered, self.limit + Duration::from_secs(5));
        answer.unwrap_or_else(|| {
            Err(if quit.is_said() { Unsent::BrokenOff } else { Unsent::Failed("it did not answer".into()) })
        })
    }

    fn post(&self, letter: &Letter) -> Result<(), Unsent> {
        let secret = self.secret().map_err(|error| unread("secret", &self.secret, &error))?;
        let agent = self.agent().map_err(|error| {
            unread("certificates", self.authorities.as_deref().unwrap_or(Path::new("the system's")), &error)
        })?;
        let seconds = letter.at.0.div_euclid(1_000);
        let sent = agent
            .post(&self.url.0)
            .header("webhook-id", &letter.id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", secret.sign(&letter.id, seconds, letter.body.as_bytes()))
            .header("content-type", "application/json")
            .send(&letter.body);
        // An address can be a secret by itself.
        let blank = |error: ureq::Error| error.to_string().replace(&self.url.0, "the address");
        let mut answer = sent.map_err(|error| Unsent::Failed(blank(error)))?;
        let status = answer.status().as_u16();
        match status {
            200..300 => Ok(()),
            410 => Err(Unsent::Gone("it answered 410: gone for good".into())),
            300..400 => Err(Unsent::Failed(format!("it answered {status}: no redirect is followed"))),
            _ => {
                let mut said = Vec::new();
                let body = answer.body_mut().as_reader().take(ANSWER).read_to_end(&mut said);
                let said = body.map(|_| String::from_utf8_lossy(&said).into_owned()).unwrap_or_default();
                Err(Unsent::Failed(format!("it answered {status}: {}", said.trim())))
            }
        }
    }

    fn agent(&self) -> io::Result<Agent> {
        let certificates = self.certificates()?;
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .root_certs(RootCerts::Specific(Arc::new(certificates)))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_global(Some(self.limit))
            .user_agent(concat!("keydeck/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(config.into())
    }

    fn certificates(&self) -> io::Result<Vec<Certificate<'static>>> {
        let Some(path) = &self.authorities else {
            let found = rustls_native_certs::load_native_certs();
            // Those that can be read are enough where some cannot.
            return Ok(found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect());
        };
        files::must_be_ours(path)?;
        let text = files::read(path, CERTIFICATES_MAX)?;
        let items = parse_pem(&text).map(|item| item.map_err(io::Error::other));
        items
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
                Ok(_) => None,
                Err(error) => Some(Err(error)),
            })
            .collect()
    }

    fn secret(&self) -> io::Result<WebhookSecret> {
        files::must_be_ours(&self.secret)?;
        let file = files::open(&self.secret)?;
        must_be_closed(&file)?;
        let text = Zeroizing::new(files::text_of(file, SECRET_MAX)?);
        WebhookSecret::parse(&text).map_err(io::Error::other)
    }
}

fn must_be_closed(file: &File) -> io::Result<()> {
    if file.metadata()?.mode() & 0o077 != 0 {
        let why = "others may read it; close it with `chmod 600`";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    Ok(())
}

fn unread(what: &str, path: &Path, error: &io::Error) -> Unsent {
    Unsent::Failed(format!("the {what} in {} cannot be used: {error}", path.display()))
}

#[cfg(test)]
mod tests;
