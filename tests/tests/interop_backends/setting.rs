//! A gateway with one back end, or a few, before a server that takes all mail.

use mailweir_tests::{
    certificates::{Authority, Certificate},
    installation::{Installation, Plan},
    peers,
    sink::{Script, Sink},
    tools, wait,
};

use crate::{
    clients::{Claim, Client, RECIPIENT},
    table::{self, Column},
};

/// A gateway, who vouches for it and its clients, and where its mail goes.
pub(crate) struct Setting {
    pub(crate) authority: Authority,
    /// It proves [`USER`].
    pub(crate) certificate: Certificate,
    pub(crate) gateway: Installation,
    pub(crate) sink: Sink,
}

/// Whether all that this column needs is there: the servers' commands, and those of the clients.
pub(crate) fn can_show(column: Column, servers: &[&str]) -> bool {
    let mut needs = vec!["python3"];
    needs.extend(servers);
    needs.extend(table::proofs(column).into_iter().flat_map(|(_, client)| client.needs()));
    needs.sort_unstable();
    needs.dedup();
    tools::require(&needs)
}

impl Setting {
    /// One with these back ends, in TOML. `None` after a line that says why, if there is no program.
    pub(crate) async fn with(backends: &str) -> Option<Self> {
        Self::of(Plan::new()?, backends).await
    }

    /// The same for a plan that says more.
    pub(crate) async fn of(plan: Plan, backends: &str) -> Option<Self> {
        let mut setting = Self::installed(plan, backends).await;
        setting.gateway.start();
        Some(setting)
    }

    /// The same, but the gateway has not been started.
    pub(crate) async fn installed(plan: Plan, backends: &str) -> Self {
        let authority = Authority::new();
        let asks = format!("client_ca_file = {:?}", authority.file());
        let sink = Sink::start(Script::smtp()).await;
        let gateway = plan
            .listener("submission", &format!("mode = \"submission\"\ntls = \"required\"\n{asks}"))
            .listener("clear", CLEAR)
            .listener("xoauth2", XOAUTH2)
            .listener("legacy", LEGACY)
            .section(&format!("[tls]\n{}", authority.tls_section("localhost")))
            .section(backends)
            .next_hop(sink.address())
            .install();
        let certificate = authority.client(&[USER]);
        Self { authority, certificate, gateway, sink }
    }

    /// The mechanisms of EHLO inside TLS, for a client that has shown its certificate.
    pub(crate) fn offered(&self) -> Vec<String> {
        let Certificate { file, key } = &self.certificate;
        let authority = self.authority.file();
        let program = format!(
            "
context = ssl.create_default_context(cafile={authority:?})
context.load_cert_chain({file:?}, {key:?})
with smtplib.SMTP('localhost', PORT) as client:
    client.starttls(context=context)
    client.ehlo()
    print(client.esmtp_features.get('auth', ''))
"
        );
        let said = peers::python(self.gateway.at("submission"), &program).expect("python runs");
        said.expect_content().split_whitespace().map(str::to_owned).collect()
    }

    /// That the gateway offers what the table says; that each client of the table logs in with
    /// `secret` and its mail arrives; and that it is refused with `wrong`.
    pub(crate) async fn show(&self, column: Column, secret: &str, wrong: &str) {
        assert_eq!(self.offered(), table::offered(column), "{column:?}");
        let mut mails = 0;
        for (mechanism, client) in table::proofs(column) {
            if client.sends() {
                mails += 1;
            }
            if mechanism == "EXTERNAL" {
                self.show_external(client);
            } else {
                self.show_login(client, Claim { mechanism, user: USER, secret });
                self.show_refusal(client, Claim { mechanism, user: USER, secret: wrong });
            }
            let last = self.sink.expect(mails).await;
            assert!(last.iter().all(|mail| mail.recipients() == [RECIPIENT]));
        }
    }

    pub(crate) fn show_login(&self, client: Client, claim: Claim<'_>) {
        let said = client.log_in(self, claim);
        assert!(said.content, "{client:?} {claim:?}\n{}\n{}", said.text, self.gateway.log());
        self.expect_logged_in(client, claim, &said.text);
    }

    pub(crate) fn show_refusal(&self, client: Client, claim: Claim<'_>) {
        let reason = format!("SASL {} authentication failed: ", claim.mechanism);
        let failures = || self.gateway.log().matches(&reason).count();
        let before = failures();
        let said = client.log_in(self, claim);
        let text = &said.text;
        assert!(!said.content, "{client:?} {claim:?}\n{text}\n{}", self.gateway.log());
        let is_told = match (client, claim.mechanism) {
            HANGS_UP => text.contains(REFUSAL_OF_A_TOKEN),
            _ => text.contains("535") && text.contains("5.7.8 "),
        };
        assert!(is_told, "{client:?} {claim:?}\n{text}");
        wait::until(&reason, wait::PATIENCE, || (failures() > before).then_some(()));
        assert_eq!(failures(), before + 1, "{}", self.gateway.log());
    }

    fn show_external(&self, client: Client) {
        let said = client.show_certificate(self, USER).expect_content();
        let claim = Claim { mechanism: "EXTERNAL", user: USER, secret: "" };
        self.expect_logged_in(client, claim, &said);
        if client == Client::Gsasl {
            let said = client.show_certificate(self, "somebody.else@own.example").expect_refused();
            assert!(said.contains("535 5.7.8 "), "{said}");
            let _ = self.gateway.expect_log("SASL EXTERNAL authentication failed: ");
        }
    }

    fn expect_logged_in(&self, client: Client, claim: Claim<'_>, said: &str) {
        if client.sends() {
            let Claim { mechanism, user, .. } = claim;
            let line = format!("sasl_method={mechanism}, sasl_username={user}");
            let _ = self.gateway.expect_log(&line);
        } else {
            assert!(said.contains("235 2.7.0 Authentication successful"), "{said}");
        }
    }
}

const CLEAR: &str = "mode = \"submission\"\ntls = \"optional\"\nauth_in_clear = true";
const XOAUTH2: &str = "mode = \"submission\"\ntls = \"required\"\nauth_mechanisms = [\"XOAUTH2\"]";

const LEGACY: &str = "mode = \"submission\"\ntls = \"required\"\nauth_mechanisms = [\"CRAM-MD5\"]";

pub(crate) const USER: &str = "alice@own.example";

/// The beginning of `{"status":"...`, in base64.
const REFUSAL_OF_A_TOKEN: &str = "334 eyJzdGF0dXMiO";

/// It leaves when it hears the reason, before the reply.
const HANGS_UP: (Client, &str) = (Client::Curl, "XOAUTH2");
