//! A Postfix in front asks about each mail, and is told to hand over what may have to wait. What
//! comes of it with a real Postfix is in `interop_policy.rs`.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use mailweir::control::operation::Place;
use mailweir_moderation::case::State;
use mailweir_tests::{
    free_address,
    gateway::{Answer, Gateway, Setup, mail},
    sink::{Script, Sink},
    wait,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream, UnixStream},
};

const FILTER: &str = "FILTER approval:[127.0.0.1]:10025";

#[tokio::test]
async fn what_may_have_to_wait_is_handed_over_and_all_else_goes() {
    let (gateway, mut postfix) = asked(RULES).await;
    for (attributes, answer) in [
        ("sender=ann@local.example\nrecipient=x@far.example\nrecipient_count=1", FILTER),
        ("sender=ann@local.example\nrecipient=b@local.example\nrecipient_count=1", "DUNNO"),
        // Several recipients that nobody asked about.
        ("sender=ann@local.example\nrecipient=\nrecipient_count=2", FILTER),
        // Reports, trusted senders, and what a rule lets go.
        ("sender=\nrecipient=x@far.example\nrecipient_count=1", "DUNNO"),
        ("sender=boss@local.example\nrecipient=x@far.example\nrecipient_count=1", "DUNNO"),
        ("sender=news@local.example\nrecipient=x@far.example\nrecipient_count=1", "DUNNO"),
        // Who has one is a matter of log-ins at the gateway.
        ("sender=tv@local.example\nrecipient=x@far.example\nrecipient_count=1", FILTER),
        ("sender=root\nrecipient=x@far.example\nrecipient_count=1", FILTER),
        // The text may be anything.
        ("sender=law@local.example\nrecipient=b@local.example\nrecipient_count=1", FILTER),
    ] {
        let said = postfix.ask("DATA", attributes).await;
        assert_eq!(said.as_deref(), Some(answer), "{attributes}\n{}", gateway.log());
    }
    // One line for each, which names the rule.
    let lines = gateway.log().expect_times(5, "NOQUEUE: filter: DATA from *").await;
    assert!(lines[0].contains("(moderation rule \"outside\" (mailweir.toml:"), "{}", lines[0]);
    assert_eq!(lines.len(), 5);
    assert_eq!(postfix.ask("VRFY", "").await.as_deref(), Some("DUNNO"));
}

#[tokio::test]
async fn recipients_that_come_one_by_one_are_known_at_data() {
    let (mut gateway, mut postfix) = asked(RULES).await;
    let rcpt = |mail: &str, to: &str| {
        format!("instance={mail}\nsender=ann@local.example\nrecipient={to}\nrecipient_count=0")
    };
    let data = |mail: &str, count: u32| {
        format!("instance={mail}\nsender=ann@local.example\nrecipient=\nrecipient_count={count}")
    };
    for to in ["b@local.example", "c@local.example"] {
        assert_eq!(postfix.ask("RCPT", &rcpt("1", to)).await.as_deref(), Some("DUNNO"));
    }
    assert_eq!(postfix.ask("DATA", &data("1", 2)).await.as_deref(), Some("DUNNO"));
    // One was accepted that we were not asked about.
    assert_eq!(postfix.ask("DATA", &data("1", 3)).await.as_deref(), Some(FILTER));
    // What is said of one recipient is said of the mail, and stands in the log once.
    for (to, answer) in
        [("b@local.example", "DUNNO"), ("x@far.example", FILTER), ("c@local.example", FILTER)]
    {
        assert_eq!(postfix.ask("RCPT", &rcpt("2", to)).await.as_deref(), Some(answer), "{to}");
    }
    assert_eq!(postfix.ask("DATA", &data("2", 3)).await.as_deref(), Some(FILTER));
    gateway.log().expect("filter: RCPT from *to=<x@far.example>").await;
    gateway.stop().await;
    assert_eq!(gateway.log().count("filter: "), 2);
}

