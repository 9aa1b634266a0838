//! Rules and mails: which match, for whom, why.

use mailweir_mail::ReversePath;

use super::*;
use crate::numbers::NumberKind;

/// A mail of ann's to two colleagues and two others, on a Wednesday at noon.
struct Mail {
    listener: &'static str,
    login: Option<&'static str>,
    credential: Option<&'static str>,
    groups: Vec<Box<str>>,
    sender: &'static str,
    recipients: Vec<&'static str>,
    subject: &'static str,
    text: &'static str,
    attachments: Vec<(&'static str, &'static str)>,
    size: u64,
    time: LocalTime,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            listener: "submission",
            login: Some("Ann"),
            credential: None,
            groups: vec!["sales".into()],
            sender: "ann@own.example",
            recipients: vec![
                "bob@own.example",
                "x@far.example",
                "cho@own.example",
                "y@new.example",
            ],
            subject: "Offer",
            text: "hello\nworld",
            attachments: Vec::new(),
            size: 1000,
            time: LocalTime { day: Weekday::Wednesday, minute: 720 },
        }
    }
}

/// Which of `rules` match it.
fn judge(rules: Vec<Rule>, mail: &Mail) -> Vec<Match> {
    let rules = Rules::new(rules).unwrap();
    let mut watch = rules.watch();
    watch.subject(mail.subject);
    mail.text.lines().for_each(|line| watch.text(line));
    for (name, kind) in &mail.attachments {
        watch.attachment_name(name);
        watch.attachment_type(kind);
    }
    let recipients: Vec<_> = mail.recipients.iter().map(|one| one.parse().unwrap()).collect();
    let sender = match mail.sender {
        "" => ReversePath::Null,
        sender => ReversePath::Mailbox(sender.parse().unwrap()),
    };
    let facts = MailFacts {
        listener: mail.listener,
        login: mail.login,
        groups: &mail.groups,
        credential: mail.credential,
        sender: &sender,
        recipients: &recipients,
        is_ours: &|domain| domain.as_str() == "own.example",
        is_known: &|address| address.as_str() != "y@new.example",
        size: mail.size,
        time: mail.time,
    };
    rules.judge(&facts, &watch).matches
}

fn rule(change: impl FnOnce(&mut Rule)) -> Rule {
    let name = RuleName { name: "r".into(), place: "mailweir.toml, line 1".into() };
    let mut rule = Rule {
        name,
        who: Who::default(),
        whom: Whom::default(),
        what: What::default(),
        when: Vec::new(),
    };
    change(&mut rule);
    rule
}

fn matches(change: impl FnOnce(&mut Rule), mail: &Mail) -> Option<(Vec<u32>, Vec<Reason>)> {
    judge(vec![rule(change)], mail).pop().map(|found| (found.recipients, found.reasons))
}

fn addresses(patterns: &[&str]) -> Vec<AddressPattern> {
    patterns.iter().map(|pattern| pattern.parse().unwrap()).collect()
}

#[test]
fn a_rule_without_conditions_means_all_mail() {
    assert_eq!(matches(|_| {}, &Mail::default()), Some((vec![0, 1, 2, 3], Vec::new())));
}

#[test]
fn all_conditions_must_hold_and_of_a_list_any_entry() {
    let mail = Mail::default();
    let both = |rule: &mut Rule| {
        rule.who.logins = vec!["eve".into(), "ann".into()];
        rule.who.groups = vec!["sales".into()];
        rule.who.listeners = vec!["submission".into()];
        rule.who.senders = addresses(&["@else.example", "ann@OWN.example"]);
    };
    assert!(matches(both, &mail).is_some());
    for other in [
        Mail { login: Some("bob"), ..Mail::default() },
        Mail { login: None, ..Mail::default() },
        Mail { groups: Vec::new(), ..Mail::default() },
        Mail { listener: "mx", ..Mail::default() },
        Mail { sender: "bob@own.example", ..Mail::default() },
        Mail { sender: "", ..Mail::default() },
    ] {
        assert_eq!(matches(both, &other), None, "{}", other.sender);
    }
    let by_credential = |rule: &mut Rule| rule.who.credentials = vec!["erp".into()];
    assert_eq!(matches(by_credential, &mail), None);
    assert!(matches(by_credential, &Mail { credential: Some("erp"), ..mail }).is_some());
}

