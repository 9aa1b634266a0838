//! Tables of patterns against Postfix's own `postmap -q`: the same table and the same keys give
//! the same answers and the same warnings.
//!
//! With other seeds one regexp table of some thousands differs: a group within a repeated part that
//! can match nothing, as in `((a|)+|)*`, holds what the library happens to leave there.

#![allow(
    clippy::expect_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test, which runs a tool; the crate that it tests is pure"
)]

mod features;
mod generator;
mod pools;
mod postmap;
mod random;

use std::ops::RangeInclusive;

use generator::Generator;
use mailweir_test_servers::tools;
use postmap::{Postmap, compare};

/// Keys that each table is asked for.
const KEYS: usize = 60;

#[test]
fn random_pcre_tables_answer_as_postmap_does() {
    compare_random("pcre", seeds());
}

#[test]
fn random_regexp_tables_answer_as_postmap_does() {
    compare_random("regexp", seeds());
}

/// One table for each seed. `MAILWEIR_RULES_SEEDS=1000-9000` compares others, and more.
fn seeds() -> RangeInclusive<u64> {
    let seeds = std::env::var("MAILWEIR_RULES_SEEDS").unwrap_or_else(|_| "1-150".into());
    let (from, to) = seeds.split_once('-').expect("MAILWEIR_RULES_SEEDS=from-to");
    from.parse().expect("a number")..=to.parse().expect("a number")
}

fn compare_random(kind: &str, seeds: impl Iterator<Item = u64>) {
    if !tools::require(&["postmap"]) {
        return;
    }
    let postmap = Postmap::new();
    let mut matches = 0;
    let mut pairs = 0;
    let mut different = Vec::new();
    for seed in seeds {
        let mut generator = Generator::new(seed, kind);
        let table = generator.table();
        let keys = generator.keys(KEYS);
        match compare(&postmap, kind, &table, "-q", &keys) {
            Ok(count) => matches += count,
            Err(difference) => different.push(format!("seed {seed}: {difference}")),
        }
        pairs += keys.len();
    }
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n"));
    // Where nearly nothing matches, or all does, little is compared.
    assert!(matches * 10 > pairs && matches * 10 < pairs * 9, "{matches} matches of {pairs} keys");
}
