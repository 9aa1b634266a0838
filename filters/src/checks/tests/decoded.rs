//! Tables for the mail as a person reads it.

use super::*;

fn decoded(table: &str, mail: &[u8]) -> (Vec<u8>, Outcome) {
    let rules = ChecksRules { decoded_header: text_list(table), ..ChecksRules::default() };
    run(Arc::new(rules), [mail])
}

fn text_list(source: &str) -> Vec<Arc<Table>> {
    vec![load("regexp:/decoded", source.as_bytes(), Matching::Text)]
}

#[test]
fn one_rule_finds_a_subject_in_any_encoding() {
    let subjects: [&[u8]; 4] = [
        "[광고] x".as_bytes(),
        b"=?euc-kr?B?W7GksO1dIHg=?=",
        b"=?utf-8?Q?=5B=EA=B4=91=EA=B3=A0=5D_x?=",
        b"[\xb1\xa4\xb0\xed] x",
    ];
    for subject in subjects {
        let mail = [b"Subject: ", subject, b"\r\n\r\n"].concat();
        let (_, outcome) = decoded(r"/^Subject: \[광고\]/ REJECT no ads", &mail);
        assert!(matches!(outcome.fate, Fate::Reject(_)), "{outcome:?}");
        let decision = outcome.decisions.iter().next().unwrap();
        assert_eq!(
            (decision.context, &*decision.line),
            (Context::DecodedHeader, "Subject: [광고] x")
        );
    }
}

#[test]
fn the_first_rule_counts_whichever_reading_it_matches() {
    let mail = b"Subject: [\xb1\xa4\xb0\xed]\r\n\r\n";
    let (_, outcome) = decoded("/광고/ REJECT\n/^Subject/ DUNNO", mail);
    assert!(matches!(outcome.fate, Fate::Reject(_)), "{outcome:?}");
    let (_, outcome) = decoded("/^Subject/ DUNNO\n/광고/ REJECT", mail);
    assert_eq!(outcome.fate, Fate::Accept);
}

#[test]
fn rules_for_one_header_see_it_however_it_begins() {
    let rules = |decoded: &str, instead: &str| ChecksRules {
        header: list(&format!("/^X-Odd:/ REPLACE {instead}")),
        decoded_header: text_list(decoded),
        ..ChecksRules::default()
    };
    for (decoded, instead) in [
        ("/^Subject: b/ REJECT", "subject: b"),
        ("/^(a|s).*: b/ REJECT", "S: b"),
        ("/^=/ REJECT", "=?utf-8?Q?sub?=: x"),
        ("/^[!-~]: 가/ REJECT", "~: =?euc-kr?B?sKE=?="),
    ] {
        let out = check_under(rules(decoded, instead), "From: a\r\nX-Odd: c\r\n\r\n");
        assert!(matches!(out.outcome.fate, Fate::Reject(_)), "{instead} {:?}", out.outcome);
    }
    let out = check_under(rules("/^Subject: b/ REJECT", "Object: b"), "X-Odd: c\r\n\r\n");
    assert_eq!(out.outcome.fate, Fate::Accept);
}

#[test]
fn an_edit_changes_the_header_as_it_stands_in_the_mail() {
    let mail = b"A: b\r\nSubject: =?utf-8?B?7ZWc?=\r\n =?utf-8?B?6riA?=\r\nC: d\r\n\r\nx\r\n";
    let out = |action: &str| {
        let (out, _) = decoded(&format!("/^Subject: 한글$/ {action}"), mail);
        String::from_utf8(out).unwrap()
    };
    let mail = std::str::from_utf8(mail).unwrap();
    let subject = "Subject: =?utf-8?B?7ZWc?=\r\n =?utf-8?B?6riA?=\r\n";
    assert_eq!(out("IGNORE"), mail.replace(subject, ""));
    assert_eq!(out("REPLACE Subject: Korean"), mail.replace(subject, "Subject: Korean\r\n"));
    assert_eq!(out("PREPEND X-Hangul: yes"), mail.replace("Subject", "X-Hangul: yes\r\nSubject"));
    assert_eq!(out("WARN"), mail);
}

#[test]
fn a_header_is_looked_at_raw_first_and_then_as_it_stands() {
    let rules = ChecksRules {
        decoded_header: text_list("/^X-Name: 한/ PREPEND X-Seen: decoded\n/^Name/ REJECT"),
        ..rules("/^Name: (.*)/ REPLACE X-Name: $1\n/^Gone/ IGNORE", "")
    };
    let result = check_under(rules, "Name: =?utf-8?B?7ZWc?=\r\nGone: Name\r\n\r\n");
    assert_eq!(result.content, "X-Seen: decoded\r\nX-Name: =?utf-8?B?7ZWc?=\r\n\r\n");
    assert_eq!(result.outcome.fate, Fate::Accept);
}

#[test]
fn what_others_read_out_of_the_mail_decides_but_edits_nothing() {
    let rules = Arc::new(ChecksRules {
        attachment_name: text_list("/\\.exe$/ REJECT 5.7.1 no programs\n/\\.txt/ IGNORE"),
        ..ChecksRules::default()
    });
    let look = |name: &str| {
        let mut checks = ContentChecks::new(Arc::clone(&rules)).unwrap();
        let inspection = checks.inspection();
        assert!(
            inspection.asks_for(Context::AttachmentName) && !inspection.asks_for(Context::TextBody)
        );
        let edit = now(inspection.examine(Context::AttachmentName, name.as_bytes(), &Nobody));
        assert_eq!(edit, Edit::Keep);
        now(checks.finish(&mut Vec::new(), &Nobody)).fate
    };
    assert!(matches!(look("계산서.exe"), Fate::Reject(_)));
    assert_eq!(look("read.txt"), Fate::Accept);
}
