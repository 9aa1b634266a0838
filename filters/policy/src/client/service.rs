//! Where a policy server is, and on which terms it is asked.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

/// A policy server as a restriction names it: `inet:127.0.0.1:10023`, `unix:/run/policy`, or
/// `{ inet:127.0.0.1:10023, timeout = 10s, default_action = DUNNO }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    name: Box<str>,
    server: Server,
    own: OwnTerms,
}

/// Where to connect to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Server {
    /// By TCP: a host name or an address without brackets, and a port.
    Inet(Box<str>, u16),
    /// A local socket, by its absolute path.
    Unix(PathBuf),
}

/// On which terms servers are asked (Postfix `smtpd_policy_service_...`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// For connecting, asking and being answered together.
    pub timeout: Duration,
    /// How long a connection waits for the next question.
    pub max_idle: Duration,
    /// How long a connection is used in all.
    pub max_ttl: Duration,
    /// How many questions one connection carries; 0: any number.
    pub request_limit: u32,
    /// How often a question is asked until there is an answer, 1 or more.
    pub try_limit: u32,
    /// The pause before it is asked again.
    pub retry_delay: Duration,
    /// What is done without an answer: an action of access(5).
    pub default_action: Box<str>,
    /// What the server hears as `policy_context`.
    pub context: Box<str>,
}

/// Terms of one server instead of those of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct OwnTerms {
    timeout: Option<Duration>,
    max_idle: Option<Duration>,
    max_ttl: Option<Duration>,
    request_limit: Option<u32>,
    try_limit: Option<u32>,
    retry_delay: Option<Duration>,
    default_action: Option<Box<str>>,
    context: Option<Box<str>>,
}

/// What is no policy service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// No place.
    #[error("{0:?} is no policy server; write inet:host:port or unix:/path")]
    Server(Box<str>),
    /// A path that begins nowhere.
    #[error(
        "unix:{0} begins nowhere: there is no queue_directory here; write the path from the root on"
    )]
    Relative(Box<str>),
    /// A brace is missing.
    #[error("a brace without its other half in {0:?}")]
    Brace(Box<str>),
    /// An option without `=`.
    #[error(
        "{0:?} is no option; write name=value, or {{ name = value }} for a value with blanks or commas"
    )]
    NoValue(Box<str>),
    /// No such option.
    #[error(
        "there is no option {0:?}; there are timeout, max_idle, max_ttl, request_limit, try_limit, retry_delay, default_action and policy_context"
    )]
    Option(Box<str>),
    /// A value that cannot be.
    #[error("{name}: {value:?} is no {expected}")]
    Value {
        /// The option.
        name: Box<str>,
        /// As it was written.
        value: Box<str>,
        /// What it should be.
        expected: &'static str,
    },
}

impl Service {
    /// Reads what stands behind `check_policy_service`.
    ///
    /// # Errors
    /// What is wrong, and what to write instead.
    pub fn parse(written: &str) -> Result<Self, ServiceError> {
        let Some(inner) = written.trim().strip_prefix('{') else {
            return Ok(Self {
                name: written.into(),
                server: written.parse()?,
                own: OwnTerms::default(),
            });
        };
        let inner = inner.strip_suffix('}').ok_or_else(|| ServiceError::Brace(written.into()))?;
        let inner = inner.trim_start_matches(SEPARATORS);
        let (name, options) = inner.split_at(inner.find(SEPARATORS).unwrap_or(inner.len()));
        let (server, mut own) = (name.parse()?, OwnTerms::default());
        let mut rest = options;
        while let Some((name, value)) = next_option(&mut rest)? {
            own.set(name, value)?;
        }
        Ok(Self { name: name.into(), server, own })
    }

    /// The name in logs: the place as it was written.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is.
    #[must_use]
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// What is done without an answer, if it has a wish of its own.
    #[must_use]
    pub fn default_action(&self) -> Option<&str> {
        self.own.default_action.as_deref()
    }

