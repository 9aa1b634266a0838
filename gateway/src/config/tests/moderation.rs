//! Rules of moderation, and the people who decide.

use mailweir_mail::{Address, Date, Timestamp};
use mailweir_moderation::{
    action::{Action, Approval, End, HeldMail, Hold, Wait},
    case::Case,
    notice::Language,
    numbers::NumberKind,
};

use super::*;
use crate::config::schema::SCHEMAS;

#[test]
fn rules_of_moderation_may_come_from_the_environment() {
    let config = config_with(
        LISTENER,
        &[
            ("MAILWEIR_MODERATION__RULE__0__NAME", "outside"),
            ("MAILWEIR_MODERATION__RULE__0__OUTSIDE", "true"),
            ("MAILWEIR_MODERATION__RULE__0__ACTION", "approval"),
            (
                "MAILWEIR_MODERATION__RULE__0__LEVELS",
                "[{ moderators = ['a@x.example', 'b@x.example'], needed = 2 }]",
            ),
            ("MAILWEIR_MODERATION__RULE__OUTSIDE__EXPIRE_AFTER", "never"),
            ("MAILWEIR_MODERATION__MODERATOR__0__ADDRESS", "a@x.example"),
            ("MAILWEIR_MODERATION__MODERATOR__0__ABSENT", "2026-12-24..2027-01-02,2027-03-01"),
        ],
    );
    let [rule] = &*config.moderation.rules else { panic!("{:?}", config.moderation.rules) };
    assert_eq!(&*rule.rule.name.place, "MAILWEIR_MODERATION__RULE__0__ACTION");
    assert_eq!(config.moderation.moderators[0].person.absent.len(), 2);
    let Action::Hold(Hold { wait: Wait::Approval(approval), .. }) = &rule.action else {
        panic!("{:?}", rule.action)
    };
    assert_eq!((approval.levels[0].needed, approval.patience.end), (2, None));
}

#[test]
fn a_rule_stands_at_its_line_and_waits_as_long_as_is_usual() {
    let config = config(&format!(
        "{LISTENER}\n[[moderation.rule]]\nname = \"a\"\naction = \"confirmation\"\n\
         [[moderation.rule]]\nname = \"b\"\naction = \"confirmation\"\n\
         expire_after = \"3 d\"\n[[moderation.rule]]\nname = \"c\"\n\
         action = \"confirmation\"\nwarn_before = \"0\"\nexpire_after = \"10 min\"\n",
    ));
    let rules = &config.moderation.rules;
    assert_eq!(&*rules[0].rule.name.place, "mailweir.toml:6");
    let warned = rules.iter().map(|rule| match &rule.action {
        Action::Hold(Hold { wait: Wait::Confirmation(patience), .. }) => patience.end.unwrap(),
        other => panic!("{other:?}"),
    });
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let warned: Vec<_> = warned.map(|end| (end.after, end.warn_before)).collect();
    assert_eq!(warned[0], (hours(48), Some(hours(24))));
    assert_eq!(warned[1], (hours(72), Some(hours(24))));
    assert_eq!(warned[2], (hours(1) / 6, None));
    assert_eq!(config.moderation.from.to_string(), "Mailweir <moderation@machine.example.org>");
}

#[test]
fn patterns_that_are_too_large_together_are_told_with_their_rule() {
    let rule = |number| {
        format!(
            "[[moderation.rule]]\nname = \"r{number}\"\naction = \"accept\"\n\
             text = ['\\w{{200}}']\n"
        )
    };
    let rules: String = (0..11).map(rule).collect();
    let mut problems = check_with(&format!("{LISTENER}{rules}"), &[]).unwrap_err();
    problems.retain(|problem| problem.severity == Severity::Error);
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert!(problem.message.contains("are too large together"), "{problem}");
    let (_, number) = problem.key.split_once('[').unwrap();
    let name = format!("rule \"r{}\"", number.split(']').next().unwrap());
    assert!(problem.message.starts_with(&name), "{problem}");
}

#[test]
fn every_language_and_kind_of_number_has_its_word() {
    for language in Language::ALL {
        let tag = format!("\"{}\"", language.tag());
        let own = config(&format!("{LISTENER}[moderation]\nlanguage = {tag}\n"));
        assert_eq!(own.moderation.language, language);
        assert!(reference().contains(&tag), "{tag}");
    }
    for kind in NumberKind::ALL {
        let word = serde_json::to_string(&kind).unwrap();
        let rule = format!(
            "{LISTENER}[[moderation.rule]]\nname = \"n\"\naction = \"accept\"\nnumbers = [{word}]\n"
        );
        assert_eq!(config(&rule).moderation.rules[0].rule.what.numbers, [kind]);
        assert!(reference().contains(&word), "{word}");
    }
}

