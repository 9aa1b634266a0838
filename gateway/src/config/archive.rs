//! `[archive]` and `[[archive.rule]]`: what the archive keeps, for how long, and where.

use std::{path::PathBuf, time::Duration};

use mailweir_archive::{Encryption, Options, Places, Reader, entry::Direction};
use mailweir_filters::archiving::{Action, HeaderTest, Rule, Rules, Term};
use mailweir_mail::Address;

use super::{
    Server, Surroundings, archive_keys,
    check::{Written, all, only},
    choice::{IfUnwritable, KeepOrSkip, MailDirection},
    problem::Problems,
    raw::RawConfig,
    schema::{ArchiveRuleSection, ArchiveSection},
    setting::{Element, Refusal, Setting},
    units::shown,
    value::{RawValue, Value},
};

/// The archive.
#[derive(Clone, Debug)]
pub struct Archive {
    /// Where it is.
    pub directory: PathBuf,
    /// What becomes of new mail while it cannot be written.
    pub if_unwritable: IfUnwritable,
    /// A segment that has so many bytes is sealed.
    pub segment_size: u64,
    /// Whether what is written is encrypted.
    pub encryption: Encryption,
    /// Where the keys for that come from.
    pub key_file: Option<PathBuf>,
    /// Whether the gateway's own mail is archived.
    pub own: bool,
    /// Whether archived mail is marked.
    pub mark: bool,
    /// Who gets the roots of sealed segments by mail.
    pub roots_to: Vec<Address>,
    /// The file that gets them as well.
    pub roots_copy: Option<PathBuf>,
    /// Whether what is in mail is indexed.
    pub index: bool,
    /// Bytes of memory for words that wait to be written to the index.
    pub index_memory: usize,
    /// What is kept, and for how long.
    pub rules: Rules,
}

impl Archive {
    /// How it is kept.
    #[must_use]
    pub fn options(&self) -> Options {
        Options { segment_size: self.segment_size, encryption: self.encryption.clone() }
    }

    /// Reads its records, with the keys that it has.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(Places::new(&self.directory)).with_keys(self.encryption.keys().cloned())
    }

    /// For `mailweir check`, in a line for each rule.
    pub(super) fn describe(&self) -> Vec<String> {
        let then = match self.if_unwritable {
            IfUnwritable::Defer => "mail is deferred while it cannot be written",
            IfUnwritable::Accept => "mail is accepted while it cannot be written",
        };
        let rules = self.rules.rules.iter().map(|rule| match rule.action {
            Action::Keep(term) => format!("by rule {:?} {}", rule.name, kept(term)),
            Action::Skip => format!("not what rule {:?} means", rule.name),
        });
        let rest = match self.rules.rules.is_empty() {
            true => format!("all mail {}", kept(self.rules.otherwise)),
            false => format!("other mail {}", kept(self.rules.otherwise)),
        };
        let own = self.own.then(|| "the gateway's own mail, too".to_owned());
        let how = match &self.encryption {
            Encryption::Never => "",
            Encryption::NoLonger(_) => ", encrypted no longer",
            Encryption::On(_) => ", encrypted",
        };
        let mark = self.mark.then(|| "marked by X-Archive-Status: Archived".to_owned());
        let copy = self.roots_copy.iter().map(|copy| format!("roots copied to {}", copy.display()));
        let sent = self.roots_to.iter().map(|to| format!("roots sent to {to}"));
        let index = if self.index { "" } else { "; not indexed" };
        let place = format!("in {}{how}; {then}{index}", self.directory.display());
        rules.chain([rest]).chain(own).chain(mark).chain([place]).chain(sent).chain(copy).collect()
    }
}

#[cfg(test)]
impl Archive {
    /// One in a directory, that keeps everything.
    pub(crate) fn in_dir(directory: &std::path::Path) -> Self {
        Self {
            directory: directory.to_owned(),
            if_unwritable: IfUnwritable::Defer,
            segment_size: 256 << 20,
            encryption: Encryption::Never,
            key_file: None,
            mark: false,
            own: false,
            roots_to: Vec::new(),
            roots_copy: None,
            index: false,
            index_memory: 16 << 20,
            rules: Rules { rules: Vec::new(), otherwise: Term::Forever },
        }
    }
}

