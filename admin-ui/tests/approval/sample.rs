//! Mail that waits, in memory, behind the pages as the gateway would have it: the engine is the real one.

use std::{
    future::ready,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use mailweir_admin_ui::{
    Source,
    api::{self, Caller, Claim, HeldMail, NoEntry, Page, Wanted},
    approval::{Approvals, Later, LogInForm, NotDone, NotLoggedIn, Sight, Visit},
};
use mailweir_mail::{Address, Client, QueueId, ReversePath, Timestamp};
use mailweir_moderation::{
    case::{
        AtExpiry, Case, Expiry, Kind, Level, Moderator, OwnMail, Plan, Proof, Refused, RuleName,
        State, TellsSender,
    },
    case_file::{Attach, CaseFile},
    deed::{Deed, Unfit},
    notice::{Attachment, Language, Recipient, Summary, Zone},
    numbers::NumberKind,
    page::Wish,
    rule::Reason,
    token::{Grant, Purpose, Token},
};
use serde_json::Value;

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_795_210_205);

/// All cases, and what was done to them.
#[derive(Default)]
pub(crate) struct Desk {
    files: Mutex<Vec<(QueueId, CaseFile, Language)>>,
    visits: Mutex<Vec<Visit>>,
    /// How many decisions were made durable, so to speak.
    decided: Mutex<usize>,
}

/// A case in the making.
pub(crate) struct Draft {
    pub(crate) plan: Plan,
    pub(crate) mail: Summary,
    pub(crate) sensitive: bool,
    pub(crate) language: Language,
}

/// The links to a case.
#[derive(Clone)]
pub(crate) struct Links {
    pub(crate) number: usize,
    pub(crate) boss: String,
    pub(crate) cfo: String,
    pub(crate) sender: String,
}

impl Desk {
    /// Opens a case, and gives the tokens of its links.
    pub(crate) fn open(&self, draft: Draft) -> Links {
        let mut files = self.files();
        let number = files.len();
        let case = Case::open(draft.plan, NOW);
        let mut file = CaseFile::new(case, draft.mail, Attach::Nothing);
        file.sensitive = draft.sensitive;
        let kind = file.case.plan.kind;
        let mut give = |who: &str, purpose, seed: usize| {
            let mut random = [u8::try_from(number).unwrap(); 32];
            random[0] = u8::try_from(seed).unwrap();
            let token = Token::new(random);
            let expires = NOW.plus(Duration::from_secs(86_400));
            let (person, sent) = (address(who), Some(NOW));
            file.give(Grant { token: token.hash(), answer: None, person, purpose, expires, sent });
            token.to_string()
        };
        let confirms = if kind == Kind::Confirmation { Purpose::Decide } else { Purpose::Own };
        let links = Links {
            number,
            boss: give(BOSS, Purpose::Decide, 1),
            cfo: give(CFO, Purpose::Decide, 2),
            sender: give(SENDER, confirms, 3),
        };
        let id = QueueId::new(NOW.plus(Duration::from_secs(number as u64)), 1);
        files.push((id, file, draft.language));
        links
    }

    pub(crate) fn state(&self, links: &Links) -> State {
        self.files()[links.number].1.case.progress.state.clone()
    }

    pub(crate) fn file(&self, links: &Links) -> CaseFile {
        self.files()[links.number].1.clone()
    }

    pub(crate) fn change(&self, links: &Links, change: impl FnOnce(&mut CaseFile)) {
        change(&mut self.files()[links.number].1);
    }

    pub(crate) fn decided(&self) -> usize {
        *self.decided.lock().unwrap()
    }

    pub(crate) fn visits(&self) -> Vec<Visit> {
        self.visits.lock().unwrap().clone()
    }

