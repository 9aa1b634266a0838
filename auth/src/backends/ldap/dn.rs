//! Whether two distinguished names are one.

use ldap3::dn_escape;

/// Whether both texts name one entry, as far as that can be told without the server's schema:
/// without regard to case, to spaces around parts, and to how characters are escaped
/// (RFC 4514 section 2.4, RFC 4517 section 4.2.15).
pub(super) fn is_same(one: &str, other: &str) -> bool {
    normal(one) == normal(other)
}

fn normal(dn: &str) -> Vec<String> {
    parts(dn, ',').into_iter().map(normal_rdn).collect()
}

fn normal_rdn(rdn: &str) -> String {
    let (attribute, value) = rdn.split_once('=').unwrap_or((rdn, ""));
    let value = unescape(value.trim_ascii_start());
    let value = dn_escape(value.to_lowercase()).into_owned();
    format!("{}={value}", attribute.trim_ascii().to_lowercase())
}

/// The parts of `text` between separators that no backslash escapes.
fn parts(text: &str, separator: char) -> Vec<&str> {
    let mut escaped = false;
    text.split(|c: char| {
        let divides = c == separator && !escaped;
        escaped = c == '\\' && !escaped;
        divides
    })
    .collect()
}

/// A value without escapes, and without the spaces behind it that none protects.
fn unescape(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut keep = 0;
    let mut rest = value.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let (byte, length) = match (first, after) {
            (b'\\', &[high, low, ..]) if hex(high).is_some() && hex(low).is_some() => {
                (hex(high).unwrap_or(0) << 4 | hex(low).unwrap_or(0), 3)
            }
            (b'\\', &[escaped, ..]) => (escaped, 2),
            _ => (first, 1),
        };
        bytes.push(byte);
        if length > 1 || byte != b' ' {
            keep = bytes.len();
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    bytes.truncate(keep);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_entry_has_many_names() {
        let group = "CN=Mail Admins\\2C EU,OU=Groups,DC=example,DC=org";
        for same in [
            "cn=mail admins\\, eu,ou=groups,dc=example,dc=org",
            "cn = Mail Admins\\2c EU , ou=Groups, dc=example,dc=org",
            "cn=\\6Dail Admins\\2C EU,ou=Groups,dc=example,dc=org",
        ] {
            assert!(is_same(group, same), "{same}");
        }
        assert!(is_same("cn=J\u{d6}RG", "cn=j\\c3\\b6rg"));
        assert!(is_same("cn=a\\20", "cn=a\\ "));
    }

    #[test]
    fn entries_that_look_alike_are_not_one() {
        for (one, other) in [
            ("cn=admins,dc=org", "cn=admins,ou=x,dc=org"),
            ("cn=admins,dc=org", "cn=admins\\,dc=org"),
            ("cn=admins,dc=org", "ou=admins,dc=org"),
            ("cn=a\\20,dc=org", "cn=a,dc=org"),
            ("cn=a\\=b", "cn=a=b\\,"),
            ("cn=a", "cn="),
            ("cn=a", ""),
            ("cn=a", "cn=a\\"),
        ] {
            assert!(!is_same(one, other), "{one} {other}");
        }
    }
}
