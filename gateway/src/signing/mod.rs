//! Signatures of mail that our own people send (DKIM): which keys sign it, and over which bytes.

#[cfg(test)]
mod tests;

use mailweir_mail::{Date, Domain, Network, Origin, Timestamp};
use mailweir_queue::{BodyError, Content};
use mailweir_smtp::client::Encoder;
use mailweir_spam::{
    author::Author,
    dkim::{Header, SignatureReader, sign::SignError},
};

use crate::config::{Config, DkimKey};

/// The keys, and who may have mail signed.
pub(crate) struct Signing {
    keys: Vec<DkimKey>,
    /// The networks of each listener.
    networks: Vec<(Box<str>, Vec<Network>)>,
}

/// Why a mail was not signed that should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotSigned {
    /// It cannot be read.
    #[error(transparent)]
    Content(#[from] BodyError),
    /// It goes without.
    #[error(transparent)]
    Unsigned(#[from] SignError),
}

impl Signing {
    /// `None`: there are no keys.
    pub(crate) fn of(config: &Config) -> Option<Self> {
        let networks = config.listeners.iter();
        let networks = networks.map(|it| (it.name.clone(), it.networks.clone())).collect();
        (!config.dkim.is_empty()).then(|| Self { keys: config.dkim.clone(), networks })
    }

    /// Whether a mail is of our own people, by the way it came first: by a log-in, or from one of the `networks` of its
    /// listener. Of mail that a relay of ours hands over for others, they must be.
    pub(crate) fn is_ours(&self, origin: &Origin) -> bool {
        let listener = self.networks.iter().find(|(name, _)| *name == origin.listener);
        let networks = listener.map_or(&[][..], |(_, networks)| networks);
        let trusts = |address| networks.iter().any(|network| network.contains(address));
        let comes = origin.login.is_some() || trusts(origin.client.ip());
        let is_for = origin.forwarded.as_ref().map(|forwarded| forwarded.address);
        comes && is_for.is_none_or(|address| address.is_some_and(trusts))
    }

    /// The fields that sign a mail, to be put on top of it; none if no key is its author's.
    ///
    /// # Errors
    /// It cannot be read, or not be signed.
    pub(crate) async fn fields(
        &self,
        content: &Content,
        now: Timestamp,
    ) -> Result<Vec<u8>, NotSigned> {
        // As it leaves: lines that are too long are broken then (`attacks.md` E11).
        let (mut encoder, mut signed) = (Encoder::counted(), SignatureReader::for_signing());
        let mut reader = content.reader();
        while let Some(piece) = reader.next().await? {
            encoder.encode(&piece).for_each(|sent| signed.feed(sent));
        }
        signed.feed(encoder.finish());
        let signed = signed.finish();
        let Some(body) = signed.body_hash() else { return Ok(Vec::new()) };
        let mut fields = Vec::new();
        for key in self.keys_for(signed.header(), Date::of(now)) {
            for field in key.signer.sign(signed.header(), body, now, None)? {
                fields.extend_from_slice(&field);
            }
        }
        Ok(fields)
    }

    /// The keys in force of the domain nearest to the author's.
    fn keys_for(&self, header: &Header, today: Date) -> Vec<&DkimKey> {
        let Author::One(author) = Author::read(header.as_bytes()) else { return Vec::new() };
        let domain = author.domain();
        let meant = |key: &&DkimKey| key.is_in_force(today) && domain.is_within(&key.domain);
        let meant: Vec<&DkimKey> = self.keys.iter().filter(meant).collect();
        let nearest = meant.iter().map(|key| &key.domain).max_by_key(|domain| labels(domain));
        let Some(nearest) = nearest.cloned() else { return Vec::new() };
        meant.into_iter().filter(|key| key.domain == nearest).collect()
    }
}

fn labels(domain: &Domain) -> usize {
    domain.as_ascii().split('.').count()
}
