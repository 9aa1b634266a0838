//! `[address_verify]`: how addresses are tried out before they are accepted.

use std::{
    path::{Component, Path, PathBuf},
    time::Duration,
};

use mailweir_filters::verification::Lifetimes;
use mailweir_mail::{Address, Domain, ReversePath};

use super::{
    AuthBackend, Config, Domains,
    check::{Written, positive},
    problem::Problems,
    raw::RawConfig,
    schema::AddressVerifySection,
    setting::{Refusal, Setting},
    units::shown,
    value::RawValue,
};

/// How addresses are verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressVerify {
    /// Whom probes come from.
    pub sender: VerifySender,
    /// Where answers survive a restart, from the data directory on; `None`: nowhere.
    pub map: Option<PathBuf>,
    /// How long answers are believed.
    pub lifetimes: Lifetimes,
    /// How long a session waits for the first answer about an address.
    pub patience: Duration,
}

impl AddressVerify {
    /// The file in which answers survive a restart.
    #[must_use]
    pub fn file(&self, data_dir: &Path) -> Option<PathBuf> {
        self.map.as_ref().map(|map| data_dir.join(map))
    }
}

/// Whom probes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifySender {
    /// Nobody: `<>`.
    Null,
    /// This user of the gateway's own host name.
    User(Box<str>),
    /// This address.
    Address(Address),
}

impl VerifySender {
    /// The address, for a gateway of this name.
    #[must_use]
    pub fn of(&self, hostname: &Domain) -> ReversePath {
        match self {
            Self::Null => ReversePath::Null,
            Self::Address(address) => ReversePath::Mailbox(address.clone()),
            // A user that makes an address with one domain makes one with any other, unless that is
            // too long: then probes come from nobody.
            Self::User(user) => Address::parse(&format!("{user}@{hostname}"))
                .map_or(ReversePath::Null, ReversePath::Mailbox),
        }
    }

    /// The address, if nobody reads what is sent to it: the default one, which is reserved. Any
    /// other may be that of a person, whose mail is mail like any.
    #[must_use]
    pub fn sink(&self, hostname: &Domain) -> Option<Address> {
        let sender = self.of(hostname);
        let reserved = |sender: &&Address| {
            sender.domain() == hostname && sender.local_part().eq_ignore_ascii_case(RESERVED)
        };
        sender.address().filter(reserved).cloned()
    }
}

/// Postfix's default of `double_bounce_sender`.
const RESERVED: &str = "double-bounce";

impl Setting for VerifySender {
    const ALLOWED: &'static str =
        "an address, a user of the gateway's own host name, or \"<>\" for the null sender";
    const EXAMPLE: &'static str = "\"double-bounce\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let Some(text) = value.text_or_nothing()?.filter(|&text| text != "<>") else {
            return Ok(Self::Null);
        };
        if let Ok(address) = Address::parse(text) {
            return Ok(Self::Address(address));
        }
        match Address::parse(&format!("{text}@host.example")) {
            Ok(_) if !text.contains('@') => Ok(Self::User(text.into())),
            _ => Refusal::new(value, format_args!("{text:?} is no address")).alone(),
        }
    }
}

/// A file of answers, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VerifyMap(Option<PathBuf>);

impl Setting for VerifyMap {
    const ALLOWED: &'static str = "a file, or \"\" for none";
    const EXAMPLE: &'static str = "\"verify_cache\"";

    /// What a Postfix has there is a table of a type, and nothing that could be used as it is.
    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let Some(text) = value.text_or_nothing()? else { return Ok(Self(None)) };
        match text.split_once(':') {
            Some((kind, file)) if !kind.contains('/') => {
                let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy();
                Refusal::new(value, format_args!("{text:?} is a table, and a file is meant"))
                    .hint(format!("{name:?}"))
                    .alone()
            }
            _ => Ok(Self(Some(text.into()))),
        }
    }
}

