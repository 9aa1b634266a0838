//! Users of a real OpenLDAP server log in.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{net::Ipv4Addr, num::NonZeroUsize, path::PathBuf, sync::Arc, time::Duration};

use mailweir_auth::{
    Attempt, Checks, Credentials, Decoys, Denial, Directory as _, DirectoryError, GroupRole,
    HashLimits, Identity, Ldap, LdapScope, LdapSettings, LdapSettingsError, Mechanism, Password,
    PasswordCheck, Proof, Role, Roles, ScramHash, ServiceAccount, UserSearch,
};
use mailweir_test_servers::{Person, Slapd, tools};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

#[tokio::test]
async fn who_is_found_by_a_search_binds_with_the_right_password() {
    let Some(slapd) = slapd() else { return };
    let ldap = open(by_search(&slapd.url()));
    assert_eq!(log_in(&ldap, "ann@example.org", "ann's secret").await, is("ann@example.org"));
    assert_eq!(log_in(&ldap, "ANN@Example.Org", "ann's secret").await, is("ann@example.org"));
    let wrong = log_in(&ldap, "ann@example.org", "bob's secret").await;
    assert_eq!(wrong, denied(Denial::WrongPassword));
    let unknown = log_in(&ldap, "nobody@example.org", "ann's secret").await;
    assert_eq!(unknown, denied(Denial::UnknownUser));
    assert!(ldap.serves(Mechanism::Plain) && ldap.serves(Mechanism::Login));
    assert!(!ldap.serves(Mechanism::Scram(ScramHash::Sha256)));
}

#[tokio::test]
async fn a_socket_and_an_anonymous_search_will_do() {
    let Some(slapd) = slapd() else { return };
    let ldap = open(LdapSettings { account: None, ..by_search(&slapd.socket_url()) });
    assert_eq!(log_in(&ldap, "ann@example.org", "ann's secret").await, is("ann@example.org"));
    let wrong = log_in(&ldap, "ann@example.org", "wrong").await;
    assert_eq!(wrong, denied(Denial::WrongPassword));
}

#[tokio::test]
async fn c1_for_an_unknown_user_a_bind_is_made_that_cannot_succeed() {
    let Some(slapd) = slapd() else { return };
    let ldap = open(by_search(&slapd.url()));
    let unknown = log_in(&ldap, "nobody@example.org", "ann's secret").await;
    assert_eq!(unknown, denied(Denial::UnknownUser));
    let log = slapd.log();
    assert!(log.contains("BIND dn=\"cn=nobody-"), "{log}");
}

#[tokio::test]
async fn a_template_of_a_dn_needs_no_search() {
    let Some(slapd) = slapd() else { return };
    let ldap = open(directly(&slapd.url()));
    assert_eq!(log_in(&ldap, "ann", "ann's secret").await, is("ann"));
    assert_eq!(log_in(&ldap, "ann", "wrong").await, denied(Denial::WrongPassword));
    // OpenLDAP does not tell an unknown DN from a wrong password.
    assert_eq!(log_in(&ldap, "nobody", "wrong").await, denied(Denial::WrongPassword));
    let log = slapd.log();
    assert!(!log.contains("SRCH"), "{log}");
    let local = open(LdapSettings {
        user_dn: Some(format!("uid={{local}},{}", Slapd::PEOPLE).into()),
        name_attribute: Some("mail".into()),
        ..LdapSettings::new(slapd.url())
    });
    let ann = log_in(&local, "ann@elsewhere.example", "ann's secret").await;
    assert_eq!(ann, is("ann@example.org"), "who it is stands in the directory");
}

