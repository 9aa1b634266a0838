//! Which groups a sender is in, as the tables of `[moderation] group_maps` say.
//!
//! They are asked for the log-in, then for the envelope sender, then for its domain (`@example.org`);
//! all tables for one key before the next key. The first that has a value has the last word.

use std::sync::Arc;

use mailweir_filters::{RemoteMaps, look_up};
use mailweir_mail::Address;
use mailweir_tables::{
    LookupError, Matching, TableError,
    keys::{self, Extensions, Key},
};

use crate::{
    config::TableName,
    tables::{LiveTable, Tables},
};

/// The tables of one configuration. They follow their files.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    tables: Vec<Arc<LiveTable>>,
}

impl Groups {
    /// Opens the tables. Reads files that are not in use yet, and blocks meanwhile.
    ///
    /// # Errors
    /// A table cannot be used.
    pub(crate) fn open(names: &[TableName], tables: &Tables) -> Result<Self, TableError> {
        let open = |name: &TableName| tables.open(name.spec(), Matching::Bytes);
        Ok(Self { tables: names.iter().map(open).collect::<Result<_, _>>()? })
    }

    /// The groups of a sender; none if no table has the log-in or the address.
    ///
    /// # Errors
    /// A table cannot tell, or its value is no list of groups.
    pub(crate) async fn of(
        &self,
        login: Option<&str>,
        sender: Option<&Address>,
        lookups: &dyn RemoteMaps,
    ) -> Result<Vec<Box<str>>, LookupError> {
        for key in keys(login, sender) {
            for table in &self.tables {
                let table = table.current();
                if !key.suits(&table) {
                    continue;
                }
                if let Some(found) = look_up(&table, key.text.as_bytes(), lookups).await? {
                    return names(&found.value).ok_or_else(|| LookupError::Value {
                        place: found.place.clone(),
                        reason: "the value is not UTF-8".into(),
                    });
                }
            }
        }
        Ok(Vec::new())
    }
}

fn keys<'a>(login: Option<&'a str>, sender: Option<&'a Address>) -> Vec<Key<'a>> {
    let login = login.map(|login| Key { text: login.into(), is_whole: true, extension: None });
    let sender = sender.map(|sender| keys::mapping(sender.as_str(), false, &Extensions::default()));
    login.into_iter().chain(sender.into_iter().flatten()).collect()
}

/// `staff, seoul` or `staff seoul`.
fn names(value: &[u8]) -> Option<Vec<Box<str>>> {
    let text = std::str::from_utf8(value).ok()?;
    let names = text.split(|c: char| c == ',' || c.is_whitespace());
    Some(names.filter(|name| !name.is_empty()).map(Into::into).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_in_comes_before_the_address_and_the_address_before_its_domain() {
        let sender: Address = "Ann@Example.org".parse().unwrap();
        let asked = |login, sender| {
            keys(login, sender).into_iter().map(|key| key.text.into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(asked(Some("ann"), Some(&sender))[0], "ann");
        let of_address = asked(None, Some(&sender));
        assert_eq!(of_address.len(), 2, "{of_address:?}");
        assert!(of_address[1].starts_with('@'));
        assert!(asked(None, None).is_empty());
    }

    #[test]
    fn names_stand_between_commas_and_spaces() {
        let names = |value: &str| names(value.as_bytes()).unwrap().join("|");
        assert_eq!(names("staff, seoul"), "staff|seoul");
        assert_eq!(names("  staff\tseoul,,"), "staff|seoul");
        assert_eq!(names(""), "");
        assert_eq!(super::names(b"\xff"), None);
    }
}
