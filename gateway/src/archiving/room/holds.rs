//! Legal holds.

use mailweir_archive::entry::{LegalHold, Lifted};

use super::{Answers, Gone, Room, RoomError, Visitor, failed, tell};
use crate::{
    archiving::words::{HeldCase, Hold, Told},
    clock,
    count::counted,
};

impl Room {
    pub(super) async fn holds(&self, answers: &Answers) -> Result<(), Gone> {
        let holds = match self.with(|shelf| shelf.holds()).await {
            Ok(Ok(holds)) => holds,
            Ok(Err(error)) => return tell(answers, failed(&RoomError::Refused(error))).await,
            Err(error) => return tell(answers, failed(&error)).await,
        };
        for (case, hold) in holds.cases() {
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
        Ok(())
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
        let lifted = Lifted { case: case.clone(), by: visitor.by.clone(), reason };
        let done = self.with(move |shelf| {
            let holds = shelf.holds().map_err(RoomError::Refused)?;
            if !holds.cases().any(|(name, _)| *name == *lifted.case) {
                let reason = format!("there is no legal hold {}", lifted.case);
                return Err(RoomError::Refused(reason.into()));
            }
            Ok(shelf.lift(&lifted, clock::now())?)
        });
        done.await??;
        Ok(Told::Done { text: format!("{case}: the legal hold has ended").into() })
    }
}
