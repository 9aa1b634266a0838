//! What was promised and what arrived, per mail and recipient; the judgement follows from it alone.

use std::{
    fmt,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mailweir_mail::QueueId;

/// How far the sending of a mail came.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sent {
    /// Begun; the final dot was not sent. It must not arrive.
    Unfinished,
    /// The final dot was sent and no answer heard. It may arrive or not.
    Unanswered,
    /// Answered with something else than 250. It must not arrive.
    Refused,
    /// Answered with 250, which said this. It must arrive.
    Acknowledged(String),
}

/// One mail.
#[derive(Clone, Debug)]
struct Entry {
    sent: Sent,
    /// Per recipient, the lives of the program in which it arrived.
    arrivals: Vec<Vec<u32>>,
}

#[derive(Debug, Default)]
struct Pages {
    entries: Vec<Entry>,
    life: u32,
    torn: u64,
    foreign: u64,
    /// Counts every arrival, so that waiting can tell progress from standstill.
    arrived: u64,
}

/// The book of one run. Shared by senders and sink; every method is one short look under a lock.
#[derive(Debug, Default)]
pub struct Ledger {
    pages: Mutex<Pages>,
    arrival: Condvar,
}

impl Ledger {
    /// Begins a mail and gives it its number.
    pub fn begin(&self, recipients: usize) -> u64 {
        let mut pages = self.pages();
        pages
            .entries
            .push(Entry { sent: Sent::Unfinished, arrivals: vec![Vec::new(); recipients] });
        pages.entries.len() as u64 - 1
    }

    /// The final dot is about to be written; from here the mail may arrive.
    pub fn finish(&self, number: u64) {
        self.set(number, Sent::Unanswered);
    }

    /// The answer to the final dot.
    pub fn answer(&self, number: u64, reply: &str) {
        let accepted = reply.starts_with("250");
        self.set(number, if accepted { Sent::Acknowledged(reply.into()) } else { Sent::Refused });
    }

    /// The sink has a whole mail for this recipient.
    pub fn arrive(&self, number: u64, recipient: usize) {
        let mut pages = self.pages();
        let life = pages.life;
        pages.arrived += 1;
        let place = entry(&mut pages, number).and_then(|entry| entry.arrivals.get_mut(recipient));
        match place {
            Some(lives) => lives.push(life),
            None => pages.foreign += 1,
        }
        drop(pages);
        self.arrival.notify_all();
    }

    /// The sink has a mail whose content is not what was sent.
    pub fn arrive_torn(&self) {
        self.pages().torn += 1;
    }

    /// The sink has a mail that nobody here sent.
    pub fn arrive_foreign(&self) {
        self.pages().foreign += 1;
    }

    /// The program was killed, and what it still had on the wire has been seen.
    pub fn next_life(&self) {
        self.pages().life += 1;
    }

    /// Waits until everything acknowledged has arrived, or nothing has arrived for `patience`.
    pub fn wait_drained(&self, patience: Duration) {
        let mut pages = self.pages();
        while judge(&pages).lost > 0 {
            let before = pages.arrived;
            let waited = self.arrival.wait_timeout(pages, patience);
            let (next, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            pages = next;
            if timeout.timed_out() && pages.arrived == before {
                return;
            }
        }
    }

    /// The judgement so far.
    #[must_use]
    pub fn judge(&self) -> Report {
        judge(&self.pages())
    }

    /// The mails that were acknowledged, with the names that they have in the queue.
    pub(super) fn acknowledged(&self) -> Vec<(u64, QueueId)> {
        let pages = self.pages();
        let named = (0..).zip(&pages.entries).filter_map(|(number, entry)| match &entry.sent {
            Sent::Acknowledged(reply) => {
                Some((number, reply.rsplit(' ').next()?.trim().parse().ok()?))
            }
            Sent::Unfinished | Sent::Unanswered | Sent::Refused => None,
        });
        named.collect()
    }

    fn set(&self, number: u64, sent: Sent) {
        if let Some(entry) = entry(&mut self.pages(), number) {
            entry.sent = sent;
        }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entry(pages: &mut Pages, number: u64) -> Option<&mut Entry> {
    pages.entries.get_mut(usize::try_from(number).ok()?)
}

/// What a run showed. Mails are counted per recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Answered with 250.
    pub acknowledged: u64,
    /// Sent to the final dot, but the answer was cut off.
    pub unanswered: u64,
    /// Of those, the ones that arrived: accepted, and the 250 died with the program.
    pub unanswered_arrived: u64,
    /// Answered with something else than 250.
    pub refused: u64,
    /// Acknowledged and not arrived. Must be 0.
    pub lost: u64,
    /// The answers of up to ten of the lost.
    pub lost_answers: Vec<String>,
    /// Arrived again after a kill: the sink's answer was not on record yet. Allowed.
    pub doubled_by_kill: u64,
    /// Arrived twice while the program lived. Must be 0.
    pub doubled_without_kill: u64,
    /// Arrived with other content than was sent. Must be 0.
    pub torn: u64,
    /// Arrived though its final dot was never sent, or it was refused. Must be 0.
    pub invented: u64,
    /// Arrived and is no mail of the run, such as a report. Must be 0.
    pub foreign: u64,
    /// What of the acknowledged mail is not in the archive as it should be. Must be nothing.
    pub archive: Vec<String>,
}

impl Report {
    /// Whether every promise was kept.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let broken = [self.lost, self.doubled_without_kill, self.torn, self.invented, self.foreign];
        broken == [0; 5] && self.archive.is_empty()
    }
}

impl Report {
    /// One line while the run goes on, when what has not arrived is still on its way.
    #[must_use]
    pub fn so_far(&self) -> String {
        format!(
            "{} acknowledged, {} of them on the way, {} unanswered, {} doubled by a kill",
            self.acknowledged, self.lost, self.unanswered, self.doubled_by_kill
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} acknowledged, {} lost, {} unanswered ({} of them arrived), {} refused, \
             doubled: {} by a kill, {} without; {} torn, {} invented, {} foreign",
            self.acknowledged,
            self.lost,
            self.unanswered,
            self.unanswered_arrived,
            self.refused,
            self.doubled_by_kill,
            self.doubled_without_kill,
            self.torn,
            self.invented,
            self.foreign
        )?;
        self.lost_answers.iter().try_for_each(|answer| write!(f, "\n  lost: {answer}"))?;
        match self.archive.as_slice() {
            [] => f.write_str("; all of it archived"),
            broken => {
                write!(f, "; {} faults of the archive", broken.len())?;
                let shown = broken.iter().take(MOST_SHOWN);
                shown.into_iter().try_for_each(|fault| write!(f, "\n  archive: {fault}"))
            }
        }
    }
}

