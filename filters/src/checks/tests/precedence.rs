//! Which of several actions decides (Postfix `cleanup_flush`).

use super::*;

const MAIL: &str = "A: 1\r\nB: 2\r\n\r\n";

/// What a mail comes to whose first header has one action and whose second another.
fn fate(first: &str, second: &str) -> (String, bool) {
    let result = check(&format!("/^A:/ {first}\n/^B:/ {second}"), "", MAIL);
    let fate = match result.outcome.fate {
        Fate::Accept => "accept".into(),
        Fate::Hold(_) => "hold".into(),
        Fate::Reject(refusal) => refusal.reply().code.to_string(),
        Fate::Discard => "discard".into(),
        Fate::Trouble(trouble) => panic!("{trouble}"),
    };
    (fate, result.outcome.detour.is_some())
}

#[test]
fn the_table_of_precedence() {
    let table = [
        ("HOLD", "REJECT", "550", false),
        ("HOLD", "REJECT 4.7.1 x", "451", false),
        ("HOLD", "DISCARD", "discard", false),
        ("HOLD", "FILTER x:", "hold", true),
        ("HOLD", "REDIRECT a@example.org", "hold", true),
        ("HOLD", "PASS", "hold", false),
        ("REJECT", "DISCARD", "550", false),
        ("REJECT", "HOLD", "550", false),
        ("REJECT", "REJECT 4.7.1 x", "550", false),
        ("DISCARD", "REJECT", "discard", false),
        ("DISCARD", "HOLD", "discard", false),
        ("FILTER x:", "REJECT", "550", false),
        ("FILTER x:", "DISCARD", "discard", false),
        ("REDIRECT a@example.org", "REJECT", "accept", true),
        ("REDIRECT a@example.org", "DISCARD", "accept", true),
        ("REDIRECT a@example.org", "HOLD", "accept", true),
        ("PASS", "REJECT", "accept", false),
        ("PASS", "HOLD", "accept", false),
        ("PASS", "FILTER x:", "accept", false),
        ("WARN", "REJECT", "550", false),
        ("IGNORE", "HOLD", "hold", false),
        ("NONSENSE", "REJECT", "550", false),
    ];
    for (first, second, expected, detour) in table {
        assert_eq!(fate(first, second), (expected.into(), detour), "{first}, then {second}");
    }
}

#[test]
fn parts_nested_too_deep_refuse_a_mail_that_has_header_checks() {
    let part =
        |depth| format!("Content-Type: multipart/mixed; boundary=b{depth}\r\n\r\n--b{depth}\r\n");
    let nested = |depth| (0..depth).map(part).collect::<String>();
    let mail = nested(103);
    let fate = |header, body| check(header, body, &mail).outcome.fate;
    let Fate::Reject(refusal) = fate("/^X:/ OK", "") else { panic!() };
    assert_eq!(refusal.reply().to_string(), "550 5.6.0 MIME nesting exceeds safety limit");
    assert_eq!(fate("/b50/ DISCARD", ""), Fate::Discard);
    assert_eq!(fate("", "/^X/ OK"), Fate::Accept);
    // The limit is 100, and Postfix counts from -1.
    assert_eq!(check("/^X:/ OK", "", &nested(102)).outcome.fate, Fate::Accept);
}
