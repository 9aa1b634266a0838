//! What each action does to a line and to the mail.

use super::*;

const MAIL: &str =
    "Received: from a\r\n\tby b\r\nSubject: hello\r\nX-Last: z\r\n\r\nfirst\r\n\r\nlast\r\n";

fn mail_with(from: &str, to: &str) -> String {
    assert!(MAIL.contains(from));
    MAIL.replace(from, to)
}

#[test]
fn a_mail_without_rules_needs_no_checks() {
    assert!(ContentChecks::new(Arc::new(ChecksRules::default())).is_none());
    assert!(ContentChecks::new(Arc::new(rules("/x/ OK", ""))).is_some());
}

#[test]
fn a_rule_is_named_by_table_file_and_line() {
    let result = check("# comment\n/^Subject: nothing/ HOLD\n/^Subject:/ WARN look", "", MAIL);
    let decision = result.outcome.decisions.iter().next().unwrap();
    assert_eq!(decision.place.to_string(), "regexp:/checks, line 3");
    assert_eq!((&*decision.line, &*decision.text), ("Subject: hello", "look"));
}

#[test]
fn reject_ends_the_inspection_and_nothing_is_kept() {
    let header = "/^Received:/ BCC a@example.org\n/^Subject:/ REJECT 5.2.3 no\n/^X-Last/ DISCARD";
    let result = check(header, "/./ HOLD", MAIL);
    let Fate::Reject(refusal) = &result.outcome.fate else { panic!("{:?}", result.outcome) };
    assert_eq!(refusal.reply().to_string(), "550 5.2.3 no");
    assert!(result.bcc().is_empty());
    assert_eq!(
        result.told(),
        [
            "bcc: header Received: from a??by b: a@example.org",
            "reject: header Subject: hello: 5.2.3 no"
        ]
    );
}

#[test]
fn reject_may_be_for_now_and_without_words() {
    let refusal = |header| match check(header, "", MAIL).outcome.fate {
        Fate::Reject(refusal) => refusal.reply().to_string(),
        fate => panic!("{fate:?}"),
    };
    assert_eq!(refusal("/^Subject/ REJECT 4.2.0 later"), "451 4.2.0 later");
    assert_eq!(refusal("/^Subject/ reject"), "550 5.7.1 message content rejected");
}

#[test]
fn reject_in_a_body() {
    let result = check("", "/^last/ REJECT no", MAIL);
    assert!(matches!(result.outcome.fate, Fate::Reject(_)));
    assert_eq!(result.told(), ["reject: body last: 5.7.1 no"]);
}

#[test]
fn discard_claims_success_and_looks_at_nothing_more() {
    for (header, body) in [
        ("/^Subject/ DISCARD quietly\n/^X-Last/ REJECT", ""),
        ("", "/first/ DISCARD quietly\n/last/ REJECT"),
    ] {
        let result = check(header, body, MAIL);
        assert_eq!(result.outcome.fate, Fate::Discard);
        assert_eq!(result.told().len(), 1);
    }
}

#[test]
fn hold_goes_on_and_is_said_once() {
    let result = check(
        "/^Subject/ HOLD look at this\n/^X-Last/ HOLD again",
        "/first/ HOLD\n/last/ WARN seen",
        MAIL,
    );
    let Fate::Hold(reason) = &result.outcome.fate else { panic!("{:?}", result.outcome) };
    assert_eq!(reason.as_str(), "look at this");
    assert_eq!(result.content, MAIL);
    assert_eq!(
        result.told(),
        ["hold: header Subject: hello: look at this", "warn: body last: seen"]
    );
}

#[test]
fn mail_held_without_words_is_held_by_the_rule() {
    let Fate::Hold(reason) = check("/^Subject/ HOLD", "", MAIL).outcome.fate else { panic!() };
    assert_eq!(reason.as_str(), "regexp:/checks, line 1");
}

#[test]
fn ignore_removes_a_header_with_all_its_lines() {
    let result = check("/^Received/ IGNORE", "", MAIL);
    assert_eq!(result.content, mail_with("Received: from a\r\n\tby b\r\n", ""));
    assert_eq!(result.outcome.fate, Fate::Accept);
    assert_eq!(result.told(), ["ignore: header Received: from a??by b"]);
}

