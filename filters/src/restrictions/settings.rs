//! Reply codes and switches of the restrictions, with Postfix's defaults.

use mailweir_mail::Network;
use mailweir_policy::client::Terms;
use mailweir_tables::{Spec, keys::Parents};

/// How restrictions behave. Names in brackets are Postfix's parameters.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The codes of refusals.
    pub codes: Codes,
    /// Client, HELO and sender lists wait for RCPT (`smtpd_delay_reject`).
    pub delay_reject: bool,
    /// Relay restrictions come before recipient restrictions
    /// (`smtpd_relay_before_recipient_restrictions`).
    pub relay_before_recipient: bool,
    /// Unknown recipients are refused at the end of the lists (`smtpd_reject_unlisted_recipient`).
    pub reject_unlisted_recipient: bool,
    /// Unknown senders are (`smtpd_reject_unlisted_sender`).
    pub reject_unlisted_sender: bool,
    /// A HELO name that DNS cannot tell about now is remembered instead of refused
    /// (`unknown_helo_hostname_tempfail_action = defer_if_permit`).
    pub unknown_helo_waits: bool,
    /// So is a domain (`unknown_address_tempfail_action = defer_if_permit`).
    pub unknown_address_waits: bool,
    /// What `reject_unverified_sender` says (`unverified_sender_...`).
    pub unverified_sender: Unverified,
    /// What `reject_unverified_recipient` says (`unverified_recipient_...`).
    pub unverified_recipient: Unverified,
    /// `example.com` in an access table is for `host.example.com` too
    /// (`parent_domain_matches_subdomains` has `smtpd_access_maps`); else `.example.com` is.
    pub parent_matches_subdomains: bool,
    /// What divides user and extension (`recipient_delimiter`): any of these characters.
    pub recipient_delimiter: Box<str>,
    /// The key of the sender `<>` (`smtpd_null_access_lookup_key`).
    pub null_sender_key: Box<str>,
    /// The reply of block lists (`default_rbl_reply`).
    pub default_rbl_reply: Box<str>,
    /// The replies of single block lists, by domain (`rbl_reply_maps`).
    pub rbl_reply_maps: Vec<Spec>,
    /// Fingerprints of clients that may relay (`relay_clientcerts`).
    pub relay_clientcerts: Vec<Spec>,
    /// Where the first mail exchangers must be for `permit_mx_backup`
    /// (`permit_mx_backup_networks`); empty: anywhere.
    pub mx_backup_networks: Vec<Network>,
    /// On which terms policy servers are asked (`smtpd_policy_service_...`).
    pub policy_service: Terms,
    /// Replies say which table does not have a user (`show_user_unknown_table_name`).
    pub show_table_name: bool,
}

impl Settings {
    pub(super) const fn parents(&self) -> Parents {
        if self.parent_matches_subdomains { Parents::Bare } else { Parents::Dotted }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            codes: Codes::default(),
            delay_reject: true,
            relay_before_recipient: true,
            reject_unlisted_recipient: true,
            reject_unlisted_sender: false,
            unknown_helo_waits: true,
            unknown_address_waits: true,
            unverified_sender: Unverified::default(),
            unverified_recipient: Unverified::default(),
            parent_matches_subdomains: true,
            recipient_delimiter: "".into(),
            null_sender_key: "<>".into(),
            default_rbl_reply: DEFAULT_RBL_REPLY.into(),
            rbl_reply_maps: Vec::new(),
            relay_clientcerts: Vec::new(),
            mx_backup_networks: Vec::new(),
            policy_service: Terms::default(),
            show_table_name: true,
        }
    }
}

/// What is said of an address that may not take mail. A code below 400 lets it pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified {
    /// If it takes none (`..._reject_code`).
    pub reject_code: u16,
    /// If that cannot be told now; Postfix has none above 499 (`..._defer_code`).
    pub defer_code: u16,
    /// The reason that is given instead of the next hop's words; empty: those
    /// (`..._reject_reason`).
    pub reason: Box<str>,
    /// A refusal for now is remembered instead of spoken
    /// (`..._tempfail_action = defer_if_permit`).
    pub waits: bool,
}

impl Default for Unverified {
    fn default() -> Self {
        Self { reject_code: 450, defer_code: 450, reason: "".into(), waits: true }
    }
}

/// SMTP reply codes (`..._reject_code` and `..._defer_code`). One that is none from 400 to 599
/// becomes `450 4.7.1 Service unavailable`, as in Postfix.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the parameter of the same name and `_reject_code`")]
pub struct Codes {
    pub access_map: u16,
    /// `access_map_defer_code`.
    pub access_map_defer: u16,
    /// `defer_code`.
    pub defer: u16,
    pub invalid_hostname: u16,
    pub maps_rbl: u16,
    pub multi_recipient_bounce: u16,
    pub non_fqdn: u16,
    pub plaintext: u16,
    /// `reject_code`.
    pub reject: u16,
    pub relay_domains: u16,
    pub unknown_address: u16,
    pub unknown_client: u16,
    pub unknown_hostname: u16,
    pub unknown_local_recipient: u16,
    pub unknown_relay_recipient: u16,
    pub unknown_virtual_alias: u16,
    pub unknown_virtual_mailbox: u16,
}

impl Default for Codes {
    fn default() -> Self {
        Self {
            access_map: 554,
            access_map_defer: 450,
            defer: 450,
            invalid_hostname: 501,
            maps_rbl: 554,
            multi_recipient_bounce: 550,
            non_fqdn: 504,
            plaintext: 450,
            reject: 554,
            relay_domains: 554,
            unknown_address: 450,
            unknown_client: 450,
            unknown_hostname: 450,
            unknown_local_recipient: 550,
            unknown_relay_recipient: 550,
            unknown_virtual_alias: 550,
            unknown_virtual_mailbox: 550,
        }
    }
}

pub(super) const DEFAULT_RBL_REPLY: &str = "$rbl_code Service unavailable; $rbl_class [$rbl_what] \
                                            blocked using $rbl_domain${rbl_reason?; $rbl_reason}";
