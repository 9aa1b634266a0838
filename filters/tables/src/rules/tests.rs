//! Tables as an administrator writes them.

use std::sync::Arc;

use super::{Dialect, Engine, Matching, RuleTable, RulesError};
use crate::{LookupError, PatternSteps};

fn table_of(dialect: Dialect, matching: Matching, source: &str) -> (RuleTable, Vec<String>) {
    let (table, warnings) =
        RuleTable::parse(dialect, matching, Arc::from("t:/t"), source.as_bytes()).unwrap();
    let said = |warning: &crate::Warning| format!("{}: {}", warning.line.unwrap(), warning.text);
    let warnings = warnings.iter().map(said).collect();
    (table, warnings)
}

fn pcre(source: &str) -> RuleTable {
    let (table, warnings) = table_of(Dialect::Pcre, Matching::Bytes, source);
    assert_eq!(warnings, [""; 0]);
    table
}

fn regexp(source: &str) -> RuleTable {
    let (table, warnings) = table_of(Dialect::Regexp, Matching::Bytes, source);
    assert_eq!(warnings, [""; 0]);
    table
}

fn text(source: &str) -> RuleTable {
    table_of(Dialect::Pcre, Matching::Text, source).0
}

fn value(table: &RuleTable, key: &str) -> Option<String> {
    let found = table.lookup(key.as_bytes()).unwrap()?;
    Some(String::from_utf8_lossy(&found.value).into_owned())
}

fn engine(dialect: Dialect, pattern: &str) -> Engine {
    let (table, _) = table_of(dialect, Matching::Bytes, &format!("{pattern} x"));
    table.engines().next().unwrap().1
}

#[test]
fn the_first_rule_of_the_file_that_holds_counts_and_says_where_it_stands() {
    let table = pcre("# c\n/nothing/ no\n/money.*fast/ REJECT one\n/money/\n REJECT two\n");
    let found = table.lookup(b"Subject: make MONEY quite FAST").unwrap().unwrap();
    assert_eq!((&*found.value, found.place.line), (&b"REJECT one"[..], Some(3)));
    let found = table.lookup(b"money").unwrap().unwrap();
    assert_eq!((&*found.value, found.place.line), (&b"REJECT two"[..], Some(4)));
    assert_eq!(table.lookup(b"Subject: hello").unwrap(), None);
    assert_eq!(&*table.lookup(b"money").unwrap().unwrap().place.table, "t:/t");
}

#[test]
fn what_no_part_of_a_text_can_be_is_told_at_once() {
    let text = b"first line\nsecond offer\nlast";
    for (source, may) in [
        ("/offer/ x\n/nothing/ y\n", true),
        ("/OFFER$/ x\n", true),
        ("/offers/ x\n/nothing/ y\n", false),
        ("/^last (one|two)/ x\n", false),
        ("if /offer/\n/second/ x\nendif\n", true),
        ("if /offers/\n/thousandth/ x\nendif\n", false),
        // Nothing is known of what has no words, or matches where they are not.
        ("!/offer/ x\n", true),
        ("/^.{5}$/ x\n/^.{4}$/ y\n", true),
        ("/(.)\\1/ x\n", true),
        ("", false),
    ] {
        let table = pcre(source);
        assert_eq!(table.may_hold_within(text), may, "{source}");
        let holds =
            text.split(|&byte| byte == b'\n').any(|key| table.lookup(key).unwrap().is_some());
        assert!(may || !holds, "{source}");
    }
}

#[test]
fn what_no_key_with_such_a_first_byte_can_be_is_told_at_once() {
    let key = b"Subject: an offer";
    for (source, may) in [
        ("/^From:/ x\n/^Sub/ y\n", true),
        ("/^(From|subject):/ x\n", true),
        ("/^From:/ x\n/^To:/ y\n", false),
        ("if /^From:/\n/^To:/ x\nendif\n", false),
        ("if /^s/\n/offer/ x\nendif\n", true),
        ("if !/^From:/\n/^Subject/ x\nendif\n", true),
        // Nothing is known of a key for which there is no match, or one elsewhere.
        ("!/^From:/ x\n", true),
        ("/^From:/ x\n/offer/ y\n", true),
        ("/^(From)?/ x\n", true),
        ("", false),
    ] {
        let table = pcre(source);
        assert_eq!(table.may_hold_at(&key[..1]), may, "{source}");
        assert!(may || table.lookup(key).unwrap().is_none(), "{source}");
    }
}

