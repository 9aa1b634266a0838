//! A filter of other people that gets a mail while its client waits (Postfix `smtpd_proxy_filter`): the way there, and what it
//! says.
//!
//! One mail, one connection, one answer: what it says of one recipient it says of the mail. Whether the mail has come back
//! meanwhile is not known here.

use std::{io, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use mailweir_mail::{Envelope, Forwarded, Origin, QueueId, Reply, ReplyClass};
use mailweir_queue::{BodyError, Content};
use mailweir_smtp::client::{Attempt, Cause, ContentText, Outgoing, Settings};
use tokio::{
    net::lookup_host,
    time::{Instant, timeout_at},
};

use super::{
    connection::{Connection, Letter, Sent, Target},
    filters::is_of_the_mail,
    replies,
    route::settings,
};
use crate::{
    config::{Host, NextHop, Relay, Route, RouteTls, Smtp, SmtpFilter},
    tls::{Authorities, ClientTls, PeerCheck, TlsError},
};

/// The way to such a filter.
pub(crate) struct Way {
    to: Relay,
    /// Whether it is told by XFORWARD from which client a mail came.
    xforward: bool,
    client: Arc<Settings>,
    tls: Arc<ClientTls>,
}

/// A mail for it.
pub(crate) struct Proxied<'m> {
    pub(crate) id: QueueId,
    pub(crate) envelope: Arc<Envelope>,
    pub(crate) origin: &'m Origin,
    pub(crate) content: &'m Content,
    pub(crate) text: ContentText,
    /// What stands above the content.
    pub(crate) top: Bytes,
}

/// What it says of a mail.
#[derive(Debug)]
pub(crate) enum Said {
    /// It has it, for all.
    Taken,
    /// This, which is a 4xx or a 5xx.
    Refused(Reply),
    /// It takes no mail that is like this, and what it lacks.
    Misfit(Reply, Box<str>),
    /// Nothing: it takes not so many recipients at once. A client can bring that about.
    TooMany(Box<str>),
    /// Nothing: it has failed, and how.
    Failed(Box<str>),
    /// The mail cannot be read.
    Unreadable(BodyError),
}

impl Way {
    /// The way to a filter. Nothing is said in TLS, unless from the beginning (`smtps://`).
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(crate) fn to(filter: &SmtpFilter, smtp: &Smtp) -> Result<Self, TlsError> {
        let SmtpFilter { to, xforward } = filter;
        let route =
            Route { to: NextHop::Relay(to.clone()), tls: RouteTls::None, ..Route::direct() };
        Ok(Self {
            to: to.clone(),
            xforward: *xforward,
            client: Arc::new(settings(&route, smtp)),
            tls: Arc::new(ClientTls::new(PeerCheck::Any, Authorities::public())?),
        })
    }

    /// Gives it a mail, and hears what it says until the deadline.
    pub(crate) async fn give(&self, mail: Proxied<'_>, deadline: Instant) -> Said {
        let connected = timeout_at(deadline, self.connect()).await;
        let mut connection = match connected.unwrap_or_else(|_| Err(unreached(&"it took too long")))
        {
            Ok(connection) => connection,
            Err(why) => return Said::Failed(why),
        };
        let Proxied { id, envelope, origin, content, text, top } = mail;
        let outgoing = Outgoing::to_all(envelope, content.size() + top.len() as u64, text);
        let outgoing = match self.xforward {
            true => outgoing.forwarded(Arc::new(Forwarded::of(origin, id))),
            false => outgoing,
        };
        match connection.send_until(deadline, outgoing, Letter { top, ..content.into() }).await {
            Sent::Finished(attempts) => {
                // Its good-bye is nothing that the client has to wait for.
                tokio::spawn(connection.quit());
                together(attempts)
            }
            Sent::Returned(closed) => Said::Failed(closed.attempt().reply().text.as_ref().into()),
            Sent::Unreadable(error) => Said::Unreadable(error),
            Sent::Unclear(error) => Said::Failed(error.to_string().into()),
        }
    }

    async fn connect(&self) -> Result<Connection, Box<str>> {
        let mut why: Box<str> = "its name has no address".into();
        for address in self.addresses().await.map_err(|error| unreached(&error))? {
            let target = Target { name: self.to.host.to_string().into(), address };
            let (client, tls) = (Arc::clone(&self.client), Arc::clone(&self.tls));
            match Connection::open(&target, client, tls).await {
                Ok(connection) => return Ok(connection),
                Err(error) => why = unreached(&error),
            }
        }
        Err(why)
    }

    async fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        let port = self.to.port;
        match &self.to.host {
            Host::Ip(address) => Ok(vec![(*address, port).into()]),
            Host::Name(name) => Ok(lookup_host((name.as_ascii(), port)).await?.collect()),
        }
    }
}

fn unreached(error: &dyn std::fmt::Display) -> Box<str> {
    format!("no connection to it: {error}").into()
}

/// What all outcomes come to, since a client gets one answer for all recipients: the weightiest, and of those that weigh the same
/// the first.
fn together(attempts: Vec<Attempt>) -> Said {
    attempts.into_iter().map(Said::of).rev().max_by_key(Said::weight).unwrap_or(Said::Taken)
}

