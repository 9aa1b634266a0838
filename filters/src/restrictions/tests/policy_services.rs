//! What policy servers are asked, and what comes of what they say.

use mailweir_mail::{Protocol, TlsSummary};
use mailweir_policy::client::{NoAnswer, Terms, Trouble};

use super::world::{Session, World, stranger};
use crate::restrictions::*;

const ASKS: &str = "check_policy_service inet:policy:1, reject_unauth_destination, permit";

fn says(action: &'static str) -> World {
    World::default().policy(move |_| Ok(action))
}

#[test]
fn an_answer_is_obeyed_as_a_table_is() {
    let t = stranger();
    for (action, said) in [
        ("DUNNO", "permit"),
        ("OK", "permit"),
        ("REJECT", "554 5.7.1 <b@b.example>: Recipient address rejected: Access denied"),
        ("reject 5.2.1 gone", "554 5.2.1 <b@b.example>: Recipient address rejected: gone"),
        ("DEFER later", "450 4.7.1 <b@b.example>: Recipient address rejected: later"),
        ("451 4.7.2 wait", "451 4.7.2 <b@b.example>: Recipient address rejected: wait"),
        (
            "DEFER_IF_PERMIT Greylisted",
            "450 4.7.1 <b@b.example>: Recipient address rejected: Greylisted",
        ),
        ("DEFER_IF_REJECT x", "permit"),
        (
            "permit_mynetworks, reject",
            "554 5.7.1 <b@b.example>: Recipient address rejected: Access denied",
        ),
        // attacks.md I4: what makes no sense makes the mail wait.
        ("5.7.2", "451 4.3.5 Server configuration error"),
        ("550", "permit"),
        ("550 5.7.2", "550 5.7.2 <b@b.example>: Recipient address rejected: Access denied"),
        ("hash:/etc/passwd", "451 4.3.5 Server configuration error"),
        ("check_policy_service inet:policy:1", "451 4.3.5 Server configuration error"),
    ] {
        assert_eq!(says(action).recipient_list(ASKS, &t), said, "{action}");
    }
    let sender =
        ListTexts { sender: ASKS, relay: "reject_unauth_destination", ..ListTexts::default() };
    assert_eq!(
        says("REJECT no").rcpt(&sender, &t),
        "554 5.7.1 <a@a.example>: Sender address rejected: no"
    );
}

#[test]
fn an_answer_may_do_something_to_the_mail() {
    let world = says("PREPEND Received-SPF: pass");
    let mut session = Session::new(&world, &recipient(ASKS));
    assert_eq!(session.rcpt(&stranger()), "permit");
    let effects = session.memory.effects();
    assert_eq!(&*effects.prepend[0].text, "Received-SPF: pass");
    assert_eq!(effects.prepend[0].place.to_string(), "inet:policy:1");
    let world = says("HOLD look");
    let mut session = Session::new(&world, &recipient(ASKS));
    assert_eq!(session.rcpt(&stranger()), "permit");
    assert_eq!(session.log(), ["hold: <b@b.example>: Recipient address look"]);
}

#[test]
fn without_an_answer_the_mail_waits_or_what_is_wished_is_done() {
    for trouble in [
        Trouble::Closed,
        Trouble::Silent(std::time::Duration::from_secs(100)),
        Trouble::Nonsense(NoAnswer::Attribute),
        Trouble::Unreachable("Connection refused".into()),
    ] {
        let because = trouble.clone();
        let world = World::default().policy(move |_| Err(because.clone()));
        let mut session = Session::new(&world, &recipient(ASKS));
        let waits =
            "451 4.3.5 <b@b.example>: Recipient address rejected: Server configuration problem";
        assert_eq!(session.rcpt(&stranger()), waits);
        assert_eq!(session.log()[0], format!("warning: policy server inet:policy:1 {trouble}"));
        let list = "check_policy_service { inet:policy:1, default_action = DUNNO }, permit";
        assert_eq!(world.recipient_list(list, &stranger()), "permit");
        let policy_service = Terms { default_action: "450 4.7.1 soon".into(), ..Terms::default() };
        let settings = Settings { policy_service, ..Settings::default() };
        let mut session = Session::with(&world, &recipient(ASKS), settings);
        assert_eq!(
            session.rcpt(&stranger()),
            "450 4.7.1 <b@b.example>: Recipient address rejected: soon"
        );
    }
}

#[test]
fn a_default_action_that_asks_again_ends() {
    let world = World::default().policy(|_| Err(Trouble::Closed));
    let list = "check_policy_service { inet:policy:1, default_action=again }";
    let classes = [("again", list)];
    let texts = ListTexts { classes: &classes, ..recipient(list) };
    let mut session = Session::new(&world, &texts);
    assert!(session.rcpt(&stranger()).starts_with("451 4.3.5"));
    assert_eq!(world.asked.lock().unwrap().len(), 2);
}

