//! What a peer offers: the keywords of its reply to EHLO or LHLO.
//!
//! Unknown and malformed keywords are passed over: they are a stranger's text, and a peer that
//! cannot spell one extension may well speak the others. Nothing here is remembered across
//! STARTTLS (RFC 3207 section 4.2).

use mailweir_mail::Reply;

/// The extensions that a peer announced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub(super) struct Capabilities {
    /// PIPELINING (RFC 2920).
    pub(super) pipelining: bool,
    /// 8BITMIME (RFC 6152).
    pub(super) eight_bit_mime: bool,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// DSN (RFC 3461).
    pub(super) dsn: bool,
    /// STARTTLS (RFC 3207).
    pub(super) starttls: bool,
    /// CHUNKING (RFC 3030).
    pub(super) chunking: bool,
    /// ENHANCEDSTATUSCODES (RFC 2034).
    pub(super) enhanced_status_codes: bool,
    /// SIZE (RFC 1870).
    pub(super) size: SizeOffer,
    /// The mechanisms of AUTH (RFC 4954) that we can use.
    pub(super) auth: AuthOffer,
    /// Most recipients per transaction: LIMITS RCPTMAX (RFC 9422).
    pub(super) rcptmax: Option<usize>,
    /// The attributes of Postfix's XFORWARD, upper case.
    pub(super) xforward: Vec<Box<str>>,
}

/// What a peer says about sizes (RFC 1870).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SizeOffer {
    /// Nothing: the SIZE parameter must not be used.
    #[default]
    None,
    /// It knows the parameter and tells no limit.
    Unlimited,
    /// It knows the parameter and takes at most so many bytes.
    Limit(u64),
}

/// The SASL mechanisms that a peer offers and that we speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct AuthOffer {
    /// PLAIN (RFC 4616).
    pub(super) plain: bool,
    /// LOGIN, never standardised.
    pub(super) login: bool,
}

impl Capabilities {
    /// What every listener of this gateway offers, as far as a mail asks for it.
    pub(super) const OURS: Self = Self {
        pipelining: true,
        eight_bit_mime: true,
        smtputf8: true,
        dsn: true,
        starttls: false,
        chunking: true,
        enhanced_status_codes: true,
        size: SizeOffer::Unlimited,
        auth: AuthOffer { plain: false, login: false },
        rcptmax: None,
        xforward: Vec::new(),
    };

    /// Reads a positive reply to EHLO or LHLO. Its first line is a name and a greeting.
    #[must_use]
    pub(super) fn from_reply(reply: &Reply) -> Self {
        let mut offered = Self::default();
        reply.text.lines().skip(1).for_each(|line| offered.add(line));
        offered
    }

    fn add(&mut self, line: &str) {
        let mut words = line.split_ascii_whitespace();
        let Some(keyword) = words.next() else { return };
        match keyword.to_ascii_uppercase().as_str() {
            "PIPELINING" => self.pipelining = true,
            "8BITMIME" => self.eight_bit_mime = true,
            "SMTPUTF8" => self.smtputf8 = true,
            "DSN" => self.dsn = true,
            "STARTTLS" => self.starttls = true,
            "CHUNKING" => self.chunking = true,
            "ENHANCEDSTATUSCODES" => self.enhanced_status_codes = true,
            "SIZE" => self.size = SizeOffer::from_word(words.next()),
            "AUTH" => self.auth.add(words),
            "LIMITS" => self.add_limits(words),
            "XFORWARD" => self.xforward = words.map(|w| w.to_ascii_uppercase().into()).collect(),
            other => self.add_old_auth(other, words),
        }
    }

