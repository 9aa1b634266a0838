use std::sync::{Arc, Mutex};

use mailweir_mail::{HoldReason, MailEvent};

use super::*;
use crate::{
    Clock, Disposition, NewMail, Options, Queue, Work,
    queue::harness::{CONTENT, NOTE, TestClock, accept, archived, delivered, mail, nth, options},
    store::memory::MemoryStore,
};

#[tokio::test(start_paused = true)]
async fn every_mail_is_written_with_its_envelope_from_store_and_spool() {
    let it = Wreck::new();
    let (small, large) = it.two_mails().await;
    let report = it.rescue().await;
    assert_eq!(report, RescueReport { whole: 2, ..RescueReport::default() });
    for id in [small, large] {
        assert_eq!(it.saved(id, "eml").as_deref(), Some(CONTENT));
        let json: Value = serde_json::from_slice(&it.saved(id, "json").unwrap()).unwrap();
        assert_eq!(json["envelope"]["sender"], "sender@a.example");
        assert_eq!(json["envelope"]["recipients"][0]["address"], "r0@b.example");
        assert_eq!(json["recipients"][0]["status"], "pending");
        assert_eq!(
            (&json["archive"], &json["archive_note"]),
            (&json!("owed nothing"), &json!(null))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn mail_that_only_the_archive_waits_for_is_saved_with_its_note_and_how_it_ended() {
    let it = Wreck::new();
    let id = accept(&it.queue, archived(mail(1))).await;
    let Some(Work::Deliver(claim)) = it.queue.next_work().await else { panic!("no mail") };
    it.queue.record(&claim, vec![(nth(0), delivered())]).await.unwrap();
    let report = it.rescue().await;
    assert_eq!(report, RescueReport { whole: 1, ..RescueReport::default() });
    assert_eq!(it.saved(id, "eml").as_deref(), Some(CONTENT));
    let json: Value = serde_json::from_slice(&it.saved(id, "json").unwrap()).unwrap();
    assert_eq!(
        (&json["state"], &json["recipients"][0]["status"]),
        (&json!("archiving"), &json!("delivered"))
    );
    assert_eq!(json["archive"], "owed the mail and its outcome");
    assert_eq!(
        json["archive_note"],
        NOTE.bytes().map(|byte| format!("{byte:02x}")).collect::<String>()
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_damaged_is_named_and_the_rest_is_saved_j12() {
    let it = Wreck::new();
    let (small, large) = it.two_mails().await;
    it.store.damage(Space::Envelopes, small.to_key(), "garbage");
    it.store.damage(Space::States, large.to_key(), "");
    it.store.damage(Space::Bodies, QueueId::new(small.arrival(), 99).to_key(), "garbage");
    let report = it.rescue().await;
    assert_eq!((report.whole, report.doubtful, report.without_content), (1, 1, 1));
    assert_eq!(it.saved(small, "eml").as_deref(), Some(CONTENT));
    assert_eq!(it.saved(large, "eml").as_deref(), Some(CONTENT));
    let problems = report.problems.join("\n");
    assert!(problems.contains(&format!("{small}: envelopes: the record is torn")), "{problems}");
    assert!(problems.contains(&format!("{large}: states: the record is torn")), "{problems}");
}

#[tokio::test(start_paused = true)]
async fn a_spool_file_that_changed_is_saved_and_called_doubtful() {
    let it = Wreck::new();
    let (_, large) = it.two_mails().await;
    let spool = Spool::open(it.directory.path()).unwrap();
    fs::write(spool.path(large), b"something else").unwrap();
    let report = it.rescue().await;
    assert_eq!((report.whole, report.doubtful), (1, 1));
}

#[test]
fn a_queue_that_is_not_there_is_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let (queue, out) = (directory.path().join("queue"), directory.path().join("out"));
    let error = rescue(&queue, Engine::Fjall, &out).unwrap_err();
    assert!(error.to_string().starts_with("there is no queue in "), "{error}");
    assert!(!queue.exists() && !out.exists());
}

#[tokio::test(start_paused = true)]
async fn spool_files_are_saved_even_if_the_store_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(directory.path()).unwrap();
    let id = QueueId::new(TestClock::new().now(), 1);
    let mut draft = spool.create(id).unwrap();
    draft.write(CONTENT).unwrap();
    draft.finish().unwrap().keep();
    fs::write(directory.path().join("store"), "not a directory").unwrap();
    let out = directory.path().join("out");
    let report = rescue(directory.path(), Engine::default(), &out).unwrap();
    assert_eq!((report.whole, report.doubtful), (0, 1));
    assert!(report.problems[0].contains("cannot open"), "{:?}", report.problems);
    assert_eq!(fs::read(out.join(format!("{id}.eml"))).unwrap(), CONTENT);
}

#[tokio::test(start_paused = true)]
async fn a_queue_in_use_is_left_alone_j11() {
    let it = Wreck::new();
    let out = it.directory.path().join("out");
    let error = rescue(it.directory.path(), Engine::default(), &out).unwrap_err();
    assert!(error.to_string().contains("another instance"), "{error}");
}

struct Wreck {
    directory: tempfile::TempDir,
    store: Arc<MemoryStore>,
    queue: Queue,
}

impl Wreck {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(MemoryStore::default());
        let events: Arc<Mutex<Vec<MailEvent>>> = Arc::default();
        let options =
            Options { spool_threshold: CONTENT.len(), ..options(directory.path(), &events) };
        let queue = Queue::open_on(store.clone(), options, TestClock::new()).unwrap();
        Self { directory, store, queue }
    }

    /// One in the store, one in a spool file that holds the same content.
    async fn two_mails(&self) -> (QueueId, QueueId) {
        let held =
            || NewMail { disposition: Disposition::Held(HoldReason::new("rule")), ..mail(1) };
        let small = accept(&self.queue, held()).await;
        let large = accept(&self.queue, held()).await;
        // Made large after the fact: the content moves from the store to a file.
        let spool = Spool::open(self.directory.path()).unwrap();
        let mut draft = spool.create(large).unwrap();
        draft.write(CONTENT).unwrap();
        draft.finish().unwrap().keep();
        let record = self.store.get(Space::Envelopes, large.to_key()).unwrap().unwrap();
        let mut record = EnvelopeRecord::decode(&record).unwrap();
        record.body.location = BodyLocation::Spool;
        let mut batch = crate::store::Batch::default();
        batch.put(Space::Envelopes, large, record.encode());
        batch.delete(Space::Bodies, large);
        self.store.commit(batch).unwrap();
        (small, large)
    }

    async fn rescue(&self) -> RescueReport {
        self.queue.rescue(&self.directory.path().join("out")).await.unwrap()
    }

    fn saved(&self, id: QueueId, suffix: &str) -> Option<Vec<u8>> {
        fs::read(self.directory.path().join("out").join(format!("{id}.{suffix}"))).ok()
    }
}
