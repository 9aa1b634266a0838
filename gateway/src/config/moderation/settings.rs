//! The values of `[moderation]`.

use std::{fmt, time::Duration};

use mailweir_mail::{Address, Domain};
use mailweir_moderation::{
    action::{Absence, ApprovalLevel},
    case::TellsSender,
    chain::TrustedEntry,
    notice::Language,
    numbers::NumberKind,
    person::is_among,
    rule::{AddressPattern, Hours, Regex, What},
};

use crate::config::{
    nearest::nearest,
    setting::{Element, Refusal, Setting},
    value::{Entry, RawValue, Value},
};
use crate::time_zone::TimeZone;

/// A short text that fits into a header field, a log line and a cell of a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OneLine(pub Box<str>);

impl Setting for OneLine {
    const ALLOWED: &'static str = "one line of 1 to 64 characters";
    const EXAMPLE: &'static str = "\"outside\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?.trim();
        if text.chars().any(char::is_control) {
            return Refusal::new(value, "there is a control character in it").alone();
        }
        if text.chars().count() > LONGEST_LINE {
            return Refusal::new(value, "it is too long").alone();
        }
        Ok(Self(text.into()))
    }
}

/// An address with the name that people see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The name.
    pub name: Option<OneLine>,
    /// The address.
    pub address: Address,
}

impl Mailbox {
    /// That of a gateway of this name; `None` if it is too long for an address.
    #[must_use]
    pub fn of_gateway(hostname: &Domain) -> Option<Self> {
        let address = Address::parse(&format!("moderation@{hostname}")).ok()?;
        Some(Self { name: Some(OneLine("Mailweir".into())), address })
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(OneLine(name)) => write!(f, "{name} <{}>", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

impl Setting for Mailbox {
    const ALLOWED: &'static str =
        "a mail address, or a name and one, such as \"Mailweir <moderation@gate.example.org>\"";
    const EXAMPLE: &'static str = "\"Mailweir <moderation@gate.example.org>\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"').trim(), address),
            None => ("", text),
        };
        let named = RawValue { value: Value::Text(name.to_owned()), place: value.place.clone() };
        let name = if name.is_empty() { None } else { Some(OneLine::from_value(&named)?) };
        match Address::parse(address) {
            Ok(address) => Ok(Self { name, address }),
            Err(error) => Refusal::new(value, format_args!("{text:?}: {error}")).alone(),
        }
    }
}

impl Element for Mailbox {
    const LIST_ALLOWED: &'static str =
        "a list of mail addresses, or names with one, such as [\"Ann Lee <ann@example.org>\"]";
    const LIST_EXAMPLE: &'static str = "[\"Ann Lee <ann@example.org>\"]";
}

/// A regular expression of a rule.
#[derive(Clone, Debug)]
pub(in crate::config) struct Expression(pub(super) Regex);

impl Setting for Expression {
    const ALLOWED: &'static str = "a regular expression, such as '\\bconfidential\\b'";
    const EXAMPLE: &'static str = "'\\bconfidential\\b'";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        What::pattern(value.text()?).map(Self).or_else(|error| Refusal::new(value, error).alone())
    }
}

impl Element for Expression {
    const LIST_ALLOWED: &'static str =
        "a list of regular expressions, such as ['\\bconfidential\\b', '대외비']";
    const LIST_EXAMPLE: &'static str = "['\\bconfidential\\b', '대외비']";
}

impl Setting for AddressPattern {
    const ALLOWED: &'static str = "\"ann@example.org\", \"@example.org\" for a domain, \".example.org\" for all below it, \"*\" for all, or \"/regular expression/\"";
    const EXAMPLE: &'static str = "\"@example.org\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        value.text()?.parse().or_else(|error| Refusal::new(value, error).alone())
    }
}

impl Element for AddressPattern {
    const LIST_ALLOWED: &'static str = "a list of \"ann@example.org\", \"@example.org\" for a domain, \".example.org\" for all below it, \"*\" for all, or \"/regular expression/\"";
    const LIST_EXAMPLE: &'static str = "[\"ann@example.org\", \"@example.net\"]";
}

impl Setting for Hours {
    const ALLOWED: &'static str = "days, a span, or both: \"Mon-Fri 18:00-09:00\", \"Sat,Sun\"";
    const EXAMPLE: &'static str = "\"Mon-Fri 18:00-09:00\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        value.text()?.parse().or_else(|error| Refusal::new(value, error).alone())
    }
}

