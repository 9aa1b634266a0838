//! Who comes to whom, as a hash. Addresses are folded first, so that senders that change theirs for each mail are known.

use std::{fmt, net::IpAddr};

use blake2::{
    Blake2sMac256,
    digest::{FixedOutput, KeyInit, Update},
};
use mailweir_mail::Network;

use super::Settings;

/// Who comes to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// The client. Its network counts.
    pub client: IpAddr,
    /// The sender; empty for the null sender. Case does not count. Of the local part, each word with a digit in it
    /// counts as the same word, where a word is a run of letters and digits: `bounce-77-a1b2@`, `bounce-78-c3d4@` and
    /// `bounce-9-9@` are one sender (VERP, SRS, BATV).
    pub sender: &'a str,
    /// The recipient. Case does not count.
    pub recipient: &'a str,
}

/// What hashes depend on, so that nobody can compute which of them collide. Whoever has it can test who wrote to whom.
#[derive(Clone)]
pub struct HashKey([u8; 32]);

impl HashKey {
    /// A key, which must be random and the same for as long as a table is to last.
    #[must_use]
    pub const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// The network of the client.
    pub(super) fn network(&self, key: &Key<'_>, settings: &Settings) -> u64 {
        let client = key.client.to_canonical();
        let prefix = match client {
            IpAddr::V4(_) => settings.ip4_prefix,
            IpAddr::V6(_) => settings.ip6_prefix,
        };
        // A prefix longer than the address means all of it.
        let network = Network::around(client, prefix).unwrap_or_else(|_| Network::host(client));
        self.hash(&[b"network", network.to_string().as_bytes()])
    }

    /// What one owner of addresses may have at the least: a /24 of IPv4, a /48 of IPv6 (an end site by RFC 6177), whatever counts as
    /// a network.
    pub(super) fn site(&self, client: IpAddr) -> u64 {
        let client = client.to_canonical();
        let prefix = if client.is_ipv4() { 24 } else { 48 };
        let site = Network::around(client, prefix).unwrap_or_else(|_| Network::host(client));
        self.hash(&[b"site", site.to_string().as_bytes()])
    }

    /// The network, the sender and the recipient.
    pub(super) fn triple(&self, key: &Key<'_>, network: u64) -> u64 {
        let (sender, recipient) = (folded(key.sender), key.recipient.to_lowercase());
        let parts =
            [b"triple", &network.to_le_bytes()[..], sender.as_bytes(), recipient.as_bytes()];
        self.hash(&parts)
    }

    /// An address by itself.
    pub(super) fn address(&self, address: &str) -> u64 {
        self.hash(&[b"address", address.to_lowercase().as_bytes()])
    }

    /// One of our own people.
    pub(super) fn owner(&self, name: &str) -> u64 {
        self.hash(&[b"owner", name.to_lowercase().as_bytes()])
    }

    /// What tells tables of this key from those of others.
    pub(super) fn mark(&self) -> u64 {
        self.hash(&[b"mark"])
    }

    fn hash(&self, parts: &[&[u8]]) -> u64 {
        let mut mac = Blake2sMac256::new(&self.0.into());
        for part in parts {
            // The lengths make it impossible that other texts give the same bytes.
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        let digest: [u8; 32] = mac.finalize_fixed().into();
        let first = digest.first_chunk().copied().unwrap_or_default();
        u64::from_le_bytes(first)
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(secret)")
    }
}

/// A sender in lower case, and words of its local part that have a digit as `#`.
fn folded(sender: &str) -> String {
    let (local_part, domain) = sender.rsplit_once('@').unwrap_or((sender, ""));
    let mut out = String::with_capacity(sender.len());
    let mut rest = local_part;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let (word, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
        out.push_str(if has_digit { "#" } else { word });
        let mut chars = behind.chars();
        out.extend(chars.next());
        rest = chars.as_str();
    }
    format!("{out}@{domain}").to_lowercase()
}
