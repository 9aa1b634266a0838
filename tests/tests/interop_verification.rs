//! Address verification at a real Postfix and here, before the same next hop: the same replies.
//!
//! What is remembered of an address counts at all listeners, so each asks for addresses of its own,
//! twice: for what the next hop says, and for what is remembered. All talk at once, since a Postfix
//! looks for an answer once a second. A reply of several lines is one sentence here, and Postfix
//! repeats the code of each line; no next hop says such a one.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use mailweir_tests::{
    free_address,
    gateway::{Gateway, Peer, Setup},
    postfix::{Postfix, Settings},
    sink::{Act, Point, Script, Sink},
    tools,
};

/// Postfix's names and values, without `unverified_`.
type Case = &'static [(&'static str, &'static str)];

const CASES: &[Case] = &[
    &[],
    &[("recipient_reject_code", "550"), ("sender_reject_code", "550")],
    &[("recipient_defer_code", "451"), ("sender_defer_code", "452")],
    &[("recipient_reject_code", "250"), ("sender_defer_code", "250")],
    &[("recipient_reject_reason", "not here"), ("sender_reject_reason", "not there")],
    &[
        ("recipient_reject_code", "551"),
        ("recipient_reject_reason", "not here"),
        ("sender_reject_code", "551"),
        ("sender_reject_reason", "not there"),
    ],
    &[("recipient_tempfail_action", "defer"), ("sender_tempfail_action", "defer")],
];

/// What stands behind the two in each list.
const LISTS: &[&str] = &[
    "reject_unverified_recipient",
    "reject_unverified_sender",
    "reject_unverified_recipient, reject_unverified_sender, reject_non_fqdn_helo_hostname",
    "warn_if_reject reject_unverified_recipient, check_sender_access inline:{client.example=OK}",
];

/// What the next hop says to `word...`.
const WORDS: &[(&str, &str)] = &[
    ("good", "250 2.1.5 Ok"),
    ("bad", "550 5.1.1 no such user"),
    ("plain", "550 no enhanced status"),
    ("later", "450 4.2.0 greylisted"),
    ("long", LONG),
];

const LONG: &str = "550 5.7.1 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \
                    bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb \
                    cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc \
                    dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";

