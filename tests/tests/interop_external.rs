//! Log-ins by client certificate, by gsasl and msmtp (GnuTLS) and by Python (OpenSSL).

use std::{path::Path, process::Command};

use mailweir_tests::{
    certificates::{Authority, Certificate},
    installation::{Installation, Plan},
    peers,
    sink::{Script, Sink},
    tools,
};

#[tokio::test(flavor = "multi_thread")]
async fn gsasl_logs_in_by_its_certificate_in_each_of_its_names() {
    let Some(setting) = Setting::new("gsasl").await else { return };
    let certificate = setting.authority.client(&[USER, "scanner@own.example"]);
    for acting_as in ["", "scanner@own.example"] {
        let said = setting.gsasl(&certificate, acting_as).expect_content();
        assert!(said.contains("235 2.7.0 Authentication successful"), "{said}");
    }
    let said = setting.gsasl(&certificate, "alice@own.example").expect_refused();
    assert!(said.contains("535 5.7.8 "), "{said}");
    let _ = setting.gateway.expect_log("SASL EXTERNAL authentication failed: the client logs in");
}

#[tokio::test(flavor = "multi_thread")]
async fn gsasl_with_a_strangers_certificate_is_not_offered_external() {
    let Some(setting) = Setting::new("gsasl").await else { return };
    let elsewhere = Authority::new();
    let stranger = elsewhere.client(&[USER]);
    let said = setting.gsasl(&stranger, "").text;
    assert!(said.contains("250-SMTPUTF8") && !said.contains("AUTH"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn msmtp_submits_a_mail_by_its_certificate() {
    let Some(setting) = Setting::new("msmtp").await else { return };
    let certificate = setting.authority.client(&[USER]);
    let said = peers::msmtp_certified(setting.gateway.at("submission"), &certificate, USER);
    let said = said.expect("msmtp runs").expect_content();
    assert!(said.contains("235 2.7.0 Authentication successful"), "{said}");
    assert_eq!(setting.sink.expect_one().await.recipients(), ["c@other.example"]);
    let line = setting.gateway.expect_log("sasl_username=printer@own.example");
    assert!(line.contains("sasl_method=EXTERNAL,"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn python_logs_in_by_its_certificate_over_tls_1_2_and_1_3() {
    let Some(setting) = Setting::new("python3").await else { return };
    let Certificate { file, key } = setting.authority.client(&[USER]);
    let ca = setting.authority.file();
    let program = format!(
        "
for version in [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]:
    context = ssl.create_default_context(cafile={ca:?})
    context.check_hostname = False
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain({file:?}, {key:?})
    with smtplib.SMTP(HOST, PORT) as client:
        client.starttls(context=context)
        client.ehlo()
        print(client.sock.version(), client.esmtp_features['auth'].split())
        print(client.auth('EXTERNAL', lambda challenge=None: '')[0])
"
    );
    let said = peers::python(setting.gateway.at("submission"), &program);
    let said = said.expect("python runs").expect_content();
    assert_eq!(said, "TLSv1.2 ['EXTERNAL']\n235\nTLSv1.3 ['EXTERNAL']\n235\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_manual_make_a_certificate_to_log_in_by() {
    if !tools::require(&["openssl"]) {
        return;
    }
    let place = tempfile::tempdir().expect("a directory");
    for command in include_str!("../../docs/operating.md").lines() {
        let Some(command) = command.strip_prefix("$ ").filter(|c| c.starts_with("openssl ")) else {
            continue;
        };
        let ran = Command::new("sh").args(["-c", command]).current_dir(&place).output();
        let ran = ran.expect("a shell");
        assert!(ran.status.success(), "{command}\n{}", String::from_utf8_lossy(&ran.stderr));
    }
    let at = |name: &str| place.path().join(name);
    let printer = Certificate { file: at("printer.pem"), key: at("printer.key") };
    let Some(setting) = Setting::trusting("gsasl", &at("ca.pem")).await else { return };
    let said = setting.gsasl(&printer, "printer@example.org").expect_content();
    assert!(said.contains("235 2.7.0 Authentication successful"), "{said}");
}

/// A gateway that lets everybody in who has a certificate of `authority`.
struct Setting {
    authority: Authority,
    gateway: Installation,
    sink: Sink,
}

impl Setting {
    async fn new(client: &str) -> Option<Self> {
        let authority = Authority::new();
        let file = authority.file();
        Self::with(client, authority, &file).await
    }

    /// As [`Self::new`], but about clients another authority is trusted.
    async fn trusting(client: &str, clients: &Path) -> Option<Self> {
        Self::with(client, Authority::new(), clients).await
    }

    async fn with(client: &str, authority: Authority, clients: &Path) -> Option<Self> {
        if !tools::require(&[client]) {
            return None;
        }
        let sink = Sink::start(Script::smtp()).await;
        let asks = format!("client_ca_file = {clients:?}");
        let keys = format!("mode = \"submission\"\ntls = \"required\"\n{asks}");
        let gateway = Plan::new()?
            .listener("submission", &keys)
            .section(&format!("[tls]\n{}", authority.tls_section("localhost")))
            .section("[[auth.backend]]\ntype = \"certificate\"\n")
            .next_hop(sink.address())
            .start();
        Some(Self { authority, gateway, sink })
    }

    fn gsasl(&self, certificate: &Certificate, acting_as: &str) -> peers::Said {
        let server = self.gateway.at("submission");
        let said = peers::gsasl_certified(server, &self.authority.file(), certificate, acting_as);
        said.unwrap_or_else(|error| panic!("gsasl does not run: {error}"))
    }
}

const USER: &str = "printer@own.example";
