//! Which rules could match a mail of which only a part is known: what a Postfix in front knows before
//! the content has come.
//!
//! What cannot be known yet counts as "perhaps". A caller that lets mail go only where no rule that
//! holds is even possible lets nothing slip through.

use mailweir_mail::{Address, Domain};

use super::{LocalTime, Rule, What, Who, Whom};

/// What is known of a mail so far.
#[derive(Clone, Copy)]
pub struct Prospect<'a> {
    /// The label of the listener that it counts as coming to.
    pub listener: &'a str,
    /// The login; `None`: nobody logged in.
    pub login: Option<&'a str>,
    /// The envelope sender; `None`: it cannot be read.
    pub sender: Option<&'a Address>,
    /// The recipients.
    pub recipients: Expected<'a>,
    /// Whether a domain is ours.
    pub is_ours: &'a dyn Fn(&Domain) -> bool,
    /// Bytes of the mail, if all of it has come.
    pub size: Option<u64>,
    /// The time.
    pub time: LocalTime,
}

/// What is known of the recipients.
#[derive(Clone, Copy, Debug)]
pub enum Expected<'a> {
    /// These and no others.
    Exactly(&'a [Address]),
    /// One more, which may be refused yet. It is asked again of each further one, and the mail goes only
    /// if it may for all of them.
    Next {
        /// The one, or those that an alias stands for.
        addresses: &'a [Address],
        /// How many there are so far, these among them.
        count: usize,
    },
    /// There are some.
    Unknown,
}

/// How sure it is that a rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chance {
    /// It does not.
    Never,
    /// It may.
    Perhaps,
    /// It does, whatever is not known.
    Surely,
}

/// The rules that may match, with their numbers, in order.
pub(super) fn foresee(rules: &[Rule], prospect: &Prospect<'_>) -> Vec<(usize, Chance)> {
    let chances = rules.iter().enumerate().map(|(number, rule)| (number, chance(rule, prospect)));
    chances.filter(|(_, chance)| *chance > Chance::Never).collect()
}

fn chance(rule: &Rule, prospect: &Prospect<'_>) -> Chance {
    let Rule { name: _, who, whom, what, when } = rule;
    let is_due = when.is_empty() || when.iter().any(|hours| hours.contain(prospect.time));
    all([
        Chance::of(is_due),
        sent_by(who, prospect),
        sent_to(whom, prospect),
        contains(what, prospect),
    ])
}

/// As sure as the least sure of them.
fn all<const N: usize>(chances: [Chance; N]) -> Chance {
    chances.into_iter().min().unwrap_or(Chance::Surely)
}

impl Chance {
    const fn of(is_so: bool) -> Self {
        if is_so { Self::Surely } else { Self::Never }
    }

    /// Of something that only what is not known yet can say.
    const fn unless(is_free: bool) -> Self {
        if is_free { Self::Surely } else { Self::Perhaps }
    }
}

fn sent_by(who: &Who, prospect: &Prospect<'_>) -> Chance {
    let Who { logins, senders, groups, credentials, listeners } = who;
    let login = logins.is_empty()
        || prospect.login.is_some_and(|login| {
            logins.iter().any(|one| one.to_lowercase() == login.to_lowercase())
        });
    let sender = match prospect.sender {
        Some(sender) => {
            Chance::of(senders.is_empty() || senders.iter().any(|one| one.matches(sender)))
        }
        None => Chance::unless(senders.is_empty()),
    };
    // Tables know groups, by log-in and by sender; they are asked when the mail is here.
    let group = Chance::unless(groups.is_empty());
    let listener = listeners.is_empty() || listeners.iter().any(|one| **one == *prospect.listener);
    // The credentials are ours: nobody who logs in elsewhere has one.
    let credential = credentials.is_empty();
    all([Chance::of(login), sender, group, Chance::of(listener), Chance::of(credential)])
}

fn sent_to(whom: &Whom, prospect: &Prospect<'_>) -> Chance {
    let Whom { recipients, outside, new_correspondent, more_than } = whom;
    let asks_for_some = !recipients.is_empty() || *outside || *new_correspondent;
    let is_meant = |address: &Address| {
        (recipients.is_empty() || recipients.iter().any(|one| one.matches(address)))
            && !(*outside && (prospect.is_ours)(address.domain()))
    };
    // To whom somebody wrote before is looked up when the mail is here.
    let known = Chance::unless(!*new_correspondent);
    let is_more = |count: usize| more_than.is_none_or(|limit| count > limit as usize);
    match prospect.recipients {
        Expected::Exactly(all_of_them) => {
            let meant = all_of_them.iter().any(is_meant);
            all([Chance::of(meant && is_more(all_of_them.len())), known])
        }
        // Whether an earlier one is meant was said then; of the number all have a part.
        Expected::Next { count, .. } if more_than.is_some() => {
            all([Chance::Perhaps, Chance::of(is_more(count))])
        }
        Expected::Next { addresses, .. } => {
            let meant = addresses.iter().filter(|one| is_meant(one)).count();
            all([Chance::of(meant > 0), Chance::unless(meant == addresses.len()), known])
        }
        Expected::Unknown => Chance::unless(!asks_for_some && more_than.is_none()),
    }
}

fn contains(what: &What, prospect: &Prospect<'_>) -> Chance {
    let What {
        subject,
        text,
        attachment_name,
        attachment_type,
        attachment,
        larger_than,
        numbers,
        numbers_at_least: _,
    } = what;
    let asks_for_content = *attachment
        || !numbers.is_empty()
        || [subject, text, attachment_name, attachment_type].iter().any(|list| !list.is_empty());
    let size = match (*larger_than, prospect.size) {
        (None, _) => Chance::Surely,
        (Some(limit), Some(size)) if size > limit => Chance::Surely,
        (Some(limit), Some(size)) if size.saturating_add(TRACE) <= limit => Chance::Never,
        (Some(_), _) => Chance::Perhaps,
    };
    all([Chance::unless(!asks_for_content), size])
}

/// Bytes by which a mail may grow on its way from a Postfix to us: Received headers, and lines that
/// are folded or encoded anew.
const TRACE: u64 = 64 * 1024;

#[cfg(test)]
mod tests;
