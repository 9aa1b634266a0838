//! The tables beside the real postmap(1): the same source, the same keys, the same answers and
//! the same warnings. Skipped where Postfix is not installed.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the crate is pure; this test runs postmap and writes the files that it reads"
)]
#![expect(clippy::expect_used, reason = "a test that cannot go on says what it expected")]

mod by_hand;
mod generator;
mod postmap;

use generator::Generator;
use mailweir_test_servers::tools;
use postmap::Bench;

#[test]
fn text_tables_answer_and_warn_as_postmap() {
    if !tools::require(&["postmap"]) {
        return;
    }
    let bench = Bench::new();
    let mut pairs = 0;
    for seed in 0..50 {
        let mut generator = Generator::new(seed);
        let source = generator.text_source();
        let keys = generator.text_keys();
        bench.write("text", &source);
        bench.compare(&bench.spec("texthash", "text"), &keys, seed);
        pairs += keys.len();
        let kind = if seed % 2 == 0 { "hash" } else { "btree" };
        bench.make(kind, "text");
        bench.compare_answers(&bench.spec(kind, "text"), &keys, seed);
        pairs += keys.len();
    }
    assert!(pairs > 4_000, "{pairs} pairs");
}

#[test]
fn tables_of_networks_answer_and_warn_as_postmap() {
    if !tools::require(&["postmap"]) {
        return;
    }
    let bench = Bench::new();
    let mut pairs = 0;
    for seed in 0..80 {
        let mut generator = Generator::new(seed);
        bench.write("cidr", &generator.cidr_source());
        let keys = generator.addresses();
        bench.compare(&bench.spec("cidr", "cidr"), &keys, seed);
        pairs += keys.len();
    }
    assert!(pairs > 3_000, "{pairs} pairs");
}

#[test]
fn composed_tables_answer_as_postmap() {
    if !tools::require(&["postmap"]) {
        return;
    }
    let bench = Bench::new();
    let mut pairs = 0;
    for seed in 0..80 {
        let mut generator = Generator::new(seed);
        bench.write("text", &generator.plain_source());
        let text = bench.spec("texthash", "text");
        let spec = generator.composed(&text, 0);
        let keys = generator.short_keys();
        bench.compare_answers(&spec, &keys, seed);
        pairs += keys.len();
    }
    assert!(pairs > 2_000, "{pairs} pairs");
}

#[test]
fn names_of_tables_are_refused_as_postmap_refuses_them() {
    if !tools::require(&["postmap"]) {
        return;
    }
    let bench = Bench::new();
    // postmap sleeps for a second before it ends with an error: side by side.
    std::thread::scope(|scope| {
        for first in 0..20 {
            let bench = &bench;
            scope.spawn(move || {
                for seed in (first..120).step_by(20) {
                    let spec = Generator::new(seed).broken_spec();
                    bench.compare_answers(&spec, &[b"a".to_vec(), b"x".to_vec()], seed);
                }
            });
        }
    });
}
