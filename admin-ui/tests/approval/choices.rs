//! What a moderator can choose, with the words and details that belong to it.

use mailweir_moderation::{
    case::{Decision, Level, MOST_WORDS, Moderator, State, Step},
    notice::Language,
};

use crate::{
    browser::Site,
    sample::{BOSS, CFO, Draft, address, draft},
};

#[tokio::test]
async fn an_approval_may_be_for_some_recipients_and_for_later_with_a_comment() {
    let site = Site::start().await;
    let links = site.desk.open(draft(Language::En));
    let fields = "choice=approve&words=Not+the+rival%0D%0Aplease&asks=1&for=0&for=1&at=2026-11-21T09%3A00&days=7";
    site.browser().choose(&links.boss, fields).await.expect_done(&links.boss);
    let case = site.desk.file(&links).case;
    assert_eq!(case.progress.only, Some(vec![0, 1]));
    let State::Scheduled { at, by } = &case.progress.state else { panic!("{case:?}") };
    assert!(at.rfc3339().starts_with("2026-11-21T09:00:00"));
    assert_eq!(by.from, Some([127, 0, 0, 1].into()));
    assert_eq!(&*case.progress.history.last().unwrap().words, "Not the rival\nplease");
    assert_eq!(case.progress.votes[0].trust_days, 7);
    let page = site.browser().get(&links.sender).await;
    page.expect(200, "Your mail will be sent on Sat 21 Nov 2026, 09:00");
    let page = site.browser().get(&links.cfo).await;
    page.expect(200, "It is approved already and waits for its time.");
    assert!(!page.body.contains("id=\"approve\"") && !page.body.contains("id=\"reject\""));
}

#[tokio::test]
async fn what_makes_no_sense_changes_nothing_and_loses_no_words() {
    let site = Site::start().await;
    let links = site.desk.open(draft(Language::En));
    let mut browser = site.browser();
    for (fields, status, words) in [
        ("choice=approve&words=kept&at=2020-01-01T00%3A00", 400, "This time is over"),
        ("choice=approve&words=kept&at=tomorrow", 400, "This time is over"),
        ("choice=approve&words=kept&at=2999-01-01T00%3A00", 400, "This time is over"),
        ("choice=approve&words=kept&asks=1", 409, "None of these recipients is left."),
        ("choice=approve&words=kept&asks=1&for=9", 409, "None of these recipients is left."),
        ("choice=approve&words=kept&asks=1&for=x", 400, "did not send what this page asks for"),
        ("choice=approve&words=kept&days=-1", 400, "did not send what this page asks for"),
        ("choice=return&words=+", 409, "A reason is needed."),
        ("choice=comment", 409, "A reason is needed."),
        ("choice=forward&to=stranger%40elsewhere.example", 400, "Nobody with this address"),
        ("choice=forward&to=nonsense", 400, "Nobody with this address"),
        ("choice=forward", 409, "You cannot do this"),
        ("choice=forward&to=cfo%40own.example", 409, "That person decides about it already."),
        ("choice=cancel", 409, "You cannot do this"),
        ("choice=send", 409, "You cannot do this"),
        ("choice=login&name=boss%40own.example&password=right", 400, "did not send"),
        ("choice=", 400, "did not send"),
        ("choice=approve&choice=reject", 400, "did not send"),
        ("", 400, "did not send"),
    ] {
        let answer = browser.choose(&links.boss, fields).await;
        answer.expect(status, words);
        if fields.contains("words=kept") {
            answer.expect(status, "\nkept</textarea>");
        }
    }
    let long = format!("choice=reject&words=kept{}", "%EA%B0%81".repeat(MOST_WORDS));
    let answer = browser.choose(&links.boss, &long).await;
    answer.expect(409, "That is too long");
    answer.expect(409, &format!("\nkept{}</textarea>", "각".repeat(MOST_WORDS)));
    let mut sender = site.browser();
    for fields in ["choice=approve", "choice=send", "choice=reject", "choice=comment&words=x"] {
        sender.choose(&links.sender, fields).await.expect(409, "You cannot do this");
    }
    assert_eq!((site.desk.state(&links), site.desk.decided()), (State::Pending, 0));
}

