//! Rows D5, D10, D11, G1 and K3 of `attacks.md`, as far as answers alone decide them.

use mailweir_mail::Enhanced;
use proptest::prelude::*;

use super::{super::Ourselves, super::Reach, *};

fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

fn mx(preference: u16, host: &str) -> Mx {
    Mx { preference, exchange: Exchange::Host(domain(host)) }
}

fn host(preference: u16, name: &str) -> Host {
    Host { name: domain(name), preference }
}

/// `gate.test` at 198.51.100.1.
fn policy() -> Policy {
    let addresses = vec!["198.51.100.1".parse().unwrap(), "2001:db8:1::1".parse().unwrap()];
    Policy {
        ourselves: Ourselves { names: vec![domain("gate.test")], addresses },
        reach: Reach::Public,
    }
}

fn resolved(preference: u16, name: &str, a: &[&str], aaaa: &[&str]) -> Resolved {
    Resolved { host: host(preference, name), a: found(a), aaaa: found(aaaa) }
}

fn found<T: std::str::FromStr<Err: std::fmt::Debug>>(addresses: &[&str]) -> Answer<T> {
    match addresses {
        [] => Answer::NoRecords,
        some => Answer::Found(some.iter().map(|address| address.parse().unwrap()).collect()),
    }
}

fn missing(preference: u16, name: &str) -> Resolved {
    let host = host(preference, name);
    Resolved { host, a: Answer::NoSuchDomain, aaaa: Answer::NoSuchDomain }
}

fn troubled(preference: u16, name: &str) -> Resolved {
    let aaaa = Answer::Temporary(Trouble::ServerFailure);
    Resolved { host: host(preference, name), a: Answer::Temporary(Trouble::Timeout), aaaa }
}

fn search(answer: &Answer<Mx>) -> Search {
    match exchangers(&domain("example.test"), answer, &policy(), 1) {
        Exchangers::LookUp(search) => search,
        Exchangers::Settled(next_hops) => panic!("{next_hops:?}"),
    }
}

fn settled(answer: &Answer<Mx>) -> String {
    match exchangers(&domain("example.test"), answer, &policy(), 1) {
        Exchangers::LookUp(search) => panic!("{search:?}"),
        Exchangers::Settled(next_hops) => words(&next_hops),
    }
}

fn words(next_hops: &NextHops) -> String {
    match next_hops {
        NextHops::Hosts(hosts) => panic!("{hosts:?}"),
        NextHops::Fail { reply } => format!("bounce {reply}"),
        NextHops::Defer { reply } => format!("defer {reply}"),
    }
}

fn tried(own: Option<u16>, resolved: &[Resolved]) -> NextHops {
    candidates(&domain("example.test"), own, resolved, &policy(), 1)
}

