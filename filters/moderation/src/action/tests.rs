//! What is frozen with a mail, on which day.

use std::time::Duration;

use mailweir_mail::{Address, Date, Timestamp};

use super::*;
use crate::case::{
    Case, Escalation, Expiry, Level, Moderator, Plan, RuleName, TellsSender, To, Word,
};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// 2026-11-20, 21:30:05 UTC.
const NOW: Timestamp = Timestamp::from_secs(1_795_210_205);

fn address(name: &str) -> Address {
    format!("{name}@x.example").parse().unwrap()
}

fn addresses(names: &[&str]) -> Vec<Address> {
    names.iter().map(|name| address(name)).collect()
}

/// `ann`; `ann|bob` with a deputy; `ann!|bob` is away on the day of [`NOW`].
fn people(written: &[&str]) -> People {
    written.iter().map(|text| person(text)).collect()
}

fn person(text: &str) -> Person {
    let (who, deputy) = text.split_once('|').unwrap_or((text, ""));
    let absent = if who.ends_with('!') { vec!["2026-11-19..2026-11-20"] } else { Vec::new() };
    Person {
        address: address(who.trim_end_matches('!')),
        absent: absent.into_iter().map(|days| days.parse().unwrap()).collect(),
        deputy: (!deputy.is_empty()).then(|| address(deputy)),
    }
}

fn rule(name: &str) -> RuleName {
    RuleName { name: name.into(), place: "mailweir.toml:9".into() }
}

/// Sam's mail to three recipients, about which two rules have something to say.
fn mail() -> HeldMail {
    HeldMail {
        rule: rule("outside"),
        also: vec![rule("numbers")],
        senders: addresses(&["sam", "samuel"]),
        recipients: 3,
        content: [7; 32],
    }
}

fn level(needed: u8, names: &[&str]) -> ApprovalLevel {
    ApprovalLevel { moderators: addresses(names), needed }
}

fn approval(levels: Vec<ApprovalLevel>) -> Approval {
    let patience = Patience { remind_every: None, end: None };
    Approval { levels, own_mail: OwnMail::Never, escalation: None, patience }
}

fn utc(_: &Address, at: Timestamp) -> Date {
    Date::of(at)
}

fn plan(wait: Wait, people: &People) -> Plan {
    Hold { wait, tells_sender: TellsSender::Always }.plan(mail(), (people, &utc), NOW)
}

/// Who is asked at the first level: `bob`, or `bob for ann`.
fn asked(level: ApprovalLevel, people: &People) -> Vec<String> {
    let plan = plan(Wait::Approval(approval(vec![level])), people);
    plan.levels[0].moderators.iter().map(shown).collect()
}

fn shown(one: &Moderator) -> String {
    let name = |address: &Address| address.as_str().replace("@x.example", "");
    match &one.deputy_of {
        Some(principal) => format!("{} for {}", name(&one.address), name(principal)),
        None => name(&one.address),
    }
}

/// Who hears first when the case is opened.
fn first_notices(plan: Plan) -> Vec<(To, Word)> {
    Case::open(plan, NOW).progress.owed.into_iter().map(|owed| (owed.to, owed.word)).collect()
}

#[test]
fn all_that_is_known_of_the_mail_is_frozen() {
    let levels = vec![level(2, &["ann", "bob"]), level(1, &["cho"])];
    let frozen = plan(Wait::Approval(approval(levels)), &People::default());
    let seats = |names: &[&str]| names.iter().map(|one| Moderator::new(address(one))).collect();
    let expected = Plan {
        rule: rule("outside"),
        also: vec![rule("numbers")],
        kind: Kind::Approval,
        levels: vec![
            Level { moderators: seats(&["ann", "bob"]), needed: 2 },
            Level { moderators: seats(&["cho"]), needed: 1 },
        ],
        senders: addresses(&["sam", "samuel"]),
        recipients: 3,
        content: [7; 32],
        own_mail: OwnMail::Never,
        remind_every: None,
        escalation: None,
        expiry: None,
        tells_sender: TellsSender::Always,
    };
    assert_eq!(frozen, expected);
}

