//! Random peers: whatever is said, every mail that was taken comes back once, with one outcome per
//! recipient or untouched, and nobody is delivered to without a content and a success behind it;
//! for a probe there is never a content.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::driver::{Driver, Halt, Mail, mail, plain_settings, probe};
use crate::client::{Dialect, Settings};

/// What a peer does next.
#[derive(Clone, Debug)]
enum Act {
    Says(&'static str),
    Bytes(Vec<u8>),
    Closes,
    Waits,
    /// The driver fails to read the content that is due.
    BadDisk,
    /// The driver says what is not so.
    Confused(u8),
}

fn act() -> impl Strategy<Value = Act> {
    let reply = prop::sample::select(vec![
        "250 ok\r\n",
        "354 go\r\n",
        "421 bye\r\n",
        "450 4.2.0 later\r\n",
        "452 4.5.3 too many\r\n",
        "550 5.1.1 never\r\n",
        "250 ok\r\n250 ok\r\n354 go\r\n",
        "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n",
        "250 ok\r\n550 no\r\n354 go\r\n",
    ]);
    prop_oneof![
        40 => reply.prop_map(Act::Says),
        2 => prop::collection::vec(any::<u8>(), 0..20).prop_map(Act::Bytes),
        1 => Just(Act::Closes),
        1 => Just(Act::Waits),
        1 => Just(Act::BadDisk),
        1 => (0_u8..6).prop_map(Act::Confused),
    ]
}

fn dialect() -> impl Strategy<Value = Dialect> {
    prop::sample::select(vec![Dialect::Smtp, Dialect::Lmtp])
}

fn offer() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["250 mx.example", "250-mx.example\r\n250 PIPELINING"])
}

fn mails() -> Vec<Mail> {
    vec![mail(1, "a"), probe(2, "a"), mail(3, "a b"), mail(4, "a b"), probe(6, "a"), mail(7, "a")]
}

/// Those of [`mails`] that only ask.
const PROBES: [&str; 2] = ["2", "6"];

/// Plays until the connection ends. The result has each content that was sent.
fn play(dialect: Dialect, offer: &str, acts: Vec<Act>) -> (Driver, Vec<String>) {
    let settings = Settings { dialect, ..plain_settings() };
    let mut driver = Driver::new(settings, mails(), true);
    driver.hear(&["220 mx.example", offer]);
    let mut contents = Vec::new();
    for act in acts {
        let halt = driver.run();
        match (act, halt) {
            (_, Halt::Closed) => break,
            (Act::BadDisk, Halt::Content) => {
                driver.client.content_failed(mailweir_mail::Reply::plain(451, "disk error"));
            }
            (Act::Closes, _) => driver.lose(),
            (Act::Confused(how), halt) => confuse(&mut driver, how, halt),
            (Act::Waits, Halt::Read) => driver.wait_in_vain(),
            (_, Halt::Content) => {
                driver.wire.clear();
                driver.send_content(3);
                contents.push(String::from_utf8_lossy(&driver.wire).into_owned());
            }
            (Act::Says(text), _) => driver.client.receive(text.as_bytes()),
            (Act::Bytes(bytes), _) => driver.client.receive(&bytes),
            (Act::Waits | Act::BadDisk, _) => {}
        }
    }
    driver.run();
    driver.lose();
    driver.run();
    (driver, contents)
}

/// Calls that a driver must not make now; they must do no harm.
fn confuse(driver: &mut Driver, how: u8, halt: Halt) {
    match how {
        0 => driver.start_tls(),
        1 => driver.client.tls_failed("what?"),
        2 if halt != Halt::Content => driver.client.content_sent(),
        3 if halt != Halt::Content => {
            driver.client.content_failed(mailweir_mail::Reply::plain(451, "what?"));
        }
        4 => driver.client.quit(),
        5 => assert!(driver.client.begin(mail(5, "a").outgoing()).is_err()),
        _ => driver.client.expire(driver.now),
    }
}

proptest! {
    #[test]
    fn every_mail_that_is_taken_comes_back_once(
        dialect in dialect(),
        offer in offer(),
        acts in prop::collection::vec(act(), 0..40),
    ) {
        let (driver, contents) = play(dialect, offer, acts);
        let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for line in &driver.told {
            let mut words = line.split(' ');
            let Some("mail") = words.next() else { continue };
            let (serial, what) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            *seen.entry((serial, what)).or_default() += 1;
            let is_probe = PROBES.contains(&serial);
            prop_assert!(is_probe || !line.contains("accepted"), "{line}");
            prop_assert!(!is_probe || !line.contains("delivered"), "{line}");
            if line.contains("delivered") {
                let content = format!("mail {serial}\r\n.\r\n");
                prop_assert!(contents.iter().any(|sent| sent.contains(&content)), "{line}");
            }
        }
        for serial in PROBES {
            let content = format!("mail {serial}\r\n");
            prop_assert!(!contents.iter().any(|sent| sent.contains(&content)), "a probe was sent");
        }
        prop_assert!(driver.in_hand.is_none(), "a mail was begun and nothing came of it");
        prop_assert!(seen.values().all(|&times| times == 1), "{:?}", driver.told);
        for mail in mails() {
            let id = mail.serial.to_string();
            let lines = seen.keys().filter(|key| key.0 == id).count();
            let returned = seen.contains_key(&(id.as_str(), "returned"));
            let recipients = mail.envelope.recipients.len();
            let due = if returned { 1 } else { recipients };
            prop_assert!(lines == due || lines == 0, "{}", lines);
        }
        let last = driver.told.last().map_or("", String::as_str);
        prop_assert!(last.starts_with("closed") || last == "quit", "{last}");
    }

    #[test]
    fn no_bytes_make_the_client_panic(
        bytes in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..8),
    ) {
        let mut driver = Driver::new(plain_settings(), mails(), true);
        for part in bytes {
            if driver.run() == Halt::Content {
                driver.send_content(1);
            }
            driver.client.receive(&part);
        }
        driver.run();
    }
}
