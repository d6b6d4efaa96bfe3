//! The state while somebody reads it. Whoever has it keeps writers away, so nobody takes it twice: a writer that comes
//! between the two waits for the first, the second waits for the writer, and nothing goes on any more. A build for tests
//! stops at the second, whether a writer comes or not.

use std::ops::Deref;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use crate::domain::State;

/// Keeps the state as it is until it is dropped.
pub struct Reading<'a> {
    state: RwLockReadGuard<'a, State>,
    #[cfg(debug_assertions)]
    _once: once::Once,
}

impl<'a> Reading<'a> {
    /// Waits for whoever writes.
    ///
    /// # Panics
    /// In a build for tests, when this thread reads it already.
    pub fn of(state: &'a RwLock<State>) -> Self {
        #[cfg(debug_assertions)]
        let once = once::Once::of(std::ptr::from_ref(state).addr());
        Self {
            state: state.read().unwrap_or_else(PoisonError::into_inner),
            #[cfg(debug_assertions)]
            _once: once,
        }
    }
}

impl Deref for Reading<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

#[cfg(debug_assertions)]
mod once {
    use std::cell::RefCell;

    thread_local! {
        /// What this thread reads, by where it is.
        static READ: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    }

    pub struct Once(usize);

    impl Once {
        pub fn of(address: usize) -> Self {
            READ.with_borrow_mut(|read| {
                assert!(!read.contains(&address), "the state is read already by this thread");
                read.push(address);
            });
            Self(address)
        }
    }

    impl Drop for Once {
        fn drop(&mut self) {
            // A thread that ends has nothing left to count.
            let _ended = READ.try_with(|read| read.borrow_mut().retain(|address| *address != self.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "the state is read already by this thread")]
    fn whoever_reads_the_state_twice_at_once_is_told_in_a_test() {
        let state = RwLock::default();
        let _first = Reading::of(&state);
        let _second = Reading::of(&state);
    }

    #[test]
    fn one_after_the_other_and_two_states_are_read_without_a_word() {
        let (one, other) = (RwLock::default(), RwLock::default());
        drop(Reading::of(&one));
        let _first = Reading::of(&one);
        let _second = Reading::of(&other);
    }
}
