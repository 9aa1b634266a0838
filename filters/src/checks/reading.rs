//! The mail as a person reads it, for the checks on text and attachments: which keys it gives.
//!
//! Parts are decoded as the content goes past. What they give is kept as keys until the checks ask
//! for them, which they do often; a mail that gives too many at once is told to give no more, and
//! that is a key too, so that a rule can refuse it.

use std::collections::BTreeMap;

use mailweir_content::{
    attachment::{Budget, Finding, Inspector, Limit},
    decode::{
        headers::HeaderDecoder,
        parts::{Ambiguity, Event, Part, PartId, PartLimits, PartReader},
        text::{TakeText, TextLimits, Texts},
    },
};

use mailweir_moderation::rule::Watch;

use super::{ChecksRules, Context};

/// Reads one mail.
pub(super) struct Reading {
    parts: PartReader,
    seen: Seen,
    /// Content that waits for a whole block. Parts that are open side by side share what a mail may use, and keys have room until
    /// they are asked for: who gets what must not depend on how the client divided the mail. So its own bytes alone divide it:
    /// as many as a block has room for, cut behind the last line that is whole.
    block: Vec<u8>,
}

/// What the parts have given, and what is open.
struct Seen {
    /// Absent where nobody asks for text.
    texts: Option<Texts>,
    /// Absent where nobody asks for attachments.
    attachments: Option<Attachments>,
    keys: Keys,
}

struct Attachments {
    budget: Budget,
    open: BTreeMap<PartId, Open>,
}

/// A part under inspection.
struct Open {
    inspector: Box<Inspector>,
    /// Whether a mail program shows it as text: that it is text is no news then.
    is_shown: bool,
}

/// Keys that have come up, to be looked up in their order.
#[derive(Default)]
pub(super) struct Keys {
    /// All of them, with a newline behind each.
    text: String,
    /// What the next are, and where the last of them ends.
    ends: Vec<(Kind, usize)>,
    is_full: bool,
}

/// What is kept of keys that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One key.
    One(Context),
    /// Lines of text as they stand, to be parted.
    Lines,
}

/// Whether anybody may have something to ask of some lines of text.
pub(super) type Asks<'a> = &'a dyn Fn(&str) -> bool;

/// Keeps lines of text that somebody asks for.
struct Lines<'a> {
    keys: &'a mut Keys,
    asks: Asks<'a>,
}

impl Reading {
    /// A reading of a mail for these rules, and for moderation; `None` if neither asks for one.
    pub(super) fn new(rules: &ChecksRules, watch: Option<&Watch>) -> Option<Self> {
        let asks = |context| !rules.tables(context).is_empty();
        let of_attachments = asks(Context::AttachmentName)
            || asks(Context::AttachmentType)
            || watch.is_some_and(Watch::looks_at_attachments);
        let of_text = asks(Context::TextBody) || watch.is_some_and(Watch::looks_at_text);
        if !of_attachments && !of_text {
            return None;
        }
        let decoder = HeaderDecoder::new(rules.fallbacks.clone());
        let limits = PartLimits { depth: rules.limits.nesting, ..PartLimits::default() };
        let texts = of_text.then(|| {
            let text =
                TextLimits { text: rules.text_body_checks_size_limit, ..TextLimits::default() };
            Texts::new(text, rules.fallbacks.clone())
        });
        let attachments = of_attachments.then(|| Attachments {
            budget: Budget::new(rules.attachment_limits, rules.fallbacks.clone()),
            open: BTreeMap::new(),
        });
        let seen = Seen { texts, attachments, keys: Keys::default() };
        Some(Self { parts: PartReader::new(limits, decoder), seen, block: Vec::new() })
    }

    /// Takes the beginning of `content`, and gives the keys that have come up: of lines of text those that somebody asks for.
    pub(super) fn feed(&mut self, content: &mut &[u8], asks: Asks<'_>) -> &Keys {
        let Self { parts, seen, block } = self;
        seen.keys.clear();
        if let (true, Some(window)) = (block.is_empty(), content.get(..BLOCK)) {
            let (now, later) = content.split_at(whole_lines(window));
            *content = later;
            parts.feed(now, &mut |event| seen.event(&event, asks));
            return &seen.keys;
        }
        let (now, later) = content.split_at(content.len().min(BLOCK - block.len()));
        block.extend_from_slice(now);
        *content = later;
        if block.len() == BLOCK {
            let lines = block.drain(..whole_lines(block));
            parts.feed(lines.as_slice(), &mut |event| seen.event(&event, asks));
        }
        &seen.keys
    }

    /// Takes the end of the mail.
    pub(super) fn finish(self, asks: Asks<'_>) -> Keys {
        let Self { mut parts, mut seen, block } = self;
        seen.keys.clear();
        parts.feed(&block, &mut |event| seen.event(&event, asks));
        parts.finish(&mut |event| seen.event(&event, asks));
        seen.keys
    }
}

/// The length of the lines that are whole in a block; of one without line ends, all of it.
fn whole_lines(block: &[u8]) -> usize {
    memchr::memrchr(b'\n', block).map_or(block.len(), |end| end + 1)
}

impl Seen {
    fn event(&mut self, event: &Event<'_>, asks: Asks<'_>) {
        let Self { texts, attachments, keys } = self;
        if let Some(texts) = texts {
            texts.event(event, &mut Lines { keys, asks });
        }
        if let Some(attachments) = attachments {
            attachments.event(event, keys);
        }
    }
}