#[test]
fn strip_removes_and_says_so() {
    let result = check("/^Subject/ STRIP secret", "/^first/ STRIP", MAIL);
    assert_eq!(result.content, mail_with("Subject: hello\r\n", "").replace("first\r\n", ""));
    assert_eq!(result.told(), ["strip: header Subject: hello: secret", "strip: body first"]);
}

#[test]
fn a_mail_may_lose_its_whole_header() {
    assert_eq!(check("/./ IGNORE", "", MAIL).content, "\r\nfirst\r\n\r\nlast\r\n");
}

#[test]
fn prepend_puts_a_line_before_the_one_that_matched() {
    let result = check("/^Subject: (.*)/ PREPEND X-Was: $1", "/^last/ PREPEND -- ", MAIL);
    let expected = mail_with("Subject", "X-Was: hello\r\nSubject").replace("last", "--\r\nlast");
    assert_eq!(result.content, expected);
    assert_eq!(
        result.told(),
        ["prepend: header Subject: hello: X-Was: hello", "prepend: body last: --"]
    );
}

#[test]
fn replace_may_make_another_header_of_it() {
    let result = check("/^(Received): (.*)/ REPLACE X-$1: $2", "/^(l)ast/ REPLACE ${1}east", MAIL);
    let expected = mail_with("Received", "X-Received").replace("last", "least");
    assert_eq!(result.content, expected);
}

#[test]
fn what_is_put_among_headers_without_being_one_is_a_warning() {
    let result = check("/^Subject/ PREPEND no header\n/^X-Last/ REPLACE none either", "", MAIL);
    assert_eq!(result.content, MAIL);
    assert_eq!(
        result.told(),
        [
            "error: PREPEND among headers needs \"Name: value\", not \"no header\"",
            "error: REPLACE among headers needs \"Name: value\", not \"none either\""
        ]
    );
}

#[test]
fn an_unknown_action_is_a_warning_and_no_match() {
    let result = check("/^Subject/ REFUSE it", "/first/ FILTER scan", MAIL);
    assert_eq!(result.content, MAIL);
    assert_eq!(result.outcome.fate, Fate::Accept);
    assert_eq!(
        result.told(),
        [
            "error: unknown action \"REFUSE\"",
            "error: FILTER needs transport:destination, not \"scan\""
        ]
    );
}

#[test]
fn info_and_warn_are_only_said() {
    let result = check("/^Subject/ INFO a\n/^X-Last/ WARN b", "/first/ INFO c\n/last/ WARN", MAIL);
    assert_eq!((&*result.content, &result.outcome.fate), (MAIL, &Fate::Accept));
    assert_eq!(
        result.told(),
        [
            "info: header Subject: hello: a",
            "warn: header X-Last: z: b",
            "info: body first: c",
            "warn: body last"
        ]
    );
}

#[test]
fn dunno_ends_the_search_for_a_line() {
    let result = check("/hello/ DUNNO\n/^Subject/ REJECT", "/first/ OK\n/./ HOLD", MAIL);
    assert_eq!(
        result.told(),
        ["dunno: header Subject: hello", "dunno: body first", "hold: body last"]
    );
}

#[test]
fn pass_lets_the_rest_through_unseen() {
    let result = check("/^Subject/ PASS friend\n/^X-Last/ REJECT", "/./ REJECT", MAIL);
    assert_eq!((&*result.content, &result.outcome.fate), (MAIL, &Fate::Accept));
    assert_eq!(result.told(), ["pass: header Subject: hello: friend"]);
    assert_eq!(check("", "/first/ PASS\n/last/ REJECT", MAIL).outcome.fate, Fate::Accept);
}

