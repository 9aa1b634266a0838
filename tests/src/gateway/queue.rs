//! The queue of a gateway as an operator sees it: through the control socket, as
//! `mailweir queue` does.

use mailweir::{
    archiving::words::{Ask, Told},
    control::{
        self,
        operation::{Answer, Details, Entry, Operation, Place, Request, Selection},
    },
    store::Store,
};
use mailweir_mail::{HoldReason, QueueId};

use super::Gateway;
use crate::wait;

/// The operator's view.
pub struct Queue<'a> {
    gateway: &'a Gateway,
    store: Store,
}

impl<'a> Queue<'a> {
    pub(super) fn of(gateway: &'a Gateway) -> Self {
        Self { store: gateway.store(), gateway }
    }

    /// All mails, oldest first.
    pub async fn list(&self) -> Vec<Entry> {
        let answers = self.ask(Operation::List { place: None, limit: usize::MAX }).await;
        let entry = |answer| match answer {
            Answer::Entry(entry) => Some(entry),
            _ => None,
        };
        answers.into_iter().filter_map(entry).collect()
    }

    /// All about one mail.
    ///
    /// # Panics
    /// If it is not in the queue.
    pub async fn show(&self, id: QueueId) -> Details {
        match self.ask(Operation::Show { id }).await.remove(0) {
            Answer::Details(details) => *details,
            other => panic!("{id}: {other:?}\n{}", self.gateway.log()),
        }
    }

    /// Puts a mail on hold.
    pub async fn hold(&self, id: QueueId) {
        let reason = HoldReason::new("by hand");
        self.change(Operation::Hold { mails: only(id), reason }).await;
    }

    /// Takes a mail off hold.
    pub async fn release(&self, id: QueueId) {
        self.change(Operation::Release { mails: only(id) }).await;
    }

    /// Has a mail start over.
    pub async fn requeue(&self, id: QueueId) {
        self.change(Operation::Requeue { mails: only(id) }).await;
    }

    /// Deletes a mail.
    pub async fn delete(&self, id: QueueId) {
        self.change(Operation::Delete { mails: only(id) }).await;
    }

    /// Has all deferred mail tried now.
    pub async fn flush(&self) {
        self.ask(Operation::Flush).await;
    }

    /// Waits until a mail is in this place of the queue.
    pub async fn expect(&self, id: QueueId, place: Place) {
        let what = format!("{id} in {}", place.as_str());
        let found = |entry: &Entry| entry.queue_id == id && entry.queue_name == place;
        self.wait_until(&what, async || self.list().await.iter().any(found)).await;
    }

    /// Waits until nothing is left in the queue.
    pub async fn expect_empty(&self) {
        self.wait_until("an empty queue", async || self.list().await.is_empty()).await;
    }

    async fn wait_until(&self, what: &str, look: impl AsyncFnMut() -> bool) {
        let came_true = wait::within_patience(look).await;
        assert!(came_true, "waited in vain for {what}\n{}", self.gateway.log());
    }

    async fn change(&self, operation: Operation) {
        let answers = self.ask(operation).await;
        let refused = |answer: &Answer| !matches!(answer, Answer::Changed { .. });
        assert!(!answers.iter().any(refused), "{answers:?}\n{}", self.gateway.log());
    }

    /// Asks the archive of the gateway for anything that an operator can ask for.
    pub async fn ask_archive(&self, ask: Ask) -> Vec<Told> {
        let told = |answer| match answer {
            Answer::Archive(told) => told,
            other => panic!("{other:?}"),
        };
        self.ask(Operation::Archive(ask)).await.into_iter().map(told).collect()
    }

    /// Asks for anything that an operator can ask for.
    ///
    /// # Panics
    /// If the gateway does not answer.
    pub async fn ask(&self, operation: Operation) -> Vec<Answer> {
        let request = Request { by: "operator".into(), operation };
        let mut answers = Vec::new();
        let tell = |answer| {
            answers.push(answer);
            Ok(())
        };
        let asked = control::ask(self.store.clone(), &request, tell).await;
        asked.unwrap_or_else(|error| panic!("{error:#}\n{}", self.gateway.log()));
        answers
    }
}

fn only(id: QueueId) -> Selection {
    Selection::Ids(vec![id])
}
