//! The words of the text, alone and in pairs of neighbours: "free" says less than "free software" and "free money".
//!
//! Only the first words of each part are looked at ([`WORDS_OF_PART`]). Long mails have a little of everything, and
//! judging all of it made good ones spam; who reads a mail knows by then, too.

use super::bag::{Tokens, WordId};
use super::kind::Kind;
use super::words::{Piece, Splitter};
use crate::reading::{Field, Source, Text};

/// The text of a mail so far.
#[derive(Default)]
pub(super) struct Body {
    phrase: Phrase,
    /// What was not told yet.
    subject: String,
    /// Of the part.
    words: usize,
    all: Count,
    has_hidden: bool,
}

impl Body {
    /// What is known of the text before it comes: who gets it, and what it is about.
    pub(super) fn field(&mut self, field: &Field<'_>) {
        if RECIPIENTS.iter().any(|name| field.is(name)) {
            self.phrase.leave_out_recipient(field.value);
        } else if field.is("subject") {
            let room = LONGEST_SUBJECT.saturating_sub(self.subject.len());
            let subject = field.value.get(..field.value.floor_char_boundary(room));
            self.subject.push_str(subject.unwrap_or_default());
            self.subject.push('\n');
        }
    }

    /// The text of another part follows.
    pub(super) fn begin_part(&mut self, tokens: &mut Tokens) {
        self.tell_subject(tokens);
        self.phrase.part();
        self.words = 0;
    }

    /// When the header is over: only now all recipients are known, whose names are left out. Words of a subject are words of
    /// the text, too.
    fn tell_subject(&mut self, tokens: &mut Tokens) {
        let subject = std::mem::take(&mut self.subject);
        if subject.is_empty() {
            return;
        }
        self.phrase.part();
        self.phrase.add(&subject, Kind::Word, tokens);
        self.phrase.part();
        let count = self.phrase.add(&subject, Kind::Subject, tokens);
        if count.words > 2 && count.capitals * 2 > count.words {
            tokens.add(Kind::Subject, "in capitals");
        }
        if subject.contains("     ") {
            tokens.add(Kind::Subject, "with a gap");
        }
        if subject.trim().is_empty() {
            tokens.add(Kind::Subject, "empty");
        }
    }

    pub(super) fn text(&mut self, text: &Text<'_>, tokens: &mut Tokens) {
        if text.source == Source::Hidden {
            // Nobody reads it: it is there for filters, and changes with each mail.
            self.has_hidden = true;
            return;
        }
        for text in text.between_links() {
            if self.words >= WORDS_OF_PART || self.all.words >= WORDS_OF_MAIL {
                return;
            }
            let room = WORDS_OF_PART.saturating_sub(self.words);
            let count = self.phrase.add_first(room, text, Kind::Word, tokens);
            self.words += count.words;
            self.all.words += count.words;
            self.all.capitals += count.capitals;
        }
    }

    pub(super) fn finish(mut self, tokens: &mut Tokens) {
        self.tell_subject(tokens);
        if self.has_hidden {
            tokens.add(Kind::Shape, "hidden");
        }
        let size = match self.all.words {
            0 => "none",
            1..20 => "some words",
            20..100 => "short",
            100..400 => "of a page",
            400.. => "long",
        };
        tokens.add(Kind::Shape, size);
        let capitals = self.all.capitals.saturating_mul(100).checked_div(self.all.words);
        let capitals = match capitals.unwrap_or_default() {
            0 => return,
            1..4 => "some capitals",
            4..12 => "many capitals",
            12.. => "capitals throughout",
        };
        tokens.add(Kind::Shape, capitals);
    }
}

/// Words that follow each other.
#[derive(Default)]
pub(super) struct Phrase {
    splitter: Splitter,
    last: Option<WordId>,
    /// Names of those who get the mail: which they are is true of this mailbox alone.
    recipients: Vec<String>,
}

