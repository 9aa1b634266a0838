//! Private keys for the tests, made when they run: none that could be of use is in the tree.

use std::sync::LazyLock;

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

/// RSA of 2048 bits, PKCS #8.
pub(super) static RSA: LazyLock<Vec<u8>> = LazyLock::new(|| pem("PRIVATE KEY", &RSA_DER));

/// The same one, PKCS #1: what stands behind the 26 bytes that tell its kind.
pub(super) static PKCS1: LazyLock<Vec<u8>> =
    LazyLock::new(|| pem("RSA PRIVATE KEY", &RSA_DER[26..]));

/// PKCS #8.
pub(super) static ED25519: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    pem("PRIVATE KEY", pair.to_pkcs8().unwrap().as_ref())
});

/// Elliptic, but of another curve.
pub(super) static CURVE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    pem("PRIVATE KEY", key.as_ref())
});

/// RSA of 1024 bits, which nobody should use anyway.
pub(super) static SHORT: LazyLock<Vec<u8>> =
    LazyLock::new(|| pem("PRIVATE KEY", &BASE64_STANDARD.decode(SHORT_BASE64).unwrap()));

/// What stands in it is looked at by nobody.
pub(super) static ENCRYPTED: LazyLock<Vec<u8>> =
    LazyLock::new(|| pem("ENCRYPTED PRIVATE KEY", b"secret"));

static RSA_DER: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let der: Pkcs8V1Der<'_> = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
    der.as_ref().to_vec()
});

fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    let body = lines.join("\n");
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n").into_bytes()
}

const SHORT_BASE64: &str = "MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAKSIEOgcxa26iDJzjgNXKtnhESXnBlJtFBcAlsliaGkNREwRqo/SAeYPDlg8QCsCF0+cAphGqhTwtwFi0jM8xh7tLTYwRRZgBQCvslky3Uc0jdKnQYKBfJ0Kax6nTo6GBeygXCgV1L6U4HCHA44N+RPyVu/Gg8t72crE1+jGrWCJAgMBAAECgYBvzPnYD70P2UG1LqpggLnghbx2Se8U0YQmQUM1IwaZ4+b13cdNpUGfB7oSoRZlYy1d7kAhI1ttkUh5y6HUKUbiI+MVX/KjrstKN76EvSE5bm2ZAMHYircV2OwUxpj+eeKBeBL973A7lT6xURSGULDaL1Nq85VUlLUu8Vdncn2O1QJBANTr0xo9IDw1X7lJkQx2D7XMKf9ptyGrd3/V55V+9N2ngxqj5osS9uLxGaPd1iGzkc4cdyF6dDT41iNbvLBOccMCQQDF0epdzTalx7OSBKmR3Gi+tADnwBpbKDSEKYMYj6FGdDPxS560y4v1jDhBLV4T4j+6QCBReVg7HOFkpWzMo9PDAkBmPe+a0+tcvgx/PtJF95NHqwgnu63SnzG80wxnfxU6MqwD6NxVv/+JrlivlWCzwjSrkoOqMdEHds3tIKoUxzZdAkEAh8RJOLWmIuNLgBTJGH2QOgoqcOPsctHGMUqYWdwB0Ovh1mKS+vyUAyOIXFs5rSXjnP1z8Nb6Uh/BJaVPZaeupwJBALHpxjw+0Iad3D4Upd2BPkpvYzmVv7Q6ywn8cK4vpY4HUY1u2/7sowbzFTK+2IM8ZMH8K22328rIY+9euanzkyg=";
