//! Postfix's `smtp-source` before and `smtp-sink` behind: every mail goes through once.

use mailweir_tests::{
    installation::Plan,
    peers::{self, SmtpSink},
    tools, wait,
};

#[test]
fn five_hundred_mails_go_through_once_each() {
    if !tools::require(&["smtp-source", "smtp-sink"]) {
        return;
    }
    let Some(plan) = Plan::new() else { return };
    let sink = SmtpSink::start().unwrap();
    let gateway = plan.mx().next_hop(sink.address()).start();
    let arguments = ["-s", "10", "-m", "500", "-l", "4096"];
    let said = peers::smtp_source(gateway.at("mx"), &arguments).unwrap();
    assert_eq!(said.expect_content(), "");
    assert!(sink.wait_taken(500, wait::PATIENCE).is_some(), "{} arrived", sink.taken());
    gateway.expect_empty_queue();
    assert_eq!(sink.taken(), 500);
    let done = wait::within(wait::PATIENCE, || {
        (gateway.log().matches(": removed").count() >= 500).then_some(())
    });
    let log = gateway.log();
    assert!(done.is_some(), "{log}");
    assert_eq!(log.matches("status=sent").count(), 500);
    assert_eq!(log.matches(": removed").count(), 500);
    assert_eq!(log.matches("status=deferred").count(), 0);
}

#[test]
fn many_recipients_over_long_sessions_lose_none() {
    if !tools::require(&["smtp-source", "smtp-sink"]) {
        return;
    }
    let Some(plan) = Plan::new() else { return };
    let sink = SmtpSink::start().unwrap();
    let gateway = plan.mx().next_hop(sink.address()).start();
    // Twenty recipients a mail, eight mails a session.
    let arguments = ["-d", "-s", "5", "-m", "40", "-r", "20"];
    let said = peers::smtp_source(gateway.at("mx"), &arguments).unwrap();
    assert_eq!(said.expect_content(), "");
    assert!(sink.wait_taken(40, wait::PATIENCE).is_some(), "{} arrived", sink.taken());
    gateway.expect_empty_queue();
    assert_eq!(sink.taken(), 40);
    wait::until("eight hundred deliveries in the log", wait::PATIENCE, || {
        (gateway.log().matches("status=sent").count() == 800).then_some(())
    });
}
