//! What pages show, and to whom.

use mailweir_moderation::{
    case::{Kind, QueueDeed, State},
    notice::Language,
};

use crate::{
    browser::Site,
    sample::{BOSS, CFO, Draft, NOW, draft, plan},
};

#[tokio::test]
async fn opening_a_page_changes_nothing_however_often_and_however_it_is_done() {
    let site = Site::start().await;
    let links = site.desk.open(draft(Language::En));
    let before = site.desk.file(&links);
    for number in 0..200 {
        let method = if number % 2 == 0 { "GET" } else { "HEAD" };
        for (token, query) in
            [(&links.boss, "?approve"), (&links.cfo, "?reject"), (&links.sender, "?cancel")]
        {
            let request = format!("{method} /m/{token}{query} HTTP/1.1\r\nHost: localhost\r\n\r\n");
            let answer = site.ask(&request).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.body.is_empty(), method == "HEAD");
        }
    }
    assert_eq!((site.desk.file(&links), site.desk.decided()), (before, 0));
}

#[tokio::test]
async fn a_moderator_sees_all_that_a_decision_needs() {
    let site = Site::start().await;
    let links = site.desk.open(draft(Language::En));
    let page = site.browser().get(&links.boss).await;
    for words in [
        "A mail waits for your approval.",
        "Kim Jiwon &lt;jiwon@own.example&gt;",
        "watcher@rival.example</span> <span class=\"mark\">outside</span> <span class=\"mark\">Bcc",
        "Quotation for the third quarter",
        "Payment card numbers: 1 found",
        "If nobody decides by then, the mail will be rejected.",
        "please find the quotation attached",
        "quotation-q3.pdf \u{2013} application/pdf, 181\u{a0}kB",
        "unknown[192.0.2.17]",
        "248\u{a0}kB",
        "to the outside",
    ] {
        page.expect(200, words);
    }
}

#[tokio::test]
async fn what_the_reader_came_for_is_the_first_button() {
    let site = Site::start().await;
    let links = site.desk.open(draft(Language::En));
    let mut browser = site.browser();
    for (query, first) in [
        ("", "<button form=\"approve\" class=\"yes\">Approve</button>"),
        ("?approve", "<button form=\"approve\" class=\"yes chosen\">Approve</button>"),
        ("?reject", "<button form=\"reject\" class=\"no chosen\">Reject</button>"),
        ("?cancel", "<button form=\"approve\" class=\"yes\">Approve</button>"),
    ] {
        let page = browser.get_ready(&links.boss, query).await;
        page.expect(200, &format!("<div class=\"bar\">{first}"));
    }
    let page = browser.get_ready(&links.sender, "?cancel").await;
    page.expect(200, "<div class=\"bar\"><button form=\"cancel\" class=\"no chosen\">");
    assert!(!page.body.contains("form=\"approve\""));
}

#[tokio::test]
async fn a_page_is_in_the_language_of_its_reader() {
    let site = Site::start().await;
    for (language, words, time) in [
        (Language::Ko, "아래 메일의 발송 승인을 요청드립니다.", "2026년 11월 23일(월) 06:30"),
        (Language::Ja, "承認をお願いいたします。", "2026年11月23日(月) 06:30"),
        (Language::Fr, "Un message attend votre validation.", "lundi 23 novembre 2026 à 6\u{a0}h"),
    ] {
        let links = site.desk.open(draft(language));
        let page = site.browser().get(&links.boss).await;
        page.expect(200, words);
        page.expect(200, time);
        page.expect(200, &format!("<html lang=\"{}\">", language.tag()));
    }
}

