//! `[[filter]]`: filters of other people, which get mail from the queue and hand it back.

mod program;
mod scanner;

use std::{collections::HashMap, net::SocketAddr, num::NonZeroU32, time::Duration};

use mailweir_filters::course::{Course, Stop};
use mailweir_policy::client::Server;

use super::{
    IfFailed, Listener, Mode, NextHop, Relay, Surroundings,
    archive::direction,
    check::{Written, all, positive},
    choice::{FilterType, MailDirection},
    nearest::no_listener,
    problem::Problems,
    raw::RawConfig,
    schema::FilterSection,
};

/// A filter of other people.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Its name, used once.
    pub name: Box<str>,
    /// What it is.
    pub kind: FilterKind,
    /// What becomes of mail when it fails.
    pub if_failed: IfFailed,
    /// How many copies it gets at once.
    pub concurrency_limit: NonZeroU32,
    /// How many recipients it gets at once.
    pub recipient_limit: NonZeroU32,
    /// How long it may take.
    pub time_limit: Duration,
}

pub(super) use self::scanner::Score;
pub use self::{
    program::{PipeFilter, User},
    scanner::{Scanner, ScannerFilter},
};

/// What a filter is.
#[derive(Clone, Debug)]
pub enum FilterKind {
    /// A server.
    Smtp(SmtpFilter),
    /// A server that gets mail while its client waits.
    Proxy(SmtpFilter),
    /// A program.
    Pipe(Box<PipeFilter>),
    /// A program that is asked before mail is taken.
    Scan(Box<ScannerFilter>),
    /// One that hears sessions from their beginning.
    Milter(MilterFilter),
}

/// A filter that speaks the milter protocol.
#[derive(Clone, Debug)]
pub struct MilterFilter {
    /// Where it listens.
    pub server: Server,
    /// Whose sessions it hears; empty: those of all.
    listeners: Vec<Box<str>>,
}

impl MilterFilter {
    /// Whether it hears the sessions of a listener.
    #[must_use]
    pub fn hears(&self, listener: &str) -> bool {
        self.listeners.is_empty() || self.listeners.iter().any(|name| **name == *listener)
    }
}

/// A server that takes mail by SMTP or LMTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpFilter {
    /// Where it is.
    pub to: Relay,
    /// Whether it is told by XFORWARD from which client the mail came.
    pub xforward: bool,
}

/// The filters, and which mail passes them.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// What they are, in the order of the file.
    pub all: Vec<Filter>,
    /// Which mail passes those behind the queue.
    pub course: Course,
    /// About which mail those before the queue are asked.
    pub before: Course,
}

impl Filters {
    /// What the filter of this name is, if mail is shown to it before it is taken.
    #[must_use]
    pub fn before_queue(&self, name: &str) -> Option<&FilterKind> {
        let kind = self.all.iter().find(|filter| *filter.name == *name).map(|filter| &filter.kind);
        kind.filter(|kind| match kind {
            FilterKind::Scan(_) | FilterKind::Proxy(_) | FilterKind::Milter(_) => true,
            FilterKind::Smtp(_) | FilterKind::Pipe(_) => false,
        })
    }

    /// The listener where a filter hands mail back, whether or not a client waits for it.
    #[must_use]
    pub fn hands_back_to(&self, name: &str) -> Option<&str> {
        self.course.hands_back_to(name).or_else(|| self.before.hands_back_to(name))
    }