#[tokio::test]
async fn names_that_mean_something_to_ldap_are_just_names() {
    let Some(slapd) = slapd() else { return };
    let search = open(by_search_of("(|(uid={user})(mail={user}))", &slapd.url()));
    let direct = open(directly(&slapd.url()));
    for name in ["*", "a*", "ann)(uid=*", "*)(objectclass=*", "ann\\2a", "\\61nn", "(ann)"] {
        let outcome = log_in(&search, name, "ann's secret").await;
        assert_eq!(outcome, denied(Denial::UnknownUser), "{name}");
    }
    let extended = format!("ann,{}", Slapd::PEOPLE);
    for name in [&*extended, "ann+cn=ann", "\"ann\"", "an\\6e", "ann,", "=ann", "ann;x"] {
        let outcome = log_in(&direct, name, "ann's secret").await;
        assert_eq!(outcome, denied(Denial::WrongPassword), "{name}");
    }
    for ldap in [&search, &direct] {
        assert_eq!(log_in(ldap, "j\u{f6}rg", "j\u{f6}rg's secret").await, is("j\u{f6}rg"));
        assert_eq!(log_in(ldap, "odd(*)", "odd secret").await, is("odd(*)"));
        assert_eq!(log_in(ldap, "one,two", "odd secret").await, is("one,two"));
    }
}

/// Else anybody could make the server look as if it were down.
#[tokio::test]
async fn what_an_attribute_cannot_hold_is_no_failure_of_the_server() {
    let Some(slapd) = slapd() else { return };
    let user_dn: Option<Box<str>> = Some(format!("mail={{user}},{}", Slapd::PEOPLE).into());
    let bind = LdapSettings { user_dn, ..LdapSettings::new(slapd.url()) };
    let unknown = log_in(&open(bind.clone()), "j\u{f6}rg", "secret").await;
    assert_eq!(unknown, denied(Denial::UnknownUser));
    let unknown =
        log_in(&open(LdapSettings { password: read(false), ..bind }), "j\u{f6}rg", "x").await;
    assert_eq!(unknown, denied(Denial::UnknownUser));
    let password = PasswordCheck::Compare { attribute: "mail".into() };
    let compare = open(LdapSettings { password, ..by_search(&slapd.url()) });
    let wrong = log_in(&compare, "ann@example.org", "j\u{f6}rg").await;
    assert_eq!(wrong, denied(Denial::WrongPassword));
}

#[tokio::test]
async fn a_filter_says_who_may_log_in_after_a_direct_bind() {
    let Some(slapd) = slapd() else { return };
    let user_dn = Some(format!("uid={{user}},{}", Slapd::PEOPLE).into());
    let settings = by_search_of("(&(uid={user})(carLicense=PIN*))", &slapd.url());
    let name_attribute = Some("mail".into());
    let ldap = open(LdapSettings { user_dn, name_attribute, ..settings });
    assert_eq!(log_in(&ldap, "ann", "ann's secret").await, is("ann@example.org"));
    assert_eq!(log_in(&ldap, "bob", "bob's secret").await, denied(Denial::UnknownUser));
}

#[tokio::test]
async fn whoever_a_search_finds_after_a_direct_bind_has_that_password_too() {
    let Some(slapd) = slapd() else { return };
    let ssha = Slapd::hashed("{SSHA}", "ann's secret");
    for (uid, mail, password) in
        [("ann-s", "ann@sales.example", "another"), ("ann-t", "ann@twin.example", &*ssha)]
    {
        slapd.add(&format!(
            "dn: {dn}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n\
             mail: {mail}\nuserPassword: {password}\n",
            dn = Slapd::dn(uid),
        ));
    }
    let with_account = LdapSettings {
        user_dn: Some(format!("uid={{local}},{}", Slapd::PEOPLE).into()),
        name_attribute: Some("mail".into()),
        ..by_search(&slapd.url())
    };
    let as_the_user = LdapSettings { account: None, ..with_account.clone() };
    for settings in [with_account, as_the_user] {
        let ldap = open(settings);
        let ann = async |user| log_in(&ldap, user, "ann's secret").await;
        assert_eq!(ann("ann@example.org").await, is("ann@example.org"));
        assert_eq!(ann("ann@sales.example").await, denied(Denial::UnknownUser));
        assert_eq!(ann("ann@twin.example").await, is("ann@twin.example"));
        assert_eq!(ann("ann@nowhere.example").await, denied(Denial::UnknownUser));
    }
}

