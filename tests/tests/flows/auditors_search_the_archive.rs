//! Auditors find, see and take mail of the archive, whoever got it; everybody else their own, and nothing of who
//! got it hidden. Whoever sees anything leaves a record.

use mailweir::archiving::words::{Ask, Reach, Search, Told};
use mailweir_mail::QueueId;
use mailweir_tests::{
    api::{Api, Reply, basic},
    free_address,
    gateway::{AUDITOR, Archive, Gateway, Mail, Setup, USER, USER_PASSWORD, USER_TV, mail},
    program,
    sink::{Script, Sink},
    wait,
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_hidden_recipient_is_found_by_an_auditor_and_hidden_from_who_has_not_the_right() {
    let Some(office) = Office::open().await else { return };
    let (auditor, sender) = (basic(AUDITOR, USER_PASSWORD), basic(USER, USER_PASSWORD));
    let id = office.send().await;
    office.search(&auditor, "bcc:hidden@far.example").await.expect_ids(&[id]);
    let found = office.search(&auditor, "offer").await.body;
    assert_eq!(found["mails"][0]["recipients"], json!(["them@far.example", "hidden@far.example"]));
    assert_eq!((&found["mails"][0]["subject"], &found["count"]), (&json!("the offer"), &json!(1)));
    let shown = office.show(&auditor, id).await.expect(200);
    assert_eq!(shown["capture"]["envelope"]["recipients"].as_array().unwrap().len(), 2);

    // It is the sender's own; but whoever has not the right asks nothing about who got it hidden.
    office.search(&sender, "hidden").await.expect_ids(&[]);
    office.search(&sender, "offer -hidden").await.expect_ids(&[id]);
    let found = office.search(&sender, "offer").await.body;
    assert_eq!(found["mails"][0]["recipients"], json!(["them@far.example"]));
    let shown = office.show(&sender, id).await.expect(200);
    let seen = shown.to_string();
    assert!(seen.contains("them@far.example") && !seen.contains("hidden"), "{seen}");
    assert_eq!(shown["outcomes"][0]["recipients"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_not_theirs_is_not_there_for_others() {
    let Some(office) = Office::open().await else { return };
    let (auditor, sender) = (basic(AUDITOR, USER_PASSWORD), basic(USER, USER_PASSWORD));
    let other = mail().from("bob@far.example").to("carol@local.example");
    let mut stranger = office.gateway.connect_to("mx").await;
    stranger.greet().await;
    let other = office.archived(stranger.send(&words(other)).await.expect_accepted()).await;
    office.search(&auditor, "words").await.expect_ids(&[other]);
    office.search(&sender, "words").await.expect_ids(&[]);
    office.show(&sender, other).await.expect(404);
    office.content(&sender, other).await.expect(404);
    let never = QueueId::new(other.arrival(), 99);
    assert_eq!(
        office.show(&sender, other).await.body,
        office.show(&sender, never).await.body,
        "nobody learns that it is there"
    );
    for claim in ["Bearer reads", "Bearer decides"] {
        office.show(claim, other).await.expect(403);
        assert_eq!(office.ask_search(claim, "words").await.status, 403);
    }
    office.search("Bearer audits", "words").await.expect_ids(&[other]);
    // An app password is for one program, and sees what is its owner's.
    office.search(&basic(USER, USER_TV), "words").await.expect_ids(&[]);
}

#[tokio::test]
async fn what_an_auditor_takes_is_what_was_sent_and_stands_in_the_record() {
    let Some(office) = Office::open().await else { return };
    let auditor = basic(AUDITOR, USER_PASSWORD);
    let id = office.send().await;
    let taken = office.content(&auditor, id).await;
    assert_eq!(taken.status, 200, "{}", taken.body);
    assert_eq!(taken.body.as_bytes(), office.archive.find(id).unwrap().content);
    office.search("Bearer audits", "offer").await.expect_ids(&[id]);
    let told = office.gateway.queue().ask_archive(Ask::Show { id }).await;
    let [Told::Shown(shown)] = &told[..] else { panic!("{told:?}") };
    let [(_, access)] = &shown.accesses[..] else { panic!("{shown:?}") };
    assert_eq!((&*access.by, access.from.unwrap().to_string()), (AUDITOR, "127.0.0.1".to_owned()));
    assert!(format!("{access:?}").contains("Exported"), "{access:?}");
    let accesses = office.archive.accesses();
    let token = accesses.iter().rfind(|access| &*access.by == "token audits").unwrap();
    assert!(format!("{token:?}").contains("offer"), "{token:?}");
}

#[tokio::test]
async fn mail_is_found_by_how_it_stands_and_what_is_senseless_is_said() {
    let Some(office) = Office::open().await else { return };
    let auditor = basic(AUDITOR, USER_PASSWORD);
    let id = office.send().await;
    office.search(&auditor, "status:delivered").await.expect_ids(&[id]);
    office.search(&auditor, "-status:delivered").await.expect_ids(&[]);
    office.search(&auditor, "status:waiting").await.expect_ids(&[]);
    for (query, words) in [("status:lost", "waiting, delivered"), ("(offer", "at character")] {
        let reply = office.ask_search(&auditor, query).await;
        assert_eq!(reply.status, 422, "{query}: {}", reply.body);
        assert!(reply.body.contains(words), "{query}: {}", reply.body);
    }
    // An operator erases it; nobody finds it any more.
    let erase = Ask::Erase { ids: vec![id], reason: "request 17".into() };
    office.gateway.queue().ask_archive(erase).await;
    office.search(&auditor, "offer").await.expect_ids(&[]);
    let search =
        Search { query: "".into(), before: None, limit: 10, utc_offset: 0, reach: Reach::AsItIs };
    let told = office.gateway.queue().ask_archive(Ask::Search(search)).await;
    assert!(matches!(&told[..], [Told::Found(found)] if found.count == 0), "{told:?}");
}

struct Office {
    gateway: Gateway,
    archive: Archive,
    api: Api,
    _sink: Sink,
}

impl Office {
    async fn open() -> Option<Self> {
        program::require()?;
        let sink = Sink::start(Script::smtp()).await;
        let archive = Archive::new();
        let address = free_address().unwrap();
        let submission = "mode = \"submission\"\ntls = \"none\"\nauth_in_clear = true";
        let setup = Setup::before(&sink)
            .listener("mx", "mode = \"mx\"")
            .listener("submission", submission)
            .section("auth.senders", "policy = \"any\"")
            .section("admin", &format!("bind = [\"{address}\"]"))
            .section("archive", &archive.section())
            .sections(TOKENS);
        let gateway = Gateway::start(&setup).await;
        Some(Self { gateway, archive, api: Api { address }, _sink: sink })
    }

    /// A mail of alice to somebody, and to somebody hidden.
    async fn send(&self) -> QueueId {
        let mut alice = self.gateway.connect_to("submission").await;
        alice.greet().await;
        alice.log_in(USER, USER_PASSWORD, "235 2.7.0 *").await;
        let sent = mail()
            .from("alice@local.example")
            .to("them@far.example")
            .to("hidden@far.example")
            .content("To: Them <them@far.example>\r\nSubject: the offer\r\n\r\nHello.\r\n");
        self.archived(alice.send(&sent).await.expect_accepted()).await
    }

    /// Waits until a mail has ended and is found.
    async fn archived(&self, id: QueueId) -> QueueId {
        self.archive.expect_ended(id).await;
        let is_found = async || {
            let reply = self.ask_search("Bearer audits", &format!("id:{id}")).await;
            reply.status == 200 && reply.expect(200)["count"] == 1
        };
        wait::until_true("the index", is_found).await;
        id
    }

    async fn search(&self, claim: &str, query: &str) -> Found {
        Found { body: self.ask_search(claim, query).await.expect(200) }
    }

    async fn ask_search(&self, claim: &str, query: &str) -> Reply {
        self.api.post(claim, "/api/v1/archive/search", &json!({ "query": query })).await
    }

    async fn show(&self, claim: &str, id: QueueId) -> Reply {
        self.api.post(claim, &format!("/api/v1/archive/{id}/show"), &json!({})).await
    }

    async fn content(&self, claim: &str, id: QueueId) -> Reply {
        self.api.post(claim, &format!("/api/v1/archive/{id}/content"), &json!({})).await
    }
}

struct Found {
    body: Value,
}

impl Found {
    #[track_caller]
    fn expect_ids(&self, ids: &[QueueId]) {
        let found: Vec<_> =
            self.body["mails"].as_array().unwrap().iter().map(|mail| &mail["id"]).collect();
        assert_eq!(json!(found), json!(ids), "{}", self.body);
    }
}

fn words(mail: Mail) -> Mail {
    mail.content("Subject: some words\r\n\r\nwords\r\n")
}

/// Of the tokens `reads`, `decides` and `audits`.
const TOKENS: &str = "[[admin.api_token]]\nname = \"reads\"\n\
     sha256 = \"3566cf23ecb6f832d67d1439e0cb3d05eb7f4ad702c6f478aa96f19812f18e8c\"\n\
     [[admin.api_token]]\nname = \"decides\"\nrights = \"decide\"\n\
     sha256 = \"531b7889cc23e052d082553286d7ed8a12353334cc9a8c0eb12fc1413137ca9d\"\n\
     [[admin.api_token]]\nname = \"audits\"\nrights = \"audit\"\nsha256 = \"f5c824725bc77edad80ba3253fe94b86cfd6babe9dd656ef2348a6f886e41a9d\"\n";
