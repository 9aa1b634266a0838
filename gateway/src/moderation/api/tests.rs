//! Who is let in by the API, and what each sees.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
};

use mailweir_admin_ui::api::ArchiveSight;
use mailweir_mail::ReversePath;
use mailweir_moderation::{
    case::{Command, MOST_WORDS, Moderator, OwnMail, QueueDeed},
    search::Query,
};

use super::*;
use crate::{
    config::{Config, Surroundings},
    moderation::sample_case,
    observe::Observer,
};

fn app(text: &str) -> (App, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        "[server]\nhostname = \"gate.example\"\n[admin]\nbind = []\n[[listener]]\nname = \"mx\"\n\
         bind = [\"127.0.0.1:25\"]\nmode = \"mx\"\n{text}"
    );
    let around = Surroundings {
        environment: &[],
        machine_name: None,
        time_zone: None,
        files: &|path| fs::read(path),
    };
    let config = Config::parse(Path::new("mailweir.toml"), &text, &around).unwrap().0;
    let observer = Observer::heard_by(|_| {}).unwrap();
    let app = App::rehearsing(config, &observer, directory.path()).unwrap();
    (app, directory)
}

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

const HERE: Source = Source { address: LOCAL, is_local: true };

#[tokio::test]
async fn a_token_is_known_by_its_hash_and_no_other_text_is() {
    // SHA-256 of "secret token".
    let (app, _directory) =
        app("[[admin.api_token]]\nname = \"crm\"\nrights = \"decide\"\nsha256 = \
         \"c807e7cd9f47915ea4268859d7e22bc3cf030ec21a6fd2181f112ee3b53add6e\"\n");
    for wrong in ["", "crm", "c807e7cd9f47915ea4268859d7e22bc3cf030ec21a6fd2181f112ee3b53add6e"] {
        let denied = caller::log_in(&app, Claim::Bearer(wrong), HERE).await;
        assert_eq!(denied, Err(NoEntry::Wrong), "{wrong}");
    }
    let crm = Who::Token { name: "crm".into(), decides: true };
    let let_in = caller::log_in(&app, Claim::Bearer("secret token"), HERE).await;
    assert_eq!(let_in, Ok(Caller { who: crm, from: LOCAL, archive: ArchiveSight::Nothing }));
}

#[tokio::test]
async fn a_password_that_came_in_clear_from_elsewhere_is_not_even_looked_at() {
    let (app, _directory) = app("");
    for elsewhere in ["192.0.2.1", "10.0.0.1", "2001:db8::1"] {
        let from = Source { address: elsewhere.parse().unwrap(), is_local: false };
        let denied = caller::log_in(&app, Claim::Basic("YTpi"), from).await;
        assert_eq!(denied, Err(NoEntry::InClear), "{elsewhere}");
        // A proxy on this machine has it from there: by TLS, or the proxy is wrong.
        let denied = caller::log_in(&app, Claim::Basic("YTpi"), Source { is_local: true, ..from });
        assert_eq!(denied.await, Err(NoEntry::Wrong), "{elsewhere}");
    }
    for odd in ["", "!", "YWxpY2U=", "YQBiOmM="] {
        let denied = caller::log_in(&app, Claim::Basic(odd), HERE).await;
        assert_eq!(denied, Err(NoEntry::Wrong), "{odd}");
    }
}

fn account(login: &str, address: Option<&str>, decides: bool) -> Clearance {
    let address = address.map(|address| address.parse().unwrap());
    let who = Who::Account { login: login.into(), address, decides };
    Clearance { caller: Caller { who, from: LOCAL, archive: ArchiveSight::Own } }
}

/// Ann's mail, about which the boss decides.
fn file() -> CaseFile {
    let mut file = sample_case();
    file.case.plan.senders = vec!["ann@own.example".parse().unwrap()];
    file.mail.sender = ReversePath::Mailbox("ann@own.example".parse().unwrap());
    file
}

