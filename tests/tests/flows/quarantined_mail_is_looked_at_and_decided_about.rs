//! Mail that fails DMARC waits in quarantine: an operator looks at it as text, lets it go on or deletes it, and the classifier
//! learns from that.

use mailweir::{
    control::operation::{Answer, Place},
    spam::{
        quarantine::{Ask, Learned, Shown, Teaching, Told, Verdict},
        words::LearnedClass,
    },
};
use mailweir_mail::QueueId;
use mailweir_tests::{
    dns::FakeDns,
    gateway::{Gateway, Mail, Setup, mail},
    sink::{Point, Script, Sink},
};

#[tokio::test]
async fn an_operator_sees_why_a_mail_is_there_and_what_it_says() {
    let (gateway, _sink, _dns) = gateway().await;
    let id = quarantined(&gateway, forged("one\x1b[2J two")).await;
    let listed = gateway.quarantine(Ask::List).await;
    let [Answer::Quarantine(Told::Entry(entry))] = &*listed else { panic!("{listed:?}") };
    assert_eq!((entry.queue_id, &*entry.sender), (id, "x@other.test"));
    let reason = entry.hold_reason.as_ref().unwrap().as_str();
    assert_eq!(reason, "quarantine: it fails the DMARC policy of author.test");
    let shown = show(&gateway, id).await;
    assert_eq!(&shown.entry, entry);
    assert!(shown.client.contains("127.0.0.1"), "{shown:?}");
    assert_eq!(shown.recipients, [Box::from("user@local.example")]);
    let field = |wanted: &str| {
        let found = shown.preview.fields.iter().find(|(name, _)| &**name == wanted);
        found.map(|(_, value)| &**value).unwrap_or_default()
    };
    assert_eq!((field("From"), field("Subject")), ("Ann <ann@author.test>", "offer"));
    assert!(field("Authentication-Results").contains("dmarc=fail"), "{shown:?}");
    let text = shown.preview.lines.join("\n");
    assert!(text.contains("one") && !text.contains('\x1b'), "{text:?}");
}

#[tokio::test]
async fn what_is_released_goes_on_and_is_learned_as_good_mail() {
    let (gateway, sink, _dns) = gateway().await;
    let id = quarantined(&gateway, forged("meeting agenda")).await;
    let learned = gateway.decide(id, Verdict::Release, Teaching::Learn).await;
    assert_eq!(learned, Learned::As(LearnedClass::Ham));
    assert!(sink.expect_one().await.text().contains("meeting agenda"));
    gateway.log().expect(&format!("{id}: released from hold (operator)")).await;
    gateway.log().expect(&format!("spam[*]: {id}: learned as ham (operator)")).await;
    let standing = gateway.learned().await;
    assert_eq!((standing.ham, standing.spam), (1, 0));
    // It is what a command would learn: the marks of the way here make no difference.
    let again = gateway.teach(LearnedClass::Ham, &[content("meeting agenda")]).await;
    assert_eq!((again.changed, again.unchanged), (0, 1));
}

#[tokio::test]
async fn what_is_deleted_is_learned_as_spam_and_goes_nowhere() {
    let (mut gateway, sink, _dns) = gateway().await;
    let id = quarantined(&gateway, forged("cheap pills")).await;
    let learned = gateway.decide(id, Verdict::Delete, Teaching::Learn).await;
    assert_eq!(learned, Learned::As(LearnedClass::Spam));
    gateway.queue().expect_empty().await;
    gateway.log().expect(&format!("spam[*]: {id}: learned as spam (operator)")).await;
    let same = quarantined(&gateway, forged("cheap pills")).await;
    let learned = gateway.decide(same, Verdict::Delete, Teaching::Learn).await;
    assert_eq!(learned, Learned::Known(LearnedClass::Spam));
    gateway.restart().await;
    assert_eq!(gateway.learned().await.spam, 1);
    sink.expect_nothing();
}

#[tokio::test]
async fn what_is_told_to_be_learned_is_stored() {
    let (gateway, _sink, _dns) = gateway().await;
    let id = quarantined(&gateway, forged("cheap pills")).await;
    let learned = gateway.decide(id, Verdict::Delete, Teaching::Learn).await;
    assert_eq!(learned, Learned::As(LearnedClass::Spam));
    let stored = gateway.data_dir().join("spam/classifier");
    assert!(stored.exists(), "before anybody hears of it");

    // It cannot be stored any more.
    let taken = gateway.data_dir().join("spam/classifier.new");
    std::fs::create_dir(&taken).unwrap();
    let id = quarantined(&gateway, forged("more pills")).await;
    let learned = gateway.decide(id, Verdict::Delete, Teaching::Learn).await;
    let Learned::Failed { reason } = &learned else { panic!("{learned:?}") };
    assert!(reason.starts_with("it is not stored yet: "), "{reason}");
    std::fs::remove_dir(&taken).unwrap();
}

#[tokio::test]
async fn who_decides_with_other_commands_or_says_so_teaches_nothing() {
    let (gateway, _sink, _dns) = gateway().await;
    let id = quarantined(&gateway, forged("one")).await;
    let learned = gateway.decide(id, Verdict::Release, Teaching::Leave).await;
    assert_eq!(learned, Learned::Left);
    let id = quarantined(&gateway, forged("two")).await;
    gateway.queue().delete(id).await;
    let id = quarantined(&gateway, forged("three")).await;
    gateway.queue().release(id).await;
    gateway.queue().expect_empty().await;
    let standing = gateway.learned().await;
    assert_eq!((standing.ham, standing.spam), (0, 0));
}

