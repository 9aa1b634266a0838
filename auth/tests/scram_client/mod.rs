//! SCRAM as clients speak it (RFC 5802), written from the RFC for these tests.

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailweir_auth::ScramHash;

/// The client's last message, and the one that it expects, by its GS2 header, the rest of its first
/// message, and the challenge.
pub(crate) fn scram_proof(
    hash: ScramHash,
    header: &str,
    bare: &str,
    challenge: &str,
    password: &str,
) -> (String, String) {
    let (mac, prf, hash) = match hash {
        ScramHash::Sha1 => (
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            pbkdf2::PBKDF2_HMAC_SHA1,
            &digest::SHA1_FOR_LEGACY_USE_ONLY,
        ),
        ScramHash::Sha256 => (hmac::HMAC_SHA256, pbkdf2::PBKDF2_HMAC_SHA256, &digest::SHA256),
        ScramHash::Sha512 => (hmac::HMAC_SHA512, pbkdf2::PBKDF2_HMAC_SHA512, &digest::SHA512),
    };
    // Dovecot's nonces may hold anything but a comma.
    let fields: Vec<&str> = challenge.splitn(3, ',').map(|field| &field[2..]).collect();
    let [nonce, salt, rounds] = fields.try_into().expect("nonce, salt and rounds");
    let mut salted = vec![0; hash.output_len()];
    let salt = STANDARD.decode(salt).unwrap();
    pbkdf2::derive(prf, rounds.parse().unwrap(), &salt, password.as_bytes(), &mut salted);
    let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(mac, key), text);
    let client_key = sign(&salted, b"Client Key");
    let stored_key = digest::digest(hash, client_key.as_ref());
    let without_proof = format!("c={},r={nonce}", STANDARD.encode(header));
    let signed = format!("{bare},{challenge},{without_proof}");
    let mask = sign(stored_key.as_ref(), signed.as_bytes());
    let proof: Vec<u8> =
        client_key.as_ref().iter().zip(mask.as_ref()).map(|(a, b)| a ^ b).collect();
    let signature = sign(sign(&salted, b"Server Key").as_ref(), signed.as_bytes());
    let expected = format!("v={}", STANDARD.encode(signature.as_ref()));
    (format!("{without_proof},p={}", STANDARD.encode(proof)), expected)
}