#[test]
fn each_sees_what_is_theirs_and_nothing_else() {
    let file = file();
    let ann: Address = "ann@own.example".parse().unwrap();
    let boss: Address = "boss@own.example".parse().unwrap();
    for (who, seen) in [
        (account("ann", None, true), Some(Seen::Sender(ann.clone()))),
        (account("ANN", None, false), Some(Seen::Sender(ann.clone()))),
        (account("boss", Some("boss@own.example"), true), Some(Seen::Moderator(boss))),
        (account("boss", Some("boss@own.example"), false), None),
        // It was handed in by another log-in, whatever it says that it is from.
        (account("x", Some("ann@own.example"), true), None),
        (account("bob@own.example", Some("bob@own.example"), true), None),
    ] {
        assert_eq!(who.see(&file), seen, "{who:?}", who = who.caller);
    }
    let mut from_network = file;
    from_network.mail.login = None;
    let same = account("ann@own.example", Some("ann@own.example"), true);
    assert_eq!(same.see(&from_network), Some(Seen::Sender(ann)));
}

#[test]
fn a_sender_takes_it_back_and_decides_nothing() {
    let file = file();
    let ann = account("ann", None, false);
    let reason = || "".into();
    let seen = || ann.see(&file).unwrap();
    let cancel = ann.by(seen(), &Deed::Cancel, &file).unwrap();
    assert!(matches!(cancel, By { who: Actor::Sender(_), proof: Proof::Login, from: Some(_) }));
    let approve = Deed::Approve { comment: reason(), only: None, at: None, trust_days: 0 };
    // Nor do they fill what there is room for.
    let comment = Deed::Comment { text: "x".repeat(MOST_WORDS).into() };
    let (reject, discard) = (Deed::Reject { reason: reason() }, Deed::Discard { reason: reason() });
    for deed in [approve, reject, discard, comment] {
        for ann in [account("ann", None, true), account("ann", None, false)] {
            assert_eq!(ann.by(seen(), &deed, &file), Err(Refused::NotTheirs), "{deed:?}");
        }
    }
    let boss = account("boss", Some("boss@own.example"), true);
    let cancel = boss.by(boss.see(&file).unwrap(), &Deed::Cancel, &file);
    assert_eq!(cancel, Err(Refused::NotTheirs));
}

#[test]
fn a_delay_is_sent_at_once_by_its_sender_and_not_by_a_program_of_theirs() {
    let mut file = file();
    file.case.plan.kind = Kind::Delay;
    file.case.plan.own_mail = OwnMail::Allowed;
    let approve = Deed::Approve { comment: "".into(), only: None, at: None, trust_days: 0 };
    for (decides, allowed) in [(true, true), (false, false)] {
        let ann = account("ann", Some("ann@own.example"), decides);
        let by = ann.by(ann.see(&file).unwrap(), &approve, &file);
        assert_eq!(by.is_ok(), allowed);
    }
}

#[test]
fn what_a_sender_reads_does_not_say_who_was_asked() {
    let file = file();
    let id = QueueId::new(file.mail.arrival, 1);
    let ann = account("ann", None, true).view(id, &file).unwrap();
    assert_eq!((&ann["state"], &ann["sender"]), (&"waiting".into(), &"ann@own.example".into()));
    assert!(!ann.to_string().contains("boss") && ann.get("history").is_none(), "{ann}");
    let boss = account("b", Some("boss@own.example"), true).view(id, &file).unwrap();
    assert_eq!(boss["levels"][0]["moderators"][0], "boss@own.example");
    assert!(account("bob", None, true).view(id, &file).is_none());
}

