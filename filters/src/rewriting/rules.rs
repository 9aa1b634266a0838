//! The rules in force for mail that comes in, with Postfix's defaults.

use mailweir_mail::Address;

use super::{Addressing, Maps, Masquerade, VirtualAliases};

/// Everything that changes the addresses of a mail on its way in.
#[derive(Clone, Debug)]
pub struct RewritingRules {
    /// What an address means here.
    pub addressing: Addressing,
    /// Postfix `sender_canonical_maps`, `sender_canonical_classes`.
    pub sender_canonical: AddressMaps,
    /// Postfix `recipient_canonical_maps`, `recipient_canonical_classes`.
    pub recipient_canonical: AddressMaps,
    /// Postfix `canonical_maps`, `canonical_classes`. Asked after the two above.
    pub canonical: AddressMaps,
    /// Whether canonical maps keep an extension that they do not have (Postfix
    /// `propagate_unmatched_extensions`, `canonical`).
    pub propagate_in_canonical: bool,
    /// Postfix `masquerade_domains` and its companions.
    pub masquerade: Masquerade,
    /// Postfix `virtual_alias_maps` and its limits.
    pub virtual_aliases: VirtualAliases,
    /// Who gets a copy of a sender's mail (Postfix `sender_bcc_maps`).
    pub sender_bcc: Maps,
    /// Who gets a copy of a recipient's mail (Postfix `recipient_bcc_maps`).
    pub recipient_bcc: Maps,
    /// Who gets a copy of every mail (Postfix `always_bcc`).
    pub always_bcc: Option<Address>,
    /// Whether recipients that were written differently stay apart when they come to the same
    /// address (Postfix `enable_original_recipient`).
    pub enable_original_recipient: bool,
    /// How many words and signs of a header's address list are looked at (Postfix
    /// `header_address_token_limit`). What is beyond stays as it is.
    pub header_address_token_limit: usize,
}

impl Default for RewritingRules {
    /// No map, and Postfix's defaults for all else.
    fn default() -> Self {
        let senders =
            Classes { envelope_recipient: false, header_recipient: false, ..Classes::ALL };
        let recipients = Classes { envelope_sender: false, header_sender: false, ..Classes::ALL };
        Self {
            addressing: Addressing::default(),
            sender_canonical: AddressMaps { maps: Maps::default(), classes: senders },
            recipient_canonical: AddressMaps { maps: Maps::default(), classes: recipients },
            canonical: AddressMaps { maps: Maps::default(), classes: Classes::ALL },
            propagate_in_canonical: true,
            masquerade: Masquerade::default(),
            virtual_aliases: VirtualAliases::default(),
            sender_bcc: Maps::default(),
            recipient_bcc: Maps::default(),
            always_bcc: None,
            enable_original_recipient: true,
            header_address_token_limit: 10_240,
        }
    }
}

impl RewritingRules {
    /// Whether any rule could change an envelope; otherwise [`rewrite`](super::rewrite) gives it as
    /// it is.
    #[must_use]
    pub fn change_envelopes(&self) -> bool {
        let envelope = [Class::EnvelopeSender, Class::EnvelopeRecipient];
        self.change_any(&envelope)
            || self.always_bcc.is_some()
            || [&self.sender_bcc, &self.recipient_bcc, &self.virtual_aliases.maps]
                .iter()
                .any(|maps| !maps.is_empty())
    }

    /// Whether any rule could change an address in a header.
    #[must_use]
    pub fn change_headers(&self) -> bool {
        self.change_any(&[Class::HeaderSender, Class::HeaderRecipient])
    }

    /// The same rules without automatic copies, as they hold for mail of our own (Postfix
    /// `CLEANUP_FLAG_MASK_INTERNAL`).
    #[must_use]
    pub fn without_copies(&self) -> Self {
        let none = Maps::default;
        Self { sender_bcc: none(), recipient_bcc: none(), always_bcc: None, ..self.clone() }
    }

    fn change_any(&self, classes: &[Class]) -> bool {
        classes.iter().any(|&class| self.change(class))
    }

    /// Whether a canonical map or masquerading could change an address of this class.
    pub(crate) fn change(&self, class: Class) -> bool {
        let own =
            if class.is_sender() { &self.sender_canonical } else { &self.recipient_canonical };
        [own, &self.canonical].iter().any(|maps| maps.classes.has(class) && !maps.maps.is_empty())
            || (self.masquerade.classes.has(class) && !self.masquerade.is_empty())
    }
}

/// Maps, and what they are asked for.
#[derive(Clone, Debug)]
pub struct AddressMaps {
    /// The tables.
    pub maps: Maps,
    /// Which addresses they change.
    pub classes: Classes,
}

/// Which addresses of a mail a rule changes (Postfix `canonical_classes`, `masquerade_classes`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classes {
    /// The address of MAIL.
    pub envelope_sender: bool,
    /// The addresses of RCPT.
    pub envelope_recipient: bool,
    /// From, Sender, Reply-To and the like.
    pub header_sender: bool,
    /// To, Cc and the like.
    pub header_recipient: bool,
}

impl Classes {
    /// All addresses.
    pub const ALL: Self = Self {
        envelope_sender: true,
        envelope_recipient: true,
        header_sender: true,
        header_recipient: true,
    };

    pub(crate) const fn has(self, class: Class) -> bool {
        match class {
            Class::EnvelopeSender => self.envelope_sender,
            Class::EnvelopeRecipient => self.envelope_recipient,
            Class::HeaderSender => self.header_sender,
            Class::HeaderRecipient => self.header_recipient,
        }
    }
}

/// Where an address stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    EnvelopeSender,
    EnvelopeRecipient,
    HeaderSender,
    HeaderRecipient,
}

impl Class {
    pub(crate) const fn is_sender(self) -> bool {
        matches!(self, Self::EnvelopeSender | Self::HeaderSender)
    }
}
