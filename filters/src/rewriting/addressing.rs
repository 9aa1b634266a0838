//! What an address means at this site: where its extension begins, and which domains are local.
//!
//! All maps of addresses share these settings: `recipient_delimiter`, `owner_request_special`,
//! `double_bounce_sender`, `myorigin`, `mydestination`, `inet_interfaces`, `proxy_interfaces`.

use std::{borrow::Cow, net::IpAddr};

use mailweir_mail::{Address, AddressError, Domain};
use mailweir_tables::{LookupError, keys::Extensions};

use super::MatchList;
use crate::RemoteMaps;

/// The settings that say how an address is read.
/// The default is Postfix's, with no domain local.
#[derive(Clone, Debug, Default)]
pub struct Addressing {
    /// Where an extension begins (Postfix `recipient_delimiter`, `owner_request_special`,
    /// `double_bounce_sender`).
    pub extensions: Extensions,
    /// The domain of an address that has none (Postfix `myorigin`); `None`: such an address in a
    /// table is an error.
    pub origin: Option<Domain>,
    /// The domains whose users tables may name without a domain (Postfix `mydestination`).
    pub destinations: MatchList,
    /// The addresses that count as local when they stand as `user@[address]` (Postfix
    /// `inet_interfaces`, `proxy_interfaces`).
    pub interfaces: Vec<IpAddr>,
}

impl Addressing {
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
