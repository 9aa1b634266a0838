//! `[[filter]]` of type "clamd", "spamd" or "rspamd": a program that is asked about mail before it is taken.

use mailweir_external::scanners::{
    Course,
    clamd::{self, TooLarge},
    rspamd, spamd,
};
use mailweir_policy::client::Server;

use super::needed;
use crate::config::{
    Surroundings,
    check::{Written, read_secret},
    choice::{FilterType, IfInfected, IfLarger},
    problem::Problems,
    schema::FilterSection,
    setting::{Refusal, Setting},
    value::{RawValue, Value},
};

/// A program that is asked about mail.
#[derive(Clone, Debug)]
pub struct ScannerFilter {
    /// Where it listens.
    pub server: Server,
    /// What it is.
    pub scanner: Scanner,
    /// Larger mail is not shown to it.
    pub size_limit: u64,
    /// What becomes of such mail, and of what the scanner itself finds too large.
    pub if_larger: IfLarger,
    /// Whether what it finds counts in the score of mail that is scored, instead of what it wants to become of it.
    pub joins_score: bool,
}

/// What a scanner is, and what its answers mean.
#[derive(Clone, Debug)]
pub enum Scanner {
    /// ClamAV.
    Clamd(clamd::Policy),
    /// SpamAssassin.
    Spamd(spamd::Policy),
    /// Rspamd, whose own settings say what its answers mean.
    Rspamd(rspamd::Options),
}

/// A score, such as 15 or 6.5.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::config) struct Score(f64);

impl Setting for Score {
    const ALLOWED: &'static str = "a number, such as 15 or 6.5";
    const EXAMPLE: &'static str = "15";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let number = match &value.value {
            Value::Text(text) | Value::Loose(text) => text.parse().ok(),
            Value::Number(number) => i32::try_from(*number).ok().map(f64::from),
            Value::Fraction(number) => number.parse().ok(),
            Value::Flag(_) | Value::List(_) | Value::Table(_) | Value::Other(_) => None,
        };
        match number.filter(|number: &f64| number.is_finite()) {
            Some(number) => Ok(Self(number)),
            None => Refusal::new(value, "no number").alone(),
        }
    }
}

/// Where a server listens that is asked.
pub(super) fn server(
    written: &Written<FilterSection>,
    problems: &mut Problems<'_>,
) -> Option<Server> {
    let Written { table, section } = written;
    let place = needed(written, "server", section.server.as_ref(), problems)?;
    let server = place.parse().ok();
    if server.is_none() {
        problems
            .error(table, "server", format!("{place:?} is no place where a server listens"))
            .help("server = \"inet:127.0.0.1:3310\", or \"unix:/path/of/its/socket\"");
    }
    server
}

pub(super) fn check(
    written: &Written<FilterSection>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<ScannerFilter> {
    let Written { table, section } = written;
    let server = server(written, problems);
    if section.returns_to.is_some() {
        let message = "what is asked before mail is taken hands nothing back";
        problems.error(table, "returns_to", message);
    }
    let limit = section.size_limit.map(|size| size.bytes());
    let mark = section.mark.unwrap_or(true);
    let if_larger = section.if_larger.unwrap_or(match section.kind {
        FilterType::Spamd | FilterType::Rspamd => IfLarger::Pass,
        FilterType::Clamd
        | FilterType::Smtp
        | FilterType::Proxy
        | FilterType::Pipe
        | FilterType::Milter => IfLarger::Fail,
    });
    let (scanner, usual) = match section.kind {
        FilterType::Spamd => {
            let policy = spamd::Policy {
                reject_from: section.reject_from.map(|Score(from)| from),
                hold_from: section.hold_from.map(|Score(from)| from),
                mark,
            };
            (Scanner::Spamd(policy), SPAMD_SIZE)
        }
        FilterType::Rspamd => {
            let password = match &section.password_file {
                None => None,
                Some(file) => Some(read_secret(table, "password_file", file, around, problems)?),
            };
            let password = password.map(|password| password.expose().into());
            let options = rspamd::Options { password, ..rspamd::Options::default() };
            (Scanner::Rspamd(options), RSPAMD_SIZE)
        }
        FilterType::Clamd
        | FilterType::Smtp
        | FilterType::Proxy
        | FilterType::Pipe
        | FilterType::Milter => {
            let policy = clamd::Policy {
                infected: match section.infected {
                    Some(IfInfected::Reject) => Course::Reject,
                    Some(IfInfected::Hold) => Course::Hold,
                    Some(IfInfected::Discard) | None => Course::Discard,
                },
                too_large: match if_larger {
                    IfLarger::Pass => TooLarge::Pass,
                    IfLarger::Fail => TooLarge::Fail,
                },
                largest: u64::MAX,
                mark: mark.then(|| CLAMD_MARK.into()),
            };
            (Scanner::Clamd(policy), CLAMD_SIZE)
        }
    };
    let size_limit = limit.unwrap_or(usual);
    let joins_score = section.join_score.unwrap_or(false);
    Some(ScannerFilter { server: server?, scanner, size_limit, if_larger, joins_score })
}

/// What clamd takes unless its `StreamMaxLength` says otherwise, in the versions that take least.
const CLAMD_SIZE: u64 = 25 << 20;

/// What spamc takes (`--max-size`).
const SPAMD_SIZE: u64 = 500 << 10;

/// Rspamd's `max_message`.
const RSPAMD_SIZE: u64 = 50 << 20;

/// The value of `X-Virus-Scanned`.
const CLAMD_MARK: &str = "ClamAV";
