//! Bodies of the fuzz targets in which both sides of the protocol meet: what one writes, the other
//! reads as it was meant.
//!
//! Plain functions, so that a smoke test runs them too. They panic if a promise is broken.

use std::time::{Duration, Instant};

use mailweir_mail::{
    Address, Client, Domain, Enhanced, Envelope, EnvelopeId, Notify, OriginalRecipient, Recipient,
    Reply, Return, ReversePath,
};
use mailweir_smtp::{
    client::{Dialect, ReplyParser},
    replies::Refusal,
    server::{Answer, Peer, Rights, Session, Settings, Step},
};

use crate::{
    fuzz_choices::Choices,
    pair::{Division, Letter, LogIn, Pair, Plan, Say, Trouble},
};

/// A conversation of our client with our server. While the wire holds, the client must say of each
/// recipient what the server decided; when it breaks, neither side may claim too much, nor hang.
pub fn smtp_pair(data: &[u8]) {
    let mut choices = Choices::new(data);
    let division = match choices.below(4) {
        0 => Division::Whole,
        1 => Division::Pieces(choices.below(256)),
        2 => Division::After(choices.below(256) * 8 + choices.below(8)),
        _ => Division::Lengths(choices.bytes(16).to_vec()),
    };
    let pace = Duration::from_secs([0, 0, 1, 20][choices.below(4)]);
    let at = choices.below(256) * 16 + choices.below(16);
    let trouble = match choices.below(4) {
        1 => Some(Trouble::LostAfter(at)),
        2 => Some(Trouble::SilentAfter(at)),
        _ => None,
    };
    let plan = plan(&mut choices);
    let mut pair = Pair::new(&plan).divided(&division).with_pace(pace);
    if let Some(trouble) = trouble {
        pair = pair.with_trouble(trouble);
    }
    let outcome = pair.run();
    if trouble.is_none() && pace.is_zero() {
        outcome.assert_as_planned(&plan);
    } else {
        outcome.assert_honest(&plan);
    }
}

/// A plan of up to four mails.
pub fn plan(choices: &mut Choices<'_>) -> Plan {
    let mut plan = Plan::of(Vec::new());
    plan.dialect = choices.one_of(&[Dialect::Smtp, Dialect::Smtp, Dialect::Lmtp]);
    plan.pipelining = choices.one_of(&[true, true, false]);
    plan.tls = choices.below(8) == 1;
    plan.message_size = choices.one_of(&[0, 0, 0, 1_500, 60]);
    plan.recipients = choices.one_of(&[1000, 1000, 1000, 3, 1]);
    plan.log_in = match choices.below(8) {
        1 => Some(LogIn { mechanism: "PLAIN", say: say(choices) }),
        2 => Some(LogIn { mechanism: "LOGIN", say: say(choices) }),
        _ => None,
    };
    plan.connect = rarely(choices);
    plan.hello = rarely(choices);
    let mails = 1 + choices.below(4);
    plan.mails = (0..mails).map(|_| letter(choices)).collect();
    plan
}

fn letter(choices: &mut Choices<'_>) -> Letter {
    let recipients = 1 + choices.below(5);
    let mut letter = Letter::to(recipients, Vec::new());
    letter.sender = say(choices);
    letter.judgements = (0..recipients).map(|_| say(choices)).collect();
    letter.opening = say(choices);
    letter.end = say(choices);
    for _ in 0..choices.below(12) {
        let part = choices.one_of(&PARTS);
        let times = [1, 1, 1, 1, 2, 3, 40, 1_100][choices.below(8)];
        letter.content.extend(part.repeat(if part.len() > 2 { 1 } else { times }));
    }
    letter.content.extend(choices.bytes(20));
    letter
}

fn say(choices: &mut Choices<'_>) -> Say {
    match choices.below(32) {
        20..=24 => Say::Later,
        25..=30 => Say::Never,
        31 => Say::Leave,
        _ => Say::Yes,
    }
}

fn rarely(choices: &mut Choices<'_>) -> Say {
    if choices.below(16) == 15 { say(choices) } else { Say::Yes }
}

/// An envelope with any sender, recipients and parameters. The server must read what was meant.
pub fn command_round_trip(data: &[u8]) {
    let mut choices = Choices::new(data);
    let Some(envelope) = envelope(&mut choices) else { return };
    let mut letter = Letter::to(envelope.recipients.len(), *b"x\r\n");
    letter.envelope = envelope;
    let plan = Plan::of(vec![letter]);
    let outcome = Pair::new(&plan).run();
    outcome.assert_as_planned(&plan);
    let (sent, read) = (&plan.mails[0].envelope, &outcome.taken[0].envelope);
    let written = |envelope: &Envelope| {
        let all = envelope.recipients.iter().map(|to| to.address.as_str().to_owned());
        all.collect::<Vec<_>>()
    };
    assert_eq!(written(sent), written(read), "letter by letter");
    assert_eq!((&sent.ret, &sent.envid), (&read.ret, &read.envid));
}

