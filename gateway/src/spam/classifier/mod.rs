//! The classifier of the gateway: judges mail for all sessions at once, learns from people, and keeps what it has learned.
//!
//! Whoever changes the model, or stores it, first has the memory of learned mails to itself. So those who judge never wait for the
//! disk nor for each other, and for somebody who teaches only while one mail is learned. What cannot be read is left as it is, and
//! told: mail goes on, judged by nobody, until somebody has moved it away.

mod file;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mailweir_mail::SessionEvent;
use mailweir_spam::{
    bayes::{Class, Learned, Lesson, Limits, Model, Opinion},
    tokens::Tokens,
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::file::Place;
use super::words::{Judgement, LearnedClass, Standing};
use crate::{clock, observe::Observer};

pub use self::file::Trouble;

/// What mail looks like that people want, and mail that they do not.
pub struct Classifier {
    directory: PathBuf,
    model: RwLock<Model>,
    /// To be had before the model is changed.
    memory: Mutex<Memory>,
    /// How many changes the file has; to be had before the memory.
    stored: Mutex<u64>,
    /// Whether the log has heard of the trouble that there is.
    trouble_told: AtomicBool,
}

/// What was learned besides the model.
struct Memory {
    learned: Learned,
    /// Since the start.
    changes: u64,
    place: Result<Place, Trouble>,
}

impl Classifier {
    /// Opens what was learned in this directory, and keeps other processes from it. Reads a file: blocks.
    #[must_use]
    pub fn open(directory: &Path) -> Self {
        match file::open(directory) {
            Ok((place, learned, model)) => Self::of(directory, Ok(place), learned, model),
            Err(trouble) => Self::of_nothing(directory, trouble),
        }
    }

    /// The same to judge mail alone, beside another process that may have it.
    #[must_use]
    pub(crate) fn to_judge(directory: &Path) -> Self {
        match file::load(directory) {
            Ok((learned, model)) => Self::of(directory, Err(Trouble::ReadOnly), learned, model),
            Err(trouble) => Self::of_nothing(directory, trouble),
        }
    }

    fn of_nothing(directory: &Path, trouble: Trouble) -> Self {
        Self::of(directory, Err(trouble), Learned::new(), Model::new(Limits::default()))
    }

    fn of(directory: &Path, place: Result<Place, Trouble>, learned: Learned, model: Model) -> Self {
        Self {
            directory: directory.to_owned(),
            model: RwLock::new(model),
            memory: Mutex::new(Memory { learned, changes: 0, place }),
            stored: Mutex::new(0),
            trouble_told: AtomicBool::new(false),
        }
    }

    /// What it thinks of a mail. Of one that nobody has taught, nothing.
    #[must_use]
    pub fn judge(&self, tokens: &Tokens) -> Opinion {
        self.model.read().unwrap_or_else(PoisonError::into_inner).judge(tokens)
    }

    /// The same, and what is told of it.
    #[must_use]
    pub(crate) fn opinion_told(&self, tokens: &Tokens) -> (Opinion, Judgement) {
        let opinion = self.judge(tokens);
        let Standing { is_trained, .. } = self.standing();
        let trouble = match &self.memory().place {
            Ok(_) | Err(Trouble::ReadOnly) => None,
            Err(trouble) => Some(trouble.to_string().into()),
        };
        let told = Judgement::of(&opinion, is_trained, self.class_of(tokens));
        (opinion, Judgement { trouble, ..told })
    }

    /// Learns a mail, unless it has. One that was learned as the other class is unlearned first.
    ///
    /// # Errors
    /// What was learned cannot be used or kept.
    pub fn learn(&self, tokens: &Tokens, class: Class) -> Result<Lesson, Trouble> {
        let mut memory = self.usable()?;
        let lesson = memory.learned.learn(tokens.mail_hash(), class, clock::now());
        if lesson != Lesson::Known {
            self.change(|model| lesson.teach(model, tokens, class));
            memory.changes += 1;
        }
        Ok(lesson)
    }

    /// Unlearns a mail, and says what it was learned as.
    ///
    /// # Errors
    /// What was learned cannot be used or kept.
    pub fn forget(&self, tokens: &Tokens) -> Result<Option<Class>, Trouble> {
        let mut memory = self.usable()?;
        let class = memory.learned.forget(tokens.mail_hash());
        if let Some(class) = class {
            self.change(|model| model.unlearn(tokens, class));
            memory.changes += 1;
        }
        Ok(class)
    }

    /// What a mail was learned as.
    #[must_use]
    pub fn class_of(&self, tokens: &Tokens) -> Option<LearnedClass> {
        self.memory().learned.class_of(tokens.mail_hash()).map(LearnedClass::from)
    }

    /// How much it has learned.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let memory = self.memory();
        let model = self.model.read().unwrap_or_else(PoisonError::into_inner);
        let mails = model.mails();
        Standing {
            ham: mails.ham,
            spam: mails.spam,
            needed: Limits::default().least_mails,
            is_trained: model.is_trained(),
            tokens: model.tokens() as u64,
            bytes: model.size() as u64,
            mails: memory.learned.len() as u64,
            since: memory.learned.since(),
            trouble: memory.place.as_ref().err().map(|trouble| trouble.to_string().into()),
        }
    }

    /// Tries again, if there was trouble: somebody may have moved away what cannot be read. Reads a file: blocks.
    ///
    /// # Errors
    /// There still is.
    pub fn try_again(&self) -> Result<(), Trouble> {
        let mut memory = self.memory();
        match &memory.place {
            Ok(_) => return Ok(()),
            Err(trouble @ (Trouble::Closed | Trouble::ReadOnly)) => return Err(trouble.clone()),
            Err(_) => {}
        }
        match file::open(&self.directory) {
            Ok((place, learned, model)) => {
                (memory.place, memory.learned) = (Ok(place), learned);
                self.change(|known| *known = model);
                self.trouble_told.store(false, Ordering::Relaxed);
                Ok(())
            }
            Err(trouble) => {
                memory.place = Err(trouble.clone());
                Err(trouble)
            }
        }
    }

    /// Stores what was learned, if that is not stored yet. Blocks.
    ///
    /// # Errors
    /// The disk failed, or what is there cannot be used. What was there is there still.
    pub fn store(&self) -> Result<(), Trouble> {
        let mut stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        let (learned, model, changes) = {
            let memory = self.usable()?;
            if memory.changes == *stored {
                return Ok(());
            }
            let model = self.model.read().unwrap_or_else(PoisonError::into_inner);
            (memory.learned.to_bytes(), model.to_bytes(), memory.changes)
        };
        file::write(&self.directory, &[&learned, &model])?;
        *stored = changes;
        Ok(())
    }

    /// Stores what was learned every minute while it changes, and at the end. Then another process may have it.
    pub(crate) async fn keep(self: Arc<Self>, observer: Observer, end: CancellationToken) {
        loop {
            let is_over = timeout(BETWEEN_WRITES, end.cancelled()).await.is_ok();
            let classifier = Arc::clone(&self);
            let tended = tokio::task::spawn_blocking(move || classifier.tend(is_over)).await;
            match tended {
                Ok(Ok(())) => {}
                Ok(Err(trouble)) => self.tell(&trouble, &observer),
                Err(panicked) => warn(&observer, &panicked.to_string()),
            }
            if is_over {
                return;
            }
        }
    }

    /// Tells the log once that nothing is judged or kept.
    pub(crate) fn tell_trouble(&self, observer: &Observer) {
        let trouble = self.memory().place.as_ref().err().cloned();
        if let Some(trouble) = trouble {
            self.tell(&trouble, observer);
        }
    }

    fn tell(&self, trouble: &Trouble, observer: &Observer) {
        if self.trouble_told.swap(true, Ordering::Relaxed) {
            return;
        }
        match &self.memory().place {
            Ok(_) => warn(observer, &format!("what was learned is not stored yet: {trouble}")),
            Err(_) => warn(observer, &trouble.to_string()),
        }
    }

    fn tend(&self, is_over: bool) -> Result<(), Trouble> {
        let is_busy = matches!(self.memory().place, Err(Trouble::InUse(_)));
        let tended = match is_busy && !is_over {
            true => self.try_again(),
            false => self.store(),
        };
        if is_over {
            self.memory().place = Err(Trouble::Closed);
        } else if tended.is_ok() {
            self.trouble_told.store(false, Ordering::Relaxed);
        }
        tended
    }

    /// Only for who has the memory.
    fn change(&self, change: impl FnOnce(&mut Model)) {
        change(&mut self.model.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn usable(&self) -> Result<MutexGuard<'_, Memory>, Trouble> {
        let memory = self.memory();
        match &memory.place {
            Ok(_) => Ok(memory),
            Err(trouble) => Err(trouble.clone()),
        }
    }

    /// A panic elsewhere leaves counts that are off by one mail: no reason to learn nothing any more.
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn warn(observer: &Observer, text: &str) {
    let text = format!("classifier: {text}").into();
    observer.session(&SessionEvent::Warning { part: "spam", text });
}

/// How long what is learned may be in memory alone.
const BETWEEN_WRITES: Duration = Duration::from_secs(60);
