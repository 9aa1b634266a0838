//! SMTP reply codes as settings.

use super::{
    setting::{Refusal, Setting},
    value::RawValue,
};

/// An SMTP code that refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RejectCode(pub(super) u16);

impl Setting for RejectCode {
    const ALLOWED: &'static str = "a reply code from 400 to 599";
    const EXAMPLE: &'static str = "554";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let number = value.number()?;
        let code = u16::try_from(number).ok().filter(|code| (400..600).contains(code));
        code.map_or_else(
            || Refusal::new(value, format_args!("{number} refuses nothing")).alone(),
            |code| Ok(Self(code)),
        )
    }
}

/// An SMTP code that refuses, or 250.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VerifyCode(pub(super) u16);

impl Setting for VerifyCode {
    const ALLOWED: &'static str = "a reply code from 400 to 599, or 250 to accept all the same";
    const EXAMPLE: &'static str = "550";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        match value.number()? {
            250 => Ok(Self(250)),
            _ => RejectCode::from_value(value).map(|RejectCode(code)| Self(code)),
        }
    }
}

/// An SMTP code that refuses for now, or 250.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VerifyDeferCode(pub(super) u16);

impl Setting for VerifyDeferCode {
    const ALLOWED: &'static str = "a reply code from 400 to 499, or 250 to accept all the same";
    const EXAMPLE: &'static str = "451";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        match VerifyCode::from_value(value)? {
            VerifyCode(code @ ..500) => Ok(Self(code)),
            VerifyCode(code) => {
                let why = format_args!("{code} refuses for ever, and nobody knows for what");
                Refusal::new(value, why).alone()
            }
        }
    }
}
