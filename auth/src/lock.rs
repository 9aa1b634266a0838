//! Locks that no panic makes useless.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks. Only for what is complete at every step or replaced as a whole: a panic elsewhere leaves
/// that sound.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
