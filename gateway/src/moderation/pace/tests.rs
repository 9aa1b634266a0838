use mailweir_moderation::case::{Actor, By, Command, Proof};

use super::*;
use crate::moderation::registry;

const LIMITS: Limits =
    Limits { alone: 2, interval: Duration::from_secs(900), a_minute: 0, sender_a_day: 0 };

fn second(seconds: u64) -> Timestamp {
    Timestamp::from_secs(86_400 * 20_000 + seconds)
}

fn id(number: u64) -> QueueId {
    QueueId::new(second(0).plus(Duration::from_micros(number)), 1)
}

fn person(name: &str) -> Address {
    format!("{name}@own.example").parse().unwrap()
}

const REQUEST: Class = Class::Gathered(Gathered::Requests, Urgency::News);

fn ask(pace: &mut Pace, number: u64, who: &str, at: u64) -> Verdict {
    pace.ask((id(number), 0), &person(who), REQUEST, &LIMITS, second(at))
}

/// Whose basket it is, and what is in it.
fn due(pace: &mut Pace, at: u64) -> Vec<(Key, Vec<(QueueId, u32)>)> {
    let keys = pace.due(second(at));
    keys.into_iter().map(|key| (key.clone(), pace.basket(&key, |_, _| true))).collect()
}

#[test]
fn the_first_go_alone_and_the_further_ones_together_at_the_end_of_the_interval() {
    let mut pace = Pace::default();
    let verdicts: Vec<_> = (0..5).map(|number| ask(&mut pace, number, "ann", number)).collect();
    use Verdict::{Alone, Gathered};
    assert_eq!(verdicts, [Alone, Alone, Gathered, Gathered, Gathered]);
    assert_eq!(ask(&mut pace, 9, "bob", 5), Alone, "everybody is counted alone");
    assert_eq!(pace.next(), Some(second(900)));
    assert_eq!(due(&mut pace, 899), []);
    let [(key, basket)] = &due(&mut pace, 900)[..] else { panic!("one basket") };
    assert_eq!(key.reader, person("ann"));
    assert_eq!(basket[..], [(id(2), 0), (id(3), 0), (id(4), 0)]);
}

#[test]
fn a_notice_joins_others_of_its_kind_only_where_some_are_gathered() {
    let (mut pace, ann) = (Pace::default(), person("ann"));
    let join = |pace: &mut Pace, number, reader: &Address| {
        pace.join((id(number), 0), reader.clone(), REQUEST)
    };
    assert!(!join(&mut pace, 1, &ann), "it would go by itself");
    let verdicts: Vec<_> = (0..3).map(|number| ask(&mut pace, number, "ann", 0)).collect();
    assert_eq!(verdicts[2], Verdict::Gathered);
    assert!(join(&mut pace, 3, &ann));
    assert!(!join(&mut pace, 4, &person("bob")));
    assert!(!pace.join((id(5), 0), ann.clone(), Class::Sender { is_refusal: true }));
    let [(_, basket)] = &due(&mut pace, 900)[..] else { panic!("one basket") };
    assert_eq!(basket[..], [(id(2), 0), (id(3), 0)]);
    pace.sent(
        &Key { reader: ann.clone(), kind: Gathered::Requests },
        basket.clone(),
        &LIMITS,
        second(900),
    );
    assert!(!join(&mut pace, 6, &ann), "all were sent");
}

#[test]
fn what_is_new_goes_before_what_was_told_already() {
    let mut pace = Pace::default();
    let again = Class::Gathered(Gathered::Requests, Urgency::Again);
    for number in 0..40 {
        pace.ask((id(number), 1), &person("ann"), again, &LIMITS, second(0));
    }
    assert_eq!(ask(&mut pace, 99, "ann", 1), Verdict::Gathered);
    let [(_, basket)] = &due(&mut pace, 900)[..] else { panic!("one basket") };
    assert_eq!((basket.len(), basket[0], basket[1]), (39, (id(99), 0), (id(2), 1)));
}

#[test]
fn what_could_not_be_sent_does_not_count() {
    let limits = Limits { a_minute: 2, sender_a_day: 2, ..LIMITS };
    let (mut pace, ann) = (Pace::default(), person("ann"));
    for class in [REQUEST, Class::Sender { is_refusal: false }] {
        for _ in 0..10 {
            let verdict = pace.ask((id(1), 0), &ann, class, &limits, second(0));
            assert_eq!(verdict, Verdict::Alone);
            pace.withdraw(&ann, class);
        }
    }
}

#[test]
fn a_clock_that_is_set_back_makes_nobody_wait_longer() {
    let limits = Limits { a_minute: 3, ..LIMITS };
    let (mut pace, ann) = (Pace::default(), person("ann"));
    let nine_hours = 9 * 3_600;
    for number in 0..4 {
        pace.ask((id(number), 0), &ann, REQUEST, &limits, second(nine_hours));
    }
    pace.ask((id(9), 0), &person("bob"), REQUEST, &limits, second(nine_hours));
    assert!(pace.full_until(&limits, second(nine_hours)).is_some());
    pace.limit(&limits, second(0));
    assert_eq!(pace.full_until(&limits, second(0)), None);
    assert_eq!(pace.next(), Some(second(900)));
}

