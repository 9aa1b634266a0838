//! Text and attachments as a person meets them.

use mailweir_content::attachment::Limits;

use super::*;

fn text(source: &str) -> ChecksRules {
    ChecksRules { text_body: tables(source), ..ChecksRules::default() }
}

fn attachments(names: &str, types: &str) -> ChecksRules {
    let (attachment_name, attachment_type) = (tables(names), tables(types));
    ChecksRules { attachment_name, attachment_type, ..ChecksRules::default() }
}

fn tables(source: &str) -> Vec<Arc<Table>> {
    if source.is_empty() {
        return Vec::new();
    }
    vec![load("pcre:/checks", source.as_bytes(), Matching::Text)]
}

const AD: &str = "/오늘만 특가/ REJECT advertising";

#[test]
fn one_rule_finds_a_phrase_in_text_of_any_encoding() {
    // "오늘만 특가" in EUC-KR and base64, in UTF-8 and quoted-printable, in HTML with entities.
    for mail in [
        "Content-Type: text/plain; charset=euc-kr\r\nContent-Transfer-Encoding: base64\r\n\r\n\
         v8C0w7i4IMavsKEK\r\n",
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\
         \r\n=EC=98=A4=EB=8A=98=EB=A7=\r\n=8C =ED=8A=B9=EA=B0=80\r\n",
        "Content-Type: text/html; charset=utf-8\r\n\r\n<p>&#50724;\u{b298}<b>만</b>&nbsp;특<!-- -->가</p>\r\n",
    ] {
        let result = check_under(text(AD), mail);
        assert!(matches!(result.outcome.fate, Fate::Reject(_)), "{mail}: {:?}", result.outcome);
    }
}

#[test]
fn text_checks_change_nothing() {
    let mail = "Subject: a\r\n\r\ngood text\r\n";
    let result = check_under(text("/good/ WARN seen"), mail);
    assert_eq!(result.content, mail);
    assert_eq!(result.told(), ["warn: text good text: seen"]);
}

const ZIPPED: &str = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
    Content-Type: application/octet-stream; name*=utf-8''%EA%B2%AC%EC%A0%81.pdf\r\n\
    Content-Transfer-Encoding: base64\r\n\r\n\
    TVqQAAMAAAAEAAAA//8AALgAAAAAAAAAQAAAAAAAAAA=\r\n--b--\r\n";

#[test]
fn an_attachment_is_known_by_its_name_and_by_what_it_is() {
    let result = check_under(attachments("/^견적\\.pdf$/ WARN a quote", ""), ZIPPED);
    assert_eq!(result.told(), ["warn: attachment name 견적.pdf: a quote"]);
    let result = check_under(
        attachments("", "/msdownload|dosexec|portable-executable/ REJECT a program"),
        ZIPPED,
    );
    assert!(matches!(result.outcome.fate, Fate::Reject(_)), "{:?}", result.outcome);
}

#[test]
fn a_mail_that_programs_read_differently_can_be_refused() {
    let mail = "Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--a\r\n\r\none\r\n--b\r\n\
        \r\ntwo\r\n--b--\r\n--a--\r\n";
    let result =
        check_under(attachments("", "/^message\\/x-several-boundaries$/ REJECT odd"), mail);
    assert!(matches!(result.outcome.fate, Fate::Reject(_)), "{:?}", result.outcome);
}

/// Two boundaries: one mail, two readings. The part of the one is a few bytes ahead of that of the
/// other, which is told first.
#[test]
fn however_many_parts_are_open_the_limits_are_those_of_one_mail() {
    let member = |name: &str| {
        let head = "PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0\x02\0\0\0";
        format!("{head}{name}x")
    };
    let [zero, one, two, three] = ["n0", "n1", "n2", "n3"].map(member);
    let space = " ".repeat(9000);
    let mail = format!(
        "Content-Type: multipart/mixed; boundary=b; boundary=a\r\n\r\n--a\r\n\r\n{zero}\r\n--b\r\n\r\n\
        {one}{two}{space}{three}\r\n--b--\r\n--a--\r\n"
    );
    let seen = |most, piece: usize| {
        let rules = ChecksRules {
            attachment_limits: Limits { max_members: most, ..Limits::default() },
            ..attachments("/^n[0-3]$/ WARN", "/too-many-members/ WARN")
        };
        let (_, outcome) = run(Arc::new(rules), mail.as_bytes().chunks(piece));
        outcome.decisions.iter().map(|one| one.line.to_string()).collect::<Vec<_>>()
    };
    let count = |all: Vec<String>| all.iter().filter(|one| one.starts_with('n')).count();
    assert_eq!(count(seen(100, 1000)), 8);
    assert_eq!(count(seen(3, 1000)), 3);
    for piece in [1, 2, 1023, 4096, 4097, 100_000] {
        assert_eq!(seen(3, piece), seen(3, 1000), "pieces of {piece}");
        assert_eq!(seen(5, piece), seen(5, 1000), "pieces of {piece}");
    }
}

#[test]
fn a_rule_of_attachments_that_would_edit_is_told_and_does_nothing() {
    let result = check_under(attachments("/pdf/ IGNORE", ""), ZIPPED);
    assert_eq!(result.content, ZIPPED);
    assert!(result.outcome.decisions.iter().all(|decision| decision.action.is_err()));
}

#[test]
fn our_own_header_is_seen_and_can_be_edited() {
    let own = "Received: from a.example\r\n\tby gate.example; Sat, 21 Nov 2026 00:00:00 +0000\r\n";
    let seen = |source: &str| {
        now(async {
            let mut checks = ContentChecks::new(Arc::new(rules(source, ""))).unwrap();
            let mut out = Vec::new();
            checks.own_header(own.as_bytes(), &mut out, &Nobody).await;
            checks.feed(b"Subject: a\r\n\r\nb\r\n", &mut out, &Nobody).await;
            let outcome = checks.finish(&mut out, &Nobody).await;
            (String::from_utf8(out).unwrap(), outcome.fate)
        })
    };
    let (content, fate) = seen("/^Received: from a.*by gate/ HOLD look");
    assert_eq!(content, format!("{own}Subject: a\r\n\r\nb\r\n"));
    assert!(matches!(fate, Fate::Hold(_)));
    let (content, _) = seen("/^Received:/ IGNORE");
    assert_eq!(content, "Subject: a\r\n\r\nb\r\n");
    let (content, _) = seen("/^Received:/ PREPEND X-Gate: yes");
    assert_eq!(content, format!("X-Gate: yes\r\n{own}Subject: a\r\n\r\nb\r\n"));
}
