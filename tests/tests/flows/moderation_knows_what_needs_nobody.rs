//! Which mail waits for people and which does not, and what else keeps it.

use mailweir::control::operation::{Answer, Operation, Place};
use mailweir_moderation::{
    case::{Actor, By, Command, Proof},
    deed::Deed,
};
use mailweir_tests::{
    gateway::{Gateway, Mail, Setup, USER, USER_PASSWORD, USER_TV, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn a_trusted_sender_and_a_trusted_credential_need_nobody() {
    let sink = Sink::start(Script::smtp()).await;
    let listener = "mode = \"submission\"\ntls = \"none\"\nauth_in_clear = true";
    let lines = "trusted_senders = [\"news@local.example\"]\ntrusted_credentials = [\"tv\"]";
    let setup = everything_waits(&sink, "", lines).listener("submission", listener);
    let gateway = Gateway::start(&setup).await;
    for (password, sender, waits) in [
        (USER_PASSWORD, "alice@local.example", true),
        (USER_PASSWORD, "news@local.example", false),
        (USER_TV, "alice@local.example", false),
    ] {
        let mut alice = gateway.connect().await;
        alice.greet().await;
        alice.log_in(USER, password, "235 2.7.0 *").await;
        let answer = alice.send(&mail().from(sender)).await;
        assert_eq!(answer.reply().contains("(held for approval)"), waits, "{sender}");
        alice.leave().await;
    }
    // Two mails, one request, and that it is held.
    sink.expect(4).await;
}

#[tokio::test]
async fn a_chain_of_trusted_hosts_needs_nobody_and_one_stranger_in_it_does() {
    let sink = Sink::start(Script::smtp()).await;
    let lines = "trusted_chain = true\ntrusted_hosts = [\"127.0.0.1\", \"192.0.2.1\"]";
    let gateway = Gateway::start(&everything_waits(&sink, "", lines)).await;
    let from = |hop: &str| mail().header(&format!("Received: from x (x [{hop}]) by y; now"));
    expect(&gateway, from("192.0.2.1"), false).await;
    expect(&gateway, from("192.0.2.2"), true).await;
    expect(&gateway, from("192.0.2.1").header("Received: from z by y; now"), true).await;
}

#[tokio::test]
async fn what_a_table_holds_too_waits_for_the_operator_when_it_is_approved() {
    let sink = Sink::start(Script::smtp()).await;
    let header_checks = "header_checks = [\"static:HOLD look at this\"]";
    let setup = everything_waits(&sink, "", "").section("checks", header_checks);
    let gateway = Gateway::start(&setup).await;
    let answer = gateway.submit(mail()).await;
    let id = answer.expect_accepted();
    let reason = gateway.queue().show(id).await.entry.hold_reason.unwrap();
    assert!(reason.as_str().starts_with("moderation rule \"all\" ("), "{reason}");
    assert!(reason.as_str().ends_with("; look at this"), "{reason}");
    let who = Actor::Moderator("ann@local.example".parse().unwrap());
    let by = By { who, proof: Proof::Login, from: None };
    let approve = Command::Approve { by, comment: "".into(), only: None, at: None, trust_days: 0 };
    gateway.moderation().take(id, approve).await.unwrap();
    gateway.queue().expect(id, Place::Hold).await;
    gateway.queue().release(id).await;
    let all = sink.expect(2).await;
    assert!(all.iter().any(|mail| mail.recipients() == ["user@local.example"]));
}

#[tokio::test]
async fn a_rule_for_mail_to_the_outside_looks_behind_aliases() {
    let sink = Sink::start(Script::smtp()).await;
    let aliases = "virtual_alias_maps = [\"inline:{{away@local.example = me@far.example}}\"]";
    let setup = everything_waits(&sink, "outside = true", "").section("rewriting", aliases);
    let gateway = Gateway::start(&setup).await;
    expect(&gateway, mail(), false).await;
    expect(&gateway, mail().to("away@local.example"), true).await;
    let [(_, case)] = &*gateway.moderation().cases(None, 9) else { panic!("one case") };
    assert_eq!(case.mail.recipients[0].address.as_str(), "me@far.example");
    assert!(case.mail.recipients[0].is_outside);
}

#[tokio::test]
async fn trust_lets_a_log_in_out_of_the_rule_it_was_given_for_and_no_other_until_it_is_ended() {
    let sink = Sink::start(Script::smtp()).await;
    let rules = "[[moderation.rule]]\nname = \"secrets\"\naction = \"approval\"\n\
                 moderators = [\"bob@local.example\"]\nsubject = [\"secret\"]\n";
    let listener = "mode = \"submission\"\ntls = \"none\"\nauth_in_clear = true";
    let setup = Setup::before(&sink).sections(rules).sections(
        "[[moderation.rule]]\nname = \"all\"\naction = \"approval\"\n\
         moderators = [\"ann@local.example\"]\n",
    );
    let gateway = Gateway::start(&setup.listener("submission", listener)).await;
    let send = async |subject: &str| {
        let mut alice = gateway.connect().await;
        alice.greet().await;
        alice.log_in(USER, USER_PASSWORD, "235 2.7.0 *").await;
        let mail = mail().from("alice@local.example").header(&format!("Subject: {subject}"));
        let answer = alice.send(&mail).await;
        alice.leave().await;
        let waits = answer.reply().contains("(held for approval)");
        (answer.expect_accepted(), waits)
    };
    let (id, waits) = send("hello").await;
    assert!(waits);
    let who = Actor::Moderator("ann@local.example".parse().unwrap());
    let by = By { who, proof: Proof::Login, from: None };
    let approve = Command::Approve { by, comment: "".into(), only: None, at: None, trust_days: 7 };
    gateway.moderation().take(id, approve).await.unwrap();

    let (passed, waits) = send("hello").await;
    assert!(!waits);
    gateway
        .log()
        .expect(&format!("*{passed}: passes rule \"all\" (*: {USER} is trusted for it"))
        .await;
    let (secret, waits) = send("a secret").await;
    assert!(waits, "nobody said anything of that rule");
    assert_eq!(&*gateway.moderation().case(secret).unwrap().case.plan.rule.name, "secrets");

    let answers = gateway.queue().ask(Operation::Trusted).await;
    let [Answer::Trusted(trusted)] = &*answers else { panic!("{answers:?}") };
    assert_eq!((&*trusted.login, &*trusted.rule), (USER, "all"));
    let distrust = |rule: &str| Operation::Distrust { login: USER.into(), rule: Some(rule.into()) };
    let answers = gateway.queue().ask(distrust("secrets")).await;
    assert!(matches!(&*answers, [Answer::Failed { .. }]), "{answers:?}");
    let answers = gateway.queue().ask(distrust("all")).await;
    assert_eq!(answers, [Answer::Distrusted { mails: vec![id] }]);
    assert!(gateway.queue().ask(Operation::Trusted).await.is_empty());
    assert!(send("hello").await.1);
}

#[tokio::test]
async fn mail_that_is_handed_on_to_somebody_away_is_for_their_deputy() {
    let sink = Sink::start(Script::smtp()).await;
    let people = "[[moderation.moderator]]\naddress = \"bob@local.example\"\n\
                  absent = [\"2000-01-01..2999-12-31\"]\ndeputy = \"dee@local.example\"\n\
                  [[moderation.moderator]]\naddress = \"eve@local.example\"\n\
                  absent = [\"2000-01-01..2999-12-31\"]\n";
    let gateway = Gateway::start(&everything_waits(&sink, "", "").sections(people)).await;
    let id = gateway.submit(mail()).await.expect_accepted();
    let forward =
        |to: &str| Operation::Decide { id, deed: Deed::Forward { to: to.parse().unwrap() } };
    let answers = gateway.queue().ask(forward("eve@local.example")).await;
    assert!(matches!(&*answers, [Answer::Refused { .. }]), "{answers:?}");
    let answers = gateway.queue().ask(forward("bob@local.example")).await;
    assert_eq!(answers, [Answer::Changed { id }]);
    let file = gateway.moderation().case(id).unwrap();
    let seat = file.case.deciders().last().unwrap();
    assert_eq!(seat.address.as_str(), "dee@local.example");
    assert_eq!(seat.principal().as_str(), "bob@local.example");
}

/// A gateway at which everything waits for ann that meets `conditions`.
fn everything_waits(sink: &Sink, conditions: &str, moderation: &str) -> Setup {
    let rule = format!(
        "[[moderation.rule]]\nname = \"all\"\naction = \"approval\"\n\
         moderators = [\"ann@local.example\"]\n{conditions}\n"
    );
    Setup::before(sink).section("moderation", moderation).sections(&rule)
}

async fn expect(gateway: &Gateway, mail: Mail, waits: bool) {
    let answer = gateway.submit(mail).await;
    assert_eq!(answer.reply().contains("(held for approval)"), waits, "{}", answer.reply());
    answer.expect_accepted();
}
