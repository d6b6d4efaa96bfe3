//! Fuzzes a sealed record as found in the store.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keydeck::crypto::fuzzing::record(bytes));
