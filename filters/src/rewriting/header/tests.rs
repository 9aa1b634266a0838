use mailweir_mail::Domain;
use proptest::prelude::*;

use super::{
    super::{Addressing, Classes, Maps, Masquerade, testing::*},
    *,
};

fn rules(lines: &str) -> RewritingRules {
    let addressing =
        Addressing { origin: Some(Domain::parse("our.test").unwrap()), ..Addressing::default() };
    let mut rules = RewritingRules { addressing, ..RewritingRules::default() };
    rules.canonical.maps = map(lines);
    rules
}

fn header(rules: &RewritingRules, raw: &str) -> String {
    let mut decisions = Decisions::default();
    let after = now(rewrite_header(rules, raw.as_bytes(), &NoRemote, &mut decisions)).unwrap();
    String::from_utf8(after.unwrap_or_else(|| raw.into())).unwrap()
}

#[test]
fn only_the_bytes_of_an_address_change() {
    let rules = rules("joe@our.test  Joe.Doe@x.test\njane@our.test  jane.roe@our.test\n");
    let raw = "TO: =?utf-8?B?7ZmN?= (friend, joe@our.test)\r\n \t<joe@our.test> ,\r\n\
               \t\"Roe, Jane\"  < jane (work) @ our.test >;(end)\r\n";
    let expected = "TO: =?utf-8?B?7ZmN?= (friend, joe@our.test)\r\n \t<Joe.Doe@x.test> ,\r\n\
                    \t\"Roe, Jane\"  < jane.roe (work) @ our.test >;(end)\r\n";
    assert_eq!(header(&rules, raw), expected);
}

#[test]
fn a_local_part_alone_is_completed_to_be_looked_up_and_else_stays() {
    let rules = rules("root@our.test  admin@our.test\n");
    assert_eq!(header(&rules, "From: root\r\n"), "From: admin@our.test\r\n");
    assert_eq!(header(&rules, "From: other\r\n"), "From: other\r\n");
    assert_eq!(header(&rules, "From: root rooter\r\n"), "From: root rooter\r\n", "a name");
}

#[test]
fn routes_groups_and_literals_are_understood() {
    let rules = rules("a@x.test  b@y.test\na@[192.0.2.1] c@z.test\n");
    let raw = "Cc: Team: <@r.test:a@x.test>, A <a@[192.0.2.1]>;, a@x.test\n";
    let expected = "Cc: Team: <@r.test:b@y.test>, A <c@z.test>;, b@y.test\n";
    assert_eq!(header(&rules, raw), expected);
}

#[test]
fn quotes_that_mean_nothing_are_kept_where_the_name_is() {
    let rules = rules("joe@x.test  joe@y.test\n\"a b\"@x.test \"c d\"@x.test\n");
    assert_eq!(header(&rules, "To: \"joe\"@x.test"), "To: \"joe\"@y.test");
    assert_eq!(header(&rules, "To: \"a b\"@x.test"), "To: \"c d\"@x.test");
}

#[test]
fn senders_and_recipients_have_their_own_maps() {
    let mut rules = rules("");
    rules.sender_canonical.maps = map("a@x.test sender@x.test\n");
    rules.recipient_canonical.maps = map("a@x.test recipient@x.test\n");
    for name in SENDER_FIELDS {
        assert_eq!(header(&rules, &format!("{name}: a@x.test")), format!("{name}: sender@x.test"));
    }
    for name in RECIPIENT_FIELDS {
        let expected = format!("{name} : recipient@x.test");
        assert_eq!(header(&rules, &format!("{name} : a@x.test")), expected);
    }
    for name in ["Subject", "Message-Id", "Received", "List-Post", "Fromm"] {
        let raw = format!("{name}: a@x.test");
        assert_eq!(header(&rules, &raw), raw);
    }
    rules.recipient_canonical.classes = Classes { header_recipient: false, ..Classes::ALL };
    assert_eq!(header(&rules, "To: a@x.test"), "To: a@x.test");
}

#[test]
fn masquerading_changes_the_domain_alone() {
    let mut rules = rules("");
    rules.masquerade = Masquerade::default().domain("our.test");
    let raw = "From: \"J\" <\"j\\d\"@host(x).our.test> \r\n";
    assert_eq!(header(&rules, raw), raw, "a comment between the words of a domain: left alone");
    let raw = "From: \"J\" <\"j\\d\"@host.our.test> \r\n";
    assert_eq!(header(&rules, raw), "From: \"J\" <\"j\\d\"@our.test> \r\n");
}

