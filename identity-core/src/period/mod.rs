//! Period exports: all that a service did in a period, in one file, with which an auditor who has a trust root sees that
//! nothing was left out, changed, moved or cut off.
//!
//! ```text
//!   before   entries …            after            receipts, as they were signed: each holds the digest of the one before
//!  ─────────┴──────────┴──────────┴─────────
//!     range      range      range                  the anchors over them: at each place one receipt is on the ledger
//!  did/<service> · receipts/<service>              whose keys, and how far the ledger has the chain
//! ```
//!
//! The entry before the period and the one after it come along, so that the period has no loose end. Where there is none
//! after, the ledger's word on the last place must not go further than the file.
//!
//! # What this does not check
//! That what the receipts say is true, and what they rest on: that is a [`crate::bundle`] for each. Whether the ledger,
//! asked later than the file was made, has more of what waits for it here. When a receipt was made, but for the service's own
//! word and the places before and after it.

mod check;
mod error;
#[cfg(test)]
mod tests;

use ledger::{Hash, StateProof, TrustRoot};
use serde::{Deserialize, Serialize};

use crate::did::Did;
use crate::encoding::digested::{self, Damage};
use crate::encoding::json::{self, Limits};
use crate::time::UnixSeconds;

pub use check::CheckedPeriod;
pub use error::PeriodError;

/// The name of this format, in the file.
pub const FORMAT: &str = "xinfu-period-1";
/// How a file of this format begins.
const BEGINNING: &[u8] = br#"{"format":"xinfu-period-1","#;
/// The largest file read or made, in bytes: some thirty thousand receipts. A longer period is exported in parts.
pub const MAX_PERIOD_BYTES: usize = 64 * 1024 * 1024;
/// The file, a list, a range or a proof, its path, the list of siblings, and some room.
const LIMITS: Limits = Limits { bytes: MAX_PERIOD_BYTES, depth: 8 };
/// How far before the period an entry in it may be dated, in seconds: answers are judged side by side, and chained one after
/// the other.
pub const LEEWAY: i64 = 300;

/// A period of a service's chain of receipts. Nothing in it is believed before [`Self::check`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    format: String,
    /// The service.
    pub service: Did,
    /// When the period begins.
    pub from: UnixSeconds,
    /// When it has ended.
    pub to: UnixSeconds,
    /// The entry before the first, as it was signed; none where the chain begins in the period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The entries of the period, as they were signed.
    pub entries: Vec<String>,
    /// The entry after the last; none where there is none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The anchors over all of these, in their order.
    pub ranges: Vec<AnchoredRange>,
    /// What the ledger says of the service's keys.
    pub keys: StateProof,
    /// How far the ledger has its chain.
    pub anchored: StateProof,
}

/// One anchor of receipts, and what is needed to hold it against the entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnchoredRange {
    /// The place of its first entry.
    pub first: u64,
    /// The place of its last.
    pub last: u64,
    /// Digests of its entries that stand before those in the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leading: Vec<Hash>,
    /// Digests of those that stand behind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trailing: Vec<Hash>,
    /// The `anchor` transaction, the log entry's exact text.
    pub transaction: String,
    /// The transaction's C2SP `tlog-proof`.
    pub proof: String,
}

impl Period {
    /// A period of no entries yet.
    #[must_use]
    pub fn of(service: Did, (from, to): (UnixSeconds, UnixSeconds), keys: StateProof, anchored: StateProof) -> Self {
        let (before, entries, after, ranges) = (None, Vec::new(), None, Vec::new());
        Self { format: FORMAT.to_owned(), service, from, to, before, entries, after, ranges, keys, anchored }
    }

    /// Whether a file says that it is of this format.
    #[must_use]
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes.starts_with(BEGINNING)
    }

    /// The file.
    ///
    /// # Errors
    /// [`PeriodError::TooLarge`].
    pub fn to_text(&self) -> Result<String, PeriodError> {
        // A struct of texts and numbers cannot fail to be written.
        let text = digested::close(serde_json::to_string(self).unwrap_or_default());
        if text.len() > MAX_PERIOD_BYTES { Err(PeriodError::TooLarge) } else { Ok(text) }
    }

    /// Parses a file.
    ///
    /// # Errors
    /// [`PeriodError::Malformed`]; [`PeriodError::Changed`] if it is not the file that was written.
    pub fn parse(bytes: &[u8]) -> Result<Self, PeriodError> {
        let text = digested::open(bytes, MAX_PERIOD_BYTES).map_err(|damage| match damage {
            Damage::Malformed => PeriodError::Malformed,
            Damage::Changed => PeriodError::Changed,
        })?;
        let period: Self = json::read(text.as_bytes(), LIMITS).map_err(|_| PeriodError::Malformed)?;
        if period.format == FORMAT { Ok(period) } else { Err(PeriodError::Malformed) }
    }

    /// Checks that it is the service's whole chain in the period, as far as the ledger has it. Pure: the same bytes give
    /// the same answer, today and in ten years.
    ///
    /// # Errors
    /// [`PeriodError`], by the first thing that does not hold.
    pub fn check(&self, trust_root: &TrustRoot) -> Result<CheckedPeriod, PeriodError> {
        check::check(self, trust_root)
    }
}
