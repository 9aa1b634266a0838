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
    /// The login; `None`: nobody logged in. Which groups it is in is not known.
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
    // Whoever did not log in is in no group.
    let group = match prospect.login {
        Some(_) => Chance::unless(groups.is_empty()),
        None => Chance::of(groups.is_empty()),
    };
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
mod tests {
    use mailweir_mail::ReversePath;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        case::RuleName,
        numbers::NumberKind,
        rule::{Hours, MailFacts, Rules, Weekday},
    };

    const NOON: LocalTime = LocalTime { day: Weekday::Wednesday, minute: 720 };

    fn rule(change: impl FnOnce(&mut Rule)) -> Rule {
        let name = RuleName { name: "r".into(), place: "mailweir.toml:1".into() };
        let (who, whom, what) = Default::default();
        let mut rule = Rule { name, who, whom, what, when: Vec::new() };
        change(&mut rule);
        rule
    }

    fn is_own(domain: &Domain) -> bool {
        domain.as_str() == "own.example"
    }

    fn prospect<'a>(sender: &'a Address, recipients: Expected<'a>) -> Prospect<'a> {
        Prospect {
            listener: "postfix",
            login: Some("Ann"),
            sender: Some(sender),
            recipients,
            is_ours: &is_own,
            size: None,
            time: NOON,
        }
    }

    fn expect(change: impl FnOnce(&mut Rule), prospect: &Prospect<'_>, chance: Chance) {
        let rule = rule(change);
        let shown = format!("{:?} {:?} {:?}", rule.who, rule.whom, rule.what);
        assert_eq!(super::chance(&rule, prospect), chance, "{shown}");
    }

    fn addresses(texts: &[&str]) -> Vec<Address> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn what_is_known_decides_and_what_is_not_may_be() {
        let (ann, to) = ("ann@own.example".parse().unwrap(), addresses(&["x@far.example"]));
        let mail = prospect(&ann, Expected::Exactly(&to));
        expect(|_| {}, &mail, Chance::Surely);
        expect(|rule| rule.who.logins = vec!["ANN".into()], &mail, Chance::Surely);
        expect(|rule| rule.who.logins = vec!["bob".into()], &mail, Chance::Never);
        expect(|rule| rule.who.groups = vec!["sales".into()], &mail, Chance::Perhaps);
        expect(|rule| rule.who.credentials = vec!["tv".into()], &mail, Chance::Never);
        expect(|rule| rule.who.listeners = vec!["postfix".into()], &mail, Chance::Surely);
        expect(|rule| rule.who.listeners = vec!["mx".into()], &mail, Chance::Never);
        let bob = |rule: &mut Rule| rule.who.senders = vec!["bob@own.example".parse().unwrap()];
        expect(bob, &mail, Chance::Never);
        expect(bob, &Prospect { sender: None, ..mail }, Chance::Perhaps);
        expect(|rule| rule.whom.outside = true, &mail, Chance::Surely);
        expect(|rule| rule.whom.new_correspondent = true, &mail, Chance::Perhaps);
        expect(|rule| rule.what.attachment = true, &mail, Chance::Perhaps);
        expect(|rule| rule.what.numbers = vec![NumberKind::Iban], &mail, Chance::Perhaps);
        let nobody = Prospect { login: None, ..mail };
        expect(|rule| rule.who.groups = vec!["sales".into()], &nobody, Chance::Never);
        expect(|rule| rule.who.logins = vec!["ann".into()], &nobody, Chance::Never);
        let night: Hours = "22:00-06:00".parse().unwrap();
        expect(|rule| rule.when = vec![night], &mail, Chance::Never);
        // Of all conditions together the least sure counts.
        let both = |rule: &mut Rule| {
            rule.what.attachment = true;
            rule.who.logins = vec!["bob".into()];
        };
        expect(both, &mail, Chance::Never);
    }

    #[test]
    fn a_size_counts_when_all_has_come_and_before_it_a_promise_is_none() {
        let (ann, to) = ("ann@own.example".parse().unwrap(), addresses(&["x@far.example"]));
        let large = |rule: &mut Rule| rule.what.larger_than = Some(1_000_000);
        let mail = prospect(&ann, Expected::Exactly(&to));
        expect(large, &mail, Chance::Perhaps);
        expect(large, &Prospect { size: Some(1_000_001), ..mail }, Chance::Surely);
        expect(large, &Prospect { size: Some(999_999), ..mail }, Chance::Perhaps);
        expect(large, &Prospect { size: Some(900_000), ..mail }, Chance::Never);
    }

    #[test]
    fn of_several_recipients_one_that_is_meant_is_enough_and_those_not_known_may_be() {
        let ann = "ann@own.example".parse().unwrap();
        let outside = |rule: &mut Rule| rule.whom.outside = true;
        let many = |rule: &mut Rule| rule.whom.more_than = Some(1);
        let all_own = addresses(&["b@own.example", "c@own.example"]);
        let one_far = addresses(&["b@own.example", "x@far.example"]);
        let all_far = addresses(&["x@far.example"]);
        let next = |addresses, count| Expected::Next { addresses, count };
        for (recipients, is_outside, is_many) in [
            (Expected::Exactly(&all_own), Chance::Never, Chance::Surely),
            (Expected::Exactly(&one_far), Chance::Surely, Chance::Surely),
            (Expected::Exactly(&all_far), Chance::Surely, Chance::Never),
            (next(&all_own, 2), Chance::Never, Chance::Perhaps),
            (next(&one_far, 2), Chance::Perhaps, Chance::Perhaps),
            (next(&all_far, 1), Chance::Surely, Chance::Never),
            (next(&all_far, 2), Chance::Surely, Chance::Perhaps),
            (Expected::Unknown, Chance::Perhaps, Chance::Perhaps),
        ] {
            expect(outside, &prospect(&ann, recipients), is_outside);
            expect(many, &prospect(&ann, recipients), is_many);
            expect(|_| {}, &prospect(&ann, recipients), Chance::Surely);
        }
    }

    fn any_rule() -> impl Strategy<Value = Rule> {
        let words = || proptest::option::of(prop_oneof![Just("a"), Just("b")]);
        let who = (words(), words(), words(), words());
        let whom = (words(), any::<bool>(), any::<bool>(), proptest::option::of(0..4_u32));
        let what = (any::<bool>(), proptest::option::of(0..200_000_u64));
        (who, whom, what).prop_map(|(who, whom, what)| {
            let list = |word: Option<&str>| word.map(Into::into).into_iter().collect::<Vec<_>>();
            let pattern = |word: Option<&str>| {
                let text = word.map(|word| format!("{word}@own.example"));
                text.map(|text| text.parse().unwrap()).into_iter().collect::<Vec<_>>()
            };
            rule(|rule| {
                rule.who.logins = list(who.0);
                rule.who.senders = pattern(who.1);
                rule.who.groups = list(who.2);
                rule.who.listeners = list(who.3);
                rule.whom.recipients = pattern(whom.0);
                (rule.whom.outside, rule.whom.new_correspondent) = (whom.1, whom.2);
                rule.whom.more_than = whom.3;
                rule.what.attachment = what.0;
                rule.what.larger_than = what.1;
            })
        })
    }

    proptest! {
        /// The promise of this module: what is foreseen never contradicts what comes.
        #[test]
        fn what_comes_was_foreseen(
            rule in any_rule(),
            login in proptest::option::of(prop_oneof![Just("a"), Just("b")]),
            in_group in any::<bool>(),
            sender in prop_oneof![Just("a"), Just("b")],
            to in proptest::collection::vec("[abc]@(own|far)\\.example", 1..4),
            // Who of them is refused after it was asked about.
            refused in proptest::collection::vec(any::<bool>(), 4),
            knows in any::<bool>(),
            has_attachment in any::<bool>(),
            (size, growth) in (0..200_000_u64, 0..10_000_u64),
        ) {
            let rules = Rules::new(vec![rule]).unwrap();
            let sender: Address = format!("{sender}@own.example").parse().unwrap();
            let asked: Vec<Address> = to.iter().map(|one| one.parse().unwrap()).collect();
            let kept = asked.iter().zip(&refused).filter(|(_, refused)| !**refused);
            let kept: Vec<Address> = kept.map(|(one, _)| one.clone()).collect();
            prop_assume!(!kept.is_empty());
            let groups: Vec<Box<str>> =
                (in_group && login.is_some()).then(|| "a".into()).into_iter().collect();
            let mut watch = rules.watch();
            if has_attachment {
                watch.attachment_name("x");
            }
            let path = ReversePath::from(sender.clone());
            let matches = rules.judge(&MailFacts {
                listener: "a",
                login,
                groups: &groups,
                credential: None,
                sender: &path,
                recipients: &kept,
                is_ours: &is_own,
                is_known: &|_| knows,
                size: size + growth,
                time: NOON,
            }, &watch);
            let matches = matches.first().is_some();
            let base = Prospect { listener: "a", login, ..prospect(&sender, Expected::Unknown) };
            let foreseen = |recipients, size| {
                let found = rules.foresee(&Prospect { recipients, size, ..base });
                found.first().map_or(Chance::Never, |(_, chance)| *chance)
            };
            for size in [None, Some(size)] {
                for recipients in [Expected::Exactly(&kept), Expected::Unknown] {
                    let chance = foreseen(recipients, size);
                    prop_assert!(matches || chance < Chance::Surely);
                    prop_assert!(!matches || chance > Chance::Never);
                }
            }
            // Asked at each RCPT: one of the answers is not "never", if it matches.
            let answers = asked.iter().enumerate().map(|(before, one)| {
                let addresses = std::slice::from_ref(one);
                foreseen(Expected::Next { addresses, count: before + 1 }, None)
            });
            let answers: Vec<Chance> = answers.collect();
            let highest = answers.iter().max().copied().unwrap_or(Chance::Never);
            prop_assert!(!matches || highest > Chance::Never);
            // "Surely" of all means so, whoever is refused.
            prop_assert!(matches || answers.iter().any(|one| *one < Chance::Surely));
        }
    }
}
