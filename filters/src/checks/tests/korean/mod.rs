//! The tables of a Korean HOWTO of 2004, as its readers have them: they load unchanged, and each
//! rule does to a mail what it does in Postfix (`postmap -q` of Postfix 3.7 gives the same rules).

use super::*;

/// A header that some rule is about, and the line of that rule.
const SUBJECTS: [(&str, u32); 18] = [
    ("Subject: 오늘의 [광고]", 3),
    ("Subject: (광고) x", 4),
    ("Subject: [광고] x", 3),
    ("Subject: (성인광고) x", 7),
    ("Subject: [성인광고] x", 8),
    ("Subject: [성인] x", 9),
    ("Subject: make money FAST", 10),
    ("To: friend@public.com", 11),
    ("From: x <a@test.com>", 12),
    ("Subject: =?EUC-KR?Q?(=B1=A4=B0=ED)?= x", 13),
    ("Subject: =?euc-kr?[=B1=A4=B0=ED]?=", 14),
    ("Subject: =?ks_c_5601-1987?B?KLGksO0pIA==?=", 15),
    ("Subject: =?ks_c_5601-1987?B?W7GksO1dIA==?=", 16),
    ("Subject: wide        open", 17),
    ("Date: Fri, 1 Mar 2002 10:00:00 +0900", 18),
    ("Date: Fri, 1 Mar 1996 10:00:00 +0900", 19),
    ("Subject: f r.e-e", 20),
    ("Subject: f_r*e\\e", 20),
];

#[test]
fn every_rule_finds_its_mail() {
    for (header, line) in SUBJECTS {
        let outcome = check_mail(header.as_bytes(), HEADER_CHECKS);
        let decision = outcome.decisions.iter().next();
        assert_eq!(decision.and_then(|it| it.place.line), Some(line), "{header}");
        match outcome.fate {
            Fate::Discard => assert!(line <= 16, "{header}"),
            Fate::Reject(refusal) => {
                assert!(line > 16, "{header}");
                assert_eq!(refusal.reply().to_string(), "550 5.7.1 message content rejected");
            }
            fate => panic!("{header}: {fate:?}"),
        }
    }
}

#[test]
fn other_mail_passes() {
    for header in [
        "Subject: 광고 없는 편지",
        "Subject: free",
        "Subject: =?euc-kr?q?[=B1=A4=B0=ED]?=",
        "Date: Fri, 1 Mar 2024 10:00:00 +0900",
        "From: x <a@b.test.com>",
    ] {
        let outcome = check_mail(header.as_bytes(), HEADER_CHECKS);
        assert_eq!((outcome.fate, outcome.decisions.iter().count()), (Fate::Accept, 0), "{header}");
    }
}

#[test]
fn a_table_saved_in_euc_kr_finds_raw_euc_kr() {
    let table = in_euc_kr(HEADER_CHECKS);
    for (header, line) in SUBJECTS.iter().filter(|(_, line)| *line <= 9) {
        let outcome = check_mail(&in_euc_kr(header.as_bytes()), &table);
        let found = outcome.decisions.iter().next().and_then(|it| it.place.line);
        assert_eq!(found, Some(*line), "{header}");
        // Byte for byte, as Postfix matches: the other encoding is another text.
        assert_eq!(check_mail(header.as_bytes(), &table).fate, Fate::Accept);
    }
}

#[test]
fn an_attached_program_is_refused_in_korean() {
    let mail = |name: &str| {
        format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
             Content-Type: application/octet-stream;\r\n\tname=\"{name}\"\r\n\r\nx\r\n--b--\r\n"
        )
    };
    let fate = |name: &str| {
        let rules = ChecksRules {
            header: regexp(HEADER_CHECKS),
            mime_header: Some(regexp(MIME_HEADER_CHECKS)),
            ..ChecksRules::default()
        };
        check_under(rules, &mail(name)).outcome.fate
    };
    let Fate::Reject(refusal) = fate("photo.jpg.EXE") else { panic!() };
    assert_eq!(refusal.reply().to_string(), "550 5.7.1 본 편지는 위험파일 첨부로 거부됩니다.");
    assert_eq!(fate("photo.jpg"), Fate::Accept);
}

fn check_mail(header: &[u8], table: &[u8]) -> Outcome {
    let rules = ChecksRules { header: regexp(table), ..ChecksRules::default() };
    let mail = [b"Received: from x\r\n", header, b"\r\n\r\nx\r\n"].concat();
    run(Arc::new(rules), [&mail[..]]).1
}

fn regexp(source: &[u8]) -> Vec<Arc<Table>> {
    vec![load("regexp:/etc/postfix/header_checks", source, Matching::Bytes)]
}

fn in_euc_kr(text: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(text).unwrap();
    let mut bytes = Vec::new();
    for character in text.chars() {
        match character {
            '광' => bytes.extend_from_slice(b"\xb1\xa4"),
            '고' => bytes.extend_from_slice(b"\xb0\xed"),
            '성' => bytes.extend_from_slice(b"\xbc\xba"),
            '인' => bytes.extend_from_slice(b"\xc0\xce"),
            other => bytes.extend_from_slice(other.to_string().as_bytes()),
        }
    }
    bytes
}

const HEADER_CHECKS: &[u8] = include_bytes!("../../../../../tests/data/korean-howto/header_checks");
const MIME_HEADER_CHECKS: &[u8] =
    include_bytes!("../../../../../tests/data/korean-howto/mime_header_checks");
