//! Scanners of other people that our clients ask: ClamAV's clamd, SpamAssassin's spamd and Rspamd, each private, on
//! loopback, and without network.

pub use mailweir_test_servers::{Clamd, Rspamd, Spamd};
