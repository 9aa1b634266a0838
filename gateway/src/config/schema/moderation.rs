//! Which mail waits for people, and for whom.

use std::{num::NonZeroU32, time::Duration};

use mailweir_mail::{Address, Domain};
use mailweir_moderation::{
    action::Absence,
    case::TellsSender,
    chain::TrustedEntry,
    notice::Language,
    numbers::NumberKind,
    rule::{AddressPattern, Hours},
};

use crate::{
    config::{
        choice::{Attach, InnerHops, Origin, RuleAction, WrittenAtExpiry},
        moderation::{ExpireAfter, Expression, Mailbox, Needed, OneLine, WrittenLevel},
        section::section,
        table::TableName,
        units::ByteSize,
    },
    time_zone::TimeZone,
};

section! {
    /// Mail that waits for people before it is sent: who is written to and how, and which mail no rule
    /// is asked about. Which mail waits stands in `[[moderation.rule]]`. A reload takes all keys; mail
    /// that waits already goes on as it was when it came.
    pub(in crate::config) table "moderation" ModerationSection {
        /// Whom notices come from. Absent: `Mailweir <moderation@...>` at the hostname.
        from: Option<Mailbox>;
        /// Whether people may decide by answering a notice. The answer goes to the address of `from`
        /// with `+` and a code behind the local part, so mail for its domain must come to this gateway.
        replies: bool = true;
        /// The language of those who have none in `[[moderation.moderator]]`, senders among them:
        /// English, Korean, Japanese or French.
        language: Language = "en";
        /// Envelope senders whose mail needs nobody. Whoever can claim such an address is one of
        /// them. `[auth.senders]` binds addresses to log-ins: those who log in by `policy`, strangers by
        /// `unauthenticated = "reject"` for what `login_maps_file` names. Clients in `networks` may
        /// write any sender.
        trusted_senders: Vec<AddressPattern> = [];
        /// App passwords and interface tokens, by their labels, whose mail needs nobody, such as that
        /// of a program.
        trusted_credentials: Vec<String> = [];
        /// Whether mail needs nobody that came through `trusted_hosts` only: every Received header from
        /// the top down must name one of them, as must the client itself. `mailweir chain-check` shows
        /// it for a mail.
        trusted_chain: bool = false;
        /// Domains whose mail needs nobody if it has their verified signature (DKIM) and one From
        /// address, of that domain or below it. The whole body and From must be signed. If their name
        /// server does not answer, the mail waits as any other.
        dkim_domains: Vec<Domain> = [];
        /// Tables of the groups that people are in, for the condition `groups`. Keys are the log-in, then
        /// `user@example.org` and `@example.org` of the envelope sender; the first that has a value
        /// counts, and the value is names with commas or spaces between them. They are asked only if
        /// a rule names groups.
        group_maps: Vec<TableName> = [];
        /// How long it is remembered that two people have written to each other, for the condition
        /// `new_correspondent`. Counted from their last mail.
        forget_correspondents: Duration = "400 d";
        /// How many requests one moderator gets by themselves within `digest_interval`; further ones
        /// are gathered in one mail, which is sent when the interval ends. The same for reminders
        /// and warnings, for the news that something is decided, and for what administrators are told.
        /// 0: all are gathered.
        digest_after: u32 = 10;
        /// The time in which requests to one moderator are counted. It begins with the first.
        digest_interval: Duration = "15 min";
        /// How many notices are sent in a minute, to everybody together. Further ones wait for the
        /// next minute. 0: any number.
        notices_per_minute: u32 = 600;
        /// How many notices one sender gets a day (in UTC) about their own mail. Further ones are left
        /// out, and the log says which; that a mail is not sent is told up to ten times as often. 0:
        /// any number.
        sender_notices_per_day: u32 = 100;
        /// How long cases are kept that are decided, for people to look them up.
        keep_cases: Duration = "90 d";
        /// Whether everybody must log in to follow a link in a notice, or to answer one. If not, the
        /// link itself or a signed reply is enough, but for rules that are `sensitive`.
        links_need_login: bool = false;
        /// Our own mail servers: addresses, networks, and regular expressions for the text of an
        /// address, which begin with `^` and should end with `$`. IPv6 addresses are matched in their
        /// short form in lower case. Loopback and private addresses count only if they are listed.
        trusted_hosts: Vec<TrustedEntry> = [];
        /// What of mail that began at a trusted server itself, by its sendmail command or out of an
        /// Exchange mailbox, or of which it hides the client (Postfix `smtpd_hide_client_session`).
        /// "strict": not trusted. "accept": trusted.
        local_origin: Origin = "strict";
        /// What of mail from an unlisted address, by somebody who logged in at a trusted server
        /// (`with ESMTPSA`). "strict": not trusted. "accept": trusted, whatever stands below.
        authenticated_origin: Origin = "strict";
        /// How a trusted server is recognised that handed the mail to itself, for a content filter.
        /// "listed": its loopback address is in `trusted_hosts`. "same_host": also by its name in two
        /// headers in a row.
        inner_hops: InnerHops = "listed";
    }
}

