//! The lines of Dovecot's authentication protocol, without a socket.
//!
//! A line is a command and parameters divided by tabs. Tab, LF, CR, NUL and `\x01` within a
//! parameter are escaped by `\x01`. We write only what cannot hold any of them but is escaped all
//! the same; what we read is checked here and nowhere else.

use std::{fmt::Write as _, str};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::Attempt;

/// A line with its LF, which may hold a password.
pub(super) type Message = Zeroizing<String>;

/// A line of the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The major version of its protocol.
    Version(u32),
    /// A mechanism that clients may be offered.
    Mechanism(Box<str>),
    /// Its process: after the mechanisms.
    ServerProcess,
    /// The end of the handshake.
    Done,
    /// The answer to a request.
    Answer(u32, Answer),
    /// Something that does not concern us, or of a later version.
    Other,
}

/// What the server says to a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The client is who it says to be; the name, if it came.
    Accepted(Option<Box<str>>),
    /// The client has to answer this.
    Challenge(Vec<u8>),
    /// No.
    Denied,
    /// The user may not log in, by whatever password.
    NotPermitted,
    /// The server cannot tell now.
    Temporary,
}

/// What the server does that is not in the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

/// The client's side of the handshake. Several connections may name the same `process`.
pub(super) fn hello(process: u32) -> String {
    format!("VERSION\t{MAJOR_VERSION}\t2\nCPID\t{process}\n")
}

/// Begins a request. `initial` is the client's initial response, if it sent one.
pub(super) fn auth(
    id: u32,
    mechanism: &str,
    service: &str,
    attempt: &Attempt,
    initial: Option<&[u8]>,
) -> Message {
    let mut line = format!("AUTH\t{id}\t{}\tservice={}", escape(mechanism), escape(service));
    let client = attempt.client.to_canonical();
    let secured = if attempt.tls { "\tsecured" } else { "" };
    let _ = write!(line, "{secured}\tnologin\trip={client}");
    match initial {
        // It must be the last parameter.
        Some(response) => with_base64(&(line + "\tresp="), response),
        None => Zeroizing::new(line + "\n"),
    }
}

/// The client's answer to a challenge.
pub(super) fn proceed(id: u32, response: &[u8]) -> Message {
    with_base64(&format!("CONT\t{id}\t"), response)
}

/// Gives a request up.
pub(super) fn cancel(id: u32) -> Message {
    Zeroizing::new(format!("CANCEL\t{id}\n"))
}

/// Takes the first whole line out of what was received, without its LF.
pub(super) fn take_line(received: &mut Vec<u8>) -> Result<Option<Vec<u8>>, Malformed> {
    let end = received.iter().position(|&byte| byte == b'\n');
    if end.unwrap_or(received.len()) > MAX_LINE {
        return Err(Malformed("sends a line that is too long"));
    }
    let Some(end) = end else { return Ok(None) };
    let rest = received.split_off(end + 1);
    let mut line = std::mem::replace(received, rest);
    line.pop();
    Ok(Some(line))
}

/// Reads a line of the server.
pub(super) fn parse(line: &[u8]) -> Result<Line, Malformed> {
    let line = str::from_utf8(line).map_err(|_| Malformed("sends a line that is not UTF-8"))?;
    let mut words = line.split('\t');
    let command = words.next().unwrap_or_default();
    let mut id = || number(words.next());
    Ok(match command {
        "VERSION" => Line::Version(id()?),
        "MECH" => mechanism(words)?,
        "SPID" => Line::ServerProcess,
        "DONE" => Line::Done,
        "OK" => Line::Answer(id()?, accepted(words)),
        "FAIL" => Line::Answer(id()?, failed(words)),
        "CONT" => {
            let id = id()?;
            let challenge = STANDARD.decode(words.next().unwrap_or_default());
            Line::Answer(id, Answer::Challenge(challenge.map_err(|_| BAD_CHALLENGE)?))
        }
        _ => Line::Other,
    })
}

fn number(word: Option<&str>) -> Result<u32, Malformed> {
    word.and_then(|word| word.parse().ok()).ok_or(Malformed("leaves a number out"))
}