impl Attachments {
    fn event(&mut self, event: &Event<'_>, keys: &mut Keys) {
        match event {
            Event::Start(part) => self.start(part, keys),
            Event::Data { part, bytes } => {
                if let Some(Open { inspector, is_shown }) = self.open.get_mut(part) {
                    let is_shown = *is_shown;
                    let note = &mut |finding: Finding<'_>| keys.found(&finding, is_shown);
                    inspector.feed(bytes, &mut self.budget, note);
                }
            }
            Event::End(part) => {
                if let Some(Open { inspector, is_shown }) = self.open.remove(part) {
                    let note = &mut |finding: Finding<'_>| keys.found(&finding, is_shown);
                    inspector.finish(&mut self.budget, note);
                }
            }
            Event::Ambiguous(ambiguity) => keys.add(Context::AttachmentType, name(*ambiguity)),
            Event::Header { .. } => {}
        }
    }

    fn start(&mut self, part: &Part, keys: &mut Keys) {
        part.names.iter().for_each(|name| keys.add(Context::AttachmentName, name));
        if part.is_container {
            return;
        }
        if self.open.len() == MOST_OPEN {
            return keys.add(Context::AttachmentType, Limit::Overlap.mime_type());
        }
        let is_attached = part.disposition.as_deref() == Some("attachment");
        let is_shown =
            part.content_type.starts_with("text/") && part.names.is_empty() && !is_attached;
        let inspector = Box::new(Inspector::default());
        self.open.insert(part.id, Open { inspector, is_shown });
    }
}

impl Keys {
    fn found(&mut self, finding: &Finding<'_>, is_shown: bool) {
        match (finding, finding.mime_type()) {
            (Finding::Name { name, .. }, _) => self.add(Context::AttachmentName, name),
            (Finding::Type { path: [], .. }, Some(kind))
                if is_shown && kind.starts_with("text/") => {}
            (_, Some(kind)) => self.add(Context::AttachmentType, kind),
            (_, None) => {}
        }
    }

    /// They, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Kind, &str)> {
        let mut begin = 0;
        self.ends.iter().map(move |&(kind, end)| {
            let key = self.text.get(begin..end).unwrap_or_default();
            begin = end + 1;
            (kind, key)
        })
    }

    /// The lines that they are, each of which is a part of this.
    pub(super) fn lines(&self) -> &str {
        &self.text
    }

    /// Whether there are none.
    pub(super) const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.is_full = false;
    }

    fn add(&mut self, context: Context, text: &str) {
        self.keep(Kind::One(context), text);
    }

    fn keep(&mut self, kind: Kind, text: &str) {
        if self.is_full {
            return;
        }
        self.is_full = self.text.len() - self.ends.len() + text.len() > MOST_BYTES;
        let (kind, text) = match self.is_full {
            true => (Kind::One(Context::AttachmentType), Limit::Members.mime_type()),
            false => (kind, text),
        };
        self.text.push_str(text);
        self.ends.push((kind, self.text.len()));
        self.text.push('\n');
    }
}

impl TakeText for Lines<'_> {
    fn line(&mut self, line: &str) {
        self.lines(line);
    }

    fn lines(&mut self, lines: &str) {
        if (self.asks)(lines) {
            self.keys.keep(Kind::Lines, lines);
        }
    }
}

/// Under which type a rule of `attachment_type_checks` finds a mail that programs read differently
/// (`attacks.md` E3).
const fn name(ambiguity: Ambiguity) -> &'static str {
    match ambiguity {
        Ambiguity::Boundaries => "message/x-several-boundaries",
        Ambiguity::ContentTypes => "message/x-several-types",
        Ambiguity::Encodings => "message/x-several-encodings",
        Ambiguity::UnknownEncoding => "message/x-unknown-encoding",
        Ambiguity::EncodedContainer => "message/x-encoded-container",
        Ambiguity::GarbledHeader => "message/x-garbled-header",
        Ambiguity::MissingBoundary => "message/x-missing-boundary",
        Ambiguity::Delimiter => "message/x-odd-delimiter",
        Ambiguity::MissingEnd => "message/x-missing-end",
        Ambiguity::PartAfterEnd => "message/x-part-after-end",
        Ambiguity::TooDeep => "message/x-too-deep",
        Ambiguity::TooManyParts => "message/x-too-many-parts",
        Ambiguity::TooManyReadings | _ => "message/x-too-many-readings",
    }
}

/// Only mails that can be read in several ways have several open. What is large of what they hold
/// they have from one budget; the rest is some 20 KiB for each.
const MOST_OPEN: usize = 8;

/// How much content is read at a time.
const BLOCK: usize = 4 * 1024;

/// What one block of an honest mail gives is far less: 4 KiB of it that are packed a thousand times
/// over hold no more than 4 MiB of text or names.
const MOST_BYTES: usize = 8 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_cut_behind_its_last_whole_line() {
        for (block, whole) in [("a\r\nb\n", 5), ("a\r\nb", 3), ("a\r", 2), ("\nb", 1), ("", 0)] {
            assert_eq!(whole_lines(block.as_bytes()), whole, "{block:?}");
        }
    }
}
