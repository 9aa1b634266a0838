//! The envelope of a mail as the rules have it (`cleanup_addr.c`, `cleanup_out_recipient.c`).

use std::collections::HashSet;

use mailweir_mail::{Address, Envelope, Notify, OriginalRecipient, Recipient, ReversePath};
use mailweir_tables::PatternSteps;

use super::{
    Decision, Decisions, Maps, Parameter, RewriteError, RewritingRules, rules::Class, steps::Steps,
    values, virtual_aliases::folded,
};
use crate::{ForOneMail, RemoteMaps};

/// A mail's envelope after rewriting.
#[derive(Clone, Debug)]
pub struct Rewritten {
    /// Where the mail goes and where reports go. Recipients that changed have their `original`.
    pub envelope: Envelope,
    /// The automatic copies (`sender_bcc_maps`, `recipient_bcc_maps`, `always_bcc`), before their
    /// aliases were written out. Nobody is told of them: their recipients have NOTIFY=NEVER.
    pub bccs: Vec<Address>,
    /// The recipients that asked for a report of success and became others: a report `expanded`
    /// is due for each, and no more reports of success follow (RFC 3461 section 5.2.7.3 (b)).
    pub expanded: Vec<Recipient>,
    /// What was done, step by step.
    pub decisions: Decisions,
}

/// Rewrites an envelope: the sender by canonical maps and masquerading; each recipient by
/// canonical maps, masquerading and virtual aliases; with the automatic copies. `copies` are those
/// that other rules ask for (BCC, header_checks(5)): they go through the same maps and have no
/// automatic copies of their own.
///
/// A recipient that others come to as well is kept once. Where an address changes, ORCPT is set
/// to what RCPT said, if the sender gave none (RFC 3461 section 5.2.1 (d)).
///
/// # Errors
/// A table cannot tell or leads astray: the mail waits, and nothing of it is kept.
pub async fn rewrite(
    rules: &RewritingRules,
    envelope: Envelope,
    copies: &[Address],
    remote: &dyn RemoteMaps,
) -> Result<Rewritten, RewriteError> {
    let Envelope { sender, recipients, .. } = &envelope;
    let remote = ForOneMail { remote, steps: &PatternSteps::all() };
    let mut output = Output::new(rules, &remote);
    let sender = output.sender(sender).await?;
    for recipient in recipients {
        output.recipient(recipient).await?;
    }
    for address in copies {
        output.copy(address.clone()).await?;
    }
    if let Some(address) = rules.always_bcc.as_ref().filter(|_| !recipients.is_empty()) {
        output.steps.decisions.add(Decision {
            by: Parameter::AlwaysBcc,
            place: None,
            before: "".into(),
            after: address.as_str().into(),
        });
        output.copy(address.clone()).await?;
    }
    Ok(output.finish(envelope, sender))
}

/// The recipients so far.
struct Output<'r> {
    steps: Steps<'r>,
    recipients: Vec<Recipient>,
    bccs: Vec<Address>,
    expanded: Vec<Recipient>,
    seen: HashSet<String>,
}

impl<'r> Output<'r> {
    fn new(rules: &'r RewritingRules, remote: &'r dyn RemoteMaps) -> Self {
        Self {
            steps: Steps::new(rules, remote),
            recipients: Vec::new(),
            bccs: Vec::new(),
            expanded: Vec::new(),
            seen: HashSet::new(),
        }
    }

    async fn sender(&mut self, sender: &ReversePath) -> Result<ReversePath, RewriteError> {
        // Reports stay reports: no table is asked for the empty address.
        let ReversePath::Mailbox(address) = sender else { return Ok(ReversePath::Null) };
        if self.is_mailer_daemon(address) {
            return Ok(ReversePath::Null);
        }
        let address = self.steps.canonical(Class::EnvelopeSender, address.clone()).await?;
        let Some(address) = address else { return Ok(ReversePath::Null) };
        let maps = &self.steps.rules.sender_bcc;
        self.copies(Parameter::SenderBcc, maps, &address).await?;
        Ok(ReversePath::Mailbox(address))
    }

    /// The mail system's own name is nobody's, so that reports about reports do not go round.
    fn is_mailer_daemon(&self, address: &Address) -> bool {
        let is_ours = self.steps.rules.addressing.origin.as_ref() == Some(address.domain());
        is_ours && address.unquoted_local_part().eq_ignore_ascii_case("mailer-daemon")
    }

    async fn recipient(&mut self, recipient: &Recipient) -> Result<(), RewriteError> {
        let written = recipient.address.clone();
        // A mail that is rewritten once more keeps what RCPT said.
        let original = recipient.original.clone().unwrap_or_else(|| written.clone());
        let address = self.canonical(written).await?;
        let bcc_maps = &self.steps.rules.recipient_bcc;
        self.deliver(Recipient { address: address.clone(), ..recipient.clone() }, original).await?;
        self.copies(Parameter::RecipientBcc, bcc_maps, &address).await
    }

