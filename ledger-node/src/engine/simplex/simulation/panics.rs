//! Panics in a story. A part of the engine ends in one if its disk fails, and the validator with it; at any other time a
//! panic is a violation. The runtime catches panics of tasks, so they are counted where they begin.

use std::cell::{Cell, RefCell};
use std::sync::Once;

thread_local! {
    /// A story is told on one thread. Disks in it that have failed since their nodes came back; none outside of a story.
    static EXCUSES: Cell<Option<u64>> = const { Cell::new(None) };
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Begins to watch this thread.
pub(super) fn watch() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| match EXCUSES.get() {
            Some(1..) => {}
            Some(0) => {
                SEEN.with_borrow_mut(|seen| seen.push(panic.to_string()));
                before(panic);
            }
            None => before(panic),
        }));
    });
    EXCUSES.set(Some(0));
    SEEN.take();
}

/// Ends watching, and gives all panics that nothing excused.
pub(super) fn end() -> Vec<String> {
    EXCUSES.set(None);
    SEEN.take()
}

/// A disk fails.
pub(super) fn excuse() {
    EXCUSES.set(EXCUSES.get().map(|excuses| excuses + 1));
}

/// The node of a disk that failed has come back.
pub(super) fn excuse_no_more() {
    EXCUSES.set(EXCUSES.get().map(|excuses| excuses.saturating_sub(1)));
}
