//! A sender is a claim. Whoever writes under the name of somebody else makes us write nothing to them:
//! neither strangers with a sender of ours, nor outside mail that a relay of ours hands over.

use mailweir_moderation::case::{Actor, By, Command, Proof, TellsSender};
use mailweir_tests::{
    gateway::{Gateway, Peer, Setup, USER, USER_PASSWORD, mail},
    sink::{Script, Sink},
};

const SECRET: &str = "Subject: a secret\r\n\r\ntext\r\n";

#[tokio::test]
async fn senders_of_ours_from_a_log_in_or_our_networks_are_told_and_nobody_else() {
    let (gateway, sink) =
        moderated("action = \"approval\"\nmoderators = [\"kim@local.example\"]").await;
    let mut told = Vec::new();
    for (number, (from, client, sender, is_told)) in [
        ("127.0.0.1", "", "a@local.example", true),
        // The relay names a client of ours.
        ("127.0.0.1", "127.0.0.1", "b@local.example", true),
        // Outside mail that the relay hands over, with a sender that may be anybody.
        ("127.0.0.1", "", "victim@other.example", false),
        ("127.0.0.1", "192.0.2.9", "c@local.example", false),
        ("127.0.0.1", "192.0.2.9", "victim@other.example", false),
        // A stranger.
        ("127.0.0.2", "", "d@local.example", false),
        ("127.0.0.2", "", "victim@other.example", false),
        // A log-in, which says who it was where the sender is ours. It may be under any other.
        ("log-in", "", "alice@local.example", true),
        ("log-in", "", "accomplice@far.example", false),
    ]
    .into_iter()
    .enumerate()
    {
        let mut peer = connected(&gateway, from).await;
        if !client.is_empty() {
            peer.ask(&format!("XFORWARD ADDR={client}"), "250 *").await;
        }
        let id = peer.send(&mail().from(sender).content(SECRET)).await.expect_accepted();
        let case = gateway.moderation().case(id).unwrap();
        let tells = if is_told { TellsSender::Always } else { TellsSender::Never };
        assert_eq!(case.case.plan.tells_sender, tells, "{from} {client} {sender}");
        // The request, and that it is held; what came of it.
        sink.expect(number + 1 + told.len() + usize::from(is_told)).await;
        gateway.moderation().take(id, reject()).await.unwrap();
        told.extend(is_told.then_some([sender, sender]).into_iter().flatten());
        sink.expect(number + 1 + told.len()).await;
    }
    gateway.queue().expect_empty().await;
    let mut heard: Vec<String> =
        sink.attempts().iter().map(|one| one.recipients().concat()).collect();
    heard.retain(|one| one != "kim@local.example");
    heard.sort();
    told.sort_unstable();
    assert_eq!(heard, told);
}

#[tokio::test]
async fn who_logged_in_is_told_at_an_address_that_is_theirs_and_at_no_other() {
    let moderator =
        format!("[[moderation.moderator]]\naddress = \"kim@far.example\"\nlogin = {USER:?}\n");
    let directory = tempfile::tempdir().unwrap();
    let maps = directory.path().join("maps");
    std::fs::write(&maps, format!("alice@far.example {USER}\n")).unwrap();
    let maps = format!("policy = \"maps\"\nheader_from = false\nlogin_maps_file = {maps:?}");
    for (senders, moderator, sender, told) in [
        ("policy = \"any\"", "", "alice@far.example", None),
        // The map gives it to them.
        (&*maps, "", "alice@far.example", Some("alice@far.example")),
        // The log-in of a moderator, who has an address.
        ("policy = \"any\"", &*moderator, "accomplice@far.example", Some("kim@far.example")),
    ] {
        let (gateway, _sink) =
            held(senders, &format!("action = \"confirmation\"\n{moderator}")).await;
        let mut peer = connected(&gateway, "log-in").await;
        let id = peer.send(&mail().from(sender).content(SECRET)).await.expect_accepted();
        let case = gateway.moderation().case(id).unwrap().case.clone();
        let asked: Vec<&str> = case.deciders().iter().map(|one| one.address.as_str()).collect();
        assert_eq!(asked, Vec::from_iter(told), "{senders} {moderator}");
        let is_told = case.plan.tells_sender != TellsSender::Never;
        assert_eq!(is_told, told.is_some(), "{senders} {moderator}");
    }
}

#[tokio::test]
async fn who_may_not_have_sent_it_is_not_asked_to_confirm_it() {
    let (gateway, sink) = moderated("action = \"confirmation\"").await;
    let mut peer = connected(&gateway, "127.0.0.1").await;
    peer.send(&mail().from("victim@other.example").content(SECRET)).await.expect_accepted();
    assert_eq!(sink.expect_one().await.recipients(), ["postmaster@local.example"]);
    peer.send(&mail().from("a@local.example").content(SECRET)).await.expect_accepted();
    assert_eq!(sink.expect(2).await[1].recipients(), ["a@local.example"]);
}

async fn moderated(rule: &str) -> (Gateway, Sink) {
    held("policy = \"any\"", rule).await
}

async fn held(senders: &str, rule: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let mx = "mode = \"mx\"\nnetworks = [\"127.0.0.1\"]\nxforward_hosts = [\"127.0.0.1\"]";
    let submission = "mode = \"submission\"\ntls = \"none\"\nauth_in_clear = true";
    let setup = Setup::before(&sink)
        .listener("mx", mx)
        .listener("submission", submission)
        .section("auth.senders", senders)
        .section("domains", "postmaster = \"postmaster@local.example\"")
        .sections(&format!(
            "[[moderation.rule]]\nname = \"secrets\"\nsubject = [\"secret\"]\n{rule}\n"
        ));
    (Gateway::start(&setup).await, sink)
}

async fn connected(gateway: &Gateway, from: &str) -> Peer {
    if from != "log-in" {
        let mut peer = gateway.connect_from(from, "mx").await;
        peer.greet().await;
        return peer;
    }
    let mut peer = gateway.connect_to("submission").await;
    peer.greet().await;
    peer.log_in(USER, USER_PASSWORD, "235 2.7.0 *").await;
    peer
}

fn reject() -> Command {
    let who = Actor::Moderator("kim@local.example".parse().unwrap());
    Command::Reject { by: By { who, proof: Proof::Link, from: None }, reason: "no".into() }
}
