//! Asked over HTTP: the server itself, access tokens, and real proxies in front.

mod access_tokens;
mod clients;
mod limits;
mod oauth;
mod proxies;
mod python;
mod serve;
mod standards;
mod supervised;
#[path = "../support/mod.rs"]
mod support;
mod verify;
