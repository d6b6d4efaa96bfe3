//! The `keydeck` program: arguments, logging, dispatch; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    keydeck::cli::main(&std::env::args_os().collect::<Vec<_>>())
}
