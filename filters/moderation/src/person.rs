//! Whether two addresses are one person's.
//!
//! Local parts have upper and lower case (RFC 5321 section 2.4), people and back ends do not: a rule that
//! names `Kim@own.example` means whoever logs in as `kim@own.example`.

use mailweir_mail::Address;

/// Whether two addresses are the same, whatever the case of their letters.
#[must_use]
pub fn is_same(one: &Address, other: &Address) -> bool {
    one.domain() == other.domain() && is_same_local(one, other)
}

/// Whether somebody is in a list.
#[must_use]
pub fn is_among<'a>(one: &Address, all: impl IntoIterator<Item = &'a Address>) -> bool {
    all.into_iter().any(|other| is_same(one, other))
}

/// Without a copy for those that are all ASCII: a list may be long, and strangers may have written it.
fn is_same_local(one: &Address, other: &Address) -> bool {
    let (one_local, other_local) = (one.unquoted_local_part(), other.unquoted_local_part());
    let is_ascii = one_local.is_ascii() && other_local.is_ascii();
    one_local.eq_ignore_ascii_case(&other_local) || !is_ascii && local(one) == local(other)
}

/// What is the same of all addresses that are one person's, to look them up by.
#[must_use]
pub fn key(address: &Address) -> Box<str> {
    format!("{}@{}", local(address), address.domain().as_ascii()).into()
}

fn local(address: &Address) -> String {
    address.unquoted_local_part().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_the_same_whatever_the_case_of_letters() {
        let parse = |text: &str| text.parse::<Address>().unwrap();
        for (one, other, same) in [
            ("Ann@X.example", "ann@x.example.", true),
            ("\"ann\"@x.example", "Ann@x.example", true),
            ("\u{c9}va@x.example", "\u{e9}va@x.example", true),
            ("ann@y.example", "ann@x.example", false),
            ("an@x.example", "ann@x.example", false),
        ] {
            let (one, other) = (parse(one), parse(other));
            assert_eq!(is_same(&one, &other), same, "{one} {other}");
            assert_eq!(key(&one) == key(&other), same, "{one} {other}");
            assert_eq!(is_among(&one, [&other]), same, "{one} {other}");
        }
    }
}
