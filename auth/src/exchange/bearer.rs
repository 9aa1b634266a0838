//! OAUTHBEARER (RFC 7628) and XOAUTH2, its predecessor at Google and Microsoft: one message with
//! the user's name and an access token.
//!
//! Written out here instead of taken from the SASL library: its OAUTHBEARER leaves `=2C` in names,
//! takes anything for the scheme and anything behind the name, refuses values with `=` in them, and
//! its callback has to judge the token before it returns, which a look-up of keys cannot.

use crate::{
    Credentials, Mechanism, Proof, Token,
    exchange::{ExchangeError, scram},
};

/// The form in which a client sends its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bearer {
    /// Behind a GS2 header, which names the user.
    Rfc7628,
    /// The user is one of the fields.
    XOAuth2,
}

/// One scope of an access token: visible ASCII without `"` and `\` (RFC 6749 section 3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(Box<str>);

impl Bearer {
    pub(super) const fn of(mechanism: Mechanism) -> Option<Self> {
        match mechanism {
            Mechanism::OAuthBearer => Some(Self::Rfc7628),
            Mechanism::XOAuth2 => Some(Self::XOAuth2),
            Mechanism::External
            | Mechanism::ScramPlus(_)
            | Mechanism::Scram(_)
            | Mechanism::Plain
            | Mechanism::Login
            | Mechanism::CramMd5 => None,
        }
    }

    pub(super) const fn mechanism(self) -> Mechanism {
        match self {
            Self::Rfc7628 => Mechanism::OAuthBearer,
            Self::XOAuth2 => Mechanism::XOAuth2,
        }
    }

    pub(super) fn claim(self, message: &[u8]) -> Result<Credentials, ExchangeError> {
        let text = str::from_utf8(message).map_err(|_| self.malformed())?;
        let (named, fields) = match self {
            Self::Rfc7628 => {
                let (header, fields) = text.split_once(SEPARATOR).ok_or(self.malformed())?;
                (Some(user_of(header)?), fields)
            }
            Self::XOAuth2 => (None, text),
        };
        let fields = Fields::read(fields).ok_or(self.malformed())?;
        let user = named.or_else(|| fields.user.map(str::to_owned)).ok_or(NO_USER)?;
        let token = fields.auth.and_then(token).ok_or(NO_TOKEN)?;
        if user.is_empty() {
            return Err(NO_USER);
        }
        Ok(Credentials::new(self.mechanism(), user.parse()?, Proof::Token(token)))
    }

