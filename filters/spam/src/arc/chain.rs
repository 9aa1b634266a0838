//! The sets of a header, put in order (RFC 8617 section 5.2, steps 1 and 2).

use aws_lc_rs::digest::{Context, Digest, SHA256};

use super::{
    ArcFault, ArcSet,
    seal::{ChainValue, Seal, results, tags},
};
use crate::dkim::{Canonical, Field, MOST_INSTANCES, Seen, SignedMail, number, without_signature};

/// A complete chain: instances from 1 on without gaps, each with its three fields.
pub(super) struct Chain<'m> {
    /// The oldest first.
    pub(super) links: Vec<Link<'m>>,
}

/// One instance.
pub(super) struct Link<'m> {
    pub(super) instance: u64,
    pub(super) seal: Seal,
    /// Its ARC-Message-Signature, as it was read while the mail came in.
    pub(super) message: &'m Seen,
    results: Box<str>,
    fields: Fields<'m>,
}

#[derive(Clone, Copy)]
struct Fields<'m> {
    results: Field<'m>,
    message: Field<'m>,
    seal: Field<'m>,
}

/// What was found of one instance so far.
#[derive(Default)]
struct Found<'m> {
    results: Option<(Field<'m>, Box<str>)>,
    message: Option<(Field<'m>, &'m Seen)>,
    seal: Option<(Field<'m>, Result<Seal, &'static str>)>,
}

/// The three fields of ARC.
enum Part<'m> {
    Results(Box<str>),
    Message(&'m Seen),
    Seal(Result<Seal, &'static str>),
}

impl<'m> Chain<'m> {
    /// The chain of a mail; `None`: it has no field of any.
    pub(super) fn gather(mail: &'m SignedMail) -> Result<Option<Self>, ArcFault> {
        let mut found: Vec<Found<'m>> = Vec::new();
        let mut messages = mail.arc_signatures().iter();
        for field in mail.header().fields() {
            let Some((instance, part)) = part(field, &mut messages)? else { continue };
            let at = usize::try_from(instance).ok().and_then(|number| number.checked_sub(1));
            let at = at.filter(|at| *at < MOST_INSTANCES).ok_or(ArcFault::NoInstance)?;
            if found.len() <= at {
                found.resize_with(at + 1, Found::default);
            }
            let place = found.get_mut(at).ok_or(ArcFault::NoInstance)?;
            if !place.put(field, part) {
                return Err(ArcFault::Twice { instance });
            }
        }
        let links = (1..).zip(found).map(|(instance, found)| found.complete(instance));
        let links: Vec<Link<'m>> = links.collect::<Result<_, _>>()?;
        if links.is_empty() {
            return Ok(None);
        }
        let chain = Self { links };
        chain.check_values().map(|()| Some(chain))
    }

    /// `cv=`: the first host found no chain, all others a good one.
    fn check_values(&self) -> Result<(), ArcFault> {
        for Link { instance, seal, .. } in self.links.iter().rev() {
            match (instance, seal.value) {
                (1, ChainValue::None) => {}
                (2.., ChainValue::Pass) => {}
                _ => return Err(ArcFault::ChainValue { instance: *instance }),
            }
        }
        Ok(())
    }

    /// What each seal signs, the oldest first: all sets up to its own, without the signature of itself
    /// (section 5.1.1). Each set is hashed once for all seals.
    pub(super) fn seal_digests(&self) -> Vec<Digest> {
        let (mut context, mut bytes) = (Context::new(&SHA256), Vec::new());
        let digest = |Link { fields, .. }: &Link<'_>| {
            for field in [fields.results, fields.message] {
                line(field.raw(), &mut bytes);
            }
            context.update(&bytes);
            bytes.clear();
            let mut own = context.clone();
            Canonical::Relaxed.field(&without_signature(fields.seal.raw()), &mut bytes);
            own.update(&bytes);
            bytes.clear();
            // Later seals sign it with its signature: it goes into the hash with the next set.
            line(fields.seal.raw(), &mut bytes);
            own.finish()
        };
        self.links.iter().map(digest).collect()
    }

    /// What is told of it, the newest first.
    pub(super) fn sets(&self) -> Vec<ArcSet> {
        let set = |link: &Link<'_>| ArcSet {
            instance: link.instance,
            sealer: link.seal.domain.clone(),
            results: link.results.clone(),
        };
        self.links.iter().rev().map(set).collect()
    }
}

impl<'m> Found<'m> {
    /// Whether there was room for it.
    fn put(&mut self, field: Field<'m>, part: Part<'m>) -> bool {
        match part {
            Part::Results(text) => self.results.replace((field, text)).is_none(),
            Part::Message(seen) => self.message.replace((field, seen)).is_none(),
            Part::Seal(seal) => self.seal.replace((field, seal)).is_none(),
        }
    }

    fn complete(self, instance: u64) -> Result<Link<'m>, ArcFault> {
        let Self { results: Some(results), message: Some(message), seal: Some(seal) } = self else {
            return Err(ArcFault::Incomplete { instance });
        };
        let ((seal_field, seal), (message_field, message)) = (seal, message);
        let (results_field, results) = results;
        let seal = seal.map_err(|what| ArcFault::Malformed { instance, what })?;
        let fields = Fields { results: results_field, message: message_field, seal: seal_field };
        Ok(Link { instance, seal, message, results, fields })
    }
}

/// The instance and the meaning of a field, if it is one of ARC. `messages` has what was read of the
/// message signatures, from the top.
fn part<'m>(
    field: Field<'m>,
    messages: &mut impl Iterator<Item = &'m Seen>,
) -> Result<Option<(u64, Part<'m>)>, ArcFault> {
    let part = if field.is("ARC-Seal") {
        tags(field).and_then(|tags| {
            let instance = number(tags.get("i")?)?;
            Some((instance, Part::Seal(Seal::read(&tags))))
        })
    } else if field.is("ARC-Message-Signature") {
        let seen = messages.next().ok_or(ArcFault::TooManySets)?;
        seen.instance.map(|instance| (instance, Part::Message(seen)))
    } else if field.is("ARC-Authentication-Results") {
        results(field).map(|(instance, text)| (instance, Part::Results(text)))
    } else {
        return Ok(None);
    };
    part.map(Some).ok_or(ArcFault::NoInstance)
}

fn line(raw: &[u8], bytes: &mut Vec<u8>) {
    Canonical::Relaxed.field(raw, bytes);
    bytes.extend_from_slice(b"\r\n");
}
