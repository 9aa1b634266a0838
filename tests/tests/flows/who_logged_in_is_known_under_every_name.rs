//! Whoever logged in is who they are, whatever stands in the envelope: nobody lets their own mail pass
//! by a null sender, or approves it under another name.

use mailweir::moderation::TakeError;
use mailweir_moderation::case::{Actor, By, Command, Proof, Refused};
use mailweir_tests::{
    gateway::{Gateway, Peer, Setup, USER, USER_PASSWORD, mail},
    sink::{Script, Sink},
};

const SECRET: &str = "From: sales@local.example\r\nSubject: a secret\r\n\r\ntext\r\n";

#[tokio::test]
async fn the_null_sender_of_a_log_in_is_no_report() {
    let (gateway, _sink) = moderated().await;
    let mut peer = logged_in(&gateway).await;
    let answer = peer.send(&mail().from("").content(SECRET)).await;
    assert!(answer.reply().contains("held for approval"), "{}", answer.reply());
    let case = gateway.moderation().case(answer.expect_accepted()).unwrap();
    assert_eq!(case.mail.login.as_deref(), Some(USER));
    // A report of somebody else's system goes, as ever.
    let mut stranger = gateway.connect_to("mx").await;
    stranger.greet().await;
    let answer = stranger.send(&mail().from("").to("user@local.example").content(SECRET)).await;
    assert!(!answer.reply().contains("held"), "{}", answer.reply());
}

#[tokio::test]
async fn a_moderator_decides_about_no_mail_of_their_own_log_in() {
    for listed in ["kim@local.example", "Kim@local.example"] {
        a_moderator_decides_about_no_mail_of_their_own(listed).await;
    }
}

/// The rule names Kim, who is listed in letters of this case.
async fn a_moderator_decides_about_no_mail_of_their_own(listed: &str) {
    let (gateway, _sink) = with_kim(listed).await;
    let mut peer = logged_in(&gateway).await;
    let id = peer.send(&mail().from("sales@local.example").content(SECRET)).await;
    let id = id.expect_accepted();
    let approve = |who: &str| Command::Approve {
        by: By { who: Actor::Moderator(who.parse().unwrap()), proof: Proof::Link, from: None },
        comment: "".into(),
        only: None,
        at: None,
        trust_days: 0,
    };
    let refused = gateway.moderation().take(id, approve("kim@local.example")).await;
    assert!(matches!(refused, Err(TakeError::Refused(Refused::OwnMail))), "{refused:?}");
    gateway.moderation().take(id, approve("lee@local.example")).await.unwrap();
}

async fn moderated() -> (Gateway, Sink) {
    with_kim("kim@local.example").await
}

/// Kim's log-in is that of the user.
async fn with_kim(address: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let submission = "mode = \"submission\"\ntls = \"none\"\nauth_in_clear = true";
    let setup = Setup::before(&sink)
        .listener("mx", "mode = \"mx\"")
        .listener("submission", submission)
        .section("auth.senders", "policy = \"any\"")
        .sections(&format!(
            "[[moderation.moderator]]\naddress = {address:?}\nlogin = {USER:?}\n\
             [[moderation.rule]]\nname = \"secrets\"\nsubject = [\"secret\"]\n\
             action = \"approval\"\nmoderators = [\"kim@local.example\", \"lee@local.example\"]\n"
        ));
    (Gateway::start(&setup).await, sink)
}

async fn logged_in(gateway: &Gateway) -> Peer {
    let mut peer = gateway.connect_to("submission").await;
    peer.greet().await;
    peer.log_in(USER, USER_PASSWORD, "235 2.7.0 *").await;
    peer
}
