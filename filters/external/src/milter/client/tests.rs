use mailweir_mail::{Address, Enhanced};

use super::*;
use crate::{
    milter::{Actions, Options, PeerAddress},
    verdict::Edit,
};

/// A filter at whose end a test sits.
struct Filter {
    client: Client,
    /// What it was sent and has not looked at.
    sent: Vec<u8>,
}

impl Filter {
    fn with(options: Options, limits: Limits) -> Self {
        let mut sent = Vec::new();
        let client = Client::new(Offer::default(), MacroLists::default(), limits, &mut sent);
        let mut filter = Self { client, sent };
        assert_eq!(filter.take(), [framed(b"O\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff")].concat());
        assert_eq!(filter.says(&[Response::OptNeg(options)]), Ok(vec![Event::Negotiated]));
        filter
    }

    fn of_steps(steps: Steps) -> Self {
        let options = Options { version: 6, actions: Actions::ALL, steps, macros: Vec::new() };
        Self::with(options, Limits::new(1_000))
    }

    fn new() -> Self {
        Self::of_steps(Steps::HDR_LEADSPC.and(Steps::SKIP))
    }

    /// In a mail with one recipient, at the end of its body.
    fn at_end_of_body(self) -> Self {
        let mut filter = self;
        let goes_on = Ok(vec![Event::Answer(Answer::Continue)]);
        assert_eq!(filter.mail(), Ok(Next::Wait));
        assert_eq!(filter.says(&[Response::Continue]), goes_on);
        assert_eq!(filter.rcpt(), Ok(Next::Wait));
        assert_eq!(filter.says(&[Response::Continue]), goes_on);
        assert_eq!(filter.end(), Ok(Next::Wait));
        filter
    }

    fn connect(&mut self) -> Result<Next, Fault> {
        let address = PeerAddress::Ip("192.0.2.7:25".parse().unwrap());
        let peer = Peer { name: b"mx.example".as_slice().into(), address };
        self.client.connect(&peer, &macros(), &mut self.sent)
    }

    fn mail(&mut self) -> Result<Next, Fault> {
        self.client.mail(&["<a@x>", "SIZE=9"], &macros(), &mut self.sent)
    }

    fn rcpt(&mut self) -> Result<Next, Fault> {
        self.client.rcpt(&["<b@y>"], &macros(), &mut self.sent)
    }

    fn refused_rcpt(&mut self) -> Result<Next, Fault> {
        self.client.refused_rcpt(&["<c@y>"], &macros(), &mut self.sent)
    }

    fn end(&mut self) -> Result<Next, Fault> {
        self.client.end_of_body(&macros(), &mut self.sent)
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.sent)
    }

    fn says(&mut self, responses: &[Response]) -> Result<Vec<Event>, Fault> {
        let mut bytes = Vec::new();
        responses.iter().for_each(|response| response.encode(&mut bytes));
        self.says_bytes(&bytes)
    }

    /// The events up to a fault are of no interest if there is one.
    fn says_bytes(&mut self, bytes: &[u8]) -> Result<Vec<Event>, Fault> {
        let (mut input, mut events) = (bytes, Vec::new());
        while !input.is_empty() {
            events.extend(self.client.receive(&mut input)?);
        }
        Ok(events)
    }

    fn ends_with(&mut self, responses: &[Response]) -> Verdict {
        let events = self.says(responses).unwrap();
        let [Event::End(verdict)] = events.as_slice() else { panic!("{events:?}") };
        verdict.clone()
    }
}

fn macros() -> Macros {
    let known =
        [("j", "us"), ("{i}", "ABC"), ("mail_addr", "a@x"), ("{rcpt_addr}", "b@y"), ("z", "?")];
    known.into_iter().collect()
}

fn framed(packet: &[u8]) -> Vec<u8> {
    [&u32::try_from(packet.len()).unwrap().to_be_bytes()[..], packet].concat()
}

fn answered(answer: Answer) -> Result<Vec<Event>, Fault> {
    Ok(vec![Event::Answer(answer)])
}

fn known(answer: Answer) -> Result<Next, Fault> {
    Ok(Next::Known(answer))
}

fn text(text: &str) -> Box<[u8]> {
    text.as_bytes().into()
}

