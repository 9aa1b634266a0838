//! Counters whose labels are not known beforehand, such as the status codes of next hops.
//!
//! A peer must not be able to fill our memory, or the Prometheus server's, with labels it makes
//! up: after [`LIMIT`] different ones, the rest is counted as `other`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::text::Exposition;

/// A family of counters with `N` labels.
#[derive(Debug)]
pub(super) struct Labelled<const N: usize> {
    names: [&'static str; N],
    rows: Mutex<Vec<Row<N>>>,
}

#[derive(Debug)]
struct Row<const N: usize> {
    labels: [Box<str>; N],
    count: u64,
}

impl<const N: usize> Labelled<N> {
    pub(super) const fn new(names: [&'static str; N]) -> Self {
        Self { names, rows: Mutex::new(Vec::new()) }
    }

    pub(super) fn count(&self, labels: [&str; N]) {
        let mut rows = self.rows();
        if increase(&mut rows, labels) {
            return;
        }
        let labels = if rows.len() < LIMIT { labels } else { ["other"; N] };
        if !increase(&mut rows, labels) {
            rows.push(Row { labels: labels.map(Into::into), count: 1 });
        }
    }

    pub(super) fn render(&self, text: &mut Exposition, name: &'static str, help: &str) {
        text.family(name, "counter", help);
        for row in self.rows().iter() {
            let pairs = self.names.iter().zip(&row.labels);
            let labels: Vec<_> = pairs.map(|(name, value)| label(name, value)).collect();
            text.sample(name, "", &labels.join(","), row.count);
        }
    }

    fn rows(&self) -> MutexGuard<'_, Vec<Row<N>>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn increase<const N: usize>(rows: &mut [Row<N>], labels: [&str; N]) -> bool {
    let row = rows.iter_mut().find(|row| row.labels.iter().zip(labels).all(|(a, b)| **a == *b));
    row.map(|row| row.count += 1).is_some()
}

/// A label as the text format writes it.
pub(super) fn label(name: &str, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("{name}=\"{value}\"")
}

/// Different label sets per family.
const LIMIT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_peers_make_up_end_as_other() {
        let family = Labelled::new(["dsn"]);
        for detail in 0..1_000 {
            family.count([&format!("4.0.{detail}")]);
        }
        family.count(["4.0.0"]);
        let mut text = Exposition::default();
        family.render(&mut text, "x_total", "X.");
        let text = text.finish();
        assert_eq!(text.lines().count(), 2 + LIMIT + 1);
        assert!(text.contains("x_total{dsn=\"4.0.0\"} 2\n"), "{text}");
        assert!(text.contains("x_total{dsn=\"other\"} 936\n"), "{text}");
    }

    #[test]
    fn label_values_are_escaped() {
        assert_eq!(label("a", "x\"\\\ny"), r#"a="x\"\\\ny""#);
    }
}
