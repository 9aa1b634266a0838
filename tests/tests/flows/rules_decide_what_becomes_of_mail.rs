//! What the rules of header_checks and body_checks say becomes of a mail, and the log says by which
//! rule.

use std::{fs, path::PathBuf};

use mailweir::control::operation::Place;
use mailweir_tests::{
    gateway::{Gateway, Mail, Setup, mail},
    sink::{Script, Sink},
};
use tempfile::TempDir;

#[tokio::test]
async fn refused_mail_is_nowhere_and_the_client_hears_the_administrator() {
    let story = Story::with("/^Subject: (\\w+) bad/ REJECT 5.7.9 no $1 here", "").await;
    story.submit("Subject: very bad").await.expect_refused("550 5.7.9 no very here");
    story.expect_line("reject: header Subject: very bad", "5.7.9 no very here").await;
    story.expect_nowhere().await;
}

#[tokio::test]
async fn refused_mail_is_refused_once_in_the_log() {
    let story = Story::with("/^Subject: bad/ REJECT no", "").await;
    story.submit("Subject: bad").await.expect_refused("550 5.7.1 no");
    let log = story.gateway.log();
    let _ = log.expect("disconnect from *").await;
    assert_eq!(log.count("reject: *"), 1);
    // A refusal without a rule has its own line even so.
    let hops = "Received: from a by b\r\n".repeat(60);
    story.submit(&format!("{hops}Subject: good")).await.expect_refused("5*");
    let _ = log.expect("NOQUEUE: reject: END-OF-MESSAGE from *").await;
}

#[tokio::test]
async fn mail_refused_for_now_comes_again() {
    let story = Story::with("/^Subject: a/ REJECT 4.7.1 not now", "").await;
    story.submit("Subject: a").await.expect_refused("451 4.7.1 not now");
    story.expect_line("reject: header Subject: a", "4.7.1 not now").await;
    story.expect_nowhere().await;
}

#[tokio::test]
async fn discarded_mail_is_nowhere_and_its_client_is_content() {
    let story = Story::with("/^Subject: a/ DISCARD quietly", "").await;
    let _ = story.submit("Subject: a").await.expect_accepted();
    story.expect_line("discard: header Subject: a", "quietly").await;
    story.expect_nowhere().await;
}

#[tokio::test]
async fn held_mail_waits_for_a_person_who_reads_why() {
    let story = Story::with("/^Subject: a/ HOLD a person must look", "").await;
    let id = story.submit("Subject: a").await.expect_accepted();
    story.expect_line("hold: header Subject: a", "a person must look").await;
    story.gateway.queue().expect(id, Place::Hold).await;
    let reason = story.gateway.queue().show(id).await.entry.hold_reason.unwrap();
    assert_eq!(reason.as_str(), "a person must look");
    story.sink.expect_nothing();
    story.gateway.queue().release(id).await;
    assert_eq!(story.sink.expect_one().await.recipients(), ["user@local.example"]);
}

#[tokio::test]
async fn filtered_mail_goes_to_the_filter_instead_of_the_next_hop() {
    let scan = Sink::start(Script::smtp()).await;
    let address = scan.address();
    let target = format!("scan:[{}]:{}", address.ip(), address.port());
    let story = Story::with(&format!("/^Subject: a/ FILTER {target}"), "").await;
    let _ = story.submit("Subject: a").await.expect_accepted();
    story.expect_line("filter: header Subject: a", &target).await;
    assert_eq!(scan.expect_one().await.recipients(), ["user@local.example"]);
    story.sink.expect_nothing();
}

#[tokio::test]
async fn redirected_mail_has_one_other_recipient() {
    let story = Story::with("/^Subject: a/ REDIRECT r@other.example", "").await;
    let mail = mail().to("a@local.example").to("b@local.example");
    let _ = story.send(mail.header("Subject: a")).await.expect_accepted();
    story.expect_line("redirect: header Subject: a", "r@other.example").await;
    assert_eq!(story.sink.expect_one().await.recipients(), ["r@other.example"]);
}

#[tokio::test]
async fn a_copy_goes_to_one_whom_nobody_hears_of() {
    let story = Story::with("/^Subject: a/ BCC c@other.example", "").await;
    let _ = story.submit("Subject: a").await.expect_accepted();
    story.expect_line("bcc: header Subject: a", "c@other.example").await;
    let mail = story.sink.expect_one().await;
    assert_eq!(mail.recipients(), ["user@local.example", "c@other.example"]);
    assert_eq!(mail.rcpt[1], "TO:<c@other.example> NOTIFY=NEVER");
    assert!(!mail.text().contains("c@other.example"), "{}", mail.text());
}

