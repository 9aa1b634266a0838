//! The address that answers to a notice go to: that of the gateway, with the code of the notice behind a `+`.

use mailweir_mail::Address;

use crate::token::AnswerCode;

/// What a recipient means, as far as answers go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// The answer to the notice with this code, if there is one.
    Answer(AnswerCode),
    /// Such an address with something that is no code.
    Garbled,
    /// The address that notices come from.
    Gateway,
    /// Something else.
    Other,
}

/// Where the notice with this code is answered; `None`: there is no room for it in an address (the local
/// part of `from` has more than 11 bytes).
#[must_use]
pub fn with_code(from: &Address, code: &AnswerCode) -> Option<Address> {
    let local = from.unquoted_local_part();
    let text = format!("{local}+{code}");
    // RFC 5321 section 4.5.3.1.1.
    (text.len() <= 64).then(|| Address::parse(&format!("{text}@{}", from.domain())).ok()).flatten()
}

/// What `recipient` means where notices come from `from`. Case does not matter: mail systems change it.
#[must_use]
pub fn meant(from: &Address, recipient: &Address) -> Meant {
    if recipient.domain() != from.domain() {
        return Meant::Other;
    }
    let (local, own) = (recipient.unquoted_local_part(), from.unquoted_local_part());
    let (local, own) = (local.to_lowercase(), own.to_lowercase());
    match local.strip_prefix(&own) {
        Some("") => Meant::Gateway,
        Some(rest) => match rest.strip_prefix('+') {
            Some(code) if code.len() == LENGTH => {
                code.parse().map_or(Meant::Garbled, Meant::Answer)
            }
            _ => Meant::Other,
        },
        None => Meant::Other,
    }
}

/// Characters of a code.
const LENGTH: usize = 52;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Token;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_written_reads_back_in_any_case() {
        let from = address("Approval@gate.example");
        let code = Token::new([42; 32]).answer_code();
        let answer = with_code(&from, &code).unwrap();
        assert_eq!(meant(&from, &answer), Meant::Answer(code.clone()));
        let shouted = address(&answer.as_str().to_uppercase());
        assert_eq!(meant(&from, &shouted), Meant::Answer(code));
        let code = Token::new([0; 32]).answer_code();
        assert!(with_code(&address("moderation1@x.example"), &code).is_some());
        assert!(with_code(&address("moderation12@x.example"), &code).is_none());
    }

    #[test]
    fn what_is_near_is_told_apart() {
        let from = address("approval@gate.example");
        for (recipient, expected) in [
            ("APPROVAL@gate.example", Meant::Gateway),
            (&format!("approval+{}@gate.example", "1".repeat(52)), Meant::Garbled),
            ("approval+lists@gate.example", Meant::Other),
            ("approval+@gate.example", Meant::Other),
            (&format!("approval+{}@other.example", "a".repeat(52)), Meant::Other),
            (&format!("approvals+{}@gate.example", "a".repeat(52)), Meant::Other),
            (&format!("approval-{}@gate.example", "a".repeat(52)), Meant::Other),
            ("ann@gate.example", Meant::Other),
        ] {
            assert_eq!(meant(&from, &address(recipient)), expected, "{recipient}");
        }
    }
}
