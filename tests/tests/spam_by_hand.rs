//! The spam checks as an administrator teaches them: `mailweir spam`, beside a gateway that runs and without one.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
};

use mailweir_tests::installation::{Installation, Plan};
use rustix::process::Signal;
use serde_json::Value;

const REFUSED: Option<i32> = Some(1);
const WRONG_WORDS: Option<i32> = Some(64);
const BAD_CONFIGURATION: Option<i32> = Some(78);

#[test]
fn a_gateway_that_runs_learns_from_folders_and_knows_it_after_a_restart() {
    let Some(plan) = Plan::new() else { return };
    let mut gateway = plan.mx().next_hop(NOWHERE).section("[spam]\nenabled = true").start();
    collect(&gateway.path("good"), GOOD);
    collect(&gateway.path("bad"), BAD);
    let said = gateway.run(&["spam", "status"]).expect_content();
    assert!(said.contains("no mail is judged yet: that needs 200 mails of each"), "{said}");
    assert!(said.contains("nothing was learned yet"), "{said}");
    let said = learn(&gateway, "--ham", "good");
    assert!(said.contains("learned 203 ham\n"), "{said}");
    let said = learn(&gateway, "--spam", "bad");
    assert!(said.contains("learned 203 spam\n"), "{said}");
    let said = learn(&gateway, "--ham", "good");
    assert!(said.contains("learned 0 ham, 203 known already\n"), "{said}");
    let _ = gateway.expect_log("classifier: 203 mails learned as ham (");
    let before = status(&gateway);
    assert_eq!((&before["ham"], &before["spam"]), (&203.into(), &203.into()), "{before}");
    assert_eq!(before["is_trained"], true, "{before}");
    assert!(before["since"].is_number() || before["since"].is_string(), "{before}");

    // What was told is on the disk: a gateway that is killed has it too.
    gateway.kill();
    gateway.start();
    assert_eq!(status(&gateway)["ham"], 203);
    let text =
        gateway.feed(&["spam", "check", "-"], &mail("lottery winner claim")).expect_content();
    assert!(text.contains("likely spam") && text.contains("for spam:"), "{text}");
    assert!(text.contains("BAYES_SURE_SPAM"), "{text}");
    let judged = check(&gateway, &mail("lottery winner claim"));
    assert!(judged["classifier"]["probability"].as_f64().unwrap() > 0.9, "{judged}");
    assert!(adds(&judged, "BAYES_SURE_SPAM").unwrap() > 0.0, "{judged}");
    let judged = check(&gateway, &mail("meeting agenda minutes"));
    assert!(judged["classifier"]["probability"].as_f64().unwrap() < 0.1, "{judged}");
    assert!(adds(&judged, "BAYES_SURE_HAM").unwrap() < 0.0, "{judged}");

    gateway.stop();
    let after = status(&gateway);
    assert_eq!((&after["ham"], &after["tokens"]), (&203.into(), &before["tokens"]));
    assert_eq!(after["since"], before["since"]);
    let judged = check(&gateway, &mail("lottery winner claim"));
    assert!(adds(&judged, "BAYES_SURE_SPAM").unwrap() > 0.0, "{judged}");
}

#[test]
fn what_was_learned_wrongly_is_put_right_and_what_is_taken_back_is_new_again() {
    let Some(plan) = Plan::new() else { return };
    let gateway = plan.mx().section("[spam]\nenabled = true").install();
    fs::create_dir_all(gateway.data_dir()).unwrap();
    let one = mail("one of a kind");
    let learn = |class: &str| gateway.feed(&["spam", "learn", class, "-"], &one).expect_content();
    assert!(learn("--ham").contains("learned 1 ham\n"));
    let judged = &check(&gateway, &one)["classifier"];
    assert_eq!((&judged["learned"], &judged["is_trained"]), (&"ham".into(), &false.into()));
    assert!(learn("--spam").contains("learned 1 spam, 1 of them known as the other\n"));
    let counts = status(&gateway);
    assert_eq!((&counts["ham"], &counts["spam"]), (&0.into(), &1.into()), "{counts}");
    let forget = || gateway.feed(&["spam", "forget", "-"], &one).expect_content();
    assert!(forget().contains("forgot 1 mail\n"));
    assert!(forget().contains("forgot 0 mails, 1 not known\n"));
    assert!(learn("--spam").contains("learned 1 spam\n"));
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_learned() {
    let Some(plan) = Plan::new() else { return };
    let gateway = plan.mx().section("[spam]\nenabled = true").install();
    fs::create_dir_all(gateway.path("data")).unwrap();
    let folder = gateway.path("mails");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("a"), mail("one")).unwrap();
    fs::write(folder.join("empty"), "").unwrap();
    fs::write(folder.join("notes.json"), "{}").unwrap();
    let path = folder.display().to_string();
    let said = gateway.run(&["spam", "learn", "--spam", &path, "--json"]);
    assert_eq!(said.status, REFUSED, "{said:?}");
    let empty = format!("{}: the file is empty", folder.join("empty").display());
    assert!(said.text.contains(&empty), "{}", said.text);
    let summary = said.text.lines().next().unwrap();
    let summary: Value = serde_json::from_str(summary).unwrap();
    assert_eq!((&summary["changed"], &summary["unreadable"]), (&1.into(), &2.into()));
    let said = gateway.feed(&["spam", "learn", "--spam", "-"], "");
    assert!(said.text.contains("standard input: the file is empty"), "{said:?}");
    for words in [
        &["spam", "learn", "x"][..],
        &["spam", "learn", "--ham", "--spam", "x"],
        &["spam", "learn", "--ham"],
    ] {
        assert_eq!(gateway.run(words).status, WRONG_WORDS, "{words:?}");
    }
    let said = gateway.run(&["spam", "check", "/no/such/mail"]);
    assert!(said.status == REFUSED && said.text.contains("/no/such/mail"), "{said:?}");
}