#[tokio::test]
async fn a_name_of_two_entries_is_nobody() {
    let Some(slapd) = slapd() else { return };
    let ldap = open(by_search_of("(|(uid={user})(uid=ann)(uid=bob))", &slapd.url()));
    let denial = log_in(&ldap, "ann", "ann's secret").await;
    assert_eq!(denial, denied(Denial::SeveralUsers));
}

#[tokio::test]
async fn an_attribute_is_compared() {
    let Some(slapd) = slapd() else { return };
    let password = PasswordCheck::Compare { attribute: "carLicense".into() };
    let ldap = open(LdapSettings { password, ..by_search(&slapd.url()) });
    assert_eq!(log_in(&ldap, "ann@example.org", "PIN 4711").await, is("ann@example.org"));
    let wrong = log_in(&ldap, "ann@example.org", "PIN 4712").await;
    assert_eq!(wrong, denied(Denial::WrongPassword));
    let none = log_in(&ldap, "bob@example.org", "PIN 4711").await;
    assert_eq!(none, denied(Denial::NoPassword));
    let unknown = log_in(&ldap, "nobody@example.org", "PIN 4711").await;
    assert_eq!(unknown, denied(Denial::UnknownUser));
    assert!(slapd.log().contains("CMP dn=\"cn=nobody-"), "{}", slapd.log());
}

#[tokio::test]
async fn what_the_server_keeps_is_read_and_checked_here() {
    let Some(slapd) = slapd() else { return };
    let ldap = open(LdapSettings { password: read(true), ..by_search(&slapd.url()) });
    let argon = log_in(&ldap, "argon@example.org", "argon's secret").await;
    assert_eq!(argon, is("argon@example.org"));
    for (user, password) in [("ann@example.org", "ann's secret"), ("bare@example.org", "bare")] {
        assert_eq!(log_in(&ldap, user, password).await, is(user), "{{SSHA}} of slappasswd");
        assert_eq!(log_in(&ldap, user, "wrong").await, denied(Denial::WrongPassword), "{user}");
    }
    let wrong = log_in(&ldap, "argon@example.org", "wrong").await;
    assert_eq!(wrong, denied(Denial::WrongPassword));
    // In clear, and so without a scheme.
    let none = log_in(&ldap, "bob@example.org", "bob's secret").await;
    assert_eq!(none, denied(Denial::NoPassword));
    let unknown = log_in(&ldap, "nobody@example.org", "argon's secret").await;
    assert_eq!(unknown, denied(Denial::UnknownUser));
    let by_dn = open(LdapSettings {
        search: None,
        user_dn: Some(format!("uid={{user}},{}", Slapd::PEOPLE).into()),
        password: read(false),
        ..by_search(&slapd.url())
    });
    assert_eq!(log_in(&by_dn, "argon", "argon's secret").await, is("argon"));
    assert_eq!(log_in(&by_dn, "nobody", "argon's secret").await, denied(Denial::UnknownUser));
}

#[tokio::test]
async fn scram_keys_are_read() {
    let Some(slapd) = slapd() else { return };
    let groups = vec![group(slapd.add_group("Auditors", &["argon"]), Role::Auditor)];
    let settings = LdapSettings { password: read(true), groups, ..by_search(&slapd.url()) };
    let ldap = open(LdapSettings { name_attribute: Some("uid".into()), ..settings });
    assert!(ldap.serves(Mechanism::ScramPlus(ScramHash::Sha256)));
    let keys = async |name: &str, hash| ldap.keys(&name.parse().unwrap(), hash).await;
    let expected = mailweir_auth::ScramKeys::parse(ScramHash::Sha256, SCRAM).unwrap();
    let argon = keys("argon@example.org", ScramHash::Sha256).await.unwrap();
    assert_eq!(argon.keys, expected);
    assert_eq!(Ok(argon.identity), is("argon").map(|who| who.with_roles(Role::Auditor.into())));
    let other = keys("argon@example.org", ScramHash::Sha512).await.unwrap_err();
    assert_eq!(other, Denial::NoKeys.into());
    let unknown = keys("nobody@example.org", ScramHash::Sha256).await.unwrap_err();
    assert_eq!(unknown, Denial::UnknownUser.into());
    let not_asked_for = open(LdapSettings { password: read(false), ..by_search(&slapd.url()) });
    assert!(!not_asked_for.serves(Mechanism::Scram(ScramHash::Sha256)));
}

