//! The evaluation of a record, and of those that it includes (RFC 7208 sections 4.6 to 6).
//!
//! Records that are open stand on a stack of our own, so a record that includes itself costs its limit of look-ups and
//! no more. Trouble with name servers ends the check, but for the names of the client, without which it may still pass
//! ([`super::reverse`]). What a single mechanism asks is in [`super::mechanism`].

use std::net::IpAddr;

use mailweir_mail::Timestamp;

use super::{
    Limits, SpfResult,
    cause::Cause,
    macros::MacroString,
    mechanism::{MOST_RECORD, is_asked_for},
    record::{Qualifier, Record},
    reverse::Reverse,
};
use crate::dns::{Answer, Dns};

/// One check under way.
#[derive(Debug)]
pub(super) struct Evaluation<'q, D> {
    pub(super) subject: Subject<'q>,
    pub(super) dns: &'q D,
    /// What is left of them.
    pub(super) left: Limits,
    pub(super) reverse: Reverse,
}

/// Who is checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'q> {
    /// Never an IPv4 address in IPv6 clothes.
    pub(super) client: IpAddr,
    pub(super) local_part: &'q str,
    pub(super) sender_domain: &'q str,
    pub(super) helo: &'q str,
    pub(super) ours: &'q str,
    pub(super) now: Timestamp,
}

/// How an evaluation ended that came to an end.
#[derive(Debug)]
pub(super) struct End {
    pub(super) result: SpfResult,
    pub(super) cause: Cause,
    /// The record that decides on the explanation, if there is one: that of the domain itself, or the one that it
    /// redirects to.
    record: Option<Open>,
}

/// Why an evaluation came to no end.
#[derive(Debug)]
pub(super) enum Stop {
    /// Nobody knows what the name servers say of a name.
    Unclear(Cause),
    /// A record is wrong.
    Wrong(Cause),
}

/// A record under evaluation.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) domain: Box<str>,
    pub(super) record: Record,
    /// The directive that is looked at.
    at: usize,
}

/// What came of a directive.
#[derive(Debug)]
pub(super) enum Step {
    Matches,
    MatchesNot,
    /// The record of another domain decides.
    Include(Open),
}

impl<D: Dns> Evaluation<'_, D> {
    /// What the record of a domain says of the subject.
    pub(super) async fn run(&mut self, domain: &str) -> Result<End, Stop> {
        let Some(record) = self.record_of(domain).await? else {
            return Ok(End { result: SpfResult::None, cause: Cause::NoRecord, record: None });
        };
        let mut open = vec![Open::new(domain, record)];
        loop {
            if let Some(end) = self.step(&mut open).await? {
                return Ok(end);
            }
        }
    }

    /// The explanation of a fail (RFC 7208 section 6.2). Whatever is wrong with it, there is none then.
    pub(super) async fn explanation(&mut self, end: &End) -> Option<Box<str>> {
        let open = end.record.as_ref()?;
        let target = open.record.explanation.as_ref()?;
        let name = self.name(target, &open.domain).await.ok().filter(|name| is_asked_for(name))?;
        let text = match self.dns.txt(&name).await {
            Answer::Found(texts) => <[_; 1]>::try_from(texts).ok().map(|[text]| text)?,
            Answer::NoSuchName | Answer::NoRecords | Answer::Unclear | Answer::NotAsked => {
                return None;
            }
        };
        let text = Some(text).filter(|text| text.len() <= MOST_RECORD)?;
        let text = MacroString::explanation(&text).ok()?;
        let validated = self.validated(&text, &open.domain).await;
        let text = text.text(&self.values(&open.domain, &validated));
        Some(text).filter(|text| !text.is_empty()).map(Into::into)
    }

    /// One directive, or what comes behind the last one.
    async fn step(&mut self, open: &mut Vec<Open>) -> Result<Option<End>, Stop> {
        let Some(top) = open.last() else {
            return Ok(Some(End::neutral()));
        };
        let Some(directive) = top.record.directives.get(top.at) else {
            return self.behind_the_last(open).await;
        };
        match self.look_at(&directive.mechanism, &top.domain).await? {
            Step::Matches => return Ok(matched(open)),
            Step::MatchesNot => next(open),
            Step::Include(other) => open.push(other),
        }
        Ok(None)
    }

    async fn behind_the_last(&mut self, open: &mut Vec<Open>) -> Result<Option<End>, Stop> {
        if let Some(top) = open.last_mut()
            && let Some(target) = top.record.redirect.take()
        {
            *top = self.other_record(&target, &top.domain).await?;
            return Ok(None);
        }
        open.pop();
        next(open);
        Ok(open.is_empty().then(End::neutral))
    }
}

impl Open {
    pub(super) fn new(domain: &str, record: Record) -> Self {
        Self { domain: domain.into(), record, at: 0 }
    }
}

impl End {
    const fn neutral() -> Self {
        Self { result: SpfResult::Neutral, cause: Cause::NothingMatched, record: None }
    }
}

/// The directive on top matches. That is the end, unless it is one of an included record that does not pass: then the
/// `include` does not match (RFC 7208 section 5.2).
fn matched(open: &mut Vec<Open>) -> Option<End> {
    let mut cause = None;
    while let Some(top) = open.pop() {
        let directive = top.record.directives.get(top.at)?;
        let cause = cause.get_or_insert_with(|| Cause::matched(&top.domain, &directive.written));
        if open.is_empty() {
            let (result, cause) = (directive.qualifier.result(), cause.clone());
            return Some(End { result, cause, record: Some(top) });
        }
        if directive.qualifier != Qualifier::Pass {
            next(open);
            return None;
        }
    }
    None
}

fn next(open: &mut [Open]) {
    if let Some(top) = open.last_mut() {
        top.at += 1;
    }
}
