//! What a notice says: from a case to sentences and facts.

mod answer;
mod ask;
mod digest;
mod facts;
pub(super) mod page;
mod tell;

pub use digest::MOST_IN_DIGEST;

use mailweir_mail::{Address, Timestamp};

use super::{
    About, Attached, Language, Letter, Notice, clean,
    document::{Block, Button, Document, Fact, Link, Tone, Weight},
    words::{Label, Opening, Remark, Tag, Verb, Ways},
};
use crate::case::{Closing, Kind, State, To, Word};

/// The document of a notice. What no case owes (a request to administrators) is said in the way that
/// fits its reader.
pub(super) fn document(notice: &Notice<'_>, letter: &Letter<'_>) -> Document {
    match notice {
        Notice::Owed { word, to, about } => owed(*word, to, about, letter),
        Notice::Answered { result, about } => answer::document(*result, about, letter),
        Notice::Digest { kind, shown, count } => digest::document(*kind, shown, *count, letter),
    }
}

fn owed(word: Word, to: &To, about: &About<'_>, letter: &Letter<'_>) -> Document {
    match (to, word) {
        (To::Moderator(address), Word::Request) => {
            ask::document(Tag::Request, address, about, letter)
        }
        (To::Moderator(address), Word::Reminder | Word::Held | Word::NoModerator) => {
            ask::document(Tag::Reminder, address, about, letter)
        }
        (To::Moderator(address), Word::Escalation) => {
            ask::document(Tag::Escalation, address, about, letter)
        }
        (To::Moderator(address), Word::Forwarded) => {
            ask::document(Tag::Forwarded, address, about, letter)
        }
        (To::Moderator(address), Word::ExpiryWarning) => {
            ask::document(Tag::ExpirySoon, address, about, letter)
        }
        (To::Moderator(_) | To::Administrators, Word::Decided) => tell::settled(about, letter),
        (To::Sender, Word::Decided) => tell::outcome(about, letter),
        (To::Sender, Word::ExpiryWarning) => tell::still_waiting(about, letter),
        (
            To::Sender,
            Word::Held
            | Word::Request
            | Word::Reminder
            | Word::Escalation
            | Word::Forwarded
            | Word::NoModerator,
        ) => tell::held(about, letter),
        (
            To::Administrators,
            Word::NoModerator
            | Word::Request
            | Word::Reminder
            | Word::Escalation
            | Word::Forwarded
            | Word::ExpiryWarning
            | Word::Held,
        ) => tell::no_moderator(about, letter),
    }
}

/// A document that grows.
struct Writer<'a> {
    letter: &'a Letter<'a>,
    document: Document,
}

impl<'a> Writer<'a> {
    fn new(letter: &'a Letter<'a>, tone: Tone, tag: Tag, opening: Opening<'_>) -> Self {
        let language = letter.language;
        let document = Document {
            subject: String::new(),
            tone,
            tag: tag.text(language),
            opening: opening.text(language),
            blocks: Vec::new(),
            colon: match language {
                Language::En | Language::Ko | Language::Ja => ": ",
                Language::Fr => "\u{a0}: ",
            },
            footer: Vec::new(),
        };
        Self { letter, document }
    }

    fn language(&self) -> Language {
        self.letter.language
    }

    fn time(&self, time: Timestamp) -> String {
        self.letter.language.time(time, self.letter.zone)
    }

    /// The subject: the tag in brackets, the subject of the mail, and `rest` which is short.
    fn subject(&mut self, about: &About<'_>, rest: &str) {
        let language = self.language();
        let subject = facts::subject(about.mail, language, MOST_SUBJECT);
        self.document.subject = format!("[{}] {subject}{rest}", self.document.tag);
    }

    fn note(&mut self, sentence: impl Into<String>) {
        self.document.blocks.push(Block::Note(sentence.into()));
    }

    fn remark(&mut self, remark: Remark<'_>) {
        self.note(remark.text(self.language()));
    }

    fn facts(&mut self, facts: Vec<Fact>) {
        if !facts.is_empty() {
            self.document.blocks.push(Block::Facts(facts));
        }
    }

