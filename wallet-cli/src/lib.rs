//! The holder's wallet in the terminal.

pub mod cli;
pub mod holdings;
pub mod passphrase;
pub mod terminal;
pub mod ui;
pub mod vault;
