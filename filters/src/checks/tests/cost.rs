//! What patterns that backtrack may cost one mail.

use mailweir_tables::{PatternSteps, Place, Step};

use super::*;

/// What takes far less than the limit of one key, and far more than a line should.
const COSTLY: &str = "aaaaaaaaaaaaaaaab";
const PATTERN: &str = "/^(?:X: )?(?!c)(a+)+$/ REJECT no";

fn rules(header: &str, body: &str) -> ChecksRules {
    let list = |source: &str| vec![table("pcre:/costly", source)];
    ChecksRules { header: list(header), body: list(body), ..ChecksRules::default() }
}

/// How many such lines there are steps for.
fn lines(key: &str) -> usize {
    let (table, steps) = (table("pcre:/costly", PATTERN), PatternSteps::all());
    assert!(matches!(table.lookup_within(key.as_bytes(), &steps), Step::Done(Ok(None))));
    (PatternSteps::ALL / (PatternSteps::ALL - steps.left())) as usize
}

fn fate(rules: ChecksRules, mail: &str) -> Fate {
    let mut checking = pin!(async {
        let mut checks = ContentChecks::new(Arc::new(rules)).unwrap();
        let mut out = Vec::new();
        checks.feed(mail.as_bytes(), &mut out, &Nobody).await;
        checks.finish(&mut out, &Nobody).await.fate
    });
    // It waits only to let others go first.
    loop {
        if let Poll::Ready(fate) =
            checking.as_mut().poll(&mut TaskContext::from_waker(Waker::noop()))
        {
            return fate;
        }
    }
}

fn used_up() -> Fate {
    let place = Place { table: "pcre:/costly".into(), line: Some(1) };
    Fate::Trouble(LookupError::NoStepsLeft { place }.into())
}

#[test]
fn i1_costly_lines_are_looked_at_while_there_are_steps_and_then_the_mail_waits() {
    let most = lines(COSTLY);
    assert!((100..2_000).contains(&most), "{most}");
    let mail = |lines| format!("Subject: x\r\n\r\n{}", format!("{COSTLY}\r\n").repeat(lines));
    assert_eq!(fate(rules("/no/ OK", PATTERN), &mail(most)), Fate::Accept);
    assert_eq!(fate(rules("/no/ OK", PATTERN), &mail(most + 1)), used_up());
}

#[test]
fn i1_headers_and_lines_of_one_mail_share_the_steps() {
    let half = lines(COSTLY) / 2 + 1;
    let (headers, body) =
        (format!("X: {COSTLY}\r\n").repeat(half), format!("{COSTLY}\r\n").repeat(half));
    let mail = format!("{headers}\r\n{body}");
    assert_eq!(fate(rules(PATTERN, "/no/ OK"), &mail), Fate::Accept);
    assert_eq!(fate(rules("/no/ OK", PATTERN), &mail), Fate::Accept);
    assert_eq!(fate(rules(PATTERN, PATTERN), &mail), used_up());
}

#[test]
fn i1_what_was_decided_before_the_steps_are_used_up_is_not_waved_through() {
    let header = format!("{PATTERN}\n/^Hold/ HOLD\n/^Late/ REJECT late");
    let costly = format!("X: {COSTLY}\r\n").repeat(lines(COSTLY) + 1);
    let after = format!("Hold: x\r\n{costly}Late: x\r\n\r\n");
    assert_eq!(fate(rules(&header, "/no/ OK"), &after), used_up());
    let before = format!("Late: x\r\n{costly}\r\n");
    assert!(matches!(fate(rules(&header, "/no/ OK"), &before), Fate::Reject(_)));
}

#[test]
fn ten_thousand_headers_and_a_long_body_take_no_steps_of_usual_patterns() {
    let usual = "/^(?!From:|To:).*(?<!no )offer$/ REJECT\n/\\b(\\w+) \\1 \\1\\b/ REJECT\n\
                 /^Subject:(?=.*free)(?=.*money)(?!.*refund)/ REJECT\n/<(\\w+)[^>]*>x<\\/\\1>/ REJECT\n";
    let header =
        "Received: from mx.example (mx.example [192.0.2.1]) by x for <a@b.test>; a date\r\n";
    let line = "Some words of a letter, <b>and</b> more of them, in a line as they are.\r\n";
    let mail = format!("{}\r\n{}", header.repeat(10_000), line.repeat(14_000));
    let table = table("pcre:/usual", usual);
    let steps = PatternSteps::all();
    for key in [header.trim_end(), line.trim_end()] {
        assert!(matches!(table.lookup_within(key.as_bytes(), &steps), Step::Done(Ok(None))));
    }
    assert_eq!(steps.left(), PatternSteps::ALL);
    let rules = ChecksRules { body_checks_size_limit: 0, ..rules(usual, usual) };
    assert_eq!(fate(rules, &mail), Fate::Accept);
}
