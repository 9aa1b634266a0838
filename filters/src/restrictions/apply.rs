//! One restriction at work: which check stands behind each, and those that need no file of their
//! own.

use std::future::ready;

use mailweir_tables::{LookupError, Spec};

use super::{
    evaluator::{Context, Evaluator, Judgement, Judging, Opinion},
    facts::Facts,
    hostname,
    outcome::Refusal,
    replies::{Reason, Who},
    restriction::{LoginMismatch, Party, Restriction, Rule},
    subject::Subject,
    transaction::HostName,
};

impl<'a, F: Facts> Evaluator<'a, F> {
    /// What a restriction thinks. Its future is boxed, so that the stack does not hold room for all
    /// of them at each of the lists that contain each other.
    pub(super) fn apply<'s>(&'s mut self, rule: &'s Rule, context: Context<'s>) -> Judging<'s> {
        use Restriction as R;
        let (t, who) = (self.transaction, context.who);
        let judgement = match &rule.restriction {
            R::Permit => Ok(Opinion::Permit),
            R::WarnIfReject => Ok(Opinion::Dunno),
            R::Reject => self.refuse(Reason::Denied, who),
            R::Defer => self.refuse(Reason::TryAgainLater, who),
            R::DeferIfPermit => self.defer_if_permit(true, Reason::DeferIfPermit, who),
            R::DeferIfReject => self.defer_if_reject(Reason::DeferIfReject, who),
            R::Sleep(seconds) => self.sleep(*seconds),
            R::PermitInetInterfaces => Ok(permit_if(self.facts.is_own_address(t.address))),
            R::PermitSaslAuthenticated => Ok(permit_if(t.login.is_some())),
            R::PermitNakedIpAddress => Ok(self.permit_naked_ip_address()),
            R::RejectUnauthPipelining => self.refuse_if(t.pipelined, Reason::Pipelining, who),
            R::RejectPlaintextSession => self.refuse_if(t.tls.is_none(), Reason::Plaintext, who),
            R::RejectMultiRecipientBounce => {
                self.refuse_if(self.is_multi_recipient_bounce(), Reason::MultiRecipientBounce, who)
            }
            R::RejectUnknownClientHostname => self.reject_unknown_client(who),
            R::RejectUnknownReverseClientHostname => self.reject_unknown_reverse(who),
            R::RejectInvalidHeloHostname => self.reject_invalid_helo(),
            R::RejectNonFqdnHeloHostname => self.reject_non_fqdn_helo(),
            R::RejectNonFqdn(party) => self.reject_non_fqdn(*party),
            R::Unusable(error) => self.give_up(&error.to_string(), who),

            R::PermitMynetworks => return Box::pin(self.permit_mynetworks(who)),
            R::PermitTlsClientcerts => return Box::pin(self.permit_certificate(false, who)),
            R::PermitTlsAllClientcerts => return Box::pin(self.permit_certificate(true, who)),
            R::PermitAuthDestination => return Box::pin(self.permit_auth_destination()),
            R::PermitMxBackup => return Box::pin(self.permit_mx_backup()),
            R::PermitDnswlClient(list) => return Box::pin(self.permit_dnswl_client(list)),
            R::PermitRhswlClient(list) => return Box::pin(self.permit_rhswl_client(list)),
            R::RejectUnauthDestination => {
                return Box::pin(self.reject_unauth_destination(Reason::RelayDenied));
            }
            R::DeferUnauthDestination => {
                return Box::pin(self.reject_unauth_destination(Reason::RelayDeferred));
            }
            R::RejectUnknownHeloHostname => return Box::pin(self.reject_unknown_helo()),
            R::RejectUnknownDomain(party) => return Box::pin(self.reject_unknown_domain(*party)),
            R::RejectUnlisted(party) => return Box::pin(self.reject_unlisted(*party)),
            R::RejectUnverified(party) => return Box::pin(self.reject_unverified(*party)),
            R::RejectLoginMismatch(whom) => return Box::pin(self.reject_login_mismatch(*whom)),
            R::RejectRblClient(list) => return Box::pin(self.reject_rbl_client(list)),
            R::RejectRhsbl(subject, list) => return Box::pin(self.reject_rhsbl(*subject, list)),
            R::CheckAccess(subject, table) => {
                return Box::pin(self.check_access(*subject, table, context));
            }
            R::BareTable(table) => return Box::pin(self.check_bare_table(table, context)),
            R::CheckServers(subject, servers, table) => {
                return Box::pin(self.check_servers(*subject, *servers, table, context));
            }
            R::CheckPolicyService(service) => {
                return Box::pin(self.check_policy_service(service, context));
            }
            R::Class => match self.rules.classes.get(&*rule.name) {
                Some(class) => return self.run(class, context),
                None => self.give_up(&format!("unknown smtpd restriction: \"{}\"", rule.name), who),
            },
        };
        Box::pin(ready(judgement))
    }

    async fn check_bare_table(&mut self, table: &Spec, context: Context<'_>) -> Judgement {
        match context.bare {
            Some(subject) => self.check_access(subject, table, context).await,
            None => self.give_up(
                &format!("before {} must stand what to look up", table.name()),
                context.who,
            ),
        }
    }

    fn sleep(&mut self, seconds: u64) -> Judgement {
        self.delay = self.delay.saturating_add(seconds);
        Ok(Opinion::Dunno)
    }

    /// Our lists or tables are wrong: the mail waits until they are put right.
    pub(super) fn give_up(&mut self, why: &str, who: Who<'_>) -> Judgement {
        self.trouble(why);
        Err(self.refuse_for_good(Reason::Configuration, who))
    }

    pub(super) fn refuse_if(&mut self, is_so: bool, reason: Reason<'_>, who: Who<'_>) -> Judgement {
        if is_so { self.refuse(reason, who) } else { Ok(Opinion::Dunno) }
    }

    /// A table could not answer: the mail waits.
    pub(super) fn lookup_failed(&mut self, error: &LookupError, who: Who<'_>) -> Box<Refusal> {
        self.trouble(&error.to_string());
        self.refuse_for_good(Reason::LookupFailed, who)
    }

    async fn permit_mynetworks(&mut self, who: Who<'_>) -> Judgement {
        let client = self.transaction;
        match self.facts.is_trusted(client.address, client.name.or_unknown()).await {
            Ok(trusted) => Ok(permit_if(trusted)),
            Err(error) => Err(self.lookup_failed(&error, who)),
        }
    }

    async fn permit_certificate(&mut self, all: bool, who: Who<'_>) -> Judgement {
        let Some(certificate) = self.transaction.certificate else { return Ok(Opinion::Dunno) };
        if all && certificate.trusted {
            return Ok(Opinion::Permit);
        }
        let prints = [certificate.key_fingerprint, certificate.fingerprint];
        for print in prints.into_iter().filter(|print| !print.is_empty()) {
            match self.is_in_any(&self.rules.settings.relay_clientcerts, print).await {
                Ok(true) => return Ok(Opinion::Permit),
                Ok(false) => {}
                Err(error) => return Err(self.lookup_failed(&error, who)),
            }
        }
        Ok(Opinion::Dunno)
    }

    async fn is_in_any(&self, tables: &[Spec], key: &str) -> Result<bool, LookupError> {
        for table in tables {
            if self.facts.look_up(table, key.as_bytes()).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A client that greets with its bare address, in digits and dots or colons.
    fn permit_naked_ip_address(&self) -> Opinion {
        permit_if(self.transaction.helo.is_some_and(hostname::is_address))
    }

    const fn is_multi_recipient_bounce(&self) -> bool {
        use super::transaction::ProtocolState;
        let at_rcpt = matches!(self.state, ProtocolState::Rcpt);
        // At RCPT the recipient in question is not counted yet.
        let single = if at_rcpt { 0 } else { 1 };
        matches!(self.transaction.sender, Some(sender) if sender.is_empty())
            && self.transaction.recipients > single
    }

    fn reject_unknown_client(&mut self, who: Who<'_>) -> Judgement {
        let client = self.transaction;
        let unclear = client.name == HostName::Unclear;
        let known = matches!(client.name, HostName::Known(_));
        self.refuse_if(!known, Reason::ClientUnnamed(client.address, unclear), who)
    }

    fn reject_unknown_reverse(&mut self, who: Who<'_>) -> Judgement {
        let client = self.transaction;
        let unclear = client.reverse_name == HostName::Unclear;
        let known = matches!(client.reverse_name, HostName::Known(_));
        self.refuse_if(!known, Reason::ClientUnnamedInReverse(client.address, unclear), who)
    }

    /// A rule about senders and who may use them (postconf(5), `smtpd_sender_login_maps`).
    async fn reject_login_mismatch(&mut self, whom: LoginMismatch) -> Judgement {
        let Some(value) = self.transaction.sender.filter(|sender| !sender.is_empty()) else {
            return Ok(Opinion::Dunno);
        };
        let who = Who { subject: Subject::Sender, value };
        let asked = match (whom, self.transaction.login) {
            (LoginMismatch::Authenticated, None) | (LoginMismatch::Unauthenticated, Some(_)) => {
                return Ok(Opinion::Dunno);
            }
            (_, login) => login,
        };
        let owners = match self.facts.owners(value).await {
            Ok(owners) => owners,
            Err(error) => return Err(self.lookup_failed(&error, who)),
        };
        match (asked, owners) {
            (Some(login), Some(owners)) => {
                let owns = is_among(login, &owners);
                self.refuse_if(!owns, Reason::NotOwned(login), who)
            }
            (Some(login), None) => {
                self.refuse_if(whom != LoginMismatch::Known, Reason::NotOwned(login), who)
            }
            (None, owners) => self.refuse_if(owners.is_some(), Reason::NotLoggedIn, who),
        }
    }

    async fn reject_unlisted(&mut self, party: Party) -> Judgement {
        let t = self.transaction;
        match party {
            Party::Sender => match t.sender.filter(|sender| !sender.is_empty()) {
                Some(sender) => self.reject_unlisted_sender(sender).await,
                None => Ok(Opinion::Dunno),
            },
            Party::Recipient => match t.recipient.filter(|recipient| !recipient.is_empty()) {
                Some(recipient) => self.reject_unlisted_recipient(recipient).await,
                None => Ok(Opinion::Dunno),
            },
        }
    }

    /// Once for each sender, unless it only warns.
    pub(super) async fn reject_unlisted_sender(&mut self, sender: &str) -> Judgement {
        if self.memory.sender_checked {
            return Ok(Opinion::Dunno);
        }
        self.memory.sender_checked = !self.warns();
        self.reject_unknown_user(Who { subject: Subject::Sender, value: sender }).await
    }

    /// Once for each recipient, unless it only warns.
    pub(super) async fn reject_unlisted_recipient(&mut self, recipient: &str) -> Judgement {
        if self.recipient_checked {
            return Ok(Opinion::Dunno);
        }
        self.recipient_checked = !self.warns();
        self.reject_unknown_user(Who { subject: Subject::Recipient, value: recipient }).await
    }

    async fn reject_unknown_user(&mut self, who: Who<'_>) -> Judgement {
        let destination = self.destination(who).await?;
        match self.facts.is_listed(who.value, destination).await {
            Ok(listed) => self.refuse_if(!listed, Reason::Unlisted(destination.class), who),
            Err(error) => Err(self.lookup_failed(&error, who)),
        }
    }
}

pub(super) const fn permit_if(is_so: bool) -> Opinion {
    if is_so { Opinion::Permit } else { Opinion::Dunno }
}

fn is_among(login: &str, owners: &str) -> bool {
    let login = login.to_lowercase();
    owners
        .split(|c: char| c == ',' || c.is_ascii_whitespace())
        .any(|owner| owner.to_lowercase() == login)
}
