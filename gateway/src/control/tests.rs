//! The client against servers that are dead, dying or forbidden; commands on a resting queue.

use std::path::PathBuf;

use mailweir_mail::{Client, Envelope, Origin, Protocol, QueueId, Reply, ReversePath};
use mailweir_moderation::{
    case::{Actor, By, Command, Proof},
    case_file::CaseFile,
    deed::Deed,
    search::Query,
};
use mailweir_queue::{
    AttemptResult, Disposition, NewMail, Queue, Work,
    store::{Batch, FjallStore, Key, Space, Storage as _},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
};

use super::{operation::*, socket::Found, *};
use crate::{clock, moderation::annex, store::Store};

#[tokio::test]
async fn no_socket_or_one_left_behind_means_that_nobody_serves() {
    let (_place, path) = socket();
    assert_eq!(put(&path).await.unwrap(), (Found::Nobody, vec![]));
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    assert_eq!(put(&path).await.unwrap(), (Found::Nobody, vec![]));
}

#[tokio::test]
async fn a_socket_that_cannot_be_reached_is_no_resting_queue() {
    let (_place, path) = socket();
    std::fs::write(&path, "no directory").unwrap();
    let error = put(&path.join("control.sock")).await.unwrap_err().to_string();
    assert!(error.starts_with("cannot ask the server at "), "{error}");
}

