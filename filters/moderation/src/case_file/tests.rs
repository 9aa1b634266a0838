use std::time::Duration;

use mailweir_mail::ReversePath;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    case::{
        Actor, By, Command, Kind, Level, Moderator, OwnMail, Plan, Proof, QueueDeed, RuleName,
        Step, TellsSender,
    },
    notice,
    rule::Reason,
    token::Token,
};

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

pub(crate) fn id() -> QueueId {
    QueueId::new(Timestamp::from_secs(1_795_210_205), 7)
}

pub(crate) fn file() -> CaseFile {
    let boss = address("boss@own.example");
    let plan = Plan {
        rule: RuleName { name: "outside".into(), place: "mailweir.toml:7".into() },
        also: Vec::new(),
        kind: Kind::Approval,
        levels: vec![Level { moderators: vec![Moderator::new(boss)], needed: 1 }],
        senders: vec![address("ann@own.example")],
        recipients: 1,
        content: [0xab; 32],
        own_mail: OwnMail::Never,
        remind_every: Some(3_600),
        escalation: None,
        expiry: None,
        tells_sender: TellsSender::Always,
    };
    let mail = Summary {
        sender: ReversePath::Mailbox(address("ann@own.example")),
        from: "Ann <ann@own.example>".into(),
        login: Some("ann".into()),
        client: None,
        recipients: vec![notice::Recipient {
            address: address("them@other.example"),
            is_outside: true,
            is_hidden: false,
        }],
        sent_to: 0,
        subject: "대외비".into(),
        size: 4_711,
        arrival: Timestamp::from_secs(1_795_210_205),
        attachments: Vec::new(),
        more_attachments: 0,
        reasons: vec![Reason::Outside(1)],
        text: "one\ntwo".into(),
    };
    CaseFile::new(Case::open(plan, Timestamp::from_secs(1_795_210_205)), mail, Attach::Header)
}

pub(crate) fn approve(file: &CaseFile) -> Case {
    let command = Command::Approve {
        by: By {
            who: Actor::Moderator(address("boss@own.example")),
            proof: Proof::Link,
            from: Some([192, 0, 2, 1].into()),
        },
        comment: "fine".into(),
        only: None,
        at: None,
        trust_days: 3,
    };
    file.case.take(&command, Timestamp::from_secs(1_795_210_300)).unwrap().case
}

fn grant(number: u8) -> Grant {
    Grant {
        token: Token::new([number; 32]).hash(),
        answer: None,
        person: address("boss@own.example"),
        purpose: Purpose::Decide,
        expires: Timestamp::from_secs(1),
        sent: None,
    }
}

#[test]
fn a_file_reads_back_as_it_was_written() {
    let mut file = file();
    file.give(grant(1));
    file.note_sent(&address("boss@own.example"), 0);
    file.also_held = Some("header_checks".into());
    file.operator =
        Some(Operated { deed: QueueDeed::Deleted, by: "root".into(), at: Timestamp::from_secs(3) });
    file.trust = Some(Trust { until: Timestamp::from_secs(2) });
    file.split = Some(Split { sent_as: id(), recipients: 2 });
    let stored = file.to_bytes().unwrap();
    assert_eq!(CaseFile::from_bytes(&stored).unwrap(), file);
    let decided = CaseFile { case: approve(&file), ..file };
    assert_eq!(CaseFile::from_bytes(&decided.to_bytes().unwrap()).unwrap(), decided);
}

#[test]
fn the_journal_says_once_that_only_some_recipients_wait() {
    let split = Some(Split { sent_as: id(), recipients: 2 });
    let file = CaseFile { split, ..file() };
    assert_eq!(file.journal(id(), None)[0].split, split);
    let decided = CaseFile { case: approve(&file), ..file.clone() };
    let entries = decided.journal(id(), Some(&file.case));
    assert!(!entries.is_empty() && entries.iter().all(|entry| entry.split.is_none()));
}

#[test]
fn a_newer_format_is_left_alone() {
    let stored = |json| rmp_serde::to_vec_named(&json).unwrap();
    let newer = stored(json!({ "format": 2, "file": { "of": "tomorrow" } }));
    assert!(matches!(CaseFile::from_bytes(&newer), Err(Unreadable::Newer(2))));
    let other = stored(json!({ "of": "yesterday" }));
    assert!(matches!(CaseFile::from_bytes(&other), Err(Unreadable::Damaged(_))));
    assert!(matches!(CaseFile::from_bytes(b"{}"), Err(Unreadable::Damaged(_))));
}

