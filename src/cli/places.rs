//! Where things lie on this machine: data, configuration and log, by the XDG base directory specification.

use std::path::{Path, PathBuf};

use etcetera::base_strategy::{BaseStrategy as _, Xdg};

/// The directories of this user. Empty paths when the machine has no home for them.
#[derive(Clone, Debug, Default)]
pub struct Places {
    home: PathBuf,
    data: PathBuf,
    config: PathBuf,
    state: PathBuf,
}

const OURS: &str = "keydeck";

impl Places {
    /// From `HOME` and the `XDG_*` variables.
    pub fn find() -> Self {
        Xdg::new().map_or_else(
            |_| Self::default(),
            |xdg| Self {
                home: xdg.home_dir().to_owned(),
                data: xdg.data_dir().join(OURS),
                config: xdg.config_dir().join(OURS),
                state: xdg.state_dir().unwrap_or_else(|| xdg.home_dir().join(".local/state")).join(OURS),
            },
        )
    }

    /// The default data directory; `None` when there is no home.
    pub fn data(&self) -> Option<&Path> {
        Some(self.data.as_path()).filter(|path| !path.as_os_str().is_empty())
    }

    /// The default configuration file.
    pub fn config_file(&self) -> Option<PathBuf> {
        (!self.config.as_os_str().is_empty()).then(|| self.config.join("config.toml"))
    }

    /// The log file.
    pub fn log_file(&self) -> Option<PathBuf> {
        (!self.state.as_os_str().is_empty()).then(|| self.state.join("keydeck.log"))
    }

    /// Where it is remembered how each operator left the console.
    pub fn habits(&self) -> Option<PathBuf> {
        (!self.state.as_os_str().is_empty()).then(|| self.state.join("views"))
    }

    /// A path as a file may write it: `~/` is the home, other relative paths start at `base`.
    pub fn resolve(&self, written: &str, base: &Path) -> PathBuf {
        match written.strip_prefix("~/") {
            Some(rest) => self.home.join(rest),
            None => base.join(written),
        }
    }
}
