//! The issuer's keys: a JWK Set (RFC 7517), as far as it can be used. Pure.

use jsonwebtoken::{
    DecodingKey,
    crypto::aws_lc::DEFAULT_PROVIDER,
    jwk::{AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use serde_json::Value;

use crate::backends::oauth::{SignatureAlgorithm, TokenFault};

/// The keys that an issuer signs with. Never empty.
#[derive(Debug)]
pub(super) struct KeySet(Vec<Key>);

/// One of them: public, for signatures, and for some algorithms only.
#[derive(Clone, Debug)]
pub(super) struct Key {
    id: Option<Box<str>>,
    algorithms: &'static [SignatureAlgorithm],
    material: DecodingKey,
}

impl KeySet {
    /// Reads a JWK Set. Keys of a kind that we do not know, keys for encryption and secret keys are
    /// left out (RFC 7517 section 5).
    pub(super) fn read(json: &[u8]) -> Result<Self, UnreadableKeys> {
        let set: Value = serde_json::from_slice(json).map_err(|_| UnreadableKeys::NoSet)?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(UnreadableKeys::NoSet)?;
        let keys: Vec<Key> = keys.iter().filter_map(Key::read).take(MAX_KEYS).collect();
        match keys.is_empty() {
            true => Err(UnreadableKeys::NoKey),
            false => Ok(Self(keys)),
        }
    }

    /// The key of this name for this algorithm. A token that names none can only be meant for the
    /// one key that there is.
    pub(super) fn find(
        &self,
        id: Option<&str>,
        algorithm: SignatureAlgorithm,
    ) -> Result<&Key, TokenFault> {
        let fits = |key: &&Key| key.algorithms.contains(&algorithm);
        let Some(id) = id else {
            let mut fitting = self.0.iter().filter(fits);
            return match (fitting.next(), fitting.next()) {
                (Some(only), None) => Ok(only),
                (None, _) | (Some(_), Some(_)) => Err(TokenFault::UnknownKey),
            };
        };
        let mut named = self.0.iter().filter(|key| key.id.as_deref() == Some(id)).peekable();
        if named.peek().is_none() {
            return Err(TokenFault::UnknownKey);
        }
        named.find(fits).ok_or(TokenFault::Algorithm)
    }
}

impl Key {
    /// Whether `signature` is this key's for `signed`.
    pub(super) fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        signed: &[u8],
        signature: &Vec<u8>,
    ) -> Result<(), TokenFault> {
        if !self.algorithms.contains(&algorithm) {
            return Err(TokenFault::Algorithm);
        }
        // The provider is named here, so that no feature of another crate can take it away.
        let verifier = (DEFAULT_PROVIDER.verifier_factory)(&algorithm.as_jwt(), &self.material);
        let verifier = verifier.map_err(|_| TokenFault::Algorithm)?;
        verifier.verify(signed, signature).map_err(|_| TokenFault::Signature)
    }

    fn read(value: &Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
        let id = jwk.common.key_id.as_deref().map(Into::into);
        let algorithms =
            if is_for_signatures(&jwk.common) { algorithms(&jwk)? } else { return None };
        Some(Self { id, algorithms, material: DecodingKey::from_jwk(&jwk).ok()? })
    }
}

/// Why a text holds no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UnreadableKeys {
    #[error("it is no JWK Set (RFC 7517)")]
    NoSet,
    #[error("it holds no public RSA, P-256, P-384 or Ed25519 key for signatures")]
    NoKey,
}

fn is_for_signatures(common: &CommonParameters) -> bool {
    let used = common.public_key_use.as_ref();
    let operations = common.key_operations.as_ref();
    used.is_none_or(|purpose| *purpose == PublicKeyUse::Signature)
        && operations.is_none_or(|allowed| allowed.contains(&KeyOperations::Verify))
}

/// What the key is for: what it says itself, if it could be that, or all that its kind can do.
fn algorithms(jwk: &Jwk) -> Option<&'static [SignatureAlgorithm]> {
    let possible: &[SignatureAlgorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => &SignatureAlgorithm::ALL[..6],
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => &[SignatureAlgorithm::Es256],
            EllipticCurve::P384 => &[SignatureAlgorithm::Es384],
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            &[SignatureAlgorithm::EdDsa]
        }
        _ => return None,
    };
    let Some(said) = jwk.common.key_algorithm else { return Some(possible) };
    let said = SignatureAlgorithm::of(said.try_into().ok()?)?;
    possible.iter().position(|&one| one == said).map(|at| &possible[at..=at])
}

