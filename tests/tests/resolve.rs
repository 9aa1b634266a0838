//! The resolver against a name server that answers, lies, and stays silent.
//!
//! Every way in which name service can fail has a test here: only NXDOMAIN and NODATA may ever
//! come out as "does not exist" (`attacks.md` G1).

#![allow(clippy::unwrap_used, reason = "a test")]

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use mailweir::egress::{
    destination::NextHop,
    resolve::{
        Answer, Exchange, Mx, NextHops, Ourselves, Policy, Reach, Resolver, Trouble,
        dns::{DnsResolver, DnsSetupError, NameServers, Settings},
        mx::MAX_HOSTS,
        next_hops,
        table::TableResolver,
    },
};
use mailweir_mail::{Domain, Enhanced};
use mailweir_tests::dns::FakeDns;

#[tokio::test]
async fn records_are_found() {
    let dns = FakeDns::start(
        "example.test MX 10 mx1.example.test
         example.test MX 20 MX2.example.test
         mx1.example.test A 192.0.2.1
         mx1.example.test A 192.0.2.2
         mx1.example.test AAAA 2001:db8::1
         1.2.0.192.in-addr.arpa PTR mx1.example.test",
    )
    .await;
    let resolver = resolver(&dns);
    let Answer::Found(mut exchangers) = resolver.mx(&domain("example.test")).await else {
        panic!("no MX records");
    };
    exchangers.sort_by_key(|mx| mx.preference);
    assert_eq!(exchangers, [mx(10, "mx1.example.test"), mx(20, "mx2.example.test")]);
    let host = domain("mx1.example.test");
    assert_eq!(resolver.a(&host).await.records().len(), 2);
    assert_eq!(resolver.aaaa(&host).await, Answer::Found(vec!["2001:db8::1".parse().unwrap()]));
    let address = IpAddr::from([192, 0, 2, 1]);
    assert_eq!(resolver.ptr(address).await, Answer::Found(vec![host]));
}

#[tokio::test]
async fn both_resolvers_keep_the_contract() {
    let dns = FakeDns::start(
        "example.test MX 10 mx.example.test
         mx.example.test A 192.0.2.1
         mx.example.test AAAA 2001:db8::1
         example.test NS mx.example.test
         1.list.test TXT refused, see example.test
         bare.test EXISTS
         broken.test SERVFAIL
         1.2.0.192.in-addr.arpa PTR mx.example.test",
    )
    .await;
    let (host, v4) = (domain("mx.example.test"), Ipv4Addr::new(192, 0, 2, 1));
    let table = TableResolver::new()
        .mx(domain("example.test"), mx(10, "mx.example.test"))
        .address(host.clone(), v4.into())
        .address(host.clone(), "2001:db8::1".parse().unwrap())
        .ns(domain("example.test"), host.clone())
        .txt(domain("1.list.test"), "refused, see example.test")
        .bare(domain("bare.test"))
        .trouble(domain("broken.test"), Trouble::ServerFailure)
        .ptr(v4.into(), host.clone());
    let resolvers: [&dyn Resolver; 2] = [&resolver(&dns), &table];
    for resolver in resolvers {
        let mx_of = async |name: &str| resolver.mx(&domain(name)).await;
        assert_eq!(mx_of("EXAMPLE.test.").await, Answer::Found(vec![mx(10, "mx.example.test")]));
        assert_eq!(mx_of("mx.example.test").await, Answer::NoRecords);
        assert_eq!(mx_of("bare.test").await, Answer::NoRecords);
        assert_eq!(mx_of("gone.test").await, Answer::NoSuchDomain);
        assert_eq!(mx_of("[192.0.2.1]").await, Answer::NoSuchDomain);
        assert_eq!(mx_of("broken.test").await, Answer::Temporary(Trouble::ServerFailure));
        assert_eq!(resolver.ns(&domain("example.test")).await, Answer::Found(vec![host.clone()]));
        assert_eq!(resolver.ns(&domain("bare.test")).await, Answer::NoRecords);
        let text = resolver.txt(&domain("1.list.test")).await;
        assert_eq!(text, Answer::Found(vec!["refused, see example.test".into()]));
        assert_eq!(resolver.txt(&domain("gone.test")).await, Answer::NoSuchDomain);
        assert_eq!(resolver.a(&host).await, Answer::Found(vec![v4]));
        assert_eq!(resolver.a(&domain("bare.test")).await, Answer::NoRecords);
        assert_eq!(resolver.aaaa(&host).await.records().len(), 1);
        assert_eq!(resolver.ptr(v4.into()).await, Answer::Found(vec![host.clone()]));
        assert_eq!(resolver.ptr(IpAddr::from([192, 0, 2, 2])).await, Answer::NoSuchDomain);
    }
}

