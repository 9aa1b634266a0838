//! The figures of a run, and how they are written.

use std::fmt::Write as _;

use super::Seen;
use crate::bench::Figure;

/// One server, round by round.
pub(super) struct Row {
    name: &'static str,
    rates: Vec<f64>,
    processor: Vec<f64>,
    beside: Vec<f64>,
    questions: Vec<f64>,
}

impl Row {
    pub(super) fn new(name: &'static str) -> Self {
        let (rates, processor, beside) = (Vec::new(), Vec::new(), Vec::new());
        Self { name, rates, processor, beside, questions: Vec::new() }
    }

    pub(super) fn add(&mut self, seen: &Seen) {
        self.rates.push(seen.rate);
        self.processor.push(seen.processor);
        self.beside.push(seen.beside);
        self.questions.push(seen.questions);
    }
}

/// All figures of a run.
#[derive(Clone, Debug)]
pub struct Report {
    rows: Vec<Line>,
    memory: Figure,
}

#[derive(Clone, Debug)]
struct Line {
    name: &'static str,
    rate: Figure,
    processor: Figure,
    beside: Figure,
    questions: Figure,
    /// How many times as fast Mailweir is, round by round; 1 for itself.
    times: Figure,
    wanted: &'static str,
}

impl Report {
    /// The first row is Mailweir's; `memory` is its own, in bytes.
    pub(super) fn of(rows: [Row; WANTED.len()], memory: u64) -> Self {
        let ours = rows[0].rates.clone();
        let line = |(row, wanted): (Row, &'static str)| Line::of(row, &ours, wanted);
        let memory = Figure::once("most memory of Mailweir", "MB", memory as f64 / MB, "under 100");
        Self { rows: rows.into_iter().zip(WANTED).map(line).collect(), memory }
    }

    /// The table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!(
            "{:22} {:>8} {:>12} {:>9} {:>9} {:>9}  wanted\n",
            "", "mails/s", "CPU s/1,000", "the load", "DNS/mail", "Mailweir"
        );
        for line in &self.rows {
            let _ = writeln!(
                text,
                "{:22} {:>8.1} {:>12.2} {:>9.2} {:>9.1} {:>8.1}x  {}",
                line.name,
                line.rate.median(),
                line.processor.median(),
                line.beside.median(),
                line.questions.median(),
                line.times.median(),
                line.wanted
            );
        }
        text + &self.memory.line()
    }

    /// The same figures with every round, one JSON object per line.
    #[must_use]
    pub fn json_lines(&self) -> String {
        let figures = |line: &Line| {
            [&line.rate, &line.processor, &line.beside, &line.questions, &line.times]
                .map(Figure::json)
        };
        self.rows.iter().flat_map(figures).collect::<String>() + &self.memory.json()
    }
}

impl Line {
    fn of(row: Row, ours: &[f64], wanted: &'static str) -> Self {
        let Row { name, rates, processor, beside, questions } = row;
        let times = ours.iter().zip(&rates).map(|(ours, theirs)| ours / theirs).collect();
        let figure =
            |what: &str, unit, rounds| Figure::of(&format!("{name}, {what}"), unit, rounds, "");
        Self {
            name,
            rate: Figure::rate(&format!("{name}, checked"), rates),
            processor: figure("processor time", "s per 1,000 mails", processor),
            beside: figure("processor time of the load", "s per 1,000 mails", beside),
            questions: figure("questions to name servers", "per mail", questions),
            times: figure("Mailweir by it", "times", times),
            wanted,
        }
    }
}

/// What each row should be.
const WANTED: [&str; 5] =
    ["at least 1,500 mails/s", "at least 3x", "at least 3x", "at least 50x", "at least 50x"];

const MB: f64 = 1_000_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ratio_is_of_rates_of_the_same_round() {
        let row = |name, rates: [f64; 2]| {
            let mut row = Row::new(name);
            for rate in rates {
                row.add(&Seen { rate, processor: 1.0, beside: 1.0, questions: 2.0 });
            }
            row
        };
        // The machine was half as fast in the second round, for all.
        let rows = [
            row("Mailweir", [1600.0, 800.0]),
            row("Rspamd", [400.0, 200.0]),
            row("Postfix with Rspamd", [200.0, 100.0]),
            row("SpamAssassin", [20.0, 10.0]),
            row("SpamAssassin, local", [40.0, 20.0]),
        ];
        let report = Report::of(rows, 64_000_000);
        let times: Vec<f64> = report.rows.iter().map(|line| line.times.median()).collect();
        assert_eq!(times, [1.0, 4.0, 8.0, 80.0, 40.0]);
        assert!(report.table().contains("64.00"), "{}", report.table());
        assert_eq!(report.json_lines().lines().count(), 26);
    }
}
