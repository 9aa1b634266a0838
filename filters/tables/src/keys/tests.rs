use proptest::prelude::*;

use super::*;

fn texts<'k>(keys: &'k [Key<'_>]) -> Vec<&'k str> {
    keys.iter().map(|key| &*key.text).collect()
}

fn plus() -> Extensions {
    Extensions::new("+")
}

#[test]
fn an_address_is_mapped_by_itself_then_without_extension_then_by_its_domain() {
    let keys = mapping("user+ext@example.com", false, &plus());
    assert_eq!(texts(&keys), ["user+ext@example.com", "user@example.com", "@example.com"]);
    let keys = mapping("user+ext@example.com", true, &plus());
    assert_eq!(
        texts(&keys),
        ["user+ext@example.com", "user@example.com", "user+ext", "user", "@example.com"]
    );
    let extensions: Vec<_> = keys.iter().map(|key| key.extension.as_deref()).collect();
    assert_eq!(extensions, [None, Some("+ext"), None, Some("+ext"), None]);
    assert_eq!(texts(&mapping("user", true, &plus())), ["user"]);
}

#[test]
fn without_delimiters_there_are_no_extensions() {
    let keys = mapping("user+ext@example.com", true, &Extensions::default());
    assert_eq!(texts(&keys), ["user+ext@example.com", "user+ext", "@example.com"]);
}

#[test]
fn only_the_whole_address_is_a_key_of_a_table_of_patterns() {
    let whole = |keys: Vec<Key<'_>>| -> Vec<String> {
        let keys = keys.into_iter().filter(|key| key.is_whole);
        keys.map(|key| key.text.into_owned()).collect()
    };
    let address = "user+ext@www.example.com";
    assert_eq!(whole(mapping(address, true, &plus())), [address]);
    assert_eq!(whole(access(address, Parents::Bare, &plus())), [address]);
    assert_eq!(whole(transport(address, Parents::Dotted, &plus())), [address, "*"]);
    assert_eq!(whole(host("www.example.com", Parents::Bare)), ["www.example.com"]);
    assert_eq!(whole(network("192.0.2.1")), ["192.0.2.1"]);
}

#[test]
fn an_access_table_is_asked_for_address_domain_parents_and_user() {
    let address = "user+ext@www.example.com";
    assert_eq!(
        texts(&access(address, Parents::Bare, &plus())),
        [
            address,
            "user@www.example.com",
            "www.example.com",
            "example.com",
            "com",
            "user+ext@",
            "user@"
        ]
    );
    assert_eq!(
        texts(&access(address, Parents::Dotted, &plus())),
        [
            address,
            "user@www.example.com",
            "www.example.com",
            ".example.com",
            ".com",
            "user+ext@",
            "user@"
        ]
    );
}

#[test]
fn the_null_sender_has_a_key_of_its_own() {
    assert_eq!(texts(&access("", Parents::Bare, &plus())), ["<>"]);
    assert_eq!(texts(&access("<>", Parents::Bare, &plus())), ["<>"]);
}

#[test]
fn a_transport_table_is_asked_for_the_wildcard_last() {
    assert_eq!(
        texts(&transport("user@a.b.example", Parents::Dotted, &plus())),
        ["user@a.b.example", "a.b.example", ".b.example", ".example", "*"]
    );
}

#[test]
fn a_quoted_local_part_is_looked_up_with_its_quotes_then_without() {
    let keys = access("\"a b+x\"@example.com", Parents::Bare, &plus());
    assert_eq!(
        texts(&keys),
        [
            "\"a b+x\"@example.com",
            "a b+x@example.com",
            "\"a b\"@example.com",
            "a b@example.com",
            "example.com",
            "com",
            "\"a b+x\"@",
            "a b+x@",
            "\"a b\"@",
            "a b@"
        ]
    );
    let keys = mapping("\"a\\\"b\"@example.com", true, &plus());
    assert_eq!(
        texts(&keys),
        ["\"a\\\"b\"@example.com", "a\"b@example.com", "\"a\\\"b\"", "a\"b", "@example.com"]
    );
}

#[test]
fn quotes_that_are_not_needed_are_not_looked_up() {
    let keys = mapping("\"user\"@example.com", false, &plus());
    assert_eq!(texts(&keys), ["user@example.com", "@example.com"]);
}

