//! Any bytes: no panic, no trust for strangers, and an end in bounded memory.

use proptest::prelude::*;

use super::*;

const EVERYTHING: WalkOptions = WalkOptions {
    local_origin: Origin::Accept,
    authenticated_origin: Origin::Accept,
    inner_hops: InnerHops::SameHost,
    own: OwnReceived::Absent,
};

#[test]
fn of_100_000_headers_no_more_are_kept_than_are_looked_at() {
    let header = from("192.0.2.1").repeat(100_000);
    let headers = ReceivedHeaders::of(header.as_bytes());
    assert_eq!(headers.count(), 100_000);
    assert!(headers.get(51).is_some() && headers.get(52).is_none());
    assert_eq!(verdict("192.0.2.1", &header), "untrusted at 51");
}

#[test]
fn a_header_of_10_megabytes_is_not_kept_and_not_trusted() {
    let folded = format!("Received: from a ([192.0.2.1])\n by b{}\n", "\n (c)".repeat(2 << 20));
    let unfolded = format!("Received: from a ([192.0.2.1]) by b {}\n", "(c) ".repeat(5 << 19));
    for header in [folded, unfolded] {
        let mut reader = ReceivedReader::default();
        for piece in header.as_bytes().chunks(4_096) {
            reader.feed(piece);
        }
        assert!(reader.memory() <= 300_000, "{}", reader.memory());
        let hosts = TrustedHosts::parse(["192.0.2.1"]).unwrap();
        let walk = walk(ip("192.0.2.1"), &reader.finish(), &hosts, &EVERYTHING);
        let why = Doubt::Unreadable(ReceivedError::TooLong);
        assert_eq!(walk.verdict(), Verdict::Untrusted { hop: 1, why: &why });
        assert_eq!(walk.hops()[1].sha256, None);
    }
}

#[test]
fn many_long_headers_are_kept_up_to_a_sum() {
    let long = format!("Received: from a ([192.0.2.1]) by b ({})\n", "x".repeat(100_000));
    let mut reader = ReceivedReader::default();
    reader.feed(long.repeat(40).as_bytes());
    assert!(reader.memory() <= 3 << 20, "{}", reader.memory());
    let headers = reader.finish();
    let hosts = TrustedHosts::parse(["192.0.2.1"]).unwrap();
    let walk = walk(ip("192.0.2.1"), &headers, &hosts, &EVERYTHING);
    let why = Doubt::Unreadable(ReceivedError::TooLong);
    assert_eq!(walk.verdict(), Verdict::Untrusted { hop: 11, why: &why });
}

#[test]
fn a_header_of_nothing_but_brackets_ends() {
    for text in ["(", "[", "\"", "<", "((((", "()", "[]", "<>", "([", "\\", ";", "from ", "by "] {
        let header = format!("Received: from {}\n", text.repeat(100_000 / text.len()));
        assert_eq!(verdict("192.0.2.1", &header), "untrusted at 1", "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_walked_and_a_stranger_is_never_trusted(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        peer in any::<[u8; 4]>(),
    ) {
        let mail = [b"Received: from ", &*bytes].concat();
        let hosts = TrustedHosts::parse(OURS.iter().copied()).unwrap();
        let headers = ReceivedHeaders::of(&mail);
        let walk = walk(peer.into(), &headers, &hosts, &EVERYTHING);
        prop_assert!(hosts.find(peer.into()).is_some() || !walk.is_trusted());
        let _ = (walk.to_string(), serde_json::to_string(&walk).unwrap());
    }

    #[test]
    fn likely_words_in_any_order_are_walked_and_a_stranger_is_never_trusted(
        words in proptest::collection::vec(proptest::sample::select(WORDS), 0..24),
    ) {
        let header = format!("Received: {}\n", words.concat());
        let hosts = TrustedHosts::parse(OURS.iter().copied()).unwrap();
        let headers = ReceivedHeaders::of(header.as_bytes());
        prop_assert!(!walk(ip("203.0.113.9"), &headers, &hosts, &EVERYTHING).is_trusted());
        let by_ours = walk(ip("192.0.2.1"), &headers, &hosts, &WalkOptions::default());
        // The one address that any of the words makes trusted.
        prop_assert!(!by_ours.is_trusted() || by_ours.hops()[1].address == Some(ip("192.0.2.2")));
    }

    #[test]
    fn what_stands_around_an_untrusted_address_does_not_matter(
        name in "[!-~]{0,20}",
        reverse in "[!-~]{0,20}",
        rest in "[ -~]{0,40}",
    ) {
        let header = format!(
            "Received: from {name} ({reverse} [203.0.113.9]) by mx.example with SMTP {rest}; now\n"
        );
        prop_assert_eq!(verdict("192.0.2.1", &header), "untrusted at 1");
    }

    #[test]
    fn a_header_more_below_never_mends_a_chain(
        upper in proptest::collection::vec(proptest::sample::select(HEADERS), 0..4),
        lower in proptest::collection::vec(proptest::sample::select(HEADERS), 1..3),
    ) {
        let options = WalkOptions { inner_hops: InnerHops::Listed, ..EVERYTHING };
        let (upper, lower) = (upper.concat(), lower.concat());
        let is_trusted = |header: &str| walked("192.0.2.1", header, &options).is_trusted();
        prop_assert!(is_trusted(&upper) || !is_trusted(&(upper.clone() + &lower)));
    }

    #[test]
    fn the_split_of_the_content_does_not_matter(at in 0..600_usize, and in 0..600_usize) {
        let header = from("192.0.2.1") + "Subject: x\n y\n" + &from("192.0.2.2") + "\n\nReceived: x\n";
        let bytes = header.as_bytes();
        let (first, second) = (at.min(and).min(bytes.len()), at.max(and).min(bytes.len()));
        let mut reader = ReceivedReader::default();
        for piece in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
            reader.feed(piece);
        }
        let hosts = TrustedHosts::parse(OURS.iter().copied()).unwrap();
        let walk = walk(ip("192.0.2.1"), &reader.finish(), &hosts, &WalkOptions::default());
        prop_assert_eq!(walk, walked("192.0.2.1", &header, &WalkOptions::default()));
    }
}

const HEADERS: &[&str] = &[
    "Received: from a ([192.0.2.2]) by b with SMTP; now\n",
    "Received: from a ([192.0.2.2]) by b with ESMTPSA; now\n",
    "Received: from a ([203.0.113.9]) by b with SMTP; now\n",
    "Received: from a ([203.0.113.9]) by b with ESMTPSA; now\n",
    "Received: from a ([127.0.0.2]) by b with SMTP; now\n",
    "Received: by b (Postfix, from userid 0); now\n",
    "Received: (qmail 1 invoked from network); now\n",
    "Received: nonsense\n",
    "X-Received: by a\n",
];

const WORDS: &[&str] = &[
    "from ",
    "by ",
    "with ",
    "via ",
    "id ",
    "for ",
    "mx.example ",
    "[192.0.2.2] ",
    "([192.0.2.2]) ",
    "(a [192.0.2.2]) ",
    "(192.0.2.2) ",
    "203.0.113.9 ",
    "(b [203.0.113.9]) ",
    "ESMTPSA ",
    "local ",
    "mapi ",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    "\"",
    "\\",
    "; ",
    "\n ",
    "(Exim 4) ",
    "helo=",
    "(qmail 1 invoked from network) ",
    "(Postfix, from userid 0) ",
];
