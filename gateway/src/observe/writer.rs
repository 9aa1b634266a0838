//! The one thread that writes the log.
//!
//! Lines are formatted straight into a shared buffer of bounded size; the thread swaps the buffer
//! for an empty one and writes it with one call. Both buffers are reused. Nobody but the thread
//! ever waits for the log: a line that finds the buffer full is dropped and counted, and the log
//! says so as soon as it moves again.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use mailweir_mail::Timestamp;

use super::LogFormat;

/// The near end of the log.
pub(super) struct Writer {
    shared: Arc<Shared>,
}

impl Writer {
    pub(super) fn start(sink: Box<dyn Write + Send>) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let far_end = Arc::clone(&shared);
        thread::Builder::new().name("log".to_owned()).spawn(move || far_end.run(sink))?;
        Ok(Self { shared })
    }

    /// Lets `write` append one event, or drops it if the buffer is full. `write` is also told how
    /// many events were lost so far, if the log does not say so yet.
    pub(super) fn append(
        &self,
        now: Timestamp,
        format: LogFormat,
        write: impl FnOnce(&TimeText, Option<u64>, &mut Vec<u8>),
    ) {
        let mut guard = self.shared.lock();
        let state = &mut *guard;
        if state.pending.len() >= CAPACITY {
            state.lost += 1;
            return;
        }
        let before = state.pending.len();
        let news = (state.lost > state.confessed).then_some(state.lost);
        state.confessed = state.lost;
        state.time.set(now, format);
        write(&state.time, news, &mut state.pending);
        if state.pending.len() == before {
            // Not every event has a line in every format, and no line is nothing to wait for.
            return;
        }
        state.appended += 1;
        if before == 0 || (before < FULL_BATCH && state.pending.len() >= FULL_BATCH) {
            self.shared.appended.notify_one();
        }
    }

    /// Events that found no room, or that the sink refused.
    pub(super) fn lost(&self) -> u64 {
        self.shared.lock().lost
    }

    pub(super) fn flush(&self, patience: Duration) -> bool {
        let mut state = self.shared.lock();
        let goal = state.appended;
        state.hurry = true;
        self.shared.appended.notify_one();
        let waiting = |state: &mut State| state.settled < goal;
        let waited = self.shared.settled.wait_timeout_while(state, patience, waiting);
        let (mut state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        state.hurry = false;
        !timeout.timed_out()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.appended.notify_one();
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Something was appended, or the thread should hurry or end.
    appended: Condvar,
    /// Something was written or given up.
    settled: Condvar,
}

#[derive(Default)]
struct State {
    pending: Vec<u8>,
    time: TimeText,
    /// Events ever appended to `pending`.
    appended: u64,
    /// Events ever written or given up.
    settled: u64,
    /// Events that found no room, or that the sink refused.
    lost: u64,
    /// Of these, how many a line in the log speaks of.
    confessed: u64,
    hurry: bool,
    closed: bool,
}

impl Shared {
    fn run(&self, mut sink: Box<dyn Write + Send>) {
        let mut batch = Vec::new();
        let mut before = 0;
        while let Some(goal) = self.next_batch(&mut batch) {
            let written = write_fully(&mut *sink, &batch);
            batch.clear();
            let mut state = self.lock();
            state.lost += if written.is_ok() { 0 } else { goal - before };
            state.settled = goal;
            drop(state);
            before = goal;
            self.settled.notify_all();
        }
    }

    /// Waits for lines and takes them; `None` once there will never be any.
    fn next_batch(&self, batch: &mut Vec<u8>) -> Option<u64> {
        let empty = |state: &mut State| state.pending.is_empty() && !state.closed;
        let state = self.appended.wait_while(self.lock(), empty);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let small =
            |state: &mut State| state.pending.len() < FULL_BATCH && !state.hurry && !state.closed;
        let state = self.appended.wait_timeout_while(state, LINGER, small);
        let (mut state, _) = state.unwrap_or_else(PoisonError::into_inner);
        if state.pending.is_empty() {
            return None;
        }
        std::mem::swap(batch, &mut state.pending);
        Some(state.appended)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while a line was formatted leaves at worst half a line behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time of a line as text, computed once a second.
#[derive(Default)]
pub(super) struct TimeText {
    known: Option<(u64, LogFormat)>,
    second: String,
    micros: u32,
}

impl TimeText {
    fn set(&mut self, now: Timestamp, format: LogFormat) {
        self.micros = now.subsec_micros();
        if self.known == Some((now.as_secs(), format)) {
            return;
        }
        self.known = Some((now.as_secs(), format));
        self.second = match format {
            LogFormat::Text => now.syslog(),
            LogFormat::Json => now.rfc3339(),
        };
        if format == LogFormat::Json {
            self.second.truncate("2026-11-20T21:30:05".len());
        }
    }

    /// The time to the second.
    pub(super) fn second(&self) -> &str {
        &self.second
    }

    /// The microseconds after it.
    pub(super) const fn micros(&self) -> u32 {
        self.micros
    }
}

/// As `write_all`, but patient with a non-blocking standard output.
#[expect(clippy::disallowed_methods, reason = "the writer's own thread; nobody waits for it")]
fn write_fully(sink: &mut dyn Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match sink.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(LINGER),
            Err(error) => return Err(error),
        }
    }
    sink.flush()
}

/// Bytes that may wait: about 6,000 lines.
const CAPACITY: usize = 1 << 20;

/// Bytes that are worth a write at once.
const FULL_BATCH: usize = 1 << 16;

/// How long a first line may wait for company.
const LINGER: Duration = Duration::from_millis(10);
