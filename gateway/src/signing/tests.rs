//! What is signed, and that our own verifier proves it.

use std::{io, net::SocketAddr, path::Path};

use aws_lc_rs::signature::Ed25519KeyPair;
use bytes::Bytes;
use mailweir_mail::{Client, Forwarded, Login, Protocol};
use mailweir_spam::{
    dkim::{
        DkimResult,
        sign::{Coverage, Signer, SigningKey},
    },
    dns::{Answer, Dns},
};

use super::*;
use crate::{config::Surroundings, observe::Observer, tables::Tables};

/// When the mails are signed: 2026-11-20.
const NOW: Timestamp = Timestamp::from_secs(1_795_210_205);

const MAIL: &str =
    "From: Ann <ann@own.example>\r\nTo: bob@other.example\r\nSubject: x\r\n\r\ntext\r\n";

fn key(domain: &str, selector: &str) -> DkimKey {
    let domain: Domain = domain.parse().unwrap();
    let pair = Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap();
    let key = SigningKey::from_pkcs8(&domain, selector, pair.as_ref()).unwrap();
    let signer = Arc::new(Signer::new(vec![key], Coverage::default()));
    DkimKey { domain, selector: selector.into(), signer, from: None, until: None }
}

fn signing(keys: Vec<DkimKey>) -> Signing {
    signing_what_leaves(keys, "")
}

/// With these lines in `[rewriting]`.
fn signing_what_leaves(keys: Vec<DkimKey>, rewriting: &str) -> Signing {
    let networks = vec![("mx".into(), vec!["192.0.2.0/24".parse().unwrap()])];
    Signing { keys, networks, rewriting: live(rewriting) }
}

fn live(rewriting: &str) -> Arc<LiveRewriting> {
    let text = format!(
        "[rewriting]\n{rewriting}\n[[listener]]\nname = \"mx\"\nbind = [\"127.0.0.1:25\"]\nmode = \"mx\"\n"
    );
    let around = Surroundings {
        environment: &[],
        machine_name: Some("gate.example"),
        time_zone: None,
        files: &|_| Err(io::ErrorKind::NotFound.into()),
    };
    let config = Config::parse(Path::new("mailweir.toml"), &text, &around).unwrap().0;
    let tables = Tables::new(Observer::heard_by(|_| {}).unwrap());
    LiveRewriting::open(&config, Vec::new(), &tables).unwrap()
}

fn content(mail: &str) -> Content {
    Content::Memory(Bytes::copy_from_slice(mail.as_bytes()))
}

/// The keys that sign a mail, by their selectors.
async fn selectors(signing: &Signing, mail: &str) -> Vec<String> {
    let fields = signing.fields(&content(mail), NOW).await.unwrap();
    let fields = String::from_utf8(fields).unwrap().replace("\r\n\t", " ").replace("\r\n ", " ");
    let of_key = |field: &str| field.split(" s=").nth(1)?.split(';').next().map(str::to_owned);
    fields.lines().filter_map(of_key).collect()
}

/// Publishes all keys.
struct Published<'s>(&'s Signing);

impl Dns for Published<'_> {
    async fn txt(&self, name: &str) -> Answer<Box<str>> {
        let keys = self.0.keys.iter().flat_map(|key| key.signer.keys());
        let record = keys.map(SigningKey::record).find(|record| *record.name == *name);
        record.map_or(Answer::NoSuchName, |record| Answer::Found(vec![record.text]))
    }

    async fn a(&self, _: &str) -> Answer<std::net::Ipv4Addr> {
        Answer::NoSuchName
    }

    async fn aaaa(&self, _: &str) -> Answer<std::net::Ipv6Addr> {
        Answer::NoSuchName
    }

    async fn mx(&self, _: &str) -> Answer<Box<str>> {
        Answer::NoSuchName
    }

    async fn ptr(&self, _: std::net::IpAddr) -> Answer<Box<str>> {
        Answer::NoSuchName
    }
}

#[tokio::test]
async fn what_is_signed_holds_when_it_has_left() {
    let signing = signing(vec![key("own.example", "one"), key("own.example", "two")]);
    for body in ["text\r\n", "", "no end", "\r\n\r\n", &"a long line ".repeat(500)] {
        let mail = MAIL.replace("text\r\n", body);
        let fields = signing.fields(&content(&mail), NOW).await.unwrap();
        let results = verified(&signing, &[&fields, mail.as_bytes()]).await;
        assert_eq!(results, [DkimResult::Pass, DkimResult::Pass], "{body:?}");
    }
}

/// What others find out about a mail that leaves so.
async fn verified(signing: &Signing, mail: &[&[u8]]) -> Vec<DkimResult> {
    let (mut encoder, mut left) = (Encoder::counted(), SignatureReader::default());
    for piece in mail {
        encoder.encode(piece).for_each(|sent| left.feed(sent));
    }
    left.feed(encoder.finish());
    let verified = left.finish().verify(&Published(signing), NOW).await;
    verified.outcomes.iter().map(|one| one.result()).collect()
}

