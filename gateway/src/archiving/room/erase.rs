//! Erasing mail: what somebody has a right to, and what has been kept for long enough.

use mailweir_archive::{
    catalogue::Rows,
    entry::Erasure,
    frame::Seq,
    retention::{self, Over},
};
use mailweir_mail::QueueId;

use super::{Answers, Gone, Room, RoomError, Visitor, failed, read, tell};
use crate::{
    archiving::{
        shelf::{Fate, LastDay, ShelfError},
        words::Told,
    },
    clock,
    count::counted,
};

/// Why what is over is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::archiving) enum Purge {
    /// Only to say what would be erased.
    DryRun,
    /// To erase it: nobody asked.
    BecauseItIsTime,
    /// To erase it: somebody asked.
    AskedBy(Box<str>),
}

impl Room {
    pub(super) async fn erase(
        &self,
        visitor: &Visitor,
        ids: &[QueueId],
        reason: &str,
        answers: &Answers,
    ) -> Result<(), Gone> {
        for id in ids {
            let told = match self.erase_one(visitor, *id, reason).await {
                Ok(fates) => of_mail(*id, &fates),
                Err(error) => vec![Told::Kept { id: Some(*id), why: error.to_string().into() }],
            };
            for told in told {
                tell(answers, told).await?;
            }
        }
        Ok(())
    }

    /// What became of each capture of a mail.
    async fn erase_one(
        &self,
        visitor: &Visitor,
        id: QueueId,
        reason: &str,
    ) -> Result<Vec<(Seq, Fate)>, RoomError> {
        let captures = self.captures(vec![id]).await?;
        let (why, by) = (Erasure::Requested { reason: reason.into() }, visitor.by.clone());
        let fates = self.with(move |shelf| {
            let fates = shelf.erase(&captures, &why, Some(&by), clock::now())?;
            Ok::<_, ShelfError>(captures.into_iter().zip(fates).collect())
        });
        Ok(fates.await??)
    }

    /// Erases what has been kept for long enough on a day, counted from 1970, which is believed from then on if somebody
    /// asked or it is later than the last: in groups, so that new mail need not wait.
    pub(in crate::archiving) async fn purge(
        &self,
        today: u32,
        wish: Purge,
        answers: &Answers,
    ) -> Result<(), Gone> {
        if let Err(error) = self.believe(today, &wish).await {
            return tell(answers, failed(&error)).await;
        }
        let (mut after, mut erased, mut kept) = (0, 0_u64, 0_u64);
        loop {
            let group = match self.over(after, today).await {
                Ok(group) => group,
                Err(error) => return tell(answers, failed(&error)).await,
            };
            let Some(last) = group.last() else { break };
            after = seq(last);
            let told = match self.purge_group(group, &wish).await {
                Ok(told) => told,
                Err(error) => return tell(answers, failed(&error)).await,
            };
            for told in told {
                match &told {
                    Told::Erased { .. } => erased += 1,
                    Told::Kept { .. } => kept += 1,
                    _ => {}
                }
                tell(answers, told).await?;
            }
        }
        let erased = counted(erased, "mail");
        let word = if wish == Purge::DryRun { "to be erased" } else { "erased" };
        let text = format!("{erased} {word}; {kept} kept though the time is over");
        tell(answers, Told::Done { text: text.into() }).await
    }

    async fn believe(&self, day: u32, wish: &Purge) -> Result<(), RoomError> {
        let believed = match wish {
            Purge::DryRun => return Ok(()),
            Purge::BecauseItIsTime => self.with(move |shelf| shelf.go_on_to(day)).await?,
            Purge::AskedBy(_) => self.with(move |shelf| shelf.believe(day)).await?,
        };
        believed.map_err(RoomError::Day)
    }

    /// The last day that the archive knows of.
    pub(in crate::archiving) async fn last_day(&self) -> Result<LastDay, RoomError> {
        self.with(|shelf| shelf.last_day()).await
    }

    /// Some of the mails whose time is over, behind a number.
    async fn over(&self, after: Seq, today: u32) -> Result<Vec<Over>, RoomError> {
        let holds = self.with(|shelf| shelf.holds()).await?.map_err(RoomError::Refused)?;
        let (places, reader) = (self.places.clone(), self.reader.clone());
        read(move || {
            let rows = Rows::open(&places.catalogue())?;
            let over = retention::over(&rows, &reader, &holds, after + 1, today);
            over.take(GROUP).map(|over| over.map_err(RoomError::Io)).collect()
        })
        .await
    }

    async fn purge_group(&self, group: Vec<Over>, wish: &Purge) -> Result<Vec<Told>, RoomError> {
        let (free, mut told) = divide(group);
        let by = match wish {
            Purge::DryRun => {
                told.extend(free.iter().map(|(id, _)| Told::Erased { id: *id, record: None }));
                return Ok(told);
            }
            Purge::BecauseItIsTime => None,
            Purge::AskedBy(by) => Some(by.clone()),
        };
        let seqs: Vec<_> = free.iter().map(|(_, seq)| *seq).collect();
        let fates = self
            .with(move |shelf| shelf.erase(&seqs, &Erasure::Expired, by.as_deref(), clock::now()));
        let fates = fates.await??;
        told.extend(free.iter().zip(fates).filter_map(|((id, _), fate)| match fate {
            Fate::Erased(record) | Fate::Again(record) => {
                Some(Told::Erased { id: *id, record: Some(record) })
            }
            // Somebody came first.
            Fate::Already => None,
            Fate::Kept(why) => Some(Told::Kept { id: Some(*id), why }),
            Fate::Left(record, why) => {
                let reason = format!("{id}: {}", said_of_left(record, &why)).into();
                Some(Told::Failed { reason })
            }
        }));
        Ok(told)
    }
}

