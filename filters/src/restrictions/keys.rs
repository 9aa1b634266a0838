//! Which keys of an access table are tried, and in which order (access(5)).
//!
//! The first key is the whole; tables of patterns see nothing else.

use std::net::IpAddr;

use super::{hostname, settings::Settings};

/// `user+ext@domain`, `user@domain`, the domain and what it is part of, `user+ext@`, `user@`.
pub(super) fn of_address(address: &str, settings: &Settings) -> Vec<String> {
    // Addresses are rewritten before they are looked up; that drops a final dot.
    let address = hostname::without_final_dot(address).to_lowercase();
    let Some((user, domain)) = address.rsplit_once('@') else { return vec![address] };
    let bare = without_extension(user, &settings.recipient_delimiter);
    let mut keys = vec![address.clone()];
    keys.extend(bare.map(|bare| format!("{bare}@{domain}")));
    keys.extend(of_host(domain, settings));
    keys.push(format!("{user}@"));
    keys.extend(bare.map(|bare| format!("{bare}@")));
    keys
}

/// The name, and what it is part of: `.example.com` or `example.com`, and so on to the top.
pub(super) fn of_host(name: &str, settings: &Settings) -> Vec<String> {
    let mut keys = Vec::new();
    let mut rest = name;
    while !rest.is_empty() && keys.len() < MOST_LABELS {
        keys.push(rest.to_owned());
        if hostname::is_address(name) {
            break;
        }
        let Some(dot) = rest.char_indices().skip(1).find(|&(_, c)| c == '.') else { break };
        rest = &rest[dot.0 + usize::from(settings.parent_matches_subdomains)..];
    }
    keys
}

/// The address, and what it is part of: `192.0.2.1`, `192.0.2`, `192.0`, `192`; likewise with the
/// colons of IPv6.
pub(super) fn of_network(address: IpAddr) -> Vec<String> {
    let divider = if address.is_ipv4() { '.' } else { ':' };
    let mut keys = vec![address.to_string()];
    while let Some(next) = keys.last().and_then(|key| key.rsplit_once(divider)) {
        keys.push(next.0.to_owned());
    }
    keys
}

/// The user without what stands behind the first delimiter, as far as there is one and something
/// stands in front of it.
fn without_extension<'u>(user: &'u str, delimiters: &str) -> Option<&'u str> {
    let at = user.find(|c| delimiters.contains(c)).filter(|&at| at > 0)?;
    Some(&user[..at])
}

/// A name has up to 255 bytes, so up to 128 labels.
const MOST_LABELS: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(parent_matches_subdomains: bool) -> Settings {
        let recipient_delimiter = "+".into();
        Settings { parent_matches_subdomains, recipient_delimiter, ..Settings::default() }
    }

    #[test]
    fn addresses_hosts_and_networks_are_looked_up_in_the_order_of_access_5() {
        assert_eq!(
            of_address("User+Ext@mail.Example.com", &settings(false)),
            [
                "user+ext@mail.example.com",
                "user@mail.example.com",
                "mail.example.com",
                ".example.com",
                ".com",
                "user+ext@",
                "user@"
            ]
        );
        assert_eq!(of_address("a@b.", &settings(true)), ["a@b", "b", "a@"]);
        assert_eq!(of_host("a.b.c", &settings(true)), ["a.b.c", "b.c", "c"]);
        assert_eq!(of_host("a.", &settings(true)), ["a."]);
        assert_eq!(of_host("192.0.2.1", &settings(true)), ["192.0.2.1"]);
        let four = of_network("192.0.2.1".parse().unwrap());
        assert_eq!(four, ["192.0.2.1", "192.0.2", "192.0", "192"]);
        let six = of_network("2001:db8::1".parse().unwrap());
        assert_eq!(six, ["2001:db8::1", "2001:db8:", "2001:db8", "2001"]);
    }
}
