//! People decide by answering the notice, if it is certain that they did; whoever else answers changes
//! nothing, and makes us write next to nothing. Rows H4, D9, E8 and H2.

use mailweir::control::operation::Place;
use mailweir_mail::QueueId;
use mailweir_moderation::case::{Actor, Closing, Decision, Proof, State};
use mailweir_tests::{
    dkim::Signer,
    dns::FakeDns,
    gateway::{Answer, Gateway, Mail, Peer, Setup, USER, USER_PASSWORD, mail},
    sink::{Received, Script, Sink},
};

#[tokio::test]
async fn a_signed_answer_decides_in_each_language_and_its_writer_hears_what_came_of_it() {
    let mut office = Office::open("", "").await;
    for (text, decision) in [
        ("approve", Decision::Released),
        ("승인. 수고하셨습니다", Decision::Released),
        ("承認、お願いします", Decision::Released),
        ("Valider\u{a0}: merci", Decision::Released),
        ("reject: too dear", Decision::Rejected),
        ("반려: 금액 확인", Decision::Rejected),
        ("却下", Decision::Rejected),
        ("Refuser, trop cher", Decision::Rejected),
        ("差戻し: 宛先", Decision::Returned),
        ("Renvoyer\u{a0}: le prix", Decision::Returned),
    ] {
        let (id, notices) = office.hold().await;
        let [(_, ann), (_, bob)] = notices.as_slice() else { panic!("two notices") };
        let reply = office.gateway.submit(office.answer(ann, text)).await;
        assert!(reply.reply().ends_with("taken as a reply"), "{text}: {}", reply.reply());
        let closing = office.closing(id);
        assert_eq!(closing.decision, decision, "{text}");
        assert_eq!(closing.by.who, Actor::Moderator("ann@local.example".parse().unwrap()));
        assert_eq!(closing.by.proof, Proof::Reply);
        let sent = usize::from(decision == Decision::Released);
        let news = office.next(2 + sent).await;
        let told = to("ann@local.example", &news);
        assert!(told.sender().is_empty() && told.text().contains("Auto-Submitted: auto-generated"));
        assert!(told.text().contains(&format!("In-Reply-To: <{id}.")), "{}", told.text());
        assert_ne!(ann, bob);
        assert_eq!(to("bob@local.example", &news).sender(), "", "the other one hears of it");
    }
    office.gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn an_answer_of_somebody_who_is_logged_in_decides_where_a_signature_is_not_enough() {
    let mut office = Office::open("sensitive = true", "").await;
    let (id, notices) = office.hold().await;
    // A signature, and a log-in that is somebody else's.
    let (ann, bob) = (&notices[0].1, &notices[1].1);
    let signed = office.answer(ann, "approve");
    expect_taken(&office.gateway.submit(signed).await);
    let mut alice = office.log_in().await;
    expect_taken(&alice.send(&office.answer(bob, "approve").from("ann@local.example")).await);
    office.gateway.queue().expect(id, Place::Hold).await;
    let news = office.next(2).await;
    assert!(body(to("ann@local.example", &news)).contains("could not be proven"));
    assert!(body(to("bob@local.example", &news)).contains("could not be proven"));
    // Her own, whatever From says.
    let plain = mail().from("ann@local.example").to(ann).content("From: x\r\n\r\napprove\r\n");
    expect_taken(&alice.send(&plain).await);
    assert_eq!(office.closing(id).by.who, Actor::Moderator("ann@local.example".parse().unwrap()));
    office.gateway.log().expect("approve, by ann@local.example (log-in alice)").await;
    office.next(3).await;
}

/// What waits is decided, whatever the rules say of mail that comes from now on.
#[tokio::test]
async fn the_last_rule_may_go_while_mail_waits_for_an_answer() {
    let mut office = Office::open("", "").await;
    let (id, notices) = office.hold().await;
    let without_rules = setup(&office.sink, &office.dns);
    office.gateway.reload(&without_rules).await.unwrap();
    let passes = office.gateway.submit(secret()).await;
    assert!(!passes.reply().contains("held"), "{}", passes.reply());
    office.next(1).await;
    expect_taken(&office.gateway.submit(office.answer(&notices[0].1, "approve")).await);
    assert_eq!(office.closing(id).decision, Decision::Released);
}

#[tokio::test]
async fn h4_what_is_not_proven_changes_nothing_and_is_told_once_to_the_one_it_claims_to_be_of() {
    let mut office = Office::open("", "").await;
    let (id, notices) = office.hold().await;
    let (ann, bob) = (&notices[0].1, &notices[1].1);
    let text = |to: &str| answer_text("ann@local.example", to, "approve");
    let own = || Signer::of("local.example");
    for (what, content) in [
        ("not signed", text(ann)),
        ("signed by another domain", Signer::of("evil.test").sign(&text(ann))),
        (
            "another text",
            own().sign(&text(ann).replace("approve", "reject")).replace("reject", "approve"),
        ),
        ("added to", own().saying("l=1;").sign(&text(ann))),
        ("To is not signed", own().covering("from:subject").sign(&text(ann))),
        // Ann's answer to another notice, sent here.
        ("answers another notice", own().sign(&text("moderation@gate.example"))),
        ("of a colleague", own().sign(&answer_text("eve@local.example", ann, "approve"))),
        (
            "two in From",
            own().sign(&answer_text("eve@evil.test>, <ann@local.example", ann, "approve")),
        ),
        ("expired", own().saying("x=9;").sign(&text(ann))),
    ] {
        let forged = mail().from("ann@local.example").to(ann).content(&content);
        let reply = office.gateway.submit(forged).await;
        assert!(reply.reply().ends_with("taken as a reply"), "{what}: {}", reply.reply());
        assert_eq!(office.state(id), State::Pending, "{what}");
    }
    // With the token of another one.
    expect_taken(&office.gateway.submit(mail().to(bob).content(own().sign(&text(bob)))).await);
    assert_eq!(office.state(id), State::Pending);
    let news = office.next(2).await;
    assert!(body(to("ann@local.example", &news)).contains("could not be proven"));
    to("bob@local.example", &news);
    office.gateway.log().expect_times(9, "not proven to be of ann@local.example").await;
    office.gateway.queue().expect(id, Place::Hold).await;
    assert_eq!(office.gateway.queue().list().await.len(), 1, "nothing else was written");
}

#[tokio::test]
async fn where_to_is_not_signed_the_quoted_notice_tells_which_it_answers() {
    let mut office = Office::open("", "").await;
    let (id, notices) = office.hold().await;
    let ann = &notices[0].1;
    let signer = || Signer::of("local.example").covering("from:subject");
    let quoting = |id: &str| {
        let text = answer_text("ann@local.example", ann, "approve");
        mail().to(ann).content(signer().sign(&format!("{text}> Reference: {id}\r\n")))
    };
    expect_taken(&office.gateway.submit(quoting("4jWT590000z7")).await);
    assert_eq!(office.state(id), State::Pending);
    expect_taken(&office.gateway.submit(quoting(&id.to_string())).await);
    assert_eq!(office.closing(id).decision, Decision::Released);
}

#[tokio::test]
async fn a_name_server_that_does_not_answer_proves_nothing() {
    let mut office = Office::open("", "").await;
    let (id, notices) = office.hold().await;
    office.dns.change("k._domainkey.local.example SERVFAIL");
    expect_taken(&office.gateway.submit(office.answer(&notices[0].1, "approve")).await);
    assert_eq!(office.state(id), State::Pending);
}

#[tokio::test]
async fn h2_a_code_that_is_on_no_notice_is_an_unknown_user() {
    let mut office = Office::open("", "").await;
    let (_, notices) = office.hold().await;
    let good = &notices[0].1;
    let swapped = if good.contains("+a") {
        good.replacen("+a", "+b", 1)
    } else {
        let at = good.find('+').unwrap() + 1;
        format!("{}a{}", &good[..at], &good[at + 1..])
    };
    let garbled = format!("moderation+{}@gate.example", "1".repeat(52));
    for address in [&swapped, &garbled] {
        let forged = mail().from("x@evil.test").to(address);
        let unknown = format!("550 5.1.1 <{address}>: Recipient address rejected: User unknown");
        office.gateway.submit(forged).await.expect_refused(&unknown);
    }
    let plain = mail().to("moderation@gate.example");
    let why = "550 5.1.1 *This address only sends notices: use the links in the notice*";
    office.gateway.submit(plain).await.expect_refused(why);
    // Other extensions mean what they always did.
    let other = mail().to("moderation+list@gate.example");
    office.gateway.submit(other).await.expect_refused("554 5.7.1 *Relay access denied");
    // Mail programs and servers change the case.
    let shouted = good.to_uppercase();
    expect_taken(&office.gateway.submit(office.answer(&shouted, "approve")).await);
    office.next(3).await;
}

#[tokio::test]
async fn lists_that_refuse_foreign_domains_let_answers_in() {
    let list = "recipient = [\"reject_unauth_destination\", \"reject_unlisted_recipient\"]";
    let setup = |setup: Setup| setup.section("restrictions", list);
    let mut office = Office::open_with("", "", setup).await;
    let (_, notices) = office.hold().await;
    expect_taken(&office.gateway.submit(office.answer(&notices[0].1, "approve")).await);
    office.next(3).await;
}

#[tokio::test]
async fn an_answer_that_comes_twice_counts_once() {
    let mut office = Office::open("", "").await;
    let (id, notices) = office.hold().await;
    let (ann, bob) = (&notices[0].1, &notices[1].1);
    let answer = office.answer(ann, "approve");
    expect_taken(&office.gateway.submit(answer.clone()).await);
    let news = office.next(3).await;
    assert!(news.iter().any(|mail| mail.recipients() == ["user@local.example"]));
    let decided = office.closing(id);
    // As by a peer that did not hear us, and by the other one who comes too late.
    expect_taken(&office.gateway.submit(answer).await);
    let late = answer_text("bob@local.example", bob, "reject");
    let late = mail().to(bob).content(Signer::of("local.example").sign(&late));
    expect_taken(&office.gateway.submit(late).await);
    for (mail, person) in office.next(2).await.iter().zip(["ann", "bob"]) {
        assert_eq!(mail.recipients(), [format!("{person}@local.example")]);
        assert!(body(mail).contains("ann@local.example"), "who was first: {}", body(mail));
    }
    assert_eq!(office.closing(id), decided);
    office.gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn of_two_answers_in_the_same_moment_one_counts_and_the_other_hears_which() {
    let mut office = Office::open("", "").await;
    let (id, notices) = office.hold().await;
    let (ann, bob) = (&notices[0].1, &notices[1].1);
    let approve = office.answer(ann, "approve");
    let reject = answer_text("bob@local.example", bob, "reject: no");
    let reject = mail().to(bob).content(Signer::of("local.example").sign(&reject));
    let (one, other) = tokio::join!(office.gateway.submit(approve), office.gateway.submit(reject));
    expect_taken(&one);
    expect_taken(&other);
    let released = office.closing(id).decision == Decision::Released;
    // Each hears what came of it, one also of the decision; and the mail, if it was approved.
    let news = office.next(3 + usize::from(released)).await;
    let loser = if released { "bob@local.example" } else { "ann@local.example" };
    let told = news.iter().filter(|mail| mail.recipients() == [loser]).count();
    assert_eq!(told, 2, "{loser}");
    office.gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn d9_an_unclear_answer_brings_help_and_many_of_them_not_much() {
    let mut office = Office::open("", "").await;
    let (id, notices) = office.hold().await;
    let ann = &notices[0].1;
    for _ in 0..8 {
        expect_taken(&office.gateway.submit(office.answer(ann, "What is this about?")).await);
    }
    let help = office.next(5).await;
    assert!(help.iter().all(|mail| mail.recipients() == ["ann@local.example"]));
    assert!(body(&help[0]).contains("approve") && help[0].text().contains("\nReply-To: "));
    assert_eq!(office.state(id), State::Pending);
    // What is clear then still counts.
    expect_taken(&office.gateway.submit(office.answer(ann, "reject")).await);
    assert_eq!(office.closing(id).decision, Decision::Rejected);
    let last = office.next(1).await;
    assert_eq!(last[0].recipients(), ["bob@local.example"]);
}

#[tokio::test]
async fn d9_machines_are_neither_heard_nor_answered() {
    let mut office = Office::open("", "").await;
    let (id, notices) = office.hold().await;
    let ann = &notices[0].1;
    let text = answer_text("ann@local.example", ann, "approve");
    for line in
        ["Auto-Submitted: auto-replied", "List-Id: <list.local.example>", "Precedence: bulk"]
    {
        let content = Signer::of("local.example").sign(&format!("{line}\r\n{text}"));
        expect_taken(&office.gateway.submit(mail().to(ann).content(content)).await);
    }
    let report = office.answer(ann, "approve").from("");
    expect_taken(&office.gateway.submit(report).await);
    office.gateway.log().expect_times(4, "ignored, a machine wrote it").await;
    assert_eq!(office.state(id), State::Pending);
    assert_eq!(office.gateway.queue().list().await.len(), 1, "nothing was written");
}

#[tokio::test]
async fn e8_what_an_answer_says_stays_words_in_the_notices_that_tell_of_it() {
    let mut office = Office::open("", "").await;
    let (_, notices) = office.hold().await;
    let words =
        "reject: no\r\nBcc: x@evil.test\r\n<img src=x> \u{1b}[31m\u{202e}=?utf-8?Q?=0D=0AX-A:_b?=";
    expect_taken(&office.gateway.submit(office.answer(&notices[0].1, words)).await);
    for mail in office.next(2).await {
        let (header, text) = mail.text().split_once("\r\n\r\n").map(owned).expect("a body");
        assert!(!header.contains("\nBcc:") && !header.contains("\nX-A:"), "{header}");
        let (_, html) = text.split_once("Content-Type: text/html").expect("two texts");
        assert!(text.contains("no") && !html.contains("<img"), "{html}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']) && !text.contains("=1B"), "{text}");
        assert_eq!(mail.recipients().len(), 1);
    }
}

#[tokio::test]
async fn other_recipients_of_an_answer_get_it_as_usual() {
    let mut office = Office::open("", "").await;
    let (id, notices) = office.hold().await;
    let answer = office.answer(&notices[0].1, "reject").to("carl@local.example");
    office.gateway.submit(answer).await.expect_accepted();
    assert_eq!(office.closing(id).decision, Decision::Rejected);
    let news = office.next(3).await;
    let copy = to("carl@local.example", &news);
    assert!(copy.text().contains("reject"), "{}", copy.text());
}

#[tokio::test]
async fn where_answers_are_off_there_is_no_address_for_them() {
    let mut office = Office::open("", "replies = false").await;
    let answer = office.gateway.submit(secret()).await;
    answer.expect_accepted();
    let notices = office.next(2).await;
    assert!(notices.iter().all(|notice| !notice.text().contains("\nReply-To:")));
}

/// A gateway at which mail about secrets waits for ann or bob, and a sink that is their mail server.
struct Office {
    gateway: Gateway,
    sink: Sink,
    dns: FakeDns,
    seen: usize,
}

/// Ann logs in under her own name. There are no rules yet.
fn setup(sink: &Sink, dns: &FakeDns) -> Setup {
    let ann =
        format!("[[moderation.moderator]]\naddress = \"ann@local.example\"\nlogin = \"{USER}\"\n");
    let submission = "mode = \"submission\"\ntls = \"none\"\nauth_in_clear = true";
    Setup::before(sink)
        .listener("mx", "mode = \"mx\"")
        .listener("submission", submission)
        .section("auth.senders", "policy = \"any\"")
        .section("dns", &format!("servers = [\"{}\"]\ntimeout = \"1s\"", dns.address()))
        .sections(&ann)
}

impl Office {
    async fn open(rule: &str, moderation: &str) -> Self {
        Self::open_with(rule, moderation, |setup| setup).await
    }

    async fn open_with(rule: &str, moderation: &str, more: impl Fn(Setup) -> Setup) -> Self {
        let zone = Signer::of("local.example").record() + &Signer::of("evil.test").record();
        let dns = FakeDns::start(&zone).await;
        let sink = Sink::start(Script::smtp()).await;
        let rule = format!(
            "[[moderation.rule]]\nname = \"secrets\"\naction = \"approval\"\nsubject = [\"secret\"]\n\
             moderators = [\"ann@local.example\", \"bob@local.example\"]\nattach = \"none\"\n{rule}\n"
        );
        let setup = setup(&sink, &dns).section("moderation", moderation).sections(&rule);
        let gateway = Gateway::start(&more(setup)).await;
        Self { gateway, sink, dns, seen: 0 }
    }

    /// A mail that waits, and whom the notices are for with the address of their answers: ann first.
    async fn hold(&mut self) -> (QueueId, Vec<(String, String)>) {
        let id = self.gateway.submit(secret()).await.expect_accepted();
        let mut notices: Vec<_> = self.next(2).await.iter().map(reply_to).collect();
        notices.sort();
        (id, notices)
    }

    /// The next mails that leave.
    async fn next(&mut self, count: usize) -> Vec<Received> {
        let all = self.sink.expect(self.seen + count).await;
        let next = all.into_iter().skip(self.seen).collect();
        self.seen += count;
        next
    }

    /// Ann's answer, signed by her domain.
    fn answer(&self, to: &str, text: &str) -> Mail {
        let content = answer_text("ann@local.example", to, text);
        let signed = Signer::of("local.example").sign(&content);
        mail().from("ann@local.example").to(to).content(signed)
    }

    async fn log_in(&self) -> Peer {
        let mut peer = self.gateway.connect_to("submission").await;
        peer.greet().await;
        peer.log_in(USER, USER_PASSWORD, "235 2.7.0 *").await;
        peer
    }

    fn state(&self, id: QueueId) -> State {
        self.gateway.moderation().case(id).unwrap().case.progress.state.clone()
    }

    fn closing(&self, id: QueueId) -> Closing {
        match self.state(id) {
            State::Closed(closing) => closing,
            other => panic!("{other:?}"),
        }
    }
}

fn secret() -> Mail {
    mail().from("a@other.example").content("Subject: a secret\r\n\r\ntext\r\n")
}

fn answer_text(from: &str, to: &str, text: &str) -> String {
    format!(
        "From: <{from}>\r\nTo: Mailweir\r\n <{to}>\r\nSubject: Re: [Approval]\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n\r\n\
         On Fri, 20 Nov 2026, Mailweir wrote:\r\n> approve or reject\r\n"
    )
}

fn expect_taken(answer: &Answer) {
    assert!(answer.reply().starts_with("250 2.0.0 Ok: "), "{}", answer.reply());
    assert!(answer.reply().ends_with(" taken as a reply"), "{}", answer.reply());
}

fn to<'a>(person: &str, mails: &'a [Received]) -> &'a Received {
    mails.iter().find(|mail| mail.recipients() == [person]).expect("a mail to them")
}

/// Whom a notice is for, and where they answer.
fn reply_to(notice: &Received) -> (String, String) {
    let text = notice.text().replace("\r\n ", " ");
    let (_, rest) = text.split_once("\nReply-To: ").expect("an address for answers");
    let line = rest.lines().next().unwrap_or_default();
    let address = line.rsplit(['<', ' ']).next().unwrap_or_default();
    (notice.recipients()[0].to_owned(), address.trim_matches(['>', '\r']).to_owned())
}

fn owned((one, other): (&str, &str)) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

/// The text of a notice, as it is written in quoted-printable.
fn body(notice: &Received) -> String {
    notice.text().replace("=\r\n", "").replace("=\n", "")
}
