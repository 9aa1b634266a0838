use std::time::Duration;

use mailweir_mail::{QueueId, Timestamp};

use super::*;

/// A session that admits everybody, and what it wrote.
struct Conversation {
    session: Session,
    now: Instant,
    written: Vec<String>,
    queued: Vec<Envelope>,
}

impl Conversation {
    fn new(settings: Settings, rights: Rights) -> Self {
        let peer = Peer {
            client: Client::unnamed(([192, 0, 2, 1], 4711).into()),
            local: ([192, 0, 2, 25], 25).into(),
            rights,
        };
        let now = Instant::now();
        let session = Session::new(Arc::new(settings), peer, now);
        let mut conversation = Self { session, now, written: Vec::new(), queued: Vec::new() };
        conversation.say("");
        conversation
    }

    fn with_stranger() -> Self {
        Self::new(settings(), Rights::NONE)
    }

    /// Says `text`, and returns the name of the step that ended the turn.
    fn say(&mut self, text: &str) -> &'static str {
        let mut input = text.as_bytes();
        loop {
            let question = match self.session.next(&mut input, self.now) {
                Step::Read => return "read",
                Step::StartTls => return "tls",
                Step::Close => return "close",
                Step::Write(bytes) => {
                    self.written.push(String::from_utf8(bytes.to_vec()).unwrap());
                    continue;
                }
                Step::Content(_) | Step::Abandoned(_) => continue,
                Step::Ask(question) => question,
            };
            let answer = match question {
                Question::EndOfData => {
                    self.queued.extend(self.session.take_envelope());
                    Answer::Accepted(QueueId::new(Timestamp::from_secs(1), 1))
                }
                _ => Answer::Proceed,
            };
            self.session.answer(answer);
        }
    }
}

fn settings() -> Settings {
    Settings::new(mailweir_mail::Domain::parse("gate.example").unwrap())
}

const ENVELOPE: &str = "MAIL FROM:<a@client.example>\r\nRCPT TO:<b@local.example>\r\n";

#[test]
fn an_idle_session_is_small() {
    assert!(size_of::<Session>() <= 1024, "{} bytes", size_of::<Session>());
    let mut conversation = Conversation::with_stranger();
    conversation.say("EHLO client.example\r\n");
    conversation.say(&format!("NOOP {}\r", "a".repeat(2000)));
    conversation.say("\n");
    conversation.say("");
    assert_eq!(conversation.session.lines.capacity(), 0);
    assert!(conversation.session.dialog.outbox.capacity() <= 512);
}

#[test]
fn the_replies_of_a_group_leave_in_one_write() {
    let mut conversation = Conversation::with_stranger();
    conversation.say("EHLO client.example\r\n");
    conversation.written.clear();
    conversation.say(&format!("{ENVELOPE}{ENVELOPE}RSET\r\n"));
    assert_eq!(conversation.written.len(), 1);
    assert_eq!(conversation.written[0].lines().count(), 5);
}

#[test]
fn a_question_is_asked_again_until_it_is_answered() {
    let peer = Peer {
        client: Client::unnamed(([192, 0, 2, 1], 4711).into()),
        local: ([192, 0, 2, 25], 25).into(),
        rights: Rights::NONE,
    };
    let now = Instant::now();
    let mut session = Session::new(Arc::new(settings()), peer, now);
    assert_eq!(session.next(&mut &b""[..], now), Step::Ask(Question::Connect));
    assert_eq!(session.next(&mut &b""[..], now), Step::Ask(Question::Connect));
}

#[test]
fn an_answer_that_fits_no_question_never_becomes_a_250() {
    let mut conversation = Conversation::with_stranger();
    conversation.say("EHLO client.example\r\n");
    conversation.say(&format!("{ENVELOPE}DATA\r\n"));
    let mut input: &[u8] = b".\r\n";
    let now = conversation.now;
    let session = &mut conversation.session;
    assert_eq!(session.next(&mut input, now), Step::Ask(Question::EndOfData));
    session.answer(Answer::Proceed);
    let expected = b"451 4.3.0 Internal server error - try again later\r\n";
    assert_eq!(session.next(&mut input, now), Step::Write(expected));
    session.answer(Answer::Accepted(QueueId::new(Timestamp::from_secs(1), 1)));
    assert_eq!(session.next(&mut input, now), Step::Read);
}

#[test]
fn a_client_that_is_not_welcome_hears_why() {
    let mut conversation = Conversation::with_stranger();
    let now = conversation.now;
    let peer = conversation.session.dialog.peer.clone();
    let mut session = Session::new(Arc::new(settings()), peer.clone(), now);
    let mut input: &[u8] = b"";
    assert_eq!(session.next(&mut input, now), Step::Ask(Question::Connect));
    session.answer(Answer::Refuse(Refusal::TooManyConnections(peer.client)));
    let expected = b"421 4.7.0 gate.example Error: too many connections from 192.0.2.1\r\n";
    assert_eq!(session.next(&mut input, now), Step::Write(expected));
    assert_eq!(session.next(&mut input, now), Step::Close);
    assert_eq!(session.take_refusal().unwrap().command, "CONNECT");
    conversation.say("QUIT\r\n");
}

