//! Bodies of the fuzz targets of the milter protocol: whatever a filter answers, or a mail server asks of ours, it is the
//! same however it comes in pieces, stays in its bounds, and cannot make one field of a header two.

use mailweir_external::{
    edit,
    milter::{
        Answer, Client, Event, Fault, Heard, Interpreter, Limits, MacroLists, Macros, Next, Offer,
        Peer, PeerAddress, Server, Turn, Wishes,
    },
    verdict::{Decision, Edit, Verdict},
};

/// Reads `data` as what a filter says while two mails go by; the first byte says how large the pieces are.
///
/// # Panics
/// If pieces change what is read, or it says more than it may.
pub fn milter_client_bytes(data: &[u8]) {
    let Some((&size, bytes)) = data.split_first() else { return };
    let whole = converse(bytes, bytes.len().max(1));
    assert!(whole == converse(bytes, usize::from(size).max(1)), "pieces change what is read");
    for event in &whole.0 {
        match event {
            Event::Answer(Answer::Refuse(reply) | Answer::Close(reply)) => check_reply(reply),
            Event::End(verdict) => check_verdict(verdict),
            Event::Negotiated | Event::Progress | Event::Answer(_) => {}
        }
    }
}

/// Reads `data` as what a mail server says to a filter of ours; the first byte says how large the pieces are.
///
/// # Panics
/// If pieces change what is heard, or more is answered than was asked.
pub fn milter_server_bytes(data: &[u8]) {
    let Some((&size, bytes)) = data.split_first() else { return };
    let whole = listen(bytes, bytes.len().max(1));
    assert!(whole == listen(bytes, usize::from(size).max(1)), "pieces change what is heard");
    // Each packet has five bytes at least, one may be two events, and CONTINUE has five.
    assert!(whole.0.len() <= bytes.len() / 5 * 2);
    assert!(whole.1.len() <= bytes.len() + 64);
    check_words(whole.0);
}

/// Whatever a mail server says, each line that a session of ours hears of it is one command, and content is counted.
fn check_words(all: Vec<Heard>) {
    let mut interpreter = Interpreter::default();
    for (at, heard) in all.into_iter().enumerate() {
        let (Turn::Say(pieces) | Turn::End(pieces)) = interpreter.hear(heard, Some("mx.example"))
        else {
            continue;
        };
        let mut pieces = pieces.iter();
        while let Some(command) = pieces.next() {
            let line = command.strip_suffix(b"\r\n").expect("a whole line");
            assert!(!line.iter().any(u8::is_ascii_control), "{command:?}");
            let count =
                line.strip_prefix(b"BDAT ").and_then(|count| std::str::from_utf8(count).ok());
            if let Some(count @ 1..) = count.and_then(|count| count.parse().ok()) {
                assert_eq!(pieces.next().map(Vec::len), Some(count));
            }
        }
        let replied: &[u8] = if at % 5 == 4 { b"550 5.7.1 no\r\n" } else { b"250 2.0.0 Ok\r\n" };
        let _ = interpreter.reply(replied);
        // One field stays one field.
        let header = interpreter.header();
        assert_eq!(edit::between(header, header), []);
        let fields = header.split_inclusive(|byte| *byte == b'\n');
        assert!(fields.clone().all(|line| line.len() > 2 && line.ends_with(b"\r\n")));
    }
}

fn converse(bytes: &[u8], size: usize) -> (Vec<Event>, Option<Fault>) {
    let mut out = Vec::new();
    let mut client = Client::new(Offer::default(), MacroLists::default(), LIMITS, &mut out);
    let (mut events, mut step, mut waits) = (Vec::new(), 0, true);
    for mut piece in bytes.chunks(size) {
        while !piece.is_empty() {
            while !waits && step < STEPS {
                match ask(&mut client, step, &mut out) {
                    Ok(next) => waits = next == Next::Wait,
                    Err(fault) => return (events, Some(fault)),
                }
                step += 1;
            }
            match client.receive(&mut piece) {
                Ok(Some(Event::Progress)) => events.push(Event::Progress),
                Ok(Some(event)) => {
                    events.push(event);
                    waits = false;
                }
                Ok(None) => {}
                Err(fault) => return (events, Some(fault)),
            }
        }
    }
    (events, None)
}

