//! What a program is told of a mail, and how its addresses are spelled.

use std::borrow::Cow;

use mailweir_mail::{Address, Envelope, Origin, QueueId};

/// A mail, as far as macros speak of it.
#[derive(Clone, Copy, Debug)]
pub struct Mail<'a> {
    /// Its name in the queue.
    pub id: QueueId,
    /// Its envelope. Whom of its recipients the program gets is said beside it.
    pub envelope: &'a Envelope,
    /// Where it came from.
    pub origin: &'a Origin,
    /// Its bytes, as they are stored.
    pub size: u64,
    /// What the rule names behind the colon that chose the program, or else the domain of the recipients.
    pub next_hop: &'a str,
}

/// One of the recipients that the program gets.
#[derive(Clone, Copy, Debug)]
pub struct To<'a> {
    /// Its address.
    pub address: &'a Address,
    /// As it was written to; absent: just so.
    pub original: Option<&'a Address>,
    /// What stands before the extension.
    pub user: &'a str,
    /// The extension, without its delimiter; may be empty.
    pub extension: &'a str,
}

/// How addresses are spelled in arguments (pipe(8), `flags` and `null_sender`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelling {
    /// What stands for the null sender.
    pub null_sender: Box<str>,
    /// Flag `h`: domains in lower case.
    pub fold_domain: bool,
    /// Flag `u`: local parts in lower case.
    pub fold_local_part: bool,
    /// Flag `q`: local parts in quotes where RFC 5321 asks for them.
    pub quote: bool,
}

impl Spelling {
    /// The sender, whose case is never changed.
    pub(super) fn address_as_it_is(&self, address: &Address) -> String {
        let local = match self.quote {
            true => Cow::Borrowed(address.local_part()),
            false => address.unquoted_local_part(),
        };
        format!("{local}@{}", address.domain().as_str())
    }

    /// A recipient.
    pub(super) fn address(&self, address: &Address) -> String {
        let spelled = self.address_as_it_is(address);
        // The domain has no `@`.
        let Some((local, domain)) = spelled.rsplit_once('@') else { return spelled };
        format!("{}@{}", self.local_part(local), self.domain(domain))
    }

    pub(super) fn local_part<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.fold_local_part { text.to_lowercase().into() } else { text.into() }
    }

    pub(super) fn domain<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.fold_domain { text.to_lowercase().into() } else { text.into() }
    }
}
