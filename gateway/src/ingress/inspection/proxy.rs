//! One mail for a proxy: a filter that gets it while its client waits, and hands it back.

use std::sync::Arc;

use mailweir_external::{
    slip::{self, For, Slip},
    verdict::{Decision, Verdict},
};
use tokio::time::Instant;

use super::{Said, Shown, Trouble};
use crate::{
    config::{Smtp, SmtpFilter},
    egress::proxied::{self, Proxied, Way},
    ingress::waiting::{Awaited, Came, Waiting},
    tls::TlsError,
};

/// Such a filter.
pub(super) struct Proxy {
    name: Box<str>,
    way: Way,
    /// The listener where it hands mail back.
    back_at: Box<str>,
    slips: slip::Key,
}

impl Proxy {
    /// # Errors
    /// TLS cannot be set up.
    pub(super) fn new(
        name: &str,
        server: &SmtpFilter,
        back_at: &str,
        smtp: &Smtp,
        slips: &slip::Key,
    ) -> Result<Self, TlsError> {
        let (way, slips) = (Way::to(server, smtp)?, slips.clone());
        Ok(Self { name: name.into(), way, back_at: back_at.into(), slips })
    }

    /// Gives it the mail, and takes what comes back until the deadline. The mail is what came back, whole, or nothing of it is.
    pub(super) async fn ask(
        &self,
        mail: Shown<'_>,
        deadline: Instant,
        waiting: &Waiting,
    ) -> Result<Said, Trouble> {
        if waiting.is_supposed() {
            return Ok(Said::Verdict(Verdict::nothing("not asked on trial"), None));
        }
        let Shown { id, envelope, origin, content, text, .. } = mail;
        let slip = self.slip(&mail).ok_or_else(|| {
            Trouble::OfTheMail("what is told of the mail is too long to go along with it".into())
        })?;
        let awaited = waiting.wait_for(id, &self.name);
        let (envelope, top) = (Arc::new(envelope.clone()), slip.into());
        let mail = Proxied { id, envelope, origin, content, text, top };
        match self.way.give(mail, deadline).await {
            proxied::Said::Taken => came_back(awaited),
            proxied::Said::Refused(reply) => Ok(refused(reply, "it says so")),
            proxied::Said::Misfit(reply, why) => Ok(refused(reply, &why)),
            proxied::Said::TooMany(why) => Err(Trouble::OfTheMail(why)),
            proxied::Said::Failed(why) => Err(Trouble::Failed(why)),
            proxied::Said::Unreadable(error) => Err(Trouble::Unreadable(error)),
        }
    }

    fn slip(&self, mail: &Shown<'_>) -> Option<Vec<u8>> {
        let slip = Slip {
            filter: self.name.clone(),
            back_at: self.back_at.clone(),
            back_for: For::Client,
            id: mail.id,
            origin: mail.origin.clone(),
        };
        slip.into_field(&self.slips)
    }
}

fn came_back(awaited: Awaited<'_>) -> Result<Said, Trouble> {
    match awaited.came() {
        Came::Once(handed) => Ok(Said::HandedBack(handed)),
        Came::Nothing => {
            let reason = "it has taken the mail and handed nothing back".into();
            let verdict = Verdict { decision: Decision::Discard, edits: Vec::new(), reason };
            Ok(Said::Verdict(verdict, None))
        }
        // Which mail it splits depends on who gets it.
        Came::Again => Err(Trouble::OfTheMail(
            "it has handed the mail back more than once: it must not split it by recipients".into(),
        )),
    }
}

fn refused(reply: mailweir_mail::Reply, why: &str) -> Said {
    let (decision, reason) = (Decision::Refuse(reply), why.into());
    Said::Verdict(Verdict { decision, edits: Vec::new(), reason }, None)
}
