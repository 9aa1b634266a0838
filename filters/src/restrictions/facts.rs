//! What restrictions ask about the world: tables, DNS, policy servers, and which mail is ours.
//!
//! The evaluator itself opens nothing. Whoever implements [`Facts`] bounds the time of each answer;
//! DNS answers of one transaction are remembered by the evaluator and asked for once.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mailweir_policy::client::{Service, Terms, Trouble};
use mailweir_tables::{Found, LookupError, Spec};

use crate::verification::Answer;

/// What the evaluator asks. Answers may take time; an answer that cannot be had is an error, never
/// a guess.
pub trait Facts: Send + Sync {
    /// What a table has for a key. The key is as it was made; tables that fold keys fold it.
    fn look_up<'a>(
        &'a self,
        table: &'a Spec,
        key: &'a [u8],
    ) -> impl Future<Output = Result<Option<Found<'a>>, LookupError>> + Send;

    /// Whether parts of an address are keys of this table ([`mailweir_tables::Table`]).
    fn takes_partial_keys(&self, table: &Spec) -> bool;

    /// The records of a name. Only asked for names that are host names in form (RFC 1123).
    fn records(
        &self,
        name: &str,
        kind: RecordKind,
    ) -> impl Future<Output = Result<Vec<Record>, DnsError>> + Send;

    /// Whether the client is in `mynetworks`.
    fn is_trusted(
        &self,
        client: IpAddr,
        name: &str,
    ) -> impl Future<Output = Result<bool, LookupError>> + Send;

    /// Whether the address is one of ours (Postfix `inet_interfaces`, `proxy_interfaces`).
    fn is_own_address(&self, address: IpAddr) -> bool;

    /// Whether the host is us (Postfix `mydestination`, `myhostname`).
    fn is_own_name(&self, host: &str) -> bool;

    /// Where mail to an address goes.
    fn destination(
        &self,
        address: &str,
    ) -> impl Future<Output = Result<Destination, LookupError>> + Send;

    /// Whether an address exists, of which `destination` is known. An address that is rewritten or
    /// an alias exists. So does every address of a class that has no table of its users.
    fn is_listed(
        &self,
        address: &str,
        destination: Destination,
    ) -> impl Future<Output = Result<bool, LookupError>> + Send;

    /// What a next hop says of an address that is to get no mail yet (verify(8)). Somebody who asks
    /// waits for it as long as is wanted, and then hears that it is in progress.
    fn verified(&self, address: &str) -> impl Future<Output = Answer> + Send;

    /// What a policy server says to a question ([`mailweir_policy::client::Inquiry`]), as often asked and
    /// as long waited for as the terms say: the value that an access table would have.
    fn ask_policy(
        &self,
        service: &Service,
        terms: &Terms,
        question: &[u8],
    ) -> impl Future<Output = Result<Box<str>, Trouble>> + Send;

    /// The logins that may use a sender address, divided by commas and white space as in
    /// `smtpd_sender_login_maps`. `None` if the address has no owner.
    fn owners(
        &self,
        sender: &str,
    ) -> impl Future<Output = Result<Option<Box<str>>, LookupError>> + Send;
}

/// Where mail to an address goes (ADDRESS_CLASS_README).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The class of its domain.
    pub class: AddressClass,
    /// Whether the local part asks for further routing (`user%other@here`), which only trusted
    /// clients may do (Postfix `allow_untrusted_routing`).
    pub routed: bool,
}

/// The class of a domain (ADDRESS_CLASS_README).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressClass {
    /// `mydestination`, and our own addresses.
    Local,
    /// `virtual_alias_domains`: every address is another.
    VirtualAlias,
    /// `virtual_mailbox_domains`.
    VirtualMailbox,
    /// `relay_domains`.
    Relay,
    /// All others.
    Default,
}

impl Destination {
    /// Whether mail to it ends here.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(
            self.class,
            AddressClass::Local | AddressClass::VirtualAlias | AddressClass::VirtualMailbox
        )
    }

    /// Whether anybody may send to it (Postfix `permit_auth_destination`).
    #[must_use]
    pub const fn is_served(self) -> bool {
        !self.routed && !matches!(self.class, AddressClass::Default)
    }
}

/// The kinds of records that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses. Whoever speaks no IPv6 answers that there are none.
    Aaaa,
    /// Mail exchangers.
    Mx,
    /// Name servers.
    Ns,
    /// Texts.
    Txt,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// A mail exchanger.
    Mx {
        /// The lower, the sooner.
        preference: u16,
        /// Its name without a trailing dot; empty for the null MX (RFC 7505).
        host: Box<str>,
    },
    /// A name server's name, without a trailing dot.
    Ns(Box<str>),
    /// A text, its strings put together.
    Txt(Box<str>),
}

/// Why there are no records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DnsError {
    /// The name or such a record does not exist.
    #[error("Host not found")]
    DoesNotExist,
    /// No answer, or a failure of the name server.
    #[error("Host not found, try again")]
    Temporary,
    /// The answer cannot be used: a record names what is no host.
    #[error("Malformed DNS server reply")]
    Malformed,
}
