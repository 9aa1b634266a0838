//! What moderation sees of a mail that the checks look at too.

use mailweir_moderation::{
    Sketch,
    case::RuleName,
    rule::{Rule, Rules, Watch, What, Who, Whom},
};

use super::*;

fn watch(what: What) -> (Rules, Watch) {
    let name = RuleName { name: "r".into(), place: "mailweir.toml, line 1".into() };
    let rule = Rule { name, who: Who::default(), whom: Whom::default(), what, when: Vec::new() };
    let rules = Rules::new(vec![rule]).unwrap();
    let watch = rules.watch();
    (rules, watch)
}

/// The sketch of a mail, and whether the rule would match it.
fn seen(checks: ChecksRules, what: What, mail: &str) -> (Sketch, bool) {
    let (rules, watch) = watch(what);
    let outcome = now(async {
        let mut checks = ContentChecks::watched(Arc::new(checks), Some(watch)).unwrap();
        let mut out = Vec::new();
        checks.feed(mail.as_bytes(), &mut out, &Nobody).await;
        assert!(!checks.inspection().is_over());
        checks.finish(&mut out, &Nobody).await
    });
    let watch = outcome.watch.unwrap();
    let facts = mailweir_moderation::rule::MailFacts {
        listener: "submission",
        login: None,
        groups: &[],
        credential: None,
        sender: &mailweir_mail::ReversePath::Null,
        recipients: &["x@far.example".parse().unwrap()],
        is_ours: &|_| false,
        is_known: &|_| false,
        size: mail.len() as u64,
        time: mailweir_moderation::rule::LocalTime {
            day: mailweir_moderation::rule::Weekday::Monday,
            minute: 0,
        },
    };
    let matches = rules.judge(&facts, &watch).first().is_some();
    (watch.into_sketch(), matches)
}

const ENCODED: &str = "Subject: =?euc-kr?B?W7Gks7NdIHNhbGU=?=\r\n\
                       Subject: =?utf-8?Q?=5B=EB=8C=80=EC=99=B8=EB=B9=84=5D_offer?=\r\n\
                       MIME-Version: 1.0\r\n\
                       Content-Type: multipart/mixed; boundary=b\r\n\r\n\
                       --b\r\nContent-Type: text/plain; charset=utf-8\r\n\
                       Content-Transfer-Encoding: base64\r\n\r\n\
                       7Lm065OcIDQxMTExMTExMTExMTExMTEK\r\n\
                       --b\r\nContent-Type: application/pdf; name=\"plan.pdf\"\r\n\
                       Content-Disposition: attachment; filename=\"plan.pdf\"\r\n\r\n\
                       %PDF-1.4\r\n--b--\r\n";

fn pattern(text: &str) -> Vec<regex::Regex> {
    vec![What::pattern(text).unwrap()]
}

#[test]
fn moderation_sees_what_a_person_reads_also_where_no_table_asks() {
    let what = What {
        subject: pattern(r"^\[대외비\]"),
        text: pattern("^카드"),
        attachment_name: pattern(r"\.pdf$"),
        attachment_type: pattern("pdf"),
        numbers: vec![mailweir_moderation::numbers::NumberKind::CardNumber],
        ..What::default()
    };
    let (sketch, matches) = seen(ChecksRules::default(), what, ENCODED);
    assert!(matches);
    assert_eq!(sketch.text, ["카드 4111111111111111".into()]);
    assert_eq!(sketch.attachments, ["plan.pdf".into()]);
    assert!(!sketch.subject.is_empty());
}

#[test]
fn pass_ends_the_checks_and_not_moderation() {
    let what = || What { text: pattern("secret"), ..What::default() };
    let mail = "Subject: x\r\n\r\nsecret\r\n";
    assert!(seen(rules("/^Subject/ PASS", ""), what(), mail).1);
    assert!(!seen(rules("/^Subject/ PASS", ""), what(), "Subject: x\r\n\r\nopen\r\n").1);
}

#[test]
fn the_subject_is_the_one_that_stands_there_in_the_end() {
    let what = || What { subject: pattern("^plain$"), ..What::default() };
    let mail = "Subject: [x] plain\r\n\r\n";
    assert!(!seen(rules("/nothing/ OK", ""), what(), mail).1);
    assert!(seen(rules("/^Subject: .x. (.*)/ REPLACE Subject: $1", ""), what(), mail).1);
    assert!(!seen(rules("/^Subject:/ IGNORE", ""), what(), "Subject: plain\r\n\r\n").1);
    let attached = "X: y\r\nContent-Type: message/rfc822\r\n\r\nSubject: plain\r\n\r\n";
    assert!(!seen(rules("/nothing/ OK", ""), what(), attached).1);
}
