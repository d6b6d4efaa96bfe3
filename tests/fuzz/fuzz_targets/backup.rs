//! Fuzzes the file of a backup.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keydeck::engine::backup::fuzzing::container(bytes));
