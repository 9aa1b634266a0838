//! A flood of held mail is no flood of notices (`attacks.md` D9).

use std::{collections::HashSet, fmt::Write as _};

use mailweir::control::operation::Place;
use mailweir_mail::QueueId;
use mailweir_moderation::{
    case::{Actor, By, Command, Proof},
    token::{Purpose, Token},
};
use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Received, Script, Sink},
};

#[tokio::test]
async fn further_requests_come_in_one_mail_with_a_link_for_each_case() {
    let sink = Sink::start(Script::smtp()).await;
    let mut gateway = Gateway::start(&gathering(&sink, 1, "1 d")).await;
    let cases = submit(&gateway, 4).await;
    assert_eq!(links(&sink.expect_one().await).len(), 1);
    gateway.reload(&gathering(&sink, 1, "1 s")).await.unwrap();
    let notices = sink.expect(2).await;
    let digest = &notices[1];
    assert_eq!((digest.sender(), digest.recipients()), ("", vec!["ann@local.example"]));
    assert!(digest.text().contains("3 mails wait for your approval"), "{}", digest.text());

    let mut asked = HashSet::new();
    for token in notices.iter().flat_map(links) {
        let (case, _, grant) = gateway.moderation().find(token.hash()).unwrap();
        assert_eq!((grant.purpose, grant.person.as_str()), (Purpose::Decide, "ann@local.example"));
        asked.insert(case);
        gateway.moderation().take(case, approve()).await.unwrap();
    }
    assert_eq!(asked, HashSet::from_iter(cases));
    // Four mails, and nothing more is told.
    sink.expect(6).await;
    gateway.queue().expect_empty().await;
    gateway.log().expect_times(4, "notice Request to <ann@local.example>: ").await;
}

#[tokio::test]
async fn what_was_gathered_is_told_after_a_restart() {
    let sink = Sink::start(Script::smtp()).await;
    let setup =
        |interval| waiting(&sink, &format!("digest_after = 0\ndigest_interval = \"{interval}\""));
    let mut gateway = Gateway::start(&setup("1 d")).await;
    let cases = submit(&gateway, 3).await;
    gateway.stop().await;
    assert_eq!(sink.attempts().len(), 0);
    gateway.configure(&gathering(&sink, 0, "1 s"));
    gateway.start_again().await;
    let notice = sink.expect(1).await.remove(0);
    assert_eq!(links(&notice).len(), 3);
    gateway.restart().await;
    for id in cases {
        gateway.queue().expect(id, Place::Hold).await;
    }
    assert_eq!(sink.attempts().len(), 1, "and not a second time");
}

#[tokio::test]
async fn who_decided_meanwhile_is_not_asked() {
    let sink = Sink::start(Script::smtp()).await;
    let mut gateway = Gateway::start(&gathering(&sink, 0, "1 d")).await;
    let cases = submit(&gateway, 2).await;
    gateway.moderation().take(cases[0], approve()).await.unwrap();
    gateway.reload(&gathering(&sink, 0, "1 s")).await.unwrap();
    let all = sink.expect(2).await;
    let notice = all.iter().find(|mail| mail.sender().is_empty()).unwrap();
    let [token] = &links(notice)[..] else { panic!("one link") };
    assert_eq!(gateway.moderation().find(token.hash()).unwrap().0, cases[1]);
    assert!(!notice.text().contains("mails wait"), "one is told by itself: {}", notice.text());
}

#[tokio::test]
async fn a_mail_with_many_moderators_and_their_answering_machines_are_no_flood() {
    let sink = Sink::start(Script::smtp()).await;
    let mut moderators = String::new();
    (0..500).for_each(|number| {
        let _ = write!(moderators, "\"m{number}@local.example\", ");
    });
    let lines = "notices_per_minute = 20\nfrom = \"approval@local.example\"";
    let gateway = Gateway::start(&setup(&sink, &moderators, lines)).await;
    let [id] = submit(&gateway, 1).await[..] else { panic!("one mail") };
    gateway.log().expect("20 notices within a minute: further ones wait until").await;
    sink.expect(20).await;
    let case = gateway.moderation().case(id).unwrap();
    assert_eq!(case.case.progress.owed.len(), 480, "the others are still owed");

    // A machine that answers nevertheless does it with a null sender: its mail asks nobody.
    let answer =
        mail().from("").to("approval@local.example").header("Auto-Submitted: auto-replied");
    for _ in 0..3 {
        gateway.submit(answer.clone()).await.expect_accepted();
    }
    sink.expect(23).await;
    assert_eq!(gateway.moderation().cases(None, 9).len(), 1);
    assert_eq!(gateway.log().count("notice Request to <"), 20);
}

#[tokio::test]
async fn a_sender_hears_a_bounded_number_of_times_a_day_and_the_log_says_what_was_left_out() {
    let sink = Sink::start(Script::smtp()).await;
    let lines = "digest_after = 0\ndigest_interval = \"1 d\"\nsender_notices_per_day = 2";
    let gateway = Gateway::start(&waiting(&sink, lines)).await;
    for _ in 0..4 {
        gateway.submit(mail().from("eve@local.example")).await.expect_accepted();
    }
    gateway.log().expect("notice Held to <eve@local.example> left out: number 3 today").await;
    gateway.log().expect("notice Held to <eve@local.example> left out: number 4 today").await;
    let told = sink.expect(2).await;
    assert!(told.iter().all(|mail| mail.recipients() == ["eve@local.example"]));
    for (_, file) in gateway.moderation().cases(None, 9) {
        let owed = &file.case.progress.owed;
        assert!(owed.iter().all(|owed| owed.to != mailweir_moderation::case::To::Sender));
    }
}

/// A gateway at which everything waits for ann, who gets so many requests by themselves.
fn gathering(sink: &Sink, after: u32, interval: &str) -> Setup {
    waiting(sink, &format!("digest_after = {after}\ndigest_interval = \"{interval}\""))
}

/// A gateway at which everything waits for ann.
fn waiting(sink: &Sink, lines: &str) -> Setup {
    setup(sink, "\"ann@local.example\"", lines)
}

fn setup(sink: &Sink, moderators: &str, lines: &str) -> Setup {
    let rule = format!(
        "[[moderation.rule]]\nname = \"all\"\naction = \"approval\"\nmoderators = [{moderators}]\n"
    );
    Setup::before(sink)
        .in_front_of_us()
        .section("moderation", lines)
        .section("admin", "bind = []\npublic_url = \"https://mail.local.example\"")
        .sections(&rule)
}

async fn submit(gateway: &Gateway, count: usize) -> Vec<QueueId> {
    let mut cases = Vec::new();
    for number in 0..count {
        let mail = mail().content(format!("Subject: number {number}\r\n\r\ntext\r\n"));
        cases.push(gateway.submit(mail).await.expect_accepted());
    }
    cases
}

/// The tokens in the text of a notice, each once.
fn links(notice: &Received) -> Vec<Token> {
    let text = notice.text().replace("=\r\n", "").replace("=\n", "").replace("=3D", "=");
    let mut tokens: Vec<Token> = Vec::new();
    for rest in text.split("https://mail.local.example/m/").skip(1) {
        let token: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        let token = token.parse().unwrap();
        if !tokens.contains(&token) {
            tokens.push(token);
        }
    }
    tokens
}

fn approve() -> Command {
    let who = Actor::Moderator("ann@local.example".parse().unwrap());
    let by = By { who, proof: Proof::Link, from: None };
    Command::Approve { by, comment: "".into(), only: None, at: None, trust_days: 0 }
}