fn judge(pages: &Pages) -> Report {
    let mut report = Report { torn: pages.torn, foreign: pages.foreign, ..Report::default() };
    for entry in &pages.entries {
        for lives in &entry.arrivals {
            judge_one(&mut report, &entry.sent, lives);
        }
    }
    report
}

fn judge_one(report: &mut Report, sent: &Sent, lives: &[u32]) {
    let arrived = !lives.is_empty();
    match sent {
        Sent::Unfinished => report.invented += u64::from(arrived),
        Sent::Refused => {
            report.refused += 1;
            report.invented += u64::from(arrived);
        }
        Sent::Unanswered => {
            report.unanswered += 1;
            report.unanswered_arrived += u64::from(arrived);
        }
        Sent::Acknowledged(reply) => {
            report.acknowledged += 1;
            if !arrived {
                report.lost += 1;
                if report.lost_answers.len() < MOST_SHOWN {
                    report.lost_answers.push(reply.clone());
                }
            }
        }
    }
    for pair in lives.windows(2) {
        let same_life = pair.first() == pair.last();
        report.doubled_without_kill += u64::from(same_life);
        report.doubled_by_kill += u64::from(!same_life);
    }
}

const MOST_SHOWN: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn acknowledged(ledger: &Ledger, recipients: usize) -> u64 {
        let number = ledger.begin(recipients);
        ledger.finish(number);
        ledger.answer(number, "250 2.0.0 queued as X");
        number
    }

    #[test]
    fn an_acknowledged_mail_that_reached_one_of_two_recipients_is_lost_for_the_other() {
        let ledger = Ledger::default();
        let number = acknowledged(&ledger, 2);
        ledger.arrive(number, 0);
        let report = ledger.judge();
        assert_eq!((report.acknowledged, report.lost), (2, 1));
        assert_eq!(report.lost_answers, ["250 2.0.0 queued as X"]);
        assert!(!report.is_sound());
    }

    #[test]
    fn a_second_arrival_after_a_kill_is_allowed_and_counted() {
        let ledger = Ledger::default();
        let number = acknowledged(&ledger, 1);
        ledger.arrive(number, 0);
        ledger.next_life();
        ledger.arrive(number, 0);
        let report = ledger.judge();
        assert_eq!((report.doubled_by_kill, report.doubled_without_kill), (1, 0));
        assert!(report.is_sound());
    }

    #[test]
    fn a_second_arrival_within_one_life_breaks_the_promise() {
        let ledger = Ledger::default();
        let number = acknowledged(&ledger, 1);
        ledger.arrive(number, 0);
        ledger.arrive(number, 0);
        assert_eq!(ledger.judge().doubled_without_kill, 1);
        assert!(!ledger.judge().is_sound());
    }

    #[test]
    fn a_mail_without_its_final_dot_must_not_arrive() {
        let ledger = Ledger::default();
        let number = ledger.begin(1);
        assert!(ledger.judge().is_sound());
        ledger.arrive(number, 0);
        assert_eq!(ledger.judge().invented, 1);
    }

    #[test]
    fn an_unanswered_mail_may_arrive_or_not() {
        let ledger = Ledger::default();
        let (gone, kept) = (ledger.begin(1), ledger.begin(1));
        ledger.finish(gone);
        ledger.finish(kept);
        ledger.arrive(kept, 0);
        let report = ledger.judge();
        assert_eq!((report.unanswered, report.unanswered_arrived), (2, 1));
        assert!(report.is_sound());
    }

    #[test]
    fn a_refused_mail_must_not_arrive() {
        let ledger = Ledger::default();
        let number = ledger.begin(1);
        ledger.finish(number);
        ledger.answer(number, "452 4.3.1 Insufficient system storage");
        ledger.arrive(number, 0);
        assert_eq!((ledger.judge().refused, ledger.judge().invented), (1, 1));
    }

    #[test]
    fn a_mail_for_a_recipient_it_never_had_is_foreign() {
        let ledger = Ledger::default();
        let number = acknowledged(&ledger, 1);
        ledger.arrive(number, 5);
        assert_eq!(ledger.judge().foreign, 1);
    }
}
