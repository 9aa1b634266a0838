//! Further passwords of a user, one for each device or program that logs in by itself.
//!
//! What such a password may do is decided here, by what is passed in: the attempt and the day.

use std::{fmt, net::IpAddr, str::FromStr};

use mailweir_mail::Network;

use crate::{Attempt, Date, Denial, Identity, Role, Senders, store::app_secret::AppDigest};

/// A further password of a user: for what it is, and where and how long it can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPassword {
    /// What it is called; each of a user's has another label.
    pub label: AppLabel,
    /// The only sender addresses that it is for; `None`: those that the user may use.
    pub senders: Option<Senders>,
    /// The only listeners where it can be used, by name; empty: all.
    pub listeners: Vec<Box<str>>,
    /// The only networks where it can be used; empty: everywhere.
    pub networks: Vec<Network>,
    /// The day on which it was made.
    pub created: Option<Date>,
    /// The last day on which it can be used.
    pub expires: Option<Date>,
}

impl AppPassword {
    /// One that can be used everywhere and for ever.
    #[must_use]
    pub const fn new(label: AppLabel) -> Self {
        Self {
            label,
            senders: None,
            listeners: Vec::new(),
            networks: Vec::new(),
            created: None,
            expires: None,
        }
    }

    /// Whether it can be used in this attempt, made today.
    pub(super) fn admit(&self, attempt: &Attempt, today: Date) -> Result<(), Denial> {
        if self.expires.is_some_and(|last| last < today) {
            return Err(Denial::Expired);
        }
        if !self.listeners.is_empty() && !self.listeners.contains(&attempt.listener) {
            return Err(Denial::OtherListener);
        }
        match self.networks.is_empty() || self.has_in_networks(attempt.client) {
            true => Ok(()),
            false => Err(Denial::OtherNetwork),
        }
    }

    /// What the user becomes by it: somebody who hands in mail, whatever else the user may do.
    pub(super) fn lend(&self, user: Identity) -> Result<Identity, Denial> {
        if !user.is(Role::Sender) {
            return Err(Denial::NoSender);
        }
        let lent = user.with_roles(Role::Sender.into()).with_credential(self.label.as_str());
        Ok(match &self.senders {
            Some(senders) => lent.with_senders(senders.clone()),
            None => lent,
        })
    }

    fn has_in_networks(&self, client: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(client))
    }
}

/// The name of an app password: 1 to 64 letters, digits, `.`, `_` and `-` of ASCII.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppLabel(Box<str>);

impl AppLabel {
    /// The longest label, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AppLabel {
    type Err = NotALabel;

    fn from_str(text: &str) -> Result<Self, NotALabel> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let fits = (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(is_allowed);
        fits.then(|| Self(text.into())).ok_or(NotALabel)
    }
}

impl fmt::Display for AppLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text cannot be the label of an app password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no label; expected up to 64 letters, digits, \".\", \"_\" and \"-\"")]
pub struct NotALabel;

/// An app password as it stands in the users file.
#[derive(Clone)]
pub(super) struct StoredAppPassword {
    pub(super) app: AppPassword,
    digest: AppDigest,
}

impl StoredAppPassword {
    pub(super) const fn new(app: AppPassword, digest: AppDigest) -> Self {
        Self { app, digest }
    }

    /// Whether it is the one that was presented.
    pub(super) fn is(&self, presented: &AppDigest) -> bool {
        self.digest.is(presented)
    }

    /// Reads words divided by spaces: the label, the hash, and `key=value`.
    ///
    /// Whatever is not understood to the last word does not count at all: each word makes the
    /// password good for less.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut words = text.split_ascii_whitespace();
        let label = words.next().and_then(|label| label.parse().ok()).ok_or(NO_LABEL)?;
        let digest = AppDigest::parse(words.next().unwrap_or(""))?;
        let mut app = AppPassword::new(label);
        for word in words {
            let (key, value) = word.split_once('=').ok_or(UNKNOWN_WORD)?;
            match key {
                CREATED if app.created.is_none() => app.created = Some(read(value)?),
                EXPIRES if app.expires.is_none() => app.expires = Some(read(value)?),
                SENDERS if app.senders.is_none() => app.senders = Some(read(value)?),
                LISTENERS if app.listeners.is_empty() => app.listeners = listeners(value)?,
                NETWORKS if app.networks.is_empty() => {
                    app.networks = value.split(',').map(read).collect::<Result<_, _>>()?;
                }
                _ => return Err(UNKNOWN_WORD),
            }
        }
        Ok(Self { app, digest })
    }

    /// The text that is read as this; `None` if none is, for a sender with quotes or a listener
    /// with a space say.
    pub(super) fn to_text(&self) -> Option<String> {
        let app = &self.app;
        let mut text = format!("{} {}", app.label, self.digest.to_text());
        let mut word = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                text.push_str(&format!(" {key}={value}"));
            }
        };
        word(CREATED, app.created.map(|day| day.to_string()));
        word(EXPIRES, app.expires.map(|day| day.to_string()));
        word(SENDERS, app.senders.as_ref().map(ToString::to_string));
        word(LISTENERS, list(&app.listeners));
        word(NETWORKS, list(&app.networks));
        let is_one_pair = !text.contains(|c: char| c == ';' || c.is_control());
        let is_read_back = Self::parse(&text).is_ok_and(|read| read.app == *app);
        (is_one_pair && is_read_back).then_some(text)
    }
}

fn read<T: FromStr>(value: &str) -> Result<T, &'static str> {
    value.parse().map_err(|_| BAD_VALUE)
}

