//! A transport and its next hop, as tables and parameters write them: `transport:nexthop`.

use std::fmt;

use mailweir_mail::{Address, Enhanced};

use super::{NextHop, NextHopError, addressing::written};

/// `transport:nexthop` (transport(5), "RESULT FORMAT"). Each part may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Transport {
    /// The service, such as `smtp`, `relay`, `lmtp`, `error`; empty: the one it would be without
    /// this rule.
    pub name: Box<str>,
    /// Where to, or for `error`, `retry` and `discard` the text; empty: the recipient's domain, or
    /// with an empty name what it would be without this rule.
    pub nexthop: Box<str>,
}

/// What a transport does with a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// `smtp` or `relay`: to the first of these that takes it.
    Smtp(Vec<NextHop>),
    /// `lmtp`: likewise.
    Lmtp(Vec<NextHop>),
    /// `discard`: taken and thrown away; the text is for the log.
    Discard(Box<str>),
    /// `error`: sent back with this status (5.0.0 if the text begins with none) and text.
    Error(Enhanced, Box<str>),
    /// `retry`: waits with this status (4.0.0 if the text begins with none) and text.
    Retry(Enhanced, Box<str>),
    /// A service of `master.cf` that is none of these, such as `local` or a `pipe`.
    Other,
}

impl Transport {
    /// Reads `transport:nexthop`; without a `:` the whole is a transport.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (name, nexthop) = text.split_once(':').unwrap_or((text, ""));
        Self { name: name.into(), nexthop: nexthop.into() }
    }

    /// The same with the empty parts filled in: `default` is what the mail for `recipient` would
    /// go by without this rule.
    #[must_use]
    pub fn or(self, default: &Self, recipient: &Address) -> Self {
        let Self { name, nexthop } = self;
        match (&*name, &*nexthop) {
            ("", "") => default.clone(),
            ("", _) => Self { name: default.name.clone(), nexthop },
            (ERROR | RETRY, "") => Self { name, nexthop: UNDELIVERABLE.into() },
            (_, "") => Self { name, nexthop: written(recipient.domain()).into() },
            _ => Self { name, nexthop },
        }
    }

    /// What it does with a mail. Fill in the empty parts first ([`Self::or`]).
    ///
    /// # Errors
    /// The next hop cannot be used: the mail waits.
    pub fn delivery(&self) -> Result<Delivery, NextHopError> {
        let text = &*self.nexthop;
        Ok(match &*self.name {
            "smtp" | "relay" => Delivery::Smtp(NextHop::of_smtp(text)?),
            "lmtp" => Delivery::Lmtp(NextHop::of_lmtp(text)?),
            "discard" => Delivery::Discard(text.into()),
            ERROR => with_status(text, 5, Delivery::Error),
            RETRY => with_status(text, 4, Delivery::Retry),
            _ => Delivery::Other,
        })
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.nexthop)
    }
}

/// Divides `5.1.1 text`. A status of another class is no status of this transport (error(8)).
fn with_status(text: &str, class: u8, make: fn(Enhanced, Box<str>) -> Delivery) -> Delivery {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    match first.parse::<Enhanced>() {
        Ok(status) if status.0 == class => make(status, rest.trim_start().into()),
        _ => make(Enhanced(class, 0, 0), text.into()),
    }
}

const ERROR: &str = "error";
const RETRY: &str = "retry";

/// What `error:` says that says nothing (`transport.c`).
const UNDELIVERABLE: &str = "Address is undeliverable";

#[cfg(test)]
mod tests {
    use super::{super::testing::address, *};

    fn filled(text: &str) -> String {
        let default = Transport::parse("smtp:[relay.test]");
        Transport::parse(text).or(&default, &address("joe@example.org")).to_string()
    }

    #[test]
    fn empty_parts_are_filled_in_as_the_manual_says() {
        assert_eq!(filled(":"), "smtp:[relay.test]");
        assert_eq!(filled(":[gw.test]:26"), "smtp:[gw.test]:26");
        assert_eq!(filled("uucp"), "uucp:example.org");
        assert_eq!(filled("uucp:"), "uucp:example.org");
        assert_eq!(filled("smtp:bar.example:2025"), "smtp:bar.example:2025");
        assert_eq!(filled("error:"), "error:Address is undeliverable");
        assert_eq!(
            filled("error:mail for *.example.org: not here"),
            "error:mail for *.example.org: not here"
        );
    }

    #[test]
    fn each_service_has_its_meaning() {
        let of = |text| Transport::parse(text).delivery();
        assert_eq!(of("relay:[a]:26"), Ok(Delivery::Smtp(NextHop::of_smtp("[a]:26").unwrap())));
        assert_eq!(
            of("lmtp:unix:/run/l"),
            Ok(Delivery::Lmtp(vec![NextHop::Unix("/run/l".into())]))
        );
        assert_eq!(of("discard:not wanted"), Ok(Delivery::Discard("not wanted".into())));
        assert_eq!(of("error:5.1.1 gone"), Ok(Delivery::Error(Enhanced(5, 1, 1), "gone".into())));
        assert_eq!(of("error:gone"), Ok(Delivery::Error(Enhanced(5, 0, 0), "gone".into())));
        assert_eq!(of("retry:4.3.2 busy"), Ok(Delivery::Retry(Enhanced(4, 3, 2), "busy".into())));
        assert_eq!(of("local:x"), Ok(Delivery::Other));
        assert!(of("smtp:[a").is_err());
    }
}
