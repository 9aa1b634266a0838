//! What the owner of a domain publishes: the DMARC policy record (RFC 9989 sections 4.7 and 4.8).
//!
//! Tags may stand in any order behind the version. Unknown tags count for nothing, those of RFC 7489 that are gone
//! among them (`pct`, `rf`, `ri`), and so do values that are not in form: then the default holds. Only a wrong policy
//! spoils the record (section 4.10.1).

use super::reports::{FailureOptions, ReportUri};

/// A record that begins with `v=DMARC1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// For the domain itself (`p`).
    pub policy: Policy,
    /// For subdomains that exist (`sp`), if it differs.
    pub subdomains: Option<Policy>,
    /// For subdomains that do not exist (`np`), if it differs.
    pub non_existent: Option<Policy>,
    /// Whether the policies can be applied.
    pub usable: Usable,
    /// Whose domain it is (`psd`).
    pub psd: Psd,
    /// Whether the policies are tried out only (`t`).
    pub test_mode: TestMode,
    /// What a DKIM domain must have in common with the author's (`adkim`).
    pub dkim: Alignment,
    /// The same for the SPF domain (`aspf`).
    pub spf: Alignment,
    /// When reports of single failures are asked for (`fo`); means nothing if `failure_reports` is empty.
    pub failure_options: FailureOptions,
    /// Where aggregate reports go (`rua`).
    pub aggregate_reports: Box<[ReportUri]>,
    /// Where reports of single failures go (`ruf`).
    pub failure_reports: Box<[ReportUri]>,
}

/// What a domain owner asks for mail that fails (`p`, `sp`, `np`), the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// Nothing.
    None,
    /// Such mail is suspicious.
    Quarantine,
    /// Such mail is not theirs.
    Reject,
}

/// What section 4.10.1 makes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usable {
    /// Its policies are in form.
    AsPublished,
    /// One is missing or wrong, but reports are asked for: as if it said `p=none`.
    AsNone,
    /// One is missing or wrong: DMARC does not apply to the mail.
    Not,
}

/// The `psd` tag (section 4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Psd {
    /// `y`: a public suffix; organizational domains are one label below.
    Suffix,
    /// `n`: the organizational domain of all that is below.
    Organizational,
    /// `u`, or no tag: to be found by the tree walk.
    Unspecified,
}

/// The `t` tag (section 4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestMode {
    /// `n`, or no tag: policies as they are.
    Off,
    /// `y`: each policy one level weaker.
    On,
}

/// The tags `adkim` and `aspf` (section 4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alignment {
    /// The same organizational domain.
    Relaxed,
    /// The same domain.
    Strict,
}

impl Record {
    /// Reads a text; nothing, if it is no DMARC record. Time is linear in the text; at most
    /// [`super::MOST_URIS`] addresses of each kind are kept.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (version, tags) = text.split_once(';').unwrap_or((text, ""));
        is_version(version).then(|| Self::of_tags(tags))
    }

    /// What the owner asks for, for mail by this domain and what is below it.
    #[must_use]
    pub fn policy_for(&self, author: AuthorIs) -> Policy {
        let published = match author {
            AuthorIs::Publisher => None,
            AuthorIs::Below => self.subdomains,
            AuthorIs::NonExistentBelow => self.non_existent.or(self.subdomains),
        };
        let policy = published.unwrap_or(self.policy);
        match self.test_mode {
            TestMode::Off => policy,
            TestMode::On => policy.weakened(),
        }
    }

    fn of_tags(tags: &str) -> Self {
        let tags = Tags(tags);
        let aggregate_reports = ReportUri::list(tags.get("rua").unwrap_or_default());
        let asked = Asked {
            domain: tags.policy("p"),
            subdomains: tags.policy("sp"),
            non_existent: tags.policy("np"),
        };
        let usable = match asked.is_in_form() {
            true => Usable::AsPublished,
            false if aggregate_reports.is_empty() => Usable::Not,
            false => Usable::AsNone,
        };
        let kept = |tag: Tag<Policy>| tag.in_form().filter(|_| usable == Usable::AsPublished);
        Self {
            policy: kept(asked.domain).unwrap_or(Policy::None),
            subdomains: kept(asked.subdomains),
            non_existent: kept(asked.non_existent),
            usable,
            psd: match tags.letter("psd") {
                Some('y') => Psd::Suffix,
                Some('n') => Psd::Organizational,
                _ => Psd::Unspecified,
            },
            test_mode: if tags.letter("t") == Some('y') { TestMode::On } else { TestMode::Off },
            dkim: tags.alignment("adkim"),
            spf: tags.alignment("aspf"),
            failure_options: tags.get("fo").and_then(FailureOptions::parse).unwrap_or_default(),
            aggregate_reports,
            failure_reports: ReportUri::list(tags.get("ruf").unwrap_or_default()),
        }
    }
}

