//! Attacks on passwords, and people who share an address with attackers (`attacks.md` C2).

use proptest::prelude::*;

use super::{tally::MAX_ENTRIES, *};

#[test]
fn c2_the_limits_are_on_by_default_and_the_pauses_double() {
    let mut scene = Scene::default();
    for _ in 0..20 {
        scene.guess("192.0.2.1", "ann").expect_allowed();
    }
    scene.guess("192.0.2.1", "ann").expect_allowed();
    scene.guess("192.0.2.1", "ann").expect_pause(30);
    scene.wait(30);
    scene.guess("192.0.2.1", "ann").expect_allowed();
    scene.guess("192.0.2.1", "ann").expect_pause(60);
    scene.wait(60);
    scene.guess("192.0.2.1", "ann").expect_allowed();
    scene.guess("192.0.2.1", "ann").expect_pause(120);
}

#[test]
fn c2_one_address_that_tries_many_accounts_is_stopped() {
    let mut scene = Scene::default();
    for i in 0..21 {
        scene.guess("192.0.2.1", &format!("user{i}")).expect_allowed();
    }
    scene.guess("192.0.2.1", "nobody-yet").expect_pause(30);
    scene.guess("192.0.2.2", "nobody-yet").expect_allowed();
}

#[test]
fn c2_many_addresses_that_try_one_account_are_stopped() {
    let mut scene = Scene::default();
    for i in 0..21 {
        scene.guess(&format!("192.0.2.{i}"), "ann").expect_allowed();
    }
    scene.guess("198.51.100.1", "ann").expect_pause(30);
    scene.guess("198.51.100.1", "bob").expect_allowed();
}

#[test]
fn c2_an_ipv6_network_is_one_address_and_so_is_an_ipv4_address_in_ipv6_clothes() {
    let mut scene = Scene::default();
    for i in 0..21 {
        scene.guess(&format!("2001:db8::{i}"), &format!("user{i}")).expect_allowed();
    }
    scene.guess("2001:db8::ffff:1", "ann").expect_pause(30);
    scene.guess("2001:db8:0:1::1", "ann").expect_allowed();
    for i in 0..21 {
        scene.guess("::ffff:192.0.2.1", &format!("user{i}"));
    }
    scene.guess("192.0.2.1", "ann").expect_pause(30);
}

#[test]
fn strangers_cannot_lock_a_familiar_user_out() {
    let mut scene = Scene::default();
    scene.log_in("192.0.2.1", "ann");
    for i in 0..21 {
        scene.guess(&format!("198.51.100.{i}"), "ann");
        scene.guess("192.0.2.1", &format!("neighbour{i}"));
    }
    scene.guess("203.0.113.1", "ann").expect_pause(30);
    scene.guess("192.0.2.1", "bob").expect_pause(30);
    scene.expect("192.0.2.1", "ann").expect_allowed();
}

#[test]
fn c2_a_familiar_user_has_limits_too() {
    let mut scene = Scene::default();
    scene.log_in("192.0.2.1", "ann");
    for _ in 0..21 {
        scene.guess("192.0.2.1", "ann").expect_allowed();
    }
    scene.guess("192.0.2.1", "ann").expect_pause(30);
    scene.wait(30);
    scene.log_in("192.0.2.1", "ann");
    scene.guess("192.0.2.1", "ann").expect_allowed();
}

#[test]
fn c2_an_attacker_with_an_account_of_his_own_buys_no_guesses_with_it() {
    let mut scene = Scene::default();
    for i in 0..21 {
        scene.guess("192.0.2.1", &format!("user{i}")).expect_allowed();
        scene.log_in("192.0.2.1", "mallory");
    }
    scene.guess("192.0.2.1", "ann").expect_pause(30);
}

#[test]
fn familiarity_and_failures_are_forgotten_in_time() {
    let mut scene = Scene::default();
    scene.log_in("192.0.2.1", "ann");
    scene.wait(30 * 86_400);
    for i in 0..21 {
        scene.guess(&format!("198.51.100.{i}"), "ann");
    }
    scene.guess("192.0.2.1", "ann").expect_pause(30);
    scene.wait(4 * 3_600);
    for _ in 0..21 {
        scene.guess("192.0.2.1", "ann").expect_allowed();
    }
}

#[test]
fn c2_a_flood_of_addresses_and_names_costs_bounded_memory_and_frees_no_offender() {
    let mut scene = Scene::default();
    for _ in 0..21 {
        scene.guess("192.0.2.1", "ann");
    }
    for i in 0..3 * MAX_ENTRIES as u32 {
        scene.now += Duration::from_nanos(1);
        let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + i).to_string();
        scene.guess(&address, &format!("user{i}"));
        scene.log_in(&address, &format!("user{i}"));
    }
    let throttle = &scene.throttle;
    for len in [throttle.addresses.len(), throttle.accounts.len(), throttle.familiar.len()] {
        assert!((MAX_ENTRIES / 2..=MAX_ENTRIES).contains(&len), "{len}");
    }
    assert_ne!(scene.guess("192.0.2.1", "ann").0, Check::Allowed);
}

proptest! {
    #[test]
    fn no_pause_is_longer_than_the_longest(attempts in prop::collection::vec(0_u64..100_000, 1..200)) {
        let mut scene = Scene::default();
        for wait in attempts {
            scene.wait(wait);
            if let Answer(Check::Refused { until }, now) = scene.guess("192.0.2.1", "ann") {
                prop_assert!(until - now <= Duration::from_secs(3_600));
            }
        }
    }
}

/// A throttle and a clock that moves when told to.
struct Scene {
    throttle: Throttle,
    now: Instant,
}

impl Default for Scene {
    fn default() -> Self {
        Self { throttle: Throttle::default(), now: Instant::now() }
    }
}

impl Scene {
    /// A wrong password, if the attempt is allowed.
    fn guess(&mut self, address: &str, account: &str) -> Answer {
        let answer = self.expect(address, account);
        if answer.0 == Check::Allowed {
            self.throttle.failed(self.now, ip(address), &name(account));
        }
        answer
    }

    fn log_in(&mut self, address: &str, account: &str) {
        self.throttle.succeeded(self.now, ip(address), &name(account));
    }

    fn expect(&self, address: &str, account: &str) -> Answer {
        Answer(self.throttle.check(self.now, ip(address), &name(account)), self.now)
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }
}

struct Answer(Check, Instant);

impl Answer {
    #[track_caller]
    fn expect_allowed(&self) {
        assert_eq!(self.0, Check::Allowed);
    }

    #[track_caller]
    fn expect_pause(&self, seconds: u64) {
        assert_eq!(self.0, Check::Refused { until: self.1 + Duration::from_secs(seconds) });
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn name(text: &str) -> UserName {
    text.parse().unwrap()
}
