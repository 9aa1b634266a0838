//! The envelope that a header lets us assume, for a mail that came without one.
//!
//! It is what delivery agents have noted (Return-Path, Delivered-To and others), and else whom the mail itself
//! names. That can be wrong, and who got a hidden copy may be missing; the record says that the mail was
//! imported. How long it is kept counts from the import, never from a date that a mail claims.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr},
};

use mailweir_mail::{
    Address, Client, Envelope, Origin, Protocol, Recipient, ReversePath, Timestamp,
};

use super::FromLine;
use crate::header::{Date, Header, MOST_BYTES, addresses, is_one_of, is_understood};

/// What is assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumed {
    /// Sender and recipients. There may be none.
    pub envelope: Envelope,
    /// When it arrived; absent: nothing says so.
    pub arrival: Option<Timestamp>,
}

/// Reads the header of a mail. `hint`: what the mailbox says of it.
#[must_use]
pub fn assume(content: &[u8], hint: &FromLine) -> Assumed {
    let header = Header::read(content);
    let mut envelope = Envelope::from_sender(sender(&header, hint));
    let mut seen = HashSet::new();
    let named = header.all(&NOTED).chain(header.all(&VISIBLE)).chain(header.all(&HIDDEN));
    let recipients = named.flat_map(addresses).filter(|address| seen.insert(address.clone()));
    envelope.recipients = recipients.take(MOST_RECIPIENTS).map(Recipient::new).collect();
    Assumed { envelope, arrival: arrival(&header).or(hint.at) }
}

/// Whom the header of a mail from a file names besides those that all recipients see: as the copy of one of them, or of
/// its sender, it may say who else got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// These.
    pub people: HashSet<Address>,
    /// Whether it may name others, in a way that cannot be read.
    pub may_name_others: bool,
}

/// Reads whom a header names besides. `begin`: the first [`MOST_HEADER`] bytes of the mail, or all of it.
#[must_use]
pub fn beside(begin: &[u8]) -> Beside {
    let header = Header::read(begin);
    let noted = || header.named(is_noted);
    let hidden = || header.all(&HIDDEN);
    let received = || header.all(&["Received"]).filter_map(received_for);
    let visible: HashSet<Address> = header.all(&VISIBLE).flat_map(addresses).collect();
    let people = noted().chain(hidden()).chain(received()).flat_map(addresses);
    let is_half_read = |value: &str| value.matches('@').count() != addresses(value).count();
    // A field of its own names somebody; what else a trace says may name nobody.
    let is_unclear =
        |value: &str| is_half_read(value) || !value.is_empty() && addresses(value).next().is_none();
    Beside {
        people: people.filter(|address| !visible.contains(address)).collect(),
        may_name_others: header.is_cut()
            || noted().any(is_unclear)
            || received().any(is_half_read)
            || !hidden().all(is_understood),
    }
}

/// Whether fields of this name say who got a mail, for the host that took it and not for all who got it.
fn is_noted(name: &str) -> bool {
    let ends = |end: &str| {
        let split = name.len().checked_sub(end.len()).and_then(|at| name.split_at_checked(at));
        split.is_some_and(|(_, tail)| tail.eq_ignore_ascii_case(end))
    };
    is_one_of(name, &NOTED) || (ends("-To") || ends("-For")) && !is_one_of(name, &NOT_NOTED)
}

/// What a trace says of those for whom a host took a mail (RFC 5321 section 4.4), up to its date.
fn received_for(value: &str) -> Option<&str> {
    let clauses = value.rsplit_once(';').map_or(value, |(clauses, _)| clauses);
    let begins = |(at, _): &(usize, char)| {
        let (before, from) = clauses.split_at(*at);
        let word = from.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("for"));
        let is_alone = before.ends_with(char::is_whitespace)
            && from.get(3..).is_some_and(|rest| rest.starts_with([' ', '\t', '<']));
        word && is_alone
    };
    let (at, _) = clauses.char_indices().find(begins)?;
    clauses.get(at + 3..)
}

