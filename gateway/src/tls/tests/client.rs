//! Routes: how far a peer's certificate is trusted, and when that ends the handshake (B9).

use rustls::{
    ServerConfig,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_rustls::TlsAcceptor;

use super::*;

#[tokio::test]
async fn opportunistic_tls_takes_any_certificate_and_tells_how_far_to_trust_it() {
    let home = Home::new();
    let client = ClientTls::new(PeerCheck::Any, home.authorities()).unwrap();
    for (source, host, trust) in [
        (home.self_signed("mx.example.org"), "mx.example.org", Trust::Untrusted),
        (home.certificate("other.example.org"), "mx.example.org", Trust::Trusted),
        (home.certificate("mx.example.org"), "mx.example.org", Trust::Verified),
        (home.certificate("mx.example.org"), "mx.example.org.", Trust::Verified),
        (home.certificate("mx.example.org"), "not_a host", Trust::Trusted),
        (home.certificate("192.0.2.1"), "192.0.2.1", Trust::Verified),
        (home.certificate_until("mx.example.org", 2_000), "mx.example.org", Trust::Untrusted),
    ] {
        let meeting = Meeting::between(&listener(&source), &client, host).await;
        meeting.expect_trust(trust);
    }
}

#[tokio::test]
async fn b9_a_route_that_verifies_refuses_every_wrong_certificate() {
    let home = Home::new();
    let client = ClientTls::new(PeerCheck::Name, home.authorities()).unwrap();
    let right = listener(&home.certificate("mx.example.org"));
    Meeting::between(&right, &client, "mx.example.org").await.expect_trust(Trust::Verified);
    for (source, host, why) in [
        (home.certificate("other.example.org"), "mx.example.org", "is not for mx.example.org"),
        (home.certificate("mx.example.org"), "evil.mx.example.org", "is not for evil.mx"),
        (home.certificate("mx.example.org"), "192.0.2.1", "is not for 192.0.2.1"),
        (home.self_signed("mx.example.org"), "mx.example.org", "no trusted authority"),
        (home.certificate_until("mx.example.org", 2_000), "mx.example.org", "has expired"),
        (home.certificate("mx.example.org"), "not_a host", "no name or address"),
    ] {
        let meeting = Meeting::between(&listener(&source), &client, host).await;
        meeting.expect_refused(why);
    }
}

#[tokio::test]
async fn b9_the_public_authorities_do_not_vouch_for_a_private_certificate() {
    let home = Home::new();
    let client = ClientTls::new(PeerCheck::Name, Authorities::public()).unwrap();
    let listener = listener(&home.certificate("mx.example.org"));
    let meeting = Meeting::between(&listener, &client, "mx.example.org").await;
    meeting.expect_refused("no trusted authority");
    let server = meeting.server.unwrap_err();
    assert!(server.contains("the client does not trust the certificate"), "{server:?}");
}

#[tokio::test]
async fn even_opportunistic_tls_refuses_a_handshake_that_the_key_did_not_sign() {
    let home = Home::new();
    let stolen = stolen_certificate(&home);
    for versions in [VERSIONS, TLS12_ONLY] {
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(stolen.clone());
        let (near, far) = duplex(PIPE);
        let client = ClientTls::new(PeerCheck::Any, home.authorities()).unwrap();
        let (client, _) = tokio::join!(
            client.connect("mx.example.org", near, NOW),
            TlsAcceptor::from(Arc::new(config)).accept(far)
        );
        let words = words(client.unwrap_err());
        assert!(words.contains("certificate cannot be used"), "{words:?}");
    }
}

#[tokio::test]
async fn a_server_of_the_past_is_named_as_such() {
    // What servers of TLS 1.0 answer: an alert "protocol_version", or a hello of their own.
    let alert = [21, 3, 1, 0, 2, 2, 70].to_vec();
    let mut hello = vec![22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1];
    hello.extend_from_slice(&[7; 32]);
    hello.extend_from_slice(&[0, 0xc0, 0x13, 0]);
    for answer in [alert, hello] {
        let (near, mut far) = duplex(PIPE);
        far.write_all(&answer).await.unwrap();
        let client = ClientTls::new(PeerCheck::Any, Authorities::public()).unwrap();
        let words = words(client.connect("mx.example.org", near, NOW).await.unwrap_err());
        assert!(words.contains("1.0 or 1.1 only; this client needs TLS 1.2"), "{words:?}");
    }
}

#[test]
fn lists_of_authorities_with_mistakes_are_named() {
    let home = Home::new();
    let empty = home.write("empty", "no certificates here\n");
    let error = words(Authorities::from_file(&empty).unwrap_err());
    assert!(error.ends_with("empty: it holds no certificate in PEM format"), "{error:?}");
    assert!(Authorities::from_file(&home.path("missing")).is_err());
}

/// The certificate of somebody else, with a key that is not its own.
fn stolen_certificate(home: &Home) -> Arc<dyn ResolvesServerCert> {
    let CertificateSource::Files { certificate, .. } = home.certificate("mx.example.org") else {
        unreachable!("certificates of files are files")
    };
    let CertificateSource::Files { certificate: own, key } = home.certificate("thief.example.org")
    else {
        unreachable!("certificates of files are files")
    };
    let thief = certificate::read(&provider(), &own, &key).unwrap();
    let victim = certificate::certificates(&certificate).unwrap();
    Arc::new(Fixed(Arc::new(CertifiedKey::new(victim, thief.key))))
}

#[derive(Debug)]
struct Fixed(Arc<CertifiedKey>);

impl ResolvesServerCert for Fixed {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}