    /// For `mailweir check`, in a line for each.
    pub(super) fn describe(&self) -> impl Iterator<Item = String> {
        self.all.iter().map(|filter| {
            let to = match &filter.kind {
                FilterKind::Smtp(SmtpFilter { to, .. })
                | FilterKind::Proxy(SmtpFilter { to, .. }) => format!("at {to}"),
                FilterKind::Pipe(pipe) => format!("by {}", pipe.command.program),
                FilterKind::Scan(scanner) => format!("at {}", scanner.server),
                FilterKind::Milter(milter) => format!("at {}", milter.server),
            };
            let back = match self.course.hands_back_to(&filter.name) {
                Some(listener) => format!("back at {listener}"),
                None if matches!(filter.kind, FilterKind::Proxy(_)) => {
                    let back = self.before.hands_back_to(&filter.name).unwrap_or_default();
                    format!("back at {back} while its client waits")
                }
                None if matches!(filter.kind, FilterKind::Scan(_)) => {
                    "asked before mail is taken".to_owned()
                }
                None if matches!(filter.kind, FilterKind::Milter(_)) => {
                    "a milter, which hears all sessions".to_owned()
                }
                None => "hands nothing back".to_owned(),
            };
            let failed = match filter.if_failed {
                IfFailed::Defer => "mail waits",
                IfFailed::Hold => "mail is held",
                IfFailed::Pass => "mail goes on without it",
                IfFailed::Reject => "mail goes back to its sender",
            };
            format!("{} {to}, {back}; if it fails, {failed}", filter.name)
        })
    }
}

