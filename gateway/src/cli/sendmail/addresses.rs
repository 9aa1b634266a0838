//! Addresses as people and programs write them: in lists, with names, without a domain.

use std::collections::HashSet;

use mailweir_filters::rewriting::{AddrSpec, AddressList, Words};
use mailweir_mail::{Address, Domain, ReversePath};

use super::{header::Header, options::Options};

/// Why nobody can be written to.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoAddress {
    #[error("{0:?} is no address")]
    Unreadable(Box<str>),
    #[error("the header names no recipient")]
    Nobody,
    #[error("the user who runs this has no name that mail can carry; name the sender with -f")]
    NoLogin,
}

/// All recipients, each once: those of the command line, then those of the header if they count.
pub(super) fn recipients(
    options: &Options,
    header: Header<'_>,
    host: &Domain,
) -> Result<Vec<Address>, NoAddress> {
    let mut all = Vec::new();
    for written in &options.recipients {
        all.extend(of_word(written, host)?);
    }
    if options.header_recipients {
        for body in header.recipient_bodies() {
            all.extend(of_list(body, Words::AreNames, host)?);
        }
    }
    let mut seen = HashSet::new();
    all.retain(|address| seen.insert(address.clone()));
    if all.is_empty() { Err(NoAddress::Nobody) } else { Ok(all) }
}

/// The sender: as it is written, or else who runs the program.
pub(super) fn sender(
    written: Option<&str>,
    login: &str,
    host: &Domain,
) -> Result<ReversePath, NoAddress> {
    let address = match written {
        Some("") => return Ok(ReversePath::Null),
        Some(written) => complete(written, host)?,
        None => complete(login, host).map_err(|_| NoAddress::NoLogin)?,
    };
    Ok(ReversePath::Mailbox(address))
}

/// A word of the command line: one address, whatever is in it, or a list.
fn of_word(written: &str, host: &Domain) -> Result<Vec<Address>, NoAddress> {
    if let Ok(address) = Address::parse(written) {
        return Ok(vec![address]);
    }
    let found = of_list(written.as_bytes(), Words::AreAddresses, host)?;
    if found.is_empty() { Err(NoAddress::Unreadable(written.into())) } else { Ok(found) }
}

/// The addresses of a list, all of them.
fn of_list(text: &[u8], words: Words, host: &Domain) -> Result<Vec<Address>, NoAddress> {
    let specs: Vec<_> = AddressList::new(text, words, usize::MAX).collect();
    if !is_whole(text, &specs) {
        return Err(unreadable(text));
    }
    specs.iter().map(|spec| of_spec(spec, text, host)).collect()
}

/// Whether each element of a list has its address. What is broken [`AddressList`] leaves out; here somebody would not
/// get the mail, and nobody would know.
fn is_whole(text: &[u8], specs: &[AddrSpec]) -> bool {
    let mut element = Element::default();
    let (mut quoted, mut comments) = (false, 0_usize);
    let mut specs = specs.iter().peekable();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if let Some(spec) = specs.next_if(|spec| spec.local.start == at) {
            element.found = true;
            at = end_of(spec);
            continue;
        }
        at += 1;
        match byte {
            b'\\' => at += 1,
            b'"' if comments == 0 => quoted = !quoted,
            _ if quoted => element.has_words = true,
            b'(' => comments += 1,
            b')' => comments = comments.saturating_sub(1),
            _ if comments > 0 => {}
            b',' | b';' if !std::mem::take(&mut element).is_whole() => return false,
            b',' | b';' => {}
            // What stood before was a name.
            b'<' => element.has_at = false,
            // The name of a group, which needs no address; or a route.
            b':' => element = Element { found: element.found, ..Element::default() },
            b'@' => element.has_at = true,
            byte => element.has_words |= !byte.is_ascii_whitespace(),
        }
    }
    !quoted && comments == 0 && element.is_whole()
}

/// What stands between two commas, beside its addresses.
#[derive(Default)]
struct Element {
    found: bool,
    has_words: bool,
    has_at: bool,
}

impl Element {
    const fn is_whole(&self) -> bool {
        !self.has_at && (self.found || !self.has_words)
    }
}

fn of_spec(spec: &AddrSpec, text: &[u8], host: &Domain) -> Result<Address, NoAddress> {
    let written = || unreadable(text.get(spec.local.start..end_of(spec)).unwrap_or_default());
    if spec.domain.is_some() {
        return spec.address(text).ok_or_else(written);
    }
    let local = text.get(spec.local.clone()).and_then(|local| std::str::from_utf8(local).ok());
    complete(local.ok_or_else(written)?, host)
}

fn end_of(spec: &AddrSpec) -> usize {
    spec.domain.as_ref().map_or(spec.local.end, |domain| domain.end)
}

