//! The store as sessions and the command line use it.

use std::{fs, net::Ipv4Addr, num::NonZeroUsize};

use tempfile::TempDir;
use tokio::time::advance;

use super::*;
use crate::{HashLimits, Password, Proof, Role};

#[tokio::test]
async fn a_user_that_was_added_logs_in_and_nobody_else_does() {
    let home = Home::new();
    let store = home.store();
    store.add(&name("ann"), &new("correct horse")).unwrap();
    assert_eq!(try_login(&store, "ann", "correct horse").await, Ok(()));
    assert_eq!(try_login(&store, "ann", "wrong horse").await, denied(Denial::WrongPassword));
    assert_eq!(try_login(&store, "bob", "correct horse").await, denied(Denial::UnknownUser));
}

#[tokio::test]
async fn c1_an_unknown_user_costs_one_check_just_as_a_wrong_password_does() {
    let home = Home::new();
    home.write(
        "ann:{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA\n\
         bob:{SCRYPT}x\ncarl:\n",
    );
    let store = home.store();
    for (checks_before, (user, denial)) in [
        ("ann", Denial::WrongPassword),
        ("nobody", Denial::UnknownUser),
        ("bob", Denial::NoPassword),
        ("carl", Denial::NoPassword),
        ("ann", Denial::WrongPassword),
        ("nobody", Denial::UnknownUser),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(store.password_checks(), checks_before as u64);
        assert_eq!(try_login(&store, user, "some password").await, denied(denial));
    }
    assert_eq!(store.password_checks(), 6);
}

#[tokio::test]
async fn who_stands_in_the_file_logs_in_by_certificate_and_needs_no_password() {
    let home = Home::new();
    home.write("carl:\nbob:{SCRYPT}x\ndora:in-clear\n");
    let store = home.store();
    store.add(&name("ann"), &new("correct horse")).unwrap();
    for (user, found) in [
        ("ann", Ok(())),
        ("bob", Ok(())),
        ("carl", Ok(())),
        ("dora", denied(Denial::UnknownUser)), // a line with a mistake is nobody's
        ("nobody", denied(Denial::UnknownUser)),
    ] {
        assert_eq!(try_proof(&store, user, Proof::Certificate).await, found, "{user}");
    }
    assert_eq!(try_login(&store, "carl", "correct horse").await, denied(Denial::NoPassword));
}

#[tokio::test]
async fn a_password_gives_keys_for_every_scram_mechanism_and_a_new_one_others() {
    let home = Home::new();
    let store = home.store();
    store.add(&name("ann"), &new("correct horse")).unwrap();
    let mut before = Vec::new();
    for hash in ScramHash::ALL {
        let keys = store.keys(&name("ann"), hash).await.unwrap().keys;
        let password = Password::new("correct horse").unwrap();
        let (salt, iterations) = (keys.salt(), keys.iterations());
        assert_eq!(ScramKeys::derive(hash, &password, salt, iterations), keys);
        before.push(keys);
    }
    store.set_password(&name("ann"), &new("another horse")).unwrap();
    for (hash, old) in ScramHash::ALL.into_iter().zip(before) {
        assert_ne!(store.keys(&name("ann"), hash).await.unwrap().keys, old);
    }
}

#[tokio::test]
async fn who_changes_only_the_hash_by_hand_leaves_no_old_keys() {
    let home = Home::new();
    let store = home.store();
    store.add(&name("ann"), &new("correct horse")).unwrap();
    store.add(&name("bob"), &new("another horse")).unwrap();
    let text = fs::read_to_string(home.path()).unwrap();
    let hash = |line: &str| line.split(':').nth(1).unwrap().to_owned();
    let hashes: Vec<String> = text.lines().map(hash).collect();
    home.write(&text.replace(&hashes[0], &hashes[1]));
    let store = home.store();
    assert_eq!(try_login(&store, "ann", "another horse").await, Ok(()));
    assert!(store.keys(&name("bob"), ScramHash::Sha256).await.is_ok());
    for hash in ScramHash::ALL {
        assert_eq!(store.keys(&name("ann"), hash).await, Err(Denial::NoKeys.into()));
    }
    let [LineProblem { line: 1, what }] = store.problems()[..] else { panic!("one problem") };
    assert!(what.contains("mailweir user passwd"), "{what}");
    store.set_password(&name("ann"), &new("third horse")).unwrap();
    assert!(store.keys(&name("ann"), ScramHash::Sha256).await.is_ok());
    assert_eq!(store.problems(), []);
}

