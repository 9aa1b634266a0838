use mailweir_tables::keys::Extensions;

use super::{super::testing::*, *};

fn transports(lines: &str) -> RoutingRules {
    let addressing = Addressing { extensions: Extensions::new("+"), ..Addressing::default() };
    RoutingRules { addressing, transport: map(lines), ..RoutingRules::default() }
}

fn by(rules: &RoutingRules, recipient: &str) -> String {
    let routed = now(rules.transport(&address(recipient), &NoRemote)).unwrap();
    routed.map_or_else(|| "none".to_owned(), |routed| routed.value.to_string())
}

#[test]
fn a_transport_is_found_by_address_domain_parent_and_star() {
    let rules = transports(
        "joe+x@a.test  smtp:[ext]\njoe@a.test  smtp:[joe]\na.test  lmtp:unix:/run/a\n\
         .a.test  relay:[below]:26\n*  smtp:[rest]\n",
    );
    assert_eq!(by(&rules, "joe+x@a.test"), "smtp:[ext]");
    assert_eq!(by(&rules, "Joe+y@a.test"), "smtp:[joe]");
    assert_eq!(by(&rules, "jane@A.test"), "lmtp:unix:/run/a");
    assert_eq!(by(&rules, "jane@b.c.a.test"), "relay:[below]:26");
    assert_eq!(by(&rules, "jane@other.test"), "smtp:[rest]");
    let rules = RoutingRules { bare_parents: true, ..transports("a.test  smtp:[bare]\n") };
    assert_eq!(by(&rules, "jane@b.a.test"), "smtp:[bare]");
    assert_eq!(by(&rules, "jane@ba.test"), "none");
}

#[test]
fn the_first_entry_of_the_manual_wins_over_the_star() {
    let rules = transports("my.test  :\n.my.test  :\n*  smtp:outbound-relay.my.test\n");
    assert_eq!(by(&rules, "u@my.test"), ":");
    assert_eq!(by(&rules, "u@x.test"), "smtp:outbound-relay.my.test");
}

#[test]
fn who_has_moved_is_found_by_address_or_domain() {
    let relocated = map("gone@a.test  new@b.test, or call 555\n@closed.test  nowhere\n");
    let rules = RoutingRules { relocated, ..RoutingRules::default() };
    let moved = |text| now(rules.moved(&address(text), &NoRemote)).unwrap();
    let gone = moved("gone@a.test").unwrap();
    assert_eq!((&*gone.value, gone.place.line), ("new@b.test, or call 555", Some(1)));
    assert_eq!(&*moved("x@closed.test").unwrap().value, "nowhere");
    assert_eq!(moved("x@a.test"), None);
}

#[test]
fn relays_go_by_the_sender_unless_the_table_does_not_know() {
    let sender_relayhost =
        map("joe@a.test  [joe.test]:587\nown@a.test  dunno\n@a.test  [a.test]\n<> [null.test]\n");
    let rules = RoutingRules { sender_relayhost, ..RoutingRules::default() };
    let relay = |sender: ReversePath| {
        let routed = now(rules.relayhost(&sender, &NoRemote)).unwrap();
        routed.map(|routed| routed.value.into_string())
    };
    let of = |text| relay(ReversePath::Mailbox(address(text)));
    assert_eq!(of("joe@a.test").as_deref(), Some("[joe.test]:587"));
    assert_eq!(of("jane@a.test").as_deref(), Some("[a.test]"));
    assert_eq!(of("own@a.test"), None);
    assert_eq!(of("joe@b.test"), None);
    assert_eq!(relay(ReversePath::Null).as_deref(), Some("[null.test]"));
}

#[test]
fn the_default_transport_goes_by_the_sender_too() {
    let sender_transport = map("@a.test  slow:\n");
    let rules = RoutingRules { sender_transport, ..RoutingRules::default() };
    let sender = ReversePath::Mailbox(address("joe@a.test"));
    let routed = now(rules.default_transport(&sender, &NoRemote)).unwrap().unwrap();
    assert_eq!(routed.value, Transport::parse("slow:").unwrap());
}

#[test]
fn a_table_that_cannot_tell_makes_the_mail_wait() {
    let fails = Maps::from(vec![table("fail:broken")]);
    let rules =
        RoutingRules { transport: fails.clone(), relocated: fails, ..RoutingRules::default() };
    assert!(now(rules.transport(&address("a@x.test"), &NoRemote)).is_err());
    assert!(now(rules.moved(&address("a@x.test"), &NoRemote)).is_err());
}