    /// `AUTH=LOGIN PLAIN`, as servers wrote it before RFC 2554.
    fn add_old_auth<'a>(&mut self, keyword: &'a str, words: impl Iterator<Item = &'a str>) {
        if let Some(first) = keyword.strip_prefix("AUTH=") {
            self.auth.add(std::iter::once(first).chain(words));
        }
    }

    fn add_limits<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        for (name, value) in words.filter_map(|word| word.split_once('=')) {
            if name.eq_ignore_ascii_case("RCPTMAX") {
                self.rcptmax = number(value).and_then(|max| usize::try_from(max).ok());
            }
        }
    }
}

impl SizeOffer {
    /// Zero means no limit; a number too large to read is none either (RFC 1870 section 4).
    fn from_word(word: Option<&str>) -> Self {
        match word.and_then(number) {
            None | Some(0) => Self::Unlimited,
            Some(limit) => Self::Limit(limit),
        }
    }
}

impl AuthOffer {
    fn add<'a>(&mut self, mechanisms: impl Iterator<Item = &'a str>) {
        for mechanism in mechanisms {
            self.plain |= mechanism.eq_ignore_ascii_case("PLAIN");
            self.login |= mechanism.eq_ignore_ascii_case("LOGIN");
        }
    }
}

/// Digits only: no sign.
fn number(word: &str) -> Option<u64> {
    let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| word.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(lines: &[&str]) -> Capabilities {
        let text = std::iter::once("mx.example").chain(lines.iter().copied());
        Capabilities::from_reply(&Reply {
            code: 250,
            enhanced: None,
            text: text.collect::<Vec<_>>().join("\n").into(),
        })
    }

    #[test]
    fn the_offer_of_a_postfix_is_understood() {
        let offered = read(&[
            "PIPELINING",
            "SIZE 10240000",
            "VRFY",
            "ETRN",
            "STARTTLS",
            "AUTH PLAIN LOGIN",
            "XFORWARD NAME ADDR proto",
            "ENHANCEDSTATUSCODES",
            "8BITMIME",
            "DSN",
            "SMTPUTF8",
            "CHUNKING",
            "LIMITS MAILMAX=20 RCPTMAX=100",
        ]);
        let all = Capabilities {
            pipelining: true,
            eight_bit_mime: true,
            smtputf8: true,
            dsn: true,
            starttls: true,
            chunking: true,
            enhanced_status_codes: true,
            size: SizeOffer::Limit(10_240_000),
            auth: AuthOffer { plain: true, login: true },
            rcptmax: Some(100),
            xforward: vec!["NAME".into(), "ADDR".into(), "PROTO".into()],
        };
        assert_eq!(offered, all);
    }

    #[test]
    fn the_case_of_keywords_does_not_matter() {
        let offered = read(&["pipelining", "Size", "auth=login cram-md5"]);
        assert!(offered.pipelining);
        assert_eq!(offered.size, SizeOffer::Unlimited);
        assert_eq!(offered.auth, AuthOffer { plain: false, login: true });
    }

    #[test]
    fn both_spellings_of_auth_add_up() {
        let offered = read(&["AUTH=LOGIN", "AUTH CRAM-MD5 plain"]);
        assert_eq!(offered.auth, AuthOffer { plain: true, login: true });
    }

    #[test]
    fn the_name_in_the_first_line_is_no_keyword() {
        let reply = Reply::plain(250, "PIPELINING");
        assert_eq!(Capabilities::from_reply(&reply), Capabilities::default());
    }

    #[test]
    fn odd_numbers_are_no_limits() {
        for size in ["SIZE", "SIZE 0", "SIZE -1", "SIZE +5", "SIZE 99999999999999999999", "SIZE x"]
        {
            assert_eq!(read(&[size]).size, SizeOffer::Unlimited, "{size}");
        }
        for limits in ["LIMITS", "LIMITS RCPTMAX", "LIMITS RCPTMAX=", "LIMITS RCPTMAX=x"] {
            assert_eq!(read(&[limits]).rcptmax, None, "{limits}");
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_the_reader_panic(lines in prop::collection::vec(".*", 0..5)) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let _ = read(&lines);
        }
    }
}
