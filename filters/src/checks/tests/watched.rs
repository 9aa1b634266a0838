//! What moderation sees of a mail that the checks look at too.

use mailweir_moderation::{
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

/// What was seen of a mail.
fn watched(checks: ChecksRules, watch: Watch, mail: &str) -> Watch {
    let outcome = now(async {
        let mut checks = ContentChecks::watched(Arc::new(checks), Some(watch)).unwrap();
        let mut out = Vec::new();
        checks.feed(mail.as_bytes(), &mut out, &Nobody).await;
        assert!(!checks.inspection().is_over());
        checks.finish(&mut out, &Nobody).await
    });
    outcome.watch.unwrap()
}

/// Whether the rule would match a mail.
fn matches(checks: ChecksRules, what: What, mail: &str) -> bool {
    let (rules, watch) = watch(what);
    let watch = watched(checks, watch, mail);
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
    rules.judge(&facts, &watch).first().is_some()
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
    assert!(matches(ChecksRules::default(), what, ENCODED));
    let sketch = watched(ChecksRules::default(), Watch::of_shown_mail(), ENCODED).into_sketch();
    assert_eq!(sketch.text, ["카드 4111111111111111".into()]);
    assert_eq!(sketch.attachments, ["plan.pdf".into()]);
    assert!(!sketch.subject.is_empty());
}

#[test]
fn pass_ends_the_checks_and_not_moderation() {
    let what = || What { text: pattern("secret"), ..What::default() };
    let mail = "Subject: x\r\n\r\nsecret\r\n";
    assert!(matches(rules("/^Subject/ PASS", ""), what(), mail));
    assert!(!matches(rules("/^Subject/ PASS", ""), what(), "Subject: x\r\n\r\nopen\r\n"));
}

#[test]
fn the_subject_is_the_one_that_stands_there_in_the_end() {
    let what = || What { subject: pattern("^plain$"), ..What::default() };
    let mail = "Subject: [x] plain\r\n\r\n";
    assert!(!matches(rules("/nothing/ OK", ""), what(), mail));
    assert!(matches(rules("/^Subject: .x. (.*)/ REPLACE Subject: $1", ""), what(), mail));
    assert!(!matches(rules("/^Subject:/ IGNORE", ""), what(), "Subject: plain\r\n\r\n"));
    let attached = "X: y\r\nContent-Type: message/rfc822\r\n\r\nSubject: plain\r\n\r\n";
    assert!(!matches(rules("/nothing/ OK", ""), what(), attached));
}

#[test]
fn each_thing_that_a_rule_can_ask_for_is_read_where_it_alone_is_asked_for() {
    let none = || What::default();
    for what in [
        What { text: pattern("^카드"), ..none() },
        What { attachment_name: pattern(r"\.pdf$"), ..none() },
        What { attachment_type: pattern("pdf"), ..none() },
        What { attachment: true, ..none() },
        What { numbers: vec![mailweir_moderation::numbers::NumberKind::CardNumber], ..none() },
        What { larger_than: Some(100), ..none() },
        none(),
    ] {
        let said = format!("{what:?}");
        assert!(matches(ChecksRules::default(), what, ENCODED), "{said}");
    }
    let what = What { attachment: true, ..none() };
    assert!(!matches(ChecksRules::default(), what, "Subject: x\r\n\r\ntext\r\n"));
}

#[test]
fn a_line_begins_and_ends_where_a_person_reads_it() {
    let plain = "Subject: x\r\n\r\n\t secret words \r\nin plain\r\nlast\r\n";
    let quoted = "Subject: x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
                  =20 secret words=20\r\nin plain\r\nlast\r\n";
    let encoded = "Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\n\
                   CSBzZWNyZXQgd29yZHMgDQppbiBwbGFpbg0KbGFzdA0K\r\n";
    for mail in [plain, quoted, encoded] {
        for (text, is_there) in [
            ("^secret", true),
            ("words$", true),
            ("^in plain$", true),
            ("^last$", true),
            ("^words", false),
            ("\\bin$", false),
        ] {
            let what = || What { text: pattern(text), ..What::default() };
            assert_eq!(matches(ChecksRules::default(), what(), mail), is_there, "{text} {mail}");
            // A table that looks at the same lines changes nothing of that.
            let text_body = list("/words/ INFO");
            let table = ChecksRules { text_body, ..ChecksRules::default() };
            assert_eq!(matches(table, what(), mail), is_there, "{text} {mail}");
        }
    }
}
