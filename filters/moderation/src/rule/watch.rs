//! What rules see of a mail as it flows past. Nothing of the mail is kept but short examples.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use unicode_normalization::{UnicodeNormalization as _, is_nfkc};

use super::Patterns;
use crate::{Sketch, numbers::NumberKind};

/// Watches one mail.
#[derive(Debug)]
pub struct Watch {
    patterns: Arc<Patterns>,
    /// What was seen for each rule.
    pub(super) seen: Vec<Seen>,
    pub(super) has_attachment: bool,
    pub(super) numbers: BTreeMap<NumberKind, u32>,
    /// What people are shown: of mail that they are to hear of, and of all other its subject.
    sketch: Sketch,
    is_shown: bool,
}

/// What may be in lines of text.
#[derive(Clone, Copy, Debug)]
pub struct Glance {
    /// No line is in another form than that of patterns.
    is_normal: bool,
    /// A pattern may match.
    may_match: bool,
    /// A number may be there.
    may_count: bool,
    /// People are shown lines.
    is_shown: bool,
}

impl Glance {
    /// Whether it is for anything that the lines are taken one by one.
    #[must_use]
    pub const fn asks(self) -> bool {
        self.may_match || self.may_count || self.is_shown
    }
}

/// What was seen for a rule: examples of what its patterns matched, absent where none did.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) subject: Option<Box<str>>,
    pub(super) text: Option<Box<str>>,
    pub(super) attachment_name: Option<Box<str>>,
    pub(super) attachment_type: Option<Box<str>>,
}

impl Watch {
    pub(super) fn new(patterns: Arc<Patterns>, rules: usize) -> Self {
        let seen = vec![Seen::default(); rules];
        Self {
            patterns,
            seen,
            has_attachment: false,
            numbers: BTreeMap::new(),
            sketch: Sketch::default(),
            is_shown: false,
        }
    }

    /// Watches a mail that people are to hear of, for what they are shown of it. No rule asks.
    #[must_use]
    pub fn of_shown_mail() -> Self {
        Self { is_shown: true, ..Self::new(Arc::default(), 0) }
    }

    /// What people are shown of a mail that was watched for that.
    #[must_use]
    pub fn into_sketch(self) -> Sketch {
        self.sketch
    }

    /// The subject that people are shown, of any mail.
    #[must_use]
    pub fn shown_subject(&self) -> &str {
        &self.sketch.subject
    }

    /// Whether it is for anything that it sees lines of text.
    #[must_use]
    pub fn looks_at_text(&self) -> bool {
        self.is_shown || self.patterns.look_at_text()
    }

    /// Whether it is for anything that it sees names and types of attachments.
    #[must_use]
    pub fn looks_at_attachments(&self) -> bool {
        self.is_shown || self.patterns.look_at_attachments()
    }

    /// Takes a Subject header as a person reads it, once in each plausible reading.
    pub fn subject(&mut self, subject: &str) {
        self.sketch.subject(subject);
        let subject = &*normal(subject);
        for rule in self.patterns.subject.rules_of(subject) {
            note(self.seen.get_mut(rule).map(|seen| &mut seen.subject), subject);
        }
    }

    /// What may be in these lines of text, so that each of them need not be asked for all of it. Blanks may be around each, as they
    /// stand in the mail.
    #[must_use]
    pub fn glance(&self, lines: &str) -> Glance {
        let normal = normal(lines);
        Glance {
            is_normal: matches!(normal, Cow::Borrowed(_)),
            may_match: self.patterns.text.may_match_within(&normal),
            may_count: !self.patterns.numbers.is_empty() && NumberKind::may_stand_in(&normal),
            is_shown: self.is_shown,
        }
    }

    /// Takes one of the lines that this is of.
    pub fn glanced(&mut self, line: &str, glance: Glance) {
        if glance.may_match {
            return self.text(line);
        }
        if glance.may_count {
            match glance.is_normal {
                true => self.count_numbers(line),
                false => self.count_numbers(&normal(line)),
            }
        }
        self.show_line(line);
    }

    /// Takes a line of text as a person reads it.
    pub fn text(&mut self, line: &str) {
        let normal = &*normal(line);
        for rule in self.patterns.text.rules_of(normal) {
            note(self.seen.get_mut(rule).map(|seen| &mut seen.text), normal);
        }
        self.count_numbers(normal);
        self.show_line(line);
    }

    fn show_line(&mut self, line: &str) {
        if self.is_shown {
            self.sketch.line(line);
        }
    }

    fn count_numbers(&mut self, line: &str) {
        NumberKind::count_all(&self.patterns.numbers, line, |kind, count| {
            let sum = self.numbers.entry(kind).or_default();
            *sum = sum.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        });
    }

    /// Takes the name of an attachment, or of a file in an archive.
    pub fn attachment_name(&mut self, name: &str) {
        self.has_attachment = true;
        if self.is_shown {
            self.sketch.attachment(name);
        }
        let name = &*normal(name);
        for rule in self.patterns.attachment_name.rules_of(name) {
            note(self.seen.get_mut(rule).map(|seen| &mut seen.attachment_name), name);
        }
    }

    /// Takes the type of an attachment.
    pub fn attachment_type(&mut self, kind: &str) {
        self.has_attachment = true;
        for rule in self.patterns.attachment_type.rules_of(kind) {
            note(self.seen.get_mut(rule).map(|seen| &mut seen.attachment_type), kind);
        }
    }
}

/// Full-width letters and the like as plain ones.
fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfkc(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfkc().collect())
}

/// Keeps the first.
fn note(place: Option<&mut Option<Box<str>>>, example: &str) {
    if let Some(place @ None) = place {
        *place = Some(example.chars().take(LONGEST_EXAMPLE).collect::<String>().into());
    }
}

/// Characters of what is shown to moderators as the reason.
const LONGEST_EXAMPLE: usize = 100;
