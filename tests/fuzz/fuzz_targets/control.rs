//! Fuzzes what somebody sends to the control socket.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keydeck::serve::control::fuzzing::request(bytes));
