//! The command line as a person or a script meets it: words, answers, exit statuses, signals.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Command, Stdio},
};

use mailweir_tests::{
    installation::{Installation, Plan, feed},
    peers::Said,
    program,
    sink::{Script, Sink},
    wait,
};
use rustix::process::{Pid, Signal, kill_process};

const DONE: Option<i32> = Some(0);
const REFUSED: Option<i32> = Some(1);
const WRONG_WORDS: Option<i32> = Some(64);
const BAD_CONFIGURATION: Option<i32> = Some(78);

#[test]
fn the_version_and_the_help_are_printed() {
    let Some(version) = mailweir(&["--version"]) else { return };
    assert_eq!(version.status, DONE);
    assert!(version.text.starts_with("mailweir ") && version.text.contains('.'), "{version:?}");
    let help = mailweir(&["--help"]).unwrap();
    assert_eq!(help.status, DONE);
    for command in [
        "serve",
        "check",
        "explain",
        "chain-check",
        "demo",
        "quarantine",
        "queue",
        "spam",
        "user",
        "auth",
        "ban",
        "moderation",
        "api-token",
        "dkim",
        "rescue",
        "postmap",
        "sendmail",
        "Exit status",
    ] {
        assert!(help.text.contains(command), "{command}: {help:?}");
    }
}

#[test]
fn words_that_make_no_sense_are_explained() {
    let Some(said) = mailweir(&["frobnicate"]) else { return };
    assert_eq!(said.status, WRONG_WORDS, "{said:?}");
    let said = mailweir(&["queue", "show", "nonsense"]).unwrap();
    assert_eq!(said.status, WRONG_WORDS, "{said:?}");
    assert!(said.text.contains("not a queue id"), "{said:?}");
    assert_eq!(mailweir(&[]).unwrap().status, WRONG_WORDS);
}

#[test]
fn check_shows_what_a_good_file_sets_up() {
    let Some(plan) = Plan::new() else { return };
    let said = plan.mx().next_hop(NOWHERE).install().run(&["check"]);
    assert_eq!(said.status, DONE, "{said:?}");
    for words in ["no problems", "gate.test.example", "own.example", "smtp://127.0.0.1:9"] {
        assert!(said.text.contains(words), "{words}: {}", said.text);
    }
}

