//! An archive of many mails: how large it is, how fast it is indexed, verified and searched, and in how much memory.
//! The mails are synthetic, and are put into it before there is a server.

use std::{
    io,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::runtime::{self, Runtime};

use super::super::Figure;
use crate::{
    api::Api,
    installation::{Installation, Plan},
    memory,
    synthetic::{Filled, Language, Mail, Mails, Random, fill},
    wait,
};

/// Runs the rows with so many mails.
pub(super) fn measure(count: u64, progress: &mut dyn FnMut(&str)) -> io::Result<Vec<Figure>> {
    let plan = Plan::new().ok_or_else(|| io::Error::other("no program"))?;
    let mut gateway = plan.mx().with_admin().section(ARCHIVE).install();
    let mails = Mails::new();
    let Filled { raw, stored } = filled(&gateway, &mails, count, progress)?;
    let share = stored as f64 / raw as f64 * 100.0;
    progress(&format!("{count} mails of {} bytes, stored in {share:.1} %", raw / count.max(1)));
    let mut figures = vec![Figure::once("stored, of the raw mail", "%", share, "under 60")];
    figures.extend(reindex(&gateway, count, progress)?);
    figures.push(verify(&gateway, stored, progress)?);
    gateway.start();
    figures.extend(search(&gateway, &mails, count, progress)?);
    gateway.stop();
    Ok(figures)
}

fn filled(
    gateway: &Installation,
    mails: &Mails,
    count: u64,
    progress: &mut dyn FnMut(&str),
) -> io::Result<Filled> {
    let mut told = Instant::now();
    fill(&gateway.data_dir().join("archive"), mails, count, None, &mut |done| {
        if told.elapsed() >= BETWEEN_LINES {
            progress(&format!("{done} of {count} mails are in the archive"));
            told = Instant::now();
        }
    })
}

fn reindex(
    gateway: &Installation,
    count: u64,
    progress: &mut dyn FnMut(&str),
) -> io::Result<[Figure; 3]> {
    progress("the index is being made");
    let mut command = Command::new(gateway.binary());
    command.args(["archive", "reindex", "-c"]).arg(gateway.config());
    let begun = Instant::now();
    let (said, peak) = memory::watched(&mut command)?;
    let rate = count as f64 / begun.elapsed().as_secs_f64();
    let _ = said.expect_content();
    let [own, resident] = [peak.own, peak.resident].map(|bytes| bytes as f64 / MB);
    progress(&format!("reindex {rate:.0} mails/s, {own:.0} MB, {resident:.0} MB with the index"));
    Ok([
        Figure::once("reindex", "mails/s", rate, "at least 500"),
        Figure::once("memory of that, its own", "MB", own, "under 250"),
        Figure::once("the same with mapped pages", "MB", resident, ""),
    ])
}

fn verify(
    gateway: &Installation,
    stored: u64,
    progress: &mut dyn FnMut(&str),
) -> io::Result<Figure> {
    let begun = Instant::now();
    let said = gateway.run(&["archive", "verify"]);
    let rate = stored as f64 / MB / begun.elapsed().as_secs_f64();
    if !said.content {
        return Err(io::Error::other(said.text));
    }
    progress(&format!("verify {rate:.0} MB/s"));
    Ok(Figure::once("verify", "MB/s", rate, "at least 200"))
}

/// The same questions twice: the first round brings the index into memory.
fn search(
    gateway: &Installation,
    mails: &Mails,
    count: u64,
    progress: &mut dyn FnMut(&str),
) -> io::Result<[Figure; 3]> {
    let begun = Instant::now();
    let auditor = Auditor::ready(gateway)?;
    let waited = begun.elapsed().as_secs_f64();
    progress(&format!("searches are answered {waited:.1} s after the start"));
    let questions = questions(mails, count);
    auditor.ask_all(&questions)?;
    let (mut times, in_vain) = auditor.ask_all(&questions)?;
    times.sort_by(f64::total_cmp);
    let [p50, p95, p99] = [0.50, 0.95, 0.99].map(|share| quantile(&times, share));
    let asked = questions.len();
    progress(&format!("{asked} searches, {p50:.1}, {p95:.1}, {p99:.1} ms; {in_vain} in vain"));
    Ok([
        Figure::once("search, p50", "ms", p50, ""),
        Figure::once("search, p95", "ms", p95, "under 50"),
        Figure::once("search, p99", "ms", p99, ""),
    ])
}

/// Eight kinds of question in turn, about words of mails that are there.
fn questions(mails: &Mails, count: u64) -> Vec<String> {
    let mut random = Random::new(7);
    (0..QUESTIONS)
        .map(|place| {
            let mut some_mail = || mails.get(random.below(count as usize) as u64);
            let (mail, other) = (some_mail(), some_mail());
            question(place % 8, &mail, &other, &mut random)
        })
        .collect()
}

fn question(kind: usize, mail: &Mail, other: &Mail, random: &mut Random) -> String {
    let [word, second] = [mail.words(1, random), mail.words(1, random)];
    let elsewhere = other.words(1, random);
    match kind {
        0 => word,
        1 => format!("{word} {second}"),
        2 => format!("\"{}\"", mail.words(3, random)),
        3 => format!("subject:{}", first_of_subject(mail)),
        4 => format!("{word} -{elsewhere}"),
        5 => format!("from:{} {word}", mail.sender()),
        6 => format!("{word} OR {elsewhere}"),
        _ => format!("to:{} {word}", mail.recipient()),
    }
}

/// The first word, or in Japanese so many characters as a long one has.
fn first_of_subject(mail: &Mail) -> String {
    match mail.language {
        Language::Japanese => mail.subject.chars().take(4).collect(),
        _ => mail.subject.split(' ').take(1).collect(),
    }
}

/// Who searches by the API, with a connection for each question.
struct Auditor {
    api: Api,
    runtime: Runtime,
}

impl Auditor {
    /// Waits until the index has every mail.
    fn ready(gateway: &Installation) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let auditor = Self { api: Api { address: gateway.admin() }, runtime };
        let found = wait::within(STARTING, || auditor.search("").ok());
        found.ok_or_else(|| io::Error::other("the index does not get ready"))?;
        Ok(auditor)
    }

    /// Milliseconds until each answer, and how many found nothing.
    fn ask_all(&self, questions: &[String]) -> io::Result<(Vec<f64>, usize)> {
        let (mut times, mut in_vain) = (Vec::new(), 0);
        for question in questions {
            let begun = Instant::now();
            let found = self.search(question)?;
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
            in_vain += usize::from(found == 0);
        }
        Ok((times, in_vain))
    }

    /// How many mails are found, if the index has all.
    fn search(&self, question: &str) -> io::Result<u64> {
        let asked = json!({ "query": question, "limit": 50 });
        let reply = self.api.post("Bearer audits", "/api/v1/archive/search", &asked);
        let reply = self.runtime.block_on(reply);
        let told: serde_json::Value = serde_json::from_str(&reply.body).unwrap_or_default();
        match (reply.status, told["behind"].as_u64(), told["count"].as_u64()) {
            (200, Some(0), Some(found)) => Ok(found),
            _ => Err(io::Error::other(format!("{question}: {} {}", reply.status, reply.body))),
        }
    }
}

/// The least value that this share of all is not above; of none 0.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

/// With a token of the API, `audits`.
const ARCHIVE: &str = "[archive]\nenabled = true\n\
     [[admin.api_token]]\nname = \"audits\"\nrights = \"audit\"\n\
     sha256 = \"f5c824725bc77edad80ba3253fe94b86cfd6babe9dd656ef2348a6f886e41a9d\"";

const QUESTIONS: usize = 400;
const MB: f64 = 1_000_000.0;
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// How long a server may need to have its index at hand.
const STARTING: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn so_many_of_a_hundred_are_not_above() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!([0.5, 0.95, 0.99].map(|share| quantile(&hundred, share)), [50.0, 95.0, 99.0]);
        assert_eq!((quantile(&[7.0], 0.95), quantile(&[], 0.95)), (7.0, 0.0));
    }
}
