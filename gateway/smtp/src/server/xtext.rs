//! The encoding of ESMTP parameter values (RFC 3461 section 4: `xtext`).

/// Decodes `text`; `None` if it is no xtext or its meaning is not UTF-8. What is meant may hold
/// control characters: the caller checks (`attacks.md` A15).
pub(super) fn decode(text: &str) -> Option<String> {
    if !text.contains('+') {
        return is_literal(text).then(|| text.to_owned());
    }
    let mut parts = text.split('+');
    let mut bytes = parts.next().filter(|part| is_literal(part))?.as_bytes().to_vec();
    for part in parts {
        let (code, literal) = part.split_at_checked(2)?;
        if !code.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend_from_slice(Some(literal).filter(|part| is_literal(part))?.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// Decodes what stands for a character as `\x{HEX}` in an address of type `utf-8` (RFC 6533 section 3).
/// What only looks like that stays as it is.
pub(super) fn decode_unicode(text: &str) -> String {
    let mut parts = text.split("\\x{");
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.split_once('}').and_then(|(code, rest)| {
            let digits = code.bytes().all(|byte| byte.is_ascii_hexdigit());
            let code = u32::from_str_radix(code, 16).ok().filter(|_| digits)?;
            Some((char::from_u32(code)?, rest))
        });
        match code {
            Some((c, rest)) => {
                decoded.push(c);
                decoded.push_str(rest);
            }
            None => {
                decoded.push_str("\\x{");
                decoded.push_str(part);
            }
        }
    }
    decoded
}

/// Visible characters other than `+` and `=`; RFC 6533 adds all that is not ASCII.
fn is_literal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'=' || !byte.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xtext_reads_back_what_was_meant() {
        assert_eq!(decode("QQ314159").as_deref(), Some("QQ314159"));
        assert_eq!(decode("a+2Bb+3Dc+20").as_deref(), Some("a+b=c "));
        assert_eq!(decode("+00").as_deref(), Some("\0"));
        assert_eq!(decode("+C3+BC").as_deref(), Some("ü"));
        assert_eq!(decode("").as_deref(), Some(""));
    }

    #[test]
    fn embedded_characters_are_decoded_and_look_alikes_are_not() {
        assert_eq!(decode_unicode("j\\x{FC}rgen\\x{5C}@\\x{1F600}"), "jürgen\\@😀");
        for text in ["", "a\\b", "\\x{", "\\x{}", "\\x{+41}", "\\x{D800}", "\\x{110000}", "x{41}"] {
            assert_eq!(decode_unicode(text), text);
        }
    }

    #[test]
    fn what_is_no_xtext_is_refused() {
        for bad in ["a=b", "a b", "+", "+4", "+4G", "a++2B", "+ü", "+FF", "+-1"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
