//! Links of whole parts.

use proptest::prelude::*;

use std::sync::Arc;

use mailweir_content::decode::charset::Fallbacks;

use super::super::{Host, Links, OwnDomains, Place, Trick};
use crate::reading::{Limits, read};

/// The links of a mail of one part.
fn links_of(own: &[&str], content_type: &str, body: &str) -> Links {
    let mut links = Links::new(Arc::new(OwnDomains::new(own.iter().copied())));
    let mail = format!("Content-Type: {content_type}; charset=utf-8\r\n\r\n{body}");
    read(mail.as_bytes(), Limits::default(), Fallbacks::default(), &mut links);
    links
}

fn of_html(own: &[&str], html: &str) -> Links {
    links_of(own, "text/html", html)
}

fn of_text(text: &str) -> Links {
    links_of(&[], "text/plain", text)
}

fn found(html: &str, own: &[&str]) -> Vec<(String, Place, Vec<Trick>)> {
    of_html(own, html)
        .found()
        .iter()
        .map(|link| (link.host.to_string(), link.place, link.tricks.clone()))
        .collect()
}

#[test]
fn links_are_found_wherever_html_has_them() {
    let html = r#"<base href="http://base.example/"><body background=//bg.example/x>
        <a href='http&#58;//a.example/'>x</a> <img src="https://img.example/p.png" alt="http://alt.example">
        <form action="http://form.example/"><input type=image src="http://img2.example/"></form>
        <iframe src="http://frame.example/"></iframe>
        <meta http-equiv=Refresh content="0; URL='http://refresh.example/'">
        text http://text.example/ and bare.example.com
        <style>@import url(http://css.example/)</style><script>"http://script.example/"</script>
        <a name=x>http://inside.example/</a>"#;
    let hosts: Vec<_> =
        found(html, &[]).into_iter().map(|(host, place, _)| (host, place)).collect();
    let expected = [
        ("base.example", Place::Anchor),
        ("bg.example", Place::Resource),
        ("a.example", Place::Anchor),
        ("img.example", Place::Resource),
        ("form.example", Place::Form),
        ("img2.example", Place::Resource),
        ("frame.example", Place::Frame),
        ("refresh.example", Place::Refresh),
        ("text.example", Place::Text),
        ("bare.example.com", Place::Bare),
        ("inside.example", Place::Text),
    ];
    assert_eq!(hosts, expected.map(|(host, place)| (host.to_owned(), place)));
}

#[test]
fn a_link_that_shows_another_domain_is_told() {
    let one = |html: &str| {
        found(html, &["own.example"]).pop().map(|(_, _, tricks)| tricks).unwrap_or_default()
    };
    use Trick::{ShowsOtherDomain, ShowsOwnDomain};
    let table: &[(&str, &[Trick])] = &[
        ("<a href=http://evil.test/>http://bank.com/login</a>", &[ShowsOtherDomain]),
        ("<a href=http://evil.test/><b>www.</b>bank.com</a>", &[ShowsOtherDomain]),
        ("<a href=http://192.0.2.1/>www.bank.com</a>", &[Trick::Address, ShowsOtherDomain]),
        ("<a href=http://evil.test/>own.example</a>", &[]),
        ("<a href=http://evil.test/>https://own.example/</a>", &[ShowsOwnDomain]),
        ("<a href=http://www.own.example/>https://own.example/</a>", &[]),
        ("<a href=http://click.bank.com/>www.bank.com</a>", &[]),
        ("<a href=http://evil.test/>Amazon.com</a>", &[]),
        ("<a href=http://evil.test/>Read more about www.bank.com today</a>", &[]),
        ("<a href=http://evil.test/>here</a>", &[]),
        ("<a href=http://evil.test/>http://bank.com", &[ShowsOtherDomain]),
        ("<a href=mailto:a@b.test>http://bank.com</a>", &[]),
    ];
    for (html, tricks) in table {
        assert_eq!(one(html), *tricks, "{html}");
    }
}

#[test]
fn links_that_are_pages_or_scripts_themselves_are_counted() {
    let html = "<a href='javascript:x()'>x</a><form action='data:text/html,x'></form><img src='data:image/svg+xml,x'>";
    assert_eq!(of_html(&[], html).scripts(), 2);
}

#[test]
fn letters_of_the_sentence_do_not_stick_to_a_link() {
    let links =
        of_text("\u{c9c0}\u{ae08}http://example.com\u{c744} www.example.org\u{c5d0}\u{c11c}");
    let hosts: Vec<_> = links.found().iter().map(|link| link.host.to_string()).collect();
    assert_eq!(hosts, ["example.com", "www.example.org"]);
}

#[test]
fn lists_are_asked_first_about_what_tells_most() {
    let html = r#"<img src=http://img.com/><a href=http://www.own.example/>x</a><a href=http://a.first.com/>x</a>
        <a href=http://b.first.com>x</a><a href=http://second.com>x</a>
        <a href=http://x.bank.com@odd.com/>x</a> <form action=http://form.com></form><a href=http://last.com>x</a>
        <a href=http://192.0.2.1/>x</a><a href=http://192.168.0.1/>x</a>"#;
    let links = of_html(&["own.example"], html);
    let ask = |most| {
        let hosts = links.to_ask(most);
        hosts.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        ask(9),
        ["odd.com", "192.0.2.1", "form.com", "first.com", "last.com", "second.com", "img.com"]
    );
    assert_eq!(ask(2), ["odd.com", "192.0.2.1"]);
}

#[test]
fn e1_a_mail_full_of_links_is_read_in_part_and_says_so() {
    let hosts: String = (0..100_000).map(|number| format!("http://h{number}.com ")).collect();
    let links = of_text(&hosts);
    assert!(links.is_cut());
    assert_eq!(links.found().len(), 256);
    let same = of_text(&"http://example.com/\r\n".repeat(1000));
    assert!(!same.is_cut());
    assert_eq!(same.found().len(), 1);
}

proptest! {
    #[test]
    fn no_document_panics(html in "(<a href=|<form action=|<meta http-equiv=refresh content=|</a>|>|http://|[\\PC\n]){0,60}") {
        let links = of_html(&["own.example"], &html);
        let asked = links.to_ask(20);
        prop_assert!(asked.len() <= 20);
        let no_dot_at_the_end = asked.iter().all(|host| !matches!(host, Host::Name(name) if name.ends_with('.')));
        prop_assert!(no_dot_at_the_end);
    }
}
