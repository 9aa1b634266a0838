//! What `transport:next hop` does with a mail (transport(5), error(8), discard(8)).

use mailweir_mail::{Address, Enhanced, Transport};

use super::{NextHop, NextHopError, addressing::written};

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

impl Delivery {
    /// What a transport does with a mail. Fill in its empty parts first ([`completed`]).
    ///
    /// # Errors
    /// The next hop cannot be used: the mail waits.
    pub fn of(transport: &Transport) -> Result<Self, NextHopError> {
        let text = transport.next_hop();
        Ok(match transport.name() {
            "smtp" | "relay" => Self::Smtp(NextHop::of_smtp(text)?),
            "lmtp" => Self::Lmtp(NextHop::of_lmtp(text)?),
            "discard" => Self::Discard(text.into()),
            ERROR => with_status(text, 5, Self::Error),
            RETRY => with_status(text, 4, Self::Retry),
            _ => Self::Other,
        })
    }
}

/// The value of a table, of which the `:` may be left out: then the whole is a transport.
pub(crate) fn read(text: &str) -> Option<Transport> {
    Transport::parse(text).or_else(|| Transport::parse(&format!("{text}:")))
}

/// A transport with its empty parts filled in (transport(5), "RESULT FORMAT"). `default` is what
/// the mail for `recipient` would go by without this rule.
#[must_use]
pub fn completed(transport: &Transport, default: &Transport, recipient: &Address) -> Transport {
    let (name, next_hop) = (transport.name(), transport.next_hop());
    let (name, next_hop) = match (name, next_hop) {
        ("", "") => return default.clone(),
        ("", _) => (default.name(), next_hop),
        (ERROR | RETRY, "") => (name, UNDELIVERABLE),
        (_, "") => (name, written(recipient.domain())),
        _ => return transport.clone(),
    };
    // What was short enough in its parts and is not as a whole stays as it was.
    Transport::parse(&format!("{name}:{next_hop}")).unwrap_or_else(|| transport.clone())
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
        let default = Transport::parse("smtp:[relay.test]").unwrap();
        completed(&read(text).unwrap(), &default, &address("joe@example.org")).to_string()
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
        let of = |text| Delivery::of(&read(text).unwrap());
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
