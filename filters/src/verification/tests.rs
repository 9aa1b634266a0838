//! Every step of an address's life, and records as files have them.

use std::time::Duration;

use mailweir_mail::Timestamp;
use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_800_000_000;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days * DAY)
}

fn known(status: Status, updated: u64) -> Record {
    Record { status, probed: 0, updated, text: "host mx said: so".into() }
}

fn asked(known: Option<&Record>, now: u64) -> Asked {
    ask(known, &Lifetimes::default(), at(now))
}

fn result(status: Status) -> Answer {
    Answer { status, text: "new".into() }
}

#[test]
fn an_address_that_nobody_knows_is_probed_and_clients_hear_that_it_is() {
    let asked = asked(None, NOW);
    assert_eq!(asked.answer, Answer::in_progress());
    assert_eq!(&*asked.answer.text, "Address verification in progress");
    assert_eq!(asked.keep, Keep::Unchanged);
    let Some(Keep::Record(begun)) = asked.probe else { panic!("not probed") };
    assert_eq!(begun.to_string(), format!("3:{NOW}:0:Address verification in progress"));
}

#[test]
fn while_a_probe_is_under_way_there_is_no_other_until_it_counts_as_lost() {
    let Some(Keep::Record(begun)) = asked(None, NOW).probe else { panic!("not probed") };
    for (later, probed) in [(0, false), (999, false), (1_000, false), (1_001, true)] {
        let asked = asked(Some(&begun), NOW + later);
        assert_eq!(asked.answer, Answer::in_progress());
        assert_eq!(asked.probe.is_some(), probed, "{later}");
    }
}

#[test]
fn what_a_probe_brings_is_remembered() {
    for status in [Status::Deliverable, Status::Deferred, Status::Undeliverable] {
        for before in [None, Some(Record::begun(NOW)), Some(known(Status::Deferred, NOW - 9))] {
            let Keep::Record(record) =
                learn(before.as_ref(), &result(status), &Lifetimes::default(), at(NOW))
            else {
                panic!("{status:?} is not kept")
            };
            assert_eq!(record, Record { text: "new".into(), ..known(status, NOW) });
            let asked = asked(Some(&record), NOW + 1);
            assert_eq!(asked.answer, result(status));
            assert_eq!((asked.keep, asked.probe), (Keep::Unchanged, None));
        }
    }
}

#[test]
fn a_failure_does_not_make_a_good_address_bad_but_success_makes_a_bad_one_good() {
    let good = known(Status::Deliverable, NOW);
    for status in [Status::Deferred, Status::Undeliverable, Status::InProgress] {
        assert_eq!(
            learn(Some(&good), &result(status), &Lifetimes::default(), at(NOW)),
            Keep::Unchanged
        );
    }
    let bad = known(Status::Undeliverable, NOW);
    let learnt = learn(Some(&bad), &result(Status::Deliverable), &Lifetimes::default(), at(NOW));
    assert!(matches!(learnt, Keep::Record(Record { status: Status::Deliverable, .. })));
}

/// Each span to the second: fresh, stale but served, over.
#[test]
fn answers_are_refreshed_while_they_are_served_and_then_forgotten() {
    for (status, refresh, expire) in [
        (Status::Deliverable, days(7), days(31)),
        (Status::Undeliverable, Duration::from_secs(3 * HOUR), days(3)),
        (Status::Deferred, Duration::from_secs(3 * HOUR), days(3)),
    ] {
        let record = known(status, NOW);
        for (later, served, probed) in [
            (0, true, false),
            (refresh.as_secs(), true, false),
            (refresh.as_secs() + 1, true, true),
            (expire.as_secs(), true, true),
            (expire.as_secs() + 1, false, true),
        ] {
            let asked = asked(Some(&record), NOW + later);
            let expected = if served { status } else { Status::InProgress };
            assert_eq!(asked.answer.status, expected, "{status:?} after {later}");
            assert_eq!(asked.probe.is_some(), probed, "{status:?} after {later}");
            if let (true, Some(Keep::Record(during))) = (served, asked.probe) {
                assert_eq!(during, Record { probed: NOW + later, ..record.clone() });
            }
        }
    }
}

#[test]
fn a_good_address_whose_refreshing_failed_is_probed_again_after_the_lifetime_of_a_probe() {
    let stale = NOW + days(8).as_secs();
    let during = Record { probed: stale, ..known(Status::Deliverable, NOW) };
    assert_eq!(
        learn(Some(&during), &result(Status::Undeliverable), &Lifetimes::default(), at(stale)),
        Keep::Unchanged
    );
    assert_eq!(asked(Some(&during), stale + 1_000).probe, None);
    assert!(asked(Some(&during), stale + 1_001).probe.is_some());
}

#[test]
fn a_probe_that_asked_nobody_leaves_everything_as_it_was() {
    assert_eq!(give_up(None), Keep::Unchanged);
    assert_eq!(give_up(Some(&Record::begun(NOW))), Keep::Nothing);
    let stale = known(Status::Deliverable, NOW - days(8).as_secs());
    let Some(Keep::Record(during)) = asked(Some(&stale), NOW).probe else { panic!("not probed") };
    assert_eq!(give_up(Some(&during)), Keep::Record(stale.clone()));
    assert_eq!(give_up(Some(&stale)), Keep::Unchanged);
}

