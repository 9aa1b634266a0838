//! The ESMTP parameters of MAIL and RCPT.

use mailweir_mail::{BodyType, EnvelopeId, Notify, OriginalRecipient, Return};

use super::xtext;
use crate::replies::Fault;

/// What MAIL may say besides the sender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MailParameters {
    /// SIZE (RFC 1870).
    pub(super) size: Option<u64>,
    /// BODY (RFC 6152).
    pub(super) body: BodyType,
    /// SMTPUTF8 (RFC 6531).
    pub(super) smtputf8: bool,
    /// RET (RFC 3461).
    pub(super) ret: Option<Return>,
    /// ENVID (RFC 3461).
    pub(super) envid: Option<EnvelopeId>,
}

impl MailParameters {
    /// Reads what follows the path. AUTH= (RFC 4954 section 5) is checked and forgotten: we trust
    /// nobody to speak for others.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let mut found = Self::default();
        for parameter in parameters(text) {
            let Parameter { option, key, value } = parameter?;
            let is = |name: &str| key.eq_ignore_ascii_case(name);
            if is("SIZE") {
                found.size = Some(parse_size(value).ok_or(Fault::BadSize)?);
            } else if is("BODY") {
                found.body = parse_body(value).ok_or_else(|| unsupported(option))?;
            } else if is("SMTPUTF8") && value.is_empty() {
                found.smtputf8 = true;
            } else if is("RET") {
                found.ret = Some(parse_return(value).ok_or(Fault::BadRet)?);
            } else if is("ENVID") {
                found.envid = Some(parse_envid(value).ok_or(Fault::BadEnvid)?);
            } else if is("AUTH") {
                parse_auth(value).ok_or_else(|| unsupported(option))?;
            } else {
                return Err(unsupported(option));
            }
        }
        Ok(found)
    }
}

/// What RCPT may say besides the recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RcptParameters {
    /// NOTIFY (RFC 3461).
    pub(super) notify: Notify,
    /// ORCPT (RFC 3461).
    pub(super) orcpt: Option<OriginalRecipient>,
}

impl RcptParameters {
    /// Reads what follows the path.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let mut found = Self { notify: Notify::DEFAULT, orcpt: None };
        for parameter in parameters(text) {
            let Parameter { option, key, value } = parameter?;
            if key.eq_ignore_ascii_case("NOTIFY") {
                found.notify = parse_notify(value).ok_or(Fault::BadNotify)?;
            } else if key.eq_ignore_ascii_case("ORCPT") {
                found.orcpt = Some(parse_orcpt(value).ok_or(Fault::BadOrcpt)?);
            } else {
                return Err(unsupported(option));
            }
        }
        Ok(found)
    }
}

/// One parameter: `KEY=value`, or `KEY` alone.
struct Parameter<'a> {
    option: &'a str,
    key: &'a str,
    value: &'a str,
}

impl<'a> Parameter<'a> {
    fn of(option: &'a str) -> Self {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        Self { option, key, value }
    }
}

/// All parameters in turn. None may come twice (RFC 5321 section 4.1.1.11).
fn parameters(text: &str) -> impl Iterator<Item = Result<Parameter<'_>, Fault>> {
    text.split_ascii_whitespace().map(Parameter::of).enumerate().map(|(at, parameter)| {
        let mut before = text.split_ascii_whitespace().map(Parameter::of).take(at);
        let twice = before.any(|other| other.key.eq_ignore_ascii_case(parameter.key));
        if twice { Err(Fault::RepeatedOption) } else { Ok(parameter) }
    })
}

/// Checks the arguments of HELO, EHLO and LHLO.
pub(super) fn parse_hello(arguments: &str) -> Option<&str> {
    let word = arguments.split_ascii_whitespace().next()?;
    (word.len() <= MAX_HELLO).then_some(word)
}

fn parse_size(value: &str) -> Option<u64> {
    let digits = (1..=20).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| value.parse().unwrap_or(u64::MAX))
}

fn parse_body(value: &str) -> Option<BodyType> {
    if value.eq_ignore_ascii_case("7BIT") {
        return Some(BodyType::SevenBit);
    }
    value.eq_ignore_ascii_case("8BITMIME").then_some(BodyType::EightBitMime)
}

fn parse_return(value: &str) -> Option<Return> {
    if value.eq_ignore_ascii_case("FULL") {
        return Some(Return::Full);
    }
    value.eq_ignore_ascii_case("HDRS").then_some(Return::Headers)
}

fn parse_envid(value: &str) -> Option<EnvelopeId> {
    let decoded = xtext::decode(value).filter(|decoded| !decoded.is_empty())?;
    EnvelopeId::new(&decoded)
}

fn parse_orcpt(value: &str) -> Option<OriginalRecipient> {
    let found = OriginalRecipient::new(&xtext::decode(value)?)?;
    if !found.kind().eq_ignore_ascii_case("utf-8") {
        return Some(found);
    }
    OriginalRecipient::new(&xtext::decode_unicode(found.as_str()))
}

