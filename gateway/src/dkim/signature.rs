//! A DKIM-Signature field (RFC 6376 section 3.5).

use mailweir_mail::Domain;

use super::{
    Fault,
    canonical::Canonical,
    header::{Field, Header},
    tags::{Tags, base64, words},
};

/// A signature that could count. Whether it holds is not known yet.
#[derive(Debug)]
pub(super) struct Signature {
    /// The field itself, which is signed too.
    field: Box<[u8]>,
    pub(super) algorithm: Algorithm,
    pub(super) domain: Domain,
    pub(super) selector: Box<str>,
    /// The domain of the user or agent (`i=`): `domain` or below it.
    pub(super) agent: Domain,
    header: Canonical,
    pub(super) body: Canonical,
    /// Names in lower case, in the order in which they are hashed.
    pub(super) fields: Vec<Box<str>>,
    pub(super) body_hash: [u8; 32],
    pub(super) bytes: Vec<u8>,
    /// Seconds since 1970.
    pub(super) expires: Option<u64>,
}

/// SHA-1 is not among them (RFC 8301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    RsaSha256,
    Ed25519Sha256,
}

impl Signature {
    /// Reads a field. What it says must be right beyond doubt.
    pub(super) fn read(field: Field<'_>) -> Result<Self, Fault> {
        let malformed = Fault::Malformed;
        let text = std::str::from_utf8(field.value()).map_err(|_| malformed("it is no text"))?;
        let tags = Tags::read(text).ok_or(malformed("it is no list of tags"))?;
        let get = |name, what| tags.get(name).ok_or(malformed(what));
        if get("v", "v= is missing")? != "1" {
            return Err(malformed("v= is another version"));
        }
        if tags.get("q").is_some_and(|q| !words(q).any(|way| way == "dns/txt")) {
            return Err(malformed("q= names no way that we know"));
        }
        if tags.get("l").is_some() {
            return Err(Fault::PartOfBody);
        }
        let algorithm = Algorithm::read(get("a", "a= is missing")?)?;
        let domain = domain(get("d", "d= is missing")?).ok_or(malformed("d= is no domain"))?;
        let agent = agent(tags.get("i"), &domain).ok_or(malformed("i= is of another domain"))?;
        let (header, body) = Canonical::pair(tags.get("c")).ok_or(malformed("c= is unknown"))?;
        let hash = base64(get("bh", "bh= is missing")?);
        let hash = hash.and_then(|hash| hash.try_into().ok());
        Ok(Self {
            field: field.raw().into(),
            algorithm,
            domain,
            selector: selector(get("s", "s= is missing")?).ok_or(malformed("s= is no name"))?,
            agent,
            header,
            body,
            fields: fields(get("h", "h= is missing")?)?,
            body_hash: hash.ok_or(malformed("bh= is no hash"))?,
            bytes: base64(get("b", "b= is missing")?).ok_or(malformed("b= is no base64"))?,
            expires: expiry(&tags)?,
        })
    }

    /// What was signed of the header: the fields that are named, of several from the last up, and the
    /// signature without itself (RFC 6376 section 3.7).
    pub(super) fn signed_bytes(&self, header: &Header) -> Vec<u8> {
        let mut left: Vec<Field<'_>> = header.fields().rev().collect();
        let mut bytes = Vec::new();
        for name in &self.fields {
            // A name without a field signs that there is none.
            if let Some(at) = left.iter().position(|field| field.is(name)) {
                let field = left.remove(at);
                self.header.field(field.raw(), &mut bytes);
                bytes.extend_from_slice(b"\r\n");
            }
        }
        self.header.field(&without_signature(&self.field), &mut bytes);
        bytes
    }
}

impl Algorithm {
    fn read(text: &str) -> Result<Self, Fault> {
        match text.to_ascii_lowercase().as_str() {
            "rsa-sha256" => Ok(Self::RsaSha256),
            "ed25519-sha256" => Ok(Self::Ed25519Sha256),
            _ => Err(Fault::Algorithm(text.chars().take(32).collect::<String>().into())),
        }
    }
}

fn domain(text: &str) -> Option<Domain> {
    Domain::parse(text).ok().filter(|domain| domain.literal().is_none() && domain.is_qualified())
}

fn selector(text: &str) -> Option<Box<str>> {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_name = !text.is_empty() && text.len() <= 128 && text.bytes().all(sound);
    is_name.then(|| text.to_ascii_lowercase().into())
}

/// The domain of `i=`, which must be that of the signature or below it.
fn agent(text: Option<&str>, signer: &Domain) -> Option<Domain> {
    let Some(text) = text else { return Some(signer.clone()) };
    let (_, name) = text.rsplit_once('@')?;
    domain(name).filter(|agent| agent.is_within(signer))
}

fn fields(list: &str) -> Result<Vec<Box<str>>, Fault> {
    let fields: Vec<Box<str>> = words(list).map(Into::into).collect();
    if fields.len() > MOST_FIELDS {
        return Err(Fault::Malformed("h= names too many fields"));
    }
    if !fields.iter().any(|name| **name == *"from") {
        return Err(Fault::FromNotSigned);
    }
    Ok(fields)
}

fn expiry(tags: &Tags<'_>) -> Result<Option<u64>, Fault> {
    let seconds = |name| match tags.get(name).map(str::parse::<u64>) {
        None => Ok(None),
        Some(Ok(seconds)) => Ok(Some(seconds)),
        Some(Err(_)) => Err(Fault::Malformed("t= or x= is no number")),
    };
    let (made, expires) = (seconds("t")?, seconds("x")?);
    if made.zip(expires).is_some_and(|(made, expires)| expires <= made) {
        return Err(Fault::Malformed("it expires before it is made"));
    }
    Ok(expires)
}

/// The field with an empty `b=`.
fn without_signature(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let colon = memchr::memchr(b':', field).map_or(0, |at| at + 1);
    let (name, value) = field.split_at(colon);
    bytes.extend_from_slice(name);
    for (number, tag) in value.split(|byte| *byte == b';').enumerate() {
        if number > 0 {
            bytes.push(b';');
        }
        let equals = memchr::memchr(b'=', tag).unwrap_or(tag.len());
        let (name, _) = tag.split_at(equals);
        let is_signature = name.trim_ascii() == b"b";
        let kept = tag.get(..=equals).filter(|_| is_signature);
        bytes.extend_from_slice(kept.unwrap_or(tag));
    }
    bytes
}

const MOST_FIELDS: usize = 200;
