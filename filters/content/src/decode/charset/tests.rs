use super::*;
use proptest::prelude::*;

const LABELS: [&str; 20] = [
    "utf-8",
    "euc-kr",
    "ks_c_5601-1987",
    "iso-2022-kr",
    "iso-2022-jp",
    "iso-2022-jp-2",
    "iso-2022-cn",
    "hz-gb-2312",
    "gb18030",
    "gb2312",
    "big5-hkscs",
    "shift_jis",
    "cp932",
    "euc-jp",
    "utf-7",
    "utf-16",
    "utf-16le",
    "utf-32",
    "utf-32be",
    "koi8-r",
];

fn decode(label: &str, bytes: &[u8]) -> String {
    Charset::for_label(label.as_bytes()).unwrap().decode(bytes)
}

#[test]
fn labels_are_found_as_mail_writes_them() {
    let euc_kr = Charset::for_label(b"euc-kr");
    assert!(euc_kr.is_some());
    for label in [
        "EUC-KR",
        "\"euc-kr\"",
        "'euc-kr';",
        " ks_c_5601-1987 ",
        "cp949",
        "UHC",
        "KSC5601",
        "EUC_KR",
        "euc-kr*ko",
    ] {
        assert_eq!(Charset::for_label(label.as_bytes()), euc_kr, "{label}");
    }
    for label in ["us-ascii", "x-unknown", "", "unknown-8bit", "klingon", "ansi_x3.4-1968"] {
        assert_eq!(Charset::for_label(label.as_bytes()), None, "{label}");
    }
    for label in LABELS {
        assert!(Charset::for_label(label.as_bytes()).is_some(), "{label}");
    }
}

#[test]
fn korean_is_read_in_seven_and_eight_bits() {
    assert_eq!(decode("ks_c_5601-1987", b"\xb1\xa4\xb0\xed \x8c\x63"), "광고 똠");
    assert_eq!(
        decode("iso-2022-kr", b"\x1b$)C\x0e1$0m\x0f ok\n\x0e:=\nplain"),
        "광고 ok\n봄\nplain"
    );
    assert_eq!(decode("iso-2022-kr", b"\xb1\xa4\xb0\xed"), "광고");
}

#[test]
fn japanese_escapes_of_all_extensions_are_read() {
    assert_eq!(decode("iso-2022-jp", b"\x1b$B9-9p\x1b(B ok \x1b(IEZ"), "広告 ok ﾅﾚ");
    assert_eq!(decode("iso-2022-jp", b"\x1b(J\\~a\x1b(B\\"), "\u{a5}\u{203e}a\\");
    // JIS X 0212 (RFC 2237), GB 2312, KS X 1001, Greek (RFC 1554).
    assert_eq!(decode("iso-2022-jp-1", b"\x1b$(D0!\x1b(B"), "丂");
    let mixed = b"\x1b$A9c8f\x1b$(C1$0m\x1b(B\x1b.F\x1bNa";
    assert_eq!(decode("iso-2022-jp-2", mixed), "广告광고α");
    assert_eq!(decode("cp50221", b"\x0eEZ\x0f"), "ﾅﾚ");
}

#[test]
fn chinese_is_read_in_seven_bits() {
    assert_eq!(decode("hz-gb-2312", b"~{9c8f~} ~~ a~\nb"), "广告 ~ ab");
    assert_eq!(decode("iso-2022-cn", b"\x1b$)A\x0e9c8f\x0f"), "广告");
    assert_eq!(decode("iso-2022-cn", b"\x1b$)G\x0e!!\x0fa"), "\u{fffd}a");
}

#[test]
fn unicode_is_read_in_all_widths() {
    assert_eq!(decode("utf-7", b"[+rRGs4A-] 1 +- 1 +2D3eAA."), "[광고] 1 + 1 😀.");
    assert_eq!(decode("utf-16", b"\xff\xfe\x11\xad"), "광");
    assert_eq!(decode("utf-16", b"\xad\x11\xac\xe0"), "광고");
    assert_eq!(decode("utf-16", b"[\0\x11\xad"), "[광");
    assert_eq!(decode("utf-16", b"\xd8\x3d\xde\0\xd8\0"), "😀\u{fffd}");
    assert_eq!(decode("utf-32", b"\0\x01\xf6\0"), "😀");
    assert_eq!(decode("utf-32", b"\xff\xfe\0\0a\0\0\0b"), "a\u{fffd}");
    assert_eq!(decode("utf-8", b"\xef\xbb\xbfa\xffb"), "a\u{fffd}b");
}

#[test]
fn a_character_that_is_cut_short_is_replaced() {
    assert_eq!(decode("iso-2022-kr", b"\x0e1$0"), "광\u{fffd}");
    assert_eq!(decode("hz-gb-2312", b"~{9c8"), "广\u{fffd}");
    assert_eq!(decode("euc-kr", b"\xb1\xa4\xb0"), "광\u{fffd}");
}

#[test]
fn unlabelled_bytes_are_utf_8_or_every_charset_that_explains_them() {
    let fallbacks = Fallbacks::default();
    assert_eq!(fallbacks.readings("광고".as_bytes(), None), ["광고"]);
    assert_eq!(fallbacks.best(b"\xb1\xa4\xb0\xed", None), "광고");
    let readings = fallbacks.readings(b"\x93\xfa\x96\x7b", None);
    assert!(readings.contains(&"日本".to_owned()), "{readings:?}");
    // A UTF-8 text that was cut is still UTF-8.
    assert_eq!(fallbacks.best(b"\xea\xb4\x91\xea\xb3\xa0\xea\xb4", None), "광고\u{fffd}");
    assert_eq!(fallbacks.best(b"\x1b$B9-9p\x1b(B", None), "広告");
}

proptest! {
    #[test]
    fn the_best_reading_is_the_first(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'a'), Just(0xc3), Just(0xa9), Just(0x1b)], 0..40),
        is_declared in any::<bool>(),
    ) {
        let declared = Charset::for_label(b"windows-1252").filter(|_| is_declared);
        let fallbacks = Fallbacks::default();
        let readings = fallbacks.readings(&bytes, declared);
        prop_assert_eq!(Some(&fallbacks.best(&bytes, declared)), readings.first());
    }

    #[test]
    fn any_bytes_read_the_same_however_split(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0x1b), Just(b'$'), Just(b'('),
            Just(b')'), Just(b'C'), Just(b'B'), Just(0x0e), Just(0x0f), Just(b'~'), Just(b'{'), Just(b'+')], 0..200),
        label in proptest::sample::select(LABELS.to_vec()),
        size in 1_usize..9,
    ) {
        let charset = Charset::for_label(label.as_bytes()).unwrap();
        let mut text = String::new();
        let mut decoder = charset.decoder();
        bytes.chunks(size).for_each(|piece| decoder.feed(piece, &mut text));
        decoder.finish(&mut text);
        prop_assert!(text.len() <= bytes.len() * 3 + 8, "{} of {}", text.len(), bytes.len());
        prop_assert_eq!(text, charset.decode(&bytes));
    }
}
