//! Runs the steps in order, times them, and stops at the first that does not hold.

use std::{future::Future, time::Instant};

use super::{Record, Step};
use crate::report::{Report, StepResult};

/// What a step that held has seen, in a few words.
pub type Seen = anyhow::Result<String>;

/// Is told what happens, as it happens.
pub trait Watcher {
    /// A step begins.
    fn begins(&self, step: Step);

    /// A step is over.
    fn ends(&self, step: Step, result: &StepResult);
}

/// Runs `act` for each step that `record` does not hold yet, and keeps there what held. Steps that an earlier run has
/// passed are reported as they were.
///
/// # Errors
/// A record that cannot be kept. A step that does not hold is no error here: it stands in the report.
pub async fn run<F>(
    record: &mut Record,
    watcher: &impl Watcher,
    mut act: impl FnMut(Step) -> F,
) -> anyhow::Result<Report>
where
    F: Future<Output = Seen>,
{
    let mut results = Vec::new();
    for step in Step::ALL {
        watcher.begins(step);
        let result = match record.passed(step) {
            Some(earlier) => earlier.clone(),
            None => timed(step, act(step)).await,
        };
        watcher.ends(step, &result);
        let held = result.ok;
        if held {
            record.keep(&result)?;
        }
        results.push(result);
        if !held {
            break;
        }
    }
    Ok(Report::of(results, Step::ALL.len()))
}

async fn timed(step: Step, act: impl Future<Output = Seen>) -> StepResult {
    let started = Instant::now();
    let seen = act.await;
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (ok, detail) = match seen {
        Ok(detail) => (true, detail),
        // With all its causes: this line is all that a failed run on another machine may leave behind.
        Err(error) => (false, format!("{error:#}")),
    };
    StepResult { name: step.name().to_owned(), ok, ms, detail }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    struct Silent;

    impl Watcher for Silent {
        fn begins(&self, _: Step) {}
        fn ends(&self, _: Step, _: &StepResult) {}
    }

    #[tokio::test]
    async fn it_stops_at_the_first_failure_and_goes_on_there_next_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journey.json");
        let tried = RefCell::new(Vec::new());
        let act = |fail_at: Option<Step>| {
            let tried = &tried;
            move |step: Step| async move {
                tried.borrow_mut().push(step);
                if Some(step) == fail_at { anyhow::bail!("no luck") } else { Ok("fine".to_owned()) }
            }
        };
        let mut record = Record::load(&path).unwrap();
        let first = run(&mut record, &Silent, act(Some(Step::Anchor))).await.unwrap();
        assert!(!first.ok);
        assert_eq!(first.steps.last().unwrap().detail, "no luck");
        assert_eq!(tried.borrow().len(), 6);

        let mut record = Record::load(&path).unwrap();
        let second = run(&mut record, &Silent, act(None)).await.unwrap();
        assert!(second.ok, "{second:?}");
        assert_eq!(second.steps.len(), 12);
        assert_eq!(tried.borrow()[6], Step::Anchor);
        assert_eq!(tried.borrow().len(), 13);
    }
}
