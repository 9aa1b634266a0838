//! One reading of a part that has bytes: its transfer encoding is undone, and what is hidden in its
//! text (uuencoded files) or what it is (an encoded mail) is opened.

use super::super::transfer::{Base64, QuotedPrintable};
use super::machine::Machine;
use super::uu::UuFinder;
use super::{Context, Part, PartId};

/// A Content-Transfer-Encoding (RFC 2045 section 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Base64,
    QuotedPrintable,
    /// The encoded lines stand between `begin` and `end`, wherever these are.
    Uu,
}

impl Encoding {
    /// The encoding that a field names. `None` if nobody knows it.
    pub(super) fn named(value: &[u8]) -> Option<Self> {
        let value = value.split(|&byte| byte == b';' || byte == b'(').next().unwrap_or_default();
        let name = value.trim_ascii().to_ascii_lowercase();
        match name.as_slice() {
            b"" | b"7bit" | b"8bit" | b"7-bit" | b"8-bit" | b"binary" | b"none" => {
                Some(Self::Identity)
            }
            b"base64" | b"b" => Some(Self::Base64),
            b"quoted-printable" | b"quopri" | b"q" => Some(Self::QuotedPrintable),
            b"x-uuencode" | b"uuencode" | b"x-uue" | b"uue" => Some(Self::Uu),
            _ => None,
        }
    }

    /// Whether the bytes have to be decoded.
    pub(super) fn is_encoded(self) -> bool {
        matches!(self, Self::Base64 | Self::QuotedPrintable)
    }
}

/// An open part.
pub(super) struct Leaf {
    id: PartId,
    decoder: Decoder,
    decoded: Vec<u8>,
    uu: Option<UuFinder>,
    /// The mail that this part is.
    mail: Option<Box<Machine>>,
    /// It took one of the places for further readings.
    is_extra: bool,
}

enum Decoder {
    Identity,
    Base64(Base64),
    QuotedPrintable(QuotedPrintable),
}

impl Leaf {
    /// Begins the part.
    pub(super) fn start(part: Part, encoding: Encoding, context: &mut Context<'_>) -> Self {
        let is_text = part.content_type.starts_with("text/") || part.is_container;
        let uu = (is_text || encoding == Encoding::Uu).then(|| UuFinder::new(part.depth));
        Self {
            id: context.start(part),
            decoder: match encoding {
                Encoding::Identity | Encoding::Uu => Decoder::Identity,
                Encoding::Base64 => Decoder::Base64(Base64::default()),
                Encoding::QuotedPrintable => Decoder::QuotedPrintable(QuotedPrintable::default()),
            },
            decoded: Vec::new(),
            uu,
            mail: None,
            is_extra: false,
        }
    }

    /// Begins a part whose decoded bytes are a mail.
    pub(super) fn start_mail(part: Part, encoding: Encoding, context: &mut Context<'_>) -> Self {
        context.shared.layers += 1;
        let machine = Machine::new(part.depth + 1);
        let leaf = Self::start(part, encoding, context);
        Self { uu: None, mail: Some(Box::new(machine)), ..leaf }
    }

    /// Begins a further reading of a part, while there is room for one.
    pub(super) fn start_extra(
        part: Part,
        encoding: Encoding,
        context: &mut Context<'_>,
    ) -> Option<Self> {
        let has_room = context.take_reading();
        has_room.then(|| Self { is_extra: true, ..Self::start(part, encoding, context) })
    }

    /// The same for a part whose decoded bytes are a mail.
    pub(super) fn start_extra_mail(
        part: Part,
        encoding: Encoding,
        context: &mut Context<'_>,
    ) -> Option<Self> {
        let has_room = context.take_reading();
        has_room.then(|| Self { is_extra: true, ..Self::start_mail(part, encoding, context) })
    }

    /// The same part as one of the further readings; it ends if there is no room for one.
    pub(super) fn into_extra(self, context: &mut Context<'_>) -> Option<Self> {
        if self.is_extra {
            return Some(self);
        }
        if context.take_reading() {
            return Some(Self { is_extra: true, ..self });
        }
        self.end(context);
        None
    }

    /// Takes raw bytes.
    pub(super) fn take(&mut self, bytes: &[u8], context: &mut Context<'_>) {
        let mut decoded = std::mem::take(&mut self.decoded);
        match &mut self.decoder {
            Decoder::Identity => self.give(bytes, context),
            Decoder::Base64(decoder) => decoder.feed(bytes, &mut decoded),
            Decoder::QuotedPrintable(decoder) => decoder.feed(bytes, &mut decoded),
        }
        self.give(&decoded, context);
        decoded.clear();
        self.decoded = decoded;
    }

    /// Ends the part.
    pub(super) fn end(mut self, context: &mut Context<'_>) {
        if let Decoder::QuotedPrintable(decoder) = &mut self.decoder {
            let mut decoded = Vec::new();
            decoder.finish(&mut decoded);
            self.give(&decoded, context);
        }
        if let Some(uu) = self.uu.take() {
            uu.finish(context);
        }
        if let Some(mut mail) = self.mail.take() {
            mail.finish(context);
            context.shared.layers -= 1;
        }
        if self.is_extra {
            context.shared.readings -= 1;
        }
        context.end(self.id);
    }

    fn give(&mut self, bytes: &[u8], context: &mut Context<'_>) {
        if bytes.is_empty() {
            return;
        }
        match &mut self.mail {
            Some(mail) => mail.feed(bytes, context),
            None => context.data(self.id, bytes),
        }
        if let Some(uu) = &mut self.uu {
            uu.feed(bytes, context);
        }
    }
}