    fn files(&self) -> MutexGuard<'_, Vec<(QueueId, CaseFile, Language)>> {
        self.files.lock().unwrap()
    }

    fn take(
        &self,
        token: &Token,
        wish: &Wish,
        proven: (Proof, Option<IpAddr>),
    ) -> Result<(), NotDone> {
        let sight = self.look(token).ok_or(NotDone::Unknown)?;
        let is_ours = |to: &&Address| to.as_str().ends_with("@own.example");
        let stand_in = |to: &Address| Some(to).filter(is_ours).cloned().map(Moderator::new);
        let command = wish.command(&sight.file, &sight.grant, proven, &stand_in);
        let command = command.map_err(|unfit| match unfit {
            Unfit::NotOffered => NotDone::NotOffered,
            Unfit::NoSuchRecipient(_) => NotDone::Refused(Box::new(Refused::NoSuchRecipient)),
            Unfit::Away(_) => NotDone::NoModerator,
        })?;
        let outcome = sight.file.case.take(&command, NOW);
        let outcome = outcome.map_err(|refused| NotDone::Refused(Box::new(refused)))?;
        let mut files = self.files();
        let file = files.iter_mut().find(|(id, ..)| *id == sight.id).unwrap();
        file.1.case = outcome.case;
        *self.decided.lock().unwrap() += 1;
        Ok(())
    }
}

impl Approvals for Desk {
    fn look(&self, token: &Token) -> Option<Sight> {
        let files = self.files();
        files.iter().find_map(|(id, file, language)| {
            let grant = file.grant(token.hash()).filter(|grant| grant.is_good(NOW))?;
            Some(Sight {
                id: *id,
                file: Arc::new(file.clone()),
                grant: grant.clone(),
                language: *language,
                zone: Zone::from_minutes(if *language == Language::En { 0 } else { 540 }).unwrap(),
                now: NOW,
                needs_login: file.sensitive,
                visits: self.visits(),
            })
        })
    }

    fn visited(&self, _: &Token, from: IpAddr, agent: &str) {
        let mut visits = self.visits.lock().unwrap();
        let is_scanner = visits.is_empty();
        match visits.iter_mut().find(|visit| visit.from == from && *visit.agent == *agent) {
            Some(visit) => visit.times += 1,
            None => visits.push(Visit {
                first: NOW,
                last: NOW,
                times: 1,
                from,
                agent: agent.into(),
                is_scanner,
            }),
        }
    }

    fn decide<'a>(
        &'a self,
        token: &'a Token,
        wish: Wish,
        proven: (Proof, Option<IpAddr>),
    ) -> Later<'a, Result<(), NotDone>> {
        Box::pin(async move { self.take(token, &wish, proven) })
    }

    fn log_in<'a>(
        &'a self,
        _: &'a Token,
        login: LogInForm,
        _: Option<IpAddr>,
    ) -> Later<'a, Result<(), NotLoggedIn>> {
        let is_right = &*login.name == BOSS && &*login.password == "right";
        Box::pin(async move { if is_right { Ok(()) } else { Err(NotLoggedIn::Denied) } })
    }
}

/// A mail to the outside that two must approve, as people of a language write.
pub(crate) fn draft(language: Language) -> Draft {
    let (from, subject, text, file) = match language {
        Language::En => (
            "Kim Jiwon <jiwon@own.example>",
            "Quotation for the third quarter",
            "Hello Mr Lee,\n\nplease find the quotation attached. It is valid until the end of the month; details at https://own.example/q3.\n\nKind regards\nJiwon",
            "quotation-q3.pdf",
        ),
        Language::Ko => (
            "김지원 <jiwon@own.example>",
            "3분기 견적서 송부드립니다",
            "안녕하세요, 이 부장님.\n\n요청하신 3분기 견적서를 첨부하여 보내드립니다. 자세한 내용은 https://own.example/q3 에서 확인하실 수 있습니다.\n\n감사합니다.\n김지원 드림",
            "3분기 견적서.pdf",
        ),
        Language::Ja => (
            "金 智元 <jiwon@own.example>",
            "第3四半期のお見積書の送付について",
            "李様\n\nお世話になっております。ご依頼の見積書をお送りいたします。詳細は https://own.example/q3 をご覧ください。\n\nよろしくお願いいたします。",
            "第3四半期見積書.pdf",
        ),
        Language::Fr => (
            "Jiwon Kim <jiwon@own.example>",
            "Devis pour le troisième trimestre",
            "Bonjour Monsieur Lee,\n\nveuillez trouver ci-joint le devis demandé. Les détails sont sur https://own.example/t3.\n\nBien cordialement,\nJiwon",
            "devis-t3.pdf",
        ),
    };
    let recipient = |address: &str, is_outside, is_hidden| Recipient {
        address: self::address(address),
        is_outside,
        is_hidden,
    };
    let mail = Summary {
        sent_to: 0,
        sender: ReversePath::Mailbox(address(SENDER)),
        from: from.into(),
        login: Some(SENDER.into()),
        client: Some(Client::unnamed(([192, 0, 2, 17], 49_152).into())),
        recipients: vec![
            recipient("lee@customer.example", true, false),
            recipient("park@own.example", false, false),
            recipient("watcher@rival.example", true, true),
        ],
        subject: subject.into(),
        size: 248_310,
        arrival: NOW,
        attachments: vec![Attachment {
            name: file.into(),
            kind: Some("application/pdf".into()),
            size: Some(181_400),
        }],
        more_attachments: 0,
        reasons: vec![Reason::Outside(2), Reason::Numbers(NumberKind::CardNumber, 1)],
        text: text.into(),
    };
    Draft { plan: plan(Kind::Approval, 3), mail, sensitive: false, language }
}

