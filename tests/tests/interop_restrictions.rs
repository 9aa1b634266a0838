//! The same restrictions at a real Postfix and here: the same replies to the same dialogues.
//!
//! Each list has a listener of its own on both sides. What is compared is every reply from MAIL on,
//! and to greetings whether they are accepted. Nothing here asks DNS. Where the two differ on
//! purpose, no dialogue goes there: an address without a domain is never taken here, a client that
//! is refused before the greeting is hung up on, commands sent too early end the session, and
//! nobody has a mailbox at our own address, so that none can be missing.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use mailweir_tests::{
    free_address,
    gateway::{Gateway, Peer, Setup, TRUSTED},
    postfix::{Postfix, Settings},
    sink::{Script, Sink},
    tools,
};

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_wait_for_rcpt_say_the_same() {
    let Some(both) = Both::start(LISTS, "", &[]).await else { return };
    both.compare(LISTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_do_not_wait_say_the_same() {
    let ours = "delay_reject = false";
    let Some(both) = Both::start(LISTS, ours, &[("smtpd_delay_reject", "no")]).await else {
        return;
    };
    both.compare(LISTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_and_keys_of_the_administrators_choice_are_the_same() {
    let mut ours = String::new();
    let mut theirs = Vec::new();
    for (key, code) in CODES {
        ours += &format!("{key} = {code}\n");
        theirs.push((*key, *code));
    }
    ours += "parent_domain_matches_subdomains = false\nnull_access_lookup_key = \"nobody\"\n\
             relay_before_recipient = false\n";
    theirs.extend([
        ("parent_domain_matches_subdomains", ""),
        ("smtpd_null_access_lookup_key", "nobody"),
        ("smtpd_relay_before_recipient_restrictions", "no"),
    ]);
    // Without any list the words of the built-in decision are not the administrator's.
    let lists = &LISTS[1..];
    let Some(both) = Both::start(lists, &ours, &theirs).await else { return };
    both.compare(lists).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_tables_stand_where_postfix_puts_them() {
    if !tools::require(&["postfix"]) {
        return;
    }
    let sender = "check_sender_access inline:{ {client.example = PREPEND X-Sender: one} }";
    let recipient = "check_recipient_access inline:{ {local.example = PREPEND X-Recipient: two} }";
    let data = "check_helo_access inline:{ {client.example = PREPEND X-Data: three} }";
    let behind = Sink::start(Script::smtp()).await;
    let postfix = Settings::new()
        .relay_to(behind.address())
        .parameter("relay_domains", "local.example")
        .parameter("relay_transport", "smtp")
        .parameter("smtpd_sender_restrictions", sender)
        .parameter("smtpd_recipient_restrictions", recipient)
        .parameter("smtpd_data_restrictions", data)
        .start()
        .unwrap();
    let sink = Sink::start(Script::smtp()).await;
    let lists = format!("sender = [{sender:?}]\nrecipient = [{recipient:?}]\ndata = [{data:?}]\n");
    let gateway = Gateway::start(&Setup::before(&sink).section("restrictions", &lists)).await;
    for server in [postfix.address(), gateway.address("mx")] {
        let mut peer = Peer::connect(server, CLIENTS[0].parse().unwrap()).await;
        peer.greet().await;
        for (command, reply) in [
            ("MAIL FROM:<a@client.example>", "250 *"),
            ("RCPT TO:<b@local.example>", "250 *"),
            ("RCPT TO:<c@local.example>", "250 *"),
            ("DATA", "354 *"),
            ("From: a@client.example\r\nDate: x\r\nMessage-Id: <x@y>\r\n\r\nx\r\n.", "250 *"),
        ] {
            peer.ask(command, reply).await;
        }
    }
    let (theirs, ours) = (behind.expect_one().await, sink.expect_one().await);
    assert_eq!(names(&ours.text()), names(&theirs.text()));
    let first = ["X-Sender", "X-Recipient", "X-Sender", "X-Recipient", "X-Data", "Received"];
    assert_eq!(names(&ours.text())[..6], first);
}

/// The names of the headers.
fn names(mail: &str) -> Vec<&str> {
    let header = mail.lines().take_while(|line| !line.is_empty());
    header
        .filter(|line| !line.starts_with(['\t', ' ']))
        .filter_map(|line| line.split(':').next())
        .collect()
}

/// A Postfix and a gateway with the same lists.
struct Both {
    postfix: Postfix,
    /// Where each list is at the Postfix.
    theirs: Vec<SocketAddr>,
    gateway: Gateway,
}

impl Both {
    async fn start(lists: &[List], ours: &str, theirs: &[(&str, &str)]) -> Option<Self> {
        if !tools::require(&["postfix"]) {
            return None;
        }
        let sink = Sink::start(Script::smtp()).await;
        let (postfix, addresses) = postfix(lists, theirs);
        let gateway = Gateway::start(&setup(lists, ours, &sink)).await;
        Some(Self { postfix, theirs: addresses, gateway })
    }

    async fn compare(self, lists: &[List]) {
        let mut differences = Vec::new();
        let mut replies = 0;
        for (index, list) in lists.iter().enumerate() {
            let ours = self.gateway.address(&name(index));
            for client in CLIENTS {
                // How a client greets and where it comes from have little to do with each other.
                let greetings = if client == &CLIENTS[0] { GREETINGS } else { &GREETINGS[..2] };
                for greeting in greetings {
                    let theirs = converse(self.theirs[index], client, greeting).await;
                    let ours = converse(ours, client, greeting).await;
                    replies += theirs.len();
                    if ours != theirs && differences.len() < MOST_SHOWN {
                        differences.push(difference(list, client, &ours, &theirs));
                    }
                }
            }
        }
        let log = self.postfix.log();
        assert!(differences.is_empty(), "not the same:\n{}\n{log}", differences.join("\n"));
        assert!(replies > 10_000, "only {replies} replies");
    }
}

fn difference(list: &List, client: &str, ours: &[String], theirs: &[String]) -> String {
    let at = ours.iter().zip(theirs).position(|(ours, theirs)| ours != theirs);
    let at = at.unwrap_or_else(|| ours.len().min(theirs.len()));
    let said = |side: &[String]| side.get(at).cloned().unwrap_or_else(|| "(closed)".to_owned());
    let greeting = &theirs.get(1).map_or("", |line| line.as_str());
    format!(
        "{list:?} from {client}, {greeting}\n  Postfix: {}\n  ours:    {}",
        said(theirs),
        said(ours)
    )
}

/// What is said to a client: each command with its reply.
async fn converse(server: SocketAddr, client: &str, greeting: &str) -> Vec<String> {
    let mut said = Vec::new();
    let mut peer = Peer::connect(server, client.parse().unwrap()).await;
    let welcome = peer.reply().await;
    said.push(if welcome.starts_with("220") { "220".to_owned() } else { welcome });
    if !said[0].starts_with("220") {
        return said;
    }
    // Content costs a queue file: one client is enough to see what becomes of it.
    let with_content = greeting == GREETINGS[0] && client == CLIENTS[0];
    for group in groups(greeting, with_content) {
        // PIPELINING counts once it was offered.
        let may_pipeline = greeting.starts_with("EHLO") && is_welcome(&said);
        let at_once = if may_pipeline { group.len() } else { 1 };
        for packet in group.chunks(at_once) {
            peer.say(&packet.join("\r\n")).await;
            for command in packet {
                if !hear(&mut peer, command, &mut said).await {
                    return said;
                }
            }
        }
        if said.last().is_some_and(|reply| reply.starts_with("DATA => 354")) {
            peer.say("Subject: x\r\n\r\nx\r\n.").await;
            if !hear(&mut peer, ".", &mut said).await {
                return said;
            }
        }
    }
    said
}

/// Whether the greeting was taken.
fn is_welcome(said: &[String]) -> bool {
    said.get(1).is_some_and(|reply| reply.ends_with(" => 250"))
}

/// Reads a reply; `false`: the server has closed.
async fn hear(peer: &mut Peer, command: &str, said: &mut Vec<String>) -> bool {
    let mut last = None;
    while let Some(line) = peer.line().await {
        let more = line.as_bytes().get(3) == Some(&b'-');
        last = Some(line);
        if !more {
            break;
        }
    }
    let Some(line) = last else { return false };
    let line = match line.split_once("queued as ") {
        Some((start, _)) => start.to_owned(),
        None if line.starts_with("250") && !command.starts_with(['M', 'R']) => "250".to_owned(),
        None => line,
    };
    said.push(format!("{command} => {line}"));
    true
}

/// What every client says, in groups that may be sent at once.
fn groups(greeting: &str, with_content: bool) -> Vec<Vec<String>> {
    let mut groups = vec![vec![greeting.to_owned()]];
    for (index, sender) in SENDERS.iter().enumerate() {
        let mut group = vec![format!("MAIL FROM:<{sender}>")];
        group.extend(RECIPIENTS.iter().map(|to| format!("RCPT TO:<{to}>")));
        if with_content && index == 0 {
            group.push("DATA".to_owned());
        }
        groups.push(group);
        groups.push(vec!["RSET".to_owned()]);
    }
    groups
}

fn postfix(lists: &[List], settings: &[(&str, &str)]) -> (Postfix, Vec<SocketAddr>) {
    let mut postfix = Settings::new()
        .parameter("mynetworks", &format!("{TRUSTED}/32"))
        .parameter("relay_domains", "local.example")
        .parameter("relay_transport", "discard")
        .parameter("default_transport", "discard")
        .parameter("parent_domain_matches_subdomains", "smtpd_access_maps")
        .parameter("smtpd_peername_lookup", "no")
        // Mail that is never sent must not slow the next one down.
        .parameter("in_flow_delay", "0")
        .parameter("smtpd_soft_error_limit", "10000")
        .parameter("smtpd_hard_error_limit", "10000")
        .parameter("smtpd_junk_command_limit", "10000")
        .parameter("smtpd_client_connection_count_limit", "0")
        .parameter("smtpd_relay_restrictions", BUILT_IN)
        .parameter("smtpd_restriction_classes", "strict, insiders, empty");
    for (class, rules) in CLASSES {
        postfix = postfix.parameter(class, rules);
    }
    for (name, value) in settings {
        postfix = postfix.parameter(name, value);
    }
    let mut addresses = Vec::new();
    for (index, list) in lists.iter().enumerate() {
        let address = free_address().unwrap();
        let mut service = format!("{address} inet n - n - - smtpd");
        for (kind, rules) in *list {
            let own = format!("{}_{kind}", name(index));
            service += &format!(" -o smtpd_{kind}_restrictions=${own}");
            postfix = postfix.parameter(&own, rules);
        }
        postfix = postfix.service(&service);
        addresses.push(address);
    }
    (postfix.start().unwrap(), addresses)
}

fn setup(lists: &[List], settings: &str, sink: &Sink) -> Setup {
    let limits = "hard_error_limit = 10000\njunk_command_limit = 10000\n\
                  client_connection_count_limit = 0";
    let mut setup = Setup::before(sink).section("limits", limits).section("restrictions", settings);
    for (class, rules) in CLASSES {
        let class = format!("[[restrictions.class]]\nname = {class:?}\nrules = [{rules:?}]\n");
        setup = setup.sections(&class);
    }
    for (index, list) in lists.iter().enumerate() {
        let mut lines = format!("mode = \"mx\"\ntls = \"none\"\nnetworks = [\"{TRUSTED}\"]\n");
        for (kind, rules) in *list {
            lines += &format!("{kind}_restrictions = [{rules:?}]\n");
        }
        setup = setup.listener(&name(index), &lines);
    }
    setup
}

const MOST_SHOWN: usize = 20;

fn name(index: usize) -> String {
    format!("list{index}")
}

/// The lists of a listener, by the middle of Postfix's parameter.
type List = &'static [(&'static str, &'static str)];

const BUILT_IN: &str = "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination";

const CLASSES: &[(&str, &str)] = &[
    ("strict", "reject_non_fqdn_sender, reject_non_fqdn_helo_hostname"),
    ("insiders", "check_sender_access inline:{local.example=OK}, reject"),
    ("empty", "permit_mynetworks"),
];

/// A stranger, a client in a trusted network, and another stranger.
const CLIENTS: &[&str] = &["127.0.0.1", TRUSTED, "127.0.0.3"];

const GREETINGS: &[&str] = &[
    "EHLO client.example",
    "HELO pc",
    "EHLO a..b",
    "EHLO [127.0.0.1]",
    "EHLO [127.0.0.300]",
    "EHLO 127.0.0.1",
    "EHLO mail.bad.example",
];

const SENDERS: &[&str] = &[
    "a@client.example",
    "",
    "a@pc",
    "User+Tag@Sub.Bad.Example",
    "b@local.example",
    "a@[127.0.0.1]",
];

const RECIPIENTS: &[&str] = &[
    "b@local.example",
    "user+box@local.example",
    "Bad@Local.Example",
    "u@other.example",
    "u%other.example@local.example",
    "u@sub.local.example",
    "postmaster",
];

const CODES: &[(&str, &str)] = &[
    ("access_map_reject_code", "550"),
    ("access_map_defer_code", "451"),
    ("defer_code", "451"),
    ("invalid_hostname_reject_code", "450"),
    ("multi_recipient_bounce_reject_code", "450"),
    ("non_fqdn_reject_code", "450"),
    ("plaintext_reject_code", "530"),
    ("reject_code", "550"),
    ("relay_domains_reject_code", "550"),
    ("unknown_client_reject_code", "550"),
];

/// What access tables say, for hosts, senders and recipients alike.
macro_rules! table {
    ($action:literal) => {
        concat!(
            "inline:{ {bad.example = ",
            $action,
            "}, {bad@local.example = ",
            $action,
            "}, {user@local.example = ",
            $action,
            "}, {b@ = ",
            $action,
            "}, {127.0.0.3 = ",
            $action,
            "}, {<> = ",
            $action,
            "}, {nobody = ",
            $action,
            "}, {.bad.example = ",
            $action,
            "} }"
        )
    };
}

const LISTS: &[List] = &[
    &[],
    &[("client", "permit_mynetworks, reject")],
    &[("client", "defer")],
    &[("client", "reject_unknown_client_hostname")],
    &[("client", "reject_unknown_reverse_client_hostname")],
    &[("client", concat!("check_client_access ", table!("REJECT")))],
    &[("client", table!("554 5.1.1 not here"))],
    &[("client", "check_client_access cidr:{ {127.0.0.2/31 REJECT these two}, {127.0.0.1 OK} }")],
    &[("client", "check_reverse_client_hostname_access inline:{unknown=REJECT}")],
    &[("client", "check_reverse_client_hostname_access inline:{unknown=OK}")],
    &[("client", "reject_plaintext_session")],
    &[("helo", "reject_invalid_helo_hostname")],
    &[("helo", "reject_non_fqdn_helo_hostname")],
    &[("helo", "permit_mynetworks, reject_invalid_hostname, reject_non_fqdn_hostname")],
    &[("helo", concat!("check_helo_access ", table!("REJECT 5.1.8 bad name")))],
    &[("helo", table!("DEFER"))],
    &[("helo", "permit_naked_ip_address, reject")],
    &[("helo", "check_helo_access regexp:{ {/^127/ REJECT naked}, {/\\.\\./ 501 5.5.2 dots} }")],
    &[("sender", "reject_non_fqdn_sender")],
    &[("sender", concat!("check_sender_access ", table!("REJECT")))],
    &[("sender", concat!("check_sender_access ", table!("DEFER_IF_PERMIT 4.1.1 wait")))],
    &[("sender", concat!("check_sender_access ", table!("450 4.2.1 odd")))],
    &[("sender", concat!("check_sender_access ", table!("DISCARD")))],
    &[("sender", concat!("check_sender_access ", table!("421 4.3.2 bye")))],
    &[("sender", concat!("check_sender_access ", table!("521 5.3.2 bye")))],
    &[("sender", concat!("check_sender_access ", table!("554")))],
    &[("sender", concat!("check_sender_access ", table!("strict")))],
    &[("sender", concat!("check_sender_access ", table!("reject_invalid_helo_hostname, reject")))],
    &[("sender", concat!("check_sender_access ", table!("no_such_restriction")))],
    &[("sender", "strict")],
    &[("sender", "reject_unauthenticated_sender_login_mismatch, reject_sender_login_mismatch")],
    &[("sender", "check_sasl_access inline:{alice=REJECT}, check_ccert_access inline:{a=REJECT}")],
    &[("relay", "permit_mynetworks, defer_unauth_destination")],
    &[("relay", "reject")],
    &[("relay", "permit_auth_destination, defer")],
    &[("relay", "check_recipient_access inline:{other.example=OK}, reject_unauth_destination")],
    &[("relay", "empty, warn_if_reject reject_non_fqdn_sender, reject_unauth_destination")],
    &[("recipient", "reject_non_fqdn_recipient, reject_unauth_destination, permit")],
    &[("recipient", concat!("check_recipient_access ", table!("REJECT")))],
    &[("recipient", concat!("check_recipient_access ", table!("5.7.1 no code")))],
    &[("recipient", concat!("check_recipient_access ", table!("REJECT 5.1.7 as a sender")))],
    &[("recipient", concat!("check_recipient_access ", table!("insiders")))],
    &[("recipient", concat!("check_recipient_access ", table!("WARN look, INFO at, HOLD this")))],
    &[("recipient", concat!("check_recipient_access ", table!("HOLD")))],
    &[(
        "recipient",
        concat!(
            "warn_if_reject check_sender_access ",
            table!("REJECT"),
            ", reject_non_fqdn_sender"
        ),
    )],
    &[("recipient", concat!("warn_if_reject check_sender_access ", table!("DEFER_IF_PERMIT")))],
    &[(
        "recipient",
        concat!(
            "check_sender_access ",
            table!("DEFER_IF_REJECT unsure"),
            ", reject_non_fqdn_helo_hostname"
        ),
    )],
    &[(
        "recipient",
        concat!(
            "check_sender_access ",
            table!("DEFER_IF_REJECT unsure"),
            ", check_recipient_access ",
            table!("DEFER_IF_PERMIT doubtful")
        ),
    )],
    &[("recipient", "defer_if_permit, reject_non_fqdn_sender")],
    &[("recipient", "defer_if_reject, reject_non_fqdn_sender")],
    &[("recipient", "defer_if_reject, defer_if_permit")],
    &[("recipient", "reject_multi_recipient_bounce")],
    &[("recipient", "check_recipient_access fail:nothing")],
    &[("recipient", concat!("check_sender_access ", table!("REDIRECT nonsense")))],
    &[("recipient", concat!("check_sender_access ", table!("FILTER nonsense")))],
    &[("recipient", concat!("check_sender_access ", table!("PREPEND no header")))],
    &[("recipient", concat!("check_sender_access ", table!("inline:{a=b}")))],
    &[("data", "reject_unauth_pipelining, reject_multi_recipient_bounce")],
    &[("data", "check_sender_access inline:{client.example=REJECT}")],
    &[("data", "check_recipient_access inline:{local.example=REJECT}")],
    &[("data", "reject"), ("client", "check_client_access static:OK")],
    &[("end_of_data", "check_client_access inline:{127.0.0=REJECT}")],
    &[("end_of_data", "defer")],
    &[("end_of_data", "check_sender_access inline:{client.example=DEFER_IF_PERMIT}")],
    &[
        ("client", concat!("check_client_access ", table!("DEFER_IF_PERMIT greylisted"))),
        ("helo", "reject_non_fqdn_helo_hostname"),
        ("sender", concat!("check_sender_access ", table!("OK"))),
        (
            "recipient",
            "reject_non_fqdn_sender, check_recipient_access inline:{bad@local.example=REJECT}",
        ),
        ("data", "reject_multi_recipient_bounce"),
    ],
    &[
        ("client", "permit_mynetworks, check_client_access inline:{127.0.0.3=DEFER_IF_REJECT}"),
        ("helo", "defer_if_permit"),
        ("sender", "permit"),
        ("recipient", "permit_mynetworks, reject_non_fqdn_sender"),
    ],
];
