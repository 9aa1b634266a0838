use mailweir_mail::{Enhanced, Reply};
use proptest::prelude::*;

use super::*;
use crate::milter::Fault;

fn text(text: &str) -> Box<[u8]> {
    text.as_bytes().into()
}

fn texts(words: &[&str]) -> Vec<Box<[u8]>> {
    words.iter().map(|word| text(word)).collect()
}

/// The packet as it is on the wire.
fn framed(packet: &[u8]) -> Vec<u8> {
    [&u32::try_from(packet.len()).unwrap().to_be_bytes()[..], packet].concat()
}

fn options(steps: u32, macros: Vec<(u32, Box<[u8]>)>) -> Options {
    Options { version: 6, actions: Actions(0x1ff), steps: Steps(steps), macros }
}

fn ip(address: &str) -> Peer {
    Peer { name: text("mx.example"), address: PeerAddress::Ip(address.parse().unwrap()) }
}

#[test]
fn each_command_has_its_bytes() {
    let header = Command::Header { name: text("Subject"), value: text("a\n b") };
    let of_mail = Command::Macro { of: b'M', values: texts(&["i", "ABC", "{mail_addr}", "a@x"]) };
    for (command, packet) in [
        (
            Command::OptNeg(options(0x1f_ffff, vec![])),
            &b"O\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff"[..],
        ),
        (Command::Connect(ip("192.0.2.7:25")), b"Cmx.example\x004\0\x19192.0.2.7\0"),
        (Command::Connect(ip("[2001:db8::1]:0")), b"Cmx.example\x006\0\x002001:db8::1\0"),
        (
            Command::Connect(Peer { name: text("x"), address: PeerAddress::Unix(text("/s")) }),
            b"Cx\0L\0\0/s\0",
        ),
        (Command::Connect(Peer { name: text("x"), address: PeerAddress::Unknown }), b"Cx\0U"),
        (Command::Helo(text("mx.example")), b"Hmx.example\0"),
        (Command::Mail(texts(&["<>", "SIZE=9"])), b"M<>\0SIZE=9\0"),
        (Command::Rcpt(texts(&["<a@x>"])), b"R<a@x>\0"),
        (Command::Data, b"T"),
        (header, b"LSubject\0a\n b\0"),
        (Command::Eoh, b"N"),
        (Command::Body(text("a\0\r\n")), b"Ba\0\r\n"),
        (Command::BodyEob(text("")), b"E"),
        (Command::BodyEob(text("x")), b"Ex"),
        (of_mail, b"DMi\0ABC\0{mail_addr}\0a@x\0"),
        (Command::Abort, b"A"),
        (Command::Quit, b"Q"),
        (Command::QuitNc, b"K"),
        (Command::Unknown(text("HELP")), b"UHELP\0"),
    ] {
        let mut out = Vec::new();
        command.encode(&mut out);
        assert_eq!(out, framed(packet), "{command:?}");
        assert_eq!(Command::decode(packet), Ok(command));
    }
    let of_sendmail = Command::decode(b"Cx\x006\0\x19IPv6:2001:db8::1\0");
    assert!(matches!(of_sendmail, Ok(Command::Connect(Peer { address: PeerAddress::Ip(_), .. }))));
}

#[test]
fn each_response_has_its_bytes() {
    let (name, value) = (text("X"), text("1"));
    let reply = Reply::new(550, Enhanced(5, 7, 1), "no\n100%");
    for (response, packet) in [
        (
            Response::OptNeg(options(0x81, vec![(2, text("i {auth_type}"))])),
            &b"O\0\0\0\x06\0\0\x01\xff\0\0\0\x81\0\0\0\x02i {auth_type}\0"[..],
        ),
        (Response::Continue, b"c"),
        (Response::Accept, b"a"),
        (Response::Reject, b"r"),
        (Response::TempFail, b"t"),
        (Response::Discard, b"d"),
        (Response::ReplyCode(reply), b"y550-5.7.1 no\r\n550 5.7.1 100%%\0"),
        (Response::ReplyCode(Reply::plain(451, "later")), b"y451 later\0"),
        (Response::Skip, b"s"),
        (Response::Progress, b"p"),
        (Response::ConnFail, b"f"),
        (Response::Shutdown, b"4"),
        (Response::AddHeader { name: name.clone(), value: value.clone() }, b"hX\x001\0"),
        (
            Response::InsHeader { index: 1, name: name.clone(), value: value.clone() },
            b"i\0\0\0\x01X\x001\0",
        ),
        (Response::ChgHeader { index: 2, name, value: text("") }, b"m\0\0\0\x02X\0\0"),
        (Response::ChgFrom(texts(&["<a@x>", "SIZE=1"])), b"e<a@x>\0SIZE=1\0"),
        (Response::AddRcpt(text("<a@x>")), b"+<a@x>\0"),
        (Response::AddRcptPar(texts(&["<a@x>", "NOTIFY=NEVER"])), b"2<a@x>\0NOTIFY=NEVER\0"),
        (Response::DelRcpt(text("<a@x>")), b"-<a@x>\0"),
        (Response::ReplBody(text("a\0b")), b"ba\0b"),
        (Response::Quarantine(text("why")), b"qwhy\0"),
        (Response::SetSymList(0, text("j")), b"l\0\0\0\0j\0"),
    ] {
        let mut out = Vec::new();
        response.encode(&mut out);
        assert_eq!(out, framed(packet), "{response:?}");
        assert_eq!(Response::decode(packet), Ok(response));
    }
}

