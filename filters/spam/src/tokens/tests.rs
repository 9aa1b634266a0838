//! What mails are made of.

mod bounds;
mod mails;
mod split;

use super::*;

/// The texts of all tokens of a mail.
fn texts(mail: &str) -> Vec<String> {
    let tokens = of_mail(mail.as_bytes());
    tokens.as_slice().iter().map(|token| tokens.text(token)).collect()
}

/// Those of a text in UTF-8.
fn texts_of(body: &str) -> Vec<String> {
    texts(&format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{body}"))
}

fn assert_has(texts: &[String], wanted: &[&str]) {
    for wanted in wanted {
        assert!(texts.iter().any(|text| text == wanted), "{wanted} is not in {texts:#?}");
    }
}
