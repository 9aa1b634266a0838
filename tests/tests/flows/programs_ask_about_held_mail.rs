//! What waits for people is seen, decided and taken back by programs over HTTP: by their own mail's
//! password, by a moderator's, and by tokens of the administrators.

use std::net::SocketAddr;

use mailweir_mail::QueueId;
use mailweir_tests::{
    api::{Api, Reply, basic},
    free_address,
    gateway::{AUDITOR, Gateway, Setup, USER, USER_PASSWORD, USER_TV, mail},
    sink::{Script, Sink},
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_sender_follows_its_mail_while_a_moderator_decides() {
    let office = Office::open().await;
    let id = office.submit().await;
    let (sender, moderator) = (basic(USER, USER_TV), basic(AUDITOR, USER_PASSWORD));

    let own = office.get(&sender, "/api/v1/held").await.expect(200);
    assert_eq!((&own["held"][0]["id"], own["held"].as_array().unwrap().len()), (&json!(id), 1));
    assert_eq!(own["held"][0]["state"], "waiting");
    assert_eq!(own["held"][0].get("levels"), None, "who was asked is not for the sender");
    let waiting = office.get(&moderator, "/api/v1/held?mine=boss@local.example").await.expect(200);
    assert_eq!(waiting["held"][0]["levels"][0]["moderators"], json!(["boss@local.example"]));
    assert_eq!(waiting["held"][0]["client"], "127.0.0.1");

    // Looking changes nothing, and the sender's word is not asked for.
    let path = format!("/api/v1/held/{id}");
    office.deed(&sender, id, "approve", json!({})).await.expect(403);
    office.deed(&sender, id, "comment", json!({ "text": "please" })).await.expect(403);
    office.deed(&moderator, id, "cancel", json!({})).await.expect(403);
    assert_eq!(office.get(&sender, &path).await.expect(200)["state"], "waiting");

    let fine = json!({ "comment": "fine" });
    let after = office.deed(&moderator, id, "approve", fine.clone()).await.expect(200);
    assert_eq!(after["history"][1]["what"], "released by moderator boss@local.example");
    assert_eq!(after["history"][1]["from"], "127.0.0.1");
    let sent = office.sink.expect(2).await;
    assert!(sent.iter().any(|mail| mail.recipients() == ["friend@far.example"]));

    let told = office.get(&sender, &path).await.expect(200);
    assert_eq!(
        (&told["state"], &told["decision"]["what"]),
        (&json!("released"), &json!("released"))
    );
    assert_eq!(told["decision"]["by"], "moderator boss@local.example");
    assert_eq!(
        (&told["decision"]["proof"], &told["decision"]["words"]),
        (&json!("login"), &json!("")),
        "what moderators say to each other is not for the sender"
    );
    let late = office.deed(&moderator, id, "reject", json!({ "reason": "no" })).await.expect(409);
    assert_eq!(late["decision"]["words"], "fine");
    let late = office.deed(&sender, id, "cancel", json!({})).await.expect(409);
    assert_eq!(late["decision"], told["decision"]);
    let found = office.get(&sender, "/api/v1/held").await.expect(200);
    assert_eq!(found["held"], json!([]), "nothing waits any more");
    let found = office.get(&sender, "/api/v1/held?state=all&search=SECRET").await.expect(200);
    assert_eq!(found["held"][0]["id"], json!(id));
}

#[tokio::test]
async fn the_reason_of_a_refusal_is_for_the_sender() {
    let office = Office::open().await;
    let id = office.submit().await;
    let (sender, moderator) = (basic(USER, USER_TV), basic(AUDITOR, USER_PASSWORD));
    office.deed(&moderator, id, "reject", json!({ "reason": "not so" })).await.expect(200);
    let told = office.get(&sender, &format!("/api/v1/held/{id}")).await.expect(200);
    assert_eq!(told["decision"]["words"], "not so");
}

#[tokio::test]
async fn a_moderator_who_hands_a_mail_on_hears_that_it_was_done_and_sees_it_no_more() {
    let office = Office::open().await;
    let id = office.submit().await;
    let moderator = basic(AUDITOR, USER_PASSWORD);
    let forward = json!({ "to": "lee@local.example" });
    let after = office.deed(&moderator, id, "forward", forward).await.expect(200);
    assert_eq!(after["levels"][0]["moderators"], json!(["lee@local.example"]));
    office.get(&moderator, &format!("/api/v1/held/{id}")).await.expect(404);
}

#[tokio::test]
async fn a_sender_takes_its_mail_back() {
    let office = Office::open().await;
    let id = office.submit().await;
    let sender = basic(USER, USER_TV);
    let after = office.deed(&sender, id, "cancel", json!({})).await.expect(200);
    assert_eq!(
        (&after["state"], &after["decision"]["proof"]),
        (&json!("cancelled"), &json!("login"))
    );
    office.gateway.queue().expect_empty().await;
    office.deed(&sender, id, "cancel", json!({})).await.expect(409);
    assert!(office.sink.attempts().iter().all(|mail| mail.sender().is_empty()));
}

#[tokio::test]
async fn a_token_sees_all_and_decides_if_it_may_and_is_named() {
    let office = Office::open().await;
    let (first, second) = (office.submit().await, office.submit().await);
    let (reads, decides) = ("Bearer reads", "Bearer decides");
    let page = office.get(reads, "/api/v1/held?limit=1").await.expect(200);
    assert_eq!((&page["held"][0]["id"], &page["next"]), (&json!(first), &json!(first)));
    let page = office.get(reads, &format!("/api/v1/held?limit=1&after={first}")).await.expect(200);
    assert_eq!((&page["held"][0]["id"], &page["next"]), (&json!(second), &Value::Null));
    office.deed(reads, first, "approve", json!({})).await.expect(403);

    let only = json!({ "only": ["nobody@far.example"] });
    office.deed(decides, first, "approve", only).await.expect(422);
    let forward = json!({ "to": "lee@local.example" });
    let after = office.deed(decides, first, "forward", forward).await.expect(200);
    let seats = &after["levels"][0]["moderators"];
    assert_eq!(*seats, json!(["boss@local.example", "lee@local.example"]));
    let after = office.deed(decides, first, "return", json!({ "reason": "fix it" })).await;
    let after = after.expect(200);
    assert_eq!(after["standing"], "returned by administrator decides");
    assert_eq!(after["decision"]["proof"], "api");
}

#[tokio::test]
async fn what_is_not_theirs_is_not_there_and_strangers_learn_nothing() {
    let office = Office::open().await;
    let id = office.submit().await;
    let (path, stranger) = (format!("/api/v1/held/{id}"), basic("eve", USER_PASSWORD));
    office.get(&stranger, &path).await.expect(401);
    office.get("Bearer wrong", &path).await.expect(401);
    office.get(USER_TV, &path).await.expect(401);
    // The moderator, whose password is an account's, sees nothing of other rules' mail.
    let moderator = basic(AUDITOR, USER_PASSWORD);
    office.get(&moderator, "/api/v1/held/4jWT59000pz7").await.expect(404);
    let none = office.get(&moderator, "/api/v1/held?mine=lee@local.example").await.expect(200);
    assert_eq!(none["held"], json!([]));
    let out = json!({ "to": "eve@far.example" });
    office.deed(&moderator, id, "forward", out).await.expect(403);
    let log = office.gateway.log();
    log.expect("unknown[127.0.0.1]: SASL PLAIN authentication failed: ").await;
    log.expect("unknown[127.0.0.1]: SASL Bearer authentication failed: no token").await;
}

#[tokio::test]
async fn c2_who_guesses_is_made_to_wait_as_in_smtp() {
    let office = Office::open().await;
    for _ in 0..50 {
        let answer = office.get(&basic(USER, "guess"), "/api/v1/held").await;
        if answer.status == 429 {
            break;
        }
        answer.expect(401);
    }
    let answer = office.get(&basic(USER, "guess"), "/api/v1/held").await;
    assert!(answer.head.contains("retry-after: "), "{}", answer.head);
    answer.expect(429);
}

#[tokio::test]
async fn a_token_that_is_taken_out_is_worthless_after_a_reload() {
    let mut office = Office::open().await;
    office.get("Bearer reads", "/api/v1/held").await.expect(200);
    let setup = setup(&office.sink, office.admin, "");
    office.gateway.reload(&setup).await.unwrap();
    office.get("Bearer reads", "/api/v1/held").await.expect(401);
}

struct Office {
    gateway: Gateway,
    sink: Sink,
    admin: SocketAddr,
}

impl Office {
    async fn open() -> Self {
        let sink = Sink::start(Script::smtp()).await;
        let admin = free_address().unwrap();
        let gateway = Gateway::start(&setup(&sink, admin, TOKENS)).await;
        Self { gateway, sink, admin }
    }

    /// A mail of alice that waits for the boss.
    async fn submit(&self) -> QueueId {
        let mut alice = self.gateway.connect().await;
        alice.greet().await;
        alice.start_tls().await;
        alice.log_in(USER, USER_TV, "235 2.7.0 *").await;
        let secret = mail().from("alice@local.example").to("friend@far.example");
        let answer = alice.send(&secret.content("Subject: a secret\r\n\r\ntext\r\n")).await;
        alice.leave().await;
        answer.expect_accepted()
    }

    async fn get(&self, claim: &str, path: &str) -> Reply {
        self.api().get(claim, path).await
    }

    async fn deed(&self, claim: &str, id: QueueId, deed: &str, body: Value) -> Reply {
        self.api().post(claim, &format!("/api/v1/held/{id}/{deed}"), &body).await
    }

    const fn api(&self) -> Api {
        Api { address: self.admin }
    }
}

fn setup(sink: &Sink, admin: SocketAddr, tokens: &str) -> Setup {
    Setup::before(sink)
        .listener("submission", "mode = \"submission\"\ntls = \"required\"")
        .section("admin", &format!("bind = [\"{admin}\"]"))
        .sections(RULES)
        .sections(tokens)
}

const RULES: &str = "[[moderation.moderator]]\naddress = \"boss@local.example\"\nlogin = \"oliver\"\n\
     [[moderation.moderator]]\naddress = \"lee@local.example\"\n\
     [[moderation.rule]]\nname = \"secrets\"\naction = \"approval\"\nsubject = [\"secret\"]\n\
     moderators = [\"boss@local.example\"]\ntells_sender = \"never\"\n";

/// Of the tokens `reads` and `decides`.
const TOKENS: &str = "[[admin.api_token]]\nname = \"reads\"\n\
     sha256 = \"3566cf23ecb6f832d67d1439e0cb3d05eb7f4ad702c6f478aa96f19812f18e8c\"\n\
     [[admin.api_token]]\nname = \"decides\"\nrights = \"decide\"\n\
     sha256 = \"531b7889cc23e052d082553286d7ed8a12353334cc9a8c0eb12fc1413137ca9d\"\n";
