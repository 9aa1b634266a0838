//! Room for documents that wait for the writer's thread.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Bytes of documents that wait for the writer's thread.
const MAX_WAITING: usize = 8 << 20;
/// A thread that takes nothing for so long has ended; then the writer says so itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bounds what waits for the writer's thread: tantivy counts documents, and ten thousand can be many
/// gigabytes.
#[derive(Default)]
pub(super) struct Gate {
    waiting: Mutex<usize>,
    left: Condvar,
}

impl Gate {
    pub(super) fn pass(self: &Arc<Self>, bytes: usize) -> Pass {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // One is let in however large it is.
        let full = |waiting: &mut usize| *waiting > 0 && *waiting + bytes > MAX_WAITING;
        let (mut waiting, _) = self
            .left
            .wait_timeout_while(waiting, PATIENCE, full)
            .unwrap_or_else(PoisonError::into_inner);
        *waiting += bytes;
        Pass { gate: Arc::clone(self), bytes }
    }
}

/// Room for one document; given back when dropped.
pub(super) struct Pass {
    gate: Arc<Gate>,
    bytes: usize,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut waiting = self.gate.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting = waiting.saturating_sub(self.bytes);
        self.gate.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Gate, MAX_WAITING};

    fn waiting(gate: &Gate) -> usize {
        *gate.waiting.lock().unwrap()
    }

    #[test]
    fn documents_wait_outside_until_there_is_room() {
        let gate = Arc::new(Gate::default());
        let large = gate.pass(2 * MAX_WAITING);
        let next = std::thread::spawn({
            let gate = Arc::clone(&gate);
            move || {
                let _pass = gate.pass(MAX_WAITING);
                waiting(&gate)
            }
        });
        drop(large);
        assert_eq!(next.join().unwrap(), MAX_WAITING, "both were inside");
        assert_eq!(waiting(&gate), 0);
        let passes = [gate.pass(1), gate.pass(2)];
        assert_eq!(waiting(&gate), 3);
        drop(passes);
        assert_eq!(waiting(&gate), 0);
    }
}
