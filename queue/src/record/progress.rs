//! The mutable half of a mail as a record.

use std::borrow::Cow;

use bytes::Bytes;
use mailweir_mail::{Enhanced, HoldReason, Reply, Stage};

use super::{
    ARCHIVE_FORMAT, FIRST_FORMAT, Kind, RecordError,
    codec::{Reader, Writer, open},
};
use crate::progress::{
    ArchiveDebt, FailureCause, LastReply, Notice, Order, Outcome, Progress, RecipientStatus, State,
};

impl Progress {
    /// The record as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::State, 40 + 8 * self.recipients.len());
        write_state(&mut writer, &self.state);
        writer.number(u64::from(self.attempts));
        writer.time(self.alive_since);
        writer.byte(notice_byte(self.delay));
        writer.number(self.recipients.len() as u64);
        for status in &self.recipients {
            write_status(&mut writer, status);
        }
        let debt = match self.archive {
            ArchiveDebt::Nothing => return writer.finish(FIRST_FORMAT),
            ArchiveDebt::Capture => 1,
            ArchiveDebt::Outcome => 2,
        };
        writer.byte(debt);
        for decision in &self.decisions {
            writer.bytes(decision);
        }
        writer.finish(ARCHIVE_FORMAT)
    }

    /// Reads a record back.
    ///
    /// # Errors
    /// Says what is wrong with the bytes.
    pub fn decode(record: &[u8]) -> Result<Self, RecordError> {
        let (version, payload) = open(record, Kind::State)?;
        let reader = &mut Reader::new(payload);
        let state = read_state(reader)?;
        let attempts = reader.small()?;
        let alive_since = reader.time()?;
        let delay = read_notice(reader)?;
        let count = reader.count()?;
        let recipients = (0..count).map(|_| read_status(reader)).collect::<Result<_, _>>()?;
        let (mut archive, mut decisions) = (ArchiveDebt::Nothing, Vec::new());
        if version >= ARCHIVE_FORMAT {
            archive = read_archive_debt(reader)?;
            while reader.has_more() {
                decisions.push(Bytes::copy_from_slice(reader.bytes()?));
            }
        }
        reader.end()?;
        Ok(Self { state, attempts, alive_since, delay, recipients, archive, decisions })
    }
}

fn read_archive_debt(reader: &mut Reader<'_>) -> Result<ArchiveDebt, RecordError> {
    Ok(match reader.byte()? {
        1 => ArchiveDebt::Capture,
        2 => ArchiveDebt::Outcome,
        _ => return Err(RecordError::Malformed),
    })
}

fn write_state(writer: &mut Writer, state: &State) {
    match state {
        State::Screening { next } => {
            writer.byte(1);
            writer.byte(stage_byte(*next));
        }
        State::Held { reason, since, resume } => {
            writer.byte(2);
            writer.text(reason.as_str());
            writer.time(*since);
            writer.byte(stage_byte(*resume));
        }
        State::Ready { not_before } => {
            writer.byte(3);
            writer.time(*not_before);
        }
        State::Delivering { attempt, order } => {
            writer.byte(4);
            writer.number(u64::from(*attempt));
            write_order(writer, order.as_ref());
        }
        State::Finished(outcome) => {
            writer.byte(5);
            writer.byte(match outcome {
                Outcome::Delivered => 0,
                Outcome::Failed => 1,
                Outcome::Deleted => 2,
            });
        }
        State::Corrupt => writer.byte(6),
    }
}

fn read_state(reader: &mut Reader<'_>) -> Result<State, RecordError> {
    Ok(match reader.byte()? {
        1 => State::Screening { next: read_stage(reader)? },
        2 => State::Held {
            reason: HoldReason::new(reader.text()?),
            since: reader.time()?,
            resume: read_stage(reader)?,
        },
        3 => State::Ready { not_before: reader.time()? },
        4 => State::Delivering { attempt: reader.small()?, order: read_order(reader)? },
        5 => State::Finished(match reader.byte()? {
            0 => Outcome::Delivered,
            1 => Outcome::Failed,
            2 => Outcome::Deleted,
            _ => return Err(RecordError::Malformed),
        }),
        6 => State::Corrupt,
        _ => return Err(RecordError::Malformed),
    })
}

fn write_order(writer: &mut Writer, order: Option<&Order>) {
    match order {
        None => writer.byte(0),
        Some(Order::Hold(reason)) => {
            writer.byte(1);
            writer.text(reason.as_str());
        }
        Some(Order::Requeue(by)) => {
            writer.byte(2);
            writer.text(by);
        }
        Some(Order::Delete(by)) => {
            writer.byte(3);
            writer.text(by);
        }
        Some(Order::Expire) => writer.byte(4),
    }
}