#[test]
fn what_was_refused_is_told_for_the_log() {
    let mut conversation = Conversation::with_stranger();
    conversation.say("EHLO client.example\r\n");
    conversation.say("MAIL FROM:<a@client.example>\r\nRCPT TO:<b@@>\r\nBOGUS\r\n");
    let session = &mut conversation.session;
    let first = session.take_refusal().unwrap();
    assert_eq!(first.command, "RCPT");
    assert_eq!(first.sender.as_ref().unwrap().as_str(), "a@client.example");
    let client = session.client().clone();
    assert_eq!(
        first.warning(&client).unwrap(),
        "Illegal address syntax from unknown[192.0.2.1] in RCPT command: TO:<b@@>"
    );
    let second = session.take_refusal().unwrap();
    assert_eq!((second.command, second.reply.code), ("UNKNOWN", 500));
    assert_eq!(second.warning(&client), None);
    assert_eq!(session.take_refusal(), None);
}

#[test]
fn offences_have_the_warnings_that_fail2ban_knows() {
    for (text, warning) in [
        (
            "EHLO a\r\nMAIL FROM:<>\r\n",
            "improper command pipelining after EHLO from unknown[192.0.2.1]: MAIL FROM:<>\\r\\n",
        ),
        ("GET / HTTP/1.0\r\n", "non-SMTP command from unknown[192.0.2.1]: GET / HTTP/1.0"),
    ] {
        let mut conversation = Conversation::with_stranger();
        assert_eq!(conversation.say(text), "close");
        let refused = conversation.session.take_refusal().unwrap();
        assert_eq!(refused.warning(conversation.session.client()).unwrap(), warning);
    }
}

#[test]
fn the_tally_and_the_stage_are_those_that_postfix_logs() {
    let mut conversation = Conversation::with_stranger();
    assert_eq!(conversation.session.stage(), "CONNECT");
    conversation.say("EHLO client.example\r\n");
    conversation.say(&format!("{ENVELOPE}DATA\r\n"));
    conversation.say("Subject: x\r\n");
    assert_eq!(conversation.session.stage(), "DATA");
    assert_eq!(conversation.session.content_bytes(), 12);
    conversation.say(".\r\n");
    assert_eq!(conversation.session.stage(), "END-OF-MESSAGE");
    conversation.say("AUTH PLAIN =\r\nFROB\r\nQUIT\r\n");
    assert_eq!(
        conversation.session.tally().to_string(),
        "ehlo=1 auth=0/1 mail=1 rcpt=1 data=1 quit=1 unknown=0/1 commands=5/7"
    );
}

#[test]
fn the_envelope_holds_what_mail_and_rcpt_said() {
    let mut conversation = Conversation::with_stranger();
    conversation.say("EHLO client.example\r\n");
    conversation.say("MAIL FROM:<a@client.example> BODY=8BITMIME RET=HDRS ENVID=e+2B SIZE=77\r\n");
    assert_eq!(conversation.session.declared_size(), Some(77));
    conversation.say("RCPT TO:<b@local.example> NOTIFY=NEVER ORCPT=rfc822;c@d.example\r\n");
    conversation.say("DATA\r\n");
    conversation.say(".\r\n");
    let envelope = &conversation.queued[0];
    assert_eq!(envelope.body, mailweir_mail::BodyType::EightBitMime);
    assert_eq!(envelope.ret, Some(mailweir_mail::Return::Headers));
    assert_eq!(envelope.envid.as_ref().unwrap().as_str(), "e+");
    assert_eq!(envelope.recipients[0].notify, mailweir_mail::Notify::Never);
    assert_eq!(envelope.recipients[0].orcpt.as_ref().unwrap().address(), "c@d.example");
    assert_eq!(conversation.session.transaction(), None);
}

#[test]
fn xforward_is_kept_for_one_mail() {
    let rights = Rights { xforward: true, ..Rights::NONE };
    let mut conversation = Conversation::new(settings(), rights);
    conversation.say("EHLO filter.example\r\n");
    conversation.say("XFORWARD NAME=a+2Bb ADDR=IPV6:::1\r\nXFORWARD HELO=[UNAVAILABLE]\r\n");
    let forwarded = conversation.session.forwarded().unwrap();
    assert_eq!(forwarded.name.as_deref(), Some("a+b"));
    assert_eq!(forwarded.client().unwrap().to_string(), "a+b[::1]");
    assert_eq!(forwarded.helo, None);
    assert_eq!(conversation.session.client().to_string(), "unknown[192.0.2.1]");
    conversation.say(&format!("{ENVELOPE}DATA\r\n"));
    conversation.say(".\r\n");
    assert_eq!(conversation.session.forwarded(), None);
}

