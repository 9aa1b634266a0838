//! Every reply text of the restrictions, in one file.
//!
//! Codes and words are Postfix's (smtpd(8), 3.7 to 3.9), since log tools and fail2ban know them.

use std::net::IpAddr;

use mailweir_mail::{Enhanced, Reply};

use super::{facts::AddressClass, settings::Settings, subject::Subject};

/// Who or what is refused: its kind, and the value that stands in `<...>`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Who<'a> {
    pub(super) subject: Subject,
    pub(super) value: &'a str,
}

/// Why it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reason<'a> {
    /// `reject`.
    Denied,
    /// `defer`.
    TryAgainLater,
    /// `defer_if_permit`.
    DeferIfPermit,
    /// `defer_if_reject`.
    DeferIfReject,
    /// What a table says: code, enhanced status code, text.
    Table(u16, Enhanced, &'a str),
    /// What the reply of a block list says, in full.
    BlockList(u16, Enhanced, &'a str),
    /// A permit list cannot be asked.
    PermitListUnclear,
    Pipelining,
    Plaintext,
    /// The client's address has no verified name; whether DNS could not tell.
    ClientUnnamed(IpAddr, bool),
    /// It has no name at all.
    ClientUnnamedInReverse(IpAddr, bool),
    BadAddressLiteral,
    BadHostname,
    HostnameNotQualified,
    AddressNotQualified,
    HostUnknown,
    HostUnclear,
    HostMalformed,
    DomainUnknown,
    DomainUnclear,
    DomainMalformed,
    /// The domain takes no mail (RFC 7505).
    NullMx(&'a str),
    RelayDenied,
    RelayDeferred,
    MultiRecipientBounce,
    Unlisted(AddressClass),
    /// An address may not take mail: the code, and why, in the words of the next hop.
    Unverified(u16, &'a str),
    NotOwned(&'a str),
    NotLoggedIn,
    /// `permit_mx_backup`: the exchangers of the domain, and why not.
    ExchangersUnclear(&'a str),
    /// The address of an exchanger (first) cannot be had, and why.
    ExchangerUnclear(&'a str, &'a str),
    /// So, when it is compared with our own.
    OwnExchangerUnclear(&'a str, &'a str),
    /// A table cannot answer, about an address or a client.
    LookupFailed,
    /// Our lists or tables are wrong.
    Configuration,
}

impl Reason<'_> {
    /// Whether it is our own trouble. `warn_if_reject` does not soften it.
    pub(super) const fn is_ours(self) -> bool {
        matches!(self, Self::LookupFailed | Self::Configuration)
    }

    /// The words.
    pub(super) fn reply(self, who: Who<'_>, settings: &Settings) -> Reply {
        let (code, status) = self.code(who.subject, settings);
        let text = self.text(who, settings.show_table_name);
        finish(code, status, &text)
    }

    fn code(self, subject: Subject, settings: &Settings) -> (u16, Enhanced) {
        let codes = &settings.codes;
        let sender = subject == Subject::Sender;
        match self {
            Self::Denied => (codes.reject, Enhanced(5, 7, 1)),
            Self::TryAgainLater => (codes.defer, Enhanced(4, 3, 2)),
            Self::DeferIfPermit | Self::DeferIfReject => (450, Enhanced(4, 7, 0)),
            Self::Table(code, status, _) | Self::BlockList(code, status, _) => {
                (code, subject.fit(status))
            }
            Self::PermitListUnclear => (450, Enhanced(4, 7, 1)),
            Self::Pipelining => (503, Enhanced(5, 5, 0)),
            Self::Plaintext => (codes.plaintext, Enhanced(4, 7, 1)),
            // RFC 7372 section 3.3.
            Self::ClientUnnamed(_, unclear) => {
                (temporary(unclear, codes.unknown_client), Enhanced(4, 7, 25))
            }
            Self::ClientUnnamedInReverse(_, unclear) => {
                (temporary(unclear, codes.unknown_client), Enhanced(4, 7, 1))
            }
            Self::BadAddressLiteral | Self::BadHostname => {
                (codes.invalid_hostname, Enhanced(5, 5, 2))
            }
            Self::HostnameNotQualified => (codes.non_fqdn, Enhanced(5, 5, 2)),
            Self::AddressNotQualified => (codes.non_fqdn, Enhanced(4, 5, 2)),
            Self::HostUnknown | Self::HostMalformed => (codes.unknown_hostname, Enhanced(4, 7, 1)),
            Self::HostUnclear => (450, Enhanced(4, 7, 1)),
            Self::DomainUnknown | Self::DomainMalformed => {
                (codes.unknown_address, bad_system(sender))
            }
            Self::DomainUnclear => (450, bad_system(sender)),
            Self::NullMx(_) if sender => (550, Enhanced(5, 7, 27)),
            Self::NullMx(_) => (556, Enhanced(5, 1, 10)),
            Self::RelayDenied => (codes.relay_domains, Enhanced(5, 7, 1)),
            Self::RelayDeferred => (codes.relay_domains.saturating_sub(100), Enhanced(4, 7, 1)),
            Self::MultiRecipientBounce => (codes.multi_recipient_bounce, Enhanced(5, 5, 3)),
            Self::Unlisted(class) => {
                (unlisted(class, settings), Enhanced(5, 1, u16::from(!sender)))
            }
            Self::Unverified(code, _) if sender => (code, Enhanced(4, 1, 7)),
            Self::Unverified(code, _) => (code, Enhanced(4, 1, 1)),
            Self::NotOwned(_) | Self::NotLoggedIn => (553, Enhanced(5, 7, 1)),
            Self::ExchangersUnclear(_)
            | Self::ExchangerUnclear(..)
            | Self::OwnExchangerUnclear(..) => (450, Enhanced(4, 4, 4)),
            Self::LookupFailed => (451, Enhanced(4, 3, 0)),
            Self::Configuration => (451, Enhanced(4, 3, 5)),
        }
    }

    fn text(self, Who { subject, value }: Who<'_>, show_table_name: bool) -> String {
        let rejected = |why: &str| format!("<{value}>: {} rejected: {why}", subject.words());
        match self {
            Self::Denied => rejected("Access denied"),
            Self::TryAgainLater => rejected("Try again later"),
            Self::DeferIfPermit => rejected("defer_if_permit requested"),
            Self::DeferIfReject => rejected("defer_if_reject requested"),
            Self::Table(_, _, text) => rejected(text),
            Self::BlockList(_, _, text) => text.to_owned(),
            Self::PermitListUnclear => rejected("Service unavailable"),
            Self::Pipelining => rejected("Improper use of SMTP command pipelining"),
            Self::Plaintext => "Session encryption is required".to_owned(),
            Self::ClientUnnamed(address, _) => {
                format!("Client host rejected: cannot find your hostname, [{address}]")
            }
            Self::ClientUnnamedInReverse(address, _) => {
                format!("Client host rejected: cannot find your reverse hostname, [{address}]")
            }
            Self::BadAddressLiteral => rejected("invalid ip address"),
            Self::BadHostname => rejected("Invalid name"),
            Self::HostnameNotQualified => rejected("need fully-qualified hostname"),
            Self::AddressNotQualified => rejected("need fully-qualified address"),
            Self::HostUnknown | Self::HostUnclear => rejected("Host not found"),
            Self::DomainUnknown | Self::DomainUnclear => rejected("Domain not found"),
            Self::HostMalformed | Self::DomainMalformed => rejected("Malformed DNS server reply"),
            Self::NullMx(domain) => {
                rejected(&format!("Domain {domain} does not accept mail (nullMX)"))
            }
            Self::RelayDenied | Self::RelayDeferred => format!("<{value}>: Relay access denied"),
            Self::MultiRecipientBounce => rejected("Multi-recipient bounce"),
            Self::Unlisted(class) => {
                let table = if show_table_name { table_of(class) } else { "" };
                rejected(&format!("User unknown{table}"))
            }
            Self::Unverified(400..500, why) => {
                let why = &why[..why.floor_char_boundary(MAX_WHY)];
                rejected(&format!("unverified address: {why}"))
            }
            Self::Unverified(_, why) => rejected(&format!("undeliverable address: {why}")),
            Self::NotOwned(user) => rejected(&format!("not owned by user {user}")),
            Self::NotLoggedIn => rejected("not logged in"),
            Self::ExchangersUnclear(why) => {
                rejected(&format!("Unable to look up mail exchanger information: {why}"))
            }
            Self::ExchangerUnclear(host, why) => {
                rejected(&format!("Unable to look up host {host} as mail exchanger: {why}"))
            }
            Self::OwnExchangerUnclear(host, why) => {
                rejected(&format!("Unable to look up mail exchanger host {host}: {why}"))
            }
            Self::LookupFailed => format!("<{value}>: Temporary lookup failure"),
            Self::Configuration => "Server configuration error".to_owned(),
        }
    }
}

/// A reply that follows the rules: a code from 400 to 599, the same first digit in both codes, one
/// line without control characters.
fn finish(code: u16, status: Enhanced, text: &str) -> Reply {
    if !(400..=599).contains(&code) {
        return Reply::new(450, Enhanced(4, 7, 1), "Service unavailable");
    }
    let class = if code < 500 { 4 } else { 5 };
    let Enhanced(_, subject, detail) = status;
    let mut text = text.replace(char::is_control, " ");
    text.truncate(text.floor_char_boundary(MAX_TEXT));
    Reply::with_text(code, Enhanced(class, subject, detail), text)
}

const fn temporary(unclear: bool, code: u16) -> u16 {
    if unclear { 450 } else { code }
}

const fn bad_system(sender: bool) -> Enhanced {
    Enhanced(4, 1, if sender { 8 } else { 2 })
}

const fn unlisted(class: AddressClass, settings: &Settings) -> u16 {
    match class {
        AddressClass::Local => settings.codes.unknown_local_recipient,
        AddressClass::VirtualAlias => settings.codes.unknown_virtual_alias,
        AddressClass::VirtualMailbox => settings.codes.unknown_virtual_mailbox,
        AddressClass::Relay => settings.codes.unknown_relay_recipient,
        AddressClass::Default => 550,
    }
}

const fn table_of(class: AddressClass) -> &'static str {
    match class {
        AddressClass::Local => " in local recipient table",
        AddressClass::VirtualAlias => " in virtual alias table",
        AddressClass::VirtualMailbox => " in virtual mailbox table",
        AddressClass::Relay => " in relay recipient table",
        AddressClass::Default => "",
    }
}

/// A reply line of Postfix has up to 510 bytes; code and enhanced status code take up to 16.
const MAX_TEXT: usize = 494;

/// Of the words of a next hop that can be spoken to later, Postfix repeats so much.
const MAX_WHY: usize = 250;

#[cfg(test)]
mod tests {
    use super::*;

    fn said(reason: Reason<'_>, subject: Subject, value: &str) -> String {
        reason.reply(Who { subject, value }, &Settings::default()).to_string()
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn every_reason_has_the_reply_of_postfix() {
        use Subject::{Client, Data, Helo, Recipient, Sender};
        let ip = "192.0.2.1".parse().unwrap();
        let (from, to) = ("a@a.example", "b@b.example");
        let status = Enhanced(5, 1, 1);
        for (reason, subject, value, expected) in [
            (
                Reason::Denied,
                Client,
                "unknown[192.0.2.1]",
                "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied",
            ),
            (
                Reason::TryAgainLater,
                Data,
                "DATA",
                "450 4.3.2 <DATA>: Data command rejected: Try again later",
            ),
            (
                Reason::DeferIfPermit,
                Sender,
                from,
                "450 4.7.0 <a@a.example>: Sender address rejected: defer_if_permit requested",
            ),
            (
                Reason::DeferIfReject,
                Sender,
                from,
                "450 4.7.0 <a@a.example>: Sender address rejected: defer_if_reject requested",
            ),
            (
                Reason::Table(554, status, "Go away"),
                Recipient,
                to,
                "554 5.1.1 <b@b.example>: Recipient address rejected: Go away",
            ),
            (
                Reason::Table(421, status, "Go away"),
                Sender,
                from,
                "421 4.1.7 <a@a.example>: Sender address rejected: Go away",
            ),
            (
                Reason::BlockList(554, Enhanced(4, 7, 1), "Service unavailable; listed"),
                Client,
                "192.0.2.1",
                "554 5.7.1 Service unavailable; listed",
            ),
            (
                Reason::PermitListUnclear,
                Client,
                "192.0.2.1",
                "450 4.7.1 <192.0.2.1>: Client host rejected: Service unavailable",
            ),
            (
                Reason::Pipelining,
                Data,
                "DATA",
                "503 5.5.0 <DATA>: Data command rejected: Improper use of SMTP command pipelining",
            ),
            (Reason::Plaintext, Client, "", "450 4.7.1 Session encryption is required"),
            (
                Reason::ClientUnnamed(ip, false),
                Client,
                "",
                "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]",
            ),
            (
                Reason::ClientUnnamedInReverse(ip, true),
                Client,
                "",
                "450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]",
            ),
            (
                Reason::BadAddressLiteral,
                Helo,
                "[x]",
                "501 5.5.2 <[x]>: Helo command rejected: invalid ip address",
            ),
            (
                Reason::BadHostname,
                Helo,
                "a..b",
                "501 5.5.2 <a..b>: Helo command rejected: Invalid name",
            ),
            (
                Reason::HostnameNotQualified,
                Helo,
                "pc",
                "504 5.5.2 <pc>: Helo command rejected: need fully-qualified hostname",
            ),
            (
                Reason::AddressNotQualified,
                Sender,
                "a@pc",
                "504 5.5.2 <a@pc>: Sender address rejected: need fully-qualified address",
            ),
            (
                Reason::HostUnknown,
                Helo,
                "pc.example",
                "450 4.7.1 <pc.example>: Helo command rejected: Host not found",
            ),
            (
                Reason::HostUnclear,
                Helo,
                "pc.example",
                "450 4.7.1 <pc.example>: Helo command rejected: Host not found",
            ),
            (
                Reason::HostMalformed,
                Helo,
                "pc.example",
                "450 4.7.1 <pc.example>: Helo command rejected: Malformed DNS server reply",
            ),
            (
                Reason::DomainUnknown,
                Sender,
                from,
                "450 4.1.8 <a@a.example>: Sender address rejected: Domain not found",
            ),
            (
                Reason::DomainUnclear,
                Recipient,
                to,
                "450 4.1.2 <b@b.example>: Recipient address rejected: Domain not found",
            ),
            (
                Reason::DomainMalformed,
                Recipient,
                to,
                "450 4.1.2 <b@b.example>: Recipient address rejected: Malformed DNS server reply",
            ),
            (
                Reason::NullMx("a.example"),
                Sender,
                from,
                "550 5.7.27 <a@a.example>: Sender address rejected: Domain a.example does not accept mail (nullMX)",
            ),
            (
                Reason::NullMx("b.example"),
                Recipient,
                to,
                "556 5.1.10 <b@b.example>: Recipient address rejected: Domain b.example does not accept mail (nullMX)",
            ),
            (Reason::RelayDenied, Recipient, to, "554 5.7.1 <b@b.example>: Relay access denied"),
            (Reason::RelayDeferred, Recipient, to, "454 4.7.1 <b@b.example>: Relay access denied"),
            (
                Reason::MultiRecipientBounce,
                Data,
                "DATA",
                "550 5.5.3 <DATA>: Data command rejected: Multi-recipient bounce",
            ),
            (
                Reason::Unlisted(AddressClass::Local),
                Recipient,
                to,
                "550 5.1.1 <b@b.example>: Recipient address rejected: User unknown in local recipient table",
            ),
            (
                Reason::Unlisted(AddressClass::VirtualAlias),
                Sender,
                from,
                "550 5.1.0 <a@a.example>: Sender address rejected: User unknown in virtual alias table",
            ),
            (
                Reason::Unlisted(AddressClass::VirtualMailbox),
                Recipient,
                to,
                "550 5.1.1 <b@b.example>: Recipient address rejected: User unknown in virtual mailbox table",
            ),
            (
                Reason::Unlisted(AddressClass::Relay),
                Recipient,
                to,
                "550 5.1.1 <b@b.example>: Recipient address rejected: User unknown in relay recipient table",
            ),
            (
                Reason::Unlisted(AddressClass::Default),
                Recipient,
                to,
                "550 5.1.1 <b@b.example>: Recipient address rejected: User unknown",
            ),
            (
                Reason::Unverified(450, "no route"),
                Sender,
                from,
                "450 4.1.7 <a@a.example>: Sender address rejected: unverified address: no route",
            ),
            (
                Reason::Unverified(451, "no route"),
                Recipient,
                to,
                "451 4.1.1 <b@b.example>: Recipient address rejected: unverified address: no route",
            ),
            (
                Reason::Unverified(550, "no such"),
                Sender,
                from,
                "550 5.1.7 <a@a.example>: Sender address rejected: undeliverable address: no such",
            ),
            (
                Reason::Unverified(554, "no such"),
                Recipient,
                to,
                "554 5.1.1 <b@b.example>: Recipient address rejected: undeliverable address: no such",
            ),
            (
                Reason::NotOwned("bob"),
                Sender,
                from,
                "553 5.7.1 <a@a.example>: Sender address rejected: not owned by user bob",
            ),
            (
                Reason::NotLoggedIn,
                Sender,
                from,
                "553 5.7.1 <a@a.example>: Sender address rejected: not logged in",
            ),
            (
                Reason::ExchangersUnclear("Host not found, try again"),
                Recipient,
                to,
                "450 4.4.4 <b@b.example>: Recipient address rejected: Unable to look up mail exchanger information: Host not found, try again",
            ),
            (
                Reason::ExchangerUnclear("mx.example", "Host not found"),
                Recipient,
                to,
                "450 4.4.4 <b@b.example>: Recipient address rejected: Unable to look up host mx.example as mail exchanger: Host not found",
            ),
            (
                Reason::OwnExchangerUnclear("mx.example", "Host not found"),
                Recipient,
                to,
                "450 4.4.4 <b@b.example>: Recipient address rejected: Unable to look up mail exchanger host mx.example: Host not found",
            ),
            (
                Reason::LookupFailed,
                Recipient,
                to,
                "451 4.3.0 <b@b.example>: Temporary lookup failure",
            ),
            (Reason::Configuration, Recipient, to, "451 4.3.5 Server configuration error"),
        ] {
            assert_eq!(said(reason, subject, value), expected);
        }
    }

    #[test]
    fn a_code_that_refuses_nothing_becomes_a_deferral() {
        for code in [0, 250, 354, 600] {
            let reason = Reason::Table(code, Enhanced(5, 7, 1), "x");
            assert_eq!(said(reason, Subject::Client, "x"), "450 4.7.1 Service unavailable");
        }
    }

    #[test]
    fn of_what_a_next_hop_says_so_much_is_repeated_as_by_postfix() {
        let why = "é".repeat(600);
        let later = said(Reason::Unverified(450, &why), Subject::Sender, "a@b");
        assert_eq!(later.matches('é').count(), 125);
        let never = said(Reason::Unverified(550, &why), Subject::Sender, "a@b");
        assert!(never.matches('é').count() > 125 && never.len() <= 510);
    }

    #[test]
    fn what_a_peer_or_a_table_says_stays_on_one_short_line() {
        let value = format!("a\r\n250 ok\0{}", "é".repeat(600));
        let reply = Reason::Denied
            .reply(Who { subject: Subject::Helo, value: &value }, &Settings::default());
        assert!(!reply.text.contains(char::is_control));
        assert!(reply.to_string().len() <= 510);
    }
}
