use proptest::prelude::*;

use super::*;

fn tcp() -> RemoteMap {
    RemoteMap::Tcp { host: "localhost".into(), port: 9 }
}

fn socketmap() -> RemoteMap {
    RemoteMap::SocketmapUnix { path: "/run/maps".into(), map: "aliases".into() }
}

fn found(value: &[u8]) -> Reply {
    Reply::Found(value.to_owned())
}

fn failed_with(words: &str) -> Reply {
    Reply::Failed(words.into())
}

#[test]
fn a_socketmap_server_is_asked_in_a_netstring() {
    assert_eq!(request(&socketmap(), b"user@example.com"), b"24:aliases user@example.com,");
}

#[test]
fn a_socketmap_server_finds_does_not_find_or_cannot_tell() {
    for (input, expected) in [
        (b"8:OK a b c,".as_slice(), found(b"a b c")),
        (b"3:OK ,", found(b"")),
        (b"2:OK,", Reply::NotFound),
        (b"9:NOTFOUND ,", Reply::NotFound),
        (b"8:NOTFOUND,", Reply::NotFound),
        (b"11:TEMP try\xff x,", failed_with("the server reports a temporary error: try? x")),
        (b"8:TIMEOUT ,", failed_with("the server reports a timeout error")),
        (b"4:PERM,", failed_with("the server reports a permanent error")),
        (b"4:ok a,", failed_with("the server reports a unknown error: a")),
    ] {
        assert_eq!(reply(&socketmap(), input), Ok(Some((expected, input.len()))), "{input:?}");
    }
}

#[test]
fn what_is_no_netstring_is_refused() {
    for input in [b"x".as_slice(), b":OK a,", b"4:OK ab", b"-1:", b"5:OK \0a,", b"4;OK a,"] {
        assert_eq!(reply(&socketmap(), input), Err(ReplyError::Malformed), "{input:?}");
    }
}

#[test]
fn a_socketmap_reply_over_the_limit_is_refused_before_it_has_come() {
    assert_eq!(reply(&socketmap(), b"100000:OK "), Ok(None));
    assert_eq!(reply(&socketmap(), b"100001:"), Err(ReplyError::TooLong));
    assert_eq!(reply(&socketmap(), b"0000000"), Err(ReplyError::TooLong));
}

#[test]
fn a_tcp_server_is_asked_in_a_line() {
    assert_eq!(request(&tcp(), b"a b%\n\xc3\xa9~"), b"get a%20b%25%0A%C3%A9~\n");
}

#[test]
fn a_tcp_server_finds_does_not_find_or_cannot_tell() {
    for (input, expected) in [
        (b"200 a%20b%c3%A9 c\n".as_slice(), found(b"a b\xc3\xa9 c")),
        (b"200 \n", found(b"")),
        (b"500 no such key\n", Reply::NotFound),
        (b"400 try%20later\n", failed_with("the server reports a temporary error: try later")),
    ] {
        assert_eq!(reply(&tcp(), input), Ok(Some((expected, input.len()))), "{input:?}");
    }
}

#[test]
fn what_is_no_line_of_the_protocol_is_refused() {
    for input in [
        b"\n".as_slice(),
        b"200\n",
        b"2x0 a\n",
        b"300 a\n",
        b"200 %2\n",
        b"200 %gg\n",
        b"200 %00\n",
    ] {
        assert_eq!(reply(&tcp(), input), Err(ReplyError::Malformed), "{input:?}");
    }
}

#[test]
fn a_tcp_reply_over_the_limit_is_refused() {
    let mut line = b"200 ".to_vec();
    line.resize(TCP_LIMIT - 1, b'a');
    assert_eq!(reply(&tcp(), &line), Ok(None));
    let whole = [line.as_slice(), b"\n"].concat();
    assert!(matches!(reply(&tcp(), &whole), Ok(Some((Reply::Found(_), TCP_LIMIT)))));
    line.push(b'a');
    assert_eq!(reply(&tcp(), &line), Err(ReplyError::TooLong));
}

proptest! {
    #[test]
    fn a_reply_that_comes_in_pieces_is_read_when_it_is_whole(
        value in prop::collection::vec(1_u8..=255, 0..50),
        behind in prop::collection::vec(any::<u8>(), 0..5),
    ) {
        let quoted = tcp::request(&value);
        let line = [b"200 ", &quoted[4..]].concat();
        let netstring = [format!("{}:OK ", value.len() + 3).as_bytes(), &value, b","].concat();
        for (map, whole) in [(tcp(), line), (socketmap(), netstring)] {
            for end in 0..whole.len() {
                prop_assert_eq!(reply(&map, &whole[..end]), Ok(None));
            }
            let input = [whole.as_slice(), &behind].concat();
            prop_assert_eq!(reply(&map, &input), Ok(Some((found(&value), whole.len()))));
        }
    }

    #[test]
    fn no_input_makes_it_panic_or_take_more_than_there_is(
        input in prop::collection::vec(
            prop::sample::select(b"0123456789:,OKNTEMP 245%aF\n\0\xff".to_vec()), 0..40)
    ) {
        for map in [tcp(), socketmap()] {
            if let Ok(Some((_, length))) = reply(&map, &input) {
                prop_assert!(length <= input.len());
            }
        }
    }
}
