//! How often each symbol is shown by good mail and by spam, that good mail shows next to nothing, and what is held by content
//! and classifier together.
//!
//! The mails are public ones and no part of this repository: `spam/train.tar.xz` of the test data, found beside the
//! checkout or by MAILWEIR_TESTDATA, and unpacked by `tar`. Without them there is nothing to count. MAILWEIR_SHOW may
//! name a symbol whose evidence is printed for each mail.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use mailweir_content::decode::charset::Fallbacks;
use mailweir_mail::Timestamp;

use super::super::{Examined, Examiner};
use crate::{
    bayes::{self, Class, Model},
    decide::Policy,
    evidence::{Own, date_of},
    links::OwnDomains,
    reading::{self, Limits, Listener, read},
    symbols::{Finding, Points, Symbol, Weights},
};

#[test]
#[expect(clippy::disallowed_macros, reason = "its figures are what it is for")]
fn good_mail_shows_next_to_nothing() {
    let Some(folder) = unpacked() else {
        println!("skipped: there is no spam/train.tar.xz, or no tar");
        return;
    };
    let found = |class: &str| -> Vec<Vec<Finding>> {
        let mails = read_all(&folder.path().join(class));
        mails.into_iter().map(|examined| examined.findings).collect()
    };
    let (ham, spam) = (found("ham"), found("spam"));
    let weights = Weights::default();
    println!("{} good mails, {} spam", ham.len(), spam.len());
    for symbol in Symbol::ALL {
        let with =
            |mails: &[Vec<Finding>]| mails.iter().filter(|found| has(found, *symbol)).count();
        let (good, bad) = (with(&ham), with(&spam));
        if good + bad > 0 {
            let share = |count: usize, all: usize| 100.0 * count as f64 / all as f64;
            let (good_share, bad_share) = (share(good, ham.len()), share(bad, spam.len()));
            let weight = weights.of(*symbol).weight;
            println!(
                "{symbol:28} {weight:>5} ham {good:4} {good_share:5.1} %  spam {bad:4} {bad_share:5.1} %"
            );
        }
    }
    let scores = |mails: &[Vec<Finding>]| -> Vec<Points> {
        mails.iter().map(|found| weights.score(found.clone()).total()).collect()
    };
    let (good, bad) = (scores(&ham), scores(&spam));
    let from =
        |scores: &[Points], tenths| scores.iter().filter(|score| score.tenths() >= tenths).count();
    for tenths in [1, 5, 10, 20, 30, 40, 50, 60, 70, 80] {
        let least = Points::from_tenths(tenths);
        println!("from {least:>4}: ham {:4} spam {:4}", from(&good, tenths), from(&bad, tenths));
    }
    assert!(good.len() > 1000 && bad.len() > 1000, "{} {}", good.len(), bad.len());
    let marked = from(&good, 50);
    assert!(
        marked * 500 <= good.len(),
        "{marked} good mails would be marked by what they show alone"
    );
    let strange = from(&good, 20);
    assert!(strange * 100 <= good.len(), "{strange} good mails show more than little");
    assert!(from(&bad, 20) * 4 >= bad.len(), "less than a quarter of spam shows anything");
}

