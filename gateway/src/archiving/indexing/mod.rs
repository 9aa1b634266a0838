//! The index of the archive, beside it: filled from its records in a thread of its own, always behind them and never
//! in their way.
//!
//! ```text
//! archive -> filler        the next records; mails go to the process that reads them, many on their way
//!         -> extraction    what is in a mail; one that it cannot read is found by envelope and header
//!         -> document      pure: record and what is in the mail -> what the index has of it
//!         -> search        the index; a commit every few seconds
//! Finder                   what is committed is searched by whoever may
//! ```
//!
//! An index that is absent, damaged, of another version or of another archive is made anew, in a directory of its own
//! that then takes the place of the old one ([`directories`]). Whatever goes wrong here is tried again later, and
//! disturbs nobody.

mod directories;
mod document;
mod filler;
mod finder;
mod make;
mod pace;
mod source;
mod usable;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use mailweir_archive::{
    Place, Reader,
    frame::{Head, Seq},
};
use mailweir_mail::SessionEvent;
use mailweir_queue::stand_back;
use mailweir_search::index::Index;
use tokio::{
    runtime::{Builder, Runtime},
    sync::{oneshot, watch},
};
use tokio_util::sync::CancellationToken;

pub use self::finder::{FindError, Finder, Lag, Sight, search_files};
pub(crate) use self::make::{Made, make};
use self::{
    directories::Directories,
    filler::{Done, Filler, MailReader, Trouble},
    finder::Served,
    pace::Pace,
    usable::{Found, Usable, look},
};
use crate::{
    clock,
    count::counted,
    extraction::{Confinement, PATIENCE, Program, StartError},
    observe::Observer,
};

/// How the index is made.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The directory of the archive.
    pub(crate) archive: PathBuf,
    /// Who reads its records.
    pub(crate) records: Reader,
    /// Bytes of memory for words that wait to be written.
    pub(crate) memory: usize,
    /// What reads mail.
    pub(crate) program: Program,
}

impl Settings {
    /// Who reads the archive.
    fn reader(&self) -> Reader {
        self.records.clone()
    }
}

/// The one who fills the index while a server runs.
pub(crate) struct Indexing {
    settings: Settings,
    archive: Reader,
    directories: Directories,
    reader: MailReader,
    served: Arc<Served>,
    written: watch::Receiver<Option<Seq>>,
    wishes: watch::Receiver<u64>,
    observer: Observer,
    end: CancellationToken,
    next: Next,
    /// What went wrong last, until it works again.
    trouble: Option<String>,
    /// Whether it was said what the kernel lacks.
    has_told: bool,
}

/// What is next with the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Whatever there is goes on.
    GoesOn,
    /// Another one is to be made though there is one.
    Another,
    /// One was made, and is to be searched.
    Made,
}

/// Why filling an index ended.
enum Ended {
    /// The server stops.
    Stop,
    /// Another one is wished for.
    Wished,
    /// It has all of the archive, and is to take the place of the old one.
    Made,
}

/// What an index that is filled is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It is searched.
    InUse,
    /// It is to take the place of one that is searched.
    Next,
    /// It is to take the place of none, and is searched as far as it is.
    Only,
}

impl Indexing {
    /// `written`: the last record of the archive, once it is open.
    pub(crate) fn new(
        settings: Settings,
        written: watch::Receiver<Option<Seq>>,
        observer: Observer,
        end: CancellationToken,
    ) -> (Self, Finder) {
        let (finder, served) = Finder::new(written);
        let indexing = Self {
            archive: settings.reader(),
            directories: Directories::new(&settings.archive),
            reader: MailReader::new(settings.program.clone(), PATIENCE).until(end.clone()),
            written: served.written(),
            wishes: served.wishes(),
            served,
            observer,
            end,
            next: Next::GoesOn,
            trouble: None,
            has_told: false,
            settings,
        };
        (indexing, finder)
    }

    /// Fills the index until the end, in a thread that stands back behind all others.
    pub(crate) async fn run(self) {
        let observer = self.observer.clone();
        let (alive, ended) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name("index".to_owned()).spawn(move || {
            stand_back();
            self.work();
            drop(alive);
        });
        if let Err(error) = thread {
            let text = format!("no mail is indexed: there is no thread for it: {error}").into();
            observer.session(&SessionEvent::Warning { part: "archive", text });
        }
        let _ = ended.await;
    }

