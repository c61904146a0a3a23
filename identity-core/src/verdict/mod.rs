//! The verdict: may this presentation be relied on? One pure call over bytes, evidence, policy and time.
//!
//! ```text
//! Presentation ──needs──► Needs ──(the service fetches)──► Evidence ──prepare──► PreparedEvidence
//!       └──────────────────────────── judge(presentation, evidence, policy, when) ◄──────┘
//!                                                   │
//!                                     Verified  or  Refusal (code, fault, rank)
//! ```
//!
//! Each check stands in one file under `check/`. There is no partial success: one check that fails makes the whole
//! refused, and a [`Verified`] is made in one place, behind all of them. The same call over saved evidence gives
//! the same verdict, which is what auditors and tests do.
//!
//! The ledger's clock decides what held when: with an anchor proof, issuer key, accreditation and type are taken as
//! of the log index where the credential was anchored; without one, as of the newest index the evidence knows, and
//! then only a key that is still current counts (design §4). The asker and its official are taken as of the newest
//! index, or as of a past moment, if that is what is asked ([`AsOf`]): "was this valid, and was that service accredited, on
//! 3 March?"
//!
//! # What this does not check
//! That a nonce is used once: only a store can say so across processes.

mod accepted;
mod as_of;
mod asker;
mod check;
mod duty;
mod evidence;
mod holding;
mod judge;
mod needs;
mod policy;
mod presentation;
mod refusal;
#[cfg(test)]
mod tests;

pub use accepted::{Claims, Status, StatusDoubt, Verified, VerifiedCredential};
pub use as_of::{AsOf, When};
pub use asker::{Excess, Standing, standing};
pub use duty::{Attested, attested, claimed, orderable, signable};
pub use evidence::{Evidence, FetchedList, Freshness, PreparedEvidence};
pub use holding::{Condition, Holding, IssuerStanding, ListFacts, Period};
pub use judge::judge;
pub use needs::{Needs, needs};
pub use policy::{AcceptedType, AnchorRule, OnUndetermined, Policy};
pub use presentation::{Asked, Presentation};
pub use refusal::{EvidenceError, Fault, Refusal};
