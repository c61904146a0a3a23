//! The world: who is in it, where everything lies, and how it is founded, started and stopped.

pub mod admin;
pub mod certificates;
pub mod found;
pub mod home;
pub mod index;
pub mod issuing;
pub mod layout;
pub mod leader;
pub mod query;
pub mod second_name;
pub mod services;
