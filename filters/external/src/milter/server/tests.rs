use std::cell::RefCell;

use mailweir_mail::{Address, Enhanced, Reply, ReversePath};
use proptest::prelude::*;

use super::*;
use crate::{
    milter::{Answer, Client, Event, Limits, MacroLists, Macros, Next, Offer, PeerAddress},
    verdict::{Decision, Edit, Verdict},
};

fn framed(packet: &[u8]) -> Vec<u8> {
    [&u32::try_from(packet.len()).unwrap().to_be_bytes()[..], packet].concat()
}

fn text(text: &str) -> Box<[u8]> {
    text.as_bytes().into()
}

fn offer(version: u32, actions: u32, steps: u32) -> Command {
    let (actions, steps) = (Actions(actions), Steps(steps));
    Command::OptNeg(Options { version, actions, steps, macros: Vec::new() })
}

/// A server that has heard an offer, and what it answered.
fn negotiated(wishes: Wishes, offer: &Command) -> (Server, Result<Vec<u8>, Fault>) {
    let mut server = Server::new(wishes);
    let said = hear(&mut server, std::slice::from_ref(offer)).map(|(heard, out)| {
        assert_eq!(heard, []);
        out
    });
    (server, said)
}

fn open(wishes: Wishes) -> Server {
    negotiated(wishes, &offer(6, 0x1ff, 0x1f_ffff)).0
}

fn hear(server: &mut Server, commands: &[Command]) -> Result<(Vec<Heard>, Vec<u8>), Fault> {
    let (mut bytes, mut heard, mut out) = (Vec::new(), Vec::new(), Vec::new());
    commands.iter().for_each(|command| command.encode(&mut bytes));
    let mut input = &bytes[..];
    while let Some(one) = server.receive(&mut input, &mut out)? {
        heard.push(one);
    }
    Ok((heard, out))
}

fn mail() -> Command {
    Command::Mail(vec![text("<a@x>")])
}

fn verdict(decision: Decision, edits: Vec<Edit>) -> Verdict {
    Verdict { decision, edits, reason: "why".into() }
}

#[test]
fn only_what_is_offered_is_taken() {
    let silent = Wishes { steps: Steps::NOBODY.and(Steps::NR_HDR), ..Wishes::default() };
    for (wishes, offer, said) in [
        (Wishes::default(), offer(6, 0x1ff, 0x1f_ffff), &b"O\0\0\0\x06\0\0\0\0\0\x10\x04\0"[..]),
        (Wishes::default(), offer(7, 0x1ff, u32::MAX), b"O\0\0\0\x06\0\0\0\0\0\x10\x04\0"),
        (silent.clone(), offer(6, 0, 0x1f_ffff), b"O\0\0\0\x06\0\0\0\0\0\0\0\x90"),
        (silent, offer(2, 0, 0x10), b"O\0\0\0\x02\0\0\0\0\0\0\0\x10"),
    ] {
        assert_eq!(negotiated(wishes, &offer).1, Ok(framed(said)));
    }
    let needs = Wishes { actions: Actions::QUARANTINE, ..Wishes::default() };
    assert_eq!(negotiated(needs, &offer(6, 0x1f, 0)).1, Err(Fault::Actions(0x1f)));
    assert_eq!(negotiated(Wishes::default(), &offer(1, 0, 0)).1, Err(Fault::Version(1)));
    let macros = vec![(Stage::Mail, "i {auth_authen}".into()), (Stage::Body, "i".into())];
    let wishes = Wishes { macros, ..Wishes::default() };
    let said = framed(b"O\0\0\0\x06\0\0\0\0\0\0\0\0\0\0\0\x02i {auth_authen}\0");
    assert_eq!(negotiated(wishes, &offer(6, 0x100, 0)).1, Ok(said));
}

#[test]
fn what_comes_all_the_same_is_answered_and_not_heard() {
    let steps = Steps::NOHELO.and(Steps::NR_MAIL);
    let wishes = Wishes { steps, ..Wishes::default() };
    let (mut server, _) = negotiated(wishes, &offer(6, 0, 0));
    let heard = hear(&mut server, &[Command::Helo(text("x")), mail()]);
    assert_eq!(heard, Ok((vec![Heard::Mail(vec![text("<a@x>")])], framed(b"c").repeat(2))));
    assert!(!server.owes_answer());
}