#[test]
fn the_journal_hears_of_each_step_once() {
    let mut file = file();
    let opened = file.journal(id(), None);
    assert_eq!(opened.iter().map(|entry| entry.step).collect::<Vec<_>>(), [&Step::Opened]);
    let before = file.case.clone();
    file.case = approve(&file);
    let entries = file.journal(id(), Some(&before));
    let [trust, entry] = &*entries else { panic!("{entries:?}") };
    let until = Timestamp::from_secs(1_795_210_300 + 3 * 86_400);
    assert_eq!((trust.step, trust.by), (&Step::Trusted(until), entry.by));
    let words = "log-in trusted until 2026-11-23 21:31 UTC by moderator boss@own.example";
    assert_eq!(trust.step.by(&trust.by.who), words);
    let json = String::from_utf8(entry.to_json().unwrap()).unwrap();
    let expected = [
        format!("\"case\":\"{}\"", id()),
        "\"who\":{\"moderator\":\"boss@own.example\"},\"proof\":\"link\"".to_owned(),
        "\"from\":\"192.0.2.1\"".to_owned(),
        "\"step\":{\"closed\":\"released\"},\"words\":\"fine\"".to_owned(),
        "\"name\":\"outside\"".to_owned(),
        format!("\"content\":\"{}\"", "ab".repeat(32)),
    ];
    for part in expected {
        assert!(json.contains(&part), "{part} in {json}");
    }
    let recorded: Recorded = serde_json::from_str(&json).unwrap();
    assert_eq!((recorded.case, &recorded.step, &*recorded.words), (id(), entry.step, "fine"));
    assert_eq!(recorded.step.by(&recorded.by.who), "released by moderator boss@own.example");
    assert_eq!(file.journal(id(), Some(&file.case)), []);
}

#[test]
fn the_journal_hears_of_each_reminder_though_the_case_counts_them() {
    let mut file = file();
    let (mut now, mut told) = (Timestamp::from_secs(1_795_210_205), 0);
    for _ in 0..50 {
        now = now.plus(Duration::from_secs(3_600));
        let (after, _) = file.take(&Command::Clock, now).unwrap();
        let entries = after.journal(id(), Some(&file.case));
        assert_eq!(entries.iter().map(|one| one.step).collect::<Vec<_>>(), [&Step::Reminded]);
        assert_eq!(entries[0].at, now);
        told += entries.len();
        file = after;
    }
    assert_eq!((told, file.case.progress.all_steps()), (50, 51));
    assert!(file.case.progress.history.len() < 10);
}

#[test]
fn of_tokens_and_threads_the_first_and_the_newest_are_kept() {
    let mut file = file();
    let others = Grant { person: address("kim@own.example"), ..grant(100) };
    file.give(others.clone());
    (0..20).for_each(|number| file.give(grant(number)));
    let newest = 20 - MOST_TOKENS as u8 + 1..20;
    let kept = [0].into_iter().chain(newest).map(grant);
    assert_eq!(file.grants, std::iter::once(others).chain(kept).collect::<Vec<_>>());
    let boss = address("boss@own.example");
    assert!(file.sent_to(&boss).is_empty());
    (0..20).for_each(|number| file.note_sent(&boss, number));
    let sent = file.sent_to(&boss);
    assert_eq!((sent.len(), sent[0], sent[LONGEST_THREAD - 1]), (LONGEST_THREAD, 0, 19));
}

#[test]
fn tokens_are_good_as_long_as_the_case_is_kept() {
    let (now, keep) = (Timestamp::from_secs(1_795_210_205), Duration::from_secs(60));
    let file = file();
    assert_eq!(file.tokens_end(now, keep), now.plus(LONGEST_WAIT).plus(keep));
}

proptest! {
    #[test]
    fn damage_is_told_and_never_a_panic(at in 0_usize..2_000, byte: u8, cut in 0_usize..2_000) {
        let mut stored = file().to_bytes().unwrap();
        let (at, cut) = (at % stored.len(), cut % stored.len());
        stored[at] = byte;
        // Whatever it reads as, it is read.
        let _ = CaseFile::from_bytes(&stored);
        prop_assert!(CaseFile::from_bytes(&stored[..cut]).is_err());
    }
}

#[test]
fn a_mail_that_is_held_for_another_reason_too_is_not_said_to_be_sent() {
    let mut file = file();
    assert_eq!((file.state_name(), &*file.standing()), ("waiting", "waits for an approval"));
    file.case = approve(&file);
    let approved = "released by moderator boss@own.example";
    assert_eq!((file.state_name(), &*file.standing()), ("released", approved));
    file.also_held = Some("header_checks".into());
    assert!(file.waits_for_operator());
    let waits = "approved by moderator boss@own.example, waits for an operator";
    assert_eq!((file.state_name(), &*file.standing()), ("approved", waits));
    let mut by_time = file.clone();
    if let State::Closed(closing) = &mut by_time.case.progress.state {
        closing.by = By::clock();
    }
    assert_eq!(by_time.standing(), "its time had come, waits for an operator");
    let at = Timestamp::from_secs(3);
    for (deed, state) in [(QueueDeed::Released, "released"), (QueueDeed::Deleted, "discarded")] {
        file.operator = Some(Operated { deed, by: "root".into(), at });
        assert_eq!((file.state_name(), file.waits_for_operator()), (state, false));
        assert!(file.standing().ends_with(" by operator root"), "{}", file.standing());
    }
}

