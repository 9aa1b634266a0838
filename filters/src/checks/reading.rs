//! The mail as a person reads it, for the checks on text and attachments: which keys it gives.
//!
//! Parts are decoded as the content goes past. What they give is kept as keys until the checks ask
//! for them, which they do often; a mail that gives too many at once is told to give no more, and
//! that is a key too, so that a rule can refuse it.

use std::collections::BTreeMap;

use mailweir_content::{
    attachment::{Finding, Inspector, Limit, Limits},
    decode::{
        headers::HeaderDecoder,
        parts::{Ambiguity, Event, Part, PartId, PartLimits, PartReader},
        text::{TextLimits, Texts},
    },
};

use super::{ChecksRules, Context};

/// Reads one mail.
pub(super) struct Reading {
    parts: PartReader,
    seen: Seen,
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
    limits: Limits,
    open: BTreeMap<PartId, Open>,
}

/// A part under inspection.
struct Open {
    inspector: Box<Inspector>,
    /// Whether a mail program shows it as text: that it is text is no news then.
    is_shown: bool,
}

/// Something to look up.
pub(super) struct Key {
    pub(super) context: Context,
    pub(super) text: String,
}

/// Keys that nobody has asked for yet.
#[derive(Default)]
struct Keys {
    waiting: Vec<Key>,
    /// Bytes of all of them.
    size: usize,
    is_full: bool,
}

impl Reading {
    /// A reading of a mail for these rules; `None` if no rule asks for one.
    pub(super) fn new(rules: &ChecksRules) -> Option<Self> {
        let asks = |context| !rules.tables(context).is_empty();
        let of_attachments = asks(Context::AttachmentName) || asks(Context::AttachmentType);
        if !of_attachments && !asks(Context::TextBody) {
            return None;
        }
        let decoder = HeaderDecoder::new(rules.fallbacks.clone());
        let limits = PartLimits { depth: rules.limits.nesting, ..PartLimits::default() };
        let texts = asks(Context::TextBody).then(|| {
            let text =
                TextLimits { text: rules.text_body_checks_size_limit, ..TextLimits::default() };
            Texts::new(text, rules.fallbacks.clone())
        });
        let attachments = of_attachments
            .then(|| Attachments { limits: rules.attachment_limits, open: BTreeMap::new() });
        let seen = Seen { texts, attachments, keys: Keys::default() };
        Some(Self { parts: PartReader::new(limits, decoder), seen })
    }

    /// Takes content, of which no more than [`Self::SLICE`] bytes come between two
    /// [`Self::take_keys`].
    pub(super) fn feed(&mut self, content: &[u8]) {
        let Self { parts, seen } = self;
        parts.feed(content, &mut |event| seen.event(&event));
    }

    /// Takes the end of the mail.
    pub(super) fn finish(self) -> Vec<Key> {
        let Self { parts, mut seen } = self;
        parts.finish(&mut |event| seen.event(&event));
        seen.keys.waiting
    }

    /// The keys that have come up since the last time.
    pub(super) fn take_keys(&mut self) -> Vec<Key> {
        let keys = std::mem::take(&mut self.seen.keys);
        self.seen.keys.is_full = keys.is_full;
        keys.waiting
    }

    /// How much content is read at a time.
    pub(super) const SLICE: usize = 4 * 1024;
}

impl Seen {
    fn event(&mut self, event: &Event<'_>) {
        let Self { texts, attachments, keys } = self;
        if let Some(texts) = texts {
            texts.event(event, &mut |line| keys.add(Context::TextBody, line));
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
                    inspector.feed(bytes, &mut |finding| keys.found(&finding, is_shown));
                }
            }
            Event::End(part) => {
                if let Some(Open { mut inspector, is_shown }) = self.open.remove(part) {
                    inspector.finish(&mut |finding| keys.found(&finding, is_shown));
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
        let inspector = Box::new(Inspector::new(self.limits));
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

    fn add(&mut self, context: Context, text: &str) {
        if self.is_full {
            return;
        }
        self.is_full = self.size + text.len() > MOST_BYTES;
        let (context, text) = match self.is_full {
            true => (Context::AttachmentType, Limit::Members.mime_type()),
            false => (context, text),
        };
        self.size += text.len();
        self.waiting.push(Key { context, text: text.to_owned() });
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

/// An inspector holds up to 1 MiB; only mails that can be read in several ways have several open.
const MOST_OPEN: usize = 8;

/// What one slice of an honest mail gives is far less: 4 KiB of it that are packed a thousand times
/// over hold no more than 4 MiB of text or names.
const MOST_BYTES: usize = 8 << 20;