#[tokio::test]
async fn keys_for_cram_md5_are_made_of_a_password_in_clear() {
    let Some(slapd) = slapd() else { return };
    let password = PasswordCheck::Read {
        attribute: "userPassword".into(),
        default_scheme: Some("PLAIN".parse().unwrap()),
        scram: false,
    };
    let groups = vec![group(slapd.add_group("Auditors", &["bob"]), Role::Auditor)];
    let ldap = open(LdapSettings { password, groups, ..by_search(&slapd.url()) });
    assert!(ldap.serves(Mechanism::CramMd5));
    assert!(!open(by_search(&slapd.url())).serves(Mechanism::CramMd5), "it cannot read them");
    let keys = async |name: &str| ldap.cram_md5(&name.parse().unwrap()).await;
    let bob = keys("bob@example.org").await.unwrap();
    // `printf '<1@x>' | openssl dgst -md5 -hmac "bob's secret"`
    assert!(bob.keys.prove(b"<1@x>", BOBS_ANSWER));
    assert_eq!(
        Ok(bob.identity),
        is("bob@example.org").map(|who| who.with_roles(Role::Auditor.into()))
    );
    for (name, denial) in
        [("ann@example.org", Denial::NoCramMd5Keys), ("nobody@example.org", Denial::UnknownUser)]
    {
        assert_eq!(keys(name).await.map(|found| found.identity), denied(denial));
    }
}

#[tokio::test]
async fn passwords_without_a_scheme_have_the_default_one() {
    let Some(slapd) = slapd() else { return };
    let password = |default_scheme: Option<&str>| PasswordCheck::Read {
        attribute: "carLicense".into(),
        default_scheme: default_scheme.map(|name| name.parse().unwrap()),
        scram: false,
    };
    let argon2id = password(Some("ARGON2ID"));
    let ldap = open(LdapSettings { password: argon2id, ..by_search(&slapd.url()) });
    assert_eq!(log_in(&ldap, "cara@example.org", "argon's secret").await, is("cara@example.org"));
    let ldap = open(LdapSettings { password: password(None), ..by_search(&slapd.url()) });
    let unreadable = log_in(&ldap, "ann@example.org", "PIN 4711").await;
    assert_eq!(unreadable, denied(Denial::NoPassword));
}

#[tokio::test]
async fn tls_is_spoken_with_a_server_that_the_authority_vouches_for() {
    let Some(slapd) = slapd() else { return };
    for (url, starttls) in [(slapd.tls_url(), false), (slapd.url(), true)] {
        let with = |url: &str, ca_file: Option<PathBuf>| {
            open(LdapSettings { starttls, ca_file, ..by_search(url) })
        };
        let ann = async |ldap: Ldap| log_in(&ldap, "ann@example.org", "ann's secret").await;
        let ours = Some(slapd.ca_file());
        assert_eq!(ann(with(&url, ours.clone())).await, is("ann@example.org"), "{url}");
        let by_address = url.replace("localhost", "127.0.0.1");
        for (url, ca_file, why) in [
            (&url, Some(slapd.other_ca_file()), "invalid peer certificate"),
            (&url, None, "UnknownIssuer"),
            (&by_address, ours, "not valid for name"),
        ] {
            let outcome = ann(with(url, ca_file)).await;
            expect_unavailable(outcome, &[url, why, "check ca_file"]);
        }
    }
    assert!(slapd.log().contains("TLS established"), "{}", slapd.log());
}

