//! The peers of the interop tests, tried on each other: when these fail, the tools are wrong and not
//! the gateway.

use mailweir_tests::{
    peers::{self, SmtpSink},
    postfix::Settings,
    tools, wait,
};

#[test]
fn smtp_sink_counts_what_smtp_source_sends() {
    if !tools::require(&["smtp-sink", "smtp-source"]) {
        return;
    }
    let sink = SmtpSink::start().unwrap();
    let said = peers::smtp_source(sink.address(), &["-s", "5", "-m", "50", "-l", "4096"]).unwrap();
    assert_eq!(said.expect_content(), "");
    assert!(sink.wait_taken(50, wait::PATIENCE).is_some());
    assert_eq!(sink.taken(), 50);
}

#[test]
fn a_private_postfix_relays_to_its_next_hop() {
    if !tools::require(&["postfix", "smtp-sink", "swaks"]) {
        return;
    }
    let sink = SmtpSink::start().unwrap();
    let postfix = Settings::new().relay_to(sink.address()).start().unwrap();
    let arguments = ["--from", "a@sender.example", "--to", "b@recipient.example"];
    let said = peers::swaks(postfix.address(), &arguments).unwrap().expect_content();
    assert!(said.contains("250 2.0.0 Ok: queued as"), "{said}");
    assert!(sink.wait_taken(1, wait::PATIENCE).is_some());
    let line = postfix.expect_log("to=<b@recipient.example>");
    assert!(line.contains("status=sent"), "{line}");
    wait::until("Postfix to forget the mail", wait::PATIENCE, || {
        (postfix.queued() == 0).then_some(())
    });
    assert_eq!(postfix.queue().unwrap(), Vec::<String>::new());
}

#[test]
fn a_private_postfix_keeps_mail_for_its_own_domain() {
    if !tools::require(&["postfix", "python3"]) {
        return;
    }
    let postfix = Settings::new().final_destination("own.example").start().unwrap();
    let program = "
with smtplib.SMTP(HOST, PORT) as client:
    client.sendmail('a@sender.example', ['b@own.example'], 'Subject: hello\\r\\n\\r\\n.dot\\r\\n')
print('sent')
";
    let said = peers::python(postfix.address(), program).unwrap();
    assert_eq!(said.expect_content(), "sent\n");
    let mails = postfix.mailbox(1);
    assert!(mails[0].contains("Subject: hello"), "{}", mails[0]);
    assert!(mails[0].ends_with("\n.dot\n"), "{}", mails[0]);
}

#[test]
fn a_private_postfix_sends_what_a_local_program_submits() {
    if !tools::require(&["postfix", "smtp-sink"]) {
        return;
    }
    let sink = SmtpSink::start().unwrap();
    let postfix = Settings::new().relay_to(sink.address()).start().unwrap();
    postfix.submit("a@sender.example", "b@recipient.example", "Subject: x\n\nhello\n").unwrap();
    assert!(sink.wait_taken(1, wait::PATIENCE).is_some());
}

#[test]
fn two_private_postfixes_run_side_by_side() {
    if !tools::require(&["postfix", "swaks"]) {
        return;
    }
    let last = Settings::new().final_destination("own.example").start().unwrap();
    let first = Settings::new().relay_to(last.address()).start().unwrap();
    let arguments = ["--from", "a@sender.example", "--to", "b@own.example"];
    let _ = peers::swaks(first.address(), &arguments).unwrap().expect_content();
    assert!(last.mailbox(1)[0].contains("by postfix.test.example"));
}

#[test]
fn a_refused_recipient_is_seen_in_what_swaks_says() {
    if !tools::require(&["postfix", "swaks"]) {
        return;
    }
    let postfix = Settings::new()
        .parameter("mynetworks", "192.0.2.1/32")
        .parameter("relayhost", "[192.0.2.1]:25")
        .start()
        .unwrap();
    let arguments = ["--from", "a@sender.example", "--to", "b@recipient.example"];
    let said = peers::swaks(postfix.address(), &arguments).unwrap().expect_refused();
    assert!(said.contains("Relay access denied"), "{said}");
}
