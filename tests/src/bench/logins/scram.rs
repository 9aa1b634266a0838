//! The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), with the slow part done once.

use std::{io, num::NonZeroU32};

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A user's password, and what follows from it for the salt that the server named first.
pub(super) struct Keys {
    user: String,
    password: String,
    derived: Option<Derived>,
}

struct Derived {
    salt: String,
    iterations: u32,
    client_key: Vec<u8>,
    stored_key: Vec<u8>,
    server_key: Vec<u8>,
}

/// The client's proof, and what the server must answer.
pub(super) struct Answer {
    pub(super) message: String,
    pub(super) expected: String,
}

impl Keys {
    pub(super) fn new(user: &str, password: &str) -> Self {
        Self { user: user.to_owned(), password: password.to_owned(), derived: None }
    }

    pub(super) fn first(&self, nonce: &str) -> String {
        format!("n,,n={},r={nonce}", self.user)
    }

    pub(super) fn answer(&mut self, nonce: &str, challenge: &str) -> io::Result<Answer> {
        let field = |key: &str| {
            let found = challenge.split(',').find_map(|field| field.strip_prefix(key));
            found.ok_or_else(|| io::Error::other(format!("no {key} in {challenge}")))
        };
        let (combined, salt) = (field("r=")?, field("s=")?);
        let iterations: u32 = field("i=")?.parse().map_err(io::Error::other)?;
        let keys = self.keys(salt, iterations)?;
        let unproven = format!("c=biws,r={combined}");
        let signed = format!("n={},r={nonce},{challenge},{unproven}", self.user);
        let signature = sign(&keys.stored_key, signed.as_bytes());
        let proof: Vec<u8> = keys.client_key.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        let expected = STANDARD.encode(sign(&keys.server_key, signed.as_bytes()));
        self.derived = Some(keys);
        Ok(Answer {
            message: format!("{unproven},p={}", STANDARD.encode(proof)),
            expected: format!("v={expected}"),
        })
    }

    fn keys(&mut self, salt: &str, iterations: u32) -> io::Result<Derived> {
        match self.derived.take() {
            Some(keys) if keys.salt == salt && keys.iterations == iterations => Ok(keys),
            _ => Derived::of(&self.password, salt, iterations),
        }
    }
}

impl Derived {
    fn of(password: &str, salt: &str, iterations: u32) -> io::Result<Self> {
        let rounds = NonZeroU32::new(iterations).ok_or(io::ErrorKind::InvalidData)?;
        let salt_bytes = STANDARD.decode(salt).map_err(io::Error::other)?;
        let mut salted = [0; 32];
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::derive(algorithm, rounds, &salt_bytes, password.as_bytes(), &mut salted);
        let client_key = sign(&salted, b"Client Key");
        Ok(Self {
            salt: salt.to_owned(),
            iterations,
            stored_key: digest::digest(&digest::SHA256, &client_key).as_ref().to_vec(),
            server_key: sign(&salted, b"Server Key"),
            client_key,
        })
    }
}

fn sign(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}
