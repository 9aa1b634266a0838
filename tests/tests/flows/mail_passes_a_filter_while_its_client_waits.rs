//! A filter has mail while its client waits, and hands it back or says no. Row I6: whatever it does, nothing is lost, nothing
//! passes by accident, and the client hears what is true.

use std::{fmt::Display, net::SocketAddr};

use mailweir::control::operation::Place;
use mailweir_tests::{
    free_address,
    gateway::{Answer, Gateway, Peer, Setup, mail, mail_to},
    handing_back::{HandingBack, Plan},
    pass_through::PassThrough,
    sink::{Act, Point, Received, Script, Sink},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
};

const BACK: &str =
    "mode = \"filter\"\nnetworks = [\"127.0.0.0/8\"]\nxforward_hosts = [\"127.0.0.0/8\"]";

fn proxy(name: &str, to: impl Display, more: &str) -> String {
    format!(
        "[[filter]]\nname = {name:?}\ntype = \"proxy\"\nto = \"smtp://{to}\"\nreturns_to = \"behind-{name}\"\n{more}\n"
    )
}

fn setup(sink: &Sink, to: impl Display, more: &str) -> Setup {
    let setup = Setup::before(sink).listener("mx", "mode = \"mx\"").listener("behind-one", BACK);
    setup.sections(&proxy("one", to, more))
}

async fn next_hop() -> Sink {
    Sink::start(Script::smtp()).await
}

/// A gateway with such a filter, and where that hands mail back.
async fn behind(sink: &Sink, filter: &HandingBack, more: &str) -> Gateway {
    let gateway = Gateway::start(&setup(sink, filter.address(), more)).await;
    filter.hand_back_to(gateway.address("behind-one"));
    gateway
}

#[tokio::test]
async fn a_mail_is_taken_once_it_has_come_back_and_is_as_it_was() {
    // The larger one is in a file.
    for lines in [1, 200_000] {
        let sink = next_hop().await;
        let filter = PassThrough::start().await;
        let gateway = Gateway::start(&setup(&sink, filter.address(), "")).await;
        filter.hand_back_to(gateway.address("behind-one"));
        let content = format!("Subject: x\r\n\r\n.dot\r\n{}", "From here\r\n".repeat(lines));
        let id = gateway.accept(mail_to("user").content(&content)).await;
        let text = sink.expect_one().await.text();
        assert!(text.ends_with(&content), "{}", &text[..400]);
        assert!(!text.contains("X-Mailweir-Slip"), "{}", &text[..400]);
        let header = &text[..text.len() - content.len()];
        assert_eq!(header.matches("Received: from ").count(), 2, "{header}");
        assert!(header.contains(&id.to_string()), "{header}");
        assert_eq!(filter.connections(), 1);
        gateway.queue().expect_empty().await;
    }
}

#[tokio::test]
async fn what_a_filter_makes_of_a_mail_is_what_goes_on() {
    let sink = next_hop().await;
    let plan = Plan::changing(|content| {
        let content = content.replace("Subject: ", "Subject: [checked] ");
        let (slip, rest) = content.split_once("\r\nReceived: ").unwrap();
        format!("X-Checked: yes\r\n{slip}\r\nReceived: {rest}-- \r\nour footer\r\n")
    });
    let filter = HandingBack::start(plan).await;
    let gateway = behind(&sink, &filter, "").await;
    gateway.accept(mail_to("user").content("Subject: x\r\n\r\ntext\r\n")).await;
    let text = sink.expect_one().await.text();
    assert!(text.starts_with("Received: from "), "{text}");
    assert!(text.contains("\r\nX-Checked: yes\r\nReceived: from "), "{text}");
    assert!(text.ends_with("Subject: [checked] x\r\n\r\ntext\r\n-- \r\nour footer\r\n"), "{text}");
}

#[tokio::test]
async fn what_a_filter_makes_of_recipients_counts() {
    let sink = next_hop().await;
    let only: &[&str] = &["USER@local.example", "new@local.example"];
    let filter = HandingBack::start(Plan::keeping().and_for(only)).await;
    let gateway = behind(&sink, &filter, "").await;
    let id = gateway.accept(mail_to("user").to("other@local.example")).await;
    let mail = sink.expect_one().await;
    assert_eq!(mail.recipients(), ["user@local.example", "new@local.example"]);
    let copy = format!("{id}: the filter one has taken the copy of <other@local.example>");
    let _ = gateway.log().expect(&copy).await;
}

