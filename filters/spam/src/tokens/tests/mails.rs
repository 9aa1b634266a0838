//! Tokens of whole mails: what is one, and what is none.

use super::*;

const HEADER: &str = "From: \"Best Offers\" <promo123@mail.shop.example>\r\nReply-To: <x@other.example>\r\n\
    To: <kim.minsu@example.org>\r\nSubject: Dear Minsu, FREE gift on Monday\r\n\
    Date: Mon, 23 Nov 2026 22:57:20 +0000\r\nMessage-ID: <20261123.4711@[192.0.2.1]>\r\nX-Mailer: Bulk Mailer 3.1\r\n\
    X-Priority: 1 (Highest)\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=\"ISO-8859-1\"\r\n";

const BODY: &str = "<body bgcolor=red>Hi kim, click <a href='http://192.0.2.7:8080/cgi-bin/remove?id=4711'>\
    http://bank.example/</a> in November <img src=https://img.shop.example/x.gif width=1 height=1>";

#[test]
fn what_tells_spam_from_good_mail_is_a_token() {
    let texts = texts(&format!("{HEADER}\r\n{BODY}"));
    assert_has(
        &texts,
        &[
            "subject:free",
            "subject:free gift",
            "free gift",
            "capitals:free",
            "from:best offers",
            "from-domain:shop.example",
            "from-domain:.example",
            "from:digits in the address",
            "reply-to:other domain",
            "reply-to:other.example",
            "recipients:to one",
            "recipients:to without a name",
            "message-id:9.9",
            "message-id:domain is a number",
            "message-id:other domain",
            "mailer:bulk mailer",
            "header:x-priority=1",
            "header:date a, 9 a 9 9:9:9 +9",
            "header:no user-agent",
            "part:text/html",
            "part:charset iso-8859-1",
            "part:HTML alone",
            "html:body bgcolor",
            "html:img width 1",
            "link:host is a number",
            "link:port",
            "link:query",
            "link:/remove",
            "link:shows another host",
            "host:img.shop.example",
            "host:shop.example",
            "click",
        ],
    );
}

#[test]
fn what_is_true_of_one_day_or_mailbox_is_none() {
    let texts = texts(&format!("{HEADER}\r\n{BODY}"));
    for text in &texts {
        for other in ["minsu", "kim", "monday", "november", "2026", "4711", "23"] {
            assert!(!text.contains(other), "{text}");
        }
    }
    assert_has(&texts, &["subject:dear (recipient)", "(recipient)"]);
}

#[test]
fn the_way_of_a_mail_and_the_marks_of_others_change_nothing() {
    let mail = format!("{HEADER}\r\n{BODY}");
    let marks = "From x@example.com Mon Nov 23 22:57:20 2026\n\
        Return-Path: <a@b.example>\r\nDelivered-To: kim.minsu@example.org\r\nReceived: from a by b; Mon, 23 Nov 2026\r\n\
        X-Spam-Status: Yes, score=99\r\nX-Spam-Flag: YES\r\nStatus: RO\r\nX-Keywords: \r\nX-Status: \r\nDelivery-Date: x\r\n\
        Authentication-Results: c; spf=fail\r\nX-Virus-Scanned: clamav\r\n";
    let marked = format!("{marks}{mail}");
    assert_eq!(texts(&marked), texts(&mail));
    let hash = |mail: &str| of_mail(mail.as_bytes()).mail_hash();
    assert_eq!(hash(&marked), hash(&mail));
    let later = mail.replace("23 Nov 2026 22", "24 Dec 2027 11").replace("4711", "4812");
    assert_eq!(hash(&later), hash(&mail));
    assert_ne!(hash(&mail.replace("gift", "book")), hash(&mail));
}

#[test]
fn hashes_are_those_of_the_version() {
    // A change here is a new `VERSION`: what was learned is lost.
    let tokens = of_mail(b"Subject: free money\r\n\r\n");
    let hash = |wanted: &str| {
        let token = tokens.as_slice().iter().find(|token| tokens.text(token) == wanted);
        token.map(Token::hash)
    };
    assert_eq!(VERSION, 1);
    assert_eq!(hash("free"), Some(hash_of_free()));
    assert_ne!(hash("subject:free"), hash("free"));
    assert!(hash("free money").is_some());
}

/// FNV-1a and the last step of MurmurHash3, written down once more.
fn hash_of_free() -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in b"\0free" {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[test]
fn attachments_are_told_by_type_and_extension() {
    let mail = "Content-Type: multipart/mixed; boundary=\"----=_NextPart_000_1\"\r\n\r\n------=_NextPart_000_1\r\n\
        Content-Type: application/octet-stream; name=\"Invoice.PDF.exe\"\r\n\
        Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nTVo=\r\n------=_NextPart_000_1--\r\n";
    let wanted = [
        "part:application/octet-stream",
        "part:attachment",
        "part:file .exe",
        "part:encoding base64",
        "part:boundary ----=_NextPart__",
    ];
    assert_has(&texts(mail), &wanted);
}
