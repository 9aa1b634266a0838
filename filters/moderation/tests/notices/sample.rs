//! One of each notice, about mails as people write them.

use std::time::Duration;

use mailweir_mail::{Address, Client, Domain, QueueId, ReversePath, Timestamp};
use mailweir_moderation::{
    case::{
        Actor, AtExpiry, By, Case, Command, Expiry, Kind, Level, Moderator, OwnMail, Plan, Proof,
        QueueDeed, Refused, RuleName, TellsSender, To, Word,
    },
    case_file::LastWord,
    notice::{
        About, Answered, Attached, Attachment, Composed, Gathered, Language, Letter, Links,
        MessageId, Notice, Octets, Recipient, Summary, Waiting, Zone, compose,
    },
    numbers::NumberKind,
    rule::Reason,
};

/// All of them in a language, by name.
pub(super) fn all(language: Language) -> Vec<(&'static str, Composed)> {
    let mut all = asked(language);
    all.extend(told(language));
    all.extend(answered(language));
    all
}

fn asked(language: Language) -> Vec<(&'static str, Composed)> {
    let sample = Sample::new(language);
    let boss = To::Moderator(boss_address());
    let owed = |name, case: &Case, word, to: &To| (name, sample.owed(case, word, to));
    let open = sample.open(Kind::Approval);
    let forwarded = after(
        &open,
        &[
            Command::Approve {
                by: by(&address("cfo@own.example")),
                comment: sample.comment.into(),
                only: Some(vec![0, 1]),
                at: None,
                trust_days: 0,
            },
            Command::Forward {
                by: by(&boss_address()),
                to: Moderator {
                    address: address("lee@own.example"),
                    deputy_of: Some(address("choi@own.example")),
                },
            },
        ],
    );
    let confirmation = sample.open(Kind::Confirmation);
    vec![
        owed("request", &open, Word::Request, &boss),
        owed("reminder", &open, Word::Reminder, &boss),
        owed("escalation", &open, Word::Escalation, &boss),
        owed("forwarded", &forwarded, Word::Forwarded, &To::Moderator(address("lee@own.example"))),
        owed("expires_soon", &open, Word::ExpiryWarning, &boss),
        owed("confirmation", &confirmation, Word::Request, &To::Moderator(sender())),
        owed("no_moderator", &open, Word::NoModerator, &To::Administrators),
        ("digest", sample.digest(Gathered::Requests, &open, 3)),
    ]
}

fn told(language: Language) -> Vec<(&'static str, Composed)> {
    let sample = Sample::new(language);
    let open = sample.open(Kind::Approval);
    let mut told = Vec::new();
    let mut tell =
        |name, case: &Case, word, to: &To| told.push((name, sample.owed(case, word, to)));
    let approve = |who: &str, only| Command::Approve {
        by: by(&address(who)),
        comment: sample.comment.into(),
        only,
        at: None,
        trust_days: 0,
    };
    let by_both = |only: Option<Vec<u32>>| {
        after(&open, &[approve("boss@own.example", only), approve("cfo@own.example", None)])
    };
    tell("held", &open, Word::Held, &To::Sender);
    tell("delayed", &sample.open(Kind::Delay), Word::Held, &To::Sender);
    tell("sender_warned", &open, Word::ExpiryWarning, &To::Sender);
    tell("approved", &by_both(None), Word::Decided, &To::Sender);
    tell("partly_approved", &by_both(Some(vec![0, 2])), Word::Decided, &To::Sender);
    let boss = By { who: Actor::Moderator(boss_address()), proof: Proof::Link, from: None };
    let reason: Box<str> = sample.reason.into();
    let rejected = Command::Reject { by: boss.clone(), reason: reason.clone() };
    tell("rejected", &after(&open, std::slice::from_ref(&rejected)), Word::Decided, &To::Sender);
    let returned = Command::Return { by: boss.clone(), reason: reason.clone() };
    tell("returned", &after(&open, &[returned]), Word::Decided, &To::Sender);
    let admin = By { who: Actor::Administrator("root".into()), ..boss.clone() };
    let expired = at(&open, Duration::from_secs(5 * 86_400));
    tell("expired", &expired, Word::Decided, &To::Sender);
    let sent = at(&sample.open(Kind::Delay), Duration::from_secs(5 * 86_400));
    tell("sent_by_time", &sent, Word::Decided, &To::Sender);
    let cfo = To::Moderator(address("cfo@own.example"));
    let refused = after(&open, &[rejected]);
    tell("moderators_rejected", &refused, Word::Decided, &cfo);
    let cancelled = Command::Cancel { by: By { who: Actor::Sender(sender()), ..boss } };
    tell("moderators_cancelled", &after(&open, &[cancelled]), Word::Decided, &cfo);
    let released = Command::Overtake { by: admin.clone(), deed: QueueDeed::Released };
    tell("moderators_released_in_queue", &after(&open, &[released]), Word::Decided, &cfo);
    let gone = after(&open, &[Command::Lose]);
    tell("gone", &gone, Word::Decided, &To::Sender);
    tell("moderators_gone", &gone, Word::Decided, &cfo);
    let discarded = Command::Discard { by: admin, reason };
    tell("moderators_discarded", &after(&open, &[discarded]), Word::Decided, &cfo);
    let approved = by_both(Some(vec![0, 2]));
    let damaged = after(&open, &[Command::Condemn]);
    for (name, case, to) in [
        ("awaits_operator", &approved, &To::Sender),
        ("moderators_await_operator", &approved, &cfo),
        ("damaged", &damaged, &To::Sender),
        ("moderators_damaged", &damaged, &cfo),
    ] {
        told.push((name, sample.left(case, LastWord::Awaited, to)));
    }
    told.push(("digest_of_news", sample.digest(Gathered::News, &refused, 2)));
    told.push(("digest_of_alerts", sample.digest(Gathered::Alerts, &open, 2)));
    told
}

