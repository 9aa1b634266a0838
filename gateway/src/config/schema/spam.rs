//! How strangers' mail is judged, and what signs our own.

use std::{num::NonZeroU32, path::PathBuf, time::Duration};

use mailweir_mail::{Date, Domain};

use crate::config::{
    before_data::ListSite,
    choice::{DmarcPolicy, IfMalware, IfUnclear, WrittenGreylist},
    moderation::Mailbox,
    pattern::DomainPattern,
    section::section,
    spam::Threshold,
    words::Label,
};

section! {
    /// Who really sent the mail of strangers (SPF, DKIM, DMARC, ARC, reverse DNS), and how much any mail looks like spam.
    /// A stranger is a client of a listener of the mode "mx" that has not logged in and is not in `networks`. What is found
    /// out stands in the fields `Authentication-Results` and `X-Mailweir-Spam`, on top of the mail. docs/spam.md says what
    /// it means.
    pub(in crate::config) table "spam" SpamSection {
        /// Whether mail is looked at.
        enabled: bool = false;
        /// The name in our `Authentication-Results`. Fields that come with this name are taken out of mail, since anybody
        /// can write them. Absent: `server.hostname`.
        authserv_id: Option<Domain>;
        /// What becomes of mail that fails its author's DMARC policy. "quarantine": it is held, which is what RFC 9989
        /// expects of whoever has nothing else to go by. "obey": it is refused or held as the policy asks, mail of mailing
        /// lists among it. "note": it is written down, and that is all.
        dmarc: DmarcPolicy = "quarantine";
        /// What becomes of mail if a name server does not tell whether its author's domain has a DMARC policy. "accept": it goes
        /// on, and proves nothing. "defer": it is put off (451). Where there is a policy, and it is not known whether the mail
        /// fails it, it is put off in any case, but for "note".
        if_unclear: IfUnclear = "accept";
        /// How long the name servers may take for one mail: half of it for all that its sender may choose, and
        /// the rest for its author's domain. What is not known then is not clear.
        dns_time_limit: Duration = "10s";
        /// How often they are asked about what the sender of a mail may choose. Beyond that nothing is proven.
        dns_lookup_limit: NonZeroU32 = 100;
        /// Whose word counts for mail that was changed on its way, such as that of a mailing list: domains that seal it
        /// (ARC). Mail that passed DMARC there is not refused or held by it here.
        trusted_sealers: Vec<DomainPattern> = [];
        /// From how many points on mail of strangers is marked (`X-Spam-Flag: YES`) and goes on.
        tag_from: Threshold = 5;
        /// From how many points on mail of strangers is held.
        quarantine_from: Threshold = 8;
        /// From how many points on mail of strangers is refused.
        reject_from: Threshold = "never";
        /// What becomes of mail of strangers that has known malware, by the word of a filter that joins the score.
        /// "discard": it is thrown away, and its client told that it was taken. "quarantine": it is held. "reject": it is
        /// refused.
        malware: IfMalware = "discard";
        /// From how many points on mail of our own people is held. The classifier alone does not reach 10.
        outbound_quarantine_from: Threshold = 10;
        /// From how many points on mail of our own people is refused.
        outbound_reject_from: Threshold = "never";
        /// What becomes of mail of our own people that has known malware: they do not know that they send it, and hear
        /// of it only if it is refused.
        outbound_malware: IfMalware = "reject";
        /// A file that changes what symbols weigh (TOML): of each `[symbol.NAME]` its `weight`, or `on = false`.
        /// `mailweir spam symbols` lists them all. Read at start and on reload.
        weights_file: Option<PathBuf>;
        /// Lists of domains and addresses that spam links to (URIBL), each as in Postfix's `postscreen_dnsbl_sites`:
        /// `list.example`, `list.example=127.0.0.[2..11]`, and behind `*` how much it is believed. The owner of a list sees what
        /// mail links to, and most want money from whoever asks much.
        uribl_sites: Vec<ListSite> = [];
        /// People whose names strangers should not write mail under, such as "Ann Lee <ann@example.org>": a mail from
        /// elsewhere with such a name is suspicious. The domains of `domains.relay` are looked after anyway.
        people: Vec<Mailbox> = [];
        /// The lists in DNS that are asked about the address of a stranger, as Postfix writes them: `zone`, `zone=127.0.0.[2..11]`,
        /// `zone*2`. Behind `*` stands what a listing weighs; less than zero for lists of senders of wanted mail.
        dnsbl_sites: Vec<ListSite> = [], postfix "postscreen_dnsbl_sites";
        /// The lists in DNS that are asked about the domain of the sender, the name in HELO and the reverse name of the client.
        rhsbl_sites: Vec<ListSite> = [];
        /// Which strangers are asked to come again, once for each network, sender and recipient. "never"; "suspicious": those of whom
        /// what is known before DATA weighs at least `greylist_from`, and at the end of data those whose whole mail does; "always": all.
        /// Nobody is whose domain vouches for it (SPF pass), who is on a list of senders of wanted mail, or to whom one of our own
        /// people has written.
        greylist: WrittenGreylist = "never";
        /// From how many points on a stranger is suspicious: by what is known before DATA, and at the end of data by the whole mail.
        greylist_from: Threshold = 2;
        /// How long it has to stay away.
        greylist_delay: Duration = "5 min";
        /// How long after its first time it may come again. Later it is new.
        greylist_retry_window: Duration = "2 d";
        /// How long it is known after its last mail, and an address after one of our own people has last written to it.
        greylist_keep: Duration = "35 d";
        /// How long a stranger waits for the greeting; whoever talks before it is refused, which programs do that send only spam. An address
        /// that has waited is greeted at once for some days. Not where TLS comes first ("implicit"), and not while more than half of
        /// `limits.session_limit` are taken. "0s": nobody waits.
        greet_wait: Duration = "0s", postfix "postscreen_greet_wait";
        /// How many mails strangers of one network (/24, IPv6 /64) may hand in within an hour; more are put off (451). Absent: any number.
        network_rate: Option<NonZeroU32>;
        /// How many mails of one sender's domain strangers may hand in within an hour; more are put off (451). Mail that the domain vouches for
        /// (SPF pass) is counted by itself, so that no forger uses up what the domain may send. Absent: any number.
        sender_rate: Option<NonZeroU32>;
    }
}

section! {
    /// A key that mail of our own people is signed with (DKIM). A mail is signed if its author, the one in From, is in the domain or
    /// below it, and it comes from somebody who logged in or is in `networks`; with every key of its domain that is in
    /// force. `mailweir dkim new` makes a key and says what to publish. Repeat the section for each key.
    pub(in crate::config) tables "dkim" DkimSection {
        /// The domain that signs (`d=`).
        domain: Domain;
        /// The name of the key in the domain (`s=`): its record is at `SELECTOR._domainkey.DOMAIN`.
        selector: Label;
        /// The private key, RSA from 2048 bits or Ed25519, in PEM and without a password. Only the gateway's own user should be able to
        /// read it.
        key_file: PathBuf;
        /// The first day (UTC) on which it signs, such as "2026-12-31": the record should have been published the day before.
        /// Absent: now.
        from: Option<Date>;
        /// The first day (UTC) on which it signs no more. Its record should stay published for a week, since mail may be on its way
        /// so long. Absent: never.
        until: Option<Date>;
    }
}
