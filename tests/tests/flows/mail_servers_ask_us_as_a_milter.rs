//! A mail server asks us as a milter about mail that it keeps. Here the mail server is another gateway, or what a test says;
//! what comes of it with a real Postfix is in `interop_milter_server.rs`.

use std::net::SocketAddr;

use mailweir::control::operation::Place;
use mailweir_external::{
    milter::{
        Answer, Client, Event, Fault, Limits, MacroLists, Macros, Next, Offer, Peer, PeerAddress,
    },
    verdict::{Decision, Verdict},
};
use mailweir_mail::Reply;
use mailweir_tests::{
    free_address,
    gateway::{Gateway, Mail, Setup, mail_to},
    handing_back::{HandingBack, Plan},
    scanners::Clamd,
    sink::{Script, Sink},
    tools,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

#[tokio::test]
async fn mail_that_nothing_speaks_against_goes_as_it_is_and_we_keep_nothing() {
    let place = Judged::by("").await;
    let content = "Subject: x\r\nX-Folded: a\r\n b\r\n\r\n.dot\r\nQUIT\r\n";
    let mut peer = place.front.connect().await;
    peer.greet().await;
    for number in 1..=3 {
        let answer = peer.send(&mail_to("user").content(content)).await;
        let id = answer.expect_accepted();
        place.judge.log().expect(&format!("milter[*]: {id} of 127.0.0.1: continue; ")).await;
        let mails = place.sink.expect(number).await;
        let text = mails[number - 1].text();
        assert!(text.ends_with(&format!("\r\n{content}")), "{text}");
        assert_eq!(text.matches("Received: ").count(), 1, "{text}");
    }
    place.judge.queue().expect_empty().await;
    // No client came here.
    place.judge.log().expect_none("connect from");
}

#[tokio::test]
async fn what_rules_refuse_is_refused_there_with_our_words() {
    let place = Judged::by(CHECKS).await;
    for (subject, said, told) in
        [("bad", "550 5.7.1 not that one", "reject"), ("later", "451 4.7.1 not now", "tempfail")]
    {
        let mail = mail_to("user").content(format!("Subject: {subject}\r\n\r\nx\r\n"));
        place.front.submit(mail).await.expect_refused(said);
        place.judge.log().expect(&format!(" of 127.0.0.1: {told}, {said}")).await;
    }
    place.sink.expect_nothing();
}

#[tokio::test]
async fn what_rules_change_is_changed_there() {
    let place = Judged::by(CHECKS).await;
    let user = vec!["user@local.example"];
    for (number, (content, to, becomes)) in [
        ("Subject: old\r\nTo: t\r\n\r\nx\r\n", user.clone(), "Subject: new\r\nTo: t\r\n\r\nx\r\n"),
        (
            "From: f\r\nSubject: mark\r\n\r\nx\r\n",
            user.clone(),
            "From: f\r\nX-Mark: yes\r\nSubject: mark\r\n\r\nx\r\n",
        ),
        (
            "A: 1\r\nX-Secret: 1\r\nB: 2\r\nX-Secret: 2\r\nC: 3\r\n\r\nx\r\n",
            user.clone(),
            "A: 1\r\nB: 2\r\nC: 3\r\n\r\nx\r\n",
        ),
        (
            "Subject: copy\r\n\r\nx\r\n",
            vec!["user@local.example", "copy@local.example"],
            "Subject: copy\r\n\r\nx\r\n",
        ),
        ("Subject: other\r\n\r\nx\r\n", vec!["other@far.example"], "Subject: other\r\n\r\nx\r\n"),
    ]
    .into_iter()
    .enumerate()
    {
        place.front.accept(mail_to("user").content(content)).await;
        let mails = place.sink.expect(number + 1).await;
        let mail = &mails[number];
        assert_eq!(mail.recipients(), to, "{content}");
        let text = mail.text();
        assert!(text.ends_with(becomes), "{content} {text}");
        assert_eq!(text.matches("\r\nFrom: ").count(), becomes.matches("From: ").count());
    }
    place.judge.log().expect(" of 127.0.0.1: continue, 2 changes; ").await;
}

#[tokio::test]
async fn what_lists_put_on_top_stands_on_top_there() {
    let lists = "[restrictions]\nsender = [\"check_sender_access static:{PREPEND X-Seen: yes}\"]\n";
    let place = Judged::by(lists).await;
    place.front.accept(mail_to("user").content("Subject: x\r\n\r\nx\r\n")).await;
    let mail = place.sink.expect_one().await;
    assert!(mail.text().ends_with("X-Seen: yes\r\nSubject: x\r\n\r\nx\r\n"), "{}", mail.text());
}

#[tokio::test]
async fn what_rules_hold_or_throw_away_is_held_or_thrown_away_there() {
    let place = Judged::by(CHECKS).await;
    let id = place.front.accept(about("wait")).await;
    place.front.queue().expect(id, Place::Hold).await;
    place.judge.log().expect(&format!("{id} of 127.0.0.1: quarantine: look at it")).await;
    let reason = place.front.queue().show(id).await.entry.hold_reason.unwrap();
    assert!(reason.as_str().contains("look at it"), "{}", reason.as_str());
    let said = place.front.submit(about("gone")).await;
    assert!(said.reply().starts_with("250 2.0.0 "), "{}", said.reply());
    place.judge.log().expect(" of 127.0.0.1: discard").await;
    place.sink.expect_nothing();
    place.judge.queue().expect_empty().await;
}

#[tokio::test]
async fn what_cannot_be_done_there_is_passed_over_with_a_warning() {
    let place = Judged::by(CHECKS).await;
    place.front.accept(about("filter")).await;
    place.judge.log().expect("warning: *: FILTER is passed over").await;
    place.front.accept(mail_to("user").content("Subject: x\r\n\r\nred\r\n")).await;
    place.judge.log().expect("warning: *: changes of rules are passed over: the body stays").await;
    assert!(place.sink.expect(2).await[1].text().ends_with("\r\n\r\nred\r\n"));
}

#[tokio::test]
async fn who_may_send_through_it_is_for_the_mail_server_to_say() {
    let lists = "[restrictions]\nrecipient = [\"check_recipient_access inline:{ {bad@far.example = REJECT no} }\"]\n";
    let place = Judged::by(lists).await;
    let mut peer = place.front.connect().await;
    peer.greet().await;
    peer.ask("MAIL FROM:<a@far.example>", "250 *").await;
    peer.ask("RCPT TO:<bad@far.example>", "554 5.7.1 <bad@far.example>: *: no").await;
    peer.ask("RCPT TO:<x@far.example>", "250 *").await;
    peer.ask("DATA", "354 *").await;
    peer.say("Subject: x\r\n\r\nx\r\n.").await;
    peer.hear("250 2.0.0 *").await;
    assert_eq!(place.sink.expect_one().await.recipients(), ["x@far.example"]);
    place.judge.log().expect("NOQUEUE: reject: RCPT from *<bad@far.example>*: no; from=").await;
}

#[tokio::test]
async fn mail_that_people_would_have_to_approve_is_held_there_and_nobody_is_asked() {
    let rule = "[[moderation.rule]]\nname = \"outside\"\noutside = true\naction = \"approval\"\n\
                moderators = [\"kim@local.example\"]\n";
    let place = Judged::by(rule).await;
    let id = place.front.accept(mail_to("user").to("x@far.example")).await;
    place.front.queue().expect(id, Place::Hold).await;
    place.judge.log().expect("quarantine: moderation rule \"outside\" (mailweir.toml:").await;
    assert_eq!(place.judge.moderation().cases(None, 9).len(), 0);
    place.front.accept(mail_to("user")).await;
    place.sink.expect_one().await;

    let at = free_address().unwrap();
    let server = format!("{}if_held = \"tempfail\"\n", server(at));
    let nowhere = Sink::start(Script::smtp()).await;
    let _judge = Gateway::start(&setup(&nowhere, &(server + rule))).await;
    let mut asking = Asking::at(at).await;
    asking.begin(&Macros::default(), &["<x@far.example>"]).await;
    let verdict = asking.end(b"Subject: x\r\n", b"x\r\n").await;
    let Decision::Refuse(Reply { code: 451, .. }) = verdict.decision else {
        panic!("{verdict:?}");
    };
    nowhere.expect_nothing();
}

#[tokio::test]
async fn who_logged_in_there_counts_as_here() {
    let sections = "[auth.limits]\nmessages_per_hour_hard = 2\n[[moderation.rule]]\nname = \"ann\"\n\
                    logins = [\"ann\"]\naction = \"delay\"\ndelay = \"1 h\"\ntells_sender = \"never\"\n";
    let (_judge, at) = judge(sections).await;
    let ann =
        || -> Macros { [("auth_authen", "Ann"), ("auth_type", "PLAIN")].into_iter().collect() };
    for (macros, held) in [(Macros::default(), false), (ann(), true), (ann(), true)] {
        let mut asking = Asking::at(at).await;
        asking.begin(&macros, &["<user@local.example>"]).await;
        let verdict = asking.end(b"Subject: x\r\n", b"x\r\n").await;
        assert_eq!(verdict.decision == Decision::Hold, held, "{verdict:?}");
    }
    // The limit counts what was sent there.
    let mut asking = Asking::at(at).await;
    let said = asking.step(|client, out| client.mail(&["<a@local.example>"], &ann(), out)).await;
    let Event::Answer(Answer::Refuse(reply)) = said else { panic!("{said:?}") };
    assert_eq!(
        (reply.code, reply.text.contains("<ann>: Login name rejected")),
        (450, true),
        "{reply}"
    );
}

#[tokio::test]
async fn addresses_without_a_domain_are_in_that_of_the_mail_server() {
    let lists = "[restrictions]\nsender = [\"check_sender_access inline:{ {root@mx.example = REJECT no} }\"]\n";
    let (judge, at) = judge(lists).await;
    let mut asking = Asking::at(at).await;
    let macros: Macros = [("j", "mx.example")].into_iter().collect();
    let peer = Peer { name: b"unknown"[..].into(), address: PeerAddress::Unknown };
    let _ = asking.step(|client, out| client.connect(&peer, &macros, out)).await;
    let _ = asking.step(|client, out| client.mail(&["<root>"], &macros, out)).await;
    let said = asking.step(|client, out| client.rcpt(&["<root>"], &macros, out)).await;
    let Event::Answer(Answer::Refuse(reply)) = said else { panic!("{said:?}") };
    assert!(reply.text.contains("<root@mx.example>"), "{reply}");
    judge.log().expect("NOQUEUE: reject: RCPT from unknown[0.0.0.0]*to=<root@mx.example>").await;
}

#[tokio::test]
async fn a_filter_that_hands_mail_back_is_not_asked_there_and_what_is_set_for_its_failure_counts() {
    for (if_failed, becomes) in [
        ("defer", "the mail is put off"),
        ("reject", "the mail is refused"),
        ("hold", "the mail is held"),
        ("pass", "the mail goes on without it"),
    ] {
        let (at, sink) = (free_address().unwrap(), Sink::start(Script::smtp()).await);
        let filter = HandingBack::start(Plan::passing()).await;
        let proxy = format!(
            "[[filter]]\nname = \"one\"\ntype = \"proxy\"\nto = \"smtp://{}\"\nreturns_to = \"back\"\n\
             if_failed = {if_failed:?}\n",
            filter.address()
        );
        let setup = setup(&sink, &(server(at) + &proxy))
            .listener("back", "mode = \"filter\"\nnetworks = [\"127.0.0.0/8\"]");
        let judge = Gateway::start(&setup).await;
        filter.hand_back_to(judge.address("back"));
        // So often that one that fails would be left alone.
        for _ in 0..6 {
            let mut asking = Asking::at(at).await;
            asking.begin(&Macros::default(), &["<user@local.example>"]).await;
            let verdict = asking.end(b"Subject: x\r\n", b"x\r\n").await;
            let said = match &verdict.decision {
                Decision::Refuse(Reply { code: 451, .. }) => "defer",
                Decision::Refuse(Reply { code: 550, .. }) => "reject",
                Decision::Hold => "hold",
                Decision::Pass => "pass",
                other => panic!("{other:?}"),
            };
            assert_eq!(said, if_failed, "{verdict:?}");
        }
        let why = "the filter one failed: it cannot be asked about the body of a mail that another server keeps; ";
        judge.log().expect_times(6, &(why.to_owned() + becomes)).await;
        assert_eq!(filter.shown().len(), 0);
        // A client of the listener itself has its mail passed on by it.
        judge.accept(mail_to("user")).await;
        sink.expect_one().await;
        assert_eq!(filter.shown().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn infected_mail_is_refused_held_or_thrown_away_there_and_clean_mail_says_so() {
    if !tools::require(&["clamd"]) {
        return;
    }
    let clamd = tokio::task::spawn_blocking(Clamd::start).await.unwrap();
    let virus = || mail_to("user").content(format!("Subject: x\r\n\r\n{}\r\n", Clamd::eicar()));
    let by = async |infected: &str| {
        Judged::by(&format!(
            "[[filter]]\nname = \"virus\"\ntype = \"clamd\"\nserver = \"inet:{}\"\ninfected = {infected:?}\n",
            clamd.address()
        ))
        .await
    };
    let place = by("reject").await;
    let said = format!("554 5.7.1 Message is infected: {}", Clamd::FOUND);
    place.front.submit(virus()).await.expect_refused(&said);
    place.judge.log().expect(&format!(" of 127.0.0.1: reject, {said}")).await;
    place.sink.expect_nothing();
    place.front.accept(mail_to("user")).await;
    let text = place.sink.expect_one().await.text();
    assert_eq!(text.matches("\r\nX-Virus-Scanned: ClamAV\r\n").count(), 1, "{text}");

    let place = by("hold").await;
    let id = place.front.accept(virus()).await;
    place.front.queue().expect(id, Place::Hold).await;
    let reason = place.front.queue().show(id).await.entry.hold_reason.unwrap();
    assert!(reason.as_str().contains("infected: Eicar-"), "{}", reason.as_str());
    place.sink.expect_nothing();

    let place = by("discard").await;
    let said = place.front.submit(virus()).await;
    assert!(said.reply().starts_with("250 2.0.0 "), "{}", said.reply());
    place.judge.log().expect(" of 127.0.0.1: discard").await;
    place.front.queue().expect_empty().await;
    place.sink.expect_nothing();
}

#[tokio::test]
async fn i7_what_makes_no_sense_is_named_and_not_answered() {
    let (judge, at) = judge("").await;
    let framed =
        |packet: &[u8]| [&u32::try_from(packet.len()).unwrap().to_be_bytes()[..], packet].concat();
    let offer = framed(b"O\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff");
    for (sent, why) in [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "says a packet of 1195725856 bytes"),
        (framed(b"!"), "says a packet of the unknown type '!'"),
        (framed(b""), "says an empty packet"),
        (framed(b"M<a@x>\0"), "says MAIL out of turn"),
        (
            framed(b"O\0\0\0\x06\0\0\0\x01\0\x1f\xff\xff"),
            "does not offer all that a milter of ours does (it offers 0x1)",
        ),
        ([offer.clone(), framed(b"T")].concat(), "says DATA out of turn"),
        ([offer.clone(), framed(b"M<a@x>")].concat(), "says a text in MAIL has no NUL at its end"),
        ([offer.clone(), framed(b"E")].concat(), "says BODYEOB out of turn"),
    ] {
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(&sent).await.unwrap();
        let mut heard = Vec::new();
        let _ = stream.read_to_end(&mut heard).await;
        assert!(!heard.windows(5).any(|packet| packet == framed(b"a")), "{heard:?}");
        judge.log().expect(&format!("/milter[*warning: 127.0.0.1 {why}")).await;
    }
}

#[tokio::test]
async fn i7_nothing_in_a_text_is_a_command_of_a_client() {
    let (judge, at) = judge("").await;
    let mut asking = Asking::at(at).await;
    let none = Macros::default();
    let _ = asking.step(|client, out| client.helo("a\r\nMAIL FROM:<x@y>", &none, out)).await;
    for path in ["<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n", "<a\n@x>"] {
        let said = asking.step(|client, out| client.mail(&[path], &none, out)).await;
        let Event::Answer(Answer::Refuse(reply)) = said else { panic!("{said:?}") };
        assert_eq!(reply.code, 501, "{reply}");
    }
    asking.begin(&none, &["<user@local.example>"]).await;
    let body = b"x\r\n.\r\nMAIL FROM:<evil@x>\r\nBDAT 0 LAST\r\n";
    let verdict = asking.end(b"Subject: x\n.\nB: y\r\n", body).await;
    assert_eq!(verdict.decision, Decision::Pass);
    // One mail, and nothing that was refused but the two.
    judge.log().expect("mail of 127.0.0.1: continue").await;
    judge.log().expect_none("evil");
    assert_eq!(judge.log().count(": continue"), 1);
    judge.queue().expect_empty().await;
}

#[tokio::test]
async fn of_one_mail_nothing_is_kept_for_the_next() {
    let lists = "[restrictions]\nsender = [\"check_sender_access inline:{ {a@far.example = PREPEND X-A: 1} }\"]\n";
    let (judge, at) = judge(lists).await;
    let mut asking = Asking::at(at).await;
    let none = Macros::default();
    for (from, edits) in [("<a@far.example>", 1), ("<b@far.example>", 0)] {
        // Given up half way, and begun anew.
        for _ in 0..2 {
            let _ = asking.step(|client, out| client.mail(&[from], &none, out)).await;
            let to = ["<user@local.example>"];
            let _ = asking.step(|client, out| client.rcpt(&to, &none, out)).await;
        }
        let verdict = asking.end(b"Subject: x\r\n", b"").await;
        assert_eq!(verdict.edits.len(), edits, "{verdict:?}");
    }
    judge.queue().expect_empty().await;
}

#[tokio::test]
async fn what_is_larger_than_it_may_be_is_refused_at_its_end() {
    let at = free_address().unwrap();
    let sink = Sink::start(Script::smtp()).await;
    let listener = "mode = \"mx\"\nmessage_size_limit = \"1 KiB\"";
    let setup = Setup::before(&sink).listener("mx", listener).sections(&server(at));
    let _judge = Gateway::start(&setup).await;
    let mut asking = Asking::at(at).await;
    for _ in 0..2 {
        asking.begin(&Macros::default(), &["<user@local.example>"]).await;
        let verdict = asking.end(b"Subject: x\r\n", &b"0123456789\r\n".repeat(1_000)).await;
        let Decision::Refuse(Reply { code: 552, .. }) = verdict.decision else {
            panic!("{verdict:?}");
        };
    }
}

#[tokio::test]
async fn only_those_who_may_ask_are_answered_and_a_reload_counts_for_the_next_client() {
    let at = free_address().unwrap();
    let sink = Sink::start(Script::smtp()).await;
    let server = format!("{}networks = [\"127.0.0.1\"]\nconnection_limit = 1\n", server(at));
    let mut judge = Gateway::start(&setup(&sink, &server)).await;
    let mut asking = Asking::at(at).await;
    let mut second = TcpStream::connect(at).await.unwrap();
    assert_eq!(second.read(&mut [0; 9]).await.unwrap(), 0);
    judge.log().expect("127.0.0.1 is turned away: 1 connections are open").await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut stranger = socket.connect(at).await.unwrap();
    assert_eq!(stranger.read(&mut [0; 9]).await.unwrap_or(0), 0);
    judge.log().expect("127.0.0.2 may not ask here").await;
    let lists = "[restrictions]\nclient = [\"check_client_access static:{REJECT no}\"]\n\
                 delay_reject = false\n";
    judge.reload(&setup(&sink, &format!("{server}{lists}"))).await.unwrap();
    let said = asking.connect().await;
    let Event::Answer(Answer::Refuse(reply)) = said else { panic!("{said:?}") };
    assert!(reply.text.ends_with("no"), "{reply}");
    judge.stop().await;
    assert!(TcpStream::connect(at).await.is_err());
}

const CHECKS: &str = r#"
[checks]
header_checks = ["regexp:{ {/^Subject: bad/ REJECT not that one}, {/^Subject: later/ REJECT 4.7.1 not now}, {/^Subject: old/ REPLACE Subject: new}, {/^Subject: mark/ PREPEND X-Mark: yes}, {/^X-Secret:/ IGNORE}, {/^Subject: copy/ BCC copy@local.example}, {/^Subject: other/ REDIRECT other@far.example}, {/^Subject: wait/ HOLD look at it}, {/^Subject: gone/ DISCARD}, {/^Subject: filter/ FILTER smtp:[127.0.0.1]:1} }"]
body_checks = ["regexp:{ {/^red/ REPLACE blue} }"]
"#;

fn about(subject: &str) -> Mail {
    mail_to("user").content(format!("Subject: {subject}\r\n\r\nx\r\n"))
}

/// A mail server, and the gateway that it asks.
struct Judged {
    front: Gateway,
    judge: Gateway,
    sink: Sink,
}

impl Judged {
    /// By a gateway with these sections.
    async fn by(sections: &str) -> Self {
        let (judge, at) = judge(sections).await;
        let sink = Sink::start(Script::smtp()).await;
        let filter =
            format!("[[filter]]\nname = \"judge\"\ntype = \"milter\"\nserver = \"inet:{at}\"\n");
        let front = Setup::before(&sink).in_front_of_us().sections(&filter);
        Self { front: Gateway::start(&front).await, judge, sink }
    }
}

async fn judge(sections: &str) -> (Gateway, SocketAddr) {
    let at = free_address().unwrap();
    let sink = Sink::start(Script::smtp()).await;
    (Gateway::start(&setup(&sink, &(server(at) + sections))).await, at)
}

fn setup(sink: &Sink, sections: &str) -> Setup {
    Setup::before(sink).listener("mx", "mode = \"mx\"").sections(sections)
}

fn server(at: SocketAddr) -> String {
    format!("[[milter_server]]\nbind = [\"{at}\"]\nlistener = \"mx\"\n")
}

/// A mail server, as far as a milter sees of it.
struct Asking {
    stream: TcpStream,
    client: Client,
}

impl Asking {
    async fn at(address: SocketAddr) -> Self {
        let mut out = Vec::new();
        let limits = Limits::new(1 << 20);
        let client = Client::new(Offer::default(), MacroLists::default(), limits, &mut out);
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&out).await.unwrap();
        let mut asking = Self { stream, client };
        assert_eq!(asking.hear().await, Event::Negotiated);
        asking
    }

    async fn connect(&mut self) -> Event {
        let address = PeerAddress::Ip(([192, 0, 2, 9], 4711).into());
        let peer = Peer { name: b"client.example"[..].into(), address };
        self.step(|client, out| client.connect(&peer, &Macros::default(), out)).await
    }

    async fn begin(&mut self, macros: &Macros, to: &[&str]) {
        let said =
            self.step(|client, out| client.mail(&["<ann@local.example>"], macros, out)).await;
        assert_eq!(said, Event::Answer(Answer::Continue));
        for one in to {
            let said = self.step(|client, out| client.rcpt(&[one], macros, out)).await;
            assert_eq!(said, Event::Answer(Answer::Continue));
        }
    }

    /// The rest of the mail. `field`: its header.
    async fn end(&mut self, field: &[u8], body: &[u8]) -> Verdict {
        let none = Macros::default();
        let _ = self.step(|client, out| client.data(&none, out)).await;
        let at = field.iter().position(|byte| *byte == b':').unwrap();
        let (name, value) = (&field[..at], field[at + 1..].strip_suffix(b"\r\n").unwrap());
        let _ = self.step(|client, out| client.header(name, value, out)).await;
        let _ = self.step(|client, out| client.end_of_header(&none, out)).await;
        let mut rest = body;
        while !rest.is_empty() {
            let _ = self.step(|client, out| client.body(&mut rest, out)).await;
        }
        let _ = self.step(Client::rest_of_body).await;
        match self.step(|client, out| client.end_of_body(&none, out)).await {
            Event::End(verdict) => verdict,
            other => panic!("{other:?}"),
        }
    }

    async fn step(
        &mut self,
        says: impl FnOnce(&mut Client, &mut Vec<u8>) -> Result<Next, Fault>,
    ) -> Event {
        let mut out = Vec::new();
        let next = says(&mut self.client, &mut out).unwrap();
        self.stream.write_all(&out).await.unwrap();
        match next {
            Next::Wait => self.hear().await,
            Next::Known(answer) => Event::Answer(answer),
        }
    }

    async fn hear(&mut self) -> Event {
        let mut buffer = [0; 4096];
        loop {
            let read = self.stream.read(&mut buffer).await.unwrap();
            assert_ne!(read, 0, "the milter has gone");
            let mut input = &buffer[..read];
            while let Some(event) = self.client.receive(&mut input).unwrap() {
                if event != Event::Progress {
                    return event;
                }
            }
        }
    }
}
