//! Passwords that Cyrus `saslauthd` checks, over its `mux` socket.
//!
//! The protocol is libsasl's (`lib/checkpw.c`): four counted strings (login, password, service,
//! realm) go out, one comes back that begins with `OK` or `NO`, and the connection ends. saslauthd
//! sees the password and nothing else, so PLAIN and LOGIN are all that it can serve.
//!
//! Its `NO` does not tell an unknown user from a wrong password; nor does the time, as far as its
//! mechanism takes care of that.

use std::{io, path::PathBuf};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};
use zeroize::Zeroizing;

use crate::{
    Attempt, Checks, Credentials, Denial, Directory, DirectoryError, Identity, KeySearch,
    Mechanism, RequestLimits, ScramHash, UserName, Verification,
};

/// Where a saslauthd listens and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaslauthdSettings {
    /// The socket, such as `/run/saslauthd/mux` (libsasl's `saslauthd_path`).
    pub socket: PathBuf,
    /// The service that is named to it, which PAM configurations go by. At most 256 bytes.
    /// Default: `smtp`.
    pub service: Box<str>,
    /// The realm of logins that have none of their own (Postfix's `smtpd_sasl_local_domain`). At
    /// most 256 bytes. Default: empty.
    pub realm: Box<str>,
    /// The domains that are cut off a name, at its last `@`, and sent as the realm, written as here
    /// and compared in any case; every other name is the login as it stands. At most 256 bytes each.
    /// Default: none.
    ///
    /// libsasl cuts off every domain, and saslauthd passes the realm over unless `-r` puts both
    /// together again or its mechanism knows realms (`kerberos5`, `sasldb`, `ldap`). With PAM and
    /// `shadow`, a domain in this list is as good as none: `ann` and `ann@example.org` have one
    /// password, and with two such domains Ann chooses under which of them she logs in.
    pub realms: Vec<Box<str>>,
    /// How many connections there may be. Default: 5 at a time, what a saslauthd without `-n`
    /// answers, and 250 that wait.
    pub limits: RequestLimits,
}

impl SaslauthdSettings {
    /// The defaults for the saslauthd at `socket`.
    #[must_use]
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
            service: "smtp".into(),
            realm: "".into(),
            realms: Vec::new(),
            limits: RequestLimits::new(5, 250),
        }
    }
}

/// The users of a saslauthd.
#[derive(Debug)]
pub struct Saslauthd {
    settings: SaslauthdSettings,
    gate: Checks,
}

impl Saslauthd {
    /// A directory that asks by these settings. Nothing is connected yet.
    ///
    /// # Errors
    /// The service or a realm is nothing that a saslauthd takes.
    pub fn new(settings: SaslauthdSettings) -> Result<Self, SaslauthdSettingsError> {
        let realms = settings.realms.iter().map(|realm| ("realm", realm));
        let fields = [("service", &settings.service), ("realm", &settings.realm)];
        if settings.realms.iter().any(|realm| realm.is_empty()) {
            return Err(SaslauthdSettingsError::NoRealm);
        }
        for (field, text) in fields.into_iter().chain(realms) {
            if text.len() > MAX_FIELD {
                return Err(SaslauthdSettingsError::TooLong(field));
            }
            if text.contains('\0') {
                return Err(SaslauthdSettingsError::Nul(field));
            }
        }
        Ok(Self { gate: settings.limits.gate(), settings })
    }

    async fn check(&self, credentials: &Credentials) -> Result<Identity, DirectoryError> {
        let password = credentials.password().ok_or(Denial::OtherProof)?;
        let (login, realm) = self.login(credentials.user());
        let fields = [login, password.reveal(), &self.settings.service, realm];
        let request = request(fields).ok_or(Denial::WrongPassword)?;
        let _turn = self.gate.turn().await?;
        match self.ask(&request).await? {
            Verdict::Ok => Ok(Identity::proven(credentials.user().clone())),
            Verdict::No => Err(Denial::WrongPassword.into()),
            Verdict::Trouble(reason) => {
                Err(self.unavailable(&format!("could not check a password: {reason}")))
            }
        }
    }