#[tokio::test]
async fn members_of_groups_have_roles() {
    let Some(slapd) = slapd() else { return };
    let groups = vec![
        group(slapd.add_group("Moderators", &["ann", "bob"]), Role::Moderator),
        group(slapd.add_group("Staff", &["ann"]), Role::HelpDesk),
        group(format!("cn=absent,{}", Slapd::BASE), Role::Administrator),
    ];
    let member_of = LdapSettings { groups: groups.clone(), ..by_search(&slapd.url()) };
    let shouted = groups.iter().map(|one| group(one.group.to_uppercase(), one.role)).collect();
    let by_filter = LdapSettings {
        groups,
        member_of: None,
        group_filter: Some("(&(objectClass=groupOfNames)(member={dn}))".into()),
        ..by_search(&slapd.url())
    };
    let as_the_user = LdapSettings {
        account: None,
        user_dn: Some(format!("uid={{local}},{}", Slapd::PEOPLE).into()),
        ..by_filter.clone()
    };
    let in_capitals = LdapSettings { groups: shouted, ..member_of.clone() };
    for settings in [member_of, by_filter, as_the_user, in_capitals] {
        let ldap = open(settings.clone());
        for (user, password, roles) in [
            ("ann@example.org", "ann's secret", "moderator,help-desk"),
            ("bob@example.org", "bob's secret", "moderator"),
            ("bare@example.org", "bare", ""),
        ] {
            let identity = log_in(&ldap, user, password).await;
            let roles: Roles = roles.parse().unwrap();
            let expected = is(user).map(|identity| identity.with_roles(roles));
            assert_eq!(identity, expected, "{settings:?}");
        }
    }
}

#[tokio::test]
async fn who_somebody_is_may_stand_in_an_attribute() {
    let Some(slapd) = slapd() else { return };
    let named = |filter: &str| {
        let name_attribute = Some("MAIL".into());
        open(LdapSettings { name_attribute, ..by_search_of(filter, &slapd.url()) })
    };
    let by_uid = named("(uid={user})");
    assert_eq!(log_in(&by_uid, "ann", "ann's secret").await, is("ann@example.org"));
    let several = log_in(&by_uid, "cara", "cara's secret").await;
    assert_eq!(several, denied(Denial::NoName));
    let none = log_in(&by_uid, "j\u{f6}rg", "j\u{f6}rg's secret").await;
    assert_eq!(none, denied(Denial::NoName));
    let by_mail = named("(mail={user})");
    for name in ["cara@example.org", "cara@example.net"] {
        assert_eq!(log_in(&by_mail, name, "cara's secret").await, is(name));
    }
}

#[tokio::test]
async fn a_server_that_is_down_is_unavailable_and_once_it_is_up_all_is_well() {
    let Some(mut slapd) = slapd() else { return };
    let ldap = open(by_search(&slapd.url()));
    let ann = async || log_in(&ldap, "ann@example.org", "ann's secret").await;
    assert_eq!(ann().await, is("ann@example.org"));
    slapd.stop();
    expect_unavailable(ann().await, &[&slapd.url(), "Connection refused", "is it running"]);
    slapd.start();
    assert_eq!(ann().await, is("ann@example.org"));
    // The connections of before are dead, and nobody has noticed.
    slapd.start();
    assert_eq!(ann().await, is("ann@example.org"));
}

#[tokio::test]
async fn a_service_account_that_is_refused_is_no_fault_of_the_user() {
    let Some(slapd) = slapd() else { return };
    for dn in [Slapd::READER, "cn=nobody,dc=example,dc=org", "not a dn"] {
        let account = Some(account(dn, "a wrong secret"));
        let ldap = open(LdapSettings { account, ..by_search(&slapd.url()) });
        let outcome = log_in(&ldap, "ann@example.org", "ann's secret").await;
        expect_unavailable(outcome, &[&slapd.url(), dn, "service account", "password"]);
    }
    let ldap = open(by_search_below("dc=absent,dc=example", &slapd.url()));
    let outcome = log_in(&ldap, "ann@example.org", "ann's secret").await;
    expect_unavailable(outcome, &["noSuchObject", "check the base"]);
    let upn = Some("{user}@corp.example".into());
    let ldap = open(LdapSettings { user_dn: upn, ..by_search(&slapd.url()) });
    let outcome = log_in(&ldap, "ann@example.org", "ann's secret").await;
    expect_unavailable(outcome, &["invalidDNSyntax", "check user_dn"]);
}

