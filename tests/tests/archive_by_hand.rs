//! Mail that goes into the archive from files, and out of it as files, as an administrator does it:
//! `mailweir archive import` and `mailweir archive export`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use mailweir_archive::{
    Archive, Draft, Options, Places, Reader,
    entry::{self, Access, Capture, Direction, Source},
    frame::{Head, Kind},
    import::{Form, Mails},
    payload::Packer,
    records::Records,
};
use mailweir_tests::{
    installation::{Installation, Plan},
    peers::Said,
};

const DONE: Option<i32> = Some(0);
const REFUSED: Option<i32> = Some(1);
const WRONG_WORDS: Option<i32> = Some(64);

#[test]
fn what_is_imported_says_where_it_came_from_and_is_kept_as_rules_say() {
    let Some(plan) = plan("") else { return };
    let gateway = plan.install();
    leave_mail(&gateway.path("old"));
    let said = import(&gateway, &["old"]);
    assert_eq!(said.status, REFUSED, "one of them cannot be read");
    let broken = format!("{}: the file is empty", gateway.path("old/broken.eml").display());
    assert!(said.text.contains(&broken), "{}", said.text);
    assert!(said.text.contains("4 mails archived, 0.0 MB; 1 could NOT be read"), "{}", said.text);

    let captures = captures(&gateway);
    let of = |subject: &str| {
        let found = captures.iter().find(|(_, content)| content.contains(subject));
        found.map(|(capture, _)| capture).unwrap()
    };
    let (sent, got) = (of("Subject: sent"), of("Subject: got"));
    assert_eq!(sent.note.direction, Direction::Outbound);
    assert_eq!(sent.envelope.recipients.len(), 2, "who got a hidden copy as well");
    assert_eq!(sent.origin.arrival.rfc3339(), "2019-11-20T21:30:05.000000Z");
    assert_eq!(got.note.direction, Direction::Inbound);
    assert_eq!(got.envelope.sender.as_str(), "bounce@far.example", "of the line before the mail");
    assert_eq!((got.note.rule.as_deref(), got.note.keep_days), (Some("far"), Some(30)));
    assert_eq!(sent.note.keep_days, Some(366));
    let Source::Imported { by, from } = &got.note.source else { panic!("{got:?}") };
    assert!(!by.is_empty() && from.ends_with("box.mbox, byte 0"), "{from}");
}

#[test]
fn an_import_that_is_begun_again_adds_what_is_new() {
    let Some(gateway) = with_old_mail() else { return };
    fs::write(gateway.path("old/new.eml"), "Subject: new\n\nx\n").unwrap();
    let said = import(&gateway, &["old", "old/new.eml"]);
    assert_eq!(said.status, DONE, "{said:?}");
    assert!(said.text.contains("1 mail archived, 0.0 MB; 5 were there already"), "{}", said.text);
    let said = import(&gateway, &["old/new.eml", "--again"]);
    assert!(said.text.contains("1 mail archived"), "{}", said.text);
    assert!(!said.text.contains("there already"), "{}", said.text);
    assert_eq!(archive(&gateway, &["verify"]).status, DONE);
    assert_eq!(captures(&gateway).len(), 6);
}

#[test]
fn what_comes_out_is_what_went_in() {
    let Some(gateway) = with_old_mail() else { return };
    let mut there: Vec<Vec<u8>> =
        captures(&gateway).into_iter().map(|(_, content)| content.into_bytes()).collect();
    there.sort_unstable();
    for (form, name) in [("eml", "out"), ("mbox", "out.mbox")] {
        let to = gateway.path(name);
        let said = export_all(&gateway, form, &to);
        assert!(said.status == DONE && said.text.contains("4 mails, 0.0 MB"), "{said:?}");
        let mails = Mails::of(std::slice::from_ref(&to), Form::AsItLooks);
        let mut out: Vec<Vec<u8>> =
            mails.map(|mail| mail.unwrap().content.content(u64::MAX).unwrap().unwrap()).collect();
        out.sort_unstable();
        assert_eq!(out, there, "{form}");
        let again = export_all(&gateway, form, &to);
        assert_eq!(again.status, REFUSED, "nothing is written over");
    }
}

