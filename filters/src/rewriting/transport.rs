//! What `transport:next hop` does with a mail (transport(5), error(8), discard(8); FILTER in
//! access(5) and header_checks(5)). The only place that knows.

use mailweir_mail::{Domain, Enhanced, Transport};

use super::{NextHop, TransportError, addressing::written};

/// What a transport does with a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// `:`: what would be done without the rule.
    Usual,
    /// `smtp`, `relay`, no name, or a name that an administrator gave to an SMTP client, such as
    /// `scan` or `slow`: to the first of these that takes it. Never empty.
    Smtp(Vec<NextHop>),
    /// `smtps`: likewise, by SMTP inside TLS.
    Smtps(Vec<NextHop>),
    /// `lmtp`, or any other name with a next hop that only LMTP has (`unix:`, `inet:`): likewise.
    Lmtp(Vec<NextHop>),
    /// `discard`: taken and thrown away; the text is for the log.
    Discard(Box<str>),
    /// `error`: sent back with this status (5.0.0 if the text begins with none) and text.
    Error(Enhanced, Box<str>),
    /// `retry`: waits with this status (4.0.0 if the text begins with none) and text.
    Retry(Enhanced, Box<str>),
}

impl Delivery {
    /// What a transport does with mail to `domain`, which stands where no next hop is written
    /// (transport(5), "RESULT FORMAT"; FILTER since Postfix 2.7).
    ///
    /// # Errors
    /// It cannot be carried out here: the mail waits.
    pub fn of(transport: &Transport, domain: &Domain) -> Result<Self, TransportError> {
        let text = transport.next_hop().trim();
        let next_hop = if text.is_empty() { written(domain) } else { text };
        Ok(match transport.name() {
            "" if text.is_empty() => Self::Usual,
            "discard" => Self::Discard(text.into()),
            "error" => with_status(text, 5, Self::Error),
            "retry" => with_status(text, 4, Self::Retry),
            "smtp" | "relay" | "" => Self::Smtp(NextHop::of_smtp(next_hop)?),
            "smtps" => Self::Smtps(NextHop::of_smtp(next_hop)?),
            "lmtp" => Self::Lmtp(NextHop::of_lmtp(next_hop)?),
            name if PROGRAMS.contains(&name) => return Err(TransportError::Program),
            _ if text.starts_with("unix:") || text.starts_with("inet:") => {
                Self::Lmtp(NextHop::of_lmtp(text)?)
            }
            _ => Self::Smtp(NextHop::of_smtp(next_hop)?),
        })
    }
}

/// The value of a table, of which the `:` may be left out: then the whole is a transport.
pub(crate) fn read(text: &str) -> Option<Transport> {
    Transport::parse(text).or_else(|| Transport::parse(&format!("{text}:")))
}

/// What is wrong with a value of a transport table. What has a `$` is not judged, since a part of
/// the key will stand there.
#[must_use]
pub fn transport_complaint(value: &[u8]) -> Option<String> {
    let value = std::str::from_utf8(value).ok().filter(|value| !value.contains('$'))?;
    let domain = Domain::parse("example.org").ok()?;
    let error = Delivery::of(&read(value)?, &domain).err()?;
    Some(format!("transport {value} cannot be carried out: {error}"))
}

/// What is wrong with a value of a table of relays, likewise.
#[must_use]
pub fn relay_complaint(value: &[u8]) -> Option<String> {
    if value.eq_ignore_ascii_case(b"DUNNO") {
        return None;
    }
    transport_complaint(&[b":", value].concat())
}

/// What is wrong with the transport of a FILTER action, likewise; another action has none.
#[must_use]
pub fn filter_complaint(value: &[u8]) -> Option<String> {
    let (verb, transport) = value.split_at_checked(FILTER.len())?;
    let is_filter = verb.eq_ignore_ascii_case(FILTER) && transport.contains(&b':');
    is_filter.then(|| transport_complaint(transport.trim_ascii())).flatten()
}

/// Divides `5.1.1 text`. A status of another class is no status of this transport (error(8)).
fn with_status(text: &str, class: u8, make: fn(Enhanced, Box<str>) -> Delivery) -> Delivery {
    let text = if text.is_empty() { UNDELIVERABLE } else { text };
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    match first.parse::<Enhanced>() {
        Ok(status) if status.0 == class => make(status, rest.trim_start().into()),
        _ => make(Enhanced(class, 0, 0), text.into()),
    }
}

