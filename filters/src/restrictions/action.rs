//! What the value of an access table asks for (access(5)).

use mailweir_mail::Enhanced;

/// A value of an access table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action<'v> {
    /// As if the table had nothing.
    Dunno,
    /// OK, RELAY, or digits alone.
    Permit,
    /// REJECT, with the text behind it.
    Reject(&'v str),
    /// DEFER.
    Defer(&'v str),
    /// A code, and the text behind it.
    Code(u16, &'v str),
    DeferIfPermit(&'v str),
    DeferIfReject(&'v str),
    /// Postfix's test feature.
    Hangup,
    Info(&'v str),
    Warn(&'v str),
    Filter(&'v str),
    Hold(&'v str),
    Discard(&'v str),
    Redirect(&'v str),
    Bcc(&'v str),
    Prepend(&'v str),
    /// Restrictions or classes by name.
    Restrictions(&'v str),
}

impl<'v> Action<'v> {
    pub(super) fn parse(value: &'v str) -> Self {
        let end = value.find([' ', '\t']).unwrap_or(value.len());
        let (word, rest) = value.split_at(end);
        let text = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
        match word.to_ascii_uppercase().as_str() {
            "DUNNO" => Self::Dunno,
            "REJECT" => Self::Reject(text),
            "DEFER" => Self::Defer(text),
            "HANGUP" => Self::Hangup,
            "INFO" => Self::Info(text),
            "WARN" => Self::Warn(text),
            "FILTER" => Self::Filter(text),
            "HOLD" => Self::Hold(text),
            "DISCARD" => Self::Discard(text),
            "REDIRECT" => Self::Redirect(text),
            "BCC" => Self::Bcc(text),
            "DEFER_IF_PERMIT" => Self::DeferIfPermit(text),
            "DEFER_IF_REJECT" => Self::DeferIfReject(text),
            "PREPEND" => Self::Prepend(text),
            _ if is_number(value) => Self::Permit,
            _ if is_code(word) && !text.is_empty() => Self::Code(number(word), text),
            "OK" | "RELAY" => Self::Permit,
            _ => Self::Restrictions(value),
        }
    }
}

/// The enhanced status code in front of a text (RFC 3463), and the text. `default` where none
/// stands.
pub(super) fn split_status(text: &str, default: Enhanced) -> (Enhanced, &str) {
    let end = text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    match word.parse() {
        Ok(status) => (status, rest.trim_start_matches(|c: char| c.is_ascii_whitespace())),
        Err(()) => (default, text),
    }
}

/// Whether a line begins as a header does: a name of printable ASCII, perhaps white space, a colon
/// (RFC 5322 section 2.2).
pub(super) fn is_header(line: &str) -> bool {
    line.split_once(':').is_some_and(|(name, _)| {
        let name = name.trim_end_matches([' ', '\t']);
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
    })
}

fn is_number(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_code(word: &str) -> bool {
    word.len() == 3 && is_number(word) && word.starts_with(['4', '5'])
}

fn number(word: &str) -> u16 {
    word.bytes().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_postfix_reads_them() {
        for (value, action) in [
            ("OK", Action::Permit),
            ("relay anything", Action::Permit),
            ("20240229", Action::Permit),
            ("554", Action::Permit),
            ("554 no", Action::Code(554, "no")),
            ("450\t4.3.2  later", Action::Code(450, "4.3.2  later")),
            ("reject", Action::Reject("")),
            ("REJECT  5.1.1 no such user", Action::Reject("5.1.1 no such user")),
            ("DUNNO whatever", Action::Dunno),
            ("defer_if_permit later", Action::DeferIfPermit("later")),
            ("FILTER smtp:[127.0.0.1]:10025", Action::Filter("smtp:[127.0.0.1]:10025")),
            ("554no", Action::Restrictions("554no")),
            ("254 fine", Action::Restrictions("254 fine")),
            ("permit_mynetworks, reject", Action::Restrictions("permit_mynetworks, reject")),
            ("rejected", Action::Restrictions("rejected")),
        ] {
            assert_eq!(Action::parse(value), action, "{value:?}");
        }
    }

    #[test]
    fn a_status_is_taken_only_if_it_is_one() {
        let default = Enhanced(5, 7, 1);
        assert_eq!(split_status("4.3.2 later", default), (Enhanced(4, 3, 2), "later"));
        assert_eq!(split_status("5.7.1", default), (Enhanced(5, 7, 1), ""));
        for text in ["", "3.0.0 x", "5.7.1234 x", "5.7 x", "5.7.1x"] {
            assert_eq!(split_status(text, default), (default, text));
        }
    }

    #[test]
    fn a_header_has_a_name_and_a_colon() {
        for good in ["X-Spam: yes", "X-Spam : yes", "a:"] {
            assert!(is_header(good), "{good}");
        }
        for bad in ["", ":", " a: b", "no header", "é: x", "two words: x"] {
            assert!(!is_header(bad), "{bad}");
        }
    }
}
