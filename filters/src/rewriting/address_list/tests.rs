use proptest::prelude::*;

use super::*;

fn addresses(text: &str) -> Vec<String> {
    limited(text, 10_240)
}

fn limited(text: &str, limit: usize) -> Vec<String> {
    AddressList::new(text.as_bytes(), Words::AreNames, limit)
        .map(|spec| in_text(&spec, text))
        .collect()
}

fn in_text(spec: &AddrSpec, text: &str) -> String {
    let end = spec.domain.as_ref().map_or(spec.local.end, |domain| domain.end);
    text[spec.local.start..end].to_owned()
}

fn read(text: &str) -> Option<(String, Option<String>)> {
    let mut list = AddressList::new(text.as_bytes(), Words::AreNames, 100);
    list.next().and_then(|spec| spec.read(text.as_bytes()))
}

#[test]
fn addresses_stand_alone_in_angle_brackets_and_in_groups() {
    assert_eq!(addresses(" joe@x.example\r\n"), ["joe@x.example"]);
    assert_eq!(addresses(" Joe Q. Public <joe@x.example>, <a@b>"), ["joe@x.example", "a@b"]);
    assert_eq!(addresses("\"Public, Joe\" <joe@x>,\r\n\tk@y"), ["joe@x", "k@y"]);
    assert_eq!(addresses("Team: a@x, Bo <b@y>; , c@z"), ["a@x", "b@y", "c@z"]);
    assert_eq!(addresses("undisclosed-recipients:;"), [""; 0]);
    assert_eq!(addresses("=?utf-8?B?7ZmN?= <hong@x>"), ["hong@x"]);
}

#[test]
fn comments_hide_addresses_and_routes_are_passed_over() {
    assert_eq!(addresses("a@x (not b@y, (or c@z)), d@w"), ["a@x", "d@w"]);
    assert_eq!(addresses("a@x (a \\) b@y)"), ["a@x"]);
    assert_eq!(addresses("<@r1.example,@r2.example:joe@x.example>"), ["joe@x.example"]);
    assert_eq!(addresses("joe@[192.0.2.1], k@[IPv6:2001:db8::1]").len(), 2);
}

#[test]
fn quotes_and_white_space_are_no_part_of_what_is_meant() {
    let of = |local: &str, domain: &str| Some((local.to_owned(), Some(domain.to_owned())));
    assert_eq!(read("\"john doe\"@x"), of("john doe", "x"));
    assert_eq!(read("\"a\\\"b\"@x"), of("a\"b", "x"));
    assert_eq!(read("\"a\\(b\"@x"), of("a(b", "x"));
    assert_eq!(read("joe . doe @ x . example"), of("joe.doe", "x.example"));
    assert_eq!(read("joe(the one)@x"), of("joe", "x"));
    assert_eq!(read("joe.(the one)doe@x"), None);
    assert_eq!(read("root"), Some(("root".to_owned(), None)));
}

#[test]
fn what_is_broken_is_left_out_and_what_follows_a_comma_is_not() {
    for broken in ["a@b@c", "@x", "a@", "<a@b", "<a@b> >", "<>", "John Doe", ")", "a\\"] {
        assert_eq!(addresses(broken), [""; 0], "{broken}");
        assert_eq!(addresses(&format!("{broken}, ok@x")), ["ok@x"], "{broken}");
    }
    for open in ["\"a@x, b@y", "(a@x, b@y", "a@[1.2, b@y", "<a@x> (", "\"a\\"] {
        assert_eq!(addresses(open), [""; 0], "{open}");
    }
}

#[test]
fn where_a_comma_is_missing_there_are_two_addresses() {
    assert_eq!(addresses("a@x b@y"), ["a@x", "b@y"]);
    assert_eq!(addresses("<a@x> <b@y> c@z"), ["a@x", "b@y", "c@z"]);
    assert_eq!(addresses("a@x b <c@z>"), ["c@z"]);
    assert_eq!(addresses("<a@x> Joe Public"), ["a@x"]);
    assert_eq!(addresses("a b@x"), ["b@x"]);
    let values = |text: &str| -> Vec<_> {
        let list = AddressList::new(text.as_bytes(), Words::AreAddresses, 100);
        list.map(|spec| in_text(&spec, text)).collect()
    };
    assert_eq!(values("joe jane, bob@x"), ["joe", "jane", "bob@x"]);
    assert_eq!(values("Joe Public <joe>"), ["joe"]);
}

#[test]
fn no_more_than_the_limit_is_looked_at() {
    let text = "a@x, ".repeat(500_000);
    // An address and its comma are four tokens.
    assert_eq!(limited(&text, 40).len(), 10);
    assert_eq!(limited(&text, 10_240).len(), 2_560);
    assert_eq!(limited("aaaa@bbbb", 2), [""; 0]);
}

proptest! {
    #[test]
    fn ranges_are_in_order_and_inside_any_text(
        text in prop::collection::vec(prop_oneof![
            prop::sample::select(&b"a@<>,;:()[]\"\\. \r\n"[..]), any::<u8>()], 0..80),
        limit in 0_usize..60,
        words in prop_oneof![Just(Words::AreNames), Just(Words::AreAddresses)],
    ) {
        let mut last = 0;
        for spec in AddressList::new(&text, words, limit) {
            let _ = spec.read(&text);
            prop_assert!(last <= spec.local.start && spec.local.start < spec.local.end);
            last = spec.local.end;
            if let Some(domain) = spec.domain {
                prop_assert!(text[last..domain.start].contains(&b'@'));
                prop_assert!(domain.start < domain.end);
                last = domain.end;
            }
            prop_assert!(last <= text.len());
        }
    }
}
