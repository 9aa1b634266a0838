//! Exchanges as clients speak them, and as attackers do (`attacks.md` C5).

use proptest::prelude::*;

use super::*;
use crate::Proof;

#[test]
fn plain_with_an_initial_response_is_one_step() {
    let claim = claimed(Mechanism::Plain, &[b"\0ann@example.org\0correct horse"]);
    assert_eq!(claim, Ok(("ann@example.org".into(), "correct horse".into())));
}

#[test]
fn plain_without_an_initial_response_asks_with_an_empty_challenge() {
    let Progress::Challenge(exchange) = start(Mechanism::Plain, None).unwrap() else {
        panic!("PLAIN has to wait for its message");
    };
    assert_eq!(exchange.challenge(), b"");
    let Progress::Verify(claim) = exchange.respond(b"\0ann\0correct horse").unwrap() else {
        panic!("PLAIN ends with its message");
    };
    assert_eq!((claim.user().as_str(), claim.mechanism()), ("ann", Mechanism::Plain));
}

#[test]
fn login_asks_for_the_name_and_then_for_the_password() {
    let Progress::Challenge(exchange) = start(Mechanism::Login, None).unwrap() else {
        panic!("LOGIN asks for the name");
    };
    assert_eq!(exchange.challenge(), b"Username:");
    let Progress::Challenge(exchange) = exchange.respond(b"Ann").unwrap() else {
        panic!("LOGIN asks for the password");
    };
    assert_eq!(exchange.challenge(), b"Password:");
    let Progress::Verify(claim) = exchange.respond(b"correct horse").unwrap() else {
        panic!("LOGIN ends with the password");
    };
    assert_eq!((claim.user().as_str(), claim.mechanism()), ("ann", Mechanism::Login));
    assert_eq!(claim.password().unwrap().reveal(), "correct horse");
}

#[test]
fn login_takes_the_name_from_the_auth_command() {
    let claim = claimed(Mechanism::Login, &[b"ann", b"correct horse"]);
    assert_eq!(claim, Ok(("ann".into(), "correct horse".into())));
}

#[test]
fn external_without_an_initial_response_asks_with_an_empty_challenge() {
    let Progress::Challenge(exchange) = start(Mechanism::External, None).unwrap() else {
        panic!("EXTERNAL has to wait for its message");
    };
    assert_eq!(exchange.challenge(), b"");
    let Progress::Verify(claim) = exchange.respond(b"").unwrap() else {
        panic!("EXTERNAL ends with its message");
    };
    assert_eq!((claim.user().as_str(), claim.mechanism()), ("ann", Mechanism::External));
    assert!(matches!(claim.proof(), Proof::Certificate));
}

#[test]
fn external_is_for_the_names_of_the_certificate() {
    for (message, user) in [
        (&b""[..], Ok("ann")),
        (b"ann", Ok("ann")),
        (b"Ann", Ok("ann")),
        (b"a.other@example.org", Ok("a.other@example.org")),
        (b"bob", Err(ExchangeError::OtherIdentity)),
        (b"ann@example.org", Err(ExchangeError::OtherIdentity)),
        (b"*", Err(ExchangeError::OtherIdentity)),
        (b"ann ", Err(ExchangeError::OtherIdentity)),
    ] {
        let claimed = match start(Mechanism::External, Some(message)) {
            Ok(Progress::Verify(claim)) => Ok(claim.user().to_string()),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error),
        };
        assert_eq!(claimed, user.map(str::to_owned), "{message:?}");
    }
}

#[test]
fn c5_external_without_a_certificate_or_with_an_odd_message_is_an_error() {
    for initial in [None, Some(&b""[..]), Some(b"ann")] {
        let begun = Exchange::start(Mechanism::External, initial, Channel::default());
        assert_eq!(begun.unwrap_err(), ExchangeError::Uncertified);
    }
    for odd in [&b"\0"[..], b"\0ann", b"ann\0", b"\0ann\0secret", b"\xff", b"ann\xc3"] {
        let error = start(Mechanism::External, Some(odd)).unwrap_err();
        assert!(matches!(error, ExchangeError::Malformed(_)), "{odd:?} gave {error:?}");
    }
}