/// The goal: at least 97 in 100 spam mails are held, and at most 2 in 1,000 good mails.
#[test]
#[expect(clippy::disallowed_macros, reason = "a test that is skipped says so")]
fn spam_is_held_and_good_mail_is_not() {
    let Some(folder) = unpacked() else {
        println!("skipped: there is no spam/train.tar.xz, or no tar");
        return;
    };
    let of = |class, name: &str| {
        let mails = read_all(&folder.path().join(name)).into_iter().enumerate();
        mails.map(move |(number, examined)| (class, number % FOLDS, examined))
    };
    let mails: Vec<_> = of(Class::Ham, "ham").chain(of(Class::Spam, "spam")).collect();
    let quarantine = Policy::INBOUND.quarantine.unwrap();
    let weights = Weights::default();
    let (mut good, mut wrong, mut spam, mut caught) = (0, 0, 0, 0);
    for fold in 0..FOLDS {
        let mut model = Model::new(bayes::Limits::default());
        for (class, _, examined) in mails.iter().filter(|(_, other, _)| *other != fold) {
            model.learn(&examined.tokens, *class);
        }
        for (class, _, examined) in mails.iter().filter(|(_, own, _)| *own == fold) {
            let band = Symbol::of_probability(model.judge(&examined.tokens).probability);
            let band = band.map(|symbol| Finding::new(symbol, ""));
            let score = weights.score(examined.findings.iter().cloned().chain(band));
            let is_held = usize::from(score.total() >= quarantine);
            match class {
                Class::Ham => (good, wrong) = (good + 1, wrong + is_held),
                Class::Spam => (spam, caught) = (spam + 1, caught + is_held),
            }
        }
    }
    assert!(good > 1000 && spam > 1000, "{good} {spam}");
    assert!(wrong * 1_000 <= good * 2, "{wrong} of {good} good mails are held");
    assert!(caught * 100 >= spam * 97, "{caught} of {spam} spam mails are held");
}

fn has(found: &[Finding], symbol: Symbol) -> bool {
    found.iter().any(|finding| finding.symbol() == symbol)
}

#[expect(clippy::disallowed_methods, reason = "a test that unpacks mails, if they are there")]
#[expect(clippy::disallowed_types, reason = "a test that unpacks mails, if they are there")]
fn unpacked() -> Option<tempfile::TempDir> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/testdata"));
    let folders = env::var_os("MAILWEIR_TESTDATA").map(PathBuf::from).into_iter().chain(beside);
    let mut archives = folders.map(|folder| folder.join("spam/train.tar.xz"));
    let archive = archives.find(|path| path.exists())?;
    let folder = tempfile::tempdir().ok()?;
    let status = std::process::Command::new("tar")
        .arg("xJf")
        .arg(archive)
        .arg("-C")
        .arg(folder.path())
        .status();
    status.ok()?.success().then_some(folder)
}

#[expect(clippy::disallowed_methods, reason = "a test that reads mails where they are")]
#[expect(clippy::disallowed_macros, reason = "on demand, to look at single mails")]
fn read_all(folder: &Path) -> Vec<Examined> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let wanted = env::var("MAILWEIR_SHOW").unwrap_or_default();
    let mails = paths.iter().map(|path| {
        let examined = examine(&fs::read(path).unwrap());
        for found in examined.findings.iter().filter(|found| found.symbol().name() == wanted) {
            println!("{}: {wanted} {}", path.display(), found.evidence());
        }
        examined
    });
    mails.collect()
}

/// All that one mail shows, as a gateway gathers it.
fn examine(mail: &[u8]) -> Examined {
    let mut came = Came(None);
    read(mail, Limits::default(), Fallbacks::default(), &mut came);
    let own = Own::new(OwnDomains::new(["own.example"]));
    let mut examiner = Examiner::new(Arc::new(own), came.0.unwrap_or(Timestamp::from_secs(0)));
    examiner.feed(mail);
    let mut examined = examiner.finish();
    // Nobody knows when a mail without it came.
    let of_dates = [Symbol::DateFuture, Symbol::DatePast];
    examined.findings.retain(|found| came.0.is_some() || !of_dates.contains(&found.symbol()));
    examined
}

/// The topmost Received that ends in a date says when the mail came.
struct Came(Option<Timestamp>);

impl Listener for Came {
    fn field(&mut self, field: &reading::Field<'_>) {
        if self.0.is_none() && field.depth == 0 && field.is("received") {
            self.0 = field.value.rsplit_once(';').and_then(|(_, date)| date_of(date));
        }
    }
}

/// In the debug build that tests are, five parts take half as long as ten, and find nearly the same.
const FOLDS: usize = 5;
