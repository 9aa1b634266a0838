//! What is negotiated, as bits.

/// What a filter may do to a mail (`SMFIF_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions(pub u32);

impl Actions {
    /// None.
    pub const NONE: Self = Self(0);
    /// Add and insert header fields.
    pub const ADDHDRS: Self = Self(0x01);
    /// Replace the body.
    pub const CHGBODY: Self = Self(0x02);
    /// Add recipients.
    pub const ADDRCPT: Self = Self(0x04);
    /// Take recipients away.
    pub const DELRCPT: Self = Self(0x08);
    /// Change and delete header fields.
    pub const CHGHDRS: Self = Self(0x10);
    /// Put on hold.
    pub const QUARANTINE: Self = Self(0x20);
    /// Replace the envelope's sender.
    pub const CHGFROM: Self = Self(0x40);
    /// Add recipients with parameters of ESMTP.
    pub const ADDRCPT_PAR: Self = Self(0x80);
    /// Say which macros it wants.
    pub const SETSYMLIST: Self = Self(0x100);
    /// All of version 6.
    pub const ALL: Self = Self(0x1ff);

    /// Whether all of `other` are among these.
    #[must_use]
    pub const fn contain(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// How the conversation goes (`SMFIP_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps(pub u32);

impl Steps {
    /// Everything is sent and answered.
    pub const NONE: Self = Self(0);
    /// No CONNECT.
    pub const NOCONNECT: Self = Self(0x01);
    /// No HELO.
    pub const NOHELO: Self = Self(0x02);
    /// No MAIL.
    pub const NOMAIL: Self = Self(0x04);
    /// No RCPT.
    pub const NORCPT: Self = Self(0x08);
    /// No body.
    pub const NOBODY: Self = Self(0x10);
    /// No header fields.
    pub const NOHDRS: Self = Self(0x20);
    /// No end of header.
    pub const NOEOH: Self = Self(0x40);
    /// No answer to header fields.
    pub const NR_HDR: Self = Self(0x80);
    /// No unknown commands.
    pub const NOUNKNOWN: Self = Self(0x100);
    /// No DATA.
    pub const NODATA: Self = Self(0x200);
    /// The filter may answer SKIP.
    pub const SKIP: Self = Self(0x400);
    /// Recipients are sent that are refused already.
    pub const RCPT_REJ: Self = Self(0x800);
    /// No answer to CONNECT.
    pub const NR_CONN: Self = Self(0x1000);
    /// No answer to HELO.
    pub const NR_HELO: Self = Self(0x2000);
    /// No answer to MAIL.
    pub const NR_MAIL: Self = Self(0x4000);
    /// No answer to RCPT.
    pub const NR_RCPT: Self = Self(0x8000);
    /// No answer to DATA.
    pub const NR_DATA: Self = Self(0x1_0000);
    /// No answer to unknown commands.
    pub const NR_UNKN: Self = Self(0x2_0000);
    /// No answer to the end of the header.
    pub const NR_EOH: Self = Self(0x4_0000);
    /// No answer to parts of the body.
    pub const NR_BODY: Self = Self(0x8_0000);
    /// Values of header fields are sent with the space behind the colon.
    pub const HDR_LEADSPC: Self = Self(0x10_0000);

    /// What this version of the protocol has; of an unknown one nothing.
    #[must_use]
    pub const fn of_version(version: u32) -> Self {
        match version {
            2 => Self(0x7f),
            3 => Self(0x17f),
            4 | 5 => Self(0x37f),
            6 => Self(0x1f_ffff),
            _ => Self::NONE,
        }
    }

    /// Whether all of `other` are among these; never of none.
    #[must_use]
    pub const fn contain(self, other: Self) -> bool {
        other.0 != 0 && self.0 & other.0 == other.0
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of these that are among others.
    #[must_use]
    pub const fn of(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }
}