#[tokio::test(flavor = "multi_thread")]
async fn what_the_next_hop_says_is_repeated_alike_and_remembered() {
    let Some(both) = Both::start(CASES, "30", script()).await else { return };
    let (theirs, ours) = tokio::join!(all(&both.theirs), all(&both.ours));
    let mut differences = Vec::new();
    for (at, (theirs, ours)) in theirs.iter().zip(&ours).enumerate() {
        assert_eq!((theirs.len(), ours.len()), (WORDS.len() * WORDS.len() * 2 + 2, theirs.len()));
        let (case, list) = (CASES[at / LISTS.len()], LISTS[at % LISTS.len()]);
        for (theirs, ours) in theirs.iter().zip(ours).filter(|(theirs, ours)| theirs != ours) {
            differences.push(format!("{case:?}, {list}\n  Postfix: {theirs}\n  ours:    {ours}"));
        }
    }
    let (shown, log) = (differences.len().min(MOST_SHOWN), both.postfix.log());
    assert!(differences.is_empty(), "not the same:\n{}\n{log}", differences[..shown].join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_to_wait_hears_the_same() {
    let silent = Script::smtp().at(Point::Rcpt, Act::Hang);
    let Some(both) = Both::start(&CASES[..1], "1", silent).await else { return };
    for server in [both.theirs[0], both.ours[0]] {
        let mut peer = Peer::connect(server, CLIENT.parse().unwrap()).await;
        peer.greet().await;
        peer.ask("MAIL FROM:<a@client.example>", "250 *").await;
        for _ in 0..2 {
            let reply = "450 4.1.1 <slow@local.example>: Recipient address rejected: unverified \
                         address: Address verification in progress";
            peer.ask("RCPT TO:<slow@local.example>", reply).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_negative_cache_only_good_answers_are_heard() {
    if !tools::require(&["postfix"]) {
        return;
    }
    let list = "reject_unverified_recipient";
    let (theirs, ours) = (Sink::start(script()).await, Sink::start(script()).await);
    let postfix = relaying("2", &theirs)
        .parameter("address_verify_negative_cache", "no")
        .parameter("smtpd_recipient_restrictions", list)
        .parameter("unverified_recipient_reject_code", "550")
        .start()
        .unwrap();
    let lists = format!("recipient = [{list:?}]\nunverified_recipient_reject_code = 550");
    let setup = Setup::before(&ours)
        .section("address_verify", "negative_cache = false")
        .section("restrictions", &lists);
    let gateway = Gateway::start(&setup).await;
    let waits = "450 4.1.1 *: unverified address: Address verification in progress";
    for (server, sink) in [(postfix.address(), &theirs), (gateway.address("mx"), &ours)] {
        let mut peer = Peer::connect(server, CLIENT.parse().unwrap()).await;
        peer.greet().await;
        peer.ask("MAIL FROM:<a@client.example>", "250 *").await;
        peer.ask("RCPT TO:<bad0@local.example>", waits).await;
        peer.ask("RCPT TO:<later0@local.example>", waits).await;
        let before = sink.connections();
        peer.ask("RCPT TO:<bad0@local.example>", waits).await;
        assert!(sink.connections() > before, "{}", sink.transcript());
    }
}

/// A Postfix and gateways with the same lists, before the same next hop.
struct Both {
    postfix: Postfix,
    /// Where each list of each case is.
    theirs: Vec<SocketAddr>,
    ours: Vec<SocketAddr>,
    _gateways: Vec<Gateway>,
    _sink: Sink,
}

impl Both {
    async fn start(cases: &[Case], poll_count: &str, script: Script) -> Option<Self> {
        if !tools::require(&["postfix"]) {
            return None;
        }
        let sink = Sink::start(script).await;
        let (postfix, theirs) = postfix(cases, poll_count, &sink);
        let (mut gateways, mut ours) = (Vec::new(), Vec::new());
        for case in cases {
            let gateway = Gateway::start(&setup(case, poll_count, &sink)).await;
            ours.extend((0..LISTS.len()).map(|list| gateway.address(&name(list))));
            gateways.push(gateway);
        }
        Some(Self { postfix, theirs, ours, _gateways: gateways, _sink: sink })
    }
}

/// What all listeners say.
async fn all(servers: &[SocketAddr]) -> Vec<Vec<String>> {
    let talks: Vec<_> = servers.iter().zip(0..).map(|(at, n)| tokio::spawn(talk(*at, n))).collect();
    let mut said = Vec::new();
    for talk in talks {
        said.push(talk.await.unwrap());
    }
    said
}

/// Each pair of a sender and a recipient, twice.
async fn talk(server: SocketAddr, number: usize) -> Vec<String> {
    let mut said = Vec::new();
    let mut peer = Peer::connect(server, CLIENT.parse().unwrap()).await;
    peer.greet().await;
    for (from, _) in WORDS {
        for (to, _) in WORDS {
            peer.ask(&format!("MAIL FROM:<{from}{number}@client.example>"), "250 *").await;
            for _ in 0..2 {
                peer.say(&format!("RCPT TO:<{to}{number}@local.example>")).await;
                said.push(format!("{from}, {to}: {}", peer.reply().await));
            }
            peer.ask("RSET", "250 *").await;
        }
    }
    peer.ask("MAIL FROM:<>", "250 *").await;
    for special in ["double-bounce@gate.example", "Postmaster"] {
        peer.say(&format!("RCPT TO:<{special}>")).await;
        said.push(format!("{special}: {}", peer.reply().await));
    }
    said
}

fn script() -> Script {
    let mut script = Script::smtp();
    for index in 0..CASES.len() * LISTS.len() {
        for (word, reply) in WORDS {
            for domain in ["local", "client"] {
                let address = format!("{word}{index}@{domain}.example");
                script = script.replying_for(&address, Point::Rcpt, reply);
            }
        }
    }
    script
}

fn postfix(cases: &[Case], poll_count: &str, sink: &Sink) -> (Postfix, Vec<SocketAddr>) {
    let mut postfix = relaying(poll_count, sink);
    for (number, list) in LISTS.iter().enumerate() {
        postfix = postfix.parameter(&name(number), list);
    }
    let mut addresses = Vec::new();
    for case in cases {
        for number in 0..LISTS.len() {
            let address = free_address().unwrap();
            let list = name(number);
            let mut service =
                format!("{address} inet n - n - - smtpd -o smtpd_recipient_restrictions=${list}");
            for (key, value) in *case {
                service += &format!(" -o {{ unverified_{key} = {value} }}");
            }
            postfix = postfix.service(&service);
            addresses.push(address);
        }
    }
    (postfix.start().unwrap(), addresses)
}

/// A Postfix that serves `local.example`, before the sink.
fn relaying(poll_count: &str, sink: &Sink) -> Settings {
    Settings::new()
        .relay_to(sink.address())
        .parameter("myhostname", "gate.example")
        .parameter("mydestination", "gate.example")
        .parameter("local_recipient_maps", "")
        .parameter("local_transport", "discard")
        .parameter("mynetworks", "")
        .parameter("relay_domains", "local.example")
        .parameter("address_verify_poll_count", poll_count)
        .parameter("address_verify_poll_delay", "1")
        .parameter("smtpd_peername_lookup", "no")
        // Probes must not slow each other down.
        .parameter("in_flow_delay", "0")
        .parameter("smtpd_client_connection_count_limit", "0")
        .parameter("smtpd_soft_error_limit", "10000")
        .parameter("smtpd_hard_error_limit", "10000")
        .parameter("smtpd_junk_command_limit", "10000")
        .parameter("smtpd_relay_restrictions", "reject_unauth_destination")
}

fn setup(case: Case, poll_count: &str, sink: &Sink) -> Setup {
    let limits = "hard_error_limit = 10000\njunk_command_limit = 10000\n\
                  client_connection_count_limit = 0";
    let polls = format!("poll_count = {poll_count}\npoll_delay = \"1s\"");
    let mut setup = Setup::before(sink).section("limits", limits).section("address_verify", &polls);
    for (key, value) in case {
        let is_code = key.ends_with("_code");
        let value = if is_code { (*value).to_owned() } else { format!("{value:?}") };
        setup = setup.section("restrictions", &format!("unverified_{key} = {value}"));
    }
    for (number, list) in LISTS.iter().enumerate() {
        let lines = format!("mode = \"mx\"\ntls = \"none\"\nrecipient_restrictions = [{list:?}]");
        setup = setup.listener(&name(number), &lines);
    }
    setup
}

fn name(number: usize) -> String {
    format!("list{number}")
}

const MOST_SHOWN: usize = 20;
const CLIENT: &str = "127.0.0.1";
