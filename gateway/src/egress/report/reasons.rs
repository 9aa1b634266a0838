//! What status codes mean to people (RFC 3463), and what people can do.

use mailweir_mail::Enhanced;

/// A cause in plain words.
pub(super) struct Reason {
    /// What is the matter, as a sentence.
    pub(super) why: &'static str,
    /// What the sender can do about a failure.
    pub(super) advice: &'static str,
}

/// The cause that a status code stands for. Its class says only whether it lasts.
pub(super) const fn reason(status: Enhanced) -> Reason {
    let Enhanced(_, subject, detail) = status;
    match (subject, detail) {
        (1, 1 | 0 | 6) => Reason {
            why: "There is no such mailbox.",
            advice: "Check the address for typing mistakes, or ask the person for the right one.",
        },
        (1, 2 | 10) => Reason {
            why: "The part after the @ is no domain that takes mail.",
            advice: "Check that part of the address for typing mistakes.",
        },
        (1, 3 | 4) => Reason {
            why: "The address is not one that the server understands.",
            advice: "Check the address for typing mistakes, or ask the person for the right one.",
        },
        (1, 7 | 8) => Reason {
            why: "The server does not accept your address as a sender.",
            advice: "Show this message to the people who run your mail: something may be set up wrongly.",
        },
        (2, 1) => Reason {
            why: "The mailbox exists but is closed.",
            advice: "Reach the person in another way.",
        },
        (2, 2) | (3, 1) => Reason {
            why: "The mailbox is full.",
            advice: "Try again in some days, or tell the person in another way.",
        },
        (2, 3) | (3, 4) => Reason {
            why: "Your message is larger than the server accepts.",
            advice: "Send less at once, or share large files by a link.",
        },
        (4, 1 | 2) => Reason {
            why: "The server for this address could not be reached.",
            advice: "Check the part after the @. If it is right, try again later.",
        },
        (4, 3 | 4) => Reason {
            why: "No way to the server for this address was found.",
            advice: "Check the part after the @. If it is right, try again later.",
        },
        (4, 6) => Reason {
            why: "Your message went round in circles between servers.",
            advice: "Show this message to the people who run your mail: something is set up wrongly.",
        },
        (4, 7) => Reason {
            why: "It could not be delivered for days, and the time for trying is over.",
            advice: "Check the part after the @. If it is right, send your message again, or use another way.",
        },
        (6, 7..=10) => Reason {
            why: "The server cannot handle addresses with letters beyond a to z.",
            advice: "Ask the person for an address in plain letters.",
        },
        (6, _) => Reason {
            why: "The server cannot handle the form of your message.",
            advice: "Send it again as plain text, without unusual attachments.",
        },
        (7, _) => Reason {
            why: "The server refused your message by its rules.",
            advice: "If its words above do not help you, ask the people who run your mail.",
        },
        _ => Reason {
            why: "The message was not taken.",
            advice: "If the words above do not help you, ask the people who run your mail.",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_sentences() {
        for subject in 0..10 {
            for detail in 0..40 {
                let Reason { why, advice } = reason(Enhanced(5, subject, detail));
                assert!(why.ends_with('.') && advice.ends_with('.'), "{subject}.{detail}");
            }
        }
    }

    #[test]
    fn a_status_for_now_and_one_for_good_have_the_same_cause() {
        assert_eq!(reason(Enhanced(4, 2, 2)).why, reason(Enhanced(5, 2, 2)).why);
        assert_eq!(reason(Enhanced(5, 2, 2)).why, "The mailbox is full.");
    }
}
