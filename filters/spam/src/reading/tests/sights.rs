//! What is seen of HTML, and what a reader tells besides text.

use super::*;

/// The runs of a document, with whether they are seen.
fn sights(html: &str) -> Vec<(String, Sight)> {
    struct Runs(Vec<(String, Sight)>);
    impl Listener for Runs {
        fn run(&mut self, run: &Run<'_>) {
            self.0.push((run.text.to_owned(), run.sight));
        }
    }
    let mut runs = Runs(Vec::new());
    let mail = format!("Content-Type: text/html; charset=utf-8\r\n\r\n{html}");
    read(mail.as_bytes(), Limits::default(), Fallbacks::default(), &mut runs);
    runs.0
}

fn sight_of(html: &str, text: &str) -> Sight {
    let found = sights(html);
    found.iter().find(|(run, _)| run == text).unwrap_or_else(|| panic!("{html} {found:?}")).1
}

#[test]
fn what_styles_hide_is_not_seen_in_whatever_case_and_unit() {
    for style in [
        "display:none",
        "DISPLAY : None !important",
        "visibility:collapse",
        "mso-hide:all",
        "opacity:0",
        "opacity:4%",
        "font-size:0",
        "FONT-SIZE:1PX",
        "font-size:.1em",
        "font-size:0vw",
        "text-indent:-9999px",
        "position:absolute;left:-2000px",
        "overflow:hidden;max-height:0",
        "height:0px;x;OVERFLOW:Hidden",
    ] {
        assert_eq!(sight_of(&format!("<p style='{style}'>a"), "a"), Sight::Hidden, "{style}");
    }
    for style in [
        "display:block",
        "font-size:12px",
        "font-size:90%",
        "font-size:large",
        "opacity:.5",
        "overflow:hidden",
        "height:0",
        "left:-20px",
        "text-indent:-100%",
        "display",
        "-webkit-text-size-adjust:none",
        "",
    ] {
        assert_eq!(sight_of(&format!("<p style='{style}'>a"), "a"), Sight::Seen, "{style}");
    }
}

#[test]
fn what_is_hidden_ends_where_browsers_end_it() {
    for html in [
        "<div style='display:none'>x</div>a",
        "<div><span style='display:none'>x</div>a",
        "<table><tr><td style='display:none'>x<td>a",
        "<ul><li style='display:none'>x<li>a",
        "<p style='display:none'>x<p>a",
        "<p style='display:none'>x<hr>a",
        "<dl><dt style='display:none'>x<dd>a",
        "<div style='display:none'><div></div>x</div>a",
        "<img style='display:none'>a",
        "<div style='font-size:0'>x<font style='font-size:14px'>a",
    ] {
        assert_eq!(sight_of(html, "a"), Sight::Seen, "{html}");
    }
    for html in [
        "<div style='display:none'><p>x</p>a",
        "<div style='display:none'>x</b>a",
        "<td style='display:none'><table><tr><td>a",
        "<body style='display:none'><p>x</p>a",
        "<div hidden><b style='font-size:14px'>a",
    ] {
        assert_eq!(sight_of(html, "a"), Sight::Hidden, "{html}");
    }
}

#[test]
fn text_in_the_colour_of_its_background_is_invisible_until_a_style_sheet_may_change_that() {
    for (html, sight) in [
        ("<font color=white>a", Sight::Invisible),
        ("<font color=white color=red>a", Sight::Invisible),
        ("<font color=red color=white>a", Sight::Seen),
        ("<body bgcolor=black><font color='#000'>a", Sight::Invisible),
        ("<body bgcolor=black><font color='RGB(255,255,255)'>a", Sight::Seen),
        ("<table bgcolor=navy><tr><td><font color=white>a", Sight::Seen),
        ("<table bgcolor=navy></table><font color=white>a", Sight::Invisible),
        ("<style>x</style><font color=white>a", Sight::Seen),
        ("<font color=white>x<link rel=StyleSheet href=y>a", Sight::Seen),
        ("<style>x</style><font color=white style='background:#fff'>a", Sight::Invisible),
        ("<td background=x.png><font color=white>a", Sight::Seen),
    ] {
        assert_eq!(sight_of(html, "a"), sight, "{html}");
    }
}

#[test]
fn runs_stand_as_they_are_written_and_what_nobody_sees_anyway_is_none() {
    let html =
        "<title>t</title>a &lt;b&gt;\n c<!-- d --><script>e</script><style>f</style><img alt=g>";
    let runs: Vec<_> = sights(html).into_iter().map(|(text, _)| text).collect();
    assert_eq!(runs, ["a <b>\n c"]);
}

#[test]
fn what_one_element_hides_is_not_joined_to_what_another_does() {
    let html = "<p>x<b style='display:none'>one</b>y<b style='display:none'>two</b>z";
    let told = told_of("text/html", html);
    assert!(told.contains(&"Hidden one two".to_owned()), "{told:?}");
    assert!(told.contains(&"Html xyz".to_owned()), "{told:?}");
}

#[test]
fn an_anchor_ends_where_another_begins() {
    let told = told_of("text/html", "<a href=http://a/>one<a name=x>two</a>");
    assert!(told.contains(&"Anchor http://a/ [one]".to_owned()), "{told:?}");
}

#[test]
fn fields_are_told_as_they_came_too_and_parameters_by_name() {
    struct Seen(Vec<(Vec<u8>, Option<String>)>);
    impl Listener for Seen {
        fn field(&mut self, field: &Field<'_>) {
            let charset = field.param("charset").map(str::to_owned);
            self.0.push((field.raw.to_vec(), charset));
        }
    }
    let mut seen = Seen(Vec::new());
    let mail = b"Subject : =?utf-8?Q?a?=\r\n b\xff\r\nContent-Type: text/html; x=charset; CharSet = \"Euc-KR\"\r\n\r\n";
    read(mail, Limits::default(), Fallbacks::default(), &mut seen);
    let subject = (b" =?utf-8?Q?a?=\n b\xff".to_vec(), None);
    let kind = b" text/html; x=charset; CharSet = \"Euc-KR\"".to_vec();
    assert_eq!(seen.0, [subject, (kind, Some("Euc-KR".to_owned()))]);
}

#[test]
fn bytes_of_all_parts_are_told_decoded_and_each_part_that_begins_ends() {
    #[derive(Default)]
    struct Bytes {
        parts: Vec<(PartId, String)>,
        ended: Vec<PartId>,
    }
    impl Listener for Bytes {
        fn part(&mut self, part: &Part) {
            self.parts.push((part.id, String::new()));
        }
        fn data(&mut self, part: PartId, bytes: &[u8]) {
            let (_, text) = self.parts.iter_mut().find(|(id, _)| *id == part).unwrap();
            text.push_str(std::str::from_utf8(bytes).unwrap());
        }
        fn text(&mut self, text: &Text<'_>) {
            assert!(!self.ended.contains(&text.part) && text.line == "see");
        }
        fn end_part(&mut self, part: PartId) {
            self.ended.push(part);
        }
    }
    let mut bytes = Bytes::default();
    let mail = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee\r\n--b\r\n\
        Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--b--\r\n";
    let limits = Limits { texts: 2, ..Limits::default() };
    read(mail, limits, Fallbacks::default(), &mut bytes);
    let texts: Vec<_> = bytes.parts.iter().map(|(_, text)| text.trim_end()).collect();
    assert_eq!(texts, ["", "see", "hello"]);
    let mut ended = bytes.ended;
    ended.sort_unstable();
    assert_eq!(ended, bytes.parts.iter().map(|(id, _)| *id).collect::<Vec<_>>());
}
