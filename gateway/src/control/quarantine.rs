//! Lists, shows, releases and deletes quarantined mail. What becomes of a mail is what the classifier learns of it, under the
//! name of who decided.

use std::{io, sync::Arc};

use mailweir_mail::QueueId;
use mailweir_queue::{
    BodyError, Content, Filter, Listed, Listing, Place, Queue,
    progress::{Progress, State},
};
use mailweir_spam::{
    bayes::Lesson,
    reading::{Limits, Reader},
    tokens::{Tokenizer, Tokens},
};
use tokio::task::spawn_blocking;

use super::{
    change::{Wish, change_one},
    operation::Answer,
    perform::{Answers, Gone, NOT_FOUND, Target, entry, page, tell},
    spam::{SWITCHED_OFF, blocking},
};
use crate::spam::{
    Classifier,
    preview::preview,
    quarantine::{Ask, Learned, Preview, Shown, Teaching, Told, Verdict, is_quarantine},
    words::LearnedClass,
};

/// Does what is asked. Without a classifier nothing is learned.
pub(super) async fn perform(
    target: Target<'_>,
    classifier: Option<&Arc<Classifier>>,
    ask: &Ask,
    by: &str,
    answers: Answers,
) -> Result<(), Gone> {
    match ask {
        Ask::List => list(target.queue(), &answers).await,
        Ask::Show { id } => tell(&answers, show(target.queue(), *id).await).await,
        Ask::Decide { ids, verdict, lesson } => {
            let school = match lesson {
                Teaching::Learn => School::Open(classifier),
                Teaching::Leave => School::Closed,
            };
            let mut decided = Vec::with_capacity(ids.len());
            for id in ids {
                let answer = decide(target, *id, *verdict, school, by).await;
                decided.push(answer.unwrap_or_else(|refused| refused));
            }
            store(target, school, &mut decided, by).await;
            for answer in decided {
                tell(&answers, answer).await?;
            }
            Ok(())
        }
    }
}

async fn list(queue: &Queue, answers: &Answers) -> Result<(), Gone> {
    let mut filter = Filter { place: Some(Place::Held), after: None };
    loop {
        let page = match page(queue, &filter).await {
            Ok(page) => page,
            Err(reason) => return tell(answers, Answer::Failed { reason }).await,
        };
        let Some(last) = page.last() else { return Ok(()) };
        filter.after = Some(last.id);
        for listing in page.iter().filter(|listing| quarantined(&listing.mail).is_ok()) {
            tell(answers, Answer::Quarantine(Told::Entry(entry(listing)))).await?;
        }
    }
}

async fn show(queue: &Queue, id: QueueId) -> Answer {
    let refuse = |reason: &str| Answer::Refused { id, reason: reason.into() };
    let details = match queue.show(id).await {
        Ok(Some(details)) => details,
        Ok(None) => return refuse(NOT_FOUND),
        Err(error) => return Answer::Failed { reason: error.to_string().into() },
    };
    if let Err(reason) = quarantined(&details.mail) {
        return refuse(&reason.told(id));
    }
    let listing = Listing { id, mail: details.mail };
    let (Listed::Sound { envelope, .. }, Some(origin)) = (&listing.mail, details.origin) else {
        return refuse(UNREADABLE);
    };
    let preview = match seen(queue, id).await {
        Ok(preview) => preview,
        Err(error) => return refuse(&format!("its content cannot be read: {error}")),
    };
    Answer::Quarantine(Told::Shown(Box::new(Shown {
        entry: entry(&listing),
        client: origin.client.to_string().into(),
        helo: origin.helo.clone(),
        recipients: envelope.recipients.iter().map(|it| it.address.as_str().into()).collect(),
        preview,
    })))
}

async fn seen(queue: &Queue, id: QueueId) -> Result<Preview, io::Error> {
    let content = content(queue, id).await?;
    let preview = spawn_blocking(move || preview(content.blocking_reader())).await;
    preview.map_err(io::Error::other)?
}

/// Whether a verdict is to teach, and whom.
#[derive(Clone, Copy)]
enum School<'c> {
    /// Nobody wants it to.
    Closed,
    /// Whom, if there is anybody.
    Open(Option<&'c Arc<Classifier>>),
}