fn listeners(value: &str) -> Result<Vec<Box<str>>, &'static str> {
    let names: Vec<Box<str>> = value.split(',').map(Into::into).collect();
    if names.iter().any(|name| name.is_empty()) { Err(BAD_VALUE) } else { Ok(names) }
}

fn list<T: ToString>(items: &[T]) -> Option<String> {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    (!items.is_empty()).then(|| items.join(","))
}

const CREATED: &str = "created";
const EXPIRES: &str = "expires";
const SENDERS: &str = "senders";
const LISTENERS: &str = "listeners";
const NETWORKS: &str = "networks";
const NO_LABEL: &str = "an app password has no label: it does not count";
const UNKNOWN_WORD: &str =
    "an app password has a word that is not known, or twice: it does not count";
const BAD_VALUE: &str = "a date, sender, listener or network of an app password cannot be read: it \
                         does not count";

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "{SHA256}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    #[test]
    fn it_is_read_as_it_is_written() {
        for rest in [
            "",
            " created=2026-07-24",
            " created=2026-07-24 expires=2026-12-31 senders=ann@own.example,@shop.example \
             listeners=submission,smtps networks=192.0.2.0/24,2001:db8::/32,203.0.113.7",
        ] {
            let text = format!("printer-2.floor {DIGEST}{rest}");
            assert_eq!(StoredAppPassword::parse(&text).unwrap().to_text(), Some(text));
        }
        let all = StoredAppPassword::parse(&format!(
            "tv  {DIGEST} networks=192.0.2.0/24,10.1.1.1 listeners=mx senders=@own.example"
        ));
        let AppPassword { label, senders, listeners, networks, created, expires } =
            all.unwrap().app;
        assert_eq!((label.as_str(), created, expires), ("tv", None, None));
        assert_eq!((listeners, networks.len()), (vec!["mx".into()], 2));
        assert_eq!(senders, Some("@own.example".parse().unwrap()));
    }

    #[test]
    fn what_is_not_understood_to_the_last_word_does_not_count_at_all() {
        for bad in [
            "",
            "printer",
            "prin:ter DIGEST",
            "printer {SHA}AAAA",
            "printer DIGEST usage=once",
            "printer DIGEST word",
            "printer DIGEST networks=",
            "printer DIGEST networks=192.0.2.1/24",
            "printer DIGEST networks=192.0.2.0/24,",
            "printer DIGEST listeners=",
            "printer DIGEST listeners=mx,",
            "printer DIGEST senders=",
            "printer DIGEST senders=ann",
            "printer DIGEST expires=soon",
            "printer DIGEST expires=2026-02-30",
            "printer DIGEST expires=2026-01-01 expires=2027-01-01",
            "printer DIGEST listeners=mx listeners=submission",
        ] {
            let problem = StoredAppPassword::parse(&bad.replace("DIGEST", DIGEST)).err();
            assert!(problem.is_some_and(|what| what.contains("does not count")), "{bad}");
        }
    }

    #[test]
    fn where_and_when_it_can_be_used() {
        let text = format!(
            "printer {DIGEST} expires=2026-07-24 listeners=submission,smtps networks=192.0.2.0/24"
        );
        let app = StoredAppPassword::parse(&text).unwrap().app;
        for (listener, client, today, outcome) in [
            ("submission", "192.0.2.9", "2026-07-24", Ok(())),
            ("smtps", "::ffff:192.0.2.9", "2020-01-01", Ok(())),
            ("submission", "192.0.2.9", "2026-07-25", Err(Denial::Expired)),
            ("mx", "192.0.2.9", "2026-07-24", Err(Denial::OtherListener)),
            ("submission", "192.0.3.9", "2026-07-24", Err(Denial::OtherNetwork)),
            ("submission", "2001:db8::1", "2026-07-24", Err(Denial::OtherNetwork)),
        ] {
            let found = app.admit(&attempt(listener, client), today.parse().unwrap());
            assert_eq!(found, outcome, "{listener} {client} {today}");
        }
        let anywhere = AppPassword::new("tv".parse().unwrap());
        assert_eq!(anywhere.admit(&attempt("mx", "::1"), Date::MAX), Ok(()));
    }

    #[test]
    fn what_could_not_be_read_back_is_not_written() {
        let with = |senders: &str, listener: &str| {
            let mut app = AppPassword::new("printer".parse().unwrap());
            app.senders = Some(senders.parse().unwrap());
            app.listeners = vec![listener.into()];
            StoredAppPassword::new(app, AppDigest::parse(DIGEST).unwrap()).to_text()
        };
        assert!(with("ann+tv=x@own.example", "submission").is_some());
        for (sender, listener) in [
            ("\"a b\"@own.example", "submission"),
            ("\"a;b\"@own.example", "submission"),
            ("ann@own.example", "sub mission"),
            ("ann@own.example", "sub,mission"),
            ("ann@own.example", "a;disabled"),
            ("ann@own.example", ""),
        ] {
            assert_eq!(with(sender, listener), None, "{sender} {listener}");
        }
    }

    #[test]
    fn a_label_is_one_plain_word() {
        for good in ["printer", "TV_2", "a.b-c", &"x".repeat(64)] {
            assert_eq!(good.parse::<AppLabel>().unwrap().to_string(), good);
        }
        for bad in ["", "a b", "a;b", "a=b", "b\u{fc}ro", "a\n", &"x".repeat(65)] {
            assert_eq!(bad.parse::<AppLabel>(), Err(NotALabel), "{bad:?}");
        }
    }

    fn attempt(listener: &str, client: &str) -> Attempt {
        Attempt {
            client: client.parse().unwrap(),
            listener: listener.into(),
            tls: true,
            now: std::time::Instant::now(),
        }
    }
}
