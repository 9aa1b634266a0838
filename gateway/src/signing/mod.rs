//! Signatures of mail that our own people send (DKIM): which keys sign it, and over which bytes.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use mailweir_filters::rewriting::{HeaderRewriter, RewriteError};
use mailweir_mail::{Date, Domain, Network, Origin, Timestamp};
use mailweir_queue::{BodyError, Content};
use mailweir_smtp::client::Encoder;
use mailweir_spam::{
    author::Author,
    dkim::{Header, SignatureReader, SignedMail, sign::SignError},
};

use crate::{
    config::{Config, DkimKey},
    rewriting::LiveRewriting,
};

/// The keys, and who may have mail signed.
pub(crate) struct Signing {
    keys: Vec<DkimKey>,
    /// The networks of each listener.
    networks: Vec<(Box<str>, Vec<Network>)>,
    /// How addresses look to others (`smtp_generic_maps`).
    rewriting: Arc<LiveRewriting>,
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
    /// Nobody can tell now how its addresses will look.
    #[error(transparent)]
    Addresses(#[from] RewriteError),
}

impl Signing {
    /// `None`: there are no keys.
    pub(crate) fn of(config: &Config, rewriting: &Arc<LiveRewriting>) -> Option<Self> {
        if config.dkim.is_empty() {
            return None;
        }
        let networks = config.listeners.iter();
        let networks = networks.map(|it| (it.name.clone(), it.networks.clone())).collect();
        Some(Self { keys: config.dkim.clone(), networks, rewriting: Arc::clone(rewriting) })
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
    /// It cannot be read, or not be signed; or a table cannot tell.
    pub(crate) async fn fields(
        &self,
        content: &Content,
        now: Timestamp,
    ) -> Result<Vec<u8>, NotSigned> {
        let mut leaving = Leaving::by(&self.rewriting);
        let mut reader = content.reader();
        while let Some(piece) = reader.next().await? {
            leaving.feed(&piece).await;
        }
        self.sign(&leaving.finish().await?, now)
    }

    /// The same, of a mail that lies in several places in memory.
    ///
    /// # Errors
    /// As those of [`Signing::fields`].
    pub(crate) async fn fields_of(
        &self,
        content: &[&[u8]],
        now: Timestamp,
    ) -> Result<Vec<u8>, NotSigned> {
        let mut leaving = Leaving::by(&self.rewriting);
        for piece in content {
            leaving.feed(piece).await;
        }
        self.sign(&leaving.finish().await?, now)
    }

    fn sign(&self, signed: &SignedMail, now: Timestamp) -> Result<Vec<u8>, NotSigned> {
        let Some(body) = signed.body_hash() else { return Ok(Vec::new()) };
        let mut fields = Vec::new();
        for key in self.keys_for(signed.header(), Date::of(now)) {
            for field in key.signer.sign(signed.header(), body, now, None)? {
                fields.extend_from_slice(&field);
            }
        }
        Ok(fields)
    }

    /// Whether a field is a signature by one of the keys, whatever it is worth.
    pub(crate) fn is_signature(&self, field: &[u8]) -> bool {
        let field = String::from_utf8_lossy(field);
        let Some((name, tags)) = field.split_once(':') else { return false };
        if !name.trim_end().eq_ignore_ascii_case("DKIM-Signature") {
            return false;
        }
        let tag = |wanted: &str| {
            let mut tags = tags.split(';').filter_map(|tag| tag.split_once('='));
            let (_, value) = tags.find(|(name, _)| name.trim() == wanted)?;
            Some(value.split_ascii_whitespace().collect::<String>())
        };
        let (Some(domain), Some(selector)) = (tag("d"), tag("s")) else { return false };
        self.keys.iter().any(|key| {
            key.domain.as_ascii().eq_ignore_ascii_case(&domain)
                && key.selector.eq_ignore_ascii_case(&selector)
        })
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

/// A mail as it leaves: other sites see other addresses in its header (`smtp_generic_maps`), and lines that are too long are
/// broken (`attacks.md` E11). Where nothing leaves with other addresses, the way is the same without them.
struct Leaving<'a> {
    live: &'a LiveRewriting,
    header: Option<HeaderRewriter>,
    encoder: Encoder,
    signed: SignatureReader,
}

impl<'a> Leaving<'a> {
    fn by(live: &'a LiveRewriting) -> Self {
        Self {
            live,
            header: HeaderRewriter::generic(&live.current().generic),
            encoder: Encoder::counted(),
            signed: SignatureReader::for_signing(),
        }
    }

    async fn feed(&mut self, piece: &[u8]) {
        match &mut self.header {
            Some(header) if !header.is_done() => {
                let mut shown = Vec::with_capacity(piece.len());
                Box::pin(header.feed(piece, &mut shown, self.live.remote())).await;
                self.leave(&shown);
            }
            Some(_) | None => self.leave(piece),
        }
    }

    fn leave(&mut self, shown: &[u8]) {
        let Self { encoder, signed, .. } = self;
        encoder.encode(shown).for_each(|sent| signed.feed(sent));
    }

    async fn finish(mut self) -> Result<SignedMail, RewriteError> {
        if let Some(header) = self.header.take() {
            let mut shown = Vec::new();
            Box::pin(header.finish(&mut shown, self.live.remote())).await?;
            self.leave(&shown);
        }
        self.signed.feed(self.encoder.finish());
        Ok(self.signed.finish())
    }
}

fn labels(domain: &Domain) -> usize {
    domain.as_ascii().split('.').count()
}
