use super::super::headers::HeaderDecoder;
use super::super::parts::{PartLimits, PartReader};
use super::*;
use proptest::prelude::*;

fn read_within(mail: &[u8], size: usize, limits: TextLimits) -> (Vec<String>, bool) {
    let mut texts = Texts::new(limits, Fallbacks::default());
    let mut lines = Vec::new();
    let mut reader = PartReader::new(PartLimits::default(), HeaderDecoder::default());
    let mut event =
        |event: Event<'_>| texts.event(&event, &mut |line: &str| lines.push(line.to_owned()));
    mail.chunks(size).for_each(|piece| reader.feed(piece, &mut event));
    reader.finish(&mut event);
    (lines, texts.is_cut())
}

fn read(mail: &[u8]) -> Vec<String> {
    let (lines, is_cut) = read_within(mail, usize::MAX, TextLimits::default());
    assert!(!is_cut);
    lines
}

fn read_as(content_type: &str, body: &[u8]) -> Vec<String> {
    read(&[b"Content-Type: ", content_type.as_bytes(), b"\n\n", body].concat())
}

#[test]
fn a_text_reads_the_same_in_every_charset() {
    let bodies: [(&str, &[u8]); 9] = [
        ("utf-8", "광고 세일".as_bytes()),
        ("euc-kr", b"\xb1\xa4\xb0\xed \xbc\xbc\xc0\xcf"),
        ("ks_c_5601-1987", b"\xb1\xa4\xb0\xed \xbc\xbc\xc0\xcf"),
        ("iso-2022-kr", b"\x1b$)C\x0e1$0m\x0f \x0e<<@O\x0f"),
        ("iso-2022-jp-2", b"\x1b$(C1$0m\x1b(B \x1b$(C<<@O\x1b(B"),
        ("utf-7", b"+rRGs4A- +wTjHfA-"),
        ("utf-16", b"\xff\xfe\x11\xad\xe0\xac \0\x38\xc1\x7c\xc7"),
        ("gb18030", b"\x82\x37\xea\x38\x82\x37\xe5\x39 \x83\x31\xf6\x37\x83\x33\x9b\x31"),
        ("us-ascii", b"\xb1\xa4\xb0\xed \xbc\xbc\xc0\xcf"),
    ];
    for (charset, body) in bodies {
        let lines = read_as(&format!("text/plain; charset={charset}"), body);
        assert_eq!(lines.first().map(String::as_str), Some("광고 세일"), "{charset}");
    }
    assert_eq!(read_as("text/plain; charset=iso-2022-jp", b"\x1b$B9-9p\x1b(B"), ["広告"]);
    assert_eq!(read_as("text/plain; charset=shift_jis", b"\x8dL\x8d\x90"), ["広告"]);
    assert_eq!(read_as("text/plain; charset=hz-gb-2312", b"~{9c8f~}"), ["广告"]);
    assert_eq!(read_as("text/plain; charset=big5", b"\xbcs\xa7i"), ["廣告"]);
}

#[test]
fn a_file_reads_as_the_part_with_the_same_bytes() {
    let korean = Charset::for_label(b"euc-kr");
    let cases: [(&str, bool, Option<Charset>, &[u8]); 3] = [
        ("text/plain; charset=euc-kr", false, korean, b"\xb1\xa4\xb0\xed\nnext"),
        ("text/html", true, None, b"<p>one<br>two</p><style>no</style>"),
        ("text/plain", false, None, b"caf\xe9\r\n"),
    ];
    for (content_type, is_html, charset, bytes) in cases {
        let limits = TextLimits::default();
        let mut reader = TextReader::of_file(is_html, charset, limits, Fallbacks::default());
        let mut lines = Vec::new();
        reader.feed(bytes, &mut |line: &str| lines.push(line.to_owned()));
        assert!(!reader.finish(&mut |line: &str| lines.push(line.to_owned())));
        assert_eq!(lines, read_as(content_type, bytes), "{content_type}");
    }
}

#[test]
fn text_without_a_label_has_every_plausible_reading() {
    let lines = read(b"\n\xbcs\xa7i\n");
    assert!(lines.contains(&"廣告".to_owned()), "{lines:?}");
    let lines = read(b"\ncaf\xe9 noir\nplain\n");
    assert_eq!(lines, ["café noir", "plain"]);
}