#[tokio::test]
async fn connections_are_few_and_used_again() {
    let Some(slapd) = slapd() else { return };
    let before = slapd.log().matches(" ACCEPT ").count();
    let ldap = Arc::new(open(by_search(&slapd.url())));
    for _ in 0..10 {
        assert_eq!(log_in(&ldap, "ann@example.org", "ann's secret").await, is("ann@example.org"));
        let wrong = log_in(&ldap, "ann@example.org", "wrong").await;
        assert_eq!(wrong, denied(Denial::WrongPassword));
    }
    let log = slapd.log();
    assert_eq!(log.matches(" ACCEPT ").count() - before, 2, "{log}");
    assert_eq!(log.matches("BIND dn=\"cn=reader,dc=example,dc=org\" method").count(), 1, "{log}");
    let many = (0..40).map(|_| {
        let ldap = Arc::clone(&ldap);
        tokio::spawn(async move { log_in(&ldap, "ann@example.org", "ann's secret").await })
    });
    for one in many.collect::<Vec<_>>() {
        assert_eq!(one.await.unwrap(), is("ann@example.org"));
    }
    let most = 2 * by_search("ldap://x").connections.get();
    let accepted = slapd.log().matches(" ACCEPT ").count() - before;
    assert!(accepted <= most, "{accepted} of at most {most}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let (_listener, url) = listener().await;
    let timeout = Duration::from_millis(50);
    let ldap = open(LdapSettings { timeout, ..by_search(&url) });
    let outcome = log_in(&ldap, "ann", "secret").await;
    expect_unavailable(outcome, &[&url, "no answer within 50ms"]);
}

#[tokio::test]
async fn c3_who_comes_when_too_many_wait_hears_busy_and_who_gives_up_makes_room() {
    let (listener, url) = listener().await;
    let ldap = Arc::new(open(LdapSettings {
        connections: NonZeroUsize::MIN,
        waiting: 0,
        timeout: Duration::from_secs(3_600),
        ..by_search(&url)
    }));
    for _ in 0..2 {
        let first = Arc::clone(&ldap);
        let first = tokio::spawn(async move { log_in(&first, "ann", "secret").await });
        let (mut held, _) = listener.accept().await.unwrap();
        assert_eq!(log_in(&ldap, "ann", "secret").await, Err(DirectoryError::Busy));
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        let mut all = Vec::new();
        held.read_to_end(&mut all).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_unavailable() {
    // A greeting of SMTP; a result that is no sequence; one whose text is not UTF-8; an extended
    // response that answers nothing.
    for nonsense in [
        &b"220 mail.example.org ESMTP\r\n"[..],
        b"\x30\x05\x02\x01\x01\x61\x00",
        b"\x30\x0e\x02\x01\x01\x61\x09\x0a\x01\x00\x04\x00\x04\x02\xff\xff",
        b"\x30\x00",
        b"\x30\x03\x02\x01\x00",
    ] {
        let (listener, url) = listener().await;
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 512];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(nonsense).await;
        });
        let ldap = open(by_search(&url));
        expect_unavailable(log_in(&ldap, "ann", "secret").await, &[&url]);
        server.await.unwrap();
    }
}

