//! The names of all restrictions.

use std::sync::Arc;

use mailweir_policy::client::Service;
use mailweir_tables::Spec;

use super::{
    dns_list::DnsList,
    restriction::{
        LoginMismatch,
        Party::{Recipient, Sender},
        Restriction::{self as R, CheckAccess, CheckServers, RejectRhsbl},
        Servers::{Addresses, MailExchangers, NameServers},
    },
    subject::Subject as S,
};

/// What a name means, and what must follow it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning {
    /// Nothing follows.
    Alone(fn() -> R),
    /// A table follows.
    Table(fn(Spec) -> R),
    /// The domain of a block list or permit list follows.
    List(fn(DnsList) -> R),
    /// A policy server follows.
    Service(fn(Arc<Service>) -> R),
    /// A number follows.
    Seconds(fn(u64) -> R),
    /// Nothing that this program has, and why.
    Unsupported(&'static str),
}

/// What a name means. Case does not matter.
pub(super) fn find(name: &str) -> Option<Meaning> {
    NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|&(_, meaning)| meaning)
}

/// The name that a wrong one is probably a slip of.
pub(super) fn nearest(wrong: &str) -> Option<&'static str> {
    mailweir_mail::nearest(wrong, NAMES.iter().map(|&(name, _)| name))
}

/// All names.
#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|&(name, _)| name)
}