fn addresses_of(next_hops: &NextHops) -> Vec<String> {
    match next_hops {
        NextHops::Hosts(hosts) => hosts.iter().map(|host| host.address.to_string()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn exchangers_are_looked_up_in_order_of_preference() {
    let answer = Answer::Found(vec![mx(30, "c.test"), mx(10, "a.test"), mx(20, "b.test")]);
    let expected = vec![host(10, "a.test"), host(20, "b.test"), host(30, "c.test")];
    assert_eq!(search(&answer), Search { hosts: expected, own_preference: None });
}

#[test]
fn equal_preferences_are_shuffled() {
    let answer = Answer::Found(vec![mx(10, "a.test"), mx(10, "b.test"), mx(10, "c.test")]);
    let first = |seed| match exchangers(&domain("x.test"), &answer, &policy(), seed) {
        Exchangers::LookUp(search) => search.hosts[0].name.clone(),
        Exchangers::Settled(other) => panic!("{other:?}"),
    };
    let all: HashSet<Domain> = (0..50).map(first).collect();
    assert_eq!(all.len(), 3);
}

#[test]
fn g1_only_a_definite_no_records_makes_the_domain_its_own_exchanger() {
    let implicit = search(&Answer::NoRecords);
    assert_eq!(implicit.hosts, [host(0, "example.test")]);
    assert_eq!(
        settled(&Answer::NoSuchDomain),
        "bounce 550 5.4.4 Host or domain name not found. \
         Name service error for name=example.test type=MX: Host not found"
    );
    assert_eq!(
        settled(&Answer::Temporary(Trouble::ServerFailure)),
        "defer 451 4.4.3 Host or domain name not found. Name service error for \
         name=example.test type=MX: Host not found, try again: the name server failed (SERVFAIL)"
    );
}

#[test]
fn g1_every_kind_of_trouble_defers() {
    for trouble in [
        Trouble::ServerFailure,
        Trouble::ErrorCode("Query Refused".into()),
        Trouble::Timeout,
        Trouble::Truncated,
        Trouble::AliasLoop,
        Trouble::Lame,
        Trouble::Network("connection refused".into()),
    ] {
        assert!(settled(&Answer::Temporary(trouble)).starts_with("defer 451 4.4.3 "));
    }
}

#[test]
fn d11_a_null_mx_bounces() {
    let null = Mx { preference: 0, exchange: Exchange::Null };
    assert_eq!(
        settled(&Answer::Found(vec![null.clone()])),
        "bounce 556 5.1.10 Domain example.test does not accept mail (nullMX)"
    );
    let mixed = Answer::Found(vec![null, mx(10, "a.test")]);
    assert_eq!(search(&mixed).hosts, [host(10, "a.test")]);
}

#[test]
fn exchangers_that_are_no_hosts_are_passed_over() {
    let odd = Mx { preference: 0, exchange: Exchange::Malformed("*.test.".into()) };
    let answer = Answer::Found(vec![odd.clone(), mx(5, "192.0.2.1"), mx(10, "a.test")]);
    assert_eq!(search(&answer).hosts, [host(10, "a.test")]);
    for answer in [Answer::Found(vec![odd]), Answer::Found(vec![mx(5, "192.0.2.1")])] {
        assert!(settled(&answer).contains("Malformed or unexpected name server reply"));
    }
}

#[test]
fn d5_we_and_hosts_no_better_than_we_are_go() {
    let answer = Answer::Found(vec![
        mx(10, "best.test"),
        mx(20, "equal.test"),
        mx(20, "GATE.test"),
        mx(30, "worse.test"),
    ]);
    let expected = Search { hosts: vec![host(10, "best.test")], own_preference: Some(20) };
    assert_eq!(search(&answer), expected);
}

#[test]
fn d5_mail_loops_back_if_we_are_best() {
    let loops = "bounce 554 5.4.6 mail for example.test loops back to myself";
    let by_name = Answer::Found(vec![mx(10, "gate.test"), mx(20, "other.test")]);
    assert_eq!(settled(&by_name), loops);
    let by_address = [
        resolved(10, "alias.test", &["198.51.100.1"], &[]),
        resolved(20, "other.test", &["192.0.2.1"], &[]),
    ];
    assert_eq!(words(&tried(None, &by_address)), loops);
    let by_ipv6 = [resolved(0, "example.test", &[], &["2001:db8:1::1"])];
    assert_eq!(words(&tried(None, &by_ipv6)), loops);
    let disguised = [resolved(0, "example.test", &[], &["::ffff:198.51.100.1"])];
    assert_eq!(words(&tried(None, &disguised)), loops);
}

#[test]
fn d5_a_backup_passes_mail_to_better_hosts_only() {
    let hosts = [
        resolved(10, "best.test", &["192.0.2.1"], &[]),
        resolved(20, "alias.test", &["198.51.100.1"], &[]),
        resolved(20, "equal.test", &["192.0.2.2"], &[]),
        resolved(30, "worse.test", &["192.0.2.3"], &[]),
    ];
    assert_eq!(addresses_of(&tried(None, &hosts)), ["192.0.2.1"]);
}

#[test]
fn d5_a_backup_waits_for_a_primary_that_cannot_be_found() {
    let waits = "defer 451 4.4.4 unable to find primary relay for example.test";
    assert_eq!(words(&tried(Some(20), &[missing(10, "best.test")])), waits);
    let hosts = [missing(10, "best.test"), resolved(20, "alias.test", &["198.51.100.1"], &[])];
    assert_eq!(words(&tried(None, &hosts)), waits);
}

#[test]
fn d10_inward_addresses_are_passed_over() {
    let hosts = [
        resolved(10, "a.test", &["127.0.0.1", "10.0.0.1", "0.0.0.0"], &["::1", "fe80::1"]),
        resolved(20, "b.test", &["192.0.2.1"], &[]),
    ];
    assert_eq!(addresses_of(&tried(None, &hosts)), ["192.0.2.1"]);
    assert_eq!(
        words(&tried(None, &[resolved(10, "a.test", &["127.0.0.1"], &[])])),
        "bounce 550 5.4.4 no mail exchanger for example.test has an address that mail may go to: \
         [127.0.0.1]"
    );
}

#[test]
fn d10_a_thousand_exchangers_and_addresses_are_cut_short() {
    let many: Vec<Mx> = (0..1_000).map(|n| mx(10, &format!("mx{n}.test"))).collect();
    assert_eq!(search(&Answer::Found(many)).hosts.len(), MAX_HOSTS);
    let a = Answer::Found((0..4_000).map(|n| Ipv4Addr::from_bits(0xc612_0000 + n)).collect());
    let hosts = [Resolved { host: host(10, "a.test"), a, aaaa: Answer::NoRecords }];
    assert_eq!(addresses_of(&tried(None, &hosts)).len(), MAX_ADDRESSES);
}

#[test]
fn a_host_listed_twice_counts_at_its_best_preference() {
    let answer = Answer::Found(vec![mx(20, "a.test"), mx(10, "A.test."), mx(15, "b.test")]);
    assert_eq!(search(&answer).hosts, [host(10, "a.test"), host(15, "b.test")]);
}

#[test]
fn k3_families_alternate_within_a_preference() {
    let hosts = [
        resolved(10, "a.test", &["192.0.2.1"], &["2001:db8::1", "2001:db8::2"]),
        resolved(10, "b.test", &["192.0.2.2"], &[]),
        resolved(20, "c.test", &[], &["2001:db8::3"]),
    ];
    let order = addresses_of(&tried(None, &hosts));
    let families: Vec<bool> = order.iter().map(|address| address.contains(':')).collect();
    assert!(families[..4].windows(2).all(|pair| pair[0] != pair[1]), "{order:?}");
    assert_eq!(order[4], "2001:db8::3");
}

#[test]
fn a_host_that_cannot_be_looked_up_does_not_hide_the_others() {
    let hosts = [
        troubled(10, "a.test"),
        missing(10, "b.test"),
        resolved(20, "c.test", &["192.0.2.3"], &[]),
    ];
    assert_eq!(addresses_of(&tried(None, &hosts)), ["192.0.2.3"]);
}

#[test]
fn g1_trouble_with_one_host_outweighs_definite_answers_about_others() {
    let hosts = [missing(10, "a.test"), troubled(20, "b.test"), resolved(30, "c.test", &[], &[])];
    assert_eq!(
        words(&tried(None, &hosts)),
        "defer 451 4.4.3 Host or domain name not found. Name service error for \
         name=b.test type=A: Host not found, try again: no name server answered in time"
    );
    let hosts = [resolved(10, "a.test", &["127.0.0.1"], &[]), troubled(20, "b.test")];
    assert!(words(&tried(None, &hosts)).starts_with("defer 451 4.4.3 "));
    let half = Resolved { a: Answer::NoRecords, ..troubled(10, "a.test") };
    assert!(words(&tried(None, &[half])).contains("name=a.test type=AAAA"));
}

#[test]
fn exchangers_without_addresses_bounce() {
    assert_eq!(
        words(&tried(None, &[missing(10, "a.test")])),
        "bounce 550 5.4.4 Host or domain name not found. \
         Name service error for name=a.test type=A: Host not found"
    );
    assert_eq!(
        words(&tried(None, &[resolved(10, "a.test", &[], &[])])),
        "bounce 550 5.4.4 Host or domain name not found. Name service error for \
         name=a.test type=AAAA: Host found but no data record of requested type"
    );
}

#[test]
fn address_literals_stand_for_themselves_unless_they_point_inward() {
    let outcome = |text: &str| {
        let domain = domain(text);
        literal(&domain, domain.literal().unwrap(), &policy())
    };
    assert_eq!(addresses_of(&outcome("[192.0.2.1]")), ["192.0.2.1"]);
    assert_eq!(addresses_of(&outcome("[IPv6:2001:db8::1]")), ["2001:db8::1"]);
    assert!(words(&outcome("[127.0.0.1]")).starts_with("bounce 550 5.4.4 "));
    assert!(words(&outcome("[IPv6:::1]")).starts_with("bounce 550 5.4.4 "));
    assert!(words(&outcome("[198.51.100.1]")).starts_with("bounce 554 5.4.6 "));
}

#[test]
fn a_host_of_a_route_may_be_anywhere() {
    let local = resolved(0, "localhost", &["127.0.0.1"], &["::1"]);
    assert_eq!(addresses_of(&fixed(&local, 1)).len(), 2);
    assert!(words(&fixed(&missing(0, "smart.test"), 1)).starts_with("bounce 550 5.4.4 "));
    assert!(words(&fixed(&troubled(0, "smart.test"), 1)).starts_with("defer 451 4.4.3 "));
    let NextHops::Hosts(hosts) = written("10.0.0.1".parse().unwrap()) else { panic!() };
    assert_eq!((&*hosts[0].name, hosts.len()), ("10.0.0.1", 1));
}

fn any_exchange() -> impl Strategy<Value = Exchange> {
    prop_oneof![
        8 => (0..12_u8).prop_map(|n| Exchange::Host(domain(&format!("mx{n}.test")))),
        1 => Just(Exchange::Host(domain("gate.test"))),
        1 => Just(Exchange::Null),
        1 => Just(Exchange::Malformed("*.".into())),
    ]
}

fn any_answer<T: Clone + std::fmt::Debug>(
    record: impl Strategy<Value = T>,
    most: usize,
) -> impl Strategy<Value = Answer<T>> {
    prop_oneof![
        1 => Just(Answer::NoSuchDomain),
        1 => Just(Answer::NoRecords),
        1 => Just(Answer::Temporary(Trouble::Timeout)),
        4 => prop::collection::vec(record, 1..most).prop_map(Answer::Found),
    ]
}

fn any_v4() -> impl Strategy<Value = Ipv4Addr> {
    prop_oneof![
        6 => (0..40_u8).prop_map(|n| Ipv4Addr::new(192, 0, 2, n)),
        1 => Just(Ipv4Addr::new(198, 51, 100, 1)),
        1 => Just(Ipv4Addr::LOCALHOST),
        1 => Just(Ipv4Addr::new(10, 0, 0, 1)),
    ]
}

fn any_v6() -> impl Strategy<Value = Ipv6Addr> {
    prop_oneof![
        6 => (0..40_u16).prop_map(|n| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n)),
        1 => Just(Ipv6Addr::LOCALHOST),
    ]
}

/// What a host's name leads to.
type Addresses = (Answer<Ipv4Addr>, Answer<Ipv6Addr>);

/// A world: an MX answer, the addresses of whatever it names, and a seed.
fn any_world() -> impl Strategy<Value = (Answer<Mx>, Vec<Addresses>, u64)> {
    let record =
        (0..4_u16, any_exchange()).prop_map(|(preference, exchange)| Mx { preference, exchange });
    let addresses = (any_answer(any_v4(), 8), any_answer(any_v6(), 8));
    (any_answer(record, 40), prop::collection::vec(addresses, MAX_HOSTS), any::<u64>())
}

proptest! {
    #[test]
    fn whatever_the_name_servers_say_the_outcome_is_sound((answer, addresses, seed) in any_world()) {
        let example = domain("example.test");
        let search = match exchangers(&example, &answer, &policy(), seed) {
            Exchangers::LookUp(search) => search,
            Exchangers::Settled(outcome) => {
                let trouble = matches!(answer, Answer::Temporary(_));
                prop_assert_eq!(matches!(outcome, NextHops::Defer { .. }), trouble);
                prop_assert!(!matches!(outcome, NextHops::Hosts(_)));
                return Ok(());
            }
        };
        prop_assert!(!search.hosts.is_empty() && search.hosts.len() <= MAX_HOSTS);
        let resolved: Vec<Resolved> = search.hosts.iter().cloned().zip(addresses)
            .map(|(host, (a, aaaa))| Resolved { host, a, aaaa })
            .collect();
        let outcome = candidates(&example, search.own_preference, &resolved, &policy(), seed);
        let again = candidates(&example, search.own_preference, &resolved, &policy(), seed);
        prop_assert_eq!(&outcome, &again);
        let troubled = resolved.iter().any(|r| trouble(r).is_some());
        match outcome {
            NextHops::Hosts(hosts) => {
                prop_assert!(!hosts.is_empty() && hosts.len() <= MAX_ADDRESSES);
                prop_assert!(hosts.is_sorted_by_key(|host| host.preference));
                for host in &hosts {
                    prop_assert!(Reach::Public.allows(host.address));
                    prop_assert!(!policy().is_our_address(host.address));
                    prop_assert!(search.own_preference.is_none_or(|own| host.preference < own));
                }
                let distinct: HashSet<_> = hosts.iter().map(|host| host.address).collect();
                prop_assert_eq!(distinct.len(), hosts.len());
            }
            NextHops::Fail { reply } => {
                prop_assert!((500..600).contains(&reply.code));
                let loops = reply.enhanced == Some(Enhanced(5, 4, 6));
                prop_assert!(loops || !troubled, "bounced in spite of trouble: {reply}");
            }
            NextHops::Defer { reply } => {
                prop_assert!((400..500).contains(&reply.code));
                prop_assert!(troubled || reply.enhanced == Some(Enhanced(4, 4, 4)), "{reply}");
            }
        }
    }
}