#[test]
fn recipients_are_those_who_meet_all_that_is_asked_of_them() {
    let mail = Mail::default();
    let outside = |rule: &mut Rule| rule.whom.outside = true;
    assert_eq!(matches(outside, &mail), Some((vec![1, 3], vec![Reason::Outside(2)])));
    let new = |rule: &mut Rule| {
        rule.whom.outside = true;
        rule.whom.new_correspondent = true;
    };
    let reasons = vec![Reason::Outside(1), Reason::NewCorrespondent(1)];
    assert_eq!(matches(new, &mail), Some((vec![3], reasons)));
    let named = |rule: &mut Rule| rule.whom.recipients = addresses(&["far.example"]);
    assert_eq!(matches(named, &mail), Some((vec![1], Vec::new())));
    let nobody = |rule: &mut Rule| {
        rule.whom.recipients = addresses(&["own.example"]);
        rule.whom.outside = true;
    };
    assert_eq!(matches(nobody, &mail), None);
    let many = |more_than| move |rule: &mut Rule| rule.whom.more_than = Some(more_than);
    assert_eq!(matches(many(4), &mail), None);
    assert_eq!(matches(many(3), &mail), Some((vec![0, 1, 2, 3], vec![Reason::Recipients(4)])));
}

#[test]
fn content_is_matched_as_a_person_reads_it_without_regard_to_case() {
    let mail = Mail {
        subject: "Re: [대외비] OFFER",
        attachments: vec![("Plan.XLSX", "application/vnd.ms-excel")],
        ..Mail::default()
    };
    let pattern = |text: &str| vec![What::pattern(text).unwrap()];
    let subject = |text: &'static str| move |rule: &mut Rule| rule.what.subject = pattern(text);
    assert_eq!(matches(subject("^offer"), &mail), None);
    let (_, reasons) = matches(subject(r"\[대외비\] offer$"), &mail).unwrap();
    assert_eq!(reasons, [Reason::Subject("Re: [대외비] OFFER".into())]);
    let text = |rule: &mut Rule| rule.what.text = pattern("^WORLD$");
    assert_eq!(matches(text, &mail).unwrap().1, [Reason::Text("world".into())]);
    let name = |rule: &mut Rule| rule.what.attachment_name = pattern(r"\.xlsx?$");
    assert_eq!(matches(name, &mail).unwrap().1, [Reason::AttachmentName("Plan.XLSX".into())]);
    assert_eq!(matches(name, &Mail::default()), None);
    let kind = |rule: &mut Rule| rule.what.attachment_type = pattern("excel");
    assert!(matches(kind, &mail).is_some());
    let any = |rule: &mut Rule| rule.what.attachment = true;
    assert_eq!(matches(any, &mail).unwrap().1, [Reason::Attachment]);
    assert_eq!(matches(any, &Mail::default()), None);
    let large = |rule: &mut Rule| rule.what.larger_than = Some(999);
    assert_eq!(matches(large, &mail).unwrap().1, [Reason::Size(1000)]);
    assert_eq!(matches(large, &Mail { size: 999, ..mail }), None);
}

#[test]
fn numbers_count_over_all_lines_and_kinds() {
    let mail = Mail {
        text: "4111111111111111\nand 5555555555554444\nDE89370400440532013000",
        ..Mail::default()
    };
    let numbers = |at_least| {
        move |rule: &mut Rule| {
            rule.what.numbers = vec![NumberKind::Iban, NumberKind::CardNumber, NumberKind::Iban];
            rule.what.numbers_at_least = at_least;
        }
    };
    let reasons =
        vec![Reason::Numbers(NumberKind::CardNumber, 2), Reason::Numbers(NumberKind::Iban, 1)];
    assert_eq!(matches(numbers(3), &mail).unwrap().1, reasons);
    assert_eq!(matches(numbers(4), &mail), None);
    assert_eq!(matches(numbers(0), &Mail::default()), None);
}

