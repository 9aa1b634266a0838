//! Our client and our server, all answers, all divisions of what they say, and all ways to break
//! the wire: each recipient's outcome at the client is what the server decided.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::time::Duration;

use mailweir_mail::{Notify, OriginalRecipient};
use mailweir_smtp::client::Dialect;
use mailweir_tests::{
    fuzz_choices::Choices,
    fuzz_pair,
    pair::{Division, Letter, LogIn, Pair, Plan, Say, Trouble, Verdict},
};
use proptest::prelude::*;

#[test]
fn every_story_ends_as_the_server_decided_however_it_is_divided() {
    for (name, plan) in stories() {
        let whole = run(name, &plan, &Division::Whole);
        let pieces = [1, 2, 3, 7, 64, 100].map(Division::Pieces).into_iter();
        for division in pieces.chain((1..whole.min(LONGEST)).map(Division::After)) {
            run(name, &plan, &division);
        }
    }
}

#[test]
fn a_wire_that_breaks_at_any_byte_makes_nobody_claim_too_much() {
    for (name, plan) in stories() {
        let whole = Pair::new(&plan).run();
        for at in 0..(whole.up + whole.down).min(LONGEST) {
            for trouble in [Trouble::LostAfter(at), Trouble::SilentAfter(at)] {
                let pair = Pair::new(&plan).with_trouble(trouble);
                let outcome = pair.run();
                outcome.assert_honest(&plan);
                let patience = Duration::from_secs(600);
                assert!(outcome.took <= patience, "{name}, {trouble:?}: {:?}", outcome.took);
            }
        }
    }
}

/// RFC 5321 section 4.5.3.2.6 lets the client wait ten minutes for the answer to the dot.
#[test]
fn an_answer_that_is_lost_leaves_the_mail_uncertain_and_the_server_with_it() {
    let plan = Plan::of(vec![Letter::to(2, "x\r\n")]);
    let whole = Pair::new(&plan).run();
    let answer = "250 2.0.0 Ok: queued as ".len();
    let lost = whole.up + whole.down - "QUIT\r\n".len() - answer;
    let outcome = Pair::new(&plan).with_trouble(Trouble::SilentAfter(lost)).run();
    assert_eq!(outcome.taken.len(), 1);
    assert_eq!(outcome.verdicts(&plan), [[Verdict::Uncertain; 2]]);
    assert_eq!(outcome.took, Duration::from_secs(600));
}

