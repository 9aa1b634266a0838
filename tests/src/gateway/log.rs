//! The log of a gateway, in memory, and waiting for lines in it.

use std::{fmt, io, sync::Arc, time::Duration};

use tokio::sync::watch;

/// What a gateway logged so far, over all its restarts. Clones share it.
#[derive(Clone, Debug)]
pub struct Log {
    text: Arc<watch::Sender<String>>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self { text: Arc::new(watch::Sender::new(String::new())) }
    }

    /// Where the observer writes to.
    pub(super) fn sink(&self) -> Box<dyn io::Write + Send> {
        Box::new(Sink(self.text.clone()))
    }

    /// Waits for a line that has `parts` in it; `*` stands for any text. Returns the line.
    ///
    /// # Panics
    /// If none comes.
    pub async fn expect(&self, parts: &str) -> String {
        self.expect_times(1, parts).await.remove(0)
    }

    /// Waits until so many lines have `parts` in them, and returns them all.
    ///
    /// # Panics
    /// If fewer come.
    pub async fn expect_times(&self, times: usize, parts: &str) -> Vec<String> {
        let mut text = self.text.subscribe();
        let enough = text.wait_for(|text| matching(text, parts).count() >= times);
        let came = tokio::time::timeout(PATIENCE, enough).await.is_ok();
        assert!(came, "waited for {times} lines like {parts:?}\n{self}");
        matching(&self.text.borrow(), parts).map(str::to_owned).collect()
    }

    /// How many lines have `parts` in them so far.
    #[must_use]
    pub fn count(&self, parts: &str) -> usize {
        matching(&self.text.borrow(), parts).count()
    }

    /// Fails if a line has `parts` in it so far. Waits for nothing.
    ///
    /// # Panics
    /// If there is such a line.
    pub fn expect_none(&self, parts: &str) {
        assert_eq!(self.count(parts), 0, "{parts:?} is in the log\n{self}");
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the log:")?;
        self.text.borrow().lines().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

struct Sink(Arc<watch::Sender<String>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send_modify(|text| text.push_str(&String::from_utf8_lossy(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn matching<'a>(text: &'a str, parts: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter(|line| contains(line, parts))
}

/// Whether the parts of a pattern stand in a line, one after the other.
fn contains(line: &str, parts: &str) -> bool {
    let mut rest = line;
    parts.split('*').all(|part| {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        true
    })
}

/// Far above what anything takes.
const PATIENCE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_in_a_line_in_their_order() {
        let line = "gate postfix/smtp[7]: 4x: to=<a@b>, status=sent (250 Ok)";
        assert!(contains(line, "to=<a@b>*status=sent") && contains(line, "250 Ok"));
        assert!(!contains(line, "status=sent*to=<a@b>") && !contains(line, "bounced"));
    }
}
