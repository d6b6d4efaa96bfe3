//! Fuzzes the store header as found on disk.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keydeck::crypto::fuzzing::header(bytes));
