//! Fuzzes the stored hash of an imported secret.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keydeck::crypto::fuzzing::phc(bytes));
