//! How well the classifier tells spam from good mail that it has not learned, and what it takes.
//!
//! `cargo run --release -p mailweir-spam --example cross_validate FOLDER [FOLDS] [SHOWN]`: the folder has a folder `ham` and a
//! folder `spam` with one mail a file. Judges in so many parts (10 if nothing is said), each by what the others
//! teach; then each half by the other; and each other mail by those between. Of each the worst mails are
//! shown with the strongest evidence, so many as wanted.
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "an example reads files, measures and prints; the crate that it measures is pure"
)]

use std::{
    error::Error,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use mailweir_spam::{
    bayes::{Class, Clue, Limits, Model, Opinion},
    tokens::{Tokens, of_mail},
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which folder with ham/ and spam/?")?;
    let folds = arguments.next().map_or(Ok(10), |folds| folds.parse())?;
    let shown = arguments.next().map_or(Ok(0), |shown| shown.parse())?;
    let start = Instant::now();
    let mut mails = read(&Path::new(&folder).join("ham"), Class::Ham)?;
    mails.extend(read(&Path::new(&folder).join("spam"), Class::Spam)?);
    let tokens: usize = mails.iter().map(|mail| mail.tokens.as_slice().len()).sum();
    println!(
        "{} mails read in {:?}; {} tokens each",
        mails.len(),
        start.elapsed(),
        tokens.checked_div(mails.len()).unwrap_or_default()
    );
    let splits: [(String, usize, Split); 3] = [
        (format!("{folds} parts"), folds, |number, _, folds| number % folds),
        ("halves".to_owned(), 2, |number, count, _| usize::from(number >= count / 2)),
        ("every other".to_owned(), 2, |number, _, _| number % 2),
    ];
    for (name, folds, split) in splits {
        validate(&name, folds, split, &mails, shown);
    }
    Ok(())
}

/// The part that a mail belongs to, by its number among so many of its class, and how many parts there are.
type Split = fn(usize, usize, usize) -> usize;

struct Mail {
    path: PathBuf,
    class: Class,
    /// Its number in its class.
    number: usize,
    tokens: Tokens,
}

struct Judged<'m> {
    mail: &'m Mail,
    fold: usize,
    opinion: Opinion,
}

fn read(folder: &Path, class: Class) -> Result<Vec<Mail>, Box<dyn Error>> {
    let entries = std::fs::read_dir(folder)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    let mails = paths.into_iter().enumerate().map(|(number, path)| {
        let tokens = of_mail(&std::fs::read(&path)?);
        Ok(Mail { path, class, number, tokens })
    });
    mails.collect()
}

fn validate(name: &str, folds: usize, split: Split, mails: &[Mail], shown: usize) {
    let count_of = |class| mails.iter().filter(|mail| mail.class == class).count();
    let (ham, spam) = (count_of(Class::Ham), count_of(Class::Spam));
    let fold_of =
        |mail: &Mail| split(mail.number, if mail.class == Class::Ham { ham } else { spam }, folds);
    let mut judged = Vec::new();
    let (mut learning, mut judging) = (Duration::ZERO, Duration::ZERO);
    let mut model = Model::new(Limits::default());
    for fold in 0..folds {
        let start = Instant::now();
        model = Model::new(Limits::default());
        for mail in mails.iter().filter(|mail| fold_of(mail) != fold) {
            model.learn(&mail.tokens, mail.class);
        }
        learning += start.elapsed();
        let start = Instant::now();
        for mail in mails.iter().filter(|mail| fold_of(mail) == fold) {
            judged.push(Judged { mail, fold, opinion: model.judge(&mail.tokens) });
        }
        judging += start.elapsed();
    }
    println!(
        "\n{name}: learned in {learning:?}, judged in {judging:?}; the model has {} tokens in {} kB, {} kB stored",
        model.tokens(),
        model.size() / 1000,
        model.to_bytes().len() / 1000
    );
    report(&judged, folds);
    show(&judged, shown);
}

fn report(judged: &[Judged<'_>], folds: usize) {
    println!("{:>12} {:>8} {:>8} {:>16} {:>8}", "at least", "part", "caught", "wrong", "unsure");
    for threshold in [0.6, 0.8, 0.9, 0.95, 0.99, 0.999] {
        if threshold == QUARANTINE {
            for fold in 0..folds {
                let part = judged.iter().filter(|judged| judged.fold == fold);
                line(&(fold + 1).to_string(), threshold, part);
            }
        }
        line("all", threshold, judged.iter());
    }
}

fn line<'j>(part: &str, threshold: f64, judged: impl Iterator<Item = &'j Judged<'j>>) {
    let (mut spam, mut caught, mut ham, mut wrong, mut unsure) = (0, 0, 0, 0, 0);
    for judged in judged {
        let probability = judged.opinion.probability;
        let is_caught = usize::from(probability >= threshold);
        match judged.mail.class {
            Class::Ham => (ham, wrong) = (ham + 1, wrong + is_caught),
            Class::Spam => (spam, caught) = (spam + 1, caught + is_caught),
        }
        unsure += usize::from(probability < threshold && probability > 1.0 - threshold);
    }
    let rate = |part: usize, all: usize, of: f64| of * part as f64 / all.max(1) as f64;
    println!(
        "{threshold:>12} {part:>8} {:>7.2}% {wrong:>4} ({:>4.1}/1000) {unsure:>8}",
        rate(caught, spam, 100.0),
        rate(wrong, ham, 1000.0)
    );
}

fn show(judged: &[Judged<'_>], shown: usize) {
    for class in [Class::Ham, Class::Spam] {
        let mut worst: Vec<_> = judged.iter().filter(|judged| judged.mail.class == class).collect();
        worst.sort_by(|one, other| one.opinion.probability.total_cmp(&other.opinion.probability));
        if class == Class::Ham {
            worst.reverse();
        }
        for Judged { mail, opinion, .. } in worst.into_iter().take(shown) {
            println!("{:?} {:.4} {}", class, opinion.probability, mail.path.display());
            println!("    for spam: {}", texts(&opinion.spam));
            println!("    for ham:  {}", texts(&opinion.ham));
        }
    }
}

fn texts(clues: &[Clue]) -> String {
    let text = |clue: &Clue| format!("{} ({:.3})", clue.text, clue.probability);
    clues.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// The threshold of which each part is told.
const QUARANTINE: f64 = 0.95;