    /// Login and realm as they are sent.
    fn login<'a>(&'a self, user: &'a UserName) -> (&'a str, &'a str) {
        let whole = (user.as_str(), &*self.settings.realm);
        let Some((local, domain)) = user.as_str().rsplit_once('@') else { return whole };
        let mut realms = self.settings.realms.iter();
        match realms.find(|realm| realm.to_lowercase() == domain.to_lowercase()) {
            Some(realm) if !local.is_empty() => (local, realm),
            Some(_) | None => whole,
        }
    }

    async fn ask(&self, request: &[u8]) -> Result<Verdict, DirectoryError> {
        let mut stream = match UnixStream::connect(&self.settings.socket).await {
            Ok(stream) => stream,
            // A full queue of connections: those that came before are being answered.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(DirectoryError::Busy);
            }
            Err(error) => {
                return Err(self.unavailable(&format!(
                    "cannot be reached ({error}): is it running, does it listen there (`-m`), and \
                     may this process open the socket?"
                )));
            }
        };
        let broken = |error: io::Error| self.unavailable(&format!("broke off ({error}){SEE_LOG}"));
        stream.write_all(request).await.map_err(broken)?;
        let mut received = [0; MAX_REPLY];
        let mut end = 0;
        loop {
            match verdict(received.get(..end).unwrap_or_default()) {
                Ok(Some(verdict)) => return Ok(verdict),
                Ok(None) => {}
                Err(BadReply) => {
                    return Err(self.unavailable("gave no answer of saslauthd: is it one?"));
                }
            }
            let room = received.get_mut(end..).unwrap_or_default();
            match stream.read(room).await.map_err(broken)? {
                0 => {
                    let what = format!("closed the connection before it answered{SEE_LOG}");
                    return Err(self.unavailable(&what));
                }
                more => end += more,
            }
        }
    }

    fn unavailable(&self, what: &str) -> DirectoryError {
        let socket = self.settings.socket.display();
        DirectoryError::Unavailable(format!("saslauthd at {socket} {what}").into())
    }
}

impl Directory for Saslauthd {
    fn serves(&self, mechanism: Mechanism) -> bool {
        match mechanism {
            Mechanism::Plain | Mechanism::Login => true,
            Mechanism::ScramPlus(_)
            | Mechanism::Scram(_)
            | Mechanism::External
            | Mechanism::OAuthBearer
            | Mechanism::XOAuth2
            | Mechanism::CramMd5 => false,
        }
    }

    fn verify<'a>(
        &'a self,
        credentials: &'a Credentials,
        _attempt: &'a Attempt,
    ) -> Verification<'a> {
        Box::pin(self.check(credentials))
    }

    fn keys<'a>(&'a self, _user: &'a UserName, _hash: ScramHash) -> KeySearch<'a> {
        Box::pin(std::future::ready(Err(Denial::NoKeys.into())))
    }
}

/// Why a saslauthd cannot be asked by these settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaslauthdSettingsError {
    /// Over 256 bytes: saslauthd would deny every log-in.
    #[error("the {0} for saslauthd is longer than the 256 bytes that it reads")]
    TooLong(&'static str),
    /// It has a NUL.
    #[error("the {0} for saslauthd has a NUL character")]
    Nul(&'static str),
    /// One of [`SaslauthdSettings::realms`] is empty.
    #[error("a realm for saslauthd is empty: name the domain that is cut off the names of users")]
    NoRealm,
}

/// What saslauthd says to a question.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Ok,
    No,
    /// A `NO` that means "I could not ask", with its reason.
    Trouble(Box<str>),
}

/// A reply that no saslauthd gives.
#[derive(Debug, PartialEq, Eq)]
struct BadReply;

/// The fields as counted strings; `None` if one has a NUL or over 65,535 bytes.
fn request(fields: [&str; 4]) -> Option<Zeroizing<Vec<u8>>> {
    let length = fields.iter().map(|field| field.len() + 2).sum();
    let mut request = Zeroizing::new(Vec::with_capacity(length));
    for field in fields {
        if field.contains('\0') {
            return None;
        }
        request.extend(u16::try_from(field.len()).ok()?.to_be_bytes());
        request.extend(field.as_bytes());
    }
    Some(request)
}

/// Reads what was received so far; `None` if more must come.
fn verdict(received: &[u8]) -> Result<Option<Verdict>, BadReply> {
    let Some((length, text)) = received.split_first_chunk() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes(*length));
    if !(2..=MAX_REPLY - 2).contains(&length) {
        return Err(BadReply);
    }
    let Some(text) = text.get(..length) else { return Ok(None) };
    match (text.strip_prefix(b"OK"), text.strip_prefix(b"NO")) {
        (Some(_), _) => Ok(Some(Verdict::Ok)),
        (_, Some(reason)) => {
            let reason = String::from_utf8_lossy(reason.trim_ascii());
            let is_trouble = TROUBLE.iter().any(|trouble| reason.starts_with(trouble));
            Ok(Some(if is_trouble { Verdict::Trouble(printable(&reason)) } else { Verdict::No }))
        }
        (None, None) => Err(BadReply),
    }
}

fn printable(text: &str) -> Box<str> {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect::<String>().into()
}

/// How the reasons begin by which saslauthd's mechanisms say that they could not check anything:
/// `rimap` and `ldap` (`[ALERT]`), all (`saslauthd internal error`), `getpwent` and `shadow`
/// (`lookup failure`), `pam` (`start error`).
const TROUBLE: [&str; 7] = [
    "[ALERT]",
    "saslauthd internal error",
    "internal mechanism failure",
    "Username lookup failure",
    "Username shadow lookup failure",
    "Insufficient permission",
    "PAM start error",
];