    fn fact(&self, label: Label, text: impl Into<String>) -> Fact {
        Fact::new(label.text(self.language()), text)
    }

    fn attachment(&mut self) {
        match self.letter.attached {
            Attached::Nothing => {}
            Attached::Mail(_) => self.remark(Remark::MailAttached),
            Attached::Header(_) => self.remark(Remark::HeaderAttached),
        }
    }

    /// What the reader can do on pages, as buttons and as plain addresses.
    fn buttons(&mut self, kind: Kind) {
        let (yes, no) = match kind {
            Kind::Approval | Kind::Delay => (Verb::Approve, Verb::Reject),
            Kind::Confirmation => (Verb::Confirm, Verb::Decline),
        };
        let links = self.letter.links;
        let all = [
            (links.approve, yes, Weight::Yes),
            (links.reject, no, Weight::No),
            (links.cancel, Verb::Cancel, Weight::No),
            (links.open, Verb::Open, Weight::Plain),
        ];
        let language = self.language();
        let buttons = all.into_iter().filter_map(|(url, deed, weight)| {
            let link = Link { text: deed.text(language), url: web(url?)?.to_owned() };
            Some(Button { link, weight })
        });
        let buttons: Vec<Button> = buttons.collect();
        if buttons.is_empty() {
            return;
        }
        if buttons.iter().any(|button| button.weight != Weight::Plain) {
            self.remark(Remark::LinksOnlyShow);
        }
        let label = Remark::PlainLinks.text(language);
        let links = buttons.iter().map(|button| button.link.clone()).collect();
        self.document.blocks.push(Block::Buttons(buttons));
        self.document.blocks.push(Block::Links { label, links });
    }

    /// How to decide by answering, and that the notice is the reader's alone.
    fn how_to_answer(&mut self) {
        let language = self.language();
        let words = (Verb::Approve.answer(language), Verb::Reject.answer(language));
        if let (Some(_), (Some(approve), Some(reject))) = (self.letter.reply_to, words) {
            self.remark(Remark::HowToAnswer { approve, reject });
        }
        let links = self.letter.links;
        let ways = match (links.open.or(links.approve), self.letter.reply_to) {
            (Some(_), Some(_)) => Ways::Both,
            (Some(_), None) => Ways::Links,
            (None, Some(_)) => Ways::Answer,
            (None, None) => return,
        };
        self.remark(Remark::KeepToYourself(ways));
    }

    /// The name of the case for those who ask about it, and who sent this.
    fn close(mut self, about: Option<&About<'_>>) -> Document {
        let language = self.language();
        if let Some(about) = about {
            let case = Label::Case.text(language);
            let line = format!("{case}{}{}", self.document.colon, about.id);
            self.document.footer.push(line);
        }
        let name = clean::line(self.letter.from_name, MOST_NAME);
        let gateway = if name.is_empty() { shown(self.letter.from) } else { name };
        self.document.footer.push(Remark::Automatic { gateway: &gateway }.text(language));
        self.document
    }
}

fn closing<'a>(about: &About<'a>) -> Option<&'a Closing> {
    match &about.case.progress.state {
        State::Closed(closing) => Some(closing),
        State::Pending | State::Scheduled { .. } => None,
    }
}

/// An address as it may be seen.
fn shown(address: &Address) -> String {
    clean::line(address.as_str(), MOST_ADDRESS)
}

/// An address of a page, if it is one.
fn web(url: &str) -> Option<&str> {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    let is_plain =
        url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
    (is_web && is_plain && url.len() <= MOST_URL).then_some(url)
}

/// Characters of a subject within the subject of a notice: what stands behind it must be seen, too.
const MOST_SUBJECT: usize = 70;

/// Characters of the gateway's name.
const MOST_NAME: usize = 60;

/// Characters of an address: the longest has 254 bytes, and nobody reads them.
const MOST_ADDRESS: usize = 100;

/// Bytes of the address of a page.
const MOST_URL: usize = 900;