#[tokio::test]
async fn mail_that_is_held_for_other_reasons_is_not_in_quarantine() {
    let (gateway, sink, _dns) = gateway().await;
    sink.change(Script::smtp().replying(Point::Mail, "450 4.0.0 Not yet"));
    let id = quarantined(&gateway, forged("one")).await;
    gateway.queue().release(id).await;
    gateway.queue().expect(id, Place::Deferred).await;
    let asks = || [Ask::Show { id }, decide(id, Verdict::Release), decide(id, Verdict::Delete)];
    for ask in asks() {
        assert_eq!(refused(&gateway, ask).await, "it is not in quarantine, nor on hold at all");
    }
    gateway.queue().hold(id).await;
    for ask in asks() {
        let reason = refused(&gateway, ask).await;
        let words =
            "it is not in quarantine, but on hold: by hand (operator); `mailweir queue release";
        assert!(reason.starts_with(words), "{reason}");
    }
    assert!(gateway.quarantine(Ask::List).await.is_empty());
    gateway.queue().expect(id, Place::Hold).await;
    gateway.queue().delete(id).await;
    let gone = refused(&gateway, decide(id, Verdict::Delete)).await;
    assert_eq!(gone, "no such mail in the queue");
    let standing = gateway.learned().await;
    assert_eq!((standing.ham, standing.spam), (0, 0));
}

#[tokio::test]
async fn a_queue_at_rest_has_its_quarantine_too() {
    let (mut gateway, _sink, _dns) = gateway().await;
    let one = quarantined(&gateway, forged("one")).await;
    let two = quarantined(&gateway, forged("two")).await;
    gateway.stop().await;
    let store = gateway.store();
    let ask = async |ask: Ask| {
        let mut answers = Vec::new();
        let tell = |answer| {
            answers.push(answer);
            Ok(())
        };
        mailweir::control::ask_quarantine(&store, "operator", ask, tell).await.unwrap();
        answers
    };
    assert_eq!(ask(Ask::List).await.len(), 2);
    let shown = ask(Ask::Show { id: one }).await;
    assert!(matches!(&*shown, [Answer::Quarantine(Told::Shown(_))]), "{shown:?}");
    let deleted = ask(decide(two, Verdict::Delete)).await;
    let learned = Learned::As(LearnedClass::Spam);
    assert_eq!(deleted, [Answer::Quarantine(Told::Decided { id: two, learned })]);
    gateway.start_again().await;
    assert_eq!(gateway.learned().await.spam, 1);
    gateway.queue().expect(one, Place::Hold).await;
}

#[tokio::test]
async fn a_gateway_learns_from_the_reload_on_that_switches_it_on() {
    let sink = Sink::start(Script::smtp()).await;
    let mut gateway = Gateway::start(&Setup::before(&sink)).await;
    let checking = Setup::before(&sink).section("spam", "enabled = true");
    gateway.reload(&checking).await.unwrap();
    let taught = gateway.teach(LearnedClass::Spam, &[content("one"), content("two")]).await;
    assert_eq!(taught.changed, 2);
    gateway.reload(&checking).await.unwrap();
    assert_eq!(gateway.learned().await.spam, 2);
    gateway.restart().await;
    assert_eq!(gateway.learned().await.spam, 2);
}

fn decide(id: QueueId, verdict: Verdict) -> Ask {
    Ask::Decide { ids: vec![id], verdict, lesson: Teaching::Learn }
}

async fn refused(gateway: &Gateway, ask: Ask) -> String {
    let answers = gateway.quarantine(ask).await;
    let [Answer::Refused { reason, .. }] = &*answers else { panic!("{answers:?}") };
    reason.to_string()
}

async fn show(gateway: &Gateway, id: QueueId) -> Shown {
    match gateway.quarantine(Ask::Show { id }).await.remove(0) {
        Answer::Quarantine(Told::Shown(shown)) => *shown,
        other => panic!("{other:?}"),
    }
}

async fn quarantined(gateway: &Gateway, mail: Mail) -> QueueId {
    let id = gateway.submit(mail).await.expect_accepted();
    gateway.queue().expect(id, Place::Hold).await;
    id
}

fn forged(text: &str) -> Mail {
    mail().from("x@other.test").content(content(text))
}

fn content(text: &str) -> String {
    format!(
        "From: Ann <ann@author.test>\r\nTo: user@local.example\r\nSubject: offer\r\n\r\n{text}\r\n"
    )
}

async fn gateway() -> (Gateway, Sink, FakeDns) {
    let zone = "author.test TXT v=spf1 -all\n_dmarc.author.test TXT v=DMARC1; p=reject";
    let dns = FakeDns::start(zone).await;
    let sink = Sink::start(Script::smtp()).await;
    let setup = Setup::before(&sink)
        .listener("mx", "mode = \"mx\"")
        .section("dns", &format!("servers = [\"{}\"]\ntimeout = \"1s\"", dns.address()))
        .section("spam", "enabled = true");
    (Gateway::start(&setup).await, sink, dns)
}