#[test]
fn the_last_filter_counts() {
    let result = check("/^Subject/ FILTER one:", "/first/ FILTER two:[::1]:25", MAIL);
    let Some(Detour::Filter(target)) = &result.outcome.detour else {
        panic!("{:?}", result.outcome)
    };
    assert_eq!((target.name(), target.next_hop()), ("two", "[::1]:25"));
    assert_eq!(
        result.told(),
        ["filter: header Subject: hello: one:", "filter: body first: two:[::1]:25"]
    );
}

#[test]
fn redirect_overrides_filter_and_lets_the_rest_through_unseen() {
    let header = "/^Received/ FILTER one:\n/^Subject/ REDIRECT me@example.org\n/^X-Last/ REJECT";
    let result = check(header, "/./ FILTER two:", MAIL);
    let Some(Detour::Redirect(address)) = &result.outcome.detour else {
        panic!("{:?}", result.outcome)
    };
    assert_eq!(address.as_str(), "me@example.org");
    assert_eq!((&*result.content, &result.outcome.fate), (MAIL, &Fate::Accept));
}

#[test]
fn bcc_gathers_addresses_and_none_twice() {
    let header =
        "/^Received/ BCC a@example.org\n/^Subject/ BCC b@example.org\n/./ BCC a@EXAMPLE.org";
    let result = check(header, "/first/ BCC c@example.org", MAIL);
    assert_eq!(result.bcc(), ["a@example.org", "b@example.org", "c@example.org"]);
}

#[test]
fn more_addresses_than_a_mail_may_have_are_trouble() {
    let mail: String = (0..1500).map(|n| format!("X: u{n}@example.org\r\n")).collect();
    let result = check("/^X: (.*)/ BCC $1", "", &mail);
    assert_eq!(result.outcome.fate, Fate::Trouble(Trouble::TooManyBcc(1000)));
}

#[test]
fn a_table_that_cannot_tell_is_trouble_and_ends_the_inspection() {
    let failing = table("fail:always", "");
    let lists = [
        (vec![Arc::clone(&failing)], list("/./ DISCARD")),
        (list("/^X-Last/ HOLD"), vec![table("regexp:/none", "/^nothing/ OK"), failing]),
    ];
    for (header, body) in lists {
        let result = check_under(ChecksRules { header, body, ..ChecksRules::default() }, MAIL);
        assert!(matches!(result.outcome.fate, Fate::Trouble(Trouble::Lookup(_))));
    }
}

#[test]
fn a_table_that_has_the_answer_spares_those_behind_it() {
    let header = vec![table("regexp:/all", "/./ DUNNO"), table("fail:always", "")];
    let result = check_under(ChecksRules { header, ..ChecksRules::default() }, MAIL);
    assert_eq!(result.outcome.fate, Fate::Accept);
}

#[test]
fn mime_headers_are_asked_in_their_own_tables_once_they_have_some() {
    let mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx\r\n--b--\r\n";
    let seen = |rules: ChecksRules| check_under(rules, mail).told();
    let all = "/(.*)/ WARN";
    let contexts = |rules: ChecksRules| {
        let outcome = check_under(rules, mail).outcome;
        outcome.decisions.iter().map(|it| it.context).collect::<Vec<_>>()
    };
    assert_eq!(
        contexts(rules(all, "")),
        [Context::MimeHeader, Context::MimeHeader, Context::NestedHeader]
    );
    let own = ChecksRules { mime_header: Some(list("/message/ WARN mine")), ..rules(all, "") };
    assert_eq!(
        seen(own),
        ["warn: header Content-Type: message/rfc822: mine", "warn: header Subject: inner"]
    );
    let off = ChecksRules { nested_header: Some(Vec::new()), ..rules("/^Subject/ WARN", "") };
    assert_eq!(seen(off), [""; 0]);
}

#[test]
fn body_checks_see_the_first_part_of_each_body() {
    let mail = format!("A: b\r\n\r\n{}target\r\n", "x\r\n".repeat(100));
    let limited =
        |limit| ChecksRules { body_checks_size_limit: limit, ..rules("", "/target/ HOLD") };
    assert_eq!(check_under(limited(150), &mail).outcome.fate, Fate::Accept);
    for limit in [0, 51_200] {
        assert!(matches!(check_under(limited(limit), &mail).outcome.fate, Fate::Hold(_)));
    }
}

