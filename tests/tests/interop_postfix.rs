//! A real Postfix behind Mailweir, in front of it, and on both sides.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{net::SocketAddr, process::Command};

use mailweir_tests::{
    installation::{Installation, Plan},
    peers,
    postfix::{Postfix, Settings},
    sink::{Script, Sink},
    tools, wait,
};

#[test]
fn postfix_as_next_hop_gets_the_mail_byte_for_byte() {
    let Some((gateway, postfix)) = before_postfix(&receiving()) else { return };
    send(&gateway, &content(), "['b@recipient.example']", "mail_options=['BODY=8BITMIME']");
    let mail = postfix.mailbox(1).remove(0);
    assert!(mail.ends_with(&content().replace("\\r\\n", "\n")), "{mail}");
    assert!(mail.starts_with("Return-Path: <a@sender.example>\n"), "{mail}");
    gateway.expect_empty_queue();
    let line = gateway.expect_log("to=<b@recipient.example>");
    assert!(line.contains("dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as "), "{line}");
}

#[test]
fn sixty_recipients_each_get_one_copy() {
    let Some((gateway, postfix)) = before_postfix(&receiving()) else { return };
    send(&gateway, &content(), "['u%d@recipient.example' % n for n in range(60)]", "");
    let mut to: Vec<String> =
        postfix.mailbox(60).iter().map(|mail| header(mail, "Delivered-To")).collect();
    to.sort();
    to.dedup();
    assert_eq!(to.len(), 60, "{to:?}");
    gateway.expect_empty_queue();
    assert_eq!(gateway.log().matches("status=sent").count(), 60, "{}", gateway.log());
}

#[test]
fn unicode_addresses_pass() {
    let Some((gateway, postfix)) = before_postfix(&receiving()) else { return };
    let options = "mail_options=['SMTPUTF8', 'BODY=8BITMIME']";
    let content = format!("{HEADER}Subject: ünïcödé\\r\\n\\r\\nпривет\\r\\n");
    send(&gateway, &content, "['получатель@recipient.example']", options);
    let mail = postfix.mailbox(1).remove(0);
    assert_eq!(header(&mail, "Delivered-To"), "получатель@recipient.example");
    assert!(mail.ends_with("Subject: ünïcödé\n\nпривет\n"), "{mail}");
    assert!(mail.contains("with UTF8SMTP"), "{mail}");
}

#[test]
fn a_wish_for_a_success_notice_is_passed_on() {
    let Some((gateway, postfix)) = before_postfix(&receiving()) else { return };
    let options = "mail_options=['RET=HDRS', 'ENVID=order-7'], \
                   rcpt_options=['NOTIFY=SUCCESS', 'ORCPT=rfc822;first@elsewhere.example']";
    send(&gateway, &content(), "['b@recipient.example']", options);
    let mails = postfix.mailbox(2);
    let notice = mails.iter().find(|mail| mail.contains("Action: delivered"));
    let notice = notice.unwrap_or_else(|| panic!("no notice in {mails:#?}"));
    assert!(notice.contains("Reporting-MTA: dns; postfix.test.example"), "{notice}");
    assert!(notice.contains("Original-Envelope-Id: order-7"), "{notice}");
    assert!(notice.contains("Original-Recipient: rfc822;first@elsewhere.example"), "{notice}");
    assert!(!gateway.log().contains("notification"), "not our notice:\n{}", gateway.log());
}

