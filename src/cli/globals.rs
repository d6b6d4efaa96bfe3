//! The options that stand before or after any command.

use std::path::PathBuf;

use clap::Args;

/// Options that stand anywhere.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// The store's directory [default: keydeck in the XDG data directory]
    #[arg(long, global = true, value_name = "DIR", env = "KEYDECK_DATA", hide_env_values = true)]
    pub data: Option<PathBuf>,
    /// Who signs in
    #[arg(long, global = true, value_name = "NAME", env = "KEYDECK_OPERATOR", hide_env_values = true)]
    pub operator: Option<String>,
    /// File with the passphrase, `-` for standard input; one newline at its end is not part of it
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "key_file")]
    pub passphrase_file: Option<PathBuf>,
    /// Sign in with an operator's key file instead of a passphrase
    #[arg(long, global = true, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Results as JSON, times as RFC 3339
    #[arg(long, global = true)]
    pub json: bool,
    /// Change nothing, and leave no entry in the trail; a sign-in that fails is counted all the same
    #[arg(long, global = true)]
    pub read_only: bool,
    /// The configuration file [default: keydeck/config.toml in the XDG config directory]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}
