//! The address of an issuer's keys.

use std::{fmt, net::IpAddr, str::FromStr};

use hyper::{Uri, http::uri::Scheme};

/// An `https` URL; or an `http` URL of this machine, for keys that nobody can change on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwksUrl {
    uri: Uri,
    host: Box<str>,
    port: u16,
}

impl JwksUrl {
    pub(super) const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The host: a name, or an address without brackets.
    pub(super) const fn host(&self) -> &str {
        &self.host
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn is_secure(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }
}

impl FromStr for JwksUrl {
    type Err = JwksUrlError;

    fn from_str(text: &str) -> Result<Self, JwksUrlError> {
        let uri: Uri = text.parse().map_err(|_| JwksUrlError::Malformed)?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(JwksUrlError::Malformed);
        };
        if authority.as_str().contains('@') {
            return Err(JwksUrlError::Secret);
        }
        let host: Box<str> = authority.host().trim_matches(['[', ']']).into();
        let usual = match scheme {
            scheme if *scheme == Scheme::HTTPS => 443,
            scheme if *scheme == Scheme::HTTP && is_here(&host) => 80,
            _ => return Err(JwksUrlError::Insecure),
        };
        let is_odd = authority.as_str() != authority.host() && authority.port_u16().is_none();
        if host.is_empty() || is_odd {
            return Err(JwksUrlError::Malformed);
        }
        Ok(Self { port: authority.port_u16().unwrap_or(usual), uri, host })
    }
}

impl fmt::Display for JwksUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

/// Why a text is no place for keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwksUrlError {
    /// It is no absolute URL.
    #[error("this is no URL such as https://id.example.org/keys.json")]
    Malformed,
    /// Anybody on the way could put in a key.
    #[error("keys are fetched by https, or by http from an address of this machine (127.0.0.1)")]
    Insecure,
    /// It holds a name or a password.
    #[error("the URL must not hold a user name or a password: keys are public")]
    Secret,
}

/// By address only: what a name stands for is another's to say.
fn is_here(host: &str) -> bool {
    host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_by_https_or_from_this_machine() {
        for (text, host, port) in [
            ("https://id.example.org/keys", "id.example.org", 443),
            ("https://id.example.org:8443/keys?a=b", "id.example.org", 8_443),
            ("https://[2001:db8::1]/", "2001:db8::1", 443),
            ("http://127.0.0.1:8080/keys", "127.0.0.1", 8_080),
            ("http://[::1]/keys", "::1", 80),
        ] {
            let url: JwksUrl = text.parse().unwrap();
            assert_eq!((url.host(), url.port()), (host, port), "{text}");
            assert_eq!(url.is_secure(), text.starts_with("https"));
            assert_eq!(url.to_string(), text);
        }
    }

    #[test]
    fn other_places_are_refused_and_the_reason_is_said() {
        for (text, error) in [
            ("", JwksUrlError::Malformed),
            ("keys.json", JwksUrlError::Malformed),
            ("/keys.json", JwksUrlError::Malformed),
            ("https:///keys", JwksUrlError::Malformed),
            ("https://id.example.org:99999/", JwksUrlError::Malformed),
            ("http://id.example.org/keys", JwksUrlError::Insecure),
            ("http://localhost/keys", JwksUrlError::Insecure),
            ("http://127.0.0.1.example.org/", JwksUrlError::Insecure),
            ("ftp://127.0.0.1/keys", JwksUrlError::Insecure),
            ("https://ann:secret@id.example.org/", JwksUrlError::Secret),
        ] {
            assert_eq!(text.parse::<JwksUrl>(), Err(error), "{text}");
        }
    }
}
