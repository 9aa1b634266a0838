//! Mail goes through filters of other people in their order, each once, and comes out as it was. Rows A5, F2, F3,
//! F6, F7, I6.

use std::fmt::Display;

use mailweir::control::operation::Place;
use mailweir_tests::{
    dns::FakeDns,
    free_address,
    gateway::{Gateway, Setup, mail, mail_to},
    handing_back::{HandingBack, Plan},
    pass_through::PassThrough,
    sink::{Act, Point, Script, Sink},
};

const BACK: &str =
    "mode = \"filter\"\nnetworks = [\"127.0.0.0/8\"]\nxforward_hosts = [\"127.0.0.0/8\"]";

fn filter(name: &str, to: impl Display, more: &str) -> String {
    format!(
        "[[filter]]\nname = {name:?}\ntype = \"smtp\"\nto = \"smtp://{to}\"\nreturns_to = \"behind-{name}\"\n{more}\n"
    )
}

/// A gateway with a listener `mx` and one behind each of these filters.
async fn behind(sink: &Sink, filters: &[(&str, std::net::SocketAddr, &str)]) -> Gateway {
    let mut setup = Setup::before(sink).listener("mx", "mode = \"mx\"");
    for (name, to, more) in filters {
        setup = setup.listener(&format!("behind-{name}"), BACK).sections(&filter(name, *to, more));
    }
    Gateway::start(&setup).await
}

#[tokio::test]
async fn a5_mail_passes_each_filter_once_and_comes_out_as_it_was() {
    let sink = Sink::start(Script::smtp()).await;
    let (virus, spam) = (PassThrough::start().await, PassThrough::start().await);
    let filters = [("virus", virus.address(), ""), ("spam", spam.address(), "")];
    let gateway = behind(&sink, &filters).await;
    virus.hand_back_to(gateway.address("behind-virus"));
    spam.hand_back_to(gateway.address("behind-spam"));

    let content = "Subject: x\r\n\r\n.dot\r\n\r\nFrom here\r\n";
    gateway.accept(mail_to("user").content(content)).await;
    let received = sink.expect_one().await;
    let text = received.text();
    assert!(text.ends_with(content), "{text}");
    assert_eq!(text.matches("\r\nReceived: ").count() + 1, 3, "{text}");
    assert!(!text.contains("X-Mailweir-Slip"), "{text}");
    assert_eq!((virus.connections(), spam.connections()), (1, 1));
    gateway.queue().expect_empty().await;
}

/// A slip and our `Received` make it larger, whatever the filter adds.
#[tokio::test]
async fn a_mail_that_is_just_not_too_large_is_not_too_large_on_its_way_back() {
    for kind in ["smtp", "proxy"] {
        let (sink, virus) = (Sink::start(Script::smtp()).await, PassThrough::start().await);
        let filter = filter("virus", virus.address(), "");
        let filter = filter.replace("type = \"smtp\"", &format!("type = {kind:?}"));
        let setup = Setup::before(&sink)
            .listener("mx", "mode = \"mx\"")
            .listener("behind-virus", BACK)
            .section("limits", "message_size_limit = \"4 KiB\"")
            .sections(&filter);
        let gateway = Gateway::start(&setup).await;
        virus.hand_back_to(gateway.address("behind-virus"));
        let content = format!("Subject: x\r\n\r\n{}\r\n", "0123456789\r\n".repeat(340));
        assert_eq!(content.len(), 4_096);
        gateway.accept(mail_to("user").content(&content)).await;
        assert!(sink.expect_one().await.text().ends_with(&content), "{kind}");
        let too_large = content + "\r\n";
        gateway.submit(mail_to("user").content(too_large)).await.expect_refused("552 *");
    }
}

