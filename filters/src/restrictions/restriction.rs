//! One restriction, as a value.

use std::sync::Arc;

use mailweir_policy::client::Service;
use mailweir_tables::Spec;

use super::{dns_list::DnsList, parse::RestrictionError, subject::Subject};

/// A restriction of a list, and how it was written.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name as it was written.
    pub name: Arc<str>,
    /// What it does.
    pub restriction: Restriction,
}

/// A restriction (postconf(5), `smtpd_client_restrictions` and those that follow).
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each is the restriction of the same name")]
pub enum Restriction {
    Permit,
    Reject,
    Defer,
    DeferIfPermit,
    DeferIfReject,
    /// The next restriction only warns.
    WarnIfReject,
    /// So many seconds.
    Sleep(u64),
    PermitMynetworks,
    PermitInetInterfaces,
    PermitSaslAuthenticated,
    PermitTlsClientcerts,
    PermitTlsAllClientcerts,
    PermitAuthDestination,
    PermitMxBackup,
    PermitNakedIpAddress,
    PermitDnswlClient(DnsList),
    PermitRhswlClient(DnsList),
    RejectUnauthDestination,
    DeferUnauthDestination,
    RejectUnauthPipelining,
    RejectPlaintextSession,
    RejectMultiRecipientBounce,
    RejectUnknownClientHostname,
    RejectUnknownReverseClientHostname,
    RejectInvalidHeloHostname,
    RejectNonFqdnHeloHostname,
    RejectUnknownHeloHostname,
    /// `reject_non_fqdn_sender` and `..._recipient`.
    RejectNonFqdn(Party),
    /// `reject_unknown_sender_domain` and `..._recipient_domain`.
    RejectUnknownDomain(Party),
    /// `reject_unlisted_sender` and `..._recipient`.
    RejectUnlisted(Party),
    /// `reject_unverified_sender` and `..._recipient`.
    RejectUnverified(Party),
    /// `reject_sender_login_mismatch` and its relatives.
    RejectLoginMismatch(LoginMismatch),
    RejectRblClient(DnsList),
    /// `reject_rhsbl_client`, `..._reverse_client`, `..._helo`, `..._sender`, `..._recipient`.
    RejectRhsbl(Subject, DnsList),
    /// `check_client_access` and the others that look up what they are named after.
    CheckAccess(Subject, Spec),
    /// A table alone in a restriction class: looks up what the list is about that uses the class.
    BareTable(Spec),
    /// `check_client_mx_access` and the others that look up servers.
    CheckServers(Subject, Servers, Spec),
    /// Asks a policy server, whose answer is an action of an access table.
    CheckPolicyService(Arc<Service>),
    /// A restriction class, by its name (`smtpd_restriction_classes`).
    Class,
    /// What could not be read in the value of a table: found out when the mail comes to it.
    Unusable(RestrictionError),
}

/// One of the two addresses of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// The sender.
    Sender,
    /// The recipient.
    Recipient,
}

impl Party {
    pub(super) const fn subject(self) -> Subject {
        match self {
            Self::Sender => Subject::Sender,
            Self::Recipient => Subject::Recipient,
        }
    }
}

/// Which servers of a domain are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Servers {
    /// The addresses of the name itself.
    Addresses,
    /// The mail exchangers, by name and by address.
    MailExchangers,
    /// The name servers, by name and by address.
    NameServers,
}

/// Which clients a rule on senders and their owners is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginMismatch {
    /// `reject_sender_login_mismatch`: both of the following.
    Any,
    /// `reject_authenticated_sender_login_mismatch`: who logged in must own the sender.
    Authenticated,
    /// `reject_unauthenticated_sender_login_mismatch`: a sender with owners asks for a login.
    Unauthenticated,
    /// `reject_known_sender_login_mismatch`: both, for senders with owners only.
    Known,
}
