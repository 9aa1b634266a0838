//! What was promised and what came, of mail that waits for people; the judgement follows from it and
//! from what lies in the store at the end.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mailweir_mail::{Address, Domain, QueueId};
use mailweir_moderation::{
    case::{Decision, State},
    case_file::CaseFile,
    notice::MessageId,
    token::{Purpose, Token, TokenHash},
};

use super::Cases;

/// When a program may be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Moment {
    /// Whoever sent a mail has heard that it waits.
    HoldAcknowledged,
    /// A decision is about to be asked for.
    DecisionAsked,
    /// Whoever decided has heard that it is done.
    DecisionAcknowledged,
    /// The sink has a mail, and has not answered yet.
    MailArrived,
    /// The sink has a notice, and has not answered yet.
    NoticeArrived,
}

impl Moment {
    pub(super) const ALL: [Self; 5] = [
        Self::HoldAcknowledged,
        Self::DecisionAsked,
        Self::DecisionAcknowledged,
        Self::MailArrived,
        Self::NoticeArrived,
    ];
}

/// What an administrator wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Released,
    Rejected,
}

/// How far the sending of a mail came.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sent {
    Unfinished,
    Unanswered,
    Refused,
    Passed,
    /// It waits under this name.
    Waits(QueueId),
}

#[derive(Debug)]
struct Mail {
    waits: bool,
    sent: Sent,
    /// The lives of the program in which it arrived.
    arrivals: Vec<u32>,
}

/// A notice at the sink: who got it, in which life, and a hash of all of it.
#[derive(Debug)]
struct Told {
    to: Vec<String>,
    life: u32,
    hash: u64,
}

#[derive(Debug, Default)]
struct Pages {
    mails: Vec<Mail>,
    tried: HashMap<QueueId, Vec<Choice>>,
    acknowledged: HashMap<QueueId, Choice>,
    /// By Message-ID.
    notices: HashMap<String, Vec<Told>>,
    /// What stood in the links of notices.
    tokens: HashSet<TokenHash>,
    moments: HashMap<Moment, u64>,
    life: u32,
    broken: Vec<String>,
}

/// The book of one run. Shared by all threads; every method is one look under a lock.
#[derive(Debug, Default)]
pub struct Book {
    pages: Mutex<Pages>,
    moment: Condvar,
}

/// What lies in the store at the end.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) cases: Cases,
    /// All that is in the queue.
    pub(super) held: BTreeSet<QueueId>,
    pub(super) journal: Vec<Vec<u8>>,
    /// Whether each entry of the journal follows from the one before.
    pub(super) chain: Result<(), String>,
}

impl Default for Found {
    fn default() -> Self {
        let (cases, held, journal) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        Self { cases, held, journal, chain: Ok(()) }
    }
}

impl Book {
    /// Begins a mail and gives it its number.
    pub(super) fn begin(&self, waits: bool) -> u64 {
        let mut pages = self.pages();
        pages.mails.push(Mail { waits, sent: Sent::Unfinished, arrivals: Vec::new() });
        pages.mails.len() as u64 - 1
    }

    /// The final dot is about to be written.
    pub(super) fn finish(&self, number: u64) {
        self.set(number, Sent::Unanswered);
    }

    /// The answer to the final dot.
    pub(super) fn answer(&self, number: u64, reply: &str) {
        let sent = match reply.strip_prefix("250 2.0.0 Ok: queued as ") {
            None => Sent::Refused,
            Some(rest) => match rest.strip_suffix(" (held for approval)") {
                None => Sent::Passed,
                Some(id) => id.parse().map_or(Sent::Refused, Sent::Waits),
            },
        };
        let waits = matches!(sent, Sent::Waits(_));
        self.set(number, sent);
        if waits {
            self.hit(Moment::HoldAcknowledged);
        }
    }

    /// The sink has a whole mail.
    pub(super) fn arrive(&self, number: u64) {
        let mut pages = self.pages();
        let life = pages.life;
        match pages.mails.get_mut(number as usize) {
            Some(mail) => mail.arrivals.push(life),
            None => pages.broken.push(format!("mail {number} was never begun")),
        }
        drop(pages);
        self.hit(Moment::MailArrived);
    }

    /// The sink has a mail that nobody here sent.
    pub(super) fn told(&self, mail: &[String], recipients: &[String]) {
        let header = mail.iter().take_while(|line| !line.is_empty());
        let id = header.filter_map(|line| line.strip_prefix("Message-ID: ")).next();
        let mut hasher = DefaultHasher::new();
        mail.hash(&mut hasher);
        let mut pages = self.pages();
        let (life, hash) = (pages.life, hasher.finish());
        let told = Told { to: recipients.to_vec(), life, hash };
        pages.tokens.extend(tokens(mail));
        pages.notices.entry(id.unwrap_or_default().to_owned()).or_default().push(told);
        drop(pages);
        self.hit(Moment::NoticeArrived);
    }

