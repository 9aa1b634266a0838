//! The programs that log in.

use std::path::Path;

use mailweir_tests::{
    peers::{self, Said},
    postfix, wait,
};

use crate::setting::Setting;

/// A program of other people that logs in, and hands in a mail if it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    Swaks,
    Msmtp,
    /// Python's smtplib.
    Python,
    /// It logs in and leaves.
    Gsasl,
    Curl,
    /// Postfix's client with Cyrus SASL, which has SCRAM with SHA-512.
    Postfix,
    /// TLS and the keying material of `openssl s_client`; PBKDF2 and HMAC of Python's hashlib.
    OpenSsl,
}

/// Who a client says it is, and by what it proves that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim<'a> {
    pub(crate) mechanism: &'a str,
    pub(crate) user: &'a str,
    /// A password or a token.
    pub(crate) secret: &'a str,
}

impl Client {
    /// As people call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Swaks => "swaks",
            Self::Msmtp => "msmtp",
            Self::Python => "smtplib",
            Self::Gsasl => "gsasl",
            Self::Curl => "curl",
            Self::Postfix => "Postfix",
            Self::OpenSsl => "OpenSSL",
        }
    }

    /// The commands that it needs.
    pub(crate) const fn needs(self) -> &'static [&'static str] {
        match self {
            Self::Swaks => &["swaks"],
            Self::Msmtp => &["msmtp"],
            Self::Python => &["python3"],
            Self::Gsasl => &["gsasl"],
            Self::Curl => &["curl"],
            Self::Postfix => &["postfix"],
            Self::OpenSsl => &["python3", "openssl"],
        }
    }

    /// Whether it hands in a mail.
    pub(crate) fn sends(self) -> bool {
        self != Self::Gsasl
    }

    /// The listener that it comes to: it takes what it deems best of what is offered, whatever it
    /// is told.
    fn listener(self, mechanism: &str) -> &'static str {
        match (self, mechanism) {
            // It has what -PLUS needs, and takes an offer of -PLUS that it shall not use for an
            // attack.
            (Self::Gsasl, "SCRAM-SHA-256" | "SCRAM-SHA-1") => "clear",
            (Self::Curl, "XOAUTH2") => "xoauth2",
            (_, "CRAM-MD5") => "legacy",
            _ => "submission",
        }
    }

    /// Logs in by a password or a token; over STARTTLS, unless it comes to the listener `clear`.
    pub(crate) fn log_in(self, setting: &Setting, claim: Claim<'_>) -> Said {
        let Claim { mechanism, user, secret } = claim;
        let listener = self.listener(mechanism);
        let server = setting.gateway.at(listener);
        let authority = setting.authority.file();
        let said = match self {
            Self::Swaks => {
                let login = ["--tls", "--auth", mechanism, "--auth-user", user];
                let rest = ["--auth-password", secret, "--from", SENDER, "--to", RECIPIENT];
                peers::swaks(server, &[&login[..], &rest].concat())
            }
            Self::Msmtp => peers::msmtp(server, &mechanism.to_ascii_lowercase(), user, secret),
            Self::Python => peers::python(server, &smtplib(claim, &authority)),
            Self::Gsasl => {
                let tls = (listener != "clear").then_some(&*authority);
                peers::gsasl(server, tls, mechanism, user, secret)
            }
            Self::Curl => peers::curl(server, &authority, mechanism, user, secret),
            Self::Postfix => return relay(setting, claim),
            Self::OpenSsl => {
                let known = known_to_python(claim, &authority);
                peers::python(server, &(known + include_str!("scram_plus.py")))
            }
        };
        said.unwrap_or_else(|error| panic!("{self:?} does not run: {error}"))
    }

    /// Logs in by the certificate of [`Setting`] as `user`.
    pub(crate) fn show_certificate(self, setting: &Setting, user: &str) -> Said {
        let server = setting.gateway.at("submission");
        let said = match self {
            Self::Gsasl => {
                let authority = setting.authority.file();
                peers::gsasl_certified(server, &authority, &setting.certificate, user)
            }
            Self::Msmtp => peers::msmtp_certified(server, &setting.certificate, user),
            Self::Swaks | Self::Python | Self::Curl | Self::Postfix | Self::OpenSsl => {
                panic!("{self:?} is not told how to log in by a certificate")
            }
        };
        said.unwrap_or_else(|error| panic!("{self:?} does not run: {error}"))
    }
}

fn smtplib(claim: Claim<'_>, authority: &Path) -> String {
    known_to_python(claim, authority)
        + "
with smtplib.SMTP('localhost', PORT) as client:
    client.starttls(context=ssl.create_default_context(cafile=AUTHORITY))
    client.ehlo()
    client.user, client.password = USER, SECRET
    method = getattr(client, 'auth_' + MECHANISM.lower().replace('-', '_'))
    print(client.auth(MECHANISM, method))
    client.sendmail(SENDER, [RECIPIENT], 'Subject: by smtplib\\r\\n\\r\\ntext\\r\\n')
"
}

fn known_to_python(claim: Claim<'_>, authority: &Path) -> String {
    let Claim { mechanism, user, secret } = claim;
    format!(
        "AUTHORITY = {authority:?}\nMECHANISM = {mechanism:?}\nUSER = {user:?}\n\
         SECRET = {secret:?}\nSENDER = {SENDER:?}\nRECIPIENT = {RECIPIENT:?}\n"
    )
}

/// A mail that a Postfix relays to us; what it says is its log.
fn relay(setting: &Setting, claim: Claim<'_>) -> Said {
    let Claim { mechanism, user, secret } = claim;
    let postfix = postfix::Settings::new()
        .relay_to(setting.gateway.at("submission"))
        .parameter("smtp_tls_security_level", "encrypt")
        .parameter("smtp_sasl_auth_enable", "yes")
        .parameter("smtp_sasl_security_options", "noanonymous")
        .parameter("smtp_sasl_mechanism_filter", &mechanism.to_ascii_lowercase())
        .parameter("smtp_sasl_password_maps", &format!("static:{user}:{secret}"))
        .start()
        .expect("a Postfix");
    postfix.submit(SENDER, RECIPIENT, "Subject: by Postfix\n\ntext\n").expect("sendmail runs");
    let line = wait::until("Postfix to try", wait::PATIENCE, || {
        let log = postfix.log();
        log.lines().find(|line| line.contains(" status=")).map(str::to_owned)
    });
    let content = line.contains("status=sent");
    Said { content, status: None, text: postfix.log() }
}

pub(crate) const SENDER: &str = "a@own.example";
pub(crate) const RECIPIENT: &str = "c@other.example";
