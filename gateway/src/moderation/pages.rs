//! What the pages behind the links of notices ask for: the case of a token, a decision, a log-in.
//!
//! Who may do what is for the case and for [`mailweir_moderation::page`] to say; what is done goes
//! through [`Moderation::take`] as everything else.

mod login;
mod visits;

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use mailweir_admin_ui::approval::{Approvals, Later, LogInForm, NotDone, NotLoggedIn, Sight};
use mailweir_mail::{Address, QueueId};
use mailweir_moderation::{
    case::{Proof, Refused, To},
    case_file::CaseFile,
    deed::Unfit,
    page::{Choice, Wish},
    person::is_same,
    token::{Grant, Purpose, Token},
};

use self::visits::Visits;
use super::{Moderation, Settings, TakeError};
use crate::{app::App, clock};

/// Answers for the pages; holds the gateway weakly, so that an open page keeps nothing alive.
pub(crate) struct LinkPages {
    app: Weak<App>,
    visits: Mutex<Visits>,
}

impl LinkPages {
    pub(crate) fn new(app: Weak<App>) -> Self {
        Self { app, visits: Mutex::default() }
    }

    /// What is changed is changed by single calls, so a panic elsewhere leaves it sound.
    fn visits(&self) -> MutexGuard<'_, Visits> {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Approvals for LinkPages {
    fn look(&self, token: &Token) -> Option<Sight> {
        let app = self.app.upgrade()?;
        let moderation = app.moderation();
        let (id, file, grant) = moderation.find(token.hash())?;
        let settings = moderation.settings.load();
        let reader = settings.reader(&To::Moderator(grant.person.clone()), &file)?;
        Some(Sight {
            id,
            language: reader.language,
            zone: reader.zone,
            now: clock::now(),
            needs_login: settings.needs_login(&file, &grant),
            visits: self.visits().of(id),
            file,
            grant,
        })
    }

    fn visited(&self, token: &Token, from: IpAddr, agent: &str) {
        let Some(app) = self.app.upgrade() else { return };
        if let Some((id, _, grant)) = app.moderation().find(token.hash()) {
            self.visits().note(id, grant.sent, clock::now(), from, agent);
        }
    }

    fn decide<'a>(
        &'a self,
        token: &'a Token,
        wish: Wish,
        proven: (Proof, Option<IpAddr>),
    ) -> Later<'a, Result<(), NotDone>> {
        Box::pin(async move {
            let app = self.app.upgrade().ok_or(NotDone::Failed)?;
            app.moderation().decide_on_page(token, &wish, proven).await
        })
    }

    fn log_in<'a>(
        &'a self,
        token: &'a Token,
        login: LogInForm,
        from: Option<IpAddr>,
    ) -> Later<'a, Result<(), NotLoggedIn>> {
        Box::pin(async move {
            let app = self.app.upgrade().ok_or(NotLoggedIn::Failed)?;
            let (_, file, grant) =
                app.moderation().find(token.hash()).ok_or(NotLoggedIn::Failed)?;
            let account = app.moderation().settings.load().account(&file, &grant);
            login::check(&app, &account, &login, from.ok_or(NotLoggedIn::Failed)?).await
        })
    }
}

impl Moderation {
    async fn decide_on_page(
        self: &Arc<Self>,
        token: &Token,
        wish: &Wish,
        proven: (Proof, Option<IpAddr>),
    ) -> Result<(), NotDone> {
        let (id, file, grant) = self.find(token.hash()).ok_or(NotDone::Unknown)?;
        let stand_in = |to: &Address| self.stand_in(to);
        let command = wish.command(&file, &grant, proven, &stand_in);
        let command = command.map_err(|why| unfit(&why))?;
        // A page must not let its reader ask anybody in the world. Who decides is told only to those who
        // may hand it on.
        let asked = wish.to.as_ref().filter(|_| wish.choice == Choice::Forward);
        if asked.is_some_and(|to| !self.decides_by_rule(to)) {
            return Err(NotDone::NoModerator);
        }
        match self.take(id, command).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.not_done(id, error)),
        }
    }

    fn not_done(&self, id: QueueId, error: TakeError) -> NotDone {
        match error {
            TakeError::NoCase(_) => NotDone::Unknown,
            TakeError::Refused(refused) => NotDone::Refused(Box::new(refused)),
            TakeError::Gone | TakeError::Altered => NotDone::Handled,
            error => {
                self.warn(format!("{id}: a decision at a page was not carried out: {error}"));
                NotDone::Failed
            }
        }
    }
}

fn unfit(unfit: &Unfit) -> NotDone {
    match unfit {
        Unfit::NotOffered => NotDone::NotOffered,
        Unfit::NoSuchRecipient(_) => NotDone::Refused(Box::new(Refused::NoSuchRecipient)),
        Unfit::Away(_) => NotDone::NoModerator,
    }
}

impl Settings {
    /// Whether the page shows nothing before a log-in. Senders who never logged in have no account.
    fn needs_login(&self, file: &CaseFile, grant: &Grant) -> bool {
        let has_account = grant.purpose == Purpose::Decide || file.mail.login.is_some();
        (file.sensitive || self.rules.links_need_login) && has_account
    }

    /// The log-in of the one who has a token.
    fn account(&self, file: &CaseFile, grant: &Grant) -> Box<str> {
        let mut moderators = self.rules.moderators.iter();
        if let Some(known) = moderators.find(|one| is_same(&one.person.address, &grant.person)) {
            return known.login.clone();
        }
        let is_sender =
            file.case.plan.senders.first().is_some_and(|one| is_same(one, &grant.person));
        let login = file.mail.login.clone().filter(|_| is_sender);
        login.unwrap_or_else(|| grant.person.as_str().into())
    }
}
