//! What rules about a mail's way do to its envelope: REDIRECT, FILTER, BCC.

use mailweir_filters::checks::Detour;
use mailweir_mail::{Address, Envelope, Notify, OriginalRecipient, Recipient};

/// Sends a mail where rules say. BCC come first, so that REDIRECT replaces them as well, as in
/// Postfix.
pub(super) fn apply(envelope: &mut Envelope, detour: Option<Detour>, bcc: Vec<Address>) {
    for address in bcc {
        let known = envelope.recipients.iter().any(|recipient| recipient.address == address);
        if !known {
            let recipient = Recipient { notify: Notify::Never, ..Recipient::new(address) };
            envelope.recipients.push(recipient);
        }
    }
    match detour {
        None => {}
        Some(Detour::Filter(transport)) => envelope.filter = Some(transport),
        Some(Detour::Redirect(address)) => redirect(envelope, &address),
    }
}

/// One recipient is left; it keeps what the sender asked for about the first.
fn redirect(envelope: &mut Envelope, address: &Address) {
    envelope.recipients.truncate(1);
    envelope.recipients.iter_mut().for_each(|recipient| send_elsewhere(recipient, address));
}

/// Somebody else gets the copy; what RCPT said stays known.
pub(super) fn send_elsewhere(recipient: &mut Recipient, address: &Address) {
    let before = std::mem::replace(&mut recipient.address, address.clone());
    let written = recipient.original.get_or_insert(before);
    if recipient.orcpt.is_none() {
        recipient.orcpt = OriginalRecipient::new(&format!("rfc822;{written}"));
    }
}

#[cfg(test)]
mod tests {
    use mailweir_mail::{ReversePath, Transport};

    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    fn envelope() -> Envelope {
        let sender = ReversePath::Mailbox(address("a@a.example"));
        Envelope::from_sender(sender).to(address("b@b.example")).to(address("c@c.example"))
    }

    fn recipients(envelope: &Envelope) -> Vec<&str> {
        envelope.recipients.iter().map(|recipient| recipient.address.as_str()).collect()
    }

    #[test]
    fn bcc_adds_a_recipient_that_nobody_hears_of_and_nobody_twice() {
        let mut envelope = envelope();
        apply(&mut envelope, None, vec![address("d@d.example"), address("b@B.example")]);
        assert_eq!(recipients(&envelope), ["b@b.example", "c@c.example", "d@d.example"]);
        assert_eq!(envelope.recipients[2].notify, Notify::Never);
    }

    #[test]
    fn redirect_leaves_one_recipient_and_remembers_whom_the_sender_wrote_to() {
        let mut envelope = envelope();
        let redirect = Detour::Redirect(address("r@r.example"));
        apply(&mut envelope, Some(redirect), vec![address("d@d.example")]);
        assert_eq!(recipients(&envelope), ["r@r.example"]);
        assert_eq!(envelope.recipients[0].original, Some(address("b@b.example")));
    }

    #[test]
    fn what_the_sender_asked_for_about_a_recipient_stays_asked() {
        let mut recipient = Recipient::new(address("b@b.example"));
        send_elsewhere(&mut recipient, &address("c@c.example"));
        send_elsewhere(&mut recipient, &address("d@d.example"));
        assert_eq!(
            (recipient.address, recipient.original),
            (address("d@d.example"), Some(address("b@b.example")))
        );
        assert_eq!(recipient.orcpt, OriginalRecipient::new("rfc822;b@b.example"));
    }

    #[test]
    fn filter_is_kept_with_the_envelope() {
        let mut envelope = envelope();
        let scan = Transport::parse("scan:[127.0.0.1]:10025").unwrap();
        apply(&mut envelope, Some(Detour::Filter(scan.clone())), Vec::new());
        assert_eq!(envelope.filter, Some(scan));
        assert_eq!(envelope.recipients.len(), 2);
    }
}
