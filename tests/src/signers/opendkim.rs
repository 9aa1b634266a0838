//! The real opendkim, as a process that reads files (`-t`) and ends: no socket, no service.
//!
//! It sees each mail as SMTP would carry it: the last line has its end. Where it reads files, it hashes one
//! blank behind the colon of each field, whatever white space stands there: its signature of a simple header
//! with `Name:value` fits the mail with `Name: value`. It cannot be asked about mails in which that matters.

use std::{fs, path::Path};

use super::{
    Answer, Form, PrivateKey, Published,
    keys::DOMAIN,
    mails::{is_spaced_as_usual, parts},
    run, write_all,
};
use crate::tools;

/// The command `opendkim`.
pub struct OpenDkim<'p> {
    published: &'p Published,
}

impl<'p> OpenDkim<'p> {
    /// With these public keys.
    #[must_use]
    pub fn new(published: &'p Published) -> Self {
        Self { published }
    }

    /// What it says of each mail.
    #[must_use]
    pub fn verify(&self, mails: &[Vec<u8>]) -> Vec<Answer> {
        let place = tempfile::tempdir().unwrap();
        let zone = place.path().join("zone");
        self.published.write(&zone);
        let keys = match self.published {
            Published::Texts(_) => format!("TestDNSData file:{}", zone.display()),
            Published::Server(at) => format!("Nameservers {}@{}", at.ip(), at.port()),
        };
        let said = converse(place.path(), &format!("Mode v\n{keys}\n"), &[], mails);
        let mut lines = said.lines();
        let answer = |(number, mail): (usize, &Vec<u8>)| {
            let named = format!("opendkim: {number}.eml: ");
            let line = lines.find_map(|line| line.strip_prefix(&named)).unwrap_or_default();
            let is_known =
                ["verification", "message not signed"].iter().any(|w| line.starts_with(w));
            assert!(is_known, "opendkim says nothing of mail {number}: {said}");
            match line.ends_with(" succeeded") {
                _ if signs_simple_header(mail) && !is_spaced_as_usual(mail) => Answer::NotAsked,
                true => Answer::Taken,
                false => Answer::Refused(line.to_owned()),
            }
        };
        mails.iter().enumerate().map(answer).collect()
    }

    /// The mails, each with a signature on top. For a simple header they must be spaced as usual.
    #[must_use]
    pub fn sign(key: &PrivateKey, form: Form, mails: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let can_tell =
            !form.has_simple_header() || mails.iter().all(|mail| is_spaced_as_usual(mail));
        assert!(can_tell, "opendkim would sign something else");
        let place = tempfile::tempdir().unwrap();
        key.write(place.path());
        // The recipient of all mails in this mode.
        let length = if form.has_length { "BodyLengthDB csl:recipient@example.com\n" } else { "" };
        let settings = format!(
            "Mode s\nDomain {DOMAIN}\nSelector {}\nKeyFile key.pem\nRequireSafeKeys no\n\
             SignatureAlgorithm {}\nCanonicalization {}\nOversignHeaders From\n{length}",
            key.selector(),
            key.algorithm().as_str(),
            form.canonical
        );
        let said = converse(place.path(), &settings, &["-vvv"], mails);
        let fields = said.split(FIELD_BEGINS).skip(1).map(|text| text.split('\'').next().unwrap());
        let fields: Vec<String> = fields.map(|text| text.replace('\n', "\r\n")).collect();
        assert_eq!(fields.len(), mails.len(), "opendkim does not sign all: {said}");
        let signed = |(field, mail): (&String, &Vec<u8>)| {
            [b"DKIM-Signature: ", field.as_bytes(), b"\r\n", mail].concat()
        };
        fields.iter().zip(mails).map(signed).collect()
    }
}

/// The mail with its signature, by an Ed25519 key, as opendkim hashed it: before a long `b=` it writes a fold,
/// but while `b=` is empty, as it is hashed, only RSA keys make it reckon with that.
#[must_use]
pub fn without_fold_before_signature(mail: &[u8]) -> Vec<u8> {
    let fold = b";\r\n\tb=";
    let at = mail.windows(fold.len()).position(|window| window == fold).unwrap();
    [&mail[..at], b"; b=", &mail[at + fold.len()..]].concat()
}

fn converse(place: &Path, settings: &str, options: &[&str], mails: &[Vec<u8>]) -> String {
    fs::write(place.join("settings"), settings).unwrap();
    let sent: Vec<Vec<u8>> = mails.iter().map(|mail| as_sent(mail)).collect();
    let names = write_all(place, &sent).join(",");
    let arguments = [&["-x", "settings"], options, &["-t", &names]].concat();
    let output = run(tools::find("opendkim").unwrap(), place, &arguments);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "opendkim: {}\n{complaints}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn signs_simple_header(mail: &[u8]) -> bool {
    parts(mail).0.windows(SIMPLE.len()).any(|window| window == SIMPLE)
}

fn as_sent(mail: &[u8]) -> Vec<u8> {
    let end: &[u8] = if mail.ends_with(b"\r\n") { b"" } else { b"\r\n" };
    [mail, end].concat()
}

const SIMPLE: &[u8] = b" c=simple/";

const FIELD_BEGINS: &str = "### INSHEADER: idx=0 hname='DKIM-Signature' hvalue='";