/// The person who is postmaster has a copy under each name.
#[tokio::test]
async fn what_a_filter_keeps_of_a_mail_to_the_postmaster_nobody_gets() {
    let plans: [(&[&str], &str); 2] =
        [(&["ann@local.example"], "Postmaster@"), (&["Postmaster"], "ann@local.example")];
    for (left, taken) in plans {
        let sink = next_hop().await;
        let filter = HandingBack::start(Plan::keeping().and_for(left)).await;
        let setup = setup(&sink, filter.address(), "");
        let setup = setup.section("domains", "postmaster = \"ann@local.example\"");
        let gateway = Gateway::start(&setup).await;
        filter.hand_back_to(gateway.address("behind-one"));
        let id = gateway.accept(mail().to("Postmaster").to("ann@local.example")).await;
        assert_eq!(sink.expect_one().await.recipients(), ["ann@local.example"]);
        let copy = format!("{id}: the filter one has taken the copy of <{taken}");
        let _ = gateway.log().expect(&copy).await;
    }
}

#[tokio::test]
async fn filters_are_asked_in_their_order_and_scanners_between_them() {
    let sink = next_hop().await;
    let mark = |name: &'static str| match name {
        "one" => Plan::changing(|content| content.replace("Subject: ", "Subject: 1")),
        _ => Plan::changing(|content| content.replace("Subject: 1", "Subject: 12")),
    };
    let (one, two) = (HandingBack::start(mark("one")).await, HandingBack::start(mark("two")).await);
    let setup = setup(&sink, one.address(), "");
    let setup = setup.listener("behind-two", BACK).sections(&proxy("two", two.address(), ""));
    let gateway = Gateway::start(&setup).await;
    one.hand_back_to(gateway.address("behind-one"));
    two.hand_back_to(gateway.address("behind-two"));
    gateway.accept(mail_to("user")).await;
    let text = sink.expect_one().await.text();
    assert!(text.contains("\r\nSubject: 12a mail\r\n"), "{text}");
}

#[tokio::test]
async fn a_filter_is_told_where_mail_comes_from() {
    let sink = next_hop().await;
    let told = Script::smtp().offering_also("XFORWARD NAME ADDR PROTO HELO");
    let told = Sink::start(told.replying(Point::Dot, "550 5.7.1 no")).await;
    let setup = Setup::before(&sink)
        .listener("mx", "mode = \"mx\"\nxclient_hosts = [\"127.0.0.0/8\"]")
        .listener("behind-one", BACK)
        .sections(&proxy("one", told.address(), ""));
    let gateway = Gateway::start(&setup).await;
    let mut peer = gateway.connect_to("mx").await;
    peer.greet().await;
    peer.say("XCLIENT NAME=mail.far.example ADDR=192.0.2.7 HELO=far.example PROTO=ESMTP").await;
    peer.greet().await;
    peer.send(&mail_to("user")).await.expect_refused("550 5.7.1 no");
    let said = told.commands(0).join("\n");
    assert!(said.contains("XFORWARD NAME=mail.far.example ADDR=192.0.2.7 PROTO=ESMTP"), "{said}");
}

#[tokio::test]
async fn i6_what_a_filter_says_of_a_mail_the_client_hears() {
    for point in [Point::Mail, Point::Rcpt, Point::Data, Point::Dot] {
        for reply in ["451 4.7.1 later", "554 5.7.1 your mail is infected"] {
            let sink = next_hop().await;
            let says = Sink::start(Script::smtp().replying(point, reply)).await;
            let gateway =
                Gateway::start(&setup(&sink, says.address(), "if_failed = \"pass\"")).await;
            gateway.submit(mail_to("user")).await.expect_refused(reply);
            sink.expect_nothing();
            gateway.queue().expect_empty().await;
        }
    }
}

