use super::*;
use proptest::prelude::*;

const WANTED: &str = "Subject: [광고] 봄 세일";

fn read(field: &[u8]) -> Vec<String> {
    HeaderDecoder::default().field(field)
}

#[track_caller]
fn reads(field: &[u8], wanted: &str) {
    assert_eq!(read(field).first().map(String::as_str), Some(wanted));
}

#[test]
fn a_subject_reads_the_same_in_every_encoding() {
    let spellings: [&[u8]; 17] = [
        b"Subject: =?euc-kr?B?W7GksO1dILq9ILy8wM8=?=",
        b"Subject: =?EUC-KR?Q?[=B1=A4=B0=ED]_=BA=BD_=BC=BC=C0=CF?=",
        b"Subject: =?ks_c_5601-1987?B?W7GksO1dILq9ILy8wM8=?=",
        b"Subject: =?cp949*ko?q?=5B=b1=a4=b0=ed=5D=20=ba=bd=20=bc=bc=c0=cf?=",
        // With and without the designation that RFC 1557 wants at the start.
        b"Subject: =?iso-2022-kr?B?GyQpQ1sOMSQwbQ9dIA46PQ8gDjw8QE8P?=",
        b"Subject: =?ISO-2022-KR?Q?[=0E1$0m=0F]_=0E:=3D=0F_=0E<<@O=0F?=",
        b"Subject: =?iso-2022-jp-2?B?WxskKEMxJDBtGyhCXSAbJChDOj0bKEIgGyQoQzw8QE8bKEI=?=",
        "Subject: =?utf-8?B?W+q0keqzoF0g67SEIOyEuOydvA==?=".as_bytes(),
        b"Subject: =?UTF-8?Q?[=EA=B4=91=EA=B3=A0]_=EB=B4=84_=EC=84=B8=EC=9D=BC?=",
        // The same text in two words that part a character, with a fold between them.
        b"Subject: =?utf-8?B?W+q0kQ==?=\n\t=?utf-8?B?6rM=?=\n =?UTF-8?B?oF0g67SEIOyEuOydvA==?=",
        // Padding is missing, junk is there.
        b"Subject: =?utf-8?B?W+q0keqz oF0g67SEIOyEuOydvA?=",
        b"Subject: =?utf-7?Q?[+rRGs4A-]_+vQQ_+wTjHfA-?=",
        b"Subject: =?utf-16be?B?AFutEazgAF0AIL0EACDBOMd8?=",
        b"Subject: [\xb1\xa4\xb0\xed] \xba\xbd \xbc\xbc\xc0\xcf",
        "Subject: [광고] 봄 세일".as_bytes(),
        // Full-width brackets, a zero-width space, conjoining letters.
        "Subject: ［광\u{200b}고］ \u{1107}\u{1169}\u{11b7} 세일".as_bytes(),
        b"Subject: [=?euc-kr?B?saSw7Q==?=] =?utf-8?Q?=EB=B4=84_?= =?euc-kr?B?vLzAzw==?=",
    ];
    for spelling in spellings {
        assert_eq!(read(spelling)[0], WANTED, "{}", spelling.escape_ascii());
    }
}

#[test]
fn japanese_and_chinese_subjects_are_read() {
    reads(b"Subject: =?iso-2022-jp?B?GyRCTCQ+NUJ6OS05cBsoQg==?=", "Subject: 未承諾広告");
    reads(b"Subject: =?shift_jis?B?lqKPs5H4jUyNkA==?=", "Subject: 未承諾広告");
    reads(b"Subject: =?hz-gb-2312?Q?~{9c8f~}_AD?=", "Subject: 广告 AD");
    reads(b"Subject: =?gb2312?B?ueO45g==?=", "Subject: 广告");
    reads(b"Subject: =?big5?B?vHOnaQ==?=", "Subject: 廣告");
}

#[test]
fn raw_bytes_have_every_plausible_reading() {
    let readings = read(b"Subject: \xbc\x73\xa7\x69");
    assert!(readings.contains(&"Subject: 廣告".to_owned()), "{readings:?}");
    let readings = read(b"Subject: caf\xe9 du monde");
    assert!(readings.contains(&"Subject: caf\u{e9} du monde".to_owned()), "{readings:?}");
    assert_eq!(read("Subject: café".as_bytes()).len(), 1);
}