    /// The terms on which it is asked, where `common` are those of all.
    #[must_use]
    pub fn terms(&self, common: &Terms) -> Terms {
        let own = &self.own;
        let text = |own: &Option<Box<str>>, common: &str| own.as_deref().unwrap_or(common).into();
        Terms {
            timeout: own.timeout.unwrap_or(common.timeout),
            max_idle: own.max_idle.unwrap_or(common.max_idle),
            max_ttl: own.max_ttl.unwrap_or(common.max_ttl),
            request_limit: own.request_limit.unwrap_or(common.request_limit),
            try_limit: own.try_limit.unwrap_or(common.try_limit),
            retry_delay: own.retry_delay.unwrap_or(common.retry_delay),
            default_action: text(&own.default_action, &common.default_action),
            context: text(&own.context, &common.context),
        }
    }
}

impl Terms {
    /// Postfix's `smtpd_policy_service_default_action`.
    pub const DEFAULT_ACTION: &str = "451 4.3.5 Server configuration problem";
}

impl Default for Terms {
    /// As Postfix has them.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(100),
            max_idle: Duration::from_secs(300),
            max_ttl: Duration::from_secs(1_000),
            request_limit: 0,
            try_limit: 2,
            retry_delay: Duration::from_secs(1),
            default_action: Self::DEFAULT_ACTION.into(),
            context: "".into(),
        }
    }
}

impl FromStr for Server {
    type Err = ServiceError;

