use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{entries::BUILT_IN, file, *};
use crate::decide::Policy;

mod reading;
mod showing;

fn points(tenths: i32) -> Points {
    Points::from_tenths(tenths)
}

fn group<'w>(weights: &'w Weights, name: &str) -> &'w Group {
    weights.groups().find(|(known, _)| *known == name).unwrap().1
}

#[test]
fn the_built_in_file_has_no_mistake_and_an_entry_for_each_symbol() {
    let file = file::read(BUILT_IN, |_| false).unwrap();
    let described: BTreeSet<Symbol> = file.symbols.iter().map(|(symbol, _)| *symbol).collect();
    let all: BTreeSet<Symbol> = Symbol::ALL.iter().copied().collect();
    assert_eq!(described, all);
    for (symbol, entry) in &file.symbols {
        assert!(
            entry.weight.is_some() && entry.description.is_some() && entry.group.is_some(),
            "{symbol}"
        );
    }
}

#[test]
fn symbols_have_different_names_that_lead_back_to_them() {
    let names: BTreeSet<&str> = Symbol::ALL.iter().map(|symbol| symbol.name()).collect();
    assert_eq!(names.len(), Symbol::ALL.len());
    for (index, symbol) in Symbol::ALL.iter().enumerate() {
        assert_eq!(*symbol as usize, index);
        assert_eq!(symbol.name().parse(), Ok(*symbol));
        assert!(
            symbol.name().bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_')),
            "{symbol}"
        );
    }
    assert!("spf_fail".parse::<Symbol>().is_err());
}

#[test]
fn no_symbol_quarantines_alone_unless_the_file_says_why() {
    let weights = Weights::default();
    for symbol in Symbol::ALL {
        let entry = weights.of(*symbol);
        let is_light = entry.weight < Points::QUARANTINE;
        let is_single = entry.repeats == Repeats::Strongest || entry.weight <= Points::ZERO;
        assert!((is_light && is_single) || entry.alone.is_some(), "{symbol}, whatever its group");
    }
    assert!(weights.most_alone(Symbol::Uribl) >= Points::QUARANTINE, "two links");
    assert!(weights.most_alone(Symbol::Malware) >= Points::QUARANTINE);
    assert_eq!(weights.most_alone(Symbol::Dnswl), Points::ZERO);
}

#[test]
fn who_is_sure_of_spam_holds_a_mail_and_who_only_takes_it_for_spam_needs_other_evidence() {
    let weights = Weights::default();
    let quarantine = Policy::INBOUND.quarantine.unwrap();
    let score = |symbols: &[Symbol]| {
        weights.score(symbols.iter().map(|symbol| Finding::new(*symbol, ""))).total()
    };
    assert!(score(&[Symbol::BayesSureSpam]) >= quarantine);
    assert!(score(&[Symbol::BayesSpam]) < quarantine);
    assert!(score(&[Symbol::BayesSpam, Symbol::HtmlForm]) >= quarantine);
    // An author who is proven is enough for a doubt.
    let proven = [Symbol::SpfPass, Symbol::DkimValid, Symbol::DmarcPass];
    assert!(score(&[&proven[..], &[Symbol::BayesSureSpam]].concat()) < quarantine);
    assert!(score(&[Symbol::BayesLikelySpam, Symbol::HtmlForm]) < Policy::INBOUND.tag.unwrap());
}

#[test]
fn groups_of_small_evidence_do_not_quarantine_alone() {
    let weights = Weights::default();
    let quarantine = Policy::INBOUND.quarantine.unwrap();
    for name in ["connection", "authentication", "sender", "header", "text", "links", "structure"] {
        assert!(group(&weights, name).most < quarantine, "{name}");
    }
}

#[test]
fn f8_what_nobody_could_find_out_weighs_nothing() {
    let weights = Weights::default();
    let unclear: Vec<_> =
        Symbol::ALL.iter().filter(|symbol| symbol.name().ends_with("_TEMPERROR")).collect();
    assert_eq!(unclear.len(), 5);
    for symbol in unclear {
        assert_eq!(weights.of(*symbol).weight, Points::ZERO, "{symbol}");
    }
}

