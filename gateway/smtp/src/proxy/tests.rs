use proptest::prelude::*;

use super::*;

fn route(source: &str, destination: &str) -> Option<Route> {
    Some(Route { source: source.parse().unwrap(), destination: destination.parse().unwrap() })
}

fn version_2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let mut header = SIGNATURE_2.to_vec();
    header.extend([command, family]);
    header.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    header.extend(body);
    header
}

/// Reads a header that mail follows: every part of it alone is incomplete.
fn read(header: &[u8]) -> Option<Route> {
    for end in 0..header.len() {
        assert_eq!(parse(&header[..end]), Proxy::Incomplete, "{end} bytes");
    }
    let mut input = header.to_vec();
    input.extend(b"EHLO client.example\r\n");
    match parse(&input) {
        Proxy::Header { route, consumed } => {
            assert_eq!(consumed, header.len());
            route
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn version_1_names_client_and_destination() {
    let found = read(b"PROXY TCP4 192.0.2.1 192.0.2.25 4711 25\r\n");
    assert_eq!(found, route("192.0.2.1:4711", "192.0.2.25:25"));
    let found = read(b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n");
    assert_eq!(found, route("[2001:db8::1]:1", "[::1]:65535"));
    assert_eq!(read(b"PROXY UNKNOWN\r\n"), None);
    assert_eq!(read(b"PROXY UNKNOWN whatever stands here\r\n"), None);
}

#[test]
fn version_2_names_client_and_destination() {
    let body = [192, 0, 2, 1, 192, 0, 2, 25, 18, 103, 0, 25];
    assert_eq!(read(&version_2(PROXY, TCP_4, &body)), route("192.0.2.1:4711", "192.0.2.25:25"));
    let mut with_tlv = body.to_vec();
    with_tlv.extend([4, 0, 1, 0]);
    assert_eq!(read(&version_2(PROXY, TCP_4, &with_tlv)), route("192.0.2.1:4711", "192.0.2.25:25"));
    let mut body = [0; 36];
    body[15] = 1;
    body[31] = 2;
    body[35] = 25;
    assert_eq!(read(&version_2(PROXY, TCP_6, &body)), route("[::1]:0", "[::2]:25"));
    assert_eq!(read(&version_2(LOCAL, UNSPECIFIED, b"")), None);
    assert_eq!(read(&version_2(PROXY, UNSPECIFIED, b"")), None);
    assert_eq!(read(&version_2(PROXY, UNIX_STREAM, &[0; 216])), None);
}

#[test]
fn what_is_no_header_is_invalid() {
    let lines: [&[u8]; 12] = [
        b"EHLO client.example\r\n",
        b"PROXX",
        b"proxy TCP4 1.1.1.1 1.1.1.1 1 1\r\n",
        b"PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n",
        b"PROXY TCP4 1.1.1.1 1.1.1.1 1 1 1\r\n",
        b"PROXY TCP4 1.1.1.1 1.1.1.1 1 65536\r\n",
        b"PROXY TCP4 1.1.1.1 1.1.1.1 01 1\r\n",
        b"PROXY TCP4 1.1.1.1 1.1.1.1 +1 1\r\n",
        b"PROXY TCP4 ::1 ::1 1 1\r\n",
        b"PROXY TCP6 1.1.1.1 1.1.1.1 1 1\r\n",
        b"PROXY TCP4  1.1.1.1 1.1.1.1 1 1\r\n",
        b"PROXY UDP4 1.1.1.1 1.1.1.1 1 1\r\n",
    ];
    for line in lines {
        assert_eq!(parse(line), Proxy::Invalid, "{:?}", line.escape_ascii().to_string());
    }
    for header in [
        version_2(0x22, TCP_4, &[0; 12]),
        version_2(0x11, TCP_4, &[0; 12]),
        version_2(PROXY, 0x12, &[0; 12]),
        version_2(PROXY, TCP_4, &[0; 11]),
        version_2(PROXY, TCP_6, &[0; 35]),
        version_2(PROXY, TCP_4, &[0; 521]),
    ] {
        assert_eq!(parse(&header), Proxy::Invalid);
    }
}

#[test]
fn a_header_that_does_not_end_is_invalid_in_the_end() {
    let mut line = b"PROXY UNKNOWN ".to_vec();
    line.resize(MAX_HEADER_1 - 1, b'x');
    assert_eq!(parse(&line), Proxy::Incomplete);
    line.push(b'x');
    assert_eq!(parse(&line), Proxy::Invalid);
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(
        start in prop_oneof![Just(&b""[..]), Just(SIGNATURE_1), Just(SIGNATURE_2)],
        rest in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let input = [start, &rest].concat();
        match parse(&input) {
            Proxy::Incomplete => prop_assert!(input.len() < MAX_HEADER),
            Proxy::Header { consumed, .. } => prop_assert!(consumed <= input.len().min(MAX_HEADER)),
            Proxy::Invalid => {}
        }
    }
}
