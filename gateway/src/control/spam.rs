//! Mails that an operator teaches the classifier, or asks what is thought of. They come behind the request, or, if no server
//! runs, from the command itself. One is read, judged and forgotten before the next.

use std::sync::Arc;

use bytes::Bytes;
use mailweir_spam::{bayes::Lesson, tokens::of_mail};
use tokio::{
    io::{AsyncBufRead, AsyncReadExt as _},
    sync::mpsc,
    task::spawn_blocking,
};

use super::{
    operation::{Answer, Operation, Sent},
    perform::{Answers, Gone, Target, no_server, tell},
    socket::read_line,
};
use crate::{
    clock,
    count::{agreeing, counted},
    spam::{
        Classifier, Scale, Trouble,
        words::{Ask, LearnedClass, MOST_TAUGHT, Taught, Told, Wish},
    },
};

/// Answers, and takes the mails that come behind the request.
pub(super) async fn take(
    from: &mut (impl AsyncBufRead + Unpin),
    target: Target<'_>,
    by: &str,
    ask: Ask,
    answers: &Answers,
) -> Result<(), Gone> {
    let Target::Running(running) = target else {
        return tell(answers, no_server(&Operation::Spam(ask))).await;
    };
    let judges = Judges {
        classifier: running.gate.classifier.get().cloned(),
        scale: running.gate.scale.load_full(),
    };
    if let (Ask::Check, Some(classifier)) = (ask, &judges.classifier) {
        // Somebody may have moved away what cannot be read. If nobody has, the answer says so.
        let _ = blocking(classifier, Classifier::try_again).await;
    }
    let (mails, mut waiting) = mpsc::channel(1);
    let mut taught = Taught::default();
    let took = async {
        let taken = take_in(&judges, ask, &mut waiting, &mut taught, answers).await;
        // Nothing more is wanted.
        waiting.close();
        taken
    };
    let (received, taken) = tokio::join!(receive(from, ask, mails), took);
    // Also if whoever asked has gone half-way.
    if let Some(text) = noted(ask, taught, by) {
        target.note("spam", text);
    }
    taken?;
    match received {
        Ok(()) => Ok(()),
        Err(reason) => tell(answers, failed(&reason)).await,
    }
}

/// Who knows something of mails: those of the server, or opened for the question.
pub(super) struct Judges {
    /// Absent where nothing is judged by what is learned.
    pub(super) classifier: Option<Arc<Classifier>>,
    pub(super) scale: Arc<Scale>,
}

/// The same, with mails from the command itself; counts what has come of those that were taught.
pub(super) async fn take_in(
    judges: &Judges,
    ask: Ask,
    mails: &mut mpsc::Receiver<Bytes>,
    taught: &mut Taught,
    answers: &Answers,
) -> Result<(), Gone> {
    let Judges { classifier, scale } = judges;
    let answer = match (ask, classifier) {
        (Ask::Symbols, _) => Ok(Told::Symbols(scale.catalogue())),
        (Ask::Check, _) => match mails.recv().await {
            Some(mail) => explain(judges, mail).await,
            // Whoever sends it says why.
            None => return Ok(()),
        },
        (Ask::Status | Ask::Teach(_), None) => return tell(answers, failed(SWITCHED_OFF)).await,
        (Ask::Status, Some(it)) => blocking(it, |it| Ok(Told::Status(it.standing()))).await,
        (Ask::Teach(wish), Some(it)) => teach(it, wish, mails, taught).await,
    };
    match answer {
        Ok(told) => tell(answers, Answer::Spam(told)).await,
        Err(trouble) if taught.changed == 0 => tell(answers, failed(&trouble.to_string())).await,
        // A server tries again to store them.
        Err(trouble) => {
            let reason = format!(
                "{} not stored yet: {trouble}",
                agreeing(taught.changed, "mail is", "mails are")
            );
            tell(answers, failed(&reason)).await
        }
    }
}

/// What a mail comes to, and why.
async fn explain(judges: &Judges, mail: Bytes) -> Result<Told, Trouble> {
    let (classifier, scale) = (judges.classifier.clone(), Arc::clone(&judges.scale));
    let explain = move || {
        let classifier = classifier.as_deref().ok_or(SWITCHED_OFF);
        Told::Judged(Box::new(scale.explain(&mail, classifier, clock::now())))
    };
    spawn_blocking(explain).await.map_err(|_| Trouble::Closed)
}

