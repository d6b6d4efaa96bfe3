//! What the cryptography promises: of a token, a sealed record, the header, its files; and that no bytes break a reader.

mod files;
mod fuzz;
mod header;
mod record;
mod token;
