use proptest::prelude::*;

use super::*;

fn id(text: &str) -> AuthservId {
    AuthservId::parse(text).unwrap()
}

fn results() -> Results {
    Results::new(id("mx.own.example"))
}

#[test]
fn no_results_are_written_as_none() {
    assert_eq!(results().field(), "Authentication-Results: mx.own.example; none\r\n");
}

#[test]
fn each_result_has_its_lines() {
    let mut all = results();
    all.add(
        Method::new(MethodName::Spf, ResultName::Pass)
            .property(PropertyName::SmtpMailFrom, "bounces+ann=own.example@list.example")
            .property(PropertyName::SmtpHelo, "mx.list.example"),
    );
    all.add(
        Method::new(MethodName::Dkim, ResultName::Fail)
            .reason("the body was changed")
            .property(PropertyName::HeaderD, "list.example")
            .property(PropertyName::HeaderI, "@list.example")
            .property(PropertyName::HeaderS, "2026")
            .property(PropertyName::HeaderB, "aB/+9x=="),
    );
    all.add(
        Method::new(MethodName::Dmarc, ResultName::Pass)
            .comment("aligned by SPF")
            .property(PropertyName::HeaderFrom, "list.example")
            .property(PropertyName::PolicyDmarc, "reject"),
    );
    all.add(
        Method::new(MethodName::Iprev, ResultName::Pass)
            .property(PropertyName::PolicyIprev, "2001:db8::1"),
    );
    let expected = "Authentication-Results: mx.own.example;\r\n\
                    \tspf=pass smtp.mailfrom=bounces+ann=own.example@list.example\r\n\
                    \tsmtp.helo=mx.list.example;\r\n\
                    \tdkim=fail reason=\"the body was changed\" header.d=list.example\r\n\
                    \theader.i=@list.example header.s=2026 header.b=\"aB/+9x??\";\r\n\
                    \tdmarc=pass (aligned by SPF) header.from=list.example\r\n\
                    \tpolicy.dmarc=reject;\r\n\
                    \tiprev=pass policy.iprev=\"2001:db8::1\"\r\n";
    assert_eq!(all.field(), expected);
    assert_eq!(all.to_string(), expected);
}

/// The cases of espoofer by their names there, as they reach the field.
#[test]
fn f5_what_a_sender_writes_into_names_cannot_forge_a_result() {
    for (case, property, value, written) in [
        ("a2", PropertyName::SmtpMailFrom, "(any@bank.example", "\"?any@bank.example\""),
        (
            "a3",
            PropertyName::HeaderS,
            "selector._domainkey.evil.example.\0.any",
            "\"selector._domainkey.evil.example.?.any\"",
        ),
        (
            "a4",
            PropertyName::HeaderD,
            "bank.example'a.evil.example",
            "\"bank.example?a.evil.example\"",
        ),
        (
            "a4 double",
            PropertyName::HeaderD,
            "bank.example\"(.evil.example",
            "\"bank.example??.evil.example\"",
        ),
        (
            "a5",
            PropertyName::SmtpMailFrom,
            "any@bank.example(a.evil.example",
            "\"any@bank.example?a.evil.example\"",
        ),
        (
            "a6",
            PropertyName::SmtpMailFrom,
            "any@bank.example'@any.evil.example",
            "\"any@bank.example?@any.evil.example\"",
        ),
        (
            "a7",
            PropertyName::SmtpMailFrom,
            "@bank.example,@any.example:'any@evil.example",
            "\"@bank.example?@any.example:?any@evil.example\"",
        ),
        ("semicolon", PropertyName::SmtpHelo, "x; dmarc=pass", "\"x??dmarc?pass\""),
        ("line", PropertyName::SmtpHelo, "x\r\nSubject: y", "\"x??Subject:?y\""),
        ("8-bit", PropertyName::SmtpAuth, "j\u{fc}rgen", "\"j?rgen\""),
        (
            "result",
            PropertyName::SmtpMailFrom,
            "dkim=pass@evil.example",
            "\"dkim?pass@evil.example\"",
        ),
        ("empty", PropertyName::SmtpMailFrom, "", "\"\""),
    ] {
        let mut results = results();
        results.add(Method::new(MethodName::Spf, ResultName::None).property(property, value));
        let field = results.field();
        assert!(field.contains(&format!("{}={written}", property.as_str())), "{case}: {field}");
        assert_eq!(strictly_read(&field), ["spf=none"], "{case}");
        assert_eq!(simply_read(&field), ["spf=none"], "{case}");
    }
}

#[test]
fn e8_foreign_text_makes_no_line_longer_than_the_standard_allows() {
    let mut results = results();
    let long = "x".repeat(100_000);
    for _ in 0..1_000 {
        let method = Method::new(MethodName::Dkim, ResultName::Fail).reason(&long).comment(&long);
        let names = [PropertyName::HeaderD; 20];
        results.add(names.iter().fold(method, |method, &name| method.property(name, &long)));
    }
    assert_eq!(results.methods().len(), MOST_METHODS);
    let field = results.field();
    assert!(field.split("\r\n").all(|line| line.len() <= 998));
    assert!(field.len() < 200_000);
}