    fn work(mut self) {
        // Its own: that of the server is there for mail, and may end before.
        let runtime = match Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime,
            Err(error) => return self.warn(format!("no mail is indexed: {error}")),
        };
        let mut pause = SHORTEST_PAUSE;
        while !self.is_over() {
            match self.keep(&runtime) {
                Ok(()) => pause = SHORTEST_PAUSE,
                // Nothing went wrong: the next server goes on where this one ended.
                Err(Trouble::Start(StartError::Ended)) => break,
                Err(trouble) => {
                    self.fails(&trouble);
                    self.rest(&runtime, pause);
                    pause = (2 * pause).min(LONGEST_PAUSE);
                }
            }
        }
        self.served.end();
    }

    fn is_over(&self) -> bool {
        self.end.is_cancelled() || self.written.has_changed().is_err()
    }

    /// Fills one index, until it is to be another one.
    fn keep(&mut self, runtime: &Runtime) -> Result<(), Trouble> {
        let Some(last) = *self.written.borrow_and_update() else {
            self.wait(runtime, None);
            return Ok(());
        };
        self.reader.clear();
        let (mut filler, role) = self.open(last)?;
        match self.follow(&mut filler, role, runtime) {
            Ok(Ended::Stop) => filler.commit(),
            Ok(Ended::Wished) => {
                self.next = Next::Another;
                filler.commit()
            }
            Ok(Ended::Made) => self.put_in_place(filler),
            Err(trouble) => {
                // What was done until here need not be done again, if that can be.
                let _ = filler.commit();
                Err(trouble)
            }
        }
    }

    // --- which index --------------------------------------------------------------------------

    /// The index that is to be filled.
    fn open(&mut self, last: Seq) -> Result<(Filler, Role), Trouble> {
        self.directories.end_swap()?;
        let old = match look(&self.directories.index(), &self.archive, last)? {
            Found::Usable(old) => Some(*old),
            Found::Nothing => None,
            Found::Useless(why) => {
                self.warn(made_anew(&why));
                None
            }
        };
        if let Some((index, reached)) = &old {
            self.served.serve(index.searcher(), number(reached.as_ref()));
            if self.next == Next::Made {
                self.next = Next::GoesOn;
                self.served.count_made();
            }
        }
        // Not before: whoever waits for the new one need not wait for this.
        self.directories.remove_old_one()?;
        let role = if old.is_some() { Role::Next } else { Role::Only };
        let is_wished = self.next == Next::Another;
        if is_wished {
            self.directories.remove_new_one()?;
        }
        let is_begun = self.directories.new_one().exists();
        if let Some(old) = old.filter(|_| !is_wished && !is_begun) {
            self.served.set_making(None);
            return Ok((self.filler(old)?, Role::InUse));
        }
        let new = match look(&self.directories.new_one(), &self.archive, last)? {
            Found::Usable(begun) => *begun,
            Found::Nothing | Found::Useless(_) => {
                self.directories.remove_new_one()?;
                (Index::create(&self.directories.new_one())?, None)
            }
        };
        if is_wished {
            self.next = Next::GoesOn;
        }
        self.served.set_making(Some(number(new.1.as_ref())));
        if role == Role::Only {
            self.served.serve(new.0.searcher(), number(new.1.as_ref()));
        }
        Ok((self.filler(new)?, role))
    }

    fn filler(&self, (index, reached): Usable) -> Result<Filler, Trouble> {
        Filler::new(index, self.settings.memory, self.archive.clone(), reached)
    }

    fn put_in_place(&mut self, filler: Filler) -> Result<(), Trouble> {
        let (reached, unread) = (filler.reached(), filler.unread);
        filler.finish()?;
        self.directories.swap()?;
        self.next = Next::Made;
        let unread = if unread > 0 {
            let mails = counted(unread, "mail");
            format!("; {mails} could not be read (look for has:unread)")
        } else {
            String::new()
        };
        if reached > 0 {
            self.notice(format!("the index was made, up to record {reached}{unread}"));
        }
        Ok(())
    }

    // --- filling ------------------------------------------------------------------------------

    fn follow(
        &mut self,
        filler: &mut Filler,
        role: Role,
        runtime: &Runtime,
    ) -> Result<Ended, Trouble> {
        let (mut most_behind, begun) = (0, clock::monotonic());
        let mut pace = Pace::new(begun, filler.reached());
        loop {
            if self.is_over() {
                return Ok(Ended::Stop);
            }
            // While another one is made, it is the one that is wished for.
            if self.wishes.has_changed().unwrap_or(false) {
                self.wishes.mark_unchanged();
                if role == Role::InUse {
                    return Ok(Ended::Wished);
                }
            }
            let last = (*self.written.borrow_and_update()).unwrap_or(0);
            most_behind = most_behind.max(last.saturating_sub(filler.reached()));
            if let Some(rest) = pace.rest(clock::monotonic(), last, self.served.is_awaited()) {
                commit_what_is_due(filler)?;
                self.show(filler, role, None);
                self.rest(runtime, rest);
                continue;
            }
            let done = filler.step(last, &mut self.reader)?;
            self.tell(&done);
            commit_what_is_due(filler)?;
            let is_done = matches!(done, Done::All);
            self.show(filler, role, is_done.then_some(last));
            if !is_done {
                continue;
            }
            self.works();
            if role != Role::InUse {
                return Ok(Ended::Made);
            }
            if most_behind > MUCH {
                let seconds = clock::monotonic().duration_since(begun).as_secs();
                self.notice(format!(
                    "the index has caught up, {most_behind} records, after {seconds} s"
                ));
            }
            most_behind = 0;
            if filler.forget_at().is_some_and(|at| at <= clock::monotonic()) {
                filler.forget()?;
            }
            self.wait(runtime, filler.commit_at().into_iter().chain(filler.forget_at()).min());
        }
    }

    /// `last`: the last record, if all are taken.
    fn show(&self, filler: &Filler, role: Role, last: Option<Seq>) {
        match role {
            Role::InUse => self.served.set_reached(filler.found_up_to(last)),
            Role::Next => self.served.set_making(Some(filler.reached())),
            Role::Only => {
                self.served.set_reached(filler.found_up_to(last));
                self.served.set_making(Some(filler.reached()));
            }
        }
    }

    fn rest(&self, runtime: &Runtime, rest: Duration) {
        let rest = async { tokio::time::sleep(rest).await };
        let _ = runtime.block_on(self.end.run_until_cancelled(rest));
    }

    /// Waits until something is to be done, or until then.
    fn wait(&mut self, runtime: &Runtime, until: Option<Instant>) {
        let (written, wishes, end) = (&mut self.written, &mut self.wishes, &self.end);
        runtime.block_on(async {
            let pause = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = end.cancelled() => {}
                _ = written.changed() => {}
                _ = wishes.changed() => wishes.mark_changed(),
                () = pause => {}
            }
        });
    }

    // --- what is said -------------------------------------------------------------------------

    fn tell(&mut self, done: &Done) {
        if let Done::Failed(fatal) = done {
            let (seq, id, failure) = (fatal.seq, fatal.capture.id, &fatal.failure);
            let text =
                format!("record {seq}: {id} is found by envelope and header alone: {failure}");
            self.warn(text);
        }
        let Some((_, confinement)) = self.reader.child().filter(|_| !self.has_told) else { return };
        self.has_told = true;
        match confinement {
            Confinement::Whole | Confinement::Partial => {}
            Confinement::WithoutLandlock => self.notice(NO_LANDLOCK.to_owned()),
        }
    }

    fn fails(&mut self, trouble: &Trouble) {
        let text = trouble.to_string();
        if self.trouble.as_ref() != Some(&text) {
            self.warn(format!("mail is archived and not indexed: {text}; tried again later"));
        }
        self.trouble = Some(text);
    }

    fn works(&mut self) {
        if self.trouble.take().is_some() {
            self.notice("mail is indexed again".to_owned());
        }
    }

    fn warn(&self, text: String) {
        self.observer.session(&SessionEvent::Warning { part: "archive", text: text.into() });
    }

    fn notice(&self, text: String) {
        self.observer.session(&SessionEvent::Notice { part: "archive", text: text.into() });
    }
}