    /// What was acknowledged so far.
    pub(super) fn decided(&self) -> HashSet<QueueId> {
        self.pages().acknowledged.keys().copied().collect()
    }

    /// A decision is about to be asked for.
    pub(super) fn try_to_decide(&self, id: QueueId, choice: Choice) {
        self.pages().tried.entry(id).or_default().push(choice);
        self.hit(Moment::DecisionAsked);
    }

    /// A decision was made, says the program.
    pub(super) fn acknowledge(&self, id: QueueId, choice: Choice) {
        let before = self.pages().acknowledged.insert(id, choice);
        if before.is_some() {
            self.complain(format!("{id}: two decisions were acknowledged"));
        }
        self.hit(Moment::DecisionAcknowledged);
    }

    /// Something is wrong.
    pub(super) fn complain(&self, what: String) {
        self.pages().broken.push(what);
    }

    /// The program was killed, and what it still had on the wire has been seen.
    pub(super) fn next_life(&self) {
        self.pages().life += 1;
    }

    /// Waits until something has happened so many times from now on; not for ever, since a life may
    /// have nothing of it.
    pub(super) fn await_moment(&self, moment: Moment, times: u64) {
        let count = |pages: &Pages| pages.moments.get(&moment).copied().unwrap_or(0);
        let pages = self.pages();
        let enough = count(&pages) + times;
        let waited =
            self.moment.wait_timeout_while(pages, LONGEST_WAIT, |pages| count(pages) < enough);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// The judgement.
    pub(super) fn judge(&self, found: &Found, gathers: bool) -> Outcome {
        let pages = self.pages();
        let mut outcome = Outcome { broken: pages.broken.clone(), ..Outcome::default() };
        outcome.judge_mails(&pages, found);
        outcome.judge_decisions(&pages, found);
        outcome.judge_notices(&pages, found, gathers);
        outcome.judge_requests(&pages, found);
        outcome.judge_journal(found);
        outcome
    }

    fn set(&self, number: u64, sent: Sent) {
        if let Some(mail) = self.pages().mails.get_mut(number as usize) {
            mail.sent = sent;
        }
    }

    fn hit(&self, moment: Moment) {
        *self.pages().moments.entry(moment).or_default() += 1;
        self.moment.notify_all();
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a run showed.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Mail that passes and was acknowledged.
    pub passed: u64,
    /// Mail that waits and was acknowledged.
    pub held: u64,
    /// Cases that were approved, and those that were rejected.
    pub decided: (u64, u64),
    /// Decisions that were acknowledged.
    pub acknowledged: u64,
    /// Notices that arrived, each once.
    pub notices: u64,
    /// Mails and notices that came again after a kill: the sink's answer was not on record yet.
    pub again: u64,
    /// Promises that were broken.
    pub broken: Vec<String>,
}

impl Outcome {
    fn judge_mails(&mut self, pages: &Pages, found: &Found) {
        let mut cases: HashMap<u64, (QueueId, &CaseFile)> = HashMap::new();
        for (id, file) in &found.cases {
            let sender = file.mail.sender.as_str();
            match sender.split_once('@').and_then(|(number, _)| number.parse().ok()) {
                Some(number) => drop(cases.insert(number, (*id, file))),
                None => self.broken.push(format!("{id}: a case of {sender}")),
            }
        }
        for (number, mail) in (0..).zip(&pages.mails) {
            let case = cases.get(&number).copied();
            if let Some(what) = self.wrong(mail, case) {
                self.broken.push(format!("mail {number}, {:?}: {what}", mail.sent));
            }
            self.count_arrivals(&format!("mail {number}"), &mail.arrivals);
        }
    }

    /// What is wrong with a mail and its case.
    fn wrong(&mut self, mail: &Mail, case: Option<(QueueId, &CaseFile)>) -> Option<&'static str> {
        let arrived = !mail.arrivals.is_empty();
        match (&mail.sent, case) {
            (Sent::Unfinished | Sent::Refused, Some(_)) => return Some("it has a case"),
            (Sent::Unfinished | Sent::Refused, None) if arrived => return Some("it arrived"),
            (Sent::Waits(_), None) => return Some("its case is lost"),
            (Sent::Waits(id), Some((known, _))) if *id != known => return Some("another name"),
            (Sent::Waits(_), _) if !mail.waits => return Some("it should pass"),
            (Sent::Waits(_), _) => self.held += 1,
            (Sent::Passed, _) if mail.waits => return Some("it should wait"),
            (Sent::Passed, _) if !arrived => return Some("it is lost"),
            (Sent::Passed, _) => self.passed += 1,
            (Sent::Unanswered | Sent::Unfinished | Sent::Refused, _) => {}
        }
        let released = case.is_some_and(|(_, file)| choice(file) == Some(Choice::Released));
        match (mail.waits, released, arrived) {
            (true, false, true) => Some("it arrived, and nobody approved it"),
            (true, true, false) => Some("it was approved and did not arrive"),
            _ => None,
        }
    }

    fn judge_decisions(&mut self, pages: &Pages, found: &Found) {
        self.acknowledged = pages.acknowledged.len() as u64;
        for (id, file) in &found.cases {
            let (decided, promised) = (choice(file), pages.acknowledged.get(id).copied());
            if promised.is_some() && promised != decided {
                self.broken.push(format!("{id}: {promised:?} was acknowledged, it is {decided:?}"));
            }
            let tried = pages.tried.get(id).map_or(&[][..], Vec::as_slice);
            if decided.is_some_and(|decided| !tried.contains(&decided)) {
                self.broken.push(format!("{id}: {decided:?}, and nobody wanted it"));
            }
            if decided.is_none() != found.held.contains(id) {
                self.broken.push(format!("{id}: {decided:?}, and what is on hold says otherwise"));
            }
            match decided {
                Some(Choice::Released) => self.decided.0 += 1,
                Some(Choice::Rejected) => self.decided.1 += 1,
                None => {}
            }
        }
        let mut unknown = found.held.iter().filter(|id| !found.cases.contains_key(id));
        if let Some(id) = unknown.next() {
            self.broken.push(format!("{id} is on hold and has no case"));
        }
    }

    /// The sender hears that it waits and what came of it; the moderator is asked unless it was decided
    /// before, and hears what came of it.
    fn judge_notices(&mut self, pages: &Pages, found: &Found, gathers: bool) {
        let mut expected = HashSet::new();
        for (id, file) in &found.cases {
            let Some(sender) = file.mail.sender.address() else { continue };
            let closed = choice(file).is_some();
            for (reader, number, is_owed, may_come) in [
                (sender, HELD, true, true),
                (&boss(), REQUEST, !closed && !gathers, true),
                (sender, DECIDED, closed, closed),
                (&boss(), DECIDED_TOO, closed && !gathers, closed),
            ] {
                let name = MessageId::of(*id, reader, number, &host()).to_string();
                let came = pages.notices.get(&name);
                if is_owed && came.is_none() {
                    self.broken.push(format!("{id}: notice {number} never came"));
                }
                if came.is_some_and(|came| came.iter().any(|told| told.to != [reader.as_str()])) {
                    self.broken.push(format!("{id}: notice {number} came to somebody else"));
                }
                if may_come {
                    expected.insert(name);
                }
            }
        }
        for (name, came) in &pages.notices {
            self.notices += 1;
            if !expected.contains(name) {
                self.broken.push(format!("notice {name:?} is owed to nobody"));
            }
            // What is sent again by SMTP has the same bytes; what is written again has another
            // token or another boundary.
            if came.iter().any(|told| told.hash != came[0].hash) {
                self.broken.push(format!("notice {name} was written twice"));
            }
            let lives: Vec<u32> = came.iter().map(|told| told.life).collect();
            self.count_arrivals(name, &lives);
        }
    }

    /// The moderator is asked about each case once, and every link that was written came.
    fn judge_requests(&mut self, pages: &Pages, found: &Found) {
        for (id, file) in &found.cases {
            let asked = file.grants.iter().filter(|grant| grant.purpose == Purpose::Decide).count();
            if asked > 1 || (asked == 0 && choice(file).is_none()) {
                self.broken.push(format!("{id}: the moderator was asked {asked} times"));
            }
            if file.grants.iter().any(|grant| !pages.tokens.contains(&grant.token)) {
                self.broken.push(format!("{id}: a notice was written and never came"));
            }
        }
    }

    fn count_arrivals(&mut self, what: &str, lives: &[u32]) {
        for pair in lives.windows(2) {
            if pair.first() == pair.last() {
                self.broken.push(format!("{what} came twice in one life"));
            }
            self.again += 1;
        }
    }

    /// One entry says how a case ended, and no more than one.
    fn judge_journal(&mut self, found: &Found) {
        if let Err(error) = &found.chain {
            self.broken.push(error.clone());
        }
        let mut ends: HashMap<String, u64> = HashMap::new();
        for entry in &found.journal {
            let entry: serde_json::Value = serde_json::from_slice(entry).unwrap_or_default();
            let (case, step) = (&entry["case"], &entry["step"]["closed"]);
            if let (Some(case), true) = (case.as_str(), step.is_string()) {
                *ends.entry(case.to_owned()).or_default() += 1;
            }
        }
        for (id, file) in &found.cases {
            let ends = ends.get(&id.to_string()).copied().unwrap_or(0);
            if ends != u64::from(choice(file).is_some()) {
                self.broken.push(format!("{id}: the journal knows {ends} ends"));
            }
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (released, rejected) = self.decided;
        write!(
            f,
            "{} passed, {} held, {released} approved and {rejected} rejected ({} acknowledged), {} \
             notices, {} came again after a kill",
            self.passed, self.held, self.acknowledged, self.notices, self.again
        )?;
        self.broken.iter().take(MOST_SHOWN).try_for_each(|what| write!(f, "\n  {what}"))
    }
}

/// The tokens in the links of a notice, behind the soft line breaks of quoted-printable.
fn tokens(mail: &[String]) -> impl Iterator<Item = TokenHash> {
    let text = mail.join("\n").replace("=\n", "");
    let links: Vec<String> = text.split("/m/").skip(1).map(str::to_owned).collect();
    links.into_iter().filter_map(|rest| {
        let token: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        token.parse::<Token>().ok().map(|token| token.hash())
    })
}

/// How a case ended, if it did.
fn choice(file: &CaseFile) -> Option<Choice> {
    let State::Closed(closing) = &file.case.progress.state else { return None };
    Some(match closing.decision {
        Decision::Released => Choice::Released,
        _ => Choice::Rejected,
    })
}

fn boss() -> Address {
    Address::parse("boss@own.example").expect("an address")
}

fn host() -> Domain {
    Domain::parse("kill9.test.example").expect("a domain")
}

/// The numbers that a case gives its notices, in the order in which it owes them.
const HELD: u32 = 0;
const REQUEST: u32 = 1;
const DECIDED: u32 = 2;
const DECIDED_TOO: u32 = 3;

/// A life in which something does not happen ends nevertheless.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

const MOST_SHOWN: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    const HELD_REPLY: &str = "250 2.0.0 Ok: queued as 4jWT590000z7 (held for approval)";

    fn broken(book: &Book) -> Vec<String> {
        book.judge(&Found::default(), false).broken
    }

    fn sent(book: &Book, waits: bool, reply: &str) -> u64 {
        let number = book.begin(waits);
        book.finish(number);
        book.answer(number, reply);
        number
    }

    fn notice(text: &str) -> Vec<String> {
        vec!["Message-ID: <1@x>".to_owned(), String::new(), text.to_owned()]
    }

    #[test]
    fn mail_that_passes_and_arrives_breaks_nothing_and_mail_that_does_not_is_lost() {
        let book = Book::default();
        let number = sent(&book, false, "250 2.0.0 Ok: queued as 4jWT590000z7");
        assert!(broken(&book)[0].ends_with("it is lost"), "{:?}", broken(&book));
        book.arrive(number);
        assert_eq!(broken(&book), [""; 0]);
        book.next_life();
        book.arrive(number);
        assert_eq!((broken(&book).len(), book.judge(&Found::default(), false).again), (0, 1));
        book.arrive(number);
        assert!(broken(&book)[0].ends_with("came twice in one life"));
    }

    #[test]
    fn a_hold_that_was_acknowledged_has_a_case() {
        let book = Book::default();
        sent(&book, true, HELD_REPLY);
        assert!(broken(&book)[0].ends_with("its case is lost"));
    }

    #[test]
    fn mail_that_nobody_approved_must_not_arrive_even_if_its_answer_was_lost() {
        let book = Book::default();
        let number = book.begin(true);
        book.finish(number);
        assert_eq!(broken(&book), [""; 0]);
        book.arrive(number);
        assert!(broken(&book)[0].ends_with("nobody approved it"));
    }

    #[test]
    fn a_second_decision_and_a_notice_to_nobody_are_found() {
        let book = Book::default();
        let id = "4jWT590000z7".parse().unwrap();
        book.acknowledge(id, Choice::Released);
        book.acknowledge(id, Choice::Rejected);
        book.told(&notice("once"), &[]);
        let said = broken(&book).join("\n");
        assert!(said.contains("two decisions were acknowledged"), "{said}");
        assert!(said.contains("is owed to nobody") && !said.contains("written twice"), "{said}");
        book.next_life();
        book.told(&notice("once more"), &[]);
        assert!(broken(&book).join("\n").contains("written twice"));
    }
}
