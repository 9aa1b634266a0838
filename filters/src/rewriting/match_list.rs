//! Lists of names and tables, as `mydestination`, `virtual_alias_domains` and
//! `masquerade_exceptions` are written (postconf(5), "domain list").

use std::sync::Arc;

use mailweir_tables::{
    LookupError, Table,
    keys::{self, Parents},
};

use crate::{RemoteMaps, look_up};

/// A list that a name is in, or not: the first entry that fits decides.
#[derive(Clone, Debug, Default)]
pub struct MatchList {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// Written with `!` in front: what fits is not in the list.
    excludes: bool,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// A name, lower case.
    Name(Box<str>),
    /// Names that are keys of a table; the value does not matter.
    Table(Arc<Table>),
}

impl MatchList {
    /// The list with one more name at its end. Each `!` in front of it turns the meaning round.
    #[must_use]
    pub fn name(mut self, text: &str) -> Self {
        let name = text.trim_start_matches('!');
        let excludes = (text.len() - name.len()) % 2 == 1;
        let name = name.to_lowercase().into_boxed_str();
        self.entries.push(Entry { excludes, what: What::Name(name) });
        self
    }

    /// The list with one more table at its end; if `excludes`, its keys are not in the list.
    #[must_use]
    pub fn table(mut self, table: Arc<Table>, excludes: bool) -> Self {
        self.entries.push(Entry { excludes, what: What::Table(table) });
        self
    }

    /// Whether nothing is in the list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether `name`, as it stands, is in the list.
    ///
    /// # Errors
    /// A table cannot tell.
    pub async fn has_name(&self, name: &str, remote: &dyn RemoteMaps) -> Result<bool, LookupError> {
        let name = name.to_lowercase();
        for entry in &self.entries {
            let fits = match &entry.what {
                What::Name(listed) => **listed == *name,
                What::Table(table) => look_up(table, name.as_bytes(), remote).await?.is_some(),
            };
            if fits {
                return Ok(!entry.excludes);
            }
        }
        Ok(false)
    }

    /// Whether `domain` is in the list, itself or through a parent: an entry `.example.org` means
    /// all domains below it; with `bare_parents` the entry `example.org` does too (Postfix
    /// `parent_domain_matches_subdomains`).
    ///
    /// # Errors
    /// A table cannot tell.
    pub async fn has_domain(
        &self,
        domain: &str,
        bare_parents: bool,
        remote: &dyn RemoteMaps,
    ) -> Result<bool, LookupError> {
        let domain = domain.to_lowercase();
        for entry in &self.entries {
            let fits = match &entry.what {
                What::Name(listed) => is_or_is_below(&domain, listed, bare_parents),
                What::Table(table) => is_key(table, &domain, bare_parents, remote).await?,
            };
            if fits {
                return Ok(!entry.excludes);
            }
        }
        Ok(false)
    }
}

fn is_or_is_below(domain: &str, listed: &str, bare_parents: bool) -> bool {
    let rest = match domain.strip_suffix(listed) {
        Some(rest) => rest,
        None => return false,
    };
    rest.is_empty()
        || (bare_parents && rest.ends_with('.'))
        || (!bare_parents && listed.starts_with('.'))
}

async fn is_key(
    table: &Table,
    domain: &str,
    bare_parents: bool,
    remote: &dyn RemoteMaps,
) -> Result<bool, LookupError> {
    let parents = if bare_parents { Parents::Bare } else { Parents::Dotted };
    for key in keys::host(domain, parents).iter().filter(|key| key.suits(table)) {
        if look_up(table, key.text.as_bytes(), remote).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::{super::testing::*, *};

    #[test]
    fn the_first_entry_that_fits_decides() {
        let list =
            MatchList::default().name("!bad.example.org").name(".example.org").name("A.test");
        let has = |domain| now(list.has_domain(domain, false, &NoRemote)).unwrap();
        assert!(has("good.example.org"));
        assert!(has("a.test"));
        assert!(!has("bad.example.org"));
        assert!(!has("example.org"));
        assert!(!has("b.a.test"));
    }

    #[test]
    fn parents_count_with_or_without_their_dot() {
        let list = MatchList::default().name("example.org");
        assert!(now(list.has_domain("a.example.org", true, &NoRemote)).unwrap());
        assert!(!now(list.has_domain("badexample.org", true, &NoRemote)).unwrap());
    }

    #[test]
    fn the_keys_of_a_table_are_in_the_list_whatever_their_value() {
        let table = table("inline:{a.test=x, {.b.test=anything}}");
        let list = MatchList::default().table(table, false);
        let has = |domain| now(list.has_domain(domain, false, &NoRemote)).unwrap();
        assert!(has("A.test"));
        assert!(has("sub.b.test"));
        assert!(!has("b.test"));
    }
}
