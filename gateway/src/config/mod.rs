//! The configuration: `mailweir.toml` and the environment in, one checked [`Config`] out.
//!
//! The file is untrusted: it is walked against the schema (`schema.rs`) and every problem in it is
//! reported at once, with its line and what is allowed. A [`Config`] exists only if there was no
//! error, and holds only values the gateway can use. Parsing is pure: the environment, the name
//! of the machine and the reading of files are arguments. What a value does is decided elsewhere.

mod address_verify;
mod api_token;
mod archive;
pub(crate) mod archive_keys;
mod asked_at;
mod backend;
mod before_data;
mod charset;
mod check;
mod checks;
mod choice;
mod describe;
mod dkim;
mod environment;
mod filter;
mod hosts;
mod listener;
mod load;
mod mechanism;
mod milter_server;
mod moderation;
mod nearest;
mod next_hop;
mod pattern;
mod policy_server;
mod problem;
mod raw;
mod reference;
mod relations;
mod reply_code;
mod report;
mod restrictions;
mod rewriting;
mod route;
mod schema;
mod section;
mod senders;
mod setting;
mod spam;
mod table;
mod throttle;
mod units;
mod value;
mod words;

#[cfg(test)]
mod tests;

use std::{
    cell::RefCell,
    io,
    net::{Ipv4Addr, Ipv6Addr},
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

use mailweir_auth::{Quotas, ThrottleLimits};
use mailweir_mail::Domain;

use crate::time_zone::TimeZone;

pub use self::{
    address_verify::{AddressVerify, VerifySender},
    api_token::ApiToken,
    archive::Archive,
    asked_at::AskedAt,
    backend::{AuthBackend, BackendKind},
    before_data::{BeforeData, Greylisted, Greylisting},
    charset::CharsetName,
    checks::CheckTables,
    choice::{
        ApiRights, Attach, BareNewline, Engine, IfFailed, IfHeld, IfLarger, IfUnwritable,
        ListenerTls, LogFormat, MinTlsVersion, Mode, SenderPolicy, TempfailAction, Unauthenticated,
    },
    dkim::DkimKey,
    filter::{
        Filter, FilterKind, Filters, MilterFilter, PipeFilter, Scanner, ScannerFilter, SmtpFilter,
        User,
    },
    listener::{Listener, ListenerLimits, ProxyProtocol},
    milter_server::MilterServer,
    moderation::{Bypass, Digest, Mailbox, Moderation, ModerationRule, Moderator, OneLine},
    next_hop::{Host, NextHop, Relay, RelayProtocol},
    pattern::DomainPattern,
    policy_server::{PolicyAction, PolicyServer},
    problem::{Location, Problem, Severity},
    reference::{default_file, reference},
    report::{Colour, report},
    restrictions::ListenerRestrictions,
    rewriting::{
        AddressClass, ExtensionUser, HeaderRewriteClient, NameOrTable, RecipientClass, SenderClass,
    },
    route::{AuthExposure, Route, RouteLogin, RouteTls, Routes},
    schema::{Admin, Checks, Dns, Domains, Limits, Log, Metrics, Queue, Rewriting},
    senders::Senders,
    spam::Spam,
    table::{TableName, TableSummary},
    units::ByteSize,
    words::{HttpUrl, Secret},
};
use self::{
    problem::{Problems, SourceFile},
    raw::RawConfig,
};

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]`: the gateway itself.
    pub server: Server,
    /// `[domains]`: whose mail we accept.
    pub domains: Domains,
    /// `[[listener]]`: where mail comes in; at least one.
    pub listeners: Vec<Listener>,
    /// `[limits]`: what holds for all listeners. What may differ is in [`Listener::limits`].
    pub limits: Limits,
    /// `[tls]`: the certificate of the listeners.
    pub tls: Tls,
    /// `[[route]]`: where mail goes.
    pub routes: Routes,
    /// `[dns]`: name look-ups.
    pub dns: Dns,
    /// `[queue]`: retries and space.
    pub queue: Queue,
    /// `[smtp]`: delivery.
    pub smtp: Smtp,
    /// `[auth]`: who may log in.
    pub auth: Auth,
    /// `[address_verify]`: how addresses are tried out.
    pub address_verify: AddressVerify,
    /// `[checks]`: limits of the checks of content. The tables are in [`Listener::checks`].
    pub checks: Checks,
    /// `[rewriting]`: what becomes of addresses, and where mail goes by tables.
    pub rewriting: Rewriting,
    /// `[moderation]`: which mail waits for people, and which is trusted.
    pub moderation: Moderation,
    /// `[[policy_server]]`: where a Postfix in front asks which mail needs an approval.
    pub policy_servers: Vec<PolicyServer>,
    /// `[[milter_server]]`: where a mail server asks us as a milter.
    pub milter_servers: Vec<MilterServer>,
    /// `[[filter]]`: the filters of other people that mail passes.
    pub filters: Filters,
    /// `[archive]`: what is archived; `None`: nothing is.
    pub archive: Option<Archive>,
    /// `[[dkim]]`: what mail of our own people is signed with.
    pub dkim: Vec<DkimKey>,
    /// `[spam]`: what is found out about mail of strangers; `None`: nothing is.
    pub spam: Option<Spam>,
    /// The tables that were read, as they were then.
    pub tables: Vec<TableSummary>,
    /// `[admin]`: the web UI and the health checks.
    pub admin: Admin,
    /// `[[admin.api_token]]`: programs that use the API as administrators.
    pub api_tokens: Vec<ApiToken>,
    /// `[log]`: the log.
    pub log: Log,
    /// `[metrics]`: counters.
    pub metrics: Metrics,
}

impl Config {
    /// Checks the text of a file. Pure but for `around.files`, which reads certificates and
    /// passwords.
    ///
    /// # Errors
    /// All problems, if one of them is an error.
    pub fn parse(
        path: &Path,
        text: &str,
        around: &Surroundings<'_>,
    ) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        let mut problems = Problems::of(SourceFile { path, text });
        let mut raw = RawConfig::parse(text, &mut problems);
        environment::overlay(&mut raw, around.environment, &mut problems);
        let named = RefCell::new(vec![path.to_owned()]);
        let read = |file: &Path| {
            named.borrow_mut().push(file.to_owned());
            (around.files)(file)
        };
        let config = check::config(&raw, &Surroundings { files: &read, ..*around }, &mut problems);
        if let Some(config) = &config {
            address_verify::check_map(&raw, config, named.take(), &mut problems);
        }
        match config {
            Some(config) if !problems.has_error() => Ok((config, problems.sorted())),
            _ => Err(problems.sorted()),
        }
    }
}

/// What a configuration depends on besides its text.
pub struct Surroundings<'a> {
    /// The environment; only names that begin with `MAILWEIR_` count.
    pub environment: &'a [(String, String)],
    /// What the machine calls itself.
    pub machine_name: Option<&'a str>,
    /// Where the machine stands; `None`: in UTC.
    pub time_zone: Option<&'a TimeZone>,
    /// How to read a file that the configuration names.
    pub files: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
}

/// `[server]`: the gateway itself.
#[derive(Clone, Debug)]
pub struct Server {
    /// The name in the banner, in EHLO and in Received headers.
    pub hostname: Domain,
    /// The directory of everything that must survive.
    pub data_dir: PathBuf,
    /// Where its people live.
    pub time_zone: TimeZone,
}

/// `[tls]`: what listeners show and speak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Where the certificate comes from.
    pub certificate: CertificateSource,
    /// The oldest version that is spoken.
    pub min_version: MinTlsVersion,
}

/// Where the certificate of the listeners comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateSource {
    /// Made at first start and kept in `data_dir`.
    SelfSigned,
    /// Two PEM files. They were readable when the configuration was checked.
    Files {
        /// The certificate with its chain.
        certificate_file: PathBuf,
        /// The private key.
        key_file: PathBuf,
    },
}

/// `[smtp]`: delivery by SMTP and LMTP.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// The name in our EHLO.
    pub helo_name: Domain,
    /// The local IPv4 address to connect from; `None`: the system chooses.
    pub bind_address: Option<Ipv4Addr>,
    /// The local IPv6 address to connect from; `None`: the system chooses.
    pub bind_address6: Option<Ipv6Addr>,
    /// How long each step of a delivery may take.
    pub timeouts: SmtpTimeouts,
    /// When a connection is used again.
    pub reuse: ConnectionReuse,
    /// The most connections to all destinations together.
    pub session_limit: NonZeroU32,
    /// How many addresses of mail servers are tried for one mail; 0: all.
    pub mx_address_limit: u32,
    /// How many of them may answer before the mail waits; 0: all.
    pub mx_session_limit: u32,
}

/// How long each step of a delivery may take, by Postfix's names (`smtp_connect_timeout`, ...).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmtpTimeouts {
    /// For the connection to come about.
    pub connect: Duration,
    /// For the banner, and for the answer to EHLO.
    pub helo: Duration,
    /// For the answer to STARTTLS, and for the handshake.
    pub starttls: Duration,
    /// For the answer to MAIL.
    pub mail: Duration,
    /// For the answer to RCPT.
    pub rcpt: Duration,
    /// For the answer to DATA.
    pub data_init: Duration,
    /// For the peer to take some content.
    pub data_xfer: Duration,
    /// For the answer to the end of the content.
    pub data_done: Duration,
    /// For the answer to RSET.
    pub rset: Duration,
    /// For the answer to QUIT.
    pub quit: Duration,
}

/// When a connection is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionReuse {
    /// How long an unused connection is kept open; zero: not at all.
    pub cache_time_limit: Duration,
    /// How long one connection may be used again.
    pub time_limit: Duration,
    /// How many mails may go over one connection; 0: no limit.
    pub count_limit: u32,
}

/// `[auth]`: who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// The file of users that `mailweir user` writes. It need not exist yet.
    pub users_file: PathBuf,
    /// Who knows the users, in the order in which they are asked; at least one.
    pub backends: Vec<AuthBackend>,
    /// How many failed log-ins are borne.
    pub throttle: ThrottleLimits,
    /// `[auth.senders]`: which sender addresses they may use.
    pub senders: Senders,
    /// `[auth.limits]`: how much they may send.
    pub limits: Quotas,
}
