//! `[rewriting]`: the words of its keys, and its tables.

use std::fmt;

use super::{
    Domains, Rewriting, Surroundings,
    check::Written,
    choice::choices,
    problem::Problems,
    setting::{Element, Refusal, Setting},
    table::{self, TableName, Usage, Values},
    value::RawValue,
};

choices! {
    /// Which addresses of a mail a rule changes.
    pub enum AddressClass {
        /// The address of MAIL.
        EnvelopeSender = "envelope_sender",
        /// The addresses of RCPT.
        EnvelopeRecipient = "envelope_recipient",
        /// From, Sender, Reply-To and the like.
        HeaderSender = "header_sender",
        /// To, Cc and the like.
        HeaderRecipient = "header_recipient",
    }
}

choices! {
    /// Which addresses of senders a rule changes.
    pub enum SenderClass {
        /// The address of MAIL.
        Envelope = "envelope_sender",
        /// From, Sender, Reply-To and the like.
        Header = "header_sender",
    }
}

choices! {
    /// Which addresses of recipients a rule changes.
    pub enum RecipientClass {
        /// The addresses of RCPT.
        Envelope = "envelope_recipient",
        /// To, Cc and the like.
        Header = "header_recipient",
    }
}

choices! {
    /// Whose maps pass extensions on.
    pub enum ExtensionUser {
        /// Canonical maps.
        Canonical = "canonical",
        /// Virtual aliases.
        Virtual = "virtual",
        /// Generic maps.
        Generic = "generic",
        /// Of no meaning here: `alias_maps` of Postfix.
        Alias = "alias",
        /// Of no meaning here: `.forward` files.
        Forward = "forward",
        /// Of no meaning here: `:include:` files.
        Include = "include",
    }
}

choices! {
    /// For whose mail headers are rewritten.
    pub enum HeaderRewriteClient {
        /// Clients whose address is one of ours.
        OwnInterfaces = "permit_inet_interfaces",
        /// Clients in `networks` of the listener.
        Trusted = "permit_mynetworks",
        /// Clients that logged in.
        LoggedIn = "permit_sasl_authenticated",
        /// Everybody.
        All = "static:all",
    }
}

/// Types of a few words that stand in lists.
macro_rules! listed {
    ($($name:ident: $words:literal, $example:literal;)+) => { $(
        impl Element for $name {
            const LIST_ALLOWED: &'static str = concat!("a list of ", $words);
            const LIST_EXAMPLE: &'static str = concat!("[\"", $example, "\"]");
        }
    )+ };
}

listed! {
    AddressClass:
        "\"envelope_sender\", \"envelope_recipient\", \"header_sender\", \"header_recipient\"",
        "envelope_sender";
    SenderClass: "\"envelope_sender\", \"header_sender\"", "envelope_sender";
    RecipientClass: "\"envelope_recipient\", \"header_recipient\"", "envelope_recipient";
    ExtensionUser:
        "\"canonical\", \"virtual\", \"generic\", \"alias\", \"forward\", \"include\"",
        "canonical";
    HeaderRewriteClient:
        "\"permit_inet_interfaces\", \"permit_mynetworks\", \"permit_sasl_authenticated\", \"static:all\"",
        "permit_mynetworks";
}

/// An entry of a list of names: a name, or a table that has names as keys; with `!` in front, what
/// fits is not in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameOrTable {
    /// A name, with its `!`.
    Name(Box<str>),
    /// A table.
    Table {
        /// The table.
        table: TableName,
        /// Whether its keys are not in the list.
        excludes: bool,
    },
}

impl fmt::Display for NameOrTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Table { table, excludes } => {
                write!(f, "{}{table}", if *excludes { "!" } else { "" })
            }
        }
    }
}

