//! A notice has a link; the page behind it shows the mail that waits, and one form on it decides.

use std::net::SocketAddr;

use mailweir::control::operation::Place;
use mailweir_mail::QueueId;
use mailweir_moderation::case::{Actor, Decision, Proof, State};
use mailweir_tests::{
    chromium::Chromium,
    gateway::{Gateway, Setup, USER, USER_PASSWORD, loopback_address, mail},
    person::Person,
    sink::{Script, Sink},
    tools,
};

#[tokio::test]
async fn the_link_shows_the_mail_however_often_it_is_opened_and_the_form_sends_it() {
    let scene = Scene::start(RULE).await;
    let (id, links) = scene.held().await;
    let mut ann = scene.person();
    // Both notices are gone, and that is on the disk.
    scene.gateway.log().expect_times(2, "qmgr[*]: *: removed").await;
    let syncs = scene.syncs().await;
    for _ in 0..150 {
        for deed in ["", "?approve", "?reject"] {
            ann.open(&format!("{}{deed}", links[0])).await.expect(200, "a secret");
            assert_eq!(ann.peek(&format!("{}{deed}", links[1])).await.status, 200);
        }
    }
    scene.gateway.queue().expect(id, Place::Hold).await;
    assert_eq!(scene.syncs().await, syncs, "a visit writes nothing");
    ann.choose(&links[0], "choice=approve&words=fine").await.expect_done();
    let line = format!("{id}: released from hold (moderator ann@local.example)");
    scene.gateway.log().expect(&line).await;
    let all = scene.sink.expect(4).await;
    assert!(all.iter().any(|mail| mail.recipients() == ["user@local.example"]));
    let page = ann.open(&links[0]).await;
    for words in ["This mail is decided.", "ann@local.example", "fine", "Approved"] {
        page.expect(200, words);
    }
    let State::Closed(end) = scene.state(id) else { panic!("not decided") };
    assert_eq!((end.by.proof, end.by.from), (Proof::Link, Some([127, 0, 0, 1].into())));
}

#[tokio::test]
async fn visits_right_after_the_notice_are_shown_as_those_of_a_scanner() {
    let scene = Scene::start(RULE).await;
    let (id, links) = scene.held().await;
    scene.person().open(&links[0]).await.expect(200, "a secret");
    let page = scene.person().open(&links[1]).await;
    page.expect(200, "person/1.0");
    page.expect(200, "probably a link scanner");
    scene.gateway.queue().expect(id, Place::Hold).await;
}

#[tokio::test]
async fn of_two_at_once_one_decides_and_the_other_hears_who() {
    for _ in 0..3 {
        let scene = Scene::start(RULE).await;
        let (id, links) = scene.held().await;
        let (mut ann, mut bob) = (scene.person(), scene.person());
        let (yes, no) = tokio::join!(
            ann.choose(&links[0], "choice=approve"),
            bob.choose(&links[1], "choice=reject&words=no")
        );
        let State::Closed(end) = scene.state(id) else { panic!("not decided") };
        let (first, late, winner) = match end.decision {
            Decision::Released => (&yes, &no, "ann@local.example"),
            _ => (&no, &yes, "bob@local.example"),
        };
        first.expect_done();
        late.expect(409, "It was decided before.");
        late.expect(409, winner);
        assert_eq!(end.by.who, Actor::Moderator(winner.parse().unwrap()));
    }
}

#[tokio::test]
async fn what_belongs_to_another_mail_person_or_start_decides_nothing() {
    let mut scene = Scene::start(RULE).await;
    let (one, of_one) = scene.held().await;
    let (other, of_other) = scene.held().await;
    let mut ann = scene.person();
    let nonce = ann.open(&of_one[0]).await.nonce();
    let approve = format!("nonce={nonce}&choice=approve");
    for link in [&of_other[0], &of_one[1]] {
        ann.open(link).await;
        ann.send(link, &approve).await.expect(403, "Nothing has changed.");
    }
    scene.person().send(&of_one[0], &approve).await.expect(403, "Nothing has changed.");
    scene.gateway.restart().await;
    ann.send(&of_one[0], &approve).await.expect(403, "Nothing has changed.");
    for link in ["/m/x", "/m/", &format!("{}a", of_one[0])] {
        assert_eq!(ann.open(link).await.status, 404);
    }
    for id in [one, other] {
        scene.gateway.queue().expect(id, Place::Hold).await;
    }
    ann.choose(&of_one[0], "choice=approve").await.expect_done();
    scene.gateway.queue().expect(other, Place::Hold).await;
}

