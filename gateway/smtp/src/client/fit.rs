//! Whether a mail fits a peer: what is known before the first command.
//!
//! A mail that does not fit is not sent and not changed: the peer never gets what it did not offer
//! to take (`attacks.md` E10). Converting content to 7 bits is not done here.

use mailweir_mail::{Enhanced, Recipient, Reply};

use super::{
    capabilities::{Capabilities, SizeOffer},
    outgoing::{ContentText, Outgoing},
};

/// Why the mail cannot be sent to any recipient here; a final reply in our words.
pub(super) fn mail_misfit(mail: &Outgoing, offered: &Capabilities, peer: &str) -> Option<Reply> {
    if mail_needs_smtputf8(mail) && !offered.smtputf8 {
        return Some(no_smtputf8(peer));
    }
    if let SizeOffer::Limit(limit) = offered.size
        && mail.size() > limit
    {
        return Some(too_large(mail.size(), limit, peer));
    }
    if mail.text() > ContentText::SevenBit && !offered.eight_bit_mime {
        return Some(no_eight_bit_mime(peer));
    }
    None
}

/// Why the mail cannot be sent to this recipient here.
pub(super) fn recipient_misfit(
    recipient: &Recipient,
    offered: &Capabilities,
    peer: &str,
) -> Option<Reply> {
    (recipient.address.needs_smtputf8() && !offered.smtputf8).then(|| no_smtputf8(peer))
}

/// Whether anything of the mail can only be sent with SMTPUTF8.
pub(super) fn needs_smtputf8(mail: &Outgoing) -> bool {
    mail_needs_smtputf8(mail)
        || mail.recipients().any(|recipient| recipient.address.needs_smtputf8())
}

fn mail_needs_smtputf8(mail: &Outgoing) -> bool {
    let sender = mail.envelope().sender.address();
    mail.text() >= ContentText::Utf8Header || sender.is_some_and(|s| s.needs_smtputf8())
}

/// RFC 6531 section 3.5.
fn no_smtputf8(peer: &str) -> Reply {
    let text = format!("SMTPUTF8 is required, but was not offered by host {peer}");
    Reply::with_text(553, Enhanced(5, 6, 7), text)
}

/// RFC 1870 section 6.2.
fn too_large(size: u64, limit: u64, peer: &str) -> Reply {
    let text = format!("message size {size} exceeds size limit {limit} of server {peer}");
    Reply::with_text(552, Enhanced(5, 3, 4), text)
}

/// RFC 6152 section 3.
fn no_eight_bit_mime(peer: &str) -> Reply {
    let text = format!("conversion required: 8BITMIME was not offered by host {peer}");
    Reply::with_text(554, Enhanced(5, 6, 1), text)
}
