//! What headers show, and what those of ordinary mail do not.

use proptest::prelude::*;

use mailweir_mail::Timestamp;

use super::{
    super::{date, *},
    symbols,
};
use crate::{
    links::OwnDomains,
    symbols::{Finding, Symbol},
};

fn own() -> Own {
    let own = Own::new(OwnDomains::new(["own.example", "modern.example"]));
    own.with_person("Anna Kim", "anna@private.example").with_person("Info", "info@own.example")
}

fn of_from(from: &str, reply_to: Option<&str>) -> Vec<Symbol> {
    symbols(&of_sender(from, reply_to, &own()))
}

#[test]
fn names_that_pretend_are_told() {
    use Symbol::{
        FromLikeOwnDomain, FromNameHomograph, FromNameOtherAddress, FromNameSpoofsDomain,
        FromNameSpoofsUser, FromNoAddress, FromSeveral,
    };
    let table: &[(&str, &[Symbol])] = &[
        ("Anna Kim <anna@own.example>", &[]),
        ("Anna Kim <anna@private.example>", &[]),
        ("Anna Kim <anna@evil.example>", &[FromNameSpoofsUser]),
        ("\"Kim, Anna\" <anna@evil.example>", &[FromNameSpoofsUser]),
        ("ANN\u{410} KIM <x@evil.example>", &[FromNameSpoofsUser, FromNameHomograph]),
        ("Info <info@evil.example>", &[]),
        ("boss@own.example <x@evil.example>", &[FromNameSpoofsDomain]),
        ("Boss (boss@own.example) <x@evil.example>", &[FromNameSpoofsDomain]),
        ("boss@own.example <boss@own.example> <x@evil.example>", &[FromNameSpoofsDomain]),
        ("pay@bank.test <x@evil.example>", &[FromNameOtherAddress]),
        ("x@mail.evil.example <x@evil.example>", &[]),
        ("\u{420}\u{430}yPal <service@evil.example>", &[FromNameHomograph]),
        ("Boss <boss@m0dern.example>", &[FromLikeOwnDomain]),
        ("Boss <boss@modem.example>", &[FromLikeOwnDomain]),
        ("a@one.example, b@two.example", &[FromSeveral]),
        ("Nobody at all", &[FromNoAddress]),
        ("<>", &[FromNoAddress]),
        ("", &[FromNoAddress]),
        ("anna@else.example (Anna Kim)", &[FromNameSpoofsUser]),
        ("\"Doe, John @ Work\" <john@else.example>", &[]),
        ("\u{c774}\u{c601}\u{d76c} <lee@else.example>", &[]),
    ];
    for (from, expected) in table {
        assert_eq!(of_from(from, None), *expected, "{from}");
    }
}

#[test]
fn a_list_that_puts_the_author_into_the_name_is_no_spoofer() {
    let from = "\"john@else.example via Rust Users\" <users@lists.example>";
    assert_eq!(of_from(from, None), [Symbol::FromNameOtherAddress]);
    assert_eq!(of_from(from, Some("john@else.example")), [Symbol::ReplyToOtherDomain]);
    let ours = "boss@own.example via List <list@evil.example>";
    assert!(of_from(ours, Some("boss@own.example")).contains(&Symbol::FromNameSpoofsDomain));
}

#[test]
fn answers_that_go_elsewhere_are_told() {
    use Symbol::{ReplyToFreemail, ReplyToOtherDomain};
    let table: &[(&str, &str, &[Symbol])] = &[
        ("a@shop.example", "help@shop.example", &[]),
        ("a@mail.shop.example", "help@shop.example", &[]),
        ("a@shop.example", "me@own.example", &[]),
        ("a@shop.example", "desk@else.test", &[ReplyToOtherDomain]),
        ("a@shop.example", "boss@gmail.com", &[ReplyToFreemail]),
        ("a@gmail.com", "b@yahoo.co.jp", &[ReplyToFreemail]),
        ("a@gmail.com", "b@gmail.com", &[]),
    ];
    for (from, reply_to, expected) in table {
        assert_eq!(of_from(from, Some(reply_to)), *expected, "{from} {reply_to}");
    }
}

