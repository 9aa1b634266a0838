use std::net::Ipv6Addr;

use super::*;

fn look(name: &str, address: &str) -> Look {
    Look::of(name, address.parse().unwrap())
}

#[test]
fn names_that_people_choose_are_chosen() {
    for (name, address) in [
        ("mail.own.example", "192.0.2.1"),
        ("mx1.own.example", "192.0.2.1"),
        ("mail-ot1-f54.big.example", "209.85.210.54"),
        ("mail-lf1-x12b.big.example", "2a00:1450:4864:20::12b"),
        ("out2-smtp.messaging.example", "203.0.113.2"),
        ("a8-31.smtp-out.cloud.example", "54.240.8.31"),
        ("mta-70-12.bulk.example", "203.0.113.12"),
        ("own.example", "192.0.2.1"),
        ("example", "192.0.2.1"),
        ("", "192.0.2.1"),
        ("mobile2.mail.own.example", "192.0.2.1"),
        ("mx.own.example", "2001:db8::1"),
        ("dsl.own.example", "192.0.2.1"),
        ("mx1234.mail.own.example", "1.2.3.4"),
        ("h0000000000000001.mail.own.example", "2001:db8::1"),
        ("dsl-12.static.provider.example", "192.0.2.1"),
        // Words for lines inside of other words, and names in which they mean something else.
        ("spool1.mail.own.example", "203.0.113.77"),
        ("whirlpool-77.shop.own.example", "203.0.113.77"),
        ("dialysis1.clinic.own.example", "203.0.113.77"),
        ("dialog-113.news.own.example", "203.0.113.77"),
        ("dynamics365-out1.mail.own.example", "203.0.113.77"),
        ("pppl2.lab.own.example", "203.0.113.77"),
        ("resort1.hotel.own.example", "203.0.113.77"),
        ("homer2.simpsons.own.example", "203.0.113.77"),
        ("subway1.food.own.example", "203.0.113.77"),
        ("natalie1.people.own.example", "203.0.113.77"),
        ("cable.news.own.example", "203.0.113.77"),
        ("pool.ntp.own.example", "203.0.113.77"),
        ("dhcp.own.example", "203.0.113.77"),
        ("customer1.mail.own.example", "203.0.113.77"),
        ("nat1.office.own.example", "203.0.113.77"),
        ("users.lists.own.example", "203.0.113.77"),
        // Numbers that are no address.
        ("smtp-113.mail.own.example", "203.0.113.77"),
        ("o1.ptr3404.mail.sender.example", "203.0.113.77"),
        ("mail123.atl11.bulk.example", "203.0.113.77"),
        ("mta77-113.mail.own.example", "203.0.113.77"),
        ("node-20.mx.own.example", "203.0.113.77"),
        ("p1077-ipngn200408.town.provider.example", "203.0.113.77"),
    ] {
        assert_eq!(look(name, address), Look::Chosen, "{name}");
    }
}

#[test]
fn names_with_the_address_in_them_are_generic() {
    for (name, address) in [
        ("203-0-113-77.provider.example", "203.0.113.77"),
        ("77.113.0.203.provider.example", "203.0.113.77"),
        ("ip-203-0-113-77.eu-west-1.compute.cloud.example", "203.0.113.77"),
        ("static.77.113.0.203.clients.hosting.example", "203.0.113.77"),
        ("vps-203-0-113-77.pool.hosting.example", "203.0.113.77"),
        ("h203000113077.provider.example", "203.0.113.77"),
        ("3405803853.provider.example", "203.0.113.77"),
        ("li-cb00714d.members.hosting.example", "203.0.113.77"),
        ("x-113-0-203.provider.example", "203.0.113.77"),
        ("host-203-0-113-77.business.provider.example", "203.0.113.77"),
        ("static-203-0-113-77.cpe.provider.example", "203.0.113.77"),
        ("softbank203000113077.provider.example", "203.0.113.77"),
        ("77.subnet-203-0-113.provider.example", "203.0.113.77"),
        ("vmi203-0-113-77.hosting.cloud.example", "203.0.113.77"),
        ("ec2-203-0-113-77.compute-1.cloud.example", "203.0.113.77"),
        ("2001-db8-0-0-aaaa-bbbb-cccc-dddd.v6.provider.example", "2001:db8::aaaa:bbbb:cccc:dddd"),
        ("20010db800000000aaaabbbbccccdddd.v6.provider.example", "2001:db8::aaaa:bbbb:cccc:dddd"),
        ("2001-db8--aaaa-bbbb-cccc-dddd.v6.provider.example", "2001:db8::aaaa:bbbb:cccc:dddd"),
    ] {
        assert_eq!(look(name, address), Look::Generic, "{name}");
    }
    let nibbles =
        "d.d.d.d.c.c.c.c.b.b.b.b.a.a.a.a.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.provider.example";
    assert_eq!(look(nibbles, "2001:db8::aaaa:bbbb:cccc:dddd"), Look::Generic);
}

