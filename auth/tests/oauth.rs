//! Access tokens of an issuer whose keys and signatures are OpenSSL's and whose HTTP server is
//! Python's.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::{join_all, poll_immediate};
use mailweir_auth::{
    Attempt, Credentials, Denial, Directory, DirectoryError, Identity, JwksSource, Mechanism,
    OAuth, OAuthError, OAuthSettings, Password, Proof, Role, Scope, ScramHash, SignatureAlgorithm,
    Token, TokenFault,
};
use mailweir_test_servers::{
    issuer::{Issuer, Signing, encode},
    tools, wait,
};
use tokio::net::TcpListener;

#[tokio::test]
async fn a_token_of_every_algorithm_proves_its_user() {
    if !tools::require(TOOLS) {
        return;
    }
    let kinds = [
        ("rs", Signing::Rs256, "RS256"),
        ("ps", Signing::Ps256, "PS256"),
        ("es", Signing::Es256, "ES256"),
        ("es384", Signing::Es384, "ES384"),
        ("ed", Signing::EdDsa, "EdDSA"),
    ];
    let issuer = issuer_with(&kinds.map(|(key, signing, _)| (key, signing)));
    let oauth = OAuth::open(file(&issuer)).unwrap();
    for (key, signing, algorithm) in kinds {
        for kind in ["at+jwt", "JWT", "application/AT+JWT"] {
            let header = format!(r#"{{"typ":"{kind}","alg":"{algorithm}","kid":"{key}"}}"#);
            let token = issuer.sign(key, signing, &header, &claims());
            assert_eq!(log_in(&oauth, "Ann@Example.org", &token).await, Ok(ann()), "{header}");
            let other = issuer.sign(key, signing, &header, &claims_with("jti", "\"b\""));
            let (signed, _) = token.rsplit_once('.').unwrap();
            let (_, signature) = other.rsplit_once('.').unwrap();
            let forged = log_in(&oauth, ANN, &format!("{signed}.{signature}")).await;
            assert_eq!(forged, fault(TokenFault::Signature), "{header}");
        }
    }
}

#[tokio::test]
async fn a_token_that_is_not_for_us_now_and_this_user_proves_nothing() {
    if !tools::require(TOOLS) {
        return;
    }
    let issuer = issuer_with(&[("a", Signing::Es256)]);
    let oauth = OAuth::open(file(&issuer)).unwrap();
    let now = unix_time();
    for (claim, value, expected) in [
        ("aud", "\"other\"", TokenFault::Audience),
        ("aud", "[]", TokenFault::Audience),
        ("iss", "\"https://evil.example\"", TokenFault::Issuer),
        ("exp", &(now - 61).to_string(), TokenFault::Expired),
        ("exp", "null", TokenFault::NoExpiry),
        ("nbf", &(now + 600).to_string(), TokenFault::NotYetValid),
        ("email", "\"bob@example.org\"", TokenFault::OtherUser),
        ("email", "null", TokenFault::NoUser),
        ("email_verified", "false", TokenFault::NoUser),
    ] {
        let token = es256(&issuer, "a", &claims_with(claim, value));
        assert_eq!(log_in(&oauth, ANN, &token).await, fault(expected), "{claim} {value}");
    }
    let within_leeway = es256(&issuer, "a", &claims_with("nbf", &(now + 30).to_string()));
    assert_eq!(log_in(&oauth, ANN, &within_leeway).await, Ok(ann()));
}

#[tokio::test]
async fn c5_a_header_chooses_neither_the_algorithm_nor_the_key() {
    if !tools::require(TOOLS) {
        return;
    }
    let issuer = issuer_with(&[("rs", Signing::Rs256)]);
    issuer.make_key("evil", Signing::Es256);
    let oauth = OAuth::open(file(&issuer)).unwrap();
    let by_evil = |header: &str| issuer.sign("evil", Signing::Es256, header, &claims());
    let unsigned = |header: &str| format!("{}.{}.", encode(header), encode(claims()));
    let public = fs::read(issuer.public_key_file("rs")).unwrap();
    let as_secret = |header: &str| {
        let signed = format!("{}.{}", encode(header), encode(claims()));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &public);
        format!("{signed}.{}", encode(aws_lc_rs::hmac::sign(&key, signed.as_bytes())))
    };
    let brings_its_key = format!(
        r#"{{"typ":"JWT","alg":"ES256","kid":"evil","jwk":{}}}"#,
        issuer.public_jwk("evil")
    );
    for (token, expected) in [
        (unsigned(r#"{"typ":"JWT","alg":"none","kid":"rs"}"#), TokenFault::Malformed),
        (unsigned(r#"{"typ":"JWT","alg":"None","kid":"rs"}"#), TokenFault::Malformed),
        (unsigned(r#"{"typ":"JWT","alg":"RS256","kid":"rs"}"#), TokenFault::Signature),
        (as_secret(r#"{"typ":"JWT","alg":"HS256","kid":"rs"}"#), TokenFault::Algorithm),
        (as_secret(r#"{"typ":"JWT","alg":"RS256","kid":"rs"}"#), TokenFault::Signature),
        (by_evil(r#"{"typ":"JWT","alg":"ES256","kid":"rs"}"#), TokenFault::Algorithm),
        (by_evil(r#"{"typ":"JWT","alg":"ES256","kid":"evil"}"#), TokenFault::UnknownKey),
        (by_evil(r#"{"typ":"JWT","alg":"ES256"}"#), TokenFault::UnknownKey),
        (by_evil(&brings_its_key), TokenFault::UnknownKey),
        (by_evil(r#"{"typ":"JWT","alg":"RS512","kid":"rs"}"#), TokenFault::Algorithm),
        (by_evil(r#"{"typ":"dpop+jwt","alg":"RS256","kid":"rs"}"#), TokenFault::Type),
        (by_evil(r#"{"alg":"RS256","kid":"rs"}"#), TokenFault::Type),
        (
            by_evil(r#"{"typ":"JWT","alg":"RS256","kid":"rs","crit":["exp"]}"#),
            TokenFault::Malformed,
        ),
    ] {
        assert_eq!(log_in(&oauth, ANN, &token).await, fault(expected), "{token}");
    }
}

#[tokio::test]
async fn c5_garbage_is_a_denial_and_never_a_panic() {
    if !tools::require(TOOLS) {
        return;
    }
    let issuer = issuer_with(&[("a", Signing::Es256)]);
    let oauth = OAuth::open(file(&issuer)).unwrap();
    let good = es256(&issuer, "a", &claims());
    let parts: Vec<&str> = good.split('.').collect();
    let garbage = [
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        "a".to_owned(),
        "a.b".to_owned(),
        "a.b.c".to_owned(),
        "e30.e30.e30".to_owned(),
        "bnVsbA.e30.e30".to_owned(),
        format!("{good}.{good}"),
        format!("{good}="),
        format!("{}.{}", parts[0], parts[1]),
        format!(".{}.{}", parts[1], parts[2]),
        format!("{}..{}.{}", parts[0], parts[1], parts[2]),
        "a.".repeat(4_000),
        "%00".repeat(100),
        es256(&issuer, "a", "[1]"),
        es256(&issuer, "a", &"[".repeat(4_000)),
    ];
    for garbage in garbage {
        let refused = log_in(&oauth, ANN, &garbage).await;
        assert_eq!(refused, fault(TokenFault::Malformed), "{garbage}");
    }
    for byte in (0..good.len()).step_by(7) {
        let mut changed = good.clone().into_bytes();
        changed[byte] = if changed[byte] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let refused = log_in(&oauth, ANN, &changed).await;
        assert!(matches!(refused, Err(DirectoryError::Denied(Denial::Token(_)))), "{changed}");
    }
}

#[tokio::test]
async fn a_token_of_8_kilobytes_is_read_and_one_of_9_is_no_token() {
    if !tools::require(TOOLS) {
        return;
    }
    let issuer = issuer_with(&[("a", Signing::Es256)]);
    let oauth = OAuth::open(file(&issuer)).unwrap();
    let sized = |size| {
        let groups = format!("\"{}\"", "g".repeat(size));
        es256(&issuer, "a", &claims_with("groups", &groups))
    };
    let long = sized(5_700);
    assert!((7_800..=Token::MAX_BYTES).contains(&long.len()), "{}", long.len());
    assert_eq!(log_in(&oauth, ANN, &long).await, Ok(ann()));
    let longer = sized(6_600);
    assert!(longer.len() > 9_000 && Token::new(&longer).is_none());
}

#[tokio::test]
async fn a_token_without_a_key_id_is_checked_by_the_only_key() {
    if !tools::require(TOOLS) {
        return;
    }
    let issuer = issuer_with(&[("a", Signing::Es256)]);
    issuer.make_key("b", Signing::Es256);
    let oauth = OAuth::open(file(&issuer)).unwrap();
    let header = r#"{"typ":"at+jwt","alg":"ES256"}"#;
    let token = issuer.sign("a", Signing::Es256, header, &claims());
    let now = Instant::now();
    assert_eq!(log_in_at(&oauth, ANN, &token, now).await, Ok(ann()));
    issuer.publish(&["a", "b"]);
    let ambiguous = log_in_at(&oauth, ANN, &token, now + Duration::from_secs(1)).await;
    assert_eq!(ambiguous, fault(TokenFault::UnknownKey));
}

#[tokio::test]
async fn scope_roles_and_algorithms_are_those_of_the_settings() {
    if !tools::require(TOOLS) {
        return;
    }
    let issuer = issuer_with(&[("a", Signing::Es256), ("rs", Signing::Rs256)]);
    let mut settings = file(&issuer);
    settings.required_scope = Scope::new("mail.send");
    settings.roles_claim = Some("/realm_access/roles".into());
    settings.algorithms = vec![SignatureAlgorithm::Es256];
    let oauth = OAuth::open(settings).unwrap();
    let without = es256(&issuer, "a", &claims());
    assert_eq!(log_in(&oauth, ANN, &without).await, fault(TokenFault::Scope));
    let claims = claims_with(
        "scope",
        r#""openid mail.send","realm_access":{"roles":["moderator","uma_authorization"]}"#,
    );
    let with = es256(&issuer, "a", &claims);
    let moderator = ann().with_roles(Role::Moderator.into());
    assert_eq!(log_in(&oauth, ANN, &with).await, Ok(moderator));
    let header = r#"{"typ":"at+jwt","alg":"RS256","kid":"rs"}"#;
    let other = issuer.sign("rs", Signing::Rs256, header, &claims);
    assert_eq!(log_in(&oauth, ANN, &other).await, fault(TokenFault::Algorithm));
}

#[tokio::test]
async fn c8_a_token_of_one_use_counts_once_however_its_signature_is_written() {
    if !tools::require(TOOLS) {
        return;
    }
    let issuer = issuer_with(&[("a", Signing::Es256)]);
    let many = OAuth::open(file(&issuer)).unwrap();
    let mut settings = file(&issuer);
    settings.one_use = true;
    let once = OAuth::open(settings).unwrap();
    let token = es256(&issuer, "a", &claims());
    for _ in 0..2 {
        assert_eq!(log_in(&many, ANN, &token).await, Ok(ann()));
    }
    let other_user = log_in(&once, "bob@example.org", &token).await;
    assert_eq!(other_user, fault(TokenFault::OtherUser), "and that does not use it up");
    assert_eq!(log_in(&once, ANN, &token).await, Ok(ann()));
    assert_eq!(log_in(&once, ANN, &token).await, fault(TokenFault::Used));
    let rewritten = with_other_signature(&token);
    assert_eq!(log_in(&many, ANN, &rewritten).await, Ok(ann()), "it is a good one");
    assert_eq!(log_in(&once, ANN, &rewritten).await, fault(TokenFault::Used));
    let next = es256(&issuer, "a", &claims_with("jti", "\"next\""));
    assert_eq!(log_in(&once, ANN, &next).await, Ok(ann()));
}

#[tokio::test]
async fn keys_in_a_file_are_read_again_when_it_changes() {
    if !tools::require(TOOLS) {
        return;
    }
    let issuer = issuer_with(&[("a", Signing::Es256)]);
    issuer.make_key("b", Signing::Es256);
    let oauth = OAuth::open(file(&issuer)).unwrap();
    let (a, b) = (es256(&issuer, "a", &claims()), es256(&issuer, "b", &claims()));
    let (now, second) = (Instant::now(), Duration::from_secs(1));
    assert_eq!(log_in_at(&oauth, ANN, &a, now).await, Ok(ann()));
    issuer.publish(&["b"]);
    let too_early = log_in_at(&oauth, ANN, &b, now).await;
    assert_eq!(too_early, fault(TokenFault::UnknownKey), "looked at a moment ago");
    assert_eq!(log_in_at(&oauth, ANN, &b, now + second).await, Ok(ann()));
    let withdrawn = log_in_at(&oauth, ANN, &a, now + second).await;
    assert_eq!(withdrawn, fault(TokenFault::UnknownKey));
    issuer.publish_text("{");
    let unreadable = log_in_at(&oauth, ANN, &b, now + 2 * second).await;
    assert_unavailable(&unreadable, "JWK Set");
    issuer.publish(&["b"]);
    let mended = log_in_at(&oauth, ANN, &b, now + 2 * second).await;
    assert_eq!(mended, Ok(ann()), "at once, for the last look failed");
}

#[tokio::test]
async fn an_issuer_that_is_down_at_first_is_asked_again_and_keys_that_are_known_stay() {
    if !tools::require(TOOLS) {
        return;
    }
    let mut issuer = issuer_with(&[("a", Signing::Es256)]);
    let oauth = OAuth::open(url(&issuer)).unwrap();
    let token = es256(&issuer, "a", &claims());
    let (now, hour) = (Instant::now(), Duration::from_secs(3_600));
    let down = log_in_at(&oauth, ANN, &token, now).await;
    assert_unavailable(&down, &issuer.url());
    issuer.start();
    let soon = log_in_at(&oauth, ANN, &token, now + Duration::from_secs(4)).await;
    assert_eq!(soon, down, "asked a moment ago");
    let up = now + Duration::from_secs(5);
    assert_eq!(log_in_at(&oauth, ANN, &token, up).await, Ok(ann()));
    assert_eq!((oauth.problem(), issuer.times_asked()), (None, 1));
    issuer.stop();
    let known = log_in_at(&oauth, ANN, &token, up + hour).await;
    assert_eq!(known, Ok(ann()), "old keys are better than none");
    wait::until_true("the renewal to fail", async || oauth.problem().is_some()).await;
    assert!(oauth.problem().unwrap().contains(&issuer.url()));
    // Anybody can name any key: no sign of an issuer that is down for those whose key is known.
    let unknown = es256_named(&issuer, "a", "new");
    let later = log_in_at(&oauth, ANN, &unknown, up + hour).await;
    assert_eq!(later, Err(DirectoryError::Busy));
    issuer.start();
    let minute = Duration::from_secs(60);
    let denied = log_in_at(&oauth, ANN, &unknown, up + hour + minute).await;
    assert_eq!(denied, fault(TokenFault::UnknownKey), "the issuer does not know it either");
    assert_eq!(oauth.problem(), None);
}

#[tokio::test]
async fn a_new_key_is_found_by_asking_again_once_a_minute_at_most() {
    if !tools::require(TOOLS) {
        return;
    }
    let mut issuer = issuer_with(&[("a", Signing::Es256)]);
    issuer.make_key("b", Signing::Es256);
    issuer.start();
    let oauth = OAuth::open(url(&issuer)).unwrap();
    let (a, b) = (es256(&issuer, "a", &claims()), es256(&issuer, "b", &claims()));
    let now = Instant::now();
    let after = |seconds| now + Duration::from_secs(seconds);
    assert_eq!(log_in_at(&oauth, ANN, &a, now).await, Ok(ann()));
    issuer.publish(&["a", "b"]);
    let too_early = log_in_at(&oauth, ANN, &b, after(59)).await;
    assert_eq!((too_early, issuer.times_asked()), (fault(TokenFault::UnknownKey), 1));
    assert_eq!(log_in_at(&oauth, ANN, &b, after(60)).await, Ok(ann()));
    assert_eq!(log_in_at(&oauth, ANN, &a, after(61)).await, Ok(ann()));
    for unknown in ["c", "d", "e"] {
        let token = es256_named(&issuer, "a", unknown);
        let refused = log_in_at(&oauth, ANN, &token, after(62)).await;
        assert_eq!(refused, fault(TokenFault::UnknownKey));
    }
    assert_eq!(issuer.times_asked(), 2);
    issuer.publish(&["b"]);
    let withdrawn = log_in_at(&oauth, ANN, &a, after(60 + 3_600 + 300)).await;
    assert_eq!(withdrawn, fault(TokenFault::UnknownKey), "the old keys have had their time");
}

#[tokio::test]
async fn while_old_keys_are_renewed_they_count_and_nobody_waits() {
    if !tools::require(TOOLS) {
        return;
    }
    let mut issuer = issuer_with(&[("a", Signing::Es256)]);
    issuer.start();
    let oauth = OAuth::open(url(&issuer)).unwrap();
    let (token, unknown) = (es256(&issuer, "a", &claims()), es256_named(&issuer, "a", "new"));
    let now = Instant::now();
    assert_eq!(log_in_at(&oauth, ANN, &token, now).await, Ok(ann()));
    issuer.stop();
    let address = issuer.url();
    let address = address.strip_prefix("http://").and_then(|rest| rest.split('/').next()).unwrap();
    let silent = TcpListener::bind(address).await.unwrap();
    let old = now + Duration::from_secs(3_600);
    for _ in 0..2 {
        let at_once = poll_immediate(log_in_at(&oauth, ANN, &token, old)).await;
        assert_eq!(at_once, Some(Ok(ann())));
    }
    // The issuer is asked meanwhile, once; then it hangs up.
    let (connection, _) = silent.accept().await.unwrap();
    let mut waits = Box::pin(log_in_at(&oauth, ANN, &unknown, old));
    assert_eq!(poll_immediate(&mut waits).await, None, "the key may be a new one");
    drop((silent, connection));
    assert_eq!(waits.await, Err(DirectoryError::Busy));
    // Once it was waited for in vain, nobody waits, however old the keys are.
    let silent = TcpListener::bind(address).await.unwrap();
    let outdated = old + Duration::from_secs(86_400);
    let at_once = poll_immediate(log_in_at(&oauth, ANN, &token, outdated)).await;
    assert_eq!(at_once, Some(Ok(ann())));
    silent.accept().await.unwrap();
}

#[tokio::test]
async fn sessions_that_come_together_ask_the_issuer_once_even_if_the_first_one_leaves() {
    if !tools::require(TOOLS) {
        return;
    }
    let mut issuer = issuer_with(&[("a", Signing::Es256)]);
    issuer.let_keep("public, max-age=600");
    issuer.start();
    let oauth = OAuth::open(url(&issuer)).unwrap();
    let token = es256(&issuer, "a", &claims());
    let now = Instant::now();
    let after = |seconds| log_in_at(&oauth, ANN, &token, now + Duration::from_secs(seconds));
    let mut leaving = Box::pin(after(0));
    assert_eq!(poll_immediate(&mut leaving).await, None, "it waits for the issuer");
    drop(leaving);
    let proven = join_all((0..20).map(|_| after(0))).await;
    assert!(proven.iter().all(|one| *one == Ok(ann())), "{proven:?}");
    assert_eq!(issuer.times_asked(), 1);
    assert_eq!((after(599).await, issuer.times_asked()), (Ok(ann()), 1));
    assert_eq!(after(600).await, Ok(ann()));
    wait::until_true("the renewal", async || issuer.times_asked() == 2).await;
}

#[tokio::test]
async fn an_answer_that_holds_no_keys_is_temporary_and_says_why() {
    if !tools::require(TOOLS) {
        return;
    }
    let mut issuer = issuer_with(&[("a", Signing::Es256)]);
    let token = es256(&issuer, "a", &claims());
    issuer.start();
    let huge = format!(r#"{{"keys":[],"filler":"{}"}}"#, "x".repeat(1_024 * 1_024));
    for (text, reason) in
        [("<html>", "JWK Set"), (r#"{"keys":[]}"#, "no public"), (&huge, "length limit")]
    {
        issuer.publish_text(text);
        let oauth = OAuth::open(url(&issuer)).unwrap();
        assert_unavailable(&log_in(&oauth, ANN, &token).await, reason);
    }
    fs::remove_file(issuer.keys_file()).unwrap();
    let oauth = OAuth::open(url(&issuer)).unwrap();
    assert_unavailable(&log_in(&oauth, ANN, &token).await, "404");
}

#[tokio::test]
async fn keys_come_by_tls_from_a_host_that_an_authority_vouches_for() {
    if !tools::require(TOOLS) {
        return;
    }
    let mut issuer = issuer_with(&[("a", Signing::Es256)]);
    let token = es256(&issuer, "a", &claims());
    issuer.start_tls();
    let mut settings = settings(JwksSource::Url(issuer.tls_url().parse().unwrap()));
    let public = OAuth::open(settings.clone()).unwrap();
    assert_unavailable(&log_in(&public, ANN, &token).await, "certificate");
    settings.ca_file = Some(issuer.certificate_file());
    let ours = OAuth::open(settings).unwrap();
    assert_eq!(log_in(&ours, ANN, &token).await, Ok(ann()));
}

#[tokio::test]
async fn it_serves_tokens_and_nothing_else() {
    if !tools::require(TOOLS) {
        return;
    }
    let issuer = issuer_with(&[("a", Signing::Es256)]);
    let oauth = OAuth::open(file(&issuer)).unwrap();
    let served = Mechanism::ALL.into_iter().filter(|&mechanism| oauth.serves(mechanism));
    assert!(served.eq([Mechanism::OAuthBearer, Mechanism::XOAuth2]));
    let user = ANN.parse().unwrap();
    let keys = oauth.keys(&user, ScramHash::Sha256).await;
    assert!(matches!(keys, Err(DirectoryError::Denied(Denial::OtherProof))));
    let password = Proof::Password(Password::new("secret").unwrap());
    let claim = Credentials::new(Mechanism::Plain, user, password);
    let refused = oauth.verify(&claim, &attempt(Instant::now())).await;
    assert_eq!(refused, Err(Denial::OtherProof.into()));
}

#[test]
fn settings_under_which_no_token_or_any_token_would_count_are_refused() {
    if !tools::require(TOOLS) {
        return;
    }
    let issuer = issuer_with(&[("a", Signing::Es256)]);
    let changed = |change: fn(&mut OAuthSettings)| {
        let mut settings = file(&issuer);
        change(&mut settings);
        OAuth::open(settings).map(drop)
    };
    let refused = changed(|settings| settings.audience.clear());
    assert!(matches!(refused, Err(OAuthError::NoAudience)), "{refused:?}");
    let refused = changed(|settings| settings.issuer = "".into());
    assert!(matches!(refused, Err(OAuthError::NoIssuer)), "{refused:?}");
    let refused = changed(|settings| settings.algorithms.clear());
    assert!(matches!(refused, Err(OAuthError::NoAlgorithm)), "{refused:?}");
    let refused = changed(|settings| settings.jwks = JwksSource::File("no-such-file".into()));
    assert!(matches!(refused, Err(OAuthError::Jwks { .. })), "{refused:?}");
    let mut settings = url(&issuer);
    settings.ca_file = Some(issuer.keys_file());
    let refused = OAuth::open(settings).map(drop);
    assert!(matches!(refused, Err(OAuthError::Authorities { .. })), "{refused:?}");
}

/// An issuer that has these keys and has published them.
fn issuer_with(keys: &[(&str, Signing)]) -> Issuer {
    let issuer = Issuer::new();
    for &(name, signing) in keys {
        issuer.make_key(name, signing);
    }
    let names: Vec<&str> = keys.iter().map(|&(name, _)| name).collect();
    issuer.publish(&names);
    issuer
}

fn file(issuer: &Issuer) -> OAuthSettings {
    settings(JwksSource::File(issuer.keys_file()))
}

fn url(issuer: &Issuer) -> OAuthSettings {
    settings(JwksSource::Url(issuer.url().parse().unwrap()))
}

fn settings(jwks: JwksSource) -> OAuthSettings {
    OAuthSettings::new("https://issuer.example", "gateway", jwks)
}

/// The claims of a good token of Ann's.
fn claims() -> String {
    claims_with("jti", "\"a\"")
}

/// The same with one claim more, or with another value for one.
fn claims_with(claim: &str, value: &str) -> String {
    let expiry = (unix_time() + 300).to_string();
    let mut claims = vec![
        ("iss", "\"https://issuer.example\""),
        ("aud", "[\"other\",\"gateway\"]"),
        ("exp", &expiry),
        ("email", "\"ann@example.org\""),
    ];
    claims.retain(|&(name, _)| name != claim);
    claims.push((claim, value));
    let claims: Vec<String> =
        claims.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", claims.join(","))
}

fn es256(issuer: &Issuer, key: &str, claims: &str) -> String {
    let header = format!(r#"{{"typ":"at+jwt","alg":"ES256","kid":"{key}"}}"#);
    issuer.sign(key, Signing::Es256, &header, claims)
}

/// Signed by one key under the name of another.
fn es256_named(issuer: &Issuer, key: &str, name: &str) -> String {
    let header = format!(r#"{{"typ":"at+jwt","alg":"ES256","kid":"{name}"}}"#);
    issuer.sign(key, Signing::Es256, &header, &claims())
}

/// Of a signature (r, s) on P-256, the other good one: (r, n - s).
fn with_other_signature(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut borrow = 0;
    for at in (0..32).rev() {
        let digit = i32::from(ORDER_OF_P256[at]) - i32::from(signature[32 + at]) - borrow;
        signature[32 + at] = u8::try_from(digit.rem_euclid(256)).unwrap();
        borrow = i32::from(digit < 0);
    }
    let rewritten = format!("{signed}.{}", encode(signature));
    assert_ne!(rewritten, token);
    rewritten
}

async fn log_in(oauth: &OAuth, user: &str, token: &str) -> Result<Identity, DirectoryError> {
    log_in_at(oauth, user, token, Instant::now()).await
}

async fn log_in_at(
    oauth: &OAuth,
    user: &str,
    token: &str,
    now: Instant,
) -> Result<Identity, DirectoryError> {
    let proof = Proof::Token(Token::new(token).unwrap());
    let claim = Credentials::new(Mechanism::OAuthBearer, user.parse().unwrap(), proof);
    oauth.verify(&claim, &attempt(now)).await
}

fn attempt(now: Instant) -> Attempt {
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Attempt { client, listener: "submission".into(), tls: true, now }
}

fn ann() -> Identity {
    Identity::proven(ANN.parse().unwrap())
}

fn fault(fault: TokenFault) -> Result<Identity, DirectoryError> {
    Err(Denial::Token(fault).into())
}

fn assert_unavailable(answer: &Result<Identity, DirectoryError>, why: &str) {
    let Err(DirectoryError::Unavailable(said)) = answer else { panic!("{why}: {answer:?}") };
    assert!(said.contains(why), "{said} does not say {why}");
}

#[expect(clippy::disallowed_methods, reason = "the issuer's clock is that of this machine")]
fn unix_time() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

const TOOLS: &[&str] = &["openssl", "python3"];
const ANN: &str = "ann@example.org";

const ORDER_OF_P256: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