#[test]
fn i7_a_malformed_answer_is_named() {
    for (packet, fault) in [
        (&b""[..], Fault::Empty),
        (b"z", Fault::UnknownPacket(b'z')),
        (b"\0", Fault::UnknownPacket(0)),
        (b"c\0", Fault::Excess("CONTINUE")),
        (b"aX", Fault::Excess("ACCEPT")),
        (b"ppp", Fault::Excess("PROGRESS")),
        (b"hX\x001", Fault::NoNul("ADDHEADER")),
        (b"hX", Fault::NoNul("ADDHEADER")),
        (b"hX\0", Fault::Short("ADDHEADER")),
        (b"hX\x001\x002\0", Fault::Excess("ADDHEADER")),
        (b"h", Fault::Short("ADDHEADER")),
        (b"i\0\0\0", Fault::Short("INSHEADER")),
        (b"i\xff\xff\xff\xffX\x001\0", Fault::Value("INSHEADER", "its index")),
        (b"m\x80\0\0\0X\x001\0", Fault::Value("CHGHEADER", "its index")),
        (b"m\0\0\0\x01", Fault::Short("CHGHEADER")),
        (b"+", Fault::Short("ADDRCPT")),
        (b"+<a@x>", Fault::NoNul("ADDRCPT")),
        (b"e", Fault::Short("CHGFROM")),
        (b"qspam", Fault::NoNul("QUARANTINE")),
        (b"y550 5.7.1 no", Fault::NoNul("REPLYCODE")),
        (b"y550 no\0x", Fault::Excess("REPLYCODE")),
        (b"O\0\0\0\x06\0\0", Fault::Short("OPTNEG")),
        (b"O\0\0\0\x06\0\0\0\0\0\0\0\0\0\0\0\x01i", Fault::NoNul("OPTNEG")),
    ] {
        assert_eq!(Response::decode(packet), Err(fault), "{packet:?}");
    }
    let many = b"e\0".iter().copied().chain([0; 600]).collect::<Vec<u8>>();
    assert_eq!(Response::decode(&many), Err(Fault::Excess("CHGFROM")));
}

#[test]
fn i7_a_malformed_reply_code_is_no_reply() {
    let long = format!("550 {}", "x".repeat(1_000));
    let lines = vec!["550-x"; 33].join("\r\n");
    for reply in [
        "",
        "5",
        "250 2.0.0 ok",
        "354 go",
        "650 x",
        "55 x",
        "5500 x",
        "+50 x",
        "550x",
        "550 4.7.1 no",
        "450 5.7.1 no",
        "550 2.0.0 no",
        "550 9.1.1 no",
        "550 5.7.1234 no",
        "550-5.7.1 a\r\n551 5.7.1 b",
        "550-5.7.1 a\r\n550 5.7.2 b",
        "550-a\r\n450 b",
        "550 a\r\n550 b",
        "550-a\r\nb",
        "550 a\nb",
        "550 a\n550 b",
        "550 a\rb",
        "550 a\r\n\r\n250 ok",
        "550 a\r\n.\r\nMAIL FROM:<x>",
        &long,
        &lines,
    ] {
        let packet = [b"y", reply.as_bytes(), b"\0"].concat();
        assert!(matches!(Response::decode(&packet), Err(Fault::Reply(_))), "{reply:?}");
    }
}

