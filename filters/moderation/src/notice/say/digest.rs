//! Many notices in one mail, so that a flood of held mail is no flood of notices (`attacks.md` D9).

use super::{Writer, closing, facts, web};
use crate::notice::{
    Gathered, Letter, Waiting, clean,
    document::{Block, Document, Link, Tone},
    words::{Label, Opening, Remark, Tag, Verb, Ways},
};

pub(super) fn document(
    kind: Gathered,
    shown: &[Waiting<'_>],
    count: usize,
    letter: &Letter<'_>,
) -> Document {
    let (tone, tag, opening) = match kind {
        Gathered::Requests => (Tone::Ask, Tag::Digest, Opening::Digest { count }),
        Gathered::News => (Tone::Calm, Tag::DigestOfNews, Opening::DigestOfNews { count }),
        Gathered::Alerts => (Tone::Warning, Tag::NoModerator, Opening::DigestOfAlerts { count }),
    };
    let mut writer = Writer::new(letter, tone, tag, opening);
    writer.document.subject = format!("[{}] {}", writer.document.tag, writer.document.opening);
    let shown = shown.get(..MOST_IN_DIGEST).unwrap_or(shown);
    for one in shown {
        let entry = entry(&writer, kind, one);
        writer.document.blocks.push(entry);
    }
    if let Some(more) = count.checked_sub(shown.len()).filter(|more| *more > 0) {
        writer.remark(Remark::More(more));
    }
    match kind {
        Gathered::Requests => {}
        Gathered::News => writer.remark(Remark::NothingToDo),
        Gathered::Alerts => writer.remark(Remark::NameSomebody),
    }
    if shown.iter().any(|one| one.open.is_some()) {
        writer.remark(Remark::KeepToYourself(Ways::Links));
    }
    writer.close(None)
}

fn entry(writer: &Writer<'_>, kind: Gathered, one: &Waiting<'_>) -> Block {
    let (about, language) = (&one.about, writer.language());
    // One name, which is hardest to invent: the page has the others.
    let sender = clean::name(about.mail.sender_name(), MOST_NAME);
    let mut facts = vec![writer.fact(Label::From, sender)];
    facts.push(writer.fact(Label::Recipients, facts::count(about.mail, language)));
    match (kind, closing(about)) {
        (Gathered::News, Some(end)) => {
            let decision = facts::decision(end, about).text(language);
            facts.push(writer.fact(Label::Decision, decision));
            let by = facts::decider(end, about);
            let by = by.map(|(by, _)| facts::who(by, about.case, language));
            let by = by.map(|by| clean::name(&by, MOST_NAME));
            facts.extend(by.map(|by| writer.fact(Label::DecidedBy, by)));
        }
        _ => {
            facts.extend(about.case.expires().map(|at| writer.fact(Label::Expiry, writer.time(at))))
        }
    }
    let link = one.open.and_then(web);
    let link = link.map(|url| Link { text: Verb::Open.text(language), url: url.to_owned() });
    let heading = facts::subject(about.mail, language, MOST_HEADING);
    Block::Entry { heading: clean::defanged(&heading), facts, link }
}

/// How many cases a digest shows: with more of them the mail would be cut by those who show it.
pub const MOST_IN_DIGEST: usize = 20;

/// Characters of a subject.
const MOST_HEADING: usize = 100;

/// Characters of whoever sent or decided.
const MOST_NAME: usize = 70;
