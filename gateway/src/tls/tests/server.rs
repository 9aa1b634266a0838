//! Listeners: certificates, tickets, versions (`attacks.md` B7, B8, B10).

use std::os::unix::fs::PermissionsExt;

use super::*;

#[tokio::test]
async fn the_first_start_makes_a_certificate_for_the_host_name_and_later_ones_use_it() {
    let home = Home::new();
    let source = home.self_signed("gate.example.org");
    let first =
        ServerTls::load(&source, NOW).unwrap().listener(OldestVersion::Tls12, None).unwrap();
    let path = home.path("tls/self-signed.pem");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(home.path("tls")).unwrap().count(), 1, "nothing is left behind");
    let text = fs::read(&path).unwrap();
    let later = NOW.plus(years(8));
    let second =
        ServerTls::load(&source, later).unwrap().listener(OldestVersion::Tls12, None).unwrap();
    assert!(fs::read(&path).unwrap() == text, "a certificate that will do was replaced");
    let judge = Authorities::from_file(&path).unwrap();
    let client = ClientTls::new(PeerCheck::Any, judge).unwrap();
    for listener in [first, second] {
        let meeting = Meeting::between(&listener, &client, "gate.example.org").await;
        meeting.expect_trust(Trust::Verified);
    }
}

#[test]
fn a_self_signed_certificate_that_no_longer_does_is_replaced() {
    let home = Home::new();
    let path = home.path("tls/self-signed.pem");
    let text_after = |hostname: &str, now: Timestamp| {
        ServerTls::load(&home.self_signed(hostname), now).unwrap();
        fs::read_to_string(&path).unwrap()
    };
    let first = text_after("gate.example.org", NOW);
    let renamed = text_after("mail.example.org", NOW);
    assert_ne!(first, renamed);
    let renewed = text_after("mail.example.org", NOW.plus(years(11)));
    assert_ne!(renamed, renewed);
    fs::write(&path, &renewed[..renewed.len() / 2]).unwrap();
    assert_ne!(text_after("mail.example.org", NOW.plus(years(11))), renewed);
}

#[test]
fn a_host_name_that_no_certificate_can_bear_is_an_error() {
    let home = Home::new();
    for bad in ["", "not a host", "gate..org"] {
        let error = ServerTls::load(&home.self_signed(bad), NOW).unwrap_err();
        assert!(matches!(error, TlsError::Hostname(_)), "{bad:?} gave {error:?}");
    }
}

