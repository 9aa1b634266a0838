//! The paths of MAIL and RCPT: `<user@domain>`, and what old clients write instead.
//!
//! As forgiving as Postfix with `strict_rfc821_envelopes = no`: a space after the colon, no angle
//! brackets, a source route (which is dropped, RFC 5321 appendix C). The address that is left is
//! the one that is judged (`attacks.md` D3).

use mailweir_mail::{Address, AddressError, Domain};

/// A path and the parameters after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path<'a> {
    pub(super) target: Target,
    pub(super) parameters: &'a str,
}

/// Whom a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// `<>`.
    Null,
    /// A mailbox.
    Mailbox(Address),
}

/// Why a path cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PathError {
    /// `FROM:` or `TO:` is missing, or nothing follows it.
    Syntax,
    /// The address cannot be read.
    Address,
    /// The address has no domain.
    NotQualified(Box<str>),
}

/// Reads the arguments of MAIL (`keyword` is `FROM:`) or RCPT (`TO:`). `<postmaster>` alone means
/// ours (RFC 5321 section 4.5.1).
pub(super) fn parse<'a>(
    arguments: &'a str,
    keyword: &str,
    hostname: &Domain,
) -> Result<Path<'a>, PathError> {
    let (found, rest) = arguments.split_at_checked(keyword.len()).ok_or(PathError::Syntax)?;
    if !found.eq_ignore_ascii_case(keyword) {
        return Err(PathError::Syntax);
    }
    let rest = rest.trim_start();
    let (inner, parameters) = divide(rest)?;
    if !parameters.is_empty() && !parameters.starts_with([' ', '\t']) {
        return Err(PathError::Address);
    }
    let target = target(inner.trim(), hostname)?;
    Ok(Path { target, parameters: parameters.trim_start() })
}

/// Divides `<path> parameters` or `path parameters`.
fn divide(text: &str) -> Result<(&str, &str), PathError> {
    if text.is_empty() {
        return Err(PathError::Syntax);
    }
    if let Some(text) = text.strip_prefix('<') {
        let end = find_unquoted(text, |c| c == '>').ok_or(PathError::Address)?;
        return Ok((&text[..end], &text[end + 1..]));
    }
    let end = find_unquoted(text, |c| c == ' ' || c == '\t').unwrap_or(text.len());
    Ok(text.split_at(end))
}

/// Where the first character outside quotes stands that `matches`.
fn find_unquoted(text: &str, matches: impl Fn(char) -> bool) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ if !quoted && matches(c) => return Some(at),
            _ => {}
        }
    }
    None
}

fn target(inner: &str, hostname: &Domain) -> Result<Target, PathError> {
    if inner.is_empty() {
        return Ok(Target::Null);
    }
    let address = without_source_route(inner).ok_or(PathError::Address)?;
    match Address::parse(address) {
        Ok(address) => Ok(Target::Mailbox(address)),
        Err(AddressError::NoDomain) if !address.ends_with('@') => local(address, hostname),
        Err(_) => Err(PathError::Address),
    }
}

fn local(user: &str, hostname: &Domain) -> Result<Target, PathError> {
    if !user.eq_ignore_ascii_case("postmaster") {
        return Err(PathError::NotQualified(user.into()));
    }
    let address = Address::parse(&format!("{user}@{hostname}")).map_err(|_| PathError::Address)?;
    Ok(Target::Mailbox(address))
}

/// `@a,@b:user@c` is `user@c`.
fn without_source_route(path: &str) -> Option<&str> {
    if !path.starts_with('@') {
        return Some(path);
    }
    path.split_once(':').map(|(_, address)| address)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hostname() -> Domain {
        Domain::parse("gate.example").unwrap()
    }

    fn read(arguments: &str) -> Result<(String, &str), PathError> {
        let path = parse(arguments, "TO:", &hostname())?;
        let target = match path.target {
            Target::Null => String::new(),
            Target::Mailbox(address) => address.as_str().to_owned(),
        };
        Ok((target, path.parameters))
    }

    #[test]
    fn paths_are_read_as_forgivingly_as_postfix_reads_them() {
        for (arguments, target, parameters) in [
            ("TO:<a@b.example>", "a@b.example", ""),
            ("to:<a@b.example> NOTIFY=NEVER", "a@b.example", "NOTIFY=NEVER"),
            ("TO: <a@b.example>", "a@b.example", ""),
            ("TO:a@b.example  X=1", "a@b.example", "X=1"),
            ("TO:< a@b.example >", "a@b.example", ""),
            ("TO:<>", "", ""),
            ("TO:<@x.example,@y.example:a@b.example>", "a@b.example", ""),
            ("TO:<\"a> b\"@b.example> X", "\"a> b\"@b.example", "X"),
            ("TO:<\"a\\\"> b\"@b.example>", "\"a\\\"> b\"@b.example", ""),
            ("TO:<PostMaster>", "PostMaster@gate.example", ""),
        ] {
            assert_eq!(read(arguments), Ok((target.to_owned(), parameters)), "{arguments}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for (arguments, error) in [
            ("", PathError::Syntax),
            ("TO", PathError::Syntax),
            ("TO:", PathError::Syntax),
            ("FROM:<a@b.example>", PathError::Syntax),
            ("TO:<a@b.example", PathError::Address),
            ("TO:<a@b.example>X=1", PathError::Address),
            ("TO:<@x.example>", PathError::Address),
            ("TO:<a@>", PathError::Address),
            ("TO:<@>", PathError::Address),
            ("TO:<a@b@c.example>", PathError::Address),
            ("TO:<a b@c.example>", PathError::Address),
            ("TO:<é", PathError::Address),
            ("TO:<bob>", PathError::NotQualified("bob".into())),
            ("TO:<\"a@b.example\">", PathError::NotQualified("\"a@b.example\"".into())),
        ] {
            assert_eq!(read(arguments), Err(error), "{arguments}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "TO:[<>@:,\"\\\\ aé.]{0,30}|\\PC{0,40}") {
            let _ = read(&text);
        }
    }
}
