//! The proxies that are here: the one of the system, and the current one of a package, installed below
//! `target/proxies` (or wherever `KEYDECK_TEST_PROXIES` says) in a folder named after the package.

use std::path::{Path, PathBuf};

/// Every version of a proxy there is: in `PATH` by its name, and as `file` of the folder of packages.
#[expect(clippy::print_stdout, reason = "says why a test does nothing")]
pub fn versions(name: &str, file: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<_> = std::env::split_paths(&path).collect();
    places.extend(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let own = places.into_iter().map(|dir| dir.join(name)).find(|file| file.is_file());
    let packages = std::env::var_os("KEYDECK_TEST_PROXIES").map(PathBuf::from);
    let packages = packages.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/proxies"));
    let current = Some(packages.join(file)).filter(|file| file.is_file());
    let found: Vec<_> = own.into_iter().chain(current).collect();
    if found.is_empty() {
        println!("skipped: needs {name}");
    }
    found
}
