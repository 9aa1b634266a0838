//! Addresses in header fields, rewritten where they stand.
//!
//! Postfix takes a header apart and writes it anew. Here only the bytes of a local part or a
//! domain that changes are replaced: names, comments and folding stay (promise 5). Whether headers
//! are rewritten for this client at all (`local_header_rewrite_clients`) is decided by the caller.

use std::ops::Range;

use mailweir_mail::Address;

use super::{
    AddrSpec, AddressList, Addressing, Decisions, GenericRules, RewriteError, RewritingRules,
    Words, rules::Class, steps::Steps,
};
use crate::RemoteMaps;

/// A field of the primary header as the canonical maps and masquerading have it; `None` if it
/// stays as it is. `raw` is the whole field, folding and line ends included.
///
/// # Errors
/// A table cannot tell or leads astray: the mail waits.
pub async fn rewrite_header(
    rules: &RewritingRules,
    raw: &[u8],
    remote: &dyn RemoteMaps,
    decisions: &mut Decisions,
) -> Result<Option<Vec<u8>>, RewriteError> {
    let Some(class) = class_of(raw) else { return Ok(None) };
    if !rules.change(class) {
        return Ok(None);
    }
    let mut steps = Steps::new(rules, remote);
    std::mem::swap(&mut steps.decisions, decisions);
    let mut chain = Chain::Incoming { steps, class };
    let result = rewrite_addresses(raw, &mut chain).await;
    if let Chain::Incoming { mut steps, .. } = chain {
        std::mem::swap(&mut steps.decisions, decisions);
    }
    result
}

/// What an address of a header goes through.
pub(crate) enum Chain<'r> {
    Incoming { steps: Steps<'r>, class: Class },
    Generic { rules: &'r GenericRules, remote: &'r dyn RemoteMaps, decisions: &'r mut Decisions },
}

impl Chain<'_> {
    async fn apply(&mut self, address: Address) -> Result<Option<Address>, RewriteError> {
        match self {
            Self::Incoming { steps, class } => steps.canonical(*class, address).await,
            Self::Generic { rules, remote, decisions } => {
                rules.address(&address, *remote, decisions).await
            }
        }
    }

    fn addressing(&self) -> &Addressing {
        match self {
            Self::Incoming { steps, .. } => &steps.rules.addressing,
            Self::Generic { rules, .. } => &rules.addressing,
        }
    }

    fn token_limit(&self) -> usize {
        match self {
            Self::Incoming { steps, .. } => steps.rules.header_address_token_limit,
            Self::Generic { rules, .. } => rules.header_address_token_limit,
        }
    }
}

pub(crate) async fn rewrite_addresses(
    raw: &[u8],
    chain: &mut Chain<'_>,
) -> Result<Option<Vec<u8>>, RewriteError> {
    let Some((_, body)) = name_and_body(raw) else { return Ok(None) };
    let start = raw.len() - body.len();
    let mut edited = Edited { raw, to: 0, text: None };
    for spec in AddressList::new(body, Words::AreNames, chain.token_limit()) {
        let Some(found) = FoundAddress::read(body, &spec, chain.addressing()) else { continue };
        // A header needs an address where one stands: one of nobody changes nothing.
        if let Some(after) = chain.apply(found.address.clone()).await? {
            found.put(&after, &spec, start, &mut edited);
        }
    }
    Ok(edited.finish())
}

/// An address of a header as it is meant.
struct FoundAddress {
    address: Address,
    local: String,
    domain: Option<String>,
}

impl FoundAddress {
    /// `None` if it is no address that a table could have: it is left alone.
    fn read(body: &[u8], spec: &AddrSpec, addressing: &Addressing) -> Option<Self> {
        let (local, domain) = spec.read(body)?;
        let address = addressing.join(&local, domain.as_deref()).ok()?;
        Some(Self { address, local, domain })
    }

    /// Replaces what `after` has otherwise.
    fn put(&self, after: &Address, spec: &AddrSpec, start: usize, edited: &mut Edited<'_>) {
        let shifted = |range: &Range<usize>| start + range.start..start + range.end;
        if *after.unquoted_local_part() != *self.local {
            edited.replace(shifted(&spec.local), after.local_part());
        }
        let new = after.domain().as_str();
        match (&spec.domain, &self.domain) {
            (Some(range), Some(old)) if old != new => edited.replace(shifted(range), new),
            // Completed for the lookup; it stays bare if the maps have nothing for it.
            (None, _) if after.as_str() != self.address.as_str() => {
                let end = start + spec.local.end;
                edited.replace(end..end, &format!("@{new}"));
            }
            _ => {}
        }
    }
}

/// A field of which parts are replaced from front to back; copied only once something is.
struct Edited<'a> {
    raw: &'a [u8],
    /// How much of it is in `text`.
    to: usize,
    text: Option<Vec<u8>>,
}

impl Edited<'_> {
    fn replace(&mut self, range: Range<usize>, by: &str) {
        let text = self.text.get_or_insert_with(|| Vec::with_capacity(self.raw.len() + by.len()));
        text.extend_from_slice(self.raw.get(self.to..range.start).unwrap_or_default());
        text.extend_from_slice(by.as_bytes());
        self.to = range.end;
    }

    fn finish(self) -> Option<Vec<u8>> {
        let mut text = self.text?;
        text.extend_from_slice(self.raw.get(self.to..).unwrap_or_default());
        Some(text)
    }
}

/// Whether the field holds addresses of senders or recipients.
pub(crate) fn is_address_header(raw: &[u8]) -> bool {
    class_of(raw).is_some()
}

fn class_of(raw: &[u8]) -> Option<Class> {
    let (name, _) = name_and_body(raw)?;
    let is_one_of =
        |fields: &[&str]| fields.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
    if is_one_of(&SENDER_FIELDS) {
        return Some(Class::HeaderSender);
    }
    is_one_of(&RECIPIENT_FIELDS).then_some(Class::HeaderRecipient)
}

fn name_and_body(raw: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', raw)?;
    let (name, body) = raw.split_at(colon);
    Some((name.trim_ascii_end(), &body[1..]))
}

/// The fields that Postfix rewrites as senders (`header_opts.c`).
const SENDER_FIELDS: [&str; 10] = [
    "From",
    "Sender",
    "Reply-To",
    "Resent-From",
    "Resent-Sender",
    "Return-Path",
    "Return-Receipt-To",
    "Errors-To",
    "Mail-Followup-To",
    "Disposition-Notification-To",
];

/// The fields that Postfix rewrites as recipients, `Resent-Reply-To` among them.
const RECIPIENT_FIELDS: [&str; 8] =
    ["To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc", "Resent-Reply-To", "Apparently-To"];

#[cfg(test)]
mod tests;