#[tokio::test]
async fn i6_what_a_filter_says_of_one_recipient_it_says_of_the_mail() {
    let sink = next_hop().await;
    let reply = "550 5.1.1 who is that";
    let says = Script::smtp().replying_for("other@local.example", Point::Rcpt, reply);
    let says = Sink::start(says).await;
    let gateway = Gateway::start(&setup(&sink, says.address(), "")).await;
    let both = mail_to("user").to("other@local.example");
    gateway.submit(both).await.expect_refused(reply);
    sink.expect_nothing();
    gateway.queue().expect_empty().await;
}

/// A client can bring such failures about, by the number of its recipients or by what takes long.
#[tokio::test]
async fn i6_what_a_filter_has_refused_stays_refused_when_it_fails_then() {
    let refusing = |reply| {
        let script = Script::smtp().replying_for("never@local.example", Point::Rcpt, reply);
        script.replying_for("many@local.example", Point::Rcpt, "452 4.5.3 Too many recipients")
    };
    let drops = |script: Script| script.at(Point::Dot, Act::Drop);
    let hangs = |script: Script| script.at(Point::Dot, Act::Hang);
    let leaves = |script: Script| script.replying(Point::Data, "421 4.3.2 Shutting down");
    for reply in ["451 4.7.1 later", "550 5.7.1 blocked"] {
        for fails in [drops, hangs, leaves, |script| script] {
            let sink = next_hop().await;
            let filter = Sink::start(fails(refusing(reply))).await;
            let more = "if_failed = \"pass\"\ntime_limit = \"1s\"";
            let gateway = Gateway::start(&setup(&sink, filter.address(), more)).await;
            let mail = mail_to("never").to("user@local.example").to("many@local.example");
            gateway.submit(mail).await.expect_refused(reply);
            sink.expect_nothing();
            gateway.queue().expect_empty().await;
        }
    }
}

#[tokio::test]
async fn i6_a_filter_that_fails_lets_nothing_pass_unless_that_is_said() {
    let nobody = free_address().unwrap();
    let dropping = |point| Some(Script::smtp().at(point, Act::Drop));
    for script in [
        None,
        Some(Script::smtp().replying(Point::Connect, "554 5.3.2 no")),
        Some(Script::smtp().replying(Point::Hello, "554 5.7.1 go away")),
        Some(Script::smtp().at(Point::Hello, Act::Hang)),
        Some(Script::smtp().replying(Point::Rcpt, "999 what")),
        Some(Script::smtp().replying(Point::Data, "250 2.0.0 no need to send it")),
        Some(Script::smtp().at(Point::Mail, Act::ReplyTwice("250 2.1.0 Ok".to_owned()))),
        Some(Script::smtp().replying(Point::Dot, "354 more")),
        Some(Script::smtp().at(Point::Dot, Act::Hang)),
        Some(Script::smtp().at(Point::Dot, Act::Close("421 4.3.2 Shutting down".to_owned()))),
        dropping(Point::Data),
        dropping(Point::Dot),
    ] {
        let filter = match &script {
            None => None,
            Some(script) => Some(Sink::start(script.clone()).await),
        };
        let at = filter.as_ref().map_or(nobody, Sink::address);
        fails_as_configured(at).await;
    }
}

async fn fails_as_configured(at: SocketAddr) {
    let start = async |sink: &Sink, if_failed: &str| {
        let more = format!("if_failed = {if_failed:?}\ntime_limit = \"1s\"");
        Gateway::start(&setup(sink, at, &more)).await
    };
    let sink = next_hop().await;
    let gateway = start(&sink, "defer").await;
    gateway.submit(mail_to("user")).await.expect_refused("451 4.7.1 Service unavailable - *");
    let gateway = start(&sink, "reject").await;
    gateway.submit(mail_to("user")).await.expect_refused("550 5.7.1 Service unavailable");
    let gateway = start(&sink, "hold").await;
    let id = gateway.accept(mail_to("user")).await;
    gateway.queue().expect(id, Place::Hold).await;
    sink.expect_nothing();
    let gateway = start(&sink, "pass").await;
    let content = "Subject: unseen\r\n\r\ntext\r\n";
    gateway.accept(mail_to("user").content(content)).await;
    let text = sink.expect_one().await.text();
    assert!(text.ends_with(content) && !text.contains("X-Mailweir-Slip"), "{text}");
    let _ = gateway.log().expect("the filter one failed: ").await;
}

