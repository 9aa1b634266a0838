//! News: nobody need decide, or somebody else must.

use super::{Writer, closing, facts, shown};
use crate::{
    case::{AtExpiry, Closing, Decision, Kind, QueueDeed},
    case_file::LastWord,
    notice::{
        About, Letter,
        document::{Document, Fact, Tone, Value},
        words::{Label, Opening, Remark, Tag},
    },
};

/// To a moderator who was asked: it is over.
pub(super) fn settled(about: &About<'_>, letter: &Letter<'_>) -> Document {
    let end = closing(about);
    let tag = end.map_or(Tag::Done, |end| facts::decision(end, about));
    let mut writer = Writer::new(letter, Tone::Calm, tag, Opening::Settled);
    let by = end.and_then(|end| facts::decider(end, about));
    let by = by.map(|(by, _)| facts::who(by, about.case, letter.language));
    writer.subject(about, &by.map_or_else(String::new, |by| format!(" \u{b7} {by}")));
    writer.remark(Remark::NothingToDo);
    if let Some(end) = end {
        writer.decided(end, about);
    }
    writer.facts(writer.short(about));
    writer.close(Some(about))
}

/// To the sender: it waits.
pub(super) fn held(about: &About<'_>, letter: &Letter<'_>) -> Document {
    let plan = &about.case.plan;
    let at = about.case.expires().map(|at| letter.language.time(at, letter.zone));
    let (tag, opening) = match plan.kind {
        Kind::Approval => (Tag::Held, Opening::Held),
        Kind::Delay => (Tag::Delayed, Opening::Delayed { at: at.as_deref() }),
        Kind::Confirmation => (Tag::Confirm, Opening::Confirm),
    };
    let mut writer = Writer::new(letter, Tone::Calm, tag, opening);
    waiting(&mut writer, about);
    writer.close(Some(about))
}

/// To the sender: nobody decided yet, and it expires soon.
pub(super) fn still_waiting(about: &About<'_>, letter: &Letter<'_>) -> Document {
    let at = about.case.expires().map(|at| letter.language.time(at, letter.zone));
    let opening = match about.case.plan.kind {
        Kind::Approval => Opening::StillWaiting,
        Kind::Delay => Opening::Delayed { at: at.as_deref() },
        Kind::Confirmation => Opening::ConfirmStill,
    };
    let mut writer = Writer::new(letter, Tone::Warning, Tag::ExpirySoon, opening);
    waiting(&mut writer, about);
    writer.close(Some(about))
}

/// Which mail, why, who decides, until when, and how it can be taken back.
fn waiting(writer: &mut Writer<'_>, about: &About<'_>) {
    writer.subject(about, "");
    let plan = &about.case.plan;
    let mut facts = vec![writer.recipients(about)];
    facts.extend(writer.others(about.mail));
    facts.push(writer.subject_fact(about.mail));
    facts.push(writer.fact(Label::Arrival, writer.time(about.mail.arrival)));
    match plan.kind {
        Kind::Approval => {
            facts.extend(writer.why(about.mail));
            facts.extend(writer.rules(plan));
            facts.extend(writer.moderators(about));
            facts.extend(writer.progress(about.case));
            facts.extend(writer.waits_until(about.case));
        }
        Kind::Confirmation => facts.extend(writer.expiry(about.case)),
        Kind::Delay => {
            let at = about.case.expires().map(|at| writer.time(at));
            facts.extend(at.map(|at| writer.fact(Label::SentAt, at)));
        }
    }
    writer.facts(facts);
    if plan.kind == Kind::Approval && writer.letter.links.cancel.is_some() {
        writer.remark(Remark::MayCancel);
    }
    writer.buttons(plan.kind);
}

/// To the sender: what came of it.
pub(super) fn outcome(about: &About<'_>, letter: &Letter<'_>) -> Document {
    let Some(end) = closing(about) else { return held(about, letter) };
    let (tone, tag, opening) = news(end, about);
    let mut writer = Writer::new(letter, tone, tag, opening);
    writer.subject(about, "");
    if end.decision == Decision::Returned {
        writer.remark(Remark::SendAgain);
    }
    writer.verdict(end, about);
    let mut facts = vec![writer.subject_fact(about.mail)];
    facts.extend(writer.destinations(end, about));
    facts.extend(writer.others(about.mail));
    facts.push(writer.fact(Label::Arrival, writer.time(about.mail.arrival)));
    writer.facts(facts);
    writer.attachment();
    writer.buttons(about.case.plan.kind);
    writer.close(Some(about))
}