#[test]
fn a_recipient_that_postfix_refuses_is_reported_to_the_sender() {
    let Some((gateway, postfix)) = before_postfix(&receiving()) else { return };
    send(&gateway, &content(), "['b@recipient.example', 'nobody@recipient.example']", "");
    let mails = postfix.mailbox(2);
    let report = mails.iter().find(|mail| mail.contains("multipart/report"));
    let report = report.unwrap_or_else(|| panic!("no report in {mails:#?}"));
    assert_eq!(header(report, "Delivered-To"), "a@sender.example");
    assert!(report.starts_with("Return-Path: <>\n"), "{report}");
    for field in [
        "Reporting-MTA: dns; gate.test.example",
        "Final-Recipient: rfc822; nobody@recipient.example",
        "Action: failed",
        "Status: 5.1.1",
        "Remote-MTA: dns; 127.0.0.1",
    ] {
        assert!(report.contains(field), "{field}:\n{report}");
    }
    assert!(!report.contains("Final-Recipient: rfc822; b@"), "{report}");
    gateway.expect_empty_queue();
    let line = gateway.expect_log("to=<nobody@recipient.example>");
    assert!(line.contains("dsn=5.1.1, status=bounced"), "{line}");
    let _ = gateway.expect_log("sender non-delivery notification");
}