#[test]
fn xclient_changes_who_the_client_is_and_what_it_may() {
    let rights = Rights { xclient: true, trusted: true, ..Rights::NONE };
    let mut conversation = Conversation::new(settings(), rights);
    conversation.say("XCLIENT NAME=mx.example ADDR=198.51.100.7 PORT=99 LOGIN=eve\r\n");
    let session = &conversation.session;
    assert_eq!(session.client().to_string(), "mx.example[198.51.100.7]");
    assert_eq!(session.client().address.port(), 99);
    assert_eq!(&*session.login().unwrap().mechanism, "XCLIENT");
    assert_eq!(session.rights(), Rights::NONE);
}

#[test]
fn a20_a_client_without_a_known_address_gets_no_rights() {
    let all = Rights { trusted: true, xclient: true, xforward: true, bare_newline: true };
    for said in [
        "ADDR=[UNAVAILABLE]",
        "ADDR=[TEMPUNAVAIL]",
        "PORT=99 ADDR=[UNAVAILABLE]",
        "ADDR=[UNAVAILABLE] PORT=99",
        "ADDR=0.0.0.0",
        "ADDR=IPV6:::",
        "ADDR=IPV6:::ffff:0.0.0.0",
    ] {
        let mut conversation = Conversation::new(settings(), all);
        assert!(conversation.session.address_known());
        conversation.say(&format!("XCLIENT {said}\r\n"));
        let session = &mut conversation.session;
        assert!(!session.address_known(), "{said}");
        assert_ne!(session.client().ip().to_string(), "192.0.2.1", "{said}");
        session.grant(all);
        assert_eq!(session.rights(), Rights::NONE, "{said}");
    }
    let mut conversation = Conversation::new(settings(), all);
    conversation.say("XCLIENT ADDR=[UNAVAILABLE]\r\n");
    assert_eq!(conversation.session.client().address.to_string(), "0.0.0.0:0");
}

#[test]
fn a_login_of_the_proxy_is_not_one_of_its_client() {
    let rights = Rights { xclient: true, ..Rights::NONE };
    let mut conversation = Conversation::new(settings(), rights);
    let own = Login { user: "proxy".into(), mechanism: "PLAIN".into() };
    conversation.session.dialog.identity.login = Some(own);
    conversation.say("XCLIENT ADDR=198.51.100.7\r\n");
    assert_eq!(conversation.session.login(), None);
}

#[test]
fn no_password_is_shown_by_debug() {
    let mut settings = settings();
    settings.mechanisms = vec!["PLAIN".into(), "LOGIN".into()];
    settings.auth_in_clear = true;
    for (before, line) in [("", "AUTH PLAIN AHUAc2VzYW1l"), ("AUTH LOGIN\r\n", "c2VzYW1l")] {
        let mut conversation = Conversation::new(settings.clone(), Rights::NONE);
        conversation.say("EHLO client.example\r\n");
        let now = conversation.now;
        let session = &mut conversation.session;
        let mut input = before.as_bytes();
        while !input.is_empty() {
            let _ = session.next(&mut input, now);
        }
        session.answer(Answer::Challenge(Vec::new()));
        let (first, rest) = line.as_bytes().split_at(line.len() - 1);
        let mut input = first;
        while !matches!(session.next(&mut input, now), Step::Read) {}
        assert_hidden(&format!("{session:?}"));
        let end = [rest, b"\r\n"].concat();
        let mut input = &*end;
        let step = format!("{:?}", session.next(&mut input, now));
        assert!(step.starts_with("Ask(Auth") && step.contains(" bytes>"), "{step}");
        assert_hidden(&step);
        assert_hidden(&format!("{session:?}"));
    }
}

/// Neither the password nor its base64 form nor the numbers of their bytes.
#[track_caller]
fn assert_hidden(shown: &str) {
    for secret in ["sesame", "c2VzYW1", "115, 101, 115", "99, 50, 86"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn the_deadline_is_that_of_the_whole_command() {
    let mut conversation = Conversation::with_stranger();
    let start = conversation.now;
    let timeout = settings().limits.timeout;
    assert_eq!(conversation.session.deadline(), start + timeout);
    for _ in 0..200 {
        conversation.now += Duration::from_secs(1);
        conversation.say("N");
    }
    assert_eq!(conversation.session.deadline(), start + timeout);
    conversation.session.expire(start + timeout);
    assert_eq!(conversation.say(""), "close");
    assert_eq!(
        conversation.written.last().unwrap(),
        "421 4.4.2 gate.example Error: timeout exceeded\r\n"
    );
}

#[test]
fn notes_about_bare_newlines_reach_the_driver() {
    let mut settings = settings();
    settings.bare_newline = BareNewline::Note;
    let mut conversation = Conversation::new(settings, Rights::NONE);
    conversation.say("EHLO client.example\r\n");
    conversation.say(&format!("{ENVELOPE}DATA\r\n"));
    let mut input: &[u8] = b"a\nb\r\n.\r\n";
    let now = conversation.now;
    let session = &mut conversation.session;
    while !matches!(session.next(&mut input, now), Step::Ask(Question::EndOfData)) {}
    assert!(session.saw_bare_newline());
}