fn header(name: &str, value: &str) -> Response {
    Response::AddHeader { name: text(name), value: text(value) }
}

#[test]
fn a_mail_is_told_stage_by_stage_with_the_macros_of_each() {
    let mut filter = Filter::of_steps(Steps::NONE);
    let goes_on = answered(Answer::Continue);
    assert_eq!(filter.connect(), Ok(Next::Wait));
    let connect = framed(b"Cmx.example\x004\0\x19192.0.2.7\0");
    assert_eq!(filter.take(), [framed(b"DCj\0us\0"), connect].concat());
    assert_eq!(filter.says(&[Response::Continue]), goes_on);
    assert_eq!(filter.client.helo("mx", &macros(), &mut filter.sent), Ok(Next::Wait));
    assert_eq!(filter.take(), [framed(b"DH"), framed(b"Hmx\0")].concat());
    assert_eq!(filter.says(&[Response::Continue]), goes_on);
    assert_eq!(filter.mail(), Ok(Next::Wait));
    let mail = framed(b"DMi\0ABC\0{mail_addr}\0a@x\0");
    assert_eq!(filter.take(), [mail, framed(b"M<a@x>\0SIZE=9\0")].concat());
    assert_eq!(filter.says(&[Response::Continue]), goes_on);
    assert_eq!(filter.rcpt(), Ok(Next::Wait));
    let rcpt = framed(b"DRi\0ABC\0{rcpt_addr}\0b@y\0");
    assert_eq!(filter.take(), [rcpt, framed(b"R<b@y>\0")].concat());
    assert_eq!(filter.says(&[Response::Continue]), goes_on);
}

#[test]
fn content_is_told_field_by_field() {
    let mut filter = Filter::of_steps(Steps::NONE);
    let goes_on = answered(Answer::Continue);
    assert_eq!(filter.mail(), Ok(Next::Wait));
    assert_eq!(filter.says(&[Response::Continue]), goes_on);
    filter.take();
    assert_eq!(filter.client.data(&macros(), &mut filter.sent), Ok(Next::Wait));
    assert_eq!(filter.take(), [framed(b"DTi\0ABC\0"), framed(b"T")].concat());
    assert_eq!(filter.says(&[Response::Continue]), goes_on);
    let asked = filter.client.header(b"Subject", b"  a\r\n\tb", &mut filter.sent);
    assert_eq!(asked, Ok(Next::Wait));
    assert_eq!(filter.take(), framed(b"LSubject\0 a\n\tb\0"));
    assert_eq!(filter.says(&[Response::Continue]), goes_on);
}

#[test]
fn the_end_of_a_mail_is_asked_for_itself() {
    let mut filter = Filter::of_steps(Steps::NONE);
    let goes_on = answered(Answer::Continue);
    assert_eq!(filter.mail(), Ok(Next::Wait));
    assert_eq!(filter.says(&[Response::Continue]), goes_on);
    filter.take();
    assert_eq!(filter.client.end_of_header(&macros(), &mut filter.sent), Ok(Next::Wait));
    assert_eq!(filter.take(), [framed(b"DNi\0ABC\0"), framed(b"N")].concat());
    assert_eq!(filter.says(&[Response::Continue]), goes_on);
    assert_eq!(
        filter.client.body(&mut &b"hello\r\n"[..], &mut filter.sent),
        known(Answer::Continue)
    );
    assert_eq!(filter.take(), b"");
    assert_eq!(filter.client.rest_of_body(&mut filter.sent), Ok(Next::Wait));
    assert_eq!(filter.take(), framed(b"Bhello\r\n"));
    assert_eq!(filter.says(&[Response::Continue]), goes_on);
    assert_eq!(filter.end(), Ok(Next::Wait));
    assert_eq!(filter.take(), [framed(b"DEi\0ABC\0"), framed(b"E")].concat());
    let verdict = filter.ends_with(&[Response::Continue]);
    assert_eq!((verdict.decision, verdict.edits), (Decision::Pass, Vec::new()));
    assert_eq!(filter.client.unknown("HELP", &mut filter.sent), Ok(Next::Wait));
    assert_eq!(filter.take(), framed(b"UHELP\0"));
    assert_eq!(filter.says(&[Response::Continue]), goes_on);
    filter.client.quit(&mut filter.sent);
    assert_eq!(filter.take(), framed(b"Q"));
}