section! {
    /// Somebody who decides about mail. Repeat the section for each. Those whom a rule names and who
    /// are not listed here are written to in `moderation.language` and are never away.
    pub(in crate::config) tables "moderation.moderator" ModeratorSection {
        /// Their address, as rules name it.
        address: Address;
        /// What notices call them. Absent: the address.
        name: Option<OneLine>;
        /// The language of their notices. Absent: `moderation.language`.
        language: Option<Language>;
        /// Their log-in, at the web pages and where they hand in mail. Absent: the address.
        login: Option<String>;
        /// Where they live: for `absent`, and for the times in their notices. Absent: `server.time_zone`.
        time_zone: Option<TimeZone>;
        /// When they are away: first and last day, or one day, from midnight to midnight there. Mail
        /// that comes then is for the deputy to decide; without one they are not asked, and
        /// administrators hear of it if too few are left.
        absent: Vec<Absence> = [];
        /// Who decides in their name while they are away. A deputy who is away too has a deputy in turn.
        deputy: Option<Address>;
    }
}

section! {
    /// Which mail waits, and for what. Repeat the section for each; all conditions of a rule must hold,
    /// of a list any entry, and a rule without conditions means all mail. The first rule that means a
    /// mail decides; the others that do are recorded. Mail of the null sender (`<>`) and notices of the
    /// gateway itself never wait.
    pub(in crate::config) tables "moderation.rule" RuleSection {
        /// The name, used once. It stands in notices and records.
        name: OneLine;
        /// What happens. "approval": `moderators` or `levels` decide. "delay": the mail goes after
        /// `delay`, unless its sender takes it back. "confirmation": its sender confirms it. "notice": it
        /// goes, and `moderators` hear of it. "accept": it goes, whatever the rules below say.
        action: RuleAction;
        /// Who sends: log-ins, whatever their case.
        logins: Vec<String> = [];
        /// Who sends: envelope senders.
        senders: Vec<AddressPattern> = [];
        /// Who sends: groups, as `moderation.group_maps` names them.
        groups: Vec<String> = [];
        /// Who sends: labels of app passwords and interface tokens.
        credentials: Vec<String> = [];
        /// Where it came in: names of listeners.
        listeners: Vec<String> = [];
        /// To whom: recipients, aliases written out. One recipient must meet this, `outside` and
        /// `new_correspondent` together.
        recipients: Vec<AddressPattern> = [];
        /// To whom: only recipients whose domain is not ours (`domains.relay`, alias domains).
        outside: bool = false;
        /// To whom: only recipients with whom this sender had no mail before, in neither direction: none
        /// that was sent, or was released. Remembered only while a rule asks for it.
        new_correspondent: bool = false;
        /// To whom: only mail with more recipients than this.
        more_than: Option<u32>;
        /// What: patterns of the subject as a person reads it. Case does not matter, here and below; a
        /// pattern may match anywhere.
        subject: Vec<Expression> = [];
        /// What: patterns of one line of text as a person reads it, HTML as text.
        text: Vec<Expression> = [];
        /// What: patterns of the name of an attachment, or of a file in an archive.
        attachment_name: Vec<Expression> = [];
        /// What: patterns of what an attachment really is, such as `^application/pdf$`.
        attachment_type: Vec<Expression> = [];
        /// What: only mail with an attachment.
        attachment: bool = false;
        /// What: only mail larger than this, headers included.
        larger_than: Option<ByteSize>;
        /// What: numbers with right check digits in its text. "kr-resident-number" (주민등록번호),
        /// "jp-my-number" (マイナンバー), "fr-nir" (numéro de sécurité sociale), "card-number", "iban".
        numbers: Vec<NumberKind> = [];
        /// How many of `numbers` must stand in it, all kinds together.
        numbers_at_least: NonZeroU32 = 1;
        /// When: days, spans, or both, in `server.time_zone`. A span over midnight belongs to
        /// the day it begins on.
        hours: Vec<Hours> = [];
        /// Who approves, if there is one level; who hears of it, of action "notice".
        moderators: Vec<Address> = [];
        /// How many of `moderators` must approve. One who refuses is enough to refuse.
        needed: Needed = 1;
        /// Who approves, one level after the other, instead of `moderators`.
        levels: Vec<WrittenLevel> = [];
        /// Whether senders may approve their own mail, if they are moderators of it.
        own_mail: bool = false;
        /// After how long those are asked again who have not answered, and again; at least 1 min. Absent:
        /// nobody is.
        remind_every: Option<Duration>;
        /// After how long without a decision `escalate_to` are asked too. Less than `expire_after`.
        escalate_after: Option<Duration>;
        /// Who is asked then. They join the level that is due.
        escalate_to: Vec<Address> = [];
        /// How long the mail waits for a decision. "never": for ever.
        expire_after: ExpireAfter = "2 d";
        /// What happens then. "reject": it is refused, and its sender hears it. "release": it is sent.
        /// "discard": it is thrown away, and its sender hears nothing.
        at_expiry: WrittenAtExpiry = "reject";
        /// How long before that everybody is told that it is near. 0: nobody is. Absent: half of
        /// `expire_after`, at most 24 h.
        warn_before: Option<Duration>;
        /// How long mail waits with action "delay".
        delay: Duration = "5 min";
        /// What the sender hears, if it is certain who that is: whoever logged in, or a sender of ours from
        /// one of the listener's `networks`. "always": that the mail is held, that its time is nearly over,
        /// and what came of it. "outcome": what came of it. "never": nothing.
        tells_sender: TellsSender = "always";
        /// What of the mail is attached to notices: all of it, its header, or nothing.
        attach: Attach = "original";
        /// Whether only the recipients that the rule means wait; the others get the mail at once.
        split: bool = false;
        /// Whether decisions need a log-in: a link in a notice is not enough, nor is a reply to it that
        /// was not handed in to this gateway with a log-in.
        sensitive: bool = false;
    }
}
