//! What was archived is found: in every script, by who got it, by nobody who may not; and whatever becomes of the
//! index, it is there again. Row A3 of the mission.

use std::{fs, path::Path, process::Command};

use mailweir::{
    archiving::{FindError, Finder, Sight, search_files, words::Ask},
    control::{
        self,
        operation::{Answer, Operation, Request},
    },
};
use mailweir_archive::frame::Seq;
use mailweir_mail::QueueId;
use mailweir_search::index::Page;
use mailweir_tests::{
    gateway::{Archive, Gateway, Mail, Setup, USER, USER_PASSWORD, mail, mail_to},
    program,
    sink::{Script, Sink},
    wait,
};

#[tokio::test]
async fn a3_mail_is_found_by_its_words_in_every_script() {
    let Some((gateway, archive, _sink)) = start().await else { return };
    let mails = [
        (
            "견적서 송부",
            "요청하신 견적서를 첨부하여 보내드립니다.",
            ["견적", "첨부하", "subject:송부"],
        ),
        ("見積書の件", "御請求書を送付いたします。", ["見積", "請求書", "text:送付"]),
        (
            "Réunion annulée",
            "L'été dernier, le café était prêt.",
            ["reunion", "\"le café\"", "text:ete"],
        ),
    ];
    for (subject, text, queries) in mails {
        let content = format!("Subject: {subject}\r\nTo: user@local.example\r\n\r\n{text}\r\n");
        let id = gateway.accept(mail_to("user").content(content)).await;
        let seq = archived(&archive, id).await;
        for query in queries {
            expect_found(&gateway, query, &[seq]).await;
        }
    }
    expect_found(&gateway, "견적 OR 見積 OR reunion", &[5, 3, 1]).await;
    assert_eq!(gateway.finder().lag().making, None);
}

#[tokio::test]
async fn who_got_a_mail_as_bcc_is_found_by_who_may_and_by_themselves() {
    let sink = Sink::start(Script::smtp()).await;
    let archive = Archive::new();
    if program::require().is_none() {
        return;
    }
    let submission = "mode = \"submission\"\ntls = \"none\"\nauth_in_clear = true";
    let setup = Setup::before(&sink).listener("submission", submission);
    let setup = setup.section("auth.senders", "policy = \"any\"");
    let gateway = Gateway::start(&setup.section("archive", &archive.section())).await;
    let mut ann = gateway.connect_to("submission").await;
    ann.greet().await;
    ann.log_in(USER, USER_PASSWORD, "235 2.7.0 *").await;
    let sent = mail()
        .from("ann@local.example")
        .to("them@far.example")
        .to("hidden@far.example")
        .content("To: Them <them@far.example>\r\nSubject: the offer\r\n\r\nHello.\r\n");
    let seq = archived(&archive, ann.send(&sent).await.expect_accepted()).await;
    expect_found(&gateway, "bcc:hidden@far.example", &[seq]).await;
    let own = |own: &str| Sight::Own(vec![own.to_owned()]);
    for (query, sight, found) in [
        ("hidden", Sight::WithBcc, true),
        ("to:hidden@far.example", Sight::WithBcc, false),
        ("offer", Sight::WithBcc, true),
        ("offer", own("hidden@far.example"), true),
        ("offer", own("them@far.example"), true),
        ("hidden", own("them@far.example"), false),
        ("offer", own("ann@local.example"), true),
        ("offer", own(USER), true),
        ("offer", own("other@far.example"), false),
        ("from:ann@local.example direction:out has:unread", Sight::WithBcc, false),
        ("from:ann@local.example direction:out -has:unread", Sight::WithBcc, true),
    ] {
        let seqs = search(&gateway.finder(), query, sight.clone()).await.unwrap();
        assert_eq!(!seqs.is_empty(), found, "{query} with {sight:?}");
    }
    let wrong = search(&gateway.finder(), "(offer", Sight::WithBcc).await.unwrap_err();
    assert!(matches!(wrong, FindError::Query(_)), "{wrong}");
}

