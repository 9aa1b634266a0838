//! The certificate of a client, as rules see it.

/// What rules may ask of a client's certificate. That the client holds its key is what the handshake
/// has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownCertificate {
    /// SHA-256 of the certificate, as Postfix writes it (`smtpd_tls_fingerprint_digest = sha256`):
    /// upper-case hexadecimal bytes with colons between them.
    pub fingerprint: Box<str>,
    /// The same of its public key (`SubjectPublicKeyInfo`, RFC 5280 section 4.1). Empty if the
    /// certificate cannot be read.
    pub key_fingerprint: Box<str>,
    /// The first common name of its subject; may be empty.
    pub name: Box<str>,
    /// The first common name of who signed it; may be empty.
    pub issuer: Box<str>,
    /// Whether an authority of ours vouched for it at the time of the handshake.
    pub trusted: bool,
}
