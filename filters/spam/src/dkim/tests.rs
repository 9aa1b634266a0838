//! Signatures of other programs, of a signer that is written apart, and of our own.

mod bodies;
mod foreign;
mod keys;
mod limits;
pub(crate) mod signer;
mod signing;
mod weak;

use mailweir_mail::{Domain, Timestamp};

use super::{Checked, Doubt, Fault, Proof, SignatureReader, SignedMail, Verified};
use crate::dns::table::{Table, at_once};

/// When the mails of the tests are read: 2026-11-20.
const NOW: u64 = 1_795_210_205;

fn name(text: &str) -> Domain {
    text.parse().unwrap()
}

pub(crate) fn read(pieces: &[&[u8]]) -> SignedMail {
    let mut reader = SignatureReader::default();
    pieces.iter().for_each(|piece| reader.feed(piece));
    reader.finish()
}

/// What is found of a mail with CRLF.
fn verify(mail: &[u8], keys: &Table) -> Verified {
    at_once(read(&[mail]).verify(keys, Timestamp::from_secs(NOW)))
}

/// What the signatures of a mail prove that is written with LF.
fn check(mail: &str, keys: &Table) -> Vec<Result<Proof, Doubt>> {
    let wire = mail.replace('\n', "\r\n");
    let now = Timestamp::from_secs(NOW);
    let checked = at_once(read(&[wire.as_bytes()]).prove(|_| true, keys, now));
    checked.into_iter().map(|Checked { result, .. }| result).collect()
}

fn is_proof(result: &Result<Proof, Doubt>) -> bool {
    result.is_ok()
}

/// The fault of a signature that does not hold.
fn fault_of(result: Result<Proof, Doubt>) -> Fault {
    match result {
        Err(Doubt::Fault(fault)) => fault,
        other => panic!("{other:?}"),
    }
}