#[test]
fn a_body_goes_in_packets_of_65535_bytes() {
    let mut filter = Filter::new();
    let mut body = &vec![b'x'; CHUNK + 10][..];
    assert_eq!(filter.client.body(&mut body, &mut filter.sent), Err(Fault::OutOfTurn("BODY")));
    let mut filter = Filter::new();
    assert_eq!(filter.mail(), Ok(Next::Wait));
    assert_eq!(filter.says(&[Response::Continue]), answered(Answer::Continue));
    filter.take();
    assert_eq!(filter.client.body(&mut body, &mut filter.sent), Ok(Next::Wait));
    assert_eq!((filter.take().len(), body.len()), (CHUNK + 5, 10));
    assert_eq!(filter.says(&[Response::Continue]), answered(Answer::Continue));
    assert_eq!(filter.client.body(&mut body, &mut filter.sent), known(Answer::Continue));
    // What is left of the body must not be forgotten.
    assert_eq!(filter.end(), Err(Fault::OutOfTurn("BODYEOB")));
    assert_eq!(filter.client.rest_of_body(&mut filter.sent), Ok(Next::Wait));
    assert_eq!(filter.take(), framed(b"Bxxxxxxxxxx"));
    assert_eq!(filter.says(&[Response::Skip]), answered(Answer::Continue));
    let mut more = &[b'x'; 3 * CHUNK][..];
    assert!(!filter.client.wants(Stage::Body));
    assert_eq!(filter.client.body(&mut more, &mut filter.sent), known(Answer::Continue));
    assert_eq!((more.len(), filter.take().len()), (0, 0));
    assert_eq!(filter.client.rest_of_body(&mut filter.sent), known(Answer::Continue));
    assert_eq!(filter.end(), Ok(Next::Wait));
}

#[test]
fn what_a_filter_does_not_want_is_not_sent_but_its_macros() {
    let steps = Steps::NOCONNECT.and(Steps::NR_HDR).and(Steps::NOBODY).and(Steps::NOUNKNOWN);
    let mut filter = Filter::of_steps(steps);
    assert_eq!(filter.connect(), known(Answer::Continue));
    assert_eq!(filter.take(), framed(b"DCj\0us\0"));
    assert_eq!(filter.client.unknown("HELP", &mut filter.sent), known(Answer::Continue));
    assert_eq!(filter.take(), b"");
    assert_eq!(filter.mail(), Ok(Next::Wait));
    assert_eq!(filter.says(&[Response::Continue]), answered(Answer::Continue));
    filter.take();
    let asked = filter.client.header(b"A", b" 1", &mut filter.sent);
    assert_eq!((asked, filter.take()), (known(Answer::Continue), framed(b"LA\x001\0")));
    assert_eq!(filter.client.body(&mut &b"x"[..], &mut filter.sent), known(Answer::Continue));
    assert!(filter.client.wants(Stage::Header) && !filter.client.wants(Stage::Body));
    // It said that it would not answer.
    assert_eq!(filter.says(&[Response::Continue]), Err(Fault::Unasked));
}

#[test]
fn an_old_filter_hears_nothing_that_its_version_has_not() {
    let options = Options { version: 2, actions: Actions::ADDHDRS, ..Options::default() };
    let mut filter = Filter::with(options, Limits::new(1_000));
    assert_eq!(filter.mail(), Ok(Next::Wait));
    assert_eq!(filter.says(&[Response::Continue]), answered(Answer::Continue));
    filter.take();
    assert_eq!(filter.client.data(&macros(), &mut filter.sent), known(Answer::Continue));
    assert_eq!(filter.client.unknown("X", &mut filter.sent), known(Answer::Continue));
    assert_eq!(filter.take(), b"");
    for (version, steps) in [(2, 0x7f), (3, 0x17f), (4, 0x37f), (6, 0x1f_ffff)] {
        let options = Offer::of_version(version).unwrap().options();
        assert_eq!((options.version, options.steps.0), (version, steps));
    }
    let loud = Offer::of_version(3).unwrap().without_header_replies().options();
    assert_eq!(loud.steps.0, 0x1ff);
    assert_eq!(
        (Offer::of_version(1), Offer::of_version(5), Offer::of_version(7)),
        (None, None, None)
    );
}

