//! Once a day, what has been kept for long enough is erased.

use std::time::Duration;

use mailweir_mail::SessionEvent;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    daily,
    room::{Purge, Room, RoomError, today},
    shelf::LastDay,
    words::Told,
};
use crate::{clock, count::counted, observe::Observer};

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

/// Erases now, and at the beginning of every day (UTC), until the end: while the clock goes on from the last day that
/// was believed. One that has jumped erases nothing by itself, until somebody has it erase.
pub(crate) async fn every_day(room: Room, observer: Observer, end: CancellationToken) {
    let tell_failed = |reason| tell(&observer, &Purged { failed: Some(reason), ..<_>::default() });
    let mut calendar = Calendar { done: 0 };
    loop {
        let known = known_at_last(|| room.last_day(), tell_failed);
        let Some(known) = end.run_until_cancelled(known).await else { return };
        match calendar.turn(known, today()) {
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

/// The last day that the archive knows of, once it is open: before that no clock is believed. A reason why it is not is
/// told once.
async fn known_at_last<F: Future<Output = Result<LastDay, RoomError>>>(
    mut last_day: impl FnMut() -> F,
    tell: impl Fn(Box<str>),
) -> LastDay {
    let mut told = None;
    loop {
        match last_day().await {
            Ok(known) => return known,
            Err(error) => {
                let reason: Box<str> = error.to_string().into();
                if told.as_ref() != Some(&reason) {
                    tell(reason.clone());
                    told = Some(reason);
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Which days there were. Days are counted from 1970.
struct Calendar {
    /// The last for which was erased, or told that it was not.
    done: u32,
}

/// What a look at the clock comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Nothing,
    Purge(u32),
    /// The clock is so many days ahead; absent: of what, nobody knows.
    Jump(Option<u32>),
}

impl Calendar {
    fn turn(&mut self, known: LastDay, today: u32) -> Turn {
        // A clock may be set back.
        if today <= self.done {
            return Turn::Nothing;
        }
        self.done = today;
        match known {
            LastDay::Unknown => Turn::Jump(None),
            LastDay::Day(known) if today.saturating_sub(known) > LONGEST_REST => {
                Turn::Jump(Some(today - known))
            }
            LastDay::None | LastDay::Day(_) => Turn::Purge(today),
        }
    }
}

fn tell_jump(observer: &Observer, days: Option<u32>) {
    let what = match days {
        Some(days) => {
            format!("the clock is {days} days ahead of the last day that the archive knows of")
        }
        None => "the last day that the archive knew of is damaged".to_owned(),
    };
    let text = format!(
        "ALARM: archive: {what}: nothing is erased by itself; if the clock is right, mailweir archive purge erases what is \
         due, and it goes on by itself from then on"
    );
    observer.session(&SessionEvent::Warning { part: "archive", text: text.into() });
}

pub(super) async fn purge(room: &Room, today: u32) -> Purged {
    let (told, mut waiting) = mpsc::channel(WAITING);
    let mut purged = Purged::default();
    let purging = async move { room.purge(today, Purge::BecauseItIsTime, &told).await };
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
        let text = format!("{} erased: the time was over", counted(*erased, "mail")).into();
        observer.session(&SessionEvent::Notice { part: "archive", text });
    }
    if *kept > 0 {
        let mails = counted(*kept, "mail");
        let text =
            format!("{mails} kept though the time is over; mailweir archive purge says why").into();
        observer.session(&SessionEvent::Notice { part: "archive", text });
    }
    if let Some(reason) = failed {
        let text = format!("archive: what has been kept for long enough is not erased: {reason}");
        observer.session(&SessionEvent::Warning { part: "archive", text: text.into() });
    }
}

const WAITING: usize = 64;

/// Until it is asked again which day the archive knows of.
const PAUSE: Duration = Duration::from_secs(60);

/// Days that an archive may rest without a record before its clock is doubted.
const LONGEST_REST: u32 = 31;

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, fs, future::ready, path::Path};

    use bytes::Bytes;
    use mailweir_archive::{
        Places, Reader,
        entry::{self, Erased, Erasure, LegalHold},
        frame::{Kind, Seq},
        records::Records,
        verify::{Known, verify},
    };
    use mailweir_mail::{QueueId, Timestamp};
    use tempfile::TempDir;

    use super::{
        super::{sample::imported, shelf::Shelf},
        *,
    };
    use crate::config;

    #[test]
    fn a_clock_that_jumps_erases_nothing() {
        let mut calendar = Calendar { done: 0 };
        let mut turn = |known, today| calendar.turn(LastDay::Day(known), today);
        assert_eq!(turn(20_000, 20_001), Turn::Purge(20_001));
        assert_eq!(turn(20_001, 20_001), Turn::Nothing, "once a day");
        assert_eq!(turn(20_001, 19_990), Turn::Nothing, "it was set back");
        assert_eq!(turn(20_001, 20_032), Turn::Purge(20_032), "a rest of a month");
        assert_eq!(turn(20_032, 25_000), Turn::Jump(Some(4_968)));
        assert_eq!(turn(20_032, 25_001), Turn::Jump(Some(4_969)), "it is still not believed");
        assert_eq!(turn(25_001, 25_001), Turn::Nothing, "somebody had it erase");
        assert_eq!(turn(25_001, 25_002), Turn::Purge(25_002), "and it goes on");
        let new = |known| Calendar { done: 0 }.turn(known, 25_000);
        assert_eq!(new(LastDay::None), Turn::Purge(25_000), "an archive without records");
        assert_eq!(new(LastDay::Unknown), Turn::Jump(None));
    }

    #[tokio::test]
    async fn a_clock_that_jumped_is_not_believed_for_the_mail_that_it_dates() {
        let place = tempfile::tempdir().unwrap();
        let settings = config::Archive::in_dir(place.path());
        let long_ago = Timestamp::from_secs(clock::now().as_secs() - 100 * 86_400);
        let (mut shelf, _) = Shelf::open(&settings, long_ago).unwrap();
        assert_eq!(shelf.last_day(), LastDay::None);
        let mails = [(imported(QueueId::new(long_ago, 1), None), Bytes::new().into())];
        shelf.bring(&mails, long_ago).unwrap();
        drop(shelf);
        let known = LastDay::Day(today() - 100);
        for serial in 2..4 {
            let room = Room::of_files(&settings).unwrap().0;
            bring(&room, serial, Some(1)).await;
            assert_eq!(room.last_day().await.unwrap(), known, "start {serial}");
        }
        let room = Room::of_files(&settings).unwrap().0;
        let purge = async |wish| {
            let (answers, _all) = mpsc::channel(WAITING);
            room.purge(today(), wish, &answers).await.unwrap();
            room.last_day().await.unwrap()
        };
        assert_eq!(purge(Purge::DryRun).await, known, "nothing was erased");
        let believed = LastDay::Day(today());
        assert_eq!(purge(Purge::AskedBy("root".into())).await, believed);
        drop(room);
        let start = || Shelf::open(&settings, clock::now()).unwrap().0.last_day();
        assert_eq!(start(), believed);
        fs::write(place.path().join("day"), "rot").unwrap();
        assert_eq!(start(), LastDay::Unknown);
        // Of no record it is known when it was written.
        for file in ["day", "catalogue"] {
            fs::remove_file(place.path().join(file)).unwrap();
        }
        damage_all_heads(&Places::new(place.path()));
        assert_eq!(start(), LastDay::Unknown);
    }

    /// What says that it is a head.
    fn damage_all_heads(places: &Places) {
        for segment in places.numbers().unwrap() {
            let path = places.segment(segment);
            let mut bytes = fs::read(&path).unwrap();
            let heads: Vec<_> =
                (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"MR")).collect();
            heads.into_iter().for_each(|at| bytes[at] = b'X');
            fs::write(&path, bytes).unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_clock_is_believed_before_the_last_day_is_known() {
        let refused = |why: &str| Err(RoomError::Refused(why.into()));
        let mut answers =
            [refused("not open"), refused("not open"), refused("a disk"), Ok(LastDay::Day(7))]
                .into_iter();
        let told = RefCell::new(Vec::new());
        let begun = tokio::time::Instant::now();
        let known = known_at_last(
            || ready(answers.next().unwrap()),
            |reason| told.borrow_mut().push(reason),
        );
        assert_eq!(known.await, LastDay::Day(7));
        assert_eq!(begun.elapsed(), 3 * PAUSE);
        assert_eq!(told.into_inner(), ["not open".into(), "a disk".into()] as [Box<str>; 2]);
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

    #[tokio::test]
    async fn who_has_it_erased_before_the_next_day_is_named() {
        let (place, room) = room();
        bring(&room, 1, Some(1)).await;
        bring(&room, 2, Some(1)).await;
        let later = today() + 2;
        let (answers, _all) = mpsc::channel(WAITING);
        let by = Purge::AskedBy("root".into());
        room.purge(later, by, &answers).await.unwrap();
        bring(&room, 3, Some(1)).await;
        assert_eq!(purge(&room, later).await.erased, 1);
        assert_eq!(said(place.path()), [Some("root".into()), Some("root".into()), None]);
    }

    /// Who asked for what was erased, and that its time was over.
    fn said(archive: &Path) -> Vec<Option<Box<str>>> {
        let reader = Reader::new(Places::new(archive));
        let records = Records::all(reader.places()).unwrap().map(Result::unwrap);
        let erased = records.filter(|(head, _)| head.kind == Kind::Erased);
        let read = |(_, place)| {
            let summary = reader.read(place).unwrap().payload.summary().unwrap();
            let Erased { why, by, .. } = entry::decode(&summary).unwrap();
            assert_eq!(why, Erasure::Expired);
            by
        };
        erased.map(read).collect()
    }

    fn room() -> (TempDir, Room) {
        let place = tempfile::tempdir().unwrap();
        let settings = config::Archive::in_dir(place.path());
        let room = Room::of_files(&settings).unwrap().0;
        (place, room)
    }

    async fn bring(room: &Room, serial: u32, keep_days: Option<u32>) -> Seq {
        let id = QueueId::new(clock::now(), serial);
        let mails = [(imported(id, keep_days), Bytes::new().into())];
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
}