#[test]
fn a_decision_is_not_said_to_be_more_than_the_case_is() {
    let mut file = file();
    let id = QueueId::new(file.mail.arrival, 1);
    file.also_held = Some("HOLD of a table".into());
    let who = Actor::Administrator("crm".into());
    let by = By { who, proof: Proof::Api, from: None };
    let comment = "fine".into();
    let approve = Command::Approve { by, comment, only: None, at: None, trust_days: 0 };
    let (approved, _) = file.take(&approve, own_time(1)).unwrap();
    let operated = |deed| approved.operated(deed, "root", own_time(2)).unwrap();
    let (damaged, _) = file.take(&Command::Condemn, own_time(1)).unwrap();
    let damaged = damaged.operated(QueueDeed::Released, "root", own_time(2)).unwrap();
    for (file, state, by) in [
        (&approved, "approved", "administrator crm"),
        (&operated(QueueDeed::Released), "released", "administrator crm"),
        (&operated(QueueDeed::Deleted), "discarded", "administrator root"),
        (&damaged, "released", "administrator root"),
    ] {
        for who in [account("ann", None, true), account("b", Some("boss@own.example"), true)] {
            let view = who.view(id, file).unwrap();
            assert_eq!((&view["state"], &view["decision"]["what"]), (&state.into(), &state.into()));
            assert_eq!(view["decision"]["by"], by);
        }
    }
}

#[tokio::test]
async fn what_a_case_does_not_allow_the_api_refuses_in_its_words() {
    let (app, _directory) = app("");
    let app = Arc::new(app);
    let mut delayed = file();
    let ann: Address = "ann@own.example".parse().unwrap();
    delayed.case.plan.kind = Kind::Delay;
    delayed.case.plan.own_mail = OwnMail::Allowed;
    delayed.case.progress.levels[0].moderators = vec![Moderator::new(ann.clone())];
    let approved = file();
    let (own, of_boss) = (QueueId::new(own_time(1), 1), QueueId::new(own_time(2), 2));
    app.moderation().opened(own, delayed);
    app.moderation().opened(of_boss, approved);
    let api = Api::new(Arc::downgrade(&app));
    let approve = |at, trust_days| Deed::Approve { comment: "".into(), only: None, at, trust_days };
    let ann = account("ann", Some("ann@own.example"), true).caller;
    let boss = account("boss", Some("boss@own.example"), true).caller;
    let long = Deed::Reject { reason: "각".repeat(MOST_WORDS + 1).into() };
    for (caller, id, deed, why) in [
        (&ann, own, approve(None, 65_535), Refused::NoTrust),
        (&ann, own, approve(None, 1), Refused::NoTrust),
        (&boss, of_boss, approve(None, 32), Refused::TrustTooLong),
        (&boss, of_boss, approve(Some(own_time(3)), 0), Refused::Past),
        (&boss, of_boss, long, Refused::TooLong),
    ] {
        let done = api.act(caller, id, deed).await;
        assert_eq!(done, Err(DeedError::Senseless(why.to_string().into())));
    }
    assert_eq!(app.moderation().trusted(), []);
}

#[tokio::test]
async fn a_page_ends_where_an_answer_would_be_too_large_and_the_next_one_goes_on() {
    let (app, _directory) = app("");
    let app = Arc::new(app);
    let ids: Vec<QueueId> = (1..=12).map(|second| QueueId::new(own_time(second), 1)).collect();
    for (number, id) in ids.iter().enumerate() {
        let mut file = file();
        let mut said = file.case.progress.history[0].clone();
        said.words = "말".repeat(4_000).into();
        // A fifth of a page; one of them is more than a whole one.
        let steps = if number == 5 { 100 } else { 17 };
        file.case.progress.history = vec![said; steps];
        app.moderation().opened(*id, file);
    }
    let api = Api::new(Arc::downgrade(&app));
    let who = Who::Token { name: "program".into(), decides: false };
    let caller = Caller { who, from: LOCAL, archive: ArchiveSight::Own };
    let (mut seen, mut pages, mut after) = (Vec::new(), 0, None);
    loop {
        let page = api.list(&caller, Wanted { query: Query::default(), after, limit: 1_000 }).await;
        let bytes: usize = page.held.iter().map(|case| case.to_string().len()).sum();
        assert!(bytes <= LARGEST_PAGE || page.held.len() == 1, "{bytes} bytes");
        seen.extend(page.held.iter().map(|case| case["id"].as_str().unwrap().to_owned()));
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(pages, 4);
    assert_eq!(seen, ids.iter().map(QueueId::to_string).collect::<Vec<_>>(), "each once, in order");
}

const fn own_time(seconds: u64) -> mailweir_mail::Timestamp {
    mailweir_mail::Timestamp::from_secs(seconds)
}
