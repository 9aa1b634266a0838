use proptest::prelude::*;

use super::*;

fn read(header: &str) -> Result<Vec<String>, FromDoubt> {
    let mut from = HeaderFrom::default();
    from.feed(header.as_bytes());
    let found = from.addresses()?;
    Ok(found.iter().map(ToString::to_string).collect())
}

/// Who may use `ann@own.example` and nothing else may use this header.
fn ann_may(header: &str) -> bool {
    read(header).is_ok_and(|found| found.iter().all(|address| address == "ann@own.example"))
}

#[test]
fn what_people_send_is_read() {
    for value in [
        "ann@own.example",
        "<ann@own.example>",
        " Ann <ann@own.example> ",
        "\"Smith, Ann\" <ann@own.example>",
        "\"Ann \\\"the boss\\\" Smith\" <ann@own.example>",
        "Ann Q. Smith <ann@own.example>",
        "ann@own.example (Ann Smith)",
        "Ann\r\n\t<ann@own.example>",
        "\"ann@own.example\" <ann@own.example>",
        "ann@own.example <ann@own.example>",
        "'ann@own.example' <ann@own.example>",
        "=?utf-8?q?J=C3=BCrgen?= <ann@own.example>",
        "=?UTF-8*de?B?SsO8cmdlbg==?=\r\n =?iso-8859-1?Q?M=FCller?= <ann@own.example>",
        "J\u{fc}rgen <ann@own.example>",
        "[Support] Ann <ann@own.example>",
        "Ann/Sales & Co <ann@own.example>",
    ] {
        let header = format!("Subject: x\r\nFROM: {value}\r\nTo: b@x.example\r\n\r\nbody");
        assert!(ann_may(&header), "{value}: {:?}", read(&header));
    }
    let several = read("From: a@x.example, B <b@y.example>\r\n\r\n");
    assert_eq!(several, Ok(vec!["a@x.example".to_owned(), "b@y.example".to_owned()]));
}

/// The cases client_a1 to client_a3 of espoofer, by their names there.
#[test]
fn c6_an_account_cannot_be_used_to_write_as_somebody_else() {
    for header in [
        // client_a1
        "From: <ann@own.example>\r\nFrom: <admin@own.example>\r\n",
        "From: <admin@own.example>\r\nFrom: <ann@own.example>\r\n",
        // client_a2
        "From: <ann@own.example>, <admin@own.example>\r\n",
        // client_a3
        "From: <admin@own.example>\r\n",
    ] {
        assert!(!ann_may(header), "{header:?}");
    }
}

/// The cases server_a8 to server_a19 of espoofer, turned against an account of ours.
#[test]
fn c6_no_trick_of_the_header_hides_another_address() {
    for header in [
        " From: <admin@own.example>\r\nFrom: <ann@own.example>\r\n",
        "From : <admin@own.example>\r\nFrom: <ann@own.example>\r\n",
        "From: <ann@own.example>\r\nFrom : <admin@own.example>\r\n",
        "From\r\n : <admin@own.example>\r\nFrom: <ann@own.example>\r\n",
        "From\r\n : <admin@own.example>\r\n",
        "From: =?utf-8?B?PGFkbWluQG93bi5leGFtcGxlPg==?=,<ann@own.example>\r\n",
        "From: <@ann.example,@any.example:admin@own.example>\r\n",
        "From: <admin@own.example>\\,<ann@own.example>\r\n",
        "From: admin@own.example,<ann@own.example>\r\n",
        "From: <ann@own.example>admin@own.example\r\n",
        // No From, and a Sender that readers show instead.
        "Sender: <admin@own.example>\r\n",
        "Resent-From: <ann@own.example>\r\n",
    ] {
        assert!(!ann_may(header), "{header:?}");
        assert!(!ann_may(&format!("{header}\r\nFrom: <ann@own.example>\r\n")), "{header:?}");
    }
}

