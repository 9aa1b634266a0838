//! Policy servers of other people, asked by the gateway; and what a real Postfix asks a policy server, compared with
//! what the gateway asks it in the same session.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::OwnedFd,
    process::{Command, Stdio},
    thread,
};

use mailweir_test_servers::{Postgrey, wait};
use mailweir_tests::{
    gateway::{Gateway, Peer, Setup, TRUSTED, mail},
    policy_service::{PolicyService, Question, Said},
    postfix::Settings,
    sink::{Script, Sink},
    tools,
};

#[tokio::test(flavor = "multi_thread")]
async fn postgrey_puts_a_stranger_off_and_lets_it_pass_later() {
    if !tools::require(&["postgrey"]) {
        return;
    }
    let postgrey = Postgrey::start(1);
    let (gateway, sink) = gateway(&format!("inet:{}", postgrey.address())).await;
    let first = gateway.submit(mail()).await;
    first.expect_refused("450 4.2.0 <user@local.example>: Recipient address rejected: Greylisted*");
    sink.expect_nothing();
    wait::until_true("the delay to be over", async || {
        gateway.submit(mail()).await.reply().starts_with("250")
    })
    .await;
    let text = sink.expect_one().await.text();
    assert!(text.starts_with("X-Greylist: delayed "), "{text}");
    // Somebody else is a stranger again.
    let other = gateway.submit(mail().from("else@far.example")).await;
    other.expect_refused("450 4.2.0 *Greylisted*");
    gateway.log().expect_none("policy server");
}