#[test]
fn whoever_is_away_is_replaced_by_the_deputy_who_is_there() {
    let ask = |names: &[&str], known: &[&str]| asked(level(1, names), &people(known));
    assert_eq!(ask(&["ann"], &["ann|bob"]), ["ann"], "she is there");
    assert_eq!(ask(&["ann"], &["ann!|bob"]), ["bob for ann"]);
    assert_eq!(ask(&["ann"], &["ann!|bob", "bob!|cho"]), ["cho for ann"]);
    assert_eq!(ask(&["ann", "dan"], &["ann!|bob"]), ["bob for ann", "dan"]);
}

#[test]
fn nobody_is_asked_twice_and_nobody_has_two_words() {
    let ask = |names: &[&str], known: &[&str]| asked(level(1, names), &people(known));
    assert_eq!(ask(&["ann", "bob"], &["ann!|bob"]), ["bob"]);
    assert_eq!(ask(&["ann", "cho"], &["ann!|bob", "cho!|bob"]), ["bob for ann"]);
    assert_eq!(ask(&["ann", "ann"], &[]), ["ann"]);
    // Bob is asked in his own name, and is away as well: his deputy has his word alone.
    assert_eq!(ask(&["ann", "bob"], &["ann!|bob", "bob!|cho"]), ["cho for ann"]);
}

#[test]
fn where_nobody_stands_in_administrators_hear_of_it() {
    for known in [&["ann!"][..], &["ann!|bob", "bob!"], &["ann!|bob", "bob!|ann"]] {
        let frozen = plan(Wait::Approval(approval(vec![level(1, &["ann"])])), &people(known));
        assert_eq!(frozen.levels, [Level { moderators: Vec::new(), needed: 1 }], "{known:?}");
        let told = (To::Administrators, Word::NoModerator);
        assert!(first_notices(frozen).contains(&told), "{known:?}");
    }
}

#[test]
fn an_absence_lasts_from_its_first_day_to_its_last() {
    let away = people(&["ann!|bob"]);
    let wait = Wait::Approval(approval(vec![level(1, &["ann"])]));
    let hold = Hold { wait, tells_sender: TellsSender::Always };
    for (hours, expected) in [(-46, "ann"), (-45, "bob for ann"), (2, "bob for ann"), (3, "ann")] {
        let now = Timestamp::from_secs(NOW.as_secs().saturating_add_signed(hours * 3600));
        let frozen = hold.plan(mail(), (&away, &utc), now);
        assert_eq!(shown(&frozen.levels[0].moderators[0]), expected, "{}", now.rfc3339());
    }
}

#[test]
fn each_is_away_on_the_days_of_the_place_where_they_live() {
    let away = people(&["ann!|bob", "cho!|dan", "dan!|eve"]);
    let wait = Wait::Approval(approval(vec![level(1, &["ann", "cho"])]));
    let hold = Hold { wait, tells_sender: TellsSender::Always };
    let asked = |home: &str| {
        let day = Duration::from_secs(86_400);
        // It is late for all but one: their absence is over.
        let calendar = |person: &Address, at: Timestamp| {
            Date::of(if person.as_str().starts_with(home) { at } else { at.plus(9 * day) })
        };
        let plan = hold.plan(mail(), (&away, &calendar), NOW);
        plan.levels[0].moderators.iter().map(shown).collect::<Vec<_>>()
    };
    assert_eq!(asked("ann"), ["bob for ann", "cho"]);
    assert_eq!(asked("cho"), ["ann", "dan for cho"]);
    assert_eq!(asked("dan"), ["ann", "cho"]);
}

#[test]
fn absences_are_read_as_they_are_written() {
    for good in ["2026-12-24..2027-01-02", "2026-12-24"] {
        assert_eq!(good.parse::<Absence>().unwrap().to_string(), good);
    }
    let read = |text: &str| text.parse::<Absence>().unwrap_err();
    assert_eq!(read("2027-01-02..2026-12-24"), BadAbsence::Backwards);
    for bad in ["", "..", "2026-12-24..", "2026-12-24-2027-01-02", "2026-02-30", "24.12.2026"] {
        assert_eq!(read(bad), BadAbsence::NotADate, "{bad}");
    }
}

