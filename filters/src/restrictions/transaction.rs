//! What is known of a client and its mail at a moment of the session.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use mailweir_mail::{IpText, Protocol, TlsSummary};

/// How far the session has come, as the policy protocol calls it (SMTPD_POLICY_README).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProtocolState {
    /// The client has connected.
    Connect,
    /// HELO or EHLO.
    Helo,
    /// MAIL.
    Mail,
    /// RCPT, of each recipient.
    Rcpt,
    /// DATA or the first BDAT.
    Data,
    /// The end of the mail.
    EndOfMessage,
}

/// A client and its mail, as far as they are known.
#[derive(Clone, Copy, Debug)]
pub struct Transaction<'a> {
    /// The client's address; IPv4 in IPv6 clothes undressed.
    pub address: IpAddr,
    /// Its port; 0 if unknown.
    pub port: u16,
    /// What it connected to.
    pub server: SocketAddr,
    /// The client's verified name: its address leads to the name and the name to the address.
    pub name: HostName<'a>,
    /// The name that the client's address leads to, verified or not.
    pub reverse_name: HostName<'a>,
    /// What the client calls itself. `None` before HELO.
    pub helo: Option<&'a str>,
    /// What HELO or EHLO made of the session.
    pub protocol: Protocol,
    /// How the session is encrypted, if it is.
    pub tls: Option<&'a TlsSummary>,
    /// The certificate that the client showed.
    pub certificate: Option<Certificate<'a>>,
    /// Who logged in.
    pub login: Option<&'a str>,
    /// By which SASL mechanism. Empty without a login.
    pub mechanism: &'a str,
    /// The envelope sender without brackets, empty for `<>`. `None` before MAIL.
    pub sender: Option<&'a str>,
    /// The recipient in question; at DATA and later, the only one. `None` if there is none or
    /// there are several.
    pub recipient: Option<&'a str>,
    /// How many recipients were accepted so far.
    pub recipients: usize,
    /// The same at all steps of this mail, and at those of no other.
    pub instance: Instance<'a>,
    /// The mail's name in the queue. Empty as long as it has none.
    pub queue_id: &'a str,
    /// The size in bytes: declared, and at the end of the mail, real. 0 if unknown.
    pub size: u64,
    /// Whether the client asked for SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// Whether the client sent commands ahead where it had to wait (RFC 2920).
    pub pipelined: bool,
}

/// A name for all that policy servers are asked about one mail, written when one is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Instance<'a> {
    /// What no other process has in its instances.
    pub run: &'a str,
    /// The mail, of those of the process.
    pub number: u64,
}

impl fmt::Display for Instance<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:x}", self.run, self.number)
    }
}

/// A name that DNS has, or has not, for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostName<'a> {
    /// This name.
    Known(&'a str),
    /// None, or one that does not lead back.
    Unknown,
    /// DNS could not tell now.
    Unclear,
}

impl<'a> HostName<'a> {
    /// The name, or `unknown`.
    #[must_use]
    pub const fn or_unknown(self) -> &'a str {
        match self {
            Self::Known(name) => name,
            Self::Unknown | Self::Unclear => UNKNOWN,
        }
    }

    /// The name. A host that is really called `unknown` has none (as in Postfix).
    #[must_use]
    pub const fn known(self) -> Option<&'a str> {
        match self {
            Self::Known(name) if !name.eq_ignore_ascii_case(UNKNOWN) => Some(name),
            Self::Known(_) | Self::Unknown | Self::Unclear => None,
        }
    }
}

/// What rules ask of a client's certificate.
#[derive(Clone, Copy, Debug)]
pub struct Certificate<'a> {
    /// Its fingerprint, as Postfix writes it: `AB:CD:...`. Empty if there is none.
    pub fingerprint: &'a str,
    /// The fingerprint of its public key. Empty if there is none.
    pub key_fingerprint: &'a str,
    /// Its common name. Shown in replies.
    pub name: &'a str,
    /// The common name of who signed it. Empty if there is none.
    pub issuer: &'a str,
    /// Whether an authority that we trust has signed it.
    pub trusted: bool,
}

impl Transaction<'_> {
    /// `name[address]`, as Postfix writes a client.
    pub(super) fn client(&self) -> String {
        [self.name.or_unknown(), "[", &IpText::of(self.address), "]"].concat()
    }
}

const UNKNOWN: &str = "unknown";
