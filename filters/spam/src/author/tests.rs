use proptest::prelude::*;

use super::*;

/// The domains, and whether they can be relied on.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    One(String),
    Several(Vec<String>),
    Missing,
    Unreadable(FromDoubt, Vec<String>),
}

fn read(header: &str) -> Told {
    told(&Author::read(header.as_bytes()))
}

fn told(author: &Author) -> Told {
    let domains = || author.domains().map(|domain| domain.as_ascii().to_owned()).collect();
    match author {
        Author::One(mailbox) => Told::One(mailbox.domain().as_ascii().to_owned()),
        Author::Several(_) => Told::Several(domains()),
        Author::Missing => Told::Missing,
        Author::Unreadable { doubt, .. } => Told::Unreadable(*doubt, domains()),
    }
}

fn of_value(value: &str) -> Told {
    read(&format!("Subject: x\r\nFrom: {value}\r\nTo: b@to.example\r\n\r\nbody"))
}

fn unreadable(doubt: FromDoubt, domains: &[&str]) -> Told {
    Told::Unreadable(doubt, domains.iter().map(|&domain| domain.to_owned()).collect())
}

/// The cases of espoofer by their names there. `evil.example` is the domain whose proofs the sender has.
#[test]
fn f4_no_trick_of_espoofer_makes_a_domain_the_author_that_some_program_does_not_show() {
    for (case, header) in [
        ("a8", "From: <first@evil.example>\r\nFrom: <admin@bank.example>\r\n"),
        ("a8 turned", "From: <admin@bank.example>\r\nFrom: <first@evil.example>\r\n"),
        ("a9", " From: <first@evil.example>\r\nFrom: <admin@bank.example>\r\n"),
        (
            "a9 below another field",
            "X: y\r\n From: <first@evil.example>\r\nFrom: <admin@bank.example>\r\n",
        ),
        ("a9 below From", "From: <admin@bank.example>\r\n From: <first@evil.example>\r\n"),
        ("a10", "From: <first@evil.example>\r\nFrom : <admin@bank.example>\r\n"),
        ("a11", "From\r\n : <first@evil.example>\r\nFrom: <admin@bank.example>\r\n"),
        ("a12", "From\r\n : <first@evil.example>\r\nnTo: x\r\nSender: <admin@bank.example>\r\n"),
        ("a13", "From\r\n : <first@evil.example>\r\nResent-From: <admin@bank.example>\r\n"),
        ("a14", "From: <first@evil.example>, <admin@bank.example>\r\n"),
        ("a15", "From: =?utf-8?B?PGFkbWluQGJhbmsuZXhhbXBsZT4=?=,<second@evil.example>\r\n"),
        ("a16", "From: <@evil.example,@any.example:admin@bank.example>\r\n"),
        ("a17", "From: <admin@bank.example>\\,<second@evil.example>\r\n"),
        ("a18", "From: admin@bank.example,<second@evil.example>\r\n"),
        ("a19", "From: <any@evil.example>admin@bank.example\r\n"),
    ] {
        let author = Author::read(format!("{header}Subject: x\r\n\r\n").as_bytes());
        assert!(!matches!(author, Author::One(_)), "{case}: {author:?}");
        let evil: Domain = "evil.example".parse().unwrap();
        assert!(author.domains().any(|domain| *domain == evil), "{case}: {author:?}");
    }
}

#[test]
fn f4_the_shown_domain_is_among_those_that_are_told() {
    for header in [
        "From: <first@evil.example>\r\nFrom: <admin@bank.example>\r\n",
        " From: <admin@bank.example>\r\nFrom: <first@evil.example>\r\n",
        "From: <first@evil.example>\r\nFrom : <admin@bank.example>\r\n",
        "From: =?utf-8?B?PGFkbWluQGJhbmsuZXhhbXBsZT4=?=,<second@evil.example>\r\n",
        "From: <@evil.example,@any.example:admin@bank.example>\r\n",
        "From: <any@evil.example>admin@bank.example\r\n",
        "Fr\0om: <admin@bank.example>\r\nFrom: <first@evil.example>\r\n",
        "From: <admin@bank.example\0@evil.example>\r\n",
    ] {
        let author = Author::read(header.as_bytes());
        let bank: Domain = "bank.example".parse().unwrap();
        assert!(author.domains().any(|domain| *domain == bank), "{header:?}: {author:?}");
        assert!(!matches!(author, Author::One(_)), "{header:?}: {author:?}");
    }
}