#[tokio::test]
async fn g1_a_name_that_does_not_exist_is_told_from_one_without_records() {
    let dns = FakeDns::start(
        "bare.test EXISTS
         sloppy.test NODATA-WITHOUT-SOA
         gone.test NXDOMAIN",
    )
    .await;
    let resolver = resolver(&dns);
    for (name, expected) in [
        ("bare.test", Answer::NoRecords),
        ("sloppy.test", Answer::NoRecords),
        ("gone.test", Answer::NoSuchDomain),
        ("never-mentioned.test", Answer::NoSuchDomain),
    ] {
        assert_eq!(resolver.mx(&domain(name)).await, expected, "{name}");
    }
}

#[tokio::test]
async fn g1_trouble_is_never_read_as_does_not_exist() {
    let dns = FakeDns::start(
        "servfail.test SERVFAIL
         refused.test REFUSED
         formerr.test FORMERR
         notimp.test NOTIMP
         silent.test TIMEOUT
         truncated.test TRUNCATED-FOR-GOOD
         wrong-id.test WRONG-ID
         garbage.test GARBAGE
         referral.test REFERRAL
         loop.test CNAME loop.test
         ring1.test CNAME ring2.test
         ring2.test CNAME ring1.test",
    )
    .await;
    let resolver = impatient(&dns);
    for name in [
        "servfail",
        "refused",
        "formerr",
        "notimp",
        "silent",
        "truncated",
        "wrong-id",
        "garbage",
        "referral",
        "loop",
        "ring1",
    ] {
        let name = domain(&format!("{name}.test"));
        let answers = (resolver.mx(&name).await, resolver.aaaa(&name).await);
        assert!(
            matches!(answers, (Answer::Temporary(_), Answer::Temporary(_))),
            "{name}: {answers:?}"
        );
    }
}

#[tokio::test]
async fn records_of_another_name_are_not_believed() {
    let dns = FakeDns::start("strange.test ABOUT-SOMETHING-ELSE").await;
    let answer = resolver(&dns).a(&domain("strange.test")).await;
    assert!(answer.records().is_empty(), "{answer:?}");
}

#[tokio::test]
async fn g1_the_reason_of_trouble_is_told() {
    let dns = FakeDns::start(
        "servfail.test SERVFAIL
         silent.test TIMEOUT
         referral.test REFERRAL
         loop.test CNAME loop.test",
    )
    .await;
    let silent = impatient(&dns).mx(&domain("silent.test")).await;
    assert_eq!(silent, Answer::Temporary(Trouble::Timeout));
    let resolver = resolver(&dns);
    for (name, trouble) in [
        ("servfail.test", Trouble::ServerFailure),
        ("referral.test", Trouble::Lame),
        ("loop.test", Trouble::AliasLoop),
    ] {
        assert_eq!(resolver.mx(&domain(name)).await, Answer::Temporary(trouble), "{name}");
    }
}

