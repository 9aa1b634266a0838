//! The configuration in a few lines, for `mailweir check` and the start of `mailweir serve`.

use mailweir_auth::PasswordCheck;
use mailweir_moderation::chain::TrustedEntry;

use super::{
    Archive, Auth, AuthBackend, BackendKind, CertificateSource, Config, Engine, Listener,
    ListenerTls, MilterServer, MinTlsVersion, Mode, ModerationRule, NextHop, PolicyServer,
    ProxyProtocol, Route, RouteTls, TableSummary, units::shown,
};

impl Config {
    /// What this configuration makes of the gateway: a line per listener and per route, then
    /// domains, certificate, queue, users, limits and UI. Each line is ended.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut rows = vec![("gateway", self.server.hostname.to_string())];
        let listeners: Vec<_> = self.listeners.iter().map(Listener::describe).collect();
        rows.extend(aligned(&listeners).into_iter().map(|line| ("listeners", line)));
        rows.push(("accepts for", or(&joined(&self.domains.relay), "no domain from outside")));
        let routes: Vec<_> = self.routes.iter().map(Route::describe).collect();
        rows.extend(aligned(&routes).into_iter().map(|line| ("routes", line)));
        rows.push(("certificate", self.describe_certificate()));
        rows.push(("data", self.describe_data()));
        rows.push(("queue", self.describe_queue()));
        rows.extend(self.tables.iter().map(|table| ("tables", table.describe())));
        let trusted = &self.moderation.trusted_hosts;
        if !trusted.is_empty() {
            let entries: Vec<_> = trusted.iter().map(TrustedEntry::as_str).collect();
            rows.push(("trusts", format!("mail that came through {} only", entries.join(" "))));
        }
        rows.extend(self.describe_moderation());
        let servers = self.policy_servers.iter().map(PolicyServer::describe);
        let milters = self.milter_servers.iter().map(MilterServer::describe);
        let servers: Vec<_> = servers.chain(milters).collect();
        rows.extend(aligned(&servers).into_iter().map(|line| ("asked at", line)));
        rows.extend(self.filters.describe().map(|line| ("filters", line)));
        let archive = self.archive.iter().flat_map(Archive::describe);
        rows.extend(archive.map(|line| ("archives", line)));
        rows.extend(self.dkim.iter().map(|key| ("signs", key.describe())));
        rows.extend(self.spam.iter().map(|spam| ("strangers", spam.describe())));
        let backends: Vec<_> = self.auth.backends.iter().map(|b| b.describe(&self.auth)).collect();
        rows.extend(aligned(&backends).into_iter().map(|line| ("log-ins by", line)));
        rows.push(("limits", self.describe_limits()));
        rows.push(("web UI", self.describe_admin()));
        if !self.api_tokens.is_empty() {
            let tokens = self.api_tokens.iter();
            let tokens: Vec<String> =
                tokens.map(|token| format!("{} ({}s)", token.name, token.rights)).collect();
            rows.push(("API tokens", tokens.join(", ")));
        }
        if !self.metrics.bind.is_empty() {
            rows.push(("metrics", joined(&self.metrics.bind)));
        }
        in_columns(&rows)
    }

    fn describe_moderation(&self) -> Vec<(&'static str, String)> {
        let moderation = &self.moderation;
        let moderators = moderation.moderators.iter();
        let moderators: Vec<_> =
            moderators.map(|one| one.describe(&moderation.time_zone)).collect();
        let rules: Vec<_> = moderation.rules.iter().map(ModerationRule::describe).collect();
        let mut rows = Vec::new();
        if !rules.is_empty() {
            rows.push(("time zone", moderation.time_zone.to_string()));
        }
        rows.extend(aligned(&moderators).into_iter().map(|line| ("moderators", line)));
        rows.extend(aligned(&rules).into_iter().map(|line| ("mail waits", line)));
        if !rules.is_empty() {
            rows.extend(moderation.describe_bypass().map(|mail| ("needs nobody", mail)));
        }
        rows
    }

    fn describe_certificate(&self) -> String {
        let versions = match self.tls.min_version {
            MinTlsVersion::Tls12 => "TLS 1.2 and 1.3",
            MinTlsVersion::Tls13 => "TLS 1.3",
        };
        match &self.tls.certificate {
            CertificateSource::SelfSigned => {
                format!("self-signed, made at first start; {versions}")
            }
            CertificateSource::Files { certificate_file, .. } => {
                format!("{}; {versions}", certificate_file.display())
            }
        }
    }

    fn describe_data(&self) -> String {
        let engine = match self.queue.engine {
            Engine::Fjall => "",
            Engine::Sled => " (engine sled)",
        };
        let floor = self.queue.queue_minfree;
        format!(
            "{}{engine}; refuses mail below {floor} of free space",
            self.server.data_dir.display()
        )
    }

    fn describe_queue(&self) -> String {
        let queue = &self.queue;
        format!(
            "tried every {} to {}, returned after {}",
            shown(queue.minimal_backoff_time),
            shown(queue.maximal_backoff_time),
            shown(queue.maximal_queue_lifetime)
        )
    }

    fn describe_limits(&self) -> String {
        let limits = &self.limits;
        let size = match limits.message_size_limit.bytes() {
            0 => "mail of any size".to_owned(),
            _ => format!("mail up to {}", limits.message_size_limit),
        };
        format!("{size}, {} recipients, {} sessions", limits.recipient_limit, limits.session_limit)
    }

    fn describe_admin(&self) -> String {
        let bind = or(&joined(&self.admin.bind), "none");
        match &self.admin.public_url {
            Some(url) => format!("{bind}, known as {}", url.as_str()),
            None => bind,
        }
    }
}

