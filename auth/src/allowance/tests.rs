use std::num::NonZeroU32;

use proptest::prelude::*;

use super::*;

fn quota(soft: u32, hard: u32) -> Quota {
    Quota { soft: NonZeroU32::new(soft), hard: NonZeroU32::new(hard) }
}

fn exceeded(measure: Measure, limit: u32) -> Exceeded {
    Exceeded { measure, limit: NonZeroU32::new(limit).unwrap() }
}

#[test]
fn over_the_soft_limit_a_mail_counts_and_over_the_hard_one_it_does_not() {
    let now = Instant::now();
    let mut sent = Allowances::new(now);
    let quotas = Quotas { messages_per_hour: quota(1, 2), ..Quotas::default() };
    assert_eq!(sent.spend("ann", &quotas, 1, now), Ok(None));
    let soft = exceeded(Measure::MessagesPerHour, 1);
    assert_eq!(sent.spend("ann", &quotas, 1, now), Ok(Some(soft)));
    let hard = exceeded(Measure::MessagesPerHour, 2);
    assert_eq!(sent.check("ann", &quotas, 0, now), Err(hard));
    assert_eq!(sent.spend("ann", &quotas, 1, now), Err(hard));
    assert_eq!(sent.spend("bob", &quotas, 1, now), Ok(None));
    assert_eq!(hard.to_string(), "more than 2 messages in an hour");
    // The refused one was not counted: an hour later both places are free.
    let later = now + Duration::from_secs(3_660);
    assert_eq!(sent.check("ann", &quotas, 0, later), Ok(()));
}

#[test]
fn of_a_thousand_recipients_those_that_are_left_may_come() {
    let now = Instant::now();
    let mut sent = Allowances::new(now);
    let quotas = Quotas { recipients_per_day: quota(0, 1_000), ..Quotas::default() };
    assert_eq!(sent.spend("ann", &quotas, 100, now), Ok(None));
    assert_eq!(sent.check("ann", &quotas, 900, now), Ok(()));
    let hard = exceeded(Measure::RecipientsPerDay, 1_000);
    assert_eq!(sent.check("ann", &quotas, 901, now), Err(hard));
}

#[test]
fn what_is_taken_back_may_be_sent_again() {
    let now = Instant::now();
    let mut sent = Allowances::new(now);
    let quotas = Quotas { messages_per_day: quota(0, 1), ..Quotas::default() };
    assert_eq!(sent.spend("ann", &quotas, 7, now), Ok(None));
    sent.take_back("ann", 7, now);
    assert_eq!(sent.spend("ann", &quotas, 7, now), Ok(None));
}

#[test]
fn a_login_and_all_of_them_need_bounded_memory() {
    let start = Instant::now();
    let mut sent = Allowances::new(start);
    let quotas = Quotas { messages_per_day: quota(0, 1), ..Quotas::default() };
    for second in (0..200_000).step_by(30) {
        let _ = sent.spend("ann", &Quotas { messages_per_day: quota(1, 0), ..quotas }, 1, {
            start + Duration::from_secs(second)
        });
    }
    let ann = &sent.logins["ann"];
    assert!(ann.hour.len() <= 61 && ann.day.len() <= 61, "{ann:?}");
    for number in 0..MOST_LOGINS + 10 {
        let now = start + Duration::from_millis(number as u64);
        let _ = sent.spend(&format!("user{number}"), &quotas, 1, now);
    }
    assert!(sent.logins.len() <= MOST_LOGINS);
    let last = format!("user{}", MOST_LOGINS + 9);
    assert!(sent.check(&last, &quotas, 0, start + Duration::from_secs(70)).is_err());
}

proptest! {
    /// The naive model remembers every mail. What is counted lies between what the window holds
    /// exactly and what a window that is one bucket longer holds, and a hard limit is never
    /// exceeded in any window.
    #[test]
    fn the_buckets_agree_with_remembering_every_mail(
        mails in prop::collection::vec((0_u64..900, 1_u32..20), 1..200),
        limit in 1_u32..60,
    ) {
        let start = Instant::now();
        let mut sent = Allowances::new(start);
        let quotas = Quotas { recipients_per_hour: quota(0, limit), ..Quotas::default() };
        let (mut now, mut model) = (0, Vec::<(u64, u32)>::new());
        for (pause, recipients) in mails {
            now += pause;
            let within = |seconds: u64| -> u32 {
                let counts = |(then, _): &&(u64, u32)| now - then < seconds;
                model.iter().filter(counts).map(|(_, recipients)| recipients).sum()
            };
            let (exact, longer) = (within(3_600), within(3_660));
            let at = start + Duration::from_secs(now);
            let taken = sent.spend("ann", &quotas, recipients, at).is_ok();
            prop_assert!(!taken || exact + recipients <= limit);
            prop_assert!(taken || longer + recipients > limit);
            if taken {
                model.push((now, recipients));
            }
        }
    }
}
