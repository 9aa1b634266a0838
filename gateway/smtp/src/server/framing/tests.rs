use proptest::prelude::*;

use super::*;

/// Decodes input that arrives in `pieces`; what is left after the final dot is `rest`.
#[derive(Debug, Default, PartialEq)]
struct Decoded {
    content: Vec<u8>,
    rest: Vec<u8>,
    ended: bool,
    bare: bool,
}

fn decode_pieces<'a>(framing: Framing, pieces: impl IntoIterator<Item = &'a [u8]>) -> Decoded {
    let mut decoder = Decoder::new(framing);
    let mut decoded = Decoded::default();
    for mut piece in pieces {
        while !decoded.ended {
            match decoder.decode(&mut piece) {
                Piece::Content(bytes) => {
                    assert!(!bytes.is_empty());
                    decoded.content.extend(bytes);
                }
                Piece::More => break,
                Piece::End => decoded.ended = true,
            }
        }
        decoded.rest.extend(piece);
    }
    while let Some(owed) = (framing == Framing::Counted).then(|| decoder.finish()).flatten() {
        decoded.content.extend(owed);
    }
    decoded.bare = decoder.saw_bare_newline();
    decoded
}

fn decode(framing: Framing, bytes: &[u8]) -> Decoded {
    let whole = decode_pieces(framing, [bytes]);
    assert_eq!(decode_pieces(framing, bytes.chunks(1)), whole, "byte by byte");
    for at in 0..bytes.len() {
        let (a, b) = bytes.split_at(at);
        assert_eq!(decode_pieces(framing, [a, b]), whole, "divided at {at}");
    }
    whole
}

fn content(bytes: &[u8]) -> String {
    let decoded = decode(Framing::Dots, bytes);
    assert!(decoded.ended, "no end in {:?}", bytes.escape_ascii().to_string());
    String::from_utf8(decoded.content).unwrap()
}

#[test]
fn plain_content_comes_as_one_slice_of_the_input() {
    let mut input: &[u8] = b"Subject: x\r\n\r\nline one\r\nline two\r\n.\r\nQUIT\r\n";
    let mut decoder = Decoder::new(Framing::Dots);
    let whole = b"Subject: x\r\n\r\nline one\r\nline two\r\n".as_slice();
    assert_eq!(decoder.decode(&mut input), Piece::Content(whole));
    assert_eq!(decoder.decode(&mut input), Piece::End);
    assert_eq!(input, b"QUIT\r\n");
}

#[test]
fn an_empty_mail_ends_at_once() {
    assert_eq!(content(b".\r\n"), "");
}

#[test]
fn stuffed_dots_lose_one_dot_and_no_more() {
    assert_eq!(content(b"..\r\n...\r\n.a\r\na.\r\n.\r\n"), ".\r\n..\r\na\r\na.\r\n");
}

#[test]
fn no_false_end_of_data_ends_the_content() {
    // attacks.md A1 and A2: what stands between "a" and "b" looks like an end to some server.
    for (fake, meant) in [
        ("\n.\n", "\r\n\r\n"),
        ("\n.\r\n", "\r\n\r\n"),
        ("\r\n.\n", "\r\n\r\n"),
        ("\r.\r", " . "),
        ("\r.\n", " .\r\n"),
        ("\n.\r", "\r\n "),
        ("\r.\r\n", " .\r\n"),
        ("\r\n.\r", "\r\n "),
        ("\r\n\0.\r\n", "\r\n\0.\r\n"),
        ("\r\n.\r\r\n", "\r\n \r\n"),
        ("\r\r\n.\r\r\n", " \r\n \r\n"),
    ] {
        let sent = format!("a{fake}b\r\n.\r\n");
        assert_eq!(content(sent.as_bytes()), format!("a{meant}b\r\n"), "{fake:?}");
    }
}

#[test]
fn a_false_end_directly_before_the_real_one_does_not_hide_it() {
    assert_eq!(content(b"a\n.\r\n.\r\n"), "a\r\n\r\n");
}

#[test]
fn a_peer_excused_from_crlf_may_end_its_mail_by_lf() {
    for end in ["\n.\n", "\n.\r\n", "\r\n.\n", "\r\n.\r\n"] {
        let sent = format!("a{end}QUIT\r\n");
        let decoded = decode(Framing::DotsAfterAnyNewline, sent.as_bytes());
        assert_eq!((decoded.content.as_slice(), decoded.ended), (&b"a\r\n"[..], true), "{end:?}");
        assert_eq!(decoded.rest, b"QUIT\r\n");
    }
}

#[test]
fn counted_content_has_no_dots_and_ends_with_a_whole_line() {
    for (sent, meant) in [
        ("", ""),
        ("a\r\n.\r\nb", "a\r\n.\r\nb\r\n"),
        ("..\n", "..\r\n"),
        ("a\r", "a \r\n"),
        ("a\rb\r\n", "a b\r\n"),
    ] {
        let decoded = decode(Framing::Counted, sent.as_bytes());
        assert_eq!(String::from_utf8(decoded.content).unwrap(), meant, "{sent:?}");
        assert_eq!(decoded.bare, sent.contains("..\n"));
    }
}

fn wire() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), Just(b'a'), any::<u8>()];
    proptest::collection::vec(byte, 0..60)
}

proptest! {
    #[test]
    fn the_result_does_not_depend_on_how_the_input_is_divided(
        bytes in wire(), cuts in proptest::collection::vec(0_usize..60, 0..6),
    ) {
        for framing in [Framing::Dots, Framing::DotsAfterAnyNewline, Framing::Counted] {
            let mut cuts: Vec<usize> = cuts.iter().map(|&cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([bytes.len()]) {
                pieces.push(&bytes[from..cut]);
                from = cut;
            }
            prop_assert_eq!(decode_pieces(framing, pieces), decode_pieces(framing, [&bytes[..]]));
        }
    }

    #[test]
    fn content_never_holds_a_bare_cr_or_lf(bytes in wire()) {
        let mut sent = bytes;
        sent.extend(b"\r\n.\r\n");
        let content = decode(Framing::Dots, &sent).content;
        let text = String::from_utf8_lossy(&content).replace("\r\n", "");
        prop_assert!(!text.contains(['\r', '\n']));
    }

    #[test]
    fn only_crlf_dot_crlf_ends(bytes in wire()) {
        let decoded = decode(Framing::Dots, &bytes);
        let mut led = b"\r\n".to_vec();
        led.extend(&bytes);
        let real = led.windows(5).position(|window| window == b"\r\n.\r\n");
        let end = decoded.ended.then(|| bytes.len() - decoded.rest.len());
        prop_assert_eq!(end, real.map(|at| at + 3));
    }

    #[test]
    fn well_formed_lines_come_out_as_they_went_in(lines in proptest::collection::vec("[ -~]{0,20}", 0..8)) {
        let plain: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let stuffed: String = lines
            .iter()
            .map(|line| format!("{}{line}\r\n", if line.starts_with('.') { "." } else { "" }))
            .collect();
        prop_assert_eq!(content(format!("{stuffed}.\r\n").as_bytes()), plain);
    }
}
