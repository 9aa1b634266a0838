//! The tables of rules as they are used: changed, broken, failing, one for each listener.

use std::fs;

use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn a_changed_table_counts_without_a_reload_and_a_missing_one_stays_as_it_was() {
    let tables = tempfile::tempdir().unwrap();
    let file = tables.path().join("header_checks");
    fs::write(&file, "/^Subject: one/ REJECT first\n").unwrap();
    let (gateway, sink) = checked_by(&format!("pcre:{}", file.display())).await;
    submit(&gateway, "one", Some("550 5.7.1 first")).await;
    submit(&gateway, "two", None).await;

    fs::write(&file, "/^Subject: two/ REJECT second\n/[/ REJECT\n").unwrap();
    gateway.log().expect("changed, and read again").await;
    gateway.log().expect("warning: *header_checks, line 2: ").await;
    submit(&gateway, "one", None).await;
    submit(&gateway, "two", Some("550 5.7.1 second")).await;

    fs::remove_file(&file).unwrap();
    gateway.log().expect("warning: *what it said before stays in force").await;
    submit(&gateway, "two", Some("550 5.7.1 second")).await;
    assert_eq!(sink.expect(2).await.len(), 2);
}

#[tokio::test]
async fn while_a_table_cannot_tell_the_mail_waits_at_the_client() {
    let (gateway, sink) = checked_by("fail:directory").await;
    submit(&gateway, "one", Some("451 4.3.0 Temporary lookup failure")).await;
    gateway.log().expect("the mail is put off: *fail:directory").await;
    gateway.queue().expect_empty().await;
    sink.expect_nothing();
}

#[tokio::test]
async fn a_pattern_that_would_never_end_puts_the_mail_off_and_the_next_is_served() {
    let tables = tempfile::tempdir().unwrap();
    let file = tables.path().join("header_checks");
    fs::write(&file, "/^Subject: (a+)+(?=b)$/ REJECT\n").unwrap();
    let (gateway, sink) = checked_by(&format!("pcre:{}", file.display())).await;
    let endless = "a".repeat(50_000);
    submit(&gateway, &endless, Some("451 4.3.0 Temporary lookup failure")).await;
    gateway.log().expect("the mail is put off: *header_checks").await;
    submit(&gateway, "short", None).await;
    sink.expect_one().await;
}

#[tokio::test]
async fn a_mail_of_many_costly_lines_is_put_off_with_a_hint_and_the_next_is_served() {
    let tables = tempfile::tempdir().unwrap();
    let file = tables.path().join("header_checks");
    fs::write(&file, "/no/ WARN\n/^X: (a+)+(?=b)$/ REJECT\n").unwrap();
    let (gateway, sink) = checked_by(&format!("pcre:{}", file.display())).await;
    let many = format!("x\r\n{}Y: z", "X: aaaaaaaaaaaaaaaaaa\r\n".repeat(1_000));
    submit(&gateway, &many, Some("451 4.3.0 Temporary lookup failure")).await;
    gateway.log().expect("the mail is put off: *header_checks, line 2: *write them without").await;
    gateway.queue().expect_empty().await;
    submit(&gateway, "short", None).await;
    sink.expect_one().await;
}

#[tokio::test]
async fn each_listener_has_its_own_rules_and_mail_back_from_a_filter_none() {
    let sink = Sink::start(Script::smtp()).await;
    let tables = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = tables.path().join(name);
        fs::write(&file, text).unwrap();
        format!("pcre:{}", file.display())
    };
    let general = write("general", "/^Subject: a/ REJECT general\n");
    let own = write("own", "/^Subject: a/ REJECT own\n");
    let back = "mode = \"filter\"\nnetworks = [\"127.0.0.1/32\"]";
    let setup = Setup::before(&sink)
        .section("checks", &format!("header_checks = [\"{general}\"]"))
        .listener("mx", "mode = \"mx\"")
        .listener("own", &format!("mode = \"mx\"\nheader_checks = [\"{own}\"]"))
        .listener("none", "mode = \"mx\"\nheader_checks = []")
        .listener("back", back);
    let gateway = Gateway::start(&setup).await;
    for (listener, reply) in [
        ("mx", Some("550 5.7.1 general")),
        ("own", Some("550 5.7.1 own")),
        ("none", None),
        ("back", None),
    ] {
        let mut peer = gateway.connect_to(listener).await;
        peer.greet().await;
        let answer = peer.send(&mail().content("Subject: a\r\n\r\ntext\r\n")).await;
        match reply {
            Some(reply) => answer.expect_refused(reply),
            None => drop(answer.expect_accepted()),
        }
        peer.leave().await;
    }
    sink.expect(2).await;
}

async fn checked_by(table: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let setup = Setup::before(&sink).section("checks", &format!("header_checks = [\"{table}\"]"));
    (Gateway::start(&setup).await, sink)
}

async fn submit(gateway: &Gateway, subject: &str, refusal: Option<&str>) {
    let answer =
        gateway.submit(mail().content(format!("Subject: {subject}\r\n\r\ntext\r\n"))).await;
    match refusal {
        Some(reply) => answer.expect_refused(reply),
        None => drop(answer.expect_accepted()),
    }
}