#[tokio::test]
async fn g1_without_any_name_server_nothing_is_known() {
    let dns = FakeDns::start("").await;
    let address = dns.address();
    drop(dns);
    let resolver = resolver_at(NameServers::Listed(vec![address]), 50);
    let answer = resolver.mx(&domain("example.test")).await;
    assert!(matches!(answer, Answer::Temporary(_)), "{answer:?}");
}

#[tokio::test]
async fn a_truncated_answer_is_fetched_by_tcp() {
    let dns = FakeDns::start("long.test TRUNCATED\nlong.test MX 10 mx.long.test").await;
    let answer = resolver(&dns).mx(&domain("long.test")).await;
    assert_eq!(answer, Answer::Found(vec![mx(10, "mx.long.test")]));
    assert_eq!(dns.queries("long.test", "MX"), 2);
}

#[tokio::test]
async fn the_second_name_server_answers_if_the_first_is_silent() {
    let silent = FakeDns::start("example.test TIMEOUT").await;
    let good = FakeDns::start("example.test MX 10 mx.example.test").await;
    let servers = NameServers::Listed(vec![silent.address(), good.address()]);
    let answer = resolver_at(servers, 5_000).mx(&domain("example.test")).await;
    assert_eq!(answer, Answer::Found(vec![mx(10, "mx.example.test")]));
}

#[tokio::test]
async fn aliases_are_followed_to_what_they_lead_to() {
    let dns = FakeDns::start(
        "www.test CNAME middle.test
         middle.test CNAME end.test
         end.test A 192.0.2.7
         dangling.test CNAME nowhere.test
         sloppy.test CNAME bare.test
         bare.test EXISTS",
    )
    .await;
    let resolver = resolver(&dns);
    let address = Ipv4Addr::new(192, 0, 2, 7);
    assert_eq!(resolver.a(&domain("www.test")).await, Answer::Found(vec![address]));
    assert_eq!(resolver.mx(&domain("www.test")).await, Answer::NoRecords);
    assert_eq!(resolver.mx(&domain("sloppy.test")).await, Answer::NoRecords);
    assert_eq!(resolver.a(&domain("dangling.test")).await, Answer::NoSuchDomain);
}

#[tokio::test]
async fn names_are_asked_for_from_the_root_and_literals_not_at_all() {
    let dns = FakeDns::start("host EXISTS").await;
    let resolver = resolver(&dns);
    assert_eq!(resolver.a(&domain("host")).await, Answer::NoRecords);
    assert_eq!(resolver.a(&domain("other")).await, Answer::NoSuchDomain);
    assert_eq!((dns.queries("host", "A"), dns.queries("other", "A")), (1, 1));
    assert_eq!(resolver.a(&domain("[192.0.2.1]")).await, Answer::NoSuchDomain);
    assert_eq!(dns.queries("other", "A") + dns.queries("host", "A"), 2);
}

#[tokio::test]
async fn g6_answers_are_remembered_even_with_a_ttl_of_zero() {
    let dns = FakeDns::start(
        "zero.test 0 A 192.0.2.1
         huge.test 2147483648 A 192.0.2.2
         gone.test NXDOMAIN",
    )
    .await;
    let resolver = resolver(&dns);
    for _ in 0..3 {
        assert_eq!(resolver.a(&domain("zero.test")).await.records().len(), 1);
        assert_eq!(resolver.a(&domain("huge.test")).await.records().len(), 1);
        assert_eq!(resolver.a(&domain("gone.test")).await, Answer::NoSuchDomain);
    }
    assert_eq!(dns.queries("zero.test", "A"), 1);
    assert_eq!(dns.queries("huge.test", "A"), 1);
    assert_eq!(dns.queries("gone.test", "A"), 1);
}

#[tokio::test]
async fn trouble_is_not_remembered() {
    let dns = FakeDns::start("example.test SERVFAIL").await;
    let resolver = resolver(&dns);
    let failed = resolver.mx(&domain("example.test")).await;
    assert_eq!(failed, Answer::Temporary(Trouble::ServerFailure));
    dns.change("example.test MX 10 mx.example.test");
    let found = resolver.mx(&domain("example.test")).await;
    assert_eq!(found, Answer::Found(vec![mx(10, "mx.example.test")]));
}