impl TableSummary {
    fn describe(&self) -> String {
        let Self { name, rules, backtracking } = self;
        let rules = match rules {
            None => "asked when needed".to_owned(),
            Some(1) => "1 rule".to_owned(),
            Some(rules) => format!("{rules} rules"),
        };
        let lines: Vec<_> = backtracking.iter().take(MOST_LINES).map(u32::to_string).collect();
        let more = if backtracking.len() > lines.len() { ", ..." } else { "" };
        let slow = match &*lines {
            [] => String::new(),
            [line] => format!(", backtracking in line {line}"),
            lines => format!(", backtracking in lines {}{more}", lines.join(", ")),
        };
        format!("{name}: {rules}{slow}")
    }
}

impl Listener {
    fn describe(&self) -> [String; 3] {
        let tls = match self.tls {
            ListenerTls::None => "no TLS",
            ListenerTls::Optional => "STARTTLS offered",
            ListenerTls::Required => "STARTTLS required",
            ListenerTls::Implicit => "TLS from the first byte",
        };
        let mut parts = vec![tls.to_owned()];
        parts.extend(self.describe_trust());
        if self.auth_in_clear {
            parts.push("AUTH also without TLS".to_owned());
        }
        if let ProxyProtocol::From(hosts) = &self.proxy {
            parts.push(format!("behind the proxies {}", joined(hosts)));
        }
        [self.name.to_string(), joined(&self.bind), parts.join(", ")]
    }

    fn describe_trust(&self) -> Option<String> {
        let peers = joined(&self.networks);
        match self.mode {
            Mode::Mx if peers.is_empty() => None,
            Mode::Mx => Some(format!("relay for {peers}")),
            Mode::Submission if peers.is_empty() => Some("login required".to_owned()),
            Mode::Submission => Some(format!("login required except for {peers}")),
            Mode::Filter => Some(format!("mail back from the filters at {peers}")),
            Mode::Lmtp => Some(format!("LMTP from {peers}")),
        }
    }
}

impl Route {
    fn describe(&self) -> [String; 3] {
        let tls = match self.tls {
            RouteTls::None => "no TLS",
            RouteTls::Opportunistic => "TLS if offered",
            RouteTls::Required => "TLS required",
            RouteTls::Verify => "TLS with a verified certificate",
        };
        let login = self.login.as_ref().map(|login| format!(", login {}", login.username));
        let (to, how) = match &self.to {
            NextHop::Relay(relay) => (relay.to_string(), tls),
            NextHop::Mx => ("MX of the domain".to_owned(), tls),
            NextHop::Discard => ("thrown away".to_owned(), ""),
        };
        [joined(&self.domains), to, format!("{how}{}", login.unwrap_or_default())]
    }
}

impl AuthBackend {
    fn describe(&self, auth: &Auth) -> [String; 3] {
        let (what, scram) = match &self.kind {
            BackendKind::Users => (auth.users_file.display().to_string(), true),
            BackendKind::PasswdFile(file) => (file.path.display().to_string(), file.scram),
            BackendKind::Saslauthd(daemon) => (daemon.socket.display().to_string(), false),
            BackendKind::Dovecot(dovecot) => (dovecot.server.to_string(), dovecot.scram),
            BackendKind::Ldap(ldap) => {
                let scram = matches!(ldap.password, PasswordCheck::Read { scram: true, .. });
                (ldap.url.to_string(), scram)
            }
            BackendKind::Sql(sql) => (sql.url.to_string(), sql.scram),
            BackendKind::OAuth(oauth) => {
                return self.row(oauth.issuer.to_string(), "access tokens");
            }
            BackendKind::Certificate => {
                return self.row("client_ca_file of the listener".into(), "client certificates");
            }
        };
        self.row(what, if scram { "passwords, SCRAM" } else { "passwords" })
    }

    fn row(&self, what: String, how: &str) -> [String; 3] {
        [self.name.to_string(), what, how.to_owned()]
    }
}

/// Rows in three columns. A wide cell in one row does not push all others to the right.
fn aligned(rows: &[[String; 3]]) -> Vec<String> {
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.filter(|width| *width <= WIDEST_CELL).max().unwrap_or(0)
    };
    let (first, second) = (width(0), width(1));
    rows.iter()
        .map(|[a, b, c]| format!("{a:<first$}  {b:<second$}  {c}").trim_end().to_owned())
        .collect()
}

fn joined(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn or(text: &str, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text.to_owned() }
}

/// One row per line; a label that repeats is written once.
fn in_columns(rows: &[(&str, String)]) -> String {
    let mut text = String::new();
    let mut last = "";
    for (label, value) in rows {
        let shown = if *label == last { "" } else { label };
        text += &format!("  {shown:<13}{value}\n");
        last = label;
    }
    text
}

const WIDEST_CELL: usize = 40;

/// Of a table of slow patterns, not every line is named.
const MOST_LINES: usize = 10;