#[test]
fn circles_of_deputies_are_found_from_one_of_their_own() {
    let circle = |written: &[&str]| {
        let all: Vec<Person> = written.iter().map(|text| person(text)).collect();
        let known: People = all.iter().cloned().collect();
        known.circle(&all).map(|circle| circle.to_string().replace("@x.example", ""))
    };
    assert_eq!(circle(&["ann|bob", "bob|cho", "cho"]), None);
    assert_eq!(circle(&["ann|ann"]).unwrap(), "ann, ann");
    assert_eq!(circle(&["ann|bob", "bob|cho", "cho|bob"]).unwrap(), "bob, cho, bob");
}

#[test]
fn times_are_counted_from_when_the_mail_came() {
    let patience = Patience {
        remind_every: Some(4 * HOUR),
        end: Some(End { after: 2 * DAY, warn_before: Some(12 * HOUR), action: AtExpiry::Reject }),
    };
    let escalation = Some(EscalateTo { after: DAY, people: addresses(&["dan", "eve"]) });
    let of_rule = Approval { escalation, patience, ..approval(vec![level(1, &["ann"])]) };
    // Dan is away when the mail comes, and back when he would be asked.
    let frozen = plan(Wait::Approval(of_rule), &people(&["dan!"]));
    assert_eq!(frozen.remind_every, Some(14_400));
    let to = vec![Moderator::new(address("dan")), Moderator::new(address("eve"))];
    assert_eq!(frozen.escalation, Some(Escalation { at: NOW.plus(DAY), to }));
    let expected = Expiry {
        at: NOW.plus(2 * DAY),
        warning: Some(NOW.plus(36 * HOUR)),
        action: AtExpiry::Reject,
    };
    assert_eq!(frozen.expiry, Some(expected));
}

#[test]
fn times_without_end_are_the_end_of_time() {
    let end = End { after: Duration::MAX, warn_before: Some(HOUR), action: AtExpiry::Reject };
    let patience = Patience { remind_every: Some(Duration::MAX), end: Some(end) };
    let frozen = plan(Wait::Confirmation(patience), &People::default());
    assert_eq!(frozen.expiry.unwrap().at, Timestamp::from_micros(u64::MAX));
    assert_eq!(frozen.remind_every, Some(u32::MAX));
    // A reminder at every look at the clock would never end.
    let patience = Patience { remind_every: Some(Duration::ZERO), end: None };
    assert_eq!(plan(Wait::Confirmation(patience), &People::default()).remind_every, Some(1));
}

#[test]
fn a_delay_is_the_senders_own_and_ends_by_itself() {
    let frozen = plan(Wait::Delay(5 * 60 * Duration::from_secs(1)), &People::default());
    assert_eq!((frozen.kind, frozen.own_mail), (Kind::Delay, OwnMail::Allowed));
    assert_eq!(frozen.levels[0].moderators, [Moderator::new(address("sam"))]);
    let at = NOW.plus(Duration::from_secs(300));
    assert_eq!(frozen.expiry, Some(Expiry { at, warning: None, action: AtExpiry::Release }));
    assert_eq!(first_notices(frozen), [(To::Sender, Word::Held)]);
}

#[test]
fn a_confirmation_asks_the_sender_under_one_name() {
    let patience = Patience { remind_every: None, end: None };
    let frozen = plan(Wait::Confirmation(patience.clone()), &people(&["sam!|bob"]));
    assert_eq!(frozen.kind, Kind::Confirmation);
    assert_eq!(first_notices(frozen), [(To::Moderator(address("sam")), Word::Request)]);
    let nobody = HeldMail { senders: Vec::new(), ..mail() };
    let hold = Hold { wait: Wait::Confirmation(patience), tells_sender: TellsSender::Always };
    let frozen = hold.plan(nobody, (&People::default(), &utc), NOW);
    assert_eq!(first_notices(frozen), [(To::Administrators, Word::NoModerator)]);
}
