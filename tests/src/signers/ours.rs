//! Our own signer and verifier.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailweir_mail::Timestamp;
use mailweir_spam::dkim::{Outcome, SignatureReader, SignedMail, Signer, Verified, sign::Coverage};

use super::{Answer, PrivateKey, Published};

/// What is in `filters/spam`.
pub struct Ours<'p> {
    published: &'p Published,
}

impl<'p> Ours<'p> {
    /// With these public keys.
    #[must_use]
    pub fn new(published: &'p Published) -> Self {
        Self { published }
    }

    /// The mails, each with a signature on top.
    #[must_use]
    pub fn sign(key: &PrivateKey, mails: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let signer = Signer::new(vec![key.signing_key()], Coverage::default());
        let sign = |(number, mail): (usize, &Vec<u8>)| {
            let read = read(SignatureReader::for_signing(), mail);
            let lifetime = (number % 2 == 0).then_some(Duration::from_secs(86_400));
            let body = read.body_hash().unwrap();
            let mut fields = signer.sign(read.header(), body, now(), lifetime).unwrap();
            fields.push(mail.clone());
            fields.concat()
        };
        mails.iter().enumerate().map(sign).collect()
    }

    /// What it says of each mail.
    pub async fn verify(&self, mails: &[Vec<u8>]) -> Vec<Answer> {
        let mut answers = Vec::new();
        for mail in mails {
            let read = read(SignatureReader::default(), mail);
            let Verified { outcomes, .. } = read.verify(self.published, now()).await;
            answers.push(match outcomes.iter().any(Outcome::is_pass) {
                true => Answer::Taken,
                false => Answer::Refused(format!("{outcomes:?}")),
            });
        }
        answers
    }
}

fn read(mut reader: SignatureReader, mail: &[u8]) -> SignedMail {
    // In pieces, as it comes from a socket.
    mail.chunks(PIECE).for_each(|piece| reader.feed(piece));
    reader.finish()
}

/// The others look at the clock as well.
fn now() -> Timestamp {
    Timestamp::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

const PIECE: usize = 1_000;