#[test]
fn f6_a_field_that_claims_our_id_in_any_way_is_recognised() {
    let ours = [id("mx.own.example"), id("b\u{fc}cher.example")];
    for (field, claim) in [
        ("Authentication-Results: mx.own.example; dmarc=pass", Claim::Ours),
        ("authentication-RESULTS:mx.own.example;none\r\n", Claim::Ours),
        ("Authentication-Results : MX.Own.Example 1; none", Claim::Ours),
        ("Authentication-Results:\r\n\tmx.own.example;\r\n\tnone", Claim::Ours),
        ("Authentication-Results: (c (d) \\) e) mx.own.example (f) 1; none", Claim::Ours),
        ("Authentication-Results: \"mx.own.example\"; none", Claim::Ours),
        ("Authentication-Results: \"mx.\\own.example\"; none", Claim::Ours),
        ("Authentication-Results: \"mx\".own.\"example\"; none", Claim::Ours),
        ("Authentication-Results: mx.own.example", Claim::Ours),
        ("Authentication-Results: mx.own.example.; none", Claim::Ours),
        ("Authentication-Results: mx.own\0.example; none", Claim::Ours),
        ("Authentication-Results: mx.own.example(c); none", Claim::Ours),
        ("Authentication-Results: other.example mx.own.example; none", Claim::Ours),
        ("Authentication-Results: xn--bcher-kva.example; none", Claim::Ours),
        ("Authentication-Results: B\u{fc}cher.example; none", Claim::Ours),
        ("Authentication-\0Results: mx.own.example; none", Claim::Ours),
        (
            "Authentication-Results: other.example; dmarc=pass header.from=mx.own.example",
            Claim::Other,
        ),
        ("Authentication-Results: (mx.own.example) other.example; none", Claim::Other),
        ("Authentication-Results: other.example 1; none", Claim::Other),
        ("Authentication-Results: sub.mx.own.example; none", Claim::Other),
        ("Authentication-Results: mx.own.example.evil.example; none", Claim::Other),
        ("Authentication-Results: spf=pass smtp.mailfrom=x; dkim=pass", Claim::Unreadable),
        ("Authentication-Results: ; dmarc=pass", Claim::Unreadable),
        ("Authentication-Results:", Claim::Unreadable),
        ("Authentication-Results: (mx.own.example; none", Claim::Unreadable),
        ("Authentication-Results: \"mx.own.example; none", Claim::Unreadable),
        ("Authentication-Results: =?utf-8?Q?mx.own.example?=; none", Claim::Unreadable),
        ("Authentication-Results: i=1; mx.own.example; none", Claim::Unreadable),
        ("Authentication-Results: other.example x; none", Claim::Unreadable),
        ("Authentication-Results: \"other.example\"; none", Claim::Other),
        ("Authentication-Results: oth\"er.example\"; none", Claim::Unreadable),
        ("Authentication-Results: other<mx.own.example>; none", Claim::Unreadable),
        ("ARC-Authentication-Results: i=1; mx.own.example; none", Claim::OtherField),
        ("X-Authentication-Results: mx.own.example; none", Claim::OtherField),
        ("Original-Authentication-Results: mx.own.example; none", Claim::OtherField),
        ("Authentication-Results", Claim::OtherField),
        ("Subject: Authentication-Results: mx.own.example", Claim::OtherField),
    ] {
        assert_eq!(Claim::of(field.as_bytes(), &ours), claim, "{field:?}");
    }
    assert_eq!(Claim::of(b"Authentication-Results: mx.own\xff.example; none", &ours), Claim::Ours);
    assert_eq!(Claim::of(b"Authentication-Results: \xff; none", &ours), Claim::Unreadable);
}

#[test]
fn e1_an_endless_comment_costs_linear_time() {
    let field = format!("Authentication-Results: {}mx.own.example; none", "(".repeat(5_000_000));
    assert_eq!(Claim::of(field.as_bytes(), &[id("mx.own.example")]), Claim::Unreadable);
    let field = format!("Authentication-Results: {}mx.own.example; none", "x ".repeat(1_000_000));
    assert_eq!(Claim::of(field.as_bytes(), &[id("mx.own.example")]), Claim::Unreadable);
}

#[test]
fn an_id_is_a_domain_name() {
    assert_eq!(id("MX.Own.Example.").as_str(), "mx.own.example");
    assert_eq!(id("b\u{fc}cher.example").as_str(), "xn--bcher-kva.example");
    for text in ["", "a b", "[192.0.2.1]", "a;b", "x\r\ny", "\"a\""] {
        assert_eq!(AuthservId::parse(text), Err(NotAnId), "{text:?}");
    }
}

