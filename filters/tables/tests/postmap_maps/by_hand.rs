//! Tables written by hand, beside postmap.

use std::ops::RangeInclusive;

use mailweir_test_servers::tools;

use crate::postmap::Bench;

/// Letters of Unicode 16 and 17, which the ICU of a Postfix may be too old to know.
const NEWER_LETTERS: [RangeInclusive<char>; 6] = [
    '\u{1c89}'..='\u{1c8a}',
    '\u{a7cb}'..='\u{a7cf}',
    '\u{a7d2}'..='\u{a7d5}',
    '\u{a7da}'..='\u{a7dc}',
    '\u{10d50}'..='\u{10d85}',
    '\u{16ea0}'..='\u{16ed3}',
];

fn keys(keys: &[&str]) -> Vec<Vec<u8>> {
    keys.iter().map(|key| key.as_bytes().to_vec()).collect()
}

#[test]
fn letters_are_the_same_whatever_their_case_in_all_of_unicode() {
    if !tools::require(&["postmap"]) {
        return;
    }
    let bench = Bench::new();
    let has_case = |c: &char| !c.to_lowercase().eq([*c]) || !c.to_uppercase().eq([*c]);
    let is_old = |c: &char| !NEWER_LETTERS.iter().any(|newer| newer.contains(c));
    let letters: Vec<char> = ('\0'..=char::MAX).filter(has_case).filter(is_old).collect();
    assert!(letters.len() > 2_500);
    let source: String =
        letters.iter().map(|c| format!("x{c} U+{:04X}\n", u32::from(*c))).collect();
    bench.write("letters", source.as_bytes());
    let keys: Vec<Vec<u8>> = letters.iter().map(|c| format!("X{c}").into_bytes()).collect();
    bench.compare_answers(&bench.spec("texthash", "letters"), &keys, 0);
}

#[test]
fn a_duplicate_key_keeps_its_first_value_in_every_type_of_table() {
    if !tools::require(&["postmap"]) {
        return;
    }
    let bench = Bench::new();
    bench.write("twice", b"a@b.c one\nA@B.C two\nx y\na@b.c three\n");
    bench.compare(&bench.spec("texthash", "twice"), &keys(&["a@b.c", "x"]), 0);
    for kind in ["hash", "btree"] {
        let said = bench.make(kind, "twice");
        assert_eq!(said.iter().filter(|line| line.contains("duplicate entry")).count(), 2);
        bench.compare_answers(&bench.spec(kind, "twice"), &keys(&["a@b.c", "x"]), 0);
    }
}

#[test]
fn a_failing_member_is_a_failing_union_or_pipe() {
    if !tools::require(&["postmap"]) {
        return;
    }
    let bench = Bench::new();
    for spec in [
        "unionmap:{fail:x,static:y}",
        "unionmap:{static:y,fail:x}",
        "pipemap:{inline:{a=b},fail:x}",
        "fail:x",
    ] {
        let output = bench.ask(spec, &keys(&["a"]));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("query error"), "{spec}: {said}");
        let (table, _) = bench.load(spec).unwrap();
        assert!(
            matches!(table.lookup(b"a"), mailweir_tables::Step::Done(Err(_))),
            "{spec} has an answer"
        );
    }
    bench.compare_answers("pipemap:{inline:{a=b},fail:x}", &keys(&["b", "c"]), 0);
}

#[test]
fn a_union_folds_the_key_if_its_first_table_has_whole_keys() {
    if !tools::require(&["postmap"]) {
        return;
    }
    let bench = Bench::new();
    for spec in [
        "unionmap:{inline:{x=y},cidr:{{2001:db8::/32 a}}}",
        "unionmap:{cidr:{{2001:db8::/32 a}},inline:{x=y}}",
        "pipemap:{cidr:{{2001:db8::/32 A}},inline:{a=b}}",
    ] {
        bench.compare_answers(spec, &keys(&["2001:DB8::1", "X", "x", "é"]), 0);
    }
}

#[test]
fn a_network_table_in_its_name_answers_as_in_a_file() {
    if !tools::require(&["postmap"]) {
        return;
    }
    let bench = Bench::new();
    for spec in [
        "cidr:{{1.2.3.4 x},{ 1.2.0.0/16  y }}",
        "cidr:{ {bad y}, {1.2.3.4 x} }",
        "cidr:{}",
        "cidr:{ {if 1.2.3.4}, {0.0.0.0/0 x}, {endif}, {!1.2.3.0/24 y} }",
        "cidr:{1.2.3.4 x}",
        "cidr:{{1.2.3.4 x}{y z}}",
    ] {
        bench.compare_answers(spec, &keys(&["1.2.3.4", "1.2.3.5", "1.2.9.9", "9.9.9.9"]), 0);
    }
}

#[test]
fn an_empty_file_is_an_empty_table() {
    if !tools::require(&["postmap"]) {
        return;
    }
    let bench = Bench::new();
    for source in [b"".as_slice(), b"\n\n", b"# nothing", b"  stray"] {
        bench.write("empty", source);
        bench.compare(&bench.spec("texthash", "empty"), &keys(&["", "x"]), 0);
        bench.compare(&bench.spec("cidr", "empty"), &keys(&["", "1.2.3.4"]), 0);
    }
}