#[tokio::test]
async fn c1_keys_that_can_be_told_from_decoys_count_and_are_named() {
    let home = Home::new();
    let store = home.store();
    store.add(&name("ann"), &new("correct horse")).unwrap();
    assert_eq!(store.problems(), [], "ours cannot");
    let hash = "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA";
    let password = Password::new("correct horse").unwrap();
    for (salt, iterations) in [(&b"sixteen bytes ok"[..], 4_096), (&b"salt"[..], 32_768)] {
        let keys = ScramKeys::derive(ScramHash::Sha256, &password, salt, iterations);
        home.write(&format!("ann:{hash}:scram-sha-256={}\n", keys.to_text()));
        let store = home.store();
        let found = store.keys(&name("ann"), ScramHash::Sha256).await.unwrap();
        assert_eq!(found.keys, keys, "keys without a check value count");
        let [LineProblem { line: 1, what }] = store.problems()[..] else { panic!("one problem") };
        assert!(what.contains("mailweir user passwd"), "{what}");
    }
}

#[tokio::test]
async fn keys_for_cram_md5_are_kept_if_they_are_asked_for_and_end_with_the_password() {
    let home = Home::new();
    let store = home.store();
    let keys = async || store.cram_md5(&name("ann")).await.map(|found| found.keys);
    let none = |keys: Result<_, _>| keys.map(drop) == Err(Denial::NoCramMd5Keys.into());
    assert_eq!(keys().await.map(drop), Err(Denial::UnknownUser.into()));
    store.add(&name("ann"), &new("tanstaaftanstaaf")).unwrap();
    assert!(none(keys().await));
    store.set_password(&name("ann"), &new("tanstaaftanstaaf").kept_for_cram_md5()).unwrap();
    let text = fs::read_to_string(home.path()).unwrap();
    // `doveadm pw -s CRAM-MD5 -p tanstaaftanstaaf`
    let field = "cram-md5=d06d4e1b26fccaa4b0b61801132340a354b21152711fb604ca3e035e7015116b";
    assert!(text.contains(field), "{text}");
    let (challenge, answer) =
        (b"<1896.697170952@postoffice.reston.mci.net>", "b913a602c7eda7a495b4e6e7334d3890");
    assert!(keys().await.unwrap().prove(challenge, answer));
    let elsewhere = home.store().cram_md5(&name("ann")).await.unwrap();
    assert!(elsewhere.keys.prove(challenge, answer));
    store.set_password(&name("ann"), &new("another horse")).unwrap();
    assert!(none(keys().await), "the old password is good for nothing");
    assert!(!fs::read_to_string(home.path()).unwrap().contains("cram-md5"));
}

#[tokio::test]
async fn who_has_no_password_in_the_file_has_no_keys_either() {
    let home = Home::new();
    home.write(
        "old:{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA\n",
    );
    let hash = ScramHash::Sha256;
    let keys = ScramKeys::decoy(hash, b"some keys", "barred").to_text();
    let text = fs::read_to_string(home.path()).unwrap();
    let barred = format!("barred::scram-sha-256={keys}\nlocked:{{LOCKED}}:scram-sha-256={keys}\n");
    home.write(&format!("{text}{barred}"));
    for (user, denial) in [
        ("nobody", Denial::UnknownUser),
        ("old", Denial::NoKeys),
        ("barred", Denial::NoPassword),
        ("locked", Denial::NoPassword),
    ] {
        assert_eq!(home.store().keys(&name(user), hash).await, Err(denial.into()));
    }
}