#[test]
fn what_was_erased_does_not_come_in_again_and_is_named_where_it_is_missing() {
    let Some(gateway) = with_old_mail() else { return };
    let id = captures(&gateway)[0].0.id.to_string();
    let said = archive(&gateway, &["erase", &id, "--reason", "request 7"]);
    assert_eq!(said.status, DONE, "{said:?}");
    let said = import(&gateway, &["old"]);
    let counts = "0 mails archived, 0.0 MB; 3 were there already; 1 was erased here and stays so";
    assert!(said.text.contains(counts), "{said:?}");
    let said = export_all(&gateway, "eml", &gateway.path("out"));
    let counts = "3 mails, 0.0 MB; 1 was erased, as the manifest says";
    assert!(said.status == DONE && said.text.contains(counts), "{said:?}");
    let manifest = fs::read_to_string(gateway.path("out/manifest.json")).unwrap();
    assert!(manifest.contains("\"missing\":[{\"seq\":1,\"why\":\"it was erased\"}]"), "{manifest}");
    let to = gateway.path("one").display().to_string();
    let said = archive(&gateway, &["export", &id, "--as", "eml", "--to", &to]);
    assert!(said.status == REFUSED && said.text.contains("1 was erased"), "{said:?}");
    let said = import(&gateway, &["old", "--again"]);
    assert!(said.text.contains("4 mails archived"), "{said:?}");
}

#[test]
fn what_is_damaged_is_not_left_out_in_silence() {
    let Some(gateway) = with_old_mail() else { return };
    let said = archive(&gateway, &["reindex"]);
    assert_eq!(said.status, DONE, "{said:?}");
    let records = Records::all(&places(&gateway)).unwrap().map(Result::unwrap);
    let (head, place) = records.filter(|(head, _)| head.kind == Kind::Capture).nth(1).unwrap();
    let segment = places(&gateway).segment(place.segment);
    let mut bytes = fs::read(&segment).unwrap();
    bytes[usize::try_from(place.at).unwrap() + 20] ^= 1;
    fs::write(&segment, bytes).unwrap();

    let id = head.queue_id().unwrap();
    let lost = format!("{id}: its record is damaged or missing");
    for (words, why) in [
        (&["--query", "status:imported"][..], &*lost),
        (&["--all"], "it is damaged or missing; it may be a mail"),
    ] {
        let name = format!("out{}", words[0]);
        let to = gateway.path(&name).display().to_string();
        let said = archive(&gateway, &[&["export"], words, &["--as", "eml", "--to", &to]].concat());
        assert_eq!(said.status, REFUSED, "{said:?}");
        assert!(said.text.contains("3 mails, 0.0 MB; 1 could NOT be read"), "{said:?}");
        let manifest = fs::read_to_string(gateway.path(&name).join("manifest.json")).unwrap();
        let missing = format!("\"missing\":[{{\"seq\":{},\"why\":\"{why}\"}}]", head.seq);
        assert!(manifest.contains(&missing), "{manifest}");
    }
}