fn envelope(choices: &mut Choices<'_>) -> Option<Envelope> {
    let sender = match choices.coin() {
        true => ReversePath::Null,
        false => ReversePath::Mailbox(address(choices)?),
    };
    let mut envelope = Envelope::from_sender(sender);
    envelope.ret = choices.one_of(&[None, Some(Return::Full), Some(Return::Headers)]);
    if choices.coin() {
        envelope.envid = EnvelopeId::new(&ascii(&text(choices, 110)));
    }
    for _ in 0..=choices.below(3) {
        let notify = match choices.byte() & 15 {
            // Wishing for nothing is NEVER, and is read as that.
            8..=15 => Notify::Never,
            0 => Notify::DEFAULT,
            wishes => Notify::On {
                success: wishes & 1 != 0,
                failure: wishes & 2 != 0,
                delay: wishes & 4 != 0,
            },
        };
        let orcpt = match choices.below(3) {
            1 => OriginalRecipient::new(&format!("rfc822;{}", ascii(&text(choices, 40)))),
            2 => OriginalRecipient::new(&format!("utf-8;{}", text(choices, 40))),
            _ => None,
        };
        envelope.recipients.push(Recipient {
            address: address(choices)?,
            notify,
            orcpt,
            original: None,
        });
    }
    Some(envelope)
}

fn ascii(text: &str) -> String {
    text.chars().filter(char::is_ascii).collect()
}

fn address(choices: &mut Choices<'_>) -> Option<Address> {
    let parts: String = (0..=choices.below(6)).map(|_| choices.one_of(&LOCAL_PARTS)).collect();
    let domain =
        choices.one_of(&["x.example", "[192.0.2.1]", "[IPv6:::1]", "bücher.example", "X."]);
    let local = if choices.coin() { format!("\"{parts}\"") } else { parts };
    Address::parse(&format!("{local}@{domain}")).ok()
}

fn text(choices: &mut Choices<'_>, most: usize) -> String {
    let raw = choices.bytes(most);
    String::from_utf8_lossy(raw).replace('\u{fffd}', "é").replace(char::is_control, "+=")
}

/// A refusal of any text. The client must read one reply, with its code, and only text that can be
/// shown; plain text comes over as it is.
pub fn reply_round_trip(data: &[u8]) {
    let mut choices = Choices::new(data);
    let code = choices.one_of(&[450, 421, 550, 599, 452]);
    let class = u8::try_from(code / 100).unwrap_or(5);
    let detail = Enhanced(class, u16::from(choices.byte()), u16::from(choices.byte()) * 3);
    let enhanced = choices.coin().then_some(detail);
    let text = String::from_utf8_lossy(choices.rest()).into_owned();
    let sent = Reply { code, enhanced, text: text.into() };
    let wire = refused_with(sent.clone());
    let mut rest = &wire[..];
    let mut parser = ReplyParser::default();
    let read = match parser.read(&mut rest) {
        Ok(read) => read.expect("a whole reply"),
        // More lines than a client puts up with: an administrator's choice.
        Err(_) => return assert!(sent.text.lines().count() > 99),
    };
    assert!(rest.is_empty() && !parser.is_midway(), "one reply");
    assert_eq!(read.code, sent.code);
    assert!(read.text.chars().all(|c| c == '\n' || !c.is_control()), "{read:?}");
    let plain = sent.text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if plain && sent.text.len() < 400 && sent.enhanced.is_some() {
        assert_eq!(read, sent);
    }
}

/// The bytes with which a session refuses a client.
fn refused_with(reply: Reply) -> Vec<u8> {
    let settings = Settings::new(Domain::parse("gate.example").expect("a name"));
    let peer = Peer {
        client: Client::unnamed(([192, 0, 2, 1], 4711).into()),
        local: ([192, 0, 2, 25], 25).into(),
        rights: Rights::NONE,
    };
    let now = Instant::now();
    let mut session = Session::new(settings.into(), peer, now);
    let mut input: &[u8] = b"";
    let mut wire = Vec::new();
    let mut answer = Some(Answer::Refuse(Refusal::Rule(reply)));
    loop {
        match session.next(&mut input, now) {
            Step::Ask(_) => session.answer(answer.take().expect("one question")),
            Step::Write(bytes) => wire.extend_from_slice(bytes),
            _ => return wire,
        }
    }
}

/// Pieces of content: what framing stumbles over.
const PARTS: [&[u8]; 16] = [
    b"Subject: x\r\n\r\n",
    b".",
    b"\r\n",
    b"\n",
    b"\r",
    b"x",
    b"\r\n.\r\n",
    b"\n.\n",
    b"\r\n..\r\n",
    b"\0",
    b" ",
    b"\xfc\xff",
    b"QUIT\r\n",
    b"\r\n.\r\nMAIL FROM:<evil@from.example>\r\n",
    b".\r",
    b"From a@b Thu Jan  1 00:00:00 1970\r\n",
];

/// Pieces of local parts, good and bad.
const LOCAL_PARTS: [&str; 16] =
    ["a", "B", ".", "+", "%", "!", "@", "\\\"", "\\\\", " ", "<", ">", "ü", "=", ",", "\r\n"];
