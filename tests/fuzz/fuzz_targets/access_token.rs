//! Fuzzes an access token as presented in a request, and what a signed one says.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keydeck::crypto::fuzzing::access_token(bytes));