/// Checks the section.
pub(super) fn check(
    written: &Written<AddressVerifySection>,
    hostname: &Domain,
    domains: &Domains,
    problems: &mut Problems<'_>,
) -> AddressVerify {
    let Written { table, section } = written;
    let spans = [
        ("positive_expire_time", section.positive_expire_time),
        ("positive_refresh_time", section.positive_refresh_time),
        ("negative_expire_time", section.negative_expire_time),
        ("negative_refresh_time", section.negative_refresh_time),
        ("poll_delay", section.poll_delay),
    ];
    positive(table, &spans, problems);
    for (key, refresh, expire) in [
        ("positive_refresh_time", section.positive_refresh_time, section.positive_expire_time),
        ("negative_refresh_time", section.negative_refresh_time, section.negative_expire_time),
    ] {
        if refresh > expire {
            let message = format!("nothing is refreshed: it expires after {}", shown(expire));
            problems.warning(table, key, message);
        }
    }
    check_sender(written, hostname, domains, problems);
    let polls = section.poll_count.get() - 1;
    AddressVerify {
        sender: section.sender.clone(),
        map: section.map.0.clone(),
        lifetimes: Lifetimes {
            positive_expire: section.positive_expire_time,
            positive_refresh: section.positive_refresh_time,
            negative_cache: section.negative_cache,
            negative_expire: section.negative_expire_time,
            negative_refresh: section.negative_refresh_time,
        },
        patience: section.poll_delay.saturating_mul(polls),
    }
}

/// The file of answers is written over, so it must be no other: neither one of those that the
/// configuration names, nor one that the gateway keeps in its data directory.
pub(super) fn check_map(
    raw: &RawConfig,
    config: &Config,
    mut others: Vec<PathBuf>,
    problems: &mut Problems<'_>,
) {
    let data_dir = &config.server.data_dir;
    let Some(file) = config.address_verify.file(data_dir) else { return };
    others.push(config.auth.users_file.clone());
    others.extend(config.auth.backends.iter().flat_map(AuthBackend::files));
    let file = plain(&file);
    let is_kept = KEPT.iter().any(|kept| file.starts_with(plain(&data_dir.join(kept))));
    if is_kept || others.iter().any(|other| plain(other) == file) || file == plain(data_dir) {
        let message = format!("{} is something else, and would be written over", file.display());
        problems
            .error(&raw.only("address_verify"), "map", message)
            .help("name a file of its own: map = \"verify_cache\"");
    }
}

/// The same path without `.` and `..`. Links are not followed: what they lead to is seen when the
/// file is written.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                plain.push(component);
            }
        }
    }
    plain
}

/// What else is in the data directory.
const KEPT: [&str; 4] = ["queue", "tls", "users", "control.sock"];

/// Who is probed may ask us whether the sender of the probe exists.
fn check_sender(
    Written { table, section }: &Written<AddressVerifySection>,
    hostname: &Domain,
    domains: &Domains,
    problems: &mut Problems<'_>,
) {
    let sender = section.sender.of(hostname);
    let Some(address) = sender.address() else { return };
    let domain = address.domain();
    let message = if section.sender.sink(hostname).is_some() {
        return;
    } else if domain == hostname {
        format!("who asks us about {address} hears what our rules say of that address")
    } else if domains.relay.iter().any(|pattern| pattern.matches(domain)) {
        return;
    } else {
        format!("we take no mail for {domain}: who checks the sender may refuse probes")
    };
    problems
        .warning(table, "sender", message)
        .help("name an address of domains.relay that takes mail, or leave \"double-bounce\"");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_one_of_the_host_and_nobody_is_nobody() {
        let hostname: Domain = "gate.example".parse().unwrap();
        let of = |sender: VerifySender| sender.of(&hostname).as_str().to_owned();
        assert_eq!(of(VerifySender::User("double-bounce".into())), "double-bounce@gate.example");
        assert_eq!(of(VerifySender::Null), "");
        assert_eq!(of(VerifySender::Address("a@b.example".parse().unwrap())), "a@b.example");
    }

    #[test]
    fn only_the_reserved_address_is_read_by_nobody() {
        let hostname: Domain = "gate.example".parse().unwrap();
        let user = |name: &str| VerifySender::User(name.into());
        let at = |address: &str| VerifySender::Address(address.parse().unwrap());
        for sender in
            [user("double-bounce"), user("Double-Bounce"), at("double-bounce@gate.example")]
        {
            assert!(sender.sink(&hostname).is_some(), "{sender:?}");
        }
        for sender in [
            user("info"),
            at("info@gate.example"),
            at("double-bounce@b.example"),
            VerifySender::Null,
        ] {
            assert_eq!(sender.sink(&hostname), None);
        }
    }
}
