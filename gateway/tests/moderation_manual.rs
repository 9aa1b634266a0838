//! The worked examples of `docs/moderation.md` mean what the page says of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, io, path::Path};

use mailweir::config::{Colour, Config, ModerationRule, Surroundings, report};
use mailweir_mail::{Address, Date, Domain, Timestamp};
use mailweir_moderation::{
    action::{Action, HeldMail},
    case::{AtExpiry, Expiry, Kind, Level, Plan, TellsSender},
    rule::{LocalTime, MailFacts, Match, Weekday},
};

const APPROVAL: &str = "## Mail to the outside needs an approval";
const UNDO: &str = "## Five minutes to take a mail back";
const NUMBERS: &str = "## Numbers of persons do not leave unseen";

/// 2026-12-24, 09:00 UTC.
const CHRISTMAS: Timestamp = Timestamp::from_secs(1_798_102_800);

#[test]
fn mail_to_the_outside_needs_an_approval() {
    let example = Example::of(APPROVAL);
    assert_eq!(example.first("sam", &["x@own.example", "y@example.org"], ""), "to the outside");
    assert_eq!(example.first("sam", &["y@example.org"], ""), "(none)");
    assert_eq!(example.first("news", &["x@own.example"], ""), "newsletter");
    let claimed = example.matches_by("sam", "news", &["x@own.example"], "");
    assert_eq!(claimed.len(), 1, "whoever claims to be the newsletter waits");
    let found = example.matches("news", &["x@own.example"], "");
    assert_eq!(found.len(), 2, "the rule behind is recorded");

    let before = Timestamp::from_secs(CHRISTMAS.as_secs() - 86_400);
    assert_eq!(asked(&example.plan(1, before).levels), [vec!["kim", "lee"]]);
    let plan = example.plan(1, CHRISTMAS);
    assert_eq!(asked(&plan.levels), [vec!["park for kim", "lee"]]);
    assert_eq!(plan.kind, Kind::Approval);
    let after = |hours: u64| Timestamp::from_secs(CHRISTMAS.as_secs() + hours * 3600);
    let expiry = Expiry { at: after(48), warning: Some(after(24)), action: AtExpiry::Reject };
    assert_eq!(plan.expiry, Some(expiry));
    assert_eq!(plan.escalation.unwrap().at, after(24));
    assert_eq!(plan.remind_every, Some(4 * 3600));
}

#[test]
fn five_minutes_to_take_a_mail_back() {
    let example = Example::of(UNDO);
    assert_eq!(example.first("sam", &["y@example.org"], ""), "undo");
    let plan = example.plan(0, CHRISTMAS);
    assert_eq!((plan.kind, plan.tells_sender), (Kind::Delay, TellsSender::Always));
    assert_eq!(asked(&plan.levels), [vec!["sam"]]);
    let at = Timestamp::from_secs(CHRISTMAS.as_secs() + 300);
    assert_eq!(plan.expiry, Some(Expiry { at, warning: None, action: AtExpiry::Release }));
}

#[test]
fn numbers_of_persons_do_not_leave_unseen() {
    let example = Example::of(NUMBERS);
    let first = |text: &str| example.first("sam", &["x@own.example"], text);
    assert_eq!(first("주민등록번호 900101-1234568입니다"), "numbers of persons");
    assert_eq!(first("900101-1234567 has a wrong digit"), "(none)");
    let cards = "4111 1111 1111 1111\n".repeat(4);
    assert_eq!(first(&cards), "(none)");
    assert_eq!(first(&format!("{cards}and 5555 5555 5555 4444")), "card numbers");
    assert_eq!(example.first("sam", &["y@example.org"], "900101-1234568"), "(none)", "not outside");

    let plan = example.plan(0, CHRISTMAS);
    assert_eq!(asked(&plan.levels), [vec!["kim", "lee"], vec!["privacy"]]);
    assert!(example.rule(0).sensitive);
    assert_eq!(asked(&example.plan(1, CHRISTMAS).levels), [vec!["sam"]]);
}

#[test]
fn the_page_shows_what_check_says() {
    for section in [APPROVAL, UNDO, NUMBERS] {
        let example = Example::of(section);
        let shown = example.shown.as_str();
        let described = example.config.describe();
        assert!(described.contains(shown), "{section}:\n{shown}\nis not in\n{described}");
    }
}