#[tokio::test]
async fn members_of_a_list_find_themselves_and_not_the_others() {
    if program::require().is_none() {
        return;
    }
    let sink = Sink::start(Script::smtp()).await;
    let archive = Archive::new();
    let aliases = "virtual_alias_maps = [\"inline:{ {team@local.example = user@local.example, \
                   other@local.example} {secret@local.example = user@local.example} }\"]";
    let setup = Setup::before(&sink).section("rewriting", aliases);
    let gateway = Gateway::start(&setup.section("archive", &archive.section())).await;
    let content = "To: Team <team@local.example>\r\nSubject: lunch\r\n\r\nx\r\n";
    let listed = archived(&archive, gateway.accept(mail_to("team").content(content)).await).await;
    let hidden = archived(&archive, gateway.accept(mail_to("secret").content(content)).await).await;
    expect_found(&gateway, "to:user@local.example", &[listed]).await;
    expect_found(&gateway, "bcc:user@local.example bcc:secret", &[hidden]).await;
    let own = |query: &'static str| {
        let sight = Sight::Own(vec!["user@local.example".to_owned()]);
        let finder = gateway.finder();
        async move { search(&finder, query, sight).await.unwrap() }
    };
    for (query, found) in [
        ("lunch", &[hidden, listed][..]),
        ("to:user", &[listed]),
        ("to:team@local.example to:user@local.example", &[listed]),
        ("bcc:user", &[hidden]),
        ("to:other", &[]),
        ("other@local.example", &[]),
        ("lunch -other", &[hidden, listed]),
        // The sender hid by which address they got it.
        ("bcc:secret", &[]),
        ("secret@local.example", &[]),
    ] {
        assert_eq!(own(query).await, found, "{query}");
    }
}

/// Whoever kills it: another one reads the next mail. What becomes of the mail that it was at, the tests of
/// the extraction show.
#[tokio::test]
async fn a_reader_that_is_killed_is_replaced() {
    let Some((gateway, archive, _sink)) = start().await else { return };
    let first = archived(&archive, gateway.accept(saying("first words")).await).await;
    expect_found(&gateway, "text:first", &[first]).await;
    kill_readers().await;
    let second = archived(&archive, gateway.accept(saying("second words")).await).await;
    expect_found(&gateway, "text:words", &[second, first]).await;
    expect_found(&gateway, "has:unread", &[]).await;
}

#[tokio::test]
async fn an_index_that_is_gone_or_useless_is_made_anew() {
    let Some((mut gateway, archive, _sink)) = start().await else { return };
    let one = archived(&archive, gateway.accept(saying("one thing")).await).await;
    let two = archived(&archive, gateway.accept(saying("another thing")).await).await;
    expect_found(&gateway, "text:thing", &[two, one]).await;
    let index = archive.directory().join("index");
    let changes: [(&str, &dyn Fn()); 4] = [
        ("", &|| fs::remove_dir_all(&index).unwrap()),
        ("the index is damaged", &|| truncate_segments(&index)),
        ("the index is of another version", &|| make_other_format(&index)),
        ("the index is damaged", &|| fs::write(index.join("meta.json"), "{").unwrap()),
    ];
    for (said, change) in changes {
        gateway.stop().await;
        change();
        gateway.start_again().await;
        if !said.is_empty() {
            gateway.log().expect(said).await;
        }
        expect_found(&gateway, "text:thing", &[two, one]).await;
        wait::until_true("one index", async || !archive.directory().join("index.new").exists())
            .await;
    }
    // None of that is seen by the archive.
    assert_eq!(archive.expect_sound(), 4);
}

#[tokio::test]
async fn an_index_of_another_archive_answers_nothing() {
    let Some((mut gateway, archive, _sink)) = start().await else { return };
    let Some((mut other_gateway, other, _other_sink)) = start().await else { return };
    // As long as the other: only what the records are tells them apart.
    let own = archived(&archive, gateway.accept(saying("our own")).await).await;
    let foreign = archived(&other, other_gateway.accept(saying("foreign")).await).await;
    assert_eq!(own, foreign);
    expect_found(&gateway, "text:own", &[own]).await;
    expect_found(&other_gateway, "text:foreign", &[foreign]).await;
    gateway.stop().await;
    other_gateway.stop().await;
    let index = archive.directory().join("index");
    fs::remove_dir_all(&index).unwrap();
    fs::rename(other.directory().join("index"), &index).unwrap();
    gateway.start_again().await;
    gateway.log().expect("the index is of another archive").await;
    expect_found(&gateway, "text:own", &[own]).await;
    assert_eq!(search(&gateway.finder(), "foreign", Sight::WithBcc).await.unwrap(), [0; 0]);
}

