//! What keeps secrets in memory from getting out of it: no core dump, no debugger of the same user, no swap.

use rustix::{
    mm::{MlockAllFlags, mlockall},
    process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit},
};

/// The least limit on locked memory under which everything is locked: what the costliest key derivation takes, and as
/// much again. Below it a later allocation would fail and end the program, which is worse than a page in the swap.
const ROOM: u64 = 2 * 1024 * 1024 * 1024;

/// Protects the process as far as the system lets it; called before any secret is read. Nothing depends on it: where
/// the system refuses, the wallet works all the same.
pub fn protect() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let _dumps = setrlimit(Resource::Core, none);
    let _tracing = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let limit = getrlimit(Resource::Memlock).current;
    if limit.is_none_or(|limit| limit >= ROOM) {
        let _swap = mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a process of its own, or the test runner could not be debugged any more: see `tests/hygiene.rs`.
    #[test]
    fn the_room_is_enough_for_the_costliest_vault() {
        let costliest = u64::from(crate::vault::KdfCost::CEILING.memory) * 1024;
        assert!(ROOM >= 2 * costliest);
    }
}