/// Where an imported mail came from, as records say it. `arrival`: no later than now.
#[must_use]
pub fn origin(arrival: Option<Timestamp>, now: Timestamp) -> Origin {
    Origin {
        listener: LISTENER.into(),
        client: Client::unnamed((IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0).into()),
        helo: "".into(),
        protocol: Protocol::Smtp,
        login: None,
        tls: None,
        forwarded: None,
        arrival: arrival.unwrap_or(now).min(now),
    }
}

fn sender(header: &Header, hint: &FromLine) -> ReversePath {
    if let Some(path) = header.first("Return-Path") {
        return addresses(path).next().map_or(ReversePath::Null, ReversePath::Mailbox);
    }
    let named = || header.all(&["From", "Sender"]).flat_map(addresses).next();
    hint.sender.clone().or_else(named).map_or(ReversePath::Null, ReversePath::Mailbox)
}

/// The time that the last host noted, or else what the sender claims.
fn arrival(header: &Header) -> Option<Timestamp> {
    let received = header.first("Received").and_then(|value| value.rsplit_once(';'));
    let noted = received.and_then(|(_, date)| Date::read(date)).and_then(Date::time);
    let claimed = || header.first("Date").and_then(Date::read).and_then(Date::time);
    noted.or_else(claimed)
}

/// What delivery agents note, and what an envelope is assumed from.
const NOTED: [&str; 6] = [
    "Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "X-Envelope-To",
    "X-Delivered-To",
    "Apparently-To",
];

/// What all recipients see, or who sent it.
const NOT_NOTED: [&str; 14] = [
    "Resent-To",
    "Reply-To",
    "In-Reply-To",
    "X-In-Reply-To",
    "Mail-Reply-To",
    "Mail-Followup-To",
    "Errors-To",
    "X-Complaints-To",
    "X-Abuse-Reports-To",
    "X-Errors-To",
    "Disposition-Notification-To",
    "Return-Receipt-To",
    "X-Confirm-Reading-To",
    "Followup-To",
];

/// Whom all recipients see.
pub(crate) const VISIBLE: [&str; 4] = ["To", "Cc", "Resent-To", "Resent-Cc"];

/// Whom a sent mail names besides.
const HIDDEN: [&str; 2] = ["Bcc", "Resent-Bcc"];

/// As much of a header as is read, in bytes.
pub const MOST_HEADER: usize = MOST_BYTES;

/// As many recipients as are assumed.
const MOST_RECIPIENTS: usize = 1_000;