const SEE_LOG: &str = "; its log (LOG_AUTH) says why";

/// The longest string that saslauthd reads, in bytes (its `MAX_REQ_LEN`).
const MAX_FIELD: usize = 256;
/// The longest reply with its length, in bytes; libsasl reads 1,024 bytes of text.
const MAX_REPLY: usize = 1_026;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_four_counted_strings() {
        let request = request(["ann", "pass\u{e9}", "smtp", ""]).unwrap();
        assert_eq!(request.as_slice(), b"\0\x03ann\0\x06pass\xc3\xa9\0\x04smtp\0\0");
    }

    #[test]
    fn a_field_that_cannot_be_counted_or_has_a_nul_is_not_sent() {
        let longest = "x".repeat(65_535);
        assert!(request(["ann", &longest, "smtp", ""]).is_some());
        assert!(request(["ann", &format!("{longest}x"), "smtp", ""]).is_none());
        assert!(request(["ann", "a\0b", "smtp", ""]).is_none());
    }

    #[test]
    fn a_reply_is_read_once_it_is_whole() {
        let whole = b"\0\x0aOK Success";
        for end in 0..whole.len() {
            assert_eq!(verdict(&whole[..end]), Ok(None), "{end} bytes");
        }
        assert_eq!(verdict(whole), Ok(Some(Verdict::Ok)));
        assert_eq!(verdict(b"\0\x02OK"), Ok(Some(Verdict::Ok)));
        assert_eq!(verdict(b"\0\x03NO "), Ok(Some(Verdict::No)));
        assert_eq!(verdict(b"\0\x13NO Password expired"), Ok(Some(Verdict::No)));
    }

    #[test]
    fn a_no_that_means_not_now_is_no_denial() {
        let reply = b"\0\x16NO [ALERT] no\x07 contact";
        let reason = "[ALERT] no? contact".into();
        assert_eq!(verdict(reply), Ok(Some(Verdict::Trouble(reason))));
        let reply = b"\0\x1bNO saslauthd internal error";
        assert!(matches!(verdict(reply), Ok(Some(Verdict::Trouble(_)))));
    }

    #[test]
    fn garbage_is_neither_yes_nor_no() {
        for bad in [
            &b"\0\0"[..],
            b"\0\x01O",
            b"\0\x02ok",
            b"\0\x03 OK",
            b"\xff\xffOK",
            b"\x04\x01OK",
            b"220 mail.example ESMTP\r\n",
            b"VERSION\t1\t2\n",
        ] {
            assert_eq!(verdict(bad), Err(BadReply), "{bad:?}");
        }
    }

    #[test]
    fn only_a_domain_that_the_administrator_names_is_cut_off_at_the_last_at_sign() {
        let directory = |realms: &[&str]| {
            let mut settings = SaslauthdSettings::new("/mux");
            settings.realm = "ours.example".into();
            settings.realms = realms.iter().map(|&realm| realm.into()).collect();
            Saslauthd::new(settings).unwrap()
        };
        let (none, one) = (directory(&[]), directory(&["A.Example", "b.example"]));
        for (user, without, with) in [
            ("ann", ("ann", "ours.example"), ("ann", "ours.example")),
            ("ann@a.example", ("ann@a.example", "ours.example"), ("ann", "A.Example")),
            ("a@b@b.example", ("a@b@b.example", "ours.example"), ("a@b", "b.example")),
            ("ann@x.example", ("ann@x.example", "ours.example"), ("ann@x.example", "ours.example")),
            ("ann@", ("ann@", "ours.example"), ("ann@", "ours.example")),
            ("@a.example", ("@a.example", "ours.example"), ("@a.example", "ours.example")),
        ] {
            let user = user.parse().unwrap();
            assert_eq!(none.login(&user), without);
            assert_eq!(one.login(&user), with);
        }
    }

    #[test]
    fn a_realm_by_which_nobody_could_log_in_is_refused() {
        let settings = |realm: &str| SaslauthdSettings {
            realm: realm.into(),
            ..SaslauthdSettings::new("/mux")
        };
        assert!(Saslauthd::new(settings(&"r".repeat(256))).is_ok());
        let error = Saslauthd::new(settings(&"r".repeat(257))).unwrap_err();
        assert_eq!(error, SaslauthdSettingsError::TooLong("realm"));
        let error = Saslauthd::new(settings("a\0b")).unwrap_err();
        assert_eq!(error, SaslauthdSettingsError::Nul("realm"));
        for (realm, error) in
            [("", SaslauthdSettingsError::NoRealm), ("a\0b", SaslauthdSettingsError::Nul("realm"))]
        {
            let settings =
                SaslauthdSettings { realms: vec![realm.into()], ..SaslauthdSettings::new("/mux") };
            assert_eq!(Saslauthd::new(settings).unwrap_err(), error);
        }
    }
}