#[test]
fn what_a_search_finds_is_shown_and_taken_out_and_who_did_it_is_written_down() {
    let Some(gateway) = with_old_mail() else { return };
    let said = archive(&gateway, &["search", "sent"]);
    assert!(said.status == REFUSED && said.text.contains("archive reindex"), "{said:?}");
    let said = archive(&gateway, &["reindex"]);
    assert_eq!(said.status, DONE, "{said:?}");
    let said = archive(&gateway, &["search", "subject:sent", "bcc:boss@own.example"]);
    assert_eq!(said.status, DONE, "{said:?}");
    let lines =
        "imported         134\n    <ann@own.example> to bob@far.example, boss@own.example: sent\n";
    assert!(said.text.contains(lines) && said.text.contains("-- 1 mail\n"), "{}", said.text);
    let said = archive(&gateway, &["search", "(sent"]);
    assert!(said.status == REFUSED && said.text.contains("at character"), "{said:?}");

    let to = gateway.path("found").display().to_string();
    let query = ["export", "--query", "status:imported -subject:sent", "--as", "eml", "--to", &to];
    let said = archive(&gateway, &query);
    assert!(said.status == DONE && said.text.contains("3 mails, 0.0 MB"), "{said:?}");
    let shown = archive(&gateway, &["show", &captures(&gateway)[0].0.id.to_string()]);
    assert!(shown.text.contains("ended       not yet") || shown.text.contains("kept"), "{shown:?}");

    let said = archive(&gateway, &["accesses", "-n", "2"]);
    let lines: Vec<_> = said.text.lines().map(|line| line.split_once("  ").unwrap().1).collect();
    assert!(lines[0].contains(" looked at "), "{}", said.text);
    assert!(lines[1].contains(" exported as eml, 3 mails"), "{}", said.text);
    assert_eq!(lines.len(), 2, "{}", said.text);

    let reader = Reader::new(places(&gateway));
    let records = Records::all(&places(&gateway)).unwrap().map(Result::unwrap);
    let accesses = records.filter(|(head, _)| head.kind == Kind::Access).map(|(_, place)| {
        let summary = reader.read_sound(place).unwrap().payload.summary().unwrap();
        format!("{:?}", entry::decode::<Access>(&summary).unwrap().deed)
    });
    let accesses: Vec<_> = accesses.collect();
    let [first, again, taken, _shown] = &accesses[..] else { panic!("{accesses:?}") };
    assert!(first.contains("bcc:boss@own.example") && again.contains("-subject:sent"));
    assert_eq!(taken, "Exported { form: \"eml\", mails: 3 }");
}

/// Words may stand in mail that the index does not know.
#[test]
fn what_must_miss_no_mail_is_refused_while_the_index_is_behind() {
    let Some(gateway) = with_old_mail() else { return };
    assert_eq!(archive(&gateway, &["reindex"]).status, DONE);
    write(&gateway.path("old"), "new.eml", "Subject: sent later\n\nx\n");
    assert_eq!(import(&gateway, &["old/new.eml"]).status, DONE);
    let to = gateway.path("out").display().to_string();
    let export = ["export", "--query", "subject:sent", "--as", "eml", "--to", &to];
    let hold = ["hold", "add", "case-17", "--reason", "a court asked", "--query", "subject:sent"];
    for words in [&export[..], &hold] {
        let said = archive(&gateway, words);
        assert_eq!(said.status, REFUSED, "{said:?}");
        let why = "the index is 1 mail behind: mailweir archive reindex makes it anew\n";
        assert!(said.text.contains(why), "{said:?}");
    }
    assert!(!gateway.path("out").exists());
    // A search shows what there is, and says so.
    let said = archive(&gateway, &["search", "subject:sent"]);
    assert!(said.text.ends_with("-- 1 mail; the index is 1 mail behind\n"), "{said:?}");
    assert_eq!(archive(&gateway, &["reindex"]).status, DONE);
    let said = archive(&gateway, &export);
    assert!(said.status == DONE && said.text.contains("2 mails, "), "{said:?}");
    let said = archive(&gateway, &hold);
    assert!(said.status == DONE && said.text.contains("case-17: "), "{said:?}");
    assert!(said.text.contains("2 mails"), "{said:?}");
}

/// What was looked for is written down as it was said, whatever it was looked for.
#[test]
fn every_search_is_written_down_whole() {
    let Some(gateway) = with_old_mail() else { return };
    assert_eq!(archive(&gateway, &["reindex"]).status, DONE);
    let long = format!("subject:sent -subject:\"{}\"", "\u{898b}\u{7a4d} ".repeat(400));
    assert!(long.len() > 2_000);
    let said = archive(&gateway, &["search", &long]);
    assert!(said.status == DONE && said.text.contains("-- 1 mail\n"), "{said:?}");
    let hold = ["hold", "add", "case-17", "--reason", "a court asked", "--query", "subject:got"];
    assert_eq!(archive(&gateway, &hold).status, DONE);
    let said = archive(&gateway, &["accesses", "-n", "2"]);
    let lines: Vec<_> = said.text.lines().collect();
    assert!(lines[0].ends_with(" searched for \"subject:got\", found 1"), "{}", lines[0]);
    assert!(lines[1].contains(&*long.replace('"', "\\\"")), "{}", lines[1]);
}

