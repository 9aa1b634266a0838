//! Once a day, what has been kept for long enough is erased.

use mailweir_mail::SessionEvent;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    daily,
    room::{Room, today},
    words::Told,
};
use crate::{clock, observe::Observer};

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Purged {
    /// Mails that are gone.
    pub(super) erased: u64,
    /// Mails that are kept though their time is over.
    pub(super) kept: u64,
    /// Why it came to no end, if it did not.
    pub(super) failed: Option<Box<str>>,
}

/// Erases now, and at the beginning of every day (UTC), until the end: while the clock goes on from where the archive
/// ended. One that has jumped erases nothing by itself.
pub(crate) async fn every_day(room: Room, observer: Observer, end: CancellationToken) {
    let Some(known) = end.run_until_cancelled(room.last_day()).await else { return };
    let mut calendar = Calendar { known: known.unwrap_or(None), done: 0 };
    loop {
        match calendar.turn(today()) {
            Turn::Nothing => {}
            Turn::Jump(days) => tell_jump(&observer, days),
            Turn::Purge(day) => {
                let Some(purged) = end.run_until_cancelled(purge(&room, day)).await else { return };
                if purged.failed.is_some() {
                    calendar.done = 0;
                }
                tell(&observer, &purged);
            }
        }
        let pause = daily::until_next_day(clock::now()).min(super::LOOK);
        if end.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}

/// Which days there were. Days are counted from 1970.
struct Calendar {
    /// The last that is known of: of the last record, or of the last look.
    known: Option<u32>,
    /// The last for which was erased, or told that it was not.
    done: u32,
}

/// What a look at the clock comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Nothing,
    Purge(u32),
    /// So many days are missing.
    Jump(u32),
}

impl Calendar {
    fn turn(&mut self, today: u32) -> Turn {
        // A clock may be set back.
        if today <= self.done {
            return Turn::Nothing;
        }
        self.done = today;
        match self.known {
            Some(known) if today.saturating_sub(known) > LONGEST_REST => Turn::Jump(today - known),
            _ => {
                self.known = Some(today);
                Turn::Purge(today)
            }
        }
    }
}

fn tell_jump(observer: &Observer, days: u32) {
    let text = format!(
        "ALARM: archive: the clock is {days} days ahead of the last day that the archive knows of: nothing is erased by \
         itself; if the clock is right, mailweir archive purge goes on"
    );
    observer.session(&SessionEvent::Warning { part: "archive", text: text.into() });
}

pub(super) async fn purge(room: &Room, today: u32) -> Purged {
    let (told, mut waiting) = mpsc::channel(WAITING);
    let mut purged = Purged::default();
    let purging = async move { room.purge(today, false, &told).await };
    let counting = async {
        while let Some(told) = waiting.recv().await {
            match told {
                Told::Erased { .. } => purged.erased += 1,
                Told::Kept { .. } => purged.kept += 1,
                Told::Failed { reason } => purged.failed = Some(reason),
                _ => {}
            }
        }
    };
    // It cannot fail: we listen to its end.
    let (_, ()) = tokio::join!(purging, counting);
    purged
}

fn tell(observer: &Observer, Purged { erased, kept, failed }: &Purged) {
    if *erased > 0 {
        let text = format!("{erased} mails were erased: their time was over").into();
        observer.session(&SessionEvent::Notice { part: "archive", text });
    }
    if *kept > 0 {
        let text = format!(
            "{kept} mails are kept though their time is over; mailweir archive purge says why"
        )
        .into();
        observer.session(&SessionEvent::Notice { part: "archive", text });
    }
    if let Some(reason) = failed {
        let text = format!("archive: what has been kept for long enough is not erased: {reason}");
        observer.session(&SessionEvent::Warning { part: "archive", text: text.into() });
    }
}

const WAITING: usize = 64;

