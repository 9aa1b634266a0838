//! What filters hand back while a client waits is the mail: for the next filter, for rules that ask who gets it, and for whom
//! it goes to. What they have taken of it for themselves goes nowhere.

use mailweir::control::operation::Place;
use mailweir_tests::{
    gateway::{Gateway, Mail, Setup, mail_to},
    handing_back::{HandingBack, Plan},
    sink::{Script, Sink},
};

#[tokio::test]
async fn the_second_of_two_filters_sees_what_the_first_has_made_of_a_mail() {
    let sink = next_hop().await;
    let first = Plan::changing(|content| content.replace("Subject: ", "Subject: 1"))
        .between("first@local.example", &["user@local.example", "new@local.example"]);
    let second = Plan::changing(|content| content.replace("Subject: 1", "Subject: 12"))
        .between("second@local.example", &["new@local.example"]);
    let (one, two) = (HandingBack::start(first).await, HandingBack::start(second).await);
    let gateway = asking(front(&sink, ""), &[("one", &one, ""), ("two", &two, "")]).await;
    gateway.accept(for_both()).await;

    let [shown] = &two.shown()[..] else { panic!("asked once") };
    assert_eq!(shown.sender, "first@local.example");
    assert_eq!(shown.recipients, ["user@local.example", "new@local.example"]);
    assert!(shown.content.contains("\r\nSubject: 1a mail\r\n"), "{}", shown.content);
    let mail = sink.expect_one().await;
    assert_eq!(mail.sender(), "second@local.example");
    assert_eq!(mail.recipients(), ["new@local.example"]);
    assert!(mail.text().contains("\r\nSubject: 12a mail\r\n"), "{}", mail.text());
    gateway.log().expect("status=sent").await;
    gateway.log().expect("the filter one has taken the copy of <other@local.example>").await;
    gateway.log().expect("the filter two has taken the copy of <user@local.example>").await;
    gateway.log().expect_none("the filter two has taken the copy of <other@local.example>");
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn a_filter_is_asked_about_those_whom_the_one_before_has_left_or_added() {
    let sink = next_hop().await;
    let one = Plan::keeping().and_for(&["user@local.example", "new@local.example"]);
    let one = HandingBack::start(one).await;
    let (of_taken, of_new) =
        (HandingBack::start(Plan::passing()).await, HandingBack::start(Plan::passing()).await);
    let filters = [
        ("one", &one, ""),
        ("of-taken", &of_taken, "recipients = [\"other@local.example\"]"),
        ("of-new", &of_new, "recipients = [\"new@local.example\"]"),
    ];
    let gateway = asking(front(&sink, ""), &filters).await;
    gateway.accept(for_both()).await;
    assert_eq!(sink.expect_one().await.recipients(), ["user@local.example", "new@local.example"]);
    assert_eq!((of_taken.shown().len(), of_new.shown().len()), (0, 1));
}

#[tokio::test]
async fn who_gets_a_mail_for_all_gets_it_while_a_filter_leaves_one_of_them() {
    for left in [USER, OTHER] {
        let sink = next_hop().await;
        let filter = HandingBack::start(Plan::keeping().and_for(left)).await;
        let redirect = "header_checks = [\"static:REDIRECT guard@local.example\"]";
        let gateway = asking(front(&sink, redirect), &[("one", &filter, "")]).await;
        gateway.accept(for_both()).await;
        assert_eq!(filter.shown()[0].recipients, [USER[0], OTHER[0]]);
        assert_eq!(sink.expect_one().await.recipients(), ["guard@local.example"]);
        gateway.queue().expect_empty().await;
    }
}

#[tokio::test]
async fn a_copy_that_a_filter_takes_goes_under_no_other_name_and_all_others_go() {
    let bcc = "header_checks = [\"static:BCC copy@local.example\"]";
    let aliases = "virtual_alias_maps = [\"inline:{user@local.example=kim@local.example}\"]";
    for (rewriting, user) in [("", "user@local.example"), (aliases, "kim@local.example")] {
        for (left, gets) in
            [(USER, user), (OTHER, OTHER[0]), (&["postmaster@gate.example"], "ann@local.example")]
        {
            let sink = next_hop().await;
            let filter = HandingBack::start(Plan::keeping().and_for(left)).await;
            let setup = front(&sink, bcc)
                .section("domains", "postmaster = \"ann@local.example\"")
                .section("rewriting", rewriting);
            let gateway = asking(setup, &[("one", &filter, "")]).await;
            gateway.accept(for_both().to("postmaster")).await;
            assert_eq!(sink.expect_one().await.recipients(), [gets, "copy@local.example"]);
            gateway.log().expect("status=sent").await;
            let taken = gateway.log().count("the filter one has taken the copy of ");
            assert_eq!(taken, 2, "{}", gateway.log());
        }
    }
}

#[tokio::test]
async fn a_mail_that_a_filter_takes_whole_goes_to_nobody() {
    for rule in ["REDIRECT guard@local.example", "BCC copy@local.example"] {
        let sink = next_hop().await;
        let filter = HandingBack::start(Plan::keeping()).await;
        let rule = format!("header_checks = [\"static:{rule}\"]");
        let gateway = asking(front(&sink, &rule), &[("one", &filter, "")]).await;
        let said = gateway.submit(for_both()).await;
        assert!(said.reply().starts_with("250 2.0.0 "), "{}", said.reply());
        gateway.log().expect("the filter one: it has taken the mail and handed nothing").await;
        gateway.queue().expect_empty().await;
        sink.expect_nothing();
    }
}

#[tokio::test]
async fn a_rule_where_mail_comes_back_says_who_gets_it_and_no_copy_counts_as_taken() {
    for (rule, gets) in [
        ("REDIRECT guard@local.example", vec!["guard@local.example"]),
        ("BCC copy@local.example", vec![USER[0], OTHER[0], "copy@local.example"]),
    ] {
        let sink = next_hop().await;
        let filter = HandingBack::start(Plan::passing()).await;
        let back = format!("sender_restrictions = [\"check_sender_access static:{{{rule}}}\"]");
        let gateway = asking_back(front(&sink, ""), &[("one", &filter, "")], &back).await;
        gateway.accept(for_both()).await;
        assert_eq!(sink.expect_one().await.recipients(), gets);
        gateway.log().expect("status=sent").await;
        gateway.log().expect_none("the filter one has taken the copy of ");
    }
}

#[tokio::test]
async fn our_own_checks_judge_a_mail_as_its_client_sent_it() {
    let sink = next_hop().await;
    let turns = |content: String| match content.contains("Subject: bad") {
        true => content.replace("Subject: bad", "Subject: good"),
        false => content.replace("Subject: good", "Subject: bad"),
    };
    let filter = HandingBack::start(Plan::changing(turns)).await;
    let checks = "header_checks = [\"regexp:{ {/^Subject: bad/ REJECT not that one} }\"]";
    let rule = rule("subject = [\"bad\"]");
    let gateway = asking(front(&sink, checks).sections(&rule), &[("one", &filter, "")]).await;
    gateway.submit(about("bad")).await.expect_refused("550 5.7.1 not that one");
    assert_eq!(filter.shown().len(), 0);
    gateway.accept(about("good")).await;
    let text = sink.expect_one().await.text();
    assert!(text.contains("\r\nSubject: bad\r\n"), "{text}");
}

#[tokio::test]
async fn what_is_held_for_people_is_what_came_back() {
    let sink = next_hop().await;
    let filter = Plan::changing(|content| content.replace("Subject: secret", "Subject: x"));
    let filter = HandingBack::start(filter).await;
    let rule = rule("subject = [\"secret\"]");
    let gateway = asking(front(&sink, "").sections(&rule), &[("one", &filter, "")]).await;
    let id = gateway.accept(about("secret")).await;
    gateway.queue().expect(id, Place::Hold).await;
    assert_eq!(sink.expect_one().await.recipients(), ["kim@local.example"]);
    gateway.queue().release(id).await;
    // Beside what is sent, kim hears that an operator has decided.
    let mails = sink.expect(3).await;
    let sent = mails.iter().find(|mail| !mail.sender().is_empty()).unwrap().text();
    assert!(sent.contains("\r\nSubject: x\r\n"), "{sent}");
}

#[tokio::test]
async fn people_are_asked_by_the_envelope_that_came_back() {
    for (lines, plan) in [
        ("outside = true", Plan::passing().between("ann@local.example", &["x@far.example"])),
        ("senders = [\"eve@local.example\"]", Plan::passing().between("eve@local.example", USER)),
    ] {
        let sink = next_hop().await;
        let filter = HandingBack::start(plan).await;
        let setup = front(&sink, "networks = [\"127.0.0.1\"]").sections(&rule(lines));
        let gateway = asking(setup, &[("one", &filter, "")]).await;
        let id = gateway.accept(for_both()).await;
        gateway.queue().expect(id, Place::Hold).await;
        let reason = gateway.queue().show(id).await.entry.hold_reason.unwrap();
        assert!(reason.as_str().starts_with("moderation rule \"people\""), "{}", reason.as_str());
    }
}

#[tokio::test]
async fn what_a_rule_refuses_where_mail_comes_back_the_client_hears() {
    let sink = next_hop().await;
    let plan = Plan::passing().between("eve@local.example", USER);
    let filter = HandingBack::start(plan).await;
    let list = "sender_restrictions = [\"check_sender_access inline:{ {eve@local.example = REJECT not her} }\"]";
    // The list of the listener in front has been asked before.
    let gateway = asking(front(&sink, list), &[("one", &filter, "")]).await;
    gateway.accept(for_both()).await;
    assert_eq!(sink.expect_one().await.sender(), "eve@local.example");
    let gateway = asking_back(front(&sink, ""), &[("one", &filter, "")], list).await;
    let refusal = "554 5.7.1 <eve@local.example>: Sender address rejected: not her";
    gateway.submit(for_both()).await.expect_refused(refusal);
    gateway.queue().expect_empty().await;
    assert_eq!(sink.attempts().len(), 1);
}

const USER: &[&str] = &["user@local.example"];

const OTHER: &[&str] = &["other@local.example"];

fn for_both() -> Mail {
    mail_to("user").to(OTHER[0])
}

fn about(subject: &str) -> Mail {
    mail_to("user").content(format!("Subject: {subject}\r\n\r\ntext\r\n"))
}

/// A rule that has people asked about what it means.
fn rule(lines: &str) -> String {
    format!(
        "[[moderation.rule]]\nname = \"people\"\naction = \"approval\"\nmoderators = [\"kim@local.example\"]\n{lines}\n"
    )
}

async fn next_hop() -> Sink {
    Sink::start(Script::smtp()).await
}

/// The listener where mail comes in first, with these lines.
fn front(sink: &Sink, lines: &str) -> Setup {
    Setup::before(sink).listener("mx", &format!("mode = \"mx\"\n{lines}"))
}

/// A gateway with these filters before its queue, in this order; each with further lines.
async fn asking(front: Setup, filters: &[(&str, &HandingBack, &str)]) -> Gateway {
    asking_back(front, filters, "").await
}

/// The same, with further lines of the listeners where mail comes back.
async fn asking_back(
    mut setup: Setup,
    filters: &[(&str, &HandingBack, &str)],
    back: &str,
) -> Gateway {
    let back = format!("mode = \"filter\"\nnetworks = [\"127.0.0.0/8\"]\n{back}");
    for (name, filter, more) in filters {
        let to = filter.address();
        setup = setup.listener(&format!("behind-{name}"), &back).sections(&format!(
            "[[filter]]\nname = {name:?}\ntype = \"proxy\"\nto = \"smtp://{to}\"\nreturns_to = \"behind-{name}\"\n{more}\n"
        ));
    }
    let gateway = Gateway::start(&setup).await;
    for (name, filter, _) in filters {
        filter.hand_back_to(gateway.address(&format!("behind-{name}")));
    }
    gateway
}
