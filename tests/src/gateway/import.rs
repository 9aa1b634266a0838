//! Mail that is brought into the archive of a gateway that runs, through the control socket, as `mailweir archive
//! import` does it: a mail whenever the scenario says so.

use bytes::Bytes;
use mailweir::{
    archiving::words::{Brought, Doubles, Imported, Told},
    config,
    control::{self, operation::Answer},
    store::Store,
};
use mailweir_archive::entry::Direction;
use mailweir_mail::{Envelope, ReversePath};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use crate::wait;

/// What is known of a mail from a file of this name: nothing.
#[must_use]
pub fn brought(from: &str) -> Brought {
    Brought {
        from: from.into(),
        envelope: Envelope::from_sender(ReversePath::Null),
        arrival: None,
        direction: Direction::Inbound,
        rule: None,
        keep_days: None,
    }
}

/// An import that is under way.
pub struct Import {
    to: mpsc::Sender<(Brought, Bytes)>,
    told: watch::Receiver<Option<Imported>>,
    end: JoinHandle<Result<(), String>>,
}

impl Import {
    pub(super) fn begin(store: Store, settings: config::Archive, doubles: Doubles) -> Self {
        let (to, mut mails) = mpsc::channel(1);
        let (tell, told) = watch::channel(None);
        let end = tokio::spawn(async move {
            let mut failed = None;
            let answers = |answer| {
                match answer {
                    Answer::Archive(Told::Imported(imported)) => drop(tell.send(Some(imported))),
                    Answer::Archive(Told::Remembering { .. }) => {}
                    Answer::Archive(Told::Failed { reason }) | Answer::Failed { reason } => {
                        failed = Some(reason.into());
                    }
                    other => panic!("{other:?}"),
                }
                Ok(())
            };
            let done = control::import(&store, &settings, "operator", doubles, &mut mails, answers);
            done.await.map_err(|error| format!("{error:#}"))?;
            failed.map_or(Ok(()), Err)
        });
        Self { to, told, end }
    }

    /// Waits until the archive knows what is there, and takes mail.
    pub async fn expect_ready(&self) {
        wait::until_true("an import that is ready", async || self.told.borrow().is_some()).await;
    }

    /// Brings a mail from a file of this name.
    ///
    /// # Panics
    /// If it is not wanted any more.
    pub async fn bring(&self, from: &str, content: impl Into<Vec<u8>>) {
        self.bring_with(brought(from), content).await;
    }

    /// Brings a mail of which so much is known.
    ///
    /// # Panics
    /// If it is not wanted any more.
    pub async fn bring_with(&self, brought: Brought, content: impl Into<Vec<u8>>) {
        let mail = (brought, content.into().into());
        assert!(self.to.send(mail).await.is_ok(), "the import has ended");
    }

    /// Waits until so many mails are archived.
    pub async fn expect_archived(&self, mails: u64) {
        let archived = || self.told.borrow().is_some_and(|imported| imported.mails >= mails);
        wait::until_true(&format!("{mails} mails archived"), async || archived()).await;
    }

    /// Brings no more, and waits for the end.
    ///
    /// # Errors
    /// Why it came to no good end.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn finish(self) -> Result<Imported, String> {
        let Self { to, told, end } = self;
        drop(to);
        let end = tokio::time::timeout(wait::PATIENCE, end).await;
        end.expect("the import ends").expect("the import does not panic")?;
        let imported = *told.borrow();
        Ok(imported.expect("what it has done"))
    }
}
