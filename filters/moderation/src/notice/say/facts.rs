//! The facts of a mail and of a case, each cleaned and bounded.

use mailweir_mail::Timestamp;

use super::{Writer, shown};
use crate::{
    case::{Actor, By, Case, Closing, Decision, Entry, Moderator, Plan, QueueDeed, Step},
    case_file::LastWord,
    notice::{
        About, Language, Recipient, Summary, clean,
        document::{Block, Fact, Value},
        summary::MOST_TEXT,
        words::{Ground, Label, Remark, Tag, Term},
    },
    rule::Reason,
};

/// The subject of a mail, never empty.
pub(super) fn subject(mail: &Summary, language: Language, limit: usize) -> String {
    let subject = clean::name(&mail.subject, limit);
    if subject.is_empty() { Term::NoSubject.text(language).to_owned() } else { subject }
}

/// How many get it: `3 recipients (2 outside)`.
pub(super) fn count(mail: &Summary, language: Language) -> String {
    Remark::Recipients { all: mail.recipients.len(), outside: mail.outside() }.text(language)
}

/// In whose name somebody acted.
pub(super) fn who(by: &By, case: &Case, language: Language) -> String {
    match &by.who {
        Actor::Moderator(address) => {
            let mut all = case.progress.levels.iter().flat_map(|level| &level.moderators);
            let principal =
                all.find(|one| one.is(address)).and_then(|one: &Moderator| one.deputy_of.as_ref());
            match principal {
                Some(principal) => {
                    let deputy = Term::Deputy.text(language);
                    format!("{} ({deputy}, {})", shown(address), shown(principal))
                }
                None => shown(address),
            }
        }
        Actor::Sender(address) => {
            format!("{} ({})", shown(address), Term::Sender.text(language))
        }
        Actor::Administrator(name) => {
            Remark::Administrator(&clean::name(name, MOST_NAME)).text(language)
        }
        Actor::Clock => Term::Clock.text(language).to_owned(),
    }
}

/// Who decided, and when; `None`: nobody did who is known.
pub(super) fn decider<'a>(end: &'a Closing, about: &About<'a>) -> Option<(&'a By, Timestamp)> {
    if let LastWord::Said(deed @ QueueDeed::Deleted) = about.last_word {
        let mut history = about.case.progress.history.iter();
        let entry = history.find(|entry| entry.step == Step::InQueue(deed))?;
        return Some((&entry.by, entry.at));
    }
    is_decided(end.decision).then_some((&end.by, end.at))
}

/// Whether somebody decided, or time did. Of a mail that is gone nobody did, and so at no time.
const fn is_decided(decision: Decision) -> bool {
    !matches!(decision, Decision::Gone | Decision::Damaged)
}

/// Whether an operator has sent it past those who decide.
pub(super) fn is_sent_by_operator(case: &Case) -> bool {
    let mut history = case.progress.history.iter();
    history.any(|entry| entry.step == Step::InQueue(QueueDeed::Released))
}

const fn in_queue(deed: QueueDeed) -> Label {
    match deed {
        QueueDeed::Released => Label::ReleasedInQueue,
        QueueDeed::Deleted => Label::DeletedInQueue,
    }
}

/// What came of it, in a word or two.
pub(super) fn decision(end: &Closing, about: &About<'_>) -> Tag {
    match about.last_word {
        LastWord::Awaited if end.decision.sends() => Tag::Approved,
        LastWord::Said(QueueDeed::Deleted) => Tag::Discarded,
        LastWord::People | LastWord::Awaited | LastWord::Said(QueueDeed::Released) => {
            named(end.decision)
        }
    }
}

/// What a decision is called.
const fn named(decision: Decision) -> Tag {
    use crate::case::AtExpiry;
    match decision {
        Decision::Released => Tag::Approved,
        Decision::Rejected => Tag::Rejected,
        Decision::Returned => Tag::Returned,
        Decision::Discarded | Decision::Expired(AtExpiry::Discard) => Tag::Discarded,
        Decision::Cancelled => Tag::Cancelled,
        Decision::Gone => Tag::Gone,
        Decision::Damaged => Tag::Damaged,
        Decision::Expired(AtExpiry::Reject) => Tag::Expired,
        Decision::Expired(AtExpiry::Release) => Tag::Sent,
    }
}

