//! A mail that the rules are asked about, and what people are shown of it.

use std::collections::HashSet;

use mailweir_mail::{Address, Client, Domain, Envelope, Timestamp};
use mailweir_moderation::{
    Sketch,
    notice::{Recipient, Summary},
    rule::{LogIn, Reason},
};

use crate::{
    ingress::{addressees::Addressees, senders::Submitter},
    moderation::Acquainted,
};

/// What is kept of the content of a mail that people hear of.
#[derive(Default)]
pub(in crate::ingress) struct Shown {
    /// SHA-256 of it as it is stored.
    pub(in crate::ingress) hash: [u8; 32],
    /// What people are shown.
    pub(in crate::ingress) sketch: Sketch,
}

/// A mail that the rules are asked about.
pub(in crate::ingress) struct Arrival<'a> {
    pub(in crate::ingress) listener: &'a str,
    /// The domains of recipients and senders that are ours.
    pub(in crate::ingress) ours: HashSet<Domain>,
    pub(in crate::ingress) submitter: Option<&'a Submitter>,
    /// Whether a policy gives `submitter` the first of the addresses that the mail claims to be from.
    pub(in crate::ingress) owns_sender: bool,
    /// Whether `submitter` says all that there is to say of it.
    pub(in crate::ingress) log_in: LogIn,
    pub(in crate::ingress) client: &'a Client,
    /// Whether the mail comes from one of `networks`, by the word of whom we believe.
    pub(in crate::ingress) is_from_ours: bool,
    /// Aliases written out.
    pub(in crate::ingress) envelope: &'a Envelope,
    /// Whom the header says it is from.
    pub(in crate::ingress) from: Vec<Address>,
    /// Whom it names as recipients.
    pub(in crate::ingress) addressees: Addressees,
    /// The groups that its sender is in.
    pub(in crate::ingress) groups: Vec<Box<str>>,
    /// Which recipients are nobody new.
    pub(in crate::ingress) acquainted: Acquainted,
    pub(in crate::ingress) size: u64,
    pub(in crate::ingress) arrival: Timestamp,
}

impl Arrival<'_> {
    /// Who sent it, as they say: the envelope, then the header.
    pub(super) fn claimed(&self) -> impl Iterator<Item = &Address> {
        self.envelope.sender.address().into_iter().chain(&self.from)
    }

    /// Whether the first of those whom it claims to be from may be written to, if nothing else says who it
    /// was. Whoever writes under somebody's name, which they can under ours from outside, under any from
    /// a relay of ours, and under any after a log-in that is bound to no sender, makes us write to nobody.
    pub(super) fn is_claim_certain(&self) -> bool {
        let is_ours = |sender: &Address| self.ours.contains(sender.domain());
        match self.submitter {
            Some(_) => self.owns_sender || self.claimed().next().is_some_and(is_ours),
            None => self.is_from_ours && self.envelope.sender.address().is_some_and(is_ours),
        }
    }

    /// Those who are in question, as people are shown them.
    pub(super) fn recipients(&self, only: Option<&[u32]>) -> Vec<Recipient> {
        let named = self.addressees.names();
        let all = (0..).zip(&self.envelope.recipients);
        let meant =
            all.filter(|(index, _)| only.is_none_or(|only| only.binary_search(index).is_ok()));
        let count = only.map_or(self.envelope.recipients.len(), <[u32]>::len);
        let mut shown = Vec::with_capacity(count);
        shown.extend(meant.map(|(_, one)| Recipient {
            address: one.address.clone(),
            is_outside: !self.ours.contains(one.address.domain()),
            is_hidden: named.hide(one),
        }));
        shown
    }

    pub(super) fn summary(&self, recipients: Vec<Recipient>, reasons: Vec<Reason>) -> Summary {
        let sent_to = self.envelope.recipients.len().saturating_sub(recipients.len());
        let from: Vec<&str> = self.from.iter().map(Address::as_str).collect();
        Summary {
            sender: self.envelope.sender.clone(),
            from: from.join(", ").into(),
            login: self.submitter.map(|submitter| submitter.name().into()),
            client: Some(self.client.clone()),
            recipients,
            sent_to: u32::try_from(sent_to).unwrap_or(u32::MAX),
            subject: "".into(),
            size: self.size,
            arrival: self.arrival,
            attachments: Vec::new(),
            more_attachments: 0,
            reasons,
            text: "".into(),
        }
    }
}