fn read_order(reader: &mut Reader<'_>) -> Result<Option<Order>, RecordError> {
    Ok(match reader.byte()? {
        0 => None,
        1 => Some(Order::Hold(HoldReason::new(reader.text()?))),
        2 => Some(Order::Requeue(reader.text()?.into())),
        3 => Some(Order::Delete(reader.text()?.into())),
        4 => Some(Order::Expire),
        _ => return Err(RecordError::Malformed),
    })
}

fn write_status(writer: &mut Writer, status: &RecipientStatus) {
    match status {
        RecipientStatus::Pending { last: None } => writer.byte(0),
        RecipientStatus::Pending { last: Some(last) } => {
            writer.byte(1);
            write_last(writer, last);
        }
        RecipientStatus::Delivered { last, report } => {
            writer.byte(2);
            writer.byte(notice_byte(*report));
            write_last(writer, last);
        }
        RecipientStatus::Failed { last, cause, report } => {
            writer.byte(match cause {
                FailureCause::Refused => 3,
                FailureCause::Expired => 4,
            });
            writer.byte(notice_byte(*report));
            write_last(writer, last);
        }
    }
}

fn read_status(reader: &mut Reader<'_>) -> Result<RecipientStatus, RecordError> {
    let failed = |reader: &mut Reader<'_>, cause| {
        let report = read_notice(reader)?;
        Ok(RecipientStatus::Failed { last: read_last(reader)?, cause, report })
    };
    match reader.byte()? {
        0 => Ok(RecipientStatus::Pending { last: None }),
        1 => Ok(RecipientStatus::Pending { last: Some(read_last(reader)?) }),
        2 => {
            let report = read_notice(reader)?;
            Ok(RecipientStatus::Delivered { last: read_last(reader)?, report })
        }
        3 => failed(reader, FailureCause::Refused),
        4 => failed(reader, FailureCause::Expired),
        _ => Err(RecordError::Malformed),
    }
}

fn write_last(writer: &mut Writer, last: &LastReply) {
    writer.time(last.at);
    writer.number(u64::from(last.attempt));
    writer.optional(last.relay.as_deref());
    writer.number(u64::from(last.reply.code));
    writer.byte(u8::from(last.reply.enhanced.is_some()));
    if let Some(Enhanced(class, subject, detail)) = last.reply.enhanced {
        writer.byte(class);
        writer.number(u64::from(subject));
        writer.number(u64::from(detail));
    }
    writer.text(&last.reply.text);
}

fn read_last(reader: &mut Reader<'_>) -> Result<LastReply, RecordError> {
    let at = reader.time()?;
    let attempt = reader.small()?;
    let relay = reader.optional()?.map(Into::into);
    let code = reader.small()?;
    let enhanced = match reader.byte()? {
        0 => None,
        1 => Some(Enhanced(reader.byte()?, reader.small()?, reader.small()?)),
        _ => return Err(RecordError::Malformed),
    };
    let text = Cow::Owned(reader.text()?.to_owned());
    Ok(LastReply { reply: Reply { code, enhanced, text }, relay, at, attempt })
}

const fn notice_byte(notice: Notice) -> u8 {
    match notice {
        Notice::NotDue => 0,
        Notice::AfterAttempt => 1,
        Notice::Owed => 2,
        Notice::Settled => 3,
    }
}

fn read_notice(reader: &mut Reader<'_>) -> Result<Notice, RecordError> {
    Ok(match reader.byte()? {
        0 => Notice::NotDue,
        1 => Notice::AfterAttempt,
        2 => Notice::Owed,
        3 => Notice::Settled,
        _ => return Err(RecordError::Malformed),
    })
}

const fn stage_byte(stage: Stage) -> u8 {
    match stage {
        Stage::Filter => 1,
        Stage::Moderate => 2,
        Stage::Archive => 3,
        Stage::Sign => 4,
        Stage::Route => 5,
    }
}

fn read_stage(reader: &mut Reader<'_>) -> Result<Stage, RecordError> {
    Ok(match reader.byte()? {
        1 => Stage::Filter,
        2 => Stage::Moderate,
        3 => Stage::Archive,
        4 => Stage::Sign,
        5 => Stage::Route,
        _ => return Err(RecordError::Malformed),
    })
}