#[tokio::test]
async fn who_logged_in_at_the_postfix_counts_when_the_mail_comes() {
    let rule = "[[moderation.rule]]\nname = \"ann\"\nlogins = [\"ann\"]\naction = \"delay\"\n\
                delay = \"1 h\"\ntells_sender = \"never\"\n\
                [[moderation.rule]]\nname = \"secrets\"\nsubject = [\"secret\"]\naction = \"delay\"\n\
                tells_sender = \"never\"\n";
    let (gateway, mut postfix) = asked(rule).await;
    let data = |id: &str, login: &str| {
        format!(
            "queue_id={id}\nsender=a@local.example\nrecipient=x@far.example\nrecipient_count=1\n\
             sasl_method=PLAIN\nsasl_username={login}"
        )
    };
    assert_eq!(postfix.ask("DATA", &data("4C1", "Ann")).await.as_deref(), Some(FILTER));
    assert_eq!(postfix.ask("DATA", &data("4C2", "bob")).await.as_deref(), Some(FILTER));
    assert_eq!(postfix.ask("DATA", &data("4C3", "")).await.as_deref(), Some(FILTER));
    for (id, place) in [("4C1", Some(Place::Hold)), ("4C2", None), ("4C3", None)] {
        let answer = hand_over(&gateway, id).await;
        let is_held = answer.reply().ends_with("(held for approval)");
        assert_eq!(is_held, place.is_some(), "{id}: {}", answer.reply());
        let case = gateway.moderation().case(answer.expect_accepted());
        let shown = case.map(|case| (case.mail.login.clone(), case.mail.client.clone()));
        let ann = (Some("ann".into()), "client.example[192.0.2.9]".to_owned());
        let shown = shown.map(|(login, client)| (login, client.unwrap().to_string()));
        assert_eq!(shown, place.map(|_| ann), "{id}");
    }
    gateway.log().expect_none("who logged in at the Postfix");
    // Nobody knows any more who logged in: the mail of ann would wait, so this one does.
    let answer = hand_over(&gateway, "4C9").await;
    gateway.queue().expect(answer.expect_accepted(), Place::Hold).await;
    gateway.log().expect("warning: *who logged in at the Postfix in front is not known").await;
}

#[tokio::test]
async fn an_answer_that_was_handed_in_there_counts_for_whom_the_postfix_says_it_was() {
    let sink = Sink::start(Script::smtp()).await;
    let address = free_address().unwrap();
    let setup =
        setup(&sink, RULES).section("admin", "bind = []\npublic_url = \"https://a.example\"");
    let gateway = Gateway::start(&setup.sections(&server(&address))).await;
    let mut postfix = Asking::at(address).await;
    let id = gateway
        .submit(mail().from("ann@local.example").to("x@far.example"))
        .await
        .expect_accepted();
    let notices = sink.expect(2).await;
    let is_noted = async || gateway.moderation().case(id).unwrap().case.progress.owed.is_empty();
    wait::until_true("the notices to be noted", is_noted).await;
    let asked = notices.iter().find(|one| one.recipients() == ["kim@local.example"]).unwrap();
    let text = asked.text().replace("\r\n ", " ");
    let (_, line) = text.split_once("\nReply-To: ").unwrap();
    let (line, _) = line.split_once('\r').unwrap();
    let to = line.rsplit(['<', ' ']).next().unwrap().trim_end_matches('>');
    for (queue_id, user) in [("5C1", "eve@local.example"), ("5C2", "kim@local.example")] {
        let told = format!(
            "queue_id={queue_id}\nsender=kim@local.example\nrecipient={to}\nrecipient_count=1\n\
             sasl_method=PLAIN\nsasl_username={user}"
        );
        let _ = postfix.ask("DATA", &told).await;
    }
    // Of 5C9 nobody was told, and 5C1 is somebody else's.
    for (queue_id, waits) in [("5C9", true), ("5C1", true), ("5C2", false)] {
        let mut peer = gateway.connect().await;
        peer.greet().await;
        peer.ask(&format!("XFORWARD ADDR=192.0.2.9 IDENT={queue_id}"), "250 *").await;
        let answer = mail().from("kim@local.example").to(to);
        let answer = answer.content("From: kim@local.example\r\n\r\napprove\r\n");
        let said = peer.send(&answer).await;
        assert!(said.reply().ends_with(" taken as a reply"), "{}", said.reply());
        peer.leave().await;
        let state = gateway.moderation().case(id).unwrap().case.progress.state.clone();
        assert_eq!(state == State::Pending, waits, "{queue_id}: {state:?}");
    }
    gateway.log().expect("approve, by kim@local.example (log-in kim@local.example)").await;
}

#[tokio::test]
async fn whatever_goes_wrong_there_is_no_answer() {
    let head = "request=smtpd_access_policy\nprotocol_state=DATA\n";
    for (sent, why) in [
        ("request=other\n\n".to_owned(), "a request of type"),
        ("protocol_state=DATA\n\n".to_owned(), "no attribute request"),
        (format!("{head}sender=a@x\nsender=b@x\n\n"), "the attribute sender twice"),
        (format!("{head}sender=a\0@x\n\n"), "a line that is not name=value"),
        (format!("{head}x={}", "y".repeat(10_000)), "a line of more than 8192 bytes"),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), "a line that is not name=value"),
        (format!("{head}protocol_state=RCPT\n\n"), "twice"),
        ("request=smtpd_access_policy\nprotocol_state=EHLO\n\n".to_owned(), "it asks before MAIL"),
    ] {
        let (gateway, mut postfix) = asked(RULES).await;
        postfix.say(&sent).await;
        assert_eq!(postfix.hear().await, None, "{sent:?}");
        gateway.log().expect(&format!("/policy[*warning: *{why}")).await;
    }
}

