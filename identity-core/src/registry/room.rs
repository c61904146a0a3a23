//! How much may be put into a member's history of accreditations.
//!
//! The history must fit a state proof, or whoever checks what the member signs can no longer do so; and the purposes in it
//! must fit a tally. The member is not asked, so each giver may fill a small part only, and a part is kept for the genesis
//! authorities: whatever others do, they can go on accrediting the member.

use super::accreditation::Grant;
use super::tally::purposes_of;
use super::{MAX_GRANTS, MAX_GRANTS_BYTES, MAX_TALLIED_PURPOSES, Refused};

/// What accreditations of one member may come to.
struct Room {
    /// How many they are.
    count: usize,
    /// Bytes of JSON.
    bytes: usize,
    /// Different purposes that its tallies may have to list because of them.
    purposes: usize,
}

/// All that it is ever given.
const ALL: Room = Room { count: MAX_GRANTS, bytes: MAX_GRANTS_BYTES, purposes: MAX_TALLIED_PURPOSES };
/// All of them, when one is given by others than a genesis authority: a quarter is kept for these.
const UNRESERVED: Room =
    Room { count: MAX_GRANTS / 4 * 3, bytes: MAX_GRANTS_BYTES / 4 * 3, purposes: MAX_TALLIED_PURPOSES / 4 * 3 };
/// Those that were given under one and the same accreditation: for dozens of usual ones, each of about 1 KiB, or the two
/// widest that transactions can carry. Whoever wants to use up what is not reserved needs three accreditations to give on
/// for the purposes, six for the rest, and gains little.
const UNDER_ONE: Room = Room { count: 32, bytes: 64 * 1024, purposes: 32 };

/// That a member's history still has room for the last of `grants`, which are all of it.
pub(super) fn check_room(grants: &[Grant]) -> Result<(), Refused> {
    match grants.last().and_then(|last| last.under) {
        None => ALL.check(grants.iter()),
        Some(parent) => {
            UNRESERVED.check(grants.iter())?;
            UNDER_ONE.check(grants.iter().filter(|grant| grant.under == Some(parent)))
        }
    }
}

impl Room {
    fn check<'a>(&self, grants: impl Iterator<Item = &'a Grant>) -> Result<(), Refused> {
        let grants: Vec<&Grant> = grants.collect();
        let bytes = serde_json::to_vec(&grants).map_or(usize::MAX, |json| json.len());
        if grants.len() > self.count || bytes > self.bytes {
            return Err(Refused::TooManyAccreditations);
        }
        // One that ended before it began is never tallied: a slip can be taken back.
        let tallied = grants.into_iter().filter(|grant| grant.started.is_some() || grant.ended.is_none());
        if purposes_of(tallied).len() > self.purposes { Err(Refused::TooManyPurposes) } else { Ok(()) }
    }
}
