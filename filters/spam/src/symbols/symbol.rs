//! The names of all facts that are noticed about mails.
//!
//! Closed: who reads a log or writes a file of weights finds every name here. What each means stands in
//! `default.toml`, once, where people read it.

use std::{fmt, str::FromStr};

macro_rules! symbols {
    ($($symbol:ident = $name:literal,)+) => {
        /// A fact that a mail may show. What each means is its description in [`Weights`](super::Weights).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "default.toml describes each; a test holds that it does")]
        pub enum Symbol { $($symbol,)+ }

        impl Symbol {
            /// All of them, in the order in which they are noticed.
            pub const ALL: &'static [Self] = &[$(Self::$symbol,)+];

            /// Its name in files, logs and headers: upper case letters, digits and `_`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$symbol => $name,)+ }
            }
        }
    };
}

symbols! {
    // who connects
    HeloNotAName = "HELO_NOT_A_NAME",
    HeloAddress = "HELO_ADDRESS",
    HeloOurName = "HELO_OUR_NAME",
    HeloUnknown = "HELO_UNKNOWN",
    HeloOther = "HELO_OTHER",
    RdnsNone = "RDNS_NONE",
    RdnsGeneric = "RDNS_GENERIC",
    RdnsDynamic = "RDNS_DYNAMIC",
    IprevPass = "IPREV_PASS",
    IprevFail = "IPREV_FAIL",
    IprevTemperror = "IPREV_TEMPERROR",
    Greylisted = "GREYLISTED",
    KnownCorrespondent = "KNOWN_CORRESPONDENT",
    // lists in the DNS
    Dnsbl = "DNSBL",
    Dnswl = "DNSWL",
    Rhsbl = "RHSBL",
    Uribl = "URIBL",
    // who sent it
    SpfPass = "SPF_PASS",
    SpfFail = "SPF_FAIL",
    SpfSoftfail = "SPF_SOFTFAIL",
    SpfNeutral = "SPF_NEUTRAL",
    SpfNone = "SPF_NONE",
    SpfPermerror = "SPF_PERMERROR",
    SpfTemperror = "SPF_TEMPERROR",
    DkimValid = "DKIM_VALID",
    DkimValidAuthor = "DKIM_VALID_AUTHOR",
    DkimInvalid = "DKIM_INVALID",
    DkimNone = "DKIM_NONE",
    DkimTemperror = "DKIM_TEMPERROR",
    DkimBodyLength = "DKIM_BODY_LENGTH",
    DkimFromUnsigned = "DKIM_FROM_UNSIGNED",
    DkimManySignatures = "DKIM_MANY_SIGNATURES",
    DkimWeakKey = "DKIM_WEAK_KEY",
    DmarcPass = "DMARC_PASS",
    DmarcNone = "DMARC_NONE",
    DmarcFail = "DMARC_FAIL",
    DmarcQuarantine = "DMARC_QUARANTINE",
    DmarcReject = "DMARC_REJECT",
    DmarcPermerror = "DMARC_PERMERROR",
    DmarcTemperror = "DMARC_TEMPERROR",
    ArcValid = "ARC_VALID",
    ArcTrusted = "ARC_TRUSTED",
    ArcInvalid = "ARC_INVALID",
    ArcTemperror = "ARC_TEMPERROR",
    ForgedResults = "FORGED_RESULTS",
    // whom it pretends to be from
    FromNameSpoofsUser = "FROM_NAME_SPOOFS_USER",
    FromNameSpoofsDomain = "FROM_NAME_SPOOFS_DOMAIN",
    FromNameOtherAddress = "FROM_NAME_OTHER_ADDRESS",
    FromNameHomograph = "FROM_NAME_HOMOGRAPH",
    FromLikeOwnDomain = "FROM_LIKE_OWN_DOMAIN",
    FromNoAddress = "FROM_NO_ADDRESS",
    FromSeveral = "FROM_SEVERAL",
    ReplyToFreemail = "REPLY_TO_FREEMAIL",
    ReplyToOtherDomain = "REPLY_TO_OTHER_DOMAIN",
    // fields of the header
    MissingFrom = "MISSING_FROM",
    MissingDate = "MISSING_DATE",
    MissingMessageId = "MISSING_MESSAGE_ID",
    MissingTo = "MISSING_TO",
    MissingSubject = "MISSING_SUBJECT",
    DoubledFrom = "DOUBLED_FROM",
    DoubledField = "DOUBLED_FIELD",
    MessageIdOdd = "MESSAGE_ID_ODD",
    DateUnreadable = "DATE_UNREADABLE",
    DateFuture = "DATE_FUTURE",
    DatePast = "DATE_PAST",
    HeaderRaw8bit = "HEADER_RAW_8BIT",
    HeaderNeedlessEncoding = "HEADER_NEEDLESS_ENCODING",
    SubjectAllCapitals = "SUBJECT_ALL_CAPITALS",
    SubjectFakeReply = "SUBJECT_FAKE_REPLY",
    SubjectSpacedLetters = "SUBJECT_SPACED_LETTERS",
    SubjectGapCode = "SUBJECT_GAP_CODE",
    SubjectHomograph = "SUBJECT_HOMOGRAPH",
    SubjectAdvertisement = "SUBJECT_ADVERTISEMENT",
    // HTML and text
    HtmlHiddenText = "HTML_HIDDEN_TEXT",
    HtmlInvisibleColour = "HTML_INVISIBLE_COLOUR",
    HtmlBrokenWords = "HTML_BROKEN_WORDS",
    HtmlOnlyImage = "HTML_ONLY_IMAGE",
    HtmlMostlyImage = "HTML_MOSTLY_IMAGE",
    HtmlForm = "HTML_FORM",
    HtmlFormPassword = "HTML_FORM_PASSWORD",
    HtmlScript = "HTML_SCRIPT",
    HtmlRefresh = "HTML_REFRESH",
    HtmlEmbeds = "HTML_EMBEDS",
    HtmlAlone = "HTML_ALONE",
    TextHomograph = "TEXT_HOMOGRAPH",
    CharsetOtherScript = "CHARSET_OTHER_SCRIPT",
    // links
    UrlAddress = "URL_ADDRESS",
    UrlAddressDisguised = "URL_ADDRESS_DISGUISED",
    UrlUserinfo = "URL_USERINFO",
    UrlObfuscated = "URL_OBFUSCATED",
    UrlScript = "URL_SCRIPT",
    UrlHomograph = "URL_HOMOGRAPH",
    UrlMixedScript = "URL_MIXED_SCRIPT",
    UrlLikeOwnDomain = "URL_LIKE_OWN_DOMAIN",
    UrlOwnDomainInside = "URL_OWN_DOMAIN_INSIDE",
    UrlShowsOtherDomain = "URL_SHOWS_OTHER_DOMAIN",
    UrlShowsOwnDomain = "URL_SHOWS_OWN_DOMAIN",
    UrlPort = "URL_PORT",
    UrlTooMany = "URL_TOO_MANY",
    // structure and attachments
    MimeAmbiguous = "MIME_AMBIGUOUS",
    MimeBroken = "MIME_BROKEN",
    MimeTooLarge = "MIME_TOO_LARGE",
    AttachmentExecutable = "ATTACHMENT_EXECUTABLE",
    ArchiveExecutable = "ARCHIVE_EXECUTABLE",
    AttachmentTypeMismatch = "ATTACHMENT_TYPE_MISMATCH",
    AttachmentDoubleExtension = "ATTACHMENT_DOUBLE_EXTENSION",
    AttachmentNameBidi = "ATTACHMENT_NAME_BIDI",
    AttachmentHtml = "ATTACHMENT_HTML",
    AttachmentDiskImage = "ATTACHMENT_DISK_IMAGE",
    AttachmentActiveDocument = "ATTACHMENT_ACTIVE_DOCUMENT",
    ArchiveEncrypted = "ARCHIVE_ENCRYPTED",
    DocumentEncrypted = "DOCUMENT_ENCRYPTED",
    ArchiveBomb = "ARCHIVE_BOMB",
    ArchiveAmbiguous = "ARCHIVE_AMBIGUOUS",
    Macros = "MACROS",
    // the classifier
    BayesSureHam = "BAYES_SURE_HAM",
    BayesHam = "BAYES_HAM",
    BayesLikelySpam = "BAYES_LIKELY_SPAM",
    BayesSpam = "BAYES_SPAM",
    BayesSureSpam = "BAYES_SURE_SPAM",
    // scanners of other people
    Rspamd = "RSPAMD",
    SpamAssassin = "SPAMASSASSIN",
    MalwareSuspected = "MALWARE_SUSPECTED",
    Malware = "MALWARE",
}

impl Symbol {
    /// The band of a probability of spam, from 0 to 1, that a classifier gives; none in the middle, and none of a
    /// number that is none.
    #[must_use]
    pub fn of_probability(probability: f64) -> Option<Self> {
        match probability {
            p if p < 0.01 => Some(Self::BayesSureHam),
            p if p < 0.2 => Some(Self::BayesHam),
            p if p >= 0.99 => Some(Self::BayesSureSpam),
            p if p >= 0.95 => Some(Self::BayesSpam),
            p if p >= 0.8 => Some(Self::BayesLikelySpam),
            _ => None,
        }
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// There is no symbol of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no symbol of this name")]
pub struct NoSymbol;

impl FromStr for Symbol {
    type Err = NoSymbol;

    fn from_str(name: &str) -> Result<Self, NoSymbol> {
        Self::ALL.iter().copied().find(|symbol| symbol.name() == name).ok_or(NoSymbol)
    }
}