/// postconf(5) of Postfix 3.8, with the older names that it still knows.
const NAMES: &[(&str, Meaning)] = &[
    ("permit", Meaning::Alone(|| R::Permit)),
    ("reject", Meaning::Alone(|| R::Reject)),
    ("defer", Meaning::Alone(|| R::Defer)),
    ("defer_if_permit", Meaning::Alone(|| R::DeferIfPermit)),
    ("defer_if_reject", Meaning::Alone(|| R::DeferIfReject)),
    ("warn_if_reject", Meaning::Alone(|| R::WarnIfReject)),
    ("sleep", Meaning::Seconds(R::Sleep)),
    ("permit_mynetworks", Meaning::Alone(|| R::PermitMynetworks)),
    ("permit_inet_interfaces", Meaning::Alone(|| R::PermitInetInterfaces)),
    ("permit_sasl_authenticated", Meaning::Alone(|| R::PermitSaslAuthenticated)),
    ("permit_tls_clientcerts", Meaning::Alone(|| R::PermitTlsClientcerts)),
    ("permit_tls_all_clientcerts", Meaning::Alone(|| R::PermitTlsAllClientcerts)),
    ("permit_auth_destination", Meaning::Alone(|| R::PermitAuthDestination)),
    ("permit_mx_backup", Meaning::Alone(|| R::PermitMxBackup)),
    ("permit_naked_ip_address", Meaning::Alone(|| R::PermitNakedIpAddress)),
    ("permit_dnswl_client", Meaning::List(R::PermitDnswlClient)),
    ("permit_rhswl_client", Meaning::List(R::PermitRhswlClient)),
    ("reject_unauth_destination", Meaning::Alone(|| R::RejectUnauthDestination)),
    ("defer_unauth_destination", Meaning::Alone(|| R::DeferUnauthDestination)),
    ("reject_unauth_pipelining", Meaning::Alone(|| R::RejectUnauthPipelining)),
    ("reject_plaintext_session", Meaning::Alone(|| R::RejectPlaintextSession)),
    ("reject_multi_recipient_bounce", Meaning::Alone(|| R::RejectMultiRecipientBounce)),
    ("reject_unknown_client_hostname", Meaning::Alone(|| R::RejectUnknownClientHostname)),
    ("reject_unknown_client", Meaning::Alone(|| R::RejectUnknownClientHostname)),
    (
        "reject_unknown_reverse_client_hostname",
        Meaning::Alone(|| R::RejectUnknownReverseClientHostname),
    ),
    ("reject_invalid_helo_hostname", Meaning::Alone(|| R::RejectInvalidHeloHostname)),
    ("reject_invalid_hostname", Meaning::Alone(|| R::RejectInvalidHeloHostname)),
    ("reject_non_fqdn_helo_hostname", Meaning::Alone(|| R::RejectNonFqdnHeloHostname)),
    ("reject_non_fqdn_hostname", Meaning::Alone(|| R::RejectNonFqdnHeloHostname)),
    ("reject_unknown_helo_hostname", Meaning::Alone(|| R::RejectUnknownHeloHostname)),
    ("reject_unknown_hostname", Meaning::Alone(|| R::RejectUnknownHeloHostname)),
    ("reject_non_fqdn_sender", Meaning::Alone(|| R::RejectNonFqdn(Sender))),
    ("reject_non_fqdn_recipient", Meaning::Alone(|| R::RejectNonFqdn(Recipient))),
    ("reject_unknown_sender_domain", Meaning::Alone(|| R::RejectUnknownDomain(Sender))),
    ("reject_unknown_address", Meaning::Alone(|| R::RejectUnknownDomain(Sender))),
    ("reject_unknown_recipient_domain", Meaning::Alone(|| R::RejectUnknownDomain(Recipient))),
    ("reject_unverified_sender", Meaning::Alone(|| R::RejectUnverified(Sender))),
    ("reject_unverified_recipient", Meaning::Alone(|| R::RejectUnverified(Recipient))),
    ("reject_unlisted_sender", Meaning::Alone(|| R::RejectUnlisted(Sender))),
    ("reject_unlisted_recipient", Meaning::Alone(|| R::RejectUnlisted(Recipient))),
    ("check_recipient_maps", Meaning::Alone(|| R::RejectUnlisted(Recipient))),
    ("reject_sender_login_mismatch", Meaning::Alone(|| R::RejectLoginMismatch(LoginMismatch::Any))),
    (
        "reject_authenticated_sender_login_mismatch",
        Meaning::Alone(|| R::RejectLoginMismatch(LoginMismatch::Authenticated)),
    ),
    (
        "reject_unauthenticated_sender_login_mismatch",
        Meaning::Alone(|| R::RejectLoginMismatch(LoginMismatch::Unauthenticated)),
    ),
    (
        "reject_known_sender_login_mismatch",
        Meaning::Alone(|| R::RejectLoginMismatch(LoginMismatch::Known)),
    ),
    ("reject_rbl_client", Meaning::List(R::RejectRblClient)),
    ("reject_rbl", Meaning::List(R::RejectRblClient)),
    ("reject_rhsbl_client", Meaning::List(|list| RejectRhsbl(S::Client, list))),
    ("reject_rhsbl_reverse_client", Meaning::List(|list| RejectRhsbl(S::ReverseClient, list))),
    ("reject_rhsbl_helo", Meaning::List(|list| RejectRhsbl(S::Helo, list))),
    ("reject_rhsbl_sender", Meaning::List(|list| RejectRhsbl(S::Sender, list))),
    ("reject_rhsbl_recipient", Meaning::List(|list| RejectRhsbl(S::Recipient, list))),
    ("check_client_access", Meaning::Table(|table| CheckAccess(S::Client, table))),
    (
        "check_reverse_client_hostname_access",
        Meaning::Table(|table| CheckAccess(S::ReverseClient, table)),
    ),
    ("check_helo_access", Meaning::Table(|table| CheckAccess(S::Helo, table))),
    ("check_sender_access", Meaning::Table(|table| CheckAccess(S::Sender, table))),
    ("check_recipient_access", Meaning::Table(|table| CheckAccess(S::Recipient, table))),
    ("check_ccert_access", Meaning::Table(|table| CheckAccess(S::Certificate, table))),
    ("check_sasl_access", Meaning::Table(|table| CheckAccess(S::Login, table))),
    ("check_client_a_access", Meaning::Table(|table| CheckServers(S::Client, Addresses, table))),
    (
        "check_client_mx_access",
        Meaning::Table(|table| CheckServers(S::Client, MailExchangers, table)),
    ),
    ("check_client_ns_access", Meaning::Table(|table| CheckServers(S::Client, NameServers, table))),
    (
        "check_reverse_client_hostname_a_access",
        Meaning::Table(|table| CheckServers(S::ReverseClient, Addresses, table)),
    ),
    (
        "check_reverse_client_hostname_mx_access",
        Meaning::Table(|table| CheckServers(S::ReverseClient, MailExchangers, table)),
    ),
    (
        "check_reverse_client_hostname_ns_access",
        Meaning::Table(|table| CheckServers(S::ReverseClient, NameServers, table)),
    ),
    ("check_helo_a_access", Meaning::Table(|table| CheckServers(S::Helo, Addresses, table))),
    ("check_helo_mx_access", Meaning::Table(|table| CheckServers(S::Helo, MailExchangers, table))),
    ("check_helo_ns_access", Meaning::Table(|table| CheckServers(S::Helo, NameServers, table))),
    ("check_sender_a_access", Meaning::Table(|table| CheckServers(S::Sender, Addresses, table))),
    (
        "check_sender_mx_access",
        Meaning::Table(|table| CheckServers(S::Sender, MailExchangers, table)),
    ),
    ("check_sender_ns_access", Meaning::Table(|table| CheckServers(S::Sender, NameServers, table))),
    (
        "check_recipient_a_access",
        Meaning::Table(|table| CheckServers(S::Recipient, Addresses, table)),
    ),
    (
        "check_recipient_mx_access",
        Meaning::Table(|table| CheckServers(S::Recipient, MailExchangers, table)),
    ),
    (
        "check_recipient_ns_access",
        Meaning::Table(|table| CheckServers(S::Recipient, NameServers, table)),
    ),
    ("check_etrn_access", Meaning::Unsupported("ETRN is not offered here")),
    ("check_policy_service", Meaning::Service(R::CheckPolicyService)),
    ("reject_maps_rbl", Meaning::Unsupported("write reject_rbl_client and the domain instead")),
    (
        "check_relay_domains",
        Meaning::Unsupported("write permit_mynetworks, reject_unauth_destination instead"),
    ),
];
