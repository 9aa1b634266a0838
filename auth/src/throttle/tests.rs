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
    assert!(matches!(scene.guess("192.0.2.1", "ann").0, Check::Refused { .. }));
}

#[test]
fn who_begins_to_wait_is_told_once_for_each_pause() {
    let mut scene = Scene::default();
    for i in 0..20 {
        assert_eq!(scene.fail("192.0.2.1", &format!("user{i}")), [], "{i}");
    }
    let pause = Some(Duration::from_secs(30));
    let begins = Counted { who: subject("192.0.2.1"), failures: 21, pause };
    assert_eq!(scene.fail("192.0.2.1", "ann"), [begins]);
    assert_eq!(scene.fail("192.0.2.1", "bob"), [], "an attempt that was under way before");
    scene.wait(60);
    let begins =
        Counted { who: subject("192.0.2.1"), failures: 23, pause: Some(Duration::from_secs(120)) };
    assert_eq!(scene.fail("192.0.2.1", "ann"), [begins]);
}

#[test]
fn the_list_has_everybody_with_failures_and_who_waits_longest_first() {
    let mut scene = Scene::default();
    scene.log_in("192.0.2.9", "bob");
    scene.log_in("192.0.2.9", "eve");
    for _ in 0..21 {
        scene.guess("192.0.2.1", "ann");
    }
    scene.wait(10);
    for i in 0..21 {
        scene.guess("2001:db8::1", &format!("user{}", i % 2));
    }
    scene.guess("192.0.2.9", "bob");
    let list: Vec<_> = scene.listed();
    assert_eq!(list[..3], ["2001:db8::/64 21 30", "192.0.2.1 21 20", "ann 21 20"]);
    assert_eq!(list[3..], ["user0 11 0", "user1 10 0", "bob at 192.0.2.9 1 0"]);
    assert_eq!(scene.throttle.waiting(scene.now), Waiting { addresses: 2, accounts: 1 });
    scene.wait(4 * 3_600);
    assert_eq!(scene.listed(), [""; 0]);
    assert_eq!(scene.throttle.waiting(scene.now), Waiting::default());
}

#[test]
fn a_lift_forgets_the_failures_of_those_who_are_meant() {
    for (whom, left) in [
        (Whom::All, &[][..]),
        (Whom::Network(network("192.0.2.1")), &["ann 21 30", "2001:db8::/64 1 0", "bob 1 0"]),
        (Whom::Network(network("192.0.0.0/16")), &["ann 21 30", "2001:db8::/64 1 0", "bob 1 0"]),
        (Whom::Network(network("::/0")), &["ann 21 30", "bob 1 0"]),
        (Whom::Account(name("ANN")), &["192.0.2.1 21 30", "2001:db8::/64 1 0", "bob 1 0"]),
    ] {
        let mut scene = Scene::default();
        for _ in 0..21 {
            scene.guess("192.0.2.1", "ann");
        }
        scene.guess("2001:db8::1", "bob");
        let before = scene.listed().len();
        let lifted = scene.throttle.lift(scene.now, &whom);
        assert_eq!(scene.listed(), left, "{whom:?}");
        assert_eq!(lifted, before - left.len(), "{whom:?}");
        assert_eq!(scene.throttle.lift(scene.now, &whom), 0, "{whom:?}");
    }
}

#[test]
fn a_lift_for_one_ipv6_address_is_one_for_its_network_and_the_familiar_stay_familiar() {
    let mut scene = Scene::default();
    scene.log_in("2001:db8::1", "ann");
    for i in 0..21 {
        scene.guess("2001:db8::1", "ann");
        scene.guess("2001:db8::2", &format!("user{i}"));
    }
    scene.guess("2001:db8::1", "ann").expect_pause(30);
    assert_eq!(scene.throttle.lift(scene.now, &Whom::Network(network("2001:db8::7"))), 2);
    for i in 0..21 {
        scene.guess("2001:db8::2", &format!("user{i}")).expect_allowed();
    }
    scene.guess("2001:db8::1", "bob").expect_pause(30);
    scene.guess("2001:db8::1", "ann").expect_allowed();
}

#[test]
fn an_exempt_address_does_not_wait_and_the_accounts_tried_from_it_do() {
    let mut scene = Scene::default();
    let exempt = vec![network("192.0.2.0/24")];
    scene.throttle = Throttle::new(ThrottleLimits { exempt, ..ThrottleLimits::default() });
    for i in 0..100 {
        scene.guess("192.0.2.1", &format!("user{i}")).expect_allowed();
    }
    for _ in 0..21 {
        scene.guess("::ffff:192.0.2.1", "ann").expect_allowed();
    }
    scene.guess("192.0.2.1", "ann").expect_pause(30);
    assert_eq!(scene.throttle.waiting(scene.now), Waiting { addresses: 0, accounts: 1 });
}