#[test]
fn a_server_that_answers_with_itself_ends() {
    let world = says("again");
    let classes = [("again", "check_policy_service inet:policy:1")];
    let texts = ListTexts { classes: &classes, ..recipient("again") };
    assert_eq!(
        Session::new(&world, &texts).rcpt(&stranger()),
        "451 4.3.5 Server configuration error"
    );
    assert!(world.asked.lock().unwrap().len() <= 100);
}

#[test]
fn warn_if_reject_softens_an_answer_and_the_lack_of_one() {
    let list = "warn_if_reject check_policy_service inet:policy:1, permit";
    assert_eq!(says("REJECT").recipient_list(list, &stranger()), "permit");
    let world = World::default().policy(|_| Err(Trouble::Closed));
    assert_eq!(world.recipient_list(list, &stranger()), "permit");
}

#[test]
fn a_mail_that_is_only_supposed_is_nobody_asked_about() {
    let world = World::default().policy(|_| Err(Trouble::Supposed));
    let mut session = Session::new(&world, &recipient(ASKS));
    assert_eq!(session.rcpt(&stranger()), "permit");
    assert_eq!(session.log(), ["info: policy server inet:policy:1 would be asked"]);
}

#[test]
fn a_server_is_told_what_is_known() {
    let world = says("DUNNO");
    let list = "check_policy_service { inet:policy:1, policy_context=mx }";
    let texts =
        ListTexts { client: list, helo: list, data: list, ..recipient("permit_mynetworks") };
    let texts = ListTexts { relay: "reject_unauth_destination", ..texts };
    let settings = Settings { delay_reject: false, ..Settings::default() };
    let mut session = Session::with(&world, &texts, settings);
    let tls = TlsSummary { version: "TLSv1.3".into(), cipher: "TLS_X".into(), bits: 256 };
    let certificate = Certificate {
        fingerprint: "AA",
        key_fingerprint: "BB",
        name: "a pc",
        issuer: "our CA",
        trusted: true,
    };
    let begin = Transaction { helo: None, sender: None, recipient: None, ..stranger() };
    session.at(ProtocolState::Connect, &begin);
    let greeted = Transaction { helo: Some("pc.example"), protocol: Protocol::Smtp, ..begin };
    session.at(ProtocolState::Helo, &greeted);
    let full = Transaction {
        tls: Some(&tls),
        certificate: Some(certificate),
        login: Some("ann"),
        mechanism: "PLAIN",
        recipients: 2,
        queue_id: "4X",
        size: 77,
        ..stranger()
    };
    session.at(ProtocolState::Data, &full);
    let asked = world.asked.lock().unwrap();
    let has = |question: &str, lines: &[&str]| {
        for line in lines {
            assert!(question.contains(&format!("\n{line}\n")), "{line} in\n{question}");
        }
    };
    has(
        &asked[0],
        &["protocol_state=CONNECT", "helo_name=", "sender=", "client_address=192.0.2.1"],
    );
    has(&asked[1], &["protocol_state=HELO", "protocol_name=SMTP", "helo_name=pc.example"]);
    has(
        &asked[2],
        &[
            "protocol_state=DATA",
            "client_port=4711",
            "server_address=192.0.2.99",
            "sender=a@a.example",
            // Several: none is the one in question.
            "recipient=",
            "recipient_count=2",
            "queue_id=4X",
            "instance=1.1",
            "size=77",
            "sasl_method=PLAIN",
            "sasl_username=ann",
            "ccert_subject=a+20pc",
            "ccert_issuer=our+20CA",
            "ccert_fingerprint=AA",
            "ccert_pubkey_fingerprint=BB",
            "encryption_protocol=TLSv1.3",
            "encryption_keysize=256",
            "policy_context=mx",
        ],
    );
}

#[test]
fn addresses_are_told_without_their_quotes() {
    let world = says("DUNNO");
    let quoted = Transaction {
        sender: Some("\"a\\\" b\"@a.example"),
        recipient: Some("\"plain\"@b.example"),
        ..stranger()
    };
    world.recipient_list(ASKS, &quoted);
    let asked = world.asked.lock().unwrap();
    assert!(asked[0].contains("\nsender=a\" b@a.example\n"), "{}", asked[0]);
    assert!(asked[0].contains("\nrecipient=plain@b.example\n"), "{}", asked[0]);
}

fn recipient(recipient: &str) -> ListTexts<'_> {
    ListTexts {
        recipient,
        relay: "permit_mynetworks reject_unauth_destination",
        ..ListTexts::default()
    }
}
