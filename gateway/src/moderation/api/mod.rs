//! Held mail for programs: what the API says of it, and what it has done about it.
//!
//! A token acts as an administrator. An account sees its own mail and may take it back, and sees
//! and decides what rules give it to decide. What somebody may not see is not there.

mod caller;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Weak};

use mailweir_admin_ui::{
    Source,
    api::{Caller, Claim, DeedError, HeldMail, Later, NoEntry, Page, Wanted, Who},
};
use mailweir_mail::{Address, QueueId};
use mailweir_moderation::{
    case::{Actor, By, Kind, Proof, Refused},
    case_file::CaseFile,
    deed::{Deed, Unfit},
    person::is_same,
    search::Search,
    view::{Decided, View},
};
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::{Found, Moderation, TakeError};
use crate::app::App;

/// Held mail of a gateway. Holds it weakly, so that an open connection keeps nothing alive.
pub(crate) struct Api {
    app: Weak<App>,
}

impl Api {
    #[must_use]
    pub(crate) const fn new(app: Weak<App>) -> Self {
        Self { app }
    }

    fn moderation(&self) -> Option<Arc<Moderation>> {
        Some(Arc::clone(self.app.upgrade()?.moderation()))
    }

    async fn find(&self, caller: &Caller, wanted: Wanted) -> Option<Page> {
        let Wanted { query, after, limit } = wanted;
        let sees = Clearance::of(caller);
        if let (Some(mine), Who::Account { address, .. }) = (&query.mine, &caller.who)
            && !address.as_ref().is_some_and(|address| is_same(address, mine))
        {
            // Who else decides is nothing that one could find out so.
            return None;
        }
        let moderation = self.moderation()?;
        let page = spawn_blocking(move || {
            let search = Search::new(&query);
            let may_see = |file: &CaseFile| sees.see(file).is_some();
            sees.page(&moderation.search(&search, after, limit, &may_see))
        });
        page.await.ok()
    }

    async fn take(&self, caller: &Caller, id: QueueId, deed: Deed) -> Result<Value, DeedError> {
        let stopping = || DeedError::Failed(TakeError::Stopping.to_string().into());
        let app = self.app.upgrade().ok_or_else(stopping)?;
        let moderation = app.moderation();
        let sees = Clearance::of(caller);
        let file = moderation.case(id).ok_or(DeedError::NotFound)?;
        let seen = sees.see(&file).ok_or(DeedError::NotFound)?;
        let by = sees.by(seen.clone(), &deed, &file).map_err(not_theirs)?;
        if let (Deed::Forward { to }, Actor::Moderator(_)) = (&deed, &by.who)
            && !moderation.decides_by_rule(to)
        {
            // Whoever is asked gets the mail to see.
            return Err(DeedError::NotTheirs(
                "no rule has them decide; ask an administrator".into(),
            ));
        }
        let stand_in = |to: &Address| moderation.stand_in(to);
        let senseless = |unfit: Unfit| DeedError::Senseless(unfit.to_string().into());
        let command = deed.into_command(by, &file, &stand_in).map_err(senseless)?;
        let taken = moderation.take(id, command).await;
        let file = moderation.case(id).ok_or(DeedError::NotFound)?;
        taken.map_err(|error| seen.not_done(&error, &file))?;
        // Whoever has handed the decision on sees the case no more, but for what they did.
        seen.view(id, &file).ok_or(DeedError::NotFound)
    }
}

impl HeldMail for Api {
    fn log_in<'a>(&'a self, claim: Claim<'a>, from: Source) -> Later<'a, Result<Caller, NoEntry>> {
        Box::pin(async move {
            let app = self.app.upgrade().ok_or(NoEntry::Unavailable)?;
            caller::log_in(&app, claim, from).await
        })
    }

    fn list<'a>(&'a self, caller: &'a Caller, wanted: Wanted) -> Later<'a, Page> {
        Box::pin(async move {
            let found = self.find(caller, wanted).await;
            found.unwrap_or(Page { held: Vec::new(), next: None })
        })
    }

    fn show(&self, caller: &Caller, id: QueueId) -> Option<Value> {
        let file = self.moderation()?.case(id)?;
        Clearance::of(caller).view(id, &file)
    }

    fn act<'a>(
        &'a self,
        caller: &'a Caller,
        id: QueueId,
        deed: Deed,
    ) -> Later<'a, Result<Value, DeedError>> {
        Box::pin(self.take(caller, id, deed))
    }
}

/// What a caller may see and do.
#[derive(Clone)]
struct Clearance {
    caller: Caller,
}

/// As what a caller sees a case.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    /// As an administrator, by the name of the token.
    Administrator,
    /// As one who decides, under this address.
    Moderator(Address),
    /// As its sender, under the first of the names.
    Sender(Address),
}

