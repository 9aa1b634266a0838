//! How filters of other people fare: the same for all kinds of them.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mailweir_external::verdict::Decision;

use super::{histogram::Histogram, labelled::label, text::Exposition};

/// The filters of the configuration, in their order.
#[derive(Debug, Default)]
pub(crate) struct Filters(Mutex<Vec<Filter>>);

#[derive(Debug)]
struct Filter {
    name: Box<str>,
    counts: [u64; FilterOutcome::ALL.len()],
    times: Histogram,
    is_left_alone: bool,
}

/// What a filter has come to with a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterOutcome {
    /// It goes on; or, behind the queue, the filter has it.
    Passed,
    /// It is held.
    Held,
    /// It is refused for good.
    Refused,
    /// It is refused for now.
    Deferred,
    /// It is thrown away, or kept by the filter.
    Discarded,
    /// None: the filter has failed.
    Failed,
    /// None: the filter was not asked, since it fails again and again.
    LeftAlone,
}

/// How a filter fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterHealth {
    /// Its name.
    pub name: Box<str>,
    /// How many mails it was asked about since the start.
    pub asked: u64,
    /// With how many of them it has failed.
    pub failed: u64,
    /// Whether it is left alone, since it fails again and again.
    pub is_left_alone: bool,
}

impl Filters {
    pub(crate) fn watch<'n>(&self, names: impl IntoIterator<Item = &'n str>) {
        let mut rows = self.rows();
        let mut before = std::mem::take(&mut *rows);
        for name in names {
            let known = before.iter().position(|row| *row.name == *name);
            rows.push(known.map_or_else(|| Filter::new(name), |at| before.swap_remove(at)));
        }
    }

    pub(crate) fn asked(&self, name: &str, outcome: FilterOutcome, took: Option<Duration>) {
        let mut rows = self.rows();
        let Some(row) = rows.iter_mut().find(|row| *row.name == *name) else { return };
        row.counts[outcome as usize] += 1;
        if let Some(took) = took {
            row.times.observe(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
    }

    pub(crate) fn left_alone(&self, name: &str, is_left_alone: bool) {
        let mut rows = self.rows();
        if let Some(row) = rows.iter_mut().find(|row| *row.name == *name) {
            row.is_left_alone = is_left_alone;
        }
    }

    pub(crate) fn health(&self) -> Vec<FilterHealth> {
        let rows = self.rows();
        let health = rows.iter().map(|row| FilterHealth {
            name: row.name.clone(),
            asked: row.counts.iter().sum::<u64>() - row.count(FilterOutcome::LeftAlone),
            failed: row.count(FilterOutcome::Failed),
            is_left_alone: row.is_left_alone,
        });
        health.collect()
    }

    pub(super) fn render(&self, text: &mut Exposition) {
        let rows = self.rows();
        for row in rows.iter() {
            let name = label("filter", &row.name);
            for outcome in FilterOutcome::ALL {
                let labels = format!("{name},{}", label("outcome", outcome.as_str()));
                let help = "Mails that a filter was asked about, by what came of it.";
                text.counter("mailweir_filter_mails_total", help, &labels, row.count(outcome));
            }
        }
        for row in rows.iter() {
            let help = "Whether a filter is left alone, since it fails again and again.";
            let (name, is_left_alone) = (label("filter", &row.name), u8::from(row.is_left_alone));
            text.gauge("mailweir_filter_left_alone", help, &name, is_left_alone);
        }
        for row in rows.iter() {
            let name = "mailweir_filter_seconds";
            text.family(name, "histogram", "How long a filter took with a mail, in seconds.");
            row.times.render(text, name, &label("filter", &row.name), 1e6);
        }
    }

    fn rows(&self) -> MutexGuard<'_, Vec<Filter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Filter {
    fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            counts: [0; FilterOutcome::ALL.len()],
            times: Histogram::new(BOUNDS),
            is_left_alone: false,
        }
    }

    const fn count(&self, outcome: FilterOutcome) -> u64 {
        self.counts[outcome as usize]
    }
}

impl FilterOutcome {
    /// What a filter that is asked before the queue has come to.
    #[must_use]
    pub const fn of(decision: &Decision) -> Self {
        match decision {
            Decision::Pass => Self::Passed,
            Decision::Hold => Self::Held,
            Decision::Refuse(reply) if reply.code < 500 => Self::Deferred,
            Decision::Refuse(_) => Self::Refused,
            Decision::Discard => Self::Discarded,
        }
    }

    const ALL: [Self; 7] = [
        Self::Passed,
        Self::Held,
        Self::Refused,
        Self::Deferred,
        Self::Discarded,
        Self::Failed,
        Self::LeftAlone,
    ];

    /// As a label.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Held => "held",
            Self::Refused => "refused",
            Self::Deferred => "deferred",
            Self::Discarded => "discarded",
            Self::Failed => "failed",
            Self::LeftAlone => "left_alone",
        }
    }
}

/// From a millisecond to the longest time limits there are by default, in microseconds.
const BOUNDS: &[u64] = &[
    1_000,
    10_000,
    100_000,
    500_000,
    1_000_000,
    5_000_000,
    30_000_000,
    100_000_000,
    1_200_000_000,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_keep_what_they_have_come_to_over_a_reload_and_go_with_the_configuration() {
        let filters = Filters::default();
        filters.asked("virus", FilterOutcome::Passed, None);
        filters.watch(["virus", "spam"]);
        filters.asked("virus", FilterOutcome::Failed, Some(Duration::from_millis(2)));
        filters.asked("virus", FilterOutcome::LeftAlone, None);
        filters.left_alone("virus", true);
        filters.left_alone("spam", true);
        filters.watch(["new", "virus"]);
        let health = |name: &str, asked, is_left_alone| FilterHealth {
            name: name.into(),
            asked,
            failed: asked,
            is_left_alone,
        };
        assert_eq!(filters.health(), [health("new", 0, false), health("virus", 1, true)]);
        let mut text = Exposition::default();
        filters.render(&mut text);
        let text = text.finish();
        for line in [
            "mailweir_filter_mails_total{filter=\"virus\",outcome=\"failed\"} 1\n",
            "mailweir_filter_mails_total{filter=\"virus\",outcome=\"passed\"} 0\n",
            "mailweir_filter_left_alone{filter=\"virus\"} 1\n",
            "mailweir_filter_seconds_bucket{filter=\"virus\",le=\"0.01\"} 1\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert!(!text.contains("spam"), "{text}");
        assert_eq!(text.matches("# TYPE").count(), 3, "{text}");
    }
}
