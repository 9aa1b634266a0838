//! From `[rewriting]` to the rules of `mailweir_filters::rewriting`.

use std::sync::Arc;

use mailweir_filters::rewriting::{
    AddressMaps, Addressing, Classes, GenericRules, Maps, Masquerade, MatchList, RewritingRules,
    RoutingRules, VirtualAliasDomains, VirtualAliases,
};
use mailweir_tables::{Matching, Table, TableError, keys::Extensions};

use super::{Rewriting, Settings};
use crate::{
    config::{
        self, AddressClass, ExtensionUser, NameOrTable, RecipientClass, SenderClass, TableName,
    },
    tables::{LiveTable, Tables},
};

/// Makes the rules of the tables as they are now. `kept` takes what keeps the tables in use.
pub(super) fn rewriting(
    settings: &Settings,
    tables: &Tables,
    kept: &mut Vec<Arc<LiveTable>>,
) -> Result<Rewriting, TableError> {
    let Settings { rewriting, relay_recipient_maps, .. } = settings;
    let mut open = Open { tables, kept };
    let addressing = addressing(settings);
    let incoming = incoming(rewriting, addressing.clone(), &mut open)?;
    let alias_domains = match &rewriting.virtual_alias_domains {
        None => VirtualAliasDomains::of_maps(&incoming),
        Some(list) => VirtualAliasDomains { domains: open.list(list)?, bare_parents: false },
    };
    let generic = GenericRules {
        addressing: addressing.clone(),
        maps: open.maps(&rewriting.smtp_generic_maps)?,
        propagate: propagates(rewriting, ExtensionUser::Generic),
        ..GenericRules::default()
    };
    let routing = RoutingRules {
        addressing,
        transport: open.maps(&rewriting.transport_maps)?,
        relocated: open.maps(&rewriting.relocated_maps)?,
        sender_relayhost: open.maps(&rewriting.sender_dependent_relayhost_maps)?,
        ..RoutingRules::default()
    };
    Ok(Rewriting {
        incoming: Arc::new(incoming),
        alias_domains,
        relay_recipients: open.maps(relay_recipient_maps)?,
        routing,
        generic: Arc::new(generic),
    })
}

fn addressing(settings: &Settings) -> Addressing {
    let delimiter = settings.rewriting.recipient_delimiter.as_deref().unwrap_or_default();
    Addressing {
        extensions: Extensions::new(delimiter),
        origin: Some(settings.hostname.clone()),
        destinations: MatchList::default(),
        interfaces: settings.own.clone(),
    }
}

fn incoming(
    written: &config::Rewriting,
    addressing: Addressing,
    open: &mut Open<'_>,
) -> Result<RewritingRules, TableError> {
    Ok(RewritingRules {
        addressing,
        sender_canonical: AddressMaps {
            maps: open.maps(&written.sender_canonical_maps)?,
            classes: of_senders(&written.sender_canonical_classes),
        },
        recipient_canonical: AddressMaps {
            maps: open.maps(&written.recipient_canonical_maps)?,
            classes: of_recipients(&written.recipient_canonical_classes),
        },
        canonical: AddressMaps {
            maps: open.maps(&written.canonical_maps)?,
            classes: classes(&written.canonical_classes),
        },
        propagate_in_canonical: propagates(written, ExtensionUser::Canonical),
        masquerade: masquerade(written, open)?,
        virtual_aliases: VirtualAliases {
            maps: open.maps(&written.virtual_alias_maps)?,
            propagate: propagates(written, ExtensionUser::Virtual),
            expansion_limit: written.virtual_alias_expansion_limit.get() as usize,
            recursion_limit: written.virtual_alias_recursion_limit.get() as usize,
            ..VirtualAliases::default()
        },
        sender_bcc: open.maps(&written.sender_bcc_maps)?,
        recipient_bcc: open.maps(&written.recipient_bcc_maps)?,
        always_bcc: written.always_bcc.clone(),
        ..RewritingRules::default()
    })
}

fn masquerade(written: &config::Rewriting, open: &mut Open<'_>) -> Result<Masquerade, TableError> {
    let mut rule = Masquerade::default();
    rule.exceptions = open.list(&written.masquerade_exceptions)?;
    rule.classes = classes(&written.masquerade_classes);
    Ok(written.masquerade_domains.iter().fold(rule, |rule, domain| rule.domain(domain)))
}

fn propagates(written: &config::Rewriting, who: ExtensionUser) -> bool {
    written.propagate_unmatched_extensions.contains(&who)
}

fn classes(written: &[AddressClass]) -> Classes {
    Classes {
        envelope_sender: written.contains(&AddressClass::EnvelopeSender),
        envelope_recipient: written.contains(&AddressClass::EnvelopeRecipient),
        header_sender: written.contains(&AddressClass::HeaderSender),
        header_recipient: written.contains(&AddressClass::HeaderRecipient),
    }
}

fn of_senders(written: &[SenderClass]) -> Classes {
    Classes {
        envelope_sender: written.contains(&SenderClass::Envelope),
        header_sender: written.contains(&SenderClass::Header),
        ..NO_CLASS
    }
}

fn of_recipients(written: &[RecipientClass]) -> Classes {
    Classes {
        envelope_recipient: written.contains(&RecipientClass::Envelope),
        header_recipient: written.contains(&RecipientClass::Header),
        ..NO_CLASS
    }
}

/// Opens tables and keeps them.
struct Open<'t> {
    tables: &'t Tables,
    kept: &'t mut Vec<Arc<LiveTable>>,
}

impl Open<'_> {
    fn table(&mut self, name: &TableName) -> Result<Arc<Table>, TableError> {
        let live = self.tables.open(name.spec(), Matching::Bytes)?;
        let current = live.current();
        self.kept.push(live);
        Ok(current)
    }

    fn maps(&mut self, names: &[TableName]) -> Result<Maps, TableError> {
        let tables = names.iter().map(|name| self.table(name));
        tables.collect::<Result<Vec<_>, _>>().map(Maps::from)
    }

    fn list(&mut self, entries: &[NameOrTable]) -> Result<MatchList, TableError> {
        let mut list = MatchList::default();
        for entry in entries {
            list = match entry {
                NameOrTable::Name(name) => list.name(name),
                NameOrTable::Table { table, excludes } => list.table(self.table(table)?, *excludes),
            };
        }
        Ok(list)
    }
}

const NO_CLASS: Classes = Classes {
    envelope_sender: false,
    envelope_recipient: false,
    header_sender: false,
    header_recipient: false,
};