#[test]
fn subjects_that_are_made_up_are_told() {
    use Symbol::{
        SubjectAdvertisement, SubjectAllCapitals, SubjectFakeReply, SubjectGapCode,
        SubjectHomograph, SubjectSpacedLetters,
    };
    let table: &[(&str, &[Symbol])] = &[
        ("Minutes of the meeting", &[]),
        ("Re: [list] Re: question", &[SubjectFakeReply]),
        ("[list] AW: question", &[SubjectFakeReply]),
        ("Fwd: question", &[]),
        ("EARN MONEY FROM HOME NOW!!!", &[SubjectAllCapitals]),
        ("URGENT", &[]),
        ("CVE-2026-1234 in OPENSSL", &[]),
        ("NASA and ESA", &[]),
        ("V I A G R A for you", &[SubjectSpacedLetters]),
        ("free m-o-n-e-y here", &[SubjectSpacedLetters]),
        ("J. R. R. Tolkien e. V.", &[]),
        ("A to B and C", &[]),
        ("Hello          a8x93", &[SubjectGapCode]),
        ("Hello  there", &[]),
        ("Your \u{420}\u{430}yPal account", &[SubjectHomograph]),
        ("ADV: cheap", &[SubjectAdvertisement]),
        ("(\u{ad11} \u{ace0}) \u{c138}\u{c77c}", &[SubjectAdvertisement]),
        ("[\u{ad11}.\u{ace0}] \u{c138}\u{c77c}", &[SubjectAdvertisement]),
        ("\u{ad11}\u{ace0} \u{c2dc}\u{c7a5} \u{bcf4}\u{ace0}", &[]),
        ("\u{c548}\u{b155}\u{d558}\u{c138}\u{c694}", &[]),
        ("", &[]),
    ];
    for (subject, expected) in table {
        assert_eq!(symbols(&of_subject(subject, IsAnswer::NotSaid)), *expected, "{subject}");
    }
    assert_eq!(of_subject("Re: question", IsAnswer::Said), []);
}

const NOW: Timestamp = Timestamp::from_secs(1_795_210_205);
const ORDINARY: [(&str, &str); 6] = [
    ("From", "Anna Lee <anna@else.example>"),
    ("To", "bob@own.example"),
    ("Date", "Fri, 20 Nov 2026 21:30:05 +0000"),
    ("Subject", "Lunch"),
    ("Message-ID", "<1.2@else.example>"),
    ("Received", "from x by y; Fri, 20 Nov 2026 21:30:05 +0000"),
];

fn of_header(fields: &[(&str, &str)]) -> Vec<Finding> {
    let field =
        |(name, value): &(&'static str, &'static str)| Field { name, value, raw: value.as_bytes() };
    let fields: Vec<_> = fields.iter().map(|(name, value)| (leak(name), leak(value))).collect();
    of_fields(&fields.iter().map(field).collect::<Vec<_>>(), NOW, &own())
}

fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

/// The ordinary header with some fields instead of its own, or without them where they are empty.
fn with(changed: &[(&str, &str)]) -> Vec<Symbol> {
    let is_kept = |name: &str| !changed.iter().any(|(other, _)| *other == name);
    let kept = ORDINARY.iter().copied().filter(|(name, _)| is_kept(name));
    let fields: Vec<_> =
        kept.chain(changed.iter().copied().filter(|(_, value)| !value.is_empty())).collect();
    symbols(&of_header(&fields))
}

#[test]
fn an_ordinary_header_shows_nothing() {
    assert_eq!(with(&[]), []);
}

#[test]
fn fields_that_are_missing_are_told() {
    for (name, symbol) in [
        ("From", Symbol::MissingFrom),
        ("To", Symbol::MissingTo),
        ("Date", Symbol::MissingDate),
        ("Subject", Symbol::MissingSubject),
        ("Message-ID", Symbol::MissingMessageId),
    ] {
        assert_eq!(with(&[(name, "")]), [symbol], "{name}");
    }
    assert_eq!(with(&[("To", ""), ("Cc", "bob@own.example")]), []);
}

#[test]
fn f4_fields_that_stand_twice_are_told_in_any_case() {
    let twice = |name, value| with(&[(name, value), (&name.to_ascii_uppercase(), value)]);
    assert_eq!(twice("From", "b@else.example"), [Symbol::DoubledFrom]);
    assert_eq!(twice("Subject", "Lunch"), [Symbol::DoubledField]);
    assert_eq!(twice("Date", "Fri, 20 Nov 2026 21:30:05 +0000"), [Symbol::DoubledField]);
    assert_eq!(twice("Received", "x"), []);
    assert_eq!(
        with(&[("From", "b@else.example"), ("From ", "a@else.example")]),
        [Symbol::DoubledFrom]
    );
}

#[test]
fn message_ids_that_are_none_are_told() {
    for (value, is_odd) in [
        ("<1@else.example>", false),
        ("<\"1 2\"@else.example>", false),
        ("<1$2@[192.0.2.1]>", false),
        ("1@else.example", true),
        ("<1>", true),
        ("<1@>", true),
        ("<@else.example>", true),
        ("<1 2@else.example>", true),
        ("<1@a> <2@b>", true),
    ] {
        let expected: &[Symbol] = if is_odd { &[Symbol::MessageIdOdd] } else { &[] };
        assert_eq!(with(&[("Message-ID", value)]), expected, "{value}");
    }
}