/// The mails that may be erased, by their captures; and what is told of all others.
fn divide(group: Vec<Over>) -> (Vec<(QueueId, Seq)>, Vec<Told>) {
    let (mut free, mut told) = (Vec::new(), Vec::new());
    for over in group {
        match over {
            Over::Free(mail) => match mail.capture.queue_id() {
                Some(id) => free.push((id, mail.capture.seq)),
                None => {
                    let why = format!("record {} of it has no queue id", mail.capture.seq).into();
                    told.push(Told::Kept { id: None, why });
                }
            },
            Over::Held { id, cases, .. } => {
                let why = format!("legal hold {}", cases.join(", ")).into();
                told.push(Told::Kept { id, why });
            }
            Over::Unreadable { id, why, .. } => told.push(Told::Kept { id, why }),
        }
    }
    (free, told)
}

fn said_of_left(record: Seq, why: &str) -> String {
    format!(
        "record {record} says that it is erased, and it or a copy of it may still be on the disk: {why}; it is tried again"
    )
}

/// What is told of a mail by the fates of its captures: it is erased once all of them are.
fn of_mail(id: QueueId, fates: &[(Seq, Fate)]) -> Vec<Told> {
    let kept = |why: String| vec![Told::Kept { id: Some(id), why: why.into() }];
    match fates {
        [(_, Fate::Kept(why))] => return kept(why.to_string()),
        [(_, Fate::Left(record, why))] => return kept(said_of_left(*record, why)),
        _ => {}
    }
    if fates.iter().any(|(_, fate)| matches!(fate, Fate::Kept(_) | Fate::Left(..))) {
        let fates = fates.iter().map(|(seq, fate)| match fate {
            Fate::Erased(_) | Fate::Again(_) => format!("record {seq} of it is erased"),
            Fate::Already => format!("record {seq} of it was erased before"),
            Fate::Kept(why) => format!("record {seq} of it is not: {why}"),
            Fate::Left(record, why) => {
                format!("record {seq} of it is not: {}", said_of_left(*record, why))
            }
        });
        return kept(fates.collect::<Vec<_>>().join("; "));
    }
    let erased = fates.iter().filter_map(|(_, fate)| match fate {
        Fate::Erased(record) | Fate::Again(record) => {
            Some(Told::Erased { id, record: Some(*record) })
        }
        Fate::Already | Fate::Kept(_) | Fate::Left(..) => None,
    });
    let erased: Vec<_> = erased.collect();
    if erased.is_empty() { kept("it is erased already".to_owned()) } else { erased }
}

const fn seq(over: &Over) -> Seq {
    match over {
        Over::Free(mail) => mail.capture.seq,
        Over::Held { seq, .. } | Over::Unreadable { seq, .. } => *seq,
    }
}

/// Mails that are erased together.
const GROUP: usize = 256;

#[cfg(test)]
mod tests {
    use mailweir_archive::{
        Place,
        catalogue::{Row, Standing},
        frame::Kind,
        hash::Hash,
        retention::Free,
    };
    use mailweir_mail::Timestamp;

    use super::*;

    #[test]
    fn a_mail_without_a_name_is_told_of() {
        let capture = Row {
            seq: 7,
            kind: Kind::Capture,
            place: Place { segment: 1, at: 108 },
            about: 7,
            id: [0; 12],
            at: Timestamp::from_secs(7),
            erased: None,
            mail: Standing::default(),
        };
        let mail = Free { capture, outcome: None, content: Hash::of(b""), size: 0 };
        let (free, told) = divide(vec![Over::Free(Box::new(mail))]);
        let why = "record 7 of it has no queue id".into();
        assert_eq!((free, told), (vec![], vec![Told::Kept { id: None, why }]));
    }

    /// A mail whose first record was damaged was brought again by the queue.
    #[test]
    fn a_mail_is_erased_when_all_its_records_are() {
        let id = QueueId::new(Timestamp::from_secs(7), 1);
        let kept = |why: &str| vec![Told::Kept { id: Some(id), why: why.into() }];
        let erased = |record| Told::Erased { id, record: Some(record) };
        let damaged = || Fate::Kept("it is damaged".into());
        for (fates, told) in [
            (vec![(1, Fate::Erased(9))], vec![erased(9)]),
            (vec![(1, Fate::Erased(8)), (4, Fate::Erased(9))], vec![erased(8), erased(9)]),
            (vec![(1, Fate::Already), (4, Fate::Erased(9))], vec![erased(9)]),
            (vec![(1, Fate::Already), (4, Fate::Already)], kept("it is erased already")),
            (vec![(1, Fate::Already), (4, Fate::Again(9))], vec![erased(9)]),
            (
                vec![(1, Fate::Left(9, "a disk".into()))],
                kept(
                    "record 9 says that it is erased, and it or a copy of it may still be on the disk: a disk; it is tried again",
                ),
            ),
            (vec![(1, damaged())], kept("it is damaged")),
            (
                vec![(1, damaged()), (4, Fate::Erased(9))],
                kept("record 1 of it is not: it is damaged; record 4 of it is erased"),
            ),
            (
                vec![(1, Fate::Already), (4, damaged())],
                kept("record 1 of it was erased before; record 4 of it is not: it is damaged"),
            ),
        ] {
            assert_eq!(of_mail(id, &fates), told, "{fates:?}");
        }
    }
}
