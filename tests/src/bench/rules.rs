//! What header checks cost: the relay row with tables of 10, 1,000 and 10,000 rules, the same file
//! for both.

use std::{fmt::Write as _, fs, io, path::Path};

use super::{
    Figure, Pair, Settings,
    contestant::{Contestant, Mailweir, StockPostfix},
    load,
};

/// Runs all rows, the contestants in turn within each round.
///
/// # Errors
/// If a server cannot be started, or mail does not arrive.
pub fn run(settings: &Settings, progress: &mut dyn FnMut(&str)) -> io::Result<Report> {
    let place = tempfile::tempdir()?;
    let binary = settings.mailweir.as_deref().ok_or_else(|| io::Error::other("no program"))?;
    let mut rows = Vec::new();
    for rules in SIZES {
        let file = place.path().join(format!("header_checks_{rules}"));
        fs::write(&file, table(rules))?;
        rows.push(row(rules, &file, binary, settings, progress)?);
    }
    Ok(Report { rows })
}

/// The figures of a run: a row for each size of table.
#[derive(Clone, Debug)]
pub struct Report {
    rows: Vec<(usize, Pair)>,
}

impl Report {
    /// The table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text =
            format!("{:34} {:>10} {:>10} {:>8}  wanted\n", "", "Postfix", "Mailweir", "ratio");
        for (rules, pair) in &self.rows {
            let wanted = if *rules == MOST { "at least 20x" } else { "" };
            text += &pair.line(&format!("relay, {rules} header rules, mails/s"), wanted);
        }
        text += &self.loss().line();
        text
    }

    /// The same figures with every round, one JSON object per line.
    #[must_use]
    pub fn json_lines(&self) -> String {
        let rows: String = self.rows.iter().map(|(_, pair)| pair.json()).collect();
        rows + &self.loss().json()
    }

    /// What our relay rate loses from the smallest to the largest table.
    fn loss(&self) -> Figure {
        let rates: Vec<f64> = self.rows.iter().filter_map(|(_, pair)| pair.ours()).collect();
        let loss = match rates[..] {
            [few, .., many] => (few - many) / few * 100.0,
            _ => 0.0,
        };
        Figure::once("our loss from 10 to 10,000", "%", loss, "under 10")
    }
}

fn row(
    rules: usize,
    file: &Path,
    binary: &Path,
    settings: &Settings,
    progress: &mut dyn FnMut(&str),
) -> io::Result<(usize, Pair)> {
    let table = format!("pcre:{}", file.display());
    let postfix = StockPostfix::default().with("header_checks", &table);
    let ours = Mailweir::new(binary).with(&format!("[checks]\nheader_checks = [{table:?}]\n"));
    let contestants: [&dyn Contestant; 2] = [&postfix, &ours];
    let mut rates = [Vec::new(), Vec::new()];
    for round in 1..=settings.rounds {
        let mut line = format!("{rules} rules {round}/{}:", settings.rounds);
        for (contestant, rates) in contestants.iter().zip(&mut rates) {
            let rate = load::relay(*contestant, settings.seconds)?;
            rates.push(rate);
            let _ = write!(line, "  {} {rate:.0}/s", contestant.name());
        }
        progress(&line);
    }
    let [theirs, ours] = rates;
    Ok((rules, Pair::new(&format!("relay {rules} rules"), theirs, Some(ours))))
}

/// Rules as administrators collect them: words in subjects, senders, hosts in Received, programs.
/// None matches a mail of the load, so that every rule counts for every header.
pub(super) fn table(rules: usize) -> String {
    let mut text = String::new();
    for number in 0..rules {
        let _ = match number % 5 {
            0 => writeln!(text, "/^Subject:.*cheap offer {number}\\b/ REJECT offer {number}"),
            1 => writeln!(text, "/^From:.*@shop{number}\\.example>?$/ REJECT sender {number}"),
            2 => writeln!(
                text,
                "/^Received:.*\\[198\\.51\\.{}\\.{}\\]/ REJECT host {number}",
                number / 256,
                number % 256
            ),
            3 => writeln!(text, "/^X-Mailer:.*Blaster {number}(\\.\\d+)?/ HOLD program {number}"),
            _ => writeln!(text, "/^Subject: *(re|fwd): *prize {number}$/ WARN prize {number}"),
        };
    }
    text
}

const SIZES: [usize; 3] = [10, 1_000, MOST];
const MOST: usize = 10_000;
