//! An address with and without the quotes of its local part (Postfix's `quote_822_local`).

use std::borrow::Cow;

use super::Extensions;

/// An address: the local part that is meant, and the domain if there is one.
pub(super) struct Mailbox<'a> {
    /// Without quotes and backslashes.
    local: Cow<'a, str>,
    domain: Option<&'a str>,
    /// What the parts were taken from, if `local@domain` is just that.
    plain: Option<&'a str>,
}

impl<'a> Mailbox<'a> {
    /// Reads an address with or without domain, its local part quoted or not.
    pub(super) fn parse(address: &'a str) -> Self {
        let at = end_of_local_part(address);
        let (local, domain) = match at {
            Some(at) => (&address[..at], Some(&address[at + 1..])),
            None => (address, None),
        };
        let local = unquoted(local);
        let plain = matches!(local, Cow::Borrowed(_)).then_some(address);
        Self { local, domain, plain }
    }

    pub(super) fn domain(&self) -> Option<&'a str> {
        self.domain
    }

    /// The address without its extension, and the extension with its delimiter.
    pub(super) fn without_extension(
        &self,
        extensions: &Extensions,
    ) -> Option<(Self, Cow<'a, str>)> {
        let (name, extension) = match &self.local {
            Cow::Borrowed(local) => {
                let (name, extension) = extensions.split(local)?;
                (Cow::Borrowed(name), Cow::Borrowed(extension))
            }
            Cow::Owned(local) => {
                let (name, extension) = extensions.split(local)?;
                (Cow::Owned(name.to_owned()), Cow::Owned(extension.to_owned()))
            }
        };
        Some((Self { local: name, domain: self.domain, plain: None }, extension))
    }

    /// The address quoted as RFC 5322 asks, and as it is meant if that is something else.
    pub(super) fn forms(&self) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        let meant = match (self.plain, self.domain) {
            (Some(plain), _) => Cow::Borrowed(plain),
            (None, Some(domain)) => Cow::Owned(format!("{}@{domain}", self.local)),
            (None, None) => self.local.clone(),
        };
        let quoted = quoted(&self.local).map(|quoted| match self.domain {
            Some(domain) => Cow::Owned(format!("{quoted}@{domain}")),
            None => Cow::Owned(quoted),
        });
        quoted.into_iter().chain([meant]).filter(|text| !text.is_empty())
    }

    /// The local part with `behind` behind it, in both forms.
    pub(super) fn local_forms(&self, behind: &str) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        let with = |local: &Cow<'a, str>| match behind {
            "" => local.clone(),
            behind => Cow::Owned(format!("{local}{behind}")),
        };
        let quoted = quoted(&self.local).map(|quoted| with(&Cow::Owned(quoted)));
        quoted.into_iter().chain([with(&self.local)]).filter(|text| !text.is_empty())
    }
}

/// Where the last `@` stands that no quotes hide. Quotes that do not end hide nothing.
fn end_of_local_part(address: &str) -> Option<usize> {
    if !is_quoted(address) {
        return address.rfind('@');
    }
    let mut last = None;
    let mut in_quotes = false;
    let mut escaped = false;
    for (at, c) in address.char_indices() {
        match c {
            _ if std::mem::take(&mut escaped) => {}
            '\\' => escaped = true,
            '"' => in_quotes = !in_quotes,
            '@' if !in_quotes => last = Some(at),
            _ => {}
        }
    }
    if in_quotes { address.rfind('@') } else { last }
}

/// Whether any of it may be.
fn is_quoted(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'"' | b'\\'))
}

/// A local part without its quotes and backslashes.
fn unquoted(local: &str) -> Cow<'_, str> {
    if !is_quoted(local) {
        return Cow::Borrowed(local);
    }
    let mut meant = String::with_capacity(local.len());
    let mut escaped = false;
    for c in local.chars() {
        match c {
            _ if std::mem::take(&mut escaped) => meant.push(c),
            '\\' => escaped = true,
            '"' => {}
            _ => meant.push(c),
        }
    }
    Cow::Owned(meant)
}

/// A local part in quotes, if it needs them: if it is not atoms with dots between them.
fn quoted(local: &str) -> Option<String> {
    if local.as_bytes().split(|&byte| byte == b'.').all(is_atom) {
        return None;
    }
    let mut quoted = String::with_capacity(local.len() + 2);
    quoted.push('"');
    for c in local.chars() {
        if matches!(c, '"' | '\\' | '\r') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    Some(quoted)
}

/// RFC 5322 section 3.2.3.
fn is_atom(atom: &[u8]) -> bool {
    let is_special = |byte: &u8| {
        matches!(
            byte,
            b' ' | b'('
                | b')'
                | b'<'
                | b'>'
                | b'@'
                | b','
                | b';'
                | b':'
                | b'\\'
                | b'"'
                | b'['
                | b']'
        )
    };
    !atom.is_empty() && !atom.iter().any(|byte| byte.is_ascii_control() || is_special(byte))
}