proptest! {
    /// The list is what `check` goes by: who is refused stands in it with that pause, who waits in
    /// it is refused, and who is lifted is in it no more and changes nothing for the others.
    #[test]
    fn the_list_and_the_check_agree(acts in prop::collection::vec(act(), 1..300), whom in whom()) {
        let mut scene = Scene::small();
        for act in acts {
            scene.act(&act);
            scene.expect_list_as_checked()?;
        }
        let before = scene.throttle.list(scene.now);
        let lifted = scene.throttle.lift(scene.now, &whom);
        let is_meant = |counted: &&Counted| match (&whom, &counted.who) {
            (Whom::All, _) => true,
            (Whom::Network(meant), Subject::Address(network) | Subject::Familiar(network, _)) => {
                meant == network
            }
            (Whom::Account(meant), Subject::Account(name) | Subject::Familiar(_, name)) => {
                meant == name
            }
            _ => false,
        };
        let (gone, left): (Vec<_>, Vec<_>) = before.iter().partition(is_meant);
        prop_assert_eq!(lifted, gone.len());
        let after = scene.throttle.list(scene.now);
        prop_assert_eq!(after.iter().collect::<Vec<_>>(), left);
        scene.expect_list_as_checked()?;
    }

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

/// What may happen to a throttle.
#[derive(Clone, Debug)]
enum Act {
    Guess(usize, usize),
    LogIn(usize, usize),
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let pair = || (0..ADDRESSES.len(), 0..ACCOUNTS.len());
    prop_oneof![
        8 => pair().prop_map(|(address, account)| Act::Guess(address, account)),
        1 => pair().prop_map(|(address, account)| Act::LogIn(address, account)),
        1 => prop_oneof![0_u64..60, 0_u64..40_000].prop_map(Act::Wait),
    ]
}

fn whom() -> impl Strategy<Value = Whom> {
    let address = prop::sample::select(&ADDRESSES[..]);
    let account = prop::sample::select(&ACCOUNTS[..]);
    prop_oneof![
        Just(Whom::All),
        address.prop_map(|text| Whom::Network(network(text))),
        account.prop_map(|text| Whom::Account(name(text))),
    ]
}

const ADDRESSES: [&str; 3] = ["192.0.2.1", "192.0.2.2", "198.51.100.1"];
const ACCOUNTS: [&str; 3] = ["ann", "bob", "carl"];

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
    /// With few failures for free, and short memories.
    fn small() -> Self {
        let limits = ThrottleLimits::default();
        let per_account = Limit { free: 3, ..limits.per_account };
        Self {
            throttle: Throttle::new(ThrottleLimits {
                per_address: Limit { free: 4, ..limits.per_address },
                per_account,
                per_familiar: Limit { free: 2, ..per_account },
                familiar_for: Duration::from_secs(50_000),
                ..limits
            }),
            now: Instant::now(),
        }
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Guess(address, account) => drop(self.guess(ADDRESSES[address], ACCOUNTS[account])),
            Act::LogIn(address, account) => self.log_in(ADDRESSES[address], ACCOUNTS[account]),
            Act::Wait(seconds) => self.wait(seconds),
        }
    }

    fn expect_list_as_checked(&self) -> Result<(), TestCaseError> {
        let list = self.throttle.list(self.now);
        prop_assert!(list.is_sorted_by_key(|counted| std::cmp::Reverse(counted.pause)));
        let pause = |who: &Subject| list.iter().find(|it| it.who == *who).and_then(|it| it.pause);
        for (address, account) in ADDRESSES.iter().flat_map(|a| ACCOUNTS.map(|b| (*a, b))) {
            let (from, user) = (network(address), name(account));
            let strange =
                pause(&Subject::Address(from)).max(pause(&Subject::Account(user.clone())));
            let is_familiar = self.throttle.familiar_pair(self.now, from, &user).is_some();
            let listed = match is_familiar {
                true => pause(&Subject::Familiar(from, user)),
                false => strange,
            };
            let checked = match self.expect(address, account).0 {
                Check::Refused { until } => Some(until - self.now),
                Check::Allowed | Check::AllowedAlone(_) => None,
            };
            prop_assert_eq!(checked, listed, "{} {}", address, account);
        }
        let waiting = self.throttle.waiting(self.now);
        let waits = list.iter().filter(|counted| counted.pause.is_some()).count();
        prop_assert_eq!(waiting.addresses + waiting.accounts, waits);
        Ok(())
    }

    /// `who failures seconds` for each line of the list.
    fn listed(&self) -> Vec<String> {
        let line = |counted: &Counted| {
            let seconds = counted.pause.unwrap_or_default().as_secs();
            format!("{} {} {seconds}", counted.who, counted.failures)
        };
        self.throttle.list(self.now).iter().map(line).collect()
    }

    /// A wrong password, if the attempt is allowed.
    fn guess(&mut self, address: &str, account: &str) -> Answer {
        let answer = self.expect(address, account);
        if !matches!(answer.0, Check::Refused { .. }) {
            self.fail(address, account);
        }
        answer
    }

    /// A wrong password that was allowed before.
    fn fail(&mut self, address: &str, account: &str) -> Vec<Counted> {
        self.throttle.failed(self.now, ip(address), &name(account))
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
        assert!(!matches!(self.0, Check::Refused { .. }), "{:?}", self.0);
    }

    #[track_caller]
    fn expect_pause(&self, seconds: u64) {
        assert_eq!(self.0, Check::Refused { until: self.1 + Duration::from_secs(seconds) });
    }
}

fn subject(address: &str) -> Subject {
    Subject::Address(network(address))
}

fn network(text: &str) -> Network {
    text.parse().unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn name(text: &str) -> UserName {
    text.parse().unwrap()
}
