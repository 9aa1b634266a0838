//! The key that slips are sealed with: made once, and kept in the data directory.

use anyhow::Context as _;
use mailweir_external::slip::Key;

use crate::{
    config::{Config, Listener, Mode},
    key_file,
};

/// The key, if there are filters that mail goes to with a slip, or listeners where they may hand back what they had before a
/// reload.
///
/// # Errors
/// It can be neither read nor made.
pub(crate) fn of(config: &Config) -> anyhow::Result<Option<Key>> {
    let takes_back = |listener: &Listener| matches!(listener.mode, Mode::Filter | Mode::Lmtp);
    if config.filters.all.is_empty() && !config.listeners.iter().any(takes_back) {
        return Ok(None);
    }
    let path = config.server.data_dir.join(FILE);
    let key = key_file::read_or_make(&path);
    let key = key.with_context(|| format!("the key of filters, {}", path.display()))?;
    Ok(Some(Key::new(key)))
}

/// In the data directory.
const FILE: &str = "slips.key";
