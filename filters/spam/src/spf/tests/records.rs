use proptest::prelude::*;

use crate::spf::{Mechanism, Prefix, Qualifier, Record, TermError};

fn error(record: &str) -> TermError {
    Record::parse(record).expect_err(record).1
}

#[test]
fn a_record_is_its_directives_in_order_and_its_modifiers() {
    let text = "V=SPF1  +A:mx.example/24//64 -Mx ~ip4:192.0.2.0/24 ?ip6:2001:db8::/32 redirect=r.example exp=e.example ";
    let record = Record::parse(text).unwrap();
    let written: Vec<_> = record.directives.iter().map(|of| (of.qualifier, &*of.written)).collect();
    assert_eq!(
        written,
        [
            (Qualifier::Pass, "+A:mx.example/24//64"),
            (Qualifier::Fail, "-Mx"),
            (Qualifier::SoftFail, "~ip4:192.0.2.0/24"),
            (Qualifier::Neutral, "?ip6:2001:db8::/32"),
        ]
    );
    let mechanisms: Vec<_> = record.directives.iter().map(|of| &of.mechanism).collect();
    assert!(matches!(
        mechanisms[0],
        Mechanism::A { target: Some(_), prefix: Prefix { ip4: 24, ip6: 64 } }
    ));
    assert!(matches!(
        mechanisms[1],
        Mechanism::Mx { target: None, prefix: Prefix { ip4: 32, ip6: 128 } }
    ));
    assert_eq!(*mechanisms[2], Mechanism::Ip4("192.0.2.0".parse().unwrap(), 24));
    assert_eq!(*mechanisms[3], Mechanism::Ip6("2001:db8::".parse().unwrap(), 32));
    assert!(record.redirect.is_some() && record.explanation.is_some());
}

#[test]
fn only_what_begins_with_the_version_and_a_space_is_meant_as_a_record() {
    for record in ["v=spf1", "V=sPf1 -all", "v=spf1 nonsense"] {
        assert!(Record::is_meant(record), "{record}");
    }
    for other in
        ["", "v=spf", "v=spf10", "v=spf1-all", " v=spf1", "v=spf2.0/mfrom -all", "v=sp\u{17f}1"]
    {
        assert!(!Record::is_meant(other), "{other}");
        assert_eq!(error(other), TermError::Unknown);
    }
}

#[test]
fn each_mistake_in_a_term_has_its_error() {
    for (term, expected) in [
        ("moo", TermError::Unknown),
        ("redirect:r.example", TermError::Unknown),
        ("=all", TermError::Unknown),
        ("1x=all", TermError::Unknown),
        ("--all", TermError::Unknown),
        ("-", TermError::Unknown),
        ("all:a.example", TermError::Argument),
        ("all/8", TermError::Argument),
        ("ptr/8", TermError::Argument),
        ("a/24/64", TermError::PrefixLength),
        ("a/33", TermError::PrefixLength),
        ("mx//129", TermError::PrefixLength),
        ("a/024", TermError::PrefixLength),
        ("ip4:192.0.2.1/+1", TermError::PrefixLength),
        ("ip4:192.0.2.1//32", TermError::PrefixLength),
        ("ip6:::/129", TermError::PrefixLength),
        ("ip6:::/", TermError::PrefixLength),
        ("ip4", TermError::Address),
        ("ip4:192.0.2", TermError::Address),
        ("ip4:192.0.2.01", TermError::Address),
        ("ip4:2001:db8::1", TermError::Address),
        ("ip6:192.0.2.1", TermError::Address),
        ("include", TermError::Domain),
        ("include:", TermError::Domain),
        ("exists", TermError::Domain),
        ("a:", TermError::Domain),
        ("a:single", TermError::Domain),
        ("a:single.", TermError::Domain),
        ("a:192.0.2.1", TermError::Domain),
        ("a:x.example..", TermError::Domain),
        ("a:x.-example", TermError::Domain),
        ("a:x.example-", TermError::Domain),
        ("a:x.example/", TermError::Domain),
        ("a:%{d}example", TermError::Domain),
        ("exp=", TermError::Domain),
        ("redirect=-all", TermError::Domain),
        ("exists:%", TermError::Macro),
        ("exists:%x.example", TermError::Macro),
        ("exists:%{d.example", TermError::Macro),
        ("exists:%{}.example", TermError::Macro),
        ("exists:%{x}.example", TermError::Macro),
        ("exists:%{d0}.example", TermError::Macro),
        ("exists:%{dr2}.example", TermError::Macro),
        ("exists:%{d*}.example", TermError::Macro),
        ("exists:%{c}.example", TermError::Macro),
        ("exp=%{r}.example", TermError::Macro),
        ("redirect=%{t}.example", TermError::Macro),
        ("unknown=%abc", TermError::Macro),
        ("a:x\u{0}.example", TermError::Character),
        ("a:x\t.example", TermError::Character),
        ("a:b\u{fc}cher.example", TermError::Character),
        ("exp=x.example exp=y.example", TermError::Twice),
        ("redirect=x.example Redirect=x.example", TermError::Twice),
    ] {
        assert_eq!(error(&format!("v=spf1 -all {term}")), expected, "{term}");
    }
}

