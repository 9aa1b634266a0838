//! One question to a scanner: a connection, the mail, the answer.

use std::io;

use mailweir_external::{
    scanners::{Fault, clamd, rspamd, spamd},
    verdict::{Decision, Verdict},
};
use mailweir_policy::client::Server;
use mailweir_queue::Content;
use mailweir_spam::{
    findings::{self, Scanner as By},
    symbols::Finding,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
};

use super::{Shown, Trouble, failed};
use crate::config::{Scanner, ScannerFilter};

/// What all scanners are asked like.
trait Exchange {
    /// Adds what comes before the mail.
    fn head(&mut self, out: &mut Vec<u8>);
    /// Adds the next piece of the mail.
    fn piece(&mut self, piece: &[u8], out: &mut Vec<u8>);
    /// Adds what comes behind the mail.
    fn finish(&mut self, out: &mut Vec<u8>);
    /// Takes what comes back. Whether that is all.
    fn receive(&mut self, piece: &[u8]) -> Result<bool, Fault>;
}

/// Asks about a mail. Where what is found counts in a score, nothing else becomes of the mail by it; where nothing is found that
/// could count, what the scanner decides stands.
pub(super) async fn ask(
    filter: &ScannerFilter,
    mail: Shown<'_>,
) -> Result<(Verdict, Option<Finding>), Trouble> {
    let (verdict, finding) = judge(filter, mail).await?;
    Ok(match finding.filter(|_| filter.joins_score && mail.is_scored) {
        Some(finding) => (Verdict { decision: Decision::Pass, ..verdict }, Some(finding)),
        None => (verdict, None),
    })
}

async fn judge(
    filter: &ScannerFilter,
    mail: Shown<'_>,
) -> Result<(Verdict, Option<Finding>), Trouble> {
    let size = mail.content.size();
    match &filter.scanner {
        Scanner::Clamd(policy) => {
            let answer = over(&filter.server, clamd::Scan::default(), mail.content).await?.end()?;
            let found = match &answer {
                clamd::Answer::Infected(name) => Some(findings::malware(name)),
                clamd::Answer::Clean | clamd::Answer::TooLarge => None,
            };
            Ok((policy.verdict(&answer)?, found))
        }
        Scanner::Spamd(policy) => {
            let check = spamd::Check::new(size, None).map_err(|error| failed(error.to_string()))?;
            let answer = over(&filter.server, check, mail.content).await?.end()?;
            let found = findings::of_scanner(By::SpamAssassin, answer.score, answer.required);
            Ok((policy.verdict(&answer), found))
        }
        Scanner::Rspamd(options) => {
            let Shown { id, envelope, origin, .. } = mail;
            let about = rspamd::About { id, envelope, origin };
            let check = rspamd::Check::new(size, &about, options);
            let answer = over(&filter.server, check, mail.content).await?.end()?;
            let (action, score, required) = (answer.action, answer.score, answer.required);
            let verdict = answer.verdict();
            let found = of_rspamd(action, (score, required), &verdict.decision);
            Ok((verdict, found))
        }
    }
}

/// What Rspamd says, as far as it can count in a score. Its settings may refuse or keep a mail whatever its score is; what it puts
/// off comes again, and is looked at then.
fn of_rspamd(
    action: rspamd::Action,
    (score, required): (f64, Option<f64>),
    decision: &Decision,
) -> Option<Finding> {
    let required = required?;
    match decision {
        Decision::Pass => findings::of_scanner(By::Rspamd, score, required),
        Decision::Refuse(_) if action == rspamd::Action::SoftReject => None,
        Decision::Refuse(_) | Decision::Hold | Decision::Discard => {
            findings::of_objecting_scanner(By::Rspamd, action.name(), score, required)
        }
    }
}

/// Carries an exchange out. Gives it back with what came.
async fn over<E: Exchange>(server: &Server, exchange: E, content: &Content) -> Result<E, Trouble> {
    let unreached = |error: io::Error| failed(format!("no connection to it: {error}"));
    match server {
        Server::Inet(host, port) => {
            let stream = TcpStream::connect((&**host, *port)).await.map_err(unreached)?;
            // Without it things are only slower.
            let _ = stream.set_nodelay(true);
            carry(stream, exchange, content).await
        }
        Server::Unix(path) => {
            let stream = UnixStream::connect(path).await.map_err(unreached)?;
            carry(stream, exchange, content).await
        }
    }
}