impl Element for Hours {
    const LIST_ALLOWED: &'static str =
        "a list of days with a span, such as [\"Mon-Fri 18:00-09:00\", \"Sat,Sun\"]";
    const LIST_EXAMPLE: &'static str = "[\"Mon-Fri 18:00-09:00\", \"Sat,Sun\"]";
}

impl Setting for TimeZone {
    const ALLOWED: &'static str =
        "a name of the IANA time zone database, such as \"Asia/Seoul\" or \"UTC\"";
    const EXAMPLE: &'static str = "\"Asia/Seoul\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        value.text()?.parse().or_else(|error| Refusal::new(value, error).alone())
    }
}

impl Setting for NumberKind {
    const ALLOWED: &'static str =
        "\"kr-resident-number\" | \"jp-my-number\" | \"fr-nir\" | \"card-number\" | \"iban\"";
    const EXAMPLE: &'static str = "\"card-number\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        value.one_of(&Self::ALL.map(|kind| (word(kind), kind)))
    }
}

impl Element for NumberKind {
    const LIST_ALLOWED: &'static str =
        "a list of \"kr-resident-number\", \"jp-my-number\", \"fr-nir\", \"card-number\", \"iban\"";
    const LIST_EXAMPLE: &'static str = "[\"kr-resident-number\", \"card-number\"]";
}

const fn word(kind: NumberKind) -> &'static str {
    match kind {
        NumberKind::KrResidentNumber => "kr-resident-number",
        NumberKind::JpMyNumber => "jp-my-number",
        NumberKind::FrNir => "fr-nir",
        NumberKind::CardNumber => "card-number",
        NumberKind::Iban => "iban",
    }
}

impl Setting for Language {
    const ALLOWED: &'static str = "\"en\" | \"ko\" | \"ja\" | \"fr\"";
    const EXAMPLE: &'static str = "\"en\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        value.one_of(&Self::ALL.map(|language| (language.tag(), language)))
    }
}

impl Setting for Absence {
    const ALLOWED: &'static str =
        "the first and the last day, \"2026-12-24..2027-01-02\", or one day";
    const EXAMPLE: &'static str = "\"2026-12-24..2027-01-02\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        text.parse().or_else(|error| Refusal::new(value, format_args!("{text:?}: {error}")).alone())
    }
}

impl Element for Absence {
    const LIST_ALLOWED: &'static str =
        "a list of days, such as [\"2026-12-24..2027-01-02\", \"2027-03-01\"]";
    const LIST_EXAMPLE: &'static str = "[\"2026-12-24..2027-01-02\"]";
}

impl Setting for TrustedEntry {
    const ALLOWED: &'static str = "an IP address, a network, or a regular expression that begins with ^, such as '^192\\.0\\.2\\.[12]$'";
    const EXAMPLE: &'static str = "\"192.0.2.7\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        Self::parse(value.text()?).or_else(|error| Refusal::new(value, error).alone())
    }
}

impl Element for TrustedEntry {
    const LIST_ALLOWED: &'static str = "a list of IP addresses, networks, and regular expressions that begin with ^, such as [\"192.0.2.7\", \"10.0.0.0/8\", '^192\\.0\\.2\\.(1|2)$']";
    const LIST_EXAMPLE: &'static str = "[\"127.0.0.1\", \"10.0.0.0/8\", '^192\\.0\\.2\\.(1|2)$']";
}

/// How long a mail waits for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum ExpireAfter {
    After(Duration),
    Never,
}

impl Setting for ExpireAfter {
    const ALLOWED: &'static str = "a duration with its unit, such as \"2 d\", or \"never\"";
    const EXAMPLE: &'static str = "\"2 d\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        match &value.value {
            Value::Text(text) | Value::Loose(text) if text.trim() == "never" => Ok(Self::Never),
            _ => Duration::from_value(value).map(Self::After),
        }
    }
}

impl Setting for TellsSender {
    const ALLOWED: &'static str = "\"always\" | \"outcome\" | \"never\"";
    const EXAMPLE: &'static str = "\"outcome\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let words = [("always", Self::Always), ("outcome", Self::Outcome), ("never", Self::Never)];
        value.one_of(&words)
    }
}

