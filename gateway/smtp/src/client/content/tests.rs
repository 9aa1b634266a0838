//! Content on the wire: encoded, decoded as a server would, and compared with what it should be.

use proptest::prelude::*;

use super::*;

fn encode(chunks: &[&[u8]]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    let mut wire = Vec::new();
    chunks.iter().for_each(|chunk| encoder.encode_into(chunk, &mut wire));
    wire.extend_from_slice(encoder.finish());
    wire
}

fn encoded(text: &str) -> String {
    String::from_utf8(encode(&[text.as_bytes()])).unwrap()
}

/// What the content is, line by line: the rules, without regard to speed.
fn normalised(content: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = vec![Vec::new()];
    for (at, &byte) in content.iter().enumerate() {
        let next = content.get(at + 1);
        let last = lines.last_mut().unwrap();
        match byte {
            b'\r' if next == Some(&b'\n') => {}
            b'\n' => lines.push(Vec::new()),
            _ if last.len() == MAX_LINE => lines.push(vec![b' ', printed(byte)]),
            _ => last.push(printed(byte)),
        }
    }
    if lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    lines
}

fn printed(byte: u8) -> u8 {
    if byte == b'\r' { b' ' } else { byte }
}

/// What a strict server makes of it: it ends at the first CRLF dot CRLF, which must be the last.
fn decode(wire: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<&[u8]> = Vec::new();
    let mut rest = wire;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"\r\n") {
        lines.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    assert!(rest.is_empty(), "bytes behind the last line");
    assert_eq!(lines.pop(), Some(&b"."[..]), "no final dot");
    assert!(!lines.contains(&&b"."[..]), "a dot ends the content early");
    lines.into_iter().map(|line| line.strip_prefix(b".").unwrap_or(line).to_vec()).collect()
}

#[test]
fn clean_content_passes_through_without_a_copy() {
    let content = b"Subject: x\r\n\r\na line\r\nanother one\r\n";
    let mut encoder = Encoder::new();
    let pieces: Vec<&[u8]> = encoder.encode(content).collect();
    assert_eq!(pieces, [&content[..]]);
    assert!(std::ptr::eq(pieces[0], &content[..]));
    assert_eq!(encoder.finish(), b".\r\n");
}

#[test]
fn an_empty_content_is_just_the_dot() {
    assert_eq!(encoded(""), ".\r\n");
}

#[test]
fn a_last_line_without_an_end_gets_one() {
    assert_eq!(encoded("a"), "a\r\n.\r\n");
    assert_eq!(encoded("a\r"), "a \r\n.\r\n");
    assert_eq!(encoded("\r"), " \r\n.\r\n");
    assert_eq!(encoded("a\n"), "a\r\n.\r\n");
}

#[test]
fn a4_no_bare_cr_or_lf_leaves() {
    assert_eq!(encoded("a\nb\rc\r\rd\n\re\r\r\n"), "a\r\nb c  d\r\n e \r\n.\r\n");
}

#[test]
fn e9_dots_are_doubled_at_every_start_of_a_line() {
    assert_eq!(encoded(".\r\n..\r\n.a\n.\r\n"), "..\r\n...\r\n..a\r\n..\r\n.\r\n");
    assert_eq!(encoded("\r\n\r\n.\r\n"), "\r\n\r\n..\r\n.\r\n");
    assert_eq!(encoded("."), "..\r\n.\r\n");
}

#[test]
fn e9_dots_are_doubled_at_every_border_of_chunks() {
    let content = b"a\r\n.\r\n\n.b\r\r\n..\r\n.";
    let whole = encode(&[content]);
    for first in 0..=content.len() {
        for second in first..=content.len() {
            let chunks = [&content[..first], &content[first..second], &content[second..]];
            assert_eq!(encode(&chunks), whole, "{first} {second}");
        }
    }
}

