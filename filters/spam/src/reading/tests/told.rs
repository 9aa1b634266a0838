//! What is told of mails.

use super::*;

#[test]
fn a_mail_is_told_as_a_person_sees_it() {
    let told = told(MAIL.as_bytes());
    for wanted in [
        "field 0 Subject=Grüße",
        "part multipart/mixed",
        "Plain plain www.example.com",
        "Text www.example.com []",
        "Hidden no",
        "Html Freedom z",
        "Anchor x://y [z]",
        "trouble Ambiguous(Boundaries)",
    ] {
        assert!(told.iter().any(|line| line == wanted), "{wanted} is not in {told:#?}");
    }
    assert!(!told.iter().any(|line| line.contains("x@example.com")), "{told:#?}");
}

#[test]
fn elements_and_hidden_text_within_a_word_do_not_part_it() {
    let html = "Vi<b>a</b><span style=\"Display : NONE !important\">x<span>y</span>z</span>g&#114;a<!-- c -->!";
    let told = told_of("text/html", html);
    assert!(told.contains(&"Html Viagra!".to_owned()), "{told:?}");
    assert!(told.contains(&"Hidden xyz".to_owned()), "{told:?}");
    assert!(told.contains(&"comment  c ".to_owned()), "{told:?}");
}

#[test]
fn what_styles_take_from_sight_is_hidden() {
    for style in
        ["display:none", "x:y;visibility: hidden", "font-size:0px", "opacity:0", "mso-hide:all"]
    {
        let told = told_of("text/html", &format!("<p style='{style}'>a</p>b"));
        assert!(told.contains(&"Hidden a".to_owned()), "{style} {told:?}");
        assert!(told.contains(&"Html b".to_owned()), "{style} {told:?}");
    }
    for style in ["display:block", "font-size:10px", "opacity:0.9", "display", ""] {
        let told = told_of("text/html", &format!("<p style='{style}'>a</p>"));
        assert!(told.contains(&"Html a".to_owned()), "{style} {told:?}");
    }
}

#[test]
fn links_are_told_with_what_they_are_for() {
    let html = "<base href='http://b/'><a href=' http://a/?x=1&amp;y\n=2 '>go <b>there</b></a>\
                <img src=http://i/ alt=picture><form action='/f'><td background=g><a href='#n'>n</a>";
    let told = told_of("text/html", html);
    for wanted in [
        "Other http://b/ []",
        "Anchor http://a/?x=1&y=2 [go there]",
        "Image http://i/ []",
        "Form /f []",
        "Image g []",
    ] {
        assert!(told.iter().any(|line| line == wanted), "{wanted} is not in {told:#?}");
    }
    assert_eq!(told.iter().filter(|line| line.starts_with("Anchor")).count(), 1);
}

#[test]
fn links_in_text_end_where_people_end_them() {
    let cases: [(&str, &[&str]); 8] = [
        ("see (http://a.example/b).", &["http://a.example/b"]),
        (
            "<https://a.example/?b=c&d>, www.b.example!",
            &["https://a.example/?b=c&d", "www.b.example"],
        ),
        ("WWW.A.EXAMPLE/x", &["WWW.A.EXAMPLE/x"]),
        ("awww.a.example is none, nor is ://b or http://", &[]),
        ("日本http://例え.jp/あ 語", &["http://例え.jp/あ"]),
        ("a:b://c", &["b://c"]),
        ("http://a http://b", &["http://a", "http://b"]),
        ("no", &[]),
    ];
    for (line, wanted) in cases {
        let told = told_of("text/plain; charset=utf-8", line);
        let links = told.iter().filter_map(|told| told.strip_prefix("Text "));
        let links: Vec<&str> = links.map(|link| link.trim_end_matches(" []")).collect();
        assert_eq!(links, wanted, "{line}");
    }
}

#[test]
fn text_between_links_is_all_but_them() {
    struct Between(Vec<String>);
    impl Listener for Between {
        fn text(&mut self, text: &Text<'_>) {
            self.0.extend(text.between_links().map(str::to_owned));
        }
    }
    let mut between = Between(Vec::new());
    let mail = b"Content-Type: text/plain\r\n\r\na x://b c\r\n";
    read(mail, Limits::default(), Fallbacks::default(), &mut between);
    assert_eq!(between.0, ["a ", " c"]);
}

#[test]
fn two_listeners_hear_the_same() {
    let mut both = (Record::default(), Record::default());
    read(MAIL.as_bytes(), Limits::default(), Fallbacks::default(), &mut both);
    assert_eq!(both.0.0, both.1.0);
    assert_eq!(both.0.0, told(MAIL.as_bytes()));
}

#[test]
fn a_multipart_without_parts_is_text() {
    let told = told_of("multipart/mixed; boundary=b", "only this\r\n");
    assert!(told.contains(&"Plain only this".to_owned()), "{told:?}");
}

#[test]
fn html_says_its_charset_if_the_part_does_not() {
    let mut mail = b"Content-Type: text/html\r\n\r\n<meta charset=\"euc-kr\"><p>".to_vec();
    mail.extend_from_slice(&[0xb1, 0xa4, 0xb0, 0xed]);
    assert!(told(&mail).contains(&"Html 광고".to_owned()));
}

#[test]
fn attributes_are_told_by_name_and_the_first_of_two_counts() {
    struct First(Option<String>);
    impl Listener for First {
        fn element(&mut self, element: &Element) {
            self.0 = element.attribute("size").map(str::to_owned);
        }
    }
    let mut first = First(None);
    let mail = b"Content-Type: text/html\r\n\r\n<font face=a SIZE='&lt;1' size=2>";
    read(mail, Limits::default(), Fallbacks::default(), &mut first);
    assert_eq!(first.0.as_deref(), Some("<1"));
}
