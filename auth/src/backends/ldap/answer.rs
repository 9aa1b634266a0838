//! What the result codes of an LDAP server mean for a log-in.
//!
//! What anybody can bring about by an odd name or password, or what is the matter with one user
//! alone, is a denial: it must not make the server look as if it were down for everybody.

use ldap3::{LdapError, LdapResult};

use crate::{Denial, DirectoryError};

/// An operation that came to no answer about the user. `Display` is for the administrator.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The connection broke, or was never made.
    #[error("{0}")]
    Connection(String),
    /// The server answered, and not what was asked.
    #[error("{0}")]
    Answer(String),
}

impl Trouble {
    /// Of an operation on an open connection.
    pub(super) fn of(error: LdapError) -> Self {
        match error {
            LdapError::FilterParsing => Self::Answer("the search filter is malformed".into()),
            error => Self::Connection(format!("the connection broke: {}", told(&error))),
        }
    }

    /// Of making a connection.
    pub(super) fn connecting(error: LdapError) -> Self {
        Self::Connection(match error {
            LdapError::LdapResult { result } => {
                format!("StartTLS is refused: {}; check starttls", said(&result))
            }
            LdapError::Io { source } if is_tls(&source) => format!(
                "no TLS: {source}; check ca_file, and that the certificate is for the host in url"
            ),
            error => format!("cannot connect: {}; is it running at this url?", told(&error)),
        })
    }

    /// Of the bind of the service account.
    pub(super) fn account(dn: &str, result: &LdapResult) -> Self {
        let advice = match result.rc {
            INVALID_CREDENTIALS | NO_SUCH_OBJECT | INVALID_DN => {
                "; check the DN and the password of the service account"
            }
            _ => advice(result.rc),
        };
        Self::Answer(format!("the service account {dn} cannot bind: {}{advice}", said(result)))
    }

    /// Of a search or a comparison.
    pub(super) fn lookup(what: &str, result: &LdapResult) -> Self {
        Self::Answer(format!("{what} failed: {}{}", said(result), advice(result.rc)))
    }

    /// With the name of the server.
    pub(super) fn at(&self, url: &str) -> DirectoryError {
        DirectoryError::Unavailable(format!("LDAP server {url}: {self}").into())
    }
}

/// What a user's bind as `dn` came to.
pub(super) fn bound(dn: &str, result: &LdapResult) -> Result<(), BindRefusal> {
    match result.rc {
        SUCCESS => Ok(()),
        INVALID_CREDENTIALS => Err(denied_by(&result.text).into()),
        NO_SUCH_OBJECT => Err(Denial::UnknownUser.into()),
        INAPPROPRIATE_AUTHENTICATION => Err(Denial::NoPassword.into()),
        // 389 Directory Server and FreeIPA: too many wrong passwords; a disabled account.
        CONSTRAINT_VIOLATION => Err(Denial::Suspended.into()),
        UNWILLING if result.text.contains("inactivated") => Err(Denial::Suspended.into()),
        // A value that the attribute cannot have. What is no DN at all comes from the template.
        INVALID_DN if dn.contains('=') => Err(Denial::UnknownUser.into()),
        INVALID_DN => Err(BindRefusal::Trouble(Trouble::Answer(format!(
            "it takes no such name to bind as: {}; check user_dn",
            said(result)
        )))),
        _ => Err(BindRefusal::Trouble(Trouble::lookup("the user's bind", result))),
    }
}

/// Why a user's bind did not succeed.
#[derive(Debug)]
pub(super) enum BindRefusal {
    /// The server knows: it is not the user's password, or the user may not log in.
    Denied(Denial),
    /// It does not say anything about the password.
    Trouble(Trouble),
}

impl From<Denial> for BindRefusal {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

/// Whether a user who is bound may only change the password (OpenLDAP's overlay `ppolicy`).
pub(super) fn is_restricted(result: &LdapResult) -> bool {
    result.rc == INSUFFICIENT_ACCESS && result.text.contains("restricted")
}

/// The reason of Active Directory, which stands as a Windows error number behind `data` in the
/// text of `invalidCredentials`; other servers give none.
fn denied_by(text: &str) -> Denial {
    let reason = text.split_once(" data ").map(|(_, after)| after);
    let reason = reason.and_then(|after| after.split(|c: char| !c.is_ascii_hexdigit()).next());
    match reason.unwrap_or_default() {
        "525" => Denial::UnknownUser,
        // Not at this hour, not from here, password expired, disabled, expired, password to be
        // changed, locked.
        "530" | "531" | "532" | "533" | "701" | "773" | "775" => Denial::Suspended,
        _ => Denial::WrongPassword,
    }
}

fn advice(code: u32) -> &'static str {
    match code {
        STRONGER_AUTH_REQUIRED | CONFIDENTIALITY_REQUIRED => {
            "; it wants TLS: set starttls, or an ldaps:// url"
        }
        REFERRAL => "; it refers to another server, which is not followed: set url to that one",
        OPERATIONS_ERROR | INSUFFICIENT_ACCESS => {
            "; the service account may not do this: give it the right, or set another account"
        }
        NO_SUCH_OBJECT => "; check the base of the search, and that the service account may see it",
        NO_SUCH_ATTRIBUTE_TYPE => "; check the name of the attribute",
        TIME_LIMIT | ADMIN_LIMIT => "; does it have an index for the attributes of the filter?",
        BUSY | UNAVAILABLE => "; it has too much to do or is shutting down: look at it",
        _ => "",
    }
}

