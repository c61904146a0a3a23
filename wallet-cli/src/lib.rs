//! The holder's wallet in the terminal.
//!
//! [`Wallet`] has a function for each command, without a terminal; [`run`] puts a command line and a terminal around
//! it. `vault` knows bytes, `holdings` what they mean, `wallet` the world; `ui` speaks.

mod anchor;
mod asker;
pub mod backup;
pub mod claims;
pub mod cli;
mod consent;
pub mod doctor;
mod duty;
mod error;
mod evidence;
pub mod holdings;
pub mod hygiene;
pub mod keeping;
pub mod labels;
mod late;
mod meaning;
pub mod memory;
mod moment;
pub mod moving;
mod official;
mod onward;
mod order;
pub mod passphrase;
pub mod phrase;
pub mod picture;
pub mod present;
mod question;
mod receipt;
pub mod receive;
pub mod restore;
pub mod run;
mod selection;
pub mod status;
pub mod ui;
pub mod vault;
pub mod view;
mod wallet;
pub mod withdraw;

pub use anchor::AnchorState;
pub use asker::Accreditation;
pub use consent::{AtTerminal, Consent};
pub use error::{Exit, WalletError};
pub use official::Draft;
pub use onward::Onward;
pub use order::OrderDraft;
pub use question::{Item, Question};
pub use wallet::{Ports, Wallet};