fn parse_notify(value: &str) -> Option<Notify> {
    if value.eq_ignore_ascii_case("NEVER") {
        return Some(Notify::Never);
    }
    let (mut success, mut failure, mut delay) = (false, false, false);
    for event in value.split(',') {
        match event {
            _ if event.eq_ignore_ascii_case("SUCCESS") => success = true,
            _ if event.eq_ignore_ascii_case("FAILURE") => failure = true,
            _ if event.eq_ignore_ascii_case("DELAY") => delay = true,
            _ => return None,
        }
    }
    Some(Notify::On { success, failure, delay })
}

fn parse_auth(value: &str) -> Option<()> {
    let decoded = xtext::decode(value)?;
    (!decoded.is_empty() && !decoded.contains(char::is_control)).then_some(())
}

fn unsupported(option: &str) -> Fault {
    Fault::UnsupportedOption(option.chars().take(SHOWN).collect())
}

/// RFC 5321 section 4.5.3.1.2, and some room for what clients say instead of a name.
const MAX_HELLO: usize = 255;
/// How much of an unknown option is quoted back.
const SHOWN: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parameters_of_mail_are_read() {
        let text = "size=100 Body=8BitMime SMTPUTF8 RET=hdrs ENVID=a+2Bb AUTH=<>";
        let found = MailParameters::parse(text).unwrap();
        assert_eq!(found.size, Some(100));
        assert_eq!(found.body, BodyType::EightBitMime);
        assert!(found.smtputf8);
        assert_eq!(found.ret, Some(Return::Headers));
        assert_eq!(found.envid.unwrap().as_str(), "a+b");
    }

    #[test]
    fn a_size_beyond_all_numbers_is_the_largest_number() {
        let found = MailParameters::parse("SIZE=99999999999999999999").unwrap();
        assert_eq!(found.size, Some(u64::MAX));
    }

    #[test]
    fn each_bad_parameter_of_mail_has_its_fault() {
        for (text, fault) in [
            ("SIZE", Fault::BadSize),
            ("SIZE=-1", Fault::BadSize),
            ("SIZE=1x", Fault::BadSize),
            ("SIZE=999999999999999999999", Fault::BadSize),
            ("RET=SOME", Fault::BadRet),
            ("ENVID=", Fault::BadEnvid),
            ("ENVID=+00", Fault::BadEnvid),
            ("ENVID=a+0D+0Ab", Fault::BadEnvid),
            ("BODY=BINARYMIME", Fault::UnsupportedOption("BODY=BINARYMIME".into())),
            ("SMTPUTF8=1", Fault::UnsupportedOption("SMTPUTF8=1".into())),
            ("AUTH=", Fault::UnsupportedOption("AUTH=".into())),
            ("X-Y=1", Fault::UnsupportedOption("X-Y=1".into())),
        ] {
            assert_eq!(MailParameters::parse(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn all_parameters_of_rcpt_are_read() {
        let found =
            RcptParameters::parse("NOTIFY=SUCCESS,delay ORCPT=rfc822;a+2Bb@c.example").unwrap();
        assert_eq!(found.notify, Notify::On { success: true, failure: false, delay: true });
        assert_eq!(found.orcpt.unwrap().address(), "a+b@c.example");
    }

    #[test]
    fn each_bad_parameter_of_rcpt_has_its_fault() {
        for (text, fault) in [
            ("NOTIFY=", Fault::BadNotify),
            ("NOTIFY=NEVER,SUCCESS", Fault::BadNotify),
            ("ORCPT=a@b.example", Fault::BadOrcpt),
            ("ORCPT=rfc822;a+00", Fault::BadOrcpt),
            ("ORCPT=rfc822;a+0Ab", Fault::BadOrcpt),
            ("ORCPT=utf-8;a\\x{A}b", Fault::BadOrcpt),
            ("SIZE=1", Fault::UnsupportedOption("SIZE=1".into())),
        ] {
            assert_eq!(RcptParameters::parse(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn no_parameter_comes_twice() {
        for text in ["SIZE=1 size=1", "BODY=7BIT SIZE=1 BODY=8BITMIME", "SMTPUTF8 SMTPUTF8"] {
            assert_eq!(MailParameters::parse(text), Err(Fault::RepeatedOption), "{text}");
        }
        for text in ["NOTIFY=NEVER NOTIFY=DELAY", "ORCPT=rfc822;a NOTIFY=NEVER Orcpt=rfc822;b"] {
            assert_eq!(RcptParameters::parse(text), Err(Fault::RepeatedOption), "{text}");
        }
    }

    #[test]
    fn the_first_word_of_a_greeting_is_the_name() {
        assert_eq!(parse_hello("host.example extra"), Some("host.example"));
        assert_eq!(parse_hello(""), None);
        assert_eq!(parse_hello(&"a".repeat(256)), None);
    }
}
