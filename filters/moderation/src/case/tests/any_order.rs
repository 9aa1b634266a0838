//! Whatever anybody tries with a case, in whatever order: it ends once, and stays ended.

use proptest::prelude::*;

use super::*;

/// A plan of any kind, which expires within a day if it expires.
fn any_plan() -> impl Strategy<Value = Plan> {
    let kind = prop::sample::select(vec![Kind::Approval, Kind::Delay, Kind::Confirmation]);
    let action = prop::sample::select(vec![AtExpiry::Reject, AtExpiry::Release, AtExpiry::Discard]);
    let expiry = prop::option::of((1..1_500_u64, prop::option::of(0..1_500_u64), action));
    let escalation = prop::option::of(0..1_500_u64);
    // Not every second: a case that may wait for days is looked at until it ends.
    let remind_every = prop::option::of(prop_oneof![Just(0), 60..6_000_u32]);
    (kind, expiry, escalation, remind_every, any::<bool>()).prop_map(
        |(kind, expiry, escalation, remind_every, own)| Plan {
            kind,
            own_mail: if own { OwnMail::Allowed } else { OwnMail::Never },
            remind_every,
            escalation: escalation.map(|at| Escalation {
                at: minute(at),
                to: vec![Moderator::new(address("eve")), Moderator::new(address("sam"))],
            }),
            expiry: expiry.map(|(at, warning, action)| Expiry {
                at: minute(at),
                warning: warning.map(minute),
                action,
            }),
            ..plan(vec![level(2, &["ann", "bob", "sam"]), level(1, &["cho"])])
        },
    )
}

/// Anything that anybody may try, at most an hour after the last.
fn attempt() -> impl Strategy<Value = (u64, Command)> {
    let name = prop::sample::select(vec!["ann", "bob", "cho", "sam", "eve", "root"]);
    let command = (0..24_u8, name, prop::option::of(0..5_u32), prop::option::of(0..200_u64));
    (0..60_u64, command).prop_map(|(pause, (what, name, index, time))| {
        let by = by(name);
        let words: Box<str> = if index == Some(0) { "".into() } else { "words".into() };
        let deed = if index.is_some() { QueueDeed::Released } else { QueueDeed::Deleted };
        let trust_days = u16::from(index.is_none());
        let only = index.map(|index| vec![index]);
        let command = match what {
            0..=5 => {
                Command::Approve { by, comment: words, only, at: time.map(minute), trust_days }
            }
            6 => Command::Reject { by, reason: words },
            7 => Command::Return { by, reason: words },
            8 => Command::Discard { by, reason: words },
            9 | 10 => Command::Forward { by, to: Moderator::new(address("eve")) },
            11 | 12 => Command::Comment { by, text: words },
            13 => Command::Cancel { by },
            14 => Command::Overtake { by, deed },
            15 if index == Some(1) => Command::Lose,
            15 => Command::Condemn,
            16 => Command::Distrust { by },
            17 | 18 => Command::Settle { owed: index.unwrap_or(9) },
            _ => Command::Clock,
        };
        (pause, command)
    })
}

/// What may still be done when all is decided.
const fn may_come_late(command: &Command) -> bool {
    matches!(command, Command::Clock | Command::Settle { .. } | Command::Distrust { .. })
}

/// What ends a case without doing anything to its mail: that was done, or is nobody's to do.
const fn leaves_mail(command: &Command) -> bool {
    matches!(command, Command::Overtake { .. } | Command::Lose | Command::Condemn)
}

fn is_closed(case: &Case) -> bool {
    matches!(case.progress.state, State::Closed(_))
}

fn ends(case: &Case) -> usize {
    let history = case.progress.history.iter();
    history.filter(|entry| matches!(entry.step, Step::Closed(_))).count()
}