#[tokio::test(flavor = "multi_thread")]
async fn policyd_spf_says_what_it_found() {
    if !tools::require(&["policyd-spf"]) {
        return;
    }
    let address = spawn_for_each_connection("policyd-spf");
    let (gateway, sink) = gateway(&format!("inet:{address}")).await;
    for _ in 0..2 {
        let _ = gateway.submit(mail().to("second@local.example")).await.expect_accepted();
    }
    for mail in sink.expect(2).await {
        let text = mail.text();
        assert!(text.starts_with("X-Comment: SPF check N/A for local connections"), "{text}");
        assert!(text.contains("client-ip=127.0.0.1"), "{text}");
        // It knows by the instance which recipients are of one mail, and says so once.
        assert_eq!(text.matches("X-Comment: SPF").count(), 1, "{text}");
    }
    // Nobody else is asked about an address that is its own name; so no network is needed.
    let mut peer = proxied(&gateway).await;
    peer.ask("EHLO [192.0.2.1]", "250 *").await;
    peer.ask("MAIL FROM:<>", "250 *").await;
    peer.ask("RCPT TO:<user@local.example>", "250 *").await;
    peer.ask("DATA", "354 *").await;
    peer.ask("Subject: x\r\n\r\nx\r\n.", "250 *").await;
    let mails = sink.expect(3).await;
    let text = mails.iter().find(|mail| mail.sender().is_empty()).unwrap().text();
    assert!(text.starts_with("Received-SPF: None (no SPF record) identity=helo;"), "{text}");
    assert!(text.contains("client-ip=192.0.2.1;"), "{text}");
    gateway.log().expect_none("policy server");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_server_is_asked_the_same_by_postfix() {
    if !tools::require(&["postfix"]) {
        return;
    }
    let service = PolicyService::start(|_, _| Said::Action("DUNNO")).await;
    let asks = format!("check_policy_service {{ {}, policy_context=both }}", service.name());
    let behind = Sink::start(Script::smtp()).await;
    let mut settings = Settings::new()
        .relay_to(behind.address())
        .parameter("relay_domains", "local.example")
        .parameter("relay_transport", "smtp")
        .parameter("smtpd_delay_reject", "no");
    for step in STEPS {
        settings = settings.parameter(&format!("smtpd_{step}_restrictions"), &asks);
    }
    let postfix = settings.start().unwrap();
    let sink = Sink::start(Script::smtp()).await;
    let lists: String = STEPS.iter().map(|step| format!("{step} = [{asks:?}]\n")).collect();
    let lists = format!("delay_reject = false\n{lists}");
    let gateway = Gateway::start(&Setup::before(&sink).section("restrictions", &lists)).await;
    for mails in SESSIONS {
        let before = service.questions().len();
        talk(postfix.address(), mails).await;
        let between = service.questions().len();
        talk(gateway.address("mx"), mails).await;
        let questions = service.questions();
        let (theirs, ours) = (&questions[before..between], &questions[between..]);
        assert_eq!(ours.len(), theirs.len(), "{mails:?}\n{questions:?}");
        for (theirs, ours) in theirs.iter().zip(ours) {
            compare(theirs, ours);
        }
        assert_eq!(grouped(ours), grouped(theirs), "{mails:?}");
    }
}

/// Those that the lists stand in for which both ask.
const STEPS: [&str; 6] = ["client", "helo", "sender", "recipient", "data", "end_of_data"];

/// What is said after the connection, and how each reply begins.
const SESSIONS: [&[(&str, &str)]; 3] = [
    &[
        ("EHLO Client.Example", "250"),
        ("MAIL FROM:<Ann@far.example> SIZE=1000", "250"),
        ("RCPT TO:<user@local.example>", "250"),
        ("DATA", "354"),
        ("Subject: x\r\n\r\ntext\r\n..dot\r\n.", "250"),
    ],
    &[
        ("HELO client.example", "250"),
        ("MAIL FROM:<>", "250"),
        ("RCPT TO:<user+x@local.example>", "250"),
        ("RCPT TO:<\"a b\"@local.example>", "250"),
        ("DATA", "354"),
        ("\r\nx\r\n.", "250"),
        ("MAIL FROM:<b@far.example>", "250"),
        ("RCPT TO:<user@local.example>", "250"),
        ("RSET", "250"),
        ("MAIL FROM:<c@far.example>", "250"),
        ("RCPT TO:<user@local.example>", "250"),
    ],
    &[
        ("EHLO client.example", "250"),
        ("MAIL FROM:<a@far.example> BODY=8BITMIME", "250"),
        ("RCPT TO:<one@local.example>", "250"),
        ("RCPT TO:<two@local.example>", "250"),
        ("RCPT TO:<three@local.example>", "250"),
        ("DATA", "354"),
        (".", "250"),
    ],
];

async fn talk(server: SocketAddr, lines: &[(&str, &str)]) {
    let mut peer = Peer::connect(server, TRUSTED.parse().unwrap()).await;
    peer.hear("220 *").await;
    for (line, reply) in lines {
        peer.ask(line, &format!("{reply}*")).await;
    }
    peer.leave().await;
}

/// Names and order; values where the two are not of different places, versions or times.
fn compare(theirs: &Question, ours: &Question) {
    // A Postfix before 3.8 does not have these.
    let newer = ["compatibility_level", "mail_version"];
    let of_both: Vec<_> = ours
        .names()
        .into_iter()
        .filter(|name| theirs.names().contains(name) || !newer.contains(name))
        .collect();
    assert_eq!(of_both, theirs.names());
    let differ = [
        "client_name",
        "client_port",
        "reverse_client_name",
        "server_address",
        "server_port",
        // The gateway has none before the content came.
        "queue_id",
        "instance",
        "compatibility_level",
        "mail_version",
    ];
    // At the first EHLO Postfix still says SMTP.
    let is_greeting = theirs.get("protocol_state") == "EHLO";
    let is_same = |name: &&str| !(differ.contains(name) || is_greeting && *name == "protocol_name");
    for name in of_both.into_iter().filter(is_same) {
        assert_eq!(ours.get(name), theirs.get(name), "{name}\n{ours:?}\n{theirs:?}");
    }
}

/// Which questions from RCPT on are about the same mail: the number of the mail for each.
fn grouped(questions: &[Question]) -> Vec<usize> {
    let instances = questions
        .iter()
        .filter(|one| !["CONNECT", "HELO", "EHLO", "MAIL"].contains(&one.get("protocol_state")))
        .map(|one| one.get("instance"));
    let mut known = Vec::new();
    instances
        .map(|instance| {
            known.iter().position(|one| *one == instance).unwrap_or_else(|| {
                known.push(instance);
                known.len() - 1
            })
        })
        .collect()
}

async fn gateway(service: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let lists = format!("recipient = [\"check_policy_service {service}\"]");
    let setup = Setup::before(&sink)
        .listener("mx", &format!("mode = \"mx\"\nxclient_hosts = [{TRUSTED:?}]"))
        .section("restrictions", &lists);
    (Gateway::start(&setup).await, sink)
}

/// A session of a client at 192.0.2.1, before it greets.
async fn proxied(gateway: &Gateway) -> Peer {
    let mut peer = gateway.connect_from(TRUSTED, "mx").await;
    peer.greet().await;
    peer.ask("XCLIENT ADDR=192.0.2.1 NAME=[UNAVAILABLE]", "220 *").await;
    peer
}

/// As spawn(8): a program for each connection, which is its standard input and output.
fn spawn_for_each_connection(program: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let program = tools::find(program).unwrap();
    thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            let end = |tcp: &TcpStream| Stdio::from(OwnedFd::from(tcp.try_clone().unwrap()));
            let (input, output) = (end(&connection), end(&connection));
            let child = Command::new(&program).stdin(input).stdout(output).spawn();
            // It ends when the gateway closes the connection.
            thread::spawn(move || child.unwrap().wait());
        }
    });
    address
}