#[test]
fn the_order_holds_between_rules_with_words_without_and_negated_ones() {
    let table = pcre("/^[0-9]+$/ digits\n/word/ word\n!/a/ no a\n/^.{3}$/ three\n/(?=b)a*/ b\n");
    assert_eq!(value(&table, "12").as_deref(), Some("digits"));
    assert_eq!(value(&table, "a word").as_deref(), Some("word"));
    assert_eq!(value(&table, "xyz").as_deref(), Some("no a"));
    assert_eq!(value(&table, "cat").as_deref(), Some("three"));
    assert_eq!(value(&table, "abba").as_deref(), Some("b"));
    assert_eq!(value(&table, "aaaa"), None);
}

#[test]
fn an_if_guards_what_stands_up_to_its_endif_and_they_nest() {
    let source = "if /a/\nif !/b/\n/c/ a and c, no b\nendif\n/d/ a and d\nendif\n/d/ d alone\n";
    let table = pcre(source);
    assert_eq!(value(&table, "ac").as_deref(), Some("a and c, no b"));
    assert_eq!(value(&table, "abc"), None);
    assert_eq!(value(&table, "abcd").as_deref(), Some("a and d"));
    assert_eq!(value(&table, "cd").as_deref(), Some("d alone"));
}

#[test]
fn an_if_that_is_skipped_does_not_guard_and_its_endif_closes_another() {
    let source = "if /a/\nif /(/\n/b/ b\nendif\n/c/ c\nendif\n";
    let (table, warnings) = table_of(Dialect::Pcre, Matching::Bytes, source);
    assert!(warnings[0].starts_with("2: error in regex at offset 1: missing"), "{warnings:?}");
    assert_eq!(warnings[1..], ["6: ignoring ENDIF without matching IF"]);
    assert_eq!(value(&table, "c").as_deref(), Some("c"));
    assert_eq!(value(&table, "b"), None);
}

#[test]
fn an_if_without_endif_reaches_to_the_end() {
    let (table, warnings) = table_of(Dialect::Regexp, Matching::Bytes, "if /a/\nif /b/\n/c/ c\n");
    assert_eq!(warnings, ["2: IF has no matching ENDIF", "1: IF has no matching ENDIF"]);
    assert_eq!(value(&table, "c"), None);
    assert_eq!(value(&table, "abc").as_deref(), Some("c"));
}

#[test]
fn bad_lines_are_skipped_in_postfix_s_words() {
    let source = "/a/q x\n/b/ $x\n/(c)/ $2\n!/(d)/ $1\n/e\nhello world\n!\n/f/\n/g/ ok\n";
    let (table, warnings) = table_of(Dialect::Regexp, Matching::Bytes, source);
    assert_eq!(
        warnings,
        [
            "1: unknown regexp option \"q\": skipping this rule",
            "2: non-numeric replacement index \"x\"",
            "2: bad replacement syntax: skipping this rule",
            "3: out of range replacement index \"2\": skipping this rule",
            "4: $number found in negative match replacement text: skipping this rule",
            "5: no closing regexp delimiter \"/\": skipping this rule",
            "6: ignoring unrecognized request",
            "7: no regexp: skipping this rule",
            "8: no replacement text: using empty string",
        ]
    );
    assert_eq!(value(&table, "g").as_deref(), Some("ok"));
    assert!(table.lookup(b"f").unwrap().unwrap().value.is_empty());
}

#[test]
fn what_groups_matched_goes_into_the_result() {
    let table = pcre("/^(.*?)-outgoing@(.*)$/ 550 Use ${1}@$(2) instead, $$1\n");
    let found = value(&table, "list-outgoing@example.org");
    assert_eq!(found.as_deref(), Some("550 Use list@example.org instead, $1"));
    let found = value(&pcre("/(a)|(b)/ [$1$2]\n"), "b");
    assert_eq!(found.as_deref(), Some("[b]"));
}

