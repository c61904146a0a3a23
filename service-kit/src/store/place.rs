//! The names that a service's data has in its directory, and which store they say is in force.
//!
//! `<name>.<engine>` is the store in force; `<name>.<engine>.draft` is one that a migration is filling;
//! `<name>.<engine>.migrated` is the one that a migration took out of force. [`super::migrate`] changes them in an
//! order in which there is exactly one answer at every moment.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::redb::Format;

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// The default, and always built.
    Redb,
    /// Built with the feature `sled` only.
    Sled,
}

impl Engine {
    /// The engine that a configuration names.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|engine| engine.name() == name)
    }

    /// Its name, in configurations and in names of files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Redb => "redb",
            Self::Sled => "sled",
        }
    }

    /// The one that it is not.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Redb => Self::Sled,
            Self::Sled => Self::Redb,
        }
    }
}

// By hand: derived, help would show the words above in English to everybody.
impl ValueEnum for Engine {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Redb, Self::Sled]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

/// Where a service's data lies, and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The data directory.
    pub data: &'a Path,
    /// What the store is called in it, without its ending, e.g. `issuer`.
    pub name: &'a str,
    /// Whose data it is.
    pub format: Format,
}

/// What the names in a data directory say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// No store, and no trace of one.
    New,
    /// This one is in force.
    InForce(Engine),
    /// This one is in force, and whole, under its draft's name: the other has been taken out of force already.
    Unnamed(Engine),
    /// Two stores in force, which no migration leaves behind.
    Two,
    /// None in force, and yet this one lies there, which no migration leaves behind.
    Lost(PathBuf),
}

impl Place<'_> {
    /// A store in force.
    pub(super) fn store(&self, engine: Engine) -> PathBuf {
        self.named(engine, "")
    }

    /// A store that is being filled.
    pub(super) fn draft(&self, engine: Engine) -> PathBuf {
        self.named(engine, ".draft")
    }

    /// A store that was taken out of force.
    pub(super) fn kept(&self, engine: Engine) -> PathBuf {
        self.named(engine, ".migrated")
    }

    /// Reads the names. Whoever acts on the answer holds the directory's lock.
    pub(super) fn standing(&self) -> Standing {
        match (self.store(Engine::Redb).exists(), self.store(Engine::Sled).exists()) {
            (true, true) => return Standing::Two,
            (true, false) => return Standing::InForce(Engine::Redb),
            (false, true) => return Standing::InForce(Engine::Sled),
            (false, false) => {}
        }
        let engines = [Engine::Redb, Engine::Sled];
        let drafts = engines.iter().copied().filter(|engine| self.draft(*engine).exists());
        match drafts.collect::<Vec<_>>().as_slice() {
            // The old store loses its name only after the draft is whole.
            [draft] if self.kept(draft.other()).exists() => Standing::Unnamed(*draft),
            _ => self.lost(),
        }
    }

    fn lost(&self) -> Standing {
        let traces = [Engine::Redb, Engine::Sled].map(|engine| [self.kept(engine), self.draft(engine)]);
        traces.into_iter().flatten().find(|path| path.exists()).map_or(Standing::New, Standing::Lost)
    }

    fn named(&self, engine: Engine, ending: &str) -> PathBuf {
        self.data.join(format!("{}.{}{ending}", self.name, engine.name()))
    }
}
