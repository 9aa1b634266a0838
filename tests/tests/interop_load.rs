//! Postfix's `smtp-source` before and `smtp-sink` behind: every mail goes through once.

use std::{fs, thread};

use mailweir_tests::{
    installation::Plan,
    peers::{self, SmtpSink},
    tools, wait,
};
use rustix::process::Signal;

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

#[test]
fn reloads_good_and_bad_under_load_cost_no_mail_k4() {
    if !tools::require(&["smtp-source", "smtp-sink"]) {
        return;
    }
    let Some(plan) = Plan::new() else { return };
    let sink = SmtpSink::start().unwrap();
    let gateway = plan.mx().next_hop(sink.address()).start();
    let good = fs::read_to_string(gateway.config()).unwrap();
    let bad = good.replace("mode = \"mx\"", "mode = \"mxx\"");
    let arguments = ["-s", "10", "-m", "1000", "-l", "4096"];
    let said = thread::scope(|scope| {
        let load = scope.spawn(|| peers::smtp_source(gateway.at("mx"), &arguments).unwrap());
        let mut reloads = 0;
        while !load.is_finished() || reloads < 4 {
            gateway.configure(if reloads % 2 == 0 { &bad } else { &good });
            gateway.signal(Signal::HUP);
            reloads += 1;
            wait::until("an answer to the reload", wait::PATIENCE, || {
                let log = gateway.log();
                let taken = log.matches("configuration reloaded").count();
                let refused = log.matches("configuration not reloaded").count();
                (taken == reloads / 2 && refused == reloads.div_ceil(2)).then_some(())
            });
        }
        load.join().unwrap()
    });
    gateway.configure(&good);
    assert_eq!(said.expect_content(), "", "no client heard anything but 250");
    assert!(sink.wait_taken(1000, wait::PATIENCE).is_some(), "{} arrived", sink.taken());
    gateway.expect_empty_queue();
    assert_eq!(sink.taken(), 1000);
}
