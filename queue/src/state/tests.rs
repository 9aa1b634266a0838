use std::time::Duration;

use mailweir_mail::{Enhanced, Notify, Reply, ReversePath};
use proptest::prelude::*;

use super::*;
use crate::progress::{AttemptResult, FailureCause, LastReply, Order, Outcome, ReportDuty};

/// The table of FORMAT.md, "Changes": what each change leads to from each state.
#[test]
fn every_change_does_from_every_state_what_the_table_says() {
    let table = [
        ("pass", ["ready", "-", "-", "-", "-", "-", "-"]),
        ("claim", ["-", "-", "delivering", "-", "-", "-", "-"]),
        ("abandon", ["-", "-", "-", "ready", "held", "-", "-"]),
        ("restart", ["screening", "held", "ready", "ready", "held", "finished", "-"]),
        ("hold", ["held", "-", "held", "delivering", "delivering", "-", "-"]),
        ("hold after attempt", ["-", "-", "-", "delivering", "delivering", "-", "-"]),
        ("release", ["-", "screening", "-", "-", "delivering", "-", "-"]),
        ("stay held", ["-", "held", "-", "-", "-", "-", "-"]),
        ("requeue", ["screening", "screening", "screening", "delivering", "delivering", "-", "-"]),
        ("delete", ["gone", "gone", "gone", "delivering", "delivering", "gone", "-"]),
        ("flush", ["screening", "-", "ready", "delivering", "delivering", "-", "-"]),
        ("expire", ["finished", "finished", "finished", "delivering", "delivering", "-", "-"]),
        ("damage", ["corrupt", "corrupt", "corrupt", "corrupt", "corrupt", "corrupt", "corrupt"]),
    ];
    let rules = Rules::new(1);
    for (name, expected) in table {
        for (state, expected) in states().into_iter().zip(expected) {
            let mut progress = rules.progress(state.clone());
            if matches!(state, State::Finished(_)) {
                progress.recipients = vec![given_up(Notice::Owed)];
            }
            let found = match apply(rules.terms(), &progress, change(name), NOW) {
                Ok((_, effects)) if effects.remove => "gone",
                Ok((progress, _)) => progress.state.place().as_str(),
                Err(_) => "-",
            };
            assert_eq!(found, expected, "{name} from {state:?}");
        }
    }
}

/// The same table, "hold after attempt".
#[test]
fn what_somebody_has_ordered_stands_when_a_failure_wants_the_mail_held() {
    let rules = Rules::new(1);
    let reason = HoldReason::new("filter");
    let by: Box<str> = "operator".into();
    let ordered = [
        Order::Hold(HoldReason::new("operator")),
        Order::Requeue(by.clone()),
        Order::Delete(by),
        Order::Expire,
    ];
    for order in [None].into_iter().chain(ordered.map(Some)) {
        let expected = order.clone().unwrap_or_else(|| Order::Hold(reason.clone()));
        let before = rules.progress(State::Delivering { attempt: 1, order });
        let wanted = Change::HoldAfterAttempt(reason.clone());
        let (after, effects) = apply(rules.terms(), &before, wanted, NOW).unwrap();
        assert_eq!(after.state, State::Delivering { attempt: 1, order: Some(expected) });
        assert_eq!(effects, Effects::default());
    }
}

/// The same table, "Done, archive owed": nobody else changes such a mail.
#[test]
fn what_is_kept_for_the_archive_alone_is_changed_by_nobody_else() {
    let rules = Rules::new(1);
    let mut done = rules.progress(State::Finished(Outcome::Deleted));
    done.archive = ArchiveDebt::Capture;
    assert_eq!(done.place(), Place::Archiving);
    let others = ["results", "archived", "restart"];
    for name in CHANGES.into_iter().filter(|name| !others.contains(name)) {
        let refused = apply(rules.terms(), &done, change(name), NOW).unwrap_err();
        assert!(refused.to_string().starts_with("the mail is archiving: it cannot be "), "{name}");
    }
    let (same, effects) = apply(rules.terms(), &done, Change::Restart, NOW).unwrap();
    assert_eq!((same, effects), (done.clone(), Effects::default()));
    let (corrupt, effects) = apply(rules.terms(), &done, change("damage"), NOW).unwrap();
    assert_eq!((corrupt.place(), corrupt.to_archive()), (Place::Corrupt, None));
    assert!(!effects.remove);
}