#[test]
fn i7_what_was_not_offered_cannot_be_taken() {
    let offer = Offer::default().with_actions(Actions::ADDHDRS);
    let good = Options { version: 6, actions: Actions::ADDHDRS, ..Options::default() };
    let list =
        |number, names: &str| Options { macros: vec![(number, text(names))], ..good.clone() };
    let more = Actions::ADDHDRS.and(Actions::CHGBODY);
    for (options, fault) in [
        (Options { version: 7, ..good.clone() }, Fault::Version(7)),
        (Options { version: 1, ..good.clone() }, Fault::Version(1)),
        (Options { actions: more, ..good.clone() }, Fault::Actions(3)),
        (Options { steps: Steps(0x20_0000), ..good.clone() }, Fault::Steps(0x20_0000)),
        (list(0, "j"), Fault::NotNegotiated("SETSYMLIST")),
    ] {
        let mut bytes = Vec::new();
        let lists = MacroLists::default();
        let mut client = Client::new(offer, lists, Limits::new(0), &mut Vec::new());
        Response::OptNeg(options).encode(&mut bytes);
        assert_eq!(client.receive(&mut &bytes[..]), Err(fault.clone()));
        assert_eq!(client.mail(&[], &macros(), &mut bytes), Err(fault));
    }
    for (number, names) in [(7, "j".to_owned()), (0, "j ".repeat(4_000))] {
        let options = Options { actions: Actions::ALL, ..list(number, &names) };
        let mut bytes = Vec::new();
        Response::OptNeg(options).encode(&mut bytes);
        let lists = MacroLists::default();
        let mut client = Client::new(Offer::default(), lists, Limits::new(0), &mut Vec::new());
        assert!(matches!(client.receive(&mut &bytes[..]), Err(Fault::Value("SETSYMLIST", _))));
    }
}

#[test]
fn a_filter_gets_the_macros_it_asks_for() {
    let macros = vec![(2, text("{rcpt_addr}, z  i none")), (4, text(""))];
    let options = Options { version: 6, actions: Actions::ALL, steps: Steps::NONE, macros };
    let mut filter = Filter::with(options, Limits::new(0));
    assert_eq!(filter.mail(), Ok(Next::Wait));
    let expected = framed(b"DM{rcpt_addr}\0b@y\0z\0?\0i\0ABC\0");
    assert_eq!(filter.take(), [expected, framed(b"M<a@x>\0SIZE=9\0")].concat());
    assert_eq!(filter.says(&[Response::Continue]), answered(Answer::Continue));
    let data = filter.client.data(&super::Macros::default(), &mut filter.sent);
    assert_eq!((data, filter.take()), (Ok(Next::Wait), [framed(b"DT"), framed(b"T")].concat()));
}

#[test]
fn i7_an_accepted_mail_says_nothing_of_the_next() {
    for stage in [Stage::Mail, Stage::Rcpt, Stage::EndOfBody] {
        let mut filter = Filter::new();
        assert_eq!(filter.mail(), Ok(Next::Wait));
        if stage > Stage::Mail {
            assert_eq!(filter.says(&[Response::Continue]), answered(Answer::Continue));
            assert_eq!(filter.rcpt(), Ok(Next::Wait));
        }
        if stage > Stage::Rcpt {
            assert_eq!(filter.says(&[Response::Continue]), answered(Answer::Continue));
            assert_eq!(filter.end(), Ok(Next::Wait));
            assert_eq!(filter.ends_with(&[Response::Accept]).decision, Decision::Pass);
        } else {
            assert_eq!(filter.says(&[Response::Accept]), answered(Answer::Accept));
            assert_eq!(filter.rcpt(), known(Answer::Accept));
            assert_eq!(filter.end(), known(Answer::Accept));
        }
        filter.take();
        assert_eq!(filter.mail(), Ok(Next::Wait), "after {stage:?}");
        let aborted = filter.take().starts_with(&framed(b"A"));
        assert_eq!(aborted, stage < Stage::EndOfBody);
    }
}

