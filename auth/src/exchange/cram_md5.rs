//! CRAM-MD5 (RFC 2195): the client answers a challenge by a name and an HMAC-MD5 under its password.
//!
//! For clients that know nothing better and have no TLS. The server proves nothing, who listens can
//! try passwords at the speed of MD5, and the server must keep what is as good as the password.

use std::fmt;

use crate::{
    CramMd5Keys, UserName,
    exchange::{self, Exchange, ExchangeError, Progress, ServerNonce},
};

/// A CRAM-MD5 exchange that needs its challenge.
#[derive(Debug)]
#[must_use = "the client waits for the challenge"]
pub struct ChallengeQuery(());

/// A CRAM-MD5 exchange that waits for the client's one message.
pub(super) struct CramMd5 {
    challenge: Box<str>,
}

/// What a client claims by CRAM-MD5, not checked yet. `Debug` shows the name alone: with the rest
/// passwords could be tried.
#[must_use]
pub struct CramMd5Claim {
    user: UserName,
    challenge: Box<str>,
    digest: Box<str>,
}

impl ChallengeQuery {
    /// The server begins, so there is no initial response.
    pub(super) const fn begin(initial: Option<&[u8]>) -> Result<Self, ExchangeError> {
        match initial {
            None => Ok(Self(())),
            Some(_) => Err(INITIAL),
        }
    }

    /// Goes on with a nonce that was never used.
    #[must_use]
    pub fn answer(self, ours: ServerNonce) -> Progress {
        // In the form of a message identifier, without the time that the RFC puts into it: that
        // would make it no less predictable.
        let challenge = format!("<{}@mailweir>", ours.text());
        Progress::Challenge(Exchange::ask_cram_md5(CramMd5 { challenge: challenge.into() }))
    }
}

impl CramMd5 {
    pub(super) const fn challenge(&self) -> &str {
        &self.challenge
    }

    /// Reads `name`, a space, and 32 hexadecimal digits in lower case. What is before the last
    /// space is the name.
    pub(super) fn claim(self, message: &[u8]) -> Result<CramMd5Claim, ExchangeError> {
        let text = str::from_utf8(message).map_err(|_| NOT_CRAM_MD5)?;
        let (name, digest) = text.rsplit_once(' ').ok_or(NOT_CRAM_MD5)?;
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if digest.len() != DIGITS || !digest.bytes().all(is_digit) {
            return Err(NOT_CRAM_MD5);
        }
        let user = exchange::user_name(name.as_bytes())?;
        Ok(CramMd5Claim { user, challenge: self.challenge, digest: digest.into() })
    }
}

impl CramMd5Claim {
    /// Who the client says it is.
    #[must_use]
    pub const fn user(&self) -> &UserName {
        &self.user
    }

    /// Whether these keys prove the claim. Takes the same time for all keys.
    #[must_use]
    pub fn fits(&self, keys: &CramMd5Keys) -> bool {
        keys.prove(self.challenge.as_bytes(), &self.digest)
    }
}

impl fmt::Debug for CramMd5Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CramMd5Claim").field("user", &self.user).finish_non_exhaustive()
    }
}

const DIGITS: usize = 32;
const INITIAL: ExchangeError =
    ExchangeError::Malformed("CRAM-MD5 begins with our challenge, not with an initial response");
