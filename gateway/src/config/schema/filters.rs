//! Whom we ask and who asks us: filters of other people, and Postfixes.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use mailweir_mail::Network;
use mailweir_moderation::rule::AddressPattern;
use mailweir_policy::FilterTarget;

use crate::config::{
    asked_at::FileMode,
    choice::{
        FilterType, IfFailed, IfHeld, IfInfected, IfLarger, LineEnd, MailDirection,
        WrittenPolicyAction,
    },
    filter::Score,
    next_hop::NextHop,
    section::section,
    units::ByteSize,
    words::{Label, Words},
};

section! {
    /// Where a Postfix in front asks which mail needs an approval (its `check_policy_service`). Mail that
    /// may need one comes to `listener`, which holds it or lets it go back; all other mail never comes
    /// here. Repeat the section for each. docs/postfix-in-front.md has the lines of Postfix.
    pub(in crate::config) tables "policy_server" PolicyServerSection {
        /// The addresses and ports to be asked at, such as `127.0.0.1:10040`.
        bind: Vec<SocketAddr> = [];
        /// A local socket to be asked at, beside `bind` or instead. Whoever can ask can also mislead:
        /// put it into a directory for the two servers alone.
        socket: Option<PathBuf>;
        /// The permissions of the socket.
        socket_mode: FileMode = "0660";
        /// Who may ask at `bind`.
        networks: Vec<Network> = ["127.0.0.1", "::1"];
        /// The listener that such mail comes to: its rules are asked. Its mode is "mx" or "submission",
        /// and the Postfix is one of its `networks`.
        listener: String;
        /// What Postfix is told about mail that may need an approval. "filter": FILTER, hand it to
        /// `listener`. "hold": HOLD, keep it; then nobody is asked, and `postsuper -H` lets it go.
        action: WrittenPolicyAction = "filter";
        /// Where FILTER sends it: a transport of Postfix's master.cf, and where `listener` is. Absent:
        /// `smtp` and its first address.
        filter: Option<FilterTarget>;
        /// How many connections there may be. Each smtpd of Postfix keeps one.
        connection_limit: NonZeroU32 = 1000;
        /// How long a connection may ask nothing. Postfix closes it itself after 300 s, and after 1000 s
        /// in any case.
        timeout: Duration = "1000 s";
    }
}

section! {
    /// A place where a mail server, such as a Postfix, asks as a milter what becomes of its mail: the rules of a listener judge
    /// it, and the mail stays there. Repeat the section for each. docs/postfix-in-front.md says how.
    pub(in crate::config) tables "milter_server" MilterServerSection {
        /// The addresses and ports to be asked at, such as `127.0.0.1:10050`.
        bind: Vec<SocketAddr> = [];
        /// A local socket to be asked at, beside `bind` or instead. Whoever can ask can also mislead:
        /// put it into a directory for the two servers alone.
        socket: Option<PathBuf>;
        /// The permissions of the socket.
        socket_mode: FileMode = "0660";
        /// Who may ask at `bind`.
        networks: Vec<Network> = ["127.0.0.1", "::1"];
        /// The listener whose rules are asked, as if the clients of the mail server came there. Its mode is "mx" or
        /// "submission". Who may relay and which recipients exist is for the mail server to say.
        listener: String;
        /// What is said of mail that rules of the listener hold, for an approval or by HOLD. "quarantine": hold it there; then
        /// nobody is asked, and `postsuper -H` lets it go. "tempfail": put it off with 451.
        if_held: IfHeld = "quarantine";
        /// How many connections there may be. Each session of the mail server has one.
        connection_limit: NonZeroU32 = 1000;
        /// How long a connection may say nothing: it has to wait for the client over there.
        timeout: Duration = "1000 s";
    }
}

