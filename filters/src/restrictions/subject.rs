//! What a restriction looks at, in the words that Postfix's replies use for it.

use mailweir_mail::Enhanced;

/// What is accepted or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The client, by its verified name and its address.
    Client,
    /// The client, by the name that its address has, verified or not.
    ReverseClient,
    /// The client's certificate.
    Certificate,
    /// The user who logged in.
    Login,
    /// What the client calls itself.
    Helo,
    /// The envelope sender.
    Sender,
    /// The recipient in question.
    Recipient,
    /// The DATA command.
    Data,
    /// The mail that was received.
    EndOfData,
}

impl Subject {
    /// What replies and logs call it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Client => "Client host",
            Self::ReverseClient => "Unverified Client host",
            Self::Certificate => "Client certificate",
            Self::Login => "SASL login name",
            Self::Helo => "Helo command",
            Self::Sender => "Sender address",
            Self::Recipient => "Recipient address",
            Self::Data => "Data command",
            Self::EndOfData => "End-of-data",
        }
    }

    /// The enhanced status code that fits, since one table or list may speak of senders,
    /// recipients and hosts alike (access(5), "ENHANCED STATUS CODES"): what is about an address
    /// (`x.1.y`) is turned into what is about this kind of address, or into `x.0.0`.
    #[must_use]
    pub const fn fit(self, status: Enhanced) -> Enhanced {
        let Enhanced(class, 1, detail) = status else { return status };
        match self {
            Self::Sender => Enhanced(class, 1, sender_detail(detail)),
            Self::Recipient => Enhanced(class, 1, recipient_detail(detail)),
            Self::Client
            | Self::ReverseClient
            | Self::Certificate
            | Self::Login
            | Self::Helo
            | Self::Data
            | Self::EndOfData => Enhanced(class, 0, 0),
        }
    }
}

/// RFC 3463 section 3.2: bad system is 8 for a sender, and 7 is what comes nearest to the rest, as
/// Postfix says it.
const fn sender_detail(detail: u16) -> u16 {
    match detail {
        2 | 8 => 8,
        1 | 3 | 4 | 6 | 7 => 7,
        _ => 0,
    }
}

const fn recipient_detail(detail: u16) -> u16 {
    match detail {
        1..=6 => detail,
        7 => 3,
        8 => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_table_serves_senders_recipients_and_hosts() {
        let fitted = |subject: Subject, detail| subject.fit(Enhanced(5, 1, detail)).to_string();
        let senders: Vec<_> = (0..=10).map(|detail| fitted(Subject::Sender, detail)).collect();
        let zero = "5.1.0";
        assert_eq!(
            senders,
            [zero, "5.1.7", "5.1.8", "5.1.7", "5.1.7", zero, "5.1.7", "5.1.7", "5.1.8", zero, zero]
        );
        let recipients: Vec<_> = (0..=10).map(|d| fitted(Subject::Recipient, d)).collect();
        assert_eq!(
            recipients,
            [
                zero, "5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.5", "5.1.6", "5.1.3", "5.1.2", zero,
                zero
            ]
        );
        assert_eq!(fitted(Subject::Helo, 1), "5.0.0");
        assert_eq!(Subject::Sender.fit(Enhanced(4, 7, 1)), Enhanced(4, 7, 1));
    }
}