#[test]
fn a_damaged_file_stops_no_gateway_and_says_what_to_do() {
    let Some(plan) = Plan::new() else { return };
    let mut gateway = plan.mx().next_hop(NOWHERE).section("[spam]\nenabled = true").install();
    fs::create_dir_all(gateway.path("data/spam")).unwrap();
    let file = gateway.path("data/spam/classifier");
    fs::write(&file, "something else").unwrap();
    gateway.start();
    let warned = gateway.expect_log("classifier: ");
    let what_to_do = "move the file away, and teach anew by `mailweir spam learn`";
    assert!(warned.contains(what_to_do), "{warned}");
    let said = gateway.feed(&["spam", "learn", "--ham", "-"], &mail("x"));
    assert!(said.status == REFUSED && said.text.contains(what_to_do), "{said:?}");
    assert!(status(&gateway)["trouble"].as_str().unwrap().contains(what_to_do));
    // The rest of the score does not need it.
    let judged = check(&gateway, &mail(LINK));
    assert!(judged["classifier"]["trouble"].as_str().unwrap().contains(what_to_do), "{judged}");
    assert_eq!(adds(&judged, "URL_ADDRESS"), Some(2.0), "{judged}");
    fs::rename(&file, gateway.path("damaged")).unwrap();
    let said = gateway.feed(&["spam", "learn", "--ham", "-"], &mail("x")).expect_content();
    assert!(said.contains("learned 1 ham"), "{said}");
    assert_eq!(status(&gateway)["ham"], 1);
}

#[test]
fn where_nothing_is_judged_nothing_is_learned_beside_a_gateway_that_runs() {
    let Some(plan) = Plan::new() else { return };
    let gateway = plan.mx().next_hop(NOWHERE).start();
    let said = gateway.feed(&["spam", "learn", "--ham", "-"], &mail("x"));
    assert!(said.status == REFUSED && said.text.contains("spam.enabled is not set"), "{said:?}");
    assert!(!gateway.path("data/spam").exists());
}