#[tokio::test]
async fn c3_when_all_places_are_taken_the_answer_is_temporary_and_not_a_denial() {
    let home = Home::new();
    let limits = HashLimits { at_once: NonZeroUsize::MIN, waiting: 0 };
    let store = UserStore::open_with(home.path(), CHEAP, Arc::new(Checks::new(limits))).unwrap();
    store.add(&name("ann"), &new("correct horse")).unwrap();
    let turn = store.checks.turn().await.unwrap();
    for user in ["ann", "nobody"] {
        let busy = try_login(&store, user, "correct horse").await;
        assert!(matches!(busy, Err(DirectoryError::Busy)), "{busy:?}");
    }
    drop(turn);
    assert_eq!(try_login(&store, "ann", "correct horse").await, Ok(()));
}

#[tokio::test]
async fn c3_a_busy_submitter_pays_one_check_in_five_minutes() {
    tokio::time::pause();
    let home = Home::new();
    let store = home.store();
    store.add(&name("ann"), &new("correct horse")).unwrap();
    for _ in 0..3 {
        assert_eq!(try_login(&store, "ann", "correct horse").await, Ok(()));
        assert_eq!(try_login(&store, "Ann", "correct horse").await, Ok(()));
    }
    assert_eq!(store.password_checks(), 1);
    advance(PROVEN_FOR).await;
    assert_eq!(try_login(&store, "ann", "correct horse").await, Ok(()));
    assert_eq!(store.password_checks(), 2);
}

#[tokio::test]
async fn c3_sessions_that_wait_for_the_same_proof_share_it() {
    let home = Home::new();
    let limits = HashLimits { at_once: NonZeroUsize::MIN, waiting: 20 };
    let store =
        Arc::new(UserStore::open_with(home.path(), CHEAP, Arc::new(Checks::new(limits))).unwrap());
    store.add(&name("ann"), &new("correct horse")).unwrap();
    let mut sessions = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let store = Arc::clone(&store);
        sessions.spawn(async move { try_login(&store, "ann", "correct horse").await });
    }
    assert_eq!(sessions.join_all().await, vec![Ok(()); 20]);
    assert_eq!(store.password_checks(), 1);
}

#[tokio::test]
async fn a_changed_password_counts_at_once_and_a_deleted_user_is_out() {
    let home = Home::new();
    let store = home.store();
    store.add(&name("ann"), &new("correct horse")).unwrap();
    assert_eq!(try_login(&store, "ann", "correct horse").await, Ok(()));
    store.set_password(&name("ann"), &new("battery staple")).unwrap();
    assert_eq!(try_login(&store, "ann", "correct horse").await, denied(Denial::WrongPassword));
    assert_eq!(try_login(&store, "ann", "battery staple").await, Ok(()));
    store.delete(&name("ann")).unwrap();
    assert_eq!(try_login(&store, "ann", "battery staple").await, denied(Denial::UnknownUser));
}