#[test]
fn c5_odd_messages_are_errors_with_a_meaning() {
    let malformed = |error| matches!(error, ExchangeError::Malformed(_));
    for odd in [
        &b""[..],
        b"\0",
        b"\0\0",
        b"\0\0\0",
        b"ann",
        b"ann\0secret",
        b"\0\0secret",
        b"\0ann\0",
        b"\0ann\0secret\0more",
        b"\0\xff\xfe\0secret",
        b"\xff\0ann\0secret",
        b"\0ann\0secret\xff",
    ] {
        let error = claimed(Mechanism::Plain, &[odd]).unwrap_err();
        assert!(malformed(error), "{odd:?} gave {error:?}");
    }
    assert_eq!(
        claimed(Mechanism::Login, &[b""]),
        Err(ExchangeError::UserName(UserNameError::Empty))
    );
    assert_eq!(
        claimed(Mechanism::Login, &[b"ann\0"]),
        Err(ExchangeError::UserName(UserNameError::Forbidden))
    );
    assert_eq!(
        claimed(Mechanism::Login, &[b"ann", b""]),
        Err(ExchangeError::Password(PasswordError::Empty))
    );
    assert!(malformed(claimed(Mechanism::Login, &[b"\xff"]).unwrap_err()));
    assert!(malformed(claimed(Mechanism::Login, &[b"ann", b"\xc3"]).unwrap_err()));
}

#[test]
fn c5_blobs_of_12_kilobytes_are_refused_in_every_place() {
    let blob = vec![b'a'; 12 * 1_024];
    let begins = |mechanism: &Mechanism| *mechanism != Mechanism::CramMd5;
    for mechanism in Mechanism::ALL.into_iter().filter(begins) {
        assert_eq!(claimed(mechanism, &[&blob]), Err(ExchangeError::TooLong));
    }
    assert_eq!(claimed(Mechanism::Login, &[b"ann", &blob]), Err(ExchangeError::TooLong));
    let mut plain = b"\0ann\0".to_vec();
    plain.extend_from_slice(&blob[..Password::MAX_BYTES + 1]);
    assert_eq!(
        claimed(Mechanism::Plain, &[&plain]),
        Err(ExchangeError::Password(PasswordError::TooLong))
    );
}

#[test]
fn c5_nobody_acts_as_somebody_else() {
    for authzid in ["root", "ann2", "an", ":", "\u{7f}"] {
        let message = format!("{authzid}\0ann\0correct horse");
        let error = claimed(Mechanism::Plain, &[message.as_bytes()]).unwrap_err();
        assert_eq!(error, ExchangeError::OtherIdentity, "{authzid:?}");
    }
    assert!(claimed(Mechanism::Plain, &[b"Ann\0ann\0correct horse"]).is_ok());
}

#[test]
fn c7_neither_errors_nor_debug_output_hold_what_the_client_sent() {
    for message in [&b"\0ann\0secret\0"[..], b"secret", b"secret\0ann\0x", b"\0ann\0secret\x7f"] {
        let error = claimed(Mechanism::Plain, &[message]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
    let progress = start(Mechanism::Login, Some(b"secret")).unwrap();
    assert!(!format!("{progress:?}").contains("secret"));
}

proptest! {
    #[test]
    fn any_messages_end_in_a_claim_a_challenge_or_an_error(
        login in any::<bool>(),
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 1..4),
    ) {
        let mechanism = if login { Mechanism::Login } else { Mechanism::Plain };
        if let Some(message) = messages.first() {
            let _ = start(Mechanism::External, Some(message));
        }
        let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let _ = claimed(mechanism, &messages);
    }

    #[test]
    fn what_a_client_claims_is_what_is_verified(
        name in "[a-z0-9.@_-]{1,30}",
        secret in "[ -~]{1,40}",
    ) {
        let expected = Ok((name.clone(), secret.clone()));
        let message = format!("\0{name}\0{secret}");
        prop_assert_eq!(&claimed(Mechanism::Plain, &[message.as_bytes()]), &expected);
        let (name, secret) = (name.as_bytes(), secret.as_bytes());
        prop_assert_eq!(&claimed(Mechanism::Login, &[name, secret]), &expected);
    }
}

/// Begins an exchange with a client that has shown a certificate for two names.
fn start(mechanism: Mechanism, initial: Option<&[u8]>) -> Result<Progress, ExchangeError> {
    let certified = ["ann", "a.other@example.org"].map(|name| name.parse().unwrap()).to_vec();
    let channel = Channel { exporter: Some(TlsExporter([7; 32])), certified };
    Exchange::start(mechanism, initial, channel)
}

/// Sends `messages`, the first of them with the AUTH command; an exchange that wants more ends as
/// malformed.
fn claimed(mechanism: Mechanism, messages: &[&[u8]]) -> Result<(String, String), ExchangeError> {
    let (first, rest) = messages.split_first().unwrap();
    let mut progress = start(mechanism, Some(first))?;
    let mut rest = rest.iter();
    loop {
        progress = match progress {
            Progress::Challenge(exchange) => match rest.next() {
                Some(message) => exchange.respond(message)?,
                None => return Err(ExchangeError::Malformed("cut short")),
            },
            Progress::Verify(claim) => {
                return Ok((
                    claim.user().to_string(),
                    claim.password().unwrap().reveal().to_owned(),
                ));
            }
            other => panic!("no password was claimed: {other:?}"),
        };
    }
}
