//! One file per act: load, ask the core, save, answer.

pub(crate) mod attest;
pub(crate) mod bundle;
pub(crate) mod export;
pub(crate) mod judge_at;
pub(crate) mod period;
pub(crate) mod receipt;
pub(crate) mod receipt_audit;
pub(crate) mod redeem;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod result;
pub(crate) mod seen;
pub(crate) mod tally_audit;
pub(crate) mod withdrawal;
