//! Who gets a notice, in which language, and what is on it for them alone.

use mailweir_mail::Address;
use mailweir_moderation::{
    case::{Moderator, To},
    case_file::CaseFile,
    notice::{Gathered, Language, Links, Zone},
    person::is_same,
    reply::address,
    token::{AnswerCode, Purpose, Token},
};

use super::{Settings, pace::Key};
use crate::clock;

/// Who gets a notice.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) address: Address,
    pub(super) language: Language,
    pub(super) zone: Zone,
}

impl Settings {
    /// Whom a notice is for; `None`: nobody can be told.
    pub(super) fn reader(&self, to: &To, file: &CaseFile) -> Option<Reader> {
        self.address(to, file).map(|address| self.known(address))
    }

    /// Where a notice goes.
    pub(super) fn address(&self, to: &To, file: &CaseFile) -> Option<Address> {
        match to {
            To::Moderator(address) => Some(address.clone()),
            To::Sender => file.case.plan.senders.first().cloned(),
            To::Administrators => self.administrators(),
        }
    }

    /// Who gets what was gathered. Those who run the gateway may be others than when it began.
    pub(super) fn reader_of(&self, Key { reader, kind }: &Key) -> Reader {
        let now = match kind {
            Gathered::Alerts => self.administrators(),
            Gathered::Requests | Gathered::News => None,
        };
        self.known(now.unwrap_or_else(|| reader.clone()))
    }

    /// Somebody by their address.
    pub(super) fn known(&self, address: Address) -> Reader {
        let mut moderators = self.rules.moderators.iter();
        let known = moderators.find(|moderator| is_same(&moderator.person.address, &address));
        let language = known.map_or(self.rules.language, |moderator| moderator.language);
        let zone = self.rules.zone_of(&address).around(clock::now());
        Reader { address, language, zone }
    }

    /// Who decides today for somebody, named in the configuration or not; `None`: they are away, and
    /// nobody stands in.
    pub(super) fn stand_in(&self, to: &Address) -> Option<Moderator> {
        let now = clock::now();
        let today = |person: &Address| self.rules.zone_of(person).date(now);
        self.rules.people.on(&today, std::slice::from_ref(to)).into_iter().next()
    }

    /// Whether rules have somebody decide, or they are listed as one who does.
    pub(super) fn decides_by_rule(&self, address: &Address) -> bool {
        let by_rule = self.rules.rules.iter().any(|rule| rule.action.names(address));
        by_rule
            || self.rules.moderators.iter().any(|one| {
                let deputy = one.person.deputy.as_ref();
                is_same(&one.person.address, address)
                    || deputy.is_some_and(|deputy| is_same(deputy, address))
            })
    }

    fn administrators(&self) -> Option<Address> {
        let usual = || Address::parse(&format!("postmaster@{}", self.hostname)).ok();
        self.administrators.clone().or_else(usual)
    }

    /// Where the notice with this code is answered, if answers are taken.
    pub(super) fn reply_address(&self, code: &AnswerCode) -> Option<Address> {
        let taken = self.rules.replies.then_some(&self.rules.from.address);
        taken.and_then(|from| address::with_code(from, code))
    }

    /// The pages of somebody who has a token; none if nobody can open them.
    pub(super) fn pages(&self, token: Option<(&Token, Purpose)>) -> Pages {
        let Some((base, (token, purpose))) = self.public_url.as_deref().zip(token) else {
            return Pages::default();
        };
        let open = format!("{}/m/{token}", base.trim_end_matches('/'));
        let ready = |deed: &str| Some(format!("{open}?{deed}"));
        match purpose {
            Purpose::Decide => Pages {
                approve: ready("approve"),
                reject: ready("reject"),
                cancel: None,
                open: Some(open),
            },
            Purpose::Own => {
                Pages { approve: None, reject: None, cancel: ready("cancel"), open: Some(open) }
            }
        }
    }
}

/// Addresses of pages. Opening one changes nothing.
#[derive(Default)]
pub(super) struct Pages {
    open: Option<String>,
    approve: Option<String>,
    reject: Option<String>,
    cancel: Option<String>,
}

impl Pages {
    pub(super) fn links(&self) -> Links<'_> {
        Links {
            open: self.open.as_deref(),
            approve: self.approve.as_deref(),
            reject: self.reject.as_deref(),
            cancel: self.cancel.as_deref(),
        }
    }
}
