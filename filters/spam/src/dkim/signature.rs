//! A DKIM-Signature field (RFC 6376 section 3.5), or an ARC-Message-Signature, which is the same but for
//! its version and its `i=` (RFC 8617 section 4.1.2).

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Digest, SHA256, digest};
use mailweir_mail::{Domain, Timestamp};

use super::{
    canonical::Canonical,
    digest::SignedBody,
    header::{Field, FieldsByName},
    outcome::{Claims, Fault, Weakness},
    tags::{Tags, base64, number, words},
};
use crate::dns::is_name;

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Dkim,
    ArcMessage,
}

/// A field that was read, be it a sound signature or not.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) claims: Claims,
    /// `i=` of an ARC-Message-Signature.
    pub(crate) instance: Option<u64>,
    pub(crate) signature: Result<Signature, Fault>,
}

/// A signature that could count. Whether it holds is not known yet.
#[derive(Debug)]
pub(crate) struct Signature {
    /// The field itself, which is signed too.
    field: Box<[u8]>,
    pub(crate) algorithm: Algorithm,
    pub(crate) domain: Domain,
    pub(crate) selector: Box<str>,
    /// The domain of the user or agent (`i=`): `domain` or below it.
    pub(crate) agent: Domain,
    header: Canonical,
    pub(crate) body: SignedBody,
    /// Names in lower case, in the order in which they are hashed.
    pub(crate) fields: Vec<Box<str>>,
    pub(crate) bytes: Vec<u8>,
    /// Seconds since 1970.
    made: Option<u64>,
    expires: Option<u64>,
}

/// How a signature is made. SHA-1 is not among them (RFC 8301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `rsa-sha256`
    RsaSha256,
    /// `ed25519-sha256` (RFC 8463)
    Ed25519Sha256,
}

impl Seen {
    pub(crate) fn read(field: Field<'_>, kind: Kind) -> Self {
        let none = |what| {
            let signature = Err(Fault::Malformed(what));
            Self { claims: Claims::default(), instance: None, signature }
        };
        let Ok(text) = std::str::from_utf8(field.value()) else { return none("it is no text") };
        let Some(tags) = Tags::read(text) else { return none("it is no list of tags") };
        let instance = tags.get("i").and_then(number).filter(|_| kind == Kind::ArcMessage);
        let claims = Claims::read(&tags);
        Self { claims, instance, signature: Signature::read(field, &tags, kind) }
    }
}

impl Signature {
    /// Reads a field. What it says must be right beyond doubt.
    fn read(field: Field<'_>, tags: &Tags<'_>, kind: Kind) -> Result<Self, Fault> {
        let malformed = Fault::Malformed;
        let get = |name, what| tags.get(name).ok_or(malformed(what));
        if kind == Kind::Dkim && get("v", "v= is missing")? != "1" {
            return Err(malformed("v= is another version"));
        }
        if tags.get("q").is_some_and(|q| !words(q).any(|way| way == "dns/txt")) {
            return Err(malformed("q= names no way that we know"));
        }
        let algorithm = Algorithm::read(get("a", "a= is missing")?)?;
        let domain = domain(get("d", "d= is missing")?).ok_or(malformed("d= is no domain"))?;
        let agent = tags.get("i").filter(|_| kind == Kind::Dkim);
        let agent = agent_domain(agent, &domain).ok_or(malformed("i= is of another domain"))?;
        let (header, body) = Canonical::pair(tags.get("c")).ok_or(malformed("c= is unknown"))?;
        let hash = base64(get("bh", "bh= is missing")?).and_then(|hash| hash.try_into().ok());
        let hash = hash.ok_or(malformed("bh= is no hash"))?;
        let limit = number_of(tags, "l")?;
        let (made, expires) = lifetime(tags)?;
        Ok(Self {
            field: field.raw().into(),
            algorithm,
            domain,
            selector: selector(get("s", "s= is missing")?).ok_or(malformed("s= is no name"))?,
            agent,
            header,
            body: SignedBody { form: body, limit, hash },
            fields: fields(get("h", "h= is missing")?)?,
            bytes: base64(get("b", "b= is missing")?).ok_or(malformed("b= is no base64"))?,
            made,
            expires,
        })
    }

    /// Where its key is published.
    pub(crate) fn key_name(&self) -> String {
        key_name(&self.selector, &self.domain)
    }

    /// RFC 6376 section 3.5 leaves it to the verifier what becomes of a signature beyond its `x=`.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| end <= now.as_secs())
    }

    /// What makes it weaker, as far as it says so itself.
    pub(crate) fn weaknesses(&self, fields: &FieldsByName<'_>, now: Timestamp) -> Vec<Weakness> {
        let mut found = Vec::new();
        let ahead = self.made.map_or(0, |made| made.saturating_sub(now.as_secs()));
        if ahead > CLOCK_SKEW {
            found.push(Weakness::FromTheFuture { seconds: ahead });
        }
        for field in WATCHED {
            let present = fields.named(field).len();
            let signed = self.fields.iter().filter(|name| name.eq_ignore_ascii_case(field)).count();
            if signed < present {
                found.push(Weakness::OpenField { field, present, signed });
            }
        }
        found
    }

    /// The hash of what was signed of the header: the fields that are named, and the signature without
    /// itself.
    pub(crate) fn header_digest(&self, fields: &FieldsByName<'_>) -> Digest {
        header_digest(self.header, &self.fields, fields, &without_signature(&self.field))
    }
}