/// Whoever has the files, and a copy of the roots, needs no archive.
#[test]
fn mails_that_were_taken_out_are_proven_without_the_archive() {
    let Some(gateway) = with_old_mail() else { return };
    let _ = export_all(&gateway, "eml", &gateway.path("out"));
    let roots = take_roots(&gateway);
    let prove = || prove(&gateway, "out/manifest.json");
    let (status, said) = prove();
    let counts = "4 records were in the archive, 0 are not proven\n\
                  4 mails have the contents that the manifest names, 0 do not\nproven of these";
    assert!(status == DONE && said.starts_with(counts), "{said}");
    assert!(said.contains("not proven, for the manifest is not signed: sender and rec"), "{said}");
    let file = first_of(&gateway.path("out"));
    let content = fs::read(&file).unwrap();
    fs::write(&file, "another").unwrap();
    let (status, said) = prove();
    assert!(status == REFUSED && said.contains(".eml: NOT WHAT the manifest names\n"), "{said}");
    assert!(
        said.contains("3 mails have the contents that the manifest names, 1 does not"),
        "{said}"
    );
    fs::remove_file(&file).unwrap();
    let (status, said) = prove();
    assert!(status == REFUSED && said.contains("1 file is missing"), "{said}");
    assert!(said.contains(".eml: it is MISSING beside the manifest\n"), "{said}");
    fs::write(&file, content).unwrap();
    assert_eq!(prove().0, DONE);
    let other = fs::read_to_string(&roots).unwrap().replacen("1 1 4 ", "1 1 5 ", 1);
    fs::write(&roots, other).unwrap();
    let (status, said) = prove();
    assert_eq!(status, REFUSED);
    assert!(said.contains("record 1: NOT PROVEN: the list of roots has another root"), "{said}");
}

/// What a manifest says of a mail is believed as far as it is proven, and what it names is not all opened.
#[test]
fn a_manifest_that_was_changed_is_not_taken_for_a_proof() {
    let Some(gateway) = with_old_mail() else { return };
    let _ = export_all(&gateway, "eml", &gateway.path("out"));
    take_roots(&gateway);
    let manifest = gateway.path("out/manifest.json");
    let whole = fs::read_to_string(&manifest).unwrap();
    let with = |from: &str, to: &str| {
        let changed = whole.replacen(from, to, 1);
        assert_ne!(changed, whole);
        fs::write(&manifest, changed).unwrap();
        prove(&gateway, "out/manifest.json")
    };
    let (status, said) = with("\"sender\":\"ann@", "\"sender\":\"eve@");
    assert!(status == DONE && said.contains("is not signed: sender and"), "{said}");
    let (status, said) = with("\"sha256\":\"", "\"sha256\":\"00");
    assert!(status == REFUSED && said.contains("the manifest cannot be read"), "{said}");
    let at = whole.find("\"sha256\":\"").unwrap() + 10;
    let hash = &whole[at..at + 64];
    let (status, said) = with(hash, &"0".repeat(64));
    assert!(
        status == REFUSED && said.contains("3 records were in the archive, 1 is not proven"),
        "{said}"
    );
    assert!(said.contains("record 1: NOT PROVEN: the record had another content\n"), "{said}");
    assert!(said.contains(".eml: NOT WHAT the manifest names\n"), "{said}");

    let file = first_of(&gateway.path("out"));
    let name = file.file_name().unwrap().to_str().unwrap();
    // The same content, so that it would be counted if it were opened.
    fs::copy(&file, gateway.path("elsewhere")).unwrap();
    for other in ["../elsewhere".to_owned(), gateway.path("elsewhere").display().to_string()] {
        let (status, said) = with(name, &other);
        let expected = format!("{other}: NOT OPENED: it would not be beside the manifest\n");
        assert!(status == REFUSED && said.contains(&expected), "{said}");
        assert!(
            said.contains("3 mails have the contents that the manifest names, 1 does not"),
            "{said}"
        );
    }
}

