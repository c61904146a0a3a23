//! One file per act: load, ask the core, save, answer.

pub(crate) mod attest;
pub(crate) mod bundle;
pub(crate) mod export;
pub(crate) mod receipt;
pub(crate) mod receipt_audit;
pub(crate) mod redeem;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod result;
