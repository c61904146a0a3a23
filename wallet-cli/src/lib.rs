//! The holder's wallet in the terminal.