#[test]
fn generic_maps_are_asked_once_in_header_and_envelope() {
    let maps = map("his@localdomain.test  hisaccount@hisisp.test\n\
                    hisaccount@hisisp.test never@x.test\n@localdomain.test local@hisisp.test\n");
    let generic = GenericRules { maps, ..GenericRules::default() };
    let mut decisions = Decisions::default();
    let his = address("his@localdomain.test");
    let after = now(generic.address(&his, &NoRemote, &mut decisions)).unwrap();
    assert_eq!(after, Some(address("hisaccount@hisisp.test")));
    let raw = b"From: He <his@localdomain.test>, it@localdomain.test";
    let after = now(generic.header(raw, &NoRemote, &mut decisions)).unwrap().unwrap();
    assert_eq!(&after[..], b"From: He <hisaccount@hisisp.test>, local@hisisp.test");
    assert_eq!(decisions.kept().len(), 3);
    assert_eq!(
        now(generic.header(b"Subject: his@localdomain.test", &NoRemote, &mut decisions)),
        Ok(None)
    );
}

#[test]
fn addresses_beyond_the_limit_stay_as_they_are() {
    let mut rules = rules("a@x.test  b@x.test\n");
    let raw = format!("To: {}", "a@x.test, ".repeat(500_000));
    let after = header(&rules, &raw);
    assert_eq!(after.matches("b@x.test").count(), 2_560);
    assert_eq!(after.replace("b@", "a@"), raw);
    rules.header_address_token_limit = 4;
    assert_eq!(header(&rules, "To: a@x.test, a@x.test"), "To: b@x.test, a@x.test");
}

#[test]
fn a_table_that_cannot_tell_makes_the_mail_wait() {
    let mut rules = rules("");
    rules.canonical.maps = Maps::from(vec![table("fail:broken")]);
    let mut decisions = Decisions::default();
    let result = now(rewrite_header(&rules, b"To: a@x.test", &NoRemote, &mut decisions));
    assert!(matches!(result, Err(RewriteError::Lookup(_))));
}

fn any_header() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"a@x.test".to_vec()),
        Just(b"<a@x.test>".to_vec()),
        Just(b"\r\n\t".to_vec()),
        prop::collection::vec(
            prop_oneof![prop::sample::select(&b"a@x<>,;:()[]\"\\. "[..]), any::<u8>()],
            0..6
        ),
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| {
        let mut raw = b"To:".to_vec();
        raw.extend(pieces.concat());
        raw
    })
}

proptest! {
    #[test]
    fn without_a_hit_no_byte_changes(raw in any_header()) {
        let rules = rules("nobody@nowhere.test b@x.test\n");
        let mut decisions = Decisions::default();
        let after = now(rewrite_header(&rules, &raw, &NoRemote, &mut decisions));
        prop_assert_eq!(after, Ok(None));
    }

    #[test]
    fn with_a_hit_only_the_address_changes(raw in any_header()) {
        let rules = rules("a@x.test  bb@x.test\n");
        let mut decisions = Decisions::default();
        let after = now(rewrite_header(&rules, &raw, &NoRemote, &mut decisions)).unwrap();
        let after = after.unwrap_or_else(|| raw.clone());
        let (outside, inside) = divided(&raw);
        let (outside_after, inside_after) = divided(&after);
        prop_assert_eq!(outside, outside_after);
        prop_assert_eq!(inside.len(), inside_after.len());
        for (old, new) in inside.iter().zip(&inside_after) {
            // The tables fold case, and the dot of the root is no part of a key.
            let is_hit = old.as_ref().is_some_and(|(local, domain)| {
                let domain = domain.as_deref().unwrap_or_default();
                let domain = domain.strip_suffix('.').unwrap_or(domain);
                local.eq_ignore_ascii_case("a") && domain.eq_ignore_ascii_case("x.test")
            });
            let bb = Some(("bb".to_owned(), Some("x.test".to_owned())));
            prop_assert_eq!(new, if is_hit { &bb } else { old });
        }
    }
}

type Meant = Option<(String, Option<String>)>;

/// The bytes that are part of no address, and the addresses.
fn divided(raw: &[u8]) -> (Vec<u8>, Vec<Meant>) {
    let (_, body) = name_and_body(raw).unwrap();
    let (mut outside, mut inside, mut from) = (Vec::new(), Vec::new(), 0);
    for spec in AddressList::new(body, Words::AreNames, 10_240) {
        inside.push(spec.read(body));
        for range in [Some(spec.local), spec.domain].into_iter().flatten() {
            outside.extend_from_slice(&body[from..range.start]);
            from = range.end;
        }
    }
    outside.extend_from_slice(&body[from..]);
    (outside, inside)
}
