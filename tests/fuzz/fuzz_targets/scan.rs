//! Fuzzes the search for secrets in any bytes, in any pieces.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keydeck::crypto::fuzzing::scan(bytes));
