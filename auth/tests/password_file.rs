//! Password files of other programs, logged in from through [`Directory`].

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{fs, net::Ipv4Addr, path::PathBuf, sync::Arc, time::Duration};

use mailweir_auth::{
    Attempt, Checks, Credentials, Decoys, Denial, Directory, DirectoryError, HashLimits, Mechanism,
    Password, PasswordFile, PasswordFileSettings, Proof, Scheme, ScramHash, UserName,
};
use mailweir_test_servers::{passwords, tools};
use tempfile::TempDir;

#[tokio::test]
async fn users_of_htpasswd_log_in_whatever_made_their_hashes() {
    if !tools::require(&["htpasswd"]) {
        return;
    }
    let home = Home::new();
    for function in ["-B", "-m", "-s", "-2", "-5"] {
        let user = format!("Ann{function}");
        passwords::htpasswd(&home.path(), function, &user, &format!("horse of {function}"));
    }
    let file = home.open(None);
    assert_eq!(file.check().unwrap(), []);
    for function in ["-B", "-m", "-s", "-2", "-5"] {
        let user = format!("ann{function}");
        let right = format!("horse of {function}");
        assert_eq!(log_in(&file, &user, &right).await, Ok(()));
        assert_eq!(log_in(&file, &user, "another horse").await, denied(Denial::WrongPassword));
        assert_eq!(keys(&file, &user).await, denied(Denial::NoKeys));
    }
    assert_eq!(log_in(&file, "nobody", "horse").await, denied(Denial::UnknownUser));
}

#[tokio::test]
async fn users_of_dovecots_passwd_file_log_in_and_have_keys_where_it_holds_them() {
    if !tools::require(&["doveadm"]) {
        return;
    }
    let home = Home::new();
    let schemes = ["BLF-CRYPT", "SSHA512", "ARGON2ID", "PBKDF2", "SCRAM-SHA-256", "PLAIN"];
    let line = |scheme: &str| {
        let secret = passwords::doveadm_pw(scheme, "correct horse");
        format!(
            "{scheme}@Example.ORG:{secret}:1000:1000:A. Nn:/home/ann::userdb_quota_rule=*:storage=5G\n"
        )
    };
    home.write(&schemes.map(line).concat());
    let file = home.open(None);
    assert_eq!(file.check().unwrap(), []);
    for scheme in schemes {
        let user = format!("{scheme}@example.org");
        assert_eq!(log_in(&file, &user, "correct horse").await, Ok(()), "{scheme}");
        let wrong = log_in(&file, &user, "wrong horse").await;
        assert_eq!(wrong, denied(Denial::WrongPassword), "{scheme}");
        let expected = match scheme {
            "SCRAM-SHA-256" | "PLAIN" => Ok(()),
            _ => denied(Denial::NoKeys),
        };
        assert_eq!(keys(&file, &user).await, expected, "{scheme}");
    }
}

#[tokio::test]
async fn users_of_shadow_log_in_until_they_are_locked_or_expire() {
    if !tools::require(&["useradd", "usermod", "perl"]) {
        return;
    }
    let home = Home::new();
    let hash = passwords::crypt("$y$j9T$F5Jx5fExrKuPp53xLKQ..1", "correct horse");
    let users = [("ann", &*hash), ("bob", &hash), ("carl", &hash), ("dora", "*"), ("eve", "")];
    passwords::shadow(home.0.path(), &users);
    passwords::usermod(home.0.path(), &["-L"], "bob");
    passwords::usermod(home.0.path(), &["-e", "2030-01-01"], "carl");
    let file = home.open_at("etc/shadow", None);
    let problems = file.check().unwrap();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].line == 3 && problems[0].what.contains("expiry date"), "{problems:?}");
    assert_eq!(log_in(&file, "ann", "correct horse").await, Ok(()));
    assert_eq!(log_in(&file, "ann", "wrong horse").await, denied(Denial::WrongPassword));
    for tried in ["correct horse", "!", "*", "x", &hash, &format!("!{hash}")] {
        for locked in ["bob", "dora", "eve"] {
            assert_eq!(log_in(&file, locked, tried).await, denied(Denial::NoPassword), "{locked}");
        }
        assert_eq!(log_in(&file, "carl", tried).await, denied(Denial::UnknownUser));
    }
}