async fn carry<E: Exchange>(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    mut exchange: E,
    content: &Content,
) -> Result<E, Trouble> {
    write(&mut stream, &mut exchange, content).await?;
    let mut piece = [0; PIECE];
    loop {
        match stream.read(&mut piece).await {
            Ok(0) => return Ok(exchange),
            Ok(read) if exchange.receive(&piece[..read])? => return Ok(exchange),
            Ok(_) => {}
            Err(error) => return Err(failed(format!("the connection to it broke: {error}"))),
        }
    }
}

/// Writes a question. Who does not read it to its end may have answered: that is for whoever reads to see.
async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    exchange: &mut impl Exchange,
    content: &Content,
) -> Result<(), Trouble> {
    let mut reader = content.reader();
    let mut out = Vec::new();
    exchange.head(&mut out);
    loop {
        let piece = reader.next().await.map_err(Trouble::Unreadable)?;
        match &piece {
            Some(piece) => exchange.piece(piece, &mut out),
            None => exchange.finish(&mut out),
        }
        if stream.write_all(&out).await.is_err() || piece.is_none() {
            return Ok(());
        }
        out.clear();
    }
}

impl Exchange for clamd::Scan {
    fn head(&mut self, out: &mut Vec<u8>) {
        Self::head(self, out);
    }

    fn piece(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        Self::piece(self, piece, out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        Self::finish(self, out);
    }

    fn receive(&mut self, piece: &[u8]) -> Result<bool, Fault> {
        Self::receive(self, piece)
    }
}

impl Exchange for spamd::Check {
    fn head(&mut self, out: &mut Vec<u8>) {
        Self::head(self, out);
    }

    fn piece(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        Self::piece(self, piece, out);
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}

    fn receive(&mut self, piece: &[u8]) -> Result<bool, Fault> {
        Self::receive(self, piece)
    }
}

impl Exchange for rspamd::Check {
    fn head(&mut self, out: &mut Vec<u8>) {
        Self::head(self, out);
    }

    fn piece(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        Self::piece(self, piece, out);
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}

    fn receive(&mut self, piece: &[u8]) -> Result<bool, Fault> {
        Self::receive(self, piece)
    }
}

/// As much of an answer as is read at once.
const PIECE: usize = 4_096;

#[cfg(test)]
mod tests {
    use mailweir_spam::symbols::{Points, Weights};
    use rspamd::Action;

    use super::*;

    fn refusal(text: &'static str) -> Decision {
        let (code, text) = text.split_once(' ').unwrap();
        Decision::Refuse(mailweir_mail::Reply::plain(code.parse().unwrap(), text))
    }

    #[test]
    fn a_decision_of_rspamd_beyond_its_score_counts() {
        let score = (1.0, Some(15.0));
        for (action, decision) in [
            (Action::Reject, refusal("554 5.7.1 no")),
            (Action::Reject, Decision::Hold),
            (Action::Quarantine, Decision::Hold),
            (Action::Discard, Decision::Discard),
        ] {
            let found = of_rspamd(action, score, &decision).unwrap();
            assert_eq!(found.evidence(), format!("{}, 1.0, spam from 15.0 on", action.name()));
            assert!(Weights::default().score([found]).total() >= Points::QUARANTINE, "{action:?}");
        }
        for action in [Action::NoAction, Action::Greylist, Action::AddHeader, Action::Reject] {
            let found = of_rspamd(action, score, &Decision::Pass).unwrap();
            assert_eq!(found.evidence(), "1.0, spam from 15.0 on");
            assert!(found.strength() < 0.1);
        }
    }

    #[test]
    fn what_rspamd_puts_off_or_has_no_threshold_for_is_its_own_decision() {
        let later = refusal("451 4.7.1 later");
        assert_eq!(of_rspamd(Action::SoftReject, (1.0, Some(15.0)), &later), None);
        let never = refusal("554 5.7.1 no");
        assert_eq!(of_rspamd(Action::Reject, (1.0, None), &never), None);
        assert_eq!(of_rspamd(Action::NoAction, (1.0, None), &Decision::Pass), None);
    }
}
