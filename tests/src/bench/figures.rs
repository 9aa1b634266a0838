//! Figures with all their rounds, and how they are written.

use std::fmt;

/// One measured thing, once per round.
#[derive(Clone, Debug)]
pub struct Figure {
    name: String,
    unit: &'static str,
    wanted: &'static str,
    rounds: Vec<f64>,
}

impl Figure {
    /// Mails per second.
    #[must_use]
    pub fn rate(name: &str, rounds: Vec<f64>) -> Self {
        Self { name: name.to_owned(), unit: "mails/s", wanted: "", rounds }
    }

    /// Something measured once a round, and what the project wants it to be.
    #[must_use]
    pub fn of(name: &str, unit: &'static str, rounds: Vec<f64>, wanted: &'static str) -> Self {
        Self { name: name.to_owned(), unit, wanted, rounds }
    }

    /// Something measured once, and what the project wants it to be.
    #[must_use]
    pub fn once(name: &str, unit: &'static str, value: f64, wanted: &'static str) -> Self {
        Self { name: name.to_owned(), unit, wanted, rounds: vec![value] }
    }

    /// The middle of the rounds; of an even number the lower of the two middles.
    #[must_use]
    pub fn median(&self) -> f64 {
        median(&self.rounds)
    }

    pub(super) fn line(&self) -> String {
        let name = format!("{}, {}", self.name, self.unit);
        format!("{name:34} {:>10} {:>10.2} {:>8}  {}\n", "", self.median(), "", self.wanted)
    }

    pub(super) fn json(&self) -> String {
        let Self { name, unit, rounds, .. } = self;
        let median = self.median();
        format!(
            r#"{{"figure":"{name}","unit":"{unit}","median":{median:.3},"rounds":{rounds:.3?}}}"#
        ) + "\n"
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} {}, rounds {:.0?}", self.median(), self.unit, self.rounds)
    }
}

/// The same row of both contestants; Mailweir's is absent where the program is not built.
#[derive(Clone, Debug)]
pub struct Pair {
    postfix: Figure,
    mailweir: Option<Figure>,
}

impl Pair {
    pub(super) fn new(row: &str, postfix: Vec<f64>, mailweir: Option<Vec<f64>>) -> Self {
        Self {
            postfix: Figure::rate(&format!("{row} postfix"), postfix),
            mailweir: mailweir.map(|rates| Figure::rate(&format!("{row} mailweir"), rates)),
        }
    }

    /// The median over the rounds of Mailweir's rate by Postfix's rate in the same round.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let mailweir = self.mailweir.as_ref()?;
        let pairs = mailweir.rounds.iter().zip(&self.postfix.rounds);
        Some(median(&pairs.map(|(ours, theirs)| ours / theirs).collect::<Vec<_>>()))
    }

    /// How many times as long a mail takes with `laden` as it takes without, each beside itself in the same round.
    pub(super) fn cost(row: &str, plain: &Self, laden: &Self) -> Self {
        let of = |name: &str, plain: &Figure, laden: &Figure| {
            let rounds = plain.rounds.iter().zip(&laden.rounds).map(|(plain, laden)| plain / laden);
            Figure::of(&format!("{row} {name}"), TIMES, rounds.collect(), "")
        };
        let ours = plain.mailweir.as_ref().zip(laden.mailweir.as_ref());
        Self {
            postfix: of("postfix", &plain.postfix, &laden.postfix),
            mailweir: ours.map(|(plain, laden)| of("mailweir", plain, laden)),
        }
    }

    /// The median of Mailweir's rates.
    pub(super) fn ours(&self) -> Option<f64> {
        self.mailweir.as_ref().map(Figure::median)
    }

    pub(super) fn line(&self, name: &str, wanted: &str) -> String {
        let ours =
            self.mailweir.as_ref().map_or_else(|| "-".into(), |f| format!("{:.0}", f.median()));
        let ratio = self.ratio().map_or_else(|| "-".into(), |ratio| format!("{ratio:.2}x"));
        format!("{name:34} {:>10.0} {ours:>10} {ratio:>8}  {wanted}\n", self.postfix.median())
    }

    /// The line of a [`Self::cost`]: one cost by the other means nothing.
    pub(super) fn cost_line(&self, name: &str, wanted: &str) -> String {
        let ours =
            self.mailweir.as_ref().map_or_else(|| "-".into(), |f| format!("{:.2}", f.median()));
        format!("{name:34} {:>10.2} {ours:>10} {:>8}  {wanted}\n", self.postfix.median(), "")
    }

    pub(super) fn json(&self) -> String {
        self.postfix.json() + &self.mailweir.as_ref().map_or_else(String::new, Figure::json)
    }
}

/// What the second loses against the first in the same round, in per cent.
pub(super) fn losses(whole: &[f64], less: &[f64]) -> Vec<f64> {
    whole.iter().zip(less).map(|(whole, less)| (whole - less) / whole * 100.0).collect()
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let middle = values.len().saturating_sub(1) / 2;
    values.get(middle).copied().unwrap_or(0.0)
}

const TIMES: &str = "times";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_does_not_follow_one_bad_round() {
        assert_eq!(median(&[700.0, 720.0, 90.0, 710.0, 5000.0]), 710.0);
    }

    #[test]
    fn the_ratio_compares_rates_of_the_same_round() {
        // The machine was half as fast in the second round, for both.
        let pair =
            Pair::new("relay", vec![800.0, 400.0, 800.0], Some(vec![4800.0, 2400.0, 4800.0]));
        assert_eq!(pair.ratio(), Some(6.0));
    }

    #[test]
    fn a_cost_is_beside_the_same_server_in_the_same_round() {
        let plain = Pair::new("relay", vec![800.0, 400.0], Some(vec![5000.0, 2500.0]));
        let laden = Pair::new("relay", vec![200.0, 100.0], Some(vec![2500.0, 1250.0]));
        let line = Pair::cost("filter", &plain, &laden).cost_line("filter", "");
        assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["filter", "4.00", "2.00"]);
    }

    #[test]
    fn without_our_program_there_is_no_ratio() {
        let pair = Pair::new("relay", vec![800.0], None);
        assert!(pair.line("relay", "").contains(" - "));
    }

    #[test]
    fn a_figure_is_one_line_of_json_with_all_rounds() {
        let figure = Figure::rate("ceiling", vec![3.0, 1.0, 2.0]);
        let expected = "{\"figure\":\"ceiling\",\"unit\":\"mails/s\",\"median\":2.000,\
                        \"rounds\":[3.000, 1.000, 2.000]}\n";
        assert_eq!(figure.json(), expected);
    }
}
