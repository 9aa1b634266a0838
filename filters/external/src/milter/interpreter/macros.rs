//! What the macros of a mail server say of a client. `get` gives the value of one, as far as it is known.

use mailweir_mail::{Login, TlsSummary};

/// Who logged in there (`{auth_authen}`, at MAIL).
pub fn login<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Option<Login> {
    let user = get("auth_authen").filter(|user| !user.is_empty())?;
    Some(Login { user: visible(user), mechanism: visible(get("auth_type").unwrap_or_default()) })
}

/// How it is encrypted (`{tls_version}`, at HELO).
pub fn tls<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Option<TlsSummary> {
    let version = get("tls_version").filter(|version| !version.is_empty())?;
    let bits = get("cipher_bits").and_then(|bits| bits.parse().ok()).unwrap_or(0);
    let cipher = visible(get("cipher").unwrap_or_default());
    Some(TlsSummary { version: visible(version), cipher, bits })
}

/// The name of the mail in the queue there (`i`, from DATA on).
pub fn queue_id<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Option<Box<str>> {
    get("i").filter(|id| !id.is_empty()).map(visible)
}

/// It stands in lines of the log.
fn visible(text: &str) -> Box<str> {
    let shown = text.chars().take(LONGEST).map(|c| if c.is_control() { '?' } else { c });
    shown.collect::<String>().into()
}

/// Characters of a value.
const LONGEST: usize = 255;
