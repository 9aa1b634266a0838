//! Listeners that ask clients for a certificate: whom they let in, and what they make of it.

use rcgen::{
    CustomExtension, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, SanType,
};
use rustls::{
    client::ResolvesClientCert,
    sign::{CertifiedKey, SigningKey},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::*;

#[tokio::test]
async fn a_trusted_certificate_proves_the_names_in_it() {
    let home = Home::new();
    for (wanted, names) in [
        (mail(&["ann@example.org"]), &["ann@example.org"][..]),
        (mail(&["Ann@Example.ORG", "a.b@example.org"]), &["ann@example.org", "a.b@example.org"]),
        (subject(&[(DnType::CommonName, "ann")]), &["ann"]),
        (subject(&[(DnType::CommonName, "Ann Other")]), &[]),
        (
            subject(&[(DnType::CommonName, "ann"), (email(), "ann@example.org")]),
            &["ann@example.org"],
        ),
        (subject(&[(DnType::OrganizationName, "ann")]), &[]),
        (subject(&[]), &[]),
    ] {
        for versions in [VERSIONS, TLS12_ONLY] {
            let shown = home.shown(&home.issue(&wanted), versions).await;
            assert_eq!(shown, trusted(names), "{:?}", wanted.distinguished_name);
        }
    }
}

#[tokio::test]
async fn the_first_kind_of_name_decides_even_if_it_is_no_user_name() {
    let home = Home::new();
    let with_common_name = |names: Vec<SanType>| {
        let mut wanted = subject(&[(DnType::CommonName, "root")]);
        wanted.subject_alt_names = names;
        wanted
    };
    let address = |text: &str| SanType::Rfc822Name(text.try_into().unwrap());
    let host = SanType::DnsName("host.example.org".try_into().unwrap());
    let twisted = "ann@example.org\0.evil.example";
    for (wanted, names) in [
        (with_common_name(vec![address("a b@example.org")]), &[][..]),
        (with_common_name(vec![address("a:b"), address("ann")]), &["ann"]),
        (with_common_name(vec![address(twisted)]), &[]),
        (with_common_name(vec![host.clone(), address("ann")]), &["ann"]),
        (with_common_name(vec![host]), &["root"]),
        (subject(&[(DnType::CommonName, "root"), (email(), "a b")]), &[]),
        (broken_alternative_names(with_common_name(Vec::new())), &[]),
    ] {
        let shown = home.shown(&home.issue(&wanted), VERSIONS).await;
        assert_eq!(shown.into_names(), user_names(names));
    }
}

#[tokio::test]
async fn b9_who_is_not_trusted_is_let_through_and_proves_nothing() {
    let (home, elsewhere) = (Home::new(), Home::new());
    let usable_for = |usages: &[ExtendedKeyUsagePurpose]| {
        let mut wanted = mail(&["ann@example.org"]);
        wanted.extended_key_usages = usages.to_vec();
        wanted
    };
    let in_years = |from: i32, to: i32| {
        let mut wanted = mail(&["ann@example.org"]);
        (wanted.not_before, wanted.not_after) =
            (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        wanted
    };
    let own_key = KeyPair::generate().unwrap();
    let of_its_own = mail(&["ann@example.org"]).self_signed(&own_key).unwrap();
    use ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
    for (certificate, expected) in [
        (home.issue(&usable_for(&[ClientAuth])), trusted(&["ann@example.org"])),
        (home.issue(&usable_for(&[ServerAuth, ClientAuth])), trusted(&["ann@example.org"])),
        (home.issue(&usable_for(&[ServerAuth])), ClientCertificate::Untrusted),
        (home.issue(&in_years(2_000, 2_010)), ClientCertificate::Untrusted),
        (home.issue(&in_years(3_000, 3_010)), ClientCertificate::Untrusted),
        (elsewhere.issue(&mail(&["ann@example.org"])), ClientCertificate::Untrusted),
        (Issued::new(&of_its_own, own_key), ClientCertificate::Untrusted),
    ] {
        for versions in [VERSIONS, TLS12_ONLY] {
            assert_eq!(home.shown(&certificate, versions).await, expected);
        }
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_is_welcome_and_so_is_one_that_is_not_asked() {
    let home = Home::new();
    let asking = home.asking_listener();
    let silent = listener(&home.certificate("mx.example.org"));
    let certificate = home.issue(&mail(&["ann@example.org"]));
    for versions in [VERSIONS, TLS12_ONLY] {
        let without = bare_client(&home, versions);
        assert_eq!(judged(&asking, without, NOW).await, Ok(ClientCertificate::None));
        let with = certificate.client(&home, versions);
        assert_eq!(judged(&silent, with, NOW).await, Ok(ClientCertificate::None));
    }
}

#[tokio::test]
async fn a_handshake_that_the_certificates_key_did_not_sign_fails() {
    let home = Home::new();
    let listener = home.asking_listener();
    let victim = home.issue(&mail(&["ann@example.org"]));
    let thief = home.issue(&mail(&["eve@example.org"]));
    let stolen = Issued { chain: victim.chain, key: thief.key };
    for versions in [VERSIONS, TLS12_ONLY] {
        let error = judged(&listener, stolen.client(&home, versions), NOW).await.unwrap_err();
        assert!(error.contains("certificate"), "{error:?}");
    }
}

#[tokio::test]
async fn a_resumed_session_has_the_certificate_of_the_first_and_it_is_judged_anew() {
    let home = Home::new();
    let mut wanted = mail(&["ann@example.org"]);
    wanted.not_after = date_time_ymd(2_027, 1, 1);
    let client = Arc::new(home.issue(&wanted).client(&home, VERSIONS));
    let listener = home.asking_listener();
    let later = NOW.plus(std::time::Duration::from_secs(366 * 86_400));
    let mut seen = Vec::new();
    for now in [NOW, NOW, later] {
        let stream = met(&listener, Arc::clone(&client)).await.unwrap();
        let connection = stream.get_ref().1;
        let kind = connection.handshake_kind().unwrap();
        seen.push((kind, listener.judge(connection, now)));
    }
    use HandshakeKind::{Full, Resumed};
    let ann = trusted(&["ann@example.org"]);
    let expired = ClientCertificate::Untrusted;
    assert_eq!(seen, [(Full, ann.clone()), (Resumed, ann), (Resumed, expired)]);
}

#[tokio::test]
async fn an_intermediate_authority_is_trusted_if_the_client_shows_it() {
    let home = Home::new();
    let mut wanted = CertificateParams::new(Vec::new()).unwrap();
    wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    wanted.distinguished_name.push(DnType::CommonName, "intermediate");
    let key = KeyPair::generate().unwrap();
    let intermediate = CertifiedIssuer::signed_by(wanted, key, &home.authority).unwrap();
    let own = KeyPair::generate().unwrap();
    let made = mail(&["ann@example.org"]).signed_by(&own, &intermediate).unwrap();
    let mut issued = Issued::new(&made, own);
    assert_eq!(home.shown(&issued, VERSIONS).await, ClientCertificate::Untrusted);
    issued.chain.push(intermediate.der().clone());
    assert_eq!(home.shown(&issued, VERSIONS).await, trusted(&["ann@example.org"]));
}

#[test]
fn authorities_with_mistakes_are_named() {
    let home = Home::new();
    let empty = home.write("empty", "");
    for (file, expected) in [(&empty, "it holds no certificate"), (&home.path("no"), "cannot read")]
    {
        let error = words(ClientAuthorities::from_file(file).unwrap_err());
        assert!(error.contains(expected), "{error:?}");
    }
}

impl Home {
    fn issue(&self, wanted: &CertificateParams) -> Issued {
        let key = KeyPair::generate().unwrap();
        let certificate = wanted.signed_by(&key, &self.authority).unwrap();
        Issued::new(&certificate, key)
    }

    /// A listener that trusts the authority of this home about clients.
    fn asking_listener(&self) -> ListenerTls {
        let server = ServerTls::load(&self.certificate("mx.example.org"), NOW).unwrap();
        let authorities = self.write("clients.crt", &self.authority.pem());
        let authorities = ClientAuthorities::from_file(&authorities).unwrap();
        server.listener(OldestVersion::Tls12, Some(authorities)).unwrap()
    }

    /// What a listener makes of this certificate.
    async fn shown(
        &self,
        certificate: &Issued,
        versions: &[&'static SupportedProtocolVersion],
    ) -> ClientCertificate {
        let client = certificate.client(self, versions);
        judged(&self.asking_listener(), client, NOW).await.unwrap()
    }
}

/// A chain and the key of its first certificate.
struct Issued {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

impl Issued {
    fn new(certificate: &rcgen::Certificate, key: KeyPair) -> Self {
        Self { chain: vec![certificate.der().clone()], key }
    }

    /// A client that shows it, whether the key fits or not.
    fn client(&self, home: &Home, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let key: Arc<dyn SigningKey> = provider().key_provider.load_private_key(key).unwrap();
        let shown = Shown(Arc::new(CertifiedKey::new(self.chain.clone(), key)));
        ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(home.authorities().roots())
            .with_client_cert_resolver(Arc::new(shown))
    }
}

#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesClientCert for Shown {
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        _sigschemes: &[rustls::SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// The listener's judgement about a client.
async fn judged(
    listener: &ListenerTls,
    client: ClientConfig,
    now: Timestamp,
) -> Result<ClientCertificate, String> {
    let stream = met(listener, Arc::new(client)).await?;
    Ok(listener.judge(stream.get_ref().1, now))
}

/// The server's end of a connection, after both have said something.
async fn met(
    listener: &ListenerTls,
    client: Arc<ClientConfig>,
) -> Result<tokio_rustls::server::TlsStream<tokio::io::DuplexStream>, String> {
    let (near, far) = duplex(PIPE);
    let server = async {
        let (mut stream, _) = listener.accept(far).await.map_err(words)?;
        stream.write_all(b"220 hello").await.map_err(words)?;
        stream.shutdown().await.map_err(words)?;
        Ok(stream)
    };
    let client = async {
        let connector = TlsConnector::from(client);
        let stream = connector.connect("mx.example.org".try_into().unwrap(), near).await;
        // The ticket for the next connection comes with what the server says.
        if let Ok(mut stream) = stream {
            let _may_be_refused = stream.read_to_string(&mut String::new()).await;
        }
    };
    let (server, ()) = tokio::join!(server, client);
    server
}

fn mail(addresses: &[&str]) -> CertificateParams {
    let mut wanted = subject(&[(DnType::CommonName, "not looked at")]);
    let address = |text: &&str| SanType::Rfc822Name((*text).try_into().unwrap());
    wanted.subject_alt_names = addresses.iter().map(address).collect();
    wanted
}

fn subject(attributes: &[(DnType, &str)]) -> CertificateParams {
    let mut wanted = CertificateParams::new(Vec::new()).unwrap();
    wanted.distinguished_name = DistinguishedName::new();
    for (kind, text) in attributes {
        wanted.distinguished_name.push(kind.clone(), DnValue::Utf8String((*text).to_owned()));
    }
    wanted
}

/// Alternative names one of which is cut short, beside a common name.
fn broken_alternative_names(mut wanted: CertificateParams) -> CertificateParams {
    let names = CustomExtension::from_oid_content(&[2, 5, 29, 17], vec![0x30, 3, 0x81, 9, b'x']);
    wanted.custom_extensions.push(names);
    wanted
}

fn trusted(names: &[&str]) -> ClientCertificate {
    ClientCertificate::Trusted(user_names(names))
}

fn user_names(names: &[&str]) -> Vec<mailweir_auth::UserName> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

/// emailAddress (PKCS #9).
fn email() -> DnType {
    DnType::CustomDnType(vec![1, 2, 840, 113_549, 1, 9, 1])
}