/// How the author's domain stands to the one that publishes the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorIs {
    /// It is the same.
    Publisher,
    /// It is below, and exists.
    Below,
    /// It is below, and does not exist (section 3.2.13).
    NonExistentBelow,
}

impl Policy {
    /// The word in records and results.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    /// One level below, as `t=y` asks for.
    const fn weakened(self) -> Self {
        match self {
            Self::None | Self::Quarantine => Self::None,
            Self::Reject => Self::Quarantine,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::None, Self::Quarantine, Self::Reject]
            .into_iter()
            .find(|policy| text.eq_ignore_ascii_case(policy.as_str()))
    }
}

/// The policies of a record.
struct Asked {
    domain: Tag<Policy>,
    subdomains: Tag<Policy>,
    non_existent: Tag<Policy>,
}

impl Asked {
    fn is_in_form(&self) -> bool {
        let is_wrong = |tag: &Tag<Policy>| matches!(tag, Tag::Wrong);
        matches!(self.domain, Tag::InForm(_))
            && !is_wrong(&self.subdomains)
            && !is_wrong(&self.non_existent)
    }
}

/// A tag by its value.
#[derive(Clone, Copy)]
enum Tag<T> {
    Absent,
    Wrong,
    InForm(T),
}

impl<T> Tag<T> {
    fn in_form(self) -> Option<T> {
        match self {
            Self::InForm(value) => Some(value),
            Self::Absent | Self::Wrong => None,
        }
    }
}

/// What stands behind the version.
struct Tags<'r>(&'r str);

impl<'r> Tags<'r> {
    /// The value of a tag. Of several the first counts: the RFC says nothing about them.
    fn get(&self, name: &str) -> Option<&'r str> {
        let tags = self.0.split(';').filter_map(|tag| tag.split_once('='));
        let mut values = tags.filter(|(tag, _)| trimmed(tag).eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| trimmed(value))
    }

    fn policy(&self, name: &str) -> Tag<Policy> {
        match self.get(name) {
            None => Tag::Absent,
            Some(value) => Policy::parse(value).map_or(Tag::Wrong, Tag::InForm),
        }
    }

    /// The value of a tag that has one letter, in lower case.
    fn letter(&self, name: &str) -> Option<char> {
        let mut letters = self.get(name)?.chars();
        let letter = letters.next()?.to_ascii_lowercase();
        letters.next().is_none().then_some(letter)
    }

    fn alignment(&self, name: &str) -> Alignment {
        if self.letter(name) == Some('s') { Alignment::Strict } else { Alignment::Relaxed }
    }
}

/// `v=DMARC1`, which must come first; its value alone is sensitive to case.
fn is_version(tag: &str) -> bool {
    tag.split_once('=').is_some_and(|(name, value)| {
        name.trim_end_matches(BLANKS).eq_ignore_ascii_case("v") && trimmed(value) == "DMARC1"
    })
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(BLANKS)
}

const BLANKS: [char; 2] = [' ', '\t'];