impl Setting for NameOrTable {
    const ALLOWED: &'static str = "a name, or a table such as \"hash:/etc/mailweir/domains\"";
    const EXAMPLE: &'static str = "\"example.org\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        let bare = text.trim_start_matches('!');
        if bare.starts_with('/') {
            let message = format_args!("{text:?} is a file; name a table, or the names themselves");
            return Refusal::new(value, message).hint(format!("\"hash:{bare}\"")).alone();
        }
        if !bare.contains(':') {
            return Ok(Self::Name(text.into()));
        }
        let excludes = (text.len() - bare.len()) % 2 == 1;
        match TableName::parse(bare) {
            Ok(table) => Ok(Self::Table { table, excludes }),
            Err(error) => Refusal::new(value, format_args!("{text:?}: {error}")).alone(),
        }
    }
}

impl Element for NameOrTable {
    const LIST_ALLOWED: &'static str =
        "a list of names and tables, such as [\"example.org\", \"hash:/etc/mailweir/domains\"]";
    const LIST_EXAMPLE: &'static str = "[\"example.org\"]";
}

/// Reads every table of `[rewriting]` once, and that of the users of relay domains.
pub(super) fn check(
    written: &Written<Rewriting>,
    domains: &Written<Domains>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) {
    let Written { table, section } = written;
    for (key, names) in [
        ("canonical_maps", &section.canonical_maps),
        ("sender_canonical_maps", &section.sender_canonical_maps),
        ("recipient_canonical_maps", &section.recipient_canonical_maps),
        ("virtual_alias_maps", &section.virtual_alias_maps),
        ("sender_bcc_maps", &section.sender_bcc_maps),
        ("recipient_bcc_maps", &section.recipient_bcc_maps),
        ("relocated_maps", &section.relocated_maps),
        ("transport_maps", &section.transport_maps),
        ("sender_dependent_relayhost_maps", &section.sender_dependent_relayhost_maps),
        ("smtp_generic_maps", &section.smtp_generic_maps),
    ] {
        let values = match key {
            "transport_maps" => Values::Transports,
            "sender_dependent_relayhost_maps" => Values::Relays,
            _ => Values::Any,
        };
        table::check(table, key, names, Usage { values, ..Usage::ANY }, around, problems);
    }
    let alias_domains = section.virtual_alias_domains.as_deref().unwrap_or_default();
    for (key, list) in [
        ("virtual_alias_domains", alias_domains),
        ("masquerade_exceptions", &section.masquerade_exceptions),
    ] {
        let names = list.iter().enumerate().filter_map(|(index, entry)| match entry {
            NameOrTable::Table { table, .. } => Some((index, table)),
            NameOrTable::Name(_) => None,
        });
        for (index, name) in names {
            table::check_one(table, (key, index), name, Usage::ANY, around, problems);
        }
    }
    let users = &domains.section.relay_recipient_maps;
    table::check(&domains.table, "relay_recipient_maps", users, Usage::ANY, around, problems);
    check_alias_domains(written, problems);
    check_delimiter(written, problems);
}

/// Tables that answer for any key do not say which domains are ours.
fn check_alias_domains(written: &Written<Rewriting>, problems: &mut Problems<'_>) {
    let Written { table, section } = written;
    if section.virtual_alias_domains.is_some() {
        return;
    }
    let keyless = section.virtual_alias_maps.iter().filter(|name| !name.spec().has_keys());
    let names: Vec<_> = keyless.map(|name| &**name.spec().name()).collect();
    if !names.is_empty() {
        let message = format!("{} cannot say which domains are ours", names.join(", "));
        problems
            .warning(table, "virtual_alias_maps", message)
            .help("set virtual_alias_domains to the domains that have aliases only; [] for none");
    }
}

/// What occurs in every name would divide every name.
fn check_delimiter(written: &Written<Rewriting>, problems: &mut Problems<'_>) {
    let Written { table, section } = written;
    let delimiters = section.recipient_delimiter.as_deref().unwrap_or_default();
    let odd = |c: &char| c.is_alphanumeric() || c.is_whitespace() || matches!(c, '@' | '"');
    if let Some(odd) = delimiters.chars().find(odd) {
        let message = format!("{odd:?} cannot divide a name from its extension");
        problems.error(table, "recipient_delimiter", message).help("the usual one is \"+\"");
    }
}