    async fn canonical(&mut self, recipient: Address) -> Result<Address, RewriteError> {
        let address = self.steps.canonical(Class::EnvelopeRecipient, recipient.clone()).await?;
        // A recipient never becomes nobody: that is an error of the table.
        Ok(address.unwrap_or(recipient))
    }

    /// The copies that a map has for an address.
    async fn copies(
        &mut self,
        by: Parameter,
        maps: &Maps,
        address: &Address,
    ) -> Result<(), RewriteError> {
        let addressing = &self.steps.rules.addressing;
        let Some(hit) = maps.find(address, addressing, self.steps.remote).await? else {
            return Ok(());
        };
        let of = values::Of { address, extension: None, propagate: false, addressing };
        let copies = of.addresses(&hit.found)?;
        if copies.is_empty() {
            return Err(values::nobody(&hit.found.place).into());
        }
        for copy in copies {
            let place = hit.found.place.clone();
            self.steps.decisions.add(Decision::by(by, place, address, Some(&copy)));
            self.copy(copy).await?;
        }
        Ok(())
    }

    /// A recipient of which the sender must not hear.
    async fn copy(&mut self, address: Address) -> Result<(), RewriteError> {
        let address = self.canonical(address).await?;
        self.bccs.push(address.clone());
        let recipient = Recipient { notify: Notify::Never, ..Recipient::new(address.clone()) };
        self.deliver(recipient, address).await
    }

    async fn deliver(
        &mut self,
        mut recipient: Recipient,
        original: Address,
    ) -> Result<(), RewriteError> {
        let addresses = self.steps.expand(&recipient.address).await?;
        let became_others = addresses.iter().any(|address| *address != recipient.address);
        if recipient.notify.wants_success() && (became_others || addresses.len() > 1) {
            self.expanded.push(recipient.clone());
            recipient.notify = without_success(recipient.notify);
        }
        for address in addresses {
            self.add(Recipient { address, ..recipient.clone() }, original.clone())?;
        }
        Ok(())
    }

    fn add(&mut self, mut recipient: Recipient, original: Address) -> Result<(), RewriteError> {
        if !self.seen.insert(self.identity(&recipient, &original)) {
            return Ok(());
        }
        if self.recipients.len() >= MAX_RECIPIENTS {
            return Err(RewriteError::TooManyRecipients { limit: MAX_RECIPIENTS });
        }
        if recipient.address != original {
            recipient.orcpt = recipient.orcpt.or_else(|| written_as(&original));
            recipient.original = Some(original);
        }
        self.recipients.push(recipient);
        Ok(())
    }

    /// Two recipients with the same text are one.
    fn identity(&self, recipient: &Recipient, original: &Address) -> String {
        let address = folded(&recipient.address);
        if !self.steps.rules.enable_original_recipient {
            return address;
        }
        let orcpt = recipient.orcpt.as_ref().map_or("", OriginalRecipient::as_str).to_lowercase();
        format!("{orcpt}\n{:?}\n{}\n{address}", recipient.notify, folded(original))
    }

    fn finish(self, envelope: Envelope, sender: ReversePath) -> Rewritten {
        let from_maps = self.recipients.iter().map(|recipient| &recipient.address);
        let sender_address = match &sender {
            ReversePath::Mailbox(address) => Some(address),
            ReversePath::Null => None,
        };
        // A table may have an address that only SMTPUTF8 can carry (RFC 6531 section 3.4).
        let needs_utf8 = from_maps.chain(sender_address).any(Address::needs_smtputf8);
        let smtputf8 = envelope.smtputf8 || needs_utf8;
        Rewritten {
            envelope: Envelope { sender, recipients: self.recipients, smtputf8, ..envelope },
            bccs: self.bccs,
            expanded: self.expanded,
            decisions: self.steps.decisions,
        }
    }
}

fn without_success(notify: Notify) -> Notify {
    match notify {
        Notify::On { failure: false, delay: false, .. } | Notify::Never => Notify::Never,
        Notify::On { failure, delay, .. } => Notify::On { success: false, failure, delay },
    }
}

/// The ORCPT of a recipient whose sender gave none (RFC 3461 section 4.2, RFC 6533 section 3).
fn written_as(address: &Address) -> Option<OriginalRecipient> {
    let kind = if address.needs_smtputf8() { "utf-8" } else { "rfc822" };
    OriginalRecipient::new(&format!("{kind};{address}"))
}

/// Bounds what a mail to many large aliases can take of memory. Postfix has no such limit.
const MAX_RECIPIENTS: usize = 100_000;

#[cfg(test)]
mod tests;