#[tokio::test]
async fn i6_more_recipients_than_a_filter_takes_switch_it_off_for_nobody_else() {
    let sink = next_hop().await;
    let too_many = "452 4.5.3 Too many recipients";
    let script = Script::smtp().replying_for("many@local.example", Point::Rcpt, too_many);
    let filter = Sink::start(script).await;
    let gateway = Gateway::start(&setup(&sink, filter.address(), "if_failed = \"pass\"")).await;
    // So often that one that fails would be left alone.
    for _ in 0..6 {
        gateway.accept(mail_to("user").to("many@local.example")).await;
    }
    sink.expect(6).await;
    let why = "the filter one failed: it takes no more recipients: 452 4.5.3 Too many recipients";
    gateway.log().expect_times(6, why).await;
    let reply = "554 5.7.1 your mail is infected";
    filter.change(Script::smtp().replying(Point::Dot, reply));
    gateway.submit(mail_to("user")).await.expect_refused(reply);
}

#[tokio::test]
async fn i6_mail_that_a_filter_splits_switches_it_off_for_nobody_else() {
    let sink = next_hop().await;
    let splits = Plan::passing().and_again().saying("250 2.0.0 Ok");
    let filter = HandingBack::start(splits).await;
    let gateway = behind(&sink, &filter, "if_failed = \"reject\"").await;
    for _ in 0..6 {
        gateway.submit(mail_to("user")).await.expect_refused("550 5.7.1 Service unavailable");
    }
    assert_eq!(filter.shown().len(), 6);
    sink.expect_nothing();
}

#[tokio::test]
async fn i6_a_mail_that_a_filter_keeps_is_thrown_away_and_the_log_says_so() {
    let sink = next_hop().await;
    let keeps = Sink::start(Script::smtp()).await;
    let gateway = Gateway::start(&setup(&sink, keeps.address(), "")).await;
    let said = gateway.submit(mail_to("user")).await;
    assert!(said.reply().starts_with("250 2.0.0 "), "{}", said.reply());
    let _ = gateway.log().expect("the filter one: it has taken the mail and handed nothing").await;
    gateway.queue().expect_empty().await;
    sink.expect_nothing();
}

