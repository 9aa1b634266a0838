use std::{fs, net::Ipv4Addr, os::unix::fs::PermissionsExt as _};

use mailweir_spam::greylist::Settings;

use super::*;
use crate::{
    config::{Greylisted, Greylisting},
    observe::Heard,
};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Strangers, and the warnings of which the log has heard.
fn strangers() -> (Strangers, Arc<Mutex<Vec<String>>>) {
    let heard = Arc::<Mutex<Vec<String>>>::default();
    let ear = Arc::clone(&heard);
    let observer = Observer::heard_by(move |one| {
        if let Heard::Session(SessionEvent::Warning { part: "greylist", text }) = one {
            ear.lock().unwrap().push(text.to_string());
        }
    });
    (Strangers::new(observer.unwrap()), heard)
}

fn rules(delay: u64) -> BeforeData {
    let settings = Settings { delay: Duration::from_secs(delay), ..Settings::default() };
    BeforeData {
        client_lists: Vec::new(),
        domain_lists: Vec::new(),
        greylisting: Some(Greylisting { whom: Greylisted::Everybody, settings }),
        greet_wait: Duration::ZERO,
        network_rate: None,
        sender_rate: None,
    }
}

fn ask(strangers: &Strangers, sender: &str) -> Answer {
    let client = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    strangers.ask(&Key { client, sender, recipient: "user@local.example" }, NOW)
}

fn waits(answer: Answer) -> bool {
    matches!(answer, Answer::Wait { .. })
}

#[test]
fn nobody_waits_and_nothing_is_made_before_strangers_are_looked_at() {
    let place = tempfile::tempdir().unwrap();
    let (strangers, heard) = strangers();
    let directory = place.path().join("spam");
    strangers.change(None, &directory);
    assert_eq!(ask(&strangers, "a@a.test"), Answer::Pass { after: None });
    strangers.note_correspondents(["a@a.test"], "us@local.example", NOW);
    assert!(!strangers.is_correspondent("a@a.test", NOW));
    strangers.write(NOW);
    assert!(!directory.exists() && heard.lock().unwrap().is_empty());
}

#[test]
fn what_is_written_is_known_after_a_restart_and_nobody_else_reads_it() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("spam");
    let file = directory.join("greylist");
    let (first, heard) = strangers();
    first.change(Some(&rules(300)), &directory);
    assert!(waits(ask(&first, "a@a.test")));
    first.note_correspondents(["Friend@a.test"], "us@local.example", NOW);
    first.write(NOW);
    for (path, mode) in [(&directory, 0o700), (&file, 0o600)] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
    }
    let written = fs::metadata(&file).unwrap().modified().unwrap();
    first.write(NOW);
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), written, "nothing has changed");

    let (second, _) = strangers();
    second.change(Some(&rules(0)), &directory);
    assert_eq!(ask(&second, "a@a.test"), Answer::Pass { after: Some(Duration::ZERO) });
    assert!(second.is_correspondent("friend@A.test", NOW));
    assert!(heard.lock().unwrap().is_empty());
}

#[test]
fn correspondents_are_remembered_where_nobody_is_greylisted() {
    let place = tempfile::tempdir().unwrap();
    let never = BeforeData { greylisting: None, ..rules(300) };
    let (first, _) = strangers();
    first.change(Some(&never), place.path());
    first.note_correspondents(["a@a.test"], "us@local.example", NOW);
    assert!(first.is_correspondent("a@a.test", NOW));
    first.write(NOW);
    let (second, _) = strangers();
    second.change(Some(&never), place.path());
    assert!(second.is_correspondent("a@a.test", NOW));
}

#[test]
fn what_is_old_is_gone_before_it_is_written_however_much_it_is() {
    let place = tempfile::tempdir().unwrap();
    let (strangers, _) = strangers();
    strangers.change(Some(&rules(300)), place.path());
    for number in 0..2 * STEP {
        let sender = format!("{}@a.test", "a".repeat(number + 1));
        assert!(waits(ask(&strangers, &sender)));
    }
    strangers.write(NOW);
    let full = fs::metadata(place.path().join("greylist")).unwrap().len();
    assert!(full > 2 * STEP as u64 * 24);
    let later = NOW.plus(Duration::from_secs(3 * 86_400));
    strangers.note_correspondents(["a@a.test"], "us@local.example", later);
    strangers.write(later);
    assert!(fs::metadata(place.path().join("greylist")).unwrap().len() < 100);
}

#[test]
fn other_rules_keep_what_is_remembered() {
    let place = tempfile::tempdir().unwrap();
    let (strangers, _) = strangers();
    strangers.change(Some(&rules(300)), place.path());
    assert!(waits(ask(&strangers, "a@a.test")));
    strangers.change(None, place.path());
    strangers.change(Some(&rules(0)), place.path());
    assert_eq!(ask(&strangers, "a@a.test"), Answer::Pass { after: Some(Duration::ZERO) });
}

#[test]
fn what_cannot_be_read_begins_anew_and_is_told() {
    let place = tempfile::tempdir().unwrap();
    let (first, _) = strangers();
    first.change(Some(&rules(300)), place.path());
    assert!(waits(ask(&first, "a@a.test")));
    first.write(NOW);
    let file = place.path().join("greylist");
    fs::write(&file, "something else").unwrap();
    let (second, heard) = strangers();
    second.change(Some(&rules(300)), place.path());
    assert!(waits(ask(&second, "a@a.test")));
    let said = heard.lock().unwrap().join("\n");
    assert!(said.ends_with("greylist: not a greylist: it begins anew"), "{said}");
    second.write(NOW);
    assert!(fs::read(&file).unwrap().starts_with(b"MWGL"));
    // With another key its hashes mean nothing.
    fs::remove_file(place.path().join("greylist.key")).unwrap();
    let (third, heard) = strangers();
    third.change(Some(&rules(0)), place.path());
    assert!(heard.lock().unwrap().join("\n").contains("a greylist of another key"));
}

#[test]
fn without_a_place_for_it_the_greylist_lasts_until_a_stop() {
    let place = tempfile::tempdir().unwrap();
    let taken = place.path().join("spam");
    fs::write(&taken, "a file").unwrap();
    let (strangers, heard) = strangers();
    strangers.change(Some(&rules(300)), &taken);
    assert!(waits(ask(&strangers, "a@a.test")));
    strangers.write(NOW);
    let said = heard.lock().unwrap();
    assert!(said.len() == 1 && said[0].contains("the greylist lasts until a stop"), "{said:?}");
}

#[test]
fn a_file_that_cannot_be_written_is_told_and_tried_again() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("spam");
    let (strangers, heard) = strangers();
    strangers.change(Some(&rules(300)), &directory);
    assert!(waits(ask(&strangers, "a@a.test")));
    fs::remove_dir_all(&directory).unwrap();
    strangers.write(NOW);
    assert!(heard.lock().unwrap().concat().contains("not written"));
    fs::create_dir(&directory).unwrap();
    strangers.write(NOW);
    assert!(directory.join("greylist").exists());
}

#[test]
fn a_list_that_does_not_tell_is_news_once() {
    let (strangers, _) = strangers();
    assert!(strangers.is_news("bl.test") && strangers.is_news("wl.test"));
    assert!(!strangers.is_news("bl.test"));
}
