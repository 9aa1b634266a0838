//! An administrator brings in old mail while the gateway runs: new mail is archived meanwhile, each mail is there once,
//! and whatever ends the import early, it can be begun again. Row A3 of the mission.

use mailweir::archiving::{
    Sight,
    words::{
        Ask,
        Doubles::{LeaveOut, TakeIn},
        Imported, Told,
    },
};
use mailweir_archive::entry::Source;
use mailweir_mail::Recipient;
use mailweir_search::index::Page;
use mailweir_tests::{
    gateway::{Gateway, Import, brought, mail_to},
    program, wait,
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};

#[tokio::test]
async fn new_mail_is_archived_while_old_mail_is_brought_in_and_both_are_found() {
    if program::require().is_none() {
        return;
    }
    let (gateway, archive, _sink) = Gateway::archiving("").await;
    let import = gateway.begin_import(LeaveOut);
    bring(&import, 0..MORE_THAN_A_GROUP).await;
    import.expect_archived(1).await;
    let new = gateway.accept(mail_to("user").content("Subject: new\r\n\r\nx\r\n")).await;
    archive.expect_ended(new).await;
    bring(&import, MORE_THAN_A_GROUP..400).await;
    let imported = import.finish().await.unwrap();
    assert_eq!((imported.mails, imported.known, imported.erased), (400, 0, 0));
    let number = archive.number(new).unwrap();
    assert!(number > 1 && number < 401, "{number} is not in between");
    for (query, count) in [("subject:new", 1), ("subject:7", 1), ("subject:399", 1)] {
        expect_found(&gateway, query, count).await;
    }

    let again = gateway.begin_import(LeaveOut);
    bring(&again, 0..400).await;
    let imported = again.finish().await.unwrap();
    assert_eq!(imported, Imported { known: 400, ..Imported::default() });
    assert_eq!(archive.expect_sound(), 402);
}

#[tokio::test]
async fn an_import_that_the_end_of_the_server_cuts_short_is_begun_again() {
    let (mut gateway, archive, _sink) = Gateway::archiving("").await;
    let import = gateway.begin_import(LeaveOut);
    bring(&import, 0..MORE_THAN_A_GROUP).await;
    import.expect_archived(1).await;
    gateway.stop().await;
    let error = import.finish().await.unwrap_err();
    assert!(error.contains("the server ends"), "{error}");
    let archived = archive.expect_sound();
    assert!(archived > 0 && archived < MORE_THAN_A_GROUP, "{archived}");
    gateway.start_again().await;
    let import = gateway.begin_import(LeaveOut);
    bring(&import, 0..MORE_THAN_A_GROUP).await;
    let imported = import.finish().await.unwrap();
    assert_eq!((imported.mails, imported.known), (MORE_THAN_A_GROUP - archived, archived));
}

#[tokio::test]
async fn what_is_erased_while_an_import_is_under_way_does_not_come_in_again() {
    let (gateway, archive, _sink) = Gateway::archiving("").await;
    let first = gateway.begin_import(LeaveOut);
    bring(&first, 0..2).await;
    first.finish().await.unwrap();
    let import = gateway.begin_import(LeaveOut);
    import.expect_ready().await;
    let gone = archive.all()[0].capture.id;
    let erase = Ask::Erase { ids: vec![gone], reason: "request 7".into() };
    let told = gateway.queue().ask_archive(erase).await;
    assert!(matches!(told[..], [Told::Erased { .. }]), "{told:?}");
    bring(&import, 0..3).await;
    let imported = import.finish().await.unwrap();
    assert_eq!((imported.mails, imported.known, imported.erased), (1, 1, 1));
    let again = gateway.begin_import(TakeIn);
    bring(&again, 0..3).await;
    assert_eq!(again.finish().await.unwrap().mails, 3);
}

/// As many as a journal report may name.
#[tokio::test]
async fn a_mail_of_very_many_recipients_is_brought_in() {
    let (gateway, archive, _sink) = Gateway::archiving("").await;
    let import = gateway.begin_import(LeaveOut);
    let mut many = brought("report");
    let names = (0..50_000).map(|number| format!("user{number}@own.example"));
    many.envelope.recipients.extend(names.map(|name| Recipient::new(name.parse().unwrap())));
    import.bring_with(many, "Subject: to all\r\n\r\nx\r\n").await;
    bring(&import, 0..1).await;
    assert_eq!(import.finish().await.unwrap().mails, 2);
    assert_eq!(archive.all()[0].capture.envelope.recipients.len(), 50_000);
}

