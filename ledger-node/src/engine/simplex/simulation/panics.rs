//! Panics in a story. A part of a validator ends in one if its own disk fails, and the validator with it; any other panic is
//! a violation. The runtime catches panics of tasks, so they are counted where they begin.

use std::cell::{Cell, RefCell};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};
use std::task::{Context, Poll};

/// Whether a disk is an excuse for its node's panics. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Excuse(Arc<AtomicBool>);

impl Excuse {
    pub(super) fn holds(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self, holds: bool) {
        self.0.store(holds, Ordering::Relaxed);
    }
}

thread_local! {
    /// A story is told on one thread.
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    /// Of the node whose task runs; none for what is no node's.
    static RUNNING: RefCell<Option<Excuse>> = const { RefCell::new(None) };
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Begins to watch this thread.
pub(super) fn watch() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let is_watched = WATCHED.get();
            if is_watched && RUNNING.with_borrow(|excuse| excuse.as_ref().is_some_and(Excuse::holds)) {
                return;
            }
            if is_watched {
                SEEN.with_borrow_mut(|seen| seen.push(panic.to_string()));
            }
            before(panic);
        }));
    });
    WATCHED.set(true);
    SEEN.take();
}

/// Ends watching, and gives all panics that nothing excused.
pub(super) fn end() -> Vec<String> {
    WATCHED.set(false);
    SEEN.take()
}

/// Runs a node's task: its panics are excused if its disk is.
pub(super) async fn excused_by<F: Future>(excuse: Excuse, task: F) -> F::Output {
    let mut task = pin!(task);
    std::future::poll_fn(|context| poll_as(&excuse, task.as_mut(), context)).await
}

fn poll_as<F: Future>(excuse: &Excuse, task: Pin<&mut F>, context: &mut Context<'_>) -> Poll<F::Output> {
    /// Whose task ran before this one runs again, even if this one panics.
    struct Before(Option<Excuse>);

    impl Drop for Before {
        fn drop(&mut self) {
            RUNNING.set(self.0.take());
        }
    }

    let _before = Before(RUNNING.replace(Some(excuse.clone())));
    task.poll(context)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn a_disk_excuses_its_own_nodes_panics_only_and_only_while_it_fails() {
        let (failing, sound) = (Excuse::default(), Excuse::default());
        failing.set(true);
        let break_down = |excuse: Option<&Excuse>, what: &'static str| {
            let task = async move { std::panic::panic_any(what) };
            let done = match excuse {
                Some(excuse) => catch_unwind(AssertUnwindSafe(|| excused_by(excuse.clone(), task).now_or_never())),
                None => catch_unwind(AssertUnwindSafe(|| task.now_or_never())),
            };
            assert!(done.is_err());
        };
        watch();
        break_down(Some(&failing), "its own disk");
        break_down(Some(&sound), "another's disk");
        break_down(None, "nobody's task");
        failing.set(false);
        break_down(Some(&failing), "the disk is well again");
        let seen = end();
        assert_eq!(seen.len(), 3, "{seen:#?}");
        assert!(end().is_empty());
    }
}
