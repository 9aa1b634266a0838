//! What is wrong with the values of access tables, said when a table is read and not when the
//! first mail comes to it.

use super::{
    action::{Action, is_header},
    parse::{Bare, Reader},
};

/// What is wrong with a value as it stands in the source of an access table. `is_class` knows the
/// restriction classes. What has a `$` is not judged, since a part of the key will stand there.
#[must_use]
pub fn complaint(value: &[u8], is_class: impl Fn(&str) -> bool) -> Option<String> {
    let value = std::str::from_utf8(value).ok().filter(|value| !value.contains('$'))?;
    let needs = |what: &str| Some(format!("requires {what}: \"{value}\""));
    match Action::parse(value) {
        Action::Filter(text) if !text.contains(':') => needs("transport:destination"),
        Action::Redirect(text) | Action::Bcc(text) if !text.contains('@') => needs("user@domain"),
        Action::Prepend(text) if !is_header(text) => needs("header: text"),
        Action::Restrictions(list) if list.contains(':') => {
            Some(format!("do not specify lookup tables inside SMTPD access maps: {list}"))
        }
        Action::Restrictions(list) => {
            let wrong = Reader::new(list, Bare::Nothing, is_class).find_map(Result::err);
            wrong.map(|error| error.to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_access_table_can_say_is_found_and_what_it_can_say_is_not() {
        let is_class = |name: &str| name == "strict";
        for good in
            ["OK", "550 no", "REJECT", "strict", "permit_mynetworks, reject", "BCC $1", "$1 x"]
        {
            assert_eq!(complaint(good.as_bytes(), is_class), None, "{good}");
        }
        for (bad, start) in [
            ("FILTER scan", "requires transport:destination: \"FILTER scan\""),
            ("REDIRECT nobody", "requires user@domain: \"REDIRECT nobody\""),
            ("PREPEND no header", "requires header: text: \"PREPEND no header\""),
            (
                "check_client_access hash:/x",
                "do not specify lookup tables inside SMTPD access maps",
            ),
            ("rejct", "there is no restriction"),
        ] {
            let said = complaint(bad.as_bytes(), is_class).unwrap_or_default();
            assert!(said.starts_with(start), "{bad}: {said}");
        }
    }
}
