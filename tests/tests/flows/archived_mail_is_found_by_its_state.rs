//! `status:` finds the mails that stand so, and no others.

use mailweir::archiving::words::{Ask, Doubles, Reach, Search, Told};
use mailweir_mail::QueueId;
use mailweir_moderation::case::{Actor, By, Command, Proof};
use mailweir_tests::{
    gateway::{Archive, Gateway, Setup, mail_to},
    program,
    sink::{Point, Script, Sink},
    wait,
};

#[tokio::test]
async fn mail_is_found_by_how_it_ended_by_whether_it_was_held_and_by_nothing_else() {
    if program::require().is_none() {
        return;
    }
    let (gateway, archive, _sink) = start().await;
    let delivered = gateway.accept(saying("user", "plain")).await;
    let failed = gateway.accept(saying("gone", "plain")).await;
    let half = gateway.accept(saying("user", "plain").to("gone@local.example")).await;
    let waiting = gateway.accept(saying("busy", "plain")).await;
    let held = gateway.accept(saying("user", "secret")).await;
    let rejected = gateway.accept(saying("user", "secret")).await;
    let released = gateway.accept(saying("user", "secret")).await;
    let reject = Command::Reject { by: boss(), reason: "no".into() };
    gateway.moderation().take(rejected, reject).await.unwrap();
    gateway.moderation().take(released, approve()).await.unwrap();
    for ended in [delivered, failed, half, rejected, released] {
        archive.expect_ended(ended).await;
    }
    let import = gateway.begin_import(Doubles::LeaveOut);
    import.expect_ready().await;
    import.bring("old.eml", "Subject: old\r\n\r\nx\r\n").await;
    import.finish().await.unwrap();
    let of_import = |one: &_| {
        let all = [delivered, failed, half, waiting, held, rejected, released];
        !all.contains(one)
    };
    let imported = archive.all().iter().map(|one| one.capture.id).find(of_import).unwrap();

    let not_held = [delivered, failed, half, waiting, imported];
    for (query, wanted) in [
        ("status:delivered", &[delivered, released][..]),
        ("status:failed", &[failed, half]),
        ("status:deleted", &[rejected]),
        ("status:waiting", &[waiting, held]),
        ("status:imported", &[imported]),
        ("status:held", &[held, rejected, released]),
        ("-status:held", &not_held),
        ("status:held status:waiting", &[held]),
        ("status:held -status:deleted -status:delivered", &[held]),
        ("status:failed status:delivered", &[]),
        ("status:failed subject:secret", &[]),
    ] {
        expect_found(&gateway, query, wanted).await;
    }

    // What is decided now is so in the next search.
    gateway.moderation().take(held, approve()).await.unwrap();
    gateway.queue().delete(waiting).await;
    expect_found(&gateway, "status:delivered", &[delivered, held, released]).await;
    expect_found(&gateway, "status:deleted", &[waiting, rejected]).await;
    expect_found(&gateway, "status:waiting", &[]).await;
    expect_found(&gateway, "status:held", &[held, rejected, released]).await;
}

async fn start() -> (Gateway, Archive, Sink) {
    let script = Script::smtp()
        .replying_for("gone@local.example", Point::Rcpt, "550 5.1.1 No such user")
        .replying_for("busy@local.example", Point::Rcpt, "450 4.2.1 Mailbox busy");
    let sink = Sink::start(script).await;
    let archive = Archive::new();
    let setup = Setup::before(&sink).section("archive", &archive.section()).sections(
        "[[moderation.rule]]\nname = \"secrets\"\naction = \"approval\"\nsubject = [\"secret\"]\n\
         moderators = [\"boss@local.example\"]\ntells_sender = \"never\"\n",
    );
    (Gateway::start(&setup).await, archive, sink)
}

fn saying(user: &str, subject: &str) -> mailweir_tests::gateway::Mail {
    mail_to(user).content(format!("Subject: {subject}\r\n\r\nx\r\n"))
}

fn boss() -> By {
    let boss = Actor::Moderator("boss@local.example".parse().unwrap());
    By { who: boss, proof: Proof::Link, from: None }
}

fn approve() -> Command {
    let (comment, only, at, trust_days) = ("".into(), None, None, 0);
    Command::Approve { by: boss(), comment, only, at, trust_days }
}

/// Waits until a search finds these, in any order, and nothing else.
async fn expect_found(gateway: &Gateway, query: &str, ids: &[QueueId]) {
    let mut wanted = ids.to_vec();
    wanted.sort_unstable();
    let mut last = Vec::new();
    let found = wait::within_patience(async || {
        let search = Search {
            query: query.into(),
            before: None,
            limit: 50,
            utc_offset: 0,
            reach: Reach::AsItIs,
        };
        last = gateway.queue().ask_archive(Ask::Search(search)).await;
        let mut found: Vec<_> = last.iter().filter_map(id_of).collect();
        found.sort_unstable();
        let is_told = matches!(last.last(), Some(Told::Found(told)) if told.behind == 0);
        is_told && found == wanted
    });
    let is_found = found.await;
    assert!(is_found, "{query}: {last:#?} and not {wanted:?}\n{}", gateway.log());
}

fn id_of(told: &Told) -> Option<QueueId> {
    match told {
        Told::Mail(line) => Some(line.id),
        _ => None,
    }
}
