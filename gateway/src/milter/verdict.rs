//! From what the rules make of a mail to what its mail server is told. Pure.

use mailweir_external::{
    edit::{self, EnvelopeChanges},
    verdict::{Decision, Verdict},
};
use mailweir_mail::{Reply, ReplyClass};
use mailweir_smtp::replies::NotJudged;

use crate::{
    config::IfHeld,
    ingress::{Opinion, Outcome},
};

/// What is said of a mail that nothing refused. `given`: its header as the mail server has it.
pub(super) fn of(outcome: Outcome, given: &[u8], if_held: IfHeld) -> Verdict {
    let opinion = match outcome {
        Outcome::Judged(opinion) => opinion,
        Outcome::Discarded => {
            return Verdict { decision: Decision::Discard, ..Verdict::nothing("") };
        }
    };
    let Opinion { hold, written, envelope, header, .. } = *opinion;
    let mut edits = edit::between(given, &header);
    if edits.len() > MOST_EDITS {
        return refused(NotJudged::TooManyChanges.reply());
    }
    edits.extend(EnvelopeChanges::between(&written, &envelope).new_first());
    match (hold, if_held) {
        (None, _) => Verdict { edits, ..Verdict::nothing("") },
        (Some(reason), IfHeld::Quarantine) => {
            Verdict { decision: Decision::Hold, edits, reason: reason.as_str().into() }
        }
        (Some(reason), IfHeld::Tempfail) => {
            Verdict { reason: reason.as_str().into(), ..refused(NotJudged::Held.reply()) }
        }
    }
}

/// The client of the mail server hears this.
pub(super) fn refused(reply: Reply) -> Verdict {
    Verdict { decision: Decision::Refuse(reply), ..Verdict::nothing("") }
}

/// In one word.
pub(super) const fn word(decision: &Decision) -> &'static str {
    match decision {
        Decision::Pass => "continue",
        Decision::Hold => "quarantine",
        Decision::Discard => "discard",
        Decision::Refuse(reply) => match reply.class() {
            ReplyClass::Permanent => "reject",
            ReplyClass::Success | ReplyClass::Intermediate | ReplyClass::Transient => "tempfail",
        },
    }
}

/// Fields of a header that are changed at most: each costs the mail server a look at all of them.
const MOST_EDITS: usize = 1_000;

#[cfg(test)]
mod tests {
    use mailweir_external::verdict::Edit;
    use mailweir_mail::{Envelope, HoldReason, QueueId, ReversePath, Timestamp};

    use super::*;

    const GIVEN: &[u8] = b"From: a@x.example\r\nSubject: s\r\n";

    fn envelope(sender: &str, recipients: &[&str]) -> Envelope {
        let sender = ReversePath::Mailbox(sender.parse().unwrap());
        let add = |envelope: Envelope, to: &&str| envelope.to(to.parse().unwrap());
        recipients.iter().fold(Envelope::from_sender(sender), add)
    }

    fn opinion() -> Opinion {
        let written = envelope("a@x.example", &["b@y.example", "c@y.example"]);
        Opinion {
            id: QueueId::new(Timestamp::from_secs(0), 1),
            hold: None,
            envelope: written.clone(),
            written,
            header: [GIVEN, b"\r\n"].concat(),
        }
    }

    fn judged(opinion: Opinion, if_held: IfHeld) -> Verdict {
        of(Outcome::Judged(Box::new(opinion)), GIVEN, if_held)
    }

    #[test]
    fn what_nothing_speaks_against_goes_as_it_is() {
        assert_eq!(judged(opinion(), IfHeld::Quarantine), Verdict::nothing(""));
        let discarded = of(Outcome::Discarded, GIVEN, IfHeld::Quarantine);
        assert_eq!((discarded.decision, discarded.edits), (Decision::Discard, Vec::new()));
    }

    #[test]
    fn what_is_held_is_held_there_or_put_off() {
        let held = || Opinion { hold: Some(HoldReason::new("a rule")), ..opinion() };
        let verdict = judged(held(), IfHeld::Quarantine);
        assert_eq!((verdict.decision, &*verdict.reason), (Decision::Hold, "a rule"));
        let verdict = judged(held(), IfHeld::Tempfail);
        assert_eq!(verdict.decision, Decision::Refuse(NotJudged::Held.reply()));
        assert_eq!((word(&verdict.decision), &*verdict.reason), ("tempfail", "a rule"));
    }

    #[test]
    fn what_was_changed_is_said_and_nobody_is_left_out_first() {
        let changed = Opinion {
            header: b"X-New: 1\r\nFrom: a@x.example\r\nSubject: t\r\n\r\n".to_vec(),
            envelope: envelope("A@x.example", &["C@Y.example", "d@z.example"]),
            ..opinion()
        };
        let (b, d) = ("b@y.example".parse().unwrap(), "d@z.example".parse().unwrap());
        let expected = [
            Edit::Insert { above: 0, name: "X-New".into(), value: b" 1"[..].into() },
            Edit::Change { name: "Subject".into(), nth: 1, value: b" t"[..].into() },
            Edit::AddRecipient(d),
            Edit::RemoveRecipient(b),
        ];
        assert_eq!(judged(changed, IfHeld::Quarantine).edits, expected);
        let changed = Opinion { envelope: envelope("e@x.example", &["b@y.example"]), ..opinion() };
        let edits = judged(changed, IfHeld::Quarantine).edits;
        assert_eq!(edits[0], Edit::Sender(ReversePath::Mailbox("e@x.example".parse().unwrap())));
    }

    #[test]
    fn a_header_that_would_be_rewritten_without_end_is_put_off() {
        let header = "X: 1\r\n".repeat(MOST_EDITS + 1).into_bytes();
        let verdict = judged(Opinion { header, ..opinion() }, IfHeld::Quarantine);
        assert_eq!(verdict.decision, Decision::Refuse(NotJudged::TooManyChanges.reply()));
    }
}