#[tokio::test]
async fn an_answer_is_whole_only_with_its_last_line() {
    for (said, whole) in [
        (r#"{"answer":{"flushed":{"mails":3}}}"#, false),
        ("{\"answer\":{\"flushed\":{\"mails\":3}}}\n\"end\"\n", true),
        (r#"{"answer":{"flu"#, false),
        ("", false),
    ] {
        let (_place, path) = socket();
        let listener = UnixListener::bind(&path).unwrap();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = String::new();
            BufReader::new(&mut stream).read_line(&mut request).await.unwrap();
            stream.write_all(said.as_bytes()).await.unwrap();
        };
        match tokio::join!(put(&path), server).0 {
            Ok(found) => {
                assert!(whole, "{said:?}");
                assert_eq!(found, (Found::Server, vec![Answer::Flushed { mails: 3 }]));
            }
            Err(error) => {
                assert!(!whole, "{said:?}: {error:#}");
                assert!(error.to_string().starts_with("the server went away"), "{error:#}");
            }
        }
    }
}

#[test]
fn a_decision_has_the_words_that_other_versions_know() {
    let id = QueueId::new(mailweir_mail::Timestamp::from_secs(1), 1);
    let operation = Operation::Decide { id, deed: Deed::Cancel };
    let words = format!(r#"{{"decide":{{"id":"{id}","decision":"cancel"}}}}"#);
    assert_eq!(serde_json::to_string(&operation).unwrap(), words);
    assert_eq!(serde_json::from_str::<Operation>(&words).unwrap(), operation);
}

#[tokio::test]
async fn a_list_longer_than_the_way_to_its_reader_comes_whole() {
    let (place, ids) = with_mail(BACKLOG + 10, false).await;
    let listed = ask_all(&place, list()).await.unwrap();
    let found = listed.iter().map(|answer| match answer {
        Answer::Entry(entry) => entry.queue_id,
        other => panic!("{other:?}"),
    });
    assert_eq!(found.collect::<Vec<_>>(), ids);
}

#[tokio::test]
async fn a_server_ends_its_answer_with_a_last_line() {
    let (place, ids) = with_mail(BACKLOG + 10, false).await;
    let queue = Store::in_dir(place.path()).open(|_| {}).unwrap();
    let request = Request { by: "operator".into(), operation: list() };
    let request = serde_json::to_string(&request).unwrap();
    for (said, answers) in [(request.as_str(), ids.len()), ("nonsense", 1)] {
        let (mut client, server) = UnixStream::pair().unwrap();
        let asking = async {
            client.write_all(format!("{said}\n").as_bytes()).await.unwrap();
            let mut heard = String::new();
            client.read_to_string(&mut heard).await.unwrap();
            heard
        };
        let answering = socket::answer(server, Target::Resting(&queue));
        let (heard, answered) = tokio::join!(asking, answering);
        answered.unwrap();
        assert_eq!(heard.lines().count(), answers + 1, "{heard}");
        assert_eq!(heard.lines().last(), Some("\"end\""), "{heard}");
    }
}

#[tokio::test]
async fn a_reader_that_fails_ends_the_list_and_closes_the_queue() {
    let (place, _) = with_mail(BACKLOG + 10, false).await;
    let request = Request { by: "operator".into(), operation: list() };
    let mut heard = 0;
    let asked = ask(Store::in_dir(place.path()), &request, |_| {
        heard += 1;
        Err(io::ErrorKind::BrokenPipe.into())
    });
    assert!(asked.await.is_err());
    assert_eq!(heard, 1);
    assert!(ask_all(&place, list()).await.is_ok(), "the queue can be opened again");
}

#[tokio::test]
async fn a_flush_of_a_resting_queue_is_stored_for_the_next_start() {
    let (place, ids) = with_mail(3, true).await;
    let on_hold = Operation::Hold {
        mails: Selection::Ids(vec![ids[0]]),
        reason: mailweir_mail::HoldReason::new("not this one"),
    };
    ask_all(&place, on_hold).await.unwrap();
    let told = ask_all(&place, Operation::Flush).await.unwrap();
    assert_eq!(told, [Answer::Flushed { mails: 2 }]);
    let again = ask_all(&place, Operation::Flush).await.unwrap();
    assert_eq!(again, [Answer::Flushed { mails: 0 }]);
    let queue = Store::in_dir(place.path()).open(|_| {}).unwrap();
    let (first, second) = (claim(&queue).await, claim(&queue).await);
    assert_eq!([first.id, second.id], [ids[1], ids[2]]);
}

#[tokio::test]
async fn what_a_running_server_alone_knows_is_refused_in_words_that_say_why() {
    let (place, ids) = with_mail(1, false).await;
    let (id, login, rule) = (ids[0], "ann".into(), None);
    for (operation, why) in [
        (Operation::Bans { all: true }, "failed log-ins"),
        (Operation::Lift { whom: Culprit::All }, "failed log-ins"),
        (Operation::Cases { query: Query::default(), limit: 1 }, "what waits for people"),
        (Operation::Case { id }, "what waits for people"),
        (Operation::Decide { id, deed: Deed::Cancel }, "what waits for people"),
        (Operation::Trusted, "what waits for people"),
        (Operation::Distrust { login, rule }, "what waits for people"),
        (Operation::Import { doubles: Doubles::LeaveOut }, "opens the archive itself"),
    ] {
        let told = ask_all(&place, operation.clone()).await.unwrap();
        let [Answer::Failed { reason }] = &told[..] else { panic!("{told:?}") };
        assert!(reason.starts_with("no server runs; ") && reason.contains(why), "{reason}");
        let request = Request { by: "operator".into(), operation };
        let error = ask_running(&Store::in_dir(place.path()), &request, |_| Ok(())).await;
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with("no server runs on ") && error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn the_journal_of_a_resting_queue_is_shown_and_found_whole() {
    let (place, id) = with_case(2).await;
    let told = ask_all(&place, Operation::Journal { id: None, verdict: false }).await.unwrap();
    let [Answer::JournalEntry(first), Answer::JournalEntry(second), Answer::JournalVerdict(end)] =
        &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!((first.number, second.number, &first.hash), (1, 2, &second.before));
    assert_eq!((end.entries, &end.broken, &end.last), (2, &None, &Some(second.hash.clone())));
    assert_eq!(end.missing, []);
    let other = QueueId::new(clock::now(), 99);
    for (id, entries) in [(id, 2), (other, 0)] {
        let of_one = Operation::Journal { id: Some(id), verdict: false };
        assert_eq!(ask_all(&place, of_one).await.unwrap().len(), entries + 1);
    }
    assert!(matches!(verdict(&place).await, JournalVerdict { entries: 2, broken: None, .. }));
}

#[tokio::test]
async fn a_journal_with_a_changed_byte_a_gap_or_a_lost_end_is_not_whole() {
    let (place, _) = with_case(3).await;
    change_journal(&place, |batch, key, record| {
        let mut record = record.to_vec();
        let last = record.len() - 1;
        record[last] ^= 1;
        batch.put_at(Space::Journal, key, record);
    });
    let told = verdict(&place).await;
    assert_eq!(told.entries, 1);
    assert!(told.broken.unwrap().starts_with("entry 2 of the journal cannot be read"));

    let (place, _) = with_case(3).await;
    change_journal(&place, |batch, key, _| batch.delete_at(Space::Journal, key));
    let told = verdict(&place).await;
    assert_eq!(told.broken.as_deref(), Some("entry 2 of the journal is missing"));

    // The chain has nothing to say of an end that is gone, the case has.
    let (place, id) = with_case(2).await;
    change_journal(&place, |batch, key, _| batch.delete_at(Space::Journal, key));
    let told = verdict(&place).await;
    assert_eq!((told.entries, told.broken, told.missing), (1, None, vec![id]));
}

#[tokio::test]
async fn what_is_done_at_rest_stands_in_the_case_and_in_the_journal() {
    let ids = |id| Selection::Ids(vec![id]);
    for (is_sent, state) in [(true, "released"), (false, "discarded")] {
        let (place, id) = with_held_case().await;
        let requeued = ask_all(&place, Operation::Requeue { mails: ids(id) }).await.unwrap();
        assert!(matches!(requeued[..], [Answer::Refused { .. }]), "{requeued:?}");
        let all = ask_all(&place, Operation::Release { mails: Selection::All }).await.unwrap();
        assert_eq!(all, [Answer::Skipped { mails: 1 }]);
        let wish = match is_sent {
            true => Operation::Release { mails: ids(id) },
            false => Operation::Delete { mails: ids(id) },
        };
        assert_eq!(ask_all(&place, wish).await.unwrap(), [Answer::Changed { id }]);
        let queue = Store::in_dir(place.path()).open(|_| {}).unwrap();
        let stored = queue.case(id).await.unwrap().unwrap().unwrap();
        queue.shutdown().await;
        drop(queue);
        let file = CaseFile::from_bytes(&stored).unwrap();
        assert_eq!(file.standing(), format!("{state} by administrator operator"));
        let told = verdict(&place).await;
        assert_eq!((told.entries, told.broken, &told.missing[..]), (3, None, &[][..]));
    }
}

#[tokio::test]
async fn of_a_mail_that_cannot_be_read_an_operator_ends_the_case_and_is_told_that_it_stays() {
    let (place, id) = with_held_case().await;
    let store = FjallStore::open(&place.path().join("queue").join("store")).unwrap();
    let mut damage = Batch::default();
    damage.put(Space::Envelopes, id, "garbage");
    store.commit(damage).unwrap();
    drop(store);
    let ids = || Selection::Ids(vec![id]);
    let reason = |told: Vec<Answer>| match &told[..] {
        [Answer::Refused { reason, .. }] => reason.clone(),
        other => panic!("{other:?}"),
    };
    let released = ask_all(&place, Operation::Release { mails: ids() }).await.unwrap();
    assert!(reason(released).contains("is corrupt"));
    assert_eq!(stored_case(&place, id).await.state_name(), "waiting");
    let deleted = ask_all(&place, Operation::Delete { mails: ids() }).await.unwrap();
    assert!(reason(deleted).contains("kept aside for `mailweir rescue`; its case is over"));
    let file = stored_case(&place, id).await;
    assert_eq!((file.state_name(), file.waits_for_operator()), ("discarded", false));
    // Of the case there is nothing more to do.
    let again = ask_all(&place, Operation::Delete { mails: ids() }).await.unwrap();
    assert!(reason(again).contains("is corrupt"));
}

#[tokio::test]
async fn nobody_is_sent_to_approve_what_nobody_can_approve() {
    let (place, id) = with_held_case().await;
    let queue = Store::in_dir(place.path()).open(|_| {}).unwrap();
    let before = crate::moderation::sample_case();
    let damaged = before.take(&Command::Condemn, clock::now()).unwrap().0;
    queue.write(annex(id, &damaged, Some(&before.case)).unwrap()).await.unwrap();
    queue.shutdown().await;
    drop(queue);
    let requeue = Operation::Requeue { mails: Selection::Ids(vec![id]) };
    let told = ask_all(&place, requeue).await.unwrap();
    let [Answer::Refused { reason, .. }] = &told[..] else { panic!("{told:?}") };
    assert!(!reason.contains("approve"), "{reason}");
    for way in ["release", "delete"] {
        assert!(reason.contains(&format!("`mailweir queue {way} {id}`")), "{reason}");
    }
}

async fn stored_case(place: &TempDir, id: QueueId) -> CaseFile {
    let queue = Store::in_dir(place.path()).open(|_| {}).unwrap();
    let stored = queue.case(id).await.unwrap().unwrap().unwrap();
    queue.shutdown().await;
    CaseFile::from_bytes(&stored).unwrap()
}

/// A data directory with one mail that waits for people.
async fn with_held_case() -> (TempDir, QueueId) {
    let place = tempfile::tempdir().unwrap();
    let queue = Store::in_dir(place.path()).open(|_| {}).unwrap();
    let mut intake = queue.intake(0).unwrap();
    intake.write(b"Subject: test\r\n\r\nBody\r\n").await.unwrap();
    let id = intake.id();
    let disposition = Disposition::Held(mailweir_mail::HoldReason::new("rule"));
    let mail = queue.compose(intake, NewMail { disposition, ..mail() }).await.unwrap();
    let opened = annex(id, &crate::moderation::sample_case(), None).unwrap();
    queue.commit_with(mail, opened).await.unwrap();
    queue.shutdown().await;
    (place, id)
}

/// A data directory with one case of so many steps.
async fn with_case(steps: usize) -> (TempDir, QueueId) {
    let place = tempfile::tempdir().unwrap();
    let queue = Store::in_dir(place.path()).open(|_| {}).unwrap();
    let id = QueueId::new(clock::now(), 1);
    let by = By { who: Actor::Administrator("root".into()), proof: Proof::CommandLine, from: None };
    let mut file = crate::moderation::sample_case();
    let mut annex = annex(id, &file, None).unwrap();
    for _ in 1..steps {
        let command = Command::Comment { by: by.clone(), text: "hm".into() };
        let case = file.case.take(&command, clock::now()).unwrap().case;
        let after = CaseFile { case, ..file.clone() };
        queue.write(annex).await.unwrap();
        annex = crate::moderation::annex(id, &after, Some(&file.case)).unwrap();
        file = after;
    }
    queue.write(annex).await.unwrap();
    queue.shutdown().await;
    (place, id)
}

/// Does something to the second entry behind the back of the queue.
fn change_journal(place: &TempDir, change: impl Fn(&mut Batch, Key, &[u8])) {
    let store = FjallStore::open(&place.path().join("queue").join("store")).unwrap();
    let mut key = [0; 12];
    key[7] = 2;
    let record = store.get(Space::Journal, key).unwrap().unwrap();
    let mut batch = Batch::default();
    change(&mut batch, key, &record);
    store.commit(batch).unwrap();
}

async fn verdict(place: &TempDir) -> JournalVerdict {
    let told = ask_all(place, Operation::Journal { id: None, verdict: true }).await.unwrap();
    match &told[..] {
        [Answer::JournalVerdict(verdict)] => verdict.clone(),
        other => panic!("{other:?}"),
    }
}

/// Puts a request to whoever listens at `path`.
async fn put(path: &Path) -> anyhow::Result<(Found, Vec<Answer>)> {
    let request = Request { by: "operator".into(), operation: Operation::Flush };
    let mut answers = Vec::new();
    let mut tell = |answer| {
        answers.push(answer);
        Ok(())
    };
    let found = socket::ask(path, &request, &mut tell).await?;
    Ok((found, answers))
}

async fn ask_all(place: &TempDir, operation: Operation) -> anyhow::Result<Vec<Answer>> {
    let request = Request { by: "operator".into(), operation };
    let mut answers = Vec::new();
    let tell = |answer| {
        answers.push(answer);
        Ok(())
    };
    ask(Store::in_dir(place.path()), &request, tell).await?;
    Ok(answers)
}

/// A data directory with so many mails, deferred or ready.
async fn with_mail(mails: usize, is_deferred: bool) -> (TempDir, Vec<QueueId>) {
    let place = tempfile::tempdir().unwrap();
    let queue = Store::in_dir(place.path()).open(|_| {}).unwrap();
    let mut ids = Vec::new();
    for _ in 0..mails {
        let mut intake = queue.intake(0).unwrap();
        intake.write(b"Subject: test\r\n\r\nBody\r\n").await.unwrap();
        ids.push(intake.commit(mail()).await.unwrap().queue_id());
        if is_deferred {
            let claim = claim(&queue).await;
            let reply = Reply::new(450, mailweir_mail::Enhanced(4, 2, 0), "later");
            let result = AttemptResult::Deferred { reply, relay: None };
            let results = claim.pending.iter().map(|index| (*index, result.clone())).collect();
            queue.record(&claim, results).await.unwrap();
        }
    }
    queue.shutdown().await;
    (place, ids)
}

async fn claim(queue: &Queue) -> mailweir_queue::Claim {
    match queue.next_work().await {
        Some(Work::Deliver(claim)) => claim,
        other => panic!("expected a mail to deliver, got {other:?}"),
    }
}

fn mail() -> NewMail {
    let sender = ReversePath::Mailbox("sender@a.example".parse().unwrap());
    let envelope = Envelope::from_sender(sender).to("r@b.example".parse().unwrap());
    let origin = Origin {
        listener: "mx".into(),
        client: Client::unnamed("192.0.2.1:4711".parse().unwrap()),
        helo: "client.example".into(),
        protocol: Protocol::Esmtp,
        login: None,
        tls: None,
        forwarded: None,
        arrival: clock::now(),
    };
    NewMail { envelope, origin, disposition: Disposition::Ready, archive: None }
}

const fn list() -> Operation {
    Operation::List { place: None, limit: usize::MAX }
}

fn socket() -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("control.sock");
    (place, path)
}