#[test]
fn a_mailbox_is_compared_with_its_manifest() {
    let Some(gateway) = with_old_mail() else { return };
    let _ = export_all(&gateway, "mbox", &gateway.path("out.mbox"));
    take_roots(&gateway);
    let prove = || prove(&gateway, "out.mbox.manifest.json");
    let (status, said) = prove();
    let counts = "4 mails have the contents that the manifest names, 0 do not\n";
    assert!(status == DONE && said.contains(counts), "{said}");
    let mailbox = fs::read_to_string(gateway.path("out.mbox")).unwrap();
    let changed = mailbox.replacen("Subject: other", "Subject: Other", 1);
    fs::write(gateway.path("out.mbox"), changed).unwrap();
    let (status, said) = prove();
    assert!(status == REFUSED && said.contains(", out.mbox: NOT WHAT the manifest"), "{said}");
    assert!(
        said.contains("3 mails have the contents that the manifest names, 1 does not"),
        "{said}"
    );
    fs::remove_file(gateway.path("out.mbox")).unwrap();
    let (status, said) = prove();
    assert!(status == REFUSED && said.contains("out.mbox: it is MISSING beside"), "{said}");
    assert!(said.contains("4 records were in the archive, 0 are not proven\n"), "{said}");
}

#[test]
fn mails_are_taken_out_by_their_ids() {
    let Some(plan) = plan("") else { return };
    let gateway = plan.install();
    leave_mail(&gateway.path("old"));
    let _ = import(&gateway, &["old"]);
    let captures = captures(&gateway);
    let (first, content) = &captures[0];
    let second = captures[1].0.id.to_string();
    let id = first.id.to_string();
    assert_eq!(archive(&gateway, &["export", &id]).expect_content(), *content);
    let zip = gateway.path("out.zip");
    let zip = zip.to_str().unwrap();
    let said = archive(&gateway, &["export", &id, &second, "--as", "zip", "--to", zip]);
    assert!(said.status == DONE && said.text.contains("2 mails"), "{said:?}");
    let said = archive(&gateway, &["export", &id, &second]);
    assert!(said.status == REFUSED && said.text.contains("say --as and --to"), "{said:?}");
    let gone = ["export", "4jWT59000pz7", &id, "--as", "eml", "--to", "nowhere"];
    let said = archive(&gateway, &gone);
    assert!(said.status == REFUSED && said.text.contains("4jWT59000pz7: the archive has no such"));
    for wrong in [&["export"][..], &["export", &id, "--as", "zip"], &["export", &id, "--to", "x"]] {
        assert_eq!(archive(&gateway, wrong).status, WRONG_WORDS, "{wrong:?}");
    }
}

/// The queue brings a mail again whose record was damaged before it was known to be written.
#[test]
fn a_mail_that_is_there_twice_comes_out_once_and_sound() {
    let Some(gateway) = with_old_mail() else { return };
    let (capture, content) = captures(&gateway).swap_remove(0);
    let (now, id) = (capture.id.arrival(), capture.id.to_string());
    let (mut archive_of, _) =
        Archive::open(places(&gateway).directory(), Options::default(), now).unwrap();
    let summary = entry::encode(&capture).unwrap();
    let payload = Packer::new().unwrap().pack(&summary, content.as_bytes()).unwrap();
    archive_of.append(vec![Draft::of_capture(&capture, payload)], now).unwrap();
    archive_of.seal(now).unwrap();
    drop(archive_of);
    let mut captures = Records::all(&places(&gateway)).unwrap().map(Result::unwrap);
    let (head, place) = captures.next().unwrap();
    assert_eq!(head.queue_id(), Some(capture.id));
    let segment = places(&gateway).segment(place.segment);
    let mut bytes = fs::read(&segment).unwrap();
    bytes[usize::try_from(place.at).unwrap() + Head::LEN + 20] ^= 1;
    fs::write(&segment, bytes).unwrap();

    assert_eq!(archive(&gateway, &["export", &id]).expect_content(), content);
    let to = gateway.path("out").display().to_string();
    let said = archive(&gateway, &["export", &id, "--as", "eml", "--to", &to]);
    assert!(said.status == DONE && said.text.contains("1 mail, "), "{said:?}");
    let said = export_all(&gateway, "eml", &gateway.path("all"));
    assert!(said.status == REFUSED && said.text.contains("1 could NOT be read"), "{said:?}");
}

