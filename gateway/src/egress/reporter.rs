//! Writes the reports that the queue owes to senders, and queues them as mail of our own.
//!
//! Queueing a report and settling the debt is one commit, so that a crash neither loses a report
//! nor sends it twice.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use mailweir_filters::rewriting::RewriteError;
use mailweir_mail::{Client, Domain, Enhanced, Envelope, Origin, Protocol, Reply, ReportKind};
use mailweir_queue::{
    ChangeError, Content, Disposition, IntakeError, NewMail, OwedReport, ReportError,
    progress::{LastReply, RecipientStatus},
};

use super::{
    Egress,
    report::{Attempt, Composed, Diagnostic, Onward, Original, Outcome, Report},
};
use crate::{clock, own_mail::Prepared, rewriting::LiveRewriting};

/// Pays one debt. If it cannot be paid now, the queue asks again later.
pub(super) async fn report(egress: Arc<Egress>, owed: OwedReport) {
    let id = owed.id;
    if let Err(error) = write(&egress, owed).await {
        egress.warn(format!("{id}: report to the sender not queued: {error}"));
    }
}

async fn write(egress: &Egress, owed: OwedReport) -> Result<(), NotQueued> {
    let beginning = beginning(egress, &owed).await;
    let Some(composed) = compose(egress, &owed, &beginning) else {
        return Ok(egress.queue.waive_report(owed).await?);
    };
    let warn = |text| egress.warn(format!("{}: {text}", owed.id));
    let envelope = addressed(&egress.rewriting(), composed.envelope, &warn).await?;
    let own = egress.own.load_full();
    let prepared = own.prepare(&envelope, &[&composed.content], warn).await?;
    let Prepared { note: archive, top } = prepared;
    let mut intake = egress.queue.intake(composed.content.len() as u64)?;
    intake.write(&top).await?;
    intake.write(&composed.content).await?;
    let origin = own_origin(&egress.hostname);
    let mail = NewMail { envelope, origin, disposition: Disposition::Ready, archive };
    Ok(egress.queue.commit_report(owed, intake, mail).await.map(drop)?)
}

/// The envelope of a report as the rules make it. Where they lead nowhere for good, the report goes
/// to the address as it was written: waiting for better rules, it might never be sent.
pub(crate) async fn addressed(
    rewriting: &LiveRewriting,
    written: Envelope,
    warn: impl Fn(String) + Send,
) -> Result<Envelope, RewriteError> {
    match rewriting.address_own_mail(written.clone()).await {
        Err(error) if !error.may_pass() => {
            warn(format!("report goes to the sender's address as written: {error}"));
            Ok(written)
        }
        addressed => addressed,
    }
}

/// Why a report is not queued yet.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotQueued {
    #[error(transparent)]
    Queue(#[from] ReportError),
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error(transparent)]
    Intake(#[from] IntakeError),
    #[error(transparent)]
    Address(#[from] RewriteError),
}

/// The original, or as much of it as a report may return. Unreadable content is no reason to tell
/// the sender nothing.
async fn beginning(egress: &Egress, owed: &OwedReport) -> Vec<u8> {
    let Ok(content) = egress.queue.body(owed.id, &owed.body).await else { return Vec::new() };
    match content {
        Content::Memory(bytes) => bytes.to_vec(),
        Content::Spool(_) => {
            let first = content.reader().next().await;
            first.ok().flatten().map(|piece| piece.to_vec()).unwrap_or_default()
        }
    }
}

/// `None` if there is nobody to report to.
fn compose(egress: &Egress, owed: &OwedReport, beginning: &[u8]) -> Option<Composed> {
    let sender = owed.envelope.sender.address()?;
    let words: Vec<String> = owed.recipients.iter().map(|(_, status)| words(status)).collect();
    let report = Report {
        outcome: outcome(owed, &words),
        reporting_mta: &egress.hostname,
        id: owed.id,
        sender,
        arrival: owed.arrival,
        envid: owed.envelope.envid.as_ref(),
        ret: owed.envelope.ret,
        smtputf8: owed.envelope.smtputf8,
        original: Original { content: beginning, size: owed.size },
        now: clock::now(),
        seed: egress.seed(),
        size_limit: egress.bounce_size_limit,
    };
    Some(report.compose())
}

/// What was said last, as a report quotes it.
fn words(status: &RecipientStatus) -> String {
    match status.last() {
        Some(LastReply { reply, relay: Some(_), .. }) => reply.to_string(),
        Some(LastReply { reply, relay: None, .. }) => reply.text.to_string(),
        None => "not tried yet".to_owned(),
    }
}

fn outcome<'a>(owed: &'a OwedReport, words: &'a [String]) -> Outcome<'a> {
    let attempts = owed.recipients.iter().zip(words).filter_map(|((index, status), words)| {
        let recipient = owed.envelope.recipients.get(index.as_usize())?;
        let last = status.last();
        let reply = last.map(|last| &last.reply);
        Some((
            status,
            Attempt {
                recipient: &recipient.address,
                original: recipient.orcpt.as_ref(),
                status: reply.map_or(Enhanced(4, 0, 0), Reply::enhanced_or_general),
                diagnostic: diagnostic(last, words),
                last_attempt: last.map(|last| last.at),
            },
        ))
    });
    match owed.kind {
        ReportKind::Failure => Outcome::Failed(attempts.map(|(_, attempt)| attempt).collect()),
        ReportKind::Delay => Outcome::Delayed {
            retry_until: owed.retry_until,
            recipients: attempts.map(|(_, attempt)| attempt).collect(),
        },
        ReportKind::Success => {
            Outcome::Succeeded(attempts.map(|(_, attempt)| (attempt, Onward::Relayed)).collect())
        }
    }
}

fn diagnostic<'a>(last: Option<&'a LastReply>, words: &'a str) -> Diagnostic<'a> {
    match last.and_then(|last| last.relay.as_deref()) {
        Some(relay) => Diagnostic::Peer {
            mta: relay.split_once('[').map_or(relay, |(name, _)| name),
            reply: words,
        },
        None => Diagnostic::Local(words),
    }
}

/// Where our own mail comes from.
pub(crate) fn own_origin(hostname: &Domain) -> Origin {
    Origin {
        listener: "report".into(),
        client: Client::unnamed(OWN_ADDRESS),
        helo: hostname.as_str().into(),
        protocol: Protocol::Esmtp,
        login: None,
        tls: None,
        forwarded: None,
        arrival: clock::now(),
    }
}

/// Whether a mail is our own: a report, a notice, or one that was brought back from the archive. A listener may have any name, so
/// that tells nothing.
pub(super) fn is_own(origin: &Origin) -> bool {
    origin.client.address == OWN_ADDRESS
}

/// No connection comes from this port.
const OWN_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
