//! One rule for what a person reads finds it however it was encoded, through the whole gateway.

use std::fs;

use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn one_rule_finds_a_subject_in_every_encoding() {
    let story =
        Story::with("decoded_header_checks", "/^Subject: \\[광고\\]/ REJECT an advertisement")
            .await;
    for subject in [
        "[광고] 특가".as_bytes(),
        b"[\xb1\xa4\xb0\xed] \xc6\xaf\xb0\xa1",
        b"=?UTF-8?B?W+q0keqzoF0g7Yq56rCA?=",
        b"=?utf-8?q?=5B=EA=B4=91=EA=B3=A0=5D?= =?utf-8?q?_=ED=8A=B9=EA=B0=80?=",
        b"=?EUC-KR?B?W7GksO1dIMavsKE=?=",
        b"=?euc-kr?Q?[=B1=A4=B0=ED]_=C6=AF=B0=A1?=",
        b"=?ks_c_5601-1987?B?W7GksO1dIMavsKE=?=",
        b"=?cp949?B?W7GksO1dIMavsKE=?=",
        b"=?ISO-2022-KR?B?WxskKUMOMSQwbQ9dIA5GLzAhDw==?=",
        b"=?utf-7?Q?[+rRGs4A-]_+0rmsAA-?=",
        b"=?utf-8?B?W+q0kQ==?=\r\n =?euc-kr?B?sO1d?= plain",
        b"=?utf-8?B?W+q0?=\r\n =?utf-8?B?keqzoF0=?=",
        b"[=?utf-8?B?6rSR6rOg?=]",
    ] {
        let content = [b"Subject: ", subject, b"\r\n\r\ntext\r\n"].concat();
        story.expect(&content, Some("550 5.7.1 an advertisement")).await;
    }
    for subject in ["광고 [1]", "=?utf-8?B?6rSR6rOg?=", "[=?utf-8?B?6rSR?= x =?utf-8?B?6rOg?=]"] {
        story.expect(format!("Subject: {subject}\r\n\r\ntext\r\n").as_bytes(), None).await;
    }
    story.sink.expect(3).await;
}

#[tokio::test]
async fn one_rule_finds_a_phrase_in_every_kind_of_text() {
    let story = Story::with("text_body_checks", "/당첨되셨습니다/ REJECT a lottery").await;
    for text in [
        "Content-Type: text/plain; charset=euc-kr\r\nContent-Transfer-Encoding: base64\r\n\r\n\
         tOfDt7XHvMy9wLTPtNk=\r\n",
        "Content-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\n\
         =EB=8B=B9=EC=B2=A8=EB=90=98=EC=85=\r\n=A8=EC=8A=B5=EB=8B=88=EB=8B=A4\r\n",
        "Content-Type: text/html; charset=utf-8\r\n\r\n\
         <p>&#45817;&#52392;<b>되셨</b>습니다</p>\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
         Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\n당첨되셨습니다\r\n--b--\r\n",
    ] {
        story.expect(text.as_bytes(), Some("550 5.7.1 a lottery")).await;
    }
    story.expect("Subject: 당첨되셨습니다\r\n\r\n당첨\r\n".as_bytes(), None).await;
    let text = story.sink.expect_one().await.text();
    assert!(text.ends_with("Subject: 당첨되셨습니다\r\n\r\n당첨\r\n"), "{text}");
}

#[tokio::test]
async fn one_rule_finds_a_name_however_it_is_written() {
    let story = Story::with("attachment_name_checks", "/(^|\\/)(.*)\\.exe$/ REJECT $2.exe").await;
    for (header, name) in [
        ("Content-Disposition: attachment; filename=photo.exe", "photo"),
        ("Content-Type: application/x; name=\"photo.EXE\"", "photo"),
        ("Content-Disposition: attachment; filename*=utf-8''%EC%82%AC%EC%A7%84.exe", "사진"),
        ("Content-Disposition: attachment; filename*=euc-kr''%BB%E7%C1%F8.exe", "사진"),
        (
            "Content-Disposition: attachment;\r\n filename*0=pho;\r\n filename*1=\"to.e\";\r\n \
             filename*2=xe",
            "photo",
        ),
        ("Content-Disposition: attachment; filename=\"=?utf-8?B?7IKs7KeELmV4ZQ==?=\"", "사진"),
        ("Content-Disposition: attachment; filename=\"=?euc-kr?B?u+fB+C5leGU=?=\"", "사진"),
        ("Content-Disposition: attachment; filename=사진.exe", "사진"),
    ] {
        let refusal = format!("550 5.7.1 {name}.exe");
        story.expect(&attached(header, "eA=="), Some(&refusal)).await;
    }
    for archive in [ZIP_OF_EVIL, TAR_GZ_OF_EVIL] {
        let mail = attached("Content-Disposition: attachment; filename=docs", archive);
        story.expect(&mail, Some("550 5.7.1 *evil.exe")).await;
    }
    let inner = attached("Content-Disposition: attachment; filename=a.exe", "eA==");
    let nested = [b"Content-Type: message/rfc822\r\n\r\n", &inner[..]].concat();
    story.expect(&nested, Some("550 5.7.1 a.exe")).await;
    let harmless = attached("Content-Disposition: attachment; filename=photo.exe.jpg", "eA==");
    story.expect(&harmless, None).await;
    story.sink.expect_one().await;
}