/// Checks the sections.
pub(super) fn check(
    raw: &RawConfig,
    listeners: &[Listener],
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Filters {
    let written = &all::<FilterSection>(raw, problems);
    check_names(written, problems);
    let mut filters = Filters::default();
    let (mut behind, mut before) = (Vec::new(), Vec::new());
    for one in written {
        check_listeners(one, listeners, problems);
        check_return(one, listeners, problems);
        check_directions(one, problems);
        check_keys(one, problems);
        let (kind, usual) = match one.section.kind {
            FilterType::Smtp => (smtp(one, problems).map(FilterKind::Smtp), SMTP_TIME),
            FilterType::Proxy => (proxy(one, problems).map(FilterKind::Proxy), PROXY_TIME),
            FilterType::Pipe => {
                let pipe = program::check(one, back(one, listeners), around, problems);
                (pipe.map(|pipe| FilterKind::Pipe(Box::new(pipe))), PIPE_TIME)
            }
            FilterType::Clamd | FilterType::Spamd | FilterType::Rspamd => {
                let scanner = scanner::check(one, around, problems);
                (scanner.map(|scanner| FilterKind::Scan(Box::new(scanner))), SCAN_TIME)
            }
            FilterType::Milter => (milter(one, problems).map(FilterKind::Milter), MILTER_TIME),
        };
        let time_limit = one.section.time_limit.unwrap_or(usual);
        positive(&one.table, &[("time_limit", time_limit)], problems);
        match one.section.kind {
            FilterType::Smtp | FilterType::Pipe => behind.push(stop(&one.section)),
            FilterType::Proxy | FilterType::Clamd | FilterType::Spamd | FilterType::Rspamd => {
                before.push(stop(&one.section));
            }
            FilterType::Milter => {}
        }
        filters.all.extend(kind.map(|kind| Filter {
            name: one.section.name.0.clone(),
            kind,
            if_failed: one.section.if_failed,
            concurrency_limit: one.section.concurrency_limit,
            recipient_limit: one.section.recipient_limit,
            time_limit,
        }));
    }
    Filters { course: Course::new(behind), before: Course::new(before), ..filters }
}

/// A name is used once, and is no word that stands for something else before a colon.
fn check_names(written: &[Written<FilterSection>], problems: &mut Problems<'_>) {
    let mut names = HashMap::new();
    let mut returns = HashMap::new();
    for Written { table, section } in written {
        let name = &*section.name.0;
        if let Some(first) = names.insert(name, table.path_of("")) {
            problems.error(table, "name", format!("{name:?} is the name of {first} already"));
        }
        if TRANSPORTS.contains(&name) {
            let message = format!("{name:?} is what a transport is called that is no filter");
            problems.error(table, "name", message).help("name it otherwise");
        }
        let Some(listener) = &section.returns_to else { continue };
        if let Some(first) = returns.insert(&**listener, name) {
            let message = format!(
                "the filter {first:?} hands mail back there already: nobody could tell which of the two has had a mail"
            );
            problems.error(table, "returns_to", message).help("give each a listener of its own");
        }
    }
}

fn check_listeners(
    Written { table, section }: &Written<FilterSection>,
    listeners: &[Listener],
    problems: &mut Problems<'_>,
) {
    for (index, name) in section.listeners.iter().enumerate() {
        let message = match listeners.iter().find(|listener| *listener.name == **name) {
            None => no_listener(name, listeners.iter().map(|listener| &*listener.name)),
            Some(found) if is_of_filters(found) => {
                format!(
                    "{name:?} takes what filters hand back: write names of listeners where mail comes in first"
                )
            }
            Some(_) => continue,
        };
        problems.element_error(table, "listeners", index, message);
    }
}

/// The first address of the listener that it hands mail back to.
fn back(
    Written { section, .. }: &Written<FilterSection>,
    listeners: &[Listener],
) -> Option<SocketAddr> {
    let name = section.returns_to.as_ref()?;
    let listener = listeners.iter().find(|listener| *listener.name == **name)?;
    listener.bind.first().copied()
}

fn check_return(
    Written { table, section }: &Written<FilterSection>,
    listeners: &[Listener],
    problems: &mut Problems<'_>,
) {
    let Some(name) = &section.returns_to else { return };
    match listeners.iter().find(|listener| *listener.name == **name) {
        None => {
            problems.error(
                table,
                "returns_to",
                no_listener(name, listeners.iter().map(|listener| &*listener.name)),
            );
        }
        Some(found) if !is_of_filters(found) => {
            let message = format!(
                "the mode of {name:?} is {:?}: mail would pass the same filters again, for ever",
                found.mode.as_str()
            );
            problems.error(table, "returns_to", message).help("set its mode to \"filter\"");
        }
        Some(found)
            if section.kind != FilterType::Proxy
                && found.limits.recipient_limit < section.recipient_limit =>
        {
            let (given, back) = (section.recipient_limit, found.limits.recipient_limit);
            let message = format!(
                "the filter gets up to {given} recipients at once, and {name:?} takes back {back}"
            );
            let help = format!("recipient_limit = {back}");
            problems.warning(table, "recipient_limit", message).help(help);
        }
        Some(_) => {}
    }
}

const fn is_of_filters(listener: &Listener) -> bool {
    matches!(listener.mode, Mode::Filter | Mode::Lmtp)
}

fn check_directions(
    Written { table, section }: &Written<FilterSection>,
    problems: &mut Problems<'_>,
) {
    if section.directions.contains(&MailDirection::Own) {
        let message = "mail that the gateway writes itself passes no filter";
        problems.error(table, "directions", message);
    }
}

fn stop(section: &FilterSection) -> Stop {
    Stop {
        name: section.name.0.clone(),
        only_by_action: section.only_by_action,
        listeners: section.listeners.iter().map(|name| name.as_str().into()).collect(),
        directions: section.directions.iter().map(|one| direction(*one)).collect(),
        senders: section.senders.clone(),
        recipients: section.recipients.clone(),
        returns_to: section.returns_to.as_deref().map(Into::into),
    }
}

fn smtp(written: &Written<FilterSection>, problems: &mut Problems<'_>) -> Option<SmtpFilter> {
    let Written { table, section } = written;
    match needed(written, "to", section.to.as_ref(), problems)? {
        NextHop::Relay(to) => {
            Some(SmtpFilter { to: to.clone(), xforward: section.xforward.unwrap_or(true) })
        }
        NextHop::Mx | NextHop::Discard => {
            let message = "a filter is a server: write where it is";
            problems.error(table, "to", message).help("to = \"smtp://127.0.0.1:10025\"");
            None
        }
    }
}

/// A server that gets mail while its client waits has it whole, and by nobody's word but that of its own keys.
fn proxy(written: &Written<FilterSection>, problems: &mut Problems<'_>) -> Option<SmtpFilter> {
    let Written { table, section } = written;
    if table.has("recipient_limit") {
        let message = "a mail goes there with all its recipients, since it has one answer";
        problems.error(table, "recipient_limit", message).help("leave it out");
    }
    let back = needed(written, "returns_to", section.returns_to.as_ref(), problems);
    smtp(written, problems).filter(|_| back.is_some())
}

fn milter(written: &Written<FilterSection>, problems: &mut Problems<'_>) -> Option<MilterFilter> {
    let Written { table, section } = written;
    for key in ["directions", "senders", "recipients", "only_by_action", "returns_to"] {
        if table.has(key) {
            let message =
                "a milter hears a session from its beginning, when nothing is known of a mail";
            problems.error(table, key, message).help("say by `listeners` which sessions it hears");
        }
    }
    Some(MilterFilter {
        server: scanner::server(written, problems)?,
        listeners: section.listeners.iter().map(|name| name.as_str().into()).collect(),
    })
}

/// A key that another type has is a mistake, not a wish that is passed over.
fn check_keys(Written { table, section }: &Written<FilterSection>, problems: &mut Problems<'_>) {
    let others = KEYS.iter().filter(|(_, of)| !of.contains(&section.kind)).map(|(key, _)| *key);
    for key in others.filter(|key| table.has(key)) {
        if !problems.blame(table, key) {
            let message = format!("a filter of type {:?} has no such key", section.kind.as_str());
            problems.error(table, key, message);
        }
    }
}

fn needed<'w, T>(
    Written { table, section }: &Written<FilterSection>,
    key: &str,
    value: Option<&'w T>,
    problems: &mut Problems<'_>,
) -> Option<&'w T> {
    if value.is_none() && !problems.blame(table, key) {
        let kind = section.kind.as_str();
        problems.error(table, "type", format!("{kind:?} needs the key {key:?} too"));
    }
    value
}

