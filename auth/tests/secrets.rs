//! Secrets that other people's tools have made just now, checked by us.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;

use mailweir_auth::{
    Checks, CramMd5Keys, Decoys, Denial, DirectoryError, HashLimits, Password, Record, ScramHash,
    ScramKeys,
};
use mailweir_test_servers::{passwords, tools};

#[tokio::test]
async fn every_scheme_of_doveadm_that_is_no_challenge_of_its_own() {
    if !tools::require(&["doveadm"]) {
        return;
    }
    for scheme in [
        "ARGON2ID",
        "ARGON2I",
        "BLF-CRYPT",
        "SHA512-CRYPT",
        "SHA256-CRYPT",
        "MD5-CRYPT",
        "CRYPT",
        "SHA",
        "SHA1",
        "SHA256",
        "SHA512",
        "SSHA",
        "SSHA256",
        "SSHA512",
        "MD5",
        "PLAIN-MD5",
        "LDAP-MD5",
        "SMD5",
        "PBKDF2",
        "PLAIN",
        "CLEAR",
        "CLEARTEXT",
        "SCRAM-SHA-1",
        "SCRAM-SHA-256",
        "CRAM-MD5",
        "HMAC-MD5",
        "SHA.hex",
        "SSHA.hex",
        "SSHA512.hex",
        "SMD5.hex",
        "PLAIN.b64",
        "PLAIN-MD5.b64",
        "LDAP-MD5.hex",
        "CRAM-MD5.b64",
        "SHA512-CRYPT.b64",
    ] {
        for password in PASSWORDS {
            fits_alone(&passwords::doveadm_pw(scheme, password), password).await;
        }
    }
}

#[tokio::test]
async fn every_scheme_of_slappasswd_but_des() {
    if !tools::require(&["slappasswd"]) {
        return;
    }
    for scheme in ["SSHA", "SHA", "SMD5", "MD5", "SSHA256", "SSHA512", "SHA256", "SHA512"] {
        for password in PASSWORDS {
            fits_alone(&passwords::slappasswd(scheme, password), password).await;
        }
    }
}

#[tokio::test]
async fn every_function_of_openssl_passwd() {
    if !tools::require(&["openssl"]) {
        return;
    }
    for function in ["-apr1", "-1", "-5", "-6"] {
        for password in PASSWORDS {
            fits_alone(&passwords::openssl_passwd(function, password), password).await;
        }
    }
}

#[tokio::test]
async fn the_functions_of_crypt_and_their_settings() {
    if !tools::require(&["perl"]) {
        return;
    }
    for setting in [
        "$y$j9T$F5Jx5fExrKuPp53xLKQ..1",
        "$y$j75$LdJMENpBABJJ3hIHjB1Bi.",
        "$y$j9T$abcdefgh",
        "$2a$04$abcdefghijklmnopqrstuu",
        "$2b$04$abcdefghijklmnopqrstuu",
        "$2y$06$abcdefghijklmnopqrstuu",
        "$6$rounds=1000$saltsalt",
        "$6$abcdefghijklmnopqrstuvwxyz",
        "$6$s",
        "$5$rounds=12345$saltsalt",
        "$1$saltsalt",
        "$1$s",
    ] {
        for password in PASSWORDS {
            fits_alone(&passwords::crypt(setting, password), password).await;
        }
    }
}

#[tokio::test]
async fn dovecots_keys_of_scram_are_found_as_they_stand() {
    if !tools::require(&["doveadm"]) {
        return;
    }
    for (hash, scheme) in [(ScramHash::Sha1, "SCRAM-SHA-1"), (ScramHash::Sha256, "SCRAM-SHA-256")] {
        let text = passwords::doveadm_pw(scheme, "correct horse");
        let record = Record::parse([text.as_str()], None).unwrap();
        let keys = record.keys(hash, &"ann".parse().unwrap(), &decoys(), &checks()).await.unwrap();
        let found = ScramKeys::parse(hash, text.split_once('}').unwrap().1).unwrap();
        assert_eq!(keys, found, "{text}");
    }
}

#[tokio::test]
async fn dovecots_keys_of_cram_md5_prove_what_openssl_answers() {
    if !tools::require(&["doveadm", "openssl"]) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    for length in [0, 1, 54, 55, 56, 63, 64, 65, 200] {
        let challenge = "<".repeat(length);
        let file = home.path().join("challenge");
        fs::write(&file, &challenge).unwrap();
        for password in PASSWORDS {
            let answer = passwords::hmac_md5(password, &file);
            let stored = passwords::doveadm_pw("CRAM-MD5", password);
            let stored = Record::parse([stored.as_str()], None).unwrap().cram_md5().unwrap();
            let made = CramMd5Keys::of(&Password::new(password).unwrap());
            for keys in [stored, made] {
                assert!(keys.prove(challenge.as_bytes(), &answer), "{password} {length}");
                assert!(!keys.prove(b"another challenge", &answer), "{password} {length}");
            }
        }
    }
}

/// `secret` takes `password`, and not another one.
async fn fits_alone(secret: &str, password: &str) {
    let record = Record::parse([secret], None).unwrap_or_else(|error| panic!("{secret}: {error}"));
    let verify = async |text: &str| {
        let password = Password::new(text).unwrap();
        record.verify(&password, &checks()).await
    };
    assert_eq!(verify(password).await, Ok(()), "{secret} of {password}");
    let other = format!("x{password}");
    let denied: Result<(), DirectoryError> = Err(Denial::WrongPassword.into());
    assert_eq!(verify(&other).await, denied, "{secret} took {other}");
}

fn decoys() -> Decoys {
    let home = tempfile::tempdir().unwrap();
    Decoys::open(&home.path().join("users")).unwrap()
}

fn checks() -> Checks {
    Checks::new(HashLimits::default())
}

/// Short, usual, beyond ASCII, and longer than a block of MD5, of bcrypt, and of SHA-512.
const PASSWORDS: [&str; 4] = [
    "a",
    "correct horse",
    "Gr\u{fc}\u{df}e aus K\u{f6}ln \u{2713}",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345",
];
