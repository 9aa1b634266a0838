//! The MD5 hash of FreeBSD's crypt(3), `$1$`, and of Apache, `$apr1$`. Kept only to read what old
//! systems have: it is weak.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

/// The prefix of FreeBSD and Linux.
pub(super) const CRYPT: &str = "$1$";
/// The prefix of htpasswd.
pub(super) const APACHE: &str = "$apr1$";

/// Prefix, salt and hash of `text`; `None` if it has another form.
pub(super) fn parts(text: &str) -> Option<(&'static str, &str, &str)> {
    let prefix = [CRYPT, APACHE].into_iter().find(|prefix| text.starts_with(prefix))?;
    let (salt, hash) = text.strip_prefix(prefix)?.split_once('$')?;
    let hash_fits = hash.len() == HASH && hash.bytes().all(|byte| ALPHABET.contains(&byte));
    (salt.len() <= MAX_SALT && hash_fits).then_some((prefix, salt, hash))
}

/// Whether `password` is the one that was hashed as `text`.
pub(super) fn matches(text: &str, password: &[u8]) -> bool {
    let Some((prefix, salt, hash)) = parts(text) else { return false };
    let found = encode(&md5_crypt(prefix.as_bytes(), salt.as_bytes(), password));
    verify_slices_are_equal(found.as_bytes(), hash.as_bytes()).is_ok()
}

/// The function of Poul-Henning Kamp, as in FreeBSD's `crypt-md5.c`.
fn md5_crypt(prefix: &[u8], salt: &[u8], password: &[u8]) -> Zeroizing<[u8; 16]> {
    let inner = digest(&[password, salt, password]);
    let mut first = Md5::new();
    [password, prefix, salt].iter().for_each(|part| first.update(part));
    for block in password.chunks(inner.len()) {
        first.update(&inner[..block.len()]);
    }
    let mut bits = password.len();
    while bits > 0 {
        first.update(if bits & 1 == 1 { &[0] } else { &password[..1] });
        bits >>= 1;
    }
    let mut hash: Zeroizing<[u8; 16]> = Zeroizing::new(first.finalize().into());
    for round in 0..ROUNDS {
        let (odd, salt) = (round % 2 == 1, if round % 3 == 0 { &[] } else { salt });
        let between = if round % 7 == 0 { &[] } else { password };
        hash = match odd {
            true => digest(&[password, salt, between, &hash[..]]),
            false => digest(&[&hash[..], salt, between, password]),
        };
    }
    hash
}

fn digest(parts: &[&[u8]]) -> Zeroizing<[u8; 16]> {
    let mut digest = Md5::new();
    parts.iter().for_each(|part| digest.update(part));
    Zeroizing::new(digest.finalize().into())
}

/// The 22 characters of a hash: its bytes in an order of their own, the lowest six bits first.
fn encode(hash: &[u8; 16]) -> Zeroizing<String> {
    const ORDER: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];
    let mut text = Zeroizing::new(String::with_capacity(HASH));
    let mut push = |mut bits: u32, characters| {
        for _ in 0..characters {
            text.push(char::from(ALPHABET[(bits & 63) as usize]));
            bits >>= 6;
        }
    };
    for order in ORDER {
        let [high, middle, low] = order.map(|at| u32::from(hash[at]));
        push(high << 16 | middle << 8 | low, 4);
    }
    push(u32::from(hash[11]), 2);
    text
}

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ROUNDS: u32 = 1_000;
const MAX_SALT: usize = 8;
const HASH: usize = 22;