#[test]
fn a_new_interval_begins_when_the_one_before_is_over() {
    let mut pace = Pace::default();
    for at in [0, 1, 900, 901] {
        assert_eq!(ask(&mut pace, at, "ann", at), Verdict::Alone, "{at}");
    }
    assert_eq!(ask(&mut pace, 5, "ann", 902), Verdict::Gathered);
    assert_eq!(pace.next(), Some(second(1_800)));
}

#[test]
fn what_one_mail_does_not_hold_waits_for_the_next_and_nobody_overtakes_it() {
    let mut pace = Pace::default();
    for number in 0..6 {
        ask(&mut pace, number, "ann", 0);
    }
    let [(key, basket)] = &due(&mut pace, 900)[..] else { panic!("one basket") };
    pace.sent(key, basket[..2].to_vec(), &LIMITS, second(900));
    assert_eq!(ask(&mut pace, 7, "ann", 901), Verdict::Gathered);
    assert_eq!(due(&mut pace, 1_799), []);
    let [(key, basket)] = &due(&mut pace, 1_800)[..] else { panic!("one basket") };
    assert_eq!(basket[..], [(id(4), 0), (id(5), 0), (id(7), 0)]);
    pace.sent(key, basket.clone(), &LIMITS, second(1_800));
    assert_eq!(pace.next(), None);
    // The mail just now is one of two.
    assert_eq!(ask(&mut pace, 8, "ann", 1_801), Verdict::Alone);
    assert_eq!(ask(&mut pace, 9, "ann", 1_802), Verdict::Gathered);
}

#[test]
fn what_was_decided_meanwhile_is_told_nobody() {
    let mut pace = Pace::default();
    for number in 0..5 {
        ask(&mut pace, number, "ann", 0);
    }
    let key = pace.due(second(900)).remove(0);
    assert_eq!(pace.basket(&key, |case, _| case == id(3)), [(id(3), 0)]);
    assert_eq!(pace.basket(&key, |_, _| false), []);
    assert_eq!((pace.next(), pace.due(second(900))), (None, Vec::new()), "nothing is sent");
}

#[test]
fn what_could_not_be_sent_is_tried_again_later() {
    let mut pace = Pace::default();
    for number in 0..3 {
        ask(&mut pace, number, "ann", 0);
    }
    let key = pace.due(second(900)).remove(0);
    pace.put_off(&key, second(930));
    assert_eq!(pace.due(second(929)), []);
    assert_eq!(pace.due(second(930)), [key]);
}

#[test]
fn a_shorter_interval_counts_at_once() {
    let mut pace = Pace::default();
    for number in 0..3 {
        ask(&mut pace, number, "ann", 0);
    }
    pace.limit(&Limits { interval: Duration::from_secs(10), ..LIMITS }, second(5));
    assert_eq!(pace.next(), Some(second(15)));
    pace.limit(&LIMITS, second(6));
    assert_eq!(pace.next(), Some(second(15)), "a longer one is for those that begin");
}

#[test]
fn requests_news_and_alerts_are_counted_apart() {
    let mut pace = Pace::default();
    for kind in [Gathered::Requests, Gathered::News, Gathered::Alerts] {
        for (number, expected) in [(0, Verdict::Alone), (1, Verdict::Alone), (2, Verdict::Gathered)]
        {
            let class = Class::Gathered(kind, Urgency::News);
            let verdict = pace.ask((id(number), 0), &person("ann"), class, &LIMITS, second(0));
            assert_eq!(verdict, expected, "{kind:?}");
        }
    }
    assert_eq!(pace.due(second(900)).len(), 3);
}

#[test]
fn with_zero_all_are_gathered() {
    let limits = Limits { alone: 0, ..LIMITS };
    let mut pace = Pace::default();
    let verdict = pace.ask((id(1), 0), &person("ann"), REQUEST, &limits, second(0));
    assert_eq!((verdict, pace.next()), (Verdict::Gathered, Some(second(900))));
}

/// Ten thousand mails in a day, and ten moderators: what each of them gets, whatever comes.
#[test]
fn a_flood_of_held_mail_is_a_trickle_of_notices() {
    let mut pace = Pace::default();
    let (mut alone, mut together) = (0, 0);
    for at in (0..86_400).step_by(9) {
        for (key, basket) in due(&mut pace, at) {
            together += 1;
            pace.sent(&key, basket.into_iter().take(30), &LIMITS, second(at));
        }
        for name in 0..10 {
            let verdict = ask(&mut pace, at, &format!("m{name}"), at);
            alone += u64::from(verdict == Verdict::Alone);
        }
    }
    // 96 intervals a day.
    assert!((90 * 10..=96 * 10).contains(&together), "{together}");
    assert!(alone <= 2 * 10, "{alone}");
}

