//! What the findings about a mail come to.
//!
//! Each finding adds its weight times its strength, in whole tenths; a group adds no more than its limit. What was
//! cut by the limit is taken from the smallest contributions, so that the rows that people read add up to the total.

use std::collections::{BTreeMap, BTreeSet};

use super::{Entry, Finding, Points, Repeats, Symbol, Weights};

/// What was found about a mail, and what it comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    total: Points,
    contributions: Vec<Contribution>,
}

/// What one finding adds to a score.
#[derive(Clone, Debug, PartialEq)]
pub struct Contribution {
    /// What was noticed, and what was seen.
    pub finding: Finding,
    /// What it adds.
    pub points: Points,
    /// What it would add without the limit of its group.
    pub unlimited: Points,
    /// What the symbol means, on one line.
    pub description: Box<str>,
}

impl Score {
    /// The sum.
    #[must_use]
    pub const fn total(&self) -> Points {
        self.total
    }

    /// What it is made of: what adds most first, then what adds nothing, last what takes most away.
    #[must_use]
    pub fn contributions(&self) -> &[Contribution] {
        &self.contributions
    }

    /// What was found, to be added up with more.
    pub fn into_findings(self) -> impl Iterator<Item = Finding> {
        self.contributions.into_iter().map(|each| each.finding)
    }

    /// The finding of this symbol that counts most, if there is one that counts.
    #[must_use]
    pub fn found(&self, symbol: Symbol) -> Option<&Finding> {
        self.contributions
            .iter()
            .map(|each| &each.finding)
            .find(|finding| finding.symbol() == symbol)
    }
}

pub(super) fn add_up(weights: &Weights, findings: impl IntoIterator<Item = Finding>) -> Score {
    let mut all: Vec<Contribution> = findings
        .into_iter()
        .filter_map(|finding| contribution(weights, finding))
        .take(MOST_FINDINGS)
        .collect();
    // The order of the findings must not matter: nothing that tells two of them apart is left out here.
    all.sort_by(|a, b| {
        let by_weight = b.unlimited.tenths().abs().cmp(&a.unlimited.tenths().abs());
        let by_name = || a.finding.symbol().cmp(&b.finding.symbol());
        by_weight.then_with(by_name).then_with(|| a.finding.evidence().cmp(b.finding.evidence()))
    });
    keep_strongest(weights, &mut all);
    limit_groups(weights, &mut all);
    let total = all.iter().map(|each| each.points).sum();
    all.sort_by_key(|each| std::cmp::Reverse(each.points));
    Score { total, contributions: all }
}

/// None for a symbol that is switched off.
fn contribution(weights: &Weights, finding: Finding) -> Option<Contribution> {
    let Entry { weight, is_on, description, .. } = weights.of(finding.symbol());
    let points = Points::round(weight.as_f64() * f64::from(finding.strength()));
    let description = description.clone();
    is_on.then_some(Contribution { finding, points, unlimited: points, description })
}

/// Of what counts once, the first is the strongest.
fn keep_strongest(weights: &Weights, all: &mut Vec<Contribution>) {
    let mut seen = BTreeSet::new();
    all.retain(|each| {
        let symbol = each.finding.symbol();
        weights.of(symbol).repeats == Repeats::Each || seen.insert(symbol)
    });
}

/// Gives each its share of what its group may add; those that would add most come first.
fn limit_groups(weights: &Weights, all: &mut [Contribution]) {
    let mut left: BTreeMap<&str, (Points, Points)> =
        weights.groups().map(|(name, group)| (name, (group.most, group.least))).collect();
    for each in all {
        let Some((most, least)) = left.get_mut(&*weights.of(each.finding.symbol()).group) else {
            continue;
        };
        let limit = if each.points >= Points::ZERO { most } else { least };
        each.points = match each.points >= Points::ZERO {
            true => each.points.min(*limit),
            false => each.points.max(*limit),
        };
        *limit = limit.minus(each.points);
    }
}

/// More findings of one mail are not counted: no honest evidence needs them, and sums stay within bounds.
const MOST_FINDINGS: usize = 1000;
