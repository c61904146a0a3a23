//! The service over HTTP, in process, against a sample ledger with real proofs.

mod admin;
mod anchoring;
mod browser;
mod bundles;
mod certified;
mod console;
mod encrypted;
mod hostile;
mod node;
mod officials;
mod outage;
mod past;
mod periods;
mod receipts;
mod several;
mod starting;
mod tallies;
mod validators;
mod withdrawals;
mod world;
