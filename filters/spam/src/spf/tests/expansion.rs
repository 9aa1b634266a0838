use std::net::IpAddr;

use proptest::prelude::*;

use super::NOW;
use crate::spf::{MOST_EXPLANATION, evaluate::Subject, expand::Values, macros::MacroString};

/// The client and the sender of RFC 7208 section 7.4.
fn values<'a>(client: IpAddr, local_part: &'a str, helo: &'a str) -> Values<'a> {
    let sender_domain = "email.example.com";
    let subject =
        Subject { client, local_part, sender_domain, helo, ours: "mx.ours.example", now: NOW };
    Values { subject, domain: "email.example.com", validated: "mx.example.org" }
}

fn four() -> IpAddr {
    "192.0.2.3".parse().unwrap()
}

fn six() -> IpAddr {
    "2001:db8::cb01".parse().unwrap()
}

fn name(text: &str, values: &Values<'_>) -> String {
    MacroString::domain_spec(text).unwrap().name(values)
}

fn text(text: &str, values: &Values<'_>) -> String {
    MacroString::explanation(text).unwrap().text(values)
}

#[test]
fn the_examples_of_rfc_7208_come_out_as_there() {
    let values = values(four(), "strong-bad", "mx.example.org");
    for (written, expected) in [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net.", "example.com.trusted-domains.example.net"),
    ] {
        assert_eq!(name(written, &values), expected, "{written}");
    }
    let reversed =
        "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com";
    let values = Values { subject: Subject { client: six(), ..values.subject }, ..values };
    assert_eq!(name("%{ir}.%{v}._spf.%{d2}", &values), reversed);
}

#[test]
fn explanations_have_three_macros_more() {
    let values = values(six(), "a", "h.example");
    assert_eq!(
        text("%{c} by %{r} at %{t}%%%-%_.", &values),
        "2001:db8::cb01 by mx.ours.example at 1800000000%%20 ."
    );
    let nameless = Values { subject: Subject { ours: "", ..values.subject }, ..values };
    assert_eq!(text("%{r}", &nameless), "unknown");
}

#[test]
fn capitals_escape_as_urls_do_after_all_else() {
    let values = values(four(), "a&b=c~d_e.f-g\u{fc}", "h");
    assert_eq!(name("%{L}", &values), "a%26b%3Dc~d_e.f-g%C3%BC");
    assert_eq!(name("%{L=}", &values), "a%26b.c~d_e.f-g%C3%BC");
}

#[test]
fn a_name_that_is_too_long_loses_labels_on_the_left() {
    let helo = "abcdefghi.".repeat(30);
    let values = values(four(), "a", helo.trim_end_matches('.'));
    let cut = name("%{h}.x.example", &values);
    assert_eq!(cut, format!("{}x.example", "abcdefghi.".repeat(24)));
    assert_eq!(cut.len(), 249);
    let many = "%{h}.".repeat(200) + "x.example";
    assert_eq!(name(&many, &values), cut, "however much stands on the left");
    // Exactly the limit: nothing is cut.
    let exact = format!("{}.{}", "a".repeat(253 - ".example".len() - 2), "b.example");
    assert_eq!(name(&exact, &values), exact);
    assert_eq!(name(&format!("x{exact}"), &values), "b.example");
}

#[test]
fn f1_no_explanation_blows_up() {
    let helo = "h".repeat(500);
    let values = values(four(), "a", &helo);
    assert_eq!(text(&"%{h}".repeat(4_000), &values), "h".repeat(MOST_EXPLANATION));
}

#[test]
fn f5_an_explanation_is_printable_ascii_whoever_is_quoted() {
    let values = values(four(), "a\r\nb\u{fc}\0", "h");
    assert_eq!(text("<%{l}>", &values), "<a??b??>");
}

proptest! {
    #[test]
    fn no_expansion_is_longer_than_it_may_be(
        macros in prop::collection::vec("%\\{[slodivhp][1-3]?r?[-.]?\\}|[a-z.]{1,9}", 1..40),
        local_part in any::<String>(),
        helo in any::<String>(),
    ) {
        let values = values(six(), &local_part, &helo);
        let written = macros.concat();
        if let Ok(spec) = MacroString::domain_spec(&format!("{written}.example")) {
            let name = spec.name(&values);
            prop_assert!(name.len() <= 253 || !name.contains('.'));
        }
        let text = MacroString::explanation(&written).unwrap().text(&values);
        prop_assert!(text.len() <= MOST_EXPLANATION);
        prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
    }
}
