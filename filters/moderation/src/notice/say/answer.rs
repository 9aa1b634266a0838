//! What came of an answer by mail.

use super::{Writer, closing};
use crate::{
    case::{Case, Refused, State},
    notice::{
        About, Answered, Letter,
        document::{Document, Tone},
        words::{Label, Opening, Remark, Tag, refusal},
    },
};

pub(super) fn document(result: Answered<'_>, about: &About<'_>, letter: &Letter<'_>) -> Document {
    match result {
        Answered::Unclear => unclear(about, letter),
        Answered::NotProven => not_proven(about, letter),
        Answered::Refused(refused) => not_done(refused, about, letter),
        Answered::Done => done(about, letter),
    }
}

fn unclear(about: &About<'_>, letter: &Letter<'_>) -> Document {
    let mut writer = Writer::new(letter, Tone::Warning, Tag::Unclear, Opening::Unclear);
    writer.subject(about, "");
    writer.facts(writer.short(about));
    writer.buttons(about.case.plan.kind);
    writer.how_to_answer();
    writer.close(Some(about))
}

fn not_proven(about: &About<'_>, letter: &Letter<'_>) -> Document {
    let mut writer = Writer::new(letter, Tone::Warning, Tag::NotDone, Opening::NotProven);
    writer.subject(about, "");
    writer.remark(Remark::AnswerWithLogIn);
    writer.facts(writer.short(about));
    writer.buttons(about.case.plan.kind);
    writer.close(Some(about))
}

fn not_done(refused: &Refused, about: &About<'_>, letter: &Letter<'_>) -> Document {
    let mut writer = Writer::new(letter, Tone::Warning, Tag::NotDone, Opening::NotDone);
    writer.note(refusal(refused, letter.language));
    // Whoever decides no more need not hear of the mail.
    if matches!(refused, Refused::NotTheirs) {
        writer.document.subject = format!("[{}] {}", writer.document.tag, about.id);
        return writer.close(Some(about));
    }
    writer.subject(about, "");
    match refused {
        Refused::Closed(end) => writer.decided(end, about),
        Refused::Scheduled { at } => {
            writer.facts(vec![writer.fact(Label::SentAt, writer.time(*at))]);
        }
        Refused::VotedAlready { at } => {
            writer.facts(vec![writer.fact(Label::DecidedAt, writer.time(*at))]);
        }
        Refused::NotTheirs
        | Refused::OwnMail
        | Refused::DecidesAlready
        | Refused::Full
        | Refused::NoWords
        | Refused::NoSuchRecipient
        | Refused::NotOwed
        | Refused::Past
        | Refused::NoTrust
        | Refused::TrustTooLong
        | Refused::NoLogIn
        | Refused::TooLong => {}
    }
    writer.facts(writer.short(about));
    if matches!(refused, Refused::NoWords) {
        writer.buttons(about.case.plan.kind);
        writer.how_to_answer();
    }
    writer.close(Some(about))
}

fn done(about: &About<'_>, letter: &Letter<'_>) -> Document {
    let mut writer = Writer::new(letter, Tone::Good, Tag::Done, Opening::Done);
    writer.subject(about, "");
    writer.standing(about.case, about);
    writer.facts(writer.short(about));
    writer.close(Some(about))
}

impl Writer<'_> {
    /// Where the case stands now.
    fn standing(&mut self, case: &Case, about: &About<'_>) {
        match (&case.progress.state, closing(about)) {
            (_, Some(end)) => self.decided(end, about),
            (State::Scheduled { at, .. }, None) => {
                self.facts(vec![self.fact(Label::SentAt, self.time(*at))]);
            }
            (State::Pending | State::Closed(_), None) => {
                self.facts(self.progress(case).into_iter().collect());
            }
        }
    }
}