#[test]
fn journal_reports_bring_their_envelopes_and_rules_leave_out_what_they_mean() {
    let rule = "[[archive.rule]]\nname = \"cron\"\naction = \"skip\"\nheaders = ['X-Cron-Env']\n\
                senders = [\"root@own.example\"]";
    let Some(plan) = plan(rule) else { return };
    let gateway = plan.install();
    for (name, to) in
        [("1.eml", "boss@own.example"), ("2.eml", "far@far.example"), ("3.eml", "boss@own.example")]
    {
        write(&gateway.path("journal"), name, &report(to));
    }
    let cron = "From: root@own.example\nX-Cron-Env: <A=1>\n\nx\n";
    write(&gateway.path("cron"), "1.eml", cron);
    let said = import(&gateway, &["journal", "--journal"]);
    assert_eq!(said.status, DONE, "{said:?}");
    let counts = "2 mails archived, 0.0 MB; 1 was there already";
    assert!(said.text.contains(counts), "another recipient is another mail: {}", said.text);
    let said = import(&gateway, &["cron"]);
    assert!(said.text.contains("0 mails archived, 0.0 MB; 1 is left out by rules"), "{said:?}");
    let said = import(&gateway, &["cron", "--journal"]);
    assert!(said.status == REFUSED && said.text.contains("it is no journal report"), "{said:?}");
    let captures = captures(&gateway);
    assert_eq!(captures.len(), 2);
    assert_eq!(captures[0].0.envelope.recipients[0].address.as_str(), "boss@own.example");
    assert_eq!(captures[0].1, "Subject: in the report\r\nTo: list@own.example\r\n\r\nx");
    // Again nothing is new.
    let said = import(&gateway, &["journal", "--journal"]);
    assert!(said.text.contains("0 mails archived, 0.0 MB; 3 were there already"), "{said:?}");
}

#[test]
fn an_import_doubles_nothing_whether_a_server_runs_or_not() {
    let Some(mut gateway) = with_old_mail() else { return };
    let expect = |gateway: &Installation, words: &[&str], counts: &str| {
        let said = import(gateway, words);
        assert_eq!(said.status, DONE, "{said:?}");
        assert!(said.text.starts_with(counts), "{said:?}");
    };
    gateway.start();
    write(&gateway.path("old"), "new.eml", "Subject: new\n\nx\n");
    let large = format!("Subject: large\n\n{}", "0123456789abcdef\n".repeat(1 << 17));
    write(&gateway.path("old"), "large.eml", &large);
    expect(&gateway, &["old"], "2 mails archived, 2.4 MB; 4 were there already\n");
    expect(&gateway, &["old"], "0 mails archived, 0.0 MB; 6 were there already\n");
    let _ = gateway.expect_log("sealed: 2 records");
    let captures = captures(&gateway);
    assert_eq!(captures.len(), 6);
    let found = captures.iter().find(|(_, content)| content.starts_with("Subject: large"));
    let (capture, content) = found.unwrap();
    assert!(*content == large.replace('\n', "\r\n"), "byte for byte");
    assert_eq!(capture.size, content.len() as u64);
    let Source::Imported { from, .. } = &capture.note.source else { panic!("{capture:?}") };
    assert!(from.ends_with("large.eml"), "{from}");

    let id = captures[0].0.id.to_string();
    assert_eq!(archive(&gateway, &["erase", &id, "--reason", "request 7"]).status, DONE);
    let counts = "0 mails archived, 0.0 MB; 5 were there already; 1 was erased here and stays so\n";
    expect(&gateway, &["old"], counts);
    gateway.stop();
    expect(&gateway, &["old"], counts);
    gateway.start();
    expect(&gateway, &["old/new.eml", "--again"], "1 mail archived, 0.0 MB\n");
    assert_eq!(archive(&gateway, &["verify"]).status, DONE);
}

fn plan(rule: &str) -> Option<Plan> {
    let rules = format!(
        "[archive]\nenabled = true\nkeep = \"1 y\"\n[[archive.rule]]\nname = \"far\"\nkeep = \"30d\"\n\
         senders = [\"@far.example\"]\n{rule}"
    );
    Some(Plan::new()?.mx().section(&rules))
}