fn mechanism<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Line, Malformed> {
    let name = words.next().ok_or(Malformed("announces a mechanism without a name"))?;
    // What is not to be shown to clients, and what would let in everybody.
    let is_kept_back = words.any(|word| matches!(word, "private" | "anonymous"));
    Ok(if is_kept_back { Line::Other } else { Line::Mechanism(name.to_ascii_uppercase().into()) })
}

fn accepted<'a>(words: impl Iterator<Item = &'a str>) -> Answer {
    let (mut user, mut may_log_in) = (None, true);
    for word in words {
        match word.split_once('=') {
            Some(("user", name)) => user = Some(unescape(name).into()),
            // The password is right, and still "the user isn't actually allowed to log in".
            None if word == "nologin" => may_log_in = false,
            _ => {}
        }
    }
    if may_log_in { Answer::Accepted(user) } else { Answer::NotPermitted }
}

/// `code=` is what Dovecot 2.3 and later say; earlier ones said the same by a word of its own.
fn failed<'a>(words: impl Iterator<Item = &'a str>) -> Answer {
    let mut answer = Answer::Denied;
    for word in words {
        match word.strip_prefix("code=").unwrap_or(word) {
            "temp_fail" | "temp" => return Answer::Temporary,
            "user_disabled" | "pass_expired" | "authz_fail" | "authz" => {
                answer = Answer::NotPermitted;
            }
            _ => {}
        }
    }
    answer
}

fn with_base64(line: &str, secret: &[u8]) -> Message {
    // All of it at once: a string that grows leaves copies behind.
    let mut message =
        Zeroizing::new(String::with_capacity(line.len() + secret.len().div_ceil(3) * 4 + 1));
    message.push_str(line);
    STANDARD.encode_string(secret, &mut message);
    message.push('\n');
    message
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match ESCAPES.iter().find(|(plain, _)| *plain == c) {
            Some((_, letter)) => escaped.extend([ESCAPE, *letter]),
            None => escaped.push(c),
        }
    }
    escaped
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c != ESCAPE {
            plain.push(c);
        } else if let Some(letter) = characters.next() {
            let meant = ESCAPES.iter().find(|(_, known)| *known == letter);
            plain.push(meant.map_or(letter, |(plain, _)| *plain));
        }
    }
    plain
}

/// The only version of the protocol so far; minor ones may be ignored.
pub(super) const MAJOR_VERSION: u32 = 1;

/// The longest line in bytes, without its LF (Dovecot's `AUTH_CLIENT_MAX_LINE_LENGTH`).
const MAX_LINE: usize = 16_384;