#[test]
fn nothing_of_a_mail_remains_behind_its_abort() {
    let mut filter = Filter::new();
    assert_eq!(filter.mail(), Ok(Next::Wait));
    assert_eq!(filter.says(&[Response::Discard]), answered(Answer::Discard));
    filter.take();
    filter.client.abort(&mut filter.sent);
    filter.client.abort(&mut filter.sent);
    assert_eq!(filter.take(), framed(b"A"));
    assert_eq!(filter.rcpt(), Err(Fault::OutOfTurn("RCPT")));
    assert_eq!(filter.end(), Err(Fault::OutOfTurn("BODYEOB")));
    let mut filter = filter.at_end_of_body();
    assert_eq!(filter.ends_with(&[Response::Continue]).decision, Decision::Pass);
    // EHLO ends a mail as well.
    assert_eq!(filter.mail(), Ok(Next::Wait));
    assert_eq!(filter.says(&[Response::Reject]), answered(Answer::Refuse(REJECTED)));
    filter.take();
    assert_eq!(filter.client.helo("x", &macros(), &mut filter.sent), Ok(Next::Wait));
    assert_eq!(filter.take(), [framed(b"A"), framed(b"DH"), framed(b"Hx\0")].concat());
}

#[test]
fn what_is_said_of_the_connection_is_for_all_of_it() {
    let own = Reply::new(554, Enhanced(5, 7, 0), "go away");
    let shut = Reply::new(421, Enhanced(4, 3, 2), "bye");
    for (response, answer) in [
        (Response::Accept, Answer::Accept),
        (Response::Reject, Answer::Refuse(REJECTED)),
        (Response::TempFail, Answer::Refuse(LATER)),
        (Response::ReplyCode(own.clone()), Answer::Refuse(own)),
        (Response::ReplyCode(shut.clone()), Answer::Close(shut)),
        (Response::Shutdown, Answer::Close(CLOSED)),
        (Response::ConnFail, Answer::Close(CLOSED)),
    ] {
        let mut filter = Filter::new();
        assert_eq!(filter.connect(), Ok(Next::Wait));
        filter.take();
        assert_eq!(filter.says(&[response]), answered(answer.clone()));
        assert_eq!(filter.client.helo("x", &macros(), &mut filter.sent), known(answer.clone()));
        assert_eq!(filter.mail(), known(answer.clone()));
        assert_eq!(filter.rcpt(), known(answer.clone()));
        assert_eq!(filter.client.body(&mut &b"x"[..], &mut filter.sent), known(answer.clone()));
        assert_eq!(filter.end(), known(answer));
        filter.client.abort(&mut filter.sent);
        assert_eq!(filter.take(), b"");
        filter.client.quit(&mut filter.sent);
        assert_eq!(filter.take(), framed(b"Q"));
    }
}

#[test]
fn a_refused_recipient_is_one_recipient() {
    let mut filter = Filter::new();
    assert_eq!(filter.mail(), Ok(Next::Wait));
    assert_eq!(filter.says(&[Response::Continue]), answered(Answer::Continue));
    for response in [Response::Reject, Response::TempFail, Response::Continue] {
        assert_eq!(filter.rcpt(), Ok(Next::Wait));
        assert!(filter.says(&[response]).is_ok());
    }
    assert_eq!(filter.end(), Ok(Next::Wait));
    assert_eq!(filter.ends_with(&[Response::Continue]).decision, Decision::Pass);
    // A refused mail is all of it.
    assert_eq!(filter.mail(), Ok(Next::Wait));
    assert_eq!(filter.says(&[Response::TempFail]), answered(Answer::Refuse(LATER)));
    assert_eq!(filter.rcpt(), known(Answer::Refuse(LATER)));
    assert_eq!(filter.end(), known(Answer::Refuse(LATER)));
}

