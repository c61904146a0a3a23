//! Which steps have held already, so that a restart goes on where it stopped.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::Step;
use crate::report::StepResult;

/// The steps passed so far, in a file.
#[derive(Debug)]
pub struct Record {
    path: PathBuf,
    passed: BTreeMap<String, StepResult>,
}

impl Record {
    /// Reads the record at `path`; none there means that nothing was passed yet.
    ///
    /// # Errors
    /// A file that cannot be read or is no record.
    pub fn load(path: &Path) -> Result<Self> {
        let passed: Vec<StepResult> = match std::fs::read(path) {
            Ok(text) => serde_json::from_slice(&text)
                .with_context(|| format!("{} is no record of a journey", path.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
        };
        let passed = passed.into_iter().map(|step| (step.name.clone(), step)).collect();
        Ok(Self { path: path.to_owned(), passed })
    }

    /// What came of `step`, if it held in an earlier run.
    #[must_use]
    pub fn passed(&self, step: Step) -> Option<&StepResult> {
        self.passed.get(step.name())
    }

    /// Whether the whole journey is done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        Step::ALL.iter().all(|step| self.passed(*step).is_some())
    }

    /// Keeps a step that held.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn keep(&mut self, result: &StepResult) -> Result<()> {
        if self.passed.get(&result.name) == Some(result) {
            return Ok(());
        }
        self.passed.insert(result.name.clone(), result.clone());
        let steps: Vec<&StepResult> = Step::ALL.iter().filter_map(|step| self.passed(*step)).collect();
        service_kit::whole_file::write(&self.path, serde_json::to_vec_pretty(&steps)?)
            .with_context(|| format!("{} cannot be written", self.path.display()))
    }
}
