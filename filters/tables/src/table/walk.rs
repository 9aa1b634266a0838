//! What stands in a table, for those who judge it as a whole.

use super::{Kind, Table};
use crate::{Engine, Place};

impl Table {
    /// All keys and values in the order of the source, as `postmap -s` lists them. `None` for
    /// tables that are not made of keys.
    #[must_use]
    pub fn entries(&self) -> Option<impl Iterator<Item = (&[u8], &[u8])>> {
        match &self.kind {
            Kind::Keyed(table) => Some(table.entries()),
            _ => None,
        }
    }

    /// What runs each pattern, of the tables this one is made of too.
    #[must_use]
    pub fn engines(&self) -> Vec<(Place, Engine)> {
        match &self.kind {
            Kind::Rules(table) => {
                table.engines().map(|(line, engine)| (self.place(Some(line)), engine)).collect()
            }
            Kind::Union(tables) | Kind::Pipe(tables) => {
                tables.iter().flat_map(Self::engines).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Shows each value that a lookup can give, with its place; `$1` and the like as they are
    /// written. Not those of other servers, nor those that a `unionmap:` puts together.
    pub fn each_value(&self, see: &mut dyn FnMut(Place, &[u8])) {
        match &self.kind {
            Kind::Keyed(table) => table.values().for_each(|(line, v)| see(self.place(line), v)),
            Kind::Cidr(table) => {
                table.values().for_each(|(line, v)| see(self.place(Some(line)), v))
            }
            Kind::Rules(table) => {
                table.values().for_each(|(line, value)| see(self.place(Some(line)), &value));
            }
            Kind::Static(value) => see(self.place(None), value),
            Kind::Random(values, _) => {
                values.iter().for_each(|value| see(self.place(None), value.as_bytes()));
            }
            Kind::Pipe(tables) => tables.last().into_iter().for_each(|last| last.each_value(see)),
            Kind::Union(_) | Kind::Remote(_) | Kind::Fail => {}
        }
    }

    /// How many rules, keys or networks there are, in the tables this one is made of too. `None`
    /// if another server knows.
    #[must_use]
    pub fn rule_count(&self) -> Option<usize> {
        match &self.kind {
            Kind::Keyed(table) => Some(table.len()),
            Kind::Cidr(table) => Some(table.values().count()),
            Kind::Rules(table) => Some(table.len()),
            Kind::Static(_) | Kind::Fail => Some(1),
            Kind::Random(values, _) => Some(values.len()),
            Kind::Union(tables) | Kind::Pipe(tables) => {
                tables.iter().map(Self::rule_count).sum::<Option<usize>>()
            }
            Kind::Remote(_) => None,
        }
    }
}
