//! The one cookie of these pages: it tells browsers apart, and nothing else.
//!
//! Its path is the page of one token. So pages that are open side by side have cookies of their own,
//! although a browser that comes from a mail program shows none (`SameSite=Strict`) and gets a new one.

use axum::http::{HeaderMap, HeaderValue, header::COOKIE};

/// The cookie of a request: exactly one of our name, and of our form.
pub(super) fn of(headers: &HeaderMap) -> Option<String> {
    let fields = headers.get_all(COOKIE).iter().filter_map(|field| field.to_str().ok());
    let pairs = fields.flat_map(|field| field.split(';')).map(str::trim);
    let mut ours = pairs.filter_map(|pair| pair.strip_prefix(NAME)?.strip_prefix('='));
    let (Some(value), None) = (ours.next(), ours.next()) else { return None };
    let is_ours = value.len() == LENGTH && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_ours.then(|| value.to_owned())
}

/// The field that gives the page at `path` its cookie.
pub(super) fn field(value: &str, path: &str, is_secure: bool) -> Option<HeaderValue> {
    let secure = if is_secure { "; Secure" } else { "" };
    let field = format!(
        "{NAME}={value}; Path={path}; Max-Age={LIFETIME}; HttpOnly; SameSite=Strict{secure}"
    );
    HeaderValue::from_str(&field).ok()
}

const NAME: &str = "mailweir_page";

/// Sixteen bytes in hexadecimal digits.
const LENGTH: usize = 32;

/// Seconds; longer than a nonce, so that whoever comes late with one hears that, and not of cookies.
const LIFETIME: u32 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others_and_two_are_none() {
        let value = "0123456789abcdef0123456789abcdef";
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, text.parse().unwrap());
            of(&headers)
        };
        let ours = format!("{NAME}={value}");
        assert_eq!(read(&ours).as_deref(), Some(value));
        assert_eq!(read(&format!("a=b; {ours};c")).as_deref(), Some(value));
        for bad in [
            format!("{ours}; {ours}"),
            format!("x{ours}"),
            format!("{NAME}=short"),
            format!("{NAME}={}", "z".repeat(32)),
        ] {
            assert_eq!(read(&bad), None, "{bad}");
        }
    }
}