#[test]
fn i7_what_is_said_of_a_refused_recipient_is_said_of_nobody() {
    let goes_on = answered(Answer::Continue);
    let own = Reply::new(554, Enhanced(5, 7, 0), "go away");
    for response in [
        Response::Continue,
        Response::Accept,
        Response::Reject,
        Response::TempFail,
        Response::Discard,
        Response::Skip,
        Response::ReplyCode(own),
    ] {
        let mut filter = Filter::of_steps(Steps::RCPT_REJ.and(Steps::SKIP));
        assert_eq!(filter.mail(), Ok(Next::Wait));
        assert_eq!(filter.says(&[Response::Continue]), goes_on);
        filter.take();
        assert_eq!(filter.refused_rcpt(), Ok(Next::Wait));
        assert!(filter.take().ends_with(&framed(b"R<c@y>\0")));
        assert_eq!(filter.says(&[Response::Progress]), Ok(vec![Event::Progress]));
        assert_eq!(filter.says(&[response]), goes_on);
        // One that is not refused is asked about as ever.
        assert_eq!(filter.rcpt(), Ok(Next::Wait));
        assert_eq!(filter.says(&[Response::Accept]), answered(Answer::Accept));
        assert_eq!(filter.refused_rcpt(), known(Answer::Continue));
        assert_eq!(filter.end(), known(Answer::Accept));
    }
}

#[test]
fn a_filter_hears_of_refused_recipients_in_turn_and_only_if_it_wants_to() {
    let goes_on = answered(Answer::Continue);
    let mut filter = Filter::of_steps(Steps::RCPT_REJ);
    assert_eq!(filter.refused_rcpt(), Err(Fault::OutOfTurn("RCPT")));
    assert_eq!(filter.mail(), Ok(Next::Wait));
    assert_eq!(filter.refused_rcpt(), Err(Fault::OutOfTurn("RCPT")));
    assert_eq!(filter.says(&[Response::Continue]), goes_on);
    assert_eq!(filter.refused_rcpt(), Ok(Next::Wait));
    assert_eq!(filter.says(&[Response::Shutdown]), answered(Answer::Close(CLOSED)));
    assert_eq!(filter.refused_rcpt(), known(Answer::Close(CLOSED)));
    // Who does not want to hear of them does not.
    let mut filter = Filter::new();
    assert_eq!(filter.mail(), Ok(Next::Wait));
    assert_eq!(filter.says(&[Response::Continue]), goes_on);
    filter.take();
    assert_eq!((filter.refused_rcpt(), filter.take()), (known(Answer::Continue), Vec::new()));
}

#[test]
fn the_end_of_a_mail_brings_its_changes_in_order_and_why_it_is_held() {
    let mut filter = Filter::new().at_end_of_body();
    let (x, one) = (text("X"), text(" 1"));
    let verdict = filter.ends_with(&[
        Response::InsHeader { index: 0, name: x.clone(), value: one.clone() },
        Response::InsHeader { index: 1, name: x.clone(), value: one.clone() },
        Response::InsHeader { index: 2, name: x.clone(), value: one.clone() },
        Response::ReplBody(text("ab")),
        Response::ChgHeader { index: 0, name: x.clone(), value: one.clone() },
        Response::ChgHeader { index: 2, name: x, value: text("") },
        Response::ReplBody(text("cd")),
        Response::ChgFrom(vec![text("<>")]),
        Response::AddRcpt(text("<c@x>")),
        Response::AddRcptPar(vec![text("d@x"), text("NOTIFY=NEVER")]),
        Response::DelRcpt(text("<b@y>")),
        Response::Quarantine(text("smells\r\nof spam")),
        Response::Continue,
    ]);
    let to = |text: &str| Address::parse(text).unwrap();
    let insert = |above| Edit::Insert { above, name: "X".into(), value: one.clone() };
    assert_eq!(verdict.decision, Decision::Hold);
    assert_eq!(&*verdict.reason, "smells  of spam");
    assert_eq!(
        verdict.edits,
        [
            insert(0),
            insert(0),
            insert(1),
            Edit::Body(text("abcd")),
            Edit::Change { name: "X".into(), nth: 1, value: one.clone() },
            Edit::Remove { name: "X".into(), nth: Some(2) },
            Edit::Sender(mailweir_mail::ReversePath::Null),
            Edit::AddRecipient(to("c@x")),
            Edit::AddRecipient(to("d@x")),
            Edit::RemoveRecipient(to("b@y")),
        ]
    );
    // Without the better knowledge of spaces one stands behind the colon.
    let mut filter = Filter::of_steps(Steps::NONE).at_end_of_body();
    let verdict = filter.ends_with(&[header("X", "1"), Response::Accept]);
    assert_eq!(verdict.edits, [Edit::Append { name: "X".into(), value: text(" 1") }]);
}

