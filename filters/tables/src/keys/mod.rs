//! Which keys of a table are tried for an address, a host name or a network address, and in which
//! order (access(5), canonical(5), virtual(5), generic(5), relocated(5), transport(5)).
//!
//! An address is looked up as RFC 5322 writes it, then without the quotes of its local part where
//! that is something else (Postfix 3.2). Case is folded by the tables. Nothing is looked up here:
//! ask each table for each key that [suits](Key::suits) it, and stop at the first value.

mod extension;
mod mailbox;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, net::IpAddr};

pub use self::extension::Extensions;
use self::mailbox::Mailbox;
use crate::Table;

/// A key to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// What to look up.
    pub text: Cow<'a, str>,
    /// Whether this is all there is. A part is no key of a table of patterns.
    pub is_whole: bool,
    /// The address extension that this key lacks, with its delimiter: `+ext`. Canonical and
    /// virtual tables put it onto what they find (`propagate_unmatched_extensions`).
    pub extension: Option<Cow<'a, str>>,
}

impl Key<'_> {
    /// Whether a table is asked for this key.
    #[must_use]
    pub fn suits(&self, table: &Table) -> bool {
        self.is_whole || table.takes_partial_keys()
    }
}

/// How a name stands for what is below it (`parent_domain_matches_subdomains`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parents {
    /// `example.com` is a key for `www.example.com` too: the parameter names the table's use, as
    /// it does for `smtpd_access_maps` by default.
    Bare,
    /// Only `.example.com` is: the parameter does not, as for `transport_maps` by default.
    Dotted,
}

/// What is looked up in access(5) tables for the null sender `<>`
/// (`smtpd_null_access_lookup_key`).
pub const NULL_SENDER: &str = "<>";

/// The keys of canonical(5), virtual(5), generic(5) and relocated(5) tables, of sender and
/// recipient BCC maps, `smtpd_sender_login_maps` and `sender_dependent_relayhost_maps`:
/// `user+ext@domain`, `user@domain`, `user+ext`, `user`, `@domain`.
///
/// The keys without domain are for a domain that is local: `$myorigin`, one of `$mydestination`,
/// or an address of this host in brackets.
pub fn mapping<'a>(address: &'a str, is_local: bool, extensions: &Extensions) -> Vec<Key<'a>> {
    let mut keys = Keys::default();
    let mailbox = Mailbox::parse(address);
    let bare = mailbox.without_extension(extensions);
    keys.address(&mailbox, bare.as_ref());
    if let Some(domain) = mailbox.domain() {
        if is_local {
            keys.forms(mailbox.local_forms(""), None);
            if let Some((bare, extension)) = &bare {
                keys.forms(bare.local_forms(""), Some(extension));
            }
        }
        keys.part(format!("@{domain}"));
    }
    keys.0
}

/// The keys of transport(5) tables: `user+ext@domain`, `user@domain`, `domain`, its parents, and
/// `*`, which tables of patterns are asked for too.
pub fn transport<'a>(address: &'a str, parents: Parents, extensions: &Extensions) -> Vec<Key<'a>> {
    let mut keys = Keys::default();
    let mailbox = Mailbox::parse(address);
    keys.address(&mailbox, mailbox.without_extension(extensions).as_ref());
    if let Some(domain) = mailbox.domain() {
        keys.parents(domain, parents);
    }
    keys.0.push(Key { text: "*".into(), is_whole: true, extension: None });
    keys.0
}

/// The keys of access(5) tables for an address: `user+ext@domain`, `user@domain`, `domain`, its
/// parents, `user+ext@`, `user@`. For the null sender, whose address is empty, [`NULL_SENDER`].
pub fn access<'a>(address: &'a str, parents: Parents, extensions: &Extensions) -> Vec<Key<'a>> {
    let mut keys = Keys::default();
    if address.is_empty() || address == NULL_SENDER {
        keys.whole(NULL_SENDER);
        return keys.0;
    }
    let mailbox = Mailbox::parse(address);
    let bare = mailbox.without_extension(extensions);
    keys.address(&mailbox, bare.as_ref());
    if let Some(domain) = mailbox.domain() {
        match is_address(domain) {
            true => keys.part(domain),
            false => keys.parents(domain, parents),
        }
        keys.forms(mailbox.local_forms("@"), None);
        if let Some((bare, extension)) = &bare {
            keys.forms(bare.local_forms("@"), Some(extension));
        }
    }
    keys.0
}

