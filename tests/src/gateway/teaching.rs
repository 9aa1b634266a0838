//! What an operator teaches a gateway that runs, and does about quarantined mail: through the control socket, as
//! `mailweir spam` and `mailweir quarantine` do.

use std::sync::Arc;

use mailweir::{
    control::{
        self,
        operation::{Answer, Operation},
    },
    spam::{
        quarantine,
        words::{Ask, LearnedClass, Standing, Taught, Told, Wish},
    },
};
use mailweir_mail::QueueId;
use tokio::sync::mpsc;

use super::Gateway;

impl Gateway {
    /// Teaches it mails.
    ///
    /// # Panics
    /// If it does not learn them.
    pub async fn teach(&self, class: LearnedClass, mails: &[String]) -> Taught {
        match self.ask_spam(Ask::Teach(Wish::Learn(class)), mails).await {
            Told::Taught(taught) => taught,
            other => panic!("{other:?}\n{}", self.log()),
        }
    }

    /// How much it has learned.
    ///
    /// # Panics
    /// If it does not say.
    pub async fn learned(&self) -> Standing {
        match self.ask_spam(Ask::Status, &[]).await {
            Told::Status(standing) => standing,
            other => panic!("{other:?}\n{}", self.log()),
        }
    }

    async fn ask_spam(&self, ask: Ask, mails: &[String]) -> Told {
        let (to, mut waiting) = mpsc::channel(mails.len().max(1));
        for mail in mails {
            to.try_send(mail.clone().into()).expect("room for all");
        }
        drop(to);
        let mut told = None;
        let tell = |answer| {
            match answer {
                Answer::Spam(answer) => told = Some(answer),
                other => panic!("{other:?}"),
            }
            Ok(())
        };
        let (store, scale) = (self.store(), Arc::default());
        let asked = control::ask_spam(&store, scale, "operator", ask, &mut waiting, tell).await;
        asked.unwrap_or_else(|error| panic!("{error:#}\n{}", self.log()));
        told.expect("an answer")
    }

    /// Asks about quarantined mail.
    pub async fn quarantine(&self, ask: quarantine::Ask) -> Vec<Answer> {
        self.queue().ask(Operation::Quarantine(ask)).await
    }

    /// Decides about a quarantined mail, and returns what was learned of it.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn decide(
        &self,
        id: QueueId,
        verdict: quarantine::Verdict,
        lesson: quarantine::Teaching,
    ) -> quarantine::Learned {
        let ask = quarantine::Ask::Decide { ids: vec![id], verdict, lesson };
        match self.quarantine(ask).await.remove(0) {
            Answer::Quarantine(quarantine::Told::Decided { learned, .. }) => learned,
            other => panic!("{other:?}\n{}", self.log()),
        }
    }
}