#[tokio::test]
async fn locked_users_have_no_password_in_any_default_scheme() {
    let home = Home::new();
    home.write("ann:\nbob:!\ncarl:*\ndora:!!secret\neve:x\ngil\n");
    let file = home.open(Some(Scheme::PLAIN));
    assert_eq!(file.check().unwrap().len(), 1);
    for user in ["ann", "bob", "carl", "dora", "eve"] {
        for tried in ["!", "*", "x", "secret", "!!secret"] {
            assert_eq!(log_in(&file, user, tried).await, denied(Denial::NoPassword), "{user}");
        }
        assert_eq!(keys(&file, user).await, denied(Denial::NoPassword), "{user}");
    }
}

#[tokio::test]
async fn extra_fields_that_forbid_are_kept_or_the_line_does_not_count() {
    let home = Home::new();
    home.write(
        "ann:{PLAIN}secret::::::nologin\nbob:{PLAIN}secret::::::a=b allow_nets=192.0.2.0/24\n\
         carl:{PLAIN}secret::::::a=b\n",
    );
    let file = home.open(None);
    assert_eq!(log_in(&file, "ann", "secret").await, denied(Denial::NoPassword));
    assert_eq!(log_in(&file, "bob", "secret").await, denied(Denial::UnknownUser));
    assert_eq!(log_in(&file, "carl", "secret").await, Ok(()));
    let problems: Vec<String> = file.problems().iter().map(ToString::to_string).collect();
    assert!(problems.len() == 1 && problems[0].starts_with("line 2: it has allow_nets"));
}

#[tokio::test]
async fn a_line_with_a_mistake_is_named_never_quoted_and_harms_no_other() {
    let home = Home::new();
    let mut text = b"# users\n\nsecret\n:secret\nbob:secret\ncarl:{SECRET}secret\r\n".to_vec();
    text.extend(b"dora:{SSHA}secret!\neve:{PLAIN}secret\xff\nann:{PLAIN}correct horse\r\n");
    text.extend(b"Ann:{PLAIN}secret\nf g:{PLAIN}secret\nzoe:{PLAIN}secret");
    fs::write(home.path(), text).unwrap();
    let file = home.open(None);
    let problems = file.check().unwrap();
    let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8, 10, 11]);
    let shown = format!("{problems:?} {file:?}");
    assert!(!shown.contains("secret") && !shown.contains("SECRET"), "{shown}");
    assert_eq!(log_in(&file, "ann", "correct horse").await, Ok(()));
    assert_eq!(log_in(&file, "zoe", "secret").await, Ok(()));
    for user in ["bob", "carl", "dora", "eve"] {
        assert_eq!(log_in(&file, user, "secret").await, denied(Denial::UnknownUser), "{user}");
    }
}

#[tokio::test]
async fn what_htpasswd_changes_counts_a_second_later() {
    if !tools::require(&["htpasswd"]) {
        return;
    }
    tokio::time::pause();
    let home = Home::new();
    passwords::htpasswd(&home.path(), "-s", "ann", "first horse");
    let file = home.open(None);
    assert_eq!(log_in(&file, "ann", "first horse").await, Ok(()));
    passwords::htpasswd(&home.path(), "-B", "ann", "second horse");
    assert_eq!(log_in(&file, "ann", "first horse").await, Ok(()), "not looked at yet");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(log_in(&file, "ann", "first horse").await, denied(Denial::WrongPassword));
    assert_eq!(log_in(&file, "ann", "second horse").await, Ok(()));
    passwords::htpasswd_delete(&home.path(), "ann");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(log_in(&file, "ann", "second horse").await, denied(Denial::UnknownUser));
}