/// How many people must approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Needed(u8);

impl Setting for Needed {
    const ALLOWED: &'static str = "a whole number from 1 to the number of moderators";
    const EXAMPLE: &'static str = "1";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        match value.number()? {
            0 => Refusal::new(value, "0 would need nobody").alone(),
            number => u8::try_from(number)
                .map(Self)
                .or_else(|_| Refusal::new(value, format_args!("{number} is too many")).alone()),
        }
    }
}

/// A level of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct WrittenLevel(pub(super) ApprovalLevel);

impl Setting for WrittenLevel {
    const ALLOWED: &'static str = "{ moderators = [\"boss@example.org\"], needed = 1 }";
    const EXAMPLE: &'static str = "{ moderators = [\"boss@example.org\"], needed = 1 }";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let entries = value.entries()?;
        let mut refused: Vec<Refusal> = entries.iter().filter_map(unknown).collect();
        let find = |key| entries.iter().find(|entry| entry.name == key).map(|entry| &entry.value);
        let moderators = match find("moderators").map(Vec::<Address>::from_value) {
            Some(Ok(moderators)) => Some(moderators),
            Some(Err(refusals)) => {
                refused.extend(refusals);
                None
            }
            // What it was meant to be is told already.
            None if !refused.is_empty() => None,
            None => Some(Vec::new()),
        };
        let needed = find("needed").map_or(Ok(Needed(1)), Needed::from_value);
        let needed = needed.map_err(|refusals| refused.extend(refusals)).ok();
        let made = moderators.zip(needed).map(|(moderators, needed)| level(moderators, needed));
        if let Some(Err((key, index, message))) = &made {
            refused.push(Refusal::new(place_in(value, find(key), *index), message));
        }
        match made {
            Some(Ok(level)) if refused.is_empty() => Ok(Self(level)),
            _ => Err(refused),
        }
    }
}

impl Element for WrittenLevel {
    const LIST_ALLOWED: &'static str = "a list of levels, such as [{ moderators = [\"ann@example.org\", \"bob@example.org\"], needed = 2 }, { moderators = [\"boss@example.org\"] }]";
    const LIST_EXAMPLE: &'static str =
        "[{ moderators = [\"ann@example.org\"] }, { moderators = [\"boss@example.org\"] }]";
}

/// Some people of whom so many must approve.
///
/// # Errors
/// The key that is wrong, the element of its list, and what is wrong.
pub(super) fn level(
    moderators: Vec<Address>,
    Needed(needed): Needed,
) -> Result<ApprovalLevel, (&'static str, Option<usize>, String)> {
    let is_twice = |index: &usize| is_among(&moderators[*index], &moderators[..*index]);
    if moderators.is_empty() {
        return Err(("moderators", None, "nobody could approve".to_owned()));
    }
    if let Some(index) = (0..moderators.len()).find(is_twice) {
        let message = format!("{} is listed twice", moderators[index]);
        return Err(("moderators", Some(index), message));
    }
    if usize::from(needed) > moderators.len() {
        let message = match moderators.len() {
            1 => format!("{needed} are needed, and there is 1 moderator"),
            there => format!("{needed} are needed, and there are {there} moderators"),
        };
        return Err(("needed", None, message));
    }
    Ok(ApprovalLevel { moderators, needed })
}

fn unknown(entry: &Entry) -> Option<Refusal> {
    const KEYS: [&str; 2] = ["moderators", "needed"];
    if KEYS.contains(&&*entry.name) {
        return None;
    }
    let meant = nearest(&entry.name, KEYS).map(|key| format!("{key:?}"));
    let named = RawValue { value: Value::Text(entry.name.clone()), place: entry.place.clone() };
    Some(Refusal::new(&named, format_args!("unknown key {:?}", entry.name)).maybe(meant))
}

/// The most exact value that is there: an element, the list, or the table.
fn place_in<'a>(
    table: &'a RawValue,
    found: Option<&'a RawValue>,
    index: Option<usize>,
) -> &'a RawValue {
    let element = found.zip(index).and_then(|(found, index)| match &found.value {
        Value::List(elements) => elements.get(index),
        _ => None,
    });
    element.or(found).unwrap_or(table)
}

/// In characters.
const LONGEST_LINE: usize = 64;
