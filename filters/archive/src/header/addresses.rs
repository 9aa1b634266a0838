//! The addresses in the value of a field such as To (RFC 5322 section 3.4), obsolete forms too.

use mailweir_mail::Address;

/// Every address that is one. Names, comments, groups and source routes are passed over.
pub(crate) fn addresses(value: &str) -> impl Iterator<Item = Address> {
    mailboxes(value).into_iter().filter_map(|mailbox| mailbox.address())
}

/// Whether [`addresses`] misses nobody whom the value names.
pub(crate) fn is_understood(value: &str) -> bool {
    let is_nobody = |mailbox: &Mailbox| mailbox.angle.is_none() && mailbox.words.trim().is_empty();
    mailboxes(value).iter().all(|mailbox| is_nobody(mailbox) || mailbox.is_whole())
}

/// One of a list, as far as it was read.
#[derive(Debug, Default)]
struct Mailbox {
    /// What stands outside of comments and angle brackets.
    words: String,
    /// What stands in angle brackets.
    angle: Option<String>,
}

impl Mailbox {
    /// Whether nothing but its address and its name stands there.
    fn is_whole(&self) -> bool {
        Address::parse(self.angle.as_ref().unwrap_or(&self.words).trim()).is_ok()
    }

    fn address(&self) -> Option<Address> {
        if let Some(angle) = &self.angle {
            return Address::parse(angle.trim()).ok();
        }
        let parse = |word: &str| Address::parse(word).ok();
        parse(self.words.trim()).or_else(|| self.words.split_whitespace().find_map(parse))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Words,
    Angle,
    /// A quoted string, or the brackets of an address literal.
    Closed {
        by: char,
        in_angle: bool,
    },
    Comment {
        depth: u32,
        in_angle: bool,
    },
}

fn mailboxes(value: &str) -> Vec<Mailbox> {
    let (mut all, mut mailbox) = (Vec::new(), Mailbox::default());
    let mut within = Within::Words;
    let mut escaped = false;
    for c in value.chars() {
        let was_escaped = std::mem::replace(&mut escaped, false);
        let in_angle = match within {
            Within::Words => false,
            Within::Angle => true,
            Within::Closed { in_angle, .. } | Within::Comment { in_angle, .. } => in_angle,
        };
        let outside = if in_angle { Within::Angle } else { Within::Words };
        match (within, c) {
            (Within::Comment { .. }, _) if was_escaped => {}
            (Within::Comment { .. }, '\\') => escaped = true,
            (Within::Comment { depth, .. }, '(') => {
                within = Within::Comment { depth: depth + 1, in_angle };
            }
            (Within::Comment { depth: 1, .. }, ')') => within = outside,
            (Within::Comment { depth, .. }, ')') => {
                within = Within::Comment { depth: depth - 1, in_angle };
            }
            (Within::Comment { .. }, _) => {}
            (Within::Closed { by, .. }, _) => {
                mailbox.push(in_angle, c);
                escaped = c == '\\' && !was_escaped;
                if c == by && !was_escaped {
                    within = outside;
                }
            }
            (_, '(') => within = Within::Comment { depth: 1, in_angle },
            (_, '"' | '[') => {
                mailbox.push(in_angle, c);
                within = Within::Closed { by: if c == '[' { ']' } else { c }, in_angle };
            }
            (Within::Words, '<') => {
                mailbox.angle = Some(String::new());
                within = Within::Angle;
            }
            (Within::Angle, '>') => within = Within::Words,
            // The end of a source route, or of the name of a group.
            (Within::Angle, ':') => mailbox.angle = Some(String::new()),
            (Within::Words, ':') => mailbox.words.clear(),
            (Within::Words, ',' | ';') => all.push(std::mem::take(&mut mailbox)),
            _ => mailbox.push(in_angle, c),
        }
    }
    all.push(mailbox);
    all
}

impl Mailbox {
    fn push(&mut self, in_angle: bool, c: char) {
        match &mut self.angle {
            Some(angle) if in_angle => angle.push(c),
            _ => self.words.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_every_form_that_mail_has() {
        for (value, expected) in [
            ("ann@own.example", vec!["ann@own.example"]),
            (" Ann <ann@own.example> , <b@c.example>", vec!["ann@own.example", "b@c.example"]),
            (
                "\"Doe, Jane\" <j@x.example>, b@x.example (Bob, \\) x)",
                vec!["j@x.example", "b@x.example"],
            ),
            ("\"a b\"@x.example", vec!["\"a b\"@x.example"]),
            (
                "Team: a@x.example, B <b@x.example>;, c@x.example",
                vec!["a@x.example", "b@x.example", "c@x.example"],
            ),
            ("<@relay.example,@two.example:a@x.example>", vec!["a@x.example"]),
            ("a@[IPv6:2001:db8::1]", vec!["a@[IPv6:2001:db8::1]"]),
            ("Ann ann@x.example", vec!["ann@x.example"]),
            ("=?utf-8?B?7Iq57J24?= <k@x.example>", vec!["k@x.example"]),
            ("undisclosed-recipients:;", vec![]),
            ("\"never closed <a@x.example>, b@x.example", vec!["b@x.example"]),
            ("(never closed a@x.example", vec![]),
            ("", vec![]),
            ("<>", vec![]),
        ] {
            let found: Vec<String> = addresses(value).map(|it| it.to_string()).collect();
            assert_eq!(found, expected, "{value}");
        }
    }
    #[test]
    fn what_may_name_somebody_else_is_not_understood() {
        for value in
            ["", "a@x.example, B <b@x.example>", "undisclosed-recipients:;", "T: a@x.example;"]
        {
            assert!(is_understood(value), "{value}");
        }
        for value in ["Carol", "a@x.example Carol", "<>", "a@x.example, \"never closed"] {
            assert!(!is_understood(value), "{value}");
        }
    }
}