/// FORMAT.md, "What the archive is owed".
#[test]
fn a_debt_to_the_archive_is_cleared_by_what_was_owed_and_by_nothing_else() {
    use ArchiveDebt as Debt;
    let rules = Rules::new(1);
    let ready = State::Ready { not_before: NOW };
    let done = State::Finished(Outcome::Delivered);
    for (state, debt, owed, after) in [
        (ready.clone(), Debt::Nothing, None, None),
        (ready.clone(), Debt::Capture, Some(ArchivePart::Capture), Some(Debt::Outcome)),
        (ready, Debt::Outcome, None, None),
        (done.clone(), Debt::Capture, Some(ArchivePart::Both), Some(Debt::Nothing)),
        (done.clone(), Debt::Outcome, Some(ArchivePart::Outcome), Some(Debt::Nothing)),
        (State::Corrupt, Debt::Capture, None, None),
    ] {
        let mut progress = rules.progress(state);
        progress.archive = debt;
        assert_eq!(progress.to_archive(), owed, "{progress:?}");
        for part in PARTS {
            let taken = apply(rules.terms(), &progress, Change::Archived(part), NOW);
            // Handed out before it ended, and taken since.
            let is_late = (owed, part) == (Some(ArchivePart::Both), ArchivePart::Capture);
            let late = is_late.then_some(Debt::Outcome);
            let expected = if Some(part) == owed { after } else { late };
            let found = taken.as_ref().ok().map(|(progress, _)| progress.archive);
            assert_eq!(found, expected, "{part:?} of {progress:?}");
            let is_gone = taken.is_ok_and(|(_, effects)| effects.remove);
            assert_eq!(is_gone, expected == Some(Debt::Nothing));
        }
    }
}

#[test]
fn reports_come_before_the_outcome() {
    let rules = Rules::new(1);
    let mut progress = rules.delivering();
    progress.archive = ArchiveDebt::Capture;
    let (progress, _) = rules.results(&progress, &[(0, failed())]);
    assert_eq!(progress.to_archive(), Some(ArchivePart::Capture));
    assert_eq!(progress.place(), Place::Finished);
    let settle = Change::Settle {
        kind: ReportKind::Failure,
        recipients: vec![RecipientIndex(0)],
        report: None,
    };
    let (progress, effects) = apply(rules.terms(), &progress, settle, NOW).unwrap();
    assert!(!effects.remove && effects.events.is_empty(), "it is not gone");
    assert_eq!(progress.to_archive(), Some(ArchivePart::Both));
}

#[test]
fn a_corrupt_mail_is_told_of_once_and_its_debt_can_be_settled() {
    let rules = Rules::new(1);
    let mut owing = rules.progress(State::Finished(Outcome::Failed));
    owing.recipients = vec![given_up(Notice::Owed)];
    let (corrupt, effects) = apply(rules.terms(), &owing, change("damage"), NOW).unwrap();
    assert_eq!(effects.events.len(), 1);
    let (again, effects) = apply(rules.terms(), &corrupt, change("damage"), NOW).unwrap();
    assert_eq!((again, effects), (corrupt.clone(), Effects::default()));
    let settle = Change::Settle {
        kind: ReportKind::Failure,
        recipients: vec![RecipientIndex(0)],
        report: None,
    };
    let (settled, effects) = apply(rules.terms(), &corrupt, settle.clone(), NOW).unwrap();
    assert_eq!((settled.state.place(), settled.debts()), (Place::Corrupt, vec![]));
    assert!(!effects.remove, "a corrupt mail stays");
    assert!(apply(rules.terms(), &settled, settle, NOW).is_err());
}

#[test]
fn a_corrupt_mail_says_what_saves_it() {
    let rules = Rules::new(1);
    let progress = rules.progress(State::Corrupt);
    let error = apply(rules.terms(), &progress, change("delete"), NOW).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the mail is corrupt: it cannot be deleted; `mailweir rescue` saves what is readable"
    );
}