#[test]
fn a_mail_that_is_refused_at_its_end_is_not_changed() {
    for (response, decision) in [
        (Response::Reject, Decision::Refuse(REJECTED)),
        (Response::TempFail, Decision::Refuse(LATER)),
        (Response::Discard, Decision::Discard),
        (Response::Shutdown, Decision::Refuse(CLOSED)),
    ] {
        let mut filter = Filter::new().at_end_of_body();
        let held = Response::Quarantine(text("x"));
        let verdict = filter.ends_with(&[header("X", "1"), held, response]);
        assert_eq!((verdict.decision, verdict.edits), (decision, Vec::new()));
    }
}

#[test]
fn i7_an_answer_too_many_ends_all_belief() {
    let twice = [Response::Continue, Response::Accept];
    let mut filter = Filter::new();
    assert_eq!(filter.connect(), Ok(Next::Wait));
    assert_eq!(filter.says(&twice), Err(Fault::Unasked));
    assert_eq!(filter.mail(), Err(Fault::Unasked));
    assert_eq!(filter.says(&[Response::Continue]), Err(Fault::Unasked));
    filter.take();
    filter.client.quit(&mut filter.sent);
    assert_eq!(filter.take(), b"");
    // Also one that begins and does not end.
    let mut filter = Filter::new();
    assert_eq!(filter.says_bytes(&[0]), Err(Fault::Unasked));
    let mut filter = Filter::new().at_end_of_body();
    let late = [Response::Continue, header("X", "1"), Response::Continue];
    assert_eq!(filter.says(&late), Err(Fault::Unasked));
}

#[test]
fn i7_an_answer_after_the_time_counts_for_nothing() {
    let mut filter = Filter::new();
    assert_eq!(filter.mail(), Ok(Next::Wait));
    filter.client.give_up();
    assert_eq!(filter.says(&[Response::Accept]), Err(Fault::GivenUp));
    assert_eq!(filter.rcpt(), Err(Fault::GivenUp));
    assert_eq!(filter.mail(), Err(Fault::GivenUp));
    // RSET while an answer is awaited: it would be taken for the answer to something else.
    let mut filter = Filter::new();
    assert_eq!(filter.mail(), Ok(Next::Wait));
    filter.client.abort(&mut filter.sent);
    assert_eq!(filter.mail(), Err(Fault::GivenUp));
}

#[test]
fn nothing_is_asked_before_the_last_answer() {
    let mut filter = Filter::new();
    assert_eq!(filter.mail(), Ok(Next::Wait));
    filter.take();
    assert_eq!(filter.rcpt(), Err(Fault::OutOfTurn("RCPT")));
    assert_eq!(filter.mail(), Err(Fault::OutOfTurn("MAIL")));
    assert_eq!(filter.connect(), Err(Fault::OutOfTurn("CONNECT")));
    assert_eq!(filter.take(), b"");
    assert_eq!(filter.says(&[Response::Continue]), answered(Answer::Continue));
    assert_eq!(filter.rcpt(), Ok(Next::Wait));
}

#[test]
fn i7_what_has_no_place_at_a_stage_is_refused() {
    let skip = Fault::Misplaced { packet: "SKIP", stage: "MAIL" };
    let at_mail = |packet| Fault::Misplaced { packet, stage: "MAIL" };
    for (response, fault) in [
        (header("X", "1"), at_mail("ADDHEADER")),
        (Response::Quarantine(text("x")), at_mail("QUARANTINE")),
        (Response::ReplBody(text("x")), at_mail("REPLBODY")),
        (Response::AddRcpt(text("a@x")), at_mail("ADDRCPT")),
        (Response::OptNeg(Options::default()), at_mail("OPTNEG")),
        (Response::SetSymList(0, text("j")), at_mail("SETSYMLIST")),
        (Response::Skip, skip),
    ] {
        let mut filter = Filter::new();
        assert_eq!(filter.mail(), Ok(Next::Wait));
        assert_eq!(filter.says(&[response]), Err(fault));
    }
    let mut filter = Filter::new();
    assert_eq!(filter.connect(), Ok(Next::Wait));
    let discard = Fault::Misplaced { packet: "DISCARD", stage: "CONNECT" };
    assert_eq!(filter.says(&[Response::Discard]), Err(discard));
    let mut filter = Filter::of_steps(Steps::NONE);
    assert_eq!(filter.mail(), Ok(Next::Wait));
    assert_eq!(filter.says(&[Response::Skip]), Err(Fault::NotNegotiated("SKIP")));
}

