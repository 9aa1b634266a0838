//! What the page behind the link of a notice says to its reader.

use super::{Writer, ask, closing, facts, tell};
use crate::{
    case::{Case, Kind, Refused, State},
    notice::{
        About, Attached, Letter, Links, MessageId,
        document::{Block, Document, Tone},
        page::View,
        words::{Label, Opening, Remark, Tag, Term, refusal},
    },
    page::choice,
    token::Purpose,
};

/// The page as a document, without what can be done.
pub(in crate::notice) fn document(view: &View<'_>) -> Document {
    let letter = &pen(view);
    let about = &view.about;
    let is_own = view.purpose == Purpose::Own || about.case.plan.kind != Kind::Approval;
    match (&about.case.progress.state, is_own) {
        (State::Closed(_), true) => footed(tell::outcome(about, letter), view),
        (State::Closed(_), false) => settled(about, letter),
        (State::Scheduled { .. }, true) | (State::Pending, true) if !decides(view) => {
            own(view, letter)
        }
        (State::Scheduled { .. } | State::Pending, _) => waiting(view, letter),
    }
}

/// A page is written with the pen of notices. Nobody sees the address or the date of this letter.
fn pen<'a>(view: &View<'a>) -> Letter<'a> {
    Letter {
        language: view.language,
        zone: view.zone,
        from_name: "",
        from: view.person,
        to: view.person,
        reply_to: None,
        links: Links::default(),
        date: view.now,
        id: MessageId::of(view.about.id, view.person, 0, view.person.domain()),
        thread: &[],
        seed: 0,
        attached: Attached::Nothing,
    }
}

/// Whether the link is for deciding, also about one's own mail.
fn decides(view: &View<'_>) -> bool {
    view.purpose == Purpose::Decide
}

/// To one who decides, or did: all that a decision needs.
fn waiting(view: &View<'_>, letter: &Letter<'_>) -> Document {
    let about = &view.about;
    let refused = choice::approval_refused(about.case, view.person, view.now);
    if matches!(refused, Some(Refused::NotTheirs)) && !is_asked(about.case, view) {
        return given_away(about, letter);
    }
    let (tone, tag) = match (&refused, about.case.plan.kind) {
        (Some(Refused::VotedAlready { .. } | Refused::Scheduled { .. }), _) => {
            (Tone::Good, Tag::Approved)
        }
        (Some(_), _) => (Tone::Calm, Tag::Held),
        (None, Kind::Confirmation) => (Tone::Ask, Tag::Confirm),
        (None, Kind::Approval | Kind::Delay) if about.case.progress.warned.is_some() => {
            (Tone::Warning, Tag::ExpirySoon)
        }
        (None, Kind::Approval | Kind::Delay) => (Tone::Ask, Tag::Request),
    };
    let by = ask::forwarded_by(view.person, about, letter);
    let opening = match about.case.plan.kind {
        Kind::Confirmation => Opening::Confirm,
        Kind::Approval | Kind::Delay if by.is_some() => Opening::Forwarded { by: by.as_deref() },
        Kind::Approval | Kind::Delay => Opening::Request,
    };
    let mut writer = Writer::new(letter, tone, tag, opening);
    writer.subject(about, "");
    if let Some(refused) = &refused {
        writer.document.opening = refusal(refused, letter.language).to_owned();
        if matches!(refused, Refused::NotTheirs | Refused::OwnMail) {
            writer.document.tag = Term::Pending.text(letter.language);
        }
    }
    if let Some(principal) = ask::deputy_of(view.person, about) {
        writer.remark(Remark::DeputyOf(&super::shown(principal)));
    }
    content(&mut writer, about);
    footed(writer.document, view)
}

/// Whether the reader decides about the mail at any level.
fn is_asked(case: &Case, view: &View<'_>) -> bool {
    let mut all = case.progress.levels.iter().flat_map(|level| &level.moderators);
    all.any(|one| one.is(view.person))
}

/// To one who has handed the decision on. The mail is not for them any more.
fn given_away(about: &About<'_>, letter: &Letter<'_>) -> Document {
    let mut writer = Writer::new(letter, Tone::Calm, Tag::HandedOn, Opening::Settled);
    writer.document.opening = refusal(&Refused::NotTheirs, letter.language).to_owned();
    writer.document.subject = format!("[{}] {}", writer.document.tag, about.id);
    writer.remark(Remark::NothingToDo);
    with_case(writer.document, about, letter)
}

fn content(writer: &mut Writer<'_>, about: &About<'_>) {
    let mail = about.mail;
    let mut facts = writer.from(mail);
    facts.push(writer.recipients(about));
    facts.push(writer.subject_fact(mail));
    facts.extend(writer.why(mail));
    facts.extend(match &about.case.progress.state {
        State::Scheduled { at, .. } => Some(writer.fact(Label::SentAt, writer.time(*at))),
        State::Pending | State::Closed(_) => writer.expiry(about.case),
    });
    facts.extend(writer.progress(about.case));
    facts.extend(writer.all_history(about.case));
    writer.facts(facts);
    writer.beginning(mail);
    writer.facts(writer.attachments(mail).into_iter().collect());
    let mut facts = writer.origin(mail);
    facts.push(writer.fact(Label::Size, writer.language().size(mail.size)));
    facts.push(writer.fact(Label::Arrival, writer.time(mail.arrival)));
    facts.extend(writer.rules(&about.case.plan));
    writer.document.blocks.push(Block::Details(facts));
}

/// To one who was asked: who decided what, and when.
fn settled(about: &About<'_>, letter: &Letter<'_>) -> Document {
    let tag = closing(about).map_or(Tag::Done, |end| facts::decision(end, about));
    let mut writer = Writer::new(letter, Tone::Calm, tag, Opening::Settled);
    writer.subject(about, "");
    let mut facts = writer.from(about.mail);
    facts.push(writer.subject_fact(about.mail));
    if let Some(end) = closing(about) {
        writer.decided(end, about);
        facts.extend(writer.destinations(end, about));
    }
    facts.extend(writer.all_history(about.case));
    writer.facts(facts);
    with_case(writer.document, about, letter)
}

/// To the sender: where it stands. No more than notices tell.
fn own(view: &View<'_>, letter: &Letter<'_>) -> Document {
    let about = &view.about;
    let mut document = tell::held(about, letter);
    if let State::Scheduled { at, .. } = &about.case.progress.state {
        let at = letter.language.time(*at, letter.zone);
        document.opening = Opening::Delayed { at: Some(&at) }.text(letter.language);
        document.tag = Tag::Delayed.text(letter.language);
    }
    if about.case.plan.kind == Kind::Approval {
        document.blocks.push(Block::Note(Remark::MayCancel.text(letter.language)));
    }
    footed(document, view)
}

fn footed(document: Document, view: &View<'_>) -> Document {
    with_case(document, &view.about, &pen(view))
}

/// The name of the case, for those who ask about it; a page needs no name of who sent it.
fn with_case(mut document: Document, about: &About<'_>, letter: &Letter<'_>) -> Document {
    let case = Label::Case.text(letter.language);
    document.footer = vec![format!("{case}{}{}", document.colon, about.id)];
    document
}