#[test]
fn a_reply_reads_as_filters_write_it() {
    let status = Some(Enhanced(5, 7, 1));
    for (written, code, enhanced, text) in [
        ("550 5.7.1 no", 550, status, "no"),
        ("550-5.7.1 a\r\n550 5.7.1 b", 550, status, "a\nb"),
        ("550 5.7.1 no\r\n", 550, status, "no"),
        ("451 4.7.1 50%% off", 451, Some(Enhanced(4, 7, 1)), "50% off"),
        ("450 100% sure", 450, None, "100% sure"),
        ("550 5 are too many", 550, None, "5 are too many"),
        ("550", 550, None, ""),
        ("550 5.7.1", 550, status, ""),
        ("550-only one", 550, None, "only one"),
        ("550 a\x1b[2J\tb\u{85}", 550, None, "a?[2J b?"),
    ] {
        let packet = [b"y", written.as_bytes(), b"\0"].concat();
        let reply = Reply { code, enhanced, text: text.to_owned().into() };
        assert_eq!(Response::decode(&packet), Ok(Response::ReplyCode(reply)), "{written:?}");
    }
    let raw = Response::decode(b"y550 \xff\xfe\0");
    assert_eq!(raw, Ok(Response::ReplyCode(Reply::plain(550, "??"))));
}

#[test]
fn what_a_stranger_sends_is_read_or_refused() {
    for (packet, fault) in [
        (&b"x"[..], Fault::UnknownPacket(b'x')),
        (b"M", Fault::Short("MAIL")),
        (b"M<a@x>", Fault::NoNul("MAIL")),
        (b"Hx\0y", Fault::Excess("HELO")),
        (b"Tx", Fault::Excess("DATA")),
        (b"LSubject\0a", Fault::NoNul("HEADER")),
        (b"DMi\0", Fault::Short("MACRO")),
        (b"D", Fault::Short("MACRO")),
        (b"Cx\0", Fault::Short("CONNECT")),
        (b"Cx\x00Z", Fault::Value("CONNECT", "the family of its address")),
        (b"Cx\x004\0\x19nonsense\0", Fault::Value("CONNECT", "its address")),
        (b"Cx\x004\0\x19::1\0", Fault::Value("CONNECT", "its address")),
    ] {
        assert_eq!(Command::decode(packet), Err(fault), "{packet:?}");
    }
}

#[test]
fn i7_an_oversized_packet_is_refused_before_it_comes() {
    let mut packets = Packets::new(100);
    let mut input: &[u8] = &[0, 0, 0, 101];
    assert_eq!(packets.read(&mut input), Err(Fault::Oversized { size: 101, most: 100 }));
    let mut packets = Packets::new(100);
    let mut input: &[u8] = &[0xff, 0xff, 0xff, 0xff, b'b'];
    assert_eq!(packets.read(&mut input), Err(Fault::Oversized { size: u32::MAX, most: 100 }));
    let mut input: &[u8] = &[0, 0, 0, 0];
    assert_eq!(Packets::new(100).read(&mut input), Err(Fault::Empty));
}

#[test]
fn a_nul_in_a_text_begins_no_other_text() {
    let mut out = Vec::new();
    Command::Mail(texts(&["<a@x>\0AUTH=<>"])).encode(&mut out);
    assert_eq!(out, framed(b"M<a@x> AUTH=<>\0"));
}

proptest! {
    #[test]
    fn pieces_change_no_packet(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
        size in 1_usize..20,
    ) {
        let bytes: Vec<u8> = packets.iter().flat_map(|packet| framed(packet)).collect();
        let (mut reader, mut read) = (Packets::new(40), Vec::new());
        for mut piece in bytes.chunks(size) {
            while let Some(packet) = reader.read(&mut piece).unwrap() {
                read.push(packet);
            }
        }
        prop_assert!(!reader.is_in_packet());
        prop_assert_eq!(read, packets);
    }

    #[test]
    fn what_was_read_reads_the_same_again(packet in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(command) = Command::decode(&packet) {
            let mut out = Vec::new();
            command.encode(&mut out);
            prop_assert_eq!(Command::decode(&out[4..]), Ok(command));
        }
        if let Ok(response) = Response::decode(&packet) {
            let mut out = Vec::new();
            response.encode(&mut out);
            prop_assert_eq!(Response::decode(&out[4..]), Ok(response));
        }
    }
}