#[test]
fn a_damaged_mail_waits_for_an_operator_who_has_the_last_word() {
    let at = Timestamp::from_secs(1_795_210_300);
    let damaged = file().take(&Command::Condemn, at).unwrap().0;
    let gone = "gone: what is stored of it is not what was held, and is not released";
    assert!(damaged.waits_for_operator());
    assert_eq!(damaged.standing(), format!("{gone}, waits for an operator"));
    assert_eq!(damaged.state_name(), "gone");
    for (deed, state, words) in [
        (QueueDeed::Released, "released", "released"),
        (QueueDeed::Deleted, "discarded", "deleted"),
    ] {
        let over = damaged.operated(deed, "root", at).unwrap();
        assert_eq!((over.state_name(), over.waits_for_operator()), (state, false));
        assert_eq!(over.standing(), format!("{gone}, {words} by operator root"));
        assert!(over.operated(deed, "root", at).is_err());
    }
}

/// What nobody sends any more makes nobody trusted, and the journal says who ended that.
#[test]
fn trust_ends_with_the_approval_that_it_came_of() {
    let who = Actor::Administrator("root".into());
    let root = By { who, proof: Proof::CommandLine, from: None };
    let now = Timestamp::from_secs(1_795_210_300);
    let approve = Command::Approve {
        by: root.clone(),
        comment: "".into(),
        only: None,
        at: Some(now.plus(Duration::from_secs(3_600))),
        trust_days: 3,
    };
    let (scheduled, _) = file().take(&approve, now).unwrap();
    assert!(scheduled.trust.is_some());
    let deleted = scheduled.operated(QueueDeed::Deleted, "root", now).unwrap();
    let cancelled = scheduled.take(&Command::Cancel { by: root }, now).unwrap().0;
    for ended in [deleted, cancelled] {
        assert_eq!(ended.trust, None);
        let journal = ended.journal(id(), Some(&scheduled.case));
        let end = journal.iter().find(|one| *one.step == Step::Distrusted).expect("a step");
        assert_eq!(end.step.by(&end.by.who), "trust ended by administrator root");
    }
    // It was approved, and an operator who had it next throws it away.
    let later = now.plus(Duration::from_secs(3_600));
    let left = CaseFile { also_held: Some("a table".into()), ..scheduled.clone() };
    let left = left.take(&Command::Clock, later).unwrap().0;
    assert_eq!((left.waits_for_operator(), left.trust), (true, scheduled.trust));
    let thrown = left.operated(QueueDeed::Deleted, "root", later).unwrap();
    assert_eq!(thrown.trust, None);
    let journal = thrown.journal(id(), Some(&left.case));
    assert!(journal.iter().any(|one| *one.step == Step::Distrusted), "{journal:?}");
    assert_eq!(left.operated(QueueDeed::Released, "root", later).unwrap().trust, left.trust);
    let released = scheduled.operated(QueueDeed::Released, "root", now).unwrap();
    assert_eq!(released.trust, scheduled.trust);
    let journal = released.journal(id(), Some(&scheduled.case));
    assert!(journal.iter().all(|one| *one.step != Step::Distrusted), "{journal:?}");
}

#[test]
fn nobody_is_trusted_who_would_not_be_known_again_and_trust_ends_by_command() {
    let by = By { who: Actor::Administrator("root".into()), proof: Proof::CommandLine, from: None };
    let approve = Command::Approve {
        by: by.clone(),
        comment: "".into(),
        only: None,
        at: None,
        trust_days: 3,
    };
    let now = Timestamp::from_secs(1_795_210_300);
    let mut nobody = file();
    nobody.mail.login = None;
    assert_eq!(nobody.take(&approve, now), Err(Refused::NoLogIn));
    let mut ann = file();
    ann.mail.login = Some("ann".into());
    let (trusted, _) = ann.take(&approve, now).unwrap();
    assert!(trusted.trust.is_some());
    let (ended, _) = trusted.take(&Command::Distrust { by }, now).unwrap();
    assert_eq!(ended.trust, None);
    let journal = ended.journal(id(), Some(&trusted.case));
    assert_eq!(journal.iter().map(|entry| entry.step).collect::<Vec<_>>(), [&Step::Distrusted]);
}
