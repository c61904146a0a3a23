//! The holder's wallet in the terminal.

pub mod vault;