fn answered(language: Language) -> Vec<(&'static str, Composed)> {
    let sample = Sample::new(language);
    let open = sample.open(Kind::Approval);
    let reject =
        |who: &str| Command::Reject { by: by(&address(who)), reason: sample.reason.into() };
    let late = after(&open, &[reject("cfo@own.example")]);
    let first = Command::Approve {
        by: by(&boss_address()),
        comment: "".into(),
        only: None,
        at: None,
        trust_days: 0,
    };
    let half = after(&open, &[first]);
    let refused = late.take(&reject("boss@own.example"), NOW).unwrap_err();
    let answer = |name, case: &Case, result: Answered<'_>| {
        let notice = Notice::Answered { result, about: sample.about(case) };
        (name, sample.compose(&notice, &boss_address()))
    };
    vec![
        answer("unclear", &open, Answered::Unclear),
        answer("not_proven", &open, Answered::NotProven),
        answer("late", &late, Answered::Refused(&refused)),
        answer("not_theirs", &late, Answered::Refused(&Refused::NotTheirs)),
        answer("done", &half, Answered::Done),
    ]
}

/// A mail and its gateway.
pub(super) struct Sample {
    pub(super) language: Language,
    pub(super) mail: Summary,
    pub(super) gateway: &'static str,
    pub(super) comment: &'static str,
    pub(super) reason: &'static str,
    pub(super) attached: Attached,
}

impl Sample {
    pub(super) fn new(language: Language) -> Self {
        let words = words(language);
        let mail = Summary {
            sender: ReversePath::Mailbox(sender()),
            from: format!("{} <kim@own.example>", words.name).into(),
            login: Some("kim".into()),
            client: Some(Client {
                address: "192.0.2.17:51512".parse().unwrap(),
                name: Some("pc17.own.example".into()),
            }),
            recipients: vec![
                recipient("park@own.example", false, false),
                recipient("purchasing@customer.example", true, false),
                recipient("archive@elsewhere.example", true, true),
            ],
            sent_to: 0,
            subject: words.subject.into(),
            size: 2_431_077,
            arrival: NOW,
            attachments: vec![
                Attachment {
                    name: words.file.into(),
                    kind: Some("application/pdf".into()),
                    size: Some(1_804_211),
                },
                Attachment { name: "".into(), kind: Some("image/png".into()), size: Some(48_120) },
            ],
            more_attachments: 0,
            reasons: vec![
                Reason::Outside(2),
                Reason::NewCorrespondent(1),
                Reason::Numbers(NumberKind::CardNumber, 2),
                Reason::AttachmentName(words.file.into()),
            ],
            text: words.text.into(),
        };
        Self {
            language,
            mail,
            gateway: words.gateway,
            comment: words.comment,
            reason: words.reason,
            attached: Attached::Nothing,
        }
    }

