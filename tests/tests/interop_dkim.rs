//! DKIM both ways with the real opendkim and dkimpy, by random mails: what one signs, all three verify, and
//! none of them once a byte was changed.
//!
//! Two things of opendkim (2.11.0) are known and left out by rule, not by mail:
//! - Its Ed25519 signatures of a simple header are of another field than the one that it writes: it reckons
//!   with the fold before `b=` only for RSA keys. A test of its own shows that this is all.
//! - Where it reads files, it does not see how much white space stands behind a colon, so that it cannot be
//!   asked about every mail whose header is signed byte for byte: see `signers::OpenDkim`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends")]

use aws_lc_rs::rsa::KeySize;
use mailweir_spam::dkim::Algorithm;
use mailweir_tests::{
    dns::FakeDns,
    signers::{
        Answer, Census, Dkimpy, Form, Mails, OpenDkim, Ours, PrivateKey, Published, changed,
        without_fold_before_signature,
    },
    tools,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_we_sign_all_take_and_none_with_a_changed_byte() {
    if !are_there() {
        return;
    }
    let keys = PrivateKey::of_each_kind();
    let published = Published::of(&keys);
    let mails = Mails::new(1).take(MAILS);
    let census = Census::of(&mails);
    println!("{MAILS} mails: {census}");
    assert!(census.is_complete(), "{census}");
    for key in &keys {
        let signed = Ours::sign(key, &mails);
        judge(&published, &signed, &format!("{} of ours", key.algorithm().as_str())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_dkimpy_signs_all_take_and_none_with_a_changed_byte() {
    if !are_there() {
        return;
    }
    let keys = PrivateKey::of_each_kind();
    let published = Published::of(&keys);
    let mut mails = Mails::new(2);
    for key in &keys {
        let sign = |form| Dkimpy::sign(key, form, &mails.take(MAILS / Form::ALL.len()));
        let signed = Form::ALL.map(sign).concat();
        judge(&published, &signed, &format!("{} of dkimpy", key.algorithm().as_str())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_opendkim_signs_all_take_and_none_with_a_changed_byte() {
    if !are_there() {
        return;
    }
    let keys = PrivateKey::of_each_kind();
    let published = Published::of(&keys);
    let mut mails = Mails::new(3);
    for key in &keys {
        let forms: Vec<Form> =
            Form::ALL.into_iter().filter(|form| !is_wrong_in_opendkim(key, *form)).collect();
        let sign = |form: &Form| signed_by_opendkim(key, *form, &mut mails, MAILS / forms.len());
        let signed: Vec<_> = forms.iter().flat_map(sign).collect();
        judge(&published, &signed, &format!("{} of opendkim", key.algorithm().as_str())).await;
    }
}

/// Why these are left out above: opendkim itself refuses what it has written; with the field as it was hashed
/// all take the mail.
#[tokio::test(flavor = "multi_thread")]
async fn ed25519_signatures_of_opendkim_fit_a_simple_header_without_their_last_fold() {
    if !are_there() {
        return;
    }
    let keys = [PrivateKey::ed25519("e")];
    let [key] = &keys;
    let published = Published::of(&keys);
    let mut mails = Mails::new(4);
    let forms: Vec<Form> =
        Form::ALL.into_iter().filter(|form| is_wrong_in_opendkim(key, *form)).collect();
    let sign = |form: &Form| signed_by_opendkim(key, *form, &mut mails, MAILS / forms.len());
    let signed: Vec<_> = forms.iter().flat_map(sign).collect();
    let answers = OpenDkim::new(&published).verify(&signed);
    // A few hold: where not even `b=` fits on the line of h=, the fold is there while it hashes.
    let is_good = |(_, answer): &(Vec<u8>, Answer)| *answer == Answer::Taken;
    let (good, wrong): (Vec<_>, Vec<_>) = signed.into_iter().zip(answers).partition(is_good);
    let (good, wrong) = (contents(good), contents(wrong));
    assert!(wrong.len() > good.len(), "opendkim is right now about {}", good.len());
    let hashed: Vec<_> = wrong.iter().map(|mail| without_fold_before_signature(mail)).collect();
    expect(&published, &good, true, "simple header of opendkim, good as it is").await;
    expect(&published, &wrong, false, "simple header of opendkim, as written").await;
    judge(&published, &hashed, "simple header of opendkim, as hashed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_read_the_record_that_we_print_for_a_key_from_a_name_server() {
    if !are_there() {
        return;
    }
    let keys = [
        PrivateKey::rsa("r2048", KeySize::Rsa2048),
        PrivateKey::rsa("r4096", KeySize::Rsa4096),
        PrivateKey::ed25519("e"),
    ];
    let zone: Vec<String> = keys.iter().map(|key| key.record().zone_line()).collect();
    let server = FakeDns::start(&zone.join("\n")).await;
    let asked = Published::Server(server.address());
    for key in &keys {
        let signed = Ours::sign(key, &Mails::new(5).take(2));
        let name = key.record().name;
        let (server_of_opendkim, server_of_dkimpy) = (asked.clone(), asked.clone());
        let (by_opendkim, by_dkimpy) = (signed.clone(), signed);
        let opendkim =
            beside(move || OpenDkim::new(&server_of_opendkim).verify(&by_opendkim)).await;
        assert_eq!(opendkim, [Answer::Taken, Answer::Taken], "opendkim by {name}");
        let questions = server.queries(&name, "TXT");
        let dkimpy = beside(move || Dkimpy::new(&server_of_dkimpy).verify(&by_dkimpy)).await;
        assert_eq!(dkimpy, [Answer::Taken, Answer::Taken], "dkimpy by {name}");
        assert!(0 < questions && questions < server.queries(&name, "TXT"), "{name}: {questions}");
        println!("{name}: {} strings, read by opendkim and dkimpy", key.record().strings().count());
    }
}

/// All three take each of these mails, and none with a byte changed.
async fn judge(published: &Published, signed: &[Vec<u8>], what: &str) {
    assert!(!signed.is_empty(), "{what}: no mail");
    expect(published, signed, true, what).await;
    let damaged = changed(signed.len() as u64, signed);
    expect(published, &damaged, false, &format!("{what}, a byte changed")).await;
}

/// All three take each of these mails, or none of them does.
async fn expect(published: &Published, mails: &[Vec<u8>], is_good: bool, what: &str) {
    if mails.is_empty() {
        return;
    }
    let (for_opendkim, for_dkimpy) = (published.clone(), published.clone());
    let (by_opendkim, by_dkimpy) = (mails.to_vec(), mails.to_vec());
    let opendkim = beside(move || OpenDkim::new(&for_opendkim).verify(&by_opendkim));
    let dkimpy = beside(move || Dkimpy::new(&for_dkimpy).verify(&by_dkimpy));
    let ours = Ours::new(published).verify(mails).await;
    let mut counts = Vec::new();
    for (who, said) in [("ours", ours), ("dkimpy", dkimpy.await), ("opendkim", opendkim.await)] {
        assert_eq!(said.len(), mails.len(), "{who}");
        let asked = said.iter().zip(mails).filter(|(answer, _)| **answer != Answer::NotAsked);
        let is_wrong = |(answer, _): &(&Answer, _)| (**answer == Answer::Taken) != is_good;
        let (wrong, right): (Vec<_>, Vec<_>) = asked.partition(is_wrong);
        if let Some((answer, mail)) = wrong.first() {
            let mail = mail.escape_ascii().to_string().replace(r"\r\n", "\\r\\n\n");
            panic!(
                "{what}: {who} is wrong about {}, of the first it says {answer:?}\n{mail}",
                wrong.len()
            );
        }
        assert!(right.len() >= mails.len() / 2, "{what}: {who} is asked about {}", right.len());
        counts.push(format!("{who} {}", right.len()));
    }
    println!("{what}: {} by {}", if is_good { "taken" } else { "refused" }, counts.join(", "));
}

/// Waits for a process elsewhere, so that the tasks here go on.
async fn beside<T: Send + 'static>(wait: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(wait).await.unwrap()
}

fn signed_by_opendkim(
    key: &PrivateKey,
    form: Form,
    mails: &mut Mails,
    count: usize,
) -> Vec<Vec<u8>> {
    let mails = if form.has_simple_header() { mails.take_usual(count) } else { mails.take(count) };
    OpenDkim::sign(key, form, &mails)
}

fn is_wrong_in_opendkim(key: &PrivateKey, form: Form) -> bool {
    key.algorithm() == Algorithm::Ed25519Sha256 && form.has_simple_header()
}

fn contents(mails: Vec<(Vec<u8>, Answer)>) -> Vec<Vec<u8>> {
    mails.into_iter().map(|(mail, _)| mail).collect()
}

fn are_there() -> bool {
    tools::require(&["opendkim", Dkimpy::NEEDS])
}

/// So many each program signs with each kind of key.
const MAILS: usize = 1_000;
