//! What an administrator does with archived mail so that it stays, goes, or is sent again: `mailweir archive hold`,
//! `erase`, `purge` and `restore`, their words and exit codes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use mailweir_tests::{
    installation::{Installation, Plan},
    peers::Said,
    synthetic::{Mails, fill},
};

const DONE: Option<i32> = Some(0);
const REFUSED: Option<i32> = Some(1);
const WRONG_WORDS: Option<i32> = Some(64);

#[test]
fn what_a_legal_hold_means_stays_until_it_is_lifted() {
    let Some((gateway, id)) = with_a_mail() else { return };
    expect(&gateway, &["hold", "add", "case-17", &id, COURT], DONE, &["case-17: ", "1 mail"]);
    expect(
        &gateway,
        &["hold", "add", "case-17", "--person=@far.example", COURT],
        DONE,
        &["1 address"],
    );
    let listed = expect(&gateway, &["hold", "list"], DONE, &["case-17: since "]);
    let lines: Vec<_> = listed.lines().collect();
    assert!(lines[0].ends_with(": a court asked"), "{listed}");
    assert_eq!(lines[1..], ["    1 mail", "    all mail of @far.example"], "{listed}");
    expect(&gateway, &["show", &id], DONE, &["legal hold  case-17\n"]);
    let json = expect(&gateway, &["show", &id, "--json"], DONE, &["\"legal_holds\":[\"case-17\"]"]);
    assert!(!json.contains("\"holds\""), "{json}");
    expect(&gateway, &["erase", &id, "--reason=request 7"], REFUSED, &[&id, "legal hold case-17"]);

    let lift = ["hold", "lift", "case-17", "--reason=settled"];
    expect(&gateway, &lift, DONE, &["case-17: the legal hold has ended\n"]);
    expect(&gateway, &lift, REFUSED, &["there is no legal hold case-17\n"]);
    assert_eq!(expect(&gateway, &["hold", "list"], DONE, &[]), "");
    expect(&gateway, &["erase", &id, "--reason=request 7"], DONE, &[&id, "erased; record "]);
}

#[test]
fn a_legal_hold_that_means_nothing_is_refused() {
    let Some((gateway, id)) = with_a_mail() else { return };
    expect(
        &gateway,
        &["hold", "add", "case-17", COURT],
        REFUSED,
        &["it means no mail and nobody\n"],
    );
    let unknown = "4jWT59000pz7";
    let why = format!("{unknown}: the archive has no such mail\n");
    expect(&gateway, &["hold", "add", "case-17", &id, unknown, COURT], REFUSED, &[&why]);
    for readable in ["--record=1", "--lost=1", "--record=7..9"] {
        expect(&gateway, &["hold", "lift", readable, COURT], REFUSED, &["archive hold list names"]);
    }
    for wrong in [
        &["hold"][..],
        &["hold", "add", "case-17", &id],
        &["hold", "add", COURT],
        &["hold", "add", "case-17", "--person=nobody", COURT],
        &["hold", "lift", "case-17"],
        &["hold", "lift", COURT],
        &["hold", "lift", "case-17", "--record=1", COURT],
        &["hold", "lift", "--record=9..1x", COURT],
    ] {
        assert_eq!(archive(&gateway, wrong).status, WRONG_WORDS, "{wrong:?}");
    }
    assert_eq!(expect(&gateway, &["hold", "list"], DONE, &[]), "");
}

#[test]
fn a_purge_says_what_is_erased_and_what_is_kept() {
    let Some(plan) = Plan::new() else { return };
    let gateway = plan.mx().section(SECTION).install();
    let (mails, directory) = (Mails::new(), gateway.data_dir().join("archive"));
    let _filled = fill(&directory, &mails, 2, Some(1), &mut |_| {}).unwrap();
    let [over, held] = [0, 1].map(|number| mails.get(number).id().to_string());
    expect(&gateway, &["hold", "add", "case-17", &held, COURT], DONE, &["1 mail"]);

    let kept = format!("mailweir: {held}: not erased: legal hold case-17\n");
    let counts = "; 1 kept though the time is over\n";
    let said = [&over, &kept, "mailweir: 1 mail to be erased", counts];
    let dry = expect(&gateway, &["purge", "--dry-run"], DONE, &said);
    assert_eq!(dry.lines().count(), 3, "{dry}");
    expect(&gateway, &["show", &over], DONE, &["kept        until "]);
    let purged = [&over, &kept, "mailweir: 1 mail erased", counts];
    expect(&gateway, &["purge"], DONE, &purged);
    expect(&gateway, &["show", &over], DONE, &["erased"]);
    expect(&gateway, &["show", &held], DONE, &["legal hold  case-17\n"]);
    let nothing = expect(&gateway, &["purge"], DONE, &[&kept, "mailweir: 0 mails erased", counts]);
    assert!(!nothing.contains(&over), "{nothing}");
    assert_eq!(archive(&gateway, &["purge", &over]).status, WRONG_WORDS);
}

#[test]
fn a_mail_is_sent_again_by_a_server_that_runs() {
    let Some((mut gateway, id)) = with_a_mail() else { return };
    let restore = ["restore", &id, "--to=boss@own.example"];
    expect(&gateway, &restore, REFUSED, &["no server runs that could send it\n"]);
    gateway.start();
    let sent = format!("{id} is sent again to boss@own.example as ");
    expect(&gateway, &restore, DONE, &[&sent]);
    expect(&gateway, &["show", &id], DONE, &["sent again to boss@own.example as "]);
    let unknown = ["restore", "4jWT59000pz7", "--to=boss@own.example"];
    expect(&gateway, &unknown, REFUSED, &["4jWT59000pz7: the archive has no such mail\n"]);
    for wrong in [&["restore", &id][..], &["restore", &id, "--to=nobody"], &["restore"]] {
        assert_eq!(archive(&gateway, wrong).status, WRONG_WORDS, "{wrong:?}");
    }
}

/// A gateway that has archived a mail, and its id.
fn with_a_mail() -> Option<(Installation, String)> {
    let gateway = Plan::new()?.mx().section(SECTION).install();
    let mail = gateway.path("mail.eml");
    fs::write(&mail, "From: bob@far.example\nTo: ann@own.example\nSubject: got\n\nx\n").unwrap();
    expect(&gateway, &["import", mail.to_str().unwrap()], DONE, &["1 mail archived"]);
    expect(&gateway, &["reindex"], DONE, &[]);
    let found = expect(&gateway, &["search", "subject:got"], DONE, &["-- 1 mail\n"]);
    let id = found.split_whitespace().next().unwrap().to_owned();
    Some((gateway, id))
}

/// What it says, with all of these words, and how it ends.
#[track_caller]
fn expect(gateway: &Installation, words: &[&str], status: Option<i32>, said: &[&str]) -> String {
    let Said { status: ended, text, .. } = archive(gateway, words);
    assert_eq!(ended, status, "{words:?}: {text}");
    for part in said {
        assert!(text.contains(part), "{words:?}: {text}");
    }
    text
}

fn archive(gateway: &Installation, words: &[&str]) -> Said {
    gateway.run(&[&["archive"], words].concat())
}

const SECTION: &str = "[archive]\nenabled = true\nkeep = \"1 y\"\n";

const COURT: &str = "--reason=a court asked";