#[test]
fn a_group_adds_no_more_than_its_limit_and_the_rows_add_up() {
    let weights = Weights::with_file(
        "group.text.most = 3.0\nsymbol.HTML_BROKEN_WORDS.weight = 2.5\nsymbol.HTML_REFRESH.weight = 2\nsymbol.HTML_FORM.weight = 0.5\nsymbol.SPF_FAIL.weight = 1",
    )
    .unwrap();
    let found = [Symbol::HtmlForm, Symbol::HtmlRefresh, Symbol::SpfFail, Symbol::HtmlBrokenWords];
    let score = weights.score(found.map(|symbol| Finding::new(symbol, "")));
    assert_eq!(score.total(), points(40));
    let rows: Vec<_> = score.rows().map(|row| (row.symbol, row.points, row.unlimited)).collect();
    assert_eq!(
        rows,
        [
            (Symbol::HtmlBrokenWords, points(25), None),
            (Symbol::SpfFail, points(10), None),
            (Symbol::HtmlRefresh, points(5), Some(points(20))),
            (Symbol::HtmlForm, points(0), Some(points(5))),
        ]
    );
}

#[test]
fn what_speaks_for_a_mail_has_a_limit_of_its_own() {
    let weights = Weights::default();
    let each = weights.of(Symbol::Dnswl).weight;
    assert_eq!(weights.of(Symbol::Dnswl).repeats, Repeats::Each);
    let least = group(&weights, "lists").least;
    let good = || std::iter::repeat_with(|| Finding::new(Symbol::Dnswl, "list.example"));
    assert_eq!(weights.score(good().take(1)).total(), each);
    assert_eq!(weights.score(good().take(9)).total(), least);
    let mixed = weights.score(good().take(9).chain([Finding::new(Symbol::Dnsbl, "")]));
    assert_eq!(mixed.total(), least.plus(weights.of(Symbol::Dnsbl).weight));
}

#[test]
fn what_is_found_twice_counts_once_where_it_is_strongest() {
    let weights = Weights::default();
    let found =
        |strength: f32, evidence| Finding::new(Symbol::Rspamd, evidence).with_strength(strength);
    let score = weights.score([found(0.5, "a"), found(1.0, "b"), found(0.1, "c")]);
    assert_eq!(score.contributions().len(), 1);
    assert_eq!(score.found(Symbol::Rspamd).map(Finding::evidence), Some("b"));
    assert_eq!(score.total(), weights.of(Symbol::Rspamd).weight);
}

#[test]
fn a_symbol_that_is_off_is_not_seen() {
    let weights = Weights::with_file("symbol.SPF_FAIL.on = false").unwrap();
    let score = weights.score([Finding::new(Symbol::SpfFail, "")]);
    assert_eq!((score.total(), score.contributions().len()), (Points::ZERO, 0));
}

#[test]
fn strengths_are_bounded() {
    let strength =
        |strength: f32| Finding::new(Symbol::Dnsbl, "").with_strength(strength).strength();
    assert_eq!(strength(f32::NAN), 0.0);
    assert_eq!(strength(-3.0), 0.0);
    assert_eq!(strength(f32::INFINITY), MOST_STRENGTH);
    assert_eq!(strength(0.25), 0.25);
}

#[test]
fn points_round_halves_away_from_zero() {
    for (number, tenths) in
        [(0.0, 0), (0.25, 3), (-0.25, -3), (1.04, 10), (f64::NAN, 0), (f64::INFINITY, 1_000_000)]
    {
        assert_eq!(Points::round(number), points(tenths), "{number}");
    }
    assert_eq!(points(-5).to_string(), "-0.5");
    assert_eq!(points(123).to_string(), "12.3");
    assert_eq!(points(0).to_string(), "0.0");
}

#[test]
fn probabilities_fall_into_bands() {
    for (probability, band) in [
        (0.0, Some(Symbol::BayesSureHam)),
        (0.01, Some(Symbol::BayesHam)),
        (0.2, None),
        (0.79, None),
        (0.8, Some(Symbol::BayesLikelySpam)),
        (0.95, Some(Symbol::BayesSpam)),
        (0.989, Some(Symbol::BayesSpam)),
        (0.99, Some(Symbol::BayesSureSpam)),
        (1.0, Some(Symbol::BayesSureSpam)),
        (f64::NAN, None),
    ] {
        assert_eq!(Symbol::of_probability(probability), band, "{probability}");
    }
}

fn finding() -> impl Strategy<Value = Finding> {
    (0..Symbol::ALL.len(), 0.0f32..5.0, "[a-c\u{202e}\n]{0,3}").prop_map(
        |(symbol, strength, evidence)| {
            Finding::new(Symbol::ALL[symbol], &evidence).with_strength(strength)
        },
    )
}

proptest! {
    #[test]
    fn the_order_of_findings_does_not_matter(mut found in prop::collection::vec(finding(), 0..30)) {
        let weights = Weights::default();
        let score = weights.score(found.clone());
        found.reverse();
        let again = weights.score(found);
        prop_assert_eq!(score.total(), again.total());
        prop_assert_eq!(score.header_value(), again.header_value());
        let sum: Points = score.rows().map(|row| row.points).sum();
        prop_assert_eq!(sum, score.total());
    }
}
