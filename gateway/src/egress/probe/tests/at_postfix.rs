//! A real Postfix as the next hop.

use mailweir_test_servers::{postfix::Settings, tools, wait};

use super::{Deferred, Deliverable, Undeliverable, rig::Rig};

#[tokio::test]
async fn a_postfix_says_who_is_there_and_has_no_mail_of_it() {
    if !tools::require(&["postfix"]) {
        return;
    }
    let access = "check_recipient_access inline:{ {grey@local.example = 450 4.2.0 Greylisted} }";
    let postfix = Settings::new()
        .final_destination("local.example")
        .parameter(
            "virtual_mailbox_maps",
            "inline:{ {ann@local.example=all/} {grey@local.example=all/} }",
        )
        .parameter("smtpd_recipient_restrictions", &format!("{access}, reject_unlisted_recipient"))
        .parameter("unknown_virtual_mailbox_reject_code", "550")
        .start()
        .unwrap();
    let rig = Rig::to(postfix.address());
    for (recipient, status, text) in [
        ("ann@local.example", Deliverable, "250 2.1.5 Ok"),
        (
            "nobody@local.example",
            Undeliverable,
            "host 127.0.0.1[127.0.0.1] said: 550 5.1.1 <nobody@local.example>: Recipient address \
             rejected: User unknown in virtual mailbox table (in reply to RCPT TO command)",
        ),
        (
            "grey@local.example",
            Deferred,
            "host 127.0.0.1[127.0.0.1] said: 450 4.2.0 <grey@local.example>: Recipient address \
             rejected: Greylisted (in reply to RCPT TO command)",
        ),
    ] {
        let probed = rig.probe(recipient).await;
        assert_eq!((probed.status, &*probed.text), (status, text));
    }
    rig.egress.tasks.close();
    rig.egress.tasks.wait().await;
    for tally in ["rcpt=1 quit=1 commands=4", "rcpt=0/1 quit=1 commands=3/4"] {
        let _ = postfix.expect_log(&format!("ehlo=1 mail=1 {tally}"));
    }
    // It begins a file at MAIL, and removes it when no content comes.
    wait::until("an empty queue", wait::PATIENCE, || (postfix.queued() == 0).then_some(()));
    let log = postfix.log();
    assert!(!log.contains("data=") && !log.contains("queue active"), "{log}");
}