#[tokio::test]
async fn lines_are_removed_replaced_and_put_in_front() {
    let rules = "/^X-Gone/ IGNORE\n/^X-Strip/ STRIP\n/^X-Old: (.*)/ REPLACE X-New: $1\n\
                 /^Subject/ PREPEND X-Seen: yes\n";
    let story = Story::with(rules, "/^text/ REPLACE other text").await;
    let content = "X-Gone: a\r\nX-Strip: b\r\nX-Old: c\r\nSubject: d\r\n\r\ntext\r\n";
    let _ = story.send(mail().content(content)).await.expect_accepted();
    let log = story.gateway.log();
    story.expect_line("replace: header X-Old: c", "X-New: c").await;
    story.expect_line("prepend: header Subject: d", "X-Seen: yes").await;
    log.expect("strip: header X-Strip: b*header_checks, line 2)").await;
    log.expect("replace: body text*other text*body_checks, line 1)").await;
    log.expect_none("X-Gone");
    let text = story.sink.expect_one().await.text();
    assert!(
        text.ends_with("X-New: c\r\nX-Seen: yes\r\nSubject: d\r\n\r\nother text\r\n"),
        "{text}"
    );
}

#[tokio::test]
async fn what_is_only_said_changes_nothing() {
    let rules = "/^X-A/ WARN look\n/^X-B/ INFO by the way\n/^X-C/ PASS trusted\n/^X-D/ REJECT";
    let story = Story::with(rules, "/./ REJECT").await;
    let content = "X-A: a\r\nX-B: b\r\nX-C: c\r\nX-D: d\r\n\r\ntext\r\n";
    let _ = story.send(mail().content(content)).await.expect_accepted();
    story.expect_line("warning: header X-A: a", "look").await;
    story.expect_line("info: header X-B: b", "by the way").await;
    story.expect_line("pass: header X-C: c", "trusted").await;
    let text = story.sink.expect_one().await.text();
    assert!(text.ends_with(content), "{text}");
}

#[tokio::test]
async fn our_own_received_header_is_seen_and_may_be_edited() {
    let story = Story::with("/^Received: from client\\.example.*by gate\\.example/ HOLD", "").await;
    let id = story.submit("Subject: a").await.expect_accepted();
    story.gateway.queue().expect(id, Place::Hold).await;

    for (rule, is_there) in [("PREPEND X-Trace: first", true), ("IGNORE", false)] {
        let story = Story::with(&format!("/^Received: .*by gate/ {rule}"), "").await;
        let _ = story.submit("Subject: a").await.expect_accepted();
        let text = story.sink.expect_one().await.text();
        assert_eq!(text.contains("Received: from client.example"), is_there, "{text}");
        assert_eq!(text.starts_with("X-Trace: first\r\nReceived:"), is_there, "{text}");
    }
}

#[tokio::test]
async fn a_rule_that_cannot_be_applied_is_told_and_the_line_stays() {
    let story = Story::with("/^X-(A|B): (.*)/ BCC $2", "").await;
    let _ = story.submit("X-A: nobody").await.expect_accepted();
    story.gateway.log().expect("BCC needs user@domain, not \"nobody\"").await;
    let mail = story.sink.expect_one().await;
    assert_eq!(mail.recipients(), ["user@local.example"]);
    assert!(mail.text().contains("X-A: nobody\r\n"), "{}", mail.text());
}

/// A gateway with rules, in front of a sink.
struct Story {
    gateway: Gateway,
    sink: Sink,
    header_checks: PathBuf,
    _tables: TempDir,
}

impl Story {
    async fn with(header_checks: &str, body_checks: &str) -> Self {
        let tables = tempfile::tempdir().unwrap();
        let header = tables.path().join("header_checks");
        let body = tables.path().join("body_checks");
        fs::write(&header, header_checks).unwrap();
        fs::write(&body, body_checks).unwrap();
        let sink = Sink::start(Script::smtp()).await;
        let lines = format!(
            "header_checks = [\"pcre:{}\"]\nbody_checks = [\"pcre:{}\"]",
            header.display(),
            body.display()
        );
        let gateway = Gateway::start(&Setup::before(&sink).section("checks", &lines)).await;
        Self { gateway, sink, header_checks: header, _tables: tables }
    }

    async fn submit(&self, header: &str) -> mailweir_tests::gateway::Answer {
        self.send(mail().content(format!("{header}\r\n\r\ntext\r\n"))).await
    }

    async fn send(&self, mail: Mail) -> mailweir_tests::gateway::Answer {
        self.gateway.submit(mail).await
    }

    /// The line of Postfix's shape, and at its end the rule in the file.
    async fn expect_line(&self, begin: &str, text: &str) {
        let file = self.header_checks.display();
        let line = format!(
            "postfix/cleanup[*]: *: {begin} from *[127.0.0.1]; from=<sender@client.example> \
             to=<*> proto=ESMTP helo=<client.example>: {text} (pcre:{file}, line *)"
        );
        self.gateway.log().expect(&line).await;
    }

    async fn expect_nowhere(&self) {
        self.gateway.queue().expect_empty().await;
        self.sink.expect_nothing();
    }
}