const NOT_CRAM_MD5: ExchangeError =
    ExchangeError::Malformed("CRAM-MD5 is a name, a space, and 32 hexadecimal digits");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Channel, Mechanism, Password, UserNameError};

    #[test]
    fn the_example_of_rfc_2195_is_a_claim_that_its_password_proves() {
        let waits = CramMd5 { challenge: "<1896.697170952@postoffice.reston.mci.net>".into() };
        let claim = waits.claim(b"tim b913a602c7eda7a495b4e6e7334d3890").unwrap();
        assert_eq!(claim.user().as_str(), "tim");
        assert!(claim.fits(&keys("tanstaaftanstaaf")));
        assert!(!claim.fits(&keys("tanstaaftanstaag")));
        assert!(!claim.fits(&CramMd5Keys::nobody()));
        assert!(!format!("{claim:?}").contains("b913"), "{claim:?}");
    }

    #[test]
    fn the_challenge_is_a_message_identifier_and_never_the_same() {
        let (first, second) = (challenged(), challenged());
        let text = str::from_utf8(first.challenge()).unwrap();
        let inner = text.strip_prefix('<').and_then(|text| text.strip_suffix("@mailweir>"));
        assert!(inner.is_some_and(|random| random.len() == 24), "{text}");
        assert_ne!(first.challenge(), second.challenge());
    }

    #[test]
    fn a_name_in_any_case_is_one_name_and_one_with_a_space_is_nobodys() {
        let claim = claimed(format!("Ann@Example.ORG {DIGEST}").as_bytes()).unwrap();
        assert_eq!(claim.user().as_str(), "ann@example.org");
        let nobodys = claimed(format!("ann b {DIGEST}").as_bytes()).unwrap_err();
        assert_eq!(nobodys, ExchangeError::UserName(UserNameError::Forbidden));
    }

    #[test]
    fn c5_odd_messages_are_errors_with_a_meaning() {
        for odd in [
            "".into(),
            " ".into(),
            "ann".into(),
            DIGEST.into(),
            format!("ann{DIGEST}"),
            format!("ann {DIGEST} "),
            format!("ann {DIGEST}0"),
            format!("ann {}", &DIGEST[1..]),
            format!("ann {}", DIGEST.to_uppercase()),
            format!("ann {}g", &DIGEST[1..]),
            format!("ann\t{DIGEST}"),
            format!("ann {DIGEST}\r\n"),
        ] {
            assert_eq!(claimed(odd.as_bytes()).unwrap_err(), NOT_CRAM_MD5, "{odd:?}");
        }
        let no_text = [b"\xff ", DIGEST.as_bytes()].concat();
        assert_eq!(claimed(&no_text).unwrap_err(), NOT_CRAM_MD5);
        let nobody = claimed(format!(" {DIGEST}").as_bytes()).unwrap_err();
        assert_eq!(nobody, ExchangeError::UserName(UserNameError::Empty));
        let long = vec![b'a'; Exchange::MAX_MESSAGE + 1];
        assert_eq!(claimed(&long).unwrap_err(), ExchangeError::TooLong);
        for initial in [&b""[..], b"ann", &long] {
            let begun = Exchange::start(Mechanism::CramMd5, Some(initial), Channel::default());
            assert_eq!(begun.unwrap_err(), INITIAL);
        }
    }

    proptest! {
        #[test]
        fn any_message_is_a_claim_or_an_error(
            text in "[a ]{0,3}[0-9a-f ]{30,34}",
            bytes in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let _ = (claimed(text.as_bytes()), claimed(&bytes));
        }
    }

    fn claimed(message: &[u8]) -> Result<CramMd5Claim, ExchangeError> {
        match challenged().respond(message)? {
            Progress::CramMd5(claim) => Ok(claim),
            other => panic!("one message makes the claim: {other:?}"),
        }
    }

    fn challenged() -> Exchange {
        let begun = Exchange::start(Mechanism::CramMd5, None, Channel::default()).unwrap();
        let Progress::NeedChallenge(query) = begun else { panic!("a nonce is wanted: {begun:?}") };
        match query.answer(ServerNonce::random().unwrap()) {
            Progress::Challenge(exchange) => exchange,
            other => panic!("a challenge follows: {other:?}"),
        }
    }

    fn keys(password: &str) -> CramMd5Keys {
        CramMd5Keys::of(&Password::new(password).unwrap())
    }

    const DIGEST: &str = "b913a602c7eda7a495b4e6e7334d3890";
}