/// Removes the index of an archive that is not to be searched any more.
///
/// # Errors
/// The disk failed.
pub(crate) fn remove(archive: &Path) -> io::Result<()> {
    Directories::new(archive).remove_all()
}

fn commit_what_is_due(filler: &mut Filler) -> Result<(), Trouble> {
    match filler.commit_at() {
        Some(at) if at <= clock::monotonic() => filler.commit(),
        _ => Ok(()),
    }
}

fn number(reached: Option<&(Head, Place)>) -> Seq {
    reached.map_or(0, |(head, _)| head.seq)
}

fn made_anew(why: &str) -> String {
    format!("the index {why}: it is made anew; until then searches find what there is of it")
}

const NO_LANDLOCK: &str = "the kernel has no Landlock: its limits alone keep the process that reads mail for the \
                           index from files and the network";

/// Records that the index may be behind without a word.
const MUCH: u64 = 1_000;

const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

const LONGEST_PAUSE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use std::fs;

    use mailweir_archive::{Archive, Options, Places};

    use super::*;

    /// Its directory cannot be removed: here it is none.
    #[test]
    fn an_index_that_was_made_is_searched_though_the_old_one_is_in_the_way() {
        let place = tempfile::tempdir().unwrap();
        drop(Archive::open(place.path(), Options::default(), clock::now()).unwrap());
        let directories = Directories::new(place.path());
        fs::write(directories.index(), "no index").unwrap();
        let (_written, written) = watch::channel(Some(0));
        let (mut indexing, finder) = indexing(place.path(), written);
        let (made, role) = indexing.open(0).unwrap();
        assert_eq!(role, Role::Only);
        let _ = indexing.put_in_place(made);
        assert_eq!(finder.made(), 0, "it is not searched yet");
        assert!(indexing.open(0).is_err(), "the old one is there still");
        assert_eq!(finder.made(), 1);
        fs::remove_file(place.path().join("index.old")).unwrap();
        assert_eq!(indexing.open(0).unwrap().1, Role::InUse);
        assert_eq!(finder.made(), 1, "it is counted once");
    }

    fn indexing(archive: &Path, written: watch::Receiver<Option<Seq>>) -> (Indexing, Finder) {
        let settings = Settings {
            archive: archive.to_owned(),
            records: Reader::new(Places::new(archive)),
            memory: 16 << 20,
            program: Program::this(),
        };
        let observer = Observer::heard_by(|_| {}).unwrap();
        Indexing::new(settings, written, observer, CancellationToken::new())
    }
}