#[test]
fn flowed_paragraphs_are_one_line() {
    let flowed = "text/plain; format=flowed";
    assert_eq!(read_as(flowed, b"buy \r\nnow \r\nhere\r\nnext\r\n"), ["buy now here", "next"]);
    assert_eq!(
        read_as(flowed, b"> quoted \n> text\nmine \n> theirs\n"),
        ["> quoted text", "mine", "> theirs"]
    );
    assert_eq!(read_as(flowed, b" >stuffed\n-- \nname\n"), [">stuffed", "--", "name"]);
    let delsp = "text/plain; format=flowed; delsp=yes; charset=utf-8";
    assert_eq!(read_as(delsp, "광 \n고\n".as_bytes()), ["광고"]);
    assert_eq!(read_as("text/plain", b"buy \nnow\n"), ["buy", "now"]);
}

#[test]
fn html_is_the_text_that_people_see() {
    let html = "<html><head><title>t</title><style>p{}</style></head><body>\
        <!-- c --><p>Buy <b>V<i>ia</i></b>gra&nbsp;now &amp;\n here<br>next</p>\
        <script>var a = '<p>no</p>';</script><table><tr><td>1<td>2</table>\
        <pre>a\nb</pre><noscript>shown</noscript><div>&#44305;&#xACE0;</div>";
    let wanted = ["Buy Viagra now & here", "next", "1 2", "a", "b", "shown", "광고"];
    assert_eq!(read_as("text/html; charset=utf-8", html.as_bytes()), wanted);
}

#[test]
fn links_are_lines_behind_the_line_they_stand_in() {
    let html = b"<p>Click <a href=\"http://evil.example/?a=1&amp;b\n=2\">here</a> now</p>\
        <img src=cid:1 alt=picture><img src=\"data:image/png;base64,AAAA\"><a href=#top>top</a>";
    let wanted = ["Click here now", "http://evil.example/?a=1&b=2", "picturetop", "cid:1"];
    assert_eq!(read_as("text/html", html), wanted);
}

#[test]
fn what_only_looks_like_a_declared_charset_hides_nothing() {
    for label in ["utf-16", "utf-32", "utf-7", "iso-2022-kr", "koi8-r"] {
        let html = format!("<!-- charset={label} --><p>Buy+AGE- now<p>");
        let html = [html.as_bytes(), b"\xb1\xa4\xb0\xed"].concat();
        let lines = read_as("text/html", &html);
        assert!(lines.contains(&"Buy+AGE- now".to_owned()), "{label}: {lines:?}");
        assert!(lines.contains(&"광고".to_owned()), "{label}: {lines:?}");
    }
}

#[test]
fn text_in_the_style_of_a_drawing_is_read_as_it_is_shown() {
    for begin in ["<svg><style>", "<math><mi><script>", "<svg><title/>", "<svg><iframe>"] {
        let html = format!("<p>before{begin}<style><p>Buy <b>V</b>iagra</p></style>");
        let lines = read_as("text/html", html.as_bytes());
        assert!(lines.contains(&"Buy Viagra".to_owned()), "{begin}: {lines:?}");
    }
    assert_eq!(read_as("text/html", b"<style>p{}</style><script><p>no</p></script>a"), ["a"]);
}

#[test]
fn no_number_of_links_hides_another() {
    let links: String = (0..600).map(|link| format!("<a href=http://a/{link}>x</a>")).collect();
    let lines =
        read_as("text/html", format!("{links}<a href=http://evil.example>y</a>").as_bytes());
    assert!(lines.contains(&"http://evil.example".to_owned()));
    assert_eq!(lines.len(), 602);
}

#[test]
fn html_declares_its_charset_itself_if_the_header_does_not() {
    let html =
        b"<meta http-equiv=Content-Type content=\"text/html; charset=euc-kr\"><p>\xb1\xa4\xb0\xed";
    assert_eq!(read_as("text/html", html)[0], "광고");
    let korean_7 = b"<meta charset=iso-2022-kr><p>\x0e1$0m";
    assert!(read_as("text/html", korean_7).contains(&"광고".to_owned()));
    assert_eq!(read_as("text/html", b"<p>\xb1\xa4\xb0\xed")[0], "광고");
    assert_eq!(read_as("text/html", b"\xff\xfe<\0p\0>\0a\0"), ["a"]);
}