#[test]
fn groups_of_regexp_hold_what_the_longest_match_gives_them() {
    let table = regexp("/x(a|ab)(c|bcd)(d*)/ [$1][$2][$3]\n/y(a|ab)(c)?/ [$1][$2]\n");
    assert_eq!(value(&table, "xabcd").as_deref(), Some("[a][bcd][]"));
    assert_eq!(value(&table, "yabc").as_deref(), Some("[ab][c]"));
}

#[test]
fn regexp_has_two_patterns_in_a_rule() {
    let table = regexp("/a(.)/!/b/ a$1 without b\n/a/!!/c/ both\n");
    assert_eq!(value(&table, "ax").as_deref(), Some("ax without b"));
    assert_eq!(value(&table, "abc").as_deref(), Some("both"));
    assert_eq!(value(&table, "ab"), None);
}

#[test]
fn flags_toggle_what_they_name() {
    assert_eq!(value(&pcre("/a/ x\n"), "A").as_deref(), Some("x"));
    assert_eq!(value(&pcre("/a/i x\n"), "A"), None);
    assert_eq!(value(&pcre("/a/ii x\n"), "A").as_deref(), Some("x"));
    assert_eq!(value(&pcre("/a b/x x\n"), "ab").as_deref(), Some("x"));
    assert_eq!(value(&pcre("/a/A x\n"), "ba"), None);
    assert_eq!(value(&pcre("/(a+)/U $1\n"), "aaa").as_deref(), Some("a"));
    assert_eq!(value(&pcre("/^b$/m x\n"), "a\nb\nc").as_deref(), Some("x"));
    assert_eq!(value(&pcre("/a.b/ x\n"), "a\nb").as_deref(), Some("x"));
    assert_eq!(value(&pcre("/a.b/s x\n"), "a\nb"), None);
    assert_eq!(value(&regexp("/a+/x x\n"), "a+").as_deref(), Some("x"));
    assert_eq!(value(&regexp("/a+/x x\n"), "aa"), None);
    assert_eq!(value(&regexp("/^b$/m x\n"), "a\nb\nc").as_deref(), Some("x"));
}

#[test]
fn a_dollar_of_pcre_matches_before_a_newline_at_the_end() {
    let table = pcre("/^a$/ plain\n/^b$/E only\n/^c\\Z/ capital\n/c\\z/ small\n/(d)$/ $1\n");
    assert_eq!(value(&table, "a\n").as_deref(), Some("plain"));
    assert_eq!(value(&table, "b\n"), None);
    assert_eq!(value(&table, "b").as_deref(), Some("only"));
    assert_eq!(value(&table, "c\n").as_deref(), Some("capital"));
    assert_eq!(value(&table, "d\n").as_deref(), Some("d"));
    assert_eq!(value(&table, "a\n\n"), None);
    assert_eq!(value(&regexp("/^a$/ x\n"), "a\n"), None);
}

#[test]
fn only_what_needs_it_backtracks() {
    for pattern in [
        "/^Subject: .*(money|cash) +fast\\b$/",
        "/^(?:[a-z0-9._%+-]+)@example\\.(com|org)$/",
        "/\\Qa.b\\E[[:alpha:]]{2,3}?\\x41/",
    ] {
        assert_eq!(engine(Dialect::Pcre, pattern), Engine::Automaton, "{pattern}");
    }
    for pattern in ["/^(?!owner-)a/", "/(a)\\1/", "/(?>a+)b/", "/a++b/", "/(?R)?a/", "/\\Ka/"] {
        assert_eq!(engine(Dialect::Pcre, pattern), Engine::Backtracking, "{pattern}");
    }
    assert_eq!(engine(Dialect::Regexp, "/^(a|b)*[[:alpha:]]{2}\\>/"), Engine::Automaton);
    assert_eq!(engine(Dialect::Regexp, "/(a)\\1/"), Engine::Backtracking);
}

