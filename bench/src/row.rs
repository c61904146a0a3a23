//! The rows of the table: each one workload, one opponent, one target.

use crate::contest::Outcome;

mod evidence;
mod issue;
mod receipt;
mod verify;

/// A row's name, and what runs it for a number of rounds.
type Named = (&'static str, fn(u32) -> anyhow::Result<Row>);

/// All rows there are.
pub(crate) const ALL: [Named; 7] = [
    ("P1", issue::limit),
    ("P2", issue::peer),
    ("P4", verify::limit),
    ("P16", verify::anchored),
    ("P29", receipt::added),
    ("P30", evidence::plain),
    ("P31", evidence::full),
];

/// A row that was run.
pub(crate) struct Row {
    pub(crate) id: &'static str,
    /// Ours, and against what.
    pub(crate) what: &'static str,
    pub(crate) outcome: Outcome,
    /// What must hold now.
    pub(crate) target: Target,
    /// What must hold in the end.
    pub(crate) last_target: Target,
}

/// Which way a target points.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// Our speed over the other's.
    AtLeast(f64),
    /// Our cost over the other's.
    CostAtMost(f64),
}

impl Row {
    /// The ratio that the target is about.
    pub(crate) fn ratio(&self) -> f64 {
        match self.target {
            Target::AtLeast(_) => self.outcome.ratio,
            Target::CostAtMost(_) => self.outcome.ratio.recip(),
        }
    }

    /// Whether what must hold now does.
    pub(crate) fn held(&self) -> bool {
        match self.target {
            Target::AtLeast(number) => self.ratio() >= number,
            Target::CostAtMost(number) => self.ratio() <= number,
        }
    }
}

impl Target {
    pub(crate) const fn number(self) -> f64 {
        match self {
            Self::AtLeast(number) | Self::CostAtMost(number) => number,
        }
    }
}
