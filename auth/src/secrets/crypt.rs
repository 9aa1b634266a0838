//! The hashes of crypt(3), told apart by their `$id$`: bcrypt, SHA-crypt, yescrypt, and MD5.
//!
//! A hash that would take more than a few seconds or 256 MiB to check is refused: one such line
//! would let anybody who knows the name stop the machine. The DES hash of old Unix is not known.

use argon2::password_hash::{self, PasswordVerifier as _};
use sha_crypt::ShaCrypt;
use yescrypt::Yescrypt;
use zeroize::Zeroizing;

use crate::{Password, secrets::md5_crypt};

/// A hash of crypt(3), read and found usable.
pub(super) struct Crypt {
    id: Id,
    text: Zeroizing<Box<str>>,
    cost: u64,
}

/// Which function made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Id {
    Bcrypt,
    Sha256,
    Sha512,
    Md5,
    Yescrypt,
}

impl Crypt {
    /// Reads a hash.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let prefixed = text.strip_prefix('$').and_then(|rest| rest.split_once('$'));
        let (id, rest) = prefixed.ok_or("a hash of crypt begins with $id$; DES is not known")?;
        let (id, cost) = match id {
            "2a" | "2b" | "2y" => (Id::Bcrypt, bcrypt_cost(text)?),
            "5" => (Id::Sha256, sha_rounds(rest, 43)?),
            "6" => (Id::Sha512, sha_rounds(rest, 86)?),
            "y" => (Id::Yescrypt, yescrypt_cost(rest)?),
            "1" | "apr1" => {
                md5_crypt::parts(text).ok_or("the password hash is malformed")?;
                (Id::Md5, 0)
            }
            _ => return Err("the $id$ of the password hash is not known"),
        };
        Ok(Self { id, text: Zeroizing::new(text.into()), cost })
    }

    /// Whether `password` is the one that was hashed. Slow.
    ///
    /// # Errors
    /// The check itself could not be made.
    pub(super) fn matches(&self, password: &Password) -> Result<bool, password_hash::Error> {
        let secret = password.reveal().as_bytes();
        let checked = match self.id {
            Id::Bcrypt => return Ok(bcrypt::verify(secret, &self.text).is_ok_and(|fits| fits)),
            Id::Md5 => return Ok(md5_crypt::matches(&self.text, secret)),
            Id::Sha256 | Id::Sha512 => ShaCrypt::default().verify_password(secret, &**self.text),
            Id::Yescrypt => Yescrypt::default().verify_password(secret, &**self.text),
        };
        match checked {
            Ok(()) => Ok(true),
            Err(password_hash::Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What decides over the time of a check.
    pub(super) const fn cost(&self) -> (Id, u64) {
        (self.id, self.cost)
    }
}

/// The logarithm of the rounds.
fn bcrypt_cost(text: &str) -> Result<u64, &'static str> {
    let parts: bcrypt::HashParts = text.parse().map_err(|_| "the password hash is malformed")?;
    match parts.get_cost() {
        cost @ 4..=MAX_BCRYPT_COST => Ok(cost.into()),
        0..4 => Err("the cost of the password hash is under 4"),
        _ => Err(TOO_DEAR),
    }
}

/// The rounds of `[rounds=N$]salt$hash`.
fn sha_rounds(rest: &str, length: usize) -> Result<u64, &'static str> {
    const MALFORMED: &str = "the password hash is not `[rounds=N$]salt$hash`";
    let (rounds, rest) = match rest.strip_prefix("rounds=") {
        None => (sha_crypt::Params::RECOMMENDED_ROUNDS, rest),
        Some(rest) => {
            let (rounds, rest) = rest.split_once('$').ok_or(MALFORMED)?;
            (rounds.parse().map_err(|_| MALFORMED)?, rest)
        }
    };
    let (salt, hash) = rest.split_once('$').ok_or(MALFORMED)?;
    let salt_fits = (1..=MAX_SHA_SALT).contains(&salt.len()) && salt.bytes().all(is_digit);
    if !salt_fits || hash.len() != length || !is_crypt64(hash) {
        return Err(MALFORMED);
    }
    match rounds {
        ..sha_crypt::Params::ROUNDS_MIN => Err("the rounds of the password hash are under 1000"),
        sha_crypt::Params::ROUNDS_MIN..=MAX_SHA_ROUNDS => Ok(rounds.into()),
        _ => Err(TOO_DEAR),
    }
}

/// The bytes of memory of `params$salt$hash`, which decide over the time too.
fn yescrypt_cost(rest: &str) -> Result<u64, &'static str> {
    const MALFORMED: &str = "the password hash is not `params$salt$hash`";
    let (params, rest) = rest.split_once('$').ok_or(MALFORMED)?;
    let (salt, hash) = rest.split_once('$').ok_or(MALFORMED)?;
    let salt_fits = !salt.is_empty() && is_crypt64(salt);
    if !salt_fits || hash.len() != YESCRYPT_HASH || !is_crypt64(hash) {
        return Err(MALFORMED);
    }
    let params: yescrypt::Params = params.parse().map_err(|_| MALFORMED)?;
    let (blocks, block) = (params.n(), u64::from(params.r()) * 128);
    let memory = blocks.checked_mul(block).filter(|&memory| memory <= MAX_YESCRYPT_MEMORY);
    let memory = memory.ok_or(TOO_DEAR)?;
    // `t`, which nobody uses, multiplies the time and cannot be asked for by itself.
    let usual = yescrypt::Params::new(yescrypt::Mode::Rw, blocks, params.r(), 1);
    match usual.is_ok_and(|usual| usual == params) {
        true => Ok(memory),
        false => Err("the parameters of the password hash are not those of crypt(5)"),
    }
}

/// Whether `text` is bytes in the base64 of crypt(3), the lowest six bits first: the last of two or
/// three characters that stand for one or two bytes has no bits too many.
fn is_crypt64(text: &str) -> bool {
    let whole = match (text.len() % 4, text.bytes().last()) {
        (0, _) => true,
        (2, Some(last)) => matches!(last, b'.'..=b'1'),
        (3, Some(last)) => matches!(last, b'.'..=b'9' | b'A'..=b'D'),
        _ => false,
    };
    whole && text.bytes().all(is_digit)
}

const fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/')
}

const TOO_DEAR: &str = "the password hash is too dear to check";
const MAX_BCRYPT_COST: u32 = 15;
const MAX_SHA_ROUNDS: u32 = 1_000_000;
const MAX_SHA_SALT: usize = 16;
const MAX_YESCRYPT_MEMORY: u64 = 256 * 1_024 * 1_024;
const YESCRYPT_HASH: usize = 43;