#[tokio::test]
async fn i6_a_filter_that_says_no_after_it_has_handed_a_mail_back_is_believed() {
    let sink = next_hop().await;
    let filter = HandingBack::start(Plan::passing().saying("554 5.7.1 no")).await;
    let gateway = behind(&sink, &filter, "").await;
    gateway.submit(mail_to("user")).await.expect_refused("554 5.7.1 no");
    sink.expect_nothing();
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn i6_one_answer_counts_and_one_mail_comes_of_it() {
    let sink = next_hop().await;
    let twice = "250 2.0.0 Ok\r\n554 5.7.1 no";
    let filter = HandingBack::start(Plan::passing().saying(twice)).await;
    let gateway = behind(&sink, &filter, "").await;
    for _ in 0..2 {
        gateway.accept(mail_to("user")).await;
    }
    sink.expect(2).await;
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn i6_a_mail_that_is_handed_back_twice_is_put_off_and_neither_copy_taken() {
    let split = Plan::keeping().and_for(&["user@local.example"]).and_for(&["other@local.example"]);
    for plan in [Plan::passing().and_again(), split] {
        let sink = next_hop().await;
        // It heard 451 of the second; and whatever it says.
        for plan in [plan.clone(), plan.saying("250 2.0.0 Ok")] {
            let filter = HandingBack::start(plan).await;
            let gateway = behind(&sink, &filter, "").await;
            let mail = mail_to("user").to("other@local.example");
            gateway.submit(mail).await.expect_refused("451 4.7.1 *");
            let why = "the filter must hand each mail back once, for all its recipients";
            let _ = gateway.log().expect(why).await;
            gateway.queue().expect_empty().await;
        }
        sink.expect_nothing();
    }
}

/// A mail as a filter got it, with its slip.
async fn kept_by(filter: &Sink) -> Received {
    filter.expect_attempts(1).await.remove(0)
}

#[tokio::test]
async fn i6_what_nobody_waits_for_is_not_taken() {
    let sink = next_hop().await;
    let hangs = Sink::start(Script::smtp().at(Point::Dot, Act::Hang)).await;
    let gateway = Gateway::start(&setup(&sink, hangs.address(), "time_limit = \"1s\"")).await;
    gateway.submit(mail_to("user")).await.expect_refused("451 4.7.1 Service unavailable - *");
    let late = kept_by(&hangs).await.text();
    assert!(late.starts_with("X-Mailweir-Slip: "), "{late}");

    let mut back = gateway.connect_to("behind-one").await;
    back.greet().await;
    let over = "550 5.7.1 Error: nobody waits for this mail any more";
    back.send(&mail_to("user").content(&late)).await.expect_refused(over);
    let unknown = "451 4.7.1 Error: this is no mail that anybody waits for here";
    back.send(&mail_to("user")).await.expect_refused(unknown);
    let forged = late.replacen("X-Mailweir-Slip: ", "X-Mailweir-Slip: A", 1);
    back.send(&mail_to("user").content(forged)).await.expect_refused(unknown);
    let _ = gateway.log().expect("the filter must leave X-Mailweir-Slip in the header").await;
    gateway.queue().expect_empty().await;
    sink.expect_nothing();
}

/// Where mail of the queue comes back it would pass archive and moderation by.
#[tokio::test]
async fn i6_mail_that_is_handed_back_where_another_filter_does_is_not_taken() {
    let sink = next_hop().await;
    let (filter, after) = (HandingBack::start(Plan::passing()).await, next_hop().await);
    let of_the_queue = format!(
        "[[filter]]\nname = \"after\"\ntype = \"smtp\"\nto = \"smtp://{}\"\nreturns_to = \"behind-after\"\n",
        after.address()
    );
    let setup = setup(&sink, filter.address(), "").listener("behind-after", BACK);
    let setup = setup.listener("behind-nobody", BACK).sections(&of_the_queue);
    let gateway = Gateway::start(&setup).await;
    for wrong in ["behind-after", "behind-nobody"] {
        filter.hand_back_to(gateway.address(wrong));
        gateway.submit(mail_to("user")).await.expect_refused("451 4.7.1 *");
        gateway.queue().expect_empty().await;
    }
    sink.expect_nothing();
    after.expect_nothing();
}

#[tokio::test]
async fn i6_a_filter_that_hands_mail_back_where_it_comes_in_first_ends_it() {
    let sink = next_hop().await;
    let filter = PassThrough::start().await;
    let setup = setup(&sink, filter.address(), "").section("limits", "hopcount_limit = 5");
    let gateway = Gateway::start(&setup).await;
    filter.hand_back_to(gateway.address("mx"));
    let mail = mail().to("user@local.example").from("bob@far.example");
    gateway.submit(mail).await.expect_refused("554 5.4.6 Error: too many hops");
    assert!(filter.connections() <= 6, "{}", filter.connections());
    sink.expect_nothing();
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn clients_that_wait_leave_room_for_what_they_wait_for() {
    let sink = next_hop().await;
    let filter = PassThrough::start().await;
    let setup = setup(&sink, filter.address(), "").section("limits", "session_limit = 1");
    let gateway = Gateway::start(&setup).await;
    filter.hand_back_to(gateway.address("behind-one"));
    gateway.accept(mail_to("user")).await;
    sink.expect_one().await;
}

#[tokio::test]
async fn a_filter_has_as_many_mails_at_once_as_it_may_and_the_others_wait() {
    let sink = next_hop().await;
    let filter = HandingBack::start(Plan::passing()).await;
    let gateway = Gateway::start(&setup(&sink, filter.address(), "concurrency_limit = 1")).await;
    let clients = all_at_once(&gateway, 3).await;
    filter.expect_mail().await;
    filter.hand_back_to(gateway.address("behind-one"));
    for client in clients {
        client.await.unwrap().expect_accepted();
    }
    assert_eq!(filter.most_at_once(), 1);
    sink.expect(3).await;
}

#[tokio::test]
async fn i6_a_filter_that_is_busy_for_too_long_has_not_failed() {
    let sink = next_hop().await;
    let filter = HandingBack::start(Plan::passing()).await;
    let more = "concurrency_limit = 1\ntime_limit = \"2s\"";
    let admin = free_address().unwrap();
    let setup = setup(&sink, filter.address(), more);
    let setup = setup.section("admin", &format!("bind = [\"{admin}\"]"));
    let gateway = Gateway::start(&setup).await;
    // The first it has, and says nothing; most others find no room.
    let clients = all_at_once(&gateway, 9).await;
    for client in clients {
        client.await.unwrap().expect_refused("451 4.7.1 Service unavailable - *");
    }
    let busy = "the filter one failed: it was busy with other mail for 2 s; the mail is put off";
    // So often that one that fails would be left alone.
    gateway.log().expect_times(5, busy).await;
    let metrics = get(admin, "/metrics").await;
    for line in [
        "mailweir_filter_mails_total{filter=\"one\",outcome=\"failed\"} 9\n",
        "mailweir_filter_left_alone{filter=\"one\"} 0\n",
    ] {
        assert!(metrics.contains(line), "{line}{metrics}");
    }
    filter.hand_back_to(gateway.address("behind-one"));
    gateway.accept(mail_to("user")).await;
    sink.expect_one().await;
}

/// So many clients, each of which has sent a mail and waits.
async fn all_at_once(gateway: &Gateway, clients: usize) -> Vec<JoinHandle<Answer>> {
    let mut all = Vec::new();
    for _ in 0..clients {
        let mut client = gateway.connect_to("mx").await;
        client.greet().await;
        all.push(client);
    }
    let send = |mut client: Peer| async move { client.send(&mail_to("user")).await };
    all.into_iter().map(|client| tokio::spawn(send(client))).collect()
}

#[tokio::test]
async fn a_mail_that_comes_back_after_a_reload_finds_its_client() {
    for (reloaded, back_at) in [(None, "behind-one"), (Some("elsewhere"), "elsewhere")] {
        let sink = next_hop().await;
        let filter = PassThrough::start().await;
        let setup = |returns_to: Option<&str>| {
            let setup = Setup::before(&sink).listener("mx", "mode = \"mx\"");
            let setup = setup.listener("behind-one", BACK).listener("elsewhere", BACK);
            let one = proxy("one", filter.address(), "");
            let one = returns_to.map(|it| one.replace("behind-one", it));
            setup.sections(&one.unwrap_or_default())
        };
        let mut gateway = Gateway::start(&setup(Some("behind-one"))).await;
        let client = all_at_once(&gateway, 1).await.remove(0);
        filter.expect_connection().await;
        gateway.reload(&setup(reloaded)).await.unwrap();
        filter.hand_back_to(gateway.address(back_at));
        client.await.unwrap().expect_accepted();
        sink.expect_one().await;
    }
}

#[tokio::test]
async fn a_mail_that_waits_for_people_or_a_filter_of_the_queue_has_passed_this_one_once() {
    let sink = next_hop().await;
    let (first, then) = (PassThrough::start().await, PassThrough::start().await);
    let after = format!(
        "[[filter]]\nname = \"then\"\ntype = \"smtp\"\nto = \"smtp://{}\"\nreturns_to = \"behind-then\"\n",
        then.address()
    );
    let setup = setup(&sink, first.address(), "").listener("behind-then", BACK).sections(&after);
    let gateway = Gateway::start(&setup).await;
    first.hand_back_to(gateway.address("behind-one"));
    then.hand_back_to(gateway.address("behind-then"));
    gateway.accept(mail_to("user")).await;
    let text = sink.expect_one().await.text();
    assert_eq!(text.matches("Received: from ").count(), 3, "{text}");
    assert_eq!((first.connections(), then.connections()), (1, 1));
}

#[tokio::test]
async fn a_rule_where_mail_comes_back_may_hold_it() {
    let sink = next_hop().await;
    let filter = HandingBack::start(Plan::passing()).await;
    let rule = "sender_restrictions = [\"check_sender_access static:HOLD\"]";
    let setup = Setup::before(&sink)
        .listener("mx", "mode = \"mx\"")
        .listener("behind-one", &format!("{BACK}\n{rule}"))
        .sections(&proxy("one", filter.address(), ""));
    let gateway = Gateway::start(&setup).await;
    filter.hand_back_to(gateway.address("behind-one"));
    let id = gateway.accept(mail_to("user")).await;
    gateway.queue().expect(id, Place::Hold).await;
    sink.expect_nothing();
}

#[tokio::test]
async fn only_a_mail_that_the_disk_has_is_acknowledged() {
    let sink = next_hop().await;
    let filter = PassThrough::start().await;
    let mut gateway = Gateway::start(&setup(&sink, filter.address(), "")).await;
    let mut client = gateway.connect_to("mx").await;
    client.greet().await;
    let sent = tokio::spawn(async move { client.send(&mail_to("user")).await });
    filter.expect_connection().await;
    // The filter has it, the client has no answer: nothing of it is ours.
    gateway.queue().expect_empty().await;
    filter.hand_back_to(gateway.address("behind-one"));
    sent.await.unwrap().expect_accepted();
    gateway.stop().await;
    let received = sink.expect_attempts(1).await;
    assert_eq!(received.len(), 1);
}

#[tokio::test]
async fn whoever_watches_the_gateway_sees_how_filters_fare() {
    let sink = next_hop().await;
    let admin = free_address().unwrap();
    let (filter, down) = (PassThrough::start().await, free_address().unwrap());
    let (more, bind) = ("if_failed = \"pass\"", format!("bind = [\"{admin}\"]"));
    let after = format!(
        "[[filter]]\nname = \"down\"\ntype = \"smtp\"\nto = \"smtp://{down}\"\nif_failed = \"pass\"\n"
    );
    let setup = setup(&sink, filter.address(), more).section("admin", &bind).sections(&after);
    let gateway = Gateway::start(&setup).await;
    filter.hand_back_to(gateway.address("behind-one"));
    gateway.accept(mail_to("user")).await;
    sink.expect_one().await;
    filter.hand_back_to(down);
    for _ in 0..6 {
        gateway.accept(mail_to("user")).await;
    }
    sink.expect(7).await;
    let metrics = get(admin, "/metrics").await;
    let lines: Vec<&str> =
        metrics.lines().filter(|line| line.starts_with("mailweir_filter_")).collect();
    for line in [
        "mailweir_filter_mails_total{filter=\"one\",outcome=\"passed\"} 1",
        "mailweir_filter_mails_total{filter=\"one\",outcome=\"failed\"} 5",
        "mailweir_filter_mails_total{filter=\"one\",outcome=\"left_alone\"} 1",
        "mailweir_filter_left_alone{filter=\"one\"} 1",
        "mailweir_filter_mails_total{filter=\"down\",outcome=\"passed\"} 0",
        "mailweir_filter_seconds_count{filter=\"one\"} 6",
    ] {
        assert!(lines.contains(&line), "{line}\n{lines:#?}");
    }
    let failed = "mailweir_filter_mails_total{filter=\"down\",outcome=\"failed\"} 0";
    assert!(!lines.contains(&failed), "{lines:#?}");
    assert!(get(admin, "/").await.contains("left alone: it fails again and again"));
}

#[tokio::test]
async fn mail_that_is_too_large_for_a_scanner_counts_as_failed_and_it_is_not_left_alone() {
    let (sink, admin) = (next_hop().await, free_address().unwrap());
    let nobody = free_address().unwrap();
    let scanner = format!(
        "[[filter]]\nname = \"virus\"\ntype = \"clamd\"\nserver = \"inet:{nobody}\"\n\
         size_limit = \"1 KiB\"\nif_failed = \"pass\"\n"
    );
    let setup = Setup::before(&sink).listener("mx", "mode = \"mx\"").sections(&scanner);
    let setup = setup.section("admin", &format!("bind = [\"{admin}\"]"));
    let gateway = Gateway::start(&setup).await;
    // So often that one that fails would be left alone.
    for _ in 0..6 {
        gateway.accept(mail_to("user").content("0123456789\r\n".repeat(1_000))).await;
    }
    sink.expect(6).await;
    let metrics = get(admin, "/metrics").await;
    for line in [
        "mailweir_filter_mails_total{filter=\"virus\",outcome=\"failed\"} 6\n",
        "mailweir_filter_seconds_count{filter=\"virus\"} 0\n",
        "mailweir_filter_left_alone{filter=\"virus\"} 0\n",
    ] {
        assert!(metrics.contains(line), "{line}{metrics}");
    }
}

async fn get(admin: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(admin).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
