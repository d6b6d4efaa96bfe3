//! What is not typed beside a store that is there: the founding of one, and what programs ask of a server over HTTP.
//! Each row does its deed under a harm and says what was told, or what is wrong afterwards.

use std::net::SocketAddr;
use std::time::Instant;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use keydeck::domain::lifecycle::Pass;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{Timestamp, TokenAlg};
use keydeck::engine::clock::{Clock as _, SystemClock, TestClock};
use serde_json::Value;

use super::case::{Case, Told, Way, cases, stood};
use super::house::{House, Look, opens_with_its_code};
use super::walk::{takes_changes_again, told};
use crate::steps::tracer::{Harm, Kill, Trail};
use crate::steps::ways::{beside_a_server, by_itself};
use crate::support::desk::{Desk, PASSPHRASE};
use crate::support::http::{Heard, ask, send};
use crate::support::wait::PATIENCE;

/// What a program did, and what was told or is wrong; `None` where nothing can be traced.
type Ended = Option<(Trail, Result<Told, String>)>;

/// A deed with all that must hold after it.
pub struct Row {
    pub name: &'static str,
    /// Whether the clock of the machine is another.
    pub sets_the_clock: bool,
    ways: &'static [Way],
    does: fn(&House, Harm<'_>, Way) -> Ended,
}

const SERVED: &[Way] = &[Way::Served, Way::ServedOn];

pub const ROWS: [Row; 3] = [
    Row { name: "init", sets_the_clock: false, ways: &[Way::Alone], does: found },
    Row { name: "POST /oauth/revoke", sets_the_clock: false, ways: SERVED, does: end_a_token },
    Row { name: "POST /oauth/token", sets_the_clock: true, ways: SERVED, does: replace_the_signing_key },
];

/// When a key that signs is due to be replaced.
const LATER_MS: i64 = 40 * DAY_MS;
const MINUTE_MS: i64 = 60_000;

impl Row {
    /// Every fault there is; `None` where nothing can be traced.
    pub fn cases(&self, house: &House) -> Option<Vec<Case>> {
        let mut all = Vec::new();
        for way in self.ways {
            let (trail, told) = (self.does)(house, Harm::Death(&Kill::Never), *way)?;
            assert_eq!(told, Ok(Told::Done), "{}", self.name);
            all.extend(cases(*way, &trail.steps, 0));
        }
        Some(all)
    }

