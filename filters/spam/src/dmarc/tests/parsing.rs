//! What a record says.

use proptest::prelude::*;

use super::*;

fn record(text: &str) -> Record {
    Record::parse(text).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn every_tag_is_read() {
    let text = "v=DMARC1; p=reject; sp=quarantine; np=none; psd=n; t=y; adkim=s; aspf=s; fo=1:d:s; \
                rua=mailto:a@example.com, https://x.example/r!10m; ruf=mailto:b%2Cc@example.com?subject=x";
    let record = record(text);
    assert_eq!(
        (record.policy, record.subdomains, record.non_existent),
        (Policy::Reject, Some(Policy::Quarantine), Some(Policy::None))
    );
    assert_eq!((record.psd, record.test_mode), (Psd::Organizational, TestMode::On));
    assert_eq!((record.dkim, record.spf), (Alignment::Strict, Alignment::Strict));
    assert_eq!(
        record.failure_options,
        FailureOptions { dmarc: DmarcFailure::Any, dkim: true, spf: true }
    );
    let [first, second] = &*record.aggregate_reports else { panic!("{record:?}") };
    assert_eq!(*first, ReportUri::Mailto("a@example.com".parse().unwrap()));
    assert_eq!(*second, ReportUri::Other("https://x.example/r".into()));
    // An address with a comma in it is none, but a URI all the same.
    assert_eq!(
        *record.failure_reports,
        [ReportUri::Other("mailto:b%2Cc@example.com?subject=x".into())]
    );
}

#[test]
fn what_does_not_stand_there_has_its_default() {
    let record = record("v=DMARC1; p=none");
    assert_eq!((record.subdomains, record.non_existent), (None, None));
    assert_eq!((record.psd, record.test_mode), (Psd::Unspecified, TestMode::Off));
    assert_eq!((record.dkim, record.spf), (Alignment::Relaxed, Alignment::Relaxed));
    assert_eq!(record.failure_options, FailureOptions::default());
    assert!(record.aggregate_reports.is_empty() && record.failure_reports.is_empty());
}

#[test]
fn values_out_of_form_count_for_nothing() {
    let text =
        "v=DMARC1; p=reject; psd=yes; t=1; adkim=strict; aspf=; fo=0:1; rua=nobody; ruf=mailto:";
    let expected = Record { ..record("v=DMARC1; p=reject") };
    assert_eq!(record(text), expected);
    for fo in ["2", "d:d", "0:0", "", "1:x"] {
        assert_eq!(
            record(&format!("v=DMARC1; p=none; fo={fo}")).failure_options,
            FailureOptions::default(),
            "{fo}"
        );
    }
    let only_dkim = FailureOptions { dmarc: DmarcFailure::Unasked, dkim: true, spf: false };
    assert_eq!(record("v=DMARC1; p=none; fo=d").failure_options, only_dkim);
}

#[test]
fn blanks_case_and_empty_tags_do_not_matter() {
    for text in [
        "v=DMARC1;p=reject",
        "v = DMARC1 ; p = reject ;",
        "V=DMARC1; P=REJECT",
        "v=DMARC1;; ;p=reject;;",
        "v=DMARC1; adkim; =x; p=reject",
        "v=DMARC1; pct=1; rf=afrf; ri=3600; x-unknown=y; p=reject",
        "v=DMARC1; p=reject; p=none",
    ] {
        assert_eq!(record(text), record("v=DMARC1; p=reject"), "{text}");
    }
}

#[test]
fn what_does_not_begin_with_the_version_is_no_record() {
    for text in [
        "",
        "v=spf1 -all",
        "v=DMARC2; p=none",
        "v=dmarc1; p=none",
        "p=none; v=DMARC1",
        "v=DMARC1 p=none",
        "DMARC1; p=none",
        ";v=DMARC1",
    ] {
        assert_eq!(Record::parse(text), None, "{text}");
    }
    assert_eq!(record("v=DMARC1").usable, Usable::Not);
}

#[test]
fn a_wrong_policy_spoils_the_record_unless_it_asks_for_reports() {
    for (text, usable) in [
        ("v=DMARC1; p=reject; rua=x", Usable::AsPublished),
        ("v=DMARC1; p=refuse", Usable::Not),
        ("v=DMARC1; p=reject; sp=refuse", Usable::Not),
        ("v=DMARC1; p=reject; np=", Usable::Not),
        ("v=DMARC1; p=reject; sp=refuse; rua=mailto:a@example.com", Usable::AsNone),
        ("v=DMARC1; sp=reject; rua=mailto:a@example.com", Usable::AsNone),
        ("v=DMARC1; rua=mailto:a@example.com", Usable::AsNone),
        ("v=DMARC1; rua=a@example.com", Usable::Not),
    ] {
        let record = record(text);
        assert_eq!(record.usable, usable, "{text}");
        if usable != Usable::AsPublished {
            assert_eq!(
                (record.policy, record.subdomains, record.non_existent),
                (Policy::None, None, None),
                "{text}"
            );
        }
    }
}

#[test]
fn g6_a_text_of_64_kilobytes_has_a_bounded_list_of_reports() {
    let text = format!("v=DMARC1; p=none; rua={}", "mailto:a@example.com,".repeat(3_000));
    assert_eq!(record(&text).aggregate_reports.len(), MOST_URIS);
    let text = format!("v=DMARC1; p=none; rua=mailto:{}@example.com", "a".repeat(60_000));
    assert!(record(&text).aggregate_reports.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_makes_it_panic_and_only_a_version_in_front_makes_a_record(
        text in prop_oneof![
            any::<String>(),
            "v=DMARC1(;| |=|p|sp|np|none|reject|rua|mailto:|%|%4|@|!|k|,|:|psd|y|n|\u{e9}){0,40}",
        ],
    ) {
        let is_version = text.trim_start_matches(['v', 'V']).trim_start().starts_with('=');
        prop_assert!(Record::parse(&text).is_none() || is_version);
    }

    #[test]
    fn tags_may_stand_in_any_order(
        tags in Just(vec!["p=reject", "sp=quarantine", "np=none", "t=y", "psd=n", "adkim=s", "x=y", "rua=mailto:a@b.example"]).prop_shuffle(),
    ) {
        let expected = record("v=DMARC1;p=reject;sp=quarantine;np=none;t=y;psd=n;adkim=s;rua=mailto:a@b.example");
        prop_assert_eq!(record(&format!("v=DMARC1;{}", tags.join(";"))), expected);
    }
}