#[test]
fn a_score_is_explained_by_the_weights_of_the_gateway_that_runs() {
    let Some(plan) = Plan::new() else { return };
    let mut gateway = weighing(plan.mx().next_hop(NOWHERE));
    let weigh = |file: &str| fs::write(gateway.path(WEIGHTS), file).unwrap();
    weigh("[symbol.URL_ADDRESS]\nweight = 2.3");
    // Without a gateway that runs it is the file that counts.
    let judged = check(&gateway, &mail(LINK));
    assert_eq!(adds(&judged, "URL_ADDRESS"), Some(2.3), "{judged}");
    assert_eq!(judged["weights"], "configuration", "{judged}");
    assert!(!gateway.data_dir().exists(), "asked for an opinion, it makes nothing");
    gateway.start();
    fs::write(gateway.path(WEIGHTS), "[symbol.URL_ADDRESS]\nweight = 2.7").unwrap();
    assert_eq!(adds(&check(&gateway, &mail(LINK)), "URL_ADDRESS"), Some(2.3));
    gateway.signal(Signal::HUP);
    let _ = gateway.expect_log("configuration reloaded");
    let judged = check(&gateway, &mail(LINK));
    assert_eq!(adds(&judged, "URL_ADDRESS"), Some(2.7), "{judged}");
    let symbols = judged["symbols"].as_array().unwrap();
    let sum: f64 = symbols.iter().map(|symbol| symbol["adds"].as_f64().unwrap()).sum();
    assert!((judged["score"].as_f64().unwrap() - sum).abs() < 0.01, "{judged}");
    assert_eq!(judged["action"], "tag", "{judged}");

    let text = gateway.feed(&["spam", "check", "-"], &mail(LINK)).expect_content();
    for words in [
        "points  symbol              what it means [what was seen]\n",
        "   2.7  URL_ADDRESS         A link leads to an address instead of a name.\n",
        "[192.0.2.1]\n",
        "   5.7  tag: by its content alone it goes on, marked.",
        "classifier:  has not learned enough to judge",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn who_is_ours_is_known_and_what_weighs_is_built_in_where_no_mail_is_looked_at() {
    let Some(plan) = Plan::new() else { return };
    let mut gateway = plan.mx().next_hop(NOWHERE).install();
    let forged = mail(LINK).replace("<a@far.example>", "\"Kim kim@own.example\" <a@far.example>");
    for _ in ["without a gateway", "beside one"] {
        let judged = check(&gateway, &forged);
        assert!(adds(&judged, "FROM_NAME_SPOOFS_DOMAIN").is_some(), "{judged}");
        assert_eq!((&judged["weights"], &judged["from"]["tag"]), (&"program".into(), &5.0.into()));
        if !gateway.data_dir().join("control.sock").exists() {
            gateway.start();
        }
    }
    let said = gateway.feed(&["spam", "check", "-"], &forged).expect_content();
    assert!(said.contains("spam.enabled is not set"), "{said}");
    assert!(said.contains("those built in"), "{said}");
    assert!(!gateway.path("data/spam").exists());
    // A directory that no configuration names.
    let elsewhere = gateway.path("elsewhere").display().to_string();
    let no_file = gateway.path("no.toml").display().to_string();
    let words = ["spam", "symbols", "--data-dir", &elsewhere, "-c", &no_file];
    let said = Command::new(gateway.binary()).args(words).output().unwrap();
    let text = String::from_utf8(said.stdout).unwrap();
    assert!(said.status.success() && text.contains("those built in"), "{text}");
}

#[test]
fn all_symbols_are_listed_with_what_they_weigh() {
    let Some(plan) = Plan::new() else { return };
    let mut gateway = weighing(plan.mx().next_hop(NOWHERE));
    let file = "[symbol.HTML_FORM]\nweight = 2.5\n[symbol.ARCHIVE_ENCRYPTED]\non = false";
    fs::write(gateway.path(WEIGHTS), file).unwrap();
    let symbols = |words: &[&str]| gateway.run(&[&["spam", "symbols"], words].concat());
    let text = symbols(&[]).expect_content();
    for words in [
        "\ntext: HTML and text",
        "  *2.5  HTML_FORM ",
        "  *off  ARCHIVE_ENCRYPTED ",
        " symbols, 2 are changed (*), 1 is off.\n",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let told: Value = serde_json::from_str(&symbols(&["--json"]).expect_content()).unwrap();
    let groups = told["symbols"]["groups"].as_array().unwrap().iter();
    let all = groups.flat_map(|group| group["symbols"].as_array().unwrap());
    let form = all.clone().find(|symbol| symbol["symbol"] == "HTML_FORM").unwrap();
    assert_eq!((&form["weight"], &form["built_in"]["group"]), (&2.5.into(), &"text".into()));
    assert_eq!(all.filter(|symbol| symbol["on"] == false).count(), 1);
    // A mistake says where it is.
    fs::write(gateway.path(WEIGHTS), "[symbol.HTML_FROM]\nweight = 2.5").unwrap();
    let said = symbols(&[]);
    assert!(said.status == BAD_CONFIGURATION && said.text.contains("line 1"), "{said:?}");
    // A gateway that runs has what it began with.
    fs::write(gateway.path(WEIGHTS), file).unwrap();
    gateway.start();
    assert_eq!(gateway.run(&["spam", "symbols"]).expect_content(), text);
}

#[test]
fn quarantined_mail_is_listed_shown_released_and_deleted() {
    let Some(plan) = Plan::new() else { return };
    let gateway = plan.mx().next_hop(NOWHERE).section("[spam]\nenabled = true").start();
    let [one, two] = ["first\x1b[2J offer", "second offer"].map(|text| hold(&gateway, text));
    let list = || gateway.run(&["quarantine", "list"]).expect_content();
    let listed = list();
    assert!(listed.contains(&one) && listed.contains("a@far.example -> b@own.example"), "{listed}");
    assert!(listed.contains("it looks odd") && listed.contains("-- 2 mails."), "{listed}");
    let shown = gateway.run(&["quarantine", "show", &one]).expect_content();
    for words in ["why:         quarantine: it looks odd", "Subject: hello", "first", "*** END ***"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(!shown.contains('\x1b'), "{shown:?}");
    let said = gateway.run(&["quarantine", "release", &one]).expect_content();
    assert!(said.contains(&format!("{one}: released, and learned as ham\n")), "{said}");
    let said = gateway.run(&["quarantine", "release", &one]);
    assert!(said.status == REFUSED && said.text.contains("not in quarantine"), "{said:?}");
    let said = gateway.run(&["quarantine", "delete", "--json", &two]).expect_content();
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["decided"]["learned"]["as"], "spam", "{said}");
    assert_eq!(list(), "Quarantine is empty\n");
    let learned = status(&gateway);
    assert_eq!((&learned["ham"], &learned["spam"]), (&1.into(), &1.into()));
}

/// Has a mail come and wait in quarantine, and returns its id.
fn hold(gateway: &Installation, text: &str) -> String {
    let mut server = BufReader::new(TcpStream::connect(gateway.at("mx")).unwrap());
    let content = mail(text).replace('\n', "\r\n");
    let envelope = "MAIL FROM:<a@far.example>\r\nRCPT TO:<b@own.example>\r\nDATA\r\n";
    let content = format!("{content}.\r\n");
    let mut said = String::new();
    for (words, answer) in [
        ("", "220 "),
        ("EHLO client.example\r\n", "250 "),
        (envelope, "354 "),
        (&content, "250 2.0.0 "),
    ] {
        server.get_mut().write_all(words.as_bytes()).unwrap();
        said.clear();
        while !said.starts_with(answer) {
            said.clear();
            assert!(server.read_line(&mut said).unwrap() > 0, "{answer} does not come");
        }
    }
    let id = said.trim().rsplit(' ').next().unwrap().to_owned();
    let _ = gateway.expect_log(&format!("{id}: to=<b@own.example>"));
    let _ = gateway
        .run(&["queue", "hold", &id, "--reason", "quarantine: it looks odd"])
        .expect_content();
    id
}

/// Mails as people have them: in files, in a mailbox, in a Maildir.
fn collect(folder: &Path, words: &str) {
    fs::create_dir_all(folder.join("files/more")).unwrap();
    fs::create_dir_all(folder.join("dir/new")).unwrap();
    fs::create_dir_all(folder.join("dir/cur")).unwrap();
    for number in 0..100 {
        let mail = numbered(words, number);
        fs::write(folder.join(format!("files/more/{number:05}.7c53336b")), mail).unwrap();
    }
    let mut mailbox = String::new();
    for number in 100..200 {
        mailbox += &format!("{BEGIN}{}\n", numbered(words, number));
    }
    fs::write(folder.join("old mail"), mailbox).unwrap();
    for number in 200..203 {
        fs::write(folder.join(format!("dir/cur/{number}:2,S")), numbered(words, number)).unwrap();
    }
}

fn numbered(words: &str, number: usize) -> String {
    let letter = |digit: u8| char::from(b'a' + digit - b'0');
    let word: String = number.to_string().bytes().map(letter).collect();
    mail(&format!("{words} {word}{word}"))
}

fn mail(text: &str) -> String {
    format!("From: <a@far.example>\nTo: <b@own.example>\nSubject: hello\n\n{text}\n")
}

fn learn(gateway: &Installation, class: &str, folder: &str) -> String {
    let path = gateway.path(folder).display().to_string();
    gateway.run(&["spam", "learn", class, &path]).expect_content()
}

fn status(gateway: &Installation) -> Value {
    let text = gateway.run(&["spam", "status", "--json"]).expect_content();
    serde_json::from_str::<Value>(&text).unwrap()["status"].take()
}

fn check(gateway: &Installation, mail: &str) -> Value {
    let text = gateway.feed(&["spam", "check", "-", "--json"], mail).expect_content();
    serde_json::from_str::<Value>(&text).unwrap()["judged"].take()
}

/// An installation that weighs by a file, which is yet to be written.
fn weighing(plan: Plan) -> Installation {
    let installation = plan.section("[spam]\nenabled = true").install();
    let text = fs::read_to_string(installation.config()).unwrap();
    let file = installation.path(WEIGHTS).display().to_string();
    installation.configure(&text.replace("[spam]", &format!("[spam]\nweights_file = {file:?}")));
    installation
}

/// What a symbol adds.
fn adds(judged: &Value, symbol: &str) -> Option<f64> {
    let symbols = judged["symbols"].as_array().unwrap();
    symbols.iter().find(|it| it["symbol"] == symbol).map(|it| it["adds"].as_f64().unwrap())
}

/// Adds something wherever it is looked at.
const LINK: &str = "see http://192.0.2.1/";

const WEIGHTS: &str = "weights.toml";

const GOOD: &str = "meeting agenda minutes";

const BAD: &str = "lottery winner claim";

const BEGIN: &str = "From x@y.example Fri Nov 20 21:30:05 2026\n";

/// Nobody listens there.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9);
