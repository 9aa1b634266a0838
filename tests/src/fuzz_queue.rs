//! Fuzz bodies of the queue: whatever lies on the disk is read without a panic, and whatever is
//! done to a mail in whatever order, no recipient and no report is lost or settled twice.

use std::time::Duration;

use mailweir_mail::{
    Enhanced, Envelope, HoldReason, QueueId, Reply, ReversePath, Stage, Timestamp,
};
use mailweir_queue::{
    ArchivePart, AttemptResult, Place, RecipientIndex, ReportDuty, ReportKind, Schedule,
    progress::{ArchiveDebt, Notice, Progress, RecipientStatus, State},
    record::{EnvelopeRecord, FORMAT, decode_body},
    state::{Change, Terms, apply},
};

use crate::fuzz_choices::Choices;

/// A stored record of any kind, and a sound frame around any payload: without that a checksum
/// would keep all changes from the readers behind it. What can be read reads back from what it would
/// be written as.
pub fn stored_record(data: &[u8]) {
    read_record(data);
    if let Some((&kind, payload)) = data.split_first() {
        (1..=FORMAT).for_each(|format| read_record(&framed(kind, format, payload)));
    }
}

fn read_record(record: &[u8]) {
    if let Ok(record) = EnvelopeRecord::decode(record) {
        assert_eq!(EnvelopeRecord::decode(&record.encode()), Ok(record));
    }
    if let Ok(progress) = Progress::decode(record) {
        assert_eq!(Progress::decode(&progress.encode()), Ok(progress));
    }
    let _ = decode_body(&record.to_vec().into());
}

/// A record as `queue/FORMAT.md` draws it.
fn framed(kind: u8, format: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let head = [kind, format];
    let parts = [&head[..], &length.to_le_bytes(), &crc32(payload).to_le_bytes(), payload];
    let mut record = parts.concat();
    record.extend_from_slice(&[0x5a, 0xa5]);
    record
}

/// CRC-32 (IEEE 802.3), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}

/// The life of one mail as a list of commands. Between any two of them the mail is stored and read
/// again, as if the program had died.
pub fn queue_commands(data: &[u8]) {
    let mut choices = Choices::new(data);
    let sender = match choices.coin() {
        true => ReversePath::Null,
        false => ReversePath::Mailbox("s@a.example".parse().expect("an address")),
    };
    let recipients = 1 + choices.below(3);
    let envelope = (0..recipients).fold(Envelope::from_sender(sender), |envelope, number| {
        envelope.to(format!("r{number}@b.example").parse().expect("an address"))
    });
    let schedule = Schedule::default();
    let mut now = START;
    let terms = Terms { id: QueueId::new(START, 1), envelope: &envelope, schedule: &schedule };
    let mut progress = Progress::new(State::Screening { next: Stage::Filter }, &envelope, START);
    if choices.coin() {
        progress.archive = ArchiveDebt::Capture;
    }
    while !choices.is_empty() && !progress.is_over() {
        now = now.plus(Duration::from_secs(u64::from(choices.byte()) * 600));
        let change = change(&mut choices, recipients);
        let Ok((next, effects)) = apply(terms, &progress, change.clone(), now) else { continue };
        assert_eq!(effects.remove, next.is_over(), "{change:?}");
        check(&progress, &next, &change);
        assert!(envelope.sender != ReversePath::Null || next.debts().is_empty(), "{next:?}");
        assert_eq!(Progress::decode(&next.encode()).as_ref(), Ok(&next), "as stored");
        progress = next;
    }
}

/// What must hold of every change.
fn check(before: &Progress, after: &Progress, change: &Change) {
    let (from, to) = (before.state.place(), after.state.place());
    assert!(to != Place::Delivering || matches!(from, Place::Ready | Place::Delivering));
    assert!(from != Place::Corrupt || to == Place::Corrupt);
    let leaves_hold = matches!(
        change,
        Change::Release(_)
            | Change::Requeue(_)
            | Change::Delete(_)
            | Change::Expire
            | Change::Damage(_)
    );
    assert!(from != Place::Held || to == Place::Held || leaves_hold, "{change:?} let it go");
    for (was, is) in before.recipients.iter().zip(&after.recipients) {
        use RecipientStatus as R;
        match (was, is) {
            (R::Pending { .. }, _) => {}
            (R::Delivered { report: was, .. }, R::Delivered { report: is, .. })
            | (R::Failed { report: was, .. }, R::Failed { report: is, .. }) => {
                assert!(*was != Notice::Settled || is == was, "a report is owed again");
                assert!(*was != Notice::NotDue || *is != Notice::Owed, "an unwanted report");
            }
            _ => panic!("a settled recipient changed: {was:?} to {is:?}"),
        }
    }
}

fn change(choices: &mut Choices<'_>, recipients: usize) -> Change {
    let who = || "anna".into();
    match choices.below(15) {
        0 => Change::Pass { next: choices.one_of(&[Stage::Route, Stage::Moderate, Stage::Sign]) },
        1 | 2 => Change::Claim,
        3..=5 => {
            // One more than there are: the queue must not believe a courier either.
            let index = u32::try_from(choices.below(recipients + 1)).unwrap_or(0);
            Change::Results(vec![(RecipientIndex(index), result(choices))])
        }
        6 => Change::Abandon,
        7 => Change::Restart,
        8 => Change::Hold(HoldReason::new("rule")),
        9 => Change::Release(who()),
        10 => Change::Requeue(who()),
        11 if choices.coin() => Change::Flush,
        11 => Change::Expire,
        12 => Change::Settle {
            kind: choices.one_of(&ReportKind::ALL),
            recipients: (0..3).filter(|_| choices.coin()).map(RecipientIndex).collect(),
            report: choices.coin().then(|| QueueId::new(START, 2)),
        },
        13 => Change::Archived(choices.one_of(&[
            ArchivePart::Capture,
            ArchivePart::Outcome,
            ArchivePart::Both,
        ])),
        _ if choices.coin() => Change::Delete(who()),
        _ => Change::Damage("a checksum".into()),
    }
}

fn result(choices: &mut Choices<'_>) -> AttemptResult {
    let relay = choices.coin().then(|| "mx.example[192.0.2.1]:25".into());
    match choices.below(4) {
        0 => AttemptResult::Deferred { reply: reply(450, 4), relay },
        1 => AttemptResult::Failed { reply: reply(550, 5), relay },
        2 => AttemptResult::Delivered { reply: reply(250, 2), relay, duty: ReportDuty::PassedOn },
        _ => AttemptResult::Delivered { reply: reply(250, 2), relay, duty: ReportDuty::Ours },
    }
}

const fn reply(code: u16, class: u8) -> Reply {
    Reply::new(code, Enhanced(class, 0, 0), "so be it")
}

const START: Timestamp = Timestamp::from_secs(1_795_210_205);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_around_a_sound_payload_is_the_record() {
        let sender = ReversePath::Mailbox("s@a.example".parse().expect("an address"));
        let envelope = Envelope::from_sender(sender).to("r@b.example".parse().expect("an address"));
        let record = Progress::new(State::Ready { not_before: START }, &envelope, START).encode();
        let payload = &record[10..record.len() - 2];
        assert_eq!(framed(b'S', 1, payload), record);
        stored_record(&[b"S", payload].concat());
    }
}