/// The code and text of a result as one short line.
fn said(result: &LdapResult) -> String {
    let text = result.to_string();
    text.chars().filter(|c| !c.is_control()).take(LONGEST_TEXT).collect()
}

/// Never the `Debug` form: it could hold what was sent.
fn told(error: &LdapError) -> String {
    match error {
        LdapError::Io { source } => source.to_string(),
        LdapError::Timeout { .. } => "no answer in time".into(),
        LdapError::ResultRecv { .. } | LdapError::OpSend { .. } | LdapError::EndOfStream => {
            "the server closed it".into()
        }
        error => error.to_string(),
    }
}

fn is_tls(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}

/// The result codes of RFC 4511 section 4.1.9.
pub(super) const SUCCESS: u32 = 0;
const OPERATIONS_ERROR: u32 = 1;
const TIME_LIMIT: u32 = 3;
pub(super) const SIZE_LIMIT: u32 = 4;
pub(super) const COMPARE_FALSE: u32 = 5;
pub(super) const COMPARE_TRUE: u32 = 6;
const STRONGER_AUTH_REQUIRED: u32 = 8;
const REFERRAL: u32 = 10;
const ADMIN_LIMIT: u32 = 11;
const CONFIDENTIALITY_REQUIRED: u32 = 13;
pub(super) const NO_SUCH_ATTRIBUTE: u32 = 16;
const NO_SUCH_ATTRIBUTE_TYPE: u32 = 17;
const CONSTRAINT_VIOLATION: u32 = 19;
pub(super) const INVALID_VALUE: u32 = 21;
pub(super) const NO_SUCH_OBJECT: u32 = 32;
pub(super) const INVALID_DN: u32 = 34;
const INAPPROPRIATE_AUTHENTICATION: u32 = 48;
const INVALID_CREDENTIALS: u32 = 49;
const INSUFFICIENT_ACCESS: u32 = 50;
const BUSY: u32 = 51;
const UNAVAILABLE: u32 = 52;
const UNWILLING: u32 = 53;

const LONGEST_TEXT: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn active_directory_says_why_behind_data() {
        for (number, denial) in [
            ("525", Denial::UnknownUser),
            ("52e", Denial::WrongPassword),
            ("530", Denial::Suspended),
            ("531", Denial::Suspended),
            ("532", Denial::Suspended),
            ("533", Denial::Suspended),
            ("701", Denial::Suspended),
            ("773", Denial::Suspended),
            ("775", Denial::Suspended),
            ("9999", Denial::WrongPassword),
            ("", Denial::WrongPassword),
        ] {
            let text = format!(
                "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, \
                 data {number}, v2580\0"
            );
            assert_eq!(denial_of(INVALID_CREDENTIALS, &text), Some(denial), "{number}");
        }
        assert_eq!(denial_of(INVALID_CREDENTIALS, ""), Some(Denial::WrongPassword));
    }

    #[test]
    fn only_what_is_about_the_user_is_a_denial() {
        assert!(bound("cn=ann", &result(SUCCESS, "")).is_ok());
        let suspended = denial_of(UNWILLING, "Account inactivated. Contact system administrator.");
        assert_eq!(suspended, Some(Denial::Suspended));
        assert_eq!(denial_of(CONSTRAINT_VIOLATION, "retry limit"), Some(Denial::Suspended));
        assert_eq!(denial_of(NO_SUCH_OBJECT, ""), Some(Denial::UnknownUser));
        assert_eq!(denial_of(INAPPROPRIATE_AUTHENTICATION, ""), Some(Denial::NoPassword));
        assert_eq!(denial_of(INVALID_DN, ""), Some(Denial::UnknownUser));
        let no_dn = bound("ann@corp.example", &result(INVALID_DN, ""));
        assert!(matches!(no_dn, Err(BindRefusal::Trouble(_))));
        for code in [1, 2, 8, 10, 13, 50, 51, 52, 53, 80, 4_000] {
            assert_eq!(denial_of(code, "some text"), None, "{code}");
        }
    }

    #[test]
    fn a_user_who_may_only_change_the_password_is_told_from_missing_rights() {
        let text = "Operations are restricted to bind/unbind/abandon/StartTLS/modify password";
        assert!(is_restricted(&result(INSUFFICIENT_ACCESS, text)));
        assert!(!is_restricted(&result(INSUFFICIENT_ACCESS, "no access")));
        assert!(!is_restricted(&result(BUSY, text)));
    }

    #[test]
    fn the_text_of_a_server_is_one_short_line() {
        let text = said(&result(BUSY, &"a\r\n\u{1b}".repeat(1_000)));
        assert!(text.contains("busy") && text.len() <= LONGEST_TEXT, "{text}");
        assert!(!text.contains(char::is_control), "{text}");
    }

    fn denial_of(code: u32, text: &str) -> Option<Denial> {
        match bound("cn=ann", &result(code, text)) {
            Err(BindRefusal::Denied(denial)) => Some(denial),
            Ok(()) | Err(BindRefusal::Trouble(_)) => None,
        }
    }

    fn result(rc: u32, text: &str) -> LdapResult {
        LdapResult { rc, matched: String::new(), text: text.into(), refs: vec![], ctrls: vec![] }
    }
}
