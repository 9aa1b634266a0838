//! Replies from bytes, at every split.

use mailweir_mail::Enhanced;
use proptest::prelude::*;

use super::*;
use crate::client::tests::driver::wire;

/// All replies in the bytes, read in pieces; and how it ended.
fn read_in(pieces: &[&[u8]]) -> (Vec<Reply>, Option<ReplyError>) {
    let mut parser = ReplyParser::default();
    let mut replies = Vec::new();
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            match parser.read(&mut rest) {
                Ok(reply) => replies.extend(reply),
                Err(error) => return (replies, Some(error)),
            }
        }
    }
    (replies, None)
}

fn read(bytes: &[u8]) -> Result<Reply, ReplyError> {
    let mut rest = bytes;
    let mut parser = ReplyParser::default();
    parser.read(&mut rest).map(|reply| reply.expect("the reply has not ended"))
}

fn reply(code: u16, enhanced: Option<Enhanced>, text: &str) -> Reply {
    Reply { code, enhanced, text: text.to_owned().into() }
}

#[test]
fn replies_of_one_line_are_read() {
    assert_eq!(read(b"220 mx.example ESMTP\r\n"), Ok(reply(220, None, "mx.example ESMTP")));
    assert_eq!(read(b"250 2.1.5 Ok\r\n"), Ok(reply(250, Some(Enhanced(2, 1, 5)), "Ok")));
    assert_eq!(read(b"354\r\n"), Ok(reply(354, None, "")));
    assert_eq!(read(b"250 bare line feed\n"), Ok(reply(250, None, "bare line feed")));
}

#[test]
fn lines_of_one_reply_are_joined_and_share_their_enhanced_code() {
    assert_eq!(
        read(b"550-5.7.1 we do not\r\n550-5.7.1 want you\r\n550 5.7.2 here\r\n"),
        Ok(reply(550, Some(Enhanced(5, 7, 1)), "we do not\nwant you\n5.7.2 here"))
    );
    assert_eq!(read(b"250-mx\r\n250-\r\n250 HELP\r\n"), Ok(reply(250, None, "mx\n\nHELP")));
}

#[test]
fn an_enhanced_code_of_another_class_is_just_text() {
    assert_eq!(read(b"450 5.7.1 what?\r\n"), Ok(reply(450, None, "5.7.1 what?")));
    assert_eq!(read(b"354 2.0.0 go\r\n"), Ok(reply(354, None, "2.0.0 go")));
    assert_eq!(read(b"250 2.0.0.1 x\r\n"), Ok(reply(250, None, "2.0.0.1 x")));
}

#[test]
fn what_is_no_reply_is_an_error() {
    for bad in [
        "\r\n",
        "2\r\n",
        "25\r\n",
        "xyz hello\r\n",
        "199 low\r\n",
        "600 high\r\n",
        "099 x\r\n",
        "250_ok\r\n",
        "2500 ok\r\n",
        " 250 ok\r\n",
        "HTTP/1.1 400\r\n",
        "+25 x\r\n",
        "\u{ff12}50 x\r\n",
    ] {
        assert_eq!(read(bad.as_bytes()), Err(ReplyError::NotAReply), "{bad:?}");
    }
    assert_eq!(read(b"250-a\r\n251 b\r\n"), Err(ReplyError::CodesDiffer));
}

#[test]
fn control_characters_never_get_into_a_reply() {
    assert_eq!(
        read(b"250 a\tb\x00c\x1b[2Jd\re\xff\r\n"),
        Ok(reply(250, None, "a b?c?[2Jd?e\u{fffd}"))
    );
}

#[test]
fn a_long_line_is_cut_and_an_endless_reply_is_an_error() {
    let long = [b"250 ", &[b'x'; 5_000][..], b"\r\n"].concat();
    assert_eq!(read(&long).unwrap().text.len(), MAX_LINE - 4);
    let endless = vec![b'2'; MAX_BYTES + 1];
    assert_eq!(read_in(&[&endless]).1, Some(ReplyError::TooLong));
    let lines = "250-x\r\n".repeat(MAX_LINES + 1);
    assert_eq!(read(lines.as_bytes()), Err(ReplyError::TooLong));
    let most = format!("{}250 x\r\n", "250-x\r\n".repeat(MAX_LINES - 1));
    assert!(read(most.as_bytes()).is_ok());
}

#[test]
fn the_bounds_are_those_of_one_reply() {
    let one = format!("{}250 x\r\n", "250-x\r\n".repeat(MAX_LINES - 1));
    let (replies, error) = read_in(&[one.repeat(20).as_bytes()]);
    assert_eq!((replies.len(), error), (20, None));
}

#[test]
fn a_parser_knows_whether_it_is_midway() {
    let mut parser = ReplyParser::default();
    assert!(!parser.is_midway());
    assert_eq!(parser.read(&mut &b"250-x\r\n"[..]), Ok(None));
    assert!(parser.is_midway());
    assert!(parser.read(&mut &b"250 x\r\n"[..]).unwrap().is_some());
    assert!(!parser.is_midway());
}

fn any_reply() -> impl Strategy<Value = Reply> {
    let text = prop::collection::vec("[a-zA-Zü ]{0,30}", 1..5);
    (200_u16..600, any::<bool>(), 0..1_000_u16, text).prop_map(|(code, has, detail, lines)| {
        let class = u8::try_from(code / 100).unwrap_or(0);
        let enhanced = (has && class != 3).then_some(Enhanced(class, 7, detail));
        reply(code, enhanced, &lines.join("\n"))
    })
}

proptest! {
    #[test]
    fn reply_round_trip(reply in any_reply()) {
        prop_assert_eq!(read(&wire(&reply)), Ok(reply));
    }

    #[test]
    fn every_split_gives_the_same_replies(replies in prop::collection::vec(any_reply(), 1..4)) {
        let bytes: Vec<u8> = replies.iter().flat_map(wire).collect();
        for at in 0..bytes.len() {
            let (head, tail) = bytes.split_at(at);
            prop_assert_eq!(read_in(&[head, tail]), (replies.clone(), None));
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(read_in(&single), (replies, None));
    }

    #[test]
    fn every_split_of_garbage_gives_the_same_error(
        bytes in "(250[- ]|[0-9]{3}|[a-z\\x00-\\x20]|\r\n){0,60}",
        at in any::<prop::sample::Index>(),
    ) {
        let bytes = bytes.as_bytes();
        let (head, tail) = bytes.split_at(at.index(bytes.len() + 1));
        prop_assert_eq!(read_in(&[head, tail]), read_in(&[bytes]));
    }

    #[test]
    fn no_bytes_give_a_control_character(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let whole = [b"250 ", &bytes[..], b"\r\n"].concat();
        for reply in read_in(&[&whole]).0 {
            prop_assert!(!reply.text.contains(|c: char| c.is_control() && c != '\n'));
        }
    }
}