pub(crate) fn plan(kind: Kind, recipients: u32) -> Plan {
    let seats = |all: &[&str]| all.iter().map(|one| Moderator::new(address(one))).collect();
    let (moderators, own_mail) = match kind {
        Kind::Approval => (seats(&[BOSS, CFO]), OwnMail::Never),
        Kind::Delay | Kind::Confirmation => (seats(&[SENDER]), OwnMail::Allowed),
    };
    let action = if kind == Kind::Delay { AtExpiry::Release } else { AtExpiry::Reject };
    let at = NOW.plus(Duration::from_secs(if kind == Kind::Delay { 300 } else { 172_800 }));
    Plan {
        rule: RuleName { name: "to the outside".into(), place: "mailweir.toml:23".into() },
        also: Vec::new(),
        kind,
        levels: vec![Level { moderators, needed: 1 }],
        senders: vec![address(SENDER)],
        recipients,
        content: [0; 32],
        own_mail,
        remind_every: None,
        escalation: None,
        expiry: Some(Expiry { at, warning: None, action }),
        tells_sender: TellsSender::Always,
    }
}

pub(crate) fn address(text: &str) -> Address {
    text.parse().unwrap()
}

pub(crate) const BOSS: &str = "boss@own.example";
pub(crate) const CFO: &str = "cfo@own.example";
pub(crate) const SENDER: &str = "jiwon@own.example";

/// No program is let in.
pub(crate) struct NoPrograms;

impl HeldMail for NoPrograms {
    fn log_in<'a>(&'a self, _: Claim<'a>, _: Source) -> Later<'a, Result<Caller, NoEntry>> {
        Box::pin(ready(Err(NoEntry::Wrong)))
    }

    fn list<'a>(&'a self, _: &'a Caller, _: Wanted) -> Later<'a, Page> {
        Box::pin(ready(Page { held: Vec::new(), next: None }))
    }

    fn show(&self, _: &Caller, _: QueueId) -> Option<Value> {
        None
    }

    fn act<'a>(
        &'a self,
        _: &'a Caller,
        _: QueueId,
        _: Deed,
    ) -> Later<'a, Result<Value, api::DeedError>> {
        Box::pin(ready(Err(api::DeedError::NotFound)))
    }
}

impl api::ArchivedMail for NoPrograms {
    fn search<'a>(
        &'a self,
        _: &'a Caller,
        _: api::Search,
    ) -> Later<'a, Result<Value, api::NotShown>> {
        Box::pin(ready(Err(api::NotShown::NotFound)))
    }

    fn show<'a>(&'a self, _: &'a Caller, _: QueueId) -> Later<'a, Result<Value, api::NotShown>> {
        Box::pin(ready(Err(api::NotShown::NotFound)))
    }

    fn content<'a>(
        &'a self,
        _: &'a Caller,
        _: QueueId,
    ) -> Later<'a, Result<api::Content, api::NotShown>> {
        Box::pin(ready(Err(api::NotShown::NotFound)))
    }
}