#[tokio::test]
async fn the_index_is_made_anew_on_request_while_the_old_one_answers() {
    let Some((mut gateway, archive, _sink)) = start().await else { return };
    let seq = archived(&archive, gateway.accept(saying("words")).await).await;
    expect_found(&gateway, "text:words", &[seq]).await;
    // It is searched before it is put in its place.
    let meta = archive.directory().join("index/meta.json");
    wait::until_true("the index", async || meta.exists()).await;
    let before = fs::read_to_string(&meta).unwrap();
    let mut made = None;
    let request = Request { by: "ann".into(), operation: Operation::Reindex };
    let tell = |answer| {
        if let Answer::Reindexing { done, all, is_made: true } = answer {
            made = Some((done, all));
        }
        Ok(())
    };
    assert!(control::ask_if_running(&gateway.store(), &request, tell).await.unwrap());
    let (done, all) = made.expect("that it was made");
    assert!(done >= seq && all >= done, "{done} of {all}");
    let after = fs::read_to_string(archive.directory().join("index/meta.json")).unwrap();
    assert_ne!(before, after);
    assert_eq!(search(&gateway.finder(), "text:words", Sight::WithBcc).await.unwrap(), [seq]);
    let next = archived(&archive, gateway.accept(saying("more words")).await).await;
    expect_found(&gateway, "text:words", &[next, seq]).await;
    gateway.stop().await;
    assert_eq!(in_files(&archive, "text:words"), [next, seq]);
}

/// Also what a server began and had no time for.
#[tokio::test]
async fn without_a_server_the_program_makes_the_index_itself() {
    let Some((mut gateway, archive, _sink)) = start().await else { return };
    let seq = archived(&archive, gateway.accept(saying("words")).await).await;
    expect_found(&gateway, "text:words", &[seq]).await;
    gateway.stop().await;
    let _ = fs::remove_dir_all(archive.directory().join("index"));
    let _ = fs::remove_dir_all(archive.directory().join("index.new"));
    assert!(matches!(
        search_files(&archive.directory(), "x", &Sight::WithBcc, &Page::default(), &|_, _| true),
        Err(FindError::Absent)
    ));
    let place = tempfile::tempdir().unwrap();
    let config = place.path().join("mailweir.toml");
    let data = place.path().join("data");
    let text = format!(
        "[server]\nhostname = \"gate.example\"\ndata_dir = {data:?}\n[archive]\n{}\n\
         [[listener]]\nname = \"mx\"\nmode = \"mx\"\nbind = [\"127.0.0.1:25\"]\n",
        archive.section()
    );
    fs::write(&config, text).unwrap();
    let mut command = Command::new(program::find().unwrap());
    let output = command.args(["archive", "reindex", "-c"]).arg(&config).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("the index was made anew, up to record 2"), "{said}");
    assert_eq!(in_files(&archive, "text:words"), [seq]);
    gateway.start_again().await;
    expect_found(&gateway, "text:words", &[seq]).await;
    gateway.log().expect_none("made anew");
    // While a server runs that has another data directory, it is not done behind its back.
    let mut command = Command::new(program::find().unwrap());
    let output = command.args(["archive", "reindex", "-c"]).arg(&config).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("another process"), "{said}");
}

#[tokio::test]
async fn erased_mail_is_found_no_more_and_its_words_are_gone() {
    let Some((mut gateway, archive, _sink)) = start().await else { return };
    let id = gateway.accept(saying("regrettable")).await;
    let erased = archived(&archive, id).await;
    let kept = archived(&archive, gateway.accept(saying("kept")).await).await;
    expect_found(&gateway, "text:regrettable OR text:kept", &[kept, erased]).await;
    let erase = Ask::Erase { ids: vec![id], reason: "request 7".into() };
    gateway.queue().ask_archive(erase).await;
    expect_found(&gateway, "text:regrettable OR text:kept", &[kept]).await;
    gateway.stop().await;
    assert_eq!(in_files(&archive, "regrettable"), [0; 0]);
    // Nor is it in an index that is made from the archive later.
    fs::remove_dir_all(archive.directory().join("index")).unwrap();
    gateway.start_again().await;
    expect_found(&gateway, "text:regrettable OR text:kept", &[kept]).await;
}

