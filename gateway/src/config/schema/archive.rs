//! What is archived, and for how long.

use std::path::PathBuf;

use mailweir_filters::archiving::HeaderTest;
use mailweir_mail::Address;
use mailweir_moderation::rule::AddressPattern;

use crate::config::{
    archive::KeepFor,
    choice::{IfUnwritable, KeepOrSkip, MailDirection},
    moderation::OneLine,
    section::section,
    units::ByteSize,
};

section! {
    /// The archive: every mail as it was accepted, with its envelope, and what became of it. docs/archive.md
    /// says what that proves. A reload takes its rules, `mark` and `own`; all other keys
    /// need a restart.
    pub(in crate::config) table "archive" ArchiveSection {
        /// Whether mail is archived.
        enabled: bool = false;
        /// Where the archive is. It may be on another disk than the queue. Absent: `archive` in
        /// `server.data_dir`.
        directory: Option<PathBuf>;
        /// Whether what is archived is encrypted, if there is a `key_file`. With `false` new mail is not; what
        /// was encrypted before can still be read.
        encrypt: bool = true;
        /// A file with the keys that the archive is encrypted with: on each line one, as 64 hexadecimal digits.
        /// The first is used for new mail, all are tried for old mail. `openssl rand -hex 32` makes one. Only
        /// the gateway's own user should be able to read the file. Without it nobody ever reads that mail
        /// again: keep a copy elsewhere.
        key_file: Option<PathBuf>;
        /// What becomes of new mail while the archive cannot be written. "defer": it is put off (451).
        /// "accept": it is taken, and the log has an alarm. What was accepted waits in the queue until
        /// the archive has it, in any case.
        if_unwritable: IfUnwritable = "defer";
        /// How long mail is kept that no rule means, counted from its record.
        keep: KeepFor = "forever";
        /// Whether the gateway's own mail is archived, too: reports to senders, notices of moderation. By the
        /// links in notices held mail is decided about: whoever reads the archive has them as well.
        own: bool = false;
        /// Whether mail that is archived goes on with `X-Archive-Status: Archived` above its header; fields of that
        /// name that came with a mail are taken out then. It breaks no signature but one that covers
        /// such a field.
        mark: bool = false;
        /// Who gets the roots of sealed segments, by a mail for each day that has any. Who has them can prove
        /// that the archive is the one that it was; keep that mail elsewhere.
        roots_to: Vec<Address> = [];
        /// A file on another machine or disk that gets the roots as well, a line for each.
        roots_copy: Option<PathBuf>;
        /// A segment of the archive that has grown to so many bytes is sealed, and another one is begun.
        segment_size: ByteSize = 256000000;
        /// Whether mail is indexed, so that it can be searched. The index lies beside the archive, in its
        /// directory, and can be made anew at any time.
        index: bool = true;
        /// Memory for words that wait to be written to the index, 15 MB to 2 GiB. The process that reads mail
        /// for it takes some more.
        index_memory: ByteSize = 64000000;
    }
}

section! {
    /// Which mail the archive keeps, and for how long. The first rule that means a mail decides; mail that
    /// none means is kept for `archive.keep`. Repeat the section for each. All conditions of a rule
    /// must hold; of a list, any entry.
    pub(in crate::config) tables "archive.rule" ArchiveRuleSection {
        /// Its name, used once. It stands in the record of each mail that it has kept.
        name: OneLine;
        /// "keep": the mail is kept for `keep`. "skip": it is left out.
        action: KeepOrSkip = "keep";
        /// How long it is kept. Absent: `archive.keep`.
        keep: Option<KeepFor>;
        /// Which way the mail goes. "inbound": from elsewhere. "outbound": from those who logged in, or are
        /// in `networks`, to other domains than ours, among others. "internal": from them to domains of
        /// ours only. "own": written by the gateway itself, if `archive.own` has it archived.
        directions: Vec<MailDirection> = [];
        /// Who sends it: envelope senders.
        senders: Vec<AddressPattern> = [];
        /// Who gets it, as they are now or were written to. One recipient is enough for "keep"; "skip"
        /// means only mail that nobody else gets.
        recipients: Vec<AddressPattern> = [];
        /// What its header has: names of fields, or names and patterns of their values as a person reads
        /// them. Case does not matter; a pattern may match anywhere.
        headers: Vec<HeaderTest> = [];
        /// Only mail larger than this, headers included.
        larger_than: Option<ByteSize>;
    }
}
