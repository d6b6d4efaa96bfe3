//! Asked over HTTP: the server itself, access tokens, and real proxies in front.

mod access_tokens;
mod limits;
mod oauth;
mod proxies;
mod python;
mod serve;
#[path = "../support/mod.rs"]
mod support;
mod verify;
