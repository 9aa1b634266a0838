//! What a handshake agreed on, in Postfix's spelling.

use mailweir_mail::TlsSummary;
use rustls::{CipherSuite, CommonState, ProtocolVersion};

/// The version and cipher of a finished handshake, as OpenSSL and so Postfix spell them:
/// `TLSv1.3` with `TLS_AES_256_GCM_SHA384`, `TLSv1.2` with `ECDHE-RSA-AES256-GCM-SHA384`.
#[must_use]
pub fn summarize(connection: &CommonState) -> TlsSummary {
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        Some(_) | None => UNKNOWN,
    };
    let suite = connection.negotiated_cipher_suite().map(|suite| suite.suite());
    let (cipher, bits) = suite.and_then(cipher).unwrap_or((UNKNOWN, 0));
    TlsSummary { version: version.into(), cipher: cipher.into(), bits }
}

fn cipher(suite: CipherSuite) -> Option<(&'static str, u16)> {
    Some(match suite {
        CipherSuite::TLS13_AES_256_GCM_SHA384 => ("TLS_AES_256_GCM_SHA384", 256),
        CipherSuite::TLS13_AES_128_GCM_SHA256 => ("TLS_AES_128_GCM_SHA256", 128),
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => ("TLS_CHACHA20_POLY1305_SHA256", 256),
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => {
            ("ECDHE-ECDSA-AES256-GCM-SHA384", 256)
        }
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => {
            ("ECDHE-ECDSA-AES128-GCM-SHA256", 128)
        }
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => {
            ("ECDHE-ECDSA-CHACHA20-POLY1305", 256)
        }
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => ("ECDHE-RSA-AES256-GCM-SHA384", 256),
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => ("ECDHE-RSA-AES128-GCM-SHA256", 128),
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => {
            ("ECDHE-RSA-CHACHA20-POLY1305", 256)
        }
        _ => return None,
    })
}

const UNKNOWN: &str = "unknown";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cipher_that_we_can_agree_on_has_a_name() {
        for suite in &crate::tls::provider().cipher_suites {
            let (name, bits) = cipher(suite.suite()).unwrap();
            assert!(bits >= 128 && !name.contains("WITH"), "{name}");
        }
    }
}
