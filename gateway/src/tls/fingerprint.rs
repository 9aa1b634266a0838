//! Fingerprints of certificates, in Postfix's spelling (TLS_README, "smtpd_tls_fingerprint_digest").

use aws_lc_rs::digest::{SHA256, digest};
use mailweir_smtp::server::ShownCertificate;
use rustls_pki_types::CertificateDer;
use x509_parser::{certificate::X509Certificate, prelude::FromDer, x509::X509Name};

/// What rules may ask of a certificate.
pub(super) fn shown(certificate: &CertificateDer<'_>, trusted: bool) -> ShownCertificate {
    let fingerprint = fingerprint(certificate);
    let Ok((_, read)) = X509Certificate::from_der(certificate) else {
        return ShownCertificate {
            fingerprint,
            key_fingerprint: "".into(),
            name: "".into(),
            issuer: "".into(),
            trusted,
        };
    };
    ShownCertificate {
        fingerprint,
        key_fingerprint: self::fingerprint(read.public_key().raw),
        name: common_name(read.subject()),
        issuer: common_name(read.issuer()),
        trusted,
    }
}

fn common_name(name: &X509Name<'_>) -> Box<str> {
    let first = name.iter_common_name().next().and_then(|name| name.as_str().ok());
    first.filter(|name| !name.contains(char::is_control)).unwrap_or_default().into()
}

/// `AB:CD:...`
fn fingerprint(der: &[u8]) -> Box<str> {
    let bytes: Vec<String> =
        digest(&SHA256, der).as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_what_openssl_prints() {
        // printf abc | openssl dgst -sha256 -c
        let expected = "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:\
                        B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD";
        assert_eq!(&*fingerprint(b"abc"), expected);
    }

    #[test]
    fn certificate_and_key_have_different_fingerprints() {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "laptop");
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let of = shown(certificate.der(), false);
        assert_eq!(of.fingerprint, fingerprint(certificate.der()));
        assert_eq!(
            &*of.key_fingerprint,
            &*fingerprint(&rcgen::PublicKeyData::subject_public_key_info(&key))
        );
        assert_eq!((&*of.name, &*of.issuer, of.trusted), ("laptop", "laptop", false));
        let odd = shown(&CertificateDer::from(b"nonsense".to_vec()), false);
        assert_eq!((&*odd.key_fingerprint, &*odd.name), ("", ""));
    }
}
