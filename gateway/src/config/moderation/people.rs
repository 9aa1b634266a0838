//! `[[moderation.moderator]]`: people who decide, as far as more is known of them than an address.

use mailweir_moderation::{
    action::{People, Person},
    notice::Language,
    person::is_same,
};

use super::OneLine;
use crate::config::{check::Written, problem::Problems, schema::ModeratorSection};
use crate::time_zone::TimeZone;

/// Somebody who decides about mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moderator {
    /// Their address, when they are away, and who stands in then.
    pub person: Person,
    /// What notices call them.
    pub name: Option<OneLine>,
    /// The language of their notices.
    pub language: Language,
    /// Their log-in at the web pages.
    pub login: Box<str>,
    /// Where they live.
    pub time_zone: TimeZone,
}

/// Checks the moderators, in order.
pub(super) fn check(
    written: &[Written<ModeratorSection>],
    language: Language,
    time_zone: &TimeZone,
    problems: &mut Problems<'_>,
) -> (Vec<Moderator>, People) {
    let moderators: Vec<Moderator> =
        written.iter().map(|one| moderator(&one.section, language, time_zone)).collect();
    for (index, one) in written.iter().enumerate() {
        check_one(one, &moderators[..index], &moderators[index], problems);
    }
    let persons = || moderators.iter().map(|moderator| &moderator.person);
    let people: People = persons().cloned().collect();
    check_circles(written, &people, persons(), problems);
    (moderators, people)
}

fn moderator(section: &ModeratorSection, language: Language, time_zone: &TimeZone) -> Moderator {
    let login = section.login.as_deref().unwrap_or(section.address.as_str());
    Moderator {
        person: Person {
            address: section.address.clone(),
            absent: section.absent.clone(),
            deputy: section.deputy.clone(),
        },
        name: section.name.clone(),
        language: section.language.unwrap_or(language),
        login: login.into(),
        time_zone: section.time_zone.as_ref().unwrap_or(time_zone).clone(),
    }
}

fn check_one(
    Written { table, section }: &Written<ModeratorSection>,
    before: &[Moderator],
    this: &Moderator,
    problems: &mut Problems<'_>,
) {
    let address = &section.address;
    if before.iter().any(|other| is_same(&other.person.address, address)) {
        problems.error(table, "address", format!("{address} is listed already"));
        return;
    }
    let same = |other: &&Moderator| other.login.to_lowercase() == this.login.to_lowercase();
    if let Some(other) = before.iter().find(same) {
        let message = format!("{:?} is the log-in of {} already", this.login, other.person.address);
        problems.error(table, "login", message);
    }
    if section.deputy.as_ref().is_some_and(|deputy| is_same(deputy, address)) {
        problems.error(table, "deputy", "nobody is their own deputy");
    }
}

/// A circle is told once, where it begins in the file.
fn check_circles<'a>(
    written: &[Written<ModeratorSection>],
    people: &People,
    persons: impl Iterator<Item = &'a Person>,
    problems: &mut Problems<'_>,
) {
    let Some(circle) = people.circle(persons) else { return };
    let [first, _, ..] = &*circle.0 else { return };
    let begins = written.iter().find(|one| one.section.address == *first);
    if let Some(Written { table, .. }) = begins {
        let message = format!("the deputies go in a circle: {circle}");
        problems
            .error(table, "deputy", message)
            .help("if all of them were away, nobody would decide; leave one deputy out");
    }
}
