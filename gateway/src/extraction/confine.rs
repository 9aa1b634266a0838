//! What a process that reads mail gives up before it reads any.

use std::io;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetError, RulesetStatus,
    Scope,
};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, getrlimit, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit,
};
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

/// Gives up files, the network, other processes, memory beyond 1 GiB, and so many seconds of processor time, for good;
/// and to live longer than the thread that started it.
///
/// # Errors
/// If a limit cannot be set. What the kernel does not know is no error.
pub(super) fn confine(seconds: u64) -> io::Result<Confinement> {
    // One whose parent is gone already has an input that has ended, and ends with it: mail comes only after its first word.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The kernel out of memory ends this process rather than the server.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    // A core has mail in it, and one that goes to a program has no limit. Behind this, /proc/self is no longer ours.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // What whoever started the server left open is not for this process.
    let _ = uapi::close_range(FIRST_OTHER, u32::MAX, 0);
    // It opens a descriptor, so it comes before the limit on these.
    let confinement = match landlock() {
        Ok(RulesetStatus::FullyEnforced) => Confinement::Whole,
        Ok(RulesetStatus::PartiallyEnforced) => Confinement::Partial,
        Ok(RulesetStatus::NotEnforced) | Err(_) => Confinement::WithoutLandlock,
    };
    let limits = [
        // The first ends it by a signal of its own, from which the cause is known.
        (Resource::Cpu, seconds, seconds.saturating_add(1)),
        (Resource::As, MEMORY, MEMORY),
        (Resource::Core, 0, 0),
        (Resource::Fsize, 0, 0),
        (Resource::Nproc, 0, 0),
        // None beside those that are open, and none in their place: neither files nor sockets.
        (Resource::Nofile, 0, 0),
    ];
    for (resource, current, maximum) in limits {
        // Whoever started the server may have set a lower one, which cannot be raised.
        let before = getrlimit(resource).maximum;
        let lower = |most: u64| Some(before.map_or(most, |before| before.min(most)));
        setrlimit(resource, Rlimit { current: lower(current), maximum: lower(maximum) })?;
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

/// The first descriptor behind standard input, output and errors.
const FIRST_OTHER: u32 = 3;
