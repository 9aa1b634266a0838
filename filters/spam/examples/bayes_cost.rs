//! What it costs to read and judge one mail, for `valgrind --tool=callgrind`.
//!
//! `cargo run --release -p mailweir-spam --example bayes_cost [MAIL] [TIMES] [examine]`: judges the mail in a file, or one of
//! 20 kB that is made up here (`-`), so many times; with `examine` all that a mail shows is looked for, too. Run it with two
//! numbers: the difference is the cost of a mail.
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "an example reads files and prints; the crate that it measures is pure"
)]

use std::{error::Error, hint::black_box, sync::Arc};

use mailweir_mail::Timestamp;
use mailweir_spam::{
    bayes::{Class, Limits, Model},
    evidence::Own,
    examination::Examiner,
    links::OwnDomains,
    tokens::{Tokens, of_mail},
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mail = match arguments.next().filter(|path| path != "-") {
        Some(path) => std::fs::read(path)?,
        None => made_up(0).into_bytes(),
    };
    let times: usize = arguments.next().map_or(Ok(1), |times| times.parse())?;
    let own = Arc::new(Own::new(OwnDomains::new(["own.example"])));
    let tokens_of: &dyn Fn(&[u8]) -> Tokens = match arguments.next().as_deref() {
        Some("examine") => &|mail| examine(mail, &own),
        _ => &of_mail,
    };
    let mut model = Model::new(Limits { least_mails: 10, ..Limits::default() });
    for seed in 1..=20 {
        let class = if seed % 2 == 0 { Class::Ham } else { Class::Spam };
        model.learn(&of_mail(made_up(seed).as_bytes()), class);
    }
    let mut probability = 0.5;
    for _ in 0..times {
        probability = model.judge(&tokens_of(black_box(&mail))).probability;
    }
    println!("{} bytes, {probability:.3}, {} tokens known", mail.len(), model.tokens());
    Ok(())
}

fn examine(mail: &[u8], own: &Arc<Own>) -> Tokens {
    let mut examiner = Examiner::new(Arc::clone(own), Timestamp::from_secs(1_795_474_640));
    examiner.feed(mail);
    let examined = black_box(examiner.finish());
    examined.tokens
}

/// A mail of 20 kB as many are: a plain text, and the same in HTML with tables and links.
fn made_up(seed: u32) -> String {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut text = String::new();
    let mut html = String::from("<html><body bgcolor=\"#ffffff\"><table width=\"100%\">\r\n");
    while text.len() + html.len() < 19_000 {
        let mut line = String::new();
        for _ in 0..12 {
            state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            // Few words are frequent, and many are rare.
            let rank = (state >> 16) % 4_096;
            line.push_str(&format!("w{} ", letters(rank * rank / 4_096)));
        }
        text.push_str(&format!("{}\r\n", line.trim_end()));
        html.push_str(&format!(
            "<tr><td align=\"left\"><font face=\"Arial\" size=\"2\">{line}<a href=\"https://www.example.com/{rank}\">more</a></font></td></tr>\r\n",
            rank = state % 100,
        ));
    }
    format!(
        "From: \"Some Body\" <some.body@example.com>\r\nTo: <else@example.org>\r\nSubject: news of {seed}\r\n\
         Date: Mon, 23 Nov 2026 22:57:20 +0000\r\nMessage-ID: <{seed}.abc@example.com>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/alternative; boundary=\"b1\"\r\n\r\n--b1\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--b1\r\n\
         Content-Type: text/html; charset=utf-8\r\n\r\n{html}</table></body></html>\r\n--b1--\r\n"
    )
}

fn letters(mut number: u32) -> String {
    let mut word = String::new();
    loop {
        word.push(char::from(b'a' + u8::try_from(number % 26).unwrap_or(0)));
        number /= 26;
        if number == 0 {
            return word;
        }
    }
}
