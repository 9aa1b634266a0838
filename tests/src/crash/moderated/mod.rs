//! `kill -9` while mail waits for people and people decide about it.
//!
//! Some of the mail passes and some waits; two administrators approve and reject what waits through the
//! control socket. The program is killed at random, and at chosen moments: as a hold is
//! acknowledged, as a decision is asked for or acknowledged, as a mail or a notice arrives at the
//! sink and is not answered yet. At the end the [`Book`] compares what was promised with what came,
//! and with what lies in the store.

mod book;
mod people;

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use mailweir::{
    control::operation::{Answer, Operation, Place as QueuePlace},
    store::Store,
};
use mailweir_mail::QueueId;
use mailweir_moderation::{
    case_file::CaseFile,
    search::{Query, StateFilter},
};
use mailweir_queue::{Filter, Listed, Listing, StoredCases};

pub use self::book::{Book, Outcome};
use self::{
    book::{Found, Moment},
    people::{Administrator, Submitter, Telephone},
};
use super::{Place, content, sink::Sink};
use crate::{chance::Chance, program::Program, wait};

/// What to do and for how long.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program under test.
    pub binary: PathBuf,
    /// How often it is killed.
    pub cycles: u32,
    /// Where chance begins.
    pub seed: u64,
    /// Whether the moderator's notices are gathered, or each goes out by itself.
    pub gathers: bool,
}

/// Runs all cycles, waits until nothing is owed any more, and judges.
///
/// # Errors
/// If the program does not start again after a kill, does not end in order after the last, or does
/// not come to rest.
pub fn run(settings: &Settings) -> io::Result<Outcome> {
    let pace = if settings.gathers { GATHERED } else { EACH };
    let place = Place::new(&format!("{SECTIONS}\n[moderation]\n{pace}"))?;
    let book = Arc::new(Book::default());
    let taker = Arc::clone(&book);
    let sink = Sink::start(place.sink, Arc::new(move |mail, to| note(&taker, mail, to)))?;
    let crowd = Crowd::start(settings, &place, &book);
    let mut chance = Chance::new(settings.seed);
    for cycle in 0..settings.cycles {
        let program = place.start(&settings.binary)?;
        kill(program, cycle, &book, &mut chance).map_err(|error| place.explain(&error))?;
        sink.wait_quiet();
        book.next_life();
    }

    let mut program = place.start(&settings.binary)?;
    program.wait_listening().map_err(|error| place.explain(&error))?;
    crowd.stop();
    come_to_rest(&place)?;
    program.stop().map_err(|error| place.explain(&error))?;
    sink.wait_quiet();
    let outcome = book.judge(&look(&place)?, settings.gathers);
    if !outcome.broken.is_empty() {
        eprintln!("kept for inspection: {}", place.keep().display());
    }
    Ok(outcome)
}

/// Every fifth time at random, else when something has happened a few times.
fn kill(mut program: Program, cycle: u32, book: &Book, chance: &mut Chance) -> io::Result<()> {
    let moments = Moment::ALL.len();
    match Moment::ALL.get(cycle as usize % (moments + 1)) {
        None if chance.one_in(3) => wait::pause(Duration::from_micros(chance.below(60_000))),
        None => {
            program.wait_listening()?;
            wait::pause(Duration::from_micros(5_000 + chance.below(300_000)));
        }
        Some(moment) => {
            program.wait_listening()?;
            book.await_moment(*moment, 1 + chance.below(40));
        }
    }
    program.kill()
}

/// The sink has a mail: one of ours, or a notice.
fn note(book: &Book, mail: &[String], recipients: &[String]) {
    match content::examine(mail) {
        content::Found::Whole(number) => book.arrive(number),
        content::Found::Torn(number) => book.complain(format!("mail {number} came torn")),
        content::Found::Foreign => book.told(mail, recipients),
    }
}

