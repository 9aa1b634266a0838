//! A listener as the gateway serves it: who is expected, with which trust, under which limits.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use mailweir_mail::Network;

use super::{BareNewline, ByteSize, ListenerTls, Mode};

/// One place where mail comes in. The checks have passed: no listener relays for strangers.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The label of logs; unique.
    pub name: Box<str>,
    /// The addresses and ports to listen on; at least one, and on no other listener.
    pub bind: Vec<SocketAddr>,
    /// Who is expected.
    pub mode: Mode,
    /// What is done about TLS.
    pub tls: ListenerTls,
    /// Peers that may relay without AUTH; in the modes filter and lmtp, the only peers (not empty
    /// there).
    pub networks: Vec<Network>,
    /// Whether AUTH is offered without TLS.
    pub auth_in_clear: bool,
    /// Peers that may say XCLIENT.
    pub xclient_hosts: Vec<Network>,
    /// Peers that may say XFORWARD.
    pub xforward_hosts: Vec<Network>,
    /// Whether connections begin with a PROXY header, and who may send one.
    pub proxy: ProxyProtocol,
    /// What a lone LF or CR means.
    pub forbid_bare_newline: BareNewline,
    /// Peers that are exempt from `forbid_bare_newline`.
    pub bare_newline_excluded: Vec<Network>,
    /// What one client may cost.
    pub limits: ListenerLimits,
}

impl Listener {
    /// Whether a client at `address` may relay anywhere without logging in.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

/// What precedes the first byte of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyProtocol {
    /// Nothing: the peer is the client.
    Off,
    /// A PROXY header (version 1 or 2) from one of these peers (not empty); others are turned away.
    From(Vec<Network>),
}

/// The limits of `[limits]`, with what the listener overrides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerLimits {
    /// The largest mail in bytes (Postfix `message_size_limit`). 0: no limit.
    pub message_size_limit: ByteSize,
    /// The most recipients of one mail (Postfix `smtpd_recipient_limit`).
    pub recipient_limit: u32,
    /// The most sessions of one client address at once (Postfix
    /// `smtpd_client_connection_count_limit`). 0: no limit.
    pub client_connection_count_limit: u32,
    /// Errors until 421 (Postfix `smtpd_hard_error_limit`).
    pub hard_error_limit: u32,
    /// Junk commands until each counts as an error (Postfix `smtpd_junk_command_limit`).
    pub junk_command_limit: u32,
    /// How long we wait for the client (Postfix `smtpd_timeout`).
    pub timeout: Duration,
    /// Received headers until a mail is taken to go in circles (Postfix `hopcount_limit`).
    pub hopcount_limit: u32,
}