/// The results as RFC 8601 has them: behind semicolons outside of quotes and comments.
fn strictly_read(field: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut depth, mut is_quoted) = (0, false);
    for c in field.replace("\r\n\t", " ").trim_end().chars() {
        match c {
            '"' if depth == 0 => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => depth -= 1,
            ';' if !is_quoted && depth == 0 => parts.push(String::new()),
            _ if is_quoted || depth > 0 => {}
            _ => parts.last_mut().unwrap().push(c),
        }
    }
    let results = parts
        .iter()
        .skip(1)
        .map(|part| part.split_whitespace().next().unwrap_or_default().to_owned());
    results.filter(|result| result != "none").collect()
}

/// The results as a program finds them that looks for words with a pattern: no quotes, no comments.
fn simply_read(field: &str) -> Vec<String> {
    let methods = ["auth", "iprev", "spf", "dkim", "arc", "dmarc"];
    let words: Vec<&str> =
        field.split(|c: char| !(c.is_ascii_alphanumeric() || c == '=')).collect();
    let found = words.iter().filter(|word| {
        word.split_once('=')
            .is_some_and(|(method, result)| methods.contains(&method) && !result.is_empty())
    });
    // `smtp.auth=` is a property, and the one word of these with a method's name.
    found
        .filter(|word| !field.contains(&format!(".{word}")))
        .map(|word| (*word).to_owned())
        .collect()
}

fn method() -> impl Strategy<Value = (usize, usize, String, String, Vec<(usize, String)>)> {
    let foreign = || {
        prop_oneof![
            any::<String>(),
            "[ -~\r\n\t\\x00;\"()=@\\\\]{0,60}",
            prop::collection::vec(
                prop::sample::select(vec![
                    "dkim=pass",
                    "dmarc=pass",
                    ";",
                    " ",
                    "\"",
                    "(",
                    ")",
                    "\\",
                    "\r\n",
                    "@",
                    "header.d=",
                    "bank.example",
                    "=",
                    "'"
                ]),
                0..8,
            )
            .prop_map(|parts| parts.concat()),
        ]
    };
    (
        0..6_usize,
        0..8_usize,
        foreign(),
        foreign(),
        prop::collection::vec((0..13_usize, foreign()), 0..6),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn f5_what_is_written_is_found_to_be_ours_and_has_the_results_that_were_put_in(
        methods in prop::collection::vec(method(), 0..6),
    ) {
        const METHODS: [MethodName; 6] = [
            MethodName::Auth, MethodName::Iprev, MethodName::Spf, MethodName::Dkim, MethodName::Arc, MethodName::Dmarc,
        ];
        const RESULTS: [ResultName; 8] = [
            ResultName::None, ResultName::Pass, ResultName::Fail, ResultName::SoftFail, ResultName::Neutral,
            ResultName::Policy, ResultName::TempError, ResultName::PermError,
        ];
        const PROPERTIES: [PropertyName; 13] = [
            PropertyName::HeaderD, PropertyName::HeaderI, PropertyName::HeaderS, PropertyName::HeaderA, PropertyName::HeaderB,
            PropertyName::HeaderFrom, PropertyName::HeaderOldestPass, PropertyName::SmtpMailFrom, PropertyName::SmtpHelo,
            PropertyName::SmtpRemoteIp, PropertyName::SmtpAuth, PropertyName::PolicyIprev, PropertyName::PolicyDmarc,
        ];
        let mut results = results();
        let mut put_in = Vec::new();
        for (name, result, comment, reason, properties) in &methods {
            let (name, result) = (METHODS[*name], RESULTS[*result]);
            let method = Method::new(name, result).comment(comment).reason(reason);
            results.add(properties.iter().fold(method, |method, (name, value)| method.property(PROPERTIES[*name], value)));
            put_in.push(format!("{}={}", name.as_str(), result.as_str()));
        }
        let field = results.field();
        prop_assert!(field.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')));
        prop_assert!(field.strip_suffix("\r\n").is_some_and(|rest| !rest.replace("\r\n\t", "").contains(['\r', '\n'])));
        prop_assert_eq!(strictly_read(&field), put_in.clone());
        // A pass that was not put in is found by no pattern either.
        let passes = simply_read(&field).into_iter().filter(|found| found.contains("=pass"));
        prop_assert!(passes.into_iter().all(|found| put_in.contains(&found)), "{}", field);
        prop_assert_eq!(Claim::of(field.as_bytes(), &[id("mx.own.example")]), Claim::Ours);
        prop_assert_eq!(Claim::of(field.as_bytes(), &[id("mx.other.example")]), Claim::Other);
    }

    #[test]
    fn f6_no_field_makes_it_panic_and_our_id_is_found_behind_any_comments(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        before in prop::collection::vec(prop::sample::select(vec![" ", "\t", "\r\n ", "(c)", "(c;(d))", "(\\))"]), 0..6),
    ) {
        let ours = [id("mx.own.example")];
        let _ = Claim::of(&bytes, &ours);
        let _ = Claim::of(&[b"Authentication-Results:".as_slice(), &bytes].concat(), &ours);
        let field = format!("Authentication-Results:{}mx.own.example; none", before.concat());
        prop_assert_eq!(Claim::of(field.as_bytes(), &ours), Claim::Ours);
    }
}
