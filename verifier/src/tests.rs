//! The service over HTTP, in process, against a sample ledger with real proofs.

mod admin;
mod browser;
mod bundles;
mod certified;
mod encrypted;
mod hostile;
mod officials;
mod outage;
mod receipts;
mod several;
mod validators;
mod world;