#[test]
fn certificate_files_with_mistakes_are_named() {
    let home = Home::new();
    let CertificateSource::Files { certificate, key } = home.certificate("mx.example.org") else {
        unreachable!("certificates of files are files")
    };
    let empty = home.write("empty", "");
    let broken = home.write("broken", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----");
    let missing = home.path("missing");
    let CertificateSource::Files { key: other_key, .. } = home.certificate("other.example.org")
    else {
        unreachable!("certificates of files are files")
    };
    for (certificate, key, expected) in [
        (&missing, &key, "cannot read"),
        (&empty, &key, "empty: it holds no certificate"),
        (&broken, &key, "broken: its PEM text is malformed"),
        (&certificate, &certificate, "it holds no private key"),
        (&certificate, &other_key, "cannot be used with its key"),
    ] {
        let (certificate, key) = (certificate.clone(), key.clone());
        let source = CertificateSource::Files { certificate, key };
        let error = words(ServerTls::load(&source, NOW).unwrap_err());
        assert!(error.contains(expected), "{error:?} lacks {expected:?}");
    }
}

#[tokio::test]
async fn a_new_certificate_is_used_at_once_and_a_bad_one_changes_nothing() {
    let home = Home::new();
    let server = ServerTls::load(&home.certificate("old.example.org"), NOW).unwrap();
    let listener = server.listener(OldestVersion::Tls12, None).unwrap();
    let trust_in = async |host| {
        // A client of its own each time: a resumed session shows no new certificate.
        let client = ClientTls::new(PeerCheck::Any, home.authorities()).unwrap();
        Meeting::between(&listener, &client, host).await.client.unwrap().1
    };
    assert_eq!(trust_in("old.example.org").await, Trust::Verified);
    let new = server.prepare(&home.certificate("new.example.org"), NOW).unwrap();
    assert_eq!(trust_in("old.example.org").await, Trust::Verified, "not before it is installed");
    server.install(new);
    assert_eq!(trust_in("new.example.org").await, Trust::Verified);
    assert_eq!(trust_in("old.example.org").await, Trust::Trusted);
    let missing = home.path("missing");
    let bad = CertificateSource::Files { certificate: missing.clone(), key: missing };
    assert!(server.prepare(&bad, NOW).is_err());
    assert_eq!(trust_in("new.example.org").await, Trust::Verified);
}

#[tokio::test]
async fn b7_a_ticket_of_one_listener_is_worthless_at_another() {
    let home = Home::new();
    let server = ServerTls::load(&home.certificate("mx.example.org"), NOW).unwrap();
    let (mx, submission) = (
        server.listener(OldestVersion::Tls12, None).unwrap(),
        server.listener(OldestVersion::Tls12, None).unwrap(),
    );
    let client = ClientTls::new(PeerCheck::Any, home.authorities()).unwrap();
    let mut kinds = Vec::new();
    for listener in [&mx, &mx, &submission, &submission, &mx] {
        let meeting = Meeting::between(listener, &client, "mx.example.org").await;
        meeting.expect_trust(Trust::Verified);
        kinds.push(meeting.server.unwrap().1);
    }
    use HandshakeKind::{Full, Resumed};
    assert_eq!(kinds, [Full, Resumed, Full, Resumed, Full]);
}

#[tokio::test]
async fn b8_a_browser_is_turned_away_and_a_client_that_asks_for_smtp_is_not() {
    let home = Home::new();
    let listener = listener(&home.certificate("mx.example.org"));
    let asking_for = |protocol: &[u8]| {
        let mut config = bare_client(&home, VERSIONS);
        config.alpn_protocols = vec![protocol.to_vec()];
        config
    };
    let browser = meet_bare(&listener, asking_for(b"http/1.1")).await.unwrap_err();
    assert!(browser.contains("another protocol than SMTP"), "{browser:?}");
    assert!(meet_bare(&listener, asking_for(b"smtp")).await.is_ok());
}

#[tokio::test]
async fn what_was_agreed_is_told_in_postfix_spelling() {
    let home = Home::new();
    let listener = listener(&home.certificate("mx.example.org"));
    let client = ClientTls::new(PeerCheck::Name, home.authorities()).unwrap();
    let meeting = Meeting::between(&listener, &client, "mx.example.org").await;
    let (server, client) = (meeting.server.unwrap().0, meeting.client.unwrap().0);
    assert_eq!(server, client);
    assert_eq!(spelt(&server), "TLSv1.3 TLS_AES_256_GCM_SHA384 256");
    let old = meet_bare(&listener, bare_client(&home, TLS12_ONLY)).await.unwrap();
    assert_eq!(spelt(&old), "TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384 256");
}

#[tokio::test]
async fn b10_a_listener_that_begins_at_tls_1_3_speaks_no_1_2() {
    let home = Home::new();
    let server = ServerTls::load(&home.certificate("mx.example.org"), NOW).unwrap();
    let listener = server.listener(OldestVersion::Tls13, None).unwrap();
    assert!(meet_bare(&listener, bare_client(&home, TLS12_ONLY)).await.is_err());
    let new = meet_bare(&listener, bare_client(&home, VERSIONS)).await.unwrap();
    assert!(spelt(&new).starts_with("TLSv1.3 "));
}

#[tokio::test]
async fn b10_a_client_that_offers_tls_1_0_only_is_refused_in_words() {
    let home = Home::new();
    let listener = listener(&home.certificate("mx.example.org"));
    let old = "the client offered TLS 1.0 or 1.1 only; this server needs TLS 1.2 or 1.3";
    let old_or_sha1 = "the client offered TLS 1.0 or 1.1 only, or TLS 1.2 with SHA-1 signatures; \
                       this server needs TLS 1.2 or 1.3";
    for version in [[3, 1], [3, 2]] {
        assert_eq!(failure(&listener, &hello(version, b"")).await, old_or_sha1);
        assert_eq!(failure(&listener, &hello(version, SIGNATURE_ALGORITHMS)).await, old);
    }
    assert_eq!(failure(&listener, &hello([3, 3], b"")).await, old_or_sha1);
}

#[tokio::test]
async fn peers_that_do_not_speak_tls_or_leave_are_told_apart() {
    let home = Home::new();
    let listener = listener(&home.certificate("mx.example.org"));
    let plain = failure(&listener, b"EHLO client.example\r\n").await;
    assert_eq!(plain, "the client did not speak TLS where TLS was due");
    let gone = failure(&listener, &hello([3, 3], b"")[..20]).await;
    assert_eq!(gone, "the client closed the connection in the TLS handshake");
}

#[tokio::test]
async fn b10_a_hello_of_tiny_pieces_ends_as_one_piece_would() {
    let home = Home::new();
    let listener = listener(&home.certificate("mx.example.org"));
    let (mut near, far) = duplex(1);
    let hello = hello([3, 1], b"");
    let client = async {
        let _ = near.write_all(&hello).await;
        near.read_to_end(&mut Vec::new()).await
    };
    let (server, _) = tokio::join!(listener.accept(far), client);
    assert!(words(server.unwrap_err()).contains("TLS 1.0"));
}

/// What the server says of a client that sends `bytes` and leaves.
async fn failure(listener: &ListenerTls, bytes: &[u8]) -> String {
    let (mut near, far) = duplex(PIPE);
    near.write_all(bytes).await.unwrap();
    near.shutdown().await.unwrap();
    words(listener.accept(far).await.unwrap_err())
}

/// The greeting of a client of TLS 1.0 to 1.2 (RFC 5246 section 7.4.1.2).
fn hello(version: [u8; 2], extensions: &[u8]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend_from_slice(&[7; 32]); // random
    body.push(0); // no session
    body.extend_from_slice(&[0, 2, 0xc0, 0x13]); // ECDHE-RSA-AES128-SHA
    body.extend_from_slice(&[1, 0]); // no compression
    body.extend_from_slice(&[0, extensions.len() as u8]);
    body.extend_from_slice(extensions);
    let mut message = vec![1, 0, 0, body.len() as u8];
    message.extend(body);
    let mut record = vec![22, 3, 1, 0, message.len() as u8];
    record.extend(message);
    record
}

/// ECDSA and RSA with SHA-256.
const SIGNATURE_ALGORITHMS: &[u8] = &[0, 13, 0, 6, 0, 4, 4, 3, 4, 1];

fn spelt(summary: &TlsSummary) -> String {
    format!("{} {} {}", summary.version, summary.cipher, summary.bits)
}

const fn years(count: u64) -> std::time::Duration {
    std::time::Duration::from_secs(count * 31_556_952)
}