#[test]
fn dots_where_none_may_stand_are_quoted() {
    for local in ["a..b", ".a", "a."] {
        let address = format!("{local}@example.com");
        let quoted = format!("\"{local}\"@example.com");
        let keys = mapping(&address, false, &plus());
        assert_eq!(texts(&keys), [&quoted, &address, "@example.com"]);
    }
}

#[test]
fn an_at_sign_in_quotes_belongs_to_the_local_part() {
    let keys = access("\"a@b\"@example.com", Parents::Bare, &plus());
    assert_eq!(
        texts(&keys),
        ["\"a@b\"@example.com", "a@b@example.com", "example.com", "com", "\"a@b\"@", "a@b@"]
    );
    assert_eq!(texts(&host("", Parents::Bare)), [""; 0]);
}

#[test]
fn the_first_of_a_set_of_delimiters_divides() {
    let extensions = Extensions::new("+-");
    assert_eq!(extensions.split("user-a+b"), Some(("user", "-a+b")));
    assert_eq!(extensions.split("user"), None);
    assert_eq!(extensions.split("+user"), None);
    assert_eq!(extensions.split("user+"), Some(("user", "+")));
}

#[test]
fn reserved_names_are_not_divided() {
    let extensions = Extensions::new("-+");
    for name in ["Double-Bounce", "MAILER-DAEMON", "owner-list", "Owner-a+b", "list-Request"] {
        assert_eq!(extensions.split(name), None, "{name}");
    }
    assert_eq!(extensions.split("-request"), None);
    assert_eq!(Extensions::new("+").split("owner-a+b"), Some(("owner-a", "+b")));
    let divided = extensions.clone().divide_owner_and_request(true);
    assert_eq!(divided.split("owner-list"), Some(("owner", "-list")));
    let renamed = extensions.double_bounce_sender("two-bounces");
    assert_eq!(renamed.split("two-bounces"), None);
    assert_eq!(renamed.split("double-bounce"), Some(("double", "-bounce")));
}

#[test]
fn a_name_that_is_an_address_has_no_parents() {
    assert_eq!(texts(&host("192.0.2.1", Parents::Bare)), ["192.0.2.1"]);
    assert_eq!(texts(&host("192.000.002.001", Parents::Bare)), ["192.000.002.001"]);
    assert_eq!(texts(&host("2.1", Parents::Bare)), ["2.1", "1"]);
    let keys = access("a@192.0.2.1", Parents::Bare, &plus());
    assert_eq!(texts(&keys), ["a@192.0.2.1", "192.0.2.1", "a@"]);
    assert_eq!(
        texts(&host("mx.example.com.", Parents::Bare)),
        ["mx.example.com.", "example.com.", "com."]
    );
    assert_eq!(texts(&host(".example.com", Parents::Dotted)), [".example.com", ".com"]);
}

#[test]
fn a_name_has_no_more_parents_than_a_name_can_have() {
    assert_eq!(host(&"a.".repeat(2_000), Parents::Bare).len(), 128);
}

#[test]
fn a_network_address_loses_its_last_part_again_and_again() {
    assert_eq!(texts(&network("192.0.2.1")), ["192.0.2.1", "192.0.2", "192.0", "192"]);
    assert_eq!(texts(&network("2001:db8::1")), ["2001:db8::1", "2001:db8:", "2001:db8", "2001"]);
    assert_eq!(texts(&network("::1")), ["::1", ":"]);
}

proptest! {
    #[test]
    fn every_address_has_a_whole_key_first_and_no_empty_ones(
        address in "[aB.+\\-\"\\\\@ é]{1,12}", is_local: bool,
    ) {
        let extensions = Extensions::new("+-");
        for keys in [
            mapping(&address, is_local, &extensions),
            access(&address, Parents::Dotted, &extensions),
            transport(&address, Parents::Bare, &extensions),
        ] {
            prop_assert!(keys.iter().any(|key| key.is_whole));
            prop_assert!(keys.iter().all(|key| !key.text.is_empty()), "{:?}", keys);
            let whole: Vec<_> = keys.iter().take_while(|key| key.is_whole).collect();
            prop_assert!(whole.len() <= 2 || &*whole[2].text == "*", "{:?}", keys);
        }
    }
}