/// Sections of moderation with any of their keys, each with any value of some key.
fn sections() -> impl Strategy<Value = String> {
    let of = |name: &'static str| SCHEMAS.iter().find(|schema| schema.name == name).unwrap();
    let key = move |name| {
        let keys: Vec<&str> = of(name).keys.iter().map(|key| key.name).collect();
        (prop::sample::select(keys), prop::sample::select(&VALUES[..]))
    };
    let deputy = prop::sample::select(vec![
        ("deputy", "\"b@x.example\""),
        ("absent", "[\"2026-12-24..2027-01-02\"]"),
        ("language", "\"ko\""),
    ]);
    let key_of_moderator = prop_oneof![9 => deputy, 1 => key("moderation.moderator")];
    let address = prop::sample::select(vec!["a", "b", "c", "d", "e"]);
    let moderator = (address, proptest::collection::vec(key_of_moderator, 0..3));
    let moderator = moderator.prop_map(|(name, keys)| {
        let fixed = [("address", format!("\"{name}@x.example\""))];
        section("[[moderation.moderator]]", keys, &fixed)
    });
    let action = prop::sample::select(&ACTIONS[..]);
    let rule = action.prop_flat_map(move |(action, fixed, likely)| {
        let key = prop_oneof![15 => prop::sample::select(likely), 1 => key("moderation.rule")];
        let keys = proptest::collection::vec(key, 0..4);
        (0..1000_u32, keys).prop_map(move |(name, keys)| {
            let own = [("name", format!("\"{name}\"")), ("action", format!("\"{action}\""))];
            let fixed = fixed.iter().map(|(key, value)| (*key, (*value).to_owned()));
            let fixed: Vec<_> = own.into_iter().chain(fixed).collect();
            section("[[moderation.rule]]", keys, &fixed)
        })
    });
    let own = prop_oneof![4 => Just(Vec::new()), 1 => key("moderation").prop_map(|key| vec![key])];
    let own = own.prop_map(|keys| section("[moderation]", keys, &[]));
    let moderators = proptest::collection::vec(moderator, 0..3);
    let rules = proptest::collection::vec(rule, 0..4);
    (own, moderators, rules)
        .prop_map(|(own, moderators, rules)| own + &moderators.concat() + &rules.concat())
}

fn section(header: &str, keys: Vec<(&str, &str)>, fixed: &[(&str, String)]) -> String {
    let mut written: Vec<(&str, &str)> =
        fixed.iter().map(|(key, value)| (*key, value.as_str())).collect();
    for (key, value) in keys {
        if written.iter().all(|(known, _)| *known != key) {
            written.push((key, value));
        }
    }
    let lines = written.iter().map(|(key, value)| format!("{key} = {value}\n"));
    format!("{header}\n{}", lines.collect::<String>())
}

type Keys = &'static [(&'static str, &'static str)];

/// Each action with what it needs, and keys with values that they may have, so that most rules are
/// taken.
const ACTIONS: [(&str, Keys, Keys); 6] = [
    ("approval", &[("moderators", "[\"a@x.example\", \"b@x.example\"]")], WAITING),
    (
        "approval",
        &[("levels", "[{ moderators = [\"a@x.example\", \"c@x.example\"], needed = 2 }]")],
        WAITING,
    ),
    ("confirmation", &[], WAITING),
    ("delay", &[], &[("delay", "\"1 s\""), ("split", "true"), ("moderators", "[]")]),
    ("notice", &[("moderators", "[\"a@x.example\"]")], &[("attach", "\"none\"")]),
    ("accept", &[], &[("outside", "true"), ("delay", "\"1 s\"")]),
];

const WAITING: Keys = &[
    ("needed", "2"),
    ("remind_every", "\"1 h\""),
    ("escalate_after", "\"1 h\""),
    ("escalate_after", "\"3 d\""),
    ("escalate_to", "[\"c@x.example\"]"),
    ("expire_after", "\"1 h\""),
    ("expire_after", "\"never\""),
    ("at_expiry", "\"release\""),
    ("warn_before", "\"1 h\""),
    ("warn_before", "\"1 s\""),
    ("sensitive", "true"),
    ("outside", "true"),
];

const VALUES: [&str; 22] = [
    "\"a@x.example\"",
    "[\"a@x.example\"]",
    "[\"a@x.example\", \"b@x.example\"]",
    "[\"b@x.example\", \"b@x.example\"]",
    "[]",
    "[[1]]",
    "{ a = 1 }",
    "[{}]",
    "[{ moderators = [\"a@x.example\", \"c@x.example\"], needed = 2 }, { moderators = [\"b@x.example\"] }]",
    "[{ moderators = [\"a@x.example\"], needed = 256 }]",
    "\"never\"",
    "\"1 s\"",
    "\"1 h\"",
    "\"3 d\"",
    "\"9999999 w\"",
    "0",
    "1",
    "2",
    "-1",
    "true",
    "\"header\"",
    "[\"2026-12-24..2027-01-02\"]",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Whatever is written: a rule that is taken can be carried out.
    #[test]
    fn what_is_taken_can_be_carried_out(text in sections()) {
        let Ok((config, _)) = check_with(&format!("{LISTENER}{text}"), &[]) else { return Ok(()) };
        prop_assert!(!config.describe().is_empty());
        for rule in &config.moderation.rules {
            let Action::Hold(hold) = &rule.action else { continue };
            if let Wait::Approval(Approval { levels, patience, .. }) = &hold.wait {
                prop_assert!(!levels.is_empty());
                for level in levels {
                    prop_assert!((1..=level.moderators.len()).contains(&usize::from(level.needed)));
                }
                if let Some(End { after, warn_before: Some(before), .. }) = patience.end {
                    prop_assert!(before < after);
                }
            }
            let mail = HeldMail {
                rule: rule.rule.name.clone(),
                also: Vec::new(),
                senders: vec!["sam@x.example".parse().unwrap()],
                recipients: 1,
                content: [0; 32],
            };
            let now = Timestamp::from_secs(1_798_102_800);
            let utc = |_: &Address, at| Date::of(at);
            let plan = hold.plan(mail, (&config.moderation.people, &utc), now);
            let case = Case::open(plan, now);
            prop_assert!(case.due().is_none_or(|due| due > now), "{:?}", case);
        }
    }
}