#[tokio::test]
async fn the_sender_sees_where_it_stands_and_nothing_that_notices_do_not_tell() {
    let site = Site::start().await;
    let links = site.desk.open(draft(Language::En));
    site.browser().choose(&links.boss, "choice=comment&words=between+us").await;
    let page = site.browser().get(&links.sender).await;
    page.expect(200, "Your mail has not been sent yet. It waits for approval.");
    for hidden in ["between us", "192.0.2.17", "opened by", "id=\"approve\"", "id=\"reject\""] {
        assert!(!page.body.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn a_decided_mail_shows_who_what_and_when() {
    let site = Site::start().await;
    let links = site.desk.open(draft(Language::En));
    site.browser()
        .choose(&links.boss, "choice=reject&words=Wrong+price")
        .await
        .expect_done(&links.boss);
    let page = site.browser().get(&links.cfo).await;
    for words in
        ["This mail is decided.", "Rejected", BOSS, "Fri 20 Nov 2026, 21:30", "Wrong price"]
    {
        page.expect(200, words);
    }
    assert!(!page.body.contains("<form"), "nothing is left to do");
    assert!(!page.body.contains("please find"), "and nobody need read it again");
    let page = site.browser().get(&links.sender).await;
    page.expect(200, "Your mail was not approved. It was not sent.");
    assert!(!page.body.contains("<form"));
}

#[tokio::test]
async fn a_sender_is_not_told_that_a_mail_is_sent_while_an_operator_holds_it() {
    let site = Site::start().await;
    let links = site.desk.open(draft(Language::En));
    site.desk.change(&links, |file| file.also_held = Some("HOLD of a table".into()));
    let operated = |deed| {
        site.desk.change(&links, |file| *file = file.operated(deed, "root", NOW).unwrap());
    };
    site.browser().choose(&links.boss, "choice=approve").await.expect_done(&links.boss);
    let held = site.desk.file(&links);
    let page = site.browser().get(&links.sender).await;
    page.expect(200, "Your mail has not been sent yet.");
    assert!(!page.body.contains("on its way"), "{}", page.body);
    let page = site.browser().get(&links.boss).await;
    page.expect(200, "Pending release by an administrator");
    operated(QueueDeed::Released);
    site.browser().get(&links.sender).await.expect(200, "on its way");
    site.desk.change(&links, |file| *file = held);
    operated(QueueDeed::Deleted);
    site.browser().get(&links.sender).await.expect(200, "Your mail was not sent.");
    let page = site.browser().get(&links.boss).await;
    for words in ["Discarded", "root"] {
        page.expect(200, words);
    }
}

#[tokio::test]
async fn visits_are_shown_and_count_for_nothing() {
    let site = Site::start().await;
    let links = site.desk.open(draft(Language::En));
    let scan = format!(
        "GET /m/{}?approve HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Scan<b>ner/1\r\n\
         X-Forwarded-For: 203.0.113.9\r\n\r\n",
        links.boss
    );
    site.ask(&scan).await;
    let page = site.browser().get(&links.cfo).await;
    page.expect(200, "<code>203.0.113.9</code> <span dir=\"auto\">Scan&lt;b&gt;ner/1</span>");
    page.expect(200, "probably a link scanner");
    assert_eq!(site.desk.state(&links), State::Pending);
}

#[tokio::test]
async fn of_two_who_decide_the_second_hears_who_was_first_and_when() {
    let site = Site::start().await;
    let links = site.desk.open(draft(Language::En));
    let (mut boss, mut cfo) = (site.browser(), site.browser());
    let (first, second) = (boss.get(&links.boss).await.nonce(), cfo.get(&links.cfo).await.nonce());
    boss.post(&links.boss, &format!("nonce={first}&choice=approve")).await.expect_done(&links.boss);
    let late = cfo.post(&links.cfo, &format!("nonce={second}&choice=reject&words=no")).await;
    for words in ["It was decided before.", "Approved", BOSS, "Fri 20 Nov 2026, 21:30"] {
        late.expect(409, words);
    }
    assert!(!late.body.contains(CFO), "whoever was late decided nothing");
    assert_eq!(site.desk.decided(), 1);
}

#[tokio::test]
async fn nothing_is_shown_before_a_log_in_where_one_is_needed() {
    let site = Site::start().await;
    let links = site.desk.open(Draft { sensitive: true, ..draft(Language::En) });
    let mut browser = site.browser();
    let page = browser.get_ready(&links.boss, "?approve").await;
    page.expect(200, "after you have logged in");
    for hidden in ["jiwon", "Quotation", "customer.example", "approve"] {
        assert!(!page.body.contains(hidden), "{hidden} is in\n{}", page.body);
    }
    browser.choose(&links.boss, "choice=approve").await.expect(403, "Log in");
    let wrong = "choice=login&name=boss%40own.example&password=wrong";
    browser.choose(&links.boss, wrong).await.expect(403, "Name or password is wrong");
    assert_eq!(site.desk.state(&links), State::Pending);

    let before = browser.cookies.clone();
    let right = "choice=login&name=boss%40own.example&password=right";
    browser.choose(&links.boss, right).await.expect_done(&links.boss);
    assert_ne!(browser.cookies, before, "a cookie that somebody planted is worth nothing");
    browser.get(&links.boss).await.expect(200, "Quotation for the third quarter");
    let mut other = site.browser();
    other.cookies = before;
    other.get(&links.boss).await.expect(200, "after you have logged in");
    let cookie = browser.cookies[&links.boss].clone();
    browser.cookies.insert(links.cfo.clone(), cookie);
    browser.get(&links.cfo).await.expect(200, "after you have logged in");
    browser.choose(&links.boss, "choice=approve").await.expect_done(&links.boss);
    let State::Closed(closing) = site.desk.state(&links) else { panic!("not decided") };
    assert_eq!(closing.by.proof, mailweir_moderation::case::Proof::Login);
}

#[tokio::test]
async fn a_delayed_mail_can_be_sent_at_once_or_taken_back_by_its_sender() {
    let site = Site::start().await;
    let delayed = || Draft { plan: plan(Kind::Delay, 3), ..draft(Language::En) };
    let (send, cancel) = (site.desk.open(delayed()), site.desk.open(delayed()));
    let mut browser = site.browser();
    browser
        .get(&send.sender)
        .await
        .expect(200, "<button form=\"send\" class=\"yes\">Send it</button>");
    browser.choose(&send.sender, "choice=send&days=30").await.expect_done(&send.sender);
    browser.get(&send.sender).await.expect(200, "Your mail is on its way.");
    browser.choose(&cancel.sender, "choice=cancel").await.expect_done(&cancel.sender);
    browser.get(&cancel.sender).await.expect(200, "Your mail was cancelled. It was not sent.");
}

#[tokio::test]
async fn a_sender_confirms_or_does_not() {
    let site = Site::start().await;
    let confirmed = || Draft { plan: plan(Kind::Confirmation, 3), ..draft(Language::En) };
    let (yes, no) = (site.desk.open(confirmed()), site.desk.open(confirmed()));
    let mut browser = site.browser();
    let page = browser.get_ready(&yes.sender, "?approve").await;
    page.expect(
        200,
        "<div class=\"bar\"><button form=\"send\" class=\"yes chosen\">Send it</button>",
    );
    browser.choose(&yes.sender, "choice=send").await.expect_done(&yes.sender);
    browser.get(&yes.sender).await.expect(200, "Your mail is on its way.");
    browser.choose(&no.sender, "choice=decline").await.expect_done(&no.sender);
    browser.get(&no.sender).await.expect(200, "It was not sent.");
}