/// A gateway that has archived what an administrator had from another program: four mails.
fn with_old_mail() -> Option<Installation> {
    let gateway = plan("")?.install();
    leave_mail(&gateway.path("old"));
    fs::remove_file(gateway.path("old/broken.eml")).unwrap();
    assert_eq!(import(&gateway, &["old"]).status, DONE);
    Some(gateway)
}

fn export_all(gateway: &Installation, form: &str, to: &Path) -> Said {
    archive(gateway, &["export", "--all", "--as", form, "--to", to.to_str().unwrap()])
}

/// Keeps the roots of the archive, and nothing else of it.
fn take_roots(gateway: &Installation) -> PathBuf {
    let roots = gateway.path("copy of roots");
    fs::copy(places(gateway).roots(), &roots).unwrap();
    fs::remove_dir_all(gateway.data_dir().join("archive")).unwrap();
    roots
}

/// Compares a manifest with the roots that were kept. Gives also what was said of errors.
fn prove(gateway: &Installation, manifest: &str) -> (Option<i32>, String) {
    let output = Command::new(gateway.binary())
        .args(["archive", "prove"])
        .arg(gateway.path(manifest))
        .arg("--roots")
        .arg(gateway.path("copy of roots"))
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// The mail with the first name.
fn first_of(directory: &Path) -> PathBuf {
    let files = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().unwrap() == "eml").min().unwrap()
}

/// What an administrator has from another program.
fn leave_mail(old: &Path) {
    let sent = "From: ann@own.example\nTo: bob@far.example\nBcc: boss@own.example\n\
                Date: Wed, 20 Nov 2019 21:30:05 +0000\nSubject: sent\n\nFrom here\n";
    write(old, "sent.eml", sent);
    write(old, "broken.eml", "");
    let from = "From bounce@far.example Wed Nov 20 21:30:05 2019\n";
    let got = "From: bob@far.example\nTo: ann@own.example\nSubject: got\n\n>From there\n\n";
    let other = "From: eve@far.example\nTo: ann@own.example\nSubject: other\n\nx\n\n";
    write(old, "box.mbox", &format!("{from}{got}{from}{other}"));
    write(old, "Maildir/cur/1:2,S", "To: ann@own.example\nSubject: in a Maildir\n\nx\n");
    fs::create_dir(old.join("Maildir/new")).unwrap();
}

fn report(to: &str) -> String {
    format!(
        "X-MS-Journal-Report:\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\n\
         Content-Type: text/plain\r\n\r\nSender: ann@own.example\r\nRecipient: {to}\r\n--b1\r\n\
         Content-Type: message/rfc822\r\n\r\nSubject: in the report\r\nTo: list@own.example\r\n\r\nx\r\n--b1--\r\n"
    )
}

fn write(directory: &Path, file: &str, content: &str) {
    let path = directory.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn archive(gateway: &Installation, words: &[&str]) -> Said {
    gateway.run(&[&["archive"], words].concat())
}

/// Imports files beside the configuration.
fn import(gateway: &Installation, words: &[&str]) -> Said {
    let path = |word: &&str| match word.starts_with("--") {
        true => (*word).to_owned(),
        false => gateway.path(word).display().to_string(),
    };
    let words: Vec<String> = words.iter().map(path).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    archive(gateway, &[&["import"], words.as_slice()].concat())
}

fn places(gateway: &Installation) -> Places {
    Places::new(&gateway.data_dir().join("archive"))
}

/// All mails of the archive, with their contents.
fn captures(gateway: &Installation) -> Vec<(Capture, String)> {
    let reader = Reader::new(places(gateway));
    let records = Records::all(&places(gateway)).unwrap().map(Result::unwrap);
    let captures = records.filter(|(head, _)| head.kind == Kind::Capture);
    let read = |(_, place)| {
        let mut payload = reader.read_sound(place).unwrap().payload;
        let capture = entry::decode(&payload.summary().unwrap()).unwrap();
        (capture, String::from_utf8(payload.content(u64::MAX).unwrap()).unwrap())
    };
    captures.map(read).collect()
}
