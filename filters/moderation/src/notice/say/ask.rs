//! Requests: somebody is to decide.

use mailweir_mail::Address;

use super::{Writer, facts, shown};
use crate::{
    case::{Kind, Step},
    notice::{
        About, Letter, clean,
        document::{Block, Document, Tone},
        words::{Label, Opening, Remark, Tag},
    },
    person::is_same,
};

/// Asks `address` to decide, for the reason that the tag names.
pub(super) fn document(
    tag: Tag,
    address: &Address,
    about: &About<'_>,
    letter: &Letter<'_>,
) -> Document {
    let by = forwarded_by(address, about, letter);
    let is_first = tag == Tag::Request;
    let (tag, opening) = match about.case.plan.kind {
        Kind::Confirmation if is_first => (Tag::Confirm, Opening::Confirm),
        Kind::Confirmation => (tag, Opening::ConfirmStill),
        Kind::Approval | Kind::Delay => (tag, opening(tag, by.as_deref())),
    };
    let tone = if tag == Tag::ExpirySoon { Tone::Warning } else { Tone::Ask };
    let mut writer = Writer::new(letter, tone, tag, opening);
    let sender = clean::name(about.mail.sender_name(), MOST_SENDER);
    let count = facts::count(about.mail, letter.language);
    writer.subject(about, &format!(" \u{b7} {sender} \u{2192} {count}"));
    if let Some(principal) = deputy_of(address, about) {
        writer.remark(Remark::DeputyOf(&shown(principal)));
    }
    content(&mut writer, about);
    writer.attachment();
    writer.buttons(about.case.plan.kind);
    writer.how_to_answer();
    writer.close(Some(about))
}

/// All that a decision needs.
fn content(writer: &mut Writer<'_>, about: &About<'_>) {
    let mail = about.mail;
    let mut facts = writer.from(mail);
    facts.push(writer.recipients(about));
    facts.extend(writer.others(mail));
    facts.push(writer.subject_fact(mail));
    facts.extend(writer.why(mail));
    facts.extend(writer.expiry(about.case));
    facts.extend(writer.progress(about.case));
    facts.extend(writer.history(about.case));
    writer.facts(facts);
    writer.beginning(mail);
    writer.facts(writer.attachments(mail).into_iter().collect());
    let mut facts = writer.origin(mail);
    facts.push(writer.fact(Label::Size, writer.language().size(mail.size)));
    facts.push(writer.fact(Label::Arrival, writer.time(mail.arrival)));
    facts.extend(writer.rules(&about.case.plan));
    writer.document.blocks.push(Block::Details(facts));
}

const fn opening<'a>(tag: Tag, by: Option<&'a str>) -> Opening<'a> {
    match tag {
        Tag::Reminder => Opening::Reminder,
        Tag::Escalation => Opening::Escalation,
        Tag::Forwarded => Opening::Forwarded { by },
        Tag::ExpirySoon => Opening::ExpirySoon,
        _ => Opening::Request,
    }
}

/// Who handed the decision to `address`, the last time.
pub(super) fn forwarded_by(
    address: &Address,
    about: &About<'_>,
    letter: &Letter<'_>,
) -> Option<String> {
    let mut history = about.case.progress.history.iter().rev();
    let entry =
        history.find(|entry| matches!(&entry.step, Step::Forwarded(to) if is_same(to, address)))?;
    Some(facts::who(&entry.by, about.case, letter.language))
}

pub(super) fn deputy_of<'a>(address: &Address, about: &About<'a>) -> Option<&'a Address> {
    let mut all = about.case.progress.level()?.moderators.iter();
    all.find(|one| one.is(address))?.deputy_of.as_ref()
}

/// Characters of the sender in a subject.
const MOST_SENDER: usize = 50;
