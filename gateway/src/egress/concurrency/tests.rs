//! Row K3 of `attacks.md`: a dead destination costs few attempts and no waiting.

use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits { initial: 2, most: 4, rest: Duration::from_secs(300) };

fn seconds(start: Instant, seconds: u64) -> Instant {
    start + Duration::from_secs(seconds)
}

/// Starts as many as may start.
fn fill(destination: &mut Concurrency, now: Instant) -> u32 {
    let mut started = 0;
    while destination.may_start(now) == Admission::Yes {
        destination.started();
        started += 1;
    }
    started
}

/// A destination that has just been found dead.
fn dead(now: Instant) -> Concurrency {
    let mut destination = Concurrency::new(LIMITS);
    for _ in 0..fill(&mut destination, now) {
        destination.failed(now, "connection refused");
    }
    destination
}

#[test]
fn the_defaults_are_postfix_s() {
    let limits = Limits::default();
    assert_eq!((limits.initial, limits.most, limits.rest.as_secs()), (5, 20, 300));
    assert_eq!(fill(&mut Concurrency::new(limits), Instant::now()), 5);
}

#[test]
fn a_full_window_waits_until_a_delivery_ends() {
    let now = Instant::now();
    let mut destination = Concurrency::new(LIMITS);
    assert_eq!(fill(&mut destination, now), 2);
    assert_eq!(destination.may_start(now), Admission::Wait);
    destination.abandoned(now);
    assert_eq!(destination.may_start(now), Admission::Yes);
}

#[test]
fn a_window_of_successes_widens_it_up_to_the_limit() {
    let now = Instant::now();
    let mut destination = Concurrency::new(LIMITS);
    let mut widths = Vec::new();
    for _ in 0..4 {
        let width = fill(&mut destination, now);
        widths.push(width);
        for _ in 0..width {
            destination.succeeded();
        }
    }
    assert_eq!(widths, [2, 3, 4, 4]);
}

#[test]
fn failures_between_successes_narrow_it_but_kill_nothing() {
    let now = Instant::now();
    let mut destination = Concurrency::new(LIMITS);
    for _ in 0..20 {
        destination.started();
        destination.failed(now, "timeout");
        destination.started();
        destination.succeeded();
        assert_eq!(destination.may_start(now), Admission::Yes);
    }
    assert!((1..=2).contains(&fill(&mut destination, now)));
}

#[test]
fn k3_a_cohort_of_failures_declares_it_dead_for_a_while() {
    let now = Instant::now();
    let destination = dead(now);
    let until = seconds(now, 300);
    let reason = "connection refused";
    assert_eq!(destination.may_start(now), Admission::Dead { until, reason });
    assert_eq!(destination.may_start(seconds(now, 299)), Admission::Dead { until, reason });
    assert!(!destination.is_forgettable(seconds(now, 299)));
    assert!(destination.is_forgettable(until));
}

#[test]
fn k3_after_the_rest_one_probe_goes_out() {
    let now = Instant::now();
    let mut destination = dead(now);
    let later = seconds(now, 300);
    assert_eq!(fill(&mut destination, later), 1);
    assert_eq!(destination.may_start(later), Admission::Wait);
    destination.failed(later, "still refused");
    let until = seconds(later, 300);
    let expected = Admission::Dead { until, reason: "still refused" };
    assert_eq!(destination.may_start(later), expected);
    assert_eq!(fill(&mut destination, until), 1);
    destination.succeeded();
    assert_eq!(fill(&mut destination, until), 2);
}

#[test]
fn a_probe_that_was_cancelled_is_repeated_at_once() {
    let now = Instant::now();
    let mut destination = dead(now);
    let later = seconds(now, 300);
    assert_eq!(fill(&mut destination, later), 1);
    destination.abandoned(later);
    assert_eq!(fill(&mut destination, later), 1);
}

#[test]
fn a_delivery_that_was_under_way_can_prove_the_destination_alive() {
    let now = Instant::now();
    let mut destination = Concurrency::new(Limits { initial: 3, ..LIMITS });
    for _ in 0..3 {
        destination.started();
        destination.succeeded();
    }
    assert_eq!(fill(&mut destination, now), 4);
    for _ in 0..3 {
        destination.failed(now, "refused");
    }
    destination.succeeded();
    assert_eq!(destination.may_start(now), Admission::Yes);
}

#[test]
fn a_late_failure_does_not_prolong_the_rest() {
    let now = Instant::now();
    let mut destination = Concurrency::new(Limits { initial: 1, ..LIMITS });
    destination.started();
    destination.started();
    destination.failed(now, "refused");
    destination.failed(seconds(now, 200), "refused");
    assert_eq!(destination.may_start(seconds(now, 300)), Admission::Yes);
}

#[test]
fn an_operator_s_flush_ends_the_rest() {
    let now = Instant::now();
    let mut destination = dead(now);
    destination.revive();
    assert_eq!(fill(&mut destination, now), 2);
}

#[test]
fn limits_of_zero_still_let_one_delivery_through() {
    let now = Instant::now();
    let zero = Limits { initial: 0, most: 0, rest: Duration::ZERO };
    let mut destination = Concurrency::new(zero);
    assert_eq!(fill(&mut destination, now), 1);
    destination.succeeded();
    assert_eq!(fill(&mut destination, now), 1);
}

#[derive(Clone, Debug)]
enum Event {
    Start,
    Succeed,
    Fail,
    Abandon,
    Pass(u64),
    Revive,
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Start),
        2 => Just(Event::Succeed),
        3 => Just(Event::Fail),
        1 => Just(Event::Abandon),
        1 => (1..400_u64).prop_map(Event::Pass),
        1 => Just(Event::Revive),
    ]
}

proptest! {
    #[test]
    fn nothing_is_ever_stuck(events in prop::collection::vec(any_event(), 0..200)) {
        let mut now = Instant::now();
        let mut destination = Concurrency::new(LIMITS);
        for event in events {
            let running = destination.running();
            match event {
                Event::Start if destination.may_start(now) == Admission::Yes => {
                    destination.started();
                    prop_assert!(destination.running() <= LIMITS.most);
                }
                Event::Succeed if running > 0 => destination.succeeded(),
                Event::Fail if running > 0 => destination.failed(now, "reason"),
                Event::Abandon if running > 0 => destination.abandoned(now),
                Event::Pass(time) => now = seconds(now, time),
                Event::Revive => destination.revive(),
                Event::Start | Event::Succeed | Event::Fail | Event::Abandon => {}
            }
            if destination.running() == 0 {
                prop_assert!(destination.may_start(now) != Admission::Wait);
                prop_assert_eq!(destination.may_start(seconds(now, 300)), Admission::Yes);
            }
        }
    }
}