#[test]
fn the_first_rule_decides_and_all_are_recorded() {
    let rules = vec![
        rule(|rule| rule.what.subject = vec![What::pattern("secret").unwrap()]),
        rule(|rule| rule.whom.outside = true),
        rule(|rule| rule.what.subject = vec![What::pattern("offer").unwrap()]),
    ];
    let found = judge(rules, &Mail::default());
    assert_eq!(found.iter().map(|one| one.rule).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn hours_are_days_and_spans_also_over_midnight() {
    let time = |day, hour: u16, minute: u16| LocalTime { day, minute: hour * 60 + minute };
    use Weekday::*;
    for (hours, inside, outside) in [
        ("Mon-Fri 09:00-18:00", time(Friday, 17, 59), time(Friday, 18, 0)),
        ("Mon-Fri 09:00-18:00", time(Monday, 9, 0), time(Saturday, 9, 0)),
        ("sat,SUN", time(Sunday, 0, 0), time(Monday, 0, 0)),
        ("Fri-Mon", time(Saturday, 23, 59), time(Tuesday, 12, 0)),
        ("22:00-06:00", time(Monday, 5, 59), time(Monday, 6, 0)),
        ("Fri 22:00-06:00", time(Saturday, 5, 0), time(Friday, 5, 0)),
        ("Sun 22:00-24:00", time(Sunday, 23, 59), time(Monday, 0, 0)),
    ] {
        let parsed: Hours = hours.parse().unwrap();
        assert!(parsed.contain(inside), "{hours}");
        assert!(!parsed.contain(outside), "{hours}");
    }
    for bad in [
        "",
        "Mo",
        "9-18",
        "09:00",
        "25:00-26:00",
        "09:60-10:00",
        "09:00-09:00",
        "Mon 1:00-2:00 x",
        "24:00-01:00",
    ] {
        assert!(bad.parse::<Hours>().is_err(), "{bad}");
    }
}

#[test]
fn office_hours_are_a_condition_like_others() {
    let night = |rule: &mut Rule| rule.when = vec!["18:00-09:00".parse().unwrap()];
    assert_eq!(matches(night, &Mail::default()), None);
    let noon = |rule: &mut Rule| rule.when = vec!["12:00-12:01".parse().unwrap()];
    assert_eq!(matches(noon, &Mail::default()).unwrap().1, [Reason::Time]);
}

#[test]
fn patterns_of_addresses_mean_what_they_say() {
    let means = |pattern: &str, address: &str| {
        pattern.parse::<AddressPattern>().unwrap().matches(&address.parse().unwrap())
    };
    for (pattern, address, expected) in [
        ("ann@own.example", "ann@OWN.example", true),
        ("Ann@own.example", "aNN@own.example", true),
        ("own.example", "x@own.example", true),
        ("@own.example", "x@sub.own.example", false),
        (".own.example", "x@sub.own.example", true),
        (".own.example", "x@own.example", false),
        ("*", "x@y.example", true),
        ("/^sales-.*@own/", "Sales-1@own.example", true),
        ("/^sales-.*@own/", "x@own.example", false),
    ] {
        assert_eq!(means(pattern, address), expected, "{pattern} {address}");
    }
    for bad in ["", "@", "a b", "/x", "/(/", ".", "x@"] {
        assert!(bad.parse::<AddressPattern>().is_err(), "{bad}");
    }
}

#[test]
fn what_is_wrong_with_a_pattern_is_told_in_one_line() {
    assert_eq!(What::pattern(r"\w{2000}").unwrap_err().reason.lines().count(), 1);
    assert_eq!(&*What::pattern("(").unwrap_err().reason, "unclosed group");
}

#[test]
fn if_it_is_not_known_who_logged_in_every_rule_that_asks_for_it_could_match() {
    let of_bob = rule(|rule| rule.who.logins = vec!["bob".into()]);
    let of_sales = rule(|rule| rule.who.groups = vec!["sales".into()]);
    let of_other = rule(|rule| {
        rule.who.logins = vec!["bob".into()];
        rule.who.senders = addresses(&["bob@own.example"]);
    });
    let rules = Rules::new(vec![of_bob, of_sales, of_other]).unwrap();
    assert!(rules.ask_for_log_ins() && !Rules::default().ask_for_log_ins());
    let sender = ReversePath::Mailbox("ann@own.example".parse().unwrap());
    let facts = MailFacts {
        listener: "postfix",
        login: None,
        groups: &[],
        credential: None,
        sender: &sender,
        recipients: &["x@far.example".parse().unwrap()],
        is_ours: &|_| false,
        is_known: &|_| true,
        size: 1,
        time: Mail::default().time,
    };
    let watch = rules.watch();
    assert!(rules.judge(&facts, &watch).matches.is_empty());
    let found: Vec<_> =
        rules.judge_whoever(&facts, &watch).matches.iter().map(|one| one.rule).collect();
    assert_eq!(found, [0, 1]);
}
