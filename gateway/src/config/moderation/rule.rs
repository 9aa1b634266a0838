//! `[[moderation.rule]]`: which mail a rule means. What it does with it is in `action.rs`.

use mailweir_moderation::{
    action::Action,
    case::RuleName,
    rule::{Rule, Rules, What, Who, Whom},
};

use super::{Expression, action, boxed};
use crate::config::{
    Attach, check::Written, listener::Listener, nearest::no_listener, problem::Problems,
    raw::RawTable, schema::RuleSection,
};

/// A rule, and what it does with the mail that it means.
#[derive(Clone, Debug)]
pub struct ModerationRule {
    /// Its name and place, and which mail it means.
    pub rule: Rule,
    /// What it does.
    pub action: Action,
    /// What of the mail is attached to notices.
    pub attach: Attach,
    /// Whether only the recipients that it means wait; the others get the mail at once.
    pub split: bool,
    /// Whether decisions need a log-in.
    pub sensitive: bool,
}

/// Checks the rules, in order.
pub(super) fn check(
    written: &[Written<RuleSection>],
    listeners: &[Listener],
    problems: &mut Problems<'_>,
) -> (Vec<ModerationRule>, Rules) {
    let mut rules: Vec<ModerationRule> = Vec::new();
    for one in written {
        let Written { table, section } = one;
        if let Some(other) = rules.iter().find(|other| *other.rule.name.name == *section.name.0) {
            let message = format!(
                "{:?} is the name of the rule at {}",
                section.name.0, other.rule.name.place
            );
            problems
                .error(table, "name", message)
                .help("names of rules stand in notices and records");
        }
        check_conditions(one, listeners, problems);
        rules.push(ModerationRule {
            rule: rule(one, problems),
            action: action::check(one, problems),
            attach: section.attach,
            split: section.split,
            sensitive: section.sensitive,
        });
    }
    warn_of_unreachable(written, &rules, problems);
    let matching = matching(written, &rules, problems);
    (rules, matching)
}

fn rule(Written { table, section }: &Written<RuleSection>, problems: &Problems<'_>) -> Rule {
    let place = problems.line_of(table.place_of("")).into();
    let patterns = |list: &[Expression]| list.iter().map(|one| one.0.clone()).collect();
    Rule {
        name: RuleName { name: section.name.0.clone(), place },
        who: Who {
            logins: boxed(&section.logins),
            senders: section.senders.clone(),
            groups: boxed(&section.groups),
            credentials: boxed(&section.credentials),
            listeners: boxed(&section.listeners),
        },
        whom: Whom {
            recipients: section.recipients.clone(),
            outside: section.outside,
            new_correspondent: section.new_correspondent,
            more_than: section.more_than,
        },
        what: What {
            subject: patterns(&section.subject),
            text: patterns(&section.text),
            attachment_name: patterns(&section.attachment_name),
            attachment_type: patterns(&section.attachment_type),
            attachment: section.attachment,
            larger_than: section.larger_than.map(|size| size.bytes()),
            numbers: section.numbers.clone(),
            numbers_at_least: section.numbers_at_least.get(),
        },
        when: section.hours.clone(),
    }
}

fn check_conditions(
    Written { table, section }: &Written<RuleSection>,
    listeners: &[Listener],
    problems: &mut Problems<'_>,
) {
    for (key, is_empty) in section.lists() {
        if is_empty && table.has(key) && !problems.blame(table, key) {
            problems
                .error(
                    table,
                    key,
                    "an empty list asks nothing: the rule would mean everybody's mail",
                )
                .help("name somebody or something, or leave the key out");
        }
    }
    for (index, name) in section.listeners.iter().enumerate() {
        check_listener(table, (index, name), listeners, problems);
    }
    if table.has("numbers_at_least") && !table.has("numbers") {
        problems
            .error(table, "numbers_at_least", "of which numbers? numbers is missing")
            .help("numbers = [\"card-number\"]");
    }
}

fn check_listener(
    table: &RawTable,
    (index, name): (usize, &str),
    listeners: &[Listener],
    problems: &mut Problems<'_>,
) {
    let names = || listeners.iter().map(|listener| &*listener.name);
    if names().any(|known| known == name) {
        return;
    }
    let message = no_listener(name, names());
    let known: Vec<_> = names().map(|name| format!("{name:?}")).collect();
    problems.element_error(table, "listeners", index, message).allowed(known.join(", "));
}

/// A rule without conditions means all mail: those behind it never decide.
fn warn_of_unreachable(
    written: &[Written<RuleSection>],
    rules: &[ModerationRule],
    problems: &mut Problems<'_>,
) {
    let before = rules.len().saturating_sub(1);
    for (Written { table, .. }, rule) in written.iter().zip(rules).take(before) {
        let asked = asked(&rule.rule);
        if asked.iter().any(|(key, is_asked)| *is_asked || problems.blame(table, key)) {
            continue;
        }
        problems
            .warning(table, "name", "this rule means all mail: the rules behind it never decide")
            .help("move it to the end, or give it conditions");
    }
}

/// The rules ready to watch mail; none, if that cannot be.
fn matching(
    written: &[Written<RuleSection>],
    rules: &[ModerationRule],
    problems: &mut Problems<'_>,
) -> Rules {
    let all = rules.iter().map(|rule| rule.rule.clone()).collect();
    Rules::new(all).unwrap_or_else(|error| {
        if let (Some(Written { table, .. }), Some(rule)) =
            (written.get(error.rule), rules.get(error.rule))
        {
            let message = format!("rule {:?}: {error}", rule.rule.name.name);
            problems.error(table, error.kind, message).help("write fewer or shorter repetitions");
        }
        Rules::default()
    })
}

impl RuleSection {
    /// The conditions that are lists, and whether they are empty.
    fn lists(&self) -> [(&'static str, bool); 12] {
        [
            ("logins", self.logins.is_empty()),
            ("senders", self.senders.is_empty()),
            ("groups", self.groups.is_empty()),
            ("credentials", self.credentials.is_empty()),
            ("listeners", self.listeners.is_empty()),
            ("recipients", self.recipients.is_empty()),
            ("subject", self.subject.is_empty()),
            ("text", self.text.is_empty()),
            ("attachment_name", self.attachment_name.is_empty()),
            ("attachment_type", self.attachment_type.is_empty()),
            ("numbers", self.numbers.is_empty()),
            ("hours", self.hours.is_empty()),
        ]
    }
}

/// What a rule asks of a mail, by its keys.
pub(super) fn asked(rule: &Rule) -> [(&'static str, bool); 17] {
    let Rule { name: _, who, whom, what, when } = rule;
    let Who { logins, senders, groups, credentials, listeners } = who;
    let Whom { recipients, outside, new_correspondent, more_than } = whom;
    let What { subject, text, attachment_name, attachment_type, attachment, .. } = what;
    [
        ("logins", !logins.is_empty()),
        ("senders", !senders.is_empty()),
        ("groups", !groups.is_empty()),
        ("credentials", !credentials.is_empty()),
        ("listeners", !listeners.is_empty()),
        ("recipients", !recipients.is_empty()),
        ("outside", *outside),
        ("new_correspondent", *new_correspondent),
        ("more_than", more_than.is_some()),
        ("subject", !subject.is_empty()),
        ("text", !text.is_empty()),
        ("attachment_name", !attachment_name.is_empty()),
        ("attachment_type", !attachment_type.is_empty()),
        ("attachment", *attachment),
        ("larger_than", what.larger_than.is_some()),
        ("numbers", !what.numbers.is_empty()),
        ("hours", !when.is_empty()),
    ]
}