#[tokio::test]
async fn another_process_changes_the_file_and_a_second_later_it_counts() {
    tokio::time::pause();
    let home = Home::new();
    let (gateway, command_line) = (home.store(), home.store());
    command_line.add(&name("ann"), &new("correct horse")).unwrap();
    let login = async || try_login(&gateway, "ann", "correct horse").await;
    assert_eq!(login().await, denied(Denial::UnknownUser), "not looked at yet");
    advance(LOOK_EVERY).await;
    assert_eq!(login().await, Ok(()));
    command_line.set_password(&name("ann"), &new("battery staple")).unwrap();
    assert_eq!(login().await, Ok(()), "not looked at yet");
    advance(LOOK_EVERY).await;
    assert_eq!(login().await, denied(Denial::WrongPassword), "no stale proof helps");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_denies_nobody_and_is_tried_again() {
    tokio::time::pause();
    let home = Home::new();
    let store = home.store();
    store.add(&name("ann"), &new("correct horse")).unwrap();
    let good = fs::read(home.path()).unwrap();
    fs::write(home.path(), b"\xff\xff").unwrap();
    advance(LOOK_EVERY).await;
    for _ in 0..2 {
        let failure = try_login(&store, "ann", "correct horse").await;
        assert!(matches!(failure, Err(DirectoryError::Unavailable(_))), "{failure:?}");
    }
    fs::write(home.path(), good).unwrap();
    assert_eq!(try_login(&store, "ann", "correct horse").await, Ok(()));
}

#[tokio::test]
async fn roles_come_with_every_way_to_log_in_and_change_at_once() {
    let home = Home::new();
    let store = home.store();
    store.add(&name("ann"), &new("correct horse")).unwrap();
    for text in ["sender,moderator", "auditor", ""] {
        store.change_roles(&name("ann"), RoleChange::Set(roles(text))).unwrap();
        for way in ["checked", "remembered"] {
            let found = identify(&store, "ann", "correct horse").await.unwrap();
            assert_eq!(found.roles(), roles(text), "{way}");
        }
        let found = store.keys(&name("ann"), ScramHash::Sha256).await.unwrap();
        assert_eq!(found.identity.roles(), roles(text));
        assert_eq!(store.list().unwrap()[0].roles, roles(text));
    }
}

#[test]
fn a_sender_who_gets_a_role_stays_a_sender_and_the_last_role_is_not_taken_away() {
    let home = Home::new();
    let store = home.store();
    store.add_without_password(&name("ann")).unwrap();
    let adjust = |add, remove| {
        let change = RoleChange::Adjust { add: roles(add), remove: roles(remove) };
        store.change_roles(&name("ann"), change)
    };
    assert_eq!(adjust("moderator", "").unwrap(), roles("sender,moderator"));
    assert_eq!(adjust("auditor", "sender,moderator").unwrap(), roles("auditor"));
    let refused = adjust("moderator", "moderator,auditor");
    assert!(matches!(refused, Err(StoreError::NoRoleLeft(_))), "{refused:?}");
    assert_eq!(store.list().unwrap()[0].roles, roles("auditor"));
    home.write("ann::role=auditor,root\n");
    let refused = adjust("moderator", "");
    assert!(matches!(refused, Err(StoreError::UnreadableRoles(_))), "{refused:?}");
    assert_eq!(store.change_roles(&name("ann"), RoleChange::Set(Roles::EMPTY)).unwrap(), roles(""));
    assert_eq!(fs::read_to_string(home.path()).unwrap(), "ann:\n");
    let refused = store.change_roles(&name("bob"), RoleChange::Set(roles("auditor")));
    assert!(matches!(refused, Err(StoreError::NoSuchUser(_))), "{refused:?}");
}

#[tokio::test]
async fn c1_who_has_unreadable_roles_logs_in_by_nothing_and_costs_as_much_as_ever() {
    let home = Home::new();
    let store = home.store();
    let ann = name("ann");
    store.add(&ann, &new("correct horse").kept_for_cram_md5()).unwrap();
    store.change_roles(&ann, RoleChange::Set(Role::Auditor.into())).unwrap();
    let secret = store.add_app_password(&ann, &app("tv")).unwrap();
    let text = fs::read_to_string(home.path()).unwrap();
    home.write(&text.replace("role=auditor", "role=auditer"));
    let store = home.store();
    assert!(store.problems()[0].to_string().starts_with("line 1: a role is unknown"));
    let checks = store.password_checks();
    for password in ["correct horse", "wrong horse", &secret.reveal()] {
        assert_eq!(try_login(&store, "ann", password).await, denied(odd_roles()));
    }
    assert_eq!(store.password_checks(), checks + 3);
    assert_eq!(try_proof(&store, "ann", Proof::Certificate).await, denied(odd_roles()));
    let keys = store.keys(&ann, ScramHash::Sha256).await;
    assert_eq!(keys, Err(odd_roles().into()));
    let keys = store.cram_md5(&ann).await.map(drop);
    assert_eq!(keys, denied(odd_roles()));
    assert!(store.list().unwrap()[0].has_unreadable_roles);
    store.change_roles(&ann, RoleChange::Set(Role::Auditor.into())).unwrap();
    let found = identify(&store, "ann", "correct horse").await.unwrap();
    assert!(found.is(Role::Auditor) && !found.is(Role::Sender));
    assert!(!store.list().unwrap()[0].has_unreadable_roles);
}

#[tokio::test]
async fn c1_a_disabled_user_logs_in_by_nothing_and_costs_as_much_as_ever() {
    let home = Home::new();
    let store = home.store();
    store.add(&name("ann"), &new("correct horse")).unwrap();
    assert_eq!(try_login(&store, "ann", "correct horse").await, Ok(()));
    let before = fs::read_to_string(home.path()).unwrap();
    store.set_disabled(&name("ann"), true).unwrap();
    let checks = store.password_checks();
    for password in ["correct horse", "wrong horse"] {
        assert_eq!(try_login(&store, "ann", password).await, denied(Denial::Disabled));
    }
    assert_eq!(store.password_checks(), checks + 2);
    let keys = store.keys(&name("ann"), ScramHash::Sha256).await;
    assert_eq!(keys, Err(Denial::Disabled.into()));
    store.set_password(&name("ann"), &new("correct horse")).unwrap();
    assert_eq!(try_login(&store, "ann", "correct horse").await, denied(Denial::Disabled));
    assert!(store.list().unwrap()[0].disabled);
    home.write(&before);
    store.set_disabled(&name("ann"), true).unwrap();
    store.set_disabled(&name("ann"), false).unwrap();
    assert_eq!(fs::read_to_string(home.path()).unwrap(), before, "nothing was lost");
    assert_eq!(try_login(&store, "ann", "correct horse").await, Ok(()));
}

#[tokio::test]
async fn an_app_password_logs_its_user_in_as_a_sender_and_leaves_the_password_alone() {
    let home = Home::new();
    let store = home.store();
    store.add(&name("ann"), &new("correct horse")).unwrap();
    store.change_roles(&name("ann"), RoleChange::Set(roles("sender,administrator"))).unwrap();
    let tv = store.add_app_password(&name("ann"), &app("tv")).unwrap();
    let scan = AppPassword { senders: Some("scan@own.example".parse().unwrap()), ..app("scanner") };
    let scanner = store.add_app_password(&name("ann"), &scan).unwrap();
    let found = identify(&store, "ann", &tv.reveal()).await.unwrap();
    assert_eq!((found.roles(), found.credential()), (Role::Sender.into(), Some("tv")));
    assert_eq!(found.senders(), None);
    let found = identify(&store, "ann", &scanner.reveal()).await.unwrap();
    assert_eq!((found.senders(), found.credential()), (scan.senders.as_ref(), Some("scanner")));
    assert_eq!(store.password_checks(), 0, "a random secret needs no slow check");
    let found = identify(&store, "ann", "correct horse").await.unwrap();
    assert_eq!((found.roles(), found.credential()), (roles("sender,administrator"), None));
    store.add(&name("bob"), &new("correct horse")).unwrap();
    assert_eq!(try_login(&store, "bob", &tv.reveal()).await, denied(Denial::WrongPassword));
}

#[tokio::test]
async fn a_user_may_have_app_passwords_and_no_other() {
    let home = Home::new();
    let store = home.store();
    store.add_without_password(&name("printer")).unwrap();
    let secret = store.add_app_password(&name("printer"), &app("p1")).unwrap();
    assert_eq!(try_login(&store, "printer", &secret.reveal()).await, Ok(()));
    assert_eq!(try_login(&store, "printer", "correct horse").await, denied(Denial::NoPassword));
    store.set_disabled(&name("printer"), true).unwrap();
    assert_eq!(try_login(&store, "printer", &secret.reveal()).await, denied(Denial::Disabled));
    store.set_disabled(&name("printer"), false).unwrap();
    store.change_roles(&name("printer"), RoleChange::Set(roles("auditor"))).unwrap();
    assert_eq!(try_login(&store, "printer", &secret.reveal()).await, denied(Denial::NoSender));
}

#[tokio::test]
async fn c1_a_right_app_password_in_the_wrong_place_costs_what_a_wrong_password_costs() {
    let home = Home::new();
    let store = home.store();
    store.add(&name("ann"), &new("correct horse")).unwrap();
    let limited = |label, listener: Option<&str>, network: &str, expires: Option<&str>| {
        let app = AppPassword {
            listeners: listener.into_iter().map(Into::into).collect(),
            networks: vec![network.parse().unwrap()],
            expires: expires.map(|day| day.parse().unwrap()),
            ..app(label)
        };
        store.add_app_password(&name("ann"), &app).unwrap().reveal()
    };
    let good = limited("good", Some("submission"), "127.0.0.0/8", Some("9999-12-31"));
    let elsewhere = limited("elsewhere", Some("smtps"), "127.0.0.0/8", None);
    let outside = limited("outside", None, "192.0.2.0/24", None);
    let old = limited("old", None, "127.0.0.0/8", Some("2001-01-01"));
    let nobodys = AppSecret::random().unwrap().reveal();
    assert_eq!(try_login(&store, "ann", &good).await, Ok(()));
    for (before, (user, secret, denial)) in [
        ("ann", &elsewhere, Denial::OtherListener),
        ("ann", &outside, Denial::OtherNetwork),
        ("ann", &old, Denial::Expired),
        ("ann", &nobodys, Denial::WrongPassword),
        ("nobody", &good, Denial::UnknownUser),
        ("ann", &elsewhere, Denial::OtherListener),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(store.password_checks(), before as u64);
        assert_eq!(try_login(&store, user, secret).await, denied(denial));
    }
    let smtps = Attempt { listener: "smtps".into(), ..attempt() };
    assert!(identify_in(&store, "ann", &elsewhere, &smtps).await.is_ok());
}

#[tokio::test]
async fn app_passwords_are_listed_and_deleted_by_their_labels() {
    let home = Home::new();
    let store = home.store();
    store.add(&name("ann"), &new("correct horse")).unwrap();
    let secret = store.add_app_password(&name("ann"), &app("tv")).unwrap();
    let again = store.add_app_password(&name("ann"), &app("tv"));
    assert!(matches!(again, Err(StoreError::AppPasswordExists(..))), "{again:?}");
    let quoted = AppPassword { senders: Some("\"a b\"@own.example".parse().unwrap()), ..app("x") };
    let refused = store.add_app_password(&name("ann"), &quoted);
    assert!(matches!(refused, Err(StoreError::Unwritable)), "{refused:?}");
    store.set_password(&name("ann"), &new("another horse")).unwrap();
    let listed = store.list().unwrap().remove(0).app_passwords;
    let created = listed[0].created;
    assert!(created.is_some());
    assert_eq!(listed, [AppPassword { created, ..app("tv") }]);
    assert_eq!(try_login(&store, "ann", &secret.reveal()).await, Ok(()), "it outlives the other");
    store.delete_app_password(&name("ann"), &label("tv")).unwrap();
    assert_eq!(try_login(&store, "ann", &secret.reveal()).await, denied(Denial::WrongPassword));
    let gone = store.delete_app_password(&name("ann"), &label("tv"));
    assert!(matches!(gone, Err(StoreError::NoSuchAppPassword(..))), "{gone:?}");
    // One that a later version wrote does not count, is named, and can be deleted all the same.
    home.write("ann::app=tv {SHA256}x once=yes\n");
    assert_eq!(home.store().problems().len(), 1);
    store.delete_app_password(&name("ann"), &label("tv")).unwrap();
    assert_eq!(fs::read_to_string(home.path()).unwrap(), "ann:\n");
}

#[test]
fn users_are_listed_in_the_order_of_the_file() {
    let home = Home::new();
    home.write("# ours\nzoe:{SCRYPT}x\n");
    let store = home.store();
    store.add(&name("ann"), &new("correct horse")).unwrap();
    let listed: Vec<_> = store
        .list()
        .unwrap()
        .into_iter()
        .map(|user| (user.name.to_string(), user.scheme))
        .collect();
    assert_eq!(listed, [("zoe".into(), "SCRYPT".into()), ("ann".into(), "ARGON2ID".into())]);
}

#[test]
fn mistakes_on_the_command_line_change_nothing() {
    let home = Home::new();
    let store = home.store();
    store.add(&name("ann"), &new("correct horse")).unwrap();
    let before = (fs::read(home.path()).unwrap(), modified(&home));
    assert!(matches!(
        store.add(&name("ANN"), &new("battery staple")),
        Err(StoreError::UserExists(_))
    ));
    assert!(matches!(
        store.set_password(&name("bob"), &new("battery staple")),
        Err(StoreError::NoSuchUser(_))
    ));
    assert!(matches!(store.delete(&name("bob")), Err(StoreError::NoSuchUser(_))));
    assert_eq!((fs::read(home.path()).unwrap(), modified(&home)), before);
}

#[test]
fn two_writers_lose_no_user() {
    let home = Home::new();
    let (one, two) = (home.store(), home.store());
    std::thread::scope(|scope| {
        for (store, prefix) in [(&one, "a"), (&two, "b")] {
            scope.spawn(move || {
                for i in 0..10 {
                    store.add(&name(&format!("{prefix}{i}")), &new("correct horse")).unwrap();
                }
            });
        }
    });
    assert_eq!(one.list().unwrap().len(), 20);
}

#[test]
fn lines_with_mistakes_are_reported_with_their_numbers() {
    let home = Home::new();
    home.write("ann:correct horse\n");
    let problems = home.store().problems();
    assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn c7_no_error_no_debug_output_and_no_file_shows_a_password() {
    let home = Home::new();
    let store = home.store();
    store.add(&name("ann"), &new("correct horse")).unwrap();
    let secret = store.add_app_password(&name("ann"), &app("tv")).unwrap();
    let shown = format!(
        "{store:?} {secret:?} {:?} {:?} {:?}",
        store.list(),
        try_login(&store, "ann", "correct horse2").await,
        store.add(&name("ann"), &new("correct horse")),
    );
    assert!(!shown.contains("correct") && !shown.contains("$argon2id"), "{shown}");
    assert!(!shown.contains("{SHA256}"), "{shown}");
    let file = fs::read_to_string(home.path()).unwrap();
    let (shown, typed) = (secret.reveal(), secret.reveal().replace('-', ""));
    assert!(!file.contains("correct") && !file.contains(&*shown) && !file.contains(&typed));
}

/// A directory with a users file, gone at the end of the test.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("users")
    }

    fn store(&self) -> UserStore {
        let checks = Arc::new(Checks::new(HashLimits::default()));
        UserStore::open_with(self.path(), CHEAP, checks).unwrap()
    }

    fn write(&self, text: &str) {
        fs::write(self.path(), text).unwrap();
    }
}

