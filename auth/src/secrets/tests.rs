//! Vectors made by other people's tools, and what no record may do.

use proptest::prelude::*;

use super::*;
use crate::{HashLimits, Mechanism};

/// Of the password `correct horse`. Before each: the tool that made it.
const SECRETS: &[&str] = &[
    // doveadm pw
    "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$r2z7aYWxvpx1/PkfcILuVA$TtFUyr9nj5xjAoWJGn0MAxRI328SsY7U+kPzG2f4ObA",
    "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$YdTTL54lrNpdQtCPtLUQFg$ZZgbbTw9WcqRLdSGlRnzVQc/WVxRDMFmFN52OxoBceg",
    "{BLF-CRYPT}$2y$05$AVx2zWOQ.geD1Z9cRAAIauFyje3kGy.dEdpl4KEk8XKB6RgBhr1t6",
    "{SHA512-CRYPT}$6$JokGYl8MS4WZ2ecF$QAYIoZPDZZ4JutzT.Ei0/UHLwtZ5RyKvsPs1tG3.eJMCH4kEw56D9lnRTxbYWs9pE6bEoA9Itam7Ei/ip1PSG/",
    "{SHA256-CRYPT}$5$en/G31dw7RncQFb/$z3fuxalGnI2Kop0D2yGDH.j4HHXnnMyOYcWJVRfImc3",
    "{MD5-CRYPT}$1$7Ezvpmk3$OqMrJfL7Ly0GiTOBmCaOf/",
    "{CRYPT}$2y$05$/e/FUiB0sXyPdNPoC9vWU.A6AJYfSDEKYbR2SZJnd40rjEVz3HuDu",
    "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=",
    "{SHA1}L55TUjtiq8FBorTWAZ0jy6g129A=",
    "{SHA256}QQTTb42iwlQ0n4WDZ5Pr4CngyVcGOjTJHC6SAxh7VjE=",
    "{SHA512}VraY3v7bWkNbY0r+MyC7rz/c2SC2xQOkRvx7endrKY1HnRumqLYXgI6wv1ec6aldZoNHvKtxSQhayTyyeZUZew==",
    "{SSHA}6YE6l5tbw1XSvYyehh5AXMxXhDDZL+NY",
    "{SSHA256}w2R6TIp2rbWJv3p4KCtPMkwFd3l5fwCBBYY+fEZWTR9bzQ9M",
    "{SSHA512}ebXGLmIHVmBMhWBZrOp0Qr17hoJ6ouRwKqqEHbHJMqywd/HwTif6UUlqR/jlUi3AmZxcg9E5L1wT82qQOHvpAlOWlX4=",
    "{MD5}$1$v2lmT6vG$x88IMPWUilV2.yZWnrddN/",
    "{PLAIN-MD5}3cb4e732631f47e6eb961f34554b7cde",
    "{LDAP-MD5}PLTnMmMfR+brlh80VUt83g==",
    "{SMD5}JnhdwCvGUXWnpEzrSVH3fXPnuQE=",
    "{PBKDF2}$1$6cORmusAULsUNj9U$5000$eb1556e6a8a1e826d139851f8c30fd82ebc1296e",
    "{PLAIN}correct horse",
    "{CLEAR}correct horse",
    "{CLEARTEXT}correct horse",
    "{SCRAM-SHA-1}4096,GqsFVtanlBkRl7g8BH0OOQ==,KusS8ffh9NaeympkMj+Q46RGXlU=,um3gjBYtlPEymBCHLAQPDYR+Zb0=",
    "{SCRAM-SHA-256}4096,+mdHehTiwetmcCSQoKvJIA==,PO15rtCf97a9vA+TkGalf76MGif+g7MAPAku8nvImz4=,FQnmigLRUJERHNhxf/G/l9jJULdQxpvsm8c0dyVNUng=",
    "{CRAM-MD5}38b57fd1a0c4b46c814aa05f20318edd71c455380655f2c0ac35c5b359528d29",
    "{HMAC-MD5}38b57fd1a0c4b46c814aa05f20318edd71c455380655f2c0ac35c5b359528d29",
    "{SSHA.HEX}b1dd3d595ef310bb21be38412e84c3981f2963cb47676207",
    "{SHA256.HEX}4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631",
    "{PLAIN.B64}Y29ycmVjdCBob3JzZQ==",
    "{PLAIN-MD5.B64}PLTnMmMfR+brlh80VUt83g==",
    // slappasswd
    "{SSHA}Iby3f+KZKHJTlciWX8HbuKjS8r1oc2U0",
    "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=",
    "{SMD5}aVTcXnD1jF1XZdTIXdieFf2gt3U=",
    "{MD5}PLTnMmMfR+brlh80VUt83g==",
    // htpasswd
    "$2y$05$aHmSKXYmpDbTy053U1DnsOKBNKhYsoiS2GJQNEQs.QrSqWiCzUa.6",
    "$apr1$ANhhOxHu$5k2OuKasEOhq2udCInGY71",
    "$5$iOOwGObo5zCJTShk$wh6Oy2g0Q3HMQgNcXE2gFBkA/evW4runym/qFLNP9l6",
    // openssl passwd
    "$apr1$saltsalt$EGVZDNN6gOqijy.tv9axG/",
    "$1$saltsalt$NuzA7WTAelpl95xgBGWN60",
    "$6$saltsalt$hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv/uamSo5z0",
    // crypt(3) of libxcrypt
    "$6$rounds=6000$saltsalt$.z5DBt3F0yCiXdwys9J8eUbOTfWe1Z8QZNEHGn.OK5mh.PB/IrEwo2ndPEEIgumNV7q1oFECsqmO6101CuDOo.",
    "$6$rounds=1000$abcdefghijklmnop$K9ViLilDpRy6xLunKXsaoeGhKInKdDtpCLyoTSCkDcguT34R9cMK08/eq3hGwOWWgyYCTwWqVmKpFAHjf73Mv/",
    "$5$saltsalt$myjXcpMpE2Ofk7fj9hqyNYSn6lmWG4Mqnjx.KIRRr4/",
    "$2a$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2",
    "$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2",
    "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$zwtVrjrUCmXcyLTs6oxLTQlzifSUkF8RHJ./tK5KU79",
    "{CRYPT}$y$j75$LdJMENpBABJJ3hIHjB1Bi.$rfA07bT0O97FNWV5Cb8oFDnoGBJLXwSI4w/PIpLfyy2",
];

