//! Imports take turns: two that bring the same would not know of each other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mailweir_mail::Timestamp;

/// Whose turn it is. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<Option<Holder>>>);

/// Who has the turn, and since when.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "another import is under way, by {by} since {}: begin this one when that has ended",
    since.rfc3339()
)]
pub(super) struct Holder {
    by: Box<str>,
    since: Timestamp,
}

/// A turn; it ends with this.
#[must_use]
pub(super) struct Turn(Turns);

impl Turns {
    /// # Errors
    /// Somebody else has it.
    pub(super) fn take(&self, by: &str, since: Timestamp) -> Result<Turn, Holder> {
        let mut holder = self.holder();
        if let Some(other) = &*holder {
            return Err(other.clone());
        }
        *holder = Some(Holder { by: by.into(), since });
        Ok(Turn(self.clone()))
    }

    fn holder(&self) -> MutexGuard<'_, Option<Holder>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.holder().take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_the_turn_is_named_to_others_until_it_ends() {
        let (turns, now) = (Turns::default(), Timestamp::from_secs(1));
        let turn = turns.take("ann", now).ok().unwrap();
        let why = turns.take("bob", now).err().unwrap().to_string();
        assert!(why.contains("by ann since 1970-01-01T00:00:01"), "{why}");
        drop(turn);
        assert!(turns.take("bob", now).is_ok());
    }
}