#[test]
fn an_expired_answer_is_served_while_its_probe_is_under_way() {
    let stale = NOW + days(31).as_secs();
    let during = Record { probed: stale, ..known(Status::Deliverable, NOW) };
    let asked = asked(Some(&during), stale + 500);
    assert_eq!((asked.answer.status, asked.probe), (Status::Deliverable, None));
}

#[test]
fn without_a_negative_cache_only_what_is_good_is_remembered() {
    let lifetimes = Lifetimes { negative_cache: false, ..Lifetimes::default() };
    let fresh = ask(None, &lifetimes, at(NOW));
    assert_eq!((fresh.keep, fresh.probe), (Keep::Unchanged, Some(Keep::Unchanged)));
    let bad = known(Status::Undeliverable, NOW);
    let over = ask(Some(&bad), &lifetimes, at(NOW + days(4).as_secs()));
    assert_eq!((over.keep, over.probe), (Keep::Nothing, Some(Keep::Nothing)));
    for status in [Status::Undeliverable, Status::Deferred] {
        assert_eq!(learn(None, &result(status), &lifetimes, at(NOW)), Keep::Unchanged);
    }
    let good = learn(None, &result(Status::Deliverable), &lifetimes, at(NOW));
    assert!(matches!(good, Keep::Record(Record { status: Status::Deliverable, .. })));
    // What was remembered while there was one is refreshed as ever (verify.c).
    let stale = ask(Some(&bad), &lifetimes, at(NOW + days(1).as_secs()));
    assert!(matches!(stale.probe, Some(Keep::Record(_))));
}

#[test]
fn a_clock_that_was_wrong_does_not_keep_records_for_ever() {
    let future = known(Status::Deliverable, NOW + days(4_000).as_secs());
    assert_eq!(asked(Some(&future), NOW).answer, Answer::in_progress());
    let probing = Record { probed: NOW + 5_000, ..Record::begun(NOW) };
    assert!(asked(Some(&probing), NOW).probe.is_some());
    let far = known(Status::Deliverable, u64::MAX);
    assert!(asked(Some(&far), 0).probe.is_some());
}

#[test]
fn a_restart_forgets_probes_and_what_is_over() {
    let lifetimes = Lifetimes::default();
    let restored = |record: Record, now| record.restored(&lifetimes, at(now));
    assert_eq!(restored(Record::begun(NOW), NOW), None);
    let during = Record { probed: NOW, ..known(Status::Deliverable, NOW) };
    assert_eq!(restored(during, NOW), Some(known(Status::Deliverable, NOW)));
    assert_eq!(restored(known(Status::Deferred, NOW), NOW + days(4).as_secs()), None);
}

/// As `postmap -s` shows them of a verify(8) of Postfix 3.7.
#[test]
fn records_of_postfix_are_read_and_written_alike() {
    for text in [
        "0:0:1800000000:250 2.1.5 Ok",
        "1:0:1800000000:host 127.0.0.1[127.0.0.1] said: 450 4.2.0 later (in reply to RCPT TO command)",
        "2:1800000100:1800000000:host mx[192.0.2.1]:25 said: 550 5.1.1 no",
        "3:1800000000:0:Address verification in progress",
        "0:0:1:",
    ] {
        let record: Record = text.parse().unwrap();
        assert_eq!(record.to_string(), text);
    }
}

#[test]
fn what_is_no_record_is_refused() {
    for text in [
        "",
        ":::",
        "0",
        "0:1:1",
        "0:0:0:ok",
        "4:0:1:ok",
        "00:0:x:ok",
        "-1:0:1:ok",
        "+0:0:1:ok",
        " 0:0:1:ok",
        "0:99999999999999999999:1:ok",
        "ok:0:1:ok",
    ] {
        assert_eq!(text.parse::<Record>(), Err(RecordError), "{text:?}");
    }
}

#[test]
fn texts_are_one_short_line() {
    let long = format!("a\r\nb\0{}", "é".repeat(1_000));
    let learnt = Record::learnt(Status::Deferred, &long, NOW);
    assert!(learnt.text.starts_with("a  b \u{e9}") && learnt.text.len() <= Record::MAX_TEXT);
    assert!(!learnt.to_string().contains(char::is_control));
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic_and_what_is_read_is_written_the_same(text in ".{0,80}") {
        if let Ok(record) = text.parse::<Record>() {
            prop_assert_eq!(record.to_string().parse::<Record>(), Ok(record));
        }
    }

    #[test]
    fn no_record_makes_asking_panic(
        number in 0_u64..5, probed: u64, updated: u64, now: u64, text in "\\PC{0,40}"
    ) {
        let written = format!("{number}:{probed}:{updated}:{text}");
        let record = written.parse::<Record>();
        prop_assert_eq!(record.is_ok(), number < 4 && (probed, updated) != (0, 0));
        if let Ok(record) = record {
            prop_assert_eq!(record.to_string(), written);
            let now = Timestamp::from_micros(now);
            let asked = ask(Some(&record), &Lifetimes::default(), now);
            prop_assert!(asked.probe.is_some() || asked.keep == Keep::Unchanged);
        }
    }
}