/// The keys that not all types have, and which have them.
const KEYS: [(&str, &[FilterType]); 17] = {
    use FilterType::{Clamd, Milter, Pipe, Proxy, Rspamd, Smtp, Spamd};
    [
        ("to", &[Smtp, Proxy]),
        ("xforward", &[Smtp, Proxy]),
        ("command", &[Pipe]),
        ("user", &[Pipe]),
        ("directory", &[Pipe]),
        ("flags", &[Pipe]),
        ("null_sender", &[Pipe]),
        ("eol", &[Pipe]),
        ("size_limit", &[Pipe, Clamd, Spamd, Rspamd]),
        ("server", &[Clamd, Spamd, Rspamd, Milter]),
        ("if_larger", &[Clamd, Spamd, Rspamd]),
        ("mark", &[Clamd, Spamd]),
        ("join_score", &[Clamd, Spamd, Rspamd]),
        ("infected", &[Clamd]),
        ("reject_from", &[Spamd]),
        ("hold_from", &[Spamd]),
        ("password_file", &[Rspamd]),
    ]
};

/// What stands before the colon of a transport, and means something else.
const TRANSPORTS: [&str; 8] =
    ["smtp", "smtps", "lmtp", "relay", "discard", "error", "retry", "local"];

/// Postfix's FILTER_README has `smtp_data_done_timeout=1200`.
const SMTP_TIME: Duration = Duration::from_secs(1_200);

/// Postfix `command_time_limit`.
const PIPE_TIME: Duration = Duration::from_secs(1_000);

/// Postfix `smtpd_proxy_timeout`.
const PROXY_TIME: Duration = Duration::from_secs(100);

/// The same: there a client waits, too.
const SCAN_TIME: Duration = PROXY_TIME;

/// Postfix `milter_content_timeout`.
const MILTER_TIME: Duration = Duration::from_secs(300);