fn kept(term: Term) -> String {
    match term {
        Term::Forever => "for ever".to_owned(),
        Term::Days(days) if days % YEAR == 0 => format!("for {} y", days / YEAR),
        Term::Days(days) => format!("for {}", shown(Duration::from_secs(u64::from(days) * DAY))),
    }
}

/// How long mail is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeepFor(Term);

impl Setting for KeepFor {
    const ALLOWED: &'static str = "\"forever\", a number of years (each of 366 d) such as \"10 y\", or a duration of at least 1 d";
    const EXAMPLE: &'static str = "\"10 y\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        if let Value::Text(text) | Value::Loose(text) = &value.value {
            let text = text.trim();
            if text == "forever" {
                return Ok(Self(Term::Forever));
            }
            let years = text.strip_suffix('y').and_then(|years| years.trim().parse::<u32>().ok());
            if let Some(years @ 1..=MOST_YEARS) = years {
                return Ok(Self(Term::Days(years * YEAR)));
            }
        }
        // Never less than was asked for.
        let days = Duration::from_value(value)?.as_secs().div_ceil(DAY);
        match u32::try_from(days) {
            Ok(days @ 1..) if days <= MOST_YEARS * YEAR => Ok(Self(Term::Days(days))),
            _ => Refusal::new(value, "mail is kept for 1 d to 1000 y, or for ever").alone(),
        }
    }
}

impl Setting for HeaderTest {
    const ALLOWED: &'static str = "the name of a header field, or a name and a regular expression, such as 'Subject: ^Cron <'";
    const EXAMPLE: &'static str = "'Subject: ^Cron <'";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        Self::parse(value.text()?).or_else(|error| Refusal::new(value, error).alone())
    }
}

impl Element for HeaderTest {
    const LIST_ALLOWED: &'static str = "a list of names of header fields, or of names and regular expressions, such as ['X-Cron-Env', 'Subject: ^Cron <']";
    const LIST_EXAMPLE: &'static str = "['X-Cron-Env', 'Subject: ^Cron <']";
}

impl Element for MailDirection {
    const LIST_ALLOWED: &'static str =
        "a list of \"inbound\", \"outbound\", \"internal\" and \"own\"";
    const LIST_EXAMPLE: &'static str = "[\"inbound\", \"internal\"]";
}

