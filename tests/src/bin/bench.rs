//! `bench [--logins | --rules | --filters | --archive [--mails N] | --moderation [--cases N] | --spam] [--rounds N] [--seconds S] [--json FILE] [--without-mailweir]`: see [`mailweir_tests::bench`].
//!
//! Called by `./bench`, which builds `target/release/mailweir` and names it in `MAILWEIR_BIN`.

use std::{env, error::Error, fs::OpenOptions, io::Write as _, process::ExitCode};

use mailweir_tests::{bench, program, tools};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut settings = bench::Settings { mailweir: program::find(), rounds: 5, seconds: 6.0 };
    let (mut json, mut rows) = (None, Rows::Servers);
    let (mut cases, mut mails) = (100_000, 100_000);
    let mut words = env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--rounds" => settings.rounds = value()?.parse()?,
            "--seconds" => settings.seconds = value()?.parse()?,
            "--json" => json = Some(value()?),
            "--logins" => rows = Rows::Logins,
            "--filters" => rows = Rows::Filters,
            "--rules" => rows = Rows::Rules,
            "--archive" => rows = Rows::Archive,
            "--mails" => mails = value()?.parse()?,
            "--moderation" => rows = Rows::Moderation,
            "--spam" => rows = Rows::Spam,
            "--cases" => cases = value()?.parse()?,
            "--without-mailweir" => settings.mailweir = None,
            _ => return Err(format!("unknown argument {word}").into()),
        }
    }
    if !tools::require(&["postfix", "smtp-sink", "smtp-source"]) {
        return Err("a real Postfix and root are needed".into());
    }
    let mut progress = |line: &str| println!("{line}");
    let (table, lines) = match rows {
        Rows::Servers => {
            let report = bench::run(&settings, &mut progress)?;
            (report.table(), report.json_lines())
        }
        Rows::Logins => {
            let report = bench::logins::run(settings.rounds, settings.seconds, &mut progress)?;
            (report.table(), report.json_lines())
        }
        Rows::Rules => {
            let report = bench::rules::run(&settings, &mut progress)?;
            (report.table(), report.json_lines())
        }
        Rows::Filters => {
            let report = bench::filters::run(&settings, &mut progress)?;
            (report.table(), report.json_lines())
        }
        Rows::Archive => {
            let report = bench::archive::run(&settings, mails, &mut progress)?;
            (report.table(), report.json_lines())
        }
        Rows::Moderation => {
            let report = bench::moderation::run(&settings, cases, &mut progress)?;
            (report.table(), report.json_lines())
        }
        Rows::Spam => {
            let report = bench::spam::run(&settings, &mut progress)?;
            (report.table(), report.json_lines())
        }
    };
    println!("\n{table}");
    if let Some(file) = json {
        let mut file = OpenOptions::new().append(true).create(true).open(file)?;
        file.write_all(lines.as_bytes())?;
    }
    Ok(())
}

/// What is measured.
enum Rows {
    Servers,
    Logins,
    Rules,
    Filters,
    Archive,
    Moderation,
    Spam,
}
