use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::{
    List, ListError, Pattern, PatternError, Subject, Trouble, Unasked, Verdict, Weight,
    WeightError, ask,
};
use crate::dns::{
    Answer,
    table::{Table, at_once},
};

fn list(text: &str) -> List {
    List::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn address(text: &str) -> Subject<'_> {
    Subject::Address(text.parse().unwrap())
}

/// The entries that some answers match, each with its code and weight.
fn listings(list: &List, codes: &[[u8; 4]]) -> Vec<(String, String, String)> {
    match list.judge(&found(codes)) {
        Verdict::Listed(listings) => {
            let text = |of: &super::Listing| {
                (of.list.to_string(), of.code.to_string(), of.weight.to_string())
            };
            listings.iter().map(text).collect()
        }
        Verdict::NotListed => Vec::new(),
        other => panic!("{other:?}"),
    }
}

fn found(codes: &[[u8; 4]]) -> Answer<Ipv4Addr> {
    Answer::Found(codes.iter().map(|code| Ipv4Addr::from(*code)).collect())
}

#[test]
fn addresses_are_asked_for_backwards_and_domains_as_they_are() {
    let list = list("BL.example.");
    for (subject, name) in [
        (address("192.0.2.1"), "1.2.0.192.bl.example"),
        (address("::ffff:192.0.2.1"), "1.2.0.192.bl.example"),
        (
            address("2001:db8::f1"),
            "1.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example",
        ),
        (Subject::Domain("Mail.Example.ORG."), "mail.example.org.bl.example"),
        (Subject::Domain("b\u{fc}cher.example"), "xn--bcher-kva.example.bl.example"),
    ] {
        assert_eq!(list.name_of(subject).as_deref(), Ok(name));
    }
}

#[test]
fn nobody_is_asked_about_what_no_stranger_can_have() {
    let table = Table::default();
    for text in [
        "127.0.0.2",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.1.1",
        "100.64.0.1",
        "100.127.255.255",
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::1",
    ] {
        let verdict = at_once(ask(&list("bl.example"), address(text), &table));
        assert_eq!(verdict, Verdict::NotAsked(Unasked::PrivateAddress), "{text}");
    }
    let long = ["a".repeat(60).as_str(); 4].join(".");
    for (text, why) in [
        ("", Unasked::NoDomain),
        ("localhost", Unasked::NoDomain),
        ("[192.0.2.1]", Unasked::NoDomain),
        ("a..example", Unasked::NoDomain),
        ("a b.example", Unasked::NoDomain),
        ("a\0.example", Unasked::NoDomain),
        (&long, Unasked::TooLong),
    ] {
        assert_eq!(
            at_once(ask(&list("bl.example"), Subject::Domain(text), &table)),
            Verdict::NotAsked(why),
            "{text}"
        );
    }
    assert_eq!(table.asked(), 0);
    for text in [
        "100.63.255.255",
        "100.128.0.0",
        "172.32.0.1",
        "223.255.255.255",
        "1.0.0.0",
        "2000::",
        "3fff::",
    ] {
        assert_eq!(
            at_once(ask(&list("bl.example"), address(text), &table)),
            Verdict::NotListed,
            "{text}"
        );
    }
    assert_eq!(table.asked(), 7);
}

#[test]
fn the_host_of_a_link_is_an_address_or_a_domain() {
    for text in ["192.0.2.1", "[192.0.2.1]"] {
        assert_eq!(Subject::of_host(text), address("192.0.2.1"));
    }
    for text in ["2001:db8::1", "[2001:db8::1]", "[IPv6:2001:db8::1]"] {
        assert_eq!(Subject::of_host(text), address("2001:db8::1"));
    }
    for text in ["a.example", "[a.example]", "192.0.2", ""] {
        assert_eq!(Subject::of_host(text), Subject::Domain(text));
    }
}

#[test]
fn only_the_answers_that_an_entry_means_are_listings() {
    let all = list("bl.example");
    assert_eq!(
        listings(&all, &[[127, 0, 0, 9]]),
        [("bl.example".into(), "127.0.0.9".into(), "1".into())]
    );
    let some = list("bl.example=127.0.0.[2..4;10]*2.5");
    for (octet, is_listed) in
        [(2, true), (4, true), (5, false), (9, false), (10, true), (11, false)]
    {
        assert_eq!(!listings(&some, &[[127, 0, 0, octet]]).is_empty(), is_listed, "{octet}");
    }
    let listed = listings(&some, &[[127, 0, 0, 9], [127, 0, 0, 10], [127, 0, 0, 2]]);
    let text = "bl.example=127.0.0.[2..4;10]*2.5";
    assert_eq!(
        listed,
        [(text.into(), "127.0.0.10".into(), "2.5".into())],
        "once, by the first that matches"
    );
    let white = listings(&list("wl.example=127.0.[0..255].[1..3]*-2"), &[[127, 0, 77, 3]]);
    assert_eq!(white[0].2, "-2");
}