#[tokio::test]
async fn a_file_that_is_missing_or_unreadable_denies_nobody_and_is_looked_at_again() {
    tokio::time::pause();
    let home = Home::new();
    let file = home.open(None);
    let unavailable = async || {
        for answer in [log_in(&file, "ann", "correct horse").await, keys(&file, "ann").await] {
            let Err(DirectoryError::Unavailable(why)) = answer else { panic!("{answer:?}") };
            assert!(why.contains(home.path().to_str().unwrap()), "{why}");
        }
        let error = file.check().unwrap_err().to_string();
        assert!(error.contains(home.path().to_str().unwrap()), "{error}");
    };
    unavailable().await;
    home.write("ann:{PLAIN}correct horse\n");
    assert_eq!(log_in(&file, "ann", "correct horse").await, Ok(()), "at once");
    fs::remove_file(home.path()).unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    unavailable().await;
    fs::create_dir(home.path()).unwrap();
    unavailable().await;
}

#[tokio::test]
async fn c1_the_unknown_and_the_locked_cost_what_most_users_cost() {
    let home = Home::new();
    home.write("ann:{PLAIN}correct horse\nbob:{PLAIN}secret\ncarl:!\n");
    let file = home.open(None);
    let mut before = home.1.count();
    for user in ["ann", "nobody", "carl", "bob"] {
        assert!(log_in(&file, user, "wrong horse").await.is_err());
        let _ = file.keys(&user.parse().unwrap(), ScramHash::Sha256).await;
        assert_eq!(home.1.count() - before, 2, "{user}");
        before = home.1.count();
    }
}

#[tokio::test]
async fn scram_is_served_only_if_the_administrator_says_so() {
    let home = Home::new();
    for scram in [false, true] {
        let settings = PasswordFileSettings { path: home.path(), default_scheme: None, scram };
        let file = PasswordFile::open(settings, Arc::clone(&home.1), home.decoys());
        for mechanism in Mechanism::ALL {
            let served = match mechanism {
                Mechanism::Plain | Mechanism::Login | Mechanism::CramMd5 => true,
                Mechanism::Scram(_) | Mechanism::ScramPlus(_) => scram,
                _ => false,
            };
            assert_eq!(file.serves(mechanism), served, "{mechanism}");
        }
    }
}

/// A directory for the file of one test.
struct Home(TempDir, Arc<Checks>);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap(), Arc::new(Checks::new(HashLimits::default())))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("passwords")
    }

    fn write(&self, text: &str) {
        fs::write(self.path(), text).unwrap();
    }

    fn open(&self, default_scheme: Option<Scheme>) -> PasswordFile {
        self.open_at("passwords", default_scheme)
    }

    fn open_at(&self, name: &str, default_scheme: Option<Scheme>) -> PasswordFile {
        let path = self.0.path().join(name);
        let settings = PasswordFileSettings { path, default_scheme, scram: true };
        PasswordFile::open(settings, Arc::clone(&self.1), self.decoys())
    }

    fn decoys(&self) -> Decoys {
        Decoys::open(&self.0.path().join("users")).unwrap()
    }
}

async fn log_in(file: &PasswordFile, user: &str, password: &str) -> Result<(), DirectoryError> {
    let (user, password): (UserName, _) = (user.parse().unwrap(), Password::new(password).unwrap());
    let credentials = Credentials::new(Mechanism::Plain, user, Proof::Password(password));
    let attempt = Attempt {
        client: Ipv4Addr::LOCALHOST.into(),
        listener: "submission".into(),
        tls: true,
        now: std::time::Instant::now(),
    };
    let identity = file.verify(&credentials, &attempt).await?;
    assert_eq!(identity.user(), credentials.user());
    Ok(())
}

async fn keys(file: &PasswordFile, user: &str) -> Result<(), DirectoryError> {
    let user = user.parse().unwrap();
    let found = file.keys(&user, ScramHash::Sha256).await?;
    assert_eq!(file.keys(&user, ScramHash::Sha256).await, Ok(found), "the same each time");
    Ok(())
}

fn denied(why: Denial) -> Result<(), DirectoryError> {
    Err(why.into())
}