impl Said {
    /// What it says of one recipient.
    fn of(attempt: Attempt) -> Self {
        match attempt {
            Attempt::Delivered { .. } => Self::Taken,
            Attempt::Deferred { reply, cause: Cause::Replied(phase) }
            | Attempt::Failed { reply, cause: Cause::Replied(phase) }
                if is_of_the_mail(phase) && is_refusal(&reply) =>
            {
                Self::Refused(reply)
            }
            Attempt::Failed { reply, cause: Cause::Local } => {
                Self::Misfit(replies::no_such_mail(&reply), reply.text.as_ref().into())
            }
            Attempt::Postponed { reply } => {
                Self::TooMany(format!("it takes no more recipients: {reply}").into())
            }
            Attempt::Deferred { reply, .. }
            | Attempt::Failed { reply, .. }
            | Attempt::Accepted { reply }
            | Attempt::Uncertain { reply } => Self::Failed(reply.to_string().into()),
        }
    }

    /// What it has said of the mail outweighs that it has failed, before or behind: a mail that it has refused must not go on
    /// because `if_failed` lets mail pass. That a mail may come again outweighs that it may not. And that it has failed must be
    /// known, also when it had too many recipients besides.
    fn weight(&self) -> u8 {
        match self {
            Self::Refused(reply) if reply.class() == ReplyClass::Transient => 5,
            Self::Refused(_) => 4,
            Self::Misfit(..) => 3,
            Self::Failed(_) | Self::Unreadable(_) => 2,
            Self::TooMany(_) => 1,
            Self::Taken => 0,
        }
    }
}

/// Whether a client can be told. Who leaves (421) says nothing of the mail.
fn is_refusal(reply: &Reply) -> bool {
    reply.code != 421 && matches!(reply.class(), ReplyClass::Transient | ReplyClass::Permanent)
}

#[cfg(test)]
mod tests {
    use mailweir_smtp::client::{Phase, Reports};

    use super::*;

    fn said(attempts: &[Attempt]) -> String {
        match together(attempts.to_vec()) {
            Said::Taken => "taken".to_owned(),
            Said::Refused(reply) => format!("refused {reply}"),
            Said::Misfit(reply, _) => format!("misfit {reply}"),
            Said::TooMany(why) => format!("too many {why}"),
            Said::Failed(why) => format!("failed {why}"),
            Said::Unreadable(_) => "unreadable".to_owned(),
        }
    }

    fn refused(code: u16, phase: Phase) -> Attempt {
        let (reply, cause) = (Reply::plain(code, "no"), Cause::Replied(phase));
        match code {
            500.. => Attempt::Failed { reply, cause },
            _ => Attempt::Deferred { reply, cause },
        }
    }

    fn one_too_many() -> Attempt {
        Attempt::Postponed { reply: Reply::plain(452, "no more") }
    }

    fn taken() -> Attempt {
        Attempt::Delivered { reply: Reply::plain(250, "ok"), reports: Reports::Ours }
    }

    #[test]
    fn what_is_said_of_one_recipient_is_said_of_the_mail() {
        assert_eq!(said(&[taken(), taken()]), "taken");
        let (never, later) = (refused(550, Phase::Rcpt), refused(450, Phase::Rcpt));
        assert_eq!(said(&[taken(), never.clone()]), "refused 550 no");
        assert_eq!(said(&[never.clone(), later.clone(), never]), "refused 450 no");
        assert_eq!(said(&[later, refused(554, Phase::EndOfData)]), "refused 450 no");
    }

    /// Outcomes that say nothing of the mail.
    fn failures() -> [Attempt; 6] {
        let broken = Attempt::Deferred {
            reply: Reply::plain(421, "lost"),
            cause: Cause::Broken(Phase::Content),
        };
        [
            broken,
            refused(421, Phase::EndOfData),
            refused(354, Phase::Rcpt),
            refused(550, Phase::Hello),
            Attempt::Uncertain { reply: Reply::plain(421, "lost") },
            Attempt::Accepted { reply: Reply::plain(250, "ok") },
        ]
    }

    #[test]
    fn what_says_nothing_of_the_mail_is_a_failure_whoever_is_taken() {
        for failed in failures() {
            let both = [taken(), failed];
            assert!(said(&both).starts_with("failed "), "{both:?}");
        }
    }

    #[test]
    fn what_was_refused_stays_refused_whatever_fails_before_or_behind() {
        let (never, later) = (refused(550, Phase::Rcpt), refused(450, Phase::Rcpt));
        for failed in failures().into_iter().chain([one_too_many()]) {
            assert_eq!(said(&[never.clone(), failed.clone(), taken()]), "refused 550 no");
            assert_eq!(said(&[failed.clone(), never.clone()]), "refused 550 no");
            assert_eq!(said(&[never.clone(), later.clone(), failed]), "refused 450 no");
        }
    }

    #[test]
    fn who_takes_not_so_many_recipients_has_not_failed_unless_something_else_goes_wrong() {
        let many = "too many it takes no more recipients: 452 no more";
        assert_eq!(said(&[taken(), one_too_many(), one_too_many()]), many);
        for failed in failures() {
            assert!(said(&[one_too_many(), failed]).starts_with("failed "));
        }
    }

    #[test]
    fn what_a_filter_cannot_take_is_refused_and_its_name_kept_from_the_client() {
        let reply = Reply::plain(552, "message size 9 exceeds size limit 8 of server secret");
        let misfit = Attempt::Failed { reply, cause: Cause::Local };
        assert!(said(std::slice::from_ref(&misfit)).starts_with("misfit 552 "));
        assert!(!said(std::slice::from_ref(&misfit)).contains("secret"));
        for failed in failures().into_iter().chain([one_too_many()]) {
            assert!(said(&[failed, misfit.clone()]).starts_with("misfit 552 "));
        }
    }
}
