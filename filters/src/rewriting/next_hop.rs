//! The next hop of a transport: `example.org`, `[host]:port`, `inet:host:port`, `unix:path`
//! (smtp(8), lmtp(8), transport(5), "RESULT FORMAT").

use std::net::IpAddr;

use mailweir_mail::Domain;

/// A server that takes the mail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NextHop {
    /// Who it is.
    pub host: NextHost,
    /// `None`: the port of the protocol.
    pub port: Option<u16>,
}

/// The host of a next hop.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NextHost {
    /// The mail exchangers of a domain (MX).
    Exchangers(Domain),
    /// The host of this name: in brackets, or with LMTP.
    Name(Domain),
    /// This address.
    Address(IpAddr),
}

/// Why a transport cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// A service of `master.cf` that speaks neither SMTP nor LMTP: `local`, `virtual`, a `pipe`.
    #[error("there are no local deliveries and no programs here; name a host and a port")]
    Program,
    /// `unix:path`.
    #[error("sockets of this machine are not supported; name a host and a port")]
    Socket,
    /// What should be a host has a name that no host can have.
    #[error("{0:?} is no name of a host")]
    BadName(Box<str>),
    /// There is no host.
    #[error("{0:?} names no host")]
    NoHost(Box<str>),
    /// What stands behind the last `:` is no port.
    #[error("{0:?}: a port is a number from 1 to 65535, or smtp, submission, submissions, lmtp")]
    BadPort(Box<str>),
    /// A `[` without its `]`, or something behind it that is no port.
    #[error("{0:?}: a host in brackets is written [host] or [host]:port")]
    BadBrackets(Box<str>),
}

impl NextHop {
    /// The next hops of `smtp`, in the order in which they are tried; commas or white space
    /// divide them (Postfix since 3.5).
    ///
    /// # Errors
    /// Says which of them cannot be used and why.
    pub fn of_smtp(text: &str) -> Result<Vec<Self>, TransportError> {
        all(text, |hop| host(hop, true))
    }

    /// The next hops of `lmtp`, likewise: `inet:host:port`, `host:port`.
    ///
    /// # Errors
    /// Says which of them cannot be used and why.
    pub fn of_lmtp(text: &str) -> Result<Vec<Self>, TransportError> {
        let one = |hop: &str| match hop.strip_prefix("unix:") {
            Some(_) => Err(TransportError::Socket),
            None => host(hop.strip_prefix("inet:").unwrap_or(hop), false),
        };
        all(text, one)
    }
}

/// At least one.
fn all(
    text: &str,
    one: impl Fn(&str) -> Result<NextHop, TransportError>,
) -> Result<Vec<NextHop>, TransportError> {
    let hops: Vec<NextHop> = divided(text).map(one).collect::<Result<_, _>>()?;
    if hops.is_empty() { Err(TransportError::NoHost(text.into())) } else { Ok(hops) }
}

fn divided(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_ascii_whitespace()).filter(|hop| !hop.is_empty())
}

fn host(text: &str, mx: bool) -> Result<NextHop, TransportError> {
    let (name, port, in_brackets) = match text.strip_prefix('[') {
        Some(rest) => {
            let bad = || TransportError::BadBrackets(text.into());
            let (name, behind) = rest.split_once(']').ok_or_else(bad)?;
            let port = match behind {
                "" => None,
                _ => Some(behind.strip_prefix(':').ok_or_else(bad)?),
            };
            (without_tag(name), port, true)
        }
        None => {
            let (name, port) = text.split_once(':').map_or((text, None), |(n, p)| (n, Some(p)));
            (name, port, false)
        }
    };
    if name.is_empty() {
        return Err(TransportError::NoHost(text.into()));
    }
    let port = match port {
        Some(port) => Some(port_number(port).ok_or_else(|| TransportError::BadPort(text.into()))?),
        None => None,
    };
    Ok(NextHop { host: named(name, mx && !in_brackets)?, port })
}

/// This machine is not looked up.
fn named(name: &str, mx: bool) -> Result<NextHost, TransportError> {
    let name = if name.eq_ignore_ascii_case("localhost") { "127.0.0.1" } else { name };
    if let Ok(address) = name.parse() {
        return Ok(NextHost::Address(address));
    }
    let domain = Domain::parse(name).map_err(|_| TransportError::BadName(name.into()))?;
    Ok(if mx { NextHost::Exchangers(domain) } else { NextHost::Name(domain) })
}

/// `[IPv6:2001:db8::1]` is `[2001:db8::1]`.
fn without_tag(name: &str) -> &str {
    match name.split_at_checked(5) {
        Some((tag, address)) if tag.eq_ignore_ascii_case("ipv6:") => address,
        _ => name,
    }
}

fn port_number(text: &str) -> Option<u16> {
    match text {
        "smtp" => Some(25),
        "lmtp" => Some(24),
        "submission" => Some(587),
        "submissions" | "smtps" => Some(465),
        _ => text.parse().ok().filter(|&port| port != 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(name: &str, port: Option<u16>, mx: bool) -> NextHop {
        NextHop { host: named(name, mx).unwrap(), port }
    }

    #[test]
    fn brackets_turn_mail_exchangers_off() {
        assert_eq!(NextHop::of_smtp("example.org"), Ok(vec![hop("example.org", None, true)]));
        assert_eq!(NextHop::of_smtp("[gw.test]:2525"), Ok(vec![hop("gw.test", Some(2525), false)]));
        assert_eq!(
            NextHop::of_smtp("gw.test:submission, [IPv6:2001:db8::1] [192.0.2.1]:26"),
            Ok(vec![
                hop("gw.test", Some(587), true),
                hop("2001:db8::1", None, false),
                hop("192.0.2.1", Some(26), false),
            ])
        );
    }

    #[test]
    fn lmtp_has_no_mail_exchangers() {
        let of = |text| NextHop::of_lmtp(text).unwrap();
        assert_eq!(of("inet:127.0.0.1:24"), [hop("127.0.0.1", Some(24), false)]);
        assert_eq!(of("mail.test:lmtp"), [hop("mail.test", Some(24), false)]);
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let bad = |text: &str| NextHop::of_smtp(text).unwrap_err();
        assert_eq!(bad("[a"), TransportError::BadBrackets("[a".into()));
        assert_eq!(bad("[a]x"), TransportError::BadBrackets("[a]x".into()));
        assert_eq!(bad("a:0"), TransportError::BadPort("a:0".into()));
        assert_eq!(bad("2001:db8::1"), TransportError::BadPort("2001:db8::1".into()));
        assert_eq!(bad(":25"), TransportError::NoHost(":25".into()));
        assert_eq!(bad("a..b"), TransportError::BadName("a..b".into()));
        assert_eq!(NextHop::of_lmtp("unix:private/lmtp"), Err(TransportError::Socket));
    }
}