#[test]
fn obfuscation_is_undone() {
    let body = "Ｖｉ\u{200b}ａ\u{ad}ｇｒａ\n\u{3164}a\u{202e}b\n";
    assert_eq!(read_as("text/plain; charset=utf-8", body.as_bytes()), ["Viagra", "ab"]);
}

#[test]
fn attachments_that_are_no_text_give_no_lines() {
    assert!(read_as("application/octet-stream", b"text\n").is_empty());
    assert!(read_as("image/png", b"text\n").is_empty());
}

#[test]
fn preamble_and_epilogue_are_text_too() {
    let mail =
        b"Content-Type: multipart/mixed; boundary=x\n\nbefore\n--x\n\nwithin\n--x--\nbehind\n";
    let mut lines = read(mail);
    lines.sort();
    assert_eq!(lines, ["before", "behind", "within"]);
}

#[test]
fn long_lines_come_in_pieces_that_overlap() {
    let words: Vec<String> = (0..3_000).map(|number| format!("word{number}")).collect();
    let body = words.join(" ");
    let limits = TextLimits { line: 2000, ..TextLimits::default() };
    for mail in [format!("\n{body}"), format!("Content-Type: text/html\n\n<p>{body}")] {
        let (lines, _) = read_within(mail.as_bytes(), usize::MAX, limits);
        assert!(lines.len() > 3 && lines.iter().all(|line| line.len() <= 2000));
        for pair in words.windows(2) {
            let phrase = pair.join(" ");
            assert!(lines.iter().any(|line| line.contains(&phrase)), "{phrase}");
        }
    }
    let lines = read_as("text/plain; charset=utf-8", "광".repeat(60_000).as_bytes());
    assert!(lines.len() > 2 && lines.iter().all(|line| line.chars().all(|letter| letter == '광')));
}

#[test]
fn text_beyond_the_limit_is_told() {
    let mail = [b"Subject: a\n\n".as_slice(), &b"12345678\n".repeat(1000)].concat();
    let limits = TextLimits { text: 100, ..TextLimits::default() };
    let (lines, is_cut) = read_within(&mail, 7, limits);
    assert!(is_cut);
    assert_eq!(lines.concat().len(), 100);
    let html = [b"Content-Type: text/html\n\n".as_slice(), &b"<b>".repeat(1_000_000)].concat();
    assert!(read_within(&html, 4096, TextLimits::default()).1);
}

proptest! {
    #[test]
    fn any_bytes_read_the_same_however_split(
        kind in proptest::sample::select(vec!["text/plain; charset=euc-kr", "text/plain", "text/html",
            "text/plain; format=flowed; delsp=yes; charset=iso-2022-jp", "text/plain; charset=utf-16",
            "text/plain; format=flowed"]),
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b' '), Just(b'>'), Just(b'\n'), Just(b'<')], 0..400),
        size in 1_usize..30,
    ) {
        let mail = [b"Content-Type: ", kind.as_bytes(), b"\n\n", &bytes].concat();
        let whole = read_within(&mail, usize::MAX, TextLimits::default());
        prop_assert_eq!(read_within(&mail, size, TextLimits::default()), whole);
    }

    #[test]
    fn letters_read_the_same_however_split(
        text in "[a ~\r\n\n\t\x0b\x1b]{0,200}", size in 1_usize..30, limit in 0_usize..80,
    ) {
        for text in [text.replace(['\t', '\x0b', '\x1b'], "b"), text] {
            let mail = ["Content-Type: text/plain\n\n", &text].concat();
            let limits = TextLimits { text: limit, ..TextLimits::default() };
            let whole = read_within(mail.as_bytes(), usize::MAX, limits);
            prop_assert_eq!(&read_within(mail.as_bytes(), 1, limits), &whole);
            prop_assert_eq!(read_within(mail.as_bytes(), size, limits), whole);
        }
    }

    #[test]
    fn any_line_limit_keeps_every_phrase(words in proptest::collection::vec("[a-z가-힣]{1,40}", 1..200)) {
        let body = words.join(" ");
        let mail = ["Content-Type: text/plain; charset=utf-8\n\n", &body].concat();
        let limits = TextLimits { line: 0, ..TextLimits::default() };
        let (lines, _) = read_within(mail.as_bytes(), usize::MAX, limits);
        for pair in words.windows(2) {
            let phrase = pair.join(" ");
            prop_assert!(lines.iter().any(|line| line.contains(&phrase)), "{phrase}");
        }
    }
}