#[tokio::test]
async fn f2_a_filter_hears_where_mail_came_from_and_so_does_the_next() {
    let next = Sink::start(Script::smtp()).await;
    let first = PassThrough::start().await;
    let told = Sink::start(Script::smtp().offering_also("XFORWARD NAME ADDR PROTO HELO")).await;
    let sections = filter("first", first.address(), "") + &filter("told", told.address(), "");
    let setup = Setup::before(&next)
        .listener("mx", "mode = \"mx\"\nxclient_hosts = [\"127.0.0.0/8\"]")
        .listener("behind-first", BACK)
        .listener("behind-told", BACK)
        .sections(&sections);
    let gateway = Gateway::start(&setup).await;
    first.hand_back_to(gateway.address("behind-first"));

    let mut peer = gateway.connect_to("mx").await;
    peer.greet().await;
    peer.say("XCLIENT NAME=mail.far.example ADDR=192.0.2.7 HELO=far.example PROTO=ESMTP").await;
    peer.greet().await;
    let id = peer.send(&mail_to("user")).await.expect_accepted();
    told.expect_one().await;
    let said = told.commands(0).join("\n");
    assert!(said.contains("XFORWARD NAME=mail.far.example ADDR=192.0.2.7 PROTO=ESMTP"), "{said}");
    next.expect_nothing();
    assert!(!said.contains(&id.to_string()), "nobody asked for it: {said}");
}

#[tokio::test]
async fn mail_that_lost_its_slip_passes_what_may_be_ahead_and_nothing_before() {
    let sink = Sink::start(Script::smtp()).await;
    let (virus, spam) = (PassThrough::start().await, PassThrough::start().await);
    let only_mx = "listeners = [\"mx\"]";
    let filters = [("virus", virus.address(), ""), ("spam", spam.address(), only_mx)];
    let gateway = behind(&sink, &filters).await;
    spam.hand_back_to(gateway.address("behind-spam"));

    let mut peer = gateway.connect_to("behind-virus").await;
    peer.greet().await;
    let forged = mail_to("user").content("X-Mailweir-Slip: AAAA\r\nSubject: x\r\n\r\ntext\r\n");
    peer.send(&forged).await.expect_accepted();
    let text = sink.expect_one().await.text();
    assert!(!text.contains("X-Mailweir-Slip"), "{text}");
    assert_eq!((virus.connections(), spam.connections()), (0, 1));
}

#[tokio::test]
async fn f6_only_copies_for_whom_a_filter_means_go_there() {
    let sink = Sink::start(Script::smtp()).await;
    let filtered = Sink::start(Script::smtp()).await;
    let only = "recipients = [\"user@local.example\"]";
    let gateway = behind(&sink, &[("own", filtered.address(), only)]).await;
    gateway.accept(mail_to("user").to("other@local.example")).await;
    assert_eq!(filtered.expect_one().await.recipients(), ["user@local.example"]);
    assert_eq!(sink.expect_one().await.recipients(), ["other@local.example"]);
}

#[tokio::test]
async fn f7_an_action_names_a_filter_and_only_that_one_is_passed_before_those_behind_it() {
    let sink = Sink::start(Script::smtp()).await;
    let (usual, named) = (PassThrough::start().await, PassThrough::start().await);
    let last = PassThrough::start().await;
    let sections = filter("usual", usual.address(), "")
        + &filter("named", named.address(), "only_by_action = true")
        + &filter("last", last.address(), "");
    let setup = Setup::before(&sink)
        .listener("mx", "mode = \"mx\"\nheader_checks = [\"static:FILTER named:\"]")
        .listener("behind-usual", BACK)
        .listener("behind-named", BACK)
        .listener("behind-last", BACK)
        .sections(&sections);
    let gateway = Gateway::start(&setup).await;
    for (filter, name) in [(&usual, "usual"), (&named, "named"), (&last, "last")] {
        filter.hand_back_to(gateway.address(&format!("behind-{name}")));
    }
    gateway.accept(mail_to("user")).await;
    sink.expect_one().await;
    let passed = [usual.connections(), named.connections(), last.connections()];
    assert_eq!(passed, [0, 1, 1]);
}

#[tokio::test]
async fn f3_what_becomes_of_mail_when_a_filter_is_down_is_as_configured() {
    fails_as_configured(&free_address().unwrap().to_string()).await;
}

