//! A command line: its verb and the rest.
//!
//! Our own small parser instead of `smtp-proto`'s, which wants `<` directly after the colon,
//! knows neither XCLIENT nor XFORWARD, closes the set of SASL mechanisms, and takes lines with
//! control characters. Arguments are read by the state that accepts the verb, since Postfix
//! answers "wrong order" before "wrong syntax".

use crate::replies::Fault;

/// A command line that holds text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Command<'a> {
    pub(super) verb: Verb,
    /// What follows the verb, without spaces at either end.
    pub(super) arguments: &'a str,
}

impl<'a> Command<'a> {
    /// Reads a line without its line end.
    pub(super) fn parse(line: &'a [u8]) -> Result<Self, Fault> {
        let line = without_blanks(line);
        match line.first() {
            None => return Err(Fault::EmptyLine),
            Some(first) if !first.is_ascii_alphabetic() => return Err(Fault::NotSmtp),
            Some(_) => {}
        }
        let text = std::str::from_utf8(line).map_err(|_| Fault::BadUtf8)?;
        if text.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
            return Err(Fault::ControlCharacter);
        }
        let (word, arguments) = text.split_once(BLANKS).unwrap_or((text, ""));
        let verb = Verb::from_word(word)?;
        Ok(Self { verb, arguments: arguments.trim_start_matches(BLANKS) })
    }

    /// The error for a verb that takes no argument.
    pub(super) fn expect_no_arguments(self) -> Result<(), Fault> {
        if self.arguments.is_empty() { Ok(()) } else { Err(Fault::Syntax(self.verb.name())) }
    }
}

/// A verb, in the order in which Postfix prints the counts of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Helo,
    Ehlo,
    Lhlo,
    Xclient,
    Xforward,
    Starttls,
    Auth,
    Mail,
    Rcpt,
    Data,
    Bdat,
    Rset,
    Noop,
    Vrfy,
    Etrn,
    Help,
    Expn,
    Turn,
    Quit,
    /// None of these.
    Unknown,
}

impl Verb {
    pub(super) const ALL: [Self; 20] = [
        Self::Helo,
        Self::Ehlo,
        Self::Lhlo,
        Self::Xclient,
        Self::Xforward,
        Self::Starttls,
        Self::Auth,
        Self::Mail,
        Self::Rcpt,
        Self::Data,
        Self::Bdat,
        Self::Rset,
        Self::Noop,
        Self::Vrfy,
        Self::Etrn,
        Self::Help,
        Self::Expn,
        Self::Turn,
        Self::Quit,
        Self::Unknown,
    ];

    /// Errors for what no mail client says: requests of HTTP (Postfix `smtpd_forbidden_commands`,
    /// `attacks.md` A12) and lines of a mail header.
    fn from_word(word: &str) -> Result<Self, Fault> {
        let known = Self::ALL
            .into_iter()
            .find(|verb| *verb != Self::Unknown && verb.name().eq_ignore_ascii_case(word));
        if let Some(verb) = known {
            return Ok(verb);
        }
        let forbidden = FORBIDDEN.iter().any(|name| name.eq_ignore_ascii_case(word));
        if forbidden || word.contains(':') { Err(Fault::NotSmtp) } else { Ok(Self::Unknown) }
    }

    /// The name, as the peer writes it and as log lines do.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Helo => "HELO",
            Self::Ehlo => "EHLO",
            Self::Lhlo => "LHLO",
            Self::Xclient => "XCLIENT",
            Self::Xforward => "XFORWARD",
            Self::Starttls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::Bdat => "BDAT",
            Self::Rset => "RSET",
            Self::Noop => "NOOP",
            Self::Vrfy => "VRFY",
            Self::Etrn => "ETRN",
            Self::Help => "HELP",
            Self::Expn => "EXPN",
            Self::Turn => "TURN",
            Self::Quit => "QUIT",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Whether a peer must wait for the reply before it says more (RFC 2920 section 3.1, Postfix
    /// `SMTPD_CMD_FLAG_LAST`).
    pub(super) const fn ends_a_group(self) -> bool {
        matches!(self, Self::Helo | Self::Ehlo | Self::Lhlo | Self::Data | Self::Noop | Self::Vrfy)
    }

    /// Whether too many of these are errors (Postfix `smtpd_junk_command_limit`).
    pub(super) const fn is_junk(self) -> bool {
        matches!(
            self,
            Self::Helo
                | Self::Ehlo
                | Self::Lhlo
                | Self::Rset
                | Self::Noop
                | Self::Vrfy
                | Self::Etrn
                | Self::Help
                | Self::Expn
                | Self::Turn
        )
    }

    /// Whether it may come before TLS where TLS is required (RFC 3207 section 4, Postfix
    /// `SMTPD_CMD_FLAG_PRE_TLS`).
    pub(super) const fn may_precede_tls(self) -> bool {
        matches!(
            self,
            Self::Helo
                | Self::Ehlo
                | Self::Lhlo
                | Self::Xclient
                | Self::Starttls
                | Self::Noop
                | Self::Quit
        )
    }
}

/// Without the spaces and tabs at either end. A CR is no blank.
fn without_blanks(mut line: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = line {
        line = rest;
    }
    line
}

const BLANKS: [char; 2] = [' ', '\t'];

/// Postfix `smtpd_forbidden_commands`.
const FORBIDDEN: [&str; 3] = ["CONNECT", "GET", "POST"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_read_without_case_and_arguments_without_outer_spaces() {
        let command = Command::parse(b"  mAiL\tFROM:<a@b.example>  SIZE=1 ").unwrap();
        assert_eq!(command.verb, Verb::Mail);
        assert_eq!(command.arguments, "FROM:<a@b.example>  SIZE=1");
        assert_eq!(Command::parse(b"FROB x").unwrap().verb, Verb::Unknown);
        assert_eq!(Command::parse(b"UNKNOWN").unwrap().verb, Verb::Unknown);
    }

    #[test]
    fn what_is_no_command_is_told_apart() {
        for (line, fault) in [
            (&b""[..], Fault::EmptyLine),
            (b"   ", Fault::EmptyLine),
            (b"GET / HTTP/1.1", Fault::NotSmtp),
            (b"Subject: hello", Fault::NotSmtp),
            (b"\x16\x03\x01", Fault::NotSmtp),
            (b"NOOP a\0b", Fault::ControlCharacter),
            (b"NOOP \x1b[2J", Fault::ControlCharacter),
            (b"NOOP a\r", Fault::ControlCharacter),
            (b"NOOP \xff", Fault::BadUtf8),
        ] {
            assert_eq!(Command::parse(line), Err(fault), "{:?}", line.escape_ascii().to_string());
        }
    }
}