fn news(end: &Closing, about: &About<'_>) -> (Tone, Tag, Opening<'static>) {
    let tag = facts::decision(end, about);
    match about.last_word {
        LastWord::Awaited if end.decision.sends() => {
            return (Tone::Calm, Tag::Held, Opening::AwaitsOperator);
        }
        LastWord::Said(QueueDeed::Deleted) => return (Tone::Bad, tag, Opening::NotSent),
        LastWord::People | LastWord::Awaited | LastWord::Said(QueueDeed::Released) => {}
    }
    match (end.decision, about.case.plan.kind) {
        (Decision::Released, Kind::Approval) if about.case.progress.only.is_some() => {
            (Tone::Good, tag, Opening::PartlyApproved)
        }
        (Decision::Released, Kind::Approval) => (Tone::Good, tag, Opening::Approved),
        (Decision::Released, Kind::Delay | Kind::Confirmation)
        | (Decision::Expired(AtExpiry::Release), _) => (Tone::Good, Tag::Sent, Opening::Sent),
        (Decision::Rejected, _) => (Tone::Bad, tag, Opening::Rejected),
        (Decision::Returned, _) => (Tone::Warning, tag, Opening::Returned),
        (Decision::Damaged, _) if facts::is_sent_by_operator(about.case) => {
            (Tone::Good, Tag::Sent, Opening::Sent)
        }
        (Decision::Damaged, _) => (Tone::Bad, tag, Opening::Damaged),
        // Whoever runs the server knows what became of it.
        (Decision::Gone, _) => (Tone::Warning, tag, Opening::Gone),
        (Decision::Cancelled, _) => (Tone::Calm, tag, Opening::Cancelled),
        (Decision::Expired(AtExpiry::Reject), Kind::Approval | Kind::Delay) => {
            (Tone::Bad, tag, Opening::Expired)
        }
        (Decision::Expired(AtExpiry::Reject), Kind::Confirmation)
        | (Decision::Discarded | Decision::Expired(AtExpiry::Discard), _) => {
            (Tone::Bad, tag, Opening::NotSent)
        }
    }
}

/// To administrators: too few can decide.
pub(super) fn no_moderator(about: &About<'_>, letter: &Letter<'_>) -> Document {
    let needed = about.case.progress.level().map_or(1, |level| usize::from(level.needed));
    let opening = Opening::NoModerator { needed };
    let mut writer = Writer::new(letter, Tone::Warning, Tag::NoModerator, opening);
    let count = facts::count(about.mail, letter.language);
    writer.subject(about, &format!(" \u{2192} {count}"));
    writer.remark(Remark::NameSomebody);
    let mut facts = writer.from(about.mail);
    facts.push(writer.recipients(about));
    facts.extend(writer.others(about.mail));
    facts.push(writer.subject_fact(about.mail));
    facts.extend(writer.why(about.mail));
    facts.extend(writer.rules(&about.case.plan));
    facts.extend(writer.moderators(about));
    facts.extend(writer.progress(about.case));
    facts.extend(writer.expiry(about.case));
    writer.facts(facts);
    writer.buttons(about.case.plan.kind);
    writer.close(Some(about))
}

impl Writer<'_> {
    /// Enough of a mail to know it again.
    pub(super) fn short(&self, about: &About<'_>) -> Vec<Fact> {
        let mut facts = self.from(about.mail);
        facts.push(self.fact(Label::Recipients, facts::count(about.mail, self.language())));
        facts.push(self.subject_fact(about.mail));
        facts
    }

    /// Who decides at the level that is due.
    fn moderators(&self, about: &About<'_>) -> Option<Fact> {
        let level = about.case.progress.level()?;
        let names = level.moderators.iter().take(MOST_MODERATORS);
        let mut values: Vec<Value> = names.map(|one| Value::from(shown(&one.address))).collect();
        if let Some(more) = level.moderators.len().checked_sub(MOST_MODERATORS).filter(|n| *n > 0) {
            values.push(Value::from(Remark::MorePeople(more).text(self.language())));
        }
        let label = Label::Moderators.text(self.language());
        (!values.is_empty()).then_some(Fact { label, values })
    }

    /// What the sender is told of a decision. Words belong to a refusal; what moderators say to each
    /// other when they approve is not for the sender.
    fn verdict(&mut self, end: &Closing, about: &About<'_>) {
        let Some((by, at)) = facts::decider(end, about) else { return };
        let by = self.fact(Label::DecidedBy, facts::who(by, about.case, self.language()));
        let at = self.fact(Label::DecidedAt, self.time(at));
        match end.decision {
            Decision::Rejected | Decision::Returned => {
                self.words(Label::Reason, &end.words);
                self.facts(vec![by, at]);
            }
            Decision::Released | Decision::Cancelled | Decision::Discarded => {
                self.facts(vec![by, at]);
            }
            // The time says all: it stood in the notices before. Nobody decided about what is gone.
            Decision::Expired(_) | Decision::Gone | Decision::Damaged => {}
        }
    }

    /// Who got it and who did not.
    pub(super) fn destinations(&self, end: &Closing, about: &About<'_>) -> Vec<Fact> {
        let (mail, only) = (about.mail, about.case.progress.only.as_deref());
        let is_sent =
            matches!(about.last_word, LastWord::People | LastWord::Said(QueueDeed::Released));
        let only = only.filter(|_| is_sent);
        match (end.decision, only) {
            (Decision::Released | Decision::Expired(AtExpiry::Release), Some(only)) => [
                self.some_recipients(Label::SentTo, mail, |index| only.contains(&index), |_| false),
                self.some_recipients(
                    Label::NotSentTo,
                    mail,
                    |index| !only.contains(&index),
                    |_| false,
                ),
            ]
            .into_iter()
            .filter(|fact| !fact.values.is_empty())
            .collect(),
            _ => vec![self.some_recipients(Label::Recipients, mail, |_| true, |_| false)],
        }
    }
}

/// People who are named to the sender.
const MOST_MODERATORS: usize = 5;