#[test]
fn what_no_rule_forbids_is_read() {
    for term in [
        "moo.cow-far_out=man:dog/cat",
        "unknown=",
        "unknown=%{c}",
        "all=foo",
        "a:foo:bar/baz.example",
        "a:%{d}",
        "a:%%",
        "a:%{d}.example.",
        "a:%{l1r-.+}/0//0",
        "exists:%{ir}.%{v}._spf.%{d2}",
        "exists:%{d999999999999999999999999}.example",
        "a:.example",
        "a:x.1-2",
        "a/0",
        "a//0",
        "ip6:::ffff:192.0.2.1",
    ] {
        assert!(Record::parse(&format!("v=spf1 {term}")).is_ok(), "{term}");
    }
}

#[test]
fn f5_a_term_is_shown_cut_and_without_what_could_break_out_of_a_comment() {
    let term = format!("evil\")(;\\\r\u{7}{}", "x".repeat(500));
    let (shown, _) = Record::parse(&format!("v=spf1 {term}")).unwrap_err();
    assert_eq!(shown.len(), 100);
    assert!(shown.starts_with("evil???????xxx"), "{shown}");
}

fn term() -> impl Strategy<Value = String> {
    prop_oneof![
        "[-+~?]?(all|include|a|mx|ptr|ip4|ip6|exists|redirect|exp|x)[:/=]?[a-z0-9.%{}_/:-]{0,20}",
        "%\\{[a-zA-Z]?[0-9]{0,3}r?[-.+,/_=]{0,3}\\}?",
        "\\PC{0,10}",
    ]
}

proptest! {
    #[test]
    fn no_record_panics(terms in prop::collection::vec(term(), 0..8), text in any::<String>()) {
        let _ = Record::parse(&format!("v=spf1 {}", terms.join(" ")));
        let _ = Record::parse(&format!("v=spf1 {text}"));
        let _ = Record::parse(&text);
    }

    #[test]
    fn what_is_shown_of_a_bad_term_is_short_and_printable(text in any::<String>()) {
        if let Err((shown, _)) = Record::parse(&format!("v=spf1 {text}")) {
            prop_assert!(shown.len() <= 100 && shown.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }

    #[test]
    fn more_spaces_between_terms_change_nothing(terms in prop::collection::vec(term(), 0..6)) {
        let tight = Record::parse(&format!("v=spf1 {}", terms.join(" ")));
        let loose = Record::parse(&format!("v=spf1   {}  ", terms.join("   ")));
        prop_assert_eq!(tight, loose);
    }
}
