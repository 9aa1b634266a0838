//! The header fields of a mail that is sent again (RFC 5322 section 3.6.6): who has it sent, when, and to whom.
//! They come before the mail, of which nothing changes, so that its signatures hold.

use mailweir_mail::{Address, Domain, Timestamp};

/// A mail that is sent again.
#[derive(Clone, Debug)]
pub struct Resent<'a> {
    /// When.
    pub at: Timestamp,
    /// Who has it sent.
    pub from: &'a Address,
    /// To whom. At least one.
    pub to: &'a [Address],
    /// What the message id says of this sending, and of no other: letters, digits, dots. Other characters are
    /// left out.
    pub unique: &'a str,
    /// Who the message id is of.
    pub host: &'a Domain,
}

impl Resent<'_> {
    /// The block of fields, to be put before `content`, whose first bytes are enough.
    #[must_use]
    pub fn block(&self, content: &[u8]) -> String {
        let Self { at, from, to, unique, host } = self;
        let is_sound = |c: &char| c.is_ascii_alphanumeric() || *c == '.';
        let unique: String = unique.chars().filter(is_sound).collect();
        let mut block =
            format!("Resent-Date: {}\r\nResent-From: {from}\r\nResent-To:", at.rfc5322());
        let mut width = "Resent-To:".len();
        for (number, address) in to.iter().enumerate() {
            if number > 0 {
                block.push(',');
                width += 1;
            }
            let address = address.as_str();
            if number > 0 && width + 1 + address.len() > WIDTH {
                block.push_str("\r\n");
                width = 0;
            }
            block.push(' ');
            block.push_str(address);
            width += 1 + address.len();
        }
        block.push_str(&format!("\r\nResent-Message-ID: <{unique}@{}>\r\n", host.as_ascii()));
        // A line that begins with white space would go on with the last field. It is no part of a header, so
        // the header ends before it.
        if matches!(content.first(), Some(b' ' | b'\t')) {
            block.push_str("\r\n");
        }
        block
    }
}

/// Characters of a line (RFC 5322 section 2.1.1).
const WIDTH: usize = 76;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::{Header, addresses};

    fn block(to: &[Address], unique: &str, content: &[u8]) -> String {
        let from: Address = "auditor@own.example".parse().unwrap();
        let host: Domain = "gate.own.example".parse().unwrap();
        let at = Timestamp::from_secs(1_795_210_205);
        Resent { at, from: &from, to, unique, host: &host }.block(content)
    }

    #[test]
    fn a_mail_that_is_sent_again_says_so_above_all_it_had() {
        let to = ["ann@own.example".parse().unwrap()];
        assert_eq!(
            block(&to, "4jWT59000pz7", b"Received: x\r\n"),
            "Resent-Date: Fri, 20 Nov 2026 21:30:05 +0000\r\nResent-From: auditor@own.example\r\n\
             Resent-To: ann@own.example\r\nResent-Message-ID: <4jWT59000pz7@gate.own.example>\r\n"
        );
    }

    #[test]
    fn many_recipients_are_folded_and_read_back() {
        let to: Vec<Address> =
            (0..40).map(|n| format!("p{n}@own.example").parse().unwrap()).collect();
        let content = b"Subject: x\r\n\r\nbody\r\n";
        let block = block(&to, "x", content);
        assert!(block.lines().all(|line| line.len() <= WIDTH + 1), "{block}");
        let mail = [block.as_bytes(), content].concat();
        let header = Header::read(&mail);
        assert_eq!(addresses(header.first("Resent-To").unwrap()).collect::<Vec<_>>(), to);
        assert_eq!(header.first("Subject"), Some("x"));
    }

    #[test]
    fn nothing_puts_a_line_into_the_block() {
        let to = ["ann@own.example".parse().unwrap()];
        let block = block(&to, "a\r\nBcc: x@y.example\r\n>", b"");
        assert_eq!(block.lines().count(), 4);
        assert!(block.contains("<aBccxy.example@gate.own.example>"), "{block}");
    }

    #[test]
    fn content_that_has_no_header_does_not_go_on_with_the_block() {
        let to = ["ann@own.example".parse().unwrap()];
        let mail = block(&to, "x", b" folded\r\n") + " folded\r\n";
        assert_eq!(
            Header::read(mail.as_bytes()).first("Resent-Message-ID"),
            Some("<x@gate.own.example>")
        );
        assert!(mail.ends_with("\r\n\r\n folded\r\n"));
    }
}
