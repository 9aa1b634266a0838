use proptest::prelude::*;

use super::*;

fn table(source: &str) -> (CidrTable, Vec<String>) {
    let (table, warnings) = CidrTable::parse(&"t".into(), source.as_bytes());
    (table, warnings.iter().map(ToString::to_string).collect())
}

fn get(table: &CidrTable, key: &str) -> Option<(String, u32)> {
    let (value, line) = table.get(key.as_bytes())?;
    Some((String::from_utf8_lossy(value).into_owned(), line))
}

fn found(value: &str, line: u32) -> Option<(String, u32)> {
    Some((value.to_owned(), line))
}

/// What is said about a table of this one line.
fn said(line: &str) -> String {
    let (_, warnings) = table(line);
    warnings.join(" | ").replace("t, line 1: ", "").replace(": skipping this rule", "")
}

#[test]
fn the_first_rule_that_holds_counts() {
    let (table, warnings) =
        table("192.0.2.1 one\n192.0.2.0/24 net\n2001:db8::/32 six\n0.0.0.0/0   all \n");
    assert_eq!(get(&table, "192.0.2.1"), found("one", 1));
    assert_eq!(get(&table, "192.0.2.9"), found("net", 2));
    assert_eq!(get(&table, "2001:DB8:0::1"), found("six", 3));
    assert_eq!(get(&table, "10.0.0.1"), found("all", 4));
    assert_eq!(get(&table, "::1"), None);
    assert_eq!(warnings, [] as [&str; 0]);
}

#[test]
fn what_is_no_address_has_no_value() {
    let (table, _) = table("0.0.0.0/0 all\n::/0 all\n");
    for key in ["", "example.com", "1.2.3", "01.2.3.4", "[1.2.3.4]", " 1.2.3.4", "fe80::1%eth0"] {
        assert_eq!(get(&table, key), None, "{key}");
    }
}

#[test]
fn a_negated_rule_holds_outside_its_network_in_its_own_family() {
    let (table, _) = table("!192.0.2.0/24 outside\n! ! 192.0.2.1 twice\n");
    assert_eq!(get(&table, "10.0.0.1"), found("outside", 1));
    assert_eq!(get(&table, "192.0.2.1"), found("twice", 2));
    assert_eq!(get(&table, "192.0.2.2"), None);
    assert_eq!(get(&table, "::1"), None);
}

#[test]
fn brackets_are_dropped() {
    let (table, warnings) = table("[192.0.2.1] a\n[198.51.100.0]/24 b\n[2001:db8::/32] c\n");
    assert_eq!(get(&table, "192.0.2.1"), found("a", 1));
    assert_eq!(get(&table, "198.51.100.7"), found("b", 2));
    assert_eq!(get(&table, "2001:db8::7"), found("c", 3));
    assert_eq!(warnings, [] as [&str; 0]);
}

#[test]
fn rules_between_if_and_endif_are_for_what_the_if_holds_for() {
    let (table, warnings) = table(
        "if 10.0.0.0/8\n10.1.0.0/16 a\nIF !10.2.0.0/16\n10.0.0.0/8 b\nendif\n10.0.0.0/8 c\n\
         EndIf\nif ::/0\n1.2.3.4 never\n::/0 d\nendif\n1.0.0.0/8 e\n",
    );
    assert_eq!(get(&table, "10.1.1.1"), found("a", 2));
    assert_eq!(get(&table, "10.3.1.1"), found("b", 4));
    assert_eq!(get(&table, "10.2.1.1"), found("c", 6));
    assert_eq!(get(&table, "::1"), found("d", 10));
    assert_eq!(get(&table, "1.2.3.4"), found("e", 12));
    assert_eq!(warnings, [] as [&str; 0]);
}

#[test]
fn an_if_without_end_reaches_to_the_end() {
    let (table, warnings) = table("if 10.0.0.0/8\nif[10.1.0.0]/16\n10.1.0.1 a\n1.2.3.4 b\n");
    assert_eq!(get(&table, "10.1.0.1"), found("a", 3));
    assert_eq!(get(&table, "1.2.3.4"), None);
    assert_eq!(
        warnings,
        ["t, line 2: IF has no matching ENDIF", "t, line 1: IF has no matching ENDIF"]
    );
}

#[test]
fn a_bad_line_is_skipped_with_what_postfix_says() {
    for (line, expected) in [
        (
            "1.2.3.4/24 x",
            "non-null host address bits in \"1.2.3.4/24\", perhaps you should use \"1.2.3.0/24\" \
             instead",
        ),
        (
            "2001:DB8::1/32 x",
            "non-null host address bits in \"2001:DB8::1/32\", perhaps you should use \
             \"2001:db8::/32\" instead",
        ),
        ("1.2.3.300 x", "bad address pattern: \"1.2.3.300\""),
        ("01.2.3.4 x", "bad address pattern: \"01.2.3.4\""),
        ("1.2.3.4/33 x", "bad mask length in \"1.2.3.4/33\""),
        ("1.2.3.300/24 x", "bad network value in \"1.2.3.300/24\""),
        ("[]/8 x", "bad network value in \"/8\""),
        ("1.2.3.4/ x", "bad mask value in \"1.2.3.4/\""),
        ("1.2.3.4/+8 x", "bad mask value in \"1.2.3.4/+8\""),
        ("[1.2.3.0 x", "missing ']' character after \"[1.2.3.0\""),
        ("[1.2.3.0]x y", "garbage after \"[1.2.3.0]\""),
        ("1.2.3.4", "no lookup result"),
        ("!", "no address pattern"),
        ("if", "no address pattern"),
        ("if 10.0.0.0/8 trailing", "bad mask value in \"10.0.0.0/8 trailing\""),
        ("if 1.1.1.1 extra", "bad address pattern: \"1.1.1.1 extra\""),
        ("ifx 1.1.1.1", "bad address pattern: \"ifx\""),
        ("endif", "ENDIF without IF"),
        ("endif x", "garbage after ENDIF"),
        ("  1.2.3.4 x", "logical line must not start with whitespace: \"  1.2.3.4 x\""),
    ] {
        assert_eq!(said(line), expected, "{line}");
    }
}

proptest! {
    #[test]
    fn no_source_and_no_key_makes_it_panic(
        source in prop::collection::vec(
            prop::sample::select(b"12.:/!?[] \nifend\0\xe9".to_vec()), 0..120),
        key in prop::collection::vec(prop::sample::select(b"12.:a".to_vec()), 0..12),
    ) {
        let (table, _) = CidrTable::parse(&"t".into(), &source);
        table.get(&key);
    }

    #[test]
    fn a_network_has_just_the_addresses_that_share_its_first_bits(
        network: [u8; 4], prefix in 0_u32..=32, other: [u8; 4],
    ) {
        let first = first_address(IpAddr::from(network), prefix);
        let (table, warnings) = table(&format!("{first}/{prefix} x\n"));
        prop_assert!(warnings.is_empty());
        let bits = |ip: [u8; 4]| u64::from(u32::from_be_bytes(ip)) >> (32 - prefix);
        let shares = bits(network) == bits(other);
        let other = IpAddr::from(other).to_string();
        prop_assert_eq!(table.get(other.as_bytes()).is_some(), shares);
    }
}