    /// What the client hears of a refused token: no reason, but what it could ask its issuer for.
    pub(super) fn refusal(self, scope: Option<&Scope>) -> String {
        let scope = scope.map(|Scope(scope)| format!(r#","scope":"{scope}""#)).unwrap_or_default();
        match self {
            Self::Rfc7628 => format!(r#"{{"status":"invalid_token"{scope}}}"#),
            Self::XOAuth2 => format!(r#"{{"status":"401","schemes":"bearer"{scope}}}"#),
        }
    }

    const fn malformed(self) -> ExchangeError {
        match self {
            Self::Rfc7628 => ExchangeError::Malformed("this is no OAUTHBEARER message of RFC 7628"),
            Self::XOAuth2 => {
                ExchangeError::Malformed("XOAUTH2 is user=NAME, ^A, auth=Bearer TOKEN, ^A, ^A")
            }
        }
    }
}

impl Scope {
    /// The scope; `None` if it is empty, longer than 512 bytes, or has a space or another character
    /// that no scope may have.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let is_scope = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        let fits = (1..=512).contains(&text.len()) && text.bytes().all(is_scope);
        fits.then(|| Self(text.into()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The fields that count here; others, such as `host` and `port`, may be there.
#[derive(Default)]
struct Fields<'a> {
    user: Option<&'a str>,
    auth: Option<&'a str>,
}

impl<'a> Fields<'a> {
    /// `key=value`, each with a separator behind it, and one more at the end.
    fn read(text: &'a str) -> Option<Self> {
        let mut fields = Self::default();
        let text = text.strip_suffix(SEPARATOR)?.strip_suffix(SEPARATOR)?;
        for field in text.split(SEPARATOR) {
            let (key, value) = field.split_once('=')?;
            let is_sound = !key.is_empty()
                && key.bytes().all(|byte| byte.is_ascii_alphabetic())
                && !value.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\r' | '\n'));
            if !is_sound {
                return None;
            }
            let known = match key {
                "user" => &mut fields.user,
                "auth" => &mut fields.auth,
                _ => continue,
            };
            if known.replace(value).is_some() {
                return None;
            }
        }
        Some(fields)
    }
}

/// The name in a GS2 header (RFC 5801 section 4), such as `n,a=ann@example.org,`.
fn user_of(header: &str) -> Result<String, ExchangeError> {
    let malformed = Bearer::Rfc7628.malformed();
    let [flag, name, ""] = header.split(',').collect::<Vec<_>>()[..] else {
        return Err(malformed);
    };
    match flag {
        // "y" says that we do not bind this mechanism to the channel, and so it is.
        "n" | "y" => {}
        _ if flag.starts_with("p=") => return Err(BINDING),
        _ => return Err(malformed),
    }
    match name.strip_prefix("a=") {
        Some(name) => scram::unescape(name).ok_or(malformed),
        None if name.is_empty() => Err(NO_USER),
        None => Err(malformed),
    }
}

/// The token in `Bearer TOKEN` (RFC 6750 section 2.1); the scheme is in any case (RFC 9110).
fn token(value: &str) -> Option<Token> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| Token::new(token.trim_start_matches(' ')))?
}

/// Control-A.
const SEPARATOR: char = '\x01';
const NO_USER: ExchangeError = ExchangeError::Malformed("the client names no user");
const NO_TOKEN: ExchangeError =
    ExchangeError::Malformed("there is no auth=Bearer with a token of at most 8192 bytes");
const BINDING: ExchangeError =
    ExchangeError::Malformed("the client binds to the channel; OAUTHBEARER does not offer that");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Channel, Denial,
        exchange::{Exchange, Progress},
    };

    #[test]
    fn the_examples_of_rfc_7628_and_of_google_are_claims() {
        let rfc = b"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01\
            auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01";
        let google = b"user=someuser@example.com\x01\
            auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01";
        assert_eq!(
            claimed(Mechanism::OAuthBearer, rfc),
            Ok(("user@example.com".into(), "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==".into()))
        );
        assert_eq!(
            claimed(Mechanism::XOAuth2, google),
            Ok((
                "someuser@example.com".into(),
                "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg".into()
            ))
        );
    }

    #[test]
    fn names_flags_and_schemes_are_read_in_all_their_forms() {
        for message in [
            "n,a=a=2Cn=3Dn,\x01auth=Bearer t\x01\x01",
            "y,a=A=2CN=3DN,\x01auth=bearer t\x01\x01",
            "n,a=a=2Cn=3Dn,\x01auth=BEARER   t\x01other=a=b c\x01\x01",
        ] {
            let claim = claimed(Mechanism::OAuthBearer, message.as_bytes());
            assert_eq!(claim, Ok(("a,n=n".into(), "t".into())), "{message:?}");
        }
    }

    #[test]
    fn c5_odd_messages_are_errors_with_a_meaning() {
        for (odd, error) in [
            (&b""[..], Bearer::Rfc7628.malformed()),
            (b"\x01", Bearer::Rfc7628.malformed()),
            (b"n,,", Bearer::Rfc7628.malformed()),
            (b"n", Bearer::Rfc7628.malformed()),
            (b"n,a=ann\x01auth=Bearer t\x01\x01", Bearer::Rfc7628.malformed()),
            (b"n,a=ann,x\x01auth=Bearer t\x01\x01", Bearer::Rfc7628.malformed()),
            (b"n,a=ann,,\x01auth=Bearer t\x01\x01", Bearer::Rfc7628.malformed()),
            (b"F,n,a=ann,\x01auth=Bearer t\x01\x01", Bearer::Rfc7628.malformed()),
            (b"p,a=ann,\x01auth=Bearer t\x01\x01", Bearer::Rfc7628.malformed()),
            (b"n,ann,\x01auth=Bearer t\x01\x01", Bearer::Rfc7628.malformed()),
            (b"n,a=a=2x,\x01auth=Bearer t\x01\x01", Bearer::Rfc7628.malformed()),
            (b"n,a=a=,\x01auth=Bearer t\x01\x01", Bearer::Rfc7628.malformed()),
            (b"n,a=ann,\x01auth=Bearer t\x01", Bearer::Rfc7628.malformed()),
            (b"n,a=ann,\x01auth=Bearer t", Bearer::Rfc7628.malformed()),
            (b"n,a=ann,\x01\x01auth=Bearer t\x01\x01", Bearer::Rfc7628.malformed()),
            (b"n,a=ann,\x01auth=Bearer t\x01auth=Bearer u\x01\x01", Bearer::Rfc7628.malformed()),
            (b"n,a=ann,\x01=x\x01auth=Bearer t\x01\x01", Bearer::Rfc7628.malformed()),
            (b"n,a=ann,\x01h st=x\x01auth=Bearer t\x01\x01", Bearer::Rfc7628.malformed()),
            (b"n,a=ann,\x01host=\0\x01auth=Bearer t\x01\x01", Bearer::Rfc7628.malformed()),
            (b"n,a=\xff,\x01auth=Bearer t\x01\x01", Bearer::Rfc7628.malformed()),
            (b"p=tls-exporter,a=ann,\x01auth=Bearer t\x01\x01", BINDING),
            (b"n,,\x01auth=Bearer t\x01\x01", NO_USER),
            (b"n,a=,\x01auth=Bearer t\x01\x01", NO_USER),
            (b"n,a=ann,\x01host=x\x01\x01", NO_TOKEN),
            (b"n,a=ann,\x01auth=\x01\x01", NO_TOKEN),
            (b"n,a=ann,\x01auth=Bearer\x01\x01", NO_TOKEN),
            (b"n,a=ann,\x01auth=Bearer \x01\x01", NO_TOKEN),
            (b"n,a=ann,\x01auth=Basic t\x01\x01", NO_TOKEN),
            (b"n,a=ann,\x01auth=Bearer t u\x01\x01", NO_TOKEN),
            (b"n,a=ann,\x01auth=Bearer \xc3\xa9\x01\x01", NO_TOKEN),
        ] {
            assert_eq!(claimed(Mechanism::OAuthBearer, odd), Err(error), "{odd:?}");
        }
        for (odd, error) in [
            (&b""[..], Bearer::XOAuth2.malformed()),
            (b"user=ann\x01auth=Bearer t\x01", Bearer::XOAuth2.malformed()),
            (b"user=ann\x01user=bob\x01auth=Bearer t\x01\x01", Bearer::XOAuth2.malformed()),
            (b"n,a=ann,\x01auth=Bearer t\x01\x01", Bearer::XOAuth2.malformed()),
            (b"auth=Bearer t\x01\x01", NO_USER),
            (b"user=\x01auth=Bearer t\x01\x01", NO_USER),
            (b"user=ann\x01\x01", NO_TOKEN),
        ] {
            assert_eq!(claimed(Mechanism::XOAuth2, odd), Err(error), "{odd:?}");
        }
    }

    #[test]
    fn c5_a_token_of_9_kilobytes_is_refused() {
        let message =
            |size| format!("n,a=ann,\x01auth=Bearer {}\x01\x01", "t".repeat(size)).into_bytes();
        assert!(claimed(Mechanism::OAuthBearer, &message(Token::MAX_BYTES)).is_ok());
        let over = claimed(Mechanism::OAuthBearer, &message(Token::MAX_BYTES + 1));
        assert_eq!(over, Err(NO_TOKEN));
        let far_over = claimed(Mechanism::OAuthBearer, &message(9 * 1_024));
        assert_eq!(far_over, Err(ExchangeError::TooLong));
    }

    #[test]
    fn a_refused_token_is_answered_in_json_and_any_answer_ends_it() {
        let scope = Scope::new("mail.send").unwrap();
        for (mechanism, scope, challenge) in [
            (Mechanism::OAuthBearer, None, r#"{"status":"invalid_token"}"#),
            (
                Mechanism::OAuthBearer,
                Some(&scope),
                r#"{"status":"invalid_token","scope":"mail.send"}"#,
            ),
            (
                Mechanism::XOAuth2,
                Some(&scope),
                r#"{"status":"401","schemes":"bearer","scope":"mail.send"}"#,
            ),
        ] {
            for answer in [&b"\x01"[..], b"", b"odd", &[b'a'; 12 * 1_024]] {
                let exchange = Exchange::denied(mechanism, Denial::OtherProof, scope).unwrap();
                assert_eq!(exchange.challenge(), challenge.as_bytes());
                let end = exchange.respond(answer);
                assert!(matches!(end, Ok(Progress::Denied(Denial::OtherProof))), "{end:?}");
            }
        }
        assert!(Exchange::denied(Mechanism::Plain, Denial::OtherProof, None).is_none());
    }

    #[test]
    fn a_scope_fits_into_json_as_it_is() {
        for bad in ["", "a b", "a\"b", "a\\b", "\u{e9}", "a\n"] {
            assert_eq!(Scope::new(bad), None, "{bad:?}");
        }
        assert_eq!(Scope::new("https://a.example/m").unwrap().as_str(), "https://a.example/m");
    }

    proptest! {
        #[test]
        fn any_message_ends_in_a_claim_or_an_error(
            text in "(n,a=)?[na,=\u{1}]{0,6}(user=a\u{1})?(auth=Bearer .{0,3})?[\u{1}]{0,3}",
            bytes in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            for mechanism in [Mechanism::OAuthBearer, Mechanism::XOAuth2] {
                let _ = claimed(mechanism, text.as_bytes());
                let _ = claimed(mechanism, &bytes);
            }
        }
    }

    fn claimed(mechanism: Mechanism, message: &[u8]) -> Result<(String, String), ExchangeError> {
        match Exchange::start(mechanism, Some(message), Channel::default())? {
            Progress::Verify(claim) => {
                assert_eq!(claim.mechanism(), mechanism);
                let Proof::Token(token) = claim.proof() else { panic!("a token: {claim:?}") };
                Ok((claim.user().to_string(), token.reveal().to_owned()))
            }
            other => panic!("one message makes the claim: {other:?}"),
        }
    }
}