#[tokio::test]
async fn a_disk_that_takes_no_index_holds_up_no_mail() {
    let Some((mut gateway, archive, _sink)) = start().await else { return };
    let one = archived(&archive, gateway.accept(saying("words")).await).await;
    expect_found(&gateway, "text:words", &[one]).await;
    gateway.stop().await;
    let index = archive.directory().join("index");
    fs::remove_dir_all(&index).unwrap();
    // Files stand where directories should be.
    let obstacle = archive.directory().join("index.new");
    fs::write(&obstacle, "").unwrap();
    gateway.start_again().await;
    gateway.log().expect("mail is archived and not indexed: *").await;
    let two = archived(&archive, gateway.accept(saying("more words")).await).await;
    assert!(matches!(
        search(&gateway.finder(), "words", Sight::WithBcc).await,
        Err(FindError::NotYet)
    ));
    assert_eq!(gateway.log().count("not indexed"), 1);
    fs::remove_file(&obstacle).unwrap();
    expect_found(&gateway, "text:words", &[two, one]).await;
    gateway.log().expect("mail is indexed again").await;
}

#[tokio::test]
async fn without_an_index_mail_is_archived_all_the_same() {
    let sink = Sink::start(Script::smtp()).await;
    let archive = Archive::new();
    let section = archive.with("index = false");
    let gateway = Gateway::start(&Setup::before(&sink).section("archive", &section)).await;
    archived(&archive, gateway.accept(saying("words")).await).await;
    assert!(!archive.directory().join("index").exists());
}

async fn start() -> Option<(Gateway, Archive, Sink)> {
    program::require()?;
    Some(Gateway::archiving("").await)
}

fn saying(text: &str) -> Mail {
    mail_to("user").content(format!("Subject: {text}\r\nTo: user@local.example\r\n\r\n{text}\r\n"))
}

/// The number that a mail has, once it and its end are in the archive.
async fn archived(archive: &Archive, id: QueueId) -> Seq {
    archive.expect_ended(id).await;
    archive.number(id).expect("it was there")
}

async fn search(finder: &Finder, query: &str, sight: Sight) -> Result<Vec<Seq>, FindError> {
    let found = finder.search(query, sight, Page::default(), |_, _| true).await;
    found.map(|found| found.seqs)
}

/// Waits until a search finds these, and nothing else.
async fn expect_found(gateway: &Gateway, query: &str, seqs: &[Seq]) {
    let finder = gateway.finder();
    let mut last = String::new();
    let found = wait::within_patience(async || {
        let found = search(&finder, query, Sight::WithBcc).await;
        last = format!("{found:?}");
        found.is_ok_and(|found| found == seqs)
    });
    let is_found = found.await;
    assert!(is_found, "{query}: {last} and not {seqs:?}, {:?}\n{}", finder.lag(), gateway.log());
}

fn in_files(archive: &Archive, query: &str) -> Vec<Seq> {
    let page = Page::default();
    search_files(&archive.directory(), query, &Sight::WithBcc, &page, &|_, _| true).unwrap().0.seqs
}

/// Kills the children of this process that read mail, and waits until they are dead.
async fn kill_readers() {
    let mut killed = 0;
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let children =
            fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default();
        for child in children.split_whitespace() {
            let words = || fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            if words().windows(15).any(|words| words == b"extract-worker\0") {
                let pid = rustix::process::Pid::from_raw(child.parse().unwrap()).unwrap();
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
                let state =
                    || fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
                wait::until_true("the end of it", async || state().contains(") Z ")).await;
                killed += 1;
            }
        }
    }
    assert_eq!(killed, 1);
}

fn truncate_segments(index: &Path) {
    for file in fs::read_dir(index).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "idx" || extension == "fast") {
            fs::write(path, "").unwrap();
        }
    }
}

/// As if another version had made it.
fn make_other_format(index: &Path) {
    let meta = index.join("meta.json");
    let text = fs::read_to_string(&meta).unwrap();
    let other = text.replace("mailweir-", "mailweir-0");
    assert_ne!(text, other);
    fs::write(meta, other).unwrap();
}