#[tokio::test]
async fn f3_a_filter_whose_name_nobody_knows_has_failed() {
    fails_as_configured("nowhere.test:25").await;
}

#[tokio::test]
async fn f3_a_filter_that_refuses_us_has_failed() {
    let refuses = Sink::start(Script::smtp().replying(Point::Hello, "554 5.7.1 go away")).await;
    fails_as_configured(&refuses.address().to_string()).await;
}

#[tokio::test]
async fn i6_a_filter_that_leaves_or_says_nothing_behind_the_dot_has_failed() {
    for act in [Act::Drop, Act::Hang] {
        let leaves = Sink::start(Script::smtp().at(Point::Dot, act)).await;
        fails_as_configured(&leaves.address().to_string()).await;
    }
}

/// Mail to this filter is treated as `if_failed` says, whatever that says.
async fn fails_as_configured(to: &str) {
    let dns = FakeDns::start("other.test EXISTS").await;
    let servers = format!("servers = [\"{}\"]\ntimeout = \"1s\"", dns.address());
    let start = async |sink: &Sink, if_failed: &str| {
        let setup = Setup::before(sink).listener("mx", "mode = \"mx\"").section("dns", &servers);
        let more = format!("if_failed = {if_failed:?}\ntime_limit = \"2s\"");
        let setup = setup.listener("behind-down", BACK).sections(&filter("down", to, &more));
        Gateway::start(&setup).await
    };
    for (if_failed, place) in
        [("defer", Some(Place::Deferred)), ("hold", Some(Place::Hold)), ("pass", None)]
    {
        let sink = Sink::start(Script::smtp()).await;
        let gateway = start(&sink, if_failed).await;
        let id = gateway.accept(mail_to("user")).await;
        match place {
            Some(place) => {
                gateway.queue().expect(id, place).await;
                sink.expect_nothing();
            }
            None => {
                sink.expect_one().await;
                gateway.queue().expect_empty().await;
            }
        }
    }
    let sink = Sink::start(Script::smtp()).await;
    let gateway = start(&sink, "reject").await;
    gateway.accept(mail_to("user").from("bob@far.example")).await;
    let report = sink.expect_one().await;
    assert_eq!((report.sender(), report.recipients()), ("", vec!["bob@far.example"]));
    assert!(report.text().contains("the filter down failed: "), "{}", report.text());
}

#[tokio::test]
async fn i6_what_a_filter_says_of_a_mail_is_no_failure() {
    for (reply, place) in [("451 4.7.1 later", Some(Place::Deferred)), ("550 5.7.1 no", None)] {
        let sink = Sink::start(Script::smtp()).await;
        let says = Sink::start(Script::smtp().replying(Point::Dot, reply)).await;
        let gateway = behind(&sink, &[("says", says.address(), "if_failed = \"pass\"")]).await;
        let id = gateway.accept(mail_to("user").from("bob@far.example")).await;
        match place {
            Some(place) => {
                gateway.queue().expect(id, place).await;
                sink.expect_nothing();
            }
            None => {
                let report = sink.expect_one().await;
                assert_eq!((report.sender(), report.recipients()), ("", vec!["bob@far.example"]));
            }
        }
    }
}