/// The keys of access(5) tables for a host name: the name and its parents. A name that is an
/// address has no parents.
#[must_use]
pub fn host(name: &str, parents: Parents) -> Vec<Key<'_>> {
    let mut keys = Keys::default();
    if !name.is_empty() {
        keys.whole(name);
        if !is_address(name) {
            above(name, parents).for_each(|parent| keys.part(parent));
        }
    }
    keys.0
}

/// The keys of access(5) tables for a network address, as [`std::net`] and `inet_ntop` write it:
/// `192.0.2.1`, `192.0.2`, `192.0`, `192`; `2001:db8::1`, `2001:db8:`, `2001:db8`, `2001`.
#[must_use]
pub fn network(address: &str) -> Vec<Key<'_>> {
    let mut keys = Keys::default();
    let delimiter = if address.contains(':') { ':' } else { '.' };
    let mut left = Some(address).filter(|address| !address.is_empty());
    while let Some(part) = left {
        match part.len() == address.len() {
            true => keys.whole(part),
            false => keys.part(part),
        }
        left = part.rfind(delimiter).map(|at| &part[..at]).filter(|part| !part.is_empty());
    }
    keys.0
}

/// The keys so far, in the order they are tried.
#[derive(Default)]
struct Keys<'a>(Vec<Key<'a>>);

impl<'a> Keys<'a> {
    fn whole(&mut self, text: impl Into<Cow<'a, str>>) {
        self.0.push(Key { text: text.into(), is_whole: true, extension: None });
    }

    fn part(&mut self, text: impl Into<Cow<'a, str>>) {
        self.0.push(Key { text: text.into(), is_whole: false, extension: None });
    }

    /// `user+ext@domain` and `user@domain`.
    fn address(&mut self, mailbox: &Mailbox<'a>, bare: Option<&(Mailbox<'a>, Cow<'a, str>)>) {
        mailbox.forms().for_each(|form| self.whole(form));
        if let Some((bare, extension)) = bare {
            self.forms(bare.forms(), Some(extension));
        }
    }

    fn forms(
        &mut self,
        forms: impl Iterator<Item = Cow<'a, str>>,
        extension: Option<&Cow<'a, str>>,
    ) {
        for text in forms {
            self.0.push(Key { text, is_whole: false, extension: extension.cloned() });
        }
    }

    fn parents(&mut self, domain: &'a str, parents: Parents) {
        if !domain.is_empty() {
            self.part(domain);
            above(domain, parents).for_each(|parent| self.part(parent));
        }
    }
}

/// Whether a name is an address, which is part of nothing. As in Postfix (`valid_hostaddr`), numbers
/// may have leading zeros.
fn is_address(name: &str) -> bool {
    // Most names are not.
    if !name.ends_with(|last: char| last.is_ascii_digit()) && !name.contains(':') {
        return false;
    }
    let is_octet = |octet: &str| octet.parse::<u8>().is_ok() && !octet.starts_with('+');
    name.parse::<IpAddr>().is_ok()
        || (name.split('.').count() == 4 && name.split('.').all(is_octet))
}

/// The parents of a name, the nearest first; no more than a name can have. A dot in front of a
/// name is part of it.
fn above(name: &str, parents: Parents) -> impl Iterator<Item = &str> {
    let next = move |name: &&'_ str| -> Option<usize> {
        let inner = name.bytes().skip(1).position(|byte| byte == b'.')?;
        Some(inner + 1)
    };
    std::iter::successors(Some(name), move |&name| {
        let at = next(&name)?;
        let from = if parents == Parents::Bare { at + 1 } else { at };
        Some(&name[from..]).filter(|parent| !parent.is_empty())
    })
    .skip(1)
    .take(MOST_PARENTS)
}

/// A name has up to 255 bytes (RFC 1035 section 2.3.4): each label takes two. What a peer calls
/// itself may be longer, and would cost a lookup for each dot.
const MOST_PARENTS: usize = 127;
