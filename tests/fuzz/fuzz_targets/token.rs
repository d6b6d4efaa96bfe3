//! Fuzzes a token as presented in a request.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keydeck::crypto::fuzzing::token(bytes));