#[test]
fn what_people_send_has_one_author_domain() {
    for value in [
        "ann@own.example",
        "<ann@OWN.example>",
        " Ann <ann@own.example> ",
        "\"Smith, Ann\" <ann@own.example>",
        "\"Ann \\\"the boss\\\" Smith\" <ann@own.example>",
        "Ann Q. Smith <ann@own.example>",
        "ann@own.example (Ann Smith)",
        "Ann\r\n\t<ann@own.example>",
        "\"ann@other.example\" <ann@own.example>",
        "\"'bob@other.example' via list\" <list@own.example>",
        "=?utf-8?q?bob=40other.example_via_list?= <list@own.example>",
        "ann@own.example <ann@own.example>",
        "<ann@own.example> (bob@other.example)",
        "=?UTF-8*de?B?SsO8cmdlbg==?=\r\n =?iso-8859-1?Q?M=FCller?= <ann@own.example>",
        "=?ks_c_5601-1987?B?sei/tcjx?= <ann@own.example>",
        "[Support] Ann <ann@own.example>",
        "ann@own.example, bob@own.example",
        "\"ann smith\"@own.example",
        "Ann <ann@own.example.>",
    ] {
        assert_eq!(of_value(value), Told::One("own.example".into()), "{value}");
    }
}

#[test]
fn what_is_out_of_form_but_can_name_one_domain_only_has_one_author_domain() {
    for value in [
        "Smith, Ann <ann@own.example>",
        "Sales: Ann <ann@own.example>",
        "us: ann@own.example, bob@own.example;",
        "Ann <ann@own.example",
        "\"Ann <ann@own.example>",
        "Ann <<ann@own.example>>",
        "Ann (the boss) <ann@own.example>",
        "ann@own.example;",
        "<ann@own.example>,",
        "=?utf-8?Q?Ann?=<ann@own.example>",
    ] {
        assert_eq!(of_value(value), Told::One("own.example".into()), "{value}");
    }
}

#[test]
fn eight_bit_names_of_any_charset_hide_no_address_that_is_clear() {
    for name in [
        b"J\xfcrgen".as_slice(),
        b"\xb1\xe8\xbf\xb5\xc8\xf1",
        b"\x83\x5c\x83\x6a",
        b"\"\xb1\xe8\" ",
    ] {
        let header = [b"From: ".as_slice(), name, b" <ann@own.example>\r\n\r\n"].concat();
        assert_eq!(told(&Author::read(&header)), Told::One("own.example".into()), "{name:?}");
    }
    let header = b"From: <ann@own.ex\xffample>\r\n\r\n";
    assert!(matches!(Author::read(header), Author::Unreadable { .. }));
}

#[test]
fn a_domain_in_unicode_is_told_in_ascii() {
    assert_eq!(of_value("<ann@b\u{fc}cher.example>"), Told::One("xn--bcher-kva.example".into()));
    assert_eq!(
        of_value("<a@b\u{fc}cher.example>, <b@xn--bcher-kva.example>"),
        Told::One("xn--bcher-kva.example".into())
    );
}

#[test]
fn mailboxes_in_several_domains_are_several_authors() {
    assert_eq!(
        of_value("Ann <ann@own.example>, \"Bob, too\" <bob@other.example>, ann@own.example"),
        Told::Several(vec!["own.example".into(), "other.example".into()])
    );
}

#[test]
fn a_from_without_an_at_sign_names_nobody_and_one_with_it_may_name_somebody() {
    for value in ["", "Ann", "undisclosed:;", "The machine: ;", "=?utf-8?B?QW5u?= <>", "(Ann)"] {
        assert_eq!(of_value(value), Told::Missing, "{value}");
    }
    for value in ["x:a@;", "=?utf-8?Q?a=40own.example?=:;", "us: a\u{ff20}own.example;", "@:;"] {
        assert!(matches!(of_value(value), Told::Unreadable(..) | Told::One(_)), "{value}");
    }
}

