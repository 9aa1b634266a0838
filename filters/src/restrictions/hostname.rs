//! What is a host name or an address in form, as Postfix sees it.
//!
//! The answers decide about mail, so they follow Postfix where it is laxer than RFC 1123 (`_`) or
//! stricter than the standard library (`0.1.2.3`).

use std::net::Ipv6Addr;

use mailweir_mail::Domain;

/// Letters, digits, `_`, hyphens inside labels; labels up to 63, all up to 255 bytes; not all
/// digits.
pub(super) fn is_hostname(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.split('.').all(is_label)
        && name.bytes().any(|byte| !byte.is_ascii_digit() && byte != b'.')
}

/// [`is_hostname`], of the ASCII form of a name in other letters if `smtputf8` was asked for.
pub(super) fn is_international_hostname(name: &str, smtputf8: bool) -> bool {
    if name.is_ascii() {
        return is_hostname(name);
    }
    smtputf8 && Domain::parse(name).is_ok_and(|domain| is_hostname(domain.as_ascii()))
}

/// A name in the form that DNS is asked in.
pub(super) fn to_ascii(name: &str) -> String {
    match Domain::parse(name) {
        Ok(domain) if !name.is_ascii() => domain.as_ascii().to_owned(),
        _ => name.to_owned(),
    }
}

/// An IPv4 or IPv6 address without brackets and prefix.
pub(super) fn is_address(text: &str) -> bool {
    if text.contains(':') { text.parse::<Ipv6Addr>().is_ok() } else { is_ipv4(text) }
}

/// What may stand inside `[...]`: an IPv4 address, or `IPv6:` and an IPv6 address (RFC 5321
/// section 4.1.3). Gives the address without the prefix.
pub(super) fn literal_address(text: &str) -> Option<&str> {
    match text.split_at_checked(IPV6.len()) {
        Some((tag, address)) if tag.eq_ignore_ascii_case(IPV6) => {
            address.parse::<Ipv6Addr>().is_ok().then_some(address)
        }
        _ => is_ipv4(text).then_some(text),
    }
}

/// The name without its final dot. Two final dots stay: they are a mistake.
pub(super) fn without_final_dot(name: &str) -> &str {
    match name.strip_suffix('.') {
        Some(rest) if !rest.is_empty() && !rest.ends_with('.') => rest,
        _ => name,
    }
}

/// What stands behind the last `@`, or all of it.
pub(super) fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, domain)| domain)
}

fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Four octets; leading zeros are let through, a first octet of 0 only in `0.0.0.0`.
fn is_ipv4(text: &str) -> bool {
    let octets: Vec<_> = text.split('.').map(octet).collect();
    match octets.as_slice() {
        [Some(0), rest @ ..] if rest.len() == 3 => rest.iter().all(|&octet| octet == Some(0)),
        octets => octets.len() == 4 && octets.iter().all(Option::is_some),
    }
}

fn octet(text: &str) -> Option<u8> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let value = text.trim_start_matches('0');
    (digits && !text.is_empty()).then_some(())?;
    if value.is_empty() { Some(0) } else { value.parse().ok() }
}

const MAX_NAME: usize = 255;
const MAX_LABEL: usize = 63;
const IPV6: &str = "IPv6:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_what_postfix_takes_for_some() {
        let long = "a".repeat(63);
        for good in ["a", "a.b", "a_b", "1-2.3", "1.2.3a", "xn--bcher-kva.example", &long] {
            assert!(is_hostname(good), "{good}");
        }
        let too_long = "a".repeat(64);
        for bad in ["", ".", "a.", ".a", "a..b", "-a", "a-", "1.2.3", "12", "a b", "é", &too_long]
        {
            assert!(!is_hostname(bad), "{bad}");
        }
        assert!(is_international_hostname("bücher.example", true));
        assert!(!is_international_hostname("bücher.example", false));
    }

    #[test]
    fn addresses_are_what_postfix_takes_for_some() {
        for good in ["192.0.2.1", "0.0.0.0", "010.1.2.3", "2001:db8::1", "::ffff:192.0.2.1"] {
            assert!(is_address(good), "{good}");
        }
        for bad in
            ["", "1.2.3", "1.2.3.4.5", "0.1.2.3", "1.2.3.256", "1.2.3.4.", "a.b.c.d", "1::2::3"]
        {
            assert!(!is_address(bad), "{bad}");
        }
        assert_eq!(literal_address("ipv6:2001:db8::1"), Some("2001:db8::1"));
        assert_eq!(literal_address("192.0.2.1"), Some("192.0.2.1"));
        assert_eq!(literal_address("2001:db8::1"), None);
    }

    #[test]
    fn one_final_dot_is_dropped() {
        assert_eq!(without_final_dot("a.example."), "a.example");
        assert_eq!(without_final_dot("a.example.."), "a.example..");
        assert_eq!(without_final_dot("."), ".");
    }
}
