//! Whose domain a person believes to see in the From of a mail: the Author Domain of RFC 9989 section 5.3.1.
//!
//! Programs read odd From fields in many ways, and a mail that one of them takes for proven may show somebody else
//! in another (USENIX Security 2020, "Composition Kills": server_a8 to server_a19 of its tool espoofer). So one domain
//! is told only if no program can find another one, outside of display names and comments: what is shown there
//! is no identity, and no matter of DMARC (RFC 9989 section 11.4). Sender and Resent-From never count (appendix A.3).
//! Stricter than this is `mailweir_mail::header_from`, which asks who may write under whose name.

mod domains;
mod fields;
mod mailboxes;
#[cfg(test)]
mod tests;

use mailweir_mail::{
    Address, Domain,
    header_from::{FromDoubt, HeaderFrom},
};

/// Who wrote a mail, by what a person is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// All mailboxes of the From field are in one domain; this is the first of them.
    One(Mailbox),
    /// Mailboxes in at least two domains, each domain once, in the order in which they stand.
    Several(Vec<Domain>),
    /// There is no From field, or it names nobody: a group without members (RFC 6854) or a name alone. Programs then show
    /// Sender, Resent-From, the envelope or that name, all unproven.
    Missing,
    /// Programs may differ in whom they show. Nothing can be proven for such a mail.
    Unreadable {
        /// Why.
        doubt: FromDoubt,
        /// Every domain that a program could show, each once: one of them may have asked for refusal.
        domains: Vec<Domain>,
    },
}

/// An author and the name that is shown for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The address (addr-spec of RFC 5322 section 3.4.1).
    pub address: Address,
    /// The display name as a person reads it, or what stands in the comment in its place; empty if there is none.
    /// Anybody can write anything there.
    pub display_name: Box<str>,
}

impl Mailbox {
    /// The Author Domain.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        self.address.domain()
    }
}

impl Author {
    /// Reads the header of a mail with CRLF line ends; what stands behind the first empty line is not looked at.
    /// A mailbox line ahead of it (RFC 4155) is passed over. Of a From field the first 8 KiB count
    /// ([`mailweir_mail::header_from::MOST_BYTES`]); a longer one is unreadable.
    #[must_use]
    pub fn read(header: &[u8]) -> Self {
        let header = fields::without_mailbox_line(header);
        let mut strict = HeaderFrom::default();
        strict.feed(header);
        let fields = fields::like_from(header);
        let doubt = match strict.addresses() {
            // The field is there once, and whole. What it says is read below.
            Ok(_) | Err(FromDoubt::Unclear | FromDoubt::NoAddress | FromDoubt::NotUtf8) => None,
            Err(doubt) => Some(doubt),
        };
        match (fields.as_slice(), doubt) {
            ([], Some(FromDoubt::Missing)) => Self::Missing,
            ([field], None) if field.form == fields::Form::Plain => Self::of_value(&field.value),
            // Some programs see it, and some do not: its name is odd, or they differ in where the header ends.
            ([] | [_], None | Some(FromDoubt::Missing)) => {
                Self::unreadable(FromDoubt::NoField, &fields)
            }
            (_, None | Some(FromDoubt::Missing)) => Self::unreadable(FromDoubt::Twice, &fields),
            (_, Some(doubt)) => Self::unreadable(doubt, &fields),
        }
    }

    /// The domains that may be shown, each once. None if there is no From field, or none can be found in it.
    pub fn domains(&self) -> impl Iterator<Item = &Domain> {
        let (one, several): (Option<&Domain>, &[Domain]) = match self {
            Self::One(mailbox) => (Some(mailbox.domain()), &[]),
            Self::Several(domains) | Self::Unreadable { domains, .. } => (None, domains),
            Self::Missing => (None, &[]),
        };
        one.into_iter().chain(several)
    }

    /// Reads the value of the only From field, unfolded.
    fn of_value(value: &[u8]) -> Self {
        let text = String::from_utf8_lossy(value);
        if text.chars().any(|c| c.is_control() && c != '\t') {
            let domains = domains::anywhere(value).domains;
            return Self::Unreadable { doubt: FromDoubt::ControlCharacter, domains };
        }
        if let Some(mailboxes) = mailboxes::read(&text) {
            return Self::of_mailboxes(mailboxes);
        }
        // Out of form, as much of honest mail is. Where there is one domain only, nobody can show another.
        let named = domains::anywhere(value);
        match (named.domains.as_slice(), named.only) {
            ([_], Some(address)) => {
                Self::One(Mailbox { address, display_name: mailboxes::shown_name(&text) })
            }
            _ if named.is_nobody => Self::Missing,
            ([], _) => Self::Unreadable { doubt: FromDoubt::NoAddress, domains: named.domains },
            _ => Self::Unreadable { doubt: FromDoubt::Unclear, domains: named.domains },
        }
    }

    fn of_mailboxes(mailboxes: Vec<Mailbox>) -> Self {
        let mut domains: Vec<Domain> = Vec::new();
        for mailbox in &mailboxes {
            if !domains.contains(mailbox.domain()) {
                domains.push(mailbox.domain().clone());
            }
        }
        match (domains.len(), mailboxes.into_iter().next()) {
            (1, Some(first)) => Self::One(first),
            _ => Self::Several(domains),
        }
    }

    fn unreadable(doubt: FromDoubt, fields: &[fields::FromField]) -> Self {
        let mut domains: Vec<Domain> = Vec::new();
        for field in fields {
            for domain in domains::anywhere(&field.value).domains {
                if domains.len() < MOST_DOMAINS && !domains.contains(&domain) {
                    domains.push(domain);
                }
            }
        }
        Self::Unreadable { doubt, domains }
    }
}

/// As many domains are told. More authors than this have no honest mail; who asks about them has a limit too.
const MOST_DOMAINS: usize = 32;

/// As many mailboxes are read of a From field.
const MOST_MAILBOXES: usize = 32;
