//! The tables of a Korean HOWTO of 2004, unchanged: a mail for each of its rules has the same end
//! at both.

use crate::{
    beside::{Beside, RuleSet},
    outcome::difference,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_rule_of_the_korean_howto_does_what_it_does_in_postfix() {
    let Some(mut beside) = Beside::start(&[SET]).await else { return };
    let mails: Vec<_> = MAILS
        .iter()
        .enumerate()
        .map(|(number, (mail, _))| (format!("{number}@client.example"), content(mail)))
        .collect();
    beside.send(SET.name, &mails).await;
    let outcomes = beside.outcomes().await;
    for (number, (mail, end)) in MAILS.iter().enumerate() {
        let both = &outcomes[&format!("{number}@client.example")];
        let difference = difference(&both.postfix, &both.gateway);
        assert_eq!(both.postfix, both.gateway, "{mail}\n{difference}");
        let reply = match end {
            End::Discarded | End::Delivered => "250 2.0.0 Ok: ",
            End::Rejected => "550 5.7.1 message content rejected",
            End::Dangerous => "550 5.7.1 본 편지는 위험파일 첨부로 거부됩니다.",
        };
        assert_eq!(both.gateway.reply, reply, "{mail}");
        let arrives = matches!(end, End::Delivered);
        assert_eq!(both.gateway.copies.len(), usize::from(arrives), "{mail}");
    }
}

/// A whole mail with this header, or this header of a part.
fn content(header: &str) -> Vec<u8> {
    let rest = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
    let mail = match header.strip_prefix("Content-Type") {
        None => format!("{header}\r\n{rest}\r\ntext\r\n--b--\r\n"),
        Some(_) => format!("Subject: a file\r\n{rest}{header}\r\n\r\ntext\r\n--b--\r\n"),
    };
    mail.into_bytes()
}

enum End {
    Discarded,
    Rejected,
    Dangerous,
    Delivered,
}

const MAILS: [(&str, End); 27] = [
    ("Subject: 오늘의 [광고]", End::Discarded),
    ("Subject: 오늘의 (광고) x", End::Discarded),
    ("Subject: [광고] x", End::Discarded),
    ("Subject: (광고) x", End::Discarded),
    ("Subject: (성인광고) x", End::Discarded),
    ("Subject: [성인광고] x", End::Discarded),
    ("Subject: [성인] x", End::Discarded),
    ("Subject: make money FAST", End::Discarded),
    ("To: friend@public.com", End::Discarded),
    ("From: x <a@test.com>", End::Discarded),
    ("Subject: =?EUC-KR?Q?(=B1=A4=B0=ED)?= x", End::Discarded),
    ("Subject: =?euc-kr?[=B1=A4=B0=ED]?=", End::Discarded),
    ("Subject: =?ks_c_5601-1987?B?KLGksO0pIA==?=", End::Discarded),
    ("Subject: =?ks_c_5601-1987?B?W7GksO1dIA==?=", End::Discarded),
    ("Subject: wide        open", End::Rejected),
    ("Date: Fri, 1 Mar 2002 10:00:00 +0900", End::Rejected),
    ("Date: Fri, 1 Mar 1996 10:00:00 +0900", End::Rejected),
    ("Subject: f r.e-e", End::Rejected),
    ("Subject: f_r*e\\e", End::Rejected),
    ("Content-Type: application/octet-stream; name=\"photo.jpg.EXE\"", End::Dangerous),
    ("Content-Type: application/octet-stream;\r\n\tname=\"photo.vbs\"", End::Dangerous),
    ("Content-Type: application/octet-stream;\r\n\tname=\"photo.jpg\"", End::Delivered),
    ("Subject: 광고 없는 편지", End::Delivered),
    ("Subject: free", End::Delivered),
    ("Subject: =?euc-kr?q?[=B1=A4=B0=ED]?=", End::Delivered),
    ("Date: Fri, 1 Mar 2024 10:00:00 +0900", End::Delivered),
    ("From: x <a@b.test.com>", End::Delivered),
];

const SET: RuleSet = RuleSet {
    name: "korean",
    tables: &[
        ("header_checks", "regexp", include_str!("../../data/korean-howto/header_checks")),
        (
            "mime_header_checks",
            "regexp",
            include_str!("../../data/korean-howto/mime_header_checks"),
        ),
    ],
};
