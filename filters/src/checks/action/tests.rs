use super::*;

fn parse(value: &str) -> Action<'_> {
    Action::parse(value.as_bytes()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

fn refusal(value: &str) -> String {
    match parse(value) {
        Action::Reject(refusal) => refusal.reply().to_string(),
        other => panic!("{value}: {other:?}"),
    }
}

#[test]
fn an_action_is_a_whole_word_in_any_case() {
    for value in ["ignore", "IGNORE", "Ignore whatever follows", "iGnOrE\tx"] {
        assert_eq!(parse(value), Action::Ignore, "{value}");
    }
    for value in ["DUNNO", "ok", "OK then"] {
        assert_eq!(parse(value), Action::Dunno, "{value}");
    }
    for value in ["IGNORED", "IGN", "", "550 no", "REJECT:", "DELAY 1h", "제목"] {
        let error = Action::parse(value.as_bytes()).unwrap_err();
        assert!(matches!(error, ActionError::Unknown(_)), "{value}: {error}");
    }
}

#[test]
fn a_rejection_has_the_status_code_that_leads_its_text() {
    assert_eq!(refusal("REJECT"), "550 5.7.1 message content rejected");
    assert_eq!(refusal("REJECT no spam"), "550 5.7.1 no spam");
    assert_eq!(refusal("reject 5.2.3 too long"), "550 5.2.3 too long");
    assert_eq!(refusal("REJECT 4.7.1 not today"), "451 4.7.1 not today");
    // Postfix 3.7 says what happens to stand in its memory.
    assert_eq!(refusal("REJECT 4.7.1"), "451 4.7.1 message content rejected");
    assert_eq!(refusal("REJECT 554 5.7.1 x"), "550 5.7.1 554 5.7.1 x");
}

#[test]
fn a_rejection_that_says_success_is_temporary() {
    assert_eq!(refusal("REJECT 2.7.1 what"), "451 4.7.1 what");
    assert_eq!(
        complaint(Context::Header, b"REJECT 2.7.1 what"),
        Some(ActionError::StatusClass("2.7.1 what".into()))
    );
}

#[test]
fn no_text_of_a_rule_breaks_the_reply() {
    assert_eq!(refusal("REJECT bad\r\n250 ok"), "550 5.7.1 bad  250 ok");
    let long = format!("REJECT {}", "가".repeat(1000));
    assert_eq!(refusal(&long), format!("550 5.7.1 {}", "가".repeat(133)));
}

#[test]
fn arguments_are_what_they_must_be() {
    assert!(matches!(parse("FILTER scan:[::1]:10025"), Action::Filter(_)));
    assert!(matches!(parse("REDIRECT a@example.org"), Action::Redirect(_)));
    assert!(matches!(parse("BCC a@example.org"), Action::Bcc(_)));
    assert_eq!(parse("PREPEND X-A:  b "), Action::Prepend(b"X-A:  b "));
    let errors = [
        ("FILTER", "FILTER needs an argument"),
        ("FILTER scan", "FILTER needs transport:destination, not \"scan\""),
        ("REDIRECT  ", "REDIRECT needs user@domain, not \"\""),
        ("REDIRECT root", "REDIRECT needs user@domain, not \"root\""),
        ("BCC x", "BCC needs user@domain, not \"x\""),
        ("PREPEND", "PREPEND needs an argument"),
        ("REPLACE \t", "REPLACE needs an argument"),
    ];
    for (value, expected) in errors {
        assert_eq!(Action::parse(value.as_bytes()).unwrap_err().to_string(), expected);
    }
}

#[test]
fn among_headers_only_headers_are_put() {
    for verb in ["PREPEND", "REPLACE"] {
        let value = format!("{verb} no header");
        assert!(Action::parse_in(Context::Body, value.as_bytes()).is_ok());
        for context in [Context::Header, Context::MimeHeader, Context::DecodedHeader] {
            let error = Action::parse_in(context, value.as_bytes()).unwrap_err();
            assert!(matches!(error, ActionError::Header { .. }), "{error}");
        }
    }
}

#[test]
fn what_is_no_line_of_the_mail_cannot_be_edited() {
    for context in [Context::TextBody, Context::AttachmentName, Context::AttachmentType] {
        for value in ["IGNORE", "STRIP", "PREPEND X: y", "REPLACE X: y"] {
            let error = Action::parse_in(context, value.as_bytes()).unwrap_err();
            assert!(matches!(error, ActionError::NothingToEdit { .. }), "{error}");
            assert_eq!(complaint(context, value.as_bytes()), Some(error));
        }
        for value in ["REJECT", "HOLD", "BCC a@example.org", "PASS", "WARN x"] {
            assert!(Action::parse_in(context, value.as_bytes()).is_ok(), "{value}");
        }
    }
}

#[test]
fn mistakes_are_told_when_a_table_is_read_but_not_those_that_a_mail_may_mend() {
    let mistake = |value: &str| complaint(Context::Header, value.as_bytes()).is_some();
    for value in ["REJCT", "FILTER", "REDIRECT me", "PREPEND nothing", "$1 x"] {
        assert!(mistake(value), "{value}");
    }
    for value in ["REJECT", "FILTER ${1}", "BCC $1", "REPLACE $1", "DUNNO", "Ok"] {
        assert!(!mistake(value), "{value}");
    }
}