#[tokio::test]
async fn the_sender_takes_a_mail_back_and_cannot_approve_it() {
    let scene = Scene::start(RULE).await;
    let mine = mail().from("me@local.example").content(SECRET);
    let id = scene.gateway.submit(mine).await.expect_accepted();
    let notices = scene.sink.expect(3).await;
    let to_me = notices.iter().find(|mail| mail.recipients() == ["me@local.example"]).unwrap();
    let link = to_me.link(scene.pages);
    let mut me = scene.person();
    let page = me.open(&format!("{link}?cancel")).await;
    page.expect(200, "Your mail has not been sent yet.");
    for choice in ["approve", "send", "reject", "discard"] {
        me.choose(&link, &format!("choice={choice}")).await.expect(409, "You cannot do this");
    }
    // Nor does the link tell who decides.
    for who in ["boss", "eve"] {
        let forward = format!("choice=forward&to={who}%40local.example");
        me.choose(&link, &forward).await.expect(409, "You cannot do this");
    }
    scene.gateway.queue().expect(id, Place::Hold).await;
    me.choose(&link, "choice=cancel").await.expect_done();
    me.open(&link).await.expect(200, "Your mail was cancelled.");
    let line = format!("{id}: removed (sender me@local.example)");
    scene.gateway.log().expect(&line).await;
}

#[tokio::test]
async fn a_decision_is_handed_on_to_people_that_the_rules_know_and_to_nobody_else() {
    let scene = Scene::start(RULE).await;
    let (id, links) = scene.held().await;
    let mut ann = scene.person();
    let to = |who: &str| format!("choice=forward&to={}", who.replace('@', "%40"));
    ann.choose(&links[0], &to("eve@elsewhere.example")).await.expect(400, "Nobody with this");
    ann.choose(&links[0], &to("boss@local.example")).await.expect_done();
    let notices = scene.sink.expect(3).await;
    assert_eq!(notices[2].recipients(), ["boss@local.example"]);
    ann.open(&links[0]).await.expect(200, "not yours any more");
    let boss = notices[2].link(scene.pages);
    scene.person().choose(&boss, "choice=approve").await.expect_done();
    let line = format!("{id}: released from hold (moderator boss@local.example)");
    scene.gateway.log().expect(&line).await;
}

#[tokio::test]
async fn a_sensitive_mail_is_shown_after_a_log_in_of_its_moderator() {
    let scene = Scene::start(&format!("{RULE}\nsensitive = true")).await;
    let (id, links) = scene.held().await;
    let mut ann = scene.person();
    let page = ann.open(&format!("{}?approve", links[0])).await;
    page.expect(200, "after you have logged in");
    assert!(!page.body.contains("secret") && !page.body.contains("other.example"));
    let log_in =
        |name: &str, password: &str| format!("choice=login&name={name}&password={password}");
    ann.choose(&links[0], "choice=approve").await.expect(403, "logged in");
    let wrong = ann.choose(&links[0], &log_in(USER, "wrong")).await;
    wrong.expect(403, "Name or password is wrong");
    scene.gateway.log().expect("SASL PLAIN authentication failed").await;
    let other = ann.choose(&links[0], &log_in("oliver", USER_PASSWORD)).await;
    other.expect(403, "Name or password is wrong");
    ann.choose(&links[0], &log_in(USER, USER_PASSWORD)).await.expect_done();
    ann.open(&links[0]).await.expect(200, "a secret");
    scene.gateway.queue().expect(id, Place::Hold).await;
    ann.choose(&links[0], "choice=approve").await.expect_done();
    let State::Closed(end) = scene.state(id) else { panic!("not decided") };
    assert_eq!(end.by.proof, Proof::Login);
}

#[tokio::test]
async fn who_guesses_at_a_page_waits_as_at_any_log_in() {
    let scene = Scene::start(&format!("{RULE}\nsensitive = true")).await;
    let (_, links) = scene.held().await;
    let mut eve = scene.person();
    let guess = format!("choice=login&name={USER}&password=guess");
    for _ in 0..21 {
        eve.choose(&links[0], &guess).await.expect(403, "Name or password is wrong");
    }
    let right = format!("choice=login&name={USER}&password={USER_PASSWORD}");
    eve.choose(&links[0], &right).await.expect(429, "There were too many attempts.");
    scene.gateway.log().expect(&format!("{USER} has to wait")).await;
}