    fn from_str(written: &str) -> Result<Self, ServiceError> {
        let wrong = || ServiceError::Server(written.into());
        if let Some(path) = written.strip_prefix("unix:") {
            return match path {
                "" => Err(wrong()),
                path if path.starts_with('/') => Ok(Self::Unix(path.into())),
                path => Err(ServiceError::Relative(path.into())),
            };
        }
        let place = written.strip_prefix("inet:").unwrap_or(written);
        // Postfix takes a port alone for one of this machine.
        let (host, port) = match place.rsplit_once(':') {
            Some(split) => split,
            None if place.len() < written.len() => ("localhost", place),
            None => return Err(wrong()),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let is_host = !bare.is_empty()
            && (bare.len() < host.len() || !bare.contains(':'))
            && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-_".contains(&byte));
        let port = port.parse().ok().filter(|port| *port > 0 && is_host);
        Ok(Self::Inet(bare.into(), port.ok_or_else(wrong)?))
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(host, port) => write!(f, "inet:{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl OwnTerms {
    fn set(&mut self, name: &str, value: &str) -> Result<(), ServiceError> {
        let wrong =
            |expected| ServiceError::Value { name: name.into(), value: value.into(), expected };
        let time = || match duration(value) {
            Some(Duration::ZERO) | None => Err(wrong("time; write 10s, 5m or 1h")),
            Some(time) => Ok(Some(time)),
        };
        let number = || value.parse().map(Some).map_err(|_| wrong("number"));
        match name {
            "timeout" => self.timeout = time()?,
            "max_idle" => self.max_idle = time()?,
            "max_ttl" => self.max_ttl = time()?,
            "retry_delay" => self.retry_delay = time()?,
            "request_limit" => self.request_limit = number()?,
            "try_limit" => match number()? {
                Some(0) => return Err(wrong("number from 1 on")),
                tries => self.try_limit = tries,
            },
            "default_action" if value.is_empty() => return Err(wrong("action")),
            "default_action" => self.default_action = Some(value.into()),
            "policy_context" => self.context = Some(value.into()),
            _ => return Err(ServiceError::Option(name.into())),
        }
        Ok(())
    }
}

/// The next `name=value`, with blanks around the `=` or none, in braces or without.
fn next_option<'t>(rest: &mut &'t str) -> Result<Option<(&'t str, &'t str)>, ServiceError> {
    let text = rest.trim_start_matches(SEPARATORS);
    if text.is_empty() {
        return Ok(None);
    }
    if let Some(inner) = text.strip_prefix('{') {
        let (option, behind) =
            inner.split_once('}').ok_or_else(|| ServiceError::Brace(text.into()))?;
        *rest = behind;
        let (name, value) =
            option.split_once('=').ok_or_else(|| ServiceError::NoValue(option.trim().into()))?;
        return Ok(Some((name.trim(), value.trim())));
    }
    let word = &text[..text.find(SEPARATORS).unwrap_or(text.len())];
    let (name, value) = text.split_once('=').ok_or_else(|| ServiceError::NoValue(word.into()))?;
    let name = name.trim_end();
    if name.is_empty() || name.contains(SEPARATORS) {
        return Err(ServiceError::NoValue(word.into()));
    }
    let value = value.trim_start_matches([' ', '\t']);
    let (value, behind) = value.split_at(value.find(SEPARATORS).unwrap_or(value.len()));
    *rest = behind;
    Ok(Some((name, value)))
}

/// A time as Postfix writes it; without a unit, seconds.
fn duration(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    number.parse::<u32>().ok().map(|number| Duration::from_secs(u64::from(number) * seconds))
}

const SEPARATORS: [char; 5] = [',', ' ', '\t', '\r', '\n'];

#[cfg(test)]
mod tests {
    use super::*;

    fn inet(host: &str, port: u16) -> Server {
        Server::Inet(host.into(), port)
    }

    #[test]
    fn a_server_is_a_host_and_a_port_or_a_path() {
        for (written, server) in [
            ("inet:127.0.0.1:10023", inet("127.0.0.1", 10_023)),
            ("inet:[2001:db8::1]:10023", inet("2001:db8::1", 10_023)),
            ("inet:policy.example:10023", inet("policy.example", 10_023)),
            ("policy.example:10023", inet("policy.example", 10_023)),
            ("inet:10023", inet("localhost", 10_023)),
            ("unix:/run/policy/socket", Server::Unix("/run/policy/socket".into())),
        ] {
            let service = Service::parse(written).unwrap();
            assert_eq!((service.server(), service.name()), (&server, written));
            assert_eq!(service.terms(&Terms::default()), Terms::default());
        }
        let relative = Service::parse("unix:private/policy").unwrap_err().to_string();
        assert!(relative.contains("queue_directory"), "{relative}");
        for wrong in [
            "",
            "10023",
            "inet:",
            "inet::1",
            "inet:a",
            "inet:a:0",
            "inet:a:x",
            "inet:a:99999",
            "inet:2001:db8::1:25",
            "unix:",
            "hash:/etc/x",
            "a b:1",
            "{",
            "{}",
            "{ }",
            "{ unix:/x",
        ] {
            assert!(Service::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_server_may_have_terms_of_its_own() {
        let written = "{ inet:127.0.0.1:10023, timeout=10s,default_action = DUNNO\n\t\
                       policy_context=submission, { default_action = 450 4.7.1 later, please } \
                       max_idle= 5m max_ttl =1h request_limit=7 try_limit=1 retry_delay=3}";
        let service = Service::parse(written).unwrap();
        assert_eq!(service.to_string(), "inet:127.0.0.1:10023");
        let terms = service.terms(&Terms::default());
        let expected = Terms {
            timeout: Duration::from_secs(10),
            max_idle: Duration::from_secs(300),
            max_ttl: Duration::from_secs(3_600),
            request_limit: 7,
            try_limit: 1,
            retry_delay: Duration::from_secs(3),
            default_action: "450 4.7.1 later, please".into(),
            context: "submission".into(),
        };
        assert_eq!(terms, expected);
    }

    #[test]
    fn mistakes_in_terms_are_named() {
        for (options, said) in [
            ("timeout", "\"timeout\" is no option; write name=value"),
            ("timeout 10s", "\"timeout\" is no option"),
            ("timout=10s", "there is no option \"timout\""),
            ("timeout=0s", "timeout: \"0s\" is no time; write 10s"),
            ("timeout=10x", "timeout: \"10x\" is no time"),
            ("try_limit=0", "try_limit: \"0\" is no number from 1 on"),
            ("request_limit=-1", "request_limit: \"-1\" is no number"),
            ("default_action=", "default_action: \"\" is no action"),
            ("default_action=450 later", "\"later\" is no option"),
            ("{ default_action=OK", "a brace without"),
            ("= x", "\"=\" is no option"),
        ] {
            let error = Service::parse(&format!("{{ inet:127.0.0.1:1, {options} }}")).unwrap_err();
            assert!(error.to_string().starts_with(said), "{options}: {error}");
        }
    }
}