const BAD_CHALLENGE: Malformed = Malformed("sends a challenge that is not base64");
const ESCAPE: char = '\x01';
const ESCAPES: [(char, char); 5] =
    [('\0', '0'), (ESCAPE, '1'), ('\t', 't'), ('\r', 'r'), ('\n', 'l')];

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, time::Instant};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_request_says_who_asks_from_where_and_the_response_last() {
        let mut attempt = attempt("::ffff:192.0.2.1");
        let line = auth(7, "PLAIN", "smtp", &attempt, Some(b"\0ann\0secret"));
        let expected = "AUTH\t7\tPLAIN\tservice=smtp\tsecured\tnologin\trip=192.0.2.1\tresp=AGFubgBzZWNyZXQ=\n";
        assert_eq!(*line, expected);
        attempt.tls = false;
        attempt.client = "2001:db8::1".parse().unwrap();
        let line = auth(8, "CRAM-MD5", "smtp", &attempt, None);
        assert_eq!(*line, "AUTH\t8\tCRAM-MD5\tservice=smtp\tnologin\trip=2001:db8::1\n");
    }

    #[test]
    fn nothing_in_a_service_name_ends_its_parameter() {
        let line = auth(1, "PLAIN", "s\tvalid-client-cert\nb", &attempt("::1"), None);
        assert!(line.contains("service=s\x01tvalid-client-cert\x01lb\t"), "{line:?}");
    }

    #[test]
    fn answers_are_read_as_dovecot_gives_them() {
        let answer = |line: &str| match parse(line.as_bytes()) {
            Ok(Line::Answer(4, answer)) => answer,
            other => panic!("{line:?}: {other:?}"),
        };
        let accepted = |name: &str| Answer::Accepted(Some(name.into()));
        assert_eq!(answer("OK\t4\tuser=robert\t\toriginal_user=bob"), accepted("robert"));
        assert_eq!(answer("OK\t4\tuser=a\x01tb\x01xc\x01"), accepted("a\tbxc"));
        assert_eq!(answer("OK\t4"), Answer::Accepted(None));
        assert_eq!(answer("OK\t4\tuser=dis\tnologin\treason=gone"), Answer::NotPermitted);
        assert_eq!(answer("CONT\t4\tYQ=="), Answer::Challenge(b"a".into()));
        assert_eq!(answer("CONT\t4\t"), Answer::Challenge(vec![]));
        assert_eq!(answer("FAIL\t4\tuser=ann"), Answer::Denied);
        assert_eq!(answer("FAIL\t4"), Answer::Denied);
        assert_eq!(answer("FAIL\t4\tuser=ann\tcode=temp_fail"), Answer::Temporary);
        assert_eq!(answer("FAIL\t4\tuser=ann\ttemp"), Answer::Temporary);
        assert_eq!(answer("FAIL\t4\tuser=temp\treason=temp or not"), Answer::Denied);
        assert_eq!(answer("FAIL\t4\tuser=ann\tcode=user_disabled"), Answer::NotPermitted);
        assert_eq!(answer("FAIL\t4\tuser_disabled\tcode=temp_fail"), Answer::Temporary);
        assert_eq!(answer("FAIL\t4\tauthz"), Answer::NotPermitted);
    }

    #[test]
    fn mechanisms_for_nobody_or_everybody_are_not_offered() {
        let offered = Line::Mechanism("SCRAM-SHA-256".into());
        assert_eq!(parse(b"MECH\tscram-sha-256\tmutual-auth"), Ok(offered));
        assert_eq!(parse(b"MECH\tAPOP\tprivate\tdictionary"), Ok(Line::Other));
        assert_eq!(parse(b"MECH\tANONYMOUS\tanonymous"), Ok(Line::Other));
    }

    #[test]
    fn lines_of_other_protocols_are_errors_or_ignored() {
        for bad in [
            &b"OK"[..],
            b"OK\t",
            b"OK\tuser=ann",
            b"OK\t-1",
            b"OK\t4294967296",
            b"FAIL\tx",
            b"CONT\t1\t!",
            b"MECH",
            b"VERSION",
            b"VERSION\tone",
            b"\xff",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        for other in [&b""[..], b"CUID\t1", b"220 mail.example ESMTP\r", b"CANCELLED\t3"] {
            assert_eq!(parse(other), Ok(Line::Other), "{other:?}");
        }
    }

    #[test]
    fn lines_are_taken_one_by_one_and_none_without_end() {
        let mut received = b"DONE\n\nOK\t1".to_vec();
        assert_eq!(take_line(&mut received), Ok(Some(b"DONE".into())));
        assert_eq!(take_line(&mut received), Ok(Some(vec![])));
        assert_eq!(take_line(&mut received), Ok(None));
        assert_eq!(received, b"OK\t1");
        assert_eq!(take_line(&mut vec![b'x'; MAX_LINE]), Ok(None));
        assert!(take_line(&mut vec![b'x'; MAX_LINE + 1]).is_err());
        let mut longest = vec![b'x'; MAX_LINE];
        longest.push(b'\n');
        assert_eq!(take_line(&mut longest).unwrap().unwrap().len(), MAX_LINE);
    }

    proptest! {
        #[test]
        fn escaping_hides_what_divides_and_is_undone(text in "[\\x00-\\x0da-c\u{e9}]{0,20}") {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['\t', '\n', '\r', '\0']));
            prop_assert_eq!(unescape(&escaped), text);
        }

        #[test]
        fn no_line_makes_the_parser_panic(
            line in "(OK|FAIL|CONT|MECH|VERSION|SPID)?(\t([0-9]{0,11}|user=|code=|\\PC{0,8}|=))*",
            bytes in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let _ = (parse(line.as_bytes()), parse(&bytes));
        }
    }

    fn attempt(client: &str) -> Attempt {
        let client: IpAddr = client.parse().unwrap();
        Attempt { client, listener: "submission".into(), tls: true, now: Instant::now() }
    }
}