#[test]
fn check_tells_of_all_mistakes_at_once() {
    let Some(plan) = Plan::new() else { return };
    let installation = plan.install();
    installation.configure(
        "[server]\nhostnam = \"gate.example\"\n[[listener]]\nname = \"mx\"\nbind = [\"nowhere\"]\n\
         mode = \"mxx\"\n[queue]\nmaximal_queue_lifetime = \"5 fortnights\"\n",
    );
    let said = installation.run(&["check"]);
    assert_eq!(said.status, BAD_CONFIGURATION, "{said:?}");
    for words in [
        "mailweir.toml:2:1: error: server.hostnam: unknown key; did you mean \"hostname\"?",
        "mailweir.toml:5:9: error: listener[0].bind: \"nowhere\"",
        "mailweir.toml:6:8: error: listener[0].mode: \"mxx\" is not allowed; did you mean \"mx\"?",
        "mailweir.toml:8:26: error: queue.maximal_queue_lifetime: \"5 fortnights\"",
        "this configuration cannot be used",
    ] {
        assert!(said.text.contains(words), "{words}: {}", said.text);
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    for words in [["check", "-c"], ["serve", "-c"]] {
        let Some(said) = mailweir(&[&words[..], &["/no/such/file.toml"]].concat()) else { return };
        assert_eq!(said.status, BAD_CONFIGURATION, "{said:?}");
        assert!(said.text.contains("/no/such/file.toml: error: cannot be read"), "{said:?}");
    }
}

#[test]
fn check_judges_what_only_the_back_ends_understand() {
    let Some(plan) = Plan::new() else { return };
    let quoted = "[[auth.backend]]\ntype = \"sql\"\nname = \"shop\"\nurl = \"postgres://m@127.0.0.1/m\"\n\
                  query = \"SELECT password FROM users WHERE name = '{user}'\"";
    let said = plan.mx().section(quoted).install().run(&["check"]);
    assert_eq!(said.status, Some(78), "{}", said.text);
    assert!(said.text.contains("[[auth.backend]] shop: the query for users"), "{}", said.text);
}

#[test]
fn auth_test_says_which_back_end_lets_a_user_in_and_shows_no_password() {
    let Some(plan) = Plan::new() else { return };
    let backends = "[[auth.backend]]\ntype = \"users\"\n\
                    [[auth.backend]]\ntype = \"users\"\nname = \"again\"";
    let lines = "mode = \"submission\"\ntls = \"required\"";
    let plan = plan.mx().listener("submission", lines).section(backends);
    let gateway = plan.user("alice", "wonderland looking glass").install();
    let test = |words: &[&str], password: &str| {
        gateway.feed(&[&["auth", "test"], words].concat(), &format!("{password}\n"))
    };
    for mechanism in ["PLAIN", "login", "SCRAM-SHA-256"] {
        let said = test(&["Alice", "--mechanism", mechanism], "wonderland looking glass");
        assert_eq!(said.status, DONE, "{said:?}");
        let lines: Vec<_> = said.text.lines().collect();
        assert!(lines[0].starts_with("users ") && lines[0].ends_with(" ms  accepted as alice"));
        assert_eq!(lines[1], "again         -  not asked any more");
        assert_eq!(lines[2..], ["mailweir: alice: would be logged in"]);
    }
    for (user, reason) in [("alice", "wrong password"), ("bob", "unknown user")] {
        let said = test(&[user, "--listener", "mx"], "sesame");
        assert_eq!(said.status, REFUSED, "{said:?}");
        assert_eq!(said.text.matches(&format!(" ms  {reason}")).count(), 2, "{said:?}");
        assert!(said.text.ends_with(": would be refused (535)\n"), "{said:?}");
        assert!(!said.text.contains("sesame"), "{said:?}");
    }
    let said = test(&["alice", "--listener", "smtps"], "sesame");
    assert_eq!(said.text, "mailweir: no such listener; the configuration has: mx, submission\n");
    for words in [&["alice", "--mechanism", "DIGEST-MD5"][..], &["a b"], &[]] {
        assert_eq!(test(words, "sesame").status, WRONG_WORDS, "{words:?}");
    }
}

#[test]
fn a_mail_on_hold_waits_for_a_person() {
    let Some(gateway) = with_deferred_mail() else { return };
    let id = the_id(&gateway);
    let said = gateway.run(&["queue", "hold", &id, "--reason", "ask the boss"]);
    assert_eq!((said.status, &*said.text), (DONE, &*format!("mailweir: {id}: placed on hold\n")));
    let list = gateway.run(&["queue", "list"]).expect_content();
    assert!(list.contains(&format!("{id}! ")), "{list}");
    assert!(list.contains("(on hold: ask the boss ("), "{list}");
    let said = gateway.run(&["queue", "hold", &id]);
    assert_eq!(said.status, REFUSED, "{said:?}");
    let flushed = gateway.run(&["queue", "flush"]).expect_content();
    assert_eq!(flushed, "mailweir: 0 deferred mails due now\n");
    let said = gateway.run(&["queue", "release", "ALL"]).expect_content();
    assert_eq!(
        said,
        format!("mailweir: {id}: released from hold\nmailweir: 1 mail released from hold\n")
    );
    let _ = gateway.expect_log(&format!("{id}: released from hold ("));
}

#[test]
fn a_mail_is_shown_with_its_state_envelope_and_content() {
    let Some(gateway) = with_deferred_mail() else { return };
    let id = the_id(&gateway);
    let shown = gateway.run(&["queue", "show", &id]).expect_content();
    for words in [
        &*format!("*** ENVELOPE {id} ***"),
        "queue:         deferred",
        "sender:        <a@sender.example>",
        "recipient:     <b@own.example>",
        "Connection refused",
        "\nSubject: hello\n\nhello\n",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let json = gateway.run(&["queue", "show", &id, "--json"]).expect_content();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["entry"]["queue_id"], *id);
    assert_eq!(json["envelope"]["sender"], "a@sender.example");
}

#[test]
fn a_list_can_be_cut_and_a_mail_deleted() {
    let Some(gateway) = with_deferred_mail() else { return };
    send(gateway.at("mx"), "<>", "c@own.example");
    wait_deferred(&gateway, 2);
    let list = gateway.run(&["queue", "list"]).expect_content();
    assert!(list.starts_with("----Queue ID-----"), "{list}");
    assert!(list.contains("MAILER-DAEMON"), "{list}");
    assert!(list.ends_with("-- 0 Kbytes in 2 Requests.\n"), "{list}");
    let one = gateway.run(&["queue", "list", "--json", "--limit", "1"]).expect_content();
    assert_eq!(one.lines().count(), 1, "{one}");
    let held = gateway.run(&["queue", "list", "--queue", "hold"]).expect_content();
    assert_eq!(held, "Mail queue is empty\n");
    let id = the_id(&gateway);
    let said = gateway.run(&["queue", "delete", "--json", &id]);
    assert_eq!(said.expect_content(), format!("{{\"changed\":{{\"id\":\"{id}\"}}}}\n"));
    let again = gateway.run(&["queue", "delete", &id]);
    assert_eq!(again.status, REFUSED, "{again:?}");
    assert_eq!(again.text, format!("mailweir: {id}: no such mail in the queue\n"));
    assert_eq!(gateway.queue().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deferred_goes_out_when_flushed_or_requeued() {
    for words in [&["queue", "flush"][..], &["queue", "requeue", "ALL"]] {
        let Some(plan) = Plan::new() else { return };
        let later = mailweir_tests::free_address().unwrap();
        let gateway = plan.mx().next_hop(later).start();
        send(gateway.at("mx"), "<a@sender.example>", "b@own.example");
        wait_deferred(&gateway, 1);
        let sink = Sink::start_at(later, Script::smtp()).await;
        let said = gateway.run(words).expect_content();
        assert!(said.contains("1 mail") || said.contains("1 deferred mail"), "{said}");
        let mail = sink.expect_one().await;
        assert_eq!(mail.recipients(), ["b@own.example"]);
        gateway.expect_empty_queue();
    }
}

#[test]
fn a_resting_queue_takes_the_same_commands() {
    let Some(mut gateway) = with_deferred_mail() else { return };
    gateway.stop();
    let id = the_id(&gateway);
    assert_eq!(gateway.run(&["queue", "hold", &id]).status, DONE);
    assert_eq!(gateway.queue()[0]["queue_name"], "hold");
    let shown = gateway.run(&["queue", "show", &id]).expect_content();
    assert!(shown.contains("held by the administrator"), "{shown}");
    assert_eq!(gateway.run(&["queue", "release", &id]).status, DONE);
    assert_eq!(gateway.run(&["queue", "requeue", &id]).status, DONE);
    assert_eq!(gateway.run(&["queue", "flush"]).status, DONE);
    gateway.start();
    assert_eq!(the_id(&gateway), id);
    gateway.stop();
    assert_eq!(gateway.run(&["queue", "delete", "ALL"]).status, DONE);
    assert_eq!(gateway.run(&["queue", "list"]).expect_content(), "Mail queue is empty\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_flushed_at_rest_goes_out_at_the_next_start() {
    let Some(plan) = Plan::new() else { return };
    let later = mailweir_tests::free_address().unwrap();
    let mut gateway = plan.mx().next_hop(later).start();
    send(gateway.at("mx"), "<a@sender.example>", "b@own.example");
    wait_deferred(&gateway, 1);
    gateway.stop();
    let said = gateway.run(&["queue", "flush"]).expect_content();
    assert!(said.contains("1 deferred mail"), "{said}");
    let sink = Sink::start_at(later, Script::smtp()).await;
    gateway.start();
    assert_eq!(sink.expect_one().await.recipients(), ["b@own.example"]);
    gateway.expect_empty_queue();
}

#[test]
fn a_mistyped_directory_is_no_empty_queue() {
    let nowhere = tempfile::tempdir().unwrap().path().join("typo");
    let words = ["queue", "list", "--data-dir", nowhere.to_str().unwrap()];
    let Some(said) = mailweir(&words) else { return };
    assert_eq!(said.status, REFUSED, "{said:?}");
    assert!(said.text.contains("there is no queue in "), "{said:?}");
    assert!(!nowhere.exists());
}

#[test]
fn users_are_added_listed_changed_and_deleted() {
    let Some(plan) = Plan::new() else { return };
    let gateway = plan.mx().install();
    let none = gateway.run(&["user", "list"]).expect_content();
    assert!(none.contains("no users"), "{none}");
    let add = ["user", "add", "alice@own.example"];
    assert_eq!(
        gateway.feed(&add, "correct horse\n").expect_content(),
        "mailweir: alice@own.example: added\n"
    );
    let again = gateway.feed(&add, "correct horse\n");
    assert_eq!(again.status, REFUSED, "{again:?}");
    assert!(again.text.contains("exists already"), "{again:?}");
    let short = gateway.feed(&["user", "add", "bob@own.example"], "short\n");
    assert_eq!(short.status, REFUSED, "{short:?}");
    assert!(short.text.contains("at least 8 characters"), "{short:?}");
    let changed = gateway.feed(&["user", "passwd", "alice@own.example"], "battery staple\n");
    assert_eq!(changed.status, DONE, "{changed:?}");
    let list = gateway.run(&["user", "list", "--json"]).expect_content();
    let user: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!(user["user"], "alice@own.example");
    let file = fs::read_to_string(gateway.data_dir().join("users")).unwrap();
    assert!(!file.contains("battery") && file.contains("$argon2id$"), "{file}");
    assert_eq!(gateway.run(&["user", "delete", "alice@own.example"]).status, DONE);
    let gone = gateway.run(&["user", "delete", "alice@own.example"]);
    assert_eq!(
        (gone.status, &*gone.text),
        (REFUSED, "mailweir: there is no user alice@own.example\n")
    );
}

#[test]
fn roles_are_given_taken_and_shown() {
    let Some(plan) = Plan::new() else { return };
    let gateway = plan.mx().user("alice@own.example", "correct horse").install();
    let role =
        |words: &[&str]| gateway.run(&[&["user", "role", "alice@own.example"], words].concat());
    assert_eq!(role(&[]).text, "mailweir: alice@own.example: no role, and so a sender\n");
    let given = role(&["--add", "moderator"]).expect_content();
    assert_eq!(given, "mailweir: alice@own.example: sender,moderator\n");
    let taken = role(&["--remove", "sender,moderator"]);
    assert_eq!(taken.status, REFUSED, "{taken:?}");
    assert!(taken.text.contains("user disable alice@own.example"), "{taken:?}");
    let set = role(&["--set", "auditor,help-desk", "--json"]).expect_content();
    let set: serde_json::Value = serde_json::from_str(&set).unwrap();
    assert_eq!(set["roles"], serde_json::json!(["auditor", "help-desk"]));
    assert_eq!(role(&["--add", "root"]).status, WRONG_WORDS);
    assert_eq!(role(&["--set", "auditor", "--add", "moderator"]).status, WRONG_WORDS);
    let list = gateway.run(&["user", "list"]).expect_content();
    assert!(list.trim_end().ends_with("ARGON2ID  auditor,help-desk"), "{list}");
}

#[test]
fn app_passwords_are_shown_once_listed_and_deleted() {
    let Some(plan) = Plan::new() else { return };
    let gateway = plan.mx().install();
    let user = |words: &[&str]| gateway.run(&[&["user"], words].concat());
    let name = "printer@own.example";
    let _ = user(&["add", name, "--no-password"]).expect_content();
    let add = ["app-password", "add", name, "--label", "hall"];
    let limits = [
        "--sender",
        "scan@own.example",
        "--sender",
        "@shop.example",
        "--listener",
        "mx",
        "--network",
        "192.0.2.0/24",
        "--network",
        "2001:db8::/32",
        "--expires",
        "2030-12-31",
    ];
    let shown = user(&[&add[..], &limits].concat()).expect_content();
    let secret = shown.lines().nth(1).unwrap();
    let is_plain = |c: char| c == '-' || c.is_ascii_lowercase() || c.is_ascii_digit();
    assert!(secret.len() == 39 && secret.chars().all(is_plain), "{shown}");
    let file = fs::read_to_string(gateway.data_dir().join("users")).unwrap();
    assert!(file.contains("app=hall {SHA256}") && !file.contains(secret), "{file}");
    let list = user(&["app-password", "list", name]).expect_content();
    assert!(list.starts_with("hall ") && list.contains("  expires 2030-12-31"), "{list}");
    let json = user(&["app-password", "list", name, "--json"]).expect_content();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["senders"], serde_json::json!(["scan@own.example", "@shop.example"]));
    assert_eq!(json["networks"], serde_json::json!(["192.0.2.0/24", "2001:db8::/32"]));
    assert_eq!(json["listeners"], serde_json::json!(["mx"]));
    let users = user(&["list"]).expect_content();
    assert!(users.trim_end().ends_with(" -  1 app password"), "{users}");
    assert!(user(&add).text.contains("has an app password hall already"));
    let typo = user(&["app-password", "add", name, "--label", "x", "--listener", "sub"]);
    assert!(typo.status == REFUSED && typo.text.contains("there are mx"), "{typo:?}");
    let odd = user(&["app-password", "add", name, "--label", "x", "--expires", "soon"]);
    assert_eq!(odd.status, WRONG_WORDS, "{odd:?}");
    assert_eq!(user(&["app-password", "delete", name, "hall"]).status, DONE);
    let gone = user(&["app-password", "delete", name, "hall"]);
    assert!(gone.status == REFUSED && gone.text.contains("has no app password hall"), "{gone:?}");
}

#[test]
fn a_disabled_user_keeps_everything() {
    let Some(plan) = Plan::new() else { return };
    let gateway = plan.mx().user("alice@own.example", "correct horse").install();
    let file = || fs::read_to_string(gateway.data_dir().join("users")).unwrap();
    let before = file();
    let done = gateway.run(&["user", "disable", "alice@own.example"]).expect_content();
    assert_eq!(done, "mailweir: alice@own.example: disabled\n");
    let list = gateway.run(&["user", "list"]).expect_content();
    assert!(list.trim_end().ends_with("ARGON2ID  disabled"), "{list}");
    let list = gateway.run(&["user", "list", "--json"]).expect_content();
    let user: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!(user["disabled"], true);
    assert_eq!(gateway.run(&["user", "enable", "alice@own.example"]).status, DONE);
    assert_eq!(file(), before);
    assert_eq!(gateway.run(&["user", "disable", "nobody"]).status, REFUSED);
}

#[test]
fn what_does_not_count_in_the_users_file_is_said_when_it_is_listed_and_at_the_start() {
    let Some(plan) = Plan::new() else { return };
    let mut gateway = plan.mx().user("bob", "correct horse").install();
    fs::write(gateway.data_dir().join("users"), "# ours\nann::role=auditor,root\n").unwrap();
    let list = gateway.run(&["user", "list"]).expect_content();
    assert!(list.contains("warning: users file: line 2: a role is unknown"), "{list}");
    gateway.start();
    let line = gateway.expect_log("line 2: a role is unknown");
    assert!(line.contains("warning: users file /"), "{line}");
}

#[test]
fn rescue_saves_what_is_whole_and_names_what_is_not() {
    let Some(mut gateway) = with_deferred_mail() else { return };
    send_large(gateway.at("mx"));
    wait_deferred(&gateway, 2);
    let (data, out) = (gateway.data_dir(), gateway.path("saved"));
    let words = ["rescue", data.to_str().unwrap(), out.to_str().unwrap()];
    let refused = mailweir(&words).unwrap();
    assert_eq!(refused.status, REFUSED, "{refused:?}");
    assert!(refused.text.contains("another instance uses the queue"), "{refused:?}");
    gateway.stop();
    let spooled = files_below(&data.join("queue/spool"));
    assert_eq!(spooled.len(), 1, "{spooled:?}");
    fs::write(&spooled[0], "not what was accepted").unwrap();
    let said = mailweir(&words).unwrap();
    assert!(said.text.contains("     1  whole, in "), "{said:?}");
    assert!(said.text.contains("     1  doubtful: "), "{said:?}");
    let saved = files_below(&out);
    assert_eq!(saved.len(), 4, "{saved:?}");
    let hello = saved
        .iter()
        .filter(|file| fs::read(file).unwrap().ends_with(b"Subject: hello\r\n\r\nhello\r\n"));
    assert_eq!(hello.count(), 1, "{saved:?}");
}

#[test]
fn sighup_with_a_bad_file_keeps_the_old_one() {
    let Some(gateway) = with_deferred_mail() else { return };
    let good = fs::read_to_string(gateway.config()).unwrap();
    gateway.configure(&good.replace("mode = \"mx\"", "mode = \"mxx\""));
    gateway.signal(Signal::HUP);
    let line = gateway.expect_log("configuration not reloaded, the old one stays in force");
    let mistake = "listener[0].mode: \"mxx\" is not allowed; did you mean \"mx\"?";
    assert!(line.ends_with(mistake), "{line}");
    send(gateway.at("mx"), "<a@sender.example>", "c@own.example");
    gateway.configure(&good.replace("relay = [\"own.example\"]", "relay = [\"new.example\"]"));
    gateway.signal(Signal::HUP);
    let _ = gateway.expect_log("configuration reloaded");
    send(gateway.at("mx"), "<a@sender.example>", "d@new.example");
}

#[test]
fn sigterm_ends_with_status_zero_and_keeps_the_mail() {
    let Some(mut gateway) = with_deferred_mail() else { return };
    let id = the_id(&gateway);
    gateway.stop();
    let _ = gateway.expect_log("stopped");
    assert_eq!(the_id(&gateway), id);
}

#[test]
fn a_second_instance_is_refused_in_words() {
    let Some(gateway) = with_deferred_mail() else { return };
    let said = gateway.run(&["serve"]);
    assert_eq!(said.status, REFUSED, "{said:?}");
    let sentence = "mailweir: another instance uses the queue in ";
    assert!(said.text.lines().any(|line| line.starts_with(sentence)), "{said:?}");
    assert_eq!(gateway.queue().len(), 1, "the first one is unharmed");
}

#[test]
fn the_admin_listener_answers_probes_and_counts() {
    let Some(plan) = Plan::new() else { return };
    let gateway = plan.mx().next_hop(NOWHERE).with_admin().start();
    assert!(get(gateway.admin(), "/livez").starts_with("HTTP/1.1 200 OK"));
    let ready = get(gateway.admin(), "/readyz");
    assert!(ready.starts_with("HTTP/1.1 200 OK") && ready.contains("\"ready\":true"), "{ready}");
    send(gateway.at("mx"), "<a@sender.example>", "b@own.example");
    let metrics = get(gateway.admin(), "/metrics");
    assert!(metrics.contains("\npostfix_cleanup_messages_processed_total 1\n"), "{metrics}");
    assert!(metrics.contains("\nmailweir_build_info{version="), "{metrics}");
}

/// One test, since the ports of the demo are the same every time.
#[test]
fn the_demo_shows_itself_and_ends() {
    let Some(binary) = program::require() else { return };
    for port in [2525, 2587, 2465, 8025] {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            mailweir_tests::tools::skip("a port of the demo is in use");
            return;
        }
    }
    let place = tempfile::tempdir().unwrap();
    let output = place.path().join("output");
    let file = fs::File::create(&output).unwrap();
    let mut child = Command::new(binary)
        .arg("demo")
        .stdin(Stdio::null())
        .stderr(file.try_clone().unwrap())
        .stdout(file)
        .spawn()
        .unwrap();
    let text = || fs::read_to_string(&output).unwrap();
    // Four samples, and two notices about the fifth.
    let arrived =
        wait::within(wait::PATIENCE, || (text().matches(": removed").count() == 6).then_some(()));
    let waiting = text();
    let approved = command_for(&waiting, " moderation approve ").map(|words| {
        let said = feed(Command::new(&words[0]).args(&words[1..]), "").unwrap();
        let sent = "to customer@example.net: Our offer for a new weir";
        wait::within(wait::PATIENCE, || text().contains(sent).then_some(())).map(|()| said)
    });
    let ended = Pid::from_raw(child.id().cast_signed())
        .map(|id| kill_process(id, Signal::TERM).map(|()| child.wait().unwrap()));
    let text = text();
    assert!(arrived.is_some(), "four samples and two notices:\n{text}");
    assert!(approved.flatten().is_some_and(|said| said.text.ends_with(": done\n")), "{text}");
    assert!(ended.unwrap().unwrap().success(), "{text}");
    for words in ["swaks --server 127.0.0.1:2587", "queue list --data-dir", "127.0.0.1:2465"] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
    assert_eq!(
        waiting.matches("\nsink: link for bob@demo.example: http://127.0.0.1:8025/m/").count(),
        1
    );
    assert!(!waiting.contains("customer@example.net: Our offer"), "it was not held:\n{text}");
    assert!(text.contains("견적서를 보내 드립니다"), "{text}");
}

/// The words of the command with this in it, as the demo prints it.
fn command_for(text: &str, part: &str) -> Option<Vec<String>> {
    let line = text.lines().find(|line| line.starts_with("  ") && line.contains(part))?;
    Some(line.split_whitespace().map(str::to_owned).collect())
}

/// Runs `mailweir` without a configuration; `None` if there is none to run.
fn mailweir(words: &[&str]) -> Option<Said> {
    Some(feed(Command::new(program::require()?).args(words), "").unwrap())
}

/// A gateway whose next hop is down, with one deferred mail.
fn with_deferred_mail() -> Option<Installation> {
    let gateway = Plan::new()?.mx().next_hop(NOWHERE).start();
    send(gateway.at("mx"), "<a@sender.example>", "b@own.example");
    wait_deferred(&gateway, 1);
    Some(gateway)
}

/// Permissions do not bind root, so root gives up what lets it pass them.
#[test]
fn a_read_only_data_directory_is_said_in_words_and_left_alone_j10() {
    let Some(plan) = Plan::new() else { return };
    let mut gateway = plan.mx().start();
    gateway.stop();
    let queue = gateway.data_dir().join("queue");
    let open = fs::metadata(&queue).unwrap().permissions();
    for path in [queue.join("lock"), queue.clone()] {
        let mut read_only = fs::metadata(&path).unwrap().permissions();
        read_only.set_readonly(true);
        fs::set_permissions(path, read_only).unwrap();
    }
    let mut command = if rustix::process::geteuid().is_root() {
        let mut bound = Command::new("setpriv");
        bound.arg("--bounding-set=-dac_override,-dac_read_search");
        bound.arg("--inh-caps=-dac_override,-dac_read_search").arg(gateway.binary());
        bound
    } else {
        Command::new(gateway.binary())
    };
    command.arg("serve").arg("-c").arg(gateway.config());
    let said = feed(&mut command, "").unwrap();
    assert_eq!(said.status, REFUSED, "{said:?}");
    let words = format!("cannot use the queue directory {}", queue.display());
    assert!(said.text.contains(&words) && said.text.contains("Permission denied"), "{said:?}");
    fs::set_permissions(&queue, open).unwrap();
}

fn wait_deferred(gateway: &Installation, mails: usize) {
    wait::until("deferred mail", wait::PATIENCE, || {
        let queue = gateway.queue();
        let deferred = |mail: &&serde_json::Value| {
            mail["queue_name"] == "deferred" && mail["recipients"][0]["delay_reason"].is_string()
        };
        (queue.iter().filter(deferred).count() == mails).then_some(())
    });
}

fn the_id(gateway: &Installation) -> String {
    gateway.queue()[0]["queue_id"].as_str().unwrap().to_owned()
}

fn send(server: SocketAddr, sender: &str, recipient: &str) {
    transact(server, sender, recipient, "Subject: hello\r\n\r\nhello\r\n");
}

/// Larger than what the store keeps itself.
fn send_large(server: SocketAddr) {
    let content = format!("Subject: large\r\n\r\n{}", "0123456789\r\n".repeat(10_000));
    transact(server, "<a@sender.example>", "b@own.example", &content);
}

fn transact(server: SocketAddr, sender: &str, recipient: &str, content: &str) {
    let mut stream = TcpStream::connect(server).unwrap();
    expect(&mut stream, "220 ");
    let envelope = format!("MAIL FROM:{sender}\r\nRCPT TO:<{recipient}>\r\nDATA\r\n");
    let content = format!("{content}.\r\n");
    for (words, answer) in [
        ("EHLO client.example\r\n", "250 "),
        (&envelope, "354 "),
        (&content, "250 2.0.0 Ok: queued as "),
        ("QUIT\r\n", "221 "),
    ] {
        stream.write_all(words.as_bytes()).unwrap();
        expect(&mut stream, answer);
    }
}

/// Reads until a line begins like this.
fn expect(stream: &mut TcpStream, beginning: &str) {
    stream.set_read_timeout(Some(wait::PATIENCE)).unwrap();
    let (mut said, mut buffer) = (String::new(), [0; 4096]);
    while !said.ends_with('\n') || !said.lines().any(|line| line.starts_with(beginning)) {
        let length = stream.read(&mut buffer).unwrap();
        assert!(length > 0, "{beginning}: {said}");
        said.push_str(&String::from_utf8_lossy(&buffer[..length]));
        let refused = |line: &str| line.starts_with(['4', '5']);
        assert!(!said.lines().any(refused), "{beginning}: {said}");
    }
}

fn get(server: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(server).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn files_below(place: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| match entry.path() {
            path if path.is_dir() => files_below(&path),
            path => vec![path],
        })
        .collect()
}

/// The discard port, where nobody listens.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9);
