//! SCRAM as clients speak it, by a client written from RFC 5802 for these tests.

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use proptest::prelude::*;

use super::*;
use crate::{ScramHash, ScramKeys};

#[test]
fn the_client_of_these_tests_is_that_of_rfc_7677() {
    let client = Client {
        nonce: "rOprNGfwEbeRWgbNEkqO",
        ..Client::new(ScramHash::Sha256, "user", "pencil")
    };
    let challenge =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    let (proof, signature) = client.answer(challenge.as_bytes());
    assert_eq!(
        proof,
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
         p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    );
    assert_eq!(signature, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

#[test]
fn who_knows_the_password_is_proven_and_sees_our_signature() {
    for hash in ScramHash::ALL {
        let free = Client::new(hash, "ann", "correct horse");
        let bound = Client { channel: Some(CHANNEL), ..free };
        for client in [free, bound] {
            let exchange = challenged(&client, FoundKeys::Real(keys(hash)));
            let (proof, signature) = client.answer(exchange.challenge());
            let Progress::Challenge(exchange) = exchange.respond(proof.as_bytes()).unwrap() else {
                panic!("our signature comes before the end");
            };
            assert_eq!(exchange.challenge(), signature.as_bytes());
            let Progress::Proven { user, mechanism, .. } = exchange.respond(b"").unwrap() else {
                panic!("an empty message ends it");
            };
            assert_eq!((user.as_str(), mechanism), ("ann", client.mechanism()));
        }
    }
}

#[test]
fn c4_a_proof_is_for_one_channel_alone() {
    let hash = ScramHash::Sha256;
    let client = Client { channel: Some(CHANNEL), ..Client::new(hash, "ann", "correct horse") };
    let exchange = challenged(&client, FoundKeys::Real(keys(hash)));
    let elsewhere = Client { channel: Some(TlsExporter([8; 32])), ..client };
    let (proof, _) = elsewhere.answer(exchange.challenge());
    let passed_on = exchange.respond(proof.as_bytes());
    assert!(matches!(passed_on, Ok(Progress::Disproven { .. })), "{passed_on:?}");
}

#[test]
fn c4_a_client_that_was_not_shown_channel_binding_is_refused() {
    let begin = |mechanism, flag: &str, exporter| {
        let first = format!("{flag},,n=ann,r=abc");
        Exchange::start(mechanism, Some(first.as_bytes()), over(exporter)).map(drop)
    };
    let (plus, free) =
        (Mechanism::ScramPlus(ScramHash::Sha256), Mechanism::Scram(ScramHash::Sha256));
    assert_eq!(begin(free, "y", Some(CHANNEL)), Err(ExchangeError::Downgraded));
    assert_eq!(begin(free, "y", None), Ok(()));
    assert_eq!(begin(free, "n", Some(CHANNEL)), Ok(()));
    assert_eq!(begin(plus, "p=tls-exporter", Some(CHANNEL)), Ok(()));
    for (mechanism, flag) in
        [(plus, "n"), (plus, "y"), (plus, "p=tls-unique"), (plus, "p="), (free, "p=tls-exporter")]
    {
        let error = begin(mechanism, flag, Some(CHANNEL));
        assert!(matches!(error, Err(ExchangeError::Malformed(_))), "{mechanism} {flag}: {error:?}");
    }
    assert_eq!(begin(plus, "p=tls-exporter", None), Err(ExchangeError::Broken));
}

#[test]
fn c1_a_wrong_password_and_an_unknown_user_look_alike() {
    let hash = ScramHash::Sha256;
    let wrong = Client::new(hash, "ann", "wrong horse");
    let unknown = Client::new(hash, "bob", "correct horse");
    let decoy =
        FoundKeys::Decoy(ScramKeys::decoy(hash, b"secret", "bob"), Denial::UnknownUser.into());
    for (client, found, denial) in [
        (wrong, FoundKeys::Real(keys(hash)), Denial::WrongPassword),
        (unknown, decoy, Denial::UnknownUser),
    ] {
        let exchange = challenged(&client, found);
        let (proof, _) = client.answer(exchange.challenge());
        let Progress::Disproven { user, error: why } = exchange.respond(proof.as_bytes()).unwrap()
        else {
            panic!("nobody is proven");
        };
        assert_eq!((user.as_str(), why), (client.user, denial.into()));
    }
}

#[test]
fn a_proof_is_for_one_challenge_alone() {
    let hash = ScramHash::Sha256;
    let client = Client::new(hash, "ann", "correct horse");
    let first = challenged(&client, FoundKeys::Real(keys(hash)));
    let (proof, _) = client.answer(first.challenge());
    let second = challenged(&client, FoundKeys::Real(keys(hash)));
    let replayed = second.respond(proof.as_bytes());
    assert!(matches!(replayed, Ok(Progress::Disproven { .. })), "{replayed:?}");
}

#[test]
fn names_may_hold_commas_and_equals_signs() {
    for (sent, meant) in [("a=2Cb", "a,b"), ("a=3Db", "a=b"), ("=3D2C", "=2c"), ("=2C=2C", ",,")] {
        assert_eq!(named(&format!("n,,n={sent},r=abc")).unwrap().as_str(), meant);
    }
    for bad in ["a=b", "a=", "a=2", "a=2c", "==2C"] {
        assert!(named(&format!("n,,n={bad},r=abc")).is_err(), "{bad}");
    }
}

#[test]
fn c5_nobody_acts_as_somebody_else() {
    assert_eq!(named("n,a=root,n=ann,r=abc").unwrap_err(), ExchangeError::OtherIdentity);
    assert_eq!(named("n,a=Ann,n=ann,r=abc").unwrap().as_str(), "ann");
}

#[test]
fn c5_odd_messages_are_errors_with_a_meaning() {
    for odd in [
        "",
        "n",
        "n,,",
        "n,,n=ann",
        "n,,r=abc",
        "x,,n=ann,r=abc",
        "n,,n=,r=abc",
        "n,,n=ann,r=",
        "n,,m=ext,n=ann,r=abc",
        "p=tls-exporter,,n=ann,r=abc",
        "p=tls-unique,,n=ann,r=abc",
    ] {
        let error = named(odd);
        assert!(error.is_err(), "{odd:?} named {error:?}");
    }
    let hash = ScramHash::Sha256;
    let client = Client::new(hash, "ann", "correct horse");
    for odd in ["", "c=biws", "c=biws,r=abc", "c=biws,r=abc,p=", "c=biws,r=abc,p=!!", "e=other"] {
        let exchange = challenged(&client, FoundKeys::Real(keys(hash)));
        let progress = exchange.respond(odd.as_bytes());
        let fine = matches!(progress, Err(_) | Ok(Progress::Disproven { .. }));
        assert!(fine, "{odd:?} gave {progress:?}");
    }
    let exchange = challenged(&client, FoundKeys::Real(keys(hash)));
    let (proof, _) = client.answer(exchange.challenge());
    let bound = proof.replace("c=biws", "c=eSws");
    let progress = exchange.respond(bound.as_bytes());
    assert!(matches!(progress, Ok(Progress::Disproven { .. })), "another header: {progress:?}");
}

#[test]
fn c5_only_an_empty_message_follows_our_signature() {
    let client = Client::new(ScramHash::Sha1, "ann", "correct horse");
    let exchange = challenged(&client, FoundKeys::Real(keys(ScramHash::Sha1)));
    let (proof, _) = client.answer(exchange.challenge());
    let Progress::Challenge(exchange) = exchange.respond(proof.as_bytes()).unwrap() else {
        panic!("our signature comes before the end");
    };
    assert!(matches!(exchange.respond(b"x"), Err(ExchangeError::Malformed(_))));
}

#[test]
fn keys_of_another_hash_are_our_own_fault() {
    let Progress::NeedKeys(query) = begun(ScramHash::Sha256, b"n,,n=ann,r=abc").unwrap() else {
        panic!("keys are wanted");
    };
    let answered = query.answer(FoundKeys::Real(keys(ScramHash::Sha1)), nonce());
    assert_eq!(answered.unwrap_err(), ExchangeError::Broken);
}

proptest! {
    #[test]
    fn any_messages_end_in_a_question_a_denial_or_an_error(
        first in "[nyp=,]{0,4}(n=|a=|m=)?[a-c=,]{0,4}(,r=)?[a-z,]{0,4}",
        proof in "(c=)?[a-z=,]{0,6}(,r=)?[a-z,]{0,4}(,p=)?[a-zA-Z=]{0,6}",
    ) {
        if let Ok(Progress::NeedKeys(query)) = begun(ScramHash::Sha256, first.as_bytes()) {
            let found = FoundKeys::Real(keys(ScramHash::Sha256));
            let Ok(Progress::Challenge(exchange)) = query.answer(found, nonce()) else {
                panic!("a challenge follows");
            };
            let progress = exchange.respond(proof.as_bytes());
            let is_over = matches!(progress, Err(_) | Ok(Progress::Disproven { .. }));
            prop_assert!(is_over, "{:?}", progress);
        }
    }
}

/// Up to our challenge.
fn challenged(client: &Client<'_>, found: FoundKeys) -> Exchange {
    let first = client.first();
    let begun = Exchange::start(client.mechanism(), Some(first.as_bytes()), over(client.channel));
    let Progress::NeedKeys(query) = begun.unwrap() else { panic!("keys are wanted") };
    assert_eq!((query.user().as_str(), query.hash()), (client.user, client.hash));
    let Progress::Challenge(exchange) = query.answer(found, nonce()).unwrap() else {
        panic!("a challenge follows");
    };
    exchange
}

fn named(first: &str) -> Result<UserName, ExchangeError> {
    match begun(ScramHash::Sha256, first.as_bytes())? {
        Progress::NeedKeys(query) => Ok(query.user().clone()),
        other => panic!("{other:?}"),
    }
}

fn begun(hash: ScramHash, first: &[u8]) -> Result<Progress, ExchangeError> {
    Exchange::start(Mechanism::Scram(hash), Some(first), Channel::default())
}

fn nonce() -> ServerNonce {
    ServerNonce::random().unwrap()
}

fn keys(hash: ScramHash) -> ScramKeys {
    ScramKeys::derive(hash, &Password::new("correct horse").unwrap(), b"some salt", 4_096)
}

fn over(exporter: Option<TlsExporter>) -> Channel {
    Channel { exporter, ..Channel::default() }
}

const CHANNEL: TlsExporter = TlsExporter([7; 32]);

/// The client's side.
#[derive(Clone, Copy)]
pub(crate) struct Client<'a> {
    hash: ScramHash,
    user: &'a str,
    password: &'a str,
    nonce: &'a str,
    /// With it the client binds to it.
    channel: Option<TlsExporter>,
}

impl<'a> Client<'a> {
    pub(crate) const fn new(hash: ScramHash, user: &'a str, password: &'a str) -> Self {
        Self { hash, user, password, nonce: "fyko+d2lbbFgONRv9qkxdawL", channel: None }
    }

    const fn mechanism(&self) -> Mechanism {
        match self.channel {
            Some(_) => Mechanism::ScramPlus(self.hash),
            None => Mechanism::Scram(self.hash),
        }
    }

    const fn header(&self) -> &'static str {
        if self.channel.is_some() { "p=tls-exporter,," } else { "n,," }
    }

    pub(crate) fn first(&self) -> String {
        format!("{}{}", self.header(), self.first_bare())
    }

    fn first_bare(&self) -> String {
        format!("n={},r={}", self.user, self.nonce)
    }

    /// The proof, and the signature that it asks for.
    pub(crate) fn answer(&self, challenge: &[u8]) -> (String, String) {
        let challenge = str::from_utf8(challenge).unwrap();
        let mut fields = challenge.splitn(3, ',');
        let mut value = |key| fields.next().unwrap().strip_prefix(key).unwrap().to_owned();
        let (nonce, salt, rounds) = (value("r="), value("s="), value("i="));
        assert!(nonce.starts_with(self.nonce) && nonce.len() > self.nonce.len());
        let (mac, prf, hash) = match self.hash {
            ScramHash::Sha1 => (
                hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                pbkdf2::PBKDF2_HMAC_SHA1,
                &digest::SHA1_FOR_LEGACY_USE_ONLY,
            ),
            ScramHash::Sha256 => (hmac::HMAC_SHA256, pbkdf2::PBKDF2_HMAC_SHA256, &digest::SHA256),
            ScramHash::Sha512 => (hmac::HMAC_SHA512, pbkdf2::PBKDF2_HMAC_SHA512, &digest::SHA512),
        };
        let mut salted = vec![0; hash.output_len()];
        let salt = STANDARD.decode(salt).unwrap();
        pbkdf2::derive(prf, rounds.parse().unwrap(), &salt, self.password.as_bytes(), &mut salted);
        let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(mac, key), text);
        let client_key = sign(&salted, b"Client Key");
        let stored_key = digest::digest(hash, client_key.as_ref());
        let mut bound = self.header().as_bytes().to_vec();
        bound.extend(self.channel.iter().flat_map(|channel| channel.0));
        let bare = format!("c={},r={nonce}", STANDARD.encode(bound));
        let signed = format!("{},{challenge},{bare}", self.first_bare());
        let mask = sign(stored_key.as_ref(), signed.as_bytes());
        let proof: Vec<u8> =
            client_key.as_ref().iter().zip(mask.as_ref()).map(|(a, b)| a ^ b).collect();
        let signature = sign(sign(&salted, b"Server Key").as_ref(), signed.as_bytes());
        let signature = STANDARD.encode(signature.as_ref());
        (format!("{bare},p={}", STANDARD.encode(proof)), format!("v={signature}"))
    }
}