    pub(super) fn open(&self, kind: Kind) -> Case {
        let level = |names: &[&str], needed| Level {
            moderators: names.iter().map(|name| Moderator::new(address(name))).collect(),
            needed,
        };
        let action = match kind {
            Kind::Approval | Kind::Confirmation => AtExpiry::Reject,
            Kind::Delay => AtExpiry::Release,
        };
        let levels = match kind {
            Kind::Approval => vec![level(&["boss@own.example", "cfo@own.example"], 2)],
            Kind::Delay | Kind::Confirmation => vec![level(&["kim@own.example"], 1)],
        };
        let plan = Plan {
            rule: RuleName { name: "offers-outside".into(), place: "rules.toml:12".into() },
            also: vec![RuleName { name: "card-numbers".into(), place: "rules.toml:30".into() }],
            kind,
            levels,
            senders: vec![sender()],
            recipients: 3,
            content: [0; 32],
            own_mail: OwnMail::Allowed,
            remind_every: None,
            escalation: None,
            expiry: Some(Expiry {
                at: NOW.plus(Duration::from_secs(2 * 86_400)),
                warning: None,
                action,
            }),
            tells_sender: TellsSender::Always,
        };
        Case::open(plan, NOW)
    }

    pub(super) fn about<'a>(&'a self, case: &'a Case) -> About<'a> {
        let last_word = LastWord::People;
        About { id: QueueId::new(NOW, 7), case, mail: &self.mail, last_word }
    }

    /// A case that is decided, to its sender or to one who was asked. An operator has the last word.
    pub(super) fn left(&self, case: &Case, last_word: LastWord, to: &To) -> Composed {
        let about = About { last_word, ..self.about(case) };
        let reader = if let To::Moderator(address) = to { address.clone() } else { sender() };
        self.compose(&Notice::Owed { word: Word::Decided, to, about }, &reader)
    }

    pub(super) fn owed(&self, case: &Case, word: Word, to: &To) -> Composed {
        let reader = match to {
            To::Moderator(address) => address.clone(),
            To::Sender => sender(),
            To::Administrators => address("postmaster@own.example"),
        };
        self.compose(&Notice::Owed { word, to, about: self.about(case) }, &reader)
    }

    pub(super) fn digest(&self, kind: Gathered, case: &Case, count: usize) -> Composed {
        let open = (kind == Gathered::Requests).then_some(OPEN);
        let one = Waiting { about: self.about(case), open };
        let shown = vec![one; count];
        self.compose(&Notice::Digest { kind, shown: &shown, count }, &boss_address())
    }

    pub(super) fn compose(&self, notice: &Notice<'_>, reader: &Address) -> Composed {
        let (from, answer, host) = (
            address("approval@gate.own.example"),
            address(&format!("approval+{TOKEN}@gate.own.example")),
            Domain::parse("gate.own.example").unwrap(),
        );
        let id = QueueId::new(NOW, 7);
        let first = [MessageId::of(id, reader, 1, &host)];
        let is_request = matches!(notice, Notice::Owed { word: Word::Request | Word::Held, .. });
        let (decides, owns) = abilities(notice);
        // An answer is to a notice that has the links, and entries of a digest have links of their own.
        let has_links = matches!(notice, Notice::Owed { .. });
        compose(
            notice,
            &Letter {
                language: self.language,
                zone: zone(self.language),
                from_name: self.gateway,
                from: &from,
                to: reader,
                reply_to: decides.then_some(&answer),
                links: Links {
                    open: has_links.then_some(OPEN),
                    approve: (decides && has_links).then_some(APPROVE),
                    reject: (decides && has_links).then_some(REJECT),
                    cancel: owns.then_some(CANCEL),
                },
                date: NOW,
                id: MessageId::of(id, reader, 4, &host),
                thread: if is_request { &[] } else { &first },
                seed: 0x5eed,
                attached: self.attached,
            },
        )
    }
}

/// Whether the reader decides, and whether the reader may take the mail back.
fn abilities(notice: &Notice<'_>) -> (bool, bool) {
    match notice {
        Notice::Owed { word, to, .. } => (
            matches!(to, To::Moderator(_)) && *word != Word::Decided,
            matches!(to, To::Sender) && *word != Word::Decided,
        ),
        Notice::Answered { result, .. } => {
            (matches!(result, Answered::Unclear | Answered::NotProven), false)
        }
        Notice::Digest { .. } => (false, false),
    }
}

pub(super) fn by(who: &Address) -> By {
    By { who: Actor::Moderator(who.clone()), proof: Proof::Link, from: None }
}

/// The case after people did something, an hour later.
pub(super) fn after(case: &Case, commands: &[Command]) -> Case {
    let later = NOW.plus(Duration::from_secs(3600));
    commands.iter().fold(case.clone(), |case, command| case.take(command, later).unwrap().case)
}

fn at(case: &Case, span: Duration) -> Case {
    case.take(&Command::Clock, NOW.plus(span)).unwrap().case
}

