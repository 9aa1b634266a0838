//! SASL mechanisms, by their registered names.

use mailweir_auth::Mechanism;

use super::{
    setting::{Element, Refusal, Setting},
    value::RawValue,
};

impl Setting for Mechanism {
    const ALLOWED: &'static str = "a SASL mechanism, such as \"SCRAM-SHA-256\" or \"PLAIN\"";
    const EXAMPLE: &'static str = "\"SCRAM-SHA-256\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        text.parse().or_else(|unknown| {
            let upper = text.to_ascii_uppercase();
            let Some((_, why)) = REFUSED.iter().find(|(name, _)| *name == upper) else {
                return Refusal::new(value, format_args!("{text:?}: {unknown}")).alone();
            };
            let meant = Some("\"SCRAM-SHA-256\"".to_owned());
            Refusal::new(value, format_args!("{text:?} is not offered: {why}")).maybe(meant).alone()
        })
    }
}

impl Element for Mechanism {
    const LIST_ALLOWED: &'static str = "a list of SASL mechanisms: EXTERNAL, SCRAM-SHA-1, -256 and -512 and their -PLUS forms, PLAIN, LOGIN";
    const LIST_EXAMPLE: &'static str = "[\"SCRAM-SHA-256-PLUS\", \"SCRAM-SHA-256\", \"PLAIN\"]";
}

/// What people look for here in vain, and why.
const REFUSED: [(&str, &str); 3] = [
    ("DIGEST-MD5", "it is broken and historic (RFC 6331), and no two programs speak it alike"),
    ("NTLM", "its hashes are broken, and who sees them can log in elsewhere"),
    ("ANONYMOUS", "whoever may submit mail has a name"),
];
