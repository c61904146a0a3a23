//! File descriptors: a server whose connections use them all up can neither accept nor open its own files.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::limits::DESCRIPTORS_KEPT_BACK;

/// Raises the process's soft limit to its hard one, and answers how many of `wanted` connections there is room for.
pub(super) fn make_room(wanted: u32) -> u32 {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_err() {
        tracing::warn!("the limit on file descriptors cannot be raised");
    }
    // None is no limit.
    let room = getrlimit(Resource::Nofile).current.map_or(u32::MAX, |descriptors| {
        u32::try_from(descriptors).unwrap_or(u32::MAX).saturating_sub(DESCRIPTORS_KEPT_BACK).max(1)
    });
    if room < wanted {
        tracing::warn!(wanted, room, "the system's limit on file descriptors allows fewer connections than configured");
    }
    wanted.min(room)
}
