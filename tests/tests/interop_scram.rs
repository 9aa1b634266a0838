//! Log-ins that show no password to the server, by msmtp and gsasl, who have written SCRAM anew.

use std::fs;

use mailweir_tests::{
    installation::{Installation, Plan},
    peers,
    sink::{Script, Sink},
    tools,
};

#[tokio::test(flavor = "multi_thread")]
async fn msmtp_submits_a_mail_with_each_mechanism() {
    for (mechanism, name) in [
        ("scram-sha-256", "SCRAM-SHA-256"),
        ("scram-sha-1", "SCRAM-SHA-1"),
        ("plain", "PLAIN"),
        ("login", "LOGIN"),
    ] {
        let Some((gateway, sink)) = gateway("msmtp").await else { return };
        let said = peers::msmtp(gateway.at("submission"), mechanism, USER, PASSWORD);
        let said = said.expect("msmtp runs").expect_content();
        assert!(said.contains("235 2.7.0 Authentication successful"), "{said}");
        assert_eq!(sink.expect_one().await.recipients(), ["c@other.example"]);
        let line = gateway.expect_log("sasl_username=alice@own.example");
        assert!(line.contains(&format!("sasl_method={name},")), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gsasl_proves_itself_and_checks_our_signature() {
    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"] {
        let Some((gateway, _sink)) = gateway("gsasl").await else { return };
        let said = peers::gsasl(gateway.at("clear"), None, mechanism, USER, PASSWORD);
        let said = said.expect("gsasl runs").expect_content();
        assert!(said.contains("235 2.7.0 Authentication successful"), "{mechanism}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gsasl_binds_its_proof_to_the_tls_connection() {
    if !tools::require(&["gsasl"]) {
        return;
    }
    let files = tempfile::tempdir().expect("a directory");
    let (certificate, key) = (files.path().join("localhost.pem"), files.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    fs::write(&certificate, made.cert.pem()).expect("a file");
    fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    let Some(plan) = Plan::new() else { return };
    let gateway = plan
        .listener("submission", "mode = \"submission\"\ntls = \"required\"")
        .section(&format!("[tls]\ncertificate_file = {certificate:?}\nkey_file = {key:?}\n"))
        .user(USER, PASSWORD)
        .start();
    for mechanism in ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"] {
        let server = gateway.at("submission");
        let said = peers::gsasl(server, Some(&certificate), mechanism, USER, PASSWORD);
        let said = said.expect("gsasl runs").expect_content();
        assert!(said.contains("235 2.7.0 Authentication successful"), "{mechanism}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_a_wrong_password_and_an_unknown_user_hear_the_same() {
    let Some((gateway, _sink)) = gateway("gsasl").await else { return };
    let mut heard = Vec::new();
    for (user, password) in [(USER, "wrong horse"), ("nobody@own.example", PASSWORD)] {
        let said = peers::gsasl(gateway.at("clear"), None, "SCRAM-SHA-256", user, password);
        let said = said.expect("gsasl runs").expect_refused();
        heard.extend(said.lines().find(|line| line.starts_with("535 ")).map(str::to_owned));
    }
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert_eq!(heard[0], heard[1]);
    for reason in ["wrong password", "unknown user"] {
        let _ = gateway.expect_log(&format!("SASL SCRAM-SHA-256 authentication failed: {reason}"));
    }
    assert!(!gateway.log().contains("wrong horse"), "{}", gateway.log());
}

async fn gateway(client: &str) -> Option<(Installation, Sink)> {
    if !tools::require(&[client]) {
        return None;
    }
    let sink = Sink::start(Script::smtp()).await;
    let plan = Plan::new()?
        .listener("submission", "mode = \"submission\"\ntls = \"required\"")
        .listener("clear", "mode = \"submission\"\ntls = \"optional\"\nauth_in_clear = true");
    Some((plan.next_hop(sink.address()).user(USER, PASSWORD).start(), sink))
}

const USER: &str = "alice@own.example";
const PASSWORD: &str = "correct horse";