fn ask(client: &mut Client, step: usize, out: &mut Vec<u8>) -> Result<Next, Fault> {
    let macros: Macros = [("i", "ABC"), ("{mail_addr}", "a@x.example")].into_iter().collect();
    match step % (STEPS / 2) {
        0 if step == 0 => {
            let peer = Peer { name: b"mx".as_slice().into(), address: PeerAddress::Unknown };
            client.connect(&peer, &macros, out)
        }
        0 => client.unknown("HELP", out),
        1 => client.helo("mx", &macros, out),
        2 => client.mail(&["<a@x.example>"], &macros, out),
        3 | 4 => client.rcpt(&["<b@y.example>"], &macros, out),
        5 => client.data(&macros, out),
        6 => client.header(b"Subject", b" a\r\n b", out),
        7 => client.end_of_header(&macros, out),
        8 => client.body(&mut &b"body\r\n"[..], out),
        9 => client.rest_of_body(out),
        _ => client.end_of_body(&macros, out),
    }
}

fn check_reply(reply: &mailweir_mail::Reply) {
    assert!(matches!(reply.code, 400..=599), "{reply:?}");
    assert!(reply.enhanced.is_none_or(|status| u16::from(status.0) == reply.code / 100));
    assert!(!reply.text.contains(|c: char| c.is_control() && c != '\n'), "{reply:?}");
}

fn check_verdict(verdict: &Verdict) {
    assert!(!verdict.reason.contains('\n'));
    assert!(verdict.edits.len() <= LIMITS.edits + 1);
    if let Decision::Refuse(reply) = &verdict.decision {
        check_reply(reply);
        assert!(verdict.edits.is_empty());
    }
    let mail = b"Received: by us\r\nSubject: a\r\n b\r\nX: 1\r\n\r\nbody\r\n";
    let mut own = edit::OwnFields::default();
    own.add(b"Received: by us\r\n");
    let new = edit::header(mail, &own, &verdict.edits, 1_000_000).expect("names were checked");
    assert!(new.starts_with(b"Received: by us\r\n") && new.ends_with(b"\r\n\r\nbody\r\n"));
    let header = &new[..new.len() - b"\r\nbody\r\n".len()];
    let lines = header.split_inclusive(|byte| *byte == b'\n');
    assert!(
        lines
            .clone()
            .all(|line| line.ends_with(b"\r\n") && !line[..line.len() - 2].contains(&b'\r'))
    );
    assert!(lines.clone().all(|line| line.len() > 2), "the header ends early");
    let fields = lines.filter(|line| !matches!(line[0], b' ' | b'\t')).count();
    let is_new = |edit: &&Edit| {
        matches!(edit, Edit::Append { .. } | Edit::Insert { .. } | Edit::Change { .. })
    };
    assert!(fields <= 3 + verdict.edits.iter().filter(is_new).count(), "one field became two");
    let body = edit::body(&verdict.edits).unwrap_or_default();
    let bare = body.windows(2).any(|pair| (pair[0] == b'\r') != (pair[1] == b'\n'));
    assert!(!bare && body.first() != Some(&b'\n') && body.last() != Some(&b'\r'));
}

fn listen(bytes: &[u8], size: usize) -> (Vec<Heard>, Vec<u8>, Option<Fault>) {
    let (mut server, mut heard, mut out) = (Server::new(Wishes::default()), Vec::new(), Vec::new());
    for mut piece in bytes.chunks(size) {
        loop {
            match server.receive(&mut piece, &mut out) {
                Ok(Some(one)) => heard.push(one),
                Ok(None) => break,
                Err(fault) => return (heard, out, Some(fault)),
            }
            if server.owes_answer() {
                server.answer(&Answer::Continue, &mut out).expect("it is due");
            }
        }
    }
    (heard, out, None)
}

/// Small ones, so that they are met.
const LIMITS: Limits =
    Limits { packet: 4_000, edits: 20, field: 500, edited: 2_000, body: 1_000, progress: 10 };

/// Of two mails.
const STEPS: usize = 22;