/// Teaches all mails that come. What is told is stored.
async fn teach(
    classifier: &Arc<Classifier>,
    wish: Wish,
    mails: &mut mpsc::Receiver<Bytes>,
    taught: &mut Taught,
) -> Result<Told, Trouble> {
    blocking(classifier, Classifier::try_again).await?;
    while let Some(content) = mails.recv().await {
        let lesson = blocking(classifier, move |it| give(it, wish, &content)).await?;
        match lesson {
            Lesson::New => taught.changed += 1,
            Lesson::Corrected => {
                taught.changed += 1;
                taught.corrected += 1;
            }
            Lesson::Known => taught.unchanged += 1,
        }
    }
    blocking(classifier, Classifier::store).await?;
    Ok(Told::Taught(*taught))
}

fn give(classifier: &Classifier, wish: Wish, content: &[u8]) -> Result<Lesson, Trouble> {
    let tokens = of_mail(content);
    match wish {
        Wish::Learn(class) => classifier.learn(&tokens, class.into()),
        Wish::Forget => {
            let forgotten = classifier.forget(&tokens)?;
            Ok(forgotten.map_or(Lesson::Known, |_| Lesson::New))
        }
    }
}

/// Has the classifier do something where waiting is allowed.
pub(super) async fn blocking<T: Send + 'static>(
    classifier: &Arc<Classifier>,
    work: impl FnOnce(&Classifier) -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    let classifier = Arc::clone(classifier);
    // It is not begun any more when the gateway stops.
    spawn_blocking(move || work(&classifier)).await.unwrap_or(Err(Trouble::Closed))
}

/// Reads mails until that was all, or nobody wants more.
async fn receive(
    from: &mut (impl AsyncBufRead + Unpin),
    ask: Ask,
    mails: mpsc::Sender<Bytes>,
) -> Result<(), String> {
    match ask {
        Ask::Status | Ask::Symbols => return Ok(()),
        Ask::Check | Ask::Teach(_) => {}
    }
    tokio::select! {
        received = receive_all(from, &mails) => received,
        () = mails.closed() => Ok(()),
    }
}

async fn receive_all(
    from: &mut (impl AsyncBufRead + Unpin),
    mails: &mpsc::Sender<Bytes>,
) -> Result<(), String> {
    loop {
        let sent = read_line(from, LONGEST_LINE).await.map_err(|error| error.to_string())?;
        let size = match sent {
            Sent::Content { size } if size <= MOST_TAUGHT => size,
            Sent::Content { size } | Sent::Mail { size, .. } => {
                return Err(format!("a mail of {size} bytes is too large"));
            }
            Sent::Wait => continue,
            Sent::End => return Ok(()),
        };
        let mut content = Vec::new();
        let read = (&mut *from).take(size).read_to_end(&mut content).await;
        let read = read.map_err(|error| error.to_string())?;
        if read as u64 != size {
            return Err("the last mail is cut".to_owned());
        }
        if mails.send(content.into()).await.is_err() {
            return Ok(());
        }
    }
}

/// The line in front of a mail, and its content.
pub(super) fn line(content: Bytes) -> (Sent, Bytes) {
    (Sent::Content { size: content.len() as u64 }, content)
}

/// What the log says of mails that somebody taught.
fn noted(ask: Ask, taught: Taught, by: &str) -> Option<String> {
    let done = match ask {
        Ask::Teach(Wish::Learn(LearnedClass::Ham)) => "learned as ham",
        Ask::Teach(Wish::Learn(LearnedClass::Spam)) => "learned as spam",
        Ask::Teach(Wish::Forget) => "forgotten",
        Ask::Status | Ask::Symbols | Ask::Check => return None,
    };
    (taught.changed > 0)
        .then(|| format!("classifier: {} {done} ({by})", counted(taught.changed, "mail")))
}

fn failed(reason: &str) -> Answer {
    Answer::Spam(Told::Failed { reason: reason.into() })
}

/// A line of the words that are spoken here.
const LONGEST_LINE: u64 = 1_024;

/// No classifier runs.
pub(super) const SWITCHED_OFF: &str =
    "nothing is judged by what is learned: spam.enabled is not set";