#[test]
fn an_edit_of_the_line_that_ends_a_header_makes_no_header_of_the_next() {
    let mail = "Subject: x\r\nnot a header\r\nBcc: a@example.org\r\n";
    assert_eq!(
        check("", "/^not/ IGNORE", mail).content,
        "Subject: x\r\n\r\nBcc: a@example.org\r\n"
    );
    assert_eq!(
        check("", "/^not/ PREPEND X: y", mail).content,
        "Subject: x\r\n\r\nX: y\r\nnot a header\r\nBcc: a@example.org\r\n"
    );
    assert_eq!(
        check("/^Subject/ PREPEND X: y", "", mail).content,
        "X: y\r\nSubject: x\r\n\r\nnot a header\r\nBcc: a@example.org\r\n"
    );
}

#[test]
fn an_edit_of_the_first_line_of_a_part_makes_no_header_of_the_next() {
    let part = |body: &str| {
        format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{body}--b--\r\nend\r\n")
    };
    let ignored = |mail: &str| check("", "/gone|^--b--/ IGNORE", mail).content;
    let last = "--b--\r\n";
    let cases = [
        ("gone\r\nX: y\r\n", "\r\nX: y\r\n"),
        ("\r\ngone\r\nX: y\r\n", "\r\nX: y\r\n"),
        ("X: y\r\ngone\r\nX: z\r\n", "X: y\r\n\r\nX: z\r\n"),
        ("\r\nx\r\n", "\r\nx\r\n"),
    ];
    for (body, expected) in cases {
        assert_eq!(ignored(&part(body)), part(expected).replace(last, ""), "{body:?}");
    }
}

#[test]
fn what_is_too_long_to_be_looked_at_goes_with_its_header() {
    let long = format!("Subject: spam\r\n{}", " more\r\n".repeat(50_000));
    let mail = format!("A: b\r\n{long}C: d\r\n\r\nbody\r\n");
    assert!(long.len() > 300_000);
    assert_eq!(check("/^Subject/ IGNORE", "", &mail).content, "A: b\r\nC: d\r\n\r\nbody\r\n");
    assert_eq!(
        check("/^Subject/ REPLACE Subject: ham", "", &mail).content,
        "A: b\r\nSubject: ham\r\nC: d\r\n\r\nbody\r\n"
    );
    assert_eq!(
        check("/^Subject/ PREPEND X: y", "", &mail).content,
        format!("A: b\r\nX: y\r\n{long}C: d\r\n\r\nbody\r\n")
    );
}

#[test]
fn a_replaced_header_keeps_its_folds_and_stays_one_header() {
    let result = check("/^Received: (.*)/ REPLACE Received: $1 (seen)", "", MAIL);
    assert_eq!(result.content, mail_with("by b", "by b (seen)"));
}

#[test]
fn decisions_are_bounded_and_the_one_that_counts_is_among_them() {
    let mail = format!("A: b\r\n\r\n{}end\r\n", "x\r\n".repeat(1000));
    let result = check("", "/x/ WARN\n/end/ REJECT", &mail);
    let decisions = &result.outcome.decisions;
    assert_eq!((decisions.iter().count(), decisions.left_out()), (101, 900));
    assert_eq!(result.told().last().unwrap(), "reject: body end: 5.7.1 message content rejected");
}

#[test]
fn what_says_nothing_takes_no_room_from_what_does() {
    let mail = format!("A: b\r\n\r\n{}{}", "x\r\n".repeat(1000), "y\r\n".repeat(1000));
    let result = check("", "/x/ IGNORE\n/y/ WARN", &mail);
    let decisions = &result.outcome.decisions;
    assert_eq!((decisions.iter().count(), decisions.left_out()), (200, 900));
}

#[test]
fn a_long_line_is_shown_in_part() {
    let result = check("", "/a/ WARN", &format!("A: b\r\n\r\n{}\r\n", "a".repeat(1000)));
    assert_eq!(result.told(), [format!("warn: body {}", "a".repeat(200))]);
}
