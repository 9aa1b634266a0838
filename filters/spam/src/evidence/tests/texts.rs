//! What text and links show.

use std::sync::Arc;

use super::{super::*, hear, symbols};
use crate::{
    links::{Links, OwnDomains},
    symbols::Symbol,
};

#[test]
fn text_with_disguised_words_is_told_and_a_formula_is_not() {
    let of_lines = |lines: &[&str]| {
        let mut evidence = TextEvidence::default();
        hear("text/plain; charset=utf-8", &lines.join("\r\n"), &mut evidence);
        symbols(&evidence.findings())
    };
    let disguised = "Your \u{420}\u{430}yPal \u{430}ccount w\u{430}s l\u{43e}cked";
    assert_eq!(of_lines(&[disguised]), [Symbol::TextHomograph]);
    assert_eq!(of_lines(&["\u{420}\u{430}yPal", "once"]), []);
    assert_eq!(
        of_lines(&[
            "5 \u{3bc}m, TNF-\u{3b1}, \u{3a9}",
            "\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442} USB\u{448}\u{43d}\u{44b}\u{439}"
        ]),
        []
    );
    assert_eq!(of_lines(&["\u{c548}\u{b155}\u{d558}\u{c138}\u{c694} PayPal"]), []);
}

#[test]
fn a_charset_that_the_text_is_not_in_is_told() {
    let garbled = "\u{be}\u{c8}\u{b3}\u{e7}\u{c7}\u{cf}\u{bc}\u{bc}\u{bf}\u{e4} ".repeat(5);
    let korean = "\u{c548}\u{b155}\u{d558}\u{c138}\u{c694} ".repeat(10);
    let russian = "\u{43f}\u{440}\u{438}\u{43c}\u{435}\u{440} ".repeat(10);
    let french =
        "d\u{e9}j\u{e0} vu \u{e0} l'\u{e9}t\u{e9}, na\u{ef}ve gar\u{e7}on tr\u{e8}s \u{e2}g\u{e9} "
            .repeat(10);
    for (label, text, is_told) in [
        ("iso-8859-1", &garbled, true),
        ("US-ASCII", &korean, true),
        ("iso-8859-1", &french, false),
        ("windows-1252", &french, false),
        ("euc-kr", &korean, false),
        ("euc-kr", &russian, true),
        ("koi8-r", &russian, false),
        ("koi8-r", &korean, true),
        ("utf-8", &garbled, false),
        ("unknown", &garbled, false),
        ("koi8-r", &"plain text ".repeat(100), false),
        ("iso-8859-1", &"\u{2019}\u{2014}".repeat(10), false),
    ] {
        let found = CharsetEvidence::new(label).and_then(|mut evidence| {
            text.split_inclusive(' ').for_each(|word| evidence.text(word));
            evidence.finding()
        });
        assert_eq!(found.is_some(), is_told, "{label} {text}");
    }
}

#[test]
fn each_disguise_of_links_counts_once_with_what_was_seen() {
    let found = of_links(&links_of(
        "http://192.0.2.1/ http://192.0.2.2/ http://a.test@b.test/ http://p\u{430}ypal.com/",
    ));
    assert_eq!(symbols(&found), [Symbol::UrlAddress, Symbol::UrlUserinfo, Symbol::UrlMixedScript]);
    let evidence =
        |symbol| found.iter().find(|finding| finding.symbol() == symbol).unwrap().evidence();
    assert_eq!(evidence(Symbol::UrlAddress), "192.0.2.1");
    assert_eq!(evidence(Symbol::UrlMixedScript), "p\u{430}ypal.com (xn--pypal-4ve.com)");
}

#[test]
fn e1_a_mail_with_more_links_than_are_looked_at_is_told() {
    let many: String = (0..3000).map(|number| format!("http://host{number}.com/\r\n")).collect();
    assert_eq!(symbols(&of_links(&links_of(&many))), [Symbol::UrlTooMany]);
}

fn links_of(text: &str) -> Links {
    let mut links = Links::new(Arc::new(OwnDomains::new(["own.example"])));
    hear("text/plain; charset=utf-8", text, &mut links);
    links
}