#[tokio::test]
async fn a_program_is_one_under_any_name() {
    let rule = "/^application\\/x-dosexec$/ REJECT a program";
    let story = Story::with("attachment_type_checks", rule).await;
    for content in [PROGRAM, ZIP_OF_PROGRAM] {
        let header = "Content-Type: text/plain; name=readme.txt";
        story.expect(&attached(header, content), Some("550 5.7.1 a program")).await;
    }
    let inner = attached("Content-Type: image/png; name=a.png", PROGRAM);
    let nested = [b"Content-Type: message/rfc822\r\n\r\n", &inner[..]].concat();
    story.expect(&nested, Some("550 5.7.1 a program")).await;
    story.expect(&attached("Content-Type: text/plain; name=setup.exe", "eA=="), None).await;
    story.sink.expect_one().await;
}

/// A gateway with one rule of one kind, in front of a sink.
struct Story {
    gateway: Gateway,
    sink: Sink,
    _tables: tempfile::TempDir,
}

impl Story {
    async fn with(key: &str, rule: &str) -> Self {
        let tables = tempfile::tempdir().unwrap();
        let file = tables.path().join(key);
        fs::write(&file, format!("{rule}\n")).unwrap();
        let sink = Sink::start(Script::smtp()).await;
        let lines = format!("{key} = [\"pcre:{}\"]", file.display());
        let gateway = Gateway::start(&Setup::before(&sink).section("checks", &lines)).await;
        Self { gateway, sink, _tables: tables }
    }

    async fn expect(&self, content: &[u8], refusal: Option<&str>) {
        let answer = self.gateway.submit(mail().content(content)).await;
        match refusal {
            Some(reply) => answer.expect_refused(reply),
            None => drop(answer.expect_accepted()),
        }
    }
}

/// A mail with an attachment of this header and content in base64.
fn attached(header: &str, base64: &str) -> Vec<u8> {
    let mail = format!(
        "Subject: a file\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\n\r\ntext\r\n--b\r\n{header}\r\nContent-Transfer-Encoding: base64\r\n\r\n\
         {base64}\r\n--b--\r\n"
    );
    mail.into_bytes()
}

/// The begin of a program for Windows.
const PROGRAM: &str = "TVqQAAMAAAAEAAAA//8AALgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgAAAAA4fug4AtAnNIQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABQRQAATAEAAAAAAAAAAAAAAAAAAAAAAAAAAA==";

/// The same, packed as readme.txt.
const ZIP_OF_PROGRAM: &str = "UEsDBBQAAAAIAAAAIQDTIJ5DLQAAAJoAAAAKAAAAcmVhZG1lLnR4dPONmsDAzMDAwALE//8zMOxgIB40ADGf/C4+hi2cZxVJ0IcMAlwZGHwYsckAAFBLAQIUAxQAAAAIAAAAIQDTIJ5DLQAAAJoAAAAKAAAAAAAAAAAAAACAAQAAAAByZWFkbWUudHh0UEsFBgAAAAABAAEAOAAAAFUAAAAAAA==";

/// docs/evil.exe in a zip archive, and in a tar archive that is packed.
const ZIP_OF_EVIL: &str = "UEsDBBQAAAAAAAAAIQCDFtyMAQAAAAEAAAANAAAAZG9jcy9ldmlsLmV4ZXhQSwECFAMUAAAAAAAAACEAgxbcjAEAAAABAAAADQAAAAAAAAAAAAAAgAEAAAAAZG9jcy9ldmlsLmV4ZVBLBQYAAAAAAQABADsAAAAsAAAAAAA=";
const TAR_GZ_OF_EVIL: &str = "H4sIAHviAWsC/+3NOwrCUBQE0LuUrEBfNGQ/QV8hBATzIcvPxUrsFcRzmhmmmev9Mh3rehsPdavxGSX1XffM9J6pfem5t+V86qMp8QXLNA+PvI//tAUAAAAAAAAAAAC/aAd8C6QKACgAAA==";
