//! Real proxies in front of a server, with keydeck asked in between. Their configuration is the one people paste:
//! `keydeck guide` fills in the same placeholders by the same function.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is not as it must be")]

mod caddy;
mod day;
mod envoy;
mod guide;
mod haproxy;
mod hostile;
mod nginx;
mod programs;
mod street;
mod traefik;
mod upstream;
