//! Many requests in one mail, so that a flood of held mail is no flood of notices (`attacks.md` D9).

use super::{Writer, facts, web};
use crate::notice::{
    Letter, Waiting,
    document::{Block, Document, Link, Tone},
    words::{Deed, Label, Opening, Remark, Tag},
};

pub(super) fn document(waiting: &[Waiting<'_>], letter: &Letter<'_>) -> Document {
    let opening = Opening::Digest { count: waiting.len() };
    let mut writer = Writer::new(letter, Tone::Ask, Tag::Digest, opening);
    writer.document.subject = format!("[{}] {}", writer.document.tag, writer.document.opening);
    for one in waiting.iter().take(MOST_ENTRIES) {
        let entry = entry(&writer, one);
        writer.document.blocks.push(entry);
    }
    if let Some(more) = waiting.len().checked_sub(MOST_ENTRIES).filter(|more| *more > 0) {
        writer.remark(Remark::More(more));
    }
    writer.some_buttons(Deed::Approve, Deed::Reject, Deed::OpenAll);
    if waiting.iter().any(|one| one.open.is_some()) {
        writer.remark(Remark::KeepToYourself);
    }
    writer.close(None)
}

fn entry(writer: &Writer<'_>, one: &Waiting<'_>) -> Block {
    let (about, language) = (&one.about, writer.language());
    let mut facts = writer.from(about.mail);
    facts.push(writer.fact(Label::Recipients, facts::count(about.mail, language)));
    facts.extend(about.case.expires().map(|at| writer.fact(Label::Expiry, writer.time(at))));
    let link = one.open.and_then(web);
    let link = link.map(|url| Link { text: Deed::Open.text(language), url: url.to_owned() });
    let heading = facts::subject(about.mail, language, MOST_HEADING);
    Block::Entry { heading: crate::notice::clean::defanged(&heading), facts, link }
}

/// Requests that are shown; with more of them the mail would be cut by those who show it.
const MOST_ENTRIES: usize = 20;

/// Characters of a subject.
const MOST_HEADING: usize = 120;