#[tokio::test]
async fn i6_a_filter_that_hands_mail_back_where_it_comes_in_first_ends_it() {
    let sink = Sink::start(Script::smtp()).await;
    let lost = PassThrough::start().await;
    let setup = Setup::before(&sink)
        .listener("mx", "mode = \"mx\"")
        .section("limits", "hopcount_limit = 5")
        .listener("behind-lost", BACK)
        .sections(&filter("lost", lost.address(), ""));
    let gateway = Gateway::start(&setup).await;
    lost.hand_back_to(gateway.address("mx"));
    gateway.accept(mail().to("user@local.example").from("bob@far.example")).await;
    let report = sink.expect_one().await;
    assert_eq!((report.sender(), report.recipients()), ("", vec!["bob@far.example"]));
    // What goes back has been here as often as is allowed, and once more.
    let text = report.text();
    assert_eq!(text.matches("Received: from ").count(), 6, "{text}");
    assert!(lost.connections() <= 6, "{}", lost.connections());
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn f9_a_requeued_mail_passes_the_filters_of_today() {
    let (old, new) = (free_address().unwrap(), PassThrough::start().await);
    let sink = Sink::start(Script::smtp()).await;
    let setup = |sections: &str| {
        let setup = Setup::before(&sink).listener("mx", "mode = \"mx\"");
        let setup = setup.listener("behind-old", BACK).listener("behind-new", BACK);
        setup.sections(sections)
    };
    let mut gateway = Gateway::start(&setup(&filter("old", old, ""))).await;
    let waiting = gateway.accept(mail_to("user")).await;
    gateway.queue().expect(waiting, Place::Deferred).await;
    gateway.reload(&setup(&filter("new", new.address(), ""))).await.unwrap();
    new.hand_back_to(gateway.address("behind-new"));

    gateway.queue().flush().await;
    let _ = gateway.log().expect("the filter old is not there any more").await;
    gateway.queue().requeue(waiting).await;
    sink.expect_one().await;
    assert_eq!(new.connections(), 1);
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn f9_what_a_mail_has_passed_it_does_not_pass_again() {
    let (first, down) = (PassThrough::start().await, free_address().unwrap());
    let added = PassThrough::start().await;
    let sink = Sink::start(Script::smtp()).await;
    let setup = |sections: String| {
        let setup = Setup::before(&sink).listener("mx", "mode = \"mx\"");
        let setup = setup.listener("behind-first", BACK).listener("behind-down", BACK);
        setup.listener("behind-added", BACK).sections(&sections)
    };
    let before = filter("first", first.address(), "");
    let mut gateway = Gateway::start(&setup(before.clone() + &filter("down", down, ""))).await;
    first.hand_back_to(gateway.address("behind-first"));
    let _ = gateway.accept(mail_to("user")).await;
    let _ = gateway.log().expect("relay=none, ").await;
    let waiting = gateway.queue().list().await[0].queue_id;
    gateway.queue().expect(waiting, Place::Deferred).await;

    let filters = before + &filter("added", added.address(), "");
    gateway.reload(&setup(filters)).await.unwrap();
    added.hand_back_to(gateway.address("behind-added"));
    gateway.queue().requeue(waiting).await;
    sink.expect_one().await;
    assert_eq!((first.connections(), added.connections()), (1, 1));
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn f7_mail_that_an_action_sends_to_a_filter_waits_when_that_is_gone() {
    let sink = Sink::start(Script::smtp()).await;
    let down = free_address().unwrap();
    let setup = |sections: &str| {
        let rule = "mode = \"mx\"\nheader_checks = [\"static:FILTER named:\"]";
        Setup::before(&sink).listener("mx", rule).listener("behind-named", BACK).sections(sections)
    };
    let named = filter("named", down, "only_by_action = true");
    let mut gateway = Gateway::start(&setup(&named)).await;
    let id = gateway.accept(mail_to("user")).await;
    gateway.queue().expect(id, Place::Deferred).await;
    gateway.reload(&setup("")).await.unwrap();
    gateway.queue().flush().await;
    let _ = gateway.log().expect("the filter named is not there any more").await;
    gateway.queue().expect(id, Place::Deferred).await;
    sink.expect_nothing();
    gateway.queue().requeue(id).await;
    sink.expect_one().await;
}

#[tokio::test]
async fn f7_no_action_sends_a_mail_back_to_a_filter_that_has_had_it() {
    let sink = Sink::start(Script::smtp()).await;
    let had = PassThrough::start().await;
    let back = format!("{BACK}\nheader_checks = [\"static:FILTER had:\"]");
    let setup = Setup::before(&sink)
        .listener("mx", "mode = \"mx\"")
        .listener("behind-had", &back)
        .sections(&filter("had", had.address(), ""));
    let gateway = Gateway::start(&setup).await;
    had.hand_back_to(gateway.address("behind-had"));
    gateway.accept(mail_to("user")).await;
    sink.expect_one().await;
    assert_eq!(had.connections(), 1);
}

#[tokio::test]
async fn f9_what_a_filter_has_in_its_hands_when_it_is_taken_out_goes_on_behind_it() {
    let sink = Sink::start(Script::smtp()).await;
    let (out, last) = (PassThrough::start().await, PassThrough::start().await);
    let setup = |sections: &str| {
        let setup = Setup::before(&sink).listener("mx", "mode = \"mx\"");
        let setup = setup.listener("behind-out", BACK).listener("behind-last", BACK);
        setup.sections(sections)
    };
    let stays = filter("last", last.address(), "");
    let mut gateway = Gateway::start(&setup(&(filter("out", out.address(), "") + &stays))).await;
    gateway.accept(mail_to("user")).await;
    out.expect_connection().await;
    gateway.reload(&setup(&stays)).await.unwrap();
    last.hand_back_to(gateway.address("behind-last"));
    out.hand_back_to(gateway.address("behind-out"));
    let text = sink.expect_one().await.text();
    assert!(!text.contains("X-Mailweir-Slip"), "{text}");
    assert_eq!((out.connections(), last.connections()), (1, 1));
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn f9_what_the_last_filter_has_in_its_hands_when_it_is_taken_out_goes_on_without_a_slip() {
    let sink = Sink::start(Script::smtp()).await;
    let out = PassThrough::start().await;
    let setup = |sections: &str| {
        let setup = Setup::before(&sink).listener("mx", "mode = \"mx\"");
        setup.listener("behind-out", BACK).sections(sections)
    };
    let mut gateway = Gateway::start(&setup(&filter("out", out.address(), ""))).await;
    gateway.accept(mail_to("user")).await;
    out.expect_connection().await;
    gateway.reload(&setup("")).await.unwrap();
    out.hand_back_to(gateway.address("behind-out"));
    let text = sink.expect_one().await.text();
    assert!(!text.contains("X-Mailweir-Slip"), "{text}");
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn f9_a_listener_that_changes_hands_does_not_spare_mail_its_new_filter() {
    let sink = Sink::start(Script::smtp()).await;
    let (before, after) = (PassThrough::start().await, PassThrough::start().await);
    let setup = |sections: &str| {
        let setup = Setup::before(&sink).listener("mx", "mode = \"mx\"");
        let setup = setup.listener("behind-before", BACK).listener("behind-after", BACK);
        setup.sections(sections)
    };
    let new = filter("after", after.address(), "");
    let mut gateway =
        Gateway::start(&setup(&(filter("before", before.address(), "") + &new))).await;
    gateway.accept(mail_to("user")).await;
    before.expect_connection().await;
    gateway.reload(&setup(&new.replace("behind-after", "behind-before"))).await.unwrap();
    after.hand_back_to(gateway.address("behind-before"));
    before.hand_back_to(gateway.address("behind-before"));
    sink.expect_one().await;
    assert_eq!((before.connections(), after.connections()), (1, 1));
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn f9_what_a_filter_has_in_its_hands_when_its_way_back_is_moved_goes_on_as_it_came() {
    let sink = Sink::start(Script::smtp()).await;
    let (moved, last) = (PassThrough::start().await, PassThrough::start().await);
    let spared = PassThrough::start().await;
    let others = filter("spared", spared.address(), "directions = [\"outbound\"]")
        + &filter("last", last.address(), "");
    let setup = |moved: &str| {
        let setup = Setup::before(&sink).listener("mx", "mode = \"mx\"");
        let setup = setup.listener("behind-moved", BACK).listener("elsewhere", BACK);
        let setup = setup.listener("behind-spared", BACK).listener("behind-last", BACK);
        setup.sections(&(moved.to_owned() + &others))
    };
    let before = filter("moved", moved.address(), "");
    let mut gateway = Gateway::start(&setup(&before)).await;
    spared.hand_back_to(gateway.address("behind-spared"));
    last.hand_back_to(gateway.address("behind-last"));
    gateway.accept(mail_to("user")).await;
    moved.expect_connection().await;
    gateway.reload(&setup(&before.replace("behind-moved", "elsewhere"))).await.unwrap();
    moved.hand_back_to(gateway.address("elsewhere"));
    sink.expect_one().await;
    // Without its slip it would have gone there, too.
    assert_eq!(spared.connections(), 0);
    assert_eq!((moved.connections(), last.connections()), (1, 1));
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn f9_a_report_that_is_requeued_passes_no_filter() {
    let sink = Sink::start(Script::smtp().replying(Point::Rcpt, "451 4.2.0 later")).await;
    let down = free_address().unwrap();
    let gateway = behind(&sink, &[("down", down, "if_failed = \"reject\"")]).await;
    gateway.accept(mail_to("user").from("bob@far.example")).await;
    let put_off = "to=<bob@far.example>*status=deferred";
    let _ = gateway.log().expect(put_off).await;
    let waiting = gateway.queue().list().await;
    let report = waiting.iter().find(|mail| mail.sender.is_empty()).unwrap().queue_id;
    gateway.queue().expect(report, Place::Deferred).await;
    gateway.queue().requeue(report).await;
    let _ = gateway.log().expect_times(2, put_off).await;
}

/// Those between would never see it.
#[tokio::test]
async fn i6_mail_that_is_handed_back_where_another_filter_does_waits_until_that_is_set_right() {
    let sink = Sink::start(Script::smtp()).await;
    let virus = HandingBack::start(Plan::passing()).await;
    let (spam, footer) = (PassThrough::start().await, PassThrough::start().await);
    let filters = [
        ("virus", virus.address(), ""),
        ("spam", spam.address(), ""),
        ("footer", footer.address(), ""),
    ];
    let gateway = behind(&sink, &filters).await;
    spam.hand_back_to(gateway.address("behind-spam"));
    footer.hand_back_to(gateway.address("behind-footer"));
    virus.hand_back_to(gateway.address("behind-footer"));
    let id = gateway.accept(mail_to("user")).await;
    let put_off = "status=deferred*451 4.7.1 Error: this is no mail that anybody waits for here";
    let _ = gateway.log().expect(put_off).await;
    let _ = gateway.log().expect("hand back where its returns_to says").await;
    gateway.queue().expect(id, Place::Deferred).await;
    assert_eq!((spam.connections(), footer.connections()), (0, 0));
    sink.expect_nothing();

    virus.hand_back_to(gateway.address("behind-virus"));
    gateway.queue().flush().await;
    sink.expect_one().await;
    assert_eq!((spam.connections(), footer.connections()), (1, 1));
    gateway.queue().expect_empty().await;
}

/// Whoever keeps a slip of another mail leads none by a filter, or through one again.
#[tokio::test]
async fn a_slip_that_was_to_come_back_elsewhere_is_refused() {
    let sink = Sink::start(Script::smtp()).await;
    let keeps = Sink::start(Script::smtp()).await;
    let second = Sink::start(Script::smtp()).await;
    let filters = [("first", keeps.address(), ""), ("second", second.address(), "")];
    let gateway = behind(&sink, &filters).await;
    gateway.accept(mail_to("user")).await;
    let kept = keeps.expect_one().await.text();
    let (slip, _) = kept.split_once("\r\nReceived:").unwrap();
    assert!(slip.starts_with("X-Mailweir-Slip: "), "{kept}");

    let mut peer = gateway.connect_to("behind-second").await;
    peer.greet().await;
    let again = mail_to("user").content(format!("{slip}\r\nSubject: x\r\n\r\ntext\r\n"));
    let unknown = "451 4.7.1 Error: this is no mail that anybody waits for here";
    peer.send(&again).await.expect_refused(unknown);
    gateway.queue().expect_empty().await;
    sink.expect_nothing();
    second.expect_nothing();
}
