//! What a process that reads mail gives up before it reads any.

use std::io;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetError, RulesetStatus,
    Scope,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

/// How far the kernel keeps a process from files and the network, besides that it can open no descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confinement {
    /// From all that Landlock knows of today.
    Whole,
    /// From what this kernel knows of.
    Partial,
    /// There is no Landlock in this kernel, or it is switched off.
    WithoutLandlock,
}

/// Gives up files, the network, other processes, and memory beyond 1 GiB, for good.
///
/// # Errors
/// If a limit cannot be set. What the kernel does not know is no error.
pub(super) fn confine() -> io::Result<Confinement> {
    // The kernel out of memory ends this process rather than the server.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    // What whoever started the server left open is not for this process.
    let _ = uapi::close_range(FIRST_OTHER, u32::MAX, 0);
    // It opens a descriptor, so it comes before the limit on these.
    let confinement = match landlock() {
        Ok(RulesetStatus::FullyEnforced) => Confinement::Whole,
        Ok(RulesetStatus::PartiallyEnforced) => Confinement::Partial,
        Ok(RulesetStatus::NotEnforced) | Err(_) => Confinement::WithoutLandlock,
    };
    let limits = [
        (Resource::As, MEMORY),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nproc, 0),
        // None beside those that are open: neither files nor sockets.
        (Resource::Nofile, STREAMS),
    ];
    for (resource, most) in limits {
        // Whoever started the server may have set a lower one, which cannot be raised.
        let most = getrlimit(resource).maximum.map_or(most, |before| before.min(most));
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(confinement)
}

fn landlock() -> Result<RulesetStatus, RulesetError> {
    let all = ABI::V9;
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(all))?
        .handle_access(AccessNet::from_all(all))?
        .scope(Scope::from_all(all))?;
    Ok(rules.create()?.restrict_self()?.ruleset)
}

/// Bytes of address space. Reading takes some hundred MB at most.
const MEMORY: u64 = 1 << 30;

/// Standard input, output and errors.
const STREAMS: u64 = 3;

/// The first descriptor behind them.
const FIRST_OTHER: u32 = 3;