/// More than any issuer has.
const MAX_KEYS: usize = 1_000;

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_found_by_its_name_and_for_its_algorithms_only() {
        let set = json!({"keys": [
            {"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB", "use": "sig", "alg": "PS256"},
            {"kty": "RSA", "kid": "b", "n": "AQAB", "e": "AQAB"},
            {"kty": "EC", "kid": "c", "crv": "P-256", "x": "AA", "y": "AA", "key_ops": ["verify"]},
            {"kty": "OKP", "kid": "d", "crv": "Ed25519", "x": "AA"},
        ]});
        let keys = KeySet::read(set.to_string().as_bytes()).unwrap();
        for algorithm in SignatureAlgorithm::ALL {
            let found = |id| keys.find(Some(id), algorithm).map(|key| key.id.as_deref().unwrap());
            let expected = |id, fits| if fits { Ok(id) } else { Err(TokenFault::Algorithm) };
            let is_rsa = algorithm.as_str().starts_with(['R', 'P']);
            assert_eq!(found("a"), expected("a", algorithm == SignatureAlgorithm::Ps256));
            assert_eq!(found("b"), expected("b", is_rsa));
            assert_eq!(found("c"), expected("c", algorithm == SignatureAlgorithm::Es256));
            assert_eq!(found("d"), expected("d", algorithm == SignatureAlgorithm::EdDsa));
            assert_eq!(found("e"), Err(TokenFault::UnknownKey));
        }
        let nameless = |algorithm| keys.find(None, algorithm).map(|key| key.id.as_deref());
        assert_eq!(nameless(SignatureAlgorithm::Es256), Ok(Some("c")));
        assert_eq!(nameless(SignatureAlgorithm::Rs256), Ok(Some("b")));
        assert_eq!(nameless(SignatureAlgorithm::Ps256), Err(TokenFault::UnknownKey), "two fit");
        assert_eq!(nameless(SignatureAlgorithm::Es384), Err(TokenFault::UnknownKey));
    }

    #[test]
    fn keys_that_cannot_be_used_are_left_out_and_harm_no_other() {
        let bad = [
            json!({"kty": "oct", "kid": "a", "k": "c2VjcmV0", "alg": "HS256"}),
            json!({"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB", "use": "enc"}),
            json!({"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB", "key_ops": ["encrypt"]}),
            json!({"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB", "alg": "RSA-OAEP"}),
            json!({"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB", "alg": "HS256"}),
            json!({"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB", "alg": "ES256"}),
            json!({"kty": "RSA", "kid": "a", "n": "AQAB"}),
            json!({"kty": "RSA", "kid": "a", "n": "+/+/", "e": "AQAB"}),
            json!({"kty": "RSA", "kid": 7, "n": "AQAB", "e": "AQAB"}),
            json!({"kty": "EC", "kid": "a", "crv": "P-521", "x": "AA", "y": "AA"}),
            json!({"kty": "EC", "kid": "a", "crv": "secp256k1", "x": "AA", "y": "AA"}),
            json!({"kty": "OKP", "kid": "a", "crv": "X25519", "x": "AA"}),
            json!({"kty": "later", "kid": "a"}),
            json!("a"),
            json!(null),
        ];
        for key in &bad {
            let set = json!({ "keys": [key] }).to_string();
            let error = KeySet::read(set.as_bytes()).unwrap_err();
            assert_eq!(error, UnreadableKeys::NoKey, "{key}");
        }
        let good = json!({"kty": "OKP", "kid": "good", "crv": "Ed25519", "x": "AA"});
        let set = json!({"keys": bad.into_iter().chain([good]).collect::<Vec<_>>()}).to_string();
        let keys = KeySet::read(set.as_bytes()).unwrap();
        assert_eq!(keys.0.len(), 1);
        assert!(keys.find(Some("good"), SignatureAlgorithm::EdDsa).is_ok());
    }

    #[test]
    fn the_signatures_in_rfc_7515_and_rfc_8037_are_good_and_changed_ones_are_not() {
        for (key, token, algorithm) in [
            (RFC_7515_A2_KEY, RFC_7515_A2, SignatureAlgorithm::Rs256),
            (RFC_7515_A3_KEY, RFC_7515_A3, SignatureAlgorithm::Es256),
            (RFC_8037_A4_KEY, RFC_8037_A4, SignatureAlgorithm::EdDsa),
        ] {
            let keys = KeySet::read(format!(r#"{{"keys":[{key}]}}"#).as_bytes()).unwrap();
            let key = keys.find(None, algorithm).unwrap();
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            let check =
                |signed: &[u8], signature: &Vec<u8>| key.verify(algorithm, signed, signature);
            assert_eq!(check(signed.as_bytes(), &signature), Ok(()), "{algorithm}");
            let mut other = signature.clone();
            other[7] ^= 1;
            for bad in [other, signature[1..].to_vec(), Vec::new(), vec![0; signature.len()]] {
                let refused = check(signed.as_bytes(), &bad);
                assert_eq!(refused, Err(TokenFault::Signature), "{algorithm}");
            }
            let refused = check(&signed.as_bytes()[1..], &signature);
            assert_eq!(refused, Err(TokenFault::Signature), "{algorithm}");
            for other in SignatureAlgorithm::ALL.into_iter().filter(|&other| other != algorithm) {
                assert!(key.verify(other, signed.as_bytes(), &signature).is_err(), "{other}");
            }
        }
    }

    #[test]
    fn what_is_no_set_is_said_to_be_none() {
        for bad in [&b""[..], b"<html>", b"{}", b"[]", br#"{"keys": {}}"#, b"\xff"] {
            assert_eq!(KeySet::read(bad).unwrap_err(), UnreadableKeys::NoSet);
        }
    }

    const RFC_7515_A2_KEY: &str = r#"{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#;
    const RFC_7515_A2: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    const RFC_7515_A3_KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    const RFC_7515_A3: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    const RFC_8037_A4_KEY: &str =
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    const RFC_8037_A4: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
}
