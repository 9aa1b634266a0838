//! What is foreseen, and that it never contradicts what comes.

use mailweir_mail::ReversePath;
use proptest::prelude::*;

use super::*;
use crate::{
    action::{Action, Hold, Need, Wait, need},
    case::{RuleName, TellsSender},
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
    expect(|rule| rule.who.groups = vec!["sales".into()], &nobody, Chance::Perhaps);
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

/// A mail that comes, and what was known of it before.
#[derive(Clone, Debug)]
struct Coming {
    login: Option<&'static str>,
    in_group: bool,
    sender: Address,
    asked: Vec<Address>,
    /// Those of them that were not refused in the end.
    kept: Vec<Address>,
    knows: bool,
    has_attachment: bool,
    size: u64,
    growth: u64,
}

fn any_mail() -> impl Strategy<Value = Coming> {
    let word = || prop_oneof![Just("a"), Just("b")];
    let to = proptest::collection::vec(("[abc]@(own|far)\\.example", any::<bool>()), 1..5);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let mail = (proptest::option::of(word()), word(), to, flags, 0..200_000_u64, 0..10_000_u64);
    mail.prop_filter_map("nobody is left", |(login, sender, to, flags, size, growth)| {
        let asked = to.iter().map(|(one, _)| one.parse().unwrap()).collect();
        let kept = to.iter().filter(|(_, refused)| !refused);
        let kept: Vec<Address> = kept.map(|(one, _)| one.parse().unwrap()).collect();
        let sender = format!("{sender}@own.example").parse().unwrap();
        let (in_group, knows, has_attachment) = flags;
        let in_group = in_group && login.is_some();
        (!kept.is_empty()).then_some(Coming {
            login,
            in_group,
            sender,
            asked,
            kept,
            knows,
            has_attachment,
            size,
            growth,
        })
    })
}

impl Coming {
    /// The rules that match it when it is there.
    fn judged(&self, rules: &Rules) -> Vec<usize> {
        let groups: Vec<Box<str>> = self.in_group.then(|| "a".into()).into_iter().collect();
        let mut watch = rules.watch();
        if self.has_attachment {
            watch.attachment_name("x");
        }
        let facts = MailFacts {
            listener: "a",
            login: self.login,
            groups: &groups,
            credential: None,
            sender: &ReversePath::from(self.sender.clone()),
            recipients: &self.kept,
            is_ours: &is_own,
            is_known: &|_| self.knows,
            size: self.size + self.growth,
            time: NOON,
        };
        rules.judge(&facts, &watch).matches.iter().map(|one| one.rule).collect()
    }

    fn foreseen(
        &self,
        rules: &Rules,
        recipients: Expected<'_>,
        size: Option<u64>,
    ) -> Vec<(usize, Chance)> {
        let base = prospect(&self.sender, recipients);
        rules.foresee(&Prospect { listener: "a", login: self.login, size, ..base })
    }

    /// What is foreseen at each RCPT.
    fn one_by_one(&self, rules: &Rules) -> Vec<Vec<(usize, Chance)>> {
        let next = |(before, one)| {
            let addresses = std::slice::from_ref(one);
            self.foreseen(rules, Expected::Next { addresses, count: before + 1 }, None)
        };
        self.asked.iter().enumerate().map(next).collect()
    }

    /// What is foreseen when all have come, known or not.
    fn at_data(&self, rules: &Rules) -> Vec<Vec<(usize, Chance)>> {
        let sizes = [None, Some(self.size)].into_iter();
        let both = |size| {
            [Expected::Exactly(&self.kept), Expected::Unknown]
                .map(|recipients| self.foreseen(rules, recipients, size))
        };
        sizes.flat_map(both).collect()
    }
}

proptest! {
    /// The promise of this module: what is foreseen never contradicts what comes.
    #[test]
    fn what_comes_was_foreseen(rule in any_rule(), mail in any_mail()) {
        let rules = Rules::new(vec![rule]).unwrap();
        let matches = !mail.judged(&rules).is_empty();
        let chance = |found: &Vec<(usize, Chance)>| {
            found.first().map_or(Chance::Never, |(_, chance)| *chance)
        };
        for found in mail.at_data(&rules) {
            prop_assert!(matches || chance(&found) < Chance::Surely);
            prop_assert!(!matches || chance(&found) > Chance::Never);
        }
        let answers = mail.one_by_one(&rules);
        let answers: Vec<Chance> = answers.iter().map(chance).collect();
        prop_assert!(!matches || answers.iter().any(|one| *one > Chance::Never));
        // "Surely" of all means so, whoever is refused.
        prop_assert!(matches || answers.iter().any(|one| *one < Chance::Surely));
    }

    /// And what is made of it: a mail that the rules hold was never let go, wherever it was asked.
    #[test]
    fn no_mail_that_is_held_goes_by(
        rules in proptest::collection::vec((any_rule(), 0..3_usize), 1..6),
        mail in any_mail(),
    ) {
        let delay = Wait::Delay(std::time::Duration::from_secs(1));
        let hold = Action::Hold(Hold { wait: delay, tells_sender: TellsSender::Never });
        let all = [Action::Accept, Action::Notice(Vec::new()), hold];
        let (rules, kinds): (Vec<_>, Vec<_>) = rules.into_iter().unzip();
        let rules = Rules::new(rules).unwrap();
        let action = |rule: usize| &all[kinds[rule]];
        let decides = mail.judged(&rules).first().map(|rule| action(*rule));
        let needed = |found: Vec<(usize, Chance)>| {
            need(found.into_iter().map(|(rule, chance)| (rule, action(rule), chance)))
        };
        let at_rcpt: Vec<_> = mail.one_by_one(&rules).into_iter().map(needed).collect();
        let at_data: Vec<_> = mail.at_data(&rules).into_iter().map(needed).collect();
        let is_held = |found: &Option<(usize, Need)>| matches!(found, Some((_, Need::Hold)));
        match decides {
            None | Some(Action::Accept) => {}
            Some(Action::Hold(_)) => {
                prop_assert!(at_rcpt.iter().any(is_held), "{at_rcpt:?}");
                prop_assert!(at_data.iter().all(is_held), "{at_data:?}");
            }
            Some(Action::Notice(_)) => {
                prop_assert!(at_rcpt.iter().any(Option::is_some), "{at_rcpt:?}");
                prop_assert!(at_data.iter().all(Option::is_some), "{at_data:?}");
            }
        }
    }
}