#[test]
fn look_around_and_references_mean_what_they_do_in_postfix() {
    let table =
        pcre("/^(?!owner-)(.*)-outgoing@(.*)/ 550 Use ${1}@${2} instead\n/(.)\\1x/ twice\n");
    assert_eq!(value(&table, "owner-a-outgoing@b"), None);
    assert_eq!(value(&table, "a-outgoing@b").as_deref(), Some("550 Use a@b instead"));
    assert_eq!(value(&table, "aax").as_deref(), Some("twice"));
    assert_eq!(value(&regexp("/(.)\\1x/ twice\n"), "aAx").as_deref(), Some("twice"));
}

#[test]
fn a_pattern_that_takes_too_many_steps_is_an_error_that_names_it() {
    let table = pcre("/fine/ x\n/^(?!c)(a+)+$/ y\n");
    let key = "a".repeat(40) + "b";
    let Err(LookupError::TooManySteps { place }) = table.lookup(key.as_bytes()) else {
        panic!("no limit");
    };
    assert_eq!(place.line, Some(2));
    assert_eq!(value(&table, &(key + "fine")).as_deref(), Some("x"));
}

#[test]
fn a_pattern_cannot_lift_the_limits() {
    let key = "a".repeat(14) + "b";
    let cost = |pattern: &str| {
        let (table, steps) = (pcre(&format!("/{pattern}/ y\n")), PatternSteps::all());
        let answer = table.lookup_within(key.as_bytes(), &steps);
        assert!(matches!(answer, Ok(None)), "{pattern}: {answer:?}");
        PatternSteps::ALL - steps.left()
    };
    let plain = cost("^(?!c)(a+)+$");
    assert!(plain > 0);
    for own in ["(*LIMIT_MATCH=9999999)", "(*LIMIT_MATCH=5)", "(*LIMIT_DEPTH=4000000000)(*UTF)"] {
        assert_eq!(cost(&format!("{own}^(?!c)(a+)+$")), plain, "{own}");
    }
}

#[test]
fn what_backtracking_remembers_of_a_long_key_is_limited() {
    let table = pcre("/^(?!c)(?:a|(b))*$/ y\n");
    let key = "ab".repeat(2_000_000);
    let answer = table.lookup(key.as_bytes());
    assert!(matches!(answer, Err(LookupError::TooManySteps { .. })), "{answer:?}");
}

#[test]
fn the_same_pattern_without_look_around_is_linear() {
    let table = pcre("/^(?:a+)+$/ y\n");
    assert_eq!(value(&table, &("a".repeat(100_000) + "b")), None);
}

#[test]
fn text_has_characters_and_their_cases() {
    let table = text("/^привет.$/ greeting\n/^[а-я]{3}$/ three\n/(?<=ж)ё/ behind\n");
    assert_eq!(value(&table, "ПРИВЕТ€").as_deref(), Some("greeting"));
    assert_eq!(value(&table, "ДОМ").as_deref(), Some("three"));
    assert_eq!(value(&table, "ЖЁ").as_deref(), Some("behind"));
    let posix = table_of(Dialect::Regexp, Matching::Text, "/^при(.)[[:alpha:]]т$/ $1\n").0;
    assert_eq!(value(&posix, "ПРИВЕТ").as_deref(), Some("В"));
}

#[test]
fn settings_of_pcre2_stay_in_front_whatever_the_flags() {
    let table = pcre("/(*UTF)(*ANYCRLF)^.(?!x)b+$/U one\n/(*UTF)\\x{416}(?!x)/A two\n");
    assert_eq!(value(&table, "жbb").as_deref(), Some("one"));
    assert_eq!(value(&table, "Ж").as_deref(), Some("two"));
    assert_eq!(value(&table, "aЖ"), None);
    // It is not UTF-8, so these rules hold neither way.
    assert_eq!(table.lookup(b"\xe9b").unwrap(), None);
}

#[test]
fn an_anchored_pattern_may_end_in_a_comment_or_a_quotation() {
    let table = pcre("/(?!x)(?x)a #b/A one\n/(?!x)b\\Q.)/A two\n/(?!x)c #d/xA three\n");
    assert_eq!(value(&table, "a").as_deref(), Some("one"));
    assert_eq!(value(&table, "b.)").as_deref(), Some("two"));
    assert_eq!(value(&table, "c").as_deref(), Some("three"));
    assert_eq!(value(&table, "xa"), None);
}

