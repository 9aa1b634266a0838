//! Row K3 of `attacks.md`: a black hole is not tried first twice in a row.

use super::*;

fn candidates(addresses: &[&str]) -> Vec<Candidate> {
    let candidate = |address: &&str| Candidate {
        name: "mx.test".into(),
        address: address.parse().unwrap(),
        preference: 10,
    };
    addresses.iter().map(candidate).collect()
}

fn socket(address: &str) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), 25)
}

fn order(addresses: &[&str], failures: &Failures, now: Instant, limit: usize) -> Vec<String> {
    let limits = Limits { addresses: limit, ..Limits::default() };
    let mut failover = Failover::new(candidates(addresses), 25, failures, now, limits);
    std::iter::from_fn(|| failover.next_candidate()).map(|c| c.address.to_string()).collect()
}

#[test]
fn the_limits_are_postfix_s() {
    let limits = Limits::default();
    assert_eq!((limits.addresses, limits.sessions), (5, 2));
}

#[test]
fn candidates_are_tried_in_order_up_to_the_limit() {
    let (failures, now) = (Failures::default(), Instant::now());
    let all = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
    assert_eq!(order(&all, &failures, now, 5), all);
    assert_eq!(order(&all, &failures, now, 2), all[..2]);
    assert!(order(&[], &failures, now, 5).is_empty());
}

#[test]
fn k3_addresses_that_failed_lately_are_tried_last() {
    let (mut failures, now) = (Failures::default(), Instant::now());
    failures.insert(socket("192.0.2.1"), now);
    let all = ["192.0.2.1", "192.0.2.2"];
    assert_eq!(order(&all, &failures, now, 5), ["192.0.2.2", "192.0.2.1"]);
    let later = now + Duration::from_secs(300);
    assert_eq!(order(&all, &failures, later, 5), all);
    failures.remove(socket("192.0.2.1"));
    assert_eq!(order(&all, &failures, now, 5), all);
}

#[test]
fn k3_the_other_family_has_a_turn_even_if_the_first_one_is_long() {
    let (failures, now) = (Failures::default(), Instant::now());
    let all = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1"];
    assert_eq!(order(&all, &failures, now, 2), ["2001:db8::1", "192.0.2.1"]);
    assert_eq!(order(&all, &failures, now, 1), ["2001:db8::1"]);
    assert_eq!(order(&all, &failures, now, 4), all);
}

#[test]
fn a_failure_belongs_to_a_port() {
    let (mut failures, now) = (Failures::default(), Instant::now());
    failures.insert(SocketAddr::new("192.0.2.1".parse().unwrap(), 24), now);
    assert!(!failures.contains(socket("192.0.2.1"), now));
    failures.insert(socket("::ffff:192.0.2.1"), now);
    assert!(failures.contains(socket("192.0.2.1"), now));
}

#[test]
fn after_two_sessions_the_rest_is_not_tried() {
    let (failures, now) = (Failures::default(), Instant::now());
    let all = candidates(&["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    let mut failover = Failover::new(all, 25, &failures, now, Limits::default());
    for _ in 0..2 {
        assert!(failover.next_candidate().is_some());
        failover.offered();
    }
    assert_eq!(failover.next_candidate(), None);
}

#[test]
fn only_so_many_failures_are_remembered_and_the_oldest_goes_first() {
    let now = Instant::now();
    let mut failures = Failures::new(Duration::from_secs(300), 2);
    let at = |seconds| now + Duration::from_secs(seconds);
    failures.insert(socket("192.0.2.1"), at(0));
    failures.insert(socket("192.0.2.2"), at(1));
    failures.insert(socket("192.0.2.2"), at(2));
    failures.insert(socket("192.0.2.3"), at(3));
    let known = |n: u8| failures.contains(SocketAddr::from(([192, 0, 2, n], 25)), at(3));
    assert_eq!([1, 2, 3].map(known), [false, true, true]);
    let mut failures = failures.clone();
    failures.insert(socket("192.0.2.4"), at(1_000));
    assert!(!failures.contains(socket("192.0.2.3"), at(1_000)));
}