#[tokio::test]
async fn what_other_tools_made_fits_its_password_and_no_other() {
    for secret in SECRETS {
        let record = Record::parse([*secret], None).unwrap_or_else(|e| panic!("{secret}: {e}"));
        assert_eq!(record.verify(&horse(), &checks()).await, Ok(()), "{secret}");
        for wrong in ["correct horsf", "Correct horse", "correct horse ", "c"] {
            let denied = record.verify(&password(wrong), &checks()).await;
            assert_eq!(denied, Err(Denial::WrongPassword.into()), "{secret} took {wrong:?}");
        }
    }
}

#[tokio::test]
async fn c7_a_record_of_any_scheme_shows_no_secret() {
    for secret in SECRETS {
        let shown = format!("{:#?}", Record::parse([*secret], None).unwrap());
        let (_, value) = split_scheme(secret).unwrap_or(("", secret));
        assert!(!shown.contains(value), "{shown}");
    }
}

#[tokio::test]
async fn a_text_without_scheme_is_in_the_default_one() {
    let fits = async |text, default: &str| {
        let record = Record::parse([text], Some(default.parse().unwrap())).unwrap();
        record.verify(&horse(), &checks()).await
    };
    assert_eq!(fits("correct horse", "plain").await, Ok(()));
    assert_eq!(fits("L55TUjtiq8FBorTWAZ0jy6g129A=", "SHA").await, Ok(()));
    assert_eq!(fits("2f9e53523b62abc141a2b4d6019d23cba835dbd0", "SHA").await, Ok(()));
    assert_eq!(fits("$1$saltsalt$NuzA7WTAelpl95xgBGWN60", "CRYPT").await, Ok(()));
    assert_eq!(fits("{CLEAR}correct horse", "CRYPT").await, Ok(()), "what it says counts");
    let dollar = "$1$saltsalt$NuzA7WTAelpl95xgBGWN60";
    let wrong = Err(Denial::WrongPassword.into());
    assert_eq!(fits(dollar, "PLAIN").await, wrong, "a password may look like a hash");
}