impl Writer<'_> {
    /// From, as the mail says, and the envelope sender if it is another.
    pub(super) fn from(&self, mail: &Summary) -> Vec<Fact> {
        let language = self.language();
        let none = Term::NullSender.text(language).to_owned();
        let envelope = mail.sender.address().map_or(none, shown);
        let from = clean::name(&mail.from, MOST_LINE);
        let mut facts = Vec::new();
        let is_same = from == envelope || from.ends_with(&format!("<{envelope}>"));
        if from.is_empty() {
            facts.push(self.fact(Label::From, envelope.clone()));
        } else {
            facts.push(self.fact(Label::From, from));
            if !is_same {
                facts.push(self.fact(Label::EnvelopeSender, envelope.clone()));
            }
        }
        facts
    }

    /// The login and the client, which are hard to invent.
    pub(super) fn origin(&self, mail: &Summary) -> Vec<Fact> {
        let login = mail.login.as_deref().map(|login| clean::name(login, MOST_NAME));
        let client = mail.client.as_ref().map(|client| clean::line(&client.to_string(), MOST_LINE));
        let login = login.map(|login| self.fact(Label::Login, login));
        let client = client.map(|client| self.fact(Label::Client, client));
        login.into_iter().chain(client).collect()
    }

    /// The recipients, those outside first: no crowd of colleagues may hide them.
    pub(super) fn recipients(&self, about: &About<'_>) -> Fact {
        let only = about.case.progress.only.as_deref();
        self.some_recipients(
            Label::Recipients,
            about.mail,
            |_| true,
            |index| only.is_some_and(|only| !only.contains(&index)),
        )
    }

    /// The others, who have it already.
    pub(super) fn others(&self, mail: &Summary) -> Option<Fact> {
        let count = Remark::SentBefore(mail.sent_to as usize).text(self.language());
        (mail.sent_to > 0).then(|| self.fact(Label::SentTo, count))
    }

    /// Those for whom `is_meant` holds; the others that are `left_out` are marked.
    pub(super) fn some_recipients(
        &self,
        label: Label,
        mail: &Summary,
        is_meant: impl Fn(u32) -> bool,
        left_out: impl Fn(u32) -> bool,
    ) -> Fact {
        let language = self.language();
        let numbered = (0..).zip(&mail.recipients).filter(|(index, _)| is_meant(*index));
        let mut meant: Vec<(u32, &Recipient)> = numbered.collect();
        meant.sort_by_key(|(_, one)| (!one.is_outside, !one.is_hidden));
        let outside = meant.iter().filter(|(_, one)| one.is_outside).count();
        let mut values = Vec::new();
        if meant.len() > 1 {
            let count = Remark::Recipients { all: meant.len(), outside };
            values.push(Value::from(count.text(language)));
        }
        for (index, one) in meant.iter().take(MOST_LISTED) {
            let marks = [
                (one.is_outside, Label::Outside),
                (one.is_hidden, Label::Hidden),
                (left_out(*index), Label::LeftOut),
            ];
            let marks = marks.into_iter().filter(|(is, _)| *is);
            let marks = marks.map(|(_, label)| label.text(language)).collect();
            values.push(Value { marks, ..Value::from(shown(&one.address)) });
        }
        if let Some(more) = meant.len().checked_sub(MOST_LISTED).filter(|more| *more > 0) {
            values.push(Value::from(Remark::MorePeople(more).text(language)));
        }
        Fact { label: label.text(language), values }
    }

    pub(super) fn subject_fact(&self, mail: &Summary) -> Fact {
        let subject = subject(mail, self.language(), MOST_LINE);
        let subject = Value { is_title: true, ..Value::from(clean::defanged(&subject)) };
        Fact { label: Label::Subject.text(self.language()), values: vec![subject] }
    }

    pub(super) fn attachments(&self, mail: &Summary) -> Option<Fact> {
        if mail.attachments.is_empty() {
            return None;
        }
        let language = self.language();
        let shown = mail.attachments.iter().take(MOST_LISTED);
        let mut values: Vec<Value> = shown
            .map(|one| {
                let name = clean::name(&one.name, MOST_NAME);
                let name = if name.is_empty() { Term::NoName.text(language).into() } else { name };
                let kind = one.kind.as_deref().map(|kind| clean::name(kind, MOST_NAME));
                let known = kind.into_iter().chain(one.size.map(|size| language.size(size)));
                let known: Vec<String> = known.filter(|word| !word.is_empty()).collect();
                let dash = if known.is_empty() { "" } else { " \u{2013} " };
                Value::from(format!("{name}{dash}{}", known.join(", ")))
            })
            .collect();
        let hidden = mail.attachments.len().saturating_sub(MOST_LISTED);
        let more = hidden.saturating_add(mail.more_attachments as usize);
        if more > 0 {
            values.push(Value::from(Remark::More(more).text(language)));
        }
        Some(Fact { label: Label::Attachments.text(language), values })
    }

    /// Why it is held.
    pub(super) fn why(&self, mail: &Summary) -> Option<Fact> {
        let language = self.language();
        let grounds = mail.reasons.iter().take(MOST_LISTED);
        let values: Vec<Value> = grounds.map(|one| Value::from(ground(one, language))).collect();
        (!values.is_empty()).then_some(Fact { label: Label::Why.text(language), values })
    }

    /// The rules that hold it.
    pub(super) fn rules(&self, plan: &Plan) -> Option<Fact> {
        let names = std::iter::once(&plan.rule).chain(&plan.also).take(MOST_LISTED);
        let names = names.map(|rule| clean::line(&rule.name, MOST_NAME));
        let names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
        (!names.is_empty()).then(|| self.fact(Label::Rule, names.join(", ")))
    }

    /// How far the approval is, where there is more than one to give.
    pub(super) fn progress(&self, case: &Case) -> Option<Fact> {
        let language = self.language();
        let progress = &case.progress;
        let (step, of) = (usize::from(progress.at_level) + 1, progress.levels.len());
        let needed = progress.level().map_or(1, |level| usize::from(level.needed));
        let given = progress.votes.len();
        let parts = [
            (of > 1).then(|| Remark::Step { step, of }.text(language)),
            (needed > 1).then(|| Remark::Votes { given, needed }.text(language)),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| self.fact(Label::Progress, parts.join(", ")))
    }

    /// What people did and said before, the last things.
    pub(super) fn history(&self, case: &Case) -> Option<Fact> {
        self.last_of_history(case, MOST_HISTORY)
    }

    /// The same, all of it: a case keeps a bounded number.
    pub(super) fn all_history(&self, case: &Case) -> Option<Fact> {
        self.last_of_history(case, usize::MAX)
    }

    fn last_of_history(&self, case: &Case, most: usize) -> Option<Fact> {
        let all: Vec<Value> = case
            .progress
            .history
            .iter()
            .filter_map(|entry| self.entry(entry, case))
            .map(Value::from)
            .collect();
        let first = all.len().saturating_sub(most);
        let values: Vec<Value> = all.into_iter().skip(first).collect();
        let label = Label::History.text(self.language());
        (!values.is_empty()).then_some(Fact { label, values })
    }

    fn entry(&self, entry: &Entry, case: &Case) -> Option<String> {
        let language = self.language();
        let what = match &entry.step {
            Step::Approved => Tag::Approved.text(language).to_owned(),
            Step::Commented => Label::Comment.text(language).to_owned(),
            Step::InQueue(deed) => in_queue(*deed).text(language).to_owned(),
            Step::Forwarded(to) => {
                format!("{} \u{2192} {}", Tag::HandedOn.text(language), shown(to))
            }
            Step::Opened
            | Step::NextLevel
            | Step::Scheduled(_)
            | Step::Reminded
            | Step::RemindedTimes(_)
            | Step::Escalated
            | Step::Warned
            | Step::Closed(_)
            | Step::Passed(_)
            | Step::Trusted(_)
            | Step::Distrusted => return None,
        };
        let words = clean::line(&entry.words, MOST_WORDS);
        let words = if words.is_empty() { words } else { format!(" \u{2013} {words}") };
        let (who, when) = (who(&entry.by, case, language), self.time(entry.at));
        Some(format!("{who}, {when}{}{what}{words}", self.document.colon))
    }

    /// What was decided, by whom and when, and in which words.
    pub(super) fn decided(&mut self, closing: &Closing, about: &About<'_>) {
        let language = self.language();
        let tag = decision(closing, about).text(language);
        let mut decision = self.fact(Label::Decision, tag);
        if about.last_word == LastWord::Awaited && closing.decision.sends() {
            decision.values.push(Value::from(Term::AwaitsOperator.text(language).to_owned()));
        }
        let deed = about.case.progress.history.iter().find_map(|entry| match entry.step {
            Step::InQueue(deed) => Some(in_queue(deed).text(language).to_owned()),
            _ => None,
        });
        decision.values.extend(deed.map(Value::from));
        let mut facts = vec![decision];
        if let Some((by, at)) = decider(closing, about) {
            facts.push(self.fact(Label::DecidedBy, who(by, about.case, language)));
            facts.push(self.fact(Label::DecidedAt, self.time(at)));
        }
        self.facts(facts);
        let label = match closing.decision {
            Decision::Released => Label::Comment,
            Decision::Rejected
            | Decision::Returned
            | Decision::Discarded
            | Decision::Cancelled
            | Decision::Gone
            | Decision::Damaged
            | Decision::Expired(_) => Label::Reason,
        };
        self.words(label, &closing.words);
    }

    /// What somebody said, in as many lines as it was said in.
    pub(super) fn words(&mut self, label: Label, words: &str) {
        let (mut lines, is_cut) = clean::lines(words, MOST_LINES, MOST_WORDS);
        if lines.is_empty() {
            return;
        }
        let language = self.language();
        if is_cut {
            lines.push(Remark::TextGoesOn.text(language));
        }
        self.document.blocks.push(Block::Quote { label: label.text(language), lines });
    }

    /// Until when the reader must decide, and what happens then.
    pub(super) fn expiry(&self, case: &Case) -> Option<Fact> {
        self.expiry_as(Label::Expiry, case)
    }

    /// Until when others must decide, and what happens then.
    pub(super) fn waits_until(&self, case: &Case) -> Option<Fact> {
        self.expiry_as(Label::WaitsUntil, case)
    }

    fn expiry_as(&self, label: Label, case: &Case) -> Option<Fact> {
        let at = self.time(case.expires()?);
        let action = case.plan.expiry?.action;
        let then = Remark::AtExpiry(action).text(self.language());
        let mut fact = self.fact(label, at);
        fact.values.push(Value::from(then));
        Some(fact)
    }

    /// The first lines of the text.
    pub(super) fn beginning(&mut self, mail: &Summary) {
        let (lines, is_cut) = clean::lines(&mail.text, MOST_LINES, MOST_TEXT);
        let mut lines: Vec<String> = lines.iter().map(|line| clean::defanged(line)).collect();
        if lines.is_empty() {
            return;
        }
        let language = self.language();
        if is_cut {
            lines.push(Remark::TextGoesOn.text(language));
        }
        let label = Label::Beginning.text(language);
        self.document.blocks.push(Block::Quote { label, lines });
    }
}