/// Waits until every case owes nothing, and all that is in the queue is on hold.
fn come_to_rest(place: &Place) -> io::Result<()> {
    let telephone = Telephone::to(&place.data_dir())?;
    let owes = |answer: &Answer| match answer {
        Answer::Case { file, .. } => !file.case.progress.owed.is_empty(),
        _ => true,
    };
    let moves = |answer: &Answer| match answer {
        Answer::Entry(entry) => entry.queue_name != QueuePlace::Hold,
        _ => true,
    };
    let all = usize::MAX;
    let rested = wait::within(wait::PATIENCE, || {
        let query = Query { state: StateFilter::All, ..Query::default() };
        let cases = telephone.ask(Operation::Cases { query, limit: all }).ok()?;
        let mails = telephone.ask(Operation::List { place: None, limit: all }).ok()?;
        let rests = !cases.iter().any(owes) && !mails.iter().any(moves);
        rests.then_some(())
    });
    rested.ok_or_else(|| place.explain(&io::Error::other("it does not come to rest")))
}

/// What lies in the store of a program that has ended.
fn look(place: &Place) -> io::Result<Found> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _guard = runtime.enter();
    let queue = Store::in_dir(&place.data_dir()).open(|_| {}).map_err(io::Error::other)?;
    let mut found = Found::default();
    let StoredCases { cases, failures } = queue.cases();
    failures.into_iter().next().map_or(Ok(()), |failure| Err(io::Error::other(failure)))?;
    for (id, stored) in cases {
        let stored = stored.map_err(io::Error::other)?;
        found.cases.insert(id, CaseFile::from_bytes(&stored).map_err(io::Error::other)?);
    }
    let mails = runtime.block_on(queue.list(Filter::default(), usize::MAX));
    for Listing { id, mail } in mails.map_err(io::Error::other)? {
        match mail {
            Listed::Sound { .. } => found.held.insert(id),
            Listed::Corrupt { .. } => return Err(io::Error::other(format!("{id} is corrupt"))),
        };
    }
    let read = queue.read_journal(1, &mut |entry| {
        found.journal.push(entry.content.to_vec());
        true
    });
    found.chain = read.map_err(|error| error.to_string());
    runtime.block_on(queue.shutdown());
    Ok(found)
}

/// Those who send, and those who decide.
#[derive(Debug)]
struct Crowd {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Crowd {
    fn start(settings: &Settings, place: &Place, book: &Arc<Book>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        for number in 0..2 {
            let chance = Chance::new(settings.seed.wrapping_add(number + 1));
            let submitter = Submitter::new(place.listener, Arc::clone(book), chance.clone());
            let flag = Arc::clone(&stop);
            threads.push(thread::spawn(move || submitter.send_until(&flag)));
            let (data_dir, book) = (place.data_dir(), Arc::clone(book));
            let flag = Arc::clone(&stop);
            threads.push(thread::spawn(move || {
                let administrator = Administrator::new(&data_dir, book, chance);
                administrator.expect("a runtime").decide_until(&flag);
            }));
        }
        Self { stop, threads }
    }

    fn stop(self) {
        self.stop.store(true, Ordering::Release);
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

/// Mail to `held.example` waits; senders are ours, and so are told. No notice is left out: every one is looked for.
const SECTIONS: &str = r#"public_url = "http://127.0.0.1:8025"
[domains]
relay = ["sender.example"]
[[moderation.rule]]
name = "all"
action = "approval"
recipients = ["@held.example"]
moderators = ["boss@own.example"]
attach = "none"
"#;

const EACH: &str =
    "digest_after = 4000000000\nnotices_per_minute = 0\nsender_notices_per_day = 0\n";

const GATHERED: &str = "digest_after = 1\ndigest_interval = \"300 ms\"\nnotices_per_minute = 0\n\
                        sender_notices_per_day = 0\n";

/// The case of a mail in a book: its id is the name that the client was told.
type Cases = std::collections::BTreeMap<QueueId, CaseFile>;
