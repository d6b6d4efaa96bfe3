//! Calls into sled that may panic on damaged files, caught, and without a word on the terminal.
//!
//! The panic hook is global and prints before the panic can be caught; on a screen in raw mode that is a smear.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread is one the store is about to catch and report as an error.
///
/// A panic hook that restores the terminal or writes a report must return at once when this is true.
pub fn panic_is_expected() -> bool {
    CATCHING.get() || std::thread::current().name().is_some_and(|name| name.starts_with("sled-io-"))
}

/// Runs `call`; a panic inside becomes `Err` with its message.
pub(super) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    hush_expected_panics();
    let outer = CATCHING.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    CATCHING.set(outer);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        format!("sled panicked: {}", text.as_deref().unwrap_or("no message"))
    })
}

/// Puts a hook in front of the present one, once, that keeps expected panics from it.
fn hush_expected_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let present = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !panic_is_expected() {
                present(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_and_the_flag_goes_back() {
        let text = guarded(|| panic!("tried to serialize {}", "Uninitialized")).unwrap_err();
        assert_eq!(text, "sled panicked: tried to serialize Uninitialized");
        assert!(!panic_is_expected());
        assert_eq!(guarded(panic_is_expected), Ok(true));
    }
}
