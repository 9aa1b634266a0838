//! Those who send mail, and those who decide about it. Blocking but for the control socket, whose
//! client is the program's own.

use std::{
    io,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mailweir::{
    control::{
        self,
        operation::{Answer, Operation, Request},
    },
    store::Store,
};
use mailweir_moderation::{deed::Deed, search::Query};
use tokio::runtime::{Builder, Runtime};

use super::{
    super::{content, sender::Talk},
    book::{Book, Choice},
};
use crate::{chance::Chance, wait};

/// Sends mail of which two in three wait.
#[derive(Debug)]
pub(super) struct Submitter {
    server: SocketAddr,
    book: Arc<Book>,
    chance: Chance,
}

impl Submitter {
    pub(super) fn new(server: SocketAddr, book: Arc<Book>, chance: Chance) -> Self {
        Self { server, book, chance }
    }

    /// Until told to stop. A broken connection is the purpose of the run.
    pub(super) fn send_until(mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Acquire) {
            let _ = self.converse(stop);
            wait::pause(BETWEEN);
        }
    }

    fn converse(&mut self, stop: &AtomicBool) -> io::Result<()> {
        let mut talk = Talk::connect(self.server)?;
        talk.command("EHLO sender.example", "250")?;
        while !stop.load(Ordering::Acquire) {
            self.send_one(&mut talk)?;
            wait::pause(BETWEEN);
        }
        talk.command("QUIT", "221").map(drop)
    }

    fn send_one(&mut self, talk: &mut Talk) -> io::Result<()> {
        let waits = !self.chance.one_in(3);
        let number = self.book.begin(waits);
        let domain = if waits { "held.example" } else { "recipient.example" };
        talk.command(&format!("MAIL FROM:<{number}@sender.example>"), "250")?;
        talk.command(&format!("RCPT TO:<0@{domain}>"), "250")?;
        talk.command("DATA", "354")?;
        talk.write(content::compose(number, self.chance.below(40)).as_bytes())?;
        self.book.finish(number);
        talk.write(b".\r\n")?;
        self.book.answer(number, &talk.reply()?);
        Ok(())
    }
}

/// Decides about what waits, and leaves some of it.
#[derive(Debug)]
pub(super) struct Administrator {
    telephone: Telephone,
    book: Arc<Book>,
    chance: Chance,
}

impl Administrator {
    pub(super) fn new(data_dir: &Path, book: Arc<Book>, chance: Chance) -> io::Result<Self> {
        Ok(Self { telephone: Telephone::to(data_dir)?, book, chance })
    }

    /// Until told to stop. That nobody answers is the purpose of the run.
    pub(super) fn decide_until(mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Acquire) {
            let _ = self.look_through(stop);
            wait::pause(BETWEEN);
        }
    }

    fn look_through(&mut self, stop: &AtomicBool) -> io::Result<()> {
        let decided = self.book.decided();
        let open = self.telephone.ask(Operation::Cases { query: Query::default(), limit: MOST })?;
        for answer in open {
            let Answer::Case { id, .. } = answer else { continue };
            if decided.contains(&id) {
                self.book.complain(format!("{id}: a decision was acknowledged and is forgotten"));
            }
            // One in thirty waits for ever.
            if id.arrival().as_micros() % 30 == 0 || stop.load(Ordering::Acquire) {
                continue;
            }
            let choice = if self.chance.one_in(3) { Choice::Rejected } else { Choice::Released };
            self.book.try_to_decide(id, choice);
            for answer in self.telephone.ask(Operation::Decide { id, deed: choice.deed() })? {
                if matches!(answer, Answer::Changed { .. }) {
                    self.book.acknowledge(id, choice);
                }
            }
        }
        Ok(())
    }
}

impl Choice {
    fn deed(self) -> Deed {
        match self {
            Self::Released => {
                Deed::Approve { comment: "".into(), only: None, at: None, trust_days: 0 }
            }
            Self::Rejected => Deed::Reject { reason: "no".into() },
        }
    }
}

/// The control socket.
#[derive(Debug)]
pub(super) struct Telephone {
    store: Store,
    runtime: Runtime,
}

impl Telephone {
    pub(super) fn to(data_dir: &Path) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { store: Store::in_dir(data_dir), runtime })
    }

    /// Asks the running program.
    pub(super) fn ask(&self, operation: Operation) -> io::Result<Vec<Answer>> {
        let request = Request { by: "operator".into(), operation };
        let mut answers = Vec::new();
        let asked = control::ask_running(&self.store, &request, |answer| {
            answers.push(answer);
            Ok(())
        });
        self.runtime.block_on(asked).map_err(io::Error::other)?;
        Ok(answers)
    }
}

const BETWEEN: Duration = Duration::from_millis(4);

/// Cases that are looked at in one go: more than those that wait for ever.
const MOST: usize = 300;
