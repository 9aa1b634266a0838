//! The macros that a mail server has sent, as they are known at a stage.

use std::collections::BTreeMap;

use super::super::{Fault, Macros};

/// Macros by the type of the command that they were for. Each packet takes the place of the last of its type.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<Order, Macros>);

/// Place of a command in a connection.
type Order = usize;

impl Known {
    pub(super) fn take(&mut self, of: u8, values: &[Box<[u8]>]) -> Result<(), Fault> {
        let order = ORDER.iter().position(|letter| *letter == of);
        let order = order.ok_or(Fault::Value("MACRO", "the command that it is for"))?;
        let bytes: usize = values.iter().map(|text| text.len()).sum();
        if values.len() > MOST * 2 || bytes > LARGEST {
            return Err(Fault::MostMacros);
        }
        if order <= OF_MAIL {
            self.0.retain(|known, _| *known < order);
        }
        let mut macros = Macros::default();
        for pair in values.chunks_exact(2) {
            let [name, value] = pair else { continue };
            macros.set(&String::from_utf8_lossy(name), String::from_utf8_lossy(value));
        }
        self.0.insert(order, macros);
        Ok(())
    }

    /// What was said last counts.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.values().rev().find_map(|macros| macros.get(name))
    }

    pub(super) fn forget_mail(&mut self) {
        self.0.retain(|order, _| *order < OF_MAIL);
    }
}

/// Commands in their order.
const ORDER: [u8; 10] = *b"CHMRTLNBEU";

/// The first that is about a mail.
const OF_MAIL: Order = 2;

/// Macros of one command at most.
const MOST: usize = 200;

/// Bytes of the macros of one command at most.
const LARGEST: usize = 64 * 1024;
