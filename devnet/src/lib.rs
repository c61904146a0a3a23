//! The whole world in one process, and the journey of the first credential.

pub mod sample;