async fn try_login(store: &UserStore, user: &str, password: &str) -> Result<(), DirectoryError> {
    identify(store, user, password).await.map(drop)
}

async fn try_proof(store: &UserStore, user: &str, proof: Proof) -> Result<(), DirectoryError> {
    let credentials = Credentials::new(Mechanism::External, name(user), proof);
    store.verify(&credentials, &attempt()).await.map(drop)
}

async fn identify(
    store: &UserStore,
    user: &str,
    password: &str,
) -> Result<Identity, DirectoryError> {
    identify_in(store, user, password, &attempt()).await
}

async fn identify_in(
    store: &UserStore,
    user: &str,
    password: &str,
    attempt: &Attempt,
) -> Result<Identity, DirectoryError> {
    let password = Password::new(password).unwrap();
    let credentials = Credentials::new(Mechanism::Plain, name(user), Proof::Password(password));
    let identity = store.verify(&credentials, attempt).await?;
    assert_eq!(identity.user(), credentials.user());
    Ok(identity)
}

fn attempt() -> Attempt {
    Attempt {
        client: Ipv4Addr::LOCALHOST.into(),
        listener: "submission".into(),
        tls: true,
        now: std::time::Instant::now(),
    }
}

fn roles(text: &str) -> Roles {
    text.parse().unwrap()
}

fn odd_roles() -> Denial {
    Denial::UnreadableRoles(super::fields::UNKNOWN_ROLE)
}

fn denied(denial: Denial) -> Result<(), DirectoryError> {
    Err(denial.into())
}

fn modified(home: &Home) -> SystemTime {
    fs::metadata(home.path()).unwrap().modified().unwrap()
}

fn name(text: &str) -> UserName {
    text.parse().unwrap()
}

fn app(text: &str) -> AppPassword {
    AppPassword::new(label(text))
}

fn label(text: &str) -> AppLabel {
    text.parse().unwrap()
}

fn new(password: &str) -> NewPassword {
    NewPassword::new(password).unwrap()
}

const CHEAP: HashCost = HashCost { memory_kib: 8, passes: 1 };
