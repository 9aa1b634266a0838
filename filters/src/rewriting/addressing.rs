//! What an address means at this site: where its extension begins, and which domains are local.
//!
//! All maps of addresses share these settings: `recipient_delimiter`, `owner_request_special`,
//! `double_bounce_sender`, `myorigin`, `mydestination`, `inet_interfaces`, `proxy_interfaces`.

use std::{borrow::Cow, net::IpAddr};

use mailweir_mail::{Address, AddressError, Domain};
use mailweir_tables::LookupError;

use super::{match_list::MatchList, seam::RemoteMaps};

/// The settings that say how an address is read.
#[derive(Clone, Debug)]
pub struct Addressing {
    /// The characters of which the first in a local part begins the extension (Postfix
    /// `recipient_delimiter`); empty: there are no extensions.
    pub recipient_delimiter: Box<str>,
    /// Whether `owner-name` and `name-request` are never divided at a `-` (Postfix
    /// `owner_request_special`).
    pub owner_request_special: bool,
    /// The local part that is never divided, as `postmaster` and `mailer-daemon` are not (Postfix
    /// `double_bounce_sender`).
    pub double_bounce_sender: Box<str>,
    /// The domain of an address that has none (Postfix `myorigin`); `None`: such an address in a
    /// table is an error.
    pub origin: Option<Domain>,
    /// The domains whose users tables may name without a domain (Postfix `mydestination`).
    pub destinations: MatchList,
    /// The addresses that count as local when they stand as `user@[address]` (Postfix
    /// `inet_interfaces`, `proxy_interfaces`).
    pub interfaces: Vec<IpAddr>,
}

impl Default for Addressing {
    /// Postfix's defaults, with no domain local.
    fn default() -> Self {
        Self {
            recipient_delimiter: "".into(),
            owner_request_special: true,
            double_bounce_sender: "double-bounce".into(),
            origin: None,
            destinations: MatchList::default(),
            interfaces: Vec::new(),
        }
    }
}

impl Addressing {
    /// The local part without its extension, and the extension with its delimiter. `None` if
    /// there is no extension. `local` is without quotes.
    pub(crate) fn split<'a>(&self, local: &'a str) -> Option<(&'a str, &'a str)> {
        if self.is_indivisible(local) {
            return None;
        }
        let at = local.find(|c| self.recipient_delimiter.contains(c))?;
        // No name would be left of "+tag".
        (at > 0).then(|| local.split_at(at))
    }

    fn is_indivisible(&self, local: &str) -> bool {
        let is = |name: &str| local.eq_ignore_ascii_case(name);
        if is("postmaster") || is("mailer-daemon") || is(&self.double_bounce_sender) {
            return true;
        }
        let lower = local.to_ascii_lowercase();
        let of_a_list = lower.starts_with("owner-")
            || lower.strip_suffix("-request").is_some_and(|name| !name.is_empty());
        self.owner_request_special && self.recipient_delimiter.contains('-') && of_a_list
    }

    /// Whether tables may name the users of `domain` without it.
    pub(crate) async fn is_local(
        &self,
        domain: &Domain,
        remote: &dyn RemoteMaps,
    ) -> Result<bool, LookupError> {
        if self.origin.as_ref() == Some(domain) {
            return Ok(true);
        }
        match domain.literal() {
            Some(ip) => Ok(self.interfaces.contains(&ip)),
            None => self.destinations.has_name(written(domain), remote).await,
        }
    }

    /// The address of a local part without quotes and a domain; without one, [`Self::origin`].
    pub(crate) fn join(&self, local: &str, domain: Option<&str>) -> Result<Address, AddressError> {
        let domain = domain.or(self.origin.as_ref().map(Domain::as_str));
        let domain = domain.ok_or(AddressError::NoDomain)?;
        Address::parse(&format!("{}@{domain}", quoted(local)))
    }
}

/// The domain as tables are asked for it: as it was written, without the dot of the root, which
/// Postfix strips before any table sees an address.
pub(crate) fn written(domain: &Domain) -> &str {
    domain.as_str().strip_suffix('.').unwrap_or(domain.as_str())
}

/// The local part as it stands in an address: in quotes if it has to (RFC 5321 `Local-part`).
pub(crate) fn quoted(local: &str) -> Cow<'_, str> {
    if !local.is_empty() && local.split('.').all(is_atom) {
        return Cow::Borrowed(local);
    }
    let mut text = String::with_capacity(local.len() + 2);
    text.push('"');
    for c in local.chars() {
        if matches!(c, '"' | '\\' | '\r') {
            text.push('\\');
        }
        text.push(c);
    }
    text.push('"');
    Cow::Owned(text)
}

/// RFC 5322 `atom`, with all that is not ASCII let through (RFC 6532).
fn is_atom(text: &str) -> bool {
    let special = |byte: u8| byte <= b' ' || byte == 0x7f || b"()<>@,;:\\\".[]".contains(&byte);
    !text.is_empty() && !text.bytes().any(special)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_delimiter(delimiter: &str) -> Addressing {
        Addressing { recipient_delimiter: delimiter.into(), ..Addressing::default() }
    }

    #[test]
    fn the_first_delimiter_of_the_set_begins_the_extension() {
        let addressing = with_delimiter("+-");
        assert_eq!(addressing.split("joe+a-b"), Some(("joe", "+a-b")));
        assert_eq!(addressing.split("joe-a+b"), Some(("joe", "-a+b")));
        assert_eq!(addressing.split("joe+"), Some(("joe", "+")));
        assert_eq!(addressing.split("joe"), None);
        assert_eq!(addressing.split("+joe"), None);
        assert_eq!(with_delimiter("").split("joe+a"), None);
    }

    #[test]
    fn names_that_the_mail_system_needs_are_never_divided() {
        let addressing = with_delimiter("-e");
        for name in ["Postmaster", "MAILER-DAEMON", "double-bounce", "Owner-list", "list-REQUEST"] {
            assert_eq!(addressing.split(name), None, "{name}");
        }
        assert_eq!(addressing.split("-request"), None, "no name would be left");
        assert_eq!(with_delimiter("+").split("owner-list+x"), Some(("owner-list", "+x")));
        let plain = Addressing { owner_request_special: false, ..with_delimiter("-") };
        assert_eq!(plain.split("owner-list"), Some(("owner", "-list")));
    }

    #[test]
    fn a_local_part_is_quoted_only_if_it_has_to_be() {
        assert_eq!(quoted("a.b+c"), "a.b+c");
        assert_eq!(quoted("a b"), "\"a b\"");
        assert_eq!(quoted("a..b"), "\"a..b\"");
        assert_eq!(quoted("a\"b\\"), "\"a\\\"b\\\\\"");
        assert_eq!(quoted(""), "\"\"");
        assert_eq!(quoted("유저"), "유저");
    }
}