#[test]
fn so_many_are_told_in_a_minute_and_the_others_in_the_next() {
    let limits = Limits { alone: 10, a_minute: 100, ..LIMITS };
    let mut pace = Pace::default();
    let mut tell = |from: u64, at: u64| {
        let verdicts = (from..500).map(|number| {
            let who = person(&format!("m{number}"));
            pace.ask((id(1), number as u32), &who, REQUEST, &limits, second(at))
        });
        let told = verdicts.take_while(|verdict| *verdict == Verdict::Alone).count() as u64;
        let rest =
            (pace.full_until(&limits, second(at)), pace.full_until(&limits, second(at + 60)));
        (told, rest)
    };
    let mut from = 0;
    for minute in 0..5 {
        let at = minute * 60;
        let (told, rest) = tell(from, at);
        assert_eq!((told, rest), (100, (Some(second(at + 60)), None)), "minute {minute}");
        from += told;
        assert_eq!(tell(from, at + 59).0, 0, "none in the same minute");
    }
    assert_eq!(from, 500, "all 500 moderators of one mail hear of it");
}

#[test]
fn what_goes_together_counts_from_its_beginning_and_not_if_it_is_not_sent() {
    let limits = Limits { a_minute: 2, ..LIMITS };
    let mut pace = Pace::default();
    assert!(pace.begin(&limits, second(0)) && pace.begin(&limits, second(0)));
    assert!(!pace.begin(&limits, second(1)), "two are on their way");
    assert_eq!(pace.ask((id(1), 0), &person("ann"), REQUEST, &limits, second(1)), Verdict::Later);
    pace.abandon();
    assert!(pace.begin(&limits, second(2)));
    assert!(!pace.begin(&limits, second(59)) && pace.begin(&limits, second(60)));
}

#[test]
fn that_a_minute_is_full_is_said_once() {
    let limits = Limits { a_minute: 1, ..LIMITS };
    let mut pace = Pace::default();
    assert!(!pace.is_newly_full(&limits, second(0)));
    pace.ask((id(1), 0), &person("ann"), REQUEST, &limits, second(0));
    let said = [1, 2, 59, 60].map(|at| pace.is_newly_full(&limits, second(at)));
    assert_eq!(said, [true, false, false, false]);
}

#[test]
fn a_sender_hears_so_much_a_day_and_of_what_is_not_sent_more_often() {
    let limits = Limits { sender_a_day: 3, ..LIMITS };
    let mut pace = Pace::default();
    let mut ask = |who: &str, is_refusal, at| {
        let class = Class::Sender { is_refusal };
        pace.ask((id(at), 0), &person(who), class, &limits, second(at))
    };
    for at in 0..3 {
        assert_eq!(ask("eve", false, at), Verdict::Alone);
    }
    assert_eq!(ask("eve", false, 3), Verdict::LeftOut(4));
    assert_eq!(ask("eve", false, 4), Verdict::LeftOut(5));
    assert_eq!(ask("ann", false, 5), Verdict::Alone, "another sender");
    let told = (6..99).take_while(|at| ask("eve", true, *at) == Verdict::Alone).count();
    assert_eq!(told, 25, "up to thirty in all");
    assert_eq!(ask("eve", false, 86_399), Verdict::LeftOut(32));
    assert_eq!(ask("eve", false, 86_400), Verdict::Alone, "another day");
}

#[test]
fn what_a_notice_is_follows_from_the_case() {
    let open = registry::tests::open(9_999);
    let by = By { who: Actor::Administrator("root".into()), proof: Proof::Api, from: None };
    let after = |command: &Command| {
        let case = open.case.take(command, second(1)).unwrap().case;
        CaseFile { case, ..open.clone() }
    };
    let rejected = after(&Command::Reject { by: by.clone(), reason: "".into() });
    let approve = Command::Approve { by, comment: "".into(), only: None, at: None, trust_days: 0 };
    let approved = after(&approve);
    let of = |to: To, word, file| Class::of(&Owed { number: 0, to, word }, file);
    let ann = || To::Moderator(person("ann"));
    let sender = |is_refusal| Class::Sender { is_refusal };
    for word in [Word::Request, Word::ExpiryWarning, Word::Escalation, Word::Forwarded] {
        assert_eq!(of(ann(), word, &open), REQUEST);
    }
    let again = Class::Gathered(Gathered::Requests, Urgency::Again);
    assert_eq!(of(ann(), Word::Reminder, &open), again);
    assert_eq!(of(ann(), Word::Decided, &rejected), Class::Gathered(Gathered::News, Urgency::News));
    let alert = of(To::Administrators, Word::NoModerator, &open);
    assert_eq!(alert, Class::Gathered(Gathered::Alerts, Urgency::News));
    assert_eq!(of(To::Sender, Word::Held, &open), sender(false));
    assert_eq!(of(To::Sender, Word::Decided, &approved), sender(false));
    assert_eq!(of(To::Sender, Word::Decided, &rejected), sender(true));
}