pub(super) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn boss_address() -> Address {
    address("boss@own.example")
}

pub(super) fn sender() -> Address {
    address("kim@own.example")
}

pub(super) fn recipient(name: &str, is_outside: bool, is_hidden: bool) -> Recipient {
    Recipient { address: address(name), is_outside, is_hidden }
}

fn zone(language: Language) -> Zone {
    Zone::from_minutes(match language {
        Language::En => 0,
        Language::Ko | Language::Ja => 540,
        Language::Fr => 60,
    })
    .unwrap()
}

/// The original that some of them carry.
pub(super) const ORIGINAL: &[u8] =
    "Subject: x\r\n\r\nGr\u{fc}\u{df}e --=_m000\r\n.\r\nFrom me\r\nno line end".as_bytes();

pub(super) const EIGHT_BIT: Attached = Attached::Mail(Octets::EightBit);

struct Words {
    name: &'static str,
    subject: &'static str,
    file: &'static str,
    text: &'static str,
    gateway: &'static str,
    comment: &'static str,
    reason: &'static str,
}

fn words(language: Language) -> Words {
    match language {
        Language::En => Words {
            name: "Kim Minsu",
            subject: "Offer for the 2027 maintenance contract",
            file: "offer-2027.pdf",
            text: "Dear Ms Martin,\n\nthank you for your time on Tuesday. Please find attached our \
                   offer. The price list is at https://files.example/prices?id=7\n\nThe card number \
                   for the deposit is 4111 1111 1111 1111.\n\nKind regards\nKim Minsu",
            gateway: "Example Mail Approval",
            comment: "Prices checked with sales.",
            reason: "Please take the card number out\nand send the price list as a file.",
        },
        Language::Ko => Words {
            name: "김민수",
            subject: "2027년 유지보수 계약 견적서 송부의 건",
            file: "견적서_2027.pdf",
            text: "박 과장님께\n\n안녕하십니까. 지난 화요일에 시간 내주셔서 감사합니다. 견적서를 첨부하여 \
                   보내 드립니다. 단가표: https://files.example/prices?id=7\n\n계약금 결제 카드 번호는 \
                   4111 1111 1111 1111입니다.\n\n김민수 드림",
            gateway: "예시상사 메일 결재",
            comment: "영업팀과 단가 확인했습니다.",
            reason: "카드 번호를 삭제해 주시고,\n단가표는 파일로 보내 주시기 바랍니다.",
        },
        Language::Ja => Words {
            name: "金田 実",
            subject: "【ご送付】2027年度保守契約のお見積書",
            file: "お見積書_2027.pdf",
            text: "株式会社カスタマー 佐藤様\n\nいつもお世話になっております。先日はお時間をいただき、\
                   ありがとうございました。お見積書を添付いたします。価格表: https://files.example/prices?id=7\n\n\
                   手付金のカード番号は 4111 1111 1111 1111 です。\n\nよろしくお願いいたします。",
            gateway: "サンプル商事 メール承認",
            comment: "営業部と価格を確認済みです。",
            reason: "カード番号を削除し、\n価格表はファイルでお送りください。",
        },
        Language::Fr => Words {
            name: "Hélène Marchand",
            subject: "Offre pour le contrat de maintenance 2027",
            file: "offre-été-2027.pdf",
            text: "Madame,\n\nmerci de nous avoir reçus mardi. Vous trouverez ci-joint notre offre. \
                   Les tarifs sont ici : https://files.example/prices?id=7\n\nLe numéro de carte pour \
                   l’acompte est le 4111 1111 1111 1111.\n\nCordialement,\nHélène Marchand",
            gateway: "Validation des messages, Exemple SA",
            comment: "Tarifs vérifiés avec le service commercial.",
            reason: "Merci d’enlever le numéro de carte\net de joindre les tarifs.",
        },
    }
}

pub(super) const NOW: Timestamp = Timestamp::from_secs(1_795_210_205);

const TOKEN: &str = "mzxw6ytboi7777777777777777777777777777777777777777aq";
const OPEN: &str =
    "https://gate.own.example/m/mzxw6ytboi7777777777777777777777777777777777777777aq";
const APPROVE: &str =
    "https://gate.own.example/m/mzxw6ytboi7777777777777777777777777777777777777777aq/approve";
const REJECT: &str =
    "https://gate.own.example/m/mzxw6ytboi7777777777777777777777777777777777777777aq/reject";
const CANCEL: &str =
    "https://gate.own.example/m/mzxw6ytboi7777777777777777777777777777777777777777aq/cancel";