#[test]
fn bytes_are_bytes() {
    let (table, _) = RuleTable::parse(
        Dialect::Pcre,
        Matching::Bytes,
        Arc::from("t"),
        b"/^\xe9(?=.$)/ one\n/^\xc3.$/ two\n/[\xe0-\xff]\\\xe8(?!x)/ three\n",
    )
    .unwrap();
    let line = |key: &[u8]| table.lookup(key).unwrap().map(|found| found.value.into_owned());
    assert_eq!(line(b"\xe9x").as_deref(), Some(&b"one"[..]));
    assert_eq!(line("é".as_bytes()).as_deref(), Some(&b"two"[..]));
    assert_eq!(line(b"\xe1\xe8").as_deref(), Some(&b"three"[..]));
    assert_eq!(line(b"\xc9x"), None);
}

#[test]
fn a_pattern_that_postfix_takes_and_we_do_not_refuses_the_table() {
    let refused = |dialect, source: &str| {
        RuleTable::parse(dialect, Matching::Bytes, Arc::from("t"), source.as_bytes()).unwrap_err()
    };
    let deep = format!("/a/ x\n/{}{}/ x\n", "(".repeat(300), ")".repeat(300));
    let error = refused(Dialect::Regexp, &deep);
    assert!(matches!(error, RulesError::Pattern { line: 2, .. }), "{error}");
}

#[test]
fn no_pattern_costs_more_than_its_length_says() {
    let pluses = regexp(&format!("/(a{})b/ $1", "+".repeat(60)));
    assert_eq!(value(&pluses, "xaab").as_deref(), Some("aa"));
    let load = |source: String| {
        let kind = Dialect::Regexp;
        RuleTable::parse(kind, Matching::Bytes, "t".into(), source.as_bytes()).map(|_| ())
    };
    let dollars = load(format!("/{}/x OK", "$".repeat(100_000)));
    assert_eq!(dollars.unwrap_err().to_string(), "line 1: too large a pattern");
    let stars = format!("{})", "*".repeat(150)).repeat(150);
    let nested = load(format!("/{}a{stars}/ OK", "(".repeat(150)));
    assert_eq!(nested.unwrap_err().to_string(), "line 1: groups are nested too deeply");
}

#[test]
fn a_group_that_is_repeated_no_times_still_counts() {
    let table = regexp(r"/(a){0}(b)(c)\2/ $1:$2:$3");
    assert_eq!(value(&table, "bcb").as_deref(), Some(":b:c"));
    assert_eq!(value(&table, "bcc"), None);
}

#[test]
fn a_key_is_not_changed_by_the_one_before() {
    let table = pcre("if /scope/\n/word/ inside\nendif\n!/word/ none\n/word/ outside\n");
    for _ in 0..3 {
        assert_eq!(value(&table, "scope word").as_deref(), Some("inside"));
        assert_eq!(value(&table, "word").as_deref(), Some("outside"));
        assert_eq!(value(&table, "scope").as_deref(), Some("none"));
    }
}

mod random {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_table_and_no_key_make_it_panic(
            source in proptest::collection::vec(any::<u8>(), 0..200),
            syntax in "([!/a-c(){}\\[\\]\\\\|*+?^$.:=,0-9 \n-]|if |endif\n|/ x\n|\\(\\?|\\[\\[:){0,60}",
            key in proptest::collection::vec(any::<u8>(), 0..50),
            dialect in prop_oneof![Just(Dialect::Pcre), Just(Dialect::Regexp)],
            matching in prop_oneof![Just(Matching::Bytes), Just(Matching::Text)],
        ) {
            for source in [&source[..], syntax.as_bytes()] {
                if let Ok((table, _)) = RuleTable::parse(dialect, matching, Arc::from("t"), source) {
                    let _ = table.lookup(&key);
                    let _ = table.lookup(b"abc\n");
                }
            }
        }
    }
}
