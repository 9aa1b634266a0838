//! Mails that want to be more than is looked at.

use super::*;

fn examined_times(head: &str, piece: &str, times: usize) -> Examined {
    let mut examiner = examiner();
    examiner.feed(HEADER.as_bytes());
    examiner.feed(head.as_bytes());
    for _ in 0..times {
        examiner.feed(piece.as_bytes());
    }
    examiner.finish()
}

#[test]
fn e2_of_many_programs_each_symbol_is_told_once() {
    let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    let part = "--b\r\nContent-Type: text/html; name=a.pdf.exe\r\n\r\n<form><script>\r\n";
    let found = examined_times(head, part, 5_000);
    assert!(found.findings.len() < 12, "{:?}", found.findings);
    assert!(symbols(&found).contains(&Symbol::MimeTooLarge));
}

#[test]
fn e1_fields_that_tell_something_are_kept_up_to_a_limit() {
    let field = format!("Subject: {}\r\n", "x".repeat(10_000));
    let found = examined_times("", &field, 200);
    assert_eq!(symbols(&found), [Symbol::DoubledField]);
}

#[test]
fn html_without_an_end_is_looked_at_in_part() {
    let html = "<div style='color:red;font-size:0'><a href=http://a.example/>x";
    let found = examined_times("Content-Type: text/html\r\n\r\n", html, 200_000);
    assert!(symbols(&found).contains(&Symbol::UrlTooMany));
    assert_eq!(found.links.found().len(), 1);
}