#[test]
fn each_doubt_has_its_reason() {
    for (header, doubt) in [
        ("", FromDoubt::Missing),
        ("Subject: x\r\n\r\nFrom: ann@own.example\r\n", FromDoubt::Missing),
        ("From: a@x.example\r\nfrom: a@x.example\r\n", FromDoubt::Twice),
        ("Hello\r\nFrom: a@x.example\r\n", FromDoubt::NoField),
        ("From a@x.example Sat Nov 21\r\nFrom: a@x.example\r\n", FromDoubt::NoField),
        ("From: a@x.example\r\nFr\0om: b@x.example\r\n", FromDoubt::NoField),
        ("From: a@x.example\r\nFrom\0: b@x.example\r\n", FromDoubt::NoField),
        ("From: a@x.example\r\n: b\r\n", FromDoubt::NoField),
        ("From: a@x.example\r\n \r\nFrom: b@x.example\r\n", FromDoubt::Twice),
        ("From: a@x.example\r\nFrom", FromDoubt::NoField),
        ("From:\r\n", FromDoubt::NoAddress),
        ("From: Ann\r\n", FromDoubt::NoAddress),
        ("From: Ann <>\r\n", FromDoubt::NoAddress),
        ("From: Smith, Ann <a@x.example>\r\n", FromDoubt::NoAddress),
        ("From: a@x.example,\r\n", FromDoubt::NoAddress),
        ("From: a\0@x.example\r\n", FromDoubt::ControlCharacter),
        ("From: a@x.example\0\r\n", FromDoubt::ControlCharacter),
        ("From: nobody:;\r\n", FromDoubt::Unclear),
        ("From: us: a@x.example;\r\n", FromDoubt::Unclear),
        ("From: \"b\"@x.example\r\n", FromDoubt::Unclear),
        ("From: a@x.co .example\r\n", FromDoubt::Unclear),
        ("From: a@x.co(c).example\r\n", FromDoubt::Unclear),
        ("From: b(c)@x.example\r\n", FromDoubt::NoAddress),
        ("From: a@x.example@y.example\r\n", FromDoubt::Unclear),
        ("From: a@[192.0.2.1]\r\n", FromDoubt::Unclear),
        ("From: \"Ann <a@x.example>\r\n", FromDoubt::Unclear),
        ("From: Ann <a@x.example\r\n", FromDoubt::Unclear),
        ("From: b\u{ff20}x.example <a@x.example>\r\n", FromDoubt::Unclear),
        ("From: =?utf-8?Q?b=40x.example?= <a@x.example>\r\n", FromDoubt::Unclear),
        ("From: \"=?utf-8?Q?b=40x.example?=\" <a@x.example>\r\n", FromDoubt::Unclear),
        ("From: =?utf-7?Q?b+AEA-x.example?= <a@x.example>\r\n", FromDoubt::Unclear),
        ("From: =?utf-8?Q?b=4?= <a@x.example>\r\n", FromDoubt::Unclear),
        ("From: =?utf-8?Q?b c?= <a@x.example>\r\n", FromDoubt::Unclear),
        ("From: =?utf-8?B?Yg?= <a@x.example>\r\n", FromDoubt::Unclear),
        ("From: =?utf-8?Q?b?=@x.example\r\n", FromDoubt::Unclear),
        ("From: a@x.example y.example <a@x.example>\r\n", FromDoubt::Unclear),
        ("From: Ann a@x.example <a@x.example>\r\n", FromDoubt::Unclear),
    ] {
        assert_eq!(read(header), Err(doubt), "{header:?}");
    }
    let mut latin = HeaderFrom::default();
    latin.feed(b"From: J\xfcrgen <a@x.example>\r\n\r\n");
    assert_eq!(latin.addresses(), Err(FromDoubt::NotUtf8));
}

#[test]
fn addresses_in_names_and_comments_count() {
    for value in [
        "\"admin@own.example\" <ann@own.example>",
        "admin@own.example <ann@own.example>",
        "ann@own.example (admin@own.example)",
        "\"Admin (admin@own.example)\" <ann@own.example>",
        "\"<admin@own.example>\" <ann@own.example>",
    ] {
        let found = read(&format!("From: {value}\r\n")).unwrap();
        assert!(found.contains(&"admin@own.example".to_owned()), "{value}: {found:?}");
    }
}

#[test]
fn a_header_without_end_needs_constant_memory() {
    let mut from = HeaderFrom::default();
    from.feed(b"From: a@x.example\r\n");
    for _ in 0..10_000 {
        from.feed(b" and so on and so on\r\n");
        from.feed(&[b' '; 100]);
    }
    assert!(from.value.as_ref().unwrap().capacity() <= 2 * MOST_BYTES);
    assert!(from.name.capacity() <= 64);
    assert_eq!(from.addresses(), Err(FromDoubt::TooLong));
}

/// How clients find the address in a From header, each wrong in its own way.
fn readers(value: &str) -> Vec<String> {
    let decoded = decoded(value);
    let mut found = Vec::new();
    for text in [value, &decoded] {
        let without_space: String = text.chars().filter(|c| *c != ' ').collect();
        let inside = |text: &str, open: usize| -> Option<String> {
            Some(text[open + 1..].split('>').next()?.to_owned())
        };
        for text in [text, &without_space] {
            found.extend(text.find('<').and_then(|open| inside(text, open)));
            found.extend(text.rfind('<').and_then(|open| inside(text, open)));
            found.extend(text.split([',', ';']).map(|part| part.trim().to_owned()));
            found.extend(text.split([',', ' ', '<', '>', '(', ')', '"', ':']).map(str::to_owned));
            found.extend(text.rsplit(':').next().map(str::to_owned));
        }
    }
    found.retain(|found| Address::parse(found).is_ok());
    found
}

/// With encoded words as they are shown, whether they end or not. What stands elsewhere is no code.
fn decoded(value: &str) -> String {
    let mut pieces = value.split("=?utf-8?Q?");
    let plain = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(plain, |text, piece| {
        let (word, rest) = piece.split_once("?=").unwrap_or((piece, ""));
        format!("{text}{}{rest}", word.replace("=40", "@"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Whatever is accepted, no reader finds an address that was not found here.
    #[test]
    fn no_reader_finds_another_address(
        parts in prop::collection::vec(prop::sample::select(vec![
            "ann", "ann@own.example", "admin@own.example", "<", ">", ",", ";", ":", "(", ")", "\"",
            "\\", " ", "@", ".", "=?utf-8?Q?", "?=", "=40", "\t", "own.example", "J\u{fc}", "'",
            "[", "]", "<ann@own.example>", "Ann ",
        ]), 1..9),
    ) {
        let value = parts.concat();
        if let Ok(found) = addresses(value.as_bytes()) {
            for seen in readers(&value) {
                let seen = Address::parse(&seen).unwrap();
                prop_assert!(found.contains(&seen), "{:?}: {:?}, not {:?}", value, seen, found);
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic_and_the_split_does_not_matter(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..120),
            "(From|from|Subject|X)?[ \\t]?:?( |<|>|@|a|\\.|\"|\\(|\r\n|\r\n ){0,60}"
                .prop_map(String::into_bytes),
        ],
        at in any::<prop::sample::Index>(),
    ) {
        let mut whole = HeaderFrom::default();
        whole.feed(&bytes);
        let (first, second) = bytes.split_at(at.index(bytes.len() + 1));
        let mut parts = HeaderFrom::default();
        parts.feed(first);
        parts.feed(second);
        prop_assert_eq!(whole.addresses(), parts.addresses());
    }
}