#[test]
fn nothing_is_heard_out_of_turn() {
    let rcpt = Command::Rcpt(vec![text("<b@y>")]);
    let header = Command::Header { name: text("A"), value: text("1") };
    let answered = Wishes { steps: Steps(0xf_f080), ..Wishes::default() };
    for (commands, name) in [
        (vec![offer(6, 0, 0)], "OPTNEG"),
        (vec![rcpt.clone()], "RCPT"),
        (vec![Command::BodyEob(text(""))], "BODYEOB"),
        (vec![mail(), Command::Data, rcpt], "RCPT"),
        (vec![mail(), Command::Data, Command::Data], "DATA"),
        (vec![mail(), Command::Eoh, header], "HEADER"),
        (vec![mail(), Command::Body(text("")), Command::Eoh], "EOH"),
        (vec![mail(), Command::BodyEob(text("")), Command::Abort, Command::Data], "DATA"),
    ] {
        let fault = hear(&mut open(answered.clone()), &commands);
        assert_eq!(fault, Err(Fault::OutOfTurn(name)), "{commands:?}");
    }
    for command in [mail(), Command::Abort, Command::Macro { of: b'M', values: vec![] }] {
        assert!(hear(&mut Server::new(Wishes::default()), &[command]).is_err());
    }
    // Who does not wait for the answer.
    let mut server = open(Wishes::default());
    assert_eq!(hear(&mut server, &[mail(), Command::Data]), Err(Fault::OutOfTurn("DATA")));
    assert_eq!(hear(&mut server, &[Command::Quit]), Err(Fault::OutOfTurn("DATA")));
}

#[test]
fn macros_are_known_until_their_mail_is_over() {
    let macros =
        |of, name: &str, value: &str| Command::Macro { of, values: vec![text(name), text(value)] };
    let mut server = open(Wishes { steps: Steps(0xf_f000), ..Wishes::default() });
    let begun = [macros(b'C', "j", "us"), macros(b'M', "i", "A"), mail(), macros(b'R', "i", "B")];
    assert!(hear(&mut server, &begun).is_ok());
    assert_eq!((server.macro_value("{j}"), server.macro_value("i")), (Some("us"), Some("B")));
    assert!(hear(&mut server, &[Command::Abort]).is_ok());
    assert_eq!((server.macro_value("j"), server.macro_value("i")), (Some("us"), None));
    assert!(hear(&mut server, &[macros(b'M', "i", "A"), mail()]).is_ok());
    assert!(hear(&mut server, &[macros(b'M', "k", "C"), mail()]).is_ok());
    assert_eq!((server.macro_value("k"), server.macro_value("i")), (Some("C"), None));
    assert!(hear(&mut server, &[Command::QuitNc]).is_ok());
    assert_eq!(server.macro_value("j"), None);

    let many = Command::Macro { of: b'M', values: vec![text("a"); 402] };
    assert_eq!(hear(&mut server, &[many]), Err(Fault::MostMacros));
    let mut server = open(Wishes::default());
    let long = macros(b'M', "a", &"x".repeat(70_000));
    assert_eq!(hear(&mut server, &[long]), Err(Fault::MostMacros));
    let mut server = open(Wishes::default());
    assert!(hear(&mut server, &[macros(b'?', "a", "b")]).is_err());
}

#[test]
fn a_last_part_of_the_body_that_comes_with_the_end_is_heard_before_it() {
    let mut server = open(Wishes::default());
    let mut out = Vec::new();
    assert!(hear(&mut server, &[mail()]).is_ok());
    server.answer(&Answer::Continue, &mut out).unwrap();
    let heard = hear(&mut server, &[Command::BodyEob(text("end"))]).unwrap();
    assert_eq!(heard.0, [Heard::Body(text("end")), Heard::EndOfBody]);
    assert!(server.owes_answer());
    out.clear();
    server.finish(&verdict(Decision::Pass, Vec::new()), &mut out).unwrap();
    assert_eq!(out, framed(b"c"));
    assert!(!server.owes_answer());
}

