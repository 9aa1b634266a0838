//! What all commands about the mail of a gateway are told: which gateway it is, and how they shall answer.

use std::path::PathBuf;

use clap::Args;

use super::ExitCode;
use crate::store::Store;

/// Of which gateway, and how answers look.
#[derive(Args, Debug)]
pub(super) struct StoreArgs {
    /// The configuration file; it names the data directory
    #[arg(short, long, value_name = "FILE", default_value = super::USUAL_CONFIG, global = true)]
    pub(super) config: PathBuf,
    /// The data directory, instead of the configured one
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) data_dir: Option<PathBuf>,
    /// Print JSON, one object per line
    #[arg(long, global = true)]
    pub(super) json: bool,
}

impl StoreArgs {
    /// That of the gateway with this configuration, with answers for people.
    pub(super) const fn of(config: PathBuf) -> Self {
        Self { config, data_dir: None, json: false }
    }

    /// The store that the command works on: the configured one, or the one in `data_dir`.
    ///
    /// # Errors
    /// The configuration has errors, and they are printed.
    pub(super) fn store(&self) -> Result<Store, ExitCode> {
        match &self.data_dir {
            Some(data_dir) => Ok(Store::in_dir(data_dir)),
            None => super::load(&self.config).map(|config| Store::of(&config)),
        }
    }
}
