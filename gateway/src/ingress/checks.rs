//! The checks of content on one listener: its tables as they are at the moment a mail begins.

use std::sync::Arc;

use mailweir_content::{decode::charset::Fallbacks, mime::MimeLimits};
use mailweir_filters::{
    RemoteMaps,
    checks::{ChecksRules, ContentChecks, Output},
    removal::FieldRemover,
    rewriting::HeaderRewriter,
};
use mailweir_moderation::rule::Watch;
use mailweir_queue::{Intake, IntakeError};
use mailweir_tables::{Matching, TableError};

use crate::{
    config::{self, CheckTables, TableName},
    tables::{Derived, LiveTable, Tables},
};

/// The tables of one listener. A mail keeps the rules that it began with; the next one has those of
/// its own moment.
pub struct ListenerChecks {
    lists: Lists,
    limits: Limits,
    rules: Derived<ChecksRules>,
}

struct Lists {
    header: Vec<Arc<LiveTable>>,
    mime_header: Vec<Arc<LiveTable>>,
    nested_header: Vec<Arc<LiveTable>>,
    body: Vec<Arc<LiveTable>>,
    decoded_header: Vec<Arc<LiveTable>>,
    text_body: Vec<Arc<LiveTable>>,
    attachment_name: Vec<Arc<LiveTable>>,
    attachment_type: Vec<Arc<LiveTable>>,
}

/// What does not change with the tables.
struct Limits {
    body_checks_size: u64,
    text_body_checks_size: usize,
    mime: MimeLimits,
    fallbacks: Fallbacks,
}

impl ListenerChecks {
    /// Opens the tables of a listener. Reads files that are not in use yet, and blocks meanwhile.
    ///
    /// # Errors
    /// A table cannot be used.
    pub fn open(
        names: &CheckTables,
        checks: &config::Checks,
        tables: &Arc<Tables>,
    ) -> Result<Self, TableError> {
        let open = |names: &[TableName], matching| {
            let tables = names.iter().map(|name| tables.open(name.spec(), matching));
            tables.collect::<Result<Vec<_>, _>>()
        };
        let lists = Lists {
            header: open(&names.header, Matching::Bytes)?,
            mime_header: open(&names.mime_header, Matching::Bytes)?,
            nested_header: open(&names.nested_header, Matching::Bytes)?,
            body: open(&names.body, Matching::Bytes)?,
            decoded_header: open(&names.decoded_header, Matching::Text)?,
            text_body: open(&names.text_body, Matching::Text)?,
            attachment_name: open(&names.attachment_name, Matching::Text)?,
            attachment_type: open(&names.attachment_type, Matching::Text)?,
        };
        let limits = Limits::of(checks);
        let rules = Derived::new(tables, || Ok(rules(&lists, &limits)))?;
        Ok(Self { lists, limits, rules })
    }

    /// The checks for a mail that begins now; `None` where nothing is checked. `watch`: moderation,
    /// where it watches.
    pub(super) fn begin(&self, watch: Option<Watch>) -> Option<ContentChecks> {
        ContentChecks::watched(self.rules.current(|| Ok(rules(&self.lists, &self.limits))), watch)
    }

    /// What people are shown of a mail is read as for the checks, which are not asked.
    pub(super) fn showing(&self) -> Option<ContentChecks> {
        ContentChecks::watched(Arc::new(self.limits.rules()), Some(Watch::of_shown_mail()))
    }
}

impl Limits {
    fn of(checks: &config::Checks) -> Self {
        let size = |size: config::ByteSize| usize::try_from(size.bytes()).unwrap_or(usize::MAX);
        Self {
            body_checks_size: checks.body_checks_size_limit.bytes(),
            text_body_checks_size: size(checks.text_body_checks_size_limit),
            mime: MimeLimits {
                header_size: size(checks.header_size_limit),
                nesting: checks.mime_nesting_limit.get() as usize,
                mime: !checks.disable_mime_input_processing,
                ..MimeLimits::default()
            },
            fallbacks: Fallbacks::new(
                checks.unlabelled_charsets.iter().map(|name| name.charset()).collect(),
            ),
        }
    }

    /// Rules without tables.
    fn rules(&self) -> ChecksRules {
        ChecksRules {
            body_checks_size_limit: self.body_checks_size,
            text_body_checks_size_limit: self.text_body_checks_size,
            limits: self.mime.clone(),
            fallbacks: self.fallbacks.clone(),
            ..ChecksRules::default()
        }
    }
}

fn rules(lists: &Lists, limits: &Limits) -> ChecksRules {
    let now = |list: &[Arc<LiveTable>]| list.iter().map(|table| table.current()).collect();
    ChecksRules {
        header: now(&lists.header),
        mime_header: Some(now(&lists.mime_header)),
        nested_header: Some(now(&lists.nested_header)),
        body: now(&lists.body),
        decoded_header: now(&lists.decoded_header),
        text_body: now(&lists.text_body),
        attachment_name: now(&lists.attachment_name),
        attachment_type: now(&lists.attachment_type),
        ..limits.rules()
    }
}

/// The way of content behind the checks: headers are rewritten where that is due, and all is written
/// into the intake.
pub(super) struct Onward<'a> {
    pub(super) headers: Option<&'a mut HeaderRewriter>,
    pub(super) intake: IntoIntake<'a>,
    pub(super) remote: &'a dyn RemoteMaps,
}

impl Output for Onward<'_> {
    async fn write(&mut self, bytes: &[u8]) {
        match &mut self.headers {
            None => self.intake.write(bytes).await,
            Some(headers) => headers.feed(bytes, &mut self.intake, self.remote).await,
        }
    }
}

/// An intake as the end of that way.
pub(super) struct IntoIntake<'a> {
    pub(super) intake: &'a mut Intake,
    /// Why the content cannot be stored; nothing is written any more then.
    pub(super) trouble: &'a mut Option<IntakeError>,
    /// Whether bytes over 127 are in it, of the client or of a rule.
    pub(super) eight_bit: &'a mut bool,
    /// What takes out fields that the gateway alone writes.
    pub(super) removal: Option<&'a mut FieldRemover>,
}

/// The end of that way where only what was seen counts.
pub(super) struct Nowhere;

impl Output for Nowhere {
    async fn write(&mut self, _bytes: &[u8]) {}
}

impl Output for IntoIntake<'_> {
    async fn write(&mut self, bytes: &[u8]) {
        match &mut self.removal {
            Some(removal) if !removal.is_over() => {
                let mut onward = Vec::with_capacity(bytes.len());
                removal.feed(bytes, &mut onward);
                self.put(&onward).await;
            }
            _ => self.put(bytes).await,
        }
    }
}

impl IntoIntake<'_> {
    /// Writes what may be held still.
    pub(super) async fn finish(&mut self) {
        if let Some(removal) = &mut self.removal {
            let mut onward = Vec::new();
            removal.finish(&mut onward);
            self.put(&onward).await;
        }
    }

    async fn put(&mut self, bytes: &[u8]) {
        *self.eight_bit |= !bytes.is_ascii();
        if self.trouble.is_none() {
            *self.trouble = self.intake.write(bytes).await.err();
        }
    }
}