/// Carries out a verdict on one mail, and teaches what it says. An error: why nothing was done.
async fn decide(
    target: Target<'_>,
    id: QueueId,
    verdict: Verdict,
    school: School<'_>,
    by: &str,
) -> Result<Answer, Answer> {
    let refuse = |reason: &str| Answer::Refused { id, reason: reason.into() };
    let queue = target.queue();
    match queue.find(id).await {
        Ok(Some(mail)) => quarantined(&mail).map_err(|other| refuse(&other.told(id)))?,
        Ok(None) => return Err(refuse(NOT_FOUND)),
        Err(error) => return Err(Answer::Failed { reason: error.to_string().into() }),
    }
    // It may be gone right after.
    let tokens = match school {
        School::Open(Some(_)) => Some(tokens(queue, id).await),
        School::Open(None) | School::Closed => None,
    };
    let wish = match verdict {
        Verdict::Release => Wish::Release,
        Verdict::Delete => Wish::Delete,
    };
    match change_one(target, id, wish, by).await {
        Answer::Changed { .. } => {}
        refused => return Err(refused),
    }
    let learned = match (school, tokens) {
        (School::Closed, _) => Learned::Left,
        (School::Open(Some(classifier)), Some(Ok(tokens))) => {
            learn(classifier, tokens, verdict).await
        }
        (School::Open(Some(_)), Some(Err(error))) => {
            Learned::Failed { reason: format!("its content cannot be read: {error}").into() }
        }
        (School::Open(_), _) => Learned::Failed { reason: SWITCHED_OFF.into() },
    };
    Ok(Answer::Quarantine(Told::Decided { id, learned }))
}

/// Stores what was learned, once for a whole command, before anybody hears of it.
async fn store(target: Target<'_>, school: School<'_>, decided: &mut [Answer], by: &str) {
    let School::Open(Some(classifier)) = school else { return };
    let mut lessons: Vec<_> = decided.iter_mut().filter_map(lesson).collect();
    if lessons.is_empty() {
        return;
    }
    match blocking(classifier, Classifier::store).await {
        Ok(()) => {
            for (id, _, class) in lessons {
                target.note("spam", format!("{id}: learned as {} ({by})", class.as_str()));
            }
        }
        // A server tries again.
        Err(trouble) => {
            let reason: Box<str> = format!("it is not stored yet: {trouble}").into();
            for (_, learned, _) in &mut lessons {
                **learned = Learned::Failed { reason: reason.clone() };
            }
        }
    }
}

/// What an answer says that was learned of a mail.
fn lesson(answer: &mut Answer) -> Option<(QueueId, &mut Learned, LearnedClass)> {
    let Answer::Quarantine(Told::Decided { id, learned }) = answer else { return None };
    let Learned::As(class) = *learned else { return None };
    Some((*id, learned, class))
}

async fn learn(classifier: &Arc<Classifier>, tokens: Tokens, verdict: Verdict) -> Learned {
    let class = verdict.class();
    let lesson = blocking(classifier, move |it| {
        it.try_again()?;
        it.learn(&tokens, class.into())
    });
    match lesson.await {
        Ok(Lesson::New | Lesson::Corrected) => Learned::As(class),
        Ok(Lesson::Known) => Learned::Known(class),
        Err(trouble) => Learned::Failed { reason: trouble.to_string().into() },
    }
}

async fn tokens(queue: &Queue, id: QueueId) -> Result<Tokens, io::Error> {
    let content = content(queue, id).await?;
    let read = spawn_blocking(move || read_tokens(content.blocking_reader())).await;
    read.map_err(io::Error::other)?
}

/// What a mail is made of, read piece by piece.
fn read_tokens(mut content: impl io::Read) -> io::Result<Tokens> {
    let mut reader = Reader::new(Limits::default(), Default::default());
    let mut tokenizer = Tokenizer::new();
    let mut piece = vec![0; PIECE];
    loop {
        match content.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => reader.feed(piece.get(..read).unwrap_or_default(), &mut tokenizer),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    reader.finish(&mut tokenizer);
    Ok(tokenizer.finish())
}

async fn content(queue: &Queue, id: QueueId) -> Result<Content, io::Error> {
    let content = queue.content(id).await.map_err(|error| match error {
        BodyError::Io(error) => error,
        error => io::Error::other(error),
    })?;
    content.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it is gone"))
}

/// Why a mail is not in quarantine.
enum Elsewhere {
    /// It is on hold for this reason.
    Held(Box<str>),
    NotHeld,
    Unreadable,
}

/// Whether a mail is in quarantine.
fn quarantined(mail: &Listed) -> Result<(), Elsewhere> {
    match mail {
        Listed::Sound { progress, .. } => match progress {
            Progress { state: State::Held { reason, .. }, .. } if is_quarantine(reason) => Ok(()),
            Progress { state: State::Held { reason, .. }, .. } => {
                Err(Elsewhere::Held(reason.as_str().into()))
            }
            _ => Err(Elsewhere::NotHeld),
        },
        Listed::Corrupt { .. } => Err(Elsewhere::Unreadable),
    }
}

impl Elsewhere {
    /// What an operator can do instead.
    fn told(&self, id: QueueId) -> String {
        match self {
            Self::Held(reason) => format!(
                "it is not in quarantine, but on hold: {reason}; `mailweir queue release {id}` lets it go on, \
                 `mailweir queue delete {id}` deletes it"
            ),
            Self::NotHeld => "it is not in quarantine, nor on hold at all".to_owned(),
            Self::Unreadable => UNREADABLE.to_owned(),
        }
    }
}

const UNREADABLE: &str = "what is stored of it cannot be read";

/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;