#[tokio::test]
async fn g6_exchanges_that_are_no_host_names_are_told_apart() {
    let dns = FakeDns::start(
        "null.test MX 0 .
         odd.test MX 10 *.odd.test
         odd2.test MX 10 -x.odd.test",
    )
    .await;
    let resolver = resolver(&dns);
    let exchange = async |name: &str| {
        resolver.mx(&domain(name)).await.records().first().map(|mx| mx.exchange.clone())
    };
    assert_eq!(exchange("null.test").await, Some(Exchange::Null));
    assert!(matches!(exchange("odd.test").await, Some(Exchange::Malformed(_))));
    assert!(matches!(exchange("odd2.test").await, Some(Exchange::Malformed(_))));
}

#[tokio::test]
async fn an_empty_list_of_name_servers_is_refused() {
    let settings = Settings { name_servers: NameServers::Listed(vec![]), ..Settings::default() };
    assert!(matches!(DnsResolver::new(&settings), Err(DnsSetupError::NoNameServers)));
}

#[tokio::test]
async fn mail_goes_to_the_best_exchanger_first_and_to_both_families() {
    let dns = FakeDns::start(
        "example.test MX 20 backup.example.test
         example.test MX 10 mx.example.test
         mx.example.test A 192.0.2.1
         mx.example.test AAAA 2001:db8::1
         backup.example.test A 192.0.2.9",
    )
    .await;
    let hosts = hosts(&dns, "example.test").await;
    let preferences: Vec<u16> = hosts.iter().map(|(_, preference)| *preference).collect();
    assert_eq!(preferences, [10, 10, 20]);
    assert_eq!(hosts[2].0, IpAddr::from([192, 0, 2, 9]));
}

#[tokio::test]
async fn d10_a_thousand_exchangers_cost_few_look_ups() {
    let mut zone = String::new();
    for n in 0..1_000 {
        zone +=
            &format!("many.test MX 10 mx{n}.many.test\nmx{n}.many.test A 198.18.{}.1\n", n % 250);
    }
    let dns = FakeDns::start(&zone).await;
    let hosts = hosts(&dns, "many.test").await;
    assert_eq!(hosts.len(), MAX_HOSTS);
    // The MX records do not fit into a datagram: one question by UDP, one by TCP.
    assert_eq!(dns.queries("many.test", "MX"), 2);
    assert_eq!(dns.all_queries(), 2 + 2 * MAX_HOSTS);
}

#[tokio::test]
async fn d10_mail_does_not_go_where_strangers_point_inward() {
    let dns = FakeDns::start(
        "inward.test MX 10 a.inward.test
         a.inward.test A 127.0.0.1
         private.test MX 10 a.private.test
         a.private.test A 10.0.0.1",
    )
    .await;
    assert_eq!(outcome(&dns, "inward.test").await, (550, Enhanced(5, 4, 4)));
    assert_eq!(outcome(&dns, "private.test").await, (550, Enhanced(5, 4, 4)));
    let policy = Policy { reach: Reach::Private, ..Policy::default() };
    let hop = NextHop::Exchangers(domain("private.test"));
    let hops = next_hops(&resolver(&dns), &hop, &policy, 0).await;
    assert!(matches!(hops, NextHops::Hosts(_)), "{hops:?}");
}