#[test]
fn a_verdict_is_said_in_the_words_of_the_protocol_or_not_at_all() {
    let all = Wishes { actions: Actions::ALL, ..Wishes::default() };
    let to = |text: &str| Address::parse(text).unwrap();
    let (name, value) = ("X", text(" 1\r\n 2"));
    let edits = vec![
        Edit::Append { name: name.into(), value: value.clone() },
        Edit::Insert { above: 0, name: name.into(), value: value.clone() },
        Edit::Change { name: name.into(), nth: 2, value: text("") },
        Edit::Remove { name: name.into(), nth: Some(3) },
        Edit::Body(vec![b'x'; crate::milter::CHUNK + 1].into()),
        Edit::Sender(ReversePath::Null),
        Edit::AddRecipient(to("c@x")),
        Edit::RemoveRecipient(to("d@x")),
    ];
    let at_end = |wishes: Wishes| {
        let mut server = open(wishes);
        assert!(hear(&mut server, &[mail()]).is_ok());
        server.answer(&Answer::Continue, &mut Vec::new()).unwrap();
        assert!(hear(&mut server, &[Command::BodyEob(text(""))]).is_ok());
        server
    };
    let mut out = Vec::new();
    at_end(all.clone()).finish(&verdict(Decision::Hold, edits.clone()), &mut out).unwrap();
    let body = [&b"b"[..], &vec![b'x'; crate::milter::CHUNK]].concat();
    let expected = [
        framed(b"hX\0 1\n 2\0"),
        framed(b"i\0\0\0\x01X\0 1\n 2\0"),
        framed(b"m\0\0\0\x02X\0 \0"),
        framed(b"m\0\0\0\x03X\0\0"),
        framed(&body),
        framed(b"bx"),
        framed(b"e<>\0"),
        framed(b"+<c@x>\0"),
        framed(b"-<d@x>\0"),
        framed(b"qwhy\0"),
        framed(b"c"),
    ];
    assert_eq!(out, expected.concat());
    out.clear();
    let mut poor = at_end(Wishes { actions: Actions::ADDHDRS, ..Wishes::default() });
    let cannot = poor.finish(&verdict(Decision::Pass, edits), &mut out);
    assert_eq!(cannot, Err(Unsendable::NotNegotiated("CHGHEADER")));
    let cannot = poor.finish(&verdict(Decision::Hold, vec![]), &mut out);
    assert_eq!(cannot, Err(Unsendable::NotNegotiated("QUARANTINE")));
    let no = Reply::new(250, Enhanced(2, 0, 0), "ok");
    let cannot = poor.finish(&verdict(Decision::Refuse(no), vec![]), &mut out);
    assert_eq!((cannot, out.len()), (Err(Unsendable::NoRefusal), 0));
    poor.finish(&verdict(Decision::Discard, vec![]), &mut out).unwrap();
    assert_eq!(out, framed(b"d"));
    assert_eq!(poor.answer(&Answer::Continue, &mut out), Err(Unsendable::NotDue));
    let all_of_name = vec![Edit::Remove { name: "X".into(), nth: None }];
    let cannot = at_end(all).finish(&verdict(Decision::Pass, all_of_name), &mut out);
    assert_eq!(cannot, Err(Unsendable::AllOfName));
}

/// Client and server in memory. All bytes go over in pieces of any size.
struct Pair {
    client: Client,
    server: Server,
    to_server: Vec<u8>,
    /// Sizes of the pieces, in turn.
    pieces: Vec<usize>,
    turn: RefCell<usize>,
    heard: Vec<Heard>,
    said: Vec<Event>,
    answers: Vec<Answer>,
    verdict: Verdict,
}

impl Pair {
    fn new(wishes: Wishes, pieces: Vec<usize>, answers: Vec<Answer>, verdict: Verdict) -> Self {
        let mut to_server = Vec::new();
        let (lists, limits) = (MacroLists::default(), Limits::new(1_000_000));
        let client = Client::new(Offer::default(), lists, limits, &mut to_server);
        let server = Server::new(wishes);
        let (heard, said, turn) = (Vec::new(), Vec::new(), RefCell::new(0));
        let mut pair =
            Self { client, server, to_server, pieces, turn, heard, said, answers, verdict };
        pair.flow();
        pair
    }

    fn piece(&self, length: usize) -> usize {
        let mut turn = self.turn.borrow_mut();
        *turn += 1;
        self.pieces[*turn % self.pieces.len()].min(length)
    }

    /// Until nobody has anything to say.
    fn flow(&mut self) {
        let bytes = std::mem::take(&mut self.to_server);
        let (mut rest, mut back) = (&bytes[..], Vec::new());
        while !rest.is_empty() {
            let (mut piece, behind) = rest.split_at(self.piece(rest.len()));
            rest = behind;
            while let Some(heard) = self.server.receive(&mut piece, &mut back).unwrap() {
                self.answer(&heard, &mut back);
                self.heard.push(heard);
            }
        }
        let mut rest = &back[..];
        while !rest.is_empty() {
            let (mut piece, behind) = rest.split_at(self.piece(rest.len()));
            rest = behind;
            while !piece.is_empty() {
                self.said.extend(self.client.receive(&mut piece).unwrap());
            }
        }
    }

    fn answer(&mut self, heard: &Heard, back: &mut Vec<u8>) {
        if !self.server.owes_answer() {
            return;
        }
        self.server.progress(back);
        if *heard == Heard::EndOfBody {
            self.server.finish(&self.verdict, back).unwrap();
            return;
        }
        let answer = self.answers.pop().unwrap_or(Answer::Continue);
        let connection = matches!(heard, Heard::Connect(_) | Heard::Helo(_) | Heard::Unknown(_));
        let answer = if connection { Answer::Continue } else { answer };
        self.server.answer(&answer, back).unwrap();
    }

    fn ask(&mut self, ask: impl FnOnce(&mut Client, &mut Vec<u8>) -> Result<Next, Fault>) {
        let next = ask(&mut self.client, &mut self.to_server).unwrap();
        let before = self.said.len();
        self.flow();
        assert_eq!(next == Next::Wait, self.said.len() > before);
    }