/// A group that is not full waits for the next mail, and that waits for room on the disk.
#[tokio::test]
async fn a_mail_larger_than_all_that_may_wait_is_brought_in() {
    let (gateway, archive, _sink) = Gateway::archiving("").await;
    let import = gateway.begin_import(LeaveOut);
    for (name, size) in [("small", 7 << 20), ("large", 65 << 20), ("last", 2 << 20)] {
        import.bring(name, vec![b'x'; size]).await;
    }
    assert_eq!(import.finish().await.unwrap().mails, 3);
    assert_eq!(archive.all().len(), 3);
}

/// Two that bring the same would not know of each other.
#[tokio::test]
async fn one_import_runs_at_a_time() {
    let (gateway, archive, _sink) = Gateway::archiving("").await;
    let first = gateway.begin_import(LeaveOut);
    first.expect_ready().await;
    let error = gateway.begin_import(LeaveOut).finish().await.unwrap_err();
    assert!(error.contains("another import is under way, by operator since 2"), "{error}");
    bring(&first, 0..1).await;
    assert_eq!(first.finish().await.unwrap().mails, 1);
    assert_eq!(gateway.begin_import(LeaveOut).finish().await, Ok(Imported::default()));
    let Source::Imported { by, from } = &archive.all()[0].capture.note.source else { panic!() };
    assert_eq!((&**by, &**from), ("operator", "old 0"));
}

/// Of a mail that breaks off nothing is archived; those before it are.
#[tokio::test]
async fn what_is_no_mail_ends_the_import_in_words_that_say_why() {
    let (gateway, archive, _sink) = Gateway::archiving("").await;
    for (number, (sent, why)) in [
        ("nonsense\n".to_owned(), "makes no sense"),
        (String::new(), "makes no sense"),
        (format!("{}half", mail_of(100)), "its content breaks off"),
        (format!("{}half", mail_of(2 << 20)), "its content breaks off"),
        (mail_of(1 << 40), "too large"),
    ]
    .into_iter()
    .enumerate()
    {
        let whole = format!("mail {number}");
        let sent = format!("{REQUEST}{}{whole}{sent}", mail_of(whole.len()));
        let mut server = UnixStream::connect(gateway.store().control_socket()).await.unwrap();
        server.write_all(sent.as_bytes()).await.unwrap();
        server.shutdown().await.unwrap();
        let mut heard = String::new();
        server.read_to_string(&mut heard).await.unwrap();
        let lines: Vec<_> = heard.lines().collect();
        let [.., failed, end] = &lines[..] else { panic!("{heard}") };
        assert!(failed.contains("failed") && failed.contains(why), "{heard}");
        assert_eq!(*end, "\"end\"");
        assert_eq!(archive.all().len(), number + 1, "{heard}");
    }
}

/// Brings mails of these numbers: of the same one always the same content.
async fn bring(import: &Import, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let content = format!("Subject: {number}\r\n\r\nold mail\r\n");
        import.bring(&format!("old {number}"), content).await;
    }
}

/// Waits until a search finds so many mails.
async fn expect_found(gateway: &Gateway, query: &str, count: usize) {
    let finder = gateway.finder();
    let found = wait::within_patience(async || {
        let found = finder.search(query, Sight::WithBcc, Page::default(), |_, _| true).await;
        found.is_ok_and(|found| found.seqs.len() == count)
    });
    assert!(found.await, "{query}: not {count}\n{}", gateway.log());
}

/// The line before content of this size.
fn mail_of(size: usize) -> String {
    let mail = json!({"mail": {"brought": brought("x"), "size": size}});
    format!("{mail}\n")
}

const REQUEST: &str =
    "{\"by\":\"operator\",\"operation\":{\"import\":{\"doubles\":\"leave_out\"}}}\n";

/// So many mails are not written as one group.
const MORE_THAN_A_GROUP: u64 = 300;
