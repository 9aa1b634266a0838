//! The reply of a block list, put together from its template (postconf(5), `default_rbl_reply`).

use mailweir_mail::Enhanced;

use super::{action, transaction::Transaction};

/// What a template can name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes<'a> {
    /// `maps_rbl_reject_code`.
    pub(super) code: u16,
    /// The list's domain.
    pub(super) domain: &'a str,
    /// What is listed, and its kind.
    pub(super) what: &'a str,
    pub(super) class: &'static str,
    /// The list's TXT record, or nothing.
    pub(super) reason: &'a str,
    pub(super) transaction: &'a Transaction<'a>,
}

/// A template filled in: code, enhanced status code, text. `None` if the template is wrong.
pub(super) fn expand(
    template: &str,
    attributes: &Attributes<'_>,
) -> Option<(u16, Enhanced, String)> {
    let mut text = String::new();
    fill(template, &|name| attributes.value(name), &mut text, 0)?;
    split(&text)
}

/// Whether a template can be filled in.
pub(super) fn is_template(template: &str) -> bool {
    let mut text = String::new();
    let value = |name: &str| if name == "rbl_code" { "554".to_owned() } else { String::new() };
    fill(template, &value, &mut text, 0).and_then(|()| split(&text)).is_some()
}

/// `554 5.7.1 text` in its parts. The text is never empty.
fn split(reply: &str) -> Option<(u16, Enhanced, String)> {
    let (code, rest) = reply.split_once(' ')?;
    let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
    if !is_code || !code.starts_with(['4', '5']) {
        return None;
    }
    let (status, text) = action::split_status(rest, Enhanced(4, 7, 1));
    let text = if text.is_empty() { UNAVAILABLE } else { text };
    Some((code.parse().ok()?, status, text.to_owned()))
}

impl Attributes<'_> {
    fn value(&self, name: &str) -> String {
        let t = self.transaction;
        let plain = match name {
            "rbl_code" => return self.code.to_string(),
            "rbl_domain" => self.domain,
            "rbl_reason" | "rbl_txt" => self.reason,
            "rbl_what" => self.what,
            "rbl_class" => self.class,
            "client" => &t.client(),
            "client_address" => &t.address.to_string(),
            "client_name" => t.name.or_unknown(),
            "reverse_client_name" => t.reverse_name.or_unknown(),
            "helo_name" => t.helo.unwrap_or_default(),
            "sender" => or_null(t.sender),
            "sender_name" => or_null(t.sender.map(local_part)),
            "sender_domain" => domain(t.sender),
            "recipient" => or_null(t.recipient),
            "recipient_name" => or_null(t.recipient.map(local_part)),
            "recipient_domain" => domain(t.recipient),
            _ => "",
        };
        plain.replace(|c: char| !(c == '\t' || c == ' ' || c.is_ascii_graphic()), "_")
    }
}

/// Fills in `$name`, `${name}`, `$(name)`, `${name?then}`, `${name:else}`,
/// `${name?{then}:{else}}` and `$$`. `None` if a brace is missing or a name is empty.
fn fill(
    mut template: &str,
    value: &impl Fn(&str) -> String,
    out: &mut String,
    depth: usize,
) -> Option<()> {
    while let Some(dollar) = template.find('$') {
        out.push_str(&template[..dollar]);
        template = &template[dollar + 1..];
        if let Some(rest) = template.strip_prefix('$') {
            out.push('$');
            template = rest;
        } else if template.starts_with(['{', '(']) {
            let (inner, rest) = enclosed(template)?;
            conditional(inner, value, out, depth)?;
            template = rest;
        } else {
            let (name, rest) = leading_name(template)?;
            out.push_str(&value(name));
            template = rest;
        }
    }
    out.push_str(template);
    Some(())
}

/// What stands inside `${...}`.
fn conditional(
    inner: &str,
    value: &impl Fn(&str) -> String,
    out: &mut String,
    depth: usize,
) -> Option<()> {
    if depth > MOST_NESTED {
        return None;
    }
    let (name, rest) = leading_name(inner)?;
    let value_of_name = value(name);
    let (when_set, when_empty) = match rest.split_at_checked(1) {
        None => {
            out.push_str(&value_of_name);
            return Some(());
        }
        Some(("?", both)) => branches(both)?,
        Some((":", text)) => ("", unbraced(text)),
        Some(_) => return None,
    };
    let chosen = if value_of_name.is_empty() { when_empty } else { when_set };
    fill(chosen, value, out, depth + 1)
}

