//! The configuration in a few lines, for `mailweir check` and the start of `mailweir serve`.

use super::{
    CertificateSource, Config, Engine, Listener, ListenerTls, MinTlsVersion, Mode, NextHop,
    ProxyProtocol, Route, RouteTls, units::shown,
};

impl Config {
    /// What this configuration makes of the gateway: a line per listener and per route, then
    /// domains, certificate, queue, users, limits and UI. Each line is ended.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut rows = vec![("gateway", self.server.hostname.to_string())];
        rows.extend(self.listeners.iter().map(|listener| ("listener", listener.describe())));
        rows.push(("accepts for", or(&joined(&self.domains.relay), "no domain from outside")));
        rows.extend(self.routes.iter().map(|route| ("route", route.describe())));
        rows.push(("certificate", self.describe_certificate()));
        rows.push(("data", self.describe_data()));
        rows.push(("queue", self.describe_queue()));
        rows.push(("users", self.auth.users_file.display().to_string()));
        rows.push(("limits", self.describe_limits()));
        rows.push(("web UI", self.describe_admin()));
        if !self.metrics.bind.is_empty() {
            rows.push(("metrics", joined(&self.metrics.bind)));
        }
        in_columns(&rows)
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

impl Listener {
    fn describe(&self) -> String {
        let tls = match self.tls {
            ListenerTls::None => "no TLS",
            ListenerTls::Optional => "STARTTLS offered",
            ListenerTls::Required => "STARTTLS required",
            ListenerTls::Implicit => "TLS from the first byte",
        };
        let mut parts = vec![tls.to_owned()];
        match self.mode {
            Mode::Submission => parts.push("log-in required".to_owned()),
            Mode::Mx => {}
            Mode::Filter => parts.push("mail comes back from filters here".to_owned()),
            Mode::Lmtp => parts.push("LMTP".to_owned()),
        }
        if self.auth_in_clear {
            parts.push("AUTH also without TLS".to_owned());
        }
        if let ProxyProtocol::From(hosts) = &self.proxy {
            parts.push(format!("behind proxies at {}", joined(hosts)));
        }
        if !self.networks.is_empty() {
            let who = match self.mode {
                Mode::Mx | Mode::Submission => "relays freely for",
                Mode::Filter | Mode::Lmtp => "for",
            };
            parts.push(format!("{who} {}", joined(&self.networks)));
        }
        format!("{} on {}: {}", self.name, joined(&self.bind), parts.join(", "))
    }
}

impl Route {
    fn describe(&self) -> String {
        let tls = match self.tls {
            RouteTls::None => "no TLS",
            RouteTls::Opportunistic => "TLS if offered",
            RouteTls::Required => "TLS required",
            RouteTls::Verify => "TLS with a verified certificate",
        };
        let to = match &self.to {
            NextHop::Relay(relay) => format!("{relay}, {tls}"),
            NextHop::Mx => format!("MX of the domain, {tls}"),
            NextHop::Discard => "thrown away".to_owned(),
        };
        let login = self.login.as_ref().map(|login| format!(", as {}", login.username));
        format!("{} -> {to}{}", joined(&self.domains), login.unwrap_or_default())
    }
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
        text += &format!("  {shown:<12}{value}\n");
        last = label;
    }
    text
}