#[test]
fn settings_that_do_not_fit_together_are_named() {
    let refused = |settings: LdapSettings| {
        Ldap::new(settings, checks(), decoys()).expect_err("these settings are wrong").to_string()
    };
    for url in ["", "localhost", "http://localhost", "ldap:", "ldap://", "ldap://a@b", "ldapi:///"]
    {
        let error = refused(LdapSettings { url: url.into(), ..by_search("ldap://x") });
        assert!(error.contains("ldapi://%2F"), "{url}: {error}");
    }
    let starttls = LdapSettings { starttls: true, ..by_search("ldaps://x") };
    assert!(refused(starttls).contains("starttls"));
    assert!(refused(LdapSettings::new("ldap://x")).contains("nothing finds a user"));
    let empty = Some(account(Slapd::READER, ""));
    let error = refused(LdapSettings { account: empty, ..by_search("ldap://x") });
    assert!(error.contains("needs a DN and a password"), "{error}");
    let upn = Some("{user}@corp.example".into());
    let bare = LdapSettings { user_dn: upn, ..LdapSettings::new("ldap://x") };
    assert!(Ldap::new(bare.clone(), checks(), decoys()).is_ok());
    let error = refused(LdapSettings { password: read(false), ..bare.clone() });
    assert!(error.contains("is no DN"), "{error}");
    let groups = vec![group("cn=x".into(), Role::Auditor)];
    assert!(refused(LdapSettings { groups, ..bare }).contains("is no DN"));
    let local: Option<Box<str>> = Some("uid={local},dc=org".into());
    let by_dn = LdapSettings { user_dn: local.clone(), ..LdapSettings::new("ldap://x") };
    let searched = LdapSettings { user_dn: local, ..by_search("ldap://x") };
    for any_domain in [
        by_dn.clone(),
        searched.clone(),
        by_search_of("(uid={local})", "ldap://x"),
        by_search_of("(|(mail={user})(uid={local}))", "ldap://x"),
        LdapSettings { password: read(true), ..by_search_of("(uid={local})", "ldap://x") },
    ] {
        let name_attribute = Some("mail".into());
        let named = LdapSettings { name_attribute, ..any_domain.clone() };
        assert!(Ldap::new(named, checks(), decoys()).is_ok(), "{any_domain:?}");
        let error = refused(any_domain);
        assert!(error.contains("{user}") && error.contains("name_attribute"), "{error}");
    }
    let groups = vec![group("cn=x".into(), Role::Auditor)];
    let proven_by_both = LdapSettings { groups, ..searched.clone() };
    assert!(Ldap::new(proven_by_both, checks(), decoys()).is_ok());
    assert!(
        Ldap::new(LdapSettings { password: read(false), ..searched }, checks(), decoys()).is_ok()
    );
    let absent = Some(PathBuf::from("/absent/ca.pem"));
    let error =
        Ldap::new(LdapSettings { ca_file: absent, ..by_search("ldap://x") }, checks(), decoys());
    assert!(matches!(error, Err(LdapSettingsError::CaFile { .. })));
}

#[test]
fn c7_no_secret_is_shown() {
    let settings = LdapSettings {
        account: Some(account(Slapd::READER, Slapd::READERS_PASSWORD)),
        ..by_search("ldap://x")
    };
    let ldap = open(settings.clone());
    let shown = format!("{settings:?} {settings:#?} {ldap:?} {ldap:#?}");
    assert!(shown.contains("ldap://x") && !shown.contains(Slapd::READERS_PASSWORD), "{shown}");
}

/// A server with people, if there is one on this machine.
fn slapd() -> Option<Slapd> {
    if !tools::require(&Slapd::NEEDS) {
        return None;
    }
    let ssha = |password| Slapd::hashed("{SSHA}", password);
    let (ann, joerg, bare) = (ssha("ann's secret"), ssha("j\u{f6}rg's secret"), ssha("bare"));
    let odd = ssha("odd secret");
    let foreign = format!("userPassword: {{SCRAM-SHA-256}}{SCRAM}\nuserPassword: {{X-ODD}}x");
    let argon = format!("{{ARGON2ID}}{ARGON2ID}");
    let caras = format!("mail: cara@example.net\ncarLicense: {ARGON2ID}");
    let person = |uid, password, mail| Person { uid, password, mail, also: "" };
    Some(Slapd::with_people(&[
        Person { also: "carLicense: PIN 4711", ..person("ann", &ann, "ann@example.org") },
        person("bob", "bob's secret", "bob@example.org"),
        Person { also: &caras, ..person("cara", "cara's secret", "cara@example.org") },
        Person { also: &foreign, ..person("argon", &argon, "argon@example.org") },
        person("bare", &bare, "bare@example.org"),
        person("j\u{f6}rg", &joerg, ""),
        person("odd(*)", &odd, ""),
        person("one,two", &odd, ""),
    ]))
}