/// `{then}:{else}`, `{then}` or `then`.
fn branches(text: &str) -> Option<(&str, &str)> {
    if !text.starts_with('{') {
        return Some((text, ""));
    }
    let (then, rest) = enclosed(text)?;
    match rest.trim_ascii_start().strip_prefix(':') {
        Some(otherwise) => Some((then, unbraced(otherwise.trim_ascii_start()))),
        None => rest.trim_ascii().is_empty().then_some((then, "")),
    }
}

fn unbraced(text: &str) -> &str {
    match enclosed(text) {
        Some((inner, "")) => inner,
        _ => text,
    }
}

/// What stands between an opening bracket and the one that closes it, and what follows.
fn enclosed(text: &str) -> Option<(&str, &str)> {
    let (open, close) = if text.starts_with('{') { ('{', '}') } else { ('(', ')') };
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth = depth.checked_sub(1)?;
        }
        if depth == 0 {
            return Some((text.get(1..at)?, &text[at + 1..]));
        }
    }
    None
}

fn leading_name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn or_null(address: Option<&str>) -> &str {
    match address {
        Some("") => "<>",
        Some(address) => address,
        None => "",
    }
}

fn local_part(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(local, _)| local)
}

fn domain(address: Option<&str>) -> &str {
    address.and_then(|address| address.rsplit_once('@')).map_or("", |(_, domain)| domain)
}

const UNAVAILABLE: &str = "Service unavailable";
const MOST_NESTED: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::restrictions::{settings::DEFAULT_RBL_REPLY, tests::stranger};

    fn filled(template: &str, reason: &str) -> Option<(u16, String, String)> {
        let transaction = stranger();
        let attributes = Attributes {
            code: 554,
            domain: "bl.example",
            what: "192.0.2.1",
            class: "Client host",
            reason,
            transaction: &transaction,
        };
        let (code, status, text) = expand(template, &attributes)?;
        Some((code, status.to_string(), text))
    }

    #[test]
    fn the_default_reply_says_which_list_and_why() {
        let said = |reason| filled(DEFAULT_RBL_REPLY, reason).unwrap().2;
        assert_eq!(
            said("open relay"),
            "Service unavailable; Client host [192.0.2.1] blocked using bl.example; open relay"
        );
        assert_eq!(
            said(""),
            "Service unavailable; Client host [192.0.2.1] blocked using bl.example"
        );
    }

    #[test]
    fn templates_have_names_conditions_and_a_status() {
        for (template, expected) in [
            ("$rbl_code 5.7.0 ${rbl_what}$(rbl_domain)$$", "5.7.0 192.0.2.1bl.example$"),
            ("554 ${rbl_reason?{yes $rbl_reason}:{no}}", "4.7.1 no"),
            (
                "554 ${rbl_reason:none} ${helo_name?greets as $helo_name}",
                "4.7.1 none greets as pc.example",
            ),
            (
                "554 $sender_name at $sender_domain to $recipient",
                "4.7.1 a at a.example to b@b.example",
            ),
            ("450 $client", "4.7.1 unknown[192.0.2.1]"),
            ("450 $nonsense", "4.7.1 Service unavailable"),
        ] {
            let (_, status, text) = filled(template, "").unwrap();
            assert_eq!(format!("{status} {text}"), expected, "{template}");
        }
    }

    #[test]
    fn what_a_list_says_cannot_add_a_line() {
        let (_, _, text) = filled("554 $rbl_reason", "a\r\n250 b\u{e9}").unwrap();
        assert_eq!(text, "a__250 b_");
    }

    #[test]
    fn wrong_templates_are_found_out() {
        for bad in
            ["", "554", "250 fine", "no code", "554 ${rbl_what", "554 $", "554 ${}", "554 ${a!b}"]
        {
            assert!(!is_template(bad), "{bad}");
            assert_eq!(filled(bad, ""), None, "{bad}");
        }
        let deep = format!("554 {}x{}", "${helo_name?".repeat(50), "}".repeat(50));
        assert_eq!(filled(&deep, ""), None);
    }
}
