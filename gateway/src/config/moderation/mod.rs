//! `[moderation]`: which mail waits for people, who they are, and which mail needs nobody.

mod action;
pub(super) mod claims;
mod describe;
mod people;
mod rule;
mod settings;

pub(super) use self::settings::{ExpireAfter, Expression, Needed, WrittenLevel};
pub use self::{
    people::Moderator,
    rule::ModerationRule,
    settings::{Mailbox, OneLine},
};

use std::time::Duration;

use mailweir_auth::UserName;
use mailweir_mail::{Address, Domain};
use mailweir_moderation::{
    action::People,
    chain::{self, TrustedHosts, WalkOptions},
    notice::Language,
    person::is_same,
    reply::address,
    rule::{AddressPattern, Rules},
    token::Token,
};

use super::{
    Server, Surroundings, TableName,
    check::{Written, all, only, positive},
    choice::{InnerHops, Origin},
    listener::Listener,
    problem::Problems,
    raw::{RawConfig, RawTable},
    schema::{ModerationSection, ModeratorSection, RuleSection},
    table::{self, Usage},
};
use crate::time_zone::TimeZone;

/// `[moderation]`: which mail waits for people, and which is trusted.
#[derive(Clone, Debug)]
pub struct Moderation {
    /// The hosts that a mail may have come through.
    pub trusted_hosts: TrustedHosts,
    /// How strictly its Received headers are read. Whether our own is among them is not for the
    /// configuration to say.
    pub walk: WalkOptions,
    /// Which mail no rule is asked about.
    pub bypass: Bypass,
    /// Whom notices come from.
    pub from: Mailbox,
    /// Whether answers by mail decide.
    pub replies: bool,
    /// The language of people who are not among `moderators`.
    pub language: Language,
    /// When requests to one moderator are gathered.
    pub digest: Digest,
    /// How many notices go to everybody together in a minute; 0: any number.
    pub notices_per_minute: u32,
    /// How many notices one sender gets a day; 0: any number.
    pub sender_notices_per_day: u32,
    /// Which groups people are in.
    pub group_maps: Vec<TableName>,
    /// How long it is remembered that two people have had mail of each other.
    pub forget_correspondents: Duration,
    /// How long decided cases are kept.
    pub keep_cases: Duration,
    /// Where those live who are not among `moderators`; for hours of rules, too.
    pub time_zone: TimeZone,
    /// Whether the links in notices ask for a log-in.
    pub links_need_login: bool,
    /// `[[moderation.moderator]]`, in order.
    pub moderators: Vec<Moderator>,
    /// When they are away, and who stands in.
    pub people: People,
    /// `[[moderation.rule]]`, in order.
    pub rules: Vec<ModerationRule>,
    /// The same rules, ready to watch mail; a match has the number of its rule.
    pub matching: Rules,
}

/// Mail that no rule is asked about; any of these is enough.
#[derive(Clone, Debug, Default)]
pub struct Bypass {
    /// From these envelope senders.
    pub senders: Vec<AddressPattern>,
    /// By credentials of these names.
    pub credentials: Vec<Box<str>>,
    /// Through trusted hosts only.
    pub chain: bool,
    /// With a verified and aligned signature of these domains.
    pub dkim_domains: Vec<Domain>,
}

/// When requests to one moderator are gathered in one mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    /// So many go out by themselves.
    pub after: u32,
    /// Within this time.
    pub interval: Duration,
}

/// The sections as they are written.
pub(super) struct WrittenModeration {
    section: Written<ModerationSection>,
    moderators: Vec<Written<ModeratorSection>>,
    pub(super) rules: Vec<Written<RuleSection>>,
}

impl WrittenModeration {
    /// Reads them. `None` only if an error was reported.
    pub(super) fn read(raw: &RawConfig, problems: &mut Problems<'_>) -> Option<Self> {
        Some(Self {
            section: only(raw, problems)?,
            moderators: all(raw, problems),
            rules: all(raw, problems),
        })
    }
}