#[test]
fn a_wire_that_drips_ends_by_the_clock_of_either_side() {
    for (name, plan) in stories() {
        for seconds in [1, 5, 30, 400] {
            let division = Division::Pieces(1);
            let pair = Pair::new(&plan).divided(&division);
            let outcome = pair.with_pace(Duration::from_secs(seconds)).run();
            outcome.assert_honest(&plan);
            assert!(outcome.closed.is_some(), "{name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_answers_reach_the_client_as_they_were_given(
        choices in prop::collection::vec(any::<u8>(), 0..300),
        lengths in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let plan = fuzz_pair::plan(&mut Choices::new(&choices));
        let outcome = Pair::new(&plan).divided(&Division::Lengths(lengths)).run();
        outcome.assert_as_planned(&plan);
    }

    #[test]
    fn random_wires_make_nobody_claim_too_much(
        choices in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        fuzz_pair::smtp_pair(&choices);
    }
}

/// Runs a story and checks it; how many bytes went the longer way.
fn run(name: &str, plan: &Plan, division: &Division) -> usize {
    let outcome = Pair::new(plan).divided(division).run();
    assert!(outcome.closed.is_some(), "{name}, {division:?}");
    outcome.assert_as_planned(plan);
    outcome.up.max(outcome.down)
}

fn stories() -> Vec<(&'static str, Plan)> {
    let mut stories = contents();
    stories.extend(answers());
    stories.extend(connections());
    stories
}

/// What content may look like.
fn contents() -> Vec<(&'static str, Plan)> {
    let of = |content: &[u8]| Plan::of(vec![Letter::to(1, content)]);
    vec![
        ("nothing", of(b"")),
        ("lines", of(b"Subject: x\r\n\r\nbody\r\n")),
        ("dots", of(b".\r\n..\r\n.x\r\n\r\n.\r\n.")),
        ("bare line feeds", of(b"a\nb\n.\nc\r\n.\nd")),
        ("stray carriage returns", of(b"a\rb\r.\r\r\n\r.\r\nc\r")),
        ("8-bit", of("Grüße\r\n\u{ff}\r\n".as_bytes())),
        ("a smuggled mail", of(b"a\r\n.\r\nMAIL FROM:<evil@from.example>\r\nRCPT TO:<x@y>\r\n")),
        ("long lines", of(&[[b'x'; 2_100].as_slice(), b"\r\n", &[b'.'; 999], b"\n"].concat())),
    ]
}

/// What a server may say.
fn answers() -> Vec<(&'static str, Plan)> {
    let several = || {
        let mut mails = vec![Letter::to(4, "one\r\n"), Letter::to(2, ".two"), Letter::to(1, "3\n")];
        mails[0].judgements = vec![Say::Yes, Say::Never, Say::Later, Say::Yes];
        mails[1].judgements = vec![Say::Never, Say::Later];
        mails
    };
    let mut refused = several();
    (refused[0].end, refused[2].end) = (Say::Never, Say::Later);
    let mut unwanted = several();
    (unwanted[0].sender, unwanted[1].sender, unwanted[2].opening) =
        (Say::Later, Say::Never, Say::Later);
    let mut left = several();
    left[1].judgements[1] = Say::Leave;
    let mut left_at_the_end = several();
    left_at_the_end[0].end = Say::Leave;
    let plans = [
        ("several recipients", several()),
        ("refused at the end", refused),
        ("refused before", unwanted),
        ("the server leaves", left),
        ("the server leaves at the end", left_at_the_end),
    ];
    let mut stories = Vec::new();
    for (name, mails) in plans {
        for pipelining in [true, false] {
            for dialect in [Dialect::Smtp, Dialect::Lmtp] {
                stories.push((name, Plan { pipelining, dialect, ..Plan::of(mails.clone()) }));
            }
        }
    }
    stories
}

/// What a connection may be like.
fn connections() -> Vec<(&'static str, Plan)> {
    let mails = || vec![Letter::to(2, "one\r\n"), Letter::to(1, vec![b'x'; 200])];
    let plan = || Plan::of(mails());
    let log_in = |mechanism, say| Some(LogIn { mechanism, say });
    let mut asks = plan();
    let first = &mut asks.mails[0].envelope.recipients[0];
    first.notify = Notify::On { success: true, failure: false, delay: true };
    first.orcpt = OriginalRecipient::new("rfc822;a+b=c@d.example");
    vec![
        ("under TLS", Plan { tls: true, ..plan() }),
        ("log-in by PLAIN", Plan { log_in: log_in("PLAIN", Say::Yes), ..plan() }),
        ("log-in by LOGIN", Plan { log_in: log_in("LOGIN", Say::Yes), ..plan() }),
        ("log-in under TLS", Plan { tls: true, log_in: log_in("PLAIN", Say::Yes), ..plan() }),
        ("a refused log-in", Plan { log_in: log_in("LOGIN", Say::Never), ..plan() }),
        ("no log-in now", Plan { log_in: log_in("PLAIN", Say::Later), ..plan() }),
        ("an unwelcome client", Plan { connect: Say::Never, ..plan() }),
        ("a busy server", Plan { connect: Say::Leave, ..plan() }),
        ("an unwelcome name", Plan { hello: Say::Never, ..plan() }),
        ("a name for later", Plan { hello: Say::Later, ..plan() }),
        ("one mail too large", Plan { message_size: 100, ..plan() }),
        ("larger than was said", Plan { message_size: 3, ..Plan::of(vec![Letter::to(1, "a\nb")]) }),
        ("a few recipients at a time", Plan { recipients: 1, ..plan() }),
        ("reports asked for", asks),
    ]
}

/// Cuts behind so many bytes say nothing new.
const LONGEST: usize = 1_200;
