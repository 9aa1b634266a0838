use super::*;

fn score(found: &[(Symbol, &str)]) -> Score {
    Weights::default().score(found.iter().map(|(symbol, evidence)| Finding::new(*symbol, evidence)))
}

#[test]
fn a_header_says_the_score_and_what_it_is_made_of() {
    let score = score(&[
        (Symbol::SpfFail, "192.0.2.7 may not send for example.org"),
        (Symbol::UrlHomograph, "\u{430}\u{440}\u{440}\u{4cf}\u{435}.com"),
        (Symbol::DkimNone, ""),
        (Symbol::SpfPass, "a \"quoted\" \\ word"),
    ]);
    assert_eq!(
        score.header_value(),
        "5.5;\r\n\tURL_HOMOGRAPH 3.0 \"\\u{430}\\u{440}\\u{440}\\u{4cf}\\u{435}.com\";\
         \r\n\tSPF_FAIL 2.5 \"192.0.2.7 may not send for example.org\";\
         \r\n\tDKIM_NONE 0.1;\r\n\tSPF_PASS -0.1 \"a 'quoted' \\ word\""
    );
    assert_eq!(
        score.log_line(),
        "score=5.5 URL_HOMOGRAPH=3.0 \"\u{430}\u{440}\u{440}\u{4cf}\u{435}.com\" \
         SPF_FAIL=2.5 \"192.0.2.7 may not send for example.org\" DKIM_NONE=0.1 SPF_PASS=-0.1 \"a 'quoted' \\ word\""
    );
    let first = score.rows().next().unwrap();
    assert_eq!(
        (first.symbol, first.points, first.unlimited),
        (Symbol::UrlHomograph, points(30), None)
    );
    assert!(first.description.starts_with("The name that a link leads to"));
}

#[test]
fn a_mail_of_which_nothing_is_known_scores_zero() {
    assert_eq!(score(&[]).header_value(), "0.0");
    assert_eq!(score(&[]).log_line(), "score=0.0");
}

#[test]
fn e8_h13_foreign_text_stays_on_one_line_and_between_its_quotes() {
    let finding = Finding::new(
        Symbol::SpfFail,
        " a\r\nBcc: x\u{1b}[2J \"\u{202e}gpj\u{200b}\0 \t b\u{2028}c ",
    );
    assert_eq!(finding.evidence(), "a Bcc: x\\u{1b}[2J \"\\u{202e}gpj\\u{200b}\\u{0} b c");
    let score = Weights::default().score([finding]);
    assert_eq!(score.log_line().matches('"').count(), 2);
    assert_eq!(score.log_line().lines().count(), 1);
    for line in score.header_value().split("\r\n").skip(1) {
        assert!(line.starts_with('\t'), "{line:?}");
    }
}

#[test]
fn evidence_has_at_most_160_characters() {
    let exact = "x".repeat(160);
    assert_eq!(Finding::new(Symbol::SpfFail, &exact).evidence(), exact);
    let long = Finding::new(Symbol::SpfFail, &"\u{e9}".repeat(100_000));
    assert_eq!(long.evidence().chars().count(), 160);
    assert!(long.evidence().ends_with('\u{2026}'));
    let escaped = Finding::new(Symbol::SpfFail, &"\u{202e}".repeat(1000));
    assert!(escaped.evidence().chars().count() <= 160);
}

#[test]
fn much_evidence_makes_no_endless_header_or_line() {
    let long = "x".repeat(500);
    let all: Vec<_> = Symbol::ALL.iter().map(|symbol| (*symbol, long.as_str())).collect();
    let score = score(&all);
    assert!(score.header_value().len() < 5_000, "{}", score.header_value().len());
    assert!(score.header_value().ends_with(";\r\n\t..."));
    assert!(score.log_line().contains(" more"));
}

proptest! {
    #[test]
    fn header_values_are_short_lines_of_printable_ascii(found in prop::collection::vec((0..Symbol::ALL.len(), "\\PC{0,200}"), 0..25)) {
        let found: Vec<_> = found.iter().map(|(at, text)| (Symbol::ALL[*at], text.as_str())).collect();
        let value = score(&found).header_value();
        for (index, line) in value.split("\r\n").enumerate() {
            prop_assert!(line.len() <= 78, "{line:?}");
            prop_assert!(index == 0 || line.starts_with('\t') && !line.trim().is_empty(), "{line:?}");
            let text = line.strip_prefix('\t').unwrap_or(line);
            prop_assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{line:?}");
        }
    }

    #[test]
    fn evidence_is_one_printable_line(text in any::<String>()) {
        let finding = Finding::new(Symbol::SpfFail, &text);
        prop_assert!(finding.evidence().chars().count() <= 160);
        let is_unseen = |character: char| character.is_control() || character == '\u{202e}';
        let has_unseen = finding.evidence().chars().any(is_unseen);
        prop_assert!(!has_unseen);
        prop_assert!(!finding.evidence().contains("  "));
    }
}