/// What stands in place of a listener.
const LISTENER: &str = "import";

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Option<Timestamp> {
        text.parse().ok()
    }

    fn people(assumed: &Assumed) -> Vec<&str> {
        assumed.envelope.recipients.iter().map(|one| one.address.as_str()).collect()
    }

    #[test]
    fn what_delivery_agents_noted_comes_before_what_the_mail_says() {
        let mail = b"Return-Path: <bounce@list.example>\r\nDelivered-To: ann@own.example\r\n\
            X-Original-To: info@own.example\r\nReceived: from a by b; Fri, 20 Nov 2026 21:30:05 +0000\r\n\
            Received: from c by a;\r\n Thu, 19 Nov 2026 01:00:00 +0000\r\nFrom: Bob <bob@far.example>\r\n\
            To: list@list.example, \"Ann\" <Ann@OWN.example>, ann@own.EXAMPLE\r\nBcc: eve@x.example\r\n\
            Date: Mon, 1 Jan 2001 00:00:00 +0000\r\n\r\nTo: body@x.example\r\n";
        let assumed =
            assume(mail, &FromLine::read(b"From x@y.example Sat Nov 21 21:30:05 2026").unwrap());
        assert_eq!(assumed.envelope.sender.as_str(), "bounce@list.example");
        assert_eq!(
            people(&assumed),
            [
                "ann@own.example",
                "info@own.example",
                "list@list.example",
                "Ann@OWN.example",
                "eve@x.example"
            ]
        );
        assert_eq!(assumed.arrival, time("2026-11-20T21:30:05Z"));
    }

    #[test]
    fn a_mail_of_few_words_gives_what_it_has() {
        let hint = FromLine::read(b"From x@y.example Sat Nov 21 21:30:05 2026").unwrap();
        let assumed = assume(b"Subject: hello\n\n", &hint);
        assert_eq!(assumed.envelope.sender.as_str(), "x@y.example");
        assert_eq!((people(&assumed).len(), assumed.arrival), (0, time("2026-11-21T21:30:05Z")));

        let nothing = assume(b"", &FromLine::default());
        assert_eq!((nothing.envelope.sender, nothing.arrival), (ReversePath::Null, None));

        let from = assume(
            b"From: Bob <bob@far.example>\nReceived: garbage\nDate: 1 Mar 2026 09:05 Z\n",
            &FromLine::default(),
        );
        assert_eq!(from.envelope.sender.as_str(), "bob@far.example");
        assert_eq!(from.arrival, time("2026-03-01T09:05Z"));

        let bounce = assume(b"Return-Path: <>\nFrom: Bob <bob@far.example>\n", &hint);
        assert_eq!(bounce.envelope.sender, ReversePath::Null);
    }

    #[test]
    fn whom_a_copy_names_besides_is_known() {
        let people = |text: &str| {
            let Beside { people, may_name_others } = beside(text.as_bytes());
            let mut people: Vec<_> = people.iter().map(ToString::to_string).collect();
            people.sort_unstable();
            (people.join(" "), may_name_others)
        };
        for (header, named, may_name_others) in [
            ("To: bob@x.example\nDelivered-To: carol@x.example", "carol@x.example", false),
            ("To: bob@x.example\nDelivered-To: bob@x.example", "", false),
            ("To: bob@x.example\nBcc: Eve <eve@x.example>, bob@x.example", "eve@x.example", false),
            (
                "Received: from a by b\n\tfor <carol@x.example>; Fri, 20 Nov 2026 21:30:05 +0000",
                "carol@x.example",
                false,
            ),
            ("Received: from a by b for carol@x.example;\n x", "carol@x.example", false),
            ("Bcc: undisclosed-recipients:;\nReceived: for the second time", "", false),
            (
                "Received: from a by b for <bob@x.example>,<carol@x.example>;Fri",
                "bob@x.example carol@x.example",
                false,
            ),
            ("Received: by b with SMTP for <carol@x.example>;Fri", "carol@x.example", false),
            ("Received: by b for<carol@x.example>; Fri", "carol@x.example", false),
            ("Received: by b for <bob@x.example> <carol@x.example>; x", "carol@x.example", true),
            ("Received: by b for carol@; Fri", "", true),
            ("Received: from mail@x.example by b; Fri", "", false),
            ("X-Forwarded-To: carol@x.example", "carol@x.example", false),
            ("x-gm-original-TO: carol@x.example", "carol@x.example", false),
            ("X-Forwarded-For: b@x.example c@x.example", "b@x.example", true),
            ("X-Rcpt-To: carol", "", true),
            ("Reply-To: b@x.example\nIn-Reply-To: <1@x.example>\nErrors-To: c", "", false),
            ("Delivered-To: mailing list l@x.example\nCc: l@x.example", "", false),
            ("Delivered-To: carol", "", true),
            ("Bcc: Carol, bob@x.example\nTo: bob@x.example", "", true),
            ("To: bob@x.example\n\nBcc: text@x.example", "", false),
        ] {
            assert_eq!(people(header), (named.to_owned(), may_name_others), "{header}");
        }
        let cut = format!("To: bob@x.example\nX: {}", "x".repeat(MOST_HEADER));
        assert_eq!(people(&cut), (String::new(), true));
    }

    #[test]
    fn a_mail_to_everybody_names_no_more_than_the_bound() {
        let people: String = (0..3_000).map(|n| format!("p{n}@x.example,")).collect();
        let assumed = assume(format!("To: {people}\r\n\r\n").as_bytes(), &FromLine::default());
        assert_eq!(assumed.envelope.recipients.len(), MOST_RECIPIENTS);
    }

    #[test]
    fn nothing_arrived_after_it_was_imported() {
        let now = Timestamp::from_secs(1_795_210_205);
        let later = now.plus(std::time::Duration::from_secs(5));
        assert_eq!(origin(Some(later), now).arrival, now);
        assert_eq!(origin(None, now).arrival, now);
        assert_eq!(origin(Some(Timestamp::from_secs(9)), now).arrival, Timestamp::from_secs(9));
    }
}
