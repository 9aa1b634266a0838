//! What a model learns and says.

mod corpus;
mod keeping;
mod languages;
mod learning;

use super::*;
use crate::tokens::of_mail;

const FEW: Limits = Limits { tokens: 10_000, least_mails: 5 };

/// The tokens of a mail with this subject and text.
fn mail(subject: &str, body: &str) -> Tokens {
    let mail = format!(
        "From: <a@example.com>\r\nTo: <b@example.org>\r\nSubject: {subject}\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
    );
    of_mail(mail.as_bytes())
}

/// A model that has learned so many mails of each, one of the texts in turn, each with a word of its own.
fn taught(limits: Limits, ham: (usize, &[&str]), spam: (usize, &[&str])) -> Model {
    let mut model = Model::new(limits);
    for (class, (count, texts)) in [(Class::Ham, ham), (Class::Spam, spam)] {
        for number in 0..count {
            let text = texts[number % texts.len()];
            model.learn(&mail("hello", &format!("{text} {}", word(number))), class);
        }
    }
    model
}

/// A word for a number.
fn word(number: usize) -> String {
    let digits = number.to_string();
    digits.bytes().map(|digit| char::from(b'a' + digit - b'0')).collect()
}
