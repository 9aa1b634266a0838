//! Settings that are one of a few words.
//!
//! [`choices!`] keeps the words of the file, the variants of the type, and the text "what is
//! allowed" in one place.

use super::{
    setting::{Refusal, Setting},
    value::RawValue,
};

/// Declares an enum whose variants are words of the file.
macro_rules! choices {
    ($(#[$meta:meta])* $vis:vis enum $name:ident {
        $(#[doc = $first_doc:literal])+ $first:ident = $first_word:literal,
        $( $(#[doc = $doc:literal])+ $variant:ident = $word:literal, )*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $name {
            $(#[doc = $first_doc])+ $first,
            $( $(#[doc = $doc])+ $variant, )*
        }

        impl $name {
            /// The word of the file.
            #[must_use]
            $vis const fn as_str(self) -> &'static str {
                match self { Self::$first => $first_word, $( Self::$variant => $word, )* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Setting for $name {
            const ALLOWED: &'static str =
                concat!("\"", $first_word, "\"", $( " | \"", $word, "\"" ),*);
            const EXAMPLE: &'static str = concat!("\"", $first_word, "\"");

            fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
                value.one_of(&[($first_word, Self::$first), $( ($word, Self::$variant) ),*])
            }
        }
    };
}

pub(super) use choices;

choices! {
    /// Who is expected at a listener.
    pub enum Mode {
        /// Mail servers of the internet, with mail for our domains.
        Mx = "mx",
        /// People and programs that log in.
        Submission = "submission",
        /// A trusted Postfix that hands mail back after its filters (SMTP).
        Filter = "filter",
        /// A trusted peer that speaks LMTP (RFC 2033).
        Lmtp = "lmtp",
    }
}

choices! {
    /// What becomes of new mail while the archive cannot be written.
    pub enum IfUnwritable {
        /// It is put off.
        Defer = "defer",
        /// It is taken, with an alarm.
        Accept = "accept",
    }
}

choices! {
    /// What becomes of mail that fails the DMARC policy of its author's domain.
    pub(super) enum DmarcPolicy {
        /// It is held, be it refusal that the policy asks for or suspicion.
        Quarantine = "quarantine",
        /// What the policy asks for.
        Obey = "obey",
        /// Nothing.
        Note = "note",
    }
}

choices! {
    /// What becomes of mail that has known malware.
    pub(super) enum IfMalware {
        /// It is thrown away, and its client told that it was taken.
        Discard = "discard",
        /// It is held.
        Quarantine = "quarantine",
        /// It is refused.
        Reject = "reject",
    }
}

choices! {
    /// What becomes of mail of which name servers do not tell what must be known.
    pub(super) enum IfUnclear {
        /// It goes on.
        Accept = "accept",
        /// It is put off.
        Defer = "defer",
    }
}

choices! {
    /// Which strangers are greylisted.
    pub(super) enum WrittenGreylist {
        /// Nobody is.
        Never = "never",
        /// Those of whom nothing good is known.
        Suspicious = "suspicious",
        /// All are.
        Always = "always",
    }
}

choices! {
    /// What a rule of the archive does.
    pub(super) enum KeepOrSkip {
        /// The mail is kept.
        Keep = "keep",
        /// The mail is left out.
        Skip = "skip",
    }
}

choices! {
    /// Which way a mail goes.
    pub(super) enum MailDirection {
        /// From elsewhere.
        Inbound = "inbound",
        /// From people or hosts of ours to elsewhere.
        Outbound = "outbound",
        /// From people or hosts of ours to domains of ours.
        Internal = "internal",
        /// Of the gateway itself.
        Own = "own",
    }
}

choices! {
    /// What is done while DNS cannot tell about a name.
    pub enum TempfailAction {
        /// The mail is put off if nothing else refuses it.
        DeferIfPermit = "defer_if_permit",
        /// It is put off at once.
        Defer = "defer",
    }
}

choices! {
    /// What a back end is.
    pub(super) enum BackendType {
        /// Our own user store.
        Users = "users",
        /// A file in the form of Dovecot's passwd-file, of htpasswd or of shadow(5).
        PasswdFile = "passwd-file",
        /// A saslauthd.
        Saslauthd = "saslauthd",
        /// A Dovecot.
        Dovecot = "dovecot",
        /// An LDAP server, or Active Directory.
        Ldap = "ldap",
        /// A PostgreSQL, MySQL or MariaDB database.
        Sql = "sql",
        /// Access tokens of an issuer.
        OAuth = "oauth",
        /// Whoever has a trusted certificate.
        Certificate = "certificate",
    }
}

choices! {
    /// How a password is checked at an LDAP server.
    pub(super) enum WrittenPasswordCheck {
        /// The user binds with it.
        Bind = "bind",
        /// The server compares it.
        Compare = "compare",
        /// We read what is kept of it, and check it ourselves.
        Read = "read",
    }
}

choices! {
    /// How deep a search for users goes.
    pub(super) enum WrittenScope {
        /// The base and all below it.
        Sub = "sub",
        /// What stands right below the base.
        One = "one",
        /// The base itself.
        Base = "base",
    }
}

choices! {
    /// Which sender addresses somebody who logged in may use.
    pub enum SenderPolicy {
        /// Any.
        Any = "any",
        /// The login itself, and what the maps give it.
        Own = "own",
        /// What the maps give the login.
        Maps = "maps",
    }
}

choices! {
    /// Whether a chain of trusted hosts may begin in a way that shows no trusted address.
    pub(super) enum Origin {
        /// It may not.
        Strict = "strict",
        /// It may.
        Accept = "accept",
    }
}

choices! {
    /// How hops within a trusted host are recognised.
    pub(super) enum InnerHops {
        /// By loopback addresses that are listed.
        Listed = "listed",
        /// Also by the name of the host.
        SameHost = "same_host",
    }
}

choices! {
    /// What a rule of moderation does.
    pub(super) enum RuleAction {
        /// People approve.
        Approval = "approval",
        /// It waits a while, in which the sender may take it back.
        Delay = "delay",
        /// The sender confirms.
        Confirmation = "confirmation",
        /// It goes, and people hear of it.
        Notice = "notice",
        /// It goes.
        Accept = "accept",
    }
}

choices! {
    /// What happens to a mail about which nobody decided in time.
    pub(super) enum WrittenAtExpiry {
        /// It is refused, and its sender hears it.
        Reject = "reject",
        /// It is sent.
        Release = "release",
        /// It is thrown away.
        Discard = "discard",
    }
}

choices! {
    /// What of a mail is attached to notices.
    pub enum Attach {
        /// All of it.
        Original = "original",
        /// Its header.
        Header = "header",
        /// Nothing.
        None = "none",
    }
}

choices! {
    /// What a token of the API may do.
    pub enum ApiRights {
        /// See held mail.
        Read = "read",
        /// Decide about it as an administrator, too.
        Decide = "decide",
        /// See held mail, and all of the archive.
        Audit = "audit",
    }
}

choices! {
    /// What a client that is not logged in hears when it uses an address that has an owner.
    pub enum Unauthenticated {
        /// It may.
        Accept = "accept",
        /// It may not (Postfix `reject_unauthenticated_sender_login_mismatch`).
        Reject = "reject",
    }
}

choices! {
    /// What a listener does about TLS.
    pub enum ListenerTls {
        /// No TLS.
        None = "none",
        /// STARTTLS is offered.
        Optional = "optional",
        /// No mail before STARTTLS.
        Required = "required",
        /// TLS from the first byte (RFC 8314).
        Implicit = "implicit",
    }
}

choices! {
    /// What a lone LF or CR means (Postfix `smtpd_forbid_bare_newline`).
    pub enum BareNewline {
        /// A line end, but never part of the end of the content.
        Normalize = "normalize",
        /// The mail is refused.
        Reject = "reject",
        /// As [`Self::No`], and logged.
        Note = "note",
        /// A line end everywhere.
        No = "no",
    }
}

choices! {
    /// The oldest version of TLS that listeners speak.
    pub enum MinTlsVersion {
        /// TLS 1.2 (RFC 5246) and 1.3.
        Tls12 = "1.2",
        /// TLS 1.3 only (RFC 8446).
        Tls13 = "1.3",
    }
}

choices! {
    /// What the file may say about TLS of a route: [`RouteTls`](super::RouteTls), and what is
    /// understood but not built yet.
    pub(super) enum WrittenRouteTls {
        /// No TLS.
        None = "none",
        /// TLS if offered.
        Opportunistic = "opportunistic",
        /// No mail without TLS.
        Required = "required",
        /// And the certificate must name the host.
        Verify = "verify",
        /// The certificate must match DNSSEC (RFC 7672).
        Dane = "dane",
    }
}

choices! {
    /// What a Postfix is told about mail that may need an approval.
    pub(super) enum WrittenPolicyAction {
        /// To hand it to us.
        Filter = "filter",
        /// To hold it.
        Hold = "hold",
    }
}

choices! {
    /// What a mail server that asks as a milter is told about mail that the rules hold.
    pub enum IfHeld {
        /// To hold it itself.
        Quarantine = "quarantine",
        /// To let its client try again later.
        Tempfail = "tempfail",
    }
}

choices! {
    /// The engine of the store.
    pub enum Engine {
        /// The default.
        Fjall = "fjall",
        /// Needs the cargo feature `engine-sled`.
        Sled = "sled",
    }
}

choices! {
    /// The shape of the log.
    pub enum LogFormat {
        /// Text on a terminal, JSON elsewhere.
        Auto = "auto",
        /// Lines in Postfix's shape.
        Text = "text",
        /// One JSON object per line.
        Json = "json",
    }
}

choices! {
    /// What a filter of other people is.
    pub(super) enum FilterType {
        /// A server that takes mail by SMTP or LMTP.
        Smtp = "smtp",
        /// One that gets it while its client waits.
        Proxy = "proxy",
        /// A program that reads the mail.
        Pipe = "pipe",
        /// ClamAV.
        Clamd = "clamd",
        /// SpamAssassin.
        Spamd = "spamd",
        /// Rspamd.
        Rspamd = "rspamd",
        /// One that speaks the milter protocol.
        Milter = "milter",
    }
}

choices! {
    /// What becomes of mail when a filter fails.
    pub enum IfFailed {
        /// It is tried again later.
        Defer = "defer",
        /// It waits for an administrator.
        Hold = "hold",
        /// It goes on without it.
        Pass = "pass",
        /// It goes back to its sender.
        Reject = "reject",
    }
}

choices! {
    /// What ends a line.
    pub(super) enum LineEnd {
        /// As files of this system have it.
        Lf = "lf",
        /// As mail has it.
        Crlf = "crlf",
    }
}

choices! {
    /// What becomes of infected mail.
    pub(super) enum IfInfected {
        /// The client hears a 554.
        Reject = "reject",
        /// It waits for an administrator.
        Hold = "hold",
        /// It is taken and thrown away.
        Discard = "discard",
    }
}

choices! {
    /// What becomes of mail that is too large to be looked at.
    pub enum IfLarger {
        /// It goes on.
        Pass = "pass",
        /// The filter has failed.
        Fail = "fail",
    }
}