const FILTER: &[u8] = b"FILTER ";

/// What stands in Postfix's own `master.cf` and manuals for what is no client of a protocol.
/// Mail for them must not go out by MX instead.
const PROGRAMS: [&str; 13] = [
    "local",
    "virtual",
    "maildrop",
    "uucp",
    "cyrus",
    "old-cyrus",
    "ifmail",
    "bsmtp",
    "scalemail-backend",
    "mailman",
    "dovecot",
    "procmail",
    "vacation",
];

/// What `error:` says that says nothing (`transport.c`).
const UNDELIVERABLE: &str = "Address is undeliverable";

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Delivery, TransportError> {
        Delivery::of(&read(text).unwrap(), &Domain::parse("example.org.").unwrap())
    }

    fn smtp(hops: &str) -> Result<Delivery, TransportError> {
        Ok(Delivery::Smtp(NextHop::of_smtp(hops).unwrap()))
    }

    #[test]
    fn empty_parts_are_filled_in_as_the_manual_says() {
        assert_eq!(of(":"), Ok(Delivery::Usual));
        assert_eq!(of(":[gw.test]:26"), smtp("[gw.test]:26"));
        for text in ["smtp", "smtp:", "relay: ", "slow:", "scan"] {
            assert_eq!(of(text), smtp("example.org"), "{text}");
        }
        assert_eq!(of("smtp:bar.example:2025"), smtp("bar.example:2025"));
        let undeliverable = "Address is undeliverable".into();
        assert_eq!(of("error:"), Ok(Delivery::Error(Enhanced(5, 0, 0), undeliverable)));
    }

    #[test]
    fn each_service_has_its_meaning() {
        assert_eq!(of("relay:[a]:26"), smtp("[a]:26"));
        assert_eq!(of("scan:[a]:26, [b]"), smtp("[a]:26 [b]"));
        assert_eq!(of("smtps:[a]"), Ok(Delivery::Smtps(NextHop::of_smtp("[a]").unwrap())));
        let store = NextHop::of_lmtp("store.test:24").unwrap();
        assert_eq!(of("lmtp:inet:store.test:24"), Ok(Delivery::Lmtp(store.clone())));
        assert_eq!(of("dovecot-lmtp:inet:store.test:24"), Ok(Delivery::Lmtp(store)));
        assert_eq!(of("discard:not wanted"), Ok(Delivery::Discard("not wanted".into())));
        assert_eq!(of("error:5.1.1 gone"), Ok(Delivery::Error(Enhanced(5, 1, 1), "gone".into())));
        assert_eq!(of("error:gone"), Ok(Delivery::Error(Enhanced(5, 0, 0), "gone".into())));
        assert_eq!(
            of("error:4.0.0 odd"),
            Ok(Delivery::Error(Enhanced(5, 0, 0), "4.0.0 odd".into()))
        );
        assert_eq!(of("retry:4.3.2 busy"), Ok(Delivery::Retry(Enhanced(4, 3, 2), "busy".into())));
    }

    #[test]
    fn what_cannot_be_carried_out_is_said() {
        assert_eq!(of("local:x"), Err(TransportError::Program));
        assert_eq!(of("dovecot:"), Err(TransportError::Program));
        assert_eq!(of("dovecot-lmtp:unix:/run/l"), Err(TransportError::Socket));
        assert_eq!(of("smtp:[a"), Err(TransportError::BadBrackets("[a".into())));
        assert_eq!(of("smtp:,"), Err(TransportError::NoHost(",".into())));
    }

    #[test]
    fn complaints_are_about_values_as_they_stand() {
        for good in ["smtp:[a]:25, [b]", "slow:", "slow", ":", "smtp:[$1]", "error:no", "smtp:$1"] {
            assert_eq!(transport_complaint(good.as_bytes()), None, "{good}");
        }
        let said = transport_complaint(b"lmtp:unix:/run/l").unwrap();
        assert!(said.starts_with("transport lmtp:unix:/run/l cannot be carried out: "), "{said}");
        assert_eq!(relay_complaint(b"DUNNO"), None);
        assert_eq!(relay_complaint(b"[a]:587"), None);
        assert!(relay_complaint(b"[a").is_some());
        assert_eq!(filter_complaint(b"FILTER scan:"), None);
        assert_eq!(filter_complaint(b"REJECT local:"), None);
        assert!(filter_complaint(b"filter local:").is_some());
    }
}
