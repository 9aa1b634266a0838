//! How much spam is held, and how much good mail, by content and classifier together: no client, no name servers.
//!
//! `cargo run --release -p mailweir-spam --example quarantine FOLDER [FOLDS] [WEIGHTS]`: the folder has a folder `ham` and a
//! folder `spam` with one mail a file. Judges in so many parts (10 if nothing is said), each by what the others teach; then
//! each half by the other, which are not of the same time. Weights are the default ones, with what the file of an
//! administrator changes. With MAILWEIR_SHOW good mail from 5 points on and spam below 8 are shown with what they score.
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "an example reads files and prints; the crate that it measures is pure"
)]

use std::{
    error::Error,
    path::{Path, PathBuf},
    sync::Arc,
};

use mailweir_content::decode::charset::Fallbacks;
use mailweir_mail::Timestamp;
use mailweir_spam::{
    bayes::{Class, Limits, Model},
    decide::Policy,
    evidence::{Own, date_of},
    examination::{Examined, Examiner},
    links::OwnDomains,
    reading::{self, Field, Listener, read},
    symbols::{Finding, Points, Score, Symbol, Weights},
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("which folder with ham/ and spam/?")?);
    let folds = arguments.next().map_or(Ok(10), |folds| folds.parse())?;
    let mut mails = mails_in(&folder.join("ham"), Class::Ham)?;
    mails.extend(mails_in(&folder.join("spam"), Class::Spam)?);
    let weights = match arguments.next() {
        Some(path) => Weights::with_file(&std::fs::read_to_string(path)?)
            .map_err(|mistakes| format!("{mistakes:?}"))?,
        None => Weights::default(),
    };
    let at = Policy::INBOUND.quarantine.unwrap_or_default();
    let judged = judge(&mails, folds, |mail| mail.number % folds, &weights);
    for fold in 0..folds {
        let part: Vec<_> = judged.iter().filter(|judged| judged.fold == fold).collect();
        line(&format!("part {}", fold + 1), at, &part);
    }
    let all: Vec<_> = judged.iter().collect();
    for tenths in [50, 60, 70, 80, 90, 100] {
        line("all", Points::from_tenths(tenths), &all);
    }
    let count_of = |class| mails.iter().filter(|mail| mail.class == class).count();
    let (ham, spam) = (count_of(Class::Ham), count_of(Class::Spam));
    let half = |mail: &Mail| {
        let count = if mail.class == Class::Ham { ham } else { spam };
        usize::from(mail.number >= count / 2)
    };
    let judged = judge(&mails, 2, half, &weights);
    line("halves", at, &judged.iter().collect::<Vec<_>>());
    if std::env::var_os("MAILWEIR_SHOW").is_some() {
        show(&all, at);
    }
    Ok(())
}

/// Each part by what the others teach.
fn judge<'m>(
    mails: &'m [Mail],
    folds: usize,
    fold_of: impl Fn(&Mail) -> usize,
    weights: &Weights,
) -> Vec<Judged<'m>> {
    let mut judged = Vec::new();
    for fold in 0..folds {
        let mut model = Model::new(Limits::default());
        for mail in mails.iter().filter(|mail| fold_of(mail) != fold) {
            model.learn(&mail.examined.tokens, mail.class);
        }
        for mail in mails.iter().filter(|mail| fold_of(mail) == fold) {
            let opinion = model.judge(&mail.examined.tokens);
            let of_opinion = Symbol::of_probability(opinion.probability);
            let of_opinion = of_opinion.map(|symbol| Finding::new(symbol, ""));
            let findings = mail.examined.findings.iter().cloned().chain(of_opinion);
            judged.push(Judged { mail, fold, score: weights.score(findings) });
        }
    }
    judged
}

struct Mail {
    path: PathBuf,
    class: Class,
    /// Its number in its class.
    number: usize,
    examined: Examined,
}

struct Judged<'m> {
    mail: &'m Mail,
    fold: usize,
    score: Score,
}

fn mails_in(folder: &Path, class: Class) -> Result<Vec<Mail>, Box<dyn Error>> {
    let entries = std::fs::read_dir(folder)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    let own = Arc::new(Own::new(OwnDomains::new(["own.example"])));
    let mails = paths.into_iter().enumerate().map(|(number, path)| {
        let examined = examine(&std::fs::read(&path)?, &own);
        Ok(Mail { path, class, number, examined })
    });
    mails.collect()
}

fn examine(mail: &[u8], own: &Arc<Own>) -> Examined {
    let mut came = Came(None);
    read(mail, reading::Limits::default(), Fallbacks::default(), &mut came);
    let arrival = came.0.unwrap_or(Timestamp::from_secs(0));
    let mut examiner = Examiner::new(Arc::clone(own), arrival);
    examiner.feed(mail);
    let mut examined = examiner.finish();
    // Nobody knows when a mail came that does not say it.
    let of_dates = [Symbol::DateFuture, Symbol::DatePast];
    examined.findings.retain(|found| came.0.is_some() || !of_dates.contains(&found.symbol()));
    examined
}

/// When a mail came, by the topmost Received that ends in a date.
struct Came(Option<Timestamp>);

impl Listener for Came {
    fn field(&mut self, field: &Field<'_>) {
        if self.0.is_none() && field.depth == 0 && field.is("received") {
            self.0 = field.value.rsplit_once(';').and_then(|(_, date)| date_of(date));
        }
    }
}

fn line(part: &str, at: Points, judged: &[&Judged<'_>]) {
    let of = |class| judged.iter().filter(move |judged| judged.mail.class == class);
    let reached = |class| of(class).filter(|judged| judged.score.total() >= at).count();
    let (spam, ham) = (of(Class::Spam).count(), of(Class::Ham).count());
    let (caught, wrong) = (reached(Class::Spam), reached(Class::Ham));
    println!(
        "from {at:>4} {part:>8}: {caught:>5} of {spam:>5} spam ({:6.2} %), {wrong:>3} of {ham:>5} good mails ({:.1} in 1,000)",
        100.0 * caught as f64 / spam.max(1) as f64,
        1000.0 * wrong as f64 / ham.max(1) as f64,
    );
}

fn show(judged: &[&Judged<'_>], at: Points) {
    for Judged { mail, score, .. } in judged {
        let is_odd = match mail.class {
            Class::Ham => score.total() >= Points::from_tenths(50),
            Class::Spam => score.total() < at,
        };
        if is_odd {
            println!("{:?} {}\n    {}", mail.class, mail.path.display(), score.log_line());
        }
    }
}