fn ground(reason: &Reason, language: Language) -> String {
    let words = |words: &str| clean::defanged(&clean::line(words, MOST_LINE));
    match reason {
        Reason::Outside(count) => Ground::Outside(*count).text(language),
        Reason::NewCorrespondent(count) => Ground::NewCorrespondent(*count).text(language),
        Reason::Recipients(count) => Ground::Recipients(*count).text(language),
        Reason::Subject(example) => Ground::Subject(&words(example)).text(language),
        Reason::Text(example) => Ground::Text(&words(example)).text(language),
        Reason::AttachmentName(name) => {
            Ground::AttachmentName(&clean::name(name, MOST_NAME)).text(language)
        }
        Reason::AttachmentType(kind) => Ground::AttachmentType(&words(kind)).text(language),
        Reason::Attachment => Ground::Attachment.text(language),
        Reason::Size(size) => Ground::Size(&language.size(*size)).text(language),
        Reason::Numbers(kind, count) => Ground::Numbers(*kind, *count).text(language),
        Reason::Time => Ground::Time.text(language),
    }
}

/// Entries of a list.
const MOST_LISTED: usize = 10;

/// Entries of the history.
const MOST_HISTORY: usize = 5;

/// Characters of a name.
const MOST_NAME: usize = 80;

/// Characters of a line.
const MOST_LINE: usize = 200;

/// Lines of a text.
const MOST_LINES: usize = 12;

/// Characters of what somebody said; the page shows the rest.
const MOST_WORDS: usize = 1000;