#[test]
fn i7_changes_that_were_not_negotiated_or_cannot_be_are_refused() {
    let options = Options { version: 6, actions: Actions::ADDHDRS, ..Options::default() };
    for (response, packet) in [
        (Response::ChgHeader { index: 1, name: text("X"), value: text("1") }, "CHGHEADER"),
        (Response::ReplBody(text("x")), "REPLBODY"),
        (Response::AddRcpt(text("a@x")), "ADDRCPT"),
        (Response::AddRcptPar(vec![text("a@x")]), "ADDRCPT_PAR"),
        (Response::DelRcpt(text("a@x")), "DELRCPT"),
        (Response::ChgFrom(vec![text("a@x")]), "CHGFROM"),
        (Response::Quarantine(text("x")), "QUARANTINE"),
    ] {
        let mut filter = Filter::with(options.clone(), Limits::new(9)).at_end_of_body();
        assert_eq!(filter.says(&[response]), Err(Fault::NotNegotiated(packet)));
    }
    for name in ["", "X Y", "X:", "X\r\nY", "\u{e4}"] {
        let mut filter = Filter::new().at_end_of_body();
        assert_eq!(filter.says(&[header(name, "1")]), Err(Fault::FieldName("ADDHEADER")));
    }
    for address in ["", "<>", "a", "<a@x> SIZE=1", "<a@x\r\nRCPT>"] {
        let mut filter = Filter::new().at_end_of_body();
        let fault = filter.says(&[Response::AddRcpt(text(address))]);
        assert!(matches!(fault, Err(Fault::Address { packet: "ADDRCPT", .. })), "{address}");
    }
}

#[test]
fn i8_changes_have_an_end() {
    let mut filter = Filter::new().at_end_of_body();
    let ten_thousand = vec![header("X", "1"); 10_000];
    assert_eq!(filter.says(&ten_thousand), Err(Fault::MostEdits(1_000)));
    for nothing in [Response::Quarantine(text("no")), Response::ReplBody(Box::default())] {
        let mut filter = Filter::new().at_end_of_body();
        assert_eq!(filter.says(&vec![nothing; 1_001]), Err(Fault::MostEdits(1_000)));
    }
    let mut filter = Filter::new().at_end_of_body();
    let long = header("X", &"x".repeat(64 * 1024));
    assert_eq!(filter.says(&[long]), Err(Fault::LongField(64 * 1024)));
    let mut filter = Filter::new().at_end_of_body();
    let many = vec![header("X", &"x".repeat(60_000)); 20];
    assert_eq!(filter.says(&many), Err(Fault::LongEdits(1024 * 1024)));
    let mut filter = Filter::new().at_end_of_body();
    let body = vec![Response::ReplBody(vec![b'x'; 501].into()); 2];
    assert_eq!(filter.says(&body), Err(Fault::LongBody(1_000)));
    let mut filter = Filter::new().at_end_of_body();
    let huge = Fault::Oversized { size: 0x4000_0000, most: 1024 * 1024 };
    assert_eq!(filter.says_bytes(b"\x40\0\0\0b"), Err(huge));
}

#[test]
fn i7_work_is_no_answer_and_has_an_end() {
    let mut filter = Filter::new();
    assert_eq!(filter.mail(), Ok(Next::Wait));
    let events = filter.says(&[Response::Progress, Response::Continue]);
    assert_eq!(events, Ok(vec![Event::Progress, Event::Answer(Answer::Continue)]));
    assert_eq!(filter.rcpt(), Ok(Next::Wait));
    assert_eq!(filter.says(&vec![Response::Progress; 1_001]), Err(Fault::Progress(1_000)));
}