#[test]
fn secrets_that_cannot_be_checked_are_named_and_never_quoted() {
    let long = format!("{{SSHA}}{}", "YWFh".repeat(2_000));
    let sha = format!("$6$rounds=1000001$salt${}", ".".repeat(86));
    let few = format!("$6$rounds=999$salt${}", ".".repeat(86));
    let (bits, salt) =
        (format!("$6$salt${}", "2".repeat(86)), format!("$y$j9T$abc${}", "E".repeat(43)));
    let yescrypt = |params: &str| format!("$y${params}$salt${}", ".".repeat(43));
    let (dear, t, rom) = (yescrypt("jOT"), yescrypt("j9T/.."), yescrypt("jC559"));
    for (bad, what) in [
        ("correct horse", "no default"),
        ("{correct horse", "no default"),
        ("{MD4}secret", "not known"),
        ("{DES-CRYPT}2TIuFjh9efr42", "not known"),
        ("{CRYPT}2TIuFjh9efr42", "DES"),
        ("$9$secret", "not known"),
        ("$2x$05$AVx2zWOQ.geD1Z9cRAAIauFyje3kGy.dEdpl4KEk8XKB6RgBhr1t6", "not known"),
        ("$2y$16$AVx2zWOQ.geD1Z9cRAAIauFyje3kGy.dEdpl4KEk8XKB6RgBhr1t6", "too dear"),
        ("$2y$03$AVx2zWOQ.geD1Z9cRAAIauFyje3kGy.dEdpl4KEk8XKB6RgBhr1t6", "under 4"),
        ("$2y$05$AVx2zWOQ", "malformed"),
        ("$2", "$id$"),
        ("$y$", "params"),
        ("$y$j9T$$B5GQfVFSv8eVLXI38XRI/aFRi2bQ83Ig3T.0SEVZqv/", "params"),
        ("$5$$myjXcpMpE2Ofk7fj9hqyNYSn6lmWG4Mqnjx.KIRRr4/", "rounds=N"),
        (&sha, "too dear"),
        (&few, "under 1000"),
        (&bits, "rounds=N"),
        (&salt, "params"),
        (&dear, "too dear"),
        (&t, "parameters"),
        (&rom, "params"),
        ("$6$salt$short", "rounds=N"),
        ("$apr1$saltsalt$short", "malformed"),
        ("$apr1$saltsaltsalt$EGVZDNN6gOqijy.tv9axG/", "malformed"),
        ("$argon2d$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA", "neither"),
        ("{ARGON2I}$argon2i$v=19$m=8,t=17,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA", "dear"),
        ("{SHA}c2VjcmV0", "too short"),
        ("{SHA}L55TUjtiq8FBorTWAZ0jy6g129B0", "too long"),
        ("{SSHA}L55TUjtiq8FBorTWAZ0jy6g129A=", "lacks its salt"),
        ("{SSHA}!secret!", "neither"),
        (&long, "longer than"),
        ("{PBKDF2}$1$salt$2000001$eb1556e6a8a1e826d139851f8c30fd82ebc1296e", "too dear"),
        ("{PBKDF2}$1$salt$0$eb1556e6a8a1e826d139851f8c30fd82ebc1296e", "$rounds$"),
        ("{PBKDF2}$1$salt$5000$eb15", "$rounds$"),
        (
            "{SCRAM-SHA-1}2000001,GqsFVtanlBkRl7g8BH0OOQ==,KusS8ffh9NaeympkMj+Q46RGXlU=,um3gjBYtlPEymBCHLAQPDYR+Zb0=",
            "too dear",
        ),
        ("{SCRAM-SHA-256}secret", "four fields"),
        ("{CRAM-MD5}secret", "64"),
        ("{PLAIN.b64}secret!", "encoding"),
        ("{PLAIN}\u{7}secret", "SASLprep"),
    ] {
        let error = Record::parse([bad], None).expect_err(bad);
        assert!(error.to_string().contains(what), "{bad} gave {error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn a_locked_record_fits_nothing_even_beside_a_good_secret() {
    for locked in ["", "!", "*", "!!", "!$1$saltsalt$NuzA7WTAelpl95xgBGWN60", "{CRYPT}!x", "{SSHA}"]
    {
        for texts in [vec![locked], vec!["{PLAIN}correct horse", locked]] {
            let record = Record::parse(texts, None).unwrap();
            assert!(record.is_empty());
            for tried in ["correct horse", "!", "*", "x"] {
                let denied = record.verify(&password(tried), &checks()).await;
                assert_eq!(denied, Err(Denial::NoPassword.into()), "{locked:?} {tried:?}");
            }
            assert_eq!(keys(&record, "ann").await, Err(Denial::NoPassword.into()));
            assert!(record.cram_md5().is_err());
        }
    }
    assert!(Record::parse([], None).unwrap().is_empty());
}

#[tokio::test]
async fn one_of_several_secrets_is_enough() {
    let texts = ["{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=", "{PLAIN}another horse", SECRETS[23]];
    let record = Record::parse(texts, None).unwrap();
    for right in ["correct horse", "another horse"] {
        assert_eq!(record.verify(&password(right), &checks()).await, Ok(()));
    }
    let checks = checks();
    assert!(record.verify(&password("third horse"), &checks).await.is_err());
    assert_eq!(checks.count(), 2, "keys are not looked at where there is a password");
}

#[tokio::test]
async fn keys_of_a_password_in_clear_are_stable_and_look_like_a_decoy() {
    let (record, decoys) = (Record::parse(["{PLAIN}correct horse"], None).unwrap(), decoys());
    for hash in ScramHash::ALL {
        let ann = "ann".parse().unwrap();
        let first = record.keys(hash, &ann, &decoys, &checks()).await.unwrap();
        let again = Record::parse(["{CLEAR}correct horse"], None).unwrap();
        assert_eq!(again.keys(hash, &ann, &decoys, &checks()).await, Ok(first.clone()));
        let decoy = decoys.keys(hash, &ann);
        assert_eq!((first.salt(), first.iterations()), (decoy.salt(), decoy.iterations()));
        assert!(first.matches(&horse()) && !decoy.matches(&horse()), "{hash:?}");
        let bob = record.keys(hash, &"bob".parse().unwrap(), &decoys, &checks()).await.unwrap();
        assert_ne!(bob.salt(), first.salt(), "{}", Mechanism::Scram(hash));
    }
}

#[tokio::test]
async fn stored_keys_come_before_made_ones_and_a_hash_has_none() {
    let record = Record::parse(["{PLAIN}other", SECRETS[23]], None).unwrap();
    let found = keys(&record, "ann").await.unwrap();
    assert_eq!(found.iterations(), 4_096);
    assert!(found.matches(&horse()));
    let hashed = Record::parse(["{SHA}L55TUjtiq8FBorTWAZ0jy6g129A="], None).unwrap();
    assert_eq!(keys(&hashed, "ann").await, Err(Denial::NoKeys.into()));
}

#[test]
fn cram_md5_is_served_from_dovecots_keys_and_from_a_password_in_clear() {
    // `printf %s '<c@example.org>' | openssl dgst -md5 -hmac 'correct horse'`
    let answer = "46225b168bbdb9143b0dbfff216f198e";
    for text in [SECRETS[24], "{PLAIN}correct horse"] {
        let keys = Record::parse([text], None).unwrap().cram_md5().unwrap();
        assert!(keys.prove(b"<c@example.org>", answer), "{text}");
        assert!(!keys.prove(b"<d@example.org>", answer), "{text}");
    }
    assert!(
        Record::parse(["{SHA}L55TUjtiq8FBorTWAZ0jy6g129A="], None).unwrap().cram_md5().is_err()
    );
}

#[tokio::test]
async fn c1_nobody_costs_what_somebody_costs_and_nothing_fits() {
    for secret in SECRETS {
        let somebody = Record::parse([*secret], None).unwrap();
        let (nobody, of_somebody, of_nobody) = (somebody.nobody(), checks(), checks());
        for tried in ["correct horse", "wrong horse"] {
            let _ = somebody.verify(&password(tried), &of_somebody).await;
            let denied = nobody.verify(&password(tried), &of_nobody).await;
            assert_eq!(denied, Err(Denial::UnknownUser.into()), "{secret}");
        }
        let ann = "ann".parse().unwrap();
        let _ = somebody.keys(ScramHash::Sha1, &ann, &decoys(), &of_somebody).await;
        let denied = nobody.keys(ScramHash::Sha1, &ann, &decoys(), &of_nobody).await;
        assert_eq!(denied, Err(Denial::UnknownUser.into()), "{secret}");
        assert_eq!(of_somebody.count(), of_nobody.count(), "{secret}");
        assert!(nobody.cram_md5().is_err());
    }
}

#[tokio::test]
async fn c1_a_verifier_lets_the_unknown_and_the_locked_cost_what_it_learned() {
    let checks = Arc::new(checks());
    let verifier = verifier::Verifier::new(Arc::clone(&checks), decoys());
    let (ann, locked) = ("ann".parse().unwrap(), Record::default());
    let clear = Record::parse(["{PLAIN}correct horse"], None).unwrap();
    let unknown = |found: Option<&Record>| match found {
        Some(_) => Err(Denial::NoPassword.into()),
        None => Err(Denial::UnknownUser.into()),
    };
    for found in [None, Some(&locked)] {
        assert_eq!(verifier.verify(found, &horse()).await, unknown(found));
    }
    assert_eq!(checks.count(), 2);
    assert_eq!(
        verifier.keys(None, &ann, ScramHash::Sha256).await.unwrap_err(),
        Denial::UnknownUser.into()
    );
    assert_eq!(checks.count(), 2, "no keys are made for those that have none to be made");
    verifier.learn(&clear);
    verifier.learn(&locked);
    for found in [None, Some(&locked)] {
        assert_eq!(verifier.verify(found, &horse()).await, unknown(found));
        let keys = verifier.keys(found, &ann, ScramHash::Sha256).await;
        assert_eq!(keys.map(drop), unknown(found));
    }
    assert_eq!(checks.count(), 6);
    assert_eq!(verifier.verify(Some(&clear), &horse()).await, Ok(()));
    assert!(verifier.keys(Some(&clear), &ann, ScramHash::Sha256).await.is_ok());
}

#[test]
fn the_most_common_record_is_that_of_most_users() {
    let parse = |texts: &[&str]| Record::parse(texts.iter().copied(), None).unwrap();
    let (plain, md5) = (parse(&["{PLAIN}a"]), parse(&["$1$saltsalt$NuzA7WTAelpl95xgBGWN60"]));
    let (cost5, rounds) = (parse(&[SECRETS[2]]), parse(&[SECRETS[43], "{PLAIN}a"]));
    let records = [&plain, &md5, &cost5, &rounds, &cost5, &Record::default(), &Record::default()];
    let most = Record::most_common(records).unwrap();
    assert!(most.secrets[0].cost() == cost5.secrets[0].cost());
    assert!(Record::most_common([&Record::default()]).is_none());
    let first = Record::most_common([&plain, &md5]).unwrap();
    assert!(first.secrets[0].cost() == Cost::Clear);
}

proptest! {
    /// A line of a file or an answer of a server must not end the gateway.
    #[test]
    fn any_text_is_read_or_refused_and_never_a_panic(text in nearly_secret()) {
        for default in [None, Some(Scheme::PLAIN), Some(Scheme::CRYPT)] {
            if let Err(error) = Record::parse([text.as_str()], default) {
                prop_assert!(!error.reason().is_empty());
            }
        }
    }
}

/// Good secrets with a few characters changed, and texts that begin like one.
fn nearly_secret() -> impl Strategy<Value = String> {
    let changed = (prop::sample::select(SECRETS), any::<prop::sample::Index>(), "[ -~\u{e9}]{0,3}");
    let changed = changed.prop_map(|(secret, at, new)| {
        let at = at.index(secret.len());
        let behind = (at + new.chars().count()).min(secret.len());
        format!("{}{new}{}", &secret[..at], &secret[behind..])
    });
    let starts = prop::sample::select(&["$y$", "$y$j", "$6$rounds=", "$2y$", "{PBKDF2}$1$", "{"]);
    let begun = (starts, "[./0-9A-Za-z$]{0,50}").prop_map(|(start, rest)| format!("{start}{rest}"));
    prop_oneof![changed, begun, "\\PC{0,60}"]
}

async fn keys(record: &Record, user: &str) -> Result<ScramKeys, DirectoryError> {
    record.keys(ScramHash::Sha256, &user.parse().unwrap(), &decoys(), &checks()).await
}

fn decoys() -> Decoys {
    let home = tempfile::tempdir().unwrap();
    Decoys::open(&home.path().join("users")).unwrap()
}

fn checks() -> Checks {
    Checks::new(HashLimits::default())
}

fn horse() -> Password {
    password("correct horse")
}

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}
