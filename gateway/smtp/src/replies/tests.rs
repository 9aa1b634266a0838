use super::*;

fn hostname() -> Domain {
    Domain::parse("gate.example").unwrap()
}

fn wire(reply: &Reply) -> String {
    let mut out = Vec::new();
    write(reply, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn addresses_of_notices_have_replies_of_their_own() {
    let address = || Address::parse("x@y.example").unwrap();
    for (refusal, line) in [
        (
            Refusal::UnknownRecipient(address(), RecipientTable::Notices),
            "550 5.1.1 <x@y.example>: Recipient address rejected: User unknown\r\n",
        ),
        (
            Refusal::NoticesOnly(address()),
            "550 5.1.1 <x@y.example>: Recipient address rejected: This address only sends notices: \
             use the links in the notice, or reply to it\r\n",
        ),
    ] {
        assert_eq!(wire(&refusal.reply(&hostname())), line);
    }
}

#[test]
fn what_nobody_waits_for_is_refused_to_filters() {
    for (why, line) in [
        (NotAwaited::Unknown, "451 4.7.1 Error: this is no mail that anybody waits for here\r\n"),
        (NotAwaited::Twice, "451 4.7.1 Error: this mail was handed back already\r\n"),
        (NotAwaited::Over, "550 5.7.1 Error: nobody waits for this mail any more\r\n"),
    ] {
        assert_eq!(wire(&Refusal::NotAwaited(why).reply(&hostname())), line);
    }
}

#[test]
fn what_is_not_judged_is_put_off_with_the_reason() {
    for (why, line) in [
        (NotJudged::Held, "451 4.7.1 This mail cannot go without an approval; try again later\r\n"),
        (NotJudged::TooManyChanges, "451 4.3.0 Too many changes of the header\r\n"),
        (NotJudged::NoOutcome, "451 4.3.0 The mail could not be judged; try again later\r\n"),
    ] {
        assert_eq!(wire(&why.reply()), line);
    }
}

#[test]
fn mail_that_its_author_has_not_authorised_is_refused_in_the_words_of_dmarc() {
    let author = "B\u{fc}cher.example".parse().unwrap();
    for (why, line) in [
        (
            Unwanted::Unauthorised(author),
            "550 5.7.26 Message rejected by the DMARC policy of xn--bcher-kva.example\r\n",
        ),
        (Unwanted::Spam, "550 5.7.1 Message looks like spam\r\n"),
        (Unwanted::Malware, "550 5.7.1 Message has known malware\r\n"),
        (Unwanted::Unclear, "451 4.4.3 Temporary lookup failure of the author's domain\r\n"),
    ] {
        assert_eq!(wire(&Refusal::Unwanted(why).reply(&hostname())), line);
    }
}

#[test]
fn strangers_hear_when_to_come_again() {
    let address = Address::parse("x@y.example").unwrap();
    for (why, line) in [
        (
            NotYet::Recipient(address, Duration::from_millis(299_001)),
            "451 4.7.1 <x@y.example>: Recipient address rejected: Greylisted, try again in 300 \
             seconds\r\n",
        ),
        (
            NotYet::Mail(Duration::from_secs(300)),
            "451 4.7.1 Error: Greylisted, try again in 300 seconds\r\n",
        ),
        (
            NotYet::TooMuchMail("192.0.2.0/24".into(), NonZeroU32::MIN),
            "451 4.7.1 Error: too much mail from 192.0.2.0/24: more than 1 an hour, try again \
             later\r\n",
        ),
    ] {
        let refusal = Refusal::NotYet(why);
        assert_eq!(wire(&refusal.reply(&hostname())), line);
        assert!(refusal.is_no_error());
    }
}

#[test]
fn every_refusal_has_the_reply_that_postfix_gives() {
    let address = || Address::parse("x@y.example").unwrap();
    let sender = || ReversePath::Mailbox(address());
    let client = || Client::unnamed(([192, 0, 2, 1], 4711).into());
    let rule = Reply::new(550, Enhanced(5, 7, 1), "No such mail here");
    for (refusal, line) in [
        (Refusal::RelayDenied(address()), "554 5.7.1 <x@y.example>: Relay access denied"),
        (
            Refusal::UnknownRecipient(address(), RecipientTable::Relay),
            "550 5.1.1 <x@y.example>: Recipient address rejected: \
             User unknown in relay recipient table",
        ),
        (
            Refusal::UnknownRecipient(address(), RecipientTable::VirtualAlias),
            "550 5.1.1 <x@y.example>: Recipient address rejected: \
             User unknown in virtual alias table",
        ),
        (
            Refusal::RecipientMoved(address(), "x@z.example".into()),
            "550 5.1.6 <x@y.example>: Recipient address rejected: User has moved to x@z.example",
        ),
        (
            Refusal::RecipientUndeliverable(address(), Enhanced(5, 1, 2), "no such host".into()),
            "550 5.1.2 <x@y.example>: Recipient address rejected: no such host",
        ),
        (
            Refusal::RecipientRejected(address(), "no".into()),
            "554 5.7.1 <x@y.example>: Recipient address rejected: no",
        ),
        (
            Refusal::SenderRejected(ReversePath::Null, "no".into()),
            "554 5.7.1 <>: Sender address rejected: no",
        ),
        (
            Refusal::SenderNotOwned(sender(), "bob".into()),
            "553 5.7.1 <x@y.example>: Sender address rejected: not owned by user bob",
        ),
        (
            Refusal::SenderDomainUnknown(address()),
            "450 4.1.8 <x@y.example>: Sender address rejected: Domain not found",
        ),
        (
            Refusal::HelloNotQualified("pc".into()),
            "504 5.5.2 <pc>: Helo command rejected: need fully-qualified hostname",
        ),
        (
            Refusal::ClientRejected(client()),
            "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied",
        ),
        (
            Refusal::ClientUnnamed(client()),
            "450 4.7.1 Client host rejected: cannot find your hostname, [192.0.2.1]",
        ),
        (Refusal::AuthRequired, "530 5.7.0 Authentication required"),
        (Refusal::TlsRequired, "530 5.7.0 Must issue a STARTTLS command first"),
        (Refusal::AuthFailed, "535 5.7.8 Error: authentication failed"),
        (Refusal::AuthTemporary, "454 4.7.0 Temporary authentication failure"),
        (
            Refusal::TooManyLogins(client()),
            "450 4.7.1 Error: too many AUTH commands from 192.0.2.1",
        ),
        (Refusal::InsufficientStorage, "452 4.3.1 Insufficient system storage"),
        (Refusal::QueueUnavailable, "451 4.3.0 Queue file write error"),
        (Refusal::TableUnavailable, "451 4.3.0 Temporary lookup failure"),
        (Refusal::FilterUnavailable, "451 4.7.1 Service unavailable - try again later"),
        (Refusal::FilterFailed, "550 5.7.1 Service unavailable"),
        (
            Refusal::TooManyConnections(client()),
            "421 4.7.0 gate.example Error: too many connections from 192.0.2.1",
        ),
        (Refusal::TooMuchMail(client()), "450 4.7.1 Error: too much mail from 192.0.2.1"),
        (Refusal::MessageTooLarge, "552 5.3.4 Message size exceeds fixed limit"),
        (Refusal::LoopDetected, "554 5.4.6 Error: too many hops"),
        (Refusal::Overloaded, "421 4.3.2 gate.example All server ports are busy - try again later"),
        (Refusal::ShuttingDown, "421 4.3.2 gate.example Service shutting down - try again later"),
        (Refusal::Internal, "451 4.3.0 Internal server error - try again later"),
        (Refusal::Rule(rule), "550 5.7.1 No such mail here"),
    ] {
        assert_reply(&refusal, line);
    }
}

#[test]
fn who_logged_in_hears_the_address_or_the_limit() {
    let address = || Address::parse("x@y.example").unwrap();
    let sender = || ReversePath::Mailbox(address());
    for (refusal, line) in [
        (
            Refusal::SenderNotLoggedIn(sender()),
            "553 5.7.1 <x@y.example>: Sender address rejected: not logged in",
        ),
        (
            Refusal::FromNotOwned(address(), "bob".into()),
            "550 5.7.1 <x@y.example>: From header rejected: not owned by user bob",
        ),
        (
            Refusal::FromNotOwned(Address::parse("\u{fc}@y.example").unwrap(), "bob".into()),
            "550 5.7.1 <another address>: From header rejected: not owned by user bob",
        ),
        (
            Refusal::FromUnclear("it is missing".into()),
            "550 5.7.1 From header rejected: it is missing",
        ),
        (
            Refusal::SentEnough("bob".into(), "more than 5 messages in an hour".into()),
            "450 4.7.1 <bob>: Login name rejected: more than 5 messages in an hour, \
             try again later",
        ),
    ] {
        assert_reply(&refusal, line);
    }
}

fn assert_reply(refusal: &Refusal, line: &str) {
    assert_eq!(refusal.reply(&hostname()).to_string(), line);
    assert_eq!(wire(&refusal.reply(&hostname())), format!("{line}\r\n"));
}

#[test]
fn a_reply_of_several_lines_repeats_its_codes() {
    let reply = Reply::new(550, Enhanced(5, 7, 1), "first\nsecond");
    assert_eq!(wire(&reply), "550-5.7.1 first\r\n550 5.7.1 second\r\n");
}

#[test]
fn what_was_queued_is_named_with_all_that_becomes_of_it() {
    let id = |serial| QueueId::new(mailweir_mail::Timestamp::from_secs(1), serial);
    let (one, other) = (id(1), id(2));
    for (next, remark) in [
        (Next::Sent, String::new()),
        (Next::Approval, " (held for approval)".to_owned()),
        (Next::Split(other), format!(" and {other} ({other} held for approval)")),
    ] {
        let said = |positive: Positive<'_>| {
            let mut out = Vec::new();
            positive.write(&mut out);
            String::from_utf8(out).unwrap()
        };
        let line = format!("250 2.0.0 Ok: queued as {one}{remark}\r\n");
        assert_eq!(said(Positive::Queued(one, next)), line);
        let line = format!("250 2.0.0 Ok: 9 bytes queued as {one}{remark}\r\n");
        assert_eq!(said(Positive::QueuedChunks(one, 9, next)), line);
        let line = format!("250 2.0.0 Ok: {one} handed back\r\n");
        assert_eq!(said(Positive::HandedBack(one)), line);
    }
}

#[test]
fn no_text_can_forge_a_second_reply_or_a_line_without_end() {
    let reply = Reply::with_text(550, Enhanced(5, 7, 1), "a\r250 ok\0".to_owned());
    assert_eq!(wire(&reply), "550 5.7.1 a?250 ok?\r\n");
    let reply = Reply::with_text(550, Enhanced(5, 7, 1), "ü".repeat(1000));
    assert!(wire(&reply).len() <= 512);
}

#[test]
fn every_code_fits_its_enhanced_code() {
    let faults = [
        Fault::EmptyLine,
        Fault::LineTooLong,
        Fault::NotSmtp,
        Fault::OutOfStep,
        Fault::TooManyRecipients,
        Fault::TooManyErrors,
        Fault::Timeout,
        Fault::BareNewline,
        Fault::BdatSyntax,
        Fault::UnsupportedOption("X".into()),
    ];
    for fault in faults {
        let reply = fault.reply(&hostname());
        let class = reply.enhanced.map(|enhanced| u16::from(enhanced.0));
        assert_eq!(class, Some(reply.code / 100), "{fault:?}");
    }
}