/// Reads and checks the sections. `Some(None)`: nothing is archived. `None` only if an error was reported.
pub(super) fn check(
    raw: &RawConfig,
    server: &Server,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<Option<Archive>> {
    let Written { table, section } = only::<ArchiveSection>(raw, problems)?;
    let rules = all::<ArchiveRuleSection>(raw, problems);
    let mut checked: Vec<Rule> = Vec::new();
    for one in &rules {
        check_rule(one, &checked, problems);
        check_own(one, section.own, problems);
        checked.push(rule(one, section.keep));
    }
    if section.segment_size.bytes() < SMALLEST_SEGMENT && !problems.blame(&table, "segment_size") {
        problems.error(&table, "segment_size", "a segment has at least 1 MiB");
    }
    if !INDEX_MEMORY.contains(&section.index_memory.bytes())
        && !problems.blame(&table, "index_memory")
    {
        problems.error(&table, "index_memory", "the index takes 15 MB to 2 GiB of memory");
    }
    if !section.enabled {
        let keys = [
            "directory",
            "encrypt",
            "if_unwritable",
            "index",
            "index_memory",
            "keep",
            "key_file",
            "mark",
            "own",
            "roots_copy",
            "roots_to",
            "segment_size",
        ];
        if !rules.is_empty() || keys.iter().any(|key| table.has(key)) {
            let message = "nothing is archived: archive.enabled is missing";
            problems.warning(&table, "enabled", message);
        }
        return Some(None);
    }
    let encryption = archive_keys::check(&table, &section, around, problems)?;
    Some(Some(Archive {
        encryption,
        key_file: section.key_file.clone(),
        directory: section.directory.clone().unwrap_or_else(|| server.data_dir.join("archive")),
        if_unwritable: section.if_unwritable,
        segment_size: section.segment_size.bytes(),
        own: section.own,
        mark: section.mark,
        roots_to: section.roots_to.clone(),
        roots_copy: section.roots_copy.clone(),
        index: section.index,
        index_memory: usize::try_from(section.index_memory.bytes()).unwrap_or(usize::MAX),
        rules: Rules { rules: checked, otherwise: section.keep.0 },
    }))
}

fn check_rule(
    Written { table, section }: &Written<ArchiveRuleSection>,
    before: &[Rule],
    problems: &mut Problems<'_>,
) {
    if before.iter().any(|other| *other.name == *section.name.0) {
        let message = format!("{:?} is the name of a rule above", section.name.0);
        problems
            .error(table, "name", message)
            .help("names of rules stand in the records of mail that they have kept");
    }
    if section.action == KeepOrSkip::Skip && section.keep.is_some() {
        problems.error(table, "keep", "what is left out is kept for no time");
    }
    let lists = [
        ("directions", section.directions.is_empty()),
        ("senders", section.senders.is_empty()),
        ("recipients", section.recipients.is_empty()),
        ("headers", section.headers.is_empty()),
    ];
    for (key, is_empty) in lists {
        if is_empty && table.has(key) && !problems.blame(table, key) {
            let message = "an empty list asks nothing: the rule would mean all mail";
            problems.error(table, key, message).help("leave the key out");
        }
    }
    let is_inbound =
        section.directions.is_empty() || section.directions.contains(&MailDirection::Inbound);
    let is_anybody = section.senders.is_empty() && section.recipients.is_empty() && is_inbound;
    if section.action == KeepOrSkip::Skip && !section.headers.is_empty() && is_anybody {
        let message = "whoever writes such a header keeps their mail out of the archive";
        problems
            .warning(table, "headers", message)
            .help("name the senders or recipients whose mail is left out, too");
    }
    let asks = lists.iter().any(|(key, _)| table.has(key)) || table.has("larger_than");
    if !asks {
        let message = "it asks nothing: it means all mail, and no rule below is ever asked";
        problems.warning(table, "name", message).help("archive.keep is for what no rule means");
    }
}

/// Rules about mail that is never asked about.
fn check_own(
    Written { table, section }: &Written<ArchiveRuleSection>,
    is_own_kept: bool,
    problems: &mut Problems<'_>,
) {
    if section.directions.contains(&MailDirection::Own) && !is_own_kept {
        let message = "the gateway's own mail is not archived: archive.own is missing";
        problems.warning(table, "directions", message);
    }
}

fn rule(Written { section, .. }: &Written<ArchiveRuleSection>, otherwise: KeepFor) -> Rule {
    Rule {
        name: section.name.0.clone(),
        action: match section.action {
            KeepOrSkip::Keep => Action::Keep(section.keep.unwrap_or(otherwise).0),
            KeepOrSkip::Skip => Action::Skip,
        },
        directions: section.directions.iter().map(|one| direction(*one)).collect(),
        senders: section.senders.clone(),
        recipients: section.recipients.clone(),
        headers: section.headers.clone(),
        larger_than: section.larger_than.map(|size| size.bytes()),
    }
}

pub(super) const fn direction(written: MailDirection) -> Direction {
    match written {
        MailDirection::Inbound => Direction::Inbound,
        MailDirection::Outbound => Direction::Outbound,
        MailDirection::Internal => Direction::Internal,
        MailDirection::Own => Direction::Own,
    }
}

const DAY: u64 = 86_400;

/// Days that are never too few for a year.
const YEAR: u32 = 366;

const MOST_YEARS: u32 = 1_000;

const SMALLEST_SEGMENT: u64 = 1 << 20;

/// With less it would write each few mails by themselves; more than that is for nothing.
const INDEX_MEMORY: std::ops::RangeInclusive<u64> = 15_000_000..=2 << 30;
