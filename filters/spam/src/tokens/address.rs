//! Addresses in header fields, as far as they tell something: names, domains, how many there are.

/// A mailbox, as nearly as one look tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mailbox<'a> {
    /// What stands before the address or, in parentheses, behind it.
    pub(super) name: &'a str,
    /// Before the `@`.
    pub(super) local: &'a str,
    /// Behind it.
    pub(super) domain: &'a str,
}

impl<'a> Mailbox<'a> {
    /// The last in angle brackets, as programs show it, or all there is.
    pub(super) fn of(value: &'a str) -> Self {
        let bracket = value.rfind('<').and_then(|at| value.split_at_checked(at));
        let (name, address) = match bracket {
            Some((name, address)) => (name, address.trim_start_matches('<')),
            None => match value.split_once('(') {
                Some((address, name)) => (name, address),
                None => ("", value),
            },
        };
        let address = address.trim_start();
        let end = address.find(|c: char| matches!(c, '>' | ',' | ';') || c.is_whitespace());
        let address = end.and_then(|end| address.get(..end)).unwrap_or(address);
        let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
        Self { name: name.trim_matches(['"', '\'', ' ', ')']), local, domain }
    }
}

/// The last two labels of a name, or three if the last are short (`co.uk`): what one owner has, more or less. No list of
/// suffixes is needed where only likeness counts.
pub(super) fn owner(host: &str) -> &str {
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    let (Some(last), Some(second)) = (dots.next(), dots.next()) else { return host };
    let begin = match last - second <= 4 && host.len() - last == 3 {
        true => dots.next().map_or(0, |third| third + 1),
        false => second + 1,
    };
    host.get(begin..).unwrap_or(host)
}

/// The last label of a name, with its dot.
pub(super) fn top(host: &str) -> &str {
    host.rfind('.').and_then(|at| host.get(at..)).unwrap_or_default()
}

/// Whether a host is an address of its own: digits and dots, or an address literal.
pub(super) fn is_numeric(host: &str) -> bool {
    host.starts_with('[')
        || !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}
