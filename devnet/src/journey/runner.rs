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

/// Makes the steps.
pub trait Actor {
    /// Makes one step; an error says why it does not hold.
    fn act(&mut self, step: Step) -> impl Future<Output = Seen>;
}

/// Has `actor` make each step that `record` does not hold yet, and keeps there what held. Steps that an earlier run has
/// passed are reported as they were.
///
/// # Errors
/// A record that cannot be kept. A step that does not hold is no error here: it stands in the report.
pub async fn run(record: &mut Record, watcher: &impl Watcher, actor: &mut impl Actor) -> anyhow::Result<Report> {
    let mut results = Vec::new();
    for step in Step::ALL {
        watcher.begins(step);
        let result = match record.passed(step) {
            Some(earlier) => earlier.clone(),
            None => timed(step, actor.act(step)).await,
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
    use super::*;

    struct Silent;

    impl Watcher for Silent {
        fn begins(&self, _: Step) {}
        fn ends(&self, _: Step, _: &StepResult) {}
    }

    /// Fails at one step, and remembers what it tried.
    struct Sample {
        fails_at: Option<Step>,
        tried: Vec<Step>,
    }

    impl Actor for Sample {
        async fn act(&mut self, step: Step) -> Seen {
            self.tried.push(step);
            if Some(step) == self.fails_at { anyhow::bail!("no luck") } else { Ok("fine".to_owned()) }
        }
    }

    #[tokio::test]
    async fn it_stops_at_the_first_failure_and_goes_on_there_next_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journey.json");
        let mut actor = Sample { fails_at: Some(Step::Anchor), tried: Vec::new() };
        let mut record = Record::load(&path).unwrap();
        let first = run(&mut record, &Silent, &mut actor).await.unwrap();
        assert!(!first.ok);
        assert_eq!(first.steps.last().unwrap().detail, "no luck");
        assert_eq!(actor.tried.len(), 8);

        let mut actor = Sample { fails_at: None, tried: Vec::new() };
        let mut record = Record::load(&path).unwrap();
        let second = run(&mut record, &Silent, &mut actor).await.unwrap();
        assert!(second.ok, "{second:?}");
        assert_eq!(second.steps.len(), Step::ALL.len());
        assert_eq!((actor.tried[0], actor.tried.len()), (Step::Anchor, Step::ALL.len() - 7));
    }
}