#[test]
fn one_report_names_all_recipients_that_failed_in_an_attempt() {
    let rules = Rules::new(3);
    let progress = rules.delivering();
    let (progress, effects) = rules.results(&progress, &[(0, failed()), (1, failed())]);
    assert_eq!(effects.owed, [], "the attempt is not over");
    let (progress, effects) = rules.results(&progress, &[(2, deferred())]);
    assert_eq!(effects.owed, [ReportKind::Failure]);
    assert_eq!(progress.owed(ReportKind::Failure).count(), 2);
}

#[test]
fn notify_decides_who_is_reported_on() {
    let never = Notify::Never;
    let success = Notify::On { success: true, failure: false, delay: false };
    for (notify, result, owed) in [
        (Notify::DEFAULT, delivered(ReportDuty::Ours), None),
        (Notify::DEFAULT, failed(), Some(ReportKind::Failure)),
        (never, failed(), None),
        (success, failed(), None),
        (success, delivered(ReportDuty::Ours), Some(ReportKind::Success)),
        (success, delivered(ReportDuty::PassedOn), None),
        (success, delivered(ReportDuty::Nobody), None),
    ] {
        let mut rules = Rules::new(1);
        rules.envelope.recipients[0].notify = notify;
        let (_, effects) = rules.results(&rules.delivering(), &[(0, result)]);
        assert_eq!(effects.owed, owed.into_iter().collect::<Vec<_>>(), "{notify:?}");
        assert_eq!(effects.remove, owed.is_none());
    }
}

#[test]
fn the_null_sender_never_gets_a_report_d6() {
    let mut rules = Rules::new(1);
    rules.envelope.sender = ReversePath::Null;
    rules.envelope.recipients[0].notify = Notify::On { success: true, failure: true, delay: true };
    rules.schedule.delay_warning_time = Duration::from_nanos(1);
    for result in [failed(), delivered(ReportDuty::Ours), deferred()] {
        let (progress, effects) = rules.results(&rules.delivering(), &[(0, result)]);
        assert_eq!(effects.owed, []);
        assert!(progress.debts().is_empty());
    }
}

#[test]
fn mail_from_the_null_sender_has_its_own_lifetime_and_is_dropped_after_it() {
    let mut rules = Rules::new(1);
    rules.envelope.sender = ReversePath::Null;
    rules.schedule.bounce_queue_lifetime = Duration::from_secs(10);
    let mut progress = rules.delivering();
    progress.alive_since = Timestamp::from_secs(NOW.as_secs() - 10);
    let (_, effects) = rules.results(&progress, &[(0, deferred())]);
    assert!(effects.remove);
    assert!(matches!(effects.events[..], [MailEvent::Expired(_), MailEvent::Removed { .. }]));
}

#[test]
fn an_expired_recipient_is_reported_with_the_last_reply_it_got() {
    let rules = Rules::new(1);
    let mut progress = rules.delivering();
    progress.alive_since = Timestamp::from_secs(0);
    let (progress, effects) = rules.results(&progress, &[(0, deferred())]);
    assert_eq!(effects.owed, [ReportKind::Failure]);
    let status = &progress.recipients[0];
    assert!(matches!(status, RecipientStatus::Failed { cause: FailureCause::Expired, .. }));
    assert_eq!(status.last().unwrap().reply.code, 450);
}

#[test]
fn the_sender_hears_of_a_delay_once_and_only_if_it_is_wanted() {
    let mut rules = Rules::new(1);
    rules.schedule.delay_warning_time = Duration::from_secs(60);
    let mut progress = rules.delivering();
    progress.alive_since = Timestamp::from_secs(NOW.as_secs() - 60);
    let (late, effects) = rules.results(&progress, &[(0, deferred())]);
    assert_eq!((effects.owed, late.delay), (vec![ReportKind::Delay], Notice::Owed));
    rules.envelope.recipients[0].notify = Notify::Never;
    let (late, effects) = rules.results(&progress, &[(0, deferred())]);
    assert_eq!((effects.owed, late.delay), (vec![], Notice::NotDue));
}

#[test]
fn a_delivered_mail_no_longer_owes_the_report_of_its_delay() {
    let rules = Rules::new(1);
    let mut progress = rules.delivering();
    progress.delay = Notice::Owed;
    let (_, effects) = rules.results(&progress, &[(0, delivered(ReportDuty::Ours))]);
    assert!(effects.remove);
}