#[test]
fn a_postfix_that_offers_tls_gets_the_mail_over_tls() {
    if !tools::require(&["openssl"]) {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("both.pem");
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=postfix.test.example",
        ])
        .arg("-keyout")
        .arg(place.path().join("key"))
        .arg("-out")
        .arg(place.path().join("certificate"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let part = |name: &str| std::fs::read_to_string(place.path().join(name)).unwrap();
    std::fs::write(&file, part("key") + &part("certificate")).unwrap();
    let settings = receiving()
        .parameter("smtpd_tls_chain_files", file.to_str().unwrap())
        .parameter("smtpd_tls_security_level", "may")
        .parameter("smtpd_tls_received_header", "yes");
    let Some((gateway, postfix)) = before_postfix(&settings) else { return };
    send(&gateway, &content(), "['b@recipient.example']", "");
    let mail = postfix.mailbox(1).remove(0);
    assert!(mail.contains("(using TLSv1.3 with cipher"), "{mail}");
    let line = gateway.expect_log("TLS connection established to");
    assert!(line.contains("TLSv1.3 with cipher"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn postfix_as_sender_finds_what_it_looks_for() {
    let sink = Sink::start(Script::smtp()).await;
    let forward = "xforward_hosts = [\"127.0.0.1/32\"]";
    let Some((gateway, postfix)) = behind_postfix(sink.address(), forward) else { return };
    let said = peers::swaks(
        postfix.address(),
        &["--from", "a@sender.example", "--to", "b@own.example,c@own.example"],
    );
    let _ = said.unwrap().expect_content();
    let mail = sink.expect_one().await;
    assert_eq!(mail.recipients(), ["b@own.example", "c@own.example"]);
    assert!(mail.text().contains("from postfix.test.example"), "{}", mail.text());
    assert!(mail.text().contains("(Mailweir) with ESMTPS id "), "{}", mail.text());
    let line = postfix.expect_log("to=<b@own.example>");
    assert!(line.contains("status=sent (250 2.0.0 Ok: queued as "), "{line}");
    let _ = postfix.expect_log("Untrusted TLS connection established to");
    let line = gateway.expect_log("xforward=");
    for command in ["disconnect from", "starttls=1", "mail=1", "rcpt=2", "data=1", "quit=1"] {
        assert!(line.contains(command), "{command}: {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_mailweir_refuses_postfix_returns_to_its_sender() {
    let sink = Sink::start(Script::smtp()).await;
    let Some((_gateway, postfix)) = behind_postfix(sink.address(), "") else { return };
    let content = "Subject: a stranger\n\nhello\n";
    postfix.submit("a@own.example", "c@other.example", content).unwrap();
    let line = postfix.expect_log("to=<c@other.example>");
    assert!(line.contains("dsn=5.7.1, status=bounced"), "{line}");
    let report = sink.expect_one().await;
    assert_eq!(report.sender(), "", "{report:?}");
    assert!(report.text().contains("Relay access denied"), "{}", report.text());
}

#[test]
fn between_two_postfixes_nothing_changes_but_the_trace() {
    if !tools::require(&["postfix", "smtp-source"]) {
        return;
    }
    let last = receiving().start().unwrap();
    let Some(plan) = Plan::new() else { return };
    let gateway = plan.mx().next_hop(last.address()).start();
    let first = Settings::new().relay_to(gateway.at("mx")).start().unwrap();
    let content = format!("{HEADER}Subject: x\\r\\n\\r\\n..two dots\\r\\n.\\r\\nünd Ende\\r\\n");
    let content = content.replace("\\r\\n", "\n");
    first.submit("a@sender.example", "b@recipient.example", &content).unwrap();
    let mail = last.mailbox(1).remove(0);
    assert!(mail.ends_with(&content), "{mail}");
    assert_eq!(mail.matches("\nReceived: ").count(), 3, "{mail}");
    let arguments = ["-s", "5", "-m", "50", "-f", "a@sender.example", "-t", "b@recipient.example"];
    let _ = peers::smtp_source(first.address(), &arguments).unwrap().expect_content();
    assert_eq!(last.mailbox(51).len(), 51);
    gateway.expect_empty_queue();
    wait::until("the first Postfix to be done", wait::PATIENCE, || {
        (first.queued() == 0).then_some(())
    });
}

/// Keeps mail for the sender and the recipient; knows no `nobody`.
fn receiving() -> Settings {
    let nobody = "check_recipient_access inline:{{nobody@recipient.example = 550 5.1.1 Unknown}}";
    Settings::new()
        .final_destination("recipient.example, sender.example")
        .parameter("smtpd_recipient_restrictions", &format!("{nobody}, permit_mynetworks, reject"))
}

/// A gateway that passes all mail to a Postfix with these settings.
fn before_postfix(settings: &Settings) -> Option<(Installation, Postfix)> {
    if !tools::require(&["postfix", "python3"]) {
        return None;
    }
    let plan = Plan::new()?;
    let postfix = settings.start().unwrap();
    let gateway = plan.mx().next_hop(postfix.address()).start();
    Some((gateway, postfix))
}

/// A Postfix that passes all mail to a gateway that trusts nobody, over TLS; behind it `sink`.
fn behind_postfix(sink: SocketAddr, keys: &str) -> Option<(Installation, Postfix)> {
    if !tools::require(&["postfix", "swaks"]) {
        return None;
    }
    let listener = format!("mode = \"mx\"\ntls = \"optional\"\n{keys}");
    let gateway = Plan::new()?.listener("mx", &listener).next_hop(sink).start();
    let postfix = Settings::new()
        .relay_to(gateway.at("mx"))
        .parameter("smtp_tls_security_level", "may")
        .parameter("smtp_tls_loglevel", "1")
        .parameter("smtp_send_xforward_command", "yes")
        .start()
        .unwrap();
    Some((gateway, postfix))
}

/// Sends a mail of `a@sender.example` through the gateway. Takes Python's notation.
fn send(gateway: &Installation, content: &str, recipients: &str, options: &str) {
    let program = format!(
        "with smtplib.SMTP(HOST, PORT) as client:\n    \
         client.sendmail('a@sender.example', {recipients}, '{content}'.encode(), {options})\n"
    );
    let _ = peers::python(gateway.at("mx"), &program).unwrap().expect_content();
}

fn header(mail: &str, name: &str) -> String {
    let value = mail.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    value.unwrap_or_else(|| panic!("no {name} in {mail}")).to_owned()
}

/// Eight bits, a dot at the beginning of a line, and a line that is only a dot.
fn content() -> String {
    format!("{HEADER}Subject: grüße\\r\\n\\r\\n.dot\\r\\n.\\r\\n한국어\\r\\n")
}

/// What Postfix adds to a mail without it.
const HEADER: &str = "From: a@sender.example\\r\\n\
                      Date: Fri, 20 Nov 2026 21:30:05 +0000\\r\\n\
                      Message-Id: <1@sender.example>\\r\\n";