#[test]
fn each_doubt_has_its_reason() {
    for (value, expected) in [
        ("<ann@>", unreadable(FromDoubt::NoAddress, &[])),
        ("undisclosed: <ann@ own.example>;", unreadable(FromDoubt::NoAddress, &[])),
        (
            "us: <a@own.example>, <b@other.example>",
            unreadable(FromDoubt::Unclear, &["own.example", "other.example"]),
        ),
        (
            "=?utf-8?Q?a=40own.example?=@other.example",
            unreadable(FromDoubt::Unclear, &["own.example", "other.example"]),
        ),
        (
            "a@own.example (<b@other.example>)",
            unreadable(FromDoubt::Unclear, &["own.example", "other.example"]),
        ),
        ("a\0@own.example", unreadable(FromDoubt::ControlCharacter, &["own.example"])),
        ("<@own.example:ann@own.example>", unreadable(FromDoubt::Unclear, &["own.example"])),
        ("a@own.example .other.example", unreadable(FromDoubt::Unclear, &["own.example"])),
        ("a@own.example(c).other.example", unreadable(FromDoubt::Unclear, &["own.example"])),
        (
            "a@own.example@other.example",
            unreadable(FromDoubt::Unclear, &["own.example", "other.example"]),
        ),
        (
            "\"a@own.example\"@other.example",
            unreadable(FromDoubt::Unclear, &["own.example", "other.example"]),
        ),
        (
            "a@own.example <b@other.example>",
            unreadable(FromDoubt::Unclear, &["own.example", "other.example"]),
        ),
        (
            "a\u{ff20}own.example <b@other.example>",
            unreadable(FromDoubt::Unclear, &["own.example", "other.example"]),
        ),
        (
            "\"<a@own.example>\" <b@other.example>",
            unreadable(FromDoubt::Unclear, &["own.example", "other.example"]),
        ),
        (
            "=?utf-8?Q?=3Ca=40own.example=3E?= <b@other.example>",
            unreadable(FromDoubt::Unclear, &["own.example", "other.example"]),
        ),
    ] {
        assert_eq!(of_value(value), expected, "{value:?}");
    }
    for (header, expected) in [
        ("Subject: x\r\n\r\nFrom: ann@own.example\r\n", Told::Missing),
        ("Sender: <ann@own.example>\r\nResent-From: <ann@own.example>\r\n", Told::Missing),
        ("", Told::Missing),
        (
            "From: a@own.example\r\nfrom: a@own.example\r\n",
            unreadable(FromDoubt::Twice, &["own.example"]),
        ),
        ("From : a@own.example\r\n", unreadable(FromDoubt::NoField, &["own.example"])),
        (
            "From: a@own.example\r\n From: b@other.example\r\n",
            unreadable(FromDoubt::Unclear, &["own.example", "other.example"]),
        ),
        ("X: y\n\nz\r\nFrom: a@own.example\r\n", unreadable(FromDoubt::NoField, &[])),
        (
            "X: y\nFrom: b@other.example\r\nFrom: a@own.example\r\n",
            unreadable(FromDoubt::Twice, &["other.example", "own.example"]),
        ),
        ("Hello\r\nFrom: a@own.example\r\n", unreadable(FromDoubt::NoField, &["own.example"])),
        ("X: y\r\n From: a@own.example\r\n", unreadable(FromDoubt::NoField, &["own.example"])),
    ] {
        assert_eq!(read(header), expected, "{header:?}");
    }
}

#[test]
fn a_mailbox_line_ahead_of_the_header_is_passed_over() {
    let line = "From bob@other.example  Mon Nov 23 22:44:00 2026\r\n";
    assert_eq!(read(&format!("{line}From: ann@own.example\r\n")), Told::One("own.example".into()));
    assert_eq!(read(line), Told::Missing);
    for header in [
        &format!("{line}{line}From: ann@own.example\r\n"),
        &format!("X: y\r\n{line}From: ann@own.example\r\n"),
        "From bob@other.example\r\nFrom: ann@own.example\r\n",
        "From : bob@other.example 2026\r\nFrom: ann@own.example\r\n",
        "From bob@other.example: Mon 2026\r\nFrom: ann@own.example\r\n",
        " From bob@other.example Mon 2026\r\nFrom: ann@own.example\r\n",
    ] {
        assert!(matches!(read(header), Told::Unreadable(..)), "{header:?}");
    }
}

