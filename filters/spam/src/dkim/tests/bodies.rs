//! The two forms of a body, against a plain way to make them.

use aws_lc_rs::digest::{SHA256, digest};
use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    super::{
        body::BodyHash,
        canonical::Canonical,
        digest::{BodyMatch, BodyReader, SignedBody, bytes_of},
    },
    signer::{bytes, canonical_body, latin},
};

fn expected(body: &[u8], form: Canonical) -> Vec<u8> {
    let form = if form == Canonical::Simple { "simple" } else { "relaxed" };
    bytes(&canonical_body(&latin(body), form))
}

fn sha(bytes: &[u8]) -> [u8; 32] {
    bytes_of(digest(&SHA256, bytes))
}

/// What is found of a signature of `limit` bytes.
fn compare(pieces: &[&[u8]], form: Canonical, limit: Option<u64>, hash: [u8; 32]) -> BodyMatch {
    let signed = SignedBody { form, limit, hash };
    let mut reader = BodyReader::new(&[signed], false);
    pieces.iter().for_each(|piece| reader.feed(piece));
    reader.finish().compare(&signed)
}

#[test]
fn the_examples_of_the_rfc_are_as_it_says() {
    let body = b" C \r\nD \t E\r\n\r\n\r\n";
    assert_eq!(expected(body, Canonical::Relaxed), b" C\r\nD E\r\n");
    assert_eq!(expected(body, Canonical::Simple), b" C \r\nD \t E\r\n");
    for (body, form, canonical) in [
        (&body[..], Canonical::Relaxed, &b" C\r\nD E\r\n"[..]),
        (&body[..], Canonical::Simple, b" C \r\nD \t E\r\n"),
        (b"", Canonical::Simple, b"\r\n"),
        (b"", Canonical::Relaxed, b""),
        (b"\r\n \r\n\t\r\n", Canonical::Relaxed, b""),
        (b"\r\n\r\n", Canonical::Simple, b"\r\n"),
        (b"a", Canonical::Relaxed, b"a\r\n"),
        (b"a\r", Canonical::Relaxed, b"a\r\r\n"),
        (b"a \rb \t\r\n\r\r\n", Canonical::Relaxed, b"a \rb\r\n\r\r\n"),
        (b"a\nb", Canonical::Simple, b"a\nb\r\n"),
    ] {
        let found = compare(&[body], form, None, sha(canonical));
        assert_eq!(found, BodyMatch::Same { unsigned: 0 }, "{body:?}");
    }
}

#[test]
fn a_body_of_a_million_empty_lines_is_empty_until_something_follows() {
    let (lines, form) = (b"\r\n".repeat(1_000_000), Canonical::Relaxed);
    assert_eq!(compare(&[&lines], form, None, sha(b"")), BodyMatch::Same { unsigned: 0 });
    let followed = [&lines[..], b"x\r\n"].concat();
    let found = compare(&[&lines, b"x"], form, None, sha(&followed));
    assert_eq!(found, BodyMatch::Same { unsigned: 0 });
}

#[test]
fn several_beginnings_are_hashed_in_one_pass() {
    let body = b"one\r\ntwo\r\nthree\r\n";
    let limits = [0, 5, 10, 16, 17, 18];
    let signed = limits.map(|limit| {
        let beginning = body.get(..limit).unwrap_or_default();
        let limit = Some(limit as u64);
        SignedBody { form: Canonical::Simple, limit, hash: sha(beginning) }
    });
    let mut reader = BodyReader::new(&signed, false);
    reader.feed(body);
    let digests = reader.finish();
    let found: Vec<BodyMatch> = signed.iter().map(|signed| digests.compare(signed)).collect();
    let same = |unsigned| BodyMatch::Same { unsigned };
    assert_eq!(found, [same(17), same(12), same(7), same(1), same(0), BodyMatch::TooShort]);
}

#[test]
fn the_beginning_of_an_empty_body_is_empty() {
    let found = compare(&[], Canonical::Relaxed, Some(0), sha(b""));
    assert_eq!(found, BodyMatch::Same { unsigned: 0 });
    assert_eq!(compare(&[], Canonical::Relaxed, Some(1), sha(b"")), BodyMatch::TooShort);
}

/// Bodies of the bytes that matter, with long runs among them.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let words =
        ["a", "bc", " ", "  ", "\t", " \t", "\r", "\n", "\r\n", "\r\n\r\n", " \r\n", "\u{e9}"];
    let long = prop_oneof![
        9 => select(words.to_vec()).prop_map(str::to_owned),
        1 => (select(words.to_vec()), 1..700_usize).prop_map(|(word, times)| word.repeat(times)),
    ];
    vec(long, 0..40).prop_map(|words| words.concat().into_bytes())
}

proptest! {
    #[test]
    fn both_forms_are_what_the_plain_way_makes(body in body(), at in 0..9_999_usize, and in 0..9_999_usize) {
        let (at, and) = (at % (body.len() + 1), and % (body.len() + 1));
        let (first, second) = (at.min(and), at.max(and));
        let pieces = [&body[..first], &body[first..second], &body[second..]];
        for form in [Canonical::Simple, Canonical::Relaxed] {
            let wanted = sha(&expected(&body, form));
            prop_assert_eq!(compare(&pieces, form, None, wanted), BodyMatch::Same { unsigned: 0 });
            prop_assert_eq!(compare(&[&body], form, None, wanted), BodyMatch::Same { unsigned: 0 });
        }
    }

    #[test]
    fn byte_by_byte_is_as_all_at_once(body in body(), limit in 0..200_u64) {
        for form in [Canonical::Simple, Canonical::Relaxed] {
            let mut one = BodyHash::new(form, vec![limit]);
            let mut all = BodyHash::new(form, vec![limit]);
            body.iter().for_each(|byte| one.feed(&[*byte]));
            all.feed(&body);
            prop_assert_eq!(one.finish(), all.finish());
        }
    }

    #[test]
    fn a_beginning_is_that_of_the_whole(body in body(), limit in 0..2_000_usize) {
        for form in [Canonical::Simple, Canonical::Relaxed] {
            let whole = expected(&body, form);
            let limit = limit.min(whole.len());
            let found = compare(&[&body], form, Some(limit as u64), sha(&whole[..limit]));
            prop_assert_eq!(found, BodyMatch::Same { unsigned: (whole.len() - limit) as u64 });
        }
    }
}
