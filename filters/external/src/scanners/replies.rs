//! Every reply text that a scanner brings about, in one file. They are ASCII and one line, whatever a scanner says.

use mailweir_mail::{Enhanced, Reply, compose::one_line};

/// clamd has found this.
pub(super) fn infected(name: &str) -> Reply {
    rejected(format!("Message is infected: {}", ascii(name)))
}

/// spamd has given it too many points.
pub(super) fn spam() -> Reply {
    rejected(SPAM.to_owned())
}

/// Rspamd refuses it, and says this or nothing.
pub(super) fn reject(message: Option<&str>) -> Reply {
    rejected(message.map(ascii).filter(|text| !text.is_empty()).unwrap_or_else(|| SPAM.to_owned()))
}

/// Rspamd wants it later, and says this or nothing.
pub(super) fn soft_reject(message: Option<&str>) -> Reply {
    let text = message.map(ascii).filter(|text| !text.is_empty());
    Reply::with_text(451, Enhanced(4, 7, 1), text.unwrap_or_else(|| "Try again later".to_owned()))
}

fn rejected(text: String) -> Reply {
    Reply::with_text(554, Enhanced(5, 7, 1), text)
}

fn ascii(text: &str) -> String {
    one_line(text, MOST_TEXT).replace(|c: char| !c.is_ascii(), "?")
}

/// As Rspamd's own milter says it.
const SPAM: &str = "Spam message rejected";

/// Characters of a scanner's own words.
const MOST_TEXT: usize = 300;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_replies() {
        for (reply, expected) in [
            (infected("Eicar-Test"), "554 5.7.1 Message is infected: Eicar-Test"),
            (spam(), "554 5.7.1 Spam message rejected"),
            (reject(None), "554 5.7.1 Spam message rejected"),
            (reject(Some("\r\n")), "554 5.7.1 Spam message rejected"),
            (reject(Some("Gtube pattern")), "554 5.7.1 Gtube pattern"),
            (soft_reject(None), "451 4.7.1 Try again later"),
            (soft_reject(Some("Try\r\n250 ok")), "451 4.7.1 Try 250 ok"),
        ] {
            assert_eq!(reply.to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn no_scanner_ends_a_reply(text in any::<String>()) {
            for reply in [infected(&text), reject(Some(&text)), soft_reject(Some(&text))] {
                prop_assert!(reply.text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{:?}", reply);
                prop_assert!(reply.text.len() <= MOST_TEXT + 40);
            }
        }
    }
}
