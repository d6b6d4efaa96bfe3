//! Real proxies in front of a server, with keydeck asked in between. Their configuration is the one people paste:
//! `keydeck guide` fills in the same placeholders by the same function.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is not as it must be")]
#![allow(dead_code, reason = "the support files serve several tests")]
#![allow(clippy::allow_attributes, reason = "what is unused differs from one test to the next")]

mod caddy;
mod day;
mod envoy;
mod guide;
mod haproxy;
mod hostile;
#[path = "../support/http.rs"]
mod http;
mod nginx;
mod programs;
mod street;
mod traefik;
mod upstream;
