//! What is asked of the name servers about one mail, and how much of it.
//!
//! Whoever implements [`Dns`] bounds the time of each answer. How many look-ups a mail may cause in all is
//! bounded by its [`Budget`], since its sender chooses what is looked up.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::atomic::{AtomicU32, Ordering},
};

/// The name servers. Names are without a dot at the end, and names in form: see [`is_name`].
pub trait Dns: Send + Sync {
    /// The texts of a name, the strings of each put together. Bytes that are no UTF-8 are replaced.
    fn txt(&self, name: &str) -> impl Future<Output = Answer<Box<str>>> + Send;

    /// The IPv4 addresses of a name.
    fn a(&self, name: &str) -> impl Future<Output = Answer<Ipv4Addr>> + Send;

    /// The IPv6 addresses of a name.
    fn aaaa(&self, name: &str) -> impl Future<Output = Answer<Ipv6Addr>> + Send;

    /// The mail exchangers of a name, the most preferred first; an empty one is the null MX (RFC 7505).
    fn mx(&self, name: &str) -> impl Future<Output = Answer<Box<str>>> + Send;

    /// The names that the owner of an address says it has. They prove nothing until they lead back to it.
    fn ptr(&self, address: IpAddr) -> impl Future<Output = Answer<Box<str>>> + Send;
}

/// What came of a look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// At least one record.
    Found(Vec<T>),
    /// The name does not exist, for any type of record (NXDOMAIN).
    NoSuchName,
    /// The name exists, but has no such record (NODATA).
    NoRecords,
    /// Nobody knows: no answer, or a failure. Nothing may be concluded from it.
    Unclear,
    /// Nobody knows, since it is beyond the [`Budget`]: whoever caused so many look-ups has it to answer for, no name server.
    NotAsked,
}

impl<T> Answer<T> {
    /// Whether there is certainly no such record: a void look-up (RFC 7208 section 4.6.4).
    #[must_use]
    pub const fn is_void(&self) -> bool {
        matches!(self, Self::NoSuchName | Self::NoRecords)
    }

    /// The records, or none.
    #[must_use]
    pub fn records(&self) -> &[T] {
        match self {
            Self::Found(records) => records,
            Self::NoSuchName | Self::NoRecords | Self::Unclear | Self::NotAsked => &[],
        }
    }
}

/// The look-ups that one mail may cause. Beyond them nobody is asked.
#[derive(Debug)]
pub struct Budget<'d, D> {
    dns: &'d D,
    left: AtomicU32,
}

impl<'d, D> Budget<'d, D> {
    /// At most so many look-ups.
    pub const fn new(dns: &'d D, most: u32) -> Self {
        Self { dns, left: AtomicU32::new(most) }
    }

    fn spend(&self) -> bool {
        let less = |left: u32| left.checked_sub(1);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

impl<D: Dns> Dns for Budget<'_, D> {
    async fn txt(&self, name: &str) -> Answer<Box<str>> {
        if self.spend() { self.dns.txt(name).await } else { Answer::NotAsked }
    }

    async fn a(&self, name: &str) -> Answer<Ipv4Addr> {
        if self.spend() { self.dns.a(name).await } else { Answer::NotAsked }
    }

    async fn aaaa(&self, name: &str) -> Answer<Ipv6Addr> {
        if self.spend() { self.dns.aaaa(name).await } else { Answer::NotAsked }
    }

    async fn mx(&self, name: &str) -> Answer<Box<str>> {
        if self.spend() { self.dns.mx(name).await } else { Answer::NotAsked }
    }

    async fn ptr(&self, address: IpAddr) -> Answer<Box<str>> {
        if self.spend() { self.dns.ptr(address).await } else { Answer::NotAsked }
    }
}

/// Whether a text is a name that can be asked for: labels of 1 to 63 printable ASCII characters, 253 in all
/// (RFC 1035 section 2.3.4), without a dot at the end.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_graphic())
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
pub(crate) mod table;
#[cfg(test)]
mod tests;