    /// One connection with two mails.
    fn talk(&mut self) {
        let macros: Macros = [("i", "A")].into_iter().collect();
        let address = PeerAddress::Ip("[2001:db8::7]:25".parse().unwrap());
        let peer = Peer { name: text("mx.example"), address };
        self.ask(|client, out| client.connect(&peer, &macros, out));
        self.ask(|client, out| client.helo("mx.example", &macros, out));
        for _ in 0..2 {
            self.ask(|client, out| client.mail(&["<a@x>", "SIZE=7"], &macros, out));
            self.ask(|client, out| client.rcpt(&["<b@y>"], &macros, out));
            self.ask(|client, out| client.rcpt(&["<c@y>"], &macros, out));
            self.ask(|client, out| client.data(&macros, out));
            self.ask(|client, out| client.header(b"Subject", b"  a\r\n b", out));
            self.ask(|client, out| client.header(b"X", b"", out));
            self.ask(|client, out| client.end_of_header(&macros, out));
            self.ask(|client, out| client.body(&mut &b"body\r\n"[..], out));
            self.ask(Client::rest_of_body);
            self.ask(|client, out| client.end_of_body(&macros, out));
            self.ask(|client, out| client.unknown("HELP", out));
        }
        self.client.quit(&mut self.to_server);
        self.flow();
    }
}

fn any_answer() -> impl Strategy<Value = Answer> {
    let reply = Reply::new(451, Enhanced(4, 7, 1), "100% later\nor never");
    prop_oneof![
        12 => Just(Answer::Continue),
        1 => Just(Answer::Accept),
        1 => Just(Answer::Discard),
        1 => Just(Answer::Refuse(reply)),
    ]
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    // CRLF becomes LF on the way: of that elsewhere.
    let byte = (1..=u8::MAX).prop_filter("no CR", |byte| *byte != b'\r');
    let text = move || prop::collection::vec(byte.clone(), 1..9);
    let edit = prop_oneof![
        text().prop_map(|value| Edit::Append { name: "A".into(), value: value.into() }),
        (0..5_usize, text()).prop_map(|(above, value)| Edit::Insert {
            above,
            name: "A".into(),
            value: value.into()
        }),
        (1..5_usize).prop_map(|nth| Edit::Remove { name: "A".into(), nth: Some(nth) }),
        Just(Edit::AddRecipient(Address::parse("d@z").unwrap())),
        Just(Edit::Sender(ReversePath::Null)),
    ];
    let decision = prop_oneof![Just(Decision::Pass), Just(Decision::Hold)];
    let body =
        prop::option::of((0..200_000_usize).prop_map(|size| Edit::Body(vec![b'x'; size].into())));
    (decision, prop::collection::vec(edit, 0..5), body).prop_map(|(decision, mut edits, body)| {
        edits.extend(body);
        let reason = if decision == Decision::Hold { "spam" } else { "" };
        Verdict { decision, edits, reason: reason.into() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_ends_hear_what_the_other_says_whatever_the_pieces(
        pieces in prop::collection::vec(1..3_000_usize, 1..6),
        small in 1..9_usize,
        answers in prop::collection::vec(any_answer(), 0..20),
        verdict in any_verdict(),
        steps in (0..0x20_0000_u32).prop_map(Steps),
    ) {
        let wishes = Wishes { actions: Actions::ALL, steps, macros: Vec::new() };
        let pair = |pieces| {
            let mut pair = Pair::new(wishes.clone(), pieces, answers.clone(), verdict.clone());
            pair.talk();
            pair
        };
        let whole = pair(vec![usize::MAX]);
        let mut pieces = pieces;
        pieces.push(small);
        let split = pair(pieces);
        prop_assert_eq!(&whole.heard, &split.heard);
        prop_assert_eq!(&whole.said, &split.said);
        prop_assert_eq!(whole.heard.last(), Some(&Heard::Quit { another: false }));
        let goes_on = answers.iter().all(|answer| *answer == Answer::Continue);
        if goes_on && !steps.contain(Steps::NOHDRS) {
            let subject = Heard::Header { name: text("Subject"), value: text("  a\n b") };
            prop_assert_eq!(whole.heard.iter().filter(|heard| **heard == subject).count(), 2);
        }
        let ends = whole.said.iter().filter_map(|event| match event {
            Event::End(verdict) => Some(verdict),
            _ => None,
        });
        prop_assert!(!goes_on || ends.clone().count() == 2);
        // Otherwise a space comes to stand behind each colon.
        if steps.contain(Steps::HDR_LEADSPC) {
            for end in ends {
                prop_assert_eq!(end, &verdict);
            }
        }
    }
}