#[test]
fn release_gives_a_new_lifetime_and_goes_to_the_stage_after_the_hold() {
    let rules = Rules::new(1);
    for (resume, place) in [(Stage::Archive, Place::Screening), (Stage::Route, Place::Ready)] {
        let held = State::Held { reason: HoldReason::new("rule"), since: NOW, resume };
        let later = NOW.plus(Duration::from_secs(30 * 86_400));
        let release = Change::Release("moderator".into());
        let (after, _) = apply(rules.terms(), &rules.progress(held), release, later).unwrap();
        assert_eq!((after.state.place(), after.alive_since), (place, later));
    }
}

#[test]
fn an_order_is_obeyed_after_the_attempt_and_void_when_nothing_is_left() {
    let rules = Rules::new(1);
    for (order, result, place) in [
        ("hold", deferred(), Some(Place::Held)),
        ("requeue", deferred(), Some(Place::Screening)),
        ("expire", deferred(), Some(Place::Finished)),
        ("delete", deferred(), None),
        ("delete", failed(), None),
        ("hold", delivered(ReportDuty::Ours), None),
    ] {
        let (progress, _) = apply(rules.terms(), &rules.delivering(), change(order), NOW).unwrap();
        let (progress, effects) = rules.results(&progress, &[(0, result)]);
        let left = if effects.remove { None } else { Some(progress.state.place()) };
        assert_eq!(left, place, "{order}");
    }
}

#[test]
fn settling_a_report_about_some_recipients_leaves_the_others_owed() {
    let rules = Rules::new(2);
    let mut progress = rules.progress(State::Finished(Outcome::Failed));
    progress.recipients = vec![given_up(Notice::Owed), given_up(Notice::Owed)];
    let settle = |index| Change::Settle {
        kind: ReportKind::Failure,
        recipients: vec![RecipientIndex(index)],
        report: None,
    };
    let (progress, effects) = apply(rules.terms(), &progress, settle(0), NOW).unwrap();
    assert!(!effects.remove);
    assert!(apply(rules.terms(), &progress, settle(0), NOW).is_err(), "no debt is paid twice");
    let (_, effects) = apply(rules.terms(), &progress, settle(1), NOW).unwrap();
    assert!(effects.remove);
}

#[test]
fn a_stored_back_off_from_a_clock_that_ran_ahead_is_cut_j9() {
    let rules = Rules::new(1);
    let far = NOW.plus(Duration::from_secs(86_400 * 365));
    let progress = rules.progress(State::Ready { not_before: far });
    let (progress, _) = apply(rules.terms(), &progress, Change::Restart, NOW).unwrap();
    let latest = NOW.plus(rules.schedule.maximal_backoff_time);
    assert_eq!(progress.state, State::Ready { not_before: latest });
}

proptest! {
    /// Whatever happens in whatever order: no recipient is settled twice, nothing held is tried.
    #[test]
    fn no_sequence_of_changes_breaks_the_rules(
        steps in prop::collection::vec((0..CHANGES.len(), 0..3_u32, 0..3_u8), 0..60),
        debt in prop::sample::select(vec![ArchiveDebt::Nothing, ArchiveDebt::Capture]),
    ) {
        let rules = Rules::new(3);
        let mut progress = rules.progress(State::Ready { not_before: NOW });
        progress.archive = debt;
        let mut now = NOW;
        for (number, index, result) in steps {
            now = now.plus(Duration::from_secs(1_000));
            let change = match CHANGES[number] {
                "results" => {
                    let result = [delivered(ReportDuty::Ours), deferred(), failed()]
                        [usize::from(result)].clone();
                    Change::Results(vec![(RecipientIndex(index), result)])
                }
                "archived" => Change::Archived(PARTS[usize::from(result)]),
                name => change(name),
            };
            let was_pending: Vec<_> = progress.pending().collect();
            let is_claim = change == Change::Claim;
            let is_archived = matches!(change, Change::Archived(_) | Change::Restart);
            let Ok((next, effects)) = apply(rules.terms(), &progress, change, now) else {
                continue;
            };
            prop_assert!(!is_claim || progress.state.place() == Place::Ready);
            prop_assert!(next.pending().all(|index| was_pending.contains(&index)));
            prop_assert_eq!(effects.remove, next.is_over());
            prop_assert!(!progress.is_done() || is_archived, "what is done changed");
            prop_assert!(next.archive == progress.archive || is_archived);
            if effects.remove {
                break;
            }
            progress = next;
        }
    }
}

