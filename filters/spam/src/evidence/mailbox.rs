//! Names and addresses of a decoded field, as mail programs show them.
//!
//! Whom a mail is proven to be from is not decided by this: that takes the raw field (`mailweir_mail::addresses`).

/// One author or recipient of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mailbox<'f> {
    /// The name that is shown, without quotes; may be empty.
    pub name: &'f str,
    /// The address, if it has one: with an `@` and something around it.
    pub address: Option<&'f str>,
}

impl<'f> Mailbox<'f> {
    /// The mailboxes of a field's decoded value, at most 16. Commas in quotes, in brackets and in comments part none.
    #[must_use]
    pub fn all(value: &'f str) -> Vec<Self> {
        split(value)
            .into_iter()
            .map(Self::of)
            .filter(|mailbox| !mailbox.name.is_empty() || mailbox.address.is_some())
            .collect()
    }

    /// The domain of the address, as it is written.
    #[must_use]
    pub fn domain(&self) -> Option<&'f str> {
        self.address?.rsplit_once('@').map(|(_, domain)| domain)
    }

    /// The last pair of angle brackets is the address: encoded words may bring other pairs into the name.
    fn of(text: &'f str) -> Self {
        let text = text.trim();
        let angle = text.rfind('<').and_then(|open| {
            let (name, rest) = text.split_at_checked(open)?;
            let (address, _) = rest.strip_prefix('<')?.split_once('>')?;
            Some((name, address))
        });
        let (name, address) = match angle {
            Some((name, address)) => (name, address),
            None => bare(text),
        };
        let address = Some(address.trim()).filter(|address| is_address(address));
        Self { name: name.trim().trim_matches(['"', '\'', '(', ')']).trim(), address }
    }
}

/// `anna@example.org (Anna Kim)`, `anna@example.org`, or a name alone.
fn bare(text: &str) -> (&str, &str) {
    let (address, name) = text.split_once('(').unwrap_or((text, ""));
    if is_address(address.trim()) { (name, address) } else { (text, "") }
}

/// Whether a word is an address, as far as people see.
pub(super) fn is_address(word: &str) -> bool {
    let Some((local, domain)) = word.rsplit_once('@') else { return false };
    let is_odd = |character: char| {
        character.is_whitespace() || matches!(character, '<' | '>' | '(' | ')' | ',')
    };
    !local.is_empty() && domain.contains('.') && !domain.starts_with('.') && !word.contains(is_odd)
}

fn split(value: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut is_quoted, mut is_escaped, mut depth) = (false, false, 0_usize);
    for (at, character) in value.char_indices() {
        match character {
            _ if std::mem::take(&mut is_escaped) => {}
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '<' | '(' if !is_quoted => depth += 1,
            '>' | ')' if !is_quoted => depth = depth.saturating_sub(1),
            ',' | ';' if !is_quoted && depth == 0 && parts.len() < MOST => {
                parts.extend(value.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    if parts.len() < MOST {
        parts.extend(value.get(start..));
    }
    parts
}

/// Mailboxes of a field that are looked at.
const MOST: usize = 16;
