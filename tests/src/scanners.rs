//! Scanners of other people: ClamAV's clamd, SpamAssassin's spamd and Rspamd, which our clients ask, OpenDMARC, a milter, and
//! amavisd-new, which mail goes through; each private, on loopback, and without network.

pub use mailweir_test_servers::{Amavis, Clamd, OpenDmarc, Rspamd, Spamd};