/// Days that an archive may rest without a record before its clock is doubted.
const LONGEST_REST: u32 = 31;

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use mailweir_archive::{
        Places,
        entry::{Capture, Direction, LegalHold, Note, Source},
        frame::Seq,
        hash::Hash,
        verify::{Known, verify},
    };
    use mailweir_mail::{Client, Envelope, Origin, Protocol, QueueId, ReversePath};
    use tempfile::TempDir;

    use super::*;
    use crate::config;

    #[test]
    fn a_clock_that_jumps_erases_nothing() {
        let mut calendar = Calendar { known: Some(20_000), done: 0 };
        assert_eq!(calendar.turn(20_001), Turn::Purge(20_001));
        assert_eq!(calendar.turn(20_001), Turn::Nothing, "once a day");
        assert_eq!(calendar.turn(19_990), Turn::Nothing, "it was set back");
        assert_eq!(calendar.turn(20_032), Turn::Purge(20_032), "a rest of a month");
        assert_eq!(calendar.turn(25_000), Turn::Jump(4_968));
        assert_eq!(calendar.turn(25_001), Turn::Jump(4_969), "it is still not believed");
        let mut new = Calendar { known: None, done: 0 };
        assert_eq!(new.turn(25_000), Turn::Purge(25_000), "an archive without records");
    }

    #[tokio::test]
    async fn what_is_over_is_erased_in_groups_and_what_a_court_wants_is_not() {
        let (place, room) = room();
        let mails = 600;
        for serial in 0..mails {
            bring(&room, serial, Some(1)).await;
        }
        bring(&room, mails, None).await;
        let wanted = bring(&room, mails + 1, Some(1)).await;
        hold(&room, wanted).await;
        let nothing = Purged::default();
        assert_eq!(purge(&room, today()).await, nothing, "their time is not over");
        let later = today() + 2;
        let purged = purge(&room, later).await;
        assert_eq!(purged, Purged { erased: u64::from(mails), kept: 1, failed: None });
        assert_eq!(purge(&room, later).await, Purged { kept: 1, ..nothing });
        let known = Known::default();
        let report = verify(&Places::new(place.path()), known, &mut |_, _| {}).unwrap();
        assert_eq!((report.findings.len(), report.erased), (0, u64::from(mails)));
    }

    fn room() -> (TempDir, Room) {
        let place = tempfile::tempdir().unwrap();
        let settings = config::Archive::in_dir(place.path());
        let room = Room::of_files(&settings).unwrap();
        (place, room)
    }

    async fn bring(room: &Room, serial: u32, keep_days: Option<u32>) -> Seq {
        let capture = capture(serial, keep_days);
        let mails = [(capture, Bytes::new().into())];
        let written = room.with(move |shelf| shelf.bring(&mails, clock::now())).await;
        written.unwrap().unwrap()[0].head.seq
    }

    async fn hold(room: &Room, seq: Seq) {
        let hold = LegalHold {
            case: "case".into(),
            by: "Ann".into(),
            reason: "a court asked".into(),
            mails: vec![seq],
            people: Vec::new(),
        };
        room.with(move |shelf| shelf.hold(hold, clock::now())).await.unwrap().unwrap();
    }

    fn capture(serial: u32, keep_days: Option<u32>) -> Capture {
        let id = QueueId::new(clock::now(), serial);
        Capture {
            id,
            envelope: Envelope::from_sender(ReversePath::Null),
            origin: Origin {
                listener: "import".into(),
                client: Client::unnamed(([127, 0, 0, 1], 25).into()),
                helo: "localhost".into(),
                protocol: Protocol::Esmtp,
                login: None,
                tls: None,
                arrival: id.arrival(),
            },
            note: Note {
                direction: Direction::Inbound,
                rule: None,
                keep_days,
                held: None,
                source: Source::Imported { by: "Ann".into(), from: "file".into() },
            },
            content: Hash::of(b""),
            size: 0,
        }
    }
}
