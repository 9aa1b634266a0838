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
    let mut calendar = Calendar::default();
    let mut told = (0, Purged::default());
    loop {
        let known = known_at_last(|| room.last_day(), tell_failed);
        let Some(known) = end.run_until_cancelled(known).await else { return };
        match calendar.turn(known, today()) {
            Turn::Nothing => {}
            Turn::Doubt(doubt) => tell_doubt(&observer, doubt),
            Turn::Purge(day) => {
                let Some(purged) = end.run_until_cancelled(purge(&room, day)).await else { return };
                if purged.failed.is_some() {
                    calendar.done = None;
                }
                tell(&observer, &purged.news(day, &told));
                told = (day, purged);
            }
        }
        let pause = daily::until_next_day(clock::now()).min(super::LOOK);
        if end.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}

impl Purged {
    /// What is to be told of it: what fails is tried again and again, and is told once a day.
    fn news(&self, day: u32, (told_on, told): &(u32, Self)) -> Self {
        let is_known = |is_same: bool| *told_on == day && is_same;
        Self {
            erased: self.erased,
            kept: if is_known(told.kept == self.kept) { 0 } else { self.kept },
            failed: self.failed.clone().filter(|_| !is_known(told.failed == self.failed)),
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
#[derive(Default)]
struct Calendar {
    /// The last for which was erased. A clock that was put right may go back: only the same day is not done twice.
    done: Option<u32>,
    /// That on which was told last that the clock is doubted.
    told: Option<u32>,
}

/// What a look at the clock comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Nothing,
    Purge(u32),
    /// The clock is not believed.
    Doubt(Doubt),
}

/// Why a clock is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    /// It is so many days ahead.
    Ahead(u32),
    /// It is so many days behind.
    Behind(u32),
    /// Of what, nobody knows.
    Unknown,
}

impl Calendar {
    fn turn(&mut self, known: LastDay, today: u32) -> Turn {
        match doubt(known, today) {
            Some(_) if self.told == Some(today) => Turn::Nothing,
            Some(doubt) => {
                self.told = Some(today);
                Turn::Doubt(doubt)
            }
            None if self.done == Some(today) => Turn::Nothing,
            None => {
                self.done = Some(today);
                Turn::Purge(today)
            }
        }
    }
}

fn doubt(known: LastDay, today: u32) -> Option<Doubt> {
    let is_long = |days: &u32| *days > LONGEST_REST;
    match known {
        LastDay::None => None,
        LastDay::Unknown => Some(Doubt::Unknown),
        LastDay::Day(known) if known <= today => {
            Some(today - known).filter(is_long).map(Doubt::Ahead)
        }
        LastDay::Day(known) => Some(known - today).filter(is_long).map(Doubt::Behind),
    }
}

fn tell_doubt(observer: &Observer, doubt: Doubt) {
    let off = |days: u32, word| {
        let days = counted(u64::from(days), "day");
        format!("the clock is {days} {word} the last day that the archive knows of")
    };
    let what = match doubt {
        Doubt::Ahead(days) => off(days, "ahead of"),
        Doubt::Behind(days) => off(days, "behind"),
        Doubt::Unknown => "the last day that the archive knew of is damaged".to_owned(),
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
        let text = format!(
            "archive: erasing what has been kept for long enough came to no end: {reason}; it is tried again"
        );
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
        let mut calendar = Calendar::default();
        let mut turn = |known, today| calendar.turn(LastDay::Day(known), today);
        assert_eq!(turn(20_000, 20_001), Turn::Purge(20_001));
        assert_eq!(turn(20_001, 20_001), Turn::Nothing, "once a day");
        assert_eq!(turn(20_001, 19_990), Turn::Purge(19_990), "it was a little ahead");
        assert_eq!(turn(20_001, 19_990), Turn::Nothing);
        assert_eq!(turn(20_001, 19_991), Turn::Purge(19_991), "every day");
        assert_eq!(turn(20_001, 20_032), Turn::Purge(20_032), "a rest of a month");
        let ahead = |days| Turn::Doubt(Doubt::Ahead(days));
        assert_eq!(turn(20_032, 25_000), ahead(4_968));
        assert_eq!(turn(20_032, 25_000), Turn::Nothing, "told once a day");
        assert_eq!(turn(20_032, 20_033), Turn::Purge(20_033), "it was put right");
        assert_eq!(turn(20_033, 25_001), ahead(4_968), "it jumped again");
        assert_eq!(turn(20_033, 25_002), ahead(4_969), "it is still not believed");
        assert_eq!(turn(25_002, 25_002), Turn::Purge(25_002), "somebody had it erase");
        assert_eq!(turn(25_002, 25_003), Turn::Purge(25_003), "and it goes on");
        let new = |known| Calendar::default().turn(known, 25_000);
        assert_eq!(new(LastDay::None), Turn::Purge(25_000), "an archive without records");
        assert_eq!(new(LastDay::Unknown), Turn::Doubt(Doubt::Unknown));
    }

    #[test]
    fn a_clock_that_is_behind_erases_nothing_until_it_is_right() {
        let mut calendar = Calendar::default();
        let mut turn = |today| calendar.turn(LastDay::Day(20_000), today);
        for day in [0, 10_957] {
            let behind = Turn::Doubt(Doubt::Behind(20_000 - day));
            assert_eq!(turn(day), behind, "a machine without a battery");
            assert_eq!(turn(day), Turn::Nothing, "told once a day");
        }
        assert_eq!(turn(20_003), Turn::Purge(20_003));
        let turn = |today| Calendar::default().turn(LastDay::Day(20_000), today);
        assert_eq!(turn(19_969), Turn::Purge(19_969), "it was a little ahead");
        assert_eq!(turn(19_968), Turn::Doubt(Doubt::Behind(32)));
    }

    #[tokio::test]
    async fn only_who_asks_for_it_has_an_earlier_day_believed() {
        let (_place, room) = room();
        let purge = async |day, wish| {
            let (answers, _all) = mpsc::channel(WAITING);
            room.purge(day, wish, &answers).await.unwrap();
            room.last_day().await.unwrap()
        };
        for (day, wish, believed) in [
            (20_000, Purge::BecauseItIsTime, 20_000),
            (19_990, Purge::BecauseItIsTime, 20_000),
            (20_001, Purge::BecauseItIsTime, 20_001),
            (19_000, Purge::DryRun, 20_001),
            (19_000, Purge::AskedBy("root".into()), 19_000),
        ] {
            assert_eq!(purge(day, wish).await, LastDay::Day(believed));
        }
    }

    #[test]
    fn what_is_tried_again_is_told_once_a_day_unless_it_changes() {
        let failed = |kept, why: &str| Purged { erased: 0, kept, failed: Some(why.into()) };
        let told = (7, failed(2, "a hold"));
        assert_eq!(failed(2, "a hold").news(7, &told), Purged::default());
        assert_eq!(failed(2, "a hold").news(8, &told), failed(2, "a hold"));
        assert_eq!(failed(3, "a disk").news(7, &told), failed(3, "a disk"));
        let done = Purged { erased: 4, kept: 2, failed: None };
        assert_eq!(done.news(7, &told), Purged { kept: 0, ..done });
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