#[test]
fn a1_what_a_lax_server_might_take_for_the_end_does_not_leave() {
    for end in ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\n", "\n.\r", "\r.\r\n", "\r\n.\r"] {
        let wire = encoded(&format!("a{end}MAIL FROM:<evil@x.example>"));
        let dots = wire.matches("\r\n.\r\n").count();
        assert_eq!(dots, 1, "{end:?}: {wire:?}");
        assert!(wire.ends_with("\r\n.\r\n"));
    }
}

#[test]
fn e11_long_lines_are_broken_as_postfix_breaks_them() {
    let exact = "x".repeat(998);
    assert_eq!(encoded(&exact), format!("{exact}\r\n.\r\n"));
    assert_eq!(encoded(&format!("{exact}\r\n")), format!("{exact}\r\n.\r\n"));
    assert_eq!(encoded(&format!("{exact}y\r\n")), format!("{exact}\r\n y\r\n.\r\n"));
    let rest = "x".repeat(997);
    assert_eq!(encoded(&format!("{exact}{rest}z")), format!("{exact}\r\n {rest}\r\n z\r\n.\r\n"));
    assert_eq!(encoded(&format!("{exact}\rz")), format!("{exact}\r\n  z\r\n.\r\n"));
    assert_eq!(encoded(&format!("{exact}\r")), format!("{exact}\r\n  \r\n.\r\n"));
}

#[test]
fn e11_a_dot_behind_a_break_stands_behind_the_space() {
    let exact = "x".repeat(998);
    assert_eq!(encoded(&format!("{exact}.\r\n")), format!("{exact}\r\n .\r\n.\r\n"));
    let dotted = format!(".{}", "x".repeat(997));
    assert_eq!(encoded(&format!("{dotted}\r\n")), format!(".{dotted}\r\n.\r\n"));
}

/// Content that is made of what matters here.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just(b"\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b".".to_vec()),
        Just(b"\r\n.\r\n".to_vec()),
        (990_usize..1_005).prop_map(|length| vec![b'x'; length]),
        prop::collection::vec(any::<u8>(), 0..5),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn e9_what_is_decoded_is_what_was_meant(content in content()) {
        prop_assert_eq!(decode(&encode(&[&content])), normalised(&content));
    }

    #[test]
    fn what_is_counted_is_what_was_meant(content in content(), at in any::<prop::sample::Index>()) {
        let (first, second) = content.split_at(at.index(content.len() + 1));
        let mut encoder = Encoder::counted();
        let mut wire = Vec::new();
        encoder.encode_into(first, &mut wire);
        encoder.encode_into(second, &mut wire);
        wire.extend_from_slice(encoder.finish());
        let lines = normalised(&content).into_iter();
        prop_assert_eq!(wire, lines.flat_map(|line| [line, b"\r\n".to_vec()]).flatten().collect::<Vec<u8>>());
    }

    #[test]
    fn every_chunking_gives_the_same_bytes(
        content in content(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(content.len() + 1)).collect();
        cuts.sort_unstable();
        let mut chunks = Vec::new();
        let mut start = 0;
        for cut in cuts {
            chunks.push(&content[start..cut]);
            start = cut;
        }
        chunks.push(&content[start..]);
        prop_assert_eq!(encode(&chunks), encode(&[&content]));
    }

    #[test]
    fn forbidden_sequences_never_leave(content in content()) {
        let wire = encode(&[&content]);
        for (at, &byte) in wire.iter().enumerate() {
            match byte {
                b'\r' => prop_assert_eq!(wire.get(at + 1), Some(&b'\n')),
                b'\n' => prop_assert_eq!(at.checked_sub(1).map(|at| wire[at]), Some(b'\r')),
                _ => {}
            }
        }
        for line in wire.split(|&byte| byte == b'\n') {
            let line = line.strip_prefix(b".").unwrap_or(line);
            prop_assert!(line.len() <= MAX_LINE + 1, "{} bytes", line.len());
        }
    }
}