#[test]
fn a_folded_list_of_field_names_is_no_from_field() {
    let header = "DKIM-Signature: v=1; d=own.example; h=Date:\r\n\tFrom:To:Subject\r\nFrom: ann@own.example\r\n\r\n";
    assert_eq!(read(header), Told::One("own.example".into()));
}

#[test]
fn a_display_name_is_told_without_quotes_and_encoding() {
    for (value, name) in [
        ("Ann Smith <ann@own.example>", "Ann Smith"),
        ("\"Smith, \\\"Ann\\\"\" <ann@own.example>", "Smith, \"Ann\""),
        ("=?utf-8?Q?J=C3=BCrgen?= <ann@own.example>", "J\u{fc}rgen"),
        ("\"=?utf-8?Q?J=C3=BCrgen?=\" <ann@own.example>", "J\u{fc}rgen"),
        ("Smith, Ann <ann@own.example>", "Smith, Ann"),
        ("=?utf-8?Q?J=C3=BCrgen?=: a <ann@own.example>", "J\u{fc}rgen: a"),
        ("us: ann@own.example;", ""),
        ("ann@own.example (Ann)", "Ann"),
        ("ann@own.example", ""),
        ("\"bob@other.example\" <ann@own.example>", "bob@other.example"),
    ] {
        let header = format!("From: {value}\r\n\r\n");
        let Author::One(mailbox) = Author::read(header.as_bytes()) else { panic!("{value}") };
        assert_eq!(&*mailbox.display_name, name, "{value}");
    }
}

#[test]
fn e1_a_hundred_thousand_addresses_are_bounded() {
    let header = format!("From: {}\r\n\r\n", "a@own.example, ".repeat(100_000));
    assert_eq!(read(&header), unreadable(FromDoubt::TooLong, &["own.example"]));
    let header = "From: a@own.example\r\n".repeat(100_000);
    assert_eq!(read(&header), unreadable(FromDoubt::Twice, &["own.example"]));
    let header: String = (0..400).map(|i| format!("From: a@d{i}.example\r\n")).collect();
    assert_eq!(Author::read(header.as_bytes()).domains().count(), fields::MOST_FIELDS);
    let many: String = (0..400).map(|i| format!("a@d{i}.example,")).collect();
    assert_eq!(
        Author::read(format!("From: {many}\r\n\r\n").as_bytes()).domains().count(),
        MOST_DOMAINS
    );
}

/// How simple programs find the domain in a From field, each wrong in its own way. None reads display names.
fn readers(value: &str) -> Vec<String> {
    let angles = |text: &str, open: Option<usize>| {
        open.and_then(|open| text.get(open + 1..)?.split('>').next().map(str::to_owned))
    };
    let mut found = Vec::new();
    found.extend(angles(value, value.rfind('<')));
    let outside: String = value.split('"').step_by(2).collect();
    found.extend(angles(&outside, outside.find('<')));
    if !value.contains('<') {
        found.extend(value.split([',', ';']).map(|part| part.trim().to_owned()));
    }
    found.retain(|found| Address::parse(found).is_ok());
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn f4_no_simple_program_finds_another_domain_than_the_one_that_is_told(
        parts in prop::collection::vec(prop::sample::select(vec![
            "ann", "ann@own.example", "admin@bank.example", "<", ">", ",", ";", ":", "(", ")", "\"",
            "\\", " ", "@", ".", "\t", "own.example", "J\u{fc}", "'", "[", "]", "<ann@own.example>", "Ann ",
        ]), 1..9),
    ) {
        let value = parts.concat();
        let author = Author::read(format!("From: {value}\r\n\r\n").as_bytes());
        if let Author::One(mailbox) = &author {
            for seen in readers(&value) {
                let seen = Address::parse(&seen).unwrap();
                prop_assert_eq!(seen.domain(), mailbox.domain(), "{:?}", value);
            }
        }
    }

    #[test]
    fn no_header_makes_it_panic(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "(From|from|Subject|X)?[ \\t]?:?( |<|>|@|a|\\.|\"|\\(|=\\?utf-8\\?Q\\?|\\?=|\r\n|\r\n |\r|\n|\u{e9}|\u{ff20}){0,60}"
                .prop_map(String::into_bytes),
        ],
    ) {
        let author = Author::read(&bytes);
        prop_assert!(author.domains().count() <= MOST_DOMAINS);
    }
}
