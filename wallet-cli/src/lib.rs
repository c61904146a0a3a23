//! The holder's wallet in the terminal.

pub mod holdings;
pub mod terminal;
pub mod vault;
