//! The Prometheus text format, version 0.0.4.

use std::fmt::{Display, Write};

/// A page of metrics that is being written.
#[derive(Default)]
pub(super) struct Exposition {
    text: String,
    family: String,
}

impl Exposition {
    /// Opens a family, unless it is the open one.
    pub(super) fn family(&mut self, name: &str, kind: &str, help: &str) {
        if self.family == name {
            return;
        }
        name.clone_into(&mut self.family);
        // Writing to a string cannot fail.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// One sample of the open family. `labels` are pairs, already escaped.
    pub(super) fn sample(&mut self, name: &str, suffix: &str, labels: &str, value: impl Display) {
        let _ = match labels {
            "" => writeln!(self.text, "{name}{suffix} {value}"),
            _ => writeln!(self.text, "{name}{suffix}{{{labels}}} {value}"),
        };
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, labels: &str, value: u64) {
        self.family(name, "counter", help);
        self.sample(name, "", labels, value);
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, labels: &str, value: impl Display) {
        self.family(name, "gauge", help);
        self.sample(name, "", labels, value);
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}