    /// What was told, if the fault was met.
    pub fn suffer_once(&self, house: &House, case: &Case) -> Result<Option<Told>, String> {
        let done = (self.does)(house, Harm::Fault(&case.fault), case.way);
        let (trail, told) = done.ok_or("it cannot be traced")?;
        let told = told?;
        stood(&trail, case.way)?;
        Ok(trail.met.then_some(told))
    }
}

/// A store that is founded opens with the passphrase, and with the recovery code that was handed over; one that is not
/// can be founded.
fn found(_: &House, harm: Harm<'_>, _: Way) -> Ended {
    let desk = Desk::new();
    desk.file("maria.pass", PASSPHRASE);
    let words =
        ["init", "--agency", "Acme", "--operator", "maria", "--passphrase-file", "maria.pass", "--json"];
    let (trail, said) = by_itself(&desk, &desk.command(&words), harm)?;
    let after = || {
        let told = told(&said)?;
        match Look::by_passphrase(&desk) {
            Ok(look) => {
                look.is_whole()?;
                look.takes_a_change()?;
            }
            Err(error) if told == Told::Done => return Err(error),
            Err(_) => {}
        }
        if told == Told::Done {
            return opens_with_its_code(&desk, "maria", &said.json()).map(|()| told);
        }
        let again = desk.run(&words, "");
        match (again.code, Look::by_passphrase(&desk).map(drop)) {
            (0, Ok(())) => opens_with_its_code(&desk, "maria", &again.json())?,
            // It is there, and its code was handed over before.
            (1, Ok(())) if again.err.contains("store_exists") => {
                opens_with_its_code(&desk, "maria", &said.json())?;
            }
            _ => return Err(format!("neither founded nor to be founded: {again:?}")),
        }
        Ok(told)
    };
    let told = after().map_err(|wrong| format!("{wrong}; {said:?}"));
    Some((trail, told))
}

/// A token that was said to be ended never opens anything again.
fn end_a_token(house: &House, harm: Harm<'_>, way: Way) -> Ended {
    let desk = house.copy();
    let web = house.web();
    let token = Look::at(&desk).unwrap().grants(web).unwrap();
    let (trail, told) = beside_a_server(&desk, harm, |disk, server| {
        let ends = || {
            let heard = posts(server, "/oauth/revoke", &format!("token={token}&{}", web.form()));
            match (heard.status, lets_in(server, &token)) {
                (200, false) => Ok(Told::Done),
                (503, false) => Ok(Told::InForce),
                (_, let_in) => Err(format!("let in: {let_in}; {heard:?}")),
            }
        };
        let told = ends()?;
        if way == Way::ServedOn {
            disk.heal();
            takes_changes_again(&desk)?;
            until("a token can be ended", || Ok(ends()? == Told::Done))?;
        }
        Ok(told)
    })?;
    let after = |told: Told| {
        let look = Look::at(&desk)?;
        look.is_whole()?;
        let trail = happened(&look, house);
        let ended = trail == ["token.revoke"];
        let sure = told == Told::Done || way == Way::ServedOn;
        let allowed = ended || !sure && trail.is_empty();
        let answer = look.answer(&token);
        if !allowed || answer != if ended { "deny revoked" } else { "allow" } {
            return Err(format!("{trail:?} and {answer:?} is not what was said"));
        }
        look.takes_a_change()?;
        look.ends(web, &token)?;
        let answer = look.answer(&token);
        if answer == "deny revoked" { Ok(told) } else { Err(format!("it cannot be ended: {answer}")) }
    };
    let told = told.and_then(|told| after(told).map_err(|wrong| format!("{told:?}: {wrong}")));
    Some((trail, told))
}

/// What was signed is signed by a key that was announced, and stays good; the next key is announced and signs in its time.
fn replace_the_signing_key(house: &House, harm: Harm<'_>, way: Way) -> Ended {
    let desk = house.copy();
    desk.file("clock", format!("{LATER_MS} later"));
    let web = house.web();
    let (trail, heard) = beside_a_server(&desk, harm, |disk, server| {
        let mut tokens = Vec::new();
        // How many keys of each algorithm are announced then, if it gives one.
        let mut fetches = || {
            let heard =
                posts(server, "/oauth/token", &format!("grant_type=client_credentials&{}", web.form()));
            if heard.status == 503 {
                return Ok(None);
            }
            let said: Value = serde_json::from_str(&heard.body).unwrap_or_default();
            let token = said["access_token"].as_str().ok_or_else(|| format!("{heard:?}"))?.to_owned();
            let keys = announced(server);
            is_announced(&token, &keys)?;
            if !lets_in(server, &token) {
                return Err("it was given and lets nobody in".to_owned());
            }
            tokens.push(token);
            Ok(Some(keys.len() / TokenAlg::ALL.len()))
        };
        let told = match fetches()? {
            Some(2..) => Told::Done,
            // By the old one.
            Some(_) => Told::Unknown,
            None => Told::Refused,
        };
        if way == Way::ServedOn {
            disk.heal();
            takes_changes_again(&desk)?;
            until("the next key is made", || Ok(fetches()? == Some(2)))?;
        }
        Ok((told, tokens, announced(server)))
    })?;
    let after = |told, tokens: &[String], keys: &[Value]| {
        // Another boot, in which this clock is believed.
        let clock = TestClock::at(Timestamp(SystemClock.read().wall.0 + LATER_MS + MINUTE_MS));
        let look = Look::as_of(&desk, &clock)?;
        look.is_whole()?;
        let mut trail = happened(&look, house);
        // By then much is due: a slow server gets to a sweep of its own.
        trail.retain(|event| Pass::ALL.iter().all(|pass| pass.command().name() != event));
        let replaced = trail == ["signing.rotate"];
        let sure = told == Told::Done || way == Way::ServedOn;
        if !replaced && (sure || !trail.is_empty()) {
            return Err(format!("{trail:?} is not what was said"));
        }
        let known = look.announced();
        if let Some(lost) = keys.iter().find(|key| !known.contains(key)) {
            return Err(format!("announced and not known any more: {lost}"));
        }
        if let Some(answer) = tokens.iter().map(|token| look.answer(token)).find(|answer| answer != "allow") {
            return Err(format!("given, and answered {answer} after a restart"));
        }
        let next = look.grants(web)?;
        is_announced(&next, &look.announced())?;
        look.takes_a_change()?;
        drop(look);
        clock.pass(120 * MINUTE_MS);
        let look = Look::as_of(&desk, &clock)?;
        let last = look.grants(web)?;
        is_announced(&last, &look.announced())?;
        let answer = look.answer(&last);
        // Either it was replaced before, or by the token a minute after the restart.
        if answer == "allow" && key_of(&last) != key_of(&next) {
            Ok(told)
        } else {
            Err(format!("the next key does not sign: {answer}"))
        }
    };
    let told = heard.and_then(|(told, tokens, keys)| {
        after(told, &tokens, &keys).map_err(|wrong| format!("{told:?}: {wrong}"))
    });
    Some((trail, told))
}

/// Tries again until it is as it must be.
fn until(what: &str, mut holds: impl FnMut() -> Result<bool, String>) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    while !holds()? {
        if Instant::now() > deadline {
            return Err(format!("waited in vain until {what}"));
        }
    }
    Ok(())
}

/// What the trail tells.
fn happened(look: &Look, house: &House) -> Vec<String> {
    look.standing().since(&house.before).trail
}

fn posts(server: SocketAddr, target: &str, body: &str) -> Heard {
    let kind = "Content-Type: application/x-www-form-urlencoded";
    let head = format!("POST {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{kind}\r\n");
    send(server, format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
}

fn lets_in(server: SocketAddr, token: &str) -> bool {
    ask(server, "GET", "/verify", &format!("Authorization: Bearer {token}\r\n")).status == 200
}

/// The public keys a server tells of.
fn announced(server: SocketAddr) -> Vec<Value> {
    let heard = ask(server, "GET", "/.well-known/jwks.json", "");
    let said: Value = serde_json::from_str(&heard.body).unwrap_or_default();
    said["keys"].as_array().cloned().unwrap_or_default()
}

/// The name of the key that signed a token.
fn key_of(token: &str) -> Value {
    let head = token.split('.').next().and_then(|head| Base64UrlUnpadded::decode_vec(head).ok());
    let head: Value = serde_json::from_slice(&head.unwrap_or_default()).unwrap_or_default();
    head["kid"].clone()
}

fn is_announced(token: &str, keys: &[Value]) -> Result<(), String> {
    let key = key_of(token);
    let known = key.is_string() && keys.iter().any(|known| known["kid"] == key);
    if known { Ok(()) } else { Err(format!("signed by {key}, announced: {keys:?}")) }
}
