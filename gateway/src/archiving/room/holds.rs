//! Legal holds.

use mailweir_archive::{
    entry::{LegalHold, Lifted},
    span::Span,
};

use super::{Answers, Gone, Room, RoomError, Visitor, failed, tell};
use crate::{
    archiving::{
        shelf::{Shelf, said_of_lost},
        words::{HeldCase, Hold, Told},
    },
    clock,
    count::counted,
};

impl Room {
    pub(super) async fn holds(&self, answers: &Answers) -> Result<(), Gone> {
        let known = match self.with(|shelf| shelf.known_holds().clone()).await {
            Ok(known) => known,
            Err(error) => return tell(answers, failed(&error)).await,
        };
        for (case, hold) in known.holds.cases() {
            let held = HeldCase {
                case: case.into(),
                since: hold.since,
                by: hold.by.clone(),
                reason: hold.reason.clone(),
                mails: hold.mails.len(),
                people: hold.people.iter().cloned().collect(),
            };
            tell(answers, Told::Hold(held)).await?;
        }
        for (at, Lifted { records, lost, by, reason, .. }) in known.passed {
            if let Some(records) = lost {
                let (by, reason) = (by.clone(), reason.clone());
                tell(answers, Told::LiftedLost { records, at, by, reason }).await?;
            }
            if let Some(records) = records {
                tell(answers, Told::LiftedRecords { records, at, by, reason }).await?;
            }
        }
        for records in known.lost {
            let why = said_of_lost(records).into();
            tell(answers, Told::Lost { records, why }).await?;
        }
        for unread in known.unread {
            let (records, why) = (unread.records, unread.to_string().into());
            tell(answers, Told::Unread { records, why }).await?;
        }
        match known.doubt {
            Some(doubt) => tell(answers, failed(&RoomError::Refused(doubt))).await,
            None => Ok(()),
        }
    }

    pub(super) async fn hold(&self, visitor: &Visitor, asked: Hold) -> Result<Told, RoomError> {
        let Hold { case, reason, ids, query, utc_offset, people } = asked;
        let mut mails = self.captures(ids).await?;
        if let Some(query) = query {
            mails.extend(self.find_all(query, utc_offset, &visitor.sight).await?);
        }
        if mails.is_empty() && people.is_empty() {
            return Err(RoomError::Refused("it means no mail and nobody".into()));
        }
        let (number, persons) = (mails.len(), people.len());
        let hold = LegalHold { case: case.clone(), by: visitor.by.clone(), reason, mails, people };
        self.with(move |shelf| shelf.hold(hold, clock::now())).await??;
        let (mails, all) = (counted(number, "mail"), counted(persons, "address"));
        let text = match (number, persons) {
            (_, 0) => format!("{case}: {mails} held"),
            (0, _) => format!("{case}: all mail of {all} held"),
            _ => format!("{case}: {mails} held, and all mail of {all}"),
        };
        Ok(Told::Done { text: text.into() })
    }

    pub(super) async fn lift(
        &self,
        visitor: &Visitor,
        case: Box<str>,
        reason: Box<str>,
    ) -> Result<Told, RoomError> {
        let by = visitor.by.clone();
        let lifted = Lifted { case: case.clone(), records: None, lost: None, by, reason };
        let done = self.with(move |shelf| {
            let holds = &shelf.known_holds().holds;
            if !holds.cases().any(|(name, _)| *name == *lifted.case) {
                let reason = format!("there is no legal hold {}", lifted.case);
                return Err(RoomError::Refused(reason.into()));
            }
            Ok(shelf.lift(&lifted, clock::now())?)
        });
        done.await??;
        Ok(Told::Done { text: format!("{case}: the legal hold has ended").into() })
    }

    /// Somebody answers for it that what cannot be read holds nothing any more.
    pub(super) async fn lift_records(
        &self,
        visitor: &Visitor,
        records: Span,
        reason: Box<str>,
    ) -> Result<Told, RoomError> {
        let (case, by) = ("".into(), visitor.by.clone());
        let lifted = Lifted { case, records: Some(records), lost: None, by, reason };
        let unread = |shelf: &mut Shelf| {
            shelf.read_holds();
            shelf.known_holds().unread.iter().map(|unread| unread.records).collect()
        };
        let other = "can be read, is lifted already, or is not there: mailweir archive hold list names those that \
                     cannot be read";
        self.answer_for(records, lifted, unread, other).await?;
        let text = format!("record {records}: whatever hold it was has ended");
        Ok(Told::Done { text: text.into() })
    }