#[test]
fn dates_far_off_are_told() {
    for (date, symbol) in [
        ("Fri, 20 Nov 2026 21:30:05 +0000", None),
        ("Sat, 21 Nov 2026 20:00:00 +0000", None),
        ("Sun, 22 Nov 2026 21:30:06 +0000", Some(Symbol::DateFuture)),
        ("Sun, 8 Nov 2026 00:00:00 +0000", None),
        ("Thu, 5 Nov 2026 00:00:00 +0000", Some(Symbol::DatePast)),
        ("1 Jan 1960 00:00:00 +0000", Some(Symbol::DatePast)),
        ("yesterday", Some(Symbol::DateUnreadable)),
        ("2026-11-20 21:30:05", Some(Symbol::DateUnreadable)),
    ] {
        assert_eq!(with(&[("Date", date)]), symbol.into_iter().collect::<Vec<_>>(), "{date}");
    }
}

#[test]
fn e6_dates_are_read_with_comments_however_deep() {
    let time = Some(Timestamp::from_secs(1_795_210_205));
    let deep = format!("Fri, 20 Nov 2026 21:30:05 +0000 {}", "(".repeat(100_000));
    for date in [
        "Fri, 20 Nov 2026 21:30:05 +0000",
        "Fri, 20 Nov 26 21:30:05 GMT",
        "20 Nov 2026 21:30:05 +0000 (UTC)",
        "Fri (a(b)c), 20 Nov 2026 16:30:05 EST",
        "Sat, 21 Nov 2026 06:30:05 +0900 (KST)",
        "Fri, 20 Nov 2026 16:00:05 -0530",
        "Fri 20 November 2026 21:30:05",
        &deep,
    ] {
        assert_eq!(date::read(date), time, "{}", date.get(..40).unwrap_or(date));
    }
    for date in [
        "",
        ",",
        "20 Nov",
        "32 Nov 2026 00:00",
        "20 Nov 2026 24:00:00",
        "20 Nov 2026 1:2:3:4",
        "20 Nov 2026 21:30 +-500",
    ] {
        assert_eq!(date::read(date), None, "{date}");
    }
}

#[test]
fn bytes_without_a_charset_and_charsets_without_a_need_are_told() {
    let found = |name, value, raw: &[u8]| {
        let fields = ORDINARY.map(|(name, value)| Field { name, value, raw: value.as_bytes() });
        let kept = fields.into_iter().filter(|field| field.name != name);
        let fields: Vec<_> = kept.chain([Field { name, value, raw }]).collect();
        symbols(&of_fields(&fields, NOW, &own()))
    };
    assert_eq!(found("Subject", "\u{e9}t\u{e9}", b" \xe9t\xe9"), [Symbol::HeaderRaw8bit]);
    assert_eq!(found("Subject", "\u{e9}t\u{e9}", "\u{e9}t\u{e9}".as_bytes()), []);
    assert_eq!(
        found("Subject", "Lunch", b"=?utf-8?B?THVuY2g=?="),
        [Symbol::HeaderNeedlessEncoding]
    );
    assert_eq!(found("Subject", "Lunch", b"=?utf-8?Q?Lunch?="), []);
    assert_eq!(found("Subject", "\u{e9}", b"=?utf-8?B?w6k=?="), []);
}

#[test]
fn e1_a_header_of_100_000_fields_is_looked_at_in_part() {
    let field = Field { name: "X-Y", value: "z", raw: b"z" };
    let from = Field { name: "From", value: "a@else.example", raw: b"" };
    let mut fields = vec![field; 100_000];
    fields.push(from);
    assert!(symbols(&of_fields(&fields, NOW, &own())).contains(&Symbol::MissingFrom));
}

#[test]
fn mailboxes_are_parted_as_people_see_them() {
    let all = |value: &'static str| {
        Mailbox::all(value).iter().map(|each| (each.name, each.address)).collect::<Vec<_>>()
    };
    assert_eq!(
        all("\"Kim, Anna\" <a@b.example>, c@d.example (C, D)"),
        [("Kim, Anna", Some("a@b.example")), ("C, D", Some("c@d.example")),]
    );
    assert_eq!(all("Undisclosed: ;"), [("Undisclosed:", None)]);
    assert_eq!(all("a@b@c.example"), [("", Some("a@b@c.example"))]);
    assert_eq!(Mailbox::all(&"a@b.example,".repeat(1000)).len(), 16);
}

proptest! {
    #[test]
    fn no_sender_panics(from in "([\\PC]|[<>@\",;()\\\\ .]){0,60}", reply_to in "([\\PC]|[<>@\",;()]){0,40}") {
        let _ = of_sender(&from, Some(&reply_to), &own());
    }

    #[test]
    fn no_subject_or_date_panics(text in "([\\PC]|[:+(),\\- \\[\\]]|[0-9]|re:){0,60}") {
        let _ = of_subject(&text, IsAnswer::NotSaid);
        let _ = date::read(&text);
    }
}