#[tokio::test]
async fn what_is_signed_has_the_addresses_that_others_see() {
    let keys = vec![key("own.example", "inside"), key("public.example", "outside")];
    let generic = "smtp_generic_maps = [\"inline:{ann@own.example=ann@public.example, \
                   bob@other.example=bob@elsewhere.example}\"]";
    let signing = signing_what_leaves(keys, generic);
    // In one piece, and torn apart where it hurts.
    let whole = signing.fields_of(&[MAIL.as_bytes()], NOW).await.unwrap();
    let pieces: Vec<&[u8]> = MAIL.as_bytes().chunks(7).collect();
    assert_eq!(selectors(&signing, MAIL).await, ["outside"]);
    let left = MAIL
        .replace("ann@own.example", "ann@public.example")
        .replace("bob@other.example", "bob@elsewhere.example");
    for fields in [whole, signing.fields_of(&pieces, NOW).await.unwrap()] {
        assert_eq!(verified(&signing, &[&fields, left.as_bytes()]).await, [DkimResult::Pass]);
        assert_eq!(verified(&signing, &[&fields, MAIL.as_bytes()]).await, [DkimResult::Fail]);
    }
    let untouched = MAIL.replace("ann@", "eve@").replace("bob@", "joe@");
    assert_eq!(selectors(&signing, &untouched).await, ["inside"]);
}

#[tokio::test]
async fn mail_of_the_gateway_itself_has_an_author_with_a_key() {
    let signing = signing(vec![key("own.example", "k")]);
    let report = "From: Mail Delivery System <MAILER-DAEMON@gate.own.example>\r\n\r\ntext\r\n";
    let fields = signing.fields_of(&[report.as_bytes()], NOW).await.unwrap();
    assert_eq!(verified(&signing, &[&fields, report.as_bytes()]).await, [DkimResult::Pass]);
}

#[tokio::test]
async fn the_nearest_domain_of_the_author_signs() {
    let signing = signing(vec![
        key("own.example", "above"),
        key("sub.own.example", "near"),
        key("other.example", "other"),
    ]);
    let from = |author: &str| MAIL.replace("ann@own.example", author);
    assert_eq!(selectors(&signing, &from("ann@own.example")).await, ["above"]);
    assert_eq!(selectors(&signing, &from("ann@x.own.example")).await, ["above"]);
    assert_eq!(selectors(&signing, &from("ann@sub.own.example")).await, ["near"]);
    assert_eq!(selectors(&signing, &from("ann@x.sub.own.example")).await, ["near"]);
    assert!(selectors(&signing, &from("ann@notown.example")).await.is_empty());
    let two = format!("From: boss@other.example\r\n{MAIL}");
    assert!(selectors(&signing, &two).await.is_empty(), "nobody knows whose it is");
    let none = MAIL.replace("From:", "Sender:");
    assert!(selectors(&signing, &none).await.is_empty());
}

#[tokio::test]
async fn keys_sign_from_their_first_day_to_the_day_before_their_last() {
    let day = |text: &str| Some(text.parse().unwrap());
    let with = |from, until| DkimKey { from, until, ..key("own.example", "k") };
    for (key, signs) in [
        (with(None, None), true),
        (with(day("2026-11-20"), None), true),
        (with(day("2026-11-21"), None), false),
        (with(None, day("2026-11-21")), true),
        (with(None, day("2026-11-20")), false),
        (with(day("2026-11-01"), day("2026-12-01")), true),
    ] {
        let shown = format!("{key:?}");
        assert_eq!(!selectors(&signing(vec![key]), MAIL).await.is_empty(), signs, "{shown}");
    }
}

#[tokio::test]
async fn a_signature_of_ours_is_known_however_it_is_folded() {
    let signing = signing(vec![key("own.example", "k"), key("other.example", "k2")]);
    let fields = signing.fields_of(&[MAIL.as_bytes()], NOW).await.unwrap();
    assert!(signing.is_signature(&fields));
    for ours in
        ["dkim-signature : s=K2;\r\n d=other.\r\n example\r\n", "DKIM-Signature:d=own.example;s=k"]
    {
        assert!(signing.is_signature(ours.as_bytes()), "{ours}");
    }
    for other in [
        "DKIM-Signature: d=own.example; s=k2;\r\n",
        "DKIM-Signature: d=foreign.example; s=k;\r\n",
        "DKIM-Signature: s=k;\r\n",
        "X-DKIM-Signature: d=own.example; s=k\r\n",
        "no field",
    ] {
        assert!(!signing.is_signature(other.as_bytes()), "{other}");
    }
}

#[test]
fn only_mail_of_our_own_people_is_ours() {
    let signing = signing(vec![key("own.example", "k")]);
    let origin = |client: &str, login: Option<&str>, told: Option<&str>| {
        let address: SocketAddr = format!("{client}:25").parse().unwrap();
        let forwarded = Forwarded {
            name: None,
            address: told.map(|address| address.parse().unwrap()),
            port: None,
            helo: None,
            protocol: None,
            ident: None,
            source: None,
        };
        Origin {
            listener: "mx".into(),
            client: Client::unnamed(address),
            helo: "x.example".into(),
            protocol: Protocol::Esmtp,
            login: login.map(|name| Login { user: name.into(), mechanism: "PLAIN".into() }),
            tls: None,
            forwarded: told.map(|_| Box::new(forwarded)),
            arrival: NOW,
        }
    };
    assert!(signing.is_ours(&origin("198.51.100.1", Some("ann"), None)));
    assert!(signing.is_ours(&origin("192.0.2.7", None, None)));
    assert!(!signing.is_ours(&origin("198.51.100.1", None, None)));
    // A relay of ours hands over for a stranger, or for somebody of ours.
    assert!(!signing.is_ours(&origin("192.0.2.7", None, Some("198.51.100.1"))));
    assert!(signing.is_ours(&origin("192.0.2.7", None, Some("192.0.2.8"))));
    // What logged in is the relay.
    assert!(!signing.is_ours(&origin("198.51.100.1", Some("relay"), Some("198.51.100.2"))));
    let elsewhere = Origin { listener: "door".into(), ..origin("192.0.2.7", None, None) };
    assert!(!signing.is_ours(&elsewhere), "networks are those of a listener");
}
