//! The real dkimpy: one Python process for all mails of a call.

use std::{fs, path::Path};

use super::{Answer, Form, PrivateKey, Published, keys::DOMAIN, run, write_all};

/// Debian's python3-dkim.
pub struct Dkimpy<'p> {
    published: &'p Published,
}

impl<'p> Dkimpy<'p> {
    /// A command of the package, to be asked for.
    pub const NEEDS: &'static str = "dkimverify";

    /// With these public keys.
    #[must_use]
    pub fn new(published: &'p Published) -> Self {
        Self { published }
    }

    /// What it says of each mail.
    #[must_use]
    pub fn verify(&self, mails: &[Vec<u8>]) -> Vec<Answer> {
        let place = tempfile::tempdir().unwrap();
        self.published.write(&place.path().join("zone"));
        let keys = match self.published {
            Published::Texts(_) => "zone".to_owned(),
            Published::Server(at) => at.to_string(),
        };
        let count = write_all(place.path(), mails).len().to_string();
        let said = python(place.path(), &["verify", &count, &keys]);
        let answers = said.lines().map(|line| match line {
            "pass" => Answer::Taken,
            other => Answer::Refused(other.to_owned()),
        });
        let answers: Vec<_> = answers.collect();
        assert_eq!(answers.len(), mails.len(), "{said}");
        answers
    }

    /// The mails, each with a signature on top.
    #[must_use]
    pub fn sign(key: &PrivateKey, form: Form, mails: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let place = tempfile::tempdir().unwrap();
        key.write(place.path());
        let count = write_all(place.path(), mails).len().to_string();
        let (selector, algorithm) = (key.selector(), key.algorithm().as_str());
        let length = if form.has_length { "l" } else { "" };
        let how = [DOMAIN, selector, algorithm, form.canonical, length];
        let _ = python(place.path(), &[&["sign", &count], &how[..]].concat());
        let signed = |number| fs::read(place.path().join(format!("{number}.signed"))).unwrap();
        (0..mails.len()).map(signed).collect()
    }
}

fn python(place: &Path, arguments: &[&str]) -> String {
    let arguments = [&["-I", "-c", PROGRAM], arguments].concat();
    let output = run(DEBIANS_PYTHON.into(), place, &arguments);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "dkimpy: {}\n{complaints}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Others that may stand before it in `PATH` do not see what Debian's packages bring.
const DEBIANS_PYTHON: &str = "/usr/bin/python3";

const PROGRAM: &str = include_str!("dkimpy.py");
