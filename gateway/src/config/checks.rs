//! `[checks]`, and what a listener has instead.

use mailweir_filters::checks::Context;
use mailweir_mail::Network;
use mailweir_tables::Matching;

use super::{
    Mode, Surroundings,
    check::Written,
    problem::Problems,
    raw::RawTable,
    schema::{Checks, ListenerSection},
    table::{self, TableName, Usage, Values},
};

/// The tables that a mail's content is held against on one listener. Empty lists: no checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckTables {
    /// For the headers of the mail itself.
    pub header: Vec<TableName>,
    /// For MIME headers anywhere.
    pub mime_header: Vec<TableName>,
    /// For the headers of attached mails.
    pub nested_header: Vec<TableName>,
    /// For the lines of bodies as they were sent.
    pub body: Vec<TableName>,
    /// For all headers as a person reads them.
    pub decoded_header: Vec<TableName>,
    /// For the text that a person reads.
    pub text_body: Vec<TableName>,
    /// For the names of attachments.
    pub attachment_name: Vec<TableName>,
    /// For what attachments are.
    pub attachment_type: Vec<TableName>,
}

impl CheckTables {
    /// What holds on a listener: its own tables, or those of `[checks]`. Mail that comes back from a
    /// filter has been checked (Postfix `receive_override_options = no_header_body_checks`).
    pub(super) fn of(listener: &ListenerSection, checks: &Checks) -> Self {
        if matches!(listener.mode, Mode::Filter | Mode::Lmtp) {
            return Self::default();
        }
        let own = |own: &Option<Vec<TableName>>, global: &[TableName]| {
            own.clone().unwrap_or_else(|| global.to_vec())
        };
        let header = own(&listener.header_checks, &checks.header_checks);
        let like_header = |own: &Option<Vec<TableName>>, global: &Option<Vec<TableName>>| {
            own.clone().or_else(|| global.clone()).unwrap_or_else(|| header.clone())
        };
        Self {
            mime_header: like_header(&listener.mime_header_checks, &checks.mime_header_checks),
            nested_header: like_header(
                &listener.nested_header_checks,
                &checks.nested_header_checks,
            ),
            header: header.clone(),
            body: own(&listener.body_checks, &checks.body_checks),
            decoded_header: own(&listener.decoded_header_checks, &checks.decoded_header_checks),
            text_body: own(&listener.text_body_checks, &checks.text_body_checks),
            attachment_name: own(&listener.attachment_name_checks, &checks.attachment_name_checks),
            attachment_type: own(&listener.attachment_type_checks, &checks.attachment_type_checks),
        }
    }

    /// Whether nothing is checked.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        let Self {
            header,
            mime_header,
            nested_header,
            body,
            decoded_header,
            text_body,
            attachment_name,
            attachment_type,
        } = self;
        header.is_empty()
            && mime_header.is_empty()
            && nested_header.is_empty()
            && body.is_empty()
            && decoded_header.is_empty()
            && text_body.is_empty()
            && attachment_name.is_empty()
            && attachment_type.is_empty()
    }
}

/// Reads every table of `[checks]` once.
pub(super) fn check(
    written: &Written<Checks>,
    listeners: &[Written<ListenerSection>],
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) {
    check_unchecked(listeners, &written.section, problems);
    let Written { table, section } = written;
    let tables = [
        Some(&section.header_checks),
        section.mime_header_checks.as_ref(),
        section.nested_header_checks.as_ref(),
        Some(&section.body_checks),
        Some(&section.decoded_header_checks),
        Some(&section.text_body_checks),
        Some(&section.attachment_name_checks),
        Some(&section.attachment_type_checks),
    ];
    check_keys(table, tables, around, problems);
}

/// Mail by LMTP is not checked. That is meant where it comes back from this host, such as from a
/// content filter; from elsewhere it may come for the first time. Listeners of mode `filter` are for
/// mail that comes back, by their name.
fn check_unchecked(
    listeners: &[Written<ListenerSection>],
    checks: &Checks,
    problems: &mut Problems<'_>,
) {
    let returns = |network: &Network| network.address().is_loopback();
    for Written { table, section } in listeners {
        let tables =
            CheckTables::of(&ListenerSection { mode: Mode::Mx, ..section.clone() }, checks);
        if section.mode == Mode::Lmtp && !tables.is_empty() && !section.networks.iter().all(returns)
        {
            problems.warning(table, "mode", "what comes by \"lmtp\" does not meet [checks]").help(
                "where it has not come through here before, let it come by SMTP to a \
                       listener of mode \"mx\"",
            );
        }
    }
}

/// Reads every table that a listener has of its own.
pub(super) fn check_listener(
    written: &Written<ListenerSection>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) {
    let Written { table, section } = written;
    let tables = [
        section.header_checks.as_ref(),
        section.mime_header_checks.as_ref(),
        section.nested_header_checks.as_ref(),
        section.body_checks.as_ref(),
        section.decoded_header_checks.as_ref(),
        section.text_body_checks.as_ref(),
        section.attachment_name_checks.as_ref(),
        section.attachment_type_checks.as_ref(),
    ];
    let written = KEYS.iter().zip(tables).filter(|(_, tables)| tables.is_some());
    for ((key, _), _) in written {
        if matches!(section.mode, Mode::Filter | Mode::Lmtp) {
            let message = format!("has no effect: mode {:?} checks nothing", section.mode.as_str());
            problems.warning(table, key, message);
        }
    }
    check_keys(table, tables, around, problems);
}

fn check_keys(
    table: &RawTable,
    tables: [Option<&Vec<TableName>>; KEYS.len()],
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) {
    for ((key, context), names) in KEYS.into_iter().zip(tables) {
        let names = names.map_or(&[][..], Vec::as_slice);
        let usage = Usage { matching: matching(context), values: Values::Checks(context) };
        table::check(table, key, names, usage, around, problems);
    }
}

/// What Postfix's checks see is bytes; what a person reads is text.
const fn matching(context: Context) -> Matching {
    match context {
        Context::Header | Context::MimeHeader | Context::NestedHeader | Context::Body => {
            Matching::Bytes
        }
        Context::DecodedHeader
        | Context::TextBody
        | Context::AttachmentName
        | Context::AttachmentType => Matching::Text,
    }
}

/// All kinds of checks.
const KEYS: [(&str, Context); 8] = [
    ("header_checks", Context::Header),
    ("mime_header_checks", Context::MimeHeader),
    ("nested_header_checks", Context::NestedHeader),
    ("body_checks", Context::Body),
    ("decoded_header_checks", Context::DecodedHeader),
    ("text_body_checks", Context::TextBody),
    ("attachment_name_checks", Context::AttachmentName),
    ("attachment_type_checks", Context::AttachmentType),
];
