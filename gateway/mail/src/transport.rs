//! Where a rule sends mail instead of where its route leads: `transport:next hop`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A transport and its next hop as Postfix writes them: the argument of a FILTER action, the value
/// of a transport(5) table. What the names mean is decided where mail leaves.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Transport {
    name: Box<str>,
    next_hop: Box<str>,
}

impl Transport {
    /// Reads `transport:next hop`; either half may be empty. `None` without a colon, with a
    /// control character, or beyond 2,048 bytes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX || text.chars().any(char::is_control) {
            return None;
        }
        let (name, next_hop) = text.trim().split_once(':')?;
        Some(Self { name: name.into(), next_hop: next_hop.into() })
    }

    /// A transport whose next hop is the domain of the recipient.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.into(), next_hop: "".into() }
    }

    /// The transport: `smtp`, `lmtp`, `relay`, `discard`, ...; empty for the usual one.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The next hop: `[host]:port`, a domain; empty for the domain of the recipient.
    #[must_use]
    pub fn next_hop(&self) -> &str {
        &self.next_hop
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.next_hop)
    }
}

/// Longer is no host name, and no path of a socket.
const MAX: usize = 2_048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_is_read_as_it_is_written() {
        for text in ["smtp:[192.0.2.1]:10025", "lmtp:unix:/run/lmtp", ":example.org", "discard:"] {
            assert_eq!(Transport::parse(text).unwrap().to_string(), text);
        }
        let scan = Transport::parse("scan:[::1]:10025").unwrap();
        assert_eq!((scan.name(), scan.next_hop()), ("scan", "[::1]:10025"));
    }

    #[test]
    fn what_could_break_a_line_or_has_no_colon_is_none() {
        for bad in ["smtp", "", "smtp:a\r\nb", "smtp:\0"] {
            assert_eq!(Transport::parse(bad), None, "{bad:?}");
        }
    }
}