#[test]
fn entries_of_one_zone_are_one_question_and_each_counts_by_itself() {
    let texts = ["bl.example=127.0.0.2*3", "other.example", "BL.example=127.0.0.[2..3]*-0.5"];
    let lists = List::all(texts).unwrap();
    assert_eq!(lists.iter().map(List::zone).collect::<Vec<_>>(), ["bl.example", "other.example"]);
    let codes = [[127, 0, 0, 3], [127, 0, 0, 2]];
    let weights: Vec<_> =
        listings(&lists[0], &codes).into_iter().map(|(_, code, weight)| (code, weight)).collect();
    assert_eq!(weights, [("127.0.0.2".into(), "3".into()), ("127.0.0.3".into(), "-0.5".into())]);
    assert_eq!(
        List::all(["a.example", "b.example*x"]),
        Err(("b.example*x", ListError::Weight(WeightError)))
    );
}

#[test]
fn a_list_is_asked_once_and_says_whether_its_subject_is_listed() {
    let table = Table::default()
        .a("1.2.0.192.bl.example", &["127.0.0.2"])
        .a("evil.example.bl.example", &["127.0.0.3"])
        .unclear_a("5.2.0.192.bl.example");
    let bl = list("bl.example");
    assert!(matches!(at_once(ask(&bl, address("192.0.2.1"), &table)), Verdict::Listed(_)));
    assert!(matches!(
        at_once(ask(&bl, Subject::Domain("EVIL.example"), &table)),
        Verdict::Listed(_)
    ));
    assert_eq!(at_once(ask(&bl, address("192.0.2.2"), &table)), Verdict::NotListed);
    assert_eq!(
        at_once(ask(&bl, address("192.0.2.5"), &table)),
        Verdict::Unclear(Trouble::NoAnswer)
    );
    assert_eq!(table.asked(), 4);
    assert_eq!(bl.judge(&Answer::NoRecords), Verdict::NotListed);
}

#[test]
fn a_list_that_is_out_of_order_lists_nobody() {
    for text in ["bl.example", "bl.example=127.[0..255].[0..255].[0..255]*-5"] {
        for code in
            [[127, 255, 255, 0], [127, 255, 255, 252], [127, 255, 255, 254], [127, 255, 255, 255]]
        {
            let refused = Verdict::Unclear(Trouble::Refused(code.into()));
            assert_eq!(list(text).judge(&found(&[code])), refused, "{code:?}");
            assert_eq!(
                list(text).judge(&found(&[[127, 0, 0, 2], code])),
                refused,
                "{code:?} among others"
            );
        }
        for code in [[203, 0, 113, 1], [0, 0, 0, 0], [128, 0, 0, 1], [126, 255, 255, 255]] {
            let foreign = Verdict::Unclear(Trouble::Foreign(code.into()));
            assert_eq!(list(text).judge(&found(&[code])), foreign, "{code:?}");
        }
    }
    assert!(!listings(&list("bl.example"), &[[127, 255, 254, 255]]).is_empty());
}

#[test]
fn what_single_lists_refuse_with_is_a_listing_only_for_a_pattern_that_has_it() {
    for code in [[127, 0, 0, 1], [127, 0, 1, 255], [127, 0, 0, 255]] {
        let refused = Verdict::Unclear(Trouble::Refused(code.into()));
        assert_eq!(list("bl.example").judge(&found(&[code])), refused);
        assert_eq!(list("wl.example=127.0.[0..255].[2..3]").judge(&found(&[code])), refused);
        assert!(!listings(&list("bl.example=127.0.[0..1].[1;255]"), &[code]).is_empty());
    }
}

