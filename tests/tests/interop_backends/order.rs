//! Several back ends: they are asked in order, and one that is away is not taken for a "no".

use std::fs;

use mailweir_test_servers::Dovecot;
use mailweir_tests::{installation::Plan, peers::Said, tools, wait};

use crate::{
    clients::{Claim, Client},
    setting::{Setting, USER},
};

#[tokio::test(flavor = "multi_thread")]
async fn who_is_denied_by_the_first_is_asked_for_at_the_second() {
    if !tools::require(&["dovecot", "swaks", "python3"]) {
        return;
    }
    let mut dovecot = Dovecot::with_users(&[(BOB, BOBS)]);
    // It is asked each time: what it said before does not stand in for it.
    let second = format!("type = \"dovecot\"\nsocket = {:?}\ncache_ttl = \"0s\"", dovecot.socket());
    let Some(setting) = setting(&second).await else { return };
    assert_eq!(setting.offered(), ["EXTERNAL", "PLAIN", "LOGIN"], "Dovecot serves no SCRAM");
    setting.show_login(Client::Swaks, ALICE);
    setting.show_login(Client::Swaks, plain(BOB, BOBS));
    setting.show_refusal(Client::Swaks, plain(USER, BOBS));
    setting.show_refusal(Client::Swaks, plain(BOB, ALICES));

    dovecot.stop();
    setting.show_login(Client::Swaks, ALICE);
    // Whoever the first does not let in could be a user of the second.
    for claim in [plain(BOB, BOBS), plain(USER, BOBS), plain("nobody@own.example", BOBS)] {
        let said = swaks(&setting, claim).expect_refused();
        assert!(said.contains(" 454 4.7.0 "), "{claim:?}\n{said}");
    }
    let _ = setting.gateway.expect_log("back end dovecot does not answer and is not waited for: ");

    dovecot.start();
    wait::until("Bob to log in again", wait::PATIENCE, || {
        swaks(&setting, plain(BOB, BOBS)).content.then_some(())
    });
    let _ = setting.gateway.expect_log("back end dovecot answers again");
    setting.show_refusal(Client::Swaks, plain(BOB, ALICES));
}

#[tokio::test(flavor = "multi_thread")]
async fn scram_is_offered_if_all_who_know_passwords_serve_it() {
    if !tools::require(&["swaks", "msmtp", "python3"]) {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("passwd");
    fs::write(&file, format!("{BOB}:{{PLAIN}}{BOBS}\n")).unwrap();
    let second = |scram| format!("type = \"passwd-file\"\nfile = {file:?}\nscram = {scram}");
    let Some(without) = setting(&second(false)).await else { return };
    assert_eq!(without.offered(), ["EXTERNAL", "PLAIN", "LOGIN"]);
    without.show_login(Client::Swaks, plain(BOB, BOBS));
    let Some(with) = setting(&second(true)).await else { return };
    let offered = with.offered();
    assert_eq!(offered.iter().filter(|name| name.starts_with("SCRAM-")).count(), 6, "{offered:?}");
    for (user, secret) in [(USER, ALICES), (BOB, BOBS)] {
        with.show_login(Client::Msmtp, Claim { mechanism: "SCRAM-SHA-256", user, secret });
    }
    let claim = Claim { mechanism: "SCRAM-SHA-256", user: BOB, secret: ALICES };
    with.show_refusal(Client::Msmtp, claim);
}

/// The own users, Alice among them, and then others.
async fn setting(second: &str) -> Option<Setting> {
    let backends = format!("[[auth.backend]]\ntype = \"users\"\n[[auth.backend]]\n{second}\n");
    Setting::of(Plan::new()?.user(USER, ALICES), &backends).await
}

fn swaks(setting: &Setting, claim: Claim<'_>) -> Said {
    Client::Swaks.log_in(setting, claim)
}

const fn plain<'a>(user: &'a str, secret: &'a str) -> Claim<'a> {
    Claim { mechanism: "PLAIN", user, secret }
}

const ALICES: &str = "alice-has-this";
const ALICE: Claim<'_> = plain(USER, ALICES);
const BOB: &str = "bob@own.example";
const BOBS: &str = "bob-has-that";