struct Rules {
    envelope: Envelope,
    schedule: Schedule,
}

impl Rules {
    fn new(recipients: u32) -> Self {
        let sender = ReversePath::Mailbox("s@a.example".parse().unwrap());
        let envelope = (0..recipients).fold(Envelope::from_sender(sender), |envelope, number| {
            envelope.to(format!("r{number}@b.example").parse().unwrap())
        });
        Self { envelope, schedule: Schedule::default() }
    }

    fn terms(&self) -> Terms<'_> {
        let id = QueueId::new(NOW, 1);
        Terms { id, envelope: &self.envelope, schedule: &self.schedule }
    }

    fn progress(&self, state: State) -> Progress {
        Progress::new(state, &self.envelope, NOW)
    }

    fn delivering(&self) -> Progress {
        self.progress(State::Delivering { attempt: 1, order: None })
    }

    fn results(
        &self,
        progress: &Progress,
        results: &[(u32, AttemptResult)],
    ) -> (Progress, Effects) {
        let results = results.iter().cloned().map(|(index, it)| (RecipientIndex(index), it));
        apply(self.terms(), progress, Change::Results(results.collect()), NOW).unwrap()
    }
}

/// Every state; the last delivering one has an order to hold.
fn states() -> [State; 7] {
    let reason = HoldReason::new("rule");
    [
        State::Screening { next: Stage::Sign },
        State::Held { reason: reason.clone(), since: NOW, resume: Stage::Archive },
        State::Ready { not_before: NOW },
        State::Delivering { attempt: 1, order: None },
        State::Delivering { attempt: 1, order: Some(Order::Hold(reason)) },
        State::Finished(Outcome::Failed),
        State::Corrupt,
    ]
}

fn change(name: &str) -> Change {
    match name {
        "pass" => Change::Pass { next: Stage::Route },
        "claim" => Change::Claim,
        "abandon" => Change::Abandon,
        "restart" => Change::Restart,
        "hold" => Change::Hold(HoldReason::new("operator")),
        "hold after attempt" => Change::HoldAfterAttempt(HoldReason::new("filter")),
        "release" => Change::Release("operator".into()),
        "stay held" => Change::StayHeld { reason: HoldReason::new("another rule"), only: None },
        "requeue" => Change::Requeue("operator".into()),
        "delete" => Change::Delete("operator".into()),
        "flush" => Change::Flush,
        "expire" => Change::Expire,
        "damage" => Change::Damage("bit rot".into()),
        other => unreachable!("{other}"),
    }
}

fn given_up(report: Notice) -> RecipientStatus {
    let reply = Reply::plain(550, "never");
    let last = LastReply { reply, relay: None, at: NOW, attempt: 1 };
    RecipientStatus::Failed { last, cause: FailureCause::Refused, report }
}

fn delivered(duty: ReportDuty) -> AttemptResult {
    AttemptResult::Delivered { reply: Reply::plain(250, "taken"), relay: None, duty }
}

fn deferred() -> AttemptResult {
    let reply = Reply::new(450, Enhanced(4, 2, 0), "later");
    AttemptResult::Deferred { reply, relay: Some("mx.b.example[192.0.2.9]:25".into()) }
}

fn failed() -> AttemptResult {
    AttemptResult::Failed { reply: Reply::new(550, Enhanced(5, 1, 1), "never"), relay: None }
}

const CHANGES: [&str; 15] = [
    "pass",
    "claim",
    "results",
    "abandon",
    "restart",
    "hold",
    "hold after attempt",
    "release",
    "stay held",
    "requeue",
    "delete",
    "flush",
    "expire",
    "archived",
    "restart",
];

const PARTS: [ArchivePart; 3] = [ArchivePart::Capture, ArchivePart::Outcome, ArchivePart::Both];

const NOW: Timestamp = Timestamp::from_secs(1_795_210_205);