#[tokio::test]
async fn each_choice_does_what_it_says() {
    let site = Site::start().await;
    let mut browser = site.browser();
    for (fields, decision) in [
        ("choice=approve", Decision::Released),
        ("choice=approve&asks=1&for=0&for=1&for=2", Decision::Released),
        ("choice=reject&words=no", Decision::Rejected),
        ("choice=return&words=prices", Decision::Returned),
        ("choice=discard", Decision::Discarded),
    ] {
        let links = site.desk.open(draft(Language::En));
        browser.choose(&links.boss, fields).await.expect_done(&links.boss);
        let State::Closed(closing) = site.desk.state(&links) else { panic!("{fields}") };
        assert_eq!(closing.decision, decision);
        assert_eq!(site.desk.file(&links).case.progress.only, None);
    }
}

#[tokio::test]
async fn who_got_it_and_who_did_not_is_shown_afterwards() {
    let site = Site::start().await;
    let links = site.desk.open(draft(Language::En));
    let fields = "choice=approve&asks=1&for=0&for=1";
    site.browser().choose(&links.boss, fields).await.expect_done(&links.boss);
    for token in [&links.boss, &links.cfo, &links.sender] {
        let page = site.browser().get(token).await;
        let (sent, not_sent) = page.body.split_once("<dt>Not sent to</dt>").expect("both");
        assert!(sent.contains("lee@customer.example"));
        assert!(not_sent.contains("watcher@rival.example"));
    }
}

#[tokio::test]
async fn a_comment_decides_nothing_and_others_read_it() {
    let site = Site::start().await;
    let links = site.desk.open(draft(Language::En));
    let said = "choice=comment&words=Ask+the+sales+team";
    site.browser().choose(&links.boss, said).await.expect_done(&links.boss);
    assert_eq!(site.desk.state(&links), State::Pending);
    let page = site.browser().get(&links.cfo).await;
    page.expect(
        200,
        "boss@own.example, Fri 20 Nov 2026, 21:30 (UTC): Comment \u{2013} Ask the sales team",
    );
}

#[tokio::test]
async fn who_hands_the_decision_on_sees_the_mail_no_more() {
    let site = Site::start().await;
    let links = site.desk.open(draft(Language::En));
    let mut browser = site.browser();
    let to = "choice=forward&to=park%40own.example";
    browser.choose(&links.boss, to).await.expect_done(&links.boss);
    let page = browser.get(&links.boss).await;
    page.expect(200, "not yours any more");
    for hidden in ["Quotation", "customer.example", "<form"] {
        assert!(!page.body.contains(hidden), "{hidden}");
    }
    let case = site.desk.file(&links).case;
    assert!(case.progress.history.iter().any(
        |entry| matches!(&entry.step, Step::Forwarded(to) if to.as_str() == "park@own.example")
    ));
}

#[tokio::test]
async fn of_two_approvals_the_first_is_counted_and_shown() {
    let site = Site::start().await;
    let mut two = draft(Language::En);
    let moderators = [BOSS, CFO].map(|one| Moderator::new(address(one))).to_vec();
    two.plan.levels = vec![Level { moderators, needed: 2 }];
    let links = site.desk.open(two);
    let mut boss = site.browser();
    boss.choose(&links.boss, "choice=approve&words=fine+with+me").await.expect_done(&links.boss);
    let page = boss.get(&links.boss).await;
    page.expect(200, "Your approval is counted already.");
    assert!(!page.body.contains("id=\"approve\""));
    let page = site.browser().get(&links.cfo).await;
    page.expect(200, "1 of 2 approvals");
    page.expect(200, "Approved \u{2013} fine with me");
    site.browser().choose(&links.cfo, "choice=approve").await.expect_done(&links.cfo);
    assert!(matches!(site.desk.state(&links), State::Closed(_)));
}

#[tokio::test]
async fn nobody_decides_about_their_own_mail() {
    let site = Site::start().await;
    let mut own = draft(Language::En);
    own.plan.senders.push(address(BOSS));
    let links = site.desk.open(Draft { ..own });
    let mut browser = site.browser();
    let page = browser.get(&links.boss).await;
    page.expect(200, "Nobody decides about their own mail.");
    assert!(!page.body.contains("id=\"approve\""));
    browser.get(&links.cfo).await.expect(200, "id=\"approve\"");
}
