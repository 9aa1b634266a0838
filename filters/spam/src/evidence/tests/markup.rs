//! What HTML shows, and what that of newsletters does not.

use proptest::prelude::*;

use super::{super::*, hear, symbols};
use crate::symbols::Symbol;

fn of_html(html: &str) -> Vec<Symbol> {
    let mut evidence = HtmlEvidence::default();
    hear("text/html; charset=utf-8", html, &mut evidence);
    symbols(&evidence.findings())
}

/// So many letters in words.
fn words(letters: usize) -> String {
    "letters ".repeat(letters / 7)
}

#[test]
fn much_text_that_nobody_sees_is_told() {
    for open in [
        "<div style='display: none'>",
        "<div style='DISPLAY:NONE !important'>",
        "<div hidden>",
        "<p style='font-size:0'>",
        "<span style='font-size:1px;line-height:1px'>",
        "<font style='font-size:.1em'>",
        "<div style='visibility:hidden'>",
        "<div style='opacity:0'>",
        "<div style='max-height:0;overflow:hidden'>",
        "<div style='position:absolute;left:-9999px'>",
        "<div style='text-indent:-9999px'>",
        "<div style='display:none'><b><i style='color:red'>",
    ] {
        assert_eq!(of_html(&format!("{open}{}", words(400))), [Symbol::HtmlHiddenText], "{open}");
    }
}

#[test]
fn text_that_is_seen_is_not_hidden() {
    for open in [
        "<div style='display:block'>",
        "<div style='font-size:0'><span style='font-size:14px'>",
        "<p style='font-size:80%'>",
        "<div style='overflow:hidden;max-height:20px'>",
        "<div style='margin-left:-20px'>",
        "<div style='display:none'></div>",
        "<table><tr><td style='display:none'>x<td>",
        "<ul><li style='display:none'>x<li>",
        "<p style='display:none'>x<p>",
        "<img style='display:none' src=x>",
    ] {
        assert_eq!(of_html(&format!("{open}{}", words(400))), [], "{open}");
    }
}

#[test]
fn a_line_for_previews_is_no_trick() {
    let preview = format!(
        "<div style='display:none;font-size:1px;color:#fff'>{}</div><p>{}",
        words(150),
        words(600)
    );
    assert_eq!(of_html(&preview), []);
    let mobile = format!("<div style='display:none'>{}</div><p>{}", words(400), words(1500));
    assert_eq!(of_html(&mobile), []);
}

#[test]
fn text_in_the_colour_of_its_background_is_told() {
    for open in [
        "<font color=white>",
        "<font color='#fefefe'>",
        "<span style='color:#FFF'>",
        "<span style='color:rgb(255, 255, 255)'>",
        "<body bgcolor=#000000><font color=black>",
        "<body text=#ffffff>",
        "<table><tr><td bgcolor=#336699><font color=#336698>",
        "<div style='background:#eee;color:#efefef'>",
    ] {
        assert_eq!(
            of_html(&format!("{open}{}", words(400))),
            [Symbol::HtmlInvisibleColour],
            "{open}"
        );
    }
    for open in [
        "<font color=red>",
        "<table bgcolor=navy><tr><td><font color=white>",
        "<td background='x.png'><font color=white>",
        "<td style='background:url(x.png)'><font color=white>",
        "<td style='background-image:linear-gradient(red,blue)'><font color=white>",
        "<style>td{background:black}</style><td><font color=white>",
        "<link rel=stylesheet href=x><td><font color=white>",
        "<font color=transparent>",
        "<div style='background-color:transparent;color:black'>",
    ] {
        assert_eq!(of_html(&format!("{open}{}", words(400))), [], "{open}");
    }
}

#[test]
fn words_that_only_filters_see_broken_are_told() {
    for unseen in [
        "<!-- x -->",
        "<zz>",
        "</zz>",
        "<b></b>",
        "<span style='font-size:0'>x</span>",
        "<span style='display:none'>noise</span>",
    ] {
        let html = format!("Vi{unseen}ag{unseen}ra and Ci{unseen}al{unseen}is{unseen}es for all");
        assert_eq!(of_html(&html), [Symbol::HtmlBrokenWords], "{unseen}");
    }
    for seen in [
        "<b>",
        "<br>",
        "<wbr>",
        "</p><p>",
        " <!-- x -->",
        "<!-- x --> ",
        "<o:p></o:p> ",
        "<b>x</b>",
    ] {
        let html = format!("Vi{seen}ag{seen}ra and Ci{seen}al{seen}is{seen}es for all");
        assert_eq!(of_html(&html), [], "{seen}");
    }
    let react = format!("Dear<!-- -->Anna {}", words(3000));
    assert_eq!(of_html(&react), []);
}

#[test]
fn pictures_with_little_text_are_told() {
    let picture = "<a href=http://a.example/><img src=http://a.example/x.jpg></a>";
    assert_eq!(of_html(picture), [Symbol::HtmlOnlyImage]);
    assert_eq!(of_html(&format!("{picture}{}", words(100))), [Symbol::HtmlMostlyImage]);
    assert_eq!(of_html(&format!("{picture}{}", words(500))), []);
    assert_eq!(of_html("See the photo <img src='cid:1'>"), []);
    assert_eq!(of_html("Hello <img src='http://a.example/dot.gif' width=1 height='1px'>"), []);
}

#[test]
fn what_mail_has_no_use_for_is_told() {
    let text = words(500);
    for (html, symbol) in [
        ("<form action=http://a.example/><input type=text></form>", Symbol::HtmlForm),
        ("<input type=PASSWORD>", Symbol::HtmlFormPassword),
        ("<script>x()</script>", Symbol::HtmlScript),
        ("<body onLoad='x()'>", Symbol::HtmlScript),
        ("<meta http-equiv='refresh' content='0;url=http://a.example/'>", Symbol::HtmlRefresh),
        ("<iframe src=http://a.example/></iframe>", Symbol::HtmlEmbeds),
        ("<object data=x></object>", Symbol::HtmlEmbeds),
    ] {
        assert_eq!(of_html(&format!("{html}{html}{text}")), [symbol], "{html}");
    }
    for html in [
        "<meta http-equiv=content-type content='text/html; charset=utf-8'>",
        "<a once=1>x</a>",
        "<script type=application/ld+json>{}</script>",
        "<style>x</style>",
    ] {
        assert_eq!(of_html(&format!("{html}{text}")), [], "{html}");
    }
}

#[test]
fn e1_elements_without_end_cost_no_more_than_others() {
    let deep = format!(
        "{}{}{}",
        "<div style='color:red'>".repeat(12_000),
        words(400),
        "</p></b>".repeat(12_000)
    );
    assert_eq!(of_html(&deep), []);
}

proptest! {
    #[test]
    fn no_document_panics(html in "(<(div|td|p|zz|body|img) (style|bgcolor|width|src)=['\"]?|</(div|td|p|zz)>|[:;#%!.0-9a-f(),-]|>|color|font-size|[\\PC]){0,60}") {
        let _ = of_html(&html);
    }
}