impl Algorithm {
    /// As in `a=`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa-sha256",
            Self::Ed25519Sha256 => "ed25519-sha256",
        }
    }

    pub(crate) fn read(text: &str) -> Result<Self, Fault> {
        match text.to_ascii_lowercase().as_str() {
            "rsa-sha256" => Ok(Self::RsaSha256),
            "ed25519-sha256" => Ok(Self::Ed25519Sha256),
            "rsa-sha1" => Err(Fault::Sha1),
            _ => Err(Fault::Algorithm(text.chars().take(32).collect::<String>().into())),
        }
    }
}

/// The hash of fields, of several of one name from the last up (RFC 6376 section 5.4.2), and of the field
/// that will have the signature, or has it.
pub(crate) fn header_digest(
    form: Canonical,
    names: &[Box<str>],
    fields: &FieldsByName<'_>,
    own: &[u8],
) -> Digest {
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    let mut bytes = Vec::with_capacity(4_096);
    for name in names {
        let taken = taken.entry(name).or_default();
        // A name without a field signs that there is none.
        if let Some(field) = fields.named(name).iter().rev().nth(*taken) {
            *taken += 1;
            form.field(field.raw(), &mut bytes);
            bytes.extend_from_slice(b"\r\n");
        }
    }
    form.field(own, &mut bytes);
    digest(&SHA256, &bytes)
}

/// The name that has the key.
pub(crate) fn key_name(selector: &str, domain: &Domain) -> String {
    format!("{selector}._domainkey.{}", domain.as_ascii())
}

/// A domain that may sign: a name of at least two labels.
pub(crate) fn domain(text: &str) -> Option<Domain> {
    Domain::parse(text).ok().filter(|domain| domain.literal().is_none() && domain.is_qualified())
}

/// A selector that can be asked for, in lower case.
pub(crate) fn selector(text: &str) -> Option<Box<str>> {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_selector = text.len() <= MOST_SELECTOR && text.bytes().all(sound) && is_name(text);
    is_selector.then(|| text.to_ascii_lowercase().into())
}

/// The domain of `i=`, which must be that of the signature or below it.
fn agent_domain(text: Option<&str>, signer: &Domain) -> Option<Domain> {
    let Some(text) = text else { return Some(signer.clone()) };
    let (_, name) = text.rsplit_once('@')?;
    domain(name).filter(|agent| agent.is_within(signer))
}

fn fields(list: &str) -> Result<Vec<Box<str>>, Fault> {
    // What is too long is not even split.
    if list.split(':').nth(MOST_FIELDS).is_some() {
        return Err(Fault::Malformed("h= names too many fields"));
    }
    let fields: Vec<Box<str>> = words(list).map(Into::into).collect();
    if !fields.iter().any(|name| **name == *"from") {
        return Err(Fault::FromNotSigned);
    }
    Ok(fields)
}

fn lifetime(tags: &Tags<'_>) -> Result<(Option<u64>, Option<u64>), Fault> {
    let (made, expires) = (number_of(tags, "t")?, number_of(tags, "x")?);
    if made.zip(expires).is_some_and(|(made, expires)| expires <= made) {
        return Err(Fault::Malformed("it expires before it is made"));
    }
    Ok((made, expires))
}

fn number_of(tags: &Tags<'_>, name: &str) -> Result<Option<u64>, Fault> {
    let Some(text) = tags.get(name) else { return Ok(None) };
    number(text).map(Some).ok_or(Fault::Malformed("t=, x= or l= is no number"))
}

/// The field with an empty `b=`.
pub(crate) fn without_signature(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let colon = memchr::memchr(b':', field).map_or(0, |at| at + 1);
    let (name, value) = field.split_at_checked(colon).unwrap_or((field, &[]));
    bytes.extend_from_slice(name);
    for (number, tag) in value.split(|byte| *byte == b';').enumerate() {
        if number > 0 {
            bytes.push(b';');
        }
        let equals = memchr::memchr(b'=', tag).unwrap_or(tag.len());
        let is_signature = tag.get(..equals).is_some_and(|name| name.trim_ascii() == b"b");
        let kept = tag.get(..=equals).filter(|_| is_signature);
        bytes.extend_from_slice(kept.unwrap_or(tag));
    }
    bytes
}

/// Fields that a reader is shown or that say how to read the mail. Whoever can add one of them changes
/// what is seen (RFC 6376 sections 5.4.1 and 8.15).
const WATCHED: [&str; 11] = [
    "From",
    "Sender",
    "Reply-To",
    "Subject",
    "Date",
    "To",
    "Cc",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// Ten times what good signers name.
const MOST_FIELDS: usize = 200;

/// Together with the longest domain it would still be too long for a name; none is.
const MOST_SELECTOR: usize = 128;

/// Seconds by which clocks may differ without a word.
const CLOCK_SKEW: u64 = 300;