#[tokio::test]
async fn a_table_that_cannot_tell_is_no_answer() {
    let rewriting = "[rewriting]\nvirtual_alias_domains = [\"fail:broken\"]\n";
    let (gateway, mut postfix) = asked(&format!("{rewriting}{RULES}")).await;
    let mail = "sender=ann@local.example\nrecipient=x@far.example\nrecipient_count=1";
    assert_eq!(postfix.ask("DATA", mail).await, None);
    gateway.log().expect("hears nothing about the mail of <ann@local.example>: *fail:broken").await;
}

#[tokio::test]
async fn aliases_of_ours_are_written_out_before_rules_are_asked() {
    let rewriting =
        "[rewriting]\nvirtual_alias_maps = [\"inline:{all@local.example=x@far.example}\"]\n";
    let (_gateway, mut postfix) = asked(&format!("{rewriting}{RULES}")).await;
    let mail = |to: &str| format!("sender=ann@local.example\nrecipient={to}\nrecipient_count=1");
    assert_eq!(postfix.ask("DATA", &mail("all@local.example")).await.as_deref(), Some(FILTER));
    assert_eq!(postfix.ask("DATA", &mail("b@local.example")).await.as_deref(), Some("DUNNO"));
}

#[tokio::test]
async fn questions_come_in_pieces_and_several_at_once() {
    let (_gateway, mut postfix) = asked(RULES).await;
    let question = "request=smtpd_access_policy\nprotocol_state=DATA\nsender=ann@local.example\n\
                    recipient=b@local.example\nrecipient_count=1\n\n";
    for piece in question.as_bytes().chunks(7) {
        postfix.say(std::str::from_utf8(piece).unwrap()).await;
    }
    assert_eq!(postfix.hear().await.as_deref(), Some("DUNNO"));
    postfix.say(&question.repeat(3)).await;
    for _ in 0..3 {
        assert_eq!(postfix.hear().await.as_deref(), Some("DUNNO"));
    }
}

#[tokio::test]
async fn a_reload_counts_on_connections_that_are_open_and_closes_what_is_gone() {
    let sink = Sink::start(Script::smtp()).await;
    let (one, other) = (free_address().unwrap(), free_address().unwrap());
    let mut gateway = Gateway::start(&setup(&sink, RULES).sections(&server(&one))).await;
    let mut postfix = Asking::at(one).await;
    let mail = "sender=ann@local.example\nrecipient=x@far.example\nrecipient_count=1";
    assert_eq!(postfix.ask("DATA", mail).await.as_deref(), Some(FILTER));
    let without = RULES.replace("outside = true", "recipients = [\"nobody@far.example\"]");
    gateway.reload(&setup(&sink, &without).sections(&server(&one))).await.unwrap();
    assert_eq!(postfix.ask("DATA", mail).await.as_deref(), Some("DUNNO"));
    gateway.reload(&setup(&sink, &without).sections(&server(&other))).await.unwrap();
    assert_eq!(postfix.hear().await, None);
    assert_eq!(Asking::at(other).await.ask("DATA", mail).await.as_deref(), Some("DUNNO"));
    let mut postfix = Asking::at(other).await;
    gateway.stop().await;
    assert_eq!(postfix.hear().await, None);
}

#[tokio::test]
async fn only_those_who_may_ask_are_answered_and_not_more_than_fit() {
    let sink = Sink::start(Script::smtp()).await;
    let address = free_address().unwrap();
    let server = format!("{}networks = [\"127.0.0.1\"]\nconnection_limit = 1\n", server(&address));
    let gateway = Gateway::start(&setup(&sink, RULES).sections(&server)).await;
    let mail = "sender=ann@local.example\nrecipient=x@far.example\nrecipient_count=1";
    let mut first = Asking::at(address).await;
    assert_eq!(first.ask("DATA", mail).await.as_deref(), Some(FILTER));
    assert_eq!(Asking::at(address).await.hear().await, None);
    gateway.log().expect("127.0.0.1 is turned away: 1 connections are open").await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    assert_eq!(Asking(socket.connect(address).await.unwrap()).hear().await, None);
    gateway.log().expect("127.0.0.2 may not ask here").await;
    assert_eq!(first.ask("DATA", mail).await.as_deref(), Some(FILTER));
}