/// An example of the page: its configuration, and what the page says `mailweir check` makes of it.
struct Example {
    config: Config,
    shown: String,
}

impl Example {
    fn of(section: &str) -> Self {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/moderation.md");
        let page = fs::read_to_string(page).unwrap();
        let (_, rest) = page.split_once(section).unwrap();
        let (_, rest) = rest.split_once("```toml\n").unwrap();
        let (toml, rest) = rest.split_once("```").unwrap();
        let (_, rest) = rest.split_once("```\n").unwrap();
        let (shown, _) = rest.split_once("```").unwrap();
        let around = Surroundings {
            environment: &[],
            machine_name: None,
            time_zone: None,
            files: &|_| Err(io::ErrorKind::NotFound.into()),
        };
        let path = Path::new("mailweir.toml");
        let checked = Config::parse(path, &format!("{INSTALLATION}{toml}"), &around);
        let answer = report(path, &checked, Colour::Plain);
        let (config, warnings) = checked.unwrap_or_else(|_| panic!("{answer}"));
        assert!(warnings.is_empty(), "{answer}");
        Self { config, shown: shown.to_owned() }
    }

    fn rule(&self, number: usize) -> &ModerationRule {
        &self.config.moderation.rules[number]
    }

    /// The rules that mean a mail that somebody sends who logged in.
    fn matches(&self, sender: &str, recipients: &[&str], text: &str) -> Vec<Match> {
        self.matches_by(sender, sender, recipients, text)
    }

    /// The same, for a mail that somebody sends under the name of somebody else.
    fn matches_by(&self, login: &str, sender: &str, recipients: &[&str], text: &str) -> Vec<Match> {
        let rules = &self.config.moderation.matching;
        let mut watch = rules.watch();
        text.lines().for_each(|line| watch.text(line));
        let recipients: Vec<Address> = recipients.iter().map(|one| one.parse().unwrap()).collect();
        let sender = mailweir_mail::ReversePath::Mailbox(colleague(sender));
        let login = colleague(login);
        let is_ours =
            |domain: &Domain| self.config.domains.relay.iter().any(|own| own.matches(domain));
        let facts = MailFacts {
            listener: "submission",
            login: Some(login.as_str()),
            groups: &[],
            credential: None,
            sender: &sender,
            recipients: &recipients,
            is_ours: &is_ours,
            is_known: &|_| true,
            size: 1000,
            time: LocalTime { day: Weekday::Thursday, minute: 600 },
        };
        rules.judge(&facts, &watch).matches
    }

    /// The name of the rule that decides.
    fn first(&self, sender: &str, recipients: &[&str], text: &str) -> &str {
        let matches = self.matches(sender, recipients, text);
        matches.first().map_or("(none)", |found| &*self.rule(found.rule).rule.name.name)
    }

    /// What is frozen with Sam's mail by a rule.
    fn plan(&self, number: usize, now: Timestamp) -> Plan {
        let rule = self.rule(number);
        let Action::Hold(hold) = &rule.action else { panic!("{:?}", rule.action) };
        let mail = HeldMail {
            rule: rule.rule.name.clone(),
            also: Vec::new(),
            senders: vec![colleague("sam")],
            recipients: 1,
            content: [0; 32],
        };
        let utc = |_: &Address, at| Date::of(at);
        hold.plan(mail, (&self.config.moderation.people, &utc), now)
    }
}

fn colleague(name: &str) -> Address {
    format!("{name}@example.org").parse().unwrap()
}

/// `kim`, `park for kim`.
fn asked(levels: &[Level]) -> Vec<Vec<String>> {
    let name = |address: &Address| address.as_str().replace("@example.org", "");
    let seats = |level: &Level| {
        let seats = level.moderators.iter().map(|one| match &one.deputy_of {
            Some(principal) => format!("{} for {}", name(&one.address), name(principal)),
            None => name(&one.address),
        });
        seats.collect()
    };
    levels.iter().map(seats).collect()
}

const INSTALLATION: &str = "\
    [server]\nhostname = \"gate.example.org\"\n\
    [admin]\npublic_url = \"https://gate.example.org\"\n\
    [domains]\nrelay = [\"example.org\"]\n\
    [[listener]]\nname = \"submission\"\nbind = [\"127.0.0.1:2525\"]\n\
    mode = \"submission\"\ntls = \"required\"\n";