/// Checks the sections; warns of entries that mean more than they seem.
pub(super) fn check(
    written: &WrittenModeration,
    listeners: &[Listener],
    server: &Server,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Moderation {
    let Written { table, section } = &written.section;
    warn_of_hosts(table, section, problems);
    let intervals = [
        ("digest_interval", section.digest_interval),
        ("keep_cases", section.keep_cases),
        ("forget_correspondents", section.forget_correspondents),
    ];
    positive(table, &intervals, problems);
    let (moderators, people) =
        people::check(&written.moderators, section.language, &server.time_zone, problems);
    let (rules, matching) = rule::check(&written.rules, listeners, problems);
    table::check(table, "group_maps", &section.group_maps, Usage::ANY, around, problems);
    warn_of_groups(&written.rules, section, problems);
    let from = from(table, section, &server.hostname, problems);
    Moderation {
        group_maps: section.group_maps.clone(),
        forget_correspondents: section.forget_correspondents,
        trusted_hosts: section.trusted_hosts.iter().cloned().collect(),
        walk: WalkOptions {
            local_origin: section.local_origin.into(),
            authenticated_origin: section.authenticated_origin.into(),
            inner_hops: section.inner_hops.into(),
            ..WalkOptions::default()
        },
        bypass: bypass(table, section, problems),
        replies: replies(table, section, &from.address, problems),
        from,
        language: section.language,
        digest: Digest { after: section.digest_after, interval: section.digest_interval },
        notices_per_minute: section.notices_per_minute,
        sender_notices_per_day: section.sender_notices_per_day,
        keep_cases: section.keep_cases,
        time_zone: server.time_zone.clone(),
        links_need_login: section.links_need_login,
        moderators,
        people,
        rules,
        matching,
    }
}

fn warn_of_hosts(table: &RawTable, section: &ModerationSection, problems: &mut Problems<'_>) {
    for (index, entry) in section.trusted_hosts.iter().enumerate() {
        let place = table.place_of_element("trusted_hosts", index);
        for warning in entry.warnings() {
            let message = format!("{:?}: {warning}", entry.as_str());
            problems.warning_at(place, table.path_of("trusted_hosts"), message);
        }
    }
}

/// Without tables nobody is in a group.
fn warn_of_groups(
    rules: &[Written<RuleSection>],
    section: &ModerationSection,
    problems: &mut Problems<'_>,
) {
    for Written { table, section: rule } in rules {
        if section.group_maps.is_empty() && !rule.groups.is_empty() {
            problems
                .warning(table, "groups", "nobody is in a group: this rule means no mail")
                .help("moderation.group_maps = [\"hash:/etc/mailweir/groups\"]");
        }
    }
}

fn bypass(table: &RawTable, section: &ModerationSection, problems: &mut Problems<'_>) -> Bypass {
    for (index, pattern) in section.trusted_senders.iter().enumerate() {
        if matches!(pattern, AddressPattern::Any) {
            let message = "\"*\" is everybody: no mail would ever wait";
            problems.element_error(table, "trusted_senders", index, message);
        }
    }
    if section.trusted_chain && section.trusted_hosts.is_empty() {
        let message = "trusted_hosts is empty: no mail came through trusted hosts only";
        problems.warning(table, "trusted_chain", message);
    }
    Bypass {
        senders: section.trusted_senders.clone(),
        credentials: boxed(&section.trusted_credentials),
        chain: section.trusted_chain,
        dkim_domains: section.dkim_domains.clone(),
    }
}

fn from(
    table: &RawTable,
    section: &ModerationSection,
    hostname: &Domain,
    problems: &mut Problems<'_>,
) -> Mailbox {
    let usual = || Mailbox::of_gateway(hostname);
    section.from.clone().or_else(usual).unwrap_or_else(|| {
        let message = "server.hostname is too long for an address; write one";
        problems.error(table, "from", message);
        Mailbox { name: None, address: anybody() }
    })
}

/// Whether people may answer. An address has room for so much only.
fn replies(
    table: &RawTable,
    section: &ModerationSection,
    from: &Address,
    problems: &mut Problems<'_>,
) -> bool {
    let has_room = address::with_code(from, &Token::new([0; 32]).answer_code()).is_some();
    if section.replies && !has_room {
        let message = "the code of an answer does not fit behind this local part, which has more than \
                       11 characters: nobody can decide by answering";
        problems.warning(table, "from", message);
    }
    section.replies && has_room
}

#[expect(clippy::expect_used, reason = "this is a valid address")]
fn anybody() -> Address {
    Address::parse("moderation@localhost").expect("a valid address")
}

/// As back ends compare names of users (RFC 8265).
fn is_same_login(one: &str, other: &str) -> bool {
    let canonical = |name: &str| name.parse::<UserName>().ok();
    canonical(one).is_some_and(|one| canonical(other) == Some(one))
}

fn boxed(texts: &[String]) -> Vec<Box<str>> {
    texts.iter().map(|text| text.as_str().into()).collect()
}

impl Moderation {
    /// Whether a log-in is somebody's. Their address is one, unless it is that of somebody else.
    #[must_use]
    pub fn is_login_of(&self, person: &Address, login: &str) -> bool {
        match self.moderators.iter().find(|one| is_same(&one.person.address, person)) {
            Some(moderator) => is_same_login(&moderator.login, login),
            None => {
                is_same_login(person.as_str(), login)
                    && !self.moderators.iter().any(|other| is_same_login(&other.login, login))
            }
        }
    }

    /// Moderators whose log-in this is.
    pub fn moderators_by_login<'a>(&'a self, login: &'a str) -> impl Iterator<Item = &'a Address> {
        let theirs = self.moderators.iter().filter(move |one| is_same_login(&one.login, login));
        theirs.map(|moderator| &moderator.person.address)
    }

    /// Where somebody lives.
    #[must_use]
    pub fn zone_of(&self, person: &Address) -> &TimeZone {
        let mut known = self.moderators.iter();
        let known = known.find(|one| is_same(&one.person.address, person));
        known.map_or(&self.time_zone, |moderator| &moderator.time_zone)
    }
}

impl From<Origin> for chain::Origin {
    fn from(written: Origin) -> Self {
        match written {
            Origin::Strict => Self::Strict,
            Origin::Accept => Self::Accept,
        }
    }
}

impl From<InnerHops> for chain::InnerHops {
    fn from(written: InnerHops) -> Self {
        match written {
            InnerHops::Listed => Self::Listed,
            InnerHops::SameHost => Self::SameHost,
        }
    }
}
