//! The values that only `[spam]` has.

use mailweir_mail::Points;

use crate::config::{
    setting::{Refusal, Setting},
    value::{RawValue, Value},
};

/// From how many points on something happens; never, if there is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Threshold(pub(super) Option<Points>);

impl Threshold {
    /// `None`: never.
    pub(in crate::config) const fn points(self) -> Option<Points> {
        self.0
    }
}

impl Setting for Threshold {
    const ALLOWED: &'static str = "a number of points above 0, such as 8 or 6.5, or \"never\"";
    const EXAMPLE: &'static str = "8";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let number: Option<f64> = match &value.value {
            Value::Text(text) | Value::Loose(text) if text == "never" => return Ok(Self(None)),
            Value::Text(text) | Value::Loose(text) => text.parse().ok(),
            Value::Number(number) => i32::try_from(*number).ok().map(f64::from),
            Value::Fraction(number) => number.parse().ok(),
            Value::Flag(_) | Value::List(_) | Value::Table(_) | Value::Other(_) => None,
        };
        let points = number.filter(|number| number.is_finite()).map(Points::round);
        match points {
            Some(points) if points > Points::ZERO => Ok(Self(Some(points))),
            Some(points) => {
                let message = format!("{points} would mean mail of which nothing is known");
                Refusal::new(value, message).alone()
            }
            None => Refusal::new(value, "no number of points").alone(),
        }
    }
}
