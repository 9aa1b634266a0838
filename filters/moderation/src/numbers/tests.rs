//! Numbers as people write them; all made up but for those that their issuers publish as examples.

use super::*;

/// How often each kind stands in `line`, in the order of [`NumberKind::ALL`].
fn found(line: &str) -> [usize; 5] {
    NumberKind::ALL.map(|kind| kind.count(line))
}

/// A Korean number with the check digit it must have.
fn resident(first: &str) -> String {
    (0..10)
        .map(|check| format!("{first}{check}"))
        .find(|number| {
            let number = format!("{}-{}", &number[..6], &number[6..]);
            NumberKind::KrResidentNumber.count(&number) == 1
        })
        .unwrap()
}

#[test]
fn numbers_are_found_in_the_forms_that_people_write() {
    for (line, kind) in [
        ("4111111111111111", NumberKind::CardNumber),
        ("card 4111 1111 1111 1111, 12/30", NumberKind::CardNumber),
        ("5555-5555-5555-4444.", NumberKind::CardNumber),
        ("3782 822463 10005", NumberKind::CardNumber),
        ("카드:30569309025904입니다", NumberKind::CardNumber),
        ("IBAN DE89 3704 0044 0532 0130 00", NumberKind::Iban),
        ("GB82WEST12345698765432", NumberKind::Iban),
        ("fr14 2004 1010 0505 0001 3m02 606", NumberKind::Iban),
        ("2 55 08 14 168 025 38", NumberKind::FrNir),
        ("255081416802538", NumberKind::FrNir),
        ("マイナンバー 1234-5678-9018", NumberKind::JpMyNumber),
    ] {
        let expected = NumberKind::ALL.map(|other| usize::from(other == kind));
        assert_eq!(found(line), expected, "{line}");
        assert!(NumberKind::may_stand_in(line), "{line}");
    }
}

#[test]
fn digits_apart_are_no_number_and_digits_side_by_side_may_be_one() {
    for (text, may) in [
        ("", false),
        ("1", false),
        ("one 1, and two  2 \n 3", false),
        ("12", true),
        ("1 2", true),
        ("a1-2b", true),
        ("a\n1\n2", true),
    ] {
        assert_eq!(NumberKind::may_stand_in(text), may, "{text}");
    }
    let spread = "2.5.5.0.8.1.4.1.6.8.0.2.5.3.8";
    assert_eq!(NumberKind::FrNir.count(spread), 1);
    assert!(NumberKind::may_stand_in(spread));
}

#[test]
fn what_lacks_the_check_digit_or_the_form_is_none() {
    for line in [
        "4111111111111112",
        "41111111111111111",
        "x4111111111111111",
        "4111  1111  1111  1111",
        "4111/1111/1111/1111",
        "DE88 3704 0044 0532 0130 00",
        "DE89 3704 0044 0532 0130",
        "2 55 08 14 168 025 39",
        "1234-5678-9012",
        "1111 1111 1111",
        "0000000000000000",
        "2026-11-21 10:00",
        "tel. 02-1234-5678",
        "",
    ] {
        assert_eq!(found(line), [0; 5], "{line}");
    }
}

#[test]
fn korean_numbers_have_a_day_of_birth_and_a_check_digit() {
    let number = resident("800229123456");
    let (birth, rest) = number.split_at(6);
    let kind = NumberKind::KrResidentNumber;
    assert_eq!(kind.count(&format!("주민번호 {birth}-{rest} 입니다")), 1);
    assert_eq!(kind.count(&format!("({number})")), 1);
    let wrong = char::from(b'0' + (number.as_bytes()[12] - b'0' + 1) % 10);
    assert_eq!(kind.count(&format!("{birth}-{}{wrong}", &rest[..6])), 0);
    // 1981 had no 29 February.
    assert_eq!(kind.count(&format!("810229-{rest}")), 0);
    let foreign = resident("800229523456");
    assert_eq!(kind.count(&foreign), 1);
}

#[test]
fn korean_numbers_of_those_born_since_october_2020_have_no_check_digit() {
    let kind = NumberKind::KrResidentNumber;
    let written = (0..10).filter(|check| kind.count(&format!("201001-312345{check}")) == 1);
    assert_eq!(written.count(), 10);
    let written = (0..10).filter(|check| kind.count(&format!("200930-312345{check}")) == 1);
    assert_eq!(written.count(), 1);
    // Without its hyphen it could be anything.
    let written = (0..10).filter(|check| kind.count(&format!("201001312345{check}")) == 1);
    assert_eq!(written.count(), 1);
}

#[test]
fn each_number_of_a_line_counts() {
    let line =
        "4111-1111-1111-1111 5555555555554444 and 4111 1111 1111 1111, DE89370400440532013000";
    assert_eq!(found(line), [0, 0, 0, 3, 1]);
    let many = "4111111111111111 ".repeat(1000);
    assert_eq!(NumberKind::CardNumber.count(&many), 1000);
}

#[test]
fn the_names_of_the_kinds_are_those_of_the_configuration() {
    let names: Vec<String> =
        NumberKind::ALL.iter().map(|kind| serde_json::to_string(kind).unwrap()).collect();
    let expected = ["kr-resident-number", "jp-my-number", "fr-nir", "card-number", "iban"]
        .map(|name| format!("{name:?}"));
    assert_eq!(names, expected);
}
