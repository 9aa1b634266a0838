//! One mail as a connection takes it: the envelope, who of it goes here, and what the content is.
//!
//! The content itself stays with the driver, which streams it when [`super::Step::Content`] says
//! so. A probe is a mail without any: its transaction ends with the answer to RCPT.

use std::sync::Arc;

use mailweir_mail::{Envelope, Forwarded, Recipient};

/// A mail to send over a connection, to some or all of its recipients; or a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    envelope: Arc<Envelope>,
    recipients: Box<[usize]>,
    size: u64,
    text: ContentText,
    is_probe: bool,
    forwarded: Option<Arc<Forwarded>>,
}

impl Outgoing {
    /// A mail for the recipients at these places of the envelope; places that do not exist are
    /// left out. `size` is the number of bytes of content, for SIZE (RFC 1870).
    #[must_use]
    pub fn new(
        envelope: Arc<Envelope>,
        recipients: impl IntoIterator<Item = usize>,
        size: u64,
        text: ContentText,
    ) -> Self {
        let exists = |&index: &usize| index < envelope.recipients.len();
        let recipients = recipients.into_iter().filter(exists).collect();
        Self { envelope, recipients, size, text, is_probe: false, forwarded: None }
    }

    /// Tells the peer where the mail came from, as far as it offers XFORWARD (Postfix
    /// `smtp_send_xforward_command`).
    #[must_use]
    pub fn forwarded(self, from: Arc<Forwarded>) -> Self {
        Self { forwarded: Some(from), ..self }
    }

    /// A mail for all recipients of its envelope.
    #[must_use]
    pub fn to_all(envelope: Arc<Envelope>, size: u64, text: ContentText) -> Self {
        let all = 0..envelope.recipients.len();
        Self::new(envelope, all, size, text)
    }

    /// Asks whether the peer would take mail for the recipient at this place of the envelope, and
    /// sends none (Postfix's address verification). What it says to RCPT, or to MAIL if it refuses
    /// that, becomes an [`super::Attempt::Accepted`], `Deferred` or `Failed`.
    ///
    /// Best asked over a connection that carried nothing: without DATA nothing shows that a late
    /// reply to an earlier mail took the place of the answer (`attacks.md` K1).
    #[must_use]
    pub fn probe(envelope: Arc<Envelope>, recipient: usize) -> Self {
        let asked = Self::new(envelope, [recipient], 0, ContentText::SevenBit);
        Self { is_probe: true, ..asked }
    }

    /// Whether there is no content, and none is to be offered.
    #[must_use]
    pub(super) const fn is_probe(&self) -> bool {
        self.is_probe
    }

    /// Sender and all recipients, also those that do not go here.
    #[must_use]
    pub(super) fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The places in the envelope of those who get the mail here, in the order of RCPT.
    #[must_use]
    pub const fn indices(&self) -> &[usize] {
        &self.recipients
    }

    /// Those who get the mail here, in the order of RCPT.
    pub(super) fn recipients(&self) -> impl ExactSizeIterator<Item = &Recipient> {
        self.recipients.iter().map(|&index| &self.envelope.recipients[index])
    }

    /// The recipient in the given place among [`Outgoing::recipients`].
    pub(super) fn recipient(&self, place: usize) -> Option<&Recipient> {
        self.recipients.get(place).and_then(|&index| self.envelope.recipients.get(index))
    }

    /// Bytes of content.
    #[must_use]
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Where the mail came from, if the peer is to be told.
    pub(super) fn came_from(&self) -> Option<&Forwarded> {
        self.forwarded.as_deref()
    }

    /// What the content holds.
    #[must_use]
    pub(super) const fn text(&self) -> ContentText {
        self.text
    }
}

/// What the content holds, and so what a peer must offer to get it. Later includes earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContentText {
    /// ASCII only.
    SevenBit,
    /// Bytes above 127 in the body: needs 8BITMIME (RFC 6152).
    EightBit,
    /// UTF-8 in the header: needs SMTPUTF8 (RFC 6531).
    Utf8Header,
}