section! {
    /// A filter of other people: mail goes there from the queue, and what the filter hands back goes on. Repeat the
    /// section for each. Mail passes those that mean it in the order of the file, each once. docs/filters.md says how.
    pub(in crate::config) tables "filter" FilterSection {
        /// Its name, used once. It stands in the log, and an action FILTER may name it: `FILTER scan:`.
        name: Label;
        /// "smtp": a server that takes mail by SMTP or LMTP. "proxy": one that gets it before it is taken, while its client waits.
        /// "pipe": a program that reads it (Postfix pipe(8)). "clamd", "spamd", "rspamd": one that is asked before the mail is
        /// taken. "milter": one that hears sessions by the milter protocol.
        kind as "type": FilterType, postfix "content_filter" "smtpd_proxy_filter";
        /// Where it hands mail back: a listener of mode "filter" for it alone. Absent: it hands nothing back; one of type "proxy" must.
        returns_to: Option<String>;
        /// Whether only an action FILTER sends mail there, or has it asked.
        only_by_action: bool = false;
        /// Which mail: where it came in, names of listeners.
        listeners: Vec<String> = [];
        /// Which mail: which way it goes, as in `archive.rule`.
        directions: Vec<MailDirection> = [];
        /// Which mail: who sends it, envelope senders.
        senders: Vec<AddressPattern> = [];
        /// Which mail: who gets it, as they are now or were written to. Only the copies of these go there; to filters that are
        /// asked before the mail is taken, the whole mail if it is for one of them.
        recipients: Vec<AddressPattern> = [];
        /// What becomes of mail when the filter fails: it cannot be reached, takes too long, or makes no sense. "defer": it is
        /// tried again later. "hold": it waits for an administrator. "pass": it goes on without the
        /// filter. "reject": it goes back to its sender. What a filter says of a mail, that it is refused or to be
        /// tried later, is no failure.
        if_failed: IfFailed = "defer";
        /// How many copies it gets at once. Of those that are asked before the mail is taken: clients that find no room wait.
        concurrency_limit: NonZeroU32 = 20, postfix "default_destination_concurrency_limit";
        /// How many recipients it gets at once. One of type "proxy" gets all.
        recipient_limit: NonZeroU32 = 50, postfix "default_destination_recipient_limit";
        /// Of type "smtp" and "proxy": where it is.
        to: Option<NextHop>;
        /// Of type "smtp" and "proxy": whether it is told by XFORWARD from which client the mail came, if it asks for that.
        xforward: Option<bool>, postfix "smtp_send_xforward_command";
        /// How long it may take with a mail. Of type "smtp": with its answer to the end of the content; absent: 20 min. Of
        /// type "pipe": until it has ended; absent: 1000 s. Then it is killed with its process group. Of type "proxy", "clamd",
        /// "spamd", "rspamd": from when its turn comes until it has answered; absent: 100 s.
        time_limit: Option<Duration>, postfix "command_time_limit" "smtpd_proxy_timeout";
        /// Of type "pipe": the program, by its whole path, and its arguments, each an entry, with the macros of pipe(8). No shell
        /// sees them. One with a part of a recipient, as `${recipient}`, is repeated for each.
        command: Vec<String> = [];
        /// Of type "pipe": as whom it runs, `user` or `user:group`. Absent: as the gateway itself, which must
        /// not be root then.
        user: Option<String>;
        /// Of type "pipe": where it runs. Absent: in `/`.
        directory: Option<PathBuf>;
        /// Of type "pipe": letters of pipe(8), any of `BDFORXhqu.>`.
        flags: Option<String>;
        /// Of type "pipe": what stands for the null sender in its arguments; "" is an empty argument. Absent:
        /// "MAILER-DAEMON".
        null_sender: Option<Words>;
        /// Of type "pipe": what ends the lines that it reads. Absent: "lf".
        eol: Option<LineEnd>;
        /// Larger mail is not for it. Of type "pipe": that counts as a failure; absent: any is. Of type "clamd", "spamd", "rspamd":
        /// `if_larger` says what becomes of it; absent: 25 MiB, 500 KiB, 50 MiB.
        size_limit: Option<ByteSize>;
        /// Of type "clamd", "spamd", "rspamd", "milter": where it listens, `inet:host:port` or `unix:/path`.
        server: Option<String>;
        /// Of the same types: whether mail over `size_limit`, or that clamd itself finds too large, passes, or the filter has failed with it. Absent: "fail" of clamd, "pass" of the others.
        if_larger: Option<IfLarger>;
        /// Of type "clamd" and "spamd": whether mail that goes on says so in its header (`X-Virus-Scanned`, `X-Spam-Status`). Absent: true.
        mark: Option<bool>;
        /// Of type "clamd", "spamd", "rspamd": whether what it finds counts in the score of `[spam]`, which says what becomes of the mail then;
        /// its own word counts where no mail is scored, as behind other filters. Absent: false.
        join_score: Option<bool>;
        /// Of type "clamd": what becomes of infected mail. Absent: "discard", for its sender is forged mostly.
        infected: Option<IfInfected>;
        /// Of type "spamd": from this score on mail is refused. Absent: never.
        reject_from: Option<Score>;
        /// Of type "spamd": from this score on mail is on hold. Absent: never.
        hold_from: Option<Score>;
        /// Of type "rspamd": the file with its password, if it wants one.
        password_file: Option<PathBuf>;
    }
}
