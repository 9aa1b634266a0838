//! The self-signed certificate of the first start.
//!
//! It gives encryption at once, before anybody has ordered a certificate. Key and certificate are
//! one file, replaced whole, so that a crash never leaves a key without its certificate. It is
//! used again at every start, for clients that were told to trust it.

use std::{fs, io, path::Path, time::Duration};

use mailweir_mail::Timestamp;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::{
    RootCertStore, client::verify_server_cert_signed_by_trust_anchor, client::verify_server_name,
    crypto::CryptoProvider, server::ParsedCertificate, sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::{
    tls::{TlsError, certificate, setup},
    whole_file,
};

/// The certificate for `hostname` in `<data_dir>/tls/`; makes one if there is none that will do.
pub(super) fn load_or_make(
    provider: &CryptoProvider,
    data_dir: &Path,
    hostname: &str,
    now: Timestamp,
) -> Result<CertifiedKey, TlsError> {
    let name = ServerName::try_from(hostname.to_owned())
        .map_err(|_| TlsError::Hostname(hostname.into()))?;
    let path = data_dir.join(DIRECTORY).join(FILE);
    if let Ok(found) = certificate::read(provider, &path, &path)
        && found.cert.first().is_some_and(|own| will_do(provider, own, &name, now))
    {
        return Ok(found);
    }
    let text = make(hostname, now)?;
    write(&path, &text).map_err(|source| TlsError::Write { path: path.clone(), source })?;
    certificate::read(provider, &path, &path)
}

/// Whether the certificate is for `name` and holds for another [`RENEW_BEFORE`].
fn will_do(
    provider: &CryptoProvider,
    own: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: Timestamp,
) -> bool {
    let mut only_itself = RootCertStore::empty();
    let Ok(parsed) = ParsedCertificate::try_from(own) else { return false };
    if only_itself.add(own.clone().into_owned()).is_err() {
        return false;
    }
    let later = UnixTime::since_unix_epoch(Duration::from_secs(now.plus(RENEW_BEFORE).as_secs()));
    let algorithms = provider.signature_verification_algorithms.all;
    verify_server_name(&parsed, name).is_ok()
        && verify_server_cert_signed_by_trust_anchor(&parsed, &only_itself, &[], later, algorithms)
            .is_ok()
}

/// A new key and a certificate for it, as PEM text.
fn make(hostname: &str, now: Timestamp) -> Result<String, TlsError> {
    let key = KeyPair::generate().map_err(setup)?;
    let mut wanted = CertificateParams::new([hostname.to_owned()])
        .map_err(|_| TlsError::Hostname(hostname.into()))?;
    wanted.distinguished_name = DistinguishedName::new();
    wanted.distinguished_name.push(DnType::CommonName, hostname);
    wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let year = year_of(now);
    // Whole years leave room for clocks that disagree with ours.
    wanted.not_before = date_time_ymd(year - 1, 1, 1);
    wanted.not_after = date_time_ymd(year + YEARS, 1, 1);
    let certificate = wanted.self_signed(&key).map_err(setup)?;
    Ok(format!("{}{}", key.serialize_pem(), certificate.pem()))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    whole_file::write(path, text.as_bytes())
}

/// The civil year, good enough within a day of New Year. Kept where certificates can say it.
fn year_of(now: Timestamp) -> i32 {
    let years = now.as_secs() / SECONDS_PER_YEAR;
    i32::try_from(1970 + years).map_or(LAST_YEAR, |year| year.clamp(1971, LAST_YEAR))
}

const DIRECTORY: &str = "tls";
const FILE: &str = "self-signed.pem";
const YEARS: i32 = 10;
const LAST_YEAR: i32 = 9_000;
const RENEW_BEFORE: Duration = Duration::from_secs(90 * 86_400);
/// The mean Gregorian year.
const SECONDS_PER_YEAR: u64 = 31_556_952;