fn by_search(url: &str) -> LdapSettings {
    by_search_of("(&(objectClass=inetOrgPerson)(mail={user}))", url)
}

fn by_search_of(filter: &str, url: &str) -> LdapSettings {
    let (base, scope) = (Slapd::BASE.into(), LdapScope::Subtree);
    LdapSettings {
        account: Some(account(Slapd::READER, Slapd::READERS_PASSWORD)),
        search: Some(UserSearch { base, scope, filter: filter.into() }),
        ..LdapSettings::new(url)
    }
}

fn by_search_below(base: &str, url: &str) -> LdapSettings {
    let (scope, filter) = (LdapScope::OneLevel, "(mail={user})".into());
    let search = Some(UserSearch { base: base.into(), scope, filter });
    LdapSettings { search, ..by_search(url) }
}

fn directly(url: &str) -> LdapSettings {
    let user_dn = Some(format!("uid={{user}},{}", Slapd::PEOPLE).into());
    LdapSettings { user_dn, ..LdapSettings::new(url) }
}

fn account(dn: &str, password: &str) -> ServiceAccount {
    ServiceAccount { dn: dn.into(), password: Box::<str>::from(password).into() }
}

fn read(scram: bool) -> PasswordCheck {
    PasswordCheck::Read { attribute: "userPassword".into(), default_scheme: None, scram }
}

fn group(dn: String, role: Role) -> GroupRole {
    GroupRole { group: dn.into(), role }
}

fn open(settings: LdapSettings) -> Ldap {
    Ldap::new(settings, checks(), decoys()).unwrap()
}

fn decoys() -> Decoys {
    let home = tempfile::tempdir().unwrap();
    Decoys::open(&home.path().join("users")).unwrap()
}

fn checks() -> Arc<Checks> {
    Arc::new(Checks::new(HashLimits::default()))
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("ldap://{}", listener.local_addr().unwrap());
    (listener, url)
}

async fn log_in(ldap: &Ldap, user: &str, password: &str) -> Result<Identity, DirectoryError> {
    let proof = Proof::Password(Password::new(password).unwrap());
    let credentials = Credentials::new(Mechanism::Plain, user.parse().unwrap(), proof);
    let attempt = Attempt {
        client: Ipv4Addr::LOCALHOST.into(),
        listener: "submission".into(),
        tls: true,
        now: std::time::Instant::now(),
    };
    ldap.verify(&credentials, &attempt).await
}

#[expect(clippy::unnecessary_wraps, reason = "compared with the outcome of a log-in")]
fn is(user: &str) -> Result<Identity, DirectoryError> {
    Ok(Identity::proven(user.parse().unwrap()))
}

fn denied(denial: Denial) -> Result<Identity, DirectoryError> {
    Err(denial.into())
}

#[track_caller]
fn expect_unavailable(outcome: Result<Identity, DirectoryError>, words: &[&str]) {
    let Err(DirectoryError::Unavailable(text)) = outcome else { panic!("{outcome:?}") };
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text:?}");
    }
    assert!(!text.contains("secret"), "{text}");
}

const BOBS_ANSWER: &str = "06ee7d43a7eeb4efd828556cee9912d1";
/// `doveadm pw -s ARGON2ID -p "argon's secret"`.
const ARGON2ID: &str = "$argon2id$v=19$m=65536,t=3,p=1$ETKtnjB8yw+iTShFhZn2TQ$15IIP9TvbClS1YGWIetQmkutY46T/AKUXvT5RyiXidQ";
const SCRAM: &str = "4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,\
                     wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