#[test]
fn the_declared_charset_of_the_mail_is_tried_first() {
    let decoder = HeaderDecoder::default().with_declared(Charset::for_label(b"koi8-r"));
    assert_eq!(decoder.field(b"Subject: \xf2\xc5\xcb\xcc\xc1\xcd\xc1")[0], "Subject: Реклама");
}

#[test]
fn words_are_read_wherever_they_stand() {
    reads(b"From: \"=?euc-kr?B?saSw7Q==?=\" <a@b.example>", "From: \"광고\" <a@b.example>");
    reads(b"From: (=?euc-kr?B?saSw7Q==?=) a@b.example", "From: (광고) a@b.example");
    reads(b"Subject: a=?utf-8?Q?b?=c", "Subject: abc");
}

#[test]
fn white_space_vanishes_only_between_words() {
    reads(b"Subject: =?utf-8?Q?a?= \n\t =?utf-8?Q?b?=", "Subject: ab");
    reads(b"Subject: =?utf-8?Q?a?= b =?utf-8?Q?c?=", "Subject: a b c");
}

#[test]
fn what_only_looks_like_a_word_stays() {
    for field in ["Subject: =?utf-8?X?a?=", "Subject: =?utf-8?Q?a", "Subject: =??Q?a?=", "S: =?="] {
        reads(field.as_bytes(), field);
    }
}

#[test]
fn parameters_of_rfc_2231_become_plain_ones() {
    let wanted = "Content-Disposition: attachment; filename=\"[광고].exe\"";
    reads(b"Content-Disposition: attachment; filename*=euc-kr'ko'%5B%B1%A4%B0%ED%5D.exe", wanted);
    reads(
        b"Content-Disposition: attachment;\n filename*0*=utf-8''%5B%EA%B4;\n filename*1*=%91%EA%B3%A0;\n filename*2=\"].exe\"",
        wanted,
    );
    reads(b"Content-Disposition: attachment; filename=\"=?euc-kr?B?W7GksO1dLmV4ZQ==?=\"", wanted);
}

#[test]
fn text_that_is_not_there_for_the_eye_is_gone() {
    reads("Subject: pass\u{ad}w\u{200b}ord\u{202e}".as_bytes(), "Subject: password");
    reads(b"Subject: =?utf-8?Q?a=0D=0Ab=00c=09d?=", "Subject: a  bc d");
    reads("Subject: Ｖｉａｇｒａ".as_bytes(), "Subject: Viagra");
}

#[test]
fn unknown_charsets_are_guessed() {
    reads(b"Subject: =?x-unknown?B?W7GksO1d?=", "Subject: [광고]");
    reads(b"Subject: =?us-ascii?Q?=5B=B1=A4=B0=ED=5D?=", "Subject: [광고]");
}

#[test]
fn starts_of_words_without_ends_cost_one_look_each() {
    let mut field = b"Subject: ".to_vec();
    field.extend(b"=?a?q".repeat(25_000));
    field.extend(b"?=");
    assert_eq!(read(&field).len(), 1);
    let addresses = format!("To: {}", "a@b.example, ".repeat(500_000));
    assert!(read(addresses.as_bytes())[0].len() <= LONGEST_READING);
}

proptest! {
    #[test]
    fn any_field_has_bounded_readings(field in proptest::collection::vec(any::<u8>(), 0..400)) {
        let readings = read(&field);
        prop_assert!(!readings.is_empty() && readings.len() <= Fallbacks::MOST + 2);
        for reading in readings {
            prop_assert!(!reading.chars().any(char::is_control));
        }
    }

    #[test]
    fn any_words_have_bounded_readings(field in "(=\\?|utf-8|iso-2022-kr|\\?|B|Q|=|;|\\*|0|'|%|\"|\\(|\\)| |a){0,60}") {
        let field = format!("Content-Type: {field}");
        prop_assert!(!read(field.as_bytes()).is_empty());
    }
}