impl Seen {
    fn view(&self, id: QueueId, file: &CaseFile) -> Option<Value> {
        let view = match self {
            Self::Administrator | Self::Moderator(_) => View::whole(id, file),
            Self::Sender(_) => View::own(id, file),
        };
        serde_json::to_value(view).ok()
    }

    /// Who was faster.
    fn decision(&self, file: &CaseFile) -> Option<Value> {
        let decided = match self {
            Self::Administrator | Self::Moderator(_) => Decided::whole(file),
            Self::Sender(_) => Decided::own(file),
        };
        serde_json::to_value(decided?).ok()
    }

    fn not_done(&self, error: &TakeError, file: &CaseFile) -> DeedError {
        let reason = error.in_full().into();
        match error {
            TakeError::NoCase(_) => DeedError::NotFound,
            TakeError::Refused(refused) => match refused {
                Refused::Closed(_) => DeedError::TooLate(reason, self.decision(file)),
                Refused::Scheduled { .. }
                | Refused::VotedAlready { .. }
                | Refused::DecidesAlready => DeedError::TooLate(reason, None),
                Refused::NotTheirs | Refused::OwnMail => DeedError::NotTheirs(reason),
                _ => DeedError::Senseless(reason),
            },
            TakeError::Gone | TakeError::Altered => DeedError::TooLate(reason, None),
            TakeError::Unreadable
            | TakeError::Queue(_)
            | TakeError::Store(_)
            | TakeError::Unwritable(_)
            | TakeError::Stopping => DeedError::Failed(reason),
        }
    }
}

impl Clearance {
    fn of(caller: &Caller) -> Self {
        Self { caller: caller.clone() }
    }

    /// As what the caller sees a case; `None`: not at all.
    fn see(&self, file: &CaseFile) -> Option<Seen> {
        match &self.caller.who {
            Who::Token { .. } => Some(Seen::Administrator),
            Who::Account { login, address, decides } => {
                let decides = address.as_ref().filter(|_| *decides);
                let decides = decides.filter(|address| file.case.is_for(address));
                match (is_own(file, login, address.as_ref()), decides) {
                    (_, Some(address)) if file.case.plan.kind == Kind::Approval => {
                        Some(Seen::Moderator(address.clone()))
                    }
                    (true, _) => file.case.plan.senders.first().cloned().map(Seen::Sender),
                    (false, _) => None,
                }
            }
        }
    }

    fn view(&self, id: QueueId, file: &CaseFile) -> Option<Value> {
        self.see(file)?.view(id, file)
    }

    /// As much of what was found as one answer takes; what is left is behind its `next`.
    fn page(&self, found: &Found) -> Page {
        let mut page = Page { held: Vec::new(), next: found.next };
        let (mut bytes, mut last) = (0, None);
        for (id, file) in &found.cases {
            let Some(view) = self.view(*id, file) else { continue };
            bytes += view.to_string().len();
            if bytes > LARGEST_PAGE && last.is_some() {
                page.next = last;
                break;
            }
            page.held.push(view);
            last = Some(*id);
        }
        page
    }

    /// Who it is that does this, if they may.
    fn by(&self, seen: Seen, deed: &Deed, file: &CaseFile) -> Result<By, Refused> {
        let (who, proof) = match (&self.caller.who, seen) {
            (Who::Token { name, decides: true }, _) => {
                (Actor::Administrator(name.clone()), Proof::Api)
            }
            (Who::Token { decides: false, .. }, _) => return Err(Refused::NotTheirs),
            (Who::Account { login, address, decides }, seen) => {
                let is_own = is_own(file, login, address.as_ref());
                let sender = || file.case.plan.senders.first().cloned();
                let who = match (deed, seen) {
                    (Deed::Cancel, _) if is_own => sender().map(Actor::Sender),
                    (Deed::Cancel, _) => None,
                    (_, Seen::Moderator(address)) => Some(Actor::Moderator(address)),
                    // A delay or a confirmation is the sender's own to decide: not a program's.
                    (Deed::Approve { .. }, Seen::Sender(address))
                        if *decides && file.case.plan.kind != Kind::Approval =>
                    {
                        Some(Actor::Moderator(address))
                    }
                    _ => None,
                };
                (who.ok_or(Refused::NotTheirs)?, Proof::Login)
            }
        };
        Ok(By { who, proof, from: Some(self.caller.from) })
    }
}

/// Whether a mail is an account's own: it was handed in by this log-in, or by no log-in at all
/// from an address that is the log-in.
fn is_own(file: &CaseFile, login: &str, address: Option<&Address>) -> bool {
    match &file.mail.login {
        Some(sender) => sender.to_lowercase() == login.to_lowercase(),
        None => address.zip(file.mail.sender.address()).is_some_and(|(own, it)| is_same(own, it)),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands where errors are mapped")]
fn not_theirs(refused: Refused) -> DeedError {
    DeedError::NotTheirs(refused.to_string().into())
}

/// Bytes of a page, unless one case alone has more.
const LARGEST_PAGE: usize = 1024 * 1024;
