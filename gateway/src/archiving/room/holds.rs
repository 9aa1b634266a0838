//! Legal holds.

#[cfg(test)]
mod tests;

use std::io;

use mailweir_archive::{
    entry::{LegalHold, Lift, Lifted},
    frame::Seq,
    span::Span,
};

use super::{Answers, Gone, Room, RoomError, Visitor, failed, tell};
use crate::{
    archiving::{
        shelf::{Shelf, ShelfError, said_of_lost},
        words::{HeldCase, Hold, Told},
    },
    clock,
    count::{agreeing, counted},
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
        for (at, lifted) in known.passed {
            tell(answers, Told::Lifted { at, lifted }).await?;
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
            mails.extend(self.find_all(visitor, query, utc_offset).await?);
        }
        let by = visitor.by.clone();
        let mut hold = LegalHold { case: case.clone(), by, reason, mails, people };
        let persons = hold.people.len();
        // What is erased while this is asked is erased before or behind it.
        let done = self.with(move |shelf| {
            let erased = drop_erased(shelf, &mut hold.mails).map_err(ShelfError::Catalogue)?;
            let mails = hold.mails.len();
            if mails == 0 && hold.people.is_empty() {
                let why = match erased {
                    0 => "it means no mail and nobody",
                    _ => "all of its mails are erased already, and it means nobody",
                };
                return Err(RoomError::Refused(why.into()));
            }
            shelf.hold(hold, clock::now())?;
            Ok((mails, erased))
        });
        let (number, erased) = done.await??;
        let (mails, all) = (counted(number, "mail"), counted(persons, "address"));
        let mut text = match (number, persons) {
            (_, 0) => format!("legal hold {case}: it means {mails}"),
            (0, _) => format!("legal hold {case}: it means all mail of {all}"),
            _ => format!("legal hold {case}: it means {mails}, and all mail of {all}"),
        };
        if erased > 0 {
            text += &format!("; {} erased already", agreeing(erased, "mail was", "mails were"));
        }
        Ok(Told::Done { text: text.into() })
    }

    /// Somebody answers for it that a legal hold has ended.
    pub(super) async fn lift(
        &self,
        visitor: &Visitor,
        what: Lift,
        reason: Box<str>,
    ) -> Result<Told, RoomError> {
        let text = match &what {
            Lift::Case(case) => format!("{case}: the legal hold has ended"),
            Lift::Unread(records) => {
                format!("record {records}: whatever legal hold it was has ended")
            }
            Lift::Lost(records) => {
                format!("record {records}, which was lost: whatever legal hold it was has ended")
            }
        };
        let lifted = Lifted { what, by: visitor.by.clone(), reason };
        let done = self.with(move |shelf| {
            if let Some(other) = other_than_open(shelf, &lifted.what) {
                return Err(RoomError::Refused(other.into()));
            }
            Ok(shelf.lift(&lifted, clock::now())?)
        });
        done.await??;
        Ok(Told::Done { text: text.into() })
    }
}

/// Why something cannot be lifted: it is nothing that stops erasing.
fn other_than_open(shelf: &mut Shelf, what: &Lift) -> Option<String> {
    match what {
        Lift::Case(case) => {
            let mut cases = shelf.known_holds().holds.cases();
            let is_there = cases.any(|(name, _)| *name == **case);
            (!is_there).then(|| format!("there is no legal hold {case}"))
        }
        Lift::Unread(records) => {
            shelf.read_holds();
            let unread = &shelf.known_holds().unread;
            let unread: Vec<Span> = unread.iter().map(|unread| unread.records).collect();
            let other = *records.without(&unread).first()?;
            Some(format!(
                "record {other} can be read, is lifted already, or is not there: mailweir archive hold list names those \
                 that cannot be read"
            ))
        }
        Lift::Lost(records) => {
            let other = *records.without(&shelf.known_holds().lost).first()?;
            Some(format!(
                "record {other} was not lost, or somebody has answered for it already: mailweir archive hold list \
                 names those that were lost"
            ))
        }
    }
}

/// Leaves out mails that are erased. How many were.
fn drop_erased(shelf: &Shelf, mails: &mut Vec<Seq>) -> io::Result<usize> {
    let all = mails.len();
    let mut there = Vec::with_capacity(all);
    for seq in mails.drain(..) {
        if shelf.rows().get(seq)?.is_some_and(|row| row.erased.is_none()) {
            there.push(seq);
        }
    }
    *mails = there;
    Ok(all - mails.len())
}
