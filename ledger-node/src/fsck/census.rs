//! Everything in the store, counted by what it is.
//!
//! What stands where a block writes is compared elsewhere; that there are as many as were compared, and nothing under any other
//! key, is seen here. Why a transaction was refused stands nowhere else: of that, only the form can be told.

use std::collections::BTreeMap;

use identity_core::problem::Code;
use ledger::Hash;
use service_kit::store::Range;

use super::{Finding, PAGE, item, name_of};
use crate::store::{CHECKPOINT, FLOOR, GENESIS, HEAD, Head, Refusal, SyncStore};

/// What there is one of.
const SINGLES: [&[u8]; 4] = [HEAD, GENESIS, CHECKPOINT, FLOOR];

/// The areas, and how many bytes follow the name of each; those of state nodes are of any length.
const AREAS: [(&str, Option<usize>); 8] = [
    ("boundary/", Some(8)),
    ("leaf/", Some(8)),
    ("node/", None),
    ("refused/", Some(Hash::LENGTH)),
    ("step/", Some(8)),
    ("tile/", Some(1 + 8)),
    ("tx/", Some(Hash::LENGTH)),
    ("value/", Some(Hash::LENGTH + 8)),
];

/// How much there is in each area.
pub(super) struct Census(BTreeMap<&'static str, u64>);

impl Census {
    /// Counts all.
    ///
    /// # Errors
    /// A key that no block writes, or a refusal that is none.
    pub(super) fn of(store: &SyncStore, head: &Head) -> Result<Self, Finding> {
        let mut counts = BTreeMap::new();
        let mut range = Range::all();
        loop {
            let page = store.scan(range.clone(), PAGE)?;
            let Some((last, _)) = page.last() else { return Ok(Self(counts)) };
            range = range.after(last);
            for (key, value) in page.iter().filter(|(key, _)| !SINGLES.contains(&key.as_slice())) {
                let area = area_of(key).ok_or_else(|| Finding::Leftover(name_of(key)))?;
                if area == "refused/" && !is_refusal(value, head) {
                    return Err(item(&name_of(key), 0));
                }
                let count: &mut u64 = counts.entry(area).or_default();
                *count = count.saturating_add(1);
            }
        }
    }

    /// How much there is in an area.
    pub(super) fn count(&self, area: &str) -> u64 {
        self.0.get(area).copied().unwrap_or(0)
    }
}

fn area_of(key: &[u8]) -> Option<&'static str> {
    let is_in = |(area, length): &(&str, Option<usize>)| {
        let rest = key.strip_prefix(area.as_bytes());
        rest.is_some_and(|rest| length.is_none_or(|length| rest.len() == length))
    };
    AREAS.iter().find(|area| is_in(area)).map(|(area, _)| *area)
}

fn is_refusal(value: &[u8], head: &Head) -> bool {
    let refusal: Option<Refusal> = serde_json::from_slice(value).ok();
    refusal.is_some_and(|refusal| Code::parse(&refusal.code).is_some() && refusal.height <= head.height)
}
