//! Charsets as settings: `"euc-kr"`.

use mailweir_content::decode::charset::Charset;

use super::{
    setting::{Element, Refusal, Setting},
    value::RawValue,
};

/// A charset by one of its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CharsetName(Charset);

impl CharsetName {
    /// The charset.
    #[must_use]
    pub const fn charset(self) -> Charset {
        self.0
    }
}

impl Setting for CharsetName {
    const ALLOWED: &'static str = "the name of a charset, such as \"euc-kr\"";
    const EXAMPLE: &'static str = "\"euc-kr\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        Charset::for_label(text.as_bytes()).map(Self).map_or_else(
            || Refusal::new(value, format_args!("{text:?} is no charset that is known")).alone(),
            Ok,
        )
    }
}

impl Element for CharsetName {
    const LIST_ALLOWED: &'static str = "a list of charsets, such as [\"euc-kr\", \"shift_jis\"]";
    const LIST_EXAMPLE: &'static str = "[\"euc-kr\", \"shift_jis\"]";
}