#[test]
fn names_of_homes_and_dial_in_lines_are_dynamic() {
    for (name, address) in [
        ("pool-203-0-113-77.nycmny.fios.provider.example", "203.0.113.77"),
        ("c-203-0-113-77.hsd1.ma.provider.example", "203.0.113.77"),
        ("203-0-113-77.dynamic-ip.provider.example", "203.0.113.77"),
        ("cpe-203-0-113-77.socal.res.provider.example", "203.0.113.77"),
        ("pcb00714d.dip0.t-provider.example", "203.0.113.77"),
        ("113-77.dsl.provider.example", "203.0.113.77"),
        ("77.113.broadband.provider.example", "203.0.113.77"),
        ("dhcp-1234.campus.provider.example", "203.0.113.77"),
        ("adsl77.town.provider.example", "203.0.113.77"),
        ("ppp203000113077.access.provider.example", "203.0.113.77"),
        (
            "dynamic-2001-0db8-0000-0000-aaaa-bbbb-cccc-dddd.provider.example",
            "2001:db8::aaaa:bbbb:cccc:dddd",
        ),
        ("pool-203-0-113-77.provider.example.", "::ffff:203.0.113.77"),
        ("modemcable077.113-0-203.mc.provider.example", "203.0.113.77"),
        ("host203-0-113-77.range203-0.provider.example", "203.0.113.77"),
        ("xcb00714d.dyn.provider.example", "203.0.113.77"),
        ("203-0-113-77.ftth.provider.example", "203.0.113.77"),
        ("203.0.113.77.bb.provider.example", "203.0.113.77"),
        ("KD203000113077.ppp-bb.provider.example", "203.0.113.77"),
        ("ip-77-113-0-203.dyn.town.provider.example", "203.0.113.77"),
        ("catv-203-0-113-77.catv.provider.example", "203.0.113.77"),
        ("broadband-203-0-113-77.ip.provider.example", "203.0.113.77"),
        ("h-203-0-113-77.na.cust.provider.example", "203.0.113.77"),
        ("dslb-203-0-113-077.203.000.pools.provider.example", "203.0.113.77"),
        ("bras-base-town-grc-01-3405803853.dsl.provider.example", "203.0.113.77"),
        ("node-1a.pool-203-0.dynamic.provider.example", "203.0.113.77"),
        ("customer-203-0-113-77.provider.example", "203.0.113.77"),
        ("dynamicip-203-0-113-77.provider.example", "203.0.113.77"),
        ("dialup-203-0-113-77.town.provider.example", "203.0.113.77"),
    ] {
        assert_eq!(look(name, address), Look::Dynamic, "{name}");
    }
}

#[test]
fn the_address_of_another_host_says_nothing() {
    assert_eq!(look("198-51-100-1.provider.example", "203.0.113.77"), Look::Chosen);
}

proptest::proptest! {
    #[test]
    fn no_name_makes_it_panic(name in ".{0,300}", address: u128, v4: u32) {
        let _ = Look::of(&name, IpAddr::V6(Ipv6Addr::from_bits(address)));
        let _ = Look::of(&name, IpAddr::V4(Ipv4Addr::from_bits(v4)));
    }
}
