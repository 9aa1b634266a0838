//! Archived mail for programs: what the API says of it, to whom.
//!
//! A token with the right "audit", and accounts with the role of auditor or administrator, see all mail and all who
//! got it. Other accounts see what they sent or got, and of hidden recipients themselves alone.

use std::sync::Weak;

use mailweir_admin_ui::api::{
    ArchiveSight, ArchivedMail, Caller, Content, Later, NotShown, Search, Who,
};
use mailweir_mail::QueueId;
use serde::Serialize;
use serde_json::Value;

use super::{
    indexing::{FindError, Sight},
    reading,
    room::{Room, RoomError, Visitor},
    words,
};
use crate::app::App;

/// The archive of a gateway. Holds it weakly, so that an open connection keeps nothing alive.
pub(crate) struct Api {
    app: Weak<App>,
}

impl Api {
    #[must_use]
    pub(crate) const fn new(app: Weak<App>) -> Self {
        Self { app }
    }

    fn room(&self) -> Result<Room, NotShown> {
        let app = self.app.upgrade().ok_or_else(|| NotShown::Failed("the server ends".into()))?;
        app.room().ok_or_else(|| NotShown::Failed("nothing is archived here".into()))
    }

    async fn find(&self, caller: &Caller, wanted: Search) -> Result<Value, NotShown> {
        let (room, visitor) = (self.room()?, visitor(caller)?);
        let search = words::Search {
            query: wanted.query,
            before: wanted.before,
            limit: wanted.limit.unwrap_or(USUAL_PAGE),
            utc_offset: wanted.utc_offset,
            reach: words::Reach::AsItIs,
        };
        let (mails, found) = room.search(&visitor, search).await.map_err(not_shown)?;
        let mut answer = value(&found)?;
        answer["mails"] = value(&mails)?;
        Ok(answer)
    }
}

impl ArchivedMail for Api {
    fn search<'a>(
        &'a self,
        caller: &'a Caller,
        wanted: Search,
    ) -> Later<'a, Result<Value, NotShown>> {
        Box::pin(self.find(caller, wanted))
    }

    fn show<'a>(&'a self, caller: &'a Caller, id: QueueId) -> Later<'a, Result<Value, NotShown>> {
        Box::pin(async move {
            let shown = self.room()?.show(&visitor(caller)?, id).await.map_err(not_shown)?;
            value(&shown)
        })
    }

    fn content<'a>(
        &'a self,
        caller: &'a Caller,
        id: QueueId,
    ) -> Later<'a, Result<Content, NotShown>> {
        Box::pin(async move {
            let opened = self.room()?.content(&visitor(caller)?, id).await;
            let (size, payload) = opened.map_err(not_shown)?;
            Ok(Content { size, parts: reading::parts(payload) })
        })
    }
}

fn visitor(caller: &Caller) -> Result<Visitor, NotShown> {
    let by: Box<str> = match &caller.who {
        Who::Token { name, .. } => format!("token {name}").into(),
        Who::Account { login, .. } => login.clone(),
    };
    let sight = match (caller.archive, &caller.who) {
        (ArchiveSight::Everything, _) => Sight::WithBcc,
        (ArchiveSight::Own, Who::Account { login, address, .. }) => {
            let address = address.as_ref().map(ToString::to_string);
            Sight::Own([Some(login.to_string()), address].into_iter().flatten().collect())
        }
        (ArchiveSight::Own, Who::Token { .. }) | (ArchiveSight::Nothing, _) => {
            let reason = "the archive is for auditors: a token with rights = \"audit\"";
            return Err(NotShown::NotTheirs(reason.into()));
        }
    };
    Ok(Visitor { by, from: Some(caller.from), sight })
}

fn value(said: &impl Serialize) -> Result<Value, NotShown> {
    serde_json::to_value(said).map_err(|error| NotShown::Failed(error.to_string().into()))
}

fn not_shown(error: RoomError) -> NotShown {
    match error {
        RoomError::NoSuchMail(_) => NotShown::NotFound,
        RoomError::Find(FindError::Query(error)) => NotShown::Senseless(error.to_string().into()),
        RoomError::Find(FindError::Refused(error)) => NotShown::Senseless(error.to_string().into()),
        error @ RoomError::NamesHidden(_) => NotShown::NotTheirs(error.to_string().into()),
        RoomError::Refused(reason) => NotShown::Senseless(reason),
        error => NotShown::Failed(error.to_string().into()),
    }
}

const USUAL_PAGE: usize = 50;