    /// Somebody answers for it that what was lost holds nothing any more.
    pub(super) async fn lift_lost(
        &self,
        visitor: &Visitor,
        records: Span,
        reason: Box<str>,
    ) -> Result<Told, RoomError> {
        let (case, by) = ("".into(), visitor.by.clone());
        let lifted = Lifted { case, records: None, lost: Some(records), by, reason };
        let lost = |shelf: &mut Shelf| shelf.known_holds().lost.clone();
        let other = "was not lost, or somebody has answered for it already: mailweir archive hold list names those \
                     that were lost";
        self.answer_for(records, lifted, lost, other).await?;
        let text = format!("record {records}, which was lost: whatever hold it was has ended");
        Ok(Told::Done { text: text.into() })
    }

    /// Lifts records, if each of them is an open question; `other` says what another one is.
    async fn answer_for(
        &self,
        records: Span,
        lifted: Lifted,
        open: impl FnOnce(&mut Shelf) -> Vec<Span> + Send + 'static,
        other: &'static str,
    ) -> Result<(), RoomError> {
        let done = self.with(move |shelf| match records.without(&open(shelf)).first() {
            Some(answered) => Err(RoomError::Refused(format!("record {answered} {other}").into())),
            None => Ok(shelf.lift(&lifted, clock::now())?),
        });
        done.await?
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::FileExt as _};

    use bytes::Bytes;
    use mailweir_archive::{Place, Places, catalogue::Rows, frame::Head};
    use mailweir_mail::QueueId;
    use tokio::sync::mpsc;

    use super::*;
    use crate::{
        archiving::{indexing::Sight, sample::imported, words::Ask},
        config,
    };

    /// What of a record is damaged.
    #[derive(Clone, Copy, Debug)]
    enum Harm {
        Head,
        Payload,
    }

    #[tokio::test]
    async fn what_may_be_a_hold_stops_erasing_until_somebody_answers_for_it() {
        for harm in [Harm::Head, Harm::Payload] {
            let place = tempfile::tempdir().unwrap();
            let settings = config::Archive::in_dir(place.path());
            let ids = leave(&settings);
            damage(&settings, harm);
            let room = Room::of_files(&settings).unwrap().0;
            let [Told::Kept { why, .. }] = &erase(&room, ids[0]).await[..] else { panic!() };
            assert!(why.contains("mailweir archive hold lift --record 2 ends"), "{harm:?}: {why}");
            let listed = ask(&room, Ask::Holds).await;
            let [Told::Hold(other), Told::Unread { records, .. }] = &listed[..] else { panic!() };
            assert_eq!((&*other.case, *records), ("other", Span::of(2)), "{harm:?}");
            for readable in ["1", "2..3", "4", "99"] {
                let told = lift(&room, readable).await;
                assert!(matches!(&told[..], [Told::Failed { .. }]), "{readable}: {told:?}");
            }
            let told = lift(&room, "2").await;
            assert!(matches!(&told[..], [Told::Done { .. }]), "{told:?}");
            assert!(matches!(erase(&room, ids[0]).await[..], [Told::Erased { .. }]));
            assert!(matches!(lift(&room, "2").await[..], [Told::Failed { .. }]), "it is done");
            drop(room);
            let room = Room::of_files(&settings).unwrap().0;
            assert!(matches!(erase(&room, ids[1]).await[..], [Told::Erased { .. }]));
            let [Told::Kept { why, .. }] = &erase(&room, ids[2]).await[..] else { panic!() };
            assert_eq!(&**why, "legal hold other", "it can be read");
            let listed = ask(&room, Ask::Holds).await;
            let [Told::Hold(_), Told::LiftedRecords { records, by, .. }] = &listed[..] else {
                panic!("{listed:?}")
            };
            assert_eq!((*records, &**by), (Span::of(2), "Ann"));
        }
    }