proptest! {
    /// A case ends at most once and is never opened again; mail is released or dropped exactly when it
    /// ends; what is refused changes nothing; version and steps count every change.
    #[test]
    fn a_case_ends_once(
        plan in any_plan(),
        attempts in prop::collection::vec(attempt(), 0..60),
    ) {
        let mut case = Case::open(plan, minute(0));
        let mut minutes = 0;
        for (pause, command) in attempts {
            minutes += pause;
            let Ok(outcome) = case.take(&command, minute(minutes)) else { continue };
            let ends_now = is_closed(&outcome.case) && !is_closed(&case);
            prop_assert_eq!(outcome.fate != Fate::Stays, ends_now && !leaves_mail(&command));
            if is_closed(&case) {
                prop_assert!(may_come_late(&command), "{:?}", command);
                prop_assert_eq!(&outcome.case.progress.state, &case.progress.state);
            }
            prop_assert_eq!(ends(&outcome.case), usize::from(is_closed(&outcome.case)));
            let counted = outcome.case.progress.version - case.progress.version;
            prop_assert_eq!(counted, u32::from(outcome.case != case));
            let (before, after) = (&case.progress, &outcome.case.progress);
            prop_assert!(after.all_steps() >= before.all_steps());
            let is_late = outcome.case.due().is_some_and(|due| due <= minute(minutes));
            prop_assert!(!(is_late && matches!(command, Command::Clock)), "the clock leaves nothing");
            case = outcome.case;
        }
    }

    /// However the clock jumps: once it was looked at, nothing stands in the case that is not there yet, and
    /// nobody waits longer for a reminder or the end than was planned.
    #[test]
    fn a_clock_that_was_ahead_puts_nothing_off(
        plan in any_plan(),
        looks in prop::collection::vec(0..600_000_u64, 1..20),
    ) {
        let mut case = Case::open(plan, minute(0));
        for now in looks.into_iter().map(minute) {
            case = case.take(&Command::Clock, now).unwrap().case;
            prop_assert!(!case.is_ahead(now));
            let every = case.plan.remind_every.filter(|seconds| *seconds > 0);
            if let (State::Pending, Some(every)) = (&case.progress.state, every) {
                let latest = now.plus(std::time::Duration::from_secs(every.into()));
                prop_assert!(case.due().is_some_and(|due| now < due && due <= latest));
            }
            if let (Some(Expiry { at, warning, .. }), Some(end)) = (case.plan.expiry, case.expires()) {
                let span = warning.map_or(std::time::Duration::ZERO, |warning| at.since(warning));
                prop_assert!(end <= at.max(now.plus(span)));
            }
        }
    }

    /// From wherever people have left it, time alone brings a case that can expire to exactly one end.
    #[test]
    fn a_case_that_can_expire_ends_by_itself(
        plan in any_plan(),
        attempts in prop::collection::vec(attempt(), 0..20),
    ) {
        let mut case = Case::open(plan, minute(0));
        let mut now = minute(0);
        for (pause, command) in attempts {
            now = now.plus(std::time::Duration::from_secs(pause * 60));
            case = case.take(&command, now).map_or(case, |outcome| outcome.case);
        }
        let (mut fates, mut looks) = (0, 0);
        let was_closed = is_closed(&case);
        while let Some(due) = case.due().filter(|_| !is_closed(&case) && looks < 9_000) {
            now = now.max(due);
            let outcome = case.take(&Command::Clock, now).unwrap();
            fates += usize::from(outcome.fate != Fate::Stays);
            looks += 1;
            case = outcome.case;
            // Without an expiry people are reminded for ever.
            if case.plan.expiry.is_none() && looks > 300 && case.progress.state == State::Pending {
                break;
            }
        }
        let must_end = case.plan.expiry.is_some() || !matches!(case.progress.state, State::Pending);
        prop_assert!(is_closed(&case) || !must_end, "{:?}", case.progress.state);
        prop_assert_eq!(fates, usize::from(is_closed(&case) && !was_closed));
        prop_assert_eq!(ends(&case), usize::from(is_closed(&case)));
        prop_assert!(case.progress.history.len() <= 100, "{}", case.progress.history.len());
    }
}