#[test]
fn patterns_are_read_as_in_restrictions() {
    let matches =
        |pattern: &str, answer: [u8; 4]| Pattern::parse(pattern).unwrap().matches(answer.into());
    assert!(matches("127.0.0.2", [127, 0, 0, 2]));
    assert!(!matches("127.0.0.2", [127, 0, 0, 3]));
    assert!(matches("[127.[0..255].0.[1;2]]", [127, 77, 0, 2]));
    assert!(matches("[127.0.0.1]", [127, 0, 0, 1]));
    assert!(matches("[1;127].0.0.[3]", [127, 0, 0, 3]));
    assert!(!matches("[1;127].0.0.[3]", [2, 0, 0, 3]));
    assert!(matches("127.0.0.[2..11]", [127, 0, 0, 11]));
    for bad in [
        "",
        "127.0.0",
        "127.0.0.1.1",
        "127.0.0.256",
        "127.0.0.[4..2]",
        "127.0.0.[1;]",
        "127.0.0.[]",
        "127.0.0.[1",
        "127.0.0.1]",
        "[127.0].0.1",
        "127.0.0.3[6..9]",
        "127.0.0.[1.2]",
        "127.0.0.[1...2]",
        "127.0.0.[[1]]",
        "::1",
        "127.0.0.+1",
        "127.0.0. 1",
        "127..0.1",
        "[[127.0.0.1]]",
    ] {
        assert_eq!(Pattern::parse(bad), Err(PatternError::Fields), "{bad}");
    }
    for useless in ["128.0.0.1", "[1..126].0.0.1", "0.0.0.0"] {
        assert_eq!(Pattern::parse(useless), Err(PatternError::Unreachable), "{useless}");
    }
}

#[test]
fn weights_are_decimal_numbers_with_a_sign() {
    for (text, thousandths, shown) in [
        ("0", 0, "0"),
        ("2", 2_000, "2"),
        ("+3", 3_000, "3"),
        ("-3", -3_000, "-3"),
        ("-0.5", -500, "-0.5"),
        ("1.250", 1_250, "1.25"),
        ("10.05", 10_050, "10.05"),
        ("0.001", 1, "0.001"),
        ("007", 7_000, "7"),
        ("1000", 1_000_000, "1000"),
        ("-1000", -1_000_000, "-1000"),
    ] {
        let weight = Weight::parse(text).unwrap();
        assert_eq!(
            (weight.thousandths(), weight.to_string().as_str()),
            (thousandths, shown),
            "{text}"
        );
    }
    let bad = [
        "", "-", "+-1", "1.", ".5", "1.2345", "1000.001", "1001", "99999", "1e3", "0x1", " 1",
        "1 ", "NaN", "\u{661}",
    ];
    for bad in bad {
        assert_eq!(Weight::parse(bad), Err(WeightError), "{bad}");
    }
    assert_eq!(list("bl.example").entries[0].weight, Weight::ONE);
}

#[test]
fn what_is_no_list_is_refused() {
    for bad in
        ["", "=127.0.0.1", "*2", "a b.example", "a..example", "[192.0.2.1]", "http://bl.example"]
    {
        assert_eq!(List::parse(bad), Err(ListError::Zone), "{bad}");
    }
    assert_eq!(List::parse("bl.example="), Err(ListError::Pattern(PatternError::Fields)));
    assert_eq!(List::parse("bl.example=127.0.0.2*"), Err(ListError::Weight(WeightError)));
    assert_eq!(List::parse("bl.example=127.0.0.2*3*4"), Err(ListError::Weight(WeightError)));
}

proptest! {
    #[test]
    fn no_setting_panics_and_whatever_is_asked_for_is_a_name(
        text in "[a-z.=*\\[\\];0-9-]{0,40}|\\PC{0,20}",
        subject in any::<String>(),
        bits in any::<u128>(),
    ) {
        let address = Subject::Address(std::net::Ipv6Addr::from_bits(bits).into());
        if let Ok(list) = List::parse(&text) {
            for subject in [Subject::Domain(&subject), Subject::of_host(&subject), address] {
                if let Ok(name) = list.name_of(subject) {
                    prop_assert!(crate::dns::is_name(&name), "{name:?}");
                }
            }
        }
    }

    #[test]
    fn a_weight_reads_back(text in "[-+]?[0-9]{1,3}(\\.[0-9]{1,3})?") {
        let weight = Weight::parse(&text).unwrap();
        prop_assert_eq!(Weight::parse(&weight.to_string()), Ok(weight));
        prop_assert_eq!(f64::from(weight.thousandths()) / 1e3, text.parse::<f64>().unwrap());
    }
}