#[tokio::test]
async fn a_local_socket_has_its_mode_and_takes_the_place_of_one_that_was_left_behind() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("policy");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let sink = Sink::start(Script::smtp()).await;
    let server = |mode: &str| {
        format!(
            "[[policy_server]]\nsocket = {path:?}\nsocket_mode = {mode:?}\nlistener = \"from-postfix\"\n\
             filter = \"approval:[127.0.0.1]:10025\"\n"
        )
    };
    let mut gateway = Gateway::start(&setup(&sink, RULES).sections(&server("0640"))).await;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o640);
    let mail = "sender=ann@local.example\nrecipient=x@far.example\nrecipient_count=1";
    let mut postfix = Asking(UnixStream::connect(&path).await.unwrap());
    assert_eq!(postfix.ask("DATA", mail).await.as_deref(), Some(FILTER));
    gateway.reload(&setup(&sink, RULES).sections(&server("0666"))).await.unwrap();
    assert_eq!(mode(&path), 0o666);
    assert_eq!(postfix.ask("DATA", mail).await.as_deref(), Some(FILTER));
    gateway.stop().await;
    assert!(!path.exists());
    gateway.start_again().await;
    // What is no socket is somebody's file.
    let file = place.path().join("file");
    std::fs::write(&file, "text").unwrap();
    let there = server("0600").replace(path.to_str().unwrap(), file.to_str().unwrap());
    let refused = gateway.reload(&setup(&sink, RULES).sections(&there)).await.unwrap_err();
    assert!(refused.contains("a file is in the way"), "{refused}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "text");
    assert!(path.exists());
    // What was opened for a reload that failed is closed again.
    let half = server("0600").replace("policy\"", "half\"");
    let refused = format!("{half}{there}");
    gateway.reload(&setup(&sink, RULES).sections(&refused)).await.unwrap_err();
    assert!(!place.path().join("half").exists());
}

const RULES: &str = r#"
[moderation]
trusted_senders = ["boss@local.example"]
[[moderation.rule]]
name = "newsletter"
senders = ["news@local.example"]
action = "accept"
[[moderation.rule]]
name = "television"
senders = ["tv@local.example"]
credentials = ["tv"]
action = "accept"
[[moderation.rule]]
name = "outside"
outside = true
action = "approval"
moderators = ["kim@local.example"]
[[moderation.rule]]
name = "law"
senders = ["law@local.example"]
text = ["secret"]
action = "approval"
moderators = ["kim@local.example"]
"#;

fn setup(sink: &Sink, rules: &str) -> Setup {
    let listener = "mode = \"mx\"\ntls = \"none\"\nnetworks = [\"127.0.0.1\"]\n\
                    xforward_hosts = [\"127.0.0.1\"]";
    Setup::before(sink).listener("from-postfix", listener).sections(rules)
}

fn server(address: &std::net::SocketAddr) -> String {
    format!(
        "[[policy_server]]\nbind = [\"{address}\"]\nlistener = \"from-postfix\"\n\
         filter = \"approval:[127.0.0.1]:10025\"\n"
    )
}

/// A gateway with these rules, and a connection to ask on.
async fn asked(rules: &str) -> (Gateway, Asking<TcpStream>) {
    let sink = Sink::start(Script::smtp()).await;
    let address = free_address().unwrap();
    let gateway = Gateway::start(&setup(&sink, rules).sections(&server(&address))).await;
    let postfix = Asking::at(address).await;
    (gateway, postfix)
}

/// The mail with this id of the Postfix comes.
async fn hand_over(gateway: &Gateway, id: &str) -> Answer {
    let mut peer = gateway.connect().await;
    peer.greet().await;
    peer.ask(&format!("XFORWARD NAME=client.example ADDR=192.0.2.9 PORT=4711 IDENT={id}"), "250 *")
        .await;
    let mail = mail().from("a@local.example").to("x@far.example");
    let answer = peer.send(&mail.content("Subject: hello\r\n\r\ntext\r\n")).await;
    peer.leave().await;
    answer
}

/// A Postfix, as far as the policy server sees of it.
struct Asking<S>(S);

impl Asking<TcpStream> {
    async fn at(address: std::net::SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Asking<S> {
    async fn ask(&mut self, state: &str, attributes: &str) -> Option<String> {
        let head = "request=smtpd_access_policy\nclient_address=192.0.2.9\nclient_name=unknown\n";
        self.say(&format!("{head}protocol_state={state}\n{attributes}\n\n")).await;
        self.hear().await
    }

    async fn say(&mut self, text: &str) {
        // A server that has closed is heard.
        let _ = self.0.write_all(text.as_bytes()).await;
    }

    /// The action; `None`: the server closes.
    async fn hear(&mut self) -> Option<String> {
        let mut said = Vec::new();
        while !said.ends_with(b"\n\n") {
            let Ok(byte) = self.0.read_u8().await else {
                assert!(said.is_empty(), "half an answer: {said:?}");
                return None;
            };
            said.push(byte);
            // One answer for one question.
            assert!(said.len() < 300, "{said:?}");
        }
        let text = String::from_utf8(said).unwrap();
        Some(text.strip_prefix("action=").unwrap().trim_end().to_owned())
    }
}