#[tokio::test]
async fn where_all_links_need_a_log_in_a_sender_who_has_no_account_needs_none() {
    let scene = Scene::with(RULE, "links_need_login = true").await;
    let mine = mail().from("me@local.example").content(SECRET);
    scene.gateway.submit(mine).await.expect_accepted();
    let notices = scene.sink.expect(3).await;
    for notice in notices {
        let page = scene.person().open(&notice.link(scene.pages)).await;
        let is_mine = notice.recipients() == ["me@local.example"];
        assert_eq!(page.body.contains("a secret"), is_mine, "{}", page.body);
        assert_eq!(page.body.contains("type=\"password\""), !is_mine, "{}", page.body);
    }
}

/// A scanner of links that runs scripts, and then a person with a small phone: two taps, on the link and
/// on the button.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_scans_decides_nothing_and_a_thumb_on_a_phone_does() {
    if !tools::require(&["chromium"]) {
        return;
    }
    let scene = Scene::start(RULE).await;
    let (id, links) = scene.held().await;
    let at = |link: &str| format!("http://{}{link}", scene.pages);
    let scanned: Vec<String> = ["", "?approve", "?reject", "?cancel"]
        .iter()
        .flat_map(|deed| links.iter().map(move |link| format!("{link}{deed}")))
        .map(|link| at(&link))
        .collect();
    let browser = tokio::task::spawn_blocking(move || {
        let mut browser = Chromium::start();
        for link in scanned {
            browser.open(&link);
            assert!(browser.text().contains("a secret"));
            // Scanners look for links to follow; there are none.
            assert_eq!(browser.evaluate("document.links.length"), 0);
            assert_eq!(browser.evaluate("document.scripts.length"), 0);
        }
        browser
    });
    let mut browser = browser.await.unwrap();
    scene.gateway.queue().expect(id, Place::Hold).await;

    let link = at(&format!("{}?approve", links[0]));
    let shown = tokio::task::spawn_blocking(move || {
        browser.open(&link);
        let width = browser.evaluate("document.documentElement.scrollWidth");
        assert_eq!(width, 360, "nobody need scroll to the side");
        browser.tap(".bar button.chosen");
        browser.text()
    });
    let shown = shown.await.unwrap();
    assert!(shown.contains("This mail is decided."), "{shown}");
    let line = format!("{id}: released from hold (moderator ann@local.example)");
    scene.gateway.log().expect(&line).await;
}

/// A gateway with pages and one rule, in front of a sink.
struct Scene {
    gateway: Gateway,
    sink: Sink,
    pages: SocketAddr,
}

impl Scene {
    async fn start(rule: &str) -> Self {
        Self::with(rule, "").await
    }

    /// With these lines of `[moderation]`.
    async fn with(rule: &str, moderation: &str) -> Self {
        let sink = Sink::start(Script::smtp()).await;
        let pages = SocketAddr::from((loopback_address(), 8_025));
        let moderators = format!(
            "[[moderation.moderator]]\naddress = \"ann@local.example\"\nlogin = \"{USER}\"\n\
             [[moderation.moderator]]\naddress = \"boss@local.example\"\n"
        );
        let rule = format!("[[moderation.rule]]\nname = \"secrets\"\n{rule}\n");
        let admin = format!("bind = [\"{pages}\"]\npublic_url = \"http://{pages}\"");
        let setup =
            Setup::before(&sink).in_front_of_us().section("admin", &admin).sections(&moderators);
        let setup = setup.section("moderation", moderation);
        let gateway = Gateway::start(&setup.sections(&rule)).await;
        Self { gateway, sink, pages }
    }

    fn person(&self) -> Person {
        Person::at(self.pages)
    }

    /// A mail that waits, and the links of Ann and Bob.
    async fn held(&self) -> (QueueId, Vec<String>) {
        let before = self.sink.attempts().len();
        let secret = mail().from("a@other.example").content(SECRET);
        let id = self.gateway.submit(secret).await.expect_accepted();
        let all = self.sink.expect(before + 2).await;
        let of = |who: &str| {
            let request = all[before..].iter().find(|notice| notice.recipients() == [who]);
            request.unwrap().link(self.pages)
        };
        (id, vec![of("ann@local.example"), of("bob@local.example")])
    }

    fn state(&self, id: QueueId) -> State {
        self.gateway.moderation().case(id).unwrap().case.progress.state.clone()
    }

    /// How often the store was synced to the disk.
    async fn syncs(&self) -> String {
        let metrics = self.person().open("/metrics").await.body;
        let name = "mailweir_store_fsync_seconds_count";
        metrics.lines().find(|line| line.starts_with(name)).unwrap().to_owned()
    }
}

const RULE: &str = "action = \"approval\"\nsubject = [\"secret\"]\n\
     moderators = [\"ann@local.example\", \"bob@local.example\"]";

const SECRET: &str = "Subject: a secret\r\n\r\ntext\r\n";