#[tokio::test]
async fn outcomes_without_hosts_have_their_codes() {
    let dns = FakeDns::start(
        "null.test MX 0 .
         broken.test SERVFAIL
         implicit.test A 192.0.2.1
         half.test MX 10 half.test
         half.test A 192.0.2.1
         half.test SERVFAIL AAAA
         dead.test MX 10 gone.dead.test
         shaky.test MX 10 gone.dead.test
         shaky.test MX 10 broken.test
         ours.test MX 10 gate.test
         backup.test MX 10 gone.backup.test
         backup.test MX 20 gate.test",
    )
    .await;
    for (name, expected) in [
        ("null.test", (556, Enhanced(5, 1, 10))), // D11
        ("broken.test", (451, Enhanced(4, 4, 3))),
        ("gone.test", (550, Enhanced(5, 4, 4))),
        ("dead.test", (550, Enhanced(5, 4, 4))),
        ("shaky.test", (451, Enhanced(4, 4, 3))),
        ("ours.test", (554, Enhanced(5, 4, 6))), // D5
        ("backup.test", (451, Enhanced(4, 4, 4))),
    ] {
        assert_eq!(outcome(&dns, name).await, expected, "{name}");
    }
    for name in ["implicit.test", "half.test"] {
        assert_eq!(
            hosts(&dns, name).await,
            [(IpAddr::from([192, 0, 2, 1]), 10 * u16::from(name == "half.test"))]
        );
    }
}

#[tokio::test]
async fn a_fixed_next_hop_may_be_this_machine_and_has_no_mx_look_up() {
    let dns = FakeDns::start(
        "postfix.internal A 10.0.0.1
         postfix.internal MX 10 elsewhere.test",
    )
    .await;
    let resolver = resolver(&dns);
    for (host, address) in
        [("postfix.internal", "10.0.0.1"), ("[127.0.0.1]", "127.0.0.1"), ("::1", "::1")]
    {
        let hop = NextHop::fixed(host).unwrap();
        let hops = next_hops(&resolver, &hop, &Policy::default(), 0).await;
        let NextHops::Hosts(candidates) = hops else { panic!("{host}: {hops:?}") };
        assert_eq!(candidates[0].address, address.parse::<IpAddr>().unwrap());
    }
    let local = NextHop::fixed("localhost").unwrap();
    let hops = next_hops(&resolver, &local, &Policy::default(), 0).await;
    let NextHops::Hosts(candidates) = hops else { panic!("{hops:?}") };
    assert!(candidates.iter().all(|candidate| candidate.address.is_loopback()));
    assert_eq!(dns.queries("postfix.internal", "MX"), 0);
}

fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

fn mx(preference: u16, host: &str) -> Mx {
    Mx { preference, exchange: Exchange::Host(domain(host)) }
}

/// Patient enough for a busy machine.
fn resolver(dns: &FakeDns) -> DnsResolver {
    resolver_at(NameServers::Listed(vec![dns.address()]), 10_000)
}

/// For scenarios that wait for an answer that does not come.
fn impatient(dns: &FakeDns) -> DnsResolver {
    resolver_at(NameServers::Listed(vec![dns.address()]), 300)
}

fn resolver_at(name_servers: NameServers, millis: u64) -> DnsResolver {
    let timeout = Duration::from_millis(millis);
    DnsResolver::new(&Settings { name_servers, timeout, ..Settings::default() }).unwrap()
}

async fn by_mx(dns: &FakeDns, name: &str) -> NextHops {
    let ourselves = Ourselves { names: vec![domain("gate.test")], addresses: vec![] };
    let policy = Policy { ourselves, reach: Reach::Public };
    next_hops(&resolver(dns), &NextHop::Exchangers(domain(name)), &policy, 7).await
}

async fn hosts(dns: &FakeDns, name: &str) -> Vec<(IpAddr, u16)> {
    match by_mx(dns, name).await {
        NextHops::Hosts(hosts) => hosts.iter().map(|c| (c.address, c.preference)).collect(),
        other => panic!("{name}: {other:?}"),
    }
}

async fn outcome(dns: &FakeDns, name: &str) -> (u16, Enhanced) {
    match by_mx(dns, name).await {
        NextHops::Fail { reply } | NextHops::Defer { reply } => {
            (reply.code, reply.enhanced.unwrap())
        }
        NextHops::Hosts(hosts) => panic!("{name}: {hosts:?}"),
    }
}