    /// The record of the hold is the last of all, and the archive ends before it.
    #[tokio::test]
    async fn a_hold_that_was_lost_stops_erasing_until_somebody_answers_for_it() {
        let place = tempfile::tempdir().unwrap();
        let settings = config::Archive::in_dir(place.path());
        let ids = leave(&settings);
        let last = lose_the_last(&settings);
        for _ in 0..2 {
            let room = Room::of_files(&settings).unwrap().0;
            let [Told::Kept { why, .. }] = &erase(&room, ids[2]).await[..] else { panic!() };
            assert!(why.contains("mailweir archive hold lift --lost 5 ends"), "{why}");
            let listed = ask(&room, Ask::Holds).await;
            let [Told::Hold(one), Told::Lost { records, .. }] = &listed[..] else {
                panic!("{listed:?}")
            };
            assert_eq!((&*one.case, *records), ("one", last));
        }
        let room = Room::of_files(&settings).unwrap().0;
        let hold = Hold {
            case: "other".into(),
            reason: "a court asked".into(),
            ids: vec![ids[2]],
            query: None,
            utc_offset: 0,
            people: Vec::new(),
        };
        // It gets the number of the one that was lost.
        assert!(matches!(ask(&room, Ask::Hold(hold)).await[..], [Told::Done { .. }]));
        for other in ["4", "5..6", "6"] {
            let told = lift_lost(&room, other).await;
            assert!(matches!(&told[..], [Told::Failed { .. }]), "{other}: {told:?}");
        }
        assert!(matches!(lift_lost(&room, "5").await[..], [Told::Done { .. }]));
        assert!(matches!(lift_lost(&room, "5").await[..], [Told::Failed { .. }]), "it is done");
        drop(room);
        let room = Room::of_files(&settings).unwrap().0;
        let listed = ask(&room, Ask::Holds).await;
        let [Told::Hold(one), Told::Hold(other), Told::LiftedLost { records, by, .. }] =
            &listed[..]
        else {
            panic!("{listed:?}")
        };
        assert_eq!((&*one.case, &*other.case, *records, &**by), ("one", "other", last, "Ann"));
        assert!(matches!(erase(&room, ids[1]).await[..], [Told::Erased { .. }]));
        let [Told::Kept { why, .. }] = &erase(&room, ids[2]).await[..] else { panic!() };
        assert_eq!(&**why, "legal hold other", "another record has the number of a lost one");
    }

    /// Cuts off the last segment before its last group, as a disk may that was put back.
    fn lose_the_last(settings: &config::Archive) -> Span {
        let places = Places::new(&settings.directory);
        let Place { segment, at } =
            Rows::open(&places.catalogue()).unwrap().get(5).unwrap().unwrap().place;
        let file = fs::OpenOptions::new().write(true).open(places.segment(segment)).unwrap();
        file.set_len(at).unwrap();
        fs::remove_file(places.roots()).unwrap();
        Span::of(5)
    }

    /// Leaves three mails, of which the first is held by record 2, and the last by record 5.
    fn leave(settings: &config::Archive) -> [QueueId; 3] {
        let (mut shelf, _) = Shelf::open(settings, clock::now()).unwrap();
        let ids = [1, 2, 3].map(|serial| QueueId::new(clock::now(), serial));
        let bring = |shelf: &mut Shelf, id| {
            let written =
                shelf.bring(&[(imported(id, None), Bytes::new().into())], clock::now()).unwrap();
            written[0].head.seq
        };
        let hold = |case: &str, seq| LegalHold {
            case: case.into(),
            by: "Ann".into(),
            reason: "a court asked".into(),
            mails: vec![seq],
            people: Vec::new(),
        };
        let first = bring(&mut shelf, ids[0]);
        shelf.hold(hold("one", first), clock::now()).unwrap();
        bring(&mut shelf, ids[1]);
        let last = bring(&mut shelf, ids[2]);
        shelf.hold(hold("other", last), clock::now()).unwrap();
        shelf.seal(clock::now()).unwrap();
        ids
    }

    fn damage(settings: &config::Archive, harm: Harm) {
        let places = Places::new(&settings.directory);
        let rows = Rows::open(&places.catalogue()).unwrap();
        let Place { segment, at } = rows.get(2).unwrap().unwrap().place;
        let byte = match harm {
            Harm::Head => {
                fs::remove_file(places.catalogue()).unwrap();
                at + 8
            }
            Harm::Payload => at + Head::LEN as u64 + 8,
        };
        let mut file = fs::OpenOptions::new();
        let file = file.read(true).write(true).open(places.segment(segment)).unwrap();
        let mut bytes = [0];
        file.read_exact_at(&mut bytes, byte).unwrap();
        file.write_all_at(&[bytes[0] ^ 1], byte).unwrap();
    }

    async fn erase(room: &Room, id: QueueId) -> Vec<Told> {
        ask(room, Ask::Erase { ids: vec![id], reason: "request 7".into() }).await
    }

    async fn lift(room: &Room, records: &str) -> Vec<Told> {
        let records = records.parse().unwrap();
        ask(room, Ask::LiftRecords { records, reason: "the disk failed".into() }).await
    }

    async fn lift_lost(room: &Room, records: &str) -> Vec<Told> {
        let records = records.parse().unwrap();
        ask(room, Ask::LiftLost { records, reason: "the disk failed".into() }).await
    }

    async fn ask(room: &Room, ask: Ask) -> Vec<Told> {
        let (answers, mut told) = mpsc::channel(16);
        let visitor = Visitor { by: "Ann".into(), from: None, sight: Sight::WithBcc };
        room.ask(&visitor, ask, &answers).await.unwrap();
        drop(answers);
        let mut all = Vec::new();
        while let Some(one) = told.recv().await {
            all.push(one);
        }
        all
    }
}
