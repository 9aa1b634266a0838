//! One back end after the other: the real server, a gateway that asks it, and all of its clients.

use std::{fs, path::Path};

use mailweir_test_servers::{
    Dovecot, MariaDb, Person, PostgreSql, Saslauthd, Slapd,
    issuer::{Issuer, Signing},
    passwords,
};
use mailweir_tests::installation::Plan;

use crate::{
    setting::{Setting, USER, can_show},
    table::Column,
};

#[tokio::test(flavor = "multi_thread")]
async fn users() {
    if !can_show(Column::Users, &[]) {
        return;
    }
    let Some(plan) = Plan::new() else { return };
    let own = "[[auth.backend]]\ntype = \"users\"";
    let mut setting = Setting::installed(plan.user(USER, PASSWORD), own).await;
    let kept = ["user", "passwd", USER, "--cram-md5"];
    let _ = setting.gateway.feed(&kept, &format!("{PASSWORD}\n")).expect_content();
    // Only now: a log-in whose keys change under way is refused.
    setting.gateway.start();
    setting.show(Column::Users, PASSWORD, WRONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passwd_file() {
    if !can_show(Column::PasswdFile, &[]) {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("passwd");
    fs::write(&file, format!("{USER}:{{PLAIN}}{PASSWORD}\n")).unwrap();
    let backend = format!("type = \"passwd-file\"\nfile = {file:?}\nscram = true");
    show(Column::PasswdFile, &backend).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn saslauthd() {
    if !can_show(Column::Saslauthd, &["saslauthd"]) {
        return;
    }
    let saslauthd = Saslauthd::with_users(&[(USER, PASSWORD)]);
    let backend = format!("type = \"saslauthd\"\nsocket = {:?}", saslauthd.socket());
    show(Column::Saslauthd, &backend).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dovecot() {
    if !can_show(Column::Dovecot, &["dovecot"]) {
        return;
    }
    let dovecot = Dovecot::with_users(&[(USER, PASSWORD)]);
    let backend = format!("type = \"dovecot\"\nsocket = {:?}\nscram = true", dovecot.socket());
    show(Column::Dovecot, &backend).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ldap_by_bind() {
    if !can_show(Column::LdapBind, &Slapd::NEEDS) {
        return;
    }
    let password = Slapd::hashed("{SSHA}", PASSWORD);
    let alice = Person { uid: "alice", password: &password, mail: USER, also: "" };
    let slapd = Slapd::with_people(&[alice]);
    let backend = format!(
        "type = \"ldap\"\nurl = \"{}\"\nca_file = {:?}\nbase = \"{}\"\nfilter = \"(mail={{user}})\"",
        slapd.tls_url(),
        slapd.ca_file(),
        Slapd::PEOPLE,
    );
    show(Column::LdapBind, &backend).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ldap_that_reads_keys_of_scram() {
    if !can_show(Column::LdapRead, &Slapd::NEEDS) {
        return;
    }
    let keys = ["SHA-256", "SHA-512", "SHA-1"].map(|hash| {
        format!("userPassword: {{SCRAM-{hash}}}{}\n", passwords::scram_keys(hash, PASSWORD))
    });
    let cram_md5 = passwords::doveadm_pw("CRAM-MD5", PASSWORD);
    let alice = Person { uid: "alice", password: &cram_md5, mail: USER, also: &keys.concat() };
    let slapd = Slapd::with_people(&[alice]);
    let place = tempfile::tempdir().unwrap();
    show(Column::LdapRead, &ldap_that_reads(&slapd, place.path())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_on_postgresql() {
    if !can_show(Column::PostgreSql, &["postgres", "setpriv"]) {
        return;
    }
    let server = PostgreSql::start();
    server.run(&users_with_keys());
    let place = tempfile::tempdir().unwrap();
    show(Column::PostgreSql, &sql(&server.url(), PostgreSql::PASSWORD, place.path())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_on_mariadb() {
    if !can_show(Column::MariaDb, &["mariadbd", "mariadb-install-db", "setpriv"]) {
        return;
    }
    let server = MariaDb::start();
    server.run(&users_with_keys());
    let place = tempfile::tempdir().unwrap();
    show(Column::MariaDb, &sql(&server.url(), MariaDb::PASSWORD, place.path())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oauth() {
    if !can_show(Column::OAuth, &["openssl"]) {
        return;
    }
    let issuer = issuer();
    let Some(setting) = Setting::with(&oauth_of(&issuer)).await else { return };
    let [right, wrong] = ["known", "stranger"].map(|key| token(&issuer, key));
    setting.show(Column::OAuth, &right, &wrong).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate() {
    if !can_show(Column::Certificate, &[]) {
        return;
    }
    show(Column::Certificate, "type = \"certificate\"").await;
}

async fn show(column: Column, backend: &str) {
    let backend = format!("[[auth.backend]]\n{backend}");
    let Some(setting) = Setting::with(&backend).await else { return };
    setting.show(column, PASSWORD, WRONG).await;
}

/// An LDAP server whose passwords are read. Our own password there is put into `place`.
pub(crate) fn ldap_that_reads(slapd: &Slapd, place: &Path) -> String {
    let password_file = place.join("ldap-password");
    fs::write(&password_file, Slapd::READERS_PASSWORD).unwrap();
    format!(
        "type = \"ldap\"\nurl = \"{}\"\nca_file = {:?}\nbase = \"{}\"\nfilter = \"(mail={{user}})\"\n\
         bind_dn = \"{}\"\npassword_file = {password_file:?}\n\
         password_check = \"read\"\nscram = true",
        slapd.tls_url(),
        slapd.ca_file(),
        Slapd::PEOPLE,
        Slapd::READER,
    )
}

/// A database with a table `users`. Our own password there is put into `place`.
pub(crate) fn sql(url: &str, password: &str, place: &Path) -> String {
    let password_file = place.join("sql-password");
    fs::write(&password_file, password).unwrap();
    format!(
        "type = \"sql\"\nurl = \"{url}\"\npassword_file = {password_file:?}\nscram = true\n\
         query = \"SELECT * FROM users WHERE login = {{user}}\""
    )
}

/// [`USER`], by keys: PLAIN is checked against those of CRAM-MD5.
fn users_with_keys() -> String {
    let hash = passwords::doveadm_pw("CRAM-MD5", PASSWORD);
    let [sha_256, sha_512, sha_1] =
        ["SHA-256", "SHA-512", "SHA-1"].map(|hash| passwords::scram_keys(hash, PASSWORD));
    format!(
        "CREATE TABLE users (login varchar(255), password varchar(255), \
         scram_sha_256 varchar(255), scram_sha_512 varchar(255), scram_sha_1 varchar(255));\n\
         GRANT SELECT ON users TO mailweir;\n\
         INSERT INTO users VALUES ('{USER}', '{hash}', '{sha_256}', '{sha_512}', '{sha_1}');\n"
    )
}

/// An issuer that publishes the key `known`, and has the key `stranger` too.
pub(crate) fn issuer() -> Issuer {
    let issuer = Issuer::new();
    for key in ["known", "stranger"] {
        issuer.make_key(key, Signing::Es256);
    }
    issuer.publish(&["known"]);
    issuer
}

pub(crate) fn oauth_of(issuer: &Issuer) -> String {
    format!(
        "[[auth.backend]]\ntype = \"oauth\"\nissuer = \"https://issuer.example\"\n\
         audience = [\"gateway\"]\njwks = {:?}\n",
        issuer.keys_file()
    )
}

/// A token for [`USER`] that says it is signed by the key `known`, and is by this one.
pub(crate) fn token(issuer: &Issuer, key: &str) -> String {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let claims = format!(
        r#"{{"iss":"https://issuer.example","aud":"gateway","exp":{},"email":"{USER}"}}"#,
        now + 600
    );
    let header = r#"{"typ":"at+jwt","alg":"ES256","kid":"known"}"#;
    issuer.sign(key, Signing::Es256, header, &claims)
}

const PASSWORD: &str = "correct-horse";
const WRONG: &str = "wrong-horse";