/// An address; without a domain it is one of this host (Postfix `append_at_myorigin`).
fn complete(written: &str, host: &Domain) -> Result<Address, NoAddress> {
    let with_host = || Address::parse(&format!("{written}@{host}"));
    let address = Address::parse(written).or_else(|_| with_host());
    address.map_err(|_| unreadable(written.as_bytes()))
}

fn unreadable(text: &[u8]) -> NoAddress {
    NoAddress::Unreadable(String::from_utf8_lossy(text).trim().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Domain {
        Domain::parse("gate.example").unwrap()
    }

    fn all(words: &[&str], header: Option<&str>) -> Result<Vec<String>, String> {
        let options = Options {
            recipients: words.iter().map(|&word| word.to_owned()).collect(),
            header_recipients: header.is_some(),
            ..Options::default()
        };
        let header = Header(header.unwrap_or_default().as_bytes());
        let found = recipients(&options, header, &host());
        let shown = |found: Vec<Address>| found.iter().map(ToString::to_string).collect();
        found.map(shown).map_err(|error| error.to_string())
    }

    fn these(addresses: &[&str]) -> Result<Vec<String>, String> {
        Ok(addresses.iter().map(|&address| address.to_owned()).collect())
    }

    #[test]
    fn words_of_the_command_line_are_addresses_or_lists() {
        for (word, expected) in [
            ("a@b.example", &["a@b.example"][..]),
            ("-x@y.example", &["-x@y.example"]),
            ("\"q q\"@x.example", &["\"q q\"@x.example"]),
            ("root", &["root@gate.example"]),
            ("a@b.example,c@d.example root", &["a@b.example", "c@d.example", "root@gate.example"]),
            ("Ann A <a@b.example>", &["a@b.example"]),
            ("<a@b.example>", &["a@b.example"]),
            ("<root>", &["root@gate.example"]),
        ] {
            assert_eq!(all(&[word], None), these(expected), "{word}");
        }
        for word in ["@", "", "a@", "\"open", "a@b@c", "a b@"] {
            assert!(all(&["x@y.example", word], None).is_err(), "{word}");
        }
    }

    #[test]
    fn recipients_of_the_header_come_in_addition_and_each_once() {
        let header = "To: Ann <a@b.example>, (c) c@d.example,\n root, grp: x@y.example;\n\
                      Cc: a@B.example\nBcc: q@q.example\n";
        let expected = ["e@f.example", "a@b.example", "c@d.example", "root@gate.example"];
        let expected = [&expected[..], &["x@y.example", "q@q.example"]].concat();
        assert_eq!(all(&["e@f.example"], Some(header)), these(&expected));
        let empty = "To: undisclosed-recipients:;\nCc:\nBcc: q@q.example\n";
        assert_eq!(all(&[], Some(empty)), these(&["q@q.example"]));
    }

    #[test]
    fn nobody_is_left_out_in_silence() {
        assert_eq!(all(&[], Some("Subject: x\n")), Err("the header names no recipient".into()));
        for body in [
            "\"open",
            "(open",
            "x@y..\u{1}",
            "@",
            "<>",
            "c@",
            "c@d@e",
            "a@b.example c@",
            "Ann Other",
            "grp: c@;",
            "Ann, c@d.example",
            "Ann A, c@d.example",
        ] {
            let header = format!("To: a@b.example\nCc: x@y.example, {body}\n");
            let expected = body.starts_with("Ann,");
            let refused = all(&[], Some(&header));
            assert_eq!(refused.is_ok(), expected, "{body}: {refused:?}");
            if expected {
                continue;
            }
            assert!(
                refused.as_ref().is_err_and(|why| why.contains("is no address")),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn names_groups_routes_and_comments_are_no_addresses() {
        for body in [
            "\"bob@x.example\" <b@own.example>",
            "bob@x.example <b@own.example>",
            "(c@d \\( (nested)) b@own.example (,)",
            "\"B, ob\\\"\" <b@own.example>,, ,",
            "Group: b@own.example, \"x\" <b@own.example>;, nobody:;",
            "<@a.example:b@own.example>",
        ] {
            assert_eq!(
                all(&[], Some(&format!("To: {body}\n"))),
                these(&["b@own.example"]),
                "{body}"
            );
        }
    }

    #[test]
    fn who_runs_the_program_is_the_sender_unless_another_is_named() {
        let sender = |written| sender(written, "ann", &host()).map(|sender| sender.to_string());
        assert_eq!(sender(None), Ok("ann@gate.example".to_owned()));
        assert_eq!(sender(Some("")), Ok(String::new()));
        assert_eq!(sender(Some("bob")), Ok("bob@gate.example".to_owned()));
        assert_eq!(sender(Some("bob@x.example")), Ok("bob@x.example".to_owned()));
        assert!(sender(Some("b@")).is_err());
    }
}