impl Phrase {
    /// Adds the words of a text, and their pairs. The words of the text before stand before them.
    pub(super) fn add(&mut self, text: &str, kind: Kind, tokens: &mut Tokens) -> Count {
        self.add_first(usize::MAX, text, kind, tokens)
    }

    /// The same, of the first so many words.
    fn add_first(&mut self, most: usize, text: &str, kind: Kind, tokens: &mut Tokens) -> Count {
        let Self { splitter, last, recipients } = self;
        let mut count = Count::default();
        splitter.split(text, &mut |piece| {
            if count.words >= most {
                return;
            }
            count.words += 1;
            let word = match piece {
                Piece::Word(word) | Piece::Capitals(word) if is_of_date(word) => None,
                Piece::Word(word) | Piece::Capitals(word)
                    if recipients.iter().any(|recipient| recipient == word) =>
                {
                    tokens.add(kind, "(recipient)")
                }
                Piece::Word(word) => tokens.add(kind, word),
                Piece::Capitals(word) => {
                    count.capitals += 1;
                    tokens.add(Kind::Shout, word);
                    tokens.add(kind, word)
                }
                Piece::Pair(pair) => {
                    tokens.add(kind, pair);
                    None
                }
                Piece::Spelled(word) => {
                    tokens.add(Kind::Shape, "letters one by one");
                    tokens.add(kind, word);
                    None
                }
                Piece::Disguised(word) => {
                    tokens.add(Kind::Shape, "several alphabets in a word");
                    tokens.add(kind, word)
                }
            };
            if let (Some(before), Some(word)) = (*last, word) {
                tokens.add_pair(before, word);
            }
            *last = word;
        });
        count
    }

    /// What comes does not stand behind what came.
    pub(super) const fn part(&mut self) {
        self.last = None;
    }

    /// Words before the `@` of the first address.
    fn leave_out_recipient(&mut self, field: &str) {
        let (local, _) = field.split_once('@').unwrap_or_default();
        let local = local.rsplit_once('<').map_or(local, |(_, local)| local);
        let words = local.split(|character: char| !character.is_alphanumeric());
        for word in words.filter(|word| (3..LONGEST_NAME).contains(&word.len())) {
            if self.recipients.len() < MOST_NAMES {
                self.recipients.push(word.to_lowercase());
            }
        }
    }
}

/// How many words there were.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    /// All of them.
    pub(super) words: usize,
    /// Those in capitals.
    pub(super) capitals: usize,
}

/// Days and months: they are of one week or season, and most mails that quote have some.
const fn is_of_date(word: &str) -> bool {
    matches!(
        word.as_bytes(),
        b"jan"
            | b"feb"
            | b"mar"
            | b"apr"
            | b"jun"
            | b"jul"
            | b"aug"
            | b"sep"
            | b"sept"
            | b"oct"
            | b"nov"
            | b"dec"
            | b"january"
            | b"february"
            | b"april"
            | b"june"
            | b"july"
            | b"august"
            | b"september"
            | b"october"
            | b"november"
            | b"december"
            | b"mon"
            | b"tue"
            | b"wed"
            | b"thu"
            | b"fri"
            | b"monday"
            | b"tuesday"
            | b"wednesday"
            | b"thursday"
            | b"friday"
            | b"saturday"
            | b"sunday"
    )
}

const RECIPIENTS: [&str; 3] = ["to", "delivered-to", "x-original-to"];

/// Words of a part that are looked at: two pages. Cross-validation found no difference from 600 to 1,000; with 2,000 more than
/// twice as many good mails of lists that were not learned were taken for spam.
const WORDS_OF_PART: usize = 800;

/// Words of all parts.
const WORDS_OF_MAIL: usize = 4_000;

/// Bytes of a subject.
const LONGEST_SUBJECT: usize = 1_000;

/// Words of recipients that are left out.
const MOST_NAMES: usize = 8;

/// Bytes of such a word.
const LONGEST_NAME: usize = 32;
